/* SPDX-License-Identifier: Apache-2.0 */
/* What rules leave of each other: see space.h. */
#include "flows/space.h"
#include "flows/space_keys.h"

#include <errno.h>
#include <string.h>

/* Below so many members a look through all is cheaper than an index. */
#define INDEX_MIN 16
/* What is left is not looked at before it is so many cubes. */
#define MANY_MIN 16
/* As long as similar masks are no more, all their groups are looked into: a byte has so many prefixes. */
#define SIMILAR_MAX 8
/* Questions about the same bits of a family before an index answers them: filling it costs about as much. */
#define PATIENCE 4

/* Cubes with one mask. */
struct space_group {
	struct cube like; /* its value does not count */
	struct space_keys members;
	size_t nliving, family;
	size_t since; /* its keys in the family count from here: older ones are of when it was alive before */
	uint32_t next; /* the next of its bucket, plus one */
};

/* Groups whose masks have the same bytes whole. */
struct space_family {
	struct cube like;
	size_t *group;
	size_t ngroups;
	struct space_keys
		values; /* each group under each value that its cubes have in those bytes */
};

void space_clear(struct space *space)
{
	for (size_t g = 0; g < space->ngroups; g++)
		space_keys_clear(&space->group[g].members);
	for (size_t f = 0; f < space->nfamilies; f++) {
		space_keys_clear(&space->family[f].values);
		free(space->family[f].group);
	}
	free(space->group);
	free(space->family);
	free(space->bucket);
	free(space->visit);
	free(space->at);
	free(space->list);
	*space = (struct space){0};
}

/* ---- groups and families ---- */

static bool is_like(const struct cube *a, const struct cube *b, const struct bits *mask)
{
	return a->types == b->types && a->scope == b->scope && a->flex == b->flex &&
	       !memcmp(&a->mask, mask, sizeof(*mask));
}

/* The bytes that a mask has whole. */
static struct bits whole_bytes(const struct bits *mask)
{
	const uint8_t *byte = (const uint8_t *)mask;
	struct bits whole;

	for (size_t i = 0; i < sizeof(whole); i++)
		((uint8_t *)&whole)[i] = byte[i] == 0xff ? 0xff : 0;
	return whole;
}

static struct space_family *family_of(struct space *space, const struct cube *cube)
{
	struct bits whole = whole_bytes(&cube->mask);
	struct space_family *family;

	for (size_t f = 0; f < space->nfamilies; f++)
		if (is_like(&space->family[f].like, cube, &whole))
			return &space->family[f];
	family = core_grow(&space->family, &space->nfamilies, sizeof(*family));
	if (family) {
		family->like = *cube;
		family->like.mask = family->values.mask = whole;
		family->values.patience = PATIENCE;
	}
	return family;
}

static uint32_t *bucket_of(const struct space *space, const struct cube *like)
{
	uint64_t hash = bits_hash(&like->mask, like->types);

	return &space->bucket[(hash ^ hash >> 32) & (space->nbuckets - 1)];
}

/* Room for one more group: in the buckets, which are as many as groups at least, and in the marks. */
static int make_room(struct space *space)
{
	size_t n = space->nbuckets ? 2 * space->nbuckets : 64;
	uint64_t *marks;

	if (space->ngroups < space->nbuckets)
		return 0;
	marks = calloc(n / 64, sizeof(*marks));
	if (!marks)
		return -ENOMEM;
	free(space->visit);
	space->visit = marks;
	free(space->bucket);
	space->bucket = calloc(n, sizeof(*space->bucket));
	if (!space->bucket)
		return -ENOMEM;
	space->nbuckets = n;
	for (size_t g = 0; g < space->ngroups; g++) {
		uint32_t *bucket = bucket_of(space, &space->group[g].like);

		space->group[g].next = *bucket;
		*bucket = g + 1;
	}
	return 0;
}

static struct space_group *add_group(struct space *space, const struct cube *cube)
{
	struct space_family *family = make_room(space) ? NULL : family_of(space, cube);
	struct space_group *group;
	uint32_t *bucket;
	size_t *number;

	if (!family)
		return NULL;
	number = core_grow(&family->group, &family->ngroups, sizeof(*number));
	group = number ? core_grow(&space->group, &space->ngroups, sizeof(*group)) : NULL;
	if (!group)
		return NULL;
	*number = space->ngroups - 1;
	bucket = bucket_of(space, cube);
	*group = (struct space_group){.like = *cube,
				      .family = family - space->family,
				      .members.mask = cube->mask,
				      .next = *bucket};
	*bucket = space->ngroups;
	return group;
}

