/* SPDX-License-Identifier: Apache-2.0 */
/* Leases: which VF is whose. The database's constraints make a double lease impossible. */
#include "lib/store/db.h"

#include <errno.h>

#define COLUMNS "id, guest, uuid, state, generation, pf, vf, epoch, address, node, created"

static int read_lease(sqlite3_stmt *row, void *data, struct sriov_error *err)
{
	struct sriov_lease *lease = data;

	*lease = (struct sriov_lease){
		.id = sqlite3_column_int64(row, 0),
		.generation = sqlite3_column_int(row, 4),
		.vf = sqlite3_column_int(row, 6),
		.epoch = sqlite3_column_int(row, 7),
		.node = sqlite3_column_int(row, 9),
	};
	store_column(row, 1, lease->guest);
	store_column(row, 2, lease->uuid);
	store_column(row, 3, lease->state);
	store_column(row, 5, lease->pf);
	store_column(row, 8, lease->address);
	store_column(row, 10, lease->created);
	return 0;
}

int store_lease_find(struct store *store, const char *guest, struct sriov_lease *out,
		     struct sriov_error *err)
{
	struct sriov_lease lease;
	int r = store_run(store, err, read_lease, &lease,
			  "SELECT " COLUMNS " FROM lease WHERE guest = ?", "t", guest);

	if (r < 0)
		return r;
	if (!r)
		return -ENOENT;
	*out = lease;
	return 0;
}

struct leases {
	struct sriov_lease *at;
	size_t n;
};

static int add_lease(sqlite3_stmt *row, void *data, struct sriov_error *err)
{
	struct leases *list = data;
	struct sriov_lease *lease = core_grow(&list->at, &list->n, sizeof(*lease));

	return lease ? read_lease(row, lease, err) : core_oom(err);
}

int store_lease_list(struct store *store, const char *pf, struct sriov_lease **out, size_t *n,
		     struct sriov_error *err)
{
	struct leases list = {0};
	int r = store_run(store, err, add_lease, &list,
			  "SELECT " COLUMNS " FROM lease WHERE ?1 IS NULL OR pf = ?1 ORDER BY id",
			  "t", pf);

	if (r < 0) {
		free(list.at);
		return r;
	}
	*out = list.at;
	*n = list.n;
	return 0;
}

int store_lease_insert(struct store *store, struct sriov_lease *lease, struct sriov_error *err)
{
	int r = store_run(
		store, err, NULL, NULL,
		"INSERT INTO lease (guest, uuid, state, generation, pf, vf, epoch, address,"
		" node, created) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		"tttitiitit", lease->guest, lease->uuid, lease->state, (int64_t)lease->generation,
		lease->pf, (int64_t)lease->vf, (int64_t)lease->epoch, lease->address,
		(int64_t)lease->node, lease->created);

	if (r < 0)
		return r;
	lease->id = sqlite3_last_insert_rowid(store->db);
	return 0;
}

int store_lease_delete(struct store *store, long id, unsigned generation, struct sriov_error *err)
{
	int r = store_run(store, err, NULL, NULL,
			  "DELETE FROM lease WHERE id = ? AND generation = ?", "ii", (int64_t)id,
			  (int64_t)generation);

	if (r < 0)
		return r;
	return r ? 0 : -ENOENT;
}

int store_lease_bind(struct store *store, long id, const char *uuid, struct sriov_error *err)
{
	int r = store_run(store, err, NULL, NULL,
			  "UPDATE lease SET uuid = ? WHERE id = ? AND uuid = ''", "ti", uuid,
			  (int64_t)id);

	return r < 0 ? r : 0;
}

int store_lease_epoch(struct store *store, const char *pf, unsigned epoch, unsigned count,
		      struct sriov_error *err)
{
	int r = store_run(store, err, NULL, NULL,
			  "UPDATE lease SET epoch = ? WHERE pf = ? AND vf < ?", "iti",
			  (int64_t)epoch, pf, (int64_t)count);

	if (r >= 0)
		r = store_run(store, err, NULL, NULL,
			      "UPDATE lease SET state = 'stale' WHERE pf = ? AND vf >= ?", "ti", pf,
			      (int64_t)count);
	return r < 0 ? r : 0;
}

int store_lease_drop_pf(struct store *store, const char *pf, struct sriov_error *err)
{
	int r = store_run(store, err, NULL, NULL, "DELETE FROM lease WHERE pf = ?", "t", pf);

	return r < 0 ? r : 0;
}
