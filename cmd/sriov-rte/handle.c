/* SPDX-License-Identifier: Apache-2.0 */
/* Requests, one function for each, and what is brought back at the start. */
#include "cmd/sriov-rte/owner.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int find_port(struct owner *owner, const char *name, struct port **out,
		     struct sriov_error *err)
{
	char names[PORTS_MAX * 48] = "";

	for (size_t i = 0; i < owner->nports; i++) {
		size_t used = strlen(names);

		snprintf(names + used, sizeof(names) - used, "%s%s", i ? ", " : "",
			 owner->port[i].device->name);
		if (name[0] ? strcmp(owner->port[i].device->name, name) : owner->nports > 1)
			continue;
		*out = &owner->port[i];
		return 0;
	}
	sriov_error_set(err, -ENODEV, name[0] ? name : "sriov-rte",
			name[0] ? "this owner has no such port"
				: "this owner has %zu ports: say which",
			owner->nports);
	return sriov_error_hint(
		err, "it has %s: --pf names one; `sriovctl flow list --backend rte` shows them",
		names);
}

/* As the steps of a plan for a port of the kernel. */
static void write_step(struct core_doc *doc, const struct sriov_rte_step *step, const char *state)
{
	const struct sriov_rte_row *row = step->row;
	unsigned rules = sriov_filter_rules(row->filter, row->entry.type);
	char words[512] = "", what[1024], object[SRIOV_NAME_LEN + 32], several[32] = "";

	sriov_entry_format(&row->entry, words, sizeof(words));
	if (rules > 1)
		snprintf(several, sizeof(several), ", %u rte_flow rules", rules);
	snprintf(what, sizeof(what), "%s rule%s%s (%s%s): %s", step->created ? "install" : "delete",
		 row->rule[0] ? " " : "", row->rule, sriov_filter_word(row->filter), several,
		 words);
	if (row->rule[0])
		snprintf(object, sizeof(object), "rule %s", row->rule);
	else
		snprintf(object, sizeof(object), "entry number %u", row->entry.loc);
	core_doc_open(doc, NULL, '{');
	core_doc_text(doc, "object", object);
	core_doc_text(doc, "what", what);
	core_doc_text(doc, "disrupts", "");
	core_doc_text(doc, "state", state);
	core_doc_close(doc, '}');
}

static void write_told(struct core_doc *doc, const struct port *port,
		       const struct sriov_rte_count *count, const char *state)
{
	const struct sriov_rte_told *told = sriov_rte_told(port->rte);
	size_t n = 0;

	core_doc_text(doc, "port", port->device->name);
	core_doc_text(doc, "driver", sriov_rte_port(port->rte)->driver);
	core_doc_int(doc, "created", count->created);
	core_doc_int(doc, "destroyed", count->destroyed);
	core_doc_int(doc, "kept", count->kept);
	core_doc_open(doc, "steps", '[');
	/* a message has an end: no table of today comes near it */
	for (; n < told->nsteps && doc->used < SRIOV_RTE_MESSAGE_MAX / 2; n++)
		write_step(doc, &told->step[n], state);
	core_doc_close(doc, ']');
	core_doc_int(doc, "steps_left_out", told->nsteps - n);
	core_doc_open(doc, "notes", '[');
	for (size_t i = 0; i < told->nnotes; i++) {
		size_t used = doc->used;

		core_doc_text(doc, NULL, told->note[i]);
		/* a name that was cut off in a sentence need not be UTF-8: no reason to tell nothing */
		if (doc->failed)
			*doc = (struct core_doc){doc->text, used, doc->room, false};
	}
	core_doc_close(doc, ']');
}

static struct sriov_compile options_of(const struct sriov_rte_request *request)
{
	return (struct sriov_compile){.allow = request->allow, .partial = request->partial};
}

/* The key of a request in the database: what stands of a port is a list and an isolation. */
static void record_key(const struct port *port, const char *what, char buf[96])
{
	snprintf(buf, 96, "%s%s", port->device->name, what);
}
#define ISOLATION " isolation"

