/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How good the compiler's choice is: small lists, for which every choice among the optional rules with every mask
 * is tried here, by what rules say of packets and nothing of how the compiler goes about it. It never finds more
 * than there is, and where it says that its answer is the best, it is. LISTS and SRIOV_TEST_SEED as one likes.
 */
#include "tests/unit/flow_oracle.h"

#include <time.h>

#define DEFAULT_LISTS 2000 /* of each NIC */
#define RULES 8
#define WORTHLESS (-1L)

/*
 * Packets of udp4 fall into cells: of the destination address and port each the two lowest bits, and whether the
 * others are those that rules of these lists name (10.0.0.0/30, 64-67) or not.
 */
#define FIELD_BITS 3
#define FIELD_OTHER 4 /* the bit of "others" */
#define FIELD_LOW 3
#define CELLS (1u << 2 * FIELD_BITS)
#define CELL_IP(cell) ((cell) >> FIELD_BITS)
#define CELL_PORT(cell) ((cell)&7)
#define NO_RULE RULES

struct choice {
	long worth; /* weights of the optional rules that are in hardware; WORTHLESS: impossible */
	unsigned entries;
};

static struct nic_packet cell_packet(unsigned cell)
{
	unsigned ip = CELL_IP(cell), port = CELL_PORT(cell);

	return (struct nic_packet){
		.ethertype = ETHERTYPE_IP,
		.proto = IPPROTO_UDP,
		.vf = -1,
		.dst_ip = {ip & FIELD_OTHER ? 11 : 10, 0, 0, ip & FIELD_LOW},
		.dst_port = (port & FIELD_OTHER ? 128 : 64) + (port & FIELD_LOW),
	};
}

/* The first rule that matches a cell's packets. */
static void own_cells(const struct round *r, uint8_t owner[CELLS])
{
	for (unsigned cell = 0; cell < CELLS; cell++) {
		struct nic_packet p = cell_packet(cell);
		size_t i = first_match(r, &p);

		owner[cell] = i < r->rules.n ? i : NO_RULE;
	}
}

/* Whether a NIC can have that mask, a set of bits of a cell. */
static bool mask_exists(const struct round *r, unsigned mask)
{
	unsigned ip = CELL_IP(mask), port = CELL_PORT(mask);

	/* i40e matches a field whole or not at all */
	return strcmp(r->port.driver, "i40e") || ((ip == 0 || ip == 7) && (port == 0 || port == 7));
}

static bool same_action(const struct round *r, size_t i, size_t k)
{
	return action_cookie(&r->rule[i].action) == action_cookie(&r->rule[k].action);
}

/*
 * Entries that the rules of the set @in take with that mask, or 0 and false if some entry would catch a packet
 * that is not theirs. @merge: one entry may serve several rules that do the same.
 */
static bool count_entries(const struct round *r, const uint8_t owner[CELLS], unsigned in,
			  unsigned mask, bool merge, unsigned *entries)
{
	unsigned n = 0;

	for (unsigned block = 0; block < CELLS; block++) {
		unsigned rest = CELLS - 1 - mask, cell = rest, first = owner[block];
		bool here = first != NO_RULE && in >> first & 1;

		if (block & rest)
			continue;
		/* all cells of the block: every subset of the bits outside the mask */
		do {
			unsigned other;

			cell = (cell - 1) & rest;
			other = owner[block | cell];
			if (here != (other != NO_RULE && in >> other & 1))
				return false;
			if (here && other != first && !(merge && same_action(r, first, other)))
				return false;
		} while (cell != rest && rest);
		if (!here)
			continue;
		/* what is not of the few values has thousands, one entry each */
		if (block & mask & (FIELD_OTHER << FIELD_BITS | FIELD_OTHER))
			return false;
		n++;
	}
	*entries = n;
	return true;
}

/* Rules that have packets of their own: whether the others count as in hardware is a matter of words. */
static unsigned reached(const uint8_t owner[CELLS])
{
	unsigned set = 0;

	for (unsigned cell = 0; cell < CELLS; cell++)
		set |= owner[cell] == NO_RULE ? 0 : 1u << owner[cell];
	return set;
}

static long worth_of(const struct round *r, unsigned in)
{
	long worth = 0;

	for (size_t i = 0; i < r->rules.n; i++)
		if (in >> i & 1 && r->rule[i].optional)
			worth += r->rule[i].weight;
	return worth;
}

