/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What libvirt's hook is told of a domain, read from the XML on its standard input in one pass: fixed paths, a
 * bounded size, nothing loaded. libxml2 takes longer to load than the whole hook may.
 */
#ifndef SRIOV_GUEST_HOOKXML_H
#define SRIOV_GUEST_HOOKXML_H

#include "lib/core/cpuset.h"
#include "lib/guest/guest.h"
#include "lib/guest/xmlscan.h"

#define HOOK_XML_MAX (1 << 20)
#define HOOK_DEVICES_MAX 256
#define HOOK_PORTS_MAX 64
#define HOOK_WORD_LEN 256 /* of a flavor's name, which may have 255 bytes */

struct hook_device {
	bool vhostuser; /* else a PCI device of the host */
	bool interface; /* <interface type='hostdev'>: libvirt sets its MAC and VLAN */
	char address[SRIOV_PCI_LEN];
	uint8_t mac[6];
	uint16_t vlan; /* 0 = none */
	char socket[108];
	/* for hook_rewrite(): the values of domain, bus, slot and function, or that of path */
	struct xmlspan value[4];
	struct xmlspan element; /* the name of the element that they are attributes of */
};

struct hook_domain {
	char name[SRIOV_NAME_LEN]; /* its UUID, if the name is longer */
	char uuid[40];
	struct hook_device *device;
	size_t ndevices;
	struct cpuset memory, cells; /* host nodes that its memory, its guest cells are bound to */
	struct cpuset pins;          /* CPUs that its vCPUs are pinned to */
	/* Nova's: "" or 0 where it says nothing */
	char project[HOOK_WORD_LEN], flavor[HOOK_WORD_LEN];
	char port[HOOK_PORTS_MAX][40];
	size_t nports;
	char *flows; /* the flavor's extra spec sriovctl:flows; NULL = none */
};
void hook_domain_clear(struct hook_domain *domain);
#define _hook_domain_ _cleanup_(hook_domain_clear)

/*
 * Reads @text, which @out goes on pointing into. -EFBIG: more than HOOK_XML_MAX bytes, or more devices or ports than
 * there is room for; -EINVAL: not well-formed, a document type, elements deeper than 64, or no domain with a name
 * and a UUID.
 */
int hook_domain_read(const char *text, size_t size, struct hook_domain *out,
		     struct sriov_error *err);

/* A device of the text and what it shall be called instead: a PCI address, or a socket. */
struct hook_rename {
	const struct hook_device *device;
	char to[108];
};
/* The text with those values replaced, in the order of the devices; every other byte as it was. */
int hook_rewrite(const char *text, size_t size, const struct hook_rename *renames, size_t n,
		 char **out, struct sriov_error *err);

#endif
