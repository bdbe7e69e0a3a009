/* SPDX-License-Identifier: Apache-2.0 */
/* Running steps, reading back, undoing, committing: what a change and its recovery share. */
#include "lib/guest/guest.h"
#include "lib/plan/change.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define DEFAULT_TIMEOUT_MS 30000
#define MARK_EVERY_MS                                                                              \
	1000 /* progress is only for `journal show`; more often costs more than it tells */

int64_t apply_timeout_ms(unsigned seconds)
{
	return seconds ? (int64_t)seconds * 1000 : DEFAULT_TIMEOUT_MS;
}

/* Looked at with every step, where some milliseconds do not count: the exact clock may be a call of the kernel. */
static int64_t coarse_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Progress marks are not durable, and a mark that fails changes nothing: recovery reads the host back. */
static void mark(struct change *change, long journal, size_t done, int64_t *last)
{
	int64_t now = coarse_ms();
	struct sriov_error ignored;

	if (!journal || now - *last < MARK_EVERY_MS)
		return;
	*last = now;
	if (!store_begin(change->store, STORE_MARK, &ignored) &&
	    !store_journal_mark(change->store, journal, done, &ignored))
		store_commit(change->store, &ignored);
	store_rollback(change->store);
}

static bool waits_for_link(const struct steps *steps)
{
	for (size_t i = 0; i < steps->n; i++)
		if (steps->at[i].kind == STEP_LINK)
			return true;
	return false;
}

/*
 * A driver that learns after the insert that the NIC had no room keeps the rule in its list until it looks
 * again, which it does at every DEL (i40e_fdir_check_and_reenable()), also at one of a location that there is
 * not. Flexible rules forbid it: a DEL makes the driver forget their offsets (i40e_prune_flex_pit_list()).
 */
static void settle_rules(struct change *change, const struct steps *steps)
{
	struct sriov_error ignored;
	bool inserts = false;

	for (size_t i = 0; i < steps->n; i++) {
		if (steps->at[i].kind != STEP_RULE_INSERT)
			continue;
		inserts = true;
		if (steps->at[i].entry.mask.user_def)
			return;
	}
	if (inserts && change->nowhere)
		change->host->ops->rule_delete(change->host, change->pf, change->nowhere, &ignored);
}

int apply_steps(struct change *change, struct steps *steps, long journal,
		struct steps_result *result, struct sriov_error *err)
{
	struct step_context ctx = {
		.host = change->host,
		.inv = &change->inv,
		.kernel_ms = apply_timeout_ms(change->opts->kernel_timeout),
		.link_ms = apply_timeout_ms(change->opts->link_timeout),
		.guest_ms = apply_timeout_ms(change->opts->guest_timeout),
		.interrupted = change->opts->interrupted,
	};
	int64_t last = coarse_ms();
	int r = 0;

	*result = (struct steps_result){0};
	/* before the first effect, so that no event of it is missed */
	if (waits_for_link(steps))
		r = change->host->ops->watch(change->host, err);
	for (size_t i = 0; !r && i < steps->n; i++) {
		result->touched = true;
		r = step_run(&ctx, &steps->at[i], err);
		change->pf = &change->inv->pf[0];
		steps->at[i].state = r ? SRIOV_STEP_FAILED : SRIOV_STEP_DONE;
		result->done = i + !r;
		mark(change, journal, result->done, &last);
	}
	if (!r)
		settle_rules(change, steps);
	return r;
}

/* Rules that the NIC had no room for, as far as the driver tells afterwards. */
static int tell_lost(struct change *change, const struct steps *left, const struct step *first,
		     struct sriov_error *err)
{
	const struct sriov_driver *driver = sriov_driver_find(change->pf->driver);
	bool late = driver && (driver->traits & SRIOV_RULES_LOST_LATE);
	char words[256] = "";
	size_t n = 0;

	for (size_t i = 0; i < left->n; i++)
		n += left->at[i].kind == STEP_RULE_INSERT;
	sriov_entry_format(&first->entry, words, sizeof(words));
	sriov_error_set(
		err, late ? -ENOSPC : -EIO, pf_label(change->pf),
		"the driver accepted rule %s, but it is not in the table: location %u, %s%s",
		first->name, first->entry.loc, words, n > 1 ? " (and others)" : "");
	if (late)
		return sriov_error_hint(
			err,
			"the NIC had no room (%s reports that asynchronously): its table "
			"is shared with the other PFs and with ATR; use fewer rules, or "
			"mark some `optional` and pass --partial",
			driver->name);
	return sriov_error_hint(err,
				"something else deletes rules of this PF, or its driver takes "
				"them without effect: the kernel log may say more: dmesg | tail");
}

static int tell_missing(struct change *change, const struct steps *left, struct sriov_error *err)
{
	size_t first = left->n > 1 && left->at[0].kind == STEP_LINK;
	struct sriov_step_text text;

	if (left->at[first].kind == STEP_RULE_INSERT)
		return tell_lost(change, left, &left->at[first], err);
	step_describe(change->pf, &left->at[first], &text);
	sriov_error_set(err, -EIO, change->pf->address,
			"the kernel accepted everything, but reading back shows that this is "
			"missing: %s%s",
			text.what, left->n > first + 1 ? " (and more)" : "");
	return sriov_error_hint(
		err, "something else changes this PF at the same time, or its driver takes "
		     "the value without effect: see `sriovctl host show` and dmesg");
}

