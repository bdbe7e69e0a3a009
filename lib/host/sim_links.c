/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The netdevs of a simulated host: those of its PFs and VFs, those that the file names, and the macvtaps and taps of
 * its running guests. VLANs and bridges of ours are made and go as in the kernel: what is on a netdev goes with it.
 */
#include "lib/host/sim.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <string.h>

struct host_link *sim_link_add(struct host_links *links, const char *name, const char *kind)
{
	struct host_link *link = core_grow(&links->at, &links->n, sizeof(*link));

	if (!link)
		return NULL;
	core_copy(link->name, sizeof(link->name), name);
	core_copy(link->kind, sizeof(link->kind), kind);
	return link;
}

static int add_ports(const struct sim *sim, struct host_links *links)
{
	for (size_t p = 0; p < sim->inv->npfs; p++) {
		const struct sriov_pf *pf = &sim->inv->pf[p];
		struct host_link *link = NULL;

		if (*pf->netdev && !sim_pf_away(pf)) {
			link = sim_link_add(links, pf->netdev, "");
			if (!link)
				return -ENOMEM;
			link->up = pf->up;
			memcpy(link->mac, pf->mac, sizeof(link->mac));
		}
		for (unsigned v = 0; pf->vf && v < pf->vfs; v++) {
			const struct sriov_vf *vf = &pf->vf[v];

			if (!*vf->netdev)
				continue;
			link = sim_link_add(links, vf->netdev, "");
			if (!link)
				return -ENOMEM;
			link->up = vf->netdev_up;
			core_copy(link->master, sizeof(link->master), vf->master);
		}
	}
	return 0;
}

/* What the file says of a port's netdev is only which bridge it is in. */
static int add_named(const struct sim *sim, struct host_links *links)
{
	size_t nports = links->n;

	for (size_t i = 0; i < sim->nnetdevs; i++) {
		const struct sim_netdev *netdev = &sim->netdev[i];
		struct host_link *link = NULL;

		for (size_t k = 0; k < nports; k++)
			if (!strcmp(links->at[k].name, netdev->name))
				link = &links->at[k];
		if (!link) {
			link = sim_link_add(links, netdev->name, netdev->kind);
			if (!link)
				return -ENOMEM;
			link->up = netdev->up;
			memcpy(link->mac, netdev->mac, sizeof(link->mac));
		}
		core_copy(link->lower, sizeof(link->lower), netdev->lower);
		core_copy(link->master, sizeof(link->master), netdev->master);
		link->vlan = netdev->vlan;
		link->vlan_proto = netdev->vlan ? ETH_P_8021Q : 0;
		link->ours = netdev->ours || netdev->half;
		link->half = netdev->half;
		link->addressed = netdev->addressed;
	}
	return 0;
}

int sim_links(const struct sim *sim, struct host_links *out, struct sriov_error *err)
{
	struct host_links links = {0};
	int r = add_ports(sim, &links);

	if (!r)
		r = add_named(sim, &links);
	r = r < 0 ? core_oom(err) : sim_virt_links(sim, &links, err);
	if (r < 0) {
		links_clear(&links);
		return r;
	}
	*out = links;
	return 0;
}

static struct sim_netdev *find(struct sim *sim, const char *name)
{
	for (size_t i = 0; i < sim->nnetdevs; i++)
		if (!strcmp(sim->netdev[i].name, name))
			return &sim->netdev[i];
	return NULL;
}

int sim_link_make(struct sim *sim, struct sriov_pf *pf, const struct sim_call *call,
		  struct sriov_error *err)
{
	const struct host_link *want = call->link;
	struct sim_netdev *netdev = find(sim, want->name);

	if (!call->on && netdev)
		return core_errno(err, -EEXIST, want->name, "cannot make the netdev");
	if (!netdev) {
		netdev = core_grow(&sim->netdev, &sim->nnetdevs, sizeof(*netdev));
		if (!netdev)
			return core_oom(err);
		core_copy(netdev->name, sizeof(netdev->name), want->name);
		core_copy(netdev->kind, sizeof(netdev->kind), want->vlan ? "vlan" : "bridge");
		netdev->vlan = want->vlan;
		core_copy(netdev->lower, sizeof(netdev->lower), want->lower);
		memcpy(netdev->mac, pf->mac, sizeof(netdev->mac));
		/* where the kernel's first message ends */
		netdev->half = true;
	}
	if (want->vlan && !pf->up)
		return core_errno(err, -ENETDOWN, want->name,
				  "cannot set the netdev up and mark it as ours");
	netdev->half = false;
	netdev->ours = netdev->up = true;
	core_copy(netdev->master, sizeof(netdev->master), want->master);
	return 0;
}

void sim_links_gone(struct sim *sim, const char *name)
{
	size_t kept = 0;

	for (size_t i = 0; i < sim->nnetdevs; i++) {
		struct sim_netdev *netdev = &sim->netdev[i];

		if (*name && (!strcmp(netdev->name, name) || !strcmp(netdev->lower, name)))
			continue;
		if (*name && !strcmp(netdev->master, name))
			netdev->master[0] = '\0';
		sim->netdev[kept++] = *netdev;
	}
	sim->nnetdevs = kept;
}

int sim_link_delete(struct sim *sim, struct sriov_pf *pf, const struct sim_call *call,
		    struct sriov_error *err)
{
	if (!find(sim, call->link->name))
		return core_errno(err, -ENODEV, call->link->name, "cannot delete the netdev");
	sim_links_gone(sim, call->link->name);
	return 0;
}

/* ---- members of host_ops ---- */

static void sim_freep(struct sim **sim)
{
	sim_free(*sim);
}

int sim_do_links(struct sriov_host *host, struct host_links *out, struct sriov_error *err)
{
	_cleanup_(sim_freep)
	struct sim *sim = NULL;
	int r = sim_load(host, &sim, err);

	return r < 0 ? r : sim_links(sim, out, err);
}

int sim_do_link_make(struct sriov_host *host, const struct sriov_pf *pf,
		     const struct host_link *want, bool there, struct sriov_error *err)
{
	return sim_run(host, &(struct sim_call){SIM_LINK_MAKE, pf, .link = want, .on = there}, err);
}

int sim_do_link_delete(struct sriov_host *host, const struct sriov_pf *pf, const char *name,
		       struct sriov_error *err)
{
	struct host_link link = {0};

	core_copy(link.name, sizeof(link.name), name);
	return sim_run(host, &(struct sim_call){SIM_LINK_DELETE, pf, .link = &link}, err);
}
