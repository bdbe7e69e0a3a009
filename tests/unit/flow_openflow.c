/* SPDX-License-Identifier: Apache-2.0 */
/* A bridge's policy as OpenFlow: golden lines, what is noted, what is refused. */
#include "flows/to/openflow.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define UPLINK 9

static const uint8_t pf_mac[1][6] = {{0x52, 0x54, 0, 0, 0, 0x99}};

static struct openflow_port guest(const char *name, unsigned ofport, unsigned vlan)
{
	struct openflow_port port = {.ofport = ofport,
				     .attrs = {.has = SRIOV_VF_ALL,
					       .mac = {0x52, 0x54, 0, 0, 0, ofport},
					       .vlan = vlan,
					       .vlan_proto = 0x8100,
					       .spoofchk = true}};

	core_copy(port.guest, sizeof(port.guest), name);
	return port;
}

static void list_of(const char *text, struct sriov_rules *rules)
{
	struct sriov_error err = {0};

	if (sriov_rules_parse(text, NULL, rules, &err))
		fail_msg("%s: %s", err.object, err.message);
}

static void compile(const char *text, struct openflow_port *ports, size_t n, struct openflow *out)
{
	struct openflow_want want = {
		.uplink = UPLINK, .port = ports, .nports = n, .mac = pf_mac, .nmacs = 1};
	struct sriov_error err = {0};
	struct sriov_rules rules;

	list_of(text, &rules);
	want.rules = &rules;
	if (openflow_compile(&want, out, &err))
		fail_msg("%s: %s: %s", text, err.object, err.message);
	sriov_rules_clear(&rules);
}

/* The lines of a table, or (-1) of all, without their cookies. */
static char *lines_of(const struct openflow *flows, int table)
{
	char *text = strdup("");
	const char *line = strchr(flows->text, '\n') + 1;

	for (size_t i = 0; i < flows->nlines; i++, line = strchr(line, '\n') + 1) {
		char cookie[32];
		char *longer;

		snprintf(cookie, sizeof(cookie), "add cookie=0x%llx,",
			 (unsigned long long)flows->line[i].cookie);
		assert_memory_equal(line, cookie, strlen(cookie));
		assert_int_equal(flows->line[i].cookie & OPENFLOW_COOKIE_MASK, OPENFLOW_COOKIE);
		if (table >= 0 && flows->line[i].table != (unsigned)table)
			continue;
		longer = core_printf("%s%.*s\n", text, (int)strcspn(line + strlen(cookie), "\n"),
				     line + strlen(cookie));
		free(text);
		text = longer;
	}
	assert_string_equal(line, "");
	return text;
}

static void table_is(const struct openflow *flows, int table, const char *expected)
{
	_free_ char *text = lines_of(flows, table);

	assert_string_equal(text, expected);
}

#define GROUP "dl_dst=01:00:00:00:00:00/01:00:00:00:00:00"

