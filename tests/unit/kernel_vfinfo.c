/* SPDX-License-Identifier: Apache-2.0 */
/* IFLA_VFINFO_LIST both ways: golden bytes of every attribute, and messages of a hostile kernel. */
#include "lib/kernel/kernel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
/* after what it needs */
#include <cmocka.h>

#define IFINDEX 0x11223344

/* From struct ifinfomsg to the first attribute of IFLA_VF_INFO; lengths differ and are checked apart. */
static const uint8_t head[] = {
	0, 0, 0, 0, 0x44, 0x33, 0x22, 0x11, 0, 0, 0, 0, 0, 0, 0, 0, /* ifinfomsg */
};

struct golden {
	const char *name;
	unsigned vf;
	struct sriov_vf_attrs attrs;
	uint8_t bytes[96]; /* the content of IFLA_VF_INFO */
	size_t size;
};

static const struct golden goldens[] = {
	{"mac",
	 3,
	 {.has = SRIOV_VF_MAC, .mac = {0x02, 1, 2, 3, 4, 5}},
	 {40, 0, IFLA_VF_MAC, 0, 3, 0, 0, 0, 0x02, 1, 2, 3, 4, 5},
	 40},
	{"mac removed", 0, {.has = SRIOV_VF_MAC}, {40, 0, IFLA_VF_MAC, 0}, 40},
	{"vlan",
	 300,
	 {.has = SRIOV_VF_VLAN, .vlan = 4094, .qos = 7, .vlan_proto = 0x8100},
	 {16, 0, IFLA_VF_VLAN, 0, 0x2c, 1, 0, 0, 0xfe, 0x0f, 0, 0, 7, 0, 0, 0},
	 16},
	{"vlan cleared",
	 1,
	 {.has = SRIOV_VF_VLAN},
	 {16, 0, IFLA_VF_VLAN, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
	 16},
	{"vlan 802.1ad",
	 1,
	 {.has = SRIOV_VF_VLAN, .vlan = 100, .qos = 3, .vlan_proto = 0x88a8},
	 {24,
	  0,
	  IFLA_VF_VLAN_LIST,
	  0x80,
	  20,
	  0,
	  IFLA_VF_VLAN_INFO,
	  0,
	  1,
	  0,
	  0,
	  0,
	  100,
	  0,
	  0,
	  0,
	  3,
	  0,
	  0,
	  0,
	  0x88,
	  0xa8,
	  0,
	  0},
	 24},
	{"rate",
	 2,
	 {.has = SRIOV_VF_RATE, .min_rate = 256, .max_rate = 10000},
	 {16, 0, IFLA_VF_RATE, 0, 2, 0, 0, 0, 0, 1, 0, 0, 0x10, 0x27, 0, 0},
	 16},
	{"rate cleared", 2, {.has = SRIOV_VF_RATE}, {16, 0, IFLA_VF_RATE, 0, 2}, 16},
	{"spoofchk on",
	 2,
	 {.has = SRIOV_VF_SPOOFCHK, .spoofchk = true},
	 {12, 0, IFLA_VF_SPOOFCHK, 0, 2, 0, 0, 0, 1, 0, 0, 0},
	 12},
	{"spoofchk off", 2, {.has = SRIOV_VF_SPOOFCHK}, {12, 0, IFLA_VF_SPOOFCHK, 0, 2}, 12},
	{"link disable",
	 2,
	 {.has = SRIOV_VF_LINK, .link = SRIOV_LINK_DISABLE},
	 {12, 0, IFLA_VF_LINK_STATE, 0, 2, 0, 0, 0, IFLA_VF_LINK_STATE_DISABLE, 0, 0, 0},
	 12},
	{"link auto", 2, {.has = SRIOV_VF_LINK}, {12, 0, IFLA_VF_LINK_STATE, 0, 2}, 12},
	{"trust on",
	 2,
	 {.has = SRIOV_VF_TRUST, .trust = true},
	 {12, 0, IFLA_VF_TRUST, 0, 2, 0, 0, 0, 1, 0, 0, 0},
	 12},
	{"trust off", 2, {.has = SRIOV_VF_TRUST}, {12, 0, IFLA_VF_TRUST, 0, 2}, 12},
	{"in the kernel's order, and only what has a bit",
	 2,
	 {.has = SRIOV_VF_TRUST | SRIOV_VF_VLAN | SRIOV_VF_SPOOFCHK,
	  .mac = {0x02},
	  .vlan = 5,
	  .vlan_proto = 0x8100,
	  .max_rate = 5,
	  .trust = true,
	  .link = SRIOV_LINK_ENABLE},
	 {16,
	  0,
	  IFLA_VF_VLAN,
	  0,
	  2,
	  0,
	  0,
	  0,
	  5,
	  0,
	  0,
	  0,
	  0,
	  0,
	  0,
	  0,
	  12,
	  0,
	  IFLA_VF_SPOOFCHK,
	  0,
	  2,
	  0,
	  0,
	  0,
	  0,
	  0,
	  0,
	  0,
	  12,
	  0,
	  IFLA_VF_TRUST,
	  0,
	  2,
	  0,
	  0,
	  0,
	  1,
	  0,
	  0,
	  0},
	 40},
};

static void test_build(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(goldens); i++) {
		const struct golden *golden = &goldens[i];
		struct nl_msg *msg = vfinfo_build(IFINDEX, golden->vf, &golden->attrs);
		const struct nlmsghdr *header;
		const uint8_t *at;
		uint8_t nests[8] = {golden->size + 8, 0, IFLA_VFINFO_LIST, 0x80,
				    golden->size + 4, 0, IFLA_VF_INFO,     0x80};

		assert_non_null(msg);
		header = nlmsg_hdr(msg);
		assert_int_equal(header->nlmsg_type, RTM_SETLINK);
		if (header->nlmsg_len != NLMSG_HDRLEN + sizeof(head) + sizeof(nests) + golden->size)
			fail_msg("%s: %u bytes", golden->name, header->nlmsg_len);
		at = NLMSG_DATA(header);
		assert_memory_equal(at, head, sizeof(head));
		at += sizeof(head);
		assert_memory_equal(at, nests, sizeof(nests));
		at += sizeof(nests);
		for (size_t k = 0; k < golden->size; k++)
			if (at[k] != golden->bytes[k])
				fail_msg("%s: byte %zu is %02x, not %02x", golden->name, k, at[k],
					 golden->bytes[k]);
		nlmsg_free(msg);
	}
}

