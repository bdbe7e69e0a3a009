/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net_tap: a tap device of the kernel, which carries rules out by cls_flower. Facts from tap_flow.c of DPDK 22.11,
 * read, and validated by it; it admits what flower can say and knows no limits of a NIC.
 */
#include "flows/nic/rte.h"

#include <errno.h>

#define BIT(id) (1u << (id))
#define ALL_BITS                                                                                   \
	{                                                                                          \
		[0 ... 15] = 0xff                                                                  \
	}

/*
 * tap_flow_create_*(): addresses and MACs by any mask, numbers whole. What is 0 of a rule is left out of the comparison,
 * but for a source MAC; and the mask of a tag is taken in the wrong byte order, so that VLAN 16 becomes VLAN 0.
 */
static bool leaves_out(const struct flow_field *f, const struct sriov_match *value)
{
	return f->id != FIELD_SRC_MAC && !flow_field_any(f, value);
}

static const char *fit(const struct sriov_pf *port, struct sriov_entry *e)
{
	struct sriov_match any = e->mask;
	const struct {
		enum flow_field_id id;
		const uint8_t *bytes;
	} masked[] = {{FIELD_SRC_IP, any.src_ip},
		      {FIELD_DST_IP, any.dst_ip},
		      {FIELD_SRC_MAC, any.src_mac},
		      {FIELD_DST_MAC, any.dst_mac}};

	if (e->mask.vlan_tci || e->mask.vlan_etype)
		return "the driver compares VLAN tags by a mask in the wrong byte order";
	if (!rte_grow(e, BIT(FIELD_SRC_IP) | BIT(FIELD_DST_IP) | BIT(FIELD_SRC_MAC) |
				 BIT(FIELD_DST_MAC) | BIT(FIELD_SRC_PORT) | BIT(FIELD_DST_PORT) |
				 BIT(FIELD_L4_PROTO) | BIT(FIELD_ETHERTYPE)))
		return "it compares MACs, type, addresses, protocol and ports only";
	for (const struct flow_field *f = NULL; (f = flow_field_next(f, e->type));)
		if (flow_field_any(f, &e->mask) && leaves_out(f, &e->value))
			return "it does not compare an address, port, protocol or type of 0";
	for (size_t i = 0; i < ARRAY_SIZE(masked); i++) {
		const struct flow_field *f = flow_field_of(e->type, masked[i].id);

		if (f)
			flow_field_set_bytes(f, &e->mask, masked[i].bytes);
	}
	return NULL;
}

#define TYPES                                                                                      \
	(FLOW_BIT(SRIOV_FLOW_TCP4) | FLOW_BIT(SRIOV_FLOW_UDP4) | FLOW_BIT(SRIOV_FLOW_IP4) |        \
	 FLOW_BIT(SRIOV_FLOW_TCP6) | FLOW_BIT(SRIOV_FLOW_UDP6) | FLOW_BIT(SRIOV_FLOW_IP6) |        \
	 FLOW_BIT(SRIOV_FLOW_ETHER))

static const struct rte_filter filters[] = {
	{.kind = SRIOV_FILTER_FLOWER,
	 .types = TYPES,
	 .actions = RTE_QUEUE | RTE_DROP,
	 .masks = NIC_MASKS_RULE,
	 .fit = fit},
};

/*
 * skb_flow_dissect() finds the protocol of fragments too, and their ports, also those of the first, it leaves at 0: a
 * rule with a port has none of them, as it should, and one without has them all.
 */
static size_t lower(const struct nic_case *c, struct sriov_entry out[NIC_EXPANSION_MAX],
		    struct nic_verdict *v)
{
	const struct sriov_match *mask = &c->entry->mask;

	out[0] = *c->entry;
	if (!(FLOW_BIT(c->entry->type) & (FLOW_L4_V4 | FLOW_L4_V6)) || mask->src_port ||
	    mask->dst_port)
		return 1;
	nic_deviate(v, SRIOV_BROADER, "fragments are taken for the protocol's",
		    "flower, by which the kernel carries out rules of %s, takes fragments for the "
		    "protocol's: the rule would catch them too",
		    c->profile->driver);
	nic_hint(v,
		 "match a port, which no fragment has there; or where none come, --allow broader "
		 "takes it");
	return 1;
}

static nic_check *const checks[] = {rte_check_target, rte_check_filters, NULL};
static nic_check *const hazards[] = {NULL};

const struct nic_profile rte_net_tap = {
	.driver = "net_tap",
	.filters = filters,
	.nfilters = ARRAY_SIZE(filters),
	.source = "net_tap of DPDK 22.11 (its code, read, and rules validated by it)",
	.types = TYPES,
	.type_err = -ENOTSUP,
	.field =
		{
			[FIELD_SRC_IP] = {NIC_MASK_ANY},
			[FIELD_DST_IP] = {NIC_MASK_ANY},
			[FIELD_SRC_PORT] = {NIC_MASK_FULL, -EINVAL},
			[FIELD_DST_PORT] = {NIC_MASK_FULL, -EINVAL},
			[FIELD_L4_PROTO] = {NIC_MASK_FULL, -EINVAL},
			[FIELD_SRC_MAC] = {NIC_MASK_ANY},
			[FIELD_DST_MAC] = {NIC_MASK_ANY},
			[FIELD_ETHERTYPE] = {NIC_MASK_FULL, -EINVAL},
		},
	.masks = NIC_MASKS_PORT,
	.splittable = {.src_ip = ALL_BITS,
		       .dst_ip = ALL_BITS,
		       .src_port = 0xffff,
		       .dst_port = 0xffff,
		       .proto = 0xff,
		       .src_mac = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
		       .dst_mac = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
		       .ethertype = 0xffff},
	.table_size = 8192, /* no limit of the driver: ours */
	.checks = checks,
	.hazards = hazards,
	.lower = lower,
};
