/* SPDX-License-Identifier: Apache-2.0 */
/* sriovctl flow trace: the way of a packet, or of all packets of a capture, through a port. */
#include "cmd/sriovctl/args.h"
#include "cmd/sriovctl/out.h"

#include <errno.h>
#include <inttypes.h>
#include <sriov/trace.h>
#include <stdio.h>
#include <string.h>

/* What is traced through what. */
struct question {
	const struct args *args;
	struct sriov_inventory *inv; /* NULL: a NIC by its name */
	struct sriov_pf port;        /* borrows from inv */
	struct sriov_ingress from;
	const char *place; /* words of it */
};

static void question_clear(struct question *q)
{
	sriov_inventory_free(q->inv);
}

static void tracer_freep(struct sriov_tracer **tracer)
{
	sriov_tracer_free(*tracer);
}

static void capture_freep(struct sriov_capture **capture)
{
	sriov_capture_close(*capture);
}

/* ---- what is asked ---- */

static int refuse(struct sriov_error *err, const char *what, const char *hint)
{
	sriov_error_set(err, -EINVAL, "flow trace", "%s", what);
	return sriov_error_hint(err, "%s", hint);
}

static int check_args(const struct args *args, struct sriov_error *err)
{
	int words = args->npos - !args->nic;

	if (words < 0)
		return refuse(err, "say through what", "a port of this host, or --nic NIC");
	if (args->pcap ? words > 0 : words == 0)
		return refuse(err,
			      args->pcap ? "a packet and --pcap are given, or a port and --nic"
					 : "say which packet",
			      "sriovctl flow trace PF 'udp 198.51.100.7:1024 > 10.0.0.7:4789'; or "
			      "--pcap FILE for those of a capture");
	if (args->nic && !args->rules)
		return refuse(err, "a NIC by its name has no rules", "--rules FILE");
	if (args->against && !args->pcap)
		return refuse(err, "--against compares two tables on the packets of a capture",
			      "--pcap FILE");
	return 0;
}

static int read_question(const struct args *args, struct sriov_host *host, struct question *q,
			 struct sriov_error *err)
{
	int r = check_args(args, err);

	q->args = args;
	q->place = args->in ? args->in : "wire";
	if (!r)
		r = sriov_ingress_parse(q->place, &q->from, err);
	if (!r && args->nic)
		r = sriov_nic_port(args->nic, &q->port, err);
	else if (!r)
		r = sriov_inventory_read(host, args->pos[0],
					 SRIOV_READ_PORT | SRIOV_READ_VFS | SRIOV_READ_ATTRS |
						 SRIOV_READ_RSS | SRIOV_READ_PATH,
					 &q->inv, err);
	if (r < 0)
		return r;
	if (q->inv)
		q->port = q->inv->pf[0];
	if (q->from.kind != SRIOV_FROM_VF || q->from.vf < q->port.vfs)
		return 0;
	return sriov_error_set(err, -EINVAL, q->place, "there is no such VF: the port has %u",
			       q->port.vfs);
}

/* ---- the table ---- */

struct table_entries {
	struct sriov_trace_entry *at;
	size_t n;
};

static int add_entry(struct table_entries *entries, const struct sriov_entry *entry,
		     const char *rule, struct sriov_error *err)
{
	struct sriov_trace_entry *to = core_grow(&entries->at, &entries->n, sizeof(*to));

	if (!to)
		return core_oom(err);
	to->entry = *entry;
	core_copy(to->rule, sizeof(to->rule), rule);
	return 0;
}

/* What stands in the port's table; of it only what is not ours, if @others. */
static int add_installed(const struct question *q, struct sriov_host *host, bool others,
			 struct table_entries *entries, struct sriov_error *err)
{
	_cleanup_(sriov_flow_listing_clear)
	struct sriov_flow_listing listing = {0};
	int r = sriov_flow_list(host, q->port.address, &listing, err);