static void ports_and_switch(void **state)
{
	struct openflow_port ports[] = {guest("web1", 1, 0), guest("web2", 2, 7)};
	_openflow_ struct openflow flows = {0};

	ports[0].attrs.max_rate = 100;
	ports[1].attrs.qos = 3;
	compile("", ports, 2, &flows);
	assert_memory_equal(flows.text, "delete cookie=0x5c10000000000000/0xffff000000000000\n",
			    52);
	table_is(&flows, OPENFLOW_HOOK,
		 "table=0,priority=60000,in_port=1,actions=goto_table:200\n"
		 "table=0,priority=60000,in_port=2,actions=goto_table:200\n"
		 "table=0,priority=60000,in_port=9,actions=goto_table:202\n");
	table_is(&flows, OPENFLOW_IN,
		 "table=200,priority=4,in_port=1,dl_src=52:54:00:00:00:01,actions=meter:65538,"
		 "goto_table:201\n"
		 "table=200,priority=4,in_port=2,dl_src=52:54:00:00:00:02,vlan_tci=0x0000/0x1000,"
		 "actions=push_vlan:0x8100,set_field:4103->vlan_vid,set_field:3->vlan_pcp,"
		 "goto_table:201\n"
		 "table=200,priority=0,actions=drop\n");
	table_is(&flows, OPENFLOW_INSIDE,
		 "table=201,priority=4,dl_dst=52:54:00:00:00:01,actions=set_field:1->reg0,"
		 "goto_table:204\n"
		 "table=201,priority=5,dl_dst=52:54:00:00:00:02,vlan_tci=0x1007/0x1fff,"
		 "actions=set_field:2->reg0,goto_table:204\n"
		 "table=201,priority=1,dl_dst=52:54:00:00:00:02,actions=drop\n"
		 "table=201,priority=3," GROUP ",vlan_tci=0x1007/0x1fff,actions=output:9,"
		 "clone(set_field:1->reg0,resubmit(,204)),clone(set_field:2->reg0,resubmit(,204))\n"
		 "table=201,priority=2," GROUP ",actions=output:9,"
		 "clone(set_field:1->reg0,resubmit(,204))\n"
		 "table=201,priority=0,actions=output:9\n");
	table_is(&flows, OPENFLOW_WIRE,
		 "table=202,priority=4,dl_dst=52:54:00:00:00:01,actions=set_field:1->reg0,"
		 "goto_table:203\n"
		 "table=202,priority=5,dl_dst=52:54:00:00:00:02,vlan_tci=0x1007/0x1fff,"
		 "actions=set_field:2->reg0,goto_table:203\n"
		 "table=202,priority=3," GROUP ",vlan_tci=0x1007/0x1fff,actions="
		 "clone(resubmit(,203)),"
		 "clone(set_field:1->reg0,set_field:1->reg1,resubmit(,203)),"
		 "clone(set_field:2->reg0,set_field:1->reg1,resubmit(,203))\n"
		 "table=202,priority=2," GROUP ",actions=clone(resubmit(,203)),"
		 "clone(set_field:1->reg0,set_field:1->reg1,resubmit(,203))\n"
		 "table=202,priority=1,dl_dst=52:54:00:00:00:99,actions=goto_table:203\n"
		 "table=202,priority=0,actions=drop\n");
	table_is(&flows, OPENFLOW_RULES, "table=203,priority=0,actions=goto_table:204\n");
	table_is(&flows, OPENFLOW_OUT,
		 "table=204,priority=4,reg0=1,actions=output:1\n"
		 "table=204,priority=4,reg0=2,actions=output:2\n"
		 "table=204,priority=5,reg0=2,vlan_tci=0x1000/0x1000,actions=pop_vlan,output:2\n"
		 "table=204,priority=0,actions=drop\n");
	assert_int_equal(flows.nmeters, 1);
	assert_int_equal(flows.meter[0].id, OPENFLOW_METER + 2);
	assert_int_equal(flows.meter[0].kbps, 100000);
	assert_int_equal(flows.meter[0].burst, 10000);
	assert_int_equal(flows.notes.n, 0);
}

static void without_spoof_check_or_link(void **state)
{
	struct openflow_port ports[] = {guest("web1", 1, 0), guest("web2", 2, 0)};
	_openflow_ struct openflow flows = {0};

	ports[0].attrs.spoofchk = false;
	ports[1].attrs.link = SRIOV_LINK_DISABLE;
	ports[1].attrs.max_rate = 100;
	ports[1].attrs.min_rate = 10;
	compile("", ports, 2, &flows);
	table_is(&flows, OPENFLOW_IN,
		 "table=200,priority=4,in_port=1,actions=goto_table:201\n"
		 "table=200,priority=0,actions=drop\n");
	table_is(&flows, OPENFLOW_OUT,
		 "table=204,priority=4,reg0=1,actions=output:1\n"
		 "table=204,priority=0,actions=drop\n");
	assert_int_equal(flows.nmeters, 0);
	assert_int_equal(flows.notes.n, 1);
	assert_string_equal(flows.notes.at[0].text,
			    "guest web2: the guaranteed rate of 10 Mbit/s is lost: OVS has none");
}

