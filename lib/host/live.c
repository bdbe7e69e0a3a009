/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The live host: host_ops on lib/kernel. Here are the table, its connections to the kernel, and the effects
 * by netlink and ioctl; live_sysfs.c has those by sysfs, live_read.c the reading.
 */
#include "lib/host/live.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define STATE_DIR "/var/lib/sriovctl"
#define LOCK_DIR "/run/sriovctl"

static struct live *live_of(struct sriov_host *host)
{
	return host->priv;
}

int live_rtnl(struct live *live, struct rtnetlink **out, struct sriov_error *err)
{
	int r = live->rtnl ? 0 : rtnetlink_open(&live->rtnl, err);

	*out = live->rtnl;
	return r;
}

int live_ethnl(struct live *live, struct ethnl **out, struct sriov_error *err)
{
	int r = live->ethnl ? 0 : ethnl_open(&live->ethnl, err);

	*out = live->ethnl;
	return r;
}

int live_ioctl(struct live *live, const struct ethioctl **out, struct sriov_error *err)
{
	int r = live->ioctl.fd >= 0 ? 0 : ethioctl_open(&live->ioctl, err);

	*out = &live->ioctl;
	return r;
}

static int need_netdev(const struct sriov_pf *pf, struct sriov_error *err)
{
	if (pf->netdev[0] && pf->ifindex)
		return 0;
	sriov_error_set(err, -ENODEV, pf->address, "the PF has no network device%s%s",
			pf->driver[0] ? ": it is bound to " : ": no driver is bound to it",
			pf->driver);
	sriov_error_hint(err,
			 "`sriovctl pf bind %s --driver default` binds the NIC's own driver; look "
			 "into the network namespaces of containers too",
			 pf->address);
	return -ENODEV;
}

static int live_link_set(struct sriov_host *host, const struct sriov_pf *pf, bool up,
			 struct sriov_error *err)
{
	struct rtnetlink *rtnl;
	int r = need_netdev(pf, err);

	if (!r)
		r = live_rtnl(live_of(host), &rtnl, err);
	return r < 0 ? r : rtnetlink_up(rtnl, live_object(pf), pf->ifindex, up, err);
}

static int live_vf_set(struct sriov_host *host, const struct sriov_pf *pf, unsigned vf,
		       const struct sriov_vf_attrs *attrs, struct sriov_error *err)
{
	char object[64];
	struct rtnetlink *rtnl;
	int r = need_netdev(pf, err);

	if (!r)
		r = live_rtnl(live_of(host), &rtnl, err);
	if (r < 0)
		return r;
	snprintf(object, sizeof(object), "vf %u of %s", vf, live_object(pf));
	return rtnetlink_vf(rtnl, object, pf->ifindex, vf, attrs, err);
}

static int live_ntuple(struct sriov_host *host, const struct sriov_pf *pf, bool on,
		       struct sriov_error *err)
{
	struct ethnl *ethnl;
	int r = need_netdev(pf, err);

	if (!r)
		r = live_ethnl(live_of(host), &ethnl, err);
	return r < 0 ? r : ethnl_ntuple_set(ethnl, live_object(pf), pf->ifindex, on, err);
}

static int live_rule_insert(struct sriov_host *host, const struct sriov_pf *pf,
			    const struct sriov_entry *entry, struct sriov_error *err)
{
	const struct ethioctl *eth;
	int r = need_netdev(pf, err);

	if (!r)
		r = live_ioctl(live_of(host), &eth, err);
	return r < 0 ? r : ethioctl_rule_insert(eth, pf->netdev, entry, err);
}

static int live_rule_delete(struct sriov_host *host, const struct sriov_pf *pf, uint32_t loc,
			    struct sriov_error *err)
{
	const struct ethioctl *eth;
	int r = need_netdev(pf, err);

	if (!r)
		r = live_ioctl(live_of(host), &eth, err);
	return r < 0 ? r : ethioctl_rule_delete(eth, pf->netdev, loc, err);
}

static int live_rss_set(struct sriov_host *host, const struct sriov_pf *pf, const uint32_t *table,
			size_t n, struct sriov_error *err)
{
	const struct ethioctl *eth;
	int r = need_netdev(pf, err);

	if (!r)
		r = live_ioctl(live_of(host), &eth, err);
	return r < 0 ? r : ethioctl_rss_set(eth, pf->netdev, table, n, err);
}

