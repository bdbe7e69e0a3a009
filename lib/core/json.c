/* SPDX-License-Identifier: Apache-2.0 */
/* JSON members with a default, and JSON text written as it comes: see core.h. */
#include "lib/core/core.h"

#include <inttypes.h>
#include <stdio.h>
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

static void put_string(struct core_doc *doc, const char *text)
{
	_json_ json_t *string = NULL;
	size_t plain = 0;

	while (is_plain(text[plain]))
		plain++;
	if (text[plain]) {
		/* what has to be escaped or checked is rare: jansson does that */
		string = json_string(text);
		put_json(doc, string);
		return;
	}
	put(doc, "\"", 1);
	put(doc, text, plain);
	put(doc, "\"", 1);
}

/* What stands before a value: a comma unless it is the first, and its key. */
static void put_key(struct core_doc *doc, const char *key)
{
	if (doc->used && !strchr("{[", doc->text[doc->used - 1]))
		put(doc, ",", 1);
	if (!key)
		return;
	put_string(doc, key);
	put(doc, ":", 1);
}

void core_doc_open(struct core_doc *doc, const char *key, char bracket)
{
	put_key(doc, key);
	put(doc, &bracket, 1);
}

void core_doc_close(struct core_doc *doc, char bracket)
{
	put(doc, &bracket, 1);
}

void core_doc_text(struct core_doc *doc, const char *key, const char *value)
{
	put_key(doc, key);
	put_string(doc, value);
}

void core_doc_int(struct core_doc *doc, const char *key, int64_t value)
{
	char digits[24];

	put_key(doc, key);
	put(doc, digits, snprintf(digits, sizeof(digits), "%" PRId64, value));
}

void core_doc_bool(struct core_doc *doc, const char *key, bool value)
{
	put_key(doc, key);
	put(doc, value ? "true" : "false", value ? 4 : 5);
}

void core_doc_json(struct core_doc *doc, const char *key, const json_t *value)
{
	put_key(doc, key);
	put_json(doc, value);
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
