/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules as flows for ovs-ofctl(8) add-flows (ovs-fields(7), OVS 3.1). The order of the list becomes
 * descending priorities. Only a drop has a meaning there: queues and VFs are places of a NIC that a
 * software port does not have, so such traffic takes the bridge's normal way, and a comment says what is lost.
 */
#include "flows/to/openflow.h"

#include "flows/convert.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

static const char *const protocols[SRIOV_FLOW_TYPES] = {
	[SRIOV_FLOW_TCP4] = "tcp",    [SRIOV_FLOW_UDP4] = "udp",  [SRIOV_FLOW_SCTP4] = "sctp",
	[SRIOV_FLOW_IP4] = "ip",      [SRIOV_FLOW_TCP6] = "tcp6", [SRIOV_FLOW_UDP6] = "udp6",
	[SRIOV_FLOW_SCTP6] = "sctp6", [SRIOV_FLOW_IP6] = "ipv6",
};

/*
 * An IPv6 mask that is no prefix. OVS takes one that begins with a digit for a prefix length
 * (ipv6_parse_masked_len()), so zeros in front are written as "::". False: it begins with another digit.
 */
static bool mask6_text(const uint8_t *mask, char out[INET6_ADDRSTRLEN])
{
	unsigned i = 0, len = 0;

	while (i < 16 && !mask[i] && !mask[i + 1])
		i += 2;
	if (!i)
		len = snprintf(out, INET6_ADDRSTRLEN, "%x", mask[0] << 8 | mask[1]);
	if (!i && out[0] <= '9')
		return false;
	if (i)
		len = snprintf(out, INET6_ADDRSTRLEN, ":");
	for (i = i ? i : 2; i < 16; i += 2)
		len += snprintf(out + len, INET6_ADDRSTRLEN - len, ":%x",
				mask[i] << 8 | mask[i + 1]);
	return true;
}

static bool has_mask_text(const struct sriov_rule *rule, enum flow_field_id id)
{
	const struct flow_field *f = flow_field_of(rule->type, id);
	char text[INET6_ADDRSTRLEN];

	return !f || f->kind != KIND_IP6 ||
	       mask_prefix(flow_field_at(f, &rule->mask), f->size) >= 0 ||
	       mask6_text(flow_field_at(f, &rule->mask), text);
}

/* ",nw_src=10.0.0.0/8": masks there have 1 = must match, as here. */
static void write_ip(FILE *out, const struct sriov_rule *rule, enum flow_field_id id,
		     const char *word4, const char *word6)
{
	const struct flow_field *f = flow_field_of(rule->type, id);
	const uint8_t *mask;
	char text[INET6_ADDRSTRLEN];
	int prefix;

	if (!f || !flow_field_any(f, &rule->mask))
		return;
	mask = flow_field_at(f, &rule->mask);
	prefix = mask_prefix(mask, f->size);
	inet_ntop(f->kind == KIND_IP4 ? AF_INET : AF_INET6, flow_field_at(f, &rule->value), text,
		  sizeof(text));
	fprintf(out, ",%s=%s", f->kind == KIND_IP4 ? word4 : word6, text);
	if (prefix == f->size * 8)
		return;
	if (prefix >= 0)
		snprintf(text, sizeof(text), "%d", prefix);
	else if (f->kind == KIND_IP4)
		inet_ntop(AF_INET, mask, text, sizeof(text));
	else
		mask6_text(mask, text);
	fprintf(out, "/%s", text);
}

