/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Networks: their records, and the bridge of OVS with its uplink that belongs to one. A network without a bridge is a
 * record only; with one it is a change of the PF beside the uplink.
 */
#include "lib/guest/physnet.h"
#include "lib/guest/place.h"
#include "lib/plan/bridge.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define POOL "uplink"

/* The records, and the one that is meant. */
struct nets {
	struct sriov_physnet *at;
	size_t n;
	const struct sriov_physnet *was; /* NULL: there is none of that name */
};

static void nets_clear(struct nets *nets)
{
	sriov_physnets_free(nets->at, nets->n);
}
#define _nets_ _cleanup_(nets_clear)

static int nets_load(struct sriov_host *host, const char *name, struct nets *out,
		     struct sriov_error *err)
{
	int r = sriov_physnet_list(host, &out->at, &out->n, err);

	if (!r)
		out->was = physnet_named(out->at, out->n, name);
	return r;
}

/* ---- without a bridge ---- */

static int record(struct sriov_host *host, const struct sriov_physnet *net, bool dry_run,
		  struct sriov_error *err)
{
	_nets_ struct nets nets = {0};
	struct store *store = NULL;
	int r = store_get(host, !dry_run, &store, err);

	if (!r && !dry_run)
		r = store_begin(store, STORE_DURABLE, err);
	if (!r)
		r = nets_load(host, net->name, &nets, err);
	if (!r)
		r = physnet_check(store, nets.at, nets.n, net, err);
	if (!r && !dry_run)
		r = store_physnet_put(store, net, err);
	if (!r && !dry_run)
		r = store_commit(store, err);
	if (store)
		store_rollback(store);
	return r;
}

/* ---- the uplink ---- */

/* OVS sends frames of all guests from this VF, and takes frames for all of them. */
static const struct sriov_vf_attrs uplink_attrs = {.has = SRIOV_VF_TRUST | SRIOV_VF_SPOOFCHK,
						   .trust = true};
static const struct sriov_vf_attrs plain_attrs = {.has = SRIOV_VF_TRUST | SRIOV_VF_SPOOFCHK,
						  .spoofchk = true};

/* The pool that the VF is taken from: the change itself may say that it goes to the uplinks. */
static const char *pool_before(const struct pf_state *want, const struct sriov_vf *vf)
{
	for (size_t i = 0; i < want->npools; i++)
		if (vf->index >= want->pools[i].first && vf->index <= want->pools[i].last &&
		    !strcmp(want->pools[i].name, POOL))
			return vf->pool;
	return NULL;
}

static int check_uplink_vf(const struct change *change, const struct sriov_physnet *net,
			   struct sriov_error *err)
{
	const struct sriov_vf *vf = pf_vf(change->pf, net->uplink_vf);
	char object[64], why[256];

	snprintf(object, sizeof(object), "vf %u of %s", net->uplink_vf, pf_label(change->pf));
	if (!vf) {
		sriov_error_set(err, -ENODEV, object, "there is no such VF");
		return sriov_error_hint(err, "create VFs first: sriovctl vf create %s --count N",
					pf_label(change->pf));
	}
	if (!strcmp(vf->pool, POOL) ||
	    !guest_vf_taken(change->pf, vf, pool_before(&change->want, vf), why, sizeof(why)))
		return 0;
	sriov_error_set(err, -EBUSY, object, "cannot be the uplink: %s", why);
	sriov_error_hint(err, "take a free one (sriovctl vf list %s)", pf_label(change->pf));
	return sriov_error_status(err, SRIOV_REFUSED);
}

void bridge_want_uplink(struct vf_state *vf)
{
	sriov_vf_attrs_merge(&vf->attrs, &uplink_attrs);
	vf->has_driver = true;
	core_copy(vf->driver, sizeof(vf->driver), "vfio-pci");
}

/* A VF that is the uplink no more is as any other, but for what is said of it besides. */
static void want_plain(struct vf_state *vf)
{
	struct sriov_vf_attrs attrs = plain_attrs;

	attrs.has &= ~vf->attrs.has;
	sriov_vf_attrs_merge(&vf->attrs, &attrs);
	if (!vf->has_driver)
		core_copy(vf->driver, sizeof(vf->driver), BIND_ANY_DEFAULT);
	vf->has_driver = true;
}

static int want_uplink_vf(struct change *change, const struct net_state *net,
			  struct sriov_error *err)
{
	struct pf_state *want = &change->want;
	bool remade = (want->has & STATE_COUNT) && want->count != change->pf->vfs;
	bool there = remade ? net->net.uplink_vf < want->count
			    : pf_vf(change->pf, net->net.uplink_vf) != NULL;
	struct vf_state *vf;
	int r;

