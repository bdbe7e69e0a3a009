/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words of a rule that are no fields: name, VLAN parts, scope, what to do, weight, location; and
 * ethtool(8)'s words that are none here.
 */
#include "flows/parser.h"
#include "flows/value.h"

#include <errno.h>
#include <inttypes.h>
#include <libgen.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>

static int read_name(struct parser *p, const struct word *self)
{
	struct word word;
	int r = lex_next(&p->lex, &word);

	if (r < 0)
		return r;
	if (!r || !rule_name_ok(word.text)) {
		r = lex_error(&p->lex, -EINVAL, r ? &word : NULL, "%s needs a name", self->text);
		sriov_error_hint(
			p->lex.err,
			"a name starts with a letter and has letters, digits and _ . : / - "
			"(at most %d characters)",
			SRIOV_NAME_LEN - 1);
		return r;
	}
	core_copy(p->rule.name, sizeof(p->rule.name), word.text);
	return 0;
}

/* A number from @min to @max as the value of @self. */
static int read_number(struct parser *p, const char *self, uint64_t min, uint64_t max,
		       uint64_t *out)
{
	struct word word;
	int r = lex_next(&p->lex, &word);

	if (r < 0)
		return r;
	if (!r || value_number(word.text, max, out) || *out < min) {
		r = lex_error(&p->lex, -EINVAL, r ? &word : NULL,
			      "%s needs a number from %" PRIu64 " to %" PRIu64, self, min, max);
		sriov_error_hint(p->lex.err, "numbers are decimal without leading zeros, or 0x…");
		return r;
	}
	return 0;
}

static int read_guest_name(struct parser *p, const char *self, char out[SRIOV_NAME_LEN])
{
	struct word word;
	int r = lex_next(&p->lex, &word);

	if (r < 0)
		return r;
	if (!r || !rule_guest_ok(word.text)) {
		r = lex_error(&p->lex, -EINVAL, r ? &word : NULL,
			      "%s needs the name of a guest (at most %d characters)", self,
			      SRIOV_NAME_LEN - 1);
		sriov_error_hint(p->lex.err, "a guest whose name has blanks is named by its UUID");
		return r;
	}
	core_copy(out, SRIOV_NAME_LEN, word.text);
	return 0;
}

/* ---- who: scope and target ---- */

static int read_in(struct parser *p, const struct word *self)
{
	static const char *const scopes[] = {
		[SRIOV_SCOPE_PF] = "pf", [SRIOV_SCOPE_VF] = "vf", [SRIOV_SCOPE_GUEST] = "guest"};
	struct sriov_scope *scope = &p->rule.scope;
	struct word word;
	uint64_t number;
	int r = lex_next(&p->lex, &word);

	if (r < 0)
		return r;
	for (unsigned kind = SRIOV_SCOPE_PF; r && kind < ARRAY_SIZE(scopes); kind++)
		if (!strcmp(scopes[kind], word.text))
			scope->kind = kind;
	switch (scope->kind) {
	case SRIOV_SCOPE_PF:
		return 0;
	case SRIOV_SCOPE_VF:
		r = read_number(p, "in vf", 0, RULE_VF_MAX, &number);
		if (!r)
			scope->vf = number;
		return r;
	case SRIOV_SCOPE_GUEST:
		return read_guest_name(p, "in guest", scope->guest);
	case SRIOV_SCOPE_ALL:
	default:
		r = lex_error(&p->lex, -EINVAL, r ? &word : NULL,
			      "in needs `pf`, `vf N` or `guest NAME`");
		sriov_error_hint(
			p->lex.err,
			"it narrows the rule to the traffic that the NIC's switch gives "
			"to that one; without `in` the rule is for all traffic of the port");
		return r;
	}
}

static int read_vf(struct parser *p, const struct word *self)
{
	uint64_t number;
	int r = read_number(p, self->text, 0, RULE_VF_MAX, &number);

	if (r)
		return r;
	p->rule.action.vf = number;
	p->rule.action.kind = SRIOV_ACTION_VF;
	return 0;
}

