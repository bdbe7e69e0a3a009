/* SPDX-License-Identifier: Apache-2.0 */
/* What carries the VLAN of a macvtap or tap: names, who is on what, and what is refused, from netdevs alone. */
#include "lib/guest/below.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void names(void **state)
{
	static const struct {
		const char *address, *netdev;
		unsigned vlan;
		const char *of_vlan, *of_bridge;
	} rows[] = {
		{"0000:81:00.0", "ens2f0", 100, "ens2f0.100", "br-ens2f0.100"},
		{"0000:81:00.0", "ens2f0", 4094, "ens2f0.4094", "br-ens2f0.4094"},
		/* 15 characters are the most */
		{"0000:81:00.0", "enp129s0f0", 100, "enp129s0f0.100", "b81000.100"},
		{"0000:81:00.0", "enp129s0f0", 4094, "enp129s0f0.4094", "b81000.4094"},
		{"0000:81:00.0", "enp129s0f0np0", 1, "enp129s0f0np0.1", "b81000.1"},
		{"0000:81:1f.7", "enp129s0f0np0", 10, "s811f7.10", "b811f7.10"},
		/* a domain of its own has to be told, and fits exactly */
		{"10a1:81:1f.7", "enp129s0f0np0", 4094, "s10a1811f7.4094", "b10a1811f7.4094"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sriov_pf pf = {0};
		struct vlan_names out;

		core_copy(pf.address, sizeof(pf.address), rows[i].address);
		core_copy(pf.netdev, sizeof(pf.netdev), rows[i].netdev);
		guest_vlan_names(&pf, rows[i].vlan, &out);
		assert_string_equal(out.netdev, rows[i].of_vlan);
		assert_string_equal(out.bridge, rows[i].of_bridge);
	}
}

static void tagged(void **state)
{
	static const struct {
		struct sriov_lease lease;
		bool tagged, tap, ours;
	} rows[] = {
		{{.path = "macvtap", .vlan = 5, .below = "ens2f0.5"}, true, false, true},
		{{.path = "macvtap", .vlan = 5, .below = "vlan5"}, true, false, false},
		{{.path = "macvtap", .below = "ens2f0"}, false, false, false},
		{{.path = "tap", .vlan = 5, .below = "br-ens2f0.5"}, true, true, true},
		{{.path = "tap", .vlan = 5, .below = "br5"}, true, true, false},
		{{.path = "vf", .kind = "standby", .vlan = 5, .below = "br-ens2f0.5"},
		 true,
		 true,
		 true},
		{{.path = "vf", .kind = "standby", .vlan = 5, .below = "br-red", .socket = "/s"},
		 false,
		 true},
		{{.path = "vf", .kind = "interface", .vlan = 5}, false, true},
		{{.path = "vhostuser", .vlan = 5, .below = "br-red", .socket = "/s"}, false, true},
	};
	const struct sriov_pf pf = {.address = "0000:81:00.0", .netdev = "ens2f0"};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(guest_lease_is_tagged(&rows[i].lease), rows[i].tagged);
		assert_int_equal(guest_lease_is_tap(&rows[i].lease), rows[i].tap);
		assert_int_equal(guest_lease_is_on_ours(&rows[i].lease, &pf), rows[i].ours);
	}
}

static void finding(void **state)
{
	struct host_link at[] = {
		{.name = "ens2f0"},
		{.name = "a",
		 .kind = "vlan",
		 .lower = "ens2f0",
		 .vlan = 5,
		 .vlan_proto = ETH_P_8021AD},
		{.name = "b",
		 .kind = "vlan",
		 .lower = "ens1f0",
		 .vlan = 5,
		 .vlan_proto = ETH_P_8021Q},
		{.name = "c",
		 .kind = "vlan",
		 .lower = "ens2f0",
		 .vlan = 5,
		 .vlan_proto = ETH_P_8021Q},
		{.name = "d", .kind = "vlan", .vlan = 6, .vlan_proto = ETH_P_8021Q},
	};
	const struct host_links links = {at, ARRAY_SIZE(at)};

	assert_ptr_equal(links_vlan(&links, "ens2f0", 5), &at[3]);
	assert_null(links_vlan(&links, "ens2f0", 6));
	/* what is on nothing that we see is on no port without a netdev either */
	assert_null(links_vlan(&links, "", 6));
	assert_null(links_find(&links, ""));
}

