/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the compiler for ports that DPDK owns: compile_filters.c chooses, compile_fill.c fills what was chosen. */
#ifndef SRIOV_FLOWS_COMPILE_FILTERS_H
#define SRIOV_FLOWS_COMPILE_FILTERS_H

#include "flows/compile.h"
#include "flows/nic/rte.h"

#define NOT_PICKED UINT8_MAX

/* What is chosen so far. */
struct choice {
	struct table_slot slot[RTE_FILTERS_MAX][SLOTS]; /* of filters whose entries share masks */
	double used[RTE_FILTERS_MAX];                   /* rte_flow rules */
	uint16_t tunnel; /* the UDP port of tunnels, 0 = none is matched */
};

struct filters {
	struct choice now;
	size_t *first;     /* of each rule in pick; one more at the end */
	uint8_t *pick;     /* the filter of each own cube */
	uint8_t *entry_of; /* the filter of each entry of the table */
};

/* What the entries of a rule do. */
struct aim {
	uint64_t cookie;
	unsigned spread;
};
struct aim filters_aim(const struct lowered *low);

const struct rte_filter *filters_at(const struct compiler *c, size_t f);
double filters_room(const struct compiler *c, size_t f);
/* The mask that a cube has in filter @f: false if it cannot be there. */
bool filters_fit(const struct compiler *c, struct aim aim, const struct cube *cube, size_t f,
		 struct bits *mask);
struct table_slot *filters_slot(const struct compiler *c, struct choice *choice, size_t f,
				enum sriov_flow_type type);
/* The filter that loses the smallest share of its room to a cube: false if there is none. */
bool filters_pick(const struct compiler *c, struct choice *choice, struct aim aim,
		  const struct cube *cube, uint8_t *pick);
/* Chooses a filter for each own cube of the candidates in @order, or none: c->filters. -ENOMEM. */
int filters_choose(struct compiler *c, const size_t *order, size_t n);

#endif
