/* SPDX-License-Identifier: Apache-2.0 */
/* Probes: the table of questions, answers from counts, and the parts of plans and states that only they use. */
#include "lib/plan/probe.h"
#include "lib/plan/step.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct question *named(const char *name)
{
	for (size_t i = 0; i < PROBE_QUESTIONS; i++)
		if (!strcmp(probe_questions[i].name, name))
			return &probe_questions[i];
	fail_msg("no question %s", name);
	return NULL;
}

static struct exchange round_of(unsigned sent, unsigned pf, unsigned vf)
{
	return (struct exchange){.sent = sent, .arrived = {pf, vf}, .hit = -1};
}

/* A round as sent, arrived at the PF, arrived at the VF. */
static void test_judge(void **state)
{
	static const struct {
		const char *question;
		unsigned before[3], with[3], after[3];
		const char *answer;
	} cases[] = {
		{"redirect", {8, 8, 0}, {8, 0, 8}, {8, 8, 0}, "yes"},
		{"redirect", {8, 8, 0}, {8, 8, 0}, {8, 8, 0}, "no"},
		{"redirect", {8, 8, 0}, {8, 4, 4}, {8, 8, 0}, "unclear"},
		{"redirect", {8, 8, 0}, {8, 8, 8}, {8, 8, 0}, "unclear"}, /* copied */
		{"redirect",
		 {8, 8, 0},
		 {8, 0, 0},
		 {8, 8, 0},
		 "unclear"}, /* to another VF, or lost */
		{"switched", {8, 8, 0}, {8, 0, 0}, {8, 8, 0}, "yes"},
		{"switched", {8, 8, 0}, {8, 8, 0}, {8, 8, 0}, "no"},
		{"switched", {8, 8, 0}, {8, 1, 0}, {8, 8, 0}, "unclear"},
		/* the way broke: nothing that is missing says anything */
		{"switched", {8, 8, 0}, {8, 0, 0}, {8, 0, 0}, "unclear"},
		{"switched", {8, 7, 0}, {8, 0, 0}, {8, 8, 0}, "unclear"},
		{"switched", {0, 0, 0}, {0, 0, 0}, {0, 0, 0}, "unclear"},
		{"drop-ports", {8, 8, 0}, {8, 0, 0}, {8, 8, 0}, "yes"},
		{"reach", {8, 0, 8}, {8, 8, 0}, {8, 0, 8}, "yes"},
		{"reach", {8, 0, 8}, {8, 0, 8}, {8, 0, 8}, "no"},
		{"reach", {8, 8, 0}, {8, 8, 0}, {8, 8, 0}, "unclear"},
		{"drop-vfs", {8, 0, 8}, {8, 0, 0}, {8, 0, 8}, "yes"},
		{"drop-vfs", {8, 0, 8}, {8, 0, 8}, {8, 0, 8}, "no"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct exchange rounds[PROBE_ROUNDS] = {
			round_of(cases[i].before[0], cases[i].before[1], cases[i].before[2]),
			round_of(cases[i].with[0], cases[i].with[1], cases[i].with[2]),
			round_of(cases[i].after[0], cases[i].after[1], cases[i].after[2]),
		};
		const char *answer = probe_judge(named(cases[i].question), rounds);

		if (strcmp(answer, cases[i].answer) != 0)
			fail_msg("case %zu: %s", i, answer);
	}
}

static void test_counts(void **state)
{
	struct exchange rounds[PROBE_ROUNDS] = {round_of(8, 8, 0), round_of(8, 0, 8),
						round_of(7, 7, 0)};
	char text[256], tiny[8];

	rounds[ROUND_WITH].hits = "fdir_match";
	rounds[ROUND_WITH].hit = 8;
	probe_counts(rounds, text, sizeof(text));
	assert_string_equal(text,
			    "without the rule 8 sent: PF 8, VF 0; with it 8 sent: PF 0, VF 8, "
			    "fdir_match +8; without it again 7 sent: PF 7, VF 0");
	probe_counts(rounds, tiny, sizeof(tiny));
	assert_string_equal(tiny, "without");
}

static struct sriov_pf port(const char *driver, uint16_t device)
{
	struct sriov_pf pf = {.address = "0000:81:00.0", .netdev = "eth2", .device = device};

	core_copy(pf.driver, sizeof(pf.driver), driver);
	return pf;
}

static void test_table(void **state)
{
	static const struct {
		const char *driver;
		uint16_t device;
		const char *asked;
	} cases[] = {
		{"ixgbe", 0x10fb, "redirect switched drop-ports drop-vfs "},
		{"ixgbe", 0x1528, "redirect switched drop-vfs "},
		{"i40e", 0x1572, "redirect switched reach drop-vfs "},
		{"igb", 0x1521, ""},
		{"ice", 0x1592, ""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sriov_pf pf = port(cases[i].driver, cases[i].device);
		unsigned n = 0;
		char text[128] = "";

		for (size_t q = 0; q < PROBE_QUESTIONS; q++) {
			if (!probe_applies(&probe_questions[q], &pf))
				continue;
			n++;
			strcat(strcat(text, probe_questions[q].name), " ");
		}
		assert_string_equal(text, cases[i].asked);
		/* three ways at most: wire to PF, wire to VF, VF to PF */
		assert_true(n * PROBE_ROUNDS * PROBE_FRAMES + 3 * PROBE_KNOCKS <= PROBE_FRAMES_MAX);
	}
	for (size_t q = 0; q < PROBE_QUESTIONS; q++) {
		const struct question *question = &probe_questions[q];
		struct sriov_evidence row;

		assert_true(strlen(question->name) < sizeof(row.question));
		assert_string_equal(sriov_probe_question(question->name), question->text);
		assert_string_equal(sriov_probe_meaning(question->name, "yes"),
				    question->means_yes);
		assert_string_equal(sriov_probe_meaning(question->name, "no"), question->means_no);
		assert_string_equal(sriov_probe_meaning(question->name, "unclear"), "");
	}
	assert_string_equal(sriov_probe_question("nonsense"), "");
	assert_string_equal(sriov_probe_meaning("nonsense", "yes"), "");
}

static void test_entries(void **state)
{
	static const char by_ports[] = "udp4 src-ip 192.0.2.9 dst-ip 198.51.100.9 src-port 40009 "
				       "dst-port 9 -> ";
	static const char by_address[] = "udp4 src-ip 192.0.2.9 dst-ip 198.51.100.9 -> ";
	static const struct {
		const char *question, *driver, *match, *action;
	} cases[] = {
		{"redirect", "ixgbe", by_ports, "vf 3 queue 0"},
		{"switched", "ixgbe", by_address, "drop"},
		{"drop-ports", "ixgbe", by_ports, "drop"},
		{"drop-vfs", "ixgbe", by_address, "drop"},
		/* the default input set of udp4, so that nothing has to be put back */
		{"switched", "i40e", by_ports, "drop"},
		{"reach", "i40e", by_ports, "queue 0"},
		{"redirect", "i40e", by_ports, "vf 3 queue 0"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sriov_entry entry;
		char text[256], want[256];

		probe_entry(named(cases[i].question), cases[i].driver, 3, 5, &entry);
		assert_int_equal(entry.loc, 5);
		sriov_entry_format(&entry, text, sizeof(text));
		snprintf(want, sizeof(want), "%s%s", cases[i].match, cases[i].action);
		assert_string_equal(text, want);
	}
}

/* The state of a probe in the journal, and the way back from it. */
static void test_state(void **state)
{
	struct sriov_vf vf[2] = {{.index = 0, .netdev = "eth3", .netdev_up = true},
				 {.index = 1, .netdev = "eth4"}};
	struct sriov_pf pf = port("ixgbe", 0x10fb);
	struct pf_state want = {.has = STATE_NTUPLE, .ntuple = true, .passing = true}, back = {0};
	struct pf_state before = {0};
	struct sriov_error err = {0};
	struct steps steps = {0};
	_free_ char *text = NULL;

	pf.vf = vf;
	pf.vfs = 2;
	pf.ntuple = SRIOV_NTUPLE_ON;
	core_copy(want.address, sizeof(want.address), pf.address);
	state_vf(&want, 1)->has_up = state_vf(&want, 1)->up = true;
	assert_int_equal(state_encode(&want, &text, &err), 0);
	assert_int_equal(state_decode(text, &back, &err), 0);
	assert_true(back.passing);
	assert_int_equal(back.nvf, 1);
	assert_true(back.vf[0].has_up && back.vf[0].up);
	/* what stood before speaks of the same places, and is not passing */
	assert_int_equal(state_capture(&pf, &want, &before, &err), 0);
	assert_false(before.passing);
	assert_true(before.vf[0].has_up && !before.vf[0].up);
	/* forth: after the port; back: before it */
	pf.ntuple = SRIOV_NTUPLE_OFF;
	assert_int_equal(steps_diff(&pf, &want, &steps, &err), 0);
	assert_int_equal(steps.n, 2);
	assert_int_equal(steps.at[0].kind, STEP_NTUPLE);
	assert_int_equal(steps.at[1].kind, STEP_VF_UP);
	assert_true(steps.at[1].on && steps.at[1].number == 1);
	steps_clear(&steps);
	vf[1].netdev_up = true;
	before.ntuple = true;
	assert_int_equal(steps_diff(&pf, &before, &steps, &err), 0);
	assert_int_equal(steps.n, 2);
	assert_int_equal(steps.at[0].kind, STEP_VF_UP);
	assert_false(steps.at[0].on);
	assert_int_equal(steps.at[1].kind, STEP_NTUPLE);
	steps_clear(&steps);
	state_clear(&want);
	state_clear(&back);
	state_clear(&before);
}

/* A VF whose netdev a killed probe left up is no user that its undoing would hit; anything else is. */
static void test_guard(void **state)
{
	struct sriov_use use[2] = {{.who = "host", .how = "netdev eth3 is up", .running = true},
				   {.who = "guest web1 (running)", .running = true}};
	struct sriov_vf vf = {.index = 0, .netdev = "eth3", .netdev_up = true};
	struct sriov_pf pf = port("ixgbe", 0x10fb);
	struct step step[2] = {{.kind = STEP_VF_UP}, {.kind = STEP_NTUPLE, .hits_port = true}};
	struct steps steps = {.at = step, .n = 2};
	struct sriov_error err = {0};

	vf.uses = (struct sriov_uses){use, 1};
	pf.vf = &vf;
	pf.vfs = 1;
	assert_int_equal(steps_guard(&pf, &steps, false, false, &err), 0);
	step[0].number = 1; /* of another VF */
	assert_int_equal(steps_guard(&pf, &steps, false, false, &err), -EBUSY);
	step[0].number = 0;
	step[0].on = true;
	assert_int_equal(steps_guard(&pf, &steps, false, false, &err), -EBUSY);
	step[0].on = false;
	strcpy(vf.master, "br0");
	assert_int_equal(steps_guard(&pf, &steps, false, false, &err), -EBUSY);
	vf.master[0] = '\0';
	vf.uses.n = 2;
	assert_int_equal(steps_guard(&pf, &steps, false, false, &err), -EBUSY);
	vf.uses = (struct sriov_uses){&use[1], 1};
	assert_int_equal(steps_guard(&pf, &steps, false, false, &err), -EBUSY);
	assert_int_equal(err.status, SRIOV_REFUSED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_judge), cmocka_unit_test(test_counts),
		cmocka_unit_test(test_table), cmocka_unit_test(test_entries),
		cmocka_unit_test(test_state), cmocka_unit_test(test_guard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
