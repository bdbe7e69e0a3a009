/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside lib/guest/: placement, domain XML, libvirt's own files.
 */
#ifndef SRIOV_GUEST_INTERNAL_H
#define SRIOV_GUEST_INTERNAL_H

#include "lib/host/host.h"

#include <sriov/guest.h>

/*
 * lib/guest/domains.c: reads libvirt's own files (@etc: /etc/libvirt/qemu, defined domains; @run:
 * /run/libvirt/qemu, running ones) and adds a use to each VF of @inv that a domain names. A directory that
 * does not exist means no domains; a file or directory that cannot be read or parsed marks every VF of the
 * inventory with an unreadable use. No libvirt is called. libxml2 is loaded only if there is a file.
 */
int guest_domains_uses(struct sriov_inventory *inv, const char *etc, const char *run,
		       struct sriov_error *err);

#define GUEST_POOL "sriovctl" /* the pool of every VF that no pool was set for */

/* A PCI device of the host that a domain names. */
struct guest_pci {
	char address[SRIOV_PCI_LEN];
	bool interface; /* <interface type='hostdev'>: libvirt sets its MAC and VLAN */
};
/* lib/guest/domains.c: all of them. The caller frees the array. */
int guest_xml_pci(const char *domain, struct guest_pci **out, size_t *n, struct sriov_error *err);

/*
 * lib/guest/free.c: the one function that decides whether a VF is free for @pool: NULL, or the reason
 * why not, in words. Needs VFS and USERS read and the store joined.
 */
const char *guest_vf_taken(const struct sriov_pf *pf, const struct sriov_vf *vf, const char *pool,
			   char *buf, size_t size);

/* lib/guest/lease_json.c: the one JSON form of a lease; NULL: no memory. */
json_t *lease_encode(const struct sriov_lease *lease);
int lease_decode(const json_t *json, struct sriov_lease *out, struct sriov_error *err);

/*
 * lib/guest/domxml.c: pure functions on XML text, through libxml2 without entities, network or huge
 * documents (at most 1 MiB, depth 64).
 */
struct guest_interface {
	char address[SRIOV_PCI_LEN]; /* of the VF */
	uint8_t mac[6];
	uint16_t vlan; /* 0 = none */
};
/* The <interface type='hostdev' managed='yes'> element, indented for reading. */
int guest_xml_interface(const struct guest_interface *itf, char **out, struct sriov_error *err);
/* NUMA node that the domain is bound to (numatune, else its vCPU pins over @nodes), -1 = none said. */
int guest_xml_node(const char *domain, const struct sriov_node *nodes, size_t nnodes, int *node,
		   struct sriov_error *err);
/*
 * The domain with the interface (the one of that MAC or VF address replaced), numatune strict on @node and
 * a vcpupin per vCPU to @node's CPUs merged in. What the domain says already is kept; a contradiction (bound
 * to another node) is an error naming it. @node NULL: not known, only the interface is merged.
 */
int guest_xml_merge(const char *domain, const struct guest_interface *itf,
		    const struct sriov_node *node, char **out, struct sriov_error *err);
/* A UUID as libvirt reads it, canonical. 0 or -EINVAL. */
int guest_uuid_parse(const char *text, char out[40]);
/* Name and UUID of the domain ("" if it has none). */
int guest_xml_identity(const char *domain, char name[SRIOV_NAME_LEN], char uuid[40],
		       struct sriov_error *err);

#endif