/* The group of cubes like that one, SPACE_NONE if there is none yet. */
static size_t find_group(const struct space *space, const struct cube *cube)
{
	uint32_t g = space->nbuckets ? *bucket_of(space, cube) : 0;

	while (g && !is_like(&space->group[g - 1].like, cube, &cube->mask))
		g = space->group[g - 1].next;
	return g ? g - 1 : SPACE_NONE;
}

/* Has the family know that the group has a cube with that value. */
static int note_value(struct space *space, struct space_group *group, const struct cube *cube)
{
	struct space_keys *values = &space->family[group->family].values;
	size_t number = group - space->group;
	struct cube bytes = *cube;
	struct space_chain chain;
	int r;

	if (!group->nliving)
		group->since = values->n;
	bytes.mask = values->mask;
	r = space_keys_find(values, &bytes, &chain);
	if (r)
		return r < 0 ? r : 0;
	for (uint32_t k = *chain.link; k; k = chain.next[k - 1])
		if (k > group->since && values->at[k - 1].number == number &&
		    bits_agree(&values->at[k - 1].cube->value, &cube->value, &bytes.mask))
			return 0;
	return space_keys_add(values, cube, number);
}

int space_add(struct space *space, const struct cube *cube, size_t owner)
{
	size_t g = find_group(space, cube);
	struct space_group *group = g == SPACE_NONE ? add_group(space, cube) : &space->group[g];
	struct space_cube *slot;

	if (!group || note_value(space, group, cube) ||
	    space_keys_add(&group->members, cube, space->n))
		return -ENOMEM;
	slot = core_grow(&space->at, &space->n, sizeof(*slot));
	if (!slot)
		return -ENOMEM;
	*slot = (struct space_cube){cube, owner, group - space->group};
	group->nliving++;
	space->work++;
	return 0;
}

/* Room for @n more in the list. */
static int list_reserve(struct space *space, size_t n)
{
	size_t room = space->list_room ?: 64;
	struct space_meeting *list;

	while (room < space->nlist + n)
		room *= 2;
	if (room == space->list_room)
		return 0;
	list = reallocarray(space->list, room, sizeof(*list));
	if (!list)
		return -ENOMEM;
	space->list = list;
	space->list_room = room;
	return 0;
}

static int note_inside(struct space_rest *rest, size_t i)
{
	size_t *slot = core_grow(&rest->inside, &rest->ninside, sizeof(*slot));

	if (!slot)
		return -ENOMEM;
	*slot = i;
	return 0;
}

void space_forget(struct space *space, const struct space_rest *rest)
{
	for (size_t k = 0; k < rest->ninside; k++) {
		struct space_cube *cube = &space->at[rest->inside[k]];

		space->group[cube->group].nliving -= cube->owner != SPACE_DEAD;
		cube->owner = SPACE_DEAD;
	}
}

/* ---- what meets a cube ---- */

/* 1: it covers @cube; 0, and it is in the list if it matters; or -ENOMEM. */
static int look_at(struct space *space, const struct cube *cube, size_t i, struct space_rest *rest)
{
	const struct space_cube *other = &space->at[i];

	space->work++;
	if (other->owner == SPACE_DEAD || !cube_meets(other->cube, cube))
		return 0;
	if (cube_within(cube, other->cube))
		return 1;
	if (cube_within(other->cube, cube) && note_inside(rest, i))
		return -ENOMEM;
	if (rest->harmless && rest->harmless(rest->data, other->owner))
		return 0;
	if (list_reserve(space, 1))
		return -ENOMEM;
	space->list[space->nlist++] = (struct space_meeting){.cube = other->cube, .at = i};
	return 0;
}

static int look_at_all(struct space *space, const struct space_keys *members,
		       const struct cube *cube, struct space_rest *rest, size_t *by)
{
	int r = 0;

	for (size_t k = 0; !r && k < members->n; k++)
		r = look_at(space, cube, *by = members->at[k].number, rest);
	return r;
}

