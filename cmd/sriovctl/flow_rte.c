/* SPDX-License-Identifier: Apache-2.0 */
/* sriovctl flow apply and list on ports that DPDK owns: what sriov-rte is asked, and its answers. */
#include "cmd/sriovctl/args.h"
#include "cmd/sriovctl/out.h"

#include <errno.h>
#include <sriov/rte.h>
#include <stdio.h>
#include <string.h>

/* What there is only with the kernel's drivers. */
static int check_options(const struct args *args, struct sriov_error *err)
{
	static const char *const others[] = {"adopt",       "owner",        "expect",
					     "disrupt-pf",  "link-timeout", "kernel-timeout",
					     "lock-timeout"};

	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		char object[32];

		if (!args_given(args, others[i]))
			continue;
		snprintf(object, sizeof(object), "--%s", others[i]);
		sriov_error_set(err, -EINVAL, object,
				"it is about ports of the kernel, not of DPDK");
		return sriov_error_hint(err, "leave it out, or leave --backend rte out");
	}
	return 0;
}

static int ask(const struct args *args, struct sriov_rte_request *request, json_t **out,
	       struct sriov_error *err)
{
	_free_ char *result = NULL;
	const char *port = args->pf ?: "";
	int r;

	if (strlen(port) >= sizeof(request->port))
		return sriov_error_set(err, -EINVAL, port, "this is no port's name");
	core_copy(request->port, sizeof(request->port), port);
	r = sriov_rte_call(args->socket, request, &result, err);
	if (r < 0)
		return r;
	*out = json_loads(result, 0, NULL);
	return *out ? 0 : core_oom(err);
}

static long long number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static const char *text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key)) ?: "";
}

/* As plans for ports of the kernel are shown. */
static void print_steps(const json_t *answer)
{
	const json_t *steps = json_object_get(answer, "steps"), *step, *note;
	size_t i;

	if (json_array_size(steps))
		printf("plan for %s\n", text(answer, "port"));
	json_array_foreach(steps, i, step)
		printf("%4zu  %s\n", i + 1, text(step, "what"));
	if (number(answer, "steps_left_out"))
		printf("      and %lld more\n", number(answer, "steps_left_out"));
	json_array_foreach(json_object_get(answer, "notes"), i, note)
		printf("  note: %s\n", json_string_value(note));
}

int flow_apply_rte(const struct args *args, struct out *out, struct sriov_error *err)
{
	_cleanup_(sriov_rte_request_clear)
	struct sriov_rte_request request = {.what = args->run.dry_run ? SRIOV_RTE_VALIDATE
								      : SRIOV_RTE_APPLY,
					    .allow = args->run.allow,
					    .partial = args->run.partial,
					    .force = args->run.force};
	_json_ json_t *answer = NULL;
	int r = check_options(args, err);

	if (!r)
		r = sriov_rules_read(args->pos[0], &request.rules, err);
	if (!r)
		r = out_notes(out, &request.rules.notes, err);
	if (!r)
		r = ask(args, &request, &answer, err);
	if (r < 0)
		return r;
	if (out->doc) {
		r = out_add(out, "dry_run", json_boolean(args->run.dry_run), err);
		return r ? r : out_add(out, "rte", core_steal(answer), err);
	}
	print_steps(answer);
	printf("%s (%s): %lld rte_flow rules %screated, %lld destroyed, %lld kept\n",
	       text(answer, "port"), text(answer, "driver"), number(answer, "created"),
	       args->run.dry_run ? "would be " : "", number(answer, "destroyed"),
	       number(answer, "kept"));
	return 0;
}

static const struct column columns[] = {{"RULE"}, {"FILTER"}, {"ENTRY"}};

static int print_port(const json_t *port, struct sriov_error *err)
{
	TABLE(table, columns);
	const json_t *rules = json_object_get(port, "rules"),
		     *taken = json_object_get(port, "taken");
	const json_t *row;
	size_t i;
	int r;

	printf("%s (%s), %lld queue%s%s: %zu entr%s\n", text(port, "port"), text(port, "driver"),
	       number(port, "queues"), number(port, "queues") == 1 ? "" : "s",
	       json_is_true(json_object_get(port, "isolated")) ? ", isolated" : "",
	       json_array_size(rules), json_array_size(rules) == 1 ? "y" : "ies");
	if (json_object_get(port, "degraded"))
		printf("  %s\n", text(port, "degraded"));
	json_array_foreach(rules, i, row) {
		table_cell(&table, "%s", text(row, "rule"));
		table_cell(&table, "%s", text(row, "filter"));
		table_cell(&table, "%s", text(row, "entry"));
	}
	r = table_print(&table, 2, err);
	printf("  hits of a rule: not available; of the port: received %lld, missed %lld\n",
	       number(port, "received"), number(port, "missed"));
	json_array_foreach(taken, i, row)
		printf("%s%lld%s",
		       i ? ", " : "  taken from its queues: ", (long long)json_integer_value(row),
		       i + 1 == json_array_size(taken) ? "\n" : "");
	return r;
}

int flow_list_rte(const struct args *args, struct out *out, struct sriov_error *err)
{
	struct sriov_rte_request request = {.what = SRIOV_RTE_QUERY};
	struct args one = *args;
	_json_ json_t *answer = NULL;
	const json_t *ports, *port;
	size_t i;
	int r;

	one.pf = args->pos[0];
	r = ask(&one, &request, &answer, err);
	if (r < 0)
		return r;
	if (out->doc)
		return out_add(out, "rte", core_steal(answer), err);
	ports = json_object_get(answer, "ports");
	json_array_foreach(ports, i, port) {
		r = print_port(port, err);
		if (r < 0)
			return r;
	}
	return 0;
}
