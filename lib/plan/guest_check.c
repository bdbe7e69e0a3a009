/* SPDX-License-Identifier: Apache-2.0 */
/* Looking at a guest: reads everything, then judges (lib/guest/findings.c). Changes nothing and takes no lock. */
#include "lib/guest/below.h"
#include "lib/guest/findings.h"
#include "lib/plan/tuning.h"
#include "lib/plan/vlan.h"

#include <errno.h>
#include <string.h>

SRIOV_EXPORT void sriov_findings_free(struct sriov_findings *findings)
{
	if (!findings)
		return;
	for (size_t i = 0; i < findings->n; i++) {
		free(findings->at[i].object);
		free(findings->at[i].evidence);
		free(findings->at[i].fix);
	}
	free(findings->at);
	free(findings);
}

static void findings_freep(struct sriov_findings **findings)
{
	sriov_findings_free(*findings);
}

struct vlan_view {
	struct check_vlan *at;
	size_t n;
};

static void vlan_view_clear(struct vlan_view *view)
{
	for (size_t i = 0; i < view->n; i++) {
		free(view->at[i].why);
		free(view->at[i].fix);
	}
	free(view->at);
}

/* What `restore` would do for the lease, or why it could not. */
static int look_at_vlan(const struct sriov_inventory *inv, const struct host_links *links,
			const struct sriov_lease *lease, struct vlan_view *out,
			struct sriov_error *err)
{
	const struct sriov_pf *pf = inventory_find(inv, lease->pf);
	struct sriov_error why = {0};
	struct sriov_step_text text;
	struct steps steps = {0};
	struct check_vlan *vlan;
	/* without its PF the lease itself is stale, which `guest list` tells */
	int r = pf ? vlan_make(links, pf, lease, &steps, &why) : 0;

	if (r == -ENOMEM)
		return core_oom(err);
	vlan = r || steps.n ? core_grow(&out->at, &out->n, sizeof(*vlan)) : NULL;
	if ((r || steps.n) && !vlan)
		return core_oom(err);
	if (vlan) {
		core_copy(vlan->below, sizeof(vlan->below), lease->below);
		vlan->vlan = lease->vlan;
	}
	if (r < 0) {
		vlan->why = strdup(why.message);
		vlan->fix = strdup(why.hint);
	} else if (vlan) {
		step_describe(pf, &steps.at[0], &text);
		vlan->why = core_printf("its frames are not carried; missing: %s", text.what);
		vlan->fix = core_printf("sriovctl restore %s", pf_label(pf));
	}
	steps_clear(&steps);
	return vlan && !(vlan->why && vlan->fix) ? core_oom(err) : 0;
}

static int look_at_vlans(struct sriov_host *host, const struct guest_view *guest,
			 struct vlan_view *out, struct sriov_error *err)
{
	_free_ struct sriov_lease *lease = NULL;
	_links_ struct host_links links = {0};
	struct store *store = NULL;
	size_t n = 0;
	int r = store_get(host, false, &store, err);

	if (!r && store)
		r = store_lease_list(store, NULL, &lease, &n, err);
	for (size_t i = 0; !r && i < n; i++) {
		bool mine = lease[i].uuid[0] ? !strcasecmp(lease[i].uuid, guest->domain.uuid)
					     : !strcmp(lease[i].guest, guest->domain.name);

		if (!mine || !guest_lease_is_tagged(&lease[i]))
			continue;
		r = links.n ? 0 : host->ops->links(host, &links, err);
		if (!r)
			r = look_at_vlan(guest->inv, &links, &lease[i], out, err);
	}
	return r;
}

SRIOV_EXPORT int sriov_guest_check(struct sriov_host *host,
				   const struct sriov_tune_request *request,
				   struct sriov_findings **out, struct sriov_error *err)
{
	const struct sriov_tune_request look = {
		.guest = request->guest, .node = request->node, .exclude = request->exclude};
	_cleanup_(findings_freep)
	struct sriov_findings *findings = calloc(1, sizeof(*findings));
	_tune_target_ struct tune_target target = {0};
	_guest_view_ struct guest_view view = {0};
	_process_ struct process process = {0};
	_cleanup_(vlan_view_clear)
	struct vlan_view vlans = {0};
	struct check_facts facts;
	int r;

	if (!findings)
		return core_oom(err);
	r = guest_view_read(host, &look, true, &view, err);
	if (!r && view.facts.nic_node >= 0)
		r = tune_place(&view.facts, &target, err);
	if (!r && view.domain.running)
		r = host->virt->process(host, view.domain.uuid, &process, err);
	if (!r)
		r = look_at_vlans(host, &view, &vlans, err);
	if (r < 0)
		return r;
	facts = (struct check_facts){
		.guest = view.domain.name,
		.inv = view.inv,
		.tune = &view.facts,
		.target = target.nitems ? &target : NULL,
		.process = view.domain.running ? &process : NULL,
		.vlan = vlans.at,
		.nvlans = vlans.n,
	};
	r = check_findings(&facts, findings, err);
	if (r < 0)
		return r;
	core_copy(findings->guest, sizeof(findings->guest), view.domain.name);
	core_copy(findings->uuid, sizeof(findings->uuid), view.domain.uuid);
	findings->running = view.domain.running;
	*out = core_steal(findings);
	return 0;
}
