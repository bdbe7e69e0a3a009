/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long libvirt waits for its hook:
 *
 *     hook pairs N FILE COMMAND OTHER -- HOOK…   a life of a guest (prepare to release) N times, each call beside OTHER
 *     hook alone N FILE -- HOOK…                 the same without it: for several at once
 *
 * COMMAND is the guest's name; FILE its domain, on standard input of each call. Prints "OPERATION US OTHER-US" of pairs
 * (medians), and of alone each call of prepare and start: "OPERATION US".
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

static double run(char **argv, const char *domain)
{
	posix_spawn_file_actions_t io;
	double start;
	int status;
	pid_t pid;

	posix_spawn_file_actions_init(&io);
	posix_spawn_file_actions_addopen(&io, STDIN_FILENO, domain, O_RDONLY, 0);
	start = now_us();
	if (posix_spawnp(&pid, argv[0], &io, NULL, argv, environ) != 0 ||
	    waitpid(pid, &status, 0) != pid || status != 0) {
		fprintf(stderr, "hook: %s %s failed\n", argv[0], argv[1] ? argv[1] : "");
		exit(1);
	}
	start = now_us() - start;
	posix_spawn_file_actions_destroy(&io);
	return start;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *at, size_t n)
{
	qsort(at, n, sizeof(*at), compare);
	return at[n / 2];
}

int main(int argc, char **argv)
{
	int first = 1;
	size_t n = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
	int pairs = argc > 1 && !strcmp(argv[1], "pairs");
	double *ours[OPERATIONS], *others[OPERATIONS];
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
		ours[i] = calloc(n, sizeof(double));
		others[i] = calloc(n, sizeof(double));
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
				printf("%s %.0f\n", operations[i], ours[i][turn]);
		}
	for (size_t i = 0; pairs && i < OPERATIONS; i++)
		printf("%s %.0f %.0f\n", operations[i], median(ours[i], n), median(others[i], n));
	return 0;
}
