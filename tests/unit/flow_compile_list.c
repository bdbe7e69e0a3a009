/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of rules: which of them get along, where their entries go, and what may be left out. */
#include "tests/unit/flow_fixture.h"

#define RULES_MAX 8

/* One compilation, with what it was made of. */
struct list {
	struct sriov_rule rule[RULES_MAX];
	struct sriov_rules rules;
	struct sriov_entry installed[5], ours[5];
	struct sriov_compile opts;
	struct sriov_pf port;
	struct sriov_compiled out;
	struct sriov_error err;
};

/* @texts and @ours end with NULL. */
static int compile_list(struct list *l, const struct port_words *words, const char *const *texts,
			const char *const *ours)
{
	sriov_compiled_clear(&l->out);
	l->rules = (struct sriov_rules){.at = l->rule};
	for (; *texts; texts++) {
		rule_of(*texts, &l->rule[l->rules.n]);
		l->rule[l->rules.n].line = l->rules.n + 1;
		l->rules.n++;
	}
	port_of(words, l->installed, &l->port);
	l->opts.ours = l->ours;
	for (l->opts.nours = 0; ours && ours[l->opts.nours]; l->opts.nours++)
		l->ours[l->opts.nours] = entry_of(ours[l->opts.nours]);
	return sriov_rules_compile(&l->rules, &l->port, &l->opts, &l->out, &l->err);
}

/* "exact 1,2; refused; left" */
static const char *story(const struct list *l, char buf[512])
{
	struct text text = {.at = buf, .size = 512};

	*buf = '\0';
	for (size_t i = 0; i < l->out.nrules; i++) {
		const struct sriov_verdict *v = &l->out.verdict[i];

		text_add(&text, "%s%s", i ? "; " : "",
			 v->left_out ? "left" : sriov_result_word(v->result));
		for (size_t k = v->first; k < v->first + v->n; k++)
			text_add(&text, "%c%u", k == v->first ? ' ' : ',', l->out.entry[k].loc);
	}
	return buf;
}

#define IXGBE                                                                                      \
	{                                                                                          \
		"ixgbe", X520, 0, 8                                                                \
	}

static const struct {
	struct port_words port;
	const char *rules[RULES_MAX], *ours[5];
	bool partial;
	unsigned allow;
	const char *story;
	const char *message; /* part of the error, NULL = the list fits */
} cases[] = {
	/* locations: asked for, kept, lowest free; never 0 by itself */
	{IXGBE, {"udp4 dst-port 1 drop", "udp4 dst-port 2 drop"}, .story = "exact 1; exact 2"},
	{IXGBE,
	 {"udp4 dst-port 1 drop", "udp4 dst-port 2 drop loc 1", "udp4 dst-port 3 drop"},
	 .story = "exact 2; exact 1; exact 3"},
	{IXGBE, {"udp4 dst-port 1 drop loc 0"}, .story = "exact 0"},
	{{"ixgbe", X520, 0, 8, {"udp4 dst-port 9 drop loc 1"}},
	 {"udp4 dst-port 1 drop"},
	 .story = "exact 2"},
	{{"ixgbe", X520, 0, 8, {"udp4 dst-port 1 drop loc 5", "udp4 dst-port 2 drop loc 1"}},
	 {"udp4 dst-port 3 drop", "udp4 dst-port 1 drop"},
	 {"udp4 dst-port 1 drop loc 5", "udp4 dst-port 2 drop loc 1"},
	 .story = "exact 1; exact 5"},
	{{"ixgbe", X520, 0, 8, {"udp4 dst-port 1 drop loc 5"}},
	 {"udp4 dst-port 3 drop loc 5", "udp4 dst-port 1 drop"},
	 {"udp4 dst-port 1 drop loc 5"},
	 .story = "exact 5; exact 1"},
	{IXGBE,
	 {"udp4 dst-port 1 drop loc 7", "name b udp4 dst-port 2 drop loc 7"},
	 .story = "exact 7; refused",
	 .message = "the location asked for is taken by rule 1 (line 1)"},
	/* far from fitting: how far is not worked out */
	{IXGBE,
	 {"udp4 src-ip 10.1.2.3 dst-ip 10.4.5.6 drop", "udp4 src-ip 10.0.0.0/8 queue 1"},
	 .story = "exact 1; refused",
	 .message = "with one mask for all it would be at least "},
	/* what is ours is no constraint: another mask and another action may replace it */
	{{"ixgbe", X520, 0, 8, {"udp4 dst-port 1 drop loc 5"}},
	 {"udp4 src-port 1 queue 1"},
	 {"udp4 dst-port 1 drop loc 5"},
	 .story = "exact 1"},
	{{"ixgbe", X520, 0, 8, {"udp4 dst-port 1 drop loc 5"}},
	 {"udp4 src-port 1 queue 1"},
	 .story = "refused",
	 .message =
		 "its rules match dst-port, this one src-port\n  loc 5: udp4 dst-port 1 -> drop"},
	/* somebody put another rule where ours was */
	{{"ixgbe", X520, 0, 8, {"udp4 dst-port 2 drop loc 5"}},
	 {"udp4 src-port 1 queue 1"},
	 {"udp4 dst-port 1 drop loc 5"},
	 .story = "refused",
	 .message = "loc 5: udp4 dst-port 2 -> drop"},
	/* rules that say the same, or contradict */
	{IXGBE,
	 {"name a udp4 dst-port 1 drop", "name b udp4 dst-port 1 drop"},
	 .story = "exact 1; exact"},
	{IXGBE,
	 {"name a udp4 dst-port 1 drop", "name b udp4 dst-port 1 queue 1"},
	 .story = "exact 1; exact"},
	{{"igb", I350, 0, 4},
	 {"name a ether proto 1 queue 1", "name b ether prio 1 queue 2"},
	 .story = "exact 1; refused",
	 .message = "some packets match this rule and rule a (line 1), which does something else, "
		    "and igb cannot keep those apart"},
	{{"i40e", 0x1572, 0, 8, {0}, 64},
	 {"tcp4 src-ip 10.0.0.1 drop", "ip4 src-ip 10.0.0.1 drop", "ip4 src-ip 10.0.0.2 drop"},
	 .story = "exact 1; exact 2,3,4; exact 5,6,7,8"},
	{{"i40e", 0x1572, 0, 8, {0}, 64},
	 {"ip4 src-ip 10.0.0.1 drop", "udp4 src-ip 10.0.0.1 queue 1"},
	 .story = "exact 1,2,3,4; exact"},
	{{"i40e", 0x1572, 0, 8, {0}, 64},
	 {"tcp6 dst-ip ::1 drop", "tcp6 dst-ip ::2 drop"},
	 .story = "exact 1; refused",
	 .message = "takes this rule for a duplicate"},
	/* what an NIC makes of a rule may be taken as it is */
	{IXGBE, {"udp4 tos 1 drop"}, .story = "broader", .message = "does not look at it"},
	{IXGBE, {"udp4 tos 1 drop"}, .allow = 1u << SRIOV_BROADER, .story = "broader 1"},
	{IXGBE,
	 {"udp4 tos 1 drop"},
	 .allow = 1u << SRIOV_NARROWER,
	 .story = "broader",
	 .message = "does not look at it"},
	{IXGBE,
	 {"udp4 tos 1 drop", "udp4 queue 1"},
	 .allow = 1u << SRIOV_BROADER,
	 .story = "broader 1; exact"},
	{IXGBE,
	 {"tcp6 drop"},
	 .allow = ~0u,
	 .story = "refused",
	 .message = "no rules of flow type tcp6"},
	{{"i40e", 0x1572, 4, 8, {0}, 64},
	 {"udp4 dst-port 1 vf 3 queue 1"},
	 .allow = 1u << SRIOV_NONE,
	 .story = "none 1"},
	/* optional rules */
	{IXGBE,
	 {"udp4 dst-port 1 drop", "tcp6 dst-port 1 drop"},
	 .partial = true,
	 .story = "exact 1; refused",
	 .message = "flow type tcp6"},
};