static void test_build_nothing(void **state)
{
	const struct sriov_vf_attrs none = {.mac = {2}, .vlan = 7};

	assert_null(vfinfo_build(1, 0, &none));
}

/* What we build is what we read. */
static void test_round_trip(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(goldens); i++) {
		const struct golden *golden = &goldens[i];
		struct nl_msg *msg = vfinfo_build(1, golden->vf, &golden->attrs);
		struct sriov_vf_attrs attrs[301] = {0};

		/* a list alone has no IFLA_VF_MAC; the kernel always sends one, and the index is in each */
		nlmsg_hdr(msg)->nlmsg_type = RTM_NEWLINK;
		if (strcmp(golden->name, "vlan 802.1ad") != 0) {
			assert_int_equal(vfinfo_parse(nlmsg_hdr(msg), attrs, ARRAY_SIZE(attrs)), 0);
			assert_int_equal(attrs[golden->vf].has, golden->attrs.has);
			assert_int_equal(sriov_vf_attrs_differ(&attrs[golden->vf], &golden->attrs) &
						 ~SRIOV_VF_VLAN,
					 0);
			assert_int_equal(attrs[golden->vf].vlan, golden->attrs.has & SRIOV_VF_VLAN
									 ? golden->attrs.vlan
									 : 0);
		}
		nlmsg_free(msg);
	}
}

static struct nl_msg *new_link(void)
{
	const struct ifinfomsg header = {.ifi_index = 5};
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_NEWLINK, 0);

	assert_int_equal(nlmsg_append(msg, (void *)&header, sizeof(header), NLMSG_ALIGNTO), 0);
	return msg;
}

