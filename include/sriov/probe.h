/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Probes: questions about a NIC that only the NIC can answer, asked with test frames on an idle port, and
 * the answers as evidence.
 */
#ifndef SRIOV_PROBE_H
#define SRIOV_PROBE_H

#include <sriov/plan.h>

#ifdef __cplusplus
extern "C" {
#endif

struct sriov_probe {
	/* A netdev of this host at the other end of the port's cable; NULL: what needs one is not asked. */
	const char *wire;
	int vf;       /* index of the VF to use, -1 = the first that is free and has a netdev */
	bool consent; /* of the port's owner; without it the plan is made and nothing is done */
};

/* One answer, and all that says what it is worth. */
struct sriov_evidence {
	char pf[SRIOV_PCI_LEN];
	char question[24]; /* "redirect" */
	char answer
		[32]; /* "yes", "no", "unclear", or "unknown: needs --wire" if it was not asked */
	char counts[256]; /* what was sent and what arrived where; "" if it was not asked */
	char nature[32];  /* "silicon", "emulated", "simulated", "unknown whether silicon" */
	char nature_why[160];
	char kernel[65], driver[32], driver_version[64], firmware[64];
	uint16_t vendor, device;
	char taken[32]; /* UTC */
};

/* The question in words, and what the answer means for rules; "" for what is not known here. */
const char *sriov_probe_question(const char *question);
const char *sriov_probe_meaning(const char *question, const char *answer);

/*
 * Asks what the driver's facts leave open. Refused (SRIOV_REFUSED) unless the port is idle: no traffic of the
 * host, no VF in use, no rule of anybody. What it changes for that time (rules, ntuple, links up) is one
 * journalled change that is always undone. @plan as in sriov/plan.h. *@out (the caller frees it) has a row for
 * each question of this driver, none if it was only planned; what was asked is recorded.
 */
int sriov_flow_probe(struct sriov_host *host, const char *pf, const struct sriov_probe *probe,
		     const struct sriov_options *opts, struct sriov_plan **plan,
		     struct sriov_evidence **out, size_t *n, struct sriov_error *err);

/* What is recorded of @pf (netdev or PCI address), or of every PF (NULL); the caller frees the array. */
int sriov_evidence_list(struct sriov_host *host, const char *pf, struct sriov_evidence **out,
			size_t *n, struct sriov_error *err);

#ifdef __cplusplus
}
#endif
#endif
