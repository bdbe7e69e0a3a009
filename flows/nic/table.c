/* SPDX-License-Identifier: Apache-2.0 */
/* The table that a list of rules grows: see table.h. */
#include "flows/nic/table.h"

#include "flows/cube.h"
#include "flows/nic/profile.h"

#include <errno.h>
#include <string.h>

size_t *table_nones(size_t n)
{
	size_t *at = reallocarray(NULL, n, sizeof(*at));

	_Static_assert(TABLE_NONE == SIZE_MAX, "all its bytes are alike");
	return at ? memset(at, 0xff, n * sizeof(*at)) : NULL;
}

int table_index_init(struct table_index *index, size_t room)
{
	size_t nbuckets = 16;

	while (nbuckets < room)
		nbuckets *= 2;
	index->bucket = table_nones(nbuckets);
	index->next = calloc(room + 1, sizeof(*index->next));
	index->nbuckets = nbuckets;
	return index->bucket && index->next ? 0 : -ENOMEM;
}

void table_index_clear(struct table_index *index)
{
	free(index->bucket);
	free(index->next);
	*index = (struct table_index){0};
}

/* FNV mixes upwards: the high bits come down before the low ones choose a bucket. */
static size_t *bucket_of(const struct table_index *index, uint64_t hash)
{
	return &index->bucket[(hash ^ hash >> 32) & (index->nbuckets - 1)];
}

void table_index_add(struct table_index *index, uint64_t hash, size_t i)
{
	size_t *bucket = bucket_of(index, hash);

	index->next[i] = *bucket;
	*bucket = i;
}

size_t table_index_first(const struct table_index *index, uint64_t hash)
{
	return *bucket_of(index, hash);
}

static uint64_t match_hash(const struct sriov_match *match, uint64_t seed)
{
	struct bits bits;

	bits_pack(match, &bits);
	return bits_hash(&bits, seed);
}

static uint64_t mask_hash(const struct sriov_entry *e)
{
	return match_hash(&e->mask, CORE_HASH_SEED + e->type);
}

uint64_t nic_match_hash(const struct sriov_entry *e)
{
	return match_hash(&e->value, mask_hash(e));
}

int nic_table_init(struct nic_table *table, const struct nic_profile *profile, size_t room)
{
	*table = (struct nic_table){.profile = profile, .room = room};
	table->first_user_def = TABLE_NONE;
	for (size_t i = 0; i < SRIOV_FLOW_TYPES; i++)
		table->first_of[i] = TABLE_NONE;
	table->at = calloc(room + 1, sizeof(*table->at));
	table->owner = calloc(room + 1, sizeof(*table->owner));
	table->group = calloc(room + 1, sizeof(*table->group));
	table->in_group = calloc(room + 1, sizeof(*table->in_group));
	if (!table->at || !table->owner || !table->group || !table->in_group ||
	    table_index_init(&table->same, room) || table_index_init(&table->duplicate, room) ||
	    table_index_init(&table->groups, room)) {
		nic_table_clear(table);
		return -ENOMEM;
	}
	return 0;
}

void nic_table_clear(struct nic_table *table)
{
	free(table->at);
	free(table->owner);
	free(table->group);
	free(table->in_group);
	table_index_clear(&table->same);
	table_index_clear(&table->duplicate);
	table_index_clear(&table->groups);
	*table = (struct nic_table){0};
}

static bool same_mask(const struct sriov_entry *a, const struct sriov_entry *b)
{
	if (a->type != b->type)
		return false;
	/* mostly they are, and equal bytes are seen at once */
	if (!memcmp(&a->mask, &b->mask, sizeof(a->mask)))
		return true;
	for (const struct flow_field *f = NULL; (f = flow_field_next(f, a->type));)
		if (memcmp(flow_field_at(f, &a->mask), flow_field_at(f, &b->mask), f->size))
			return false;
	return true;
}

static void add_to_group(struct nic_table *table, size_t i)
{
	uint64_t hash = mask_hash(&table->at[i]);
	size_t g = table_index_first(&table->groups, hash);

	while (g != TABLE_NONE && !same_mask(&table->at[table->group[g].first], &table->at[i]))
		g = table->groups.next[g];
	table->in_group[i] = TABLE_NONE;
	if (g == TABLE_NONE) {
		g = table->ngroups++;
		table->group[g].first = i;
		table_index_add(&table->groups, hash, g);
	} else {
		table->in_group[table->group[g].last] = i;
	}
	table->group[g].last = i;
}

size_t nic_table_add(struct nic_table *table, const struct sriov_entry *entry, uint64_t hash,
		     long owner)
{
	size_t i = table->n++;

	table->at[i] = *entry;
	table->owner[i] = owner;
	if (table->first_of[entry->type] == TABLE_NONE)
		table->first_of[entry->type] = i;
	if (entry->mask.user_def && table->first_user_def == TABLE_NONE)
		table->first_user_def = i;
	table_index_add(&table->same, hash, i);
	if (table->profile && table->profile->duplicate)
		table_index_add(&table->duplicate, table->profile->duplicate_hash(entry), i);
	add_to_group(table, i);
	return i;
}

size_t nic_table_same(const struct nic_table *table, const struct sriov_entry *entry, uint64_t hash)
{
	size_t i = table_index_first(&table->same, hash);

	while (i != TABLE_NONE && !entry_same_match(&table->at[i], entry))
		i = table->same.next[i];
	return i;
}

size_t nic_table_duplicate(const struct nic_table *table, const struct sriov_entry *entry)
{
	const struct nic_profile *profile = table->profile;
	size_t i = table_index_first(&table->duplicate, profile->duplicate_hash(entry));

	while (i != TABLE_NONE && !profile->duplicate(&table->at[i], entry))
		i = table->duplicate.next[i];
	return i;
}

size_t nic_table_overlap(const struct nic_table *table, const struct sriov_entry *entry,
			 uint64_t hash)
{
	bool (*overlaps)(const struct sriov_entry *a,
			 const struct sriov_entry *b) = table->profile->overlaps ?: entry_overlaps;

	/* others may have the same match twice, with different actions: ixgbe takes that */
	for (size_t i = table_index_first(&table->same, hash); i != TABLE_NONE;
	     i = table->same.next[i])
		if (table->at[i].cookie != entry->cookie && entry_same_match(&table->at[i], entry))
			return i;
	for (size_t g = 0; g < table->ngroups; g++) {
		size_t i = table->group[g].first;

		/* with equal masks only equal values overlap, and those were looked up above */
		if (!table->profile->overlaps &&
		    (table->at[i].type != entry->type || same_mask(&table->at[i], entry)))
			continue;
		for (; i != TABLE_NONE; i = table->in_group[i])
			if (table->at[i].cookie != entry->cookie && overlaps(&table->at[i], entry))
				return i;
	}
	return TABLE_NONE;
}
