/* SPDX-License-Identifier: Apache-2.0 */
/* Changes for guests: what attach, detach, gc and adopt share. */
#ifndef SRIOV_PLAN_GUEST_H
#define SRIOV_PLAN_GUEST_H

#include "lib/plan/change.h"

/* What the PF of a guest's lease is read with. */
#define GUEST_CHANGE_READ (SRIOV_READ_VFS | SRIOV_READ_ATTRS | SRIOV_READ_USERS | SRIOV_READ_USES)

/*
 * The domain that @as->guest names, by libvirt; zero if the request is for none (hands-off) or brings its XML
 * along. The caller clears it.
 */
int guest_find_domain(struct sriov_host *host, const struct sriov_guest_request *as,
		      struct virt_domain *out, struct sriov_error *err);
/* Refuses while rules of ours name the lease's guest. */
int guest_check_rules(struct change *change, const struct sriov_lease *lease,
		      struct sriov_error *err);

#endif
