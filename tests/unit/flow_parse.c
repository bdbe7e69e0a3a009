/* SPDX-License-Identifier: Apache-2.0 */
/* The rule language: what is read, and how errors point at their place. */
#include <errno.h>
#include <setjmp.h>
#include <sriov/flow.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *text;
	const char *same; /* as sriov_rule_format() says it */
} good[] = {
	/* flow types, with and without the word in front */
	{"flow-type tcp4 drop", "flow-type tcp4 drop"},
	{"tcp4 drop", "flow-type tcp4 drop"},
	{"udp4 drop", "flow-type udp4 drop"},
	{"sctp4 drop", "flow-type sctp4 drop"},
	{"ip4 drop", "flow-type ip4 drop"},
	{"tcp6 drop", "flow-type tcp6 drop"},
	{"udp6 drop", "flow-type udp6 drop"},
	{"sctp6 drop", "flow-type sctp6 drop"},
	{"ip6 drop", "flow-type ip6 drop"},
	{"ether drop", "flow-type ether drop"},
	{"\tudp4   drop \r\n", "flow-type udp4 drop"},
	{"udp4 drop # why", "flow-type udp4 drop"},
	{"udp4 drop #why # and more drop", "flow-type udp4 drop"},
	{"udp4 drop # ünïcode\n", "flow-type udp4 drop"},
	/* actions */
	{"udp4 queue 3", "flow-type udp4 queue 3"},
	{"udp4 queue 0xff", "flow-type udp4 queue 255"},
	{"udp4 vf 3", "flow-type udp4 vf 3"},
	{"udp4 vf 3 queue 1", "flow-type udp4 vf 3 queue 1"},
	{"udp4 queue 1 vf 3", "flow-type udp4 vf 3 queue 1"},
	{"udp4 vf 254 queue 4294967295", "flow-type udp4 vf 254 queue 4294967295"},
	{"udp4 vf 0 queue 0", "flow-type udp4 vf 0"},
	{"udp4 action 5", "flow-type udp4 queue 5"},
	{"udp4 action -1", "flow-type udp4 drop"},
	{"udp4 action 0xffffffffffffffff", "flow-type udp4 drop"},
	{"udp4 action 18446744073709551615", "flow-type udp4 drop"},
	{"udp4 action 0x100000000", "flow-type udp4 vf 0"},
	{"udp4 action 0x400000001", "flow-type udp4 vf 3 queue 1"},
	{"udp4 action 17179869185", "flow-type udp4 vf 3 queue 1"},
	{"udp4 action 0xff00000002", "flow-type udp4 vf 254 queue 2"},
	{"udp4 queues 0-3", "flow-type udp4 queues 0-3"},
	{"udp4 queues 3-4", "flow-type udp4 queues 3-4"},
	{"udp4 queues 5-5", "flow-type udp4 queue 5"},
	{"udp4 queues 7", "flow-type udp4 queue 7"},
	{"udp4 queues 0x10-0x1f", "flow-type udp4 queues 16-31"},
	{"udp4 guest web1", "flow-type udp4 guest web1"},
	{"udp4 guest web1 queue 2", "flow-type udp4 guest web1 queue 2"},
	{"udp4 queue 2 guest web1", "flow-type udp4 guest web1 queue 2"},
	{"udp4 guest c0ffee00-1111-4222-8333-444455556666 queue 0",
	 "flow-type udp4 guest c0ffee00-1111-4222-8333-444455556666"},
	{"udp4 guest w€b#1", "flow-type udp4 guest w€b#1"},
	{"udp4 guest drop", "flow-type udp4 guest drop"},
	/* scope */
	{"udp4 in pf drop", "flow-type udp4 in pf drop"},
	{"udp4 in vf 3 queue 1", "flow-type udp4 in vf 3 queue 1"},
	{"udp4 queue 1 in vf 3", "flow-type udp4 in vf 3 queue 1"},
	{"udp4 in vf 3 vf 4 queue 1", "flow-type udp4 in vf 3 vf 4 queue 1"},
	{"udp4 in guest web1 queues 0-1", "flow-type udp4 in guest web1 queues 0-1"},
	{"udp4 in guest a guest b", "flow-type udp4 in guest a guest b"},
	{"udp4 in vf 254 drop", "flow-type udp4 in vf 254 drop"},
	/* worth */
	{"udp4 drop weight 7 optional", "flow-type udp4 drop weight 7 optional"},
	{"udp4 optional drop", "flow-type udp4 drop optional"},
	{"udp4 drop weight 1", "flow-type udp4 drop"},
	{"udp4 drop weight 1000000 loc 3", "flow-type udp4 drop weight 1000000 loc 3"},
	/* flow types of one i40e entry */
	{"ip4-other src-ip 10.0.0.7 drop", "flow-type ip4-other src-ip 10.0.0.7 drop"},
	{"ip6-other drop", "flow-type ip6-other drop"},
	/* location and name */
	{"udp4 drop loc 0", "flow-type udp4 drop loc 0"},
	{"udp4 loc 2045 drop", "flow-type udp4 drop loc 2045"},
	{"udp4 drop loc 2147483647", "flow-type udp4 drop loc 2147483647"},
	{"name web udp4 drop", "name web flow-type udp4 drop"},
	{"udp4 drop name web", "name web flow-type udp4 drop"},
	{"name drop udp4 drop", "name drop flow-type udp4 drop"},
	{"name _a.b:c/d-9 udp4 drop", "name _a.b:c/d-9 flow-type udp4 drop"},
	/* addresses */
	{"udp4 src-ip 10.0.0.7 drop", "flow-type udp4 src-ip 10.0.0.7 drop"},
	{"udp4 dst-ip 10.0.0.7 src-ip 10.1.0.1 drop",
	 "flow-type udp4 src-ip 10.1.0.1 dst-ip 10.0.0.7 drop"},
	{"udp4 dst-ip 10.0.0.7/8 drop", "flow-type udp4 dst-ip 10.0.0.0/8 drop"},
	{"udp4 dst-ip 10.0.0.7/32 drop", "flow-type udp4 dst-ip 10.0.0.7 drop"},
	{"udp4 dst-ip 10.0.0.7/0 drop", "flow-type udp4 drop"},
	{"udp4 dst-ip 10.0.0.7/25 drop", "flow-type udp4 dst-ip 10.0.0.0/25 drop"},
	{"udp4 dst-ip 10.0.0.7 m 0.0.0.255 drop", "flow-type udp4 dst-ip 10.0.0.0/24 drop"},
	{"udp4 dst-ip 10.0.0.7 dst-ip-mask 0.0.0.255 drop",
	 "flow-type udp4 dst-ip 10.0.0.0/24 drop"},
	{"udp4 dst-ip 10.0.0.7 m 255.255.255.0 drop",
	 "flow-type udp4 dst-ip 0.0.0.7 m 255.255.255.0 drop"},
	{"udp4 dst-ip 10.0.0.7 m 255.255.255.255 drop", "flow-type udp4 drop"},
	{"tcp6 src-ip 2001:db8::7 drop", "flow-type tcp6 src-ip 2001:db8::7 drop"},
	{"tcp6 src-ip 2001:DB8:0:0::7/33 drop", "flow-type tcp6 src-ip 2001:db8::/33 drop"},
	{"tcp6 dst-ip ::1/128 drop", "flow-type tcp6 dst-ip ::1 drop"},
	{"tcp6 dst-ip ::ffff:10.0.0.1 drop", "flow-type tcp6 dst-ip ::ffff:10.0.0.1 drop"},
	{"tcp6 dst-ip 2001:db8::7 m ::ffff drop", "flow-type tcp6 dst-ip 2001:db8::/112 drop"},
	{"tcp6 dst-ip 2001:db8::7 m ffff:: drop", "flow-type tcp6 dst-ip 0:db8::7 m ffff:: drop"},
	/* numbers */
	{"udp4 dst-port 4789 drop", "flow-type udp4 dst-port 4789 drop"},
	{"udp4 dst-port 0x12b5 drop", "flow-type udp4 dst-port 4789 drop"},
	{"udp4 dst-port 0 drop", "flow-type udp4 dst-port 0 drop"},
	{"udp4 dst-port 65535 src-port 1 drop", "flow-type udp4 src-port 1 dst-port 65535 drop"},
	{"udp4 dst-port 81 m 1 drop", "flow-type udp4 dst-port 80 m 0x1 drop"},
	{"udp4 dst-port 81 m 0xffff drop", "flow-type udp4 drop"},
	{"udp4 dst-port 81 m 0 drop", "flow-type udp4 dst-port 81 drop"},
	{"udp4 dst-port 1000-2000 drop", "flow-type udp4 dst-port 1000-2000 drop"},
	{"udp4 src-port 0-1 dst-port 0x10-0x1f drop",
	 "flow-type udp4 src-port 0-1 dst-port 16-31 drop"},
	{"udp4 dst-port 5-5 drop", "flow-type udp4 dst-port 5 drop"},
	{"udp4 dst-port 0-0 drop", "flow-type udp4 dst-port 0 drop"},
	{"udp4 dst-port 1-65535 drop", "flow-type udp4 dst-port 1-65535 drop"},
	{"tcp6 dst-port 0-65535 drop", "flow-type tcp6 drop"},
	{"tcp4 tos 0x10 drop", "flow-type tcp4 tos 0x10 drop"},
	{"tcp4 tos 255 m 0x0f drop", "flow-type tcp4 tos 0xf0 m 0xf drop"},
	{"tcp6 tclass 16 drop", "flow-type tcp6 tclass 0x10 drop"},
	{"ip4 l4proto 47 drop", "flow-type ip4 l4proto 47 drop"},
	{"ip6 l4proto 58 l4data 0x80000000 m 0xffffff drop",
	 "flow-type ip6 l4proto 58 l4data 0x80000000 m 0xffffff drop"},
	/* VLAN, user-def */
	{"udp4 vlan 100 drop", "flow-type udp4 vlan 100 drop"},
	{"udp4 vlan 100 m 0xf000 drop", "flow-type udp4 vid 100 drop"},
	{"udp4 vlan 0x6064 m 0x1000 drop", "flow-type udp4 vid 100 prio 3 drop"},
	{"udp4 vlan 0x2000 vlan-mask 0x1fff drop", "flow-type udp4 prio 1 drop"},
	{"udp4 vlan 100 m 0xff00 drop", "flow-type udp4 vlan 100 m 0xff00 drop"},
	{"udp4 vid 100 drop", "flow-type udp4 vid 100 drop"},
	{"udp4 vid 0 drop", "flow-type udp4 vid 0 drop"},
	{"udp4 prio 7 vid 4095 drop", "flow-type udp4 vid 4095 prio 7 drop"},
	{"udp4 prio 0 drop", "flow-type udp4 prio 0 drop"},
	{"tcp4 syn queue 1", "flow-type tcp4 syn queue 1"},
	{"tcp6 tcp-flags 2 m 0xfd queue 1", "flow-type tcp6 syn queue 1"},
	{"tcp4 tcp-flags 0x12 queue 1", "flow-type tcp4 tcp-flags 0x12 queue 1"},
	{"tcp4 tcp-flags 0 m 0xfb queue 1", "flow-type tcp4 tcp-flags 0x0 m 0xfb queue 1"},
	{"ether e-tag 0x1234 vf 2", "flow-type ether e-tag 4660 vf 2"},
	{"udp4 inner-vlan 5 inner-dst 02:00:00:00:00:01 vni 0x10 dst-port 4789 vf 2 queue 1",
	 "flow-type udp4 dst-port 4789 vni 16 inner-dst 02:00:00:00:00:01 inner-vlan 5 vf 2 queue 1"},
	{"udp4 vlan-etype 0x8100 vlan 5 drop", "flow-type udp4 vlan-etype 0x8100 vlan 5 drop"},
	{"udp4 user-def 0x3 drop", "flow-type udp4 user-def 0x3 drop"},
	{"udp4 user-def 3 m 0xffffffffffffff80 drop",
	 "flow-type udp4 user-def 0x3 m 0xffffffffffffff80 drop"},
	/* Ethernet */
	{"ether dst 52:54:00:00:00:01 drop", "flow-type ether dst 52:54:00:00:00:01 drop"},
	{"ether src 52:54:00:AA:bb:01 m 00:00:00:ff:ff:ff drop",
	 "flow-type ether src 52:54:00:00:00:00 m 00:00:00:ff:ff:ff drop"},
	{"ether proto 0x88f7 queue 1", "flow-type ether proto 0x88f7 queue 1"},
	{"ether proto 2048 m 0xff prio 3 queue 1",
	 "flow-type ether proto 0x800 m 0xff prio 3 queue 1"},
	/* as people have them */
	{"flow-type udp4 dst-ip 10.0.0.7 dst-port 4789 vf 3 queue 1",
	 "flow-type udp4 dst-ip 10.0.0.7 dst-port 4789 vf 3 queue 1"},
	{"ethtool -N eth0 flow-type udp4 dst-port 53 action 2 loc 4",
	 "flow-type udp4 dst-port 53 queue 2 loc 4"},
	{"sudo /usr/sbin/ethtool --config-ntuple eth0 flow-type udp4 action -1",
	 "flow-type udp4 drop"},
	{"flow-type tcp4 src-ip 192.168.0.1 dst-ip 192.168.0.2 src-port 2000 dst-port 2001 action 2 loc 1",
	 "flow-type tcp4 src-ip 192.168.0.1 dst-ip 192.168.0.2 src-port 2000 dst-port 2001 queue 2 loc 1"},
};

