/* SPDX-License-Identifier: Apache-2.0 */
/* igb's replay model, between its two files. */
#ifndef SRIOV_FLOWS_NIC_IGB_MODEL_H
#define SRIOV_FLOWS_NIC_IGB_MODEL_H

#include "flows/nic/model.h"
#include "flows/words.h"

#include <arpa/inet.h>

#define IGB_TABLE_SIZE 16 /* IGB_MAX_RXNFC_FILTERS */
#define IGB_ETYPE_SLOTS 3 /* MAX_ETYPE_FILTER: ETQF 0-2 */
#define IGB_MAC_SLOTS 16  /* rar_entry_count of an I210; the first is the port's own address */

/* What a rule compares (IGB_FILTER_FLAG_*); other masks are left out silently. */
enum { IGB_ETYPE = 1 << 0, IGB_PRIO = 1 << 1, IGB_SRC_MAC = 1 << 2, IGB_DST_MAC = 1 << 3 };

/* What makes two rules the same, in network byte order and without padding. */
struct igb_fields {
	uint8_t src_mac[6], dst_mac[6];
	uint16_t has;
	uint16_t etype, tci; /* the tag as given: VID bits make rules differ that catch the same */
};

struct igb_rule {
	uint32_t loc;
	struct igb_fields match;
	uint16_t queue;
	uint16_t etype_slot;
};

struct igb_mac {
	uint8_t mac[6];
	bool used, own, source;
	uint8_t queue;
};

struct igb {
	struct nic_model base;
	bool etype_used[IGB_ETYPE_SLOTS];
	struct igb_etqf {
		uint16_t etype;
		uint8_t queue;
	} etqf[IGB_ETYPE_SLOTS];
	struct igb_mac mac[IGB_MAC_SLOTS];
	/* the register: for each priority a queue of two bits, and bit 3 "valid" */
	uint32_t vlapqf;
};

static inline unsigned igb_prio(uint16_t tci)
{
	return ntohs(tci) >> VLAN_PRIO_SHIFT;
}

#define IGB_PRIO_VALID(prio) (1u << (3 + 4 * (prio)))
#define IGB_PRIO_QUEUE(prio, queue) ((uint32_t)(queue) << (4 * (prio)))

/* igb_state.c: members of struct nic_driver. */
json_t *igb_save(const struct nic_model *model);
int igb_restore(struct nic_model *model, const json_t *hidden, struct sriov_error *err);
bool igb_match(const struct nic_model *model, const struct nic_packet *packet, struct nic_hit *out);

#endif
