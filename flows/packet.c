/* SPDX-License-Identifier: Apache-2.0 */
/* Packets in words: reading and printing, which are each other's inverse. */
#include "flows/packet.h"

#include "flows/rule.h"
#include "flows/value.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <string.h>

static const struct kind {
	const char *word;
	int proto; /* -1 = by the word proto */
} kinds[] = {
	{"tcp", IPPROTO_TCP},   {"udp", IPPROTO_UDP}, {"sctp", IPPROTO_SCTP},
	{"icmp", IPPROTO_ICMP}, {"ip", -1},
};

struct reader {
	struct lexer lex;
	struct sriov_packet packet;
	unsigned said; /* a bit for each of packet_words */
	bool no_proto; /* it is still to come */
	bool v6;
};

static uint16_t icmp_of(bool v6)
{
	return v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
}

bool packet_has_l4(const struct sriov_packet *p)
{
	return p->proto == IPPROTO_TCP || p->proto == IPPROTO_UDP || p->proto == IPPROTO_SCTP;
}

/* ---- reading ---- */

static int expected(struct reader *r, const struct word *word, const char *what, const char *hint)
{
	lex_error(&r->lex, -EINVAL, word, "expected %s", what);
	return sriov_error_hint(r->lex.err, "%s", hint);
}

static int next_word(struct reader *r, struct word *out, const char *what, const char *hint)
{
	int got = lex_next(&r->lex, out);

	if (got < 0)
		return got;
	return got ? 0 : expected(r, NULL, what, hint);
}

static int next_number(struct reader *r, const char *self, uint64_t max, uint64_t *out)
{
	struct word word;
	char what[64];
	int ret;

	snprintf(what, sizeof(what), "a number from 0 to %llu behind '%s'", (unsigned long long)max,
		 self);
	ret = next_word(r, &word, what, "decimal without leading zeros, or 0x…");
	if (ret || !value_number(word.text, max, out))
		return ret;
	return expected(r, &word, what, "decimal without leading zeros, or 0x…");
}

/* "10.0.0.7:53", "10.0.0.7", "[2001:db8::1]:53", "2001:db8::1" */
static int split_address(const char *text, char address[64], const char **port)
{
	const char *colon = strchr(text, ':'), *end = NULL;
	size_t len = strlen(text);

	*port = NULL;
	if (*text == '[') {
		end = strchr(text, ']');
		if (!end || (end[1] && end[1] != ':'))
			return -EINVAL;
		*port = end[1] ? end + 2 : NULL;
		text++;
		len = end - text;
	} else if (colon && !strchr(colon + 1, ':')) {
		*port = colon + 1;
		len = colon - text;
	}
	if (len >= 64)
		return -EINVAL;
	memcpy(address, text, len);
	address[len] = '\0';
	return 0;
}

static int read_address(struct reader *r, bool source)
{
	static const char what[] = "an address such as 10.0.0.7:53 or [2001:db8::7]:53";
	static const char hint[] = "udp 198.51.100.7:1024 > 10.0.0.7:4789; without ports for ip "
				   "and icmp";
	struct sriov_packet *p = &r->packet;
	uint8_t *to = source ? p->src_ip : p->dst_ip;
	char address[64];
	const char *port;
	struct word word;
	uint64_t number;
	bool v6;
	int ret = next_word(r, &word, what, hint);

	if (ret)
		return ret;
	if (split_address(word.text, address, &port))
		return expected(r, &word, what, hint);
	v6 = strchr(address, ':');
	if (inet_pton(v6 ? AF_INET6 : AF_INET, address, to) != 1)
		return expected(r, &word, what, hint);
	if (!source && v6 != r->v6)
		return expected(r, &word, v6 ? "an IPv4 address" : "an IPv6 address",
				"both addresses are of one family");
	if (!source && !port != !(p->has & SRIOV_PACKET_PORTS))
		return expected(r, &word, port ? "an address without port" : "a port too",
				"both addresses have a port, or none");
	r->v6 = v6;
	if (!port)
		return 0;
	if (value_number(port, UINT16_MAX, &number))
		return expected(r, &word, what, "a port is a number from 0 to 65535");
	p->has |= SRIOV_PACKET_PORTS;
	*(source ? &p->src_port : &p->dst_port) = number;
	return 0;
}

