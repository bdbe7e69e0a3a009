/* SPDX-License-Identifier: Apache-2.0 */
/* Free or taken, and which VF is chosen. */
#include "lib/guest/place.h"
#include "tests/unit/guest_fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct sriov_pf *pf(struct sriov_inventory *inv, const char *name)
{
	return inventory_find(inv, name);
}

static void take(struct sriov_inventory *inv, const char *name, unsigned vf, const char *who)
{
	assert_non_null(uses_add(&pf(inv, name)->vf[vf].uses, true, who, "lease %u", vf));
}

static void test_taken(void **state)
{
	static const struct sriov_use running = {.who = "guest a (running)", .how = "a.xml"};
	static const struct sriov_use unknown = {
		.who = "unknown guest", .how = "b.xml", .unreadable = true};
	static const struct {
		struct sriov_vf vf;
		const struct sriov_use *use;
		const char *pool, *why;
	} rows[] = {
		{.vf = {0}},
		{.vf = {.netdev = "eth2"}},
		{.vf = {.driver = "vfio-pci"}},
		{.vf = {.netdev = "eth2", .netdev_up = true}, .why = "eth2 is up"},
		{.vf = {.netdev = "eth2", .master = "br0"}, .why = "eth2 is in br0"},
		{.vf = {.in_netns = true}, .why = "its netdev is in another network namespace"},
		{.use = &running, .why = "guest a (running): a.xml"},
		{.use = &unknown, .why = "unknown guest, perhaps: b.xml"},
		{.vf = {.pool = "nova"}, .why = "in pool nova"},
		{.vf = {.pool = "nova"}, .pool = "nova"},
		{.vf = {.pool = "sriovctl"}},
		{.pool = "sriovctl"},
		{.pool = "nova", .why = "in pool sriovctl"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sriov_use use = rows[i].use ? *rows[i].use : (struct sriov_use){0};
		struct sriov_vf vf = rows[i].vf;
		struct sriov_pf port = {.vfs = 1};
		const char *why;
		char buf[256];

		if (rows[i].use)
			vf.uses = (struct sriov_uses){&use, 1};
		why = guest_vf_taken(&port, &vf, rows[i].pool, buf, sizeof(buf));
		if (rows[i].why)
			assert_string_equal(why, rows[i].why);
		else
			assert_null(why);
	}
}

/* A VF on that node, on that PF. */
static int place(const struct sriov_inventory *inv, const struct sriov_pf *only, int node,
		 struct guest_choice *out, struct sriov_error *err)
{
	const struct guest_wish wish = {
		.only = &only, .nonly = !!only, .node = node, .numa = SRIOV_NUMA_REQUIRED};

	return guest_place(inv, &wish, out, err);
}

static void test_order(void **state)
{
	static const struct {
		const char *only;
		int node;
		const char *reason;
	} rows[] = {
		{NULL, -1, "node 0: free VF 1 of 2 on 0000:3b:00.0 (ens1)"},
		{NULL, 1, "node 1: free VF 0 of 4 on 0000:81:00.0 (ens2f0)"},
		{"ens2f0", -1, "node 1: free VF 0 of 4 on 0000:81:00.0 (ens2f0)"},
		{"ens2f0", 1, "node 1: free VF 0 of 4 on 0000:81:00.0 (ens2f0)"},
		{"ens1", -1, "node 0: free VF 1 of 2 on 0000:3b:00.0 (ens1)"},
	};
	struct sriov_inventory *inv = fixture_new();

	take(inv, "ens1", 0, "guest a");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct sriov_pf *only = rows[i].only ? pf(inv, rows[i].only) : NULL;
		struct sriov_error err = {0};
		struct guest_choice choice;

		assert_int_equal(place(inv, only, rows[i].node, &choice, &err), 0);
		assert_string_equal(choice.reason, rows[i].reason);
	}
	sriov_inventory_free(inv);
}

