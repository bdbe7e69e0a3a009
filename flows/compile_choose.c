/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The masks of the port's table and the rules that fit them. A rule needs the bits that it names, and those by
 * which it is kept apart from rules before it; each bit more doubles the entries of rules that leave it free.
 * If all rules fit, their bits together are the masks. If not, which rules to take is a knapsack problem:
 * rules that must be in come first, in the order of the list, then optional ones by what they are worth, begun
 * from each of the heaviest kinds of rule and each pair of them. Few optional rules are tried in every
 * combination.
 */
#include "flows/compile.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#define SEEDS_MAX 6  /* kinds of optional rules that a choice is begun from */
#define TRIED_MAX 12 /* optional rules that are tried in every combination */

struct choice {
	struct table_slot slot[SLOTS];
	double worth, entries;
	size_t missing; /* rules that must be in and are not */
	bool *in;       /* one a rule */
};

struct table_slot *compile_slot(const struct compiler *c, struct table_slot slot[SLOTS],
				const struct cube *cube)
{
	return &slot[c->profile->masks == NIC_MASKS_TYPE ? compile_type(cube) : SRIOV_FLOW_NONE];
}

/* Pools that a packet can have, of those that @cube names: with VFs, one for each and one for the PF. */
static unsigned pools(const struct compiler *c, const struct cube *cube)
{
	unsigned n = 0;

	for (unsigned pool = 0; pool <= c->port.vfs; pool++)
		n += !((cube->value.w[BITS_USER_DEF] ^ pool) & cube->mask.w[BITS_USER_DEF] & 0xff);
	return n;
}

double compile_count(const struct compiler *c, const struct cube *cube, const struct bits *mask)
{
	struct bits free;
	unsigned n;
	bool pool = c->profile->scope == NIC_SCOPE_POOL && mask->w[BITS_USER_DEF];

	for (unsigned i = 0; i < BITS_WORDS; i++)
		free.w[i] = mask->w[i] & ~cube->mask.w[i];
	if (pool)
		free.w[BITS_USER_DEF] = 0;
	n = bits_count(&free);
	return (pool ? pools(c, cube) : 1) * (n < 64 ? (double)(UINT64_C(1) << n) : ldexp(1, n));
}

/* The same entries with the bits of @add matched besides. */
static double grown(const struct compiler *c, const struct table_slot *slot,
		    const struct bits *mask)
{
	const struct cube any = {.mask = slot->mask};

	return slot->entries * compile_count(c, &any, mask);
}

/* An ip4 mask and one of tcp4, udp4 and sctp4 are different masks though they name the same bits. */
static bool same_kind(const struct table_slot *slot, const struct cube *cube)
{
	unsigned ip4 = flow_type_classes(SRIOV_FLOW_IP4);

	return !slot->set || (slot->types == ip4) == (cube->types == ip4);
}

/*
 * What cubes need, slot by slot: the number of parts in @out, 0 = no mask could have it. A driver that takes the
 * bits of each takes those of all.
 */
static size_t needs_of(const struct compiler *c, const struct cube *cube, size_t n, unsigned spread,
		       struct need out[SLOTS])
{
	struct table_slot slot[SLOTS] = {{0}};
	size_t nparts = 0;

	for (size_t k = 0; k < n; k++) {
		struct table_slot *at = compile_slot(c, slot, &cube[k]);

		if (!same_kind(at, &cube[k]))
			return 0;
		for (unsigned i = 0; i < BITS_WORDS; i++)
			at->mask.w[i] |= cube[k].mask.w[i];
		at->set = true;
		at->types |= cube[k].types;
	}
	for (size_t s = 0; s < SLOTS; s++) {
		const struct cube like = {.types = slot[s].types};

		slot[s].mask.w[BITS_PORTS] |= slot[s].set ? BITS_SPREAD(spread) : 0;
		if (slot[s].set && !compile_widen(c, compile_type(&like), &slot[s].mask))
			return 0;
	}
	for (size_t k = 0; k < n; k++) {
		struct table_slot *at = compile_slot(c, slot, &cube[k]);

		at->entries += compile_count(c, &cube[k], &at->mask);
	}
	for (size_t s = 0; s < SLOTS; s++)
		if (slot[s].set)
			out[nparts++] = (struct need){s, slot[s].types, slot[s].mask,
						      slot[s].entries};
	return nparts;
}

double compile_room(const struct compiler *c)
{
	return (double)c->nfree + c->nforeign;
}

/* What @own of rule @i needs, and whether there could be room for that. */
static bool need_room(const struct compiler *c, size_t i, const struct cube *own, size_t n,
		      struct need need[SLOTS], size_t *nneeds)
{
	double entries = 0;