static void reads_good_rules(void **state)
{
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		struct sriov_rule rule, again;
		struct sriov_error err = {0};
		char text[512];

		if (sriov_rule_parse(good[i].text, NULL, 1, &rule, &err))
			fail_msg("'%s': %s: %s", good[i].text, err.object, err.message);
		assert_int_equal(sriov_rule_format(&rule, text, sizeof(text)), 0);
		assert_string_equal(text, good[i].same);
		assert_int_equal(sriov_rule_parse(text, NULL, 1, &again, &err), 0);
		assert_memory_equal(&again, &rule, sizeof(rule));
	}
}

/* The caret stands under the word, as wide as it, also in long lines and behind other alphabets. */
static void points_at_words(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{"udp4 dst-ip 10.0.0.300 drop",
		 "dst-ip needs an IPv4 address such as 10.0.0.7 or 10.0.0.0/8\n"
		 "  udp4 dst-ip 10.0.0.300 drop\n"
		 "              ^~~~~~~~~~"},
		{"\tudp4\tqueue x", "queue needs a number from 0 to 4294967295\n"
				    "   udp4 queue x\n"
				    "              ^"},
		{"udp4 drop ün", "unknown word 'ün'\n"
				 "  udp4 drop ?n\n"
				 "            ^~"},
		{"tcp4 tcp-flags 2 syn drop", "'syn' cannot stand beside 'tcp-flags'\n"
					      "  tcp4 tcp-flags 2 syn drop\n"
					      "                   ^~~"},
		{"tcp4 syn tcp-flags 2 drop", "'tcp-flags' cannot stand beside 'syn'\n"
					      "  tcp4 syn tcp-flags 2 drop\n"
					      "           ^~~~~~~~~"},
		{"udp4 syn drop", "flow type udp4 has no 'syn'\n"
				  "  udp4 syn drop\n"
				  "       ^~~"},
		{"udp4 src-ip 10.0.0.1 dst-ip 10.0.0.2 src-port 1000 dst-port 2000 vlan 5 drop prio 3 loc 1",
		 "'prio' cannot stand beside 'vlan', which is the whole TCI\n"
		 "  port 1000 dst-port 2000 vlan 5 drop prio 3 loc 1\n"
		 "                                      ^~~~"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct sriov_rule rule;
		struct sriov_error err = {0};

		assert_int_equal(sriov_rule_parse(cases[i].text, NULL, 0, &rule, &err), -EINVAL);
		assert_string_equal(err.message, cases[i].message);
	}
}

