/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a change, reading its PF, telling its plan: see change.h. */
#include "lib/plan/change.h"
#include "flows/flows.h"
#include "lib/guest/choose.h"
#include "lib/plan/bridge.h"
#include "lib/plan/lock.h"
#include "lib/plan/ruleset.h"
#include "lib/plan/vlan.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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

void change_leave_libvirts(struct change *change)
{
	for (size_t i = 0; i < change->want.nvf; i++) {
		struct vf_state *vf = &change->want.vf[i];
		const struct sriov_vf *now = pf_vf(change->pf, vf->index);

		for (size_t u = 0; now && u < now->uses.n; u++) {
			if (!now->uses.at[u].libvirt_net)
				continue;
			vf->attrs.has &= ~(SRIOV_VF_MAC | SRIOV_VF_VLAN);
			vf->has_driver = false;
		}
	}
}

/* Pools and leases, and how many leases there were. */
static int join(struct change *change, struct sriov_inventory *inv, struct sriov_error *err)
{
	_free_ struct sriov_lease *lease = NULL;
	int r = store_lease_list(change->store, change->pf->address, &lease, &change->nleases, err);

	return r ? r : store_join(change->store, inv, err);
}

/* See settle_rules() in apply.c: behind the table, unless it has flexible rules. */
static void find_nowhere(struct change *change)
{
	const struct sriov_driver *driver = sriov_driver_find(change->pf->driver);
	bool late = driver && (driver->traits & SRIOV_RULES_LOST_LATE);

	if (!(change->what & SRIOV_READ_RULES))
		return;
	change->nowhere = late ? change->pf->rules_max : 0;
	for (size_t i = 0; i < change->pf->nrules; i++)
		if (change->pf->rules[i].mask.user_def)
			change->nowhere = 0;
}

/*
 * Whether all that the driver remembers of rules is known: the table of this instance of it was empty when we
 * saw it first, or is emptied, and what is remembered besides with it, by ntuple being off.
 */
static int find_watched(struct change *change, struct sriov_error *err)
{
	const struct sriov_driver *driver = sriov_driver_find(change->pf->driver);
	struct store_pf *known = &change->known;
	char instance[STORE_INSTANCE];

	if (!(change->what & SRIOV_READ_RULES) || !change->pf->ifindex)
		return 0;
	store_instance(change->inv, change->pf, instance);
	if (!known->seen || strcmp(known->seen, instance) != 0) {
		free(known->seen);
		known->seen = strdup(instance);
		if (!known->seen)
			return core_oom(err);
		known->watched = !change->pf->nrules;
	}
	if (driver && (driver->traits & SRIOV_NTUPLE_OFF_FORGETS) &&
	    change->pf->ntuple == SRIOV_NTUPLE_OFF)
		known->watched = true;
	change->pf->watched |= known->watched;
	return 0;
}

/* A port without the kernel's driver tells no MAC: it is taken for the card that was there. */
static void know_mac(struct change *change)
{
	if (sriov_mac_is_zero(change->pf->perm_mac))
		memcpy(change->pf->perm_mac, change->known.perm_mac, 6);
}

int change_read(struct change *change, struct sriov_error *err)
{
	bool fresh = change->fresh && change->fresh == change->what;
	struct sriov_inventory *inv = fresh ? change->inv : NULL;
	int r = fresh ? 0 : host_read(change->host, change->pf->address, change->what, &inv, err);

	change->fresh = 0;
	if (!r && change->store && (change->what & SRIOV_READ_USERS))
		r = join(change, inv, err);
	if (r < 0) {
		if (!fresh)
			sriov_inventory_free(inv);
		return r;
	}
	if (!fresh)
		sriov_inventory_free(change->inv);
	change->inv = inv;
	change->pf = &inv->pf[0];
	know_mac(change);
	find_nowhere(change);
	change_assume_unreported(change, &change->intent);
	r = find_watched(change, err);
	if (change->want.self[0])
		change_drop_self(change);
	bridge_drop_uses(change);
	if (!r && change->bridge)
		r = bridge_read(change, err);
	if (!r && change->vlans)
		r = vlan_read(change, err);
	return r || !change->want.guest ? r : change_read_guest(change, change->want.guest, err);
}

