/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes: every changing call builds an intent, plans the steps from the host's state to it, applies
 * them under the PF's lock with a journal, and reads the result back.
 */
#ifndef SRIOV_PLAN_H
#define SRIOV_PLAN_H

#include <sriov/flow.h>
#include <sriov/guest.h>
#include <sriov/host.h>
#include <sriov/vf.h>

#include <signal.h>

#ifdef __cplusplus
extern "C" {
#endif

struct sriov_options {
	bool dry_run;          /* plan only */
	bool looks;            /* with dry_run: to look, also where an interrupted change is open */
	bool force;            /* hit guests' VFs, queues, rules */
	bool disrupt_pf;       /* hit the host's own traffic */
	unsigned link_timeout; /* seconds to wait for a link, 0 = 30 */
	/* seconds until a system call counts as stuck; for OVS to change a port or bridge; for a VF's netdev; 0 = 30 */
	unsigned kernel_timeout;
	unsigned guest_timeout; /* seconds to wait for a guest to let go of a device, 0 = 30 */
	unsigned lock_timeout;  /* seconds to wait for a PF's lock, 0 = 30 */
	const char *expect;     /* digest of the plan that the user saw: another one is refused */
	const char *command;    /* what the user typed, for the journal */
	/* Of rules: */
	unsigned allow; /* bit per enum sriov_result that is taken besides SRIOV_EXACT */
	bool partial;   /* optional rules that do not fit are left out */
	bool adopt;     /* others' rules that are just what is wanted become ours */
	bool rte;       /* sriov_flow_check(): as if DPDK owned the port, see sriov_nic_rte() */
	/* Set by the caller's signal handler: the change is undone; NULL = never. */
	const volatile sig_atomic_t *interrupted;
};

enum sriov_step_state { SRIOV_STEP_PLANNED, SRIOV_STEP_DONE, SRIOV_STEP_FAILED, SRIOV_STEP_UNDONE };

struct sriov_step_text {
	char what[256]; /* "create 4 VFs" */
	char object[SRIOV_NAME_LEN +
		    8];     /* what it is about: "port", "vf 3", "rule dns", "guest web1" */
	char sign;          /* '+' something comes, '-' it goes, '~' it changes */
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

/*
 * Gives the port itself to vfio-pci (for DPDK), or back to the kernel's own driver, which also brings back what was
 * recorded of it: VFs, attributes, rules. Its VFs go with the kernel's driver. -EINVAL: another @bind.
 */
int sriov_pf_bind(struct sriov_host *host, const char *pf, enum sriov_bind bind,
		  const struct sriov_options *opts, struct sriov_plan **plan,
		  struct sriov_error *err);

/* Adds a rule (ensures it: the same name with the same words is nothing to do). */
int sriov_flow_add(struct sriov_host *host, const char *pf, const struct sriov_rule *rule,
		   const struct sriov_options *opts, struct sriov_plan **plan,
		   struct sriov_error *err);
/* Makes @rules the port's list: ours that are not in it go, others' stay. */
int sriov_flow_apply(struct sriov_host *host, const char *pf, const struct sriov_rules *rules,
		     const struct sriov_options *opts, struct sriov_plan **plan,
		     struct sriov_error *err);
/*
 * The address of the only PF of the host that can have @rules, into @pf. -ENXIO: there are several or none,
 * and the error names them.
 */
int sriov_flow_find_pf(struct sriov_host *host, const struct sriov_rules *rules,
		       const struct sriov_options *opts, char pf[SRIOV_PCI_LEN],
		       struct sriov_error *err);
/* The list of rules of ours that is recorded for @pf (NULL: the only one). The caller clears @out. */
int sriov_flow_recorded(struct sriov_host *host, const char *pf, struct sriov_rules *out,
			struct sriov_error *err);

/*
 * What @rules would become on the port (NULL: of the only PF) as sriov_flow_apply() would have them: as
 * sriov_rules_compile(). Nothing is changed.
 */
int sriov_flow_check(struct sriov_host *host, const char *pf, const struct sriov_rules *rules,
		     const struct sriov_options *opts, struct sriov_compiled *out,
		     struct sriov_error *err);
/* Deletes our rules of that name, or that location, or all of them (@which NULL). */
int sriov_flow_delete(struct sriov_host *host, const char *pf, const char *which,
		      const struct sriov_options *opts, struct sriov_plan **plan,
		      struct sriov_error *err);

/* An entry of a port as listed. */
struct sriov_flow_row {
	struct sriov_entry entry;
	bool ours;
	bool installed; /* false: intended, but not in the table */
	char name[SRIOV_NAME_LEN], owner[SRIOV_NAME_LEN]; /* of the rule, if it is ours */
};
/* A counter of the whole port; no driver counts per rule. */
struct sriov_flow_counter {
	char name[36]; /* as the driver calls it, "" = not available */
	uint64_t value;
};
struct sriov_flow_listing {
	struct sriov_rules rules;   /* ours, as they were written, in order */
	struct sriov_flow_row *row; /* by location */
	size_t nrows;
	struct sriov_flow_counter counter[2]; /* packets that met an entry, and that met none */
};
void sriov_flow_listing_clear(struct sriov_flow_listing *listing);
/* The caller clears @out. */
int sriov_flow_list(struct sriov_host *host, const char *pf, struct sriov_flow_listing *out,
		    struct sriov_error *err);

enum sriov_flow_difference {
	SRIOV_FLOW_MISSING, /* wanted, and not in the table */
	SRIOV_FLOW_CHANGED, /* something else stands at its location */
	SRIOV_FLOW_EXTRA,   /* ours, and not wanted (any more) */
	SRIOV_FLOW_FOREIGN, /* somebody else's */
};
struct sriov_flow_diff {
	enum sriov_flow_difference kind;
	uint32_t loc;
	char name[SRIOV_NAME_LEN];        /* of the rule, "" if it is not ours */
	struct sriov_entry wanted, found; /* as far as the kind has them */
};
/*
 * Where the table differs from the recorded intent, or from @rules (not NULL) as sriov_flow_apply() would
 * have them; by location. The caller frees the array.
 */
int sriov_flow_diff(struct sriov_host *host, const char *pf, const struct sriov_rules *rules,
		    const struct sriov_options *opts, struct sriov_flow_diff **out, size_t *n,
		    struct sriov_error *err);

/*
 * The port's own distribution (RSS): spreads what no rule catches in equal parts over the RX queues @first
 * to @last. It is for the whole port.
 */
int sriov_rss_set(struct sriov_host *host, const char *pf, unsigned first, unsigned last,
		  const struct sriov_options *opts, struct sriov_plan **plan,
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

/* What came of an attach. */
struct sriov_attached {
	struct sriov_lease lease;
	int node;     /* of the PF, -1 = unknown */
	char *reason; /* what was chosen and why, in words; the caller frees it */
};
/*
 * Gives a guest a place on a network: leases the nearest free VF (or the next of @req->path), sets its
 * attributes, and puts the device into the guest's domain. Asked again for what the guest has already it does
 * nothing. -EUSERS: no place satisfies the request, and only then; the error says who has what. *@plan is the
 * caller's, also after a failure.
 */
int sriov_guest_attach(struct sriov_host *host, const struct sriov_guest_request *req,
		       const struct sriov_options *opts, struct sriov_plan **plan,
		       struct sriov_attached *out, struct sriov_error *err);
/*
 * Takes it back: the device out of the domain (@req->live or config: only of that definition, and then the lease
 * stays if the other has it still), the VF's attributes as found, the lease ended. Of @req guest, net, pf, live and
 * config count. -ENOENT: the guest holds nothing there. Refused while rules of ours name the guest, or
 * while a running guest has the VF and libvirt cannot be asked to take it, unless @opts->force.
 */
int sriov_guest_detach(struct sriov_host *host, const struct sriov_guest_request *req,
		       const struct sriov_options *opts, struct sriov_plan **plan,
		       struct sriov_lease *out, struct sriov_error *err);
/* Ends all stale leases, as sriov_lease_judge() finds them; plans as sriov_restore(). */
int sriov_guest_gc(struct sriov_host *host, const struct sriov_options *opts,
		   struct sriov_plan **plan, struct sriov_error *err);

/*
 * Moves what a guest holds to another path of the same PF, with its MAC, VLAN, limits and rules: to a free VF, or
 * to a port of its physnet's bridge. @req: guest, net, pf, live. While it runs it is moved only with live: its NIC
 * goes and comes again, unless it is a standby pair. -EUSERS: no VF is free; -ENOTSUP: a rule cannot go along.
 */
int sriov_guest_move(struct sriov_host *host, const struct sriov_guest_request *req,
		     enum sriov_path to, const struct sriov_options *opts, struct sriov_plan **plan,
		     struct sriov_attached *out, struct sriov_error *err);
/*
 * Moves guests that are elsewhere for lack of VFs to VFs that are free now, the longest there first; those that
 * run only with @live, else a note says so. A plan for each.
 */
int sriov_guest_rebalance(struct sriov_host *host, bool live, const struct sriov_options *opts,
			  struct sriov_plan **plan, struct sriov_error *err);

/* A network as asked for. */
struct sriov_physnet_request {
	const char *name;
	const char *const *pf; /* netdevs or PCI addresses; the uplink is on the first */
	size_t npfs;
	const char *bridge; /* of OVS; NULL = as it is recorded */
	const char
		*uplink; /* "af_packet", "af_xdp", "vf:N", or a port of the bridge; NULL likewise */
	const char *sockets;        /* directory; NULL likewise, or /var/lib/vhost_sockets */
	struct sriov_policy policy; /* likewise; paths are vf and vhostuser */
};
/*
 * Makes or changes one; a bridge that is not there is made. -EEXIST: a PF is on another network; -EBUSY: a lease is of
 * a PF, or on a bridge, that would go.
 */
int sriov_physnet_add(struct sriov_host *host, const struct sriov_physnet_request *req,
		      const struct sriov_options *opts, struct sriov_plan **plan,
		      struct sriov_error *err);
int sriov_physnet_delete(struct sriov_host *host, const char *name,
			 const struct sriov_options *opts, struct sriov_plan **plan,
			 struct sriov_error *err);
/* What is missing of the bridges of @name (NULL: of all): plans whose steps `restore` would do. */
int sriov_physnet_check(struct sriov_host *host, const char *name, struct sriov_plan **plan,
			struct sriov_error *err);

/*
 * Takes over what is there, on @pf or (NULL) on every PF with VFs or rules: VFs and their attributes, rules, and
 * as leases the VFs that domains name. Nothing of the kernel is written. Plans as sriov_restore(), without steps.
 */
int sriov_adopt(struct sriov_host *host, const char *pf, const struct sriov_options *opts,
		struct sriov_plan **plan, struct sriov_error *err);

#ifdef __cplusplus
}
#endif
#endif
