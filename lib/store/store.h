/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The database: who owns what and what was intended. SQLite in WAL mode, one file, schema versioned by
 * user_version. What the kernel, libvirt or OVS shows is the truth; this is never consulted for state.
 */
#ifndef SRIOV_STORE_H
#define SRIOV_STORE_H

#include "lib/core/core.h"
#include "lib/host/host.h"

#include <sriov/guest.h>
#include <sriov/hostfile.h>
#include <sriov/plan.h>
#include <sriov/probe.h>

struct store;

/*
 * The host's store, opened (and created, mode 0600 in a 0700 directory) at first use. For reading
 * commands a database that does not exist is an empty one and is not created: *out = NULL.
 */
int store_get(struct sriov_host *host, bool write, struct store **out, struct sriov_error *err);
void store_close(struct store *store);

/* One write transaction: nothing between begin and commit is seen by others; rollback is the default. */
enum store_durability { STORE_MARK, STORE_DURABLE }; /* DURABLE: on disk when commit returns */
int store_begin(struct store *store, enum store_durability durability, struct sriov_error *err);
int store_commit(struct store *store, struct sriov_error *err);
void store_rollback(
	struct store *store); /* also after a failed commit; harmless outside a transaction */

/* What is known of a PF between commands. */
struct store_pf {
	char address[SRIOV_PCI_LEN];
	uint8_t perm_mac[6];
	unsigned epoch; /* +1 at each 0 -> N */
	char *intent;   /* JSON text of the last committed intent, NULL = none; owned */
	char *found;    /* JSON text of what stood before our first change; owned */
	char *seen;     /* the driver instance of the last change that read the rules; owned */
	bool watched;   /* … whose table was empty when a change saw it first */
};
void store_pf_clear(struct store_pf *pf);
/* -ENOENT if the PF was never changed by us (no error is set). */
int store_pf_get(struct store *store, const char *address, struct store_pf *out,
		 struct sriov_error *err);
int store_pf_put(struct store *store, const struct store_pf *pf, struct sriov_error *err);
/* Addresses of all PFs with an intent; the caller frees the array. */
int store_pf_list(struct store *store, char (**out)[SRIOV_PCI_LEN], size_t *n,
		  struct sriov_error *err);

/* Pools: a VF that no row covers belongs to "sriovctl". */
int store_pool_set(struct store *store, const char *pf, unsigned first, unsigned last,
		   const char *name, struct sriov_error *err);
int store_pool_clear(struct store *store, const char *pf, struct sriov_error *err);
/* Fills vf[].pool of every PF of the inventory, and adds a use to every leased VF. */
int store_join(struct store *store, struct sriov_inventory *inv, struct sriov_error *err);

/*
 * An instance of a PF's driver: a reload gives the netdev another ifindex, a reboot the host another boot id.
 */
#define STORE_INSTANCE 64
const char *store_instance(const struct sriov_inventory *inv, const struct sriov_pf *pf,
			   char buf[STORE_INSTANCE]);
/* Sets watched of the PFs whose driver instance was seen with an empty table before anybody's rules. */
int store_join_watched(struct store *store, struct sriov_inventory *inv, struct sriov_error *err);

/* A VF of one PF goes to another pool, or several do: the ranges are written anew. */
int store_pool_put(struct store *store, const char *pf, const struct sriov_vfset *vfs,
		   const char *name, struct sriov_error *err);

/* The pools of a PF, VF by VF; "" = no row. */
struct store_pools {
	char at[SRIOV_VF_MAX][32];
};
int store_pool_read(struct store *store, const char *pf, struct store_pools *out,
		    struct sriov_error *err);

/* Networks; each has PFs, in order of address. */
int store_physnet_list(struct store *store, struct sriov_physnet **out, size_t *n,
		       struct sriov_error *err);
/* The network as said, but for the count of fallbacks, whatever it was; with no PFs it goes. */
int store_physnet_put(struct store *store, const struct sriov_physnet *net,
		      struct sriov_error *err);
/* All networks as store_physnet_put() has them; those that are not among them go. */
int store_physnet_replace(struct store *store, const struct sriov_physnet *nets, size_t n,
			  struct sriov_error *err);

/* Leases. UNIQUE(pf, vf): two commands can never hold the same VF. Lists are freed by the caller. */
int store_lease_list(struct store *store, const char *pf, struct sriov_lease **out, size_t *n,
		     struct sriov_error *err);
/* Those of a guest, by name or UUID. */
int store_lease_of(struct store *store, const char *guest, struct sriov_lease **out, size_t *n,
		   struct sriov_error *err);
/* The lease of that MAC, or -ENOENT (no error set). */
int store_lease_mac(struct store *store, const uint8_t mac[6], struct sriov_lease *out,
		    struct sriov_error *err);
int store_lease_insert(struct store *store, struct sriov_lease *lease,
		       struct sriov_error *err); /* sets id */
/*
 * All but whose it is, its network and its PF may change while it is held. -ENOENT (no error set): it was ended, or
 * is another's now.
 */