/* Moves what @from has to the end of @to. */
static int append_steps(struct steps *to, struct steps *from, struct sriov_error *err)
{
	for (size_t i = 0; i < from->n; i++) {
		struct step *step = core_grow(&to->at, &to->n, sizeof(*step));

		if (!step)
			return core_oom(err);
		*step = from->at[i];
	}
	for (size_t i = 0; i < from->nnotes; i++) {
		char **note = core_grow(&to->note, &to->nnotes, sizeof(*note));

		if (!note)
			return core_oom(err);
		*note = core_steal(from->note[i]);
	}
	steps_clear(from);
	return 0;
}

/* ---- in which order the parts of a change come ---- */

enum part { PORT, GUEST_OFF, GUEST_ON, BRIDGE_OFF, BRIDGE_ON, PARTS };

/* What stands on something goes before it, and comes after it. */
static const enum part in_general[PARTS] = {GUEST_OFF, BRIDGE_OFF, PORT, BRIDGE_ON, GUEST_ON};
/* A pair has its port all the time: the side that it leaves carries its frames until the other one does. */
static const enum part pair_to_vf[PARTS] = {PORT, GUEST_ON, BRIDGE_OFF, BRIDGE_ON, GUEST_OFF};
static const enum part pair_to_port[PARTS] = {BRIDGE_OFF, BRIDGE_ON, GUEST_ON, GUEST_OFF, PORT};

static const enum part *order_of(const struct change *change, const struct pf_state *want)
{
	/* without its port the guest would freeze on what is attached to it */
	if (!change_is_pair(want) || !change->bridge ||
	    !bridge_port(change->bridge, guest_lease_port(&want->guest->lease)))
		return in_general;
	return want->guest->lease.vf >= 0 ? pair_to_vf : pair_to_port;
}

/* Of the port; a rule that makes room for another at its location goes by its own name. */
static int port_steps(struct change *change, const struct pf_state *want, struct steps *steps,
		      struct sriov_error *err)
{
	int r = steps_diff(change->pf, want, steps, err);

	for (size_t i = 0; !r && i < steps->n; i++) {
		struct step *step = &steps->at[i];
		const struct rule_state *to = state_find_rule(want, step->entry.loc);
		const struct rule_state *ours = state_find_rule(&change->intent, step->entry.loc);

		if (step->kind == STEP_RULE_DELETE && to && to->present && ours && ours->present &&
		    sriov_entry_same(&ours->entry, &step->entry))
			core_copy(step->name, sizeof(step->name), ours->name);
	}
	return r;
}

static int part_of(struct change *change, const struct pf_state *want, enum part part,
		   struct steps *steps, struct sriov_error *err)
{
	int r;

	switch (part) {
	case GUEST_OFF:
	case GUEST_ON:
		return change_guest_steps(change, want, part == GUEST_ON, steps, err);
	case BRIDGE_OFF:
	case BRIDGE_ON:
		r = vlan_steps(change, want, part == BRIDGE_ON, steps, err);
		return r ? r : bridge_steps(change, want, part == BRIDGE_ON, steps, err);
	default:
		return port_steps(change, want, steps, err);
	}
}

int change_diff(struct change *change, const struct pf_state *want, struct steps *steps,
		struct sriov_error *err)
{
	const enum part *order = order_of(change, want);
	struct steps all = {0}, port = {0};
	int r = 0;

	if (!want->guest && !change->bridge && !change->vlans)
		return port_steps(change, want, steps, err);
	for (unsigned i = 0; !r && i < PARTS; i++) {
		/* those of the port are not added to what is there, but take its place */
		r = part_of(change, want, order[i], order[i] == PORT ? &port : &all, err);
		if (!r && order[i] == PORT)
			r = append_steps(&all, &port, err);
	}
	steps_clear(&port);
	if (r < 0)
		steps_clear(&all);
	else
		*steps = all;
	return r;
}

/* Records of before there were lists of rules get one; what a driver reads back otherwise is repaired. */
static int load_intent(struct change *change, struct sriov_error *err)
{
	const struct nic_profile *profile = nic_profile_find(change->pf->driver);
	struct pf_state *intent = &change->intent;
	int r = change->known.intent ? state_decode(change->known.intent, intent, err) : 0;

	for (size_t i = 0; !r && i < intent->nrules; i++)
		nic_profile_readback(profile, &intent->rule[i].entry);
	if (!r && intent->nrules && !(intent->has & STATE_LIST) && ruleset_derive(intent) < 0)
		r = core_oom(err);
	if (!r && (intent->has & STATE_RSS))
		change->what |= SRIOV_READ_RSS;
	return r;
}

