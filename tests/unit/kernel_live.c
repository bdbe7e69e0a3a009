/* SPDX-License-Identifier: Apache-2.0 */
/* The live host on a sysfs of our own: what is read for which flag, effects read back, a PF that is stuck. */
#include "lib/host/live.h"
#include "tests/unit/kernel_tree.h"

#include <errno.h>
#include <net/if.h>
#include <signal.h>
#include <sys/wait.h>

#define PF "0000:81:00.0"
#define OTHER "0000:82:00.0"
#define VF0 "0000:81:10.0"
#define DEVICE "bus/pci/devices/"

struct world {
	struct tree sys, proc;
	struct sriov_host host;
	struct sriov_inventory *inv;
};

/* Netdevs without an ifindex: this kernel is asked nothing about them. */
static int setup(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	tree_make(&world->sys);
	tree_make(&world->proc);
	tree_file(&world->proc, "sys/kernel/random/boot_id", "0000-boot\n");
	tree_pf(&world->sys, PF, "eth2", "ixgbe");
	tree_vf(&world->sys, PF, 0, VF0, "ixgbevf", "eth3");
	tree_vf(&world->sys, PF, 1, "0000:81:10.2", NULL, NULL);
	tree_file(&world->sys, DEVICE "0000:81:10.2/driver_override", "vfio-pci\n");
	tree_pf(&world->sys, OTHER, "eth5", "ixgbe");
	tree_vf(&world->sys, OTHER, 0, "0000:82:10.0", NULL, NULL);
	tree_file(&world->sys, "devices/system/node/node0/cpulist", "0-3\n");
	assert_int_equal(live_open_at(&world->host, world->sys.path, world->proc.path, NULL), 0);
	world->inv = calloc(1, sizeof(*world->inv));
	*state = world;
	return 0;
}

static int teardown(void **state)
{
	struct world *world = *state;

	world->host.ops->close(&world->host);
	/* children that were stuck and are let go end by themselves once we have hung up */
	while (wait(NULL) > 0)
		;
	tree_remove(&world->sys);
	tree_remove(&world->proc);
	sriov_inventory_free(world->inv);
	free(world);
	return 0;
}

static int look(struct world *world, const char *pf, unsigned what, struct sriov_error *err)
{
	sriov_inventory_free(world->inv);
	world->inv = calloc(1, sizeof(*world->inv));
	return world->host.ops->read(&world->host, pf, what, world->inv, err);
}

static void make_fifo(const struct tree *tree, const char *path)
{
	char full[PATH_MAX];

	unlinkat(tree->dir, path, 0);
	tree_path(tree, full, sizeof(full), path);
	assert_int_equal(mkfifo(full, 0600), 0);
}

/* Lets whoever is stuck in a FIFO go on. */
static void release(const struct tree *tree, const char *path, int how)
{
	int fd = openat(tree->dir, path, how | O_NONBLOCK | O_CLOEXEC);

	assert_true(fd >= 0);
	close(fd);
}

static void test_read(void **state)
{
	struct world *world = *state;
	struct sriov_error err;
	struct sriov_inventory *inv;

	assert_int_equal(look(world, NULL, 0, &err), 0);
	inv = world->inv;
	assert_int_equal(inv->npfs, 2);
	assert_string_equal(inv->boot_id, "0000-boot");
	assert_string_not_equal(inv->kernel, "");
	assert_int_equal(inv->nnodes, 0);
	assert_int_equal(inv->pf[0].vfs, 2);
	assert_null(inv->pf[0].vf);
	/* nothing was asked that takes a connection or a child */
	assert_null(((struct live *)world->host.priv)->rtnl);
	assert_null(((struct live *)world->host.priv)->supervisor);

	assert_int_equal(
		look(world, "eth2", SRIOV_READ_VFS | SRIOV_READ_OVERRIDES | SRIOV_READ_NODES, &err),
		0);
	inv = world->inv;
	assert_int_equal(inv->npfs, 1);
	assert_int_equal(inv->nnodes, 1);
	assert_string_equal(inv->pf[0].vf[0].driver_override, "");
	assert_string_equal(inv->pf[0].vf[1].driver_override, "vfio-pci");
	assert_null(((struct live *)world->host.priv)->rtnl);
}

