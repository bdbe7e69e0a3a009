/* SPDX-License-Identifier: Apache-2.0 */
/* From rules to entries: what each NIC can do exactly, where it goes, and why the rest cannot be. */
#include "tests/unit/flow_fixture.h"

#define IXGBE(...)                                                                                 \
	{                                                                                          \
		"ixgbe", X520, __VA_ARGS__                                                         \
	}
#define I40E(...)                                                                                  \
	{                                                                                          \
		"i40e", 0x1572, 0, 8, {__VA_ARGS__}, 8192                                          \
	}
#define IGB(...)                                                                                   \
	{                                                                                          \
		"igb", I350, 0, 4,                                                                 \
		{                                                                                  \
			__VA_ARGS__                                                                \
		}                                                                                  \
	}

static const struct {
	struct port_words port;
	const char *rule;
	const char *result;
	const char *entries; /* "LOC ENTRY; …", or NULL if it cannot be in hardware */
	int err;
	const char *message, *hint; /* parts of them */
} cases[] = {
	/* plain rules; the lowest free location from 1 */
	{IXGBE(0, 8), "udp4 dst-ip 10.0.0.7 dst-port 4789 queue 1", "exact",
	 "1 udp4 dst-ip 10.0.0.7 dst-port 4789 -> queue 1"},

	{IXGBE(0, 8), "name web udp4 dst-port 80 drop loc 9", "exact",
	 "9 udp4 dst-port 80 -> drop"},

	{IXGBE(0, 8), "udp4 dst-port 80 drop loc 0", "exact", "0 udp4 dst-port 80 -> drop"},

	{IXGBE(0, 8, {"udp4 dst-port 80 drop loc 1", "udp4 dst-port 81 drop loc 3"}),
	 "udp4 dst-port 82 drop", "exact", "2 udp4 dst-port 82 -> drop"},

	{IXGBE(0, 8), "ip4 src-ip 10.0.0.0/8 drop", "exact", "1 ip4 src-ip 10.0.0.0/8 -> drop"},

	{IXGBE(0, 0), "udp4 drop", "exact", "1 udp4 -> drop"},
	/* what is there already stays where it is, without a change */
	{IXGBE(0, 8, {"udp4 dst-port 80 drop loc 7"}), "udp4 dst-port 80 drop", "exact",
	 "7 udp4 dst-port 80 -> drop"},

	{IXGBE(0, 8, {"udp4 dst-port 80 drop loc 7"}), "udp4 dst-port 80 drop loc 7", "exact",
	 "7 udp4 dst-port 80 -> drop"},

	{I40E("udp4 src-ip 10.0.0.1 drop loc 7"), "udp4 src-ip 10.0.0.1 drop", "exact",
	 "7 udp4 src-ip 10.0.0.1 -> drop"},

	{IGB("ether proto 1 queue 1 loc 7"), "ether proto 1 queue 1", "exact",
	 "7 ether proto 0x1 -> queue 1"},

	{IXGBE(0, 8, {"udp4 dst-port 80 drop loc 7"}), "udp4 dst-port 80 drop loc 8", "refused",
	 NULL, 0,
	 "already, as a rule that somebody else made, at another location\n  loc 7: udp4 dst-port 80 -> drop",
	 "delete that rule"},
	/* the same packets, another action */
	{IXGBE(0, 8, {"udp4 dst-port 80 drop loc 7"}), "udp4 dst-port 80 queue 1", "refused", NULL,
	 0, "which does something else\n  loc 7: udp4 dst-port 80 -> drop", "delete that rule"},

	{I40E("udp4 dst-port 80 drop loc 7"), "udp4 dst-port 80 queue 1", "refused", NULL, 0,
	 "loc 7: udp4 dst-port 80 -> drop", ""},

	{IGB("ether proto 1 queue 1 loc 7"), "ether proto 1 queue 2", "refused", NULL, 0,
	 "loc 7: ether proto 0x1 -> queue 1", ""},

	{IGB("ether proto 1 queue 1 loc 7"), "ether prio 1 queue 2", "refused", NULL, 0,
	 "some packets match this rule and a rule that somebody else made", ""},

	{IGB("ether proto 1 queue 1 loc 7"), "ether prio 1 queue 1", "exact",
	 "1 ether prio 1 -> queue 1"},
	/* locations */
	{IXGBE(0, 8, {"udp4 dst-port 80 drop loc 7"}), "udp4 dst-port 81 drop loc 7", "refused",
	 NULL, 0,
	 "the location asked for is taken by a rule that somebody else made\n  loc 7: udp4 dst-port 80 -> drop",
	 "leave 'loc' out"},

	{IXGBE(0, 8), "udp4 drop loc 2046", "refused", NULL, -EINVAL,
	 "it has 2046 locations, the last is 2045", ""},

	{IXGBE(0, 8, {"udp4 dst-port 1 drop loc 1"}, 2), "udp4 dst-port 2 drop", "exact",
	 "0 udp4 dst-port 2 -> drop"},
	{IXGBE(0, 8, {"udp4 dst-port 1 drop loc 1", "udp4 dst-port 3 drop loc 0"}, 2),
	 "udp4 dst-port 2 drop", "full", NULL, -ENOSPC,
	 "the rule table of eno1 is full: 2 entries in 2 locations", "delete rules"},

	{{"i40e", 0x1572, 0, 8, {0}, 3},
	 "ip4 drop",
	 "full",
	 NULL,
	 -ENOSPC,
	 "a full table has 3",
	 ""},

	{I40E(0), "udp4 drop loc 0", "refused", NULL, 0, "location 0 is avoided on i40e", "loc 1"},

	{{"i40e", 0x1572, 0, 8},
	 "udp4 drop",
	 "unknown",
	 NULL,
	 0,
	 "size of the rule table of eno1 is not known",
	 ""},
	/* queues and VFs */
	{IXGBE(0, 8), "udp4 queue 8", "refused", NULL, -EINVAL,
	 "eno1 has no RX queue 8: it has 8, the last is 7", "ethtool -l eno1"},

	{IXGBE(0, 0), "udp4 queue 0", "unknown", NULL, 0, "number of RX rings of eno1 is not known",
	 ""},

	{IXGBE(0, 8), "udp4 vf 0", "refused", NULL, -EINVAL, "VF 0 does not exist: eno1 has no VFs",
	 ""},

	{IXGBE(4, 4), "udp4 vf 4", "refused", NULL, -EINVAL,
	 "VF 4 does not exist: eno1 has 4, the last is 3", ""},

	{IXGBE(4, 4), "udp4 vf 3 queue 1", "exact", "1 udp4 -> vf 3 queue 1"},
	/* ixgbe: what it ignores or takes for something else */
	{IXGBE(0, 8), "udp4 tos 16 drop", "broader", NULL, 0,
	 "accepts 'tos' and then does not look at it",
	 "ixgbe can match of udp4: src-ip (any bits), dst-ip (any bits)"},

	{IXGBE(0, 8), "sctp4 dst-port 80 drop", "refused", NULL, 0,
	 "82599 and X540 cannot match SCTP ports", "by address"},

	{IXGBE(0, 8), "sctp4 dst-ip 10.0.0.1 drop", "exact", "1 sctp4 dst-ip 10.0.0.1 -> drop"},

	{{"ixgbe", X550, 0, 8}, "sctp4 dst-port 80 drop", "exact", "1 sctp4 dst-port 80 -> drop"},

	{IXGBE(0, 8), "ip4 l4proto 6 drop", "narrower", NULL, 0, "unfragmented packets only",
	 "flow-type tcp4 says exactly that"},

	{IXGBE(0, 8), "ip4 l4proto 132 drop", "narrower", NULL, 0, "unfragmented",
	 "flow-type sctp4"},

	{IXGBE(0, 8), "ip4 l4proto 1 drop", "refused", NULL, -EINVAL, "cannot match l4proto 1",
	 "ip4 for every protocol"},

	{IXGBE(0, 8), "ip4 l4data 1 drop", "refused", NULL, -EINVAL, "l4data", ""},

	{IXGBE(0, 8), "udp4 vid 100 drop", "exact", "1 udp4 vid 100 -> drop"},

	{IXGBE(0, 8), "udp4 vid 100 prio 3 drop", "exact", "1 udp4 vid 100 prio 3 -> drop"},

	{IXGBE(0, 8), "udp4 vlan 0x6064 drop", "broader", NULL, 0, "does not look at bit 12 (DEI)",
	 "`vid 100` for that VLAN at any priority, `vid 100 prio 3`"},

	{IXGBE(0, 8), "udp4 vlan 5 m 0xf002 drop", "exact",
	 "1 udp4 vid 5 -> drop; 2 udp4 vid 7 -> drop"},

	{IXGBE(0, 8), "udp4 vlan-etype 0x8100 vid 5 drop", "exact",
	 "1 udp4 vlan-etype 0x8100 vid 5 -> drop"},

	{IXGBE(0, 8), "udp4 vlan-etype 0x800 drop", "refused", NULL, 0, "never 0x800", ""},

	{IXGBE(4, 4), "udp4 user-def 3 m 0xffffffffffffff80 drop", "exact",
	 "1 udp4 user-def 0x3 m 0xffffffffffffff80 -> drop"},

	{IXGBE(4, 4), "udp4 user-def 4 m 0xffffffffffffff80 drop", "exact",
	 "1 udp4 user-def 0x4 m 0xffffffffffffff80 -> drop"},

	{IXGBE(4, 4), "udp4 user-def 5 m 0xffffffffffffff80 drop", "refused", NULL, 0, "pool 5",
	 ""},

	{IXGBE(4, 4), "udp4 user-def 3 drop", "broader", NULL, 0, "low 7 bits of 'user-def'",
	 "user-def 3 m 0xffffffffffffff80"},

	{IXGBE(0, 4), "udp4 user-def 3 m 0xffffffffffffff80 drop", "refused", NULL, 0, "no pools",
	 ""},
	/* ixgbe: one mask, flow types */
	{IXGBE(0, 8, {"udp4 dst-ip 10.0.0.7 dst-port 4789 drop loc 5"}), "udp4 src-port 1 drop",
	 "refused", NULL, -EINVAL,
	 "its rules match dst-ip, dst-port, this one src-port\n  loc 5: udp4 dst-ip 10.0.0.7 dst-port 4789 "
	 "-> drop",
	 "match the same fields with the same masks"},

	{IXGBE(0, 8, {"udp4 dst-ip 10.0.0.0/8 drop loc 5"}), "ip4 dst-ip 10.0.0.0/8 drop",
	 "refused", NULL, -EINVAL, "its rules match dst-ip/8, this one ip4 by dst-ip/8",
	 "flow type tcp4, udp4 or sctp4"},

	{IXGBE(0, 8, {"ip4 drop loc 5"}), "udp4 drop", "refused", NULL, -EINVAL,
	 "its rules match ip4 by nothing", "with flow type ip4"},

	{IXGBE(0, 8), "udp6 drop", "refused", NULL, -EINVAL,
	 "no rules of flow type udp6; it has tcp4, udp4, sctp4, ip4", ""},
	/* i40e: ip4 is four entries */
	{I40E(0), "ip4 src-ip 10.0.0.1 queue 3", "exact",
	 "1 tcp4 src-ip 10.0.0.1 -> queue 3; 2 udp4 src-ip 10.0.0.1 -> queue 3; 3 sctp4 src-ip 10.0.0.1 -> queue 3; 4 ip4-other src-ip 10.0.0.1 -> queue 3"},

	{I40E(0), "ip4 drop loc 10", "exact",
	 "10 tcp4 -> drop; 11 udp4 -> drop; 12 sctp4 -> drop; 13 ip4-other -> drop"},

	{I40E("udp4 src-ip 10.0.0.1 drop loc 2"), "ip4 src-ip 10.0.0.1 drop", "exact",
	 "2 udp4 src-ip 10.0.0.1 -> drop; 1 tcp4 src-ip 10.0.0.1 -> drop; 3 sctp4 src-ip 10.0.0.1 -> drop; 4 ip4-other src-ip 10.0.0.1 -> drop"},

	{I40E("sctp4 dst-port 7 drop loc 2"), "ip4 src-ip 10.0.0.1 drop", "refused", NULL,
	 -EOPNOTSUPP,
	 "all sctp4 rules of an i40e port match the same fields: its rules match dst-port, this one src-ip\n  loc 2: sctp4 dst-port 7 -> drop",
	 "delete the port's sctp4 rules"},

	{I40E("udp4 dst-port 7 drop loc 12"), "ip4 drop loc 10", "refused", NULL, -EOPNOTSUPP,
	 "all udp4 rules", ""},

	{I40E("udp6 dst-port 7 drop loc 12"), "ip4 drop loc 10", "refused", NULL, 0,
	 "taken by a rule that somebody else made\n  loc 12", ""},

	{I40E(0), "ip6 src-ip ::1 drop", "narrower", NULL, 0, "cannot match every IPv6 packet",
	 "tcp6, udp6 and sctp6"},

	{I40E(0), "tcp6 src-ip ::1 drop", "exact", "1 tcp6 src-ip ::1 -> drop"},
	/* i40e: what it refuses, ignores or takes for something else */
	{I40E(0), "udp4 dst-ip 10.0.0.0/8 drop", "refused", NULL, -EOPNOTSUPP,
	 "matches 'dst-ip' whole or not at all", "src-ip (whole), dst-ip (whole)"},

	{I40E(0), "udp4 tos 1 drop", "refused", NULL, -EOPNOTSUPP, "cannot match 'tos'",
	 "i40e can match of udp4"},

	{I40E(0), "ip4 l4proto 6 drop", "refused", NULL, -EINVAL, "cannot match 'l4proto'", ""},

	{I40E(0), "ether proto 0x800 drop", "refused", NULL, -EOPNOTSUPP,
	 "no rules of flow type ether", ""},

	{I40E(0), "udp4 vlan 100 drop", "exact", "1 udp4 vlan-etype 0x8100 vlan 100 -> drop"},

	{I40E("udp4 vlan-etype 0x8100 vlan 100 drop loc 3"), "udp4 vlan 100 drop", "exact",
	 "3 udp4 vlan-etype 0x8100 vlan 100 -> drop"},

	{I40E(0), "udp4 vid 100 drop", "narrower", NULL, 0, "all 16 bits of the VLAN tag",
	 "`vlan 100`"},

	{I40E(0), "udp4 vid 100 prio 3 drop", "narrower", NULL, 0, "all 16 bits", "`vlan 24676`"},

	{I40E(0), "udp4 vlan 0 drop", "refused", NULL, 0, "'vlan 0' for a packet without tag", ""},

	{I40E(0), "udp4 vlan-etype 0x8100 drop", "broader", NULL, 0, "without 'vlan'", "`vlan N`"},

	{I40E(0), "udp4 vlan 5 vlan-etype 0x8100 m 1 drop", "refused", NULL, 0, "whatever its mask",
	 ""},

	{I40E(0), "udp4 vlan 5 vlan-etype 0x88a8 drop", "refused", NULL, 0, "0x8100", ""},

	{I40E(0), "udp4 user-def 0x21234 m 0xffffffff00000000 drop", "exact",
	 "1 udp4 user-def 0x21234 m 0xffffffff00000000 -> drop"},

	{I40E(0), "udp4 user-def 0x21234 drop", "broader", NULL, 0, "low 32 bits of 'user-def'",
	 "user-def 0x21234 m 0xffffffff00000000"},

	{I40E(0), "ip4 user-def 0x21234 m 0xffffffff00000000 drop", "refused", NULL, 0,
	 "cannot mean both", ""},

	{I40E("tcp4 user-def 0x21234 m 0xffffffff00000000 drop loc 1"),
	 "udp4 user-def 0x41234 m 0xffffffff00000000 drop", "refused", NULL, 0,
	 "another offset in 'user-def'", "same offset"},

	{I40E("tcp6 dst-ip ::1 drop loc 1"), "tcp6 dst-ip ::2 drop", "refused", NULL, -EINVAL,
	 "takes this rule for a duplicate", "let the two differ"},

	{{"i40e", 0x1572, 4, 8, {0}, 8192},
	 "udp4 vf 3",
	 "none",
	 NULL,
	 0,
	 "does not send packets to a VF",
	 "MAC and VLAN"},

	{{"i40e", 0x1572, 0, 8, {0}, 8192},
	 "udp4 vf 3",
	 "refused",
	 NULL,
	 -EINVAL,
	 "VF 3 does not exist: eno1 has 0 VFs",
	 ""},
	/* igb */
	{IGB(0), "ether proto 0x88f7 queue 1", "exact", "1 ether proto 0x88f7 -> queue 1"},

	{IGB(0), "ether prio 3 queue 1", "exact", "1 ether prio 3 -> queue 1"},

	{{"igb", I350, 0, 4, {0}, 0, SRIOV_NTUPLE_OFF},
	 "ether prio 3 queue 1",
	 "exact",
	 "1 ether prio 3 -> queue 1"},

	{{"igb", I350, 0, 4, {0}, 0, SRIOV_NTUPLE_OFF},
	 "ether proto 3 queue 1",
	 "exact",
	 "1 ether proto 0x3 -> queue 1"},

	{IGB(0), "ether proto 0x88f7 drop", "refused", NULL, -EINVAL, "igb rules cannot drop",
	 "queues of the PF"},

	{IGB(0), "ether proto 0x88f7 vf 0", "refused", NULL, -EINVAL,
	 "igb rules cannot send packets to a VF", ""},

	{IGB(0), "udp4 queue 1", "refused", NULL, -EINVAL,
	 "no rules of flow type udp4; it has ether", ""},

	{IGB(0), "ether proto 0x800 m 0xff queue 1", "refused", NULL, -EINVAL,
	 "finds nothing that it could match", "match 'proto'"},

	{IGB(0), "ether proto 1 prio 3 queue 1", "broader", NULL, 0,
	 "a filter of its own of each field", "one of 'proto'"},

	{IGB(0), "ether proto 1 vlan-etype 0x8100 queue 1", "broader", NULL, 0,
	 "accepts 'vlan-etype'", ""},

	{IGB(0), "ether proto 1 user-def 1 queue 1", "broader", NULL, 0, "accepts 'user-def'", ""},

	{IGB("ether proto 1 queue 1 loc 1", "ether proto 2 queue 1 loc 2",
	     "ether proto 3 queue 1 loc 3"),
	 "ether proto 4 queue 1", "full", NULL, -EINVAL, "3 EtherType filters, and all are used",
	 "delete one"},

	{{"igb", I210, 0, 4},
	 "ether dst 52:54:00:00:00:01 queue 1",
	 "exact",
	 "1 ether dst 52:54:00:00:00:01 -> queue 1"},
	/* ntuple, and drivers that nobody has looked at */
	{{"ixgbe", X520, 0, 8, {0}, 0, SRIOV_NTUPLE_OFF}, "udp4 drop", "exact", "1 udp4 -> drop"},

	{{"i40e", 0x1572, 0, 8, {0}, 9, SRIOV_NTUPLE_OFF_FIXED},
	 "udp4 drop",
	 "refused",
	 NULL,
	 -EOPNOTSUPP,
	 "ntuple is off",
	 "cannot be switched on"},

	{{"ice", 0x1592, 0, 8, {0}, 512},
	 "udp4 drop",
	 "refused",
	 NULL,
	 0,
	 "driver ice is not modelled",
	 "ixgbe"},

	{{"mlx5_core", 0x1017, 0, 8, {0}, 512},
	 "udp4 drop",
	 "refused",
	 NULL,
	 0,
	 "mlx5_core is not modelled",
	 ""},

	{{"", 0x10fb, 0, 8, {0}, 512},
	 "udp4 drop",
	 "refused",
	 NULL,
	 0,
	 "driver (none) is not modelled",
	 ""},
};

