/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The simulated host for placement: its MAC addresses, what its PFs take frames for, and a PCI tree with a root port
 * over every device.
 */
#include "lib/host/sim.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int sim_mac_user(const struct sim *sim, const uint8_t mac[6], char *name, size_t size)
{
	for (size_t i = 0; i < sim->nnetdevs; i++) {
		if (memcmp(sim->netdev[i].mac, mac, 6) != 0)
			continue;
		core_copy(name, size, sim->netdev[i].name);
		return 1;
	}
	return 0;
}

static struct sim_fdb *find_fdb(const struct sim *sim, const struct sriov_pf *pf,
				const uint8_t mac[6])
{
	for (size_t i = 0; i < sim->nfdb; i++)
		if (!strcmp(sim->fdb[i].pf, pf->address) && !memcmp(sim->fdb[i].mac, mac, 6))
			return &sim->fdb[i];
	return NULL;
}

bool sim_fdb_has(const struct sim *sim, const struct sriov_pf *pf, const uint8_t mac[6])
{
	return find_fdb(sim, pf, mac);
}

/* i40e_ndo_fdb_add() wants VFs, for deleting it has no function of its own; adding twice is no error of either driver. */
int sim_fdb_set(struct sim *sim, struct sriov_pf *pf, const struct sim_call *call,
		struct sriov_error *err)
{
	struct sim_fdb *there = find_fdb(sim, pf, call->mac);

	if (call->on && !strcmp(pf->driver, "i40e") && !pf->vfs)
		return core_errno(err, -EOPNOTSUPP, pf_label(pf),
				  "cannot take frames for another address (bridge fdb add … self)");
	if (call->on && !there) {
		there = core_grow(&sim->fdb, &sim->nfdb, sizeof(*there));
		if (!there)
			return core_oom(err);
		core_copy(there->pf, sizeof(there->pf), pf->address);
		memcpy(there->mac, call->mac, 6);
	} else if (!call->on && !there) {
		return core_errno(err, -ENOENT, pf_label(pf),
				  "cannot stop taking frames for another address");
	} else if (!call->on) {
		*there = sim->fdb[--sim->nfdb];
	}
	return 0;
}

int sim_pci_place(const struct sim *sim, const char *address, struct pci_place *out,
		  struct sriov_error *err)
{
	for (size_t i = 0; i < sim->inv->npfs; i++) {
		const struct sriov_pf *pf = &sim->inv->pf[i];
		bool is = !strcmp(pf->address, address);

		for (unsigned v = 0; !is && pf->vf && v < pf->vfs; v++)
			is = !strcmp(pf->vf[v].address, address);
		if (!is)
			continue;
		out->node = pf->node;
		snprintf(out->path, sizeof(out->path), "pci%.7s/%.8s00.0/%s", pf->address,
			 pf->address, address);
		return 0;
	}
	sriov_error_set(err, -ENODEV, address, "there is no PCI device of that address");
	return sriov_error_hint(err, "a simulated host has its PFs and VFs: sriovctl host show");
}