/*
 * Kept in the database and in *@slot, with the port's name, so that it is found again beside others. What fails leaves
 * both as they are.
 */
static int record(struct owner *owner, const struct port *port, const char *what,
		  const struct sriov_rte_request *request, char **slot, struct sriov_error *err)
{
	struct sriov_rte_request named = *request;
	_free_ char *line = NULL;
	char key[96];
	int r;

	core_copy(named.port, sizeof(named.port), port->device->name);
	named.force = false; /* it was about the list before */
	record_key(port, what, key);
	r = sriov_rte_request_format(&named, &line, err);
	if (!r)
		r = sriov_rte_record(owner->host, key, line, err);
	if (r < 0)
		return r;
	free(*slot);
	*slot = core_steal(line);
	return 0;
}

/* What stood before, after a list could be applied and not be recorded. */
static void apply_again(struct port *port, const char *line)
{
	_cleanup_(sriov_rte_request_clear)
	struct sriov_rte_request before = {0};
	struct sriov_error err = {0};

	if (line && sriov_rte_request_parse(line, strlen(line), &before, NULL) < 0)
		return;
	if (sriov_rte_apply(
		    port->rte, &before.rules,
		    &(struct sriov_compile){.allow = before.allow, .partial = before.partial}, NULL,
		    &err) < 0)
		snprintf(port->degraded, sizeof(port->degraded), "%s: %s", err.object, err.message);
}

/* As `flow apply` on ports of the kernel: an empty file is more often a mistake than meant. */
static int refuse_empty(struct owner *owner, const struct sriov_rte_request *request,
			const struct port *port, struct sriov_error *err)
{
	_cleanup_(sriov_rte_request_clear)
	struct sriov_rte_request before = {0};
	_free_ char *line = NULL;
	char key[96];
	size_t n;

	if (request->rules.n || request->force)
		return 0;
	/* what is recorded would go too where it could not be brought back */
	record_key(port, "", key);
	if (sriov_rte_recorded(owner->host, key, &line, NULL) < 0 ||
	    sriov_rte_request_parse(line, strlen(line), &before, NULL) < 0)
		sriov_rte_rows(port->rte, &n);
	else
		n = before.rules.n;
	if (!n)
		return 0;
	sriov_error_set(err, -EINVAL, port->device->name,
			"the list has no rules, and %zu rule%s of ours would go", n,
			n == 1 ? "" : "s");
	sriov_error_hint(err, "if that is meant: --force");
	return sriov_error_status(err, SRIOV_REFUSED);
}

/* What would be changed, and whether the port and its driver would have it. */
static int try(struct owner *owner, const struct sriov_rte_request *request, struct port *port,
	       struct sriov_rte_count *count, struct sriov_error *err)
{
	const struct sriov_compile opts = options_of(request);
	int r = sriov_rte_validate(port->rte, &request->rules, &opts, count, err);

	if (r < 0 || !count->created || !port->unable.code)
		return r;
	if (err)
		*err = port->unable;
	return port->unable.code;
}

static int validate(struct owner *owner, const struct sriov_rte_request *request,
		    struct core_doc *doc, struct sriov_error *err)
{
	struct sriov_rte_count count;
	struct port *port;
	int r = find_port(owner, request->port, &port, err);

	if (!r)
		r = refuse_empty(owner, request, port, err);
	if (!r)
		r = try(owner, request, port, &count, err);
	if (!r)
		write_told(doc, port, &count, "planned");
	return r;
}

static int apply(struct owner *owner, const struct sriov_rte_request *request, struct core_doc *doc,
		 struct sriov_error *err)
{
	const struct sriov_compile opts = options_of(request);
	struct sriov_rte_count count;
	struct port *port;
	int r = find_port(owner, request->port, &port, err);

	if (!r)
		r = refuse_empty(owner, request, port, err);
	/* nothing is begun that is known to fail */
	if (!r && port->unable.code)
		r = try(owner, request, port, &count, err);
	if (!r)
		r = sriov_rte_apply(port->rte, &request->rules, &opts, &count, err);
	if (r < 0)
		return r;
	r = record(owner, port, "", request, &port->list, err);
	if (r < 0) {
		apply_again(port, port->list);
		return r;
	}
	port->degraded[0] = '\0';
	write_told(doc, port, &count, "done");
	return 0;
}