static int read_addresses(struct reader *r, const struct kind *kind)
{
	struct sriov_packet *p = &r->packet;
	struct word arrow;
	int ret = read_address(r, true);

	if (!ret)
		ret = next_word(r, &arrow, "'>' between the addresses", "udp A:PORT > B:PORT");
	if (!ret && strcmp(arrow.text, ">") != 0)
		ret = expected(r, &arrow, "'>' between the addresses", "udp A:PORT > B:PORT");
	if (!ret)
		ret = read_address(r, false);
	if (ret)
		return ret;
	p->ethertype = r->v6 ? ETH_P_IPV6 : ETH_P_IP;
	r->no_proto = kind->proto < 0;
	p->proto = kind->proto == IPPROTO_ICMP ? icmp_of(r->v6) : r->no_proto ? 0 : kind->proto;
	if (p->has & SRIOV_PACKET_PORTS && !packet_has_l4(p))
		return expected(r, NULL, "addresses without ports",
				"only tcp, udp and sctp have ports");
	return 0;
}

static int read_ether(struct reader *r)
{
	uint64_t type;
	int ret = next_number(r, "ether", UINT16_MAX, &type);

	if (ret)
		return ret;
	if (type == ETH_P_IP || type == ETH_P_IPV6)
		return expected(r, NULL, "a type that is not IP", "ip A > B proto N");
	r->packet.ethertype = type;
	return 0;
}

/* The words of the two VLAN tags. */
static const struct tag_word {
	const char *word;
	uint8_t tag;
	uint8_t shift;
	uint16_t mask; /* of the TCI; 0 = the TPID */
} tag_words[] = {
	{"vid", 0, 0, VLAN_VID_MASK},       {"prio", 0, VLAN_PRIO_SHIFT, VLAN_PRIO_MASK},
	{"dei", 0, 0, VLAN_DEI_MASK},       {"tpid", 0, 0, 0},
	{"inner-vid", 1, 0, VLAN_VID_MASK}, {"inner-prio", 1, VLAN_PRIO_SHIFT, VLAN_PRIO_MASK},
	{"inner-dei", 1, 0, VLAN_DEI_MASK}, {"inner-tpid", 1, 0, 0},
};

static int read_tag(struct reader *r, const struct tag_word *w)
{
	struct sriov_vlan_tag *tag = &r->packet.tag[w->tag];
	uint64_t number = VLAN_DEI_MASK;
	int ret = 0;

	if (w->mask != VLAN_DEI_MASK)
		ret = next_number(r, w->word, w->mask ? w->mask >> w->shift : UINT16_MAX, &number);
	if (ret)
		return ret;
	if (!w->mask && number != ETH_P_8021Q && number != ETH_P_8021AD)
		return expected(r, NULL, "0x8100 or 0x88a8", "the types of VLAN tags");
	if (w->mask)
		tag->tci = (tag->tci & ~w->mask) | number << w->shift;
	else
		tag->tpid = number;
	tag->tpid = tag->tpid ?: ETH_P_8021Q;
	return 0;
}

static int read_mac(struct reader *r, const struct word *self)
{
	struct sriov_packet *p = &r->packet;
	bool dst = *self->text == 'd';
	struct word word;
	int ret = next_word(r, &word, "a MAC address", "as in dmac 52:54:00:00:00:01");

	if (ret)
		return ret;
	if (sriov_mac_parse(word.text, dst ? p->dst_mac : p->src_mac))
		return expected(r, &word, "a MAC address", "as in dmac 52:54:00:00:00:01");
	p->has |= dst ? SRIOV_PACKET_DST_MAC : SRIOV_PACKET_SRC_MAC;
	return 0;
}

static int hex_digit(char c)
{
	const char *digits = "0123456789abcdef", *at = c ? strchr(digits, c | 0x20) : NULL;

	return at ? (int)(at - digits) : -1;
}

