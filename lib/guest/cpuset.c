/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of CPUs and of NUMA nodes: see cpuset.h. */
#include "lib/guest/cpuset.h"

#include "lib/core/core.h"

#include <ctype.h>
#include <errno.h>
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