	for (size_t i = 0; !r && i < listing.nrows; i++) {
		const struct sriov_flow_row *row = &listing.row[i];

		if (row->installed && !(others && row->ours))
			r = add_entry(entries, &row->entry, row->name, err);
	}
	return r;
}

static void name_rule(const struct sriov_rules *rules, size_t i, char name[SRIOV_NAME_LEN])
{
	if (rules->at[i].name[0])
		core_copy(name, SRIOV_NAME_LEN, rules->at[i].name);
	else
		snprintf(name, SRIOV_NAME_LEN, "line %u", rules->at[i].line);
}

/* What @file would become on the port. */
static int add_compiled(const struct question *q, struct sriov_host *host, const char *file,
			struct table_entries *entries, struct sriov_error *err)
{
	const struct sriov_options *run = &q->args->run;
	const struct sriov_compile opts = {.allow = run->allow, .partial = run->partial};
	_cleanup_(sriov_rules_clear)
	struct sriov_rules rules = {0};
	_cleanup_(sriov_compiled_clear)
	struct sriov_compiled compiled = {0};
	int r = sriov_rules_read(file, &rules, err);

	if (!r && q->inv)
		r = sriov_flow_check(host, q->port.address, &rules, run, &compiled, err);
	else if (!r)
		r = sriov_rules_compile(&rules, &q->port, &opts, &compiled, err);
	for (size_t i = 0; !r && i < compiled.nrules; i++) {
		const struct sriov_verdict *v = &compiled.verdict[i];
		char name[SRIOV_NAME_LEN];

		name_rule(&rules, i, name);
		for (size_t k = v->first; !r && k < v->first + v->n; k++)
			r = add_entry(entries, &compiled.entry[k], name, err);
	}
	return r;
}

/* @file NULL: the table as it stands. */
static int make_tracer(const struct question *q, struct sriov_host *host, const char *file,
		       struct sriov_tracer **out, struct sriov_error *err)
{
	struct table_entries entries = {0};
	struct sriov_pf port = q->port;
	int r = 0;

	if (file)
		r = add_compiled(q, host, file, &entries, err);
	/* `flow apply` would switch it on */
	if (file && port.ntuple == SRIOV_NTUPLE_OFF)
		port.ntuple = SRIOV_NTUPLE_ON;
	if (!r && q->inv)
		r = add_installed(q, host, file, &entries, err);
	if (!r)
		r = sriov_tracer_new(&port, entries.at, entries.n, out, err);
	free(entries.at);
	return r;
}

/* ---- one packet ---- */

static const char *port_text(const struct question *q, char buf[96])
{
	char name[64];

	if (q->inv)
		snprintf(buf, 96, "%s", show_pf(&q->port, name));
	else
		snprintf(buf, 96, "%s", q->args->nic);
	return buf;
}

static const char *place_text(const struct question *q)
{
	return q->from.kind == SRIOV_FROM_WIRE ? "the wire" : q->place;
}

static void print_story(const struct question *q, const struct sriov_tracer *tracer,
			const char *words, const struct sriov_trace *trace,
			const struct sriov_story *story)
{
	char end[64], rule[SRIOV_NAME_LEN], port[96];

	printf("%s\n  from %s into %s\n", words, place_text(q), port_text(q, port));
	for (size_t i = 0; i < story->n; i++) {
		const struct sriov_story_line *line = &story->line[i];
		bool first = !i || line[-1].stage != line->stage;

		printf("  %-8s %s\n", first ? sriov_stage_word(line->stage) : "", line->text);
	}
	sriov_trace_format(trace, end, sizeof(end));
	sriov_trace_rule(tracer, trace, rule, sizeof(rule));
	printf("  => %s", end);
	if (*rule)
		printf(", by %s", rule);
	printf("\nevidence: %s\n", sriov_tracer_evidence(tracer));
}

