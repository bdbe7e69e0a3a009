/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules from testpmd's commands (DPDK 22.11, app/test-pmd/cmdline_flow.c):
 *     flow create PORT [group 0] [priority N] ingress pattern ITEM … / end actions ACTION / … / end
 * What is not a rule of a port's ingress, or has no words here, is left out and said with its place.
 */
#include "flows/from/testpmd.h"
#include "flows/value.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

int testpmd_leave_out(struct testpmd *r, const struct word *word, const char *fmt, ...)
{
	char why[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	if (note_add(&r->out->notes, r->lex.line, true, "column %u: %s", word->column, why))
		return core_oom(r->lex.err);
	return LEFT_OUT;
}

int testpmd_need(struct testpmd *r, struct word *word, const char *what)
{
	int n = lex_next(&r->lex, word);

	if (n)
		return n < 0 ? n : 0;
	return lex_error(&r->lex, -EINVAL, NULL, "expected %s", what);
}

int testpmd_need_word(struct testpmd *r, const char *text)
{
	struct word word;
	int n = lex_next(&r->lex, &word);

	if (n > 0 && !strcmp(word.text, text))
		return 0;
	return n < 0 ? n : lex_error(&r->lex, -EINVAL, n ? &word : NULL, "expected `%s`", text);
}

int testpmd_need_number(struct testpmd *r, const char *of, uint64_t max, uint64_t *out)
{
	struct word word;
	int n = testpmd_need(r, &word, "a number");

	if (!n && value_number(word.text, max, out))
		return lex_error(&r->lex, -EINVAL, &word, "%s needs a number from 0 to %" PRIu64,
				 of, max);
	return n;
}

/* ---- actions ---- */

static int act_queue(struct testpmd *r)
{
	uint64_t number;
	int n = testpmd_need_word(r, "index");

	if (!n)
		n = testpmd_need_number(r, "index", UINT16_MAX, &number);
	if (n)
		return n;
	r->rule.action.queue = number;
	r->has_queue = true;
	if (!r->has_action)
		r->rule.action.kind = SRIOV_ACTION_QUEUE;
	return 0;
}

static int act_vf(struct testpmd *r)
{
	struct word word;
	uint64_t number;
	int n = testpmd_need(r, &word, "`id`");

	if (!n && !strcmp(word.text, "original"))
		return testpmd_leave_out(r, &word,
					 "the VF that a packet is for anyway has no words here");
	if (!n && strcmp(word.text, "id"))
		return lex_error(&r->lex, -EINVAL, &word, "expected `id`");
	if (!n)
		n = testpmd_need_number(r, "id", RULE_VF_MAX, &number);
	if (n)
		return n;
	r->rule.action.kind = SRIOV_ACTION_VF;
	r->rule.action.vf = number;
	return 0;
}

static int act_drop(struct testpmd *r)
{
	r->rule.action = (struct sriov_action){.kind = SRIOV_ACTION_DROP};
	return 0;
}

static int act_nothing(struct testpmd *r)
{
	return 0;
}

static const struct {
	const char *word;
	int (*read)(struct testpmd *r);
	bool decides; /* where the packet goes */
} acts[] = {
	{"queue", act_queue, true},
	{"vf", act_vf, true},
	{"drop", act_drop, true},
	{"void", act_nothing, false},
};

static int read_act(struct testpmd *r, const struct word *word)
{
	size_t i = 0;
	bool vf_queue;
	int n;

	while (i < ARRAY_SIZE(acts) && strcmp(acts[i].word, word->text))
		i++;
	if (i == ARRAY_SIZE(acts))
		return testpmd_leave_out(r, word, "the action %.40s has no words here", word->text);
	/* `vf id 1 / queue index 2` is one target */
	vf_queue = r->rule.action.kind == SRIOV_ACTION_VF && !r->has_queue &&
		   acts[i].read == act_queue;
	if (acts[i].decides && r->has_action && !vf_queue)
		return testpmd_leave_out(r, word, "a second action '%s' has no words here",
					 word->text);
	n = acts[i].read(r);
	r->has_action |= acts[i].decides;
	return n ? n : testpmd_need_word(r, "/");
}

static int read_actions(struct testpmd *r)
{
	struct word word;
	int n;

	for (;;) {
		n = testpmd_need(r, &word, "an action or `end`");
		if (n)
			return n;
		if (!strcmp(word.text, "end"))
			break;
		n = read_act(r, &word);
		if (n)
			return n;
	}
	if (!r->has_action)
		return testpmd_leave_out(r, &word, "without an action the driver chooses one");
	n = lex_next(&r->lex, &word);
	return n > 0 ? lex_error(&r->lex, -EINVAL, &word, "the rule ends before '%s'", word.text)
		     : n;
}

/* ---- the line ---- */

/* Attributes, up to "pattern". */
static int read_attributes(struct testpmd *r)
{
	struct word word;
	uint64_t number;
	int n;

	for (;;) {
		n = testpmd_need(r, &word, "`pattern`");
		if (n || !strcmp(word.text, "pattern"))
			break;
		if (!strcmp(word.text, "ingress")) {
			r->ingress = true;
		} else if (!strcmp(word.text, "priority")) {
			n = testpmd_need_number(r, "priority", UINT32_MAX, &r->priority);
		} else if (!strcmp(word.text, "group")) {
			n = testpmd_need_number(r, "group", UINT32_MAX, &number);
			if (!n && number)
				return testpmd_leave_out(r, &word, "groups have no words here");
		} else if (!strcmp(word.text, "egress") || !strcmp(word.text, "transfer")) {
			return testpmd_leave_out(r, &word,
						 "rules here are for packets that come in, not "
						 "for '%s'",
						 word.text);
		} else {
			return lex_error(
				&r->lex, -EINVAL, &word,
				"expected `ingress`, `priority N`, `group 0` or `pattern`");
		}
		if (n)
			break;
	}
	if (!n && !r->ingress)
		return testpmd_leave_out(r, &word,
					 "a rule that does not say `ingress` is refused by DPDK");
	return n;
}

/* "flow create PORT", or another command, which is left out. */
static int read_head(struct testpmd *r, const struct word *first)
{
	struct word word;
	uint64_t port;
	int n;

	if (strcmp(first->text, "flow"))
		return testpmd_leave_out(r, first, "'%.40s' is a command, and no rule",
					 first->text);
	r->testpmd = true;
	n = testpmd_need(r, &word, "`create`");
	if (n)
		return n;
	if (strcmp(word.text, "create"))
		return testpmd_leave_out(r, &word, "'flow %.40s' is a command, and no rule",
					 word.text);
	n = testpmd_need(r, &word, "a port");
	if (n)
		return n;
	if (value_number(word.text, UINT16_MAX, &port))
		return lex_error(&r->lex, -EINVAL, &word, "a port is a number from 0 to 65535");
	if (r->port >= 0 && r->port != (long)port)
		return testpmd_leave_out(
			r, &word, "port %u is another one: the rules before are for port %ld",
			(unsigned)port, r->port);
	r->port = port;
	return 0;
}

static int read_rule(struct testpmd *r)
{
	struct word at;
	int n = read_attributes(r);

	if (!n)
		n = testpmd_pattern(r);
	if (!n) {
		lex_peek(&r->lex, &at);
		n = testpmd_need_word(r, "actions");
	}
	if (!n)
		n = testpmd_finish_pattern(r, &at);
	return n ? n : read_actions(r);
}

static int read_line(struct testpmd *r)
{
	struct sriov_entry clean;
	struct word word;
	int n;

	r->rule = (struct sriov_rule){.loc = -1, .weight = 1, .line = r->lex.line};
	r->items = r->eth_type = r->eth_type_mask = r->priority = 0;
	r->ingress = r->has_action = r->has_queue = false;
	do
		n = lex_next(&r->lex, &word);
	while (n > 0 && !strcmp(word.text, "testpmd>"));
	if (n <= 0)
		return n;
	n = read_head(r, &word);
	if (!n)
		n = read_rule(r);
	if (n)
		return n < 0 ? n : 0;
	clean = (struct sriov_entry){
		.type = r->rule.type, .value = r->rule.value, .mask = r->rule.mask, .ext = true};
	entry_canonical(&clean);
	r->rule.value = clean.value;
	r->rule.mask = clean.mask;
	/* sorted by it when all are read */
	r->rule.weight = 0;
	r->rule.loc = r->priority;
	return rules_add(r->out, &r->rule) ? core_oom(r->lex.err) : 0;
}

/* By priority, then as they stand. */
static int by_priority(const void *a, const void *b)
{
	const struct sriov_rule *ra = a, *rb = b;

	return ra->loc != rb->loc ? (ra->loc > rb->loc) - (ra->loc < rb->loc)
				  : (ra->line > rb->line) - (ra->line < rb->line);
}

int import_testpmd(const char *text, const char *driver, struct sriov_rules *out,
		   struct sriov_error *err)
{
	struct testpmd r = {.out = out, .port = -1};
	int n = 0;

	for (unsigned line = 1; !n && *text; line++) {
		_free_ char *copy = strndup(text, strcspn(text, "\n"));

		if (!copy)
			return core_oom(err);
		lex_start(&r.lex, copy, out->file[0] ? out->file : NULL, line, err);
		n = read_line(&r);
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
	if (n)
		return n;
	if (!r.testpmd && out->notes.n) {
		sriov_error_set(err, -ENODATA, out->file[0] ? out->file : "testpmd",
				"there is no command `flow` of testpmd here");
		return sriov_error_hint(err, "expected are lines `flow create PORT ingress pattern "
					     "… / end actions … / end`");
	}
	if (out->n)
		qsort(out->at, out->n, sizeof(*out->at), by_priority);
	for (size_t i = 0; i < out->n; i++) {
		out->at[i].weight = 1;
		out->at[i].loc = -1;
	}
	return 0;
}
