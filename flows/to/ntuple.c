/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An entry as the kernel's struct ethtool_rx_flow_spec (linux/ethtool.h) and back: fields in
 * network byte order, masks with 1 = must match, vlan and user-def only with FLOW_EXT. Pure
 * functions.
 */
#include "flows/words.h"

#include <errno.h>
#include <string.h>

static const uint32_t types[SRIOV_FLOW_TYPES] = {
	[SRIOV_FLOW_TCP4] = TCP_V4_FLOW,         [SRIOV_FLOW_UDP4] = UDP_V4_FLOW,
	[SRIOV_FLOW_SCTP4] = SCTP_V4_FLOW,       [SRIOV_FLOW_IP4] = IPV4_USER_FLOW,
	[SRIOV_FLOW_TCP6] = TCP_V6_FLOW,         [SRIOV_FLOW_UDP6] = UDP_V6_FLOW,
	[SRIOV_FLOW_SCTP6] = SCTP_V6_FLOW,       [SRIOV_FLOW_IP6] = IPV6_USER_FLOW,
	[SRIOV_FLOW_ETHER] = ETHER_FLOW,         [SRIOV_FLOW_IP4_OTHER] = IPV4_USER_FLOW,
	[SRIOV_FLOW_IP6_OTHER] = IPV6_USER_FLOW,
};

#define IP4 FLOW_IP_V4
#define IP6 FLOW_IP_V6
#define ETHER FLOW_BIT(SRIOV_FLOW_ETHER)
#define IN(member) offsetof(union ethtool_flow_union, member)
#define IN_EXT(member) offsetof(struct ethtool_flow_ext, member)

/* Where a field stands in h_u and m_u, or in h_ext and m_ext. */
static const struct place {
	unsigned types;
	enum flow_field_id id;
	uint16_t offset;
} places[] = {
	{FLOW_L4_V4, FIELD_SRC_IP, IN(tcp_ip4_spec.ip4src)},
	{FLOW_L4_V4, FIELD_DST_IP, IN(tcp_ip4_spec.ip4dst)},
	{FLOW_L4_V4, FIELD_SRC_PORT, IN(tcp_ip4_spec.psrc)},
	{FLOW_L4_V4, FIELD_DST_PORT, IN(tcp_ip4_spec.pdst)},
	{FLOW_L4_V4, FIELD_TOS, IN(tcp_ip4_spec.tos)},
	{IP4, FIELD_SRC_IP, IN(usr_ip4_spec.ip4src)},
	{IP4, FIELD_DST_IP, IN(usr_ip4_spec.ip4dst)},
	{IP4, FIELD_L4_DATA, IN(usr_ip4_spec.l4_4_bytes)},
	{IP4, FIELD_TOS, IN(usr_ip4_spec.tos)},
	{IP4, FIELD_L4_PROTO, IN(usr_ip4_spec.proto)},
	{FLOW_L4_V6, FIELD_SRC_IP, IN(tcp_ip6_spec.ip6src)},
	{FLOW_L4_V6, FIELD_DST_IP, IN(tcp_ip6_spec.ip6dst)},
	{FLOW_L4_V6, FIELD_SRC_PORT, IN(tcp_ip6_spec.psrc)},
	{FLOW_L4_V6, FIELD_DST_PORT, IN(tcp_ip6_spec.pdst)},
	{FLOW_L4_V6, FIELD_TOS, IN(tcp_ip6_spec.tclass)},
	{IP6, FIELD_SRC_IP, IN(usr_ip6_spec.ip6src)},
	{IP6, FIELD_DST_IP, IN(usr_ip6_spec.ip6dst)},
	{IP6, FIELD_L4_DATA, IN(usr_ip6_spec.l4_4_bytes)},
	{IP6, FIELD_TOS, IN(usr_ip6_spec.tclass)},
	{IP6, FIELD_L4_PROTO, IN(usr_ip6_spec.l4_proto)},
	{ETHER, FIELD_SRC_MAC, IN(ether_spec.h_source)},
	{ETHER, FIELD_DST_MAC, IN(ether_spec.h_dest)},
	{ETHER, FIELD_ETHERTYPE, IN(ether_spec.h_proto)},
	{~0u, FIELD_VLAN_ETYPE, IN_EXT(vlan_etype)},
	{~0u, FIELD_VLAN, IN_EXT(vlan_tci)},
	{~0u, FIELD_USER_DEF, IN_EXT(data)}, /* data[0] is the high half */
};

