/* SPDX-License-Identifier: Apache-2.0 */
/* The story of one rule of a compiled list, in sentences. */
#include "flows/words.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define ENTRIES_TOLD 8

static const char *const packets[SRIOV_FLOW_TYPES] = {
	[SRIOV_FLOW_TCP4] = "unfragmented TCP over IPv4",
	[SRIOV_FLOW_UDP4] = "unfragmented UDP over IPv4",
	[SRIOV_FLOW_SCTP4] = "unfragmented SCTP over IPv4",
	[SRIOV_FLOW_IP4] = "IPv4 of every protocol, fragments too",
	[SRIOV_FLOW_IP4_OTHER] = "IPv4 but unfragmented TCP, UDP and SCTP",
	[SRIOV_FLOW_TCP6] = "unfragmented TCP over IPv6",
	[SRIOV_FLOW_UDP6] = "unfragmented UDP over IPv6",
	[SRIOV_FLOW_SCTP6] = "unfragmented SCTP over IPv6",
	[SRIOV_FLOW_IP6] = "IPv6 of every protocol, fragments too",
	[SRIOV_FLOW_IP6_OTHER] = "IPv6 but unfragmented TCP, UDP and SCTP",
	[SRIOV_FLOW_ETHER] = "frames of every kind",
};

struct story {
	FILE *out;
	const struct sriov_rules *rules;
	const struct sriov_compiled *compiled;
	const struct sriov_verdict *v;
	const struct sriov_rule *rule;
};

static void name_of(const struct story *s, size_t i)
{
	if (s->rules->at[i].name[0])
		fprintf(s->out, "rule %s", s->rules->at[i].name);
	else
		fprintf(s->out, "rule %zu", i + 1);
	if (s->rules->at[i].line && s->rules->file[0])
		fprintf(s->out, " (line %u)", s->rules->at[i].line);
}

static void tell_packets(const struct story *s)
{
	const struct sriov_scope *scope = &s->rule->scope;
	char words[512] = "";
	struct text text = {.at = words, .size = sizeof(words)};

	fprintf(s->out, "It is about %s", packets[s->rule->type] ?: "packets of an unknown type");
	match_print(&text, s->rule->type, &s->rule->value, &s->rule->mask, true);
	if (words[0])
		fprintf(s->out, " with%s", words);
	if (s->rule->src_port_last)
		fprintf(s->out, ", source ports up to %u", s->rule->src_port_last);
	if (s->rule->dst_port_last)
		fprintf(s->out, ", destination ports up to %u", s->rule->dst_port_last);
	if (scope->kind == SRIOV_SCOPE_PF)
		fprintf(s->out, ", where the switch in the NIC gives them to the PF");
	else if (scope->kind == SRIOV_SCOPE_VF)
		fprintf(s->out, ", where the switch in the NIC gives them to VF %u", scope->vf);
	else if (scope->kind == SRIOV_SCOPE_GUEST)
		fprintf(s->out, ", where the switch in the NIC gives them to guest %s",
			scope->guest);
	fprintf(s->out, ".\n");
}

static void tell_order(const struct story *s)
{
	if (s->v->shadow < 0) {
		fprintf(s->out, "No rule before it takes any of these packets.\n");
		return;
	}
	fprintf(s->out, "The first match decides: ");
	name_of(s, s->v->shadow);
	fprintf(s->out,
		s->v->shadowed
			? " and the rules up to this one take all of its packets, so none comes "
			  "to it and it needs no entry.\n"
			: " comes before it and takes some of its packets, which are not its "
			  "own.\n");
}

/* Of a table with one mask for all; filters are told one by one. */
static const struct sriov_table_mask *mask_of(const struct story *s)
{
	const struct sriov_entry *e = &s->compiled->entry[s->v->first];

	for (size_t i = 0; !s->compiled->filter && i < s->compiled->nmasks; i++)
		if (s->compiled->mask[i].types & 1u << e->type)
			return &s->compiled->mask[i];
	return NULL;
}

