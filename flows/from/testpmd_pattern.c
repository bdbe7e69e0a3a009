/* SPDX-License-Identifier: Apache-2.0 */
/* Patterns of testpmd's rules: items with fields, and the flow type that they make. */
#include "flows/from/testpmd.h"
#include "flows/value.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <string.h>

enum item {
	ITEM_ETH,
	ITEM_VLAN,
	ITEM_IPV4,
	ITEM_IPV6,
	ITEM_TCP,
	ITEM_UDP,
	ITEM_SCTP,
	ITEM_VF,
	ITEM_E_TAG,
	ITEM_VXLAN,
	ITEM_INNER_ETH, /* and on: inside the tunnel */
	ITEM_INNER_VLAN,
	ITEMS
};

static const char *const item_words[ITEMS] = {
	[ITEM_ETH] = "eth",     [ITEM_VLAN] = "vlan",     [ITEM_IPV4] = "ipv4",
	[ITEM_IPV6] = "ipv6",   [ITEM_TCP] = "tcp",       [ITEM_UDP] = "udp",
	[ITEM_SCTP] = "sctp",   [ITEM_VF] = "vf",         [ITEM_E_TAG] = "e_tag",
	[ITEM_VXLAN] = "vxlan", [ITEM_INNER_ETH] = "eth", [ITEM_INNER_VLAN] = "vlan",
};
#define ITEM_BIT(item) (1u << (item))
#define ITEMS_IP (ITEM_BIT(ITEM_IPV4) | ITEM_BIT(ITEM_IPV6))
#define ITEMS_L4 (ITEM_BIT(ITEM_TCP) | ITEM_BIT(ITEM_UDP) | ITEM_BIT(ITEM_SCTP))

/* A field of an item: the bits that it has in our field of the same name. */
static const struct item_field {
	unsigned items;
	const char *word;
	enum sriov_flow_type type; /* one that has the field */
	enum flow_field_id id;
	bool unsaid;   /* matched where the item has no mask at all (rte_flow.h's default masks) */
	uint16_t bits; /* of a TCI, 0 = the whole field */
	uint8_t shift;
} item_fields[] = {
	{ITEM_BIT(ITEM_ETH), "src", SRIOV_FLOW_ETHER, FIELD_SRC_MAC, true},
	{ITEM_BIT(ITEM_ETH), "dst", SRIOV_FLOW_ETHER, FIELD_DST_MAC, true},
	{ITEM_BIT(ITEM_ETH), "type", SRIOV_FLOW_ETHER, FIELD_ETHERTYPE},
	{ITEM_BIT(ITEM_VLAN), "tci", SRIOV_FLOW_ETHER, FIELD_VLAN, true},
	{ITEM_BIT(ITEM_VLAN), "vid", SRIOV_FLOW_ETHER, FIELD_VLAN, true, VLAN_VID_MASK, 0},
	{ITEM_BIT(ITEM_VLAN), "dei", SRIOV_FLOW_ETHER, FIELD_VLAN, false, VLAN_DEI_MASK, 12},
	{ITEM_BIT(ITEM_VLAN), "pcp", SRIOV_FLOW_ETHER, FIELD_VLAN, false, VLAN_PRIO_MASK,
	 VLAN_PRIO_SHIFT},
	{ITEM_BIT(ITEM_VLAN), "inner_type", SRIOV_FLOW_ETHER, FIELD_ETHERTYPE},
	{ITEM_BIT(ITEM_IPV4), "src", SRIOV_FLOW_IP4, FIELD_SRC_IP, true},
	{ITEM_BIT(ITEM_IPV4), "dst", SRIOV_FLOW_IP4, FIELD_DST_IP, true},
	{ITEM_BIT(ITEM_IPV4), "tos", SRIOV_FLOW_IP4, FIELD_TOS},
	{ITEM_BIT(ITEM_IPV4), "proto", SRIOV_FLOW_IP4, FIELD_L4_PROTO},
	{ITEM_BIT(ITEM_IPV6), "src", SRIOV_FLOW_IP6, FIELD_SRC_IP, true},
	{ITEM_BIT(ITEM_IPV6), "dst", SRIOV_FLOW_IP6, FIELD_DST_IP, true},
	{ITEM_BIT(ITEM_IPV6), "tc", SRIOV_FLOW_IP6, FIELD_TOS},
	{ITEM_BIT(ITEM_IPV6), "proto", SRIOV_FLOW_IP6, FIELD_L4_PROTO},
	{ITEM_BIT(ITEM_TCP), "flags", SRIOV_FLOW_TCP4, FIELD_TCP_FLAGS},
	{ITEM_BIT(ITEM_E_TAG), "grp_ecid_b", SRIOV_FLOW_ETHER, FIELD_E_TAG, true},
	{ITEM_BIT(ITEM_VXLAN), "vni", SRIOV_FLOW_UDP4, FIELD_VNI, true},
	{ITEM_BIT(ITEM_INNER_ETH), "dst", SRIOV_FLOW_UDP4, FIELD_INNER_DST, true},
	{ITEM_BIT(ITEM_INNER_VLAN), "tci", SRIOV_FLOW_UDP4, FIELD_INNER_VLAN, true},
	{ITEMS_L4, "src", SRIOV_FLOW_UDP4, FIELD_SRC_PORT, true},
	{ITEMS_L4, "dst", SRIOV_FLOW_UDP4, FIELD_DST_PORT, true},
};

