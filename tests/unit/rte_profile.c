/* SPDX-License-Identifier: Apache-2.0 */
/* Which filter of a poll mode driver takes a rule, how many entries it becomes, and what is said if none does. */
#include "tests/unit/flow_fixture.h"

#define MARKED "pins the port's mode"
#define CLOUD "no NIC, real or emulated"

#define VXLAN "udp4 dst-port 4789 "
#define MAC "52:54:00:00:00:01"

static const struct {
	const char *nic, *rule;
	const char *result;
	const char *filter; /* of the first entry; NULL: none */
	size_t entries;
	const char *says; /* part of a condition, or of why */
} cases[] = {
	/* net_ixgbe */
	{"82599", "udp4 dst-ip 10.0.0.7 dst-port 53 queue 1", "exact", "fdir", 1, MARKED},
	{"82599", "udp4 dst-ip 10.0.0.0/8 queue 1", "exact", "fdir", 2, MARKED},
	{"82599", "udp4 dst-ip 10.0.0.0/8 dst-port 0-15 queue 1", "exact", "fdir", 1, MARKED},
	{"82599", "udp4 dst-port 53 queues 0-3", "exact", "fdir", 4},
	{"82599", "ip4 dst-ip 10.0.0.0/8 drop", "exact", "fdir", 1},
	{"82599", "tcp4 dst-ip 10.0.0.7 drop", "refused", NULL, 0, "cannot drop by ports, nor by"},
	{"82599", "udp4 dst-port 53 drop", "refused", NULL, 0, "cannot drop by ports"},
	{"X540", "udp4 dst-port 53 drop", "exact", "fdir", 1},
	{"X540", "tcp4 dst-ip 10.0.0.7 drop", "exact", "fdir", 2},
	{"82599", "sctp4 dst-port 53 queue 1", "exact", "5-tuple", 1, "whether a 5-tuple filter"},
	{"X550", "sctp4 dst-port 53 queue 1", "exact", "fdir", 1},
	{"X540", "sctp4 dst-port 53 drop", "refused", NULL, 0, "which only X550 compares"},
	{"82599", "ip4 l4proto 50 queue 1", "refused", NULL, 0, "TCP, UDP and SCTP apart"},
	{"82599", "ip4 l4proto 17 drop", "refused", NULL, 0, "compares addresses and ports only"},
	{"82599", "udp4 vid 5 queue 1", "refused", NULL, 0, "compares addresses and ports only"},
	{"82599", "udp4 tos 4 queue 1", "refused", NULL, 0, "compares addresses"},
	{"82599", "tcp6 dst-port 80 queue 1", "refused", NULL, 0, "no rules of flow type tcp6"},
	{"82599", "ether proto 0x88f7 queue 1", "exact", "ethertype", 1},
	{"82599", "ether proto 0x88f7 drop", "refused", NULL, 0, "it cannot drop"},
	{"82599", "ether proto 0x800 queue 1", "refused", NULL, 0, "the types of IPv4 and IPv6"},
	{"82599", "ether dst 02:00:00:00:00:01 queue 1", "refused", NULL, 0, "only X550 has it"},
	{"X550", "ether dst 02:00:00:00:00:01 vid 5 queue 1", "exact", "fdir (MAC)", 1, MARKED},
	{"X550", "ether dst 02:00:00:00:00:01 drop", "exact", "fdir (MAC)", 1},
	{"X550", "ether dst 02:00:00:00:00:01 vlan 5 drop", "refused", NULL, 0, "the DEI bit"},
	{"X550", "ether vid 5 drop", "refused", NULL, 0, "a whole destination MAC"},
	{"82599", "udp4 dst-port 53 queue 9", "refused", NULL, 0, "has no RX queue 9"},
	{"82599,vfs=4", "udp4 dst-port 53 queue 1", "refused", NULL, 0, "that is a queue of a VF"},
	{"82599,vfs=4", "ip4 dst-ip 10.0.0.7 drop", "exact", "fdir", 1},
	{"82599,vfs=4", "udp4 dst-port 53 vf 1", "refused", NULL, 0,
	 "fdir: it has no VF as target"},
	{"82599", "tcp4 syn queue 1", "broader", NULL, 0, "does not tell IPv4 from IPv6"},
	{"82599", "tcp4 syn drop", "refused", NULL, 0, "SYN: it cannot drop"},
	{"82599", "tcp4 syn dst-port 80 queue 1", "refused", NULL, 0, "compares nothing else"},
	{"82599", "tcp4 tcp-flags 0x12 queue 1", "refused", NULL, 0, "TCP with SYN set"},
	{"82599,vfs=4", "ether e-tag 7 vf 1", "refused", NULL, 0, "only X550 has it"},
	{"X550,vfs=4", "ether e-tag 7 vf 1", "exact", "L2 tunnel", 1, "no NIC, real or emulated"},
	{"X550,vfs=4", "ether e-tag 7 vf 1 queue 1", "refused", NULL, 0, "chooses the queue"},
	{"X550,vfs=4", "ether e-tag 0x4000 vf 1", "refused", NULL, 0, "14 bits"},
	{"X550,vfs=4", "ether e-tag 7 proto 0x88f7 vf 1", "refused", NULL, 0,
	 "an E-tag and nothing"},
	{"X550", "ether e-tag 7 queue 1", "refused", NULL, 0, "no queues of the PF"},
	{"X550,vfs=4", "ether e-tag 7 vf 4", "refused", NULL, 0, "VF 4 does not exist"},
	{"82599,vfs=4", "ip4 dst-ip 10.0.0.7 in vf 1 drop", "refused", NULL, 0, "cannot limit"},
	{"82599", "ip4 dst-ip 10.0.0.7 drop loc 3", "refused", NULL, 0, "have no location"},
	/* net_i40e */
	{"X710", "udp4 dst-ip 10.0.0.7 dst-port 53 queue 1", "exact", "fdir", 1, "sets Flow Dir"},
	{"X710", "ip4 dst-ip 10.0.0.7 drop", "exact", "fdir", 4},
	{"X710", "ip4-other dst-ip 10.0.0.7 l4proto 47 drop", "exact", "fdir", 1},
	{"X710", "ip4 l4proto 47 drop", "refused", NULL, 0, "before it compares"},
	{"X710", "ip6-other dst-ip ::1 drop", "exact", "fdir", 1, "fragments"},
	{"X710", "ip6-other l4proto 58 drop", "refused", NULL, 0, "IPv6 fragments"},
	{"X710", "tcp6 dst-ip ::1 tclass 8 drop", "exact", "fdir", 1},
	{"X710", "udp4 dst-ip 10.0.0.0/30 drop", "exact", "fdir", 4},
	{"X710", "udp4 dst-ip 10.0.0.0/24 drop", "exact", "fdir", 256},
	{"X710", "udp4 dst-ip 10.0.0.0/23 drop", "broader", NULL, 0, "does not look at it"},
	{"X710", "udp4 dst-port 8-15 drop", "exact", "fdir", 8},
	{"X710", "udp4 vid 5 dst-port 9 drop", "exact", "fdir", 16},
	{"X710", "ether proto 0x88f7 queue 1", "exact", "ethertype", 1},
	{"X710", "ether proto 0x88f7 dst 02:00:00:00:00:01 drop", "exact", "ethertype", 1},
	{"X710", "ether proto 0x88f7 src 02:00:00:00:00:01 drop", "refused", NULL, 0, "no MACs"},
	{"X710", "ether proto 0x88cc dst 02:00:00:00:00:01 drop", "refused", NULL, 0, "no MACs"},
	{"X710", "ether proto 0x88f7 vlan 5 drop", "exact", "fdir", 1},
	{"X710", "ether proto 0x88cc drop", "exact", "fdir", 1},
	{"X710", "ether proto 0x86dd drop", "refused", NULL, 0, "the types of IPv4, IPv6"},
	{"X710", "tcp4 syn queue 1", "refused", NULL, 0, "it compares addresses, ports"},
	{"X710", "ether vlan 5 drop", "refused", NULL, 0, "IP has flow types of its own"},
	{"X710,vfs=4", "udp4 dst-port 53 vf 1 queue 2", "exact", "cloud", 1, CLOUD},
	{"X710,vfs=4", "tcp6 src-port 53 vf 1", "exact", "cloud", 1, CLOUD},
	/* tunnels */
	{"X710,vfs=4", VXLAN "vni 5 inner-dst " MAC " vf 1", "exact", "cloud", 1, CLOUD},
	{"X710,vfs=4", VXLAN "inner-dst " MAC " vf 1 queue 2", "exact", "cloud", 1,
	 "the NIC is told that dst-port"},
	{"X710", VXLAN "vni 5 inner-dst " MAC " inner-vlan 7 queue 3", "exact", "cloud", 1,
	 "IPv4 from those in IPv6 is not known"},
	{"X710", "udp6 dst-port 8472 vni 5 inner-dst " MAC " queue 3", "exact", "cloud", 1, CLOUD},
	{"X710", VXLAN "vni 5 inner-dst " MAC " drop", "refused", NULL, 0, "cloud: it cannot drop"},
	{"X710", VXLAN "vni 5 queue 1", "refused", NULL, 0, "the inner destination MAC, and with"},
	{"X710", VXLAN "inner-vlan 5 queue 1", "refused", NULL, 0, "the inner destination MAC"},
	{"X710", "udp4 vni 5 inner-dst " MAC " queue 1", "refused", NULL, 0,
	 "which for VXLAN is 4789"},
	{"X710", VXLAN "vni 0x1000000 inner-dst " MAC " queue 1", "refused", NULL, 0, "24 bits"},
	{"X710", VXLAN "dst-ip 10.0.0.1 vni 5 inner-dst " MAC " queue 1", "refused", NULL, 0,
	 "of a tunnel it compares"},
	{"X710,vfs=4", VXLAN "vni 5 inner-dst " MAC " vf 1 queue 4", "refused", NULL, 0,
	 "gives each VF 4 queues"},
	{"X710,vfs=4", VXLAN "vni 5 inner-dst " MAC " vf 4", "refused", NULL, 0, "VF 4 does not"},
	{"X550", VXLAN "vni 5 inner-dst " MAC " queue 1", "refused", NULL, 0,
	 "fdir: it compares addresses and ports only"},
	{"82576", VXLAN "vni 5 inner-dst " MAC " queue 1", "refused", NULL, 0,
	 "ports and protocol"},
	{"tap", VXLAN "vni 5 inner-dst " MAC " queue 1", "refused", NULL, 0, "protocol and ports"},
	{"X710,vfs=4", "udp4 dst-port 80-81 vf 1", "exact", "cloud", 2},
	{"X710,vfs=4", "udp4 dst-port 0 vf 1", "refused", NULL, 0, "cannot compare port 0"},
	{"X710,vfs=4", "udp4 dst-port 1 src-port 2 vf 1", "refused", NULL, 0, "compares one port"},
	{"X710,vfs=4", "udp4 dst-ip 10.0.0.7 vf 1", "refused", NULL, 0, "compares one port"},
	{"X710,vfs=4", "udp4 dst-port 53 vf 4", "refused", NULL, 0, "VF 4 does not exist"},
	{"X710,vfs=4", "udp4 dst-port 53 vf 1 queue 4", "refused", NULL, 0, "each VF 4 queues"},
	/* net_e1000_igb */
	{"82576", "tcp4 dst-ip 10.0.0.7 dst-port 80 queue 1", "exact", "5-tuple", 1, "fragments"},
	{"82576", "ip4 l4proto 47 queue 1", "exact", "5-tuple", 1},
	{"82576", "tcp4 dst-ip 10.0.0.7 drop", "refused", NULL, 0, "5-tuple: it cannot drop"},
	{"I350", "tcp4 dst-port 80 queue 1", "exact", "2-tuple", 1, "IPv6"},
	{"I350", "tcp4 dst-port 80-87 queue 1", "exact", "2-tuple", 8},
	{"I350", "tcp4 dst-port 80-88 queue 1", "full", NULL, 0, "2-tuple"},
	{"I350", "tcp4 dst-ip 10.0.0.7 queue 1", "refused", NULL, 0, "protocol and destination"},
	{"I350", "ip4 queue 1", "refused", NULL, 0, "needs a protocol"},
	{"I350", "ether proto 0x88f7 queue 1", "exact", "ethertype", 1},
	{"I354", "ether proto 0x88f7 queue 1", "refused", NULL, 0, "no filters for this NIC"},
	{"I350", "tcp4 syn queue 1", "broader", NULL, 0, "does not tell IPv4 from IPv6"},
	{"I354", "tcp4 syn queue 1", "refused", NULL, 0, "no filters for this NIC"},
	{"82576,vfs=2", "ether proto 0x88f7 queue 1", "refused", NULL, 0, "a queue of a VF"},
	/* net_tap */
	{"tap", "tcp4 dst-ip 10.0.0.0/9 dst-port 80 drop", "exact", "flower", 1},
	{"tap", "tcp4 dst-ip 10.0.0.1 drop", "broader", NULL, 0, "the rule would catch them too"},
	{"tap", "udp6 dst-ip ::1 queue 0", "broader", NULL, 0, "takes fragments"},
	{"tap", "ip4 dst-ip 10.0.0.1 l4proto 6 drop", "exact", "flower", 1},
	{"tap", "tcp6 dst-ip ::1 src-port 9 drop", "exact", "flower", 1},
	{"tap", "tcp4 dst-port 80-83 drop", "exact", "flower", 4},
	{"tap", "ether src 02:00:00:00:00:01 proto 0x88f7 queue 1", "exact", "flower", 1},
	{"tap", "tcp4 vid 16 drop", "refused", NULL, 0, "wrong byte order"},
	{"tap", "ip4 l4proto 0 drop", "refused", NULL, 0, "protocol or type of 0"},
	{"tap", "ip4 dst-ip 0.0.0.0/8 drop", "refused", NULL, 0, "an address, port, protocol"},
	{"tap", "ip6 src-ip ::/64 drop", "refused", NULL, 0, "an address, port, protocol"},
	{"tap", "udp4 dst-port 0-3 drop", "refused", NULL, 0, "an address, port, protocol"},
	{"tap", "ether dst 00:00:00:00:00:00 drop", "refused", NULL, 0, "an address, port"},
	{"tap", "ether src 00:00:00:00:00:00 drop", "exact", "flower", 1},
	{"tap", "tcp4 syn drop", "refused", NULL, 0, "protocol and ports only"},
	{"tap", "tcp4 tos 4 drop", "refused", NULL, 0, "compares MACs"},
	{"tap", "sctp4 dst-port 9 drop", "refused", NULL, 0, "no rules of flow type sctp4"},
	{"tap", "tcp4 queue 9", "refused", NULL, 0, "no RX queue 9"},
};

