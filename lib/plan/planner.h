/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the planner: its view of the PF while it makes steps (diff.c), and the part of rules (diff_rules.c). */
#ifndef SRIOV_PLAN_PLANNER_H
#define SRIOV_PLAN_PLANNER_H

#include "lib/plan/step.h"

/* The planner's view of the PF as the steps made so far will leave it. */
struct planner {
	const struct sriov_pf *now;
	const struct pf_state *want;
	const struct sriov_driver *driver; /* NULL: not modelled */
	unsigned traits;
	struct steps *out;
	bool remade; /* the VFs come or go */
	bool autoprobe, ntuple;
	bool wiped; /* the rule table is emptied on the way */
	bool *gone; /* of now->rules: a step deletes it, before anything is inserted */
	bool failed;
	struct step nowhere; /* takes what there is no memory for */
};

struct step *planner_add(struct planner *p, enum step_kind kind);

/* Finds out what goes and what comes: before the other functions on rules. */
void plan_rules(struct planner *p);
void plan_rules_out(struct planner *p);
void plan_rules_in(struct planner *p);
void plan_rules_notes(struct planner *p);

#endif