static int read_guest(struct parser *p, const struct word *self)
{
	p->rule.action.kind = SRIOV_ACTION_GUEST;
	return read_guest_name(p, self->text, p->rule.action.guest);
}

/* ---- what to do ---- */

static int read_drop(struct parser *p, const struct word *self)
{
	p->rule.action = (struct sriov_action){.kind = SRIOV_ACTION_DROP};
	return 0;
}

static int read_queue(struct parser *p, const struct word *self)
{
	uint64_t number;
	int r = read_number(p, self->text, 0, UINT32_MAX, &number);

	if (r)
		return r;
	p->rule.action.queue = number;
	if (!(p->said & (SAID(WORD_VF) | SAID(WORD_GUEST))))
		p->rule.action.kind = SRIOV_ACTION_QUEUE;
	return 0;
}

bool rule_queues_ok(uint64_t first, uint64_t last, char near[64])
{
	uint64_t n = last - first + 1, below = 1;
	int len;

	while (below * 2 <= n)
		below *= 2;
	if (n == below)
		return true;
	len = snprintf(near, 64, "`queues %" PRIu64 "-%" PRIu64 "`", first, first + below - 1);
	if (first + below * 2 - 1 <= UINT32_MAX)
		snprintf(near + len, 64 - len, " or `queues %" PRIu64 "-%" PRIu64 "`", first,
			 first + below * 2 - 1);
	return false;
}

static int read_queues(struct parser *p, const struct word *self)
{
	struct sriov_action *action = &p->rule.action;
	uint64_t first, last;
	struct word word;
	char near[64];
	int r = lex_next(&p->lex, &word), range;

	if (r < 0)
		return r;
	range = r ? value_range(word.text, UINT32_MAX, &first, &last) : -EINVAL;
	if (range == -EINVAL) {
		r = lex_error(&p->lex, -EINVAL, r ? &word : NULL,
			      "%s needs a range of queues such as 0-3", self->text);
		sriov_error_hint(p->lex.err, "for one queue say `queue N`");
		return r;
	}
	if (range)
		return lex_error(&p->lex, -EINVAL, &word,
				 "a range begins with its lower end: %s %" PRIu64 "-%" PRIu64,
				 self->text, last, first);
	if (!rule_queues_ok(first, last, near)) {
		r = lex_error(&p->lex, -EINVAL, &word,
			      "these are %" PRIu64
			      " queues: packets are spread over a power of two of them",
			      last - first + 1);
		sriov_error_hint(p->lex.err, "nearest: %s", near);
		return r;
	}
	action->kind = first == last ? SRIOV_ACTION_QUEUE : SRIOV_ACTION_QUEUES;
	action->queue = first;
	action->queue_last = first == last ? 0 : last;
	return 0;
}

/* ethtool(8)'s action: the 64-bit ring_cookie of struct ethtool_rx_flow_spec, or -1 to drop. */
static int read_action(struct parser *p, const struct word *self)
{
	struct sriov_action *action = &p->rule.action;
	uint64_t cookie = SRIOV_COOKIE_DROP;
	const char *wrong;
	struct word word;
	int r = lex_next(&p->lex, &word);

	if (r < 0)
		return r;
	if (r && !strcmp(word.text, "-2"))
		cookie = COOKIE_WAKE;
	else if (!r || (strcmp(word.text, "-1") && value_number(word.text, UINT64_MAX, &cookie))) {
		r = lex_error(&p->lex, -EINVAL, r ? &word : NULL,
			      "%s needs a queue number, or -1 to drop", self->text);
		sriov_error_hint(p->lex.err, "better: `queue N`, `vf N queue M` or `drop`");
		return r;
	}
	wrong = cookie_action(cookie, action);
	if (wrong) {
		lex_error(&p->lex, -EINVAL, &word, "%s", wrong);
		return sriov_error_hint(p->lex.err,
					"an action is a queue in bits 0-31 and VF + 1 in bits "
					"32-39; better: `queue N` or `vf N queue M`");
	}
	/* the number says more than it seems to */
	if (action->kind == SRIOV_ACTION_VF &&
	    note_add(p->notes, p->lex.line, false,
		     "action %s is vf %u queue %u: the kernel reads bits 32-39 as VF + 1",
		     word.text, action->vf, action->queue))
		return core_oom(p->lex.err);
	return 0;
}

