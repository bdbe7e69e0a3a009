/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a list that fails to the smallest one that still does: rules go, fields go, ranges and masks become simple,
 * as long as something is wrong with the list; then it is told in words that can be pasted into a file.
 */
#ifndef FLOW_SHRINK_H
#define FLOW_SHRINK_H

#include "tests/unit/flow_packets.h"

struct failure {
	char what[512];
	bool has_packet;
	struct nic_packet packet;
};

/* Compiles the list and checks all of it: true, with @f filled, if something is wrong. */
typedef bool round_fails(struct round *r, struct failure *f);

/* Each makes a rule simpler in one way; false: it is that simple already. */
typedef bool simplify(struct sriov_rule *rule, unsigned how);

static inline bool simpler_marks(struct sriov_rule *rule, unsigned how)
{
	bool any = rule->loc >= 0 || rule->optional || rule->weight > 1;

	rule->loc = -1;
	rule->optional = false;
	rule->weight = 1;
	return any && !how;
}

static inline bool simpler_action(struct sriov_rule *rule, unsigned how)
{
	static const struct sriov_action simple[] = {{.kind = SRIOV_ACTION_DROP},
						     {.kind = SRIOV_ACTION_QUEUE}};

	/* not back from a queue to a drop and so on for ever */
	if (how > 1 || rule->action.kind == SRIOV_ACTION_DROP ||
	    (how == 1 && rule->action.kind == SRIOV_ACTION_QUEUE && !rule->action.queue))
		return false;
	rule->action = simple[how];
	return true;
}

static inline bool simpler_scope(struct sriov_rule *rule, unsigned how)
{
	bool any = rule->scope.kind;

	rule->scope = (struct sriov_scope){0};
	return any && !how;
}

static inline bool simpler_range(struct sriov_rule *rule, unsigned how)
{
	uint16_t *last = how & 1 ? &rule->src_port_last : &rule->dst_port_last;
	uint16_t first = how & 1 ? rule->value.src_port : rule->value.dst_port;

	if (how > 5 || !*last || (how > 1 && *last - first < 2))
		return false;
	*last = how < 2 ? 0 : how < 4 ? first + (*last - first) / 2 : *last - 1;
	return true;
}

static inline void drop_last_bit(uint8_t *mask, size_t size)
{
	size_t i = size;

	while (i && !mask[i - 1])
		i--;
	if (i)
		mask[i - 1] &= mask[i - 1] - 1;
}

/* A field goes, or what is matched in part is matched whole, or by one bit less. */
static inline bool simpler_field(struct sriov_rule *rule, unsigned how)
{
	const struct flow_field *f = flow_field_of(rule->type, how / 3);
	uint16_t *last;
	uint8_t mask[16];

	if (how >= 3 * FIELDS || !f || !flow_field_any(f, &rule->mask))
		return false;
	if (how % 3 && flow_field_full(f, &rule->mask))
		return false;
	last = f->id == FIELD_SRC_PORT   ? &rule->src_port_last
	       : f->id == FIELD_DST_PORT ? &rule->dst_port_last
					 : NULL;
	if (last && !(how % 3))
		*last = 0;
	if (how % 3 < 2) {
		flow_field_fill(f, &rule->mask, how % 3 ? 0xff : 0);
	} else if (f->kind == KIND_NUMBER) {
		uint64_t bits = flow_field_number(f, &rule->mask);

		flow_field_set_number(f, &rule->mask, bits & (bits - 1));
	} else {
		memcpy(mask, flow_field_at(f, &rule->mask), f->size);
		drop_last_bit(mask, f->size);
		flow_field_set_bytes(f, &rule->mask, mask);
	}
	for (size_t i = 0; i < sizeof(rule->value); i++)
		((uint8_t *)&rule->value)[i] &= ((uint8_t *)&rule->mask)[i];
	return true;
}

static simplify *const simplifications[] = {simpler_marks, simpler_action, simpler_scope,
					    simpler_range, simpler_field};
#define SIMPLER_HOWS (3 * FIELDS)

static inline bool still_fails(struct round *r, const struct round *tried, struct failure *f,
			       round_fails *fails)
{
	struct round candidate = *tried;
	struct failure found = *f;

	round_seed(&candidate, r->seed);
	if (!fails(&candidate, &found))
		return false;
	candidate.port.nrules = 0;
	*r = candidate;
	*f = found;
	return true;
}

static inline bool drop_rules(struct round *r, struct failure *f, round_fails *fails)
{
	bool any = false;

	for (size_t size = r->rules.n; size; size /= 2)
		for (size_t i = 0; i + size <= r->rules.n && r->rules.n > 1;) {
			struct round without = *r;

			memmove(&without.rule[i], &without.rule[i + size],
				(r->rules.n - i - size) * sizeof(*r->rule));
			without.rules.n -= size;
			if (without.rules.n && still_fails(r, &without, f, fails))
				any = true;
			else
				i++;
		}
	return any;
}

static inline bool drop_planted(struct round *r, struct failure *f, round_fails *fails)
{
	bool any = false;

	for (size_t i = 0; i < r->nplanted;) {
		struct round without = *r;

		memmove(&without.planted[i], &without.planted[i + 1],
			(r->nplanted - i - 1) * sizeof(*r->planted));
		without.nplanted--;
		if (still_fails(r, &without, f, fails))
			any = true;
		else
			i++;
	}
	if (r->partial) {
		struct round whole = *r;

		whole.partial = false;
		any |= still_fails(r, &whole, f, fails);
	}
	return any;
}

static inline bool simplify_rules(struct round *r, struct failure *f, round_fails *fails)
{
	bool any = false;

	for (size_t i = 0; i < r->rules.n; i++)
		for (size_t s = 0; s < ARRAY_SIZE(simplifications); s++)
			for (unsigned how = 0; how < SIMPLER_HOWS;) {
				struct round simpler = *r;

				if (simplifications[s](&simpler.rule[i], how) &&
				    still_fails(r, &simpler, f, fails))
					any = true;
				else
					how++;
			}
	return any;
}

/* Makes the list at @r, which failed as @f says, as small as it gets. */
static inline void shrink(struct round *r, struct failure *f, round_fails *fails)
{
	while (drop_rules(r, f, fails) | drop_planted(r, f, fails) | simplify_rules(r, f, fails))
		;
}

/* The list as a file, with the rest of the story as comments. */
static inline void print_failure(const struct round *r, const struct failure *f)
{
	char text[1024];

	print_message("# %s\n# SRIOV_TEST_SEED=%llu, --nic %s,vfs=%u,queues=%u%s", f->what,
		      (unsigned long long)r->seed, r->nic, r->port.vfs, r->port.queues,
		      r->partial ? " --partial" : "");
	if (r->port.rules_max)
		print_message(" (a table of %u)", r->port.rules_max);
	print_message("\n");
	if (f->has_packet) {
		packet_words(&f->packet, text, sizeof(text));
		print_message("# the packet: %s\n", text);
	}
	for (size_t i = 0; i < r->nplanted; i++) {
		sriov_entry_format(&r->planted[i], text, sizeof(text));
		print_message("# others before: loc %u %s\n", r->planted[i].loc, text);
	}
	for (size_t i = 0; i < r->rules.n; i++)
		print_message("%s\n", sriov_rule_format(&r->rule[i], text, sizeof(text))
					      ? "# (a rule without words)"
					      : text);
}

#endif
