/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes the rule language: no text may crash the parser, every refusal says something, and whatever is
 * read survives print and parse and can be compiled for every modelled driver without harm.
 *
 *     clang -fsanitize=fuzzer,address,undefined …; fuzz_rule tests/fuzz/corpus/rule
 */
#include "tests/fuzz/fuzz.h"

#include <errno.h>
#include <sriov/host.h>

static void compile(struct sriov_rule *rule)
{
	static const char *const nics[] = {"82599,vfs=4", "X550", "X710,vfs=4", "I210"};
	const struct sriov_rules rules = {.at = rule, .n = 1};

	for (size_t i = 0; i < sizeof(nics) / sizeof(*nics); i++) {
		struct sriov_entry there = {.loc = 1, .type = SRIOV_FLOW_UDP4, .cookie = 1};
		struct sriov_compiled out = {0};
		struct sriov_error err = {0};
		struct sriov_pf port;
		char text[512];
		int r;

		MUST(!sriov_nic_port(nics[i], &port, &err));
		port.rules = &there;
		port.nrules = i % 2;
		r = sriov_rules_compile(&rules, &port, NULL, &out, &err);
		MUST(!r == (out.verdict[0].result == SRIOV_EXACT) && !r == !out.verdict[0].why[0]);
		MUST(!r || (r == -ENOTSUP && err.code == r && err.message[0] && err.object[0]));
		MUST(!r == !!out.nentries);
		for (size_t k = 0; k < out.nentries; k++) {
			MUST(!sriov_entry_format(&out.entry[k], text, sizeof(text)));
			MUST(sriov_entry_same(&out.entry[k], &out.entry[k]));
		}
		sriov_compiled_clear(&out);
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
