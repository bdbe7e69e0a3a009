/* SPDX-License-Identifier: Apache-2.0 */
/* Entries as the kernel's ntuple structure, byte for byte, and as JSON; both ways. */
#include "flows/words.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static struct sriov_entry entry_of(const char *text)
{
	struct sriov_rule rule;
	struct sriov_error err = {0};
	struct sriov_entry entry;

	if (sriov_rule_parse(text, NULL, 0, &rule, &err))
		fail_msg("%s: %s", text, err.message);
	entry = (struct sriov_entry){.type = rule.type,
				     .value = rule.value,
				     .mask = rule.mask,
				     .cookie = action_cookie(&rule.action),
				     .ext = true};
	entry_canonical(&entry);
	entry.loc = rule.loc;
	return entry;
}

/* "offset:hex" of each run of bytes that are not zero in [@from, @from + @size). */
static void dump(const void *from, size_t size, char *out, size_t room)
{
	const uint8_t *bytes = from;
	struct text text = {.at = out, .size = room};

	*out = '\0';
	for (size_t i = 0; i < size; i++) {
		if (!bytes[i])
			continue;
		text_add(&text, "%s%zu:", text.used ? " " : "", i);
		while (i < size && bytes[i])
			text_add(&text, "%02x", bytes[i++]);
	}
}

