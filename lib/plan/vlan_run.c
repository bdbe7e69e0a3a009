/* SPDX-License-Identifier: Apache-2.0 */
/* The steps that make and delete VLAN netdevs and their bridges, and `restore` of them. See vlan.h. */
#include "lib/guest/below.h"
#include "lib/plan/vlan.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define RETRY_MS 20

void vlan_describe(const struct sriov_pf *pf, const struct step *step, char *buf, size_t size)
{
	const char *what = step->is_bridge ? "bridge" : "VLAN netdev";
	int used;

	if (!step->on)
		snprintf(buf, size, "delete %s %s, which no lease needs", what, step->name);
	else if (step->is_bridge)
		snprintf(buf, size, "%s bridge %s for taps in VLAN %u of %s",
			 step->fresh ? "make" : "set up", step->name, step->number, pf_label(pf));
	else {
		used = snprintf(buf, size, "%s VLAN netdev %s (VLAN %u of %s)",
				step->fresh ? "make" : "set up", step->name, step->number,
				pf_label(pf));
		if (*step->driver && used >= 0 && (size_t)used < size)
			snprintf(buf + used, size - used, ", as the port of %s", step->driver);
	}
}

static int make(struct step_context *ctx, const struct step *step, struct sriov_error *err)
{
	const struct sriov_pf *pf = &(*ctx->inv)->pf[0];
	struct host_link link = {.vlan = step->is_bridge ? 0 : step->number};

	core_copy(link.name, sizeof(link.name), step->name);
	core_copy(link.lower, sizeof(link.lower), step->is_bridge ? "" : pf->netdev);
	core_copy(link.master, sizeof(link.master), step->driver);
	return ctx->host->ops->link_make(ctx->host, pf, &link, !step->fresh, err);
}

/* A macvtap or tap that libvirt has just taken off may go a moment later; what stays there is somebody's. */
static int delete (struct step_context *ctx, const struct step *step, struct sriov_error *err)
{
	const struct host_ops *ops = ctx->host->ops;
	int64_t deadline = ops->now_ms(ctx->host) + ctx->kernel_ms;

	for (;;) {
		_links_ struct host_links links = {0};
		const struct host_link *link;
		char why[64];
		int r = ops->links(ctx->host, &links, err);

		if (r < 0)
			return r;
		link = links_find(&links, step->name);
		if (!link)
			return 0;
		if (!guest_link_held(&links, link, NULL, why, sizeof(why)))
			return ops->link_delete(ctx->host, &(*ctx->inv)->pf[0], step->name, err);
		if (ops->now_ms(ctx->host) >= deadline)
			return sriov_error_set(err, -EBUSY, step->name,
					       "cannot be deleted: %s by now", why);
		ops->pause(ctx->host, RETRY_MS);
	}
}

int vlan_run(struct step_context *ctx, const struct step *step, struct sriov_error *err)
{
	return step->on ? make(ctx, step, err) : delete (ctx, step, err);
}

/* ---- restore ---- */

static int restore_one(struct sriov_host *host, const char *pf, const struct sriov_options *opts,
		       struct sriov_plan **plan, struct sriov_error *err)
{
	struct change change;
	int r = change_open(&change, host, pf, 0, opts, err);

	if (!r) {
		core_copy(change.want.address, sizeof(change.want.address), change.pf->address);
		change.want.links = true;
		r = change_run(&change, err);
	}
	if (!r && change.vlans && change.vlans->nfaults) {
		*err = change.vlans->fault;
		r = err->code;
		sriov_error_status(err, SRIOV_INCOMPLETE);
	}
	change_give_plan(&change, plan);
	change_close(&change);
	return r;
}

int vlan_has_leases(struct store *store, const char *pf, bool *out, struct sriov_error *err)
{
	_free_ struct sriov_lease *lease = NULL;
	size_t n = 0;
	int r = store_lease_list(store, pf, &lease, &n, err);

	*out = false;
	for (size_t i = 0; !r && i < n; i++)
		*out |= guest_lease_is_tagged(&lease[i]);
	return r;
}

static bool has_ours(const struct sriov_pf *pf, const struct host_links *links)
{
	for (size_t i = 0; i < links->n; i++)
		if (links->at[i].ours && *pf->netdev && !strcmp(links->at[i].lower, pf->netdev))
			return true;
	return false;
}

int restore_vlans(struct sriov_host *host, const char *pf, const struct sriov_options *opts,
		  struct change_chain *chain, struct sriov_error *err)
{
	_links_ struct host_links links = {0};
	struct sriov_inventory *inv = NULL;
	struct store *store = NULL;
	int r = store_get(host, false, &store, err);

	if (!r)
		r = host->ops->links(host, &links, err);
	if (!r)
		r = host_read(host, pf, 0, &inv, err);
	for (size_t i = 0; !r && i < inv->npfs; i++) {
		struct sriov_error mine = {0};
		bool any;

		r = vlan_has_leases(store, inv->pf[i].address, &any, err);
		if (r < 0 || !(any || has_ours(&inv->pf[i], &links)))
			continue;
		change_chain_add(chain,
				 restore_one(host, inv->pf[i].address, opts, chain->tail, &mine),
				 &mine);
	}
	sriov_inventory_free(inv);
	return r;
}
