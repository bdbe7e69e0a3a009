/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of testpmd's commands, in two files: patterns (testpmd_pattern.c) and the rest (testpmd.c). */
#ifndef SRIOV_FLOWS_TESTPMD_H
#define SRIOV_FLOWS_TESTPMD_H

#include "flows/convert.h"

/* What a line turned out to be, besides 0 and negative errno. */
#define LEFT_OUT 1

struct testpmd {
	struct lexer lex;
	struct sriov_rules *out;
	struct sriov_rule rule;
	long port;                        /* of the rules before, -1 = none */
	uint64_t priority;                /* rte_flow: 0 is the first */
	unsigned items;                   /* ITEM_BIT() of those said */
	uint16_t eth_type, eth_type_mask; /* of the item eth, which may be the VLAN's own type */
	bool ingress, has_action, has_queue;
	bool testpmd; /* some line was a flow command, so the text is what it should be */
};

/* Leaves the line out and says why, with the place. */
int testpmd_leave_out(struct testpmd *r, const struct word *word, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The next word, which must be there; which must be @text; or a number from 0 to @max. */
int testpmd_need(struct testpmd *r, struct word *word, const char *what);
int testpmd_need_word(struct testpmd *r, const char *text);
int testpmd_need_number(struct testpmd *r, const char *of, uint64_t max, uint64_t *out);

/* The items behind `pattern`, with their `end`. */
int testpmd_pattern(struct testpmd *r);
/* What they are as a whole: the rule's flow type. @at: where that is said not to be. */
int testpmd_finish_pattern(struct testpmd *r, const struct word *at);

#endif
