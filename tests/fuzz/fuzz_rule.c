/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes the rule language: no text may crash the parser, every refusal says something, and whatever is
 * read survives print and parse and can be compiled for every modelled driver without harm.
 *
 *     clang -fsanitize=fuzzer,address,undefined …; fuzz_rule tests/fuzz/corpus/rule
 */
#include "tests/fuzz/fuzz.h"

#include <sriov/host.h>

static void compile(const struct sriov_rule *rule)
{
	static const char *const drivers[] = {"ixgbe", "i40e", "igb", "ice"};

	for (size_t i = 0; i < sizeof(drivers) / sizeof(*drivers); i++) {
		struct sriov_entry there = {.loc = 1, .type = SRIOV_FLOW_UDP4, .cookie = 1};
		struct sriov_entry out[SRIOV_RULE_ENTRIES_MAX];
		struct sriov_error err = {0};
		struct sriov_pf port = {.vfs = 4,
					.queues = 4,
					.ntuple = SRIOV_NTUPLE_ON,
					.rules_max = 16,
					.rules = &there,
					.nrules = 1};
		char text[512];
		size_t n = 0;

		snprintf(port.driver, sizeof(port.driver), "%s", drivers[i]);
		if (sriov_rule_compile(rule, &port, out, &n, &err)) {
			MUST(err.code < 0 && err.message[0] && err.object[0]);
			continue;
		}
		MUST(n >= 1 && n <= SRIOV_RULE_ENTRIES_MAX);
		for (size_t k = 0; k < n; k++) {
			MUST(!sriov_entry_format(&out[k], text, sizeof(text)));
			MUST(sriov_entry_same(&out[k], &out[k]));
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct sriov_error err = {0};
	struct sriov_rule rule;
	int r = sriov_rule_parse(text, size & 1 ? "f" : NULL, 1, &rule, &err);

	free(text);
	if (r) {
		fuzz_refused(r, &err);
		return 0;
	}
	fuzz_stable(&(struct sriov_rules){.at = &rule, .n = 1});
	compile(&rule);
	return 0;
}
