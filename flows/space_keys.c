/* SPDX-License-Identifier: Apache-2.0 */
/* Keys by the bits that they share with a cube: see space_keys.h. */
#include "flows/space_keys.h"

#include <errno.h>
#include <string.h>

#define BUCKETS_MIN 32
#define GOLDEN UINT64_C(0x9e3779b97f4a7c15)

struct space_index {
	struct bits common;
	unsigned words; /* of common that are not zero, as bits */
	uint64_t hash;  /* of common */
	uint32_t *bucket, *next;
	size_t nbuckets, n;
	unsigned asked; /* before it was filled */
};

void space_keys_clear(struct space_keys *keys)
{
	for (size_t i = 0; i < keys->nindexes; i++) {
		free(keys->index[i].bucket);
		free(keys->index[i].next);
	}
	free(keys->index);
	free(keys->at);
}

int space_keys_add(struct space_keys *keys, const struct cube *cube, size_t number)
{
	struct space_key *key = core_grow(&keys->at, &keys->n, sizeof(*key));

	if (!key)
		return -ENOMEM;
	*key = (struct space_key){cube, number};
	return 0;
}

/* Products mix upwards: what a prefix has in the upper bits must come down between them. */
static uint64_t mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * GOLDEN;
	return hash ^ hash >> 32;
}

static uint32_t *bucket_of(const struct space_index *index, const struct cube *cube)
{
	uint64_t hash = CORE_HASH_SEED;

	for (unsigned words = index->words; words; words &= words - 1) {
		unsigned i = __builtin_ctz(words);

		hash = mix(hash, cube->value.w[i] & index->common.w[i]);
	}
	return &index->bucket[(hash * GOLDEN >> 32) & (index->nbuckets - 1)];
}

static int index_grow(struct space_index *index, size_t room)
{
	size_t n = BUCKETS_MIN;

	while (n < room)
		n *= 2;
	free(index->bucket);
	free(index->next);
	index->bucket = calloc(n, sizeof(*index->bucket));
	index->next = calloc(n, sizeof(*index->next));
	index->nbuckets = n;
	index->n = 0;
	return index->bucket && index->next ? 0 : -ENOMEM;
}

/* Brings all keys into the index, which grows by doubling. */
static int index_fill(const struct space_keys *keys, struct space_index *index)
{
	if ((!index->nbuckets || keys->n > index->nbuckets) && index_grow(index, keys->n))
		return -ENOMEM;
	for (; index->n < keys->n; index->n++) {
		uint32_t *bucket = bucket_of(index, keys->at[index->n].cube);

		index->next[index->n] = *bucket;
		*bucket = index->n + 1;
	}
	return 0;
}

/* @common has @words, and no others are read. */
static bool is_common(const struct space_index *index, const struct bits *common, unsigned words)
{
	if (index->words != words)
		return false;
	for (; words; words &= words - 1) {
		unsigned i = __builtin_ctz(words);

		if (index->common.w[i] != common->w[i])
			return false;
	}
	return true;
}

static struct space_index *index_of(struct space_keys *keys, const struct bits *common,
				    unsigned words, uint64_t hash)
{
	struct space_index *index;

	for (size_t i = 0; i < keys->nindexes; i++)
		if (keys->index[i].hash == hash && is_common(&keys->index[i], common, words))
			return &keys->index[i];
	index = core_grow(&keys->index, &keys->nindexes, sizeof(*index));
	if (!index)
		return NULL;
	index->words = words;
	index->hash = hash;
	for (; words; words &= words - 1) {
		unsigned i = __builtin_ctz(words);

		index->common.w[i] = common->w[i];
	}
	return index;
}

int space_keys_find(struct space_keys *keys, const struct cube *cube, struct space_chain *out)
{
	uint64_t hash = CORE_HASH_SEED;
	struct space_index *index;
	unsigned words = 0;
	struct bits common; /* as far as words says: to clear it would be dear */

	for (unsigned left = cube->words; left; left &= left - 1) {
		unsigned i = __builtin_ctz(left);

		common.w[i] = keys->mask.w[i] & cube->mask.w[i];
		if (!common.w[i])
			continue;
		words |= 1u << i;
		hash = mix(hash, common.w[i]);
	}
	if (!words)
		return 1;
	index = index_of(keys, &common, words, hash);
	if (index && index->asked < keys->patience) {
		index->asked++;
		/* the index of no bits has all in one chain */
		index = index_of(keys, &common, 0, CORE_HASH_SEED);
	}
	if (!index || index_fill(keys, index))
		return -ENOMEM;
	*out = (struct space_chain){bucket_of(index, cube), index->next};
	return 0;
}
