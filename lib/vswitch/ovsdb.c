/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/vswitch/ovsdb.h"

#include <errno.h>
#include <string.h>

#define DATABASE "Open_vSwitch"

int ovsdb_open(struct ovsdb *db, const char *path, int64_t deadline, struct sriov_error *err)
{
	return jsonrpc_open(&db->rpc, "OVSDB", path, deadline, err);
}

void ovsdb_close(struct ovsdb *db)
{
	jsonrpc_close(&db->rpc);
}

/* Errors inside a result (RFC 7047, section 5.2). */
static int code_of(const char *error)
{
	static const struct {
		const char *error;
		int code;
	} codes[] = {
		{"constraint violation", -EEXIST}, {"timed out", -EAGAIN},
		{"unknown column", -EOPNOTSUPP},   {"unknown table", -EOPNOTSUPP},
		{"unknown database", -EOPNOTSUPP}, {"resources exhausted", -ENOSPC},
		{"permission error", -EPERM},      {"not allowed", -EPERM},
	};

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		if (!strcmp(codes[i].error, error))
			return codes[i].code;
	}
	return -EIO;
}

static int malformed(const char *what, struct sriov_error *err)
{
	sriov_error_set(err, -EBADMSG, "OVSDB", "the database answers %s", what);
	return sriov_error_hint(err, "see whose socket it is");
}

int ovsdb_judge(const json_t *results, size_t noperations, struct sriov_error *err)
{
	const json_t *result;
	size_t i;

	if (!json_is_array(results) || json_array_size(results) < noperations)
		return malformed("with fewer results than there were operations", err);
	json_array_foreach(results, i, result) {
		const char *error = json_string_value(json_object_get(result, "error"));
		const char *details = json_string_value(json_object_get(result, "details"));
		int code;

		if (!error)
			continue;
		code = code_of(error);
		sriov_error_set(err, code, "OVSDB", "the database does not take the change");
		return sriov_error_kernel(err, "OVSDB: %s%s%s", error, details ? ": " : "",
					  details ? details : "");
	}
	return 0;
}

int ovsdb_transact(struct ovsdb *db, json_t *operations, int64_t deadline, json_t **results,
		   struct sriov_error *err)
{
	_json_ json_t *answered = NULL;
	size_t n = json_array_size(operations);
	int r;

	if (!operations || json_array_insert_new(operations, 0, json_string(DATABASE))) {
		json_decref(operations);
		return core_oom(err);
	}
	r = jsonrpc_call(&db->rpc, "transact", operations, deadline, &answered, err);
	if (!r)
		r = ovsdb_judge(answered, n, err);
	if (!r)
		*results = core_steal(answered);
	return r;
}

int ovsdb_monitor(struct ovsdb *db, json_t *requests, int64_t deadline, json_t **rows,
		  struct sriov_error *err)
{
	_json_ json_t *found = NULL;
	json_t *params = requests ? json_pack("[ssO]", DATABASE, "sriovctl", requests) : NULL;
	int r;

	json_decref(requests);
	if (!params)
		return core_oom(err);
	r = jsonrpc_call(&db->rpc, "monitor_cond", params, deadline, &found, err);
	if (!r && !json_is_object(found))
		r = malformed("a monitor with something that is no table", err);
	if (!r)
		*rows = core_steal(found);
	return r;
}

int ovsdb_changes(struct ovsdb *db, int64_t deadline, json_t **rows, struct sriov_error *err)
{
	for (;;) {
		_json_ json_t *note = NULL;
		int r = jsonrpc_notification(&db->rpc, deadline, &note, err);
		const char *method;
		json_t *changed;

		if (r < 0)
			return r;
		method = json_string_value(json_object_get(note, "method"));
		if (!method || strcmp(method, "update2") != 0)
			continue;
		changed = json_array_get(json_object_get(note, "params"), 1);
		if (!json_is_object(changed))
			return malformed("with an update that has no tables", err);
		*rows = json_incref(changed);
		return 0;
	}
}

json_t *ovsdb_select(const char *table, json_t *where, const char *const *columns)
{
	json_t *names = json_array();

	for (; names && *columns; columns++) {
		if (json_array_append_new(names, json_string(*columns)))
			json_decref(core_steal(names));
	}
	return json_pack("{ss ss so so}", "op", "select", "table", table, "where", where, "columns",
			 names);
}

