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

/* Member by member: what is not the same here may still say the same. */
static bool is_copy(const struct sriov_rule *a, const struct sriov_rule *b)
{
	return a->type == b->type && a->src_port_last == b->src_port_last &&
	       a->dst_port_last == b->dst_port_last && a->weight == b->weight &&
	       a->optional == b->optional && a->loc == b->loc &&
	       !memcmp(&a->value, &b->value, sizeof(a->value)) &&
	       !memcmp(&a->mask, &b->mask, sizeof(a->mask)) &&
	       !memcmp(&a->action, &b->action, sizeof(a->action)) &&
	       !memcmp(&a->scope, &b->scope, sizeof(a->scope));
}

bool ruleset_same(const struct sriov_rule *old, const struct sriov_rule *new)
{
	char a[RULE_WORDS], b[RULE_WORDS];

	if (is_copy(old, new))
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
	bool used;
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

/* The first of @old that says @words and has given its name to nobody yet. */
static struct said *find_said(struct said *old, size_t n, const char *words)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(old[middle].words, words) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < n && !strcmp(old[low].words, words); low++)
		if (!old[low].used)
			return &old[low];
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

int ruleset_name(struct sriov_rules *list, const struct sriov_rules *old)
{
	_free_ const char **given = calloc(list->n + 1, sizeof(*given));
	char words[RULE_WORDS];
	struct said *said;
	size_t ngiven = 0;

	if (!given)
		return -ENOMEM;
	for (size_t i = 0; i < list->n; i++)
		if (list->at[i].name[0])
			given[ngiven++] = list->at[i].name;
	if (ngiven == list->n)
		return 0;
	said = all_said(old);
	if (!said)
		return -ENOMEM;
	qsort(given, ngiven, sizeof(*given), by_name);
	for (size_t i = 0; i < list->n && old->n; i++) {
		struct sriov_rule *rule = &list->at[i];
		struct said *same;
		const char *name;

		if (rule->name[0])
			continue;
		says(rule, false, words);
		same = find_said(said, old->n, words);
		if (!same)
			continue;
		same->used = true;
		name = same->rule->name;
		if (bsearch(&name, given, ngiven, sizeof(*given), by_name))
			continue; /* the new list gives it to another one */
		core_copy(rule->name, sizeof(rule->name), name);
		if (!rule->owner[0])
			core_copy(rule->owner, sizeof(rule->owner), same->rule->owner);
	}
	free_said(said, old->n);
	return number_rest(list, old);
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
