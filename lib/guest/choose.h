/* SPDX-License-Identifier: Apache-2.0 */
/* From a request to a lease and the place that it is of: what `guest xml` and `guest attach` share. */
#ifndef SRIOV_GUEST_CHOOSE_H
#define SRIOV_GUEST_CHOOSE_H

#include "lib/guest/device.h"
#include "lib/guest/place.h"
#include "lib/store/store.h"

/* One request, and what is known when it is decided. */
struct guest_ask {
	const struct sriov_guest_request *as;
	struct sriov_guest_request filled; /* @as, with what its network says of guests */
	const char *name;                  /* of the guest */
	char uuid[40];                     /* of its domain; "" = not known */
	const char *domain;                /* its XML; NULL = there is none */
	int node;                          /* that the domain is bound to, -1 = none */
	bool strict;                       /* that node is a must, whatever as->numa says */
	const struct sriov_inventory *inv; /* of the host, with VFS, ATTRS, USERS and NODES */
	struct store *store;               /* joined to @inv; NULL = there is no database */
	struct sriov_host *host;
	struct sriov_physnet *nets; /* owned */
	size_t nnets;
	const struct sriov_pf **only; /* PFs asked for; owned */
	size_t nonly;
	unsigned *distance;                /* of each PF of @inv, with SRIOV_PICK_NEAR; owned */
	struct guest_switching *switching; /* of each PF of @inv; owned; NULL: no ports of OVS */
	bool no_ports; /* only XML is asked for: nobody would make a port of OVS, or a VLAN */
	const struct sriov_pf *tap_pf; /* over which a tap with a VLAN must be; NULL: any */
};

/* 1..63 bytes of UTF-8 without control characters, '/', or blanks at the ends. */
int guest_check_name(const char *name, struct sriov_error *err);
/*
 * Checks the request against the host, and reads the domain's name, UUID and node. @domain may be NULL.
 * guest_ask_clear() frees, also after a failure.
 */
int guest_ask_open(struct guest_ask *ask, struct sriov_host *host,
		   const struct sriov_guest_request *as, const struct sriov_inventory *inv,
		   const char *domain, struct sriov_error *err);
/* Then what the database says: the PFs of its network. @store (NULL: there is none) is joined to the inventory. */
int guest_ask_store(struct guest_ask *ask, struct store *store, struct sriov_error *err);
void guest_ask_clear(struct guest_ask *ask);
/* Whether the PF is one that was asked for, by name or by network; all are if none was. */
bool guest_ask_wants(const struct guest_ask *ask, const struct sriov_pf *pf);

/*
 * The guest's own lease if it has one that is what is asked for, else the VF that its domain names already, else
 * the best place that is free. *@lease is to be recorded if its id is 0.
 */
int guest_choose(const struct guest_ask *ask, struct guest_choice *choice,
		 struct sriov_lease *lease, struct sriov_error *err);

/*
 * The MAC and VLAN of the lease: as asked for, else as they were, else as the VF has them. -EADDRINUSE
 * names who has that MAC on this host.
 */
int guest_settle_mac(const struct guest_ask *ask, const struct guest_choice *choice,
		     struct sriov_lease *lease, struct sriov_error *err);

/*
 * Of a guest's leases the one on that physnet or PF (either may be NULL). -ENOENT (no error set): it has none
 * there; -ENOTUNIQ: several, and the error names them.
 */
int guest_lease_find(struct store *store, const struct sriov_inventory *inv, const char *guest,
		     const char *net, const char *pf, struct sriov_lease *out,
		     struct sriov_error *err);
/*
 * The VF that a lease names, if it is still that VF; otherwise false, and @why says why not. Of a lease that is
 * no VF only choice->pf.
 */
bool guest_lease_place(const struct sriov_inventory *inv, struct store *store,
		       const struct sriov_lease *lease, struct guest_choice *out, char *why,
		       size_t size);

/*
 * lib/guest/lease.c: what the host shows of state->lease: its state now, whether it is stale, and why. @inv has
 * VFS and USERS read.
 */
void guest_lease_judge(const struct sriov_inventory *inv, struct store *store,
		       struct sriov_lease_state *state);

/*
 * Whether rules that name the guest wait for it to start again: libvirt's hook has seen it stop. (A lease that was
 * made for a guest which never ran counts from the start.)
 */
bool guest_lease_waits(const struct sriov_lease *lease);

/* Whether a use is that of the guest: "guest NAME" or "guest NAME (…)". */
bool guest_is_use(const struct sriov_use *use, const char *guest);

/* -EBUSY: a change of the PF runs, or was left open, and nobody knows which VFs there will be. */
int guest_check_no_change(struct store *store, const struct sriov_pf *pf, struct sriov_error *err);
/* -EOPNOTSUPP: a port of OVS would lose something of the VLAN. */
int guest_check_port_vlan(const char *guest, const struct sriov_vf_attrs *attrs,
			  struct sriov_error *err);
/* The name of its vhost-user port, which is that of the socket; "" = it has none. */
const char *guest_lease_port(const struct sriov_lease *lease);
/* Names the socket of its port, in @directory, by the lease's MAC. */
void guest_lease_socket(struct sriov_lease *lease, const char *directory);

/* The devices that a lease puts into its guest's domain: two of a standby pair, none of one that is hands-off. */
#define GUEST_DEVICES 2
size_t guest_lease_devices(const struct sriov_lease *lease,
			   struct guest_device device[GUEST_DEVICES]);

#endif