/* "LOC ENTRY; LOC ENTRY" */
static void words_of(const struct sriov_entry *entry, size_t n, char *buf, size_t size)
{
	struct text text = {.at = buf, .size = size};
	char words[256];

	for (size_t i = 0; i < n; i++) {
		assert_int_equal(sriov_entry_format(&entry[i], words, sizeof(words)), 0);
		text_add(&text, "%s%u %s", i ? "; " : "", entry[i].loc, words);
	}
}

/* All failing cases are told, not the first only. */
__attribute__((format(printf, 1, 2))) static unsigned print_case(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return 1;
}

static void compiles_or_explains(void **state)
{
	unsigned failed = 0;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sriov_entry installed[5];
		struct sriov_compiled out = {0};
		struct sriov_error err = {0};
		struct sriov_rule rule;
		struct sriov_rules rules = {.at = &rule, .n = 1};
		struct sriov_verdict *v;
		struct sriov_pf port;
		char text[1024] = "";
		int r;

		port_of(&cases[i].port, installed, &port);
		rule_of(cases[i].rule, &rule);
		r = sriov_rules_compile(&rules, &port, NULL, &out, &err);
		v = out.verdict;
		if (strcmp(sriov_result_word(v->result), cases[i].result) ||
		    v->err != cases[i].err || r != (cases[i].entries ? 0 : -ENOTSUP))
			failed += print_case("case %zu '%s' gave %s, %d: %s (%s)", i, cases[i].rule,
					     sriov_result_word(v->result), v->err, v->why, v->hint);
		words_of(out.entry, out.nentries, text, sizeof(text));
		if (strcmp(text, cases[i].entries ?: ""))
			failed += print_case("case %zu '%s' gave %s", i, cases[i].rule, text);
		if (r) {
			assert_int_equal(err.code, r);
			if (!strstr(err.message, cases[i].message) ||
			    !strstr(err.hint, cases[i].hint))
				failed += print_case("case %zu '%s' gave: %s (%s)", i,
						     cases[i].rule, err.message, err.hint);
			assert_non_null(strstr(err.object, "eno1"));
			assert_string_equal(err.hint, v->hint);
			assert_true(*v->why);
		} else {
			assert_string_equal(v->why, "");
		}
		assert_true(v->evidence && *v->evidence);
		sriov_compiled_clear(&out);
		assert_int_equal(sriov_rules_compile(&rules, &port, NULL, &out, NULL), r);
		sriov_compiled_clear(&out);
	}
	assert_int_equal(failed, 0);
}

