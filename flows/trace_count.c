/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets of a capture counted by where they end, and by where they end otherwise through another table. While
 * packets come they are counted by entry and destination; rules, which have several entries, are put together at
 * the end.
 */
#include "flows/capture.h"
#include "flows/trace.h"

#include <errno.h>
#include <string.h>

/* Where one packet ends, through one table or two. */
struct path {
	struct sriov_trace was, is; /* of one table, @is stays zero */
};

struct row {
	struct path path;
	uint64_t packets, bytes;
	char *example; /* of a change */
};

/* Rows by a hash, in a table that doubles. */
struct rows {
	struct row *at;
	size_t n, room;
	uint32_t *bucket; /* index + 1, 0 = empty; twice as many as room, a power of two */
};

static void rows_clear(struct rows *rows)
{
	for (size_t i = 0; i < rows->n; i++)
		free(rows->at[i].example);
	free(rows->at);
	free(rows->bucket);
}

static uint64_t hash_trace(uint64_t hash, const struct sriov_trace *t)
{
	const uint64_t parts[] = {(uint64_t)t->to << 48 | (uint64_t)t->stage << 40 |
					  (uint64_t)t->vf << 32 | (uint32_t)t->queue,
				  t->entry};

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		hash = (hash ^ parts[i]) * UINT64_C(0x9e3779b97f4a7c15);
		hash ^= hash >> 32;
	}
	return hash;
}

static uint64_t hash_path(const struct path *path)
{
	return hash_trace(hash_trace(CORE_HASH_SEED, &path->was), &path->is);
}

static bool same_end(const struct sriov_trace *a, const struct sriov_trace *b)
{
	return a->to == b->to && a->vf == b->vf && a->queue == b->queue;
}

static bool same_trace(const struct sriov_trace *a, const struct sriov_trace *b)
{
	return same_end(a, b) && a->entry == b->entry && a->stage == b->stage;
}

static bool same_path(const struct path *a, const struct path *b)
{
	return same_trace(&a->was, &b->was) && same_trace(&a->is, &b->is);
}

static int rows_grow(struct rows *rows)
{
	size_t room = rows->room ? 2 * rows->room : 256;
	struct row *at = realloc(rows->at, room * sizeof(*at));
	uint32_t *bucket;

	if (!at)
		return -ENOMEM;
	rows->at = at;
	bucket = calloc(2 * room, sizeof(*bucket));
	if (!bucket)
		return -ENOMEM;
	for (size_t i = 0; i < rows->n; i++) {
		size_t b = hash_path(&at[i].path) & (2 * room - 1);

		while (bucket[b])
			b = (b + 1) & (2 * room - 1);
		bucket[b] = i + 1;
	}
	free(rows->bucket);
	rows->bucket = bucket;
	rows->room = room;
	return 0;
}

/* The row of that path, made if need be; NULL: no memory. */
static struct row *rows_find(struct rows *rows, const struct path *path)
{
	size_t b;

	if (rows->n == rows->room && rows_grow(rows))
		return NULL;
	b = hash_path(path) & (2 * rows->room - 1);
	for (; rows->bucket[b]; b = (b + 1) & (2 * rows->room - 1))
		if (same_path(&rows->at[rows->bucket[b] - 1].path, path))
			return &rows->at[rows->bucket[b] - 1];
	rows->at[rows->n] = (struct row){.path = *path};
	rows->bucket[b] = ++rows->n;
	return &rows->at[rows->n - 1];
}

/* ---- rules instead of entries ---- */

/* An order of ends, in which equal ones stand beside each other. */
static int order_ends(const struct sriov_trace *a, const struct sriov_trace *b)
{
	const long left[] = {a->to, a->vf, a->queue, a->stage};
	const long right[] = {b->to, b->vf, b->queue, b->stage};
	size_t i = 0;

	while (i + 1 < ARRAY_SIZE(left) && left[i] == right[i])
		i++;
	return (left[i] > right[i]) - (left[i] < right[i]);
}

static int order_rules(const void *a, const void *b)
{
	const struct sriov_trace_count *x = a, *y = b;
	int order = strcmp(x->rule, y->rule);

	return order ? order : order_ends(&x->trace, &y->trace);
}

static int order_changed_rules(const void *a, const void *b)
{
	const struct sriov_trace_change *x = a, *y = b;
	int order = strcmp(x->was_rule, y->was_rule);

	order = order ? order : strcmp(x->is_rule, y->is_rule);
	order = order ? order : order_ends(&x->was, &y->was);
	return order ? order : order_ends(&x->is, &y->is);
}

/* Entries of one rule that end alike become one count. */
static int make_counts(struct sriov_trace_report *report, const struct sriov_tracer *tracer,
		       const struct rows *rows)
{
	struct sriov_trace_count *count = calloc(rows->n + 1, sizeof(*count));
	size_t n = 0;

	report->count = count;
	if (!count)
		return -ENOMEM;
	for (size_t i = 0; i < rows->n; i++) {
		const struct row *row = &rows->at[i];

		sriov_trace_rule(tracer, &row->path.was, count[i].rule, sizeof(count[i].rule));
		count[i].trace = row->path.was;
		count[i].packets = row->packets;
		count[i].bytes = row->bytes;
	}
	qsort(count, rows->n, sizeof(*count), order_rules);
	for (size_t i = 0; i < rows->n; i++) {
		if (n && !order_rules(&count[n - 1], &count[i])) {
			count[n - 1].packets += count[i].packets;
			count[n - 1].bytes += count[i].bytes;
		} else {
			count[n++] = count[i];
		}
	}
	report->ncounts = n;
	return 0;
}

