/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a guest's start takes of our own, without what is the kernel's: the hook as the command runs it, in one process, on
 * a simulated host whose calls (its reading and writing of a file, which a live host has not) are timed and left out. Rules
 * are kept here in memory: a file written anew for each would leave nothing of ours in the processor's caches.
 *
 *     hook-own N HOST FILE GUEST RULES-DIR     N lives of GUEST (start to release), FILE its domain
 *
 * Prints of each life "US KERNEL-US RULES": of its start what was ours, what the host's calls took, and the rules there then.
 */
#include "lib/host/host.h"

#include <sriov/hook.h>

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct host_ops real;
static double kernel_us;
static struct sriov_entry table[4096];
static size_t ntable;

static double now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1e6 + now.tv_nsec / 1e3;
}

/* What a start calls. */
#define TIMED(type, name, call, ...)                                                               \
	static type timed_##name(struct sriov_host *host, ##__VA_ARGS__)                           \
	{                                                                                          \
		double began = now_us();                                                           \
		type r = real.name call;                                                           \
                                                                                                   \
		kernel_us += now_us() - began;                                                     \
		return r;                                                                          \
	}
TIMED(int, vf_set, (host, pf, vf, attrs, err), const struct sriov_pf *pf, unsigned vf,
      const struct sriov_vf_attrs *attrs, struct sriov_error *err)
TIMED(int, ntuple, (host, pf, on, err), const struct sriov_pf *pf, bool on, struct sriov_error *err)
TIMED(bool, hangs, (host, pf), const struct sriov_pf *pf)
TIMED(int, watch, (host, err), struct sriov_error *err)
TIMED(int, wait, (host, deadline, err), int64_t deadline, struct sriov_error *err)
TIMED(int64_t, now_ms, (host))

static void die(const char *what, const struct sriov_error *err)
{
	fprintf(stderr, "hook-own: %s: %s: %s\n", what, err->object, err->message);
	exit(1);
}

static int timed_read(struct sriov_host *host, const char *pf, unsigned what,
		      struct sriov_inventory *inv, struct sriov_error *err)
{
	double began = now_us();
	int r = real.read(host, pf, what, inv, err);

	for (size_t i = 0; !r && (what & SRIOV_READ_RULES) && i < inv->npfs; i++) {
		struct sriov_entry *rules = calloc(ntable + 1, sizeof(*rules));

		if (!rules)
			r = -ENOMEM;
		else
			memcpy(rules, table, ntable * sizeof(*rules));
		free(inv->pf[i].rules);
		inv->pf[i].rules = rules;
		inv->pf[i].nrules = rules ? ntable : 0;
	}
	kernel_us += now_us() - began;
	return r;
}

/* In the order of locations, as a driver tells them. */
static int keep_rule(struct sriov_host *host, const struct sriov_pf *pf,
		     const struct sriov_entry *entry, struct sriov_error *err)
{
	size_t i = ntable;

	if (ntable == ARRAY_SIZE(table))
		return -ENOSPC;
	for (; i && table[i - 1].loc > entry->loc; i--)
		table[i] = table[i - 1];
	table[i] = *entry;
	ntable++;
	return 0;
}

static int drop_rule(struct sriov_host *host, const struct sriov_pf *pf, uint32_t loc,
		     struct sriov_error *err)
{
	size_t i = 0;

	while (i < ntable && table[i].loc != loc)
		i++;
	if (i == ntable)
		return -ENOENT;
	memmove(&table[i], &table[i + 1], (--ntable - i) * sizeof(*table));
	return 0;
}

static void call(const char *file, struct sriov_hook hook, const char *op)
{
	const struct sriov_options opts = {
		.lock_timeout = 2, .kernel_timeout = 3, .link_timeout = 1};
	struct sriov_plan *plans = NULL;
	struct sriov_host *host = NULL;
	struct sriov_error err = {0};
	struct host_ops ops;
	char *xml = NULL;
	double began = now_us();

	kernel_us = 0;
	hook.op = op;
	if (sriov_host_open(file, &host, &err) < 0)
		die(file, &err);
	real = *host->ops;
	ops = real;
	ops.read = timed_read;
	ops.vf_set = timed_vf_set;
	ops.ntuple = timed_ntuple;
	ops.rule_insert = keep_rule;
	ops.rule_delete = drop_rule;
	ops.hangs = timed_hangs;
	ops.watch = timed_watch;
	ops.wait = timed_wait;
	ops.now_ms = timed_now_ms;
	host->ops = &ops;
	if (sriov_hook_libvirt(host, &hook, &opts, &xml, &plans, &err) < 0)
		die(op, &err);
	sriov_plan_free(plans);
	free(xml);
	sriov_host_close(host);
	if (!strcmp(op, "start"))
		printf("%.1f %.1f %zu\n", now_us() - began - kernel_us, kernel_us, ntable);
}

int main(int argc, char **argv)
{
	static char domain[1 << 20];
	struct sriov_hook hook = {.xml = domain};
	int fd = argc == 6 ? open(argv[3], O_RDONLY) : -1;
	ssize_t n = fd < 0 ? -1 : read(fd, domain, sizeof(domain) - 1);

	if (n < 0) {
		fprintf(stderr, "usage: hook-own N HOST FILE GUEST RULES-DIR\n");
		return 1;
	}
	close(fd);
	/* as in a process that has not had the simulator's megabytes, after which large blocks are cleared by hand */
	mallopt(M_MMAP_THRESHOLD, 128 << 10);
	mallopt(M_TRIM_THRESHOLD, 64 << 20);
	hook.size = n;
	hook.guest = argv[4];
	hook.rules_dir = argv[5];
	for (int i = 0; i < atoi(argv[1]); i++) {
		call(argv[2], hook, "start");
		call(argv[2], hook, "stopped");
		call(argv[2], hook, "release");
	}
	return 0;
}
