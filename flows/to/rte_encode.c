/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entries as rte_flow rules, in the form that the parser of their filter takes: where an item must be bare, where it
 * must have a spec and a mask though both are zero, where the protocol stands in the IP item.
 */
#include "flows/to/rte.h"

#include <netinet/in.h>
#include <rte_byteorder.h>
#include <string.h>

#define SPEC 0
#define MASK 1
#define LAST 2

/* What parsers want otherwise than others. */
enum form {
	FORM_PROTO = 1 << 0,   /* the protocol is in the IP item */
	FORM_FULL_IP = 1 << 1, /* the IP item has spec and mask even if they are zero */
	FORM_MARK = 1 << 2,    /* the entry's number is its mark */
	FORM_VLAN = 1 << 3,    /* a VLAN item stands in any case */
	FORM_E_TAG = 1 << 4, /* an E_TAG item is all there is, and the VF stands without a queue */
};

static const unsigned forms[SRIOV_FILTERS] = {
	[SRIOV_FILTER_TUPLE5] = FORM_PROTO | FORM_FULL_IP,
	[SRIOV_FILTER_TUPLE2] = FORM_PROTO | FORM_FULL_IP,
	[SRIOV_FILTER_FDIR_MARK] = FORM_FULL_IP | FORM_MARK,
	[SRIOV_FILTER_FDIR_MAC] = FORM_MARK | FORM_VLAN,
	[SRIOV_FILTER_L2_TUNNEL] = FORM_E_TAG,
};

/* i40e_flow_parse_fdir_pattern(): "fragments" is 8 to 0x2000 under a mask of offset and more-fragments. */
#define FRAGMENT_MASK 0x3fff
#define FRAGMENT_FIRST 0x0008
#define FRAGMENT_LAST 0x2000

/* GRP and E-CID base of a tag. */
#define E_TAG_BITS 0x3fff

static const struct l4 {
	enum rte_flow_item_type item;
	uint8_t proto;
} l4s[SRIOV_FLOW_TYPES] = {
	[SRIOV_FLOW_TCP4] = {RTE_FLOW_ITEM_TYPE_TCP, IPPROTO_TCP},
	[SRIOV_FLOW_UDP4] = {RTE_FLOW_ITEM_TYPE_UDP, IPPROTO_UDP},
	[SRIOV_FLOW_SCTP4] = {RTE_FLOW_ITEM_TYPE_SCTP, IPPROTO_SCTP},
	[SRIOV_FLOW_TCP6] = {RTE_FLOW_ITEM_TYPE_TCP, IPPROTO_TCP},
	[SRIOV_FLOW_UDP6] = {RTE_FLOW_ITEM_TYPE_UDP, IPPROTO_UDP},
	[SRIOV_FLOW_SCTP6] = {RTE_FLOW_ITEM_TYPE_SCTP, IPPROTO_SCTP},
};

static bool is_v6(enum sriov_flow_type type)
{
	return type == SRIOV_FLOW_IP6 || type == SRIOV_FLOW_IP6_OTHER || type == SRIOV_FLOW_TCP6 ||
	       type == SRIOV_FLOW_UDP6 || type == SRIOV_FLOW_SCTP6;
}

static bool is_zero(const void *at, size_t size)
{
	const uint8_t *bytes = at;

	while (size && !bytes[size - 1])
		size--;
	return !size;
}

static void add_item(struct rte_code *out, unsigned *n, enum rte_flow_item_type type,
		     const void *spec, const void *mask)
{
	out->item[(*n)++] = (struct rte_flow_item){.type = type, .spec = spec, .mask = mask};
}

/* Without bits an item only says that the header is there. */
static void add_masked(struct rte_code *out, unsigned *n, enum rte_flow_item_type type,
		       const void *spec, const void *mask, size_t size)
{
	bool bare = is_zero(mask, size);

	add_item(out, n, type, bare ? NULL : spec, bare ? NULL : mask);
}

/* Behind a tag, a frame's type is in the VLAN item. */
static void encode_link(const struct sriov_entry *e, unsigned form, struct rte_code *out,
			unsigned *n)
{
	const struct sriov_match *from[] = {&e->value, &e->mask};
	bool tagged = e->mask.vlan_tci || form & FORM_VLAN;

	for (unsigned i = SPEC; i <= MASK; i++) {
		memcpy(&out->eth[i].dst, from[i]->dst_mac, 6);
		memcpy(&out->eth[i].src, from[i]->src_mac, 6);
		*(tagged ? &out->vlan[i].inner_type
			 : &out->eth[i].type) = rte_cpu_to_be_16(from[i]->ethertype);
		out->vlan[i].tci = rte_cpu_to_be_16(from[i]->vlan_tci);
	}
	add_masked(out, n, RTE_FLOW_ITEM_TYPE_ETH, &out->eth[SPEC], &out->eth[MASK],
		   sizeof(out->eth[MASK]));
	if (tagged)
		add_item(out, n, RTE_FLOW_ITEM_TYPE_VLAN, &out->vlan[SPEC], &out->vlan[MASK]);
}

