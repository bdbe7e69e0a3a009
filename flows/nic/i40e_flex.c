/* SPDX-License-Identifier: Apache-2.0 */
/*
 * i40e's input sets and flexible payload words, of which there is one a packet type and not one a
 * rule. From i40e_ethtool.c and i40e_main.c of Linux 6.1 and 6.12.
 */
#include "flows/nic/i40e_model.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <string.h>

#define FLEX_OFFSET_MAX 31 /* I40E_MAX_FLEX_SRC_OFFSET, in words */
#define FLEX_MASK 0xffffffffu

/* A mask of the rule and the words of the input set that it stands for; 0 = it must be empty. */
struct mask {
	uint16_t offset, size;
	uint64_t bits;
	int err;
	const char *why;
};

#define MASK(spec, field, bits, err)                                                               \
	{                                                                                          \
		offsetof(union ethtool_flow_union, spec.field),                                    \
			sizeof(((union ethtool_flow_union *)0)->spec.field), bits, err,            \
			"mask_" #field                                                             \
	}

/* In the driver's order. */
static const struct mask l4_v4[] = {
	MASK(tcp_ip4_spec, ip4src, I40E_IP4_SRC, -EOPNOTSUPP),
	MASK(tcp_ip4_spec, ip4dst, I40E_IP4_DST, -EOPNOTSUPP),
	MASK(tcp_ip4_spec, psrc, I40E_L4_SRC, -EOPNOTSUPP),
	MASK(tcp_ip4_spec, pdst, I40E_L4_DST, -EOPNOTSUPP),
	MASK(tcp_ip4_spec, tos, 0, -EOPNOTSUPP),
	{0},
};
static const struct mask l4_v6[] = {
	MASK(tcp_ip6_spec, ip6src, I40E_IP6_SRC, -EOPNOTSUPP),
	MASK(tcp_ip6_spec, ip6dst, I40E_IP6_DST, -EOPNOTSUPP),
	MASK(tcp_ip6_spec, psrc, I40E_L4_SRC, -EOPNOTSUPP),
	MASK(tcp_ip6_spec, pdst, I40E_L4_DST, -EOPNOTSUPP),
	MASK(tcp_ip6_spec, tclass, 0, -EOPNOTSUPP),
	{0},
};
static const struct mask usr_v4[] = {
	MASK(usr_ip4_spec, ip4src, I40E_IP4_SRC, -EOPNOTSUPP),
	MASK(usr_ip4_spec, ip4dst, I40E_IP4_DST, -EOPNOTSUPP),
	MASK(usr_ip4_spec, l4_4_bytes, 0, -EOPNOTSUPP),
	MASK(usr_ip4_spec, tos, 0, -EOPNOTSUPP),
	MASK(usr_ip4_spec, ip_ver, 0, -EINVAL),
	MASK(usr_ip4_spec, proto, 0, -EINVAL),
	{0},
};
static const struct mask usr_v6[] = {
	MASK(usr_ip6_spec, ip6src, I40E_IP6_SRC, -EOPNOTSUPP),
	MASK(usr_ip6_spec, ip6dst, I40E_IP6_DST, -EOPNOTSUPP),
	MASK(usr_ip6_spec, l4_4_bytes, 0, -EOPNOTSUPP),
	MASK(usr_ip6_spec, tclass, 0, -EOPNOTSUPP),
	MASK(usr_ip6_spec, l4_proto, 0, -EINVAL),
	{0},
};

/* clang-format off */
static const struct {
	uint32_t flow;
	const struct mask *masks;
	uint64_t clears; /* words that a rule of this type never compares */
	bool l3;         /* the payload begins behind the L3 header for some packets */
} types[I40E_COUNTED] = {
	[I40E_TCP4]  = {TCP_V4_FLOW,    l4_v4,  0,               false},
	[I40E_UDP4]  = {UDP_V4_FLOW,    l4_v4,  0,               false},
	[I40E_SCTP4] = {SCTP_V4_FLOW,   l4_v4,  I40E_VERIFY_TAG, false},
	[I40E_IP4]   = {IP_USER_FLOW,   usr_v4, 0,               true},
	[I40E_TCP6]  = {TCP_V6_FLOW,    l4_v6,  0,               false},
	[I40E_UDP6]  = {UDP_V6_FLOW,    l4_v6,  0,               false},
	[I40E_SCTP6] = {SCTP_V6_FLOW,   l4_v6,  I40E_VERIFY_TAG, false},
	[I40E_IP6]   = {IPV6_USER_FLOW, usr_v6, 0,               true},
};
/* clang-format on */

