/* SPDX-License-Identifier: Apache-2.0 */
/* What OVS lacks for guests' ports to be local, and the commands that mend it. */
#include "lib/vswitch/vswitch.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct sriov_node nodes[] = {
	{.id = 0, .cpus = "0-7,16-23"},
	{.id = 1, .cpus = "8-15,24-31"},
};
static char interrupts[] = "30-31";
static struct sriov_pf pfs[] = {{.address = "0000:81:00.0", .irq_cpus = interrupts}};
static const struct sriov_inventory inv = {.node = nodes, .nnodes = 2, .pf = pfs, .npfs = 1};

static struct sriov_vswitch_port guest(const char *name, int node)
{
	struct sriov_vswitch_port port = {.type = "dpdkvhostuserclient",
					  .status = "connected",
					  .ofport = 3,
					  .link_up = true,
					  .mtu = 1500,
					  .node = node,
					  .queues = 1};

	core_copy(port.name, sizeof(port.name), name);
	return port;
}

struct row {
	const char *mask, *memory;
	bool per_port, no_dpdk;
	struct sriov_vswitch_port port[3];
	size_t nports;
	struct sriov_vswitch_rxq rxq[4];
	size_t nrxqs;
	const char *advice[4]; /* "id object command" */
};

static void check(const struct row *row)
{
	struct sriov_vswitch_bridge bridge = {.name = "br0",
					      .port = (struct sriov_vswitch_port *)row->port,
					      .nports = row->nports};
	struct sriov_vswitch is = {.bridge = &bridge,
				   .nbridges = 1,
				   .dpdk = true,
				   .dpdk_init = true,
				   .dpdk_initialized = !row->no_dpdk,
				   .rxq = (struct sriov_vswitch_rxq *)row->rxq,
				   .nrxqs = row->nrxqs,
				   .per_port_memory = row->per_port};
	struct sriov_error err = {0};
	_free_ struct sriov_advice *advice = NULL;
	size_t n = 0;

	core_copy(is.pmd_cpu_mask, sizeof(is.pmd_cpu_mask), row->mask);
	core_copy(is.socket_mem, sizeof(is.socket_mem), row->memory);
	assert_int_equal(sriov_vswitch_advise(&is, &inv, &advice, &n, &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(row->advice); i++) {
		_free_ char *text = i < n ? core_printf("%s %s %s", advice[i].id, advice[i].object,
							advice[i].command)
					  : strdup("");

		assert_string_equal(text, row->advice[i] ? row->advice[i] : "");
		if (i < n) {
			assert_true(advice[i].finding[0] && advice[i].evidence[0]);
			assert_true(advice[i].then[0]);
		}
	}
	assert_true(n <= ARRAY_SIZE(row->advice));
}

#define SET "ovs-vsctl set Open_vSwitch . other_config:"

static void advice(void **state)
{
	const struct row rows[] = {
		{.mask = "0x2"},
		/* node 1's CPUs 30 and 31 take interrupts */
		{.mask = "0x2",
		 .port = {guest("a", 1)},
		 .nports = 1,
		 .rxq = {{"a", 0, 1, 0, true}},
		 .nrxqs = 1,
		 .advice = {"no-local-pmd node 1 " SET "pmd-cpu-mask=0x20000002"}},
		/* one mask mends both */
		{.mask = "0x0",
		 .port = {guest("a", 1), guest("b", 0)},
		 .nports = 2,
		 .advice = {"no-local-pmd node 0 " SET "pmd-cpu-mask=0x20800000",
			    "no-local-pmd node 1 " SET "pmd-cpu-mask=0x20800000"}},
		{.mask = "0x102",
		 .port = {guest("a", 1), guest("b", 0)},
		 .nports = 2,
		 .rxq = {{"a", 0, 8, 1, true}, {"b", 0, 1, 0, true}},
		 .nrxqs = 2},
		/* a thread is there, and another one polls */
		{.mask = "0x302",
		 .port = {guest("a", 1)},
		 .nports = 1,
		 .rxq = {{"a", 0, 1, 0, true}, {"a", 1, 9, 1, true}, {"x", 0, 9, 1, true}},
		 .nrxqs = 3,
		 .advice = {"remote-queue port a ovs-vsctl set Interface a "
			    "'other_config:pmd-rxq-affinity=\"0:8,1:9\"'"}},
		/* OVS's own choice of cores is seen by what they poll */
		{.mask = "",
		 .port = {guest("a", 1), guest("b", 0)},
		 .nports = 2,
		 .rxq = {{"a", 0, 0, 0, true}, {"b", 0, 8, 1, true}},
		 .nrxqs = 2,
		 .advice = {"remote-queue port a ovs-vsctl set Interface a "
			    "'other_config:pmd-rxq-affinity=\"0:8\"'",
			    "remote-queue port b ovs-vsctl set Interface b "
			    "'other_config:pmd-rxq-affinity=\"0:0\"'"}},
		/* nobody's node is known before its driver is up */
		{.mask = "0x2",
		 .port = {guest("a", -1)},
		 .nports = 1,
		 .rxq = {{"a", 0, 1, 0, true}},
		 .nrxqs = 1},
		/* 262144 mbufs of 3008 bytes are 752 MiB, 20512 are 59 */
		{.mask = "0x102",
		 .memory = "512",
		 .port = {guest("a", 0), guest("b", 0)},
		 .nports = 2,
		 .advice = {"no-local-memory node 0 " SET "dpdk-socket-mem=1024,0"}},
		{.mask = "0x102",
		 .memory = "1024",
		 .port = {guest("a", 0), guest("b", 1)},
		 .nports = 2,
		 .advice = {"no-local-memory node 1 " SET "dpdk-socket-mem=1024,1024"}},
		{.mask = "0x102",
		 .memory = "512,64",
		 .per_port = true,
		 .port = {guest("a", 0), guest("b", 1), guest("c", 0)},
		 .nports = 3},
		{.mask = "0x102",
		 .memory = "100,64",
		 .per_port = true,
		 .port = {guest("a", 0), guest("b", 1), guest("c", 0)},
		 .nports = 3,
		 .advice = {"no-local-memory node 0 " SET "dpdk-socket-mem=1024,64"}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		check(&rows[i]);
}

static void ports(void **state)
{
	struct row row = {.mask = "0x102", .nports = 3};

	row.port[0] = guest("a", 0);
	row.port[0].mtu = 0;
	row.port[0].link_up = false;
	row.port[1] = guest("b", -1);
	row.port[1].ofport = -1;
	core_copy(row.port[1].error, sizeof(row.port[1].error), "words");
	row.port[2] = guest("c", 0);
	row.port[2].link_up = false;
	row.advice[0] = "port-without-memory port a ";
	row.advice[1] = "port-failed port b ";
	row.advice[2] = "port-down port c ";
	check(&row);
	/* without its guest a port is as it should be */
	row = (struct row){.mask = "0x102", .nports = 1};
	row.port[0] = guest("a", -1);
	core_copy(row.port[0].status, sizeof(row.port[0].status), "disconnected");
	row.port[0].link_up = false;
	row.port[0].mtu = 0;
	check(&row);
	/* what needs DPDK is told once; where nothing does it is nobody's business */
	row.no_dpdk = true;
	row.advice[0] = "no-dpdk bridge br0 ";
	check(&row);
	row = (struct row){.mask = "", .no_dpdk = true};
	check(&row);
}

static void nonsense(void **state)
{
	struct sriov_vswitch is = {.pmd_cpu_mask = "all"};
	struct sriov_advice *untouched = (void *)8;
	struct sriov_error err;
	size_t n = 7;

	assert_int_equal(sriov_vswitch_advise(&is, &inv, &untouched, &n, &err), -EINVAL);
	assert_ptr_equal(untouched, (void *)8);
	assert_int_equal(n, 7);
	assert_string_equal(err.object, "pmd-cpu-mask");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(advice),
		cmocka_unit_test(ports),
		cmocka_unit_test(nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
