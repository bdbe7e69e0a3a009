/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long the compiler takes for a list of rules of some kind (compile_lists.h), and how that grows.
 *
 *     compile kinds                    the names of the kinds, one a line
 *     compile one KIND NIC N           compiles once: "ms M", "peak_mib P", "rules_mib R" and what came out
 *     compile time KIND NIC N          "ms M": the median of 11 runs
 *     compile growth KIND NIC N        N and 10 N rules in turns: "ms M", "tenfold_ms T", "ratio R", of medians
 *
 * NIC is a port as sriov_nic_port() takes it. Times are of processor time of this process. `one` has the kernel's time for
 * fresh pages in it; `time` and `growth` keep theirs from one run to the next.
 */
#include "tests/bench/compile_lists.h"

#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#define RUNS 11

__attribute__((noreturn)) static void die(const char *what, const char *more)
{
	fprintf(stderr, "compile: %s%s\n", what, more);
	exit(1);
}

static double milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static double peak_mib(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)usage.ru_maxrss / 1024;
}

struct list {
	const struct list_kind *kind;
	struct sriov_rules rules;
};

static struct list make(const struct list_kind *kind, size_t n)
{
	struct list list = {.kind = kind, .rules = {.n = n}};

	list.rules.at = calloc(n, sizeof(*list.rules.at));
	if (!list.rules.at)
		die("no memory", "");
	list_fill(kind, list.rules.at, n);
	return list;
}

static double compile(const struct list *list, const struct sriov_pf *port,
		      struct sriov_compiled *out)
{
	struct sriov_compile opts = {.partial = list->kind->partial};
	struct sriov_error err = {0};
	double began = milliseconds();
	int r = sriov_rules_compile(&list->rules, port, &opts, out, &err);

	if (r && r != -ENOTSUP)
		die("the list cannot be compiled: ", err.message);
	return milliseconds() - began;
}

static double compile_once(const struct list *list, const struct sriov_pf *port)
{
	struct sriov_compiled out = {0};
	double took = compile(list, port, &out);

	sriov_compiled_clear(&out);
	return took;
}

static void one(const struct list *list, const struct sriov_pf *port)
{
	size_t counts[SRIOV_RESULTS] = {0}, left_out = 0, worth = 0;
	struct sriov_compiled out = {0};
	double rules_mib = peak_mib(), took = compile(list, port, &out);

	for (size_t i = 0; i < out.nrules; i++) {
		counts[out.verdict[i].result]++;
		left_out += out.verdict[i].left_out;
		if (!out.verdict[i].left_out)
			worth += list->rules.at[i].weight;
	}
	printf("ms %.1f\npeak_mib %.0f\nrules_mib %.0f\nentries %zu\nleft_out %zu\nworth %zu\n",
	       took, peak_mib(), rules_mib, out.nentries, left_out, worth);
	for (unsigned i = 0; i < SRIOV_RESULTS; i++)
		printf("%s %zu\n", sriov_result_word(i), counts[i]);
	sriov_compiled_clear(&out);
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *numbers)
{
	qsort(numbers, RUNS, sizeof(*numbers), by_size);
	return numbers[RUNS / 2];
}

/* Pages that a run gives back would be fetched anew by the next one, and how dear that is says nothing of the compiler. */
static void keep_pages(void)
{
	mallopt(M_MMAP_THRESHOLD, INT_MAX);
	mallopt(M_TRIM_THRESHOLD, INT_MAX);
}

static double time_of(const struct list *list, const struct sriov_pf *port)
{
	double took[RUNS];

	keep_pages();
	for (unsigned i = 0; i < RUNS; i++)
		took[i] = compile_once(list, port);
	return median(took);
}

static void growth(const struct list *list, const struct sriov_pf *port)
{
	struct list tenfold = make(list->kind, 10 * list->rules.n);
	double took[RUNS], more[RUNS], least, most;

	keep_pages();
	for (unsigned i = 0; i < RUNS; i++) {
		took[i] = compile_once(list, port);
		more[i] = compile_once(&tenfold, port);
	}
	least = median(took);
	most = median(more);
	printf("ms %.2f\ntenfold_ms %.2f\nratio %.1f\n", least, most, most / least);
	free(tenfold.rules.at);
}

int main(int argc, char **argv)
{
	const struct list_kind *kind;
	struct sriov_error err = {0};
	struct sriov_pf port;
	struct list list;

	if (argc == 2 && !strcmp(argv[1], "kinds")) {
		for (size_t i = 0; i < sizeof(list_kinds) / sizeof(*list_kinds); i++)
			puts(list_kinds[i].name);
		return 0;
	}
	if (argc != 5)
		die("usage: kinds | one|time|growth KIND NIC N", "");
	kind = list_kind_find(argv[2]);
	if (!kind)
		die("no such kind of list: ", argv[2]);
	if (sriov_nic_port(argv[3], &port, &err))
		die("no port: ", err.message);
	list = make(kind, strtoul(argv[4], NULL, 10));
	if (!strcmp(argv[1], "one"))
		one(&list, &port);
	else if (!strcmp(argv[1], "time"))
		printf("ms %.2f\n", time_of(&list, &port));
	else if (!strcmp(argv[1], "growth"))
		growth(&list, &port);
	else
		die("no such word: ", argv[1]);
	free(list.rules.at);
	return 0;
}
