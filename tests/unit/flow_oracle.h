/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What packets must meet, from the words of the rules alone: the first rule of the list that matches decides,
 * if it is in hardware; if not, the packet meets nothing. What they do meet is told by the replay models.
 */
#ifndef FLOW_ORACLE_H
#define FLOW_ORACLE_H

#include "tests/unit/flow_round.h"

#include <net/ethernet.h>
#include <netinet/in.h>

static inline bool is_v6(enum sriov_flow_type type)
{
	return FLOW_BIT(type) & (FLOW_L4_V6 | FLOW_IP_V6);
}

static inline unsigned proto_of(enum sriov_flow_type type)
{
	static const uint8_t protos[SRIOV_FLOW_TYPES] = {
		[SRIOV_FLOW_TCP4] = IPPROTO_TCP,   [SRIOV_FLOW_TCP6] = IPPROTO_TCP,
		[SRIOV_FLOW_UDP4] = IPPROTO_UDP,   [SRIOV_FLOW_UDP6] = IPPROTO_UDP,
		[SRIOV_FLOW_SCTP4] = IPPROTO_SCTP, [SRIOV_FLOW_SCTP6] = IPPROTO_SCTP};

	return protos[type];
}

static inline bool has_ports(const struct nic_packet *p)
{
	return !p->fragment &&
	       (p->proto == IPPROTO_TCP || p->proto == IPPROTO_UDP || p->proto == IPPROTO_SCTP);
}

static inline bool type_matches(enum sriov_flow_type type, const struct nic_packet *p)
{
	if (type == SRIOV_FLOW_ETHER)
		return true;
	if (p->ethertype != (is_v6(type) ? ETHERTYPE_IPV6 : ETHERTYPE_IP))
		return false;
	if (proto_of(type))
		return !p->fragment && p->proto == proto_of(type);
	return type == SRIOV_FLOW_IP4 || type == SRIOV_FLOW_IP6 || !has_ports(p);
}

static inline bool number_matches(uint64_t number, uint64_t value, uint64_t mask)
{
	return !((number ^ value) & mask);
}

static inline bool bytes_match(const uint8_t *bytes, const uint8_t *value, const uint8_t *mask,
			       size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((bytes[i] ^ value[i]) & mask[i])
			return false;
	return true;
}

static inline bool port_matches(uint16_t port, uint16_t value, uint16_t mask, uint16_t last)
{
	return last ? port >= value && port <= last : number_matches(port, value, mask);
}

/* The first four bytes behind the IP header. */
static inline uint32_t packet_l4_bytes(const struct nic_packet *p)
{
	const uint8_t *b = p->l3_payload;

	if (has_ports(p))
		return (uint32_t)p->src_port << 16 | p->dst_port;
	return (uint32_t)b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3];
}

/* The pool on ixgbe, two bytes of the payload on i40e. */
static inline bool user_def_matches(const struct round *r, const struct sriov_rule *rule,
				    const struct nic_packet *p)
{
	uint64_t value = rule->value.user_def, mask = rule->mask.user_def;
	const uint8_t *payload = has_ports(p) ? p->l4_payload : p->l3_payload;
	unsigned at = (value & mask) >> 16 & 0x3e;

	if (!mask)
		return true;
	if (!strcmp(r->port.driver, "ixgbe"))
		return number_matches(p->vf < 0 ? r->port.vfs : (unsigned)p->vf, value, mask);
	return number_matches(payload[at] << 8 | payload[at + 1], value, mask & 0xffff);
}

static inline bool scope_matches(const struct sriov_rule *rule, const struct nic_packet *p)
{
	if (rule->scope.kind == SRIOV_SCOPE_PF)
		return p->vf < 0;
	return rule->scope.kind != SRIOV_SCOPE_VF || p->vf == (int)rule->scope.vf;
}

