/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's struct ethtool_rx_flow_spec as JSON, as recorded lines have it (tests/conformance), both
 * ways. It has every bit that a driver looks at, also those without a word in the rule language.
 */
#include "flows/nic/replay_json.h"
#include "flows/value.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* Layouts of union ethtool_flow_union that flow types share. */
enum layout {
	L4_V4 = 1 << 0,
	IPSEC_V4 = 1 << 1,
	USER_V4 = 1 << 2,
	L4_V6 = 1 << 3,
	IPSEC_V6 = 1 << 4,
	USER_V6 = 1 << 5,
	ETHER = 1 << 6,
	ALL = (1 << 7) - 1,
};

static const struct flow_name {
	const char *name;
	uint32_t flow;
	enum layout layout;
} flows[] = {
	{"tcp4", TCP_V4_FLOW, L4_V4},      {"udp4", UDP_V4_FLOW, L4_V4},
	{"sctp4", SCTP_V4_FLOW, L4_V4},    {"ah_esp4", AH_ESP_V4_FLOW, IPSEC_V4},
	{"tcp6", TCP_V6_FLOW, L4_V6},      {"udp6", UDP_V6_FLOW, L4_V6},
	{"sctp6", SCTP_V6_FLOW, L4_V6},    {"ah_esp6", AH_ESP_V6_FLOW, IPSEC_V6},
	{"ah4", AH_V4_FLOW, IPSEC_V4},     {"esp4", ESP_V4_FLOW, IPSEC_V4},
	{"ah6", AH_V6_FLOW, IPSEC_V6},     {"esp6", ESP_V6_FLOW, IPSEC_V6},
	{"ip4", IPV4_USER_FLOW, USER_V4},  {"ip6", IPV6_USER_FLOW, USER_V6},
	{"ipv4_hash", IPV4_FLOW, USER_V4}, {"ipv6_hash", IPV6_FLOW, USER_V6},
	{"ether", ETHER_FLOW, ETHER},
};

static const struct flow_flag {
	const char *name;
	uint32_t bit;
} flags[] = {{"ext", FLOW_EXT}, {"mac_ext", FLOW_MAC_EXT}, {"rss", FLOW_RSS}};
#define FLAGS (FLOW_EXT | FLOW_MAC_EXT | FLOW_RSS)

/* Numbers are in network byte order; one of 64 bits is written as a hexadecimal string. */
struct spec_field {
	const char *name;
	enum flow_kind kind;
	unsigned layouts;
	bool ext; /* in struct ethtool_flow_ext */
	uint16_t offset, size;
};

#define IN(spec, field)                                                                            \
	false, offsetof(union ethtool_flow_union, spec.field),                                     \
		sizeof(((union ethtool_flow_union *)0)->spec.field)
#define IN_EXT(field)                                                                              \
	true, offsetof(struct ethtool_flow_ext, field),                                            \
		sizeof(((struct ethtool_flow_ext *)0)->field)

