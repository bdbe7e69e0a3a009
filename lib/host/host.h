/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands between us and a host: one table of functions, live and simulated. Reading functions take
 * no lock; each effect is one kernel effect and is called under the PF's lock.
 */
#ifndef SRIOV_HOST_INTERNAL_H
#define SRIOV_HOST_INTERNAL_H

#include "lib/core/core.h"

#include <sriov/host.h>

struct store;
struct virt_ops;
struct vswitch_ops;

/* A netdev of the host, by name. */
struct netdev_facts {
	int ifindex;
	bool up, carrier;
	bool forwards; /* IPv4 that comes in on it may be routed on, or answered with ICMP */
	uint8_t mac[6];
};

/* One of all netdevs of this network namespace, and what it is on. */
struct host_link {
	char name[16];
	char kind[16];             /* "vlan", "bridge", "macvtap", …; "" = a device of its own */
	char lower[16];            /* that it is on, "" = none, or in another namespace */
	char master[16];           /* that it is a port of */
	uint16_t vlan, vlan_proto; /* of kind vlan */
	uint8_t mac[6];
	bool up;
	bool ours;      /* marked by us */
	bool half;      /* with ours: its making was interrupted */
	bool addressed; /* the host has an address on it, not of the link alone */
};
struct host_links {
	struct host_link *at;
	size_t n;
};

/* Where a PCI device hangs. */
struct pci_place {
	int node;       /* -1 = not said */
	char path[192]; /* as in sysfs: "pci0000:80/0000:80:01.0/0000:81:00.0" */
};

/* What a PF's hardware is, and how that is told. */
enum host_nature { NATURE_UNKNOWN, NATURE_SILICON, NATURE_EMULATED, NATURE_SIMULATED };
struct nature_facts {
	uint16_t subsystem_vendor; /* 0 = cannot be read */
	uint8_t perm_mac[6];
	enum sriov_tristate virtual_machine; /* this host is one */
};

/* Test frames: sent from one netdev, counted where they come in. */
#define EXCHANGE_PLACES 2
struct exchange {
	char from[16], to[16];           /* netdevs */
	char place[EXCHANGE_PLACES][16]; /* netdevs that listen */
	uint8_t src_mac[6], dst_mac[6];  /* zero = that of @from, of @to */
	uint8_t src_ip[4], dst_ip[4];
	uint16_t src_port, dst_port;
	unsigned count;   /* frames to send, at most */
	bool until_one;   /* one by one, and no more when one has arrived */
	const char *hits; /* the driver's counter of classified packets, NULL = it has none */
	/* results */
	unsigned sent, arrived[EXCHANGE_PLACES];
	int64_t hit; /* what the counter rose by, -1 = unknown */
};

struct host_ops {
	const char *name; /* "live", "simulated" */
	void (*close)(struct sriov_host *host);

	/* Reads the inventory, without what the store knows (leases, pools). See sriov_inventory_read(). */
	int (*read)(struct sriov_host *host, const char *pf, unsigned what,
		    struct sriov_inventory *inv, struct sriov_error *err);

	/* Effects. @pf was read by read(); its ifindex, netdev and driver are used. */
	int (*link_set)(struct sriov_host *host, const struct sriov_pf *pf, bool up,
			struct sriov_error *err);
	int (*autoprobe)(struct sriov_host *host, const struct sriov_pf *pf, bool on,
			 struct sriov_error *err);
	/* -ETIMEDOUT with status SRIOV_STUCK: the kernel did not come back by @deadline_ms (core_monotonic_ms). */
	int (*numvfs)(struct sriov_host *host, const struct sriov_pf *pf, unsigned n,
		      int64_t deadline_ms, struct sriov_error *err);
	/* One message. Attributes without a has-bit are left alone. -EAGAIN: the VF is in reset, try again. */
	int (*vf_set)(struct sriov_host *host, const struct sriov_pf *pf, unsigned vf,
		      const struct sriov_vf_attrs *attrs, struct sriov_error *err);
	/*
	 * Driver binding. A device's lock may be held by a call that does not return; a @deadline_ms of
	 * HOST_AT_ONCE says that nobody can hold it, because the device is unbound and was made by us
	 * a moment ago.
	 */
#define HOST_AT_ONCE 0
	/* Writes driver_override of a PCI device; "" clears it. */
	int (*override)(struct sriov_host *host, const struct sriov_pf *pf, const char *address,
			const char *driver, int64_t deadline_ms, struct sriov_error *err);
	int (*unbind)(struct sriov_host *host, const struct sriov_pf *pf, const char *address,
		      int64_t deadline_ms, struct sriov_error *err);
	int (*probe)(struct sriov_host *host, const struct sriov_pf *pf, const char *address,
		     int64_t deadline_ms, struct sriov_error *err);
	int (*ntuple)(struct sriov_host *host, const struct sriov_pf *pf, bool on,
		      struct sriov_error *err);
	int (*rule_insert)(struct sriov_host *host, const struct sriov_pf *pf,
			   const struct sriov_entry *entry, struct sriov_error *err);
	int (*rule_delete)(struct sriov_host *host, const struct sriov_pf *pf, uint32_t loc,
			   struct sriov_error *err);
	/* Writes the whole RSS indirection table; it has as many entries as read() shows. */
	int (*rss_set)(struct sriov_host *host, const struct sriov_pf *pf, const uint32_t *table,
		       size_t n, struct sriov_error *err);

