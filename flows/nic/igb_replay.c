/* SPDX-License-Identifier: Apache-2.0 */
/*
 * igb's rules: 82576, 82580, I350, I354, I210, I211. From igb_ethtool.c and igb_main.c of Linux 6.1 and
 * 6.12. Functions named in comments are the driver's. What a refused or replaced rule has taken of the
 * hardware's small tables is not given back.
 */
#include "flows/nic/model.h"
#include "flows/words.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#define TABLE_SIZE 16 /* IGB_MAX_RXNFC_FILTERS */
#define ETYPE_SLOTS 3 /* MAX_ETYPE_FILTER: ETQF 0-2 */
#define MAC_SLOTS 16  /* rar_entry_count of an I210; the first is the port's own address */

/* What a rule compares (IGB_FILTER_FLAG_*); other masks are left out silently. */
enum { HAS_ETYPE = 1 << 0, HAS_PRIO = 1 << 1, HAS_SRC_MAC = 1 << 2, HAS_DST_MAC = 1 << 3 };

/* What makes two rules the same, in network byte order and without padding. */
struct match {
	uint8_t src_mac[6], dst_mac[6];
	uint16_t has;
	uint16_t etype, tci; /* the tag as given: VID bits make rules differ that catch the same */
};

struct rule {
	uint32_t loc;
	struct match match;
	uint16_t queue;
	uint16_t etype_slot;
};

struct mac_slot {
	uint8_t mac[6];
	bool used, own, source;
	uint8_t queue;
};

struct igb {
	struct nic_model base;
	bool etype_used[ETYPE_SLOTS];
	struct etqf {
		uint16_t etype;
		uint8_t queue;
	} etqf[ETYPE_SLOTS];
	struct mac_slot mac[MAC_SLOTS];
	uint32_t
		vlapqf; /* the register: for each priority a queue of two bits, and bit 3 "valid" */
};

static struct igb *igb_of(struct nic_model *model)
{
	return (struct igb *)model;
}

static void start(struct nic_model *model)
{
	struct mac_slot *first = igb_of(model)->mac;

	*first = (struct mac_slot){.used = true, .own = true};
}

static uint32_t table_size(const struct nic_model *model)
{
	return TABLE_SIZE;
}

static bool is_broadcast(const uint8_t mac[6])
{
	static const uint8_t ones[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

	return !memcmp(mac, ones, sizeof(ones));
}

static int read_match(const struct ethtool_rx_flow_spec *spec, struct match *m,
		      struct nic_outcome *out)
{
	const struct ethhdr *value = &spec->h_u.ether_spec, *mask = &spec->m_u.ether_spec;

	*m = (struct match){0};
	if (mask->h_proto == 0xffff) {
		m->has |= HAS_ETYPE;
		m->etype = value->h_proto;
	}
	if (is_broadcast(mask->h_source)) {
		m->has |= HAS_SRC_MAC;
		memcpy(m->src_mac, value->h_source, sizeof(m->src_mac));
	}
	if (is_broadcast(mask->h_dest)) {
		m->has |= HAS_DST_MAC;
		memcpy(m->dst_mac, value->h_dest, sizeof(m->dst_mac));
	}
	if (!(spec->flow_type & FLOW_EXT) || !spec->m_ext.vlan_tci)
		return 0;
	if (spec->m_ext.vlan_tci != htons(VLAN_PRIO_MASK))
		return nic_refused(out, -EINVAL, "mask_vlan_tci");
	m->has |= HAS_PRIO;
	m->tci = spec->h_ext.vlan_tci;
	return 0;
}

static bool is_duplicate(const struct nic_model *model, const struct match *m)
{
	for (size_t i = 0; i < model->n; i++) {
		const struct rule *rule = nic_rules_at(model, i);

		if (!memcmp(&rule->match, m, sizeof(*m)))
			return true;
	}
	return false;
}

/* igb_rxnfc_write_etype_filter() */
static int take_etype(struct igb *nic, struct rule *rule, struct nic_outcome *out)
{
	unsigned slot = 0;

	while (slot < ETYPE_SLOTS && nic->etype_used[slot])
		slot++;
	if (slot == ETYPE_SLOTS)
		return nic_refused(out, -EINVAL, "etype_slots_full");
	nic->etype_used[slot] = true;
	nic->etqf[slot] = (struct etqf){ntohs(rule->match.etype), rule->queue};
	rule->etype_slot = slot;
	return 0;
}

/* The end of the table is kept for the MACs of VFs. */
static unsigned mac_slots(const struct igb *nic)
{
	unsigned vfs = nic->base.device.num_vfs;

	return vfs < MAC_SLOTS ? MAC_SLOTS - vfs : 0;
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
		struct mac_slot *slot = &nic->mac[i];

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
		struct mac_slot *slot = &nic->mac[i];

		if (!slot->used || slot->own || (source && !slot->source) || slot->queue != queue ||
		    memcmp(slot->mac, mac, 6))
			continue;
		*slot = (struct mac_slot){0};
		return;
	}
}

