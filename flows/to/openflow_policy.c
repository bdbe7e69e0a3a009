/* SPDX-License-Identifier: Apache-2.0 */
/* The policy of a bridge with guests' ports as flows and meters: see openflow.h. */
#include "flows/to/openflow_policy.h"

#include "flows/rule.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/if_ether.h>
#include <string.h>

#define GROUP "dl_dst=01:00:00:00:00:00/01:00:00:00:00:00"
#define UNTAGGED "vlan_tci=0x0000/0x1000" /* OVS has the DEI bit for "there is a tag" */
#define TAGGED "vlan_tci=0x1000/0x1000"

enum { /* priorities in IN, INSIDE, WIRE and OUT */
       PRIORITY_REST,
       PRIORITY_FOREIGN_VLAN, /* a guest's address, and not its VLAN */
       PRIORITY_GROUP,
       PRIORITY_GROUP_VLAN,
       PRIORITY_GUEST,
       PRIORITY_GUEST_VLAN,
};

void openflow_clear(struct openflow *flows)
{
	free(flows->text);
	free(flows->line);
	free(flows->meter);
	sriov_notes_clear(&flows->notes);
	*flows = (struct openflow){0};
}

FILE *policy_begin(struct policy *p, enum openflow_table table, unsigned priority)
{
	rewind(p->body);
	fprintf(p->body, "table=%d,priority=%u", table, priority);
	return p->body;
}

void policy_end(struct policy *p, enum openflow_table table, size_t port)
{
	struct openflow_line *line = core_grow(&p->out->line, &p->out->nlines, sizeof(*line));

	if (!line || fflush(p->body)) {
		p->failed = true;
		return;
	}
	line->cookie = OPENFLOW_COOKIE | (core_hash(CORE_HASH_SEED, p->body_text, p->body_size) &
					  ~OPENFLOW_COOKIE_MASK);
	line->table = table;
	line->rule = p->rule;
	line->port = port;
	fprintf(p->text, "add cookie=0x%" PRIx64 ",%.*s\n", line->cookie, (int)p->body_size,
		p->body_text);
}

static unsigned vlan_of(const struct openflow_port *port)
{
	return port->attrs.has & SRIOV_VF_VLAN ? port->attrs.vlan : 0;
}

static bool is_down(const struct openflow_port *port)
{
	return port->attrs.has & SRIOV_VF_LINK && port->attrs.link == SRIOV_LINK_DISABLE;
}

/* ---- what guests send ---- */

static const struct openflow_meter *find_meter(const struct openflow_meter *meters, size_t n,
					       uint32_t id)
{
	for (size_t i = 0; i < n; i++) {
		if (meters[i].id == id)
			return &meters[i];
	}
	return NULL;
}

/* The meter of the port's rate limit; 0: it has none. */
static uint32_t add_meter(struct policy *p, const struct openflow_port *port)
{
	uint32_t rate = port->attrs.has & SRIOV_VF_RATE ? port->attrs.max_rate : 0;
	struct openflow_meter want = {.kbps = rate * 1000, .burst = rate * 100}, *meter;

	if (!rate)
		return 0;
	/* a tenth of a second, and some full frames where that is little */
	if (want.burst < 128)
		want.burst = 128;
	for (unsigned k = 0; k < 2; k++) {
		uint32_t id = OPENFLOW_METER + 2 * port->ofport + k;
		const struct openflow_meter *now = find_meter(p->want->meter, p->want->nmeters, id);

		/* the one that is this already, or else the first that is free */
		if (now && now->kbps == want.kbps && now->burst == want.burst) {
			want.id = id;
			break;
		}
		if (!now && !want.id)
			want.id = id;
	}
	if (!want.id)
		want.id = OPENFLOW_METER + 2 * port->ofport;
	meter = core_grow(&p->out->meter, &p->out->nmeters, sizeof(*meter));
	if (!meter) {
		p->failed = true;
		return 0;
	}
	*meter = want;
	return meter->id;
}

