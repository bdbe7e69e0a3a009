/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence: what probes of PFs answered. The newest answer to a question takes the place of older ones. */
#include "lib/store/db.h"

#define COLUMNS                                                                                    \
	"pf, question, answer, counts, nature, nature_why, kernel, driver, driver_version,"        \
	" firmware, vendor, device, taken"

int store_evidence_put(struct store *store, const struct sriov_evidence *row,
		       struct sriov_error *err)
{
	int r = store_run(store, err, NULL, NULL,
			  "INSERT OR REPLACE INTO evidence (" COLUMNS
			  ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
			  "ttttttttttiit", row->pf, row->question, row->answer, row->counts,
			  row->nature, row->nature_why, row->kernel, row->driver,
			  row->driver_version, row->firmware, (int64_t)row->vendor,
			  (int64_t)row->device, row->taken);

	return r < 0 ? r : 0;
}

struct rows {
	struct sriov_evidence *at;
	size_t n;
};

static int add_row(sqlite3_stmt *row, void *data, struct sriov_error *err)
{
	struct rows *list = data;
	struct sriov_evidence *slot = core_grow(&list->at, &list->n, sizeof(*slot));

	if (!slot)
		return core_oom(err);
	store_column(row, 0, slot->pf);
	store_column(row, 1, slot->question);
	store_column(row, 2, slot->answer);
	store_column(row, 3, slot->counts);
	store_column(row, 4, slot->nature);
	store_column(row, 5, slot->nature_why);
	store_column(row, 6, slot->kernel);
	store_column(row, 7, slot->driver);
	store_column(row, 8, slot->driver_version);
	store_column(row, 9, slot->firmware);
	slot->vendor = sqlite3_column_int(row, 10);
	slot->device = sqlite3_column_int(row, 11);
	store_column(row, 12, slot->taken);
	return 0;
}

int store_evidence_list(struct store *store, const char *pf, struct sriov_evidence **out, size_t *n,
			struct sriov_error *err)
{
	struct rows list = {0};
	int r = store_run(store, err, add_row, &list,
			  "SELECT " COLUMNS " FROM evidence WHERE ?1 IS NULL OR pf = ?1"
			  " ORDER BY pf, rowid",
			  "t", pf);

	if (r < 0) {
		free(list.at);
		return r;
	}
	*out = list.at;
	*n = list.n;
	return 0;
}