/* What was said of a field so far. */
struct said {
	bool spec, last, mask;
	struct word at;
	struct sriov_match value, end, bits;
};

static const struct item_field *item_field_find(enum item item, const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(item_fields); i++)
		if (item_fields[i].items & ITEM_BIT(item) && !strcmp(item_fields[i].word, word))
			return &item_fields[i];
	return NULL;
}

/* One number or address of @field into @match; of a part of the TCI, shifted to its place. */
static int read_part(struct testpmd *r, const struct item_field *field, struct sriov_match *match)
{
	const struct flow_field *f = flow_field_of(field->type, field->id);
	uint64_t number;
	struct word word;
	int n;

	if (field->bits) {
		n = testpmd_need_number(r, field->word, field->bits >> field->shift, &number);
		if (!n)
			match->vlan_tci |= number << field->shift;
		return n;
	}
	n = testpmd_need(r, &word, value_expected(f));
	if (!n && value_read(f, word.text, match))
		return lex_error(&r->lex, -EINVAL, &word, "%s needs %s", field->word,
				 value_expected(f));
	return n;
}

/* "is V", "spec V", "last V", "mask M" or "prefix N": M has 1 = must match. */
static int read_relation(struct testpmd *r, const struct item_field *field, struct said *said)
{
	const struct flow_field *f = flow_field_of(field->type, field->id);
	uint8_t mask[16];
	struct word word;
	int n = testpmd_need(r, &word, "`is`, `spec`, `last`, `mask` or `prefix`");

	if (n)
		return n;
	if (!strcmp(word.text, "is") || !strcmp(word.text, "spec")) {
		if (!strcmp(word.text, "is")) {
			said->mask = true;
			if (field->bits)
				said->bits.vlan_tci |= field->bits;
			else
				flow_field_fill(f, &said->bits, 0xff);
		}
		said->spec = true;
		return read_part(r, field, &said->value);
	}
	if (!strcmp(word.text, "last")) {
		said->last = true;
		return read_part(r, field, &said->end);
	}
	if (!strcmp(word.text, "mask")) {
		said->mask = true;
		return read_part(r, field, &said->bits);
	}
	if (strcmp(word.text, "prefix") || field->bits)
		return lex_error(&r->lex, -EINVAL, &word,
				 "expected `is`, `spec`, `last`, `mask` or `prefix` of %s",
				 field->word);
	n = testpmd_need(r, &word, "a prefix length");
	if (!n && value_prefix(f, word.text, mask))
		return lex_error(&r->lex, -EINVAL, &word,
				 "a prefix length is a number from 0 to %u", f->size * 8);
	if (n)
		return n;
	said->mask = true;
	flow_field_set_bytes(f, &said->bits, mask);
	return 0;
}

