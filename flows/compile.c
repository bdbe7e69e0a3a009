/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From an ordered list of rules to the entries of a port's table, each rule with a verdict: the first rule that
 * matches a packet decides, beside what others have there, at locations that are free.
 */
#include "flows/compile.h"
#include "flows/nic/replay.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

const char *compile_rule_name(const struct sriov_rules *rules, size_t i, char buf[96])
{
	const struct sriov_rule *rule = &rules->at[i];
	struct text text = {.at = buf, .size = 96};

	text_put(&text, "rule");
	if (rule->name[0]) {
		text_put(&text, " ");
		text_put(&text, rule->name);
	} else if (rules->n > 1) {
		text_add(&text, " %zu", i + 1);
	}
	if (rule->line && (rules->n > 1 || rules->file[0]))
		text_add(&text, " (line %u)", rule->line);
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
		nic_hint(v, strcmp(port->driver, "vfio-pci") != 0
				    ? "modelled are ixgbe, i40e and igb of the kernel"
				    : "rules of a port that DPDK owns: --backend rte");
		return;
	}
	if (port->in_tree == SRIOV_NO) {
		nic_refuse(v, 0, "the driver is not the kernel's own",
			   "%s %s is not the kernel's own driver: what it would do with a rule is "
			   "unknown",
			   port->driver, port->driver_version);
		nic_hint(v, "the driver %s of the kernel would settle it", port->driver);
	} else if (!nic_known_device(c->profile, port)) {
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
		t = nic_table_add(&c->table, &e, nic_match_hash(&e), -1);
		if (e.loc >= c->table_size || c->at_loc[e.loc] != TABLE_NONE)
			continue;
		c->at_loc[e.loc] = t;
		c->nfree -= e.loc >= c->profile->first_loc;
	}
	c->nforeign = c->table.n;
}

static int prepare_table(struct compiler *c)
{
	_cleanup_(table_index_clear)
	struct table_index by_loc = {0};

	if (nic_table_init(&c->table, c->profile, c->port.nrules + c->table_size) ||
	    nic_table_init(&c->empty, c->profile, 0) || table_index_init(&by_loc, c->opts->nours))
		return -ENOMEM;
	c->ours = calloc(c->opts->nours + 1, sizeof(*c->ours));
	c->at_loc = table_nones(c->table_size + 1);
	c->cell = calloc(c->table_size + 1, sizeof(*c->cell));
	c->cell_at = calloc(c->table_size + 1, sizeof(*c->cell_at));
	c->cell_hash = calloc(c->table_size + 1, sizeof(*c->cell_hash));
	c->number = calloc(c->table_size + 1, 4 * sizeof(*c->number));
	if (!c->ours || !c->at_loc || !c->cell || !c->cell_at || !c->cell_hash || !c->number)
		return -ENOMEM;
	for (size_t i = 0; i < c->opts->nours; i++) {
		c->ours[i] = c->opts->ours[i];
		nic_profile_readback(c->profile, &c->ours[i]);
		table_index_add(&by_loc, c->ours[i].loc, i);
	}
	c->nfree = c->table_size ? c->table_size - c->profile->first_loc : 0;
	put_foreign(c, &by_loc);
	return 0;
}

/* Steps that working out a list of @n rules may take: what lists of people need is far below. */
static size_t work_for(size_t n)
{
	return 4000000 + 400 * n;
}

static int prepare(struct compiler *c)
{
	c->out.nrules = c->rules->n;
	c->out.table_size = c->table_size;
	c->out.verdict = calloc(c->rules->n + 1, sizeof(*c->out.verdict));
	c->low = calloc(c->rules->n + 1, sizeof(*c->low));
	c->widened = calloc(SRIOV_FLOW_TYPES, sizeof(*c->widened));
	if (!c->out.verdict || !c->low || !c->widened || prepare_table(c))
		return -ENOMEM;
	c->out.room = c->nfree;
	if (c->profile)
		bits_pack(&c->profile->splittable, &c->space.splittable);
	c->space.work_max = work_for(c->rules->n);
	for (size_t i = 0; i < c->rules->n; i++)
		c->out.verdict[i] = (struct sriov_verdict){
			.why = "",
			.hint = "",
			.nearest = "",
			.other = "",
			.evidence = c->profile ? c->profile->source : "no profile of this driver",
			.other_rule = -1,
			.other_loc = -1,
			.shadow = -1,
		};
	return 0;
}