static int read_payload(struct reader *r)
{
	static const char what[] = "bytes in hexadecimal, at most 64 in all";
	struct sriov_packet *p = &r->packet;
	struct word word;
	int ret = next_word(r, &word, what,
			    "as in payload 0012ff; several go on behind each other");

	for (const char *c = word.text; !ret && *c; c += 2) {
		int high = hex_digit(c[0]), low = high < 0 ? -1 : hex_digit(c[1]);

		if (low < 0 || p->payload_size == SRIOV_PACKET_PAYLOAD)
			return expected(r, &word, what, "as in payload 0012ff");
		p->payload[p->payload_size++] = high << 4 | low;
	}
	return ret;
}

static int read_proto(struct reader *r)
{
	uint64_t proto;
	int ret = next_number(r, "proto", UINT8_MAX, &proto);

	if (ret)
		return ret;
	if (!r->no_proto)
		return expected(r, NULL, "no 'proto' here", "only `ip` packets take it");
	r->packet.proto = proto;
	r->no_proto = false;
	return 0;
}

static const char *const packet_words[] = {
	"vid",  "prio", "dei",  "tpid",        "inner-vid", "inner-prio", "inner-dei", "inner-tpid",
	"dmac", "smac", "frag", "ext-headers", "payload",   "proto",      NULL};

/* Of a payload the words go on behind each other, and of others the last would win unseen. */
static int say_once(struct reader *r, const struct word *word)
{
	unsigned bit = 1;

	for (size_t i = 0; packet_words[i] && strcmp(packet_words[i], word->text) != 0; i++)
		bit <<= 1;
	if (r->said & bit && strcmp(word->text, "payload") != 0)
		return lex_error(&r->lex, -EINVAL, word, "'%s' is said twice", word->text);
	r->said |= bit;
	return 0;
}

static int read_word(struct reader *r, const struct word *word)
{
	const char *near;
	int ret = say_once(r, word);

	if (ret)
		return ret;
	for (size_t i = 0; i < ARRAY_SIZE(tag_words); i++)
		if (!strcmp(tag_words[i].word, word->text))
			return read_tag(r, &tag_words[i]);
	if (!strcmp(word->text, "dmac") || !strcmp(word->text, "smac"))
		return read_mac(r, word);
	if (!strcmp(word->text, "payload"))
		return read_payload(r);
	if (!strcmp(word->text, "proto"))
		return read_proto(r);
	if (!strcmp(word->text, "frag") && (r->packet.ethertype == ETH_P_IP || r->v6)) {
		r->packet.fragment = true;
		return 0;
	}
	if (!strcmp(word->text, "ext-headers") && r->v6) {
		r->packet.extension = true;
		return 0;
	}
	near = core_nearest(word->text, packet_words);
	lex_error(&r->lex, -EINVAL, word, "'%s' is no word of %s", word->text,
		  r->v6                             ? "an IPv6 packet"
		  : r->packet.ethertype == ETH_P_IP ? "an IPv4 packet"
						    : "a packet that is not IP");
	return near ? sriov_error_hint(r->lex.err, "did you mean '%s'?", near)
		    : sriov_error_hint(
			      r->lex.err,
			      "words are vid, prio, dei, dmac, smac, frag, proto, payload");
}

/* What only the whole shows. */
static int check_whole(struct reader *r)
{
	struct sriov_packet *p = &r->packet;
	bool l4 = packet_has_l4(p), ip = p->ethertype == ETH_P_IP || r->v6;

	if (p->tag[1].tpid && !p->tag[0].tpid)
		return expected(r, NULL, "an outer tag too", "vid N inner-vid N");
	p->ntags = !!p->tag[0].tpid + !!p->tag[1].tpid;
	if ((p->ethertype == ETH_P_8021Q || p->ethertype == ETH_P_8021AD) &&
	    p->ntags < SRIOV_PACKET_TAGS)
		return expected(r, NULL, "the type behind the tags", "say tags as `vid N`");
	if (r->no_proto)
		return expected(r, NULL, "'proto' with the number of the IP protocol",
				"ip A > B proto 47");
	if (ip && l4 && !p->fragment && !(p->has & SRIOV_PACKET_PORTS))
		return expected(r, NULL, "ports of an unfragmented packet",
				"udp A:PORT > B:PORT, or `frag`");
	return 0;
}

SRIOV_EXPORT int sriov_packet_parse(const char *text, struct sriov_packet *out,
				    struct sriov_error *err)
{
	static const char what[] = "tcp, udp, sctp, icmp, ip or ether";
	static const char hint[] = "as in: udp 198.51.100.7:1024 > 10.0.0.7:4789 vid 100";
	struct reader r = {0};
	struct word word;
	size_t i = 0;
	int ret;

