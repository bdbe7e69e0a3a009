/* SPDX-License-Identifier: Apache-2.0 */
/* i40e's replay model, between its two files. Functions named in comments are the driver's. */
#ifndef SRIOV_FLOWS_NIC_I40E_MODEL_H
#define SRIOV_FLOWS_NIC_I40E_MODEL_H

#include "flows/nic/model.h"

/*
 * Packet classifier types (pctype): what a packet is, before any rule is looked at. Each has one input
 * set, and the driver counts its rules; fragments share the count of "other".
 */
enum i40e_type {
	I40E_TCP4,
	I40E_UDP4,
	I40E_SCTP4,
	I40E_IP4,
	I40E_TCP6,
	I40E_UDP6,
	I40E_SCTP6,
	I40E_IP6,
	I40E_COUNTED,
	I40E_FRAG4 = I40E_COUNTED,
	I40E_FRAG6,
	I40E_TYPES,
};

/*
 * Bits of an input set, one a 16-bit word (i40e_type.h). IPv4's words are some of IPv6's, which is why
 * masks read back wrong.
 */
#define I40E_FLEX(index) (UINT64_C(1) << (13 - (index)))
#define I40E_FLEX_ALL (UINT64_C(0xff) << 6)
#define I40E_VERIFY_TAG (UINT64_C(3) << 31)
#define I40E_L4_DST (UINT64_C(1) << 33)
#define I40E_L4_SRC (UINT64_C(1) << 34)
#define I40E_IP4_DST (UINT64_C(3) << 35)
#define I40E_IP6_DST (UINT64_C(0xff) << 35)
#define I40E_IP6_SRC (UINT64_C(0xff) << 43)
#define I40E_IP4_SRC (UINT64_C(3) << 47)
#define I40E_VLAN (UINT64_C(1) << 55)

/* One list of offsets into the payload that the parser extracts as words, in order of offset. */
#define I40E_FLEX_SLOTS 3 /* I40E_FLEX_PIT_TABLE_SIZE */
struct i40e_pits {
	unsigned n;
	struct i40e_pit {
		uint16_t offset; /* in words */
		uint8_t index;   /* of the bit I40E_FLEX() */
	} pit[I40E_FLEX_SLOTS];
};

/* user-def as the driver reads it: 0xOOOOWWWW, offset in bytes and word. */
struct i40e_flex {
	bool on;
	uint16_t word, offset;
};

struct i40e_rule {
	uint32_t loc;
	uint32_t flow;    /* as asked for, without FLOW_EXT */
	uint32_t addr[8]; /* IPv4: source, destination; IPv6: four words each */
	uint16_t src_port, dst_port, vlan, vlan_etype; /* network byte order */
	uint8_t proto;
	uint8_t type; /* enum i40e_type that it is programmed as */
	bool drop;
	struct i40e_flex flex;
	uint16_t queue, vsi;
};

struct i40e {
	struct nic_model base;
	uint64_t inset[I40E_TYPES];
	uint16_t count[I40E_COUNTED]; /* u16, and some are decremented below 0 */
	struct i40e_pits l3, l4;
	/* as written into FLX_PIT: a DEL shortens the lists, and the hardware is not told */
	struct i40e_pits hw_l3, hw_l4;
	/* bits of pf->state */
	bool reset_pending, reset_received, flush_requested, sb_disabled, atr_disabled;
	uint32_t fd_add_err;
	uint32_t fd_inv; /* location that the hardware reported as not added, 0 = none */
};

/* i40e_flex.c: i40e_check_fdir_input_set(), which may have changed input sets before a later refusal. */
int i40e_input_set(struct i40e *nic, const struct ethtool_rx_flow_spec *spec,
		   const struct i40e_flex *flex, struct nic_outcome *out);
/* i40e_parse_rx_flow_user_data() */
int i40e_parse_flex(const struct ethtool_rx_flow_spec *spec, struct i40e_flex *flex,
		    struct nic_outcome *out);
/* i40e_prune_flex_pit_list() */
void i40e_prune_flex(struct i40e *nic);
/* The type whose input set and count @flow is checked against; I40E_TYPES = the driver has none. */
enum i40e_type i40e_type_of(uint32_t flow);
/* The default input sets, no offsets. */
void i40e_input_sets_default(struct i40e *nic);

/* i40e_replay.c: the type that a rule is programmed and counted as; I40E_TYPES = none. */
enum i40e_type i40e_programmed_type(const struct i40e_rule *rule);

#define I40E_VSI_PF 390
#define I40E_VSI_VF 400 /* + index */

/* i40e_state.c: members of struct nic_driver. */
json_t *i40e_save(const struct nic_model *model);
int i40e_restore(struct nic_model *model, const json_t *hidden, struct sriov_error *err);
bool i40e_match(const struct nic_model *model, const struct nic_packet *packet,
		struct nic_hit *out);

#endif