int change_load(struct change *change, struct sriov_error *err)
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
	know_mac(change);
	/* first seen without its driver */
	if (sriov_mac_is_zero(change->known.perm_mac))
		memcpy(change->known.perm_mac, change->pf->perm_mac, 6);
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
	return load_intent(change, err);
}

/* The error of a PF whose last holder hangs in the kernel; 0 if the journal knows of none. */
static int stuck(struct sriov_host *host, const char *address, struct sriov_error *err)
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

static int take_lock(struct change *change, struct sriov_error *err)
{
	const struct host_ops *ops = change->host->ops;
	int r = lock_pf(change->host, change->pf->address, change_command(change),
			change_lock_timeout(change), stuck, err);

	if (r || !ops->hangs || !ops->hangs(change->host, change->pf))
		return r;
	r = stuck(change->host, change->pf->address, err);
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
	/* nothing is locked in a dry run, so what is read now need not be read again then */
	change->fresh = opts->dry_run ? what : 0;
	r = host_read(host, pf, change->fresh, &change->inv, err);
	if (r < 0)
		return r;
	change->pf = &change->inv->pf[0];
	core_copy(change->plan->pf, sizeof(change->plan->pf), change->pf->address);
	if (!opts->dry_run)
		r = take_lock(change, err);
	if (!r)
		r = store_get(host, !opts->dry_run, &change->store, err);
	return r ? r : change_load(change, err);
}

void change_close(struct change *change)
{
	if (change->host)
		unlock_pfs(change->host);
	sriov_inventory_free(change->inv);
	store_pf_clear(&change->known);
	state_clear(&change->intent);
	state_clear(&change->want);
	free(change->told.text);
	virt_domain_clear(&change->domain);
	bridge_free(change->bridge);
	vlan_free(change->vlans);
	free(change->take);
	sriov_plan_free(change->plan);
	*change = (struct change){0};
}

static int add_note(char ***notes, size_t *n, const char *fmt, va_list ap, struct sriov_error *err)
	__attribute__((format(printf, 3, 0)));

static int add_note(char ***notes, size_t *n, const char *fmt, va_list ap, struct sriov_error *err)
{
	char **slot = core_grow(notes, n, sizeof(*slot));

	if (!slot)
		return core_oom(err);
	if (vasprintf(slot, fmt, ap) >= 0)
		return 0;
	--*n;
	return core_oom(err);
}

int change_note(struct change *change, struct sriov_error *err, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = add_note(&change->plan->note, &change->plan->nnotes, fmt, ap, err);
	va_end(ap);
	return r;
}

int change_notes_add(struct change_notes *notes, struct sriov_error *err, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = add_note(&notes->at, &notes->n, fmt, ap, err);
	va_end(ap);
	return r;
}

void change_notes_clear(struct change_notes *notes)
{
	for (size_t i = 0; i < notes->n; i++)
		free(notes->at[i]);
	free(notes->at);
	*notes = (struct change_notes){0};
}

void change_give_plan(struct change *change, struct sriov_plan **plan)
{
	*plan = core_steal(change->plan);
}

void change_chain_add(struct change_chain *chain, int r, const struct sriov_error *why)
{
	if (*chain->tail && r < 0)
		(*chain->tail)->status = why->status;
	while (*chain->tail)
		chain->tail = &(*chain->tail)->next;
	if (r < 0 && !chain->result) {
		chain->result = r;
		chain->first = *why;
	}
}

int change_chain_end(const struct change_chain *chain, struct sriov_error *err)
{
	if (chain->result && err)
		*err = chain->first;
	return chain->result;
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
	bool cut = change->brief && steps->n > CHANGE_STEPS_SHOWN;
	size_t n = cut ? CHANGE_STEPS_SHOWN : steps->n;
	struct sriov_plan *plan = change->plan;
	uint64_t digest = CORE_HASH_SEED;

	free(plan->step);
	plan->nsteps = 0;
	plan->step = calloc(n + 1, sizeof(*plan->step));
	if (!plan->step)
		return core_oom(err);
	plan->nsteps = n;
	for (size_t i = 0; i < n; i++) {
		struct sriov_step_text *text = &plan->step[i];

		step_describe(change->pf, &steps->at[i], text);
		digest = core_hash(digest, text->what, strlen(text->what) + 1);
	}
	/* half a plan's is none */
	plan->digest[0] = '\0';
	if (!cut)
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
