/* SPDX-License-Identifier: Apache-2.0 */
/* Rules and entries as words; the reverse of parse.c. */
#include "flows/rule.h"
#include "flows/words.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <string.h>

int mask_prefix(const uint8_t *mask, size_t size)
{
	size_t whole = 0;
	uint8_t rest;

	while (whole < size && mask[whole] == 0xff)
		whole++;
	for (size_t i = whole + 1; i < size; i++)
		if (mask[i])
			return -1;
	/* the bits that are clear in the byte where it ends are its lowest: one less than a power of two */
	rest = whole < size ? ~mask[whole] : 0xff;
	if (rest & (rest + 1))
		return -1;
	return 8 * whole + 8 - __builtin_popcount(rest);
}

static void print_ip(struct text *text, const struct flow_field *f, const uint8_t *value,
		     const uint8_t *mask)
{
	int family = f->kind == KIND_IP4 ? AF_INET : AF_INET6;
	int length = mask_prefix(mask, f->size);
	char buf[INET6_ADDRSTRLEN];
	uint8_t inverse[16];

	text_put(text, " ");
	text_put(text, f->word);
	text_put(text, " ");
	text_put(text, inet_ntop(family, value, buf, sizeof(buf)));
	if (length == f->size * 8)
		return;
	if (length >= 0) {
		text_add(text, "/%d", length);
		return;
	}
	for (size_t i = 0; i < f->size; i++)
		inverse[i] = ~mask[i];
	text_add(text, " m %s", inet_ntop(family, inverse, buf, sizeof(buf)));
}

static void print_mac(struct text *text, const struct flow_field *f, const uint8_t *value,
		      const uint8_t *mask)
{
	uint8_t inverse[6];
	char buf[SRIOV_MAC_LEN];

	text_add(text, " %s %s", f->word, sriov_mac_format(value, buf));
	for (size_t i = 0; i < sizeof(inverse); i++)
		inverse[i] = ~mask[i];
	if (!sriov_mac_is_zero(inverse))
		text_add(text, " m %s", sriov_mac_format(inverse, buf));
}

/* The two halves of a TCI that people mean; other masks are written as masks. */
static bool print_vlan_parts(struct text *text, uint16_t value, uint16_t mask)
{
	if (mask & VLAN_DEI_MASK ||
	    (mask & VLAN_VID_MASK && (mask & VLAN_VID_MASK) != VLAN_VID_MASK) ||
	    (mask & VLAN_PRIO_MASK && (mask & VLAN_PRIO_MASK) != VLAN_PRIO_MASK))
		return false;
	if (mask & VLAN_VID_MASK)
		text_put_number(text, "vid", value & VLAN_VID_MASK);
	if (mask & VLAN_PRIO_MASK)
		text_put_number(text, "prio", value >> VLAN_PRIO_SHIFT);
	return true;
}

static uint64_t number_max(const struct flow_field *f)
{
	return UINT64_MAX >> (64 - 8 * f->size);
}

static void print_number(struct text *text, const struct flow_field *f, uint64_t value,
			 uint64_t mask)
{
	if (f->id == FIELD_VLAN && print_vlan_parts(text, value, mask))
		return;
	if (f->id == FIELD_TCP_FLAGS && mask == TH_SYN && value == TH_SYN) {
		text_add(text, " syn");
		return;
	}
	if (f->hex)
		text_add(text, " %s 0x%" PRIx64, f->word, value);
	else
		text_put_number(text, f->word, value);
	if (mask != number_max(f))
		text_add(text, " m 0x%" PRIx64, ~mask & number_max(f));
}

/* Where the range of a port field ends, 0 = it is none. */
static uint16_t range_last(const struct flow_field *f, const struct sriov_rule *rule)
{
	if (!rule)
		return 0;
	return f->id == FIELD_SRC_PORT   ? rule->src_port_last
	       : f->id == FIELD_DST_PORT ? rule->dst_port_last
					 : 0;
}

