/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes the rule language: no text may crash the parser, every refusal says something, and whatever is
 * read survives print and parse and can be compiled for every modelled driver without harm.
 *
 *     clang -fsanitize=fuzzer,address,undefined …; fuzz_rule tests/fuzz/corpus/rule
 */
#include <errno.h>
#include <sriov/host.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "not true: %s\n", #condition);                             \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

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
	char *text = malloc(size + 1), words[1024], again[1024];
	struct sriov_rule rule, reread;
	struct sriov_error err = {0};
	int r;

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	r = sriov_rule_parse(text, size & 1 ? "f" : NULL, 1, &rule, &err);
	free(text);
	if (r) {
		MUST(err.code == r && err.message[0] && err.object[0]);
		return 0;
	}
	MUST(!sriov_rule_format(&rule, words, sizeof(words)));
	MUST(!sriov_rule_parse(words, NULL, 0, &reread, &err));
	MUST(!sriov_rule_format(&reread, again, sizeof(again)));
	MUST(!strcmp(words, again));
	compile(&rule);
	return 0;
}
