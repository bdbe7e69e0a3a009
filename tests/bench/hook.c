/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long libvirt waits for its hook:
 *
 *     hook pairs N FILE COMMAND OTHER -- HOOK…   a life of a guest (prepare to release) N times, each call beside OTHER
 *     hook alone N FILE -- HOOK…                 the same without it: for several at once
 *
 * COMMAND is the guest's name; FILE its domain, on standard input of each call. Prints of pairs "OPERATION US OTHER-US
 * CPU-US OTHER-CPU-US" (medians; CPU: the processor time of both, which other work on the machine disturbs less), and of
 * alone each call of prepare and start: "OPERATION US".
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static const char *const operations[] = {"prepare", "start", "started", "stopped", "release"};
#define OPERATIONS (sizeof(operations) / sizeof(operations[0]))

static double now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1e6 + now.tv_nsec / 1e3;
}

struct took {
	double us, cpu;
};

static struct took run(char **argv, const char *domain)
{
	posix_spawn_file_actions_t io;
	struct rusage used;
	struct took took;
	double start;
	int status;
	pid_t pid;

	posix_spawn_file_actions_init(&io);
	posix_spawn_file_actions_addopen(&io, STDIN_FILENO, domain, O_RDONLY, 0);
	start = now_us();
	if (posix_spawnp(&pid, argv[0], &io, NULL, argv, environ) != 0 ||
	    wait4(pid, &status, 0, &used) != pid || status != 0) {
		fprintf(stderr, "hook: %s %s failed\n", argv[0], argv[1] ? argv[1] : "");
		exit(1);
	}
	took.us = now_us() - start;
	took.cpu = (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e6 + used.ru_utime.tv_usec +
		   used.ru_stime.tv_usec;
	posix_spawn_file_actions_destroy(&io);
	return took;
}

static int by_us(const void *a, const void *b)
{
	double x = ((const struct took *)a)->us, y = ((const struct took *)b)->us;

	return (x > y) - (x < y);
}

static int by_cpu(const void *a, const void *b)
{
	double x = ((const struct took *)a)->cpu, y = ((const struct took *)b)->cpu;

	return (x > y) - (x < y);
}

static struct took median(struct took *at, size_t n)
{
	struct took median;

	qsort(at, n, sizeof(*at), by_us);
	median.us = at[n / 2].us;
	qsort(at, n, sizeof(*at), by_cpu);
	median.cpu = at[n / 2].cpu;
	return median;
}

static void print_pair(const char *operation, struct took *ours, struct took *others, size_t n)
{
	struct took a = median(ours, n), b = median(others, n);

	printf("%s %.0f %.0f %.0f %.0f\n", operation, a.us, b.us, a.cpu, b.cpu);
}

int main(int argc, char **argv)
{
	int first = 1;
	size_t n = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
	int pairs = argc > 1 && !strcmp(argv[1], "pairs");
	struct took *ours[OPERATIONS], *others[OPERATIONS];
	char *other[] = {NULL, NULL}, *hook[64];
	int count = 0;

	while (first < argc && strcmp(argv[first], "--") != 0)
		first++;
	if (!n || argc - first < 2 || argc - first > 56 || first != (pairs ? 6 : 5)) {
		fprintf(stderr, "usage: hook pairs|alone N FILE GUEST [OTHER] -- HOOK...\n");
		return 1;
	}
	other[0] = pairs ? argv[5] : NULL;
	for (int i = first + 1; i < argc; i++)
		hook[count++] = argv[i];
	hook[count] = "--";
	hook[count + 1] = argv[4];
	hook[count + 3] = "begin";
	hook[count + 4] = "-";
	hook[count + 5] = NULL;
	for (size_t i = 0; i < OPERATIONS; i++) {
		ours[i] = calloc(n, sizeof(struct took));
		others[i] = calloc(n, sizeof(struct took));
		if (!ours[i] || !others[i])
			return 1;
	}
	for (size_t turn = 0; turn < n; turn++)
		for (size_t i = 0; i < OPERATIONS; i++) {
			hook[count + 2] = (char *)operations[i];
			ours[i][turn] = run(hook, argv[3]);
			if (pairs)
				others[i][turn] = run(other, argv[3]);
			else if (i < 2)
				printf("%s %.0f\n", operations[i], ours[i][turn].us);
		}
	for (size_t i = 0; pairs && i < OPERATIONS; i++)
		print_pair(operations[i], ours[i], others[i], n);
	return 0;
}
