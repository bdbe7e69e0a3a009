/* SPDX-License-Identifier: Apache-2.0 */
/* sriovctl flow probe: questions to the NIC itself, and the answers recorded so far. */
#include "cmd/sriovctl/args.h"
#include "cmd/sriovctl/out.h"

#include <sriov/probe.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

static json_t *encode(const struct sriov_evidence *rows, size_t n)
{
	json_t *array = json_array();

	for (const struct sriov_evidence *row = rows; row < rows + n; row++) {
		char device[16];

		snprintf(device, sizeof(device), "%04x:%04x", row->vendor, row->device);
		json_array_append_new(
			array,
			json_pack("{ss ss ss ss ss so ss so so ss so so ss ss}", "pf", row->pf,
				  "question", row->question, "text",
				  sriov_probe_question(row->question), "answer", row->answer,
				  "means", sriov_probe_meaning(row->question, row->answer),
				  "counts", out_text(row->counts), "nature", row->nature,
				  "nature_why", out_text(row->nature_why), "kernel",
				  out_text(row->kernel), "driver", row->driver, "driver_version",
				  out_text(row->driver_version), "firmware",
				  out_text(row->firmware), "device", device, "taken", row->taken));
	}
	return array;
}

/* What an answer was taken on: the same for all answers of one probe. */
static void print_source(const struct sriov_evidence *row)
{
	printf("  %s: %s\n  %s, %s %s, kernel %s, device %04x:%04x%s%s\n", row->nature,
	       row->nature_why, row->taken, row->driver, row->driver_version, row->kernel,
	       row->vendor, row->device, *row->firmware ? ", firmware " : "", row->firmware);
}

static bool same_source(const struct sriov_evidence *a, const struct sriov_evidence *b)
{
	return !strcmp(a->pf, b->pf) && !strcmp(a->taken, b->taken) &&
	       !strcmp(a->kernel, b->kernel);
}

static void print(const struct sriov_evidence *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct sriov_evidence *row = &rows[i];
		const char *means = sriov_probe_meaning(row->question, row->answer);

		if (!i || strcmp(row->pf, rows[i - 1].pf))
			printf("%s: answers of the NIC\n", row->pf);
		printf("  %s: %s %s%s%s\n", row->question, sriov_probe_question(row->question),
		       row->answer, *means ? ": " : "", means);
		if (*row->counts)
			printf("      %s\n", row->counts);
		if (i + 1 == n || !same_source(row, &rows[i + 1]))
			print_source(row);
	}
}

static int tell(struct out *out, const struct sriov_evidence *rows, size_t n,
		struct sriov_error *err)
{
	if (out->doc)
		return out_add(out, "evidence", encode(rows, n), err);
	print(rows, n);
	return 0;
}

static int show(const struct args *args, struct sriov_host *host, struct out *out,
		struct sriov_error *err)
{
	_free_ struct sriov_evidence *rows = NULL;
	size_t n = 0;
	int r = sriov_evidence_list(host, args->pos[0], &rows, &n, err);

	if (r < 0)
		return r;
	if (!n && !out->doc)
		puts("no NIC was probed so far");
	return tell(out, rows, n, err);
}

int cmd_flow_probe(const struct args *args, struct sriov_host *host, struct out *out,
		   struct sriov_error *err)
{
	const struct sriov_probe want = {.wire = args->wire,
					 .vf = args_given(args, "vf") ? (int)args->vf : -1,
					 .consent = args->consent};
	_free_ struct sriov_evidence *rows = NULL;
	bool dry_run = args->run.dry_run || !args->consent;
	struct sriov_plan *plan = NULL;
	size_t n = 0;
	int r;

	if (args->show)
		return show(args, host, out, err);
	if (!args->npos) {
		sriov_error_set(err, -EINVAL, "flow probe", "PF is missing");
		return sriov_error_hint(err, "give a PF to probe, or --show what is recorded");
	}
	r = sriov_flow_probe(host, args->pos[0], &want, &args->run, &plan, &rows, &n, err);
	r = out_plans(out, plan, dry_run, r, err);
	return r < 0 || dry_run ? r : tell(out, rows, n, err);
}