static json_t *encode_end(const struct sriov_trace *trace, const char *rule)
{
	char end[64];

	sriov_trace_format(trace, end, sizeof(end));
	return json_pack("{so ss so so so so}", "destination", out_text(end), "decided_by",
			 sriov_stage_word(trace->stage), "rule",
			 *rule ? out_text(rule) : json_null(), "vf",
			 trace->to == SRIOV_TO_VF ? json_integer(trace->vf) : json_null(), "queue",
			 trace->queue >= 0 ? json_integer(trace->queue) : json_null(), "kind",
			 json_stringn(end, strcspn(end, " ")));
}

static json_t *encode_story(const struct sriov_story *story)
{
	json_t *array = json_array();

	for (size_t i = 0; i < story->n; i++)
		json_array_append_new(array, json_pack("{ss so}", "stage",
						       sriov_stage_word(story->line[i].stage),
						       "text", out_text(story->line[i].text)));
	return array;
}

static int trace_one(const struct question *q, const struct sriov_tracer *tracer, struct out *out,
		     struct sriov_error *err)
{
	_free_ char *text = args_join(q->args, !q->args->nic);
	char words[SRIOV_PACKET_TEXT], rule[SRIOV_NAME_LEN];
	struct sriov_packet packet;
	struct sriov_story story;
	struct sriov_trace trace;
	int r = text ? sriov_packet_parse(text, &packet, err) : core_oom(err);

	if (r < 0)
		return r;
	sriov_packet_format(&packet, words, sizeof(words));
	sriov_trace_explain(tracer, &packet, q->from, &trace, &story);
	if (!out->doc) {
		print_story(q, tracer, words, &trace, &story);
		return 0;
	}
	sriov_trace_rule(tracer, &trace, rule, sizeof(rule));
	r = out_add(out, "packet", out_text(words), err);
	if (!r)
		r = out_add(out, "in", out_text(q->place), err);
	if (!r)
		r = out_add(out, "end", encode_end(&trace, rule), err);
	return r ? r : out_add(out, "stages", encode_story(&story), err);
}

/* ---- captures ---- */

static const struct column count_columns[] = {
	{"PACKETS", .right = true}, {"BYTES", .right = true}, {"TO"}, {"RULE"}, {"DECIDED BY"}};
static const struct column change_columns[] = {
	{"PACKETS", .right = true}, {"WAS"}, {"RULE"}, {"IS"}, {"RULE"}, {"EXAMPLE"}};

static int print_counts(const struct sriov_trace_report *report, struct sriov_error *err)
{
	TABLE(table, count_columns);
	char end[64];

	for (size_t i = 0; i < report->ncounts; i++) {
		const struct sriov_trace_count *count = &report->count[i];

		sriov_trace_format(&count->trace, end, sizeof(end));
		table_cell(&table, "%" PRIu64, count->packets);
		table_cell(&table, "%" PRIu64, count->bytes);
		table_cell(&table, "%s", end);
		table_cell(&table, "%s", count->rule);
		table_cell(&table, "%s", sriov_stage_word(count->trace.stage));
	}
	return table_print(&table, 2, err);
}

static int print_changes(const struct question *q, const struct sriov_trace_report *report,
			 struct sriov_error *err)
{
	TABLE(table, change_columns);
	uint64_t packets = 0;
	char end[64];

	for (size_t i = 0; i < report->nchanges; i++) {
		const struct sriov_trace_change *change = &report->change[i];

		packets += change->packets;
		table_cell(&table, "%" PRIu64, change->packets);
		sriov_trace_format(&change->was, end, sizeof(end));
		table_cell(&table, "%s", end);
		table_cell(&table, "%s", change->was_rule);
		sriov_trace_format(&change->is, end, sizeof(end));
		table_cell(&table, "%s", end);
		table_cell(&table, "%s", change->is_rule);
		table_cell(&table, "%s", change->example);
	}
	printf("with %s: %" PRIu64 " packets end elsewhere\n", q->args->against, packets);
	if (report->unknown)
		printf("  of %" PRIu64 " it is not known where they end, with either\n",
		       report->unknown);
	return table_print(&table, 2, err);
}

static int print_report(const struct question *q, const struct sriov_trace_report *report,
			struct sriov_error *err)
{
	char port[96];
	int r;

