/* SPDX-License-Identifier: Apache-2.0 */
/* Random packets: any, of a rule, at the edge of a rule, just beside one; and packets in words. */
#ifndef FLOW_PACKETS_H
#define FLOW_PACKETS_H

#include "tests/unit/flow_oracle.h"

#include <arpa/inet.h>

static inline void random_packet(struct round *r, struct nic_packet *p)
{
	static const uint8_t protos[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP, IPPROTO_ICMP};
	static const uint16_t types[] = {ETHERTYPE_IP, ETHERTYPE_IP, ETHERTYPE_IPV6, 0x88f7};

	*p = (struct nic_packet){.ethertype = types[pick(r, 4)],
				 .src_mac = {10, [5] = pick(r, 3)},
				 .dst_mac = {10, [5] = pick(r, 3)},
				 .tagged = chance(r, 30),
				 .src_ip = {10, 0, pick(r, 2), pick(r, 4)},
				 .dst_ip = {10, 0, pick(r, 2), pick(r, 4)},
				 .proto = protos[pick(r, 4)],
				 .fragment = chance(r, 15),
				 .src_port = pick(r, 24),
				 .dst_port = pick(r, 24),
				 .vf = (int)pick(r, r->port.vfs + 1) - 1};
	if (p->tagged)
		p->tci = pick(r, 2) ? 5 : pick(r, 65536);
}

static inline void fill_bits(struct round *r, uint8_t *at, const uint8_t *value,
			     const uint8_t *mask, size_t n)
{
	uint64_t bits = pick(r, UINT64_MAX);

	for (size_t i = 0; i < n; i++, bits = bits >> 8 | bits << 56)
		at[i] = (value[i] & mask[i]) | (bits & ~mask[i]);
}

static inline uint16_t fill_port(struct round *r, uint16_t value, uint16_t mask, uint16_t last)
{
	if (last)
		return value + pick(r, last - value + 1u);
	return (value & mask) | (pick(r, 65536) & ~mask);
}

static inline void fill_payload(struct round *r, const struct sriov_match *v, struct nic_packet *p)
{
	uint8_t *payload = has_ports(p) ? p->l4_payload : p->l3_payload;
	unsigned at = v->user_def >> 16 & 0x3e;

	if (!strcmp(r->port.driver, "ixgbe")) {
		p->vf = v->user_def < r->port.vfs ? (int)v->user_def : -1;
		return;
	}
	payload[at] = v->user_def >> 8;
	payload[at + 1] = v->user_def;
}

/* A packet that the rule is about. */
static inline void matching_packet(struct round *r, const struct sriov_rule *rule,
				   struct nic_packet *p)
{
	const struct sriov_match *v = &rule->value, *m = &rule->mask;

	random_packet(r, p);
	if (rule->type == SRIOV_FLOW_ETHER) {
		fill_bits(r, p->src_mac, v->src_mac, m->src_mac, 6);
		fill_bits(r, p->dst_mac, v->dst_mac, m->dst_mac, 6);
		p->ethertype = m->ethertype ? v->ethertype : p->ethertype;
	} else {
		p->ethertype = is_v6(rule->type) ? ETHERTYPE_IPV6 : ETHERTYPE_IP;
		fill_bits(r, p->src_ip, v->src_ip, m->src_ip, sizeof(p->src_ip));
		fill_bits(r, p->dst_ip, v->dst_ip, m->dst_ip, sizeof(p->dst_ip));
		p->proto = (v->proto & m->proto) | (p->proto & ~m->proto);
	}
	if (proto_of(rule->type)) {
		p->proto = proto_of(rule->type);
		p->fragment = false;
		p->src_port = fill_port(r, v->src_port, m->src_port, rule->src_port_last);
		p->dst_port = fill_port(r, v->dst_port, m->dst_port, rule->dst_port_last);
	}
	if (m->vlan_tci || m->vlan_etype) {
		p->tagged = true;
		p->tci = fill_port(r, v->vlan_tci, m->vlan_tci, 0);
	}
	if (m->user_def)
		fill_payload(r, v, p);
	if (rule->scope.kind == SRIOV_SCOPE_PF)
		p->vf = -1;
	if (rule->scope.kind == SRIOV_SCOPE_VF && rule->scope.vf < r->port.vfs)
		p->vf = rule->scope.vf;
}

/* One thing of the packet otherwise. */
static inline void near_miss(struct round *r, struct nic_packet *p)
{
	switch (pick(r, 11)) {
	case 0:
		p->src_ip[pick(r, 4)] ^= 1u << pick(r, 8);
		break;
	case 1:
		p->dst_ip[pick(r, 16)] ^= 1u << pick(r, 8);
		break;
	case 2:
		p->src_port ^= 1u << pick(r, 16);
		break;
	case 3:
		p->dst_port ^= 1u << pick(r, 16);
		break;
	case 4:
		p->tagged = !p->tagged;
		p->tci = 0;
		break;
	case 5:
		p->tci ^= p->tagged ? 1u << pick(r, 16) : 0;
		break;
	case 6:
		p->fragment = !p->fragment;
		break;
	case 7:
		p->l4_payload[pick(r, 8)] ^= 1;
		break;
	case 8:
		p->proto = p->proto == IPPROTO_TCP ? IPPROTO_UDP : IPPROTO_TCP;
		break;
	case 9:
		p->switched = true;
		break;
	default:
		p->vf = (int)pick(r, r->port.vfs + 1) - 1;
	}
}