/* ---- the rest ---- */

static int read_vid(struct parser *p, const struct word *self)
{
	uint64_t number;
	int r = read_number(p, self->text, 0, VLAN_VID_MASK, &number);

	if (r)
		return r;
	p->rule.value.vlan_tci |= number;
	p->rule.mask.vlan_tci |= VLAN_VID_MASK;
	return 0;
}

static int read_prio(struct parser *p, const struct word *self)
{
	uint64_t number;
	int r = read_number(p, self->text, 0, 7, &number);

	if (r)
		return r;
	p->rule.value.vlan_tci |= number << VLAN_PRIO_SHIFT;
	p->rule.mask.vlan_tci |= VLAN_PRIO_MASK;
	return 0;
}

static int read_syn(struct parser *p, const struct word *self)
{
	if (p->rule.type != SRIOV_FLOW_TCP4 && p->rule.type != SRIOV_FLOW_TCP6) {
		lex_error(&p->lex, -EINVAL, self, "flow type %s has no '%s'",
			  sriov_flow_type_word(p->rule.type), self->text);
		return sriov_error_hint(p->lex.err, "'%s' is for tcp4, tcp6", self->text);
	}
	p->rule.value.tcp_flags = p->rule.mask.tcp_flags = TH_SYN;
	return 0;
}

static int read_weight(struct parser *p, const struct word *self)
{
	uint64_t number;
	int r = read_number(p, self->text, 1, RULE_WEIGHT_MAX, &number);

	if (!r)
		p->rule.weight = number;
	return r;
}

static int read_optional(struct parser *p, const struct word *self)
{
	p->rule.optional = true;
	return 0;
}

static int read_loc(struct parser *p, const struct word *self)
{
	uint64_t number;
	int r = read_number(p, self->text, 0, RULE_LOC_MAX, &number);

	if (!r)
		p->rule.loc = number;
	return r;
}

static int read_stray_mask(struct parser *p, const struct word *self)
{
	return lex_error(&p->lex, -EINVAL, self,
			 "a mask stands right behind the value of a field, and there is none here");
}

/* The other ways to say what to do; a queue may stand beside a VF or a guest. */
#define INSTEAD_OF(id) (SAID_ACTION & ~SAID(id))
#define WHOSE_QUEUE (SAID(WORD_VF) | SAID(WORD_GUEST))

const struct keyword keywords[NKEYWORDS + 1] = {
	{"name", WORD_NAME, 0, read_name},
	{"vid", WORD_VID, SAID(FIELD_VLAN), read_vid},
	{"prio", WORD_PRIO, SAID(FIELD_VLAN), read_prio},
	{"syn", WORD_SYN, SAID(FIELD_TCP_FLAGS), read_syn},
	{"in", WORD_IN, 0, read_in},
	{"action", WORD_ACTION, INSTEAD_OF(WORD_ACTION), read_action},
	{"drop", WORD_DROP, INSTEAD_OF(WORD_DROP), read_drop},
	{"queue", WORD_QUEUE, INSTEAD_OF(WORD_QUEUE) & ~WHOSE_QUEUE, read_queue},
	{"queues", WORD_QUEUES, INSTEAD_OF(WORD_QUEUES), read_queues},
	{"vf", WORD_VF, INSTEAD_OF(WORD_VF) & ~SAID(WORD_QUEUE), read_vf},
	{"guest", WORD_GUEST, INSTEAD_OF(WORD_GUEST) & ~SAID(WORD_QUEUE), read_guest},
	{"weight", WORD_WEIGHT, 0, read_weight},
	{"optional", WORD_OPTIONAL, 0, read_optional},
	{"loc", WORD_LOC, 0, read_loc},
	{"m", WORD_MASK, 0, read_stray_mask},
	{NULL},
};