enum i40e_type i40e_type_of(uint32_t flow)
{
	for (unsigned type = 0; type < I40E_COUNTED; type++)
		if (types[type].flow == flow)
			return type;
	return I40E_TYPES;
}

/* i40e_fdir_filter_exit(). IPv6 "other" is given IPv4's words, so that its first rule changes them. */
void i40e_input_sets_default(struct i40e *nic)
{
	for (unsigned type = 0; type < I40E_TYPES; type++)
		nic->inset[type] = I40E_IP4_SRC | I40E_IP4_DST;
	nic->inset[I40E_TCP4] = nic->inset[I40E_UDP4] = nic->inset[I40E_SCTP4] =
		I40E_IP4_SRC | I40E_IP4_DST | I40E_L4_SRC | I40E_L4_DST;
	nic->inset[I40E_TCP6] = nic->inset[I40E_UDP6] = nic->inset[I40E_SCTP6] =
		I40E_IP6_SRC | I40E_IP6_DST | I40E_L4_SRC | I40E_L4_DST;
	nic->l3.n = nic->l4.n = 0;
	/* written anew before an input set selects a word again */
	nic->hw_l3.n = nic->hw_l4.n = 0;
}

/* All bits of @size bytes are @byte. */
static bool every(const uint8_t *at, size_t size, uint8_t byte)
{
	while (size && *at == byte) {
		at++;
		size--;
	}
	return !size;
}

static int apply_masks(const struct mask *mask, const union ethtool_flow_union *u, uint64_t *set,
		       struct nic_outcome *out)
{
	for (; mask->why; mask++) {
		const uint8_t *at = (const uint8_t *)u + mask->offset;

		if (mask->bits && every(at, mask->size, 0xff))
			*set |= mask->bits;
		else if (every(at, mask->size, 0))
			*set &= ~mask->bits;
		else
			return nic_refused(out, mask->err, mask->why);
	}
	return 0;
}

/* The upper half of user-def is not looked at. */
int i40e_parse_flex(const struct ethtool_rx_flow_spec *spec, struct i40e_flex *flex,
		    struct nic_outcome *out)
{
	uint32_t mask = ntohl(spec->m_ext.data[1]), value = ntohl(spec->h_ext.data[1]);

	*flex = (struct i40e_flex){0};
	if (!(spec->flow_type & FLOW_EXT) || !mask)
		return 0;
	if (mask != FLEX_MASK)
		return nic_refused(out, -EINVAL, "userdef_partial_mask");
	*flex = (struct i40e_flex){.on = true, .word = value, .offset = value >> 16};
	return 0;
}

static const struct i40e_pit *find_pit(const struct i40e_pits *pits, uint16_t offset)
{
	for (unsigned i = 0; i < pits->n; i++)
		if (pits->pit[i].offset == offset)
			return &pits->pit[i];
	return NULL;
}

/* i40e_add_flex_offset(): in order of offset; nothing to do if it is there. */
static void add_pit(struct i40e_pits *pits, uint16_t offset, uint8_t index)
{
	unsigned i = 0;

	while (i < pits->n && pits->pit[i].offset < offset)
		i++;
	if (i < pits->n && pits->pit[i].offset == offset)
		return;
	memmove(&pits->pit[i + 1], &pits->pit[i], (pits->n - i) * sizeof(pits->pit[0]));
	pits->pit[i] = (struct i40e_pit){offset, index};
	pits->n++;
}

/* i40e_unused_pit_index(): unused in both lists. */
static uint8_t unused_index(const struct i40e *nic)
{
	unsigned used = 0;
	uint8_t index = 0;

	for (unsigned i = 0; i < nic->l3.n; i++)
		used |= 1u << nic->l3.pit[i].index;
	for (unsigned i = 0; i < nic->l4.n; i++)
		used |= 1u << nic->l4.pit[i].index;
	while (used & 1u << index)
		index++;
	return index;
}

