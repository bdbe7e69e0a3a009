/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The grammar of rules: a flow type, then words in any order, each at most once. What a field takes
 * is in the table of words.c and read by value.c; the other words are the table of keyword.c.
 */
#include "flows/parser.h"
#include "flows/value.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The mask behind a value, if there is one; @masked: why there cannot be one. */
static int read_mask(struct parser *p, const struct flow_field *f, const struct word *self,
		     const char *masked)
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
	if (masked)
		return lex_error(&p->lex, -EINVAL, &word, "%s", masked);
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

static bool is_port(const struct flow_field *f)
{
	return f->id == FIELD_SRC_PORT || f->id == FIELD_DST_PORT;
}

/* A port range, which is @word. All ports are no range but any port. */
static int read_range(struct parser *p, const struct flow_field *f, const struct word *self,
		      const struct word *word)
{
	uint64_t first, last;
	int r = value_range(word->text, UINT16_MAX, &first, &last);

	if (r == -EDOM)
		return lex_error(&p->lex, -EINVAL, word,
				 "a range begins with its lower end: %s %u-%u", self->text,
				 (unsigned)last, (unsigned)first);
	if (r)
		return lex_error(&p->lex, -EINVAL, word,
				 "%s needs a port from 0 to 65535, or two as in 1000-2000",
				 self->text);
	flow_field_set_number(f, &p->rule.value, first);
	flow_field_fill(f, &p->rule.mask, first || last < UINT16_MAX ? 0xff : 0);
	if (first < last && (first || last < UINT16_MAX))
		*(f->id == FIELD_SRC_PORT ? &p->rule.src_port_last : &p->rule.dst_port_last) = last;
	return read_mask(p, f, self, "a range has no mask");
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
	if (r && is_port(f) && strchr(word.text + 1, '-'))
		return read_range(p, f, self, &word);
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
	return read_mask(p, f, self, slash ? "the prefix length is the mask already" : NULL);
}

static void list_types(struct text *text)
{
	for (unsigned type = SRIOV_FLOW_NONE + 1; type < SRIOV_FLOW_TYPES; type++)
		text_list(text, "%s", sriov_flow_type_word(type));
}

static int read_type(struct parser *p, const struct word *word)
{
	const char *words[SRIOV_FLOW_TYPES] = {NULL}, *near;
	char list[256];
	struct text text = {.at = list, .size = sizeof(list)};

	if (word && (p->rule.type = flow_type_find(word->text)) != SRIOV_FLOW_NONE)
		return parser_say(p, word, WORD_TYPE, 0);
	if (word && parser_foreign(p, word))
		return -EINVAL;
	if (!word)
		lex_error(&p->lex, -EINVAL, NULL, "expected a flow type");
	else if (keyword_find(word->text) || flow_word_known(word->text))
		lex_error(&p->lex, -EINVAL, word, "the flow type comes before '%s'", word->text);
	else
		lex_error(&p->lex, -EINVAL, word, "expected a flow type, not '%s'", word->text);
	for (unsigned type = SRIOV_FLOW_NONE + 1; type < SRIOV_FLOW_TYPES; type++)
		words[type - 1] = sriov_flow_type_word(type);
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
			text_list(text, "%s", sriov_flow_type_word(type));
}

/* Words that no reader takes: of another flow type, of ethtool(8), or misspelt. */
static int unknown_word(struct parser *p, const struct word *word)
{
	const char *words[FIELDS + NKEYWORDS + 1] = {NULL}, *near;
	const char *type = sriov_flow_type_word(p->rule.type);
	char list[160], types[80];
	struct text text = {.at = list, .size = sizeof(list)};
	struct text having = {.at = types, .size = sizeof(types)};
	size_t n = 0;

	if (flow_type_find(word->text) || !strcmp(word->text, "flow-type"))
		return lex_error(&p->lex, -EINVAL, word, "the flow type is said already: %s", type);
	if (parser_foreign(p, word))
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
	for (const struct keyword *k = keywords; k->word; k++)
		words[n++] = k->word;
	near = core_nearest(word->text, words);
	lex_error(&p->lex, -EINVAL, word, "unknown word '%s'", word->text);
	sriov_error_hint(
		p->lex.err,
		"%s%s%s%s can be matched by %s, vid, prio; then in, and action, drop, queue, "
		"queues, vf or guest; name, weight, optional, loc",
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
		r = parser_say(p, word, field->id,
			       field->id == FIELD_VLAN        ? SAID(WORD_VID) | SAID(WORD_PRIO)
			       : field->id == FIELD_TCP_FLAGS ? SAID(WORD_SYN)
							      : 0);
		return r ? r : read_field(p, field, word);
	}
	if (!keyword)
		return unknown_word(p, word);
	r = parser_say(p, word, keyword->id, keyword->excludes);
	return r ? r : keyword->read(p, word);
}

/* The whole rule is read: what it lacks, and what does not count. */
static int finish(struct parser *p)
{
	struct sriov_entry clean;
	int r;

	if (!p->said)
		return lex_error(&p->lex, -ENODATA, NULL, "there is no rule here");
	if (p->rule.type == SRIOV_FLOW_NONE)
		return read_type(p, NULL);
	if (!(p->said & SAID_ACTION)) {
		r = lex_error(&p->lex, -EINVAL, NULL,
			      "the rule does not say what to do: action, drop, queue, queues, vf "
			      "or guest");
		sriov_error_hint(
			p->lex.err,
			"ethtool(8) silently takes queue 0; if that is meant, say `queue 0`");
		return r;
	}
	clean = (struct sriov_entry){
		.type = p->rule.type, .value = p->rule.value, .mask = p->rule.mask, .ext = true};
	entry_canonical(&clean);
	p->rule.value = clean.value;
	return 0;
}

SRIOV_EXPORT int sriov_rule_read(const char *text, const char *file, unsigned line,
				 struct sriov_rule *out, struct sriov_notes *notes,
				 struct sriov_error *err)
{
	struct parser p = {.rule = {.loc = -1, .weight = 1, .line = line}, .notes = notes};
	struct word word;
	int r;

	lex_start(&p.lex, text, file, line, err);
	r = parser_skip_command(&p);
	while (!r && (r = lex_next(&p.lex, &word)) > 0)
		r = read_word(&p, &word);
	if (!r)
		r = finish(&p);
	if (!r)
		*out = p.rule;
	return r;
}

SRIOV_EXPORT int sriov_rule_parse(const char *text, const char *file, unsigned line,
				  struct sriov_rule *out, struct sriov_error *err)
{
	return sriov_rule_read(text, file, line, out, NULL, err);
}
