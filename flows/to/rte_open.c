/* SPDX-License-Identifier: Apache-2.0 */
/* A configured port of DPDK as a port of ours: its driver, queues, device and VFs. */
#include "flows/to/rte.h"
#include "lib/core/core.h"

#include <errno.h>
#include <fcntl.h>
#include <rte_ethdev.h>
#include <stdio.h>
#include <string.h>

static int tell_tunnel(uint16_t port, bool add, uint16_t udp)
{
	struct rte_eth_udp_tunnel tunnel = {.udp_port = udp,
					    .prot_type = RTE_ETH_TUNNEL_TYPE_VXLAN};

	return add ? rte_eth_dev_udp_tunnel_port_add(port, &tunnel)
		   : rte_eth_dev_udp_tunnel_port_delete(port, &tunnel);
}

static const struct rte_calls dpdk = {
	.validate = rte_flow_validate,
	.create = rte_flow_create,
	.destroy = rte_flow_destroy,
	.isolate = rte_flow_isolate,
	.tunnel = tell_tunnel,
};

/* A number in a file of the device's folder; 0 if there is none. */
static unsigned number_at(int dir, const char *name)
{
	_close_ int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	char text[32] = "";

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		return 0;
	return strtoul(text, NULL, 0);
}

/* Virtual devices of DPDK have no such folder, and need none. */
static void read_device(struct sriov_pf *pf)
{
	_close_ int devices = open("/sys/bus/pci/devices", O_PATH | O_DIRECTORY | O_CLOEXEC);
	_close_ int dir = -1;

	if (devices < 0)
		return;
	dir = openat(devices, pf->netdev, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return;
	snprintf(pf->address, sizeof(pf->address), "%s", pf->netdev);
	pf->vendor = number_at(dir, "vendor");
	pf->device = number_at(dir, "device");
	pf->vfs = number_at(dir, "sriov_numvfs");
}

/* Asked for a rule without anything, a driver with rte_flow says something else than that it has none. */
static bool has_rte_flow(uint16_t id)
{
	const struct rte_flow_attr attr = {.ingress = 1};
	const struct rte_flow_item item = {.type = RTE_FLOW_ITEM_TYPE_END};
	const struct rte_flow_action action = {.type = RTE_FLOW_ACTION_TYPE_END};
	struct rte_flow_error error = {0};

	return rte_flow_validate(id, &attr, &item, &action, &error) != -ENOSYS;
}

SRIOV_EXPORT int sriov_rte_open(unsigned port_id, struct sriov_rte **out, struct sriov_error *err)
{
	struct sriov_pf pf = {.node = -1, .iommu_group = -1};
	struct rte_eth_dev_info info;
	char name[RTE_ETH_NAME_MAX_LEN], object[32];
	int r;

	snprintf(object, sizeof(object), "port %u", port_id);
	if (port_id >= RTE_MAX_ETHPORTS || !rte_eth_dev_is_valid_port(port_id))
		return sriov_error_set(err, -ENODEV, object, "DPDK has no such port");
	if (rte_eth_dev_info_get(port_id, &info) || rte_eth_dev_get_name_by_port(port_id, name))
		return sriov_error_set(err, -EIO, object, "DPDK does not say what it is");
	snprintf(pf.netdev, sizeof(pf.netdev), "%.*s", (int)sizeof(pf.netdev) - 1, name);
	snprintf(pf.driver, sizeof(pf.driver), "%.*s", (int)sizeof(pf.driver) - 1,
		 info.driver_name);
	pf.queues = info.nb_rx_queues;
	if (!pf.queues) {
		sriov_error_set(err, -EINVAL, pf.netdev, "the port has no RX queues yet");
		return sriov_error_hint(err, "rte_eth_dev_configure() comes first");
	}
	if (!has_rte_flow(port_id)) {
		sriov_error_set(err, -EOPNOTSUPP, pf.netdev,
				"its driver %s has no rte_flow: it "
				"takes no rules",
				pf.driver);
		return sriov_error_hint(err, "drivers that do: net_ixgbe, net_i40e, net_e1000_igb, "
					     "net_tap");
	}
	read_device(&pf);
	r = sriov_nic_rte(&pf, err);
	return r < 0 ? r : rte_port_new(&dpdk, port_id, &pf, out, err);
}
