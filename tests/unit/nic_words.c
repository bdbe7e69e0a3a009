/* SPDX-License-Identifier: Apache-2.0 */
/* Words and facts of NICs and VFs: addresses, MACs, VLANs, sets of VFs, drivers, differences. */
#include "lib/core/core.h"

#include <errno.h>
#include <setjmp.h>
#include <sriov/nic.h>
#include <sriov/vf.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void pci_parse(void **state)
{
	static const struct {
		const char *text, *want; /* NULL: refused */
	} rows[] = {
		{"0000:81:00.0", "0000:81:00.0"},
		{"81:00.0", "0000:81:00.0"},
		{"0000:AF:1F.7", "0000:af:1f.7"},
		{"10000:01:00.0", "10000:01:00.0"},
		{"fffffff:01:00.0", "fffffff:01:00.0"},
		{"00000:01:00.0", "0000:01:00.0"},
		{NULL, NULL},
		{"", NULL},
		{"81", NULL},
		{":", NULL},
		{"::", NULL},
		{"81:00", NULL},
		{"81:00.", NULL},
		{"81:00.8", NULL},
		{"81:20.0", NULL},
		{"81:0.0", NULL},
		{"181:00.0", NULL},
		{"000:81:00.0", NULL},
		{"100000000:81:00.0", NULL},
		{"0000:81:00.0 ", NULL},
		{" 81:00.0", NULL},
		{"0000:81:00.00", NULL},
		{"0000:81:00:0", NULL},
		{"0000:81:00.g", NULL},
		{"+1:00.0", NULL},
		{"0000:00:81:00.0", NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char out[SRIOV_PCI_LEN] = "untouched";
		int r = sriov_pci_parse(rows[i].text, out);

		assert_int_equal(r, rows[i].want ? 0 : -EINVAL);
		assert_string_equal(out, rows[i].want ? rows[i].want : "untouched");
	}
}

static void mac_parse(void **state)
{
	static const char *const bad[] = {
		NULL,
		"",
		"aa:bb:cc:dd:ee",
		"aa:bb:cc:dd:ee:",
		"aa:bb:cc:dd:ee:ff:",
		"aa:bb:cc:dd:ee:ff:00",
		"aa-bb-cc-dd-ee-ff",
		"a:bb:cc:dd:ee:ff",
		"aa:bb:cc:dd:ee:fg",
		"aabb.ccdd.eeff",
		" aa:bb:cc:dd:ee:ff",
		"+a:bb:cc:dd:ee:ff",
	};
	uint8_t mac[6], zero[6] = {0};
	char buf[SRIOV_MAC_LEN];

	assert_int_equal(sriov_mac_parse("0A:1b:2C:3d:4E:ff", mac), 0);
	assert_string_equal(sriov_mac_format(mac, buf), "0a:1b:2c:3d:4e:ff");
	assert_false(sriov_mac_is_zero(mac));
	assert_true(sriov_mac_is_zero(zero));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		uint8_t out[6] = {1, 2, 3, 4, 5, 6};

		assert_int_equal(sriov_mac_parse(bad[i], out), -EINVAL);
		assert_memory_equal(out, ((uint8_t[]){1, 2, 3, 4, 5, 6}), 6);
	}
}

static void mac_auto(void **state)
{
	static const uint8_t pf[2][6] = {{0x90, 0xe2, 0xba, 0x11, 0x22, 0x33},
					 {0x90, 0xe2, 0xba, 0x11, 0x22, 0x34}};
	uint8_t seen[2 * 128 * 2][6];
	char text[SRIOV_MAC_LEN];
	size_t n = 0;

	for (unsigned p = 0; p < 2; p++) {
		for (unsigned vf = 0; vf < 128; vf++) {
			for (unsigned salt = 0; salt < 2; salt++) {
				sriov_mac_auto(pf[p], vf, salt, seen[n]);
				assert_int_equal(seen[n][0] & 0x0f, 0x02);
				for (size_t i = 0; i < n; i++)
					assert_memory_not_equal(seen[i], seen[n], 6);
				n++;
			}
		}
	}
	/* the same at every boot, and in every release: leases and switches remember it */
	sriov_mac_auto(pf[0], 3, 0, seen[0]);
	assert_string_equal(sriov_mac_format(seen[0], text), "d2:e3:32:29:03:dd");
}

