/* SPDX-License-Identifier: Apache-2.0 */
/*
 * i40e: X710, XL710, XXV710, X722. Facts from i40e_ethtool.c and i40e_txrx.c of Linux 6.1 and 6.12,
 * which answer alike; none from silicon.
 */
#include "flows/nic/profile.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define VLAN_8021Q 0x8100
#define FLEX_MASK                                                                                  \
	0xffffffffu /* user-def: offset in bits 31-16, word in 15-0; higher bits are ignored */
#define FLEX_OFFSET(user_def) ((user_def) >> 16 & 0xffff)
#define FLEX_OFFSET_MAX 62
#define FLEX_OFFSETS 3 /* of one port */
#define VF_QUEUES 4    /* I40E_DEFAULT_QUEUES_PER_VF; a VF may have asked for more */

static bool has_flex(const struct sriov_entry *e)
{
	return e->ext && (e->mask.user_def & FLEX_MASK) == FLEX_MASK;
}

static bool has_vlan(const struct sriov_entry *e)
{
	return e->ext && e->mask.vlan_tci == 0xffff;
}

/* i40e_parse_rx_flow_user_data() */
static int check_user_def(const struct nic_profile *profile, const struct sriov_pf *port,
			  const struct sriov_entry *e, struct nic_verdict *v)
{
	uint32_t mask = e->ext ? e->mask.user_def & FLEX_MASK : 0;

	if (!mask || mask == FLEX_MASK)
		return 0;
	nic_refuse(v, -EINVAL, "user-def can only be matched whole",
		   "i40e matches the low 32 bits of 'user-def' whole or not at all");
	return nic_hint(
		v,
		"user-def 0xOOOOWWWW m 0xffffffff00000000: offset O in the payload, word W there");
}

static int check_vlan_etype(const struct nic_profile *profile, const struct sriov_pf *port,
			    const struct sriov_entry *e, struct nic_verdict *v)
{
	if (!e->ext || !e->value.vlan_etype || e->value.vlan_etype == VLAN_8021Q)
		return 0;
	return nic_refuse(v, -EOPNOTSUPP, "vlan-etype other than 0x8100",
			  "i40e knows no 'vlan-etype' but 0x8100");
}

static int check_flex_offset(const struct nic_profile *profile, const struct sriov_pf *port,
			     const struct sriov_entry *e, struct nic_verdict *v)
{
	unsigned offset = FLEX_OFFSET(e->value.user_def), seen[FLEX_OFFSETS], n = 0;

	if (!has_flex(e))
		return 0;
	if (offset % 2 || offset > FLEX_OFFSET_MAX)
		return nic_refuse(
			v, -EINVAL, "flexible offset out of range",
			"the offset in 'user-def' is %u; i40e takes even ones from 0 to %d", offset,
			FLEX_OFFSET_MAX);
	for (size_t i = 0; i < port->nrules; i++) {
		unsigned other = FLEX_OFFSET(port->rules[i].value.user_def), j = 0;

		if (!has_flex(&port->rules[i]) || other == offset)
			continue;
		while (j < n && seen[j] != other)
			j++;
		if (j == n && n < FLEX_OFFSETS)
			seen[n++] = other;
	}
	if (n < FLEX_OFFSETS)
		return 0;
	return nic_refuse(
		v, -ENOSPC, "all flexible offsets are used",
		"the rules of %s use %d different offsets in 'user-def' already, and there are no "
		"more",
		nic_port_name(port), FLEX_OFFSETS);
}

/* The fields that an entry matches, as i40e_check_fdir_input_set() compares them. */
struct input_set {
	uint32_t fields, flex;
};

static struct input_set input_set(const struct sriov_entry *e)
{
	struct input_set set = {.flex = has_flex(e) ? FLEX_OFFSET(e->value.user_def) + 1 : 0};

	for (const struct flow_field *f = NULL; (f = flow_field_next(f, e->type));)
		if (!f->ext && flow_field_any(f, &e->mask))
			set.fields |= 1u << f->id;
	if (has_vlan(e))
		set.fields |= 1u << FIELD_VLAN;
	return set;
}

