/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a rule to what its NIC would make of it alone: ranges become blocks that masks cover, scope and target
 * become what the driver has for them, and the driver's profile does the rest.
 */
#include "flows/compile.h"
#include "flows/rule.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <stdio.h>
#include <string.h>

#define POOL_MASK 0x7f /* the bits of a pool number: see ixgbe.c */

/* A guest's name as the VF that it holds; 1: it is behind the port. */
static int resolve(const struct compiler *c, const char *guest, unsigned *vf, struct nic_verdict *v)
{
	struct sriov_error err = {0};
	int r;

	if (!c->opts->guest) {
		nic_refuse(v, 0, "the guest's VF is not known",
			   "which VF guest %s has is not known", guest);
		nic_hint(v, "check the rules against the port of a host that has a lease for it");
		v->result = SRIOV_UNSURE;
		return 0;
	}
	r = c->opts->guest(c->opts->data, guest, vf, &err);
	if (r == -ENOMEM)
		return sriov_error_set(c->err, r, err.object, "%s", err.message);
	if (r < 0) {
		nic_refuse(v, 0, "the guest has no VF here", "%s: %s", err.object, err.message);
		nic_hint(v, "%s", err.hint);
	}
	return r > 0;
}

static int resolve_guests(const struct compiler *c, struct lowering *low)
{
	struct sriov_rule *rule = &low->rule;
	int r = 0;

	if (rule->action.kind == SRIOV_ACTION_GUEST) {
		r = resolve(c, rule->action.guest, &rule->action.vf, &low->v);
		if (!r && low->v.result == SRIOV_EXACT)
			rule->action.kind = SRIOV_ACTION_VF;
	}
	if (!r && low->v.result == SRIOV_EXACT && rule->scope.kind == SRIOV_SCOPE_GUEST) {
		r = resolve(c, rule->scope.guest, &rule->scope.vf, &low->v);
		if (!r && low->v.result == SRIOV_EXACT)
			rule->scope.kind = SRIOV_SCOPE_VF;
	}
	return r;
}

static bool has_masks(const struct nic_profile *profile, enum flow_field_id id)
{
	return profile->field[id].mask == NIC_MASK_ANY;
}

/* The largest block of a power of two of ports that begins at @first and ends by @last. */
static unsigned block_at(unsigned first, unsigned last)
{
	unsigned size = first ? first & -first : 1u << 16;

	while (size > last - first + 1)
		size /= 2;
	return size;
}

unsigned compile_best_block(unsigned first, unsigned last, unsigned *size)
{
	unsigned best = first;

	*size = 0;
	for (unsigned at = first; at <= last; at += block_at(at, last))
		if (block_at(at, last) > *size)
			*size = block_at(best = at, last);
	return best;
}

/* `queues A-B` needs masks on the source port. */
static bool lower_queues(const struct compiler *c, struct lowering *low)
{
	const struct sriov_rule *rule = &low->rule;
	unsigned first = rule->action.queue, n = rule->action.queue_last - first + 1;

	if (!has_masks(c->profile, FIELD_SRC_PORT)) {
		nic_refuse(&low->v, 0, "spreading needs masks",
			   "queues %u-%u needs %u entries, told apart by bits of the source port, "
			   "and %s has no masks for that",
			   first, first + n - 1, n, c->profile->driver);
		return nic_hint(
			&low->v, "one queue: queue %u; or %s, which is for all traffic of the port",
			first,
			c->profile->filters ? "RSS as the process that owns the port sets it up"
					    : "`sriovctl rss set`");
	}
	if (!flow_field_of(rule->type, FIELD_SRC_PORT)) {
		nic_refuse(
			&low->v, 0, "no source port to spread by",
			"queues %u-%u are told apart by bits of the source port, and %s has none",
			first, first + n - 1, sriov_flow_type_word(rule->type));
		return nic_hint(&low->v, "flow-type tcp4 or udp4; or one queue: queue %u", first);
	}
	low->spread = __builtin_ctz(n);
	return true;
}

static bool refuse_scope(const struct compiler *c, const struct sriov_rule *rule,
			 struct nic_verdict *v)
{
	const char *driver = c->profile->driver;

	if (c->profile->scope == NIC_SCOPE_VSI) {
		nic_refuse(
			v, 0, "a drop cannot be for one VF or the PF",
			"a drop of %s is for all traffic of the port: it has no VSI that it could "
			"be limited to",
			driver);
		return nic_hint(v, "the same without 'in' drops for the PF and every VF");
	}
	nic_refuse(v, 0, "rules cannot tell traffic of VFs apart",
		   "%s cannot limit a rule to traffic of %s", driver,
		   rule->scope.kind == SRIOV_SCOPE_PF ? "the PF" : "one VF");
	return nic_hint(v, "leave 'in' out, if traffic of the whole port is meant");
}

