/* SPDX-License-Identifier: Apache-2.0 */
/* sriovctl journal, history, restore and adopt: changes that are open or over, and intents without a change. */
#include "cmd/sriovctl/args.h"
#include "cmd/sriovctl/out.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>

static int id_of(const struct args *args, long *id, struct sriov_error *err)
{
	uint64_t number;

	if (core_number(args->pos[0], 1, LONG_MAX, &number) < 0) {
		sriov_error_set(err, -EINVAL, args->pos[0], "not the id of a journal");
		return sriov_error_hint(err, "`sriovctl journal show` lists them");
	}
	*id = number;
	return 0;
}

static const struct column journal_columns[] = {
	{"ID", .right = true},
	{"PF"},
	{"STATUS"},
	{"STEPS", .right = true},
	{"STARTED"},
	{"ENDED", .optional = true},
	{"COMMAND"},
	{"ERROR", .optional = true},
};

static int print_rows(const struct sriov_journal_row *rows, size_t n, bool closed,
		      struct sriov_error *err)
{
	TABLE(table, journal_columns);

	for (const struct sriov_journal_row *row = rows; row < rows + n; row++) {
		table_cell(&table, "%ld", row->id);
		table_cell(&table, "%s", row->pf);
		table_cell(&table, "%s", row->status);
		/* how far it came is known, roughly, only while it is open */
		if (row->open)
			table_cell(&table, "%u/%u", row->done, row->steps);
		else
			table_cell(&table, "%u", row->steps);
		table_cell(&table, "%s", row->started);
		table_cell(&table, "%s", row->ended);
		table_cell(&table, "%s", row->command);
		table_cell(&table, "%s", row->error);
	}
	if (!n)
		puts(closed ? "no changes so far" : "no change was left incomplete");
	if (table_print(&table, 0, err) < 0)
		return err->code;
	if (n && !closed)
		puts("\n`sriovctl journal resume ID` finishes a change, `undo ID` takes it back, "
		     "`abandon ID`\nleaves the host as it is. The next change of the PF recovers by "
		     "itself: it takes it\nback unless all of it is done.");
	return 0;
}

static json_t *encode_rows(const struct sriov_journal_row *rows, size_t n)
{
	json_t *array = json_array();

	for (const struct sriov_journal_row *row = rows; row < rows + n; row++)
		json_array_append_new(array,
				      json_pack("{sI ss so ss ss ss sb si si so}", "id",
						(json_int_t)row->id, "pf", row->pf, "command",
						out_text(row->command), "status", row->status,
						"started", row->started, "ended", row->ended,
						"open", row->open, "steps", (int)row->steps, "done",
						(int)row->done, "error", out_text(row->error)));
	return array;
}

static int list(bool closed, struct sriov_host *host, struct out *out, struct sriov_error *err)
{
	_free_ struct sriov_journal_row *rows = NULL;
	size_t n = 0;
	int r = sriov_journal_list(host, closed, &rows, &n, err);

	if (r < 0)
		return r;
	if (out->doc)
		return out_add(out, "journals", encode_rows(rows, n), err);
	return print_rows(rows, n, closed, err);
}

int cmd_journal_show(const struct args *args, struct sriov_host *host, struct out *out,
		     struct sriov_error *err)
{
	return list(false, host, out, err);
}

int cmd_history(const struct args *args, struct sriov_host *host, struct out *out,
		struct sriov_error *err)
{
	return list(true, host, out, err);
}

/* What resume and undo did: the steps, where there is a plan; else that it is over, and how. */
static int tell(struct out *out, long id, struct sriov_plan *plan, bool dry_run, int r,
		struct sriov_error *err)
{
	if (out->doc || r < 0 || !plan || plan->nsteps)
		return out_plans(out, plan, dry_run, r, err);
	printf("journal %ld: closed\n", id);
	for (size_t i = 0; i < plan->nnotes; i++)
		printf("  note: %s\n", plan->note[i]);
	sriov_plan_free(plan);
	return 0;
}

int cmd_journal_resume(const struct args *args, struct sriov_host *host, struct out *out,
		       struct sriov_error *err)
{
	struct sriov_plan *plan = NULL;
	long id;
	int r = id_of(args, &id, err);

	if (r < 0)
		return r;
	r = sriov_journal_resume(host, id, &args->run, &plan, err);
	return tell(out, id, plan, args->run.dry_run, r, err);
}

int cmd_journal_undo(const struct args *args, struct sriov_host *host, struct out *out,
		     struct sriov_error *err)
{
	struct sriov_plan *plan = NULL;
	long id;
	int r = id_of(args, &id, err);

	if (r < 0)
		return r;
	r = sriov_journal_undo(host, id, &args->run, &plan, err);
	return tell(out, id, plan, args->run.dry_run, r, err);
}

int cmd_journal_abandon(const struct args *args, struct sriov_host *host, struct out *out,
			struct sriov_error *err)
{
	long id;
	int r = id_of(args, &id, err);

	if (!r)
		r = sriov_journal_abandon(host, id, err);
	if (r < 0)
		return r;
	if (out->doc)
		return out_add(out, "abandoned", json_integer(id), err);
	printf("journal %ld: abandoned; the host was left as it is\n", id);
	return 0;
}

int cmd_restore(const struct args *args, struct sriov_host *host, struct out *out,
		struct sriov_error *err)
{
	struct sriov_plan *plan = NULL;
	int r = sriov_restore(host, args->pos[0], &args->run, &plan, err);

	return out_plans(out, plan, args->run.dry_run, r, err);
}

static int print_file(const char *pf, struct sriov_host *host, struct out *out,
		      struct sriov_error *err)
{
	_free_ char *text = NULL;
	int r = sriov_hostfile_print(host, pf, &text, err);

	if (r < 0)
		return r;
	if (out->doc)
		return out_add(out, "file", out_text(text), err);
	fputs(text, stdout);
	return 0;
}

int cmd_adopt(const struct args *args, struct sriov_host *host, struct out *out,
	      struct sriov_error *err)
{
	struct sriov_plan *plan = NULL;
	int r;

	if (args->print)
		return print_file(args->pos[0], host, out, err);
	r = sriov_adopt(host, args->pos[0], &args->run, &plan, err);

	return out_plans(out, plan, args->run.dry_run, r, err);
}
