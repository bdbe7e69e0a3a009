/* SPDX-License-Identifier: Apache-2.0 */
/*
 * First match: of each rule's packets those that no rule before it has, in hardware or not. A rule that is not
 * leaves its packets to nobody.
 */
#include "flows/compile.h"

#include <errno.h>
#include <string.h>

/* Beyond so many cubes of a list memory would be the limit: more than any table could hold. */
#define CUBES_MAX 250000

/* The rule at hand. */
struct at_hand {
	struct compiler *c;
	size_t i;
};

/* Where each entry has a mask of its own, two that meet do no harm if they act alike. */
static bool acts_alike(void *data, size_t owner)
{
	const struct at_hand *at = data;
	const struct lowered *a = &at->c->low[at->i], *b = &at->c->low[owner];

	/* one that may be left out may not lend its packets to another */
	return b->state != LOWERED_OUT && a->cookie == b->cookie &&
	       !(at->c->opts->partial && at->c->rules->at[owner].optional);
}

/* Of a rule that is not in hardware it only counts that something is left. */
static bool is_enough(void *data)
{
	const struct at_hand *at = data;
	const struct compiler *c = at->c;

	return c->low[at->i].state != LOWERED_CANDIDATE ||
	       !compile_could_fit(c, at->i, c->rest.at, c->rest.n);
}

void compile_refuse_blocked(const struct compiler *c, size_t other, struct nic_verdict *v)
{
	char name[96];

	compile_rule_name(c->rules, other, name);
	if (c->low[other].state == LOWERED_OUT)
		nic_refuse(v, 0, "a rule before it is in the way",
			   "some packets match this rule and %s, which is before it and not in "
			   "hardware, and %s cannot keep those apart",
			   name, c->profile->driver);
	else
		nic_refuse(v, 0, "another rule is in the way",
			   "some packets match this rule and %s, which does something else, and %s "
			   "cannot keep those apart",
			   name, c->profile->driver);
	v->rule = other + 1;
	nic_hint(v, "change one of the two so that no packet matches both, or so that one says "
		    "all that the other does");
}

static void refuse_entangled(struct nic_verdict *v)
{
	nic_refuse(v, 0, "too entangled",
		   "the rules before it meet it and each other in so many ways that what they "
		   "leave of it was not worked out");
	nic_hint(v, "shorter lists, or rules that overlap less");
}

/* What is left of each cube; @covered says of which nothing is by a single one before it. */
static int take_cubes(struct compiler *c, struct lowered *low, struct space_rest *rest,
		      bool *covered)
{
	int r = 0;

	for (size_t k = 0; r >= 0 && k < low->ncubes; k++) {
		r = space_take(&c->space, &c->cube[low->cube + k], rest);
		covered[k] = r > 0;
	}
	return r < 0 ? r : 0;
}

/*
 * Also what several rules before it have taken is added: it stands for all that lies inside, which is forgotten.
 */
static int add_cubes(struct compiler *c, size_t i, const struct space_rest *rest,
		     const bool *covered)
{
	const struct lowered *low = &c->low[i];

	if (c->space.n > CUBES_MAX)
		return 0;
	for (size_t k = 0; k < low->ncubes; k++)
		if (!covered[k] && space_add(&c->space, &c->cube[low->cube + k], i))
			return -ENOMEM;
	if (c->profile->masks != NIC_MASKS_RULE)
		space_forget(&c->space, rest);
	return 0;
}

/* Keeps what is left of the rule, as far as it could be in the table. */
static int keep_own(struct compiler *c, size_t i)
{
	struct lowered *low = &c->low[i];
	size_t kept;

	if (compile_need(c, i, c->rest.at, c->rest.n))
		return -ENOMEM;
	low->nown = c->rest.n;
	low->own_part = c->rest.stopped;
	kept = low->too_many && low->nown ? 1 : low->nown;
	low->own = calloc(kept ?: 1, sizeof(*low->own));
	if (!low->own)
		return -ENOMEM;
	if (kept)
		memcpy(low->own, c->rest.at, kept * sizeof(*low->own));
	return 0;
}

/* What @r, of take_cubes(), and what is left mean for the rule. */
static void settle(struct compiler *c, size_t i, int r, struct nic_verdict *v)
{
	struct lowered *low = &c->low[i];
	const struct space_rest *rest = &c->rest;

	c->out.verdict[i].shadow = rest->first == SPACE_NONE ? -1 : (long)rest->first;
	if (low->state == LOWERED_CANDIDATE && (r == -E2BIG || c->space.n > CUBES_MAX)) {
		refuse_entangled(v);
		low->state = LOWERED_OUT;
	} else if (!r && low->state == LOWERED_CANDIDATE && rest->blocked != SPACE_NONE) {
		compile_refuse_blocked(c, rest->blocked, v);
		low->state = LOWERED_OUT;
	} else if (!r && low->ncubes && !rest->n && rest->blocked == SPACE_NONE) {
		c->out.verdict[i].shadowed = true;
		if (low->state == LOWERED_CANDIDATE)
			low->state = LOWERED_IN;
	}
}

int compile_own(struct compiler *c, size_t i, struct nic_verdict *v)
{
	struct lowered *low = &c->low[i];
	struct at_hand at_hand = {c, i};
	struct space_rest *rest = &c->rest;
	_free_ bool *covered = calloc(low->ncubes + 1, sizeof(*covered));
	int r;

	if (!covered)
		return -ENOMEM;
	/* its arrays are used again: to grow them anew for each rule is dear */
	rest->n = rest->ninside = 0;
	rest->first = rest->blocked = SPACE_NONE;
	rest->stopped = false;
	rest->data = &at_hand;
	rest->enough = is_enough;
	rest->harmless = c->profile->masks == NIC_MASKS_RULE && low->state == LOWERED_CANDIDATE
				 ? acts_alike
				 : NULL;
	r = take_cubes(c, low, rest, covered);
	settle(c, i, r, v);
	if (r != -ENOMEM && low->state == LOWERED_CANDIDATE && keep_own(c, i))
		r = -ENOMEM;
	if (r != -ENOMEM)
		r = add_cubes(c, i, rest, covered);
	return r;
}
