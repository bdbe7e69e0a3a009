/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the compiler of policies to OpenFlow. */
#ifndef SRIOV_FLOWS_OPENFLOW_POLICY_H
#define SRIOV_FLOWS_OPENFLOW_POLICY_H

#include "flows/to/openflow.h"

struct policy {
	const struct openflow_want *want;
	struct openflow *out;
	struct sriov_error *err;
	FILE *text, *body;
	char *body_text;
	size_t body_size;
	bool failed; /* no memory */
	/* of the rule that is being written */
	size_t rule;
	const struct sriov_rule *its;
};

/* A line begins in memory of its own, because its cookie is a hash of it. Write its match and actions, then end it. */
FILE *policy_begin(struct policy *p, enum openflow_table table, unsigned priority);
void policy_end(struct policy *p, enum openflow_table table, size_t port);

/* openflow_rules.c: the table RULES. */
int policy_rules(struct policy *p);

#endif