static void test_unknown_node(void **state)
{
	struct sriov_inventory *inv = fixture_new();
	struct guest_choice choice;
	struct sriov_error err;

	/* last in order, never for a node, and node 0 if there is no other */
	pf(inv, "ens1")->node = -1;
	assert_int_equal(place(inv, NULL, -1, &choice, &err), 0);
	assert_string_equal(choice.pf->netdev, "ens2f0");
	assert_int_equal(place(inv, NULL, 0, &choice, &err), -EUSERS);
	assert_int_equal(place(inv, pf(inv, "ens1"), 0, &choice, &err), 0);
	assert_int_equal(choice.node, -1);
	assert_non_null(strstr(choice.reason, "node unknown"));
	inv->nnodes = 1;
	assert_int_equal(place(inv, NULL, 0, &choice, &err), 0);
	assert_int_equal(choice.node, 0);
	sriov_inventory_free(inv);
}

static void test_none(void **state)
{
	static const struct {
		const char *only;
		int node, code;
		const char *words[3], *hint;
	} rows[] = {
		{"ens1",
		 -1,
		 -EUSERS,
		 {"on 0000:3b:00.0 (ens1)",
		  "none of 2 free, VF 0: guest a: lease 0; VF 1: guest b"},
		 "--pf ens2f0"},
		{NULL,
		 0,
		 -EUSERS,
		 {"on node 0", "ens1"},
		 "one of 4 free VFs elsewhere: --pf ens2f0"},
		{"ens2f1", -1, -EUSERS, {"no VFs (it can have 63)"}, "--pf ens2f0"},
		{NULL, 5, -EUSERS, {"on node 5", "no PF is there"}, "--pf ens2f0"},
		{"ens1", 1, -EINVAL, {"is on node 0, but node 1 is wanted"}, "leave out the PF"},
	};
	struct sriov_inventory *inv = fixture_new();
	struct guest_choice choice = {.node = 99};

	take(inv, "ens1", 0, "guest a");
	take(inv, "ens1", 1, "guest b");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct sriov_pf *only = rows[i].only ? pf(inv, rows[i].only) : NULL;
		struct sriov_error err = {0};

		assert_int_equal(place(inv, only, rows[i].node, &choice, &err), rows[i].code);
		for (size_t w = 0; w < 3 && rows[i].words[w]; w++)
			if (!strstr(err.message, rows[i].words[w]))
				fail_msg("'%s' is not in: %s", rows[i].words[w], err.message);
		if (!strstr(err.hint, rows[i].hint))
			fail_msg("'%s' is not in: %s", rows[i].hint, err.hint);
		assert_int_equal(choice.node, 99);
		assert_null(choice.pf);
	}
	sriov_inventory_free(inv);
}

static void test_all_taken(void **state)
{
	struct sriov_inventory *inv = fixture_new();
	struct guest_choice choice;
	struct sriov_error err = {0};

	for (unsigned v = 0; v < 4; v++)
		take(inv, "ens2f0", v, "guest a");
	assert_int_equal(place(inv, NULL, 1, &choice, &err), -EUSERS);
	assert_non_null(strstr(err.message, "VF 2: guest a: lease 2; and 1 more"));
	for (unsigned v = 0; v < 2; v++)
		take(inv, "ens1", v, "guest a");
	assert_int_equal(place(inv, NULL, 1, &choice, &err), -EUSERS);
	assert_string_equal(err.hint, "create VFs: sriovctl vf create ens2f1 --count N");
	inv->npfs = 0;
	assert_int_equal(place(inv, NULL, 1, &choice, &err), -EUSERS);
	assert_non_null(strstr(err.message, "this host has no SR-IOV PF"));
	inv->npfs = 3;
	sriov_inventory_free(inv);
}

/* Nodes 0 and 1 are sockets of their own, node 2 is on that of node 1. ens2f1 gets VFs, ens3 is on node 2. */
static struct sriov_inventory *three_nodes(void)
{
	struct sriov_inventory *inv = calloc(1, sizeof(*inv));

	inv->node = calloc(3, sizeof(*inv->node));
	inv->nnodes = 3;
	for (int i = 0; i < 3; i++)
		inv->node[i] = (struct sriov_node){.id = i, .socket = i ? 1 : 0};
	fixture_pf(inv, "0000:81:00.1", "ens2f1", 1, 4);
	fixture_pf(inv, "0000:81:00.0", "ens2f0", 1, 4);
	fixture_pf(inv, "0000:3b:00.0", "ens1", 0, 2);
	fixture_pf(inv, "0000:c1:00.0", "ens3", 2, 2);
	return inv;
}

