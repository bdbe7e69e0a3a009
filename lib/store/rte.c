/* SPDX-License-Identifier: Apache-2.0 */
/* Ports that DPDK owns: the last request for each, to be carried out again when their owner starts anew. */
#include "lib/store/db.h"

#include <errno.h>
#include <string.h>

int store_rte_put(struct store *store, const char *port, const char *request,
		  struct sriov_error *err)
{
	char now[32];
	int r = store_begin(store, STORE_DURABLE, err);

	core_now(now);
	if (!r)
		r = store_run(store, err, NULL, NULL,
			      "INSERT OR REPLACE INTO rte (port, request, taken) VALUES (?, ?, ?)",
			      "ttt", port, request, now);
	if (r >= 0)
		r = store_commit(store, err);
	store_rollback(store);
	return r < 0 ? r : 0;
}

static int take_text(sqlite3_stmt *row, void *data, struct sriov_error *err)
{
	char **out = data;

	*out = strdup((const char *)sqlite3_column_text(row, 0) ?: "");
	return *out ? 0 : core_oom(err);
}

int store_rte_get(struct store *store, const char *port, char **request, struct sriov_error *err)
{
	int r = store_run(store, err, take_text, request, "SELECT request FROM rte WHERE port = ?",
			  "t", port);

	return r < 0 ? r : r ? 0 : -ENOENT;
}