void compile_end(struct compiler *c)
{
	nic_table_clear(&c->table);
	nic_table_clear(&c->empty);
	space_clear(&c->space);
	free(c->rest.at);
	free(c->rest.inside);
	for (size_t i = 0; c->low && i < c->rules->n; i++) {
		free(c->low[i].own);
		free(c->low[i].need);
	}
	free(c->low);
	free(c->cube);
	free(c->widened);
	free(c->ours);
	free(c->at_loc);
	free(c->cell);
	free(c->cell_at);
	free(c->cell_hash);
	free(c->number);
	compile_filters_free(c);
}

/* ---- the steps ---- */

static int keep_cubes(struct compiler *c, const struct lowering *from, struct lowered *low)
{
	struct cube *to;

	low->cube = c->ncubes;
	low->ncubes = from->ncubes;
	if (!from->ncubes)
		return 0;
	to = core_grow_by(&c->cube, &c->ncubes, sizeof(*to), from->ncubes);
	if (!to)
		return -ENOMEM;
	memcpy(to, from->cube, from->ncubes * sizeof(*to));
	return 0;
}

static int lower(struct compiler *c, size_t i)
{
	struct lowered *low = &c->low[i];
	struct lowering lowering;
	int r = compile_lower(c, &c->rules->at[i], &lowering);

	if (!r)
		r = keep_cubes(c, &lowering, low);
	free(lowering.cube);
	if (r < 0)
		return r;
	low->result = lowering.v.result;
	low->cookie = lowering.cookie;
	low->spread = lowering.spread;
	low->ext = lowering.ext;
	if (lowering.v.result != SRIOV_EXACT)
		compile_refuse(c, i, &lowering.v);
	low->state = lowering.taken ? LOWERED_CANDIDATE : LOWERED_OUT;
	c->out.verdict[i].elsewhere = lowering.elsewhere;
	return 0;
}

/* Once rules that must be in cannot all be, those behind them are not worked out: they could go on for ever. */
static bool is_hopeless(const struct compiler *c, size_t needed)
{
	return c->table_size && needed > (size_t)c->nfree + c->nforeign;
}

static void refuse_hopeless(struct compiler *c, size_t i)
{
	struct nic_verdict v;

	nic_refuse(&v, -ENOSPC, "the table is full",
		   "the rules before it need more than the %zu entries that the table of %s has "
		   "room for",
		   c->nfree, nic_port_name(&c->port));
	v.result = SRIOV_FULL;
	nic_hint(&v, "mark rules that may be left out `optional`, and pass --partial");
	compile_refuse(c, i, &v);
	c->low[i].state = LOWERED_OUT;
}

static int own_all(struct compiler *c)
{
	size_t needed = 0;
	int r = 0;

	for (size_t i = 0; !r && i < c->rules->n; i++) {
		struct lowered *low = &c->low[i];
		struct nic_verdict v = {.result = SRIOV_EXACT, .other = TABLE_NONE};

		if (!c->profile)
			continue;
		if (is_hopeless(c, needed)) {
			if (low->state == LOWERED_CANDIDATE)
				refuse_hopeless(c, i);
			continue;
		}
		r = compile_own(c, i, &v);
		if (v.result != SRIOV_EXACT)
			compile_refuse(c, i, &v);
		if (low->state == LOWERED_CANDIDATE &&
		    !(c->opts->partial && c->rules->at[i].optional))
			needed += low->nown;
	}
	return r;
}

static bool rules_meet(const struct compiler *c, const struct lowered *a, const struct lowered *b)
{
	for (size_t i = 0; i < a->ncubes; i++)
		for (size_t k = 0; k < b->ncubes; k++)
			if (cube_meets(&c->cube[a->cube + i], &c->cube[b->cube + k]))
				return true;
	return false;
}

