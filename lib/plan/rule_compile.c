/* SPDX-License-Identifier: Apache-2.0 */
/* From a list of rules to the entries that a change wants. See rule.h. */
#include "flows/flows.h"
#include "lib/plan/rule.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ---- compiling ---- */

static bool is_installed(const struct sriov_pf *pf, const struct sriov_entry *entry)
{
	const struct sriov_entry *now = pf_rule(pf, entry->loc);

	return now && sriov_entry_same(now, entry);
}

/* The entries of ours, in fresh memory; NULL without it. */
static struct sriov_entry *our_entries(const struct pf_state *intent, size_t *n)
{
	struct sriov_entry *ours = calloc(intent->nrules + 1, sizeof(*ours));

	*n = 0;
	for (size_t i = 0; ours && i < intent->nrules; i++)
		if (intent->rule[i].present)
			ours[(*n)++] = intent->rule[i].entry;
	return ours;
}

int rule_compile(const struct sriov_rules *list, const struct sriov_pf *port,
		 const struct pf_state *intent, struct store *store, const struct rule_how *how,
		 struct sriov_compiled *out, struct sriov_error *err)
{
	struct rule_guests guests = {
		.store = store, .port = port, .moved = how->moved, .rte = how->rte};
	_free_ struct sriov_entry *ours = NULL;
	_free_ bool *waiting = NULL;
	struct sriov_rules awake = {0};
	struct sriov_compile opts = {.allow = how->allow,
				     .partial = how->partial,
				     .guest = rule_guest_vf,
				     .data = &guests};
	size_t n;
	int r;

	ours = our_entries(intent, &opts.nours);
	if (!ours)
		return core_oom(err);
	opts.ours = ours;
	r = rule_find_waiting(list, &guests, intent, &waiting, &n, err);
	if (r < 0 || !n)
		return r ? r : sriov_rules_compile(list, port, &opts, out, err);
	awake.at = calloc(list->n, sizeof(*awake.at));
	if (!awake.at)
		return core_oom(err);
	core_copy(awake.file, sizeof(awake.file), list->file);
	for (size_t i = 0; i < list->n; i++)
		if (!waiting[i])
			awake.at[awake.n++] = list->at[i];
	r = sriov_rules_compile(&awake, port, &opts, out, err);
	free(awake.at);
	if (!r || r == -ENOTSUP)
		return rule_spread_verdicts(waiting, list->n, out) < 0 ? core_oom(err) : r;
	return r;
}

/* ---- what is wanted ---- */

/* A wanted entry and the rule that it is of. */
struct owned {
	const struct sriov_entry *entry;
	const struct sriov_rule *rule;
};

static int by_location(const void *a, const void *b)
{
	const struct owned *x = a, *y = b;

	return (x->entry->loc > y->entry->loc) - (x->entry->loc < y->entry->loc);
}

/* Of rules that share an entry the first has it. */
static size_t own_compiled(const struct sriov_rules *list, const struct sriov_compiled *compiled,
			   struct owned *owned)
{
	size_t kept = 0;

	for (size_t i = 0; i < compiled->nentries; i++)
		owned[i].entry = &compiled->entry[i];
	for (size_t r = 0; r < compiled->nrules; r++)
		for (size_t i = 0; i < compiled->verdict[r].n; i++) {
			struct owned *slot = &owned[compiled->verdict[r].first + i];

			if (!slot->rule)
				slot->rule = &list->at[r];
		}
	for (size_t i = 0; i < compiled->nentries; i++)
		if (owned[i].rule)
			owned[kept++] = owned[i];
	qsort(owned, kept, sizeof(*owned), by_location);
	return kept;
}

static int own_recorded(const struct change *change, const struct sriov_rules *list,
			struct owned *owned, size_t *n, struct sriov_error *err)
{
	struct rule_guests guests = {.store = change->store, .port = change->pf};
	const struct pf_state *intent = &change->intent;
	_free_ bool *waiting = NULL;
	size_t kept = 0, unused;
	int r = rule_find_waiting(list, &guests, intent, &waiting, &unused, err);

