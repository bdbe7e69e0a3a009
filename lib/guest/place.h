/* SPDX-License-Identifier: Apache-2.0 */
/* Placement: pure functions of an inventory (read with VFS, ATTRS, USERS and NODES, the store joined). */
#ifndef SRIOV_GUEST_PLACE_H
#define SRIOV_GUEST_PLACE_H

#include "lib/guest/guest.h"

/* What guests of a PF's network have where no VF is left. */
struct guest_switching {
	const struct sriov_physnet *net; /* the network, if it has a bridge of OVS; else NULL */
	bool local;                      /* the bridge is polled on the PF's node */
};

/* What a place must be. Zero asks for a free VF of our own pool, preferably on node 0. */
struct guest_wish {
	const struct sriov_pf *const *only; /* PFs that it must be on */
	size_t nonly;                       /* 0 = any */
	const char *net; /* the physnet whose PFs they are, for errors; or NULL */
	int node;        /* of the guest, -1 = it is bound to none */
	enum sriov_numa numa;
	enum sriov_pick pick;
	const unsigned *distance; /* of each PF of the inventory, with SRIOV_PICK_NEAR */
	const char *pool;         /* NULL = our own */
	const struct guest_switching *switching; /* of each PF; NULL: there are no bridges */
	const struct sriov_pf *tap; /* that a tap is to be over; NULL: any, its bridge decides */
	enum sriov_path path[SRIOV_PATHS];
	size_t npaths; /* 0 = vf */
};

struct guest_choice {
	const struct sriov_pf *pf;
	const struct sriov_vf *vf;       /* NULL: the path is not a VF */
	const struct sriov_physnet *net; /* of path vhostuser */
	enum sriov_path path;
	bool fallback; /* the path wished first has no place that would do */
	int node;      /* -1 = unknown */
	char reason[320];
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
 * The best place there is: the nearest as @wish->numa says, there the first path that has one, there the PF
 * that @wish->pick likes best, then the lowest address and VF index. PFs that are down are passed over.
 * -EUSERS: there is none (nothing else gives this code), and the error says per PF what holds its VFs;
 * -ENETDOWN: only PFs that are down have one; -EINVAL: the PF asked for is on another node.
 */
int guest_place(const struct sriov_inventory *inv, const struct guest_wish *wish,
		struct guest_choice *out, struct sriov_error *err);

/*
 * The first stable automatic MAC of the VF that no port and no VF of @inv has, from the one of number *@salt on, which
 * is then that of the next.
 */
int guest_auto_mac(const struct sriov_inventory *inv, const struct sriov_pf *pf, unsigned vf,
		   unsigned *salt, uint8_t out[6], struct sriov_error *err);
/* The VF's administrative MAC, or the automatic one if it has none. */
int guest_mac_of(const struct sriov_inventory *inv, const struct sriov_pf *pf,
		 const struct sriov_vf *vf, uint8_t out[6], struct sriov_error *err);
/*
 * What the <interface> of a VF must say, as libvirt rewrites MAC and VLAN of the VF from it: the
 * administrative MAC (the automatic one if there is none) and the VLAN. -EOPNOTSUPP: libvirt has no words
 * for this VLAN.
 */
int guest_interface_of(const struct sriov_inventory *inv, const struct sriov_pf *pf,
		       const struct sriov_vf *vf, struct guest_interface *out,
		       struct sriov_error *err);

/* lib/guest/pool.c: a VF that a guest holds may not leave its pool (-EBUSY). @pf is joined with the store. */
int guest_pool_unleased(struct store *store, const struct sriov_pf *pf,
			const struct sriov_vfset *vfs, const char *name, struct sriov_error *err);

/* ---- policy.c ---- */

#define POLICY_TEXT 40

/* "vf,vhostuser" and "required"; "" = not said. */
void policy_format(const struct sriov_policy *policy, char paths[POLICY_TEXT],
		   char numa[POLICY_TEXT]);
/* -EINVAL: a word that is none. */
int policy_parse(const char *paths, const char *numa, struct sriov_policy *out);
bool policy_same(const struct sriov_policy *a, const struct sriov_policy *b);
/* What @over says counts. */
void policy_merge(struct sriov_policy *policy, const struct sriov_policy *over);

#endif
