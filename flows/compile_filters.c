/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules of a port that DPDK owns: which of the driver's filters has each part of a rule's own packets. Filters whose
 * entries have masks of their own are few and small, the one with room has one mask: so rules that can only be there
 * come first, then each of the others goes where it takes the smallest share of the room that there is. If not all
 * fit, the choice is begun again with the mask of each of the largest kinds of rule.
 */
#include "flows/compile_filters.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define SEEDS_MAX 6

const struct rte_filter *filters_at(const struct compiler *c, size_t f)
{
	return &c->profile->filters[f];
}

double filters_room(const struct compiler *c, size_t f)
{
	return rte_room(c->profile, filters_at(c, f), &c->port);
}

struct aim filters_aim(const struct lowered *low)
{
	return (struct aim){low->cookie, low->spread};
}

bool filters_fit(const struct compiler *c, struct aim aim, const struct cube *cube, size_t f,
		 struct bits *mask)
{
	struct sriov_entry e = {.type = compile_type(cube), .cookie = aim.cookie, .ext = true};
	struct bits bits = cube->mask;

	bits.w[BITS_PORTS] |= BITS_SPREAD(aim.spread);
	bits_unpack(&cube->value, &e.value);
	bits_unpack(&bits, &e.mask);
	if (rte_fit(filters_at(c, f), &c->port, &e))
		return false;
	bits_pack(&e.mask, mask);
	return true;
}

struct table_slot *filters_slot(const struct compiler *c, struct choice *choice, size_t f,
				enum sriov_flow_type type)
{
	return &choice->slot[f][filters_at(c, f)->masks == NIC_MASKS_TYPE ? type : SRIOV_FLOW_NONE];
}

/* Bits more are so many times the entries. */
static double times(const struct bits *mask, const struct bits *more)
{
	struct bits free;

	for (unsigned i = 0; i < BITS_WORDS; i++)
		free.w[i] = more->w[i] & ~mask->w[i];
	return ldexp(1, bits_count(&free));
}

/* The UDP port of tunnels is told to the NIC, and its filters do not compare it: rules for tunnels have one. */
static bool same_tunnel(struct choice *choice, const struct cube *cube)
{
	if (!(cube->words & BITS_TUNNEL))
		return true;
	if (choice->tunnel && choice->tunnel != BITS_DST_PORT(&cube->value))
		return false;
	choice->tunnel = BITS_DST_PORT(&cube->value);
	return true;
}

/* Adds a cube to filter @f, with @mask or that of the slot grown by it: false if there is no room. */
static bool add_cube(const struct compiler *c, struct choice *choice, const struct cube *cube,
		     size_t f, const struct bits *mask, double n)
{
	const struct rte_filter *filter = filters_at(c, f);
	enum sriov_flow_type type = compile_type(cube);
	struct table_slot *slot = filters_slot(c, choice, f, type);
	unsigned rules = sriov_filter_rules(filter->kind, type);
	bool apart = filter->apart & FLOW_BIT(type);
	struct bits all = *mask;
	double more;

	if (!same_tunnel(choice, cube))
		return false;
	if (filter->masks == NIC_MASKS_RULE) {
		choice->used[f] += n * times(&cube->mask, mask);
		return choice->used[f] <= filters_room(c, f);
	}
	if (slot->set && apart != !!(filter->apart & slot->types))
		return false;
	for (unsigned i = 0; slot->set && i < BITS_WORDS; i++)
		all.w[i] |= slot->mask.w[i];
	more = slot->entries * (slot->set ? times(&slot->mask, &all) - 1 : 0) +
	       n * times(&cube->mask, &all) * rules;
	slot->set = true;
	slot->mask = all;
	slot->types |= FLOW_BIT(type);
	slot->entries += more;
	choice->used[f] += more;
	return choice->used[f] <= filters_room(c, f);
}

