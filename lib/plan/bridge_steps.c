/* SPDX-License-Identifier: Apache-2.0 */
/* The bridge of a physnet: what is wanted there, and the steps to it. See bridge.h. */
#include "lib/guest/choose.h"
#include "lib/plan/bridge.h"

#include <errno.h>
#include <string.h>

/* ---- what is wanted ---- */

/* The @i'th lease that shall have a port: the network's, this change's own as @want says; NULL behind the last. */
static const struct sriov_lease *wanted_lease(const struct bridge *bridge,
					      const struct pf_state *want, size_t i)
{
	const struct guest_state *own = want->guest;

	for (size_t k = 0; k < bridge->nleases; k++) {
		const struct sriov_lease *lease = &bridge->lease[k];

		if (own && own->lease.id == lease->id)
			continue;
		if (!i--)
			return lease;
	}
	return !i && own && own->leased && own->lease.socket[0] ? &own->lease : NULL;
}
#define FOR_EACH_WANTED(bridge, want, lease)                                                       \
	for (size_t i_ = 0; ((lease) = wanted_lease(bridge, want, i_)); i_++)

static bool is_wanted(const struct bridge *bridge, const struct pf_state *want, const char *port)
{
	const struct sriov_lease *lease;

	FOR_EACH_WANTED(bridge, want, lease)
	{
		if (!strcmp(guest_lease_port(lease), port))
			return true;
	}
	return false;
}

/* A guest with a VF beside its port has all its frames there. */
static bool is_active(const struct sriov_lease *lease)
{
	return !strcmp(lease->path, sriov_path_word(SRIOV_PATH_VHOSTUSER));
}

static const struct sriov_rules *rules_of(const struct bridge *bridge, const struct pf_state *want)
{
	bool own = (want->has & STATE_LIST) && !strcmp(want->address, bridge->net.uplink_pf);

	return own ? &want->list : &bridge->rules;
}

/* As a VF would be: MAC and VLAN of the lease, the spoof check on unless it was switched off. */
static void fill_port(const struct bridge *bridge, const struct sriov_lease *lease, unsigned nth,
		      struct openflow_port *out)
{
	const struct sriov_vswitch_port *port = bridge_port(bridge, guest_lease_port(lease));

	*out = (struct openflow_port){.attrs = lease->attrs};
	core_copy(out->guest, sizeof(out->guest), lease->guest);
	core_copy(out->uuid, sizeof(out->uuid), lease->uuid);
	/* for a port that is not there yet any number will do to see whether the list compiles */
	out->ofport = port && port->ofport > 0 ? (unsigned)port->ofport
					       : OPENFLOW_PORT_END - 2 - nth;
	if (!(out->attrs.has & SRIOV_VF_SPOOFCHK))
		out->attrs.spoofchk = true;
	out->attrs.has |= SRIOV_VF_MAC | SRIOV_VF_SPOOFCHK;
	memcpy(out->attrs.mac, lease->mac, 6);
	if (!lease->vlan)
		return;
	out->attrs.has |= SRIOV_VF_VLAN;
	out->attrs.vlan = lease->vlan;
}

int bridge_compile(const struct bridge *bridge, const struct pf_state *want, struct openflow *out,
		   struct sriov_error *err)
{
	const struct sriov_vswitch_port *uplink = bridge_port(bridge, bridge->net.port);
	_free_ struct openflow_port *port = calloc(bridge->nleases + 2, sizeof(*port));
	const struct sriov_pf *pf = &bridge->pf->pf[0];
	const struct sriov_lease *lease;
	uint8_t mac[2][6];
	struct openflow_want policy = {
		.rules = rules_of(bridge, want),
		.uplink = uplink && uplink->ofport > 0 ? (unsigned)uplink->ofport
						       : OPENFLOW_PORT_END - 1,
		.port = port,
		/* what is for VFs the NIC gives to them, before the uplink sees it */
		.mac = mac,
		.nmacs = ARRAY_SIZE(mac),
		.meter = bridge->now.meter,
		.nmeters = bridge->now.nmeters,
	};

	if (!port)
		return core_oom(err);
	memcpy(mac[0], pf->mac, 6);
	memcpy(mac[1], pf->perm_mac, 6);
	if (!bridge_is_made(want))
		return openflow_none(out, err);
	FOR_EACH_WANTED(bridge, want, lease)
	{
		if (!is_active(lease))
			continue;
		fill_port(bridge, lease, policy.nports, &port[policy.nports]);
		policy.nports++;
	}
	return openflow_compile(&policy, out, err);
}

/* ---- steps ---- */

static struct step *add(struct steps *steps, enum step_kind kind, bool on, struct bridge *bridge,
			const char *name, struct sriov_error *err)
{
	struct step *step = core_grow(&steps->at, &steps->n, sizeof(*step));

	if (!step) {
		core_oom(err);
		return NULL;
	}
	step->kind = kind;
	step->on = on;
	step->bridge = bridge;
	core_copy(step->name, sizeof(step->name), name);
	return step;
}

