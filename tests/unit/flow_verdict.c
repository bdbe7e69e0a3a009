/* SPDX-License-Identifier: Apache-2.0 */
/* What verdicts say besides their result: conditions, the nearest rule, who is in the way; and ports by name. */
#include "tests/unit/flow_fixture.h"

static int guest_of(void *data, const char *name, unsigned *vf, struct sriov_error *err)
{
	if (strcmp(name, "web1") != 0)
		return sriov_error_set(err, -ENOENT, name, "the guest holds no VF");
	*vf = 2;
	return 0;
}

static const struct {
	const char *nic, *rule;
	const char *result;
	const char *entries; /* parts of words of the first; NULL: none */
	const char *condition, *nearest, *why;
	bool guests;
} cases[] = {
	/* scope: a pool match on ixgbe, nothing but the target on i40e */
	{"82599,vfs=8", "udp4 dst-port 1 vf 3 queue 1", "exact", "udp4 dst-port 1 -> vf 3 queue 1",
	 "not between VFs"},
	{"82599,vfs=8", "udp4 dst-port 1 in vf 3 queue 1", "exact",
	 "udp4 dst-port 1 user-def 0x3 m 0xffffffffffffff80 -> vf 3 queue 1", "not between VFs"},
	{"X550,vfs=8", "udp4 dst-port 1 in pf queue 1", "exact",
	 "udp4 dst-port 1 user-def 0x8 m 0xffffffffffffff80 -> queue 1"},
	{"X550", "udp4 dst-port 1 in pf queue 1", "exact", "udp4 dst-port 1 -> queue 1"},
	{"X550,vfs=8", "udp4 dst-port 1 in vf 3 drop", "exact",
	 "user-def 0x3 m 0xffffffffffffff80 -> drop"},
	{"X550,vfs=8", "udp4 dst-port 1 in vf 3 vf 4", "exact",
	 "user-def 0x3 m 0xffffffffffffff80 -> vf 4 queue 0"},
	{"X550,vfs=8", "udp4 dst-port 1 in vf 8 drop", "refused", NULL, NULL, "", "VF 8 does not"},
	{"X550,vfs=8", "udp4 user-def 1 m 0xffffffffffffff80 in vf 1 drop", "refused", NULL, NULL,
	 "", "'in' is a match on user-def"},
	{"X710,vfs=8", "udp4 dst-port 1 vf 3 queue 1", "none", NULL, NULL,
	 "flow-type udp4 dst-port 1 in vf 3 queue 1", "does not send packets to a VF"},
	{"X710,vfs=8", "udp4 dst-port 1 in vf 3 queue 1", "exact",
	 "udp4 dst-port 1 -> vf 3 queue 1", "only traffic switched to VF 3"},
	{"X710,vfs=8", "udp4 dst-port 1 in vf 3 vf 4", "none", NULL, NULL,
	 "flow-type udp4 dst-port 1 in vf 4 queue 0"},
	{"X710,vfs=8", "udp4 dst-port 1 queue 1", "exact", "udp4 dst-port 1 -> queue 1",
	 "only traffic switched to the PF"},
	{"X710,vfs=8", "udp4 dst-port 1 drop", "exact", "udp4 dst-port 1 -> drop", "best-effort"},
	{"X710,vfs=8", "udp4 dst-port 1 in vf 3 drop", "refused", NULL, NULL, "", "no VSI"},
	{"X710,vfs=8", "udp4 dst-port 1 in pf drop", "refused", NULL, NULL, "", "no VSI"},
	{"X710", "udp4 dst-port 1 in pf drop", "exact", "udp4 dst-port 1 -> drop"},
	{"X710,vfs=8", "udp4 dst-port 1 in vf 3 queue 4", "refused", NULL, NULL,
	 "flow-type udp4 dst-port 1 in vf 3 queue 0", "only known to have 4 queues"},
	{"I350", "ether proto 1 in vf 0 queue 0", "refused", NULL, NULL, "", "VF 0 does not exist"},
	{"82576,vfs=2", "ether proto 1 in vf 0 queue 0", "refused", NULL, NULL, "",
	 "cannot limit a rule to traffic of one VF"},
	{"82576,vfs=2", "ether proto 1 in pf queue 0", "refused", NULL, NULL, "",
	 "cannot limit a rule to traffic of the PF"},
	{"82576,vfs=2", "ether proto 1 queue 0", "refused", NULL, NULL, "", "a queue of a VF"},
	{"82576", "ether prio 1 queue 4", "refused", NULL, NULL, "flow-type ether prio 1 queue 0",
	 "clears only two bits"},
	/* what only DPDK's drivers have filters by */
	{"82599", "tcp4 syn queue 1", "refused", NULL, NULL, "", "cannot say 'tcp-flags'"},
	{"X710", "tcp6 tcp-flags 4 drop", "refused", NULL, NULL, "", "'tcp-flags'"},
	{"X550,vfs=2", "ether e-tag 4 vf 1", "refused", NULL, NULL, "", "flow type ether"},
	{"X710,vfs=2", "udp4 dst-port 4789 vni 5 queue 1", "refused", NULL, NULL,
	 "flow-type udp4 dst-port 4789 queue 1", "cannot say 'vni'"},
	{"82599", "udp4 dst-port 4789 inner-vlan 5 drop", "refused", NULL, NULL,
	 "flow-type udp4 dst-port 4789 drop", "cannot say 'inner-vlan'"},
	{"I350", "ether e-tag 4 queue 1", "refused", NULL, NULL, "", "cannot say 'e-tag'"},
	/* guests */
	{"82599,vfs=8", "udp4 guest web1", "unknown", NULL, NULL, "", "which VF guest web1 has"},
	{"82599,vfs=8", "udp4 guest web1 queue 1", "exact", "udp4 -> vf 2 queue 1", NULL, NULL,
	 NULL, true},
	{"X710,vfs=8", "udp4 in guest web1 queue 1", "exact", "udp4 -> vf 2 queue 1",
	 "only traffic switched to VF 2", NULL, NULL, true},
	{"X710,vfs=8", "udp4 guest web1 queue 1", "none", NULL, NULL,
	 "flow-type udp4 in guest web1 queue 1", "", true},
	{"82599,vfs=8", "udp4 guest db1", "refused", NULL, NULL, "", "db1: the guest holds no VF",
	 true},
	/* ranges and spreads */
	{"82599", "udp4 dst-port 1024-2047 drop", "exact", "udp4 dst-port 1024 m 0x3ff -> drop"},
	{"82599", "udp4 dst-port 1000-2000 drop", "exact", "udp4 dst-port 1000 -> drop"},
	{"82599", "udp4 dst-port 1000-2000 src-port 1-2 drop", "exact", "udp4 src-port 1"},
	{"82599", "udp4 dst-port 1001-6000 drop", "full", NULL, NULL,
	 "flow-type udp4 dst-port 2048-4095 drop", "the rule would take 5000 entries"},
	{"82599", "udp4 src-port 0-1 dst-port 8-15 drop", "exact",
	 "udp4 src-port 0 m 0x1 dst-port 8 m 0x7 -> drop"},
	{"X710", "udp4 dst-port 8-15 drop", "exact", "udp4 dst-port 8 -> drop"},
	{"82599", "udp4 queues 0-3", "exact", "udp4 src-port 0 m 0xfffc -> queue 0"},
	{"82599,vfs=2", "udp4 dst-port 9 in vf 1 queues 0-3", "exact", "-> vf 1 queue 0"},
	{"82599", "udp4 queues 8-15", "refused", NULL, NULL, "flow-type udp4 queue 7",
	 "has no RX queue 15"},
	{"82599", "ip4 queues 0-3", "refused", NULL, NULL, "flow-type ip4 queue 0",
	 "told apart by bits of the source port, and ip4 has none"},
	{"X710", "udp4 queues 0-3", "refused", NULL, NULL, "flow-type udp4 queue 0",
	 "i40e has no masks for that"},
	/* flow types of one NIC only */
	{"X710", "ip4-other dst-ip 10.0.0.1 drop", "exact", "ip4-other dst-ip 10.0.0.1 -> drop"},
	{"X710", "ip6-other dst-ip ::1 drop", "exact", "ip6-other dst-ip ::1 -> drop", "fragments"},
	{"82599", "ip4-other dst-ip 10.0.0.1 drop", "refused", NULL, NULL, "",
	 "no rules of flow type"},
	/* the nearest rule */
	{"X710", "udp4 vid 5 drop", "narrower", NULL, NULL, "flow-type udp4 vlan 5 drop",
	 "VLAN 5 at priority 0"},
	{"82599", "udp4 dst-port 1 tos 4 drop", "broader", NULL, NULL,
	 "flow-type udp4 dst-port 1 drop"},
	{"82599", "udp4 tos 4 drop", "broader", NULL, NULL, ""},
	{"82599", "ip4 dst-ip 10.0.0.1 l4proto 6 drop", "narrower", NULL, NULL,
	 "flow-type tcp4 dst-ip 10.0.0.1 drop"},
	{"82599", "udp4 vlan 5 drop", "broader", NULL, NULL, "flow-type udp4 vid 5 prio 0 drop"},
	{"82599", "udp4 vid 0 drop", "broader", NULL, NULL,
	 "flow-type udp4 vlan-etype 0x8100 vid 0 drop", "without a VLAN tag"},
	{"82599", "udp4 dst-port 1 drop loc 9999", "refused", NULL, NULL,
	 "flow-type udp4 dst-port 1 drop", "outside the table"},
	{"X540", "sctp4 dst-ip 10.0.0.1 dst-port 80 drop", "refused", NULL, NULL,
	 "flow-type sctp4 dst-ip 10.0.0.1 drop"},
	{"82576", "ether proto 1 prio 2 queue 1", "broader", NULL, NULL,
	 "flow-type ether proto 0x1 queue 1"},
	{"X710", "udp4 dst-ip 10.0.0.0/8 drop", "refused", NULL, NULL, "",
	 "with an entry for each value it would be 16777216, and there is room for 8191"},
	{"X710", "udp4 dst-ip 10.0.0.0/30 drop", "exact", "udp4 dst-ip 10.0.0.0 -> drop"},
};

