/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of rules: one a line of a text or a file, with names that are distinct; and notes. */
#include "flows/rule.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define UTF8_MARK "\xef\xbb\xbf" /* which some editors put before a text */

SRIOV_EXPORT void sriov_notes_clear(struct sriov_notes *notes)
{
	free(notes->at);
	*notes = (struct sriov_notes){0};
}

SRIOV_EXPORT void sriov_rules_clear(struct sriov_rules *rules)
{
	free(rules->at);
	sriov_notes_clear(&rules->notes);
	*rules = (struct sriov_rules){0};
}

int rules_add(struct sriov_rules *rules, const struct sriov_rule *rule)
{
	struct sriov_rule *slot = core_grow(&rules->at, &rules->n, sizeof(*slot));

	if (!slot)
		return -ENOMEM;
	*slot = *rule;
	return 0;
}

int note_add(struct sriov_notes *notes, unsigned line, bool left_out, const char *fmt, ...)
{
	struct sriov_note note = {.line = line, .left_out = left_out}, *slot;
	va_list ap;

	if (!notes)
		return 0;
	va_start(ap, fmt);
	vsnprintf(note.text, sizeof(note.text), fmt, ap);
	va_end(ap);
	/* what every line of a file has is said once */
	if (!left_out && notes->n && !strcmp(notes->at[notes->n - 1].text, note.text))
		return 0;
	slot = core_grow(&notes->at, &notes->n, sizeof(*slot));
	if (!slot)
		return -ENOMEM;
	*slot = note;
	return 0;
}

/* By name, then as they stand in the file; both are elements of the list. */
static int by_name(const void *a, const void *b)
{
	const struct sriov_rule *const *ra = a, *const *rb = b;
	int order = strcmp((*ra)->name, (*rb)->name);

	return order ? order : (*ra > *rb) - (*ra < *rb);
}

/* The first rule with a name that an earlier one has, which is @first; NULL if there is none. */
static int find_twin(const struct sriov_rules *rules, const struct sriov_rule **twin,
		     const struct sriov_rule **first)
{
	_free_ const struct sriov_rule **sorted = calloc(rules->n + 1, sizeof(struct sriov_rule *));

	*twin = NULL;
	if (!sorted)
		return -ENOMEM;
	for (size_t i = 0; i < rules->n; i++)
		sorted[i] = &rules->at[i];
	qsort(sorted, rules->n, sizeof(*sorted), by_name);
	for (size_t i = 1; i < rules->n; i++) {
		if (!sorted[i]->name[0] || strcmp(sorted[i]->name, sorted[i - 1]->name) ||
		    (*twin && sorted[i] > *twin))
			continue;
		*twin = sorted[i];
		*first = sorted[i - 1];
	}
	return 0;
}

int rules_check_names(const struct sriov_rules *rules, struct sriov_error *err)
{
	const struct sriov_rule *twin, *first;

	if (find_twin(rules, &twin, &first))
		return core_oom(err);
	if (!twin)
		return 0;
	return sriov_error_set(err, -EEXIST, twin->name, "rules %td and %td both have this name",
			       first - rules->at + 1, twin - rules->at + 1);
}

/* Points at the name in its line. */
static int refuse_twin(const char *text, const char *file, const struct sriov_rule *twin,
		       const struct sriov_rule *first, struct sriov_error *err)
{
	struct word word, last = {0}, name = {0};
	struct lexer lex;

	for (unsigned line = 1; line < twin->line; line++)
		text = strchr(text, '\n') + 1;
	lex_start(&lex, text, file, twin->line, err);
	/* the last one: a guest may be called "name" */
	for (; lex_next(&lex, &word) > 0; last = word)
		if (!strcmp(last.text, "name") && !strcmp(word.text, twin->name))
			name = word;
	lex_error(&lex, -EEXIST, &name, "line %u has a rule of this name already", first->line);
	return sriov_error_hint(err,
				"the names of a list are distinct: name it otherwise, or leave "
				"`name` out");
}

static int parse_lines(char *text, const char *file, struct sriov_rules *out,
		       struct sriov_error *err)
{
	char *next;

	for (unsigned line = 1; text; line++, text = next) {
		struct sriov_rule rule;
		int r;

		next = strchr(text, '\n');
		if (next)
			*next++ = '\0';
		r = sriov_rule_read(text, file, line, &rule, &out->notes, err);
		if (r == -ENODATA) /* an empty line, or a comment */
			continue;
		if (r)
			return r;
		if (rules_add(out, &rule))
			return core_oom(err);
	}
	return 0;
}

SRIOV_EXPORT int sriov_rules_parse(const char *text, const char *file, struct sriov_rules *out,
				   struct sriov_error *err)
{
	_cleanup_(sriov_rules_clear)
	struct sriov_rules rules = {0};
	const struct sriov_rule *twin, *first;
	_free_ char *copy = NULL;
	int r;

	if (!strncmp(text, UTF8_MARK, strlen(UTF8_MARK)))
		text += strlen(UTF8_MARK);
	copy = strdup(text);
	if (!copy)
		return core_oom(err);
	core_copy(rules.file, sizeof(rules.file), file);
	r = parse_lines(copy, file, &rules, err);
	if (r)
		return r;
	if (find_twin(&rules, &twin, &first))
		return core_oom(err);
	if (twin)
		return refuse_twin(text, file, twin, first, err);
	*out = rules;
	rules = (struct sriov_rules){0};
	return 0;
}

int flow_text_read(const char *path, char **text, const char **name, struct sriov_error *err)
{
	bool standard = !strcmp(path, "-");
	_free_ char *read = NULL;
	size_t size;
	int r;

	*name = standard ? "standard input" : path;
	r = core_read_file(AT_FDCWD, standard ? "/dev/stdin" : path, SRIOV_RULES_FILE_MAX, &read,
			   &size);
	if (r == -EFBIG)
		return sriov_error_set(err, r, *name, "larger than %d MiB",
				       SRIOV_RULES_FILE_MAX >> 20);
	if (r)
		return core_errno(err, r, *name, "cannot be read");
	if (strlen(read) != size) {
		sriov_error_set(err, -EINVAL, *name, "a byte of value 0 stands at offset %zu",
				strlen(read));
		return sriov_error_hint(err, "rules are text: is this the right file?");
	}
	*text = core_steal(read);
	return 0;
}

SRIOV_EXPORT int sriov_rules_read(const char *path, struct sriov_rules *out,
				  struct sriov_error *err)
{
	_free_ char *text = NULL;
	const char *name;
	int r = flow_text_read(path, &text, &name, err);

	return r ? r : sriov_rules_parse(text, name, out, err);
}
