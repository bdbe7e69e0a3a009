/* SPDX-License-Identifier: Apache-2.0 */
/* The live host for placement: whose a MAC address is, what a PF takes frames for, and where a PCI device hangs. */
#include "lib/host/live.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

int live_mac_user(struct sriov_host *host, const uint8_t mac[6], char *name, size_t size,
		  struct sriov_error *err)
{
	struct link_facts link;
	struct rtnetlink *rtnl;
	int r = live_rtnl(host->priv, &rtnl, err);

	if (!r)
		r = rtnetlink_by_mac(rtnl, mac, &link, err);
	if (r == -ENODEV)
		return 0;
	if (r < 0)
		return r;
	core_copy(name, size, link.name);
	return 1;
}

int live_pci_place(struct sriov_host *host, const char *address, struct pci_place *out,
		   struct sriov_error *err)
{
	const struct live *live = host->priv;
	char link[64], target[PATH_MAX];
	const char *path;
	int64_t node = -1;
	ssize_t len;

	snprintf(link, sizeof(link), "bus/pci/devices/%.16s", address);
	len = readlinkat(live->sys, link, target, sizeof(target) - 1);
	if (len < 0 && errno == ENOENT) {
		sriov_error_set(err, -ENODEV, address, "there is no PCI device of that address");
		return sriov_error_hint(err, "`lspci -D` lists them, as 0000:81:00.0");
	}
	if (len < 0)
		return core_errno(err, -errno, address, "cannot find out where it hangs");
	target[len] = '\0';
	path = strstr(target, "/pci");
	snprintf(link, sizeof(link), "bus/pci/devices/%.16s/numa_node", address);
	core_read_number(live->sys, link, &node);
	out->node = node;
	core_copy(out->path, sizeof(out->path), path ? path + 1 : target);
	return 0;
}

int live_fdb_has(struct sriov_host *host, const struct sriov_pf *pf, const uint8_t mac[6],
		 bool *out, struct sriov_error *err)
{
	struct rtnetlink *rtnl;
	int r = live_rtnl(host->priv, &rtnl, err);

	return r ? r : rtnetlink_fdb_has(rtnl, pf_label(pf), pf->ifindex, mac, out, err);
}

int live_fdb_set(struct sriov_host *host, const struct sriov_pf *pf, const uint8_t mac[6], bool on,
		 struct sriov_error *err)
{
	struct rtnetlink *rtnl;
	int r = live_rtnl(host->priv, &rtnl, err);

	return r ? r : rtnetlink_fdb_set(rtnl, pf_label(pf), pf->ifindex, mac, on, err);
}

int live_vf_driven(struct sriov_host *host, const char *address, bool *out, struct sriov_error *err)
{
	struct live *live = host->priv;
	_free_ char *cpus = NULL;
	int r = sysfs_irq_cpus(live->sys, live->proc, address, &cpus, err);

	if (!r)
		*out = *cpus;
	return r;
}
