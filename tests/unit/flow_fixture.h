/* SPDX-License-Identifier: Apache-2.0 */
/* Ports with rules, from words. */
#ifndef FLOW_FIXTURE_H
#define FLOW_FIXTURE_H

#include "flows/nic/profile.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define X520 0x10fb
#define X550 0x1563
#define I210 0x1533
#define I350 0x1521

struct port_words {
	const char *driver;
	uint16_t device;
	unsigned vfs, queues;
	const char *rules[5]; /* with loc */
	unsigned rules_max;
	enum sriov_ntuple ntuple; /* UNKNOWN stands for on here */
};

static inline void rule_of(const char *text, struct sriov_rule *rule)
{
	struct sriov_error err = {0};

	if (sriov_rule_parse(text, NULL, 0, rule, &err))
		fail_msg("%s", err.message);
}

/* The entry of those words as it stands, whatever a driver would make of it. */
static inline struct sriov_entry entry_of(const char *text)
{
	struct sriov_rule rule;
	struct sriov_entry entry;

	rule_of(text, &rule);
	entry = (struct sriov_entry){.type = rule.type,
				     .value = rule.value,
				     .mask = rule.mask,
				     .cookie = action_cookie(&rule.action),
				     .ext = true};
	entry_canonical(&entry);
	entry.loc = rule.loc < 0 ? 1 : rule.loc;
	return entry;
}

/* @rules has room for as many as the words have. */
static inline void port_of(const struct port_words *words, struct sriov_entry *rules,
			   struct sriov_pf *port)
{
	*port = (struct sriov_pf){.address = "0000:81:00.0",
				  .netdev = "eno1",
				  .device = words->device,
				  .in_tree = SRIOV_YES,
				  .watched = true,
				  .vfs = words->vfs,
				  .queues = words->queues,
				  .ntuple = words->ntuple ? words->ntuple : SRIOV_NTUPLE_ON,
				  .rules = rules,
				  .rules_max = words->rules_max};
	core_copy(port->driver, sizeof(port->driver), words->driver);
	while (port->nrules < ARRAY_SIZE(words->rules) && words->rules[port->nrules]) {
		rules[port->nrules] = entry_of(words->rules[port->nrules]);
		port->nrules++;
	}
}

/* A list of one rule; fails with the driver's errno, or -EOPNOTSUPP where it is ours. */
static inline int compile_one(const struct sriov_rule *rule, const struct sriov_pf *port,
			      struct sriov_entry out[NIC_EXPANSION_MAX], size_t *n,
			      struct sriov_error *err)
{
	struct sriov_rule one = *rule;
	const struct sriov_rules rules = {.at = &one, .n = 1};
	struct sriov_compiled compiled = {0};
	int r = sriov_rules_compile(&rules, port, NULL, &compiled, err);

	if (r == -ENOTSUP) {
		r = compiled.verdict[0].err ? compiled.verdict[0].err : -EOPNOTSUPP;
	} else if (!r) {
		*n = compiled.nentries;
		memcpy(out, compiled.entry, *n * sizeof(*out));
	}
	sriov_compiled_clear(&compiled);
	return r;
}

/* Whether the driver's checks take the entry on the port as it stands. */
static inline bool admits(const struct sriov_pf *port, const struct sriov_entry *entry,
			  struct nic_verdict *v)
{
	const struct nic_profile *profile = nic_profile_find(port->driver);
	struct nic_table table;
	const struct nic_case one = {profile, port, &table, entry};
	bool ok;

	*v = (struct nic_verdict){.result = SRIOV_EXACT, .other = TABLE_NONE};
	assert_int_equal(nic_table_init(&table, profile, port->nrules), 0);
	for (size_t i = 0; i < port->nrules; i++)
		nic_table_add(&table, &port->rules[i], nic_match_hash(&port->rules[i]), -1);
	ok = nic_run(profile->checks, &one, v);
	nic_table_clear(&table);
	return ok;
}

#endif
