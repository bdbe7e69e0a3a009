/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of a bridge: what each says of itself, and its effect on OVS or on the uplink's PF. See bridge.h. */
#include "lib/guest/choose.h"
#include "lib/plan/bridge.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *const devices[SRIOV_UPLINKS] = {
	[SRIOV_UPLINK_VF] = "VF",
	[SRIOV_UPLINK_AF_PACKET] = "af_packet",
	[SRIOV_UPLINK_AF_XDP] = "af_xdp",
};

/* ---- in words ---- */

static void describe_uplink(const struct step *step, char *buf, size_t size)
{
	const struct sriov_physnet *net = &step->bridge->net;
	const struct sriov_pf *pf = &step->bridge->pf->pf[0];

	if (!step->on)
		snprintf(buf, size, "delete the uplink %s of bridge %s", step->name, net->bridge);
	else if (net->uplink == SRIOV_UPLINK_VF)
		snprintf(buf, size, "make VF %u of %s the uplink %s of bridge %s", net->uplink_vf,
			 pf_label(pf), step->name, net->bridge);
	else
		snprintf(buf, size, "make %s (%s) the uplink %s of bridge %s", pf_label(pf),
			 devices[net->uplink], step->name, net->bridge);
}

void bridge_describe(const struct sriov_pf *pf, const struct step *step, char *buf, size_t size)
{
	const struct sriov_physnet *net = &step->bridge->net;
	char mac[SRIOV_MAC_LEN];

	switch (step->kind) {
	case STEP_BRIDGE:
		snprintf(buf, size, "%s bridge %s of OVS", step->on ? "make" : "delete",
			 step->name);
		break;
	case STEP_PORT:
		if (!step->lease && strcmp(step->name, net->port) != 0)
			snprintf(buf, size,
				 "delete port %s of bridge %s, which is ours and of no lease",
				 step->name, net->bridge);
		else if (!step->lease)
			describe_uplink(step, buf, size);
		else
			snprintf(buf, size, "%s vhost-user port %s of %s on bridge %s",
				 step->on ? "make" : "delete", step->name, step->lease->guest,
				 net->bridge);
		break;
	case STEP_POLICY:
		snprintf(buf, size, "install the flows of physnet %s on bridge %s", net->name,
			 net->bridge);
		break;
	case STEP_MTU:
		snprintf(buf, size, "port %s of bridge %s: mtu %u, as %s has it", step->name,
			 net->bridge, step->bridge->pf->pf[0].mtu,
			 pf_label(&step->bridge->pf->pf[0]));
		break;
	default:
		sriov_mac_format(step->lease->mac, mac);
		snprintf(buf, size, "%s frames for %s of %s on %s (bridge fdb)",
			 step->on ? "take" : "no longer take", mac, step->lease->guest,
			 pf_label(&step->bridge->pf->pf[0]));
	}
}

/* ---- effects ---- */

/* What DPDK calls the device of the uplink. */
static int devargs(const struct bridge *bridge, char *buf, size_t size, struct sriov_error *err)
{
	const struct sriov_pf *pf = &bridge->pf->pf[0];
	const struct sriov_vf *vf;

	if (bridge->net.uplink != SRIOV_UPLINK_VF) {
		snprintf(buf, size, "net_%s_%s,iface=%s", devices[bridge->net.uplink],
			 bridge->net.port, pf->netdev);
		return 0;
	}
	vf = pf_vf(pf, bridge->net.uplink_vf);
	if (!vf)
		return sriov_error_set(err, -ENODEV, pf_label(pf), "VF %u, the uplink, is gone",
				       bridge->net.uplink_vf);
	core_copy(buf, size, vf->address);
	return 0;
}

static int add_uplink(struct sriov_host *host, struct bridge *bridge, unsigned timeout_ms,
		      struct sriov_error *err)
{
	struct vswitch_port_request want = {.bridge = bridge->net.bridge,
					    .name = bridge->net.port,
					    .type = VSWITCH_DPDK,
					    .mtu = bridge->pf->pf[0].mtu};
	char device[SRIOV_NAME_LEN];
	int r = 0;

