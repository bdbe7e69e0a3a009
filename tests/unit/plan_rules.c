/* SPDX-License-Identifier: Apache-2.0 */
/* Rules in plans: lists and their names, what is deleted and what comes back, RSS. */
#include "lib/plan/ruleset.h"
#include "lib/plan/step.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/rules_of.h"

#define MANY 8000

static struct sriov_pf port(const char *driver, struct sriov_entry *rules, size_t n)
{
	struct sriov_pf pf = {.address = "0000:81:00.0",
			      .netdev = "ens2f0",
			      .up = true,
			      .autoprobe = true,
			      .vfs_total = 63,
			      .queues = 8,
			      .ntuple = SRIOV_NTUPLE_ON,
			      .rules = rules,
			      .nrules = n};

	core_copy(pf.driver, sizeof(pf.driver), driver);
	return pf;
}

static char *plan_text(const struct sriov_pf *pf, const struct pf_state *want)
{
	static char text[4096];
	struct sriov_error err = {0};
	struct steps steps = {0};

	text[0] = '\0';
	assert_int_equal(steps_diff(pf, want, &steps, &err), 0);
	for (size_t i = 0; i < steps.n; i++) {
		struct sriov_step_text step;
		size_t used = strlen(text);

		step_describe(pf, &steps.at[i], &step);
		snprintf(text + used, sizeof(text) - used, "%s\n", step.what);
	}
	steps_clear(&steps);
	return text;
}

/* ---- lists ---- */

