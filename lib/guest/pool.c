/* SPDX-License-Identifier: Apache-2.0 */
/* Whose VFs are for whom: pools of VFs, and networks of PFs. Records only: no effect on the host. */
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

/* A word: letters, digits, '-', '_' and '.', so that it can stand in options, files and XML. */
static int check_word(const char *what, const char *name, size_t size, struct sriov_error *err)
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
	int r = check_word("pool", name, sizeof(port->vf->pool), err);

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

/* ---- networks ---- */

/* The PFs by their addresses, in order, without twins. */
static int find_pfs(const struct sriov_inventory *inv, const char *const *pf, size_t n,
		    char (**out)[SRIOV_PCI_LEN], size_t *nout, struct sriov_error *err)
{
	_free_ char(*address)[SRIOV_PCI_LEN] = calloc(n + 1, sizeof(*address));
	size_t kept = 0;

	if (!address)
		return core_oom(err);
	for (size_t i = 0; i < n; i++) {
		const struct sriov_pf *found = inventory_find(inv, pf[i]);
		bool twin = false;

		if (!found) {
			sriov_error_set(err, -ENODEV, pf[i], "is not an SR-IOV PF of this host");
			return sriov_error_hint(err, "`sriovctl host show` lists the PFs");
		}
		for (size_t k = 0; k < kept; k++)
			twin |= !strcmp(address[k], found->address);
		if (!twin)
			core_copy(address[kept++], sizeof(*address), found->address);
	}
	qsort(address, kept, sizeof(*address), (int (*)(const void *, const void *))strcmp);
	*out = core_steal(address);
	*nout = kept;
	return 0;
}

static bool has_pf(const char (*pf)[SRIOV_PCI_LEN], size_t n, const char *address)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(pf[i], address))
			return true;
	return false;
}

/* A PF is on one network, as one cable is. */
static int check_unshared(const struct sriov_physnet *nets, size_t nnets, const char *name,
			  const char (*pf)[SRIOV_PCI_LEN], size_t n, struct sriov_error *err)
{
	for (size_t i = 0; i < nnets; i++)
		for (size_t k = 0; strcmp(nets[i].name, name) != 0 && k < nets[i].npfs; k++) {
			if (!has_pf(pf, n, nets[i].pf[k]))
				continue;
			sriov_error_set(err, -EEXIST, nets[i].pf[k], "is on physnet %s already",
					nets[i].name);
			return sriov_error_hint(err,
						"take it off there first: sriovctl physnet add %s "
						"with the PFs that stay, or physnet delete %s",
						nets[i].name, nets[i].name);
		}
	return 0;
}

int guest_net_unheld(struct store *store, const char *name, const char (*pf)[SRIOV_PCI_LEN],
		     size_t n, struct sriov_error *err)
{
	_free_ struct sriov_lease *lease = NULL;
	size_t nleases = 0;
	int r = store_lease_list(store, NULL, &lease, &nleases, err);

	for (size_t i = 0; !r && i < nleases; i++) {
		if (strcmp(lease[i].net, name) != 0 || has_pf(pf, n, lease[i].pf))
			continue;
		sriov_error_set(err, -EBUSY, name, "guest %s holds a lease (%ld) on its PF %s",
				lease[i].guest, lease[i].id, lease[i].pf);
		sriov_error_hint(err, "sriovctl guest detach '%s' --net %s first", lease[i].guest,
				 name);
		r = sriov_error_status(err, SRIOV_REFUSED);
	}
	return r;
}

static int put_net(struct store *store, const char *name, const char (*pf)[SRIOV_PCI_LEN], size_t n,
		   bool dry_run, struct sriov_error *err)
{
	struct sriov_physnet *nets = NULL;
	size_t nnets = 0;
	int r = store ? store_physnet_list(store, &nets, &nnets, err) : 0;

	if (!r)
		r = check_unshared(nets, nnets, name, pf, n, err);
	if (!r && store)
		r = guest_net_unheld(store, name, pf, n, err);
	if (!r && !dry_run)
		r = store_physnet_put(store, name, pf, n, err);
	sriov_physnets_free(nets, nnets);
	return r;
}

SRIOV_EXPORT int sriov_physnet_add(struct sriov_host *host, const char *name, const char *const *pf,
				   size_t npfs, bool dry_run, struct sriov_error *err)
{
	_inventory_ struct sriov_inventory *inv = NULL;
	_free_ char(*address)[SRIOV_PCI_LEN] = NULL;
	struct store *store = NULL;
	size_t n = 0;
	int r = check_word("physnet", name, SRIOV_NET_LEN, err);

	if (!r)
		r = host_read(host, NULL, 0, &inv, err);
	if (!r)
		r = find_pfs(inv, pf, npfs, &address, &n, err);
	if (!r)
		r = store_get(host, !dry_run, &store, err);
	if (!r && !dry_run)
		r = store_begin(store, STORE_DURABLE, err);
	if (!r)
		r = put_net(store, name, (const char(*)[SRIOV_PCI_LEN])address, n, dry_run, err);
	return end(store, r, dry_run, err);
}

static int unknown_net(const struct sriov_physnet *nets, size_t n, const char *name,
		       struct sriov_error *err)
{
	_free_ const char **names = calloc(n + 1, sizeof(*names));
	const char *near;

	if (!names)
		return core_oom(err);
	for (size_t i = 0; i < n; i++)
		names[i] = nets[i].name;
	near = core_nearest(name, names);
	sriov_error_set(err, -ENOENT, name, "there is no physnet of that name");
	if (near)
		return sriov_error_hint(err, "did you mean %s?", near);
	return sriov_error_hint(err, "`sriovctl physnet show` lists them");
}

SRIOV_EXPORT int sriov_physnet_delete(struct sriov_host *host, const char *name, bool dry_run,
				      struct sriov_error *err)
{
	struct sriov_physnet *nets = NULL;
	struct store *store = NULL;
	bool known = false;
	size_t n = 0;
	int r = sriov_physnet_list(host, &nets, &n, err);

	for (size_t i = 0; i < n; i++)
		known |= !strcmp(nets[i].name, name);
	if (!r && !known)
		r = unknown_net(nets, n, name, err);
	sriov_physnets_free(nets, n);
	if (!r)
		r = store_get(host, !dry_run, &store, err);
	if (!r && !dry_run)
		r = store_begin(store, STORE_DURABLE, err);
	if (!r)
		r = put_net(store, name, NULL, 0, dry_run, err);
	return end(store, r, dry_run, err);
}

SRIOV_EXPORT int sriov_physnet_list(struct sriov_host *host, struct sriov_physnet **out, size_t *n,
				    struct sriov_error *err)
{
	struct store *store = NULL;
	int r = store_get(host, false, &store, err);

	if (r < 0)
		return r;
	if (store)
		return store_physnet_list(store, out, n, err);
	*out = NULL;
	*n = 0;
	return 0;
}
