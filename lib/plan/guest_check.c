/* SPDX-License-Identifier: Apache-2.0 */
/* Looking at a guest: reads everything, then judges (lib/guest/findings.c). Changes nothing and takes no lock. */
#include "lib/guest/findings.h"
#include "lib/plan/tuning.h"

#include <errno.h>

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
	struct check_facts facts;
	int r;

	if (!findings)
		return core_oom(err);
	r = guest_view_read(host, &look, true, &view, err);
	if (!r && view.facts.nic_node >= 0)
		r = tune_place(&view.facts, &target, err);
	if (!r && view.domain.running)
		r = host->virt->process(host, view.domain.uuid, &process, err);
	if (r < 0)
		return r;
	facts = (struct check_facts){
		.guest = view.domain.name,
		.inv = view.inv,
		.tune = &view.facts,
		.target = target.nitems ? &target : NULL,
		.process = view.domain.running ? &process : NULL,
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