/* In the order in which they are written. */
static const struct spec_field fields[] = {
	{"ip4src", KIND_IP4, L4_V4 | IPSEC_V4 | USER_V4, IN(tcp_ip4_spec, ip4src)},
	{"ip4dst", KIND_IP4, L4_V4 | IPSEC_V4 | USER_V4, IN(tcp_ip4_spec, ip4dst)},
	{"psrc", KIND_NUMBER, L4_V4, IN(tcp_ip4_spec, psrc)},
	{"pdst", KIND_NUMBER, L4_V4, IN(tcp_ip4_spec, pdst)},
	{"spi", KIND_NUMBER, IPSEC_V4, IN(ah_ip4_spec, spi)},
	{"l4_4_bytes", KIND_NUMBER, USER_V4, IN(usr_ip4_spec, l4_4_bytes)},
	{"tos", KIND_NUMBER, L4_V4 | IPSEC_V4 | USER_V4, IN(tcp_ip4_spec, tos)},
	{"ip_ver", KIND_NUMBER, USER_V4, IN(usr_ip4_spec, ip_ver)},
	{"proto", KIND_NUMBER, USER_V4, IN(usr_ip4_spec, proto)},
	{"ip6src", KIND_IP6, L4_V6 | IPSEC_V6 | USER_V6, IN(tcp_ip6_spec, ip6src)},
	{"ip6dst", KIND_IP6, L4_V6 | IPSEC_V6 | USER_V6, IN(tcp_ip6_spec, ip6dst)},
	{"psrc", KIND_NUMBER, L4_V6, IN(tcp_ip6_spec, psrc)},
	{"pdst", KIND_NUMBER, L4_V6, IN(tcp_ip6_spec, pdst)},
	{"spi", KIND_NUMBER, IPSEC_V6, IN(ah_ip6_spec, spi)},
	{"l4_4_bytes", KIND_NUMBER, USER_V6, IN(usr_ip6_spec, l4_4_bytes)},
	{"tclass", KIND_NUMBER, L4_V6 | IPSEC_V6 | USER_V6, IN(tcp_ip6_spec, tclass)},
	{"l4_proto", KIND_NUMBER, USER_V6, IN(usr_ip6_spec, l4_proto)},
	{"h_dest", KIND_MAC, ETHER, IN(ether_spec, h_dest)},
	{"h_source", KIND_MAC, ETHER, IN(ether_spec, h_source)},
	{"h_proto", KIND_NUMBER, ETHER, IN(ether_spec, h_proto)},
	{"vlan_etype", KIND_NUMBER, ALL, IN_EXT(vlan_etype)},
	{"vlan_tci", KIND_NUMBER, ALL, IN_EXT(vlan_tci)},
	{"user_def", KIND_NUMBER, ALL, IN_EXT(data)}, /* data[0] is the high half */
	{"ext_h_dest", KIND_MAC, ALL, IN_EXT(h_dest)},
};

static const struct flow_name *flow_of(uint32_t flow)
{
	for (size_t i = 0; i < ARRAY_SIZE(flows); i++)
		if (flows[i].flow == flow)
			return &flows[i];
	return NULL;
}

/*
 * The field of that name; if the flow type has none, where another has it: drivers look at the
 * union's bytes whatever the type.
 */
static const struct spec_field *field_of(unsigned layout, const char *name)
{
	const struct spec_field *other = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		if (strcmp(fields[i].name, name))
			continue;
		if (fields[i].layouts & layout)
			return &fields[i];
		other = other ?: &fields[i];
	}
	return other;
}

static int read_number(const struct spec_field *field, const json_t *json, uint8_t *at)
{
	json_int_t value = json_integer_value(json);
	uint64_t number = value;

	if (field->size == sizeof(uint64_t)) {
		if (!json_is_string(json) ||
		    value_number(json_string_value(json), UINT64_MAX, &number))
			return -EINVAL;
	} else if (!json_is_integer(json) || value < 0 || number >> 8 * field->size) {
		return -EINVAL;
	}
	for (size_t i = field->size; i--; number >>= 8)
		at[i] = number;
	return 0;
}

static int read_field(const struct spec_field *field, const json_t *json, uint8_t *at)
{
	const char *text = json_string_value(json);

	switch (field->kind) {
	case KIND_IP4:
	case KIND_IP6:
		return text && inet_pton(field->kind == KIND_IP4 ? AF_INET : AF_INET6, text, at) ==
					       1
			       ? 0
			       : -EINVAL;
	case KIND_MAC:
		return text ? sriov_mac_parse(text, at) : -EINVAL;
	case KIND_NUMBER:
	default:
		return read_number(field, json, at);
	}
}

