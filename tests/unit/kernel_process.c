/* SPDX-License-Identifier: Apache-2.0 */
/* A guest's process and a port's interrupts out of a /proc and a /sys of our own. */
#include "lib/kernel/process.h"

#include "lib/core/cpuset.h"
#include "lib/kernel/kernel.h"
#include "tests/unit/kernel_tree.h"

#include <errno.h>

static struct tree proc;

/* A thread's files, in the folder @path; the name in stat has what a parser could stumble over. */
static void add_thread(const char *path, const char *name, const char *cpus, int cpu,
		       const char *schedstat)
{
	_free_ char *comm = core_printf("%s/comm", path), *status = core_printf("%s/status", path);
	_free_ char *stat = core_printf("%s/stat", path),
		    *sched = core_printf("%s/schedstat", path);
	_free_ char *text = core_printf("%s\n", name);
	_free_ char *allowed = core_printf(
		"Name:\t%s\nCpus_allowed:\tff\nCpus_allowed_list:\t%s\nMems_allowed:\t1\n", name,
		cpus);
	_free_ char *line =
		core_printf("7 (%s) 1) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 "
			    "22 23 24 25 26 27 28 29 30 31 32 33 34 35 %d 0 0\n",
			    name, cpu);

	tree_file(&proc, comm, text);
	tree_file(&proc, status, allowed);
	tree_file(&proc, stat, line);
	if (schedstat)
		tree_file(&proc, sched, schedstat);
}

static int setup(void **state)
{
	tree_make(&proc);
	/* as from Linux 6.4 on: one worker is a task of QEMU's; another an older kernel's thread */
	add_thread("100/task/100", "qemu-system-x86", "0-7", 3, "5000000000 1000000 9\n");
	add_thread("100/task/103", "CPU 1/KVM", "4", 4, "1000000 2000000 1\n");
	add_thread("100/task/102", "CPU 0/KVM", "5", 5, NULL);
	add_thread("100/task/104", "IO iothread12", "6", 6, NULL);
	add_thread("100/task/105", "vhost-100", "6-7", 7, "9000000000 8000000000 1\n");
	tree_folder(&proc, "100/task/106"); /* it ended while it was looked at */
	tree_file(&proc, "100/comm", "qemu-system-x86\n");
	tree_file(
		&proc, "100/numa_maps",
		"7f00 bind:1 anon=3 dirty=3 N0=1 N1=2 kernelpagesize_kB=4\n"
		"7f10 default file=/usr/lib/libc.so.6 mapped=300 N0=300 kernelpagesize_kB=4\n"
		"7f20 default file=/memfd:ram\\040(deleted) dirty=256 active=0 N1=256 kernelpagesize_kB=4\n"
		"7f30 bind:1 file=/dev/hugepages/ram huge dirty=2 N1=2 kernelpagesize_kB=2048\n"
		"7f40 default\n"
		"7f50 default anon=1 dirty=1 N12=1 N4x=7 kernelpagesize_kB=64\n");
	add_thread("200", "vhost-102", "0", 0, NULL);
	add_thread("201", "vhost-999", "0", 0, NULL);
	tree_file(&proc, "300/comm", "irqbalance\n");
	tree_file(&proc, "400/status", "without a comm\n");
	tree_file(&proc, "uptime", "1 1\n");
	return 0;
}

static int teardown(void **state)
{
	tree_remove(&proc);
	return 0;
}

static void test_read(void **state)
{
	static const struct process_thread expect[] = {
		{100, "qemu-system-x86", "0-7", 3, 5000, 1},
		{102, "CPU 0/KVM", "5", 5, 0, 0},
		{103, "CPU 1/KVM", "4", 4, 1, 2},
		{104, "IO iothread12", "6", 6, 0, 0},
		{105, "vhost-100", "6-7", 7, 9000, 8000},
		{200, "vhost-102", "0", 0, 0, 0},
	};
	static const struct process_memory memory[] = {{0, 4, 0}, {1, 8 + 1024, 4096}, {12, 64, 0}};
	_process_ struct process process = {0};
	struct sriov_error err;

	assert_int_equal(process_read(proc.dir, 100, &process, &err), 0);
	assert_int_equal(process.pid, 100);
	assert_int_equal(process.nthreads, ARRAY_SIZE(expect));
	for (size_t i = 0; i < ARRAY_SIZE(expect); i++) {
		const struct process_thread *is = &process.thread[i];

		assert_int_equal(is->tid, expect[i].tid);
		assert_string_equal(is->name, expect[i].name);
		assert_string_equal(is->cpus, expect[i].cpus);
		assert_int_equal(is->cpu, expect[i].cpu);
		assert_int_equal(is->run_ms, expect[i].run_ms);
		assert_int_equal(is->wait_ms, expect[i].wait_ms);
	}
	assert_int_equal(process.nmemory, ARRAY_SIZE(memory));
	assert_memory_equal(process.memory, memory, sizeof(memory));
	assert_int_equal(process.irqbalance, 300);
	assert_string_equal(process.irqbalance_banned, "");
}

