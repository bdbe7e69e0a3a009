/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entries as JSON: see flows.h. Reading is for text from strangers: types, ranges and member names
 * are checked.
 */
#include "flows/value.h"
#include "flows/words.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Stands for a flow type that an entry has and we have no word for. */
#define FLOW_UNKNOWN "unknown"

static void write_hex(struct core_doc *doc, const char *key, uint64_t value)
{
	char buf[24];

	snprintf(buf, sizeof(buf), "0x%" PRIx64, value);
	core_doc_text(doc, key, buf);
}

static void write_field(struct core_doc *doc, const struct flow_field *f,
			const struct sriov_match *match)
{
	const uint8_t *bytes = flow_field_at(f, match);
	char buf[INET6_ADDRSTRLEN];

	switch (f->kind) {
	case KIND_IP4:
	case KIND_IP6:
		core_doc_text(doc, f->json,
			      inet_ntop(f->kind == KIND_IP4 ? AF_INET : AF_INET6, bytes, buf,
					sizeof(buf)));
		break;
	case KIND_MAC:
		core_doc_text(doc, f->json, sriov_mac_format(bytes, buf));
		break;
	case KIND_NUMBER:
	default:
		if (f->id == FIELD_USER_DEF)
			write_hex(doc, f->json, match->user_def);
		else
			core_doc_int(doc, f->json, flow_field_number(f, match));
	}
}

static void write_match(struct core_doc *doc, const char *key, enum sriov_flow_type type,
			const struct sriov_match *match)
{
	bool any = false;

	for (const struct flow_field *f = NULL; (f = flow_field_next(f, type));) {
		if (!flow_field_any(f, match))
			continue;
		if (!any)
			core_doc_open(doc, key, '{');
		any = true;
		write_field(doc, f, match);
	}
	if (any)
		core_doc_close(doc, '}');
}

int match_encode(json_t *entry, const char *key, enum sriov_flow_type type,
		 const struct sriov_match *match)
{
	struct core_doc doc = {0};
	_json_ json_t *object = NULL;

	core_doc_open(&doc, NULL, '{');
	write_match(&doc, key, type, match);
	core_doc_close(&doc, '}');
	object = core_doc_parse(&doc);
	return object && !json_object_update(entry, object) ? 0 : -ENOMEM;
}

void entry_write(struct core_doc *doc, const char *key, const struct sriov_entry *entry)
{
	core_doc_open(doc, key, '{');
	core_doc_int(doc, "loc", entry->loc);
	core_doc_text(doc, "flow", sriov_flow_type_word(entry->type) ?: FLOW_UNKNOWN);
	write_match(doc, "value", entry->type, &entry->value);
	write_match(doc, "mask", entry->type, &entry->mask);
	write_hex(doc, "cookie", entry->cookie);
	if (entry->ext)
		core_doc_bool(doc, "ext", true);
	core_doc_close(doc, '}');
}

json_t *entry_encode(const struct sriov_entry *entry)
{
	struct core_doc doc = {0};

	entry_write(&doc, NULL, entry);
	return core_doc_parse(&doc);
}

static int decode_field(const struct flow_field *f, const json_t *json, struct sriov_match *out)
{
	if (f->kind == KIND_NUMBER && f->id != FIELD_USER_DEF) {
		json_int_t number = json_integer_value(json);

		if (!json_is_integer(json) || number < 0 ||
		    (uint64_t)number > UINT64_MAX >> (64 - 8 * f->size))
			return -EINVAL;
		flow_field_set_number(f, out, number);
		return 0;
	}
	return json_is_string(json) ? value_read(f, json_string_value(json), out) : -EINVAL;
}

static const struct flow_field *field_of_json(enum sriov_flow_type type, const char *key)
{
	const struct flow_field *field = NULL;

	while ((field = flow_field_next(field, type)) && strcmp(field->json, key))
		;
	return field;
}

int match_decode(const json_t *entry, const char *part, enum sriov_flow_type type, const char *name,
		 struct sriov_match *out, struct sriov_error *err)
{
	json_t *object = json_object_get(entry, part), *member;
	const char *key;

	if (object && !json_is_object(object))
		return sriov_error_set(err, -EINVAL, name, "'%s' is not an object", part);
	json_object_foreach(object, key, member) {
		const struct flow_field *field = field_of_json(type, key);

		if (!field)
			return sriov_error_set(err, -EINVAL, name,
					       "'%s.%.40s' is no member of flow type %s", part, key,
					       sriov_flow_type_word(type) ?: FLOW_UNKNOWN);
		if (decode_field(field, member, out))
			return sriov_error_set(err, -EINVAL, name, "'%s.%s' is not %s", part, key,
					       value_expected(field));
	}
	return 0;
}

static int check_members(const json_t *json, struct sriov_error *err)
{
	static const char *const members[] = {"loc",    "flow", "value", "mask",
					      "cookie", "ext",  NULL};
	json_t *member;
	const char *key;

	if (!json_is_object(json))
		return sriov_error_set(err, -EINVAL, "entry", "an entry is an object");
	json_object_foreach((json_t *)json, key, member) {
		size_t i = 0;

		while (members[i] && strcmp(members[i], key))
			i++;
		if (!members[i])
			return sriov_error_set(err, -EINVAL, "entry", "unknown member '%.40s'",
					       key);
	}
	return 0;
}

int entry_decode(const json_t *json, struct sriov_entry *out, struct sriov_error *err)
{
	const json_t *loc = json_object_get(json, "loc"), *ext = json_object_get(json, "ext");
	const char *flow = json_string_value(json_object_get(json, "flow"));
	const char *cookie = json_string_value(json_object_get(json, "cookie"));
	struct sriov_entry entry = {0};
	int r = check_members(json, err);

	if (r)
		return r;
	if (!json_is_integer(loc) || json_integer_value(loc) < 0 ||
	    json_integer_value(loc) > UINT32_MAX)
		return sriov_error_set(err, -EINVAL, "entry", "'loc' is not a number of 32 bits");
	if (!flow || (!(entry.type = flow_type_find(flow)) && strcmp(flow, FLOW_UNKNOWN)))
		return sriov_error_set(err, -EINVAL, "entry", "'flow' is not a flow type");
	if (!cookie || value_number(cookie, UINT64_MAX, &entry.cookie))
		return sriov_error_set(err, -EINVAL, "entry",
				       "'cookie' is not a number of 64 bits in a string");
	if (ext && !json_is_boolean(ext))
		return sriov_error_set(err, -EINVAL, "entry", "'ext' is not true or false");
	entry.loc = json_integer_value(loc);
	entry.ext = json_is_true(ext);
	r = match_decode(json, "value", entry.type, "entry", &entry.value, err);
	if (!r)
		r = match_decode(json, "mask", entry.type, "entry", &entry.mask, err);
	if (!r)
		*out = entry;
	return r;
}
