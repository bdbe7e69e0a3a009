/* SPDX-License-Identifier: Apache-2.0 */
/* Cores and sockets of the live host, through hwloc, which is loaded when it is first asked (some ms). */
#ifndef SRIOV_HOST_CORES_H
#define SRIOV_HOST_CORES_H

#include "lib/host/host.h"

/*
 * Fills core and socket of @nodes, cores in the order of their first CPU. -ENOENT, -ENOSYS: hwloc is not
 * installed, or too old; -EIO: it cannot tell.
 */
int cores_read(struct sriov_node *nodes, size_t n, struct sriov_error *err);
/* Whether hwloc can be loaded: the two errors of above, which say what to install, or 0. */
int cores_available(struct sriov_error *err);

#endif
