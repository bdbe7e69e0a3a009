/* SPDX-License-Identifier: Apache-2.0 */
/* What the fuzzers of texts share: the input as text, and what must be true. */
#ifndef FUZZ_H
#define FUZZ_H

#include <sriov/flow.h>
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

/* The input with an end, in memory of its exact size. */
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	MUST(text);
	memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

/* A refusal says something. */
static inline void fuzz_refused(int r, const struct sriov_error *err)
{
	MUST(r < 0 && err->code == r && err->message[0] && err->object[0]);
}

/* Every rule can be written, and reads as what it is: written again it is the same. */
static inline void fuzz_stable(const struct sriov_rules *rules)
{
	for (size_t i = 0; i < rules->n; i++) {
		char words[1024], again[1024];
		struct sriov_rule reread;

		MUST(!sriov_rule_format(&rules->at[i], words, sizeof(words)));
		MUST(!sriov_rule_parse(words, NULL, 0, &reread, NULL));
		MUST(!sriov_rule_format(&reread, again, sizeof(again)));
		MUST(!strcmp(words, again));
	}
	for (size_t i = 0; i < rules->notes.n; i++)
		MUST(rules->notes.at[i].text[0]);
}

/* What @format reads, it writes, and reads as the same list, but for what is not carried. */
static inline void fuzz_import(enum sriov_rules_format format, const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), *written = NULL;
	struct sriov_error err = {0};
	struct sriov_rules rules, back;
	int r = sriov_rules_import(format, text, size & 1 ? "f" : NULL, size & 2 ? "i40e" : NULL,
				   &rules, &err);

	free(text);
	if (r) {
		fuzz_refused(r, &err);
		return;
	}
	fuzz_stable(&rules);
	if (!sriov_rules_export(&rules, format, NULL, &written, &err)) {
		r = rules.n ? sriov_rules_import(format, written, NULL, NULL, &back, &err) : -1;
		if (rules.n) {
			MUST(!r && back.n == rules.n);
			fuzz_stable(&back);
			sriov_rules_clear(&back);
		}
		free(written);
	}
	sriov_rules_clear(&rules);
}

#endif
