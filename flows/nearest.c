/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The nearest rule that would work: small changes of a rule, each for something that NICs cannot do, tried on
 * the port until one is exact. They are guesses; what is told is only what compiles in the place of the rule, in the
 * same list.
 */
#include "flows/compile.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

/* A rule that takes more entries of a table that is shared is no advice. */
#define ENTRIES_MAX 256

/*
 * What trying rules in the list may take in all: of each list that is compiled its rules, cubes, entries and steps of
 * first match, and what any list takes; of cubes that are only compared one for so many. A list of 2,000 rules is
 * compiled twice so, a short one often.
 */
#define TRIALS_MAX 10000
#define TRIAL_BASE 100
#define TRIAL_COMPARED 256

/* Changes the rule and returns true, or leaves it. */
typedef bool change(const struct compiler *c, struct sriov_rule *rule);

static bool set(uint16_t *number, uint16_t value)
{
	bool changed = *number != value;

	*number = value;
	return changed;
}

static bool free_location(const struct compiler *c, struct sriov_rule *rule)
{
	bool asked = rule->loc >= 0;

	rule->loc = -1;
	return asked;
}

/* `vf 3 queue 1` where no rule redirects: `in vf 3 queue 1`. */
static bool vf_as_scope(const struct compiler *c, struct sriov_rule *rule)
{
	if (c->profile->vf_target || c->profile->scope != NIC_SCOPE_VSI ||
	    (rule->action.kind != SRIOV_ACTION_VF && rule->action.kind != SRIOV_ACTION_GUEST))
		return false;
	rule->scope = (struct sriov_scope){
		.kind = rule->action.kind == SRIOV_ACTION_VF ? SRIOV_SCOPE_VF : SRIOV_SCOPE_GUEST,
		.vf = rule->action.vf};
	core_copy(rule->scope.guest, sizeof(rule->scope.guest), rule->action.guest);
	rule->action = (struct sriov_action){.kind = SRIOV_ACTION_QUEUE,
					     .queue = rule->action.queue};
	return true;
}

static bool one_queue(const struct compiler *c, struct sriov_rule *rule)
{
	if (rule->action.kind != SRIOV_ACTION_QUEUES)
		return false;
	rule->action.kind = SRIOV_ACTION_QUEUE;
	rule->action.queue_last = 0;
	return true;
}

/* What the driver says of the rule alone, as a phrase; NULL: it takes it. */
static const char *said_alone(const struct compiler *c, const struct sriov_rule *rule)
{
	struct lowering low;

	if (compile_lower(c, rule, &low))
		return NULL;
	free(low.cube);
	return low.v.why;
}

/* Only a queue that is itself what the driver has against the rule. */
static bool lower_queue(const struct compiler *c, struct sriov_rule *rule, unsigned queue)
{
	struct sriov_rule first = *rule;

	first.action.queue = 0;
	if (rule->action.kind == SRIOV_ACTION_DROP || rule->action.queue <= queue ||
	    said_alone(c, rule) == said_alone(c, &first))
		return false;
	rule->action.queue = queue;
	return true;
}

static bool last_queue(const struct compiler *c, struct sriov_rule *rule)
{
	return c->port.queues && lower_queue(c, rule, c->port.queues - 1);
}

static bool first_queue(const struct compiler *c, struct sriov_rule *rule)
{
	return lower_queue(c, rule, 0);
}

/* The largest part of a range that one mask covers, or its first port. */
static bool one_block(const struct compiler *c, struct sriov_rule *rule)
{
	uint16_t *const lasts[] = {&rule->src_port_last, &rule->dst_port_last};
	uint16_t *const firsts[] = {&rule->value.src_port, &rule->value.dst_port};
	bool changed = false;

	for (size_t i = 0; i < ARRAY_SIZE(lasts); i++) {
		unsigned first = *firsts[i], last = *lasts[i], size = 1;

		if (!last)
			continue;
		if (c->profile->field[FIELD_SRC_PORT].mask == NIC_MASK_ANY)
			first = compile_best_block(first, last, &size);
		changed |= set(firsts[i], first) | set(lasts[i], size > 1 ? first + size - 1 : 0);
	}
	return changed;
}

