/* SPDX-License-Identifier: Apache-2.0 */
/* Opening and closing a host, live or simulated. */
#include "lib/host/host.h"
#include "lib/store/store.h"

#include <stdio.h>

SRIOV_EXPORT int sriov_host_open(const char *spec, struct sriov_host **out, struct sriov_error *err)
{
	struct sriov_host *host = calloc(1, sizeof(*host));
	int r;

	if (!host)
		return core_oom(err);
	r = spec && *spec ? host_sim_open(host, spec, err) : host_live_open(host, err);
	if (r < 0) {
		sriov_host_close(host);
		return r;
	}
	*out = host;
	return 0;
}

SRIOV_EXPORT void sriov_host_close(struct sriov_host *host)
{
	if (!host)
		return;
	store_close(host->store);
	if (host->ops)
		host->ops->close(host);
	for (size_t i = 0; i < host->nlocks; i++)
		close(host->lock_fd[i]);
	free(host);
}

/* "auto" from a driver that always says "auto" is not known; ixgbe reports VF link states since 6.12. */
static void hide_unreported(struct sriov_inventory *inv)
{
	unsigned major = 0, minor = 0;

	if (sscanf(inv->kernel, "%u.%u", &major, &minor) == 2 &&
	    (major > 6 || (major == 6 && minor >= 12)))
		return;
	for (size_t p = 0; p < inv->npfs; p++) {
		const struct sriov_driver *driver = sriov_driver_find(inv->pf[p].driver);

		if (!driver || !(driver->traits & SRIOV_VF_REPORTS_NO_LINK_STATE) || !inv->pf[p].vf)
			continue;
		for (unsigned v = 0; v < inv->pf[p].vfs; v++)
			inv->pf[p].vf[v].attrs.has &= ~SRIOV_VF_LINK;
	}
}

int host_read(struct sriov_host *host, const char *pf, unsigned what, struct sriov_inventory **out,
	      struct sriov_error *err)
{
	struct sriov_inventory *inv = calloc(1, sizeof(*inv));
	int r;

	if (!inv)
		return core_oom(err);
	r = host->ops->read(host, pf, what, inv, err);
	if (r < 0) {
		sriov_inventory_free(inv);
		return r;
	}
	hide_unreported(inv);
	*out = inv;
	return 0;
}
