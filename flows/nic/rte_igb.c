/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net_e1000_igb: 82576, 82580, I350, I210, I211. Facts from igb_flow.c and igb_ethdev.c of DPDK 22.11, read; none from
 * silicon. Its parsers in order: ntuple, ethertype, syn, flex, rss; the last two have no words here.
 */
#include "flows/nic/rte.h"

#include <errno.h>
#include <linux/if_ether.h>

#define BIT(id) (1u << (id))

/* MAC_TYPE_FILTER_SUP() */
static bool has_filters(const struct sriov_pf *port)
{
	enum nic_mac mac = rte_mac(port);

	return mac == NIC_82576 || mac == NIC_82580 || mac == NIC_I350 || mac == NIC_I210 ||
	       mac == NIC_I211;
}

/* cons_parse_ntuple_filter(), ntuple_filter_to_5tuple_82576() */
static const char *fit_tuple5(const struct sriov_pf *port, struct sriov_entry *e)
{
	if (rte_mac(port) != NIC_82576)
		return "only 82576 has them";
	return rte_grow(e, BIT(FIELD_SRC_IP) | BIT(FIELD_DST_IP) | BIT(FIELD_SRC_PORT) |
				   BIT(FIELD_DST_PORT) | BIT(FIELD_L4_PROTO))
		       ? NULL
		       : "it compares addresses, ports and protocol only";
}

/* igb_parse_ntuple_filter(), ntuple_filter_to_2tuple() */
static const char *fit_tuple2(const struct sriov_pf *port, struct sriov_entry *e)
{
	if (rte_mac(port) == NIC_82576)
		return "82576 has 5-tuple filters instead";
	if (!has_filters(port))
		return "the driver has no filters for this NIC";
	if (!rte_grow(e, BIT(FIELD_DST_PORT) | BIT(FIELD_L4_PROTO)))
		return "it compares protocol and destination port only";
	return e->type == SRIOV_FLOW_IP4 && !e->mask.proto ? "it needs a protocol" : NULL;
}

/* cons_parse_ethertype_filter(), igb_parse_ethertype_filter() */
static const char *fit_ethertype(const struct sriov_pf *port, struct sriov_entry *e)
{
	if (!has_filters(port))
		return "the driver has no filters for this NIC";
	if (!rte_grow(e, BIT(FIELD_ETHERTYPE)) || !e->mask.ethertype)
		return "it compares the whole type of a frame and nothing else";
	return e->value.ethertype == ETH_P_IP || e->value.ethertype == ETH_P_IPV6
		       ? "it refuses the types of IPv4 and IPv6"
		       : NULL;
}

/* igb_parse_syn_filter() */
static const char *fit_syn(const struct sriov_pf *port, struct sriov_entry *e)
{
	return has_filters(port) ? rte_fit_syn(port, e) : "the driver has no filters for this NIC";
}

static const struct rte_filter filters[] = {
	{.kind = SRIOV_FILTER_TUPLE5,
	 .types = FLOW_L4_V4 | FLOW_BIT(SRIOV_FLOW_IP4),
	 .actions = RTE_QUEUE,
	 .masks = NIC_MASKS_RULE,
	 .room = 8,
	 .fit = fit_tuple5,
	 .condition = "fragments, and IPv6 where no address is matched: whether a 5-tuple filter "
		      "catches them is not known"},
	{.kind = SRIOV_FILTER_TUPLE2,
	 .types = FLOW_L4_V4 | FLOW_BIT(SRIOV_FLOW_IP4),
	 .actions = RTE_QUEUE,
	 .masks = NIC_MASKS_RULE,
	 .room = 8,
	 .fit = fit_tuple2,
	 .condition = "fragments and IPv6: whether a 2-tuple filter catches them is not known"},
	{.kind = SRIOV_FILTER_ETHERTYPE,
	 .types = FLOW_BIT(SRIOV_FLOW_ETHER),
	 .actions = RTE_QUEUE,
	 .masks = NIC_MASKS_RULE,
	 .room = 8,
	 .fit = fit_ethertype},
	{.kind = SRIOV_FILTER_SYN,
	 .types = FLOW_BIT(SRIOV_FLOW_TCP4),
	 .actions = RTE_QUEUE,
	 .masks = NIC_MASKS_RULE,
	 .room = 1,
	 .fit = fit_syn,
	 .condition = RTE_CONDITION_SYN},
};

static nic_check *const checks[] = {rte_check_target, rte_check_filters, NULL};
static nic_check *const hazards[] = {rte_hazard_vfs, NULL};

const struct nic_profile rte_net_igb = {
	.driver = "net_e1000_igb",
	.kernel = "igb",
	.filters = filters,
	.nfilters = ARRAY_SIZE(filters),
	.source = "net_e1000_igb of DPDK 22.11 (its code, read); not silicon",
	.types = FLOW_L4_V4 | FLOW_BIT(SRIOV_FLOW_IP4) | FLOW_BIT(SRIOV_FLOW_ETHER),
	.type_err = -EINVAL,
	.field =
		{
			[FIELD_SRC_IP] = {NIC_MASK_FULL, -EINVAL},
			[FIELD_DST_IP] = {NIC_MASK_FULL, -EINVAL},
			[FIELD_SRC_PORT] = {NIC_MASK_FULL, -EINVAL},
			[FIELD_DST_PORT] = {NIC_MASK_FULL, -EINVAL},
			[FIELD_L4_PROTO] = {NIC_MASK_FULL, -EINVAL},
			[FIELD_ETHERTYPE] = {NIC_MASK_FULL, -EINVAL},
			[FIELD_TCP_FLAGS] = {NIC_MASK_OWN},
		},
	.masks = NIC_MASKS_PORT,
	.splittable = {.src_ip = {0xff, 0xff, 0xff, 0xff},
		       .dst_ip = {0xff, 0xff, 0xff, 0xff},
		       .src_port = 0xffff,
		       .dst_port = 0xffff,
		       .proto = 0xff,
		       .ethertype = 0xffff},
	.checks = checks,
	.hazards = hazards,
	.lower = rte_lower,
};
