/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recovery of a change that did not come to its end. It trusts readback, never marks: if nothing is left
 * to do, the change is committed; otherwise it is undone, or finished if the operator says so. A journal of
 * another boot is closed without effects, because nothing that it did to the kernel has survived.
 */
#include "lib/plan/bridge.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The way that a recovery goes: on to the wanted state, or back to the one before. */
struct recovery {
	struct store_journal journal;
	struct pf_state before;
	struct steps steps;
	bool forward;
};

static void recovery_clear(struct recovery *recovery)
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

/* Decides by readback: forward if nothing is left to do or the operator says so, else back. */
static int choose(struct change *change, struct recovery *recovery, enum recover_how how,
		  struct sriov_error *err)
{
	struct steps *steps = &recovery->steps;
	int r = state_decode(recovery->journal.before, &recovery->before, err);
	bool gone, onward;

	if (!r)
		r = state_decode(recovery->journal.want, &change->want, err);
	if ((recovery->before.has | change->want.has) & STATE_RSS)
		change->what |= SRIOV_READ_RSS;
	if (!r)
		r = bridge_open(change, &change->want, err);
	if (!r)
		r = change_read(change, err);
	if (r < 0)
		return r;
	change_assume_unreported(change, &change->want);
	gone = drop_gone(change->pf, &recovery->before);
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
	if (!recovery->forward) {
		steps_clear(steps);
		r = change_diff(change, &recovery->before, steps, err);
	}
	/* the steps of `journal undo|resume` are the command's; those before another command only a note */
	return !r && how != RECOVER_AUTO ? change_tell(change, steps, err) : r;
}

/* Since the change was left, guests may have come to what its recovery would hit. */
static int guard(struct change *change, const struct recovery *recovery, struct sriov_error *err)
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

static int go(struct change *change, struct recovery *recovery, struct sriov_error *err)
{
	const struct pf_state *target = recovery->forward ? &change->want : &recovery->before;
	long id = recovery->journal.row.id;
	struct steps_result result;
	int r = 0;

	if (recovery->steps.n)
		r = apply_steps(change, &recovery->steps, 0, &result, err);
	change_tell_states(change, &recovery->steps);
	if (!r)
		r = apply_verify(change, target, err);
	if (r < 0)
		return r;
	return recovery->forward ? apply_commit(change, &recovery->before, id, err)
				 : apply_undone_status(change, &recovery->before, id, NULL, err);
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
	r = choose(change, recovery, how, err);
	if (r < 0)
		return sriov_error_hint(
			err,
			"that was asked to recover journal %ld (`%s`), which was left "
			"open; `sriovctl journal abandon %ld` gives it up as it is",
			id, recovery->journal.row.command, id);
	r = guard(change, recovery, err);
	if (r < 0 || change->opts->dry_run)
		return r;
	r = go(change, recovery, err);
	if (r < 0)
		leave_open(change, &recovery->journal, err);
	else if (how == RECOVER_AUTO)
		r = note_recovery(change, recovery, err);
	else
		change->plan->journal = id;
	state_clear(&change->want);
	/* what comes next may concern another one */
	bridge_free(core_steal(change->bridge));
	return r;
}

int recover_pf(struct change *change, enum recover_how how, struct sriov_error *err)
{
	struct recovery recovery = {0};
	unsigned what = change->what;
	int r;

	if (!change->store)
		return 0;
	r = store_journal_open_of(change->store, change->pf->address, &recovery.journal, err);
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