static void rules_in_order(void **state)
{
	static const struct {
		const char *rule, *lines, *note;
	} rows[] = {
		{"name a udp4 dst-port 53 drop",
		 "table=203,priority=1,udp,ip_frag=no,tp_dst=53,actions=drop\n", NULL},
		{"ip4 src-ip 10.0.0.0/8 in guest web2 drop",
		 "table=203,priority=1,reg0=2,ip,nw_src=10.0.0.0/8,actions=drop\n", NULL},
		/* copies of a frame to a group are sent on once */
		{"name a tcp4 dst-port 80 guest web1",
		 "table=203,priority=1,reg1=1,tcp,ip_frag=no,tp_dst=80,actions=drop\n"
		 "table=203,priority=1,reg1=0,tcp,ip_frag=no,tp_dst=80,"
		 "actions=set_field:1->reg0,goto_table:204\n",
		 NULL},
		{"name a tcp4 dst-port 80 guest 6E1BBBEE-0000-4000-8000-000000000001",
		 "table=203,priority=1,reg1=1,tcp,ip_frag=no,tp_dst=80,actions=drop\n"
		 "table=203,priority=1,reg1=0,tcp,ip_frag=no,tp_dst=80,"
		 "actions=set_field:2->reg0,goto_table:204\n",
		 NULL},
		{"name a udp4 in guest web1 queue 2",
		 "table=203,priority=1,reg0=1,udp,ip_frag=no,actions=goto_table:204\n",
		 "rule a: queue 2 is lost: here its packets go where their MAC address says"},
		{"name a tcp4 guest web1 queue 3",
		 "table=203,priority=1,reg1=1,tcp,ip_frag=no,actions=drop\n"
		 "table=203,priority=1,reg1=0,tcp,ip_frag=no,"
		 "actions=set_field:1->reg0,goto_table:204\n",
		 "rule a: queue 3 of guest web1 is lost: OVS chooses the queue of a guest"},
		{"name a udp4 vf 3", "table=203,priority=1,udp,ip_frag=no,actions=goto_table:204\n",
		 "rule a: VF 3 is not on the bridge: here its packets go where their MAC address "
		 "says"},
		{"name a udp4 guest db",
		 "table=203,priority=1,udp,ip_frag=no,actions=goto_table:204\n",
		 "rule a: guest db is not on the bridge: here its packets go where their MAC address "
		 "says"},
		{"name a tcp4 queues 0-3",
		 "table=203,priority=1,tcp,ip_frag=no,actions=goto_table:204\n",
		 "rule a: queues 0-3 are lost: here its packets go where their MAC address says"},
		/* what the NIC gives to others is not here */
		{"udp4 in pf drop", "", NULL},
		{"udp4 in vf 3 drop", "", NULL},
		{"udp4 in guest db drop", "", NULL},
		{"udp4 vlan 7 drop",
		 "table=203,priority=1,udp,ip_frag=no,vlan_tci=0x1007/0xffff,"
		 "actions=drop\n",
		 "the rule of line 1: OVS cannot match that the DEI bit of a tag is 0"},
	};
	struct openflow_port ports[] = {guest("web1", 1, 0), guest("web2", 2, 7)};

	core_copy(ports[1].uuid, sizeof(ports[1].uuid), "6e1bbbee-0000-4000-8000-000000000001");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_openflow_ struct openflow flows = {0};
		_free_ char *expected = core_printf(
			"%stable=203,priority=0,actions=goto_table:204\n", rows[i].lines);
		bool noted;

		compile(rows[i].rule, ports, 2, &flows);
		table_is(&flows, OPENFLOW_RULES, expected);
		noted = flows.notes.n == !!rows[i].note &&
			(!rows[i].note || !strcmp(flows.notes.at[0].text, rows[i].note));
		if (!noted)
			fail_msg("%s: %zu notes: %s", rows[i].rule, flows.notes.n,
				 flows.notes.n ? flows.notes.at[0].text : "");
	}
}