static unsigned prio_of(uint16_t tci)
{
	return ntohs(tci) >> VLAN_PRIO_SHIFT;
}

#define PRIO_VALID(prio) (1u << (3 + 4 * (prio)))
#define PRIO_QUEUE(prio, queue) ((uint32_t)(queue) << (4 * (prio)))

/* igb_rxnfc_write_vlan_prio_filter(): queues of more than two bits run into the bits beside. */
static int take_prio(struct igb *nic, const struct rule *rule, struct nic_outcome *out)
{
	unsigned prio = prio_of(rule->match.tci);

	if (nic->vlapqf & PRIO_VALID(prio) && (nic->vlapqf >> 4 * prio & 3) != rule->queue)
		return nic_refused(out, -EEXIST, "vlan_prio_conflict");
	nic->vlapqf |= PRIO_VALID(prio) | PRIO_QUEUE(prio, rule->queue);
	return 0;
}

/* igb_add_filter(): a filter for each field; those before one that fails stay behind. */
static int take(struct igb *nic, struct rule *rule, struct nic_outcome *out)
{
	const struct match *m = &rule->match;
	int r = 0;

	if (nic->base.device.mac == NIC_I210 && !(m->has & ~HAS_SRC_MAC))
		return nic_refused(out, -EOPNOTSUPP, "i210_src_only_or_empty");
	if (!m->has)
		return nic_refused(out, -EINVAL, "nothing_to_match");
	if (m->has & HAS_ETYPE)
		r = take_etype(nic, rule, out);
	if (!r && m->has & HAS_DST_MAC)
		r = take_mac(nic, m->dst_mac, rule->queue, false, out);
	if (!r && m->has & HAS_SRC_MAC)
		r = take_mac(nic, m->src_mac, rule->queue, true, out);
	if (!r && m->has & HAS_PRIO)
		r = take_prio(nic, rule, out);
	return r;
}

/* igb_erase_filter() */
static void give_back(struct igb *nic, const struct rule *rule)
{
	const struct match *m = &rule->match;

	if (m->has & HAS_ETYPE)
		nic->etype_used[rule->etype_slot] = false;
	if (m->has & HAS_PRIO)
		nic->vlapqf &= ~(PRIO_VALID(prio_of(m->tci)) | PRIO_QUEUE(prio_of(m->tci), 3));
	if (m->has & HAS_SRC_MAC)
		drop_mac(nic, m->src_mac, rule->queue, true);
	if (m->has & HAS_DST_MAC)
		drop_mac(nic, m->dst_mac, rule->queue, false);
}

static int add(struct nic_model *model, const struct ethtool_rx_flow_spec *spec,
	       struct nic_outcome *out)
{
	struct rule rule = {.loc = spec->location, .queue = spec->ring_cookie};
	int r;

	/* hw_features, and not whether ntuple is on */
	if (!model->device.capable)
		return nic_refused(out, -EOPNOTSUPP, "no_ntuple_capability");
	/* the whole cookie: drop, VFs and garbage above are too large */
	if (spec->ring_cookie >= model->device.num_rx_queues)
		return nic_refused(out, -EINVAL, "action");
	if (spec->location >= TABLE_SIZE)
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
	const struct rule *rule = nic_rules_get(model, loc);

	if (!rule)
		return nic_refused(out, -EINVAL, "no_such_rule");
	give_back(igb_of(model), rule);
	nic_rules_remove(model, nic_rules_find(model, loc));
	return 0;
}

/* igb_get_ethtool_nfc_entry() */
static void get(const struct nic_model *model, const struct nic_rule *head,
		struct ethtool_rx_flow_spec *out)
{
	const struct rule *rule = (const struct rule *)head;
	const struct match *m = &rule->match;

	out->flow_type = ETHER_FLOW;
	out->ring_cookie = rule->queue;
	if (m->has & HAS_ETYPE) {
		out->h_u.ether_spec.h_proto = m->etype;
		out->m_u.ether_spec.h_proto = 0xffff;
	}
	if (m->has & HAS_PRIO) {
		out->flow_type |= FLOW_EXT;
		out->h_ext.vlan_tci = m->tci;
		out->m_ext.vlan_tci = htons(VLAN_PRIO_MASK);
	}
	if (m->has & HAS_DST_MAC) {
		memcpy(out->h_u.ether_spec.h_dest, m->dst_mac, 6);
		memset(out->m_u.ether_spec.h_dest, 0xff, 6);
	}
	if (m->has & HAS_SRC_MAC) {
		memcpy(out->h_u.ether_spec.h_source, m->src_mac, 6);
		memset(out->m_u.ether_spec.h_source, 0xff, 6);
	}
}

const struct nic_driver nic_replay_igb = {
	.model_size = sizeof(struct igb),
	.rule_size = sizeof(struct rule),
	.start = start,
	.table_size = table_size,
	.add = add,
	.del = del,
	.get = get,
};