static void from_guest(struct policy *p, size_t i)
{
	const struct openflow_port *port = &p->want->port[i];
	bool spoofchk = !(port->attrs.has & SRIOV_VF_SPOOFCHK) || port->attrs.spoofchk;
	unsigned vlan = vlan_of(port);
	char mac[SRIOV_MAC_LEN];
	uint32_t meter;
	FILE *out;

	out = policy_begin(p, OPENFLOW_HOOK, OPENFLOW_HOOK_PRIORITY);
	fprintf(out, ",in_port=%u,actions=goto_table:%d", port->ofport, OPENFLOW_IN);
	policy_end(p, OPENFLOW_HOOK, i);
	if (is_down(port))
		return;
	meter = add_meter(p, port);
	out = policy_begin(p, OPENFLOW_IN, PRIORITY_GUEST);
	fprintf(out, ",in_port=%u", port->ofport);
	if (spoofchk)
		fprintf(out, ",dl_src=%s", sriov_mac_format(port->attrs.mac, mac));
	fprintf(out, "%s,actions=", vlan ? "," UNTAGGED : "");
	if (meter)
		fprintf(out, "meter:%u,", meter);
	if (vlan)
		fprintf(out, "push_vlan:0x8100,set_field:%u->vlan_vid,", vlan | 0x1000);
	if (vlan && port->attrs.qos)
		fprintf(out, "set_field:%u->vlan_pcp,", port->attrs.qos);
	fprintf(out, "goto_table:%d", OPENFLOW_INSIDE);
	policy_end(p, OPENFLOW_IN, i);
}

/* ---- the switch ---- */

/* ",dl_dst=…" and the port's VLAN, if it has one. */
static FILE *begin_guest(struct policy *p, enum openflow_table table, size_t i)
{
	const struct openflow_port *port = &p->want->port[i];
	unsigned vlan = vlan_of(port);
	char mac[SRIOV_MAC_LEN];
	FILE *out = policy_begin(p, table, vlan ? PRIORITY_GUEST_VLAN : PRIORITY_GUEST);

	fprintf(out, ",dl_dst=%s", sriov_mac_format(port->attrs.mac, mac));
	if (vlan)
		fprintf(out, ",vlan_tci=0x%04x/0x1fff", vlan | 0x1000);
	return out;
}

/* One copy for each guest that takes VLAN @vlan (0: frames of a VLAN that no guest's port has). */
static void write_copies(struct policy *p, FILE *out, unsigned vlan, bool wire)
{
	for (size_t i = 0; i < p->want->nports; i++) {
		const struct openflow_port *port = &p->want->port[i];
		unsigned its = vlan_of(port);

		if (is_down(port) || (its && its != vlan))
			continue;
		if (wire)
			fprintf(out, ",clone(set_field:%zu->reg0,set_field:1->reg1,resubmit(,%d))",
				i + 1, OPENFLOW_RULES);
		else
			fprintf(out, ",clone(set_field:%zu->reg0,resubmit(,%d))", i + 1,
				OPENFLOW_OUT);
	}
}

static void to_group(struct policy *p, unsigned vlan, bool wire)
{
	enum openflow_table table = wire ? OPENFLOW_WIRE : OPENFLOW_INSIDE;
	FILE *out = policy_begin(p, table, vlan ? PRIORITY_GROUP_VLAN : PRIORITY_GROUP);

	fprintf(out, "," GROUP);
	if (vlan)
		fprintf(out, ",vlan_tci=0x%04x/0x1fff", vlan | 0x1000);
	if (wire)
		fprintf(out, ",actions=clone(resubmit(,%d))", OPENFLOW_RULES);
	else
		fprintf(out, ",actions=output:%u", p->want->uplink);
	write_copies(p, out, vlan, wire);
	policy_end(p, table, OPENFLOW_NO_PORT);
}

/* Frames to groups: a flow for each VLAN of the ports, and one for all others. */
static void to_groups(struct policy *p, bool wire)
{
	for (size_t i = 0; i < p->want->nports; i++) {
		unsigned vlan = vlan_of(&p->want->port[i]);
		bool first = vlan;

		for (size_t k = 0; first && k < i; k++)
			first = vlan_of(&p->want->port[k]) != vlan;
		if (first)
			to_group(p, vlan, wire);
	}
	to_group(p, 0, wire);
}

