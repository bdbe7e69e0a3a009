/* SPDX-License-Identifier: Apache-2.0 */
/* Rules written for ethtool(8), testpmd and OVS, and read again where that is possible. */
#include "tests/unit/flow_random.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define ROUNDS 5000
/* With a queue of four digits its command is as long as a line of testpmd's can be. */
#define LONG_FOR_TESTPMD                                                                           \
	"udp6 src-ip 2220:5803:c112:6010:2c0:1874:4041:204f m "                                    \
	"d4d9:873c:1ecd:9bef:ac0f:e58b:beae:57b0 dst-ip 8801:c024:86e0:420a:fa5:50:240:8c38 m "    \
	"7568:295b:6817:b4e5:e040:61ad:782e:31c3 src-port 62446-63818 dst-port 45607-57390 "       \
	"inner-dst f1:7e:78:8c:8c:00 inner-vlan 37429 m 0x4d4a tclass 0x58 vlan-etype 0x17c4 "     \
	"vid 875 vf 100 queue "

static void list_of(const char *text, struct sriov_rules *rules)
{
	struct sriov_error err = {0};

	if (sriov_rules_parse(text, NULL, rules, &err))
		fail_msg("%s: %s", err.object, err.message);
}

/* The caller frees it. */
static char *written(enum sriov_rules_format format, const char *rules, const char *dev)
{
	struct sriov_error err = {0};
	struct sriov_rules list;
	char *text = NULL;

	list_of(rules, &list);
	if (sriov_rules_export(&list, format, dev, &text, &err))
		fail_msg("%s: %s: %s", rules, err.object, err.message);
	sriov_rules_clear(&list);
	return text;
}

static void writes(enum sriov_rules_format format, const char *rules, const char *dev,
		   const char *expected)
{
	_free_ char *text = written(format, rules, dev);

	assert_string_equal(text, expected);
}

static void refuses(enum sriov_rules_format format, const char *rules, const char *dev,
		    const char *object, const char *message)
{
	char *text = (char *)"untouched";
	struct sriov_error err = {0};
	struct sriov_rules list;
	int r;

	list_of(rules, &list);
	r = sriov_rules_export(&list, format, dev, &text, &err);
	sriov_rules_clear(&list);
	if ((r != -ENOTSUP && r != -EINVAL) || strcmp(err.object, object) ||
	    !strstr(err.message, message))
		fail_msg("'%s' gave %d: %s: %s", rules, r, err.object, err.message);
	assert_string_equal(text, "untouched");
}

static void writes_ethtool(void **state)
{
	writes(SRIOV_RULES_ETHTOOL, "", NULL, "");
	writes(SRIOV_RULES_ETHTOOL,
	       "name a udp4 src-ip 10.0.0.0/8 dst-port 53 m 0xff tos 4 drop loc 3\n"
	       "tcp6 dst-ip 2001:db8::/32 tclass 8 queue 2\n"
	       "ether dst 52:54:00:00:00:01 m 00:00:00:00:00:ff proto 0x88f7 vf 3\n"
	       "ip4 src-ip 10.0.0.7 m 0.255.0.0 l4proto 47 l4data 5 vf 3 queue 1\n"
	       "ip4-other dst-ip 10.0.0.7 queue 1\n"
	       "ip6-other dst-ip ::7 queue 1\n"
	       "udp4 vid 5 vlan-etype 0x8100 user-def 3 m 0xff drop weight 3 optional\n",
	       NULL,
	       "ethtool -N DEV flow-type udp4 src-ip 10.0.0.0 m 0.255.255.255 dst-port 0 m 255 tos "
	       "0x4 action -1 loc 3 # a\n"
	       "ethtool -N DEV flow-type tcp6 dst-ip 2001:db8:: m "
	       "::ffff:ffff:ffff:ffff:ffff:ffff tclass 0x8 action 2\n"
	       "ethtool -N DEV flow-type ether dst 52:54:00:00:00:00 m 00:00:00:00:00:ff proto "
	       "0x88f7 vf 3 queue 0\n"
	       "ethtool -N DEV flow-type ip4 src-ip 10.0.0.7 m 0.255.0.0 l4proto 47 l4data 0x5 vf 3 "
	       "queue 1\n"
	       "ethtool -N DEV flow-type ip4 dst-ip 10.0.0.7 action 1\n"
	       "ethtool -N DEV flow-type ip6 dst-ip ::7 action 1\n"
	       "ethtool -N DEV flow-type udp4 vlan-etype 0x8100 vlan 5 m 61440 user-def 0x0 m 0xff "
	       "action -1\n");
	writes(SRIOV_RULES_ETHTOOL, "udp4 drop\n", "eth7",
	       "ethtool -N eth7 flow-type udp4 action -1\n");
}

