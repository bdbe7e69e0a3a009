/* SPDX-License-Identifier: Apache-2.0 */
/* The attributes of a guest's VFs that libvirt's hook sets, and puts back. */
#include "lib/guest/choose.h"
#include "lib/plan/hook.h"

/* What of a VF is the guest's and not libvirt's. */
#define OURS (SRIOV_VF_SPOOFCHK | SRIOV_VF_TRUST | SRIOV_VF_RATE | SRIOV_VF_LINK)

/* What the intent says of the VF, as far as libvirt does not say it. */
static struct sriov_vf_attrs attrs_of(const struct hook_change *at, const struct hook_vf *vf)
{
	const struct vf_state *intent = state_find_vf(&at->change.intent, vf->index);
	struct sriov_vf_attrs attrs = intent ? intent->attrs : (struct sriov_vf_attrs){0};
	bool more = attrs.qos || (attrs.vlan_proto && attrs.vlan_proto != 0x8100);

	if (!vf->device->interface)
		attrs.has &= OURS | SRIOV_VF_MAC | SRIOV_VF_VLAN;
	else if (more && attrs.vlan == vf->device->vlan)
		attrs.has &= OURS | SRIOV_VF_VLAN; /* its priority, which libvirt has no word for */
	else
		attrs.has &= OURS;
	return attrs;
}

int hook_attrs_want(struct hook_change *at, struct sriov_error *err)
{
	struct change *change = &at->change;
	int r = 0;

	for (size_t i = 0; !r && i < at->nvfs; i++) {
		const struct sriov_vf_attrs attrs = attrs_of(at, &at->vf[i]);
		const struct sriov_vf *now = pf_vf(change->pf, at->vf[i].index);
		struct sriov_lease *lease = hook_lease_of(at, at->vf[i].index);
		struct vf_state *vf = attrs.has ? state_vf(&change->want, at->vf[i].index) : NULL;
		unsigned before;

		if (!attrs.has || !now)
			continue;
		if (!vf)
			return core_oom(err);
		vf->attrs = attrs;
		if (!lease || at->hook->opts->dry_run)
			continue;
		before = lease->found.has;
		guest_remember(now, &(struct sriov_vf_attrs){.has = attrs.has & OURS}, lease);
		if (lease->found.has != before)
			r = hook_lease_found(at, lease, err);
	}
	return r;
}

void hook_attrs_read(struct hook_change *at)
{
	for (size_t i = 0; i < at->nvfs; i++)
		if (attrs_of(at, &at->vf[i]).has)
			at->change.what |= SRIOV_READ_ATTRS;
}

int hook_attrs_found(struct hook_change *at, bool all, struct sriov_error *err)
{
	struct change *change = &at->change;

	for (size_t i = 0; i < at->nleases; i++) {
		const struct sriov_lease *lease = &at->lease[i];
		const struct vf_state *intent = state_find_vf(&change->intent, lease->vf);
		struct sriov_vf_attrs attrs = lease->found;
		struct vf_state *vf;

		attrs.has &= OURS;
		if (all && intent) {
			struct sriov_vf_attrs libvirts = intent->attrs;

			libvirts.has &= SRIOV_VF_MAC | SRIOV_VF_VLAN;
			sriov_vf_attrs_merge(&attrs, &libvirts);
		}
		if (!attrs.has || !pf_vf(change->pf, lease->vf))
			continue;
		vf = state_vf(&change->want, lease->vf);
		if (!vf)
			return core_oom(err);
		vf->attrs = attrs;
		vf->lent = true;
	}
	return 0;
}