int apply_verify(struct change *change, const struct pf_state *want, struct sriov_error *err)
{
	struct steps left = {0};
	unsigned what = change->what;
	int r;

	/* who uses what has not changed by what we did, and is dear to find out */
	change->what &= ~(SRIOV_READ_USES | SRIOV_READ_USERS | SRIOV_READ_NODES);
	r = change_read(change, err);
	change->what = what;
	if (r < 0)
		return r;
	change_assume_unreported(change, want);
	r = change_diff(change, want, &left, err);
	if (!r && left.n)
		r = tell_missing(change, &left, err);
	steps_clear(&left);
	return r;
}

int apply_undo(struct change *change, const struct pf_state *before, size_t *undone,
	       struct sriov_error *err)
{
	/* a signal that made us undo must not stop the undoing */
	struct sriov_options opts = *change->opts;
	const struct sriov_options *asked = change->opts;
	struct steps_result result;
	struct steps steps = {0};
	int r;

	opts.interrupted = NULL;
	change->opts = &opts;
	r = change_read(change, err);
	if (!r)
		r = change_diff(change, before, &steps, err);
	if (!r && steps.n)
		r = apply_steps(change, &steps, 0, &result, err);
	if (!r && steps.n)
		r = apply_verify(change, before, err);
	change->opts = asked;
	*undone = steps.n;
	steps_clear(&steps);
	return r;
}

int apply_journal_status(struct change *change, long journal, const char *status, const char *why,
			 struct sriov_error *err)
{
	int r = store_begin(change->store, STORE_DURABLE, err);

	if (!r)
		r = store_journal_status(change->store, journal, status, why, err);
	if (!r)
		r = store_commit(change->store, err);
	store_rollback(change->store);
	return r;
}

int apply_undone_status(struct change *change, const struct pf_state *before, long journal,
			const char *why, struct sriov_error *err)
{
	const struct guest_state *guest = before->guest;
	int r = store_begin(change->store, STORE_DURABLE, err);

	if (!r && guest && !guest->leased && guest->lease.id)
		r = store_lease_delete(change->store, guest->lease.id, guest->lease.generation,
				       err);
	if (!r || r == -ENOENT)
		r = store_journal_status(change->store, journal, "undone", why, err);
	if (!r)
		r = store_commit(change->store, err);
	store_rollback(change->store);
	return r;
}

/* What stood before our first change, so that deleting can put it back. */
static int remember_found(struct change *change, const struct pf_state *before,
			  struct sriov_error *err)
{
	struct pf_state found = {.has = STATE_UP | STATE_AUTOPROBE | STATE_NTUPLE};

	if (change->known.found)
		return 0;
	core_copy(found.address, sizeof(found.address), change->pf->address);
	found.up = (before->has & STATE_UP) ? before->up : change->pf->up;
	found.autoprobe = (before->has & STATE_AUTOPROBE) ? before->autoprobe
							  : change->pf->autoprobe;
	found.ntuple = (before->has & STATE_NTUPLE) ? before->ntuple
						    : change->pf->ntuple == SRIOV_NTUPLE_ON;
	return state_encode(&found, &change->known.found, err);
}

static int commit_vfs(struct change *change, const struct pf_state *before, struct sriov_error *err)
{
	const struct pf_state *want = &change->want;
	const char *pf = change->pf->address;
	int r = 0;

	if (!(want->has & STATE_COUNT))
		return 0;
	if (!want->count) {
		r = store_lease_drop_pf(change->store, pf, err);
		return r ? r : store_pool_clear(change->store, pf, err);
	}
	if (before && !before->count) {
		change->known.epoch++;
		r = store_lease_epoch(change->store, pf, change->known.epoch, want->count, err);
	}
	if (!r && want->pool[0]) {
		r = store_pool_clear(change->store, pf, err);
		if (!r)
			r = store_pool_set(change->store, pf, 0, want->count - 1, want->pool, err);
	}
	return r;
}

static int commit_pools(struct change *change, struct sriov_error *err)
{
	const struct pf_state *want = &change->want;
	const char *pf = change->pf->address;
	int r;

	if (!want->has_pools)
		return 0;
	r = store_pool_clear(change->store, pf, err);
	for (size_t i = 0; !r && i < want->npools; i++)
		r = store_pool_set(change->store, pf, want->pools[i].first, want->pools[i].last,
				   want->pools[i].name, err);
	return r;
}

