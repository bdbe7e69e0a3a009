/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A simulated PF leaves its driver and comes back. The file keeps its netdev and MAC meanwhile, which nobody is shown:
 * when its driver is back, udev gives it the same name.
 */
#include "lib/host/sim.h"

#include <errno.h>
#include <string.h>

bool sim_pf_away(const struct sriov_pf *pf)
{
	return !*pf->driver || !strcmp(pf->driver, "vfio-pci");
}

bool sim_pf_binds(const struct sriov_pf *pf, const struct sim_call *call)
{
	return call->address && !strcmp(call->address, pf->address) &&
	       sriov_device_driver(pf->vendor, pf->device);
}

void sim_pf_hide(struct sriov_pf *pf)
{
	size_t kept = 0;

	if (!sim_pf_away(pf))
		return;
	/* what the host does with it needs its netdev */
	for (size_t i = 0; i < pf->uses.n; i++)
		if (!strncmp(pf->uses.at[i].how, "/dev/vfio/", 10))
			pf->uses.at[kept++] = pf->uses.at[i];
	pf->uses.n = kept;
	memset(pf->mac, 0, sizeof(pf->mac));
	memset(pf->perm_mac, 0, sizeof(pf->perm_mac));
	pf->netdev[0] = pf->driver_version[0] = pf->firmware[0] = '\0';
	pf->ifindex = 0;
	pf->queues = pf->rules_max = 0;
	pf->ntuple = SRIOV_NTUPLE_UNKNOWN;
	pf->mtu = 0;
}

int sim_pf_override(struct sriov_pf *pf, const struct sim_call *call)
{
	core_copy(pf->driver_override, sizeof(pf->driver_override), call->driver);
	return 0;
}

/* The driver's remove(): VFs and rules go with it, and the port with its link. */
int sim_pf_unbind(struct sim *sim, struct sriov_pf *pf, struct sriov_error *err)
{
	if (!*pf->driver)
		return core_errno(err, -ENODEV, pf->address, "no driver is bound to it");
	for (unsigned v = 0; v < pf->vfs; v++)
		if (sim_holder(sim, &pf->vf[v]))
			return core_errno(
				err, -EBUSY, pf->address,
				"%s holds vf %u, and the simulated host has no model of a "
				"driver that leaves it",
				sim_holder(sim, &pf->vf[v]), v);
	if (pf->vfs)
		sim_vfs_removed(sim, pf);
	sim_links_gone(sim, pf->netdev);
	sim_cancel(sim, pf, SIM_EVENT_LINK, -1);
	sim_rules_forget(sim, pf);
	free(pf->rss);
	pf->rss = NULL;
	pf->nrss = 0;
	/* i40e alone begins with ntuple filters on (i40e_config_netdev()) */
	if (pf->ntuple == SRIOV_NTUPLE_ON && strcmp(pf->driver, "i40e") != 0)
		pf->ntuple = SRIOV_NTUPLE_OFF;
	pf->up = pf->carrier = false;
	pf->driver[0] = '\0';
	return 0;
}

/* An override that names no driver, or vfio-pci without an IOMMU: silently nothing, as for a VF. */
int sim_pf_probe(struct sim *sim, struct sriov_pf *pf)
{
	const char *own = sriov_device_driver(pf->vendor, pf->device);
	const char *driver = *pf->driver_override ? pf->driver_override : own;

	if (*pf->driver)
		return 0;
	if (!strcmp(driver, own) || (!strcmp(driver, "vfio-pci") && pf->iommu_group >= 0))
		core_copy(pf->driver, sizeof(pf->driver), driver);
	return 0;
}
