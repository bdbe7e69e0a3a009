/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recovery of a change that did not come to its end. It trusts readback, never marks: if nothing is left
 * to do, the change is committed; otherwise it is undone, or finished if the operator says so. A journal of
 * another boot is closed without effects, because nothing that it did to the kernel has survived.
 */
#include "lib/plan/batch.h"
#include "lib/plan/bridge.h"
#include "lib/plan/lock.h"
#include "lib/plan/vlan.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void recovery_clear(struct recovery *recovery)
{
	store_journal_clear(&recovery->journal);
	state_clear(&recovery->before);
	steps_clear(&recovery->steps);
}

/*
 * VFs that went after the change was left (a driver reload) took with them what it did to them: there is
 * nothing to undo, and it cannot count as done. True if @state spoke of any.
 */
static bool drop_gone(const struct sriov_pf *pf, struct pf_state *state)
{
	size_t kept = 0, had = state->nvf;

	for (size_t i = 0; i < had; i++)
		if ((state->has & STATE_COUNT) || pf_vf(pf, state->vf[i].index))
			state->vf[kept++] = state->vf[i];
	state->nvf = kept;
	return kept < had;
}

int recovery_load(struct change *change, struct recovery *recovery, struct sriov_error *err)
{
	return store_journal_open_of(change->store, change->pf->address, &recovery->journal, err);
}

/* Both states of the journal, and the PF as it is. */
static int read_back(struct change *change, struct recovery *recovery, bool *gone,
		     struct sriov_error *err)
{
	int r = state_decode(recovery->journal.before, &recovery->before, err);

	if (!r)
		r = state_decode(recovery->journal.want, &change->want, err);
	if ((recovery->before.has | change->want.has) & STATE_RSS)
		change->what |= SRIOV_READ_RSS;
	if (!r)
		r = bridge_open(change, &change->want, err);
	if (!r)
		r = vlan_open(change, &change->want, err);
	if (!r)
		r = change_read(change, err);
	if (r < 0)
		return r;
	change_assume_unreported(change, &change->want);
	*gone = drop_gone(change->pf, &recovery->before);
	return 0;
}

int recovery_choose(struct change *change, struct recovery *recovery, enum recover_how how,
		    struct sriov_error *err)
{
	struct steps *steps = &recovery->steps;
	bool gone, onward;
	int r = read_back(change, recovery, &gone, err);

	if (r < 0)
		return r;
	/* a probe has no end to go forward to, even if all that it put there stands */
	onward = !change->want.passing && (how == RECOVER_RESUME || (how == RECOVER_AUTO && !gone));
	if (onward) {
		r = change_diff(change, &change->want, steps, err);
		if (r < 0)
			return sriov_error_hint(err,
						"`sriovctl journal undo %ld` gives the change up",
						recovery->journal.row.id);
	}
	recovery->forward = onward && (how == RECOVER_RESUME || !steps->n);
	return recovery->forward ? 0 : recovery_turn(change, recovery, err);
}

int recovery_turn(struct change *change, struct recovery *recovery, struct sriov_error *err)
{
	steps_clear(&recovery->steps);
	recovery->forward = false;
	return change_diff(change, &recovery->before, &recovery->steps, err);
}

/* Since the change was left, guests may have come to what its recovery would hit. */
int recovery_guard(struct change *change, const struct recovery *recovery, struct sriov_error *err)
{
	const struct sriov_journal_row *row = &recovery->journal.row;
	int r = steps_guard(change->pf, &recovery->steps, change->opts->force,
			    change->opts->disrupt_pf, err);
	size_t used;

	if (r < 0 && err) {
		used = strlen(err->message);
		snprintf(err->message + used, sizeof(err->message) - used,
			 "; recovering journal %ld (`%s`), which was left open, would hit it",
			 row->id, row->command);
	}
	return r;
}

int recovery_run(struct change *change, struct recovery *recovery, struct sriov_error *err)
{
	const struct pf_state *target = recovery->forward ? &change->want : &recovery->before;
	struct steps_result result;
	int r = 0;

	if (recovery->steps.n)
		r = apply_steps(change, &recovery->steps, 0, &result, err);
	change_tell_states(change, &recovery->steps);
	return r ? r : apply_verify(change, target, err);
}

