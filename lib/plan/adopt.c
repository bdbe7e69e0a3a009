/* SPDX-License-Identifier: Apache-2.0 */
/* `adopt`: what is there becomes the intent, and the guests that have VFs their leases; no effect on the host. */
#include "lib/guest/choose.h"
#include "lib/plan/bridge.h"
#include "lib/plan/guest.h"
#include "lib/plan/rule.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ---- VFs ---- */

static int want_vfs(struct change *change, struct sriov_error *err)
{
	const struct sriov_pf *pf = change->pf;
	struct pf_state *want = &change->want;

	if (!pf->vfs)
		return 0;
	want->has |= STATE_COUNT | STATE_UP | STATE_AUTOPROBE;
	want->count = pf->vfs;
	want->up = pf->up;
	want->autoprobe = pf->autoprobe;
	for (unsigned i = 0; i < pf->vfs; i++) {
		struct vf_state *vf = state_vf(want, pf->vf[i].index);

		if (!vf)
			return core_oom(err);
		vf->attrs = pf->vf[i].attrs;
		vf->has_driver = true;
		core_copy(vf->driver, sizeof(vf->driver), pf->vf[i].driver);
	}
	change_leave_libvirts(change);
	return 0;
}

/* ---- rules ---- */

static int want_rule(struct change *change, const struct sriov_entry *entry)
{
	const struct rule_state *ours = state_find_rule(&change->intent, entry->loc);
	struct rule_state *rule = state_rule(&change->want, entry->loc);

	if (!rule)
		return -ENOMEM;
	rule->present = true;
	rule->entry = *entry;
	if (ours && ours->present && sriov_entry_same(&ours->entry, entry)) {
		core_copy(rule->name, sizeof(rule->name), ours->name);
		core_copy(rule->owner, sizeof(rule->owner), ours->owner);
	} else {
		snprintf(rule->name, sizeof(rule->name), "adopted-%u", entry->loc);
	}
	return 0;
}

static bool compiles_to(const struct sriov_compiled *compiled, const struct pf_state *want)
{
	for (size_t i = 0; i < compiled->nentries; i++) {
		const struct rule_state *rule = state_find_rule(want, compiled->entry[i].loc);

		if (!rule || !sriov_entry_same(&rule->entry, &compiled->entry[i]))
			return false;
	}
	return compiled->nentries == want->nrules;
}

/* Whether the table holds just what is recorded: the list behind it is known, and needs no guessing from entries. */
static bool is_recorded(const struct change *change)
{
	size_t present = 0;

	for (size_t i = 0; i < change->intent.nrules; i++)
		present += change->intent.rule[i].present;
	for (size_t i = 0; i < change->pf->nrules; i++) {
		const struct sriov_entry *entry = &change->pf->rules[i];
		const struct rule_state *ours = state_find_rule(&change->intent, entry->loc);

		if (!ours || !ours->present || !sriov_entry_same(&ours->entry, entry))
			return false;
	}
	return present == change->pf->nrules && (change->intent.has & STATE_LIST);
}

/*
 * The table as a list of ours, if that list means just this table; otherwise it stays somebody else's, for the
 * next apply of ours would change it.
 */
static int want_rules(struct change *change, struct sriov_error *err)
{
	const struct rule_how how = {.allow = change->intent.allow,
				     .partial = change->intent.partial};
	struct sriov_compiled compiled = {0};
	struct pf_state *want = &change->want;
	struct sriov_error why = {0};
	bool same;
	int r = 0;

	if (!change->pf->nrules)
		return 0;
	for (size_t i = 0; !r && i < change->pf->nrules; i++)
		r = want_rule(change, &change->pf->rules[i]);
	if (!r && is_recorded(change)) {
		want->has |= STATE_LIST | STATE_NTUPLE;
		want->ntuple = true;
		want->allow = change->intent.allow;
		want->partial = change->intent.partial;
		return state_set_list(want, &change->intent.list) < 0 ? core_oom(err) : 0;
	}
	if (!r)
		r = ruleset_derive(want);
	if (r < 0)
		return core_oom(err);
	r = rule_compile(&want->list, change->pf, want, change->store, &how, &compiled, &why);
	same = !r && compiles_to(&compiled, want);
	sriov_compiled_clear(&compiled);
	if (r == -ENOMEM)
		return core_oom(err);
	if (same) {
		want->has |= STATE_NTUPLE;
		want->ntuple = true;
		return 0;
	}
	sriov_rules_clear(&want->list);
	want->has &= ~STATE_LIST;
	want->nrules = 0;
	return change_note(change, err, "the %zu rules in its table stay somebody else's: %s",
			   change->pf->nrules,
			   r < 0 ? why.message
				 : "as a list of ours they would become other entries");
}

/* ---- guests ---- */

static bool is_leased(const struct sriov_lease *lease, size_t n, unsigned vf)
{
	for (size_t i = 0; i < n; i++)
		if (lease[i].vf == (int)vf)
			return true;
	return false;
}

/* "guest NAME (state)": the name. */
static bool guest_of(const struct sriov_use *use, char name[SRIOV_NAME_LEN])
{
	const char *end = strrchr(use->who, '(');

	if (use->unreadable || strncmp(use->who, "guest ", 6) != 0 || !end || end <= use->who + 7)
		return false;
	snprintf(name, SRIOV_NAME_LEN, "%.*s", (int)(end - use->who - 7), use->who + 6);
	return true;
}

