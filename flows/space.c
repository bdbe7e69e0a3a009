/* SPDX-License-Identifier: Apache-2.0 */
/* What rules leave of each other: see space.h. */
#include "flows/space.h"

#include <errno.h>
#include <string.h>

/* Below so many members a look through all is cheaper than an index. */
#define INDEX_MIN 16

/* Members of a group by the bits that they share with a mask: chains of member numbers plus one. */
struct space_index {
	struct bits common;
	uint32_t *bucket, *next;
	size_t nbuckets, n;
};

struct space_group {
	uint16_t types, flex;
	int16_t scope;
	struct bits mask;
	size_t *member;
	size_t nmembers;
	struct space_index *index;
	size_t nindexes;
};

void space_clear(struct space *space)
{
	for (size_t g = 0; g < space->ngroups; g++) {
		struct space_group *group = &space->group[g];

		for (size_t i = 0; i < group->nindexes; i++) {
			free(group->index[i].bucket);
			free(group->index[i].next);
		}
		free(group->index);
		free(group->member);
	}
	free(space->group);
	free(space->cube);
	free(space->owner);
	free(space->list);
	*space = (struct space){0};
}

static uint64_t hash_common(const struct bits *value, const struct bits *common)
{
	struct bits bits;

	for (unsigned i = 0; i < BITS_WORDS; i++)
		bits.w[i] = value->w[i] & common->w[i];
	return bits_hash(&bits, CORE_HASH_SEED);
}

static void index_put(const struct space *space, const struct space_group *group,
		      struct space_index *index, size_t k)
{
	const struct cube *cube = &space->cube[group->member[k]];
	size_t b = hash_common(&cube->value, &index->common) & (index->nbuckets - 1);

	index->next[k] = index->bucket[b];
	index->bucket[b] = k + 1;
}

/* Brings all members into the index, which grows by doubling. */
static int index_fill(struct space *space, const struct space_group *group,
		      struct space_index *index)
{
	if (group->nmembers > index->nbuckets) {
		size_t n = 2 * INDEX_MIN;

		while (n < group->nmembers)
			n *= 2;
		free(index->bucket);
		free(index->next);
		index->bucket = calloc(n, sizeof(*index->bucket));
		index->next = calloc(n, sizeof(*index->next));
		index->nbuckets = n;
		index->n = 0;
		if (!index->bucket || !index->next)
			return -ENOMEM;
	}
	space->work += group->nmembers - index->n;
	for (; index->n < group->nmembers; index->n++)
		if (space->owner[group->member[index->n]] != SPACE_DEAD)
			index_put(space, group, index, index->n);
	return 0;
}

static struct space_index *index_of(struct space *space, struct space_group *group,
				    const struct bits *common)
{
	struct space_index *index = NULL;

	for (size_t i = 0; i < group->nindexes && !index; i++)
		if (!memcmp(&group->index[i].common, common, sizeof(*common)))
			index = &group->index[i];
	if (!index) {
		index = core_grow(&group->index, &group->nindexes, sizeof(*index));
		if (!index)
			return NULL;
		index->common = *common;
	}
	return index_fill(space, group, index) ? NULL : index;
}

static struct space_group *group_of(struct space *space, const struct cube *cube)
{
	struct space_group *group;

	for (size_t g = 0; g < space->ngroups; g++) {
		group = &space->group[g];
		if (group->types == cube->types && group->scope == cube->scope &&
		    group->flex == cube->flex &&
		    !memcmp(&group->mask, &cube->mask, sizeof(cube->mask)))
			return group;
	}
	group = core_grow(&space->group, &space->ngroups, sizeof(*group));
	if (group) {
		group->types = cube->types;
		group->scope = cube->scope;
		group->flex = cube->flex;
		group->mask = cube->mask;
	}
	return group;
}

int space_add(struct space *space, const struct cube *cube, size_t owner)
{
	struct space_group *group = group_of(space, cube);
	size_t n = space->n, *member;
	struct cube *slot;
	uint32_t *own;

	if (!group)
		return -ENOMEM;
	own = core_grow(&space->owner, &n, sizeof(*own));
	slot = own ? core_grow(&space->cube, &space->n, sizeof(*slot)) : NULL;
	member = slot ? core_grow(&group->member, &group->nmembers, sizeof(*member)) : NULL;
	if (!member)
		return -ENOMEM;
	*slot = *cube;
	*own = owner;
	*member = space->n - 1;
	space->work += 1 + space->ngroups / 16;
	return 0;
}

static int list_push(struct space *space, size_t i)
{
	if (space->nlist == space->list_room) {
		size_t room = space->list_room ? 2 * space->list_room : 64;
		size_t *list = reallocarray(space->list, room, sizeof(*list));

		if (!list)
			return -ENOMEM;
		space->list = list;
		space->list_room = room;
	}
	space->list[space->nlist++] = i;
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
	for (size_t k = 0; k < rest->ninside; k++)
		space->owner[rest->inside[k]] = SPACE_DEAD;
}

/* 1: it covers @cube; 0, and it is in the list if it matters; or -ENOMEM. */
static int look_at(struct space *space, const struct cube *cube, size_t i, struct space_rest *rest)
{
	space->work++;
	if (space->owner[i] == SPACE_DEAD || !cube_meets(&space->cube[i], cube))
		return 0;
	if (cube_covers(&space->cube[i], cube))
		return 1;
	if (cube_covers(cube, &space->cube[i]) && note_inside(rest, i))
		return -ENOMEM;
	if (rest->harmless && rest->harmless(rest->data, space->owner[i]))
		return 0;
	return list_push(space, i);
}