/* A VF as a 6.12 kernel sends it, with attributes that we have no word for. */
static void put_vf(struct nl_msg *msg, uint32_t vf, uint32_t spoofchk, uint16_t proto)
{
	struct nlattr *info = nla_nest_start(msg, IFLA_VF_INFO), *list;
	struct ifla_vf_mac mac = {.vf = vf, .mac = {2, 0, 0, 0, 0, vf}};
	struct ifla_vf_broadcast broadcast = {.broadcast = {0xff}};
	struct ifla_vf_vlan vlan = {.vf = vf, .vlan = 100 + vf, .qos = 2};
	struct ifla_vf_rate rate = {.vf = vf, .min_tx_rate = 1, .max_tx_rate = 2};
	struct ifla_vf_tx_rate old_rate = {.vf = vf, .rate = 99};
	struct ifla_vf_spoofchk spoof = {.vf = vf, .setting = spoofchk};
	struct ifla_vf_link_state link = {.vf = vf, .link_state = 1};
	struct ifla_vf_rss_query_en rss = {.vf = vf, .setting = 1};
	struct ifla_vf_trust trust = {.vf = vf, .setting = 1};
	struct ifla_vf_vlan_info vlan_info = {
		.vf = vf, .vlan = 100 + vf, .qos = 2, .vlan_proto = htons(proto)};

	nla_put(msg, IFLA_VF_MAC, sizeof(mac), &mac);
	nla_put(msg, IFLA_VF_BROADCAST, sizeof(broadcast), &broadcast);
	nla_put(msg, IFLA_VF_VLAN, sizeof(vlan), &vlan);
	nla_put(msg, IFLA_VF_RATE, sizeof(rate), &rate);
	nla_put(msg, IFLA_VF_TX_RATE, sizeof(old_rate), &old_rate);
	nla_put(msg, IFLA_VF_SPOOFCHK, sizeof(spoof), &spoof);
	nla_put(msg, IFLA_VF_LINK_STATE, sizeof(link), &link);
	nla_put(msg, IFLA_VF_RSS_QUERY_EN, sizeof(rss), &rss);
	nla_put(msg, IFLA_VF_TRUST, sizeof(trust), &trust);
	list = nla_nest_start(msg, IFLA_VF_VLAN_LIST);
	nla_put(msg, IFLA_VF_VLAN_INFO, sizeof(vlan_info), &vlan_info);
	nla_nest_end(msg, list);
	nla_put(msg, 200, sizeof(mac), &mac);
	nla_nest_end(msg, info);
}

static void test_parse(void **state)
{
	struct nl_msg *msg = new_link();
	struct nlattr *list;
	struct sriov_vf_attrs attrs[2] = {0};

	nla_put_u32(msg, IFLA_NUM_VF, 3);
	list = nla_nest_start(msg, IFLA_VFINFO_LIST);
	put_vf(msg, 1, 1, 0x88a8);
	put_vf(msg, 0, UINT32_MAX, 0x8100); /* a driver that does not report spoofchk */
	put_vf(msg, 2, 1, 0x8100);          /* more than asked for */
	nla_nest_end(msg, list);
	assert_int_equal(vfinfo_parse(nlmsg_hdr(msg), attrs, 2), 0);
	assert_int_equal(attrs[0].has, SRIOV_VF_ALL & ~SRIOV_VF_SPOOFCHK);
	assert_int_equal(attrs[1].has, SRIOV_VF_ALL);
	assert_int_equal(attrs[1].mac[5], 1);
	assert_int_equal(attrs[1].vlan, 101);
	assert_int_equal(attrs[1].qos, 2);
	assert_int_equal(attrs[0].vlan_proto, 0x8100);
	assert_int_equal(attrs[1].vlan_proto, 0x88a8);
	assert_int_equal(attrs[1].min_rate, 1);
	assert_int_equal(attrs[1].max_rate, 2);
	assert_true(attrs[1].spoofchk && attrs[1].trust);
	assert_int_equal(attrs[1].link, SRIOV_LINK_ENABLE);
	nlmsg_free(msg);
}