	if (net->net.uplink != SRIOV_UPLINK_VF)
		return 0;
	/* VFs that this change makes are nobody's yet */
	r = net->recorded && !(remade && there) ? check_uplink_vf(change, &net->net, err) : 0;
	if (r < 0 || !there)
		return r;
	vf = state_vf(want, net->net.uplink_vf);
	if (!vf)
		return core_oom(err);
	if (net->recorded)
		bridge_want_uplink(vf);
	else
		want_plain(vf);
	return 0;
}

/* Frames that are for nobody of ours are dropped: a bridge with ports of others would be cut off. */
static int check_alone(struct sriov_host *host, const struct sriov_physnet *net,
		       struct sriov_error *err)
{
	const struct sriov_vswitch_bridge *bridge;
	struct sriov_vswitch *is = NULL;
	int r = host->vswitch->read(host, false, &is, err);

	bridge = r ? NULL : vswitch_bridge(is, net->bridge);
	for (size_t i = 0; bridge && !r && i < bridge->nports; i++) {
		const struct sriov_vswitch_port *port = &bridge->port[i];

		if (port->ours || !strcmp(port->name, net->bridge) ||
		    !strcmp(port->name, net->port))
			continue;
		sriov_error_set(err, -EBUSY, net->bridge,
				"has port %s, which is not ours: our flows would drop its frames",
				port->name);
		sriov_error_hint(err, "take a bridge of its own; one that is not there is made");
		r = sriov_error_status(err, SRIOV_REFUSED);
	}
	sriov_vswitch_free(is);
	return r;
}

/* ---- with one ---- */

int bridge_want_net(struct change *change, const struct sriov_physnet *net, bool was, bool recorded,
		    struct sriov_error *err)
{
	struct net_state *want;
	int r = recorded ? check_alone(change->host, net, err) : 0;

	if (r < 0)
		return r;
	want = state_net(&change->want);
	if (!want || net_copy(net, &want->net) < 0)
		return core_oom(err);
	core_copy(change->want.address, sizeof(change->want.address), change->pf->address);
	want->recorded = want->made = want->linked = recorded;
	change->net_recorded = was;
	r = want_uplink_vf(change, want, err);
	bridge_drop_uses(change);
	return r;
}

static int change_net(struct sriov_host *host, const struct sriov_physnet *net, bool recorded,
		      const struct sriov_options *opts, struct sriov_plan **plan,
		      struct sriov_error *err)
{
	_nets_ struct nets nets = {0};
	struct change change;
	int r = change_open(&change, host, net->uplink_pf, CHANGE_READ_ALL, opts, err);

	if (!r)
		r = nets_load(host, net->name, &nets, err);
	if (!r)
		r = physnet_check(change.store, nets.at, nets.n, net, err);
	if (!r)
		r = bridge_want_net(&change, net, nets.was, recorded, err);
	if (!r)
		r = change_run(&change, err);
	change_give_plan(&change, plan);
	change_close(&change);
	return r;
}

SRIOV_EXPORT int sriov_physnet_add(struct sriov_host *host, const struct sriov_physnet_request *req,
				   const struct sriov_options *opts, struct sriov_plan **plan,
				   struct sriov_error *err)
{
	_nets_ struct nets nets = {0};
	struct sriov_inventory *inv = NULL;
	struct sriov_physnet net = {0};
	int r = host_read(host, NULL, 0, &inv, err);

	*plan = NULL;
	if (!r)
		r = nets_load(host, req->name, &nets, err);
	if (!r)
		r = physnet_make(req, nets.was, inv, &net, err);
	if (!r)
		r = net.bridge[0] ? change_net(host, &net, true, opts, plan, err)
				  : record(host, &net, opts->dry_run, err);
	free(net.pf);
	sriov_inventory_free(inv);
	return r;
}

SRIOV_EXPORT int sriov_physnet_delete(struct sriov_host *host, const char *name,
				      const struct sriov_options *opts, struct sriov_plan **plan,
				      struct sriov_error *err)
{
	_nets_ struct nets nets = {0};
	struct sriov_physnet gone = {0};
	int r = nets_load(host, name, &nets, err);

	*plan = NULL;
	if (!r && !nets.was)
		r = physnet_unknown(nets.at, nets.n, name, err);
	if (r < 0)
		return r;
	core_copy(gone.name, sizeof(gone.name), name);
	if (!nets.was->bridge[0])
		return record(host, &gone, opts->dry_run, err);
	gone = *nets.was;
	gone.npfs = 0; /* no lease may be of it */
	return change_net(host, &gone, false, opts, plan, err);
}