static inline bool ip_matches(const struct sriov_rule *rule, const struct nic_packet *p)
{
	const struct sriov_match *v = &rule->value, *m = &rule->mask;
	size_t size = is_v6(rule->type) ? 16 : 4;

	if (!bytes_match(p->src_ip, v->src_ip, m->src_ip, size) ||
	    !bytes_match(p->dst_ip, v->dst_ip, m->dst_ip, size))
		return false;
	if (!proto_of(rule->type))
		return number_matches(p->proto, v->proto, m->proto) &&
		       (!m->l4_bytes ||
			number_matches(packet_l4_bytes(p), v->l4_bytes, m->l4_bytes));
	return port_matches(p->src_port, v->src_port, m->src_port, rule->src_port_last) &&
	       port_matches(p->dst_port, v->dst_port, m->dst_port, rule->dst_port_last);
}

/* What a rule says, word by word, and nothing of how it is done. Packets have tos 0. */
static inline bool rule_matches(const struct round *r, const struct sriov_rule *rule,
				const struct nic_packet *p)
{
	const struct sriov_match *v = &rule->value, *m = &rule->mask;

	if (!type_matches(rule->type, p) || !scope_matches(rule, p))
		return false;
	if (rule->type == SRIOV_FLOW_ETHER &&
	    (!bytes_match(p->src_mac, v->src_mac, m->src_mac, 6) ||
	     !bytes_match(p->dst_mac, v->dst_mac, m->dst_mac, 6) ||
	     !number_matches(p->ethertype, v->ethertype, m->ethertype)))
		return false;
	if (rule->type != SRIOV_FLOW_ETHER &&
	    (!ip_matches(rule, p) || !number_matches(0, v->tos, m->tos)))
		return false;
	if ((m->vlan_tci || m->vlan_etype) && !p->tagged)
		return false;
	return number_matches(p->tci, v->vlan_tci, m->vlan_tci) &&
	       number_matches(ETHERTYPE_VLAN, v->vlan_etype, m->vlan_etype) &&
	       user_def_matches(r, rule, p);
}

/* ---- what a packet must meet ---- */

static inline bool in_hardware(const struct round *r, size_t i)
{
	return r->out.verdict[i].result == SRIOV_EXACT && !r->out.verdict[i].left_out;
}

/* The first rule that matches, or r->rules.n. */
static inline size_t first_match(const struct round *r, const struct nic_packet *p)
{
	size_t i = 0;

	while (i < r->rules.n && !r->matches(r, &r->rule[i], p))
		i++;
	return i;
}

/*
 * What conditions of a verdict leave open: on i40e a queue is only for traffic that the switch gives to its
 * owner, and an ixgbe port before the X550 does not look at what it switches inside itself.
 */
static inline bool acts(const struct round *r, const struct sriov_rule *rule,
			const struct nic_packet *p)
{
	if (!strcmp(r->port.driver, "i40e"))
		return rule->action.kind != SRIOV_ACTION_QUEUE ||
		       rule->scope.kind != SRIOV_SCOPE_ALL || p->vf < 0;
	return !p->switched || strcmp(r->port.driver, "ixgbe") != 0 ||
	       nic_mac_of("ixgbe", r->port.device) >= NIC_X550;
}

/* A condition is said where a drop or a redirect does not act. */
static inline bool says_so(const struct round *r, size_t i)
{
	enum sriov_action_kind kind = r->rule[i].action.kind;

	return r->out.verdict[i].nconditions ||
	       (kind != SRIOV_ACTION_DROP && kind != SRIOV_ACTION_VF);
}

static inline const struct sriov_entry *foreign_at(const struct round *r, const struct nic_hit *hit)
{
	for (size_t i = 0; i < r->port.nrules; i++)
		if (r->port.rules[i].loc == hit->loc)
			return &r->port.rules[i];
	return NULL;
}

/* An entry of somebody else, or what one has left behind. */
static inline bool is_foreign(const struct round *r, const struct nic_hit *hit)
{
	return foreign_at(r, hit) || (hit->loc == NIC_NO_RULE && !r->port.watched);
}

