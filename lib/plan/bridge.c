/* SPDX-License-Identifier: Apache-2.0 */
/* The bridge of a physnet: which one a change concerns, and what of it is there. See bridge.h. */
#include "lib/plan/bridge.h"
#include "lib/guest/choose.h"
#include "lib/plan/lock.h"

#include <errno.h>
#include <string.h>

void bridge_free(struct bridge *bridge)
{
	if (!bridge)
		return;
	free(bridge->net.pf);
	sriov_vswitch_free(bridge->is);
	vswitch_policy_clear(&bridge->now);
	free(bridge->lease);
	free(bridge->taken);
	sriov_rules_clear(&bridge->rules);
	sriov_inventory_free(bridge->pf);
	free(bridge);
}

/* ---- opening ---- */

static const char *net_of_guest(const struct guest_state *guest)
{
	return guest && guest->lease.socket[0] ? guest->lease.net : NULL;
}

/* From then on guests behind the PF are reached through its switch. */
static bool gets_vfs(const struct change *change, const struct pf_state *want)
{
	return (want->has & STATE_COUNT) && want->count && !change->pf->vfs;
}

/* Which of the networks @want is about: its guest's, or the one that has this PF beside its uplink; or NULL. */
static const struct sriov_physnet *find_net(const struct change *change,
					    const struct pf_state *want,
					    const struct sriov_physnet *nets, size_t n)
{
	const char *name = net_of_guest(want->guest) ?: net_of_guest(want->other);

	if (want->net)
		return want->net->net.bridge[0] ? &want->net->net : NULL;
	for (size_t i = 0; i < n; i++) {
		bool ours = !strcmp(nets[i].uplink_pf, change->pf->address) && !want->apart;

		if (!nets[i].bridge[0])
			continue;
		if (name ? !strcmp(nets[i].name, name)
			 : ours && (want->bridge || (want->has & STATE_LIST) ||
				    gets_vfs(change, want)))
			return &nets[i];
	}
	return NULL;
}

/* Of the network's leases those with a port. */
static int load_leases(struct change *change, struct bridge *bridge, struct sriov_error *err)
{
	size_t kept = 0;
	int r;

	free(core_steal(bridge->lease));
	bridge->nleases = 0;
	if (!change->store)
		return 0;
	r = store_lease_list(change->store, NULL, &bridge->lease, &bridge->nleases, err);
	for (size_t i = 0; !r && i < bridge->nleases; i++) {
		const struct sriov_lease *lease = &bridge->lease[i];

		if (lease->socket[0] && !strcmp(lease->net, bridge->net.name))
			bridge->lease[kept++] = *lease;
	}
	bridge->nleases = r ? 0 : kept;
	return r;
}

int bridge_load_rules(struct store *store, const char *pf, struct sriov_rules *out,
		      struct sriov_error *err)
{
	struct store_pf known = {0};
	struct pf_state intent = {0};
	int r = store ? store_pf_get(store, pf, &known, err) : -ENOENT;

	*out = (struct sriov_rules){0};
	if (r == -ENOENT)
		return 0;
	if (!r && known.intent)
		r = state_decode(known.intent, &intent, err);
	store_pf_clear(&known);
	*out = intent.list;
	intent.list = (struct sriov_rules){0};
	state_clear(&intent);
	return r;
}

/* The rules of the uplink's PF: this one's, or another's. */
static int load_rules(struct change *change, struct bridge *bridge, struct sriov_error *err)
{
	struct pf_state own = {0};

	if (strcmp(bridge->net.uplink_pf, change->pf->address) != 0)
		return bridge_load_rules(change->store, bridge->net.uplink_pf, &bridge->rules, err);
	if (state_set_list(&own, &change->intent.list) < 0)
		return core_oom(err);
	bridge->rules = own.list;
	return 0;
}

int bridge_lock(struct change *change, const char *name, struct sriov_error *err)
{
	int r = 0;

	if (!change->opts->dry_run && strcmp(change->bridge_locked, name) != 0)
		r = lock_bridge(change->host, name, change_command(change),
				change_lock_timeout(change), err);
	if (!r)
		core_copy(change->bridge_locked, sizeof(change->bridge_locked), name);
	return r;
}

static int load(struct change *change, struct bridge *bridge, struct sriov_error *err)
{
	int r = bridge_lock(change, bridge->net.bridge, err);

	if (!r)
		r = load_leases(change, bridge, err);
	if (!r)
		r = load_rules(change, bridge, err);
	return r ? r : host_read(change->host, bridge->net.uplink_pf, 0, &bridge->pf, err);
}

