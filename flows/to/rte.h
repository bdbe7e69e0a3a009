/* SPDX-License-Identifier: Apache-2.0 */
/* Entries as rte_flow rules, and the port that they are put into. The only place that knows DPDK. */
#ifndef SRIOV_FLOWS_TO_RTE_H
#define SRIOV_FLOWS_TO_RTE_H

#include <rte_flow.h>
#include <sriov/rte.h>

/* An rte_flow rule; its items and actions point into it, so that it stays where it is. */
struct rte_code {
	struct rte_flow_attr attr;
	struct rte_flow_item item[7];
	struct rte_flow_action action[4];
	struct rte_flow_item_eth eth[2]; /* spec and mask */
	struct rte_flow_item_vlan vlan[2];
	struct rte_flow_item_e_tag e_tag[2];
	struct rte_flow_item_ipv4 ipv4[3]; /* and last */
	struct rte_flow_item_ipv6 ipv6[2];
	union {
		struct rte_flow_item_tcp tcp[2];
		struct rte_flow_item_udp udp[2];
		struct rte_flow_item_sctp sctp[2];
	} l4;
	struct rte_flow_item_vxlan vxlan[2];
	struct rte_flow_item_eth inner_eth[2];
	struct rte_flow_item_vlan inner_vlan[2];
	struct rte_flow_action_queue queue;
	struct rte_flow_action_vf vf;
	struct rte_flow_action_mark mark;
};

/* The @part of sriov_filter_rules() of an entry in the form that @filter takes. Pure. */
void rte_encode(const struct sriov_entry *entry, enum sriov_filter filter, unsigned part,
		struct rte_code *out);

/* The UDP port of VXLAN that the NIC must know for the entry, 0 = it is about no tunnel. */
uint16_t rte_vxlan_port(const struct sriov_entry *entry);

/* DPDK's functions, or a test's. */
struct rte_calls {
	int (*validate)(uint16_t port, const struct rte_flow_attr *attr,
			const struct rte_flow_item *item, const struct rte_flow_action *action,
			struct rte_flow_error *error);
	struct rte_flow *(*create)(uint16_t port, const struct rte_flow_attr *attr,
				   const struct rte_flow_item *item,
				   const struct rte_flow_action *action,
				   struct rte_flow_error *error);
	int (*destroy)(uint16_t port, struct rte_flow *flow, struct rte_flow_error *error);
	int (*isolate)(uint16_t port, int set, struct rte_flow_error *error);
	/* tells the NIC that @udp is VXLAN's port, or no more; 0 or a negative number */
	int (*tunnel)(uint16_t port, bool add, uint16_t udp);
};

/* A port of this process, and whose functions it is reached by. */
struct rte_at {
	const struct rte_calls *calls;
	uint16_t id;
	struct sriov_pf pf;
};

/* rte_row.c: the rules of one entry. What fails is told in the driver's words; @flow of rules that are not there is NULL. */
#define RTE_PARTS_MAX 2
unsigned rte_row_parts(const struct sriov_rte_row *row);
int rte_row_validate(const struct rte_at *at, const struct sriov_rte_row *row,
		     struct sriov_error *err);
int rte_row_create(const struct rte_at *at, const struct sriov_rte_row *row,
		   struct rte_flow *flow[RTE_PARTS_MAX], struct sriov_error *err);
int rte_row_destroy(const struct rte_at *at, const struct sriov_rte_row *row,
		    struct rte_flow *flow[RTE_PARTS_MAX], struct sriov_error *err);
/*
 * The NIC knows the UDP port of the tunnels that rules are about before they come, and no longer than they are there:
 * from *@vxlan, which follows, to @wanted; 0 = none.
 */
int rte_tell_vxlan(const struct rte_at *at, uint16_t *vxlan, uint16_t wanted,
		   struct sriov_error *err);

/* A port as the caller describes it. 0 or -ENOMEM. */
int rte_port_new(const struct rte_calls *calls, uint16_t id, const struct sriov_pf *pf,
		 struct sriov_rte **out, struct sriov_error *err);

/* What was asked of the driver when it failed. */
struct rte_failure {
	const struct sriov_pf *pf;
	const char *what; /* "create" */
	const char *rule; /* "" = no name */
	const struct sriov_entry *entry;
	enum sriov_filter filter;
	int number; /* DPDK's errno: positive, or nonsense */
};
/* Sets the error in words of ours around those of the driver; returns its code. */
int rte_failed(const struct rte_failure *failure, const struct rte_flow_error *error,
	       struct sriov_error *err);

#endif