/* @rule gives the ranges; NULL: there are none. */
static void print_match(struct text *text, enum sriov_flow_type type,
			const struct sriov_match *value, const struct sriov_match *mask, bool ext,
			const struct sriov_rule *rule)
{
	struct sriov_entry e = {.type = type, .value = *value, .mask = *mask, .ext = ext};

	entry_canonical(&e);
	for (const struct flow_field *f = NULL; (f = flow_field_next(f, type));) {
		if (!flow_field_any(f, &e.mask))
			continue;
		if (f->kind == KIND_NUMBER) {
			print_number(text, f, flow_field_number(f, &e.value),
				     flow_field_number(f, &e.mask));
			if (range_last(f, rule))
				text_add(text, "-%u", range_last(f, rule));
		} else if (f->kind == KIND_MAC) {
			print_mac(text, f, flow_field_at(f, &e.value), flow_field_at(f, &e.mask));
		} else {
			print_ip(text, f, flow_field_at(f, &e.value), flow_field_at(f, &e.mask));
		}
	}
}

void match_print(struct text *text, enum sriov_flow_type type, const struct sriov_match *value,
		 const struct sriov_match *mask, bool ext)
{
	print_match(text, type, value, mask, ext, NULL);
}

void mask_print(struct text *text, enum sriov_flow_type type, const struct sriov_match *mask,
		bool ext)
{
	struct text list = {.at = text->at + text->used, .size = text->size - text->used};
	char buf[INET6_ADDRSTRLEN];

	for (const struct flow_field *f = NULL; (f = flow_field_next(f, type));) {
		uint16_t tci = f->id == FIELD_VLAN ? mask->vlan_tci : 0;

		if (!flow_field_any(f, mask) || (f->ext && !ext))
			continue;
		if (tci == VLAN_VID_MASK || tci == VLAN_PRIO_MASK) {
			text_list(&list, tci == VLAN_VID_MASK ? "vid" : "prio");
		} else if (flow_field_full(f, mask) || f->kind == KIND_MAC) {
			text_list(&list, "%s", f->word);
		} else if (f->kind == KIND_NUMBER) {
			text_list(&list, "%s m 0x%" PRIx64, f->word,
				  ~flow_field_number(f, mask) & number_max(f));
		} else if (mask_prefix(flow_field_at(f, mask), f->size) >= 0) {
			text_list(&list, "%s/%d", f->word,
				  mask_prefix(flow_field_at(f, mask), f->size));
		} else {
			text_list(&list, "%s of bits %s", f->word,
				  inet_ntop(f->kind == KIND_IP4 ? AF_INET : AF_INET6,
					    flow_field_at(f, mask), buf, sizeof(buf)));
		}
	}
	if (!list.used)
		text_add(&list, "nothing");
	text->used += list.used;
	text->full |= list.full;
}

SRIOV_EXPORT int sriov_mask_format(enum sriov_flow_type type, const struct sriov_match *mask,
				   char *buf, size_t size)
{
	struct text text = {.at = buf, .size = size};

	mask_print(&text, type, mask, true);
	return text.full ? -ENOBUFS : 0;
}

/* A range goes up from its port, which has its whole mask. */
static bool range_ok(uint16_t first, uint16_t last, uint16_t mask)
{
	return !last || (last > first && mask == UINT16_MAX && (first || last < UINT16_MAX));
}

static bool action_ok(const struct sriov_action *action)
{
	char near[64];

	switch (action->kind) {
	case SRIOV_ACTION_DROP:
	case SRIOV_ACTION_QUEUE:
		return true;
	case SRIOV_ACTION_QUEUES:
		return action->queue_last > action->queue &&
		       rule_queues_ok(action->queue, action->queue_last, near);
	case SRIOV_ACTION_VF:
		return action->vf <= RULE_VF_MAX;
	case SRIOV_ACTION_GUEST:
		return rule_guest_ok(action->guest);
	default:
		return false;
	}
}

static bool scope_ok(const struct sriov_scope *scope)
{
	switch (scope->kind) {
	case SRIOV_SCOPE_ALL:
	case SRIOV_SCOPE_PF:
		return true;
	case SRIOV_SCOPE_VF:
		return scope->vf <= RULE_VF_MAX;
	case SRIOV_SCOPE_GUEST:
		return rule_guest_ok(scope->guest);
	default:
		return false;
	}
}

