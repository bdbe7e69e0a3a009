/* SPDX-License-Identifier: Apache-2.0 */
/* JSON objects as tables of members: see fields.h. */
#include "lib/host/fields.h"

#include <ctype.h>
#include <errno.h>
#include <sriov/host.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int reader_fail(struct reader *r, int code, const char *path, const char *key, const char *fmt, ...)
{
	char message[sizeof(r->err->message)];
	va_list ap;

	if (r->code < 0)
		return r->code;
	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	r->code = sriov_error_set(r->err, code, r->subject, "%s%s%s%s%s", path,
				  *path && key ? "." : "", key ? key : "", *path || key ? ": " : "",
				  message);
	return r->code;
}

const char *reader_path(char buf[READER_PATH], const char *path, const char *key, size_t index)
{
	snprintf(buf, READER_PATH, "%s%s%s[%zu]", path, *path ? "." : "", key, index);
	return buf;
}

const json_t *reader_array(struct reader *r, const json_t *json, const char *path, const char *key,
			   size_t max)
{
	const json_t *array = json_object_get(json, key);

	if (!array)
		return NULL;
	if (!json_is_array(array)) {
		reader_fail(r, -EINVAL, path, key, "must be an array");
		return NULL;
	}
	if (json_array_size(array) > max) {
		reader_fail(r, -E2BIG, path, key, "has %zu elements, at most %zu are allowed",
			    json_array_size(array), max);
		return NULL;
	}
	return array;
}

static int64_t load_int(const struct field *f, const void *at)
{
	union {
		int8_t s8;
		int16_t s16;
		int32_t s32;
		int64_t s64;
		uint8_t u8;
		uint16_t u16;
		uint32_t u32;
	} v = {0};

	memcpy(&v, at, f->size);
	switch (f->size) {
	case 1:
		return f->min < 0 ? v.s8 : v.u8;
	case 2:
		return f->min < 0 ? v.s16 : v.u16;
	case 4:
		return f->min < 0 ? v.s32 : (int64_t)v.u32;
	default:
		return v.s64;
	}
}

static void store_int(const struct field *f, void *at, int64_t value)
{
	uint8_t v8 = value;
	uint16_t v16 = value;
	uint32_t v32 = value;

	switch (f->size) {
	case 1:
		memcpy(at, &v8, 1);
		break;
	case 2:
		memcpy(at, &v16, 2);
		break;
	case 4:
		memcpy(at, &v32, 4);
		break;
	default:
		memcpy(at, &value, 8);
	}
}

/* Texts reach terminals and file names of ours: nothing that moves a cursor or ends a string early. */
static int decode_text(struct reader *r, const json_t *value, const char *path,
		       const struct field *f, char *at)
{
	const char *text = json_string_value(value);
	size_t len = json_string_length(value);

	if (len >= f->size)
		return reader_fail(r, -ERANGE, path, f->key,
				   "is %zu bytes long, at most %zu are allowed", len, f->size - 1);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = text[i];

		if (c < 0x20 || c == 0x7f)
			return reader_fail(r, -EINVAL, path, f->key,
					   "has the control character 0x%02x", c);
		/* dev_valid_name() in net/core/dev.c */
		if (f->kind == FIELD_NAME && (isspace(c) || c == '/' || c == ':'))
			return reader_fail(r, -EINVAL, path, f->key,
					   "'%s' is not a name: it contains '%c'", text, c);
	}
	memset(at, 0, f->size);
	memcpy(at, text, len);
	return 0;
}

static int decode_hex16(struct reader *r, const char *text, const char *path, const struct field *f,
			uint16_t *at)
{
	char *end;
	unsigned long value;

	if (strlen(text) != 4 || strspn(text, "0123456789abcdefABCDEF") != 4)
		return reader_fail(r, -EINVAL, path, f->key,
				   "'%s' is not a PCI id of four hexadecimal digits", text);
	value = strtoul(text, &end, 16);
	*at = value;
	return 0;
}

static int decode_word(struct reader *r, const char *text, const char *path, const struct field *f,
		       void *at)
{
	const char *near;

	for (size_t i = 0; f->words[i]; i++) {
		if (!strcmp(f->words[i], text)) {
			store_int(f, at, i);
			return 0;
		}
	}
	near = core_nearest(text, f->words);
	return near ? reader_fail(r, -EINVAL, path, f->key, "'%s' is unknown, did you mean '%s'?",
				  text, near)
		    : reader_fail(r, -EINVAL, path, f->key, "'%s' is unknown", text);
}

static const struct {
	const char *name;
	bool text;
} kinds[] = {
	[FIELD_TEXT] = {"text", true},
	[FIELD_NAME] = {"text", true},
	[FIELD_PCI] = {"a PCI address as text", true},
	[FIELD_MAC] = {"a MAC address as text", true},
	[FIELD_HEX16] = {"a PCI id as text", true},
	[FIELD_INT] = {"a whole number", false},
	[FIELD_BOOL] = {"true or false", false},
	[FIELD_WORD] = {"text", true},
	[FIELD_TRI] = {"true, false or null", false},
	[FIELD_CHILD] = {"", false},
};

static bool has_type(const struct field *f, const json_t *value)
{
	switch (f->kind) {
	case FIELD_INT:
		return json_is_integer(value);
	case FIELD_BOOL:
		return json_is_boolean(value);
	case FIELD_TRI:
		return json_is_boolean(value) || json_is_null(value);
	default:
		return json_is_string(value);
	}
}

