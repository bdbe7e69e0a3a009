/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Open_vSwitch database by its protocol (RFC 7047, and ovsdb-server(7) for monitor_cond): transactions,
 * what they failed by, and changes as they happen. Values are jansson's; readers here take any row from a stranger.
 */
#ifndef SRIOV_OVSDB_H
#define SRIOV_OVSDB_H

#include "lib/vswitch/jsonrpc.h"

struct ovsdb {
	struct jsonrpc rpc;
};
#define OVSDB_CLOSED                                                                               \
	{                                                                                          \
		.rpc = JSONRPC_CLOSED                                                              \
	}
int ovsdb_open(struct ovsdb *db, const char *path, int64_t deadline, struct sriov_error *err);
void ovsdb_close(struct ovsdb *db);
#define _ovsdb_ _cleanup_(ovsdb_close)

/*
 * Runs @operations (an array, taken over; NULL: no memory was found for it) as one transaction: all of it or nothing.
 * *@results has one member for each. What the database refuses is told in its words: -EEXIST: a name is taken;
 * -EAGAIN: a `wait` operation did not find what it asked for; -EOPNOTSUPP: it has no such table or column;
 * -ENOSPC, -EPERM, -EIO.
 */
int ovsdb_transact(struct ovsdb *db, json_t *operations, int64_t deadline, json_t **results,
		   struct sriov_error *err);
/* Pure: what of @results (of @noperations) is an error. 0, or the code with the error set. */
int ovsdb_judge(const json_t *results, size_t noperations, struct sriov_error *err);

/*
 * Asks to be told of changes: @requests as in monitor_cond (taken over). *@rows: what there is now, as in
 * ovsdb_changes(). One monitor a connection.
 */
int ovsdb_monitor(struct ovsdb *db, json_t *requests, int64_t deadline, json_t **rows,
		  struct sriov_error *err);
/*
 * The next changes: {TABLE: {UUID: {"initial"|"insert"|"modify": {COLUMN: VALUE}} | {"delete": null}}}. -ETIMEDOUT
 * sets no error: nothing changed.
 */
int ovsdb_changes(struct ovsdb *db, int64_t deadline, json_t **rows, struct sriov_error *err);

/* Operations. Each is a new value, or NULL: no memory. Arguments that are values are taken over. */
json_t *ovsdb_select(const char *table, json_t *where, const char *const *columns);
json_t *ovsdb_insert(const char *table, const char *name, json_t *row);
json_t *ovsdb_mutate(const char *table, json_t *where, const char *column, const char *mutator,
		     json_t *value);
json_t *ovsdb_update(const char *table, json_t *where, json_t *row);
/* A `wait` for at most 0 ms: the transaction goes on only if the rows are (@equal) just these, or are not. */
json_t *ovsdb_assert(const char *table, json_t *where, const char *column, bool equal,
		     json_t *rows);
/* [] and [[COLUMN, "==", VALUE]] */
json_t *ovsdb_all(void);
json_t *ovsdb_is(const char *column, const char *value);
json_t *ovsdb_uuid(const char *uuid);
json_t *ovsdb_named(const char *name); /* of a row inserted in the same transaction */
json_t *ovsdb_set(json_t *member);     /* of one member; NULL: the empty set */
/* ["map", []]; ovsdb_map_add() leaves out an empty @value. */
json_t *ovsdb_map(void);
int ovsdb_map_add(json_t *map, const char *key, const char *value);

/*
 * What a row says. An optional column without a value, one of another type, and none at all are all absent. Texts live
 * as long as the row.
 */
const char *ovsdb_text(const json_t *row, const char *column); /* "" = absent */
int64_t ovsdb_int(const json_t *row, const char *column, int64_t absent);
bool ovsdb_bool(const json_t *row, const char *column);
const char *ovsdb_value(const json_t *row, const char *map, const char *key); /* NULL = absent */
/* Member @i of a set of texts or UUIDs; NULL = it has fewer. */
const char *ovsdb_member(const json_t *row, const char *set, size_t i);
/* The map's pairs, [[key, value], …]; NULL = absent. */
const json_t *ovsdb_pairs(const json_t *row, const char *map);
/* The rows that operation @i selected; NULL = none. */
const json_t *ovsdb_rows(const json_t *results, size_t i);
/* How many rows operation @i changed. */
int64_t ovsdb_count(const json_t *results, size_t i);

#endif