static void writes_testpmd(void **state)
{
	writes(SRIOV_RULES_TESTPMD,
	       "name a udp4 src-ip 10.0.0.0/8 dst-port 53 tos 4 drop loc 3\n"
	       "tcp6 dst-ip 2001:db8::/32 tclass 8 drop\n",
	       NULL,
	       "# a\n"
	       "flow create 0 ingress pattern eth / ipv4 src spec 10.0.0.0 src mask 255.0.0.0 tos "
	       "is 0x4 / udp dst is 53 / end actions drop / end\n"
	       "flow create 0 ingress pattern eth / ipv6 dst spec 2001:db8:: dst mask ffff:ffff:: "
	       "tc is 0x8 / tcp / end actions drop / end\n");
	writes(SRIOV_RULES_TESTPMD,
	       "ether dst 52:54:00:00:00:01 m 00:00:00:00:00:ff proto 0x88f7 vf 3\n"
	       "ether src 52:54:00:00:00:01 proto 0x88f7 vid 5 queue 1\n"
	       "ip4 l4proto 47 vlan-etype 0x8100 vlan 5 vf 3 queue 1\n"
	       "sctp6 src-port 1000-2000 dst-port 80 m 0xf queue 2\n",
	       "3",
	       "# The first rule that matches decided; here no order is said, as ixgbe and i40e "
	       "refuse priorities.\n"
	       "flow create 3 ingress pattern eth dst spec 52:54:00:00:00:00 dst mask "
	       "ff:ff:ff:ff:ff:00 type is 0x88f7 / end actions vf id 3 / end\n"
	       "flow create 3 ingress pattern eth src is 52:54:00:00:00:01 / vlan tci spec 5 tci "
	       "mask 4095 inner_type is 0x88f7 / end actions queue index 1 / end\n"
	       "flow create 3 ingress pattern eth type is 0x8100 / vlan tci is 5 / ipv4 proto is 47 "
	       "/ end actions vf id 3 / queue index 1 / end\n"
	       "flow create 3 ingress pattern eth / ipv6 / sctp src spec 1000 src last 2000 src "
	       "mask 65535 dst spec 80 dst mask 65520 / end actions queue index 2 / end\n");
}