/* `ip4 l4proto 6` is `tcp4` but for fragments. */
static bool type_of_protocol(const struct compiler *c, struct sriov_rule *rule)
{
	static const struct {
		uint8_t proto;
		enum sriov_flow_type type4, type6;
	} types[] = {{IPPROTO_TCP, SRIOV_FLOW_TCP4, SRIOV_FLOW_TCP6},
		     {IPPROTO_UDP, SRIOV_FLOW_UDP4, SRIOV_FLOW_UDP6},
		     {IPPROTO_SCTP, SRIOV_FLOW_SCTP4, SRIOV_FLOW_SCTP6}};

	if ((rule->type != SRIOV_FLOW_IP4 && rule->type != SRIOV_FLOW_IP6) ||
	    rule->mask.proto != 0xff || rule->mask.l4_bytes)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (types[i].proto != rule->value.proto)
			continue;
		rule->type = rule->type == SRIOV_FLOW_IP4 ? types[i].type4 : types[i].type6;
		rule->value.proto = rule->mask.proto = 0;
		return true;
	}
	return false;
}

/* Fields that the driver refuses or ignores. */
static bool without_impossible_fields(const struct compiler *c, struct sriov_rule *rule)
{
	bool changed = false;

	for (const struct flow_field *f = NULL; (f = flow_field_next(f, rule->type));) {
		enum nic_mask mask = c->profile->field[f->id].mask;

		if (!flow_field_any(f, &rule->mask) ||
		    (mask != NIC_MASK_REFUSED && mask != NIC_MASK_IGNORED))
			continue;
		flow_field_fill(f, &rule->mask, 0);
		flow_field_fill(f, &rule->value, 0);
		changed = true;
	}
	return changed;
}

/* A number that is matched whole or not at all; of addresses a part says nothing about the whole. */
static bool whole_numbers(const struct compiler *c, struct sriov_rule *rule)
{
	bool changed = false;

	for (const struct flow_field *f = NULL; (f = flow_field_next(f, rule->type));) {
		enum nic_mask mask = c->profile->field[f->id].mask;

		if (f->kind != KIND_NUMBER || !flow_field_any(f, &rule->mask) ||
		    flow_field_full(f, &rule->mask) ||
		    (mask != NIC_MASK_FULL && mask != NIC_MASK_WHOLE))
			continue;
		flow_field_fill(f, &rule->mask, 0xff);
		changed = true;
	}
	return changed;
}

static bool vlan_parts(const struct compiler *c, struct sriov_rule *rule)
{
	uint16_t mask = rule->mask.vlan_tci;

	if (!mask || c->profile->field[FIELD_VLAN].mask != NIC_MASK_OWN)
		return false;
	if (c->profile->scope == NIC_SCOPE_VSI)
		return set(&rule->mask.vlan_tci, 0xffff);
	return set(&rule->mask.vlan_tci, c->profile->scope == NIC_SCOPE_POOL
						 ? mask & ~VLAN_DEI_MASK
						 : mask & VLAN_PRIO_MASK);
}

/* ixgbe tells a packet without a tag from one with tag 0 by the tag's type. */
static bool with_tag(const struct compiler *c, struct sriov_rule *rule)
{
	if (c->profile->scope != NIC_SCOPE_POOL || !rule->mask.vlan_tci ||
	    rule->value.vlan_tci & rule->mask.vlan_tci)
		return false;
	rule->value.vlan_etype = 0x8100;
	return set(&rule->mask.vlan_etype, 0xffff);
}

/* The bits of user-def that the driver looks at: a pool, or an offset and a word. */
static bool user_def_bits(const struct compiler *c, struct sriov_rule *rule)
{
	uint64_t bits = c->profile->scope == NIC_SCOPE_POOL ? 0x7f : UINT32_MAX;
	uint64_t mask = rule->mask.user_def & bits;

	if (mask == rule->mask.user_def)
		return false;
	rule->mask.user_def = mask;
	rule->value.user_def &= mask;
	return true;
}

