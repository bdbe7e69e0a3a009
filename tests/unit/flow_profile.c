/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles: what each driver's INS answers, errno by errno, and what its GET means. */
#include "tests/unit/flow_fixture.h"

#define IXGBE(...)                                                                                 \
	{                                                                                          \
		"ixgbe", X520, __VA_ARGS__                                                         \
	}
#define I40E(vfs, queues, ...)                                                                     \
	{                                                                                          \
		"i40e", 0x1572, vfs, queues, {__VA_ARGS__}, 8192                                   \
	}
#define IGB(device, ...)                                                                           \
	{                                                                                          \
		"igb", device, 0, 4,                                                               \
		{                                                                                  \
			__VA_ARGS__                                                                \
		}                                                                                  \
	}

static const struct {
	struct port_words port;
	const char *entry;
	int err; /* 0 = admitted */
	const char *why;
} cases[] = {
	/* ixgbe: ntuple, targets, location, in this order */
	{IXGBE(0, 8), "udp4 dst-port 80 queue 7", 0, ""},
	{IXGBE(0, 8), "udp4 dst-port 80 queue 8", -EINVAL, "no such RX queue"},
	{IXGBE(0, 8), "udp4 dst-port 80 vf 0", -EINVAL, "no such VF"},
	{IXGBE(0, 8, {0}, 0, SRIOV_NTUPLE_OFF), "udp4 dst-port 80 queue 8", -EOPNOTSUPP,
	 "ntuple is off"},
	{IXGBE(0, 8, {0}, 0, SRIOV_NTUPLE_OFF_FIXED), "udp4 drop", -EOPNOTSUPP, "ntuple is off"},
	{IXGBE(0, 0), "udp4 dst-port 80 queue 100", 0, ""}, /* not read: not judged */
	{IXGBE(4, 4), "udp4 dst-port 80 vf 3 queue 3", 0, ""},
	{IXGBE(4, 4), "udp4 dst-port 80 vf 4", -EINVAL, "no such VF"},
	{IXGBE(4, 4), "udp4 dst-port 80 vf 3 queue 4", -EINVAL, "no such queue"},
	{IXGBE(4, 2), "udp4 dst-port 80 vf 3 queue 1", 0,
	 ""}, /* lands elsewhere, but is accepted */
	{IXGBE(4, 2), "udp4 dst-port 80 vf 0 queue 2", -EINVAL, "no such queue"},
	{IXGBE(31, 4), "udp4 dst-port 80 queue 3", 0, ""}, /* drops, but is accepted */
	{IXGBE(0, 8), "udp4 drop loc 2045", 0, ""},
	{IXGBE(0, 8), "udp4 drop loc 2046", -EINVAL, "location"},
	{IXGBE(0, 8, {0}, 4094), "udp4 drop loc 4093", 0, ""},
	{IXGBE(0, 8, {0}, 4094), "udp4 drop loc 4094", -EINVAL, "location"},
	{IXGBE(0, 8), "udp4 queue 8 loc 2046", -EINVAL, "no such RX queue"},
	{IXGBE(0, 8), "udp6 drop loc 2046", -EINVAL, "location"},
	/* ixgbe: flow types */
	{IXGBE(0, 8), "tcp4 drop", 0, ""},
	{IXGBE(0, 8), "sctp4 drop", 0, ""},
	{IXGBE(0, 8), "ip4 drop", 0, ""},
	{IXGBE(0, 8), "tcp6 drop", -EINVAL, "flow type"},
	{IXGBE(0, 8), "ip6 drop", -EINVAL, "flow type"},
	{IXGBE(0, 8), "ether proto 0x800 drop", -EINVAL, "flow type"},
	{IXGBE(0, 8), "ip4 l4proto 6 drop", 0, ""},
	{IXGBE(0, 8), "ip4 l4proto 132 l4data 80 drop", 0, ""},
	{IXGBE(0, 8), "ip4 l4proto 1 drop", -EINVAL, "IP protocol"},
	{IXGBE(0, 8), "ip4 l4proto 0 drop", -EINVAL, "IP protocol"},
	{IXGBE(0, 8), "ip4 l4data 1 drop", -EINVAL, "l4data"},
	/* ixgbe: masks of the first rule */
	{IXGBE(0, 8), "udp4 src-ip 10.0.0.7 m 0.255.0.255 src-port 1 m 0xf0f0 drop", 0, ""},
	{IXGBE(0, 8), "udp4 tos 1 drop", 0, ""}, /* ignored, but accepted */
	{IXGBE(0, 8), "udp4 vid 5 drop", 0, ""},
	{IXGBE(0, 8), "udp4 prio 5 drop", 0, ""},
	{IXGBE(0, 8), "udp4 vlan 5 drop", 0, ""},
	{IXGBE(0, 8), "udp4 vlan 5 m 0xff00 drop", -EINVAL, "VLAN"},
	{IXGBE(0, 8), "udp4 vlan-etype 0x800 drop", 0, ""},
	{IXGBE(0, 8), "udp4 vlan-etype 0x8100 m 1 drop", -EINVAL, "vlan-etype"},
	{IXGBE(0, 8), "udp4 user-def 3 m 0xffffffffffffff80 drop", 0, ""},
	{IXGBE(0, 8), "udp4 user-def 3 m 0xfffffffffffffff0 drop", -EINVAL, "pool"},
	{IXGBE(0, 8), "udp4 user-def 3 drop", 0, ""},
	/* ixgbe: one mask per port */
	{IXGBE(0, 8, {"udp4 dst-port 80 drop loc 1"}), "udp4 dst-port 81 drop loc 2", 0, ""},
	{IXGBE(0, 8, {"udp4 dst-port 80 drop loc 1"}), "tcp4 dst-port 81 drop loc 2", 0, ""},
	{IXGBE(0, 8, {"udp4 dst-port 80 drop loc 1"}), "udp4 dst-port 80 drop loc 2", 0, ""},
	{IXGBE(0, 8, {"udp4 dst-port 80 drop loc 1"}), "udp4 src-port 80 drop loc 2", -EINVAL,
	 "one mask"},
	{IXGBE(0, 8, {"udp4 dst-port 80 drop loc 1"}), "udp4 dst-port 80 m 1 drop loc 2", -EINVAL,
	 "one mask"},
	{IXGBE(0, 8, {"udp4 dst-port 80 drop loc 1"}), "udp4 src-port 80 drop loc 1", -EINVAL,
	 "one mask"},
	{IXGBE(0, 8, {"udp4 drop loc 1"}), "ip4 drop loc 2", -EINVAL, "one mask"},
	{IXGBE(0, 8, {"ip4 drop loc 1"}), "ip4 drop loc 2", 0, ""},
	{IXGBE(0, 8, {"udp4 vlan 5 drop loc 1"}), "udp4 vlan 5 m 0x1000 drop loc 2", -EINVAL,
	 "one mask"},
	{IXGBE(0, 8, {"udp4 drop loc 1"}), "udp4 tos 1 drop loc 2", 0, ""},
	/* i40e: ntuple and flow types */
	{I40E(0, 8), "udp4 dst-port 80 queue 7", 0, ""},
	{{"i40e", 0x1572, 0, 8, {0}, 8192, SRIOV_NTUPLE_OFF},
	 "udp4 drop",
	 -EOPNOTSUPP,
	 "ntuple is off"},
	{I40E(0, 8), "ip6 src-ip ::1 queue 7", 0, ""},
	{I40E(0, 8), "ether proto 0x800 drop", -EOPNOTSUPP, "flow type"},
	/* i40e: masks, whole or none */
	{I40E(0, 8), "udp4 dst-ip 10.0.0.0/8 drop", -EOPNOTSUPP, "whole or not at all"},
	{I40E(0, 8), "udp4 dst-port 80 m 1 drop", -EOPNOTSUPP, "whole or not at all"},
	{I40E(0, 8), "tcp6 src-ip 2001:db8::/32 drop", -EOPNOTSUPP, "whole or not at all"},
	{I40E(0, 8), "udp4 tos 1 drop", -EOPNOTSUPP, "cannot match this field"},
	{I40E(0, 8), "ip4 l4proto 6 drop", -EINVAL, "cannot match this field"},
	{I40E(0, 8), "ip6 l4data 6 drop", -EOPNOTSUPP, "cannot match this field"},
	{I40E(0, 8), "udp4 vlan 5 m 0xf000 drop", 0, ""}, /* ignored, but accepted */
	{I40E(0, 8), "udp4 vlan-etype 0x88a8 vlan 5 drop", -EOPNOTSUPP, "0x8100"},
	{I40E(0, 8), "udp4 user-def 0x21234 m 0xffffffff00000000 drop", 0, ""},
	{I40E(0, 8), "udp4 user-def 0x21234 drop", 0, ""},
	{I40E(0, 8), "udp4 user-def 0x21234 m 0xffffffff0000ffff drop", -EINVAL, "user-def"},
	{I40E(0, 8), "udp4 user-def 0x31234 m 0xffffffff00000000 drop", -EINVAL,
	 "offset out of range"},
	{I40E(0, 8), "udp4 user-def 0x401234 m 0xffffffff00000000 drop", -EINVAL,
	 "offset out of range"},
	{I40E(0, 8, "udp4 user-def 0 drop loc 1", "tcp4 user-def 0x20000 drop loc 2",
	      "sctp4 user-def 0x40000 drop loc 3"),
	 "udp6 user-def 0x40001 drop loc 4", 0, ""},
	/* i40e: one input set per flow type */
	{I40E(0, 8, "udp4 dst-port 80 drop loc 1"), "udp4 dst-port 81 drop loc 2", 0, ""},
	{I40E(0, 8, "udp4 dst-port 80 drop loc 1"), "udp4 src-port 81 drop loc 2", -EOPNOTSUPP,
	 "input set"},
	{I40E(0, 8, "udp4 dst-port 80 drop loc 1"), "tcp4 src-port 81 drop loc 2", 0, ""},
	{I40E(0, 8, "udp4 dst-port 80 drop loc 1"), "udp4 dst-port 81 vlan 5 drop loc 2",
	 -EOPNOTSUPP, "input set"},
	{I40E(0, 8, "udp4 dst-port 80 drop loc 1"), "udp4 src-port 81 drop loc 1", -EOPNOTSUPP,
	 "input set"},
	/* i40e: location, target, duplicates, in this order */
	{I40E(0, 8), "udp4 drop loc 8191", 0, ""},
	{I40E(0, 8), "udp4 drop loc 8192", -EINVAL, "location"},
	{I40E(0, 8), "udp4 queue 8", -EINVAL, "no such RX queue"},
	{I40E(2, 8), "udp4 vf 1 queue 3", 0, ""},
	{I40E(2, 8), "udp4 vf 2", -EINVAL, "no such VF"},
	{I40E(2, 8), "udp4 vf 1 queue 4", -EINVAL, "no such queue"},
	{I40E(0, 8, "udp4 dst-port 80 drop loc 1"), "udp4 dst-port 80 queue 1 loc 2", -EINVAL,
	 "duplicate"},
	{I40E(0, 8, "tcp6 dst-ip ::1 drop loc 1"), "tcp6 dst-ip ::2 drop loc 2", -EINVAL,
	 "duplicate"},
	{I40E(0, 8, "tcp6 src-ip 1:2:3:4::1 drop loc 1"), "tcp6 src-ip 1:2:3:4::2 drop loc 2",
	 -EINVAL, "duplicate"},
	{I40E(0, 8, "tcp6 src-ip 1:2:3:4::1 drop loc 1"), "tcp6 src-ip 1:2:3:5::1 drop loc 2", 0,
	 ""},
	{I40E(0, 8, "udp4 user-def 1 drop loc 1"), "udp4 user-def 2 drop loc 2", -EINVAL,
	 "duplicate"},
	/* igb: capability, action, location, type, VLAN mask, duplicates, filters */
	{IGB(I350), "ether proto 0x88f7 queue 1", 0, ""},
	{{"igb", I350, 0, 4, {0}, 0, SRIOV_NTUPLE_OFF}, "ether proto 0x88f7 queue 1", 0, ""},
	{{"igb", I350, 0, 4, {0}, 0, SRIOV_NTUPLE_OFF_FIXED},
	 "ether proto 0x88f7 queue 1",
	 -EOPNOTSUPP,
	 "ntuple is off"},
	{IGB(I350), "ether proto 0x88f7 drop", -EINVAL, "cannot drop"},
	{IGB(I350), "ether proto 0x88f7 vf 0", -EINVAL, "no VF targets"},
	{IGB(I350), "ether proto 0x88f7 queue 4", -EINVAL, "no such RX queue"},
	{IGB(I350), "ether proto 0x88f7 queue 1 loc 15", 0, ""},
	{IGB(I350), "ether proto 0x88f7 queue 1 loc 16", -EINVAL, "location"},
	{IGB(I350), "udp4 queue 1", -EINVAL, "flow type"},
	{IGB(I350), "ether prio 3 queue 1", 0, ""},
	{IGB(I350), "ether vid 3 queue 1", -EINVAL, "priority"},
	{IGB(I350), "ether vlan 3 queue 1", -EINVAL, "priority"},
	{IGB(I350, "ether proto 1 queue 1 loc 1"), "ether proto 1 queue 2 loc 2", -EEXIST,
	 "already set"},
	{IGB(I350, "ether proto 1 queue 1 loc 1", "ether proto 2 queue 1 loc 2",
	     "ether proto 3 queue 1 loc 3"),
	 "ether proto 4 queue 2 loc 4", -EINVAL, "EtherType"},
	{IGB(I350), "ether dst 52:54:00:00:00:01 queue 1", -EOPNOTSUPP, "MAC addresses"},
	{IGB(I210), "ether dst 52:54:00:00:00:01 queue 1", 0, ""},
	{IGB(I210), "ether src 52:54:00:00:00:01 queue 1", -EOPNOTSUPP, "source MAC"},
	{IGB(I210), "ether dst 00:00:00:00:00:00 queue 1", -EINVAL, "zero"},
	{IGB(I210), "ether queue 1", -EOPNOTSUPP, "source MAC"},
	{IGB(I350), "ether queue 1", -EINVAL, "nothing"},
	{IGB(I350), "ether proto 0x800 m 0xff queue 1", -EINVAL, "nothing"},
	{IGB(I350, "ether prio 3 queue 1 loc 1"), "ether prio 3 proto 1 queue 2 loc 2", -EEXIST,
	 "another queue"},
	{IGB(I350, "ether prio 3 queue 1 loc 1"), "ether prio 4 queue 2 loc 2", 0, ""},
};

