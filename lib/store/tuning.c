/* SPDX-License-Identifier: Apache-2.0 */
/* Tunings under way: see store.h. */
#include "lib/store/db.h"

#include <string.h>

/* One statement, on disk when it returns. */
static int durably(struct store *store, int r, struct sriov_error *err)
{
	if (r >= 0)
		r = store_commit(store, err);
	store_rollback(store);
	return r < 0 ? r : 0;
}

int store_tuning_put(struct store *store, const struct store_tuning *row, struct sriov_error *err)
{
	int r = store_begin(store, STORE_DURABLE, err);

	if (r < 0)
		return r;
	return durably(store,
		       store_run(store, err, NULL, NULL,
				 "INSERT OR REPLACE INTO tuning (uuid, guest, uri, boot_id, before)"
				 " VALUES (?, ?, ?, ?, ?)",
				 "ttttt", row->uuid, row->guest, row->uri, row->boot_id,
				 row->before),
		       err);
}

int store_tuning_delete(struct store *store, const char *uuid, struct sriov_error *err)
{
	int r = store_begin(store, STORE_DURABLE, err);

	if (r < 0)
		return r;
	return durably(
		store,
		store_run(store, err, NULL, NULL, "DELETE FROM tuning WHERE uuid = ?", "t", uuid),
		err);
}

struct tunings {
	struct store_tuning *at;
	size_t n;
};

static int add_row(sqlite3_stmt *row, void *data, struct sriov_error *err)
{
	struct tunings *list = data;
	struct store_tuning *slot = core_grow(&list->at, &list->n, sizeof(*slot));

	if (!slot)
		return core_oom(err);
	store_column(row, 0, slot->uuid);
	store_column(row, 1, slot->guest);
	store_column(row, 2, slot->uri);
	store_column(row, 3, slot->boot_id);
	slot->before = strdup((const char *)sqlite3_column_text(row, 4));
	return slot->before ? 0 : core_oom(err);
}

int store_tuning_list(struct store *store, struct store_tuning **out, size_t *n,
		      struct sriov_error *err)
{
	struct tunings list = {0};
	int r = store_run(store, err, add_row, &list,
			  "SELECT uuid, guest, uri, boot_id, before FROM tuning ORDER BY uuid", "");

	if (r < 0) {
		store_tunings_free(list.at, list.n);
		return r;
	}
	*out = list.at;
	*n = list.n;
	return 0;
}

void store_tunings_free(struct store_tuning *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(rows[i].before);
	free(rows);
}