bool rule_ok(const struct sriov_rule *rule)
{
	/* a mask on a field that the flow type lacks cannot be said: refused instead of left out */
	return sriov_flow_type_word(rule->type) && !flow_fields_foreign(rule->type, &rule->mask) &&
	       range_ok(rule->value.src_port, rule->src_port_last, rule->mask.src_port) &&
	       range_ok(rule->value.dst_port, rule->dst_port_last, rule->mask.dst_port) &&
	       scope_ok(&rule->scope) && action_ok(&rule->action) &&
	       rule->weight <= RULE_WEIGHT_MAX && rule->loc >= -1 && rule->loc <= RULE_LOC_MAX &&
	       (!rule->name[0] || rule_name_ok(rule->name));
}

static void print_scope(struct text *text, const struct sriov_scope *scope)
{
	if (scope->kind == SRIOV_SCOPE_PF)
		text_add(text, " in pf");
	else if (scope->kind == SRIOV_SCOPE_VF)
		text_put_number(text, "in vf", scope->vf);
	else if (scope->kind == SRIOV_SCOPE_GUEST)
		text_add(text, " in guest %s", scope->guest);
}

static void print_action(struct text *text, const struct sriov_action *action)
{
	bool other = action->kind == SRIOV_ACTION_VF || action->kind == SRIOV_ACTION_GUEST;

	if (action->kind == SRIOV_ACTION_DROP)
		text_put(text, " drop");
	else if (action->kind == SRIOV_ACTION_QUEUES)
		text_add(text, " queues %u-%u", action->queue, action->queue_last);
	else if (action->kind == SRIOV_ACTION_VF)
		text_put_number(text, "vf", action->vf);
	else if (action->kind == SRIOV_ACTION_GUEST)
		text_add(text, " guest %s", action->guest);
	if (action->kind == SRIOV_ACTION_QUEUE || (other && action->queue))
		text_put_number(text, "queue", action->queue);
}

SRIOV_EXPORT int sriov_rule_format(const struct sriov_rule *rule, char *buf, size_t size)
{
	char at[1024];
	struct text text = {.at = at, .size = sizeof(at)};

	if (!rule_ok(rule))
		return -EINVAL;
	if (rule->name[0])
		text_add(&text, "name %s ", rule->name);
	text_put(&text, "flow-type ");
	text_put(&text, sriov_flow_type_word(rule->type));
	print_match(&text, rule->type, &rule->value, &rule->mask, true, rule);
	print_scope(&text, &rule->scope);
	print_action(&text, &rule->action);
	if (rule->weight > 1)
		text_add(&text, " weight %u", rule->weight);
	if (rule->optional)
		text_add(&text, " optional");
	if (rule->loc >= 0)
		text_add(&text, " loc %ld", rule->loc);
	/* half a rule would be another rule: all of it or nothing */
	if (text.full || text.used >= size)
		return -ENOBUFS;
	memcpy(buf, at, text.used + 1);
	return 0;
}

/* For reading only: what does not fit is cut, and said by -ENOBUFS. */
SRIOV_EXPORT int sriov_entry_format(const struct sriov_entry *entry, char *buf, size_t size)
{
	const char *type = sriov_flow_type_word(entry->type);
	uint64_t cookie = entry->cookie;
	struct text text = {.at = buf, .size = size};

	text_put(&text, type ? type : "another flow type");
	if (type)
		match_print(&text, entry->type, &entry->value, &entry->mask, entry->ext);
	if (cookie == SRIOV_COOKIE_DROP)
		text_add(&text, " -> drop");
	else if (cookie >> (COOKIE_VF_SHIFT + 8))
		text_add(&text, " -> action 0x%" PRIx64, cookie);
	else if (COOKIE_VF(cookie))
		text_add(&text, " -> vf %u queue %u", (unsigned)COOKIE_VF(cookie) - 1,
			 COOKIE_QUEUE(cookie));
	else
		text_put_number(&text, "-> queue", COOKIE_QUEUE(cookie));
	return text.full ? -ENOBUFS : 0;
}
