/* SPDX-License-Identifier: Apache-2.0 */
/* Networks as records. See physnet.h. */
#include "lib/guest/physnet.h"
#include "lib/guest/place.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SOCKETS "/var/lib/vhost_sockets" /* as other managers of vhost-user have it */

static const char *const uplink_words[SRIOV_UPLINKS] = {
	[SRIOV_UPLINK_NONE] = "none",     [SRIOV_UPLINK_PORT] = "port",
	[SRIOV_UPLINK_VF] = "vf",         [SRIOV_UPLINK_AF_PACKET] = "af_packet",
	[SRIOV_UPLINK_AF_XDP] = "af_xdp",
};

SRIOV_EXPORT const char *sriov_uplink_word(enum sriov_uplink uplink)
{
	return uplink < SRIOV_UPLINKS ? uplink_words[uplink] : "?";
}

const struct sriov_physnet *physnet_named(const struct sriov_physnet *nets, size_t n,
					  const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(nets[i].name, name))
			return &nets[i];
	return NULL;
}

int physnet_unknown(const struct sriov_physnet *nets, size_t n, const char *name,
		    struct sriov_error *err)
{
	_free_ const char **names = calloc(n + 1, sizeof(*names));
	const char *near;

	if (!names)
		return core_oom(err);
	for (size_t i = 0; i < n; i++)
		names[i] = nets[i].name;
	near = core_nearest(name, names);
	sriov_error_set(err, -ENOENT, name, "there is no physnet of that name");
	if (near)
		return sriov_error_hint(err, "did you mean %s?", near);
	return sriov_error_hint(err, "`sriovctl physnet show` lists them");
}

/* ---- what a request makes of it ---- */

/* The PFs by their addresses, in order, without twins. */
static int find_pfs(const struct sriov_inventory *inv, const struct sriov_physnet_request *req,
		    struct sriov_physnet *out, struct sriov_error *err)
{
	out->pf = calloc(req->npfs + 1, sizeof(*out->pf));
	if (!out->pf)
		return core_oom(err);
	for (size_t i = 0; i < req->npfs; i++) {
		const struct sriov_pf *found = inventory_find(inv, req->pf[i]);
		bool twin = false;

		if (!found) {
			sriov_error_set(err, -ENODEV, req->pf[i],
					"is not an SR-IOV PF of this host");
			return sriov_error_hint(err, "`sriovctl host show` lists the PFs");
		}
		for (size_t k = 0; k < out->npfs; k++)
			twin |= !strcmp(out->pf[k], found->address);
		if (!twin)
			core_copy(out->pf[out->npfs++], sizeof(*out->pf), found->address);
	}
	/* the first one is the PF beside the uplink */
	core_copy(out->uplink_pf, sizeof(out->uplink_pf), out->pf[0]);
	qsort(out->pf, out->npfs, sizeof(*out->pf), (int (*)(const void *, const void *))strcmp);
	return 0;
}

/*
 * The port of an uplink that is made, 15 characters as a netdev's name has at most. Of a long name only the sum tells
 * it from others.
 */
static void name_uplink(struct sriov_physnet *net)
{
	size_t len = strlen(net->name);
	uint64_t sum = core_hash(CORE_HASH_SEED, net->name, len);

	if (len <= 11)
		snprintf(net->port, sizeof(net->port), "up-%s", net->name);
	else
		snprintf(net->port, sizeof(net->port), "up-%.5s-%06x", net->name,
			 (unsigned)(sum & 0xffffff));
}

/* "af_packet", "af_xdp", "vf:3", or a port of the bridge. */
static int read_uplink(const char *text, struct sriov_physnet *out, struct sriov_error *err)
{
	uint64_t vf;

	out->uplink = SRIOV_UPLINK_PORT;
	for (unsigned i = SRIOV_UPLINK_AF_PACKET; i < SRIOV_UPLINKS; i++)
		if (!strcmp(text, uplink_words[i]))
			out->uplink = i;
	if (!strncmp(text, "vf:", 3)) {
		if (core_number(text + 3, 0, SRIOV_VF_MAX - 1, &vf) < 0)
			return sriov_error_set(err, -EINVAL, "uplink", "'%s' names no VF: vf:0",
					       text);
		out->uplink = SRIOV_UPLINK_VF;
		out->uplink_vf = vf;
	}
	if (out->uplink != SRIOV_UPLINK_PORT) {
		name_uplink(out);
		return 0;
	}
	core_copy(out->port, sizeof(out->port), text);
	return guest_check_word("uplink", text, sizeof(out->port), err);
}

