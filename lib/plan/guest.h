/* SPDX-License-Identifier: Apache-2.0 */
/* Changes for guests: what attach and detach share. */
#ifndef SRIOV_PLAN_GUEST_H
#define SRIOV_PLAN_GUEST_H

#include "lib/plan/change.h"

/* What the PF of a guest's lease is read with. */
#define GUEST_CHANGE_READ (SRIOV_READ_VFS | SRIOV_READ_ATTRS | SRIOV_READ_USERS | SRIOV_READ_USES)

/* adopt.c: the lease of a guest for the VF that its domain got from elsewhere; what of it the domain says is left. */
struct sriov_lease guest_adopted(const struct change *change, const struct sriov_vf *vf,
				 const char *guest);

/* guest.c: what of the VF's attributes @attrs replaces is remembered once, for the end of the lease. */
void guest_remember(const struct sriov_vf *vf, const struct sriov_vf_attrs *attrs,
		    struct sriov_lease *lease);

/* ---- shared by attach, detach and move ---- */

/* guest_rules.c: whether the rule's target or scope is the lease's guest. */
bool guest_rule_names(const struct sriov_rule *rule, const struct sriov_lease *lease);
/*
 * Refuses if a drop of the PF that is, or may be, about the guest does not hold where @lease has it: on a macvtap or
 * tap, or on a bridge beside the uplink of which is another PF. Of other rules about it that is noted.
 */
int guest_check_carried(struct change *change, const struct sriov_lease *lease,
			struct sriov_error *err);
/* Notes for which guests of the PF new drops of @list, its rules as they will be, do not hold, and why. */
int guest_tell_uncarried(struct change *change, const struct sriov_rules *list,
			 struct sriov_error *err);
/*
 * The lease that @as is about: guest, net, pf. -ENOENT: nobody of that name holds one; the hint has the nearest. Its
 * libvirt is the one that was named.
 */
int guest_find(struct sriov_host *host, const struct sriov_guest_request *as,
	       struct sriov_lease *out, struct sriov_error *err);
/* What would make giving @guest's devices to the domain fail, told before: guest_device_check() and others there. */
int guest_check_devices(const struct virt_domain *domain, const struct guest_state *guest,
			struct sriov_error *err);

#endif
