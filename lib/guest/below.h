/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What carries the VLAN of a macvtap or tap, for which libvirt has no words: a VLAN netdev over the PF, and for taps a
 * bridge of which it is the one port. Pure functions of the host's netdevs.
 */
#ifndef SRIOV_GUEST_BELOW_H
#define SRIOV_GUEST_BELOW_H

#include "lib/guest/guest.h"

/* What those of ours are called: "ens2f0.100" and "br-ens2f0.100", by the PCI address where that is too long. */
struct vlan_names {
	char netdev[16], bridge[16];
};
void guest_vlan_names(const struct sriov_pf *pf, uint16_t vlan, struct vlan_names *out);

/* Whether the lease has a VLAN, and a macvtap or tap (also that of a standby pair) that must carry it. */
bool guest_lease_is_tagged(const struct sriov_lease *lease);
/* … a tap; else it is a macvtap. */
bool guest_lease_is_tap(const struct sriov_lease *lease);
/* … on netdevs of ours, or that we would make: false if it is on somebody else's. */
bool guest_lease_is_on_ours(const struct sriov_lease *lease, const struct sriov_pf *pf);

/*
 * Whether VLAN @vlan of @pf is, or can be made, what a tap (@tap) or macvtap of @guest needs:
 *   -EBUSY     it is a bridge's port, or has macvtaps on it: the kernel lets none be both
 *   -EEXIST    it, or a name that it would have, is somebody else's
 *   -ENETDOWN  the PF is down, and so would be what is on it
 *   -ENODEV    the PF has no netdev
 *   -ERANGE    there is no such VLAN
 */
int guest_vlan_check(const struct host_links *links, const struct sriov_pf *pf, uint16_t vlan,
		     bool tap, const char *guest, struct sriov_error *err);
/* What somebody else made for the lease must be there, and of that VLAN. -ENODEV. */
int guest_vlan_check_others(const struct host_links *links, const struct sriov_lease *lease,
			    struct sriov_error *err);

/* The netdev for a macvtap: the one that is there, or the name of ours to be made. */
int guest_vlan_macvtap(const struct host_links *links, const struct sriov_pf *pf, uint16_t vlan,
		       const char *guest, char below[16], struct sriov_error *err);
/*
 * The bridge for a tap that shall be on @bridge: that one, if one of its ports is a VLAN netdev of that id (*@pf is
 * NULL: the guest may be of any); else the one of ours, over the one PF that is its port.
 */
int guest_vlan_tap(const struct host_links *links, const struct sriov_inventory *inv,
		   const char *bridge, uint16_t vlan, const char *guest, const struct sriov_pf **pf,
		   char below[16], struct sriov_error *err);

/* Who has something on the netdev or bridge @link, and what: "macvtap3 is on it". False: nobody has. */
bool guest_link_held(const struct host_links *links, const struct host_link *link,
		     const uint8_t *except_mac, char *why, size_t size);

#endif