static void test_names(void **state)
{
	struct sriov_rules old = list("name dns udp4 dst-port 53 drop\n"
				      "name rule-2 udp4 dst-port 54 drop loc 9\n");
	struct sriov_rules new = list("udp4 dst-port 99 drop\n"
				      "udp4 dst-port 53 drop\n" /* says what dns says */
				      "udp4 dst-port 54 drop\n" /* with any location */
				      "udp4 dst-port 53 drop\n" /* dns is taken by now */
				      "name rule-1 udp4 dst-port 1 drop\n");
	static const char *const names[] = {"rule-3", "dns", "rule-2", "rule-4", "rule-1"};

	assert_int_equal(ruleset_name(&new, &old), 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_string_equal(new.at[i].name, names[i]);
	sriov_rules_clear(&old);
	sriov_rules_clear(&new);
}

/* A name that the new list gives to another rule is not kept by the one that had it. */
static void test_name_given_away(void **state)
{
	struct sriov_rules old = list("name dns udp4 dst-port 53 drop\n");
	struct sriov_rules new = list("udp4 dst-port 53 drop\n"
				      "name dns udp4 dst-port 5353 drop\n");

	core_copy(old.at[0].owner, sizeof(old.at[0].owner), "ops");
	assert_int_equal(ruleset_name(&new, &old), 0);
	assert_string_equal(new.at[0].name, "rule-1");
	assert_string_equal(new.at[0].owner, "");
	assert_string_equal(new.at[1].name, "dns");
	sriov_rules_clear(&old);
	sriov_rules_clear(&new);
}

/* A list that is applied again has the same names: also rules that are there twice, gone, new or said otherwise. */
static void test_names_again(void **state)
{
	struct sriov_rules old = list("name a udp4 dst-port 1 drop\n"
				      "name b udp4 dst-port 2 drop loc 5\n"
				      "name c udp4 dst-port 3 drop\n"
				      "name d udp4 dst-port 4 drop\n"
				      "name e udp4 dst-port 4 drop\n"
				      "name f udp4 dst-port 6 drop\n");
	struct sriov_rules new = list("udp4 dst-port 1 drop\n"
				      "name x udp4 dst-port 9 drop\n"
				      "udp4 dst-port 2 drop\n"
				      "udp4 dst-port 4 drop\n"
				      "udp4 dst-port 4 drop\n"
				      "udp4 dst-port 7 drop\n" /* new */
				      "udp4 dst-port 6 drop\n"
				      "udp4 dst-port 3 drop\n"   /* stood before the others */
				      "udp4 dst-port 4 drop\n"); /* a third one */
	static const char *const names[] = {"a", "x", "b", "d", "e", "rule-1", "f", "c", "rule-2"};

	core_copy(old.at[2].owner, sizeof(old.at[2].owner), "ops");
	core_copy(old.at[0].owner, sizeof(old.at[0].owner), "ops");
	assert_int_equal(ruleset_name(&new, &old), 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_string_equal(new.at[i].name, names[i]);
	assert_string_equal(new.at[0].owner, "ops");
	assert_string_equal(new.at[7].owner, "ops");
	assert_string_equal(new.at[2].owner, "");
	sriov_rules_clear(&old);
	sriov_rules_clear(&new);
}

static void test_same(void **state)
{
	struct sriov_rules rules = list("name a udp4 dst-port 53 drop loc 7\n"
					"name b udp4 dst-port 53 drop\n"
					"name c udp4 dst-port 53 drop loc 8\n"
					"name d udp4 dst-port 53 queue 1\n"
					"name e udp4 dst-port 53 drop optional\n");

	assert_true(ruleset_same(&rules.at[0], &rules.at[1]));
	assert_false(ruleset_same(&rules.at[0], &rules.at[2]));
	assert_false(ruleset_same(&rules.at[0], &rules.at[3]));
	assert_false(ruleset_same(&rules.at[0], &rules.at[4]));
	sriov_rules_clear(&rules);
}

/* ---- records ---- */

static void test_rules_are_in_order(void **state)
{
	static const uint32_t locs[] = {7, 3, 9, 1, 3, 8};
	struct pf_state s = {0};

	for (size_t i = 0; i < ARRAY_SIZE(locs); i++)
		assert_int_equal(state_rule(&s, locs[i])->entry.loc, locs[i]);
	assert_int_equal(s.nrules, 5);
	for (size_t i = 1; i < s.nrules; i++)
		assert_true(s.rule[i - 1].entry.loc < s.rule[i].entry.loc);
	assert_non_null(state_find_rule(&s, 8));
	assert_null(state_find_rule(&s, 2));
	assert_null(state_find_rule(&s, 10));
	state_clear(&s);
}

static void test_merge(void **state)
{
	struct sriov_rules one = list("name dns udp4 dst-port 53 drop\n"), none = {0};
	struct pf_state intent = {0}, change = {.address = "0000:81:00.0", .allow = 2};
	struct sriov_error err = {0};

	*state_rule(&intent, 2) = (struct rule_state){.present = true, .entry = udp_to(2, 2, 2)};
	*state_rule(&intent, 3) = (struct rule_state){.present = true, .entry = udp_to(3, 3, 3)};
	*state_rule(&intent, 5) = (struct rule_state){.present = true, .entry = udp_to(5, 5, 5)};
	*state_rule(&change, 1) = (struct rule_state){.present = true, .entry = udp_to(1, 1, 1)};
	*state_rule(&change, 2) =
		(struct rule_state){.present = true, .kept = true, .entry = udp_to(2, 2, 2)};
	*state_rule(&change, 3) =
		(struct rule_state){.present = true, .others = true, .entry = udp_to(3, 9, 9)};
	*state_rule(&change, 4) =
		(struct rule_state){.present = true, .kept = true, .entry = udp_to(4, 9, 9)};
	state_rule(&change, 5);
	assert_int_equal(state_set_list(&change, &one), 0);
	assert_int_equal(state_merge(&intent, &change, &err), 0);
	assert_int_equal(intent.nrules, 2);
	assert_int_equal(intent.rule[0].entry.loc, 1);
	assert_int_equal(intent.rule[1].entry.loc, 2);
	assert_int_equal(intent.list.n, 1);
	assert_int_equal(intent.allow, 2);
	/* the last rule gone: nothing is said any more */
	assert_int_equal(state_set_list(&change, &none), 0);
	assert_int_equal(state_merge(&intent, &change, &err), 0);
	assert_int_equal(intent.has, 0);
	assert_int_equal(intent.allow, 0);
	sriov_rules_clear(&one);
	state_clear(&intent);
	state_clear(&change);
}

/* ---- plans ---- */

/* i40e keeps rules when VFs come or go, but for the VSI that the VF had. */
static void test_stale_targets(void **state)
{
	struct sriov_entry rules[] = {udp_to(1, 53, 2), udp_to(2, 54, 1ull << 32),
				      udp_to(3, 55, 3ull << 32)};
	struct sriov_pf pf = port("i40e", rules, 3);
	struct pf_state want = {.has = STATE_COUNT, .count = 2};

	pf.vfs = 4;
	assert_string_equal(plan_text(&pf, &want),
			    "delete rule at location 2: udp4 dst-port 54 -> vf 0 queue 0\n"
			    "delete rule at location 3: udp4 dst-port 55 -> vf 2 queue 0\n"
			    "delete all 4 VFs (sriov_numvfs 0)\n"
			    "create 2 VFs (sriov_numvfs)\n"
			    "install rule at location 2: udp4 dst-port 54 -> vf 0 queue 0\n");
	/* an intent says so too */
	*state_rule(&want,
		    2) = (struct rule_state){.present = true, .entry = rules[1], .name = "tovf"};
	state_rule(&want, 3);
	assert_string_equal(plan_text(&pf, &want),
			    "delete rule tovf at location 2: udp4 dst-port 54 -> vf 0 queue 0\n"
			    "delete rule at location 3: udp4 dst-port 55 -> vf 2 queue 0\n"
			    "delete all 4 VFs (sriov_numvfs 0)\n"
			    "create 2 VFs (sriov_numvfs)\n"
			    "install rule tovf at location 2: udp4 dst-port 54 -> vf 0 queue 0\n");
	state_clear(&want);
}

static void test_ntuple_off(void **state)
{
	struct sriov_entry rules[] = {udp_to(1, 53, 2)};
	struct sriov_pf pf = port("i40e", rules, 1);
	struct pf_state want = {.has = STATE_NTUPLE};

	/* what goes with ntuple cannot be put back without it */
	assert_string_equal(plan_text(&pf, &want), "switch ntuple filters off\n");
}

/* Everything goes before anything comes. */
static void test_replace(void **state)
{
	struct sriov_entry rules[] = {udp_to(1, 53, 2), udp_to(2, 54, 2), udp_to(9, 99, 9)};
	struct sriov_pf pf = port("ixgbe", rules, 3);
	struct pf_state want = {.has = STATE_NTUPLE, .ntuple = true};

	state_rule(&want, 1);
	*state_rule(&want, 2) =
		(struct rule_state){.present = true, .entry = udp_to(2, 54, 3), .name = "b"};
	*state_rule(&want, 3) =
		(struct rule_state){.present = true, .entry = udp_to(3, 55, 3), .name = "c"};
	assert_string_equal(plan_text(&pf, &want),
			    "delete rule at location 1: udp4 dst-port 53 -> queue 2\n"
			    "delete rule at location 2: udp4 dst-port 54 -> queue 2\n"
			    "install rule b at location 2: udp4 dst-port 54 -> queue 3\n"
			    "install rule c at location 3: udp4 dst-port 55 -> queue 3\n");
	state_clear(&want);
}

/* Where somebody else has put something at a place of ours, it is not overwritten. */
static void test_others_place(void **state)
{
	struct sriov_entry rules[] = {udp_to(1, 53, 2), udp_to(2, 54, 3)};
	struct sriov_pf pf = port("ixgbe", rules, 2);
	struct pf_state intent = {0}, want = {0};
	struct sriov_error err = {0};
	struct steps steps = {0};

	*state_rule(&intent, 1) = (struct rule_state){.present = true, .entry = rules[0]};
	*state_rule(&intent, 2) = (struct rule_state){.present = true, .entry = udp_to(2, 77, 1)};
	*state_rule(&want, 1) = (struct rule_state){.present = true, .entry = udp_to(1, 60, 1)};
	assert_int_equal(steps_diff(&pf, &want, &steps, &err), 0);
	/* ours is ours to replace */
	assert_int_equal(steps_guard_rules(&pf, &intent, &want, &steps, &err), 0);
	steps_clear(&steps);
	*state_rule(&want, 2) =
		(struct rule_state){.present = true, .entry = udp_to(2, 77, 1), .name = "mine"};
	assert_int_equal(steps_diff(&pf, &want, &steps, &err), 0);
	assert_int_equal(steps_guard_rules(&pf, &intent, &want, &steps, &err), -EEXIST);
	assert_int_equal(err.status, SRIOV_REFUSED);
	assert_non_null(strstr(err.message, "location 2"));
	assert_non_null(strstr(err.message, "mine"));
	assert_non_null(strstr(err.message, "udp4 dst-port 54 -> queue 3"));
	steps_clear(&steps);
	state_clear(&intent);
	state_clear(&want);
}

static void test_rss(void **state)
{
	static const uint32_t table[] = {2, 3, 2, 3, 2, 3, 2, 3}, spread[] = {2, 3},
			      other[] = {0, 1, 3};
	struct sriov_pf pf = port("ixgbe", NULL, 0);
	struct pf_state want = {0}, before = {0};
	struct sriov_error err = {0};

	pf.rss = (uint32_t *)table;
	pf.nrss = ARRAY_SIZE(table);
	assert_int_equal(state_set_rss(&want, spread, 2), 0);
	assert_string_equal(plan_text(&pf, &want), "");
	/* ixgbe fills the table anew at each reset of the port, i40e does not */
	want.has |= STATE_NTUPLE;
	assert_string_equal(plan_text(&pf, &want),
			    "switch ntuple filters off\n"
			    "spread what no rule catches over RX queues 2-3 of ens2f0 (RSS)\n");
	core_copy(pf.driver, sizeof(pf.driver), "i40e");
	assert_string_equal(plan_text(&pf, &want), "switch ntuple filters off\n");
	want.has = STATE_RSS;
	assert_int_equal(state_set_rss(&want, other, 3), 0);
	assert_string_equal(plan_text(&pf, &want),
			    "bring back the RSS table of ens2f0 (3 entries)\n");
	/* the before-image is the whole table */
	assert_int_equal(state_capture(&pf, &want, &before, &err), 0);
	assert_int_equal(before.nrss, ARRAY_SIZE(table));
	assert_memory_equal(before.rss, table, sizeof(table));
	/* a PF with VFs has fewer queues */
	core_copy(pf.driver, sizeof(pf.driver), "ixgbe");
	want.has |= STATE_COUNT;
	want.count = 40;
	assert_int_equal(steps_check_rss(&pf, &want, &err), -ERANGE);
	assert_non_null(strstr(err.message, "has 2 RX queues"));
	want.count = 4;
	assert_int_equal(steps_check_rss(&pf, &want, &err), 0);
	state_clear(&want);
	state_clear(&before);
}

/* A rule that no words can say would come back as another one: it is not recorded. */
static void test_no_words(void **state)
{
	struct sriov_rule rule = {.name = "odd", .type = SRIOV_FLOW_NONE, .loc = -1};
	struct sriov_rules one = {.at = &rule, .n = 1};
	struct pf_state want = {.address = "0000:81:00.0", .has = STATE_LIST, .list = one};
	struct sriov_error err = {0};
	char *text = NULL;

	assert_int_equal(state_encode(&want, &text, &err), -EINVAL);
	assert_null(text);
	assert_string_equal(err.object, "odd");
	assert_non_null(strstr(err.message, "no words for this rule"));
}

/* Thousands of rules: recorded, read, planned; half of them at other locations. */
static void test_many(void **state)
{
	_free_ struct sriov_entry *rules = calloc(MANY, sizeof(*rules));
	struct pf_state want = {.address = "0000:81:00.0"}, again = {0}, before = {0};
	struct sriov_pf pf = port("i40e", rules, MANY);
	struct sriov_error err = {0};
	struct steps steps = {0};
	char *text = NULL;

	for (unsigned i = 0; i < MANY; i++) {
		rules[i] = udp_to(i + 1, i, 1);
		*state_rule(&want, i + 1) = (struct rule_state){.present = i % 4,
								.entry = udp_to(i + 1, i, i % 2)};
		want.rule[i].entry.loc = i + 1;
	}
	assert_int_equal(state_encode(&want, &text, &err), 0);
	assert_int_equal(state_decode(text, &again, &err), 0);
	assert_int_equal(again.nrules, MANY);
	assert_int_equal(steps_diff(&pf, &again, &steps, &err), 0);
	/* a quarter goes, a quarter is replaced, half stays */
	assert_int_equal(steps.n, MANY / 4 * 3);
	assert_int_equal(state_capture(&pf, &again, &before, &err), 0);
	assert_int_equal(before.nrules, MANY);
	free(text);
	steps_clear(&steps);
	state_clear(&want);
	state_clear(&again);
	state_clear(&before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_names_again),
		cmocka_unit_test(test_name_given_away),
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_rules_are_in_order),
		cmocka_unit_test(test_merge),
		cmocka_unit_test(test_stale_targets),
		cmocka_unit_test(test_ntuple_off),
		cmocka_unit_test(test_replace),
		cmocka_unit_test(test_others_place),
		cmocka_unit_test(test_rss),
		cmocka_unit_test(test_no_words),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
