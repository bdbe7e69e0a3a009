/* SPDX-License-Identifier: Apache-2.0 */
/* Rules and entries as words: random rules survive print and parse, and nothing half is written. */
#include "tests/unit/flow_random.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define ROUNDS 20000

static void random_rules_survive(void **state)
{
	uint64_t first = seed;

	for (int i = 0; i < ROUNDS; i++) {
		struct sriov_rule rule, again;
		struct sriov_error err = {0};
		char text[1024], once_more[1024];

		random_rule(&rule);
		if (sriov_rule_format(&rule, text, sizeof(text)))
			fail_msg("seed 0x%llx round %d: cannot be written",
				 (unsigned long long)first, i);
		if (sriov_rule_parse(text, NULL, 0, &again, &err) ||
		    memcmp(&rule, &again, sizeof(rule)))
			fail_msg("seed 0x%llx round %d: '%s' is read as something else: %s",
				 (unsigned long long)first, i, text, err.message);
		assert_int_equal(sriov_rule_format(&again, once_more, sizeof(once_more)), 0);
		assert_string_equal(text, once_more);
	}
}

/* Equal entries are the same in any order, overlap, and stay so when what does not count changes. */
static void comparing_is_lawful(void **state)
{
	for (int i = 0; i < ROUNDS; i++) {
		struct sriov_rule rule;
		struct sriov_entry a, b;

		random_rule(&rule);
		a = (struct sriov_entry){.type = rule.type,
					 .value = rule.value,
					 .mask = rule.mask,
					 .cookie = action_cookie(&rule.action),
					 .ext = true};
		b = a;
		b.loc = 7;
		for (const struct flow_field *f = NULL; (f = flow_field_next(f, b.type));)
			if (!flow_field_any(f, &b.mask))
				flow_field_fill(f, &b.value, 0xa5);
		assert_true(sriov_entry_same(&a, &b) && sriov_entry_same(&b, &a));
		assert_true(entry_overlaps(&a, &b));
		entry_canonical(&b);
		assert_true(sriov_entry_same(&a, &b));
		b.cookie ^= 1;
		assert_false(sriov_entry_same(&a, &b));
		b.cookie ^= 1;
		b.mask.user_def ^= 1;
		b.ext = true;
		assert_false(sriov_entry_same(&a, &b));
	}
}

static void writes_all_or_nothing(void **state)
{
	struct sriov_rule rule = {.type = SRIOV_FLOW_UDP4, .loc = -1};
	char buf[] = "untouched", fits[sizeof("flow-type udp4 drop")];

	assert_int_equal(sriov_rule_format(&rule, buf, sizeof(buf)), -ENOBUFS);
	assert_string_equal(buf, "untouched");
	assert_int_equal(sriov_rule_format(&rule, fits, sizeof(fits) - 1), -ENOBUFS);
	assert_int_equal(sriov_rule_format(&rule, fits, sizeof(fits)), 0);
	assert_string_equal(fits, "flow-type udp4 drop");
}

static void refuses_what_has_no_words(void **state)
{
	struct sriov_rule ok = {.type = SRIOV_FLOW_IP4, .loc = -1}, rule;
	char buf[256] = "untouched";

#define CANNOT(change)                                                                             \
	do {                                                                                       \
		rule = ok;                                                                         \
		rule.change;                                                                       \
		assert_int_equal(sriov_rule_format(&rule, buf, sizeof(buf)), -EINVAL);             \
		assert_string_equal(buf, "untouched");                                             \
	} while (0)
	CANNOT(type = SRIOV_FLOW_NONE);
	CANNOT(type = SRIOV_FLOW_TYPES);
	CANNOT(mask.dst_port = 1);
	CANNOT(mask.ethertype = 1);
	CANNOT(action.kind = 9);
	CANNOT(action = ((struct sriov_action){.kind = SRIOV_ACTION_VF, .vf = 255}));
	CANNOT(action = ((struct sriov_action){.kind = SRIOV_ACTION_QUEUES, .queue_last = 2}));
	CANNOT(action = ((struct sriov_action){.kind = SRIOV_ACTION_QUEUES, .queue = 2}));
	CANNOT(action.kind = SRIOV_ACTION_GUEST);
	CANNOT(action = ((struct sriov_action){.kind = SRIOV_ACTION_GUEST, .guest = "a b"}));
	CANNOT(action = ((struct sriov_action){.kind = SRIOV_ACTION_GUEST, .guest = "#a"}));
	CANNOT(action = ((struct sriov_action){.kind = SRIOV_ACTION_GUEST, .guest = "\xff"}));
	CANNOT(scope.kind = 9);
	CANNOT(scope = ((struct sriov_scope){.kind = SRIOV_SCOPE_VF, .vf = 255}));
	CANNOT(scope.kind = SRIOV_SCOPE_GUEST);
	CANNOT(src_port_last = 5);
	CANNOT(dst_port_last = 5);
	CANNOT(weight = 1000001);
	CANNOT(loc = -2);
	CANNOT(loc = 1l << 31);
	CANNOT(name[0] = '7');
	CANNOT(name[0] = ' ');
	assert_int_equal(sriov_rule_format(&ok, buf, sizeof(buf)), 0);
}

