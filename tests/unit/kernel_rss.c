/* SPDX-License-Identifier: Apache-2.0 */
/* The RSS indirection table, its key, what is hashed, and a driver's counters, against a driver of our own. */
#include "lib/kernel/kernel.h"

#include <errno.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
/* after what it needs */
#include <cmocka.h>

static struct {
	uint32_t table[64], entries, key_size, seen_key_size, seen_hfunc;
	struct {
		char name[ETH_GSTRING_LEN];
		uint64_t value;
	} stat[4];
	uint32_t nstats, grow; /* grow: counters that come between the calls */
	int get, set;          /* refusals */
	unsigned calls;
	uint8_t hfunc;
	uint64_t hash[16]; /* by flow type; 0 is refused */
	int hash_error;
} fake;

static int rss_get(struct ethtool_rxfh *rxfh)
{
	uint32_t room = rxfh->indir_size;

	if (fake.get)
		return fake.get;
	rxfh->indir_size = fake.entries;
	rxfh->hfunc = fake.hfunc;
	if (!room) {
		rxfh->key_size = fake.key_size;
		return 0;
	}
	if (room != fake.entries || rxfh->key_size != fake.key_size)
		return -EINVAL;
	memcpy(rxfh->rss_config, fake.table, fake.entries * sizeof(fake.table[0]));
	memset(rxfh->rss_config + fake.entries, 0x5a, fake.key_size);
	return 0;
}

static int rss_set(const struct ethtool_rxfh *rxfh)
{
	if (fake.set)
		return fake.set;
	if (rxfh->indir_size != fake.entries)
		return -EINVAL;
	fake.seen_key_size = rxfh->key_size;
	fake.seen_hfunc = rxfh->hfunc;
	memcpy(fake.table, rxfh->rss_config, fake.entries * sizeof(fake.table[0]));
	return 0;
}

static int hash_get(struct ethtool_rxnfc *nfc)
{
	if (fake.hash_error)
		return fake.hash_error;
	nfc->data = fake.hash[nfc->flow_type];
	return nfc->data ? 0 : nfc->flow_type % 2 ? -EINVAL : -EOPNOTSUPP;
}

static int sset(struct ethtool_sset_info *info)
{
	if (!fake.nstats)
		info->sset_mask = 0;
	info->data[0] = fake.nstats;
	return 0;
}

static int strings(struct ethtool_gstrings *names)
{
	fake.nstats += fake.grow;
	names->len = fake.nstats;
	for (uint32_t i = 0; i < fake.nstats; i++)
		memcpy(names->data + i * ETH_GSTRING_LEN, fake.stat[i].name, ETH_GSTRING_LEN);
	return 0;
}

static int values(struct ethtool_stats *stats)
{
	stats->n_stats = fake.nstats;
	for (uint32_t i = 0; i < fake.nstats; i++)
		stats->data[i] = fake.stat[i].value;
	return 0;
}

static int fake_call(int fd, struct ifreq *ifr)
{
	fake.calls++;
	assert_string_equal(ifr->ifr_name, "eth2");
	switch (*(uint32_t *)ifr->ifr_data) {
	case ETHTOOL_GRSSH:
		return rss_get((void *)ifr->ifr_data);
	case ETHTOOL_SRSSH:
		return rss_set((void *)ifr->ifr_data);
	case ETHTOOL_GRXFH:
		return hash_get((void *)ifr->ifr_data);
	case ETHTOOL_GSSET_INFO:
		return sset((void *)ifr->ifr_data);
	case ETHTOOL_GSTRINGS:
		return strings((void *)ifr->ifr_data);
	case ETHTOOL_GSTATS:
		return values((void *)ifr->ifr_data);
	}
	return -EOPNOTSUPP;
}

static const struct ethioctl eth = {.fd = -1, .call = fake_call};

static int reset(void **state)
{
	memset(&fake, 0, sizeof(fake));
	fake.entries = 8;
	fake.key_size = 40;
	return 0;
}

static void test_rss(void **state)
{
	static const uint32_t wanted[8] = {2, 3, 2, 3, 2, 3, 2, 3};
	struct ethtool_rss rss = {0};
	struct sriov_error err;

	assert_int_equal(ethioctl_rss_set(&eth, "eth2", wanted, 8, &err), 0);
	/* key and hash function are not ours to change */
	assert_int_equal(fake.seen_key_size, 0);
	assert_int_equal(fake.seen_hfunc, 0);
	assert_int_equal(fake.calls, 1);
	assert_int_equal(ethioctl_rss_get(&eth, "eth2", &rss, &err), 0);
	assert_int_equal(fake.calls, 3);
	assert_int_equal(rss.n, 8);
	assert_memory_equal(rss.table, wanted, sizeof(wanted));
	free(rss.table);
}

/* The key counts if it is one of Toeplitz: the driver says so, or knows no other hash. */
static void test_rss_key(void **state)
{
	static const struct {
		uint8_t hfunc;
		uint32_t size;
		size_t nkey;
	} rows[] = {{0, 40, 40}, {1, 40, 40}, {1, 52, 52}, {1, 64, 64},
		    {2, 40, 0},  {4, 52, 0},  {1, 65, 0},  {1, 0, 0}};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct ethtool_rss rss = {0};

		fake.hfunc = rows[i].hfunc;
		fake.key_size = rows[i].size;
		assert_int_equal(ethioctl_rss_get(&eth, "eth2", &rss, NULL), 0);
		assert_int_equal(rss.nkey, rows[i].nkey);
		for (size_t k = 0; k < rss.nkey; k++)
			assert_int_equal(rss.key[k], 0x5a);
		free(rss.table);
	}
}