json_t *ovsdb_insert(const char *table, const char *name, json_t *row)
{
	return json_pack("{ss ss ss so}", "op", "insert", "table", table, "uuid-name", name, "row",
			 row);
}

json_t *ovsdb_mutate(const char *table, json_t *where, const char *column, const char *mutator,
		     json_t *value)
{
	return json_pack("{ss ss so s[[sso]]}", "op", "mutate", "table", table, "where", where,
			 "mutations", column, mutator, value);
}

json_t *ovsdb_update(const char *table, json_t *where, json_t *row)
{
	return json_pack("{ss ss so so}", "op", "update", "table", table, "where", where, "row",
			 row);
}

json_t *ovsdb_assert(const char *table, json_t *where, const char *column, bool equal, json_t *rows)
{
	return json_pack("{ss ss si so s[s] ss so}", "op", "wait", "table", table, "timeout", 0,
			 "where", where, "columns", column, "until", equal ? "==" : "!=", "rows",
			 rows);
}

json_t *ovsdb_all(void)
{
	return json_array();
}

json_t *ovsdb_is(const char *column, const char *value)
{
	return json_pack("[[sss]]", column, "==", value);
}

json_t *ovsdb_uuid(const char *uuid)
{
	return json_pack("[ss]", "uuid", uuid);
}

json_t *ovsdb_named(const char *name)
{
	return json_pack("[ss]", "named-uuid", name);
}

json_t *ovsdb_set(json_t *member)
{
	return member ? json_pack("[s[o]]", "set", member) : json_pack("[s[]]", "set");
}

json_t *ovsdb_map(void)
{
	return json_pack("[s[]]", "map");
}

int ovsdb_map_add(json_t *map, const char *key, const char *value)
{
	if (!value || !*value)
		return 0;
	return json_array_append_new(json_array_get(map, 1), json_pack("[ss]", key, value))
		       ? -ENOMEM
		       : 0;
}

/* ["set", [...]] and ["map", [...]]: the array, or NULL. */
static const json_t *inside(const json_t *row, const char *column, const char *kind)
{
	const json_t *value = json_object_get(row, column);
	const char *tag = json_string_value(json_array_get(value, 0));
	const json_t *array = json_array_get(value, 1);

	return tag && !strcmp(tag, kind) && json_is_array(array) ? array : NULL;
}

/* A column's value: of an optional one its only member. */
static const json_t *scalar(const json_t *row, const char *column)
{
	const json_t *set = inside(row, column, "set");

	return set ? json_array_get(set, 0) : json_object_get(row, column);
}

const char *ovsdb_text(const json_t *row, const char *column)
{
	const char *text = json_string_value(scalar(row, column));

	return text ? text : "";
}

int64_t ovsdb_int(const json_t *row, const char *column, int64_t absent)
{
	const json_t *value = scalar(row, column);

	return json_is_integer(value) ? json_integer_value(value) : absent;
}

bool ovsdb_bool(const json_t *row, const char *column)
{
	return json_is_true(scalar(row, column));
}

const json_t *ovsdb_pairs(const json_t *row, const char *map)
{
	return inside(row, map, "map");
}

const char *ovsdb_value(const json_t *row, const char *map, const char *key)
{
	const json_t *pairs = ovsdb_pairs(row, map), *pair;
	size_t i;

	json_array_foreach(pairs, i, pair) {
		const char *its = json_string_value(json_array_get(pair, 0));

		if (its && !strcmp(its, key))
			return json_string_value(json_array_get(pair, 1));
	}
	return NULL;
}

/* "x", or ["uuid", "x"] */
static const char *member_text(const json_t *member)
{
	const char *tag = json_string_value(json_array_get(member, 0));

	if (tag && !strcmp(tag, "uuid"))
		member = json_array_get(member, 1);
	return json_string_value(member);
}

const char *ovsdb_member(const json_t *row, const char *set, size_t i)
{
	const json_t *members = inside(row, set, "set");

	if (members)
		return member_text(json_array_get(members, i));
	return i ? NULL : member_text(json_object_get(row, set));
}

const json_t *ovsdb_rows(const json_t *results, size_t i)
{
	const json_t *rows = json_object_get(json_array_get(results, i), "rows");

	return json_is_array(rows) ? rows : NULL;
}

int64_t ovsdb_count(const json_t *results, size_t i)
{
	return json_integer_value(json_object_get(json_array_get(results, i), "count"));
}
