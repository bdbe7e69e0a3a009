/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What 82599, X540 and X550 do with packets: ixgbe_82599.c, ixgbe_ethtool.c, ixgbe_sriov.c and ixgbe_main.c
 * (ixgbe_setup_mrqc()) of Linux 6.1 and 6.12, and emulated NICs. None from silicon.
 */
#include "flows/nic/ixgbe.h"
#include "flows/nic/walk.h"

#include <netinet/in.h>
#include <string.h>

/* FDIRHASH and FDIRM have six bits for the pool. */
#define POOL_BITS 0x3f

/* IP_USER is a filter for TCP, UDP or SCTP by the value of its protocol, whatever the mask. */
static bool lower_type(const struct sriov_entry *entry, struct sriov_entry *out)
{
	*out = *entry;
	if (entry->type != SRIOV_FLOW_IP4 || !entry->value.proto)
		return entry->type != SRIOV_FLOW_IP4 || !entry->mask.proto;
	switch (entry->value.proto) {
	case IPPROTO_TCP:
		out->type = SRIOV_FLOW_TCP4;
		break;
	case IPPROTO_UDP:
		out->type = SRIOV_FLOW_UDP4;
		break;
	case IPPROTO_SCTP:
		out->type = SRIOV_FLOW_SCTP4;
		break;
	default:
		return false;
	}
	/* both ports lie where l4_4_bytes is */
	out->value.src_port = entry->value.l4_bytes >> 16;
	out->value.dst_port = entry->value.l4_bytes;
	out->mask.src_port = entry->mask.l4_bytes >> 16;
	out->mask.dst_port = entry->mask.l4_bytes;
	return true;
}

/* A rule whose target has gone stays in the driver's list only (ixgbe_fdir_filter_restore()). */
static bool has_target(const struct sriov_pf *port, uint64_t cookie)
{
	if (cookie == SRIOV_COOKIE_DROP)
		return true;
	return COOKIE_VF(cookie) <= port->vfs &&
	       (!port->queues || COOKIE_QUEUE(cookie) < port->queues);
}

static size_t hardware(const struct sriov_pf *port, const struct sriov_entry *entry,
		       struct nic_filter out[NIC_FILTERS_MAX])
{
	struct sriov_entry e;

	if (!lower_type(entry, &e) || !has_target(port, e.cookie))
		return 0;
	nic_filter_of_entry(&e, out);
	out->mask.tci &= ~VLAN_DEI_MASK;
	if (e.ext) {
		/* "vlan-etype" is the flexible word, at offset 12 of the frame */
		out->mask.outer = e.mask.vlan_etype;
		out->value.outer = e.value.vlan_etype;
		out->mask.pool = port->vfs ? e.mask.user_def & POOL_BITS : 0;
		out->value.pool = e.value.user_def & POOL_BITS;
	}
	/* FDIRSCTPM begins with the X550 */
	if (e.type == SRIOV_FLOW_SCTP4 && !is_x550(port->device))
		out->mask.src_port = out->mask.dst_port = 0;
	return 1;
}

/* ixgbe_add_ethtool_fdir_entry(): the absolute queue, and whose that is. */
static void target(const struct sriov_pf *port, const struct sriov_entry *entry,
		   struct nic_target *out)
{
	unsigned stride = pool_stride(port), rings = port->queues ? port->queues : stride;
	unsigned wanted, absolute;

	nic_target_of_cookie(entry->cookie, out);
	if (out->to == SRIOV_TO_DROP || !port->vfs)
		return;
	if (out->to == SRIOV_TO_PF) {
		if (port->vfs * stride + out->queue != DROP_QUEUE)
			return;
		*out = (struct nic_target){.to = SRIOV_TO_DROP, .queue = -1};
		out->why = "that queue of the PF is queue 127 of the hardware, which drops";
		return;
	}
	wanted = out->vf;
	absolute = wanted * rings + out->queue;
	if (rings > stride && wanted) {
		out->to = SRIOV_TO_UNKNOWN;
		out->queue = -1;
		out->why =
			"DCB or macvlan offload divides the queues, and which VF has this one is "
			"not known";
		return;
	}
	out->vf = absolute / stride;
	out->queue = absolute % stride;
	if (out->vf != wanted)
		out->why = "the PF has fewer rings than the hardware has queues for a VF, so the "
			   "driver computes a queue of another VF";
}

/* IXGBE_MRQC_L3L4TXSWEN is of X550 and later. */
static bool switched(const struct sriov_pf *port)
{
	return is_x550(port->device);
}

/* ixgbe_set_rss_queues() and ixgbe_set_sriov_queues(): without VFs, and not beside perfect filters */
static bool atr(const struct sriov_pf *port, unsigned types)
{
	return !port->vfs && port->ntuple != SRIOV_NTUPLE_ON;
}

const struct nic_walk nic_walk_ixgbe = {
	.rules = "Flow Director",
	.filters =
		"the kernel's driver has none for such packets; whether another program (DPDK) has "
		"set some is not readable",
	.classes = FLOW_L4_V4 | FLOW_BIT(SRIOV_FLOW_IP4_OTHER),
	.ntuple_off = true,
	.hardware = hardware,
	.target = target,
	.switched = switched,
	.atr = atr,
	/* ixgbe_setup_mrqc(): UDP ports only if asked for (rx-flow-hash); SCTP's never */
	.hash_ports = FLOW_BIT(SRIOV_FLOW_TCP4) | FLOW_BIT(SRIOV_FLOW_TCP6),
};
