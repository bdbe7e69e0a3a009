/* SPDX-License-Identifier: Apache-2.0 */
/* Many rules on one port: random ones, and those of the example files. */
#include "tests/unit/flow_fixture.h"

#include <time.h>

/* Random rules on filling ports: what is compiled is admitted where it stands, and again changes nothing. */
static void compiled_entries_are_admitted(void **state)
{
	static const char *const words[] = {
		"udp4 dst-port %u queue 1",    "udp4 dst-port %u drop",
		"tcp4 src-port %u queue 2",    "ip4 src-ip 10.0.0.%u drop",
		"tcp6 src-ip 2001:%u::1 drop", "ether proto %u queue 1",
		"udp4 dst-ip 10.0.0.%u drop",  "udp4 vid %u drop",
		"udp4 vlan %u drop",           "ether prio 3 queue %u",
		"tcp4 dst-port %u vf 1",       "sctp4 dst-ip 10.0.0.%u vf 0",
	};
	static const struct port_words ports[] = {{"ixgbe", X520, 4, 4},
						  {"ixgbe", X550, 0, 8},
						  {"i40e", 0x1572, 4, 8, {0}, 64},
						  {"igb", I350, 0, 4}};
	const char *given = getenv("SRIOV_TEST_SEED");
	unsigned first = given ? strtoul(given, NULL, 0) : (unsigned)time(NULL), seed = first;
	unsigned installed = 0, refused = 0;

	printf("SRIOV_TEST_SEED=%u\n", first);
	for (int round = 0; round < 200; round++) {
		struct sriov_entry rules[256];
		struct nic_verdict v = {.why = ""};
		struct sriov_pf port;

		port_of(&ports[rand_r(&seed) % ARRAY_SIZE(ports)], rules, &port);
		for (int i = 0; i < 40; i++) {
			const char *format = words[rand_r(&seed) % ARRAY_SIZE(words)];
			struct sriov_entry out[NIC_EXPANSION_MAX], again[NIC_EXPANSION_MAX];
			struct sriov_rule rule;
			size_t n, m, before = port.nrules;
			char text[64];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
			snprintf(text, sizeof(text), format, rand_r(&seed) % 8);
#pragma GCC diagnostic pop
			rule_of(text, &rule);
			if (compile_one(&rule, &port, out, &n, NULL)) {
				refused++;
				continue;
			}
			for (size_t k = 0; k < n; k++) {
				bool there = false;

				for (size_t j = 0; j < port.nrules; j++)
					there |= port.rules[j].loc == out[k].loc &&
						 sriov_entry_same(&port.rules[j], &out[k]);
				if (there)
					continue;
				if (!admits(&port, &out[k], &v))
					fail_msg("SRIOV_TEST_SEED=%u: %s: %s", first, text, v.why);
				assert_true(port.nrules < ARRAY_SIZE(rules));
				port.rules[port.nrules++] = out[k];
			}
			installed += port.nrules - before;
			assert_int_equal(compile_one(&rule, &port, again, &m, NULL), 0);
			assert_int_equal(m, n);
			for (size_t k = 0; k < n; k++) {
				assert_int_equal(again[k].loc, out[k].loc);
				assert_true(sriov_entry_same(&again[k], &out[k]));
			}
		}
	}
	assert_true(installed > 500 && refused > 500);
}

/* The files that people start from are right, each as a list on the port that it speaks of. */
static void examples_are_right(void **state)
{
	static const struct {
		const char *file, *nic;
		size_t entries, left_out;
	} examples[] = {
		{"vxlan-82599", "82599,vfs=4,queues=4", 9},
		{"edge-82599", "82599,vfs=2,queues=4", 739, 1},
		{"dns-82599", "82599,queues=4", 96},
		{"queues-x710", "X710", 7},
	};

	for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
		_free_ char *path = core_printf("%s/examples/rules/%s.rules", TEST_SOURCE_DIR,
						examples[i].file);
		struct sriov_compile opts = {.partial = examples[i].left_out};
		struct sriov_compiled out = {0};
		struct sriov_rules rules = {0};
		struct sriov_error err = {0};
		struct sriov_pf port;
		size_t left_out = 0;

		assert_int_equal(sriov_nic_port(examples[i].nic, &port, NULL), 0);
		if (sriov_rules_read(path, &rules, &err) ||
		    sriov_rules_compile(&rules, &port, &opts, &out, &err))
			fail_msg("%s: %s: %s", examples[i].file, err.object, err.message);
		for (size_t k = 0; k < out.nrules; k++)
			left_out += out.verdict[k].left_out;
		assert_int_equal(left_out, examples[i].left_out);
		assert_int_equal(out.nentries, examples[i].entries);
		sriov_compiled_clear(&out);
		sriov_rules_clear(&rules);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(compiled_entries_are_admitted),
		cmocka_unit_test(examples_are_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
