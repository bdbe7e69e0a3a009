/* SPDX-License-Identifier: Apache-2.0 */
/* What the files about domain XML share: see guest.h for what they give to others. */
#ifndef SRIOV_GUEST_DOMXML_H
#define SRIOV_GUEST_DOMXML_H

#include "lib/core/cpuset.h"
#include "lib/guest/device.h"
#include "lib/guest/xml2.h"

/* A parsed domain and what errors call it: "domain web1", or "domain XML" if it has no name. */
struct domain {
	struct xml_doc xml;
	char object[80];
};
int domain_parse(const char *text, struct domain *out, struct sriov_error *err);
void domain_close(struct domain *domain);
#define _domain_ _cleanup_(domain_close)

/*
 * The PCI address in an <address> of a <source>, canonical; missing attributes are 0, as libvirt reads
 * them. -EINVAL if an attribute is not a number in range.
 */
int domain_pci_address(struct xml_doc *xml, xmlNodePtr address, char out[SRIOV_PCI_LEN]);

/*
 * domnuma.c: an attribute as a list of CPUs or nodes into @out, which stays as it is without the attribute.
 * 1: it was there; -EINVAL: it is no list, or an empty one.
 */
int domain_list(struct domain *domain, xmlNodePtr node, const char *attribute, struct cpuset *out,
		struct sriov_error *err);
/*
 * How many vCPUs the domain can have, by its <vcpu> (NULL: 1); current='…' says only how many are plugged in
 * at start.
 */
int domain_vcpus(struct domain *domain, xmlNodePtr vcpu, unsigned *out, struct sriov_error *err);
/*
 * The element after which libvirt itself writes <cputune>: the last of those that precede it in what
 * `virsh dumpxml` prints.
 */
xmlNodePtr domain_before_cputune(xmlNodePtr root);

/* domains.c: see guest_xml_pci(); *@odd: an address in it is malformed. */
int domain_pci_devices(struct xml_doc *xml, struct guest_pci **out, size_t *n, bool *odd,
		       struct sriov_error *err);
/* device.c: what libvirt would refuse is refused, where the reason can be said. */
int device_check(const struct guest_device *device, struct sriov_error *err);
/* The name of its element: "interface" or "hostdev". */
const char *device_element(const struct guest_device *device);
/* Writes attributes, and first children, of such an element. */
void device_fill(struct xml_doc *xml, xmlNodePtr element, const struct guest_device *device);
/*
 * What the guest may send, as the device says, if it does: libvirt's "outbound", as of a VF. What the author says of
 * the other direction stays.
 */
void device_limit(struct xml_doc *xml, xmlNodePtr element, const struct guest_device *device);
/*
 * What an element says; false if it is none of these devices, or malformed. *@plain (may be NULL): it says nothing
 * that device_fill() could not, its half of a pair left aside.
 */
bool device_read(struct xml_doc *xml, xmlNodePtr element, struct guest_device *out, bool *plain);

/* domdev.c: the device put into the domain, see guest_device_add(). 0: it was there, 1: the domain is changed. */
int domain_add_device(struct domain *domain, const struct guest_device *device,
		      struct sriov_error *err);

/*
 * domneeds.c: an amount of memory (an attribute, or the element's text for NULL) by its unit, in KiB; false if it
 * cannot be read. And whether another process can reach the domain's memory: shared, and in a file.
 */
bool domain_kib(struct xml_doc *xml, xmlNodePtr node, const char *attribute, uint64_t *out);
bool domain_is_shared(struct domain *domain);
bool domain_is_backed(struct domain *domain);
/* A new element for it, whatever else is there. NULL: no memory. */
xmlNodePtr domain_put_device(struct domain *domain, const struct guest_device *device);

/* domneeds.c: where a device can be plugged into the running domain. */
struct domain_ports {
	bool express; /* only into ports: the machine's root is PCI Express */
	unsigned n;
	int spare; /* bus of the first port without a device, -1 = none */
};
int domain_ports(struct domain *domain, struct domain_ports *out, struct sriov_error *err);

/* domnuma.c: numatune and vCPU pins of @node merged in; see guest_xml_merge(). */
int domain_bind(struct domain *domain, const struct sriov_node *node, struct sriov_error *err);

#endif