static void rte_port(const char *nic, struct sriov_pf *port)
{
	assert_int_equal(sriov_nic_port(nic, port, NULL), 0);
	assert_int_equal(sriov_nic_rte(port, NULL), 0);
}

static bool is_said(const struct sriov_verdict *v, const char *what)
{
	bool said = !what || strstr(v->why, what);

	for (size_t i = 0; i < v->nconditions; i++)
		said |= !!strstr(v->condition[i], what ?: "");
	return said;
}

static void filters_take_rules(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sriov_compiled out = {0};
		struct sriov_verdict *v;
		struct sriov_rule rule;
		struct sriov_rules rules = {.at = &rule, .n = 1};
		struct sriov_pf port;
		const char *filter;

		rte_port(cases[i].nic, &port);
		rule_of(cases[i].rule, &rule);
		sriov_rules_compile(&rules, &port, NULL, &out, NULL);
		v = out.verdict;
		filter = out.nentries ? sriov_filter_word(out.filter[0]) : NULL;
		if (strcmp(sriov_result_word(v->result), cases[i].result) ||
		    strcmp(filter ?: "", cases[i].filter ?: "") ||
		    out.nentries != cases[i].entries || !is_said(v, cases[i].says) ||
		    (v->result != SRIOV_EXACT && !v->hint[0] && !strstr(v->why, "VF 4") &&
		     !strstr(v->why, "flow type")))
			fail_msg("case %zu, %s on %s: %s, %s, %zu entries (%s), %s", i,
				 cases[i].rule, cases[i].nic, sriov_result_word(v->result),
				 filter ?: "none", out.nentries, v->why,
				 v->nconditions ? v->condition[0] : "");
		sriov_compiled_clear(&out);
	}
}

