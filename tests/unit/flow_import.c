/* SPDX-License-Identifier: Apache-2.0 */
/* Rules read from what ethtool(8) prints, from JSON and from a port's table. */
#include "tests/unit/flow_import.h"

#include <sriov/plan.h>

/* ---- ethtool ---- */

/* As ethtool 6.1 prints them. */
#define FILTER(loc, type) "Filter: " loc "\n\tRule Type: " type "\n"
#define ANY_IP4                                                                                    \
	"\tSrc IP addr: 0.0.0.0 mask: 255.255.255.255\n"                                           \
	"\tDest IP addr: 0.0.0.0 mask: 255.255.255.255\n"                                          \
	"\tTOS: 0x0 mask: 0xff\n"
#define PORTS(src, dst) "\tSrc port: " src "\n\tDest port: " dst "\n"
#define ANY_PORTS PORTS("0 mask: 0xffff", "0 mask: 0xffff")
#define ACTION(what) "\tAction: " what "\n\n"

static void reads_ethtool(void **state)
{
	reads(SRIOV_RULES_ETHTOOL, "8 RX rings available\nTotal 0 rules\n\n", NULL, "");
	reads(SRIOV_RULES_ETHTOOL,
	      "8 RX rings available\nTotal 3 rules\n\n" FILTER(
		      "1",
		      "UDP over IPv4") "\tSrc IP addr: 10.0.0.1 mask: 0.0.0.0\n"
				       "\tDest IP addr: 10.0.0.2 mask: 0.0.0.255\n"
				       "\tTOS: 0x4 mask: 0x0\n" PORTS(
					       "5 mask: 0x0",
					       "53 mask: 0xff") ACTION("Direct to queue 3")
					       FILTER("2", "TCP over IPv4") ANY_IP4 PORTS(
						       "0 mask: 0xffff", "80 mask: 0x0")
						       ACTION("Drop") FILTER("3", "SCTP over IPv4")
							       ANY_IP4 ANY_PORTS ACTION(
								       "Direct to VF 1 queue 2"),
	      NULL,
	      "flow-type udp4 src-ip 10.0.0.1 dst-ip 10.0.0.0/24 src-port 5 dst-port 0 m 0xff "
	      "tos 0x4 queue 3 loc 1\n"
	      "flow-type tcp4 dst-port 80 drop loc 2\n"
	      "flow-type sctp4 vf 1 queue 2 loc 3\n");
	reads(SRIOV_RULES_ETHTOOL,
	      FILTER("4",
		     "Raw IPv4") "\tSrc IP addr: 1.2.3.4 mask: 0.0.0.0\n"
				 "\tDest IP addr: 0.0.0.0 mask: 255.255.255.255\n"
				 "\tTOS: 0x3 mask: 0x0\n"
				 "\tProtocol: 17 mask: 0x0\n"
				 "\tL4 bytes: 0x1234 mask: 0xff\n" ACTION("Direct to VF 0 queue 0") FILTER(
					 "5",
					 "TCP over IPv6") "\tSrc IP addr: 2001:db8::1 mask: ::\n"
							  "\tDest IP addr: 2001:: mask: ffff::\n"
							  "\tTraffic Class: 0x3 mask: 0x0\n" PORTS(
								  "0 mask: 0xffff", "80 mask: 0x0")
								  ACTION("Direct to queue 0") FILTER(
									  "6",
									  "Raw IPv6") "\tSrc IP addr: :: mask: ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff\n"
										      "\tDest IP addr: 2001:db8:: mask: ::ffff:ffff:ffff:ffff:ffff:ffff\n"
										      "\tTraffic Class: 0x0 mask: 0xff\n"
										      "\tProtocol: 58 mask: 0x0\n"
										      "\tL4 bytes: 0x0 mask: 0xffffffff\n" ACTION(
											      "Drop") "Filter: 7\r\n\tFlow Type: Raw Ethernet\r\n"
												      "\tSrc MAC addr: 02:00:00:00:00:0A mask: 00:00:00:00:00:00\r\n"
												      "\tDest MAC addr: 02:00:00:00:00:02 mask: 00:00:00:FF:FF:FF\r\n"
												      "\tEthertype: 0x88F7 mask: 0x0\r\n"
												      "\tAction: Direct to queue 1\r\n\r\n",
	      NULL,
	      "flow-type ip4 src-ip 1.2.3.4 tos 0x3 l4proto 17 l4data 0x1200 m 0xff vf 0 loc 4\n"
	      "flow-type tcp6 src-ip 2001:db8::1 dst-ip :: m ffff:: dst-port 80 tclass 0x3 queue 0 "
	      "loc 5\n"
	      "flow-type ip6 dst-ip 2001:db8::/32 l4proto 58 drop loc 6\n"
	      "flow-type ether src 02:00:00:00:00:0a dst 02:00:00:00:00:00 m 00:00:00:ff:ff:ff "
	      "proto 0x88f7 queue 1 loc 7\n");
}

