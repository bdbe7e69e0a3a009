/* SPDX-License-Identifier: Apache-2.0 */
/* What a domain's XML says about where it runs, read for tuning and checking; and writing a tuning into it. Pure. */
#ifndef SRIOV_GUEST_TUNEDOM_H
#define SRIOV_GUEST_TUNEDOM_H

#include "lib/core/cpuset.h"
#include "lib/guest/guest.h"

struct tune_cell { /* of the guest */
	unsigned id;
	struct cpuset vcpus;
	uint64_t memory_kib;
	bool said;           /* there is a <memnode> for it */
	struct cpuset nodes; /* of the host, as that says */
	char mode[16];
};

struct tune_iothread {
	unsigned id;
	struct cpuset pin; /* empty = none said */
};

struct tune_page {
	unsigned size_kib;   /* 0 = the host's default size */
	struct cpuset cells; /* empty = all */
};

enum tune_interface_kind {
	TUNE_IF_OTHER,
	TUNE_IF_VF,        /* <interface type='hostdev'> */
	TUNE_IF_RAW,       /* <hostdev type='pci'> */
	TUNE_IF_VHOST,     /* virtio with workers of vhost-net: tap, macvtap */
	TUNE_IF_VHOSTUSER, /* virtio with another process in the guest's memory */
};

struct tune_interface {
	enum tune_interface_kind kind;
	char address[SRIOV_PCI_LEN]; /* of VF and RAW */
	char source[SRIOV_NAME_LEN]; /* netdev that a macvtap is on, "" */
	uint8_t mac[6];              /* zero = not said */
	uint16_t vlan;               /* 0 = none */
	unsigned queues;
};

struct tune_domain {
	char object[80]; /* what errors call it */
	unsigned vcpus;
	struct cpuset *pin; /* per vCPU; empty = none said */
	struct cpuset
		floating; /* <vcpu cpuset=…>, where threads without a pin run; empty = not said */
	bool vcpu_auto, memory_auto; /* placement='auto': numad chooses */
	struct cpuset emulator;
	struct tune_iothread *iothread;
	size_t niothreads;
	struct tune_cell *cell; /* by id */
	size_t ncells;
	bool hugepages;
	struct tune_page *page;
	size_t npages;
	uint64_t memory_kib;
	char mode[16]; /* of <numatune><memory>; "" = no such element */
	struct cpuset nodes;
	bool shared; /* other processes can have its memory */
	struct tune_interface *interface;
	size_t ninterfaces;
	bool poll_us; /* <qemu:commandline> asks for vhost-net's busy polling */
};

int tune_domain_read(const char *xml, struct tune_domain *out, struct sriov_error *err);
void tune_domain_clear(struct tune_domain *domain);
#define _tune_domain_ _cleanup_(tune_domain_clear)

/* How many workers of vhost-net the domain's interfaces have. */
unsigned tune_vhost_queues(const struct tune_domain *domain);
/* Whether it has an interface of that kind. */
bool tune_has(const struct tune_domain *domain, enum tune_interface_kind kind);

/* What is to stand in the XML; lists as text, NULL = as it is. */
struct tune_edit {
	char *const *vcpu; /* vcpus of them */
	unsigned vcpus;
	const char *emulator;
	const struct tune_edit_thread {
		unsigned id;
		const char *cpus;
	} * iothread;
	size_t niothreads;
	const char *mode, *nodes; /* of <numatune><memory>: both or none */
	const struct tune_edit_cell {
		unsigned id;
		const char *mode, *nodes;
	} * cell;
	size_t ncells;
	bool shared;
};
/* The domain with it, in its author's layout. */
int tune_domain_edit(const char *xml, const struct tune_edit *edit, char **out,
		     struct sriov_error *err);

#endif