/* What the driver's GET says of an installed i40e entry must not make the rule look new. */
static void knows_its_rules_when_masks_read_back_wrong(void **state)
{
	struct port_words words = I40E("udp4 src-ip 10.0.0.1 dst-port 53 drop loc 3");
	struct sriov_entry rules[5], out[NIC_EXPANSION_MAX];
	struct sriov_rule rule;
	struct sriov_pf port;
	size_t n = 0;

	port_of(&words, rules, &port);
	memset(rules[0].mask.dst_ip, 0xff, 4);
	rules[0].mask.src_port = 0xffff;
	rules[0].mask.tos = 0xff;
	rule_of("udp4 src-ip 10.0.0.1 dst-port 53 drop", &rule);
	assert_int_equal(compile_one(&rule, &port, out, &n, NULL), 0);
	assert_int_equal(n, 1);
	assert_int_equal(out[0].loc, 3);
	rule_of("udp4 src-ip 10.0.0.1 dst-port 54 drop", &rule);
	assert_int_equal(compile_one(&rule, &port, out, &n, NULL), 0);
	assert_int_equal(out[0].loc, 1);
	assert_int_equal(rules[0].mask.tos, 0xff); /* the caller's table is not ours to repair */
}

/* Without FLOW_EXT i40e would match the VLAN that an earlier rule has left in the input set. */
static void i40e_entries_always_carry_ext(void **state)
{
	struct port_words words = I40E(0);
	struct sriov_entry rules[5], out[NIC_EXPANSION_MAX];
	struct ethtool_rx_flow_spec spec;
	struct sriov_rule rule;
	struct sriov_pf port;
	size_t n;

	port_of(&words, rules, &port);
	rule_of("ip4 drop", &rule);
	assert_int_equal(compile_one(&rule, &port, out, &n, NULL), 0);
	assert_int_equal(n, 4);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(ntuple_encode(&out[i], &spec), 0);
		assert_true(spec.flow_type & FLOW_EXT);
	}
}

