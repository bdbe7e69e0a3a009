/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random lists of rules on random ports: what the compiler calls exact, the driver's model accepts entry by
 * entry, programs as meant, and then lets packets meet just as the rules' words say. SRIOV_TEST_SEED repeats
 * a run.
 */
#include "flows/nic/replay.h"
#include "tests/unit/flow_fixture.h"

#include <net/ethernet.h>
#include <netinet/in.h>
#include <time.h>

#define LISTS 1500 /* of each driver */
#define RULES_MAX 6
#define FOREIGN_MAX 3
#define PACKETS 40

/* One round, so that what fails can be told whole. */
struct round {
	uint64_t random;
	uint64_t seed; /* this round alone */
	struct sriov_pf port;
	struct nic_model *model;
	struct sriov_entry installed[FOREIGN_MAX];
	struct sriov_rule rule[RULES_MAX];
	struct sriov_rules rules;
	struct sriov_compiled out;
};

static uint64_t pick(struct round *r, uint64_t n)
{
	r->random ^= r->random << 13;
	r->random ^= r->random >> 7;
	r->random ^= r->random << 17;
	return r->random % n;
}

static bool chance(struct round *r, unsigned percent)
{
	return pick(r, 100) < percent;
}

__attribute__((noreturn, format(printf, 2, 3))) static void broken(const struct round *r,
								   const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	print_message("SRIOV_TEST_SEED=%llu: %s %04x, %u VFs, %u queues\n",
		      (unsigned long long)r->seed, r->port.driver, r->port.device, r->port.vfs,
		      r->port.queues);
	for (size_t i = 0; i < r->port.nrules; i++) {
		sriov_entry_format(&r->port.rules[i], text, sizeof(text));
		print_message("  others: loc %u %s\n", r->port.rules[i].loc, text);
	}
	for (size_t i = 0; i < r->rules.n; i++) {
		if (sriov_rule_format(&r->rule[i], text, sizeof(text)))
			snprintf(text, sizeof(text), "(no rule)");
		print_message("  rule %zu: %s: %s, %zu entries\n", i + 1, text,
			      sriov_result_word(r->out.verdict[i].result), r->out.verdict[i].n);
	}
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fail_msg("%s", text);
	abort();
}

/* ---- random ports, rules, tables ---- */

static void random_port(struct round *r, const char *driver)
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
	r->port.rules = r->installed;
}

/* Values from small sets, so that rules meet each other. */
static void random_value(struct round *r, const struct flow_field *f, struct sriov_match *m)
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

