/* SPDX-License-Identifier: Apache-2.0 */
/* Rules read from testpmd's commands. */
#include "tests/unit/flow_import.h"

static void reads_testpmd(void **state)
{
	static const struct {
		const char *text, *rules;
	} cases[] = {
		{"", ""},
		{"# a comment\n\n", ""},
		{"flow create 0 ingress pattern eth / ipv4 src is 1.2.3.4 dst spec 10.0.0.7 dst mask "
		 "255.0.0.0 / udp dst is 53 / end actions queue index 3 / end\n",
		 "flow-type udp4 src-ip 1.2.3.4 dst-ip 10.0.0.0/8 dst-port 53 queue 3\n"},
		{"testpmd> flow create 1 ingress pattern ipv6 src spec 2001:db8::1 src prefix 32 / "
		 "tcp / end actions drop / end",
		 "flow-type tcp6 src-ip 2001:db8::/32 drop\n"},
		{"flow create 0 group 0 priority 0 ingress pattern eth / end actions drop / end",
		 "flow-type ether drop\n"},
		{"flow create 0 ingress pattern end actions void / vf id 3 / end",
		 "flow-type ether vf 3\n"},
		{"flow create 0 ingress pattern eth / ipv4 / end actions vf id 3 / queue index 1 / "
		 "end",
		 "flow-type ip4 vf 3 queue 1\n"},
		{"flow create 0 ingress pattern eth dst is 02:00:00:00:00:01 type is 0x88f7 / void / "
		 "end actions queue index 1 / end",
		 "flow-type ether dst 02:00:00:00:00:01 proto 0x88f7 queue 1\n"},
		{"flow create 0 ingress pattern eth type is 0x800 / ipv4 tos is 8 proto is 17 / udp / "
		 "end actions drop / end",
		 "flow-type udp4 tos 0x8 drop\n"},
		{"flow create 0 ingress pattern eth / ipv6 tc is 8 proto is 58 / end actions drop / "
		 "end",
		 "flow-type ip6 tclass 0x8 l4proto 58 drop\n"},
		{"flow create 0 ingress pattern eth type is 0x8100 / vlan tci is 100 / ipv4 / end "
		 "actions drop / end",
		 "flow-type ip4 vlan-etype 0x8100 vlan 100 drop\n"},
		{"flow create 0 ingress pattern eth / vlan vid is 100 pcp is 3 inner_type is 0x800 / "
		 "ipv4 / end actions drop / end",
		 "flow-type ip4 vid 100 prio 3 drop\n"},
		{"flow create 0 ingress pattern eth / vlan vid is 5 inner_type is 0x88f7 / end "
		 "actions drop / end",
		 "flow-type ether proto 0x88f7 vid 5 drop\n"},
		{"flow create 0 ingress pattern eth / vlan dei is 1 / end actions drop / end",
		 "flow-type ether vlan 4096 m 0xefff drop\n"},
		{"flow create 0 ingress pattern eth / vlan tci is 5 vid is 6 / end actions drop / end",
		 "flow-type ether vlan 6 drop\n"},
		{"flow create 0 ingress pattern ipv4 / sctp src spec 1000 src last 2000 src mask "
		 "0xffff / end actions drop / end",
		 "flow-type sctp4 src-port 1000-2000 drop\n"},
		{"flow create 0 ingress pattern ipv4 / udp dst spec 0 dst last 65535 dst mask 65535 / "
		 "end actions drop / end",
		 "flow-type udp4 drop\n"},
		{"flow create 0 ingress pattern ipv4 / udp dst spec 7 dst last 7 dst mask 65535 / end "
		 "actions drop / end",
		 "flow-type udp4 dst-port 7 drop\n"},
		/* without any mask the default one counts */
		{"flow create 0 ingress pattern ipv4 src spec 1.2.3.4 dst spec 1.2.3.5 / end actions "
		 "drop / end",
		 "flow-type ip4 src-ip 1.2.3.4 dst-ip 1.2.3.5 drop\n"},
		{"flow create 0 ingress pattern eth / ipv4 / udp dst is 4789 / vxlan vni is 5 / eth dst is "
		 "02:00:00:00:00:01 / vlan tci spec 0x2005 / end actions vf id 1 / queue index 0 / end",
		 "flow-type udp4 dst-port 4789 vni 5 inner-dst 02:00:00:00:00:01 inner-vlan 5 m "
		 "0xf000 vf 1\n"},
		{"flow create 0 ingress pattern ipv6 / udp / vxlan vni spec 6 vni mask 0xffffff / end "
		 "actions drop / end",
		 "flow-type udp6 vni 6 drop\n"},
		{"flow create 0 ingress pattern vlan tci spec 0x2005 / end actions drop / end",
		 "flow-type ether vid 5 drop\n"},
		{"flow create 0 ingress pattern ipv4 src is 1.2.3.4 dst spec 1.2.3.5 / end actions "
		 "drop / end",
		 "flow-type ip4 src-ip 1.2.3.4 drop\n"},
		{"flow create 0 ingress pattern eth / vf id is 2 / ipv4 / end actions drop / end",
		 "flow-type ip4 in vf 2 drop\n"},
		/* 0 is the first priority */
		{"flow create 0 priority 2 ingress pattern ipv4 / udp / end actions drop / end\n"
		 "flow create 0 ingress pattern ipv4 / tcp / end actions drop / end\n"
		 "flow create 0 priority 2 ingress pattern ipv6 / udp / end actions drop / end\n"
		 "flow create 0 priority 1 ingress pattern ipv6 / tcp / end actions drop / end\n",
		 "flow-type tcp4 drop\nflow-type tcp6 drop\nflow-type udp4 drop\nflow-type udp6 "
		 "drop\n"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		reads(SRIOV_RULES_TESTPMD, cases[i].text, NULL, cases[i].rules);
}

#define P "flow create 0 ingress pattern "
#define A " / end actions drop / end"

static void leaves_out_of_testpmd(void **state)
{
	static const struct {
		const char *text;
		unsigned column;
		const char *why;
	} cases[] = {
		{"flow flush 0", 6, "'flow flush' is a command, and no rule"},
		{"flow validate 0 ingress pattern eth" A, 6, "'flow validate' is a command"},
		{"flow create 0 egress pattern eth" A, 15, "not for 'egress'"},
		{"flow create 0 ingress transfer pattern eth" A, 23, "not for 'transfer'"},
		{"flow create 0 group 1 ingress pattern eth" A, 15, "groups have no words here"},
		{"flow create 0 pattern eth" A, 15, "does not say `ingress`"},
		{P "vxlan vni is 5" A, 31, "vxlan behind what stands before it"},
		{P "ipv4 / tcp / vxlan vni is 5" A, 44, "vxlan behind what stands before it"},
		{P "ipv4 / udp / vxlan / eth" A, 62, "a tunnel of any kind has no words here"},
		{P "ipv4 / udp / vxlan / ipv4" A, 52,
		 "the item ipv4 has no words here inside a tunnel"},
		{P "ipv4 / udp / vxlan / vlan tci is 5" A, 52, "vlan behind what stands"},
		{P "ipv4 / udp / vxlan / eth / eth" A, 58, "a second eth has no words"},
		{P "ipv4 / udp / vxlan / eth / vlan tci is 5 / eth" A, 74, "a second eth"},
		{P "ipv4 / udp / vxlan / eth src is 02:00:00:00:00:01" A, 56,
		 "'src' of eth has no words"},
		{P "ipv4 / udp / vxlan / eth dst spec 02:00:00:00:00:01" A, 83,
		 "compared in 'src' too"},
		{P "eth / eth" A, 37, "a second eth has no words here"},
		{P "ipv4 / ipv6" A, 38, "ipv6 behind what stands before it"},
		{P "udp / ipv4" A, 37, "ipv4 behind what stands before it"},
		{P "ipv4 / udp / tcp" A, 44, "tcp behind what"},
		{P "ipv4 / vlan" A, 38, "vlan behind what"},
		{P "ipv4 / eth" A, 38, "eth behind what"},
		{P "ipv4 ttl is 5" A, 36, "'ttl' of ipv4 has no words here"},
		{P "eth / vf id spec 1" A, 43, "of a VF only `id is N`"},
		{P "ipv4 src spec 1.2.3.4 src last 1.2.3.9 src mask 255.255.255.255" A, 36,
		 "only whole ports have ranges here, not this src"},
		{P "ipv4 / udp dst spec 8 dst last 9 dst mask 0xff" A, 42, "only whole ports"},
		{P "ipv4 dst spec 1.2.3.4" A, 53, "compared in 'src' too"},
		{P "ipv4 / udp src spec 5" A, 53, "compared in 'dst' too"},
		{P "eth type spec 0x88f7" A, 52, "compared in 'src' too"},
		{P "vlan pcp spec 5" A, 47, "compared in 'tci' too"},
		{P "udp dst is 53" A, 51,
		 "a port without ipv4 or ipv6 before it is two rules here"},
		{P "eth dst is 02:00:00:00:00:01 / ipv4" A, 73, "a MAC beside IP fields"},
		{P "ipv4 proto is 6 / udp" A, 59, "the IP protocol is not that of"},
		{P "eth type is 0x86dd / ipv4" A, 63, "the EtherType is not that of the IP item"},
		{P "vlan inner_type spec 1 inner_type mask 1 / ipv4" A, 85, "the EtherType is not"},
		{P "eth / vlan / ipv4" A, 55, "a VLAN tag of any kind has no words here"},
		{P "eth / end actions rss / end", 49, "the action rss has no words here"},
		{P "eth / end actions mark id 3 / queue index 1 / end", 49, "the action mark"},
		{P "eth / end actions drop / queue index 1 / end", 56, "a second action 'queue'"},
		{P "eth / end actions queue index 1 / drop / end", 65, "a second action 'drop'"},
		{P "eth / end actions vf id 1 / vf id 2 / end", 59, "a second action 'vf'"},
		{P "eth / end actions vf original is 1 / end", 52, "the VF that a packet is for"},
		{P "eth / end actions end", 49, "without an action"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sriov_error err = {0};
		struct sriov_rules rules;
		char start[32];

		if (sriov_rules_import(SRIOV_RULES_TESTPMD, cases[i].text, "f", NULL, &rules, &err))
			fail_msg("'%s': %s: %s", cases[i].text, err.object, err.message);
		if (rules.n || rules.notes.n != 1)
			fail_msg("'%s' is not left out", cases[i].text);
		snprintf(start, sizeof(start), "column %u: ", cases[i].column);
		if (strncmp(rules.notes.at[0].text, start, strlen(start)) ||
		    !strstr(rules.notes.at[0].text, cases[i].why) || !rules.notes.at[0].left_out)
			fail_msg("'%s': %s", cases[i].text, rules.notes.at[0].text);
		sriov_rules_clear(&rules);
	}
	reads(SRIOV_RULES_TESTPMD, "port start 0\n" P "ipv4" A, NULL,
	      "flow-type ip4 drop\n! line 1: column 1: 'port' is a command, and no rule\n");
	refuses(SRIOV_RULES_TESTPMD, "port start 0", -ENODATA, "f", "there is no command `flow`");
	reads(SRIOV_RULES_TESTPMD,
	      P "ipv4" A "\nflow create 1 ingress pattern ipv4" A "\n" P "ipv6" A "\n", NULL,
	      "flow-type ip4 drop\nflow-type ip6 drop\n"
	      "! line 2: column 13: port 1 is another one: the rules before are for port 0\n");
}

static void refuses_testpmd(void **state)
{
	static const struct {
		const char *text, *place, *message;
	} cases[] = {
		{"flow", "f:1:5", "expected `create`"},
		{"\nflow create", "f:2:12", "expected a port"},
		{"flow create x", "f:1:13", "a port is a number from 0 to 65535"},
		{"flow create 0", "f:1:14", "expected `pattern`"},
		{"flow create 0 sideways", "f:1:15", "expected `ingress`, `priority N`"},
		{"flow create 0 priority x", "f:1:24", "priority needs a number"},
		{"flow create 0 group", "f:1:20", "expected a number"},
		{P, "f:1:30", "expected an item or `end`"},
		{P "eth", "f:1:34", "expected `/`"},
		{P "void eth", "f:1:36", "expected `/`"},
		{P "ipv4 src", "f:1:39", "expected `is`, `spec`"},
		{P "ipv4 src equals 1.2.3.4" A, "f:1:40", "expected `is`, `spec`"},
		{P "ipv4 src is 1.2.3" A, "f:1:43", "src needs an IPv4 address"},
		{P "ipv4 src is", "f:1:42", "expected an IPv4 address"},
		{P "ipv4 src prefix 33" A, "f:1:47", "a prefix length is a number from 0 to 32"},
		{P "ipv4 src prefix", "f:1:46", "expected a prefix length"},
		{P "vlan vid prefix 3" A, "f:1:40", "expected `is`, `spec`"},
		{P "vlan vid is 4096" A, "f:1:43", "vid needs a number from 0 to 4095"},
		{P "vlan pcp mask 8" A, "f:1:45", "pcp needs a number from 0 to 7"},
		{P "ipv4 / udp dst spec 9 dst last 8 dst mask 0xffff" A, "f:1:42",
		 "a range begins with its lower end"},
		{P "eth / vf original is 1" A, "f:1:40", "expected `id`"},
		{P "eth / vf id is 255" A, "f:1:46", "id needs a number from 0 to 254"},
		{P "eth / vf id is 1 ipv4" A, "f:1:48", "expected `/`"},
		{P "eth / end", "f:1:40", "expected `actions`"},
		{P "eth / end drop", "f:1:41", "expected `actions`"},
		{P "eth / end actions", "f:1:48", "expected an action or `end`"},
		{P "eth / end actions queue 3 / end", "f:1:55", "expected `index`"},
		{P "eth / end actions queue index 65536 / end", "f:1:61", "index needs a number"},
		{P "eth / end actions drop end", "f:1:54", "expected `/`"},
		{P "eth / end actions vf 3 / end", "f:1:52", "expected `id`"},
		{P "eth / end actions vf id x / end", "f:1:55", "id needs a number from 0 to 254"},
		{P "eth / end actions drop / end more", "f:1:60", "the rule ends before 'more'"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		refuses(SRIOV_RULES_TESTPMD, cases[i].text, -EINVAL, cases[i].place,
			cases[i].message);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_testpmd),
		cmocka_unit_test(leaves_out_of_testpmd),
		cmocka_unit_test(refuses_testpmd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
