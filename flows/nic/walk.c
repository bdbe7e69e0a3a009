/* SPDX-License-Identifier: Apache-2.0 */
/* What the drivers' walks have in common: see walk.h. */
#include "flows/nic/walk.h"

#include "flows/packet.h"

#include <linux/if_ether.h>
#include <netinet/in.h>
#include <string.h>

enum sriov_flow_type nic_class_of_packet(const struct sriov_packet *p)
{
	bool v6 = p->ethertype == ETH_P_IPV6;

	if (p->ethertype != ETH_P_IP && !v6)
		return SRIOV_FLOW_ETHER;
	if (p->fragment || !packet_has_l4(p))
		return v6 ? SRIOV_FLOW_IP6_OTHER : SRIOV_FLOW_IP4_OTHER;
	if (p->proto == IPPROTO_TCP)
		return v6 ? SRIOV_FLOW_TCP6 : SRIOV_FLOW_TCP4;
	if (p->proto == IPPROTO_UDP)
		return v6 ? SRIOV_FLOW_UDP6 : SRIOV_FLOW_UDP4;
	return v6 ? SRIOV_FLOW_SCTP6 : SRIOV_FLOW_SCTP4;
}

static void fill_key(const struct sriov_match *match, bool ext, struct nic_key *out)
{
	memcpy(out->src_ip, match->src_ip, sizeof(out->src_ip));
	memcpy(out->dst_ip, match->dst_ip, sizeof(out->dst_ip));
	out->src_port = match->src_port;
	out->dst_port = match->dst_port;
	memcpy(out->dst_mac, match->dst_mac, sizeof(out->dst_mac));
	memcpy(out->src_mac, match->src_mac, sizeof(out->src_mac));
	out->inner = match->ethertype;
	if (!ext)
		return;
	out->tci = match->vlan_tci;
}

void nic_filter_of_entry(const struct sriov_entry *entry, struct nic_filter *out)
{
	struct sriov_entry clean = *entry;

	/* what is not of the type, or not masked, does not count */
	entry_canonical(&clean);
	*out = (struct nic_filter){.classes = flow_type_classes(clean.type)};
	fill_key(&clean.value, clean.ext, &out->value);
	fill_key(&clean.mask, clean.ext, &out->mask);
}

void nic_target_of_cookie(uint64_t cookie, struct nic_target *out)
{
	*out = (struct nic_target){.to = SRIOV_TO_DROP, .queue = -1};
	if (cookie == SRIOV_COOKIE_DROP)
		return;
	out->to = COOKIE_VF(cookie) ? SRIOV_TO_VF : SRIOV_TO_PF;
	out->vf = COOKIE_VF(cookie) ? COOKIE_VF(cookie) - 1 : 0;
	out->queue = COOKIE_QUEUE(cookie);
}
