/* SPDX-License-Identifier: Apache-2.0 */
/* What tuning and checking a guest read of it and of the host. */
#ifndef SRIOV_PLAN_TUNING_H
#define SRIOV_PLAN_TUNING_H

#include "lib/guest/tune.h"
#include "lib/guest/virt.h"

struct guest_view {
	struct virt_domain domain;
	const char *xml; /* of the running guest, or of the definition: what is tuned first */
	struct tune_domain now; /* what @xml says */
	bool live, config;      /* which of the two are asked for, and there */
	struct sriov_inventory *inv;
	struct topology topology;
	struct tune_facts facts;
	char nic[96], reason[192]; /* what decides on the node, and in words */
	unsigned unread;           /* other domains whose XML could not be read */
};

/*
 * Reads it all. @request may leave everything but the guest open. @any_node: a guest that nothing places is not an
 * error, its facts.nic_node is then -1. The caller clears it.
 */
int guest_view_read(struct sriov_host *host, const struct sriov_tune_request *request,
		    bool any_node, struct guest_view *out, struct sriov_error *err);
void guest_view_clear(struct guest_view *view);
#define _guest_view_ _cleanup_(guest_view_clear)

/* The PF and VF of a PCI address among the host's VFs; false if none has it. */
bool guest_view_vf(const struct sriov_inventory *inv, const char *address,
		   const struct sriov_pf **pf, const struct sriov_vf **vf);

/* What can be changed under a running guest: pins always, memory only where the cgroup alone binds it. */
bool tune_can_live(const struct guest_view *view, const struct tune_item *item);

/*
 * tune_apply.c: does what @tune says differs, all or nothing. Under the lock of CPUs. And settles tunings that
 * were killed half way (@guest: the name of the last one, untouched if there was none).
 */
int tune_apply(struct sriov_host *host, const struct guest_view *view,
	       const struct tune_target *target, struct sriov_tune *tune, struct sriov_error *err);
int tune_recover(struct sriov_host *host, char guest[SRIOV_NAME_LEN], struct sriov_error *err);

#endif