static void admits_as_the_drivers_do(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sriov_entry rules[5], entry = entry_of(cases[i].entry);
		struct nic_verdict v;
		struct sriov_pf port;

		port_of(&cases[i].port, rules, &port);
		if (admits(&port, &entry, &v) != !cases[i].err || v.err != cases[i].err)
			fail_msg("case %zu, %s '%s' gave %d (%s)", i, port.driver, cases[i].entry,
				 v.err, v.why);
		if (!strstr(v.err ? v.why : "", cases[i].why))
			fail_msg("case %zu, %s '%s' gave '%s'", i, port.driver, cases[i].entry,
				 v.why);
	}
}

static void finds_modelled_drivers_only(void **state)
{
	static const char *const others[] = {"ice", "mlx5_core", "igbvf", "ixgbevf", "", "ixgb"};

	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		assert_null(nic_profile_find(others[i]));
	assert_ptr_equal(nic_profile_find("ixgbe"), &nic_ixgbe);
	assert_ptr_equal(nic_profile_find("i40e"), &nic_i40e);
	assert_ptr_equal(nic_profile_find("igb"), &nic_igb);
}

/* Every refusal says something to a person, and points at nothing but the port's own rules. */
static void refusals_explain(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sriov_entry rules[5], entry = entry_of(cases[i].entry);
		struct nic_verdict v;
		struct sriov_pf port;

		port_of(&cases[i].port, rules, &port);
		if (admits(&port, &entry, &v))
			continue;
		assert_true(v.result == SRIOV_REJECTED || v.result == SRIOV_FULL);
		assert_true(v.err < 0);
		assert_int_not_equal(strlen(v.detail), 0);
		assert_true(strlen(v.detail) < sizeof(v.detail) - 1);
		assert_true(strlen(v.hint) < sizeof(v.hint) - 1);
		assert_true(v.other == TABLE_NONE || v.other < port.nrules);
	}
}

