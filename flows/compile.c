/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a list of rules to the entries of a port's table, each with a verdict: what the profile of the driver
 * allows exactly, beside what others have there, at locations that are free.
 */
#include "flows/compile.h"
#include "flows/nic/replay.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

const char *compile_rule_name(const struct sriov_rules *rules, size_t i, char buf[96])
{
	const struct sriov_rule *rule = &rules->at[i];
	char line[32] = "";

	if (rule->line && (rules->n > 1 || rules->file[0]))
		snprintf(line, sizeof(line), " (line %u)", rule->line);
	if (rule->name[0])
		snprintf(buf, 96, "rule %s%s", rule->name, line);
	else if (rules->n > 1)
		snprintf(buf, 96, "rule %zu%s", i + 1, line);
	else
		snprintf(buf, 96, "rule%s", line);
	return buf;
}

bool compile_allows(const struct compiler *c, enum sriov_result result)
{
	const unsigned driver_takes = 1u << SRIOV_NARROWER | 1u << SRIOV_BROADER |
				      1u << SRIOV_NONE | 1u << SRIOV_UNSURE;

	return result == SRIOV_EXACT || (c->opts->allow & driver_takes & 1u << result);
}

/* What stands against every rule of the port. */
static void judge_port(struct compiler *c)
{
	const struct sriov_pf *port = &c->port;
	const char *name = nic_port_name(port);
	struct nic_verdict *v = &c->whole;

	*v = (struct nic_verdict){.result = SRIOV_EXACT, .other = TABLE_NONE};
	if (!c->profile) {
		nic_refuse(v, 0, "the driver is not modelled",
			   "driver %s is not modelled: what it would do with a rule is unknown",
			   port->driver[0] ? port->driver : "(none)");
		nic_hint(v, "modelled are ixgbe, i40e and igb of the kernel");
		return;
	}
	if (port->in_tree == SRIOV_NO) {
		nic_refuse(v, 0, "the driver is not the kernel's own",
			   "%s %s is not the kernel's own driver: what it would do with a rule is "
			   "unknown",
			   port->driver, port->driver_version);
		nic_hint(v, "the driver %s of the kernel would settle it", port->driver);
	} else if (nic_mac_of(port->driver, port->device) == NIC_MACS) {
		nic_refuse(v, 0, "the MAC type is unknown",
			   "device %04x of %s is of a MAC type that is not known to %s's profile",
			   port->device, name, port->driver);
		nic_hint(v, "what this device does with rules must be tried: sriovctl flow probe");
	} else if (!c->table_size) {
		nic_refuse(v, 0, "the table size is not known",
			   "the size of the rule table of %s is not known", name);
		nic_hint(v, "`ethtool -n %s` would say it; the snapshot lacks \"rules_max\"", name);
	}
	if (v->result != SRIOV_EXACT)
		v->result = SRIOV_UNSURE;
}

static bool is_ours(const struct sriov_entry *ours, size_t n, const struct sriov_entry *entry,
		    const struct table_index *by_loc)
{
	size_t i = n ? table_index_first(by_loc, entry->loc) : TABLE_NONE;

	while (i != TABLE_NONE && (ours[i].loc != entry->loc || !sriov_entry_same(&ours[i], entry)))
		i = by_loc->next[i];
	return i != TABLE_NONE;
}

/* The entries of others, as they were meant, are the table to begin with. */
static void put_foreign(struct compiler *c, const struct table_index *by_loc)
{
	for (size_t i = 0; i < c->port.nrules; i++) {
		struct sriov_entry e = c->port.rules[i];
		size_t t;

		nic_profile_readback(c->profile, &e);
		if (is_ours(c->ours, c->opts->nours, &e, by_loc))
			continue;
		t = nic_table_add(&c->table, &e, -1);
		if (e.loc >= c->table_size || c->at_loc[e.loc] != TABLE_NONE)
			continue;
		c->at_loc[e.loc] = t;
		c->nfree -= e.loc >= c->profile->first_loc;
	}
	c->nforeign = c->table.n;
}

static int prepare(struct compiler *c)
{
	_cleanup_(table_index_clear)
	struct table_index by_loc = {0};
	size_t room = c->port.nrules + c->rules->n * NIC_EXPANSION_MAX;

	if (nic_table_init(&c->table, c->profile, room) ||
	    nic_table_init(&c->empty, c->profile, 0) || table_index_init(&by_loc, c->opts->nours))
		return -ENOMEM;
	c->low = calloc(c->rules->n + 1, sizeof(*c->low));
	c->ours = calloc(c->opts->nours + 1, sizeof(*c->ours));
	c->at_loc = calloc(c->table_size + 1, sizeof(*c->at_loc));
	if (!c->low || !c->ours || !c->at_loc)
		return -ENOMEM;
	for (size_t i = 0; i < c->table_size; i++)
		c->at_loc[i] = TABLE_NONE;
	for (size_t i = 0; i < c->opts->nours; i++) {
		c->ours[i] = c->opts->ours[i];
		nic_profile_readback(c->profile, &c->ours[i]);
		table_index_add(&by_loc, c->ours[i].loc, i);
	}
	c->nfree = c->table_size ? c->table_size - c->profile->first_loc : 0;
	put_foreign(c, &by_loc);
	return 0;
}

static void finish(struct compiler *c)
{
	nic_table_clear(&c->table);
	nic_table_clear(&c->empty);
	free(c->low);
	free(c->ours);
	free(c->at_loc);
}

static unsigned weight(const struct sriov_rule *rule)
{
	return rule->weight ?: 1;
}

