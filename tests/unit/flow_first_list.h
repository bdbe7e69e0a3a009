/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random lists whose rules lie over each other: prefixes and ranges nested in both orders, exceptions before and
 * behind what they are taken from, repeats, optional rules, spreads, scopes.
 */
#ifndef FLOW_FIRST_LIST_H
#define FLOW_FIRST_LIST_H

#include "tests/unit/flow_oracle.h"

/* What the rules of one list have in common. */
struct shape {
	enum sriov_flow_type type[4];
	unsigned ntypes;
	unsigned fields; /* 1 << enum flow_field_id */
	unsigned span;   /* prefixes are up to that much shorter than a whole address */
	unsigned width;  /* ranges have at most so many ports */
	bool masks;      /* masks of any bits */
	bool scoped, spread;
};

static inline void first_port(struct round *r, const char *driver)
{
	static const unsigned vfs[] = {0, 0, 0, 1, 3, 4, 31, 40};
	bool igb = !strcmp(driver, "igb");
	unsigned n;
	char spec[64];

	random_port(r, driver);
	if (igb || chance(r, 25))
		return;
	/* as many VFs as can be told apart, with the queues that each has in the hardware */
	n = vfs[pick(r, ARRAY_SIZE(vfs))];
	snprintf(spec, sizeof(spec), "%s,vfs=%u,queues=%u", r->nic, n, n < 32 ? 4 : 2);
	assert_int_equal(sriov_nic_port(spec, &r->port, NULL), 0);
	if (!strcmp(driver, "i40e"))
		r->port.rules_max = chance(r, 50) ? 8 + pick(r, 120) : 2000;
}

static inline void shape_types(struct round *r, struct shape *s)
{
	static const enum sriov_flow_type v4[] = {SRIOV_FLOW_TCP4, SRIOV_FLOW_UDP4,
						  SRIOV_FLOW_SCTP4};
	static const enum sriov_flow_type v6[] = {SRIOV_FLOW_TCP6, SRIOV_FLOW_UDP6,
						  SRIOV_FLOW_SCTP6};
	bool i40e = !strcmp(r->port.driver, "i40e");
	unsigned kind = pick(r, 100);

	s->ntypes = 1 + pick(r, 3);
	memcpy(s->type, i40e && kind < 30 ? v6 : v4, sizeof(v4));
	if (kind >= 80) {
		s->type[0] = SRIOV_FLOW_IP4;
		s->ntypes = i40e ? 1 + pick(r, 2) : 1;
	} else if (kind >= 72) {
		s->type[s->ntypes++] = i40e ? SRIOV_FLOW_IP4_OTHER : SRIOV_FLOW_IP4;
	}
	if (chance(r, 3))
		s->type[pick(r, s->ntypes)] = random_type(r);
}

static inline void random_shape(struct round *r, struct shape *s)
{
	static const unsigned fields[] = {1u << FIELD_SRC_IP,   1u << FIELD_DST_IP,
					  1u << FIELD_SRC_PORT, 1u << FIELD_DST_PORT,
					  1u << FIELD_DST_IP,   1u << FIELD_DST_PORT};
	static const unsigned spans[] = {0, 1, 2, 4, 8, 24}, widths[] = {1, 4, 16, 16, 100, 2000};

	*s = (struct shape){.span = spans[pick(r, ARRAY_SIZE(spans))],
			    .width = widths[pick(r, ARRAY_SIZE(widths))],
			    .masks = chance(r, strcmp(r->port.driver, "ixgbe") ? 2 : 12),
			    .scoped = chance(r, 20),
			    .spread = chance(r, strcmp(r->port.driver, "ixgbe") ? 2 : 15)};
	shape_types(r, s);
	for (unsigned i = 1 + pick(r, 3); i--;)
		s->fields |= fields[pick(r, ARRAY_SIZE(fields))];
	if (chance(r, 12))
		s->fields |= 1u << FIELD_VLAN;
}

static inline void shorten(uint8_t *mask, size_t size, unsigned bits)
{
	for (size_t i = size; i-- && bits;) {
		unsigned here = bits < 8 ? bits : 8;

		mask[i] &= 0xff << here;
		bits -= here;
	}
}

static inline void shaped_ip(struct round *r, const struct shape *s, const struct flow_field *f,
			     struct sriov_rule *rule)
{
	uint8_t value[16] = {10}, mask[16];

	memset(mask, 0xff, sizeof(mask));
	/* of IPv6 only the upper half of the source tells i40e's rules apart */
	value[f->size == 16 ? 7 : 3] = pick(r, 64);
	value[f->size - 1] ^= pick(r, 4);
	if (s->masks && chance(r, 50))
		mask[pick(r, f->size)] = pick(r, 256);
	else if (s->span && chance(r, 60))
		shorten(mask, f->size, pick(r, s->span + 1));
	flow_field_set_bytes(f, &rule->value, value);
	flow_field_set_bytes(f, &rule->mask, mask);
}

static inline void shaped_port(struct round *r, const struct shape *s, uint16_t *value,
			       uint16_t *mask, uint16_t *last)
{
	static const unsigned bases[] = {0, 1, 2, 53, 64, 100, 1000, 1024, 65500};
	unsigned first = bases[pick(r, ARRAY_SIZE(bases))] + pick(r, 36), width;

	*mask = 0xffff;
	*value = first;
	width = (unsigned)pick(r, s->width);
	if (s->masks && chance(r, 40))
		*mask = chance(r, 50) ? UINT64_C(0xffff) << pick(r, 9) : pick(r, 65536);
	else if (width && chance(r, 60))
		*last = first + width < 65535u ? first + width : 65535u;
	if (first == 65535)
		*last = 0;
	*value &= *mask;
}

