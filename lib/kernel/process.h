/* SPDX-License-Identifier: Apache-2.0 */
/* A guest's process as /proc shows it: its threads, with the workers that the kernel runs for it, and its memory. */
#ifndef SRIOV_KERNEL_PROCESS_H
#define SRIOV_KERNEL_PROCESS_H

#include "lib/core/core.h"

struct process_thread {
	long tid;
	char name[16];
	char cpus[256];           /* list of those that it may run on */
	int cpu;                  /* that it ran on last */
	uint64_t run_ms, wait_ms; /* on a CPU, and ready but without one, since it exists */
};

struct process_memory { /* on a node */
	int node;
	uint64_t kib, huge_kib; /* in normal pages and in hugetlbfs pages */
};

struct process {
	long pid;
	struct process_thread
		*thread; /* its own by tid, the first is the main one; then the kernel's for it */
	size_t nthreads;
	struct process_memory *memory; /* by node */
	size_t nmemory;
	long irqbalance;             /* pid of the daemon, 0 = does not run */
	char irqbalance_banned[256]; /* list of CPUs that it leaves alone; "" = none said */
};
void process_clear(struct process *process);
#define _process_ _cleanup_(process_clear)

/*
 * @proc is the descriptor of /proc. -ESRCH: no such process; -EACCES: its memory map is only for root. The
 * caller clears *@out.
 */
int process_read(int proc, long pid, struct process *out, struct sriov_error *err);

/* What a thread of QEMU is, by the name that QEMU or the kernel gave it; @number is of the vCPU or IOThread. */
enum process_role { PROCESS_EMULATOR, PROCESS_VCPU, PROCESS_IOTHREAD, PROCESS_VHOST };
enum process_role process_role(const struct process_thread *thread, unsigned *number);

/*
 * Pure: the memory of numa_maps' text. Files that were only read (libraries) do not count: the memory of a guest
 * is anonymous, or a file that it has written to. 0, or -ENOMEM with @process as it was.
 */
int process_numa_maps(const char *text, struct process *process);
/* The node's row, made if need be; NULL: no memory. */
struct process_memory *process_node(struct process *process, int node);

#endif
