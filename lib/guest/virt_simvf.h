/* SPDX-License-Identifier: Apache-2.0 */
/* VFs in the hands of the simulated libvirt: virt_simvf.c. */
#ifndef SRIOV_GUEST_VIRT_SIMVF_H
#define SRIOV_GUEST_VIRT_SIMVF_H

#include "lib/host/sim.h"

/* 0 or -ENODEV, without an error set. */
int simvf_find(const struct sim *sim, const char *address, struct sriov_pf **pf,
	       struct sriov_vf **vf);
/* Whether libvirt would give it to one more running domain, in libvirt's words. */
int simvf_check(struct sim *sim, const char *object, const struct guest_device *device,
		struct sriov_pf **pf, struct sriov_vf **vf, struct sriov_error *err);
int simvf_give(struct sim *sim, struct sim_domain *domain, const struct guest_device *device,
	       struct sriov_pf *pf, struct sriov_vf *vf, struct sriov_error *err);
/* Puts back what was kept of the VF @only, or (NULL) of all that the domain had. */
void simvf_take_back(struct sim *sim, struct sim_domain *domain, const char *only);

#endif
