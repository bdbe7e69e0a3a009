/* SPDX-License-Identifier: Apache-2.0 */
/* Who has a VF open, out of a /proc and a /sys of our own. */
#include "lib/host/host.h"
#include "lib/kernel/kernel.h"
#include "tests/unit/kernel_tree.h"

#include <errno.h>
#include <sys/stat.h>

static void test_guest_name(void **state)
{
	static const struct {
		const char *cmdline;
		size_t size;
		const char *name;
	} cases[] = {
#define CMD(text) text, sizeof(text)
		{CMD("qemu\0-name\0guest=web1,debug-threads=on\0-S"), "web1"},
		{CMD("qemu\0-S\0-name\0web2"), "web2"},
		{CMD("qemu\0--name\0web3,process=x"), "web3"},
		{CMD("qemu\0-name\0guest=a,,b,debug-threads=on"), "a,b"},
		{CMD("qemu\0-name\0guest=,debug-threads=on"), NULL},
		{CMD("qemu\0-name"), NULL},
		{CMD("testpmd\0-l\0"
		     "1"),
		 NULL},
		{CMD(""), NULL},
#undef CMD
		{"qemu\0-name\0web4zzz", 15, "web4"}, /* not terminated */
		{NULL, 0, NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char out[SRIOV_NAME_LEN] = "untouched";
		_free_ char *copy = malloc(cases[i].size ? cases[i].size : 1);
		int r;

		if (cases[i].size)
			memcpy(copy, cases[i].cmdline, cases[i].size);
		r = vfio_guest_name(copy, cases[i].size, out, sizeof(out));
		if (r != (cases[i].name ? 0 : -ENOENT))
			fail_msg("case %zu: %d", i, r);
		assert_string_equal(out, cases[i].name ? cases[i].name : "untouched");
	}
}

static void test_long_guest_name(void **state)
{
	char cmdline[400], out[SRIOV_NAME_LEN];

	memset(cmdline, 'x', sizeof(cmdline));
	memcpy(cmdline, "q\0-name", 8);
	assert_int_equal(vfio_guest_name(cmdline, sizeof(cmdline), out, sizeof(out)), 0);
	assert_int_equal(strlen(out), sizeof(out) - 1);
}

struct world {
	struct tree sys, proc;
	struct sriov_inventory *inv;
};

static struct sriov_vf *add_vf(struct sriov_pf *pf, const char *driver, int group)
{
	size_t n = pf->vfs;
	struct sriov_vf *vf = core_grow(&pf->vf, &n, sizeof(*vf));

	assert_non_null(vf);
	pf->vfs = n;
	vf->index = n - 1;
	snprintf(vf->address, sizeof(vf->address), "0000:81:10.%u", vf->index);
	core_copy(vf->driver, sizeof(vf->driver), driver);
	vf->iommu_group = group;
	return vf;
}

static int setup(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	struct sriov_pf *pf;

	tree_make(&world->sys);
	tree_make(&world->proc);
	tree_folder(&world->proc, "1/fd");
	world->inv = calloc(1, sizeof(*world->inv));
	pf = inventory_add_pf(world->inv);
	core_copy(pf->address, sizeof(pf->address), "0000:81:00.0");
	core_copy(pf->driver, sizeof(pf->driver), "ixgbe");
	add_vf(pf, "vfio-pci", 12);
	add_vf(pf, "vfio-pci", 1);
	add_vf(pf, "ixgbevf", 13);
	*state = world;
	return 0;
}

static int teardown(void **state)
{
	struct world *world = *state;

	tree_remove(&world->sys);
	tree_remove(&world->proc);
	sriov_inventory_free(world->inv);
	free(world);
	return 0;
}

static void write_cmdline(const struct tree *proc, const char *path, const char *text, size_t size)
{
	char full[PATH_MAX];
	FILE *file;

	tree_path(proc, full, sizeof(full), path);
	file = fopen(full, "we");
	assert_int_equal(fwrite(text, 1, size, file), size);
	fclose(file);
}

static void test_users(void **state)
{
	static const char qemu[] = "qemu\0-name\0guest=web1,debug-threads=on";
	struct world *world = *state;
	struct sriov_vf *vf = world->inv->pf[0].vf;
	struct sriov_error err;

	/* a guest with group 12 and the container, a DPDK program with VF 1 by its own device, and others */
	tree_link(&world->proc, "100/fd/3", "/dev/vfio/vfio");
	tree_link(&world->proc, "100/fd/4", "/dev/vfio/12");
	tree_link(&world->proc, "100/fd/5", "/dev/vfio/12");
	write_cmdline(&world->proc, "100/cmdline", qemu, sizeof(qemu));
	tree_file(&world->proc, "100/comm", "qemu-system-x86\n");
	tree_link(&world->proc, "200/fd/9", "/dev/vfio/devices/vfio7");
	tree_file(&world->proc, "200/cmdline", "testpmd");
	tree_file(&world->proc, "200/comm", "dpdk-testpmd\n");
	tree_link(&world->proc, "300/fd/0", "/dev/vfio/112");
	tree_link(&world->proc, "300/fd/1", "/home/user/dev/vfio/12");
	tree_link(&world->proc, "300/fd/2", "socket:[12]");
	tree_link(&world->proc, "300/fd/3", "/dev/vfio/13");
	tree_folder(&world->proc, "400"); /* ended meanwhile */
	tree_folder(&world->proc, "self/fd");
	tree_folder(&world->sys, "bus/pci/devices/0000:81:10.1/vfio-dev/vfio7");

	assert_int_equal(vfio_users(world->sys.dir, world->proc.dir, world->inv, &err), 0);
	assert_int_equal(vf[0].uses.n, 1);
	assert_string_equal(vf[0].uses.at[0].who, "guest web1 (running)");
	assert_string_equal(vf[0].uses.at[0].how, "/dev/vfio/12 is open in process 100");
	assert_true(vf[0].uses.at[0].running);
	assert_false(vf[0].uses.at[0].unreadable);
	assert_int_equal(vf[1].uses.n, 1);
	assert_string_equal(vf[1].uses.at[0].who, "process 200 (dpdk-testpmd)");
	assert_int_equal(vf[2].uses.n, 0);
}

/* A PF given to user space is used by whoever has it open. */
static void test_pf_user(void **state)
{
	struct world *world = *state;
	struct sriov_pf *pf = &world->inv->pf[0];

	core_copy(pf->driver, sizeof(pf->driver), "vfio-pci");
	pf->iommu_group = 40;
	tree_link(&world->proc, "200/fd/9", "/dev/vfio/40");
	tree_file(&world->proc, "200/comm", "dpdk-testpmd\n");
	assert_int_equal(vfio_users(world->sys.dir, world->proc.dir, world->inv, NULL), 0);
	assert_int_equal(pf->uses.n, 1);
	assert_int_equal(pf->vf[0].uses.n, 0);
}

/* Nobody looks at processes if nothing is bound to vfio-pci: there may be no /proc at all. */
static void test_nothing_bound(void **state)
{
	struct world *world = *state;
	struct sriov_pf *pf = &world->inv->pf[0];

	for (unsigned i = 0; i < pf->vfs; i++)
		core_copy(pf->vf[i].driver, sizeof(pf->vf[i].driver), "ixgbevf");
	assert_int_equal(vfio_users(world->sys.dir, -1, world->inv, NULL), 0);
	assert_int_equal(pf->vf[0].uses.n, 0);
}

static void test_no_proc(void **state)
{
	struct world *world = *state;
	struct sriov_error err;

	assert_int_equal(vfio_users(world->sys.dir, -1, world->inv, &err), -EBADF);
	assert_string_equal(err.object, "/proc");
}

/* Init's descriptors cannot be looked at: we see our own processes at best. */
static void test_unreadable(void **state)
{
	struct world *world = *state;
	struct sriov_vf *vf = world->inv->pf[0].vf;
	char path[PATH_MAX];

	tree_path(&world->proc, path, sizeof(path), "1/fd");
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(vfio_users(world->sys.dir, world->proc.dir, world->inv, NULL), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(vf[i].uses.n, 1);
		assert_true(vf[i].uses.at[0].unreadable);
		assert_non_null(strstr(vf[i].uses.at[0].how, "root"));
	}
	assert_int_equal(vf[2].uses.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_guest_name),
		cmocka_unit_test(test_long_guest_name),
		cmocka_unit_test_setup_teardown(test_users, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pf_user, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nothing_bound, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_proc, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unreadable, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
