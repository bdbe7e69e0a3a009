/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What 82576, 82580, I350 and I210 do with packets: igb_ethtool.c (igb_add_filter()) and igb_main.c of Linux 6.1
 * and 6.12. None from silicon.
 */
#include "flows/nic/walk.h"

#include <string.h>

/* A filter for the PF's packets that compares one thing: the rest of @all is cleared. */
static struct nic_filter *add(const struct sriov_pf *port, const struct nic_filter *all,
			      struct nic_filter *out)
{
	*out = *all;
	out->mask = (struct nic_key){.pool = 0xff};
	out->value.pool = port->vfs;
	return out;
}

/* Each field of a rule becomes a filter of its own; masks that are not whole are left out silently. */
static size_t hardware(const struct sriov_pf *port, const struct sriov_entry *entry,
		       struct nic_filter out[NIC_FILTERS_MAX])
{
	static const uint8_t whole[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	struct nic_filter all;
	size_t n = 0;

	nic_filter_of_entry(entry, &all);
	if (all.mask.inner == 0xffff)
		add(port, &all, &out[n++])->mask.inner = 0xffff;
	if (all.mask.tci == VLAN_PRIO_MASK) {
		struct nic_filter *prio = add(port, &all, &out[n++]);

		prio->mask.tci = VLAN_PRIO_MASK;
		prio->mask.tagged = prio->value.tagged = 1;
	}
	if (!memcmp(all.mask.src_mac, whole, sizeof(whole)))
		memcpy(add(port, &all, &out[n++])->mask.src_mac, whole, sizeof(whole));
	if (!memcmp(all.mask.dst_mac, whole, sizeof(whole)))
		memcpy(add(port, &all, &out[n++])->mask.dst_mac, whole, sizeof(whole));
	return n;
}

/* igb writes the number of the PF's queue as the hardware's, and the VFs' queues come first. */
static void target(const struct sriov_pf *port, const struct sriov_entry *entry,
		   struct nic_target *out)
{
	nic_target_of_cookie(entry->cookie, out);
	if (!port->vfs)
		return;
	*out = (struct nic_target){.queue = -1};
	out->why = "with VFs igb's rules reach queues of VFs, and whose this one is is not known";
}

const struct nic_walk nic_walk_igb = {
	.rules = "igb's ethertype, priority and MAC filters",
	.classes = ~0u,
	.copies = true,
	.hardware = hardware,
	.target = target,
	/* igb_setup_mrqc() */
	.hash_ports = FLOW_BIT(SRIOV_FLOW_TCP4) | FLOW_BIT(SRIOV_FLOW_TCP6),
};
