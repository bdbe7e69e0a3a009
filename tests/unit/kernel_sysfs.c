/* SPDX-License-Identifier: Apache-2.0 */
/* PFs, VFs and nodes out of a sysfs tree of our own. */
#include "lib/kernel/kernel.h"
#include "tests/unit/kernel_tree.h"

#include <errno.h>

#define PF "0000:81:00.0"

static struct tree tree;

/*
 * Two PFs (eth2 with three VFs, the other without a netdev), a NIC without SR-IOV, an NVMe with it, a
 * bridge and a netdev of another bus.
 */
static int setup(void **state)
{
	tree_make(&tree);
	tree_pf(&tree, PF, "eth2", "ixgbe");
	tree_file(&tree, "class/net/eth2/flags", "0x1003\n");
	tree_file(&tree, "bus/pci/devices/" PF "/net/eth2/ifindex", "12\n");
	tree_file(&tree, "module/ixgbe/taint", "OE\n");
	tree_vf(&tree, PF, 10, "0000:81:12.4", NULL, NULL);
	tree_vf(&tree, PF, 0, "0000:81:10.0", "ixgbevf", "eth3");
	tree_vf(&tree, PF, 1, "0000:81:10.2", "vfio-pci", NULL);
	tree_vf(&tree, PF, 2, "0000:81:10.4", "ixgbevf", NULL);
	tree_folder(&tree, "bus/pci/devices/0000:81:10.4/net");
	tree_file(&tree, "class/net/eth3/flags", "0x1003\n");
	tree_link(&tree, "class/net/eth3/master", "../br0");
	tree_link(&tree, "class/net/eth3/device", "../../../bus/pci/devices/0000:81:10.0");

	tree_pf(&tree, "0000:41:00.1", NULL, "vfio-pci");
	tree_file(&tree, "module/vfio-pci/taint", "\n");
	tree_file(&tree, "bus/pci/devices/0000:01:00.0/class", "0x020000\n");
	tree_file(&tree, "bus/pci/devices/0000:02:00.0/class", "0x010802\n");
	tree_file(&tree, "bus/pci/devices/0000:02:00.0/sriov_totalvfs", "8\n");
	tree_folder(&tree, "class/net/br0");
	tree_link(&tree, "class/net/usb0/device", "../../../devices/usb1/1-1");
	return 0;
}

static int teardown(void **state)
{
	tree_remove(&tree);
	return 0;
}

static void test_list(void **state)
{
	_free_ char(*list)[SRIOV_PCI_LEN] = NULL;
	struct sriov_error err;
	size_t n;

	assert_int_equal(sysfs_list(tree.dir, &list, &n, &err), 0);
	assert_int_equal(n, 2);
	assert_string_equal(list[0], "0000:41:00.1");
	assert_string_equal(list[1], PF);
}

