/* SPDX-License-Identifier: Apache-2.0 */
/* QEMU's process of a simulated guest, from and to JSON. */
#include "lib/core/cpuset.h"
#include "lib/host/fields.h"
#include "lib/host/sim.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define THREADS_MAX 8192

static const struct field process_fields[] = {
	FIELD(struct process, pid, FIELD_INT, .required = true, .min = 1, .max = INT_MAX),
	FIELD(struct process, irqbalance, FIELD_INT, .max = INT_MAX),
	FIELD(struct process, irqbalance_banned, FIELD_TEXT),
	{.key = "threads", .kind = FIELD_CHILD},
	{.key = "memory", .kind = FIELD_CHILD},
	FIELD_END,
};

static const struct field thread_fields[] = {
	FIELD(struct process_thread, tid, FIELD_INT, .required = true, .min = 1, .max = INT_MAX),
	FIELD(struct process_thread, name, FIELD_TEXT, .required = true),
	FIELD(struct process_thread, cpus, FIELD_TEXT, .required = true),
	FIELD(struct process_thread, cpu, FIELD_INT, .min = -1, .max = CPUSET_MAX - 1),
	FIELD(struct process_thread, run_ms, FIELD_INT, .max = INT64_MAX),
	FIELD(struct process_thread, wait_ms, FIELD_INT, .max = INT64_MAX),
	FIELD_END,
};

static const struct field memory_fields[] = {
	FIELD(struct process_memory, node, FIELD_INT, .required = true, .max = 1023),
	FIELD(struct process_memory, kib, FIELD_INT, .max = INT64_MAX / 1024),
	FIELD(struct process_memory, huge_kib, FIELD_INT, .max = INT64_MAX / 1024),
	FIELD_END,
};

void sim_process_free(struct process *process)
{
	if (process)
		process_clear(process);
	free(process);
}

static void process_freep(struct process **process)
{
	sim_process_free(*process);
}

static int threads_decode(struct reader *r, const json_t *json, const char *parent,
			  struct process *process)
{
	const json_t *array = reader_array(r, json, parent, "threads", THREADS_MAX), *element;
	char path[READER_PATH];
	struct cpuset cpus;
	size_t i;

	json_array_foreach(array, i, element) {
		struct process_thread *thread = core_grow(&process->thread, &process->nthreads,
							  sizeof(*thread));

		if (!thread)
			return r->code = core_oom(r->err);
		thread->cpu = -1;
		reader_path(path, parent, "threads", i);
		if (fields_decode(r, element, path, thread_fields, thread, NULL) < 0)
			return r->code;
		if (cpuset_parse(thread->cpus, &cpus) < 0)
			return reader_fail(r, -EINVAL, path, "cpus",
					   "'%s' is not a list of CPUs (0-7,16-23)", thread->cpus);
	}
	return r->code;
}

static int memory_decode(struct reader *r, const json_t *json, const char *parent,
			 struct process *process)
{
	const json_t *array = reader_array(r, json, parent, "memory", 1024), *element;
	char path[READER_PATH];
	size_t i;

	json_array_foreach(array, i, element) {
		struct process_memory *memory = core_grow(&process->memory, &process->nmemory,
							  sizeof(*memory));

		if (!memory)
			return r->code = core_oom(r->err);
		reader_path(path, parent, "memory", i);
		if (fields_decode(r, element, path, memory_fields, memory, NULL) < 0)
			return r->code;
	}
	return r->code;
}

int sim_process_decode(struct reader *r, const json_t *json, const char *parent,
		       struct process **out)
{
	const json_t *object = json_object_get(json, "process");
	_cleanup_(process_freep)
	struct process *process = NULL;
	char path[READER_PATH];

	if (!object)
		return 0;
	process = calloc(1, sizeof(*process));
	if (!process)
		return r->code = core_oom(r->err);
	snprintf(path, sizeof(path), "%.*s.process", READER_PATH - 16, parent);
	if (fields_decode(r, object, path, process_fields, process, NULL) < 0 ||
	    threads_decode(r, object, path, process) < 0 ||
	    memory_decode(r, object, path, process) < 0)
		return r->code;
	*out = core_steal(process);
	return 0;
}

json_t *sim_process_encode(const struct process *process)
{
	_json_ json_t *json = fields_encode(process_fields, process, 0);
	json_t *threads = json_array(), *memory = json_array();
	bool ok = json_put(json, "threads", threads);

	ok = json_put(json, "memory", memory) && ok;
	for (size_t i = 0; ok && i < process->nthreads; i++)
		ok = json_add(threads, fields_encode(thread_fields, &process->thread[i], 0));
	for (size_t i = 0; ok && i < process->nmemory; i++)
		ok = json_add(memory, fields_encode(memory_fields, &process->memory[i], 0));
	return ok ? core_steal(json) : NULL;
}

int sim_process_copy(const struct process *process, struct process *out)
{
	struct process copy = *process;

	copy.thread = calloc(process->nthreads + 1, sizeof(*copy.thread));
	copy.memory = calloc(process->nmemory + 1, sizeof(*copy.memory));
	if (!copy.thread || !copy.memory) {
		process_clear(&copy);
		return -ENOMEM;
	}
	if (process->nthreads)
		memcpy(copy.thread, process->thread, process->nthreads * sizeof(*copy.thread));
	if (process->nmemory)
		memcpy(copy.memory, process->memory, process->nmemory * sizeof(*copy.memory));
	*out = copy;
	return 0;
}

void sim_process_pin(struct process *process, enum process_role role, unsigned number,
		     const char *cpus)
{
	for (size_t i = 0; i < process->nthreads; i++) {
		struct process_thread *thread = &process->thread[i];
		unsigned is_number;
		enum process_role is = process_role(thread, &is_number);

		/* in the emulator's cgroup are the workers of vhost too */
		if (is == PROCESS_VHOST)
			is = PROCESS_EMULATOR;
		if (is == role && is_number == (role == PROCESS_EMULATOR ? 0 : number))
			core_copy(thread->cpus, sizeof(thread->cpus), cpus);
	}
}
