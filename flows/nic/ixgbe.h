/* SPDX-License-Identifier: Apache-2.0 */
/* What the profile and the walk of ixgbe share. */
#ifndef SRIOV_FLOWS_NIC_IXGBE_H
#define SRIOV_FLOWS_NIC_IXGBE_H

#include "flows/nic/replay.h"

#define DROP_QUEUE 127 /* IXGBE_FDIR_DROP_QUEUE: an absolute queue of this number drops */

/*
 * Queues of a pool in the hardware: 4 up to 32 pools, 2 above; the PF is the pool behind the VFs
 * (ixgbe_set_sriov_queues()). Rings of a pool as the driver counts them: with VFs on and without
 * macvlan offload or DCB the PF is one pool, so its rings are that number.
 */
static inline unsigned pool_stride(const struct sriov_pf *port)
{
	return port->vfs + 1 <= 32 ? 4 : 2;
}

/* X550 and all that came after it. */
static inline bool is_x550(uint16_t device)
{
	return nic_mac_of("ixgbe", device) >= NIC_X550;
}

#endif
