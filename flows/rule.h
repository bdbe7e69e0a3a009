/* SPDX-License-Identifier: Apache-2.0 */
/* Limits of the rule language, and its lexer: words with the place where they stand. */
#ifndef SRIOV_FLOWS_RULE_H
#define SRIOV_FLOWS_RULE_H

#include "flows/flows.h"

/*
 * Above are RX_CLS_LOC_SPECIAL and its kin (linux/ethtool.h), which no modelled driver understands.
 */
#define RULE_LOC_MAX INT32_MAX
#define RULE_WEIGHT_MAX 1000000
#define RULE_VF_MAX 254 /* ring_cookie has one byte for VF index + 1 */

/*
 * A rule's name: a letter or '_', then letters, digits and _ . : / - (so it is never a location).
 */
bool rule_name_ok(const char *name);

/* Something that the language can say: sriov_rule_format() has words for it. */
bool rule_ok(const struct sriov_rule *rule);

/* A guest's name or UUID as a rule can say it: one word of UTF-8 that is not a comment. */
bool rule_guest_ok(const char *name);
/*
 * Queues @first to @last are a power of two of them. If not, @near says which ranges from @first are.
 */
bool rule_queues_ok(uint64_t first, uint64_t last, char near[64]);

/* Adds a rule to a list. Returns 0 or -ENOMEM. */
int rules_add(struct sriov_rules *rules, const struct sriov_rule *rule);
/* -EEXIST, with both rules named, if two rules of the list have one name. */
int rules_check_names(const struct sriov_rules *rules, struct sriov_error *err);
/* Adds a note; @notes may be NULL. Returns 0 or -ENOMEM. */
int note_add(struct sriov_notes *notes, unsigned line, bool left_out, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/*
 * The text of the file at @path ("-" = standard input) in fresh memory, at most SRIOV_RULES_FILE_MAX;
 * @name is what errors call it and lives as long as @path.
 */
int flow_text_read(const char *path, char **text, const char **name, struct sriov_error *err);

/* A word of a rule; the text is a copy. */
struct word {
	char text[80];
	unsigned column; /* of its first character, from 1 */
	unsigned width;
};

struct lexer {
	const char *text; /* the whole rule */
	const char *next; /* where reading goes on */
	const char *last; /* the end of the last word */
	const char *file; /* NULL for a command line */
	unsigned line;
	struct sriov_error *err;
};

void lex_start(struct lexer *lex, const char *text, const char *file, unsigned line,
	       struct sriov_error *err);
/* 1 and the next word, 0 at the end of the rule, or -EINVAL with the error set. */
int lex_next(struct lexer *lex, struct word *out);
/* lex_next() without moving on. */
int lex_peek(const struct lexer *lex, struct word *out);

/*
 * Sets the error with place, line and a caret under @word (NULL: behind the last word), and returns
 * @code. The caller adds the hint.
 */
int lex_error(const struct lexer *lex, int code, const struct word *word, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

#endif
