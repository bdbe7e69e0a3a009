/* SPDX-License-Identifier: Apache-2.0 */
/* The reasons of the replay models in words; the labels are those of recorded lines. */
#include "flows/nic/replay.h"

#include <string.h>

static const struct {
	const char *label, *text;
} reasons[] = {
	{"ntuple_off", "ntuple is off"},
	{"pf_queue_range", "the PF has no such RX queue"},
	{"location_range", "the location is outside the table"},
	{"flow_type", "the driver has no rules of this flow type"},
	{"no_such_rule", "there is no rule at this location"},

	/* ixgbe */
	{"vf_or_vf_queue_range", "there is no such VF, or the VF has no such queue"},
	{"mask_vm_pool", "the mask of the pool (user-def) is neither empty nor 0x7f"},
	{"mask_ports_on_ip_any", "ports cannot be matched without an L4 protocol"},
	{"mask_vlan_tci", "of a VLAN tag the driver matches other parts"},
	{"mask_flex_bytes", "vlan-etype can only be matched whole"},
	{"mask_conflict", "the port's rules have another mask, and all share one"},
	{"hw_timeout", "the hardware did not finish the command"},

	/* i40e */
	{"table_full", "the hardware reported its table as full"},
	{"reset_busy", "the port is in reset"},
	{"flush_busy", "the hardware's table is being flushed"},
	{"userdef_partial_mask", "the mask of user-def is neither 0xffffffff nor empty"},
	{"mac_ext", "the driver cannot match a MAC address beside IP fields"},
	{"mask_tos", "the driver cannot match tos"},
	{"mask_tclass", "the driver cannot match tclass"},
	{"mask_l4_4_bytes", "the driver cannot match l4data"},
	{"mask_ip_ver", "the driver cannot match the IP version"},
	{"mask_proto", "the driver cannot match l4proto"},
	{"mask_l4_proto", "the driver cannot match l4proto"},
	{"mask_ip4src", "src-ip is matched whole or not at all"},
	{"mask_ip4dst", "dst-ip is matched whole or not at all"},
	{"mask_ip6src", "src-ip is matched whole or not at all"},
	{"mask_ip6dst", "dst-ip is matched whole or not at all"},
	{"mask_psrc", "src-port is matched whole or not at all"},
	{"mask_pdst", "dst-port is matched whole or not at all"},
	{"vlan_etype_value", "vlan-etype is neither 0x8100 nor absent"},
	{"mfp_input_set", "with partitions (MFP) the fields that are matched cannot change"},
	{"input_set_conflict", "rules of this flow type that match other fields are there"},
	{"flex_offset_odd", "the offset in user-def is odd"},
	{"flex_offset_range", "the offset in user-def is above 62"},
	{"flex_slots_full", "rules with three other payload offsets are there, or were"},
	{"flex_index_mismatch", "the payload offset has another index behind L3 than behind L4"},
	{"vf_range", "there is no such VF"},
	{"vf_queue_range", "the VF has no such queue"},
	{"duplicate", "a rule that the driver takes for the same is there"},
	{"ip4_proto_value", "the driver has no rules of this L4 protocol"},
	{"ip6_proto_value", "the driver has no rules of this L4 protocol"},
	{"send_failed", "the command could not be sent to the hardware"},

	/* igb */
	{"no_ntuple_capability", "the NIC has no ntuple rules"},
	{"action", "only RX queues of the PF are targets"},
	{"etype_slots_full", "all EtherType filters are used"},
	{"mac_filter_unsupported", "the NIC cannot match MAC addresses"},
	{"mac_zero", "the MAC address is zero"},
	{"mac_table_full", "the table of MAC addresses is full"},
	{"i210_src_only_or_empty", "I210 cannot match a source MAC alone, or nothing"},
	{"vlan_prio_conflict", "the VLAN priority has another queue already"},
	{"nothing_to_match", "the driver finds nothing that it could match"},
};

const char *nic_why_text(const char *why)
{
	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
		if (!strcmp(reasons[i].label, why))
			return reasons[i].text;
	return why;
}