/* The place in the list is the priority, and each line knows its rule. */
static void first_match_by_priority(void **state)
{
	struct openflow_port ports[] = {guest("web1", 1, 0)};
	_openflow_ struct openflow flows = {0};
	size_t seen[3] = {0};

	compile("name a udp4 dst-port 1-6 drop\nname b tcp4 guest web1\nname c ip4 drop\n", ports,
		1, &flows);
	table_is(&flows, OPENFLOW_RULES,
		 "table=203,priority=3,udp,ip_frag=no,tp_dst=1,actions=drop\n"
		 "table=203,priority=3,udp,ip_frag=no,tp_dst=0x2/0xfffe,actions=drop\n"
		 "table=203,priority=3,udp,ip_frag=no,tp_dst=0x4/0xfffe,actions=drop\n"
		 "table=203,priority=3,udp,ip_frag=no,tp_dst=6,actions=drop\n"
		 "table=203,priority=2,reg1=1,tcp,ip_frag=no,actions=drop\n"
		 "table=203,priority=2,reg1=0,tcp,ip_frag=no,actions=set_field:1->reg0,"
		 "goto_table:204\n"
		 "table=203,priority=1,ip,actions=drop\n"
		 "table=203,priority=0,actions=goto_table:204\n");
	for (size_t i = 0; i < flows.nlines; i++)
		if (flows.line[i].rule != OPENFLOW_NO_RULE)
			seen[flows.line[i].rule]++;
	assert_int_equal(seen[0], 4);
	assert_int_equal(seen[1], 2);
	assert_int_equal(seen[2], 1);
}

static void cookies_tell_flows(void **state)
{
	struct openflow_port ports[] = {guest("web1", 1, 0)};
	_openflow_ struct openflow a = {0}, same = {0}, other = {0};
	size_t differ = 0;

	compile("udp4 dst-port 53 drop", ports, 1, &a);
	compile("name x udp4 dst-port 53 drop", ports, 1, &same);
	compile("udp4 dst-port 54 drop", ports, 1, &other);
	assert_string_equal(a.text, same.text);
	assert_int_equal(a.nlines, other.nlines);
	for (size_t i = 0; i < a.nlines; i++)
		differ += a.line[i].cookie != other.line[i].cookie;
	assert_int_equal(differ, 1);
	for (size_t i = 0; i < a.nlines; i++)
		for (size_t k = 0; k < i; k++)
			assert_int_not_equal(a.line[i].cookie, a.line[k].cookie);
}

/* A new rate takes the id that is free, so that the old meter can stay until no flow uses it. */
static void meters_keep_their_place(void **state)
{
	static const struct {
		struct openflow_meter now[2];
		size_t n;
		unsigned id;
	} rows[] = {
		{{{0}}, 0, 2},
		{{{OPENFLOW_METER + 2, 50000, 5000}}, 1, 2},
		{{{OPENFLOW_METER + 3, 50000, 5000}}, 1, 3},
		{{{OPENFLOW_METER + 2, 70000, 7000}}, 1, 3},
		{{{OPENFLOW_METER + 3, 70000, 7000}}, 1, 2},
		{{{OPENFLOW_METER + 2, 70000, 7000}, {OPENFLOW_METER + 3, 50000, 5000}}, 2, 3},
		/* left behind by somebody who was killed twice: the first one is changed */
		{{{OPENFLOW_METER + 2, 70000, 7000}, {OPENFLOW_METER + 3, 80000, 8000}}, 2, 2},
	};
	struct openflow_port port = guest("web1", 1, 0);
	struct sriov_rules rules = {0};

	port.attrs.max_rate = 50;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct openflow_want want = {.rules = &rules,
					     .uplink = UPLINK,
					     .port = &port,
					     .nports = 1,
					     .meter = rows[i].now,
					     .nmeters = rows[i].n};
		_openflow_ struct openflow flows = {0};

		assert_int_equal(openflow_compile(&want, &flows, NULL), 0);
		assert_int_equal(flows.nmeters, 1);
		assert_int_equal(flows.meter[0].id, OPENFLOW_METER + rows[i].id);
	}
}