static int look_in(struct space *space, size_t g, const struct cube *cube, struct space_rest *rest,
		   size_t *by)
{
	struct space_keys *members = &space->group[g].members;
	struct space_chain chain;
	int r = 1;

	if (members->n >= INDEX_MIN && space->group[g].like.flex == cube->flex)
		r = space_keys_find(members, cube, &chain);
	if (r)
		return r < 0 ? r : look_at_all(space, members, cube, rest, by);
	while (!r && *chain.link) {
		size_t k = *chain.link - 1;

		*by = members->at[k].number;
		r = look_at(space, cube, *by, rest);
		if (space->at[*by].owner == SPACE_DEAD)
			*chain.link = chain.next[k];
		else
			chain.link = &chain.next[k];
	}
	return r;
}

static bool may_meet(const struct cube *like, const struct cube *cube)
{
	return (like->types & cube->types) &&
	       (like->scope == cube->scope || like->scope == CUBE_ANY_SCOPE ||
		cube->scope == CUBE_ANY_SCOPE);
}

static bool may_cover(const struct cube *like, const struct cube *cube)
{
	struct bits extra;

	cube_extra(like, cube, &extra);
	return may_meet(like, cube) && !bits_any(&extra);
}

static void visit(struct space *space, size_t g)
{
	space->visit[g / 64] |= UINT64_C(1) << g % 64;
}

/* Marks the groups of a family in which there may be a cube that meets this one. */
static int visit_family(struct space *space, struct space_family *family, const struct cube *cube)
{
	struct space_chain chain;
	struct bits common;
	int r = 1;

	if (!may_meet(&family->like, cube))
		return 0;
	if (family->ngroups > SIMILAR_MAX && family->like.flex == cube->flex)
		r = space_keys_find(&family->values, cube, &chain);
	for (size_t i = 0; r > 0 && i < family->ngroups; i++)
		visit(space, family->group[i]);
	for (unsigned i = 0; !r && i < BITS_WORDS; i++)
		common.w[i] = family->like.mask.w[i] & cube->mask.w[i];
	while (!r && *chain.link) {
		const struct space_key *key = &family->values.at[*chain.link - 1];
		size_t k = *chain.link - 1, g = key->number;

		if (k >= space->group[g].since && space->group[g].nliving) {
			if (bits_agree(&key->cube->value, &cube->value, &common))
				visit(space, g);
			chain.link = &chain.next[k];
		} else {
			*chain.link = chain.next[k];
		}
	}
	return r < 0 ? r : 0;
}

/* In the marked groups, in their order, until one of them covers the cube; no group is marked then. */
static int look_in_visited(struct space *space, const struct cube *cube, struct space_rest *rest,
			   size_t *by)
{
	int r = 0;

	for (size_t w = 0; w < (space->ngroups + 63) / 64; w++) {
		for (uint64_t left = space->visit[w]; !r && left; left &= left - 1) {
			size_t g = 64 * w + __builtin_ctzll(left);

			if (!space->group[g].nliving)
				continue;
			r = look_in(space, g, cube, rest, by);
			if (r > 0)
				space->lucky = g;
			if (!r && space->work > space->work_max)
				r = -E2BIG;
		}
		space->visit[w] = 0;
	}
	return r;
}

/* Lists the cubes that meet @cube. 1: one covers it, *@by; 0; -ENOMEM; -E2BIG. */
static int list_meeting(struct space *space, const struct cube *cube, struct space_rest *rest,
			size_t *by)
{
	size_t inside = rest->ninside, same = find_group(space, cube);
	int r = 0;

	/*
	 * What covers it is often in the group that covered its neighbour in the list, or an equal cube: those
	 * are asked first
	 */
	if (space->lucky < space->ngroups && may_cover(&space->group[space->lucky].like, cube))
		r = look_in(space, space->lucky, cube, rest, by);
	if (!r && same != SPACE_NONE) {
		r = look_in(space, same, cube, rest, by);
		if (r > 0)
			space->lucky = same;
	}
	rest->ninside = inside;
	space->nlist = 0;
	for (size_t f = 0; !r && f < space->nfamilies; f++)
		r = visit_family(space, &space->family[f], cube);
	if (!r)
		r = look_in_visited(space, cube, rest, by);
	space->work += space->nfamilies / 16;
	return r;
}

/* ---- what they leave ---- */

static int keep(struct space_rest *rest, const struct cube *cube)
{
	struct cube *slot = core_grow(&rest->at, &rest->n, sizeof(*slot));

	if (!slot)
		return -ENOMEM;
	*slot = *cube;
	if (rest->enough && rest->n >= MANY_MIN && !(rest->n & (rest->n - 1)))
		rest->stopped = rest->enough(rest->data);
	return 0;
}

