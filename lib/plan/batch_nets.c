/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The networks of a batch. A record is the generation's; a bridge is more: it is part of the change of the PF beside its
 * uplink, whose journal undoes or finishes it with all else. All PFs are locked before the first bridge is.
 */
#include "lib/guest/physnet.h"
#include "lib/guest/place.h"
#include "lib/plan/batch.h"
#include "lib/plan/bridge.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool same_bridge(const struct sriov_physnet *a, const struct sriov_physnet *b)
{
	return !strcmp(a->bridge, b->bridge) &&
	       (!a->bridge[0] ||
		(!physnet_check_same(a, b, NULL) && !strcmp(a->sockets, b->sockets)));
}

bool batch_same_net(const struct sriov_physnet *a, const struct sriov_physnet *b)
{
	for (size_t i = 0; i < a->npfs && i < b->npfs; i++)
		if (strcmp(a->pf[i], b->pf[i]) != 0)
			return false;
	return a->npfs == b->npfs && same_bridge(a, b) && policy_same(&a->policy, &b->policy);
}

static int tell(struct batch *batch, const struct sriov_physnet *net, struct sriov_error *err)
{
	char pfs[300] = "", bridge[160] = "", paths[POLICY_TEXT], numa[POLICY_TEXT];

	for (size_t i = 0; i < net->npfs; i++) {
		size_t used = strlen(pfs);

		snprintf(pfs + used, sizeof(pfs) - used, " %s", net->pf[i]);
	}
	if (net->bridge[0])
		snprintf(bridge, sizeof(bridge), ", bridge %s by %s (%s)", net->bridge, net->port,
			 sriov_uplink_word(net->uplink));
	policy_format(&net->policy, paths, numa);
	return change_notes_add(&batch->record, err, "physnet %s:%s%s%s%s%s%s", net->name, pfs,
				bridge, paths[0] ? ", paths " : "", paths, numa[0] ? ", numa " : "",
				numa);
}

/* ---- what stands against it ---- */

/* A network of guests that hold something there keeps its PF, and its bridge; an uplink is not exchanged under it. */
static int check_was(struct batch *batch, const struct sriov_physnet *now,
		     const struct sriov_physnet *then, struct sriov_error *err)
{
	struct sriov_physnet gone = {0};
	int r;

	core_copy(gone.name, sizeof(gone.name), now->name);
	r = physnet_check(batch->store, now, 1, then ?: &gone, err);
	if (r || !then || !then->bridge[0])
		return r;
	r = physnet_check_same(now, then, err);
	return r < 0 ? sriov_error_status(err, SRIOV_REFUSED) : 0;
}

/* The bridge goes and comes by two PFs, of which neither would see the other. */
static int check_free(const struct sriov_physnet *now, size_t n, const struct sriov_physnet *then,
		      struct sriov_error *err)
{
	for (size_t i = 0; then->bridge[0] && i < n; i++) {
		if (strcmp(now[i].bridge, then->bridge) != 0 || !strcmp(now[i].name, then->name))
			continue;
		sriov_error_set(err, -EEXIST, then->name, "%s is the bridge of physnet %s by now",
				then->bridge, now[i].name);
		sriov_error_hint(err, "take it away first: sriovctl physnet delete %s",
				 now[i].name);
		return sriov_error_status(err, SRIOV_REFUSED);
	}
	return 0;
}

/* ---- bridges ---- */

static struct batch_part *part_of(struct batch *batch, const char *address)
{
	for (size_t i = 0; i < batch->n; i++)
		if (!strcmp(batch->part[i].change.pf->address, address))
			return &batch->part[i];
	return NULL;
}

static int refuse_two(const struct batch_part *part, const struct sriov_physnet *net,
		      struct sriov_error *err)
{
	const char *other = part->change.want.net->net.name;

	sriov_error_set(err, -EBUSY, net->name,
			"bridges of two networks, this and %s, change beside %s at once", other,
			pf_label(part->change.pf));
	sriov_error_hint(err, "one after the other: sriovctl physnet delete %s first", other);
	return sriov_error_status(err, SRIOV_REFUSED);
}

/* @now: what is recorded of it, NULL = nothing; @recorded: the bridge is to be there, else it goes. */
static int want_bridge(struct batch *batch, const struct sriov_physnet *net,
		       const struct sriov_physnet *now, bool recorded, struct sriov_error *err)
{
	struct batch_part *part = part_of(batch, net->uplink_pf);
	bool differs = !recorded || !now || !same_bridge(now, net);

	if (!part && !differs)
		return 0;
	if (!part) {
		sriov_error_set(err, -EAGAIN, net->name,
				"its bridge was changed by another command meanwhile");
		sriov_error_hint(err, "run the command again");
		return sriov_error_status(err, SRIOV_REFUSED);
	}
	if (part->change.want.net)
		return refuse_two(part, net, err);
	part->sets_net = differs;
	return bridge_want_net(&part->change, net, now != NULL, recorded, err);
}

static int plan_was(struct batch *batch, const struct sriov_physnet *now, struct sriov_error *err)
{
	const struct sriov_physnet *then = physnet_named(batch->net, batch->nnets, now->name);
	struct sriov_physnet gone = *now;
	int r;

	if (then && batch_same_net(now, then))
		return 0;
	batch->has_nets = true;
	r = check_was(batch, now, then, err);
	gone.npfs = 0;
	if (!r && now->bridge[0] && (!then || !then->bridge[0]))
		r = want_bridge(batch, &gone, now, false, err);
	if (!r)
		r = then ? tell(batch, then, err)
			 : change_notes_add(&batch->record, err, "physnet %s is forgotten",
					    now->name);
	return r;
}

static int plan_then(struct batch *batch, const struct sriov_physnet *now, size_t n,
		     const struct sriov_physnet *then, struct sriov_error *err)
{
	const struct sriov_physnet *was = physnet_named(now, n, then->name);
	int r = check_free(now, n, then, err);

	if (!r && then->bridge[0])
		r = want_bridge(batch, then, was, true, err);
	if (r || was)
		return r;
	batch->has_nets = true;
	return tell(batch, then, err);
}

int batch_plan_nets(struct batch *batch, struct sriov_error *err)
{
	struct sriov_physnet *now = NULL;
	size_t n = 0;
	int r = batch->store ? store_physnet_list(batch->store, &now, &n, err) : 0;

	for (size_t i = 0; !r && i < n; i++) {
		core_copy(batch->failed_net, sizeof(batch->failed_net), now[i].name);
		r = plan_was(batch, &now[i], err);
	}
	for (size_t i = 0; !r && i < batch->nnets; i++) {
		core_copy(batch->failed_net, sizeof(batch->failed_net), batch->net[i].name);
		r = plan_then(batch, now, n, &batch->net[i], err);
	}
	if (!r)
		batch->failed_net[0] = '\0';
	sriov_physnets_free(now, n);
	return r;
}
