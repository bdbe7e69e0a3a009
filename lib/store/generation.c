/* SPDX-License-Identifier: Apache-2.0 */
/* Generations: one row each time that a host file was applied, or taken back. */
#include "lib/store/db.h"

#include <errno.h>
#include <string.h>

#define COLUMNS "id, status, made, confirm_by, command, file, why"
#define ALL_COLUMNS COLUMNS ", boot_id, source, before, after FROM generation"
#define STANDS "status IN ('committed', 'unconfirmed')"
#define KEPT "100" /* so far one can go back */

void store_generation_clear(struct store_generation *generation)
{
	free(generation->source);
	free(generation->before);
	free(generation->after);
	*generation = (struct store_generation){0};
}

static void read_row(sqlite3_stmt *row, struct sriov_generation *out)
{
	out->id = sqlite3_column_int64(row, 0);
	store_column(row, 1, out->status);
	store_column(row, 2, out->made);
	store_column(row, 3, out->confirm_by);
	store_column(row, 4, out->command);
	store_column(row, 5, out->file);
	store_column(row, 6, out->why);
}

static int read_all(sqlite3_stmt *row, struct store_generation *out, struct sriov_error *err)
{
	read_row(row, &out->row);
	store_column(row, 7, out->boot_id);
	out->source = strdup((const char *)sqlite3_column_text(row, 8));
	out->before = strdup((const char *)sqlite3_column_text(row, 9));
	out->after = strdup((const char *)sqlite3_column_text(row, 10));
	return out->source && out->before && out->after ? 0 : core_oom(err);
}

int store_generation_insert(struct store *store, struct store_generation *generation,
			    struct sriov_error *err)
{
	struct sriov_generation *row = &generation->row;
	int r = store_run(
		store, err, NULL, NULL,
		"INSERT INTO generation (status, command, boot_id, made, confirm_by, file,"
		" why, source, before, after) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		"tttttttttt", row->status, row->command, generation->boot_id, row->made,
		row->confirm_by, row->file, row->why, generation->source, generation->before,
		generation->after);

	if (r < 0)
		return r;
	row->id = sqlite3_last_insert_rowid(store->db);
	r = store_run(store, err, NULL, NULL, "DELETE FROM generation WHERE id <= ? - " KEPT, "i",
		      (int64_t)row->id);
	return r < 0 ? r : 0;
}

int store_generation_status(struct store *store, long id, const char *status, const char *why,
			    struct sriov_error *err)
{
	int r = store_run(store, err, NULL, NULL,
			  "UPDATE generation SET status = ?1, why = coalesce(?2, why), confirm_by ="
			  " CASE ?1 WHEN 'unconfirmed' THEN confirm_by ELSE '' END WHERE id = ?3",
			  "tti", status, why, (int64_t)id);

	return r < 0 ? r : 0;
}

int store_generation_deadline(struct store *store, long id, const char *confirm_by,
			      struct sriov_error *err)
{
	int r = store_run(store, err, NULL, NULL,
			  "UPDATE generation SET confirm_by = ? WHERE id = ?", "ti", confirm_by,
			  (int64_t)id);

	return r < 0 ? r : 0;
}

static int read_one(sqlite3_stmt *row, void *data, struct sriov_error *err)
{
	return read_all(row, data, err);
}

int store_generation_get(struct store *store, long id, struct store_generation *out,
			 struct sriov_error *err)
{
	struct store_generation generation = {0};
	int rows = id < 0 ? store_run(store, err, read_one, &generation,
				      "SELECT " ALL_COLUMNS
				      " WHERE status IN ('open', 'unconfirmed') AND"
				      " confirm_by != '' ORDER BY id DESC LIMIT 1",
				      "")
		   : id   ? store_run(store, err, read_one, &generation,
				      "SELECT " ALL_COLUMNS " WHERE id = ?", "i", (int64_t)id)
			  : store_run(store, err, read_one, &generation,
				      "SELECT " ALL_COLUMNS " WHERE " STANDS
				      " ORDER BY id DESC LIMIT 1",
				      "");

	if (rows > 0) {
		*out = generation;
		return 0;
	}
	store_generation_clear(&generation);
	return rows < 0 ? rows : -ENOENT;
}

struct wholes {
	struct store_generation *at;
	size_t n;
};

static int add_whole(sqlite3_stmt *row, void *data, struct sriov_error *err)
{
	struct wholes *list = data;
	struct store_generation *slot = core_grow(&list->at, &list->n, sizeof(*slot));

	return slot ? read_all(row, slot, err) : core_oom(err);
}

int store_generation_since(struct store *store, long id, struct store_generation **out, size_t *n,
			   struct sriov_error *err)
{
	struct wholes list = {0};
	int r = store_run(store, err, add_whole, &list,
			  "SELECT " ALL_COLUMNS " WHERE id >= ? AND " STANDS " ORDER BY id", "i",
			  (int64_t)id);

	if (r < 0) {
		for (size_t i = 0; i < list.n; i++)
			store_generation_clear(&list.at[i]);
		free(list.at);
		return r;
	}
	*out = list.at;
	*n = list.n;
	return 0;
}

struct rows {
	struct sriov_generation *at;
	size_t n;
};

static int add_row(sqlite3_stmt *row, void *data, struct sriov_error *err)
{
	struct rows *list = data;
	struct sriov_generation *slot = core_grow(&list->at, &list->n, sizeof(*slot));

	if (!slot)
		return core_oom(err);
	read_row(row, slot);
	return 0;
}

int store_generation_list(struct store *store, struct sriov_generation **out, size_t *n,
			  struct sriov_error *err)
{
	struct rows list = {0};
	int r = store_run(store, err, add_row, &list,
			  "SELECT " COLUMNS " FROM generation ORDER BY id DESC", "");

	if (r < 0) {
		free(list.at);
		return r;
	}
	*out = list.at;
	*n = list.n;
	return 0;
}