static int need_uplink(const char *bridge, struct sriov_error *err)
{
	sriov_error_set(err, -EINVAL, bridge,
			"the bridge has no uplink: its guests would reach "
			"nobody on the network");
	return sriov_error_hint(
		err, "--uplink af_packet or af_xdp is the PF itself, vf:N a VF of it, and any "
		     "other word a port that the bridge has");
}

static int fill_bridge(const struct sriov_physnet_request *req, const struct sriov_physnet *was,
		       struct sriov_physnet *out, struct sriov_error *err)
{
	const char *bridge = req->bridge ?: was ? was->bridge : "";
	bool made;
	int r;

	if (!*bridge && (req->uplink || req->sockets)) {
		sriov_error_set(err, -EINVAL, req->name,
				"an uplink and a directory of sockets are "
				"a bridge's, and there is none");
		return sriov_error_hint(err, "give it: --bridge BRIDGE");
	}
	if (was && was->bridge[0] && strcmp(was->bridge, bridge) != 0) {
		sriov_error_set(err, -EEXIST, req->name, "it has bridge %s already", was->bridge);
		return sriov_error_hint(err, "sriovctl physnet delete %s first", req->name);
	}
	if (!*bridge)
		return 0;
	r = guest_check_word("bridge", bridge, sizeof(out->bridge), err);
	core_copy(out->bridge, sizeof(out->bridge), bridge);
	core_copy(out->sockets, sizeof(out->sockets),
		  req->sockets
			  ?: was && was->sockets[0] ? was->sockets
						    : SOCKETS);
	if (!r && (out->sockets[0] != '/' ||
		   (req->sockets && strlen(req->sockets) >= sizeof(out->sockets))))
		return sriov_error_set(err, -EINVAL, out->sockets,
				       "the directory of sockets is an absolute path of at most "
				       "%zu bytes",
				       sizeof(out->sockets) - 1);
	if (!r && req->uplink)
		r = read_uplink(req->uplink, out, err);
	else if (!r && (!was || !was->uplink))
		r = need_uplink(bridge, err);
	/* one that was made keeps its name, whatever it would be called now */
	made = was && out->uplink != SRIOV_UPLINK_PORT && was->uplink == out->uplink &&
	       was->uplink_vf == out->uplink_vf;
	if (r < 0 || (req->uplink && !made))
		return r;
	out->uplink = was->uplink;
	out->uplink_vf = was->uplink_vf;
	core_copy(out->port, sizeof(out->port), was->port);
	return 0;
}

/* Another uplink is another port with other flows: made anew, it is said to be. */
int physnet_check_same(const struct sriov_physnet *was, const struct sriov_physnet *net,
		       struct sriov_error *err)
{
	if (!was || !was->bridge[0] ||
	    (!strcmp(was->bridge, net->bridge) && was->uplink == net->uplink &&
	     was->uplink_vf == net->uplink_vf && !strcmp(was->port, net->port) &&
	     !strcmp(was->uplink_pf, net->uplink_pf)))
		return 0;
	sriov_error_set(err, -EEXIST, net->name,
			"its bridge %s has the uplink %s (%s of %s) already", was->bridge,
			was->port, uplink_words[was->uplink], was->uplink_pf);
	return sriov_error_hint(err, "sriovctl physnet delete %s first", net->name);
}

/* The other paths need what only each guest can say: a bridge, a mode. */
static int fill_policy(const struct sriov_physnet_request *req, const struct sriov_physnet *was,
		       struct sriov_physnet *out, struct sriov_error *err)
{
	const struct sriov_policy *policy = &req->policy;

	for (size_t i = 0; i < policy->npaths; i++)
		if (policy->path[i] != SRIOV_PATH_VF && policy->path[i] != SRIOV_PATH_VHOSTUSER) {
			sriov_error_set(err, -EINVAL, req->name,
					"%s is no path of all guests of a network",
					sriov_path_word(policy->path[i]));
			return sriov_error_hint(err, "vf, vhostuser, or both in order");
		}
	if (was)
		out->policy = was->policy;
	policy_merge(&out->policy, policy);
	return 0;
}

