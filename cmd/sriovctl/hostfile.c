/* SPDX-License-Identifier: Apache-2.0 */
/* sriovctl plan, apply, status, rollback, confirm and generations: one file for a host. */
#include "cmd/sriovctl/args.h"
#include "cmd/sriovctl/out.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* ---- by object ---- */

static const char *colour(char sign)
{
	static int on = -1;
	const char *none = getenv("NO_COLOR");

	if (on < 0)
		on = isatty(STDOUT_FILENO) && !(none && *none);
	if (!on)
		return "";
	return sign == '+' ? "\033[32m" : sign == '-' ? "\033[31m" : sign ? "\033[33m" : "\033[0m";
}

struct order {
	const struct sriov_step_text *step;
	const char *object;
	size_t first; /* where the object first comes */
};

static int by_object(const void *a, const void *b)
{
	const struct order *x = a, *y = b;
	int order = strcmp(x->object, y->object);

	return order ? order : (x->step > y->step) - (x->step < y->step);
}

static int by_first(const void *a, const void *b)
{
	const struct order *x = a, *y = b;

	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	return (x->step > y->step) - (x->step < y->step);
}

/* The steps object by object, each object where its first step stands; NULL without memory. */
static struct order *objects_of(const struct sriov_plan *plan)
{
	struct order *order = calloc(plan->nsteps + 1, sizeof(*order));

	for (size_t i = 0; order && i < plan->nsteps; i++)
		order[i] = (struct order){&plan->step[i], plan->step[i].object, i};
	if (!order || !plan->nsteps)
		return order;
	qsort(order, plan->nsteps, sizeof(*order), by_object);
	for (size_t i = 1; i < plan->nsteps; i++)
		if (!strcmp(order[i].object, order[i - 1].object))
			order[i].first = order[i - 1].first;
	qsort(order, plan->nsteps, sizeof(*order), by_first);
	return order;
}

static int print_objects(const struct sriov_plan *plan, struct sriov_error *err)
{
	_free_ struct order *order = objects_of(plan);

	if (!order)
		return core_oom(err);
	if (plan->nsteps || plan->nnotes)
		printf("%s\n", plan->pf);
	for (size_t i = 0; i < plan->nsteps; i++) {
		const struct sriov_step_text *step = order[i].step;

		if (!i || strcmp(order[i].object, order[i - 1].object) != 0)
			printf("  %s\n", order[i].object);
		printf("    %s%c %s%s\n", colour(step->sign), step->sign, step->what, colour(0));
		if (*step->disrupts)
			printf("      ! %s\n", step->disrupts);
	}
	for (size_t i = 0; i < plan->nnotes; i++)
		printf("  note: %s\n", plan->note[i]);
	return 0;
}

static void print_records(const struct sriov_host_change *change)
{
	if (change->nrecords)
		puts("records");
	for (size_t i = 0; i < change->nrecords; i++)
		printf("  %s~ %s%s\n", colour('~'), change->record[i], colour(0));
}

static size_t steps_of(const struct sriov_host_change *change)
{
	size_t n = 0;

	for (const struct sriov_plan *plan = change->plan; plan; plan = plan->next)
		n += plan->nsteps;
	return n;
}

static int encode(const struct sriov_host_change *change, struct out *out, struct sriov_error *err)
{
	json_t *plans = json_array(), *records = json_array();
	int r;

	for (const struct sriov_plan *plan = change->plan; plan; plan = plan->next)
		json_array_append_new(plans, out_plan(plan));
	for (size_t i = 0; i < change->nrecords; i++)
		json_array_append_new(records, out_text(change->record[i]));
	r = out_add(out, "plans", plans, err);
	if (r < 0) {
		json_decref(records);
		return r;
	}
	r = out_add(out, "records", records, err);
	if (!r)
		r = out_add(out, "differs", json_boolean(change->differs), err);
	if (!r)
		r = out_add(out, "digest", json_string(change->digest), err);
	if (!r)
		r = out_add(out, "generation",
			    change->generation ? json_integer(change->generation) : json_null(),
			    err);
	return r;
}

static void print_end(const struct sriov_host_change *change, bool dry_run)
{
	if (!change->differs)
		puts("nothing to do");
	else if (dry_run)
		printf("%zu steps (digest %s); nothing was changed\n", steps_of(change),
		       change->digest);
	else if (change->generation)
		printf("done: %zu steps, generation %ld\n", steps_of(change), change->generation);
}

/* What a change was, or would be; @r is what the call that made it returned, and is returned again. */
static int tell(struct out *out, struct sriov_host_change *change, bool dry_run, int r,
		struct sriov_error *err)
{
	struct sriov_error *mine = r ? NULL : err;
	int told = 0;

