/* SPDX-License-Identifier: Apache-2.0 */
/* What the host does with a PF: stacks of netdevs, default routes and storage, in trees of our own. */
#include "lib/host/live.h"
#include "tests/unit/kernel_tree.h"

#include <arpa/inet.h>
#include <errno.h>

enum { ETH2 = 2, ETH5 = 5, VLAN = 20, BOND = 30, BRIDGE = 40 };

struct world {
	struct tree sys, proc;
	struct sriov_inventory *inv;
	/* answers to look-ups */
	struct {
		const char *addr;
		struct route_facts facts;
	} route[8];
	size_t nroutes;
	unsigned dumps;
};

static int lookup(void *data, int family, const void *addr, bool match, struct route_facts *out)
{
	struct world *world = data;
	char text[INET6_ADDRSTRLEN];

	inet_ntop(family, addr, text, sizeof(text));
	for (size_t i = 0; i < world->nroutes; i++) {
		if (strcmp(world->route[i].addr, text) != 0)
			continue;
		*out = world->route[i].facts;
		return 0;
	}
	return -ENETUNREACH;
}

static void route(struct world *world, const char *addr, unsigned dst_len, int one, int other)
{
	struct route_facts *facts = &world->route[world->nroutes].facts;

	world->route[world->nroutes++].addr = addr;
	facts->dst_len = dst_len;
	facts->ifindex[facts->n++] = one;
	if (other)
		facts->ifindex[facts->n++] = other;
}

static void netdev(struct world *world, const char *name, int ifindex, const char *flags)
{
	char path[96], text[16];

	snprintf(path, sizeof(path), "class/net/%s/ifindex", name);
	snprintf(text, sizeof(text), "%d\n", ifindex);
	tree_file(&world->sys, path, text);
	snprintf(path, sizeof(path), "class/net/%s/flags", name);
	tree_file(&world->sys, path, flags);
}

/* @upper stands on @lower, as its master or not. */
static void stack(struct world *world, const char *upper, const char *lower, bool master)
{
	char path[96], target[48];

	snprintf(path, sizeof(path), "class/net/%s/upper_%s", lower, upper);
	snprintf(target, sizeof(target), "../%s", upper);
	tree_link(&world->sys, path, target);
	snprintf(path, sizeof(path), "class/net/%s/lower_%s", upper, lower);
	snprintf(target, sizeof(target), "../%s", lower);
	tree_link(&world->sys, path, target);
	if (!master)
		return;
	snprintf(path, sizeof(path), "class/net/%s/master", lower);
	snprintf(target, sizeof(target), "../%s", upper);
	tree_link(&world->sys, path, target);
}