static void writes_openflow(void **state)
{
	writes(SRIOV_RULES_OPENFLOW, "", NULL, "");
	writes(SRIOV_RULES_OPENFLOW,
	       "name a udp4 src-ip 10.0.0.0/8 dst-port 53 m 0xff tos 4 drop loc 3\n"
	       "tcp6 dst-ip 2001:db8::/32 tclass 3 m 0xfc queue 2\n"
	       "ether dst 52:54:00:00:00:01 m 00:00:00:00:00:ff src 52:54:00:00:00:02 proto 0x88f7 "
	       "vf 3 queue 1\n"
	       "ip6 l4proto 58 vid 5 guest web1\n"
	       "name b udp4 vlan 100 queues 0-3\n"
	       "sctp6 prio 3 src-port 7 drop\n",
	       NULL,
	       "# a\n"
	       "priority=6,udp,ip_frag=no,nw_src=10.0.0.0/8,nw_tos=4,nw_ecn=0,"
	       "tp_dst=0x0/0xff00,actions=drop\n"
	       "# lost: queue 2\n"
	       "priority=5,tcp6,ip_frag=no,ipv6_dst=2001:db8::/32,nw_ecn=3,actions=NORMAL\n"
	       "# lost: to vf 3 queue 1, whatever the destination MAC\n"
	       "priority=4,dl_src=52:54:00:00:00:02,dl_dst=52:54:00:00:00:00/ff:ff:ff:ff:ff:00,"
	       "dl_type=0x88f7,actions=NORMAL\n"
	       "# lost: to guest web1, whatever the destination MAC\n"
	       "priority=3,ipv6,vlan_tci=0x1005/0x1fff,nw_proto=58,actions=NORMAL\n"
	       "# b\n"
	       "# lost: OVS cannot match that the DEI bit is 0\n"
	       "# lost: queues 0-3\n"
	       "priority=2,udp,ip_frag=no,vlan_tci=0x1064/0xffff,actions=NORMAL\n"
	       "priority=1,sctp6,ip_frag=no,vlan_tci=0x7000/0xf000,tp_src=7,actions=drop\n");
	/* masks that are no prefixes; one of IPv6 never begins with a digit */
	writes(SRIOV_RULES_OPENFLOW,
	       "ip4 src-ip 10.0.0.7 m 0.255.0.0 drop\n"
	       "ip6 src-ip 0:db8::7 m ffff:: drop\n"
	       "ip6 dst-ip 2001:db8::7 m ::ffff:0 drop\n"
	       "ip6 dst-ip ::7 m ffff:ffff:: drop\n"
	       "ip6 dst-ip ::7 m 0fff:: drop\n",
	       NULL,
	       "priority=5,ip,nw_src=10.0.0.7/255.0.255.255,actions=drop\n"
	       "priority=4,ipv6,ipv6_src=0:db8::7/::ffff:ffff:ffff:ffff:ffff:ffff:ffff,actions=drop\n"
	       "priority=3,ipv6,ipv6_dst=2001:db8::7/ffff:ffff:ffff:ffff:ffff:ffff:0:ffff,"
	       "actions=drop\n"
	       "priority=2,ipv6,ipv6_dst=::7/::ffff:ffff:ffff:ffff:ffff:ffff,actions=drop\n"
	       "priority=1,ipv6,ipv6_dst=::7/f000:ffff:ffff:ffff:ffff:ffff:ffff:ffff,actions=drop\n");
	/* ranges are split into masks, each with each */
	writes(SRIOV_RULES_OPENFLOW, "udp4 src-port 5-8 dst-port 0-1 drop\n", NULL,
	       "priority=1,udp,ip_frag=no,tp_src=5,tp_dst=0x0/0xfffe,actions=drop\n"
	       "priority=1,udp,ip_frag=no,tp_src=0x6/0xfffe,tp_dst=0x0/0xfffe,actions=drop\n"
	       "priority=1,udp,ip_frag=no,tp_src=8,tp_dst=0x0/0xfffe,actions=drop\n");
	writes(SRIOV_RULES_OPENFLOW, "udp4 dst-port 32768-65535 drop\n", NULL,
	       "priority=1,udp,ip_frag=no,tp_dst=0x8000/0x8000,actions=drop\n");
}

/* Every port of a range is in one of its parts, and no other port is. */
static void ranges_are_exact(void **state)
{
	for (int i = 0; i < 200; i++) {
		unsigned first = rnd(65535), last = first + 1 + rnd(65535 - first), parts = 0;
		static uint8_t hit[65536];
		struct sriov_rules list;
		_free_ char *text = NULL;
		char rule[64];

		if (!first && last == 65535)
			continue;
		snprintf(rule, sizeof(rule), "udp4 dst-port %u-%u drop", first, last);
		list_of(rule, &list);
		assert_int_equal(sriov_rules_export(&list, SRIOV_RULES_OPENFLOW, NULL, &text, NULL),
				 0);
		sriov_rules_clear(&list);
		memset(hit, 0, sizeof(hit));
		for (char *at = text; (at = strstr(at, "tp_dst=")); parts++) {
			unsigned value, mask = 0xffff;

			at += strlen("tp_dst=");
			if (sscanf(at, "0x%x/0x%x", &value, &mask) != 2)
				value = strtoul(at, NULL, 10);
			for (unsigned port = value; port <= (value | (~mask & 0xffff)); port++)
				hit[port]++;
		}
		assert_true(parts <= 30);
		for (unsigned port = 0; port < 65536; port++)
			assert_int_equal(hit[port], port >= first && port <= last);
	}
}

