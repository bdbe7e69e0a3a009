/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading the live host. Each flag adds only its own look at the kernel: `vf list` is one VF dump a PF and
 * some links in sysfs, whatever else the host has.
 */
#include "flows/flows.h"
#include "lib/guest/guest.h"
#include "lib/host/cores.h"
#include "lib/host/live.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#define DOMAINS_DEFINED "/etc/libvirt/qemu"
#define DOMAINS_RUNNING "/run/libvirt/qemu"

static void read_host(struct live *live, struct sriov_inventory *inv)
{
	struct utsname name;

	if (!uname(&name)) {
		core_copy(inv->kernel, sizeof(inv->kernel), name.release);
		core_copy(inv->hostname, sizeof(inv->hostname), name.nodename);
	}
	if (!live->boot_id[0]) {
		core_read_line(live->proc, "sys/kernel/random/boot_id", live->boot_id,
			       sizeof(live->boot_id));
		live->iommu = sysfs_iommu(live->sys);
	}
	core_copy(inv->boot_id, sizeof(inv->boot_id), live->boot_id);
	inv->iommu = live->iommu;
	inv->vfio = sysfs_has_driver(live->sys, "vfio-pci") ? SRIOV_YES : SRIOV_NO;
}

/* One message: the link, and with ATTRS its VFs. */
static int read_link(struct live *live, struct sriov_pf *pf, bool with_attrs,
		     struct sriov_error *err)
{
	_free_ struct sriov_vf_attrs *attrs = NULL;
	struct link_facts facts;
	struct rtnetlink *rtnl;
	int r;

	if (!pf->ifindex)
		return 0;
	if (with_attrs && pf->vfs) {
		attrs = calloc(SRIOV_VF_MAX, sizeof(*attrs));
		if (!attrs)
			return core_oom(err);
	}
	r = live_rtnl(live, &rtnl, err);
	if (!r)
		r = rtnetlink_link(rtnl, live_object(pf), pf->ifindex, &facts, attrs,
				   attrs ? SRIOV_VF_MAX : 0, err);
	if (r < 0)
		return r;
	pf->up = facts.up;
	pf->carrier = facts.carrier;
	pf->mtu = facts.mtu;
	memcpy(pf->mac, facts.mac, sizeof(pf->mac));
	/* kernels before 5.6 do not tell the permanent address; Intel's PFs keep theirs */
	memcpy(pf->perm_mac, sriov_mac_is_zero(facts.perm_mac) ? facts.mac : facts.perm_mac,
	       sizeof(pf->perm_mac));
	for (size_t i = 0; attrs && i < pf->vfs; i++)
		pf->vf[i].attrs = attrs[pf->vf[i].index];
	return 0;
}

/* What a driver does not have stays unknown; what fails otherwise is an error. */
static int unless_unsupported(int r)
{
	return r == -EOPNOTSUPP ? 0 : r;
}

static int read_port(struct live *live, struct sriov_pf *pf, struct sriov_error *err)
{
	const struct ethioctl *eth;
	struct ethtool_facts facts;
	struct ethnl *ethnl;
	int r;

	if (!pf->ifindex)
		return 0;
	r = live_ioctl(live, &eth, err);
	if (r < 0)
		return r;
	r = ethioctl_driver(eth, pf->netdev, &facts, err);
	if (!r) {
		core_copy(pf->driver_version, sizeof(pf->driver_version), facts.version);
		core_copy(pf->firmware, sizeof(pf->firmware), facts.firmware);
	}
	r = unless_unsupported(r);
	if (!r)
		r = unless_unsupported(ethioctl_rings(eth, pf->netdev, &pf->queues, err));
	if (!r)
		r = unless_unsupported(live_ethnl(live, &ethnl, err));
	if (!r && live->ethnl)
		r = unless_unsupported(ethnl_ntuple_get(live->ethnl, live_object(pf), pf->ifindex,
							&pf->ntuple, err));
	return r;
}

static int read_rules(struct live *live, struct sriov_pf *pf, struct sriov_error *err)
{
	const struct nic_profile *profile = nic_profile_find(pf->driver);
	const struct ethioctl *eth;
	int r;

	if (!pf->ifindex)
		return 0;
	r = live_ioctl(live, &eth, err);
	if (!r)
		r = unless_unsupported(ethioctl_rules(eth, pf->netdev, &pf->rules, &pf->nrules,
						      &pf->rules_max, err));
	/* i40e reads masks back wrongly */
	for (size_t i = 0; !r && profile && i < pf->nrules; i++)
		nic_profile_readback(profile, &pf->rules[i]);
	return r;
}

/* The overrides cannot be read: nobody knows what holds these VFs, so they are not free. */
static int mark_stuck(struct sriov_pf *pf, size_t first, const struct sriov_error *why,
		      struct sriov_error *err)
{
	for (size_t i = first; i < pf->vfs; i++) {
		struct sriov_use *use = uses_add(&pf->vf[i].uses, false, "kernel", "%s",
						 why->message);

		if (!use)
			return core_oom(err);
		use->unreadable = true;
	}
	return 0;
}

static int read_overrides(struct sriov_host *host, struct sriov_pf *pf, struct sriov_error *err)
{
	struct sriov_error why;
	int r = live_read_override(host, pf, pf->address, pf->driver_override, &why);

	if (r == -ETIMEDOUT)
		return mark_stuck(pf, 0, &why, err);
	for (size_t i = 0; i < pf->vfs; i++) {
		struct sriov_vf *vf = &pf->vf[i];

		r = live_read_override(host, pf, vf->address, vf->driver_override, &why);

		if (r == -ETIMEDOUT)
			return mark_stuck(pf, i, &why, err);
		/* a VF that went away since it was listed has no override */
		if (r < 0 && r != -ENOENT && r != -ENODEV) {
			if (err)
				*err = why;
			return r;
		}
	}
	return 0;
}