/* Values of the @n counters called @names among those that the driver has. */
static int pick_counters(const struct ethtool_stat *stats, size_t nstats, const char *const *names,
			 uint64_t *values, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t at = 0;

		while (at < nstats && strcmp(stats[at].name, names[i]) != 0)
			at++;
		if (at == nstats)
			return -EOPNOTSUPP;
		values[i] = stats[at].value;
	}
	return 0;
}

static int live_counters(struct sriov_host *host, const struct sriov_pf *pf,
			 const char *const *names, uint64_t *values, size_t n,
			 struct sriov_error *err)
{
	_free_ struct ethtool_stat *stats = NULL;
	const struct ethioctl *eth;
	size_t nstats = 0;
	int r = need_netdev(pf, err);

	if (!r)
		r = live_ioctl(live_of(host), &eth, err);
	if (!r)
		r = ethioctl_stats(eth, pf->netdev, &stats, &nstats, err);
	if (r < 0)
		return r;
	r = pick_counters(stats, nstats, names, values, n);
	return r < 0 ? sriov_error_set(err, r, live_object(pf),
				       "the driver has no such counters: %s%s", names[0],
				       n > 1 ? ", …" : "")
		     : 0;
}

static int live_watch(struct sriov_host *host, struct sriov_error *err)
{
	struct live *live = live_of(host);

	return live->events ? events_forget(live->events, err) : events_open(&live->events, err);
}

static int live_wait(struct sriov_host *host, int64_t deadline_ms, struct sriov_error *err)
{
	struct live *live = live_of(host);
	int r = live->events ? 0 : events_open(&live->events, err);

	return r < 0 ? r : events_wait(live->events, deadline_ms, err);
}

static void live_pause(struct sriov_host *host, unsigned ms)
{
	struct timespec left = {ms / 1000, ms % 1000 * 1000000L};

	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		;
}

static int64_t live_now_ms(struct sriov_host *host)
{
	return core_monotonic_ms();
}

static void close_live(struct live *live)
{
	rtnetlink_close(live->rtnl);
	ethnl_close(live->ethnl);
	ethioctl_close(&live->ioctl);
	events_close(live->events);
	supervise_close(live->supervisor);
	for (size_t i = 0; i < live->nstuck; i++)
		supervise_close(live->stuck[i].supervisor);
	core_closep(&live->sys);
	core_closep(&live->proc);
	free(live);
}

static void live_close(struct sriov_host *host)
{
	close_live(live_of(host));
	host->priv = NULL;
}

const struct host_ops host_live_ops = {
	.name = "live",
	.close = live_close,
	.read = live_read,
	.link_set = live_link_set,
	.autoprobe = live_autoprobe,
	.numvfs = live_numvfs,
	.vf_set = live_vf_set,
	.override = live_override,
	.unbind = live_unbind,
	.probe = live_probe,
	.ntuple = live_ntuple,
	.rule_insert = live_rule_insert,
	.rule_delete = live_rule_delete,
	.vf_up = live_vf_up,
	.exchange = live_exchange,
	.netdev = live_netdev,
	.mac_user = live_mac_user,
	.fdb_has = live_fdb_has,
	.fdb_set = live_fdb_set,
	.links = live_links,
	.link_make = live_link_make,
	.link_delete = live_link_delete,
	.vf_driven = live_vf_driven,
	.pci_place = live_pci_place,
	.nature = live_nature,
	.rss_set = live_rss_set,
	.counters = live_counters,
	.watch = live_watch,
	.wait = live_wait,
	.pause = live_pause,
	.now_ms = live_now_ms,
};

int live_open_at(struct sriov_host *host, const char *sys, const char *proc,
		 struct sriov_error *err)
{
	struct live *live = calloc(1, sizeof(*live));
	int r;

	if (!live)
		return core_oom(err);
	live->ioctl.fd = live->proc = -1;
	live->sys = open(sys, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (live->sys >= 0)
		live->proc = open(proc, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (live->proc < 0) {
		r = core_errno(err, -errno, live->sys < 0 ? sys : proc, "cannot be opened");
		close_live(live);
		return r;
	}
	host->ops = &host_live_ops;
	host->priv = live;
	core_copy(host->state_dir, sizeof(host->state_dir), STATE_DIR);
	core_copy(host->lock_dir, sizeof(host->lock_dir), LOCK_DIR);
	return 0;
}

int host_live_open(struct sriov_host *host, struct sriov_error *err)
{
	return live_open_at(host, "/sys", "/proc", err);
}
