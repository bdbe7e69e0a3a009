/* SPDX-License-Identifier: Apache-2.0 */
/* JSON members with a default, and JSON text written as it comes: see core.h. */
#include "lib/core/core.h"

#include <string.h>

static const json_t *member(const json_t *obj, const char *key, bool (*is)(const json_t *),
			    const char **bad)
{
	const json_t *value = json_object_get(obj, key);

	if (!value || json_is_null(value))
		return NULL;
	if (!is(value)) {
		if (bad)
			*bad = key;
		return NULL;
	}
	return value;
}

static bool is_text(const json_t *v)
{
	return json_is_string(v);
}

static bool is_int(const json_t *v)
{
	return json_is_integer(v);
}

static bool is_bool(const json_t *v)
{
	return json_is_boolean(v);
}

const char *core_json_text(const json_t *obj, const char *key, const char *fallback,
			   const char **bad)
{
	const json_t *value = member(obj, key, is_text, bad);

	return value ? json_string_value(value) : fallback;
}

int64_t core_json_int(const json_t *obj, const char *key, int64_t fallback, const char **bad)
{
	const json_t *value = member(obj, key, is_int, bad);

	return value ? json_integer_value(value) : fallback;
}

bool core_json_bool(const json_t *obj, const char *key, bool fallback, const char **bad)
{
	const json_t *value = member(obj, key, is_bool, bad);

	return value ? json_is_true(value) : fallback;
}

/* ---- writing ---- */

#define DOC_ROOM 4096 /* to begin with; doubled whenever it is full */

/* Room for @size bytes more, or NULL. */
static char *room_for(struct core_doc *doc, size_t size)
{
	size_t room = doc->room ? doc->room : DOC_ROOM;
	char *grown;

	while (room - doc->used < size && room <= SIZE_MAX / 2)
		room *= 2;
	if (room > doc->room && !doc->failed) {
		grown = realloc(doc->text, room);
		doc->failed = !grown;
		doc->text = grown ? grown : doc->text;
		doc->room = grown ? room : doc->room;
	}
	return doc->failed ? NULL : doc->text + doc->used;
}

static void put(struct core_doc *doc, const char *bytes, size_t size)
{
	char *at = room_for(doc, size);

	if (!at)
		return;
	memcpy(at, bytes, size);
	doc->used += size;
}

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

static void put_json(struct core_doc *doc, const json_t *json)
{
	_free_ char *text = json ? json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;

	if (text)
		put(doc, text, strlen(text));
	else
		doc->failed = true;
}

/* What stands before a value: a comma unless it is the first, and its key. NULL, or room for @size bytes of it. */
static char *put_key(struct core_doc *doc, const char *key, size_t size)
{
	size_t length = key ? strlen(key) : 0;
	char *at = room_for(doc, length + size + 4);
	char before = doc->used ? doc->text[doc->used - 1] : '{';

	if (!at)
		return NULL;
	if (before != '{' && before != '[')
		*at++ = ',';
	if (key) {
		*at++ = '"';
		at = mempcpy(at, key, length);
		*at++ = '"';
		*at++ = ':';
	}
	doc->used = at - doc->text;
	return at;
}

void core_doc_open(struct core_doc *doc, const char *key, char bracket)
{
	char *at = put_key(doc, key, 1);

	if (!at)
		return;
	*at = bracket;
	doc->used++;
}

void core_doc_close(struct core_doc *doc, char bracket)
{
	put(doc, &bracket, 1);
}

void core_doc_text(struct core_doc *doc, const char *key, const char *value)
{
	_json_ json_t *string = NULL;
	size_t plain = 0;
	char *at;

	while (is_plain(value[plain]))
		plain++;
	at = put_key(doc, key, plain + 2);
	if (!at)
		return;
	if (value[plain]) {
		/* what has to be escaped or checked is rare: jansson does that */
		string = json_string(value);
		put_json(doc, string);
		return;
	}
	*at++ = '"';
	at = mempcpy(at, value, plain);
	*at = '"';
	doc->used += plain + 2;
}

/* Digit by digit: a format string takes ten times as long. */
void core_doc_int(struct core_doc *doc, const char *key, int64_t value)
{
	uint64_t left = value < 0 ? -(uint64_t)value : (uint64_t)value;
	char digits[20];
	size_t first = sizeof(digits);
	char *at = put_key(doc, key, sizeof(digits));

	if (!at)
		return;
	do
		digits[--first] = '0' + left % 10;
	while (left /= 10);
	if (value < 0)
		digits[--first] = '-';
	memcpy(at, digits + first, sizeof(digits) - first);
	doc->used += sizeof(digits) - first;
}

void core_doc_bool(struct core_doc *doc, const char *key, bool value)
{
	if (put_key(doc, key, 0))
		put(doc, value ? "true" : "false", value ? 4 : 5);
}

void core_doc_json(struct core_doc *doc, const char *key, const json_t *value)
{
	if (put_key(doc, key, 0))
		put_json(doc, value);
}

void core_doc_copy(struct core_doc *doc, const char *members, size_t size)
{
	put(doc, members, size);
}

char *core_doc_take(struct core_doc *doc)
{
	char *text = NULL;

	put(doc, "", 1);
	if (!doc->failed)
		text = core_steal(doc->text);
	free(doc->text);
	*doc = (struct core_doc){0};
	return text;
}

json_t *core_doc_parse(struct core_doc *doc)
{
	json_t *json = doc->failed ? NULL : json_loadb(doc->text, doc->used, 0, NULL);

	free(core_doc_take(doc));
	return json;
}
