/* SPDX-License-Identifier: Apache-2.0 */
/* Where packets land: an ixgbe rule for a VF or a queue reaches that one, or is refused with the reason. */
#include "tests/unit/flow_fixture.h"

#define IXGBE(...)                                                                                 \
	{                                                                                          \
		"ixgbe", X520, __VA_ARGS__                                                         \
	}

/*
 * Where an ixgbe rule for a VF lands, by the driver's formula, against where the VF's queues are; the
 * numbers of rings are those of the driver's own code (rings of one pool, one PF pool).
 */
static void never_reaches_another_vf(void **state)
{
	static const struct {
		unsigned vfs, rings, vf, queue;
		const char *message; /* NULL: right */
	} targets[] = {
		{4, 4, 0, 0},
		{4, 4, 1, 0},
		{4, 4, 3, 3},
		{31, 4, 30, 3},
		{1, 4, 0, 3},
		{32, 2, 31, 1},
		{63, 2, 62, 1},
		{63, 2, 1, 0},
		{4, 2, 0, 0},
		{4, 2, 0, 1},
		{4, 1, 0, 0},
		{63, 1, 0, 0},
		{32, 1, 0, 0},
		{4, 2, 1, 0, "queue 2 of VF 0 instead of queue 0 of VF 1"},
		{4, 2, 2, 0, "queue 0 of VF 1 instead of queue 0 of VF 2"},
		{4, 2, 3, 1, "queue 3 of VF 1 instead of queue 1 of VF 3"},
		{4, 1, 3, 0, "queue 3 of VF 0 instead of queue 0 of VF 3"},
		{31, 3, 30, 2, "queue 0 of VF 23 instead of queue 2 of VF 30"},
		{63, 1, 62, 0, "queue 0 of VF 31 instead of queue 0 of VF 62"},
		{32, 1, 1, 0, "queue 1 of VF 0 instead of queue 0 of VF 1"},
		{4, 2, 0, 2, "queue 2 of VF 0 cannot be reached"},
		{4, 1, 0, 1, "queue 1 of VF 0 cannot be reached"},
		{4, 2, 1, 2, "queue 2 of VF 1 cannot be reached"},
		{4, 4, 1, 4, "queue 4 of VF 1 cannot be reached"},
		{4, 8, 1, 0, "DCB or macvlan offload"},
		{32, 32, 1, 0, "DCB or macvlan offload"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
		struct port_words words = IXGBE(targets[i].vfs, targets[i].rings);
		struct sriov_entry rules[5], out[NIC_EXPANSION_MAX];
		struct sriov_error err = {0};
		struct sriov_rule rule;
		struct sriov_pf port;
		size_t n = 0;
		int r;

		port_of(&words, rules, &port);
		rule_of("udp4 vf 0", &rule);
		rule.action.vf = targets[i].vf;
		rule.action.queue = targets[i].queue;
		r = compile_one(&rule, &port, out, &n, &err);
		if (!r != !targets[i].message || !strstr(err.message, targets[i].message ?: ""))
			fail_msg("case %zu gave %d: %s", i, r, err.message);
		if (!r)
			continue;
		assert_true(strlen(err.message) < sizeof(err.message) - 1);
		if (strstr(err.message, "instead"))
			assert_non_null(strstr(err.hint, targets[i].vfs < 32
								 ? "ethtool -L eno1 combined 4"
								 : "ethtool -L eno1 combined 2"));
	}
}

/* For every number of VFs and rings: what passes lands in the VF asked for. */
static void passing_targets_land_right(void **state)
{
	for (unsigned vfs = 1; vfs <= 63; vfs++) {
		for (unsigned rings = 1; rings <= 8; rings++) {
			struct port_words words = IXGBE(vfs, rings);
			unsigned stride = vfs <= 31 ? 4 : 2, passed = 0;
			struct sriov_entry rules[5], out[NIC_EXPANSION_MAX];
			struct sriov_rule rule;
			struct sriov_pf port;
			size_t n;

			port_of(&words, rules, &port);
			rule_of("udp4 vf 0", &rule);
			for (rule.action.vf = 0; rule.action.vf < vfs; rule.action.vf++) {
				for (rule.action.queue = 0; rule.action.queue < 9;
				     rule.action.queue++) {
					if (compile_one(&rule, &port, out, &n, NULL))
						continue;
					passed++;
					if (rule.action.vf)
						assert_int_equal(rings, stride);
					else
						assert_true(rule.action.queue < rings);
				}
			}
			if (rings == stride)
				assert_int_equal(passed, vfs * stride);
		}
	}
}

static void avoids_the_drop_queue(void **state)
{
	static const struct {
		unsigned vfs, rings, queue;
		bool drops;
	} queues[] = {
		{31, 4, 3, true},  {31, 4, 2, false}, {63, 2, 1, true},  {63, 2, 0, false},
		{30, 4, 3, false}, {62, 2, 1, false}, {32, 2, 1, false}, {1, 4, 3, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(queues); i++) {
		struct port_words words = IXGBE(queues[i].vfs, queues[i].rings);
		struct sriov_entry rules[5], out[NIC_EXPANSION_MAX];
		struct sriov_error err = {0};
		struct sriov_rule rule;
		struct sriov_pf port;
		size_t n;

		port_of(&words, rules, &port);
		rule_of("udp4 queue 0", &rule);
		rule.action.queue = queues[i].queue;
		assert_int_equal(compile_one(&rule, &port, out, &n, &err),
				 queues[i].drops ? -EOPNOTSUPP : 0);
		if (queues[i].drops)
			assert_non_null(strstr(err.message, "queue 127 of the hardware"));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(never_reaches_another_vf),
		cmocka_unit_test(passing_targets_land_right),
		cmocka_unit_test(avoids_the_drop_queue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
