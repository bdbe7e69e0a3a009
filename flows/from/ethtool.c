/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules from what `ethtool -n DEV` prints (ethtool 6.1, rxclass.c), where a 1 bit of a mask means "does
 * not matter"; and from `ethtool -N` lines, which are the language's own.
 */
#include "flows/convert.h"
#include "flows/value.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct reader {
	struct lexer lex; /* of the line that is read */
	const char *driver;
	struct sriov_rules *out;
	struct sriov_entry entry;
	unsigned first; /* the line that the rule begins with, 0 = there is none */
	bool has_action;
	const char *why;     /* it cannot be carried over, NULL = it can */
	unsigned long total; /* what the text says that it has */
	bool has_total;
	unsigned long filters;
};

static const struct {
	const char *title;
	enum sriov_flow_type type;
} types[] = {
	{"TCP over IPv4", SRIOV_FLOW_TCP4},   {"UDP over IPv4", SRIOV_FLOW_UDP4},
	{"SCTP over IPv4", SRIOV_FLOW_SCTP4}, {"Raw IPv4", SRIOV_FLOW_IP4},
	{"TCP over IPv6", SRIOV_FLOW_TCP6},   {"UDP over IPv6", SRIOV_FLOW_UDP6},
	{"SCTP over IPv6", SRIOV_FLOW_SCTP6}, {"Raw IPv6", SRIOV_FLOW_IP6},
	{"Raw Ethernet", SRIOV_FLOW_ETHER},
};

/* What is said of a rule, "title: value mask: bits". */
static const struct {
	const char *title;
	enum flow_field_id id;
} titles[] = {
	{"Src IP addr", FIELD_SRC_IP},
	{"Dest IP addr", FIELD_DST_IP},
	{"TOS", FIELD_TOS},
	{"Traffic Class", FIELD_TOS},
	{"Src port", FIELD_SRC_PORT},
	{"Dest port", FIELD_DST_PORT},
	{"Protocol", FIELD_L4_PROTO},
	{"L4 bytes", FIELD_L4_DATA},
	{"Src MAC addr", FIELD_SRC_MAC},
	{"Dest MAC addr", FIELD_DST_MAC},
	{"Ethertype", FIELD_ETHERTYPE},
	{"VLAN EtherType", FIELD_VLAN_ETYPE},
	{"VLAN", FIELD_VLAN},
	{"User-defined", FIELD_USER_DEF},
};

/* What rules can have and we have no words for. */
static const struct {
	const char *title, *why;
} foreign[] = {
	{"SPI", "drivers refuse rules for AH and ESP"},
	{"RSS Context ID", "rules with an RSS context have no words here"},
	{"Dest MAC addr", "a MAC beside IP fields has no words here"},
};

/*
 * i40e answers GET with whole masks for an IPv4 rule that matches the source address, TOS included, which
 * it cannot match (i40e_get_ethtool_fdir_entry(), 6.1 and 6.12): a sign that needs the driver's name.
 */
static bool looks_like_i40e(const struct reader *r)
{
	const struct sriov_entry *e = &r->entry;

	return !r->driver && FLOW_BIT(e->type) & (FLOW_L4_V4 | FLOW_BIT(SRIOV_FLOW_IP4)) &&
	       e->mask.tos == UINT8_MAX && !e->value.tos && e->mask.src_ip[0] == UINT8_MAX;
}

/* The rule that was read, if there is one. */
static int finish(struct reader *r)
{
	const struct word nowhere = {.column = 1};
	struct sriov_rule rule;
	const char *why = r->why;

	if (!r->first)
		return 0;
	if (!r->entry.type && !why)
		why = "its flow type has no word here";
	if (!r->has_action)
		return lex_error(&r->lex, -EINVAL, &nowhere,
				 "filter %u, of line %u, ends without its action", r->entry.loc,
				 r->first);
	if (!why)
		why = rule_of_entry(&r->entry, r->driver, &rule);
	if (why) {
		if (note_add(&r->out->notes, r->first, true, "filter %u: %s", r->entry.loc, why))
			return core_oom(r->lex.err);
	} else {
		rule.line = r->first;
		if (rules_add(r->out, &rule))
			return core_oom(r->lex.err);
		if (looks_like_i40e(r) &&
		    note_add(
			    &r->out->notes, r->first, false,
			    "i40e prints whole masks for what it does not match: if this is such a "
			    "port's table, say so (--port-driver i40e)"))
			return core_oom(r->lex.err);
	}
	r->first = 0;
	return 0;
}