/* Lists, and how many entries each filter has of them: "5-tuple 1, fdir 2". */
static const struct {
	const char *nic, *rules, *use;
	bool partial;
	unsigned allow;
} lists[] = {
	/* different masks go to different filters */
	{"82599",
	 "flow-type udp4 dst-ip 10.0.0.7 dst-port 53 queue 1\n"
	 "flow-type tcp4 src-ip 10.0.0.9 src-port 80 queue 2\n"
	 "flow-type ether proto 0x88f7 queue 3\n",
	 "5-tuple 1, ethertype 1, fdir 1"},
	/* what can only be in Flow Director has its mask there, wherever it stands */
	{"82599",
	 "flow-type udp4 dst-port 53 queue 1\nflow-type udp4 dst-port 54 queue 1\n"
	 "flow-type tcp4 src-ip 10.0.0.0/9 src-port 80 queue 2\n",
	 "5-tuple 2, fdir 1"},
	{"82599",
	 "flow-type ip4 src-ip 10.0.0.1 queue 1\nflow-type ip4 src-ip 10.0.0.2 queue 1\n"
	 "flow-type ip4 src-ip 10.1.0.0/16 dst-ip 10.0.0.2/31 drop\n",
	 "5-tuple 2, fdir 1"},
	/* ip4 and tcp4 have no mask in common */
	{"X540",
	 "flow-type ip4 dst-ip 10.0.0.7 drop\nflow-type tcp4 dst-port 80 src-ip 10.0.0.1 drop\n",
	 "fdir 1"},
	/* X550 has one mode at a time: whichever comes first */
	{"X550",
	 "flow-type ether dst 02:00:00:00:00:01 queue 1\n"
	 "flow-type ether dst 02:00:00:00:00:02 queue 2\nflow-type udp4 dst-port 53 queue 1\n",
	 "fdir (MAC) 2"},
	{"X550",
	 "flow-type udp4 dst-port 53 queue 1\nflow-type ether dst 02:00:00:00:00:01 queue 1\n",
	 "fdir 1"},
	/* one input set for each packet type */
	{"X710",
	 "flow-type udp4 dst-port 53 queue 1\nflow-type tcp4 src-ip 10.0.0.1 queue 2\n"
	 "flow-type ip4-other dst-ip 10.0.0.9 queue 3\nflow-type ether proto 0x88f7 queue 3\n",
	 "ethertype 1, fdir 4"},
	{"X710,vfs=2", "flow-type udp4 dst-port 53 vf 0\nflow-type udp4 dst-port 54 queue 1\n",
	 "fdir 1, cloud 1"},
	/* of optional rules what is worth more */
	{"I350",
	 "flow-type tcp4 dst-port 0-7 queue 1 weight 1 optional\n"
	 "flow-type tcp4 dst-port 16-23 queue 1 weight 2 optional\n",
	 "2-tuple 8", true},
	/* a tunnel is part of the UDP packets that it is in: what stands before it decides, and is kept apart or not */
	{"X710,vfs=4",
	 "flow-type " VXLAN "vni 5 inner-dst " MAC " vf 1\nflow-type " VXLAN "vni 6 inner-dst " MAC
	 " vf 1\nflow-type udp4 dst-port 53 queue 1\nflow-type tcp4 drop\n",
	 "fdir 2, cloud 2"},
	{"X710,vfs=4",
	 "flow-type udp4 dst-port 4789 drop\nflow-type " VXLAN "vni 5 inner-dst " MAC " vf 1\n",
	 "fdir 1"},
	{"X710,vfs=4",
	 "flow-type " VXLAN "vni 5 inner-dst " MAC
	 " vf 1\nflow-type udp4 dst-port 4789 drop optional\n",
	 "cloud 1", true},
	{"X710,vfs=4",
	 "flow-type udp4 dst-ip 10.0.0.1 drop\nflow-type " VXLAN "vni 5 inner-dst " MAC
	 " vf 1 optional\n",
	 "fdir 1", true},
	{"X710,vfs=4",
	 "flow-type " VXLAN "inner-dst " MAC " vf 1\nflow-type " VXLAN "vni 5 inner-dst " MAC
	 " vf 2 optional\nflow-type udp4 dst-port 8472 vni 5 inner-dst " MAC " vf 2 optional\n",
	 "cloud 1", true},
	/* one filter for SYN, which lies over no rule for TCP */
	{"82599", "flow-type tcp4 syn queue 1\nflow-type udp4 dst-port 53 queue 2\n",
	 "SYN 1, fdir 1", .allow = 1u << SRIOV_BROADER},
	{"82599", "flow-type tcp4 dst-port 80 queue 2\nflow-type tcp4 syn queue 1\n", "fdir 1",
	 .allow = 1u << SRIOV_BROADER},
	{"X550,vfs=2", "flow-type ether e-tag 5 vf 0\nflow-type ether e-tag 6 vf 1\n",
	 "L2 tunnel 2"},
};

