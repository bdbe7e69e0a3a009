/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net_i40e: X710, XL710, XXV710, X722. Facts from i40e_flow.c, i40e_fdir.c and i40e_ethdev.c of DPDK 22.11, read; and,
 * but for the cloud filters, from packets on an emulated XL710; none from silicon. For a pattern its parsers are asked
 * in the order of i40e_supported_patterns[]: ethertype, fdir, tunnels, cloud. NVGRE and other tunnels than VXLAN, flexible
 * payload and hash settings have no words here.
 */
#include "flows/nic/rte.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <string.h>

#define BIT(id) (1u << (id))
#define ALL_BITS                                                                                   \
	{                                                                                          \
		[0 ... 15] = 0xff                                                                  \
	}
#define FLOW_IP_OTHER (FLOW_BIT(SRIOV_FLOW_IP4_OTHER) | FLOW_BIT(SRIOV_FLOW_IP6_OTHER))
#define ENUMERATED 8 /* bits of an address that a rule may leave free: 256 entries */

/* Both parsers refuse them; 0x8100 is the tag's own type unless the port is set up otherwise. */
static bool is_special(uint16_t ethertype)
{
	return ethertype == ETH_P_IP || ethertype == ETH_P_IPV6 || ethertype == ETH_P_8021Q;
}

/* i40e_flow_parse_ethertype_pattern() */
static const char *fit_ethertype(const struct sriov_pf *port, struct sriov_entry *e)
{
	if (!rte_grow(e, BIT(FIELD_ETHERTYPE) | BIT(FIELD_DST_MAC)) || !e->mask.ethertype)
		return "it compares the whole type of a frame, and with it a destination MAC";
	if (is_special(e->value.ethertype) || e->value.ethertype == ETH_P_LLDP)
		return "it refuses the types of IPv4, IPv6, VLAN and LLDP";
	return NULL;
}

/*
 * i40e_flow_parse_fdir_pattern(): fields are compared whole; a mask of some bits is accepted, and the field is then
 * left out. Any mask of a VLAN tag makes it compare all 16 bits. MACs of frames that are not IP pass the parser and are
 * then refused (valid_fdir_inset_table[], packet type L2_PAYLOAD).
 */
static const char *fit_fdir(const struct sriov_pf *port, struct sriov_entry *e)
{
	unsigned whole = BIT(FIELD_SRC_IP) | BIT(FIELD_DST_IP) | BIT(FIELD_SRC_PORT) |
			 BIT(FIELD_DST_PORT) | BIT(FIELD_TOS) | BIT(FIELD_L4_PROTO) |
			 BIT(FIELD_VLAN) | BIT(FIELD_ETHERTYPE);

	if (!rte_grow(e, whole))
		return "it compares addresses, ports, tos, protocol and VLAN, or a type; no MACs";
	if (e->type == SRIOV_FLOW_IP6_OTHER && e->mask.proto)
		return "of IPv6 fragments it cannot compare the protocol";
	if (e->type != SRIOV_FLOW_ETHER)
		return NULL;
	if (e->mask.ethertype && !is_special(e->value.ethertype) &&
	    e->value.ethertype != ETH_P_LLDP && !e->mask.vlan_tci)
		return "its ethertype filter is asked first";
	if (!e->mask.ethertype || is_special(e->value.ethertype))
		return "of frames that are not IP it compares a type, and IP has flow types of its "
		       "own";
	return NULL;
}

/*
 * i40e_flow_parse_vxlan_pattern(), i40e_supported_tunnel_filter_types[]: the inner MAC always, VNI and inner tag besides
 * or not, each whole. The outer MAC could be compared too, and has no words. The UDP port is no part of the filter: the
 * NIC is told it.
 */
static const char *fit_tunnel(struct sriov_entry *e)
{
	if (!rte_grow(e, BIT(FIELD_DST_PORT) | BIT(FIELD_VNI) | BIT(FIELD_INNER_DST) |
				 BIT(FIELD_INNER_VLAN)) ||
	    sriov_mac_is_zero(e->mask.inner_dst))
		return "of a tunnel it compares the inner destination MAC, and with it the VNI and "
		       "the inner VLAN tag, each whole";
	if (!e->mask.dst_port || !e->value.dst_port)
		return "a tunnel is known by its dst-port, which for VXLAN is 4789";
	return e->value.vni > VNI_MAX ? "a VNI has 24 bits" : NULL;
}

