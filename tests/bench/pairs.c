/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compares how long two commands take: `pairs N COMMAND… -- COMMAND…` runs them in turns, N times after one
 * turn that only warms the caches, and prints both medians in microseconds and their ratio. What they print
 * goes to /dev/null; a command that fails ends it.
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

static double now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1e6 + now.tv_nsec / 1e3;
}

/* The time of one run, or a negative number if it failed. */
static double run(char **argv, const posix_spawn_file_actions_t *silent)
{
	double start = now_us();
	int status;
	pid_t pid;

	if (posix_spawnp(&pid, argv[0], silent, NULL, argv, environ) != 0 ||
	    waitpid(pid, &status, 0) != pid || status != 0) {
		fprintf(stderr, "pairs: %s failed\n", argv[0]);
		return -1;
	}
	return now_us() - start;
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
	long n = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
	double *time[2] = {calloc(n + 1, sizeof(double)), calloc(n + 1, sizeof(double))};
	posix_spawn_file_actions_t silent;
	char **command[2] = {argv + 2, NULL};

	for (int i = 2; i < argc && !command[1]; i++) {
		if (strcmp(argv[i], "--") != 0)
			continue;
		argv[i] = NULL;
		command[1] = argv + i + 1;
	}
	if (n < 1 || !time[0] || !time[1] || !command[1] || !command[0][0] || !command[1][0]) {
		fprintf(stderr, "usage: pairs N COMMAND... -- COMMAND...\n");
		return 1;
	}
	posix_spawn_file_actions_init(&silent);
	posix_spawn_file_actions_addopen(&silent, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&silent, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	for (long turn = -1; turn < n; turn++) {
		for (int i = 0; i < 2; i++) {
			double us = run(command[i], &silent);

			if (us < 0)
				return 1;
			if (turn >= 0)
				time[i][turn] = us;
		}
	}
	for (int i = 0; i < 2; i++)
		printf("%10.0f us  %s\n", median(time[i], n), command[i][0]);
	printf("ratio %.2f\n", median(time[0], n) / median(time[1], n));
	posix_spawn_file_actions_destroy(&silent);
	free(time[0]);
	free(time[1]);
	return 0;
}
