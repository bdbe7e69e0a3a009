/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a list costs on its way to a driver of DPDK, without the driver: a client writes the request and sends it, this
 * process reads, compiles, encodes and validates it and answers, as sriov-rte does.
 *
 *     rte NIC N        N rules for a pretended NIC ("82599", "X710")
 *     rte tap N        for a real net_tap, whose rte_flow_validate() is timed and subtracted
 *
 * Prints "own US" and "driver US": microseconds of processor time a rule, of both processes; the median of 11 runs.
 */
#include "flows/to/rte.h"

#include <rte_eal.h>
#include <rte_ethdev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RUNS 11

static double driver_us;

static double now_us(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1e6 + ts.tv_nsec / 1e3;
}

static int timed_validate(uint16_t port, const struct rte_flow_attr *attr,
			  const struct rte_flow_item *item, const struct rte_flow_action *action,
			  struct rte_flow_error *error)
{
	double before = now_us(CLOCK_THREAD_CPUTIME_ID);
	int r = rte_flow_validate(port, attr, item, action, error);

	driver_us += now_us(CLOCK_THREAD_CPUTIME_ID) - before;
	return r;
}

static int no_validate(uint16_t port, const struct rte_flow_attr *attr,
		       const struct rte_flow_item *item, const struct rte_flow_action *action,
		       struct rte_flow_error *error)
{
	return 0;
}

static const struct rte_calls timed = {.validate = timed_validate},
			      pretended = {.validate = no_validate};

static void fail(const struct sriov_error *err)
{
	fprintf(stderr, "%s: %s\n", err->object, err->message);
	exit(1);
}

static char *list_of(unsigned n)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (unsigned i = 0; i < n; i++)
		fprintf(out, "name r%u flow-type udp4 dst-ip 10.%u.%u.%u dst-port 4789 queue %u\n",
			i, i >> 16, i >> 8 & 0xff, i & 0xff, i % 4);
	fclose(out);
	return text;
}

/* The client's part, in a process of its own; the answer is one byte. */
static void client(int fd, const char *text)
{
	struct sriov_rte_request request = {.what = SRIOV_RTE_VALIDATE};
	struct sriov_error err = {0};
	char *line, answer;
	size_t size;

	if (sriov_rules_parse(text, NULL, &request.rules, &err) ||
	    sriov_rte_request_format(&request, &line, &err))
		fail(&err);
	size = strlen(line) + 1;
	line[size - 1] = '\n';
	for (size_t sent = 0; sent < size;) {
		ssize_t k = write(fd, line + sent, size - sent);

		if (k <= 0)
			_exit(1);
		sent += k;
	}
	_exit(read(fd, &answer, 1) != 1);
}

static char *receive(int fd, size_t *size)
{
	size_t room = 1 << 16, used = 0;
	char *text = malloc(room);

	do {
		ssize_t k;

		if (used == room)
			text = realloc(text, room *= 2);
		k = read(fd, text + used, room - used);
		if (k <= 0)
			exit(1);
		used += k;
	} while (text[used - 1] != '\n');
	*size = used - 1;
	return text;
}

/*
 * Starts the client of each run when a byte comes, and answers what processor time it took. A small process of its own: a
 * fork of the owner would make each of the owner's pages dear to write.
 */
static void start_clients(int control, int (*pair)[2], const char *text)
{
	char go;

	for (unsigned i = 0; i < RUNS && read(control, &go, 1) == 1; i++) {
		struct rusage usage;
		double us;
		int status;
		pid_t pid = fork();

		if (!pid)
			client(pair[i][1], text);
		if (wait4(pid, &status, 0, &usage) != pid || status)
			exit(1);
		us = usage.ru_utime.tv_sec * 1e6 + usage.ru_utime.tv_usec +
		     usage.ru_stime.tv_sec * 1e6 + usage.ru_stime.tv_usec;
		if (write(control, &us, sizeof(us)) != sizeof(us))
			exit(1);
	}
	exit(0);
}

/* One list on its way: processor time of both. */
static double run(struct sriov_rte *port, int fd, int control)
{
	struct sriov_rte_request request = {0};
	double before, client_us;
	struct sriov_rte_count count;
	struct sriov_error err = {0};
	size_t size;
	char *line;

	if (write(control, "1", 1) != 1)
		exit(1);
	before = now_us(CLOCK_PROCESS_CPUTIME_ID);
	line = receive(fd, &size);
	if (sriov_rte_request_parse(line, size, &request, &err) ||
	    sriov_rte_validate(port, &request.rules, NULL, &count, &err) || write(fd, "1", 1) != 1)
		fail(&err);
	before = now_us(CLOCK_PROCESS_CPUTIME_ID) - before;
	sriov_rte_request_clear(&request);
	free(line);
	if (read(control, &client_us, sizeof(client_us)) != sizeof(client_us))
		exit(1);
	return before + client_us;
}

static struct sriov_rte *open_port(const char *nic)
{
	static char words[] = "rte --no-huge -m 64 --no-pci --no-telemetry --no-shconf --log-level "
			      "*:critical --vdev net_tap0";
	const struct rte_eth_conf conf = {0};
	char *args[16], *next = words, spec[64];
	struct sriov_error err = {0};
	struct sriov_rte *port;
	struct sriov_pf pf;
	int n = 0;

	snprintf(spec, sizeof(spec), "%s,queues=4", nic);
	if (sriov_nic_port(spec, &pf, &err) || sriov_nic_rte(&pf, &err))
		fail(&err);
	if (strcmp(nic, "tap")) {
		if (rte_port_new(&pretended, 0, &pf, &port, &err))
			fail(&err);
		return port;
	}
	while (next)
		args[n++] = strsep(&next, " ");
	if (rte_eal_init(n, args) < 0 || rte_eth_dev_configure(0, 4, 4, &conf) ||
	    rte_port_new(&timed, 0, &pf, &port, &err))
		exit(1);
	return port;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	unsigned n = argc > 2 ? atoi(argv[2]) : 0;
	int pair[RUNS][2], control[2];
	double own[RUNS], driver[RUNS];
	struct sriov_rte *port;
	char *text;
	pid_t pid;

	if (!n || socketpair(AF_UNIX, SOCK_STREAM, 0, control))
		return 1;
	for (unsigned i = 0; i < RUNS; i++)
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair[i]))
			return 1;
	text = list_of(n);
	pid = fork();
	if (!pid)
		start_clients(control[1], pair, text);
	close(control[1]);
	port = open_port(argv[1]);
	for (unsigned i = 0; i < RUNS; i++) {
		driver_us = 0;
		own[i] = run(port, pair[i][0], control[0]) / n;
		driver[i] = driver_us / n;
		own[i] -= driver[i];
	}
	waitpid(pid, NULL, 0);
	qsort(own, RUNS, sizeof(*own), by_value);
	qsort(driver, RUNS, sizeof(*driver), by_value);
	printf("own %.2f\ndriver %.2f\n", own[RUNS / 2], driver[RUNS / 2]);
	sriov_rte_close(port);
	return 0;
}
