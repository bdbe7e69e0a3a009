/* SPDX-License-Identifier: Apache-2.0 */
/* Plans as shown: their steps, and what became of them. */
#include "cmd/sriovctl/out.h"

#include <stdio.h>

static const char *const status_words[] = {
	[SRIOV_DONE] = "done",
	[SRIOV_FAILED] = "failed",
	[SRIOV_DIFFERENCE] = "differs",
	[SRIOV_REFUSED] = "refused",
	[SRIOV_ROLLED_BACK] = "rolled-back",
	[SRIOV_INCOMPLETE] = "incomplete",
	[SRIOV_STUCK] = "stuck",
};

static const char *const state_words[] = {
	[SRIOV_STEP_PLANNED] = "planned",
	[SRIOV_STEP_DONE] = "done",
	[SRIOV_STEP_FAILED] = "failed",
	[SRIOV_STEP_UNDONE] = "undone",
};

static const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

/* The number of the step that failed, 0 if none did. */
static size_t failed_step(const struct sriov_plan *plan)
{
	for (size_t i = 0; i < plan->nsteps; i++)
		if (plan->step[i].state == SRIOV_STEP_FAILED)
			return i + 1;
	return 0;
}

static void print_outcome(const struct sriov_plan *plan, bool dry_run)
{
	size_t failed = failed_step(plan);
	char at[32] = "";

	if (failed)
		snprintf(at, sizeof(at), " at step %zu", failed);
	switch (plan->status) {
	case SRIOV_DONE:
		if (!plan->nsteps)
			printf("nothing to do\n");
		else if (dry_run)
			printf("dry run: nothing was changed\n");
		else
			printf("done: %zu step%s\n", plan->nsteps, plural(plan->nsteps));
		return;
	case SRIOV_DIFFERENCE:
		printf("%zu step%s to be done\n", plan->nsteps, plural(plan->nsteps));
		return;
	case SRIOV_REFUSED:
		printf("refused: nothing was changed\n");
		return;
	case SRIOV_FAILED:
		printf("failed%s: nothing was changed\n", at);
		return;
	case SRIOV_ROLLED_BACK:
		printf("failed%s and rolled back\n", at);
		return;
	case SRIOV_INCOMPLETE:
	case SRIOV_STUCK:
		/* what to do about it depends: that is the error's to say */
		printf("%s%s",
		       plan->status == SRIOV_STUCK ? "stuck in the kernel" : "left incomplete", at);
		if (plan->journal)
			printf(": journal %ld", plan->journal);
		putchar('\n');
		return;
	}
}

static void print_plan(const struct sriov_plan *plan, bool dry_run)
{
	if (plan->nsteps)
		printf("plan for %s (digest %s)\n", plan->pf, plan->digest);
	for (size_t i = 0; i < plan->nsteps; i++) {
		const struct sriov_step_text *step = &plan->step[i];
		/* how far it came is worth saying only if that was not to the end */
		bool tell = plan->status != SRIOV_DONE && step->state != SRIOV_STEP_PLANNED;

		printf("%4zu  %s%s%s%s\n", i + 1, step->what, tell ? "  [" : "",
		       tell ? state_words[step->state] : "", tell ? "]" : "");
		if (*step->disrupts)
			printf("      ! %s\n", step->disrupts);
	}
	for (size_t i = 0; i < plan->nnotes; i++)
		printf("  note: %s\n", plan->note[i]);
	/* findings are notes */
	if (plan->status == SRIOV_DIFFERENCE && !plan->nsteps)
		return;
	if (!plan->nsteps)
		printf("%s: ", plan->pf);
	if (plan->nsteps || plan->status == SRIOV_DONE || plan->journal)
		print_outcome(plan, dry_run);
	else
		printf("no plan\n");
}

json_t *out_plan(const struct sriov_plan *plan)
{
	json_t *steps = json_array(), *notes = json_array();

	for (size_t i = 0; i < plan->nsteps; i++)
		json_array_append_new(steps, json_pack("{so so so ss}", "object",
						       out_text(plan->step[i].object), "what",
						       out_text(plan->step[i].what), "disrupts",
						       out_text(plan->step[i].disrupts), "state",
						       state_words[plan->step[i].state]));
	for (size_t i = 0; i < plan->nnotes; i++)
		json_array_append_new(notes, out_text(plan->note[i]));
	return json_pack("{ss ss so so so ss}", "pf", plan->pf, "digest", plan->digest, "steps",
			 steps, "notes", notes, "journal",
			 plan->journal ? json_integer(plan->journal) : json_null(), "status",
			 status_words[plan->status]);
}

int out_plans(struct out *out, struct sriov_plan *plans, bool dry_run, int r,
	      struct sriov_error *err)
{
	json_t *array = out->doc ? json_array() : NULL;
	int added;

	/* of one plan, the error says how it ended */
	if (r < 0 && err && plans && !plans->next && plans->status == SRIOV_DONE)
		plans->status = err->status;
	for (const struct sriov_plan *plan = plans; plan; plan = plan->next) {
		/* it ended before there was anything to plan: the error tells it all */
		if (plan->status != SRIOV_DONE && !plan->nsteps && !plan->nnotes)
			continue;
		if (out->doc)
			json_array_append_new(array, out_plan(plan));
		else
			print_plan(plan, dry_run);
	}
	if (!out->doc && !plans && !r)
		printf("nothing to do\n");
	sriov_plan_free(plans);
	if (!out->doc)
		return r;
	/* an error that is there already is the one to tell */
	added = out_add(out, "dry_run", json_boolean(dry_run), r ? NULL : err);
	if (added < 0)
		json_decref(array);
	else
		added = out_add(out, "plans", array, r ? NULL : err);
	return r ? r : added;
}
