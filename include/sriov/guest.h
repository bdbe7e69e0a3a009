/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guests: which VF is whose, and the XML that gives it to libvirt.
 */
#ifndef SRIOV_GUEST_H
#define SRIOV_GUEST_H

#include <sriov/host.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SRIOV_NET_LEN 32     /* of a physnet's name, with its end */
#define SRIOV_SOCKET_LEN 108 /* of a unix socket's path, with its end: sun_path of unix(7) */

/*
 * What a guest holds: a VF, or a port on a PF. VF identity = PF (permanent MAC and PCI address), VF index,
 * epoch.
 */
struct sriov_lease {
	long id;
	char guest[SRIOV_NAME_LEN];
	char uuid[40];  /* "" until first seen */
	char state[16]; /* reserved, active, adopted, ending, stale */
	/* +1 each time that the hook of libvirt saw its guest stop */
	unsigned generation;
	char path[12]; /* vf, vhostuser, macvtap, tap */
	/*
	 * Of a VF, or of vhostuser what it would be of a VF: interface, raw, standby, hands-off; of macvtap its mode.
	 */
	char kind[12];
	char net[SRIOV_NET_LEN]; /* the physnet asked for; "" = none */
	char pf[SRIOV_PCI_LEN];
	int vf; /* -1 = not a VF */
	unsigned epoch;
	char address[SRIOV_PCI_LEN]; /* of the VF when the lease was made; "" = not a VF */
	int node;
	uint8_t mac[6]; /* zero = not known */
	unsigned vlan;
	/*
	 * What a vhost-user port, tap (also of a standby pair) or macvtap is on: bridge, PF's netdev; with a VLAN a
	 * netdev over the PF, or a bridge on that.
	 */
	char below[16];
	char socket[SRIOV_SOCKET_LEN]; /* of its vhost-user port; "" = it has none */
	unsigned queues;               /* of vhost-user, macvtap and tap */
	char pool[32];                 /* whose VFs are for it, on whatever path it is; "" = ours */
	char reason[160]; /* why it is on a path that was not the first choice; "" = it is not */
	/* what the guest wants beside MAC and VLAN, on whatever path it is */
	struct sriov_vf_attrs attrs;
	struct sriov_vf_attrs
		found;    /* what of the VF's attributes was changed for the guest, as it was */
	char uri[128];    /* of the libvirt that knows the guest; "" = the system's own */
	char created[32]; /* UTC, ISO 8601 */
};

/* The lease as one JSON object; the caller frees the text. */
int sriov_lease_json(const struct sriov_lease *lease, char **out, struct sriov_error *err);

/* How a guest is attached to a network. */
enum sriov_path {
	SRIOV_PATH_VF,
	SRIOV_PATH_VHOSTUSER,
	SRIOV_PATH_MACVTAP,
	SRIOV_PATH_TAP,
	SRIOV_PATHS,
};
const char *sriov_path_word(enum sriov_path path); /* "vf" */

/* What a NIC's distance from the guest's NUMA node decides. */
enum sriov_numa {
	SRIOV_NUMA_PREFERRED, /* its own node first, then its socket, then any */
	SRIOV_NUMA_REQUIRED,  /* its own node only */
	SRIOV_NUMA_SOCKET,    /* its own node, then its socket only */
	SRIOV_NUMA_ANY,
};

const char *sriov_numa_word(enum sriov_numa numa); /* "preferred" */

/* How guests are placed, as far as it is said. */
struct sriov_policy {
	enum sriov_path path[SRIOV_PATHS]; /* in order of preference */
	size_t npaths;                     /* 0 = not said */
	bool has_numa;
	enum sriov_numa numa;
};

/* Which PF comes first where several would do. */
enum sriov_pick {
	SRIOV_PICK_PACK,   /* the one with the most VFs taken */
	SRIOV_PICK_SPREAD, /* the one with the fewest */
	SRIOV_PICK_NEAR,   /* the nearest to a PCI device */
};

