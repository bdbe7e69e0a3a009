/* SPDX-License-Identifier: Apache-2.0 */
/* From a host file to a change of its PFs. */
#ifndef SRIOV_PLAN_HOSTFILE_PLAN_H
#define SRIOV_PLAN_HOSTFILE_PLAN_H

#include "lib/plan/batch.h"
#include "lib/plan/hostfile.h"

/* What @entry wants of the PF, into its change's want; of pools also into batch->record. */
int hostfile_want(const struct hostfile *file, const struct hostfile_pf *entry, struct batch *batch,
		  struct batch_part *part, struct sriov_error *err);
/* Whether the PF has an address or netdev that the glob fits. */
bool hostfile_names(const char *glob, const struct sriov_pf *pf);
/* -ENODEV at @line: no PF of the host is @what; and which there are. */
int hostfile_none_matches(const struct hostfile *file, unsigned line, const char *what,
			  const struct sriov_inventory *inv, struct sriov_error *err);
/* The range of the entry that the VF stands in, or NULL. */
const struct hostfile_vfs *hostfile_range_of(const struct hostfile_pf *entry, unsigned vf);
/* Where the first word of the line stands. */
unsigned hostfile_column(const struct hostfile *file, unsigned line);
/* An error that does not say where in the file its cause stands: there, what it was about is part of the message. */
void hostfile_place(const struct hostfile *file, unsigned line, struct sriov_error *err);
/* The same of what a PF's entry says: its rule, the value of its VFs, or the entry. */
void hostfile_place_entry(const struct hostfile *file, const struct hostfile_pf *entry,
			  struct sriov_error *err);
/*
 * The networks that the file says, by name, as they are to be recorded: @now is what is recorded. The caller frees with
 * sriov_physnets_free().
 */
int hostfile_nets(const struct hostfile *file, const struct sriov_physnet *now, size_t nnow,
		  const struct sriov_inventory *inv, struct sriov_physnet **out, size_t *n,
		  struct sriov_error *err);
/* The unconfirmed generation, or -ENOENT (no error set). */
int generation_pending(struct sriov_host *host, struct store_generation *out,
		       struct sriov_error *err);
/*
 * drift.c: a file that has nothing to do, although commands have changed since the last generation what that had recorded,
 * leaves it as it is by now: as a generation that records just this.
 */
int drift_take_over(struct batch *batch, struct sriov_error *err);

#endif
