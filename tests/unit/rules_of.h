/* SPDX-License-Identifier: Apache-2.0 */
/* Rules and entries in short, for tests. */
#ifndef TESTS_UNIT_RULES_OF_H
#define TESTS_UNIT_RULES_OF_H

#include <sriov/flow.h>

/* The list of the lines of @text. The caller clears it. */
static inline struct sriov_rules list(const char *text)
{
	struct sriov_rules rules = {0};
	struct sriov_error err = {0};

	if (sriov_rules_parse(text, "test", &rules, &err))
		fail_msg("%s", err.message);
	return rules;
}

static inline struct sriov_entry udp_to(uint32_t loc, uint16_t dst_port, uint64_t cookie)
{
	struct sriov_entry entry = {.loc = loc, .type = SRIOV_FLOW_UDP4, .cookie = cookie};

	entry.value.dst_port = dst_port;
	entry.mask.dst_port = 0xffff;
	return entry;
}

#endif
