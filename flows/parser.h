/* SPDX-License-Identifier: Apache-2.0 */
/* The parser of one rule, in two files: fields and flow types (parse.c), all other words (keyword.c). */
#ifndef SRIOV_FLOWS_PARSER_H
#define SRIOV_FLOWS_PARSER_H

#include "flows/rule.h"
#include "flows/words.h"

/* Bits of what was said so far: fields by their id, then these. */
enum {
	WORD_NAME = FIELDS,
	WORD_TYPE,
	WORD_VID,
	WORD_PRIO,
	WORD_SYN,
	WORD_IN,
	WORD_ACTION,
	WORD_DROP,
	WORD_QUEUE,
	WORD_QUEUES,
	WORD_VF,
	WORD_GUEST,
	WORD_WEIGHT,
	WORD_OPTIONAL,
	WORD_LOC,
	WORD_MASK,
	WORD_COMMAND, /* `ethtool -N DEV` */
};
_Static_assert(WORD_COMMAND < 64, "said is 64 bits");
#define SAID(id) (UINT64_C(1) << (id))
#define SAID_ACTION                                                                                \
	(SAID(WORD_ACTION) | SAID(WORD_DROP) | SAID(WORD_QUEUE) | SAID(WORD_QUEUES) |              \
	 SAID(WORD_VF) | SAID(WORD_GUEST))

struct parser {
	struct lexer lex;
	struct sriov_rule rule;
	uint64_t said;
	struct sriov_notes *notes;
};

struct keyword {
	const char *word;
	unsigned id;
	uint64_t excludes; /* SAID() of the words that cannot stand beside it */
	int (*read)(struct parser *p, const struct word *self);
};

/* The table of keywords, ended by a row without word; and its row for @word, or NULL. */
extern const struct keyword keywords[];
#define NKEYWORDS 15
const struct keyword *keyword_find(const char *word);

/* Refuses a word said twice, or beside one that says the same thing otherwise; else it is said now. */
int parser_say(struct parser *p, const struct word *word, unsigned id, uint64_t excludes);
/* True, with the error set, if @word is one of ethtool(8)'s that are none of ours. */
bool parser_foreign(const struct parser *p, const struct word *word);
/* Skips `ethtool -N DEV` before a rule. */
int parser_skip_command(struct parser *p);

#endif