/* The pool number as a match, with the mask that the port's rules have already. */
static bool scope_by_pool(const struct compiler *c, const struct sriov_rule *rule,
			  struct sriov_entry *e, struct nic_verdict *v)
{
	uint64_t mask = c->table.n ? c->table.at[0].mask.user_def & 0xff : 0;

	if (e->mask.user_def) {
		nic_refuse(v, 0, "'in' and user-def say the same thing",
			   "on %s 'in' is a match on user-def, and the rule has one already",
			   c->profile->driver);
		return nic_hint(v, "leave one of them out");
	}
	e->mask.user_def = (mask & POOL_MASK) == POOL_MASK ? mask : POOL_MASK;
	e->value.user_def = rule->scope.kind == SRIOV_SCOPE_PF ? c->port.vfs : rule->scope.vf;
	return true;
}

/* `in vf 3 queue 1` is queue 1 of VF 3; the first of `queues A-B` stands for all. */
static void aim(struct sriov_rule *rule)
{
	if (rule->scope.kind == SRIOV_SCOPE_VF &&
	    (rule->action.kind == SRIOV_ACTION_QUEUE || rule->action.kind == SRIOV_ACTION_QUEUES)) {
		rule->action.kind = SRIOV_ACTION_VF;
		rule->action.vf = rule->scope.vf;
	}
}

static void deviate_vf(const struct sriov_rule *rule, const char *driver, struct nic_verdict *v)
{
	nic_deviate(
		v, SRIOV_NONE, "a rule cannot send packets to a VF here",
		"a rule of %s does not send packets to a VF: the switch in the NIC has chosen the "
		"VF by MAC and VLAN before, and a rule with a VF as target only picks the queue "
		"inside a VF that was chosen anyway (vendor's user guide: routing to VF not "
		"supported)",
		driver);
	nic_hint(
		v,
		"give the VF the MAC and VLAN of the traffic; `in vf %u queue %u` then chooses its "
		"queue",
		rule->action.vf, rule->action.queue);
}

static bool lower_scope(const struct compiler *c, struct sriov_rule *rule, struct sriov_entry *e,
			struct nic_verdict *v)
{
	const struct sriov_pf *port = &c->port;
	bool to_vf, scoped = rule->scope.kind == SRIOV_SCOPE_VF ||
			     (rule->scope.kind == SRIOV_SCOPE_PF && port->vfs);

	if (rule->scope.kind == SRIOV_SCOPE_VF && rule->scope.vf >= port->vfs)
		return nic_refuse(v, 0, "no such VF", "VF %u does not exist: %s has %u VFs",
				  rule->scope.vf, nic_port_name(port), port->vfs);
	aim(rule);
	to_vf = rule->action.kind == SRIOV_ACTION_VF;
	if (scoped &&
	    (c->profile->scope == NIC_SCOPE_NONE ||
	     (c->profile->scope == NIC_SCOPE_VSI && rule->action.kind == SRIOV_ACTION_DROP)))
		return refuse_scope(c, rule, v);
	if (scoped && c->profile->scope == NIC_SCOPE_POOL && !scope_by_pool(c, rule, e, v))
		return false;
	if (c->profile->scope == NIC_SCOPE_VSI && to_vf &&
	    !(rule->scope.kind == SRIOV_SCOPE_VF && rule->scope.vf == rule->action.vf))
		deviate_vf(rule, c->profile->driver, v);
	return true;
}

/* ---- as sets of packets ---- */

enum sriov_flow_type compile_type(const struct cube *cube)
{
	static const enum sriov_flow_type whole[] = {SRIOV_FLOW_IP4, SRIOV_FLOW_IP6,
						     SRIOV_FLOW_ETHER};

	for (size_t i = 0; i < ARRAY_SIZE(whole); i++)
		if (cube->types == flow_type_classes(whole[i]))
			return whole[i];
	return __builtin_ctz(cube->types);
}

bool compile_widen(const struct compiler *c, enum sriov_flow_type type, struct bits *mask)
{
	struct widened *last = &c->widened[type];
	struct sriov_match match;

	if (!c->profile->widen)
		return true;
	/* neighbours in a list mostly have one mask */
	if (!last->known || memcmp(&last->from, mask, sizeof(*mask)) != 0) {
		bits_unpack(mask, &match);
		last->from = *mask;
		last->possible = c->profile->widen(type, &match);
		bits_pack(&match, &last->to);
		last->known = true;
	}
	if (last->possible)
		*mask = last->to;
	return last->possible;
}

/* The next block of a range of ports, as value and mask; false behind the last. Without range one of all. */
static bool next_block(unsigned *at, uint16_t last, uint16_t *value, uint16_t *mask)
{
	unsigned size;

	if (!last)
		return !(*at)++;
	if (*at > last)
		return false;
	size = block_at(*at, last);
	*value = *at;
	*mask = ~(size - 1);
	*at += size;
	return true;
}