/* Two guests may have one address in different VLANs: what is said of the address alone is said once. */
static bool is_first(const struct openflow_want *want, size_t i)
{
	for (size_t k = 0; k < i; k++) {
		if (!memcmp(want->port[k].attrs.mac, want->port[i].attrs.mac, ETH_ALEN))
			return false;
	}
	return true;
}

static bool is_known(const struct openflow_want *want, size_t i)
{
	for (size_t k = 0; k < i; k++) {
		if (!memcmp(want->mac[k], want->mac[i], ETH_ALEN))
			return true;
	}
	return sriov_mac_is_zero(want->mac[i]);
}

static void write_switch(struct policy *p)
{
	const struct openflow_want *want = p->want;
	char mac[SRIOV_MAC_LEN];
	FILE *out = policy_begin(p, OPENFLOW_HOOK, OPENFLOW_HOOK_PRIORITY);

	fprintf(out, ",in_port=%u,actions=goto_table:%d", want->uplink, OPENFLOW_WIRE);
	policy_end(p, OPENFLOW_HOOK, OPENFLOW_NO_PORT);
	for (size_t i = 0; i < want->nports; i++) {
		bool down = is_down(&want->port[i]);

		out = begin_guest(p, OPENFLOW_INSIDE, i);
		if (down)
			fprintf(out, ",actions=drop");
		else
			fprintf(out, ",actions=set_field:%zu->reg0,goto_table:%d", i + 1,
				OPENFLOW_OUT);
		policy_end(p, OPENFLOW_INSIDE, i);
		if (vlan_of(&want->port[i]) && is_first(want, i)) {
			out = policy_begin(p, OPENFLOW_INSIDE, PRIORITY_FOREIGN_VLAN);
			fprintf(out, ",dl_dst=%s,actions=drop",
				sriov_mac_format(want->port[i].attrs.mac, mac));
			policy_end(p, OPENFLOW_INSIDE, i);
		}
		if (down)
			continue;
		out = begin_guest(p, OPENFLOW_WIRE, i);
		fprintf(out, ",actions=set_field:%zu->reg0,goto_table:%d", i + 1, OPENFLOW_RULES);
		policy_end(p, OPENFLOW_WIRE, i);
	}
	to_groups(p, false);
	to_groups(p, true);
	out = policy_begin(p, OPENFLOW_INSIDE, PRIORITY_REST);
	fprintf(out, ",actions=output:%u", want->uplink);
	policy_end(p, OPENFLOW_INSIDE, OPENFLOW_NO_PORT);
	for (size_t i = 0; i < want->nmacs; i++) {
		if (is_known(want, i))
			continue;
		out = policy_begin(p, OPENFLOW_WIRE, PRIORITY_FOREIGN_VLAN);
		fprintf(out, ",dl_dst=%s,actions=goto_table:%d",
			sriov_mac_format(want->mac[i], mac), OPENFLOW_RULES);
		policy_end(p, OPENFLOW_WIRE, OPENFLOW_NO_PORT);
	}
}

static void to_guest(struct policy *p, size_t i)
{
	const struct openflow_port *port = &p->want->port[i];
	FILE *out;

	if (is_down(port))
		return;
	out = policy_begin(p, OPENFLOW_OUT, PRIORITY_GUEST);
	fprintf(out, ",reg0=%zu,actions=output:%u", i + 1, port->ofport);
	policy_end(p, OPENFLOW_OUT, i);
	if (!vlan_of(port))
		return;
	out = policy_begin(p, OPENFLOW_OUT, PRIORITY_GUEST_VLAN);
	fprintf(out, ",reg0=%zu," TAGGED ",actions=pop_vlan,output:%u", i + 1, port->ofport);
	policy_end(p, OPENFLOW_OUT, i);
}

/* ---- the whole ---- */

/* What is dropped where nothing matches is counted there. */
static void write_drops(struct policy *p)
{
	static const enum openflow_table tables[] = {OPENFLOW_IN, OPENFLOW_WIRE, OPENFLOW_OUT};

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		fprintf(policy_begin(p, tables[i], PRIORITY_REST), ",actions=drop");
		policy_end(p, tables[i], OPENFLOW_NO_PORT);
	}
}

