/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes of several PFs that are one: all of them are done, or none. All PFs are locked (in the order of their
 * addresses) and planned before anything is done. Then one transaction opens the generation and a journal for each PF;
 * the PFs are changed one after the other and read back; and one transaction commits all. What fails is undone on all.
 * After a kill the open journals say by their generation that they belong together: whoever comes next on any of the PFs
 * recovers all of them, forward only if every one reads back as done.
 */
#ifndef SRIOV_PLAN_BATCH_H
#define SRIOV_PLAN_BATCH_H

#include "lib/plan/change.h"

#define BATCH_PFS_MAX 16

struct batch_part {
	struct change change;
	struct steps steps;
	struct pf_state
		before; /* where this change goes back to, once it is planned and to be done */
	struct steps_result result;
	char *intent; /* that a commit records, NULL = none */
	bool works;   /* something is not as it shall be: steps, intent or pools */
	bool says_pools;
	bool leaves_rules; /* nothing is said of rules: those of commands are as good */
	bool sets_net;     /* the network of want.net is not recorded so */
};

struct batch {
	struct sriov_host *host;
	const struct sriov_options *opts;
	struct store *store; /* NULL in a dry run without a database */
	struct batch_part *part;
	size_t n;
	/* networks as they shall be, if says_nets; has_nets: they are not so already */
	struct sriov_physnet *net;
	size_t nnets;
	bool says_nets, has_nets;
	struct change_notes record; /* what changes in records alone */
	bool differs;
	bool recovered;                 /* something that was left open, before all this */
	size_t failed;                  /* the part that a plan could not be made for, n = none */
	char failed_net[SRIOV_NET_LEN]; /* the network, "" = none */
};

/*
 * Recovers what was left of the PFs at @address (sorted, without twins), locks and reads them. The caller fills the
 * parts' change.want; batch_close() follows in any case, and gives the locks back.
 */
int batch_open(struct batch *batch, struct sriov_host *host, const char (*address)[SRIOV_PCI_LEN],
	       size_t n, const struct sriov_options *opts, struct sriov_error *err);
void batch_close(struct batch *batch);
/* The steps of all parts, and whether they may be done; batch->differs and ->record. */
int batch_plan(struct batch *batch, struct sriov_error *err);
/* Refuses another plan than that of opts->expect, if the user has seen one. */
int batch_check_expected(const struct batch *batch, const char *object, struct sriov_error *err);
/* Hands over the plans and what else there is to tell; also after a failure. */
void batch_give(struct batch *batch, struct sriov_host_change *out);
/*
 * Does what was planned, as a new generation: @generation has boot_id, command, file and source, and confirm_by if it waits
 * for a confirmation; @closes is an unconfirmed one that ends with it, 0 = none.
 */
int batch_run(struct batch *batch, struct store_generation *generation, long closes,
	      struct sriov_error *err);

/* ---- batch_nets.c ---- */

/* Whether the records say the same. */
bool batch_same_net(const struct sriov_physnet *a, const struct sriov_physnet *b);
/* Whether the networks may become so; a bridge is part of the change of the PF beside its uplink. */
int batch_plan_nets(struct batch *batch, struct sriov_error *err);

/* ---- batch_recover.c ---- */

/*
 * Ends the open generation @id: finishes it or takes it back. Locks its PFs, so the caller holds none. *@plan
 * (may be NULL) gets the plans.
 */
int batch_recover(struct sriov_host *host, long id, enum recover_how how,
		  const struct sriov_options *opts, struct change_notes *notes,
		  struct sriov_plan **plan, struct sriov_error *err);

/* Closes all open journals of the generation without touching the host. */
int batch_abandon(struct sriov_host *host, long id, const struct sriov_options *opts,
		  struct sriov_error *err);

/* ---- generation.c: what a generation records ---- */

/* Before and after, as JSON texts into @generation. */
int generation_record(const struct batch *batch, long closes, struct store_generation *generation,
		      struct sriov_error *err);
/* Its end, in a transaction of the caller's: networks, status, and the one that it closes. */
int generation_commit(struct store *store, const struct store_generation *generation,
		      struct sriov_error *err);
/* When @seconds from now are over, as generations have it: whole seconds of UTC, rather too late than too early. */
void generation_deadline(unsigned seconds, char out[32]);
/* The generation @id is over without effect if none of its journals is open any more. */
int generation_end(struct store *store, long id, const char *status, const char *why,
		   struct sriov_error *err);
/* Networks of "before" or "after"; without them *@has is false. What it does not speak of is as @store has it. */
int generation_nets(struct store *store, const json_t *side, struct sriov_physnet **out, size_t *n,
		    bool *has, struct sriov_error *err);
int generation_parse(const char *text, json_t **out, struct sriov_error *err);

#endif