static int setup(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	static const char *const names[] = {"eth2", "eth5"};

	tree_make(&world->sys);
	tree_make(&world->proc);
	tree_file(&world->proc, "self/mountinfo",
		  "22 1 8:1 / / rw - ext4 /dev/sda1 rw,addr=10.0.0.5\n");
	world->inv = calloc(1, sizeof(*world->inv));
	for (int i = 0; i < 2; i++) {
		struct sriov_pf *pf = inventory_add_pf(world->inv);

		core_copy(pf->netdev, sizeof(pf->netdev), names[i]);
		pf->ifindex = i ? ETH5 : ETH2;
		netdev(world, names[i], pf->ifindex, "0x1003\n");
	}
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

static void look(struct world *world)
{
	struct sriov_error err;

	assert_int_equal(
		uses_of_host(world->sys.dir, world->proc.dir, lookup, world, world->inv, &err), 0);
}

static void expect(const struct sriov_uses *uses, size_t at, const char *who, const char *how)
{
	assert_true(at < uses->n);
	assert_string_equal(uses->at[at].who, who);
	assert_string_equal(uses->at[at].how, how);
}

static void test_idle(void **state)
{
	struct world *world = *state;

	look(world);
	assert_int_equal(world->inv->pf[0].uses.n, 0);
	assert_int_equal(world->inv->pf[1].uses.n, 0);
}

static void test_default_route(void **state)
{
	struct world *world = *state;

	route(world, "192.0.2.1", 0, ETH2, 0);
	route(world, "2001:db8::1", 0, ETH5, ETH2); /* multipath */
	look(world);
	assert_int_equal(world->inv->pf[0].uses.n, 2);
	expect(&world->inv->pf[0].uses, 0, "default route", "IPv4, through eth2");
	expect(&world->inv->pf[0].uses, 1, "default route", "IPv6, through eth2");
	assert_true(world->inv->pf[0].uses.at[0].running);
	assert_int_equal(world->inv->pf[1].uses.n, 1);
	expect(&world->inv->pf[1].uses, 0, "default route", "IPv6, through eth5");
}

/* A route to the very address that we ask for, and one to this host itself, say nothing. */
static void test_no_default_route(void **state)
{
	struct world *world = *state;

	route(world, "192.0.2.1", 24, ETH2, 0);
	route(world, "2001:db8::1", 0, ETH2, 0);
	world->route[1].facts.local = true;
	look(world);
	assert_int_equal(world->inv->pf[0].uses.n, 0);
}

/* eth2 in bond0, eth2.20 of bond0 in br0, default route over br0. */
static void test_tower(void **state)
{
	struct world *world = *state;
	struct sriov_uses *uses = &world->inv->pf[0].uses;

	netdev(world, "bond0", BOND, "0x1003\n");
	tree_folder(&world->sys, "class/net/bond0/bonding");
	netdev(world, "bond0.20", VLAN, "0x1002\n");
	netdev(world, "br0", BRIDGE, "0x1003\n");
	tree_folder(&world->sys, "class/net/br0/bridge");
	stack(world, "bond0", "eth2", true);
	stack(world, "bond0.20", "bond0", false);
	stack(world, "br0", "bond0.20", true);
	route(world, "192.0.2.1", 0, BRIDGE, 0);
	look(world);
	assert_int_equal(uses->n, 3);
	expect(uses, 0, "bond bond0", "eth2 is a member");
	assert_true(uses->at[0].running);
	expect(uses, 1, "bridge br0", "bond0.20 is a port");
	assert_false(uses->at[1].running);
	expect(uses, 2, "default route", "IPv4, through br0");
	assert_int_equal(world->inv->pf[1].uses.n, 0);
}

static void test_masters(void **state)
{
	struct world *world = *state;

	netdev(world, "ovs-system", 50, "0x1002\n");
	stack(world, "ovs-system", "eth2", true);
	netdev(world, "team0", 51, "0x1003\n");
	stack(world, "team0", "eth5", true);
	look(world);
	expect(&world->inv->pf[0].uses, 0, "OVS ovs-system", "eth2 is a port");
	expect(&world->inv->pf[1].uses, 0, "device team0", "eth5 is a member");
}

/* A loop of links, which the kernel does not make, ends all the same. */
static void test_circle(void **state)
{
	struct world *world = *state;

	netdev(world, "a", 60, "0x1003\n");
	stack(world, "a", "eth2", false);
	stack(world, "eth2", "a", false);
	look(world);
	assert_int_equal(world->inv->pf[0].uses.n, 0);
}

static void test_storage(void **state)
{
	static const char mounts[] =
		"22 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
		"40 22 0:41 / /srv\\040data rw,relatime shared:1 - nfs4 nas:/data "
		"rw,vers=4.2,addr=10.0.0.5,clientaddr=10.0.0.7\n"
		"41 22 0:42 / /smb rw - cifs //nas/x rw,addr=fd00::5\n"
		"42 22 0:43 / /ceph rw - ceph 10.0.0.8:6789,[fd00::8]:6789:/vol rw,name=admin\n"
		"43 22 0:44 / /newceph rw - ceph admin@fsid.cephfs=/ rw,mon_addr=10.0.0.9:6789/10.0.0.10:6789\n"
		"44 22 0:45 / /garbage rw - nfs x:/ rw,addr=not.an.address\n"
		"truncated line - nfs\n";
	struct world *world = *state;
	struct sriov_uses *uses = &world->inv->pf[0].uses;

	tree_file(&world->proc, "self/mountinfo", mounts);
	tree_file(&world->sys, "class/iscsi_connection/connection1:0/address", "10.0.0.11\n");
	tree_file(&world->sys, "class/nvme/nvme0/address", "0000:02:00.0\n");
	tree_file(&world->sys, "class/nvme/nvme1/address", "traddr=10.0.0.12,trsvcid=4420\n");
	route(world, "10.0.0.5", 0, ETH2, 0);
	route(world, "fd00::5", 0, ETH2, 0);
	route(world, "fd00::8", 0, ETH2, 0);
	route(world, "10.0.0.9", 0, ETH5, 0);
	route(world, "10.0.0.10", 0, ETH2, 0);
	route(world, "10.0.0.11", 0, ETH2, 0);
	route(world, "10.0.0.12", 0, ETH2, 0);
	look(world);
	assert_int_equal(uses->n, 6);
	expect(uses, 0, "NFS mount", "/srv\\040data from nas:/data, through eth2");
	expect(uses, 1, "SMB mount", "/smb from //nas/x, through eth2");
	assert_string_equal(uses->at[2].who, "Ceph mount");
	assert_string_equal(uses->at[3].who, "Ceph mount");
	expect(uses, 4, "iSCSI", "connection1:0 to 10.0.0.11, through eth2");
	expect(uses, 5, "NVMe over fabrics", "nvme1 to 10.0.0.12, through eth2");
	assert_int_equal(world->inv->pf[1].uses.n, 1);
}

static void test_unreadable(void **state)
{
	struct world *world = *state;

	assert_int_equal(unlinkat(world->proc.dir, "self/mountinfo", 0), 0);
	tree_folder(&world->proc, "self/mountinfo");
	look(world);
	assert_int_equal(world->inv->pf[0].uses.n, 1);
	assert_true(world->inv->pf[0].uses.at[0].unreadable);
}

static void test_addresses(void **state)
{
	static const struct {
		const char *text;
		int family;
		const char *addr;
	} cases[] = {
		{"10.0.0.5", AF_INET, "10.0.0.5"},
		{"10.0.0.5:6789", AF_INET, "10.0.0.5"},
		{"fe80::1%eth0", AF_INET6, "fe80::1"},
		{"[fd00::1]:3260", AF_INET6, "fd00::1"},
		{"fd00::1", AF_INET6, "fd00::1"},
		{"nas.example", 0, NULL},
		{"[fd00::1", 0, NULL},
		{"", 0, NULL},
		{"10.0.0.5.6", 0, NULL},
		{"1111111111111111111111111111111111111111111111111111111111111111111111111111111111",
		 0, NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint8_t addr[16] = {0xaa}, want[16] = {0xaa};
		int family = 0;

		if (cases[i].addr)
			inet_pton(cases[i].family, cases[i].addr, want);
		if (storage_address(cases[i].text, &family, addr) != (cases[i].addr ? 0 : -EINVAL))
			fail_msg("'%s'", cases[i].text);
		assert_int_equal(family, cases[i].family);
		assert_memory_equal(addr, want, 4);
	}
}

static void test_vf_netdevs(void **state)
{
	static const struct {
		struct sriov_vf vf;
		const char *who, *how;
		bool running;
	} cases[] = {
		{{.netdev = "eth7"}, NULL, NULL, false},
		{{.driver = "vfio-pci"}, NULL, NULL, false},
		{{.netdev = "eth7", .netdev_up = true}, "host", "netdev eth7 is up", true},
		{{.netdev = "eth7", .master = "br0"}, "host", "netdev eth7 is in br0", false},
		{{.netdev = "eth7", .master = "br0", .netdev_up = true},
		 "host",
		 "netdev eth7 is up and in br0",
		 true},
		{{.driver = "iavf", .in_netns = true},
		 "netns",
		 "bound to iavf, and its netdev is in another network namespace",
		 true},
	};
	struct sriov_inventory *inv = ((struct world *)*state)->inv;
	struct sriov_pf *pf = &inv->pf[0];

	pf->vf = calloc(ARRAY_SIZE(cases), sizeof(*pf->vf));
	pf->vfs = ARRAY_SIZE(cases);
	for (size_t i = 0; i < pf->vfs; i++)
		pf->vf[i] = cases[i].vf;
	assert_int_equal(uses_of_netdevs(inv, NULL), 0);
	for (size_t i = 0; i < pf->vfs; i++) {
		assert_int_equal(pf->vf[i].uses.n, cases[i].who ? 1 : 0);
		if (!cases[i].who)
			continue;
		expect(&pf->vf[i].uses, 0, cases[i].who, cases[i].how);
		assert_int_equal(pf->vf[i].uses.at[0].running, cases[i].running);
	}
}

int main(void)
{
#define WORLD(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		WORLD(test_idle),       WORLD(test_default_route), WORLD(test_no_default_route),
		WORLD(test_tower),      WORLD(test_masters),       WORLD(test_circle),
		WORLD(test_storage),    WORLD(test_unreadable),    cmocka_unit_test(test_addresses),
		WORLD(test_vf_netdevs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