static void encodes_golden_bytes(void **state)
{
	static const struct {
		const char *rule;
		uint32_t type;
		uint64_t cookie;
		const char *value, *mask;         /* of h_u, m_u */
		const char *ext_value, *ext_mask; /* of h_ext, m_ext */
	} cases[] = {
		{"udp4 src-ip 10.1.2.3 dst-ip 10.9.8.7 src-port 0x1234 dst-port 4789 tos 0x10 vf 3 queue 1 loc 9",
		 UDP_V4_FLOW, 0x400000001, "0:0a0102030a090807123412b510",
		 "0:ffffffffffffffffffffffffff", "", ""},
		{"tcp4 dst-ip 10.0.0.0/8 dst-port 80 m 0xff drop loc 9", TCP_V4_FLOW, UINT64_MAX,
		 "4:0a", "4:ff 10:ff", "", ""},
		{"sctp4 src-port 1 queue 2 loc 9", SCTP_V4_FLOW, 2, "9:01", "8:ffff", "", ""},
		{"ip4 dst-ip 1.2.3.4 l4proto 47 l4data 0xa1b2c3d4 tos 1 queue 0 loc 9",
		 IPV4_USER_FLOW, 0, "4:01020304a1b2c3d401012f", "4:ffffffffffffffffff 14:ff", "",
		 ""},
		{"tcp6 src-ip 102:304:506:708:90a:b0c:d0e:f10 dst-port 80 tclass 3 queue 1 loc 9",
		 TCP_V6_FLOW, 1, "0:0102030405060708090a0b0c0d0e0f10 35:5003",
		 "0:ffffffffffffffffffffffffffffffff 34:ffffff", "", ""},
		{"udp6 dst-ip ::1 queue 1 loc 9", UDP_V6_FLOW, 1, "31:01",
		 "16:ffffffffffffffffffffffffffffffff", "", ""},
		{"sctp6 src-port 0x102 queue 1 loc 9", SCTP_V6_FLOW, 1, "32:0102", "32:ffff", "",
		 ""},
		{"ip6 l4proto 58 l4data 0x01020304 queue 1 loc 9", IPV6_USER_FLOW, 1,
		 "32:01020304 37:3a", "32:ffffffff 37:ff", "", ""},
		{"ether dst 52:54:01:02:03:04 src 02:03:04:05:06:07 proto 0x88f7 queue 1 loc 9",
		 ETHER_FLOW, 1, "0:52540102030402030405060788f7", "0:ffffffffffffffffffffffffffff",
		 "", ""},
		{"udp4 vlan-etype 0x8100 vlan 0x6064 user-def 0x0102030405060708 queue 1 loc 9",
		 UDP_V4_FLOW | FLOW_EXT, 1, "", "", "8:81 10:60640102030405060708",
		 "8:ffffffffffffffffffffffff"},
		{"udp4 vid 100 user-def 3 m 0xffffffffffffff80 queue 1 loc 9",
		 UDP_V4_FLOW | FLOW_EXT, 1, "", "", "11:64 19:03", "10:0fff 19:7f"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sriov_entry entry = entry_of(cases[i].rule), back;
		struct ethtool_rx_flow_spec spec;
		char bytes[256];

		memset(&spec, 0x5a, sizeof(spec));
		assert_int_equal(ntuple_encode(&entry, &spec), 0);
		assert_int_equal(spec.flow_type, cases[i].type);
		assert_int_equal(spec.ring_cookie, cases[i].cookie);
		assert_int_equal(spec.location, 9);
		dump(&spec.h_u, sizeof(spec.h_u), bytes, sizeof(bytes));
		assert_string_equal(bytes, cases[i].value);
		dump(&spec.m_u, sizeof(spec.m_u), bytes, sizeof(bytes));
		assert_string_equal(bytes, cases[i].mask);
		dump(&spec.h_ext, sizeof(spec.h_ext), bytes, sizeof(bytes));
		assert_string_equal(bytes, cases[i].ext_value);
		dump(&spec.m_ext, sizeof(spec.m_ext), bytes, sizeof(bytes));
		assert_string_equal(bytes, cases[i].ext_mask);
		assert_int_equal(ntuple_decode(&spec, &back), 0);
		assert_true(sriov_entry_same(&back, &entry));
		assert_int_equal(back.loc, 9);
		assert_int_equal(back.ext, entry.ext);
	}
}

static void leaves_ext_out_without_its_flag(void **state)
{
	struct sriov_entry entry = entry_of("udp4 vlan 5 user-def 1 queue 1 loc 1"), back;
	struct ethtool_rx_flow_spec spec;
	char bytes[64];

	entry.ext = false;
	assert_int_equal(ntuple_encode(&entry, &spec), 0);
	assert_int_equal(spec.flow_type, UDP_V4_FLOW);
	dump(&spec.h_ext, sizeof(spec.h_ext), bytes, sizeof(bytes));
	assert_string_equal(bytes, "");
	/* and does not read them either: the kernel leaves what stood there */
	spec.m_ext.vlan_tci = htons(0xffff);
	assert_int_equal(ntuple_decode(&spec, &back), 0);
	assert_false(back.ext);
	assert_int_equal(back.mask.vlan_tci, 0);
}

static void unknown_types_keep_place_and_action(void **state)
{
	static const uint32_t types[] = {
		0,
		AH_ESP_V4_FLOW,
		ESP_V6_FLOW,
		IPV4_FLOW,
		UDP_V4_FLOW | FLOW_MAC_EXT,
		UINT32_MAX,
		TCP_V4_FLOW | FLOW_RSS,
	};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		struct ethtool_rx_flow_spec spec = {
			.flow_type = types[i], .location = 12, .ring_cookie = 0x200000003};
		struct sriov_entry entry;

		memset(&entry, 0x5a, sizeof(entry));
		assert_int_equal(ntuple_decode(&spec, &entry), -EOPNOTSUPP);
		assert_int_equal(entry.type, SRIOV_FLOW_NONE);
		assert_int_equal(entry.loc, 12);
		assert_int_equal(entry.cookie, 0x200000003);
		memset(&spec, 0x5a, sizeof(spec));
		assert_int_equal(ntuple_encode(&entry, &spec), -EINVAL);
		assert_int_equal(spec.flow_type, 0x5a5a5a5a);
	}
}