/* One of somebody else whose words tell that it matches the packet: some match more than they show. */
static inline bool is_foreign_in_words(const struct round *r, const struct nic_packet *p,
				       const struct nic_hit *hit)
{
	const struct sriov_entry *e = foreign_at(r, hit);
	struct sriov_rule rule;

	if (!e)
		return false;
	rule = (struct sriov_rule){.type = e->type, .value = e->value, .mask = e->mask};
	return rule_matches(r, &rule, p);
}

static inline bool hit_is(const struct sriov_rule *rule, const struct nic_packet *p,
			  const struct nic_hit *hit)
{
	const struct sriov_action *a = &rule->action;
	int vf = a->kind == SRIOV_ACTION_VF           ? (int)a->vf
		 : rule->scope.kind == SRIOV_SCOPE_VF ? (int)rule->scope.vf
						      : -1;
	unsigned queue = a->queue;

	if (a->kind == SRIOV_ACTION_DROP || hit->drop)
		return hit->drop && a->kind == SRIOV_ACTION_DROP;
	if (a->kind == SRIOV_ACTION_QUEUES)
		queue += p->src_port & (a->queue_last - a->queue);
	return hit->vf == vf && hit->queue == queue;
}

#define WHY_SIZE 256
__attribute__((format(printf, 2, 3))) static inline bool says(char why[WHY_SIZE], const char *fmt,
							      ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, WHY_SIZE, fmt, ap);
	va_end(ap);
	return false;
}

/* The entry that @packet meets in the second NIC, as if it were in the first. */
static inline bool mirror_match(const struct round *r, const struct nic_packet *p,
				struct nic_hit *hit)
{
	bool met = nic_model_match(r->mirror, p, hit);

	if (met && hit->loc != NIC_NO_RULE)
		hit->loc = mirrored(r, hit->loc);
	return met;
}

/* A packet that is owed nothing meets no entry, but one of somebody else. */
static inline bool oracle_stray(const struct round *r, size_t i, const struct nic_packet *p,
				const struct nic_hit *hit, char why[WHY_SIZE])
{
	bool left_out = i < r->rules.n && r->out.verdict[i].left_out;

	if (is_foreign(r, hit) && !(left_out && is_foreign_in_words(r, p, hit)))
		return true;
	if (i == r->rules.n)
		return says(why, "it is of no rule and meets loc %u", hit->loc);
	return says(why, "it is of rule %zu, which %s, and meets loc %u", i + 1,
		    left_out            ? "is left out"
		    : in_hardware(r, i) ? "does not act on it"
					: "is not in hardware",
		    hit->loc);
}

static inline bool oracle_hit(const struct round *r, size_t i, const struct nic_packet *p, bool met,
			      const struct nic_hit *hit, char why[WHY_SIZE])
{
	bool in = i < r->rules.n && in_hardware(r, i), owed = in && acts(r, &r->rule[i], p);

	if (owed && !met)
		return says(why, "it is of rule %zu and meets nothing", i + 1);
	if (owed && !hit_is(&r->rule[i], p, hit))
		return says(why, "it is of rule %zu and meets loc %u: drop %d, vf %d, queue %u",
			    i + 1, hit->loc, hit->drop, hit->vf, hit->queue);
	if (in && !owed && !says_so(r, i))
		return says(why, "rule %zu does not act on it, and does not say so", i + 1);
	return owed || !met || oracle_stray(r, i, p, hit, why);
}

/* True if the packet meets what it must, in whatever order the NIC looks at its entries. */
static inline bool oracle_agrees(const struct round *r, const struct nic_packet *p,
				 char why[WHY_SIZE])
{
	size_t i = first_match(r, p);
	struct nic_hit hit;
	bool met = nic_model_match(r->model, p, &hit);

	if (!oracle_hit(r, i, p, met, &hit, why))
		return false;
	return !met || oracle_hit(r, i, p, mirror_match(r, p, &hit), &hit, why);
}

#endif