/* What the guest holds from now on. */
static int commit_lease(struct change *change, struct sriov_error *err)
{
	struct guest_state *guest = change->want.guest;
	const char *state;
	int r = 0;

	for (size_t i = 0; !r && i < change->ntake; i++)
		r = store_lease_insert(change->store, &change->take[i], err);
	if (r < 0 || !guest)
		return r;
	if (!guest->leased) {
		r = guest->lease.id ? store_lease_delete(change->store, guest->lease.id,
							 guest->lease.generation, err)
				    : 0;
		return r == -ENOENT ? 0 : r;
	}
	if (!guest->lease.id)
		return store_lease_insert(change->store, &guest->lease, err);
	state = guest->there[VIRT_LIVE]                  ? "active"
		: !strcmp(guest->lease.state, "adopted") ? "adopted"
							 : "reserved";
	core_copy(guest->lease.state, sizeof(guest->lease.state), state);
	r = store_lease_put(change->store, &guest->lease, err);
	if (r == -ENOENT)
		sriov_error_set(err, r, guest->lease.guest,
				"its lease %ld was ended by another command meanwhile",
				guest->lease.id);
	return r;
}

/* The network as it is recorded from now on; its bridge's parts are as @want says. */
static int commit_net(struct change *change, struct sriov_error *err)
{
	const struct net_state *net = change->want.net;
	struct sriov_physnet gone = {0};
	struct sriov_vfset uplink = {0};
	int r = 0;

	if (!net)
		return 0;
	core_copy(gone.name, sizeof(gone.name), net->net.name);
	if (net->net.uplink == SRIOV_UPLINK_VF) {
		sriov_vfset_add(&uplink, net->net.uplink_vf);
		r = store_pool_put(change->store, net->net.uplink_pf, &uplink,
				   net->recorded ? "uplink" : GUEST_POOL, err);
	}
	return r ? r : store_physnet_put(change->store, net->recorded ? &net->net : &gone, err);
}

static bool is_empty(const struct pf_state *state)
{
	return !state->count && !state->nvf && !state->nrules && !(state->has & ~STATE_COUNT);
}

/* What the intent will be, into @merged, and its text (NULL: there is none any more). */
static int merge_intent(const struct change *change, struct pf_state *merged, char **text,
			struct sriov_error *err)
{
	struct state_text written;
	int r;

	*text = NULL;
	if (change->want.replaces) {
		const char *record = change->want.record;

		*text = record ? strdup(record) : NULL;
		return record && !*text ? core_oom(err) : 0;
	}
	r = state_merge(merged, &change->intent, err);
	if (!r)
		r = state_merge(merged, &change->want, err);
	if (r < 0 || is_empty(merged))
		return r;
	/* what stays as it is is not written out anew: of thousands of rules that takes long */
	if (change->known.intent && state_same(merged, &change->intent)) {
		*text = strdup(change->known.intent);
		return *text ? 0 : core_oom(err);
	}
	r = state_write(merged, &change->want, change->told.text ? &change->told : NULL, &written,
			err);
	if (!r)
		*text = written.text;
	return r;
}

int apply_intent_text(const struct change *change, char **text, struct sriov_error *err)
{
	struct pf_state merged = {0};
	int r = merge_intent(change, &merged, text, err);

	state_clear(&merged);
	return r;
}

/* The intent as it will be recorded goes into @text; what stood before our first change is remembered. */
static int prepare_commit(struct change *change, const struct pf_state *before, char **text,
			  struct sriov_error *err)
{
	int r = before ? remember_found(change, before, err) : 0;

	if (!r)
		r = apply_intent_text(change, text, err);
	/* nothing of ours is left: the next change finds the PF anew */
	if (!r && !*text)
		free(core_steal(change->known.found));
	return r;
}

/* All that a commit writes; @text is taken over. */
static int write_commit(struct change *change, const struct pf_state *before, long journal,
			char *text, struct sriov_error *err)
{
	int r;

	free(change->known.intent);
	change->known.intent = text;
	r = commit_vfs(change, before, err);
	/* of the VF of an uplink that goes the pool may be said besides */
	if (!r)
		r = commit_net(change, err);
	if (!r)
		r = commit_pools(change, err);
	if (!r)
		r = commit_lease(change, err);
	if (!r)
		r = store_pf_put(change->store, &change->known, err);
	if (!r && journal)
		r = store_journal_status(change->store, journal, "committed", NULL, err);
	return r;
}

int apply_commit_part(struct change *change, const struct pf_state *before, long journal,
		      struct sriov_error *err)
{
	char *text = NULL;
	int r = prepare_commit(change, before, &text, err);

	return r ? r : write_commit(change, before, journal, text, err);
}

static int commit(struct change *change, const struct pf_state *before, long journal,
		  struct sriov_error *err)
{
	char *text = NULL;
	int r = prepare_commit(change, before, &text, err);

	if (r < 0)
		return r;
	if (!journal && !change->want.guest && !change->want.net && !change->ntake &&
	    !strcmp(change->known.intent ?: "", text ?: "")) {
		free(text);
		return 0;
	}
	r = store_begin(change->store, STORE_DURABLE, err);
	if (r < 0) {
		free(text);
		return r;
	}
	r = write_commit(change, before, journal, text, err);
	return r ? r : store_commit(change->store, err);
}

int apply_commit(struct change *change, const struct pf_state *before, long journal,
		 struct sriov_error *err)
{
	int r = commit(change, before, journal, err);

	store_rollback(change->store);
	return r;
}
