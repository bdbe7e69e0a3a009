/* SPDX-License-Identifier: Apache-2.0 */
/* A host with two nodes and three PFs, for the tests of lib/guest/. */
#ifndef GUEST_FIXTURE_H
#define GUEST_FIXTURE_H

#include "lib/guest/guest.h"

#include <stdio.h>
#include <string.h>

static inline void fixture_pf(struct sriov_inventory *inv, const char *address, const char *netdev,
			      int node, unsigned vfs)
{
	struct sriov_pf *pf = inventory_add_pf(inv);
	unsigned bus = 0;

	core_copy(pf->address, sizeof(pf->address), address);
	core_copy(pf->netdev, sizeof(pf->netdev), netdev);
	core_copy(pf->driver, sizeof(pf->driver), "ixgbe");
	sscanf(address, "%*x:%x", &bus);
	memcpy(pf->perm_mac, (uint8_t[]){0, 0x1b, 0x21, 0, bus, inv->npfs}, 6);
	memcpy(pf->mac, pf->perm_mac, 6);
	pf->node = node;
	pf->up = true;
	pf->vfs = vfs;
	pf->vfs_total = 63;
	pf->vf = calloc(vfs + 1, sizeof(*pf->vf));
	for (unsigned v = 0; v < vfs; v++) {
		struct sriov_vf *vf = &pf->vf[v];

		vf->index = v;
		vf->iommu_group = -1;
		vf->attrs.has = SRIOV_VF_ALL;
		vf->attrs.vlan_proto = 0x8100;
		snprintf(vf->address, sizeof(vf->address), "0000:%02x:%02x.%x", bus, 0x10 + v / 8,
			 v % 8);
	}
}

/* Listed as a bus scan might: ens2f0 and ens2f1 on node 1, ens1 on node 0. */
static inline void fixture_fill(struct sriov_inventory *inv)
{
	inv->node = calloc(2, sizeof(*inv->node));
	inv->nnodes = 2;
	inv->node[1].id = 1;
	core_copy(inv->node[0].cpus, sizeof(inv->node[0].cpus), "0-7");
	core_copy(inv->node[1].cpus, sizeof(inv->node[1].cpus), "8-15");
	fixture_pf(inv, "0000:81:00.1", "ens2f1", 1, 0);
	fixture_pf(inv, "0000:81:00.0", "ens2f0", 1, 4);
	fixture_pf(inv, "0000:3b:00.0", "ens1", 0, 2);
}

static inline struct sriov_inventory *fixture_new(void)
{
	struct sriov_inventory *inv = calloc(1, sizeof(*inv));

	fixture_fill(inv);
	return inv;
}

#endif
