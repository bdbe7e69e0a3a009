/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists of rules for the compiler's bench, by name and length and always the same: what operators write, and
 * what is made to hurt a compiler in which the first match wins.
 */
#ifndef COMPILE_LISTS_H
#define COMPILE_LISTS_H

#include <sriov/flow.h>
#include <sriov/host.h>

#include <string.h>

/* Scrambles a number, so that lists are neither sorted nor random. */
static inline uint32_t scramble(uint32_t i)
{
	i *= 0x9e3779b1u;
	return (i ^ i >> 15) * 0x85ebca6bu;
}

static inline void set_ip(uint8_t value[16], uint8_t mask[16], uint32_t ip, unsigned prefix)
{
	uint32_t m = prefix ? UINT32_MAX << (32 - prefix) : 0;

	for (unsigned i = 0; i < 4; i++) {
		value[i] = (ip & m) >> (24 - 8 * i);
		mask[i] = m >> (24 - 8 * i);
	}
}

static inline void set_src(struct sriov_rule *rule, uint32_t ip, unsigned prefix)
{
	set_ip(rule->value.src_ip, rule->mask.src_ip, ip, prefix);
}

static inline void set_dst(struct sriov_rule *rule, uint32_t ip, unsigned prefix)
{
	set_ip(rule->value.dst_ip, rule->mask.dst_ip, ip, prefix);
}

static inline void set_port(struct sriov_rule *rule, unsigned first, unsigned last)
{
	rule->value.dst_port = first;
	rule->mask.dst_port = 0xffff;
	rule->dst_port_last = last == first ? 0 : last;
}

/* Rule @i of @n; it is udp4 to a queue when it comes here. */
typedef void list_rule(struct sriov_rule *rule, uint32_t i, uint32_t n);

/* A service on each of many addresses. */
static inline void list_hosts(struct sriov_rule *rule, uint32_t i, uint32_t n)
{
	set_dst(rule, 0x0a000000 + i, 32);
	set_port(rule, 4789, 4789);
}

/* An edge firewall: senders to drop, a few that are let through before their net is dropped, repeats. */
static inline void list_edge(struct sriov_rule *rule, uint32_t i, uint32_t n)
{
	uint32_t ip = 0xc6120000 + (scramble(i) % (4 * n)) * 2;

	rule->action.kind = i % 16 ? SRIOV_ACTION_DROP : SRIOV_ACTION_QUEUE;
	set_src(rule, ip, 32);
	if (i % 32 == 1)
		set_src(rule, 0xc6120000 + (scramble(i - 1) % (4 * n)) * 2, 31);
}

/* 25 prefixes inside each other around each of many addresses, the longest first or last. */
static inline void list_nested_up(struct sriov_rule *rule, uint32_t i, uint32_t n)
{
	set_dst(rule, scramble(i / 25), 32 - i % 25);
}

static inline void list_nested_down(struct sriov_rule *rule, uint32_t i, uint32_t n)
{
	set_dst(rule, scramble(i / 25), 8 + i % 25);
}

/* All prefixes around one address lie inside each other, and then again those around the next. */
static inline void list_nested_turns(struct sriov_rule *rule, uint32_t i, uint32_t n)
{
	uint32_t rounds = n / 25 + 1;

	set_dst(rule, 0x0a000000 + scramble(i % rounds) % 4096, 32 - i / rounds % 25);
}

/* Two dimensions: what is narrow in one is wide in the other, so that each crosses all before it. */
static inline void list_crossed(struct sriov_rule *rule, uint32_t i, uint32_t n)
{
	set_src(rule, scramble(i / 25), 8 + i % 25);
	set_dst(rule, scramble(i / 25 + 7), 32 - i % 25);
}

/* Two dimensions nested in both: every length of the one with every length of the other. */
static inline void list_nested_twice(struct sriov_rule *rule, uint32_t i, uint32_t n)
{
	set_src(rule, scramble(i / 625), 32 - i % 25);
	set_dst(rule, scramble(i / 625 + 7), 32 - i / 25 % 25);
}

/* Ranges inside each other, 500 for each address: each is two pieces left and right of those before. */
static inline void list_ranges_up(struct sriov_rule *rule, uint32_t i, uint32_t n)
{
	unsigned k = i % 500;

	set_dst(rule, 0x0a000000 + i / 500, 32);
	set_port(rule, 32700 - 3 * k, 32800 + 5 * k);
}

static inline void list_ranges_down(struct sriov_rule *rule, uint32_t i, uint32_t n)
{
	list_ranges_up(rule, i - i % 500 + 499 - i % 500, n);
}

/* Ranges that overlap like tiles. */
static inline void list_ranges_tiled(struct sriov_rule *rule, uint32_t i, uint32_t n)
{
	unsigned first = 1 + scramble(i) % 60000;

	set_port(rule, first, first + 1 + scramble(i + n) % 5000);
}

/* Exceptions, and at the end the net that they are taken out of. */
static inline void list_exceptions(struct sriov_rule *rule, uint32_t i, uint32_t n)
{
	if (i + 1 < n)
		set_dst(rule, 0x0a000000 + scramble(i) % (1u << 24), 32);
	else
		set_dst(rule, 0x0a000000, 8);
}

