/* SPDX-License-Identifier: Apache-2.0 */
/* Random ports, rules and tables of others, for the property test of the compiler. */
#ifndef FLOW_ROUND_H
#define FLOW_ROUND_H

#include "flows/nic/replay.h"
#include "tests/unit/flow_fixture.h"

#define RULES_MAX 40
#define FOREIGN_MAX 3

struct round;
/* Whether a rule is about a packet: flow_oracle.h, or what a test puts in its place. */
typedef bool round_matches(const struct round *r, const struct sriov_rule *rule,
			   const struct nic_packet *p);

/* One round, so that what fails can be told whole. */
struct round {
	uint64_t random;
	uint64_t seed; /* this round alone */
	const char *nic;
	struct sriov_pf port;
	struct sriov_entry planted[FOREIGN_MAX]; /* what others tried to have in the table */
	size_t nplanted;
	struct sriov_entry installed[FOREIGN_MAX]; /* and what they have */
	struct sriov_rule rule[RULES_MAX];
	struct sriov_rules rules;
	bool partial;
	round_matches *matches;
	/*
	 * Two NICs, each entry at opposite ends of their tables: a packet that two entries match meets
	 * another one in each.
	 */
	struct nic_model *model, *mirror;
	struct sriov_compiled out;
};

/* The seed makes all that comes. */
static inline void round_seed(struct round *r, uint64_t seed)
{
	r->seed = seed;
	r->random = (seed + 1) * 0x9e3779b97f4a7c15ull;
	r->random ^= r->random >> 29;
	r->random += !r->random;
}

static inline uint64_t pick(struct round *r, uint64_t n)
{
	r->random ^= r->random << 13;
	r->random ^= r->random >> 7;
	r->random ^= r->random << 17;
	return r->random % n;
}

static inline bool chance(struct round *r, unsigned percent)
{
	return pick(r, 100) < percent;
}

/* ---- random ports, rules, tables ---- */

static inline void random_port(struct round *r, const char *driver)
{
	static const struct {
		const char *driver, *nic;
		unsigned vfs;
	} nics[] = {{"ixgbe", "82599", 63}, {"ixgbe", "X540", 40}, {"ixgbe", "X550", 5},
		    {"i40e", "X710", 8},    {"i40e", "X722", 2},   {"igb", "82576", 2},
		    {"igb", "I350", 1},     {"igb", "I210", 0},    {"igb", "82580", 0}};
	char spec[64];
	size_t i;

	do
		i = pick(r, ARRAY_SIZE(nics));
	while (strcmp(nics[i].driver, driver));
	snprintf(spec, sizeof(spec), "%s,vfs=%u,queues=%u", nics[i].nic,
		 chance(r, strcmp(driver, "igb") ? 50 : 90) ? 0
							    : (unsigned)pick(r, nics[i].vfs + 1),
		 1 + (unsigned)pick(r, 4));
	assert_int_equal(sriov_nic_port(spec, &r->port, NULL), 0);
	if (!strcmp(driver, "i40e"))
		r->port.rules_max = 8 + pick(r, 40);
	r->nic = nics[i].nic;
}

/* Values from small sets, so that rules meet each other. */
static inline void random_value(struct round *r, const struct flow_field *f, struct sriov_match *m)
{
	static const uint16_t tcis[] = {5, 6, 0x6005, 0, 0x2000, 0x1005};
	uint8_t bytes[16] = {10};

	switch (f->id) {
	case FIELD_SRC_IP:
	case FIELD_DST_IP:
		bytes[f->kind == KIND_IP4 ? 3 : 7] = 1 + pick(r, 3);
		bytes[f->kind == KIND_IP4 ? 2 : 15] = pick(r, 2);
		flow_field_set_bytes(f, m, bytes);
		break;
	case FIELD_SRC_MAC:
	case FIELD_DST_MAC:
		bytes[5] = pick(r, 3);
		flow_field_set_bytes(f, m, bytes);
		break;
	case FIELD_VLAN:
		m->vlan_tci = tcis[pick(r, ARRAY_SIZE(tcis))];
		break;
	case FIELD_VLAN_ETYPE:
		m->vlan_etype = 0x8100;
		break;
	case FIELD_ETHERTYPE:
		m->ethertype = 0x88f7 + pick(r, 4);
		break;
	case FIELD_USER_DEF:
		m->user_def = chance(r, 80) ? 0x40001 + pick(r, 2) : pick(r, 4);
		break;
	default:
		flow_field_set_number(f, m, 1 + pick(r, 20));
	}
}