/* Finds or chooses the word's index; @fresh: the lists must take it up. */
static int choose_pit(const struct i40e *nic, const struct i40e_flex *flex, bool l3, uint8_t *index,
		      bool *fresh, struct nic_outcome *out)
{
	const struct i40e_pit *pit, *pit3;
	uint16_t offset = flex->offset / 2;

	if (flex->offset & 1)
		return nic_refused(out, -EINVAL, "flex_offset_odd");
	if (offset > FLEX_OFFSET_MAX)
		return nic_refused(out, -EINVAL, "flex_offset_range");
	pit = find_pit(&nic->l4, offset);
	pit3 = find_pit(&nic->l3, offset);
	if ((!pit && nic->l4.n == I40E_FLEX_SLOTS) || (l3 && !pit3 && nic->l3.n == I40E_FLEX_SLOTS))
		return nic_refused(out, -ENOSPC, "flex_slots_full");
	if (l3 && pit && pit3 && pit->index != pit3->index)
		return nic_refused(out, -EINVAL, "flex_index_mismatch");
	/* known behind L3 only: its index is taken, and the L4 list is left without it */
	*fresh = l3 ? !pit3 : !pit;
	pit = pit ?: l3 ? pit3 : NULL;
	*index = pit ? pit->index : unused_index(nic);
	return 0;
}

int i40e_input_set(struct i40e *nic, const struct ethtool_rx_flow_spec *spec,
		   const struct i40e_flex *flex, struct nic_outcome *out)
{
	enum i40e_type type = i40e_type_of(spec->flow_type & ~FLOW_EXT);
	bool fresh = false, l3;
	uint8_t index = 0;
	uint64_t set;
	int r;

	if (type == I40E_TYPES)
		return nic_refused(out, -EOPNOTSUPP, "flow_type");
	l3 = types[type].l3;
	set = nic->inset[type] & ~types[type].clears;
	r = apply_masks(types[type].masks, &spec->m_u, &set, out);
	if (r)
		return r;
	if (spec->flow_type & FLOW_EXT) {
		/* the value, whatever its mask */
		if (spec->h_ext.vlan_etype && spec->h_ext.vlan_etype != htons(ETH_P_8021Q))
			return nic_refused(out, -EOPNOTSUPP, "vlan_etype_value");
		/* a partial mask matches no tag at all, without a word */
		set = spec->m_ext.vlan_tci == 0xffff ? set | I40E_VLAN : set & ~I40E_VLAN;
	}
	set &= ~I40E_FLEX_ALL;
	if (flex->on) {
		r = choose_pit(nic, flex, l3, &index, &fresh, out);
		if (r)
			return r;
		set |= I40E_FLEX(index);
	}
	if (set == nic->inset[type] && !fresh)
		return 0;
	if (nic->base.device.mfp)
		return nic_refused(out, -EOPNOTSUPP, "mfp_input_set");
	if (nic->count[type])
		return nic_refused(out, -EOPNOTSUPP, "input_set_conflict");
	nic->inset[type] = set;
	/* IPv6's fragments are not followed */
	if (type == I40E_IP4)
		nic->inset[I40E_FRAG4] = set;
	if (fresh) {
		add_pit(&nic->l4, flex->offset / 2, index);
		if (l3)
			add_pit(&nic->l3, flex->offset / 2, index);
		nic->hw_l3 = nic->l3;
		nic->hw_l4 = nic->l4;
	}
	return 0;
}

/* A rule of the kind still has that offset. It compares bytes with words, as the driver does. */
static bool pit_used(const struct i40e *nic, const struct i40e_pit *pit, bool ip4)
{
	for (size_t i = 0; i < nic->base.n; i++) {
		const struct i40e_rule *rule = nic_rules_at(&nic->base, i);

		if ((rule->flow == IP_USER_FLOW) == ip4 && rule->flex.on &&
		    rule->flex.offset == pit->offset)
			return true;
	}
	return false;
}

static void prune(const struct i40e *nic, struct i40e_pits *pits, bool ip4)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < pits->n; i++)
		if (pit_used(nic, &pits->pit[i], ip4))
			pits->pit[kept++] = pits->pit[i];
	pits->n = kept;
}

void i40e_prune_flex(struct i40e *nic)
{
	prune(nic, &nic->l3, true);
	prune(nic, &nic->l4, false);
}
