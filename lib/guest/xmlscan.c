/* SPDX-License-Identifier: Apache-2.0 */
/* See xmlscan.h. */
#include "lib/guest/xmlscan.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

int xmlscan_fail(struct xmlscan *scan, int code, const char *what)
{
	unsigned line = 1;

	if (scan->code)
		return scan->code;
	for (const char *at = scan->text; at < scan->at; at++)
		line += *at == '\n';
	scan->code = code;
	return sriov_error_set(scan->err, code, scan->object, "line %u: %s", line, what);
}

/* ---- spans ---- */

bool xmlspan_is(struct xmlspan span, const char *word)
{
	return span.at && strlen(word) == span.len && !memcmp(span.at, word, span.len);
}

struct xmlspan xmltag_attr(const struct xmltag *tag, const char *name)
{
	for (size_t i = 0; i < tag->n; i++)
		if (xmlspan_is(tag->key[i], name))
			return tag->value[i];
	return (struct xmlspan){0};
}

static const struct {
	const char *name;
	char is;
} entities[] = {{"amp;", '&'}, {"lt;", '<'}, {"gt;", '>'}, {"quot;", '"'}, {"apos;", '\''}};

/* One reference behind "&": the bytes that it stands for; how long it is, 0 if it is none. */
static size_t dereference(const char *at, size_t len, char out[5])
{
	const char *semicolon = memchr(at, ';', len < 12 ? len : 12);
	unsigned long code;
	char *end;
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(entities); i++) {
		size_t size = strlen(entities[i].name);

		if (size > len || memcmp(at, entities[i].name, size) != 0)
			continue;
		out[0] = entities[i].is;
		out[1] = '\0';
		return size;
	}
	if (!semicolon || *at != '#')
		return 0;
	code = at[1] == 'x' ? strtoul(at + 2, &end, 16) : strtoul(at + 1, &end, 10);
	if (end != semicolon || !isxdigit((unsigned char)end[-1]) || !code || code > 0x10ffff)
		return 0;
	if (code < 0x80) {
		out[n++] = code;
	} else {
		unsigned bytes = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

		out[n++] = (0xf00 >> bytes) | code >> 6 * (bytes - 1);
		for (unsigned i = bytes - 1; i--;)
			out[n++] = 0x80 | (code >> 6 * i & 0x3f);
	}
	out[n] = '\0';
	return semicolon + 1 - at;
}

/* What a span says, without blanks around it, in fresh memory; NULL without memory, or with an unknown entity. */
char *xmlscan_decode(struct xmlscan *scan, struct xmlspan span)
{
	char *out = malloc(span.len + 1);
	size_t n = 0, lead;

	if (!out) {
		scan->code = core_oom(scan->err);
		return NULL;
	}
	for (size_t i = 0; i < span.len; i++) {
		char bytes[5];
		size_t len;

		if (span.at[i] != '&') {
			out[n++] = span.at[i];
			continue;
		}
		len = dereference(span.at + i + 1, span.len - i - 1, bytes);
		if (!len) {
			free(out);
			xmlscan_fail(scan, -EINVAL,
				     "a reference to an entity that XML does not have");
			return NULL;
		}
		memcpy(out + n, bytes, strlen(bytes));
		n += strlen(bytes);
		i += len;
	}
	while (n && isspace((unsigned char)out[n - 1]))
		n--;
	out[n] = '\0';
	lead = strspn(out, " \t\r\n");
	memmove(out, out + lead, strlen(out + lead) + 1);
	return out;
}

/* The same into a buffer; false, and it stays empty, if it does not fit. */
bool xmlscan_copy(struct xmlscan *scan, struct xmlspan span, char *out, size_t size)
{
	_free_ char *text = span.at ? xmlscan_decode(scan, span) : NULL;

	out[0] = '\0';
	if (!text || strlen(text) >= size)
		return false;
	core_copy(out, size, text);
	return true;
}

/* ---- the walk ---- */

static bool is_name_char(char c)
{
	return isalnum((unsigned char)c) || strchr("_-.:", c) || (c & 0x80);
}