/* What the domain says of the device; without libvirt only the guest's name is known. */
static int ask_domain(struct change *change, struct sriov_lease *lease, struct sriov_error *err)
{
	_virt_domain_ struct virt_domain domain = {0};
	struct guest_device device = {.path = GUEST_VF};
	struct sriov_error why = {0};
	bool found = false;
	const char *xml;
	int r = change->host->virt->find(change->host, lease->guest, &domain, &why);

	if (r < 0)
		return change_note(change, err, "guest %s: its UUID is not known: %s", lease->guest,
				   why.message);
	core_copy(lease->uuid, sizeof(lease->uuid), domain.uuid);
	core_copy(device.address, sizeof(device.address), lease->address);
	xml = domain.live ?: domain.config;
	if (xml && guest_device_find(xml, &device, &found, &device, &why) < 0)
		return change_note(change, err, "guest %s: %s", lease->guest, why.message);
	if (!found)
		return 0;
	core_copy(lease->kind, sizeof(lease->kind), device.raw ? "raw" : "interface");
	if (device.raw)
		return 0;
	memcpy(lease->mac, device.mac, 6);
	lease->vlan = device.vlan;
	return 0;
}

struct sriov_lease guest_adopted(const struct change *change, const struct sriov_vf *vf,
				 const char *guest)
{
	struct sriov_lease lease = {.generation = 1,
				    .vf = vf->index,
				    .epoch = change->known.epoch,
				    .node = change->pf->node,
				    .vlan = vf->attrs.vlan};

	core_copy(lease.guest, sizeof(lease.guest), guest);
	core_copy(lease.state, sizeof(lease.state), "adopted");
	core_copy(lease.path, sizeof(lease.path), sriov_path_word(SRIOV_PATH_VF));
	core_copy(lease.kind, sizeof(lease.kind), "interface");
	core_copy(lease.pf, sizeof(lease.pf), change->pf->address);
	core_copy(lease.address, sizeof(lease.address), vf->address);
	core_copy(lease.uri, sizeof(lease.uri), change->host->uri ?: "");
	memcpy(lease.mac, vf->attrs.mac, 6);
	core_now(lease.created);
	return lease;
}

static int take(struct change *change, const struct sriov_vf *vf, const char *guest,
		struct sriov_error *err)
{
	struct sriov_lease *lease = core_grow(&change->take, &change->ntake, sizeof(*lease));

	if (!lease)
		return core_oom(err);
	*lease = guest_adopted(change, vf, guest);
	return ask_domain(change, lease, err);
}

static int want_leases(struct change *change, struct sriov_error *err)
{
	_free_ struct sriov_lease *held = NULL;
	const struct sriov_pf *pf = change->pf;
	char guest[SRIOV_NAME_LEN];
	size_t n = 0;
	int r = change->store ? store_lease_list(change->store, pf->address, &held, &n, err) : 0;

	for (unsigned v = 0; !r && pf->vf && v < pf->vfs; v++) {
		const struct sriov_vf *vf = &pf->vf[v];
		bool taken = is_leased(held, n, vf->index);

		for (size_t u = 0; !r && !taken && u < vf->uses.n; u++) {
			taken = guest_of(&vf->uses.at[u], guest);
			if (taken)
				r = take(change, vf, guest, err);
		}
	}
	return r;
}

/* ---- the whole ---- */

/* Nothing of it is to be written: the steps are none. */
static int check_no_steps(struct change *change, struct sriov_error *err)
{
	struct steps steps = {0};
	struct sriov_step_text text;
	int r = change_diff(change, &change->want, &steps, err);

	if (!r && steps.n) {
		step_describe(change->pf, &steps.at[0], &text);
		r = sriov_error_set(err, -EBUSY, pf_label(change->pf),
				    "changed while it was looked at: %s", text.what);
		sriov_error_hint(err, "run the command again");
	}
	steps_clear(&steps);
	return r;
}

int adopt_want(struct change *change, struct sriov_error *err)
{
	int r;

	core_copy(change->want.address, sizeof(change->want.address), change->pf->address);
	r = want_vfs(change, err);
	return r ? r : want_rules(change, err);
}

static int adopt_pf(struct sriov_host *host, const char *pf, const struct sriov_options *opts,
		    struct sriov_plan **plan, struct sriov_error *err)
{
	struct change change;
	int r = change_open(&change, host, pf, CHANGE_READ_ALL, opts, err);

	if (!r)
		r = adopt_want(&change, err);
	if (!r)
		r = want_leases(&change, err);
	if (!r)
		r = check_no_steps(&change, err);
	if (!r)
		r = change_note(&change, err, "%s %u VFs, %zu rules, %zu guests",
				opts->dry_run ? "would take over" : "took over", change.pf->vfs,
				change.want.nrules, change.ntake);
	if (!r)
		r = bridge_note_unrecorded(&change, err);
	if (!r && !opts->dry_run)
		r = apply_commit(&change, NULL, 0, err);
	change_give_plan(&change, plan);
	change_close(&change);
	return r;
}

SRIOV_EXPORT int sriov_adopt(struct sriov_host *host, const char *pf,
			     const struct sriov_options *opts, struct sriov_plan **plan,
			     struct sriov_error *err)
{
	struct change_chain chain = {.tail = plan};
	struct sriov_inventory *inv = NULL;
	int r;

	*plan = NULL;
	if (pf)
		return adopt_pf(host, pf, opts, plan, err);
	r = host_read(host, NULL, SRIOV_READ_RULES, &inv, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < inv->npfs; i++) {
		struct sriov_error mine = {0};

		if (!inv->pf[i].vfs && !inv->pf[i].nrules)
			continue;
		r = adopt_pf(host, inv->pf[i].address, opts, chain.tail, &mine);
		change_chain_add(&chain, r, &mine);
	}
	sriov_inventory_free(inv);
	return change_chain_end(&chain, err);
}
