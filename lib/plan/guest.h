/* SPDX-License-Identifier: Apache-2.0 */
/* Changes for guests: what attach and detach share. */
#ifndef SRIOV_PLAN_GUEST_H
#define SRIOV_PLAN_GUEST_H

#include "lib/plan/change.h"

/* What the PF of a guest's lease is read with. */
#define GUEST_CHANGE_READ (SRIOV_READ_VFS | SRIOV_READ_ATTRS | SRIOV_READ_USERS | SRIOV_READ_USES)

#endif