static void test_banned(void **state)
{
	_process_ struct process process = {0};
	char path[PATH_MAX];
	FILE *file;

	snprintf(path, sizeof(path), "%s/300/environ", proc.path);
	file = fopen(path, "we");
	assert_non_null(file);
	fwrite("HOME=/\0IRQBALANCE_BANNED_CPULIST=4-7\0X=1", 1, 40, file);
	fclose(file);
	assert_int_equal(process_read(proc.dir, 100, &process, NULL), 0);
	assert_string_equal(process.irqbalance_banned, "4-7");
}

static void test_refused(void **state)
{
	_process_ struct process process = {.pid = 7};
	struct sriov_error err;

	assert_int_equal(process_read(proc.dir, 12345, &process, &err), -ESRCH);
	assert_string_equal(err.message, "the guest's threads cannot be read");
	tree_folder(&proc, "500/task");
	assert_int_equal(process_read(proc.dir, 500, &process, &err), -ESRCH);
	add_thread("501/task/501", "qemu", "0", 0, NULL);
	tree_folder(&proc, "501/numa_maps");
	assert_int_equal(process_read(proc.dir, 501, &process, &err), -EISDIR);
	assert_string_equal(err.message, "where its memory is cannot be read");
	assert_int_equal(process.pid, 7);
	/* a kernel without NUMA has no such file */
	add_thread("502/task/502", "qemu", "0", 0, NULL);
	assert_int_equal(process_read(proc.dir, 502, &process, &err), 0);
	assert_int_equal(process.nmemory, 0);
}

static void test_roles(void **state)
{
	static const struct {
		const char *name;
		enum process_role role;
		unsigned number;
	} rows[] = {
		{"CPU 12/KVM", PROCESS_VCPU, 12},         {"CPU 0/TCG", PROCESS_VCPU, 0},
		{"IO iothread3", PROCESS_IOTHREAD, 3},    {"IO mon_iothread", PROCESS_EMULATOR, 0},
		{"vhost-4711", PROCESS_VHOST, 0},         {"vhost-", PROCESS_EMULATOR, 0},
		{"qemu-system-x86", PROCESS_EMULATOR, 0}, {"worker", PROCESS_EMULATOR, 0},
		{"ALL CPUs/TCG", PROCESS_EMULATOR, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct process_thread thread = {0};
		unsigned number;

		core_copy(thread.name, sizeof(thread.name), rows[i].name);
		assert_int_equal(process_role(&thread, &number), rows[i].role);
		assert_int_equal(number, rows[i].number);
	}
}

static void test_irqs(void **state)
{
	_free_ char *cpus = NULL, *none = NULL;
	struct tree sys;
	struct sriov_error err;

	tree_make(&sys);
	tree_folder(&sys, "bus/pci/devices/0000:81:00.0/msi_irqs");
	tree_file(&sys, "bus/pci/devices/0000:81:00.0/msi_irqs/40", "msix\n");
	tree_file(&sys, "bus/pci/devices/0000:81:00.0/msi_irqs/41", "msix\n");
	tree_file(&sys, "bus/pci/devices/0000:81:00.0/msi_irqs/42", "msix\n");
	tree_file(&sys, "bus/pci/devices/0000:81:00.0/msi_irqs/43", "msix\n"); /* nobody's */
	tree_file(&proc, "irq/40/effective_affinity_list", "9\n");
	tree_file(&proc, "irq/40/smp_affinity_list", "0-31\n");
	tree_file(&proc, "irq/41/smp_affinity_list", "2-3\n");
	tree_file(&proc, "irq/42/effective_affinity_list", "\n"); /* an empty mask is none */
	tree_file(&proc, "irq/42/smp_affinity_list", "4\n");
	assert_int_equal(sysfs_irq_cpus(sys.dir, proc.dir, "0000:81:00.0", &cpus, &err), 0);
	assert_string_equal(cpus, "2-4,9");
	/* a port that is down has no vectors */
	assert_int_equal(sysfs_irq_cpus(sys.dir, proc.dir, "0000:82:00.0", &none, &err), 0);
	assert_string_equal(none, "");
	tree_remove(&sys);
}

static void test_sets(void **state)
{
	static const struct {
		const char *a, *b, *joined, *dropped;
		bool meets;
	} rows[] = {
		{"0-3", "2-5", "0-5", "0-1", true},
		{"", "7", "7", "", false},
		{"63-64,8191", "64", "63-64,8191", "63,8191", true},
		{"1,3,5", "2,4", "1-5", "1,3,5", false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct cpuset a, b, set;
		_free_ char *joined = NULL, *dropped = NULL;

		assert_int_equal(cpuset_parse(rows[i].a, &a), 0);
		assert_int_equal(cpuset_parse(rows[i].b, &b), 0);
		set = a;
		cpuset_join(&set, &b);
		joined = cpuset_text(&set);
		assert_string_equal(joined, rows[i].joined);
		set = a;
		cpuset_drop(&set, &b);
		dropped = cpuset_text(&set);
		assert_string_equal(dropped, rows[i].dropped);
		assert_int_equal(cpuset_meets(&a, &b), rows[i].meets);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),    cmocka_unit_test(test_banned),
		cmocka_unit_test(test_refused), cmocka_unit_test(test_roles),
		cmocka_unit_test(test_irqs),    cmocka_unit_test(test_sets),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
