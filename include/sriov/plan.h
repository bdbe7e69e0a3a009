/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes: every changing call builds an intent, plans the steps from the host's state to it, applies
 * them under the PF's lock with a journal, and reads the result back.
 */
#ifndef SRIOV_PLAN_H
#define SRIOV_PLAN_H

#include <sriov/flow.h>
#include <sriov/host.h>
#include <sriov/vf.h>

#include <signal.h>

#ifdef __cplusplus
extern "C" {
#endif

struct sriov_options {
	bool dry_run;            /* plan only */
	bool force;              /* hit guests' VFs, queues, rules */
	bool disrupt_pf;         /* hit the host's own traffic */
	unsigned link_timeout;   /* seconds to wait for a link, 0 = 30 */
	unsigned kernel_timeout; /* seconds until a system call counts as stuck, 0 = 30 */
	unsigned lock_timeout;   /* seconds to wait for a PF's lock, 0 = 30 */
	const char *expect;      /* digest of the plan that the user saw: another one is refused */
	const char *command;     /* what the user typed, for the journal */
	/* Set by the caller's signal handler: the change is undone; NULL = never. */
	const volatile sig_atomic_t *interrupted;
};

enum sriov_step_state { SRIOV_STEP_PLANNED, SRIOV_STEP_DONE, SRIOV_STEP_FAILED, SRIOV_STEP_UNDONE };

struct sriov_step_text {
	char what[256];     /* "create 4 VFs" */
	char disrupts[192]; /* "resets the port: link down for some seconds"; "" if nothing */
	enum sriov_step_state state;
};

/* A plan as shown, and what became of it. Valid until freed. */
struct sriov_plan {
	char pf[SRIOV_PCI_LEN];
	char digest[20]; /* of the steps: the same plan has the same digest */
	struct sriov_step_text *step;
	size_t nsteps;
	char **note; /* what a driver widens, cannot show, or leaves pending */
	size_t nnotes;
	long journal; /* id, 0 if nothing was written */
	enum sriov_status status;
	struct sriov_plan *next; /* of the next PF (restore) */
};
void sriov_plan_free(struct sriov_plan *plan);

enum sriov_bind { SRIOV_BIND_KEEP, SRIOV_BIND_NONE, SRIOV_BIND_DEFAULT, SRIOV_BIND_VFIO };

struct sriov_vf_create {
	unsigned count;
	struct sriov_vf_attrs attrs; /* the same for every VF; without MAC */
	bool mac_auto;               /* a stable MAC for each VF */
	uint8_t mac_first
		[6]; /* if attrs.has has SRIOV_VF_MAC: of VF 0, counted up for the others */
	enum sriov_bind bind; /* KEEP: the kernel's own driver at creation, untouched after */
	const char *pool;     /* NULL = sriovctl's own */
};

/*
 * All of these: @pf is a netdev or PCI address. *@plan is set whenever a plan could be made, also when
 * the call fails afterwards; the caller frees it. The error's status says how it ended.
 */
int sriov_vf_create(struct sriov_host *host, const char *pf, const struct sriov_vf_create *want,
		    const struct sriov_options *opts, struct sriov_plan **plan,
		    struct sriov_error *err);
int sriov_vf_set(struct sriov_host *host, const char *pf, const struct sriov_vfset *vfs,
		 const struct sriov_vf_attrs *attrs, bool mac_auto,
		 const struct sriov_options *opts, struct sriov_plan **plan,
		 struct sriov_error *err);
int sriov_vf_bind(struct sriov_host *host, const char *pf, const struct sriov_vfset *vfs,
		  enum sriov_bind bind, const struct sriov_options *opts, struct sriov_plan **plan,
		  struct sriov_error *err);
int sriov_vf_delete(struct sriov_host *host, const char *pf, const struct sriov_options *opts,
		    struct sriov_plan **plan, struct sriov_error *err);

/* Adds a rule (ensures it: the same name with the same words is nothing to do). */
int sriov_flow_add(struct sriov_host *host, const char *pf, const struct sriov_rule *rule,
		   const struct sriov_options *opts, struct sriov_plan **plan,
		   struct sriov_error *err);
/* Deletes our rules of that name, or that location, or all of them (@which NULL). */
int sriov_flow_delete(struct sriov_host *host, const char *pf, const char *which,
		      const struct sriov_options *opts, struct sriov_plan **plan,
		      struct sriov_error *err);

/* A rule of a port as listed. */
struct sriov_flow_row {
	struct sriov_entry entry;
	char name[SRIOV_NAME_LEN], owner[SRIOV_NAME_LEN]; /* "" for a rule of others */
	bool installed; /* false: intended, but not in the table */
};
int sriov_flow_list(struct sriov_host *host, const char *pf, struct sriov_flow_row **out, size_t *n,
		    struct sriov_error *err);

/*
 * The installed rows of a port with @driver as rules, those of ours with their names; several entries of
 * one rule are told apart by -2, -3, … behind it. A row without words becomes a note with left_out. The
 * caller frees @out with sriov_rules_clear().
 */
int sriov_rules_of_rows(const struct sriov_flow_row *rows, size_t n, const char *driver,
			struct sriov_rules *out, struct sriov_error *err);

/* Brings the last committed intent of @pf (NULL: of every PF) back. */
int sriov_restore(struct sriov_host *host, const char *pf, const struct sriov_options *opts,
		  struct sriov_plan **plan, struct sriov_error *err);

/* A change as journalled. */
struct sriov_journal_row {
	long id;
	char pf[SRIOV_PCI_LEN];
	char command[256];
	char status[16]; /* open, committed, undone, abandoned, stuck, incomplete, boot */
	char started[32], ended[32];
	bool open; /* needs recovery or the operator */
	unsigned steps, done;
	char error[512];
};
/* Open journals (@closed false) or the closed ones, newest first; the caller frees the array. */
int sriov_journal_list(struct sriov_host *host, bool closed, struct sriov_journal_row **out,
		       size_t *n, struct sriov_error *err);
int sriov_journal_resume(struct sriov_host *host, long id, const struct sriov_options *opts,
			 struct sriov_plan **plan, struct sriov_error *err);
int sriov_journal_undo(struct sriov_host *host, long id, const struct sriov_options *opts,
		       struct sriov_plan **plan, struct sriov_error *err);
/* Closes a journal without touching the host. */
int sriov_journal_abandon(struct sriov_host *host, long id, struct sriov_error *err);

#ifdef __cplusplus
}
#endif
#endif