static void json_has_the_recorded_names(void **state)
{
	static const struct {
		const char *rule, *json;
	} cases[] = {
		{"udp4 dst-ip 10.0.0.7 dst-port 4789 vf 3 queue 1 loc 5",
		 "{\"loc\":5,\"flow\":\"udp4\",\"value\":{\"ip4dst\":\"10.0.0.7\",\"pdst\":4789},"
		 "\"mask\":{\"ip4dst\":\"255.255.255.255\",\"pdst\":65535},\"cookie\":\"0x400000001\"}"},
		{"tcp4 drop loc 0",
		 "{\"loc\":0,\"flow\":\"tcp4\",\"cookie\":\"0xffffffffffffffff\"}"},
		{"tcp4 src-port 0 drop loc 1",
		 "{\"loc\":1,\"flow\":\"tcp4\",\"mask\":{\"psrc\":65535},"
		 "\"cookie\":\"0xffffffffffffffff\"}"},
		{"ip4 l4proto 6 l4data 1 tos 2 queue 1 loc 1",
		 "{\"loc\":1,\"flow\":\"ip4\",\"value\":{\"tos\":2,\"proto\":6,\"l4_4_bytes\":1},"
		 "\"mask\":{\"tos\":255,\"proto\":255,\"l4_4_bytes\":4294967295},\"cookie\":\"0x1\"}"},
		{"ip6 src-ip ::1 l4proto 6 tclass 2 queue 1 loc 1",
		 "{\"loc\":1,\"flow\":\"ip6\",\"value\":{\"ip6src\":\"::1\",\"tclass\":2,\"l4_proto\":6},"
		 "\"mask\":{\"ip6src\":\"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff\",\"tclass\":255,"
		 "\"l4_proto\":255},\"cookie\":\"0x1\"}"},
		{"ether dst 52:54:00:00:00:01 proto 0x800 prio 1 queue 1 loc 1",
		 "{\"loc\":1,\"flow\":\"ether\",\"value\":{\"h_dest\":\"52:54:00:00:00:01\",\"h_proto\":2048,"
		 "\"vlan_tci\":8192},\"mask\":{\"h_dest\":\"ff:ff:ff:ff:ff:ff\",\"h_proto\":65535,"
		 "\"vlan_tci\":57344},\"cookie\":\"0x1\",\"ext\":true}"},
		{"udp6 user-def 3 vlan-etype 0x8100 queue 1 loc 1",
		 "{\"loc\":1,\"flow\":\"udp6\",\"value\":{\"vlan_etype\":33024,\"user_def\":\"0x3\"},"
		 "\"mask\":{\"vlan_etype\":65535,\"user_def\":\"0xffffffffffffffff\"},\"cookie\":\"0x1\","
		 "\"ext\":true}"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sriov_entry entry = entry_of(cases[i].rule), back;
		json_t *json = entry_encode(&entry);
		char *text = json_dumps(json, JSON_COMPACT);

		assert_string_equal(text, cases[i].json);
		assert_int_equal(entry_decode(json, &back, NULL), 0);
		assert_true(sriov_entry_same(&back, &entry));
		assert_int_equal(back.loc, entry.loc);
		assert_int_equal(back.ext, entry.ext);
		free(text);
		json_decref(json);
	}
}

static void json_keeps_unknown_types(void **state)
{
	struct sriov_entry entry = {.loc = 4, .cookie = 2}, back;
	json_t *json = entry_encode(&entry);

	assert_int_equal(entry_decode(json, &back, NULL), 0);
	assert_int_equal(back.type, SRIOV_FLOW_NONE);
	assert_true(sriov_entry_same(&back, &entry));
	json_decref(json);
}

static void json_refuses_nonsense(void **state)
{
	static const struct {
		const char *json, *message;
	} cases[] = {
		{"[]", "an entry is an object"},
		{"{}", "'loc' is not a number"},
		{"{\"loc\":-1,\"flow\":\"udp4\",\"cookie\":\"0x1\"}", "'loc' is not a number"},
		{"{\"loc\":4294967296,\"flow\":\"udp4\",\"cookie\":\"0x1\"}",
		 "'loc' is not a number"},
		{"{\"loc\":\"1\",\"flow\":\"udp4\",\"cookie\":\"0x1\"}", "'loc' is not a number"},
		{"{\"loc\":1,\"cookie\":\"0x1\"}", "'flow' is not a flow type"},
		{"{\"loc\":1,\"flow\":\"esp4\",\"cookie\":\"0x1\"}", "'flow' is not a flow type"},
		{"{\"loc\":1,\"flow\":4,\"cookie\":\"0x1\"}", "'flow' is not a flow type"},
		{"{\"loc\":1,\"flow\":\"udp4\"}", "'cookie' is not a number"},
		{"{\"loc\":1,\"flow\":\"udp4\",\"cookie\":1}", "'cookie' is not a number"},
		{"{\"loc\":1,\"flow\":\"udp4\",\"cookie\":\"-1\"}", "'cookie' is not a number"},
		{"{\"loc\":1,\"flow\":\"udp4\",\"cookie\":\"0x1\",\"ext\":1}",
		 "'ext' is not true or false"},
		{"{\"loc\":1,\"flow\":\"udp4\",\"cookie\":\"0x1\",\"extra\":1}",
		 "unknown member 'extra'"},
		{"{\"loc\":1,\"flow\":\"udp4\",\"cookie\":\"0x1\",\"value\":[]}",
		 "'value' is not an object"},
		{"{\"loc\":1,\"flow\":\"udp4\",\"cookie\":\"0x1\",\"mask\":{\"ip6src\":\"::1\"}}",
		 "'mask.ip6src' is no member of flow type udp4"},
		{"{\"loc\":1,\"flow\":\"unknown\",\"cookie\":\"0x1\",\"mask\":{\"psrc\":1}}",
		 "'mask.psrc' is no member of flow type unknown"},
		{"{\"loc\":1,\"flow\":\"udp4\",\"cookie\":\"0x1\",\"value\":{\"psrc\":65536}}",
		 "'value.psrc' is not a number from 0 to 65535"},
		{"{\"loc\":1,\"flow\":\"udp4\",\"cookie\":\"0x1\",\"value\":{\"psrc\":\"80\"}}",
		 "'value.psrc' is not a number"},
		{"{\"loc\":1,\"flow\":\"udp4\",\"cookie\":\"0x1\",\"value\":{\"ip4src\":\"10.0.0\"}}",
		 "'value.ip4src' is not an IPv4 address"},
		{"{\"loc\":1,\"flow\":\"udp4\",\"cookie\":\"0x1\",\"value\":{\"user_def\":3}}",
		 "'value.user_def' is not a number of 64 bits"},
		{"{\"loc\":1,\"flow\":\"ether\",\"cookie\":\"0x1\",\"value\":{\"h_dest\":\"x\"}}",
		 "'value.h_dest' is not a MAC address"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *json = json_loads(cases[i].json, 0, NULL);
		struct sriov_entry entry, untouched;
		struct sriov_error err = {0};

		assert_non_null(json);
		memset(&entry, 0x5a, sizeof(entry));
		untouched = entry;
		assert_int_equal(entry_decode(json, &entry, &err), -EINVAL);
		if (!strstr(err.message, cases[i].message))
			fail_msg("%s gave: %s", cases[i].json, err.message);
		assert_memory_equal(&entry, &untouched, sizeof(entry));
		json_decref(json);
	}
}

/* Any bytes in an entry come back through both forms. */
static void random_entries_survive(void **state)
{
	const char *given = getenv("SRIOV_TEST_SEED");
	unsigned first = given ? strtoul(given, NULL, 0) : (unsigned)time(NULL);
	unsigned seed = first;

	for (int i = 0; i < 5000; i++) {
		struct sriov_entry entry = {.type = 1 + rand_r(&seed) % (SRIOV_FLOW_ETHER)}, back;
		struct ethtool_rx_flow_spec spec;
		json_t *json;

		for (const struct flow_field *f = NULL; (f = flow_field_next(f, entry.type));) {
			flow_field_fill(f, &entry.value, rand_r(&seed));
			flow_field_fill(f, &entry.mask, rand_r(&seed));
		}
		entry.ext = rand_r(&seed) % 2;
		entry.cookie = rand_r(&seed);
		json = entry_encode(&entry);
		if (entry_decode(json, &back, NULL) || !sriov_entry_same(&entry, &back))
			fail_msg("SRIOV_TEST_SEED=%u round %d: JSON", first, i);
		json_decref(json);
		/* the kernel has no place for these */
		if (entry.mask.tcp_flags || entry.mask.e_tag || match_in_tunnel(&entry.mask)) {
			assert_int_equal(ntuple_encode(&entry, &spec), -EOPNOTSUPP);
			continue;
		}
		if (ntuple_encode(&entry, &spec) || ntuple_decode(&spec, &back) ||
		    !sriov_entry_same(&entry, &back))
			fail_msg("SRIOV_TEST_SEED=%u round %d: ntuple", first, i);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(encodes_golden_bytes),
		cmocka_unit_test(leaves_ext_out_without_its_flag),
		cmocka_unit_test(unknown_types_keep_place_and_action),
		cmocka_unit_test(json_has_the_recorded_names),
		cmocka_unit_test(json_keeps_unknown_types),
		cmocka_unit_test(json_refuses_nonsense),
		cmocka_unit_test(random_entries_survive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
