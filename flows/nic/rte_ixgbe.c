/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net_ixgbe: 82599, X540, X550. Facts from ixgbe_flow.c, ixgbe_fdir.c and ixgbe_ethdev.c of DPDK 22.11, read; none
 * from silicon. Its parsers in order: ntuple, ethertype, syn, fdir, l2_tunnel, rss. What has no words here is left
 * alone: the mode of X550 for tunnels, hash settings; and IPv6, which only signature mode has.
 */
#include "flows/nic/rte.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <string.h>

#define BIT(id) (1u << (id))
#define ADDRESSES (BIT(FIELD_SRC_IP) | BIT(FIELD_DST_IP))
#define PORTS (BIT(FIELD_SRC_PORT) | BIT(FIELD_DST_PORT))

static bool is_x550(const struct sriov_pf *port)
{
	enum nic_mac mac = rte_mac(port);

	return mac == NIC_X550 || mac == NIC_X550EM_X || mac == NIC_X550EM_A;
}

static bool has_ports(const struct sriov_entry *e)
{
	return e->mask.src_port || e->mask.dst_port;
}

/* cons_parse_ntuple_filter(); MAC_TYPE_FILTER_SUP_EXT() has 82599 and X540 only. */
static const char *fit_tuple5(const struct sriov_pf *port, struct sriov_entry *e)
{
	if (is_x550(port))
		return "X550 has none";
	/* convert_protocol_type(): all others are one; and ESP is taken for a rule of another kind, without effect */
	if (e->mask.proto)
		return "of protocols it tells TCP, UDP and SCTP apart, each by its flow type";
	return rte_grow(e, ADDRESSES | PORTS) ? NULL
					      : "it compares addresses, ports and protocol only";
}

/* cons_parse_ethertype_filter(), ixgbe_parse_ethertype_filter() */
static const char *fit_ethertype(const struct sriov_pf *port, struct sriov_entry *e)
{
	if (!rte_grow(e, BIT(FIELD_ETHERTYPE)) || !e->mask.ethertype)
		return "it compares the whole type of a frame and nothing else";
	return e->value.ethertype == ETH_P_IP || e->value.ethertype == ETH_P_IPV6
		       ? "it refuses the types of IPv4 and IPv6"
		       : NULL;
}

/* ixgbe_pf_host_configure(): with VFs one of the eight is for pause frames. */
static unsigned ethertypes_taken(const struct sriov_pf *port)
{
	return port->vfs ? 1 : 0;
}

/*
 * ixgbe_parse_fdir_filter_normal(); fdir_set_input_mask_82599() leaves the protocol out of the comparison if no bit
 * of a port is in the mask, so that a rule for TCP without ports would catch UDP: one bit of the source port more
 * makes it two that do not. A VLAN beside IP is refused, and one alone passes validate and creates nothing.
 */
static const char *fit_fdir(const struct sriov_pf *port, struct sriov_entry *e)
{
	if (e->mask.tos || e->mask.proto || e->mask.l4_bytes || e->mask.vlan_tci ||
	    e->mask.vlan_etype || e->mask.user_def || e->mask.tcp_flags ||
	    match_in_tunnel(&e->mask))
		return "it compares addresses and ports only";
	if (e->type == SRIOV_FLOW_SCTP4 && !is_x550(port))
		return "it knows SCTP by its ports, which only X550 compares";
	if (e->type != SRIOV_FLOW_IP4 && !has_ports(e))
		e->mask.src_port = 1;
	if (has_ports(e) && e->cookie == SRIOV_COOKIE_DROP && rte_mac(port) == NIC_82599)
		return "82599 cannot drop by ports, nor by protocol, which needs them";
	return NULL;
}

/*
 * The mode that ixgbe_parse_fdir_filter_normal() takes if a MAC is matched: X550 only. A port has one mode, and a rule
 * for a MAC has packets of every rule for IP, so that the two never are in one table.
 */
static const char *fit_fdir_mac(const struct sriov_pf *port, struct sriov_entry *e)
{
	uint16_t tci = e->mask.vlan_tci;

	if (!is_x550(port))
		return "only X550 has it";
	if (tci & VLAN_DEI_MASK)
		return "it does not compare the DEI bit of a VLAN tag";
	if (!rte_grow(e, BIT(FIELD_DST_MAC) | BIT(FIELD_VLAN)) ||
	    sriov_mac_is_zero(e->mask.dst_mac))
		return "it compares a whole destination MAC, and with it a VLAN";
	e->mask.vlan_tci = (tci & VLAN_VID_MASK ? VLAN_VID_MASK : 0) |
			   (tci & VLAN_PRIO_MASK ? VLAN_PRIO_MASK : 0);
	return NULL;
}