static struct xmlspan read_name(struct xmlscan *scan)
{
	struct xmlspan name = {.at = scan->at};

	while (scan->at < scan->stop && *scan->at && is_name_char(*scan->at))
		scan->at++;
	name.len = scan->at - name.at;
	return name;
}

static void skip_blanks(struct xmlscan *scan)
{
	while (scan->at < scan->stop && isspace((unsigned char)*scan->at))
		scan->at++;
}

static bool skip_past(struct xmlscan *scan, const char *mark)
{
	const char *found = memmem(scan->at, scan->stop - scan->at, mark, strlen(mark));

	if (!found)
		return false;
	scan->at = found + strlen(mark);
	return true;
}

static int read_attr(struct xmlscan *scan, struct xmltag *tag)
{
	struct xmlspan key = read_name(scan), value;
	const char *close;
	char quote;

	skip_blanks(scan);
	if (!key.len || scan->at == scan->stop || *scan->at != '=')
		return xmlscan_fail(scan, -EINVAL, "an attribute is malformed");
	scan->at++;
	skip_blanks(scan);
	quote = scan->at < scan->stop ? *scan->at++ : '\0';
	close = quote == '"' || quote == '\'' ? memchr(scan->at, quote, scan->stop - scan->at)
					      : NULL;
	if (!close || memchr(scan->at, '<', close - scan->at))
		return xmlscan_fail(scan, -EINVAL, "the value of an attribute has no end");
	value = (struct xmlspan){scan->at, close - scan->at};
	scan->at = close + 1;
	if (tag->n < XMLSCAN_ATTRS) {
		tag->key[tag->n] = key;
		tag->value[tag->n++] = value;
	}
	return 0;
}

/* An element that declares the namespace of its own prefix: as far as it reaches, elements are called by ours. */
static void enter_namespace(struct xmlscan *scan, const struct xmltag *tag)
{
	const char *colon = memchr(tag->name.at, ':', tag->name.len);
	size_t len = colon ? (size_t)(colon - tag->name.at) : 0, url;
	struct xmlspan value;
	char key[64];

	if (!len || len > 32 || scan->inside || !scan->namespace)
		return;
	snprintf(key, sizeof(key), "xmlns:%.*s", (int)len, tag->name.at);
	value = xmltag_attr(tag, key);
	url = strlen(scan->namespace);
	if (!value.at || value.len < url || memcmp(value.at, scan->namespace, url) != 0)
		return;
	scan->declared = (struct xmlspan){tag->name.at, len};
	scan->inside = scan->depth + 1;
}

/* The prefix that the path has for @name, of which it is taken off: "?" is somebody else's namespace called like ours. */
static const char *prefix_of(const struct xmlscan *scan, struct xmlspan *name)
{
	size_t len = scan->inside ? scan->declared.len : 0;
	size_t ours = scan->prefix ? strlen(scan->prefix) : 0;

	if (len && name->len > len && name->at[len] == ':' &&
	    !memcmp(name->at, scan->declared.at, len)) {
		name->at += len + 1;
		name->len -= len + 1;
		return scan->prefix;
	}
	return ours && name->len > ours && !memcmp(name->at, scan->prefix, ours) ? "?" : "";
}

static int push(struct xmlscan *scan, const struct xmltag *tag)
{
	struct xmlspan name = tag->name;
	size_t used = strlen(scan->path);
	const char *prefix;

	if (scan->depth == XMLSCAN_DEPTH)
		return xmlscan_fail(scan, -EINVAL, "elements are nested more than 64 deep");
	enter_namespace(scan, tag);
	prefix = prefix_of(scan, &name);
	if (used + name.len + 16 > sizeof(scan->path))
		return xmlscan_fail(scan, -EINVAL, "names of elements are too long");
	snprintf(scan->path + used, sizeof(scan->path) - used, "/%s%.*s", prefix, (int)name.len,
		 name.at);
	scan->path_end[scan->depth] = used;
	scan->open[scan->depth++] = tag->name;
	return 0;
}