static int check_port(struct policy *p, size_t i)
{
	const struct openflow_port *port = &p->want->port[i];
	char object[SRIOV_NAME_LEN + 8], mac[SRIOV_MAC_LEN];

	snprintf(object, sizeof(object), "guest %s", port->guest);
	if (!port->ofport || port->ofport >= OPENFLOW_PORT_END || port->ofport == p->want->uplink)
		return sriov_error_set(p->err, -EINVAL, object, "its port has no OpenFlow number");
	if (!(port->attrs.has & SRIOV_VF_MAC) || sriov_mac_is_zero(port->attrs.mac) ||
	    port->attrs.mac[0] & 1)
		return sriov_error_set(p->err, -EINVAL, object,
				       "a port of a bridge needs the guest's MAC address");
	if (vlan_of(port) && port->attrs.vlan_proto && port->attrs.vlan_proto != ETH_P_8021Q) {
		sriov_error_set(
			p->err, -ENOTSUP, object,
			"a port VLAN of 802.1ad has no form in OpenFlow: OVS cannot tell its "
			"tags from those of 802.1Q");
		return sriov_error_hint(p->err, "use 802.1Q, or keep the guest on a VF");
	}
	for (size_t k = 0; k < i; k++) {
		const struct openflow_port *other = &p->want->port[k];
		unsigned a = vlan_of(port), b = vlan_of(other);

		if (!memcmp(port->attrs.mac, other->attrs.mac, ETH_ALEN) && (!a || !b || a == b))
			return sriov_error_set(p->err, -EEXIST, object,
					       "guest %s has the same MAC address %s", other->guest,
					       sriov_mac_format(port->attrs.mac, mac));
	}
	return 0;
}

static void note_port(struct policy *p, const struct openflow_port *port)
{
	bool min = port->attrs.has & SRIOV_VF_RATE && port->attrs.min_rate;

	if (min && note_add(&p->out->notes, 0, false,
			    "guest %s: the guaranteed rate of %u Mbit/s is lost: OVS has none",
			    port->guest, port->attrs.min_rate) < 0)
		p->failed = true;
}

static int write_all(struct policy *p)
{
	const struct openflow_want *want = p->want;
	int r = openflow_count_rules(want->rules->n, "the list", p->err);

	if (!r && (!want->uplink || want->uplink >= OPENFLOW_PORT_END))
		r = sriov_error_set(p->err, -EINVAL, "uplink", "it has no OpenFlow number");
	for (size_t i = 0; !r && i < want->nports; i++)
		r = check_port(p, i);
	if (r < 0)
		return r;
	for (size_t i = 0; i < want->nports; i++) {
		from_guest(p, i);
		note_port(p, &want->port[i]);
	}
	write_switch(p);
	r = policy_rules(p);
	for (size_t i = 0; i < want->nports; i++)
		to_guest(p, i);
	write_drops(p);
	return r;
}

static int compile(const struct openflow_want *want, struct openflow *out, struct sriov_error *err)
{
	_openflow_ struct openflow made = {0};
	struct policy p = {.want = want, .out = &made, .err = err, .rule = OPENFLOW_NO_RULE};
	size_t size;
	int r = 0;

	p.text = open_memstream(&made.text, &size);
	p.body = open_memstream(&p.body_text, &p.body_size);
	if (!p.text || !p.body) {
		p.failed = true;
	} else {
		fprintf(p.text, "delete cookie=0x%llx/0x%llx\n", OPENFLOW_COOKIE,
			OPENFLOW_COOKIE_MASK);
		r = want ? write_all(&p) : 0;
	}
	p.failed |= p.body && fclose(p.body);
	p.failed |= p.text && fclose(p.text);
	free(p.body_text);
	if (r < 0)
		return r;
	if (p.failed)
		return core_oom(err);
	*out = made;
	made = (struct openflow){0};
	return 0;
}

int openflow_compile(const struct openflow_want *want, struct openflow *out,
		     struct sriov_error *err)
{
	return compile(want, out, err);
}

int openflow_none(struct openflow *out, struct sriov_error *err)
{
	return compile(NULL, out, err);
}