static void test_read_refused(void **state)
{
	struct world *world = *state;
	struct sriov_error err;

	assert_int_equal(look(world, "eth9", SRIOV_READ_ALL, &err), -ENODEV);
	assert_int_equal(look(world, VF0, SRIOV_READ_ALL, &err), -ENOTSUP);
}

/* driver_override of a VF whose device lock is held: unknown is not free, and the rest goes on. */
static void test_read_stuck(void **state)
{
	struct world *world = *state;
	struct live *live = world->host.priv;
	struct sriov_error err;
	const struct sriov_pf *pf;

	make_fifo(&world->sys, DEVICE VF0 "/driver_override");
	assert_int_equal(look(world, NULL, SRIOV_READ_VFS | SRIOV_READ_OVERRIDES, &err), 0);
	pf = world->inv->pf;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(pf[0].vf[i].uses.n, 1);
		assert_string_equal(pf[0].vf[i].uses.at[0].who, "kernel");
		assert_true(pf[0].vf[i].uses.at[0].unreadable);
	}
	assert_int_equal(pf[1].vf[0].uses.n, 0);
	assert_int_equal(live->nstuck, 1);
	/* the PF is left alone from now on, at once */
	assert_int_equal(
		world->host.ops->numvfs(&world->host, &pf[0], 0, core_monotonic_ms() + 60000, &err),
		-ETIMEDOUT);
	assert_int_equal(err.status, SRIOV_STUCK);
	assert_int_equal(
		world->host.ops->numvfs(&world->host, &pf[1], 0, core_monotonic_ms() + 5000, &err),
		0);
	release(&world->sys, DEVICE VF0 "/driver_override", O_RDWR);
}

static void test_numvfs(void **state)
{
	struct world *world = *state;
	const struct host_ops *ops = world->host.ops;
	struct sriov_error err;
	char line[32];

	assert_int_equal(look(world, "eth2", 0, &err), 0);
	assert_int_equal(ops->numvfs(&world->host, world->inv->pf, 7,
				     ops->now_ms(&world->host) + 5000, &err),
			 0);
	core_read_line(world->sys.dir, DEVICE PF "/sriov_numvfs", line, sizeof(line));
	assert_int_equal(line[0], '7');
	unlinkat(world->sys.dir, DEVICE PF "/sriov_numvfs", 0);
	assert_int_equal(ops->numvfs(&world->host, world->inv->pf, 7,
				     ops->now_ms(&world->host) + 5000, &err),
			 -ENOENT);
	assert_string_equal(err.object, "eth2");
	assert_non_null(strstr(err.hint, "driver"));

	make_fifo(&world->sys, DEVICE PF "/sriov_numvfs");
	assert_int_equal(
		ops->numvfs(&world->host, world->inv->pf, 0, ops->now_ms(&world->host) + 50, &err),
		-ETIMEDOUT);
	assert_int_equal(err.status, SRIOV_STUCK);
	assert_string_not_equal(err.hint, "");
	release(&world->sys, DEVICE PF "/sriov_numvfs", O_RDONLY);
}

