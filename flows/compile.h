/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the compiler of rule lists. A list goes through it in steps, one a file:
 *
 *   compile_lower.c   a rule as sets of packets, as the NIC would match it: what the driver refuses of it alone
 *   compile_own.c     what the rules before it leave of it: its own packets
 *   compile_choose.c  the masks of the port's table, and which rules are in it
 *   compile_table.c   own packets as entries beside what the table holds
 *   compile_place.c   their locations
 *
 * On a port that DPDK owns compile_filters.c and compile_fill.c take the place of choose and table.
 *
 * compile.c puts these in order, verdict.c and nearest.c find the words.
 */
#ifndef SRIOV_FLOWS_COMPILE_H
#define SRIOV_FLOWS_COMPILE_H

#include "flows/nic/profile.h"
#include "flows/space.h"

#define NO_LOC UINT32_MAX

enum lowered_state {
	LOWERED_OUT,       /* not in hardware: the verdict says why */
	LOWERED_CANDIDATE, /* could be, if there is room and a mask for it */
	LOWERED_IN,        /* all its packets meet entries of its own, or of rules before it */
};

/* What a rule asks of the mask of one slot, and the entries that it takes with just that. */
struct need {
	size_t slot;
	unsigned types;
	struct bits mask;
	double entries;
};

/* A rule on its way. */
struct lowered {
	enum lowered_state state;
	enum sriov_result result; /* of what the NIC would make of the rule alone */
	bool ext;                 /* its entries carry FLOW_EXT whatever they match */
	uint8_t spread;           /* source-port bits that choose the queue */
	uint64_t cookie;          /* of its entries; with a spread, of the first queue */
	size_t cube, ncubes;      /* what it is about, in compiler.cube */
	struct cube *own;         /* what the rules before it leave */
	size_t nown;
	bool too_many; /* entries, for any table of the port: only the first cube of own is kept */
	bool own_part; /* so many that the rest was not worked out: nown and need are less than it takes */
	struct need *need;
	size_t nneeds;
	const char *told; /* what is said of it to rules that it is in the way of: one is to many */
};

/* The mask of the entries of some flow types, which a NIC has only one of. */
struct table_slot {
	bool set, fixed; /* fixed: rules of others have it */
	unsigned types;  /* classes of packets whose entries have it */
	struct bits mask;
	double entries;
	size_t by; /* the rule that it began with */
};
#define SLOTS SRIOV_FLOW_TYPES

/* What compile_widen() has said last. */
struct widened {
	struct bits from, to;
	bool known, possible;
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
	struct cube *cube;        /* of all rules */
	size_t ncubes;
	struct space space;
	struct space_rest rest; /* scratch: of the rule at hand */
	struct table_slot slot[SLOTS];
	struct widened *widened;  /* one a flow type */
	struct filters *filters;  /* of compile_filters.c, NULL on ports of the kernel */
	struct nic_verdict whole; /* what stands against every rule */
	struct sriov_compiled out;
	bool out_of_memory;       /* a text of the answer is missing */
	struct sriov_entry *cell; /* scratch: the entries of the rule at hand */
	size_t *cell_at, ncells;
	uint64_t *cell_hash; /* of what each matches */
	uint64_t *number;    /* scratch: four a cell */
	size_t ncauses;      /* rules for which it was looked for what makes them dear */
	size_t nneighbours;  /* and for which others were looked for that would work */
	size_t tried;        /* what trying those in the list has taken */
	bool quiet;          /* nobody reads why rules were not chosen */
	struct sriov_error *err;
};

/* "rule web (line 3)", "rule 3". */
const char *compile_rule_name(const struct sriov_rules *rules, size_t i, char buf[96]);
/* The result is exact, or one that opts->allow takes and the driver would take. */
bool compile_allows(const struct compiler *c, enum sriov_result result);

/* ---- compile.c ---- */

/* A compiler of @rules, which all stay the caller's. */
void compile_begin(struct compiler *c, const struct sriov_rules *rules, const struct sriov_pf *port,
		   const struct sriov_compile *opts, struct sriov_error *err);
/* From rules to a table with locations, without words for what was not chosen. 0, -ENOMEM, or of opts->guest. */
int compile_run(struct compiler *c);
/* All but c->out. */
void compile_end(struct compiler *c);

/* ---- compile_lower.c ---- */

/* A rule as its NIC would have it, before anything else of the list is looked at. */
struct lowering {
	struct sriov_rule rule; /* with guests resolved to VFs */
	struct cube *cube;      /* the caller frees it */
	size_t ncubes;
	uint64_t cookie;
	unsigned spread;
	bool ext, taken;
	bool elsewhere; /* its guest is behind the port: it has no entries, and its packets meet none */
	struct nic_verdict v;
};
/*
 * Fills @out. -ENOMEM and the like of the caller's guest function are returned. out->v is what the NIC makes of
 * it; if that is not taken, the cubes are what its words are about.
 */
int compile_lower(const struct compiler *c, const struct sriov_rule *rule, struct lowering *out);

/* The largest block of ports from @first to @last that one mask covers: its first, and how many. */
unsigned compile_best_block(unsigned first, unsigned last, unsigned *size);

/* The smallest mask with these bits that the driver takes: false if there is none. */
bool compile_widen(const struct compiler *c, enum sriov_flow_type type, struct bits *mask);
/* The flow type of entries for a cube. */
enum sriov_flow_type compile_type(const struct cube *cube);

