/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A host: the live one, or a simulated one kept in a file; and its inventory.
 */
#ifndef SRIOV_HOST_H
#define SRIOV_HOST_H

#include <sriov/error.h>
#include <sriov/flow.h>
#include <sriov/nic.h>
#include <sriov/vf.h>

#ifdef __cplusplus
extern "C" {
#endif

struct sriov_host;

/*
 * Opens the live host (@spec NULL or "") or the simulated host kept in a file (@spec "FILE"). A simulated host
 * simulates libvirt too, unless "FILE,libvirt=live" says that guests are real. Nothing is created, connected or
 * locked by opening. The caller closes it with sriov_host_close() (NULL is fine).
 */
int sriov_host_open(const char *spec, struct sriov_host **out, struct sriov_error *err);
void sriov_host_close(struct sriov_host *host);
/*
 * Which libvirt is asked, as in virsh -c; without this qemu:///system. -EINVAL on a host whose libvirt is
 * simulated. Nothing is connected before the first call that needs it.
 */
int sriov_host_uri(struct sriov_host *host, const char *uri, struct sriov_error *err);

/* Something that uses a PF or a VF, and how that is known. */
struct sriov_use {
	char who[SRIOV_NAME_LEN * 2]; /* "default route", "guest web1 (running)", "netns" */
	char how[192]; /* the evidence: "lease 7", "/run/libvirt/qemu/web1.xml", "eth2 is up" */
	bool running;  /* traffic or a running guest would be hit now */
	bool libvirt_net; /* a running <interface type='hostdev'>: libvirt owns the VF's MAC and VLAN */
	bool unreadable; /* evidence exists that could not be read: counts as used */
	bool lease;      /* our own record, not what was found on the host */
};

struct sriov_uses {
	struct sriov_use *at;
	size_t n;
};

struct sriov_hugepages {
	unsigned size_kib;
	unsigned long total, free;
};

struct sriov_core {
	char cpus[64]; /* its hyper-threads: "0,16" */
};

struct sriov_node {
	int id;
	int socket;              /* -1 = not read */
	char cpus[256];          /* kernel list format: "0-7,16-23" */
	struct sriov_core *core; /* NULL = not read */
	size_t ncores;
	unsigned long memory_mib;
	struct sriov_hugepages huge[4];
	size_t nhuge;
};

struct sriov_vf {
	unsigned index;
	char address[SRIOV_PCI_LEN];
	char netdev[16]; /* "" if none in this network namespace */
	bool netdev_up;
	char master[16]; /* of the netdev; "" if none */
	bool in_netns;   /* bound to a network driver, but its netdev is in another namespace */
	char driver[32]; /* "" if unbound */
	char driver_override[32];
	int iommu_group;             /* -1 = none */
	struct sriov_vf_attrs attrs; /* as the PF's driver reports them; has = what was read */
	struct sriov_uses uses;      /* guests, netdevs, open vfio descriptors, leases */
	char pool[32];               /* "" = sriovctl's own */
};

enum sriov_tristate { SRIOV_UNKNOWN, SRIOV_NO, SRIOV_YES };
enum sriov_ntuple {
	SRIOV_NTUPLE_UNKNOWN,
	SRIOV_NTUPLE_OFF,
	SRIOV_NTUPLE_ON,
	SRIOV_NTUPLE_OFF_FIXED
};

/* What of a packet the port's RSS hashes; 0 = not read. */
enum sriov_hash {
	SRIOV_HASH_SRC_IP = 1 << 0,
	SRIOV_HASH_DST_IP = 1 << 1,
	SRIOV_HASH_IP = SRIOV_HASH_SRC_IP | SRIOV_HASH_DST_IP,
	SRIOV_HASH_SRC_PORT = 1 << 2,
	SRIOV_HASH_DST_PORT = 1 << 3,
	SRIOV_HASH_PORTS = SRIOV_HASH_SRC_PORT | SRIOV_HASH_DST_PORT,
};
#define SRIOV_RSS_KEY_MAX 64 /* ixgbe has 40 bytes, i40e 52 */

/* How the switch in the port treats packets between its functions. */
enum sriov_bridge {
	SRIOV_BRIDGE_UNKNOWN,
	SRIOV_BRIDGE_VEB,  /* it switches them inside the port */
	SRIOV_BRIDGE_VEPA, /* they leave for the switch at the other end of the cable */
};

struct sriov_pf {
	char address[SRIOV_PCI_LEN];
	char netdev[16]; /* "" if the driver has none */
	int ifindex;     /* 0 if no netdev */
	uint8_t mac[6], perm_mac[6];
	uint16_t vendor, device;
	char name[64]; /* "Intel 82599ES 10-Gigabit SFI/SFP+", or "8086:1234" */
	char driver[32], driver_version[64], firmware[64];
	char driver_override[32]; /* "" if not set, or not read */
	enum sriov_tristate in_tree;
	int node;       /* -1 = the firmware does not say */
	char *irq_cpus; /* list of the CPUs that take its interrupts; NULL = not read */
	int iommu_group;
	bool up, carrier;
	unsigned speed_mbps; /* 0 = unknown or no link */
	unsigned mtu;
	unsigned vfs, vfs_total;
	bool autoprobe;
	unsigned queues; /* RX rings as ETHTOOL_GRXRINGS says, 0 = not read */
	enum sriov_ntuple ntuple;
	struct sriov_uses uses;    /* what the host itself does with it */
	struct sriov_vf *vf;       /* vfs of them, in index order, if VFs were asked for */
	struct sriov_entry *rules; /* in location order */
	size_t nrules;
	unsigned rules_max; /* table size as the driver says, 0 = unknown */
	uint32_t *rss; /* RSS indirection table: RX queues; NULL if not read, or there is none */
	size_t nrss;
	uint8_t rss_key[SRIOV_RSS_KEY_MAX];   /* of its Toeplitz hash */
	size_t nrss_key;                      /* 0 = not read, or it hashes otherwise */
	uint8_t rss_fields[SRIOV_FLOW_TYPES]; /* enum sriov_hash, of the types with ports */
	enum sriov_bridge bridge;
	/*
	 * This instance of the driver was seen with an empty table before anybody's rules, so what it
	 * remembers besides the table is known.
	 */
	bool watched;
};

struct sriov_inventory {
	char kernel[65]; /* release: "6.12.0-…" */
	char hostname[65];
	char boot_id[40];
	bool iommu;
	enum sriov_tristate vfio; /* whether the driver vfio-pci is loaded */
	struct sriov_node *node;
	size_t nnodes;
	struct sriov_pf *pf;
	size_t npfs;
};

/* What to read; more costs more. PFs with their plain link facts are always read. */
enum sriov_what {
	SRIOV_READ_NODES = 1 << 0,
	SRIOV_READ_PORT = 1 << 1,  /* firmware, queues, ntuple by ethtool */
	SRIOV_READ_VFS = 1 << 2,   /* VFs as sysfs shows them */
	SRIOV_READ_ATTRS = 1 << 3, /* VF attributes: one netlink dump a PF */
	SRIOV_READ_USES = 1 << 4,  /* what the host itself does with the PF */
	SRIOV_READ_USERS = 1 << 5, /* who uses each VF */
	SRIOV_READ_RULES = 1 << 6, /* the ntuple table */
	SRIOV_READ_OVERRIDES =
		1 << 7, /* driver_override of PF and VFs: one supervised access each */
	SRIOV_READ_ALL = (1 << 8) - 1,
	/* only where it is asked for by name */
	SRIOV_READ_RSS = 1 << 8, /* the RSS indirection table and its key */
	/* what else decides on a packet's way: hashed fields, and VEB or VEPA */
	SRIOV_READ_PATH = 1 << 9,
	/*
	 * The cores of the nodes (through hwloc; nodes stay without them where it is not installed), and the CPUs
	 * that take each PF's interrupts.
	 */
	SRIOV_READ_CPUS = 1 << 10,
};

/*
 * Reads the PFs of the host, or only @pf (netdev or PCI address). -ENODEV: no such device;
 * -ENOTSUP: it is not a PF. The caller frees *@out with sriov_inventory_free() (NULL is fine).
 */
int sriov_inventory_read(struct sriov_host *host, const char *pf, unsigned what,
			 struct sriov_inventory **out, struct sriov_error *err);
void sriov_inventory_free(struct sriov_inventory *inv);

/*
 * The inventory as JSON text, which is also the format of a simulated host: what `host show --json`
 * and `host snapshot` print. The caller frees the text.
 */
int sriov_inventory_json(const struct sriov_inventory *inv, char **out, struct sriov_error *err);

#ifdef __cplusplus
}
#endif
#endif
