/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes lists of rules: no text may crash the reader, every refusal says something, and what is read
 * survives print and parse, is written in every format or refused with words, and survives JSON.
 *
 *     clang -fsanitize=fuzzer,address,undefined …; fuzz_rules tests/fuzz/corpus/rules
 */
#include "tests/fuzz/fuzz.h"

static void export(const struct sriov_rules *rules)
{
	for (unsigned format = SRIOV_RULES_ETHTOOL; format <= SRIOV_RULES_JSON; format++) {
		struct sriov_error err = {0};
		struct sriov_rules back;
		char *text = NULL;
		int r = sriov_rules_export(rules, format, NULL, &text, &err);

		if (r) {
			fuzz_refused(r, &err);
			MUST(!text && format != SRIOV_RULES_JSON);
			continue;
		}
		if (format == SRIOV_RULES_JSON) {
			MUST(!sriov_rules_import(format, text, NULL, NULL, &back, &err));
			MUST(back.n == rules->n);
			fuzz_stable(&back);
			sriov_rules_clear(&back);
		}
		free(text);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct sriov_error err = {0};
	struct sriov_rules rules;
	int r = sriov_rules_parse(text, size & 1 ? "f" : NULL, &rules, &err);

	free(text);
	if (r) {
		fuzz_refused(r, &err);
		return 0;
	}
	fuzz_stable(&rules);
	export(&rules);
	sriov_rules_clear(&rules);
	return 0;
}