/* ---- compile_own.c ---- */

/*
 * Works out what is left of rule @i by those before it, and adds it to what is taken. -ENOMEM; what cannot be
 * told apart goes into @v, and the rule is out.
 */
int compile_own(struct compiler *c, size_t i, struct nic_verdict *v);
/* Some packets of rule @other, which is before it, would meet its entries. */
void compile_refuse_blocked(const struct compiler *c, size_t other, struct nic_verdict *v);

/* ---- compile_choose.c ---- */

/* Entries that the port could have room for: those of others may be just what is wanted. */
double compile_room(const struct compiler *c);
/* There could be room for @own of rule @i. */
bool compile_could_fit(const struct compiler *c, size_t i, const struct cube *own, size_t n);
/* Finds what rule @i needs for @own of it, and whether there could be room for that. 0 or -ENOMEM. */
int compile_need(struct compiler *c, size_t i, const struct cube *own, size_t n);
/* Sets the slots, and leaves as candidates the rules that shall be in hardware. -ENOMEM. */
int compile_choose(struct compiler *c);
/*
 * The candidates in the order in which they are served: as the list has them, and where optional ones may be left
 * out those that must be in first, then optional ones by what they are worth. Their number.
 */
size_t compile_order(const struct compiler *c, size_t *order);
/* The slot of entries for a cube. */
struct table_slot *compile_slot(const struct compiler *c, struct table_slot slot[SLOTS],
				const struct cube *cube);
/* Entries that @cube takes with that mask (NULL: its own). */
double compile_count(const struct compiler *c, const struct cube *cube, const struct bits *mask);
/* Entries that rule @i takes, or would take, with the masks of the slots and the bits that it needs. */
double compile_cost(const struct compiler *c, size_t i);
/* The slots with what rule @i asks for besides: false if they cannot have it. */
bool compile_join_rule(const struct compiler *c, struct table_slot slot[SLOTS], size_t i);
/* The slots with what @cubes ask for: false if they cannot have it, or would pass @room entries. */
bool compile_join(const struct compiler *c, struct table_slot slot[SLOTS], const struct cube *cube,
		  size_t n, unsigned spread, double room);

/* ---- compile_table.c ---- */

/*
 * The entries of @cubes with the masks of the slots, into c->cell. False: more than the table could ever
 * have; nothing is filled then.
 */
bool compile_cells(struct compiler *c, const struct cube *cube, size_t n, uint64_t cookie,
		   unsigned spread, bool ext);
/*
 * Whether those can be in the table: fills c->cell_at with entries that are there already (TABLE_NONE: a new
 * one), or @v with what is against it. @loc as the rule asks for it, -1 = any.
 */
bool compile_fit(const struct compiler *c, long loc, struct nic_verdict *v);
/* Puts them there as rule @i's. */
void compile_put(struct compiler *c, long loc, size_t i);

/* What the driver says of an entry as if the table were empty, and what is not known of the port. */
bool compile_alone(const struct compiler *c, const struct sriov_entry *entry,
		   struct nic_verdict *v);
bool compile_known(const struct compiler *c, const struct sriov_entry *entry,
		   struct nic_verdict *v);

/*
 * Adds the entries of @cube, one of rule @low's own, with @mask to c->cell; the caller has counted.
 */
void compile_add_cells(struct compiler *c, const struct cube *cube, const struct bits *mask,
		       const struct lowered *low);

/* ---- compile_filters.c, compile_fill.c ---- */

/* Puts the candidates into the filters of the port, or refuses them. -ENOMEM. */
int compile_filters(struct compiler *c);
void compile_filters_free(struct compiler *c);
/* There would be room for @low in place of rule @i, and no rule before that has packets of it. */
bool compile_filters_room(const struct compiler *c, size_t i, const struct lowering *low);
enum sriov_filter compile_filter_of(const struct compiler *c, size_t entry);
/* Fills the uses and masks of the answer, once its entries stand. -ENOMEM. */
int compile_filters_collect(struct compiler *c);
/* NULL: none. */
const char *compile_filter_condition(const struct compiler *c, enum sriov_filter kind);

/* ---- compile_place.c ---- */

/*
 * Gives the list's entries locations: those asked for, then the places that the same entries of ours
 * have, then the lowest free. -ENOMEM.
 */
int compile_place(struct compiler *c);

/* ---- words: verdict.c, nearest.c, texts.c ---- */

/* What stands against rule @i, as its verdict. */
void compile_refuse(struct compiler *c, size_t i, const struct nic_verdict *v);
/* It was not chosen: the masks of the table are others, or there is no room. */
void compile_not_chosen(struct compiler *c, size_t i);
/* Its packets must meet no entry, and that of somebody else would get some. */
void compile_refuse_to_leave(struct compiler *c, size_t i, const struct sriov_entry *entry);
/* Once the table stands: conditions of rules in it, and for the others the nearest that could be. -ENOMEM. */
int compile_words(struct compiler *c);
/* Sets the error of a list that cannot be in hardware because of rule @i, -ENOTSUP. */
int compile_error(const struct compiler *c, size_t i);

/* The nearest rule that is exact in the place of rule @i, and puts no other out of the table, in words; or "". */
void compile_nearest(struct compiler *c, size_t i, char *buf, size_t size);

/* A copy of @text that lives as long as the answer; equal ones are one. Without memory "", and that is noted. */
const char *compile_text(struct compiler *c, const char *text);
void texts_free(struct sriov_texts *texts);

#endif
