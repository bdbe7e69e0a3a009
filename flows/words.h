/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words of the rule language as data: flow types, and the header fields that each has. Parser,
 * printer, JSON, the ntuple structure and the profiles all read this one table.
 */
#ifndef SRIOV_FLOWS_WORDS_H
#define SRIOV_FLOWS_WORDS_H

#include "flows/flows.h"

#include <string.h>

enum flow_field_id {
	FIELD_SRC_IP,
	FIELD_DST_IP,
	FIELD_SRC_PORT,
	FIELD_DST_PORT,
	FIELD_TOS,
	FIELD_L4_PROTO,
	FIELD_L4_DATA,
	FIELD_TCP_FLAGS,
	FIELD_SRC_MAC,
	FIELD_DST_MAC,
	FIELD_ETHERTYPE,
	FIELD_VLAN,
	FIELD_VLAN_ETYPE,
	FIELD_E_TAG,
	FIELD_VNI,
	FIELD_INNER_DST,
	FIELD_INNER_VLAN,
	FIELD_USER_DEF,
	FIELDS,
};

enum flow_kind { KIND_IP4, KIND_IP6, KIND_MAC, KIND_NUMBER };

/* One field as some flow types have it: src-ip has a row for IPv4 and one for IPv6. */
struct flow_field {
	enum flow_field_id id;
	const char *word; /* ethtool(8)'s */
	const char *json; /* member of a recorded rule */
	enum flow_kind kind;
	bool hex; /* a number that people read in hexadecimal */
	bool ext; /* counts only with FLOW_EXT */
	bool rte; /* only DPDK's drivers have filters by it: struct ethtool_rx_flow_spec has no place */
	unsigned types;        /* FLOW_BIT() of each flow type that has it */
	uint16_t offset, size; /* in struct sriov_match */
};

#define FLOW_BIT(type) (1u << (type))
#define FLOW_IP_V4 (FLOW_BIT(SRIOV_FLOW_IP4) | FLOW_BIT(SRIOV_FLOW_IP4_OTHER))
#define FLOW_IP_V6 (FLOW_BIT(SRIOV_FLOW_IP6) | FLOW_BIT(SRIOV_FLOW_IP6_OTHER))
#define FLOW_L4_V4                                                                                 \
	(FLOW_BIT(SRIOV_FLOW_TCP4) | FLOW_BIT(SRIOV_FLOW_UDP4) | FLOW_BIT(SRIOV_FLOW_SCTP4))
#define FLOW_L4_V6                                                                                 \
	(FLOW_BIT(SRIOV_FLOW_TCP6) | FLOW_BIT(SRIOV_FLOW_UDP6) | FLOW_BIT(SRIOV_FLOW_SCTP6))

#define FLOW_FIELDS 22
extern const struct flow_field flow_fields[FLOW_FIELDS];
/* The fields of @type in order: start with NULL, ends with NULL. */
static inline const struct flow_field *flow_field_next(const struct flow_field *prev,
						       enum sriov_flow_type type)
{
	if ((unsigned)type >= SRIOV_FLOW_TYPES)
		return NULL;
	for (prev = prev ? prev + 1 : flow_fields; prev < flow_fields + FLOW_FIELDS; prev++)
		if (prev->types & FLOW_BIT(type))
			return prev;
	return NULL;
}
/* The field of @type with that word, or NULL. */
const struct flow_field *flow_field_find(enum sriov_flow_type type, const char *word);
/* The field of @type with that id, or NULL. */
const struct flow_field *flow_field_of(enum sriov_flow_type type, enum flow_field_id id);
/* Some bit is set in a field that @type lacks. */
bool flow_fields_foreign(enum sriov_flow_type type, const struct sriov_match *mask);
/* Some flow type has a field with that word. */
bool flow_word_known(const char *word);

/* Bytes of an address, or of a number in host byte order. */
static inline const uint8_t *flow_field_at(const struct flow_field *field,
					   const struct sriov_match *match)
{
	return (const uint8_t *)match + field->offset;
}
uint64_t flow_field_number(const struct flow_field *field, const struct sriov_match *match);
void flow_field_set_number(const struct flow_field *field, struct sriov_match *match,
			   uint64_t number);