/* Whether @want can be had without OVS. */
static bool can_leave(const struct pf_state *want)
{
	const struct guest_state *own = want->guest;

	return !want->bridge && !(want->net && want->net->recorded) &&
	       !(own && own->leased && !strcmp(own->lease.path, "vhostuser"));
}

/* An OVS that cannot be asked keeps nobody from what is the NIC's, or from ending what it had. */
static int leave(struct change *change, const struct pf_state *want, int code,
		 struct sriov_error *err)
{
	struct bridge *bridge = change->bridge;
	bool about = want->net || want->guest || (want->has & STATE_LIST);
	struct sriov_error why;

	if (about && !change->opts->force) {
		sriov_error_hint(err,
				 "start OVS, or pass --force: bridge %s is left as it is, for "
				 "`sriovctl restore` when OVS runs",
				 bridge->net.bridge);
		return code;
	}
	bridge->away = true;
	if (bridge_read(change, &why) < 0)
		return code;
	if (err)
		*err = (struct sriov_error){0};
	return change_note(change, err,
			   "bridge %s is left as it is, for OVS cannot be asked; when it runs: "
			   "sriovctl restore",
			   bridge->net.bridge);
}

int bridge_open(struct change *change, const struct pf_state *want, struct sriov_error *err)
{
	struct sriov_physnet *nets = NULL;
	const struct sriov_physnet *net;
	struct bridge *bridge;
	size_t n = 0;
	int r;

	if (change->bridge)
		return 0;
	/* a dry run where nothing was ever recorded */
	r = change->store ? store_physnet_list(change->store, &nets, &n, err) : 0;
	if (r < 0)
		return r;
	net = find_net(change, want, nets, n);
	bridge = net ? calloc(1, sizeof(*bridge)) : NULL;
	if (net && (!bridge || net_copy(net, &bridge->net) < 0))
		r = core_oom(err);
	sriov_physnets_free(nets, n);
	if (!r && bridge)
		r = load(change, bridge, err);
	/* rules are no matter of a bridge that no guest is on */
	if (!r && bridge && !want->net && !want->bridge && !bridge->nleases &&
	    !net_of_guest(want->guest))
		bridge_free(core_steal(bridge));
	if (r < 0) {
		bridge_free(bridge);
		return r;
	}
	change->bridge = bridge;
	r = bridge ? bridge_read(change, err) : 0;
	return r < 0 && r != -ENOMEM && can_leave(want) ? leave(change, want, r, err) : r;
}

/* ---- as it is ---- */

/* Asked for each guest's address: all that the PF takes frames for may be many more. */
static int read_taken(struct change *change, struct bridge *bridge, const struct sriov_lease *lease,
		      struct sriov_error *err)
{
	uint8_t(*slot)[6];
	bool taken;
	int r = change->host->ops->fdb_has(change->host, &bridge->pf->pf[0], lease->mac, &taken,
					   err);

	if (r < 0 || !taken)
		return r;
	slot = core_grow(&bridge->taken, &bridge->ntaken, sizeof(*slot));
	if (!slot)
		return core_oom(err);
	memcpy(*slot, lease->mac, sizeof(*slot));
	return 0;
}

static int read_fdb(struct change *change, struct bridge *bridge, struct sriov_error *err)
{
	const struct guest_state *own[] = {change->want.guest, change->want.other};
	int r = 0;

	free(core_steal(bridge->taken));
	bridge->ntaken = 0;
	if (!bridge_through_pf(bridge))
		return 0;
	for (size_t i = 0; !r && i < bridge->nleases; i++)
		r = read_taken(change, bridge, &bridge->lease[i], err);
	for (size_t i = 0; !r && i < ARRAY_SIZE(own); i++)
		if (own[i] && own[i]->lease.socket[0])
			r = read_taken(change, bridge, &own[i]->lease, err);
	return r;
}

int bridge_read(struct change *change, struct sriov_error *err)
{
	struct bridge *bridge = change->bridge;
	struct sriov_host *host = change->host;
	int r;

	sriov_vswitch_free(core_steal(bridge->is));
	vswitch_policy_clear(&bridge->now);
	r = load_leases(change, bridge, err);
	if (!r && !bridge->away)
		r = host->vswitch->read(host, false, &bridge->is, err);
	if (!r && bridge->is && vswitch_bridge(bridge->is, bridge->net.bridge))
		r = host->vswitch->policy(host, bridge->net.bridge, &bridge->now, err);
	return r ? r : read_fdb(change, bridge, err);
}