/* A range goes into the rule beside its lower end, which is there. */
static int take_range(struct testpmd *r, const struct item_field *field, const struct said *said)
{
	const struct flow_field *f = flow_field_of(field->type, field->id);
	bool port = field->id == FIELD_SRC_PORT || field->id == FIELD_DST_PORT;
	uint64_t first, last;

	if (!port || !flow_field_full(f, &r->rule.mask))
		return testpmd_leave_out(r, &said->at,
					 "only whole ports have ranges here, not this %s",
					 field->word);
	first = flow_field_number(f, &said->value);
	last = flow_field_number(f, &said->end);
	if (last < first)
		return lex_error(&r->lex, -EINVAL, &said->at, "a range begins with its lower end");
	if (!first && last == UINT16_MAX)
		flow_field_fill(f, &r->rule.mask, 0);
	else if (last > first)
		*(field->id == FIELD_SRC_PORT ? &r->rule.src_port_last
					      : &r->rule.dst_port_last) = last;
	return 0;
}

/* Puts what was said of a field into the rule; @masked: some field of the item has a mask. */
static int take_field(struct testpmd *r, const struct item_field *field, const struct said *said,
		      bool masked)
{
	const struct flow_field *f = flow_field_of(field->type, field->id);
	struct sriov_match *value = &r->rule.value, *mask = &r->rule.mask;
	struct sriov_match bits = said->bits;

	if (!masked && field->unsaid) {
		flow_field_fill(f, &bits, 0xff);
		/* the default mask of a tag is its VID */
		bits.vlan_tci &= field->bits ? field->bits : VLAN_VID_MASK;
		bits.inner_vlan &= VLAN_VID_MASK;
	}
	if (field->bits) {
		value->vlan_tci &= ~field->bits;
		value->vlan_tci |= said->value.vlan_tci & field->bits;
		mask->vlan_tci |= bits.vlan_tci;
	} else {
		flow_field_set_bytes(f, value, flow_field_at(f, &said->value));
		flow_field_set_bytes(f, mask, flow_field_at(f, &bits));
	}
	/* of the 16 bits of the field, 14 are the tag; of 32, 24 the VNI */
	if (field->id == FIELD_E_TAG && mask->e_tag == E_TAG_MAX)
		mask->e_tag = UINT16_MAX;
	if (field->id == FIELD_VNI && mask->vni == VNI_MAX)
		mask->vni = UINT32_MAX;
	return said->last ? take_range(r, field, said) : 0;
}

/* The item vf was how rte_flow said "traffic of that VF" before DPDK 22.11. */
static int read_vf_item(struct testpmd *r)
{
	uint64_t number;
	struct word word;
	int n = testpmd_need_word(r, "id");

	if (!n)
		n = testpmd_need(r, &word, "`is`");
	if (!n && strcmp(word.text, "is"))
		return testpmd_leave_out(r, &word, "of a VF only `id is N` has words here");
	if (!n)
		n = testpmd_need_number(r, "id", RULE_VF_MAX, &number);
	if (!n)
		n = testpmd_need_word(r, "/");
	if (n)
		return n;
	r->rule.scope.kind = SRIOV_SCOPE_VF;
	r->rule.scope.vf = number;
	return 0;
}

/*
 * An item without any mask is compared by rte_flow.h's default mask, also in fields that it does not name,
 * which are 0 then. True if there is such a field.
 */
static bool compares_unsaid(enum item item, const struct said *said, const char **word)
{
	/* which has no words inside a tunnel */
	*word = "src";
	if (item == ITEM_INNER_ETH)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(item_fields); i++) {
		bool has = false;

		*word = item_fields[i].word;
		if (!item_fields[i].unsaid || !(item_fields[i].items & ITEM_BIT(item)))
			continue;
		for (size_t k = 0; k < ARRAY_SIZE(item_fields); k++)
			has |= said[k].at.column && item_fields[k].unsaid &&
			       item_fields[k].id == item_fields[i].id;
		if (!has)
			return true;
	}
	return false;
}

