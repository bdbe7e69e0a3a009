/* SPDX-License-Identifier: Apache-2.0 */
/* From a host file to a change of its PFs. */
#ifndef SRIOV_PLAN_HOSTFILE_PLAN_H
#define SRIOV_PLAN_HOSTFILE_PLAN_H

#include "lib/plan/batch.h"
#include "lib/plan/hostfile.h"

/* What @entry wants of the PF, into its change's want; of pools also into batch->record. */
int hostfile_want(const struct hostfile *file, const struct hostfile_pf *entry, struct batch *batch,
		  struct batch_part *part, struct sriov_error *err);
/* The unconfirmed generation, or -ENOENT (no error set). */
int generation_pending(struct sriov_host *host, struct store_generation *out,
		       struct sriov_error *err);

#endif