/*
 * Where each entry has a mask of its own, entries that act alike may lie over each other, but not over packets
 * of a rule before them that came out of the table since.
 */
static bool meets_lost(const struct compiler *c, size_t i, struct nic_verdict *v)
{
	if (c->profile->masks != NIC_MASKS_RULE)
		return false;
	for (size_t k = 0; k < i; k++) {
		if (c->low[k].state != LOWERED_OUT || !rules_meet(c, &c->low[k], &c->low[i]))
			continue;
		compile_refuse_blocked(c, k, v);
		return true;
	}
	return false;
}

static void fit(struct compiler *c, size_t i)
{
	struct lowered *low = &c->low[i];
	long loc = c->rules->at[i].loc;
	struct nic_verdict v = {.result = SRIOV_EXACT, .other = TABLE_NONE};

	if (low->too_many ||
	    !compile_cells(c, low->own, low->nown, low->cookie, low->spread, low->ext)) {
		low->state = LOWERED_OUT;
		compile_not_chosen(c, i);
	} else if (!compile_fit(c, loc, &v) || meets_lost(c, i, &v)) {
		low->state = LOWERED_OUT;
		compile_refuse(c, i, &v);
	} else {
		low->state = LOWERED_IN;
		compile_put(c, loc, i);
	}
}

static int fit_all(struct compiler *c)
{
	_free_ size_t *order = calloc(c->rules->n + 1, sizeof(*order));
	size_t n = order ? compile_order(c, order) : 0;

	for (size_t k = 0; k < n; k++)
		fit(c, order[k]);
	return order ? 0 : -ENOMEM;
}

/* Packets of a rule that is not in hardware must meet no entry, and those of others are there. */
static bool meets_others(struct compiler *c, size_t i)
{
	const struct lowered *low = &c->low[i];
	struct cube entry;

	for (size_t t = 0; t < c->nforeign; t++) {
		const struct sriov_entry *e = &c->table.at[t];

		if (c->table.owner[t] >= 0)
			continue;
		cube_set(&entry, flow_type_classes(e->type), &e->value, &e->mask);
		for (size_t k = 0; k < low->ncubes; k++) {
			if (!cube_meets(&entry, &c->cube[low->cube + k]))
				continue;
			compile_refuse_to_leave(c, i, e);
			return true;
		}
	}
	return false;
}

/* What is not in hardware: why, and whether that is as it should be. */
static void leave_out(struct compiler *c)
{
	for (size_t i = 0; i < c->rules->n; i++) {
		struct sriov_verdict *v = &c->out.verdict[i];
		bool may = v->elsewhere || (c->opts->partial && c->rules->at[i].optional);

		if (c->low[i].state != LOWERED_OUT)
			continue;
		if (v->result == SRIOV_EXACT && !v->elsewhere)
			compile_not_chosen(c, i);
		if (!may)
			continue;
		if (meets_others(c, i))
			v->elsewhere = false;
		else
			v->left_out = !v->elsewhere;
	}
}

/* The list's entries in the order of its rules. */
static int collect(struct compiler *c)
{
	struct sriov_compiled *out = &c->out;
	size_t at = 0;

	out->entry = calloc(c->table.n + 1, sizeof(*out->entry));
	if (c->filters)
		out->filter = calloc(c->table.n + 1, sizeof(*out->filter));
	if (!out->entry || (c->filters && !out->filter))
		return -ENOMEM;
	for (size_t t = 0; t < c->table.n; t++)
		if (c->table.owner[t] >= 0)
			out->verdict[c->table.owner[t]].n++;
	for (size_t i = 0; i < c->rules->n; i++) {
		out->verdict[i].first = at;
		at += out->verdict[i].n;
		out->verdict[i].n = 0;
	}
	for (size_t t = 0; t < c->table.n; t++) {
		struct sriov_verdict *v;

		if (c->table.owner[t] < 0)
			continue;
		v = &out->verdict[c->table.owner[t]];
		if (c->filters)
			out->filter[v->first + v->n] = compile_filter_of(c, t);
		out->entry[v->first + v->n++] = c->table.at[t];
	}
	out->nentries = at;
	return 0;
}