/* The fields of one item, up to its "/". What is said of a field need not stand together. */
static int read_fields(struct testpmd *r, enum item item)
{
	struct said said[ARRAY_SIZE(item_fields)] = {0};
	bool masked = false, any = false;
	const char *unsaid;
	struct word word;
	int n;

	while (!(n = testpmd_need(r, &word, "`/`")) && strcmp(word.text, "/")) {
		const struct item_field *field = item_field_find(item, word.text);

		if (!field)
			return testpmd_leave_out(r, &word, "'%.40s' of %s has no words here",
						 word.text, item_words[item]);
		if (!said[field - item_fields].at.column)
			said[field - item_fields].at = word;
		n = read_relation(r, field, &said[field - item_fields]);
		if (n)
			return n;
		masked |= said[field - item_fields].mask;
		any = true;
	}
	if (!n && any && !masked && compares_unsaid(item, said, &unsaid))
		return testpmd_leave_out(
			r, &word,
			"an item with `spec` and no mask is compared in '%s' too, which has "
			"to be 0: say `is` or a mask",
			unsaid);
	for (size_t i = 0; !n && i < ARRAY_SIZE(said); i++)
		if (said[i].at.column)
			n = take_field(r, &item_fields[i], &said[i], masked);
	return n;
}

static int read_item(struct testpmd *r, const struct word *word)
{
	bool inside = r->items & ITEM_BIT(ITEM_VXLAN);
	enum item item = inside ? ITEM_INNER_ETH : 0;
	int n;

	if (!strcmp(word->text, "void"))
		return testpmd_need_word(r, "/");
	while (item < ITEMS && strcmp(item_words[item], word->text))
		item++;
	if (item == ITEMS)
		return testpmd_leave_out(r, word, "the item %.40s has no words here%s", word->text,
					 inside ? " inside a tunnel" : "");
	if (r->items & ITEM_BIT(item))
		return testpmd_leave_out(r, word,
					 "a second %s has no words here, but for that in `vxlan`",
					 word->text);
	if ((ITEM_BIT(item) & ITEMS_IP && r->items & (ITEMS_IP | ITEMS_L4)) ||
	    (ITEM_BIT(item) & ITEMS_L4 && r->items & ITEMS_L4) ||
	    (item == ITEM_VLAN && r->items & (ITEMS_IP | ITEMS_L4)) ||
	    (item == ITEM_ETH && r->items & ~ITEM_BIT(ITEM_VF)) ||
	    (item == ITEM_VXLAN && !(r->items & ITEM_BIT(ITEM_UDP))) ||
	    (item == ITEM_INNER_ETH && r->items & ITEM_BIT(ITEM_INNER_VLAN)) ||
	    (item == ITEM_INNER_VLAN && !(r->items & ITEM_BIT(ITEM_INNER_ETH))) ||
	    r->items & ITEM_BIT(ITEM_E_TAG) ||
	    (item == ITEM_E_TAG && r->items & ~(ITEM_BIT(ITEM_ETH) | ITEM_BIT(ITEM_VF))))
		return testpmd_leave_out(
			r, word, "%s behind what stands before it has no words here", word->text);
	r->items |= ITEM_BIT(item);
	n = item == ITEM_VF ? read_vf_item(r) : read_fields(r, item);
	if (!n && item == ITEM_ETH) {
		r->eth_type = r->rule.value.ethertype;
		r->eth_type_mask = r->rule.mask.ethertype;
		r->rule.value.ethertype = r->rule.mask.ethertype = 0;
	}
	return n;
}

int testpmd_pattern(struct testpmd *r)
{
	struct word word;
	int n;

	do {
		n = testpmd_need(r, &word, "an item or `end`");
		if (!n && !strcmp(word.text, "end"))
			return 0;
		if (!n)
			n = read_item(r, &word);
	} while (!n);
	return n;
}

