/* SPDX-License-Identifier: Apache-2.0 */
/* What a list of rules becomes on a PF: shared by the changes of rules, their listing, and those of VFs. */
#ifndef SRIOV_PLAN_RULE_H
#define SRIOV_PLAN_RULE_H

#include "lib/plan/change.h"
#include "lib/plan/ruleset.h"

/* What the port of rules is read with. */
#define RULE_READ                                                                                  \
	(SRIOV_READ_VFS | SRIOV_READ_PORT | SRIOV_READ_RULES | SRIOV_READ_USES | SRIOV_READ_USERS)

/* How a list is compiled. */
struct rule_how {
	unsigned allow;
	bool partial, adopt;
	bool rte;                        /* as if DPDK owned the port */
	const struct sriov_lease *moved; /* counts instead of the lease of its id; NULL: none */
	bool added; /* the last rule of the list is new: no packet coming to it is an error */
};

/* Who asks for a guest's VF: leases are found in @store (NULL: there are none), and must be of @port. */
struct rule_guests {
	struct store *store;
	const struct sriov_pf *port;
	const struct sriov_lease *moved; /* as in struct rule_how */
	bool rte;                        /* as there */
	/* of the guest that was asked for last: its lease, or -ENOENT */
	bool asked;
	char name[SRIOV_NAME_LEN];
	struct sriov_lease lease;
	int found;
};
/* As the guest function of struct sriov_compile. */
int rule_guest_vf(void *guests, const char *name, unsigned *vf, struct sriov_error *err);
/*
 * Which rules of @list wait for their guest, *@n of them: they are no part of what the list becomes. The caller
 * frees @out.
 */
int rule_find_waiting(const struct sriov_rules *list, struct rule_guests *guests,
		      const struct pf_state *intent, bool **out, size_t *n,
		      struct sriov_error *err);
/* Makes the verdicts of a list of @n rules without its waiting ones those of the whole list. 0 or -ENOMEM. */
int rule_spread_verdicts(const bool *waiting, size_t n, struct sriov_compiled *compiled);

/*
 * What @list becomes on @port, of which the rules of @intent are ours. @store knows the guests' leases (NULL:
 * there are none). As sriov_rules_compile().
 */
int rule_compile(const struct sriov_rules *list, const struct sriov_pf *port,
		 const struct pf_state *intent, struct store *store, const struct rule_how *how,
		 struct sriov_compiled *out, struct sriov_error *err);
/*
 * change->want becomes @list (which has names, and is taken over) and its entries, as compiled or (@compiled
 * NULL) as recorded: those that are new, gone, or not as the table has them. Refused if that makes rules of
 * others ours, without @how->adopt.
 */
int rule_want(struct change *change, struct sriov_rules *list,
	      const struct sriov_compiled *compiled, const struct rule_how *how,
	      struct sriov_error *err);
/* The port as it will be. How many queues one has once its last VF is gone is known only then. */
struct sriov_pf rule_port_with(const struct sriov_pf *pf, unsigned count);
/* A list whose maker failed half-way is empty too, and drops would go with it: refused without --force. */
int rule_refuse_empty(const struct change *change, const struct sriov_rules *rules,
		      struct sriov_error *err);
/* change->want gets a copy of @rules, named and compiled for the PF with @count VFs. */
int rule_want_list(struct change *change, const struct sriov_rules *rules, unsigned count,
		   const struct rule_how *how, struct sriov_error *err);
/*
 * change->want gets the rules of @recorded, an intent of before, as far as they stood on @stood; those that are ours
 * now and were not then go.
 */
int rule_want_recorded(struct change *change, const struct pf_state *recorded,
		       const struct pf_state *stood, struct sriov_error *err);
/*
 * The rules of ours for a port whose VFs go from pf->vfs to @count: those that send to VFs that there will
 * not be go, the others are compiled anew.
 */
int rule_want_vfs(struct change *change, unsigned count, struct sriov_error *err);

/* adopt.c: the VFs, and the rules as far as a list of ours can be just those, into change->want. */
int adopt_want(struct change *change, struct sriov_error *err);

#endif