static void verdicts_say_enough(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct sriov_compile opts = {.guest = cases[i].guests ? guest_of : NULL};
		struct sriov_compiled out = {0};
		struct sriov_verdict *v;
		struct sriov_rule rule;
		struct sriov_rules rules = {.at = &rule, .n = 1};
		struct sriov_pf port;
		char text[512] = "";
		bool told = !cases[i].condition;

		assert_int_equal(sriov_nic_port(cases[i].nic, &port, NULL), 0);
		rule_of(cases[i].rule, &rule);
		sriov_rules_compile(&rules, &port, &opts, &out, NULL);
		v = out.verdict;
		if (out.nentries)
			sriov_entry_format(&out.entry[0], text, sizeof(text));
		for (size_t k = 0; k < v->nconditions; k++)
			told |= !!strstr(v->condition[k], cases[i].condition ?: "");
		if (strcmp(sriov_result_word(v->result), cases[i].result) ||
		    !out.nentries != !cases[i].entries || !strstr(text, cases[i].entries ?: "") ||
		    !told || !strstr(v->why, cases[i].why ?: "") ||
		    (cases[i].nearest && strcmp(v->nearest, cases[i].nearest)))
			fail_msg("case %zu, %s on %s: %s, %s (%s), nearest '%s', %s", i,
				 cases[i].rule, cases[i].nic, sriov_result_word(v->result), text,
				 v->why, v->nearest, v->nconditions ? v->condition[0] : "");
		sriov_compiled_clear(&out);
	}
}