static void lists_get_along_or_not(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct list l = {.opts = {.partial = cases[i].partial, .allow = cases[i].allow}};
		char buf[512];
		int r = compile_list(&l, &cases[i].port, cases[i].rules, cases[i].ours);

		if (r != (cases[i].message ? -ENOTSUP : 0) ||
		    !strstr(l.err.message, cases[i].message ?: ""))
			fail_msg("case %zu gave %d: %s", i, r, l.err.message);
		if (strcmp(story(&l, buf), cases[i].story))
			fail_msg("case %zu gave '%s'", i, buf);
		sriov_compiled_clear(&l.out);
	}
}

/* Many rules: each has its own place, and none is compared with all others. */
static void eight_thousand_rules(void **state)
{
	static const unsigned n = 8000;
	struct sriov_rules rules = {.at = calloc(n, sizeof(*rules.at)), .n = n};
	struct port_words words = {"i40e", 0x1572, 0, 8, {0}, 8192};
	struct sriov_compiled out = {0};
	struct sriov_entry installed[5];
	struct sriov_pf port;

	port_of(&words, installed, &port);
	assert_non_null(rules.at);
	for (unsigned i = 0; i < n; i++) {
		rule_of("udp4 src-ip 10.0.0.0 dst-port 1 queue 1", &rules.at[i]);
		rules.at[i].value.src_ip[2] = i >> 8;
		rules.at[i].value.src_ip[3] = i;
		rules.at[i].action.queue = i % 8;
	}
	assert_int_equal(sriov_rules_compile(&rules, &port, NULL, &out, NULL), 0);
	assert_int_equal(out.nentries, n);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(out.entry[i].loc, i + 1);
	sriov_compiled_clear(&out);
	/* of the last the first has all packets */
	rules.at[n - 1].value = rules.at[0].value;
	assert_int_equal(sriov_rules_compile(&rules, &port, NULL, &out, NULL), 0);
	assert_int_equal(out.nentries, n - 1);
	assert_true(out.verdict[n - 1].shadowed);
	assert_int_equal(out.verdict[n - 1].shadow, 0);
	sriov_compiled_clear(&out);
	free(rules.at);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_get_along_or_not),
		cmocka_unit_test(eight_thousand_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
