/* SPDX-License-Identifier: Apache-2.0 */
/* One effect on a simulated host: what it does, or how it was told to deviate. */
#include "lib/host/sim.h"

#include <errno.h>
#include <string.h>

static sim_effect_fn *const effects[SIM_EFFECTS] = {
	[SIM_LINK_SET] = sim_link_set,
	[SIM_AUTOPROBE] = sim_autoprobe,
	[SIM_NUMVFS] = sim_numvfs,
	[SIM_VF_SET] = sim_vf_set,
	[SIM_OVERRIDE] = sim_override,
	[SIM_UNBIND] = sim_unbind,
	[SIM_PROBE] = sim_probe,
	[SIM_NTUPLE] = sim_ntuple,
	[SIM_RULE_INSERT] = sim_rule_insert,
	[SIM_RULE_DELETE] = sim_rule_delete,
	[SIM_VF_UP] = sim_vf_up,
	[SIM_FRAMES] = sim_frames,
	[SIM_RSS_SET] = sim_rss_set,
	[SIM_FDB_SET] = sim_fdb_set,
	[SIM_LINK_MAKE] = sim_link_make,
	[SIM_LINK_DELETE] = sim_link_delete,
	[SIM_VIRT_ATTACH] = sim_virt_attach,
	[SIM_VIRT_DETACH] = sim_virt_detach,
	[SIM_VIRT_LIMIT] = sim_virt_limit,
	[SIM_VIRT_DEFINE] = sim_virt_define,
	[SIM_VIRT_PIN] = sim_virt_pin,
	[SIM_VIRT_MEMORY] = sim_virt_memory,
	[SIM_OVS_PORT_ADD] = sim_ovs_effect,
	[SIM_OVS_PORT_DEL] = sim_ovs_effect,
	[SIM_OVS_PORT_SET] = sim_ovs_effect,
	[SIM_OVS_BRIDGE_ADD] = sim_ovs_effect,
	[SIM_OVS_BRIDGE_DEL] = sim_ovs_effect,
	[SIM_OVS_FLOWS] = sim_ovs_effect,
	[SIM_OVS_METER_SET] = sim_ovs_effect,
	[SIM_OVS_METER_DEL] = sim_ovs_effect,
};

/* The VF that a call is about, or -1. */
static int vf_of(const struct sriov_pf *pf, const struct sim_call *call)
{
	if (call->op == SIM_VF_SET || call->op == SIM_VF_UP)
		return call->vf;
	for (unsigned v = 0; call->address && v < pf->vfs; v++) {
		if (!strcmp(pf->vf[v].address, call->address))
			return v;
	}
	return -1;
}

/* An effect on a guest or on OVS: of no PF, though it may change some. */
static int perform_elsewhere(struct sim *sim, const struct sim_call *call, struct sriov_error *err)
{
	struct sim_deviation d;

	if (!sim_deviate(sim, call->op, "", -1, SIM_DEVIATE_ERRNO | SIM_DEVIATE_LIE, &d))
		return effects[call->op](sim, NULL, call, err);
	if (d.has & SIM_DEVIATE_LIE)
		return 0;
	return core_errno(err, -sim_errno(d.errno_name), call->ovs ? "OVS" : "libvirt",
			  "%s fails, as the simulated host was told", sim_op_words[call->op]);
}

/* The effect itself, or how it deviates. */
int sim_perform(struct sim *sim, const struct sim_call *call, struct sriov_error *err)
{
	bool takes_device_lock = call->op == SIM_NUMVFS || call->op == SIM_UNBIND ||
				 call->op == SIM_PROBE;
	struct sim_deviation d;
	struct sriov_pf *pf;
	char object[96];
	int vf;

	if (!call->pf)
		return perform_elsewhere(sim, call, err);
	pf = inventory_find(sim->inv, call->pf->address);
	if (!pf)
		return core_errno(err, -ENODEV, call->pf->address, "the PF is gone");
	if (!sriov_driver_find(pf->driver) && !sim_pf_binds(pf, call))
		return sriov_error_set(err, -EOPNOTSUPP, pf->address,
				       "the simulated host has no model of the driver '%s'",
				       pf->driver);
	vf = vf_of(pf, call);
	if (sim_deviate(sim, call->op, pf->address, vf, SIM_DEVIATE_HANG, &d))
		return sim_stick(sim, pf, call, vf, "the simulated host was told so", err);
	if (takes_device_lock && sim_stuck_on(sim, pf))
		return sim_stick(sim, pf, call, vf, "an earlier call holds the device lock", err);
	if (!sim_deviate(sim, call->op, pf->address, vf, SIM_DEVIATE_ERRNO | SIM_DEVIATE_LIE, &d))
		return effects[call->op](sim, pf, call, err);
	if (d.has & SIM_DEVIATE_LIE)
		return 0;
	return core_errno(err, -sim_errno(d.errno_name), sim_object(object, pf->address, vf),
			  "%s fails, as the simulated host was told", sim_op_words[call->op]);
}
