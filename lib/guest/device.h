/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The network devices that a guest can be given, on every path, as pure functions on libvirt's XML, and what a
 * domain must bring along for them. Element names and values follow libvirt's schema.
 *
 * What makes two devices the same (their identity): of a VF its PCI address, of vhost-user the socket, of the
 * others kind and MAC.
 */
#ifndef SRIOV_GUEST_DEVICE_H
#define SRIOV_GUEST_DEVICE_H

#include "lib/guest/guest.h"

enum guest_path { GUEST_VF, GUEST_VHOSTUSER, GUEST_MACVTAP, GUEST_TAP };
extern const char *const guest_path_words[]; /* "vf", "vhostuser", "macvtap", "tap", NULL */

enum guest_macvtap { MACVTAP_VEPA, MACVTAP_BRIDGE, MACVTAP_PRIVATE, MACVTAP_PASSTHROUGH };
extern const char *const guest_macvtap_words[];

/*
 * A <teaming> pair (virtio_net failover): the persistent half is a virtio device on a bridge or vhost-user, the
 * transient half is the VF; both have the same MAC and name the persistent half's alias.
 */
enum guest_team { TEAM_NONE, TEAM_PERSISTENT, TEAM_TRANSIENT };

struct guest_device {
	enum guest_path path;
	uint8_t mac[6]; /* zero only with raw */
	enum guest_team team;
	char alias[64]; /* of the persistent half, "ua-…"; "" without a team */

	/* GUEST_VF */
	char address[SRIOV_PCI_LEN];
	uint16_t vlan; /* 0 = none */
	bool raw;      /* <hostdev>: libvirt touches neither MAC nor VLAN */

	/* virtio: GUEST_VHOSTUSER, GUEST_MACVTAP, GUEST_TAP */
	unsigned queues; /* 0 = one, not said */
	unsigned ring;   /* vhost-user: rx and tx_queue_size, 256, 512 or 1024; 0 = not said */
	char socket[108];
	enum guest_macvtap mode;
	char netdev[16]; /* below the macvtap; the bridge of a tap */
	/* GUEST_MACVTAP, GUEST_TAP: what the guest may send, in libvirt's 1000 bytes a second; 0 = any amount */
	bool has_rate;
	uint64_t rate;
};

/* "VF 0000:81:10.6", "macvtap 52:54:00:12:34:56 on ens2f0"; for messages. */
#define GUEST_LABEL 136
const char *guest_device_label(const struct guest_device *device, char buf[GUEST_LABEL]);

/* The device's element alone, indented for reading. -EINVAL, -ERANGE: libvirt would refuse it, and why. */
int guest_device_xml(const struct guest_device *device, char **out, struct sriov_error *err);
/* The reverse. -EOPNOTSUPP: a device that is none of ours (another type, a libvirt network). */
int guest_device_parse(const char *xml, struct guest_device *out, struct sriov_error *err);

/* Whether the domain has a device of the same identity; *@out (may be NULL) is what it says of it. */
int guest_device_find(const char *domain, const struct guest_device *device, bool *found,
		      struct guest_device *out, struct sriov_error *err);
/* The domain's own element for it, with the guest's PCI address and alias. -ENODEV: it has none. */
int guest_device_text(const char *domain, const struct guest_device *device, char **out,
		      struct sriov_error *err);
/*
 * The domain with the device, or without it, in its author's layout. Adding one that is there as wanted, and
 * removing one that is not there, give the domain as it was. Adding replaces what has its identity; -EEXIST: two
 * others claim it, or a <hostdev> of the author's has the VF.
 */
int guest_device_add(const char *domain, const struct guest_device *device, char **out,
		     struct sriov_error *err);
int guest_device_remove(const char *domain, const struct guest_device *device, char **out,
			struct sriov_error *err);
/* The domain with another limit on what the guest sends by that device, and nothing else changed. -ENODEV. */
int guest_device_limit(const char *domain, const struct guest_device *device, char **out,
		       struct sriov_error *err);

/*
 * What would make an attach of @device fail later, told before: of the domain that runs (@live) or that will be
 * started. 0, or an error that says what the domain lacks:
 *   -ENOSPC     live: no spare pcie-root-port on a q35 machine
 *   -ENOBUFS    VF: <memtune><hard_limit> is below what libvirt locks for VFIO (memory + 1 GiB)
 *   -EOPNOTSUPP vhost-user: guest memory is not shared
 */
int guest_device_check(const char *domain, const struct guest_device *device, bool live,
		       struct sriov_error *err);

#endif