/* cons_parse_l2_tn_filter(), ixgbe_config_l2_tunnel(): the frame's tag chooses the VF, and the VF its queue. */
static const char *fit_l2_tunnel(const struct sriov_pf *port, struct sriov_entry *e)
{
	if (!is_x550(port))
		return "only X550 has it";
	if (!rte_grow(e, BIT(FIELD_E_TAG)) || !e->mask.e_tag)
		return "it compares an E-tag and nothing else";
	if (e->value.e_tag > E_TAG_MAX)
		return "an E-tag has 14 bits";
	return COOKIE_QUEUE(e->cookie) ? "it names a VF, which chooses the queue" : NULL;
}

static const struct rte_filter filters[] = {
	{.kind = SRIOV_FILTER_TUPLE5,
	 .types = FLOW_L4_V4 | FLOW_BIT(SRIOV_FLOW_IP4),
	 .actions = RTE_QUEUE,
	 .masks = NIC_MASKS_RULE,
	 .room = 128,
	 .fit = fit_tuple5,
	 .condition = "fragments, and IPv6 where no address is matched: whether a 5-tuple filter "
		      "catches them is not known"},
	{.kind = SRIOV_FILTER_ETHERTYPE,
	 .types = FLOW_BIT(SRIOV_FLOW_ETHER),
	 .actions = RTE_QUEUE,
	 .masks = NIC_MASKS_RULE,
	 .room = 8,
	 .fit = fit_ethertype,
	 .taken = ethertypes_taken},
	{.kind = SRIOV_FILTER_SYN,
	 .types = FLOW_BIT(SRIOV_FLOW_TCP4),
	 .actions = RTE_QUEUE,
	 .masks = NIC_MASKS_RULE,
	 .room = 1,
	 .fit = rte_fit_syn},
	{.kind = SRIOV_FILTER_FDIR_MARK,
	 .types = FLOW_L4_V4 | FLOW_BIT(SRIOV_FLOW_IP4),
	 .actions = RTE_QUEUE | RTE_DROP,
	 .masks = NIC_MASKS_PORT,
	 .apart = FLOW_BIT(SRIOV_FLOW_IP4),
	 .room = 2046, /* (1024 << pballoc) - 2, pballoc is 1 unless the application says otherwise */
	 .fit = fit_fdir,
	 .condition = "fdir: validating a first rule pins the port's mode and costs it packet "
		      "buffer, until it is closed"},
	{.kind = SRIOV_FILTER_FDIR_MAC,
	 .types = FLOW_BIT(SRIOV_FLOW_ETHER),
	 .actions = RTE_QUEUE | RTE_DROP,
	 .masks = NIC_MASKS_PORT,
	 .room = 2046,
	 .fit = fit_fdir_mac,
	 .condition = "fdir: validating a first rule pins the port's mode and costs it packet "
		      "buffer, until it is closed"},
	{.kind = SRIOV_FILTER_L2_TUNNEL,
	 .types = FLOW_BIT(SRIOV_FLOW_ETHER),
	 .actions = RTE_VF,
	 .masks = NIC_MASKS_RULE,
	 .room = 128, /* IXGBE_MAX_L2_TN_FILTER_NUM */
	 .fit = fit_l2_tunnel,
	 .condition = "L2 tunnel filter: by the code of the driver only; no NIC, real or emulated, "
		      "has shown it here"},
};

static nic_check *const checks[] = {rte_check_target, rte_check_filters, NULL};
static nic_check *const hazards[] = {rte_hazard_vfs, NULL};

const struct nic_profile rte_net_ixgbe = {
	.driver = "net_ixgbe",
	.kernel = "ixgbe",
	.filters = filters,
	.nfilters = ARRAY_SIZE(filters),
	.source = "net_ixgbe of DPDK 22.11 (its code, read); not silicon",
	.types = FLOW_L4_V4 | FLOW_BIT(SRIOV_FLOW_IP4) | FLOW_BIT(SRIOV_FLOW_ETHER),
	.type_err = -EINVAL,
	.field =
		{
			[FIELD_SRC_IP] = {NIC_MASK_ANY},
			[FIELD_DST_IP] = {NIC_MASK_ANY},
			[FIELD_SRC_PORT] = {NIC_MASK_ANY},
			[FIELD_DST_PORT] = {NIC_MASK_ANY},
			[FIELD_DST_MAC] = {NIC_MASK_FULL, -EINVAL},
			[FIELD_ETHERTYPE] = {NIC_MASK_FULL, -EINVAL},
			[FIELD_VLAN] = {NIC_MASK_OWN},
			[FIELD_TCP_FLAGS] = {NIC_MASK_OWN},
			[FIELD_E_TAG] = {NIC_MASK_FULL, -EINVAL},
		},
	.masks = NIC_MASKS_PORT,
	.splittable = {.src_ip = {0xff, 0xff, 0xff, 0xff},
		       .dst_ip = {0xff, 0xff, 0xff, 0xff},
		       .src_port = 0xffff,
		       .dst_port = 0xffff,
		       .dst_mac = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
		       .ethertype = 0xffff,
		       .vlan_tci = VLAN_VID_MASK | VLAN_PRIO_MASK},
	.vf_target = true,
	.checks = checks,
	.hazards = hazards,
	.lower = rte_lower,
};