static void reads_ethtool_extras(void **state)
{
	reads(SRIOV_RULES_ETHTOOL,
	      FILTER("8", "UDP over IPv4") ANY_IP4 PORTS(
		      "0 mask: 0xffff",
		      "1 mask: 0x0") "\tVLAN EtherType: 0x8100 mask: 0x0\n"
				     "\tVLAN: 0x64 mask: 0xf000\n"
				     "\tUser-defined: 0x1234 mask: 0xffffffff00000000\n" ACTION(
					     "Direct to queue 1")
	      /* before VFs were told apart, the whole number was the queue */
	      FILTER("9", "UDP over IPv4") ANY_IP4 ANY_PORTS ACTION("Direct to queue 8589934595"),
	      NULL,
	      "flow-type udp4 dst-port 1 vlan-etype 0x8100 vid 100 user-def 0x1234 m "
	      "0xffffffff00000000 queue 1 loc 8\n"
	      "flow-type udp4 vf 1 queue 3 loc 9\n");
	/* what has no words here is left out and said; the rest stays */
	reads(SRIOV_RULES_ETHTOOL,
	      "Total 8 rules\n" FILTER("1", "UDP over IPv4") ANY_IP4 ANY_PORTS
	      "\tDest MAC addr: 02:00:00:00:00:01 mask: FF:FF:FF:FF:FF:FF\n" ACTION(
		      "Direct to queue 1") FILTER("2", "UDP over IPv4") ANY_IP4 ANY_PORTS
	      "\tRSS Context ID: 3\n" ACTION("Direct to queue 1") FILTER("3", "IPSEC ESP over IPv4")
		      ANY_IP4
	      "\tSPI: 3 mask: 0x0\n" ACTION("Direct to queue 1") FILTER("4", "UDP over IPv4")
		      ANY_IP4 ANY_PORTS ACTION("Wake-on-LAN") FILTER("5", "UDP over IPv4")
			      ANY_IP4 ANY_PORTS ACTION("Direct to queue 1152921504606846976")
				      FILTER("6", "UDP over IPv4") ANY_IP4 ANY_PORTS ACTION("Drop")
					      FILTER("4294967295", "UDP over IPv4")
						      ANY_IP4 ANY_PORTS ACTION("Drop"),
	      NULL,
	      "flow-type udp4 drop loc 6\n"
	      "! line 2: filter 1: a MAC beside IP fields has no words here\n"
	      "! line 12: filter 2: rules with an RSS context have no words here\n"
	      "! line 22: filter 3: drivers refuse rules for AH and ESP\n"
	      "! line 30: filter 4: no driver that we know wakes the host for a rule\n"
	      "! line 39: filter 5: bits 40 to 63 of this action mean nothing and drivers ignore "
	      "them\n"
	      "! line 57: filter 4294967295: its location is no place in a table\n"
	      "! line 0: the text speaks of 8 rules and shows 7: it is cut, or has kinds of rules "
	      "that ethtool(8) cannot print\n");
	/* lines of ethtool -N are the language's own */
	reads(SRIOV_RULES_ETHTOOL,
	      "# mine\nethtool -N eth0 flow-type udp4 dst-port 53 action 1 loc 3\n"
	      "ethtool -N eth0 flow-type udp4 dst-port 54 action 0x100000001 loc 4\n",
	      NULL,
	      "flow-type udp4 dst-port 53 queue 1 loc 3\nflow-type udp4 dst-port 54 vf 0 queue 1 "
	      "loc 4\n"
	      "line 2: eth0 is not part of the rule: which port it is for is the command's to say\n"
	      "line 3: action 0x100000001 is vf 0 queue 1: the kernel reads bits 32-39 as VF + 1\n");
}

