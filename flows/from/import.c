/* SPDX-License-Identifier: Apache-2.0 */
/* Rules from other tongues: which reader reads what, and entries of a table as rules. */
#include "flows/convert.h"

#include <errno.h>
#include <string.h>

SRIOV_EXPORT int sriov_rules_import(enum sriov_rules_format format, const char *text,
				    const char *file, const char *driver, struct sriov_rules *out,
				    struct sriov_error *err)
{
	static import_fn *const readers[] = {
		[SRIOV_RULES_ETHTOOL] = import_ethtool,
		[SRIOV_RULES_TESTPMD] = import_testpmd,
		[SRIOV_RULES_JSON] = import_json,
	};
	_cleanup_(sriov_rules_clear)
	struct sriov_rules rules = {0};
	int r;

	if ((unsigned)format >= ARRAY_SIZE(readers) || !readers[format])
		return sriov_error_set(err, -EOPNOTSUPP, "import", "this format is only written");
	core_copy(rules.file, sizeof(rules.file), file);
	r = readers[format](text, driver, &rules, err);
	if (r)
		return r;
	*out = rules;
	rules = (struct sriov_rules){0};
	return 0;
}

SRIOV_EXPORT int sriov_rules_import_file(enum sriov_rules_format format, const char *path,
					 const char *driver, struct sriov_rules *out,
					 struct sriov_error *err)
{
	_free_ char *text = NULL;
	const char *name;
	int r = flow_text_read(path, &text, &name, err);

	return r ? r : sriov_rules_import(format, text, name, driver, out, err);
}

const char *rule_of_entry(const struct sriov_entry *entry, const char *driver,
			  struct sriov_rule *out)
{
	struct sriov_entry clean = *entry;
	const char *why;

	if (!sriov_flow_type_word(entry->type))
		return "its flow type has no word here";
	if (entry->loc > RULE_LOC_MAX)
		return "its location is no place in a table";
	nic_profile_readback(driver ? nic_profile_find(driver) : NULL, &clean);
	entry_canonical(&clean);
	*out = (struct sriov_rule){.type = clean.type,
				   .value = clean.value,
				   .mask = clean.mask,
				   .weight = 1,
				   .loc = clean.loc};
	/* i40e has a table of its own for each of TCP, UDP, SCTP and the rest */
	if (driver && !strcmp(driver, "i40e")) {
		if (out->type == SRIOV_FLOW_IP4)
			out->type = SRIOV_FLOW_IP4_OTHER;
		else if (out->type == SRIOV_FLOW_IP6)
			out->type = SRIOV_FLOW_IP6_OTHER;
	}
	why = cookie_action(clean.cookie, &out->action);
	return why;
}

SRIOV_EXPORT int sriov_rule_of_entry(const struct sriov_entry *entry, const char *driver,
				     struct sriov_rule *out, struct sriov_error *err)
{
	struct sriov_rule rule;
	const char *why = rule_of_entry(entry, driver, &rule);
	char object[32];

	if (why) {
		snprintf(object, sizeof(object), "location %u", entry->loc);
		return sriov_error_set(err, -ENOTSUP, object, "not a rule in words: %s", why);
	}
	*out = rule;
	return 0;
}