/* Why it takes so many entries, and which. */
static void tell_entries(const struct story *s)
{
	const struct sriov_verdict *v = s->v;
	const struct sriov_table_mask *mask = v->n ? mask_of(s) : NULL;
	char words[256];

	if (!v->n)
		return;
	if (mask) {
		sriov_mask_format(mask->type, &mask->mask, words, sizeof(words));
		fprintf(s->out, "All %s entries of the table match the same bits: %s.\n",
			mask->types & (mask->types - 1) ? "such" : sriov_flow_type_word(mask->type),
			words);
	}
	fprintf(s->out, "It takes %zu entr%s%s:\n", v->n, v->n == 1 ? "y" : "ies",
		v->n > 1 && mask ? ", one for each value of those bits that it leaves open" : "");
	for (size_t i = v->first; i < v->first + v->n && i < v->first + ENTRIES_TOLD; i++) {
		sriov_entry_format(&s->compiled->entry[i], words, sizeof(words));
		if (s->compiled->filter)
			fprintf(s->out, "  %s filter: %s\n",
				sriov_filter_word(s->compiled->filter[i]), words);
		else
			fprintf(s->out, "  location %u: %s\n", s->compiled->entry[i].loc, words);
	}
	if (v->n > ENTRIES_TOLD)
		fprintf(s->out, "  … and %zu more\n", v->n - ENTRIES_TOLD);
	if (s->rule->action.kind == SRIOV_ACTION_QUEUES)
		fprintf(s->out,
			"The queue of a packet is chosen by the %d lowest bits of its source port: that "
			"alone makes each entry %u.\n",
			__builtin_ctz(s->rule->action.queue_last - s->rule->action.queue + 1),
			s->rule->action.queue_last - s->rule->action.queue + 1);
}

static void tell_verdict(const struct story *s)
{
	const struct sriov_verdict *v = s->v;

	if (v->why[0])
		fprintf(s->out, "%s: %s.\n", sriov_result_word(v->result), v->why);
	if (v->other[0])
		fprintf(s->out, "In its way: %s.\n", v->other);
	if (v->left_out)
		fprintf(s->out,
			"It is optional (worth %u) and left out: its packets take the NIC's "
			"default way, and no rule behind it gets them.\n",
			s->rule->weight ?: 1);
	if (v->elsewhere)
		fprintf(s->out,
			"Its guest is on a bridge of OVS, whose flows carry it out: here its "
			"packets take the NIC's default way, and no rule behind it gets them.\n");
	if (v->hint[0])
		fprintf(s->out, "What helps: %s.\n", v->hint);
	if (v->nearest[0])
		fprintf(s->out, "The nearest rule that works: %s\n", v->nearest);
	if (v->result == SRIOV_EXACT && !v->left_out && !v->elsewhere)
		fprintf(s->out, "So the NIC does exactly what it says.\n");
	for (size_t i = 0; i < v->nconditions; i++)
		fprintf(s->out, "%s: %s\n", i ? "     " : "Note", v->condition[i]);
	fprintf(s->out, "Evidence: %s\n", v->evidence);
}

SRIOV_EXPORT int sriov_rule_explain(const struct sriov_rules *rules,
				    const struct sriov_compiled *compiled, size_t i, char **out,
				    struct sriov_error *err)
{
	struct story s = {.rules = rules, .compiled = compiled};
	char words[1024];
	char *text = NULL;
	size_t size;

	if (i >= rules->n || i >= compiled->nrules)
		return sriov_error_set(err, -ENOENT, "flow explain", "there is no rule %zu", i + 1);
	s.v = &compiled->verdict[i];
	s.rule = &rules->at[i];
	s.out = open_memstream(&text, &size);
	if (!s.out)
		return core_oom(err);
	name_of(&s, i);
	if (!sriov_rule_format(s.rule, words, sizeof(words)))
		fprintf(s.out, ": %s", words);
	fprintf(s.out, "\n");
	tell_packets(&s);
	tell_order(&s);
	tell_entries(&s);
	tell_verdict(&s);
	if (fclose(s.out)) {
		free(text);
		return core_oom(err);
	}
	*out = text;
	return 0;
}