	printf("%s: %" PRIu64 " packets, %" PRIu64 " bytes, from the %s into %s\n", q->args->pcap,
	       report->packets, report->bytes, q->from.kind == SRIOV_FROM_WIRE ? "wire" : q->place,
	       port_text(q, port));
	r = print_counts(report, err);
	if (report->cut)
		printf("  %" PRIu64 " not traced: captured too short (tcpdump -s)\n", report->cut);
	if (report->malformed)
		printf("  %" PRIu64 " not traced: their headers contradict themselves\n",
		       report->malformed);
	return r || !q->args->against ? r : print_changes(q, report, err);
}

static json_t *encode_counts(const struct sriov_trace_report *report)
{
	json_t *array = json_array();

	for (size_t i = 0; i < report->ncounts; i++) {
		const struct sriov_trace_count *count = &report->count[i];

		json_array_append_new(array,
				      json_pack("{sI sI so}", "packets", (json_int_t)count->packets,
						"bytes", (json_int_t)count->bytes, "end",
						encode_end(&count->trace, count->rule)));
	}
	return array;
}

static json_t *encode_changes(const struct sriov_trace_report *report)
{
	json_t *array = json_array();

	for (size_t i = 0; i < report->nchanges; i++) {
		const struct sriov_trace_change *change = &report->change[i];

		json_array_append_new(
			array, json_pack("{sI sI so so so}", "packets", (json_int_t)change->packets,
					 "bytes", (json_int_t)change->bytes, "was",
					 encode_end(&change->was, change->was_rule), "is",
					 encode_end(&change->is, change->is_rule), "example",
					 out_text(change->example)));
	}
	return array;
}

static int add_report(const struct question *q, const struct sriov_trace_report *report,
		      struct out *out, struct sriov_error *err)
{
	int r = out_add(out, "packets", json_integer(report->packets), err);

	if (!r)
		r = out_add(out, "bytes", json_integer(report->bytes), err);
	if (!r)
		r = out_add(out, "cut", json_integer(report->cut), err);
	if (!r)
		r = out_add(out, "malformed", json_integer(report->malformed), err);
	if (!r)
		r = out_add(out, "counts", encode_counts(report), err);
	if (!r && q->args->against)
		r = out_add(out, "unknown", json_integer(report->unknown), err);
	return r || !q->args->against ? r : out_add(out, "changes", encode_changes(report), err);
}

static int trace_capture(const struct question *q, struct sriov_host *host,
			 const struct sriov_tracer *tracer, struct out *out,
			 struct sriov_error *err)
{
	_cleanup_(tracer_freep)
	struct sriov_tracer *against = NULL;
	_cleanup_(capture_freep)
	struct sriov_capture *capture = NULL;
	_cleanup_(sriov_trace_report_clear)
	struct sriov_trace_report report = {0};
	int r = 0;

	if (q->args->against)
		r = make_tracer(q, host, q->args->against, &against, err);
	if (!r)
		r = sriov_capture_open(q->args->pcap, &capture, err);
	if (!r)
		r = sriov_trace_capture(capture, tracer, against, q->from, &report, err);
	if (!r)
		r = out->doc ? add_report(q, &report, out, err) : print_report(q, &report, err);
	/* what is not known is no all-clear */
	return !r && (report.nchanges || report.unknown) ? SRIOV_DIFFERENCE : r;
}

int cmd_flow_trace(const struct args *args, struct sriov_host *host, struct out *out,
		   struct sriov_error *err)
{
	_cleanup_(question_clear)
	struct question q = {0};
	_cleanup_(tracer_freep)
	struct sriov_tracer *tracer = NULL;
	int r = read_question(args, host, &q, err);

	if (!r)
		r = make_tracer(&q, host, args->rules, &tracer, err);
	if (r < 0)
		return r;
	return args->pcap ? trace_capture(&q, host, tracer, out, err)
			  : trace_one(&q, tracer, out, err);
}
