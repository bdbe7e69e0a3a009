/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The grammar of rules: a flow type, then words in any order, each at most once. What a field takes
 * is in the table of words.c and read by value.c; the other words are the table below.
 */
#include "flows/rule.h"
#include "flows/value.h"
#include "flows/words.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Bits of what was said so far: fields by their id, then these. */
enum {
	WORD_NAME = FIELDS,
	WORD_TYPE,
	WORD_VID,
	WORD_PRIO,
	WORD_ACTION,
	WORD_DROP,
	WORD_QUEUE,
	WORD_VF,
	WORD_LOC,
	WORD_MASK,
};
#define SAID(id) (1u << (id))

struct parser {
	struct lexer lex;
	struct sriov_rule rule;
	unsigned said;
};

struct keyword {
	const char *word;
	unsigned id;
	unsigned excludes; /* SAID() of the words that cannot stand beside it */
	int (*read)(struct parser *p, const struct word *self);
};

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

/* A number from 0 to @max as the value of @self. */
static int read_number(struct parser *p, const struct word *self, uint64_t max, uint64_t *out)
{
	struct word word;
	int r = lex_next(&p->lex, &word);

	if (r < 0)
		return r;
	if (!r || value_number(word.text, max, out)) {
		r = lex_error(&p->lex, -EINVAL, r ? &word : NULL,
			      "%s needs a number from 0 to %" PRIu64, self->text, max);
		sriov_error_hint(p->lex.err, "numbers are decimal without leading zeros, or 0x…");
		return r;
	}
	return 0;
}

static int read_loc(struct parser *p, const struct word *self)
{
	uint64_t number;
	int r = read_number(p, self, RULE_LOC_MAX, &number);

	if (!r)
		p->rule.loc = number;
	return r;
}

static int read_drop(struct parser *p, const struct word *self)
{
	p->rule.action = (struct sriov_action){.kind = SRIOV_ACTION_DROP};
	return 0;
}

static int read_queue(struct parser *p, const struct word *self)
{
	uint64_t number;
	int r = read_number(p, self, UINT32_MAX, &number);

	if (r)
		return r;
	p->rule.action.queue = number;
	if (!(p->said & SAID(WORD_VF)))
		p->rule.action.kind = SRIOV_ACTION_QUEUE;
	return 0;
}

static int read_vf(struct parser *p, const struct word *self)
{
	uint64_t number;
	int r = read_number(p, self, RULE_VF_MAX, &number);

	if (r)
		return r;
	p->rule.action.vf = number;
	p->rule.action.kind = SRIOV_ACTION_VF;
	return 0;
}

/* ethtool(8)'s action: the 64-bit ring_cookie of struct ethtool_rx_flow_spec, or -1 to drop. */
static int read_action(struct parser *p, const struct word *self)
{
	struct word word;
	uint64_t cookie = SRIOV_COOKIE_DROP;
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
	if (cookie == COOKIE_WAKE)
		return lex_error(&p->lex, -EINVAL, &word,
				 "no driver that we know wakes the host for a rule");
	if (cookie == SRIOV_COOKIE_DROP)
		return read_drop(p, self);
	if (cookie >> (COOKIE_VF_SHIFT + 8)) {
		r = lex_error(&p->lex, -EINVAL, &word,
			      "bits 40 to 63 of this action mean nothing and drivers ignore them");
		sriov_error_hint(p->lex.err,
				 "an action is a queue in bits 0-31 and VF + 1 in bits 32-39; "
				 "better: `queue N` or `vf N queue M`");
		return r;
	}
	p->rule.action.kind = COOKIE_VF(cookie) ? SRIOV_ACTION_VF : SRIOV_ACTION_QUEUE;
	p->rule.action.vf = COOKIE_VF(cookie) ? COOKIE_VF(cookie) - 1 : 0;
	p->rule.action.queue = COOKIE_QUEUE(cookie);
	return 0;
}

static int read_vid(struct parser *p, const struct word *self)
{
	uint64_t number;
	int r = read_number(p, self, VLAN_VID_MASK, &number);

	if (r)
		return r;
	p->rule.value.vlan_tci |= number;
	p->rule.mask.vlan_tci |= VLAN_VID_MASK;
	return 0;
}

static int read_prio(struct parser *p, const struct word *self)
{
	uint64_t number;
	int r = read_number(p, self, 7, &number);

	if (r)
		return r;
	p->rule.value.vlan_tci |= number << VLAN_PRIO_SHIFT;
	p->rule.mask.vlan_tci |= VLAN_PRIO_MASK;
	return 0;
}

static int read_stray_mask(struct parser *p, const struct word *self)
{
	return lex_error(&p->lex, -EINVAL, self,
			 "a mask stands right behind the value of a field, and there is none here");
}