/* The best of all choices: the most worth, and of these the fewest entries. */
static struct choice best_choice(const struct round *r, unsigned room, bool merge)
{
	struct choice best = {WORTHLESS, 0};
	uint8_t owner[CELLS];
	unsigned must = 0, seen;

	own_cells(r, owner);
	seen = reached(owner);
	for (size_t i = 0; i < r->rules.n; i++)
		must |= !r->rule[i].optional << i;
	must &= seen;
	for (unsigned in = 0; in < 1u << r->rules.n; in++) {
		long worth = worth_of(r, in);

		if ((in & must) != must || (in & ~seen) || worth < best.worth)
			continue;
		for (unsigned mask = 0; mask < CELLS; mask++) {
			unsigned n;

			if (!mask_exists(r, mask) ||
			    !count_entries(r, owner, in, mask, merge, &n) || n > room)
				continue;
			if (worth > best.worth || n < best.entries)
				best = (struct choice){worth, n};
		}
	}
	return best;
}

/* ---- lists ---- */

static void small_rule(struct round *r, bool with_ip, bool with_port, struct sriov_rule *rule)
{
	char ip[40] = "", port[40] = "", text[200];
	unsigned first = pick(r, 4), last = first + pick(r, 4 - first);

	if (with_ip && chance(r, 92))
		snprintf(ip, sizeof(ip), "dst-ip 10.0.0.%u/%u", (unsigned)pick(r, 4),
			 30 + (unsigned)pick(r, 3));
	if (with_port && chance(r, 92))
		snprintf(port, sizeof(port), "dst-port %u-%u", 64 + first, 64 + last);
	snprintf(text, sizeof(text), "udp4 %s %s %s weight %u", ip, port,
		 chance(r, 40)   ? "drop"
		 : chance(r, 50) ? "queue 1"
				 : "queue 0",
		 1 + (unsigned)pick(r, 5));
	rule_of(text, rule);
	rule->optional = chance(r, 70);
}

static void small_list(struct round *r, const char *nic, uint64_t seed)
{
	unsigned kind;

	*r = (struct round){.nic = nic, .partial = true, .matches = rule_matches};
	round_seed(r, seed);
	assert_int_equal(sriov_nic_port(nic, &r->port, NULL), 0);
	r->port.rules_max = 2 + (chance(r, 75) ? pick(r, 12) : 20);
	kind = pick(r, 4);
	r->rules = (struct sriov_rules){.at = r->rule, .n = 1 + pick(r, RULES)};
	for (size_t i = 0; i < r->rules.n; i++)
		small_rule(r, kind != 0, kind != 1, &r->rule[i]);
}

/* ---- the comparison ---- */

/* The compiler says itself that its choice is proved best: out->best, once it does. */
#define CLAIMS_BEST(out) false

struct tally {
	unsigned lists, feasible, refused, reached, most, fewest, claimed;
};

__attribute__((noreturn, format(printf, 2, 3))) static void worse(const struct round *r,
								  const char *fmt, ...)
{
	char text[512];
	va_list ap;

	print_message("SRIOV_TEST_SEED=%llu, --nic %s, a table of %u, --partial\n",
		      (unsigned long long)r->seed, r->nic, r->port.rules_max);
	for (size_t i = 0; i < r->rules.n; i++) {
		if (sriov_rule_format(&r->rule[i], text, sizeof(text)))
			snprintf(text, sizeof(text), "(no rule)");
		print_message("%s\n#   %s%s, %zu entries: %.120s\n", text,
			      sriov_result_word(r->out.verdict[i].result),
			      r->out.verdict[i].left_out ? ", left out" : "", r->out.verdict[i].n,
			      r->out.verdict[i].why);
	}
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fail_msg("%s", text);
	abort();
}

static void compare(struct round *r, struct tally *t)
{
	unsigned room = r->port.rules_max - nic_profile_find(r->port.driver)->first_loc;
	/* rules by the bits that they name themselves, and with entries that serve several of them */
	struct choice own = best_choice(r, room, false), merged = best_choice(r, room, true);
	int code = round_compile(r);
	uint8_t owner[CELLS];
	unsigned in = 0;
	long worth;

	for (size_t i = 0; i < r->rules.n; i++)
		in |= (unsigned)in_hardware(r, i) << i;
	own_cells(r, owner);
	in &= reached(owner);
	worth = code ? WORTHLESS : worth_of(r, in);
	if (worth > merged.worth)
		worse(r, "worth %ld, and the most there can be is %ld", worth, merged.worth);
	if (worth == merged.worth && worth != WORTHLESS && r->out.nentries < merged.entries)
		worse(r, "%zu entries, and the fewest there can be are %u", r->out.nentries,
		      merged.entries);
	if (CLAIMS_BEST(&r->out) && !code && worth < own.worth)
		worse(r, "worth %ld is said to be the best, and is %ld", worth, own.worth);
	t->lists++;
	t->feasible += own.worth != WORTHLESS;
	t->refused += own.worth != WORTHLESS && code;
	t->reached += own.worth != WORTHLESS && worth >= own.worth;
	t->most += own.worth != WORTHLESS && worth == merged.worth;
	t->fewest += own.worth != WORTHLESS && worth == own.worth && r->out.nentries <= own.entries;
	t->claimed += CLAIMS_BEST(&r->out) && !code;
	sriov_compiled_clear(&r->out);
}