static void entries_read_well(void **state)
{
	static const struct {
		const char *rule; /* gives match and action */
		uint64_t cookie;  /* instead, if not 0 */
		bool plain;       /* without FLOW_EXT */
		const char *text;
	} cases[] = {
		{"udp4 dst-ip 10.0.0.7 dst-port 4789 vf 3 queue 1", 0, false,
		 "udp4 dst-ip 10.0.0.7 dst-port 4789 -> vf 3 queue 1"},
		{"udp4 dst-port 80 vf 0", 0, false, "udp4 dst-port 80 -> vf 0 queue 0"},
		{"tcp4 drop", 0, false, "tcp4 -> drop"},
		{"ip6 src-ip 2001:db8::/32 queue 7", 0, false,
		 "ip6 src-ip 2001:db8::/32 -> queue 7"},
		{"udp4 vid 5 drop", 0, false, "udp4 vid 5 -> drop"},
		{"udp4 vid 5 drop", 0, true, "udp4 -> drop"},
		{"ether proto 0x88f7 drop", 0xdead00000001, false,
		 "ether proto 0x88f7 -> action 0xdead00000001"},
	};
	struct sriov_entry unknown = {.loc = 3, .cookie = 2};
	char buf[256];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sriov_rule rule;
		struct sriov_entry e;

		assert_int_equal(sriov_rule_parse(cases[i].rule, NULL, 0, &rule, NULL), 0);
		e = (struct sriov_entry){.type = rule.type,
					 .value = rule.value,
					 .mask = rule.mask,
					 .cookie = cases[i].cookie ?: action_cookie(&rule.action),
					 .ext = !cases[i].plain};
		assert_int_equal(sriov_entry_format(&e, buf, sizeof(buf)), 0);
		assert_string_equal(buf, cases[i].text);
	}
	assert_int_equal(sriov_entry_format(&unknown, buf, sizeof(buf)), 0);
	assert_string_equal(buf, "another flow type -> queue 2");
	assert_int_equal(sriov_entry_format(&unknown, buf, 8), -ENOBUFS);
	assert_string_equal(buf, "another");
}

static void unknown_types_are_compared_by_place(void **state)
{
	struct sriov_entry a = {.loc = 3, .cookie = 2}, b = a;

	assert_true(sriov_entry_same(&a, &b));
	b.loc = 4;
	assert_false(sriov_entry_same(&a, &b));
	assert_false(entry_overlaps(&a, &a));
	assert_false(entry_same_match(&a, &a));
}

static void overlap_is_seen(void **state)
{
	static const struct {
		const char *a, *b;
		bool overlap, same;
	} cases[] = {
		{"udp4 dst-port 1 drop", "udp4 dst-port 1 queue 1", true, true},
		{"udp4 dst-port 1 drop", "udp4 dst-port 2 drop", false, false},
		{"udp4 dst-port 1 drop", "tcp4 dst-port 1 drop", false, false},
		{"udp4 dst-port 1 drop", "udp4 src-port 1 drop", true, false},
		{"udp4 dst-ip 10.0.0.0/8 drop", "udp4 dst-ip 10.1.0.0/16 drop", true, false},
		{"udp4 dst-ip 10.0.0.0/8 drop", "udp4 dst-ip 11.1.0.0/16 drop", false, false},
		{"udp4 drop", "udp4 vid 3 drop", true, false},
		{"ether prio 3 drop", "ether vid 3 drop", true, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sriov_rule ra, rb;
		struct sriov_entry a, b;

		assert_int_equal(sriov_rule_parse(cases[i].a, NULL, 0, &ra, NULL), 0);
		assert_int_equal(sriov_rule_parse(cases[i].b, NULL, 0, &rb, NULL), 0);
		a = (struct sriov_entry){
			.type = ra.type, .value = ra.value, .mask = ra.mask, .ext = true};
		b = (struct sriov_entry){
			.type = rb.type, .value = rb.value, .mask = rb.mask, .ext = true};
		assert_int_equal(entry_overlaps(&a, &b), cases[i].overlap);
		assert_int_equal(entry_overlaps(&b, &a), cases[i].overlap);
		assert_int_equal(entry_same_match(&a, &b), cases[i].same);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_rules_survive),
		cmocka_unit_test(comparing_is_lawful),
		cmocka_unit_test(writes_all_or_nothing),
		cmocka_unit_test(refuses_what_has_no_words),
		cmocka_unit_test(entries_read_well),
		cmocka_unit_test(unknown_types_are_compared_by_place),
		cmocka_unit_test(overlap_is_seen),
	};

	random_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