static void drivers(void **state)
{
	const struct sriov_driver *ixgbe = sriov_driver_find("ixgbe");
	const struct sriov_driver *i40e = sriov_driver_find("i40e");
	const struct sriov_driver *igb = sriov_driver_find("igb");

	assert_null(sriov_driver_find("mlx5_core"));
	assert_null(sriov_driver_find(""));
	assert_null(sriov_driver_find(NULL));
	assert_string_equal(ixgbe->vf_driver, "ixgbevf");
	assert_int_equal(ixgbe->vfs_max, 63);
	assert_int_equal(ixgbe->rules[SRIOV_EVENT_NUMVFS].fate, SRIOV_RULES_WIPED);
	assert_int_equal(ixgbe->rate_link_mbps, 10000);
	assert_false(ixgbe->link_states & 1u << SRIOV_LINK_ENABLE);
	assert_string_equal(i40e->vf_driver, "iavf");
	assert_int_equal(i40e->rules[SRIOV_EVENT_NUMVFS].fate, SRIOV_RULES_STALE);
	assert_true(i40e->traits & SRIOV_VF_EAGAIN);
	assert_int_equal(i40e->rate_step_mbps, 50);
	assert_int_equal(igb->vfs_max, 7);
	assert_int_equal(igb->link_states, 0);
	/* each says what becomes of rules, and where that is known from */
	for (size_t i = 0; sriov_driver_at(i); i++)
		for (unsigned e = 0; e < SRIOV_EVENTS; e++) {
			assert_non_null(sriov_event_word(e));
			assert_non_null(sriov_driver_at(i)->rules[e].note);
			assert_non_null(sriov_fate_word(sriov_driver_at(i)->rules[e].fate));
		}
	assert_false(ixgbe->vlan_8021ad || i40e->vlan_8021ad || igb->vlan_8021ad);
	assert_false(ixgbe->min_rate || i40e->min_rate || igb->min_rate);
	assert_string_equal(sriov_device_name(0x8086, 0x10fb), "Intel 82599ES 10-Gigabit SFI/SFP+");
	assert_non_null(sriov_device_name(0x8086, 0x1583));
	assert_null(sriov_device_name(0x15b3, 0x10fb));
	assert_string_equal(sriov_device_driver(0x8086, 0x10fb), "ixgbe");
	assert_string_equal(sriov_device_driver(0x8086, 0x1583), "i40e");
	assert_string_equal(sriov_device_driver(0x8086, 0x1521), "igb");
	assert_null(sriov_device_driver(0x8086, 0x1533));
	assert_null(sriov_device_driver(0x15b3, 0x10fb));
	assert_null(sriov_device_name(0x8086, 0xffff));
}

