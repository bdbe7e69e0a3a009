/* SPDX-License-Identifier: Apache-2.0 */
/* sriovctl guest: tune, check. */
#include "cmd/sriovctl/args.h"
#include "cmd/sriovctl/out.h"

#include <sriov/tune.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct sriov_tune_request request_of(const struct args *args)
{
	return (struct sriov_tune_request){
		.guest = args->pos[0],
		.node = args->node,
		.exclude = args->exclude,
		.numatune = args->numatune,
		.config = args->guest.config,
		.live = args->guest.live,
		.lock_timeout = args->run.lock_timeout,
		.command = args->run.command,
	};
}

static void tune_freep(struct sriov_tune **tune)
{
	sriov_tune_free(*tune);
}

static void findings_freep(struct sriov_findings **findings)
{
	sriov_findings_free(*findings);
}

/* ---- tune ---- */

static json_t *encode_item(const struct sriov_tune_item *item)
{
	return json_pack("{ss so so* so so sb sb}", "item", item->what, "now", out_text(item->now),
			 "config", item->config ? out_text(item->config) : NULL, "then",
			 out_text(item->then), "why", out_text(item->why), "differs", item->differs,
			 "next_start", item->next_start);
}

static int encode_tune(const struct sriov_tune *tune, struct out *out, struct sriov_error *err)
{
	json_t *items = json_array(), *notes = json_array();
	int r;

	for (size_t i = 0; i < tune->nitems; i++)
		json_array_append_new(items, encode_item(&tune->item[i]));
	for (size_t i = 0; i < tune->nnotes; i++)
		json_array_append_new(notes, out_text(tune->note[i]));
	r = out_add(out, "items", items, err);
	if (!r)
		r = out_add(out, "notes", notes, err);
	if (!r)
		r = out_add(out, "guest", out_text(tune->guest), err);
	if (!r)
		r = out_add(out, "uuid", out_text(tune->uuid), err);
	if (!r)
		r = out_add(out, "running", json_boolean(tune->running), err);
	if (!r)
		r = out_add(out, "node", json_integer(tune->node), err);
	if (!r)
		r = out_add(out, "reason", out_text(tune->reason), err);
	if (!r)
		r = out_add(out, "differs", json_boolean(tune->differs), err);
	return r ? r : out_add(out, "applied", json_boolean(tune->applied), err);
}

static const struct column tune_columns[] = {
	{"ITEM"}, {"NOW"}, {"DEFINED", .optional = true}, {"THEN"}, {"WHY"},
};

static int print_tune(const struct sriov_tune *tune, struct sriov_error *err)
{
	TABLE(table, tune_columns);
	bool apart = false; /* the definition says otherwise than the running guest */
	size_t differ = 0;
	int r;

	for (size_t i = 0; i < tune->nitems; i++)
		apart |= tune->item[i].config &&
			 strcmp(tune->item[i].config, tune->item[i].now) != 0;
	printf("%s (%s), %s\n", tune->guest, tune->running ? "running" : "defined", tune->reason);
	for (size_t i = 0; i < tune->nitems; i++) {
		const struct sriov_tune_item *item = &tune->item[i];

		table_cell(&table, "%s", item->what);
		table_cell(&table, "%s", item->now);
		table_cell(&table, "%s", !apart ? "" : *item->config ? item->config : "nothing");
		table_cell(&table, "%s", item->then);
		table_cell(&table, "%s%s", item->why,
			   item->next_start ? " (at its next start)" : "");
		differ += item->differs;
	}
	r = table_print(&table, 2, err);
	for (size_t i = 0; i < tune->nnotes; i++)
		printf("note: %s\n", tune->note[i]);
	if (tune->applied)
		printf("%zu item%s changed\n", differ, differ == 1 ? "" : "s");
	else if (!tune->differs)
		puts("nothing to do");
	else
		printf("%zu item%s differ%s: --apply changes %s\n", differ, differ == 1 ? "" : "s",
		       differ == 1 ? "s" : "", differ == 1 ? "it" : "them");
	return r;
}

int cmd_guest_tune(const struct args *args, struct sriov_host *host, struct out *out,
		   struct sriov_error *err)
{
	_cleanup_(tune_freep)
	struct sriov_tune *tune = NULL;
	struct sriov_tune_request request = request_of(args);
	int r;

	if (args->plan == args->apply) {
		sriov_error_set(err, -EINVAL, "guest tune",
				args->plan ? "--plan and --apply are both given"
					   : "neither --plan nor --apply is given");
		return sriov_error_hint(err, "--plan shows what --apply does");
	}
	r = sriov_guest_tune(host, &request, args->apply, &tune, err);
	if (r < 0)
		return r;
	r = out->doc ? encode_tune(tune, out, err) : print_tune(tune, err);
	return r ? r : args->plan && tune->differs ? SRIOV_DIFFERENCE : 0;
}

/* ---- check ---- */

static int encode_findings(const struct sriov_findings *findings, struct out *out,
			   struct sriov_error *err)
{
	json_t *array = json_array();
	int r;

	for (size_t i = 0; i < findings->n; i++) {
		const struct sriov_finding *finding = &findings->at[i];

		json_array_append_new(array,
				      json_pack("{ss ss so so so}", "severity",
						sriov_severity_word(finding->severity), "id",
						finding->id, "object", out_text(finding->object),
						"evidence", out_text(finding->evidence), "fix",
						out_text(finding->fix)));
	}
	r = out_add(out, "findings", array, err);
	if (!r)
		r = out_add(out, "guest", out_text(findings->guest), err);
	if (!r)
		r = out_add(out, "uuid", out_text(findings->uuid), err);
	return r ? r : out_add(out, "running", json_boolean(findings->running), err);
}

static void print_findings(const struct sriov_findings *findings)
{
	printf("%s (%s): %zu finding%s\n", findings->guest,
	       findings->running ? "running" : "not running: only its definition was looked at",
	       findings->n, findings->n == 1 ? "" : "s");
	for (size_t i = 0; i < findings->n; i++) {
		const struct sriov_finding *finding = &findings->at[i];

		printf("%s [%s] %s: %s\n  fix: %s\n", sriov_severity_word(finding->severity),
		       finding->id, finding->object, finding->evidence, finding->fix);
	}
}

int cmd_guest_check(const struct args *args, struct sriov_host *host, struct out *out,
		    struct sriov_error *err)
{
	_cleanup_(findings_freep)
	struct sriov_findings *findings = NULL;
	struct sriov_tune_request request = request_of(args);
	int r;

	if (!args->npos)
		return cmd_guest_check_leases(args, host, out, err);
	r = sriov_guest_check(host, &request, &findings, err);
	if (r < 0)
		return r;
	if (out->doc)
		r = encode_findings(findings, out, err);
	else
		print_findings(findings);
	return r ? r : findings->n ? SRIOV_DIFFERENCE : 0;
}
