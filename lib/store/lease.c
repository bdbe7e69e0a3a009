/* SPDX-License-Identifier: Apache-2.0 */
/* Leases: which VF is whose. The database's constraints make a double lease impossible. */
#include "lib/store/db.h"

#include <errno.h>
#include <stdio.h>

#define COLUMNS                                                                                         \
	"id, guest, uuid, state, generation, path, kind, net, pf, vf, epoch, address, node, mac, vlan," \
	" below, queues, found, uri, created, socket, reason, attrs, pool"

static int read_attrs(sqlite3_stmt *row, int i, struct sriov_vf_attrs *out, struct sriov_error *err)
{
	_json_ json_t *json = json_loads((const char *)sqlite3_column_text(row, i), 0, NULL);

	if (!json)
		return sriov_error_set(err, -EBADMSG, "database",
				       "the VF attributes of a lease cannot be read");
	return vf_attrs_decode(json, out, err);
}

static int read_lease(sqlite3_stmt *row, void *data, struct sriov_error *err)
{
	struct sriov_lease *lease = data;
	char mac[SRIOV_MAC_LEN];
	int r;

	*lease = (struct sriov_lease){
		.id = sqlite3_column_int64(row, 0),
		.generation = sqlite3_column_int(row, 4),
		.vf = sqlite3_column_type(row, 9) == SQLITE_NULL ? -1 : sqlite3_column_int(row, 9),
		.epoch = sqlite3_column_int(row, 10),
		.node = sqlite3_column_int(row, 12),
		.vlan = sqlite3_column_int(row, 14),
		.queues = sqlite3_column_int(row, 16),
	};
	store_column(row, 1, lease->guest);
	store_column(row, 2, lease->uuid);
	store_column(row, 3, lease->state);
	store_column(row, 5, lease->path);
	store_column(row, 6, lease->kind);
	store_column(row, 7, lease->net);
	store_column(row, 8, lease->pf);
	store_column(row, 11, lease->address);
	store_column(row, 13, mac);
	store_column(row, 15, lease->below);
	store_column(row, 18, lease->uri);
	store_column(row, 19, lease->created);
	store_column(row, 20, lease->socket);
	store_column(row, 21, lease->reason);
	store_column(row, 23, lease->pool);
	sriov_mac_parse(mac, lease->mac);
	r = read_attrs(row, 17, &lease->found, err);
	return r ? r : read_attrs(row, 22, &lease->attrs, err);
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

static int list_leases(struct store *store, const char *where, const char *what,
		       struct sriov_lease **out, size_t *n, struct sriov_error *err)
{
	struct leases list = {0};
	char sql[400];
	int r;

	snprintf(sql, sizeof(sql), "SELECT " COLUMNS " FROM lease WHERE %s ORDER BY id", where);
	r = store_run(store, err, add_lease, &list, sql, "t", what);
	if (r < 0) {
		free(list.at);
		return r;
	}
	*out = list.at;
	*n = list.n;
	return 0;
}

int store_lease_list(struct store *store, const char *pf, struct sriov_lease **out, size_t *n,
		     struct sriov_error *err)
{
	return list_leases(store, "?1 IS NULL OR pf = ?1", pf, out, n, err);
}

int store_lease_of(struct store *store, const char *guest, struct sriov_lease **out, size_t *n,
		   struct sriov_error *err)
{
	return list_leases(store, "guest = ?1 OR (uuid = lower(?1) AND uuid != '')", guest, out, n,
			   err);
}

int store_lease_mac(struct store *store, const uint8_t mac[6], struct sriov_lease *out,
		    struct sriov_error *err)
{
	_free_ struct sriov_lease *list = NULL;
	char text[SRIOV_MAC_LEN];
	size_t n = 0;
	int r = list_leases(store, "mac = ?1", sriov_mac_format(mac, text), &list, &n, err);

	if (r < 0 || !n)
		return r < 0 ? r : -ENOENT;
	*out = list[0];
	return 0;
}

static int attrs_text(const struct sriov_vf_attrs *attrs, char **out, struct sriov_error *err)
{
	_json_ json_t *json = vf_attrs_encode(attrs);

	*out = json ? json_dumps(json, JSON_COMPACT) : NULL;
	return *out ? 0 : core_oom(err);
}

/* A lease's columns as texts. */
struct texts {
	char *found, *attrs, mac[SRIOV_MAC_LEN], vf[16];
};

static void texts_clear(struct texts *texts)
{
	free(texts->found);
	free(texts->attrs);
}
#define _texts_ _cleanup_(texts_clear)

static int texts_of(const struct sriov_lease *lease, struct texts *out, struct sriov_error *err)
{
	int r = attrs_text(&lease->found, &out->found, err);

	if (!r)
		r = attrs_text(&lease->attrs, &out->attrs, err);
	sriov_mac_format(lease->mac, out->mac);
	snprintf(out->vf, sizeof(out->vf), "%d", lease->vf);
	return r;
}

int store_lease_insert(struct store *store, struct sriov_lease *lease, struct sriov_error *err)
{
	_texts_ struct texts text = {0};
	int r = texts_of(lease, &text, err);

	if (r < 0)
		return r;
	r = store_run(
		store, err, NULL, NULL,
		"INSERT INTO lease (guest, uuid, state, generation, path, kind, net, pf, vf, epoch,"
		" address, node, mac, vlan, below, queues, found, uri, created, socket, reason,"
		" attrs, pool) VALUES (?, lower(?), ?, ?, ?, ?, ?, ?, CAST(? AS INTEGER), ?, ?, ?, ?,"
		" ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		"tttitttttitititittttttt", lease->guest, lease->uuid, lease->state,
		(int64_t)lease->generation, lease->path, lease->kind, lease->net, lease->pf,
		lease->vf < 0 ? NULL : text.vf, (int64_t)lease->epoch, lease->address,
		(int64_t)lease->node, text.mac, (int64_t)lease->vlan, lease->below,
		(int64_t)lease->queues, text.found, lease->uri, lease->created, lease->socket,
		lease->reason, text.attrs, lease->pool);
	if (r < 0)
		return r;
	lease->id = sqlite3_last_insert_rowid(store->db);
	/* kept whatever becomes of the lease */
	r = lease->reason[0]
		    ? store_run(store, err, NULL, NULL,
				"UPDATE physnet SET fallbacks = fallbacks + 1 WHERE name = ?", "t",
				lease->net)
		    : 0;
	return r < 0 ? r : 0;
}

static int put_lease(struct store *store, const struct sriov_lease *lease, unsigned generation,
		     struct sriov_error *err)
{
	_texts_ struct texts text = {0};
	int r = texts_of(lease, &text, err);

	if (r < 0)
		return r;
	r = store_run(
		store, err, NULL, NULL,
		"UPDATE lease SET state = ?, path = ?, kind = ?, net = ?, vf = CAST(? AS INTEGER),"
		" epoch = ?, address = ?, node = ?, mac = ?, vlan = ?, below = ?, queues = ?, found = ?, uri = ?,"
		" socket = ?, reason = ?, attrs = ?, pool = ?, generation = ?"
		" WHERE id = ? AND generation = ?",
		"tttttitititittttttiii", lease->state, lease->path, lease->kind, lease->net,
		lease->vf < 0 ? NULL : text.vf, (int64_t)lease->epoch, lease->address,
		(int64_t)lease->node, text.mac, (int64_t)lease->vlan, lease->below,
		(int64_t)lease->queues, text.found, lease->uri, lease->socket, lease->reason,
		text.attrs, lease->pool, (int64_t)generation, (int64_t)lease->id,
		(int64_t)lease->generation);
	if (r < 0)
		return r;
	return r ? 0 : -ENOENT;
}

int store_lease_put(struct store *store, const struct sriov_lease *lease, struct sriov_error *err)
{
	return put_lease(store, lease, lease->generation, err);
}

int store_lease_turn(struct store *store, struct sriov_lease *lease, struct sriov_error *err)
{
	int r = put_lease(store, lease, lease->generation + 1, err);

	lease->generation += !r;
	return r;
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
			  "UPDATE lease SET uuid = lower(?) WHERE id = ? AND uuid = ''", "ti", uuid,
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
	int r = store_run(store, err, NULL, NULL, "DELETE FROM lease WHERE pf = ? AND vf >= 0", "t",
			  pf);

	return r < 0 ? r : 0;
}
