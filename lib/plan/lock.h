/* SPDX-License-Identifier: Apache-2.0 */
/* One flock per PF around effects, one per bridge of OVS, and one around the choice of CPUs for guests. */
#ifndef SRIOV_PLAN_LOCK_H
#define SRIOV_PLAN_LOCK_H

#include "lib/host/host.h"

/*
 * Takes the lock of the PF at @address until unlock_pfs() and writes who holds it (@command) into the
 * file. Waits up to @timeout seconds; -EBUSY names the holder. Where @stuck (may be NULL) says that the
 * holder hangs in the kernel, the wait is short and ends with its error.
 */
typedef int (*lock_stuck)(struct sriov_host *host, const char *address, struct sriov_error *err);
int lock_pf(struct sriov_host *host, const char *address, const char *command, unsigned timeout,
	    lock_stuck stuck, struct sriov_error *err);
/* As lock_pf(), after it: the policy of a bridge is one, whatever PF its guests' leases are of. */
int lock_bridge(struct sriov_host *host, const char *bridge, const char *command, unsigned timeout,
		struct sriov_error *err);
/* As lock_pf(): two guests that are placed at once would be given the same cores. */
int lock_cpus(struct sriov_host *host, const char *command, unsigned timeout,
	      struct sriov_error *err);
/* Gives all locks of @host back; a call that hangs in the kernel has its own hold on its PF's. */
void unlock_pfs(struct sriov_host *host);

#endif