/* Rules that must be in hardware come first, then optional ones by what they are worth. */
static int by_worth(const void *a, const void *b, void *data)
{
	const struct sriov_rule *rules = data;
	size_t i = *(const size_t *)a, j = *(const size_t *)b;
	const struct sriov_rule *x = &rules[i], *y = &rules[j];

	if (x->optional != y->optional)
		return x->optional ? 1 : -1;
	if (x->optional && weight(x) != weight(y))
		return weight(x) > weight(y) ? -1 : 1;
	return i < j ? -1 : 1;
}

static int fit_all(struct compiler *c)
{
	_free_ size_t *order = calloc(c->rules->n + 1, sizeof(*order));
	int r = 0;

	if (!order)
		return -ENOMEM;
	for (size_t i = 0; i < c->rules->n; i++)
		order[i] = i;
	if (c->opts->partial)
		qsort_r(order, c->rules->n, sizeof(*order), by_worth, c->rules->at);
	for (size_t k = 0; !r && k < c->rules->n; k++) {
		struct lowered *low = &c->low[order[k]];

		if (!c->profile) {
			*low = (struct lowered){.rule = c->rules->at[order[k]], .v = c->whole};
			continue;
		}
		r = compile_lower(c, &c->rules->at[order[k]], low);
		if (!r && low->n)
			compile_fit(c, low);
		if (!r && low->in)
			compile_put(c, low, order[k]);
	}
	return r;
}

/* What would meet packets of rule @i if it were left out: a rule after it, or an entry of others. */
static bool meets(const struct compiler *c, size_t i, struct nic_verdict *v)
{
	struct text text = {v->detail, sizeof(v->detail), strlen(v->detail)};
	char name[96];

	for (size_t j = i + 1; j < c->rules->n; j++) {
		if (!c->low[j].in || !rules_overlap(&c->low[i].rule, &c->low[j].rule))
			continue;
		text_add(&text, "; and it cannot be left out, because %s would get packets of it",
			 compile_rule_name(c->rules, j, name));
		return true;
	}
	for (size_t t = 0; t < c->nforeign; t++) {
		const struct sriov_entry *e = &c->table.at[t];
		struct sriov_rule rule = {.type = e->type, .value = e->value, .mask = e->mask};

		if (c->table.owner[t] >= 0 || !rules_overlap(&c->low[i].rule, &rule))
			continue;
		text_add(&text,
			 "; and it cannot be left out, because the rule of somebody else at "
			 "loc %u would get packets of it",
			 e->loc);
		return true;
	}
	return false;
}

static void leave_out(const struct compiler *c, struct sriov_compiled *out)
{
	for (size_t i = 0; c->opts->partial && i < c->rules->n; i++)
		out->verdict[i].left_out = c->rules->at[i].optional && !c->low[i].in &&
					   !meets(c, i, &c->low[i].v);
}

/* The list's entries in the order of its rules. */
static int collect(const struct compiler *c, struct sriov_compiled *out)
{
	out->entry = calloc(c->table.n + 1, sizeof(*out->entry));
	if (!out->entry)
		return -ENOMEM;
	for (size_t i = 0; i < c->rules->n; i++) {
		const struct lowered *low = &c->low[i];

		out->verdict[i].first = out->nentries;
		for (size_t k = 0; low->in && k < low->n; k++)
			if (!low->shared[k])
				out->entry[out->nentries++] = c->table.at[low->at[k]];
		out->verdict[i].n = out->nentries - out->verdict[i].first;
	}
	return 0;
}

static int compile(struct compiler *c, struct sriov_compiled *out)
{
	int r = prepare(c);

	if (!r)
		r = fit_all(c);
	if (!r)
		r = compile_place(c);
	if (r)
		return r == -ENOMEM ? core_oom(c->err) : r;
	out->nrules = c->rules->n;
	out->table_size = c->table_size;
	out->verdict = calloc(c->rules->n + 1, sizeof(*out->verdict));
	if (!out->verdict || collect(c, out))
		return core_oom(c->err);
	leave_out(c, out);
	for (size_t i = 0; i < c->rules->n; i++)
		compile_verdict(c, i, &out->verdict[i]);
	for (size_t i = 0; i < c->rules->n; i++)
		if (!c->low[i].in && !out->verdict[i].left_out)
			return compile_error(c, i, &out->verdict[i]);
	return 0;
}

SRIOV_EXPORT int sriov_rules_compile(const struct sriov_rules *rules, const struct sriov_pf *port,
				     const struct sriov_compile *opts, struct sriov_compiled *out,
				     struct sriov_error *err)
{
	static const struct sriov_compile none;
	struct compiler c = {.rules = rules,
			     .opts = opts ?: &none,
			     .profile = nic_profile_find(port->driver),
			     .port = *port,
			     .err = err};
	struct sriov_compiled compiled = {0};
	int r;

	c.ntuple_off = port->ntuple == SRIOV_NTUPLE_OFF;
	if (c.ntuple_off)
		c.port.ntuple = SRIOV_NTUPLE_ON; /* a condition of each verdict */
	c.table_size = c.profile ? nic_table_size(c.profile, port) : 0;
	judge_port(&c);
	r = compile(&c, &compiled);
	finish(&c);
	if (r && r != -ENOTSUP) {
		sriov_compiled_clear(&compiled);
		return r;
	}
	*out = compiled;
	return r;
}

SRIOV_EXPORT void sriov_compiled_clear(struct sriov_compiled *compiled)
{
	free(compiled->entry);
	free(compiled->verdict);
	*compiled = (struct sriov_compiled){0};
}
