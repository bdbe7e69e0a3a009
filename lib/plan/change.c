/* SPDX-License-Identifier: Apache-2.0 */
/* A change from its opening to its end: see change.h. */
#include "lib/plan/change.h"
#include "lib/plan/lock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define DEFAULT_TIMEOUT 30

static const char *command_of(const struct change *change)
{
	return change->opts->command ? change->opts->command : "libsriov";
}

void change_assume_unreported(struct change *change, const struct pf_state *believed)
{
	const struct sriov_driver *driver = sriov_driver_find(change->pf->driver);

	if (!driver || !(driver->traits & SRIOV_VF_REPORTS_NO_LINK_STATE) || !change->pf->vf)
		return;
	for (unsigned i = 0; i < change->pf->vfs; i++) {
		struct sriov_vf *now = &change->pf->vf[i];
		const struct vf_state *vf = state_find_vf(believed, now->index);

		if ((now->attrs.has & SRIOV_VF_LINK) || !vf || !(vf->attrs.has & SRIOV_VF_LINK))
			continue;
		now->attrs.has |= SRIOV_VF_LINK;
		now->attrs.link = vf->attrs.link;
	}
}

/* Pools and leases, and how many leases there were. */
static int join(struct change *change, struct sriov_inventory *inv, struct sriov_error *err)
{
	_free_ struct sriov_lease *lease = NULL;
	int r = store_lease_list(change->store, change->pf->address, &lease, &change->nleases, err);

	return r ? r : store_join(change->store, inv, err);
}

int change_read(struct change *change, struct sriov_error *err)
{
	struct sriov_inventory *inv = NULL;
	int r = host_read(change->host, change->pf->address, change->what, &inv, err);

	if (!r && change->store && (change->what & SRIOV_READ_USERS))
		r = join(change, inv, err);
	if (r < 0) {
		sriov_inventory_free(inv);
		return r;
	}
	sriov_inventory_free(change->inv);
	change->inv = inv;
	change->pf = &inv->pf[0];
	change_assume_unreported(change, &change->intent);
	return 0;
}

static int load_known(struct change *change, struct sriov_error *err)
{
	char then[SRIOV_MAC_LEN], now[SRIOV_MAC_LEN];
	int r;

	store_pf_clear(&change->known);
	state_clear(&change->intent);
	core_copy(change->known.address, sizeof(change->known.address), change->pf->address);
	memcpy(change->known.perm_mac, change->pf->perm_mac, 6);
	if (!change->store)
		return 0;
	r = store_pf_get(change->store, change->pf->address, &change->known, err);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (memcmp(change->known.perm_mac, change->pf->perm_mac, 6) != 0) {
		sriov_error_set(err, -ESTALE, pf_label(change->pf),
				"another card is in this slot: its permanent MAC was %s and is %s",
				sriov_mac_format(change->known.perm_mac, then),
				sriov_mac_format(change->pf->perm_mac, now));
		sriov_error_hint(err,
				 "what was recorded for the old card does not apply; move "
				 "%s/state.db away to start anew",
				 change->host->state_dir);
		return sriov_error_status(err, SRIOV_REFUSED);
	}
	return change->known.intent ? state_decode(change->known.intent, &change->intent, err) : 0;
}

static int take_lock(struct change *change, struct sriov_error *err)
{
	const struct host_ops *ops = change->host->ops;
	unsigned timeout = change->opts->lock_timeout;
	int r = lock_pf(change->host, change->pf->address, command_of(change),
			timeout ? timeout : DEFAULT_TIMEOUT, recover_stuck, err);

	if (r || !ops->hangs || !ops->hangs(change->host, change->pf))
		return r;
	r = recover_stuck(change->host, change->pf->address, err);
	if (r < 0)
		return r;
	sriov_error_set(err, -EBUSY, pf_label(change->pf), "a call still hangs in the kernel");
	return sriov_error_status(err, SRIOV_STUCK);
}

int change_open_unrecovered(struct change *change, struct sriov_host *host, const char *pf,
			    unsigned what, const struct sriov_options *opts,
			    struct sriov_error *err)
{
	int r;

	*change = (struct change){.host = host, .opts = opts, .what = what};
	change->plan = calloc(1, sizeof(*change->plan));
	if (!change->plan)
		return core_oom(err);
	r = host_read(host, pf, 0, &change->inv, err);
	if (r < 0)
		return r;
	change->pf = &change->inv->pf[0];
	core_copy(change->plan->pf, sizeof(change->plan->pf), change->pf->address);
	if (!opts->dry_run)
		r = take_lock(change, err);
	if (!r)
		r = store_get(host, !opts->dry_run, &change->store, err);
	return r ? r : load_known(change, err);
}

int change_open(struct change *change, struct sriov_host *host, const char *pf, unsigned what,
		const struct sriov_options *opts, struct sriov_error *err)
{
	int r = change_open_unrecovered(change, host, pf, what, opts, err);

	if (!r && !opts->dry_run)
		r = recover_pf(change, RECOVER_AUTO, err);
	return r ? r : change_read(change, err);
}

void change_close(struct change *change)
{
	sriov_inventory_free(change->inv);
	store_pf_clear(&change->known);
	state_clear(&change->intent);
	state_clear(&change->want);
	sriov_plan_free(change->plan);
	*change = (struct change){0};
}

void change_give_plan(struct change *change, struct sriov_plan **plan)
{
	*plan = core_steal(change->plan);
}

SRIOV_EXPORT void sriov_plan_free(struct sriov_plan *plan)
{
	while (plan) {
		struct sriov_plan *next = plan->next;

		for (size_t i = 0; i < plan->nnotes; i++)
			free(plan->note[i]);
		free(plan->note);
		free(plan->step);
		free(plan);
		plan = next;
	}
}