bool filters_pick(const struct compiler *c, struct choice *choice, struct aim aim,
		  const struct cube *cube, uint8_t *pick)
{
	struct choice best;
	double share = INFINITY;

	for (size_t f = 0; f < c->profile->nfilters; f++) {
		struct choice with;
		struct bits mask;
		double takes;

		if (!filters_fit(c, aim, cube, f, &mask))
			continue;
		with = *choice;
		if (!add_cube(c, &with, cube, f, &mask, 1))
			continue;
		takes = (with.used[f] - choice->used[f]) / filters_room(c, f);
		if (takes >= share)
			continue;
		share = takes;
		best = with;
		*pick = f;
	}
	if (share == INFINITY)
		return false;
	*choice = best;
	return true;
}

static bool pick_rule(const struct compiler *c, struct choice *choice, size_t i, uint8_t *pick)
{
	const struct lowered *low = &c->low[i];
	struct choice before = *choice;

	for (size_t k = 0; k < low->nown; k++) {
		if (filters_pick(c, choice, filters_aim(low), &low->own[k], &pick[k]))
			continue;
		*choice = before;
		memset(pick, NOT_PICKED, low->nown);
		return false;
	}
	return true;
}

static bool may_leave_out(const struct compiler *c, size_t i)
{
	return c->opts->partial && c->rules->at[i].optional;
}

/* Some of its packets have no choice of filters. */
static bool is_bound(const struct compiler *c, size_t i)
{
	const struct lowered *low = &c->low[i];
	struct bits mask;

	for (size_t k = 0; k < low->nown && !low->too_many; k++) {
		unsigned n = 0;

		for (size_t f = 0; f < c->profile->nfilters; f++)
			n += filters_fit(c, filters_aim(low), &low->own[k], f, &mask);
		if (n < 2)
			return true;
	}
	return false;
}

/* ---- one way to choose ---- */

/* The mask to begin with of a filter that has one for all. */
struct seed {
	size_t f;
	struct cube cube;
	size_t n; /* cubes that have it */
};

struct attempt {
	struct choice choice;
	uint8_t *pick;
	double worth;
	size_t missing; /* rules that must be in and are not */
	bool all;
};

/*
 * Rules in turns: those that must be in before the others, and of each first those without a choice; then the
 * order of the list.
 */
static void attempt(const struct compiler *c, const size_t *order, size_t n, const bool *bound,
		    const struct seed *seed, struct attempt *out)
{
	const struct filters *filters = c->filters;
	struct choice *choice = &out->choice;

	*choice = (struct choice){0};
	out->worth = out->missing = 0;
	out->all = true;
	memset(out->pick, NOT_PICKED, filters->first[c->rules->n]);
	for (unsigned turn = 0; turn < 4; turn++) {
		if (turn == 1 && seed)
			add_cube(c, choice, &seed->cube, seed->f, &seed->cube.mask, 0);
		for (size_t k = 0; k < n; k++) {
			size_t i = order[k];
			unsigned weight = c->rules->at[i].weight ?: 1;
			bool in;

			if (turn != 2u * may_leave_out(c, i) + !bound[i])
				continue;
			in = !c->low[i].too_many &&
			     pick_rule(c, choice, i, out->pick + filters->first[i]);
			out->all &= in;
			out->missing += !in && !may_leave_out(c, i);
			out->worth += in ? weight : 0;
		}
	}
}

static bool is_better(const struct attempt *a, const struct attempt *b)
{
	return a->missing != b->missing ? a->missing < b->missing : a->worth > b->worth;
}

static int by_size(const void *a, const void *b)
{
	const struct seed *x = a, *y = b;

	return (x->n < y->n) - (x->n > y->n);
}

