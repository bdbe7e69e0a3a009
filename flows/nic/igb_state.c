/* SPDX-License-Identifier: Apache-2.0 */
/* igb's model: its hidden state as JSON, and what packets meet. */
#include "flows/nic/igb_model.h"

#include <errno.h>
#include <string.h>

/* A MAC slot in use as numbers: its position, whether it is for sources, queue, address. */
#define MAC_NUMBERS 4

static size_t list_macs(const struct igb *nic, uint64_t out[MAC_NUMBERS * IGB_MAC_SLOTS])
{
	size_t n = 0;

	for (unsigned i = 0; i < IGB_MAC_SLOTS; i++) {
		const struct igb_mac *slot = &nic->mac[i];
		uint64_t address = 0;

		if (!slot->used || slot->own)
			continue;
		for (unsigned k = 0; k < 6; k++)
			address = address << 8 | slot->mac[k];
		out[n++] = i;
		out[n++] = slot->source;
		out[n++] = slot->queue;
		out[n++] = address;
	}
	return n;
}

/*
 * {"etype": [used, type, queue, …], "mac": […], "vlapqf": N, "slot": the EtherType slot of each rule}
 */
json_t *igb_save(const struct nic_model *model)
{
	const struct igb *nic = (const struct igb *)model;
	uint64_t etype[3 * IGB_ETYPE_SLOTS], mac[MAC_NUMBERS * IGB_MAC_SLOTS];
	uint64_t slots[IGB_TABLE_SIZE];
	size_t nmac = list_macs(nic, mac), n = 0;

	for (unsigned i = 0; i < IGB_ETYPE_SLOTS; i++) {
		etype[3 * i] = nic->etype_used[i];
		etype[3 * i + 1] = nic->etqf[i].etype;
		etype[3 * i + 2] = nic->etqf[i].queue;
	}
	for (; n < model->n; n++)
		slots[n] = ((struct igb_rule *)nic_rules_at(model, n))->etype_slot;
	return json_pack("{s:o, s:o, s:I, s:o}", "etype",
			 nic_numbers_write(etype, ARRAY_SIZE(etype)), "mac",
			 nic_numbers_write(mac, nmac), "vlapqf", (json_int_t)nic->vlapqf, "slot",
			 nic_numbers_write(slots, n));
}

static int read_macs(const json_t *hidden, struct igb *nic, struct sriov_error *err)
{
	size_t n = json_array_size(json_object_get(hidden, "mac"));
	uint64_t mac[MAC_NUMBERS * IGB_MAC_SLOTS];
	int r;

	if (n % MAC_NUMBERS || n > ARRAY_SIZE(mac))
		return sriov_error_set(err, -EINVAL, "nic",
				       "'mac' is not slots of %d numbers, at "
				       "most %d",
				       MAC_NUMBERS, IGB_MAC_SLOTS);
	r = nic_numbers_read(hidden, "mac", (UINT64_C(1) << 48) - 1, mac, n, err);
	for (unsigned i = 0; !r && i < IGB_MAC_SLOTS; i++)
		if (!nic->mac[i].own)
			nic->mac[i] = (struct igb_mac){0};
	for (size_t i = 0; !r && i < n; i += MAC_NUMBERS) {
		struct igb_mac *slot = &nic->mac[mac[i] % IGB_MAC_SLOTS];

		if (mac[i] >= IGB_MAC_SLOTS || slot->used || mac[i + 1] > 1 ||
		    mac[i + 2] > UINT8_MAX)
			return sriov_error_set(
				err, -EINVAL, "nic",
				"'mac[%zu]' begins a slot that is taken or out of range", i);
		*slot = (struct igb_mac){.used = true, .source = mac[i + 1], .queue = mac[i + 2]};
		for (unsigned k = 0; k < 6; k++)
			slot->mac[k] = mac[i + 3] >> 8 * (5 - k);
	}
	return r;
}