	for (size_t i = 0; !r && i < intent->nrules; i++) {
		owned[kept].entry = &intent->rule[i].entry;
		owned[kept].rule = ruleset_named(list, intent->rule[i].name);
		kept += owned[kept].rule && intent->rule[i].present &&
			!waiting[owned[kept].rule - list->at];
	}
	*n = kept;
	return r;
}

/* The entry is recorded and installed as it shall be: no part of the change. */
static bool is_settled(const struct change *change, const struct owned *owned,
		       const struct rule_state *ours)
{
	return ours && ours->present && sriov_entry_same(&ours->entry, owned->entry) &&
	       !strcmp(ours->name, owned->rule->name) && !strcmp(ours->owner, owned->rule->owner) &&
	       is_installed(change->pf, owned->entry);
}

static int want_entry(struct change *change, const struct owned *owned)
{
	struct rule_state *want = state_rule(&change->want, owned->entry->loc);

	if (!want)
		return -ENOMEM;
	want->present = true;
	want->entry = *owned->entry;
	core_copy(want->name, sizeof(want->name), owned->rule->name);
	core_copy(want->owner, sizeof(want->owner), owned->rule->owner);
	return 0;
}

/* An entry of ours that is not wanted any more; what somebody else has put in its place stays. */
static int want_gone(struct change *change, const struct rule_state *ours)
{
	const struct sriov_entry *now = pf_rule(change->pf, ours->entry.loc);
	struct rule_state *want = state_rule(&change->want, ours->entry.loc);

	if (!want)
		return -ENOMEM;
	core_copy(want->name, sizeof(want->name), ours->name);
	if (now && !sriov_entry_same(now, &ours->entry)) {
		want->present = want->others = true;
		want->entry = *now;
	}
	return 0;
}

/* Of @owned from @i on the first that somebody else has installed; @n if there is none. */
static size_t next_adopted(const struct change *change, const struct owned *owned, size_t n,
			   size_t i)
{
	for (; i < n; i++) {
		const struct sriov_entry *entry = owned[i].entry;
		const struct rule_state *ours = state_find_rule(&change->intent, entry->loc);

		if (is_installed(change->pf, entry) &&
		    !(ours && ours->present && sriov_entry_same(&ours->entry, entry)))
			break;
	}
	return i;
}

/* Others' rules that are just what is wanted become ours only if the user says so. */
static int check_adopted(const struct change *change, const struct owned *owned, size_t n,
			 struct sriov_error *err)
{
	size_t i = next_adopted(change, owned, n, 0);
	char words[256];

	if (i < n) {
		const struct sriov_entry *entry = owned[i].entry;

		sriov_entry_format(entry, words, sizeof(words));
		sriov_error_set(err, -EEXIST, pf_label(change->pf),
				"rule %s is there already, made by somebody else: location %u, %s",
				owned[i].rule->name, entry->loc, words);
		sriov_error_hint(err,
				 "--adopt makes it ours (and those like it), without touching it");
		return sriov_error_status(err, SRIOV_REFUSED);
	}
	return 0;
}

static bool same_entries(const struct sriov_compiled *a, const struct sriov_compiled *b)
{
	for (size_t i = 0; i < a->nentries && i < b->nentries; i++)
		if (a->entry[i].loc != b->entry[i].loc ||
		    !sriov_entry_same(&a->entry[i], &b->entry[i]))
			return false;
	return a->nentries == b->nentries;
}

/* The intent's entries and those of @owned that are somebody else's now: what is ours once they are adopted. */
static int with_adopted(const struct change *change, const struct owned *owned, size_t n,
			struct pf_state *out)
{
	for (size_t i = 0; i < change->intent.nrules; i++) {
		struct rule_state *rule = state_rule(out, change->intent.rule[i].entry.loc);

		if (!rule)
			return -ENOMEM;
		*rule = change->intent.rule[i];
	}
	for (size_t i = next_adopted(change, owned, n, 0); i < n;
	     i = next_adopted(change, owned, n, i + 1)) {
		struct rule_state *rule = state_rule(out, owned[i].entry->loc);

		if (!rule)
			return -ENOMEM;
		rule->present = true;
		rule->entry = *owned[i].entry;
	}
	return 0;
}

