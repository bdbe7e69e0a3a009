/* SPDX-License-Identifier: Apache-2.0 */
/* A driver's own counters: ETHTOOL_GSSET_INFO, GSTRINGS and GSTATS, one call each. */
#include "lib/kernel/kernel.h"

#include <errno.h>
#include <string.h>

/* A NIC with every queue it can have counts some thousand things; a driver that says more is not believed. */
#define STATS_MAX 65536

static int count_stats(const struct ethioctl *eth, const char *netdev, uint32_t *out)
{
	struct {
		struct ethtool_sset_info info;
		uint32_t count;
	} ask = {.info = {.cmd = ETHTOOL_GSSET_INFO, .sset_mask = 1ull << ETH_SS_STATS}};
	int r = ethioctl_ask(eth, netdev, &ask);

	if (r < 0)
		return r;
	if (!ask.info.sset_mask)
		return -EOPNOTSUPP;
	if (ask.count > STATS_MAX)
		return -EBADMSG;
	*out = ask.count;
	return 0;
}

/* Names and values are read by two calls; a driver whose count changes in between is refused. */
static int read_stats(const struct ethioctl *eth, const char *netdev, struct ethtool_stat **out,
		      size_t *n)
{
	_free_ struct ethtool_gstrings *names = NULL;
	_free_ struct ethtool_stats *values = NULL;
	struct ethtool_stat *stats;
	uint32_t count;
	int r = count_stats(eth, netdev, &count);

	if (r < 0)
		return r;
	/* room for twice as many: the kernel writes what the driver has at that moment */
	names = calloc(1, sizeof(*names) + 2 * (size_t)count * ETH_GSTRING_LEN);
	values = calloc(1, sizeof(*values) + 2 * (size_t)count * sizeof(values->data[0]));
	if (!names || !values)
		return -ENOMEM;
	names->cmd = ETHTOOL_GSTRINGS;
	names->string_set = ETH_SS_STATS;
	names->len = count;
	r = ethioctl_ask(eth, netdev, names);
	values->cmd = ETHTOOL_GSTATS;
	values->n_stats = count;
	if (!r)
		r = ethioctl_ask(eth, netdev, values);
	if (r < 0)
		return r;
	if (names->len != count || values->n_stats != count)
		return -EAGAIN;
	stats = calloc(count + 1, sizeof(*stats));
	if (!stats)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++) {
		memcpy(stats[i].name, names->data + (size_t)i * ETH_GSTRING_LEN, ETH_GSTRING_LEN);
		stats[i].value = values->data[i];
	}
	*out = stats;
	*n = count;
	return 0;
}

int ethioctl_stats(const struct ethioctl *eth, const char *netdev, struct ethtool_stat **out,
		   size_t *n, struct sriov_error *err)
{
	int r = read_stats(eth, netdev, out, n);

	return r < 0 ? core_errno(err, r, netdev, "cannot read the driver's counters") : 0;
}
