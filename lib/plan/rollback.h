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
 * With the PFs locked: -ESTALE if by now another generation is the last one (but what the command itself has @recovered
 * may have ended as one), or the unconfirmed one was confirmed or taken back, so that @past is not what a way back leads to.
 */
int past_check(struct store *store, const struct past *past, bool recovered,
	       struct sriov_error *err);
/*
 * PFs that are not on the host have nothing to go back to: left out, each with a word in @gone, if that @may be; otherwise
 * -ENODEV names the first.
 */
int past_leave_gone(struct past *past, const struct sriov_inventory *inv, bool may,
		    struct change_notes *gone, struct sriov_error *err);
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
