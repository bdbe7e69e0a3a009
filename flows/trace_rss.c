/* SPDX-License-Identifier: Apache-2.0 */
/* RSS: the Toeplitz hash over the headers, and the queue in the port's table that it points at. */
#include "flows/trace.h"

#include <linux/if_ether.h>
#include <netinet/in.h>
#include <string.h>

/* Bits @bit to @bit + 31 of the key. */
static uint32_t window(const uint8_t *key, size_t bit)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < 5; i++)
		bits = bits << 8 | key[bit / 8 + i];
	return (uint32_t)(bits >> (8 - bit % 8));
}

void trace_rss_init(struct trace_rss *rss, const uint8_t *key)
{
	for (size_t at = 0; at < RSS_INPUT_MAX; at++) {
		for (unsigned value = 0; value < 256; value++) {
			uint32_t sum = 0;

			for (unsigned bit = 0; bit < 8; bit++)
				if (value & 0x80 >> bit)
					sum ^= window(key, at * 8 + bit);
			rss->part[at][value] = sum;
		}
	}
}

uint32_t trace_rss_hash(const struct trace_rss *rss, const uint8_t *data, size_t size)
{
	uint32_t hash = 0;

	for (size_t i = 0; i < size; i++)
		hash ^= rss->part[i][data[i]];
	return hash;
}

size_t trace_rss_input(const struct sriov_packet *p, bool ports, uint8_t out[RSS_INPUT_MAX])
{
	size_t n = p->ethertype == ETH_P_IPV6 ? 16 : 4;

	memcpy(out, p->src_ip, n);
	memcpy(out + n, p->dst_ip, n);
	n *= 2;
	if (!ports)
		return n;
	out[n++] = p->src_port >> 8;
	out[n++] = p->src_port;
	out[n++] = p->dst_port >> 8;
	out[n++] = p->dst_port;
	return n;
}

static const char *const tunnel_unknown =
	"whether the NIC hashes what is in this tunnel is not known";

static bool is_tunnel(uint8_t proto)
{
	return proto == IPPROTO_GRE || proto == IPPROTO_IPIP || proto == IPPROTO_IPV6;
}

/* What the hash takes of the packet, in *@fields; or why that is not known. */
static const char *hashed(const struct sriov_tracer *t, const struct sriov_packet *p,
			  unsigned *fields)
{
	enum sriov_flow_type class = nic_class_of_packet(p);
	unsigned told = t->port.rss_fields[class];

	if (class == SRIOV_FLOW_ETHER)
		return "it is not IP, and the driver does not say where such packets go";
	if (p->ntags > 1 || (p->ntags && p->tag[0].tpid != ETH_P_8021Q))
		return "whether the NIC looks behind its VLAN tags is not known";
	if (p->extension)
		return "whether the NIC looks behind IPv6 extension headers is not known";
	if (t->walk->tunnels && is_tunnel(p->proto))
		return tunnel_unknown;
	if (t->walk->hash_unknown & FLOW_BIT(class))
		return "which fields of SCTP the NIC hashes is not readable";
	if (!told)
		told = SRIOV_HASH_IP |
		       (t->walk->hash_ports & FLOW_BIT(class) ? SRIOV_HASH_PORTS : 0);
	if ((told & SRIOV_HASH_IP) != SRIOV_HASH_IP ||
	    (told & SRIOV_HASH_PORTS && (told & SRIOV_HASH_PORTS) != SRIOV_HASH_PORTS))
		return "the port hashes only some of the fields (ethtool -n … rx-flow-hash)";
	*fields = told;
	return NULL;
}

/* Why no queue can be told at all; NULL: it can, as far as the packet lets. */
static const char *port_unknown(const struct sriov_tracer *t)
{
	if (!t->nrss)
		return "the port's RSS table was not read";
	if (!t->hash)
		return "the port's RSS key is not known";
	return NULL;
}

static bool one_queue(const struct sriov_tracer *t)
{
	for (size_t i = 1; i < t->nrss; i++)
		if (t->rss[i] != t->rss[0])
			return false;
	return t->nrss;
}

static void unknown_queue(struct trace_walk *w, const char *why)
{
	TELL(w, SRIOV_STAGE_RSS, "queue unknown: %s", why);
}

static void of_hash(struct trace_walk *w, bool ports)
{
	const struct sriov_tracer *t = w->tracer;
	const struct sriov_packet *p = &w->packet;
	uint8_t input[RSS_INPUT_MAX];
	uint32_t hash = trace_rss_hash(t->hash, input, trace_rss_input(p, ports, input));
	size_t at = hash % t->nrss;

	w->out->queue = t->rss[at];
	TELL(w, SRIOV_STAGE_RSS, "Toeplitz hash 0x%08x of addresses%s, entry %zu of %zu: queue %u",
	     hash, ports ? " and ports" : "", at, t->nrss, t->rss[at]);
	if (t->walk->tunnels && p->proto == IPPROTO_UDP)
		TELL(w, SRIOV_STAGE_RSS,
		     "if the host has a tunnel on that UDP port, the packet inside is hashed: that "
		     "was not read");
}

/* The driver's own filters for connections, which are not readable. */
static void check_atr(struct trace_walk *w)
{
	const struct sriov_tracer *t = w->tracer;
	enum sriov_flow_type class = nic_class_of_packet(&w->packet);

	if ((class != SRIOV_FLOW_TCP4 && class != SRIOV_FLOW_TCP6) || !t->walk->atr ||
	    !t->walk->atr(&t->port, t->types))
		return;
	w->out->queue = -1;
	unknown_queue(w,
		      "the driver may have steered this TCP connection to where the host sends it "
		      "from (ATR), which is not readable");
}

void trace_rss_queue(struct trace_walk *w)
{
	const struct sriov_tracer *t = w->tracer;
	const char *why = port_unknown(t);
	unsigned fields = 0;

	if (w->out->to == SRIOV_TO_VF) {
		unknown_queue(w, "how many queues a VF uses is its driver's matter");
		return;
	}
	if (t->port.queues == 1) {
		w->out->queue = 0;
		TELL(w, SRIOV_STAGE_RSS, "the PF has one RX queue");
		return;
	}
	if (one_queue(t)) {
		w->out->queue = t->rss[0];
		TELL(w, SRIOV_STAGE_RSS, "the whole table says queue %u", t->rss[0]);
		check_atr(w);
		return;
	}
	if (!why)
		why = hashed(t, &w->packet, &fields);
	if (why) {
		unknown_queue(w, why);
		return;
	}
	of_hash(w, fields & SRIOV_HASH_PORTS);
	check_atr(w);
}
