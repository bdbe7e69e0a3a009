/* SPDX-License-Identifier: Apache-2.0 */
/* Rules as lines that ethtool(8) 6.1 takes: `ethtool -N DEV flow-type …`, one entry each. */
#include "flows/convert.h"
#include "flows/value.h"

static void write_fields(const struct export *e, const struct sriov_rule *rule)
{
	for (const struct flow_field *f = NULL; (f = flow_field_next(f, rule->type));) {
		struct sriov_match inverse = {0};

		if (!flow_field_any(f, &rule->mask))
			continue;
		fprintf(e->out, " %s ", f->word);
		export_value(e->out, f, &rule->value);
		if (flow_field_full(f, &rule->mask))
			continue;
		flow_field_set_bytes(f, &inverse, flow_field_at(f, &rule->mask));
		value_invert(f, &inverse);
		fputs(" m ", e->out);
		export_value(e->out, f, &inverse);
	}
}

/* One i40e entry of these types is what its driver makes of ethtool's ip4 and ip6. */
static const char *type_word(enum sriov_flow_type type)
{
	if (type == SRIOV_FLOW_IP4_OTHER)
		return sriov_flow_type_word(SRIOV_FLOW_IP4);
	if (type == SRIOV_FLOW_IP6_OTHER)
		return sriov_flow_type_word(SRIOV_FLOW_IP6);
	return sriov_flow_type_word(type);
}

static int write_rule(const struct export *e, const struct sriov_rule *rule, size_t i)
{
	const struct sriov_action *action = &rule->action;
	const char *lacks = export_lacks(rule);

	for (const struct flow_field *f = NULL; (f = flow_field_next(f, rule->type));)
		if (f->rte && flow_field_any(f, &rule->mask))
			return export_refuse(e, "ethtool(8) has no word for `%s`", f->word);
	if (lacks)
		return export_refuse(e, "%s", lacks);
	if (rule->src_port_last || rule->dst_port_last)
		return export_refuse(e, "ethtool(8) has masks of ports, and no ranges");
	if (rule->scope.kind)
		return export_refuse(e, "ethtool(8) has no word for `in`");
	fprintf(e->out, "ethtool -N %s flow-type %s", e->dev ? e->dev : "DEV",
		type_word(rule->type));
	write_fields(e, rule);
	if (action->kind == SRIOV_ACTION_DROP)
		fputs(" action -1", e->out);
	else if (action->kind == SRIOV_ACTION_VF)
		fprintf(e->out, " vf %u queue %u", action->vf, action->queue);
	else
		fprintf(e->out, " action %u", action->queue);
	if (rule->loc >= 0)
		fprintf(e->out, " loc %ld", rule->loc);
	if (rule->name[0])
		fprintf(e->out, " # %s", rule->name);
	fputc('\n', e->out);
	return 0;
}

const struct exporter export_ethtool = {.rule = write_rule};
