/* SPDX-License-Identifier: Apache-2.0 */
/* What libvirt does to a VF of a simulated host when a running guest gets it, and when it is given back. */
#include "lib/guest/virt_simvf.h"
#include "lib/guest/libvirt.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <stdio.h>
#include <string.h>

#define ATTACHING "attaching the device"

int simvf_find(const struct sim *sim, const char *address, struct sriov_pf **pf,
	       struct sriov_vf **vf)
{
	for (size_t i = 0; i < sim->inv->npfs; i++)
		for (unsigned v = 0; v < sim->inv->pf[i].vfs; v++) {
			if (strcmp(sim->inv->pf[i].vf[v].address, address) != 0)
				continue;
			*pf = &sim->inv->pf[i];
			*vf = &sim->inv->pf[i].vf[v];
			return 0;
		}
	return -ENODEV;
}

/* Who has the VF already: virHostdevPreparePCIDevices() looks through the running domains. */
static const struct sim_domain *user_of(const struct sim *sim, const char *address)
{
	for (size_t i = 0; i < sim->ndomains; i++)
		for (size_t k = 0; k < sim->domain[i].nvfs; k++)
			if (sim->domain[i].vf[k].running &&
			    !strcmp(sim->domain[i].vf[k].address, address))
				return &sim->domain[i];
	return NULL;
}

int simvf_check(struct sim *sim, const char *object, const struct guest_device *device,
		struct sriov_pf **pf, struct sriov_vf **vf, struct sriov_error *err)
{
	const struct sim_domain *user;
	char words[256];

	if (simvf_find(sim, device->address, pf, vf) < 0)
		return libvirt_error(err, object, ATTACHING, VIR_ERR_CONFIG_UNSUPPORTED,
				     VIR_FROM_QEMU,
				     "unsupported configuration: Interface type hostdev is "
				     "currently supported on SR-IOV Virtual Functions only");
	if ((*vf)->iommu_group < 0)
		return libvirt_error(err, object, ATTACHING, VIR_ERR_CONFIG_UNSUPPORTED,
				     VIR_FROM_QEMU,
				     "unsupported configuration: host doesn't support passthrough "
				     "of host PCI devices");
	user = user_of(sim, device->address);
	if (user) {
		snprintf(words, sizeof(words),
			 "Requested operation is not valid: PCI device %s is in use by driver "
			 "QEMU, domain %s",
			 device->address, user->name);
		return libvirt_error(err, object, ATTACHING, VIR_ERR_OPERATION_INVALID,
				     VIR_FROM_NONE, words);
	}
	if ((*pf)->up || device->raw)
		return 0;
	snprintf(words, sizeof(words),
		 "internal error: Unable to configure VF %u of PF '%s' because the PF is not "
		 "online. Change host network config to put the PF online.",
		 (*vf)->index, (*pf)->netdev);
	return libvirt_error(err, object, ATTACHING, VIR_ERR_INTERNAL_ERROR, VIR_FROM_NONE, words);
}

/*
 * virHostdevPreparePCIDevices(): driver, then MAC and VLAN (0 without <vlan>, and always without a priority),
 * keeping what was there before.
 */
int simvf_give(struct sim *sim, struct sim_domain *domain, const struct guest_device *device,
	       struct sriov_pf *pf, struct sriov_vf *vf, struct sriov_error *err)
{
	struct sim_saved *saved = core_grow(&domain->saved, &domain->nsaved, sizeof(*saved));

	if (!saved)
		return core_oom(err);
	core_copy(saved->vf, sizeof(saved->vf), vf->address);
	saved->bound = strcmp(vf->driver, "vfio-pci") != 0;
	saved->net = !device->raw;
	memcpy(saved->mac, vf->attrs.mac, sizeof(saved->mac));
	saved->vlan = vf->attrs.vlan;
	if (saved->bound) {
		sim_vf_unbound(sim, pf, vf);
		core_copy(vf->driver, sizeof(vf->driver), "vfio-pci");
		core_copy(vf->driver_override, sizeof(vf->driver_override), "vfio-pci");
	}
	if (saved->net) {
		memcpy(vf->attrs.mac, device->mac, sizeof(vf->attrs.mac));
		vf->attrs.vlan = device->vlan;
		vf->attrs.qos = 0;
		vf->attrs.vlan_proto = ETH_P_8021Q;
	}
	return 0;
}

/* virHostdevReAttachPCIDevices(): what simvf_give() did, backwards. */
static void take_back(struct sim *sim, const struct sim_saved *saved)
{
	struct sriov_pf *pf;
	struct sriov_vf *vf;

	if (simvf_find(sim, saved->vf, &pf, &vf) < 0)
		return;
	if (saved->net) {
		memcpy(vf->attrs.mac, saved->mac, sizeof(vf->attrs.mac));
		vf->attrs.vlan = saved->vlan;
	}
	if (!saved->bound || strcmp(vf->driver, "vfio-pci") != 0)
		return;
	sim_vf_unbound(sim, pf, vf);
	vf->driver_override[0] = '\0';
	sim_vf_probed(sim, pf, vf);
}

void simvf_take_back(struct sim *sim, struct sim_domain *domain, const char *only)
{
	size_t kept = 0;

	for (size_t i = 0; i < domain->nsaved; i++) {
		if (only && strcmp(domain->saved[i].vf, only) != 0)
			domain->saved[kept++] = domain->saved[i];
		else
			take_back(sim, &domain->saved[i]);
	}
	domain->nsaved = kept;
}

void sim_virt_settle(struct sim *sim)
{
	size_t kept = 0;

	for (size_t i = 0; i < sim->ndomains; i++) {
		struct sim_domain *domain = &sim->domain[i];
		bool transient = domain->live && !domain->xml;

		if (!domain->state) {
			simvf_take_back(sim, domain, NULL);
			free(domain->live);
			domain->live = NULL;
			if (transient) {
				sim_domain_clear(domain);
				continue;
			}
		}
		sim->domain[kept++] = *domain;
	}
	sim->ndomains = kept;
}
