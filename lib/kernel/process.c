/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a guest's process: see process.h. */
#include "lib/kernel/process.h"

#include "lib/kernel/kernel.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MAPS_MAX (64 << 20)
#define TEXT_MAX 65536

void process_clear(struct process *process)
{
	free(process->thread);
	free(process->memory);
	*process = (struct process){0};
}

enum process_role process_role(const struct process_thread *thread, unsigned *number)
{
	unsigned owner;

	*number = 0;
	/* "CPU 3/KVM", "CPU 3/TCG"; libvirt calls IOThreads "iothread1" and up, QEMU puts "IO " before it */
	if (sscanf(thread->name, "CPU %u/", number) == 1)
		return PROCESS_VCPU;
	if (sscanf(thread->name, "IO iothread%u", number) == 1)
		return PROCESS_IOTHREAD;
	return sscanf(thread->name, "vhost-%u", &owner) == 1 ? PROCESS_VHOST : PROCESS_EMULATOR;
}

/* ---- memory ---- */

struct process_memory *process_node(struct process *process, int node)
{
	struct process_memory *memory;
	size_t at = 0;

	while (at < process->nmemory && process->memory[at].node < node)
		at++;
	if (at < process->nmemory && process->memory[at].node == node)
		return &process->memory[at];
	if (!core_grow(&process->memory, &process->nmemory, sizeof(*memory)))
		return NULL;
	memory = &process->memory[at];
	memmove(memory + 1, memory, (process->nmemory - 1 - at) * sizeof(*memory));
	*memory = (struct process_memory){.node = node};
	return memory;
}

/*
 * A mapping: "7f… bind:1 file=/memfd:… dirty=512 N0=3 N1=509 kernelpagesize_kB=4" (Documentation/filesystems/
 * proc.rst). Counts are in pages of that size; transparent huge pages are counted by their small ones.
 */