/* Masks as i40e's GET gave them for the entries that were put in, recorded from the driver's code. */
static void i40e_readback_is_repaired(void **state)
{
	static const struct {
		const char *put, *got;
	} reads[] = {
		/* a v4 source address: everything reads as masked */
		{"tcp4 src-ip 10.138.87.36 src-port 22 dst-port 53 drop",
		 "{\"loc\":1,\"flow\":\"tcp4\",\"cookie\":\"0xffffffffffffffff\",\"value\":{\"ip4src\":"
		 "\"10.138.87.36\",\"psrc\":22,\"pdst\":53},\"mask\":{\"ip4src\":\"255.255.255.255\",\"ip4dst\":"
		 "\"255.255.255.255\",\"psrc\":65535,\"pdst\":65535,\"tos\":255}}"},
		{"udp4 src-ip 10.44.251.248 queue 0",
		 "{\"loc\":1,\"flow\":\"udp4\",\"cookie\":\"0x0\",\"value\":{\"ip4src\":\"10.44.251.248\"},\"mask\":"
		 "{\"ip4src\":\"255.255.255.255\",\"ip4dst\":\"255.255.255.255\",\"psrc\":65535,\"pdst\":65535,"
		 "\"tos\":255}}"},
		{"udp4 src-ip 10.0.0.1 vlan-etype 0x8100 vlan 100 queue 0",
		 "{\"loc\":1,\"flow\":\"udp4\",\"cookie\":\"0x0\",\"ext\":true,\"value\":{\"ip4src\":\"10.0.0.1\","
		 "\"vlan_etype\":33024,\"vlan_tci\":100},\"mask\":{\"ip4src\":\"255.255.255.255\",\"ip4dst\":"
		 "\"255.255.255.255\",\"psrc\":65535,\"pdst\":65535,\"tos\":255,\"vlan_etype\":65535,"
		 "\"vlan_tci\":65535}}"},
		{"ip4-other src-ip 192.253.207.27 queue 0",
		 "{\"loc\":1,\"flow\":\"ip4\",\"cookie\":\"0x0\",\"value\":{\"ip4src\":\"192.253.207.27\"},\"mask\":"
		 "{\"ip4src\":\"255.255.255.255\",\"ip4dst\":\"255.255.255.255\",\"l4_4_bytes\":4294967295,"
		 "\"tos\":255,\"proto\":255}}"},
		/* without one they are right */
		{"udp4 dst-ip 203.94.222.33 src-port 80 queue 0",
		 "{\"loc\":1,\"flow\":\"udp4\",\"cookie\":\"0x0\",\"value\":{\"ip4dst\":\"203.94.222.33\",\"psrc\":80},"
		 "\"mask\":{\"ip4dst\":\"255.255.255.255\",\"psrc\":65535}}"},
		{"ip4-other drop",
		 "{\"loc\":1,\"flow\":\"ip4\",\"cookie\":\"0xffffffffffffffff\"}"},
		/* v6: the ports stand in the source mask */
		{"tcp6 dst-ip 2001:db8:2:2::3 dst-port 443 drop",
		 "{\"loc\":1,\"flow\":\"tcp6\",\"cookie\":\"0xffffffffffffffff\",\"value\":{\"ip6dst\":"
		 "\"2001:db8:2:2::3\",\"pdst\":443},\"mask\":{\"ip6src\":\"::ffff:ffff:0:ffff:0:0\",\"ip6dst\":"
		 "\"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff\"}}"},
		{"tcp6 src-port 51299 queue 0",
		 "{\"loc\":1,\"flow\":\"tcp6\",\"cookie\":\"0x0\",\"value\":{\"psrc\":51299},\"mask\":{\"ip6src\":"
		 "\"::ffff:0:0:0\"}}"},
		{"ip6-other dst-ip 2001:db8:2:2::6 queue 0",
		 "{\"loc\":1,\"flow\":\"ip6\",\"cookie\":\"0x0\",\"value\":{\"ip6dst\":\"2001:db8:2:2::6\"},\"mask\":"
		 "{\"ip6src\":\"0:0:ffff:ffff::\",\"ip6dst\":\"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff\"}}"},
		/* … or are covered by it */
		{"sctp6 src-ip 2001:db8:0:1::2 dst-ip 2001:db8:3:2::2 dst-port 22 queue 0",
		 "{\"loc\":1,\"flow\":\"sctp6\",\"cookie\":\"0x0\",\"value\":{\"ip6src\":\"2001:db8:0:1::2\",\"ip6dst\":"
		 "\"2001:db8:3:2::2\",\"pdst\":22},\"mask\":{\"ip6src\":"
		 "\"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff\",\"ip6dst\":"
		 "\"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff\"}}"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(reads); i++) {
		struct sriov_entry put = entry_of(reads[i].put), got;
		json_t *json = json_loads(reads[i].got, 0, NULL);
		char text[512];

		assert_non_null(json);
		assert_int_equal(entry_decode(json, &got, NULL), 0);
		for (int again = 0; again < 2; again++) {
			nic_profile_readback(&nic_i40e, &got);
			sriov_entry_format(&got, text, sizeof(text));
			if (!sriov_entry_same(&got, &put))
				fail_msg("'%s' is read back as '%s'", reads[i].put, text);
		}
		json_decref(json);
	}
}

/* What never came from a GET stays as it is, but for values that do not count. */
static void readback_leaves_true_entries(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct nic_profile *profile = nic_profile_find(cases[i].port.driver);
		struct sriov_entry entry = entry_of(cases[i].entry), read = entry;

		if (entry.mask.tos || (profile == &nic_i40e && entry.type == SRIOV_FLOW_IP4) ||
		    (entry.type >= SRIOV_FLOW_TCP6 && entry.type <= SRIOV_FLOW_IP6))
			continue; /* i40e never has them, or has partial masks only so */
		nic_profile_readback(profile, &read);
		assert_true(sriov_entry_same(&read, &entry));
		nic_profile_readback(NULL, &read);
		assert_true(sriov_entry_same(&read, &entry));
	}
}

