/* SPDX-License-Identifier: Apache-2.0 */
/* The RSS indirection table of a simulated port, as its driver keeps, fills and checks it. */
#include "lib/host/sim.h"

#include <errno.h>
#include <string.h>

/* ixgbe below the X550 and igb have 128 entries, i40e's PF has 512 (I40E_HLUT_ARRAY_SIZE). */
static size_t table_size(const struct sriov_pf *pf)
{
	return strcmp(pf->driver, "i40e") != 0 ? 128 : 512;
}

void sim_rss_lost(struct sriov_pf *pf)
{
	const struct sriov_driver *driver = sriov_driver_find(pf->driver);

	if (!driver || !(driver->traits & SRIOV_RESET_LOSES_RSS))
		return;
	free(pf->rss);
	pf->rss = NULL;
	pf->nrss = 0;
}

int sim_rss_show(struct sriov_pf *pf)
{
	if (pf->nrss || !pf->queues || !sriov_driver_find(pf->driver))
		return 0;
	pf->rss = calloc(table_size(pf), sizeof(*pf->rss));
	if (!pf->rss)
		return -ENOMEM;
	pf->nrss = table_size(pf);
	for (size_t i = 0; i < pf->nrss; i++)
		pf->rss[i] = i % pf->queues;
	return 0;
}

int sim_rss_set(struct sim *sim, struct sriov_pf *pf, const struct sim_call *call,
		struct sriov_error *err)
{
	struct sriov_pf shown = *pf;
	uint32_t *table;

	sim_show_port(&shown);
	if (call->nrss != table_size(pf))
		return core_errno(err, -EINVAL, pf->address,
				  "its RSS table has %zu entries, not %zu", table_size(pf),
				  call->nrss);
	for (size_t i = 0; i < call->nrss; i++)
		if (call->rss[i] >= shown.queues)
			return core_errno(err, -EINVAL, pf->address, "there is no RX queue %u",
					  call->rss[i]);
	table = malloc(call->nrss * sizeof(*table));
	if (!table)
		return core_oom(err);
	memcpy(table, call->rss, call->nrss * sizeof(*table));
	free(pf->rss);
	pf->rss = table;
	pf->nrss = call->nrss;
	return 0;
}
