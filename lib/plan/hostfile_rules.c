/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of host files: in a block, or in a file beside. */
#include "lib/plan/hostfile_read.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Where rules stand twice, or in two ways. */
static int take_rules(struct hostfile_reader *reader, const struct core_yaml *value,
		      struct hostfile_pf *pf, const char *text, const char *name)
{
	if (pf->has_rules) {
		core_yaml_error(reader->err, -EEXIST, reader->name, value->key_line,
				value->key_column, "rules and rules-file are given both");
		return sriov_error_hint(reader->err, "keep one of them");
	}
	pf->has_rules = true;
	return sriov_rules_parse(text, name, &pf->rules, reader->err);
}

/*
 * The lines of the host file itself, those before made empty, so that errors of rules have their places in it. A
 * text that is no block is put where it stands.
 */
static char *rules_in_place(struct hostfile_reader *reader, const struct core_yaml *value)
{
	const char *from = reader->text, *to;
	char *text;

	if (!value->literal)
		return core_printf("%s%*s%s", "", value->column - 1, "", value->text);
	for (unsigned line = 0; line < value->line && from; line++) {
		from = strchr(from, '\n');
		if (from)
			from++;
	}
	if (!from)
		return strdup("");
	to = from;
	for (unsigned line = value->line + 1; line < value->last_line && *to; line++) {
		to += strcspn(to, "\n");
		to += *to == '\n';
	}
	text = malloc(value->line + (to - from) + 1);
	if (!text)
		return NULL;
	memset(text, '\n', value->line);
	memcpy(text + value->line, from, to - from);
	text[value->line + (to - from)] = '\0';
	return text;
}

int hostfile_rules(struct hostfile_reader *reader, const struct core_yaml *value,
		   const struct hostfile_key *key, void *into)
{
	_free_ char *text = NULL;

	if (value->kind != CORE_YAML_TEXT || (!value->literal && value->text[0]))
		return hostfile_wrong(
			reader, value, "a block of rules",
			"write `rules: |` and the rules in the lines below, indented; \"\" = "
			"none");
	text = rules_in_place(reader, value);
	if (!text)
		return core_oom(reader->err);
	return take_rules(reader, value, into, text, reader->name);
}

int hostfile_rules_file(struct hostfile_reader *reader, const struct core_yaml *value,
			const struct hostfile_key *key, void *into)
{
	const char *slash = strrchr(reader->name, '/');
	struct hostfile_pf *pf = into;
	_free_ char *text = NULL, *name = NULL;
	size_t size;
	int r;

	if (value->kind != CORE_YAML_TEXT || !value->text[0])
		return hostfile_wrong(reader, value, "a file",
				      "its name, as seen from this file's folder");
	name = value->text[0] == '/' || !slash ? strdup(value->text)
					       : core_printf("%.*s/%s", (int)(slash - reader->name),
							     reader->name, value->text);
	if (!name)
		return core_oom(reader->err);
	r = core_read_file(reader->dir, value->text, SRIOV_RULES_FILE_MAX, &text, &size);
	if (r < 0) {
		core_yaml_error(reader->err, r, reader->name, value->line, value->column,
				"%.200s cannot be read", name);
		return sriov_error_kernel(reader->err, "%s", strerror(-r));
	}
	if (strlen(text) != size)
		return hostfile_wrong(reader, value, "a file of rules: it has a NUL byte",
				      "a rule a line, as text");
	pf->from_file = true;
	return take_rules(reader, value, pf, text, name);
}