static void vlan_parse(void **state)
{
	static const struct {
		const char *text;
		int r;
		uint16_t vlan, proto;
		uint8_t qos;
		const char *message;
	} rows[] = {
		{"0", 0, 0, 0x8100, 0, NULL},
		{"0:0", 0, 0, 0x8100, 0, NULL},
		{"100", 0, 100, 0x8100, 0, NULL},
		{"4094:7", 0, 4094, 0x8100, 7, NULL},
		{"5:0:802.1q", 0, 5, 0x8100, 0, NULL},
		{"5:3:802.1ad", 0, 5, 0x88a8, 3, NULL},
		{"4095", -EINVAL, .message = "reserved by IEEE 802.1Q"},
		{"0:3", -EINVAL, .message = "no tag for a priority"},
		{"0:0:802.1ad", -EINVAL, .message = "no tag for a protocol"},
		{"4096", -EINVAL, .message = "'4096' is not a number from 0 to 4095"},
		{"-1", -EINVAL, .message = "'-1'"},
		{"", -EINVAL, .message = "''"},
		{NULL, -EINVAL, .message = "''"},
		{"5:8", -EINVAL, .message = "'8' is not a number from 0 to 7"},
		{"5:", -EINVAL, .message = "''"},
		{"5::802.1ad", -EINVAL, .message = "''"},
		{"5:1:qinq", -EINVAL, .message = "'qinq' is neither"},
		{"5:1:802.1Q:9", -EINVAL, .message = "is not a VLAN"},
		{"5:1:0000000000000000000000000000000802.1Q", -EINVAL, .message = "is not a VLAN"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sriov_vf_attrs before = {.has = SRIOV_VF_TRUST, .vlan = 77, .trust = true};
		struct sriov_vf_attrs attrs = before;
		struct sriov_error err = {0};

		assert_int_equal(sriov_vlan_parse(rows[i].text, &attrs, &err), rows[i].r);
		if (rows[i].r < 0) {
			assert_non_null(strstr(err.message, rows[i].message));
			assert_memory_equal(&attrs, &before, sizeof(attrs));
			continue;
		}
		assert_int_equal(attrs.has, SRIOV_VF_TRUST | SRIOV_VF_VLAN);
		assert_int_equal(attrs.vlan, rows[i].vlan);
		assert_int_equal(attrs.qos, rows[i].qos);
		assert_int_equal(attrs.vlan_proto, rows[i].proto);
	}
	assert_int_equal(sriov_vlan_parse("x", &(struct sriov_vf_attrs){0}, NULL), -EINVAL);
}

static void vfset_parse(void **state)
{
	static const struct {
		const char *text;
		int r;
		unsigned count, member;
	} rows[] = {
		{"0", 0, 1, 0},
		{"0-3,7", 0, 5, 7},
		{"5,5-5,4-6", 0, 3, 4},
		{"255", 0, 1, 255},
		{"0-255", 0, 256, 63},
		{"all", 0, 256, 200},
		{"256", -EINVAL, 0, 0},
		{"0-256", -EINVAL, 0, 0},
		{"", -EINVAL, 0, 0},
		{NULL, -EINVAL, 0, 0},
		{",", -EINVAL, 0, 0},
		{"1,", -EINVAL, 0, 0},
		{"1-", -EINVAL, 0, 0},
		{"-1", -EINVAL, 0, 0},
		{"3-1", -EINVAL, 0, 0},
		{"1-2-3", -EINVAL, 0, 0},
		{"all,1", -EINVAL, 0, 0},
		{"1 2", -EINVAL, 0, 0},
		{"0000000000000000000000001", -EINVAL, 0, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sriov_vfset before = {{0xdead, 1, 2, 3}}, set = before;
		struct sriov_error err = {0};
		unsigned count = 0;

		assert_int_equal(sriov_vfset_parse(rows[i].text, &set, &err), rows[i].r);
		if (rows[i].r < 0) {
			assert_string_not_equal(err.message, "");
			assert_memory_equal(&set, &before, sizeof(set));
			continue;
		}
		for (unsigned v = 0; v < SRIOV_VF_MAX; v++)
			count += sriov_vfset_has(&set, v);
		assert_int_equal(count, rows[i].count);
		assert_true(sriov_vfset_has(&set, rows[i].member));
	}
	assert_false(sriov_vfset_has(&(struct sriov_vfset){{~0ull, ~0ull, ~0ull, ~0ull}}, 256));
}

static void attrs_differ(void **state)
{
	const struct sriov_vf_attrs now = {.has = SRIOV_VF_ALL & ~SRIOV_VF_LINK,
					   .mac = {2, 0, 0, 0, 0, 1},
					   .vlan = 5,
					   .vlan_proto = 0x8100,
					   .spoofchk = true};
	const struct {
		struct sriov_vf_attrs want;
		unsigned differ;
	} rows[] = {
		{{.has = 0, .vlan = 9}, 0},
		{{.has = SRIOV_VF_MAC, .mac = {2, 0, 0, 0, 0, 1}}, 0},
		{{.has = SRIOV_VF_MAC}, SRIOV_VF_MAC},
		{{.has = SRIOV_VF_VLAN, .vlan = 5, .vlan_proto = 0x8100}, 0},
		{{.has = SRIOV_VF_VLAN, .vlan = 5, .qos = 1, .vlan_proto = 0x8100}, SRIOV_VF_VLAN},
		{{.has = SRIOV_VF_VLAN, .vlan = 5, .vlan_proto = 0x88a8}, SRIOV_VF_VLAN},
		{{.has = SRIOV_VF_VLAN, .vlan = 0, .vlan_proto = 0x8100}, SRIOV_VF_VLAN},
		{{.has = SRIOV_VF_SPOOFCHK | SRIOV_VF_TRUST}, SRIOV_VF_SPOOFCHK},
		{{.has = SRIOV_VF_TRUST, .trust = true}, SRIOV_VF_TRUST},
		{{.has = SRIOV_VF_RATE, .max_rate = 100}, SRIOV_VF_RATE},
		{{.has = SRIOV_VF_RATE, .min_rate = 1}, SRIOV_VF_RATE},
		{{.has = SRIOV_VF_LINK}, SRIOV_VF_LINK}, /* not known now */
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(sriov_vf_attrs_differ(&now, &rows[i].want), rows[i].differ);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pci_parse),    cmocka_unit_test(mac_parse),
		cmocka_unit_test(mac_auto),     cmocka_unit_test(drivers),
		cmocka_unit_test(vlan_parse),   cmocka_unit_test(vfset_parse),
		cmocka_unit_test(attrs_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
