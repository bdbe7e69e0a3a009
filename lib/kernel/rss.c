/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The port's own distribution over its RX queues: the RSS indirection table, by ETHTOOL_GRSSH and SRSSH
 * (ethtool_get_rxfh(), ethtool_set_rxfh()). Linux 6.1 has no netlink form of it, and 6.12 one for reading only.
 */
#include "lib/kernel/kernel.h"

#include <errno.h>
#include <string.h>

/* i40e has 512 entries, the largest of the modelled drivers. */
#define TABLE_MAX 8192

/* A command with room for a table and a key behind it. */
static struct ethtool_rxfh *command(uint32_t cmd, size_t entries, size_t key)
{
	struct ethtool_rxfh *rxfh =
		calloc(1, sizeof(*rxfh) + entries * sizeof(rxfh->rss_config[0]) + key);

	if (!rxfh)
		return NULL;
	rxfh->cmd = cmd;
	rxfh->indir_size = entries;
	rxfh->key_size = key;
	return rxfh;
}

static int read_table(const struct ethioctl *eth, const char *netdev, uint32_t **out, size_t *n)
{
	struct ethtool_rxfh sizes = {.cmd = ETHTOOL_GRSSH};
	_free_ struct ethtool_rxfh *rxfh = NULL;
	int r = ethioctl_ask(eth, netdev, &sizes);
	uint32_t *table;

	if (r < 0)
		return r;
	if (!sizes.indir_size)
		return -EOPNOTSUPP;
	if (sizes.indir_size > TABLE_MAX || sizes.key_size > TABLE_MAX)
		return -EBADMSG;
	rxfh = command(ETHTOOL_GRSSH, sizes.indir_size, sizes.key_size);
	if (!rxfh)
		return -ENOMEM;
	/* the kernel answers EINVAL if the table has another size by now */
	r = ethioctl_ask(eth, netdev, rxfh);
	if (r < 0)
		return r;
	table = malloc(sizes.indir_size * sizeof(*table));
	if (!table)
		return -ENOMEM;
	memcpy(table, rxfh->rss_config, sizes.indir_size * sizeof(*table));
	*out = table;
	*n = sizes.indir_size;
	return 0;
}

int ethioctl_rss_get(const struct ethioctl *eth, const char *netdev, uint32_t **out, size_t *n,
		     struct sriov_error *err)
{
	int r = read_table(eth, netdev, out, n);

	if (r == -EOPNOTSUPP)
		return core_errno(err, r, netdev, "the driver has no RSS indirection table");
	return r < 0 ? core_errno(err, r, netdev, "cannot read the RSS indirection table") : 0;
}

int ethioctl_rss_set(const struct ethioctl *eth, const char *netdev, const uint32_t *table,
		     size_t n, struct sriov_error *err)
{
	/* no key and no hash function: they stay */
	_free_ struct ethtool_rxfh *rxfh = command(ETHTOOL_SRSSH, n, 0);
	int r;

	if (!rxfh)
		return core_oom(err);
	memcpy(rxfh->rss_config, table, n * sizeof(*table));
	r = ethioctl_ask(eth, netdev, rxfh);
	if (!r)
		return 0;
	core_errno(err, r, netdev, "cannot write the RSS indirection table (%zu entries)", n);
	if (r == -EINVAL)
		return sriov_error_hint(err,
					"a queue of the table does not exist (any more), or the "
					"table has another size by now: see `sriovctl rss show`");
	if (r == -EPERM)
		return sriov_error_hint(err,
					"run it as root (CAP_NET_ADMIN in the host's namespace)");
	return r;
}
