/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a rule to the entries that say the same: ranges become masks, scope and target become what the driver
 * has for them, and the driver's profile does the rest.
 */
#include "flows/compile.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define POOL_MASK 0x7f /* the bits of a pool number: see ixgbe.c */

/* A guest's name as the VF that it holds. */
static int resolve(const struct compiler *c, const char *guest, unsigned *vf, struct nic_verdict *v)
{
	struct sriov_error err = {0};
	int r;

	if (!c->opts->guest) {
		nic_refuse(v, 0, "the guest's VF is not known",
			   "which VF guest %s has is not known", guest);
		nic_hint(v, "check the rules against the port of a host that has a lease for it");
		v->result = SRIOV_UNSURE;
		return 0;
	}
	r = c->opts->guest(c->opts->data, guest, vf, &err);
	if (r == -ENOMEM)
		return sriov_error_set(c->err, r, err.object, "%s", err.message);
	if (r < 0) {
		nic_refuse(v, 0, "the guest has no VF here", "%s: %s", err.object, err.message);
		nic_hint(v, "%s", err.hint);
	}
	return 0;
}

static int resolve_guests(const struct compiler *c, struct lowered *low)
{
	struct sriov_rule *rule = &low->rule;
	int r = 0;

	if (rule->action.kind == SRIOV_ACTION_GUEST) {
		r = resolve(c, rule->action.guest, &rule->action.vf, &low->v);
		rule->action.kind = SRIOV_ACTION_VF;
	}
	if (!r && low->v.result == SRIOV_EXACT && rule->scope.kind == SRIOV_SCOPE_GUEST) {
		r = resolve(c, rule->scope.guest, &rule->scope.vf, &low->v);
		rule->scope.kind = SRIOV_SCOPE_VF;
	}
	return r;
}

static bool has_masks(const struct nic_profile *profile, enum flow_field_id id)
{
	return profile->field[id].mask == NIC_MASK_ANY;
}

/* The largest block of a power of two of ports that begins at @first and ends by @last. */
static unsigned block_at(unsigned first, unsigned last)
{
	unsigned size = first ? first & -first : 1u << 16;

	while (size > last - first + 1)
		size /= 2;
	return size;
}

unsigned compile_best_block(unsigned first, unsigned last, unsigned *size)
{
	unsigned best = first;

	*size = 0;
	for (unsigned at = first; at <= last; at += block_at(at, last))
		if (block_at(at, last) > *size)
			*size = block_at(best = at, last);
	return best;
}

static bool refuse_range(const struct compiler *c, const char *word, unsigned first, unsigned last,
			 bool masks, struct nic_verdict *v)
{
	unsigned size, best = compile_best_block(first, last, &size), blocks = 0;

	for (unsigned at = first; at <= last; at += block_at(at, last))
		blocks++;
	if (!masks) {
		nic_refuse(
			v, 0, "a range needs more than one entry per rule",
			"%s %u-%u needs more than one entry per rule (%u, one for each port): %s "
			"matches a port whole or not at all",
			word, first, last, last - first + 1, c->profile->driver);
		return nic_hint(v, "a rule for each port: %s %u, %s %u, …", word, first, word,
				first + 1);
	}
	nic_refuse(
		v, 0, "the range needs more than one entry per rule",
		"%s %u-%u needs more than one entry per rule (%u): a mask covers a power of two of "
		"ports that begins at a multiple of their number",
		word, first, last, blocks);
	return nic_hint(v, "a range that one mask covers: %s %u-%u", word, best, best + size - 1);
}

/* A range of ports as a value and a mask. */
static bool lower_range(const struct compiler *c, enum flow_field_id id, uint16_t last,
			struct sriov_entry *e, struct nic_verdict *v)
{
	const struct flow_field *f = flow_field_of(e->type, id);
	unsigned first = f ? flow_field_number(f, &e->value) : 0, size = last - first + 1u;

	if (!f || !last)
		return true;
	if (size > 1 && size < 1u << 16 &&
	    (!has_masks(c->profile, id) || block_at(first, last) != size))
		return refuse_range(c, f->word, first, last, has_masks(c->profile, id), v);
	flow_field_set_number(f, &e->mask, (uint16_t) ~(size - 1));
	return true;
}

static bool refuse_queues(const struct compiler *c, const struct sriov_rule *rule,
			  struct nic_verdict *v)
{
	unsigned first = rule->action.queue, last = rule->action.queue_last;
	bool masks = has_masks(c->profile, FIELD_SRC_PORT);

	nic_refuse(v, 0, "spreading needs more than one entry per rule",
		   "queues %u-%u needs more than one entry per rule (%u, told apart by bits of the "
		   "source port)%s%s%s",
		   first, last, last - first + 1, masks ? "" : ", and ",
		   masks ? "" : c->profile->driver, masks ? "" : " has no masks for that");
	if (masks)
		return nic_hint(v, "one queue: queue %u", first);
	return nic_hint(
		v,
		"one queue: queue %u; or `sriovctl rss set`, which is for all traffic of the "
		"port",
		first);
}

static bool refuse_scope(const struct compiler *c, const struct sriov_rule *rule,
			 struct nic_verdict *v)
{
	const char *driver = c->profile->driver;

