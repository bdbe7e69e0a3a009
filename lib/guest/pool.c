/* SPDX-License-Identifier: Apache-2.0 */
/* Whose VFs are for whom: pools of VFs. Records only: no effect on the host. */
#include "lib/guest/physnet.h"
#include "lib/guest/place.h"
#include "lib/store/store.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void free_inventory(struct sriov_inventory **inv)
{
	sriov_inventory_free(*inv);
}
#define _inventory_ _cleanup_(free_inventory)

int guest_check_word(const char *what, const char *name, size_t size, struct sriov_error *err)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
	size_t len = strlen(name);

	if (len && len < size && name[0] != '-' && strspn(name, letters) == len)
		return 0;
	sriov_error_set(err, -EINVAL, what, "'%.40s' is no name for one", name);
	return sriov_error_hint(err, "1 to %zu letters, digits, '-', '_' or '.', not '-' first",
				size - 1);
}

/* One durable transaction around @r, the outcome of what stands in it. */
static int end(struct store *store, int r, bool dry_run, struct sriov_error *err)
{
	if (!r && !dry_run)
		r = store_commit(store, err);
	if (store)
		store_rollback(store);
	return r;
}

/* ---- pools ---- */

static int refuse_leased(const struct sriov_lease *lease, const char *pool, struct sriov_error *err)
{
	char object[64];

	snprintf(object, sizeof(object), "vf %d of %s", lease->vf, lease->pf);
	sriov_error_set(err, -EBUSY, object,
			"guest %s holds it (lease %ld); in pool %s others could take it for free",
			lease->guest, lease->id, pool);
	sriov_error_hint(err, "sriovctl guest detach '%s' first, or pass --force", lease->guest);
	return sriov_error_status(err, SRIOV_REFUSED);
}

int guest_pool_unleased(struct store *store, const struct sriov_pf *pf,
			const struct sriov_vfset *vfs, const char *name, struct sriov_error *err)
{
	_free_ struct sriov_lease *lease = NULL;
	size_t n = 0;
	int r = store_lease_list(store, pf->address, &lease, &n, err);

	for (size_t i = 0; !r && i < n; i++) {
		const struct sriov_vf *vf = lease[i].vf < 0 ? NULL : pf_vf(pf, lease[i].vf);
		const char *now = vf && vf->pool[0] ? vf->pool : GUEST_POOL;

		if (vf && sriov_vfset_has(vfs, lease[i].vf) && strcmp(now, name) != 0)
			r = refuse_leased(&lease[i], name, err);
	}
	return r;
}

SRIOV_EXPORT int sriov_pool_set(struct sriov_host *host, const char *pf,
				const struct sriov_vfset *vfs, const char *name, bool force,
				bool dry_run, struct sriov_error *err)
{
	_inventory_ struct sriov_inventory *inv = NULL;
	bool all = sriov_vfset_has(vfs, SRIOV_VF_MAX - 1);
	struct store *store = NULL;
	const struct sriov_pf *port;
	int r = guest_check_word("pool", name, sizeof(port->vf->pool), err);

	if (!r)
		r = host_read(host, pf, SRIOV_READ_VFS, &inv, err);
	if (r < 0)
		return r;
	port = &inv->pf[0];
	for (unsigned i = port->vfs; !all && i < SRIOV_VF_MAX; i++)
		if (sriov_vfset_has(vfs, i)) {
			sriov_error_set(err, -ERANGE, pf_label(port), "there is no VF %u", i);
			return port->vfs ? sriov_error_hint(err, "its VFs are 0..%u", port->vfs - 1)
					 : sriov_error_hint(err,
							    "it has no VFs: `sriovctl vf create`");
		}
	r = store_get(host, !dry_run, &store, err);
	if (!r && store)
		r = store_join(store, inv, err);
	if (!r && !dry_run)
		r = store_begin(store, STORE_DURABLE, err);
	if (!r && store && !force)
		r = guest_pool_unleased(store, port, vfs, name, err);
	if (!r && !dry_run)
		r = store_pool_put(store, port->address, vfs, name, err);
	return end(store, r, dry_run, err);
}