static void test_rss_fields(void **state)
{
	uint8_t fields[SRIOV_FLOW_TYPES];
	struct sriov_error err;

	memset(fields, 0x5a, sizeof(fields));
	fake.hash[TCP_V4_FLOW] = RXH_IP_SRC | RXH_IP_DST | RXH_L4_B_0_1 | RXH_L4_B_2_3;
	fake.hash[UDP_V4_FLOW] = RXH_IP_SRC | RXH_IP_DST;
	fake.hash[UDP_V6_FLOW] = RXH_IP_DST | RXH_L4_B_0_1;
	assert_int_equal(ethioctl_rss_fields(&eth, "eth2", fields, &err), 0);
	assert_int_equal(fields[SRIOV_FLOW_TCP4], SRIOV_HASH_IP | SRIOV_HASH_PORTS);
	assert_int_equal(fields[SRIOV_FLOW_UDP4], SRIOV_HASH_IP);
	assert_int_equal(fields[SRIOV_FLOW_UDP6], SRIOV_HASH_DST_IP | SRIOV_HASH_SRC_PORT);
	assert_int_equal(fields[SRIOV_FLOW_SCTP4], 0);
	assert_int_equal(fields[SRIOV_FLOW_IP4], 0);
	fake.hash_error = -EIO;
	memset(fields, 0x5a, sizeof(fields));
	assert_int_equal(ethioctl_rss_fields(&eth, "eth2", fields, &err), -EIO);
	assert_non_null(strstr(err.message, "what RSS hashes"));
	assert_int_equal(fields[SRIOV_FLOW_TCP4], 0x5a);
}

static void test_rss_refused(void **state)
{
	static const uint32_t wanted[9] = {0};
	struct ethtool_rss rss = {.n = 42};
	struct sriov_error err;

	assert_int_equal(ethioctl_rss_set(&eth, "eth2", wanted, 9, &err), -EINVAL);
	assert_non_null(strstr(err.message, "9 entries"));
	assert_non_null(strstr(err.hint, "rss show"));
	fake.set = -EPERM;
	assert_int_equal(ethioctl_rss_set(&eth, "eth2", wanted, 8, &err), -EPERM);
	assert_non_null(strstr(err.hint, "root"));
	fake.set = -EIO;
	assert_int_equal(ethioctl_rss_set(&eth, "eth2", wanted, 8, &err), -EIO);
	assert_string_equal(err.kernel, strerror(EIO));
	fake.get = -EOPNOTSUPP;
	assert_int_equal(ethioctl_rss_get(&eth, "eth2", &rss, &err), -EOPNOTSUPP);
	assert_non_null(strstr(err.message, "no RSS indirection table"));
	fake.get = 0;
	fake.entries = 0;
	assert_int_equal(ethioctl_rss_get(&eth, "eth2", &rss, &err), -EOPNOTSUPP);
	fake.entries = 100000;
	assert_int_equal(ethioctl_rss_get(&eth, "eth2", &rss, &err), -EBADMSG);
	assert_null(rss.table);
	assert_int_equal(rss.n, 42);
}

static void test_stats(void **state)
{
	_free_ struct ethtool_stat *stats = NULL;
	struct sriov_error err;
	size_t n = 0;

	fake.nstats = 2;
	core_copy(fake.stat[0].name, ETH_GSTRING_LEN, "fdir_match");
	/* a name may fill its place to the last byte */
	memset(fake.stat[1].name, 'x', ETH_GSTRING_LEN);
	fake.stat[0].value = 1ull << 40;
	assert_int_equal(ethioctl_stats(&eth, "eth2", &stats, &n, &err), 0);
	assert_int_equal(fake.calls, 3);
	assert_int_equal(n, 2);
	assert_string_equal(stats[0].name, "fdir_match");
	assert_true(stats[0].value == 1ull << 40);
	assert_int_equal(strlen(stats[1].name), ETH_GSTRING_LEN);
}

static void test_no_stats(void **state)
{
	struct ethtool_stat *stats = NULL;
	struct sriov_error err;
	size_t n = 42;

	assert_int_equal(ethioctl_stats(&eth, "eth2", &stats, &n, &err), -EOPNOTSUPP);
	assert_string_equal(err.message, "cannot read the driver's counters");
	fake.nstats = 100000;
	assert_int_equal(ethioctl_stats(&eth, "eth2", &stats, &n, &err), -EBADMSG);
	fake.nstats = 2;
	fake.grow = 1;
	assert_int_equal(ethioctl_stats(&eth, "eth2", &stats, &n, &err), -EAGAIN);
	assert_null(stats);
	assert_int_equal(n, 42);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_rss, reset),
		cmocka_unit_test_setup(test_rss_refused, reset),
		cmocka_unit_test_setup(test_rss_key, reset),
		cmocka_unit_test_setup(test_rss_fields, reset),
		cmocka_unit_test_setup(test_stats, reset),
		cmocka_unit_test_setup(test_no_stats, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