/* The flow type that the items make. */
static enum sriov_flow_type type_of(unsigned items)
{
	bool v6 = items & ITEM_BIT(ITEM_IPV6);

	if (items & ITEMS_L4 && !(items & ITEMS_IP))
		return SRIOV_FLOW_NONE;
	if (items & ITEM_BIT(ITEM_TCP))
		return v6 ? SRIOV_FLOW_TCP6 : SRIOV_FLOW_TCP4;
	if (items & ITEM_BIT(ITEM_UDP))
		return v6 ? SRIOV_FLOW_UDP6 : SRIOV_FLOW_UDP4;
	if (items & ITEM_BIT(ITEM_SCTP))
		return v6 ? SRIOV_FLOW_SCTP6 : SRIOV_FLOW_SCTP4;
	if (items & ITEMS_IP)
		return v6 ? SRIOV_FLOW_IP6 : SRIOV_FLOW_IP4;
	return SRIOV_FLOW_ETHER;
}

/* True if the rule's mask has the field whole and its value is @number, or not at all: then it adds nothing. */
static bool redundant(uint16_t mask, uint16_t value, uint16_t number)
{
	return !mask || (mask == UINT16_MAX && value == number);
}

/* The two EtherTypes of a pattern: that of the VLAN tag, and that of what follows. */
static int take_types(struct testpmd *r, const struct word *at)
{
	struct sriov_match *value = &r->rule.value, *mask = &r->rule.mask;
	uint16_t ip = r->items & ITEM_BIT(ITEM_IPV6) ? ETH_P_IPV6 : ETH_P_IP;

	if (r->items & ITEM_BIT(ITEM_VLAN)) {
		value->vlan_etype = r->eth_type;
		mask->vlan_etype = r->eth_type_mask;
	} else {
		value->ethertype = r->eth_type;
		mask->ethertype = r->eth_type_mask;
	}
	if (!(r->items & ITEMS_IP))
		return 0;
	if (!redundant(mask->ethertype, value->ethertype, ip))
		return testpmd_leave_out(r, at, "the EtherType is not that of the IP item");
	value->ethertype = mask->ethertype = 0;
	return 0;
}

int testpmd_finish_pattern(struct testpmd *r, const struct word *at)
{
	static const struct sriov_match none;
	uint8_t l4 = r->items & ITEM_BIT(ITEM_TCP)   ? IPPROTO_TCP
		     : r->items & ITEM_BIT(ITEM_UDP) ? IPPROTO_UDP
						     : IPPROTO_SCTP;
	struct sriov_rule *rule = &r->rule;
	int n = take_types(r, at);

	if (n)
		return n;
	rule->type = type_of(r->items);
	if (!rule->type)
		return testpmd_leave_out(r, at,
					 "a port without ipv4 or ipv6 before it is two rules here");
	if (rule->type != SRIOV_FLOW_ETHER && (memcmp(rule->mask.src_mac, none.src_mac, 6) ||
					       memcmp(rule->mask.dst_mac, none.dst_mac, 6)))
		return testpmd_leave_out(r, at, "drivers refuse a MAC beside IP fields");
	if (r->items & ITEMS_L4) {
		if (rule->mask.proto && (rule->mask.proto != UINT8_MAX || rule->value.proto != l4))
			return testpmd_leave_out(
				r, at, "the IP protocol is not that of the item behind it");
		rule->value.proto = rule->mask.proto = 0;
	}
	if (r->items & ITEM_BIT(ITEM_VXLAN) && !match_in_tunnel(&rule->mask))
		return testpmd_leave_out(
			r, at,
			"a tunnel of any kind has no words here: say its vni, or of "
			"the inner eth the dst");
	if (r->items & ITEM_BIT(ITEM_VLAN) && !rule->mask.vlan_tci)
		return testpmd_leave_out(r, at,
					 "a VLAN tag of any kind has no words here: say its tci");
	return 0;
}
