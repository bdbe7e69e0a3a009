/* SPDX-License-Identifier: Apache-2.0 */
/* i40e's model: its hidden state as JSON, and what packets meet. */
#include "flows/nic/i40e_model.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <string.h>

#define INSET_MAX ((UINT64_C(1) << 56) - 1)

static const struct flag {
	const char *key;
	size_t offset;
} flags[] = {
	{"reset_pending", offsetof(struct i40e, reset_pending)},
	{"reset_received", offsetof(struct i40e, reset_received)},
	{"flush_requested", offsetof(struct i40e, flush_requested)},
	{"sb_disabled", offsetof(struct i40e, sb_disabled)},
	{"atr_disabled", offsetof(struct i40e, atr_disabled)},
};

static const struct list {
	const char *key;
	size_t offset;
} lists[] = {
	{"l3", offsetof(struct i40e, l3)},
	{"l4", offsetof(struct i40e, l4)},
	{"hw_l3", offsetof(struct i40e, hw_l3)},
	{"hw_l4", offsetof(struct i40e, hw_l4)},
};

/* Offset and index of one after the other. */
static json_t *write_pits(const struct i40e_pits *pits)
{
	uint64_t numbers[2 * I40E_FLEX_SLOTS];

	for (unsigned i = 0; i < pits->n; i++) {
		numbers[2 * i] = pits->pit[i].offset;
		numbers[2 * i + 1] = pits->pit[i].index;
	}
	return nic_numbers_write(numbers, 2 * (size_t)pits->n);
}

/* {"inset": […], "count": […], "l4": [offset, index, …], "atr_disabled": true, …}; empty parts are left out. */
json_t *i40e_save(const struct nic_model *model)
{
	const struct i40e *nic = (const struct i40e *)model;
	uint64_t count[I40E_COUNTED];
	_json_ json_t *json = json_object();

	for (unsigned i = 0; i < I40E_COUNTED; i++)
		count[i] = nic->count[i];
	if (json_object_set_new(json, "inset", nic_numbers_write(nic->inset, I40E_TYPES)) ||
	    json_object_set_new(json, "count", nic_numbers_write(count, I40E_COUNTED)))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		const struct i40e_pits *pits = (const void *)((const char *)nic + lists[i].offset);

		if (pits->n && json_object_set_new(json, lists[i].key, write_pits(pits)))
			return NULL;
	}
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (*(const bool *)((const char *)nic + flags[i].offset) &&
		    json_object_set_new(json, flags[i].key, json_true()))
			return NULL;
	if ((nic->fd_add_err &&
	     json_object_set_new(json, "fd_add_err", json_integer(nic->fd_add_err))) ||
	    (nic->fd_inv && json_object_set_new(json, "fd_inv", json_integer(nic->fd_inv))))
		return NULL;
	return core_steal(json);
}

static int read_pits(const json_t *hidden, const char *key, struct i40e_pits *out,
		     struct sriov_error *err)
{
	const json_t *array = json_object_get(hidden, key);
	uint64_t numbers[2 * I40E_FLEX_SLOTS];
	size_t n = json_array_size(array);
	int r;

	out->n = 0;
	if (!array)
		return 0;
	if (n % 2 || n > ARRAY_SIZE(numbers))
		return sriov_error_set(err, -EINVAL, "nic",
				       "'%s' is not pairs of offset and index, at most %d", key,
				       I40E_FLEX_SLOTS);
	r = nic_numbers_read(hidden, key, 31, numbers, n, err);
	for (size_t i = 0; !r && i < n; i += 2) {
		if (numbers[i + 1] > 7 || (i && numbers[i] <= numbers[i - 2]))
			return sriov_error_set(err, -EINVAL, "nic",
					       "'%s' has an index above 7, or is not in order of "
					       "offset",
					       key);
		out->pit[out->n++] = (struct i40e_pit){numbers[i], numbers[i + 1]};
	}
	return r;
}

static int read_flags(const json_t *hidden, struct i40e *nic, struct sriov_error *err)
{
	const char *bad = NULL;
	int64_t errors, invalid;

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		*(bool *)((char *)nic + flags[i].offset) = core_json_bool(hidden, flags[i].key,
									  false, &bad);
	errors = core_json_int(hidden, "fd_add_err", 0, &bad);
	invalid = core_json_int(hidden, "fd_inv", 0, &bad);
	if (bad)
		return sriov_error_set(err, -EINVAL, "nic", "'%s' is of the wrong type", bad);
	if (errors < 0 || errors > UINT32_MAX || invalid < 0 || invalid > UINT32_MAX)
		return sriov_error_set(err, -EINVAL, "nic",
				       "'fd_add_err' and 'fd_inv' are numbers of 32 bits");
	nic->fd_add_err = errors;
	nic->fd_inv = invalid;
	return 0;
}

int i40e_restore(struct nic_model *model, const json_t *hidden, struct sriov_error *err)
{
	static const char *const keys[] = {"inset",
					   "count",
					   "l3",
					   "l4",
					   "hw_l3",
					   "hw_l4",
					   "reset_pending",
					   "reset_received",
					   "flush_requested",
					   "sb_disabled",
					   "atr_disabled",
					   "fd_add_err",
					   "fd_inv",
					   NULL};
	struct i40e *nic = (struct i40e *)model;
	uint64_t count[I40E_COUNTED];
	int r = nic_members_check(hidden, keys, err);

	if (!r)
		r = nic_numbers_read(hidden, "inset", INSET_MAX, nic->inset, I40E_TYPES, err);
	if (!r)
		r = nic_numbers_read(hidden, "count", UINT16_MAX, count, I40E_COUNTED, err);
	for (size_t i = 0; !r && i < I40E_COUNTED; i++)
		nic->count[i] = count[i];
	for (size_t i = 0; !r && i < ARRAY_SIZE(lists); i++)
		r = read_pits(hidden, lists[i].key, (void *)((char *)nic + lists[i].offset), err);
	return r ? r : read_flags(hidden, nic, err);
}

