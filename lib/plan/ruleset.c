/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of rules as values. See ruleset.h. */
#include "lib/plan/ruleset.h"
#include "flows/flows.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct sriov_rule *ruleset_named(const struct sriov_rules *list, const char *name)
{
	for (size_t i = 0; i < list->n; i++)
		if (!strcmp(list->at[i].name, name))
			return &list->at[i];
	return NULL;
}

/* What the rule says, without name, owner and place: its words. */
static void says(const struct sriov_rule *rule, bool with_loc, char words[RULE_WORDS])
{
	struct sriov_rule bare = *rule;

	bare.name[0] = '\0';
	if (!with_loc)
		bare.loc = -1;
	if (sriov_rule_format(&bare, words, RULE_WORDS) < 0)
		words[0] = '\0';
}

/* Member by member, but for name, owner and place: what is not the same here may still say the same. */
static bool is_copy(const struct sriov_rule *a, const struct sriov_rule *b)
{
	return a->type == b->type && a->src_port_last == b->src_port_last &&
	       a->dst_port_last == b->dst_port_last && a->weight == b->weight &&
	       a->optional == b->optional && !memcmp(&a->value, &b->value, sizeof(a->value)) &&
	       !memcmp(&a->mask, &b->mask, sizeof(a->mask)) &&
	       !memcmp(&a->action, &b->action, sizeof(a->action)) &&
	       !memcmp(&a->scope, &b->scope, sizeof(a->scope));
}

bool ruleset_same(const struct sriov_rule *old, const struct sriov_rule *new)
{
	char a[RULE_WORDS], b[RULE_WORDS];

	if (old->loc == new->loc && is_copy(old, new))
		return true;
	says(old, new->loc >= 0, a);
	says(new, new->loc >= 0, b);
	return !strcmp(a, b);
}

int ruleset_add(struct sriov_rules *list, const struct sriov_rule *rule)
{
	struct sriov_rule *slot = core_grow(&list->at, &list->n, sizeof(*slot));

	if (!slot)
		return -ENOMEM;
	*slot = *rule;
	return 0;
}

void ruleset_drop(struct sriov_rules *list, size_t i)
{
	list->n--;
	memmove(&list->at[i], &list->at[i + 1], (list->n - i) * sizeof(*list->at));
}

/* A rule and what it says, for finding those that say the same. */
struct said {
	char *words;
	const struct sriov_rule *rule;
};

static int by_words(const void *a, const void *b)
{
	const struct said *x = a, *y = b;
	int order = strcmp(x->words, y->words);

	return order ? order : (x->rule > y->rule) - (x->rule < y->rule);
}

static void free_said(struct said *said, size_t n)
{
	for (size_t i = 0; said && i < n; i++)
		free(said[i].words);
	free(said);
}

static struct said *all_said(const struct sriov_rules *list)
{
	struct said *said = calloc(list->n + 1, sizeof(*said));
	char words[RULE_WORDS];

	for (size_t i = 0; said && i < list->n; i++) {
		says(&list->at[i], false, words);
		said[i] = (struct said){.words = strdup(words), .rule = &list->at[i]};
		if (!said[i].words) {
			free_said(said, i);
			return NULL;
		}
	}
	if (said && list->n)
		qsort(said, list->n, sizeof(*said), by_words);
	return said;
}

/* The first of @list, which @said is in order, that says @words and has given its name to nobody yet; or NULL. */
static const struct sriov_rule *find_said(const struct said *said, const struct sriov_rules *list,
					  const bool *used, const char *words)
{
	size_t low = 0, high = list->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(said[middle].words, words) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < list->n && !strcmp(said[low].words, words); low++)
		if (!used[said[low].rule - list->at])
			return said[low].rule;
	return NULL;
}

/* Numbers that "rule-N" names of @list have, into a set of @size. */
static void mark_numbers(const struct sriov_rules *list, bool *taken, size_t size)
{
	for (size_t i = 0; i < list->n; i++) {
		uint64_t number;

		if (!strncmp(list->at[i].name, "rule-", 5) &&
		    !core_number(list->at[i].name + 5, 1, size - 1, &number))
			taken[number] = true;
	}
}