static const struct sriov_physnet red = {.name = "red", .bridge = "br-red"};
static const struct guest_switching local[4] = {
	{&red, true}, {&red, true}, {&red, true}, {&red, true}};
static const struct guest_switching remote[4] = {{&red}, {&red}, {&red}, {&red}};
#define FALLBACK(where)                                                                            \
	.switching = (where), .path = {SRIOV_PATH_VF, SRIOV_PATH_VHOSTUSER}, .npaths = 2

/* Policies x nodes x exhaustion x pools x paths. @taken: VFs gone of ens1, ens2f0, ens2f1, ens3. */
static void test_policies(void **state)
{
	static const char *const names[] = {"ens1", "ens2f0", "ens2f1", "ens3"};
	static const unsigned distance[] = {2, 1, 1002, 1003}; /* in the inventory's order */
	static const struct {
		struct guest_wish wish;
		unsigned taken[4];
		const char *pf; /* NULL: there is none */
		int vf;         /* -1: not a VF */
		const char *words;
	} rows[] = {
		/* node 1 has two PFs: the fuller one, or the emptier one */
		{{.node = 1}, {0, 0, 0, 0}, "ens2f0", 0, "node 1: free VF 0 of 4 on"},
		{{.node = 1}, {0, 1, 2, 0}, "ens2f1", 2, "node 1: free VF 2"},
		{{.node = 1, .pick = SRIOV_PICK_SPREAD}, {0, 1, 2, 0}, "ens2f0", 1, "node 1"},
		{{.node = 1, .pick = SRIOV_PICK_NEAR, .distance = distance},
		 {0, 0, 3, 0},
		 "ens2f0",
		 0,
		 "node 1"},
		/* preferred: its node, its socket, any */
		{{.node = 1},
		 {0, 4, 4, 0},
		 "ens3",
		 0,
		 "node 2, of the same socket, as nothing is free"},
		{{.node = 1}, {0, 4, 4, 2}, "ens1", 0, "as nothing is free on the guest's node 1"},
		{{.node = 1}, {2, 4, 4, 2}, NULL, 0, "no free VF: "},
		{{.node = 1, .numa = SRIOV_NUMA_SOCKET}, {0, 4, 4, 1}, "ens3", 1, "same socket"},
		{{.node = 1, .numa = SRIOV_NUMA_SOCKET},
		 {0, 4, 4, 2},
		 NULL,
		 0,
		 "no free VF on the socket of node 1: "},
		{{.node = 1, .numa = SRIOV_NUMA_REQUIRED},
		 {0, 4, 4, 0},
		 NULL,
		 0,
		 "no free VF on node 1: "},
		{{.node = 0, .numa = SRIOV_NUMA_SOCKET},
		 {2, 0, 0, 0},
		 NULL,
		 0,
		 "the socket of node 0"},
		/* any: the node does not count, packing does */
		{{.node = 0, .numa = SRIOV_NUMA_ANY},
		 {0, 0, 3, 0},
		 "ens2f1",
		 3,
		 "node 1: free VF 3"},
		/* bound to none: likewise */
		{{.node = -1}, {0, 0, 0, 1}, "ens3", 1, "node 2: free VF 1"},
		/* pools */
		{{.node = 1, .pool = "nova"}, {0, 0, 0, 0}, NULL, 0, "in pool sriovctl"},
		/* paths: near before far, and among the near in the order asked for */
		{{.node = 1, .path = {SRIOV_PATH_VF, SRIOV_PATH_MACVTAP}, .npaths = 2},
		 {0, 0, 0, 0},
		 "ens2f0",
		 0,
		 "free VF 0"},
		{{.node = 1, .path = {SRIOV_PATH_VF, SRIOV_PATH_MACVTAP}, .npaths = 2},
		 {0, 4, 4, 0},
		 "ens2f0",
		 -1,
		 "macvtap on 0000:81:00.0 (ens2f0), as no VF that would do is free"},
		{{.node = 1, .path = {SRIOV_PATH_VF, SRIOV_PATH_VHOSTUSER}, .npaths = 2},
		 {0, 4, 4, 0},
		 "ens3",
		 0,
		 "same socket"},
		/* a bridge: VF near, port near, VF far, port far; near is where it is polled */
		{{.node = 1, FALLBACK(local)}, {0, 3, 4, 0}, "ens2f0", 3, "free VF 3"},
		{{.node = 1, FALLBACK(local)},
		 {0, 4, 4, 0},
		 "ens2f0",
		 -1,
		 "node 1: vhostuser on br-red, as no VF that would do is free"},
		{{.node = 1, FALLBACK(remote)}, {0, 4, 4, 0}, "ens3", 0, "same socket"},
		{{.node = 1, FALLBACK(remote)},
		 {2, 4, 4, 2},
		 "ens2f0",
		 -1,
		 "vhostuser on br-red, which is polled on another node, as no VF"},
		{{.node = 1, .numa = SRIOV_NUMA_REQUIRED, FALLBACK(local)},
		 {0, 4, 4, 0},
		 "ens2f0",
		 -1,
		 "vhostuser on br-red"},
		{{.node = 1, .numa = SRIOV_NUMA_REQUIRED, FALLBACK(remote)},
		 {0, 4, 4, 0},
		 NULL,
		 0,
		 "no free VF on node 1"},
		{{.node = -1, FALLBACK(local)}, {2, 4, 4, 2}, "ens2f0", -1, "vhostuser on br-red"},
		{{.node = 0, .path = {SRIOV_PATH_TAP}, .npaths = 1},
		 {0, 0, 0, 0},
		 "ens1",
		 -1,
		 "node 0: tap on"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sriov_inventory *inv = three_nodes();
		struct guest_choice choice = {.node = 99};
		struct sriov_error err = {0};
		int r;

		for (size_t p = 0; p < ARRAY_SIZE(names); p++)
			for (unsigned v = 0; v < rows[i].taken[p]; v++)
				take(inv, names[p], v, "guest a");
		r = guest_place(inv, &rows[i].wish, &choice, &err);
		if (r != (rows[i].pf ? 0 : -EUSERS))
			fail_msg("row %zu: %d %s", i, r, err.message);
		if (!strstr(r ? err.message : choice.reason, rows[i].words))
			fail_msg("row %zu: '%s' is not in: %s", i, rows[i].words,
				 r ? err.message : choice.reason);
		if (!r) {
			assert_string_equal(choice.pf->netdev, rows[i].pf);
			assert_int_equal(choice.vf ? (int)choice.vf->index : -1, rows[i].vf);
		}
		sriov_inventory_free(inv);
	}
}

/* A network is a set of PFs. */
static void test_net(void **state)
{
	struct sriov_inventory *inv = three_nodes();
	const struct sriov_pf *only[] = {pf(inv, "ens1"), pf(inv, "ens3")};
	const struct guest_wish wish = {.only = only, .nonly = 2, .net = "red", .node = 1};
	struct guest_choice choice;
	struct sriov_error err = {0};

	assert_int_equal(guest_place(inv, &wish, &choice, &err), 0);
	assert_string_equal(choice.pf->netdev, "ens3");
	for (unsigned v = 0; v < 2; v++) {
		take(inv, "ens1", v, "guest a");
		take(inv, "ens3", v, "guest a");
	}
	assert_int_equal(guest_place(inv, &wish, &choice, &err), -EUSERS);
	assert_non_null(strstr(err.message, "no free VF on physnet red: "));
	assert_null(strstr(err.message, "ens2f0"));
	assert_non_null(strstr(err.hint, "one of 4 free VFs elsewhere"));
	sriov_inventory_free(inv);
}

static void test_down(void **state)
{
	struct sriov_inventory *inv = fixture_new();
	struct guest_choice choice;
	struct sriov_error err = {0};

	/* another PF is taken if there is one */
	pf(inv, "ens1")->up = false;
	assert_int_equal(place(inv, NULL, -1, &choice, &err), 0);
	assert_string_equal(choice.pf->netdev, "ens2f0");
	assert_int_equal(place(inv, NULL, 0, &choice, &err), -ENETDOWN);
	assert_string_equal(err.object, "0000:3b:00.0 (ens1)");
	assert_string_equal(err.hint, "bring it up: ip link set ens1 up");
	/* a VF that is there and cannot be had is an error, not a lack */
	assert_int_equal(guest_place(inv,
				     &(struct guest_wish){.node = 0,
							  .numa = SRIOV_NUMA_REQUIRED,
							  FALLBACK(local)},
				     &choice, &err),
			 -ENETDOWN);
	pf(inv, "ens1")->netdev[0] = '\0';
	assert_int_equal(place(inv, NULL, 0, &choice, &err), -ENETDOWN);
	assert_non_null(strstr(err.message, "no network device"));
	sriov_inventory_free(inv);
}

static void test_interface(void **state)
{
	static const uint8_t admin[6] = {2, 0, 0, 0, 0, 7};
	struct sriov_inventory *inv = fixture_new();
	struct sriov_pf *port = pf(inv, "ens2f0");
	struct sriov_vf *vf = &port->vf[3];
	struct guest_interface itf;
	struct sriov_error err = {0};
	uint8_t mac[6], next[6];

	sriov_mac_auto(port->perm_mac, 3, 0, mac);
	sriov_mac_auto(port->perm_mac, 3, 1, next);
	assert_int_equal(guest_interface_of(inv, port, vf, &itf, &err), 0);
	assert_string_equal(itf.address, "0000:81:10.3");
	assert_memory_equal(itf.mac, mac, 6);
	assert_int_equal(itf.vlan, 0);
	/* somebody else's already: the next one */
	memcpy(pf(inv, "ens1")->vf[0].attrs.mac, mac, 6);
	assert_int_equal(guest_interface_of(inv, port, vf, &itf, &err), 0);
	assert_memory_equal(itf.mac, next, 6);
	memcpy(vf->attrs.mac, admin, 6);
	vf->attrs.vlan = 42;
	assert_int_equal(guest_interface_of(inv, port, vf, &itf, &err), 0);
	assert_memory_equal(itf.mac, admin, 6);
	assert_int_equal(itf.vlan, 42);
	sriov_inventory_free(inv);
}

static void test_interface_refused(void **state)
{
	static const struct {
		struct sriov_vf_attrs attrs;
		int code;
		const char *words;
	} rows[] = {
		{{.has = SRIOV_VF_ALL, .vlan = 5, .qos = 3}, -EOPNOTSUPP, "VLAN 5 with a priority"},
		{{.has = SRIOV_VF_ALL, .vlan = 5, .vlan_proto = 0x88a8}, -EOPNOTSUPP, "802.1ad"},
		{{.has = SRIOV_VF_ALL & ~SRIOV_VF_VLAN}, -ENODATA, "could not be read"},
		{{.has = SRIOV_VF_ALL & ~SRIOV_VF_MAC}, -ENODATA, "could not be read"},
	};
	struct sriov_inventory *inv = fixture_new();
	struct sriov_pf *port = pf(inv, "ens2f0");

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct guest_interface itf = {.vlan = 99};
		struct sriov_error err = {0};

		port->vf[0].attrs = rows[i].attrs;
		assert_int_equal(guest_interface_of(inv, port, &port->vf[0], &itf, &err),
				 rows[i].code);
		assert_int_equal(itf.vlan, 99);
		assert_string_equal(err.object, "vf 0 of 0000:81:00.0 (ens2f0)");
		assert_non_null(strstr(err.message, rows[i].words));
	}
	sriov_inventory_free(inv);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_taken),        cmocka_unit_test(test_order),
		cmocka_unit_test(test_unknown_node), cmocka_unit_test(test_none),
		cmocka_unit_test(test_policies),     cmocka_unit_test(test_net),
		cmocka_unit_test(test_all_taken),    cmocka_unit_test(test_down),
		cmocka_unit_test(test_interface),    cmocka_unit_test(test_interface_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