struct sriov_guest_request {
	const char *guest; /* name, or UUID of a domain that libvirt knows; required */
	const char *net;   /* physnet, or NULL */
	const char *pf;    /* netdev or PCI address, or NULL */
	int node;          /* NUMA node that it must be on, -1 = as the domain and @numa say */
	struct sriov_policy policy; /* not said: the physnet's, else vf, vhostuser and preferred */
	enum sriov_pick pick;
	const char *near;            /* PCI address, with SRIOV_PICK_NEAR */
	const char *pool;            /* NULL = ours */
	const char *domain_xml;      /* of sriov_guest_xml(): text of a domain, or NULL */
	struct sriov_vf_attrs attrs; /* what the guest's VF gets; has says which */
	bool mac_auto;               /* not attrs.mac: the VF's stable automatic one */
	bool raw;                    /* a plain <hostdev>: MAC and VLAN are ours */
	bool standby;                /* also a virtio NIC on @bridge, the VF beside it (teaming) */
	bool hands_off;              /* only the lease: no domain is touched */
	const char *bridge;          /* of path tap and of standby */
	const char *mode;            /* of macvtap; NULL = bridge */
	unsigned queues;             /* of macvtap and tap, 0 = 1 */
	bool live, config;           /* which definitions; neither = those that there are */
};

/*
 * Leases a free VF of the right node to a guest (the one it holds already, if it has one) and gives the
 * XML: the <interface type='hostdev'> element, or the whole domain with it and with numatune and vCPU
 * pinning for that node merged in. @reason (caller frees) says what was chosen and why. With @dry_run
 * nothing is recorded.
 */
int sriov_guest_xml(struct sriov_host *host, const struct sriov_guest_request *req, bool dry_run,
		    char **xml, struct sriov_lease *lease, char **reason, struct sriov_error *err);

/* The leases, oldest first; the caller frees the array. */
int sriov_guest_list(struct sriov_host *host, struct sriov_lease **out, size_t *n,
		     struct sriov_error *err);

/* What `guest check` and `guest gc` find of one lease. */
struct sriov_lease_state {
	struct sriov_lease lease; /* state as the host shows it now */
	bool stale;               /* nothing and nobody holds what it names */
	char why[192];            /* how that is known */
};
/* The leases with what the host shows of them; the caller frees the array. */
int sriov_lease_judge(struct sriov_host *host, struct sriov_lease_state **out, size_t *n,
		      struct sriov_error *err);

/* By what a bridge reaches the network. */
enum sriov_uplink {
	SRIOV_UPLINK_NONE,
	SRIOV_UPLINK_PORT,      /* a port that the bridge has already */
	SRIOV_UPLINK_VF,        /* a VF of the PF, trusted, given to DPDK */
	SRIOV_UPLINK_AF_PACKET, /* the PF itself, which the kernel keeps */
	SRIOV_UPLINK_AF_XDP,
	SRIOV_UPLINKS,
};
const char *sriov_uplink_word(enum sriov_uplink uplink); /* "af_packet" */

/* Networks: a name, the PFs that are on it, and the bridge of OVS that guests without a VF are on. */
struct sriov_physnet {
	char name[SRIOV_NET_LEN];
	char (*pf)[SRIOV_PCI_LEN];
	size_t npfs;
	char bridge[16]; /* "" = none: there is no path vhostuser */
	enum sriov_uplink uplink;
	char port[SRIOV_NAME_LEN];     /* of the bridge, to the network */
	char uplink_pf[SRIOV_PCI_LEN]; /* the PF beside the uplink: its rules hold on the bridge */
	unsigned uplink_vf;            /* SRIOV_UPLINK_VF */
	char sockets[80];              /* the directory in which QEMU makes its sockets */
	struct sriov_policy policy;    /* of guests that are attached to it and do not say */
	unsigned fallbacks;            /* guests that got another path because no VF was left */
};
/* The caller frees with sriov_physnets_free(). */
int sriov_physnet_list(struct sriov_host *host, struct sriov_physnet **out, size_t *n,
		       struct sriov_error *err);
void sriov_physnets_free(struct sriov_physnet *nets, size_t n);

/*
 * Puts VFs of a PF into a pool. Refused (-EBUSY) for a VF that a guest holds and which would leave its pool,
 * unless @force.
 */
int sriov_pool_set(struct sriov_host *host, const char *pf, const struct sriov_vfset *vfs,
		   const char *name, bool force, bool dry_run, struct sriov_error *err);

#ifdef __cplusplus
}
#endif
#endif