static int check_input_set(const struct nic_profile *profile, const struct sriov_pf *port,
			   const struct sriov_entry *e, struct nic_verdict *v)
{
	struct input_set set = input_set(e);
	char theirs[160], ours[160];
	struct text text = {.at = theirs, .size = sizeof(theirs)};

	for (size_t i = 0; i < port->nrules; i++) {
		const struct sriov_entry *other = &port->rules[i];
		struct input_set there = input_set(other);

		if (other->type != e->type || !memcmp(&set, &there, sizeof(set)))
			continue;
		mask_print(&text, other->type, &other->mask, other->ext);
		text = (struct text){.at = ours, .size = sizeof(ours)};
		mask_print(&text, e->type, &e->mask, e->ext);
		nic_refuse(v, -EOPNOTSUPP, "one input set per flow type",
			   "all %s rules of an i40e port match the same fields: the port's rules "
			   "match %s, this one %s",
			   flow_type_word(e->type), theirs, ours);
		v->other = other;
		return nic_hint(v, "match the same fields, or delete the port's %s rules first",
				flow_type_word(e->type));
	}
	return 0;
}

static int check_target(const struct nic_profile *profile, const struct sriov_pf *port,
			const struct sriov_entry *e, struct nic_verdict *v)
{
	unsigned vf = COOKIE_VF(e->cookie), queue = COOKIE_QUEUE(e->cookie);

	if (e->cookie == SRIOV_COOKIE_DROP || !vf)
		return nic_check_queue(profile, port, e, v);
	if (vf > port->vfs)
		return nic_refuse(v, -EINVAL, "no such VF", "VF %u does not exist: %s has %u VFs",
				  vf - 1, nic_port_name(port), port->vfs);
	if (queue >= VF_QUEUES)
		return nic_refuse(v, -EINVAL, "the VF has no such queue",
				  "VF %u is only known to have %d queues", vf - 1, VF_QUEUES);
	return 0;
}

/*
 * i40e_match_fdir_filter(): values only, without masks, flexible word and target. Of IPv6 it
 * compares the first eight bytes of the source address and nothing of the destination.
 */
static bool is_duplicate(const struct sriov_entry *a, const struct sriov_entry *b)
{
	bool v6 = FLOW_BIT(a->type) & (FLOW_L4_V6 | FLOW_BIT(SRIOV_FLOW_IP6));

	return a->type == b->type && !memcmp(a->value.src_ip, b->value.src_ip, v6 ? 8 : 4) &&
	       (v6 || !memcmp(a->value.dst_ip, b->value.dst_ip, 4)) &&
	       a->value.src_port == b->value.src_port && a->value.dst_port == b->value.dst_port &&
	       (has_vlan(a) ? a->value.vlan_tci : 0) == (has_vlan(b) ? b->value.vlan_tci : 0);
}

static const char false_duplicate[] =
	"i40e takes this rule for a duplicate: it compares ports, VLAN and, of IPv6, only the "
	"upper 64 bits of the source address, but neither destination address nor 'user-def'";

static int check_duplicate(const struct nic_profile *profile, const struct sriov_pf *port,
			   const struct sriov_entry *e, struct nic_verdict *v)
{
	for (size_t i = 0; i < port->nrules; i++) {
		const struct sriov_entry *other = &port->rules[i];

		if (other->loc == e->loc || !is_duplicate(e, other))
			continue;
		nic_refuse(v, -EINVAL, "the driver takes it for a duplicate", "%s",
			   entry_same_match(e, other) ? "a rule for the same packets is there"
						      : false_duplicate);
		v->other = other;
		return nic_hint(
			v, "delete that rule first, or let the two differ in what is compared");
	}
	return 0;
}

static int hazard_location(const struct nic_profile *profile, const struct sriov_pf *port,
			   const struct sriov_entry *e, struct nic_verdict *v)
{
	if (e->loc)
		return 0;
	nic_refuse(
		v, -EINVAL, "location 0 loses errors",
		"location 0 is avoided on i40e: its number is also that of the driver's own (ATR) "
		"filters, and that the NIC could not add it would go unnoticed");
	return nic_hint(v, "loc 1 or above, or no 'loc'");
}

static int hazard_ip6(const struct nic_profile *profile, const struct sriov_pf *port,
		      const struct sriov_entry *e, struct nic_verdict *v)
{
	if (e->type != SRIOV_FLOW_IP6)
		return 0;
	/* the input set of FRAG_IPV6 stays as it is whatever an IPV6_USER rule matches */
	nic_refuse(
		v, -EOPNOTSUPP, "fragments are not matched as the rule says",
		"i40e cannot match every IPv6 packet: its ip6 rules leave out TCP, UDP and SCTP, "
		"and the driver never sets what is compared of fragments");
	return nic_hint(v, "rules with flow type tcp6, udp6 and sctp6 are exact");
}

