/* SPDX-License-Identifier: Apache-2.0 */
/* A list of rules as flows of the table RULES: see openflow.h. */
#include "flows/convert.h"
#include "flows/rule.h"
#include "flows/to/openflow_policy.h"

#include <errno.h>
#include <string.h>

static size_t find_port(const struct openflow_want *want, const char *guest)
{
	for (size_t i = 0; i < want->nports; i++) {
		if (!strcmp(want->port[i].guest, guest) ||
		    (want->port[i].uuid[0] && !strcasecmp(want->port[i].uuid, guest)))
			return i;
	}
	return OPENFLOW_NO_PORT;
}

static void note(struct policy *p, const char *text)
{
	char name[128];

	rule_label(p->its, p->rule, name, sizeof(name));
	if (note_add(&p->out->notes, p->its->line, false, "%s: %s", name, text) < 0)
		p->failed = true;
}

/* What becomes of the rule's action, and of it what is lost. */
static void note_action(struct policy *p, size_t target)
{
	static const char way[] = "here its packets go where their MAC address says";
	const struct sriov_action *action = &p->its->action;
	char text[256] = "";

	if (action->kind == SRIOV_ACTION_QUEUES)
		snprintf(text, sizeof(text), "queues %u-%u are lost: %s", action->queue,
			 action->queue_last, way);
	else if (action->kind == SRIOV_ACTION_QUEUE)
		snprintf(text, sizeof(text), "queue %u is lost: %s", action->queue, way);
	else if (action->kind == SRIOV_ACTION_VF)
		snprintf(text, sizeof(text), "VF %u is not on the bridge: %s", action->vf, way);
	else if (action->kind == SRIOV_ACTION_GUEST && target == OPENFLOW_NO_PORT)
		snprintf(text, sizeof(text), "guest %s is not on the bridge: %s", action->guest,
			 way);
	else if (action->kind == SRIOV_ACTION_GUEST && action->queue)
		snprintf(text, sizeof(text),
			 "queue %u of guest %s is lost: OVS chooses the queue of a guest",
			 action->queue, action->guest);
	if (text[0])
		note(p, text);
	if (p->its->mask.vlan_tci & VLAN_DEI_MASK)
		note(p, "OVS cannot match that the DEI bit of a tag is 0");
}

/* What all lines of a rule have besides its match. */
struct rule_lines {
	struct policy *p;
	const char *before; /* ",reg0=2" */
	char action[64];
};

static FILE *rule_line(void *data, FILE *written)
{
	const struct rule_lines *lines = data;
	struct policy *p = lines->p;
	FILE *out;

	if (written) {
		fprintf(written, ",actions=%s", lines->action);
		policy_end(p, OPENFLOW_RULES, OPENFLOW_NO_PORT);
		return written;
	}
	out = policy_begin(p, OPENFLOW_RULES, p->want->rules->n - p->rule);
	fputs(lines->before, out);
	return out;
}

static int write_rule(struct policy *p)
{
	const struct sriov_rule *rule = p->its;
	size_t target = rule->action.kind == SRIOV_ACTION_GUEST
				? find_port(p->want, rule->action.guest)
				: OPENFLOW_NO_PORT;
	const char *why = openflow_lacks(rule);
	struct rule_lines lines = {.p = p, .before = ""};
	char scope[24];
	size_t only;

	if (why) {
		char object[128];

		rule_label(rule, p->rule, object, sizeof(object));
		sriov_error_set(
			p->err, -ENOTSUP, object,
			"it cannot be carried over to OVS, and rules behind it would meet its "
			"packets: %s",
			why);
		return sriov_error_hint(p->err, "change the rule, or keep the guests on VFs");
	}
	if (rule->scope.kind == SRIOV_SCOPE_PF || rule->scope.kind == SRIOV_SCOPE_VF)
		return 0; /* what the NIC's switch gives to others never comes here */
	if (rule->scope.kind == SRIOV_SCOPE_GUEST) {
		only = find_port(p->want, rule->scope.guest);
		if (only == OPENFLOW_NO_PORT)
			return 0;
		snprintf(scope, sizeof(scope), ",reg0=%zu", only + 1);
		lines.before = scope;
	}
	note_action(p, target);
	if (rule->action.kind == SRIOV_ACTION_DROP)
		snprintf(lines.action, sizeof(lines.action), "drop");
	else
		snprintf(lines.action, sizeof(lines.action), "goto_table:%d", OPENFLOW_OUT);
	if (target != OPENFLOW_NO_PORT && rule->scope.kind == SRIOV_SCOPE_ALL) {
		snprintf(lines.action, sizeof(lines.action), "drop");
		lines.before = ",reg1=1";
		openflow_matches(rule, rule_line, &lines);
		snprintf(lines.action, sizeof(lines.action), "set_field:%zu->reg0,goto_table:%d",
			 target + 1, OPENFLOW_OUT);
		lines.before = ",reg1=0";
	} else if (target != OPENFLOW_NO_PORT) {
		snprintf(lines.action, sizeof(lines.action), "set_field:%zu->reg0,goto_table:%d",
			 target + 1, OPENFLOW_OUT);
	}
	openflow_matches(rule, rule_line, &lines);
	return 0;
}

int policy_rules(struct policy *p)
{
	const struct sriov_rules *rules = p->want->rules;
	FILE *out;
	int r = 0;

	for (size_t i = 0; !r && i < rules->n; i++) {
		p->rule = i;
		p->its = &rules->at[i];
		r = write_rule(p);
	}
	p->rule = OPENFLOW_NO_RULE;
	if (r < 0)
		return r;
	out = policy_begin(p, OPENFLOW_RULES, 0);
	fprintf(out, ",actions=goto_table:%d", OPENFLOW_OUT);
	policy_end(p, OPENFLOW_RULES, OPENFLOW_NO_PORT);
	return 0;
}