/* The net first, so that all others are never reached. */
static inline void list_shadowed(struct sriov_rule *rule, uint32_t i, uint32_t n)
{
	list_exceptions(rule, n - 1 - i, n);
}

/* One rule over and over, each time with another action. */
static inline void list_same(struct sriov_rule *rule, uint32_t i, uint32_t n)
{
	set_dst(rule, 0x0a000007, 32);
	set_port(rule, 53, 53);
}

/* No two neighbours match the same fields. */
static inline void list_fields(struct sriov_rule *rule, uint32_t i, uint32_t n)
{
	unsigned fields = 1 + i % 15;

	if (fields & 1)
		set_src(rule, scramble(i), 32);
	if (fields & 2)
		set_dst(rule, scramble(i + n), 32);
	if (fields & 4)
		set_port(rule, 1 + scramble(i + 2 * n) % 60000, 1 + scramble(i + 2 * n) % 60000);
	if (fields & 8) {
		rule->value.src_port = 1 + scramble(i + 3 * n) % 60000;
		rule->mask.src_port = 0xffff;
	}
}

/* A mask of its own for each rule, of any bits: as many masks as rules, and more joins. */
static inline void list_masks(struct sriov_rule *rule, uint32_t i, uint32_t n)
{
	uint32_t mask = scramble(i) | 0xff000000, ip = scramble(i + n);

	for (unsigned k = 0; k < 4; k++) {
		rule->mask.dst_ip[k] = mask >> (24 - 8 * k);
		rule->value.dst_ip[k] = (ip & mask) >> (24 - 8 * k);
	}
}

/* Each spread over four queues: four entries, told apart by the source port. */
static inline void list_spread(struct sriov_rule *rule, uint32_t i, uint32_t n)
{
	list_hosts(rule, i, n);
	rule->action = (struct sriov_action){.kind = SRIOV_ACTION_QUEUES, .queue_last = 3};
}

/* Any L4 protocol. */
static inline void list_any(struct sriov_rule *rule, uint32_t i, uint32_t n)
{
	rule->type = SRIOV_FLOW_IP4;
	set_src(rule, 0x0a000000 + scramble(i) % (8 * n), 32);
}

/* All flow types, and each flow type inside the last one, which is any. */
static inline void list_types(struct sriov_rule *rule, uint32_t i, uint32_t n)
{
	static const enum sriov_flow_type types[] = {SRIOV_FLOW_TCP4, SRIOV_FLOW_UDP4,
						     SRIOV_FLOW_SCTP4, SRIOV_FLOW_IP4};

	rule->type = types[i % 4];
	set_src(rule, 0x0a000000 + i / 4, 32);
}

/* Optional rules of all kinds, of which only some can be had at once. */
static inline void list_optional(struct sriov_rule *rule, uint32_t i, uint32_t n)
{
	static list_rule *const kinds[] = {list_hosts, list_fields, list_nested_up,
					   list_ranges_tiled, list_masks};

	kinds[scramble(i) % 5](rule, i, n);
	rule->optional = true;
	rule->weight = 1 + scramble(i + 1) % 100;
}

/* Optional hosts before a few wide rules that must be in hardware. */
static inline void list_optional_first(struct sriov_rule *rule, uint32_t i, uint32_t n)
{
	list_hosts(rule, i, n);
	rule->optional = i % 10 != 9;
	rule->weight = 1 + scramble(i) % 7;
}

static const struct list_kind {
	const char *name;
	list_rule *fill;
	bool partial; /* it is compiled with opts.partial */
} list_kinds[] = {
	{"hosts", list_hosts},
	{"edge", list_edge},
	{"nested-up", list_nested_up},
	{"nested-down", list_nested_down},
	{"nested-turns", list_nested_turns},
	{"crossed", list_crossed},
	{"nested-twice", list_nested_twice},
	{"ranges-up", list_ranges_up},
	{"ranges-down", list_ranges_down},
	{"ranges-tiled", list_ranges_tiled},
	{"exceptions", list_exceptions},
	{"shadowed", list_shadowed},
	{"same", list_same},
	{"fields", list_fields},
	{"masks", list_masks},
	{"spread", list_spread},
	{"any", list_any},
	{"types", list_types},
	{"optional", list_optional, true},
	{"optional-first", list_optional_first, true},
};

static inline const struct list_kind *list_kind_find(const char *name)
{
	for (size_t i = 0; i < sizeof(list_kinds) / sizeof(*list_kinds); i++)
		if (!strcmp(list_kinds[i].name, name))
			return &list_kinds[i];
	return NULL;
}

/* Fills @rule, of @n. */
static inline void list_fill(const struct list_kind *kind, struct sriov_rule *rule, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		rule[i] = (struct sriov_rule){
			.type = SRIOV_FLOW_UDP4,
			.action = {.kind = SRIOV_ACTION_QUEUE, .queue = i % 4},
			.weight = 1,
			.loc = -1,
			.line = i + 1,
		};
		kind->fill(&rule[i], i, n);
	}
}

#endif