int igb_restore(struct nic_model *model, const json_t *hidden, struct sriov_error *err)
{
	static const char *const keys[] = {"etype", "mac", "vlapqf", "slot", NULL};
	uint64_t etype[3 * IGB_ETYPE_SLOTS], slots[IGB_TABLE_SIZE];
	const json_t *vlapqf = json_object_get(hidden, "vlapqf");
	struct igb *nic = (struct igb *)model;
	int r = nic_members_check(hidden, keys, err);

	if (!r)
		r = nic_numbers_read(hidden, "etype", UINT16_MAX, etype, ARRAY_SIZE(etype), err);
	if (!r)
		r = read_macs(hidden, nic, err);
	if (!r)
		r = nic_numbers_read(hidden, "slot", IGB_ETYPE_SLOTS - 1, slots, model->n, err);
	if (!r && (!json_is_integer(vlapqf) || json_integer_value(vlapqf) < 0 ||
		   json_integer_value(vlapqf) > UINT32_MAX))
		r = sriov_error_set(err, -EINVAL, "nic", "'vlapqf' is not a number of 32 bits");
	if (r)
		return r;
	for (unsigned i = 0; i < IGB_ETYPE_SLOTS; i++) {
		nic->etype_used[i] = etype[3 * i];
		nic->etqf[i] = (struct igb_etqf){etype[3 * i + 1], etype[3 * i + 2]};
	}
	nic->vlapqf = json_integer_value(vlapqf);
	for (size_t i = 0; i < model->n; i++)
		((struct igb_rule *)nic_rules_at(model, i))->etype_slot = slots[i];
	return 0;
}

static const struct igb_mac *find_mac(const struct igb *nic, const uint8_t mac[6], bool source)
{
	for (unsigned i = 0; i < IGB_MAC_SLOTS; i++)
		if (nic->mac[i].used && !nic->mac[i].own && nic->mac[i].source == source &&
		    !memcmp(nic->mac[i].mac, mac, 6))
			return &nic->mac[i];
	return NULL;
}

/*
 * The filters that catch a packet, each on its own, and the queue that stands in each: of an address and of a
 * priority that is the last rule's that asked for it.
 */
static unsigned caught_by(const struct igb *nic, const struct nic_packet *p, int queue[4])
{
	const struct igb_mac *dst = find_mac(nic, p->dst_mac, false);
	const struct igb_mac *src = find_mac(nic, p->src_mac, true);
	unsigned prio = p->tci >> VLAN_PRIO_SHIFT, has = 0;

	for (unsigned i = IGB_ETYPE_SLOTS; i--;) {
		if (!nic->etype_used[i] || nic->etqf[i].etype != p->ethertype)
			continue;
		has |= IGB_ETYPE;
		queue[0] = nic->etqf[i].queue;
	}
	if (p->tagged && nic->vlapqf & IGB_PRIO_VALID(prio)) {
		has |= IGB_PRIO;
		queue[1] = nic->vlapqf >> 4 * prio & 3;
	}
	if (src) {
		has |= IGB_SRC_MAC;
		queue[2] = src->queue;
	}
	if (dst) {
		has |= IGB_DST_MAC;
		queue[3] = dst->queue;
	}
	return has;
}

/* Those of @has that are the rule's own. */
static unsigned of_rule(const struct igb_rule *rule, const struct nic_packet *p, unsigned has)
{
	const struct igb_fields *m = &rule->match;

	has &= m->has;
	if (has & IGB_ETYPE && ntohs(m->etype) != p->ethertype)
		has &= ~IGB_ETYPE;
	if (has & IGB_PRIO && (igb_prio(m->tci) != p->tci >> VLAN_PRIO_SHIFT))
		has &= ~IGB_PRIO;
	if (has & IGB_SRC_MAC && memcmp(m->src_mac, p->src_mac, 6))
		has &= ~IGB_SRC_MAC;
	if (has & IGB_DST_MAC && memcmp(m->dst_mac, p->dst_mac, 6))
		has &= ~IGB_DST_MAC;
	return has;
}

bool igb_match(const struct nic_model *model, const struct nic_packet *packet, struct nic_hit *out)
{
	int queue[4];
	unsigned has = packet->vf < 0 ? caught_by((const struct igb *)model, packet, queue) : 0;
	unsigned own = 0;
	uint32_t loc = NIC_NO_RULE;

	for (size_t i = 0; i < model->n && !own; i++) {
		const struct igb_rule *rule = nic_rules_at(model, i);

		own = of_rule(rule, packet, has);
		if (own)
			loc = rule->loc;
	}
	own = own ?: has;
	if (!own)
		return false;
	*out = (struct nic_hit){.loc = loc, .vf = -1, .queue = queue[__builtin_ctz(own)]};
	return true;
}
