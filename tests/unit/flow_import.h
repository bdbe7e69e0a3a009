/* SPDX-License-Identifier: Apache-2.0 */
/* What importers read, as text; and how they refuse. */
#ifndef FLOW_IMPORT_H
#define FLOW_IMPORT_H

#include "flows/words.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* The rules, and behind them the notes: "line N: …", with "! " where something is left out. */
static inline char *shown(const struct sriov_rules *rules)
{
	char *text = NULL, line[1024];
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (size_t i = 0; i < rules->n; i++) {
		assert_int_equal(sriov_rule_format(&rules->at[i], line, sizeof(line)), 0);
		fprintf(out, "%s\n", line);
	}
	for (size_t i = 0; i < rules->notes.n; i++)
		fprintf(out, "%sline %u: %s\n", rules->notes.at[i].left_out ? "! " : "",
			rules->notes.at[i].line, rules->notes.at[i].text);
	fclose(out);
	return text;
}

static inline void reads(enum sriov_rules_format format, const char *text, const char *driver,
			 const char *expected)
{
	struct sriov_error err = {0};
	struct sriov_rules rules;
	_free_ char *found = NULL;

	if (sriov_rules_import(format, text, "f", driver, &rules, &err))
		fail_msg("'%s': %s: %s", text, err.object, err.message);
	found = shown(&rules);
	sriov_rules_clear(&rules);
	assert_string_equal(found, expected);
}

static inline void refuses(enum sriov_rules_format format, const char *text, int code,
			   const char *place, const char *message)
{
	struct sriov_rules rules, untouched;
	struct sriov_error err = {0};
	int r;

	memset(&rules, 0x5a, sizeof(rules));
	untouched = rules;
	r = sriov_rules_import(format, text, "f", NULL, &rules, &err);
	if (r != code || strcmp(err.object, place) || !strstr(err.message, message))
		fail_msg("'%s' gave %d at %s: %s", text, r, err.object, err.message);
	assert_memory_equal(&rules, &untouched, sizeof(rules));
}

#endif