static int collect_masks(struct compiler *c)
{
	for (size_t s = 0; s < SLOTS; s++) {
		const struct table_slot *slot = &c->slot[s];
		struct sriov_table_mask *mask;

		if (!slot->set)
			continue;
		mask = core_grow(&c->out.mask, &c->out.nmasks, sizeof(*mask));
		if (!mask)
			return -ENOMEM;
		mask->type = s ?: compile_type(&(struct cube){.types = slot->types & -slot->types});
		if (slot->types == flow_type_classes(SRIOV_FLOW_IP4))
			mask->type = SRIOV_FLOW_IP4;
		bits_unpack(&slot->mask, &mask->mask);
		for (size_t i = 0; i < c->out.nentries; i++) {
			enum sriov_flow_type type = c->out.entry[i].type;

			if (s && type != s)
				continue;
			mask->types |= 1u << type;
			mask->nentries++;
		}
	}
	return 0;
}

int compile_run(struct compiler *c)
{
	int r = prepare(c);

	for (size_t i = 0; !r && i < c->rules->n; i++)
		r = lower(c, i);
	if (!r)
		r = own_all(c);
	if (!r && c->profile && c->profile->filters)
		return compile_filters(c) ?: compile_place(c);
	if (!r && c->profile)
		r = compile_choose(c);
	if (!r)
		r = fit_all(c);
	return r ?: compile_place(c);
}

static int compile(struct compiler *c)
{
	int r = compile_run(c);

	if (r)
		return r == -ENOMEM ? core_oom(c->err) : r;
	leave_out(c);
	if (collect(c) || (c->filters ? compile_filters_collect(c) : collect_masks(c)))
		return core_oom(c->err);
	for (size_t i = 0; i < c->rules->n; i++)
		c->out.verdict[i].cost = c->filters ? c->out.verdict[i].n : compile_cost(c, i);
	if (compile_words(c) || c->out_of_memory)
		return core_oom(c->err);
	for (size_t i = 0; i < c->rules->n; i++)
		if (c->low[i].state != LOWERED_IN && !c->out.verdict[i].left_out &&
		    !c->out.verdict[i].elsewhere)
			return compile_error(c, i);
	return 0;
}

void compile_begin(struct compiler *c, const struct sriov_rules *rules, const struct sriov_pf *port,
		   const struct sriov_compile *opts, struct sriov_error *err)
{
	static const struct sriov_compile none;

	*c = (struct compiler){.rules = rules,
			       .opts = opts ?: &none,
			       .profile = nic_profile_find(port->driver),
			       .port = *port,
			       .ntuple_off = port->ntuple == SRIOV_NTUPLE_OFF,
			       .err = err};
	if (c->ntuple_off)
		c->port.ntuple = SRIOV_NTUPLE_ON; /* a condition of each verdict */
	c->table_size = c->profile ? nic_table_size(c->profile, port) : 0;
	judge_port(c);
}

SRIOV_EXPORT int sriov_rules_compile(const struct sriov_rules *rules, const struct sriov_pf *port,
				     const struct sriov_compile *opts, struct sriov_compiled *out,
				     struct sriov_error *err)
{
	struct compiler c;
	int r;

	compile_begin(&c, rules, port, opts, err);
	r = compile(&c);
	compile_end(&c);
	if (r && r != -ENOTSUP) {
		sriov_compiled_clear(&c.out);
		return r;
	}
	*out = c.out;
	return r;
}

SRIOV_EXPORT void sriov_compiled_clear(struct sriov_compiled *compiled)
{
	free(compiled->entry);
	free(compiled->verdict);
	free(compiled->mask);
	free(compiled->filter);
	free(compiled->use);
	texts_free(compiled->texts);
	*compiled = (struct sriov_compiled){0};
}
