/* SPDX-License-Identifier: Apache-2.0 */
/* Verdicts in words: results, conditions, and the error of a list that does not fit. */
#include "flows/compile.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const result_words[SRIOV_RESULTS] = {
	[SRIOV_EXACT] = "exact",    [SRIOV_NARROWER] = "narrower", [SRIOV_BROADER] = "broader",
	[SRIOV_NONE] = "none",      [SRIOV_REJECTED] = "refused",  [SRIOV_FULL] = "full",
	[SRIOV_UNSURE] = "unknown",
};

SRIOV_EXPORT const char *sriov_result_word(enum sriov_result result)
{
	return (unsigned)result < SRIOV_RESULTS ? result_words[result] : NULL;
}

/* More than there is room for are left out: the ones that say most come first. */
__attribute__((format(printf, 3, 4))) static void condition(struct compiler *c, size_t i,
							    const char *fmt, ...)
{
	struct sriov_verdict *v = &c->out.verdict[i];
	char text[256];
	va_list ap;

	if (v->nconditions == SRIOV_CONDITIONS_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	v->condition[v->nconditions++] = compile_text(c, text);
}

/* A target of a VSI acts on what the switch gives to it, and is bound to it as it stands. */
static void vsi_conditions(struct compiler *c, size_t i)
{
	const struct sriov_rule *rule = &c->rules->at[i];
	uint64_t cookie = c->low[i].cookie;

	if (cookie == SRIOV_COOKIE_DROP)
		return;
	if (COOKIE_VF(cookie)) {
		condition(c, i, "only traffic switched to VF %u", (unsigned)COOKIE_VF(cookie) - 1);
		condition(
			c, i,
			"bound to VF %u as it is now: after a change of the number of VFs it must "
			"be put in again",
			(unsigned)COOKIE_VF(cookie) - 1);
	} else if (c->port.vfs && rule->scope.kind == SRIOV_SCOPE_ALL) {
		condition(c, i, "only traffic switched to the PF");
	}
}

static void shadow_condition(struct compiler *c, size_t i)
{
	const struct sriov_verdict *v = &c->out.verdict[i];
	char name[96];

	if (v->shadowed)
		condition(c, i,
			  "no packet comes to it: the rules before it take them all, first %s",
			  compile_rule_name(c->rules, v->shadow, name));
}

/* The first entry of somebody else that is taken as it stands. */
static void others_condition(struct compiler *c, size_t i, const size_t *first_of_others)
{
	struct sriov_verdict *v = &c->out.verdict[i];

	if (first_of_others[i] == TABLE_NONE)
		return;
	v->other_loc = c->table.at[first_of_others[i]].loc;
	condition(c, i,
		  "somebody else's rule at loc %ld is this one already: it stays theirs unless "
		  "adopted",
		  v->other_loc);
}

/* Of the filters that have entries of the rule, each once. */
static void filter_conditions(struct compiler *c, size_t i)
{
	const struct sriov_verdict *v = &c->out.verdict[i];
	unsigned told = 0;

	for (size_t k = v->first; c->filters && k < v->first + v->n; k++) {
		enum sriov_filter filter = c->out.filter[k];
		const char *text = compile_filter_condition(c, filter);

		if (text && !(told & 1u << filter))
			condition(c, i, "%s", text);
		told |= 1u << filter;
	}
}

static void entry_conditions(struct compiler *c, size_t i)
{
	const struct sriov_verdict *v = &c->out.verdict[i];
	const char *notes[NIC_NOTES_MAX];
	size_t n = v->n ? nic_profile_notes(c->profile, &c->port, &c->out.entry[v->first], notes)
			: 0;
	bool fragments = false;

	if (c->profile->scope == NIC_SCOPE_VSI)
		vsi_conditions(c, i);
	for (size_t k = v->first; k < v->first + v->n; k++)
		fragments |= c->out.entry[k].type == SRIOV_FLOW_IP6_OTHER;
	/* i40e_check_fdir_input_set() leaves the input set of FRAG_IPV6 alone */
	if (fragments)
		condition(c, i, "fragments: what is compared of them is not known");
	for (size_t k = 0; k < n; k++)
		condition(c, i, "%s", notes[k]);
	filter_conditions(c, i);
	if (c->profile->condition)
		condition(c, i, "%s", c->profile->condition);
}

/* "rule web (line 3): flow-type udp4 dst-port 80 drop", or "loc 7: udp4 dst-port 80 -> drop". */
static void tell_rule(struct compiler *c, size_t other, struct sriov_verdict *v)
{
	const char **told = &c->low[other].told;
	char name[96], words[384] = "", text[512];

	v->other_rule = other;
	v->other = *told;
	if (*told)
		return;
	/* what does not fit is cut: it is for reading */
	sriov_rule_format(&c->rules->at[other], words, sizeof(words));
	snprintf(text, sizeof(text), "%s: %s", compile_rule_name(c->rules, other, name), words);
	v->other = *told = compile_text(c, text);
}

static void tell_other(struct compiler *c, size_t other, struct sriov_verdict *v)
{
	const struct sriov_entry *e = &c->table.at[other];
	char words[384] = "", text[512];

	if (c->table.owner[other] >= 0) {
		tell_rule(c, c->table.owner[other], v);
		return;
	}
	v->other_loc = e->loc;
	sriov_entry_format(e, words, sizeof(words));
	snprintf(text, sizeof(text), "loc %u: %s", e->loc, words);
	v->other = compile_text(c, text);
}

void compile_refuse(struct compiler *c, size_t i, const struct nic_verdict *v)
{
	struct sriov_verdict *out = &c->out.verdict[i];

	out->result = v->result;
	out->err = v->err;
	out->why = compile_text(c, v->detail);
	out->hint = compile_text(c, v->hint);
	if (v->rule)
		tell_rule(c, v->rule - 1, out);
	else if (v->other != TABLE_NONE && c->profile)
		tell_other(c, v->other, out);
}

void compile_refuse_to_leave(struct compiler *c, size_t i, const struct sriov_entry *entry)
{
	struct sriov_verdict *v = &c->out.verdict[i];
	char text[640];

	snprintf(text, sizeof(text),
		 "%s; and it cannot be left out, because the rule of somebody else at loc %u would "
		 "get packets of it",
		 v->elsewhere ? "its guest is on a bridge and not behind the NIC" : v->why,
		 entry->loc);
	v->why = compile_text(c, text);
	if (v->result == SRIOV_EXACT)
		v->result = SRIOV_REJECTED;
}

/* ---- rules that were not chosen ---- */

/* Looking for causes and neighbours takes a while: nobody reads more than so many. */
#define TOLD_MAX 100

/* The rule whose bits make @i's entries many, and which bits: "rule web (line 3) matches dst-port". */
static bool tell_cause(const struct compiler *c, size_t i, char *buf, size_t size)
{
	const struct lowered *low = &c->low[i];
	struct table_slot *slot = compile_slot(c, (struct table_slot *)c->slot, low->own);
	struct bits missing = {0};
	struct sriov_match match;
	char words[160], name[96];
	struct text text = {.at = words, .size = sizeof(words)};

	for (unsigned w = 0; w < BITS_WORDS; w++)
		missing.w[w] = slot->mask.w[w] & ~low->own->mask.w[w];
	for (size_t k = 0; bits_any(&missing) && k < c->rules->n; k++) {
		const struct lowered *other = &c->low[k];

		for (size_t n = 0; other->state == LOWERED_IN && n < other->nown; n++) {
			struct bits shared;

			for (unsigned w = 0; w < BITS_WORDS; w++)
				shared.w[w] = other->own[n].mask.w[w] & missing.w[w];
			if (compile_slot(c, (struct table_slot *)c->slot, &other->own[n]) != slot ||
			    !bits_any(&shared))
				continue;
			bits_unpack(&shared, &match);
			mask_print(&text, compile_type(&other->own[n]), &match, true);
			snprintf(buf, size, "%s matches %s too",
				 compile_rule_name(c->rules, k, name), words);
			return true;
		}
	}
	return false;
}

/* A number of entries that rule @i would take: "at least 4096". */
struct count {
	char text[330]; /* of any double */
};

static const char *count(const struct compiler *c, size_t i, double n, struct count *buf)
{
	const char *least = c->low[i].own_part ? "at least " : "";

	/* whole numbers are written ten times faster as such */
	if (n < 1e18)
		snprintf(buf->text, sizeof(buf->text), "%s%" PRIu64, least, (uint64_t)n);
	else
		snprintf(buf->text, sizeof(buf->text), "%s%.0f", least, n);
	return buf->text;
}

static void refuse_full(struct compiler *c, size_t i, double cost, struct nic_verdict *v)
{
	char cause[320] = "";
	struct count buf;

	nic_refuse(
		v, -ENOSPC, "the table is full",
		"the table is full: the rule would take %s entr%s, and of the %u locations of %s "
		"%zu are free",
		count(c, i, cost, &buf), cost == 1 ? "y" : "ies", c->table_size,
		nic_port_name(&c->port), c->nfree);
	v->result = SRIOV_FULL;
	if (cost > c->low[i].nown && c->ncauses++ < TOLD_MAX &&
	    tell_cause(c, i, cause, sizeof(cause)))
		nic_hint(v,
			 "each of its entries stands for many because %s; a rule that matches "
			 "that as well, or fewer addresses or ports, needs fewer",
			 cause);
	else
		nic_hint(v, "delete rules first, or mark some `optional` and pass --partial");
}

/* The driver's own words for masks that do not go together: false, and they are in @v. */
static bool mask_is_taken(const struct compiler *c, const struct lowered *low,
			  const struct cube *cube, struct nic_verdict *v)
{
	struct bits mask = cube->mask;
	struct sriov_entry e = {
		.loc = 1, .type = compile_type(cube), .cookie = low->cookie, .ext = true};
	struct nic_case one = {c->profile, &c->port, &c->table, &e};

	mask.w[BITS_PORTS] |= BITS_SPREAD(low->spread);
	compile_widen(c, e.type, &mask);
	bits_unpack(&cube->value, &e.value);
	bits_unpack(&mask, &e.mask);
	return nic_run(c->profile->checks, &one, v);
}

/* With what one mask for all would cost; @all is 0 if there could be none. False: masks are not the reason. */
static bool refuse_mask(const struct compiler *c, size_t i, double all, struct nic_verdict *v)
{
	const struct lowered *low = &c->low[i];
	struct count buf;
	size_t k = 0, len;

	while (k < low->ncubes && mask_is_taken(c, low, &c->cube[low->cube + k], v))
		k++;
	if (k == low->ncubes)
		return false;
	len = strlen(v->detail);
	if (all)
		snprintf(v->detail + len, sizeof(v->detail) - len,
			 "; with one mask for all it would be %s entries, and there is room for "
			 "%u",
			 count(c, i, all, &buf), c->out.room);
	return true;
}

/* More than there could be room for: the driver's own answer to the rule as one entry may say why. */
static void refuse_size(struct compiler *c, size_t i, double cost, struct nic_verdict *v)
{
	const struct lowered *low = &c->low[i];
	struct sriov_entry e = {.loc = 1, .cookie = low->cookie, .ext = true};
	struct count buf;
	bool alone = true;
	size_t len;

	for (size_t k = 0; k < low->ncubes && alone; k++) {
		e.type = compile_type(&c->cube[low->cube + k]);
		bits_unpack(&c->cube[low->cube + k].value, &e.value);
		bits_unpack(&c->cube[low->cube + k].mask, &e.mask);
		alone = compile_alone(c, &e, v);
	}
	if (alone) {
		refuse_full(c, i, cost, v);
		return;
	}
	len = strlen(v->detail);
	snprintf(v->detail + len, sizeof(v->detail) - len,
		 "; with an entry for each value it would be %s, and there is room for %u",
		 count(c, i, cost, &buf), c->out.room);
}

/*
 * Bits that keep its packets from those of rules before it are what there is no room for, or, with @all 0, what no mask
 * has.
 */
static bool refuse_cut(const struct compiler *c, size_t i, double all, struct nic_verdict *v)
{
	const struct sriov_verdict *out = &c->out.verdict[i];
	const char *why = "it cannot be kept apart from a rule before it";
	struct count buf;
	char name[96];

	if (out->shadow < 0)
		return false;
	compile_rule_name(c->rules, out->shadow, name);
	if (all)
		nic_refuse(v, 0, why,
			   "packets of %s, which is before it, match it too, and to leave them "
			   "out the table would need %s entries, and there is room for %u",
			   name, count(c, i, all, &buf), c->out.room);
	else
		nic_refuse(v, 0, why,
			   "packets of %s, which is before it, match it too, and no mask that the "
			   "table can have leaves them out",
			   name);
	v->rule = out->shadow + 1;
	nic_hint(v, "let the two match the same fields, or put this one first");
	return true;
}

void compile_not_chosen(struct compiler *c, size_t i)
{
	const struct lowered *low = &c->low[i];
	struct table_slot slot[SLOTS];
	struct nic_verdict v = {.result = SRIOV_EXACT, .other = TABLE_NONE};
	double all = 0, cost = compile_cost(c, i), own = 0;
	bool joined, same = true;

	if (c->quiet)
		return;
	memcpy(slot, c->slot, sizeof(slot));
	joined = compile_join_rule(c, slot, i);
	for (size_t s = 0; s < SLOTS; s++) {
		all += slot[s].entries;
		same &= !memcmp(&slot[s].mask, &c->slot[s].mask, sizeof(slot[s].mask));
	}
	for (size_t k = 0; k < low->nneeds; k++)
		own += low->need[k].entries;
	if (own > c->out.room && c->out.verdict[i].shadow < 0)
		refuse_size(c, i, own, &v);
	else if ((joined && same && cost <= c->table_size) ||
		 !(refuse_mask(c, i, joined ? all : 0, &v) ||
		   refuse_cut(c, i, joined ? all : 0, &v)))
		refuse_full(c, i, cost, &v);
	compile_refuse(c, i, &v);
}

/* ---- all of it ---- */

static void find_nearest(struct compiler *c, size_t i)
{
	char words[384];

	compile_nearest(c, i, words, sizeof(words));
	c->out.verdict[i].nearest = compile_text(c, words);
}

/* For each rule the first entry of somebody else that it takes as it stands; NULL without memory. */
static size_t *others_taken(const struct compiler *c)
{
	size_t *first = malloc((c->rules->n + 1) * sizeof(*first));

	for (size_t i = 0; first && i < c->rules->n; i++)
		first[i] = TABLE_NONE;
	for (size_t t = c->nforeign; first && t-- > 0;)
		if (c->table.owner[t] >= 0)
			first[c->table.owner[t]] = t;
	return first;
}

int compile_words(struct compiler *c)
{
	_free_ size_t *taken = others_taken(c);

	if (!taken)
		return -ENOMEM;
	for (size_t i = 0; i < c->rules->n; i++) {
		struct sriov_verdict *v = &c->out.verdict[i];

		if (c->low[i].state == LOWERED_IN) {
			if (c->ntuple_off)
				condition(c, i, "ntuple is off on %s and must be switched on first",
					  nic_port_name(&c->port));
			shadow_condition(c, i);
			others_condition(c, i, taken);
			if (v->n)
				entry_conditions(c, i);
			continue;
		}
		if (v->elsewhere) {
			condition(c, i,
				  "carried out on the bridge that its guest is on, not by the NIC");
			continue;
		}
		if (c->nneighbours++ < TOLD_MAX)
			find_nearest(c, i);
	}
	return 0;
}

int compile_error(const struct compiler *c, size_t i)
{
	const struct sriov_verdict *v = &c->out.verdict[i];
	char name[96], object[96];

	snprintf(object, sizeof(object), "%.40s%s%.40s on %.20s", c->rules->file,
		 c->rules->file[0] ? ": " : "", compile_rule_name(c->rules, i, name),
		 nic_port_name(&c->port));
	sriov_error_set(c->err, -ENOTSUP, object, "%s%s%s", v->why, v->other[0] ? "\n  " : "",
			v->other);
	if (v->hint[0])
		sriov_error_hint(c->err, "%s", v->hint);
	return -ENOTSUP;
}