static int hazard_vlan(const struct nic_profile *profile, const struct sriov_pf *port,
		       const struct sriov_entry *e, struct nic_verdict *v)
{
	uint16_t tci = e->value.vlan_tci, mask = e->mask.vlan_tci;

	if (!e->ext)
		return 0;
	if (mask && mask != 0xffff) {
		nic_refuse(
			v, -EOPNOTSUPP, "VLAN masks are ignored",
			"i40e matches all 16 bits of the VLAN tag; with any other mask it accepts "
			"the rule and does not look at the tag");
		return nic_hint(
			v,
			"`vlan %u` matches this VLAN at priority %u (and DEI 0) only; several "
			"rules cover several priorities",
			tci, tci >> VLAN_PRIO_SHIFT);
	}
	if (mask && !tci)
		return nic_refuse(
			v, -EOPNOTSUPP, "vlan 0 is taken for untagged",
			"i40e takes 'vlan 0' for a packet without tag and matches something else");
	if (e->mask.vlan_etype && !mask) {
		nic_refuse(v, -EOPNOTSUPP, "vlan-etype alone is ignored",
			   "i40e does not look at 'vlan-etype' without 'vlan'");
		return nic_hint(v, "`vlan N`");
	}
	if (e->mask.vlan_etype &&
	    (e->mask.vlan_etype != 0xffff || e->value.vlan_etype != VLAN_8021Q))
		return nic_refuse(v, -EOPNOTSUPP, "the mask of vlan-etype is ignored",
				  "i40e takes 'vlan-etype' for 0x8100 whatever its mask");
	return 0;
}

/*
 * A flexible word is counted from behind the L4 header in tcp, udp and sctp rules and from behind
 * the IP header in ip rules, so the four entries of an ip4 rule would look at different bytes. And
 * every delete, even a failed one, makes the driver forget which offsets the hardware uses
 * (i40e_prune_flex_pit_list() compares bytes with words): with one offset a port that does no harm.
 */
static int hazard_flex(const struct nic_profile *profile, const struct sriov_pf *port,
		       const struct sriov_entry *e, struct nic_verdict *v)
{
	if (!e->ext || !e->mask.user_def)
		return 0;
	if (e->mask.user_def & ~(uint64_t)FLEX_MASK) {
		nic_refuse(v, -EOPNOTSUPP, "user-def bits above 31 are ignored",
			   "i40e looks only at the low 32 bits of 'user-def' and ignores the rest");
		return nic_hint(v, "user-def 0x%" PRIx64 " m 0xffffffff00000000",
				e->value.user_def & FLEX_MASK);
	}
	if (!(FLOW_BIT(e->type) & (FLOW_L4_V4 | FLOW_L4_V6))) {
		nic_refuse(v, -EOPNOTSUPP, "user-def of an ip rule is not exact",
			   "i40e counts the offset in 'user-def' from the IP payload here and from "
			   "the TCP, UDP or SCTP payload there: one ip rule cannot mean both");
		return nic_hint(v, "use a flow type with ports");
	}
	for (size_t i = 0; i < port->nrules; i++) {
		const struct sriov_entry *other = &port->rules[i];

		if (!has_flex(other) ||
		    FLEX_OFFSET(other->value.user_def) == FLEX_OFFSET(e->value.user_def))
			continue;
		nic_refuse(v, -EOPNOTSUPP, "one flexible offset per port",
			   "the port has a rule with another offset in 'user-def', and i40e loses "
			   "track of which offset is which at the next delete");
		v->other = other;
		return nic_hint(v, "use the same offset, or delete that rule first");
	}
	return 0;
}

/*
 * Two ways in which the driver does something else than it is told are closed here. Without
 * FLOW_EXT it leaves the VLAN in the input set as it stood (i40e_check_fdir_input_set() begins with
 * the register), also after the last VLAN rule is gone: so every entry carries the flag. And a VLAN
 * without its type is meant, and read back, as 0x8100.
 *
 * IP_USER is programmed for IPV4_OTHER and FRAG_IPV4 only (i40e_add_del_fdir()): TCP, UDP and SCTP
 * pass by, so "any L4" is four entries.
 */
static size_t expand(const struct sriov_entry *rule, struct sriov_entry *out)
{
	static const enum sriov_flow_type ip4[] = {SRIOV_FLOW_TCP4, SRIOV_FLOW_UDP4,
						   SRIOV_FLOW_SCTP4, SRIOV_FLOW_IP4};
	size_t n = rule->type == SRIOV_FLOW_IP4 && !rule->mask.proto && !rule->mask.l4_bytes
			   ? ARRAY_SIZE(ip4)
			   : 1;

	for (size_t i = 0; i < n; i++) {
		out[i] = *rule;
		if (n > 1)
			out[i].type = ip4[i];
		out[i].ext = true;
		if (has_vlan(rule) && !rule->mask.vlan_etype) {
			out[i].value.vlan_etype = VLAN_8021Q;
			out[i].mask.vlan_etype = 0xffff;
		}
	}
	return n;
}

