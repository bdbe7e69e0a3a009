/* SPDX-License-Identifier: Apache-2.0 */
/* What a bridge's policy lacks. Pure. */
#include "lib/vswitch/vswitch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void vswitch_diff_clear(struct vswitch_diff *diff)
{
	free(diff->before);
	free(diff->after);
	*diff = (struct vswitch_diff){0};
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* A cookie has a hash of its flow, so that the same cookies are the same flows. */
static int flows_differ(const struct vswitch_policy *now, const struct openflow *want, bool *out)
{
	size_t n = want->nlines;
	_free_ uint64_t *cookies = NULL;

	*out = now->nflows != n;
	if (*out || !n)
		return 0;
	cookies = calloc(2 * n, sizeof(*cookies));
	if (!cookies)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		cookies[i] = now->flow[i].cookie;
		cookies[n + i] = want->line[i].cookie;
	}
	qsort(cookies, n, sizeof(*cookies), compare);
	qsort(cookies + n, n, sizeof(*cookies), compare);
	*out = memcmp(cookies, cookies + n, n * sizeof(*cookies)) != 0;
	return 0;
}

static const struct openflow_meter *find(const struct openflow_meter *meters, size_t n, uint32_t id)
{
	for (size_t i = 0; i < n; i++) {
		if (meters[i].id == id)
			return &meters[i];
	}
	return NULL;
}

/* Adds to @list the meters of @from that @to has not, or (@values) has otherwise. */
static int missing(const struct openflow_meter *from, size_t nfrom, const struct openflow_meter *to,
		   size_t nto, bool values, struct openflow_meter **list, size_t *n)
{
	for (size_t i = 0; i < nfrom; i++) {
		const struct openflow_meter *there = find(to, nto, from[i].id);
		struct openflow_meter *added;

		if (there &&
		    (!values || (there->kbps == from[i].kbps && there->burst == from[i].burst)))
			continue;
		added = core_grow(list, n, sizeof(*added));
		if (!added)
			return -ENOMEM;
		*added = from[i];
	}
	return 0;
}

int vswitch_diff(const struct vswitch_policy *now, const struct openflow *want,
		 struct vswitch_diff *out)
{
	_vswitch_diff_ struct vswitch_diff diff = {0};
	int r = flows_differ(now, want, &diff.flows);

	if (!r)
		r = missing(want->meter, want->nmeters, now->meter, now->nmeters, true,
			    &diff.before, &diff.nbefore);
	if (!r)
		r = missing(now->meter, now->nmeters, want->meter, want->nmeters, false,
			    &diff.after, &diff.nafter);
	if (r < 0)
		return r;
	*out = diff;
	diff = (struct vswitch_diff){0};
	return 0;
}
