/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OpenFlow 1.4 for guests' ports on a bridge of OVS: the whole of what the NIC does for VFs, as flows and meters. Pure.
 *
 * The way of a frame through our tables:
 *   0 HOOK    of any bridge: only frames from the uplink and from guests' ports come to us, at a priority of our own
 *   IN        what guests send: source MAC (spoofchk), no tag where the port has a VLAN; then the rate limit's meter,
 *             and the port's VLAN as tag
 *   INSIDE    what guests send goes to the guest with the destination's address and VLAN, else to the uplink; frames to
 *             groups go to all of them. Rules are for what comes from the wire: between VFs a NIC does not classify
 *   WIRE      what comes from the uplink likewise; what no function of the network has the address of is dropped. A
 *             frame to a group becomes one copy a guest, and one of its own, which is nobody's
 *   RULES     the list, for each copy: the rule's place in the list is its priority
 *   OUT       to the port, without the port VLAN's tag
 *
 * reg0 is the copy's guest (its place among the ports, from 1; 0 = nobody), reg1 is 1 on a group's further copies: a rule
 * that sends packets elsewhere sends them once.
 */
#ifndef SRIOV_FLOWS_OPENFLOW_H
#define SRIOV_FLOWS_OPENFLOW_H

#include "flows/flows.h"

#include <sriov/vf.h>
#include <stdio.h>

/* Ours on every bridge, and nobody else's: cookies of this prefix. The rest of a cookie is a hash of its flow. */
#define OPENFLOW_COOKIE 0x5c10000000000000ull
#define OPENFLOW_COOKIE_MASK 0xffff000000000000ull
enum openflow_table {
	OPENFLOW_HOOK = 0,
	OPENFLOW_IN = 200,
	OPENFLOW_INSIDE,
	OPENFLOW_WIRE,
	OPENFLOW_RULES,
	OPENFLOW_OUT,
};
#define OPENFLOW_HOOK_PRIORITY 60000
#define OPENFLOW_RULES_MAX 65535 /* priorities; 0 is for what no rule matches */
/*
 * Meters: two ids for each OpenFlow port, so that a new rate has its meter before the old one's is gone.
 * OVS 3.1 has ids to 262144 (netdev datapath, `ovs-ofctl meter-features`).
 */
#define OPENFLOW_METER 0x10000
#define OPENFLOW_METERS (2 * OPENFLOW_PORT_END)
#define OPENFLOW_PORT_END 0xff00 /* OFPP_MAX: above are reserved ports */
#define OPENFLOW_LOCAL 0xfffe    /* OFPP_LOCAL: the bridge's own port */

/* A guest's port. */
struct openflow_port {
	char guest[SRIOV_NAME_LEN], uuid[40]; /* what rules call it by; uuid may be "" */
	unsigned ofport;
	struct sriov_vf_attrs attrs; /* as its VF would have them: MAC (needed), VLAN, … */
};

struct openflow_meter {
	uint32_t id;
	uint32_t kbps;
	uint32_t burst; /* kbit */
};

struct openflow_want {
	const struct sriov_rules *rules;
	unsigned uplink; /* its OpenFlow port */
	const struct openflow_port *port;
	size_t nports;
	/* Addresses of the network's other functions: the PF's and its VFs'. */
	const uint8_t (*mac)[6];
	size_t nmacs;
	/* Meters of ours that the bridge has: their ids are kept where the rate is the same. */
	const struct openflow_meter *meter;
	size_t nmeters;
};

struct openflow_line {
	uint64_t cookie;
	unsigned table;
	size_t rule; /* its place in the list; OPENFLOW_NO_RULE */
	size_t port; /* its place among the ports; OPENFLOW_NO_PORT */
};
#define OPENFLOW_NO_RULE SIZE_MAX
#define OPENFLOW_NO_PORT SIZE_MAX

struct openflow {
	/*
	 * For `ovs-ofctl -O OpenFlow14 --bundle add-flows BRIDGE -`: a line that deletes all of ours, then a line for
	 * each of @line, in order.
	 */
	char *text;
	struct openflow_line *line;
	size_t nlines;
	struct openflow_meter *meter;
	size_t nmeters;
	struct sriov_notes notes; /* what is otherwise than on a VF */
};
void openflow_clear(struct openflow *flows);
#define _openflow_ _cleanup_(openflow_clear)

/*
 * Compiles. -ENOTSUP: a rule has no form in OpenFlow, and so those behind it would meet its packets: the error names
 * it; or a port's VLAN has none. -EEXIST: two guests with one address. -EINVAL: a port without address or number.
 * The caller clears @out.
 */
int openflow_compile(const struct openflow_want *want, struct openflow *out,
		     struct sriov_error *err);
/* No flows at all: only the line that deletes ours. */
int openflow_none(struct openflow *out, struct sriov_error *err);

/* ---- shared with the exporter of single rules (openflow.c) ---- */

/* What the rule's match has and OpenFlow has not: NULL, or a phrase. */
const char *openflow_lacks(const struct sriov_rule *rule);
/*
 * Writes the rule's match for each of the flows that it takes, with a comma before each field: @fn is called with NULL
 * to begin a line (NULL ends it all) and with the line to end it.
 */
typedef FILE *openflow_match_fn(void *data, FILE *written);
void openflow_matches(const struct sriov_rule *rule, openflow_match_fn *fn, void *data);
int openflow_count_rules(size_t n, const char *object, struct sriov_error *err);

#endif
