/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of CPUs and of NUMA nodes: see cpuset.h. */
#include "lib/core/cpuset.h"

#include "lib/core/core.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

void cpuset_add(struct cpuset *set, unsigned member)
{
	set->bits[member / 64] |= 1ull << member % 64;
}

bool cpuset_has(const struct cpuset *set, unsigned member)
{
	return member < CPUSET_MAX && set->bits[member / 64] >> member % 64 & 1;
}

bool cpuset_is_empty(const struct cpuset *set)
{
	static const struct cpuset none;

	return !memcmp(set, &none, sizeof(none));
}

bool cpuset_within(const struct cpuset *inner, const struct cpuset *outer)
{
	for (size_t i = 0; i < ARRAY_SIZE(inner->bits); i++)
		if (inner->bits[i] & ~outer->bits[i])
			return false;
	return true;
}

bool cpuset_meets(const struct cpuset *set, const struct cpuset *other)
{
	for (size_t i = 0; i < ARRAY_SIZE(set->bits); i++)
		if (set->bits[i] & other->bits[i])
			return true;
	return false;
}

unsigned cpuset_count(const struct cpuset *set)
{
	unsigned n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(set->bits); i++)
		n += __builtin_popcountll(set->bits[i]);
	return n;
}

void cpuset_join(struct cpuset *set, const struct cpuset *other)
{
	for (size_t i = 0; i < ARRAY_SIZE(set->bits); i++)
		set->bits[i] |= other->bits[i];
}

void cpuset_drop(struct cpuset *set, const struct cpuset *other)
{
	for (size_t i = 0; i < ARRAY_SIZE(set->bits); i++)
		set->bits[i] &= ~other->bits[i];
}

int cpuset_next(const struct cpuset *set, unsigned from)
{
	for (size_t i = from / 64; i < ARRAY_SIZE(set->bits); i++) {
		uint64_t word = set->bits[i];

		if (i == from / 64)
			word &= ~0ull << from % 64;
		if (word)
			return i * 64 + __builtin_ctzll(word);
	}
	return -1;
}

char *cpuset_text(const struct cpuset *set)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	for (int first = cpuset_next(set, 0), last; first >= 0;
	     first = cpuset_next(set, last + 1)) {
		for (last = first; cpuset_has(set, last + 1); last++)
			;
		fprintf(out, "%s%d", ftell(out) ? "," : "", first);
		if (last > first)
			fprintf(out, "-%d", last);
	}
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}

int cpuset_only(const struct cpuset *set)
{
	int only = -1;

	for (size_t i = 0; i < ARRAY_SIZE(set->bits); i++) {
		uint64_t word = set->bits[i];

		if (!word)
			continue;
		if (only >= 0 || word & (word - 1))
			return -1;
		only = i * 64 + __builtin_ctzll(word);
	}
	return only;
}

static const char *skip_blanks(const char *p)
{
	return p + strspn(p, " \t\r\n");
}

/* A decimal member at *@p, which moves behind it. */
static int read_member(const char **p, unsigned *out)
{
	unsigned value = 0;

	if (!isdigit((unsigned char)**p))
		return -EINVAL;
	for (; isdigit((unsigned char)**p); (*p)++) {
		value = value * 10 + (**p - '0');
		if (value >= CPUSET_MAX)
			return -ERANGE;
	}
	*out = value;
	return 0;
}

int cpuset_parse(const char *text, struct cpuset *out)
{
	struct cpuset set = {0};
	const char *p = skip_blanks(text);

	if (!*p) {
		*out = set;
		return 0;
	}
	for (;; p = skip_blanks(p + 1)) {
		bool without = *p == '^';
		unsigned first, last;
		int r;

		p += without;
		r = read_member(&p, &first);
		last = first;
		if (!r && *p == '-' && !without) {
			p++;
			r = read_member(&p, &last);
		}
		if (r < 0)
			return r;
		if (last < first)
			return -EINVAL;
		for (unsigned i = first; i <= last; i++) {
			if (without)
				set.bits[i / 64] &= ~(1ull << i % 64);
			else
				cpuset_add(&set, i);
		}
		p = skip_blanks(p);
		if (!*p)
			break;
		if (*p != ',')
			return -EINVAL;
	}
	*out = set;
	return 0;
}
