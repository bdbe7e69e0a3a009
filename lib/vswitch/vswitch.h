/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OVS as the third group of a host's effects (the first is struct host_ops, the second struct virt_ops): one table,
 * live (OVSDB, and ovs-ofctl for OpenFlow) and simulated ("ovs" in the file of a simulated host), reached as
 * host->vswitch->read(host, …). Nothing is connected before the first call.
 *
 * What every call may give besides its own codes; errors carry OVS's words as the kernel's:
 *   -ENOENT, -ECONNREFUSED  no OVS, or it does not run
 *   -ETIMEDOUT              ovs-vswitchd (or the database) did not answer in @timeout_ms
 *   -ECONNRESET             the database went away: the change was made or not, read back
 *   -EBADMSG, -EMSGSIZE     what answers is no OVSDB
 */
#ifndef SRIOV_VSWITCH_INTERNAL_H
#define SRIOV_VSWITCH_INTERNAL_H

#include "flows/to/openflow.h"
#include "lib/core/cpuset.h"
#include "lib/host/host.h"

#include <sriov/vswitch.h>

#define VSWITCH_TIMEOUT_MS 30000 /* of one reading of its database, and of one start of ovs-ofctl */

enum vswitch_port_type {
	VSWITCH_VHOSTUSER, /* dpdkvhostuserclient: QEMU makes the socket, and OVS may restart under it */
	VSWITCH_DPDK,      /* a device of DPDK's: the uplink */
};

struct vswitch_port_request {
	const char *bridge, *name;
	enum vswitch_port_type type;
	const char *socket;   /* of VSWITCH_VHOSTUSER */
	const char *devargs;  /* of VSWITCH_DPDK: "0000:81:10.0", "net_af_packet0,iface=eth2" */
	unsigned queues;      /* of VSWITCH_DPDK, 0 = OVS's choice; a guest's are its own */
	unsigned mtu;         /* 0 = OVS's choice */
	const char *affinity; /* pmd-rxq-affinity, NULL = none */
	/* external_ids, as os-vif writes them, and ours; of a guest's port. NULL or zero = left out */
	const char *guest, *uuid, *iface_id;
	uint8_t mac[6];
};

struct vswitch_port_change {
	bool has_mtu, has_affinity;
	unsigned mtu;
	const char *affinity; /* "" = none any more */
};

/* What is waited for. */
enum vswitch_ready {
	VSWITCH_MADE,      /* OVS has made the port: ofport, and no error */
	VSWITCH_CONNECTED, /* and the guest's driver is up: connected, link up, memory for packets */
};

/* Our flows and meters of a bridge, as they are. */
struct vswitch_flow {
	uint64_t cookie;
	uint64_t packets;
	unsigned table;
};
struct vswitch_policy {
	struct vswitch_flow *flow;
	size_t nflows;
	struct openflow_meter *meter;
	size_t nmeters;
};
void vswitch_policy_clear(struct vswitch_policy *policy);
#define _vswitch_policy_ _cleanup_(vswitch_policy_clear)

struct vswitch_ops {
	const char *name; /* "live", "simulated" */

	/* All that sriov_vswitch_read() tells; @rxqs: also who polls what. The caller frees *@out. */
	int (*read)(struct sriov_host *host, bool rxqs, struct sriov_vswitch **out,
		    struct sriov_error *err);

	/*
	 * Effects. port_add is one transaction, and waits until OVS has made the port; one that it cannot make is taken
	 * away at once (-EIO with OVS's words), because OVS would try again for ever. -EEXIST: there is a port of that
	 * name; -ENODEV: no such bridge, or not one of datapath netdev. @out may be NULL.
	 */
	int (*port_add)(struct sriov_host *host, const struct vswitch_port_request *want,
			unsigned timeout_ms, struct sriov_vswitch_port *out,
			struct sriov_error *err);
	/* -ENODEV: there is none of that name on the bridge. Waits until OVS has done it. */
	int (*port_del)(struct sriov_host *host, const char *bridge, const char *port,
			unsigned timeout_ms, struct sriov_error *err);
	int (*port_set)(struct sriov_host *host, const char *port,
			const struct vswitch_port_change *change, unsigned timeout_ms,
			struct sriov_error *err);
	/*
	 * Waits until the port is ready. -ETIMEDOUT: it is not (@out says how it is, if given, and the error why);
	 * -ENODEV: there is none, or it went away.
	 */
	int (*port_wait)(struct sriov_host *host, const char *port, enum vswitch_ready ready,
			 unsigned timeout_ms, struct sriov_vswitch_port *out,
			 struct sriov_error *err);
	/* A bridge of ours: datapath netdev, fail mode secure (without flows it forwards nothing). */
	int (*bridge_add)(struct sriov_host *host, const char *bridge, unsigned timeout_ms,
			  struct sriov_error *err);
	int (*bridge_del)(struct sriov_host *host, const char *bridge, unsigned timeout_ms,
			  struct sriov_error *err);