static int go(struct change *change, struct recovery *recovery, struct sriov_error *err)
{
	long id = recovery->journal.row.id;
	int r = recovery_run(change, recovery, err);

	if (r < 0)
		return r;
	return recovery->forward ? apply_commit(change, &recovery->before, id, err)
				 : apply_undone_status(change, &recovery->before, id, NULL, err);
}

void recovery_leave_open(struct change *change, const struct store_journal *journal,
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

static int note_recovery(struct change *change, const struct recovery *recovery,
			 struct sriov_error *err)
{
	return change_note(change, err, "first recovered journal %ld (`%s`): %s",
			   recovery->journal.row.id, recovery->journal.row.command,
			   recovery->forward ? "it was done" : "undone");
}

static int recover(struct change *change, struct recovery *recovery, enum recover_how how,
		   struct sriov_error *err)
{
	long id = recovery->journal.row.id;
	int r;

	if (strcmp(recovery->journal.boot_id, change->inv->boot_id) != 0 && !change->opts->dry_run)
		return apply_journal_status(change, id, "boot",
					    "the host was started again; `sriovctl restore` brings "
					    "the last committed intent back",
					    err);
	r = recovery_choose(change, recovery, how, err);
	if (r < 0)
		return sriov_error_hint(
			err,
			"that was asked to recover journal %ld (`%s`), which was left "
			"open; `sriovctl journal abandon %ld` gives it up as it is",
			id, recovery->journal.row.command, id);
	/* the steps of `journal undo|resume` are the command's; those before another command only a note */
	if (how != RECOVER_AUTO)
		r = change_tell(change, &recovery->steps, err);
	if (!r)
		r = recovery_guard(change, recovery, err);
	if (r < 0 || change->opts->dry_run)
		return r;
	r = go(change, recovery, err);
	if (r < 0)
		recovery_leave_open(change, &recovery->journal, err);
	else if (how == RECOVER_AUTO)
		r = note_recovery(change, recovery, err);
	else
		change->plan->journal = id;
	state_clear(&change->want);
	/* what comes next may concern another one, and stands on what is recorded now */
	bridge_free(core_steal(change->bridge));
	vlan_free(core_steal(change->vlans));
	return r ? r : change_load(change, err);
}

int recover_pf(struct change *change, enum recover_how how, struct sriov_error *err)
{
	struct recovery recovery = {0};
	unsigned what = change->what;
	int r;

	if (!change->store)
		return 0;
	r = recovery_load(change, &recovery, err);
	if (r == -ENOENT)
		return 0;
	if (!r) {
		change->what |= CHANGE_READ_ALL;
		r = recover(change, &recovery, how, err);
		change->what = what;
	}
	recovery_clear(&recovery);
	return r;
}

/* 1: the PF has an open journal, and the generation that it is a part of (0 = it stands alone). */
static int open_generation(struct change *change, long *generation, struct sriov_error *err)
{
	struct store_journal journal = {0};
	int r;

	*generation = 0;
	if (!change->store)
		return 0;
	r = store_journal_open_of(change->store, change->pf->address, &journal, err);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	*generation = journal.generation;
	store_journal_clear(&journal);
	return 1;
}

int recover_open(struct change *change, struct change_notes *notes, struct sriov_error *err)
{
	const struct sriov_options *opts = change->opts;
	struct sriov_host *host = change->host;
	unsigned what = change->what;
	char address[SRIOV_PCI_LEN];
	long generation;
	int r = open_generation(change, &generation, err);

	while (r > 0 && generation) {
		core_copy(address, sizeof(address), change->pf->address);
		/* its PFs are locked in their order, which this one alone would break */
		change_close(change);
		r = batch_recover(host, generation, RECOVER_AUTO, opts, notes, NULL, err);
		if (!r)
			r = change_open_unrecovered(change, host, address, what, opts, err);
		if (!r)
			r = open_generation(change, &generation, err);
	}
	return r > 0 ? recover_pf(change, RECOVER_AUTO, err) : r;
}
