/* SPDX-License-Identifier: Apache-2.0 */
/* What the files about domain XML share: see guest.h for what they give to others. */
#ifndef SRIOV_GUEST_DOMXML_H
#define SRIOV_GUEST_DOMXML_H

#include "lib/core/cpuset.h"
#include "lib/guest/guest.h"
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

/* domnuma.c: numatune and vCPU pins of @node merged in; see guest_xml_merge(). */
int domain_bind(struct domain *domain, const struct sriov_node *node, struct sriov_error *err);

#endif
