/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The planner's part of rules: the smallest change from the table as it stands to the one that is wanted.
 * Everything goes before anything comes; what a step of the plan wipes, makes stale, or a driver must see
 * again comes back in the same plan.
 */
#include "flows/flows.h"
#include "lib/plan/planner.h"

#include <stdio.h>
#include <string.h>

static enum sriov_fate fate(const struct planner *p, enum sriov_event event)
{
	return p->driver ? p->driver->rules[event].fate : SRIOV_RULES_KEPT;
}

/* The VF index that an entry sends to, or -1. */
static int target_vf(const struct sriov_entry *entry)
{
	return entry->cookie == SRIOV_COOKIE_DROP ? -1 : (int)(entry->cookie >> 32 & 0xff) - 1;
}

static bool loses_target(const struct planner *p, const struct sriov_entry *entry)
{
	return p->remade && target_vf(entry) >= (int)p->want->count;
}

/* Kept by the driver, but for the VF as it was before. */
static bool goes_stale(const struct planner *p, const struct sriov_entry *entry)
{
	return p->remade && fate(p, SRIOV_EVENT_NUMVFS) == SRIOV_RULES_STALE &&
	       target_vf(entry) >= 0;
}

/* of a port that is down the drivers keep the list when VFs come or go */
static bool is_wiped(const struct planner *p)
{
	bool up = p->now->up || ((p->want->has & STATE_UP) && p->want->up);
	bool off = p->ntuple && (p->want->has & STATE_NTUPLE) && !p->want->ntuple;

	return (p->remade && up && fate(p, SRIOV_EVENT_NUMVFS) == SRIOV_RULES_WIPED) ||
	       (off && fate(p, SRIOV_EVENT_NTUPLE_OFF) == SRIOV_RULES_WIPED);
}

static bool is_as_wanted(const struct rule_state *want, const struct sriov_entry *now)
{
	return want->present && now && sriov_entry_same(&want->entry, now);
}

/* The index in the table of the entry at @loc, or -1. */
static long installed(const struct planner *p, uint32_t loc)
{
	const struct sriov_entry *entry = pf_rule(p->now, loc);

	return entry ? entry - p->now->rules : -1;
}

/* Whether what is wanted has to be inserted. */
static bool is_missing(const struct planner *p, const struct rule_state *want)
{
	long at = installed(p, want->entry.loc);

	return want->present && (p->wiped || at < 0 || p->gone[at]);
}

/* Whether an entry that nobody asked to change has to be inserted again; without ntuple it cannot. */
static bool comes_back(const struct planner *p, size_t i)
{
	const struct sriov_entry *entry = &p->now->rules[i];

	return (p->gone[i] || (p->wiped && p->ntuple)) && !state_find_rule(p->want, entry->loc) &&
	       !loses_target(p, entry);
}

/* What the driver takes only after more has gone than what differs. */
static void rewrite(struct planner *p)
{
	struct sriov_entry *inserts = calloc(p->want->nrules + p->now->nrules + 1,
					     sizeof(*inserts));
	size_t n = 0;

	if (!inserts) {
		p->failed = true;
		return;
	}
	for (size_t i = 0; i < p->now->nrules; i++)
		if (comes_back(p, i))
			inserts[n++] = p->now->rules[i];
	for (size_t i = 0; i < p->want->nrules; i++)
		if (is_missing(p, &p->want->rule[i]))
			inserts[n++] = p->want->rule[i].entry;
	nic_profile_rewrite(nic_profile_find(p->now->driver), p->now->rules, p->now->nrules,
			    p->gone, inserts, n);
	free(inserts);
}

void plan_rules(struct planner *p)
{
	p->gone = calloc(p->now->nrules + 1, sizeof(*p->gone));
	if (!p->gone) {
		p->failed = true;
		return;
	}
	p->wiped = is_wiped(p);
	for (size_t i = 0; i < p->now->nrules; i++) {
		const struct sriov_entry *entry = &p->now->rules[i];
		const struct rule_state *want = state_find_rule(p->want, entry->loc);

		p->gone[i] = want ? !is_as_wanted(want, entry) : loses_target(p, entry);
		p->gone[i] |= goes_stale(p, entry);
	}
	/* a table that is emptied anyway takes everything */
	if (!p->wiped)
		rewrite(p);
}

void plan_rules_out(struct planner *p)
{
	for (size_t i = 0; i < p->now->nrules && p->gone; i++) {
		const struct rule_state *want;
		struct step *step;

		if (!p->gone[i])
			continue;
		step = planner_add(p, STEP_RULE_DELETE);
		step->entry = p->now->rules[i];
		want = state_find_rule(p->want, step->entry.loc);
		if (want && (!want->present || is_as_wanted(want, &step->entry)))
			core_copy(step->name, sizeof(step->name), want->name);
	}
}

static void insert(struct planner *p, const struct sriov_entry *entry, const char *name)
{
	struct step *step = planner_add(p, STEP_RULE_INSERT);

	step->entry = *entry;
	core_copy(step->name, sizeof(step->name), name);
}

void plan_rules_in(struct planner *p)
{
	for (size_t i = 0; i < p->now->nrules && p->gone; i++)
		if (comes_back(p, i))
			insert(p, &p->now->rules[i], "");
	for (size_t i = 0; i < p->want->nrules && p->gone; i++)
		if (is_missing(p, &p->want->rule[i]))
			insert(p, &p->want->rule[i].entry, p->want->rule[i].name);
}

void plan_rules_notes(struct planner *p)
{
	for (size_t i = 0; i < p->now->nrules; i++) {
		const struct sriov_entry *entry = &p->now->rules[i];
		char words[256];

		if (!loses_target(p, entry) || state_find_rule(p->want, entry->loc))
			continue;
		sriov_entry_format(entry, words, sizeof(words));
		if (steps_note(p->out, "rule at location %u (%s) loses its VF and goes with it",
			       entry->loc, words) < 0)
			p->failed = true;
	}
}