static bool no_sctp_ports(const struct compiler *c, struct sriov_rule *rule)
{
	if (rule->type != SRIOV_FLOW_SCTP4)
		return false;
	rule->value.src_port = rule->value.dst_port = 0;
	return set(&rule->mask.src_port, 0) | set(&rule->mask.dst_port, 0);
}

/* igb takes each field for a filter of its own. */
static bool ethertype_alone(const struct compiler *c, struct sriov_rule *rule)
{
	struct sriov_match mask = {.ethertype = rule->mask.ethertype};
	bool more = rule->type == SRIOV_FLOW_ETHER && mask.ethertype &&
		    (rule->mask.vlan_tci || !sriov_mac_is_zero(rule->mask.src_mac) ||
		     !sriov_mac_is_zero(rule->mask.dst_mac));

	if (more) {
		rule->value = (struct sriov_match){.ethertype = rule->value.ethertype};
		rule->mask = mask;
	}
	return more;
}

/* Where all rules match the same bits: those that the ones before match, if this one has them. */
static bool mask_of_table(const struct compiler *c, struct sriov_rule *rule)
{
	size_t first = c->profile->scope == NIC_SCOPE_POOL ? 0 : c->table.first_of[rule->type];
	const struct sriov_match *mask;
	bool changed = false;

	if (!c->table.n || first == TABLE_NONE)
		return false;
	mask = &c->table.at[first].mask;
	for (const struct flow_field *f = NULL; (f = flow_field_next(f, rule->type));) {
		uint8_t bits[16];

		for (size_t i = 0; i < f->size; i++) {
			bits[i] = flow_field_at(f, &rule->mask)[i] & flow_field_at(f, mask)[i];
			changed |= bits[i] != flow_field_at(f, &rule->mask)[i];
		}
		flow_field_set_bytes(f, &rule->mask, bits);
	}
	return changed;
}

static change *const changes[] = {
	vf_as_scope,
	one_queue,
	one_block,
	vlan_parts,
	with_tag,
	user_def_bits,
	whole_numbers,
	type_of_protocol,
	no_sctp_ports,
	mask_of_table,
	without_impossible_fields,
	ethertype_alone,
	free_location,
	last_queue,
	first_queue,
};

static bool matches_something(const struct sriov_rule *rule)
{
	for (const struct flow_field *f = NULL; (f = flow_field_next(f, rule->type));)
		if (flow_field_any(f, &rule->mask))
			return true;
	return false;
}

/* The masks of the table are there and stay. */
static bool same_masks(const struct compiler *c, const struct table_slot slot[SLOTS])
{
	for (size_t s = 0; s < SLOTS; s++)
		if (c->slot[s].set &&
		    memcmp(&c->slot[s].mask, &slot[s].mask, sizeof(slot[s].mask)) != 0)
			return false;
	return true;
}

static bool fits(struct compiler *c, size_t i, const struct lowering *low, long loc)
{
	struct table_slot before[SLOTS], slot[SLOTS];
	struct nic_verdict v = {.result = SRIOV_EXACT, .other = TABLE_NONE};
	double entries = c->nfree < ENTRIES_MAX ? c->nfree : ENTRIES_MAX;
	bool fits;

	if (c->filters)
		return compile_filters_room(c, i, low);
	memcpy(slot, c->slot, sizeof(slot));
	for (size_t s = 0; s < SLOTS; s++)
		entries += slot[s].entries;
	if (!compile_join(c, slot, low->cube, low->ncubes, low->spread, entries) ||
	    !same_masks(c, slot))
		return false;
	memcpy(before, c->slot, sizeof(before));
	memcpy(c->slot, slot, sizeof(slot));
	fits = compile_cells(c, low->cube, low->ncubes, low->cookie, low->spread, low->ext) &&
	       compile_fit(c, loc, &v);
	memcpy(c->slot, before, sizeof(before));
	return fits;
}

