/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first rule that matches decides: random lists of rules that lie over each other, on random ports, become
 * entries that the driver's model takes, and packets meet in them what the first rule says that matches, or
 * nothing where that one is not in hardware. What fails is told as the smallest list that still does.
 *
 *     PACKETS=N             packets of each driver (default 1,000,000)
 *     DRIVER=ixgbe          that one alone
 *     SRIOV_TEST_SEED=N     repeats a run, or the round that failed
 *
 * A run of billions: a Release build with -DSRIOV_TESTS=ON, and DRIVER and PACKETS as above.
 */
#include "tests/unit/flow_first_list.h"
#include "tests/unit/flow_shrink.h"
#include "tests/unit/trace_answer.h"

#include <time.h>

#define DEFAULT_PACKETS 1000000
#define PACKETS_MAX 300 /* of one list */
#define PACKETS_MIN 60
#define MATCHES 40000 /* entries looked at for one list, more or less */
#define SHRUNK_PACKETS 400

/* The table of the list at hand, as the trace has it. */
static struct traced traced;

struct counts {
	uint64_t lists, packets, entries;
	uint64_t whole, partial; /* lists of which all, and some, rules are in hardware */
	uint64_t in, rules;
};

__attribute__((format(printf, 2, 3))) static bool fails_so(struct failure *f, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(f->what, sizeof(f->what), fmt, ap);
	va_end(ap);
	f->has_packet = false;
	return true;
}

/* ---- what the answer says of itself ---- */

static bool wrong_numbers(const struct round *r, int code, struct failure *f)
{
	const struct sriov_compiled *out = &r->out;
	bool whole = true;
	size_t n = 0;

	if (out->nrules != r->rules.n)
		return fails_so(f, "%zu verdicts for %zu rules", out->nrules, r->rules.n);
	for (size_t i = 0; i < out->nrules; i++) {
		const struct sriov_verdict *v = &out->verdict[i];

		if (v->n && v->first != n)
			return fails_so(f, "entries of rule %zu begin at %zu, not %zu", i + 1,
					v->first, n);
		n += v->n;
		whole &= in_hardware(r, i) || v->left_out;
		if (v->n && !in_hardware(r, i))
			return fails_so(f, "rule %zu has entries and is not in hardware", i + 1);
		if (v->left_out && (!r->partial || !r->rule[i].optional))
			return fails_so(f, "rule %zu is left out and was not to be", i + 1);
	}
	if (n != out->nentries)
		return fails_so(f, "%zu entries of rules, %zu of the list", n, out->nentries);
	if (whole != !code)
		return fails_so(f, "the answer is %d", code);
	return false;
}

/* In the table, each at a place of its own; the driver takes them all. */
static bool wrong_entries(struct round *r, struct failure *f)
{
	char text[400];

	for (size_t i = 0; i < r->out.nentries; i++) {
		const struct sriov_entry *e = &r->out.entry[i];
		size_t before = nic_model_count(r->model);
		struct nic_outcome outcome;

		sriov_entry_format(e, text, sizeof(text));
		if (e->loc >= r->out.table_size)
			return fails_so(f, "loc %u of a table of %u", e->loc, r->out.table_size);
		if (is_installed(r, e))
			continue;
		round_add(r, e, &outcome);
		if (outcome.err)
			return fails_so(f, "loc %u %s: refused with %d (%s)", e->loc, text,
					outcome.err, outcome.why);
		if (nic_model_count(r->model) != before + 1 ||
		    nic_model_count(r->mirror) != before + 1)
			return fails_so(f, "loc %u %s takes the place of another", e->loc, text);
	}
	return false;
}

static bool same_answer(const struct sriov_compiled *a, const struct sriov_compiled *b)
{
	if (a->nentries != b->nentries)
		return false;
	for (size_t i = 0; i < a->nentries; i++)
		if (a->entry[i].loc != b->entry[i].loc ||
		    !sriov_entry_same(&a->entry[i], &b->entry[i]))
			return false;
	for (size_t i = 0; i < a->nrules; i++)
		if (a->verdict[i].result != b->verdict[i].result ||
		    a->verdict[i].left_out != b->verdict[i].left_out)
			return false;
	return true;
}

/* Entries of others that are just what is wanted stay theirs: taken over they would bind the list no more. */
static size_t own_entries(const struct round *r, struct sriov_entry *ours)
{
	size_t n = 0;

	for (size_t i = 0; i < r->out.nentries; i++)
		if (!is_installed(r, &r->out.entry[i]))
			ours[n++] = r->out.entry[i];
	return n;
}