static void pop(struct xmlscan *scan)
{
	if (scan->end)
		scan->end(scan, scan->path);
	if (scan->depth == scan->inside)
		scan->inside = 0;
	scan->depth--;
	scan->path[scan->path_end[scan->depth]] = '\0';
}

static int open_element(struct xmlscan *scan)
{
	struct xmltag tag = {.name = read_name(scan)};
	const char *next;
	bool empty;

	if (!tag.name.len)
		return xmlscan_fail(scan, -EINVAL, "a tag without a name");
	for (skip_blanks(scan); scan->at < scan->stop && *scan->at != '>' && *scan->at != '/';
	     skip_blanks(scan))
		if (read_attr(scan, &tag) < 0)
			return scan->code;
	empty = scan->at < scan->stop && *scan->at == '/';
	scan->at += empty;
	if (scan->at == scan->stop || *scan->at != '>')
		return xmlscan_fail(scan, -EINVAL, "a tag has no end");
	scan->at++;
	next = empty ? NULL : memchr(scan->at, '<', scan->stop - scan->at);
	if (next)
		tag.text = (struct xmlspan){scan->at, next - scan->at};
	if (push(scan, &tag) < 0)
		return scan->code;
	scan->element(scan, scan->path, &tag);
	if (empty)
		pop(scan);
	return scan->code;
}

static int close_element(struct xmlscan *scan)
{
	struct xmlspan name = read_name(scan);

	skip_blanks(scan);
	if (!scan->depth || name.len != scan->open[scan->depth - 1].len ||
	    memcmp(name.at, scan->open[scan->depth - 1].at, name.len) != 0 ||
	    scan->at == scan->stop || *scan->at != '>')
		return xmlscan_fail(scan, -EINVAL, "an end tag does not match its start tag");
	scan->at++;
	pop(scan);
	return 0;
}

static bool starts(const struct xmlscan *scan, const char *mark)
{
	size_t len = strlen(mark);

	return (size_t)(scan->stop - scan->at) >= len && !memcmp(scan->at, mark, len);
}

/* What begins with "<"; scan->at stands behind it. */
static int read_markup(struct xmlscan *scan)
{
	static const struct {
		const char *open, *close;
	} skipped[] = {{"!--", "-->"}, {"?", "?>"}, {"![CDATA[", "]]>"}};

	for (size_t i = 0; i < ARRAY_SIZE(skipped); i++)
		if (starts(scan, skipped[i].open))
			return skip_past(scan, skipped[i].close)
				       ? 0
				       : xmlscan_fail(scan, -EINVAL,
						      "a comment or section has no end");
	if (starts(scan, "!")) {
		xmlscan_fail(scan, -EINVAL, "a document type declaration (<!DOCTYPE …>)");
		return sriov_error_hint(scan->err, "libvirt writes none: this is not from libvirt");
	}
	if (scan->at < scan->stop && *scan->at == '/') {
		scan->at++;
		return close_element(scan);
	}
	return open_element(scan);
}

int xmlscan_run(struct xmlscan *scan, const char *text, size_t size)
{
	bool seen = false;

	scan->text = text;
	scan->stop = text + size;
	scan->at = memchr(text, '\0', size);
	if (scan->at)
		return xmlscan_fail(scan, -EINVAL, "a NUL");
	scan->at = text;

	while (!scan->code) {
		const char *next = memchr(scan->at, '<', scan->stop - scan->at);

		for (; scan->at < (next ? next : scan->stop); scan->at++)
			if (!scan->depth && !isspace((unsigned char)*scan->at))
				return xmlscan_fail(scan, -EINVAL,
						    "text outside of the outermost element");
		if (!next)
			break;
		if (seen && !scan->depth && next + 1 < scan->stop && next[1] != '!' &&
		    next[1] != '?')
			return xmlscan_fail(scan, -EINVAL, "a second outermost element");
		scan->at++;
		read_markup(scan);
		seen |= scan->depth > 0;
	}
	if (!scan->code && scan->depth)
		return xmlscan_fail(scan, -EINVAL, "it ends in the middle of an element");
	return scan->code;
}