/* What is offered is exact in the place of the rule, or nothing is; and a queue is changed only if it is the reason. */
static void nearest_holds_in_the_list(void **state)
{
	static const struct {
		const char *nic, *rules[4];
		const char *nearest; /* of the last */
		const char *foreign; /* loc 5 */
	} rows[] = {
		{"X710,queues=4",
		 {"udp4 dst-ip 10.0.0.0/8 drop optional", "udp4 dst-port 53 queue 3"},
		 ""},
		{"82599", {"udp4 tos 4 drop optional", "udp4 dst-port 53 queue 99"}, ""},
		{"82599",
		 {"udp4 dst-port 54 drop optional", "udp4 dst-port 53 queue 99"},
		 "flow-type udp4 dst-port 53 queue 7"},
		{"82599",
		 {"udp4 dst-port 54 queue 1", "udp4 dst-port 53 tos 4 queue 3 loc 9999"},
		 "flow-type udp4 dst-port 53 queue 3"},
		{"82599", {"udp4 dst-port 53 queue 1", "udp4 dst-port 53 tos 4 queue 3"}, ""},
		{"X710,vfs=2",
		 {"udp4 dst-port 54 drop", "udp4 dst-port 53 vf 1 queue 3"},
		 "flow-type udp4 dst-port 53 in vf 1 queue 3"},
		{"82599", {"udp4 dst-port 9 queue 3"}, "", "udp4 dst-port 9 queue 0 loc 5"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct sriov_compile opts = {.partial = true};
		struct sriov_compiled out = {0};
		struct sriov_rule rule[4];
		struct sriov_rules rules = {.at = rule};
		struct sriov_entry foreign;
		struct sriov_pf port;

		assert_int_equal(sriov_nic_port(rows[i].nic, &port, NULL), 0);
		if (rows[i].foreign) {
			foreign = entry_of(rows[i].foreign);
			port.rules = &foreign;
			port.nrules = 1;
		}
		for (; rows[i].rules[rules.n]; rules.n++)
			rule_of(rows[i].rules[rules.n], &rule[rules.n]);
		assert_int_equal(sriov_rules_compile(&rules, &port, &opts, &out, NULL), -ENOTSUP);
		if (strcmp(out.verdict[rules.n - 1].nearest, rows[i].nearest))
			fail_msg("case %zu: nearest '%s', %s", i, out.verdict[rules.n - 1].nearest,
				 out.verdict[rules.n - 1].why);
		sriov_compiled_clear(&out);
	}
}

/* An optional rule of whose packets somebody else's rule has some stays in the way, and both halves of why are told. */
static void refuses_to_leave_out(void **state)
{
	static const struct {
		const char *first, *why[2], *behind;
	} rows[] = {
		{"udp4 dst-port 9 drop optional",
		 {"the same packets match", "the rule of somebody else at loc 5 would get"},
		 ""},
		{"udp4 dst-ip 10.0.0.1 drop optional",
		 {"its rules match dst-port, this one dst-ip;",
		  "cannot be left out, because the rule of somebody else at loc 5"},
		 "match it too, and no mask that the table can have leaves them out"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct sriov_compile opts = {.partial = true};
		struct sriov_entry foreign = entry_of("udp4 dst-port 9 queue 3 loc 5");
		struct sriov_compiled out = {0};
		struct sriov_rule rule[2];
		struct sriov_rules rules = {.at = rule, .n = 2};
		struct sriov_pf port;

		assert_int_equal(sriov_nic_port("82599", &port, NULL), 0);
		port.rules = &foreign;
		port.nrules = 1;
		rule_of(rows[i].first, &rule[0]);
		rule_of("udp4 dst-port 10 queue 1", &rule[1]);
		assert_int_equal(sriov_rules_compile(&rules, &port, &opts, &out, NULL), -ENOTSUP);
		assert_false(out.verdict[0].left_out);
		for (size_t k = 0; k < 2; k++)
			if (!strstr(out.verdict[0].why, rows[i].why[k]))
				fail_msg("case %zu: %s", i, out.verdict[0].why);
		if (!strstr(out.verdict[1].why, rows[i].behind))
			fail_msg("case %zu, behind: %s", i, out.verdict[1].why);
		sriov_compiled_clear(&out);
	}
}

/* What the driver has seen before matters, and is not known. */
static void unwatched_ports_are_unknown(void **state)
{
	static const struct {
		const char *nic, *rule, *result;
	} rows[] = {
		{"X710", "udp4 dst-port 1 drop", "exact"},
		{"X710", "sctp6 dst-port 1 drop", "unknown"},
		{"X710", "udp4 user-def 0x40001 m 0xffffffff00000000 drop", "unknown"},
		{"I350", "ether proto 1 queue 1", "unknown"},
		{"82599", "udp4 dst-port 1 drop", "exact"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sriov_compile opts = {0};
		struct sriov_compiled out = {0};
		struct sriov_rule rule;
		struct sriov_rules rules = {.at = &rule, .n = 1};
		struct sriov_pf port;

		assert_int_equal(sriov_nic_port(rows[i].nic, &port, NULL), 0);
		rule_of(rows[i].rule, &rule);
		port.watched = false;
		sriov_rules_compile(&rules, &port, &opts, &out, NULL);
		assert_string_equal(sriov_result_word(out.verdict[0].result), rows[i].result);
		if (out.verdict[0].result == SRIOV_UNSURE)
			assert_true(strlen(out.verdict[0].hint) > 0);
		sriov_compiled_clear(&out);
		opts.allow = 1u << SRIOV_UNSURE;
		assert_int_equal(sriov_rules_compile(&rules, &port, &opts, &out, NULL), 0);
		assert_int_equal(out.nentries, 1);
		sriov_compiled_clear(&out);
	}
}

/* Optional rules go by what they are worth, and never where another rule would get their packets. */
static void leaves_out_what_is_worth_least(void **state)
{
	static const struct {
		const char *rules[5];
		const char
			*story; /* a letter a rule: e exact, l left out, or the verdict's first */
	} rows[] = {
		{{"udp4 dst-port 1 drop optional weight 5", "udp4 dst-port 2 drop optional",
		  "udp4 dst-port 3 drop", "udp4 dst-port 4 drop optional weight 3"},
		 "elee"},
		{{"udp4 dst-port 1 drop optional", "udp4 dst-port 2 drop optional",
		  "udp4 dst-port 3 drop optional", "udp4 dst-port 4 drop optional"},
		 "eeel"},
		{{"tcp6 drop optional", "udp4 dst-port 3 drop"}, "le"},
		{{"ip4 drop optional", "udp4 dst-port 3 drop"}, "ee"},
		{{"ip4 src-ip 10.0.0.1 drop optional", "udp4 dst-port 3 drop"}, "er"},
		{{"udp4 dst-port 3 drop", "ip4 drop optional"}, "el"},
		{{"udp4 dst-port 8-20 queue 1 optional", "udp4 dst-port 9 drop"}, "le"},
		{{"udp4 dst-port 8-20 queue 1 optional", "udp4 dst-port 21 drop"}, "le"},
		{{"udp4 dst-port 8-20 queue 1", "udp4 dst-port 21 drop"}, "fe"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct sriov_compile opts = {.partial = true};
		struct sriov_rule rule[5];
		struct sriov_rules rules = {.at = rule};
		struct sriov_compiled out = {0};
		struct sriov_error err = {0};
		struct sriov_pf port;
		char story[6] = "";
		int r;

		assert_int_equal(sriov_nic_port("X550", &port, NULL), 0);
		port.rules_max = 3; /* location 0 is one of them, and given out last */
		for (; rows[i].rules[rules.n]; rules.n++)
			rule_of(rows[i].rules[rules.n], &rule[rules.n]);
		r = sriov_rules_compile(&rules, &port, &opts, &out, &err);
		for (size_t k = 0; k < rules.n; k++)
			story[k] = out.verdict[k].left_out
					   ? 'l'
					   : *sriov_result_word(out.verdict[k].result);
		if (strcmp(story, rows[i].story))
			fail_msg("case %zu gave %s: %s", i, story, err.message);
		assert_int_equal(r, strpbrk(story, "rf") ? -ENOTSUP : 0);
		sriov_compiled_clear(&out);
	}
}

static void ports_by_name(void **state)
{
	static const struct {
		const char *spec;
		const char *driver; /* NULL: refused, with this in the error */
		unsigned vfs, queues;
		const char *message;
	} rows[] = {
		{"82599", "ixgbe", 0, 8},
		{"x550em_A,vfs=8,queues=4", "ixgbe", 8, 4},
		{"X540,vfs=40", "ixgbe", 40, 2},
		{"X540,vfs=4,queues=3", "ixgbe", 4, 2},
		{"XL710,queues=64,vfs=1", "i40e", 1, 64},
		{"XXV710", "i40e", 0, 8},
		{"X722", "i40e", 0, 8},
		{"I350,vfs=7", "igb", 7, 1},
		{"I211", "igb", 0, 2},
		{"", NULL, 0, 0, "no NIC of that name"},
		{"E810", NULL, 0, 0, "no NIC of that name"},
		{"82599,", NULL, 0, 0, "'' is not understood"},
		{"82599,vfs", NULL, 0, 0, "'vfs' is not understood"},
		{"82599,vfs=64", NULL, 0, 0, "from 0 to 63"},
		{"82599,queues=0", NULL, 0, 0, "from 1 to 63"},
		{"I210,vfs=1", NULL, 0, 0, "from 0 to 0"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sriov_error err = {0};
		struct sriov_pf port = {.vfs = 99};
		int r = sriov_nic_port(rows[i].spec, &port, &err);

		if (!rows[i].driver) {
			assert_int_equal(r, -EINVAL);
			assert_non_null(strstr(err.message, rows[i].message));
			assert_int_equal(port.vfs, 99);
			continue;
		}
		assert_int_equal(r, 0);
		assert_string_equal(port.driver, rows[i].driver);
		assert_int_equal(port.vfs, rows[i].vfs);
		assert_int_equal(port.queues, rows[i].queues);
	}
}

/* What must go before the driver takes what comes. */
static void rewrites(void **state)
{
	static const struct {
		const char *driver, *installed[4], *inserts[3];
		bool gone[4], want[4];
	} rows[] = {
		{"ixgbe",
		 {"udp4 dst-port 1 drop", "udp4 dst-port 2 drop"},
		 {"udp4 dst-port 3 drop"}},
		{"ixgbe",
		 {"udp4 dst-port 1 drop", "udp4 dst-port 2 drop"},
		 {"udp4 src-port 3 drop"},
		 {0},
		 {true, true}},
		{"ixgbe", {"udp4 dst-port 1 drop"}, {NULL}, {true}, {true}},
		{"i40e",
		 {"udp4 dst-port 1 drop", "tcp4 dst-port 2 drop"},
		 {"udp4 src-port 3 drop"},
		 {0},
		 {true, false}},
		{"i40e",
		 {"udp4 user-def 0x40001 drop", "tcp4 dst-port 2 drop"},
		 {"udp4 user-def 0x40002 drop"},
		 {0},
		 {true, false}},
		{"igb", {"ether proto 1 queue 1"}, {"ether prio 1 queue 1"}},
		{"ice", {"udp4 dst-port 1 drop"}, {"tcp4 drop"}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sriov_entry installed[4], inserts[3];
		bool gone[4];
		size_t n = 0, ninserts = 0;

		for (; n < 4 && rows[i].installed[n]; n++)
			installed[n] = entry_of(rows[i].installed[n]);
		for (; ninserts < 3 && rows[i].inserts[ninserts]; ninserts++)
			inserts[ninserts] = entry_of(rows[i].inserts[ninserts]);
		memcpy(gone, rows[i].gone, sizeof(gone));
		nic_profile_rewrite(nic_profile_find(rows[i].driver), installed, n, gone, inserts,
				    ninserts);
		for (size_t k = 0; k < n; k++)
			if (gone[k] != rows[i].want[k])
				fail_msg("case %zu: entry %zu is %sgone", i, k,
					 gone[k] ? "" : "not ");
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(verdicts_say_enough),
		cmocka_unit_test(nearest_holds_in_the_list),
		cmocka_unit_test(refuses_to_leave_out),
		cmocka_unit_test(unwatched_ports_are_unknown),
		cmocka_unit_test(leaves_out_what_is_worth_least),
		cmocka_unit_test(ports_by_name),
		cmocka_unit_test(rewrites),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