int physnet_make(const struct sriov_physnet_request *req, const struct sriov_physnet *was,
		 const struct sriov_inventory *inv, struct sriov_physnet *out,
		 struct sriov_error *err)
{
	struct sriov_physnet net = {0};
	int r = guest_check_word("physnet", req->name, sizeof(net.name), err);

	core_copy(net.name, sizeof(net.name), req->name);
	if (!r)
		r = find_pfs(inv, req, &net, err);
	if (!r)
		r = fill_bridge(req, was, &net, err);
	if (!r)
		r = physnet_check_same(was, &net, err);
	if (!r)
		r = fill_policy(req, was, &net, err);
	if (r < 0) {
		free(net.pf);
		return r;
	}
	*out = net;
	return 0;
}

/* ---- what stands against it ---- */

static bool has_pf(const struct sriov_physnet *net, const char *address)
{
	for (size_t i = 0; i < net->npfs; i++)
		if (!strcmp(net->pf[i], address))
			return true;
	return false;
}

/* A PF is on one network, as one cable is; and so is a bridge. */
static int check_unshared(const struct sriov_physnet *nets, size_t n,
			  const struct sriov_physnet *net, struct sriov_error *err)
{
	for (size_t i = 0; i < n; i++) {
		if (!strcmp(nets[i].name, net->name))
			continue;
		if (net->bridge[0] && !strcmp(nets[i].bridge, net->bridge))
			return sriov_error_set(err, -EEXIST, net->bridge,
					       "is the bridge of physnet %s already", nets[i].name);
		if (net->bridge[0] && nets[i].bridge[0] && !strcmp(nets[i].port, net->port)) {
			sriov_error_set(err, -EEXIST, net->port,
					"is the uplink of physnet %s already, and OVS has one port "
					"of a name",
					nets[i].name);
			return sriov_error_hint(err, "take another name for one of the networks");
		}
		for (size_t k = 0; k < nets[i].npfs; k++) {
			if (!has_pf(net, nets[i].pf[k]))
				continue;
			sriov_error_set(err, -EEXIST, nets[i].pf[k], "is on physnet %s already",
					nets[i].name);
			return sriov_error_hint(err,
						"take it off there first: sriovctl physnet add %s "
						"with the PFs that stay, or physnet delete %s",
						nets[i].name, nets[i].name);
		}
	}
	return 0;
}

static int check_unheld(struct store *store, const struct sriov_physnet *was,
			const struct sriov_physnet *net, struct sriov_error *err)
{
	bool same = was && net->npfs && !strcmp(was->sockets, net->sockets);
	_free_ struct sriov_lease *lease = NULL;
	size_t n = 0;
	int r = store_lease_list(store, NULL, &lease, &n, err);

	for (size_t i = 0; !r && i < n; i++) {
		bool on_bridge = lease[i].socket[0] && !same;

		if (strcmp(lease[i].net, net->name) != 0 ||
		    (has_pf(net, lease[i].pf) && !on_bridge))
			continue;
		sriov_error_set(err, -EBUSY, net->name, "guest %s holds a lease (%ld) on %s %s",
				lease[i].guest, lease[i].id, on_bridge ? "its bridge" : "its PF",
				on_bridge ? lease[i].below : lease[i].pf);
		sriov_error_hint(err, "sriovctl guest detach '%s' --net %s first", lease[i].guest,
				 net->name);
		r = sriov_error_status(err, SRIOV_REFUSED);
	}
	return r;
}

int physnet_check(struct store *store, const struct sriov_physnet *nets, size_t n,
		  const struct sriov_physnet *net, struct sriov_error *err)
{
	int r = check_unshared(nets, n, net, err);

	return r || !store ? r : check_unheld(store, physnet_named(nets, n, net->name), net, err);
}

SRIOV_EXPORT int sriov_physnet_list(struct sriov_host *host, struct sriov_physnet **out, size_t *n,
				    struct sriov_error *err)
{
	struct store *store = NULL;
	int r = store_get(host, false, &store, err);

	if (r < 0)
		return r;
	if (store)
		return store_physnet_list(store, out, n, err);
	*out = NULL;
	*n = 0;
	return 0;
}
