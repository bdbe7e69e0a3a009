/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random lists of rules on random ports: what the compiler calls exact, the driver's model accepts entry by
 * entry, programs as meant, and then lets packets meet just as the rules' words say. SRIOV_TEST_SEED repeats
 * a run.
 */
#include "tests/unit/flow_packets.h"

#include <time.h>

#define LISTS 1500 /* of each driver */
#define PACKETS 40
#define RULES 6 /* of a list at most */

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

static void check_accepted(struct round *r)
{
	struct nic_outcome outcome;
	char text[512];

	for (size_t i = 0; i < r->out.nentries; i++) {
		const struct sriov_entry *e = &r->out.entry[i];

		if (is_installed(r, e))
			continue;
		round_add(r, e, &outcome);
		sriov_entry_format(e, text, sizeof(text));
		if (outcome.err)
			broken(r, "loc %u %s: refused with %d (%s)", e->loc, text, outcome.err,
			       outcome.why);
		check_hardware(r, e, &outcome);
	}
}

static void check_packets(struct round *r)
{
	char why[WHY_SIZE], words[512];

	for (size_t i = 0; i < PACKETS; i++) {
		struct nic_packet p;

		list_packet(r, &p);
		if (oracle_agrees(r, &p, why))
			continue;
		packet_words(&p, words, sizeof(words));
		broken(r, "%s: %s", words, why);
	}
}

/* ---- what else a verdict promises ---- */

/* The nearest rule is one, and exact in the place of rule @i; and no other rule is out for it. */
static void check_nearest(const struct round *r, size_t i)
{
	const struct sriov_compile opts = {.partial = r->partial};
	const char *nearest = r->out.verdict[i].nearest;
	struct sriov_rule rule[RULES_MAX];
	struct sriov_rules rules = {.at = rule, .n = r->rules.n};
	struct sriov_compiled out = {0};
	struct sriov_error err = {0};

	memcpy(rule, r->rule, rules.n * sizeof(*rule));
	if (sriov_rule_parse(nearest, NULL, 0, &rule[i], &err))
		broken(r, "'%s' is no rule: %s", nearest, err.message);
	sriov_rules_compile(&rules, &r->port, &opts, &out, NULL);
	if (out.verdict[i].result != SRIOV_EXACT || !out.verdict[i].n)
		broken(r, "'%s' in place of rule %zu is %s: %s", nearest, i + 1,
		       sriov_result_word(out.verdict[i].result), out.verdict[i].why);
	for (size_t k = 0; k < rules.n; k++)
		if (in_hardware(r, k) && out.verdict[k].result != SRIOV_EXACT)
			broken(r, "'%s' in place of rule %zu takes rule %zu out: %s", nearest,
			       i + 1, k + 1, out.verdict[k].why);
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
		check_nearest(r, i);
	}
}

static void one_round(struct round *r, const char *driver, size_t counts[SRIOV_RESULTS],
		      size_t *nearest)
{
	random_port(r, driver);
	if (chance(r, 40))
		random_foreign(r);
	r->rules.n = 1 + pick(r, RULES);
	for (size_t i = 0; i < r->rules.n; i++)
		random_rule(r, &r->rule[i], i ? &r->rule[pick(r, i)] : NULL);
	r->partial = chance(r, 50);
	for (size_t i = 0; r->partial && i < r->rules.n; i++)
		r->rule[i].optional = chance(r, 40);
	round_start(r);
	round_compile(r);
	check_verdicts(r, counts, nearest);
	check_accepted(r);
	check_packets(r);
	round_end(r);
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
			struct round r = {.matches = rule_matches};

			/* a failing round's seed is the first round of a run that is given it */
			round_seed(&r, seed + i);
			one_round(&r, drivers[d], counts, &nearest);
		}
		printf("figure: %s: %u random lists:", drivers[d], LISTS);
		for (unsigned i = 0; i < SRIOV_RESULTS; i++)
			if (counts[i])
				printf(" %zu %s,", counts[i], sriov_result_word(i));
		printf(" %zu with a nearest rule\n", nearest);
		assert_true(nearest > LISTS / 100);
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
