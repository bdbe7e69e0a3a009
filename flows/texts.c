/* SPDX-License-Identifier: Apache-2.0 */
/* Texts of an answer: many rules say the same, which is kept once. */
#include "flows/compile.h"

#include <string.h>

struct sriov_texts {
	char **at;
	size_t n;
	uint32_t *bucket, *next; /* numbers plus one, 0 = none */
	size_t nbuckets;
};

void texts_free(struct sriov_texts *texts)
{
	for (size_t i = 0; texts && i < texts->n; i++)
		free(texts->at[i]);
	if (texts) {
		free(texts->at);
		free(texts->bucket);
		free(texts->next);
	}
	free(texts);
}

static size_t bucket_of(const struct sriov_texts *t, const char *text)
{
	uint64_t hash = core_hash(CORE_HASH_SEED, text, strlen(text));

	return (hash ^ hash >> 32) & (t->nbuckets - 1);
}

/* Chains that hold all texts there are; without memory the old ones stay, and equal texts are kept twice. */
static void rehash(struct sriov_texts *t)
{
	size_t n = t->nbuckets ? 2 * t->nbuckets : 64;
	uint32_t *bucket = calloc(n, sizeof(*bucket)), *next = calloc(n, sizeof(*next));

	if (!bucket || !next) {
		free(bucket);
		free(next);
		return;
	}
	free(t->bucket);
	free(t->next);
	t->bucket = bucket;
	t->next = next;
	t->nbuckets = n;
	for (size_t i = 0; i < t->n; i++) {
		size_t b = bucket_of(t, t->at[i]);

		next[i] = bucket[b];
		bucket[b] = i + 1;
	}
}

static const char *find(const struct sriov_texts *t, const char *text)
{
	uint32_t i = t->nbuckets ? t->bucket[bucket_of(t, text)] : 0;

	while (i && strcmp(t->at[i - 1], text) != 0)
		i = t->next[i - 1];
	return i ? t->at[i - 1] : NULL;
}

const char *compile_text(struct compiler *c, const char *text)
{
	struct sriov_texts *t = c->out.texts;
	const char *there;
	char *copy, **slot;

	if (!*text)
		return "";
	if (!t)
		t = c->out.texts = calloc(1, sizeof(*t));
	there = t ? find(t, text) : NULL;
	if (there)
		return there;
	copy = t ? strdup(text) : NULL;
	slot = copy ? core_grow(&t->at, &t->n, sizeof(*slot)) : NULL;
	if (!slot) {
		/* the whole answer is given up: a verdict without its words would be none */
		c->out_of_memory = true;
		free(copy);
		return "";
	}
	*slot = copy;
	if (t->n > t->nbuckets) {
		rehash(t);
	} else {
		size_t b = bucket_of(t, copy);

		t->next[t->n - 1] = t->bucket[b];
		t->bucket[b] = t->n;
	}
	return copy;
}
