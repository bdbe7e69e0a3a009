/* SPDX-License-Identifier: Apache-2.0 */
/* Flow types and fields as data: see words.h. */
#include "flows/words.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const type_words[SRIOV_FLOW_TYPES] = {
	[SRIOV_FLOW_TCP4] = "tcp4",           [SRIOV_FLOW_UDP4] = "udp4",
	[SRIOV_FLOW_SCTP4] = "sctp4",         [SRIOV_FLOW_IP4] = "ip4",
	[SRIOV_FLOW_TCP6] = "tcp6",           [SRIOV_FLOW_UDP6] = "udp6",
	[SRIOV_FLOW_SCTP6] = "sctp6",         [SRIOV_FLOW_IP6] = "ip6",
	[SRIOV_FLOW_ETHER] = "ether",         [SRIOV_FLOW_IP4_OTHER] = "ip4-other",
	[SRIOV_FLOW_IP6_OTHER] = "ip6-other",
};

#define IP4 FLOW_IP_V4
#define IP6 FLOW_IP_V6
#define TCP (FLOW_BIT(SRIOV_FLOW_TCP4) | FLOW_BIT(SRIOV_FLOW_TCP6))
#define UDP (FLOW_BIT(SRIOV_FLOW_UDP4) | FLOW_BIT(SRIOV_FLOW_UDP6))
#define ETHER FLOW_BIT(SRIOV_FLOW_ETHER)
#define EVERY (FLOW_L4_V4 | FLOW_L4_V6 | IP4 | IP6 | ETHER)
#define AT(member) offsetof(struct sriov_match, member), sizeof(((struct sriov_match *)0)->member)
#define AT_IP4(member) offsetof(struct sriov_match, member), 4

/* clang-format off */
const struct flow_field flow_fields[FLOW_FIELDS] = {
	{FIELD_SRC_IP,     "src-ip",     "ip4src",     KIND_IP4,    0, 0, 0, FLOW_L4_V4 | IP4,        AT_IP4(src_ip)},
	{FIELD_SRC_IP,     "src-ip",     "ip6src",     KIND_IP6,    0, 0, 0, FLOW_L4_V6 | IP6,        AT(src_ip)},
	{FIELD_DST_IP,     "dst-ip",     "ip4dst",     KIND_IP4,    0, 0, 0, FLOW_L4_V4 | IP4,        AT_IP4(dst_ip)},
	{FIELD_DST_IP,     "dst-ip",     "ip6dst",     KIND_IP6,    0, 0, 0, FLOW_L4_V6 | IP6,        AT(dst_ip)},
	{FIELD_SRC_PORT,   "src-port",   "psrc",       KIND_NUMBER, 0, 0, 0, FLOW_L4_V4 | FLOW_L4_V6, AT(src_port)},
	{FIELD_DST_PORT,   "dst-port",   "pdst",       KIND_NUMBER, 0, 0, 0, FLOW_L4_V4 | FLOW_L4_V6, AT(dst_port)},
	{FIELD_VNI,        "vni",        "vni",        KIND_NUMBER, 0, 0, 1, UDP,                     AT(vni)},
	{FIELD_INNER_DST,  "inner-dst",  "inner_dst",  KIND_MAC,    0, 0, 1, UDP,                     AT(inner_dst)},
	{FIELD_INNER_VLAN, "inner-vlan", "inner_vlan", KIND_NUMBER, 0, 0, 1, UDP,                     AT(inner_vlan)},
	{FIELD_TOS,        "tos",        "tos",        KIND_NUMBER, 1, 0, 0, FLOW_L4_V4 | IP4,        AT(tos)},
	{FIELD_TOS,        "tclass",     "tclass",     KIND_NUMBER, 1, 0, 0, FLOW_L4_V6 | IP6,        AT(tos)},
	{FIELD_L4_PROTO,   "l4proto",    "proto",      KIND_NUMBER, 0, 0, 0, IP4,                     AT(proto)},
	{FIELD_L4_PROTO,   "l4proto",    "l4_proto",   KIND_NUMBER, 0, 0, 0, IP6,                     AT(proto)},
	{FIELD_L4_DATA,    "l4data",     "l4_4_bytes", KIND_NUMBER, 1, 0, 0, IP4 | IP6,               AT(l4_bytes)},
	{FIELD_TCP_FLAGS,  "tcp-flags",  "tcp_flags",  KIND_NUMBER, 1, 0, 1, TCP,                     AT(tcp_flags)},
	{FIELD_SRC_MAC,    "src",        "h_source",   KIND_MAC,    0, 0, 0, ETHER,                   AT(src_mac)},
	{FIELD_DST_MAC,    "dst",        "h_dest",     KIND_MAC,    0, 0, 0, ETHER,                   AT(dst_mac)},
	{FIELD_ETHERTYPE,  "proto",      "h_proto",    KIND_NUMBER, 1, 0, 0, ETHER,                   AT(ethertype)},
	{FIELD_E_TAG,      "e-tag",      "e_tag",      KIND_NUMBER, 0, 0, 1, ETHER,                   AT(e_tag)},
	{FIELD_VLAN_ETYPE, "vlan-etype", "vlan_etype", KIND_NUMBER, 1, 1, 0, EVERY,                   AT(vlan_etype)},
	{FIELD_VLAN,       "vlan",       "vlan_tci",   KIND_NUMBER, 0, 1, 0, EVERY,                   AT(vlan_tci)},
	{FIELD_USER_DEF,   "user-def",   "user_def",   KIND_NUMBER, 1, 1, 0, EVERY,                   AT(user_def)},
};
/* clang-format on */

