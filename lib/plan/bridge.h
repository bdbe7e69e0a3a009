/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bridge of a physnet, as a change sees it. What is wanted there is a function of the leases, the rules of the PF
 * beside its uplink, and the ports: each guest on vhost-user has a port, the policy of all of them is one bundle of
 * flows, and a PF that is the uplink itself takes frames for them. A change says only what becomes of its own lease,
 * list or network; what else is missing it makes good.
 */
#ifndef SRIOV_PLAN_BRIDGE_H
#define SRIOV_PLAN_BRIDGE_H

#include "lib/plan/change.h"
#include "lib/vswitch/vswitch.h"

struct bridge {
	struct sriov_physnet net;  /* owns its list of PFs */
	struct sriov_vswitch *is;  /* as last read */
	struct vswitch_policy now; /* … its flows and meters */
	struct sriov_lease *lease; /* of the network, with a port */
	size_t nleases;
	uint8_t (*taken)[6]; /* addresses of guests that the uplink's PF takes frames for */
	size_t ntaken;
	struct sriov_rules rules; /* of the uplink's PF, as committed */
	struct sriov_inventory
		*pf; /* the uplink's PF, for its address, its MTU and whether it has VFs */
	bool away; /* OVS cannot be asked: it is left as it is, and only what is the PF's is done */
};
void bridge_free(struct bridge *bridge);

/*
 * If @want concerns a bridge: takes its lock and loads what is known of it into change->bridge. The lock of a PF comes
 * before it.
 */
int bridge_open(struct change *change, const struct pf_state *want, struct sriov_error *err);
/* Its lock, unless the change has it already: after that of the PF, not in a dry run. */
int bridge_lock(struct change *change, const char *name, struct sriov_error *err);
/* Reads its leases, OVS, and what the uplink's PF takes frames for. */
int bridge_read(struct change *change, struct sriov_error *err);
/* The rules of a PF as committed; none if nothing is recorded of it, or there is no @store. The caller clears @out. */
int bridge_load_rules(struct store *store, const char *pf, struct sriov_rules *out,
		      struct sriov_error *err);
/*
 * The steps of OVS from what was last read to @want: before the PF's own (@on false: what goes) and after them. Notes
 * say what a policy loses. -ENOTSUP: a rule, or a port's VLAN, has no form in OpenFlow.
 */
int bridge_steps(const struct change *change, const struct pf_state *want, bool on,
		 struct steps *steps, struct sriov_error *err);
/* What makes a new port or bridge fail, told before: an OVS without DPDK, somebody else's bridge, the socket. */
int bridge_check(const struct change *change, const struct pf_state *want, struct sriov_error *err);
/*
 * Makes the network part of what the change wants, with what its uplink asks of the PF: to be there (@recorded), or to
 * go. @was: it is recorded by now. -EBUSY: the bridge has ports of others, or its VF is not free.
 */
int bridge_want_net(struct change *change, const struct sriov_physnet *net, bool was, bool recorded,
		    struct sriov_error *err);
/* What a VF is that OVS sends frames of all guests from. */
void bridge_want_uplink(struct vf_state *vf);
/* OVS and the network itself use the VF of the uplink: no obstacle to a change that is about the network. */
void bridge_drop_uses(struct change *change);
/* What of @want's network is there, for the before-image of a change. */
void bridge_capture(const struct change *change, struct net_state *net);

/*
 * bridge_named.c: 1: a domain, running or not, names the port's socket, and is called @name. Errors: libvirt cannot tell.
 */
int bridge_port_user(struct sriov_host *host, const struct sriov_vswitch_port *port,
		     char name[SRIOV_NAME_LEN], struct sriov_error *err);
/* Of `adopt`: notes guests on bridges with an uplink beside the change's PF that are of no network on record. */
int bridge_note_unrecorded(struct change *change, struct sriov_error *err);
/* strays.c: whether the bridge has an uplink of that PF, and in @words what it would be asked for with. */
bool bridge_uplink_of(const struct sriov_pf *pf, const struct sriov_vswitch_bridge *bridge,
		      char words[SRIOV_NAME_LEN]);
/* strays.c: of `restore`: bridges of ours that no network names go, or it is noted what they are kept for. */
int restore_strays(struct sriov_host *host, const struct sriov_options *opts,
		   struct change_chain *chain, struct sriov_error *err);

/* Whether the PF itself is the uplink, and must take frames for guests behind it. */
static inline bool bridge_through_pf(const struct bridge *bridge)
{
	return bridge->net.uplink == SRIOV_UPLINK_AF_PACKET ||
	       bridge->net.uplink == SRIOV_UPLINK_AF_XDP;
}
/* Whether @want has the bridge; only a network that goes has none. */
static inline bool bridge_is_made(const struct pf_state *want)
{
	return !want->net || want->net->made;
}
/* The port of that name on the bridge, or NULL. */
const struct sriov_vswitch_port *bridge_port(const struct bridge *bridge, const char *name);
/* What the policy is to be, with the ports as last read. */
int bridge_compile(const struct bridge *bridge, const struct pf_state *want, struct openflow *out,
		   struct sriov_error *err);

#endif
