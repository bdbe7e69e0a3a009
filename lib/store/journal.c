/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal: one row a change, and a row of its texts beside it, written once. Open rows are the ones that
 * need recovery or the operator.
 */
#include "lib/store/db.h"

#include <errno.h>
#include <string.h>

#define COLUMNS "id, pf, command, status, boot_id, started, ended, steps, done, error"
#define ALL_COLUMNS                                                                                \
	COLUMNS ", before, want, plan, generation FROM journal JOIN journal_text USING (id)"
#define OPEN "status IN ('open', 'stuck', 'incomplete')"

static bool status_is_open(const char *status)
{
	return !strcmp(status, "open") || !strcmp(status, "stuck") || !strcmp(status, "incomplete");
}

static void read_row(sqlite3_stmt *row, struct sriov_journal_row *out)
{
	out->id = sqlite3_column_int64(row, 0);
	store_column(row, 1, out->pf);
	store_column(row, 2, out->command);
	store_column(row, 3, out->status);
	store_column(row, 5, out->started);
	store_column(row, 6, out->ended);
	out->steps = sqlite3_column_int(row, 7);
	out->done = sqlite3_column_int(row, 8);
	store_column(row, 9, out->error);
	out->open = status_is_open(out->status);
}

static int read_journal(sqlite3_stmt *row, void *data, struct sriov_error *err)
{
	struct store_journal *journal = data;

	read_row(row, &journal->row);
	store_column(row, 4, journal->boot_id);
	journal->before = strdup((const char *)sqlite3_column_text(row, 10));
	journal->want = strdup((const char *)sqlite3_column_text(row, 11));
	journal->steps = strdup((const char *)sqlite3_column_text(row, 12));
	journal->generation = sqlite3_column_int64(row, 13);
	return journal->before && journal->want && journal->steps ? 0 : core_oom(err);
}

void store_journal_clear(struct store_journal *journal)
{
	free(journal->before);
	free(journal->want);
	free(journal->steps);
	*journal = (struct store_journal){0};
}

int store_journal_insert(struct store *store, struct store_journal *journal,
			 struct sriov_error *err)
{
	struct sriov_journal_row *row = &journal->row;
	int64_t id;
	int r = store_run(store, err, NULL, NULL,
			  "INSERT INTO journal (pf, command, status, boot_id, started, steps, done,"
			  " generation) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
			  "tttttiii", row->pf, row->command, row->status, journal->boot_id,
			  row->started, (int64_t)row->steps, (int64_t)row->done,
			  (int64_t)journal->generation);

	if (r < 0)
		return r;
	id = sqlite3_last_insert_rowid(store->db);
	r = store_run(store, err, NULL, NULL,
		      "INSERT INTO journal_text (id, before, want, plan) VALUES (?, ?, ?, ?)",
		      "ittt", id, journal->before, journal->want, journal->steps);
	if (r < 0)
		return r;
	row->id = id;
	return 0;
}

int store_journal_mark(struct store *store, long id, unsigned done, struct sriov_error *err)
{
	int r = store_run(store, err, NULL, NULL, "UPDATE journal SET done = ? WHERE id = ?", "ii",
			  (int64_t)done, (int64_t)id);

	return r < 0 ? r : 0;
}

int store_journal_status(struct store *store, long id, const char *status, const char *why,
			 struct sriov_error *err)
{
	char now[32] = "";
	int r;

	if (!status_is_open(status))
		core_now(now);
	r = store_run(store, err, NULL, NULL,
		      "UPDATE journal SET status = ?1, ended = nullif(?2, ''),"
		      " error = CASE ?1 WHEN 'committed' THEN NULL ELSE coalesce(?3, error) END,"
		      " done = CASE ?1 WHEN 'committed' THEN steps ELSE done END WHERE id = ?4",
		      "ttti", status, now, why, (int64_t)id);
	return r < 0 ? r : 0;
}

/* A query for one journal ended with @rows: hands it over, or frees what was read. */
static int hand_over(int rows, struct store_journal *journal, struct store_journal *out)
{
	if (rows > 0) {
		*out = *journal;
		return 0;
	}
	store_journal_clear(journal);
	return rows < 0 ? rows : -ENOENT;
}

int store_journal_get(struct store *store, long id, struct store_journal *out,
		      struct sriov_error *err)
{
	struct store_journal journal = {0};
	int rows = store_run(store, err, read_journal, &journal,
			     "SELECT " ALL_COLUMNS " WHERE id = ?", "i", (int64_t)id);

	return hand_over(rows, &journal, out);
}

int store_journal_open_of(struct store *store, const char *pf, struct store_journal *out,
			  struct sriov_error *err)
{
	struct store_journal journal = {0};
	int rows = store_run(store, err, read_journal, &journal,
			     "SELECT " ALL_COLUMNS " WHERE pf = ? AND " OPEN
			     " ORDER BY id DESC LIMIT 1",
			     "t", pf);

	return hand_over(rows, &journal, out);
}

struct rows {
	struct sriov_journal_row *at;
	size_t n;
};

static int add_row(sqlite3_stmt *row, void *data, struct sriov_error *err)
{
	struct rows *list = data;
	struct sriov_journal_row *slot = core_grow(&list->at, &list->n, sizeof(*slot));

	if (!slot)
		return core_oom(err);
	read_row(row, slot);
	return 0;
}

int store_journal_list(struct store *store, bool closed, struct sriov_journal_row **out, size_t *n,
		       struct sriov_error *err)
{
	struct rows list = {0};
	int r = store_run(
		store, err, add_row, &list,
		closed ? "SELECT " COLUMNS " FROM journal WHERE NOT " OPEN " ORDER BY id DESC"
		       : "SELECT " COLUMNS " FROM journal WHERE " OPEN " ORDER BY id DESC",
		"");

	if (r < 0) {
		free(list.at);
		return r;
	}
	*out = list.at;
	*n = list.n;
	return 0;
}

struct parts {
	char (*pf)[SRIOV_PCI_LEN];
	size_t n;
};

static int add_part(sqlite3_stmt *row, void *data, struct sriov_error *err)
{
	struct parts *parts = data;
	char(*slot)[SRIOV_PCI_LEN] = core_grow(&parts->pf, &parts->n, sizeof(*slot));

	if (!slot)
		return core_oom(err);
	store_column(row, 0, *slot);
	return 0;
}

int store_journal_parts(struct store *store, long generation, bool open,
			char (**out)[SRIOV_PCI_LEN], size_t *n, struct sriov_error *err)
{
	struct parts parts = {0};
	int r = store_run(store, err, add_part, &parts,
			  open ? "SELECT pf FROM journal WHERE generation = ? AND " OPEN
				 " ORDER BY pf"
			       : "SELECT pf FROM journal WHERE generation = ? ORDER BY pf",
			  "i", (int64_t)generation);

	if (r < 0) {
		free(parts.pf);
		return r;
	}
	*out = parts.pf;
	*n = parts.n;
	return 0;
}
