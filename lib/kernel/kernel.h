/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside lib/kernel/: how we talk to the kernel, one file per interface. Nothing here knows of plans,
 * pools or leases. Builders and parsers are pure; the functions that speak to the kernel stand apart
 * from them and are thin. Directories are descriptors, so that tests put a tree of their own under them.
 */
#ifndef SRIOV_KERNEL_H
#define SRIOV_KERNEL_H

#include "lib/core/core.h"

#include <linux/ethtool.h>
#include <linux/netlink.h>
#include <sriov/host.h>

struct nl_msg;
struct ifreq;

/*
 * netlink.c: one request, its answer, and the kernel's own words, on any netlink socket. libnl 3.7 maps
 * errno to its NLE_* and back again with losses, so messages are sent and received on the descriptor.
 */
struct netlink_error {
	int code;        /* negative errno, 0 = acknowledged */
	char text[160];  /* NLMSGERR_ATTR_MSG, "" if the kernel sent none */
	uint32_t offset; /* NLMSGERR_ATTR_OFFS: bytes into the request; 0 = not said */
};
/* Asks for extended ACKs, without a copy of the request in them. */
int netlink_setup(int fd);
/* Pure: reads an NLMSG_ERROR message of @len readable bytes. -EBADMSG if it is none or malformed. */
int netlink_error_parse(const struct nlmsghdr *msg, size_t len, struct netlink_error *out);
/* The kernel's words: its text and where in the request it points, else errno's text. */
void netlink_error_words(const struct netlink_error *error, char *buf, size_t size);
/* One datagram, of whatever size, in fresh memory. Returns its length or a negative errno. */
ssize_t netlink_receive(int fd, int flags, void **out);
/*
 * Sends @req (its sequence number is set here) with NLM_F_ACK and calls @answer for every message that
 * answers it. Returns 0, or a negative errno with the kernel's words in @error.
 */
typedef int (*netlink_answer)(const struct nlmsghdr *msg, void *data);
int netlink_request(int fd, struct nlmsghdr *req, netlink_answer answer, void *data,
		    struct netlink_error *error);

/*
 * vfinfo.c: VF attributes as IFLA_VFINFO_LIST, both ways, pure.
 * Build: an RTM_SETLINK of one VF with the attributes that have a has-bit, in the order in which the
 * kernel applies them; NULL if there is no memory or no attribute. The caller frees it (nlmsg_free()).
 * Parse: the VFs of an RTM_NEWLINK into attrs[VF index], for indices below @n; others are skipped, and so
 * is every attribute we have no word for. -EBADMSG for a malformed message, with @attrs untouched.
 */
struct nl_msg *vfinfo_build(int ifindex, unsigned vf, const struct sriov_vf_attrs *attrs);
int vfinfo_parse(const struct nlmsghdr *msg, struct sriov_vf_attrs *attrs, size_t n);

/* rtnl.c: links and routes. */
struct rtnetlink;
struct link_facts {
	int ifindex, master; /* master: ifindex, 0 = none */
	char name[16];
	bool up, carrier;
	unsigned mtu;
	uint8_t mac[6], perm_mac[6]; /* zero if the kernel does not say */
};
struct route_facts {
	bool local;       /* to this host itself */
	unsigned dst_len; /* of the route that matched, if asked for */
	int ifindex[8];   /* output interfaces, several for a multipath route */
	size_t n;
};
int rtnetlink_open(struct rtnetlink **out, struct sriov_error *err);
void rtnetlink_close(struct rtnetlink *rtnl);
/* One message; the VFs' attributes come with the same answer if @attrs is given (@n of them). */
int rtnetlink_link(struct rtnetlink *rtnl, const char *object, int ifindex, struct link_facts *out,
		   struct sriov_vf_attrs *attrs, size_t n, struct sriov_error *err);
/* The first link of that address, by one dump; -ENODEV (no error set): there is none. */
int rtnetlink_by_mac(struct rtnetlink *rtnl, const uint8_t mac[6], struct link_facts *out,
		     struct sriov_error *err);
/*
 * VEB or VEPA: one dump of what links say of bridging; SRIOV_BRIDGE_UNKNOWN if this one says nothing (ixgbe
 * without VFs).
 */
