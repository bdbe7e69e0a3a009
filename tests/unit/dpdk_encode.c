/* SPDX-License-Identifier: Apache-2.0 */
/* Entries as rte_flow rules, byte by byte: spec and mask (and last) of each item, each action with its number. */
#include "tests/unit/flow_fixture.h"

#include "flows/to/rte.h"

static const struct {
	enum rte_flow_item_type type;
	const char *word;
	size_t size;
} items[] = {
	{RTE_FLOW_ITEM_TYPE_ETH, "eth", 14},    {RTE_FLOW_ITEM_TYPE_VLAN, "vlan", 4},
	{RTE_FLOW_ITEM_TYPE_IPV4, "ipv4", 20},  {RTE_FLOW_ITEM_TYPE_IPV6, "ipv6", 40},
	{RTE_FLOW_ITEM_TYPE_TCP, "tcp", 20},    {RTE_FLOW_ITEM_TYPE_UDP, "udp", 8},
	{RTE_FLOW_ITEM_TYPE_SCTP, "sctp", 12},  {RTE_FLOW_ITEM_TYPE_E_TAG, "e_tag", 8},
	{RTE_FLOW_ITEM_TYPE_VXLAN, "vxlan", 8},
};

/* Headers as they stand in a packet; trailing zero bytes are left out. */
static void dump_bytes(struct text *out, const void *at, size_t size)
{
	const uint8_t *bytes = at;

	while (size && !bytes[size - 1])
		size--;
	text_add(out, " ");
	for (size_t i = 0; i < size; i++)
		text_add(out, "%02x", bytes[i]);
	if (!size)
		text_add(out, "0");
}

static void dump_item(struct text *out, const struct rte_flow_item *item)
{
	size_t i = 0;

	while (items[i].type != item->type)
		i++;
	text_add(out, "%s%s", out->used ? " / " : "", items[i].word);
	if (item->spec)
		dump_bytes(out, item->spec, items[i].size);
	if (item->mask)
		dump_bytes(out, item->mask, items[i].size);
	if (item->last)
		dump_bytes(out, item->last, items[i].size);
}

static void dump_action(struct text *out, const struct rte_flow_action *action)
{
	const uint32_t *number = action->conf;

	switch (action->type) {
	case RTE_FLOW_ACTION_TYPE_QUEUE:
		text_add(out, " queue %u", *(const uint16_t *)action->conf);
		break;
	case RTE_FLOW_ACTION_TYPE_PF:
		text_add(out, " pf");
		break;
	case RTE_FLOW_ACTION_TYPE_VF:
		text_add(out, " vf %u", number[1]);
		break;
	case RTE_FLOW_ACTION_TYPE_MARK:
		text_add(out, " mark %u", number[0]);
		break;
	default:
		assert_int_equal(action->type, RTE_FLOW_ACTION_TYPE_DROP);
		text_add(out, " drop");
	}
}

static void dump(const struct rte_code *code, char *buf, size_t size)
{
	struct text out = {.at = buf, .size = size};

	assert_true(code->attr.ingress && !code->attr.egress && !code->attr.transfer);
	assert_true(!code->attr.group && !code->attr.priority);
	for (const struct rte_flow_item *item = code->item; item->type; item++)
		dump_item(&out, item);
	text_add(&out, " ->");
	for (const struct rte_flow_action *action = code->action; action->type; action++)
		dump_action(&out, action);
}