static int read_rss(struct live *live, struct sriov_pf *pf, struct sriov_error *err)
{
	const struct ethioctl *eth;
	struct ethtool_rss rss = {0};
	int r = pf->ifindex ? live_ioctl(live, &eth, err) : 0;

	if (r < 0 || !pf->ifindex)
		return r;
	r = unless_unsupported(ethioctl_rss_get(eth, pf->netdev, &rss, err));
	pf->rss = rss.table;
	pf->nrss = rss.n;
	memcpy(pf->rss_key, rss.key, rss.nkey);
	pf->nrss_key = rss.nkey;
	return r;
}

static int read_path(struct live *live, struct sriov_pf *pf, struct sriov_error *err)
{
	const struct ethioctl *eth;
	struct rtnetlink *rtnl;
	int r;

	if (!pf->ifindex)
		return 0;
	r = live_ioctl(live, &eth, err);
	if (!r)
		r = ethioctl_rss_fields(eth, pf->netdev, pf->rss_fields, err);
	if (!r)
		r = live_rtnl(live, &rtnl, err);
	return r < 0 ? r : rtnetlink_bridge(rtnl, live_object(pf), pf->ifindex, &pf->bridge, err);
}

static int read_pf(struct sriov_host *host, const char *address, unsigned what,
		   struct sriov_inventory *inv, struct sriov_error *err)
{
	struct live *live = host->priv;
	struct sriov_pf *pf = inventory_add_pf(inv);
	int r;

	if (!pf)
		return core_oom(err);
	r = sysfs_pf(live->sys, address, pf, err);
	/* before the rest: a change that has just written them does nothing else in between */
	if (!r && (what & SRIOV_READ_RULES))
		r = read_rules(live, pf, err);
	if (!r && (what & (SRIOV_READ_VFS | SRIOV_READ_ATTRS | SRIOV_READ_USERS)))
		r = sysfs_vfs(live->sys, pf, err);
	if (!r && (what & SRIOV_READ_OVERRIDES))
		r = read_overrides(host, pf, err);
	if (!r)
		r = read_link(live, pf, what & SRIOV_READ_ATTRS, err);
	if (!r && (what & SRIOV_READ_PORT))
		r = read_port(live, pf, err);
	if (!r && (what & SRIOV_READ_RSS))
		r = read_rss(live, pf, err);
	if (!r && (what & SRIOV_READ_PATH))
		r = read_path(live, pf, err);
	if (!r && (what & SRIOV_READ_CPUS))
		r = sysfs_irq_cpus(live->sys, live->proc, address, &pf->irq_cpus, err);
	return r;
}

/* Drops the last PF again: it went away between being listed and being read. */
static void drop_pf(struct sriov_inventory *inv)
{
	struct sriov_pf *pf = &inv->pf[--inv->npfs];

	for (size_t i = 0; pf->vf && i < pf->vfs; i++)
		free(pf->vf[i].uses.at);
	free(pf->vf);
	free(pf->uses.at);
	free(pf->rules);
	free(pf->rss);
	free(pf->irq_cpus);
}

static int read_pfs(struct sriov_host *host, const char *name, unsigned what,
		    struct sriov_inventory *inv, struct sriov_error *err)
{
	_free_ char(*list)[SRIOV_PCI_LEN] = NULL;
	struct live *live = host->priv;
	char address[SRIOV_PCI_LEN];
	size_t n = 0;
	int r;

	if (name) {
		r = sysfs_find(live->sys, name, address, err);
		return r < 0 ? r : read_pf(host, address, what, inv, err);
	}
	r = sysfs_list(live->sys, &list, &n, err);
	for (size_t i = 0; i < n && !r; i++) {
		r = read_pf(host, list[i], what, inv, err);
		if (r == -ENODEV) {
			drop_pf(inv);
			r = 0;
		}
	}
	return r;
}

static int route(void *data, int family, const void *addr, bool match, struct route_facts *out)
{
	return rtnetlink_route(data, family, addr, match, out);
}

int live_read(struct sriov_host *host, const char *name, unsigned what, struct sriov_inventory *inv,
	      struct sriov_error *err)
{
	struct live *live = host->priv;
	struct rtnetlink *rtnl;
	int r;

	read_host(live, inv);
	r = read_pfs(host, name, what, inv, err);
	if (!r && (what & SRIOV_READ_NODES))
		r = sysfs_nodes(live->sys, &inv->node, &inv->nnodes, err);
	if (!r && (what & SRIOV_READ_CPUS)) {
		r = cores_read(inv->node, inv->nnodes, err);
		if (r == -ENOENT || r == -ENOSYS)
			r = 0;
	}
	if (!r && (what & SRIOV_READ_USES)) {
		r = live_rtnl(live, &rtnl, err);
		if (!r)
			r = uses_of_host(live->sys, live->proc, route, rtnl, inv, err);
	}
	if (!r && (what & SRIOV_READ_USERS)) {
		r = uses_of_netdevs(inv, err);
		if (!r)
			r = vfio_users(live->sys, live->proc, inv, err);
		if (!r)
			r = guest_domains_uses(inv, DOMAINS_DEFINED, DOMAINS_RUNNING, err);
	}
	return r;
}