	/*
	 * Of these -ECONNREFUSED: no such bridge, or its daemon is not there; -EREMOTEIO: the bridge does not take it. What
	 * of the policy is there: the caller clears @out.
	 */
	int (*policy)(struct sriov_host *host, const char *bridge, struct vswitch_policy *out,
		      struct sriov_error *err);
	/* All of our flows become those of @flows, as one bundle: all of it or nothing. */
	int (*flows)(struct sriov_host *host, const char *bridge, const struct openflow *flows,
		     struct sriov_error *err);
	/* Makes a meter, or changes the one of that id. */
	int (*meter_set)(struct sriov_host *host, const char *bridge,
			 const struct openflow_meter *meter, struct sriov_error *err);
	int (*meter_del)(struct sriov_host *host, const char *bridge, uint32_t id,
			 struct sriov_error *err);
};

extern const struct vswitch_ops vswitch_live_ops;
extern const struct vswitch_ops vswitch_sim_ops; /* only beside a simulated host_ops */

/* ---- health.c: pure ---- */

/* What keeps the port from being ready: a phrase, or NULL. */
const char *vswitch_unready(const struct sriov_vswitch_port *port, enum vswitch_ready ready);
/* A failure that waiting does not mend: OVS said that it cannot make the port. */
bool vswitch_failed(const struct sriov_vswitch_port *port);
bool vswitch_is_vhostuser(const struct sriov_vswitch_port *port);
/* "port vhu-web1: …", as an error of @code. */
int vswitch_port_error(const struct sriov_vswitch_port *port, int code, const char *why,
		       struct sriov_error *err);
/* -ECONNREFUSED: there is no such bridge, or its daemon is not there. */
int vswitch_no_answer(const char *bridge, struct sriov_error *err);
struct sriov_vswitch_bridge *vswitch_bridge(const struct sriov_vswitch *vswitch, const char *name);
/* @bridge NULL: on any. */
struct sriov_vswitch_port *vswitch_port(const struct sriov_vswitch *vswitch, const char *bridge,
					const char *name);
/* Refusals: 0 if this OVS forwards with DPDK; and if guests can have ports on @bridge. */
int vswitch_check_dpdk(const struct sriov_vswitch *vswitch, struct sriov_error *err);
int vswitch_check(const struct sriov_vswitch *vswitch, const char *bridge, struct sriov_error *err);

/* mask.c: OVS's masks of cores: hexadecimal, "0x10001"; "" is the empty set. -EINVAL, -ERANGE. */
int vswitch_mask_parse(const char *text, struct cpuset *out);
/* Whether a PMD thread runs, or would run, on @node: without a mask OVS starts one on every node that needs it. */
bool vswitch_polls_on(const struct sriov_vswitch *vswitch, const struct sriov_inventory *inv,
		      int node);
/* In fresh memory; NULL: no memory. */
char *vswitch_mask_text(const struct cpuset *cpus);

/* policy.c: pure. What makes @now the policy of @want, in this order; the same policy has none. 0 or -ENOMEM. */
struct vswitch_diff {
	struct openflow_meter *before; /* meters to set, before the flows that use them */
	size_t nbefore;
	bool flows;                   /* all flows of ours are to be set */
	struct openflow_meter *after; /* meters to delete, when no flow uses them any more */
	size_t nafter;
};
int vswitch_diff(const struct vswitch_policy *now, const struct openflow *want,
		 struct vswitch_diff *out);
void vswitch_diff_clear(struct vswitch_diff *diff);
#define _vswitch_diff_ _cleanup_(vswitch_diff_clear)

/* socket.c: a path that QEMU, as user @user (NULL: who libvirt runs it as here), can make a socket at. */
int vswitch_check_socket(const char *path, const char *user, struct sriov_error *err);
/* Makes the directory of sockets, for the user of QEMU (as above), if it is not there. */
int vswitch_make_sockets(const char *directory, const char *user, struct sriov_error *err);

#endif