/* Asked again it gives the same answer, also when its entries are in the table already. */
static bool wrong_again(struct round *r, struct failure *f)
{
	struct sriov_entry *table = calloc(r->port.nrules + r->out.nentries + 1, sizeof(*table));
	struct sriov_compile opts = {.partial = r->partial};
	struct sriov_compiled again = {0}, kept = {0};
	struct sriov_pf port = r->port;
	bool same, stays;

	assert_non_null(table);
	memcpy(table, r->port.rules, r->port.nrules * sizeof(*table));
	opts.ours = table + r->port.nrules;
	opts.nours = own_entries(r, table + r->port.nrules);
	sriov_rules_compile(&r->rules, &port, &opts, &again, NULL);
	same = same_answer(&r->out, &again);
	port.rules = table;
	port.nrules += opts.nours;
	sriov_rules_compile(&r->rules, &port, &opts, &kept, NULL);
	stays = same_answer(&r->out, &kept);
	sriov_compiled_clear(&again);
	sriov_compiled_clear(&kept);
	free(table);
	if (!same)
		return fails_so(f, "compiled twice, the answers differ");
	return stays ? false
		     : fails_so(f, "with its own entries in the table the answer is another");
}

/* ---- packets ---- */

static struct sriov_packet as_trace_sees(const struct nic_packet *p)
{
	bool l4 = !p->fragment &&
		  (p->proto == IPPROTO_TCP || p->proto == IPPROTO_UDP || p->proto == IPPROTO_SCTP);
	struct sriov_packet out = {.has = SRIOV_PACKET_PORTS,
				   .ethertype = p->ethertype,
				   .proto = p->proto,
				   .fragment = p->fragment,
				   .ntags = p->tagged,
				   .src_port = p->src_port,
				   .dst_port = p->dst_port,
				   .payload_size = sizeof(out.payload)};

	out.tag[0] = (struct sriov_vlan_tag){p->tagged ? 0x8100 : 0, p->tci};
	memcpy(out.src_mac, p->src_mac, 6);
	memcpy(out.dst_mac, p->dst_mac, 6);
	memcpy(out.src_ip, p->src_ip, 16);
	memcpy(out.dst_ip, p->dst_ip, 16);
	memcpy(out.payload, l4 ? p->l4_payload : p->l3_payload, sizeof(out.payload));
	return out;
}

/* The trace goes through the same entries by itself, and must come to where the model comes. */
static bool trace_agrees(const struct round *r, const struct nic_packet *p, char why[WHY_SIZE])
{
	struct sriov_packet seen = as_trace_sees(p);
	char trace[ANSWER_SIZE], model[ANSWER_SIZE];
	struct nic_hit hit;

	/* others' rules of i40e and igb may match more than can be read, and leave filters behind */
	if (!traced.tracer || (nic_model_match(r->model, p, &hit) && hit.loc == NIC_NO_RULE))
		return true;
	trace_answer(&traced, &seen, p->vf, p->switched, trace);
	model_answer(r->model, p, model);
	snprintf(why, WHY_SIZE, "the trace says %s, the model %s", trace, model);
	return !strcmp(trace, model);
}

static bool wrong_packet(const struct round *r, const struct nic_packet *p, struct failure *f)
{
	char why[WHY_SIZE];

	if (oracle_agrees(r, p, why) && trace_agrees(r, p, why))
		return false;
	fails_so(f, "%s", why);
	f->has_packet = true;
	f->packet = *p;
	return true;
}

static bool wrong_packets(struct round *r, size_t n, struct failure *f)
{
	for (size_t i = 0; i < n; i++) {
		struct nic_packet p;

		list_packet(r, &p);
		if (wrong_packet(r, &p, f))
			return true;
	}
	return false;
}

/* Everything of a list but packets. */
static bool wrong_list(struct round *r, bool again, struct failure *f)
{
	int code;

	round_start(r);
	code = round_compile(r);
	if (wrong_numbers(r, code, f) || wrong_entries(r, f) || (again && wrong_again(r, f)))
		return true;
	if (!r->port.nrules || !strcmp(r->port.driver, "ixgbe"))
		trace_table(r, &traced);
	return false;
}

static void end_list(struct round *r)
{
	traced_clear(&traced);
	round_end(r);
}

/* round_fails() of the shrinker: the packet that failed comes first. */
static bool list_fails(struct round *r, struct failure *f)
{
	struct failure before = *f;
	bool wrong = wrong_list(r, true, f) ||
		     (before.has_packet && before.packet.vf < (int)r->port.vfs &&
		      wrong_packet(r, &before.packet, f)) ||
		     wrong_packets(r, SHRUNK_PACKETS, f);

	end_list(r);
	return wrong;
}

/* ---- the property ---- */

static void random_round(struct round *r, const char *driver, uint64_t seed)
{
	*r = (struct round){.matches = rule_matches};
	round_seed(r, seed);
	first_port(r, driver);
	if (chance(r, 20))
		random_foreign(r);
	first_list(r);
}

static size_t packets_of(const struct round *r)
{
	size_t n = MATCHES / (r->out.nentries + r->rules.n + 20);

	return n < PACKETS_MIN ? PACKETS_MIN : n > PACKETS_MAX ? PACKETS_MAX : n;
}

