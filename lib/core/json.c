/* SPDX-License-Identifier: Apache-2.0 */
/* JSON members with a default: see core.h. */
#include "lib/core/core.h"

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
