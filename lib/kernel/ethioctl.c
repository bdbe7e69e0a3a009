/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ethtool by ioctl: what has no netlink form in any kernel up to 6.12, above all the ntuple table
 * (net/core or net/ethtool/ioctl.c, ethtool_get_rxnfc() and ethtool_set_rxnfc()).
 */
#include "flows/flows.h"
#include "lib/kernel/kernel.h"

#include <errno.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* How often a table that changes while it is read is read again. */
#define TRIES 8
/* No modelled NIC has more than 8192 entries; a driver that says so is not believed. */
#define RULES_MAX 65536

static int call_kernel(int fd, struct ifreq *ifr)
{
	int r;

	do
		r = ioctl(fd, SIOCETHTOOL, ifr);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : 0;
}

int ethioctl_open(struct ethioctl *eth, struct sriov_error *err)
{
	/* any family reaches the device ioctls; this one is there even on hosts without IPv4 */
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return core_errno(err, -errno, "ethtool", "cannot open a socket");
	*eth = (struct ethioctl){.fd = fd, .call = call_kernel};
	return 0;
}

void ethioctl_close(struct ethioctl *eth)
{
	core_closep(&eth->fd);
	eth->fd = -1;
}

int ethioctl_ask(const struct ethioctl *eth, const char *netdev, void *command)
{
	struct ifreq ifr = {.ifr_data = command};

	core_copy(ifr.ifr_name, sizeof(ifr.ifr_name), netdev);
	return eth->call(eth->fd, &ifr);
}

int ethioctl_driver(const struct ethioctl *eth, const char *netdev, struct ethtool_facts *out,
		    struct sriov_error *err)
{
	struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};
	int r = ethioctl_ask(eth, netdev, &info);

	if (r < 0)
		return core_errno(err, r, netdev, "cannot read the driver's facts");
	info.driver[sizeof(info.driver) - 1] = '\0';
	info.version[sizeof(info.version) - 1] = '\0';
	info.fw_version[sizeof(info.fw_version) - 1] = '\0';
	core_copy(out->driver, sizeof(out->driver), info.driver);
	core_copy(out->version, sizeof(out->version), info.version);
	core_copy(out->firmware, sizeof(out->firmware), info.fw_version);
	return 0;
}

int ethioctl_rings(const struct ethioctl *eth, const char *netdev, unsigned *out,
		   struct sriov_error *err)
{
	struct ethtool_rxnfc nfc = {.cmd = ETHTOOL_GRXRINGS};
	int r = ethioctl_ask(eth, netdev, &nfc);

	if (r < 0)
		return core_errno(err, r, netdev, "cannot read the number of RX rings");
	*out = nfc.data;
	return 0;
}

/* The occupied locations and the size of the table. */
static int read_locations(const struct ethioctl *eth, const char *netdev, uint32_t **locs,
			  size_t *n, unsigned *max)
{
	struct ethtool_rxnfc count = {.cmd = ETHTOOL_GRXCLSRLCNT};
	uint32_t room;
	int r = ethioctl_ask(eth, netdev, &count);

	if (r < 0)
		return r;
	room = count.rule_cnt;
	for (int i = 0; i < TRIES; i++, room += 64) {
		_free_ struct ethtool_rxnfc *all = NULL;

		if (room > RULES_MAX)
			return -EFBIG;
		all = calloc(1, sizeof(*all) + room * sizeof(all->rule_locs[0]));
		if (!all)
			return -ENOMEM;
		all->cmd = ETHTOOL_GRXCLSRLALL;
		all->rule_cnt = room;
		r = ethioctl_ask(eth, netdev, all);
		if (r == -EMSGSIZE)
			continue; /* another one inserted rules since they were counted */
		if (r < 0)
			return r;
		if (all->rule_cnt > room)
			return -EBADMSG;
		*locs = malloc((all->rule_cnt + 1) * sizeof(**locs));
		if (!*locs)
			return -ENOMEM;
		memcpy(*locs, all->rule_locs, all->rule_cnt * sizeof(**locs));
		*n = all->rule_cnt;
		*max = all->data & ~RX_CLS_LOC_SPECIAL;
		return 0;
	}
	return -EMSGSIZE;
}

static int by_location(const void *a, const void *b)
{
	const struct sriov_entry *x = a, *y = b;

	return (x->loc > y->loc) - (x->loc < y->loc);
}

