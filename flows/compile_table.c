/* SPDX-License-Identifier: Apache-2.0 */
/* Own packets of a rule as entries, beside what the table holds: whether the driver takes them there. */
#include "flows/compile.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ---- an entry alone ---- */

bool compile_alone(const struct compiler *c, const struct sriov_entry *entry, struct nic_verdict *v)
{
	struct nic_case one = {c->profile, &c->port, &c->empty, entry};

	return nic_check_type(&one, v) && nic_run(c->profile->hazards, &one, v) &&
	       nic_run(c->profile->checks, &one, v);
}

/* A target is a queue, and how many there are may not have been read. */
static bool unknown_queues(const struct compiler *c, const struct sriov_entry *entry,
			   struct nic_verdict *v)
{
	const char *name = nic_port_name(&c->port);

	if (c->port.queues || entry->cookie == SRIOV_COOKIE_DROP)
		return false;
	nic_refuse(v, 0, "the number of RX rings is not known",
		   "the number of RX rings of %s is not known", name);
	if (c->profile->filters)
		nic_hint(v, "it has as many as its owner is started with (sriov-rte --queues N): "
			    "--nic NIC,queues=N instead of --pf checks for N");
	else
		nic_hint(v, "`ethtool -n %s` would say it; a snapshot says it as \"queues\"", name);
	return true;
}

/* What is not known of the port, or what the driver's instance has seen before. */
bool compile_known(const struct compiler *c, const struct sriov_entry *entry, struct nic_verdict *v)
{
	struct nic_case one = {c->profile, &c->port, &c->table, entry};

	*v = c->whole;
	if (v->result == SRIOV_EXACT &&
	    (unknown_queues(c, entry, v) ||
	     (!c->port.watched && c->profile->hidden && c->profile->hidden(&one, v))))
		v->result = SRIOV_UNSURE;
	return v->result == SRIOV_EXACT;
}

/* ---- from packets to entries ---- */

/* The free bits of a word, from the lowest, take the bits of @number: @number goes down by as many. */
static uint64_t deposit(uint64_t *number, uint64_t free)
{
	uint64_t word = 0;

	for (; free; free &= free - 1, *number >>= 1)
		if (*number & 1)
			word |= free & -free;
	return word;
}

/* The bits that entries with @mask name and @cube leaves free; pools are numbers, of which not all exist. */
static void free_bits(const struct cube *cube, const struct bits *mask, bool by_pool,
		      struct bits *out)
{
	for (unsigned i = 0; i < BITS_WORDS; i++)
		out->w[i] = mask->w[i] & ~cube->mask.w[i];
	if (by_pool)
		out->w[BITS_USER_DEF] = 0;
}

static void add_cell(struct compiler *c, const struct sriov_entry *like, const struct bits *value,
		     unsigned spread)
{
	struct sriov_entry *e = &c->cell[c->ncells++];

	*e = *like;
	bits_unpack(value, &e->value);
	e->cookie += e->value.src_port & ((1u << spread) - 1);
}

static void add_cells(struct compiler *c, const struct cube *cube, const struct bits *mask,
		      const struct sriov_entry *like, unsigned spread)
{
	bool by_pool = c->profile->scope == NIC_SCOPE_POOL && mask->w[BITS_USER_DEF];
	uint64_t named = cube->mask.w[BITS_USER_DEF] & 0xff, n;
	struct bits free, value = cube->value;

	free_bits(cube, mask, by_pool, &free);
	/* more than a table holds were refused before, but for a cube of no pool: that has none, whatever it leaves free */
	n = bits_count(&free) < 64 ? UINT64_C(1) << bits_count(&free) : 0;
	for (unsigned pool = 0; pool <= (by_pool ? c->port.vfs : 0); pool++) {
		if (by_pool && (cube->value.w[BITS_USER_DEF] ^ pool) & named)
			continue;
		for (uint64_t number = 0; number < n; number++) {
			uint64_t left = number;

			for (unsigned i = BITS_WORDS; i-- > 0;)
				value.w[i] = cube->value.w[i] | deposit(&left, free.w[i]);
			if (by_pool)
				value.w[BITS_USER_DEF] = pool;
			add_cell(c, like, &value, spread);
		}
	}
}

/* The mask of the entries for a cube: that of its slot, or where there is none its own. */
static void mask_of(const struct compiler *c, const struct cube *cube, unsigned spread,
		    struct bits *mask)
{
	const struct table_slot *slot = compile_slot(c, (struct table_slot *)c->slot, cube);

	*mask = cube->mask;
	mask->w[BITS_PORTS] |= BITS_SPREAD(spread);
	if (slot->set)
		*mask = slot->mask;
	else
		compile_widen(c, compile_type(cube), mask);
}

void compile_add_cells(struct compiler *c, const struct cube *cube, const struct bits *mask,
		       const struct lowered *low)
{
	struct sriov_entry like = {.type = compile_type(cube), .cookie = low->cookie};

	bits_unpack(mask, &like.mask);
	like.ext = low->ext || like.mask.vlan_tci || like.mask.vlan_etype || like.mask.user_def;
	add_cells(c, cube, mask, &like, low->spread);
}

bool compile_cells(struct compiler *c, const struct cube *cube, size_t n, uint64_t cookie,
		   unsigned spread, bool ext)
{
	double cells = 0;
	struct bits mask;

	c->ncells = 0;
	for (size_t k = 0; k < n; k++) {
		mask_of(c, &cube[k], spread, &mask);
		cells += compile_count(c, &cube[k], &mask);
	}
	if (cells > c->table_size)
		return false;
	for (size_t k = 0; k < n; k++) {
		struct sriov_entry like = {.type = compile_type(&cube[k]), .cookie = cookie};

		mask_of(c, &cube[k], spread, &mask);
		bits_unpack(&mask, &like.mask);
		like.ext = ext || like.mask.vlan_tci || like.mask.vlan_etype || like.mask.user_def;
		add_cells(c, &cube[k], &mask, &like, spread);
	}
	return true;
}

