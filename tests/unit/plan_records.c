/* SPDX-License-Identifier: Apache-2.0 */
/* Records of rules: as JSON and back, copied from another text, of before there were lists. */
#include "lib/plan/ruleset.h"
#include "lib/plan/step.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/rules_of.h"

static void test_round_trip(void **state)
{
	static const uint32_t queues[] = {2, 3};
	struct sriov_rules rules = list(
		"name web tcp4 dst-port 80 in vf 1 queue 1 weight 5 optional\n"
		"name dns udp4 dst-port 53 drop loc 12\n");
	struct pf_state want = {.address = "0000:81:00.0", .allow = 6, .partial = true};
	struct pf_state again = {0};
	struct sriov_error err = {0};
	char *text = NULL, *second = NULL;

	core_copy(rules.at[1].owner, sizeof(rules.at[1].owner), "ops");
	assert_int_equal(state_set_list(&want, &rules), 0);
	assert_int_equal(state_set_rss(&want, queues, 2), 0);
	*state_rule(&want, 12) = (struct rule_state){
		.present = true, .others = true, .entry = udp_to(12, 53, SRIOV_COOKIE_DROP)};
	assert_int_equal(state_encode(&want, &text, &err), 0);
	assert_int_equal(state_decode(text, &again, &err), 0);
	assert_int_equal(again.has, STATE_LIST | STATE_RSS);
	assert_int_equal(again.allow, 6);
	assert_true(again.partial);
	assert_int_equal(again.list.n, 2);
	assert_true(ruleset_same(&again.list.at[0], &rules.at[0]));
	assert_string_equal(again.list.at[1].name, "dns");
	assert_string_equal(again.list.at[1].owner, "ops");
	assert_true(again.rule[0].others);
	assert_int_equal(state_encode(&again, &second, &err), 0);
	assert_string_equal(text, second);
	free(text);
	free(second);
	sriov_rules_clear(&rules);
	state_clear(&want);
	state_clear(&again);
}

/* Rules and list that another text has already come from there, and nothing else does. */
static void test_known_text(void **state)
{
	static const struct {
		const char *list;
		uint16_t port;
		bool copies_list, copies_rules;
	} cases[] = {
		{"name dns udp4 dst-port 53 queue 1", 53, true, true},
		{"name dns udp4 dst-port 53 queue 1", 54, true, false},
		{"name dns udp4 dst-port 53 queue 2", 53, false, true},
		{"name dns udp4 dst-port 53 queue 1\nname b udp4 dst-port 9 drop", 53, false, true},
		{NULL, 53, false, true},
	};
	struct pf_state has = {.address = "0000:81:00.0", .allow = 6}, bare = {.address = "x"};
	struct state_text known, none, got;
	struct sriov_error err = {0};

	has.has = STATE_LIST;
	has.list = list(cases[0].list);
	*state_rule(&has, 7) = (struct rule_state){.present = true, .entry = udp_to(7, 53, 1)};
	assert_int_equal(state_write(&has, NULL, NULL, &known, &err), 0);
	assert_int_equal(state_write(&bare, NULL, NULL, &none, &err), 0);
	/* marks what is copied */
	memcpy(strstr(known.text, "dst-port 53"), "DST-PORT", 8);
	memcpy(strstr(known.text, "udp4"), "UDP4", 4);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct pf_state want = {.address = "0000:81:00.0", .count = 2, .has = STATE_COUNT};
		char *plain, *mark;

		if (cases[i].list) {
			want.has |= STATE_LIST;
			want.list = list(cases[i].list);
			want.allow = 4;
		}
		*state_rule(&want, 7) = (struct rule_state){.present = true,
							    .entry = udp_to(7, cases[i].port, 1)};
		assert_int_equal(state_encode(&want, &plain, &err), 0);
		assert_int_equal(state_write(&want, &has, &known, &got, &err), 0);
		mark = strstr(got.text, "DST-PORT");
		assert_int_equal(!!mark, cases[i].copies_list);
		if (mark)
			memcpy(mark, "dst-port", 8);
		mark = strstr(got.text, "UDP4");
		assert_int_equal(!!mark, cases[i].copies_rules);
		if (mark)
			memcpy(mark, "udp4", 4);
		assert_string_equal(got.text, plain);
		free(got.text);
		/* of a text without a list none can be copied */
		assert_int_equal(state_write(&want, &bare, &none, &got, &err), 0);
		assert_string_equal(got.text, plain);
		free(got.text);
		free(plain);
		state_clear(&want);
	}
	free(known.text);
	free(none.text);
	state_clear(&has);
}