const struct keyword *keyword_find(const char *word)
{
	for (const struct keyword *k = keywords; k->word; k++)
		if (!strcmp(k->word, word))
			return k;
	return NULL;
}

int parser_say(struct parser *p, const struct word *word, unsigned id, uint64_t excludes)
{
	if (p->said & SAID(id))
		return lex_error(&p->lex, -EINVAL, word, "'%s' is said twice", word->text);
	for (const struct keyword *k = keywords; k->word; k++)
		if (p->said & excludes & SAID(k->id))
			return lex_error(&p->lex, -EINVAL, word, "'%s' cannot stand beside '%s'",
					 word->text, k->word);
	if (p->said & excludes)
		return lex_error(&p->lex, -EINVAL, word, "'%s' cannot stand beside %s", word->text,
				 excludes & SAID(FIELD_VLAN) ? "'vlan', which is the whole TCI"
							     : "'tcp-flags'");
	p->said |= SAID(id);
	return 0;
}

/* ---- ethtool(8) ---- */

/* ethtool(8)'s words that are no words here, and why not. */
static const struct {
	const char *word, *why;
} foreign[] = {
	{"dst-mac",
	 "drivers refuse a MAC beside IP fields: `flow-type ether dst …` is what a NIC may have"},
	{"spi", "drivers refuse rules for AH and ESP"},
	{"ah4", "drivers refuse rules for AH"},
	{"ah6", "drivers refuse rules for AH"},
	{"esp4", "drivers refuse rules for ESP"},
	{"esp6", "drivers refuse rules for ESP"},
	{"context", "no driver that we know gives rules an RSS context"},
	{"delete", "deleting is a command of its own, not part of a rule: sriovctl flow delete"},
	{"rx-flow-hash", "it chooses how the whole port spreads packets, and is no rule"},
};

bool parser_foreign(const struct parser *p, const struct word *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(foreign); i++) {
		if (strcmp(foreign[i].word, word->text))
			continue;
		lex_error(&p->lex, -EINVAL, word, "'%s' is a word of ethtool(8), but not of ours",
			  word->text);
		sriov_error_hint(p->lex.err, "%s", foreign[i].why);
		return true;
	}
	return false;
}

/* Whether the next word is @text, or a path that ends with it; then it is read. */
static bool take_command(struct parser *p, const char *text)
{
	struct word word;

	if (lex_peek(&p->lex, &word) <= 0 || strcmp(basename(word.text), text))
		return false;
	return lex_next(&p->lex, &word) > 0;
}

int parser_skip_command(struct parser *p)
{
	static const char *const options[] = {"-N", "-U", "--config-nfc", "--config-ntuple"};
	const struct lexer before = p->lex;
	struct word word;
	size_t i = 0;
	int r;

	take_command(p, "sudo");
	if (!take_command(p, "ethtool")) {
		p->lex = before;
		return 0;
	}
	p->said |= SAID(WORD_COMMAND);
	r = lex_next(&p->lex, &word);
	while (r > 0 && i < ARRAY_SIZE(options) && strcmp(options[i], word.text))
		i++;
	if (r >= 0 && (!r || i == ARRAY_SIZE(options))) {
		r = lex_error(&p->lex, -EINVAL, r ? &word : NULL,
			      "only `ethtool -N DEV` or `-U DEV` stands before a rule");
		sriov_error_hint(p->lex.err,
				 "what `ethtool -n` prints is read by sriovctl flow import");
		return r;
	}
	if (r > 0)
		r = lex_next(&p->lex, &word);
	if (!r)
		return lex_error(&p->lex, -EINVAL, NULL, "expected the name of a network device");
	if (r > 0 && note_add(p->notes, p->lex.line, false,
			      "%s is not part of the rule: which port it is for is the command's "
			      "to say",
			      word.text))
		return core_oom(p->lex.err);
	return r < 0 ? r : 0;
}
