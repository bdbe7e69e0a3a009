/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a rule to the entries of a port's table: what the profile of the driver allows exactly, at
 * locations that are free. A rule that is in the table already becomes the entries that are there.
 */
#include "flows/nic/profile.h"
#include "flows/rule.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* One compilation. The table is a copy of the port's as meant, and grows by the entries found. */
struct compiler {
	const struct nic_profile *profile;
	struct sriov_pf port;
	char object[96];
	struct sriov_error *err;
};

#define NO_LOC UINT32_MAX

/* The refusal of a verdict, with the entry of the port that is in the way. */
static int refuse(const struct compiler *c, const struct nic_verdict *v)
{
	char entry[256];

	if (!v->other) {
		sriov_error_set(c->err, v->err, c->object, "%s", v->detail);
	} else {
		sriov_entry_format(v->other, entry, sizeof(entry));
		sriov_error_set(c->err, v->err, c->object, "%s\n  loc %u: %s", v->detail,
				v->other->loc, entry);
	}
	if (v->hint[0])
		sriov_error_hint(c->err, "%s", v->hint);
	return v->err;
}

/* Two rules for the same packets that do not act the same. */
static int refuse_clash(const struct compiler *c, const struct sriov_entry *other, const char *what)
{
	struct nic_verdict v;

	nic_refuse(&v, -EEXIST, "another rule is in the way", "%s", what);
	v.other = other;
	nic_hint(&v, "delete that rule first, or change this one");
	return refuse(c, &v);
}

static const struct sriov_entry *entry_at(const struct sriov_pf *port, uint32_t loc)
{
	for (size_t i = 0; i < port->nrules; i++)
		if (port->rules[i].loc == loc)
			return &port->rules[i];
	return NULL;
}

static const struct sriov_entry *same_match(const struct sriov_pf *port,
					    const struct sriov_entry *entry)
{
	for (size_t i = 0; i < port->nrules; i++)
		if (entry_same_match(&port->rules[i], entry))
			return &port->rules[i];
	return NULL;
}

/* Location 0 is left alone: i40e's driver mixes it up with its own filters. */
static uint32_t lowest_free(const struct compiler *c)
{
	uint32_t size = nic_table_size(c->profile, &c->port);

	for (uint32_t loc = 1; loc < size; loc++)
		if (!entry_at(&c->port, loc))
			return loc;
	return NO_LOC;
}

static int choose_location(const struct compiler *c, const struct sriov_rule *rule, size_t i,
			   struct sriov_entry *entry)
{
	const struct sriov_entry *other;
	struct nic_verdict v;

	if (rule->loc < 0) {
		entry->loc = lowest_free(c);
		if (entry->loc != NO_LOC)
			return 0;
		nic_refuse(&v, -ENOSPC, "the table is full",
			   "the rule table of %s is full: %zu rules in %u locations",
			   nic_port_name(&c->port), c->port.nrules,
			   nic_table_size(c->profile, &c->port));
		nic_hint(&v, "delete rules first");
		return refuse(c, &v);
	}
	entry->loc = rule->loc + i;
	other = entry_at(&c->port, entry->loc);
	if (!other)
		return 0;
	nic_refuse(&v, -EEXIST, "the location is taken", "the location asked for is taken");
	v.other = other;
	nic_hint(&v, "leave 'loc' out to get a free one, or delete that rule first");
	return refuse(c, &v);
}

/* Looks whether the table has the entry already: 1 and its location, 0, or a refusal. */
static int find_installed(const struct compiler *c, const struct sriov_rule *rule, size_t i,
			  struct sriov_entry *entry)
{
	const struct sriov_entry *other = same_match(&c->port, entry);

	if (!other)
		return 0;
	if (other->cookie != entry->cookie)
		return refuse_clash(c, other,
				    "the port has a rule for the same packets that does "
				    "something else with them");
	if (rule->loc >= 0 && other->loc != rule->loc + i)
		return refuse_clash(c, other,
				    "the port has this rule already, at another location");
	entry->loc = other->loc;
	return 1;
}

static int check_overlap(const struct compiler *c, const struct sriov_entry *entry)
{
	for (size_t i = 0; i < c->port.nrules; i++) {
		const struct sriov_entry *other = &c->port.rules[i];

		if (other->cookie != entry->cookie && entry_overlaps(other, entry))
			return refuse_clash(
				c, other,
				"some packets match this rule and one of the port that does "
				"something else with them, and which wins is not defined");
	}
	return 0;
}

/* Whether the NIC can have the entry at all: what the table holds does not matter here. */
static int check_alone(const struct compiler *c, const struct sriov_entry *entry)
{
	struct sriov_pf empty = c->port;
	struct nic_verdict v;

	empty.nrules = 0;
	if (nic_check_type(c->profile, &c->port, entry, &v) ||
	    nic_run(c->profile->hazards, c->profile, &c->port, entry, &v) ||
	    nic_run(c->profile->checks, c->profile, &empty, entry, &v))
		return refuse(c, &v);
	return 0;
}