static int make_changes(struct sriov_trace_report *report, const struct sriov_tracer *tracer,
			const struct sriov_tracer *against, const struct rows *rows)
{
	struct sriov_trace_change *change = calloc(rows->n + 1, sizeof(*change));
	size_t n = 0;

	report->change = change;
	if (!change)
		return -ENOMEM;
	for (size_t i = 0; i < rows->n; i++) {
		struct sriov_trace_change *c = &change[i];
		const struct row *row = &rows->at[i];

		sriov_trace_rule(tracer, &row->path.was, c->was_rule, sizeof(c->was_rule));
		sriov_trace_rule(against, &row->path.is, c->is_rule, sizeof(c->is_rule));
		c->was = row->path.was;
		c->is = row->path.is;
		c->packets = row->packets;
		c->bytes = row->bytes;
		core_copy(c->example, sizeof(c->example), row->example);
	}
	qsort(change, rows->n, sizeof(*change), order_changed_rules);
	for (size_t i = 0; i < rows->n; i++) {
		if (n && !order_changed_rules(&change[n - 1], &change[i])) {
			change[n - 1].packets += change[i].packets;
			change[n - 1].bytes += change[i].bytes;
		} else {
			change[n++] = change[i];
		}
	}
	report->nchanges = n;
	return 0;
}

static int by_packets(uint64_t a, uint64_t b, const char *x, const char *y)
{
	return a != b ? (a < b) - (a > b) : strcmp(x, y);
}

static int order_counts(const void *a, const void *b)
{
	const struct sriov_trace_count *x = a, *y = b;
	int order = by_packets(x->packets, y->packets, x->rule, y->rule);

	return order ? order : order_ends(&x->trace, &y->trace);
}

static int order_changes(const void *a, const void *b)
{
	const struct sriov_trace_change *x = a, *y = b;

	return by_packets(x->packets, y->packets, x->example, y->example);
}

SRIOV_EXPORT void sriov_trace_report_clear(struct sriov_trace_report *report)
{
	free(report->count);
	free(report->change);
	*report = (struct sriov_trace_report){0};
}

/* ---- one frame after the other ---- */

struct counting {
	const struct sriov_tracer *tracer, *against;
	struct sriov_ingress from;
	struct sriov_trace_report report;
	struct rows counts, changes;
};

static void counting_clear(struct counting *c)
{
	rows_clear(&c->counts);
	rows_clear(&c->changes);
	sriov_trace_report_clear(&c->report);
}

/* Words that take the same way: the payload only where it decides. */
static char *example_of(const struct counting *c, const struct sriov_packet *packet)
{
	struct sriov_packet shown = *packet;
	char *text = malloc(SRIOV_PACKET_TEXT);

	if (!c->tracer->table.by_word && !c->against->table.by_word)
		shown.payload_size = 0;
	if (text)
		sriov_packet_format(&shown, text, SRIOV_PACKET_TEXT);
	return text;
}

static int compare(struct counting *c, const struct sriov_packet *packet,
		   const struct frame_view *frame, struct path *path)
{
	struct row *row;

	sriov_trace(c->against, packet, c->from, &path->is);
	if (same_end(&path->was, &path->is)) {
		c->report.unknown += path->was.to == SRIOV_TO_UNKNOWN;
		return 0;
	}
	row = rows_find(&c->changes, path);
	if (!row)
		return -ENOMEM;
	if (!row->packets++) {
		row->example = example_of(c, packet);
		if (!row->example)
			return -ENOMEM;
	}
	row->bytes += frame->whole;
	return 0;
}

static int count_frame(struct counting *c, const struct frame_view *frame)
{
	struct sriov_packet packet;
	struct path path = {0};
	struct row *row;
	int r = sriov_packet_decode(frame->bytes, frame->size, &packet);

	c->report.packets++;
	c->report.bytes += frame->whole;
	if (r) {
		c->report.cut += r == -ENODATA;
		c->report.malformed += r == -EBADMSG;
		return 0;
	}
	sriov_trace(c->tracer, &packet, c->from, &path.was);
	row = rows_find(&c->counts, &path);
	if (!row)
		return -ENOMEM;
	row->packets++;
	row->bytes += frame->whole;
	return c->against ? compare(c, &packet, frame, &path) : 0;
}

static int finish(struct counting *c)
{
	struct sriov_trace_report *report = &c->report;

	if (make_counts(report, c->tracer, &c->counts) ||
	    (c->against && make_changes(report, c->tracer, c->against, &c->changes)))
		return -ENOMEM;
	qsort(report->count, report->ncounts, sizeof(*report->count), order_counts);
	if (c->against)
		qsort(report->change, report->nchanges, sizeof(*report->change), order_changes);
	return 0;
}

SRIOV_EXPORT int sriov_trace_capture(struct sriov_capture *capture,
				     const struct sriov_tracer *tracer,
				     const struct sriov_tracer *against, struct sriov_ingress from,
				     struct sriov_trace_report *out, struct sriov_error *err)
{
	_cleanup_(counting_clear)
	struct counting c = {.tracer = tracer, .against = against, .from = from};
	struct frame_view frame;
	int r;

	while ((r = capture_next(capture, &frame, err)) > 0)
		if (count_frame(&c, &frame))
			return core_oom(err);
	if (r < 0)
		return r;
	if (finish(&c))
		return core_oom(err);
	*out = c.report;
	c.report = (struct sriov_trace_report){0};
	return 0;
}