	/* VFs may be there only since an earlier step of this change */
	if (bridge->net.uplink == SRIOV_UPLINK_VF) {
		sriov_inventory_free(core_steal(bridge->pf));
		r = host_read(host, bridge->net.uplink_pf, SRIOV_READ_VFS, &bridge->pf, err);
	}
	if (!r)
		r = devargs(bridge, device, sizeof(device), err);
	if (r < 0)
		return r;
	want.devargs = device;
	return host->vswitch->port_add(host, &want, timeout_ms, NULL, err);
}

static int add_port(struct sriov_host *host, const struct bridge *bridge,
		    const struct sriov_lease *lease, unsigned timeout_ms, struct sriov_error *err)
{
	/* the network's MTU, end to end: a frame that fits on the wire fits here */
	struct vswitch_port_request want = {.bridge = bridge->net.bridge,
					    .name = guest_lease_port(lease),
					    .type = VSWITCH_VHOSTUSER,
					    .socket = lease->socket,
					    .mtu = bridge->pf->pf[0].mtu,
					    .guest = lease->guest,
					    .uuid = lease->uuid[0] ? lease->uuid : NULL,
					    .iface_id = guest_lease_port(lease)};
	int r = 0;

	if (host->vswitch == &vswitch_live_ops)
		r = vswitch_make_sockets(bridge->net.sockets, NULL, err);
	memcpy(want.mac, lease->mac, sizeof(want.mac));
	return r ? r : host->vswitch->port_add(host, &want, timeout_ms, NULL, err);
}

static int run_port(struct sriov_host *host, const struct step *step, unsigned timeout_ms,
		    struct sriov_error *err)
{
	const char *bridge = step->bridge->net.bridge;

	if (!step->on)
		return host->vswitch->port_del(host, bridge, step->name, timeout_ms, err);
	return step->lease ? add_port(host, step->bridge, step->lease, timeout_ms, err)
			   : add_uplink(host, step->bridge, timeout_ms, err);
}

/* Meters come before the flows that use them, and go after those that used them. */
static int install(struct sriov_host *host, const char *bridge, const struct openflow *flows,
		   const struct vswitch_diff *diff, struct sriov_error *err)
{
	const struct vswitch_ops *ops = host->vswitch;
	int r = 0;

	for (size_t i = 0; !r && i < diff->nbefore; i++)
		r = ops->meter_set(host, bridge, &diff->before[i], err);
	if (!r && diff->flows)
		r = ops->flows(host, bridge, flows, err);
	for (size_t i = 0; !r && i < diff->nafter; i++)
		r = ops->meter_del(host, bridge, diff->after[i].id, err);
	return r;
}

/* Compiled again: ports have their numbers only now. Flows and meters are as they were read under the bridge's lock. */
static int run_policy(struct sriov_host *host, const struct step *step, struct sriov_error *err)
{
	const char *name = step->bridge->net.bridge;
	_vswitch_diff_ struct vswitch_diff diff = {0};
	_openflow_ struct openflow flows = {0};
	int r;

	sriov_vswitch_free(core_steal(step->bridge->is));
	r = host->vswitch->read(host, false, &step->bridge->is, err);
	if (!r)
		r = bridge_compile(step->bridge, step->want, &flows, err);
	if (!r && vswitch_diff(&step->bridge->now, &flows, &diff) < 0)
		r = core_oom(err);
	return r ? r : install(host, name, &flows, &diff, err);
}

int bridge_run(struct step_context *ctx, const struct step *step, struct sriov_error *err)
{
	const struct vswitch_port_change mtu = {.has_mtu = true,
						.mtu = step->bridge->pf->pf[0].mtu};
	struct sriov_host *host = ctx->host;
	unsigned timeout_ms = ctx->kernel_ms;

	switch (step->kind) {
	case STEP_BRIDGE:
		return step->on ? host->vswitch->bridge_add(host, step->name, timeout_ms, err)
				: host->vswitch->bridge_del(host, step->name, timeout_ms, err);
	case STEP_PORT:
		return run_port(host, step, timeout_ms, err);
	case STEP_POLICY:
		return run_policy(host, step, err);
	case STEP_MTU:
		return host->vswitch->port_set(host, step->name, &mtu, timeout_ms, err);
	default:
		return host->ops->fdb_set(host, &step->bridge->pf->pf[0], step->lease->mac,
					  step->on, err);
	}
}
