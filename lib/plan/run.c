/* SPDX-License-Identifier: Apache-2.0 */
/* A change from its plan to its end: journal, apply, read back, commit; or undo. See change.h. */
#include "lib/plan/bridge.h"
#include "lib/plan/vlan.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int change_foretell(struct change *change, struct sriov_error *err)
{
	struct store_journal journal = {0};
	int r = change->store
			? store_journal_open_of(change->store, change->pf->address, &journal, err)
			: -ENOENT;

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	/* of one that a start of the host has ended nothing is taken back */
	if (!strcmp(journal.boot_id, change->inv->boot_id)) {
		sriov_error_set(err, -EBUSY, pf_label(change->pf),
				"what the command would do cannot be told: it would first recover "
				"journal %ld (`%s`), which was left open",
				journal.row.id, journal.row.command);
		sriov_error_hint(err,
				 "sriovctl journal undo %ld, or journal resume %ld; then this "
				 "again",
				 journal.row.id, journal.row.id);
		r = sriov_error_status(err, SRIOV_REFUSED);
	}
	store_journal_clear(&journal);
	return r;
}

int change_begin(struct change *change, struct sriov_error *err)
{
	const struct sriov_options *opts = change->opts;
	struct change_notes notes = {0};
	int r = !opts->dry_run ? recover_open(change, &notes, err)
		: opts->looks  ? 0
			       : change_foretell(change, err);

	for (size_t i = 0; !r && i < notes.n; i++)
		r = change_note(change, err, "%s", notes.at[i]);
	change_notes_clear(&notes);
	return r ? r : change_read(change, err);
}

int change_open(struct change *change, struct sriov_host *host, const char *pf, unsigned what,
		const struct sriov_options *opts, struct sriov_error *err)
{
	int r = change_open_unrecovered(change, host, pf, what, opts, err);

	return r ? r : change_begin(change, err);
}

/* Leases are made without the PF's lock; from this transaction on the open journal keeps new ones away. */
int change_check_leases(struct change *change, struct sriov_error *err)
{
	_free_ struct sriov_lease *lease = NULL;
	size_t n = 0;
	int r = store_lease_list(change->store, change->pf->address, &lease, &n, err);

	if (r < 0 || !(change->what & SRIOV_READ_USERS) || n == change->nleases)
		return r;
	sriov_error_set(err, -EAGAIN, pf_label(change->pf),
			"its leases have changed since the plan was made");
	sriov_error_hint(err, "run the command again");
	return sriov_error_status(err, SRIOV_REFUSED);
}

/* The steps in words, as JSON. */
static char *steps_text(const struct sriov_plan *plan, size_t nsteps)
{
	struct core_doc doc = {0};

	core_doc_open(&doc, NULL, '[');
	for (size_t i = 0; i < plan->nsteps && i < CHANGE_STEPS_SHOWN; i++) {
		size_t used = doc.used;

		core_doc_text(&doc, NULL, plan->step[i].what);
		/* a netdev's name need not be UTF-8, and JSON has to: such a step is left out, and no reason to fail */
		if (doc.failed)
			doc = (struct core_doc){doc.text, used, doc.room, false};
	}
	if (nsteps > CHANGE_STEPS_SHOWN) {
		char more[64];

		snprintf(more, sizeof(more), "and %zu more", nsteps - CHANGE_STEPS_SHOWN);
		core_doc_text(&doc, NULL, more);
	}
	core_doc_close(&doc, ']');
	return core_doc_take(&doc);
}

/* A new lease stands from the same moment as the journal that would take it back. */
static int take_lease(struct change *change, struct sriov_error *err)
{
	struct guest_state *guest = change->want.guest;

	if (!guest || !guest->leased || guest->lease.id)
		return 0;
	return store_lease_insert(change->store, &guest->lease, err);
}

int change_record(struct change *change, const struct pf_state *before, size_t nsteps,
		  long generation, struct sriov_error *err)
{
	struct store_journal journal = {.row.steps = nsteps, .generation = generation};
	int r = state_encode(before, &journal.before, err);

	free(core_steal(change->told.text));
	if (!r)
		r = state_write(&change->want, NULL, NULL, &change->told, err);
	journal.want = change->told.text;
	if (!r && !(journal.steps = steps_text(change->plan, nsteps)))
		r = core_oom(err);
	core_copy(journal.row.pf, sizeof(journal.row.pf), change->pf->address);
	core_copy(journal.row.command, sizeof(journal.row.command), change_command(change));
	core_copy(journal.row.status, sizeof(journal.row.status), "open");
	core_copy(journal.boot_id, sizeof(journal.boot_id), change->inv->boot_id);
	core_now(journal.row.started);
	if (!r)
		r = store_journal_insert(change->store, &journal, err);
	if (!r)
		change->plan->journal = journal.row.id;
	journal.want = NULL;
	store_journal_clear(&journal);
	return r;
}