static inline void random_mask(struct round *r, const struct flow_field *f, struct sriov_match *m)
{
	static const uint16_t tcis[] = {0x0fff, 0xe000, 0xefff, 0xffff, 0x00ff};
	uint8_t bytes[16];

	flow_field_fill(f, m, 0xff);
	if (f->id == FIELD_VLAN)
		m->vlan_tci = tcis[pick(r, ARRAY_SIZE(tcis))];
	if (f->id == FIELD_USER_DEF)
		m->user_def = chance(r, 50) ? UINT32_MAX : 0x7f;
	if (chance(r, strcmp(r->port.driver, "ixgbe") ? 97 : 80) || f->id == FIELD_VLAN ||
	    f->id == FIELD_USER_DEF)
		return;
	for (size_t i = 0; i < f->size; i++)
		bytes[i] = chance(r, 70) ? 0xff : pick(r, 256);
	flow_field_set_bytes(f, m, bytes);
}

/* Which fields rules of a list match: mostly those of @like. */
static inline void random_match(struct round *r, struct sriov_rule *rule,
				const struct sriov_rule *like)
{
	for (const struct flow_field *f = NULL; (f = flow_field_next(f, rule->type));) {
		bool common = f->id <= FIELD_DST_PORT || f->id >= FIELD_SRC_MAC;
		bool wanted = chance(r, common && f->id <= FIELD_ETHERTYPE ? 40
					: f->id == FIELD_VLAN              ? 20
									   : 4);

		/* the kernel has no place for them */
		if (f->rte)
			continue;
		if (like && flow_field_of(like->type, f->id)) {
			flow_field_set_bytes(f, &rule->mask, flow_field_at(f, &like->mask));
			wanted = flow_field_any(f, &rule->mask);
		} else if (wanted) {
			random_mask(r, f, &rule->mask);
		}
		if (wanted)
			random_value(r, f, &rule->value);
	}
}

/* igb matches one thing at a time. */
static inline void random_ether(struct round *r, struct sriov_rule *rule)
{
	static const enum flow_field_id ids[] = {FIELD_ETHERTYPE, FIELD_ETHERTYPE, FIELD_VLAN,
						 FIELD_DST_MAC};
	const struct flow_field *f = flow_field_of(SRIOV_FLOW_ETHER, ids[pick(r, ARRAY_SIZE(ids))]);

	flow_field_fill(f, &rule->mask, 0xff);
	if (f->id == FIELD_VLAN)
		rule->mask.vlan_tci = VLAN_PRIO_MASK;
	random_value(r, f, &rule->value);
}

static inline enum sriov_flow_type random_type(struct round *r)
{
	static const enum sriov_flow_type igb[] = {SRIOV_FLOW_ETHER};
	static const enum sriov_flow_type ixgbe[] = {SRIOV_FLOW_TCP4, SRIOV_FLOW_UDP4,
						     SRIOV_FLOW_SCTP4, SRIOV_FLOW_IP4};
	static const enum sriov_flow_type i40e[] = {
		SRIOV_FLOW_TCP4, SRIOV_FLOW_UDP4,      SRIOV_FLOW_SCTP4,    SRIOV_FLOW_TCP6,
		SRIOV_FLOW_UDP6, SRIOV_FLOW_SCTP6,     SRIOV_FLOW_IP4,      SRIOV_FLOW_IP6,
		SRIOV_FLOW_IP4,  SRIOV_FLOW_IP4_OTHER, SRIOV_FLOW_IP6_OTHER};

	if (chance(r, 3))
		return 1 + pick(r, SRIOV_FLOW_TYPES - 1);
	if (!strcmp(r->port.driver, "igb"))
		return igb[0];
	return strcmp(r->port.driver, "i40e") ? ixgbe[pick(r, ARRAY_SIZE(ixgbe))]
					      : i40e[pick(r, ARRAY_SIZE(i40e))];
}

static inline void random_action(struct round *r, struct sriov_rule *rule)
{
	bool igb = !strcmp(r->port.driver, "igb");
	unsigned vfs = r->port.vfs ?: 1;

	rule->action.kind = chance(r, igb ? 3 : 40)                   ? SRIOV_ACTION_DROP
			    : chance(r, igb || !r->port.vfs ? 3 : 40) ? SRIOV_ACTION_VF
								      : SRIOV_ACTION_QUEUE;
	if (rule->action.kind == SRIOV_ACTION_VF)
		rule->action.vf = pick(r, vfs + 1);
	if (rule->action.kind != SRIOV_ACTION_DROP)
		rule->action.queue = pick(r, chance(r, 95) ? r->port.queues : 5);
	if (chance(r, igb ? 97 : 75))
		return;
	rule->scope.kind = chance(r, 30) ? SRIOV_SCOPE_PF : SRIOV_SCOPE_VF;
	if (rule->scope.kind == SRIOV_SCOPE_VF)
		rule->scope.vf = pick(r, vfs);
}