/* The packet type that the parser gives; I40E_TYPES: none that rules know. */
static enum i40e_type type_of_packet(const struct nic_packet *p)
{
	bool v6 = p->ethertype == ETH_P_IPV6;

	if (p->ethertype != ETH_P_IP && !v6)
		return I40E_TYPES;
	if (p->fragment)
		return v6 ? I40E_FRAG6 : I40E_FRAG4;
	switch (p->proto) {
	case IPPROTO_TCP:
		return v6 ? I40E_TCP6 : I40E_TCP4;
	case IPPROTO_UDP:
		return v6 ? I40E_UDP6 : I40E_UDP4;
	case IPPROTO_SCTP:
		return v6 ? I40E_SCTP6 : I40E_SCTP4;
	default:
		return v6 ? I40E_IP6 : I40E_IP4;
	}
}

/* ip4 and ip6 rules are programmed for "other" and for fragments. */
static bool type_fits(const struct i40e_rule *rule, enum i40e_type type)
{
	return rule->type == type || (rule->type == I40E_IP4 && type == I40E_FRAG4) ||
	       (rule->type == I40E_IP6 && type == I40E_FRAG6);
}

/* Bit 63 - n of an input set is word n that the parser extracts: @last is that of the address's last word. */
static bool address_fits(uint64_t set, unsigned last, unsigned words, const uint8_t *packet,
			 const uint32_t *rule)
{
	for (unsigned i = 0; i < words; i++)
		if (set >> (last + words - 1 - i) & 1 &&
		    memcmp(packet + 2 * i, (const uint8_t *)rule + 2 * i, 2))
			return false;
	return true;
}

static const struct i40e_pit *pit_of_index(const struct i40e_pits *pits, unsigned index)
{
	for (unsigned i = 0; i < pits->n; i++)
		if (pits->pit[i].index == index)
			return &pits->pit[i];
	return NULL;
}

/*
 * Payload words are those that the parser's tables say now; a rule made under another table has 0 where its
 * word is no longer extracted.
 */
static bool flex_fits(const struct i40e *nic, uint64_t set, const struct i40e_rule *rule,
		      const struct nic_packet *p, bool l3)
{
	const struct i40e_pits *pits = l3 ? &nic->hw_l3 : &nic->hw_l4;
	const uint8_t *payload = l3 ? p->l3_payload : p->l4_payload;

	for (unsigned index = 0; index < 8; index++) {
		const struct i40e_pit *pit = pit_of_index(pits, index);
		unsigned expected = 0;

		if (!(set & I40E_FLEX(index)) || !pit)
			continue;
		if (rule->flex.on && rule->flex.offset / 2 == pit->offset)
			expected = rule->flex.word;
		if ((payload[2 * pit->offset] << 8 | payload[2 * pit->offset + 1]) != (int)expected)
			return false;
	}
	return true;
}

static bool rule_fits(const struct i40e *nic, const struct i40e_rule *rule,
		      const struct nic_packet *p, enum i40e_type type)
{
	bool v6 = p->ethertype == ETH_P_IPV6,
	     l4 = type != I40E_IP4 && type != I40E_IP6 && type != I40E_FRAG4 && type != I40E_FRAG6;
	uint64_t set = nic->inset[type];

	if (!type_fits(rule, type) || (nic->fd_inv && rule->loc == nic->fd_inv))
		return false;
	if (v6 && (!address_fits(set, 43, 8, p->src_ip, rule->addr) ||
		   !address_fits(set, 35, 8, p->dst_ip, rule->addr + 4)))
		return false;
	if (!v6 && (!address_fits(set, 47, 2, p->src_ip, rule->addr) ||
		    !address_fits(set, 35, 2, p->dst_ip, rule->addr + 1)))
		return false;
	if (l4 && ((set & I40E_L4_SRC && htons(p->src_port) != rule->src_port) ||
		   (set & I40E_L4_DST && htons(p->dst_port) != rule->dst_port)))
		return false;
	if (set & I40E_VLAN && htons(p->tagged ? p->tci : 0) != rule->vlan)
		return false;
	return flex_fits(nic, set, rule, p, !l4);
}

/* A drop is for every packet of the port; a queue only for those that the switch gave to the rule's VSI. */
bool i40e_match(const struct nic_model *model, const struct nic_packet *packet, struct nic_hit *out)
{
	const struct i40e *nic = (const struct i40e *)model;
	enum i40e_type type = type_of_packet(packet);
	unsigned vsi = packet->vf < 0 ? I40E_VSI_PF : I40E_VSI_VF + (unsigned)packet->vf;

	for (size_t i = 0; type != I40E_TYPES && i < model->n; i++) {
		const struct i40e_rule *rule = nic_rules_at(model, i);

		if ((!rule->drop && rule->vsi != vsi) || !rule_fits(nic, rule, packet, type))
			continue;
		*out = (struct nic_hit){.loc = rule->loc, .drop = rule->drop, .vf = -1};
		if (!rule->drop) {
			out->vf = packet->vf;
			out->queue = rule->queue;
		}
		return true;
	}
	return false;
}
