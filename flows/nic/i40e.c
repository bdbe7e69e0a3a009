/* SPDX-License-Identifier: Apache-2.0 */
/*
 * i40e: X710, XL710, XXV710, X722. Facts from i40e_ethtool.c and i40e_txrx.c of Linux 6.1 and 6.12,
 * which answer alike; none from silicon.
 */
#include "flows/cube.h"
#include "flows/nic/profile.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define VLAN_8021Q 0x8100
#define FLEX_MASK                                                                                  \
	0xffffffffu /* user-def: offset in bits 31-16, word in 15-0; higher bits are ignored */
#define FLEX_OFFSET(user_def) ((user_def) >> 16 & 0xffff)
#define FLEX_OFFSET_MAX 62
#define ALL_BITS                                                                                   \
	{                                                                                          \
		[0 ... 15] = 0xff                                                                  \
	}
#define VF_QUEUES 4 /* I40E_DEFAULT_QUEUES_PER_VF; a VF may have asked for more */

static bool has_flex(const struct sriov_entry *e)
{
	return e->ext && (e->mask.user_def & FLEX_MASK) == FLEX_MASK;
}

static bool has_vlan(const struct sriov_entry *e)
{
	return e->ext && e->mask.vlan_tci == 0xffff;
}

/* i40e_parse_rx_flow_user_data() */
static bool check_user_def(const struct nic_case *c, struct nic_verdict *v)
{
	uint32_t mask = c->entry->ext ? c->entry->mask.user_def & FLEX_MASK : 0;

	if (!mask || mask == FLEX_MASK)
		return true;
	nic_refuse(v, -EINVAL, "user-def can only be matched whole",
		   "i40e matches the low 32 bits of 'user-def' whole or not at all");
	return nic_hint(
		v,
		"user-def 0xOOOOWWWW m 0xffffffff00000000: offset O in the payload, word W there");
}

static bool check_vlan_etype(const struct nic_case *c, struct nic_verdict *v)
{
	const struct sriov_entry *e = c->entry;

	if (!e->ext || !e->value.vlan_etype || e->value.vlan_etype == VLAN_8021Q)
		return true;
	return nic_refuse(v, -EOPNOTSUPP, "vlan-etype other than 0x8100",
			  "i40e knows no 'vlan-etype' but 0x8100");
}

