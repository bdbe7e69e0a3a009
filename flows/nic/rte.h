/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ports that DPDK owns. A poll mode driver has several filters, each with patterns, actions and room of its own, and
 * asks them in a fixed order: the first whose parser accepts an rte_flow rule has it, also if there is no room for
 * it then. They are rows here, in that order; compile_filters.c chooses among them. Nothing here needs DPDK.
 */
#ifndef SRIOV_FLOWS_NIC_RTE_H
#define SRIOV_FLOWS_NIC_RTE_H

#include "flows/nic/profile.h"
#include "flows/nic/replay.h"

enum rte_action { RTE_DROP = 1 << 0, RTE_QUEUE = 1 << 1, RTE_VF = 1 << 2 };

struct rte_filter {
	enum sriov_filter kind;
	unsigned types;       /* FLOW_BIT() of the entries that it can be */
	unsigned actions;     /* enum rte_action */
	enum nic_masks masks; /* what its entries have in common */
	unsigned apart;       /* FLOW_BIT() of types that share no mask with others */
	unsigned room;        /* rte_flow rules; 0 = the table of the port */
	/*
	 * Grows the mask of @entry to the smallest that the filter has, and returns NULL; or why it cannot be, as
	 * a phrase.
	 */
	const char *(*fit)(const struct sriov_pf *port, struct sriov_entry *entry);
	unsigned (*taken)(
		const struct sriov_pf *port); /* of its room by the driver itself; NULL: none */
	const char *condition;                /* of every entry; NULL: none */
};
#define RTE_FILTERS_MAX 6

/* fit() of a filter with what all filters have in common. */
const char *rte_fit(const struct rte_filter *filter, const struct sriov_pf *port,
		    struct sriov_entry *entry);
unsigned rte_room(const struct nic_profile *profile, const struct rte_filter *filter,
		  const struct sriov_pf *port);
/* "ixgbe" or the like: nic_mac_of() of a port that a poll mode driver owns. */
enum nic_mac rte_mac(const struct sriov_pf *port);

nic_check rte_check_filters; /* some filter could take the entry */
nic_check rte_check_target;  /* queues and VFs are there */
nic_check rte_hazard_vfs;    /* a queue of the PF is that of a VF once there are VFs */

/* fit() of the filter for TCP with SYN set, which ixgbe and igb have one of. */
const char *rte_fit_syn(const struct sriov_pf *port, struct sriov_entry *entry);
#define RTE_CONDITION_SYN                                                                          \
	"SYN filter: by the code of the driver only; no NIC, real or emulated, has shown it here"

/* Each entry as it is. Of TCP by its flags it is told that IPv6 comes along. */
size_t rte_lower(const struct nic_case *c, struct sriov_entry out[NIC_EXPANSION_MAX],
		 struct nic_verdict *v);

/*
 * For fit(): grows fields to all of their bits where some are set. False if a field outside @whole, a set of
 * 1 << enum flow_field_id, has any.
 */
bool rte_grow(struct sriov_entry *entry, unsigned whole);

extern const struct nic_profile rte_net_ixgbe, rte_net_i40e, rte_net_igb, rte_net_tap;

#endif