void flow_field_set_bytes(const struct flow_field *field, struct sriov_match *match,
			  const void *bytes);
void flow_field_fill(const struct flow_field *field, struct sriov_match *match, uint8_t byte);
/* Some bit is set. */
static inline bool flow_field_any(const struct flow_field *field, const struct sriov_match *mask)
{
	const uint8_t *at = flow_field_at(field, mask), *end = at + field->size;
	uint64_t first = 0, last = 0;

	/* each entry of a list is asked for all its fields, several times: two words that overlap have them all */
	if (field->size >= 8) {
		memcpy(&first, at, 8);
		memcpy(&last, end - 8, 8);
	} else if (field->size >= 4) {
		memcpy(&first, at, 4);
		memcpy(&last, end - 4, 4);
	} else {
		first = at[0];
		last = end[-1];
	}
	return first | last;
}
bool flow_field_full(const struct flow_field *field,
		     const struct sriov_match *mask); /* every bit is set */

#define E_TAG_MAX 0x3fff /* GRP and E-CID base: 14 bits of 16 */
#define VNI_MAX 0xffffff /* 24 bits of 32 */
#define VLAN_VID_MASK 0x0fff
#define VLAN_DEI_MASK 0x1000
#define VLAN_PRIO_MASK 0xe000
#define VLAN_PRIO_SHIFT 13

/*
 * Classes of packets that no two flow types share, as FLOW_BIT(): unfragmented TCP, UDP and SCTP, the rest
 * of each IP version, and what is not IP. A flow type stands for some of them.
 */
unsigned flow_type_classes(enum sriov_flow_type type);

/* Text that grows in the caller's buffer; what does not fit sets @full. */
struct text {
	char *at;
	size_t size, used;
	bool full;
};
void text_add(struct text *text, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* One word as it is: formats are dear where thousands of rules are told about. */
void text_put(struct text *text, const char *word);
/* A blank, the word, another blank and the number: " queue 3". */
void text_put_number(struct text *text, const char *word, uint64_t number);
/* text_add() with ", " before it unless it is the first. */
void text_list(struct text *text, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * " src-ip 10.0.0.0/8 dst-port 80": the words for what is matched; values are cut to their masks.
 */
void match_print(struct text *text, enum sriov_flow_type type, const struct sriov_match *value,
		 const struct sriov_match *mask, bool ext);
/* Some bit is about what is inside a tunnel. */
static inline bool match_in_tunnel(const struct sriov_match *mask)
{
	return mask->vni || mask->inner_vlan || !sriov_mac_is_zero(mask->inner_dst);
}
/* Length of the prefix that a mask is, or -1 if its ones are not all in front. */
int mask_prefix(const uint8_t *mask, size_t size);
/* "dst-ip, dst-port m 0xff": what a mask selects, without values; "nothing" if empty. */
void mask_print(struct text *text, enum sriov_flow_type type, const struct sriov_match *mask,
		bool ext);

/*
 * flows/entry.c: an entry without bits that do not count: values under their masks, fields of its
 * type only.
 */
void entry_canonical(struct sriov_entry *entry);
/* True if both match the same packets, whatever they do with them. */
bool entry_same_match(const struct sriov_entry *a, const struct sriov_entry *b);
/* True if some packet matches both. */
bool entry_overlaps(const struct sriov_entry *a, const struct sriov_entry *b);
#define COOKIE_VF_SHIFT 32
#define COOKIE_VF(cookie) (((cookie) >> COOKIE_VF_SHIFT) & 0xff) /* VF index + 1, 0 = the PF */
#define COOKIE_QUEUE(cookie) ((uint32_t)(cookie))
#define COOKIE_WAKE (UINT64_MAX - 1) /* RX_CLS_FLOW_WAKE */
uint64_t action_cookie(const struct sriov_action *action);
/* The reverse: NULL, or why the cookie is no action, as a phrase. */
const char *cookie_action(uint64_t cookie, struct sriov_action *out);

#endif
