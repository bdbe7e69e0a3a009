/* SPDX-License-Identifier: Apache-2.0 */
/* VFs of a simulated PF come and go, and drivers are bound to them. */
#include "lib/host/sim.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <stdio.h>
#include <string.h>

/* A VF driver's probe and udev's renaming, together. */
#define PROBE_MS 100

/*
 * First VF offset and VF stride of the SR-IOV capability: routing id = of the PF + offset + stride * index.
 * 82599 and 82576 (as emulated): VF 0 of 81:00.0 is 81:10.0, VF 1 is 81:10.2. I350 has four functions. On
 * i40e function 0's VFs start at device 2 and those of each function follow the one before.
 */
static unsigned routing_id(const struct sriov_pf *pf, unsigned bus, unsigned device,
			   unsigned function, unsigned index)
{
	unsigned slot = bus << 8 | device << 3;

	if (!strcmp(pf->driver, "i40e"))
		return slot + 0x10 + function * pf->vfs_total + index;
	if (!strcmp(pf->driver, "igb") && (pf->device == 0x1521 || pf->device == 0x1522))
		return slot + function + 0x80 + 4 * index;
	return slot + function + 0x80 + 2 * index;
}

static void vf_address(const struct sriov_pf *pf, unsigned index, char out[SRIOV_PCI_LEN])
{
	unsigned domain = 0, bus = 0, device = 0, function = 0, id;

	sscanf(pf->address, "%x:%x:%x.%x", &domain, &bus, &device, &function);
	id = routing_id(pf, bus, device, function, index);
	snprintf(out, SRIOV_PCI_LEN, "%04x:%02x:%02x.%x", domain & 0xfffffff, id >> 8 & 0xff,
		 id >> 3 & 0x1f, id & 7);
}

/* True if a device has this address or netdev name (no text can be both). */
static bool known(const struct sim *sim, const char *name)
{
	for (size_t i = 0; i < sim->inv->npfs; i++) {
		const struct sriov_pf *pf = &sim->inv->pf[i];

		if (!strcmp(pf->address, name) || !strcmp(pf->netdev, name))
			return true;
		for (unsigned v = 0; v < pf->vfs; v++) {
			if (!strcmp(pf->vf[v].address, name) || !strcmp(pf->vf[v].netdev, name))
				return true;
		}
	}
	return false;
}

static int next_iommu_group(const struct sim *sim)
{
	int last = -1;

	for (size_t i = 0; i < sim->inv->npfs; i++) {
		const struct sriov_pf *pf = &sim->inv->pf[i];

		if (pf->iommu_group > last)
			last = pf->iommu_group;
		for (unsigned v = 0; v < pf->vfs; v++) {
			if (pf->vf[v].iommu_group > last)
				last = pf->vf[v].iommu_group;
		}
	}
	return last + 1;
}

int sim_autoprobe(struct sim *sim, struct sriov_pf *pf, const struct sim_call *call,
		  struct sriov_error *err)
{
	pf->autoprobe = call->on;
	return 0;
}

static int vf_probe_later(struct sim *sim, const struct sriov_pf *pf, const struct sriov_vf *vf)
{
	struct sim_event event = {.has = 1,
				  .at_ms = sim->clock_ms + PROBE_MS,
				  .event = SIM_EVENT_NETDEV,
				  .vf = vf->index};

	core_copy(event.pf, sizeof(event.pf), pf->address);
	return sim_schedule(sim, event);
}

void sim_vf_netdev(struct sim *sim, struct sriov_pf *pf, struct sriov_vf *vf)
{
	const char *driver = sriov_driver_find(pf->driver)->vf_driver;
	char name[32];
	int len;

	if (*vf->driver && strcmp(vf->driver, driver) != 0)
		return;
	core_copy(vf->driver, sizeof(vf->driver), driver);
	/* as systemd.net-naming-scheme(7) has it: the PF's name and the VF's index */
	len = snprintf(name, sizeof(name), "%sv%u", pf->netdev, vf->index);
	if (!*pf->netdev || len >= (int)sizeof(vf->netdev) || known(sim, name)) {
		unsigned i = 0;

		do
			snprintf(name, sizeof(name), "eth%u", i++);
		while (known(sim, name));
	}
	core_copy(vf->netdev, sizeof(vf->netdev), name);
}