/*
 * i40e_flow_parse_l4_pattern() looks at values only: of the two ports one, and not 0. A queue must follow the VF, or
 * i40e_flow_parse_tunnel_action() reads past the end of the actions.
 */
static const char *fit_cloud(const struct sriov_pf *port, struct sriov_entry *e)
{
	if (match_in_tunnel(&e->mask))
		return fit_tunnel(e);
	if (!COOKIE_VF(e->cookie))
		return "of packets without a tunnel it has VFs as target only";
	if (!rte_grow(e, BIT(FIELD_SRC_PORT) | BIT(FIELD_DST_PORT)) ||
	    !e->mask.src_port == !e->mask.dst_port)
		return "it compares one port, source or destination";
	return e->value.src_port || e->value.dst_port ? NULL : "it cannot compare port 0";
}

static const struct rte_filter filters[] = {
	{.kind = SRIOV_FILTER_ETHERTYPE,
	 .types = FLOW_BIT(SRIOV_FLOW_ETHER),
	 .actions = RTE_QUEUE | RTE_DROP,
	 .masks = NIC_MASKS_RULE,
	 .room = 768,
	 .fit = fit_ethertype},
	{.kind = SRIOV_FILTER_FDIR,
	 .types = FLOW_L4_V4 | FLOW_L4_V6 | FLOW_IP_OTHER | FLOW_BIT(SRIOV_FLOW_ETHER),
	 .actions = RTE_QUEUE | RTE_DROP,
	 .masks = NIC_MASKS_TYPE,
	 .fit = fit_fdir,
	 .condition = "fdir: queues are for traffic switched to the PF; a first rule that is "
		      "validated sets Flow Director up"},
	{.kind = SRIOV_FILTER_CLOUD,
	 .types = FLOW_L4_V4 | FLOW_L4_V6,
	 .actions = RTE_VF | RTE_QUEUE,
	 .masks = NIC_MASKS_RULE,
	 .room = 400, /* I40E_MAX_TUNNEL_FILTER_NUM */
	 .fit = fit_cloud,
	 .condition = "cloud filter: by the code of the driver only; no NIC, real or emulated, has "
		      "shown it here"},
};

/* Free bits of an address that are too many to be written out. */
static bool is_masked(const struct flow_field *f, const struct sriov_match *mask)
{
	unsigned free = 0;

	for (size_t i = 0; i < f->size; i++)
		free += 8 - __builtin_popcount(flow_field_at(f, mask)[i]);
	return flow_field_any(f, mask) && free > ENUMERATED;
}

/* A few addresses become an entry each; for more the driver would take the mask and not look at it. */
static void clear_masked(struct sriov_entry *e, struct nic_verdict *v)
{
	for (const struct flow_field *f = NULL; (f = flow_field_next(f, e->type));) {
		if ((f->kind != KIND_IP4 && f->kind != KIND_IP6) || !is_masked(f, &e->mask))
			continue;
		nic_deviate(v, SRIOV_BROADER, "the driver ignores this match",
			    "net_i40e accepts a masked '%s' and then does not look at it: the rule "
			    "would catch more packets than it says",
			    f->word);
		nic_hint(v,
			 "whole addresses, or masks that leave at most %d bits free, which become "
			 "entries of their own",
			 ENUMERATED);
		flow_field_fill(f, &e->mask, 0);
		flow_field_fill(f, &e->value, 0);
	}
}

/*
 * The pattern ipv4 stands for packets that are no unfragmented TCP, UDP or SCTP (pctype NONF_IPV4_OTHER): "any L4" is
 * four entries.
 */
