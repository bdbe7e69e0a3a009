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

/* A VF held by a guest. VF identity = PF (permanent MAC and PCI address), VF index, epoch. */
struct sriov_lease {
	long id;
	char guest[SRIOV_NAME_LEN];
	char uuid[40];  /* "" until first seen */
	char state[16]; /* reserved, active, adopted, stale */
	unsigned generation;
	char pf[SRIOV_PCI_LEN];
	unsigned vf;
	unsigned epoch;
	char address[SRIOV_PCI_LEN]; /* of the VF when the lease was made */
	int node;
	char created[32]; /* UTC, ISO 8601 */
};

struct sriov_guest_request {
	const char *guest;      /* name; required */
	const char *pf;         /* netdev or PCI address, or NULL */
	int node;               /* NUMA node, -1 = as the domain says, else any */
	const char *domain_xml; /* text of a domain to merge into, or NULL */
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

/*
 * Ends a guest's lease. Refused while the VF is in use by a running guest, or a rule of ours names the guest,
 * unless @force.
 */
int sriov_guest_release(struct sriov_host *host, const char *guest, bool force, bool dry_run,
			struct sriov_lease *released, struct sriov_error *err);

#ifdef __cplusplus
}
#endif
#endif
