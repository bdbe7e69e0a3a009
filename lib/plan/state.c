/* SPDX-License-Identifier: Apache-2.0 */
/* PF states: making, capturing, merging. See state.h. */
#include "lib/plan/state.h"
#include "lib/plan/ruleset.h"

#include <errno.h>
#include <string.h>

void state_clear(struct pf_state *state)
{
	free(state->vf);
	free(state->rule);
	free(state->rss);
	free(state->guest);
	free(state->other);
	if (state->net)
		free(state->net->net.pf);
	free(state->net);
	free(state->pools);
	free(state->record);
	sriov_rules_clear(&state->list);
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

/* The position of @loc among the rules, or where it would stand. */
static size_t rule_position(const struct pf_state *state, uint32_t loc)
{
	size_t low = 0, high = state->nrules;

	/* mostly they come in order */
	if (high && state->rule[high - 1].entry.loc < loc)
		return high;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (state->rule[middle].entry.loc < loc)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct rule_state *state_find_rule(const struct pf_state *state, uint32_t loc)
{
	size_t at = rule_position(state, loc);

	return at < state->nrules && state->rule[at].entry.loc == loc ? &state->rule[at] : NULL;
}

struct rule_state *state_rule(struct pf_state *state, uint32_t loc)
{
	size_t at = rule_position(state, loc);
	struct rule_state *rule;

	if (at < state->nrules && state->rule[at].entry.loc == loc)
		return &state->rule[at];
	if (!core_grow(&state->rule, &state->nrules, sizeof(*rule)))
		return NULL;
	rule = &state->rule[at];
	memmove(rule + 1, rule, (state->nrules - 1 - at) * sizeof(*rule));
	*rule = (struct rule_state){.entry.loc = loc};
	return rule;
}

int state_set_list(struct pf_state *state, const struct sriov_rules *list)
{
	struct sriov_rules copy = {.n = list->n};

	copy.at = calloc(list->n + 1, sizeof(*copy.at));
	if (!copy.at)
		return -ENOMEM;
	if (list->n)
		memcpy(copy.at, list->at, list->n * sizeof(*copy.at));
	sriov_rules_clear(&state->list);
	state->list = copy;
	state->has |= STATE_LIST;
	return 0;
}

int state_set_rss(struct pf_state *state, const uint32_t *queue, size_t n)
{
	uint32_t *copy = calloc(n, sizeof(*copy));

	if (!copy)
		return -ENOMEM;
	memcpy(copy, queue, n * sizeof(*copy));
	free(state->rss);
	state->rss = copy;
	state->nrss = n;
	state->has |= STATE_RSS;
	return 0;
}

bool state_rss_is(const struct pf_state *state, const uint32_t *table, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (table[i] != state->rss[i % state->nrss])
			return false;
	return n;
}

struct guest_state *state_guest(struct pf_state *state)
{
	if (!state->guest)
		state->guest = calloc(1, sizeof(*state->guest));
	return state->guest;
}

struct guest_state *state_other(struct pf_state *state)
{
	if (!state->other)
		state->other = calloc(1, sizeof(*state->other));
	return state->other;
}

struct net_state *state_net(struct pf_state *state)
{
	if (!state->net)
		state->net = calloc(1, sizeof(*state->net));
	return state->net;
}

int net_copy(const struct sriov_physnet *net, struct sriov_physnet *out)
{
	struct sriov_physnet copy = *net;

	copy.pf = calloc(net->npfs + 1, sizeof(*copy.pf));
	if (!copy.pf)
		return -ENOMEM;
	for (size_t i = 0; i < net->npfs; i++)
		memcpy(copy.pf[i], net->pf[i], sizeof(*copy.pf));
	*out = copy;
	return 0;
}

/* A guest's parts and a network's: what stands of them is not the PF's to say, and filled in by who asks. */
static int capture_parts(const struct pf_state *want, struct pf_state *out)
{
	/* a move's two sides change places */
	const struct guest_state *guest = want->other ?: want->guest;
	const struct guest_state *other = want->other ? want->guest : NULL;

	if (guest && !state_guest(out))
		return -ENOMEM;
	if (guest)
		*out->guest = *guest;
	if (other && !state_other(out))
		return -ENOMEM;
	if (other)
		*out->other = *other;
	if (!want->net)
		return 0;
	return state_net(out) ? net_copy(&want->net->net, &out->net->net) : -ENOMEM;
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
	const struct sriov_entry *entry = pf_rule(pf, loc);
	struct rule_state *rule = state_rule(out, loc);

	if (!rule)
		return -ENOMEM;
	rule->present = entry;
	if (entry)
		rule->entry = *entry;
	return 0;
}

bool state_bound_as(const char *driver, const char *wanted)
{
	if (!strcmp(wanted, BIND_ANY_DEFAULT))
		return *driver && strcmp(driver, "vfio-pci") != 0;
	return !strcmp(driver, wanted);
}

bool state_waits(const struct pf_state *want)
{
	return (want->has & STATE_DRIVER) && strcmp(want->driver, BIND_ANY_DEFAULT) != 0;
}

bool state_rebinds(const struct sriov_pf *pf, const struct pf_state *want)
{
	return (want->has & STATE_DRIVER) && !state_bound_as(pf->driver, want->driver);
}

int state_capture(const struct sriov_pf *pf, const struct pf_state *want, struct pf_state *out,
		  struct sriov_error *err)
{
	static const struct vf_state all = {.attrs.has = SRIOV_VF_ALL, .has_driver = true};
	bool rebinds = state_rebinds(pf, want);
	bool remade = rebinds || ((want->has & STATE_COUNT) && want->count != pf->vfs);
	struct pf_state state = {.has = want->has & ~(STATE_LIST | STATE_RSS),
				 .apart = want->apart,
				 .image = true,
				 .bridge = want->bridge,
				 .links = want->links};
	int r = 0;

	core_copy(state.address, sizeof(state.address), pf->address);
	state.up = pf->up;
	state.count = pf->vfs;
	state.autoprobe = pf->autoprobe;
	state.ntuple = pf->ntuple == SRIOV_NTUPLE_ON;
	core_copy(state.driver, sizeof(state.driver),
		  state_bound_as(pf->driver, BIND_ANY_DEFAULT) ? BIND_ANY_DEFAULT : pf->driver);
	if (rebinds)
		state.has |= STATE_UP | STATE_COUNT | STATE_AUTOPROBE |
			     (pf->ntuple == SRIOV_NTUPLE_ON || pf->ntuple == SRIOV_NTUPLE_OFF
				      ? STATE_NTUPLE
				      : 0);
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
	if (!r)
		r = capture_parts(want, &state);
	if (!r && (rebinds || (want->has & STATE_RSS)) && pf->nrss)
		r = state_set_rss(&state, pf->rss, pf->nrss);
	if (r < 0) {
		state_clear(&state);
		return core_oom(err);
	}
	*out = state;
	return 0;
}

static int merge_vfs(struct pf_state *intent, const struct pf_state *change)
{
	for (size_t i = 0; i < change->nvf; i++) {
		struct vf_state *vf;

		if (change->vf[i].lent)
			continue;
		vf = state_vf(intent, change->vf[i].index);
		if (!vf)
			return -ENOMEM;
		sriov_vf_attrs_merge(&vf->attrs, &change->vf[i].attrs);
		if (change->vf[i].has_driver) {
			vf->has_driver = true;
			core_copy(vf->driver, sizeof(vf->driver), change->vf[i].driver);
		}
	}
	return 0;
}

/* Both are in order; what the change says of a location counts, but for entries that only stay. */
static int merge_rules(struct pf_state *intent, const struct pf_state *change)
{
	struct rule_state *merged = calloc(intent->nrules + change->nrules + 1, sizeof(*merged));
	size_t i = 0, k = 0, n = 0;

	if (!merged)
		return -ENOMEM;
	while (i < intent->nrules || k < change->nrules) {
		const struct rule_state *old = i < intent->nrules ? &intent->rule[i] : NULL;
		const struct rule_state *new = k < change->nrules ? &change->rule[k] : NULL;
		bool both = old && new && old->entry.loc == new->entry.loc;
		bool first = old && (!new || old->entry.loc < new->entry.loc);

		i += first || both;
		k += !first;
		if (!first && new->kept)
			new = both ? old : NULL;
		else if (!first && new->others)
			new = NULL;
		if (first ? old->present : new &&new->present)
			merged[n++] = first ? *old : *new;
	}
	free(intent->rule);
	intent->rule = merged;
	intent->nrules = n;
	return 0;
}

/* An empty list says nothing any more. */
static int merge_list(struct pf_state *intent, const struct pf_state *change)
{
	int r = 0;

	if (!(change->has & STATE_LIST))
		return 0;
	intent->allow = change->allow;
	intent->partial = change->partial;
	r = state_set_list(intent, &change->list);
	if (!r && !intent->list.n) {
		sriov_rules_clear(&intent->list);
		intent->has &= ~STATE_LIST;
		intent->allow = 0;
		intent->partial = false;
	}
	return r;
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
	if (change->has & STATE_DRIVER) {
		core_copy(intent->driver, sizeof(intent->driver), change->driver);
		/* a port is its own driver's unless somebody says otherwise */
		if (!strcmp(change->driver, BIND_ANY_DEFAULT))
			intent->has &= ~STATE_DRIVER;
	}
	if (change->has & STATE_COUNT) {
		size_t kept = 0;

		intent->count = change->count;
		/* what was said of VFs that are no more */
		for (size_t i = 0; i < intent->nvf; i++)
			if (intent->vf[i].index < change->count)
				intent->vf[kept++] = intent->vf[i];
		intent->nvf = kept;
		if (!change->count) {
			/* what deleting put back as found is no longer ours to keep */
			intent->has &= ~(STATE_AUTOPROBE | STATE_UP);
			if (!intent->ntuple)
				intent->has &= ~STATE_NTUPLE;
			intent->pool[0] = '\0';
		}
	}
	if (change->pool[0])
		core_copy(intent->pool, sizeof(intent->pool), change->pool);
	if (merge_vfs(intent, change) < 0 || merge_rules(intent, change) < 0 ||
	    merge_list(intent, change) < 0 ||
	    ((change->has & STATE_RSS) && state_set_rss(intent, change->rss, change->nrss) < 0))
		return core_oom(err);
	return 0;
}

static bool same_vfs(const struct pf_state *a, const struct pf_state *b)
{
	for (size_t i = 0; i < a->nvf && i < b->nvf; i++) {
		const struct vf_state *x = &a->vf[i], *y = &b->vf[i];

		if (x->index != y->index || x->attrs.has != y->attrs.has ||
		    sriov_vf_attrs_differ(&x->attrs, &y->attrs) || x->has_driver != y->has_driver ||
		    strcmp(x->driver, y->driver) != 0 || x->has_up || y->has_up || x->lent ||
		    y->lent)
			return false;
	}
	return a->nvf == b->nvf;
}

bool state_same_rules(const struct pf_state *a, const struct pf_state *b)
{
	for (size_t i = 0; i < a->nrules && i < b->nrules; i++) {
		const struct rule_state *x = &a->rule[i], *y = &b->rule[i];

		if (x->present != y->present || x->kept != y->kept || x->others != y->others ||
		    strcmp(x->name, y->name) != 0 || strcmp(x->owner, y->owner) != 0 ||
		    memcmp(&x->entry, &y->entry, sizeof(x->entry)) != 0)
			return false;
	}
	return a->nrules == b->nrules;
}

bool state_same_list(const struct pf_state *a, const struct pf_state *b)
{
	for (size_t i = 0; i < a->list.n && i < b->list.n; i++) {
		const struct sriov_rule *x = &a->list.at[i], *y = &b->list.at[i];

		if (strcmp(x->name, y->name) != 0 || strcmp(x->owner, y->owner) != 0 ||
		    x->loc != y->loc || !ruleset_same(x, y))
			return false;
	}
	return a->list.n == b->list.n;
}

bool state_same(const struct pf_state *a, const struct pf_state *b)
{
	return !strcmp(a->address, b->address) && a->has == b->has && a->up == b->up &&
	       a->autoprobe == b->autoprobe && a->ntuple == b->ntuple && a->count == b->count &&
	       !strcmp(a->driver, b->driver) && !strcmp(a->pool, b->pool) && same_vfs(a, b) &&
	       a->allow == b->allow && a->partial == b->partial && state_same_list(a, b) &&
	       !((a->has | b->has) & STATE_RSS) && state_same_rules(a, b);
}
