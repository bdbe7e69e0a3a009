/* SPDX-License-Identifier: Apache-2.0 */
/* Packets from frames, of which the end may not have been captured. */
#include "flows/packet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <string.h>

#define IP4_HEADER 20
#define IP6_HEADER 40
#define FRAGMENTED 0x3fff /* MF and the offset */
#define EXTENSIONS_MAX 8  /* more than anybody sends */

/* What is left of a frame: the bytes that are there, and how far the packet itself says it goes. */
struct left {
	const uint8_t *at;
	size_t size;  /* captured */
	size_t whole; /* by the packet's own lengths */
};

static uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

/* 0, or why @n bytes are not there. */
static int lacks(const struct left *left, size_t n)
{
	return left->whole < n ? -EBADMSG : left->size < n ? -ENODATA : 0;
}

static void skip(struct left *left, size_t n)
{
	left->at += n;
	left->size -= n;
	left->whole -= n;
}

/* The length in an IP header; 0 stands for the whole frame (offloads, jumbograms). */
static void limit(struct left *left, size_t whole)
{
	if (!whole)
		return;
	left->whole = whole;
	left->size = left->size < whole ? left->size : whole;
}

static void take_payload(const struct left *left, struct sriov_packet *p)
{
	p->payload_size = left->size < sizeof(p->payload) ? left->size : sizeof(p->payload);
	memcpy(p->payload, left->at, p->payload_size);
}

static size_t l4_header(const struct left *left, uint8_t proto)
{
	static const uint8_t fixed[] = {[IPPROTO_UDP] = 8, [IPPROTO_SCTP] = 12};

	if (proto != IPPROTO_TCP)
		return fixed[proto];
	return left->size > 12 ? (left->at[12] >> 4) * 4u : left->size;
}

static int decode_l4(struct left *left, struct sriov_packet *p)
{
	size_t header;
	int r = packet_has_l4(p) ? lacks(left, 4) : 0;

	if (r && !p->fragment)
		return r;
	if (packet_has_l4(p) && !r) {
		p->has |= SRIOV_PACKET_PORTS;
		p->src_port = get16(left->at);
		p->dst_port = get16(left->at + 2);
		header = p->fragment ? 0 : l4_header(left, p->proto);
		skip(left, header < left->size ? header : left->size);
	}
	take_payload(left, p);
	return 0;
}

static int decode_ip4(struct left *left, struct sriov_packet *p)
{
	uint16_t fragment;
	size_t header, total;
	int r = lacks(left, IP4_HEADER);

	if (r)
		return r;
	header = (left->at[0] & 0xf) * 4u;
	total = get16(left->at + 2);
	if (left->at[0] >> 4 != 4 || header < IP4_HEADER || (total && total < header))
		return -EBADMSG;
	limit(left, total);
	r = lacks(left, header);
	if (r)
		return r;
	fragment = get16(left->at + 6) & FRAGMENTED;
	p->fragment = fragment;
	p->proto = left->at[9];
	memcpy(p->src_ip, left->at + 12, 4);
	memcpy(p->dst_ip, left->at + 16, 4);
	skip(left, header);
	/* behind the first fragment there are no headers */
	if (fragment & 0x1fff) {
		take_payload(left, p);
		return 0;
	}
	return decode_l4(left, p);
}

/*
 * Walks the extension headers; *@later is set for a fragment that is not the first. A fragment header makes a
 * fragment of the packet even if it is the only one.
 */
static int skip_extensions(struct left *left, struct sriov_packet *p, bool *later)
{
	for (unsigned i = 0; i < EXTENSIONS_MAX; i++) {
		bool fragment = p->proto == IPPROTO_FRAGMENT;
		int r;

		if (!fragment && p->proto != IPPROTO_HOPOPTS && p->proto != IPPROTO_ROUTING &&
		    p->proto != IPPROTO_DSTOPTS)
			return 0;
		r = lacks(left, 8);
		if (!r && !fragment)
			r = lacks(left, (left->at[1] + 1u) * 8);
		if (r)
			return r;
		p->proto = left->at[0];
		if (fragment) {
			p->fragment = true;
			*later = get16(left->at + 2) & 0xfff8;
			skip(left, 8);
			return 0;
		}
		p->extension = true;
		skip(left, (left->at[1] + 1u) * 8);
	}
	return -EBADMSG;
}

static int decode_ip6(struct left *left, struct sriov_packet *p)
{
	bool later = false;
	size_t payload;
	int r = lacks(left, IP6_HEADER);

	if (r)
		return r;
	if (left->at[0] >> 4 != 6)
		return -EBADMSG;
	payload = get16(left->at + 4);
	p->proto = left->at[6];
	memcpy(p->src_ip, left->at + 8, 16);
	memcpy(p->dst_ip, left->at + 24, 16);
	limit(left, payload ? IP6_HEADER + payload : 0);
	skip(left, IP6_HEADER);
	r = skip_extensions(left, p, &later);
	if (r)
		return r;
	if (later) {
		take_payload(left, p);
		return 0;
	}
	return decode_l4(left, p);
}

static bool is_tag(uint16_t type)
{
	return type == ETH_P_8021Q || type == ETH_P_8021AD;
}

SRIOV_EXPORT int sriov_packet_decode(const uint8_t *frame, size_t size, struct sriov_packet *out)
{
	struct sriov_packet p = {.has = SRIOV_PACKET_DST_MAC | SRIOV_PACKET_SRC_MAC};
	struct left left = {frame, size, SIZE_MAX};
	int r = lacks(&left, ETH_HLEN);

	if (r)
		return r;
	memcpy(p.dst_mac, frame, 6);
	memcpy(p.src_mac, frame + 6, 6);
	p.ethertype = get16(frame + 12);
	skip(&left, ETH_HLEN);
	while (is_tag(p.ethertype) && p.ntags < SRIOV_PACKET_TAGS) {
		r = lacks(&left, 4);
		if (r)
			return r;
		p.tag[p.ntags].tpid = p.ethertype;
		p.tag[p.ntags++].tci = get16(left.at);
		p.ethertype = get16(left.at + 2);
		skip(&left, 4);
	}
	if (p.ethertype == ETH_P_IP)
		r = decode_ip4(&left, &p);
	else if (p.ethertype == ETH_P_IPV6)
		r = decode_ip6(&left, &p);
	if (!r)
		*out = p;
	return r;
}