static void refuses_what_has_no_form(void **state)
{
	static const struct {
		enum sriov_rules_format format;
		const char *rule, *message;
	} cases[] = {
		{SRIOV_RULES_ETHTOOL, "udp4 dst-port 1-2 drop",
		 "has masks of ports, and no ranges"},
		{SRIOV_RULES_ETHTOOL, "udp4 src-port 1-2 drop",
		 "has masks of ports, and no ranges"},
		{SRIOV_RULES_ETHTOOL, "udp4 queues 0-1", "a spread over queues has no form"},
		{SRIOV_RULES_ETHTOOL, "udp4 guest a", "say the VF"},
		{SRIOV_RULES_ETHTOOL, "udp4 in pf drop", "no word for `in`"},
		{SRIOV_RULES_TESTPMD, "udp4 queues 0-1", "a spread over queues has no form"},
		{SRIOV_RULES_TESTPMD, "udp4 guest a", "say the VF"},
		{SRIOV_RULES_TESTPMD, "udp4 in vf 1 drop", "`in` has no form"},
		{SRIOV_RULES_TESTPMD, "udp4 queue 65536", "DPDK's queues have 16 bits"},
		{SRIOV_RULES_TESTPMD, "udp4 user-def 1 drop", "`user-def` has no form"},
		{SRIOV_RULES_TESTPMD, "ip4 l4data 1 drop", "`l4data` has no form"},
		{SRIOV_RULES_TESTPMD, "udp4 vlan-etype 0x8100 drop", "`vlan-etype` needs"},
		{SRIOV_RULES_TESTPMD, "ip4-other drop", "IP without TCP, UDP and SCTP"},
		{SRIOV_RULES_TESTPMD, "ip6-other drop", "IP without TCP, UDP and SCTP"},
		{SRIOV_RULES_OPENFLOW, "ip4-other drop", "IP without TCP, UDP and SCTP"},
		{SRIOV_RULES_OPENFLOW, "udp4 user-def 1 drop", "`user-def` has no form"},
		{SRIOV_RULES_OPENFLOW, "ip4 l4data 1 drop", "`l4data` has no form"},
		{SRIOV_RULES_OPENFLOW, "udp4 vlan-etype 0x8100 drop", "`vlan-etype` has no form"},
		{SRIOV_RULES_OPENFLOW, "ether proto 0x800 m 1 drop", "no masks of EtherTypes"},
		{SRIOV_RULES_OPENFLOW, "ip4 l4proto 6 m 1 drop", "no masks of IP protocols"},
		{SRIOV_RULES_OPENFLOW, "ip4 tos 4 m 0x10 drop", "the DSCP and ECN parts"},
		{SRIOV_RULES_OPENFLOW, "ip4 tos 4 m 1 drop", "the DSCP and ECN parts"},
		{SRIOV_RULES_OPENFLOW, "ip4 vlan 0x1001 drop", "cannot match the DEI bit"},
		{SRIOV_RULES_OPENFLOW, "ip6 src-ip 9000::1 m 6fff:: drop", "begins with a digit"},
		{SRIOV_RULES_OPENFLOW, "ip6 dst-ip 9000::1 m 6fff:: drop", "begins with a digit"},
		{SRIOV_RULES_OPENFLOW, "ip4 in guest a drop", "`in` has no form"},
	};
	_free_ char *longest = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		refuses(cases[i].format, cases[i].rule, NULL, "the rule of line 1",
			cases[i].message);
	refuses(SRIOV_RULES_ETHTOOL, "udp4 drop\nname b udp4 in pf drop", NULL, "rule b", "`in`");
	refuses(SRIOV_RULES_TESTPMD, "udp4 drop", "eth0", "eth0", "testpmd's ports are numbers");
	refuses(99, "udp4 drop", NULL, "export", "no format of rules");
	refuses(SRIOV_RULES_TESTPMD, LONG_FOR_TESTPMD "10000", NULL, "the rule of line 1",
		"its command has 513 characters, and testpmd reads lines of at most 512");
	longest = written(SRIOV_RULES_TESTPMD, LONG_FOR_TESTPMD "1000", NULL);
	assert_int_equal(strlen(longest), 512 + strlen("\n"));
}

