/* SPDX-License-Identifier: Apache-2.0 */
/* Text, numbers, arrays, clocks: see core.h. */
#include "lib/core/core.h"

#include <ctype.h>
#include <errno.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

void core_copy(char *dst, size_t size, const char *src)
{
	size_t len = src ? strnlen(src, size - 1) : 0;

	if (len)
		memcpy(dst, src, len);
	dst[len] = '\0';
}

/* The allocator knows how much room an array has: no caller keeps a capacity, and growing is linear. */
void *core_grow_by(void *array_ptr, size_t *n, size_t size, size_t more)
{
	char **array = array_ptr, *grown = *array;
	size_t before = *n;

	if (before >= SIZE_MAX / size / 4 || more >= SIZE_MAX / size / 4)
		return NULL;
	if (!grown || malloc_usable_size(grown) < (before + more) * size) {
		grown = reallocarray(*array, before + before / 2 + more, size);
		if (!grown)
			return NULL;
		*array = grown;
	}
	*n = before + more;
	return memset(grown + before * size, 0, more * size);
}

void *core_grow(void *array_ptr, size_t *n, size_t size)
{
	return core_grow_by(array_ptr, n, size, 1);
}

int core_number(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
	int base = 10;
	uint64_t value;
	char *end;

	if (!text || !isdigit((unsigned char)*text))
		return -EINVAL;
	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
		/* strtoull() would take signs and blanks after the prefix */
		if (!isxdigit((unsigned char)text[2]))
			return -EINVAL;
		base = 16;
	}
	errno = 0;
	value = strtoull(text, &end, base);
	if (*end)
		return -EINVAL;
	if (errno == ERANGE || value < min || value > max)
		return -ERANGE;
	*out = value;
	return 0;
}

/* Edit distance, cut off: words longer than the row never come near. */
static unsigned distance(const char *a, const char *b)
{
	unsigned row[40];
	size_t n = strlen(b);

	if (n >= ARRAY_SIZE(row) || strlen(a) >= ARRAY_SIZE(row))
		return UINT32_MAX;
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 0; a[i]; i++) {
		unsigned diagonal = row[0];

		row[0] = i + 1;
		for (size_t j = 0; j < n; j++) {
			unsigned above = row[j + 1];
			unsigned best = diagonal + (a[i] != b[j]);

			if (above + 1 < best)
				best = above + 1;
			if (row[j] + 1 < best)
				best = row[j] + 1;
			diagonal = above;
			row[j + 1] = best;
		}
	}
	return row[n];
}

const char *core_nearest(const char *word, const char *const *words)
{
	const char *best = NULL;
	unsigned best_distance = strlen(word) / 2 + 1;

	for (; *words; words++) {
		unsigned d = distance(word, *words);

		if (d < best_distance) {
			best = *words;
			best_distance = d;
		}
	}
	return best;
}

char *core_printf(const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	return text;
}

uint64_t core_hash(uint64_t seed, const void *data, size_t size)
{
	const unsigned char *p = data;

	while (size--)
		seed = (seed ^ *p++) * 0x100000001b3ull;
	return seed;
}

void core_now(char buf[32])
{
	time_t now = time(NULL);
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(buf, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

int64_t core_monotonic_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}
