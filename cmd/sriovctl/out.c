/* SPDX-License-Identifier: Apache-2.0 */
/* The document, errors, and tables: see out.h. */
#include "cmd/sriovctl/out.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

json_t *out_text(const char *text)
{
	json_t *json = json_string(text);
	_free_ char *copy = NULL;

	if (json)
		return json;
	copy = strdup(text);
	if (!copy)
		return NULL;
	for (char *p = copy; *p; p++)
		if ((unsigned char)*p >= 0x80)
			*p = '?';
	return json_string(copy);
}

int out_add(struct out *out, const char *key, json_t *value, struct sriov_error *err)
{
	return json_object_set_new(out->doc, key, value) < 0 ? core_oom(err) : 0;
}

void out_error(struct out *out, const struct sriov_error *err)
{
	json_t *json;

	if (!out->doc) {
		/* what was shown so far belongs before the error, also where both go to one file */
		fflush(stdout);
		fprintf(stderr, "sriovctl: ");
		if (*err->object && strcmp(err->object, "sriovctl"))
			fprintf(stderr, "%s: ", err->object);
		fprintf(stderr, "%s\n", err->message);
		if (*err->kernel)
			fprintf(stderr, "  kernel: %s\n", err->kernel);
		if (*err->hint)
			fprintf(stderr, "  hint: %s\n", err->hint);
		return;
	}
	json = json_pack("{so so so so ss* si}", "object", out_text(err->object), "message",
			 out_text(err->message), "kernel", out_text(err->kernel), "hint",
			 out_text(err->hint), "errno", strerrorname_np(-err->code), "status",
			 (int)err->status);
	json_object_set_new(out->doc, "error", json);
}

int out_notes(struct out *out, const struct sriov_notes *notes, struct sriov_error *err)
{
	_json_ json_t *array = out->doc ? json_array() : NULL;

	for (const struct sriov_note *note = notes->at; note < notes->at + notes->n; note++) {
		if (out->doc)
			json_array_append_new(
				array, json_pack("{si sb so}", "line", (int)note->line, "left_out",
						 note->left_out, "text", out_text(note->text)));
		else if (note->line > 1)
			fprintf(stderr, "sriovctl: note: line %u: %s\n", note->line, note->text);
		else
			fprintf(stderr, "sriovctl: note: %s\n", note->text);
	}
	return out->doc ? out_add(out, "notes", core_steal(array), err) : 0;
}

int out_finish(struct out *out)
{
	if (out->doc && json_object_size(out->doc)) {
		json_dumpf(out->doc, stdout, JSON_INDENT(2));
		putchar('\n');
	}
	json_decref(out->doc);
	out->doc = NULL;
	errno = 0;
	return fflush(stdout) == EOF || ferror(stdout) ? -(errno ? errno : EIO) : 0;
}

void table_take(struct table *table, char *text)
{
	char **cell = core_grow(&table->cell, &table->ncells, sizeof(*cell));

	if (text && !*text) {
		free(text);
		text = strdup("-");
	}
	if (!cell || !text) {
		table->oom = true;
		free(text);
		return;
	}
	/* names come from outside: nothing that a terminal would obey */
	for (char *p = text; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	*cell = text;
}

void table_cell(struct table *table, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	table_take(table, text);
}

static const char *cell_at(const struct table *table, size_t row, size_t column)
{
	return table->cell[row * table->ncolumns + column];
}

/* The width of a column, 0 to leave it out. */
static int width_of(const struct table *table, size_t column)
{
	const struct column *c = &table->columns[column];
	size_t width = strlen(c->title), rows = table->ncells / table->ncolumns;
	bool used = !c->optional;

	for (size_t row = 0; row < rows; row++) {
		const char *text = cell_at(table, row, column);

		used = used || strcmp(text, "-");
		if (strlen(text) > width)
			width = strlen(text);
	}
	return used ? width : 0;
}

static void print_row(const struct table *table, const int *width, size_t row, int indent)
{
	int gap = indent, pad;

	/* row 0 is the heading; blanks are printed before the next cell, so never at a line's end */
	for (size_t i = 0; i < table->ncolumns; i++) {
		const char *text = row ? cell_at(table, row - 1, i) : table->columns[i].title;

		if (!width[i])
			continue;
		pad = width[i] - (int)strlen(text);
		if (table->columns[i].right)
			printf("%*s%s", gap + pad, "", text);
		else
			printf("%*s%s", gap, "", text);
		gap = 2 + (table->columns[i].right ? 0 : pad);
	}
	putchar('\n');
}

void table_clear(struct table *table)
{
	for (size_t i = 0; i < table->ncells; i++)
		free(table->cell[i]);
	free(table->cell);
	table->cell = NULL;
	table->ncells = 0;
}

int table_print(struct table *table, int indent, struct sriov_error *err)
{
	size_t rows = table->ncells / table->ncolumns;
	_free_ int *width = calloc(table->ncolumns, sizeof(*width));
	int r = table->oom || !width ? core_oom(err) : 0;

	if (!r && rows) {
		for (size_t i = 0; i < table->ncolumns; i++)
			width[i] = width_of(table, i);
		for (size_t row = 0; row <= rows; row++)
			print_row(table, width, row, indent);
	}
	table_clear(table);
	return r;
}