static void out_of_tree_drivers_are_unknown(void **state)
{
	struct port_words words = IXGBE(0, 8);
	struct sriov_entry rules[5], out[NIC_EXPANSION_MAX];
	struct sriov_error err = {0};
	struct sriov_rule rule;
	struct sriov_pf port;
	size_t n;

	port_of(&words, rules, &port);
	port.in_tree = SRIOV_NO;
	core_copy(port.driver_version, sizeof(port.driver_version), "5.19.6");
	rule_of("udp4 drop", &rule);
	assert_int_equal(compile_one(&rule, &port, out, &n, &err), -EOPNOTSUPP);
	assert_non_null(strstr(err.message, "ixgbe 5.19.6 is not the kernel's own driver"));
	port.in_tree = SRIOV_UNKNOWN;
	assert_int_equal(compile_one(&rule, &port, out, &n, &err), 0);
}

static void refuses_rules_that_cannot_be_written(void **state)
{
	struct port_words words = IXGBE(0, 8);
	struct sriov_entry rules[5], out[NIC_EXPANSION_MAX];
	struct sriov_rule rule = {.type = SRIOV_FLOW_IP4, .loc = -1, .mask.dst_port = 1};
	struct sriov_error err = {0};
	struct sriov_pf port;
	size_t n;

	port_of(&words, rules, &port);
	assert_int_equal(compile_one(&rule, &port, out, &n, &err), -EOPNOTSUPP);
	rule = (struct sriov_rule){.loc = -1};
	assert_int_equal(compile_one(&rule, &port, out, &n, &err), -EOPNOTSUPP);
}

/* A guest is a VF only to who knows leases. */
static void refuses_guests_without_leases(void **state)
{
	static const char *const texts[] = {"udp4 guest web1", "udp4 in guest web1 queue 1"};
	struct port_words words = IXGBE(0, 8);
	struct sriov_entry rules[5], out[NIC_EXPANSION_MAX];
	struct sriov_error err = {0};
	struct sriov_rule rule;
	struct sriov_pf port;
	size_t n;

	port_of(&words, rules, &port);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		rule_of(texts[i], &rule);
		assert_int_equal(compile_one(&rule, &port, out, &n, &err), -EOPNOTSUPP);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(compiles_or_explains),
		cmocka_unit_test(knows_its_rules_when_masks_read_back_wrong),
		cmocka_unit_test(i40e_entries_always_carry_ext),
		cmocka_unit_test(out_of_tree_drivers_are_unknown),
		cmocka_unit_test(refuses_rules_that_cannot_be_written),
		cmocka_unit_test(refuses_guests_without_leases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
