/* SPDX-License-Identifier: Apache-2.0 */
/* Random rules of every part of the language. */
#ifndef FLOW_RANDOM_H
#define FLOW_RANDOM_H

#include "flows/words.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* xorshift64*, so that a printed seed gives the same rules everywhere */
static uint64_t seed;

static inline uint64_t rnd(uint64_t below)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (seed * 0x2545f4914f6cdd1dull >> 16) % below;
}

static inline void random_bytes(uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		bytes[i] = rnd(256);
}

/* Masks as people write them, and any others. */
static inline void random_field(const struct flow_field *f, struct sriov_rule *rule)
{
	uint8_t value[16], mask[16] = {0};

	random_bytes(value, sizeof(value));
	switch (rnd(4)) {
	case 0:
		return;
	case 1:
		memset(mask, 0xff, sizeof(mask));
		break;
	case 2:
		memset(mask, 0xff, rnd(f->size + 1));
		break;
	default:
		random_bytes(mask, sizeof(mask));
	}
	flow_field_set_bytes(f, &rule->value, value);
	flow_field_set_bytes(f, &rule->mask, mask);
}

/* A name as guests have them, of any bytes that a word can have. */
static inline void random_guest(char out[SRIOV_NAME_LEN])
{
	static const char *const names[] = {"web1", "c0ffee00-1111-4222-8333-444455556666", "queue",
					    "a#b", "\xc3\xbc"};

	strcpy(out, names[rnd(ARRAY_SIZE(names))]);
}

static inline void random_action(struct sriov_action *action)
{
	static const enum sriov_action_kind kinds[] = {SRIOV_ACTION_DROP, SRIOV_ACTION_QUEUE,
						       SRIOV_ACTION_QUEUES, SRIOV_ACTION_VF,
						       SRIOV_ACTION_GUEST};

	action->kind = kinds[rnd(ARRAY_SIZE(kinds))];
	if (action->kind != SRIOV_ACTION_DROP)
		action->queue = rnd(2) ? rnd(128) : rnd(1ull << 31);
	if (action->kind == SRIOV_ACTION_VF)
		action->vf = rnd(255);
	else if (action->kind == SRIOV_ACTION_GUEST)
		random_guest(action->guest);
	else if (action->kind == SRIOV_ACTION_QUEUES)
		action->queue_last = action->queue + (2u << rnd(16)) - 1;
}

static inline void random_scope(struct sriov_scope *scope)
{
	scope->kind = rnd(4);
	if (scope->kind == SRIOV_SCOPE_VF)
		scope->vf = rnd(255);
	else if (scope->kind == SRIOV_SCOPE_GUEST)
		random_guest(scope->guest);
}

/* Some ports become ranges. */
static inline void random_range(uint16_t first, uint16_t mask, uint16_t *last)
{
	if (mask == UINT16_MAX && first && first < UINT16_MAX && rnd(2))
		*last = first + 1 + rnd(UINT16_MAX - first);
}

static inline void random_rule(struct sriov_rule *rule)
{
	static const uint16_t tci_masks[] = {0xffff, 0x0fff, 0xe000, 0xefff};
	struct sriov_entry clean;

	memset(rule, 0, sizeof(*rule));
	rule->type = 1 + rnd(SRIOV_FLOW_TYPES - 1);
	for (const struct flow_field *f = NULL; (f = flow_field_next(f, rule->type));)
		random_field(f, rule);
	if (rnd(2))
		rule->mask.vlan_tci = tci_masks[rnd(4)];
	clean = (struct sriov_entry){
		.type = rule->type, .value = rule->value, .mask = rule->mask, .ext = true};
	entry_canonical(&clean);
	rule->value = clean.value;
	rule->mask = clean.mask;
	random_range(rule->value.src_port, rule->mask.src_port, &rule->src_port_last);
	random_range(rule->value.dst_port, rule->mask.dst_port, &rule->dst_port_last);
	random_action(&rule->action);
	random_scope(&rule->scope);
	rule->weight = rnd(2) ? 1 : 1 + rnd(1000000);
	rule->optional = rnd(2);
	rule->loc = rnd(2) ? -1 : (long)rnd(1ull << 31);
	if (rnd(2))
		snprintf(rule->name, sizeof(rule->name), "r%u", (unsigned)rnd(1000));
}

/* A seed of now, or SRIOV_TEST_SEED; it is printed. */
static inline void random_start(void)
{
	const char *given = getenv("SRIOV_TEST_SEED");

	seed = given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL) << 20 ^ getpid();
	seed |= 1;
	printf("SRIOV_TEST_SEED=0x%llx\n", (unsigned long long)seed);
}

#endif