static int isolate(struct owner *owner, const struct sriov_rte_request *request,
		   struct core_doc *doc, struct sriov_error *err)
{
	struct port *port;
	int r = find_port(owner, request->port, &port, err);

	if (!r)
		r = sriov_rte_isolate(port->rte, request->on, err);
	if (r < 0)
		return r;
	r = record(owner, port, ISOLATION, request, &port->isolation, err);
	if (r < 0) {
		sriov_rte_isolate(port->rte, port->isolated, NULL);
		return r;
	}
	port->isolated = request->on;
	core_doc_text(doc, "port", port->device->name);
	core_doc_bool(doc, "isolated", port->isolated);
	return 0;
}

/* ---- query ---- */

static void write_rules(struct core_doc *doc, const struct port *port)
{
	size_t n;
	const struct sriov_rte_row *row = sriov_rte_rows(port->rte, &n);

	core_doc_open(doc, "rules", '[');
	for (size_t i = 0; i < n; i++) {
		char words[512] = "";

		sriov_entry_format(&row[i].entry, words, sizeof(words));
		core_doc_open(doc, NULL, '{');
		core_doc_text(doc, "rule", row[i].rule);
		core_doc_text(doc, "entry", words);
		core_doc_text(doc, "filter", sriov_filter_word(row[i].filter));
		core_doc_int(doc, "number", row[i].entry.loc);
		core_doc_close(doc, '}');
	}
	core_doc_close(doc, ']');
}

static void write_port(struct core_doc *doc, const struct owner *owner, const struct port *port)
{
	uint64_t received, missed;

	dpdk_counters(port, &received, &missed);
	core_doc_open(doc, NULL, '{');
	core_doc_text(doc, "port", port->device->name);
	core_doc_text(doc, "driver", sriov_rte_port(port->rte)->driver);
	core_doc_int(doc, "queues", port->queues);
	core_doc_bool(doc, "isolated", port->isolated);
	if (port->degraded[0] || port->unable.code)
		core_doc_text(doc, "degraded",
			      port->degraded[0] ? port->degraded : port->unable.message);
	write_rules(doc, port);
	core_doc_int(doc, "received", received);
	core_doc_int(doc, "missed", missed);
	/* without --sink nobody takes packets from the queues, and 0 would be a lie */
	if (owner->sink) {
		core_doc_open(doc, "taken", '[');
		for (unsigned q = 0; q < port->queues; q++)
			core_doc_int(doc, NULL, port->sunk[q]);
		core_doc_close(doc, ']');
	}
	core_doc_close(doc, '}');
}

static int query(struct owner *owner, const struct sriov_rte_request *request, struct core_doc *doc,
		 struct sriov_error *err)
{
	struct port *one = NULL;
	int r = request->port[0] ? find_port(owner, request->port, &one, err) : 0;

	if (r < 0)
		return r;
	core_doc_open(doc, "ports", '[');
	for (size_t i = 0; i < owner->nports; i++)
		if (!one || one == &owner->port[i])
			write_port(doc, owner, &owner->port[i]);
	core_doc_close(doc, ']');
	core_doc_bool(doc, "sink", owner->sink);
	core_doc_int(doc, "pid", getpid());
	core_doc_int(doc, "ready_ms", owner->ready_ms - owner->started_ms);
	return 0;
}

/* ---- requests ---- */

static int (*const handlers[SRIOV_RTE_DOS])(struct owner *owner,
					    const struct sriov_rte_request *request,
					    struct core_doc *doc, struct sriov_error *err) = {
	[SRIOV_RTE_QUERY] = query,
	[SRIOV_RTE_VALIDATE] = validate,
	[SRIOV_RTE_APPLY] = apply,
	[SRIOV_RTE_ISOLATE] = isolate,
};

static int answer(struct owner *owner, const char *line, size_t size, struct core_doc *doc,
		  struct sriov_error *err)
{
	_cleanup_(sriov_rte_request_clear)
	struct sriov_rte_request request = {0};
	int r = sriov_rte_request_parse(line, size, &request, err);

