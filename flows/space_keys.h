/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers of something, each under the value that a cube has in the bits of one mask: those that agree with
 * another cube in the bits that both name are found by hashes, one index for each set of such bits.
 */
#ifndef SRIOV_FLOWS_SPACE_KEYS_H
#define SRIOV_FLOWS_SPACE_KEYS_H

#include "flows/cube.h"

struct space_key {
	const struct cube *cube; /* the caller's, and it stays where it is */
	size_t number;
};

struct space_index;
struct space_keys {
	struct bits mask;  /* set by the caller: every cube names these bits */
	unsigned patience; /* likewise: many indexes are asked this seldom, and not worth filling */
	struct space_key *at;
	size_t n;
	struct space_index *index;
	size_t nindexes;
};

/* 0 or -ENOMEM. */
int space_keys_add(struct space_keys *keys, const struct cube *cube, size_t number);
void space_keys_clear(struct space_keys *keys);

/* Indices of keys plus one, 0 = the end; the last that came is the first. A caller may unlink some. */
struct space_chain {
	uint32_t *link, *next;
};
/*
 * The keys that may agree with @cube: those that do, others by chance, and all while there is no index yet.
 * 1: all do, because no bit is named by both; 0; or -ENOMEM.
 */
int space_keys_find(struct space_keys *keys, const struct cube *cube, struct space_chain *out);

#endif