	lex_start(&r.lex, text, NULL, 1, err);
	ret = next_word(&r, &word, what, hint);
	if (ret)
		return ret;
	while (i < ARRAY_SIZE(kinds) && strcmp(kinds[i].word, word.text) != 0)
		i++;
	if (i < ARRAY_SIZE(kinds))
		ret = read_addresses(&r, &kinds[i]);
	else if (!strcmp(word.text, "ether"))
		ret = read_ether(&r);
	else
		ret = expected(&r, &word, what, hint);
	while (!ret) {
		int got = lex_next(&r.lex, &word);

		if (got <= 0) {
			ret = got;
			break;
		}
		ret = read_word(&r, &word);
	}
	if (!ret)
		ret = check_whole(&r);
	if (!ret)
		*out = r.packet;
	return ret;
}

/* ---- printing ---- */

static void print_address(struct text *text, const struct sriov_packet *p, bool source)
{
	bool v6 = p->ethertype == ETH_P_IPV6, port = p->has & SRIOV_PACKET_PORTS;
	char address[INET6_ADDRSTRLEN];

	inet_ntop(v6 ? AF_INET6 : AF_INET, source ? p->src_ip : p->dst_ip, address,
		  sizeof(address));
	text_add(text, v6 && port ? " [%s]" : " %s", address);
	if (port)
		text_add(text, ":%u", source ? p->src_port : p->dst_port);
}

static void print_headers(struct text *text, const struct sriov_packet *p)
{
	bool v6 = p->ethertype == ETH_P_IPV6;
	size_t i = 0;

	if (!v6 && p->ethertype != ETH_P_IP) {
		text_add(text, "ether 0x%04x", p->ethertype);
		return;
	}
	while (kinds[i].proto >= 0 &&
	       p->proto != (kinds[i].proto == IPPROTO_ICMP ? icmp_of(v6) : kinds[i].proto))
		i++;
	text_add(text, "%s", kinds[i].word);
	print_address(text, p, true);
	text_add(text, " >");
	print_address(text, p, false);
	if (kinds[i].proto < 0)
		text_add(text, " proto %u", p->proto);
}

static void print_tags(struct text *text, const struct sriov_packet *p)
{
	for (size_t i = 0; i < ARRAY_SIZE(tag_words); i++) {
		const struct tag_word *w = &tag_words[i];
		const struct sriov_vlan_tag *tag = &p->tag[w->tag];
		bool always = w->mask == VLAN_VID_MASK;

		if (w->tag >= p->ntags)
			continue;
		if (!w->mask && tag->tpid != ETH_P_8021Q)
			text_add(text, " %s 0x%04x", w->word, tag->tpid);
		else if (w->mask == VLAN_DEI_MASK && tag->tci & w->mask)
			text_add(text, " %s", w->word);
		else if (w->mask && w->mask != VLAN_DEI_MASK && (always || tag->tci & w->mask))
			text_add(text, " %s %u", w->word, (tag->tci & w->mask) >> w->shift);
	}
}

static void print_payload(struct text *text, const struct sriov_packet *p)
{
	for (size_t i = 0; i < p->payload_size; i++)
		text_add(text, i % 32 ? "%02x" : " payload %02x", p->payload[i]);
}

SRIOV_EXPORT int sriov_packet_format(const struct sriov_packet *packet, char *buf, size_t size)
{
	struct text text = {.at = buf, .size = size};
	char mac[SRIOV_MAC_LEN];

	print_headers(&text, packet);
	print_tags(&text, packet);
	if (packet->has & SRIOV_PACKET_DST_MAC)
		text_add(&text, " dmac %s", sriov_mac_format(packet->dst_mac, mac));
	if (packet->has & SRIOV_PACKET_SRC_MAC)
		text_add(&text, " smac %s", sriov_mac_format(packet->src_mac, mac));
	if (packet->fragment)
		text_add(&text, " frag");
	if (packet->extension)
		text_add(&text, " ext-headers");
	print_payload(&text, packet);
	return text.full ? -ENOSPC : 0;
}
