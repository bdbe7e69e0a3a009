/* SPDX-License-Identifier: Apache-2.0 */
/* What the trace says of a packet in a round's table, and what the driver's model says, in the same words. */
#ifndef TRACE_ANSWER_H
#define TRACE_ANSWER_H

#include "flows/trace.h"

#include "tests/unit/flow_round.h"

/* A table as the trace has it: what others have, then what the list has become. */
struct traced {
	struct sriov_trace_entry *at;
	size_t n;
	struct sriov_tracer *tracer;
};

static inline void trace_table(const struct round *r, struct traced *traced)
{
	traced->n = r->port.nrules;
	traced->at = calloc(r->port.nrules + r->out.nentries + 1, sizeof(*traced->at));
	assert_non_null(traced->at);
	for (size_t i = 0; i < r->port.nrules; i++)
		traced->at[i].entry = r->port.rules[i];
	for (size_t i = 0; i < r->out.nentries; i++) {
		bool there = false;

		/* one of somebody else that the list takes as it stands */
		for (size_t k = 0; k < r->port.nrules; k++)
			there |= r->port.rules[k].loc == r->out.entry[i].loc;
		if (!there)
			traced->at[traced->n++].entry = r->out.entry[i];
	}
	assert_int_equal(sriov_tracer_new(&r->port, traced->at, traced->n, &traced->tracer, NULL),
			 0);
}

static inline void traced_clear(struct traced *traced)
{
	sriov_tracer_free(traced->tracer);
	free(traced->at);
	*traced = (struct traced){0};
}

#define ANSWER_SIZE 64
/* True if the packet meets an entry; @vf is what the switch has chosen, -1 = the PF. */
static inline bool trace_answer(const struct traced *traced, const struct sriov_packet *p, int vf,
				bool switched, char buf[ANSWER_SIZE])
{
	struct sriov_trace out = {.to = vf < 0 ? SRIOV_TO_PF : SRIOV_TO_VF,
				  .vf = vf < 0 ? 0 : vf,
				  .queue = -1,
				  .entry = SRIOV_NO_ENTRY};
	struct trace_walk walk = {
		.tracer = traced->tracer, .packet = *p, .out = &out, .switched = switched};
	bool met = trace_rules(&walk);
	size_t n = snprintf(buf, ANSWER_SIZE, "loc %d ",
			    met ? (int)traced->at[out.entry].entry.loc : -1);

	if (met)
		sriov_trace_format(&out, buf + n, ANSWER_SIZE - n);
	return met;
}

static inline bool model_answer(const struct nic_model *model, const struct nic_packet *p,
				char buf[ANSWER_SIZE])
{
	struct nic_hit hit;
	bool met = nic_model_match(model, p, &hit);
	struct sriov_trace trace = {.to = SRIOV_TO_DROP};
	size_t n = snprintf(buf, ANSWER_SIZE, "loc %d ", met ? (int)hit.loc : -1);

	if (!met)
		return false;
	if (!hit.drop) {
		trace.to = hit.vf < 0 ? SRIOV_TO_PF : SRIOV_TO_VF;
		trace.vf = hit.vf < 0 ? 0 : hit.vf;
	}
	trace.queue = hit.queue;
	sriov_trace_format(&trace, buf + n, ANSWER_SIZE - n);
	return true;
}

#endif