/* A number behind a title. */
static int read_number(struct reader *r, const char *title, uint64_t max, uint64_t *out)
{
	struct word word;
	int n = lex_next(&r->lex, &word);

	if (n < 0)
		return n;
	if (!n || value_number(word.text, max, out))
		return lex_error(&r->lex, -EINVAL, n ? &word : NULL, "'%s' needs a number", title);
	return 0;
}

static int read_filter(struct reader *r, const char *title)
{
	uint64_t loc;
	int n = finish(r);

	if (!n)
		n = read_number(r, title, UINT32_MAX, &loc);
	if (n)
		return n;
	r->entry = (struct sriov_entry){.loc = loc};
	r->first = r->lex.line;
	r->has_action = false;
	r->why = NULL;
	r->filters++;
	return 0;
}

static int read_type(struct reader *r, const char *title)
{
	const char *rest = r->lex.next + strspn(r->lex.next, " \t");
	size_t len = strcspn(rest, "\r\n");

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (strlen(types[i].title) == len && !strncmp(types[i].title, rest, len))
			r->entry.type = types[i].type;
	return 0;
}

/* The words of a line that are one phrase, up to a number. */
static bool take(struct reader *r, const char *phrase)
{
	size_t len = strlen(phrase);
	const char *at = r->lex.next + strspn(r->lex.next, " \t");

	if (strncmp(at, phrase, len) || (at[len] && !strchr(" \t\r\n", at[len])))
		return false;
	r->lex.next = r->lex.last = at + len;
	return true;
}

static int read_action(struct reader *r, const char *title)
{
	uint64_t vf = 0, queue = 0;
	struct word word;
	int n = 0;

	r->has_action = true;
	if (take(r, "Drop")) {
		r->entry.cookie = SRIOV_COOKIE_DROP;
	} else if (take(r, "Wake-on-LAN")) {
		r->entry.cookie = COOKIE_WAKE;
	} else if (take(r, "Direct to VF")) {
		n = read_number(r, title, RULE_VF_MAX, &vf);
		if (!n && take(r, "queue"))
			n = read_number(r, title, UINT32_MAX, &queue);
		r->entry.cookie = (vf + 1) << COOKIE_VF_SHIFT | queue;
	} else if (take(r, "Direct to queue")) {
		/* before ethtool 4.18 this was the whole cookie */
		n = read_number(r, title, UINT64_MAX, &r->entry.cookie);
	} else {
		n = lex_next(&r->lex, &word);
		return lex_error(&r->lex, -EINVAL, n > 0 ? &word : NULL,
				 "an action that ethtool(8) does not print");
	}
	return n;
}

/* The value of a field, and its mask, which says what does not matter. */
static int read_field(struct reader *r, const struct flow_field *f, const char *title)
{
	struct word word;
	int n = lex_next(&r->lex, &word);

	if (n < 0)
		return n;
	if (!n || value_read(f, word.text, &r->entry.value))
		return lex_error(&r->lex, -EINVAL, n ? &word : NULL, "'%s' needs %s", title,
				 value_expected(f));
	if (!take(r, "mask:"))
		return lex_error(&r->lex, -EINVAL, NULL, "expected the mask of '%s'", title);
	n = lex_next(&r->lex, &word);
	if (n < 0)
		return n;
	if (!n || value_read(f, word.text, &r->entry.mask))
		return lex_error(&r->lex, -EINVAL, n ? &word : NULL, "the mask of '%s' is %s",
				 title, value_expected_mask(f));
	value_invert(f, &r->entry.mask);
	r->entry.ext |= f->ext;
	return 0;
}

static const struct flow_field *field_of(const struct reader *r, const char *title)
{
	for (size_t i = 0; i < ARRAY_SIZE(titles); i++)
		if (!strcmp(titles[i].title, title))
			return flow_field_of(r->entry.type, titles[i].id);
	return NULL;
}

