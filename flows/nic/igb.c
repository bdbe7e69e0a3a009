/* SPDX-License-Identifier: Apache-2.0 */
/*
 * igb: 82576, 82580, I350, I354, I210, I211. Facts from igb_ethtool.c and igb_main.c of Linux 6.1 and
 * 6.12. Its filters are not Flow Director's: an EtherType, a MAC or a VLAN priority each has its own
 * small table, and only queues of the PF are targets.
 */
#include "flows/nic/profile.h"
#include "flows/nic/replay.h"

#include <errno.h>
#include <string.h>

#define TABLE_SIZE 16 /* IGB_MAX_RXNFC_FILTERS */
#define ETYPE_SLOTS 3 /* ETQF 0-2; the fourth is PTP's */
#define MAC_SLOTS 15  /* RAR of an I210, without the port's own address */
#define PRIO_QUEUES 4 /* E1000_VLAPQF_QUEUE_MASK has two bits */

/* What the driver recognises in an entry: other masks of these fields are left out silently. */
enum { HAS_ETYPE = 1 << 0, HAS_DST_MAC = 1 << 1, HAS_SRC_MAC = 1 << 2, HAS_PRIO = 1 << 3 };

static bool all_ones(const uint8_t mac[6])
{
	static const uint8_t ones[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

	return !memcmp(mac, ones, sizeof(ones));
}

static unsigned recognised(const struct sriov_entry *e)
{
	return (e->mask.ethertype == 0xffff ? HAS_ETYPE : 0) |
	       (all_ones(e->mask.dst_mac) ? HAS_DST_MAC : 0) |
	       (all_ones(e->mask.src_mac) ? HAS_SRC_MAC : 0) |
	       (e->ext && e->mask.vlan_tci ? HAS_PRIO : 0);
}

static unsigned macs(unsigned has)
{
	return !!(has & HAS_DST_MAC) + !!(has & HAS_SRC_MAC);
}

static bool is_i210(uint16_t device)
{
	return nic_mac_of("igb", device) == NIC_I210;
}

static bool check_capability(const struct nic_case *c, struct nic_verdict *v)
{
	/* it asks hw_features, not whether ntuple is on */
	return c->port->ntuple != SRIOV_NTUPLE_OFF_FIXED || nic_check_ntuple_on(c, v);
}

static bool check_action(const struct nic_case *c, struct nic_verdict *v)
{
	if (c->entry->cookie == SRIOV_COOKIE_DROP) {
		nic_refuse(v, -EINVAL, "the driver cannot drop", "igb rules cannot drop packets");
		return nic_hint(v, "only queues of the PF are targets");
	}
	if (c->entry->cookie >> COOKIE_VF_SHIFT) {
		nic_refuse(v, -EINVAL, "the driver has no VF targets",
			   "igb rules cannot send packets to a VF");
		return nic_hint(v, "only queues of the PF are targets");
	}
	return nic_check_queue(c, v);
}

static bool check_vlan(const struct nic_case *c, struct nic_verdict *v)
{
	const struct sriov_entry *e = c->entry;

	if (!e->ext || !e->mask.vlan_tci || e->mask.vlan_tci == VLAN_PRIO_MASK)
		return true;
	nic_refuse(v, -EINVAL, "only the VLAN priority can be matched",
		   "igb matches of a VLAN tag the priority only");
	return nic_hint(v, "`prio P`");
}

static bool same_filter(const struct sriov_entry *a, const struct sriov_entry *b)
{
	unsigned has = recognised(a);

	return has == recognised(b) &&
	       (!(has & HAS_ETYPE) || a->value.ethertype == b->value.ethertype) &&
	       (!(has & HAS_DST_MAC) || !memcmp(a->value.dst_mac, b->value.dst_mac, 6)) &&
	       (!(has & HAS_SRC_MAC) || !memcmp(a->value.src_mac, b->value.src_mac, 6)) &&
	       (!(has & HAS_PRIO) || !((a->value.vlan_tci ^ b->value.vlan_tci) & VLAN_PRIO_MASK));
}

/* The table has 16 places: loops over it are short. */
static bool check_duplicate(const struct nic_case *c, struct nic_verdict *v)
{
	for (size_t i = 0; i < c->table->n; i++) {
		if (!same_filter(c->entry, &c->table->at[i]))
			continue;
		nic_refuse(v, -EEXIST, "this filter is already set",
			   "a rule for the same packets is there");
		v->other = i;
		return false;
	}
	return true;
}

static bool check_prio(const struct nic_case *c, struct nic_verdict *v)
{
	const struct sriov_entry *e = c->entry;

	for (size_t i = 0; recognised(e) & HAS_PRIO && i < c->table->n; i++) {
		const struct sriov_entry *other = &c->table->at[i];

		if (!(recognised(other) & HAS_PRIO) || other->cookie == e->cookie ||
		    (other->value.vlan_tci ^ e->value.vlan_tci) & VLAN_PRIO_MASK)
			continue;
		nic_refuse(v, -EEXIST, "the priority has another queue already",
			   "priority %u has another queue already",
			   e->value.vlan_tci >> VLAN_PRIO_SHIFT);
		v->other = i;
		return false;
	}
	return true;
}

/* igb_add_filter() and what it calls. */
static bool check_filters(const struct nic_case *c, struct nic_verdict *v)
{
	const struct sriov_pf *port = c->port;
	const struct sriov_entry *e = c->entry;
	unsigned has = recognised(e), etypes = 0, used = 0;

	for (size_t i = 0; i < c->table->n; i++) {
		unsigned other = recognised(&c->table->at[i]);

		etypes += !!(other & HAS_ETYPE);
		used += macs(other);
	}
	if (is_i210(port->device) && !(has & ~HAS_SRC_MAC))
		return nic_refuse(v, -EOPNOTSUPP, "a source MAC alone cannot be matched",
				  "I210 cannot match 'src' alone");
	if (has & HAS_ETYPE && etypes >= ETYPE_SLOTS) {
		nic_refuse(v, -EINVAL, "all EtherType filters are used",
			   "%s has %d EtherType filters, and all are used", nic_port_name(port),
			   ETYPE_SLOTS);
		v->result = SRIOV_FULL;
		return nic_hint(v, "delete one of the rules with 'proto' first");
	}
	if (macs(has) && !is_i210(port->device)) {
		nic_refuse(v, -EOPNOTSUPP, "this NIC cannot match MAC addresses",
			   "of the NICs of igb only I210 can match 'src' and 'dst'");
		return nic_hint(v, "match 'proto' or 'prio'");
	}
	if ((has & HAS_DST_MAC && sriov_mac_is_zero(e->value.dst_mac)) ||
	    (has & HAS_SRC_MAC && sriov_mac_is_zero(e->value.src_mac)))
		return nic_refuse(v, -EINVAL, "the MAC address is zero",
				  "igb refuses the MAC address 00:00:00:00:00:00");
	if (used + macs(has) > MAC_SLOTS) {
		nic_refuse(v, -ENOSPC, "the MAC table is full", "the MAC table of %s is full (%d)",
			   nic_port_name(port), MAC_SLOTS);
		v->result = SRIOV_FULL;
		return false;
	}
	if (!check_prio(c, v))
		return false;
	if (has)
		return true;
	nic_refuse(v, -EINVAL, "nothing to match", "igb finds nothing that it could match");
	return nic_hint(v, "match 'proto', 'prio', or on I210 'dst'");
}

/*
 * igb_add_filter() writes one filter for each field, and each catches packets on its own: or, not
 * and.
 */
static size_t lower(const struct nic_case *c, struct sriov_entry *out, struct nic_verdict *v)
{
	unsigned has;

	*out = *c->entry;
	nic_clear_ignored(c->profile, out, v);
	has = recognised(out);
	if (has & (has - 1)) {
		nic_deviate(v, SRIOV_BROADER, "fields are not combined",
			    "igb makes a filter of its own of each field, and each catches packets "
			    "alone: the rule would catch more packets than it says");
		nic_hint(v, "match one of 'proto', 'prio', or on I210 'dst'");
	}
	return 1;
}

/* Filters of different fields always share packets; of one field, only equal ones. */
static bool overlaps(const struct sriov_entry *a, const struct sriov_entry *b)
{
	unsigned has = recognised(a) | recognised(b);

	return has & (has - 1) || same_filter(a, b);
}

/*
 * igb keeps VLAN filtering on in promiscuous mode, which priority filters need, only with ntuple
 * on.
 */
static bool hazard_prio(const struct nic_case *c, struct nic_verdict *v)
{
	if (!(recognised(c->entry) & HAS_PRIO))
		return true;
	if (c->port->ntuple != SRIOV_NTUPLE_ON) {
		nic_refuse(v, 0, "priority filters need ntuple on",
			   "igb takes a rule with 'prio' while ntuple is off, and it stops to work "
			   "in promiscuous mode");
		return nic_hint(v, "ethtool -K %s ntuple on", nic_port_name(c->port));
	}
	if (COOKIE_QUEUE(c->entry->cookie) < PRIO_QUEUES)
		return true;
	/* igb_rxnfc_write_vlan_prio_filter() and igb_clear_vlan_prio_filter() */
	nic_refuse(
		v, 0, "the queue would not be forgotten",
		"igb clears only two bits of the queue when it deletes a rule with 'prio': after "
		"one for queue %u the next would reach another queue",
		COOKIE_QUEUE(c->entry->cookie));
	return nic_hint(v, "queues 0 to %d", PRIO_QUEUES - 1);
}

/*
 * igb_rxnfc_write_etype_filter() and its like write the number of the rule's queue as the hardware's,
 * and with VFs the PF's queues begin behind theirs (igb_cache_ring_register()).
 */
static bool hazard_vfs(const struct nic_case *c, struct nic_verdict *v)
{
	if (!c->port->vfs)
		return true;
	nic_refuse(v, 0, "the rule would reach a VF",
		   "igb writes queue %u of a rule as it stands, and with VFs that is a queue of a "
		   "VF: those of the PF begin behind them",
		   COOKIE_QUEUE(c->entry->cookie));
	return nic_hint(v, "igb rules are right only without VFs");
}

/* Refused and replaced rules leave filters behind (igb_add_filter(), igb_update_ethtool_nfc_entry()). */
static bool hidden(const struct nic_case *c, struct nic_verdict *v)
{
	nic_refuse(
		v, 0, "filters may be left behind",
		"igb leaves filters in the NIC when rules are refused or replaced, and what happened "
		"on %s since its driver was loaded is not known: such a filter may still act, or there "
		"may be no free one",
		nic_port_name(c->port));
	nic_hint(v, "reload the driver igb, then `sriovctl restore`: from then on it is known");
	return true;
}

static nic_check *const checks[] = {check_capability, check_action, nic_check_location,
				    nic_check_type,   check_vlan,   check_duplicate,
				    check_filters,    NULL};
/* a NIC that has no rules at all has no hazards of them either */
static nic_check *const hazards[] = {check_capability, hazard_prio, hazard_vfs, NULL};

const struct nic_profile nic_igb = {
	.driver = "igb",
	.source = "igb of Linux 6.1 to 6.12 (its code, executed); not silicon",
	.types = FLOW_BIT(SRIOV_FLOW_ETHER),
	.type_err = -EINVAL,
	.field =
		{
			[FIELD_SRC_MAC] = {NIC_MASK_WHOLE},
			[FIELD_DST_MAC] = {NIC_MASK_WHOLE},
			[FIELD_ETHERTYPE] = {NIC_MASK_WHOLE},
			[FIELD_VLAN] = {NIC_MASK_OWN},
			[FIELD_VLAN_ETYPE] = {NIC_MASK_IGNORED},
			[FIELD_USER_DEF] = {NIC_MASK_IGNORED},
		},
	.table_size = TABLE_SIZE,
	.checks = checks,
	.hazards = hazards,
	.lower = lower,
	.hidden = hidden,
	.overlaps = overlaps,
	.walk = &nic_walk_igb,
};