	*nneeds = 0;
	/* what a filter needs is known once it is chosen */
	if (c->profile->masks == NIC_MASKS_RULE || c->profile->filters)
		return n <= c->table_size;
	*nneeds = needs_of(c, own, n, c->low[i].spread, need);
	for (size_t k = 0; k < *nneeds; k++)
		entries += need[k].entries;
	return *nneeds && entries <= compile_room(c);
}

bool compile_could_fit(const struct compiler *c, size_t i, const struct cube *own, size_t n)
{
	struct need need[SLOTS];
	size_t nneeds;

	return need_room(c, i, own, n, need, &nneeds);
}

int compile_need(struct compiler *c, size_t i, const struct cube *own, size_t n)
{
	struct lowered *low = &c->low[i];
	struct need need[SLOTS];

	low->too_many = !need_room(c, i, own, n, need, &low->nneeds);
	low->need = calloc(low->nneeds ?: 1, sizeof(*low->need));
	if (!low->need)
		return -ENOMEM;
	memcpy(low->need, need, low->nneeds * sizeof(*need));
	return 0;
}

static bool join_need(const struct compiler *c, struct table_slot *slot, const struct need *need)
{
	const struct cube like = {.types = need->types, .mask = need->mask};
	struct bits mask;

	if (!same_kind(slot, &like))
		return false;
	for (unsigned i = 0; i < BITS_WORDS; i++)
		mask.w[i] = slot->mask.w[i] | need->mask.w[i];
	if (slot->fixed && memcmp(&mask, &slot->mask, sizeof(mask)) != 0)
		return false;
	slot->entries = grown(c, slot, &mask) + need->entries * compile_count(c, &like, &mask);
	slot->mask = mask;
	slot->set = true;
	slot->types |= need->types;
	return true;
}

static bool join_needs(const struct compiler *c, struct table_slot slot[SLOTS],
		       const struct need *need, size_t n, double room)
{
	struct table_slot before[SLOTS];
	double entries = 0;
	bool joined = n > 0;

	for (size_t k = 0; k < n; k++)
		before[k] = slot[need[k].slot];
	for (size_t k = 0; k < n && joined; k++)
		joined = join_need(c, &slot[need[k].slot], &need[k]);
	for (size_t s = 0; s < SLOTS; s++)
		entries += slot[s].entries;
	if (joined && entries <= room)
		return true;
	for (size_t k = 0; k < n; k++)
		slot[need[k].slot] = before[k];
	return false;
}

bool compile_join(const struct compiler *c, struct table_slot slot[SLOTS], const struct cube *cube,
		  size_t n, unsigned spread, double room)
{
	struct need need[SLOTS];

	return c->profile->masks == NIC_MASKS_RULE ||
	       join_needs(c, slot, need, needs_of(c, cube, n, spread, need), room);
}

bool compile_join_rule(const struct compiler *c, struct table_slot slot[SLOTS], size_t i)
{
	const struct lowered *low = &c->low[i];

	return c->profile->masks == NIC_MASKS_RULE ||
	       join_needs(c, slot, low->need, low->nneeds, INFINITY);
}

double compile_cost(const struct compiler *c, size_t i)
{
	const struct lowered *low = &c->low[i];
	double entries = 0;

	for (size_t k = 0; k < low->nneeds; k++) {
		const struct need *need = &low->need[k];
		const struct cube like = {.types = need->types, .mask = need->mask};
		struct bits mask = need->mask;

		for (unsigned w = 0; w < BITS_WORDS; w++)
			mask.w[w] |= c->slot[need->slot].mask.w[w];
		entries += need->entries * compile_count(c, &like, &mask);
	}
	return entries;
}

static unsigned weight(const struct sriov_rule *rule)
{
	return rule->weight ?: 1;
}

/* Rules that must be in hardware come first, then optional ones by what they are worth. */
static int by_worth(const void *a, const void *b, void *rules)
{
	size_t i = *(const size_t *)a, j = *(const size_t *)b;
	const struct sriov_rule *x = (struct sriov_rule *)rules + i,
				*y = (struct sriov_rule *)rules + j;

	if (x->optional != y->optional)
		return x->optional ? 1 : -1;
	if (x->optional && weight(x) != weight(y))
		return weight(x) > weight(y) ? -1 : 1;
	return i < j ? -1 : i > j;
}

size_t compile_order(const struct compiler *c, size_t *order)
{
	size_t n = 0;

	for (size_t i = 0; i < c->rules->n; i++)
		if (c->low[i].state == LOWERED_CANDIDATE)
			order[n++] = i;
	if (c->opts->partial)
		qsort_r(order, n, sizeof(*order), by_worth, c->rules->at);
	return n;
}