static void lists_go_to_filters(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		const struct sriov_compile opts = {.partial = lists[i].partial,
						   .allow = lists[i].allow};
		char use[256] = "";
		struct text text = {.at = use, .size = sizeof(use)};
		struct sriov_compiled out = {0};
		struct sriov_rules rules;
		struct sriov_pf port;

		rte_port(lists[i].nic, &port);
		assert_int_equal(sriov_rules_parse(lists[i].rules, NULL, &rules, NULL), 0);
		sriov_rules_compile(&rules, &port, &opts, &out, NULL);
		for (size_t k = 0; k < out.nuses; k++)
			if (out.use[k].used)
				text_list(&text, "%s %u", sriov_filter_word(out.use[k].filter),
					  out.use[k].used);
		if (strcmp(use, lists[i].use))
			fail_msg("list %zu on %s: %s", i, lists[i].nic, use);
		sriov_compiled_clear(&out);
		sriov_rules_clear(&rules);
	}
}

/* As many 5-tuples as there are, whatever else there would be room for. */
static void budgets_end(void **state)
{
	struct sriov_compiled out = {0};
	struct sriov_error err = {0};
	struct sriov_rules rules;
	struct sriov_pf port;
	char *text = NULL;
	size_t size, in = 0;
	FILE *words = open_memstream(&text, &size);

	assert_non_null(words);
	fprintf(words, "flow-type ip4 dst-ip 10.9.0.0/16 drop\n");
	for (unsigned i = 0; i < 130; i++)
		fprintf(words, "flow-type udp4 dst-ip 10.0.1.%u queue 1\n", i);
	fclose(words);
	rte_port("82599", &port);
	assert_int_equal(sriov_rules_parse(text, NULL, &rules, NULL), 0);
	assert_int_equal(sriov_rules_compile(&rules, &port, NULL, &out, &err), -ENOTSUP);
	if (!strstr(err.message, "5-tuple 128 of 128"))
		fail_msg("%s", err.message);
	for (size_t i = 0; i < out.nrules; i++)
		in += out.verdict[i].result == SRIOV_EXACT;
	assert_int_equal(in, 129);
	assert_int_equal(out.verdict[130].result, SRIOV_FULL);
	sriov_compiled_clear(&out);
	sriov_rules_clear(&rules);
	free(text);
}

