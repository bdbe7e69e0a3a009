/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a port's table would hold: entries of others, and those that the rules of a list have become so
 * far. Looked up by hashes, so that a list of n rules costs n look-ups.
 */
#ifndef SRIOV_FLOWS_NIC_TABLE_H
#define SRIOV_FLOWS_NIC_TABLE_H

#include "flows/words.h"

#define TABLE_NONE SIZE_MAX
/* @n of them; the caller frees the array. NULL: no memory. */
size_t *table_nones(size_t n);

/* Entries by a hash: chains of indices. */
struct table_index {
	size_t *bucket, *next;
	size_t nbuckets; /* a power of two */
};
int table_index_init(struct table_index *index, size_t room);
void table_index_clear(struct table_index *index);
void table_index_add(struct table_index *index, uint64_t hash, size_t i);
/* The first index of the chain of @hash, TABLE_NONE at its end; index->next[i] goes on. */
size_t table_index_first(const struct table_index *index, uint64_t hash);

/* Entries of one flow type with the same mask. */
struct table_group {
	size_t first, last; /* chained by table->in_group */
};

struct nic_profile;
struct nic_table {
	const struct nic_profile *profile;
	struct sriov_entry *at;
	long *owner; /* index of the rule it is of, -1 = somebody else's */
	size_t n, room;
	size_t first_of[SRIOV_FLOW_TYPES]; /* the first entry of each flow type */
	size_t first_user_def;             /* the first that matches user-def */
	struct table_group *group;
	size_t *in_group; /* the next entry of the same group */
	size_t ngroups;
	struct table_index same, duplicate, groups;
};

/* An empty table for at most @room entries. 0 or -ENOMEM. */
int nic_table_init(struct nic_table *table, const struct nic_profile *profile, size_t room);
void nic_table_clear(struct nic_table *table);
/* A hash of what a canonical entry matches, which those that ask for @hash are given. */
uint64_t nic_match_hash(const struct sriov_entry *entry);
/* Adds a canonical entry and returns its index; the caller keeps to the room. */
size_t nic_table_add(struct nic_table *table, const struct sriov_entry *entry, uint64_t hash,
		     long owner);
/* An entry that matches the same packets. */
size_t nic_table_same(const struct nic_table *table, const struct sriov_entry *entry,
		      uint64_t hash);
/* An entry that the driver takes for the same. */
size_t nic_table_duplicate(const struct nic_table *table, const struct sriov_entry *entry);
/* An entry with another action that some packet of @entry matches too. */
size_t nic_table_overlap(const struct nic_table *table, const struct sriov_entry *entry,
			 uint64_t hash);

#endif