static int add_mapping(char *line, struct process *process)
{
	bool file = false, written = false, huge = false;
	uint64_t page_kib = 4;
	char *save = NULL, *word;
	char nodes[1024] = "";
	size_t at = 0;

	for (word = strtok_r(line, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		file |= !strncmp(word, "file=", 5);
		written |= !strncmp(word, "dirty=", 6) || !strncmp(word, "anon=", 5);
		huge |= !strcmp(word, "huge");
		if (!strncmp(word, "kernelpagesize_kB=", 18))
			page_kib = strtoull(word + 18, NULL, 10);
		if (word[0] == 'N' && strchr(word, '=') && at < sizeof(nodes) - 1)
			at += snprintf(nodes + at, sizeof(nodes) - at, "%s ", word + 1);
	}
	if (file && !written && !huge)
		return 0;
	for (word = strtok_r(nodes, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		struct process_memory *memory;
		unsigned long long pages;
		int node;

		if (sscanf(word, "%d=%llu", &node, &pages) != 2)
			continue;
		memory = process_node(process, node);
		if (!memory)
			return -ENOMEM;
		*(huge ? &memory->huge_kib : &memory->kib) += pages * page_kib;
	}
	return 0;
}

int process_numa_maps(const char *text, struct process *process)
{
	_free_ char *copy = strdup(text);
	char *save = NULL;
	int r = copy ? 0 : -ENOMEM;

	for (char *line = copy ? strtok_r(copy, "\n", &save) : NULL; line && !r;
	     line = strtok_r(NULL, "\n", &save))
		r = add_mapping(line, process);
	return r;
}

static int read_memory(int proc, long pid, struct process *process, struct sriov_error *err)
{
	_free_ char *text = NULL;
	char path[64];
	int r;

	snprintf(path, sizeof(path), "%ld/numa_maps", pid);
	r = core_read_file(proc, path, MAPS_MAX, &text, NULL);
	if (r == -ENOENT) /* a kernel without NUMA */
		return 0;
	if (r == -EACCES || r == -EPERM) {
		core_errno(err, -EACCES, path, "where its memory is cannot be read");
		return sriov_error_hint(err, "run it as root");
	}
	if (r < 0)
		return core_errno(err, r, path, "where its memory is cannot be read");
	return process_numa_maps(text, process) < 0 ? core_oom(err) : 0;
}

/* ---- threads ---- */

/* The last CPU is the 39th field of stat; the name before it can have blanks and brackets. */
static int last_cpu(const char *stat)
{
	const char *at = strrchr(stat, ')');

	for (int field = 2; at && field < 39; field++)
		at = strchr(at + 1, ' ');
	return at ? atoi(at + 1) : -1;
}

/* A thread in the folder @path of /proc. One that ended meanwhile is none. */
static int add_thread(int proc, const char *path, long tid, struct process *process)
{
	static const char allowed[] = "Cpus_allowed_list:";
	struct process_thread thread = {.tid = tid, .cpu = -1};
	_free_ char *status = NULL, *stat = NULL;
	unsigned long long run = 0, wait = 0;
	struct process_thread *added;
	char name[320], line[128];
	const char *list;

	snprintf(name, sizeof(name), "%s/comm", path);
	if (core_read_line(proc, name, thread.name, sizeof(thread.name)) < 0)
		return 0;
	snprintf(name, sizeof(name), "%s/status", path);
	if (core_read_file(proc, name, TEXT_MAX, &status, NULL) < 0)
		return 0;
	snprintf(name, sizeof(name), "%s/stat", path);
	if (core_read_file(proc, name, TEXT_MAX, &stat, NULL) < 0)
		return 0;
	list = strstr(status, allowed);
	if (list)
		sscanf(list + strlen(allowed), " %255s", thread.cpus);
	thread.cpu = last_cpu(stat);
	snprintf(name, sizeof(name), "%s/schedstat", path);
	if (!core_read_line(proc, name, line, sizeof(line)))
		sscanf(line, "%llu %llu", &run, &wait);
	thread.run_ms = run / 1000000;
	thread.wait_ms = wait / 1000000;
	added = core_grow(&process->thread, &process->nthreads, sizeof(*added));
	if (!added)
		return -ENOMEM;
	*added = thread;
	return 0;
}

struct scan {
	int proc;
	struct process *process;
};

static int add_task(int dir, const char *name, void *data)
{
	struct scan *scan = data;
	char path[64];
	uint64_t tid;

	if (core_number(name, 1, INT32_MAX, &tid) < 0)
		return 0;
	snprintf(path, sizeof(path), "%ld/task/%.20s", scan->process->pid, name);
	return add_thread(scan->proc, path, tid, scan->process);
}

static int by_tid(const void *a, const void *b)
{
	const struct process_thread *x = a, *y = b;

	return (x->tid > y->tid) - (x->tid < y->tid);
}

/* ---- the others ---- */

static bool is_own(const struct process *process, size_t nown, long tid)
{
	for (size_t i = 0; i < nown; i++)
		if (process->thread[i].tid == tid)
			return true;
	return false;
}

/* What the daemon was told at its start (IRQBALANCE_BANNED_CPULIST); it may have been told nothing. */
static void read_banned(int proc, long pid, struct process *process)
{
	static const char variable[] = "IRQBALANCE_BANNED_CPULIST=";
	_free_ char *text = NULL;
	char path[64];
	size_t size = 0;

	snprintf(path, sizeof(path), "%ld/environ", pid);
	if (core_read_file(proc, path, TEXT_MAX, &text, &size) < 0)
		return;
	for (size_t at = 0; at < size; at += strlen(text + at) + 1)
		if (!strncmp(text + at, variable, strlen(variable)))
			core_copy(process->irqbalance_banned, sizeof(process->irqbalance_banned),
				  text + at + strlen(variable));
}

/*
 * A worker of vhost is called after the thread that made it its own ("vhost-<tid>", drivers/vhost/vhost.c). It is a
 * kernel thread up to Linux 6.3, and since then a thread of that process, found among its tasks, unless
 * the device was told to fork it the old way.
 */
static int look_at(int dir, const char *name, void *data)
{
	struct scan *scan = data;
	struct process *process = scan->process;
	char path[64], comm[32];
	uint64_t pid;
	long owner;

	if (core_number(name, 1, INT32_MAX, &pid) < 0 || (long)pid == process->pid)
		return 0;
	snprintf(path, sizeof(path), "%.20s/comm", name);
	if (core_read_line(scan->proc, path, comm, sizeof(comm)) < 0)
		return 0;
	if (!strcmp(comm, "irqbalance")) {
		process->irqbalance = pid;
		read_banned(scan->proc, pid, process);
	}
	if (sscanf(comm, "vhost-%ld", &owner) != 1 || !is_own(process, process->nthreads, owner))
		return 0;
	snprintf(path, sizeof(path), "%.20s", name);
	return add_thread(scan->proc, path, pid, process);
}

int process_read(int proc, long pid, struct process *out, struct sriov_error *err)
{
	_process_ struct process process = {.pid = pid};
	struct scan scan = {.proc = proc, .process = &process};
	char path[64];
	int r;

	snprintf(path, sizeof(path), "%ld/task", pid);
	r = sysfs_each(proc, path, add_task, &scan);
	if (r == -ENOMEM)
		return core_oom(err);
	if (r < 0 || !process.nthreads)
		return core_errno(err, r == -ENOENT || !r ? -ESRCH : r, path,
				  "the guest's threads cannot be read");
	qsort(process.thread, process.nthreads, sizeof(*process.thread), by_tid);
	r = read_memory(proc, pid, &process, err);
	if (r < 0)
		return r;
	r = sysfs_each(proc, ".", look_at, &scan);
	if (r < 0)
		return core_errno(err, r, "/proc", "the processes cannot be listed");
	*out = process;
	process = (struct process){0};
	return 0;
}