static bool take(const struct compiler *c, struct choice *choice, size_t i, double limit)
{
	const struct lowered *low = &c->low[i];

	choice->in[i] = join_needs(c, choice->slot, low->need, low->nneeds, limit);
	return choice->in[i];
}

static bool must(const struct compiler *c, size_t i)
{
	return !c->opts->partial || !c->rules->at[i].optional;
}

static void sum_up(const struct compiler *c, struct choice *choice, const size_t *order, size_t n)
{
	choice->worth = choice->entries = choice->missing = 0;
	for (size_t k = 0; k < n; k++) {
		if (choice->in[order[k]])
			choice->worth += must(c, order[k]) ? 0 : weight(&c->rules->at[order[k]]);
		else
			choice->missing += must(c, order[k]);
	}
	for (size_t s = 0; s < SLOTS; s++)
		choice->entries += choice->slot[s].entries;
}

static bool is_better(const struct choice *a, const struct choice *b)
{
	if (a->missing != b->missing)
		return a->missing < b->missing;
	if (a->worth != b->worth)
		return a->worth > b->worth;
	return a->entries < b->entries;
}

/* Not even one entry more: none of the rest can be in. */
static bool is_full(const struct compiler *c, const struct choice *choice)
{
	double entries = 1;

	for (size_t s = 0; s < SLOTS; s++)
		entries += choice->slot[s].entries;
	return entries > compile_room(c);
}

/* From the rules that must be in, over those of @seed, to the rest by worth. */
static void choose_from(const struct compiler *c, struct choice *choice, const size_t *order,
			size_t n, const size_t *seed, size_t nseeds)
{
	size_t k = 0;

	memcpy(choice->slot, c->slot, sizeof(choice->slot));
	memset(choice->in, 0, c->rules->n * sizeof(*choice->in));
	for (; k < n && must(c, order[k]); k++)
		take(c, choice, order[k], compile_room(c));
	for (size_t s = 0; s < nseeds; s++)
		take(c, choice, seed[s], compile_room(c));
	for (; k < n; k++)
		if (!choice->in[order[k]] && !take(c, choice, order[k], compile_room(c)) &&
		    is_full(c, choice))
			break;
	sum_up(c, choice, order, n);
}

static void keep_better(const struct compiler *c, struct choice *best, const struct choice *now)
{
	if (!is_better(now, best))
		return;
	memcpy(best->slot, now->slot, sizeof(best->slot));
	memcpy(best->in, now->in, c->rules->n * sizeof(*best->in));
	best->missing = now->missing;
	best->worth = now->worth;
	best->entries = now->entries;
}

/* The heaviest optional rules that no other of them is like. */
static size_t find_seeds(const struct compiler *c, const size_t *order, size_t n,
			 size_t seed[SEEDS_MAX])
{
	size_t found = 0;

	for (size_t k = 0; k < n && found < SEEDS_MAX; k++) {
		const struct lowered *low = &c->low[order[k]];
		bool seen = must(c, order[k]) || !low->nneeds;

		for (size_t s = 0; s < found && !seen; s++) {
			const struct lowered *other = &c->low[seed[s]];

			seen = other->nneeds == low->nneeds &&
			       !memcmp(&other->need->mask, &low->need->mask,
				       sizeof(low->need->mask));
		}
		if (!seen)
			seed[found++] = order[k];
	}
	return found;
}

static void try_seeds(const struct compiler *c, struct choice *best, struct choice *now,
		      const size_t *order, size_t n)
{
	size_t seed[SEEDS_MAX], seeds = find_seeds(c, order, n, seed), pair[2];

	for (size_t a = 0; a < seeds; a++)
		for (size_t b = a; b < seeds; b++) {
			pair[0] = seed[a];
			pair[1] = seed[b];
			choose_from(c, now, order, n, pair, a == b ? 1 : 2);
			keep_better(c, best, now);
		}
}

/* Every combination of the optional rules from order[k] on. */
static void try_all(const struct compiler *c, struct choice *best, struct choice *now,
		    const size_t *order, size_t n, size_t k)
{
	struct table_slot before[SLOTS];

	if (k == n) {
		sum_up(c, now, order, n);
		keep_better(c, best, now);
		return;
	}
	memcpy(before, now->slot, sizeof(before));
	if (take(c, now, order[k], compile_room(c)))
		try_all(c, best, now, order, n, k + 1);
	memcpy(now->slot, before, sizeof(before));
	now->in[order[k]] = false;
	try_all(c, best, now, order, n, k + 1);
}

