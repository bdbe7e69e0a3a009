/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of rules as values: names, what makes two rules the same, and the list that old records lack. Pure. */
#ifndef SRIOV_PLAN_RULESET_H
#define SRIOV_PLAN_RULESET_H

#include "lib/plan/state.h"

/* The rule of that name, or NULL. */
struct sriov_rule *ruleset_named(const struct sriov_rules *list, const char *name);
/*
 * Whether @new says what @old says, whatever their names and owners: a @new without a location is content
 * with any.
 */
bool ruleset_same(const struct sriov_rule *old, const struct sriov_rule *new);
/* Adds a copy at the end. 0 or -ENOMEM. */
int ruleset_add(struct sriov_rules *list, const struct sriov_rule *rule);
/* Drops the @i'th rule; the others keep their order. */
void ruleset_drop(struct sriov_rules *list, size_t i);
/*
 * Names those without one: as the rule of @old that says the same, or "rule-1", "rule-2", …: the first that
 * neither list has. 0 or -ENOMEM.
 */
int ruleset_name(struct sriov_rules *list, const struct sriov_rules *old);
/* What an entry matches and does, as a rule without a name. */
void ruleset_of_entry(const struct sriov_entry *entry, struct sriov_rule *out);
/* The list of a state that was recorded without one: from its entries, by name. 0 or -ENOMEM. */
int ruleset_derive(struct pf_state *state);

#endif