	if (out->doc) {
		told = encode(change, out, mine);
	} else if (r < 0 && err && err->status >= SRIOV_ROLLED_BACK) {
		/* which step failed, and what became of the others */
		told = out_plans(out, change->plan, false, 0, mine);
		change->plan = NULL;
	} else if (!r) {
		for (struct sriov_plan *plan = change->plan; plan && !told; plan = plan->next)
			told = print_objects(plan, err);
		print_records(change);
		print_end(change, dry_run);
	}
	sriov_host_change_clear(change);
	return r ? r : told;
}

static const char *file_of(const struct args *args)
{
	return args->file ?: SRIOV_HOSTFILE;
}

int cmd_plan(const struct args *args, struct sriov_host *host, struct out *out,
	     struct sriov_error *err)
{
	struct sriov_options look = args->run;
	struct sriov_host_change change;
	bool differs;
	int r;

	look.dry_run = true;
	r = sriov_hostfile_apply(host, file_of(args), 0, &look, &change, err);
	differs = change.differs;
	r = tell(out, &change, true, r, err);
	return r ? r : differs ? SRIOV_DIFFERENCE : 0;
}

/* ---- apply, and who takes it back ---- */

#define RETRY_S 10
#define TRIES 60

static void sleep_for(unsigned seconds)
{
	struct timespec end;

	clock_gettime(CLOCK_BOOTTIME, &end);
	end.tv_sec += seconds;
	while (clock_nanosleep(CLOCK_BOOTTIME, TIMER_ABSTIME, &end, NULL) == EINTR)
		;
}

/* What of the parent's a process of its own does not keep: terminal, session, folder, signals. */
static void detach(void)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	setsid();
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		signal(numbers[i], i ? SIG_DFL : SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	for (int fd = 0; null >= 0 && fd <= 2; fd++)
		dup2(null, fd);
}

/* The generation to watch, as the applying process says (0 = none); as it was killed, the one that has a deadline. */
static long wait_for_made(const struct args *args, int gone)
{
	struct sriov_host *host = NULL;
	unsigned seconds;
	long id = 0;
	ssize_t n;

	do
		n = read(gone, &id, sizeof(id));
	while (n < 0 && errno == EINTR);
	if (n == sizeof(id))
		return id;
	id = 0;
	if (!sriov_host_open(args->host, &host, NULL))
		sriov_generation_due(host, &id, &seconds, NULL);
	sriov_host_close(host);
	return id;
}

/*
 * The watcher of one generation: waits until the applying process is done with it, however that was, and then until its
 * deadline. Taking it back may be refused (a guest came, another command runs): it tries again, and what it cannot do
 * stays recorded as unconfirmed.
 */
static void watch(const struct args *args, int gone)
{
	struct sriov_options run = {.command = "sriovctl apply --confirm: not confirmed in time",
				    .link_timeout = args->run.link_timeout,
				    .kernel_timeout = args->run.kernel_timeout};
	long mine = wait_for_made(args, gone);

	for (unsigned tries = 0; mine && tries < TRIES; tries++) {
		struct sriov_host *host = NULL;
		unsigned seconds = 0;
		long id = 0;
		int r = sriov_host_open(args->host, &host, NULL);

		if (!r)
			r = sriov_generation_due(host, &id, &seconds, NULL);
		if (!r && id == mine && !seconds)
			r = sriov_generation_expire(host, id, &run, NULL);
		sriov_host_close(host);
		if (r == -ENOENT || (!r && (id != mine || !seconds)))
			return;
		sleep_for(seconds ?: RETRY_S);
		if (seconds)
			tries = 0;
	}
}

/* Starts the watcher before anything is changed; it waits for word from @hold. */
static int start_watcher(const struct args *args, int *hold, struct sriov_error *err)
{
	int ends[2];
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return core_errno(err, -errno, "--confirm", "no pipe can be made");
	child = fork();
	if (child < 0) {
		close(ends[0]);
		close(ends[1]);
		return core_errno(err, -errno, "--confirm", "no process can be started");
	}
	if (!child) {
		close(ends[1]);
		detach();
		watch(args, ends[0]);
		_exit(0);
	}
	close(ends[0]);
	*hold = ends[1];
	return 0;
}

int cmd_apply(const struct args *args, struct sriov_host *host, struct out *out,
	      struct sriov_error *err)
{
	struct sriov_host_change change = {0};
	bool confirm = args->confirm && !args->run.dry_run;
	_close_ int hold = -1;
	long made;
	int r = confirm ? start_watcher(args, &hold, err) : 0;

	if (!r)
		r = sriov_hostfile_apply(host, file_of(args), args->confirm, &args->run, &change,
					 err);
	made = change.generation;
	/* of what is left half done the watcher looks itself what there is to take back */
	if (hold >= 0 && (!r || err->status < SRIOV_INCOMPLETE) &&
	    write(hold, &made, sizeof(made)) < 0)
		fprintf(stderr, "sriovctl: --confirm: nobody is there to take it back: %s\n",
			strerror(errno));
	r = tell(out, &change, args->run.dry_run, r, err);
	if (!r && confirm && made && !out->doc)
		printf("`sriovctl confirm` within %u s keeps it; otherwise it is taken back\n",
		       args->confirm);
	return r;
}

