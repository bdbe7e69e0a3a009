/* SPDX-License-Identifier: Apache-2.0 */
/* The entries of rules in the filters that were chosen for them, and what is said of those without. */
#include "flows/compile_filters.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* "5-tuple 128 of 128, fdir 3 of 2046 by dst-ip, dst-port": those in use, and those that the rule could be in */
static void tell_use(const struct compiler *c, const struct lowered *low, char *buf, size_t size)
{
	struct text text = {.at = buf, .size = size};
	struct bits unused;

	*buf = '\0';
	for (size_t f = 0; f < c->profile->nfilters; f++) {
		double used = c->filters->now.used[f];
		const struct table_slot *slot = c->filters->now.slot[f];
		struct sriov_match mask;

		if (!used && !filters_fit(c, filters_aim(low), low->own, f, &unused))
			continue;
		text_list(&text, "%s %.0f of %.0f", sriov_filter_word(filters_at(c, f)->kind), used,
			  filters_room(c, f));
		if (filters_at(c, f)->masks != NIC_MASKS_PORT || !used)
			continue;
		bits_unpack(&slot->mask, &mask);
		text_add(&text, " by ");
		mask_print(&text, __builtin_ctz(slot->types), &mask, true);
	}
}

/* It is what the rules before it leave of the rule that there is no room for. */
static bool would_fit_whole(const struct compiler *c, size_t i)
{
	const struct lowered *low = &c->low[i];
	struct choice choice = c->filters->now;
	uint8_t pick;

	for (size_t k = 0; k < low->ncubes; k++)
		if (!filters_pick(c, &choice, filters_aim(low), &c->cube[low->cube + k], &pick))
			return false;
	return true;
}

static void refuse(struct compiler *c, size_t i)
{
	const struct sriov_verdict *out = &c->out.verdict[i];
	struct nic_verdict v = {.other = TABLE_NONE};
	char use[256], name[96];

	if (out->shadow >= 0 && would_fit_whole(c, i)) {
		nic_refuse(
			&v, 0, "it cannot be kept apart from a rule before it",
			"packets of %s, which is before it, match it too, and no filter of %s has "
			"room for all that would leave them out",
			compile_rule_name(c->rules, out->shadow, name), c->profile->driver);
		v.rule = out->shadow + 1;
		nic_hint(&v, "let the two match the same fields, or put this one first");
	} else if (c->low[i].own->words & BITS_TUNNEL && c->filters->now.tunnel &&
		   c->filters->now.tunnel != BITS_DST_PORT(&c->low[i].own->value)) {
		nic_refuse(
			&v, 0, "tunnels of a port have one UDP port",
			"another rule has dst-port %u for its tunnel: the NIC is told one UDP port "
			"of VXLAN, and its filters do not compare it",
			c->filters->now.tunnel);
		nic_hint(&v, "let all rules for tunnels have the same dst-port");
	} else {
		tell_use(c, &c->low[i], use, sizeof(use));
		nic_refuse(&v, -ENOSPC, "no filter has room for it",
			   "no filter of %s has room for it beside the rules that are in: %s",
			   c->profile->driver, use);
		v.result = SRIOV_FULL;
		nic_hint(&v, "let rules match the same fields, whole where they can; or mark rules "
			     "that may be left out `optional`, and pass --partial");
	}
	compile_refuse(c, i, &v);
}

static void put(struct compiler *c, size_t i)
{
	const struct lowered *low = &c->low[i];
	const uint8_t *pick = c->filters->pick + c->filters->first[i];
	size_t at = c->table.n;

	c->ncells = 0;
	for (size_t k = 0; k < low->nown; k++) {
		const struct cube *cube = &low->own[k];
		const struct table_slot *slot = filters_slot(c, &c->filters->now, pick[k],
							     compile_type(cube));
		size_t from = c->ncells;
		struct bits mask = slot->mask;

		if (filters_at(c, pick[k])->masks == NIC_MASKS_RULE)
			filters_fit(c, filters_aim(low), cube, pick[k], &mask);
		compile_add_cells(c, cube, &mask, low);
		for (size_t n = from; n < c->ncells; n++) {
			c->cell_at[n] = TABLE_NONE;
			c->cell_hash[n] = nic_match_hash(&c->cell[n]);
			c->filters->entry_of[at + n] = pick[k];
		}
	}
	compile_put(c, -1, i);
}

int compile_filters(struct compiler *c)
{
	_free_ size_t *order = calloc(c->rules->n + 1, sizeof(*order));
	size_t n = order ? compile_order(c, order) : 0;
	int r = order ? filters_choose(c, order, n) : -ENOMEM;

	for (size_t k = 0; !r && k < n; k++) {
		struct lowered *low = &c->low[order[k]];
		size_t first = c->filters->first[order[k]];

		if (low->too_many || (low->nown && c->filters->pick[first] == NOT_PICKED)) {
			low->state = LOWERED_OUT;
			refuse(c, order[k]);
			continue;
		}
		low->state = LOWERED_IN;
		put(c, order[k]);
	}
	return r;
}

/* Packets of it are those of a rule before rule @i. */
static bool meets_before(const struct compiler *c, size_t i, const struct lowering *low)
{
	for (size_t k = 0; k < c->low[i].cube; k++)
		for (size_t q = 0; q < low->ncubes; q++)
			if (cube_meets(&c->cube[k], &low->cube[q]))
				return true;
	return false;
}

bool compile_filters_room(const struct compiler *c, size_t i, const struct lowering *low)
{
	const struct aim aim = {low->cookie, low->spread};
	struct choice choice = c->filters->now;
	uint8_t pick;

	if (meets_before(c, i, low))
		return false;
	for (size_t k = 0; k < low->ncubes; k++)
		if (!filters_pick(c, &choice, aim, &low->cube[k], &pick))
			return false;
	return true;
}

/* ---- the answer ---- */

const char *compile_filter_condition(const struct compiler *c, enum sriov_filter kind)
{
	size_t f = 0;

	while (filters_at(c, f)->kind != kind)
		f++;
	return filters_at(c, f)->condition;
}

static int collect_masks(struct compiler *c, size_t f)
{
	for (unsigned type = 0; type < SLOTS; type++) {
		const struct table_slot *slot = &c->filters->now.slot[f][type];
		struct sriov_table_mask *mask;

		if (!slot->set || !slot->entries)
			continue;
		mask = core_grow(&c->out.mask, &c->out.nmasks, sizeof(*mask));
		if (!mask)
			return -ENOMEM;
		mask->type = __builtin_ctz(slot->types);
		mask->types = slot->types;
		bits_unpack(&slot->mask, &mask->mask);
		for (size_t i = 0; i < c->out.nentries; i++)
			mask->nentries += c->out.filter[i] == filters_at(c, f)->kind &&
					  (!type || c->out.entry[i].type == type);
	}
	return 0;
}

int compile_filters_collect(struct compiler *c)
{
	struct sriov_compiled *out = &c->out;
	int r = 0;

	out->use = calloc(c->profile->nfilters, sizeof(*out->use));
	if (!out->use)
		return -ENOMEM;
	out->nuses = c->profile->nfilters;
	for (size_t f = 0; !r && f < out->nuses; f++) {
		out->use[f] = (struct sriov_filter_use){.filter = filters_at(c, f)->kind,
							.used = c->filters->now.used[f],
							.room = filters_room(c, f)};
		r = collect_masks(c, f);
	}
	return r;
}

enum sriov_filter compile_filter_of(const struct compiler *c, size_t entry)
{
	return filters_at(c, c->filters->entry_of[entry])->kind;
}