static void encode_ipv4(const struct sriov_entry *e, unsigned form, unsigned part,
			struct rte_code *out, unsigned *n)
{
	const struct sriov_match *from[] = {&e->value, &e->mask};
	const struct l4 *l4 = &l4s[e->type];

	for (unsigned i = SPEC; i <= MASK; i++) {
		struct rte_ipv4_hdr *hdr = &out->ipv4[i].hdr;

		memcpy(&hdr->src_addr, from[i]->src_ip, 4);
		memcpy(&hdr->dst_addr, from[i]->dst_ip, 4);
		hdr->type_of_service = from[i]->tos;
		hdr->next_proto_id = from[i]->proto;
		if (form & FORM_PROTO && l4->proto)
			hdr->next_proto_id = i == SPEC ? l4->proto : UINT8_MAX;
	}
	if (part) {
		out->ipv4[SPEC].hdr.fragment_offset = rte_cpu_to_be_16(FRAGMENT_FIRST);
		out->ipv4[MASK].hdr.fragment_offset = rte_cpu_to_be_16(FRAGMENT_MASK);
		out->ipv4[LAST].hdr.fragment_offset = rte_cpu_to_be_16(FRAGMENT_LAST);
	}
	if (form & FORM_FULL_IP)
		add_item(out, n, RTE_FLOW_ITEM_TYPE_IPV4, &out->ipv4[SPEC], &out->ipv4[MASK]);
	else
		add_masked(out, n, RTE_FLOW_ITEM_TYPE_IPV4, &out->ipv4[SPEC], &out->ipv4[MASK],
			   sizeof(out->ipv4[MASK]));
	if (part)
		out->item[*n - 1].last = &out->ipv4[LAST];
}

static void encode_ipv6(const struct sriov_entry *e, unsigned part, struct rte_code *out,
			unsigned *n)
{
	const struct sriov_match *from[] = {&e->value, &e->mask};

	for (unsigned i = SPEC; i <= MASK; i++) {
		struct rte_ipv6_hdr *hdr = &out->ipv6[i].hdr;

		memcpy(hdr->src_addr, from[i]->src_ip, 16);
		memcpy(hdr->dst_addr, from[i]->dst_ip, 16);
		hdr->vtc_flow = rte_cpu_to_be_32((uint32_t)from[i]->tos << RTE_IPV6_HDR_TC_SHIFT);
		hdr->proto = from[i]->proto;
	}
	if (!part) {
		add_masked(out, n, RTE_FLOW_ITEM_TYPE_IPV6, &out->ipv6[SPEC], &out->ipv6[MASK],
			   sizeof(out->ipv6[MASK]));
		return;
	}
	/* net_i40e takes the value for "fragments", under any mask */
	out->ipv6[SPEC].hdr.proto = IPPROTO_FRAGMENT;
	add_item(out, n, RTE_FLOW_ITEM_TYPE_IPV6, &out->ipv6[SPEC], &out->ipv6[MASK]);
}

static void encode_e_tag(const struct sriov_entry *e, struct rte_code *out, unsigned *n)
{
	out->e_tag[SPEC].rsvd_grp_ecid_b = rte_cpu_to_be_16(e->value.e_tag);
	out->e_tag[MASK].rsvd_grp_ecid_b = rte_cpu_to_be_16(E_TAG_BITS);
	add_item(out, n, RTE_FLOW_ITEM_TYPE_E_TAG, &out->e_tag[SPEC], &out->e_tag[MASK]);
}

/* The two ports stand first in all three headers. */
static void encode_l4(const struct sriov_entry *e, struct rte_code *out, unsigned *n)
{
	const struct sriov_match *from[] = {&e->value, &e->mask};
	enum rte_flow_item_type type = l4s[e->type].item;
	bool any = e->mask.src_port || e->mask.dst_port || e->mask.tcp_flags;
	size_t size = type == RTE_FLOW_ITEM_TYPE_TCP   ? sizeof(out->l4.tcp[0])
		      : type == RTE_FLOW_ITEM_TYPE_UDP ? sizeof(out->l4.udp[0])
						       : sizeof(out->l4.sctp[0]);
	uint8_t *at = (uint8_t *)&out->l4;

	_Static_assert(!offsetof(struct rte_tcp_hdr, src_port) &&
			       !offsetof(struct rte_udp_hdr, src_port) &&
			       !offsetof(struct rte_sctp_hdr, src_port),
		       "ports come first");
	for (unsigned i = SPEC; i <= MASK; i++) {
		rte_be16_t ports[] = {rte_cpu_to_be_16(from[i]->src_port),
				      rte_cpu_to_be_16(from[i]->dst_port)};

		memcpy(at + i * size, ports, sizeof(ports));
		if (type == RTE_FLOW_ITEM_TYPE_TCP)
			out->l4.tcp[i].hdr.tcp_flags = from[i]->tcp_flags;
	}
	add_item(out, n, type, any ? at : NULL, any ? at + size : NULL);
}