	/*
	 * The driver's counters of these names. -EOPNOTSUPP: it has not all of them. NULL: there are none
	 * to read.
	 */
	int (*counters)(struct sriov_host *host, const struct sriov_pf *pf,
			const char *const *names, uint64_t *values, size_t n,
			struct sriov_error *err);

	/* The netdev of VF @vf up or down. */
	int (*vf_up)(struct sriov_host *host, const struct sriov_pf *pf, unsigned vf, bool up,
		     struct sriov_error *err);
	/*
	 * Sends and counts. Waits until all netdevs named have a carrier, at most to @deadline_ms (-ENOLINK),
	 * then for the frames, at most EXCHANGE_MS (or EXCHANGE_ONE_MS for each with until_one).
	 */
#define EXCHANGE_MS 1000
#define EXCHANGE_ONE_MS 500
	int (*exchange)(struct sriov_host *host, const struct sriov_pf *pf, struct exchange *what,
			int64_t deadline_ms, struct sriov_error *err);

	/* -ENODEV: there is none of that name in this network namespace. */
	int (*netdev)(struct sriov_host *host, const char *name, struct netdev_facts *out,
		      struct sriov_error *err);
	/*
	 * Frames for a unicast address that the PF takes beside its own, also from its VFs: what
	 * `bridge fdb … self` shows and sets. -EOPNOTSUPP: the driver has none (i40e without VFs).
	 */
	int (*fdb_has)(struct sriov_host *host, const struct sriov_pf *pf, const uint8_t mac[6],
		       bool *out, struct sriov_error *err);
	int (*fdb_set)(struct sriov_host *host, const struct sriov_pf *pf, const uint8_t mac[6],
		       bool on, struct sriov_error *err);

	/* Whether a driver takes the VF's interrupts: that of a guest too, which is how its use of the VF is seen. */
	int (*vf_driven)(struct sriov_host *host, const char *address, bool *out,
			 struct sriov_error *err);

	/* All netdevs; the caller calls links_clear(). */
	int (*links)(struct sriov_host *host, struct host_links *out, struct sriov_error *err);
	/*
	 * A VLAN netdev over @pf, or (vlan 0) a bridge: made unless it is @there, up, marked as ours, and the port of
	 * its master. -ENETDOWN: @pf is down.
	 */
	int (*link_make)(struct sriov_host *host, const struct sriov_pf *pf,
			 const struct host_link *want, bool there, struct sriov_error *err);
	int (*link_delete)(struct sriov_host *host, const struct sriov_pf *pf, const char *name,
			   struct sriov_error *err);

	/* 1 and the name of a netdev of this network namespace that has that address, or 0. */
	int (*mac_user)(struct sriov_host *host, const uint8_t mac[6], char *name, size_t size,
			struct sriov_error *err);
	/* -ENODEV: there is no PCI device at that address. */
	int (*pci_place)(struct sriov_host *host, const char *address, struct pci_place *out,
			 struct sriov_error *err);
	/* What the PF is made of: the facts that nature_judge() looks at, or the answer itself. */
	enum host_nature (*nature)(struct sriov_host *host, const struct sriov_pf *pf, char *why,
				   size_t size);

	/*
	 * Whether a call of an earlier command still hangs in the kernel for @pf. NULL where the PF's
	 * lock says so: a live call that hangs holds it.
	 */
	bool (*hangs)(struct sriov_host *host, const struct sriov_pf *pf);