static int decode_value(struct reader *r, const json_t *value, const char *path,
			const struct field *f, void *at)
{
	const char *text = json_string_value(value);
	int64_t number = json_integer_value(value);

	if (f->kind == FIELD_CHILD)
		return 0;
	if (!has_type(f, value))
		return reader_fail(r, -EINVAL, path, f->key, "must be %s", kinds[f->kind].name);
	if (kinds[f->kind].text && strlen(text) != json_string_length(value))
		return reader_fail(r, -EINVAL, path, f->key, "has the control character 0x00");
	switch (f->kind) {
	case FIELD_TEXT:
	case FIELD_NAME:
		return decode_text(r, value, path, f, at);
	case FIELD_PCI:
		if (sriov_pci_parse(text, at) < 0)
			return reader_fail(r, -EINVAL, path, f->key,
					   "'%s' is not a PCI address (dddd:bb:dd.f)", text);
		return 0;
	case FIELD_MAC:
		if (sriov_mac_parse(text, at) < 0)
			return reader_fail(r, -EINVAL, path, f->key, "'%s' is not a MAC address",
					   text);
		return 0;
	case FIELD_HEX16:
		return decode_hex16(r, text, path, f, at);
	case FIELD_INT:
		if (number < f->min || number > f->max)
			return reader_fail(r, -ERANGE, path, f->key,
					   "%lld is out of range (%lld to %lld)", (long long)number,
					   (long long)f->min, (long long)f->max);
		store_int(f, at, number);
		return 0;
	case FIELD_BOOL:
		*(bool *)at = json_is_true(value);
		return 0;
	case FIELD_WORD:
		return decode_word(r, text, path, f, at);
	case FIELD_TRI:
		store_int(f, at,
			  json_is_null(value)   ? SRIOV_UNKNOWN
			  : json_is_true(value) ? SRIOV_YES
						: SRIOV_NO);
		return 0;
	case FIELD_CHILD:
		break;
	}
	return 0;
}

/* A misspelt member would silently mean its default; newer members come with a newer version number. */
static int refuse_unknown(struct reader *r, const json_t *json, const char *path,
			  const struct field *fields)
{
	const char *key, *near, *words[48];
	json_t *value;
	size_t n = 0;

	for (const struct field *f = fields; f->key && n < ARRAY_SIZE(words) - 1; f++)
		words[n++] = f->key;
	words[n] = NULL;
	json_object_foreach((json_t *)json, key, value) {
		const struct field *f = fields;

		while (f->key && strcmp(f->key, key) != 0)
			f++;
		if (f->key)
			continue;
		near = core_nearest(key, words);
		return near ? reader_fail(r, -EINVAL, path, key,
					  "is not known here, did you mean '%s'?", near)
			    : reader_fail(r, -EINVAL, path, key, "is not known here");
	}
	return 0;
}

int fields_decode(struct reader *r, const json_t *json, const char *path,
		  const struct field *fields, void *base, unsigned *has)
{
	if (r->code < 0)
		return r->code;
	if (!json_is_object(json))
		return reader_fail(r, -EINVAL, path, NULL, "must be an object");
	if (refuse_unknown(r, json, path, fields) < 0)
		return r->code;
	for (const struct field *f = fields; f->key && !r->code; f++) {
		const json_t *value = json_object_get(json, f->key);

		if (!value && f->required)
			return reader_fail(r, -EINVAL, path, f->key, "is missing");
		if (!value)
			continue;
		decode_value(r, value, path, f, (char *)base + f->offset);
		if (has)
			*has |= f->has;
	}
	return r->code;
}

/*
 * What hardware and other programs gave us as text may be anything: a snapshot must still be valid JSON, and
 * readable by decode_text() above.
 */
static json_t *encode_text(const char *text, size_t size)
{
	char copy[256];
	json_t *json;

	core_copy(copy, size < sizeof(copy) ? size : sizeof(copy), text);
	for (char *p = copy; *p; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	}
	json = json_string(copy);
	if (json)
		return json;
	for (char *p = copy; *p; p++) {
		if ((unsigned char)*p > 0x7f) /* not UTF-8 */
			*p = '?';
	}
	return json_string(copy);
}

static json_t *encode_value(const struct field *f, const void *at)
{
	char buf[SRIOV_MAC_LEN];
	int64_t number;

	switch (f->kind) {
	case FIELD_TEXT:
	case FIELD_NAME:
	case FIELD_PCI:
		return encode_text(at, f->size);
	case FIELD_MAC:
		return json_string(sriov_mac_format(at, buf));
	case FIELD_HEX16:
		snprintf(buf, sizeof(buf), "%04x", *(const uint16_t *)at);
		return json_string(buf);
	case FIELD_INT:
		return json_integer(load_int(f, at));
	case FIELD_BOOL:
		return json_boolean(*(const bool *)at);
	case FIELD_WORD:
		return json_string(f->words[load_int(f, at)]);
	case FIELD_TRI:
		number = load_int(f, at);
		return number == SRIOV_UNKNOWN ? json_null() : json_boolean(number == SRIOV_YES);
	case FIELD_CHILD:
		break;
	}
	return NULL;
}

json_t *fields_encode(const struct field *fields, const void *base, unsigned has)
{
	_json_ json_t *json = json_object();

	for (const struct field *f = fields; f->key; f++) {
		if (f->kind == FIELD_CHILD || (f->has && !(f->has & has)))
			continue;
		if (!json_put(json, f->key, encode_value(f, (const char *)base + f->offset)))
			return NULL;
	}
	return core_steal(json);
}