static bool check_flex_offset(const struct nic_case *c, struct nic_verdict *v)
{
	unsigned offset = FLEX_OFFSET(c->entry->value.user_def);

	if (!has_flex(c->entry) || (offset % 2 == 0 && offset <= FLEX_OFFSET_MAX))
		return true;
	return nic_refuse(v, -EINVAL, "flexible offset out of range",
			  "the offset in 'user-def' is %u; i40e takes even ones from 0 to %d",
			  offset, FLEX_OFFSET_MAX);
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

static bool same_input_set(const struct sriov_entry *a, const struct sriov_entry *b)
{
	struct input_set x, y;

	/* mostly equal masks, and those are seen at once */
	if (a->type == b->type && a->ext == b->ext && !a->mask.user_def &&
	    !memcmp(&a->mask, &b->mask, sizeof(a->mask)))
		return true;
	x = input_set(a);
	y = input_set(b);
	return x.fields == y.fields && x.flex == y.flex;
}

/* All entries of a type have one: the first stands for them. */
static bool check_input_set(const struct nic_case *c, struct nic_verdict *v)
{
	const struct sriov_entry *e = c->entry, *other;
	size_t first = c->table->first_of[e->type];
	char theirs[160], ours[160];
	struct text text = {.at = theirs, .size = sizeof(theirs)};

	if (first == TABLE_NONE || same_input_set(e, &c->table->at[first]))
		return true;
	other = &c->table->at[first];
	mask_print(&text, other->type, &other->mask, other->ext);
	text = (struct text){.at = ours, .size = sizeof(ours)};
	mask_print(&text, e->type, &e->mask, e->ext);
	nic_refuse(v, -EOPNOTSUPP, "one input set per flow type",
		   "all %s rules of an i40e port match the same fields: its rules match %s, this "
		   "one %s",
		   sriov_flow_type_word(e->type), theirs, ours);
	v->other = first;
	return nic_hint(v, "match the same fields, or delete %s %s rules first",
			c->table->owner[first] < 0 ? "the port's" : "the other",
			sriov_flow_type_word(e->type));
}

static bool check_target(const struct nic_case *c, struct nic_verdict *v)
{
	const struct sriov_pf *port = c->port;
	unsigned vf = COOKIE_VF(c->entry->cookie), queue = COOKIE_QUEUE(c->entry->cookie);

	if (c->entry->cookie == SRIOV_COOKIE_DROP || !vf)
		return nic_check_queue(c, v);
	if (vf > port->vfs)
		return nic_refuse(v, -EINVAL, "no such VF", "VF %u does not exist: %s has %u VFs",
				  vf - 1, nic_port_name(port), port->vfs);
	if (queue >= VF_QUEUES)
		return nic_refuse(v, -EINVAL, "the VF has no such queue",
				  "VF %u is only known to have %d queues", vf - 1, VF_QUEUES);
	return true;
}

/*
 * i40e_match_fdir_filter(): values only, without masks, flexible word and target. Of IPv6 it
 * compares the first eight bytes of the source address and nothing of the destination.
 */
static bool is_v6(const struct sriov_entry *e)
{
	return FLOW_BIT(e->type) & (FLOW_L4_V6 | FLOW_IP_V6);
}

static bool duplicate(const struct sriov_entry *a, const struct sriov_entry *b)
{
	return a->type == b->type && !memcmp(a->value.src_ip, b->value.src_ip, is_v6(a) ? 8 : 4) &&
	       (is_v6(a) || !memcmp(a->value.dst_ip, b->value.dst_ip, 4)) &&
	       a->value.src_port == b->value.src_port && a->value.dst_port == b->value.dst_port &&
	       (has_vlan(a) ? a->value.vlan_tci : 0) == (has_vlan(b) ? b->value.vlan_tci : 0);
}

static uint64_t duplicate_hash(const struct sriov_entry *e)
{
	struct bits compared = {{(uint64_t)e->value.src_port << 32 |
				 (uint32_t)e->value.dst_port << 16 |
				 (has_vlan(e) ? e->value.vlan_tci : 0)}};

	memcpy(&compared.w[1], e->value.src_ip, is_v6(e) ? 8 : 4);
	memcpy(&compared.w[2], e->value.dst_ip, is_v6(e) ? 0 : 4);
	return bits_hash(&compared, CORE_HASH_SEED + e->type);
}

static const char false_duplicate[] =
	"i40e takes this rule for a duplicate: it compares ports, VLAN and, of IPv6, only the "
	"upper 64 bits of the source address, but neither destination address nor 'user-def'";

static bool check_duplicate(const struct nic_case *c, struct nic_verdict *v)
{
	size_t other = nic_table_duplicate(c->table, c->entry);

	if (other == TABLE_NONE)
		return true;
	nic_refuse(v, -EINVAL, "the driver takes it for a duplicate", "%s",
		   entry_same_match(c->entry, &c->table->at[other])
			   ? "a rule for the same packets is there"
			   : false_duplicate);
	v->other = other;
	return nic_hint(v, "delete that rule first, or let the two differ in what is compared");
}

static bool hazard_location(const struct nic_case *c, struct nic_verdict *v)
{
	if (c->entry->loc)
		return true;
	nic_refuse(
		v, 0, "location 0 loses errors",
		"location 0 is avoided on i40e: its number is also that of the driver's own (ATR) "
		"filters, and that the NIC could not add it would go unnoticed");
	return nic_hint(v, "loc 1 or above, or no 'loc'");
}

static bool hazard_vlan(const struct nic_case *c, struct nic_verdict *v)
{
	const struct sriov_entry *e = c->entry;
	uint16_t mask = e->mask.vlan_tci;

	if (mask && mask != 0xffff) {
		nic_refuse(
			v, 0, "VLAN masks are ignored",
			"i40e matches all 16 bits of the VLAN tag; with any other mask it accepts "
			"the rule and does not look at the tag");
		return nic_hint(v, "`vlan N`, with a rule for each value of the tag");
	}
	if (mask && !e->value.vlan_tci)
		return nic_refuse(
			v, 0, "vlan 0 is taken for untagged",
			"i40e takes 'vlan 0' for a packet without tag and matches something else");
	if (e->mask.vlan_etype &&
	    (e->mask.vlan_etype != 0xffff || e->value.vlan_etype != VLAN_8021Q))
		return nic_refuse(v, 0, "the mask of vlan-etype is ignored",
				  "i40e takes 'vlan-etype' for 0x8100 whatever its mask");
	return true;
}

/*
 * A flexible word is counted from behind the L4 header in tcp, udp and sctp rules and from behind
 * the IP header in ip rules, so the four entries of an ip4 rule would look at different bytes. And
 * every delete, even a failed one, makes the driver forget which offsets the hardware uses
 * (i40e_prune_flex_pit_list() compares bytes with words): with one offset a port that does no harm, but
 * one more rule of a flow type is refused while others of it are there.
 */
static bool hazard_flex(const struct nic_case *c, struct nic_verdict *v)
{
	const struct sriov_entry *e = c->entry, *other;
	size_t first = c->table->first_user_def, of_type = c->table->first_of[e->type];

	if (!e->mask.user_def)
		return true;
	if (!(FLOW_BIT(e->type) & (FLOW_L4_V4 | FLOW_L4_V6))) {
		nic_refuse(v, 0, "user-def of an ip rule is not exact",
			   "i40e counts the offset in 'user-def' from the IP payload here and from "
			   "the TCP, UDP or SCTP payload there: one ip rule cannot mean both");
		return nic_hint(v, "use a flow type with ports");
	}
	if (first == TABLE_NONE)
		return true;
	other = &c->table->at[first];
	if (FLEX_OFFSET(other->value.user_def) != FLEX_OFFSET(e->value.user_def)) {
		nic_refuse(v, 0, "one flexible offset per port",
			   "there is a rule with another offset in 'user-def', and i40e loses "
			   "track of which offset is which at the next delete");
		v->other = first;
		return nic_hint(v, "use the same offset, or delete that rule first");
	}
	if (of_type == TABLE_NONE || c->table->owner[of_type] >= 0)
		return true;
	nic_refuse(v, 0, "somebody else's rule with user-def is there",
		   "once any rule was deleted, i40e takes no further %s rule with 'user-def' while "
		   "another is there, and the one of somebody else stays",
		   sriov_flow_type_word(e->type));
	v->other = of_type;
	return nic_hint(v, "take that rule over: --adopt");
}

/*
 * i40e has no mask for a VLAN: the nearest to a VLAN ID at any priority is that ID at priority 0, as
 * most traffic has it.
 */
static void lower_vlan(struct sriov_entry *e, struct nic_verdict *v)
{
	uint16_t mask = e->mask.vlan_tci, tci = e->value.vlan_tci;

	if (mask && mask != 0xffff && (mask & VLAN_VID_MASK) == VLAN_VID_MASK && tci) {
		nic_deviate(v, SRIOV_NARROWER, "VLAN masks are ignored",
			    "i40e matches all 16 bits of the VLAN tag, so the rule would catch "
			    "VLAN %u at priority %u with DEI %u only",
			    tci & VLAN_VID_MASK, tci >> VLAN_PRIO_SHIFT, !!(tci & VLAN_DEI_MASK));
		nic_hint(v,
			 "`vlan %u` matches this VLAN at priority %u (and DEI %u) only; several "
			 "rules cover several priorities",
			 tci, tci >> VLAN_PRIO_SHIFT, !!(tci & VLAN_DEI_MASK));
		e->mask.vlan_tci = 0xffff;
	}
	if (has_vlan(e) && !e->mask.vlan_etype) {
		e->value.vlan_etype = VLAN_8021Q;
		e->mask.vlan_etype = 0xffff;
	}
	if (!mask && e->mask.vlan_etype && e->value.vlan_etype == VLAN_8021Q) {
		nic_deviate(v, SRIOV_BROADER, "vlan-etype alone is ignored",
			    "i40e does not look at 'vlan-etype' without 'vlan': the rule would "
			    "catch more packets than it says");
		nic_hint(v, "`vlan N`");
		e->value.vlan_etype = e->mask.vlan_etype = 0;
	}
}

static void lower_user_def(struct sriov_entry *e, struct nic_verdict *v)
{
	if (!(e->mask.user_def & ~(uint64_t)FLEX_MASK))
		return;
	nic_deviate(v, SRIOV_BROADER, "user-def bits above 31 are ignored",
		    "i40e looks only at the low 32 bits of 'user-def' and ignores the rest");
	nic_hint(v, "user-def 0x%" PRIx64 " m 0xffffffff00000000", e->value.user_def & FLEX_MASK);
	e->mask.user_def &= FLEX_MASK;
	e->value.user_def &= FLEX_MASK;
}

/*
 * Two ways in which the driver does something else than it is told are closed here. Without
 * FLOW_EXT it leaves the VLAN in the input set as it stood (i40e_check_fdir_input_set() begins with
 * the register), also after the last VLAN rule is gone: so every entry carries the flag. And a VLAN
 * without its type is meant, and read back, as 0x8100.
 *
 * IP_USER is programmed for IPV4_OTHER and FRAG_IPV4 only (i40e_add_del_fdir()): TCP, UDP and SCTP
 * pass by, so "any L4" is four entries. Of IPv6 fragments the driver never sets what is compared.
 */
static size_t lower(const struct nic_case *c, struct sriov_entry *out, struct nic_verdict *v)
{
	static const enum sriov_flow_type ip4[] = {SRIOV_FLOW_TCP4, SRIOV_FLOW_UDP4,
						   SRIOV_FLOW_SCTP4, SRIOV_FLOW_IP4_OTHER};
	static const enum sriov_flow_type ip6[] = {SRIOV_FLOW_TCP6, SRIOV_FLOW_UDP6,
						   SRIOV_FLOW_SCTP6, SRIOV_FLOW_IP6_OTHER};
	struct sriov_entry rule = *c->entry;
	const enum sriov_flow_type *types = rule.type == SRIOV_FLOW_IP4   ? ip4
					    : rule.type == SRIOV_FLOW_IP6 ? ip6
									  : &rule.type;
	size_t n = types == &rule.type ? 1 : NIC_EXPANSION_MAX;

	lower_vlan(&rule, v);
	lower_user_def(&rule, v);
	if (types == ip6) {
		nic_deviate(v, SRIOV_NARROWER, "fragments are not matched as the rule says",
			    "i40e cannot match every IPv6 packet: the driver never sets what is "
			    "compared of fragments");
		nic_hint(v, "rules with flow type tcp6, udp6 and sctp6 are exact");
	}
	for (size_t i = 0; i < n; i++) {
		out[i] = rule;
		out[i].type = types[i];
		out[i].ext = true;
	}
	return n;
}

/*
 * What only the driver knows: offsets that no rule uses any more, counters that are wrong, and whether a rule
 * that came without FLOW_EXT found the VLAN in the input set and so matches it.
 */
static bool hidden(const struct nic_case *c, struct nic_verdict *v)
{
	const struct sriov_entry *e = c->entry;
	size_t other = c->table->first_of[e->type];
	const char *name = nic_port_name(c->port);

	if (e->mask.user_def)
		nic_refuse(v, 0, "offsets may be taken",
			   "i40e keeps offsets of 'user-def' that no rule uses any more, and what "
			   "happened on %s since its driver was loaded is not known",
			   name);
	else if (e->type == SRIOV_FLOW_SCTP6)
		nic_refuse(v, 0, "counters may be wrong",
			   "i40e miscounts sctp6 rules that the NIC had no room for and then takes "
			   "no other fields for them, and what happened on %s since its driver was "
			   "loaded is not known",
			   name);
	else if (other == TABLE_NONE || c->table->owner[other] >= 0)
		return false;
	else
		nic_refuse(
			v, 0, "others' rules may match more than they show",
			"%s rules of somebody else are there, and i40e does not tell whether they "
			"match the VLAN too, which this rule then had to: what happened on %s since "
			"its driver was loaded is not known",
			sriov_flow_type_word(e->type), name);
	nic_hint(v,
		 "ethtool -K %s ntuple off, and on again, which deletes all rules there; from then "
		 "on it is known",
		 name);
	return true;
}

/*
 * All installed rules of a flow type go before one with other fields comes, and before one with user-def
 * does: whether anything was deleted since they came cannot be seen.
 */
static void rewrite(const struct sriov_entry *installed, size_t n, bool *gone,
		    const struct sriov_entry *inserts, size_t ninserts)
{
	const struct sriov_entry *first[SRIOV_FLOW_TYPES] = {NULL};

	for (size_t i = 0; i < ninserts; i++)
		if (!first[inserts[i].type])
			first[inserts[i].type] = &inserts[i];
	for (size_t i = 0; i < n; i++) {
		const struct sriov_entry *insert = first[installed[i].type];

		if (insert && (has_flex(insert) || !same_input_set(insert, &installed[i])))
			gone[i] = true;
	}
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
	if (FLOW_BIT(e->type) & (FLOW_L4_V4 | FLOW_IP_V4))
		readback_v4(e);
	else if (is_v6(e))
		readback_v6(e);
	/* what the kernel calls an IP rule: see lower() */
	if (e->type == SRIOV_FLOW_IP4)
		e->type = SRIOV_FLOW_IP4_OTHER;
	else if (e->type == SRIOV_FLOW_IP6)
		e->type = SRIOV_FLOW_IP6_OTHER;
}

/* i40e_check_fdir_input_set(): each field whole or not at all. */
static bool widen(enum sriov_flow_type type, struct sriov_match *mask)
{
	if (mask->tos || mask->proto || mask->l4_bytes || mask->user_def > FLEX_MASK)
		return false;
	for (const struct flow_field *f = NULL; (f = flow_field_next(f, type));) {
		if (f->id == FIELD_USER_DEF)
			mask->user_def = mask->user_def ? FLEX_MASK : 0;
		else if (flow_field_any(f, mask))
			flow_field_fill(f, mask, 0xff);
	}
	return true;
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
static nic_check *const hazards[] = {hazard_location, hazard_vlan, hazard_flex, NULL};

const struct nic_profile nic_i40e = {
	.driver = "i40e",
	.first_loc = 1, /* see hazard_location() */
	.source = "i40e of Linux 6.1 to 6.12 (its code, executed), the vendor's user guide on VF "
		  "targets, emulated NICs; not silicon",
	.types = FLOW_L4_V4 | FLOW_L4_V6 | FLOW_IP_V4 | FLOW_IP_V6,
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
	.masks = NIC_MASKS_TYPE,
	.widen = widen,
	.splittable = {.src_ip = ALL_BITS,
		       .dst_ip = ALL_BITS,
		       .src_port = 0xffff,
		       .dst_port = 0xffff,
		       .vlan_tci = 0xffff,
		       .vlan_etype = 0xffff},
	.ext_always = true,
	.scope = NIC_SCOPE_VSI,
	.condition =
		"best-effort table: a NIC without room says so only later, so the table is read "
		"after the insert",
	.checks = checks,
	.hazards = hazards,
	.lower = lower,
	.hidden = hidden,
	.duplicate = duplicate,
	.duplicate_hash = duplicate_hash,
	.rewrite = rewrite,
	.readback = readback,
	.walk = &nic_walk_i40e,
};
