/* SPDX-License-Identifier: Apache-2.0 */
/* Rules from the table of a port as `flow list` has it, with the names that entries of ours have. */
#include "flows/convert.h"

#include <errno.h>
#include <sriov/plan.h>
#include <string.h>

static bool has_name(const struct sriov_rules *rules, const char *name)
{
	for (size_t i = 0; i < rules->n; i++)
		if (!strcmp(rules->at[i].name, name))
			return true;
	return false;
}

/* One rule of ours can have several entries: from the second on they are NAME-2, NAME-3, … */
static void choose_name(const struct sriov_rules *rules, const char *name, char out[SRIOV_NAME_LEN])
{
	core_copy(out, SRIOV_NAME_LEN, name);
	for (unsigned n = 2; *name && has_name(rules, out); n++)
		snprintf(out, SRIOV_NAME_LEN, "%.*s-%u", SRIOV_NAME_LEN - 12, name, n);
}

SRIOV_EXPORT int sriov_rules_of_rows(const struct sriov_flow_row *rows, size_t n,
				     const char *driver, struct sriov_rules *out,
				     struct sriov_error *err)
{
	_cleanup_(sriov_rules_clear)
	struct sriov_rules rules = {0};
	int r = 0;

	for (const struct sriov_flow_row *row = rows; !r && row < rows + n; row++) {
		struct sriov_rule rule;
		const char *why = row->installed ? rule_of_entry(&row->entry, driver, &rule)
						 : "it is not installed";

		if (why) {
			r = note_add(&rules.notes, 0, true, "location %u: %s", row->entry.loc, why);
			continue;
		}
		choose_name(&rules, row->name, rule.name);
		core_copy(rule.owner, sizeof(rule.owner), row->owner);
		r = rules_add(&rules, &rule);
	}
	if (r)
		return core_oom(err);
	*out = rules;
	rules = (struct sriov_rules){0};
	return 0;
}