/* Owners are written in full where they change; records of before that say them all are read as well. */
static void test_owners(void **state)
{
	static const char *const owners[] = {"ops",     "ops",     "",   "guest a",
					     "guest a", "guest a", "ops"};
	static const char old[] =
		"{\"pf\":\"x\",\"rules\":["
		"{\"loc\":1,\"entry\":{\"loc\":1,\"flow\":\"udp4\",\"cookie\":\"0x1\"},\"owner\":\"ops\"},"
		"{\"loc\":2,\"entry\":{\"loc\":2,\"flow\":\"udp4\",\"cookie\":\"0x1\"},\"owner\":\"ops\"},"
		"{\"loc\":3},"
		"{\"loc\":4,\"entry\":{\"loc\":4,\"flow\":\"udp4\",\"cookie\":\"0x1\"}}],"
		"\"list\":[{\"rule\":\"udp4 drop\",\"owner\":\"ops\"},{\"rule\":\"udp4 drop\",\"owner\":\"ops\"},"
		"{\"rule\":\"udp4 drop\"}]}";
	struct pf_state want = {.address = "0000:81:00.0", .has = STATE_LIST}, again = {0};
	struct sriov_error err = {0};
	char *text = NULL;
	size_t n = 0;

	for (uint32_t i = 0; i < ARRAY_SIZE(owners); i++) {
		struct sriov_rules one = list("udp4 dst-port 53 drop");
		struct rule_state *rule = state_rule(&want, i + 1);

		*rule = (struct rule_state){.present = true, .entry = udp_to(i + 1, 53, 1)};
		core_copy(rule->owner, sizeof(rule->owner), owners[i]);
		core_copy(one.at[0].owner, sizeof(one.at[0].owner), owners[i]);
		assert_int_equal(ruleset_add(&want.list, &one.at[0]), 0);
		sriov_rules_clear(&one);
	}
	assert_int_equal(state_encode(&want, &text, &err), 0);
	for (const char *at = text; (at = strstr(at, "guest a")); at++)
		n++;
	assert_int_equal(n, 2); /* once among the entries, once in the list */
	assert_int_equal(state_decode(text, &again, &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(owners); i++) {
		assert_string_equal(again.rule[i].owner, owners[i]);
		assert_string_equal(again.list.at[i].owner, owners[i]);
	}
	free(text);
	state_clear(&want);
	state_clear(&again);

	assert_int_equal(state_decode(old, &again, &err), 0);
	for (size_t i = 0; i < 4; i++)
		assert_string_equal(again.rule[i].owner, i < 2 ? "ops" : "");
	for (size_t i = 0; i < 3; i++)
		assert_string_equal(again.list.at[i].owner, i < 2 ? "ops" : "");
	state_clear(&again);
}

static void test_bad_records(void **state)
{
	static const char *const texts[] = {
		"{\"pf\":\"x\",\"list\":7}",
		"{\"pf\":\"x\",\"list\":[{}]}",
		"{\"pf\":\"x\",\"list\":[{\"rule\":\"udp4 dst-port\"}]}",
		"{\"pf\":\"x\",\"rss\":[]}",
		"{\"pf\":\"x\",\"rss\":[-1]}",
		"{\"pf\":\"x\",\"rss\":[\"1\"]}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct pf_state out = {.count = 77};
		struct sriov_error err = {0};

		if (state_decode(texts[i], &out, &err) != -EBADMSG)
			fail_msg("%s", texts[i]);
		assert_int_equal(out.count, 77);
	}
}

/* Records of before there were lists: entries with names, of which several may be one rule. */
static void test_derive(void **state)
{
	static const char old[] =
		"{\"pf\":\"0000:3b:00.0\",\"ntuple\":true,\"vf\":[],\"rules\":["
		"{\"loc\":1,\"kept\":false,\"name\":\"block\",\"owner\":\"ops\",\"entry\":{\"loc\":1,"
		"\"flow\":\"tcp4\",\"mask\":{\"ip4src\":\"255.255.255.255\"},"
		"\"value\":{\"ip4src\":\"10.0.0.6\"},\"cookie\":\"0xffffffffffffffff\"}},"
		"{\"loc\":4,\"kept\":false,\"name\":\"block\",\"owner\":\"ops\",\"entry\":{\"loc\":4,"
		"\"flow\":\"ip4\",\"mask\":{\"ip4src\":\"255.255.255.255\"},"
		"\"value\":{\"ip4src\":\"10.0.0.6\"},\"cookie\":\"0xffffffffffffffff\"}},"
		"{\"loc\":5,\"kept\":false,\"name\":\"tovf\",\"owner\":\"\",\"entry\":{\"loc\":5,"
		"\"flow\":\"udp4\",\"mask\":{\"pdst\":65535},\"value\":{\"pdst\":53},"
		"\"cookie\":\"0x200000003\"}}]}";
	static const char *const words[] = {
		"name block flow-type ip4 src-ip 10.0.0.6 drop",
		"name tovf flow-type udp4 dst-port 53 vf 1 queue 3",
	};
	struct pf_state s = {0};
	struct sriov_error err = {0};

	if (state_decode(old, &s, &err))
		fail_msg("%s", err.message);
	assert_false(s.has & STATE_LIST);
	assert_int_equal(ruleset_derive(&s), 0);
	assert_int_equal(s.list.n, 2);
	for (size_t i = 0; i < 2; i++) {
		char text[RULE_WORDS];

		assert_int_equal(sriov_rule_format(&s.list.at[i], text, sizeof(text)), 0);
		assert_string_equal(text, words[i]);
	}
	assert_string_equal(s.list.at[0].owner, "ops");
	state_clear(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip), cmocka_unit_test(test_known_text),
		cmocka_unit_test(test_owners),     cmocka_unit_test(test_bad_records),
		cmocka_unit_test(test_derive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