static const struct place *place_of(const struct flow_field *field, enum sriov_flow_type type)
{
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (places[i].id == field->id && places[i].types & FLOW_BIT(type))
			return &places[i];
	return NULL;
}

static void put(const struct flow_field *f, const struct sriov_match *match, uint8_t *at)
{
	uint64_t number;

	if (f->kind != KIND_NUMBER) {
		memcpy(at, flow_field_at(f, match), f->size);
		return;
	}
	number = flow_field_number(f, match);
	for (size_t i = f->size; i--; number >>= 8)
		at[i] = number;
}

static void get(const struct flow_field *f, const uint8_t *at, struct sriov_match *match)
{
	uint64_t number = 0;

	if (f->kind != KIND_NUMBER) {
		flow_field_set_bytes(f, match, at);
		return;
	}
	for (size_t i = 0; i < f->size; i++)
		number = number << 8 | at[i];
	flow_field_set_number(f, match, number);
}

int ntuple_encode(const struct sriov_entry *entry, struct ethtool_rx_flow_spec *out)
{
	struct ethtool_rx_flow_spec spec = {.location = entry->loc, .ring_cookie = entry->cookie};

	if (!sriov_flow_type_word(entry->type))
		return -EINVAL;
	spec.flow_type = types[entry->type] | (entry->ext ? FLOW_EXT : 0);
	for (const struct flow_field *f = NULL; (f = flow_field_next(f, entry->type));) {
		const struct place *place = place_of(f, entry->type);

		if (f->ext && !entry->ext)
			continue;
		if (f->rte && flow_field_any(f, &entry->mask))
			return -EOPNOTSUPP;
		if (f->rte)
			continue;
		put(f, &entry->value,
		    (f->ext ? (uint8_t *)&spec.h_ext : (uint8_t *)&spec.h_u) + place->offset);
		put(f, &entry->mask,
		    (f->ext ? (uint8_t *)&spec.m_ext : (uint8_t *)&spec.m_u) + place->offset);
	}
	if (FLOW_BIT(entry->type) & FLOW_IP_V4)
		spec.h_u.usr_ip4_spec.ip_ver =
			ETH_RX_NFC_IP4; /* as ethtool(8) does; its mask stays 0 */
	*out = spec;
	return 0;
}

int ntuple_decode(const struct ethtool_rx_flow_spec *spec, struct sriov_entry *out)
{
	struct sriov_entry entry = {.loc = spec->location, .cookie = spec->ring_cookie};
	uint32_t type = spec->flow_type &
			~FLOW_EXT; /* other flags make it a type we have no word for */

	for (unsigned i = SRIOV_FLOW_NONE + 1; i < SRIOV_FLOW_TYPES; i++)
		if (types[i] == type &&
		    !entry.type) /* IP4_OTHER is what i40e's profile makes of IP4 */
			entry.type = i;
	*out = entry;
	if (entry.type == SRIOV_FLOW_NONE)
		return -EOPNOTSUPP;
	entry.ext = spec->flow_type & FLOW_EXT;
	for (const struct flow_field *f = NULL; (f = flow_field_next(f, entry.type));) {
		const struct place *place = place_of(f, entry.type);

		if (f->rte || (f->ext && !entry.ext))
			continue;
		get(f,
		    (f->ext ? (const uint8_t *)&spec->h_ext : (const uint8_t *)&spec->h_u) +
			    place->offset,
		    &entry.value);
		get(f,
		    (f->ext ? (const uint8_t *)&spec->m_ext : (const uint8_t *)&spec->m_u) +
			    place->offset,
		    &entry.mask);
	}
	*out = entry;
	return 0;
}