static void refused(const char *text, struct openflow_port *ports, size_t n, unsigned uplink,
		    int code, const char *object, const char *message)
{
	struct openflow_want want = {.uplink = uplink, .port = ports, .nports = n};
	struct openflow flows = {.nlines = 77};
	struct sriov_error err = {0};
	struct sriov_rules rules;
	int r;

	list_of(text, &rules);
	want.rules = &rules;
	r = openflow_compile(&want, &flows, &err);
	sriov_rules_clear(&rules);
	if (r != code || strcmp(err.object, object) || !strstr(err.message, message))
		fail_msg("'%s' gave %d: %s: %s", text, r, err.object, err.message);
	assert_int_equal(flows.nlines, 77);
}

static void refusals(void **state)
{
	struct openflow_port a = guest("web1", 1, 0), b = guest("web2", 2, 7);
	struct openflow_port ports[2] = {a, b};

	refused("name x udp4 user-def 3 drop\n", ports, 2, UPLINK, -ENOTSUP, "rule x",
		"`user-def` has no form in OpenFlow");
	refused("udp4 drop\nip4-other queue 1\n", ports, 2, UPLINK, -ENOTSUP, "the rule of line 2",
		"rules behind it would meet its packets");
	refused("", ports, 2, 0, -EINVAL, "uplink", "no OpenFlow number");
	ports[1].attrs.vlan_proto = 0x88a8;
	refused("", ports, 2, UPLINK, -ENOTSUP, "guest web2", "802.1ad");
	ports[1] = b;
	memcpy(ports[1].attrs.mac, a.attrs.mac, 6);
	refused("", ports, 2, UPLINK, -EEXIST, "guest web2",
		"guest web1 has the same MAC address 52:54:00:00:00:01");
	ports[1] = b;
	ports[1].ofport = UPLINK;
	refused("", ports, 2, UPLINK, -EINVAL, "guest web2", "no OpenFlow number");
	ports[1].ofport = 0;
	refused("", ports, 2, UPLINK, -EINVAL, "guest web2", "no OpenFlow number");
	ports[1] = b;
	ports[1].attrs.has &= ~SRIOV_VF_MAC;
	refused("", ports, 2, UPLINK, -EINVAL, "guest web2", "needs the guest's MAC address");
	ports[1] = b;
	ports[1].attrs.mac[0] = 0x53;
	refused("", ports, 2, UPLINK, -EINVAL, "guest web2", "needs the guest's MAC address");
}

static void same_address_in_two_vlans(void **state)
{
	struct openflow_port ports[] = {guest("web1", 1, 5), guest("web2", 2, 7)};
	_openflow_ struct openflow flows = {0};

	memcpy(ports[1].attrs.mac, ports[0].attrs.mac, 6);
	compile("", ports, 2, &flows);
	for (size_t i = 0; i < flows.nlines; i++)
		for (size_t k = 0; k < i; k++)
			assert_int_not_equal(flows.line[i].cookie, flows.line[k].cookie);
}

static void no_policy(void **state)
{
	_openflow_ struct openflow flows = {0};

	assert_int_equal(openflow_none(&flows, NULL), 0);
	assert_int_equal(flows.nlines, 0);
	assert_string_equal(flows.text, "delete cookie=0x5c10000000000000/0xffff000000000000\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ports_and_switch),   cmocka_unit_test(without_spoof_check_or_link),
		cmocka_unit_test(rules_in_order),     cmocka_unit_test(first_match_by_priority),
		cmocka_unit_test(cookies_tell_flows), cmocka_unit_test(meters_keep_their_place),
		cmocka_unit_test(refusals),           cmocka_unit_test(same_address_in_two_vlans),
		cmocka_unit_test(no_policy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
