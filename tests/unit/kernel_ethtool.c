/* SPDX-License-Identifier: Apache-2.0 */
/* The ntuple feature in FEATURES_GET replies, and the ntuple table against a driver of our own. */
#include "flows/flows.h"
#include "lib/kernel/kernel.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/ethtool_netlink.h>
#include <linux/genetlink.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
/* after what it needs */
#include <cmocka.h>

#define NTUPLE "rx-ntuple-filter"
#define OTHER "tx-checksum-ipv4"

struct buffer {
	_Alignas(struct nlmsghdr) char bytes[2048];
};

enum { HW = 1, ACTIVE = 2, NOCHANGE = 4, MASKED = 8 };

static void put_bit(struct nlmsghdr *msg, uint32_t index, const char *name, bool value)
{
	struct nlattr *bit = mnl_attr_nest_start(msg, ETHTOOL_A_BITSET_BITS_BIT);

	mnl_attr_put_u32(msg, ETHTOOL_A_BITSET_BIT_INDEX, index);
	mnl_attr_put_strz(msg, ETHTOOL_A_BITSET_BIT_NAME, name);
	if (value)
		mnl_attr_put(msg, ETHTOOL_A_BITSET_BIT_VALUE, 0, NULL);
	mnl_attr_nest_end(msg, bit);
}

/* A bit set without a mask lists what is on; with a mask it lists everything, and flags what is on. */
static void put_bitset(struct nlmsghdr *msg, uint16_t type, bool ntuple, bool masked)
{
	struct nlattr *set = mnl_attr_nest_start(msg, type), *bits;

	if (!masked)
		mnl_attr_put(msg, ETHTOOL_A_BITSET_NOMASK, 0, NULL);
	mnl_attr_put_u32(msg, ETHTOOL_A_BITSET_SIZE, 64);
	bits = mnl_attr_nest_start(msg, ETHTOOL_A_BITSET_BITS);
	put_bit(msg, 1, OTHER, masked);
	put_bit(msg, 2, NTUPLE "-not", masked);
	if (ntuple || masked)
		put_bit(msg, 29, NTUPLE, masked && ntuple);
	mnl_attr_nest_end(msg, bits);
	mnl_attr_nest_end(msg, set);
}

static struct nlmsghdr *features(struct buffer *buf, unsigned flags)
{
	struct nlmsghdr *msg = mnl_nlmsg_put_header(buf->bytes);
	struct genlmsghdr *genl = mnl_nlmsg_put_extra_header(msg, sizeof(*genl));

	genl->cmd = ETHTOOL_MSG_FEATURES_GET_REPLY;
	put_bitset(msg, ETHTOOL_A_FEATURES_HW, flags & HW, flags & MASKED);
	put_bitset(msg, ETHTOOL_A_FEATURES_WANTED, true, flags & MASKED);
	put_bitset(msg, ETHTOOL_A_FEATURES_ACTIVE, flags & ACTIVE, flags & MASKED);
	put_bitset(msg, ETHTOOL_A_FEATURES_NOCHANGE, flags & NOCHANGE, flags & MASKED);
	return msg;
}

static void test_ntuple(void **state)
{
	static const struct {
		unsigned flags;
		enum sriov_ntuple now;
	} cases[] = {
		{HW, SRIOV_NTUPLE_OFF},
		{HW | ACTIVE, SRIOV_NTUPLE_ON},
		{ACTIVE, SRIOV_NTUPLE_ON},
		{0, SRIOV_NTUPLE_OFF_FIXED},
		{HW | NOCHANGE, SRIOV_NTUPLE_OFF_FIXED},
	};

	for (size_t i = 0; i < 2 * ARRAY_SIZE(cases); i++) {
		unsigned flags = cases[i / 2].flags | (i & 1 ? MASKED : 0);
		enum sriov_ntuple now = SRIOV_NTUPLE_UNKNOWN;
		struct buffer buf;

		assert_int_equal(ethnl_ntuple_parse(features(&buf, flags), &now), 0);
		if (now != cases[i / 2].now)
			fail_msg("flags %u: %d", flags, now);
	}
}

static void test_ntuple_malformed(void **state)
{
	enum sriov_ntuple now = SRIOV_NTUPLE_ON;
	struct buffer buf;
	struct nlmsghdr *msg = mnl_nlmsg_put_header(buf.bytes);

	assert_int_equal(ethnl_ntuple_parse(msg, &now), -EBADMSG);
	mnl_nlmsg_put_extra_header(msg, sizeof(struct genlmsghdr));
	put_bitset(msg, ETHTOOL_A_FEATURES_HW, true, false); /* but not what is active */
	assert_int_equal(ethnl_ntuple_parse(msg, &now), -EBADMSG);
	assert_int_equal(now, SRIOV_NTUPLE_ON);
}

