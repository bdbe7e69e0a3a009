/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the live OVS. Every call makes its own connection: 0.1 ms, and nothing to keep alive. */
#ifndef SRIOV_VSWITCH_LIVE_H
#define SRIOV_VSWITCH_LIVE_H

#include "lib/vswitch/ovsdb.h"
#include "lib/vswitch/vswitch.h"

/* $OVS_RUNDIR as OVS's own tools have it, or Debian's directory. */
const char *ovs_rundir(void);
int64_t ovs_now_us(void); /* of the monotonic clock, for what is told of times */
/* Opens the database. */
int ovs_open(struct ovsdb *db, int64_t deadline, struct sriov_error *err);

/* live_read.c: pure but for ovs_read(). Answers of the database as facts. */
extern const char *const ovs_interface_columns[];
void ovs_port(const json_t *interface, struct sriov_vswitch_port *out);
/* @results: of ovs_questions(). */
json_t *ovs_questions(void);
int ovs_answers(const json_t *results, struct sriov_vswitch *out, struct sriov_error *err);
int ovs_read(struct sriov_host *host, bool rxqs, struct sriov_vswitch **out,
	     struct sriov_error *err);

/* live_port.c, live_flow.c: members of vswitch_ops. */
int ovs_port_add(struct sriov_host *host, const struct vswitch_port_request *want,
		 unsigned timeout_ms, struct sriov_vswitch_port *out, struct sriov_error *err);
int ovs_port_del(struct sriov_host *host, const char *bridge, const char *port, unsigned timeout_ms,
		 struct sriov_error *err);
int ovs_port_set(struct sriov_host *host, const char *port,
		 const struct vswitch_port_change *change, unsigned timeout_ms,
		 struct sriov_error *err);
int ovs_port_wait(struct sriov_host *host, const char *port, enum vswitch_ready ready,
		  unsigned timeout_ms, struct sriov_vswitch_port *out, struct sriov_error *err);
int ovs_bridge_add(struct sriov_host *host, const char *bridge, unsigned timeout_ms,
		   struct sriov_error *err);
int ovs_bridge_del(struct sriov_host *host, const char *bridge, unsigned timeout_ms,
		   struct sriov_error *err);
int ovs_policy(struct sriov_host *host, const char *bridge, struct vswitch_policy *out,
	       struct sriov_error *err);
int ovs_flows(struct sriov_host *host, const char *bridge, const struct openflow *flows,
	      struct sriov_error *err);
int ovs_meter_set(struct sriov_host *host, const char *bridge, const struct openflow_meter *meter,
		  struct sriov_error *err);
int ovs_meter_del(struct sriov_host *host, const char *bridge, uint32_t id,
		  struct sriov_error *err);

/* live_port.c: the operations of one transaction, pure; NULL: no memory. Byte-tested. */
json_t *ovs_port_operations(const struct vswitch_port_request *want);

/* live_flow.c: what ovs-ofctl prints; pure. 0 or -ENOMEM. */
int ovs_parse_flows(const char *text, struct vswitch_policy *out);
int ovs_parse_meters(const char *text, struct vswitch_policy *out);
/* The line of ours that "ovs-ofctl: -:7: …" is about, from 1; 0 = it names none. */
unsigned ovs_error_line(const char *words);

/* pmd.c: the queues as `dpif-netdev/pmd-rxq-show` has them. The parser is pure; 0 or -ENOMEM. */
int pmd_parse_rxqs(const char *text, struct sriov_vswitch *out);
/* Asks ovs-vswitchd by its control socket below @rundir. */
int pmd_read_rxqs(const char *rundir, int64_t deadline, struct sriov_vswitch *out,
		  struct sriov_error *err);

#endif