static void notes_say_what_is_not_seen(void **state)
{
	static const struct {
		const char *driver;
		uint16_t device;
		uint64_t cookie;
		bool ports;
		const char *says[NIC_NOTES_MAX];
	} rows[] = {
		{"ixgbe", 0x10fb, SRIOV_COOKIE_DROP, true, {"not between VFs", "82599"}},
		{"ixgbe", 0x10fb, SRIOV_COOKIE_DROP, false, {"not between VFs"}},
		{"ixgbe", 0x1528, SRIOV_COOKIE_DROP, true, {"not between VFs"}}, /* X540 */
		{"ixgbe", 0x10fb, 1ull << 32, true, {"not between VFs"}},
		{"ixgbe", 0x10fb, 3, true, {NULL}},
		{"ixgbe", 0x1563, SRIOV_COOKIE_DROP, true, {NULL}}, /* X550 */
		{"i40e", 0x1572, SRIOV_COOKIE_DROP, true, {NULL}},
		{"mlx5_core", 0x1017, SRIOV_COOKIE_DROP, true, {NULL}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sriov_entry entry = {.type = SRIOV_FLOW_UDP4, .cookie = rows[i].cookie};
		struct sriov_pf port = {.device = rows[i].device};
		const char *out[NIC_NOTES_MAX];
		size_t n, want = 0;

		entry.mask.dst_port = rows[i].ports ? 0xffff : 0;
		n = nic_profile_notes(nic_profile_find(rows[i].driver), &port, &entry, out);
		while (want < NIC_NOTES_MAX && rows[i].says[want])
			want++;
		assert_int_equal(n, want);
		for (size_t k = 0; k < n; k++)
			assert_non_null(strstr(out[k], rows[i].says[k]));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(notes_say_what_is_not_seen),
		cmocka_unit_test(admits_as_the_drivers_do),
		cmocka_unit_test(finds_modelled_drivers_only),
		cmocka_unit_test(refusals_explain),
		cmocka_unit_test(i40e_readback_is_repaired),
		cmocka_unit_test(readback_leaves_true_entries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