const struct sriov_vswitch_port *bridge_port(const struct bridge *bridge, const char *name)
{
	return *name && bridge->is ? vswitch_port(bridge->is, bridge->net.bridge, name) : NULL;
}

void bridge_drop_uses(struct change *change)
{
	const struct net_state *net = change->want.net;
	struct sriov_vf *vf = net && net->net.uplink == SRIOV_UPLINK_VF
				      ? pf_vf(change->pf, net->net.uplink_vf)
				      : NULL;

	if (vf)
		vf->uses.n = 0;
}

void bridge_capture(const struct change *change, struct net_state *net)
{
	const struct bridge *bridge = change->bridge;

	/* one that is of no network has nothing to come back for: also what is left half done takes it away */
	net->made = bridge && bridge->is && net->net.name[0] &&
		    vswitch_bridge(bridge->is, bridge->net.bridge);
	net->linked = bridge && bridge_port(bridge, bridge->net.port);
}

/* ---- told before ---- */

static int check_uplink(const struct bridge *bridge, struct sriov_error *err)
{
	const struct sriov_vswitch_port *uplink = bridge_port(bridge, bridge->net.port);

	if (bridge->net.uplink == SRIOV_UPLINK_PORT && !uplink) {
		sriov_error_set(err, -ENODEV, bridge->net.bridge,
				"the port %s, by which the bridge reaches physnet %s, is not there",
				bridge->net.port, bridge->net.name);
		return sriov_error_hint(
			err,
			"add it (ovs-vsctl add-port), or name another one: sriovctl "
			"physnet add %s PF… --bridge %s --uplink PORT",
			bridge->net.name, bridge->net.bridge);
	}
	return uplink && vswitch_failed(uplink)
		       ? vswitch_port_error(uplink, -EIO, vswitch_unready(uplink, VSWITCH_MADE),
					    err)
		       : 0;
}

static bool comes(const struct bridge *bridge, const struct pf_state *want)
{
	const struct guest_state *own = want->guest;

	return own && own->leased && own->lease.socket[0] &&
	       !bridge_port(bridge, guest_lease_port(&own->lease));
}

/* A port of the name that the guest's has, and which is another's: it would give the guest's frames away. */
static int check_owner(const struct bridge *bridge, const struct pf_state *want,
		       struct sriov_error *err)
{
	const struct guest_state *own = want->guest;
	const char *name = own && own->leased ? guest_lease_port(&own->lease) : "";
	const struct sriov_vswitch_port *port = bridge_port(bridge, name);

	if (!port || (port->ours && !memcmp(port->mac, own->lease.mac, 6)))
		return 0;
	sriov_error_set(err, -EEXIST, own->lease.guest,
			"bridge %s has a port %s already, which is %s%s", bridge->net.bridge, name,
			port->ours ? "of guest " : "not ours", port->ours ? port->guest : "");
	if (own->lease.id)
		return sriov_error_hint(err,
					"sriovctl guest detach '%s' --net %s, then attach it anew: "
					"its port gets a name of its own",
					own->lease.guest, own->lease.net);
	return sriov_error_hint(err,
				"take that port away (ovs-vsctl del-port %s %s) if it is "
				"nobody's",
				bridge->net.bridge, name);
}

int bridge_check(const struct change *change, const struct pf_state *want, struct sriov_error *err)
{
	const struct bridge *bridge = change->bridge;
	int r = 0;

	if (!bridge || bridge->away || !bridge_is_made(want))
		return 0;
	if (vswitch_bridge(bridge->is, bridge->net.bridge) || !want->net)
		r = vswitch_check(bridge->is, bridge->net.bridge, err);
	else
		r = vswitch_check_dpdk(bridge->is, err);
	if (!r && (!want->net || bridge->net.uplink == SRIOV_UPLINK_PORT))
		r = check_uplink(bridge, err);
	if (!r)
		r = check_owner(bridge, want, err);
	if (!r && comes(bridge, want) && change->host->vswitch == &vswitch_live_ops &&
	    !access(bridge->net.sockets, F_OK))
		r = vswitch_check_socket(want->guest->lease.socket, NULL, err);
	return r;
}