/* A field that the rule's flow type does not have here. */
static int read_foreign(struct reader *r, const char *title, const struct word *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(foreign); i++) {
		if (strcmp(foreign[i].title, title))
			continue;
		r->why = foreign[i].why;
		return 0;
	}
	/* of flow types without a word nothing is read */
	if (r->first && !r->entry.type)
		return 0;
	lex_error(&r->lex, -EINVAL, word, "'%.60s' is nothing that ethtool(8) says of a rule",
		  title);
	return sriov_error_hint(r->lex.err,
				"this reads what `ethtool -n DEV` prints, as it is printed");
}

/* The title of a line: its words up to a colon. 1, 0 if it has none, or an error. */
static int read_title(struct reader *r, char *title, size_t size, struct word *first)
{
	struct word word;
	size_t len = 0;
	int n;

	while ((n = lex_next(&r->lex, &word)) > 0) {
		size_t width = strlen(word.text);
		bool last = word.text[width - 1] == ':';

		if (!len)
			*first = word;
		len += snprintf(title + len, size - len, "%s%.*s", len ? " " : "",
				(int)(width - last), word.text);
		if (last || len >= size)
			return 1;
	}
	return n < 0 ? n : 0;
}

/* "8 RX rings available", "Total 2 rules" and empty lines. */
static int read_untitled(struct reader *r, const char *line, const struct word *first)
{
	int end = 0;

	if (sscanf(line, " Total %lu rules%n", &r->total, &end) == 1 && end) {
		r->has_total = true;
		return finish(r);
	}
	if (sscanf(line, "%*u RX rings available%n", &end) == 0 && end)
		return 0;
	return read_foreign(r, "this line", first);
}

static int read_line(struct reader *r, const char *line)
{
	static const struct {
		const char *title;
		int (*read)(struct reader *r, const char *title);
	} readers[] = {{"Filter", read_filter},
		       {"Rule Type", read_type},
		       {"Flow Type", read_type},
		       {"Action", read_action}};
	const struct flow_field *f;
	struct word first = {0};
	char title[80] = "";
	int n = read_title(r, title, sizeof(title), &first);

	if (n < 0 || !first.column)
		return n < 0 ? n : 0;
	if (!n)
		return read_untitled(r, line, &first);
	if (!r->first && strcmp(title, "Filter"))
		return read_foreign(r, title, &first);
	for (size_t i = 0; i < ARRAY_SIZE(readers); i++)
		if (!strcmp(readers[i].title, title))
			return readers[i].read(r, title);
	f = field_of(r, title);
	return f ? read_field(r, f, title) : read_foreign(r, title, &first);
}

/* Lines of the language begin with a word of it, and never with a capital letter or a number. */
static bool is_language(const char *text)
{
	for (; *text; text += strcspn(text, "\n"), text += *text == '\n') {
		text += strspn(text, " \t\r");
		if (*text && *text != '#' && *text != '\n')
			return *text >= 'a' && *text <= 'z';
	}
	return false;
}

static int import_language(const char *text, struct sriov_rules *out, struct sriov_error *err)
{
	struct sriov_rules rules;
	int r = sriov_rules_parse(text, out->file[0] ? out->file : NULL, &rules, err);

	if (!r)
		*out = rules;
	return r;
}

int import_ethtool(const char *text, const char *driver, struct sriov_rules *out,
		   struct sriov_error *err)
{
	struct reader r = {.driver = driver, .out = out};
	int n = 0;

	if (is_language(text))
		return import_language(text, out, err);
	for (unsigned line = 1; !n && *text; line++) {
		_free_ char *copy = strndup(text, strcspn(text, "\n"));

		if (!copy)
			return core_oom(err);
		lex_start(&r.lex, copy, out->file[0] ? out->file : NULL, line, err);
		n = read_line(&r, copy);
		text += strcspn(text, "\n");
		text += *text == '\n';
		if (!n && !*text)
			n = finish(&r);
	}
	if (n)
		return n;
	if (!r.has_total && !r.filters) {
		sriov_error_set(err, -ENODATA, out->file[0] ? out->file : "ethtool",
				"there is no rule of ethtool(8) here");
		return sriov_error_hint(err, "expected is what `ethtool -n DEV` prints");
	}
	if (r.has_total && r.total != r.filters &&
	    note_add(&out->notes, 0, true,
		     "the text speaks of %lu rules and shows %lu: it is cut, or has kinds of rules "
		     "that ethtool(8) cannot print",
		     r.total, r.filters))
		return core_oom(err);
	return 0;
}
