/* SPDX-License-Identifier: Apache-2.0 */
/* PF states: making, capturing, merging. See state.h. */
#include "lib/plan/state.h"

#include <errno.h>
#include <string.h>

void state_clear(struct pf_state *state)
{
	free(state->vf);
	free(state->rule);
	*state = (struct pf_state){0};
}

const struct vf_state *state_find_vf(const struct pf_state *state, unsigned index)
{
	for (size_t i = 0; i < state->nvf; i++)
		if (state->vf[i].index == index)
			return &state->vf[i];
	return NULL;
}

struct vf_state *state_vf(struct pf_state *state, unsigned index)
{
	struct vf_state *vf = (struct vf_state *)state_find_vf(state, index);

	if (vf)
		return vf;
	vf = core_grow(&state->vf, &state->nvf, sizeof(*vf));
	if (vf)
		vf->index = index;
	return vf;
}

struct rule_state *state_rule(struct pf_state *state, uint32_t loc)
{
	struct rule_state *rule;

	for (size_t i = 0; i < state->nrules; i++)
		if (state->rule[i].entry.loc == loc)
			return &state->rule[i];
	rule = core_grow(&state->rule, &state->nrules, sizeof(*rule));
	if (rule)
		rule->entry.loc = loc;
	return rule;
}

static const struct sriov_entry *entry_at(const struct sriov_pf *pf, uint32_t loc)
{
	for (size_t i = 0; i < pf->nrules; i++)
		if (pf->rules[i].loc == loc)
			return &pf->rules[i];
	return NULL;
}

static int capture_vf(const struct sriov_vf *now, const struct vf_state *asked,
		      struct pf_state *out)
{
	struct vf_state *vf = state_vf(out, now->index);

	if (!vf)
		return -ENOMEM;
	vf->attrs = now->attrs;
	vf->attrs.has &= asked->attrs.has;
	vf->has_driver = asked->has_driver;
	vf->has_up = asked->has_up;
	vf->up = now->netdev_up;
	core_copy(vf->driver, sizeof(vf->driver), now->driver);
	return 0;
}

static int capture_rule(const struct sriov_pf *pf, uint32_t loc, struct pf_state *out)
{
	const struct sriov_entry *entry = entry_at(pf, loc);
	struct rule_state *rule = state_rule(out, loc);

	if (!rule)
		return -ENOMEM;
	rule->present = entry;
	if (entry)
		rule->entry = *entry;
	return 0;
}

int state_capture(const struct sriov_pf *pf, const struct pf_state *want, struct pf_state *out,
		  struct sriov_error *err)
{
	static const struct vf_state all = {.attrs.has = SRIOV_VF_ALL, .has_driver = true};
	bool remade = (want->has & STATE_COUNT) && want->count != pf->vfs;
	struct pf_state state = {.has = want->has};
	int r = 0;

	core_copy(state.address, sizeof(state.address), pf->address);
	state.up = pf->up;
	state.count = pf->vfs;
	state.autoprobe = pf->autoprobe;
	state.ntuple = pf->ntuple == SRIOV_NTUPLE_ON;
	/* Once they are gone, nothing but this remembers what the VFs and rules were. */
	for (unsigned i = 0; !r && remade && i < pf->vfs; i++)
		r = capture_vf(&pf->vf[i], &all, &state);
	for (size_t i = 0; !r && remade && i < pf->nrules; i++)
		r = capture_rule(pf, pf->rules[i].loc, &state);
	for (size_t i = 0; !r && !remade && i < want->nvf; i++) {
		const struct sriov_vf *now = pf_vf(pf, want->vf[i].index);

		if (now)
			r = capture_vf(now, &want->vf[i], &state);
	}
	for (size_t i = 0; !r && i < want->nrules; i++)
		r = capture_rule(pf, want->rule[i].entry.loc, &state);
	if (r < 0) {
		state_clear(&state);
		return core_oom(err);
	}
	*out = state;
	return 0;
}

static void merge_attrs(struct sriov_vf_attrs *into, const struct sriov_vf_attrs *from)
{
	unsigned has = into->has | from->has;

	if (from->has & SRIOV_VF_MAC)
		memcpy(into->mac, from->mac, sizeof(into->mac));
	if (from->has & SRIOV_VF_VLAN) {
		into->vlan = from->vlan;
		into->qos = from->qos;
		into->vlan_proto = from->vlan_proto;
	}
	if (from->has & SRIOV_VF_SPOOFCHK)
		into->spoofchk = from->spoofchk;
	if (from->has & SRIOV_VF_TRUST)
		into->trust = from->trust;
	if (from->has & SRIOV_VF_RATE) {
		into->min_rate = from->min_rate;
		into->max_rate = from->max_rate;
	}
	if (from->has & SRIOV_VF_LINK)
		into->link = from->link;
	into->has = has;
}

static int merge_vfs(struct pf_state *intent, const struct pf_state *change)
{
	for (size_t i = 0; i < change->nvf; i++) {
		struct vf_state *vf = state_vf(intent, change->vf[i].index);

		if (!vf)
			return -ENOMEM;
		merge_attrs(&vf->attrs, &change->vf[i].attrs);
		if (change->vf[i].has_driver) {
			vf->has_driver = true;
			core_copy(vf->driver, sizeof(vf->driver), change->vf[i].driver);
		}
	}
	return 0;
}

static int merge_rules(struct pf_state *intent, const struct pf_state *change)
{
	size_t kept = 0;

	for (size_t i = 0; i < change->nrules; i++) {
		struct rule_state *rule;

		if (change->rule[i].kept)
			continue;
		rule = state_rule(intent, change->rule[i].entry.loc);
		if (!rule)
			return -ENOMEM;
		*rule = change->rule[i];
	}
	for (size_t i = 0; i < intent->nrules; i++)
		if (intent->rule[i].present)
			intent->rule[kept++] = intent->rule[i];
	intent->nrules = kept;
	return 0;
}

int state_merge(struct pf_state *intent, const struct pf_state *change, struct sriov_error *err)
{
	core_copy(intent->address, sizeof(intent->address), change->address);
	intent->has |= change->has;
	if (change->has & STATE_UP)
		intent->up = change->up;
	if (change->has & STATE_AUTOPROBE)
		intent->autoprobe = change->autoprobe;
	if (change->has & STATE_NTUPLE)
		intent->ntuple = change->ntuple;
	if (change->has & STATE_COUNT) {
		intent->count = change->count;
		if (!change->count) {
			intent->nvf = 0;
			/* what deleting put back as found is no longer ours to keep */
			intent->has &= ~(STATE_AUTOPROBE | STATE_UP);
			if (!intent->ntuple)
				intent->has &= ~STATE_NTUPLE;
			intent->pool[0] = '\0';
		}
	}
	if (change->pool[0])
		core_copy(intent->pool, sizeof(intent->pool), change->pool);
	if (merge_vfs(intent, change) < 0 || merge_rules(intent, change) < 0)
		return core_oom(err);
	return 0;
}