/* ---- the list with another rule in it ---- */

/*
 * Nothing is left to try: all that the driver takes is in, and no packet of the other rules is one of rule @i or of what
 * comes in its place.
 */
static bool stands_apart(struct compiler *c, size_t i, const struct lowering *low)
{
	const struct cube *own = &c->cube[c->low[i].cube];
	size_t nown = c->low[i].ncubes;

	c->tried += c->ncubes * (nown + low->ncubes) / TRIAL_COMPARED;
	if (c->filters || c->tried > TRIALS_MAX)
		return false;
	for (size_t k = 0; k < c->rules->n; k++)
		if (k != i && c->low[k].own && c->low[k].state != LOWERED_IN)
			return false;
	for (const struct cube *cube = c->cube; cube < c->cube + c->ncubes; cube++) {
		if (cube == own && nown) {
			cube += nown - 1;
			continue;
		}
		for (size_t q = 0; q < low->ncubes; q++)
			if (cube_meets(cube, &low->cube[q]))
				return false;
		for (size_t q = 0; q < nown; q++)
			if (cube_meets(cube, &own[q]))
				return false;
	}
	return true;
}

/* The rule is in hardware just as it says, with packets of its own, and so are all that were. */
static bool nothing_lost(const struct compiler *c, const struct compiler *trial, size_t i)
{
	const struct sriov_verdict *v = &trial->out.verdict[i];

	if (trial->low[i].state != LOWERED_IN || v->result != SRIOV_EXACT || v->shadowed)
		return false;
	for (size_t k = 0; k < c->rules->n; k++)
		if (c->low[k].state == LOWERED_IN && trial->low[k].state != LOWERED_IN)
			return false;
	return true;
}

static bool holds_in_place(struct compiler *c, size_t i, const struct sriov_rule *rule)
{
	struct sriov_rules rules = *c->rules;
	struct compiler trial;
	bool holds;

	c->tried += TRIAL_BASE + rules.n + c->ncubes + c->table.n + c->space.work;
	if (c->tried > TRIALS_MAX)
		return false;
	rules.at = malloc(rules.n * sizeof(*rules.at));
	if (!rules.at)
		return false;
	memcpy(rules.at, c->rules->at, rules.n * sizeof(*rules.at));
	rules.at[i] = *rule;
	compile_begin(&trial, &rules, &c->port, c->opts, NULL);
	trial.quiet = true;
	holds = !compile_run(&trial) && nothing_lost(c, &trial, i);
	compile_end(&trial);
	sriov_compiled_clear(&trial.out);
	free(rules.at);
	return holds;
}

/* A rule that would catch everything is no neighbour of one that does not. */
static bool works(struct compiler *c, size_t i, const struct sriov_rule *rule)
{
	const struct sriov_rule *original = &c->rules->at[i];
	struct lowering low;
	bool works;

	if ((matches_something(original) && !matches_something(rule)) ||
	    compile_lower(c, rule, &low))
		return false;
	works = low.taken && low.v.result == SRIOV_EXACT && fits(c, i, &low, rule->loc);
	works = works && (stands_apart(c, i, &low) || holds_in_place(c, i, rule));
	free(low.cube);
	return works;
}

void compile_nearest(struct compiler *c, size_t i, char *buf, size_t size)
{
	const struct sriov_rule *rule = &c->rules->at[i];
	struct sriov_rule more = *rule;

	*buf = '\0';
	for (size_t k = 0; c->profile && k < ARRAY_SIZE(changes); k++) {
		struct sriov_rule one = *rule;

		if (changes[k](c, &one) && works(c, i, &one) && !sriov_rule_format(&one, buf, size))
			return;
	}
	/* one change was not enough: all of them, one after the other */
	for (size_t k = 0; c->profile && k < ARRAY_SIZE(changes); k++) {
		if (changes[k](c, &more) && works(c, i, &more) &&
		    !sriov_rule_format(&more, buf, size))
			return;
	}
	*buf = '\0';
}