static size_t lower(const struct nic_case *c, struct sriov_entry *out, struct nic_verdict *v)
{
	static const enum sriov_flow_type ip4[] = {SRIOV_FLOW_TCP4, SRIOV_FLOW_UDP4,
						   SRIOV_FLOW_SCTP4, SRIOV_FLOW_IP4_OTHER};
	static const enum sriov_flow_type ip6[] = {SRIOV_FLOW_TCP6, SRIOV_FLOW_UDP6,
						   SRIOV_FLOW_SCTP6, SRIOV_FLOW_IP6_OTHER};
	struct sriov_entry rule = *c->entry;
	const enum sriov_flow_type *types = rule.type == SRIOV_FLOW_IP4   ? ip4
					    : rule.type == SRIOV_FLOW_IP6 ? ip6
									  : &rule.type;
	size_t n = types == &rule.type ? 1 : NIC_EXPANSION_MAX;

	clear_masked(&rule, v);
	if (n > 1 && rule.mask.proto) {
		/* of TCP, UDP and SCTP the fragments are not in the other entries */
		nic_refuse(v, 0, "protocol and fragments cannot both be matched",
			   "net_i40e tells packets apart by their protocol before it compares: "
			   "l4proto is for packets without TCP, UDP and SCTP");
		nic_hint(v, "flow-type %s, tcp, udp or sctp",
			 rule.type == SRIOV_FLOW_IP4 ? "ip4-other" : "ip6-other");
		return 0;
	}
	for (size_t i = 0; i < n; i++) {
		out[i] = rule;
		out[i].type = types[i];
	}
	return n;
}

/* i40e_dev_consistent_tunnel_filter_set() gives the kind of tunnel and the outer IP version to the firmware, no port. */
static size_t notes(const struct sriov_pf *port, const struct sriov_entry *entry,
		    const char *out[NIC_NOTES_MAX])
{
	if (!match_in_tunnel(&entry->mask))
		return 0;
	out[0] =
		"the NIC is told that dst-port is VXLAN's, and looks into its packets then: whether "
		"plain rules compare their inner headers is not known";
	out[1] = "whether it tells tunnels in IPv4 from those in IPv6 is not known";
	return 2;
}

static nic_check *const checks[] = {rte_check_target, rte_check_filters, NULL};
static nic_check *const hazards[] = {NULL};

const struct nic_profile rte_net_i40e = {
	.driver = "net_i40e",
	.kernel = "i40e",
	.filters = filters,
	.nfilters = ARRAY_SIZE(filters),
	.source = "net_i40e of DPDK 22.11 (its code, read); not silicon",
	.types = FLOW_L4_V4 | FLOW_L4_V6 | FLOW_IP_V4 | FLOW_IP_V6 | FLOW_BIT(SRIOV_FLOW_ETHER),
	.type_err = -EINVAL,
	.field =
		{
			[FIELD_SRC_IP] = {NIC_MASK_WHOLE},
			[FIELD_DST_IP] = {NIC_MASK_WHOLE},
			[FIELD_SRC_PORT] = {NIC_MASK_WHOLE},
			[FIELD_DST_PORT] = {NIC_MASK_WHOLE},
			[FIELD_TOS] = {NIC_MASK_WHOLE},
			[FIELD_L4_PROTO] = {NIC_MASK_WHOLE},
			[FIELD_SRC_MAC] = {NIC_MASK_FULL, -EINVAL},
			[FIELD_DST_MAC] = {NIC_MASK_FULL, -EINVAL},
			[FIELD_ETHERTYPE] = {NIC_MASK_FULL, -EINVAL},
			[FIELD_VLAN] = {NIC_MASK_OWN},
			[FIELD_VNI] = {NIC_MASK_FULL, -EINVAL},
			[FIELD_INNER_DST] = {NIC_MASK_FULL, -EINVAL},
			[FIELD_INNER_VLAN] = {NIC_MASK_FULL, -EINVAL},
		},
	.masks = NIC_MASKS_TYPE,
	.splittable = {.src_ip = ALL_BITS,
		       .dst_ip = ALL_BITS,
		       .src_port = 0xffff,
		       .dst_port = 0xffff,
		       .tos = 0xff,
		       .proto = 0xff,
		       .ethertype = 0xffff,
		       .vlan_tci = 0xffff},
	.vf_target = true,
	.table_size = 8192, /* of both kinds of room that the NIC has, if the port says no other */
	.checks = checks,
	.hazards = hazards,
	.lower = lower,
	.notes = notes,
};