/* A driver with a table of its own, as the ioctl sees it. */
static struct {
	struct ethtool_rx_flow_spec rule[32];
	uint32_t n, size;
	unsigned grow, vanish; /* how often a rule comes or goes between two calls */
	int insert, delete;    /* refusals */
	bool no_table;
	unsigned calls;
} fake;

static int find(uint32_t loc)
{
	for (uint32_t i = 0; i < fake.n; i++)
		if (fake.rule[i].location == loc)
			return i;
	return -1;
}

static int insert(const struct ethtool_rxnfc *nfc)
{
	if (fake.insert)
		return fake.insert;
	fake.rule[fake.n++] = nfc->fs;
	return 0;
}

static int delete (const struct ethtool_rxnfc *nfc)
{
	int at = find(nfc->fs.location);

	if (fake.delete || at < 0)
		return fake.delete ? fake.delete : -EINVAL;
	fake.rule[at] = fake.rule[--fake.n];
	return 0;
}

static int all(struct ethtool_rxnfc *nfc)
{
	if (fake.grow) {
		fake.grow--;
		return -EMSGSIZE;
	}
	if (nfc->rule_cnt < fake.n)
		return -EMSGSIZE;
	for (uint32_t i = 0; i < fake.n; i++)
		nfc->rule_locs[i] = fake.rule[i].location;
	nfc->rule_cnt = fake.n;
	nfc->data = fake.size;
	return 0;
}

static int one(struct ethtool_rxnfc *nfc)
{
	int at = find(nfc->fs.location);

	if (fake.vanish) {
		fake.vanish--;
		return -EINVAL;
	}
	if (at < 0)
		return -EINVAL;
	nfc->fs = fake.rule[at];
	return 0;
}

static int fake_call(int fd, struct ifreq *ifr)
{
	struct ethtool_rxnfc *nfc = (void *)ifr->ifr_data;

	fake.calls++;
	assert_string_equal(ifr->ifr_name, "eth2");
	if (fake.no_table)
		return -EOPNOTSUPP;
	switch (nfc->cmd) {
	case ETHTOOL_GRXRINGS:
		nfc->data = 4;
		return 0;
	case ETHTOOL_GRXCLSRLCNT:
		nfc->rule_cnt = fake.n;
		return 0;
	case ETHTOOL_GRXCLSRLALL:
		return all(nfc);
	case ETHTOOL_GRXCLSRULE:
		return one(nfc);
	case ETHTOOL_SRXCLSRLINS:
		return insert(nfc);
	case ETHTOOL_SRXCLSRLDEL:
		return delete (nfc);
	}
	return -EOPNOTSUPP;
}

static const struct ethioctl eth = {.fd = -1, .call = fake_call};

static struct sriov_entry udp_to(uint32_t loc, uint16_t port)
{
	return (struct sriov_entry){.loc = loc,
				    .type = SRIOV_FLOW_UDP4,
				    .value.dst_port = port,
				    .mask.dst_port = 0xffff,
				    .cookie = 2};
}

static int reset(void **state)
{
	memset(&fake, 0, sizeof(fake));
	fake.size = 2046;
	return 0;
}

static void fill(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct sriov_entry entry = udp_to(100 - i, 4789 + i);

		assert_int_equal(ethioctl_rule_insert(&eth, "eth2", &entry, NULL), 0);
	}
}

static void test_rings(void **state)
{
	struct sriov_error err;
	unsigned rings;

	assert_int_equal(ethioctl_rings(&eth, "eth2", &rings, &err), 0);
	assert_int_equal(rings, 4);
}

static void test_rules(void **state)
{
	_free_ struct sriov_entry *rules = NULL;
	struct sriov_error err;
	unsigned max;
	size_t n;

	fill(3);
	assert_int_equal(ethioctl_rules(&eth, "eth2", &rules, &n, &max, &err), 0);
	assert_int_equal(n, 3);
	assert_int_equal(max, 2046);
	assert_int_equal(rules[0].loc, 98);
	assert_int_equal(rules[0].value.dst_port, 4791);
	assert_int_equal(rules[0].mask.dst_port, 0xffff);
	assert_int_equal(rules[2].loc, 100);
	assert_int_equal(rules[2].cookie, 2);
}

static void test_empty_table(void **state)
{
	_free_ struct sriov_entry *rules = NULL;
	struct sriov_error err;
	unsigned max;
	size_t n = 42;

	assert_int_equal(ethioctl_rules(&eth, "eth2", &rules, &n, &max, &err), 0);
	assert_int_equal(n, 0);
	/* a count and a list: nothing more for an empty table */
	assert_int_equal(fake.calls, 2);
}