static int count_seed(struct seed **seeds, size_t *n, size_t f, const struct cube *cube,
		      const struct bits *mask)
{
	struct seed *slot;

	for (size_t i = 0; i < *n; i++) {
		if ((*seeds)[i].f != f || (*seeds)[i].cube.types != cube->types ||
		    memcmp(&(*seeds)[i].cube.mask, mask, sizeof(*mask)) != 0)
			continue;
		(*seeds)[i].n++;
		return 0;
	}
	/* kinds beyond are as rare as rules can be */
	if (*n == 256)
		return 0;
	slot = core_grow(seeds, n, sizeof(*slot));
	if (!slot)
		return -ENOMEM;
	*slot = (struct seed){.f = f, .cube = {.types = cube->types, .mask = *mask}, .n = 1};
	return 0;
}

/* The kinds of cubes that have a choice, the largest first. */
static int find_seeds(const struct compiler *c, const size_t *order, size_t n, struct seed **seeds,
		      size_t *nseeds)
{
	int r = 0;

	for (size_t k = 0; !r && k < n; k++) {
		const struct lowered *low = &c->low[order[k]];

		for (size_t q = 0; !r && q < low->nown && !low->too_many; q++)
			for (size_t f = 0; !r && f < c->profile->nfilters; f++) {
				struct bits mask;

				if (filters_at(c, f)->masks == NIC_MASKS_PORT &&
				    filters_fit(c, filters_aim(low), &low->own[q], f, &mask))
					r = count_seed(seeds, nseeds, f, &low->own[q], &mask);
			}
	}
	if (*nseeds)
		qsort(*seeds, *nseeds, sizeof(**seeds), by_size);
	return r;
}

/* ---- the best of them ---- */

static int try_seeds(struct compiler *c, const size_t *order, size_t n, const bool *bound,
		     struct attempt *best, struct attempt *now)
{
	_free_ struct seed *seeds = NULL;
	size_t nseeds = 0;
	int r = find_seeds(c, order, n, &seeds, &nseeds);

	for (size_t s = 0; !r && s < nseeds && s < SEEDS_MAX && !best->all; s++) {
		uint8_t *pick = best->pick;

		attempt(c, order, n, bound, &seeds[s], now);
		if (!is_better(now, best))
			continue;
		*best = *now;
		now->pick = pick;
	}
	return r;
}

static int choose(struct compiler *c, const size_t *order, size_t n)
{
	size_t cubes = c->filters->first[c->rules->n];
	_free_ bool *bound = calloc(c->rules->n + 1, sizeof(*bound));
	struct attempt best = {.pick = malloc(cubes + 1)}, now = {.pick = malloc(cubes + 1)};
	int r = bound && best.pick && now.pick ? 0 : -ENOMEM;

	for (size_t k = 0; !r && k < n; k++)
		bound[order[k]] = is_bound(c, order[k]);
	if (!r) {
		attempt(c, order, n, bound, NULL, &best);
		if (!best.all)
			r = try_seeds(c, order, n, bound, &best, &now);
	}
	if (!r) {
		c->filters->now = best.choice;
		c->filters->pick = core_steal(best.pick);
		c->out.best = best.all;
	}
	free(best.pick);
	free(now.pick);
	return r;
}

int filters_choose(struct compiler *c, const size_t *order, size_t n)
{
	struct filters *filters = c->filters = calloc(1, sizeof(*filters));
	size_t at = 0;

	if (!filters)
		return -ENOMEM;
	filters->first = calloc(c->rules->n + 1, sizeof(*filters->first));
	filters->entry_of = calloc(c->table.room + 1, sizeof(*filters->entry_of));
	if (!filters->first || !filters->entry_of)
		return -ENOMEM;
	for (size_t i = 0; i < c->rules->n; i++) {
		filters->first[i] = at;
		at += c->low[i].state == LOWERED_CANDIDATE && !c->low[i].too_many ? c->low[i].nown
										  : 0;
	}
	filters->first[c->rules->n] = at;
	return choose(c, order, n);
}

void compile_filters_free(struct compiler *c)
{
	if (!c->filters)
		return;
	free(c->filters->first);
	free(c->filters->pick);
	free(c->filters->entry_of);
	free(c->filters);
}