static void search(const char *nic)
{
	const char *given = getenv("SRIOV_TEST_SEED"), *lists = getenv("LISTS");
	uint64_t seed = given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL) * 1000003;
	unsigned n = lists ? strtoul(lists, NULL, 0) : DEFAULT_LISTS;
	struct tally t = {0};

	print_message("SRIOV_TEST_SEED=%llu\n", (unsigned long long)seed);
	for (unsigned i = 0; i < n; i++) {
		struct round r;

		small_list(&r, nic, seed + i);
		compare(&r, &t);
	}
	printf("figure: %s: of %u small lists %u can be had; %u of these are refused; the best "
	       "choice of rules by the bits that they name is met in %u (with the fewest entries in "
	       "%u), that of any entries in %u; proved best by its own word: %u\n",
	       nic, t.lists, t.feasible, t.refused, t.reached, t.fewest, t.most, t.claimed);
}

static void ixgbe(void **state)
{
	search("82599");
}

static void i40e(void **state)
{
	search("X710");
}

/* The search itself, on lists whose answer is plain. */
static void searches(void **state)
{
	static const struct {
		const char *nic;
		unsigned room;
		const char *rules[4];
		long own, merged;
		unsigned entries; /* of own */
	} cases[] = {
		/* one mask for both: /32, and the rest of the /31 is one entry more */
		{"82599",
		 2,
		 {"udp4 dst-ip 10.0.0.1 drop", "udp4 dst-ip 10.0.0.0/31 queue 1"},
		 0,
		 0,
		 2},
		/* both do the same: one entry of the /31 would do */
		{"82599",
		 1,
		 {"udp4 dst-ip 10.0.0.1 drop", "udp4 dst-ip 10.0.0.0/31 drop"},
		 WORTHLESS,
		 0,
		 0},
		/* the dearer one, as there is room for it alone */
		{"82599",
		 2,
		 {"udp4 dst-ip 10.0.0.0/31 drop weight 3 optional",
		  "udp4 dst-ip 10.0.0.2/32 drop weight 2 optional"},
		 3,
		 3,
		 1},
		/* what is left out is cut out of the rule behind it: three entries by whole addresses */
		{"X710",
		 3,
		 {"udp4 dst-ip 10.0.0.1 dst-port 64 drop optional",
		  "udp4 dst-ip 10.0.0.0/30 queue 0"},
		 WORTHLESS,
		 WORTHLESS,
		 0},
		{"X710",
		 4,
		 {"udp4 dst-ip 10.0.0.1 drop optional weight 2", "udp4 dst-ip 10.0.0.0/30 queue 0"},
		 2,
		 2,
		 4},
		/* a field that the other rule does not have would take 65,536 entries */
		{"82599",
		 20,
		 {"udp4 dst-ip 10.0.0.1 dst-port 64 drop",
		  "udp4 dst-ip 10.0.0.2 drop weight 4 optional"},
		 0,
		 0,
		 1},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct round r = {.matches = rule_matches};
		struct choice own, merged;

		assert_int_equal(sriov_nic_port(cases[i].nic, &r.port, NULL), 0);
		while (r.rules.n < 4 && cases[i].rules[r.rules.n]) {
			rule_of(cases[i].rules[r.rules.n], &r.rule[r.rules.n]);
			r.rules.n++;
		}
		own = best_choice(&r, cases[i].room, false);
		merged = best_choice(&r, cases[i].room, true);
		if (own.worth != cases[i].own || merged.worth != cases[i].merged ||
		    own.entries != cases[i].entries)
			fail_msg("case %zu: %ld with %u entries, %ld with any", i, own.worth,
				 own.entries, merged.worth);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(searches),
		cmocka_unit_test(ixgbe),
		cmocka_unit_test(i40e),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