static int number_rest(struct sriov_rules *list, const struct sriov_rules *old)
{
	size_t size = list->n + old->n + 2, next = 1;
	_free_ bool *taken = calloc(size, sizeof(*taken));

	if (!taken)
		return -ENOMEM;
	mark_numbers(list, taken, size);
	mark_numbers(old, taken, size);
	for (size_t i = 0; i < list->n; i++) {
		if (list->at[i].name[0])
			continue;
		while (taken[next])
			next++;
		snprintf(list->at[i].name, sizeof(list->at[i].name), "rule-%zu", next++);
	}
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names that a list gives by itself, in order. */
struct given {
	const char **name;
	size_t n;
};

static void take_name(struct sriov_rule *rule, const struct sriov_rule *same,
		      const struct given *given)
{
	const char *name = same->name;

	if (bsearch(&name, given->name, given->n, sizeof(*given->name), by_name))
		return; /* the new list gives it to another one */
	core_copy(rule->name, sizeof(rule->name), name);
	if (!rule->owner[0])
		core_copy(rule->owner, sizeof(rule->owner), same->owner);
}

/* As far as they stand in the order of @old, as mostly all do. Returns where that ends. */
static size_t name_copies(struct sriov_rules *list, const struct sriov_rules *old, bool *used,
			  const struct given *given)
{
	size_t k = 0;

	for (size_t i = 0; i < list->n; i++) {
		if (list->at[i].name[0])
			continue;
		while (k < old->n && !is_copy(&old->at[k], &list->at[i]))
			k++;
		if (k == old->n)
			return i;
		used[k] = true;
		take_name(&list->at[i], &old->at[k++], given);
	}
	return list->n;
}

/* From @first on, by what they say: to put that in words takes long. */
static int name_said(struct sriov_rules *list, size_t first, const struct sriov_rules *old,
		     bool *used, const struct given *given)
{
	struct said *said = all_said(old);
	char words[RULE_WORDS];

	if (!said)
		return -ENOMEM;
	for (size_t i = first; i < list->n; i++) {
		const struct sriov_rule *same;

		if (list->at[i].name[0])
			continue;
		says(&list->at[i], false, words);
		same = find_said(said, old, used, words);
		if (!same)
			continue;
		used[same - old->at] = true;
		take_name(&list->at[i], same, given);
	}
	free_said(said, old->n);
	return 0;
}

int ruleset_name(struct sriov_rules *list, const struct sriov_rules *old)
{
	_free_ const char **names = calloc(list->n + 1, sizeof(*names));
	_free_ bool *used = calloc(old->n + 1, sizeof(*used));
	struct given given = {.name = names};
	size_t named;
	int r = 0;

	if (!names || !used)
		return -ENOMEM;
	for (size_t i = 0; i < list->n; i++)
		if (list->at[i].name[0])
			names[given.n++] = list->at[i].name;
	if (given.n == list->n)
		return 0;
	qsort(names, given.n, sizeof(*names), by_name);
	named = name_copies(list, old, used, &given);
	if (named < list->n && old->n)
		r = name_said(list, named, old, used, &given);
	return r ? r : number_rest(list, old);
}

/* ---- records of before there were lists ---- */

void ruleset_of_entry(const struct sriov_entry *entry, struct sriov_rule *out)
{
	bool drop = entry->cookie == SRIOV_COOKIE_DROP;
	unsigned vf = drop ? 0 : entry->cookie >> 32 & 0xff;

	*out = (struct sriov_rule){
		.type = entry->type,
		.value = entry->value,
		.mask = entry->mask,
		.weight = 1,
		.loc = -1,
		.action = {.kind = drop ? SRIOV_ACTION_DROP
				   : vf ? SRIOV_ACTION_VF
					: SRIOV_ACTION_QUEUE,
			   .vf = vf ? vf - 1 : 0,
			   .queue = drop ? 0 : (uint32_t)entry->cookie},
	};
}

/* `ip4` and `ip6` were the only rules of several entries, of which one has that type: it speaks for all. */
static bool is_whole(enum sriov_flow_type type)
{
	return type == SRIOV_FLOW_IP4 || type == SRIOV_FLOW_IP6 || type == SRIOV_FLOW_IP4_OTHER ||
	       type == SRIOV_FLOW_IP6_OTHER;
}

static void widen(struct sriov_rule *rule)
{
	if (rule->type == SRIOV_FLOW_IP4_OTHER)
		rule->type = SRIOV_FLOW_IP4;
	else if (rule->type == SRIOV_FLOW_IP6_OTHER)
		rule->type = SRIOV_FLOW_IP6;
}

int ruleset_derive(struct pf_state *state)
{
	struct sriov_rules list = {0};

	for (size_t i = 0; i < state->nrules; i++) {
		struct sriov_rule rule, *same;

		if (!state->rule[i].present)
			continue;
		ruleset_of_entry(&state->rule[i].entry, &rule);
		core_copy(rule.name, sizeof(rule.name), state->rule[i].name);
		core_copy(rule.owner, sizeof(rule.owner), state->rule[i].owner);
		same = ruleset_named(&list, rule.name);
		if (!same) {
			if (ruleset_add(&list, &rule) < 0) {
				sriov_rules_clear(&list);
				return -ENOMEM;
			}
		} else if (is_whole(rule.type)) {
			*same = rule;
			widen(same);
		} else {
			widen(same);
		}
	}
	sriov_rules_clear(&state->list);
	state->list = list;
	if (list.n)
		state->has |= STATE_LIST;
	return 0;
}
