/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules as testpmd's commands (DPDK 22.11, app/test-pmd/cmdline_flow.c):
 *     flow create PORT ingress pattern ITEM / … / end actions ACTION / … / end
 */
#include "flows/convert.h"
#include "flows/value.h"

#include <errno.h>
#include <string.h>

/* Of a longer line testpmd does nothing and says nothing: RDLINE_BUF_SIZE of lib/cmdline. */
#define LINE_CHARS 512

/* The field @id of the rule as @word of an item, if it is matched. */
static void write_field(const struct export *e, const struct sriov_rule *rule,
			enum flow_field_id id, const char *word)
{
	const struct flow_field *f = flow_field_of(rule->type, id);
	unsigned last = id == FIELD_SRC_PORT   ? rule->src_port_last
			: id == FIELD_DST_PORT ? rule->dst_port_last
					       : 0;

	if (!f || !flow_field_any(f, &rule->mask))
		return;
	if (!last && flow_field_full(f, &rule->mask)) {
		fprintf(e->out, " %s is ", word);
		export_value(e->out, f, &rule->value);
		return;
	}
	fprintf(e->out, " %s spec ", word);
	export_value(e->out, f, &rule->value);
	if (last)
		fprintf(e->out, " %s last %u", word, last);
	fprintf(e->out, " %s mask ", word);
	export_value(e->out, f, &rule->mask);
}

/* Before a VLAN tag, the Ethernet header's type is the tag's; what the frame holds stands in the tag. */
static void write_link(const struct export *e, const struct sriov_rule *rule)
{
	bool tagged = rule->mask.vlan_tci;

	if (rule->mask.e_tag) {
		fputs(" e_tag", e->out);
		write_field(e, rule, FIELD_E_TAG, "grp_ecid_b");
		fputs(" /", e->out);
		return;
	}
	fputs(" eth", e->out);
	write_field(e, rule, FIELD_SRC_MAC, "src");
	write_field(e, rule, FIELD_DST_MAC, "dst");
	write_field(e, rule, tagged ? FIELD_VLAN_ETYPE : FIELD_ETHERTYPE, "type");
	fputs(" /", e->out);
	if (!tagged)
		return;
	fputs(" vlan", e->out);
	write_field(e, rule, FIELD_VLAN, "tci");
	write_field(e, rule, FIELD_ETHERTYPE, "inner_type");
	fputs(" /", e->out);
}

static void write_tunnel(const struct export *e, const struct sriov_rule *rule)
{
	fputs(" vxlan", e->out);
	write_field(e, rule, FIELD_VNI, "vni");
	fputs(" / eth", e->out);
	write_field(e, rule, FIELD_INNER_DST, "dst");
	fputs(" /", e->out);
	if (!rule->mask.inner_vlan)
		return;
	fputs(" vlan", e->out);
	write_field(e, rule, FIELD_INNER_VLAN, "tci");
	fputs(" /", e->out);
}

static void write_ip(const struct export *e, const struct sriov_rule *rule)
{
	static const char *const l4[SRIOV_FLOW_TYPES] = {
		[SRIOV_FLOW_TCP4] = "tcp", [SRIOV_FLOW_TCP6] = "tcp",   [SRIOV_FLOW_UDP4] = "udp",
		[SRIOV_FLOW_UDP6] = "udp", [SRIOV_FLOW_SCTP4] = "sctp", [SRIOV_FLOW_SCTP6] = "sctp",
	};
	bool v4 = FLOW_BIT(rule->type) & (FLOW_L4_V4 | FLOW_IP_V4);

	fputs(v4 ? " ipv4" : " ipv6", e->out);
	write_field(e, rule, FIELD_SRC_IP, "src");
	write_field(e, rule, FIELD_DST_IP, "dst");
	write_field(e, rule, FIELD_TOS, v4 ? "tos" : "tc");
	write_field(e, rule, FIELD_L4_PROTO, "proto");
	fputs(" /", e->out);
	if (!l4[rule->type])
		return;
	fprintf(e->out, " %s", l4[rule->type]);
	write_field(e, rule, FIELD_SRC_PORT, "src");
	write_field(e, rule, FIELD_DST_PORT, "dst");
	write_field(e, rule, FIELD_TCP_FLAGS, "flags");
	fputs(" /", e->out);
	if (match_in_tunnel(&rule->mask))
		write_tunnel(e, rule);
}

