/* SPDX-License-Identifier: Apache-2.0 */
/* What the poll mode drivers share: see rte.h. */
#include "flows/nic/rte.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>

static const char *const filter_words[SRIOV_FILTERS] = {
	[SRIOV_FILTER_TUPLE5] = "5-tuple",
	[SRIOV_FILTER_TUPLE2] = "2-tuple",
	[SRIOV_FILTER_ETHERTYPE] = "ethertype",
	[SRIOV_FILTER_FDIR] = "fdir",
	[SRIOV_FILTER_FDIR_MARK] = "fdir",
	[SRIOV_FILTER_FDIR_MAC] = "fdir (MAC)",
	[SRIOV_FILTER_CLOUD] = "cloud",
	[SRIOV_FILTER_FLOWER] = "flower",
	[SRIOV_FILTER_SYN] = "SYN",
	[SRIOV_FILTER_L2_TUNNEL] = "L2 tunnel",
};

SRIOV_EXPORT const char *sriov_filter_word(enum sriov_filter filter)
{
	return (unsigned)filter < SRIOV_FILTERS ? filter_words[filter] : NULL;
}

static const struct nic_profile *const drivers[] = {&rte_net_ixgbe, &rte_net_i40e, &rte_net_igb};

#define PCI_VENDOR_INTEL 0x8086

/* By the driver's name; a port that vfio-pci or no driver has is known by its PCI device alone. */
static const struct nic_profile *find_driver(const struct sriov_pf *port)
{
	for (size_t i = 0; i < ARRAY_SIZE(drivers); i++)
		if (!strcmp(drivers[i]->kernel, port->driver) ||
		    !strcmp(drivers[i]->driver, port->driver))
			return drivers[i];
	if (!strcmp(rte_net_tap.driver, port->driver))
		return &rte_net_tap;
	for (size_t i = 0; port->vendor == PCI_VENDOR_INTEL && i < ARRAY_SIZE(drivers); i++)
		if (nic_mac_of(drivers[i]->kernel, port->device) != NIC_MACS)
			return drivers[i];
	return NULL;
}

SRIOV_EXPORT int sriov_nic_rte(struct sriov_pf *port, struct sriov_error *err)
{
	const struct nic_profile *profile = find_driver(port);

	if (!profile) {
		sriov_error_set(err, -ENOTSUP, nic_port_name(port),
				"no poll mode driver is modelled for NICs of driver %s (device "
				"%04x:%04x)",
				port->driver[0] ? port->driver : "(none)", port->vendor,
				port->device);
		return sriov_error_hint(err, "modelled are net_ixgbe, net_i40e, net_e1000_igb and "
					     "net_tap of DPDK 22.11");
	}
	core_copy(port->driver, sizeof(port->driver), profile->driver);
	port->in_tree = SRIOV_YES;
	port->ntuple = SRIOV_NTUPLE_ON;
	port->watched = true;
	/* they were the kernel's, and went with its driver */
	port->nrules = 0;
	return 0;
}

enum nic_mac rte_mac(const struct sriov_pf *port)
{
	const struct nic_profile *profile = find_driver(port);

	return profile && profile->kernel ? nic_mac_of(profile->kernel, port->device) : NIC_MACS;
}

unsigned rte_room(const struct nic_profile *profile, const struct rte_filter *filter,
		  const struct sriov_pf *port)
{
	unsigned room = filter->room ?: port->rules_max ?: profile->table_size;

	return filter->taken ? room - filter->taken(port) : room;
}

SRIOV_EXPORT unsigned sriov_filter_rules(enum sriov_filter filter, enum sriov_flow_type type)
{
	/* of IP without TCP, UDP and SCTP, fragments are a packet type of their own */
	return filter == SRIOV_FILTER_FDIR &&
			       (type == SRIOV_FLOW_IP4_OTHER || type == SRIOV_FLOW_IP6_OTHER)
		       ? 2
		       : 1;
}

size_t rte_lower(const struct nic_case *c, struct sriov_entry out[NIC_EXPANSION_MAX],
		 struct nic_verdict *v)
{
	out[0] = *c->entry;
	if (!c->entry->mask.tcp_flags)
		return 1;
	/* cons_parse_syn_filter() takes either IP item, bare, and keeps neither */
	nic_deviate(v, SRIOV_BROADER, "the filter has TCP of IPv4 and IPv6",
		    "the SYN filter of %s does not tell IPv4 from IPv6: the rule would catch both",
		    c->profile->driver);
	nic_hint(v, "where only one of them comes, --allow broader takes it");
	return 1;
}

const char *rte_fit_syn(const struct sriov_pf *port, struct sriov_entry *e)
{
	struct sriov_match rest = e->mask;

	rest.tcp_flags = 0;
	if (memcmp(&rest, &(struct sriov_match){0}, sizeof(rest)) != 0 ||
	    e->mask.tcp_flags != TH_SYN || e->value.tcp_flags != TH_SYN)
		return "it has TCP with SYN set, and compares nothing else";
	return NULL;
}