static const struct keyword keywords[] = {
	{"name", WORD_NAME, 0, read_name},
	{"vid", WORD_VID, SAID(FIELD_VLAN), read_vid},
	{"prio", WORD_PRIO, SAID(FIELD_VLAN), read_prio},
	{"action", WORD_ACTION, SAID(WORD_DROP) | SAID(WORD_QUEUE) | SAID(WORD_VF), read_action},
	{"drop", WORD_DROP, SAID(WORD_ACTION) | SAID(WORD_QUEUE) | SAID(WORD_VF), read_drop},
	{"queue", WORD_QUEUE, SAID(WORD_ACTION) | SAID(WORD_DROP), read_queue},
	{"vf", WORD_VF, SAID(WORD_ACTION) | SAID(WORD_DROP), read_vf},
	{"loc", WORD_LOC, 0, read_loc},
	{"m", WORD_MASK, 0, read_stray_mask},
};
#define SAID_ACTION (SAID(WORD_ACTION) | SAID(WORD_DROP) | SAID(WORD_QUEUE) | SAID(WORD_VF))

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
	{"delete", "deleting is a command of its own, not part of a rule"},
};

/* True, with the error set, if @word is one of them. */
static bool foreign_word(const struct parser *p, const struct word *word)
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

static const struct keyword *keyword_find(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(keywords); i++)
		if (!strcmp(keywords[i].word, word))
			return &keywords[i];
	return NULL;
}

/* Refuses a word said twice, or beside one that says the same thing otherwise. */
static int say(struct parser *p, const struct word *word, unsigned id, unsigned excludes)
{
	if (p->said & SAID(id))
		return lex_error(&p->lex, -EINVAL, word, "'%s' is said twice", word->text);
	for (size_t i = 0; i < ARRAY_SIZE(keywords); i++)
		if (p->said & excludes & SAID(keywords[i].id))
			return lex_error(&p->lex, -EINVAL, word, "'%s' cannot stand beside '%s'",
					 word->text, keywords[i].word);
	if (p->said & excludes)
		return lex_error(&p->lex, -EINVAL, word,
				 "'%s' cannot stand beside 'vlan', which is the whole TCI",
				 word->text);
	p->said |= SAID(id);
	return 0;
}

/* The mask behind a value, if there is one; @prefix: it had a prefix length. */
static int read_mask(struct parser *p, const struct flow_field *f, const struct word *self,
		     bool prefix)
{
	char mask_word[sizeof(self->text) + 5];
	struct word word;
	int r = lex_peek(&p->lex, &word);

	if (r < 0)
		return r;
	snprintf(mask_word, sizeof(mask_word), "%s-mask", self->text);
	if (!r || (strcmp(word.text, "m") && strcmp(word.text, mask_word)))
		return 0;
	lex_next(&p->lex, &word);
	if (prefix)
		return lex_error(&p->lex, -EINVAL, &word, "the prefix length is the mask already");
	r = lex_next(&p->lex, &word);
	if (r < 0)
		return r;
	if (!r || value_read(f, word.text, &p->rule.mask)) {
		r = lex_error(&p->lex, -EINVAL, r ? &word : NULL, "the mask of %s is %s",
			      self->text, value_expected_mask(f));
		sriov_error_hint(p->lex.err,
				 "as in ethtool(8), a 1 bit of a mask means: does not matter");
		return r;
	}
	value_invert(f, &p->rule.mask);
	return 0;
}

static int read_field(struct parser *p, const struct flow_field *f, const struct word *self)
{
	char *slash = NULL;
	uint8_t mask[16];
	struct word word;
	int r = lex_next(&p->lex, &word);

	if (r < 0)
		return r;
	if (r && (f->kind == KIND_IP4 || f->kind == KIND_IP6) && (slash = strchr(word.text, '/')))
		*slash = '\0';
	if (!r || value_read(f, word.text, &p->rule.value))
		return lex_error(&p->lex, -EINVAL, r ? &word : NULL, "%s needs %s", self->text,
				 value_expected(f));
	flow_field_fill(f, &p->rule.mask, 0xff);
	if (slash) {
		if (value_prefix(f, slash + 1, mask))
			return lex_error(&p->lex, -EINVAL, &word,
					 "a prefix length is a number from 0 to %u", f->size * 8);
		flow_field_set_bytes(f, &p->rule.mask, mask);
	}
	return read_mask(p, f, self, slash);
}

static void list_types(struct text *text)
{
	for (unsigned type = SRIOV_FLOW_NONE + 1; type < SRIOV_FLOW_TYPES; type++)
		text_list(text, "%s", flow_type_word(type));
}

