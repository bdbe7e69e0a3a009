/* SPDX-License-Identifier: Apache-2.0 */
/* What stood before some generations, and the way back to it: by command, or as nobody has confirmed. */
#ifndef SRIOV_PLAN_ROLLBACK_H
#define SRIOV_PLAN_ROLLBACK_H

#include "lib/plan/hostfile_plan.h"

/* What of the host stood before the oldest of some generations: of each PF, and of the networks. */
struct past {
	struct past_pf {
		char address[SRIOV_PCI_LEN];
		const json_t *json; /* NULL: only the bridge beside it is as it was */
	} * pf;
	size_t npfs;
	const json_t *nets; /* the side that says them; NULL = none does */
	json_t **side;      /* what the others point into; owned */
	size_t nsides;
	long last;    /* the youngest of them */
	long pending; /* the unconfirmed one among them, 0 = none */
};
void past_clear(struct past *past);
/* Of the generations from @id on. */
int past_load(struct store *store, long id, struct past *past, struct sriov_error *err);
/*
 * Opens the PFs of @past for the way back, *@inv with them; batch_close() follows in any case. PFs that are not on the host
 * have nothing to go back to: left out, each with a word in the batch's record, with @leave_gone; otherwise -ENODEV names the
 * first. -ESTALE: with the PFs locked @past is not what a way back leads to any more.
 */
int past_open(struct past *past, struct sriov_host *host, bool leave_gone,
	      const struct sriov_options *opts, struct batch *batch, struct sriov_inventory **inv,
	      struct sriov_error *err);
/* The pools of a PF as its row @json says, into the change's want. */
int past_want_pools(struct change *change, const json_t *json, struct batch *batch,
		    struct sriov_error *err);
/*
 * sriov_generation_rollback(), or (@expires) the end of the unconfirmed generation @id: nothing happens if it is not
 * that any more, and PFs that have gone meanwhile keep nobody from getting the others back.
 */
int generation_take_back(struct sriov_host *host, long id, bool expires,
			 const struct sriov_options *opts, struct sriov_host_change *out,
			 struct sriov_error *err);

#endif