static int open_journal(struct change *change, struct pf_state *before, size_t nsteps,
			struct sriov_error *err)
{
	int r = store_begin(change->store, STORE_DURABLE, err);

	if (!r)
		r = change_check_leases(change, err);
	if (!r)
		r = take_lease(change, err);
	if (!r && before->guest)
		before->guest->lease.id = change->want.guest->lease.id;
	if (!r)
		r = change_record(change, before, nsteps, 0, err);
	if (!r)
		r = store_commit(change->store, err);
	store_rollback(change->store);
	if (r < 0)
		change->plan->journal = 0;
	return r;
}

/* What @undo says of an undoing that failed, added to @err; the journal stays open. */
static void undo_failed(struct change *change, const struct sriov_error *undo,
			struct sriov_error *err)
{
	long journal = change->plan->journal;
	bool stuck = undo->status == SRIOV_STUCK;
	struct sriov_error ignored;

	err->status = stuck ? SRIOV_STUCK : SRIOV_INCOMPLETE;
	sriov_error_hint(err,
			 "and undoing failed: %s: %.200s; see `sriovctl journal show` "
			 "(journal %ld), then `journal undo` or `journal resume`",
			 undo->object, undo->message, journal);
	apply_journal_status(change, journal, stuck ? "stuck" : "incomplete", err->message,
			     &ignored);
	change->plan->status = err->status;
}

/*
 * A guest that lost a device and has it again has seen it go: that is made up for, not as if it had not been. Its
 * network driver started anew.
 */
static void note_compensated(struct change *change, const struct steps *steps)
{
	struct sriov_error ignored;

	for (size_t i = 0; i < steps->n; i++) {
		const struct step *step = &steps->at[i];

		if (step->kind != STEP_DEVICE || !step->live || step->state != SRIOV_STEP_DONE)
			continue;
		change_note(
			change, &ignored,
			step->on ? "compensated: %s had the device for a moment and has it no more"
				 : "compensated: %s lost the device for a moment and has it again",
			step->lease->guest);
	}
}

int change_fail(struct change *change, struct steps *steps, const struct pf_state *before,
		bool touched, int code, struct sriov_error *err)
{
	long journal = change->plan->journal;
	struct sriov_error undo = {0};
	size_t undone = 0;

	if (err->status == SRIOV_STUCK) {
		apply_journal_status(change, journal, "stuck", err->message, &undo);
		sriov_error_hint(err,
				 "the PF stays locked until the call returns; `sriovctl journal "
				 "show` names it (journal %ld)",
				 journal);
		change->plan->status = SRIOV_STUCK;
		return code;
	}
	if (touched && apply_undo(change, before, &undone, &undo) < 0) {
		undo_failed(change, &undo, err);
		return code;
	}
	note_compensated(change, steps);
	for (size_t i = 0; i < steps->n; i++)
		if (steps->at[i].state == SRIOV_STEP_DONE)
			steps->at[i].state = SRIOV_STEP_UNDONE;
	err->status = undone ? SRIOV_ROLLED_BACK : SRIOV_FAILED;
	/* If not even this can be written, the next change closes the journal: nothing is left to undo. */
	apply_undone_status(change, before, journal, err->message, &undo);
	change->plan->status = err->status;
	return code;
}

/* As the database has it, and not as the change wants it; of the libvirt that was named for it. */
static int recorded_lease(struct change *change, struct sriov_lease *lease, struct sriov_error *err)
{
	_free_ struct sriov_lease *list = NULL;
	char uri[sizeof(lease->uri)];
	size_t n = 0;
	int r = store_lease_list(change->store, change->pf->address, &list, &n, err);

	core_copy(uri, sizeof(uri), lease->uri);
	for (size_t i = 0; !r && i < n; i++) {
		if (list[i].id != lease->id)
			continue;
		*lease = list[i];
		core_copy(lease->uri, sizeof(lease->uri), uri);
	}
	return r;
}

int change_capture(struct change *change, struct pf_state *before, struct sriov_error *err)
{
	int r = state_capture(change->pf, &change->want, before, err);

	if (!r && before->net) {
		before->net->recorded = change->net_recorded;
		bridge_capture(change, before->net);
	}
	if (r < 0 || !before->guest)
		return r;
	before->guest->leased = before->guest->lease.id;
	if (before->guest->leased)
		r = recorded_lease(change, &before->guest->lease, err);
	if (!r)
		r = change_guest_there(change, before->guest, err);
	if (!r && before->other) {
		before->other->leased = false;
		r = change_guest_there(change, before->other, err);
	}
	if (r < 0)
		state_clear(before);
	return r;
}

