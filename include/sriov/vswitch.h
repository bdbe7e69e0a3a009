/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Open vSwitch with DPDK, as far as guests' vhost-user ports are concerned: what it has, and whether each port is
 * polled on the NUMA node of its guest.
 */
#ifndef SRIOV_VSWITCH_H
#define SRIOV_VSWITCH_H

#include <sriov/guest.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A port of a bridge with one interface, or an interface of a bond. */
struct sriov_vswitch_port {
	char name[SRIOV_NAME_LEN];
	char type[32];                 /* "dpdkvhostuserclient", "dpdk", "internal", … */
	char socket[SRIOV_SOCKET_LEN]; /* of vhost-user; "" = it has none */
	char devargs[SRIOV_NAME_LEN];  /* of dpdk: what device it is; "" = it has none */
	int ofport;      /* 0 = OVS has not looked at it yet, -1 = it could not make it */
	char error[256]; /* OVS's own words; "" = none */
	char status[16]; /* of vhost-user: "connected", "disconnected" */
	bool link_up;
	unsigned mtu;         /* 0 = it has none yet, or memory for its packets was not found */
	unsigned mtu_request; /* 0 = not asked for one */
	unsigned queues;      /* that its guest has, 0 = not known */
	int node;             /* of the guest's memory, or of the device; -1 = not known */
	char affinity[128];   /* other_config:pmd-rxq-affinity */
	char guest[SRIOV_NAME_LEN], uuid[40], iface_id[SRIOV_NAME_LEN]; /* external_ids */
	uint8_t mac[6];
	bool ours; /* external_ids:sriovctl-guest is there */
};

struct sriov_vswitch_bridge {
	char name[SRIOV_NAME_LEN];
	char datapath
		[16]; /* "netdev" = in user space, where DPDK is; "" or "system" = in the kernel */
	char fail_mode[16]; /* "secure", "standalone", "" = standalone */
	bool ours;          /* external_ids:sriovctl is there */
	char owner
		[192]; /* whose it is, if not ours or the administrator's, and how that is known */
	struct sriov_vswitch_port *port;
	size_t nports;
};

/* A queue of a port, and the PMD thread that polls it. */
struct sriov_vswitch_rxq {
	char port[SRIOV_NAME_LEN];
	unsigned queue;
	int core; /* -1 = nobody polls it */
	int node; /* of the core */
	bool enabled;
};

struct sriov_vswitch {
	char rundir[SRIOV_SOCKET_LEN];
	char version[32], dpdk_version[32]; /* "" = not said */
	bool dpdk;                          /* it is a build with DPDK */
	bool dpdk_init;                     /* other_config:dpdk-init */
	bool dpdk_initialized;              /* and it runs with it */
	char pmd_cpu_mask[512];             /* other_config, "" = OVS's own choice */
	char socket_mem[128];               /* other_config:dpdk-socket-mem */
	bool per_port_memory;               /* other_config:per-port-memory */
	struct sriov_vswitch_bridge *bridge;
	size_t nbridges;
	struct sriov_vswitch_rxq *rxq; /* of ovs-vswitchd itself; NULL = it could not be asked */
	size_t nrxqs;
	char rxq_why[192]; /* why not */
};
void sriov_vswitch_free(struct sriov_vswitch *vswitch);

/*
 * Reads it: OVSDB at $OVS_RUNDIR/db.sock (/run/openvswitch), and the queues from ovs-vswitchd's control socket. -ENOENT,
 * -ECONNREFUSED: there is no OVS. The caller frees *@out.
 */
int sriov_vswitch_read(struct sriov_host *host, struct sriov_vswitch **out,
		       struct sriov_error *err);

/* Something of OVS that keeps a guest's port from being healthy, or local to the guest. */
struct sriov_advice {
	const char *
		id; /* a stable word: "no-local-pmd", "no-local-memory", "remote-queue", "port-failed" … */
	char object[96];    /* "node 1", "port vhu-web1" */
	char finding[256];  /* what is wrong */
	char evidence[320]; /* how that is known */
	char command[384];  /* what would mend it, for a shell; "" = no command does */
	char then[192];     /* what the command disrupts, or what to do instead */
};

/*
 * What of @vswitch is not as its guests' ports need it, on a host with the nodes and cores of @inv (read with NODES and
 * CPUS). Pure. The caller frees the array.
 */
int sriov_vswitch_advise(const struct sriov_vswitch *vswitch, const struct sriov_inventory *inv,
			 struct sriov_advice **out, size_t *n, struct sriov_error *err);

/*
 * Reads both and advises. A port that seems unhealthy is read a second time, because OVS shows links late after its own
 * restart. The caller frees *@out and *@advice.
 */
int sriov_vswitch_check(struct sriov_host *host, struct sriov_vswitch **out,
			struct sriov_advice **advice, size_t *n, struct sriov_error *err);

#ifdef __cplusplus
}
#endif
#endif