static void mask_by_value(struct sriov_entry *e, enum flow_field_id id)
{
	const struct flow_field *f = flow_field_of(e->type, id);

	if (f)
		flow_field_fill(f, &e->mask, flow_field_any(f, &e->value) ? 0xff : 0);
}

static void no_mask(struct sriov_entry *e, enum flow_field_id id)
{
	const struct flow_field *f = flow_field_of(e->type, id);

	if (f)
		flow_field_fill(f, &e->mask, 0);
}

/*
 * i40e_get_ethtool_fdir_entry() makes masks from the input set, but tests overlapping bits and
 * writes into the wrong member of a union: a v4 rule with a source address reads as masked
 * everywhere (tos too, which INS always refuses: the sign), and of v6 rules the port masks land in
 * the bytes of the source mask, where a mask of the source itself covers them. What is lost is
 * taken from the values: the driver stores them, and a field that is matched is rarely matched for
 * zero.
 */
static void readback_v4(struct sriov_entry *e)
{
	if (e->mask.tos != 0xff)
		return;
	mask_by_value(e, FIELD_DST_IP);
	mask_by_value(e, FIELD_SRC_PORT);
	mask_by_value(e, FIELD_DST_PORT);
	no_mask(e, FIELD_TOS);
	no_mask(e, FIELD_L4_PROTO);
	no_mask(e, FIELD_L4_DATA);
}

static void readback_v6(struct sriov_entry *e)
{
	const struct flow_field *src = flow_field_of(e->type, FIELD_SRC_IP);
	const struct flow_field *ports[] = {flow_field_of(e->type, FIELD_SRC_PORT),
					    flow_field_of(e->type, FIELD_DST_PORT)};
	bool matched = flow_field_full(src, &e->mask);

	if (!flow_field_any(src, &e->mask))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(ports); i++) {
		/* psrc and pdst of struct ethtool_tcpip4_spec: bytes 8-9 and 10-11 */
		bool set = ports[i] && (matched ? flow_field_any(ports[i], &e->value)
						: e->mask.src_ip[8 + 2 * i]);

		if (set)
			flow_field_fill(ports[i], &e->mask, 0xff);
	}
	if (!matched)
		flow_field_fill(src, &e->mask, 0);
}

static void readback(struct sriov_entry *e)
{
	if (FLOW_BIT(e->type) & (FLOW_L4_V4 | FLOW_BIT(SRIOV_FLOW_IP4)))
		readback_v4(e);
	else if (FLOW_BIT(e->type) & (FLOW_L4_V6 | FLOW_BIT(SRIOV_FLOW_IP6)))
		readback_v6(e);
}

static nic_check *const checks[] = {nic_check_ntuple_on,
				    check_user_def,
				    nic_check_type,
				    nic_check_masks,
				    check_vlan_etype,
				    check_flex_offset,
				    check_input_set,
				    nic_check_location,
				    check_target,
				    check_duplicate,
				    NULL};
static nic_check *const hazards[] = {nic_hazard_vf_target, hazard_location, hazard_ip6,
				     hazard_vlan,          hazard_flex,     NULL};

const struct nic_profile nic_i40e = {
	.driver = "i40e",
	.source = "i40e of Linux 6.1 and 6.12, executed; vendor's user guide on VF targets; not "
		  "silicon",
	.types = FLOW_L4_V4 | FLOW_L4_V6 | FLOW_BIT(SRIOV_FLOW_IP4) | FLOW_BIT(SRIOV_FLOW_IP6),
	.type_err = -EOPNOTSUPP,
	.field =
		{
			[FIELD_SRC_IP] = {NIC_MASK_FULL, -EOPNOTSUPP},
			[FIELD_DST_IP] = {NIC_MASK_FULL, -EOPNOTSUPP},
			[FIELD_SRC_PORT] = {NIC_MASK_FULL, -EOPNOTSUPP},
			[FIELD_DST_PORT] = {NIC_MASK_FULL, -EOPNOTSUPP},
			[FIELD_TOS] = {NIC_MASK_REFUSED, -EOPNOTSUPP},
			[FIELD_L4_PROTO] = {NIC_MASK_REFUSED, -EINVAL},
			[FIELD_L4_DATA] = {NIC_MASK_REFUSED, -EOPNOTSUPP},
			[FIELD_VLAN] = {NIC_MASK_OWN},
			[FIELD_VLAN_ETYPE] = {NIC_MASK_OWN},
			[FIELD_USER_DEF] = {NIC_MASK_OWN},
		},
	.drop = true,
	.checks = checks,
	.hazards = hazards,
	.expand = expand,
	.readback = readback,
};