int rtnetlink_bridge(struct rtnetlink *rtnl, const char *object, int ifindex,
		     enum sriov_bridge *out, struct sriov_error *err);
/* Pure: the mode in an RTM_NEWLINK of the bridge family; SRIOV_BRIDGE_UNKNOWN if it has none. */
int bridge_mode_parse(const struct nlmsghdr *msg, int *ifindex, enum sriov_bridge *out);
int rtnetlink_up(struct rtnetlink *rtnl, const char *object, int ifindex, bool up,
		 struct sriov_error *err);
int rtnetlink_vf(struct rtnetlink *rtnl, const char *object, int ifindex, unsigned vf,
		 const struct sriov_vf_attrs *attrs, struct sriov_error *err);
/*
 * One look-up, as for a packet of this host to @addr (network order). @match: say which route matched,
 * not only where it goes. -ENETUNREACH or another errno if there is no route; no error is set.
 */
int rtnetlink_route(struct rtnetlink *rtnl, int family, const void *addr, bool match,
		    struct route_facts *out);
/* Pure: the answers to the two questions. -EBADMSG if malformed, with @out untouched. */
int link_facts_parse(const struct nlmsghdr *msg, struct link_facts *out);
int route_facts_parse(const struct nlmsghdr *msg, struct route_facts *out);

/* The socket, and the error for a request about @object that the kernel refused: for files beside rtnl.c. */
int rtnetlink_fd(const struct rtnetlink *rtnl);
int rtnetlink_refused(struct sriov_error *err, const struct netlink_error *words,
		      const char *object, const char *what);

/* fdb.c: unicast addresses that a link takes beside its own (`bridge fdb … self`). */
int rtnetlink_fdb_has(struct rtnetlink *rtnl, const char *object, int ifindex, const uint8_t mac[6],
		      bool *out, struct sriov_error *err);
int rtnetlink_fdb_set(struct rtnetlink *rtnl, const char *object, int ifindex, const uint8_t mac[6],
		      bool on, struct sriov_error *err);
/* Pure: whether an RTM_NEWNEIGH is the link's own entry for @mac. -EBADMSG: malformed. */
int fdb_parse(const struct nlmsghdr *msg, int ifindex, const uint8_t mac[6], bool *is);

/* links.c: all netdevs with what they are on; and VLANs and bridges made. */
#define LINK_ALIAS "sriovctl"      /* marks those that are ours */
#define LINK_HALF_GROUP 0x73726976 /* "sriv": ours too, and not marked yet */
#define LINK_MESSAGE 256
struct link_seen {
	int ifindex, lower, master; /* 0 = none */
	char name[16], kind[16], alias[32];
	uint32_t group;
	uint16_t vlan, vlan_proto; /* of kind vlan */
	uint8_t mac[6];
	bool up;
	bool abroad;    /* what it is on is in another namespace */
	bool addressed; /* it has an address that is not of its link alone */
};
struct link_new {
	const char *name;
	uint16_t vlan; /* of a VLAN netdev; 0: it is a bridge */
	int lower;
	unsigned mtu;
};
/* Two dumps; the caller frees *@out. */
int rtnetlink_links(struct rtnetlink *rtnl, struct link_seen **out, size_t *n,
		    struct sriov_error *err);
/*
 * Makes it, down and of the group; then up, marked, and (@master, its ifindex) the port of a bridge, without an IPv6
 * address of the link: the VLAN is its guests', and the host shall not be reached by it.
 */
int rtnetlink_link_new(struct rtnetlink *rtnl, const struct link_new *link,
		       struct sriov_error *err);
int rtnetlink_link_ready(struct rtnetlink *rtnl, const char *name, int master,
			 struct sriov_error *err);
int rtnetlink_link_del(struct rtnetlink *rtnl, const char *name, struct sriov_error *err);
/* Pure. -EBADMSG: malformed, with the output untouched. @ifindex: 0 if the address is of its link alone. */
int link_seen_parse(const struct nlmsghdr *msg, struct link_seen *out);
int address_parse(const struct nlmsghdr *msg, int *ifindex);
/* Pure. @buf is aligned as a struct nlmsghdr. */
void link_new_build(const struct link_new *link, char buf[LINK_MESSAGE]);
void link_quiet_build(const char *name, char buf[LINK_MESSAGE]);
void link_ready_build(const char *name, int master, char buf[LINK_MESSAGE]);