	if (c->profile->scope == NIC_SCOPE_VSI) {
		nic_refuse(
			v, 0, "a drop cannot be for one VF or the PF",
			"a drop of %s is for all traffic of the port: it has no VSI that it could "
			"be limited to",
			driver);
		return nic_hint(v, "the same without 'in' drops for the PF and every VF");
	}
	nic_refuse(v, 0, "rules cannot tell traffic of VFs apart",
		   "%s cannot limit a rule to traffic of %s", driver,
		   rule->scope.kind == SRIOV_SCOPE_PF ? "the PF" : "one VF");
	return nic_hint(v, "leave 'in' out, if traffic of the whole port is meant");
}

/* The pool number as a match, with the mask that the port's rules have already. */
static bool scope_by_pool(const struct compiler *c, const struct sriov_rule *rule,
			  struct sriov_entry *e, struct nic_verdict *v)
{
	uint64_t mask = c->table.n ? c->table.at[0].mask.user_def & 0xff : 0;

	if (e->mask.user_def) {
		nic_refuse(v, 0, "'in' and user-def say the same thing",
			   "on %s 'in' is a match on user-def, and the rule has one already",
			   c->profile->driver);
		return nic_hint(v, "leave one of them out");
	}
	e->mask.user_def = (mask & POOL_MASK) == POOL_MASK ? mask : POOL_MASK;
	e->value.user_def = rule->scope.kind == SRIOV_SCOPE_PF ? c->port.vfs : rule->scope.vf;
	return true;
}

/* `in vf 3 queue 1` is queue 1 of VF 3. */
static void aim(struct sriov_rule *rule)
{
	if (rule->scope.kind == SRIOV_SCOPE_VF && rule->action.kind == SRIOV_ACTION_QUEUE) {
		rule->action.kind = SRIOV_ACTION_VF;
		rule->action.vf = rule->scope.vf;
	}
}

static void deviate_vf(const struct sriov_rule *rule, const char *driver, struct nic_verdict *v)
{
	nic_deviate(
		v, SRIOV_NONE, "a rule cannot send packets to a VF here",
		"a rule of %s does not send packets to a VF: the switch in the NIC has chosen the "
		"VF by MAC and VLAN before, and a rule with a VF as target only picks the queue "
		"inside a VF that was chosen anyway (vendor's user guide: routing to VF not "
		"supported)",
		driver);
	nic_hint(
		v,
		"give the VF the MAC and VLAN of the traffic; `in vf %u queue %u` then chooses its "
		"queue",
		rule->action.vf, rule->action.queue);
}

static bool lower_scope(const struct compiler *c, struct sriov_rule *rule, struct sriov_entry *e,
			struct nic_verdict *v)
{
	const struct sriov_pf *port = &c->port;
	bool to_vf, scoped = rule->scope.kind == SRIOV_SCOPE_VF ||
			     (rule->scope.kind == SRIOV_SCOPE_PF && port->vfs);

	if (rule->scope.kind == SRIOV_SCOPE_VF && rule->scope.vf >= port->vfs)
		return nic_refuse(v, 0, "no such VF", "VF %u does not exist: %s has %u VFs",
				  rule->scope.vf, nic_port_name(port), port->vfs);
	aim(rule);
	to_vf = rule->action.kind == SRIOV_ACTION_VF;
	if (scoped &&
	    (c->profile->scope == NIC_SCOPE_NONE ||
	     (c->profile->scope == NIC_SCOPE_VSI && rule->action.kind == SRIOV_ACTION_DROP)))
		return refuse_scope(c, rule, v);
	if (scoped && c->profile->scope == NIC_SCOPE_POOL && !scope_by_pool(c, rule, e, v))
		return false;
	if (c->profile->scope == NIC_SCOPE_VSI && to_vf &&
	    !(rule->scope.kind == SRIOV_SCOPE_VF && rule->scope.vf == rule->action.vf))
		deviate_vf(rule, c->profile->driver, v);
	return true;
}

int compile_lower(const struct compiler *c, const struct sriov_rule *rule, struct lowered *low)
{
	struct sriov_entry whole = {
		.type = rule->type, .value = rule->value, .mask = rule->mask, .ext = true};
	struct nic_case one = {c->profile, &c->port, &c->empty, &whole};
	char words[1024];
	int r;

	*low = (struct lowered){.rule = *rule, .v = {.result = SRIOV_EXACT, .other = TABLE_NONE}};
	if (sriov_rule_format(rule, words, sizeof(words))) {
		nic_refuse(&low->v, 0, "not a rule", "this is not a rule that could be written");
		return 0;
	}
	r = resolve_guests(c, low);
	if (r < 0 || low->v.result != SRIOV_EXACT)
		return r;
	if (rule->action.kind == SRIOV_ACTION_QUEUES) {
		refuse_queues(c, rule, &low->v);
		return 0;
	}
	if (!lower_range(c, FIELD_SRC_PORT, rule->src_port_last, &whole, &low->v) ||
	    !lower_range(c, FIELD_DST_PORT, rule->dst_port_last, &whole, &low->v) ||
	    !lower_scope(c, &low->rule, &whole, &low->v))
		return 0;
	whole.cookie = action_cookie(&low->rule.action);
	entry_canonical(&whole);
	low->n = c->profile->lower(&one, low->entry, &low->v);
	for (size_t i = 0; i < low->n; i++)
		low->entry[i].loc = rule->loc < 0 ? 1 : rule->loc + i;
	return 0;
}
