/* SPDX-License-Identifier: Apache-2.0 */
/* Entries compared by what they match and do. */
#include "flows/words.h"

#include <string.h>

/* A field of the flow type that does not count in this entry. */
static bool field_off(const struct flow_field *field, const struct sriov_entry *entry)
{
	return field->ext && !entry->ext;
}

void entry_canonical(struct sriov_entry *entry)
{
	struct sriov_entry clean = {
		.loc = entry->loc, .type = entry->type, .cookie = entry->cookie};

	for (const struct flow_field *f = NULL; (f = flow_field_next(f, entry->type));) {
		uint8_t value[sizeof(clean.value.src_ip)];
		const uint8_t *mask = flow_field_at(f, &entry->mask);

		if (field_off(f, entry) || !flow_field_any(f, &entry->mask))
			continue;
		for (size_t i = 0; i < f->size; i++)
			value[i] = flow_field_at(f, &entry->value)[i] & mask[i];
		flow_field_set_bytes(f, &clean.value, value);
		flow_field_set_bytes(f, &clean.mask, mask);
		clean.ext |= f->ext;
	}
	*entry = clean;
}

bool entry_same_match(const struct sriov_entry *a, const struct sriov_entry *b)
{
	if (a->type != b->type || !sriov_flow_type_word(a->type))
		return false;
	for (const struct flow_field *f = NULL; (f = flow_field_next(f, a->type));) {
		for (size_t i = 0; i < f->size; i++) {
			uint8_t ma = field_off(f, a) ? 0 : flow_field_at(f, &a->mask)[i];
			uint8_t mb = field_off(f, b) ? 0 : flow_field_at(f, &b->mask)[i];

			if (ma != mb ||
			    (flow_field_at(f, &a->value)[i] ^ flow_field_at(f, &b->value)[i]) & ma)
				return false;
		}
	}
	return true;
}

bool entry_overlaps(const struct sriov_entry *a, const struct sriov_entry *b)
{
	if (a->type != b->type || !sriov_flow_type_word(a->type))
		return false;
	for (const struct flow_field *f = NULL; (f = flow_field_next(f, a->type));) {
		if (field_off(f, a) || field_off(f, b))
			continue;
		for (size_t i = 0; i < f->size; i++) {
			uint8_t both = flow_field_at(f, &a->mask)[i] &
				       flow_field_at(f, &b->mask)[i];

			if ((flow_field_at(f, &a->value)[i] ^ flow_field_at(f, &b->value)[i]) &
			    both)
				return false;
		}
	}
	return true;
}

SRIOV_EXPORT bool sriov_entry_same(const struct sriov_entry *a, const struct sriov_entry *b)
{
	if (a->cookie != b->cookie)
		return false;
	/*
	 * What an entry of an unknown flow type matches is not known. One that still stands where
	 * it stood and still acts the same counts as untouched, so that nobody "repairs" a rule
	 * that we cannot read.
	 */
	if (a->type == SRIOV_FLOW_NONE && b->type == SRIOV_FLOW_NONE)
		return a->loc == b->loc;
	return entry_same_match(a, b);
}

uint64_t action_cookie(const struct sriov_action *action)
{
	switch (action->kind) {
	case SRIOV_ACTION_VF:
		return ((uint64_t)action->vf + 1) << COOKIE_VF_SHIFT | action->queue;
	case SRIOV_ACTION_QUEUE:
	case SRIOV_ACTION_QUEUES: /* the first of them */
		return action->queue;
	case SRIOV_ACTION_DROP:
	default:
		return SRIOV_COOKIE_DROP;
	}
}

const char *cookie_action(uint64_t cookie, struct sriov_action *out)
{
	*out = (struct sriov_action){.kind = SRIOV_ACTION_DROP};
	if (cookie == SRIOV_COOKIE_DROP)
		return NULL;
	if (cookie == COOKIE_WAKE)
		return "no driver that we know wakes the host for a rule";
	if (cookie >> (COOKIE_VF_SHIFT + 8))
		return "bits 40 to 63 of this action mean nothing and drivers ignore them";
	out->kind = COOKIE_VF(cookie) ? SRIOV_ACTION_VF : SRIOV_ACTION_QUEUE;
	out->vf = COOKIE_VF(cookie) ? COOKIE_VF(cookie) - 1 : 0;
	out->queue = COOKIE_QUEUE(cookie);
	return NULL;
}