static void random_mask(struct round *r, const struct flow_field *f, struct sriov_match *m)
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
static void random_match(struct round *r, struct sriov_rule *rule, const struct sriov_rule *like)
{
	for (const struct flow_field *f = NULL; (f = flow_field_next(f, rule->type));) {
		bool common = f->id <= FIELD_DST_PORT || f->id >= FIELD_SRC_MAC;
		bool wanted = chance(r, common && f->id <= FIELD_ETHERTYPE ? 40
					: f->id == FIELD_VLAN              ? 20
									   : 4);

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
static void random_ether(struct round *r, struct sriov_rule *rule)
{
	static const enum flow_field_id ids[] = {FIELD_ETHERTYPE, FIELD_ETHERTYPE, FIELD_VLAN,
						 FIELD_DST_MAC};
	const struct flow_field *f = flow_field_of(SRIOV_FLOW_ETHER, ids[pick(r, ARRAY_SIZE(ids))]);

	flow_field_fill(f, &rule->mask, 0xff);
	if (f->id == FIELD_VLAN)
		rule->mask.vlan_tci = VLAN_PRIO_MASK;
	random_value(r, f, &rule->value);
}

static enum sriov_flow_type random_type(struct round *r)
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

static void random_action(struct round *r, struct sriov_rule *rule)
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

static void random_rule(struct round *r, struct sriov_rule *rule, const struct sriov_rule *like)
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
 * What others have in the table, by the model's own GET. They match no field for zero, and leave none set
 * that they do not match: from i40e's GET alone that could not be told.
 */
static void random_foreign(struct round *r)
{
	struct nic_outcome outcome;
	struct nic_op op;

	for (size_t i = pick(r, FOREIGN_MAX + 1); i--;) {
		struct sriov_rule rule;
		struct sriov_entry e;

		random_rule(r, &rule, NULL);
		e = (struct sriov_entry){.loc = pick(r, 16),
					 .type = rule.type,
					 .value = rule.value,
					 .mask = rule.mask,
					 .cookie = action_cookie(&rule.action),
					 .ext = true};
		entry_canonical(&e);
		e.ext = chance(r, 50) || e.ext;
		op = (struct nic_op){.kind = NIC_OP_ADD};
		assert_int_equal(ntuple_encode(&e, &op.spec), 0);
		assert_int_equal(nic_model_run(r->model, &op, &outcome), 0);
		r->port.watched = false;
	}
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

/* ---- what the driver makes of the entries ---- */

static unsigned stride(const struct sriov_pf *port)
{
	return !port->vfs ? 0 : port->vfs < 32 ? 4 : 2;
}

static void check_hardware(const struct round *r, const struct sriov_entry *e,
			   const struct nic_outcome *hw)
{
	unsigned vf = COOKIE_VF(e->cookie), queue = COOKIE_QUEUE(e->cookie);
	bool drop = e->cookie == SRIOV_COOKIE_DROP;
	char text[512];

	sriov_entry_format(e, text, sizeof(text));
	if (!hw->has_hw)
		return;
	if (hw->drop != drop)
		broken(r, "loc %u %s: drop is %d", e->loc, text, hw->drop);
	if (!strcmp(r->port.driver, "ixgbe") && !drop)
		queue += stride(&r->port) * (vf ? vf - 1 : r->port.vfs);
	if (!drop && hw->queue != queue)
		broken(r, "loc %u %s: queue %u, not %u", e->loc, text, hw->queue, queue);
	if (!strcmp(r->port.driver, "i40e") && hw->vsi != (drop ? 0 : vf ? 399 + (int)vf : 390))
		broken(r, "loc %u %s: vsi %d", e->loc, text, hw->vsi);
}

static bool is_installed(const struct round *r, const struct sriov_entry *e)
{
	for (size_t i = 0; i < r->port.nrules; i++)
		if (r->port.rules[i].loc == e->loc && sriov_entry_same(&r->port.rules[i], e))
			return true;
	return false;
}

static void check_accepted(const struct round *r)
{
	struct nic_outcome outcome;
	char text[512];

	for (size_t i = 0; i < r->out.nentries; i++) {
		const struct sriov_entry *e = &r->out.entry[i];
		struct nic_op op = {.kind = NIC_OP_ADD};

		if (is_installed(r, e))
			continue;
		assert_int_equal(ntuple_encode(e, &op.spec), 0);
		assert_int_equal(nic_model_run(r->model, &op, &outcome), 0);
		sriov_entry_format(e, text, sizeof(text));
		if (outcome.err)
			broken(r, "loc %u %s: refused with %d (%s)", e->loc, text, outcome.err,
			       outcome.why);
		check_hardware(r, e, &outcome);
	}
}

/* ---- packets ---- */

static bool is_v6(enum sriov_flow_type type)
{
	return FLOW_BIT(type) & (FLOW_L4_V6 | FLOW_IP_V6);
}

static unsigned proto_of(enum sriov_flow_type type)
{
	static const uint8_t protos[SRIOV_FLOW_TYPES] = {
		[SRIOV_FLOW_TCP4] = IPPROTO_TCP,   [SRIOV_FLOW_TCP6] = IPPROTO_TCP,
		[SRIOV_FLOW_UDP4] = IPPROTO_UDP,   [SRIOV_FLOW_UDP6] = IPPROTO_UDP,
		[SRIOV_FLOW_SCTP4] = IPPROTO_SCTP, [SRIOV_FLOW_SCTP6] = IPPROTO_SCTP};

	return protos[type];
}

static bool has_ports(const struct nic_packet *p)
{
	return !p->fragment &&
	       (p->proto == IPPROTO_TCP || p->proto == IPPROTO_UDP || p->proto == IPPROTO_SCTP);
}

static bool type_matches(enum sriov_flow_type type, const struct nic_packet *p)
{
	if (type == SRIOV_FLOW_ETHER)
		return true;
	if (p->ethertype != (is_v6(type) ? ETHERTYPE_IPV6 : ETHERTYPE_IP))
		return false;
	if (proto_of(type))
		return !p->fragment && p->proto == proto_of(type);
	return type == SRIOV_FLOW_IP4 || type == SRIOV_FLOW_IP6 || !has_ports(p);
}

static bool number_matches(uint64_t number, uint64_t value, uint64_t mask)
{
	return !((number ^ value) & mask);
}

static bool bytes_match(const uint8_t *bytes, const uint8_t *value, const uint8_t *mask, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((bytes[i] ^ value[i]) & mask[i])
			return false;
	return true;
}

static bool port_matches(uint16_t port, uint16_t value, uint16_t mask, uint16_t last)
{
	return last ? port >= value && port <= last : number_matches(port, value, mask);
}

/* The pool on ixgbe, two bytes of the payload on i40e. */
static bool user_def_matches(const struct round *r, const struct sriov_rule *rule,
			     const struct nic_packet *p)
{
	uint64_t value = rule->value.user_def, mask = rule->mask.user_def;
	unsigned at = value >> 16 & 0x3e;

	if (!mask)
		return true;
	if (!strcmp(r->port.driver, "ixgbe"))
		return number_matches(p->vf < 0 ? r->port.vfs : (unsigned)p->vf, value, mask);
	return (p->l4_payload[at] << 8 | p->l4_payload[at + 1]) == (int)(value & 0xffff);
}

/* What a rule says, word by word, and nothing of how it is done. */
static bool rule_matches(const struct round *r, const struct sriov_rule *rule,
			 const struct nic_packet *p)
{
	const struct sriov_match *v = &rule->value, *m = &rule->mask;
	size_t size = is_v6(rule->type) ? 16 : 4;

	if (!type_matches(rule->type, p) || (rule->scope.kind == SRIOV_SCOPE_PF && p->vf >= 0) ||
	    (rule->scope.kind == SRIOV_SCOPE_VF && p->vf != (int)rule->scope.vf))
		return false;
	if (rule->type != SRIOV_FLOW_ETHER &&
	    (!bytes_match(p->src_ip, v->src_ip, m->src_ip, size) ||
	     !bytes_match(p->dst_ip, v->dst_ip, m->dst_ip, size)))
		return false;
	if (proto_of(rule->type) &&
	    (!port_matches(p->src_port, v->src_port, m->src_port, rule->src_port_last) ||
	     !port_matches(p->dst_port, v->dst_port, m->dst_port, rule->dst_port_last)))
		return false;
	if (rule->type == SRIOV_FLOW_ETHER &&
	    (!bytes_match(p->src_mac, v->src_mac, m->src_mac, 6) ||
	     !bytes_match(p->dst_mac, v->dst_mac, m->dst_mac, 6) ||
	     !number_matches(p->ethertype, v->ethertype, m->ethertype)))
		return false;
	if ((m->vlan_tci || m->vlan_etype) && !p->tagged)
		return false;
	return number_matches(p->tci, v->vlan_tci, m->vlan_tci) && user_def_matches(r, rule, p);
}

static void random_packet(struct round *r, struct nic_packet *p)
{
	static const uint8_t protos[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP, IPPROTO_ICMP};
	static const uint16_t types[] = {ETHERTYPE_IP, ETHERTYPE_IP, ETHERTYPE_IPV6, 0x88f7};

	*p = (struct nic_packet){.ethertype = types[pick(r, 4)],
				 .src_mac = {10, [5] = pick(r, 3)},
				 .dst_mac = {10, [5] = pick(r, 3)},
				 .tagged = chance(r, 30),
				 .src_ip = {10, 0, pick(r, 2), pick(r, 4)},
				 .dst_ip = {10, 0, pick(r, 2), pick(r, 4)},
				 .proto = protos[pick(r, 4)],
				 .fragment = chance(r, 15),
				 .src_port = pick(r, 24),
				 .dst_port = pick(r, 24),
				 .vf = (int)pick(r, r->port.vfs + 1) - 1};
	if (p->tagged)
		p->tci = pick(r, 2) ? 5 : pick(r, 65536);
}

static void fill_bits(struct round *r, uint8_t *at, const uint8_t *value, const uint8_t *mask,
		      size_t n)
{
	for (size_t i = 0; i < n; i++)
		at[i] = (value[i] & mask[i]) | (pick(r, 256) & ~mask[i]);
}

/* A packet that the rule is about. */
static void matching_packet(struct round *r, const struct sriov_rule *rule, struct nic_packet *p)
{
	const struct sriov_match *v = &rule->value, *m = &rule->mask;
	unsigned at = v->user_def >> 16 & 0x3e;

	random_packet(r, p);
	if (rule->type == SRIOV_FLOW_ETHER) {
		fill_bits(r, p->src_mac, v->src_mac, m->src_mac, 6);
		fill_bits(r, p->dst_mac, v->dst_mac, m->dst_mac, 6);
		p->ethertype = m->ethertype ? v->ethertype : p->ethertype;
	} else {
		p->ethertype = is_v6(rule->type) ? ETHERTYPE_IPV6 : ETHERTYPE_IP;
		fill_bits(r, p->src_ip, v->src_ip, m->src_ip, sizeof(p->src_ip));
		fill_bits(r, p->dst_ip, v->dst_ip, m->dst_ip, sizeof(p->dst_ip));
	}
	if (proto_of(rule->type)) {
		p->proto = proto_of(rule->type);
		p->fragment = false;
	}
	fill_bits(r, (uint8_t *)&p->src_port, (uint8_t *)&v->src_port, (uint8_t *)&m->src_port, 2);
	fill_bits(r, (uint8_t *)&p->dst_port, (uint8_t *)&v->dst_port, (uint8_t *)&m->dst_port, 2);
	if (rule->dst_port_last)
		p->dst_port = v->dst_port + pick(r, rule->dst_port_last - v->dst_port + 1);
	if (m->vlan_tci || m->vlan_etype) {
		p->tagged = true;
		fill_bits(r, (uint8_t *)&p->tci, (uint8_t *)&v->vlan_tci, (uint8_t *)&m->vlan_tci,
			  2);
	}
	if (m->user_def && !strcmp(r->port.driver, "i40e")) {
		p->l4_payload[at] = v->user_def >> 8;
		p->l4_payload[at + 1] = v->user_def;
	} else if (m->user_def) {
		p->vf = v->user_def < r->port.vfs ? (int)v->user_def : -1;
	}
	if (rule->scope.kind == SRIOV_SCOPE_PF)
		p->vf = -1;
	if (rule->scope.kind == SRIOV_SCOPE_VF && rule->scope.vf < r->port.vfs)
		p->vf = rule->scope.vf;
}

/* One thing of the packet otherwise. */
static void near_miss(struct round *r, struct nic_packet *p)
{
	switch (pick(r, 9)) {
	case 0:
		p->src_ip[pick(r, 4)] ^= 1u << pick(r, 8);
		break;
	case 1:
		p->dst_ip[pick(r, 16)] ^= 1u << pick(r, 8);
		break;
	case 2:
		p->src_port ^= 1u << pick(r, 16);
		break;
	case 3:
		p->dst_port ^= 1u << pick(r, 16);
		break;
	case 4:
		p->tagged = !p->tagged;
		p->tci = 0;
		break;
	case 5:
		p->tci ^= p->tagged ? 1u << pick(r, 16) : 0;
		break;
	case 6:
		p->fragment = !p->fragment;
		break;
	case 7:
		p->l4_payload[pick(r, 8)] ^= 1;
		break;
	default:
		p->vf = (int)pick(r, r->port.vfs + 1) - 1;
	}
}

static bool in_hardware(const struct round *r, size_t i)
{
	return r->out.verdict[i].result == SRIOV_EXACT && !r->out.verdict[i].left_out;
}

/* What the verdict leaves open, by its conditions: fragments of IPv6, traffic that a VSI does not get. */
static bool acts(const struct round *r, const struct sriov_rule *rule, const struct nic_packet *p)
{
	return strcmp(r->port.driver, "i40e") || rule->action.kind != SRIOV_ACTION_QUEUE ||
	       rule->scope.kind != SRIOV_SCOPE_ALL || p->vf < 0;
}

static bool is_foreign(const struct round *r, const struct nic_hit *hit)
{
	for (size_t i = 0; i < r->port.nrules; i++)
		if (r->port.rules[i].loc == hit->loc)
			return true;
	return hit->loc == NIC_NO_RULE && !r->port.watched;
}

static void check_hit(const struct round *r, size_t i, const struct nic_hit *hit)
{
	const struct sriov_rule *rule = &r->rule[i];
	int vf = rule->action.kind == SRIOV_ACTION_VF ? (int)rule->action.vf
		 : rule->scope.kind == SRIOV_SCOPE_VF ? (int)rule->scope.vf
						      : -1;

	if (hit->drop != (rule->action.kind == SRIOV_ACTION_DROP) ||
	    (!hit->drop && (hit->vf != vf || hit->queue != rule->action.queue)))
		broken(r, "a packet of rule %zu meets loc %u: drop %d, vf %d, queue %u", i + 1,
		       hit->loc, hit->drop, hit->vf, hit->queue);
}

static void check_packet(const struct round *r, const struct nic_packet *p)
{
	struct nic_hit hit;
	bool met = nic_model_match(r->model, p, &hit);
	size_t i = 0;

	while (i < r->rules.n && !(in_hardware(r, i) && rule_matches(r, &r->rule[i], p)))
		i++;
	if (i == r->rules.n) {
		if (met && !is_foreign(r, &hit))
			broken(r,
			       "a packet of no rule meets loc %u (ethertype %x, proto %u, fragment "
			       "%d, tagged %d tci %x, vf %d)",
			       hit.loc, p->ethertype, p->proto, p->fragment, p->tagged, p->tci,
			       p->vf);
	} else if (!acts(r, &r->rule[i], p)) {
		if (met && !is_foreign(r, &hit))
			broken(r, "rule %zu acts on what is not switched to the PF", i + 1);
	} else if (!met) {
		broken(r, "a packet of rule %zu meets nothing (vf %d, tagged %d)", i + 1, p->vf,
		       p->tagged);
	} else {
		check_hit(r, i, &hit);
	}
}

static void check_packets(struct round *r)
{
	for (size_t i = 0; i < PACKETS; i++) {
		struct nic_packet p;
		size_t like = r->rules.n ? pick(r, r->rules.n) : 0;

		if (chance(r, 85))
			matching_packet(r, &r->rule[like], &p);
		else
			random_packet(r, &p);
		if (chance(r, 50))
			near_miss(r, &p);
		/* what is compared of fragments of IPv6 the driver never says */
		if (p.ethertype == ETHERTYPE_IPV6)
			p.fragment = false;
		check_packet(r, &p);
	}
}

/* ---- what else a verdict promises ---- */

/* The nearest rule is one, and fits alone. */
static void check_nearest(const struct round *r, const struct sriov_verdict *v)
{
	struct sriov_rule rule;
	struct sriov_rules rules = {.at = &rule, .n = 1};
	struct sriov_compiled out = {0};
	struct sriov_error err = {0};

	if (sriov_rule_parse(v->nearest, NULL, 0, &rule, &err))
		broken(r, "'%s' is no rule: %s", v->nearest, err.message);
	if (sriov_rules_compile(&rules, &r->port, NULL, &out, &err) ||
	    out.verdict[0].result != SRIOV_EXACT)
		broken(r, "'%s' is not exact: %s", v->nearest, err.message);
	sriov_compiled_clear(&out);
}

static void check_verdicts(const struct round *r, size_t counts[SRIOV_RESULTS], size_t *nearest)
{
	for (size_t i = 0; i < r->rules.n; i++) {
		const struct sriov_verdict *v = &r->out.verdict[i];

		counts[v->result]++;
		if ((v->result == SRIOV_EXACT) != !v->why[0])
			broken(r, "rule %zu: %s, but says '%s'", i + 1,
			       sriov_result_word(v->result), v->why);
		if (v->n && v->result != SRIOV_EXACT)
			broken(r, "rule %zu has entries", i + 1);
		if (!v->nearest[0])
			continue;
		(*nearest)++;
		check_nearest(r, v);
	}
}

static void one_round(struct round *r, const char *driver, size_t counts[SRIOV_RESULTS],
		      size_t *nearest)
{
	struct nic_device device;

	random_port(r, driver);
	assert_int_equal(nic_device_of(&r->port, &device, NULL), 0);
	assert_int_equal(nic_model_new(&device, &r->model, NULL), 0);
	if (chance(r, 40))
		random_foreign(r);
	r->rules = (struct sriov_rules){.at = r->rule, .n = 1 + pick(r, RULES_MAX)};
	for (size_t i = 0; i < r->rules.n; i++)
		random_rule(r, &r->rule[i], i ? &r->rule[pick(r, i)] : NULL);
	assert_true(sriov_rules_compile(&r->rules, &r->port, NULL, &r->out, NULL) != -ENOMEM);
	check_verdicts(r, counts, nearest);
	check_accepted(r);
	check_packets(r);
	sriov_compiled_clear(&r->out);
	nic_model_free(r->model);
}

static void exact_is_exact(void **state)
{
	static const char *const drivers[] = {"ixgbe", "i40e", "igb"};
	const char *given = getenv("SRIOV_TEST_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL) * 1000003;

	print_message("SRIOV_TEST_SEED=%llu\n", (unsigned long long)seed);
	for (size_t d = 0; d < ARRAY_SIZE(drivers); d++) {
		size_t counts[SRIOV_RESULTS] = {0}, nearest = 0;

		for (unsigned i = 0; i < LISTS; i++) {
			struct round r = {.seed = seed + i};

			/* a failing round's seed is the first round of a run that is given it */
			r.random = (r.seed + 1) * 0x9e3779b97f4a7c15ull;
			r.random ^= r.random >> 29;
			r.random += !r.random;
			one_round(&r, drivers[d], counts, &nearest);
		}
		printf("figure: %s: %u random lists:", drivers[d], LISTS);
		for (unsigned i = 0; i < SRIOV_RESULTS; i++)
			if (counts[i])
				printf(" %zu %s,", counts[i], sriov_result_word(i));
		printf(" %zu with a nearest rule\n", nearest);
		assert_true(counts[SRIOV_EXACT] > LISTS / 2);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(exact_is_exact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