/* Whoever has something on it, but the guest that leaves. */
static void holders(void **state)
{
	static const uint8_t guest[6] = {0x52, 1, 2, 3, 4, 5}, tap[6] = {0xfe, 1, 2, 3, 4, 5};
	static const struct {
		struct host_link other;
		const char *why; /* NULL: nobody */
	} rows[] = {
		{{.name = "macvtap3", .kind = "macvtap", .lower = "v"}, "macvtap3 is on it"},
		{{.name = "tap0", .kind = "tun", .master = "v"}, "tap0 is its port"},
		{{.name = "eth9", .master = "v", .ours = true}, "eth9 is its port"},
		{{.name = "ens2f0.9", .kind = "vlan", .master = "v", .ours = true, .vlan = 9},
		 NULL},
		{{.name = "ens2f0.9", .kind = "vlan", .master = "v", .vlan = 9},
		 "ens2f0.9 is its port"},
		{{.name = "x", .lower = "w", .master = "w"}, NULL},
		{{.name = "v", .addressed = true}, "the host has an address on it"},
	};
	char why[64];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct host_link at[] = {rows[i].other, {.name = "v"}};
		const struct host_links links = {at, 2};
		const struct host_link *self = links_find(&links, "v");

		strcpy(why, "?");
		assert_int_equal(guest_link_held(&links, self, NULL, why, sizeof(why)),
				 rows[i].why != NULL);
		assert_string_equal(why, rows[i].why ?: "?");
	}
	for (int i = 0; i < 2; i++) {
		struct host_link at[] = {{.name = "v"}, {.name = "m", .lower = "v"}};
		const struct host_links links = {at, 2};

		memcpy(at[1].mac, i ? tap : guest, 6);
		assert_false(guest_link_held(&links, &at[0], guest, why, sizeof(why)));
		assert_true(guest_link_held(&links, &at[0], NULL, why, sizeof(why)));
		at[1].mac[5]++;
		assert_true(guest_link_held(&links, &at[0], guest, why, sizeof(why)));
	}
}

/* What is refused only when the PF's netdev, or somebody else's, changes after the lease was made. */
static void others(void **state)
{
	struct sriov_lease lease = {
		.guest = "web1", .path = "tap", .vlan = 5, .below = "br5", .pf = "0000:81:00.0"};
	struct host_link at[] = {
		{.name = "br5", .kind = "bridge"},
		{.name = "x.5",
		 .kind = "vlan",
		 .vlan = 5,
		 .vlan_proto = ETH_P_8021Q,
		 .master = "br5"},
	};
	const struct host_links links = {at, 2}, none = {0};
	const struct sriov_pf pf = {.address = "0000:81:00.0", .driver = "vfio-pci"};
	struct sriov_error err;

	assert_int_equal(guest_vlan_check_others(&links, &lease, &err), 0);
	at[1].vlan_proto = ETH_P_8021AD;
	assert_int_equal(guest_vlan_check_others(&links, &lease, &err), -ENODEV);
	assert_non_null(strstr(err.message, "is on br5, which has no port any more for VLAN 5"));
	assert_int_equal(guest_vlan_check_others(&none, &lease, &err), -ENODEV);
	assert_non_null(strstr(err.message, "br5, which is not there"));
	assert_int_equal(guest_vlan_check(&links, &pf, 4095, false, "web1", &err), -ERANGE);
	assert_int_equal(guest_vlan_check(&links, &pf, 0, true, "web1", &err), -ERANGE);
	assert_string_equal(err.message, "VLAN 0 is not in 1..4094");
	assert_int_equal(guest_vlan_check(&links, &pf, 5, false, "web1", &err), -ENODEV);
	assert_non_null(strstr(err.message, "the PF has none (driver vfio-pci)"));
	assert_non_null(strstr(err.hint, "sriovctl pf bind 0000:81:00.0 --driver default"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),   cmocka_unit_test(tagged), cmocka_unit_test(finding),
		cmocka_unit_test(holders), cmocka_unit_test(others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
