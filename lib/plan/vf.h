/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands on VFs and host files want of VFs, put into change->want. */
#ifndef SRIOV_PLAN_VF_H
#define SRIOV_PLAN_VF_H

#include "lib/plan/change.h"

/*
 * MACs for those VFs of change->want that are in @vfs (NULL: all of them), automatic or from @first upwards. An automatic
 * one is the recorded one, else the first derived one that nobody has.
 */
int vf_want_macs(struct change *change, const struct sriov_vfset *vfs, bool automatic,
		 const uint8_t *first, struct sriov_error *err);
void vf_want_driver(struct vf_state *vf, enum sriov_bind bind);
/* No VFs, and what our first change found, as far as nothing else of ours needs it. */
int vf_want_none(struct change *change, struct sriov_error *err);
/* Whether rules of others are in the table, or rules of ours stay. */
bool vf_rules_left(const struct change *change);

#endif