/* ---- status ---- */

static int encode_generation(const struct sriov_generation *row, struct out *out,
			     struct sriov_error *err)
{
	return out_add(out, "last",
		       json_pack("{sI ss ss ss so so}", "id", (json_int_t)row->id, "status",
				 row->status, "made", row->made, "confirm_by", row->confirm_by,
				 "command", out_text(row->command), "file", out_text(row->file)),
		       err);
}

int cmd_status(const struct args *args, struct sriov_host *host, struct out *out,
	       struct sriov_error *err)
{
	struct sriov_generation last;
	struct sriov_host_change change;
	bool differs, waits;
	size_t steps;
	int r = sriov_generation_status(host, &last, &change, err);

	differs = change.differs;
	steps = steps_of(&change);
	waits = !strcmp(last.status, "unconfirmed");
	if (!r && !last.id) {
		if (!out->doc)
			puts("no host file was applied here: sriovctl apply -f FILE");
		else
			r = out_add(out, "last", json_null(), err);
		sriov_host_change_clear(&change);
		return r;
	}
	if (!r && out->doc)
		r = encode_generation(&last, out, err);
	if (!r && !out->doc) {
		printf("generation %ld, %s, of %s\n", last.id, last.made,
		       last.file[0] ? last.file : last.command);
		if (waits)
			printf("it waits to be confirmed by %s\n", last.confirm_by);
	}
	if (!r && out->doc)
		r = encode(&change, out, err);
	for (struct sriov_plan *plan = change.plan; !out->doc && !r && plan; plan = plan->next)
		r = print_objects(plan, err);
	if (!r && !out->doc) {
		print_records(&change);
		puts(!differs ? "the host is as it was made"
		     : steps  ? "the steps above would bring it back: `sriovctl plan` tells what "
				"the file says now"
			     : "the host is not as it was made: `sriovctl plan` tells what the file says now, "
			       "`sriovctl rollback` goes back");
	}
	sriov_host_change_clear(&change);
	return r ? r : differs ? SRIOV_DIFFERENCE : 0;
}

/* ---- going back ---- */

int cmd_rollback(const struct args *args, struct sriov_host *host, struct out *out,
		 struct sriov_error *err)
{
	struct sriov_host_change change;
	uint64_t id = 0;
	int r;

	if (args->npos && core_number(args->pos[0], 1, LONG_MAX, &id) < 0) {
		sriov_error_set(err, -EINVAL, args->pos[0], "not the number of a generation");
		return sriov_error_hint(err, "`sriovctl generations` lists them");
	}
	r = sriov_generation_rollback(host, id, &args->run, &change, err);
	return tell(out, &change, args->run.dry_run, r, err);
}

int cmd_confirm(const struct args *args, struct sriov_host *host, struct out *out,
		struct sriov_error *err)
{
	long id;
	int r = sriov_generation_confirm(host, &id, err);

	if (r < 0)
		return r;
	if (out->doc)
		return out_add(out, "confirmed", json_integer(id), err);
	printf("generation %ld stays\n", id);
	return 0;
}

static const struct column generation_columns[] = {
	{"GENERATION", .right = true},
	{"MADE"},
	{"STATUS"},
	{"BY", .optional = true},
	{"FILE", .optional = true},
	{"COMMAND"},
	{"WHY", .optional = true},
};

int cmd_generations(const struct args *args, struct sriov_host *host, struct out *out,
		    struct sriov_error *err)
{
	_free_ struct sriov_generation *rows = NULL;
	json_t *array;
	TABLE(table, generation_columns);
	size_t n = 0;
	int r = sriov_generation_list(host, &rows, &n, err);

	if (r < 0)
		return r;
	array = out->doc ? json_array() : NULL;
	for (const struct sriov_generation *row = rows; row < rows + n; row++) {
		if (array) {
			json_array_append_new(
				array,
				json_pack("{sI ss ss ss so so so}", "id", (json_int_t)row->id,
					  "made", row->made, "status", row->status, "confirm_by",
					  row->confirm_by, "file", out_text(row->file), "command",
					  out_text(row->command), "why", out_text(row->why)));
			continue;
		}
		table_cell(&table, "%ld", row->id);
		table_cell(&table, "%s", row->made);
		table_cell(&table, "%s", row->status);
		table_cell(&table, "%s", row->confirm_by);
		table_cell(&table, "%s", row->file);
		table_cell(&table, "%s", row->command);
		table_cell(&table, "%s", row->why);
	}
	if (array)
		return out_add(out, "generations", array, err);
	if (!n)
		puts("no host file was applied here: sriovctl apply -f FILE");
	return table_print(&table, 0, err);
}
