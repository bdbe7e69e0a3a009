/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of PFs between commands: identity, epoch, intent, pools. */
#include "lib/store/db.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void store_pf_clear(struct store_pf *pf)
{
	free(pf->intent);
	free(pf->found);
	free(pf->seen);
	*pf = (struct store_pf){0};
}

/* A text column or NULL, in fresh memory. */
static int column_dup(sqlite3_stmt *row, int i, char **out, struct sriov_error *err)
{
	const char *text = (const char *)sqlite3_column_text(row, i);

	*out = text ? strdup(text) : NULL;
	return text && !*out ? core_oom(err) : 0;
}

static int read_pf(sqlite3_stmt *row, void *data, struct sriov_error *err)
{
	struct store_pf *pf = data;
	char mac[SRIOV_MAC_LEN];

	store_column(row, 0, pf->address);
	store_column(row, 1, mac);
	sriov_mac_parse(mac, pf->perm_mac);
	pf->epoch = sqlite3_column_int(row, 2);
	if (column_dup(row, 3, &pf->intent, err) < 0)
		return -ENOMEM;
	pf->watched = sqlite3_column_int(row, 6);
	if (column_dup(row, 5, &pf->seen, err) < 0)
		return -ENOMEM;
	return column_dup(row, 4, &pf->found, err);
}

int store_pf_get(struct store *store, const char *address, struct store_pf *out,
		 struct sriov_error *err)
{
	struct store_pf pf = {0};
	int r = store_run(
		store, err, read_pf, &pf,
		"SELECT address, perm_mac, epoch, intent, found, seen, watched FROM pf WHERE address = ?",
		"t", address);

	if (r < 0) {
		store_pf_clear(&pf);
		return r;
	}
	if (!r)
		return -ENOENT;
	*out = pf;
	return 0;
}

int store_pf_put(struct store *store, const struct store_pf *pf, struct sriov_error *err)
{
	char mac[SRIOV_MAC_LEN];
	int r = store_run(store, err, NULL, NULL,
			  "INSERT OR REPLACE INTO pf"
			  " (address, perm_mac, epoch, intent, found, seen, watched)"
			  " VALUES (?, ?, ?, ?, ?, ?, ?)",
			  "ttittti", pf->address, sriov_mac_format(pf->perm_mac, mac),
			  (int64_t)pf->epoch, pf->intent, pf->found, pf->seen,
			  (int64_t)pf->watched);

	return r < 0 ? r : 0;
}

struct addresses {
	char (*at)[SRIOV_PCI_LEN];
	size_t n;
};

static int read_address(sqlite3_stmt *row, void *data, struct sriov_error *err)
{
	struct addresses *list = data;
	char(*slot)[SRIOV_PCI_LEN] = core_grow(&list->at, &list->n, sizeof(*slot));

	if (!slot)
		return core_oom(err);
	store_column(row, 0, *slot);
	return 0;
}

int store_pf_list(struct store *store, char (**out)[SRIOV_PCI_LEN], size_t *n,
		  struct sriov_error *err)
{
	struct addresses list = {0};
	int r = store_run(store, err, read_address, &list,
			  "SELECT address FROM pf WHERE intent IS NOT NULL ORDER BY address", "");

	if (r < 0) {
		free(list.at);
		return r;
	}
	*out = list.at;
	*n = list.n;
	return 0;
}

int store_pool_set(struct store *store, const char *pf, unsigned first, unsigned last,
		   const char *name, struct sriov_error *err)
{
	int r = store_run(store, err, NULL, NULL,
			  "INSERT INTO pool (pf, first, last, name) VALUES (?, ?, ?, ?)", "tiit",
			  pf, (int64_t)first, (int64_t)last, name);

	return r < 0 ? r : 0;
}

int store_pool_clear(struct store *store, const char *pf, struct sriov_error *err)
{
	int r = store_run(store, err, NULL, NULL, "DELETE FROM pool WHERE pf = ?", "t", pf);

	return r < 0 ? r : 0;
}

static int read_pool(sqlite3_stmt *row, void *data, struct sriov_error *err)
{
	struct store_pools *pools = data;
	int first = sqlite3_column_int(row, 0), last = sqlite3_column_int(row, 1);

	for (int i = first < 0 ? 0 : first; i <= last && i < SRIOV_VF_MAX; i++)
		store_column(row, 2, pools->at[i]);
	return 0;
}

int store_pool_read(struct store *store, const char *pf, struct store_pools *out,
		    struct sriov_error *err)
{
	int r;

	*out = (struct store_pools){0};
	r = store_run(store, err, read_pool, out, "SELECT first, last, name FROM pool WHERE pf = ?",
		      "t", pf);
	return r < 0 ? r : 0;
}