static const char *expected(const struct spec_field *field)
{
	static const char *const words[] = {[KIND_IP4] = "an IPv4 address",
					    [KIND_IP6] = "an IPv6 address",
					    [KIND_MAC] = "a MAC address (aa:bb:cc:dd:ee:ff)"};

	if (field->kind != KIND_NUMBER)
		return words[field->kind];
	switch (field->size) {
	case 1:
		return "a number up to 255";
	case 2:
		return "a number up to 65535";
	case 4:
		return "a number of 32 bits";
	default:
		return "a number of 64 bits in a string (\"0x1f\")";
	}
}

static int read_fields(const json_t *op, const char *part, unsigned layout,
		       union ethtool_flow_union *u, struct ethtool_flow_ext *ext,
		       struct sriov_error *err)
{
	json_t *object = json_object_get(op, part), *member;
	const char *name;

	if (object && !json_is_object(object))
		return sriov_error_set(err, -EINVAL, "op", "'%s' is not an object", part);
	json_object_foreach(object, name, member) {
		const struct spec_field *field = field_of(layout, name);

		if (!field)
			return sriov_error_set(err, -EINVAL, "op", "'%s.%.40s': no such field",
					       part, name);
		if (read_field(field, member,
			       (field->ext ? (uint8_t *)ext : (uint8_t *)u) + field->offset))
			return sriov_error_set(err, -EINVAL, "op", "'%s.%s' is not %s", part, name,
					       expected(field));
	}
	return 0;
}

static int read_flow(const json_t *op, uint32_t *flow, struct sriov_error *err)
{
	const json_t *json = json_object_get(op, "flow");
	const char *name = json_string_value(json);
	json_int_t number = json_integer_value(json);

	for (size_t i = 0; name && i < ARRAY_SIZE(flows); i++) {
		if (!strcmp(flows[i].name, name)) {
			*flow = flows[i].flow;
			return 0;
		}
	}
	if (!json_is_integer(json) || number < 0 || number & ~(json_int_t)UINT32_MAX ||
	    number & FLAGS)
		return sriov_error_set(err, -EINVAL, "op",
				       "'flow' is neither a flow type's name nor its number");
	*flow = number;
	return 0;
}

static int read_flags(const json_t *op, uint32_t *out, struct sriov_error *err)
{
	const json_t *array = json_object_get(op, "flags"), *element;
	size_t i;

	if (array && !json_is_array(array))
		return sriov_error_set(err, -EINVAL, "op", "'flags' is not an array");
	json_array_foreach(array, i, element) {
		const char *name = json_string_value(element);
		size_t k = 0;

		while (k < ARRAY_SIZE(flags) && (!name || strcmp(flags[k].name, name)))
			k++;
		if (k == ARRAY_SIZE(flags))
			return sriov_error_set(
				err, -EINVAL, "op",
				"'flags' has something other than ext, mac_ext, rss");
		*out |= flags[k].bit;
	}
	return 0;
}

int spec_read_loc(const json_t *op, uint32_t *loc, struct sriov_error *err)
{
	const json_t *json = json_object_get(op, "loc");
	json_int_t number = json_integer_value(json);

	if (!json_is_integer(json) || number < 0 || number > UINT32_MAX)
		return sriov_error_set(err, -EINVAL, "op", "'loc' is not a number of 32 bits");
	*loc = number;
	return 0;
}

int spec_read(const json_t *op, struct ethtool_rx_flow_spec *out, struct sriov_error *err)
{
	const char *cookie = json_string_value(json_object_get(op, "cookie"));
	struct ethtool_rx_flow_spec spec = {0};
	const struct flow_name *name;
	uint64_t number;
	int r = spec_read_loc(op, &spec.location, err);

	if (!r)
		r = read_flow(op, &spec.flow_type, err);
	if (r)
		return r;
	if (!cookie || value_number(cookie, UINT64_MAX, &number))
		return sriov_error_set(err, -EINVAL, "op",
				       "'cookie' is not a number of 64 bits in a string");
	spec.ring_cookie = number;
	name = flow_of(spec.flow_type);
	r = read_fields(op, "value", name ? name->layout : ALL, &spec.h_u, &spec.h_ext, err);
	if (!r)
		r = read_fields(op, "mask", name ? name->layout : ALL, &spec.m_u, &spec.m_ext, err);
	if (!r)
		r = read_flags(op, &spec.flow_type, err);
	if (!r)
		*out = spec;
	return r;
}