int change_tell(struct change *change, struct steps *steps, struct sriov_error *err)
{
	struct sriov_plan *plan = change->plan;
	uint64_t digest = CORE_HASH_SEED;

	free(plan->step);
	plan->nsteps = 0;
	plan->step = calloc(steps->n + 1, sizeof(*plan->step));
	if (!plan->step)
		return core_oom(err);
	plan->nsteps = steps->n;
	for (size_t i = 0; i < steps->n; i++) {
		struct sriov_step_text *text = &plan->step[i];

		step_describe(change->pf, &steps->at[i], text);
		digest = core_hash(digest, text->what, strlen(text->what) + 1);
	}
	snprintf(plan->digest, sizeof(plan->digest), "%016llx", (unsigned long long)digest);
	for (; steps->nnotes; steps->nnotes--) {
		char **slot = core_grow(&plan->note, &plan->nnotes, sizeof(*slot));

		if (!slot)
			return core_oom(err);
		*slot = steps->note[steps->nnotes - 1];
	}
	return 0;
}

void change_tell_states(struct change *change, const struct steps *steps)
{
	for (size_t i = 0; i < steps->n && i < change->plan->nsteps; i++)
		change->plan->step[i].state = steps->at[i].state;
}

/* Leases are made without the PF's lock; from this transaction on the open journal keeps new ones away. */
static int check_leases(struct change *change, struct sriov_error *err)
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

static int open_journal(struct change *change, const struct pf_state *before, size_t nsteps,
			struct sriov_error *err)
{
	struct store_journal journal = {0};
	int r = state_encode(before, &journal.before, err);

	if (!r)
		r = state_encode(&change->want, &journal.want, err);
	if (!r &&
	    !(journal.steps = core_printf("%zu steps, digest %s", nsteps, change->plan->digest)))
		r = core_oom(err);
	core_copy(journal.row.pf, sizeof(journal.row.pf), change->pf->address);
	core_copy(journal.row.command, sizeof(journal.row.command), command_of(change));
	core_copy(journal.row.status, sizeof(journal.row.status), "open");
	core_copy(journal.boot_id, sizeof(journal.boot_id), change->inv->boot_id);
	core_now(journal.row.started);
	journal.row.steps = nsteps;
	if (!r)
		r = store_begin(change->store, STORE_DURABLE, err);
	if (!r)
		r = check_leases(change, err);
	if (!r)
		r = store_journal_insert(change->store, &journal, err);
	if (!r)
		r = store_commit(change->store, err);
	store_rollback(change->store);
	change->plan->journal = r ? 0 : journal.row.id;
	store_journal_clear(&journal);
	return r;
}

/* A change that failed after its journal was opened: the old state comes back, or the reason why not. */
static int fail(struct change *change, struct steps *steps, const struct pf_state *before,
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
		bool stuck = undo.status == SRIOV_STUCK;

		err->status = stuck ? SRIOV_STUCK : SRIOV_INCOMPLETE;
		sriov_error_hint(err,
				 "and undoing failed: %s: %.200s; see `sriovctl journal show` "
				 "(journal %ld), then `journal undo` or `journal resume`",
				 undo.object, undo.message, journal);
		apply_journal_status(change, journal, stuck ? "stuck" : "incomplete", err->message,
				     &undo);
		change->plan->status = err->status;
		return code;
	}
	for (size_t i = 0; i < steps->n; i++)
		if (steps->at[i].state == SRIOV_STEP_DONE)
			steps->at[i].state = SRIOV_STEP_UNDONE;
	err->status = undone ? SRIOV_ROLLED_BACK : SRIOV_FAILED;
	/* If not even this can be written, the next change closes the journal: nothing is left to undo. */
	apply_journal_status(change, journal, "undone", err->message, &undo);
	change->plan->status = err->status;
	return code;
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
	int r;

	if (!err)
		err = &unused;
	r = state_capture(change->pf, &change->want, &before, err);
	if (!r)
		r = open_journal(change, &before, steps->n, err);
	if (r < 0) {
		state_clear(&before);
		return r;
	}
	r = apply_steps(change, steps, change->plan->journal, &result, err);
	if (r == -ETIMEDOUT && only_rates_wait(change, steps, result.done)) {
		r = keep_without_rates(change, &before, err);
	} else {
		if (!r)
			r = apply_verify(change, &change->want, err);
		if (!r)
			r = apply_commit(change, &before, change->plan->journal, err);
		if (r < 0)
			r = fail(change, steps, &before, result.touched, r, err);
	}
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

static int plan(struct change *change, struct steps *steps, struct sriov_error *err)
{
	int r = steps_check(change->inv, change->pf, &change->want, err);

	if (!r)
		r = steps_diff(change->pf, &change->want, steps, err);
	if (!r)
		r = steps_check_rules(change->pf, &change->want, steps, err);
	if (!r)
		r = want_kept(change, steps, err);
	if (!r)
		r = note_pool(change, steps, err);
	return r ? r : change_tell(change, steps, err);
}

int change_show(struct change *change, struct sriov_error *err)
{
	struct steps steps = {0};
	int r = plan(change, &steps, err);

	steps_clear(&steps);
	return r;
}

int change_run(struct change *change, struct sriov_error *err)
{
	const struct sriov_options *opts = change->opts;
	struct steps steps = {0};
	int r = plan(change, &steps, err);

	if (!r)
		r = steps_guard(change->pf, &steps, opts->force, opts->disrupt_pf, err);
	if (!r && opts->expect && strcmp(opts->expect, change->plan->digest) != 0)
		r = refuse_other_plan(change, err);
	if (!r && !opts->dry_run)
		r = steps.n ? apply(change, &steps, err) : apply_commit(change, NULL, 0, err);
	steps_clear(&steps);
	return r;
}