/* `rss set` is about ports of the kernel. */
static void hints_are_for_ports_of_dpdk(void **state)
{
	struct sriov_compiled out = {0};
	struct sriov_rule rule;
	struct sriov_rules rules = {.at = &rule, .n = 1};
	struct sriov_pf port;

	rte_port("tap", &port);
	rule_of("udp4 dst-port 53 queues 0-1", &rule);
	assert_int_equal(sriov_rules_compile(&rules, &port, NULL, &out, NULL), -ENOTSUP);
	assert_non_null(strstr(out.verdict->hint, "one queue: queue 0; or RSS as the process"));
	assert_null(strstr(out.verdict->hint, "rss set"));
	sriov_compiled_clear(&out);
}

/* What has the port now is no driver of its NIC: the PCI device tells which of DPDK's would take it. */
static void devices_tell_their_driver(void **state)
{
	static const struct {
		const char *driver;
		uint16_t vendor, device;
		const char *wanted; /* NULL: none */
	} ports[] = {
		{"vfio-pci", 0x8086, 0x10fb, "net_ixgbe"},
		{"uio_pci_generic", 0x8086, 0x1572, "net_i40e"},
		{"", 0x8086, 0x1521, "net_e1000_igb"},
		{"vfio-pci", 0x8086, 0x1593, NULL}, /* of ice */
		{"vfio-pci", 0x15b3, 0x10fb, NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(ports); i++) {
		struct sriov_pf port = {.vendor = ports[i].vendor, .device = ports[i].device};
		const char *wanted = ports[i].wanted ?: ports[i].driver;
		struct sriov_error err = {0};

		snprintf(port.driver, sizeof(port.driver), "%s", ports[i].driver);
		assert_int_equal(sriov_nic_rte(&port, &err), ports[i].wanted ? 0 : -ENOTSUP);
		assert_string_equal(port.driver, wanted);
	}
}

static void other_drivers_are_named(void **state)
{
	struct sriov_pf port = {.netdev = "eno1", .driver = "mlx5_core"};
	struct sriov_error err = {0};

	assert_int_equal(sriov_nic_rte(&port, &err), -ENOTSUP);
	assert_string_equal(err.object, "eno1");
	assert_non_null(strstr(err.message, "mlx5_core"));
	assert_non_null(strstr(err.hint, "net_ixgbe"));
	assert_string_equal(port.driver, "mlx5_core");
	assert_null(sriov_filter_word(SRIOV_FILTER_NONE));
	assert_null(sriov_filter_word(SRIOV_FILTERS));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(filters_take_rules),
		cmocka_unit_test(lists_go_to_filters),
		cmocka_unit_test(budgets_end),
		cmocka_unit_test(hints_are_for_ports_of_dpdk),
		cmocka_unit_test(devices_tell_their_driver),
		cmocka_unit_test(other_drivers_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
