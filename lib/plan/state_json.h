/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of a PF state's JSON. */
#ifndef SRIOV_PLAN_STATE_JSON_H
#define SRIOV_PLAN_STATE_JSON_H

#include "lib/plan/state.h"

/* Members of an open object: rules, list and what belongs to it. See state_write(). */
int state_write_rules(struct core_doc *doc, const struct pf_state *state,
		      const struct pf_state *like, const struct state_text *known,
		      struct state_text *out, struct sriov_error *err);
int state_decode_rules(const json_t *json, struct pf_state *state, struct sriov_error *err);

#endif
