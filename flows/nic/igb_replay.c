/* SPDX-License-Identifier: Apache-2.0 */
/*
 * igb's rules: 82576, 82580, I350, I354, I210, I211. From igb_ethtool.c and igb_main.c of Linux 6.1 and
 * 6.12. Functions named in comments are the driver's. What a refused or replaced rule has taken of the
 * hardware's small tables is not given back.
 */
#include "flows/nic/igb_model.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

static struct igb *igb_of(struct nic_model *model)
{
	return (struct igb *)model;
}

static void start(struct nic_model *model)
{
	struct igb_mac *first = igb_of(model)->mac;

	*first = (struct igb_mac){.used = true, .own = true};
}

static uint32_t table_size(const struct nic_model *model)
{
	return IGB_TABLE_SIZE;
}

static bool is_broadcast(const uint8_t mac[6])
{
	static const uint8_t ones[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

	return !memcmp(mac, ones, sizeof(ones));
}

static int read_match(const struct ethtool_rx_flow_spec *spec, struct igb_fields *m,
		      struct nic_outcome *out)
{
	const struct ethhdr *value = &spec->h_u.ether_spec, *mask = &spec->m_u.ether_spec;

	*m = (struct igb_fields){0};
	if (mask->h_proto == 0xffff) {
		m->has |= IGB_ETYPE;
		m->etype = value->h_proto;
	}
	if (is_broadcast(mask->h_source)) {
		m->has |= IGB_SRC_MAC;
		memcpy(m->src_mac, value->h_source, sizeof(m->src_mac));
	}
	if (is_broadcast(mask->h_dest)) {
		m->has |= IGB_DST_MAC;
		memcpy(m->dst_mac, value->h_dest, sizeof(m->dst_mac));
	}
	if (!(spec->flow_type & FLOW_EXT) || !spec->m_ext.vlan_tci)
		return 0;
	if (spec->m_ext.vlan_tci != htons(VLAN_PRIO_MASK))
		return nic_refused(out, -EINVAL, "mask_vlan_tci");
	m->has |= IGB_PRIO;
	m->tci = spec->h_ext.vlan_tci;
	return 0;
}

static bool is_duplicate(const struct nic_model *model, const struct igb_fields *m)
{
	for (size_t i = 0; i < model->n; i++) {
		const struct igb_rule *rule = nic_rules_at(model, i);

		if (!memcmp(&rule->match, m, sizeof(*m)))
			return true;
	}
	return false;
}

/* igb_rxnfc_write_etype_filter() */
static int take_etype(struct igb *nic, struct igb_rule *rule, struct nic_outcome *out)
{
	unsigned slot = 0;

	while (slot < IGB_ETYPE_SLOTS && nic->etype_used[slot])
		slot++;
	if (slot == IGB_ETYPE_SLOTS)
		return nic_refused(out, -EINVAL, "etype_slots_full");
	nic->etype_used[slot] = true;
	/* three bits of the queue */
	nic->etqf[slot] = (struct igb_etqf){ntohs(rule->match.etype), rule->queue & 7};
	rule->etype_slot = slot;
	return 0;
}

/* The end of the table is kept for the MACs of VFs. */
static unsigned mac_slots(const struct igb *nic)
{
	unsigned vfs = nic->base.device.num_vfs;

	return vfs < IGB_MAC_SLOTS ? IGB_MAC_SLOTS - vfs : 0;
}

/* igb_add_mac_steering_filter(): an entry for the same address is taken over, with its queue. */
static int take_mac(struct igb *nic, const uint8_t mac[6], uint16_t queue, bool source,
		    struct nic_outcome *out)
{
	if (nic->base.device.mac != NIC_I210)
		return nic_refused(out, -EOPNOTSUPP, "mac_filter_unsupported");
	if (sriov_mac_is_zero(mac))
		return nic_refused(out, -EINVAL, "mac_zero");
	for (unsigned i = 0; i < mac_slots(nic); i++) {
		struct igb_mac *slot = &nic->mac[i];

		if (slot->used && (slot->source != source || memcmp(slot->mac, mac, 6)))
			continue;
		memcpy(slot->mac, mac, 6);
		slot->used = true;
		slot->source = source;
		slot->queue = queue;
		return 0;
	}
	return nic_refused(out, -ENOSPC, "mac_table_full");
}

/* igb_del_mac_steering_filter(): for a destination it takes a source's entry, too. */
static void drop_mac(struct igb *nic, const uint8_t mac[6], uint16_t queue, bool source)
{
	for (unsigned i = 0; i < mac_slots(nic); i++) {
		struct igb_mac *slot = &nic->mac[i];

		if (!slot->used || slot->own || (source && !slot->source) || slot->queue != queue ||
		    memcmp(slot->mac, mac, 6))
			continue;
		*slot = (struct igb_mac){0};
		return;
	}
}

/* igb_rxnfc_write_vlan_prio_filter(): queues of more than two bits run into the bits beside. */
static int take_prio(struct igb *nic, const struct igb_rule *rule, struct nic_outcome *out)
{
	unsigned prio = igb_prio(rule->match.tci);

	if (nic->vlapqf & IGB_PRIO_VALID(prio) && (nic->vlapqf >> 4 * prio & 3) != rule->queue)
		return nic_refused(out, -EEXIST, "vlan_prio_conflict");
	nic->vlapqf |= IGB_PRIO_VALID(prio) | IGB_PRIO_QUEUE(prio, rule->queue);
	return 0;
}

/* igb_add_filter(): a filter for each field; those before one that fails stay behind. */
static int take(struct igb *nic, struct igb_rule *rule, struct nic_outcome *out)
{
	const struct igb_fields *m = &rule->match;
	int r = 0;

	if (nic->base.device.mac == NIC_I210 && !(m->has & ~IGB_SRC_MAC))
		return nic_refused(out, -EOPNOTSUPP, "i210_src_only_or_empty");
	if (!m->has)
		return nic_refused(out, -EINVAL, "nothing_to_match");
	if (m->has & IGB_ETYPE)
		r = take_etype(nic, rule, out);
	if (!r && m->has & IGB_DST_MAC)
		r = take_mac(nic, m->dst_mac, rule->queue, false, out);
	if (!r && m->has & IGB_SRC_MAC)
		r = take_mac(nic, m->src_mac, rule->queue, true, out);
	if (!r && m->has & IGB_PRIO)
		r = take_prio(nic, rule, out);
	return r;
}

/* igb_erase_filter() */
static void give_back(struct igb *nic, const struct igb_rule *rule)
{
	const struct igb_fields *m = &rule->match;

	if (m->has & IGB_ETYPE)
		nic->etype_used[rule->etype_slot] = false;
	if (m->has & IGB_PRIO)
		nic->vlapqf &= ~(IGB_PRIO_VALID(igb_prio(m->tci)) |
				 IGB_PRIO_QUEUE(igb_prio(m->tci), 3));
	if (m->has & IGB_SRC_MAC)
		drop_mac(nic, m->src_mac, rule->queue, true);
	if (m->has & IGB_DST_MAC)
		drop_mac(nic, m->dst_mac, rule->queue, false);
}

static int add(struct nic_model *model, const struct ethtool_rx_flow_spec *spec,
	       struct nic_outcome *out)
{
	struct igb_rule rule = {.loc = spec->location, .queue = spec->ring_cookie};
	int r;

	/* hw_features, and not whether ntuple is on */
	if (!model->device.capable)
		return nic_refused(out, -EOPNOTSUPP, "no_ntuple_capability");
	/* the whole cookie: drop, VFs and garbage above are too large */
	if (spec->ring_cookie >= model->device.num_rx_queues)
		return nic_refused(out, -EINVAL, "action");
	if (spec->location >= IGB_TABLE_SIZE)
		return nic_refused(out, -EINVAL, "location_range");
	if ((spec->flow_type & ~FLOW_EXT) != ETHER_FLOW)
		return nic_refused(out, -EINVAL, "flow_type");
	r = read_match(spec, &rule.match, out);
	if (r)
		return r;
	/* also against the rule that it would replace */
	if (is_duplicate(model, &rule.match))
		return nic_refused(out, -EEXIST, "duplicate");
	r = take(igb_of(model), &rule, out);
	if (r)
		return r;
	/* what the old rule at that location has in the hardware stays there */
	nic_rules_put(model, &rule);
	return 0;
}

static int del(struct nic_model *model, uint16_t loc, struct nic_outcome *out)
{
	const struct igb_rule *rule = nic_rules_get(model, loc);

	if (!rule)
		return nic_refused(out, -EINVAL, "no_such_rule");
	give_back(igb_of(model), rule);
	nic_rules_remove(model, nic_rules_find(model, loc));
	return 0;
}

static void adopt(struct nic_model *model, const struct ethtool_rx_flow_spec *spec)
{
	struct igb_rule rule = {.loc = spec->location, .queue = spec->ring_cookie};
	struct nic_outcome ignored;

	if ((spec->flow_type & ~FLOW_EXT) != ETHER_FLOW || spec->location >= IGB_TABLE_SIZE)
		return;
	read_match(spec, &rule.match, &ignored);
	take(igb_of(model), &rule, &ignored);
	nic_rules_put(model, &rule);
}

/*
 * igb_set_features() erases every rule when ntuple goes off. igb_down() takes them out of the hardware, and
 * igb_configure() puts them back.
 */
static void event(struct nic_model *model, enum nic_event what, bool running)
{
	if (what != NIC_EVENT_NTUPLE_OFF)
		return;
	for (size_t i = 0; i < model->n; i++)
		give_back(igb_of(model), nic_rules_at(model, i));
	model->n = 0;
}

/* igb_get_ethtool_nfc_entry() */
static void get(const struct nic_model *model, const struct nic_rule *head,
		struct ethtool_rx_flow_spec *out)
{
	const struct igb_rule *rule = (const struct igb_rule *)head;
	const struct igb_fields *m = &rule->match;

	out->flow_type = ETHER_FLOW;
	out->ring_cookie = rule->queue;
	if (m->has & IGB_ETYPE) {
		out->h_u.ether_spec.h_proto = m->etype;
		out->m_u.ether_spec.h_proto = 0xffff;
	}
	if (m->has & IGB_PRIO) {
		out->flow_type |= FLOW_EXT;
		out->h_ext.vlan_tci = m->tci;
		out->m_ext.vlan_tci = htons(VLAN_PRIO_MASK);
	}
	if (m->has & IGB_DST_MAC) {
		memcpy(out->h_u.ether_spec.h_dest, m->dst_mac, 6);
		memset(out->m_u.ether_spec.h_dest, 0xff, 6);
	}
	if (m->has & IGB_SRC_MAC) {
		memcpy(out->h_u.ether_spec.h_source, m->src_mac, 6);
		memset(out->m_u.ether_spec.h_source, 0xff, 6);
	}
}

const struct nic_driver nic_replay_igb = {
	.model_size = sizeof(struct igb),
	.rule_size = sizeof(struct igb_rule),
	.start = start,
	.table_size = table_size,
	.add = add,
	.del = del,
	.get = get,
	.event = event,
	.adopt = adopt,
	.save = igb_save,
	.restore = igb_restore,
	.match = igb_match,
};