/*
 * Entries of others are constraints, ours are not: adopted, they could make the same list compile to other
 * entries, and the next apply of it would move what was taken over untouched.
 */
static int check_lasting(const struct change *change, const struct sriov_rules *list,
			 const struct sriov_compiled *compiled, const struct rule_how *how,
			 const struct owned *owned, size_t n, struct sriov_error *err)
{
	size_t first = next_adopted(change, owned, n, 0);
	struct sriov_compiled again = {0};
	struct pf_state adopted = {0};
	struct sriov_error why = {0};
	bool lasts = true;
	int r = 0;

	if (first == n)
		return 0;
	r = with_adopted(change, owned, n, &adopted);
	if (!r) {
		r = rule_compile(list, change->pf, &adopted, change->store, how, &again, &why);
		lasts = !r && same_entries(compiled, &again);
	}
	sriov_compiled_clear(&again);
	state_clear(&adopted);
	if (r == -ENOMEM)
		return core_oom(err);
	if (lasts)
		return 0;
	sriov_error_set(
		err, -EEXIST, pf_label(change->pf),
		"rule %s cannot take over location %u of somebody else as it stands: once that is "
		"ours, the list compiles to other entries",
		owned[first].rule->name, owned[first].entry->loc);
	sriov_error_hint(
		err, "delete that rule first (ethtool -N %s delete %u), and apply the list again",
		pf_label(change->pf), owned[first].entry->loc);
	return sriov_error_status(err, SRIOV_REFUSED);
}

/* The difference between what is recorded and installed, and @owned; both are by location. */
static int want_owned(struct change *change, const struct owned *owned, size_t n)
{
	const struct pf_state *intent = &change->intent;
	size_t i = 0, k = 0;
	int r = 0;

	while (!r && (i < n || k < intent->nrules)) {
		const struct rule_state *ours = k < intent->nrules ? &intent->rule[k] : NULL;
		bool gone = ours && (i == n || ours->entry.loc < owned[i].entry->loc);

		if (!gone && ours && ours->entry.loc > owned[i].entry->loc)
			ours = NULL;
		k += !!ours;
		if (gone) {
			r = want_gone(change, ours);
			continue;
		}
		if (!is_settled(change, &owned[i], ours))
			r = want_entry(change, &owned[i]);
		i++;
	}
	return r;
}

int rule_want(struct change *change, struct sriov_rules *list,
	      const struct sriov_compiled *compiled, const struct rule_how *how,
	      struct sriov_error *err)
{
	size_t room = compiled ? compiled->nentries : change->intent.nrules, n;
	_free_ struct owned *owned = calloc(room + 1, sizeof(*owned));
	int r;

	if (!owned)
		return core_oom(err);
	if (compiled)
		n = own_compiled(list, compiled, owned);
	else if ((r = own_recorded(change, list, owned, &n, err)) < 0)
		return r;
	if (!how->adopt && check_adopted(change, owned, n, err) < 0)
		return -EEXIST;
	r = how->adopt && compiled ? check_lasting(change, list, compiled, how, owned, n, err) : 0;
	if (r < 0)
		return r;
	if (want_owned(change, owned, n) < 0)
		return core_oom(err);
	core_copy(change->want.address, sizeof(change->want.address), change->pf->address);
	change->want.has |= STATE_LIST;
	change->want.allow = how->allow;
	change->want.partial = how->partial;
	sriov_rules_clear(&change->want.list);
	change->want.list = *list;
	*list = (struct sriov_rules){0};
	if (n) {
		change->want.has |= STATE_NTUPLE;
		change->want.ntuple = true;
	}
	return 0;
}