/* A flow type without a word of ours is shown by location and action. */
static void test_unknown_type(void **state)
{
	_free_ struct sriov_entry *rules = NULL;
	struct sriov_error err;
	unsigned max;
	size_t n;

	fake.rule[fake.n++] = (struct ethtool_rx_flow_spec){
		.flow_type = ESP_V4_FLOW, .location = 9, .ring_cookie = RX_CLS_FLOW_DISC};
	assert_int_equal(ethioctl_rules(&eth, "eth2", &rules, &n, &max, &err), 0);
	assert_int_equal(n, 1);
	assert_int_equal(rules[0].loc, 9);
	assert_int_equal(rules[0].type, SRIOV_FLOW_NONE);
	assert_true(rules[0].cookie == SRIOV_COOKIE_DROP);
}

static void test_table_in_motion(void **state)
{
	static const struct {
		unsigned grow, vanish;
		int r;
	} cases[] = {
		{3, 0, 0},
		{0, 3, 0},
		{1000, 0, -EMSGSIZE},
		{0, 1000, -ESTALE},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sriov_entry *rules = NULL;
		struct sriov_error err;
		unsigned max = 42;
		size_t n = 42;

		reset(NULL);
		fill(5);
		fake.grow = cases[i].grow;
		fake.vanish = cases[i].vanish;
		if (ethioctl_rules(&eth, "eth2", &rules, &n, &max, &err) != cases[i].r)
			fail_msg("case %zu: %s", i, err.message);
		assert_int_equal(n, cases[i].r ? 42 : 5);
		assert_int_equal(max, cases[i].r ? 42 : 2046);
		if (cases[i].r) {
			assert_null(rules);
			assert_non_null(strstr(err.message, "changed each of the"));
		}
		free(rules);
	}
}

static void test_no_table(void **state)
{
	struct sriov_entry *rules = NULL, entry = udp_to(1, 1);
	struct sriov_error err;
	unsigned max = 42;
	size_t n = 42;

	fake.no_table = true;
	assert_int_equal(ethioctl_rules(&eth, "eth2", &rules, &n, &max, &err), -EOPNOTSUPP);
	assert_null(rules);
	assert_int_equal(ethioctl_rule_insert(&eth, "eth2", &entry, &err), -EOPNOTSUPP);
	assert_int_equal(ethioctl_rule_delete(&eth, "eth2", 1, &err), -EOPNOTSUPP);
}

static void test_insert_refused(void **state)
{
	struct sriov_entry entry = udp_to(5, 4789);
	struct sriov_error err;

	fake.insert = -EINVAL;
	assert_int_equal(ethioctl_rule_insert(&eth, "eth2", &entry, &err), -EINVAL);
	assert_string_equal(err.object, "eth2");
	assert_non_null(strstr(err.message, "4789"));
	assert_non_null(strstr(err.message, "location 5"));
	assert_string_equal(err.kernel, strerror(EINVAL));
	assert_non_null(strstr(err.hint, "dmesg"));
	fake.insert = -EPERM;
	assert_int_equal(ethioctl_rule_insert(&eth, "eth2", &entry, &err), -EPERM);
	assert_non_null(strstr(err.hint, "root"));
	assert_int_equal(fake.n, 0);
}

/* One call a rule: what came of it is seen by reading the table once after all of them. */
static void test_one_call_a_rule(void **state)
{
	struct sriov_error err;

	fill(20);
	assert_int_equal(fake.calls, 20);
	fake.calls = 0;
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(ethioctl_rule_delete(&eth, "eth2", 100 - i, &err), 0);
	assert_int_equal(fake.calls, 20);
}

static void test_delete(void **state)
{
	struct sriov_error err;

	fill(2);
	assert_int_equal(ethioctl_rule_delete(&eth, "eth2", 100, &err), 0);
	assert_int_equal(fake.n, 1);
	assert_int_equal(ethioctl_rule_delete(&eth, "eth2", 100, &err), -EINVAL);
	assert_non_null(strstr(err.hint, "no rule at that location"));
	/* the drivers would take 65536 + 99 for 99: they are not even asked */
	fake.calls = 0;
	assert_int_equal(ethioctl_rule_delete(&eth, "eth2", 65536 + 99, &err), -ERANGE);
	assert_non_null(strstr(err.message, "65635"));
	assert_int_equal(fake.calls, 0);
	assert_int_equal(fake.n, 1);
	fake.delete = -EPERM;
	assert_int_equal(ethioctl_rule_delete(&eth, "eth2", 99, &err), -EPERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ntuple),
		cmocka_unit_test(test_ntuple_malformed),
		cmocka_unit_test_setup(test_rings, reset),
		cmocka_unit_test_setup(test_rules, reset),
		cmocka_unit_test_setup(test_empty_table, reset),
		cmocka_unit_test_setup(test_unknown_type, reset),
		cmocka_unit_test_setup(test_table_in_motion, reset),
		cmocka_unit_test_setup(test_no_table, reset),
		cmocka_unit_test_setup(test_insert_refused, reset),
		cmocka_unit_test_setup(test_one_call_a_rule, reset),
		cmocka_unit_test_setup(test_delete, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