/* What the optional rules of order[first…n) are worth that could be in if no other of them were. */
static double worth_alone(const struct compiler *c, struct choice *now, const size_t *order,
			  size_t first, size_t n)
{
	struct table_slot before[SLOTS];
	double worth = 0;

	choose_from(c, now, order, first, NULL, 0);
	memcpy(before, now->slot, sizeof(before));
	for (size_t k = first; k < n; k++) {
		worth += take(c, now, order[k], compile_room(c)) ? weight(&c->rules->at[order[k]])
								 : 0;
		memcpy(now->slot, before, sizeof(before));
	}
	return worth;
}

/*
 * What earlier rules leave of a rule, as several cubes: other cubes may say the same with fewer bits (10.0.0.0/30
 * without .1 and .3 is one bit), so what it needs is not proved to be the least.
 */
static bool is_cut(const struct compiler *c, const struct lowered *low)
{
	return low->nown > 1 &&
	       (low->too_many || low->nown != low->ncubes ||
		memcmp(low->own, &c->cube[low->cube], low->nown * sizeof(*low->own)) != 0);
}

static bool any_cut(const struct compiler *c, const size_t *order, size_t n)
{
	for (size_t k = 0; k < n; k++)
		if (is_cut(c, &c->low[order[k]]))
			return true;
	return false;
}

/* Without optional rules that there could be no room for. */
static size_t leave_too_many(const struct compiler *c, const size_t *order, size_t n, size_t *out)
{
	size_t left = 0;

	for (size_t k = 0; k < n; k++)
		if (must(c, order[k]) || !c->low[order[k]].too_many)
			out[left++] = order[k];
	return left;
}

/* @cut: what rules need is not proved to be the least. */
static void choose(struct compiler *c, struct choice *best, struct choice *now, const size_t *order,
		   size_t n, bool cut)
{
	size_t first = 0;

	while (first < n && must(c, order[first]))
		first++;
	choose_from(c, best, order, n, NULL, 0);
	if (best->missing || first == n)
		return;
	if (n - first <= TRIED_MAX) {
		choose_from(c, now, order, first, NULL, 0);
		try_all(c, best, now, order, n, first);
		c->out.best = !cut;
		return;
	}
	try_seeds(c, best, now, order, n);
	c->out.best = !cut && worth_alone(c, now, order, first, n) == best->worth;
}

/* The entries of others have a mask, and the rest of the list must have it too. */
static void fix_slots(struct compiler *c)
{
	for (size_t t = 0; t < c->nforeign; t++) {
		const struct sriov_entry *e = &c->table.at[t];
		struct table_slot *slot;
		struct cube cube;

		cube_set(&cube, flow_type_classes(e->type), &e->value, &e->mask);
		slot = compile_slot(c, c->slot, &cube);
		slot->types |= cube.types;
		if (slot->set)
			continue;
		slot->set = slot->fixed = true;
		bits_pack(&e->mask, &slot->mask);
	}
}

/* All rules together: the usual case, and the best that there is. */
static bool all_fit(struct compiler *c, struct choice *choice, const size_t *order, size_t n)
{
	bool all = true;

	memcpy(choice->slot, c->slot, sizeof(choice->slot));
	for (size_t k = 0; k < n; k++)
		all &= take(c, choice, order[k], INFINITY);
	sum_up(c, choice, order, n);
	c->out.wanted = choice->entries;
	return all && choice->entries <= compile_room(c);
}

static void settle(struct compiler *c, const struct choice *choice, const size_t *order, size_t n)
{
	memcpy(c->slot, choice->slot, sizeof(c->slot));
	for (size_t k = 0; k < n; k++)
		if (!choice->in[order[k]])
			c->low[order[k]].state = LOWERED_OUT;
}

static int choose_rules(struct compiler *c, const size_t *order, size_t n)
{
	struct choice best = {0}, now = {0};
	_free_ size_t *can = calloc(c->rules->n + 1, sizeof(*can));
	int r = can ? 0 : -ENOMEM;

	best.in = calloc(c->rules->n + 1, sizeof(*best.in));
	now.in = calloc(c->rules->n + 1, sizeof(*now.in));
	if (!r && (!best.in || !now.in))
		r = -ENOMEM;
	if (!r) {
		fix_slots(c);
		c->out.best = all_fit(c, &best, order, n);
		if (!c->out.best)
			choose(c, &best, &now, can, leave_too_many(c, order, n, can),
			       any_cut(c, order, n));
		settle(c, &best, order, n);
	}
	free(best.in);
	free(now.in);
	return r;
}

int compile_choose(struct compiler *c)
{
	_free_ size_t *order = NULL;

	if (c->profile->masks == NIC_MASKS_RULE)
		return 0;
	order = calloc(c->rules->n + 1, sizeof(*order));
	return order ? choose_rules(c, order, compile_order(c, order)) : -ENOMEM;
}