int store_lease_put(struct store *store, const struct sriov_lease *lease, struct sriov_error *err);
/* As store_lease_put(), and the lease is of the next generation: what is still under way for this one is too late. */
int store_lease_turn(struct store *store, struct sriov_lease *lease, struct sriov_error *err);
int store_lease_delete(struct store *store, long id, unsigned generation, struct sriov_error *err);
/* A lease by name binds to the first UUID seen. */
int store_lease_bind(struct store *store, long id, const char *uuid, struct sriov_error *err);
/* VFs of the PF were made anew: leases of existing indices move to @epoch, others become stale. */
int store_lease_epoch(struct store *store, const char *pf, unsigned epoch, unsigned count,
		      struct sriov_error *err);
/* All leases of VFs of the PF end (they were deleted by force); those of guests without one stay. */
int store_lease_drop_pf(struct store *store, const char *pf, struct sriov_error *err);

/* Journal: one row a change. before and want are JSON texts of PF states, steps of the plan. */
struct store_journal {
	struct sriov_journal_row row;
	char boot_id[40];
	char *before, *want, *steps; /* owned */
	long generation;             /* of which it is the part of one PF; 0 = it stands alone */
};
void store_journal_clear(struct store_journal *journal);
int store_journal_insert(struct store *store, struct store_journal *journal,
			 struct sriov_error *err);
/* Marks @done steps as tried; not durable, only for showing: recovery reads back. */
int store_journal_mark(struct store *store, long id, unsigned done, struct sriov_error *err);
/* Sets the status; every status but open, stuck and incomplete closes it. @why may be NULL. */
int store_journal_status(struct store *store, long id, const char *status, const char *why,
			 struct sriov_error *err);
int store_journal_get(struct store *store, long id, struct store_journal *out,
		      struct sriov_error *err);
/* The PF's open journal, or -ENOENT (no error set). */
int store_journal_open_of(struct store *store, const char *pf, struct store_journal *out,
			  struct sriov_error *err);
int store_journal_list(struct store *store, bool closed, struct sriov_journal_row **out, size_t *n,
		       struct sriov_error *err);

/* The PFs whose journals are part of a generation, by address; with @open only those that are open. */
int store_journal_parts(struct store *store, long generation, bool open,
			char (**out)[SRIOV_PCI_LEN], size_t *n, struct sriov_error *err);

/* Generations: each time that a host file was applied, or taken back. The texts are JSON, of lib/plan. */
struct store_generation {
	struct sriov_generation row;
	char boot_id[40];
	char *source, *before, *after; /* owned; before and after are not read by lists */
	/* not stored: seconds to confirm it, from its end on; 0 = it need not be */
	unsigned confirm;
};
void store_generation_clear(struct store_generation *generation);
/* Sets row.id, and drops the oldest ones. */
int store_generation_insert(struct store *store, struct store_generation *generation,
			    struct sriov_error *err);
/* @why may be NULL. The deadline stays only with "unconfirmed". */
int store_generation_status(struct store *store, long id, const char *status, const char *why,
			    struct sriov_error *err);
/* A new deadline for one that has one. */
int store_generation_deadline(struct store *store, long id, const char *confirm_by,
			      struct sriov_error *err);
/*
 * -ENOENT (no error set). @id 0: the last one that stands, confirmed or not; -1: the one that has a deadline, which
 * may not have come to its end.
 */
int store_generation_get(struct store *store, long id, struct store_generation *out,
			 struct sriov_error *err);
/* Whole ones that stand from @id on, oldest first. */
int store_generation_since(struct store *store, long id, struct store_generation **out, size_t *n,
			   struct sriov_error *err);
int store_generation_list(struct store *store, struct sriov_generation **out, size_t *n,
			  struct sriov_error *err);

/* Evidence of probes: one row a PF and question. Listed in the order of taking; of every PF with @pf NULL. */
int store_evidence_put(struct store *store, const struct sriov_evidence *row,
		       struct sriov_error *err);
int store_evidence_list(struct store *store, const char *pf, struct sriov_evidence **out, size_t *n,
			struct sriov_error *err);

/* The last request for a port that DPDK owns; get gives -ENOENT (no error is set) if there is none. */
int store_rte_put(struct store *store, const char *port, const char *request,
		  struct sriov_error *err);
int store_rte_get(struct store *store, const char *port, char **request, struct sriov_error *err);

/* Tunings of guests that are under way, or were killed: what was before, for tune_apply.c to read. */
struct store_tuning {
	char uuid[40], guest[SRIOV_NAME_LEN], uri[128], boot_id[40];
	char *before; /* JSON text; owned by lists */
};
/* Durable. */
int store_tuning_put(struct store *store, const struct store_tuning *row, struct sriov_error *err);
int store_tuning_delete(struct store *store, const char *uuid, struct sriov_error *err);
int store_tuning_list(struct store *store, struct store_tuning **out, size_t *n,
		      struct sriov_error *err);
void store_tunings_free(struct store_tuning *rows, size_t n);

#endif
