/* SPDX-License-Identifier: Apache-2.0 */
/* Entries of a rule beside what the table holds: whether the driver takes them and they mean the same there. */
#include "flows/compile.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* "@before the one in the way @after". */
static bool clash(const struct compiler *c, size_t other, const char *before, const char *after,
		  struct nic_verdict *v)
{
	long owner = c->table.owner[other];
	char name[96];

	nic_refuse(v, 0, "another rule is in the way", "%s %s%s%s", before,
		   owner < 0 ? "a rule that somebody else made" : "",
		   owner < 0 ? "" : compile_rule_name(c->rules, owner, name), after);
	v->other = other;
	return nic_hint(v, owner < 0 ? "delete that rule first, or change this one"
				     : "change one of the two");
}

/* What the driver says of each entry as if the table were empty. */
static bool fit_alone(const struct compiler *c, struct lowered *low)
{
	struct nic_verdict v = {.result = SRIOV_EXACT, .other = TABLE_NONE};

	for (size_t i = 0; i < low->n; i++) {
		struct nic_case one = {c->profile, &c->port, &c->empty, &low->entry[i]};

		if (nic_check_type(&one, &v) && nic_run(c->profile->hazards, &one, &v) &&
		    nic_run(c->profile->checks, &one, &v))
			continue;
		low->v = v;
		return false;
	}
	return true;
}

/* A target is a queue, and how many there are may not have been read. */
static bool unknown_queues(const struct compiler *c, const struct lowered *low,
			   struct nic_verdict *v)
{
	const char *name = nic_port_name(&c->port);

	if (c->port.queues || low->rule.action.kind == SRIOV_ACTION_DROP)
		return false;
	nic_refuse(v, 0, "the number of RX rings is not known",
		   "the number of RX rings of %s is not known", name);
	nic_hint(v, "`ethtool -n %s` would say it; a snapshot says it as \"queues\"", name);
	return true;
}

/* What is not known of the port, or what the driver's instance has seen before. */
static bool fit_known(const struct compiler *c, struct lowered *low)
{
	struct nic_verdict v = c->whole;

	if (v.result == SRIOV_EXACT && unknown_queues(c, low, &v))
		v.result = SRIOV_UNSURE;
	for (size_t i = 0; i < low->n && v.result == SRIOV_EXACT; i++) {
		struct nic_case one = {c->profile, &c->port, &c->table, &low->entry[i]};

		if (!c->port.watched && c->profile->hidden && c->profile->hidden(&one, &v))
			v.result = SRIOV_UNSURE;
	}
	if (v.result == SRIOV_EXACT)
		return true;
	if (compile_allows(c, SRIOV_UNSURE) && c->table_size && low->v.result != SRIOV_EXACT)
		return true;
	low->v = v;
	return compile_allows(c, SRIOV_UNSURE) && c->table_size;
}

/* The same packets are in the table already: shared, taken as it stands, or in the way. */
static bool fit_same(const struct compiler *c, struct lowered *low, size_t i, size_t other)
{
	const struct sriov_entry *there = &c->table.at[other], *e = &low->entry[i];

	if (there->cookie != e->cookie)
		return clash(c, other, "the same packets match", ", which does something else",
			     &low->v);
	if (low->rule.loc >= 0 && there->loc != e->loc)
		return clash(c, other, "this rule is there already, as", ", at another location",
			     &low->v);
	low->at[i] = other;
	low->shared[i] = c->table.owner[other] >= 0;
	return true;
}

static bool fit_location(const struct compiler *c, struct lowered *low, size_t i)
{
	uint32_t loc = low->entry[i].loc;

	if (low->rule.loc < 0 || c->at_loc[loc] == TABLE_NONE)
		return true;
	clash(c, c->at_loc[loc], "the location asked for is taken by", "", &low->v);
	return nic_hint(&low->v, "leave 'loc' out to get a free one");
}

static bool fit_overlap(const struct compiler *c, struct lowered *low, size_t i)
{
	size_t other = nic_table_overlap(&c->table, &low->entry[i]);

	return other == TABLE_NONE ||
	       clash(c, other, "some packets match this rule and",
		     ", which does something else, and which wins is not defined", &low->v);
}

static bool fit_beside(const struct compiler *c, struct lowered *low, size_t i)
{
	struct nic_case one = {c->profile, &c->port, &c->table, &low->entry[i]};
	struct nic_verdict v = {.result = SRIOV_EXACT, .other = TABLE_NONE};
	size_t other = nic_table_same(&c->table, &low->entry[i]);

	low->at[i] = TABLE_NONE;
	if (other != TABLE_NONE)
		return fit_same(c, low, i, other) && fit_overlap(c, low, i);
	if (!fit_location(c, low, i))
		return false;
	if (!nic_run(c->profile->hazards, &one, &v) || !nic_run(c->profile->checks, &one, &v)) {
		low->v = v;
		return false;
	}
	return fit_overlap(c, low, i);
}

static bool fit_room(const struct compiler *c, struct lowered *low)
{
	size_t more = 0;

	for (size_t i = 0; i < low->n; i++)
		more += low->at[i] == TABLE_NONE && low->entry[i].loc >= c->profile->first_loc;
	if (more <= c->nfree)
		return true;
	nic_refuse(&low->v, -ENOSPC, "the table is full",
		   "the rule table of %s is full: %zu entries in %u locations",
		   nic_port_name(&c->port), c->table.n, c->table_size);
	low->v.result = SRIOV_FULL;
	return nic_hint(&low->v, "delete rules first");
}

void compile_fit(const struct compiler *c, struct lowered *low)
{
	low->in = fit_alone(c, low) && fit_known(c, low) && compile_allows(c, low->v.result);
	for (size_t i = 0; i < low->n && low->in; i++)
		low->in = fit_beside(c, low, i);
	low->in = low->in && fit_room(c, low);
}

void compile_put(struct compiler *c, struct lowered *low, long rule)
{
	for (size_t i = 0; i < low->n; i++) {
		struct sriov_entry *e = &low->entry[i];

		if (low->shared[i])
			continue;
		if (low->at[i] != TABLE_NONE) {
			c->table.owner[low->at[i]] = rule;
			continue;
		}
		c->nfree -= e->loc >= c->profile->first_loc;
		if (low->rule.loc < 0)
			e->loc = NO_LOC;
		low->at[i] = nic_table_add(&c->table, e, rule);
		if (low->rule.loc >= 0)
			c->at_loc[e->loc] = low->at[i];
	}
}