static void test_find(void **state)
{
	static const struct {
		const char *name, *address;
	} cases[] = {
		{"eth2", PF},
		{PF, PF},
		{"81:00.0", PF},
		{"0000:41:00.1", "0000:41:00.1"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char out[SRIOV_PCI_LEN] = "";

		assert_int_equal(sysfs_find(tree.dir, cases[i].name, out, NULL), 0);
		assert_string_equal(out, cases[i].address);
	}
}

static void test_find_refused(void **state)
{
	static const char pfs[] = "PFs of this host: 0000:41:00.1, eth2 (" PF ")";
	static const struct {
		const char *name;
		int r;
		const char *message, *hint;
	} cases[] = {
		{"eth9", -ENODEV, "no such network device", pfs},
		{"", -ENODEV, "no such network device", pfs},
		{"../../etc", -ENODEV, "no such network device", pfs},
		{"..", -ENODEV, "no such network device", pfs},
		{"a-name-that-no-netdev-can-have", -ENODEV, "no such network device", pfs},
		{"0000:99:00.0", -ENODEV, "no PCI device has the address 0000:99:00.0", pfs},
		{"eth3", -ENOTSUP, "0000:81:10.0 is a VF of PF " PF " (eth2)", "name the PF: eth2"},
		{"0000:81:10.2", -ENOTSUP, "is a VF of PF", "name the PF: eth2"},
		{"0000:01:00.0", -ENOTSUP, "has no SR-IOV", pfs},
		{"0000:02:00.0", -ENOTSUP, "is not a network device", pfs},
		{"br0", -ENOTSUP, "is not a PCI network device", pfs},
		{"usb0", -ENOTSUP, "is not a PCI network device", pfs},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char out[SRIOV_PCI_LEN] = "untouched";
		struct sriov_error err = {0};

		if (sysfs_find(tree.dir, cases[i].name, out, &err) != cases[i].r)
			fail_msg("'%s': %s", cases[i].name, err.message);
		if (!strstr(err.message, cases[i].message) || !strstr(err.hint, cases[i].hint))
			fail_msg("'%s': %s (%s)", cases[i].name, err.message, err.hint);
		assert_string_equal(err.object, cases[i].name);
		assert_string_equal(out, "untouched");
	}
}

static void test_pf(void **state)
{
	struct sriov_pf pf = {0}, other = {0};
	struct sriov_error err;

	assert_int_equal(sysfs_pf(tree.dir, PF, &pf, &err), 0);
	assert_string_equal(pf.address, PF);
	assert_string_equal(pf.netdev, "eth2");
	assert_int_equal(pf.ifindex, 12);
	assert_string_equal(pf.driver, "ixgbe");
	assert_int_equal(pf.vendor, 0x8086);
	assert_int_equal(pf.device, 0x10fb);
	assert_int_equal(pf.node, 1);
	assert_int_equal(pf.iommu_group, 40);
	assert_int_equal(pf.vfs, 4);
	assert_int_equal(pf.vfs_total, 63);
	assert_false(pf.autoprobe);
	assert_int_equal(pf.speed_mbps, 10000);
	assert_int_equal(pf.in_tree, SRIOV_NO);

	assert_int_equal(sysfs_pf(tree.dir, "0000:41:00.1", &other, &err), 0);
	assert_string_equal(other.netdev, "");
	assert_int_equal(other.vfs, 0);
	assert_int_equal(other.in_tree, SRIOV_YES);
	assert_int_equal(sysfs_pf(tree.dir, "0000:99:00.0", &other, &err), -ENODEV);
}

/* No link: the driver answers -1 or an error; no module: nobody knows where the driver is from. */
static void test_pf_unknowns(void **state)
{
	struct sriov_pf pf = {0};
	struct tree bare;

	tree_make(&bare);
	tree_pf(&bare, PF, "eth2", "ixgbe");
	tree_file(&bare, "bus/pci/devices/" PF "/net/eth2/speed", "-1\n");
	tree_file(&bare, "bus/pci/devices/" PF "/device", "0xfffe\n");
	assert_int_equal(sysfs_pf(bare.dir, PF, &pf, NULL), 0);
	assert_int_equal(pf.speed_mbps, 0);
	assert_int_equal(pf.in_tree, SRIOV_UNKNOWN);
	assert_string_equal(pf.name, "8086:fffe");
	tree_remove(&bare);
}

static void test_vfs(void **state)
{
	struct sriov_pf pf = {.address = PF};
	struct sriov_error err;
	unsigned count;

	assert_int_equal(sysfs_count_vfs(tree.dir, PF, &count), 0);
	assert_int_equal(count, 4);
	assert_int_equal(sysfs_vfs(tree.dir, &pf, &err), 0);
	assert_int_equal(pf.vfs, 4);
	assert_string_equal(pf.vf[0].address, "0000:81:10.0");
	assert_string_equal(pf.vf[0].netdev, "eth3");
	assert_string_equal(pf.vf[0].master, "br0");
	assert_true(pf.vf[0].netdev_up);
	assert_false(pf.vf[0].in_netns);
	assert_int_equal(pf.vf[0].iommu_group, 50);
	assert_string_equal(pf.vf[1].driver, "vfio-pci");
	assert_false(pf.vf[1].in_netns);
	/* bound, and its net folder is there but empty: another namespace has the netdev */
	assert_true(pf.vf[2].in_netns);
	assert_int_equal(pf.vf[3].index, 10);
	assert_string_equal(pf.vf[3].driver, "");
	free(pf.vf);
}

static void test_vfs_gone(void **state)
{
	struct sriov_pf pf = {.address = "0000:99:00.0", .vfs = 7};
	struct sriov_error err;
	unsigned count = 42;

	assert_int_equal(sysfs_vfs(tree.dir, &pf, &err), -ENODEV);
	assert_null(pf.vf);
	assert_int_equal(pf.vfs, 7);
	assert_int_equal(sysfs_count_vfs(tree.dir, "0000:99:00.0", &count), -ENODEV);
	assert_int_equal(count, 42);
}

static void test_no_pci(void **state)
{
	struct sriov_error err;
	struct tree bare;
	char out[SRIOV_PCI_LEN];
	char(*list)[SRIOV_PCI_LEN];
	size_t n = 9;

	tree_make(&bare);
	assert_int_equal(sysfs_list(bare.dir, &list, &n, &err), 0);
	assert_int_equal(n, 0);
	assert_int_equal(sysfs_find(bare.dir, "eth0", out, &err), -ENODEV);
	assert_non_null(strstr(err.hint, "no network device with SR-IOV"));
	tree_remove(&bare);
}

static void test_nodes(void **state)
{
	_free_ struct sriov_node *nodes = NULL;
	struct sriov_error err;
	struct tree host;
	size_t n;

	tree_make(&host);
	tree_file(&host, "devices/system/node/node10/cpulist", "8-15\n");
	tree_file(&host, "devices/system/node/node10/meminfo", "Node 10 MemTotal:  1048576 kB\n");
	tree_file(&host, "devices/system/node/node1/cpulist", "0-7,16-23\n");
	tree_file(&host, "devices/system/node/node1/meminfo",
		  "Node 1 MemFree: 5 kB\nNode 1 MemTotal:       65536 kB\n");
	tree_file(&host, "devices/system/node/node1/hugepages/hugepages-1048576kB/nr_hugepages",
		  "4\n");
	tree_file(&host, "devices/system/node/node1/hugepages/hugepages-1048576kB/free_hugepages",
		  "3\n");
	tree_file(&host, "devices/system/node/node1/hugepages/hugepages-2048kB/nr_hugepages",
		  "512\n");
	tree_file(&host, "devices/system/node/node1/hugepages/hugepages-2048kB/free_hugepages",
		  "0\n");
	tree_file(&host, "devices/system/node/online", "1,10\n");
	assert_int_equal(sysfs_nodes(host.dir, &nodes, &n, &err), 0);
	assert_int_equal(n, 2);
	assert_int_equal(nodes[0].id, 1);
	assert_string_equal(nodes[0].cpus, "0-7,16-23");
	assert_int_equal(nodes[0].memory_mib, 64);
	assert_int_equal(nodes[0].nhuge, 2);
	assert_int_equal(nodes[0].huge[0].size_kib, 2048);
	assert_int_equal(nodes[0].huge[0].total, 512);
	assert_int_equal(nodes[0].huge[1].size_kib, 1048576);
	assert_int_equal(nodes[0].huge[1].free, 3);
	assert_int_equal(nodes[1].id, 10);
	assert_int_equal(nodes[1].memory_mib, 1024);
	assert_int_equal(nodes[1].nhuge, 0);

	assert_false(sysfs_iommu(host.dir));
	tree_folder(&host, "class/iommu");
	assert_false(sysfs_iommu(host.dir));
	tree_link(&host, "class/iommu/dmar0", "../../devices/virtual/iommu/dmar0");
	assert_true(sysfs_iommu(host.dir));
	tree_remove(&host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list),         cmocka_unit_test(test_find),
		cmocka_unit_test(test_find_refused), cmocka_unit_test(test_pf),
		cmocka_unit_test(test_pf_unknowns),  cmocka_unit_test(test_vfs),
		cmocka_unit_test(test_vfs_gone),     cmocka_unit_test(test_no_pci),
		cmocka_unit_test(test_nodes),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