/* ---- beside what the table holds ---- */

/* "@before the one in the way @after". */
static bool clash(const struct compiler *c, size_t other, const char *before, const char *after,
		  struct nic_verdict *v)
{
	long owner = c->table.owner[other];
	char name[96];

	nic_refuse(v, 0, "another rule is in the way", "%s %s%s%s", before,
		   owner < 0 ? "a rule that somebody else made" : "",
		   owner < 0 ? "" : compile_rule_name(c->rules, owner, name), after);
	v->other = other;
	return nic_hint(v, owner < 0 ? "delete that rule first, or change this one"
				     : "change one of the two");
}

/* The same packets are in the table already: taken as it stands, or in the way. */
static bool fit_same(const struct compiler *c, long loc, const struct sriov_entry *e, size_t other,
		     struct nic_verdict *v)
{
	const struct sriov_entry *there = &c->table.at[other];

	if (there->cookie != e->cookie)
		return clash(c, other, "the same packets match", ", which does something else", v);
	if (loc >= 0 && there->loc != e->loc)
		return clash(c, other, "this rule is there already, as", ", at another location",
			     v);
	return true;
}

static bool fit_location(const struct compiler *c, long loc, const struct sriov_entry *e,
			 struct nic_verdict *v)
{
	if (loc < 0 || e->loc >= c->table_size || c->at_loc[e->loc] == TABLE_NONE)
		return true;
	clash(c, c->at_loc[e->loc], "the location asked for is taken by", "", v);
	return nic_hint(v, "leave 'loc' out to get a free one");
}

static bool fit_overlap(const struct compiler *c, size_t i, struct nic_verdict *v)
{
	size_t other = nic_table_overlap(&c->table, &c->cell[i], c->cell_hash[i]);

	return other == TABLE_NONE ||
	       clash(c, other, "some packets match this rule and",
		     ", which does something else, and which wins is not defined", v);
}

static bool fit_beside(const struct compiler *c, long loc, size_t i, struct nic_verdict *v)
{
	const struct sriov_entry *e = &c->cell[i];
	struct nic_case one = {c->profile, &c->port, &c->table, e};
	size_t *at = &c->cell_at[i];

	c->cell_hash[i] = nic_match_hash(e);
	*at = nic_table_same(&c->table, e, c->cell_hash[i]);
	if (*at != TABLE_NONE)
		return fit_same(c, loc, e, *at, v) && fit_overlap(c, i, v);
	return fit_location(c, loc, e, v) && nic_run(c->profile->hazards, &one, v) &&
	       nic_run(c->profile->checks, &one, v) && fit_overlap(c, i, v);
}

static bool fit_room(const struct compiler *c, struct nic_verdict *v)
{
	size_t more = 0;

	for (size_t i = 0; i < c->ncells; i++)
		more += c->cell_at[i] == TABLE_NONE && c->cell[i].loc >= c->profile->first_loc;
	if (more <= c->nfree)
		return true;
	nic_refuse(v, -ENOSPC, "the table is full",
		   "the rule table of %s is full: %zu entries in %u locations",
		   nic_port_name(&c->port), c->table.n, c->table_size);
	v->result = SRIOV_FULL;
	return nic_hint(v, "delete rules first");
}

/* What the driver compares is equal in two of the cells. Each hash stands at the first free place from its own on. */
static bool have_twins(const struct compiler *c)
{
	size_t room = 4;

	while (room < 2 * c->ncells)
		room *= 2;
	memset(c->number, 0, room * sizeof(*c->number));
	for (size_t i = 0; i < c->ncells; i++) {
		uint64_t hash = c->profile->duplicate_hash(&c->cell[i]) ?: 1;
		size_t at = (hash ^ hash >> 32) & (room - 1);

		while (c->number[at] && c->number[at] != hash)
			at = (at + 1) & (room - 1);
		if (c->number[at])
			return true;
		c->number[at] = hash;
	}
	return false;
}

/* A driver may take two entries of one rule for the same. */
static bool fit_each_other(const struct compiler *c, struct nic_verdict *v)
{
	if (!c->profile->duplicate || c->ncells < 2 || !have_twins(c))
		return true;
	nic_refuse(v, -EINVAL, "the driver takes its entries for duplicates",
		   "this rule needs %zu entries, and %s takes some of them for duplicates: it does "
		   "not compare all that they match",
		   c->ncells, c->profile->driver);
	return nic_hint(v, "match whole addresses");
}

bool compile_fit(const struct compiler *c, long loc, struct nic_verdict *v)
{
	for (size_t i = 0; i < c->ncells; i++) {
		c->cell[i].loc = loc < 0 ? 1 : loc + i;
		if (!fit_beside(c, loc, i, v))
			return false;
	}
	return fit_each_other(c, v) && fit_room(c, v);
}

void compile_put(struct compiler *c, long loc, size_t rule)
{
	for (size_t i = 0; i < c->ncells; i++) {
		struct sriov_entry *e = &c->cell[i];
		size_t at = c->cell_at[i];

		if (at != TABLE_NONE) {
			c->table.owner[at] = rule;
			continue;
		}
		c->nfree -= e->loc >= c->profile->first_loc;
		if (loc < 0)
			e->loc = NO_LOC;
		at = nic_table_add(&c->table, e, c->cell_hash[i], rule);
		if (loc >= 0)
			c->at_loc[e->loc] = at;
	}
}
