/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong with a port, a bridge, or OVS as a whole. Pure. */
#include "lib/vswitch/vswitch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

SRIOV_EXPORT void sriov_vswitch_free(struct sriov_vswitch *vswitch)
{
	if (!vswitch)
		return;
	for (size_t i = 0; i < vswitch->nbridges; i++)
		free(vswitch->bridge[i].port);
	free(vswitch->bridge);
	free(vswitch->rxq);
	free(vswitch);
}

void vswitch_policy_clear(struct vswitch_policy *policy)
{
	free(policy->flow);
	free(policy->meter);
	*policy = (struct vswitch_policy){0};
}

bool vswitch_failed(const struct sriov_vswitch_port *port)
{
	return port->ofport < 0 || port->error[0];
}

bool vswitch_is_vhostuser(const struct sriov_vswitch_port *port)
{
	return !strncmp(port->type, "dpdkvhostuser", strlen("dpdkvhostuser"));
}

/*
 * A port without memory for its packets has status "connected", no error and a number, and forwards nothing: only the
 * link and the MTU tell (OVS 3.1).
 */
const char *vswitch_unready(const struct sriov_vswitch_port *port, enum vswitch_ready ready)
{
	if (vswitch_failed(port))
		return "OVS could not make it";
	if (!port->ofport)
		return "OVS has not made it yet";
	if (ready == VSWITCH_MADE)
		return NULL;
	if (vswitch_is_vhostuser(port) && strcmp(port->status, "connected") != 0)
		return "no guest's driver is connected to it";
	if (!port->mtu)
		return "it has no MTU: OVS found no memory for its packets";
	if (!port->link_up)
		return "its link is down";
	return NULL;
}

int vswitch_port_error(const struct sriov_vswitch_port *port, int code, const char *why,
		       struct sriov_error *err)
{
	char object[96];

	snprintf(object, sizeof(object), "port %s", port->name);
	sriov_error_set(err, code, object, "%s", why);
	return port->error[0] ? sriov_error_kernel(err, "OVS: %s", port->error) : code;
}

int vswitch_no_answer(const char *bridge, struct sriov_error *err)
{
	sriov_error_set(err, -ECONNREFUSED, bridge,
			"nobody answers at the bridge's OpenFlow socket");
	return sriov_error_hint(
		err, "see whether it is there (ovs-vsctl list-br), and ovs-vswitchd runs");
}

struct sriov_vswitch_bridge *vswitch_bridge(const struct sriov_vswitch *vswitch, const char *name)
{
	for (size_t i = 0; i < vswitch->nbridges; i++) {
		if (!strcmp(vswitch->bridge[i].name, name))
			return &vswitch->bridge[i];
	}
	return NULL;
}

struct sriov_vswitch_port *vswitch_port(const struct sriov_vswitch *vswitch, const char *bridge,
					const char *name)
{
	for (size_t i = 0; i < vswitch->nbridges; i++) {
		struct sriov_vswitch_bridge *its = &vswitch->bridge[i];

		for (size_t k = 0; (!bridge || !strcmp(bridge, its->name)) && k < its->nports;
		     k++) {
			if (!strcmp(its->port[k].name, name))
				return &its->port[k];
		}
	}
	return NULL;
}

static int no_bridge(const struct sriov_vswitch *vswitch, const char *name, struct sriov_error *err)
{
	const char **names = calloc(vswitch->nbridges + 1, sizeof(*names));
	const char *near;

	if (!names)
		return core_oom(err);
	for (size_t i = 0; i < vswitch->nbridges; i++)
		names[i] = vswitch->bridge[i].name;
	near = core_nearest(name, names);
	free(names);
	sriov_error_set(err, -ENODEV, name, "there is no such bridge");
	if (near)
		return sriov_error_hint(err, "did you mean %s?", near);
	return sriov_error_hint(err, "`ovs-vsctl list-br` shows what there is");
}

int vswitch_check_dpdk(const struct sriov_vswitch *vswitch, struct sriov_error *err)
{
	if (!vswitch->dpdk) {
		sriov_error_set(err, -EOPNOTSUPP, "OVS", "this Open vSwitch is built without DPDK");
		return sriov_error_hint(err, "install openvswitch-switch-dpdk, and choose it with "
					     "`update-alternatives --config ovs-vswitchd`");
	}
	if (!vswitch->dpdk_init) {
		sriov_error_set(err, -EOPNOTSUPP, "OVS", "DPDK is not enabled in it (dpdk-init)");
		return sriov_error_hint(err,
					"reserve hugepages, then: ovs-vsctl set Open_vSwitch . "
					"other_config:dpdk-init=true (this restarts no guest)");
	}
	if (!vswitch->dpdk_initialized) {
		sriov_error_set(err, -EOPNOTSUPP, "OVS",
				"DPDK is enabled in it and could not be started");
		return sriov_error_hint(err, "see ovs-vswitchd.log for lines of EAL and dpdk");
	}
	return 0;
}

int vswitch_check(const struct sriov_vswitch *vswitch, const char *name, struct sriov_error *err)
{
	const struct sriov_vswitch_bridge *bridge = vswitch_bridge(vswitch, name);
	int r = vswitch_check_dpdk(vswitch, err);

	if (r < 0)
		return r;
	if (!bridge)
		return no_bridge(vswitch, name, err);
	if (strcmp(bridge->datapath, "netdev") != 0) {
		sriov_error_set(
			err, -EOPNOTSUPP, name,
			"the bridge's packets are forwarded by the kernel, where vhost-user is "
			"not (datapath_type %s)",
			bridge->datapath[0] ? bridge->datapath : "system");
		return sriov_error_hint(err, "take a bridge with datapath_type netdev");
	}
	if (bridge->owner[0]) {
		sriov_error_set(err, -EPERM, name, "the bridge belongs to another: %s",
				bridge->owner);
		sriov_error_hint(err,
				 "take a bridge of its own: its flows would be overwritten there");
		return sriov_error_status(err, SRIOV_REFUSED);
	}
	return 0;
}