enum sriov_flow_type flow_type_find(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(type_words); i++)
		if (type_words[i] && !strcmp(type_words[i], word))
			return i;
	return SRIOV_FLOW_NONE;
}

SRIOV_EXPORT const char *sriov_flow_type_word(enum sriov_flow_type type)
{
	return (unsigned)type < ARRAY_SIZE(type_words) ? type_words[type] : NULL;
}

unsigned flow_type_classes(enum sriov_flow_type type)
{
	switch (type) {
	case SRIOV_FLOW_IP4:
		return FLOW_L4_V4 | FLOW_BIT(SRIOV_FLOW_IP4_OTHER);
	case SRIOV_FLOW_IP6:
		return FLOW_L4_V6 | FLOW_BIT(SRIOV_FLOW_IP6_OTHER);
	case SRIOV_FLOW_ETHER:
		return FLOW_L4_V4 | FLOW_BIT(SRIOV_FLOW_IP4_OTHER) | FLOW_L4_V6 |
		       FLOW_BIT(SRIOV_FLOW_IP6_OTHER) | ETHER;
	default:
		return FLOW_BIT(type);
	}
}

const struct flow_field *flow_field_find(enum sriov_flow_type type, const char *word)
{
	const struct flow_field *field = NULL;

	while ((field = flow_field_next(field, type)) && strcmp(field->word, word))
		;
	return field;
}

const struct flow_field *flow_field_of(enum sriov_flow_type type, enum flow_field_id id)
{
	const struct flow_field *field = NULL;

	while ((field = flow_field_next(field, type)) && field->id != id)
		;
	return field;
}

bool flow_fields_foreign(enum sriov_flow_type type, const struct sriov_match *mask)
{
	for (size_t i = 0; i < FLOW_FIELDS; i++)
		if (!(flow_fields[i].types & FLOW_BIT(type)) &&
		    flow_field_any(&flow_fields[i], mask) &&
		    !flow_field_of(type, flow_fields[i].id))
			return true;
	return false;
}

bool flow_word_known(const char *word)
{
	for (size_t i = 0; i < FLOW_FIELDS; i++)
		if (!strcmp(flow_fields[i].word, word))
			return true;
	return false;
}

uint64_t flow_field_number(const struct flow_field *field, const struct sriov_match *match)
{
	const uint8_t *at = flow_field_at(field, match);

	switch (field->size) {
	case sizeof(uint8_t):
		return *at;
	case sizeof(uint16_t):
		return *(const uint16_t *)at;
	case sizeof(uint32_t):
		return *(const uint32_t *)at;
	default:
		return *(const uint64_t *)at;
	}
}

void flow_field_set_number(const struct flow_field *field, struct sriov_match *match,
			   uint64_t number)
{
	uint8_t *at = (uint8_t *)match + field->offset;

	switch (field->size) {
	case sizeof(uint8_t):
		*at = number;
		break;
	case sizeof(uint16_t):
		*(uint16_t *)at = number;
		break;
	case sizeof(uint32_t):
		*(uint32_t *)at = number;
		break;
	default:
		*(uint64_t *)at = number;
	}
}

void flow_field_set_bytes(const struct flow_field *field, struct sriov_match *match,
			  const void *bytes)
{
	memcpy((uint8_t *)match + field->offset, bytes, field->size);
}

void flow_field_fill(const struct flow_field *field, struct sriov_match *match, uint8_t byte)
{
	memset((uint8_t *)match + field->offset, byte, field->size);
}

bool flow_field_full(const struct flow_field *field, const struct sriov_match *mask)
{
	for (size_t i = 0; i < field->size; i++)
		if (flow_field_at(field, mask)[i] != 0xff)
			return false;
	return true;
}

__attribute__((format(printf, 2, 0))) static void text_vadd(struct text *text, const char *fmt,
							    va_list ap)
{
	size_t room = text->size - text->used;
	int len = vsnprintf(text->at + text->used, room, fmt, ap);

	if (len < 0 || (size_t)len >= room) {
		text->full = true;
		text->used = text->size ? text->size - 1 : 0;
	} else {
		text->used += len;
	}
}

void text_add(struct text *text, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	text_vadd(text, fmt, ap);
	va_end(ap);
}

void text_put(struct text *text, const char *word)
{
	size_t room = text->size - text->used, len = strlen(word);

	if (len >= room) {
		text->full = true;
		len = room ? room - 1 : 0;
	}
	if (room) {
		memcpy(text->at + text->used, word, len);
		text->at[text->used += len] = '\0';
	}
}

void text_put_number(struct text *text, const char *word, uint64_t number)
{
	char digits[24];
	size_t first = sizeof(digits) - 1;

	digits[first] = '\0';
	do
		digits[--first] = '0' + number % 10;
	while (number /= 10);
	digits[--first] = ' ';
	text_put(text, " ");
	text_put(text, word);
	text_put(text, digits + first);
}

void text_list(struct text *text, const char *fmt, ...)
{
	va_list ap;

	if (text->used)
		text_put(text, ", ");
	va_start(ap, fmt);
	text_vadd(text, fmt, ap);
	va_end(ap);
}