static inline void random_rule(struct round *r, struct sriov_rule *rule,
			       const struct sriov_rule *like)
{
	*rule = (struct sriov_rule){.type = random_type(r), .weight = 1, .loc = -1};
	if (rule->type == SRIOV_FLOW_ETHER && chance(r, 85))
		random_ether(r, rule);
	else
		random_match(r, rule, chance(r, 90) ? like : NULL);
	random_action(r, rule);
	if (like && chance(r, 70))
		rule->scope = like->scope;
	if (rule->mask.dst_port == 0xffff && chance(r, 5))
		rule->dst_port_last = rule->value.dst_port + 1 + pick(r, 8);
	if (chance(r, 5))
		rule->loc = pick(r, 20);
	if (like && chance(r, 15)) {
		struct sriov_action action = rule->action;

		*rule = *like;
		rule->loc = -1;
		if (chance(r, 50))
			rule->action = action;
	}
}

/*
 * What others try to have in the table. They match no field for zero, and leave none set that they do not match:
 * from i40e's GET alone that could not be told.
 */
static inline void random_foreign(struct round *r)
{
	r->nplanted = pick(r, FOREIGN_MAX + 1);
	for (size_t i = 0; i < r->nplanted; i++) {
		struct sriov_rule rule;
		struct sriov_entry *e = &r->planted[i];

		random_rule(r, &rule, NULL);
		*e = (struct sriov_entry){.loc = pick(r, 16),
					  .type = rule.type,
					  .value = rule.value,
					  .mask = rule.mask,
					  .cookie = action_cookie(&rule.action),
					  .ext = true};
		entry_canonical(e);
		e->ext = chance(r, 50) || e->ext;
	}
}

/* ---- two NICs ---- */

static inline uint32_t mirrored(const struct round *r, uint32_t loc)
{
	return nic_model_table_size(r->model) - 1 - loc;
}

/* Puts the entry into both; what the first answers is in @out. */
static inline void round_add(struct round *r, const struct sriov_entry *e, struct nic_outcome *out)
{
	struct nic_op op = {.kind = NIC_OP_ADD};
	struct nic_outcome ignored;

	assert_int_equal(ntuple_encode(e, &op.spec), 0);
	assert_int_equal(nic_model_run(r->model, &op, out), 0);
	if (e->loc >= nic_model_table_size(r->model))
		return;
	op.spec.location = mirrored(r, e->loc);
	assert_int_equal(nic_model_run(r->mirror, &op, &ignored), 0);
}

/* The port with the tables of others as its driver tells them. */
static inline void round_start(struct round *r)
{
	struct nic_outcome ignored;
	struct nic_device device;

	assert_int_equal(nic_device_of(&r->port, &device, NULL), 0);
	assert_int_equal(nic_model_new(&device, &r->model, NULL), 0);
	assert_int_equal(nic_model_new(&device, &r->mirror, NULL), 0);
	for (size_t i = 0; i < r->nplanted; i++)
		round_add(r, &r->planted[i], &ignored);
	r->port.watched = !r->nplanted;
	r->port.rules = r->installed;
	r->port.nrules = 0;
	for (size_t i = 0; i < nic_model_count(r->model); i++) {
		struct ethtool_rx_flow_spec spec;
		struct sriov_entry *e = &r->installed[r->port.nrules];

		if (nic_model_get(r->model, nic_model_loc(r->model, i), &spec) ||
		    ntuple_decode(&spec, e))
			continue;
		nic_profile_readback(nic_profile_find(r->port.driver), e);
		r->port.nrules++;
	}
}

/* -ENOTSUP where not all rules are in hardware. */
static inline int round_compile(struct round *r)
{
	const struct sriov_compile opts = {.partial = r->partial};
	int err;

	r->rules.at = r->rule;
	err = sriov_rules_compile(&r->rules, &r->port, &opts, &r->out, NULL);
	assert_true(!err || err == -ENOTSUP);
	return err;
}

/* Somebody else has the entry there already. */
static inline bool is_installed(const struct round *r, const struct sriov_entry *e)
{
	for (size_t i = 0; i < r->port.nrules; i++)
		if (r->port.rules[i].loc == e->loc && sriov_entry_same(&r->port.rules[i], e))
			return true;
	return false;
}

static inline void round_end(struct round *r)
{
	sriov_compiled_clear(&r->out);
	nic_model_free(r->model);
	nic_model_free(r->mirror);
	r->model = r->mirror = NULL;
}

#endif