static void names_the_column_of_a_command_line(void **state)
{
	struct sriov_rule rule;
	struct sriov_error err = {0};

	assert_int_equal(sriov_rule_parse("udp4 dorp", NULL, 0, &rule, &err), -EINVAL);
	assert_string_equal(err.object, "column 6");
	assert_int_equal(err.status, SRIOV_FAILED);
	assert_string_equal(err.kernel, "");
}

static void zeroes_values_under_masks(void **state)
{
	struct sriov_rule rule;

	assert_int_equal(sriov_rule_parse("udp4 dst-ip 10.1.2.3/8 dst-port 81 m 1 vid 5 drop", NULL,
					  0, &rule, NULL),
			 0);
	assert_int_equal(rule.value.dst_ip[1], 0);
	assert_int_equal(rule.value.dst_port, 80);
	assert_int_equal(rule.mask.dst_port, 0xfffe);
	assert_int_equal(rule.value.vlan_tci, 5);
	assert_int_equal(rule.mask.vlan_tci, 0x0fff);
	assert_int_equal(rule.loc, -1);
	assert_string_equal(rule.owner, "");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_good_rules),
		cmocka_unit_test(points_at_words),
		cmocka_unit_test(names_the_column_of_a_command_line),
		cmocka_unit_test(zeroes_values_under_masks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