static void test_override(void **state)
{
	struct world *world = *state;
	const struct host_ops *ops = world->host.ops;
	int64_t deadlines[] = {HOST_AT_ONCE, ops->now_ms(&world->host) + 10000};
	struct sriov_error err;
	char line[32];

	assert_int_equal(look(world, "eth2", 0, &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(deadlines); i++) {
		assert_int_equal(ops->override(&world->host, world->inv->pf, VF0, "vfio-pci",
					       deadlines[i], &err),
				 0);
		core_read_line(world->sys.dir, DEVICE VF0 "/driver_override", line, sizeof(line));
		assert_string_equal(line, "vfio-pci");
		assert_int_equal(
			ops->override(&world->host, world->inv->pf, VF0, "", deadlines[i], &err),
			0);
		assert_int_equal(ops->override(&world->host, world->inv->pf, "0000:99:00.0", "x",
					       deadlines[i], &err),
				 -ENOENT);
	}
}

static void test_unbind_and_probe(void **state)
{
	struct world *world = *state;
	const struct host_ops *ops = world->host.ops;
	int64_t deadline = ops->now_ms(&world->host) + 10000;
	struct sriov_error err;
	char line[32];

	assert_int_equal(look(world, "eth2", 0, &err), 0);
	tree_file(&world->sys, "bus/pci/drivers/ixgbevf/unbind", "");
	tree_file(&world->sys, "bus/pci/drivers_probe", "");
	/* our "kernel" takes the write and keeps the driver */
	assert_int_equal(ops->unbind(&world->host, world->inv->pf, VF0, deadline, &err), -EIO);
	core_read_line(world->sys.dir, "bus/pci/drivers/ixgbevf/unbind", line, sizeof(line));
	assert_string_equal(line, VF0);
	assert_int_equal(ops->probe(&world->host, world->inv->pf, VF0, deadline, &err), 0);
	/* a VF without a driver is unbound already; and no driver comes */
	assert_int_equal(ops->unbind(&world->host, world->inv->pf, "0000:81:10.2", deadline, &err),
			 0);
	assert_int_equal(ops->probe(&world->host, world->inv->pf, "0000:81:10.2", deadline, &err),
			 -ENODEV);
	assert_non_null(strstr(err.message, "no driver took"));
}

static void test_autoprobe(void **state)
{
	struct world *world = *state;
	struct sriov_error err;

	assert_int_equal(look(world, "eth2", 0, &err), 0);
	assert_false(world->inv->pf[0].autoprobe);
	assert_int_equal(world->host.ops->autoprobe(&world->host, world->inv->pf, true, &err), 0);
	assert_int_equal(look(world, "eth2", 0, &err), 0);
	assert_true(world->inv->pf[0].autoprobe);
	unlinkat(world->sys.dir, DEVICE PF "/sriov_drivers_autoprobe", 0);
	assert_int_equal(world->host.ops->autoprobe(&world->host, world->inv->pf, true, &err),
			 -ENOENT);
}

/* The one thing about netdevs that is asked for by name before the kernel is. */
static void test_no_bridge(void **state)
{
	const struct sriov_pf pf = {.address = PF, .netdev = "lo", .ifindex = 1};
	const struct host_link link = {
		.name = "lo.100", .vlan = 100, .lower = "lo", .master = "no-such-bridge"};
	struct world *world = *state;
	struct sriov_host *host = &world->host;
	struct host_links links = {0};
	struct sriov_error err;

	if (host->ops->links(host, &links, &err) < 0)
		skip();
	assert_non_null(links_find(&links, "lo"));
	links_clear(&links);
	assert_int_equal(host->ops->link_make(host, &pf, &link, false, &err), -ENODEV);
	assert_string_equal(err.message, "its bridge no-such-bridge is not there");
	assert_int_equal(host->ops->link_delete(host, &pf, "no-such-netdev", &err), -ENODEV);
}

/* A PF without a netdev: what needs one says so. */
static void test_no_netdev(void **state)
{
	const struct sriov_pf pf = {.address = PF, .driver = "vfio-pci"};
	const struct sriov_vf_attrs attrs = {.has = SRIOV_VF_TRUST};
	const struct sriov_entry entry = {.type = SRIOV_FLOW_UDP4};
	struct world *world = *state;
	struct sriov_host *host = &world->host;
	struct sriov_error err;

	assert_int_equal(host->ops->link_set(host, &pf, true, &err), -ENODEV);
	assert_int_equal(host->ops->vf_set(host, &pf, 0, &attrs, &err), -ENODEV);
	assert_int_equal(host->ops->ntuple(host, &pf, true, &err), -ENODEV);
	assert_int_equal(host->ops->rule_insert(host, &pf, &entry, &err), -ENODEV);
	assert_int_equal(host->ops->rule_delete(host, &pf, 1, &err), -ENODEV);
	assert_int_equal(host->ops->rss_set(host, &pf, NULL, 0, &err), -ENODEV);
	assert_int_equal(host->ops->counters(host, &pf, NULL, NULL, 0, &err), -ENODEV);
	assert_non_null(strstr(err.message, "vfio-pci"));
}

/* A driver with two counters and an RSS table of four entries. */
static int two_counters(int fd, struct ifreq *ifr)
{
	static const char names[2][ETH_GSTRING_LEN] = {"rx_packets", "fdir_match"};
	void *data = ifr->ifr_data;

	switch (*(uint32_t *)data) {
	case ETHTOOL_GSSET_INFO:
		((struct ethtool_sset_info *)data)->data[0] = 2;
		return 0;
	case ETHTOOL_GSTRINGS:
		memcpy(((struct ethtool_gstrings *)data)->data, names, sizeof(names));
		return 0;
	case ETHTOOL_GSTATS:
		((struct ethtool_stats *)data)->data[0] = 9;
		((struct ethtool_stats *)data)->data[1] = 42;
		return 0;
	case ETHTOOL_SRSSH:
		return ((struct ethtool_rxfh *)data)->indir_size == 4 ? 0 : -EINVAL;
	}
	return -EOPNOTSUPP;
}

static void test_counters_and_rss(void **state)
{
	static const char *const names[] = {"fdir_match", "fdir_miss"};
	static const uint32_t table[4] = {1, 2, 1, 2};
	const struct sriov_pf pf = {.address = PF, .netdev = "eth2", .ifindex = 4};
	struct world *world = *state;
	struct live *live = world->host.priv;
	const struct host_ops *ops = world->host.ops;
	uint64_t values[2] = {0};
	struct sriov_error err;

	live->ioctl = (struct ethioctl){.fd = dup(live->sys), .call = two_counters};
	assert_int_equal(ops->counters(&world->host, &pf, names, values, 1, &err), 0);
	assert_int_equal(values[0], 42);
	/* a counter that the driver has not is not 0 */
	assert_int_equal(ops->counters(&world->host, &pf, names, values, 2, &err), -EOPNOTSUPP);
	assert_int_equal(ops->rss_set(&world->host, &pf, table, 4, &err), 0);
	assert_int_equal(ops->rss_set(&world->host, &pf, table, 3, &err), -EINVAL);
}

static void test_clock(void **state)
{
	struct world *world = *state;
	const struct host_ops *ops = world->host.ops;
	int64_t before = ops->now_ms(&world->host);

	ops->pause(&world->host, 20);
	assert_true(ops->now_ms(&world->host) >= before + 20);
	assert_int_equal(ops->watch(&world->host, NULL), 0);
	assert_int_equal(ops->watch(&world->host, NULL), 0);
}

static void test_open_refused(void **state)
{
	struct sriov_host host = {0};
	struct sriov_error err;

	assert_int_equal(live_open_at(&host, "/nonexistent", "/proc", &err), -ENOENT);
	assert_string_equal(err.object, "/nonexistent");
	assert_int_equal(live_open_at(&host, "/", "/nonexistent", &err), -ENOENT);
	assert_string_equal(err.object, "/nonexistent");
	assert_null(host.ops);
	assert_null(host.priv);
}

int main(void)
{
#define WORLD(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		WORLD(test_read),       WORLD(test_read_refused),
		WORLD(test_read_stuck), WORLD(test_numvfs),
		WORLD(test_override),   WORLD(test_unbind_and_probe),
		WORLD(test_autoprobe),  WORLD(test_no_netdev),
		WORLD(test_no_bridge),  WORLD(test_counters_and_rss),
		WORLD(test_clock),      cmocka_unit_test(test_open_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
