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

#define SRIOV_NET_LEN 32 /* of a physnet's name, with its end */

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
	char path[12]; /* vf, macvtap, tap */
	char kind[12]; /* of a VF: interface, raw, standby, hands-off; of macvtap its mode */
	char net[SRIOV_NET_LEN]; /* the physnet asked for; "" = none */
	char pf[SRIOV_PCI_LEN];
	int vf; /* -1 = not a VF */
	unsigned epoch;
	char address[SRIOV_PCI_LEN]; /* of the VF when the lease was made; "" = not a VF */
	int node;
	uint8_t mac[6]; /* zero = not known */
	unsigned vlan;
	char below
		[16]; /* what a tap (also of a standby pair) or macvtap is on: bridge, PF's netdev */
	unsigned queues; /* of macvtap and tap */
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
	enum sriov_numa numa;
	enum sriov_pick pick;
	const char *near;                  /* PCI address, with SRIOV_PICK_NEAR */
	const char *pool;                  /* NULL = ours */
	enum sriov_path path[SRIOV_PATHS]; /* in order of preference */
	size_t npaths;                     /* 0 = vf, vhostuser */
	const char *domain_xml;            /* of sriov_guest_xml(): text of a domain, or NULL */
	struct sriov_vf_attrs attrs;       /* what the guest's VF gets; has says which */
	bool mac_auto;                     /* not attrs.mac: the VF's stable automatic one */
	bool raw;                          /* a plain <hostdev>: MAC and VLAN are ours */
	bool standby;       /* also a virtio NIC on @bridge, the VF beside it (teaming) */
	bool hands_off;     /* only the lease: no domain is touched */
	const char *bridge; /* of path tap and of standby */
	const char *mode;   /* of macvtap; NULL = bridge */
	unsigned queues;    /* of macvtap and tap, 0 = 1 */
	bool live, config;  /* which definitions; neither = those that there are */
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

/* Networks: a name and the PFs (netdevs or PCI addresses) that are on it. */
struct sriov_physnet {
	char name[SRIOV_NET_LEN];
	char (*pf)[SRIOV_PCI_LEN];
	size_t npfs;
};
/* Makes or changes one. -EEXIST: a PF is on another; -EBUSY: a lease is of a PF that would go. */
int sriov_physnet_add(struct sriov_host *host, const char *name, const char *const *pf, size_t npfs,
		      bool dry_run, struct sriov_error *err);
int sriov_physnet_delete(struct sriov_host *host, const char *name, bool dry_run,
			 struct sriov_error *err);
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