static const struct {
	enum sriov_filter filter;
	const char *entry, *bytes, *second;
} cases[] = {
	{SRIOV_FILTER_TUPLE5, "tcp4 src-ip 1.2.3.4 dst-port 80 queue 2",
	 "eth / ipv4 00000000000000000006000001020304 000000000000000000ff0000ffffffff / tcp 00000050 0000ffff -> queue 2"},
	{SRIOV_FILTER_TUPLE5, "ip4 dst-ip 1.2.3.4 queue 2",
	 "eth / ipv4 0000000000000000000000000000000001020304 00000000000000000000000000000000ffffffff -> queue 2"},
	{SRIOV_FILTER_TUPLE5, "sctp4 queue 2",
	 "eth / ipv4 00000000000000000084 000000000000000000ff / sctp -> queue 2"},
	{SRIOV_FILTER_TUPLE2, "udp4 dst-port 53 queue 1",
	 "eth / ipv4 00000000000000000011 000000000000000000ff / udp 00000035 0000ffff -> queue 1"},
	{SRIOV_FILTER_TUPLE2, "ip4 l4proto 47 queue 1",
	 "eth / ipv4 0000000000000000002f 000000000000000000ff -> queue 1"},
	{SRIOV_FILTER_ETHERTYPE, "ether proto 0x88f7 queue 3",
	 "eth 00000000000000000000000088f7 000000000000000000000000ffff -> queue 3"},
	{SRIOV_FILTER_ETHERTYPE, "ether proto 0x88f7 dst 02:00:00:00:00:01 drop",
	 "eth 02000000000100000000000088f7 ffffffffffff000000000000ffff -> drop"},
	{SRIOV_FILTER_FDIR_MARK, "udp4 dst-ip 10.0.0.0/8 dst-port 53 queue 1 loc 7",
	 "eth / ipv4 000000000000000000000000000000000a 00000000000000000000000000000000ff / udp 00000035 0000ffff -> queue 1 mark 7"},
	{SRIOV_FILTER_FDIR_MARK, "ip4 src-ip 10.0.0.1 drop loc 8",
	 "eth / ipv4 0000000000000000000000000a000001 000000000000000000000000ffffffff -> drop mark 8"},
	{SRIOV_FILTER_FDIR_MARK, "tcp4 src-port 0 m 0xfffe queue 1 loc 9",
	 "eth / ipv4 0 0 / tcp 0 0001 -> queue 1 mark 9"},
	{SRIOV_FILTER_FDIR_MAC, "ether dst 02:00:00:00:00:01 vid 5 queue 1 loc 3",
	 "eth 020000000001 ffffffffffff / vlan 0005 0fff -> queue 1 mark 3"},
	{SRIOV_FILTER_FDIR_MAC, "ether dst 02:00:00:00:00:01 drop loc 4",
	 "eth 020000000001 ffffffffffff / vlan 0 0 -> drop mark 4"},
	{SRIOV_FILTER_FDIR, "udp4 dst-ip 10.0.0.7 dst-port 53 queue 1",
	 "eth / ipv4 000000000000000000000000000000000a000007 00000000000000000000000000000000ffffffff / udp 00000035 0000ffff -> queue 1"},
	{SRIOV_FILTER_FDIR, "tcp4 dst-port 80 vlan 5 drop",
	 "eth / vlan 0005 ffff / ipv4 / tcp 00000050 0000ffff -> drop"},
	{SRIOV_FILTER_FDIR, "ip4-other dst-ip 10.0.0.7 l4proto 47 tos 8 drop",
	 "eth / ipv4 0008000000000000002f0000000000000a000007 00ff00000000000000ff000000000000ffffffff -> drop",
	 "eth / ipv4 0008000000000008002f0000000000000a000007 00ff000000003fff00ff000000000000ffffffff 00000000000020 -> drop"},
	{SRIOV_FILTER_FDIR, "ip4-other drop", "eth / ipv4 -> drop",
	 "eth / ipv4 0000000000000008 0000000000003fff 00000000000020 -> drop"},
	{SRIOV_FILTER_FDIR, "ip6-other dst-ip 2001:db8::1 drop",
	 "eth / ipv6 00000000000000000000000000000000000000000000000020010db8000000000000000000000001 000000000000000000000000000000000000000000000000ffffffffffffffffffffffffffffffff -> drop",
	 "eth / ipv6 0000000000002c000000000000000000000000000000000020010db8000000000000000000000001 000000000000000000000000000000000000000000000000ffffffffffffffffffffffffffffffff -> drop"},
	{SRIOV_FILTER_FDIR, "tcp6 src-ip 2001:db8::1 dst-port 80 tclass 0x20 queue 1",
	 "eth / ipv6 020000000000000020010db8000000000000000000000001 0ff0000000000000ffffffffffffffffffffffffffffffff / tcp 00000050 0000ffff -> queue 1"},
	{SRIOV_FILTER_FDIR, "sctp6 dst-port 80 queue 1",
	 "eth / ipv6 / sctp 00000050 0000ffff -> queue 1"},
	{SRIOV_FILTER_FDIR, "ether proto 0x88f7 src 02:00:00:00:00:01 vlan 5 drop",
	 "eth 000000000000020000000001 000000000000ffffffffffff / vlan 000588f7 ffffffff -> drop"},
	{SRIOV_FILTER_SYN, "tcp4 syn queue 3",
	 "eth / ipv4 / tcp 0000000000000000000000000002 0000000000000000000000000002 -> queue 3"},
	{SRIOV_FILTER_L2_TUNNEL, "ether e-tag 0x1234 vf 2", "e_tag 00001234 00003fff -> vf 2"},
	{SRIOV_FILTER_CLOUD, "udp4 dst-port 53 vf 3 queue 1",
	 "eth / ipv4 / udp 00000035 0000ffff -> vf 3 queue 1"},
	{SRIOV_FILTER_CLOUD, "tcp6 src-port 53 vf 0", "eth / ipv6 / tcp 0035 ffff -> vf 0 queue 0"},
	{SRIOV_FILTER_CLOUD,
	 "udp4 dst-port 4789 vni 0x123456 inner-dst 52:54:00:00:00:01 vf 3 queue 1",
	 "eth / ipv4 / udp / vxlan 00000000123456 00000000ffffff / eth 525400000001 ffffffffffff -> vf 3 queue 1"},
	{SRIOV_FILTER_CLOUD,
	 "udp6 dst-port 4789 inner-dst 52:54:00:00:00:01 inner-vlan 0x2005 queue 1",
	 "eth / ipv6 / udp / vxlan / eth 525400000001 ffffffffffff / vlan 2005 ffff -> pf queue 1"},
	{SRIOV_FILTER_CLOUD, "udp4 dst-port 4789 vni 0 inner-dst 52:54:00:00:00:01 vf 0",
	 "eth / ipv4 / udp / vxlan 0 00000000ffffff / eth 525400000001 ffffffffffff -> vf 0 queue 0"},
	{SRIOV_FILTER_FLOWER, "tcp4 dst-ip 10.0.0.0/9 queue 1",
	 "eth / ipv4 000000000000000000000000000000000a 00000000000000000000000000000000ff80 / tcp -> queue 1"},
	{SRIOV_FILTER_FLOWER, "udp6 dst-port 53 drop",
	 "eth / ipv6 / udp 00000035 0000ffff -> drop"},
	{SRIOV_FILTER_FLOWER, "ether src 02:00:00:00:00:01 proto 0x88f7 drop",
	 "eth 00000000000002000000000188f7 000000000000ffffffffffffffff -> drop"},
};

static void bytes_are_as_drivers_want_them(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sriov_entry entry = entry_of(cases[i].entry);
		unsigned parts = sriov_filter_rules(cases[i].filter, entry.type);
		const char *wanted[] = {cases[i].bytes, cases[i].second};

		assert_int_equal(parts, cases[i].second ? 2 : 1);
		for (unsigned part = 0; part < parts; part++) {
			struct rte_code code;
			char bytes[1024];

			rte_encode(&entry, cases[i].filter, part, &code);
			dump(&code, bytes, sizeof(bytes));
			if (strcmp(bytes, wanted[part]))
				fail_msg("%s: %s: %s", sriov_filter_word(cases[i].filter),
					 cases[i].entry, bytes);
		}
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {cmocka_unit_test(bytes_are_as_drivers_want_them)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