static void count(const struct round *r, size_t packets, struct counts *c)
{
	size_t in = 0;

	for (size_t i = 0; i < r->rules.n; i++)
		in += in_hardware(r, i);
	c->lists++;
	c->packets += packets;
	c->entries += r->out.nentries;
	c->rules += r->rules.n;
	c->in += in;
	c->whole += in == r->rules.n;
	c->partial += in && in < r->rules.n;
}

static void one_list(const char *driver, uint64_t seed, struct counts *c)
{
	struct failure f = {.has_packet = false};
	struct round r;
	bool wrong;
	size_t n;

	random_round(&r, driver, seed);
	wrong = wrong_list(&r, seed % 8 == 0, &f);
	n = packets_of(&r);
	wrong = wrong || wrong_packets(&r, n, &f);
	if (!wrong)
		count(&r, n, c);
	end_list(&r);
	if (!wrong)
		return;
	print_message("seed %llu, as found:\n", (unsigned long long)seed);
	print_failure(&r, &f);
	shrink(&r, &f, list_fails);
	print_message("\nthe smallest list that fails:\n");
	print_failure(&r, &f);
	fail_msg("%s", f.what);
}

static void drive(const char *driver)
{
	const char *given = getenv("SRIOV_TEST_SEED"), *packets = getenv("PACKETS");
	const char *only = getenv("DRIVER");
	uint64_t wanted = packets ? strtoull(packets, NULL, 0) : DEFAULT_PACKETS;
	uint64_t seed = given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL) * 1000003;
	struct counts c = {0};

	if (only && strcmp(only, driver) != 0)
		skip();
	print_message("SRIOV_TEST_SEED=%llu\n", (unsigned long long)seed);
	for (uint64_t i = 0; c.packets < wanted; i++)
		one_list(driver, seed + i, &c);
	printf("figure: %s: %llu packets against %llu lists (%llu whole, %llu in part in "
	       "hardware; of %llu rules %llu in %llu entries)\n",
	       driver, (unsigned long long)c.packets, (unsigned long long)c.lists,
	       (unsigned long long)c.whole, (unsigned long long)c.partial,
	       (unsigned long long)c.rules, (unsigned long long)c.in,
	       (unsigned long long)c.entries);
	/* lists that hardly ever fit would prove nothing */
	assert_true(c.in > c.rules / 8);
}

/* ---- the shrinker, on oracles that are wrong ---- */

static bool forgets_a_port(const struct round *r, const struct sriov_rule *rule,
			   const struct nic_packet *p)
{
	return p->dst_port != 103 && rule_matches(r, rule, p);
}

static bool ends_early(const struct round *r, const struct sriov_rule *rule,
		       const struct nic_packet *p)
{
	return rule_matches(r, rule, p) &&
	       (!rule->dst_port_last || p->dst_port < rule->dst_port_last);
}

static void shrinks(void **state)
{
	static const struct {
		round_matches *matches;
		const char *smallest; /* but for where a range begins */
		unsigned range;
	} wrongs[] = {
		{forgets_a_port, "flow-type udp4 drop", 0},
		{ends_early, "flow-type udp4 dst-port 96-97 drop", 2},
	};

	for (size_t w = 0; w < ARRAY_SIZE(wrongs); w++) {
		struct failure f = {.has_packet = false};
		struct round r = {.nic = "82599", .matches = wrongs[w].matches};
		struct sriov_rule expected;
		char text[256];

		round_seed(&r, w);
		assert_int_equal(sriov_nic_port("82599,vfs=0,queues=4", &r.port, NULL), 0);
		for (unsigned i = 0; i < 24; i++) {
			snprintf(text, sizeof(text),
				 "udp4 dst-ip 10.0.0.%u dst-port %u-%u queue %u weight 3 optional",
				 i, 96 + 16 * (i % 3), 111 + 16 * (i % 3), i % 4);
			rule_of(text, &r.rule[r.rules.n++]);
		}
		assert_true(list_fails(&r, &f));
		shrink(&r, &f, list_fails);
		assert_int_equal(r.rules.n, 1);
		rule_of(wrongs[w].smallest, &expected);
		if (wrongs[w].range) {
			assert_int_equal(r.rule[0].dst_port_last - r.rule[0].value.dst_port + 1,
					 wrongs[w].range);
			expected.value.dst_port = r.rule[0].value.dst_port;
			expected.dst_port_last = r.rule[0].dst_port_last;
		}
		assert_memory_equal(&r.rule[0], &expected, sizeof(expected));
		assert_true(f.has_packet);
		assert_false(wrongs[w].matches(&r, &r.rule[0], &f.packet));
		assert_true(rule_matches(&r, &r.rule[0], &f.packet));
	}
}

static void ixgbe(void **state)
{
	drive("ixgbe");
}

static void i40e(void **state)
{
	drive("i40e");
}

static void igb(void **state)
{
	drive("igb");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(shrinks),
		cmocka_unit_test(ixgbe),
		cmocka_unit_test(i40e),
		cmocka_unit_test(igb),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
