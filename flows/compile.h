/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the compiler of rule lists: a rule is lowered to entries (compile_lower.c), the entries are looked at
 * beside what the table holds (compile_table.c) and get locations (compile_place.c); compile.c puts them in
 * order.
 */
#ifndef SRIOV_FLOWS_COMPILE_H
#define SRIOV_FLOWS_COMPILE_H

#include "flows/nic/profile.h"

#define NO_LOC UINT32_MAX

/* A rule as entries, with what stands against it. */
struct lowered {
	struct sriov_rule rule; /* with guests resolved to VFs */
	struct sriov_entry entry[NIC_EXPANSION_MAX];
	size_t n;
	struct nic_verdict v;
	/* what became of each entry: its own in the table, or one that was there */
	size_t at[NIC_EXPANSION_MAX];
	bool shared[NIC_EXPANSION_MAX];
	bool in; /* all of them are in the table */
};

struct compiler {
	const struct sriov_rules *rules;
	const struct sriov_compile *opts;
	const struct nic_profile *profile; /* NULL: not modelled */
	struct sriov_pf port;              /* as it will be: ntuple on; rules as they were meant */
	bool ntuple_off;                   /* now */
	uint32_t table_size;
	struct nic_table table;   /* entries of others, then those of the list */
	size_t nforeign;          /* so many are others' */
	size_t *at_loc;           /* the entry at each location, TABLE_NONE = none yet */
	size_t nfree;             /* locations from 1 that are neither taken nor spoken for */
	struct sriov_entry *ours; /* opts->ours as they were meant */
	struct nic_table empty;   /* for what a driver says of an entry alone */
	struct lowered *low;      /* one a rule */
	struct nic_verdict whole; /* what stands against every rule */
	struct sriov_error *err;
};

/*
 * Fills @low for @rule: entries that do what the NIC would make of it. -ENOMEM and the like of the
 * caller's guest function are returned; what is wrong with the rule is low->v.
 */
int compile_lower(const struct compiler *c, const struct sriov_rule *rule, struct lowered *low);

/* The largest block of ports from @first to @last that one mask covers: its first, and how many. */
unsigned compile_best_block(unsigned first, unsigned last, unsigned *size);

/* Whether the entries of @low can be in the table: fills low->v, low->at and low->shared. */
void compile_fit(const struct compiler *c, struct lowered *low);
/* Puts the entries that are not shared into the table as rule @i's. */
void compile_put(struct compiler *c, struct lowered *low, long i);

/* The result is exact, or one that opts->allow takes and the driver would take. */
bool compile_allows(const struct compiler *c, enum sriov_result result);

/*
 * Gives the list's entries locations: those asked for, then the places that the same entries of ours
 * have, then the lowest free. -ENOMEM.
 */
int compile_place(struct compiler *c);

/* "rule web (line 3)", "rule 3". */
const char *compile_rule_name(const struct sriov_rules *rules, size_t i, char buf[96]);

/* The verdict of rule @i, but for its entries (verdict.c). */
void compile_verdict(const struct compiler *c, size_t i, struct sriov_verdict *out);
/* Sets the error of a list that cannot be in hardware because of rule @i, -ENOTSUP. */
int compile_error(const struct compiler *c, size_t i, const struct sriov_verdict *v);

/* The nearest rule that is exact beside what the table holds, in words, or "" (nearest.c). */
void compile_nearest(const struct compiler *c, const struct sriov_rule *rule, char *buf,
		     size_t size);

/* True if some packet may match both rules; true also where that is not known. */
bool rules_overlap(const struct sriov_rule *a, const struct sriov_rule *b);

#endif