static bool is_e_tag_alone(const struct sriov_rule *rule)
{
	static const struct sriov_match e_tag = {.e_tag = UINT16_MAX};

	return !memcmp(&rule->mask, &e_tag, sizeof(e_tag)) && rule->value.e_tag <= E_TAG_MAX;
}

/* What the rule has and rte_flow has not: NULL, or a phrase. */
static const char *lacks(const struct sriov_rule *rule)
{
	if (rule->mask.user_def)
		return "`user-def` has no form there";
	if (rule->mask.l4_bytes)
		return "`l4data` has no form there";
	if (rule->mask.e_tag && !is_e_tag_alone(rule))
		return "an `e-tag` stands alone there, whole and of 14 bits";
	if (rule->mask.vni && (rule->mask.vni != UINT32_MAX || rule->value.vni > VNI_MAX))
		return "a `vni` is whole there, and of 24 bits";
	if (rule->mask.vlan_etype && !rule->mask.vlan_tci)
		return "`vlan-etype` needs a `vlan`, `vid` or `prio` beside it there";
	if (FLOW_BIT(rule->type) &
	    (FLOW_BIT(SRIOV_FLOW_IP4_OTHER) | FLOW_BIT(SRIOV_FLOW_IP6_OTHER)))
		return "IP without TCP, UDP and SCTP has no form there";
	if (rule->scope.kind)
		return "`in` has no form there since DPDK 22.11";
	if (rule->action.queue > UINT16_MAX)
		return "DPDK's queues have 16 bits";
	return export_lacks(rule);
}

static int begin(const struct export *e)
{
	uint64_t port;

	if (e->dev && value_number(e->dev, UINT16_MAX, &port))
		return sriov_error_set(e->err, -EINVAL, e->dev,
				       "testpmd's ports are numbers from 0 to 65535");
	for (size_t i = 1; i < e->rules->n; i++) {
		if (!memcmp(&e->rules->at[i].action, &e->rules->at[0].action,
			    sizeof(e->rules->at[i].action)))
			continue;
		fputs("# The first rule that matches decided; here no order is said, as ixgbe and "
		      "i40e refuse priorities.\n",
		      e->out);
		break;
	}
	return 0;
}

static int write_rule(const struct export *e, const struct sriov_rule *rule, size_t i)
{
	const struct sriov_action *action = &rule->action;
	const char *why = lacks(rule);
	off_t from, chars;

	if (why)
		return export_refuse(e, "%s", why);
	if (rule->name[0])
		fprintf(e->out, "# %s\n", rule->name);
	from = ftello(e->out);
	fprintf(e->out, "flow create %s ingress pattern", e->dev ? e->dev : "0");
	write_link(e, rule);
	if (rule->type != SRIOV_FLOW_ETHER)
		write_ip(e, rule);
	fputs(" end actions", e->out);
	if (action->kind == SRIOV_ACTION_DROP)
		fputs(" drop /", e->out);
	if (action->kind == SRIOV_ACTION_VF)
		fprintf(e->out, " vf id %u /", action->vf);
	if (action->kind == SRIOV_ACTION_QUEUE ||
	    (action->kind == SRIOV_ACTION_VF && (action->queue || match_in_tunnel(&rule->mask))))
		fprintf(e->out, " queue index %u /", action->queue);
	fputs(" end", e->out);
	chars = ftello(e->out) - from;
	if (chars > LINE_CHARS)
		return export_refuse(e,
				     "its command has %jd characters, and testpmd reads lines of "
				     "at most %d: match fewer fields, or whole values instead of "
				     "masks",
				     (intmax_t)chars, LINE_CHARS);
	fputc('\n', e->out);
	return 0;
}

const struct exporter export_testpmd = {.begin = begin, .rule = write_rule};
