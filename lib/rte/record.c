/* SPDX-License-Identifier: Apache-2.0 */
/* What the owner of DPDK's ports keeps in the database: see sriov/rte.h. */
#include "lib/store/store.h"

#include <errno.h>
#include <sriov/rte.h>

SRIOV_EXPORT int sriov_rte_record(struct sriov_host *host, const char *port, const char *line,
				  struct sriov_error *err)
{
	struct store *store;
	int r = store_get(host, true, &store, err);

	return r < 0 ? r : store_rte_put(store, port, line, err);
}

SRIOV_EXPORT int sriov_rte_recorded(struct sriov_host *host, const char *port, char **line,
				    struct sriov_error *err)
{
	struct store *store;
	int r = store_get(host, false, &store, err);

	if (r < 0)
		return r;
	return store ? store_rte_get(store, port, line, err) : -ENOENT;
}