/* i40e's GET says whole masks for an IPv4 rule that matches the source; ip4 is a type of its own there. */
static void repairs_i40e(void **state)
{
	static const char text[] = FILTER(
		"5",
		"UDP over IPv4") "\tSrc IP addr: 10.0.0.1 mask: 0.0.0.0\n"
				 "\tDest IP addr: 0.0.0.0 mask: 0.0.0.0\n"
				 "\tTOS: 0x0 mask: 0x0\n" PORTS(
					 "0 mask: 0x0", "53 mask: 0x0") ACTION("Direct to queue 3")
					 FILTER("6",
						"Raw IPv4") "\tSrc IP addr: 0.0.0.0 mask: 255.255.255.255\n"
							    "\tDest IP addr: 10.0.0.1 mask: 0.0.0.0\n"
							    "\tTOS: 0x0 mask: 0xff\n"
							    "\tProtocol: 0 mask: 0xff\n"
							    "\tL4 bytes: 0x0 mask: 0xffffffff\n" ACTION(
								    "Drop")
								    FILTER("7",
									   "Raw IPv6") "\tSrc IP addr: :: mask: ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff\n"
										       "\tDest IP addr: 2001:db8::1 mask: ::\n" ACTION(
											       "Drop");

	reads(SRIOV_RULES_ETHTOOL, text, "i40e",
	      "flow-type udp4 src-ip 10.0.0.1 dst-port 53 queue 3 loc 5\n"
	      "flow-type ip4-other dst-ip 10.0.0.1 drop loc 6\n"
	      "flow-type ip6-other dst-ip 2001:db8::1 drop loc 7\n");
	reads(SRIOV_RULES_ETHTOOL, text, NULL,
	      "flow-type udp4 src-ip 10.0.0.1 dst-ip 0.0.0.0 src-port 0 dst-port 53 tos 0x0 queue 3 "
	      "loc 5\n"
	      "flow-type ip4 dst-ip 10.0.0.1 drop loc 6\n"
	      "flow-type ip6 dst-ip 2001:db8::1 drop loc 7\n"
	      "line 1: i40e prints whole masks for what it does not match: if this is such a port's "
	      "table, say so (--port-driver i40e)\n");
}

