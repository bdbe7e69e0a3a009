/* SPDX-License-Identifier: Apache-2.0 */
/* Opening and closing a host, live or simulated. */
#include "lib/host/host.h"
#include "lib/store/store.h"

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
	*out = inv;
	return 0;
}