/* The first or last value of a masked field, or the one before or behind it. */
static inline void edge_bytes(struct round *r, uint8_t *at, const uint8_t *value,
			      const uint8_t *mask, size_t n)
{
	bool last = chance(r, 50), beside = chance(r, 50);

	for (size_t i = 0; i < n; i++)
		at[i] = last ? value[i] | (uint8_t)~mask[i] : value[i] & mask[i];
	for (size_t i = n; beside && i--;) {
		at[i] += last ? 1 : -1;
		beside = at[i] == (last ? 0 : 0xff);
	}
}

static inline uint16_t edge_port(struct round *r, uint16_t value, uint16_t mask, uint16_t last)
{
	uint16_t first = value & (last ? 0xffff : mask), end = last ?: value | (uint16_t)~mask;
	const uint16_t edges[] = {first, first - 1, end, end + 1};

	return edges[pick(r, ARRAY_SIZE(edges))];
}

/* A packet at the edge of what the rule says of one field. */
static inline void edge_packet(struct round *r, const struct sriov_rule *rule, struct nic_packet *p)
{
	const struct sriov_match *v = &rule->value, *m = &rule->mask;
	size_t size = is_v6(rule->type) ? 16 : 4;

	matching_packet(r, rule, p);
	switch (pick(r, 5)) {
	case 0:
		edge_bytes(r, p->src_ip, v->src_ip, m->src_ip, size);
		break;
	case 1:
		edge_bytes(r, p->dst_ip, v->dst_ip, m->dst_ip, size);
		break;
	case 2:
		p->src_port = edge_port(r, v->src_port, m->src_port, rule->src_port_last);
		break;
	case 3:
		p->dst_port = edge_port(r, v->dst_port, m->dst_port, rule->dst_port_last);
		break;
	default:
		if (m->vlan_tci)
			p->tci = edge_port(r, v->vlan_tci, m->vlan_tci, 0);
		else
			near_miss(r, p);
	}
}

/* A packet for the list at hand. */
static inline void list_packet(struct round *r, struct nic_packet *p)
{
	const struct sriov_rule *like = r->rules.n ? &r->rule[pick(r, r->rules.n)] : NULL;
	unsigned kind = pick(r, 100);

	if (!like || kind < 10)
		random_packet(r, p);
	else if (kind < 50)
		edge_packet(r, like, p);
	else
		matching_packet(r, like, p);
	if (chance(r, 35))
		near_miss(r, p);
	/* what is compared of fragments of IPv6 the driver never says */
	if (p->ethertype == ETHERTYPE_IPV6)
		p->fragment = false;
}

static inline void packet_ports(struct text *text, const struct nic_packet *p)
{
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN];
	bool v6 = p->ethertype == ETHERTYPE_IPV6;
	int family = v6 ? AF_INET6 : AF_INET;
	const char *word = p->proto == IPPROTO_TCP    ? "tcp"
			   : p->proto == IPPROTO_UDP  ? "udp"
			   : p->proto == IPPROTO_SCTP ? "sctp"
						      : NULL;

	inet_ntop(family, p->src_ip, src, sizeof(src));
	inet_ntop(family, p->dst_ip, dst, sizeof(dst));
	if (word && v6)
		text_add(text, "%s [%s]:%u > [%s]:%u", word, src, p->src_port, dst, p->dst_port);
	else if (word)
		text_add(text, "%s %s:%u > %s:%u", word, src, p->src_port, dst, p->dst_port);
	else
		text_add(text, "proto %u %s > %s", p->proto, src, dst);
}

/* "udp 10.0.0.1:7 > 10.0.0.2:53 vid 5 prio 3 frag, for vf 2": the packet as people write it. */
static inline void packet_words(const struct nic_packet *p, char *buf, size_t size)
{
	struct text text = {.at = buf, .size = size};

	if (p->ethertype == ETHERTYPE_IP || p->ethertype == ETHERTYPE_IPV6)
		packet_ports(&text, p);
	else
		text_add(&text, "ethertype 0x%04x", p->ethertype);
	if (p->tagged)
		text_add(&text, " vid %u prio %u%s", p->tci & VLAN_VID_MASK,
			 p->tci >> VLAN_PRIO_SHIFT, p->tci & VLAN_DEI_MASK ? " dei" : "");
	text_add(&text, " smac ..:%02x dmac ..:%02x%s", p->src_mac[5], p->dst_mac[5],
		 p->fragment ? " frag" : "");
	for (unsigned i = 0; i < 64; i++) {
		if (p->l4_payload[i])
			text_add(&text, " payload+%u 0x%02x", i, p->l4_payload[i]);
		if (p->l3_payload[i])
			text_add(&text, " ip-payload+%u 0x%02x", i, p->l3_payload[i]);
	}
	text_add(&text, p->vf < 0 ? ", for the pf" : ", for vf %d", p->vf);
	if (p->switched)
		text_add(&text, ", from inside the port");
}

#endif