static void refuses_ethtool(void **state)
{
	static const struct {
		const char *text, *place;
		int code;
		const char *message;
	} cases[] = {
		{"", "f", -ENODATA, "there is no rule of ethtool(8) here"},
		{"8 RX rings available\n", "f", -ENODATA, "there is no rule of ethtool(8) here"},
		{"Filter: x\n", "f:1:9", -EINVAL, "'Filter' needs a number"},
		{"Filter:\n", "f:1:8", -EINVAL, "'Filter' needs a number"},
		{"Filter: 4294967296\n", "f:1:9", -EINVAL, "'Filter' needs a number"},
		{"Filter: 1\n", "f:1:1", -EINVAL, "filter 1, of line 1, ends without its action"},
		{"Filter: 1\nFilter: 2\n", "f:2:1", -EINVAL, "filter 1, of line 1, ends"},
		{"{\"rules\": []}\n", "f:1:1", -EINVAL,
		 "is nothing that ethtool(8) says of a rule"},
		{"Settings for eth0:\n", "f:1:1", -EINVAL, "'Settings for eth0' is nothing"},
		{"\tDest port: 1 mask: 0x0\n", "f:1:2", -EINVAL, "'Dest port' is nothing"},
		{FILTER("1", "UDP over IPv4") "\tSrc IP addr: 10.0.0.256 mask: 0.0.0.0\n", "f:3:15",
		 -EINVAL, "'Src IP addr' needs an IPv4 address"},
		{FILTER("1", "UDP over IPv4") "\tSrc IP addr:\n", "f:3:14", -EINVAL,
		 "'Src IP addr' needs an IPv4 address"},
		{FILTER("1", "UDP over IPv4") "\tSrc IP addr: 10.0.0.2\n", "f:3:23", -EINVAL,
		 "expected the mask of 'Src IP addr'"},
		{FILTER("1", "UDP over IPv4") "\tTOS: 0x0 mask: 0x100\n", "f:3:17", -EINVAL,
		 "the mask of 'TOS' is a number from 0 to 255"},
		{FILTER("1", "UDP over IPv4") "\tTOS: 0x0 mask:\n", "f:3:16", -EINVAL,
		 "the mask of 'TOS'"},
		{FILTER("1", "UDP over IPv4") "\tTTL: 0x0 mask: 0x10\n", "f:3:2", -EINVAL,
		 "'TTL' is nothing that ethtool(8) says"},
		{FILTER("1", "UDP over IPv4") "\tProtocol: 17 mask: 0x0\n", "f:3:2", -EINVAL,
		 "'Protocol' is nothing"},
		{FILTER("1", "UDP over IPv4") "\tnonsense\n", "f:3:2", -EINVAL, "is nothing"},
		{FILTER("1", "UDP over IPv4") ACTION("Fly"), "f:3:10", -EINVAL,
		 "an action that ethtool(8) does not print"},
		{FILTER("1", "UDP over IPv4") ACTION(""), "f:3:9", -EINVAL, "an action that"},
		{FILTER("1", "UDP over IPv4") ACTION("Direct to VF 300 queue 1"), "f:3:23", -EINVAL,
		 "'Action' needs a number"},
		{FILTER("1", "UDP over IPv4") ACTION("Direct to queue -1"), "f:3:26", -EINVAL,
		 "'Action' needs a number"},
		{"udp4 dorp\n", "f:1:6", -EINVAL, "unknown word 'dorp'"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		refuses(SRIOV_RULES_ETHTOOL, cases[i].text, cases[i].code, cases[i].place,
			cases[i].message);
}

/* ---- JSON, and formats that are only written ---- */

#define DOC(rule) "{\"version\": 1, \"rules\": [" rule "]}"

static void reads_json(void **state)
{
	reads(SRIOV_RULES_JSON, DOC(""), NULL, "");
	reads(SRIOV_RULES_JSON,
	      DOC("{\"flow\": \"udp4\", \"value\": {\"ip4dst\": \"10.0.0.7\", \"pdst\": 5}, "
		  "\"mask\": {\"ip4dst\": \"255.0.0.0\", \"pdst\": 65535}, \"dst_port_last\": 9, "
		  "\"in\": {\"to\": \"guest\", \"guest\": \"web1\"}, \"weight\": 3, \"optional\": true, "
		  "\"action\": {\"do\": \"queues\", \"queue\": 4, \"queue_last\": 7}, \"loc\": 5, "
		  "\"name\": \"a\", \"owner\": \"nova\"}, "
		  "{\"flow\": \"ether\", \"action\": {\"do\": \"drop\"}, \"in\": {\"to\": \"pf\"}}"),
	      NULL,
	      "name a flow-type udp4 dst-ip 10.0.0.0/8 dst-port 5-9 in guest web1 queues 4-7 "
	      "weight 3 optional loc 5\n"
	      "flow-type ether in pf drop\n");
}

static void refuses_json(void **state)
{
	static const struct {
		const char *text, *place, *message;
	} cases[] = {
		{"[", "f:1:1", "not JSON"},
		{"{\"version\": 1, \"version\": 1}", "f:1:24", "not JSON: duplicate"},
		{"[]", "f", "'the document' is not an object"},
		{"{}", "f", "'version' is not 1"},
		{"{\"version\": 2, \"rules\": []}", "f", "'version' is not 1"},
		{"{\"version\": 1}", "f", "'rules' is not a list"},
		{"{\"version\": 1, \"rules\": [], \"x\": 1}", "f",
		 "unknown member 'x' of 'the doc"},
		{DOC("3"), "f: rule 1", "'rules' is not an object"},
		{DOC("{\"flow\": \"udp5\"}"), "f: rule 1", "'flow' is not a flow type"},
		{DOC("{\"flow\": \"udp4\"}"), "f: rule 1", "'action' is not an object"},
		{DOC("{\"flow\": \"udp4\", \"action\": {\"do\": \"fly\"}}"), "f: rule 1",
		 "'do' is not one of its words"},
		{DOC("{\"flow\": \"udp4\", \"action\": {\"do\": \"vf\", \"vf\": 255}}"),
		 "f: rule 1", "'vf' is not a number from 0 to 254"},
		{DOC("{\"flow\": \"udp4\", \"action\": {\"do\": \"queue\", \"queue\": \"1\"}}"),
		 "f: rule 1", "'queue' is not a number"},
		{DOC("{\"flow\": \"udp4\", \"action\": {\"do\": \"drop\", \"x\": 1}}"), "f: rule 1",
		 "unknown member 'x' of 'action'"},
		{DOC("{\"flow\": \"udp4\", \"action\": {\"do\": \"drop\"}, \"in\": {\"to\": \"x\"}}"),
		 "f: rule 1", "'to' is not one of its words"},
		{DOC("{\"flow\": \"udp4\", \"action\": {\"do\": \"drop\"}, \"in\": {\"to\": \"pf\", "
		     "\"queue\": 1}}"),
		 "f: rule 1", "'queue' is not a member of 'in'"},
		{DOC("{\"flow\": \"udp4\", \"action\": {\"do\": \"drop\"}, \"loc\": -1}"),
		 "f: rule 1", "'loc' is not a number"},
		{DOC("{\"flow\": \"udp4\", \"action\": {\"do\": \"drop\"}, \"weight\": 1000001}"),
		 "f: rule 1", "'weight' is not a number from 0 to 1000000"},
		{DOC("{\"flow\": \"udp4\", \"action\": {\"do\": \"drop\"}, \"optional\": 1}"),
		 "f: rule 1", "'optional' is not true or false"},
		{DOC("{\"flow\": \"udp4\", \"action\": {\"do\": \"drop\"}, \"name\": 1}"),
		 "f: rule 1", "'name' is not a text"},
		{DOC("{\"flow\": \"udp4\", \"action\": {\"do\": \"drop\"}, \"name\": \"1\"}"),
		 "f: rule 1", "its members together are no rule"},
		{DOC("{\"flow\": \"udp4\", \"action\": {\"do\": \"guest\", \"guest\": \"a b\"}}"),
		 "f: rule 1", "its members together are no rule"},
		{DOC("{\"flow\": \"udp4\", \"action\": {\"do\": \"drop\"}, \"mask\": {\"h_dest\": 1}}"),
		 "f: rule 1", "'mask.h_dest' is no member of flow type udp4"},
		{DOC("{\"flow\": \"udp4\", \"action\": {\"do\": \"drop\"}, \"value\": {\"pdst\": 65536}}"),
		 "f: rule 1", "'value.pdst' is not a number"},
		{DOC("{\"flow\": \"udp4\", \"action\": {\"do\": \"drop\"}, \"value\": 1}"),
		 "f: rule 1", "'value' is not an object"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		refuses(SRIOV_RULES_JSON, cases[i].text, -EINVAL, cases[i].place, cases[i].message);
	refuses(SRIOV_RULES_JSON,
		DOC("{\"flow\": \"udp4\", \"action\": {\"do\": \"drop\"}, \"name\": \"a\"},"
		    "{\"flow\": \"tcp4\", \"action\": {\"do\": \"drop\"}, \"name\": \"a\"}"),
		-EEXIST, "a", "rules 1 and 2 both have this name");
	refuses(SRIOV_RULES_OPENFLOW, "", -EOPNOTSUPP, "import", "only written");
	refuses(99, "", -EOPNOTSUPP, "import", "only written");
}

/* ---- a port's table ---- */

static void reads_rows(void **state)
{
	const struct sriov_entry block = {.loc = 1,
					  .type = SRIOV_FLOW_TCP4,
					  .value = {.src_ip = {10, 0, 0, 66}},
					  .mask = {.src_ip = {255, 255, 255, 255}},
					  .cookie = SRIOV_COOKIE_DROP};
	struct sriov_flow_row rows[] = {
		{.entry = block, .name = "block", .owner = "nova", .installed = true},
		{.entry = block, .name = "block", .installed = true},
		{.entry = block, .name = "block-2", .installed = true},
		{.entry = block, .installed = true},
		{.entry = block, .name = "gone"},
		{.entry = {.loc = 9, .cookie = 1}, .installed = true},
	};
	struct sriov_error err = {0};
	struct sriov_rules rules;
	struct sriov_rule rule;
	_free_ char *found = NULL;

	rows[1].entry.type = SRIOV_FLOW_IP4;
	rows[1].entry.loc = 2;
	assert_int_equal(sriov_rules_of_rows(rows, ARRAY_SIZE(rows), "i40e", &rules, &err), 0);
	assert_string_equal(rules.at[0].owner, "nova");
	found = shown(&rules);
	sriov_rules_clear(&rules);
	assert_string_equal(found, "name block flow-type tcp4 src-ip 10.0.0.66 drop loc 1\n"
				   "name block-2 flow-type ip4-other src-ip 10.0.0.66 drop loc 2\n"
				   "name block-2-2 flow-type tcp4 src-ip 10.0.0.66 drop loc 1\n"
				   "flow-type tcp4 src-ip 10.0.0.66 drop loc 1\n"
				   "! line 0: location 1: it is not installed\n"
				   "! line 0: location 9: its flow type has no word here\n");
	assert_int_equal(sriov_rule_of_entry(&rows[5].entry, NULL, &rule, &err), -ENOTSUP);
	assert_string_equal(err.object, "location 9");
	assert_int_equal(sriov_rule_of_entry(&block, NULL, &rule, &err), 0);
	assert_int_equal(rule.action.kind, SRIOV_ACTION_DROP);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_ethtool), cmocka_unit_test(reads_ethtool_extras),
		cmocka_unit_test(repairs_i40e),  cmocka_unit_test(refuses_ethtool),
		cmocka_unit_test(reads_json),    cmocka_unit_test(refuses_json),
		cmocka_unit_test(reads_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