/* events.c: "something happened on links or devices; look again". */
struct events;
int events_open(struct events **out, struct sriov_error *err);
void events_close(struct events *events);
/* Throws away what is queued. Returns whether there was something, or a negative errno. */
int events_drain(int fd);
int events_forget(struct events *events, struct sriov_error *err);
int events_wait(struct events *events, int64_t deadline_ms, struct sriov_error *err);

/* ethnl.c: ethtool over generic netlink. */
struct ethnl;
int ethnl_open(struct ethnl **out, struct sriov_error *err);
void ethnl_close(struct ethnl *eth);
int ethnl_ntuple_get(struct ethnl *eth, const char *object, int ifindex, enum sriov_ntuple *out,
		     struct sriov_error *err);
/* Reads back: the kernel may answer ok and change nothing. */
int ethnl_ntuple_set(struct ethnl *eth, const char *object, int ifindex, bool on,
		     struct sriov_error *err);
/* Pure: the ntuple bit in a FEATURES_GET reply. */
int ethnl_ntuple_parse(const struct nlmsghdr *msg, enum sriov_ntuple *out);

/* ethioctl.c: ethtool by ioctl, for what has no netlink form: driver facts, RX rings, the ntuple table. */
struct ethioctl {
	int fd;
	int (*call)(int fd, struct ifreq *ifr); /* SIOCETHTOOL; 0 or a negative errno */
};
struct ethtool_facts {
	char driver[32], version[64], firmware[64];
};
int ethioctl_open(struct ethioctl *eth, struct sriov_error *err);
void ethioctl_close(struct ethioctl *eth);
/* One SIOCETHTOOL: @command begins with its ETHTOOL_* number. 0 or a negative errno. */
int ethioctl_ask(const struct ethioctl *eth, const char *netdev, void *command);
int ethioctl_driver(const struct ethioctl *eth, const char *netdev, struct ethtool_facts *out,
		    struct sriov_error *err);
int ethioctl_rings(const struct ethioctl *eth, const char *netdev, unsigned *out,
		   struct sriov_error *err);
/* The whole table in location order; the caller frees it. -EOPNOTSUPP: the driver has no such table. */
int ethioctl_rules(const struct ethioctl *eth, const char *netdev, struct sriov_entry **out,
		   size_t *n, unsigned *max, struct sriov_error *err);
/*
 * One call each, without a look at what came of it: who changes rules reads the table once, after all of
 * them. A location above 65535 is not deleted (-ERANGE), because drivers cut it to 16 bits.
 */
int ethioctl_rule_insert(const struct ethioctl *eth, const char *netdev,
			 const struct sriov_entry *entry, struct sriov_error *err);
int ethioctl_rule_delete(const struct ethioctl *eth, const char *netdev, uint32_t loc,
			 struct sriov_error *err);

/* stats.c: the driver's own counters, by name; the caller frees the array. -EOPNOTSUPP: it has none. */
struct ethtool_stat {
	char name[ETH_GSTRING_LEN + 1];
	uint64_t value;
};
int ethioctl_stats(const struct ethioctl *eth, const char *netdev, struct ethtool_stat **out,
		   size_t *n, struct sriov_error *err);

/*
 * rss.c: the port's own RSS context. Setting changes the indirection table; the hash key and function are left
 * alone. The caller frees @out->table; the key has no bytes if the hash is another than Toeplitz.
 */
struct ethtool_rss {
	uint32_t *table;
	size_t n;
	uint8_t key[SRIOV_RSS_KEY_MAX];
	size_t nkey;
};
int ethioctl_rss_get(const struct ethioctl *eth, const char *netdev, struct ethtool_rss *out,
		     struct sriov_error *err);
/* enum sriov_hash of the types with ports, 0 where the driver does not say. */
int ethioctl_rss_fields(const struct ethioctl *eth, const char *netdev,
			uint8_t out[SRIOV_FLOW_TYPES], struct sriov_error *err);
int ethioctl_rss_set(const struct ethioctl *eth, const char *netdev, const uint32_t *table,
		     size_t n, struct sriov_error *err);

/*
 * frames.c: Ethernet frames of UDP over IPv4, sent and counted on netdevs. The frame is a pure function of
 * its parts; TTL 1, because nobody shall route it. Receiving sees only what comes in, and only whole frames
 * equal to the one looked for.
 */