/* Frames of a type that is neither IP nor a tag are of no other class. */
static unsigned classes_of(enum sriov_flow_type type, const struct sriov_match *value,
			   const struct sriov_match *mask)
{
	static const uint16_t others[] = {ETH_P_IP, ETH_P_IPV6, ETH_P_8021Q, ETH_P_8021AD};

	if (type != SRIOV_FLOW_ETHER || mask->ethertype != 0xffff)
		return flow_type_classes(type);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (value->ethertype == others[i])
			return flow_type_classes(type);
	return FLOW_BIT(SRIOV_FLOW_ETHER);
}

/* What an entry like @e would be about, in all blocks of the rule's ranges: cubes that differ in the ports alone. */
static int add_cubes(struct lowering *low, const struct sriov_entry *e, unsigned types, int scope,
		     unsigned flex)
{
	uint16_t src_last = low->rule.src_port_last, dst_last = low->rule.dst_port_last;
	unsigned src = src_last ? e->value.src_port : 0, dst;
	struct sriov_match value = e->value, mask = e->mask;
	struct cube like;

	cube_set(&like, types, &value, &mask);
	like.scope = scope;
	like.flex = flex;
	while (next_block(&src, src_last, &value.src_port, &mask.src_port)) {
		dst = dst_last ? low->rule.value.dst_port : 0;
		while (next_block(&dst, dst_last, &value.dst_port, &mask.dst_port)) {
			struct cube *cube = core_grow(&low->cube, &low->ncubes, sizeof(*cube));

			if (!cube)
				return -ENOMEM;
			*cube = like;
			cube_set_ports(cube, &value, &mask);
		}
	}
	return 0;
}

/* Where user-def names bytes and their value, the bytes are no value. */
static unsigned flex_of(const struct compiler *c, const struct sriov_match *value,
			const struct sriov_match *mask)
{
	return c->profile->scope == NIC_SCOPE_VSI && mask->user_def
		       ? ((value->user_def & mask->user_def) >> 16 & 0xffff) + 1
		       : 0;
}

/* The scope, where it is no match. */
static int scope_of(const struct compiler *c, const struct sriov_rule *rule)
{
	if (c->profile->scope == NIC_SCOPE_POOL ||
	    (!c->port.vfs && rule->scope.kind == SRIOV_SCOPE_PF))
		return CUBE_ANY_SCOPE;
	return rule->scope.kind == SRIOV_SCOPE_VF   ? (int)rule->scope.vf
	       : rule->scope.kind == SRIOV_SCOPE_PF ? CUBE_PF
						    : CUBE_ANY_SCOPE;
}

/* The packets of a rule that is not in hardware: what its words say. */
static int words_as_cubes(const struct compiler *c, struct lowering *low)
{
	const struct sriov_rule *rule = &low->rule;
	struct sriov_entry e = {.type = rule->type, .value = rule->value, .mask = rule->mask};
	bool pool = c->profile->scope == NIC_SCOPE_POOL && c->port.vfs;

	low->ncubes = 0;
	/* a VF that does not exist gets no packets */
	if (!sriov_flow_type_word(rule->type) ||
	    (rule->scope.kind == SRIOV_SCOPE_VF && rule->scope.vf >= c->port.vfs))
		return 0;
	if (pool && (rule->scope.kind == SRIOV_SCOPE_VF || rule->scope.kind == SRIOV_SCOPE_PF)) {
		uint64_t of = rule->scope.kind == SRIOV_SCOPE_VF ? rule->scope.vf : c->port.vfs;

		/* and user-def may name another pool: no packet has two */
		if ((e.value.user_def ^ of) & e.mask.user_def & POOL_MASK)
			return 0;
		e.value.user_def = (e.value.user_def & e.mask.user_def) | of;
		e.mask.user_def |= POOL_MASK;
	}
	return add_cubes(low, &e, classes_of(e.type, &e.value, &e.mask), scope_of(c, rule),
			 flex_of(c, &e.value, &e.mask));
}

static int entries_as_cubes(const struct compiler *c, struct lowering *low, struct sriov_entry *hw,
			    size_t n)
{
	int r = 0;

	low->ncubes = 0;
	low->ext = c->profile->ext_always;
	for (size_t i = 0; !r && i < n; i++) {
		entry_canonical(&hw[i]);
		r = add_cubes(low, &hw[i], classes_of(hw[i].type, &hw[i].value, &hw[i].mask),
			      scope_of(c, &low->rule), flex_of(c, &hw[i].value, &hw[i].mask));
	}
	return r;
}

/* ---- what the driver says of it alone ---- */

static bool says_no(const struct compiler *c, struct sriov_entry *e, const struct bits *mask,
		    struct nic_verdict *v)
{
	bits_unpack(mask, &e->mask);
	return !compile_alone(c, e, v);
}