static int add_lease(struct steps *steps, enum step_kind kind, bool on, struct bridge *bridge,
		     const struct sriov_lease *lease, struct sriov_error *err)
{
	struct step *step = add(steps, kind, on, bridge, guest_lease_port(lease), err);

	if (step)
		step->lease = lease;
	return step ? 0 : -ENOMEM;
}

/* Whether the uplink's PF takes frames for @lease now. */
static bool has_fdb(const struct bridge *bridge, const struct sriov_lease *lease)
{
	for (size_t i = 0; i < bridge->ntaken; i++)
		if (!memcmp(bridge->taken[i], lease->mac, 6))
			return true;
	return false;
}

static int drop_fdb(struct bridge *bridge, const struct pf_state *want, struct steps *steps,
		    struct sriov_error *err)
{
	bool stays = want->guest && want->guest->leased && is_active(&want->guest->lease);

	return !stays && want->guest && has_fdb(bridge, &want->guest->lease)
		       ? add_lease(steps, STEP_FDB, false, bridge, &want->guest->lease, err)
		       : 0;
}

/* The ports of the change's own lease, on either side of a move, that it shall have no more. */
static int drop_own(struct bridge *bridge, const struct pf_state *want, struct steps *steps,
		    struct sriov_error *err)
{
	const struct guest_state *parts[] = {want->guest, want->other};
	int r = 0;

	for (size_t i = 0; !r && i < ARRAY_SIZE(parts); i++) {
		const char *port = parts[i] ? guest_lease_port(&parts[i]->lease) : "";

		if (bridge_port(bridge, port) && !is_wanted(bridge, want, port))
			r = add_lease(steps, STEP_PORT, false, bridge, &parts[i]->lease, err);
	}
	return r;
}

/* 1: a domain names it, or may: noted. */
static int keep_stray(struct sriov_host *host, const struct bridge *bridge,
		      const struct sriov_vswitch_port *port, struct steps *steps)
{
	struct sriov_error why = {0};
	char name[SRIOV_NAME_LEN];
	int r = bridge_port_user(host, port, name, &why);

	if (!r)
		return 0;
	r = r < 0 ? steps_note(steps,
			       "port %s of bridge %s is of no lease, and stays: whether a domain "
			       "names it is not known: %s",
			       port->name, bridge->net.bridge, why.message)
		  : steps_note(
			    steps,
			    "port %s of bridge %s is of no lease, and stays: domain %s names it; "
			    "sriovctl guest attach '%s' --net %s --paths vhostuser gives it one",
			    port->name, bridge->net.bridge, name, name, bridge->net.name);
	return r < 0 ? r : 1;
}

/*
 * Ports of ours that no lease names: what a host that lost its power in the middle of a change has kept. They go by
 * `restore` only, no other change is about them; and not while somebody is connected, or could be.
 */
static int drop_strays(const struct change *change, const struct pf_state *want,
		       struct steps *steps, struct sriov_error *err)
{
	struct bridge *bridge = change->bridge;
	const struct sriov_vswitch_bridge *there = vswitch_bridge(bridge->is, bridge->net.bridge);

	for (size_t i = 0; want->bridge && !want->image && there && i < there->nports; i++) {
		const struct sriov_vswitch_port *port = &there->port[i];
		int r;

		if (!port->ours || !strcmp(port->name, bridge->net.port) ||
		    !strcmp(port->status, "connected") || is_wanted(bridge, want, port->name))
			continue;
		r = keep_stray(change->host, bridge, port, steps);
		if (r < 0 || (!r && !add(steps, STEP_PORT, false, bridge, port->name, err)))
			return core_oom(err);
	}
	return 0;
}

/* A bridge that was somebody's before keeps its own ports, and stays. */
static int drop_net(struct bridge *bridge, const struct pf_state *want, struct steps *steps,
		    struct sriov_error *err)
{
	const struct sriov_vswitch_bridge *there = vswitch_bridge(bridge->is, bridge->net.bridge);
	bool ours = there && there->ours;

	if (!want->net)
		return 0;
	if (!want->net->linked && bridge->net.uplink != SRIOV_UPLINK_PORT &&
	    bridge_port(bridge, bridge->net.port) &&
	    !add(steps, STEP_PORT, false, bridge, bridge->net.port, err))
		return -ENOMEM;
	if (!want->net->made && ours &&
	    !add(steps, STEP_BRIDGE, false, bridge, bridge->net.bridge, err))
		return -ENOMEM;
	return 0;
}

/* Whether @want is about @lease, or about all that its bridge has. */
static bool makes(const struct pf_state *want, const struct sriov_lease *lease)
{
	return !want->image || (want->guest && &want->guest->lease == lease);
}

static int make_net(struct bridge *bridge, const struct pf_state *want, struct steps *steps,
		    struct sriov_error *err)
{
	if (want->image && !want->net)
		return 0;
	if (bridge_is_made(want) && !vswitch_bridge(bridge->is, bridge->net.bridge) &&
	    !add(steps, STEP_BRIDGE, true, bridge, bridge->net.bridge, err))
		return -ENOMEM;
	if (bridge_is_made(want) && (!want->net || want->net->linked) &&
	    bridge->net.uplink != SRIOV_UPLINK_PORT && !bridge_port(bridge, bridge->net.port) &&
	    !add(steps, STEP_PORT, true, bridge, bridge->net.port, err))
		return -ENOMEM;
	return 0;
}