int store_pool_put(struct store *store, const char *pf, const struct sriov_vfset *vfs,
		   const char *name, struct sriov_error *err)
{
	_free_ struct store_pools *pools = calloc(1, sizeof(*pools));
	int r;

	if (!pools)
		return core_oom(err);
	r = store_pool_read(store, pf, pools, err);
	if (r >= 0)
		r = store_pool_clear(store, pf, err);
	for (unsigned i = 0; i < SRIOV_VF_MAX; i++)
		if (sriov_vfset_has(vfs, i))
			core_copy(pools->at[i], sizeof(pools->at[i]), name);
	for (unsigned i = 0, last; r >= 0 && i < SRIOV_VF_MAX; i = last + 1) {
		last = i;
		while (last + 1 < SRIOV_VF_MAX && !strcmp(pools->at[last + 1], pools->at[i]))
			last++;
		if (pools->at[i][0])
			r = store_pool_set(store, pf, i, last, pools->at[i], err);
	}
	return r < 0 ? r : 0;
}

static int join_pool(sqlite3_stmt *row, void *data, struct sriov_error *err)
{
	const struct sriov_pf *pf = inventory_find(data, (const char *)sqlite3_column_text(row, 0));
	int first = sqlite3_column_int(row, 1), last = sqlite3_column_int(row, 2);

	for (unsigned i = 0; pf && pf->vf && i < pf->vfs; i++)
		if ((int)pf->vf[i].index >= first && (int)pf->vf[i].index <= last)
			store_column(row, 3, pf->vf[i].pool);
	return 0;
}

static int join_leases(struct store *store, struct sriov_inventory *inv, struct sriov_error *err)
{
	_free_ struct sriov_lease *lease = NULL;
	size_t n = 0;
	int r = store_lease_list(store, NULL, &lease, &n, err);

	for (size_t i = 0; !r && i < n; i++) {
		const struct sriov_pf *pf = inventory_find(inv, lease[i].pf);
		struct sriov_vf *vf = pf ? pf_vf(pf, lease[i].vf) : NULL;
		char who[SRIOV_NAME_LEN + 8];
		struct sriov_use *use;

		if (!vf)
			continue;
		snprintf(who, sizeof(who), "guest %s", lease[i].guest);
		use = uses_add(&vf->uses, false, who, "lease %ld (%s)", lease[i].id,
			       lease[i].state);
		if (use)
			use->lease = true;
		else
			r = core_oom(err);
	}
	return r;
}

static int join_seen(sqlite3_stmt *row, void *data, struct sriov_error *err)
{
	const struct sriov_inventory *inv = data;
	struct sriov_pf *pf = inventory_find(inv, (const char *)sqlite3_column_text(row, 0));
	char instance[STORE_INSTANCE];

	if (pf &&
	    !strcmp(store_instance(inv, pf, instance), (const char *)sqlite3_column_text(row, 1)))
		pf->watched = true;
	return 0;
}

const char *store_instance(const struct sriov_inventory *inv, const struct sriov_pf *pf,
			   char buf[STORE_INSTANCE])
{
	snprintf(buf, STORE_INSTANCE, "%s/%d", inv->boot_id, pf->ifindex);
	return buf;
}

int store_join_watched(struct store *store, struct sriov_inventory *inv, struct sriov_error *err)
{
	int r = store_run(store, err, join_seen, inv,
			  "SELECT address, seen FROM pf WHERE watched AND seen IS NOT NULL", "");

	return r < 0 ? r : 0;
}

/* A VF that is the way of a whole network's guests is in use, whoever holds it open now. */
static int join_uplink(sqlite3_stmt *row, void *data, struct sriov_error *err)
{
	const struct sriov_pf *pf = inventory_find(data, (const char *)sqlite3_column_text(row, 1));
	struct sriov_vf *vf = pf ? pf_vf(pf, sqlite3_column_int(row, 2)) : NULL;
	char who[SRIOV_NET_LEN + 16];

	if (!vf)
		return 0;
	snprintf(who, sizeof(who), "physnet %s", sqlite3_column_text(row, 0));
	return uses_add(&vf->uses, true, who, "it is the uplink of bridge %s",
			sqlite3_column_text(row, 3))
		       ? 0
		       : core_oom(err);
}

int store_join(struct store *store, struct sriov_inventory *inv, struct sriov_error *err)
{
	int r = store_run(store, err, join_pool, inv, "SELECT pf, first, last, name FROM pool", "");

	if (r >= 0)
		r = join_leases(store, inv, err);
	if (r >= 0)
		r = store_run(
			store, err, join_uplink, inv,
			"SELECT name, uplink_pf, uplink_vf, bridge FROM physnet WHERE uplink = ?",
			"i", (int64_t)SRIOV_UPLINK_VF);
	return r < 0 ? r : 0;
}
