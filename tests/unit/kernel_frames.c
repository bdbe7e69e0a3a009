/* SPDX-License-Identifier: Apache-2.0 */
/* Test frames byte by byte; sent and counted on the loopback of a network namespace of our own; what a NIC is. */
#include "lib/host/live.h"
#include "tests/unit/kernel_tree.h"

#include <errno.h>
#include <net/if.h>
#include <sched.h>

#define PF "0000:81:00.0"

static const struct frame example = {
	.dst_mac = {0x00, 0x1b, 0x21, 0x01, 0x02, 0x03},
	.src_mac = {0x02, 'S', 'R', 'I', 'O', 'V'},
	.src_ip = {192, 0, 2, 9},
	.dst_ip = {198, 51, 100, 9},
	.src_port = 40009,
	.dst_port = 9,
	.token = 0x0102030405060708,
};

static unsigned checksum(const uint8_t *data, size_t size, uint32_t sum)
{
	for (size_t i = 0; i < size; i += 2)
		sum += (uint32_t)data[i] << 8 | data[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static void test_build(void **state)
{
	static const uint8_t golden[FRAME_SIZE] = {
		/* Ethernet */
		0x00, 0x1b, 0x21, 0x01, 0x02, 0x03, 0x02, 0x53, 0x52, 0x49, 0x4f, 0x56, 0x08, 0x00,
		/* IPv4: 46 bytes, TTL 1, UDP */
		0x45, 0x00, 0x00, 0x2e, 0x00, 0x00, 0x00, 0x00, 0x01, 0x11, 0xcd, 0x79, 0xc0, 0x00,
		0x02, 0x09, 0xc6, 0x33, 0x64, 0x09,
		/* UDP: 26 bytes */
		0x9c, 0x49, 0x00, 0x09, 0x00, 0x1a, 0x67, 0x0d,
		/* token, padding */
		0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08};
	uint8_t frame[FRAME_SIZE];

	frame_build(&example, frame);
	for (size_t i = 0; i < FRAME_SIZE; i++)
		if (frame[i] != golden[i])
			fail_msg("byte %zu is %02x, not %02x", i, frame[i], golden[i]);
}

/* Sums over what they cover are all ones, whatever the fields are. */
static void test_checksums(void **state)
{
	for (unsigned i = 0; i < 70000; i += 7) {
		struct frame frame = example;
		uint8_t out[FRAME_SIZE];

		frame.src_port = i;
		frame.dst_port = i >> 4;
		frame.src_ip[3] = i >> 8;
		frame.token = (uint64_t)i * 0x9e3779b97f4a7c15;
		frame_build(&frame, out);
		assert_int_equal(checksum(out + 14, 20, 0), 0xffff);
		assert_int_equal(checksum(out + 34, 26, checksum(out + 26, 8, 17 + 26)), 0xffff);
		/* 0 would mean that there is none */
		assert_true(out[40] || out[41]);
	}
}

/* ---- on a loopback of our own ---- */

static bool private_net;

static int private_namespace(void **state)
{
	private_net = !unshare(CLONE_NEWNET);
	return 0;
}

struct world {
	struct tree sys, proc;
	struct sriov_host host;
	struct sriov_pf pf;
};

static int setup(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	tree_make(&world->sys);
	tree_make(&world->proc);
	assert_int_equal(live_open_at(&world->host, world->sys.path, world->proc.path, NULL), 0);
	core_copy(world->pf.address, sizeof(world->pf.address), PF);
	core_copy(world->pf.netdev, sizeof(world->pf.netdev), "lo");
	*state = world;
	return 0;
}

static int teardown(void **state)
{
	struct world *world = *state;

	world->host.ops->close(&world->host);
	tree_remove(&world->sys);
	tree_remove(&world->proc);
	free(world);
	return 0;
}

static void lo_up(struct world *world, bool up)
{
	struct rtnetlink *rtnl;

	assert_int_equal(live_rtnl(world->host.priv, &rtnl, NULL), 0);
	assert_int_equal(rtnetlink_up(rtnl, "lo", if_nametoindex("lo"), up, NULL), 0);
}

static struct exchange loopback(void)
{
	struct exchange what = {.from = "lo",
				.to = "lo",
				.place = {"lo", ""},
				.src_mac = {0x02, 'S', 'R', 'I', 'O', 'V'},
				.src_ip = {192, 0, 2, 9},
				.dst_ip = {198, 51, 100, 9},
				.src_port = 40009,
				.dst_port = 9,
				.count = 8,
				.hits = "fdir_match"};

	return what;
}

static int exchange(struct world *world, struct exchange *what, int64_t ms, struct sriov_error *err)
{
	return world->host.ops->exchange(&world->host, &world->pf, what, core_monotonic_ms() + ms,
					 err);
}

static void test_exchange(void **state)
{
	struct world *world = *state;
	struct exchange what = loopback();
	struct sriov_error err = {0};

	if (!private_net)
		skip();
	lo_up(world, true);
	if (exchange(world, &what, 30000, &err) < 0)
		fail_msg("%s: %s %s", err.object, err.message, err.kernel);
	assert_int_equal(what.sent, 8);
	/* what goes out is not counted, what comes in is */
	assert_int_equal(what.arrived[0], 8);
	assert_int_equal(what.arrived[1], 0);
	assert_int_equal(what.hit, -1); /* lo has no such counter */
	/* results are of this exchange alone */
	what.until_one = true;
	assert_int_equal(exchange(world, &what, 30000, &err), 0);
	assert_int_equal(what.sent, 1);
	assert_int_equal(what.arrived[0], 1);
}

static void test_no_link(void **state)
{
	struct world *world = *state;
	struct exchange what = loopback();
	struct sriov_error err = {0};

	if (!private_net)
		skip();
	lo_up(world, false);
	assert_int_equal(exchange(world, &what, 50, &err), -ENOLINK);
	assert_string_equal(err.object, "lo");
	assert_string_equal(err.message, "it is down");
	assert_non_null(strstr(err.hint, "ip link set"));
	assert_int_equal(what.sent, 0);
	what = loopback();
	strcpy(what.from, "nosuch0");
	lo_up(world, true);
	assert_int_equal(exchange(world, &what, 50, &err), -ENODEV);
	assert_string_equal(err.object, "nosuch0");
}

/* Frames of other exchanges, and of others altogether, are not counted. */
static void test_only_ours(void **state)
{
	struct frame other = example;
	uint8_t frame[FRAME_SIZE], foreign[FRAME_SIZE];
	int lo = if_nametoindex("lo"), listener, sender;
	struct world *world = *state;

	if (!private_net)
		skip();
	lo_up(world, true);
	frame_build(&example, frame);
	other.token++;
	frame_build(&other, foreign);
	listener = frames_open(lo, true);
	sender = frames_open(lo, false);
	assert_true(listener >= 0);
	assert_true(sender >= 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(frames_send(sender, lo, foreign), 0);
		assert_int_equal(frames_send(sender, lo, frame), 0);
	}
	assert_int_equal(frames_count(listener, frame), 3);
	assert_int_equal(frames_count(listener, frame), 0);
	/* a sender hears nothing */
	assert_int_equal(frames_count(sender, frame), 0);
	close(listener);
	close(sender);
	assert_int_equal(frames_open(9999, true), -ENODEV);
	assert_true(frames_send(-1, lo, frame) < 0);
	assert_true(frames_count(-1, frame) < 0);
}

static void test_netdev(void **state)
{
	struct world *world = *state;
	struct netdev_facts facts = {.ifindex = 42};
	struct sriov_error err = {0};

	if (!private_net)
		skip();
	lo_up(world, true);
	assert_int_equal(world->host.ops->netdev(&world->host, "nosuch0", &facts, &err), -ENODEV);
	assert_int_equal(facts.ifindex, 42);
	assert_string_equal(err.object, "nosuch0");
	assert_int_equal(world->host.ops->netdev(&world->host, "lo", &facts, &err), 0);
	assert_int_equal(facts.ifindex, if_nametoindex("lo"));
	assert_true(facts.up && facts.carrier && !facts.forwards);
	tree_file(&world->proc, "sys/net/ipv4/conf/lo/forwarding", "1\n");
	assert_int_equal(world->host.ops->netdev(&world->host, "lo", &facts, &err), 0);
	assert_true(facts.forwards);
}

static void test_vf_up(void **state)
{
	struct world *world = *state;
	struct sriov_vf vf[2] = {{.index = 0, .netdev = "lo"}, {.index = 1}};
	struct netdev_facts facts;
	struct sriov_error err = {0};

	if (!private_net)
		skip();
	world->pf.vf = vf;
	world->pf.vfs = 2;
	for (int up = 0; up < 2; up++) {
		assert_int_equal(world->host.ops->vf_up(&world->host, &world->pf, 0, up, &err), 0);
		assert_int_equal(world->host.ops->netdev(&world->host, "lo", &facts, &err), 0);
		assert_int_equal(facts.up, up);
	}
	assert_int_equal(world->host.ops->vf_up(&world->host, &world->pf, 1, true, &err), -ENODEV);
	assert_string_equal(err.object, "vf 1 of lo");
}

/* ---- what a NIC is ---- */

static void test_nature(void **state)
{
	static const struct {
		struct nature_facts facts;
		enum host_nature nature;
		const char *why;
	} cases[] = {
		{{0x1af4, {0xa0, 0x36, 0x9f}, SRIOV_NO},
		 NATURE_EMULATED,
		 "subsystem vendor is 1af4"},
		{{0x15ad, {0xa0, 0x36, 0x9f}, SRIOV_YES}, NATURE_EMULATED, "VMware"},
		{{0x8086, {0x52, 0x54, 0x00, 1, 2, 3}, SRIOV_YES},
		 NATURE_EMULATED,
		 "52:54:00:01:02:03"},
		{{0x8086, {0xa0, 0x36, 0x9f}, SRIOV_NO}, NATURE_SILICON, "no virtual machine"},
		{{0x8086, {0xa0, 0x36, 0x9f}, SRIOV_YES}, NATURE_UNKNOWN, "passed through"},
		{{0x8086, {0xa0, 0x36, 0x9f}, SRIOV_UNKNOWN}, NATURE_UNKNOWN, "is not known"},
		{{0, {0xa0, 0x36, 0x9f}, SRIOV_NO}, NATURE_UNKNOWN, "cannot be read"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char why[160];

		if (nature_judge(&cases[i].facts, why, sizeof(why)) != cases[i].nature ||
		    !strstr(why, cases[i].why))
			fail_msg("case %zu: %s", i, why);
	}
	assert_string_equal(nature_word(NATURE_EMULATED), "emulated");
	assert_string_equal(nature_word(NATURE_SIMULATED), "simulated");
}

static void test_live_nature(void **state)
{
	static const struct {
		const char *cpuinfo;
		enum host_nature nature;
	} cases[] = {
		{"processor\t: 0\nflags\t\t: fpu vme sse2\nbugs\t\t: hypervisor\n", NATURE_SILICON},
		{"processor\t: 0\nflags\t\t: fpu vme hypervisor lahf_lm\n", NATURE_UNKNOWN},
		{"processor\t: 0\nFeatures\t: fp asimd\n", NATURE_UNKNOWN},
		{NULL, NATURE_UNKNOWN},
	};
	struct world *world = *state;
	char why[160];

	memcpy(world->pf.perm_mac, "\xa0\x36\x9f\x01\x02\x03", 6);
	tree_file(&world->sys, "bus/pci/devices/" PF "/subsystem_vendor", "0x8086\n");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (cases[i].cpuinfo)
			tree_file(&world->proc, "cpuinfo", cases[i].cpuinfo);
		else
			unlinkat(world->proc.dir, "cpuinfo", 0);
		if (world->host.ops->nature(&world->host, &world->pf, why, sizeof(why)) !=
		    cases[i].nature)
			fail_msg("case %zu: %s", i, why);
	}
	tree_file(&world->sys, "bus/pci/devices/" PF "/subsystem_vendor", "0x1af4\n");
	assert_int_equal(world->host.ops->nature(&world->host, &world->pf, why, sizeof(why)),
			 NATURE_EMULATED);
}

int main(void)
{
#define WORLD(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_build),
		cmocka_unit_test(test_checksums),
		WORLD(test_exchange),
		WORLD(test_no_link),
		WORLD(test_only_ours),
		WORLD(test_netdev),
		WORLD(test_vf_up),
		cmocka_unit_test(test_nature),
		WORLD(test_live_nature),
	};

	return cmocka_run_group_tests(tests, private_namespace, NULL);
}
