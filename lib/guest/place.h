/* SPDX-License-Identifier: Apache-2.0 */
/* Placement: pure functions of an inventory (read with VFS, ATTRS, USERS and NODES, the store joined). */
#ifndef SRIOV_GUEST_PLACE_H
#define SRIOV_GUEST_PLACE_H

#include "lib/guest/guest.h"

struct guest_choice {
	const struct sriov_pf *pf;
	const struct sriov_vf *vf;
	int node; /* -1 = unknown */
	char reason[256];
};

/* "0000:81:00.0 (ens2f0)". */
const char *guest_pf_label(const struct sriov_pf *pf, char buf[40]);
/* The PF's node; on a host with one node that one, whatever the firmware says; -1 = unknown. */
int guest_pf_node(const struct sriov_inventory *inv, const struct sriov_pf *pf);
/* NULL for -1 and for a node that the host does not have. */
const struct sriov_node *guest_node_find(const struct sriov_inventory *inv, int node);
/* -ENETDOWN if libvirt could not give a VF of this PF to a guest now. */
int guest_pf_ready(const struct sriov_pf *pf, struct sriov_error *err);

/*
 * The first free VF of our own pool, in the order of node, PF address, VF index: on @only (may be NULL),
 * on @node (-1 = any). PFs that are down are passed over. -EUSERS: no free VF satisfies that (nothing
 * else gives this code), and the error says per PF what holds them; -ENETDOWN: only PFs that are down
 * have one.
 */
int guest_place(const struct sriov_inventory *inv, const struct sriov_pf *only, int node,
		struct guest_choice *out, struct sriov_error *err);

/*
 * What the <interface> of a VF must say, as libvirt rewrites MAC and VLAN of the VF from it: the
 * administrative MAC (the automatic one if there is none) and the VLAN. -EOPNOTSUPP: libvirt has no words
 * for this VLAN.
 */
int guest_interface_of(const struct sriov_inventory *inv, const struct sriov_pf *pf,
		       const struct sriov_vf *vf, struct guest_interface *out,
		       struct sriov_error *err);

#endif