static void write_mac(FILE *out, const char *word, const uint8_t *value, const uint8_t *mask)
{
	static const uint8_t full[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	char buf[SRIOV_MAC_LEN];

	if (sriov_mac_is_zero(mask))
		return;
	fprintf(out, ",%s=%s", word, sriov_mac_format(value, buf));
	if (memcmp(mask, full, sizeof(full)))
		fprintf(out, "/%s", sriov_mac_format(mask, buf));
}

/* DSCP and ECN are two fields there, each whole. */
static void write_tos(FILE *out, const struct sriov_rule *rule)
{
	if (rule->mask.tos & 0xfc)
		fprintf(out, ",nw_tos=%u", rule->value.tos & 0xfc);
	if (rule->mask.tos & 0x03)
		fprintf(out, ",nw_ecn=%u", rule->value.tos & 0x03);
}

/* OVS keeps "there is a tag" where a TCI has its DEI bit. */
static void write_vlan(FILE *out, const struct sriov_rule *rule)
{
	unsigned mask = rule->mask.vlan_tci & ~VLAN_DEI_MASK;

	if (rule->mask.vlan_tci)
		fprintf(out, ",vlan_tci=0x%04x/0x%04x",
			(rule->value.vlan_tci & mask) | VLAN_DEI_MASK, mask | VLAN_DEI_MASK);
}

static void write_match(FILE *out, const struct sriov_rule *rule)
{
	bool l4 = FLOW_BIT(rule->type) & (FLOW_L4_V4 | FLOW_L4_V6);

	if (protocols[rule->type])
		fprintf(out, ",%s%s", protocols[rule->type], l4 ? ",ip_frag=no" : "");
	write_mac(out, "dl_src", rule->value.src_mac, rule->mask.src_mac);
	write_mac(out, "dl_dst", rule->value.dst_mac, rule->mask.dst_mac);
	if (rule->mask.ethertype)
		fprintf(out, ",dl_type=0x%04x", rule->value.ethertype);
	write_vlan(out, rule);
	write_ip(out, rule, FIELD_SRC_IP, "nw_src", "ipv6_src");
	write_ip(out, rule, FIELD_DST_IP, "nw_dst", "ipv6_dst");
	write_tos(out, rule);
	if (rule->mask.proto)
		fprintf(out, ",nw_proto=%u", rule->value.proto);
	if (rule->mask.tcp_flags)
		fprintf(out, ",tcp_flags=0x%03x/0x%03x",
			rule->value.tcp_flags & rule->mask.tcp_flags, rule->mask.tcp_flags);
}

const char *openflow_lacks(const struct sriov_rule *rule)
{
	const struct sriov_match *mask = &rule->mask;

	if (FLOW_BIT(rule->type) &
	    (FLOW_BIT(SRIOV_FLOW_IP4_OTHER) | FLOW_BIT(SRIOV_FLOW_IP6_OTHER)))
		return "IP without TCP, UDP and SCTP has no form in OpenFlow";
	if (mask->user_def)
		return "`user-def` has no form in OpenFlow";
	if (mask->l4_bytes)
		return "`l4data` has no form in OpenFlow";
	if (mask->e_tag)
		return "`e-tag` has no form in OpenFlow";
	if (match_in_tunnel(mask))
		return "what is inside a tunnel has no form in OpenFlow: a bridge takes tunnels apart";
	if (mask->vlan_etype)
		return "`vlan-etype` has no form in OpenFlow";
	if (mask->ethertype && mask->ethertype != UINT16_MAX)
		return "OpenFlow has no masks of EtherTypes";
	if (mask->proto && mask->proto != UINT8_MAX)
		return "OpenFlow has no masks of IP protocols";
	if ((mask->tos & 0xfc && (mask->tos & 0xfc) != 0xfc) ||
	    (mask->tos & 0x03 && (mask->tos & 0x03) != 0x03))
		return "of `tos` and `tclass` OpenFlow has the DSCP and ECN parts, each whole";
	if (mask->vlan_tci & VLAN_DEI_MASK && rule->value.vlan_tci & VLAN_DEI_MASK)
		return "OVS cannot match the DEI bit of a tag: say `vid` and `prio`";
	if (!has_mask_text(rule, FIELD_SRC_IP) || !has_mask_text(rule, FIELD_DST_IP))
		return "OVS takes an IPv6 mask that begins with a digit for a prefix length";
	return NULL;
}

/* What the flow does not do that the rule does. */
static void write_comment(const struct export *e, const struct sriov_rule *rule)
{
	const struct sriov_action *action = &rule->action;

	if (rule->name[0])
		fprintf(e->out, "# %s\n", rule->name);
	if (rule->mask.vlan_tci & VLAN_DEI_MASK)
		fputs("# lost: OVS cannot match that the DEI bit is 0\n", e->out);
	switch (action->kind) {
	case SRIOV_ACTION_QUEUE:
		fprintf(e->out, "# lost: queue %u\n", action->queue);
		break;
	case SRIOV_ACTION_QUEUES:
		fprintf(e->out, "# lost: queues %u-%u\n", action->queue, action->queue_last);
		break;
	case SRIOV_ACTION_VF:
		fprintf(e->out, "# lost: to vf %u queue %u, whatever the destination MAC\n",
			action->vf, action->queue);
		break;
	case SRIOV_ACTION_GUEST:
		fprintf(e->out, "# lost: to guest %s, whatever the destination MAC\n",
			action->guest);
		break;
	case SRIOV_ACTION_DROP:
		break;
	}
}

/* A range as values and masks of aligned powers of two; the number of them. */
#define RANGE_PARTS_MAX 30
static size_t split_range(unsigned first, unsigned last, uint16_t value[RANGE_PARTS_MAX],
			  uint16_t mask[RANGE_PARTS_MAX])
{
	size_t n = 0;

	while (first <= last) {
		unsigned size = 1;

		while (!(first & size) && size < 0x8000 && first + size * 2 - 1 <= last)
			size *= 2;
		value[n] = first;
		mask[n++] = ~(size - 1);
		first += size;
	}
	return n;
}

/* The ports of a rule as values and masks; one that matches everything if it does not matter. */
static size_t ports(uint16_t port, uint16_t last, uint16_t bits, uint16_t value[RANGE_PARTS_MAX],
		    uint16_t mask[RANGE_PARTS_MAX])
{
	if (last)
		return split_range(port, last, value, mask);
	value[0] = port;
	mask[0] = bits;
	return 1;
}

static void write_port(FILE *out, const char *word, uint16_t value, uint16_t mask)
{
	if (mask == UINT16_MAX)
		fprintf(out, ",%s=%u", word, value);
	else if (mask)
		fprintf(out, ",%s=0x%x/0x%x", word, value, mask);
}

void openflow_matches(const struct sriov_rule *rule, openflow_match_fn *fn, void *data)
{
	uint16_t src[RANGE_PARTS_MAX], src_mask[RANGE_PARTS_MAX];
	uint16_t dst[RANGE_PARTS_MAX], dst_mask[RANGE_PARTS_MAX];
	size_t nsrc = ports(rule->value.src_port, rule->src_port_last, rule->mask.src_port, src,
			    src_mask);
	size_t ndst = ports(rule->value.dst_port, rule->dst_port_last, rule->mask.dst_port, dst,
			    dst_mask);

	for (size_t k = 0; k < nsrc * ndst; k++) {
		FILE *out = fn(data, NULL);

		if (!out)
			return;
		write_match(out, rule);
		write_port(out, "tp_src", src[k / ndst], src_mask[k / ndst]);
		write_port(out, "tp_dst", dst[k % ndst], dst_mask[k % ndst]);
		fn(data, out);
	}
}

int openflow_count_rules(size_t n, const char *object, struct sriov_error *err)
{
	if (n <= OPENFLOW_RULES_MAX)
		return 0;
	return sriov_error_set(err, -ENOTSUP, object,
			       "OpenFlow has %d priorities, and the list has %zu rules",
			       OPENFLOW_RULES_MAX, n);
}

static int begin(const struct export *e)
{
	return openflow_count_rules(e->rules->n, "export", e->err);
}

struct line {
	const struct export *e;
	size_t priority;
	const char *action;
};

static FILE *write_line(void *data, FILE *written)
{
	const struct line *line = data;

	if (written)
		fprintf(written, ",actions=%s\n", line->action);
	else
		fprintf(line->e->out, "priority=%zu", line->priority);
	return line->e->out;
}

static int write_rule(const struct export *e, const struct sriov_rule *rule, size_t i)
{
	struct line line = {e, e->rules->n - i,
			    rule->action.kind == SRIOV_ACTION_DROP ? "drop" : "NORMAL"};
	const char *why = rule->scope.kind ? "`in` has no form in OpenFlow" : openflow_lacks(rule);

	if (why)
		return export_refuse(e, "%s", why);
	write_comment(e, rule);
	openflow_matches(rule, write_line, &line);
	return 0;
}

const struct exporter export_openflow = {.begin = begin, .rule = write_rule};
