/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The packets that the rules of a list have taken so far, and what they leave of one more: its own packets, as
 * cubes that no rule before it meets. Groups of cubes with one mask are looked up by hashes, so that a list
 * whose rules do not meet costs a look-up per rule and mask; of many masks that are
 * alike only those with a cube nearby.
 */
#ifndef SRIOV_FLOWS_SPACE_H
#define SRIOV_FLOWS_SPACE_H

#include "flows/cube.h"

#define SPACE_NONE SIZE_MAX

struct space_group;
struct space_family;
/* A cube that was added. */
struct space_cube {
	const struct cube *cube;
	uint32_t owner; /* the rule that it is of, SPACE_DEAD = a later cube covers it */
	uint32_t group;
};
/* One that meets the cube at hand. */
struct space_meeting {
	const struct cube *cube;
	uint32_t at; /* in space.at */
	uint32_t
		extra; /* bits that it names and the one at hand does not, of those at which a NIC can split */
};
struct space {
	struct space_cube *at;
	size_t n;
	struct space_group *group;
	size_t ngroups, lucky; /* the group that has covered something last */
	struct space_family *family;
	size_t nfamilies;
	uint32_t *bucket; /* groups by their masks: numbers plus one */
	size_t nbuckets;
	uint64_t *visit;            /* scratch: a bit for each group that is to be looked into */
	struct bits splittable;     /* bits at which a NIC can tell packets apart */
	size_t work, work_max;      /* steps done, and allowed */
	struct space_meeting *list; /* scratch: cubes that meet the one at hand */
	size_t nlist, list_room;
};
#define SPACE_DEAD UINT32_MAX

void space_clear(struct space *space);
struct space_rest {
	struct cube *at; /* the caller frees it, or empties it to use it again */
	size_t n;
	size_t first;   /* the first rule that has packets of it, SPACE_NONE = none */
	size_t blocked; /* a rule whose packets cannot be told from its own, SPACE_NONE = none */
	size_t *inside; /* cubes that lie in it whole; likewise */
	size_t ninside;
	/* Rules that are passed over unless they cover: it does not matter whether packets meet them or this one. */
	bool (*harmless)(void *data, size_t owner);
	/* What is left is more than is of use: asked each time that it has doubled. */
	bool (*enough)(void *data);
	void *data;   /* of both, which may be NULL */
	bool stopped; /* there was enough: at and blocked are a part of the truth */
};

/*
 * Adds what no cube of @space has of @cube to @rest. 1: one cube covers it, so it need not be added; 0; -E2BIG: more
 * work than allowed; -ENOMEM.
 */
int space_take(struct space *space, const struct cube *cube, struct space_rest *rest);
/* Adds a cube of rule @owner, which stays the caller's and where it is. 0 or -ENOMEM. */
int space_add(struct space *space, const struct cube *cube, size_t owner);
/* Forgets the cubes that lay inside others, once those are added. */
void space_forget(struct space *space, const struct space_rest *rest);

#endif
