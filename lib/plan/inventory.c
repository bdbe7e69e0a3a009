/* SPDX-License-Identifier: Apache-2.0 */
/* The inventory as commands show it: the host's state joined with what the database knows. */
#include "lib/store/store.h"

#include <errno.h>

/* Leases that cannot be read are evidence that cannot be read. */
static int mark_unreadable(struct sriov_inventory *inv, struct sriov_error *err)
{
	for (size_t p = 0; p < inv->npfs; p++) {
		for (unsigned v = 0; inv->pf[p].vf && v < inv->pf[p].vfs; v++) {
			struct sriov_use *use = uses_add(&inv->pf[p].vf[v].uses, false, "unknown",
							 "leases are readable only for root");

			if (!use)
				return core_oom(err);
			use->unreadable = true;
		}
	}
	return 0;
}

/* What the database knows: leases and pools, and whether the ports' rules were watched from the start. */
static int join(struct sriov_host *host, unsigned what, struct sriov_inventory *inv,
		struct sriov_error *err)
{
	struct store *store = NULL;
	int r = store_get(host, false, &store, err);

	if (r == -EACCES)
		return what & SRIOV_READ_USERS ? mark_unreadable(inv, err) : 0;
	if (!r && store && (what & SRIOV_READ_USERS))
		r = store_join(store, inv, err);
	if (!r && store && (what & SRIOV_READ_RULES))
		r = store_join_watched(store, inv, err);
	return r;
}

SRIOV_EXPORT int sriov_inventory_read(struct sriov_host *host, const char *pf, unsigned what,
				      struct sriov_inventory **out, struct sriov_error *err)
{
	struct sriov_inventory *inv = NULL;
	int r = host_read(host, pf, what, &inv, err);

	if (!r && (what & (SRIOV_READ_USERS | SRIOV_READ_RULES)))
		r = join(host, what, inv, err);
	if (r < 0) {
		sriov_inventory_free(inv);
		return r;
	}
	*out = inv;
	return 0;
}
