/* SPDX-License-Identifier: Apache-2.0 */
/* Inside lib/store/: statements with their parameters in one call. */
#ifndef SRIOV_STORE_DB_H
#define SRIOV_STORE_DB_H

#include "lib/store/store.h"

#include <sqlite3.h>

struct store {
	sqlite3 *db;
	char path[300];
	bool in_transaction;
	int log_pages; /* after the last commit */
};

/* Called for each row; a negative return ends the query with that code (the callee sets the error). */
typedef int (*store_row_fn)(sqlite3_stmt *row, void *data, struct sriov_error *err);

/*
 * Runs one statement. @types has a letter for each parameter: 'i' int64_t, 't' text or NULL. @fn may be
 * NULL. Returns the number of rows seen, or changed if it is no query, or a negative errno.
 */
int store_run(struct store *store, struct sriov_error *err, store_row_fn fn, void *data,
	      const char *sql, const char *types, ...);

/* SQLite's result as our error: full disk, corrupted, busy, constraint (-EEXIST). */
int store_fail(struct store *store, int result, struct sriov_error *err);

/* A text column, "" for NULL, into an array. */
#define store_column(row, i, array)                                                                \
	core_copy((array), sizeof(array), (const char *)sqlite3_column_text((row), (i)))

#endif
