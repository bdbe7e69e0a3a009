/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong with where a guest's threads run: see findings.h. */
#include "lib/guest/findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct topology_node *node_of(const struct check *check, const struct cpuset *cpus)
{
	const struct topology *topology = check->facts->tune->topology;

	for (size_t i = 0; i < topology->nnodes; i++)
		if (cpuset_meets(cpus, &topology->node[i].cpus))
			return &topology->node[i];
	return NULL;
}

static char *object_of(enum process_role role, const struct process_thread *thread, unsigned number)
{
	switch (role) {
	case PROCESS_VCPU:
		return core_printf("vCPU %u", number);
	case PROCESS_IOTHREAD:
		return core_printf("IOThread %u", number);
	case PROCESS_VHOST:
		return core_printf("vhost worker %ld", thread->tid);
	default:
		return strdup("emulator");
	}
}

static char *runs_on(const struct process_thread *thread, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static char *runs_on(const struct process_thread *thread, const char *fmt, ...)
{
	_free_ char *rest = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&rest, fmt, ap) < 0)
		rest = NULL;
	va_end(ap);
	return rest ? core_printf("thread %ld (%s) may run on %s, ran last on %d; %s", thread->tid,
				  thread->name, thread->cpus, thread->cpu, rest)
		    : NULL;
}

/* What is looked at of a thread, and what the domain and the target say of it. */
struct look {
	const struct process_thread *thread;
	enum process_role role;
	unsigned number;
	struct cpuset may;
	const struct tune_item *item; /* NULL: no target */
	const struct cpuset *pinned;  /* as the domain says; NULL or empty: not */
};

/*
 * Workers follow the emulator's pin through its cgroup. Where libvirt has no cgroups they stay where they were made, and
 * only the kernel can be told.
 */
static char *fix_of(const struct check *check, const struct look *look)
{
	_free_ char *list = NULL;

	if (look->role != PROCESS_VHOST || !look->pinned || cpuset_is_empty(look->pinned) ||
	    cpuset_within(&look->may, look->pinned))
		return check_fix_tune(check);
	list = cpuset_text(look->pinned);
	return list ? core_printf("taskset -cp %s %ld", list, look->thread->tid) : NULL;
}

static void look_elsewhere(struct check *check, const struct look *look)
{
	const struct topology_node *node = look->item ? node_of(check, &look->item->to) : NULL;

	if (look->role != PROCESS_VCPU || !node || cpuset_within(&look->may, &node->cpus))
		return;
	check_add(check, SRIOV_PROBLEM, "vcpu-elsewhere",
		  object_of(look->role, look->thread, look->number),
		  runs_on(look->thread, "it belongs to node %d, where %s is", node->id,
			  check->facts->tune->nic),
		  check_fix_tune(check));
}

static void look_excluded(struct check *check, const struct look *look)
{
	_free_ char *list = NULL;

	if (!cpuset_meets(&look->may, &check->excluded))
		return;
	list = cpuset_text(&check->excluded);
	check_add(check, SRIOV_PROBLEM, "on-excluded-cpus",
		  object_of(look->role, look->thread, look->number),
		  list ? runs_on(look->thread, "cores %s are not for guests", list) : NULL,
		  core_printf("sriovctl guest tune %s --apply --exclude-cpus %s",
			      check->facts->guest, list ? list : ""));
}

static void look_interrupts(struct check *check, const struct look *look)
{
	static const char *const ids[] = {[PROCESS_EMULATOR] = "emulator-on-interrupts",
					  [PROCESS_VCPU] = "vcpu-on-interrupts",
					  [PROCESS_IOTHREAD] = "iothread-on-interrupts",
					  [PROCESS_VHOST] = "vhost-on-interrupts"};
	_free_ char *list = NULL;

	if (!look->item || !cpuset_meets(&look->may, &check->busy) ||
	    cpuset_meets(&look->item->to, &check->busy))
		return;
	list = cpuset_text(&check->busy);
	check_add(check, SRIOV_WARNING, ids[look->role],
		  object_of(look->role, look->thread, look->number),
		  list ? runs_on(look->thread, "the NIC's interrupts are on %s", list) : NULL,
		  fix_of(check, look));
}

static void look_pinned(struct check *check, const struct look *look)
{
	static const char *const commands[] = {[PROCESS_EMULATOR] = "emulatorpin",
					       [PROCESS_VCPU] = "vcpupin",
					       [PROCESS_IOTHREAD] = "iothreadpin"};
	_free_ char *list = NULL;
	char number[16] = "";

	if (look->role == PROCESS_VHOST || !look->pinned || cpuset_is_empty(look->pinned) ||
	    (cpuset_within(&look->may, look->pinned) && cpuset_within(look->pinned, &look->may)))
		return;
	list = cpuset_text(look->pinned);
	if (look->role != PROCESS_EMULATOR)
		snprintf(number, sizeof(number), " %u", look->number);
	check_add(check, SRIOV_WARNING, "pin-undone",
		  object_of(look->role, look->thread, look->number),
		  list ? runs_on(look->thread, "the domain pins it to %s: something else moved it",
				 list)
		       : NULL,
		  core_printf("virsh %s %s%s %s --live", commands[look->role], check->facts->guest,
			      number, list ? list : ""));
}

/* Ready to run and not let: more than half of its time. */
static void look_starved(struct check *check, const struct look *look)
{
	const struct process_thread *thread = look->thread;

	if (look->role != PROCESS_VHOST || thread->wait_ms < CHECK_BUSY_MS ||
	    thread->wait_ms < thread->run_ms)
		return;
	check_add(check, SRIOV_PROBLEM, "vhost-starved",
		  object_of(look->role, thread, look->number),
		  runs_on(thread, "it ran %llu ms and waited %llu ms for a CPU",
			  (unsigned long long)thread->run_ms, (unsigned long long)thread->wait_ms),
		  fix_of(check, look));
}

void check_threads(struct check *check)
{
	static void (*const looks[])(struct check *, const struct look *) = {
		look_elsewhere, look_excluded, look_interrupts, look_pinned, look_starved};
	const struct process *process = check->facts->process;
	const struct tune_domain *domain = check->domain;

	for (size_t i = 0; process && i < process->nthreads; i++) {
		struct look look = {.thread = &process->thread[i]};

		look.role = process_role(look.thread, &look.number);
		/* QEMU's helpers follow its main thread, which stands for them all */
		if ((look.role == PROCESS_EMULATOR && look.thread->tid != process->pid) ||
		    cpuset_parse(look.thread->cpus, &look.may) < 0)
			continue;
		if (look.role == PROCESS_VCPU) {
			look.item = check_item(check, TUNE_VCPU, look.number);
			look.pinned = look.number < domain->vcpus ? &domain->pin[look.number]
								  : NULL;
		} else if (look.role == PROCESS_IOTHREAD) {
			look.item = check_item(check, TUNE_IOTHREAD, look.number);
			for (size_t k = 0; k < domain->niothreads; k++)
				if (domain->iothread[k].id == look.number)
					look.pinned = &domain->iothread[k].pin;
		} else {
			look.item = check_item(check, TUNE_EMULATOR, 0);
			look.pinned = &domain->emulator;
		}
		for (size_t k = 0; k < ARRAY_SIZE(looks); k++)
			looks[k](check, &look);
	}
}