/* Of a list of cubes to be cut out of another one. */
struct pick {
	const struct cube *by; /* NULL = none of them can be */
	uint32_t least;        /* bits that it asks for besides */
};

/* Looks at one more of them; true if it covers @cube, of which nothing is left then. */
static inline bool pick_covers(struct pick *pick, const struct space_meeting *meeting,
			       const struct cube *cube)
{
	if (!meeting->extra)
		return cube_within(cube, meeting->cube);
	if (!pick->by || meeting->extra < pick->least)
		*pick = (struct pick){meeting->cube, meeting->extra};
	return false;
}

static int cut(struct space *space, const struct cube *cube, size_t from, const struct pick *pick,
	       struct space_rest *rest);

/*
 * Cuts the cubes of list[from…to) out of @half, one half of a cube that they all meet: it names the bit @bit of word
 * @i besides, which is all that there is to look at.
 */
static int cut_half(struct space *space, const struct cube *half, unsigned i, uint64_t bit,
		    size_t from, size_t to, struct space_rest *rest)
{
	struct space_meeting *next;
	struct pick pick = {0};
	int r;

	if (rest->stopped)
		return 0;
	space->work += to - from + 1;
	if (space->work > space->work_max)
		return -E2BIG;
	if (list_reserve(space, to - from))
		return -ENOMEM;
	next = &space->list[to];
	for (const struct space_meeting *m = &space->list[from]; m < &space->list[to]; m++) {
		const struct cube *before = m->cube;
		bool names = (before->mask.w[i] & bit) && cube_says(before, half, i);

		if (names && ((before->value.w[i] ^ half->value.w[i]) & bit))
			continue;
		*next = *m;
		next->extra -= names;
		if (pick_covers(&pick, next++, half))
			return 0;
	}
	space->nlist = next - space->list;
	r = cut(space, half, to, &pick, rest);
	space->nlist = to;
	return r;
}

/* Cuts list[from…) out of the halves of @cube, which are told apart by a bit that @by names. */
static int halve(struct space *space, const struct cube *cube, const struct cube *by, size_t from,
		 struct space_rest *rest)
{
	struct cube like, other;
	size_t to = space->nlist;
	struct bits bits;
	unsigned i = 0;
	uint64_t bit;
	int r;

	cube_extra(by, cube, &bits);
	for (unsigned w = 0; w < BITS_WORDS; w++)
		bits.w[w] &= space->splittable.w[w];
	bit = cube_split(cube, &bits, by, &like, &other, &i);
	r = cut_half(space, &other, i, bit, from, to, rest);
	return r ?: cut_half(space, &like, i, bit, from, to, rest);
}

/*
 * Cuts the cubes of list[from…), which all meet @cube, out of it, half by half: first by the one that was picked, which
 * asks for the fewest bits more at which a NIC can split.
 */
static int cut(struct space *space, const struct cube *cube, size_t from, const struct pick *pick,
	       struct space_rest *rest)
{
	if (space->nlist == from)
		return keep(rest, cube);
	if (pick->by)
		return halve(space, cube, pick->by, from, rest);
	rest->blocked = space->at[space->list[from].at].owner;
	return 0;
}

/* All that is in the list, which meets @cube. */
static int cut_all(struct space *space, const struct cube *cube, struct space_rest *rest)
{
	struct pick pick = {0};

	space->work += space->nlist + 1;
	if (space->work > space->work_max)
		return -E2BIG;
	for (struct space_meeting *m = space->list; m < &space->list[space->nlist]; m++) {
		m->extra = cube_extra_count(m->cube, cube, &space->splittable);
		if (pick_covers(&pick, m, cube))
			return 0;
	}
	return cut(space, cube, 0, &pick, rest);
}

int space_take(struct space *space, const struct cube *cube, struct space_rest *rest)
{
	size_t by = SPACE_NONE;
	int r = list_meeting(space, cube, rest, &by);

	if (r < 0)
		return r;
	if (r > 0) {
		if (space->at[by].owner < rest->first)
			rest->first = space->at[by].owner;
		return 1;
	}
	for (size_t k = 0; k < space->nlist; k++)
		if (space->at[space->list[k].at].owner < rest->first)
			rest->first = space->at[space->list[k].at].owner;
	if (rest->stopped)
		return 0;
	return space->nlist ? cut_all(space, cube, rest) : keep(rest, cube);
}
