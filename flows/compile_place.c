/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Locations of a list's entries, from 1 on; 0 comes last where the profile has it at all (i40e's driver mixes
 * it up with its own filters).
 */
#include "flows/compile.h"

#include <errno.h>

static void put_at(struct compiler *c, size_t i, uint32_t loc)
{
	c->table.at[i].loc = loc;
	c->at_loc[loc] = i;
}

/* Entries that are ours already stay where they are. */
static int keep_places(struct compiler *c)
{
	struct table_index index;

	if (!c->opts->nours)
		return 0;
	if (table_index_init(&index, c->opts->nours)) {
		table_index_clear(&index);
		return -ENOMEM;
	}
	for (size_t i = 0; i < c->opts->nours; i++)
		table_index_add(&index, nic_match_hash(&c->ours[i]), i);
	for (size_t t = c->nforeign; t < c->table.n; t++) {
		const struct sriov_entry *e = &c->table.at[t];
		size_t i = table_index_first(&index, nic_match_hash(e));

		while (i != TABLE_NONE && !sriov_entry_same(&c->ours[i], e))
			i = index.next[i];
		if (e->loc == NO_LOC && i != TABLE_NONE &&
		    c->ours[i].loc >= c->profile->first_loc && c->ours[i].loc < c->table_size &&
		    c->at_loc[c->ours[i].loc] == TABLE_NONE)
			put_at(c, t, c->ours[i].loc);
	}
	table_index_clear(&index);
	return 0;
}

int compile_place(struct compiler *c)
{
	uint32_t loc = 1;

	if (keep_places(c))
		return -ENOMEM;
	for (size_t t = c->nforeign; t < c->table.n; t++) {
		if (c->table.at[t].loc != NO_LOC)
			continue;
		/* compile_fit() has counted: there is one */
		while (c->at_loc[loc] != TABLE_NONE)
			loc = (loc + 1) % c->table_size;
		put_at(c, t, loc);
	}
	return 0;
}