static int add_entry(struct compiler *c, const struct sriov_rule *rule, size_t i,
		     struct sriov_entry *entry)
{
	struct nic_verdict v;
	struct sriov_entry *slot;
	int r;

	entry->loc = rule->loc < 0 ? 1 : rule->loc + i;
	r = check_alone(c, entry);
	if (r)
		return r;
	r = find_installed(c, rule, i, entry);
	if (r)
		return r < 0 ? r : 0;
	r = choose_location(c, rule, i, entry);
	if (r)
		return r;
	if (nic_run(c->profile->checks, c->profile, &c->port, entry, &v))
		return refuse(c, &v);
	r = check_overlap(c, entry);
	if (r)
		return r;
	slot = core_grow(&c->port.rules, &c->port.nrules, sizeof(*slot));
	if (!slot)
		return core_oom(c->err);
	*slot = *entry;
	return 0;
}

static int check_port(const struct compiler *c, const struct sriov_rule *rule)
{
	const struct sriov_pf *port = &c->port;
	const char *name = nic_port_name(port);
	struct nic_verdict v;

	if (c->profile && port->in_tree != SRIOV_NO) {
		if (!nic_table_size(c->profile, port))
			return sriov_error_set(c->err, -ENODATA, c->object,
					       "the size of the rule table of %s is not known",
					       name);
		if (rule->action.kind != SRIOV_ACTION_DROP && !port->queues)
			return sriov_error_set(c->err, -ENODATA, c->object,
					       "the number of RX rings of %s is not known", name);
		return 0;
	}
	if (!c->profile)
		nic_refuse(&v, -EOPNOTSUPP, "the driver is not modelled",
			   "driver %s is not modelled: what it would do with a rule is unknown",
			   port->driver[0] ? port->driver : "(none)");
	else
		nic_refuse(&v, -EOPNOTSUPP, "the driver is not the kernel's own",
			   "%s %s is not the kernel's own driver: what it would do with a rule is "
			   "unknown",
			   port->driver, port->driver_version);
	nic_hint(&v, "modelled are ixgbe, i40e and igb of the kernel");
	return refuse(c, &v);
}

/* The port with its rules as they were meant, in memory of our own. */
static int copy_port(struct compiler *c, const struct sriov_pf *port)
{
	c->port = *port;
	c->port.rules = calloc(port->nrules + 1, sizeof(*port->rules));
	if (!c->port.rules)
		return core_oom(c->err);
	for (size_t i = 0; i < port->nrules; i++) {
		c->port.rules[i] = port->rules[i];
		nic_profile_readback(c->profile, &c->port.rules[i]);
	}
	return 0;
}

static int compile(struct compiler *c, const struct sriov_rule *rule, struct sriov_entry *out,
		   size_t *n)
{
	struct sriov_entry whole = {.type = rule->type,
				    .value = rule->value,
				    .mask = rule->mask,
				    .cookie = action_cookie(&rule->action),
				    .ext = true};
	int r;

	entry_canonical(&whole);
	*n = 1;
	out[0] = whole;
	if (c->profile->expand)
		*n = c->profile->expand(&whole, out);
	for (size_t i = 0; i < *n; i++) {
		r = add_entry(c, rule, i, &out[i]);
		if (r)
			return r;
	}
	return 0;
}

/* A range, a spread, a scope or a guest is no entry as it stands. */
static int check_one_entry(const struct compiler *c, const struct sriov_rule *rule)
{
	if (!rule->src_port_last && !rule->dst_port_last && !rule->scope.kind &&
	    rule->action.kind != SRIOV_ACTION_QUEUES && rule->action.kind != SRIOV_ACTION_GUEST)
		return 0;
	return sriov_error_set(
		c->err, -EOPNOTSUPP, c->object,
		"a port range, `queues`, `in` or `guest` is not one entry of a table");
}

SRIOV_EXPORT int sriov_rule_compile(const struct sriov_rule *rule, const struct sriov_pf *port,
				    struct sriov_entry *out, size_t *n, struct sriov_error *err)
{
	struct compiler c = {.profile = nic_profile_find(port->driver), .port = *port, .err = err};
	struct sriov_entry entries[SRIOV_RULE_ENTRIES_MAX];
	char words[1024];
	size_t count;
	int r;

	snprintf(c.object, sizeof(c.object), "rule%s%.40s on %.40s", rule->name[0] ? " " : "",
		 rule->name, nic_port_name(port));
	if (sriov_rule_format(rule, words, sizeof(words)))
		return sriov_error_set(err, -EINVAL, c.object,
				       "this is not a rule that could be written");
	r = check_one_entry(&c, rule);
	if (!r)
		r = check_port(&c, rule);
	if (r)
		return r;
	r = copy_port(&c, port);
	if (r)
		return r;
	r = compile(&c, rule, entries, &count);
	free(c.port.rules);
	if (r)
		return r;
	memcpy(out, entries, count * sizeof(*entries));
	*n = count;
	return 0;
}
