/* SPDX-License-Identifier: Apache-2.0 */
/* The intent of `pf bind`: a port leaves the kernel's driver, or comes back to it. */
#include "lib/plan/change.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* vfio gives a group only as a whole: whatever else is in it must not be the kernel's. */
static int check_group(struct change *change, struct sriov_error *err)
{
	const struct sriov_pf *pf = change->pf;
	struct sriov_inventory *host = NULL;
	int r = pf->iommu_group < 0 ? 0 : host_read(change->host, NULL, 0, &host, err);

	for (size_t i = 0; !r && host && i < host->npfs; i++) {
		const struct sriov_pf *other = &host->pf[i];

		if (other->iommu_group != pf->iommu_group || !other->driver[0] ||
		    !strcmp(other->address, pf->address) || !strcmp(other->driver, "vfio-pci"))
			continue;
		sriov_error_set(err, -EBUSY, pf_label(pf),
				"it shares IOMMU group %d with %s, which driver %s has: vfio gives "
				"a group only as a whole",
				pf->iommu_group, pf_label(other), other->driver);
		sriov_error_hint(err, "give that port to vfio-pci too, or use a slot whose root "
				      "port has ACS");
		r = sriov_error_status(err, SRIOV_REFUSED);
	}
	sriov_inventory_free(host);
	return r;
}

/* DPDK takes its memory from hugepages, on the port's node if it can. */
static int note_hugepages(struct change *change, struct sriov_error *err)
{
	const struct sriov_pf *pf = change->pf;
	struct sriov_inventory *inv = NULL;
	unsigned long free_pages = 0;
	int r = host_read(change->host, pf->address, SRIOV_READ_NODES, &inv, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < inv->nnodes; i++)
		for (size_t k = 0; k < inv->node[i].nhuge; k++)
			if (pf->node < 0 || inv->node[i].id == pf->node)
				free_pages += inv->node[i].huge[k].free;
	if (inv->nnodes && !free_pages)
		r = change_note(change, err,
				"no hugepage is free on the port's node %d, where DPDK wants its "
				"memory: echo 256 > /sys/devices/system/node/node%d/hugepages/"
				"hugepages-2048kB/nr_hugepages",
				pf->node, pf->node < 0 ? 0 : pf->node);
	sriov_inventory_free(inv);
	return r;
}

static int want_away(struct change *change, struct sriov_error *err)
{
	int r = 0;

	change->want.has = STATE_DRIVER;
	core_copy(change->want.driver, sizeof(change->want.driver), "vfio-pci");
	if (!state_rebinds(change->pf, &change->want))
		return 0;
	r = check_group(change, err);
	if (!r)
		r = note_hugepages(change, err);
	if (!r && change->known.intent)
		r = change_note(change, err,
				"what is recorded of VFs, rules and RSS waits, and comes back with "
				"`sriovctl pf bind %s --driver default`",
				change->pf->address);
	return r;
}

/* The kernel lets nobody take a device from a process that has it open: that call would hang. */
static int check_holder(const struct sriov_pf *pf, struct sriov_error *err)
{
	if (strcmp(pf->driver, "vfio-pci") != 0 || !pf->uses.n)
		return 0;
	sriov_error_set(err, -EBUSY, pf->address, "%s has the port open", pf->uses.at[0].who);
	sriov_error_hint(err, "stop it first (systemctl stop sriov-rte@%s)", pf->address);
	return sriov_error_status(err, SRIOV_REFUSED);
}

static int want_back(struct change *change, struct sriov_error *err)
{
	struct pf_state *want = &change->want;
	bool waits = change->intent.has & STATE_DRIVER;
	int r = check_holder(change->pf, err);

	if (!r && waits)
		r = state_merge(want, &change->intent, err);
	if (r < 0)
		return r;
	/* as for restore: pools are the database's, and rates may wait for a link */
	want->pool[0] = '\0';
	change->keep_on_no_link = true;
	want->has |= STATE_DRIVER;
	core_copy(want->driver, sizeof(want->driver), BIND_ANY_DEFAULT);
	return 0;
}

SRIOV_EXPORT int sriov_pf_bind(struct sriov_host *host, const char *pf, enum sriov_bind bind,
			       const struct sriov_options *opts, struct sriov_plan **plan,
			       struct sriov_error *err)
{
	struct change change;
	int r;

	*plan = NULL;
	if (bind != SRIOV_BIND_VFIO && bind != SRIOV_BIND_DEFAULT) {
		sriov_error_set(err, -EINVAL, pf,
				"a port is bound to vfio-pci or to its own driver");
		return sriov_error_hint(err, "--driver vfio-pci, or --driver default");
	}
	r = change_open(&change, host, pf, CHANGE_READ_ALL, opts, err);
	if (!r) {
		core_copy(change.want.address, sizeof(change.want.address), change.pf->address);
		r = bind == SRIOV_BIND_VFIO ? want_away(&change, err) : want_back(&change, err);
	}
	if (!r)
		r = change_run(&change, err);
	change_give_plan(&change, plan);
	change_close(&change);
	return r;
}