#define FRAME_SIZE 60 /* what Ethernet pads to, without FCS */
struct frame {
	uint8_t dst_mac[6], src_mac[6];
	uint8_t src_ip[4], dst_ip[4];
	uint16_t src_port, dst_port;
	uint64_t token; /* in the payload: tells our frames from all others */
};
void frame_build(const struct frame *frame, uint8_t out[FRAME_SIZE]);
/* A packet socket on @ifindex; of one that listens, what came in before is not seen. Negative errno. */
int frames_open(int ifindex, bool listens);
/* -ENOBUFS: the queue is full, try again. */
int frames_send(int fd, int ifindex, const uint8_t frame[FRAME_SIZE]);
/* How many such frames have come in since the last call; does not wait. */
int frames_count(int fd, const uint8_t frame[FRAME_SIZE]);

/* supervise.c: sysfs accesses that can hang in the kernel, in a child with a deadline. */
struct supervisor;
struct supervised {
	int dir; /* descriptor that @path is relative to */
	const char *path;
	const char *object;  /* for errors: whom this is about */
	int64_t deadline_ms; /* core_monotonic_ms() */
	const int *lock_fd;  /* held by the child for as long as the kernel takes */
	size_t nlocks;
};
/* The child is forked at the first access and kept; *@sup is NULL before that. */
int supervise_write(struct supervisor **sup, const struct supervised *what, const char *text,
		    struct sriov_error *err);
/* The first line of a file. */
int supervise_read(struct supervisor **sup, const struct supervised *what, char *buf, size_t size,
		   struct sriov_error *err);
void supervise_close(struct supervisor *sup);
/* -ETIMEDOUT, -EPROTO for an answer that is none, -ECHILD if the child is gone; else the child's result. */
struct supervise_reply {
	uint32_t sequence;
	int32_t result; /* 0 or a negative errno */
	int32_t opened; /* false: the file could not even be opened */
	char text[64];  /* of a read */
};
int supervise_await(int fd, uint32_t sequence, int64_t deadline_ms, struct supervise_reply *out);

/* sysfs.c: PFs and VFs; nodes.c: the host. All relative to the descriptor of /sys. */
int sysfs_list(int sys, char (**out)[SRIOV_PCI_LEN], size_t *n, struct sriov_error *err);
/* Netdev or PCI address to the PF's address. -ENODEV: no such device; -ENOTSUP: it is not a PF. */
int sysfs_find(int sys, const char *name, char out[SRIOV_PCI_LEN], struct sriov_error *err);
/* Everything of @pf that sysfs has; its VFs are counted, not read. -ENODEV if it has gone. */
int sysfs_pf(int sys, const char *address, struct sriov_pf *pf, struct sriov_error *err);
/* pf->vf, without driver_override, whose reading can hang (see live.c). */
int sysfs_vfs(int sys, struct sriov_pf *pf, struct sriov_error *err);
int sysfs_nodes(int sys, struct sriov_node **out, size_t *n, struct sriov_error *err);
/*
 * irqs.c: the CPUs that take a PCI device's interrupts, as a list in fresh memory ("" without any); @proc is the
 * descriptor of /proc.
 */
int sysfs_irq_cpus(int sys, int proc, const char *address, char **out, struct sriov_error *err);
bool sysfs_iommu(int sys);
bool sysfs_has_driver(int sys, const char *driver); /* of PCI devices, loaded */
/* VFs that exist now: virtfnN links. sriov_numvfs is never read: it waits for the device lock. */
int sysfs_count_vfs(int sys, const char *address, unsigned *out);
/* Calls @fn for each entry but "." and ".."; stops at the first that returns non-zero and returns it. */
typedef int (*sysfs_entry)(int dir, const char *name, void *data);
int sysfs_each(int dir, const char *path, sysfs_entry fn, void *data);

/* vfio.c: who has the vfio devices of PFs and VFs open. @proc is the descriptor of /proc. */
int vfio_users(int sys, int proc, struct sriov_inventory *inv, struct sriov_error *err);
/* Pure: the guest's name on a QEMU command line (arguments separated by NUL), or -ENOENT. */
int vfio_guest_name(const char *cmdline, size_t len, char *out, size_t size);

#endif
