/* SPDX-License-Identifier: Apache-2.0 */
/* Ending a lease, unless a running guest would lose its VF. */
#include "lib/guest/guest.h"
#include "lib/store/store.h"

#include <errno.h>
#include <string.h>

static int unknown_guest(struct store *store, const char *guest, struct sriov_error *err)
{
	_free_ struct sriov_lease *leases = NULL;
	_free_ const char **names = NULL;
	const char *near;
	size_t n = 0;
	int r = store ? store_lease_list(store, NULL, &leases, &n, err) : 0;

	if (r < 0)
		return r;
	names = calloc(n + 1, sizeof(*names));
	if (!names)
		return core_oom(err);
	for (size_t i = 0; i < n; i++)
		names[i] = leases[i].guest;
	near = core_nearest(guest, names);
	sriov_error_set(err, -ENOENT, guest, "no guest of that name holds a lease");
	if (near)
		return sriov_error_hint(
			err, "did you mean '%s'? `sriovctl guest list` shows all %zu", near, n);
	if (!n)
		return sriov_error_hint(err, "there are no leases");
	return sriov_error_hint(err, "`sriovctl guest list` shows the %zu leases", n);
}

static int refuse(const struct sriov_lease *lease, const struct sriov_use *use,
		  struct sriov_error *err)
{
	sriov_error_set(err, -EBUSY, lease->guest, "its VF %u of %s %s in use by %s: %s", lease->vf,
			lease->pf, use->unreadable ? "may be" : "is", use->who, use->how);
	sriov_error_hint(
		err, use->unreadable ? "make that readable (run as root), or use --force"
				     : "stop the guest or detach the VF first, or use --force: the "
				       "guest keeps the VF until it stops");
	return sriov_error_status(err, SRIOV_REFUSED);
}

/* A lease whose VF is gone, or was deleted and made anew, has nothing that could be in use. */
static int check_unused(struct sriov_host *host, struct store *store,
			const struct sriov_lease *lease, struct sriov_error *err)
{
	struct sriov_inventory *inv = NULL;
	struct sriov_error gone = {0};
	struct store_pf known = {0};
	const struct sriov_pf *pf;
	const struct sriov_vf *vf;
	int r = store_pf_get(store, lease->pf, &known, err);
	bool anew = !r && known.epoch != lease->epoch;

	if (!r)
		store_pf_clear(&known);
	if (r < 0 && r != -ENOENT)
		return r;
	if (anew || !strcmp(lease->state, "stale"))
		return 0;
	inv = calloc(1, sizeof(*inv));
	if (!inv)
		return core_oom(err);
	r = host->ops->read(host, lease->pf, SRIOV_READ_VFS | SRIOV_READ_USERS, inv, &gone);
	pf = r < 0 ? NULL : inventory_find(inv, lease->pf);
	if (r == -ENODEV || r == -ENOTSUP)
		r = 0;
	else if (r < 0 && err)
		*err = gone;
	vf = pf ? pf_vf(pf, lease->vf) : NULL;
	if (vf) {
		const struct sriov_uses *uses = &vf->uses;

		for (size_t i = 0; !r && i < uses->n; i++)
			if (uses->at[i].running || uses->at[i].unreadable)
				r = refuse(lease, &uses->at[i], err);
	}
	sriov_inventory_free(inv);
	return r;
}

int guest_release(struct sriov_host *host, const char *guest, bool force, bool dry_run,
		  struct sriov_lease *released, struct sriov_error *err)
{
	struct store *store = NULL;
	struct sriov_lease lease;
	int r = store_get(host, false, &store, err);

	if (r < 0)
		return r;
	r = store ? store_lease_find(store, guest, &lease, err) : -ENOENT;
	if (r == -ENOENT)
		return unknown_guest(store, guest, err);
	if (!r && !force)
		r = check_unused(host, store, &lease, err);
	if (!r && !dry_run) {
		r = store_begin(store, STORE_DURABLE, err);
		if (!r) {
			r = store_lease_delete(store, lease.id, lease.generation, err);
			if (r == -ENOENT)
				sriov_error_set(
					err, r, guest,
					"its lease %ld was ended by another command meanwhile",
					lease.id);
		}
		if (!r)
			r = store_commit(store, err);
		if (r < 0)
			store_rollback(store);
	}
	if (r < 0)
		return r;
	*released = lease;
	return 0;
}
