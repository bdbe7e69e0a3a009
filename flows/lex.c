/* SPDX-License-Identifier: Apache-2.0 */
/* The lexer of rules: words between blanks, comments, and errors that point at their place. */
#include "flows/rule.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PLACE_FILE_WIDTH 64 /* so that line and column fit behind it */
#define EXCERPT_WIDTH 72    /* of a long line, so that both lines of an excerpt stay readable */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

/* A byte that continues a UTF-8 character: it takes no column of its own. */
static bool is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

static unsigned columns(const char *from, const char *to)
{
	unsigned n = 0;

	for (; from < to; from++)
		n += !is_continuation(*from);
	return n;
}

/* The end of the line that @text starts with. */
static const char *line_end(const char *text)
{
	return text + strcspn(text, "\n");
}

bool rule_guest_ok(const char *name)
{
	_json_ json_t *utf8 = json_string(name); /* NULL if it is not UTF-8 */
	size_t len = strnlen(name, SRIOV_NAME_LEN);

	for (const char *c = name; *c; c++)
		if (is_blank(*c) || is_control(*c))
			return false;
	return utf8 && len && len < SRIOV_NAME_LEN && *name != '#';
}

bool rule_name_ok(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
	static const char others[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789.:/-";
	size_t len = strnlen(name, SRIOV_NAME_LEN);

	return len && len < SRIOV_NAME_LEN && strchr(letters, *name) && strspn(name, others) == len;
}

void lex_start(struct lexer *lex, const char *text, const char *file, unsigned line,
	       struct sriov_error *err)
{
	*lex = (struct lexer){
		.text = text, .next = text, .last = text, .file = file, .line = line, .err = err};
}

int lex_next(struct lexer *lex, struct word *out)
{
	const char *at = lex->next, *end;

	while (is_blank(*at))
		at++;
	if (*at == '#')
		at = line_end(at);
	if (*at == '\n') {
		const char *rest = at + strspn(at, " \t\r\n");

		if (*rest)
			return lex_error(lex, -EINVAL, NULL,
					 "a rule is one line, and this text goes on in the next");
		at = rest;
	}
	lex->next = at;
	if (!*at)
		return 0;
	for (end = at; *end && *end != '\n' && !is_blank(*end);)
		end++;
	out->column = columns(lex->text, at) + 1;
	out->width = columns(at, end);
	if ((size_t)(end - at) >= sizeof(out->text))
		return lex_error(lex, -EINVAL, out, "this word is too long to be one of a rule");
	memcpy(out->text, at, end - at);
	out->text[end - at] = '\0';
	for (const char *c = out->text; *c; c++)
		if (is_control(*c)) /* would reach a terminal by way of an error */
			return lex_error(lex, -EINVAL, out,
					 "there is a control character in this word");
	lex->next = lex->last = end;
	return 1;
}

int lex_peek(const struct lexer *lex, struct word *out)
{
	struct lexer ahead = *lex;

	return lex_next(&ahead, out);
}

/* One ASCII character for each character of a line. */
static char printable(char c)
{
	if (is_blank(c))
		return ' ';
	return is_control(c) || (unsigned char)c >= 0x80 ? '?' : c;
}

/*
 * The columns from @first of the line, as plain ASCII, so that a caret below stands where it
 * should.
 */
static void excerpt(const char *line, unsigned first, char *out, size_t size)
{
	const char *end = line_end(line);
	unsigned column = 1;
	size_t len = 0;

	for (; line < end && len + 1 < size; line++) {
		if (is_continuation(*line))
			continue;
		if (column++ >= first)
			out[len++] = printable(*line);
	}
	out[len] = '\0';
}

/* "rules.txt:3:12"; of a long path its end, which tells more. */
static void write_place(const struct lexer *lex, unsigned column, char *out, size_t size)
{
	size_t len = lex->file ? strlen(lex->file) : 0;

	if (len > PLACE_FILE_WIDTH)
		snprintf(out, size, "…%s:%u:%u", lex->file + len - PLACE_FILE_WIDTH, lex->line,
			 column);
	else if (lex->file)
		snprintf(out, size, "%s:%u:%u", lex->file, lex->line, column);
	else if (lex->line > 1)
		snprintf(out, size, "line %u, column %u", lex->line, column);
	else
		snprintf(out, size, "column %u", column);
}

int lex_error(const struct lexer *lex, int code, const struct word *word, const char *fmt, ...)
{
	char what[320], place[96], line[EXCERPT_WIDTH + 1], carets[EXCERPT_WIDTH + 1];
	unsigned column, width = word ? word->width : 1, first = 1;
	va_list ap;

	column = word ? word->column : columns(lex->text, lex->last) + 1;
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	write_place(lex, column, place, sizeof(place));
	if (column > EXCERPT_WIDTH - 12)
		first = column - EXCERPT_WIDTH / 2;
	excerpt(lex->text, first, line, sizeof(line));
	if (width > EXCERPT_WIDTH - (column - first))
		width = EXCERPT_WIDTH - (column - first);
	memset(carets, '~', width);
	carets[0] = '^';
	carets[width ? width : 1] = '\0';
	return sriov_error_set(lex->err, code, place, "%s\n  %s\n  %*s%s", what, line,
			       (int)(column - first), "", carets);
}