/*
 * The UDP port is told to the NIC, so that the UDP item is bare; i40e_flow_parse_vxlan_pattern() wants whole masks, and of
 * the inner header the destination.
 */
static void encode_tunnel(const struct sriov_entry *e, struct rte_code *out, unsigned *n)
{
	const struct sriov_match *from[] = {&e->value, &e->mask};

	for (unsigned i = SPEC; i <= MASK; i++) {
		rte_be32_t vni = rte_cpu_to_be_32(from[i]->vni << 8);

		memcpy(out->vxlan[i].vni, &vni, sizeof(out->vxlan[i].vni));
		memcpy(&out->inner_eth[i].dst, from[i]->inner_dst, 6);
		out->inner_vlan[i].tci = rte_cpu_to_be_16(from[i]->inner_vlan);
	}
	add_item(out, n, RTE_FLOW_ITEM_TYPE_UDP, NULL, NULL);
	add_masked(out, n, RTE_FLOW_ITEM_TYPE_VXLAN, &out->vxlan[SPEC], &out->vxlan[MASK],
		   sizeof(out->vxlan[MASK]));
	add_item(out, n, RTE_FLOW_ITEM_TYPE_ETH, &out->inner_eth[SPEC], &out->inner_eth[MASK]);
	if (e->mask.inner_vlan)
		add_item(out, n, RTE_FLOW_ITEM_TYPE_VLAN, &out->inner_vlan[SPEC],
			 &out->inner_vlan[MASK]);
}

#define COOKIE_VF(cookie) ((cookie) >> 32 & 0xff) /* VF index + 1, 0 = the PF */

static void add_action(struct rte_code *out, unsigned *n, enum rte_flow_action_type type,
		       const void *conf)
{
	out->action[(*n)++] = (struct rte_flow_action){.type = type, .conf = conf};
}

static void encode_actions(const struct sriov_entry *e, unsigned form, struct rte_code *out)
{
	bool drop = e->cookie == SRIOV_COOKIE_DROP;
	unsigned n = 0;

	out->vf.id = COOKIE_VF(e->cookie) - 1;
	out->queue.index = e->cookie;
	out->mark.id = e->loc;
	if (drop)
		add_action(out, &n, RTE_FLOW_ACTION_TYPE_DROP, NULL);
	else if (COOKIE_VF(e->cookie))
		add_action(out, &n, RTE_FLOW_ACTION_TYPE_VF, &out->vf);
	else if (rte_vxlan_port(e))
		add_action(out, &n, RTE_FLOW_ACTION_TYPE_PF, NULL);
	if (!drop && !(form & FORM_E_TAG))
		add_action(out, &n, RTE_FLOW_ACTION_TYPE_QUEUE, &out->queue);
	if (form & FORM_MARK)
		add_action(out, &n, RTE_FLOW_ACTION_TYPE_MARK, &out->mark);
	add_action(out, &n, RTE_FLOW_ACTION_TYPE_END, NULL);
}

uint16_t rte_vxlan_port(const struct sriov_entry *e)
{
	static const struct sriov_match none;

	return e->mask.vni || e->mask.inner_vlan ||
			       memcmp(e->mask.inner_dst, none.inner_dst, sizeof(none.inner_dst))
		       ? e->value.dst_port
		       : 0;
}

void rte_encode(const struct sriov_entry *e, enum sriov_filter filter, unsigned part,
		struct rte_code *out)
{
	unsigned form = forms[filter], n = 0;

	memset(out, 0, sizeof(*out));
	out->attr.ingress = 1;
	if (form & FORM_E_TAG)
		encode_e_tag(e, out, &n);
	else
		encode_link(e, form, out, &n);
	if (e->type != SRIOV_FLOW_ETHER && is_v6(e->type))
		encode_ipv6(e, part, out, &n);
	else if (e->type != SRIOV_FLOW_ETHER)
		encode_ipv4(e, form, part, out, &n);
	if (rte_vxlan_port(e))
		encode_tunnel(e, out, &n);
	else if (l4s[e->type].proto)
		encode_l4(e, out, &n);
	add_item(out, &n, RTE_FLOW_ITEM_TYPE_END, NULL, NULL);
	encode_actions(e, form, out);
}