/* -ESTALE: a rule went away while the table was read. */
static int read_table(const struct ethioctl *eth, const char *netdev, struct sriov_entry **out,
		      size_t *n, unsigned *max)
{
	_free_ struct sriov_entry *rules = NULL;
	_free_ uint32_t *locs = NULL;
	int r = read_locations(eth, netdev, &locs, n, max);

	if (r < 0)
		return r;
	rules = calloc(*n + 1, sizeof(*rules));
	if (!rules)
		return -ENOMEM;
	for (size_t i = 0; i < *n; i++) {
		struct ethtool_rxnfc nfc = {.cmd = ETHTOOL_GRXCLSRULE, .fs.location = locs[i]};

		r = ethioctl_ask(eth, netdev, &nfc);
		/* an empty location: EINVAL from ixgbe, i40e and igb, ENOENT from others */
		if (r == -EINVAL || r == -ENOENT)
			return -ESTALE;
		if (r < 0)
			return r;
		/* a flow type that we have no word for is shown by location and action all the same */
		r = ntuple_decode(&nfc.fs, &rules[i]);
		if (r < 0 && r != -EOPNOTSUPP)
			return r;
		rules[i].loc = locs[i];
	}
	qsort(rules, *n, sizeof(*rules), by_location);
	*out = core_steal(rules);
	return 0;
}

int ethioctl_rules(const struct ethioctl *eth, const char *netdev, struct sriov_entry **out,
		   size_t *n, unsigned *max, struct sriov_error *err)
{
	struct sriov_entry *rules = NULL;
	unsigned size = 0;
	size_t count = 0;
	int r = -ESTALE;

	for (int i = 0; i < TRIES && r == -ESTALE; i++)
		r = read_table(eth, netdev, &rules, &count, &size);
	switch (r) {
	case 0:
		*out = rules;
		*n = count;
		*max = size;
		return 0;
	case -EOPNOTSUPP:
		return core_errno(err, r, netdev, "the driver has no ntuple table");
	case -ESTALE:
	case -EMSGSIZE:
		core_errno(err, r, netdev,
			   "the ntuple table changed each of the %d times that it was read", TRIES);
		sriov_error_hint(err,
				 "something else inserts and deletes rules without a pause: stop "
				 "it, then try again");
		return r;
	default:
		return core_errno(err, r, netdev, "cannot read the ntuple table");
	}
}

/* What an errno of SRXCLSRLINS and SRXCLSRLDEL means; the kernel has no other words for it. */
static const struct {
	int code;
	const char *insert, *delete;
} meanings[] = {
	{-EINVAL,
	 "the driver refuses this rule: a field, mask, target or location that it cannot do. Its reason "
	 "is in the kernel log: dmesg | tail",
	 "there is no rule at that location"},
	{-EOPNOTSUPP,
	 "ntuple rules are switched off or the driver has none for this flow type; the kernel log may "
	 "say more: dmesg | tail",
	 "the driver has no ntuple table"},
	{-ENOENT,
	 "the driver does not find what the rule refers to; see the kernel log: dmesg | tail",
	 "there is no rule at that location"},
	{-EEXIST, "the same rule is installed already, at another location", NULL},
	{-ENOSPC, "the NIC's table is full", NULL},
	{-ENOMEM, "the NIC's table is full, or the kernel has no memory", NULL},
	{-EBUSY, "the NIC is in reset: try again", "the NIC is in reset: try again"},
	{-EPERM, "run it as root (CAP_NET_ADMIN in the host's namespace)",
	 "run it as root (CAP_NET_ADMIN in the host's namespace)"},
};

static int refused(struct sriov_error *err, int code, bool insert)
{
	for (size_t i = 0; i < ARRAY_SIZE(meanings); i++) {
		const char *means = insert ? meanings[i].insert : meanings[i].delete;

		if (meanings[i].code == code && means)
			sriov_error_hint(err, "%s", means);
	}
	return code;
}

int ethioctl_rule_insert(const struct ethioctl *eth, const char *netdev,
			 const struct sriov_entry *entry, struct sriov_error *err)
{
	struct ethtool_rxnfc nfc = {.cmd = ETHTOOL_SRXCLSRLINS};
	int encoded = ntuple_encode(entry, &nfc.fs);
	int r = encoded < 0 ? encoded : ethioctl_ask(eth, netdev, &nfc);
	char words[256] = "";

	if (!r)
		return 0;
	sriov_entry_format(entry, words, sizeof(words));
	if (encoded < 0)
		return sriov_error_set(err, r, netdev,
				       "the rule '%s' has no form in the kernel's ntuple interface",
				       words);
	core_errno(err, r, netdev, "cannot insert the rule '%s' at location %u", words, entry->loc);
	return refused(err, r, true);
}

int ethioctl_rule_delete(const struct ethioctl *eth, const char *netdev, uint32_t loc,
			 struct sriov_error *err)
{
	struct ethtool_rxnfc nfc = {.cmd = ETHTOOL_SRXCLSRLDEL, .fs.location = loc};
	int r;

	/* the drivers cut the location to 16 bits and would delete another one's rule */
	if (loc > UINT16_MAX)
		return sriov_error_set(
			err, -ERANGE, netdev,
			"location %u cannot be deleted: drivers know locations up to %u", loc,
			UINT16_MAX);
	r = ethioctl_ask(eth, netdev, &nfc);
	if (r < 0) {
		core_errno(err, r, netdev, "cannot delete the rule at location %u", loc);
		return refused(err, r, false);
	}
	return 0;
}