static int read_type(struct parser *p, const struct word *word)
{
	const char *words[SRIOV_FLOW_TYPES] = {NULL}, *near;
	char list[256];
	struct text text = {.at = list, .size = sizeof(list)};

	if (word && (p->rule.type = flow_type_find(word->text)) != SRIOV_FLOW_NONE)
		return say(p, word, WORD_TYPE, 0);
	if (word && foreign_word(p, word))
		return -EINVAL;
	if (!word)
		lex_error(&p->lex, -EINVAL, NULL, "expected a flow type");
	else if (keyword_find(word->text) || flow_word_known(word->text))
		lex_error(&p->lex, -EINVAL, word, "the flow type comes before '%s'", word->text);
	else
		lex_error(&p->lex, -EINVAL, word, "expected a flow type, not '%s'", word->text);
	for (unsigned type = SRIOV_FLOW_NONE + 1; type < SRIOV_FLOW_TYPES; type++)
		words[type - 1] = flow_type_word(type);
	near = word ? core_nearest(word->text, words) : NULL;
	list_types(&text);
	sriov_error_hint(p->lex.err, "%s%s%sflow types: %s", near ? "did you mean '" : "",
			 near ? near : "", near ? "'? " : "", list);
	return -EINVAL;
}

static void list_types_with(struct text *text, const char *word)
{
	for (unsigned type = SRIOV_FLOW_NONE + 1; type < SRIOV_FLOW_TYPES; type++)
		if (flow_field_find(type, word))
			text_list(text, "%s", flow_type_word(type));
}

/* Words that no reader takes: of another flow type, of ethtool(8), or misspelt. */
static int unknown_word(struct parser *p, const struct word *word)
{
	const char *words[FIELDS + ARRAY_SIZE(keywords) + 1] = {NULL}, *near;
	const char *type = flow_type_word(p->rule.type);
	char list[160], types[80];
	struct text text = {.at = list, .size = sizeof(list)};
	struct text having = {.at = types, .size = sizeof(types)};
	size_t n = 0;

	if (flow_type_find(word->text) || !strcmp(word->text, "flow-type"))
		return lex_error(&p->lex, -EINVAL, word, "the flow type is said already: %s", type);
	if (foreign_word(p, word))
		return -EINVAL;
	for (const struct flow_field *f = NULL; (f = flow_field_next(f, p->rule.type));) {
		words[n++] = f->word;
		text_list(&text, "%s", f->word);
	}
	if (flow_word_known(word->text)) {
		lex_error(&p->lex, -EINVAL, word, "flow type %s has no '%s'", type, word->text);
		list_types_with(&having, word->text);
		sriov_error_hint(p->lex.err, "%s has %s, vid, prio; '%s' is for %s", type, list,
				 word->text, types);
		return -EINVAL;
	}
	for (size_t i = 0; i < ARRAY_SIZE(keywords); i++)
		words[n++] = keywords[i].word;
	near = core_nearest(word->text, words);
	lex_error(&p->lex, -EINVAL, word, "unknown word '%s'", word->text);
	sriov_error_hint(
		p->lex.err,
		"%s%s%s%s can be matched by %s, vid, prio; then action, drop, queue or vf; "
		"loc, name",
		near ? "did you mean '" : "", near ? near : "", near ? "'? " : "", type, list);
	return -EINVAL;
}

static int read_word(struct parser *p, const struct word *word)
{
	const struct keyword *keyword = keyword_find(word->text);
	const struct flow_field *field = flow_field_find(p->rule.type, word->text);
	struct word type;
	int r;

	if (p->rule.type == SRIOV_FLOW_NONE && (!keyword || keyword->id != WORD_NAME)) {
		if (strcmp(word->text, "flow-type"))
			return read_type(p, word);
		r = lex_next(&p->lex, &type);
		return r < 0 ? r : read_type(p, r ? &type : NULL);
	}
	if (field) {
		r = say(p, word, field->id,
			field->id == FIELD_VLAN ? SAID(WORD_VID) | SAID(WORD_PRIO) : 0);
		return r ? r : read_field(p, field, word);
	}
	if (!keyword)
		return unknown_word(p, word);
	r = say(p, word, keyword->id, keyword->excludes);
	return r ? r : keyword->read(p, word);
}

SRIOV_EXPORT int sriov_rule_parse(const char *text, const char *file, unsigned line,
				  struct sriov_rule *out, struct sriov_error *err)
{
	struct parser p = {.rule = {.loc = -1}};
	struct sriov_entry clean;
	struct word word;
	int r;

	lex_start(&p.lex, text, file, line, err);
	while ((r = lex_next(&p.lex, &word)) > 0) {
		r = read_word(&p, &word);
		if (r)
			return r;
	}
	if (r < 0)
		return r;
	if (!p.said)
		return lex_error(&p.lex, -ENODATA, NULL, "there is no rule here");
	if (p.rule.type == SRIOV_FLOW_NONE)
		return read_type(&p, NULL);
	if (!(p.said & SAID_ACTION)) {
		r = lex_error(&p.lex, -EINVAL, NULL,
			      "the rule does not say what to do: action, drop, queue or vf");
		sriov_error_hint(
			err, "ethtool(8) silently takes queue 0; if that is meant, say `queue 0`");
		return r;
	}
	clean = (struct sriov_entry){
		.type = p.rule.type, .value = p.rule.value, .mask = p.rule.mask, .ext = true};
	entry_canonical(&clean);
	p.rule.value = clean.value;
	*out = p.rule;
	return 0;
}