static int make_ports(struct bridge *bridge, const struct pf_state *want, struct steps *steps,
		      struct sriov_error *err)
{
	const struct sriov_lease *lease;

	FOR_EACH_WANTED(bridge, want, lease)
	{
		if (makes(want, lease) && !bridge_port(bridge, guest_lease_port(lease)) &&
		    add_lease(steps, STEP_PORT, true, bridge, lease, err) < 0)
			return -ENOMEM;
	}
	return 0;
}

static bool has_mtu(const struct bridge *bridge, const char *name)
{
	const struct sriov_vswitch_port *port = bridge_port(bridge, name);
	unsigned mtu = bridge->pf->pf[0].mtu;

	return !port || !mtu || port->mtu_request == mtu;
}

/* The network's MTU end to end, also once the PF has got another; a port that was there before us has its own. */
static int make_mtu(struct bridge *bridge, const struct pf_state *want, struct steps *steps,
		    struct sriov_error *err)
{
	bool uplink = bridge->net.uplink != SRIOV_UPLINK_PORT;
	const struct sriov_lease *lease;

	if (want->image || !bridge_is_made(want))
		return 0;
	if (uplink && !has_mtu(bridge, bridge->net.port) &&
	    !add(steps, STEP_MTU, true, bridge, bridge->net.port, err))
		return -ENOMEM;
	FOR_EACH_WANTED(bridge, want, lease)
	{
		if (!has_mtu(bridge, guest_lease_port(lease)) &&
		    add_lease(steps, STEP_MTU, true, bridge, lease, err) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int note_losses(const struct sriov_notes *notes, struct steps *steps)
{
	for (size_t i = 0; i < notes->n; i++)
		if (steps_note(steps, "on the bridge: %s", notes->at[i].text) < 0)
			return -ENOMEM;
	return 0;
}

/* The whole policy is one step: ports that come or go are in it. */
static int make_policy(struct bridge *bridge, const struct pf_state *want, struct steps *steps,
		       struct sriov_error *err)
{
	const struct sriov_vswitch_bridge *there = vswitch_bridge(bridge->is, bridge->net.bridge);
	_vswitch_diff_ struct vswitch_diff diff = {0};
	_openflow_ struct openflow flows = {0};
	struct step *step;
	bool changes;
	int r = bridge_compile(bridge, want, &flows, err);

	if (r < 0)
		return r;
	if (vswitch_diff(&bridge->now, &flows, &diff) < 0)
		return core_oom(err);
	changes = diff.flows || diff.nbefore || diff.nafter;
	/* with a bridge of ours its flows go too */
	if (!changes || (!bridge_is_made(want) && (!there || there->ours)))
		return 0;
	step = add(steps, STEP_POLICY, true, bridge, bridge->net.bridge, err);
	if (!step)
		return -ENOMEM;
	step->want = want;
	return note_losses(&flows.notes, steps) < 0 ? core_oom(err) : 0;
}

/* Without VFs the NIC has no switch that frames for guests would have to pass, and i40e refuses such an address. */
static bool has_vfs(const struct bridge *bridge, const struct pf_state *want)
{
	bool own = !strcmp(want->address, bridge->net.uplink_pf);

	return own && (want->has & STATE_COUNT) ? want->count : bridge->pf->pf[0].vfs;
}

static int make_fdb(struct bridge *bridge, const struct pf_state *want, struct steps *steps,
		    struct sriov_error *err)
{
	const struct sriov_lease *lease;

	if (!bridge_through_pf(bridge) || !has_vfs(bridge, want))
		return 0;
	FOR_EACH_WANTED(bridge, want, lease)
	{
		if (makes(want, lease) && is_active(lease) && !has_fdb(bridge, lease) &&
		    add_lease(steps, STEP_FDB, true, bridge, lease, err) < 0)
			return -ENOMEM;
	}
	return 0;
}

int bridge_steps(const struct change *change, const struct pf_state *want, bool on,
		 struct steps *steps, struct sriov_error *err)
{
	struct bridge *bridge = change->bridge;
	int r;

	if (!bridge)
		return 0;
	if (bridge->away)
		return on ? make_fdb(bridge, want, steps, err) : drop_fdb(bridge, want, steps, err);
	if (!on) {
		r = drop_fdb(bridge, want, steps, err);
		if (!r)
			r = drop_own(bridge, want, steps, err);
		if (!r)
			r = drop_strays(change, want, steps, err);
		return r ? r : drop_net(bridge, want, steps, err);
	}
	r = make_net(bridge, want, steps, err);
	if (!r)
		r = make_ports(bridge, want, steps, err);
	if (!r)
		r = make_mtu(bridge, want, steps, err);
	if (!r)
		r = make_policy(bridge, want, steps, err);
	return r ? r : make_fdb(bridge, want, steps, err);
}
