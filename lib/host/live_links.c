/* SPDX-License-Identifier: Apache-2.0 */
/* The live host's netdevs: all of them with what they are on, and VLANs and bridges of ours. */
#include "lib/host/live.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>

static const char *name_of(const struct link_seen *seen, size_t n, int ifindex)
{
	for (size_t i = 0; ifindex && i < n; i++)
		if (seen[i].ifindex == ifindex)
			return seen[i].name;
	return "";
}

static struct host_link link_of(const struct link_seen *link, const struct link_seen *all, size_t n)
{
	bool half = link->group == LINK_HALF_GROUP;
	struct host_link out = {
		.vlan = link->vlan,
		.vlan_proto = link->vlan_proto,
		.up = link->up,
		.ours = half || !strcmp(link->alias, LINK_ALIAS),
		.half = half,
		.addressed = link->addressed,
	};

	memcpy(out.mac, link->mac, sizeof(out.mac));
	core_copy(out.name, sizeof(out.name), link->name);
	core_copy(out.kind, sizeof(out.kind), link->kind);
	core_copy(out.lower, sizeof(out.lower), link->abroad ? "" : name_of(all, n, link->lower));
	core_copy(out.master, sizeof(out.master), name_of(all, n, link->master));
	return out;
}

int live_links(struct sriov_host *host, struct host_links *out, struct sriov_error *err)
{
	_free_ struct link_seen *seen = NULL;
	struct rtnetlink *rtnl;
	size_t n = 0;
	int r = live_rtnl(host->priv, &rtnl, err);

	if (!r)
		r = rtnetlink_links(rtnl, &seen, &n, err);
	if (r < 0)
		return r;
	*out = (struct host_links){.at = calloc(n + 1, sizeof(*out->at)), .n = n};
	if (!out->at)
		return core_oom(err);
	for (size_t i = 0; i < n; i++)
		out->at[i] = link_of(&seen[i], seen, n);
	return 0;
}

int live_link_make(struct sriov_host *host, const struct sriov_pf *pf, const struct host_link *want,
		   bool there, struct sriov_error *err)
{
	const struct link_new link = {
		.name = want->name, .vlan = want->vlan, .lower = pf->ifindex, .mtu = pf->mtu};
	struct rtnetlink *rtnl;
	int master = want->master[0] ? if_nametoindex(want->master) : 0;
	int r = live_rtnl(host->priv, &rtnl, err);

	if (!r && want->master[0] && !master)
		r = sriov_error_set(err, -ENODEV, want->name, "its bridge %s is not there",
				    want->master);
	if (!r && !there)
		r = rtnetlink_link_new(rtnl, &link, err);
	return r ? r : rtnetlink_link_ready(rtnl, want->name, master, err);
}

int live_link_delete(struct sriov_host *host, const struct sriov_pf *pf, const char *name,
		     struct sriov_error *err)
{
	struct rtnetlink *rtnl;
	int r = live_rtnl(host->priv, &rtnl, err);

	return r ? r : rtnetlink_link_del(rtnl, name, err);
}