int rule_want_recorded(struct change *change, const struct pf_state *recorded,
		       const struct pf_state *stood, struct sriov_error *err)
{
	_free_ struct owned *owned = calloc(recorded->nrules + 1, sizeof(*owned));
	_free_ struct sriov_rule *named = calloc(recorded->nrules + 1, sizeof(*named));
	size_t n = 0;

	if (!owned || !named)
		return core_oom(err);
	for (size_t i = 0; i < recorded->nrules; i++) {
		const struct rule_state *rule = &recorded->rule[i];
		const struct rule_state *then = state_find_rule(stood, rule->entry.loc);

		if (!rule->present || !then || !then->present ||
		    !sriov_entry_same(&then->entry, &rule->entry))
			continue;
		core_copy(named[n].name, sizeof(named[n].name), rule->name);
		core_copy(named[n].owner, sizeof(named[n].owner), rule->owner);
		owned[n] = (struct owned){&rule->entry, &named[n]};
		n++;
	}
	return want_owned(change, owned, n) < 0 ? core_oom(err) : 0;
}

/* ---- when VFs come or go ---- */

/* Whether the rule is about a VF that there will not be. */
static bool is_of_lost_vf(const struct sriov_rule *rule, unsigned count)
{
	const struct sriov_action *action = &rule->action;
	const struct sriov_scope *scope = &rule->scope;

	return (action->kind == SRIOV_ACTION_VF && action->vf >= count) ||
	       (scope->kind == SRIOV_SCOPE_VF && scope->vf >= count) ||
	       (!count && (action->kind == SRIOV_ACTION_GUEST || scope->kind == SRIOV_SCOPE_GUEST));
}

/* The list without such rules, in fresh memory. */
static int without_lost(struct change *change, unsigned count, struct sriov_rules *out,
			struct sriov_error *err)
{
	struct pf_state copy = {0};
	struct sriov_rules *list = &copy.list;
	size_t kept = 0;
	int r = state_set_list(&copy, &change->intent.list);

	for (size_t i = 0; !r && i < list->n; i++) {
		if (is_of_lost_vf(&list->at[i], count))
			r = change_note(change, err, "rule %s goes with its VF", list->at[i].name);
		else
			list->at[kept++] = list->at[i];
	}
	if (r < 0) {
		state_clear(&copy);
		return core_oom(err);
	}
	list->n = kept;
	*out = *list;
	return 0;
}

struct sriov_pf rule_port_with(const struct sriov_pf *pf, unsigned count)
{
	struct sriov_pf then = *pf;

	then.vfs = count;
	then.vf = NULL;
	if (count)
		then.queues = sriov_driver_queues(sriov_driver_find(pf->driver), pf->device, count,
						  pf->queues);
	return then;
}

int rule_want_vfs(struct change *change, unsigned count, struct sriov_error *err)
{
	const struct rule_how how = {.allow = change->intent.allow,
				     .partial = change->intent.partial};
	const struct sriov_pf then = rule_port_with(change->pf, count);
	struct sriov_compiled compiled = {0};
	struct sriov_rules list = {0};
	struct sriov_error why = {0};
	int r;

	/* of a port that is away the plan says so: what its rules could be is not known */
	if (!(change->intent.has & STATE_LIST) || !strcmp(change->pf->driver, "vfio-pci"))
		return 0;
	r = without_lost(change, count, &list, err);
	if (r < 0)
		return r;
	r = rule_compile(&list, &then, &change->intent, change->store, &how, &compiled, &why);
	if (!r) {
		r = rule_want(change, &list, &compiled, &how, err);
	} else if (!count) {
		/* VFs can always be deleted: what is there without them stays as it was */
		r = rule_want(change, &list, NULL, &how, err);
	} else {
		sriov_error_set(err, r, pf_label(change->pf),
				"with %u VFs its rules could not stay as they are: %s: %s", count,
				why.object, why.message);
		sriov_error_hint(err, "delete that rule first, or give it another target");
	}
	sriov_compiled_clear(&compiled);
	sriov_rules_clear(&list);
	return r;
}