/* The first entry of @cube, with the smallest mask that the driver takes, stands for all. */
static bool cube_alone(const struct compiler *c, const struct lowering *low,
		       const struct cube *cube, struct nic_verdict *v)
{
	struct sriov_entry e = {.loc = low->rule.loc < 0 ? 1 : low->rule.loc,
				.type = compile_type(cube),
				.cookie = low->cookie + (1u << low->spread) - 1,
				.ext = true};
	struct cube one = *cube;

	one.mask.w[BITS_PORTS] |= BITS_SPREAD(low->spread);
	bits_unpack(&one.value, &e.value);
	if (!compile_widen(c, e.type, &one.mask)) {
		if (!says_no(c, &e, &cube->mask, v))
			nic_refuse(v, 0, "the driver cannot match this",
				   "%s cannot match these bits", c->profile->driver);
		return false;
	}
	return !says_no(c, &e, &one.mask, v);
}

/*
 * The cubes of a rule are blocks of its ranges, entry by entry, and no driver that has masks for ports looks at
 * which: the first of each entry stands for them.
 */
static bool is_next_block(const struct lowering *low, size_t i)
{
	return i && low->cube[i - 1].types == low->cube[i].types;
}

static bool driver_takes(const struct compiler *c, struct lowering *low)
{
	struct nic_verdict v = {.result = SRIOV_EXACT, .other = TABLE_NONE};

	for (size_t i = 0; i < low->ncubes; i++) {
		if (is_next_block(low, i) || cube_alone(c, low, &low->cube[i], &v))
			continue;
		low->v = v;
		return false;
	}
	return true;
}

/* What is not known does not hide what is: a rule that is known to be otherwise stays that. */
static bool is_known(const struct compiler *c, struct lowering *low)
{
	struct nic_verdict v = {.result = SRIOV_EXACT, .other = TABLE_NONE};
	bool known = true;

	for (size_t i = 0; known && i < low->ncubes; i++) {
		struct sriov_entry e = {
			.type = compile_type(&low->cube[i]), .cookie = low->cookie, .ext = true};

		if (is_next_block(low, i))
			continue;
		bits_unpack(&low->cube[i].value, &e.value);
		bits_unpack(&low->cube[i].mask, &e.mask);
		known = compile_known(c, &e, &v);
	}
	if (known)
		return true;
	if (compile_allows(c, SRIOV_UNSURE) && c->table_size && low->v.result != SRIOV_EXACT)
		return true;
	low->v = v;
	return compile_allows(c, SRIOV_UNSURE) && c->table_size;
}

/* 1: the NIC takes it, and low->cube is what it makes of it; 0: it does not; or an error. */
static int lower_whole(const struct compiler *c, struct lowering *low)
{
	struct sriov_rule *rule = &low->rule;
	struct sriov_entry hw[NIC_EXPANSION_MAX],
		whole = {.type = rule->type, .value = rule->value, .mask = rule->mask, .ext = true};
	struct nic_case one = {c->profile, &c->port, &c->empty, &whole};
	size_t n;
	int r;

	if (c->profile->filters && rule->loc >= 0) {
		nic_refuse(&low->v, 0, "there are no locations",
			   "rte_flow rules of %s have no location", c->profile->driver);
		nic_hint(&low->v, "leave 'loc' out");
		return 0;
	}
	if ((rule->action.kind == SRIOV_ACTION_QUEUES && !lower_queues(c, low)) ||
	    !lower_scope(c, rule, &whole, &low->v))
		return 0;
	whole.cookie = low->cookie = action_cookie(&rule->action);
	entry_canonical(&whole);
	n = c->profile->lower(&one, hw, &low->v);
	if (low->v.result == SRIOV_REJECTED)
		return 0;
	r = entries_as_cubes(c, low, hw, n);
	return r < 0 ? r
		     : driver_takes(c, low) && is_known(c, low) && compile_allows(c, low->v.result);
}

int compile_lower(const struct compiler *c, const struct sriov_rule *rule, struct lowering *out)
{
	int r;

	*out = (struct lowering){.rule = *rule, .v = {.result = SRIOV_EXACT, .other = TABLE_NONE}};
	if (!c->profile) {
		out->v = c->whole;
		return 0;
	}
	if (!rule_ok(rule)) {
		nic_refuse(&out->v, 0, "not a rule", "this is not a rule that could be written");
		return 0;
	}
	r = resolve_guests(c, out);
	out->elsewhere = r > 0;
	if (!r && out->v.result == SRIOV_EXACT)
		r = lower_whole(c, out);
	out->taken = r > 0 && !out->elsewhere;
	if (out->elsewhere)
		r = 0;
	return r ? (r < 0 ? r : 0) : words_as_cubes(c, out);
}