static void vfs_free(struct sriov_vf *vf, unsigned n)
{
	for (unsigned v = 0; vf && v < n; v++)
		free(vf[v].uses.at);
	free(vf);
}

/* What a change of the VF count does to the port. */
static int port_changed(struct sim *sim, struct sriov_pf *pf)
{
	unsigned traits = sriov_driver_find(pf->driver)->traits;
	int r = sim_rules_event(sim, pf, NIC_EVENT_VFS, NULL);

	return r || !(traits & SRIOV_NUMVFS_RESETS_PORT) ? r : sim_port_reset(sim, pf);
}

void sim_vfs_removed(struct sim *sim, struct sriov_pf *pf)
{
	sim_cancel(sim, pf, SIM_EVENT_NETDEV, -1);
	sim_cancel(sim, pf, SIM_EVENT_READY, -1);
	vfs_free(pf->vf, pf->vfs);
	pf->vf = NULL;
	pf->vfs = 0;
	port_changed(sim, pf);
}

int sim_vfs_created(struct sim *sim, struct sriov_pf *pf, unsigned n, struct sriov_error *err)
{
	const struct sriov_vf_attrs fresh = {
		.has = SRIOV_VF_ALL, .vlan_proto = ETH_P_8021Q, .spoofchk = true};
	int group = sim->inv->iommu ? next_iommu_group(sim) : -1;
	struct sriov_vf *vf = calloc(n, sizeof(*vf));

	if (!vf)
		return core_oom(err);
	for (unsigned v = 0; v < n; v++) {
		vf[v] = (struct sriov_vf){.index = v, .attrs = fresh};
		vf[v].iommu_group = group < 0 ? -1 : group + (int)v;
		vf_address(pf, v, vf[v].address);
		if (known(sim, vf[v].address)) {
			core_errno(err, -ENOMEM, pf->address,
				   "no room on the bus: %s is another device's address",
				   vf[v].address);
			free(vf);
			return -ENOMEM;
		}
	}
	free(pf->vf);
	pf->vf = vf;
	pf->vfs = n;
	for (unsigned v = 0; v < n && pf->autoprobe; v++) {
		if (vf_probe_later(sim, pf, &vf[v]) < 0)
			return core_oom(err);
	}
	return port_changed(sim, pf) < 0 ? core_oom(err) : 0;
}

/* sriov_numvfs_store() in drivers/pci/pci-sysfs.c (iov.c since 5.16), then the driver's own limit. */
int sim_numvfs(struct sim *sim, struct sriov_pf *pf, const struct sim_call *call,
	       struct sriov_error *err)
{
	const struct sriov_driver *driver = sriov_driver_find(pf->driver);
	unsigned n = call->vf;
	const char *holder;
	char why[128];

	if (n > pf->vfs_total)
		return core_errno(err, -ERANGE, pf->address, "%u VFs asked for, the device has %u",
				  n, pf->vfs_total);
	if (n == pf->vfs)
		return 0;
	if (n && pf->vfs)
		return core_errno(err, -EBUSY, pf->address,
				  "%u VFs exist: the kernel changes their count only through 0",
				  pf->vfs);
	if (driver->vfs_max && n > driver->vfs_max)
		return core_errno(err, -EPERM, pf->address, "%s allows no more than %u VFs",
				  driver->name, driver->vfs_max);
	if (n)
		return sim_vfs_created(sim, pf, n, err);
	for (unsigned v = 0; v < pf->vfs; v++) {
		holder = sim_holder(sim, &pf->vf[v]);
		if (!holder)
			continue;
		snprintf(why, sizeof(why), "%.60s holds vf %u", holder, v);
		return sim_stick(sim, pf, call, -1, why, err);
	}
	sim_vfs_removed(sim, pf);
	return 0;
}