	core_doc_open(doc, NULL, '{');
	if (!r)
		r = handlers[request.what](owner, &request, doc, err);
	core_doc_close(doc, '}');
	return r;
}

char *handle_request(struct owner *owner, const char *line, size_t size)
{
	static const struct sriov_error unsaid = {
		.code = -EILSEQ,
		.status = SRIOV_FAILED,
		.object = "request",
		.message = "what is to be said of it is no UTF-8"};
	static const struct sriov_error too_long = {
		.code = -EMSGSIZE,
		.status = SRIOV_FAILED,
		.object = "request",
		.message = "the answer would be longer than 16 MiB",
		.hint = "ask for one port: --pf"};
	_free_ char *copy = strndup(line, size);
	struct sriov_error err = {0};
	struct core_doc doc = {0};
	_free_ char *result = NULL;
	char *out = NULL;
	int r = copy ? answer(owner, copy, size, &doc, &err) : core_oom(&err);

	result = core_doc_take(&doc);
	if (sriov_rte_answer_format(result, r < 0 ? &err : NULL, &out) < 0)
		sriov_rte_answer_format(NULL, &unsaid, &out);
	if (out && strlen(out) > SRIOV_RTE_MESSAGE_MAX) {
		free(core_steal(out));
		sriov_rte_answer_format(NULL, &too_long, &out);
	}
	return out;
}

/* ---- at the start ---- */

static void bring_back(struct owner *owner, struct port *port, const char *what)
{
	_free_ char *line = NULL, *reply = NULL;
	struct sriov_error err = {0};
	_json_ json_t *doc = NULL;
	char key[96];
	int r;

	record_key(port, what, key);
	r = sriov_rte_recorded(owner->host, key, &line, &err);
	if (r == -ENOENT)
		return;
	if (r < 0) {
		snprintf(port->degraded, sizeof(port->degraded), "%s: %s", err.object, err.message);
		return;
	}
	reply = handle_request(owner, line, strlen(line));
	doc = reply ? json_loads(reply, 0, NULL) : NULL;
	if (json_is_true(json_object_get(doc, "ok")))
		return;
	doc = doc ?: json_object();
	snprintf(port->degraded, sizeof(port->degraded), "what is recorded is not back: %s: %s",
		 core_json_text(json_object_get(doc, "error"), "object", "sriov-rte", NULL),
		 core_json_text(json_object_get(doc, "error"), "message", "no memory", NULL));
}

/*
 * net_tap starts without what the kernel needs for its rules, says so only in its log, and validates rules all the
 * same. So one is made that no packet meets: of a type for local experiments (IEEE 802).
 */
static void try_tap(struct port *port)
{
	_cleanup_(sriov_rules_clear)
	struct sriov_rules rules = {0}, none = {0};
	struct sriov_error why = {0};
	int r;

	if (strcmp(sriov_rte_port(port->rte)->driver, "net_tap") != 0 ||
	    sriov_rules_parse("ether proto 0x88b5 drop", NULL, &rules, NULL) < 0)
		return;
	r = sriov_rte_apply(port->rte, &rules, NULL, NULL, &why);
	if (!r)
		r = sriov_rte_apply(port->rte, &none, NULL, NULL, &why);
	if (!r)
		return;
	sriov_error_set(
		&port->unable, r, port->device->name,
		"it takes no rules: the kernel did not take one that was tried at the start");
	sriov_error_kernel(&port->unable, "%s", why.kernel);
	sriov_error_hint(&port->unable,
			 "modprobe -a cls_flower act_gact act_skbedit sch_multiq sch_ingress, then "
			 "start sriov-rte again");
}

void handle_recorded(struct owner *owner)
{
	for (size_t i = 0; i < owner->nports; i++)
		try_tap(&owner->port[i]);
	for (size_t i = 0; i < owner->nports; i++) {
		bring_back(owner, &owner->port[i], ISOLATION);
		bring_back(owner, &owner->port[i], "");
	}
}
