/* SPDX-License-Identifier: Apache-2.0 */
/* From what was read of a guest to what is wrong with it. Pure. */
#ifndef SRIOV_GUEST_FINDINGS_H
#define SRIOV_GUEST_FINDINGS_H

#include "lib/guest/tune.h"
#include "lib/kernel/process.h"

/* A lease whose VLAN is not carried as it should be. */
struct check_vlan {
	char below[16];
	unsigned vlan;
	char *why, *fix; /* owned by who asks */
};

struct check_facts {
	const char *guest;
	const struct sriov_inventory *inv; /* with VFS, ATTRS, NODES */
	const struct tune_facts *tune;
	const struct tune_target *target; /* where it should be; NULL: nothing says on which node */
	const struct process *process;    /* NULL: it does not run */
	const struct check_vlan *vlan;
	size_t nvlans;
};

/* Adds to @out->at, the worst first. -ENOMEM only. */
int check_findings(const struct check_facts *facts, struct sriov_findings *out,
		   struct sriov_error *err);

/* Inside: what the looks share. A look that runs out of memory says so here. */
#define CHECK_BUSY_MS 1000 /* a worker that ran less has said nothing yet */
struct check {
	const struct check_facts *facts;
	const struct tune_domain *domain;
	struct cpuset busy,
		excluded; /* whole cores: that take interrupts, that are not for guests */
	struct sriov_findings *out;
	bool oom;
};
/* Takes the texts over; NULL among them: no memory. */
void check_add(struct check *check, enum sriov_severity severity, const char *id, char *object,
	       char *evidence, char *fix);
char *check_fix_tune(const struct check *check);
/* Where that should be, or NULL. */
const struct tune_item *check_item(const struct check *check, enum tune_kind kind, unsigned number);
/* findings_threads.c */
void check_threads(struct check *check);

#endif