static int look_in(struct space *space, struct space_group *group, const struct cube *cube,
		   struct space_rest *rest, size_t *by)
{
	struct space_index *index;
	struct bits common;
	uint32_t *link;
	int r = 0;

	for (unsigned i = 0; i < BITS_WORDS; i++)
		common.w[i] = group->mask.w[i] & cube->mask.w[i];
	if (group->nmembers < INDEX_MIN || !bits_any(&common) || group->flex != cube->flex) {
		for (size_t k = 0; !r && k < group->nmembers; k++)
			r = look_at(space, cube, *by = group->member[k], rest);
		return r;
	}
	index = index_of(space, group, &common);
	if (!index)
		return -ENOMEM;
	link = &index->bucket[hash_common(&cube->value, &common) & (index->nbuckets - 1)];
	while (!r && *link) {
		size_t k = *link - 1;

		*by = group->member[k];
		r = look_at(space, cube, *by, rest);
		if (space->owner[*by] == SPACE_DEAD)
			*link = index->next[k];
		else
			link = &index->next[k];
	}
	return r;
}

static bool group_meets(const struct space_group *group, const struct cube *cube)
{
	return (group->types & cube->types) &&
	       (group->scope == cube->scope || group->scope == CUBE_ANY_SCOPE ||
		cube->scope == CUBE_ANY_SCOPE);
}

/* Lists the cubes that meet @cube. 1: one covers it, *@by; 0; -ENOMEM; -E2BIG. */
static int list_meeting(struct space *space, const struct cube *cube, struct space_rest *rest,
			size_t *by)
{
	size_t inside = rest->ninside;
	int r = 0;

	/* neighbours in a list are often covered by cubes of one group: that one is asked first */
	if (space->lucky < space->ngroups && group_meets(&space->group[space->lucky], cube))
		r = look_in(space, &space->group[space->lucky], cube, rest, by);
	rest->ninside = inside;
	space->nlist = 0;
	for (size_t g = 0; !r && g < space->ngroups; g++) {
		if (!group_meets(&space->group[g], cube))
			continue;
		r = look_in(space, &space->group[g], cube, rest, by);
		if (r > 0)
			space->lucky = g;
		if (!r && space->work > space->work_max)
			r = -E2BIG;
	}
	space->work += space->ngroups / 16;
	return r;
}

static int keep(struct space_rest *rest, const struct cube *cube)
{
	struct cube *slot = core_grow(&rest->at, &rest->n, sizeof(*slot));

	if (!slot)
		return -ENOMEM;
	*slot = *cube;
	return 0;
}

/* Of the listed cubes, the one that asks for the fewest bits more at which a NIC can split; or SPACE_NONE. */
static size_t best_cut(const struct space *space, const struct cube *cube, size_t from,
		       struct bits *bits)
{
	size_t best = SPACE_NONE;
	unsigned fewest = 0;

	for (size_t k = from; k < space->nlist; k++) {
		struct bits extra;
		unsigned n;

		cube_extra(&space->cube[space->list[k]], cube, &extra);
		for (unsigned i = 0; i < BITS_WORDS; i++)
			extra.w[i] &= space->splittable.w[i];
		n = bits_count(&extra);
		if (!n || (best != SPACE_NONE && n >= fewest))
			continue;
		best = space->list[k];
		fewest = n;
		*bits = extra;
	}
	return best;
}

/* Cuts the cubes at list[from…to) out of @cube, half by half. */
static int cut(struct space *space, const struct cube *cube, size_t from, size_t to,
	       struct space_rest *rest)
{
	size_t mine = space->nlist, q;
	struct cube like, other;
	struct bits bits;
	int r = 0;

	space->work += to - from + 1;
	if (space->work > space->work_max)
		return -E2BIG;
	for (size_t k = from; !r && k < to; k++) {
		const struct cube *before = &space->cube[space->list[k]];

		if (!cube_meets(before, cube))
			continue;
		if (cube_covers(before, cube)) {
			space->nlist = mine;
			return 0;
		}
		r = list_push(space, space->list[k]);
	}
	if (!r && space->nlist == mine)
		return keep(rest, cube);
	q = r ? SPACE_NONE : best_cut(space, cube, mine, &bits);
	if (!r && q == SPACE_NONE)
		rest->blocked = space->owner[space->list[mine]];
	if (q != SPACE_NONE) {
		size_t end = space->nlist;

		cube_split(cube, &bits, &space->cube[q], &like, &other);
		r = cut(space, &other, mine, end, rest);
		if (!r)
			r = cut(space, &like, mine, end, rest);
	}
	space->nlist = mine;
	return r;
}

int space_take(struct space *space, const struct cube *cube, struct space_rest *rest)
{
	size_t by = SPACE_NONE;
	int r = list_meeting(space, cube, rest, &by);

	if (r < 0)
		return r;
	if (r > 0) {
		if (space->owner[by] < rest->first)
			rest->first = space->owner[by];
		return 1;
	}
	for (size_t k = 0; k < space->nlist; k++)
		if (space->owner[space->list[k]] < rest->first)
			rest->first = space->owner[space->list[k]];
	return space->nlist ? cut(space, cube, 0, space->nlist, rest) : keep(rest, cube);
}