/* Restore keeps what it could do: the rates wait for a link, in the intent, for the next restore. */
static bool only_rates_wait(const struct change *change, const struct steps *steps, size_t done)
{
	return change->keep_on_no_link && done < steps->n && steps->at[done].kind == STEP_LINK;
}

static int keep_without_rates(struct change *change, const struct pf_state *before,
			      struct sriov_error *err)
{
	struct pf_state now_wanted = {0};
	int r = state_merge(&now_wanted, &change->want, err);
	size_t pending = 0;

	for (size_t i = 0; i < now_wanted.nvf; i++) {
		pending += !!(now_wanted.vf[i].attrs.has & SRIOV_VF_RATE);
		now_wanted.vf[i].attrs.has &= ~SRIOV_VF_RATE;
	}
	if (!r)
		r = apply_verify(change, &now_wanted, err);
	state_clear(&now_wanted);
	if (!r)
		r = apply_commit(change, before, change->plan->journal, err);
	if (r < 0)
		return r;
	sriov_error_set(err, -ENOLINK, change->pf->netdev,
			"no link: the rates of %zu VFs are pending; everything else is restored",
			pending);
	sriov_error_hint(err, "when the link is up, run `sriovctl restore` again");
	sriov_error_status(err, SRIOV_INCOMPLETE);
	change->plan->status = SRIOV_INCOMPLETE;
	change->plan->journal = 0; /* it is closed: the intent itself remembers the rates */
	return -ENOLINK;
}

static int apply(struct change *change, struct steps *steps, struct sriov_error *err)
{
	struct pf_state before = {0};
	struct steps_result result = {0};
	struct sriov_error unused;
	bool no_link, kept;
	int r;

	if (!err)
		err = &unused;
	r = change_capture(change, &before, err);
	if (!r)
		r = open_journal(change, &before, steps->n, err);
	if (r < 0) {
		state_clear(&before);
		return r;
	}
	r = apply_steps(change, steps, change->plan->journal, &result, err);
	no_link = r == -ETIMEDOUT && only_rates_wait(change, steps, result.done);
	if (no_link)
		r = keep_without_rates(change, &before, err);
	if (!r)
		r = apply_verify(change, &change->want, err);
	if (!r)
		r = apply_commit(change, &before, change->plan->journal, err);
	kept = no_link && r == -ENOLINK;
	if (r < 0 && !kept)
		r = change_fail(change, steps, &before, result.touched, r, err);
	change_tell_states(change, steps);
	state_clear(&before);
	return r;
}

static int refuse_other_plan(struct change *change, struct sriov_error *err)
{
	sriov_error_set(err, -ESTALE, pf_label(change->pf),
			"the plan is not the one expected: its digest is %s, not %s",
			change->plan->digest, change->opts->expect);
	sriov_error_hint(err, "the host has changed since; look at --dry-run again");
	return sriov_error_status(err, SRIOV_REFUSED);
}

/* Pools are the database's, not the kernel's: no step, but said. */
static int note_pool(struct change *change, struct steps *steps, struct sriov_error *err)
{
	const char *pool = change->want.pool;

	for (unsigned i = 0; *pool && change->pf->vf && i < change->pf->vfs; i++)
		if (strcmp(change->pf->vf[i].pool, pool) != 0)
			return steps_note(steps, "the VFs go to pool %s", pool) < 0 ? core_oom(err)
										    : 0;
	if (*pool && !change->pf->vfs && steps_note(steps, "the VFs go to pool %s", pool) < 0)
		return core_oom(err);
	return 0;
}

/* Names, weights and the order of rules may change without a step, and are recorded all the same. */
static int note_list(struct change *change, struct steps *steps, struct sriov_error *err)
{
	if (steps->n || !(change->want.has & STATE_LIST) ||
	    state_same_list(&change->want, &change->intent))
		return 0;
	return steps_note(steps, "only the record changes: the rules' names, weights, owners or "
				 "order") < 0
		       ? core_oom(err)
		       : 0;
}

/*
 * Rules that the plan wipes and installs again belong to what is wanted, so that the readback and a
 * recovery miss them if they are not there.
 */