bool rte_grow(struct sriov_entry *e, unsigned whole)
{
	for (const struct flow_field *f = NULL; (f = flow_field_next(f, e->type));) {
		if (!flow_field_any(f, &e->mask))
			continue;
		if (!(whole & 1u << f->id))
			return false;
		flow_field_fill(f, &e->mask, 0xff);
	}
	return true;
}

/* ---- which filter takes an entry ---- */

static enum rte_action action_of(uint64_t cookie)
{
	return cookie == SRIOV_COOKIE_DROP ? RTE_DROP : COOKIE_VF(cookie) ? RTE_VF : RTE_QUEUE;
}

static const char *lacks_action(enum rte_action action)
{
	return action == RTE_DROP    ? "it cannot drop"
	       : action == RTE_QUEUE ? "it has no queues of the PF as target"
				     : "it has no VF as target";
}

const char *rte_fit(const struct rte_filter *filter, const struct sriov_pf *port,
		    struct sriov_entry *entry)
{
	enum rte_action action = action_of(entry->cookie);

	if (!(filter->types & FLOW_BIT(entry->type)))
		return "it has no such packets";
	if (!(filter->actions & action))
		return lacks_action(action);
	if (flow_fields_foreign(entry->type, &entry->mask))
		return "packets of this kind cannot be told apart by that";
	return filter->fit(port, entry);
}

bool rte_check_filters(const struct nic_case *c, struct nic_verdict *v)
{
	const struct nic_profile *profile = c->profile;
	char reasons[384];
	struct text text = {.at = reasons, .size = sizeof(reasons)};

	reasons[0] = '\0';
	for (size_t i = 0; i < profile->nfilters; i++) {
		struct sriov_entry entry = *c->entry;
		const char *why = rte_fit(&profile->filters[i], c->port, &entry);

		if (!why)
			return true;
		if (!(profile->filters[i].types & FLOW_BIT(entry.type)))
			continue;
		text_add(&text, "%s%s: %s", text.used ? "; " : "",
			 sriov_filter_word(profile->filters[i].kind), why);
	}
	if (!reasons[0])
		return nic_check_type(c, v) &&
		       nic_refuse(v, -EINVAL, "no filter of the driver takes it",
				  "no filter of %s is for flow type %s", profile->driver,
				  sriov_flow_type_word(c->entry->type));
	nic_refuse(v, -EINVAL, "no filter of the driver takes it", "no filter of %s takes it (%s)",
		   profile->driver, reasons);
	return nic_hint(v, "change the rule so that one of these takes it");
}

/* ---- targets ---- */

#define VF_QUEUES 4 /* queue-num-per-vf of net_i40e, unless it is started with another */

static bool check_vf(const struct nic_case *c, struct nic_verdict *v)
{
	const struct sriov_pf *port = c->port;
	unsigned vf = COOKIE_VF(c->entry->cookie) - 1, queue = COOKIE_QUEUE(c->entry->cookie);

	if (!c->profile->vf_target) {
		nic_refuse(v, -EINVAL, "the driver has no VF targets",
			   "no rule of %s that has words here sends packets to a VF",
			   c->profile->driver);
		return nic_hint(v, "the switch in the NIC does, by the MAC and VLAN of the VF");
	}
	if (vf >= port->vfs)
		return nic_refuse(v, -EINVAL, "no such VF", "VF %u does not exist: %s has %u VFs",
				  vf, nic_port_name(port), port->vfs);
	if (queue < VF_QUEUES)
		return true;
	nic_refuse(v, -EINVAL, "the VF has no such queue",
		   "queue %u of VF %u does not exist: %s gives each VF %d queues", queue, vf,
		   c->profile->driver, VF_QUEUES);
	return nic_hint(v, "queue 0 to %d", VF_QUEUES - 1);
}

bool rte_check_target(const struct nic_case *c, struct nic_verdict *v)
{
	return COOKIE_VF(c->entry->cookie) && c->entry->cookie != SRIOV_COOKIE_DROP
		       ? check_vf(c, v)
		       : nic_check_queue(c, v);
}

/*
 * ixgbe_fdir_filter_program(), ixgbe_inject_5tuple_filter() and those of igb write the queue of a rule as it stands;
 * ixgbe_dev_rx_queue_setup() has the PF's queues begin behind those of the VFs.
 */
bool rte_hazard_vfs(const struct nic_case *c, struct nic_verdict *v)
{
	if (!c->port->vfs || c->entry->cookie == SRIOV_COOKIE_DROP || COOKIE_VF(c->entry->cookie))
		return true;
	nic_refuse(
		v, 0, "the rule would reach a VF",
		"%s writes queue %u of a rule as it stands, and with VFs that is a queue of a VF: "
		"those of the PF begin behind them",
		c->profile->driver, COOKIE_QUEUE(c->entry->cookie));
	return nic_hint(v, "queues as targets are right only without VFs");
}
