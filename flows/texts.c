/* SPDX-License-Identifier: Apache-2.0 */
/* Texts of an answer: many rules say the same, which is kept once. */
#include "flows/compile.h"

#include <string.h>

struct text_kept {
	char *at;
	uint64_t hash;
	uint32_t next; /* of its bucket: its number plus one, 0 = none */
};

struct sriov_texts {
	struct text_kept *kept;
	size_t n;
	uint32_t *bucket; /* numbers plus one, 0 = none */
	size_t nbuckets;
};

void texts_free(struct sriov_texts *texts)
{
	for (size_t i = 0; texts && i < texts->n; i++)
		free(texts->kept[i].at);
	if (texts) {
		free(texts->kept);
		free(texts->bucket);
	}
	free(texts);
}

/* Eight bytes at a time: texts are long. */
static uint64_t text_hash(const char *text, size_t len)
{
	uint64_t hash = CORE_HASH_SEED + len, word;

	for (; len; len -= len < sizeof(word) ? len : sizeof(word), text += sizeof(word)) {
		word = 0;
		memcpy(&word, text, len < sizeof(word) ? len : sizeof(word));
		hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
		hash ^= hash >> 32;
	}
	return hash;
}

static void link_text(struct sriov_texts *t, size_t i)
{
	uint32_t *bucket = &t->bucket[t->kept[i].hash & (t->nbuckets - 1)];

	t->kept[i].next = *bucket;
	*bucket = i + 1;
}

/* Room for one more; without memory for it the old buckets stay, whose chains grow. */
static void make_room(struct sriov_texts *t)
{
	size_t n = t->nbuckets ? 2 * t->nbuckets : 64;
	uint32_t *bucket = t->n < t->nbuckets ? NULL : calloc(n, sizeof(*bucket));

	if (!bucket)
		return;
	free(t->bucket);
	t->bucket = bucket;
	t->nbuckets = n;
	for (size_t i = 0; i < t->n; i++)
		link_text(t, i);
}

static const char *find(const struct sriov_texts *t, const char *text, uint64_t hash)
{
	uint32_t i = t->nbuckets ? t->bucket[hash & (t->nbuckets - 1)] : 0;

	while (i && (t->kept[i - 1].hash != hash || strcmp(t->kept[i - 1].at, text) != 0))
		i = t->kept[i - 1].next;
	return i ? t->kept[i - 1].at : NULL;
}

const char *compile_text(struct compiler *c, const char *text)
{
	struct sriov_texts *t = c->out.texts;
	size_t len = strlen(text);
	uint64_t hash = text_hash(text, len);
	struct text_kept *slot;
	const char *there;
	char *copy;

	if (!len)
		return "";
	if (!t)
		t = c->out.texts = calloc(1, sizeof(*t));
	there = t ? find(t, text, hash) : NULL;
	if (there)
		return there;
	if (t)
		make_room(t);
	copy = t && t->nbuckets ? strdup(text) : NULL;
	slot = copy ? core_grow(&t->kept, &t->n, sizeof(*slot)) : NULL;
	if (!slot) {
		/* the whole answer is given up: a verdict without its words would be none */
		c->out_of_memory = true;
		free(copy);
		return "";
	}
	*slot = (struct text_kept){.at = copy, .hash = hash};
	link_text(t, t->n - 1);
	return copy;
}
