/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What X710, XL710, XXV710 and X722 do with packets: i40e_txrx.c, i40e_ethtool.c and i40e_main.c of Linux 6.1
 * and 6.12, the vendor's user guide, and emulated NICs. None from silicon.
 */
#include "flows/nic/walk.h"

#define FLEX_MASK 0xffffffffu /* user-def: offset in bits 31-16, word in 15-0 */

static size_t hardware(const struct sriov_pf *port, const struct sriov_entry *entry,
		       struct nic_filter out[NIC_FILTERS_MAX])
{
	struct sriov_entry e = *entry;

	/* IP rules are programmed for the types "other" and "fragment" (i40e_add_del_fdir()) */
	if (e.type == SRIOV_FLOW_IP4)
		e.type = SRIOV_FLOW_IP4_OTHER;
	else if (e.type == SRIOV_FLOW_IP6)
		e.type = SRIOV_FLOW_IP6_OTHER;
	nic_filter_of_entry(&e, out);
	if (out->mask.tci != 0xffff)
		out->mask.tci = 0;
	if (e.ext && (e.mask.user_def & FLEX_MASK) == FLEX_MASK) {
		out->word_at = e.value.user_def >> 16 & 0xffff;
		out->value.word = e.value.user_def;
		out->mask.word = 0xffff;
	}
	/* a queue is one of the function that the switch has chosen: the filter acts there only */
	if (e.cookie != SRIOV_COOKIE_DROP) {
		out->value.pool = COOKIE_VF(e.cookie) ? COOKIE_VF(e.cookie) - 1 : port->vfs;
		out->mask.pool = 0xff;
	}
	return 1;
}

static void target(const struct sriov_pf *port, const struct sriov_entry *entry,
		   struct nic_target *out)
{
	nic_target_of_cookie(entry->cookie, out);
}

/* Any rule for TCP switches ATR off (i40e_add_del_fdir_tcp()). */
static bool atr(const struct sriov_pf *port, unsigned types)
{
	return !(types & (FLOW_BIT(SRIOV_FLOW_TCP4) | FLOW_BIT(SRIOV_FLOW_TCP6)));
}

const struct nic_walk nic_walk_i40e = {
	.rules = "Flow Director",
	.filters = "the driver's own are for flow control and LLDP; whether another program (DPDK) "
		   "has set some is not readable",
	.classes = FLOW_L4_V4 | FLOW_L4_V6 | FLOW_BIT(SRIOV_FLOW_IP4_OTHER) |
		   FLOW_BIT(SRIOV_FLOW_IP6_OTHER),
	.copies = true,
	.fragment6_unknown = true,
	.tunnels = true,
	.hardware = hardware,
	.target = target,
	.atr = atr,
	.hash_ports = FLOW_BIT(SRIOV_FLOW_TCP4) | FLOW_BIT(SRIOV_FLOW_UDP4) |
		      FLOW_BIT(SRIOV_FLOW_TCP6) | FLOW_BIT(SRIOV_FLOW_UDP6),
	/* the driver does not tell what the firmware's default hashes of SCTP */
	.hash_unknown = FLOW_BIT(SRIOV_FLOW_SCTP4) | FLOW_BIT(SRIOV_FLOW_SCTP6),
};