static void test_parse_without_vfs(void **state)
{
	struct nl_msg *msg = new_link();
	struct sriov_vf_attrs attrs = {.has = 42}, before = attrs;

	nla_put_u32(msg, IFLA_MTU, 1500);
	assert_int_equal(vfinfo_parse(nlmsg_hdr(msg), &attrs, 1), 0);
	assert_memory_equal(&attrs, &before, sizeof(attrs));
	nlmsg_free(msg);
}

/* Each spoils a good message of two VFs; nothing may be read past the end, nothing written. */
static void spoil_short_mac(uint8_t *vf)
{
	((struct nlattr *)(vf + 4))->nla_len = 10;
}

static void spoil_index(uint8_t *vf)
{
	/* the VLAN of another VF than the MAC: 40 bytes of MAC, 36 of broadcast before it */
	vf[4 + 40 + 36 + 4] = 7;
}

static void spoil_attr_too_long(uint8_t *vf)
{
	((struct nlattr *)(vf + 4))->nla_len = 4000;
}

static void spoil_attr_no_length(uint8_t *vf)
{
	((struct nlattr *)(vf + 4))->nla_len = 0;
}

static void spoil_info_too_long(uint8_t *vf)
{
	((struct nlattr *)vf)->nla_len = 60000;
}

static void spoil_info_empty(uint8_t *vf)
{
	((struct nlattr *)vf)->nla_len = 4;
}

static void test_hostile(void **state)
{
	static void (*const spoils[])(uint8_t *) = {
		spoil_short_mac,      spoil_index,         spoil_attr_too_long,
		spoil_attr_no_length, spoil_info_too_long, spoil_info_empty,
	};

	for (size_t i = 0; i < ARRAY_SIZE(spoils); i++) {
		struct nl_msg *msg = new_link();
		struct nlattr *list = nla_nest_start(msg, IFLA_VFINFO_LIST);
		struct sriov_vf_attrs attrs[2] = {{.has = 42}, {.has = 43}}, before[2];
		_free_ struct nlmsghdr *copy = NULL;
		size_t size;

		memcpy(before, attrs, sizeof(attrs));
		put_vf(msg, 0, 1, 0x8100);
		put_vf(msg, 1, 1, 0x8100);
		nla_nest_end(msg, list);
		size = nlmsg_hdr(msg)->nlmsg_len;
		copy = malloc(size); /* exactly: a byte too far is seen */
		memcpy(copy, nlmsg_hdr(msg), size);
		spoils[i]((uint8_t *)NLMSG_DATA(copy) + sizeof(struct ifinfomsg) + 4);
		if (vfinfo_parse(copy, attrs, 2) != -EBADMSG)
			fail_msg("spoil %zu was taken", i);
		assert_memory_equal(attrs, before, sizeof(attrs));
		nlmsg_free(msg);
	}
}

/* Every truncation of the message, with its header telling the truth. */
static void test_truncated(void **state)
{
	struct nl_msg *msg = new_link();
	struct nlattr *list = nla_nest_start(msg, IFLA_VFINFO_LIST);
	size_t size;

	put_vf(msg, 0, 1, 0x8100);
	nla_nest_end(msg, list);
	size = nlmsg_hdr(msg)->nlmsg_len;
	for (size_t cut = NLMSG_HDRLEN; cut < size; cut++) {
		struct sriov_vf_attrs attrs = {.has = 42}, before = attrs;
		_free_ struct nlmsghdr *copy = malloc(cut);
		int r;

		memcpy(copy, nlmsg_hdr(msg), cut);
		copy->nlmsg_len = cut;
		r = vfinfo_parse(copy, &attrs, 1);
		/* no attribute at all is a message without VFs */
		if (r && r != -EBADMSG)
			fail_msg("cut at %zu: %d", cut, r);
		if (cut >= NLMSG_HDRLEN + sizeof(struct ifinfomsg) + NLA_HDRLEN)
			assert_int_equal(r, -EBADMSG);
		assert_memory_equal(&attrs, &before, sizeof(attrs));
	}
	nlmsg_free(msg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_build),
		cmocka_unit_test(test_build_nothing),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_parse_without_vfs),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_truncated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
