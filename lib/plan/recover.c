/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recovery of a change that did not come to its end. It trusts readback, never marks: if nothing is left
 * to do, the change is committed; otherwise it is undone, or finished if the operator says so. A journal of
 * another boot is closed without effects, because nothing that it did to the kernel has survived.
 */
#include "lib/plan/change.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int recover_stuck(struct sriov_host *host, const char *address, struct sriov_error *err)
{
	struct store_journal journal = {0};
	struct store *store = NULL;
	int r = store_get(host, false, &store, err);

	if (r < 0 || !store)
		return r;
	r = store_journal_open_of(store, address, &journal, err);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (!strcmp(journal.row.status, "stuck")) {
		sriov_error_set(
			err, -EBUSY, address,
			"quarantined: a call of journal %ld (`%s`) still hangs in the kernel: %s",
			journal.row.id, journal.row.command, journal.row.error);
		sriov_error_hint(err, "stop what holds the VF; the call then returns, and the next "
				      "change of this PF recovers");
		r = sriov_error_status(err, SRIOV_STUCK);
	}
	store_journal_clear(&journal);
	return r == -EBUSY ? r : 0;
}

static bool is_done(struct change *change, const struct pf_state *want)
{
	struct sriov_error ignored;
	struct steps left = {0};
	bool done = !steps_diff(change->pf, want, &left, &ignored) && !left.n;

	steps_clear(&left);
	return done;
}

static int finish(struct change *change, struct sriov_error *err)
{
	struct steps_result result;
	struct steps steps = {0};
	int r = steps_diff(change->pf, &change->want, &steps, err);

	if (!r && steps.n)
		r = apply_steps(change, &steps, 0, &result, err);
	if (!r)
		r = apply_verify(change, &change->want, err);
	steps_clear(&steps);
	return r;
}

static void leave_open(struct change *change, const struct store_journal *journal,
		       struct sriov_error *err)
{
	bool stuck = err->status == SRIOV_STUCK;
	struct sriov_error ignored;

	apply_journal_status(change, journal->row.id, stuck ? "stuck" : "incomplete", err->message,
			     &ignored);
	sriov_error_hint(err,
			 "the change of journal %ld (`%s`) is still open: see `sriovctl journal "
			 "show`, then `journal undo %ld`, `journal resume %ld` or, as it is, "
			 "`journal abandon %ld`",
			 journal->row.id, journal->row.command, journal->row.id, journal->row.id,
			 journal->row.id);
	sriov_error_status(err, stuck ? SRIOV_STUCK : SRIOV_INCOMPLETE);
	change->plan->journal = journal->row.id;
	change->plan->status = err->status;
}

static int note_recovery(struct change *change, const struct store_journal *journal, bool finished,
			 struct sriov_error *err)
{
	char **slot = core_grow(&change->plan->note, &change->plan->nnotes, sizeof(*slot));

	if (slot)
		*slot = core_printf("first recovered journal %ld (`%s`): %s", journal->row.id,
				    journal->row.command, finished ? "it was done" : "undone");
	return slot && *slot ? 0 : core_oom(err);
}

static int recover(struct change *change, struct store_journal *journal, enum recover_how how,
		   struct sriov_error *err)
{
	struct pf_state before = {0};
	size_t undone;
	bool finished;
	int r;

	change->plan->journal = journal->row.id;
	if (strcmp(journal->boot_id, change->inv->boot_id) != 0) {
		change->plan->journal = 0;
		return apply_journal_status(change, journal->row.id, "boot",
					    "the host was started again; `sriovctl restore` brings "
					    "the last committed intent back",
					    err);
	}
	r = state_decode(journal->before, &before, err);
	if (!r)
		r = state_decode(journal->want, &change->want, err);
	if (!r)
		r = change_read(change, err);
	if (r < 0) {
		state_clear(&before);
		return r;
	}
	finished = how != RECOVER_UNDO && is_done(change, &change->want);
	if (!finished && how == RECOVER_RESUME) {
		r = finish(change, err);
		finished = !r;
	} else if (!finished) {
		r = apply_undo(change, &before, &undone, err);
	}
	if (!r && finished)
		r = apply_commit(change, &before, journal->row.id, err);
	else if (!r)
		r = apply_journal_status(change, journal->row.id, "undone", NULL, err);
	if (!r)
		r = note_recovery(change, journal, finished, err);
	else
		leave_open(change, journal, err);
	if (!r)
		change->plan->journal = 0;
	state_clear(&before);
	state_clear(&change->want);
	return r;
}

int recover_pf(struct change *change, enum recover_how how, struct sriov_error *err)
{
	struct store_journal journal = {0};
	unsigned what = change->what;
	int r;

	if (!change->store)
		return 0;
	r = store_journal_open_of(change->store, change->pf->address, &journal, err);
	if (r == -ENOENT)
		return 0;
	if (!r) {
		change->what = SRIOV_READ_ALL & ~SRIOV_READ_NODES;
		r = recover(change, &journal, how, err);
		change->what = what;
	}
	store_journal_clear(&journal);
	return r;
}
