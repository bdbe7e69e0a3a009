/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a NIC does with packets, for traces: what its entries compare, where they send, what its RSS hashes.
 * One driver a file, NAME_walk.c. It is not the replay models' view (replay.h), which are the judge of it.
 */
#ifndef SRIOV_FLOWS_NIC_WALK_H
#define SRIOV_FLOWS_NIC_WALK_H

#include "flows/words.h"

#include <sriov/trace.h>

/* What hardware compares of a packet; values or masks. Numbers in host byte order, without padding. */
struct nic_key {
	uint8_t src_ip[16], dst_ip[16];
	uint16_t src_port, dst_port;
	uint16_t tci;   /* 0 without a tag */
	uint16_t outer; /* the type behind the MAC addresses: that of the tag, if there is one */
	uint16_t inner; /* the type behind the tag */
	uint16_t word;  /* of the payload, see nic_filter.word_at */
	uint8_t dst_mac[6], src_mac[6];
	uint8_t tagged;
	uint8_t pool; /* what the switch has chosen: VF index, or the number of VFs for the PF */
	uint8_t pad[6];
};
_Static_assert(sizeof(struct nic_key) % sizeof(uint64_t) == 0, "keys are compared by words");

/* A filter of the hardware: one entry can be several, of which each catches packets on its own. */
struct nic_filter {
	unsigned classes; /* FLOW_BIT() of each class_of_packet() that it looks at */
	struct nic_key value, mask;
	unsigned word_at; /* offset of mask.word's two bytes in the payload */
};
#define NIC_FILTERS_MAX 4

/* Where the packets of an entry go. */
struct nic_target {
	enum sriov_destination to;
	unsigned vf;
	int queue;
	const char *why; /* what is remarkable about it, or unknown; NULL: nothing */
};

struct nic_walk {
	const char *rules;   /* what the stage is called: "Flow Director" */
	const char *filters; /* what is known of ethertype, SYN and 5-tuple filters */
	unsigned classes;    /* FLOW_BIT() of packets that entries are compared with */
	bool ntuple_off;     /* entries are in the table and do nothing while ntuple is off */
	/* each copy of a broadcast is compared on its own; false: the packet is, for all of them */
	bool copies;
	bool fragment6_unknown; /* what is compared of fragments of IPv6 is not known */
	bool tunnels;           /* entries and RSS look into tunnels that the host has told of */
	/* The filters that the entry is; their number, 0 = it is not in the hardware. */
	size_t (*hardware)(const struct sriov_pf *port, const struct sriov_entry *entry,
			   struct nic_filter out[NIC_FILTERS_MAX]);
	void (*target)(const struct sriov_pf *port, const struct sriov_entry *entry,
		       struct nic_target *out);
	/* True if packets that are switched inside the port are compared too; NULL: they are. */
	bool (*switched)(const struct sriov_pf *port);
	/*
	 * True if the driver may have steered a TCP connection by its own filters (ATR); @types: FLOW_BIT() of
	 * the port's entries. NULL: never.
	 */
	bool (*atr)(const struct sriov_pf *port, unsigned types);
	/* FLOW_BIT() of types that the driver hashes with ports unless told otherwise, and that nobody knows of */
	unsigned hash_ports, hash_unknown;
};
extern const struct nic_walk nic_walk_ixgbe, nic_walk_i40e, nic_walk_igb;

/* The class of packets (flow_type_classes()) that @packet is in. */
enum sriov_flow_type nic_class_of_packet(const struct sriov_packet *packet);

/* What an entry compares as its words say: addresses, ports, MAC addresses, types. */
void nic_filter_of_entry(const struct sriov_entry *entry, struct nic_filter *out);
/* The target of a cookie as it stands. */
void nic_target_of_cookie(uint64_t cookie, struct nic_target *out);

#endif
