/* SPDX-License-Identifier: Apache-2.0 */
/* Verdicts in words: results, conditions, and the error of a list that does not fit. */
#include "flows/compile.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const words[SRIOV_RESULTS] = {
	[SRIOV_EXACT] = "exact",    [SRIOV_NARROWER] = "narrower", [SRIOV_BROADER] = "broader",
	[SRIOV_NONE] = "none",      [SRIOV_REJECTED] = "refused",  [SRIOV_FULL] = "full",
	[SRIOV_UNSURE] = "unknown",
};

SRIOV_EXPORT const char *sriov_result_word(enum sriov_result result)
{
	return (unsigned)result < SRIOV_RESULTS ? words[result] : NULL;
}

/* More than there is room for are left out: the ones that say most come first. */
__attribute__((format(printf, 2, 3))) static void condition(struct sriov_verdict *v,
							    const char *fmt, ...)
{
	va_list ap;

	if (v->nconditions == SRIOV_CONDITIONS_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(v->condition[v->nconditions], sizeof(v->condition[0]), fmt, ap);
	va_end(ap);
	v->nconditions++;
}

/* A target of a VSI acts on what the switch gives to it, and is bound to it as it stands. */
static void vsi_conditions(const struct compiler *c, const struct lowered *low,
			   struct sriov_verdict *v)
{
	const struct sriov_rule *rule = &low->rule;

	if (rule->action.kind == SRIOV_ACTION_VF) {
		condition(v, "only traffic switched to VF %u", rule->action.vf);
		condition(
			v,
			"bound to VF %u as it is now: after a change of the number of VFs it must "
			"be put in again",
			rule->action.vf);
	} else if (rule->action.kind == SRIOV_ACTION_QUEUE && c->port.vfs &&
		   rule->scope.kind == SRIOV_SCOPE_ALL) {
		condition(v, "only traffic switched to the PF");
	}
}

static void share_conditions(const struct compiler *c, const struct lowered *low,
			     struct sriov_verdict *v)
{
	char name[96];

	for (size_t i = 0; i < low->n; i++) {
		size_t t = low->at[i];

		if (low->shared[i]) {
			v->other_rule = c->table.owner[t];
			condition(v, "%s the entry of %s, which matches the same packets",
				  low->n > 1 ? "shares one of its entries:" : "shares",
				  compile_rule_name(c->rules, c->table.owner[t], name));
			return;
		}
		if (t < c->nforeign) {
			v->other_loc = c->table.at[t].loc;
			condition(v,
				  "somebody else's rule at loc %u is this one already: it stays "
				  "theirs unless adopted",
				  c->table.at[t].loc);
			return;
		}
	}
}

static void conditions(const struct compiler *c, const struct lowered *low, bool ntuple_off,
		       struct sriov_verdict *v)
{
	const char *notes[NIC_NOTES_MAX];
	size_t n = nic_profile_notes(c->profile, &c->port, &low->entry[0], notes);

	if (ntuple_off)
		condition(v, "ntuple is off on %s and must be switched on first",
			  nic_port_name(&c->port));
	if (low->in)
		share_conditions(c, low, v);
	if (c->profile->scope == NIC_SCOPE_VSI)
		vsi_conditions(c, low, v);
	/* i40e_check_fdir_input_set() leaves the input set of FRAG_IPV6 alone */
	if (low->entry[0].type == SRIOV_FLOW_IP6_OTHER)
		condition(v, "fragments: what is compared of them is not known");
	for (size_t i = 0; i < n; i++)
		condition(v, "%s", notes[i]);
	if (c->profile->condition)
		condition(v, "%s", c->profile->condition);
}

/* "rule web (line 3): flow-type udp4 dst-port 80 drop", or "loc 7: udp4 dst-port 80 -> drop". */
static void tell_other(const struct compiler *c, size_t other, struct sriov_verdict *v)
{
	const struct sriov_entry *e = &c->table.at[other];
	char name[96], text[384] = "";

	v->other_rule = c->table.owner[other];
	if (v->other_rule >= 0) {
		sriov_rule_format(&c->rules->at[v->other_rule], text, sizeof(text));
		snprintf(v->other, sizeof(v->other), "%s: %s",
			 compile_rule_name(c->rules, v->other_rule, name), text);
		return;
	}
	v->other_loc = e->loc;
	/* what does not fit is cut: it is for reading */
	sriov_entry_format(e, text, sizeof(text));
	snprintf(v->other, sizeof(v->other), "loc %u: %s", e->loc, text);
}

void compile_verdict(const struct compiler *c, size_t i, struct sriov_verdict *out)
{
	const struct lowered *low = &c->low[i];

	out->result = low->v.result;
	out->err = low->v.err;
	out->other_rule = out->other_loc = -1;
	out->evidence = c->profile ? c->profile->source : "no profile of this driver";
	core_copy(out->why, sizeof(out->why), low->v.detail);
	core_copy(out->hint, sizeof(out->hint), low->v.hint);
	if (low->v.other != TABLE_NONE && c->profile)
		tell_other(c, low->v.other, out);
	if (low->in)
		conditions(c, low, c->ntuple_off, out);
	else
		compile_nearest(c, &c->rules->at[i], out->nearest, sizeof(out->nearest));
}

int compile_error(const struct compiler *c, size_t i, const struct sriov_verdict *v)
{
	char name[96], object[96];

	snprintf(object, sizeof(object), "%.40s%s%.40s on %.20s", c->rules->file,
		 c->rules->file[0] ? ": " : "", compile_rule_name(c->rules, i, name),
		 nic_port_name(&c->port));
	sriov_error_set(c->err, -ENOTSUP, object, "%s%s%s", v->why, v->other[0] ? "\n  " : "",
			v->other);
	if (v->hint[0])
		sriov_error_hint(c->err, "%s", v->hint);
	return -ENOTSUP;
}
