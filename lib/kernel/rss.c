/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The port's own distribution over its RX queues: the RSS indirection table and the key of its hash, by
 * ETHTOOL_GRSSH and SRSSH (ethtool_get_rxfh(), ethtool_set_rxfh()), and what it hashes, by ETHTOOL_GRXFH. Linux
 * 6.1 has no netlink form of them, and 6.12 one for reading only.
 */
#include "lib/kernel/kernel.h"

#include <errno.h>
#include <string.h>

/* i40e has 512 entries, the largest of the modelled drivers. */
#define TABLE_MAX 8192
/* ETH_RSS_HASH_TOP of the kernel's linux/ethtool.h: the first name in ETH_SS_RSS_HASH_FUNCS */
#define HASH_TOEPLITZ 1

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

/* The key, if the hash is Toeplitz or the driver knows no other. */
static void take_key(const struct ethtool_rxfh *rxfh, struct ethtool_rss *out)
{
	if ((rxfh->hfunc && rxfh->hfunc != HASH_TOEPLITZ) || rxfh->key_size > sizeof(out->key))
		return;
	memcpy(out->key, rxfh->rss_config + rxfh->indir_size, rxfh->key_size);
	out->nkey = rxfh->key_size;
}

static int read_table(const struct ethioctl *eth, const char *netdev, struct ethtool_rss *out)
{
	struct ethtool_rxfh sizes = {.cmd = ETHTOOL_GRSSH};
	_free_ struct ethtool_rxfh *rxfh = NULL;
	struct ethtool_rss rss = {0};
	int r = ethioctl_ask(eth, netdev, &sizes);

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
	rss.table = malloc(sizes.indir_size * sizeof(*rss.table));
	if (!rss.table)
		return -ENOMEM;
	memcpy(rss.table, rxfh->rss_config, sizes.indir_size * sizeof(*rss.table));
	rss.n = sizes.indir_size;
	take_key(rxfh, &rss);
	*out = rss;
	return 0;
}

int ethioctl_rss_get(const struct ethioctl *eth, const char *netdev, struct ethtool_rss *out,
		     struct sriov_error *err)
{
	int r = read_table(eth, netdev, out);

	if (r == -EOPNOTSUPP)
		return core_errno(err, r, netdev, "the driver has no RSS indirection table");
	return r < 0 ? core_errno(err, r, netdev, "cannot read the RSS indirection table") : 0;
}

static const struct {
	enum sriov_flow_type type;
	uint32_t flow;
} hashed[] = {
	{SRIOV_FLOW_TCP4, TCP_V4_FLOW},   {SRIOV_FLOW_UDP4, UDP_V4_FLOW},
	{SRIOV_FLOW_SCTP4, SCTP_V4_FLOW}, {SRIOV_FLOW_TCP6, TCP_V6_FLOW},
	{SRIOV_FLOW_UDP6, UDP_V6_FLOW},   {SRIOV_FLOW_SCTP6, SCTP_V6_FLOW},
};

static const struct {
	uint64_t bit;
	enum sriov_hash field;
} hash_bits[] = {
	{RXH_IP_SRC, SRIOV_HASH_SRC_IP},
	{RXH_IP_DST, SRIOV_HASH_DST_IP},
	{RXH_L4_B_0_1, SRIOV_HASH_SRC_PORT},
	{RXH_L4_B_2_3, SRIOV_HASH_DST_PORT},
};

int ethioctl_rss_fields(const struct ethioctl *eth, const char *netdev,
			uint8_t out[SRIOV_FLOW_TYPES], struct sriov_error *err)
{
	uint8_t fields[SRIOV_FLOW_TYPES] = {0};

	for (size_t i = 0; i < ARRAY_SIZE(hashed); i++) {
		struct ethtool_rxnfc nfc = {.cmd = ETHTOOL_GRXFH, .flow_type = hashed[i].flow};
		int r = ethioctl_ask(eth, netdev, &nfc);

		/* drivers answer EINVAL for types that they do not hash */
		if (r == -EINVAL || r == -EOPNOTSUPP)
			continue;
		if (r < 0)
			return core_errno(err, r, netdev, "cannot read what RSS hashes");
		for (size_t k = 0; k < ARRAY_SIZE(hash_bits); k++)
			if (nfc.data & hash_bits[k].bit)
				fields[hashed[i].type] |= hash_bits[k].field;
	}
	memcpy(out, fields, sizeof(fields));
	return 0;
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