/* Rules that a program has made can be none. */
static void refuses_what_is_no_rule(void **state)
{
	struct sriov_rule rule = {.type = SRIOV_FLOW_UDP4, .mask.ethertype = 1, .loc = -1};
	const struct sriov_rules rules = {.at = &rule, .n = 1};
	struct sriov_error err = {0};
	char *text = NULL;

	for (unsigned format = SRIOV_RULES_ETHTOOL; format <= SRIOV_RULES_JSON; format++) {
		assert_int_equal(sriov_rules_export(&rules, format, NULL, &text, &err), -EINVAL);
		assert_string_equal(err.object, "rule 1");
		assert_null(text);
	}
}

/* More than OpenFlow has priorities. */
static void counts_priorities(void **state)
{
	struct sriov_rules rules = {.n = 65536};
	struct sriov_error err = {0};
	char *text;

	rules.at = calloc(rules.n, sizeof(*rules.at));
	assert_int_equal(sriov_rules_export(&rules, SRIOV_RULES_OPENFLOW, NULL, &text, &err),
			 -ENOTSUP);
	assert_non_null(strstr(err.message, "the list has 65536 rules"));
	free(rules.at);
}

/* ---- there and back ---- */

/* The rule without what the format does not carry. */
static void strip(struct sriov_rule *rule, enum sriov_rules_format format)
{
	rule->line = 0;
	if (format == SRIOV_RULES_JSON)
		return;
	rule->name[0] = '\0';
	rule->weight = 1;
	rule->optional = false;
	if (format == SRIOV_RULES_TESTPMD)
		rule->loc = -1;
	if (rule->type == SRIOV_FLOW_IP4_OTHER)
		rule->type = SRIOV_FLOW_IP4;
	if (rule->type == SRIOV_FLOW_IP6_OTHER)
		rule->type = SRIOV_FLOW_IP6;
}

/* Random rules until @least of them had a form in that format, and ROUNDS in any case. */
static void survives(enum sriov_rules_format format, unsigned least)
{
	uint64_t first = seed;
	unsigned carried = 0;

	for (int i = 0; i < ROUNDS || carried < least; i++) {
		char words[1024] = "", again[1024] = "";
		struct sriov_error err = {0};
		struct sriov_rules back;
		struct sriov_rule rule;
		_free_ char *text = NULL;

		assert_true(i < 10 * ROUNDS);
		random_rule(&rule);
		if (sriov_rules_export(&(struct sriov_rules){.at = &rule, .n = 1}, format, NULL,
				       &text, &err)) {
			assert_int_equal(err.code, -ENOTSUP);
			continue;
		}
		carried++;
		if (sriov_rules_import(format, text, NULL, NULL, &back, &err) || back.n != 1)
			fail_msg("seed 0x%llx round %d: '%s': %s", (unsigned long long)first, i,
				 text, err.message);
		strip(&rule, format);
		strip(&back.at[0], format);
		assert_int_equal(sriov_rule_format(&rule, words, sizeof(words)), 0);
		assert_int_equal(sriov_rule_format(&back.at[0], again, sizeof(again)), 0);
		if (strcmp(words, again))
			fail_msg("seed 0x%llx round %d: '%s' came back by '%s' as '%s'",
				 (unsigned long long)first, i, words, text, again);
		sriov_rules_clear(&back);
	}
}

static void json_survives(void **state)
{
	survives(SRIOV_RULES_JSON, ROUNDS);
}

static void ethtool_survives(void **state)
{
	survives(SRIOV_RULES_ETHTOOL, ROUNDS / 20);
}

static void testpmd_survives(void **state)
{
	survives(SRIOV_RULES_TESTPMD, ROUNDS / 50);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_ethtool),
		cmocka_unit_test(writes_testpmd),
		cmocka_unit_test(writes_openflow),
		cmocka_unit_test(ranges_are_exact),
		cmocka_unit_test(refuses_what_has_no_form),
		cmocka_unit_test(refuses_what_is_no_rule),
		cmocka_unit_test(counts_priorities),
		cmocka_unit_test(json_survives),
		cmocka_unit_test(ethtool_survives),
		cmocka_unit_test(testpmd_survives),
	};

	random_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
