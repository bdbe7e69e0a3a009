/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replay models: what the drivers' rule code does, step by step, surprises included. State in,
 * operation in; out come errno, reason, and what the hardware then holds. They work on the kernel's own
 * struct ethtool_rx_flow_spec, because drivers look at bits that have no words. The simulated host's
 * tables are these models, `sriovctl nic replay` and the property tests drive them.
 */
#ifndef SRIOV_FLOWS_NIC_REPLAY_H
#define SRIOV_FLOWS_NIC_REPLAY_H

#include "flows/flows.h"

enum nic_family { NIC_IXGBE, NIC_I40E, NIC_IGB, NIC_FAMILIES };
const char *nic_family_word(enum nic_family family); /* the driver's name */

/* In this order: features are "from this MAC on". */
enum nic_mac {
	NIC_82599,
	NIC_X540,
	NIC_X550,
	NIC_X550EM_X,
	NIC_X550EM_A,
	NIC_X710,
	NIC_82576,
	NIC_82580,
	NIC_I350,
	NIC_I354,
	NIC_I210,
	NIC_I211,
	NIC_MACS,
};
const char *nic_mac_word(enum nic_mac mac);
enum nic_mac nic_mac_find(const char *word); /* NIC_MACS = none */
enum nic_family nic_mac_family(enum nic_mac mac);
/* The MAC type of a port's device ID; NIC_MACS = not modelled. */
enum nic_mac nic_mac_of(const char *driver, uint16_t device);

#define NIC_VFS_MAX 256
/* The device as it stands before the first operation: conformance/README.md "device". */
struct nic_device {
	enum nic_family family;
	enum nic_mac mac;
	bool ntuple;
	unsigned num_vfs;
	/* ixgbe */
	unsigned channels, tcs, pballoc, pf_pools;
	/* i40e */
	bool mfp;
	unsigned guaranteed, best_effort, pf_queues, hw_fd_count;
	unsigned vf_queues[NIC_VFS_MAX];
	/* igb */
	unsigned num_rx_queues;
	bool capable;
};

/* A port of that driver as it usually stands, its driver just loaded. */
struct nic_device nic_device_default(enum nic_family family);

enum nic_env {
	NIC_ENV_NTUPLE,
	NIC_ENV_NTUPLE_CYCLE,
	NIC_ENV_RESET_RECOVERY_PENDING,
	NIC_ENV_RESET_INTR_RECEIVED,
	NIC_ENV_FD_FLUSH_REQUESTED,
	NIC_ENV_FD_SB_AUTO_DISABLED,
	NIC_ENV_HW_FD_COUNT,
	NIC_ENV_FD_ADD_ERR,
	NIC_ENV_FD_INV,
	NIC_ENV_SERVICE_TASK,
	NIC_ENV_MFP,
	NIC_ENV_HW_FAIL,
	NIC_ENVS,
};

enum nic_op_kind { NIC_OP_ADD, NIC_OP_DEL, NIC_OP_ENV };
struct nic_op {
	enum nic_op_kind kind;
	struct ethtool_rx_flow_spec spec; /* ADD; of DEL only location counts */
	enum nic_env env;
	uint64_t v;
};

struct nic_outcome {
	int err;         /* 0 or a negative errno */
	const char *why; /* label of conformance/README.md, NULL if err is 0 */
	bool has_hw;     /* what was programmed follows */
	unsigned queue;
	bool drop;
	int vsi; /* i40e: 390 = PF, 400 + n = VF n, 0 = drop */
};

/* A reason's label in words. */
const char *nic_why_text(const char *why);

struct nic_model;
int nic_model_new(const struct nic_device *device, struct nic_model **out, struct sriov_error *err);
void nic_model_free(struct nic_model *model);
/* -ENOMEM is the only failure of its own; the driver's answer is in @out. */
int nic_model_run(struct nic_model *model, const struct nic_op *op, struct nic_outcome *out);
/* GET: table size, locations in order, one rule as the driver reads it back. */
uint32_t nic_model_table_size(const struct nic_model *model);
size_t nic_model_count(const struct nic_model *model);
uint32_t nic_model_loc(const struct nic_model *model, size_t i);
int nic_model_get(const struct nic_model *model, uint32_t loc, struct ethtool_rx_flow_spec *out);

/* What happens to a port besides rules; @running: it is up. */
enum nic_event {
	NIC_EVENT_DOWN, /* ip link set down */
	NIC_EVENT_VFS,  /* another number of VFs */
	NIC_EVENT_NTUPLE_OFF,
	NIC_EVENT_NTUPLE_ON,
};
void nic_model_event(struct nic_model *model, enum nic_event event, bool running);

/*
 * A port of an inventory as a device. -EOPNOTSUPP: its driver or NIC is not modelled. What the inventory does
 * not say (firmware's split of the table, queues that were not read) is as nic_device_default() has it.
 */
int nic_device_of(const struct sriov_pf *port, struct nic_device *out, struct sriov_error *err);
/*
 * A model with @rules in its table, which were accepted some time: put there in order of location after
 * the driver's load, without the driver's checks. Rules that the driver cannot have are left out.
 * @hidden (NULL: nothing) is what nic_model_save() gave of it; -EINVAL says what of it is wrong.
 */
int nic_model_load(const struct nic_device *device, const struct sriov_entry *rules, size_t n,
		   const json_t *hidden, struct nic_model **out, struct sriov_error *err);
/*
 * What a model keeps besides its rules, given that they are @rules: *@out is NULL if nic_model_load()
 * needs nothing but them. Returns 0 or -ENOMEM.
 */
int nic_model_save(const struct nic_model *model, const struct sriov_entry *rules, size_t n,
		   json_t **out);

/* A packet as the classifier sees it, for what the hardware entries match. */
struct nic_packet {
	uint16_t
		ethertype; /* 0x0800, 0x86dd, or others; of a tagged packet the one behind the tag */
	uint8_t src_mac[6], dst_mac[6];
	bool tagged;
	uint16_t tci;
	uint8_t src_ip[16], dst_ip[16]; /* IPv4 in the first four bytes */
	uint8_t proto;
	bool fragment;
	uint16_t src_port, dst_port; /* unfragmented TCP, UDP, SCTP */
	uint8_t l3_payload[64], l4_payload[64];
	int vf;        /* what the switch has chosen: VF index, -1 = the PF */
	bool switched; /* sent by the PF or a VF of the port, and not come from the wire */
};
#define NIC_NO_RULE UINT32_MAX
struct nic_hit {
	uint32_t loc; /* NIC_NO_RULE: a filter that the driver has left behind */
	bool drop;
	int vf;         /* -1 = the PF */
	unsigned queue; /* of that PF or VF */
};
/*
 * The entry that @packet meets in the hardware tables as they stand; false if none, or none that acts on
 * it. Several could: the one at the lowest location is told.
 */
bool nic_model_match(const struct nic_model *model, const struct nic_packet *packet,
		     struct nic_hit *out);

#endif