static inline void shaped_field(struct round *r, const struct shape *s, enum flow_field_id id,
				struct sriov_rule *rule)
{
	static const uint16_t tcis[] = {0x0fff, 0x0fff, 0xe000, 0xefff, 0xffff};
	const struct flow_field *f = flow_field_of(rule->type, id);

	if (!f)
		return;
	if (id == FIELD_SRC_IP || id == FIELD_DST_IP) {
		shaped_ip(r, s, f, rule);
	} else if (id == FIELD_SRC_PORT) {
		shaped_port(r, s, &rule->value.src_port, &rule->mask.src_port,
			    &rule->src_port_last);
	} else if (id == FIELD_DST_PORT) {
		shaped_port(r, s, &rule->value.dst_port, &rule->mask.dst_port,
			    &rule->dst_port_last);
	} else {
		random_value(r, f, &rule->value);
		rule->mask.vlan_tci = strcmp(r->port.driver, "i40e") ? tcis[pick(r, 5)] : 0xffff;
		rule->value.vlan_tci &= rule->mask.vlan_tci;
		if (rule->mask.vlan_tci != 0xffff && chance(r, 30))
			rule->value.vlan_etype = 0x8100, rule->mask.vlan_etype = 0xffff;
	}
}

static inline void shaped_action(struct round *r, const struct shape *s, struct sriov_rule *rule)
{
	unsigned kind = pick(r, 100), vf = r->port.vfs ? pick(r, r->port.vfs) : 0;
	bool i40e = !strcmp(r->port.driver, "i40e");

	rule->action = (struct sriov_action){.kind = SRIOV_ACTION_DROP};
	rule->scope = (struct sriov_scope){0};
	if (s->scoped && chance(r, 90)) {
		rule->scope.kind = r->port.vfs && chance(r, 60) ? SRIOV_SCOPE_VF : SRIOV_SCOPE_PF;
		rule->scope.vf = rule->scope.kind == SRIOV_SCOPE_VF ? vf : 0;
	}
	if (kind < (i40e && s->scoped ? 5 : 40))
		return;
	rule->action.kind = SRIOV_ACTION_QUEUE;
	rule->action.queue = pick(r, r->port.queues ?: 1);
	if (s->spread && kind < 80 && r->port.queues > 1) {
		rule->action.kind = SRIOV_ACTION_QUEUES;
		rule->action.queue = 0;
		rule->action.queue_last = r->port.queues >= 4 && chance(r, 50) ? 3 : 1;
	} else if (r->port.vfs && !rule->scope.kind && kind < (i40e ? 42 : 70)) {
		rule->action.kind = SRIOV_ACTION_VF;
		rule->action.vf = vf;
	}
}

static inline void shaped_rule(struct round *r, const struct shape *s, struct sriov_rule *rule)
{
	*rule = (struct sriov_rule){.type = s->type[pick(r, s->ntypes)], .weight = 1, .loc = -1};
	for (unsigned id = 0; id < FIELDS; id++)
		if (s->fields & 1u << id && chance(r, 94))
			shaped_field(r, s, id, rule);
	shaped_action(r, s, rule);
}

/* A rule that has to do with one before: the same, wider, narrower, or beside it. */
static inline void related_rule(struct round *r, const struct shape *s,
				const struct sriov_rule *like, struct sriov_rule *rule)
{
	unsigned id = pick(r, FIELD_DST_PORT + 1);
	const struct flow_field *f;

	*rule = *like;
	rule->loc = -1;
	if (chance(r, 75))
		shaped_action(r, s, rule);
	if (chance(r, 15))
		rule->type = s->type[pick(r, s->ntypes)];
	f = flow_field_of(rule->type, id);
	if (!f || chance(r, 15))
		return;
	if (id == FIELD_SRC_PORT)
		rule->src_port_last = 0;
	if (id == FIELD_DST_PORT)
		rule->dst_port_last = 0;
	if (chance(r, 20)) {
		flow_field_fill(f, &rule->mask, 0);
		flow_field_fill(f, &rule->value, 0);
	} else if (s->fields & 1u << id) {
		shaped_field(r, s, id, rule);
	}
}

static inline void shaped_list(struct round *r, size_t n)
{
	struct shape s;

	random_shape(r, &s);
	for (size_t i = 0; i < n; i++)
		if (i && chance(r, 40))
			related_rule(r, &s, &r->rule[pick(r, i)], &r->rule[i]);
		else
			shaped_rule(r, &s, &r->rule[i]);
}

/* What words can say: no fields of another flow type, no values that do not count. */
static inline void clean_rule(struct sriov_rule *rule)
{
	struct sriov_entry clean = {
		.type = rule->type, .value = rule->value, .mask = rule->mask, .ext = true};

	entry_canonical(&clean);
	rule->value = clean.value;
	rule->mask = clean.mask;
	if (!flow_field_of(rule->type, FIELD_SRC_PORT))
		rule->src_port_last = rule->dst_port_last = 0;
}

static inline void first_list(struct round *r)
{
	size_t n = 1 + pick(r, chance(r, 50) ? 8 : RULES_MAX);

	r->rules = (struct sriov_rules){.at = r->rule, .n = n};
	if (strcmp(r->port.driver, "igb") && chance(r, 88))
		shaped_list(r, n);
	else
		for (size_t i = 0; i < n; i++)
			random_rule(r, &r->rule[i], i ? &r->rule[pick(r, i)] : NULL);
	r->partial = chance(r, 50);
	for (size_t i = 0; i < n; i++) {
		struct sriov_rule *rule = &r->rule[i];

		clean_rule(rule);
		rule->optional = chance(r, r->partial ? 50 : 5);
		rule->weight = rule->optional ? 1 + pick(r, 9) : 1;
	}
}

#endif