	/*
	 * Waiting is for events. watch() starts to collect them, before the effect whose end is awaited;
	 * wait() returns 0 when something happened on the host's links or devices since the last call,
	 * -ETIMEDOUT at @deadline_ms. Events say only "look again".
	 */
	int (*watch)(struct sriov_host *host, struct sriov_error *err);
	int (*wait)(struct sriov_host *host, int64_t deadline_ms, struct sriov_error *err);
	/* For what the kernel has no event: sleeps @ms (the simulator moves its clock instead). */
	void (*pause)(struct sriov_host *host, unsigned ms);
	int64_t (*now_ms)(struct sriov_host *host); /* the clock that deadlines are in */
};

#define HOST_LOCKS_MAX 32
struct sriov_host {
	const struct host_ops *ops;
	void *priv;                        /* of the ops */
	const struct virt_ops *virt;       /* lib/guest/virt.h */
	void *virt_priv;                   /* of virt */
	char *uri;                         /* of libvirt, NULL = VIRT_URI */
	const struct vswitch_ops *vswitch; /* lib/vswitch/vswitch.h */
	char state_dir[256];               /* database and, simulated, locks */
	char lock_dir[256];
	struct store *store;                         /* opened at first use by store_get() */
	int lock_fd[HOST_LOCKS_MAX];                 /* locks held */
	char lock_of[HOST_LOCKS_MAX][SRIOV_PCI_LEN]; /* the PF that each is of, "" = of none */
	size_t nlocks;
};

extern const struct host_ops host_live_ops;
extern const struct host_ops host_sim_ops;
/* Set host->priv; called by sriov_host_open(). */
int host_live_open(struct sriov_host *host, struct sriov_error *err);
int host_sim_open(struct sriov_host *host, const char *file, struct sriov_error *err);

/* lib/host/host.c: a fresh inventory from ops->read(). */
int host_read(struct sriov_host *host, const char *pf, unsigned what, struct sriov_inventory **out,
	      struct sriov_error *err);

/* lib/host/snapshot.c: the one JSON form of an inventory; decoding checks types and ranges. */
json_t *inventory_encode(const struct sriov_inventory *inv);
int inventory_decode(const json_t *json, struct sriov_inventory **out, struct sriov_error *err);
/* Only members with a has-bit are there; decoding sets the has-bits of those that are. */
json_t *vf_attrs_encode(const struct sriov_vf_attrs *attrs);
int vf_attrs_decode(const json_t *json, struct sriov_vf_attrs *out, struct sriov_error *err);

/* lib/host/nature.c: pure; @why in words. */
enum host_nature nature_judge(const struct nature_facts *facts, char *why, size_t size);
const char *nature_word(enum host_nature nature); /* "silicon" */

/* lib/host/links.c: small helpers on netdevs. */
void links_clear(struct host_links *links);
#define _links_ _cleanup_(links_clear)
const struct host_link *links_find(const struct host_links *links, const char *name);
/* The VLAN netdev of that id (802.1Q) over @lower, of which the kernel has at most one; or NULL. */
const struct host_link *links_vlan(const struct host_links *links, const char *lower,
				   uint16_t vlan);

/* lib/host/inventory.c: small helpers on inventories. */
struct sriov_pf *inventory_add_pf(struct sriov_inventory *inv);
struct sriov_use *uses_add(struct sriov_uses *uses, bool running, const char *who, const char *how,
			   ...) __attribute__((format(printf, 4, 5)));
/* What people call the PF: its netdev, or its address if it has none. */
static inline const char *pf_label(const struct sriov_pf *pf)
{
	return pf->netdev[0] ? pf->netdev : pf->address;
}
/* The VF of that index; NULL if there is none (a deletion that hangs half-way leaves holes). */
static inline struct sriov_vf *pf_vf(const struct sriov_pf *pf, unsigned index)
{
	if (pf->vf && index < pf->vfs && pf->vf[index].index == index)
		return &pf->vf[index];
	for (unsigned i = 0; pf->vf && i < pf->vfs; i++)
		if (pf->vf[i].index == index)
			return &pf->vf[i];
	return NULL;
}
/* The entry of the port's table at @loc, or NULL. */
const struct sriov_entry *pf_rule(const struct sriov_pf *pf, uint32_t loc);
struct sriov_pf *inventory_find(const struct sriov_inventory *inv,
				const char *name); /* netdev or address */

#endif