/* As RFC 5952 has it, but without dotted quads at the end, which inet_ntop() writes and lines do not. */
static json_t *write_ip6(const uint8_t *at)
{
	char buf[INET6_ADDRSTRLEN];
	struct text text = {.at = buf, .size = sizeof(buf)};
	size_t first = 8, longest = 1; /* the run of zero words that "::" stands for */

	for (size_t i = 0, n = 0; i < 8; i++) {
		n = at[2 * i] || at[2 * i + 1] ? 0 : n + 1;
		if (n > longest) {
			longest = n;
			first = i + 1 - n;
		}
	}
	buf[0] = '\0';
	for (size_t i = 0; i < 8; i++) {
		if (i == first) {
			text_add(&text, "::");
			i += longest - 1;
		} else {
			text_add(&text, "%s%x", i && i != first + longest ? ":" : "",
				 at[2 * i] << 8 | at[2 * i + 1]);
		}
	}
	return json_string(buf);
}

static json_t *write_field(const struct spec_field *field, const uint8_t *at)
{
	uint64_t number = 0;
	char buf[INET_ADDRSTRLEN > SRIOV_MAC_LEN ? INET_ADDRSTRLEN : SRIOV_MAC_LEN];

	switch (field->kind) {
	case KIND_IP4:
		return json_string(inet_ntop(AF_INET, at, buf, sizeof(buf)));
	case KIND_IP6:
		return write_ip6(at);
	case KIND_MAC:
		return json_string(sriov_mac_format(at, buf));
	case KIND_NUMBER:
	default:
		for (size_t i = 0; i < field->size; i++)
			number = number << 8 | at[i];
		return field->size < sizeof(number) ? json_integer(number)
						    : json_sprintf("0x%016" PRIx64, number);
	}
}

static bool is_zero(const uint8_t *at, size_t size)
{
	while (size && !*at) {
		at++;
		size--;
	}
	return !size;
}

static json_t *write_fields(unsigned layout, const union ethtool_flow_union *u,
			    const struct ethtool_flow_ext *ext)
{
	_json_ json_t *object = json_object();

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		const struct spec_field *field = &fields[i];
		const uint8_t *at = (field->ext ? (const uint8_t *)ext : (const uint8_t *)u) +
				    field->offset;

		if (field->layouts & layout && !is_zero(at, field->size) &&
		    json_object_set_new(object, field->name, write_field(field, at)))
			return NULL;
	}
	return core_steal(object);
}

static json_t *write_flags(uint32_t flow)
{
	_json_ json_t *array = json_array();

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (flow & flags[i].bit && json_array_append_new(array, json_string(flags[i].name)))
			return NULL;
	return core_steal(array);
}

json_t *spec_write(const struct ethtool_rx_flow_spec *spec)
{
	const struct flow_name *name = flow_of(spec->flow_type & ~FLAGS);
	unsigned layout = name ? name->layout : 0;

	/* json_pack() gives NULL if one of the parts is */
	return json_pack("{s:I, s:o, s:o, s:o, s:o, s:o}", "loc", (json_int_t)spec->location,
			 "flow",
			 name ? json_string(name->name) : json_integer(spec->flow_type & ~FLAGS),
			 "flags", write_flags(spec->flow_type), "value",
			 write_fields(layout, &spec->h_u, &spec->h_ext), "mask",
			 write_fields(layout, &spec->m_u, &spec->m_ext), "cookie",
			 json_sprintf("0x%" PRIx64, (uint64_t)spec->ring_cookie));
}