static int want_kept(struct change *change, const struct steps *steps, struct sriov_error *err)
{
	for (size_t i = 0; i < steps->n; i++) {
		const struct step *step = &steps->at[i];
		struct rule_state *rule;

		if (step->kind != STEP_RULE_INSERT)
			continue;
		rule = state_rule(&change->want, step->entry.loc);
		if (!rule)
			return core_oom(err);
		if (rule->present)
			continue;
		rule->present = rule->kept = true;
		rule->entry = step->entry;
	}
	return 0;
}

/* An RSS table of ours that a step resets comes back too. */
static int want_rss(struct change *change, struct steps *steps, struct sriov_error *err)
{
	const struct sriov_driver *driver = sriov_driver_find(change->pf->driver);
	bool resets = false;

	for (size_t i = 0; i < steps->n; i++)
		resets |= steps->at[i].hits_port || steps->at[i].kind == STEP_PF_UP;
	if (!resets || !driver || !(driver->traits & SRIOV_RESET_LOSES_RSS) ||
	    !(change->intent.has & STATE_RSS) || (change->want.has & STATE_RSS))
		return 0;
	if (state_set_rss(&change->want, change->intent.rss, change->intent.nrss) < 0)
		return core_oom(err);
	steps_clear(steps);
	return change_diff(change, &change->want, steps, err);
}

static int plan(struct change *change, struct steps *steps, struct sriov_error *err)
{
	int r = bridge_open(change, &change->want, err);

	if (!r)
		r = bridge_check(change, &change->want, err);
	if (!r)
		r = vlan_open(change, &change->want, err);
	if (!r)
		r = steps_check(change->inv, change->pf, &change->want, err);
	if (!r)
		r = change_diff(change, &change->want, steps, err);
	if (!r)
		r = want_rss(change, steps, err);
	if (!r)
		r = steps_check_rss(change->pf, &change->want, err);
	if (!r)
		r = steps_check_rules(change->pf, &change->want, steps, err);
	if (!r)
		r = want_kept(change, steps, err);
	if (!r)
		r = note_pool(change, steps, err);
	if (!r)
		r = note_list(change, steps, err);
	return r ? r : change_tell(change, steps, err);
}

int change_show(struct change *change, struct sriov_error *err)
{
	struct steps steps = {0};
	int r = plan(change, &steps, err);

	steps_clear(&steps);
	return r;
}

int change_plan(struct change *change, struct steps *steps, struct sriov_error *err)
{
	const struct sriov_options *opts = change->opts;
	int r = plan(change, steps, err);

	if (!r)
		r = steps_guard(change->pf, steps, opts->force, opts->disrupt_pf, err);
	if (!r && !opts->force)
		r = steps_guard_rules(change->pf, &change->intent, &change->want, steps, err);
	return r;
}

int change_run(struct change *change, struct sriov_error *err)
{
	const struct sriov_options *opts = change->opts;
	struct steps steps = {0};
	int r = change_plan(change, &steps, err);

	if (!r && opts->expect && strcmp(opts->expect, change->plan->digest) != 0)
		r = refuse_other_plan(change, err);
	if (!r && !opts->dry_run)
		r = steps.n ? apply(change, &steps, err) : apply_commit(change, NULL, 0, err);
	steps_clear(&steps);
	return r;
}

/* Steps of a probe, all done: the way back, without an error that asked for it. */
static int take_back(struct change *change, const struct pf_state *before, struct sriov_error *err)
{
	struct sriov_error undo = {0};
	size_t undone;
	int r = apply_undo(change, before, &undone, &undo);

	if (!r)
		return apply_journal_status(change, change->plan->journal, "undone", NULL, err);
	sriov_error_set(err, r, pf_label(change->pf), "probed, but the port is not as it was");
	undo_failed(change, &undo, err);
	return r;
}

static int apply_undone(struct change *change, struct steps *steps, struct sriov_error *err)
{
	struct pf_state before = {0};
	struct steps_result result = {0};
	struct sriov_error unused;
	int r;

	if (!err)
		err = &unused;
	change->want.passing = true;
	r = change_capture(change, &before, err);
	if (!r)
		r = open_journal(change, &before, steps->n, err);
	if (!r) {
		r = apply_steps(change, steps, change->plan->journal, &result, err);
		r = r ? change_fail(change, steps, &before, result.touched, r, err)
		      : take_back(change, &before, err);
		change_tell_states(change, steps);
	}
	state_clear(&before);
	return r;
}

int change_run_undone(struct change *change, struct steps *steps, struct sriov_error *err)
{
	const struct sriov_options *opts = change->opts;
	int r = change_tell(change, steps, err);

	if (!r && opts->expect && strcmp(opts->expect, change->plan->digest) != 0)
		r = refuse_other_plan(change, err);
	return r || opts->dry_run ? r : apply_undone(change, steps, err);
}
