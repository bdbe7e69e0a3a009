/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated host for probes: its netdevs, and what its NICs are made of. */
#include "lib/host/sim.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int sim_vf_up(struct sim *sim, struct sriov_pf *pf, const struct sim_call *call,
	      struct sriov_error *err)
{
	struct sriov_vf *vf = pf_vf(pf, call->vf);
	char object[96];

	if (!vf || !vf->netdev[0])
		return core_errno(err, -ENODEV, sim_object(object, pf->address, call->vf),
				  "the VF has no network device");
	vf->netdev_up = call->on;
	return 0;
}

static int no_such_netdev(const char *name, struct sriov_error *err)
{
	sriov_error_set(err, -ENODEV, name, "no such network device");
	return sriov_error_hint(err, "a simulated host has the netdevs of its PFs and VFs");
}

int sim_netdev(const struct sim *sim, const char *name, struct netdev_facts *out,
	       struct sriov_error *err)
{
	for (size_t i = 0; *name && i < sim->inv->npfs; i++) {
		const struct sriov_pf *pf = &sim->inv->pf[i];

		if (!strcmp(pf->netdev, name)) {
			*out = (struct netdev_facts){
				.ifindex = pf->ifindex, .up = pf->up, .carrier = pf->carrier};
			memcpy(out->mac, pf->mac, sizeof(out->mac));
			return 0;
		}
		for (unsigned v = 0; v < pf->vfs; v++) {
			const struct sriov_vf *vf = &pf->vf[v];

			if (strcmp(vf->netdev, name) != 0)
				continue;
			*out = (struct netdev_facts){.up = vf->netdev_up,
						     .carrier = vf->netdev_up && pf->carrier};
			memcpy(out->mac, vf->attrs.mac, sizeof(out->mac));
			return 0;
		}
	}
	return no_such_netdev(name, err);
}
