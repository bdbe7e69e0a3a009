/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside probes. question.c: the questions as a table, and their answers from counts, pure; probe_check.c: what
 * is refused; probe.c: the rest.
 */
#ifndef SRIOV_PLAN_PROBE_H
#define SRIOV_PLAN_PROBE_H

#include "lib/plan/change.h"

#include <sriov/probe.h>

/* Ends of a frame's way. The first two listen, in this order of exchange.place[]. */
enum probe_end { END_PF, END_VF, END_WIRE, END_NOWHERE };
enum probe_action { PROBE_TO_VF, PROBE_TO_QUEUE, PROBE_DROP };
/* Each question is three rounds of frames: without its rule, with it, and without it again. */
enum probe_round { ROUND_BEFORE, ROUND_WITH, ROUND_AFTER, PROBE_ROUNDS };

#define PROBE_FRAMES 8       /* of a round */
#define PROBE_FRAMES_MAX 200 /* of a probe */
#define PROBE_KNOCKS 20      /* one by one on each way, until one arrives */
#define PROBE_QUESTIONS 5

struct question {
	const char *name;
	const char *text;
	const char *driver;                      /* NULL = every one that probes know */
	bool (*open)(const struct sriov_pf *pf); /* NULL = on every NIC of that driver */
	enum probe_end from, to;                 /* @to: whose MAC address the frames have */
	enum probe_action action;
	bool by_ports;      /* the rule must match ports; else it may match addresses only */
	enum probe_end yes; /* where frames that met the rule come in */
	const char *means_yes, *means_no;
};
extern const struct question probe_questions[PROBE_QUESTIONS];

/* Whether probes know that driver at all. */
bool probe_has_driver(const char *driver);
bool probe_applies(const struct question *question, const struct sriov_pf *pf);
/* The question's rule at @loc, in the form that takes part of the driver's state with it least. */
void probe_entry(const struct question *question, const char *driver, unsigned vf, uint32_t loc,
		 struct sriov_entry *out);
/* "yes", "no", "unclear". */
const char *probe_judge(const struct question *question, const struct exchange *round);
/* What was sent and counted, in words. */
void probe_counts(const struct exchange *round, char *buf, size_t size);

/* The addresses that test frames have. */
extern const uint8_t probe_src_ip[4], probe_dst_ip[4], probe_src_mac[6];
#define PROBE_SRC_PORT 40009
#define PROBE_DST_PORT 9 /* discard */

/* A question that is asked. */
struct asked {
	const struct question *question;
	struct sriov_entry entry;
	struct exchange round[PROBE_ROUNDS];
};

struct probe {
	struct change change;
	const struct sriov_probe *want;
	const struct sriov_vf *vf;
	struct asked asked[PROBE_QUESTIONS];
	size_t nasked;
	struct exchange knock[PROBE_QUESTIONS]; /* one for each way, before its first question */
	size_t nknocks;
	struct steps steps;
};

/* Refuses a port that is not idle, and chooses the VF. */
int probe_check(struct probe *probe, struct sriov_error *err);

#endif