static struct sriov_vf *vf_find(struct sriov_pf *pf, const struct sim_call *call,
				struct sriov_error *err)
{
	for (unsigned v = 0; v < pf->vfs; v++) {
		if (!strcmp(pf->vf[v].address, call->address))
			return &pf->vf[v];
	}
	core_errno(err, -ENODEV, call->address, "no such VF of %s", pf->address);
	return NULL;
}

int sim_override(struct sim *sim, struct sriov_pf *pf, const struct sim_call *call,
		 struct sriov_error *err)
{
	struct sriov_vf *vf;

	if (sim_pf_binds(pf, call))
		return sim_pf_override(pf, call);
	vf = vf_find(pf, call, err);
	if (!vf)
		return -ENODEV;
	core_copy(vf->driver_override, sizeof(vf->driver_override), call->driver);
	return 0;
}

void sim_vf_unbound(struct sim *sim, struct sriov_pf *pf, struct sriov_vf *vf)
{
	size_t kept = 0;

	sim_cancel(sim, pf, SIM_EVENT_NETDEV, vf->index);
	vf->driver[0] = vf->netdev[0] = vf->master[0] = '\0';
	vf->netdev_up = vf->in_netns = false;
	/* who used it through its driver no longer does; a domain that is merely defined still names it */
	for (size_t i = 0; i < vf->uses.n; i++) {
		if (!vf->uses.at[i].running && strcmp(vf->uses.at[i].who, "host") != 0)
			vf->uses.at[kept++] = vf->uses.at[i];
	}
	vf->uses.n = kept;
}

int sim_unbind(struct sim *sim, struct sriov_pf *pf, const struct sim_call *call,
	       struct sriov_error *err)
{
	struct sriov_vf *vf;
	const char *holder;
	char why[128];

	if (sim_pf_binds(pf, call))
		return sim_pf_unbind(sim, pf, err);
	vf = vf_find(pf, call, err);
	if (!vf)
		return -ENODEV;
	if (!*vf->driver)
		return core_errno(err, -ENODEV, call->address, "no driver is bound to it");
	holder = sim_holder(sim, vf);
	if (holder) {
		snprintf(why, sizeof(why), "%.60s holds the VF", holder);
		return sim_stick(sim, pf, call, vf->index, why, err);
	}
	sim_vf_unbound(sim, pf, vf);
	return 0;
}

int sim_vf_probed(struct sim *sim, struct sriov_pf *pf, struct sriov_vf *vf)
{
	const char *vf_driver = sriov_driver_find(pf->driver)->vf_driver;
	const char *driver = *vf->driver_override ? vf->driver_override : vf_driver;

	if (*vf->driver)
		return 0;
	/* pci_device_can_probe(): a VF is probed by autoprobe or driver_override; else silently nothing */
	if (!pf->autoprobe && !*vf->driver_override)
		return 0;
	/* a probe that fails, or an override that names no driver, is silent too */
	if (!strcmp(driver, "vfio-pci") && vf->iommu_group >= 0) {
		sim_cancel(sim, pf, SIM_EVENT_NETDEV, vf->index);
		core_copy(vf->driver, sizeof(vf->driver), driver);
		return 0;
	}
	if (strcmp(driver, vf_driver) != 0)
		return 0;
	core_copy(vf->driver, sizeof(vf->driver), driver);
	return vf_probe_later(sim, pf, vf);
}

int sim_probe(struct sim *sim, struct sriov_pf *pf, const struct sim_call *call,
	      struct sriov_error *err)
{
	struct sriov_vf *vf;

	if (sim_pf_binds(pf, call))
		return sim_pf_probe(sim, pf);
	vf = vf_find(pf, call, err);
	if (!vf)
		return -ENODEV;
	return sim_vf_probed(sim, pf, vf) < 0 ? core_oom(err) : 0;
}
