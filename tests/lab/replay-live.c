/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Performs the rule operations of conformance lines (JSON, one object a line on standard input) on a
 * real netdev, by the same ioctls as anybody, each line on an empty table, and prints what the driver answered and what it then
 * reads back, in the words of those lines:
 *
 *     replay-live NETDEV   {"id":…,"results":[{"errno":…}…],"final":{"table_size":…,"rules":[…]}}
 *
 * Shares no code with sriovctl, whose answers it is compared with. Of a line it reads id and ops.
 */
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <jansson.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static const char *netdev;
static int sock;

static void die(const char *what, const char *name)
{
	fprintf(stderr, "replay-live: %s '%s'\n", what, name);
	exit(1);
}

/* How a field looks in JSON: numbers in host order, addresses and long numbers as text. */
enum look { U8, BE16, BE32, IP4, IP6, MAC, HEX64 };
static const size_t size_of[] = {1, 2, 4, 4, 16, 6, 8};

struct field {
	const char *name;
	enum look look;
	size_t at; /* in union ethtool_flow_union, or in struct ethtool_flow_ext */
};

#define AT(spec, member) offsetof(union ethtool_flow_union, spec.member)
static const struct field tcp4[] = {
	{"ip4src", IP4, AT(tcp_ip4_spec, ip4src)}, {"ip4dst", IP4, AT(tcp_ip4_spec, ip4dst)},
	{"psrc", BE16, AT(tcp_ip4_spec, psrc)},    {"pdst", BE16, AT(tcp_ip4_spec, pdst)},
	{"tos", U8, AT(tcp_ip4_spec, tos)},        {},
};
static const struct field tcp6[] = {
	{"ip6src", IP6, AT(tcp_ip6_spec, ip6src)}, {"ip6dst", IP6, AT(tcp_ip6_spec, ip6dst)},
	{"psrc", BE16, AT(tcp_ip6_spec, psrc)},    {"pdst", BE16, AT(tcp_ip6_spec, pdst)},
	{"tclass", U8, AT(tcp_ip6_spec, tclass)},  {},
};
static const struct field esp4[] = {
	{"ip4src", IP4, AT(esp_ip4_spec, ip4src)},
	{"ip4dst", IP4, AT(esp_ip4_spec, ip4dst)},
	{"spi", BE32, AT(esp_ip4_spec, spi)},
	{"tos", U8, AT(esp_ip4_spec, tos)},
	{},
};
static const struct field esp6[] = {
	{"ip6src", IP6, AT(esp_ip6_spec, ip6src)},
	{"ip6dst", IP6, AT(esp_ip6_spec, ip6dst)},
	{"spi", BE32, AT(esp_ip6_spec, spi)},
	{"tclass", U8, AT(esp_ip6_spec, tclass)},
	{},
};
static const struct field ip4[] = {
	{"ip4src", IP4, AT(usr_ip4_spec, ip4src)},
	{"ip4dst", IP4, AT(usr_ip4_spec, ip4dst)},
	{"l4_4_bytes", BE32, AT(usr_ip4_spec, l4_4_bytes)},
	{"tos", U8, AT(usr_ip4_spec, tos)},
	{"ip_ver", U8, AT(usr_ip4_spec, ip_ver)},
	{"proto", U8, AT(usr_ip4_spec, proto)},
	{},
};
static const struct field ip6[] = {
	{"ip6src", IP6, AT(usr_ip6_spec, ip6src)},
	{"ip6dst", IP6, AT(usr_ip6_spec, ip6dst)},
	{"l4_4_bytes", BE32, AT(usr_ip6_spec, l4_4_bytes)},
	{"tclass", U8, AT(usr_ip6_spec, tclass)},
	{"l4_proto", U8, AT(usr_ip6_spec, l4_proto)},
	{},
};
static const struct field ether[] = {
	{"h_dest", MAC, AT(ether_spec, h_dest)},
	{"h_source", MAC, AT(ether_spec, h_source)},
	{"h_proto", BE16, AT(ether_spec, h_proto)},
	{},
};
static const struct field none[] = {{}};
static const struct field ext[] = {
	{"vlan_etype", BE16, offsetof(struct ethtool_flow_ext, vlan_etype)},
	{"vlan_tci", BE16, offsetof(struct ethtool_flow_ext, vlan_tci)},
	{"user_def", HEX64, offsetof(struct ethtool_flow_ext, data)},
	{"ext_h_dest", MAC, offsetof(struct ethtool_flow_ext, h_dest)},
	{},
};

static const struct flow {
	const char *name;
	uint32_t type;
	const struct field *fields;
} flows[] = {
	{"tcp4", TCP_V4_FLOW, tcp4},    {"udp4", UDP_V4_FLOW, tcp4},
	{"sctp4", SCTP_V4_FLOW, tcp4},  {"ah_esp4", AH_ESP_V4_FLOW, esp4},
	{"tcp6", TCP_V6_FLOW, tcp6},    {"udp6", UDP_V6_FLOW, tcp6},
	{"sctp6", SCTP_V6_FLOW, tcp6},  {"ah_esp6", AH_ESP_V6_FLOW, esp6},
	{"ah4", AH_V4_FLOW, esp4},      {"esp4", ESP_V4_FLOW, esp4},
	{"ah6", AH_V6_FLOW, esp6},      {"esp6", ESP_V6_FLOW, esp6},
	{"ip4", IP_USER_FLOW, ip4},     {"ip6", IPV6_USER_FLOW, ip6},
	{"ipv4_hash", IPV4_FLOW, none}, {"ipv6_hash", IPV6_FLOW, none},
	{"ether", ETHER_FLOW, ether},   {NULL, 0, none},
};

static const struct {
	const char *name;
	uint32_t bit;
} flags[] = {{"ext", FLOW_EXT}, {"mac_ext", FLOW_MAC_EXT}, {"rss", FLOW_RSS}};
#define FLAGS (sizeof(flags) / sizeof(flags[0]))

/* ---- JSON to the kernel's structures ---- */

static void read_field(const struct field *field, json_t *value, uint8_t *to)
{
	const char *text = json_string_value(value);
	uint64_t number = text ? strtoull(text, NULL, 0) : (uint64_t)json_integer_value(value);
	uint16_t half = htobe16(number);
	uint32_t word = htobe32(number);
	uint64_t both = htobe64(number);

	switch (field->look) {
	case U8:
		*to = number;
		break;
	case BE16:
		memcpy(to, &half, sizeof(half));
		break;
	case BE32:
		memcpy(to, &word, sizeof(word));
		break;
	case HEX64:
		memcpy(to, &both, sizeof(both));
		break;
	case IP4:
	case IP6:
		if (!text || inet_pton(field->look == IP4 ? AF_INET : AF_INET6, text, to) != 1)
			die("no address:", text ? text : field->name);
		break;
	case MAC:
		if (!text || sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &to[0], &to[1], &to[2],
				    &to[3], &to[4], &to[5]) != 6)
			die("no MAC address:", text ? text : field->name);
	}
}

static const struct field *find(const struct field *field, const char *name)
{
	for (; field->name; field++)
		if (!strcmp(field->name, name))
			return field;
	return NULL;
}

static void read_fields(const struct flow *flow, json_t *object, void *spec, void *ext_spec)
{
	const char *name;
	json_t *value;

	json_object_foreach(object, name, value) {
		const struct field *field = find(flow->fields, name);
		uint8_t *base = spec;

		if (!field) {
			field = find(ext, name);
			base = ext_spec;
		}
		if (!field)
			die("no such field:", name);
		read_field(field, value, base + field->at);
	}
}

static void read_add(json_t *op, struct ethtool_rx_flow_spec *out)
{
	json_t *type = json_object_get(op, "flow"), *flag;
	const struct flow *flow = flows;
	size_t i;

	out->location = json_integer_value(json_object_get(op, "loc"));
	out->ring_cookie = strtoull(json_string_value(json_object_get(op, "cookie")) ?: "0", NULL,
				    0);
	while (flow->name && (!json_is_string(type) || strcmp(flow->name, json_string_value(type))))
		flow++;
	if (!flow->name && json_is_string(type))
		die("no such flow type:", json_string_value(type));
	out->flow_type = flow->name ? flow->type : (uint32_t)json_integer_value(type);
	json_array_foreach(json_object_get(op, "flags"), i, flag)
		for (size_t k = 0; k < FLAGS; k++)
			if (!strcmp(flags[k].name, json_string_value(flag) ?: ""))
				out->flow_type |= flags[k].bit;
	read_fields(flow, json_object_get(op, "value"), &out->h_u, &out->h_ext);
	read_fields(flow, json_object_get(op, "mask"), &out->m_u, &out->m_ext);
}

/* ---- and back ---- */

static json_t *show_field(const struct field *field, const uint8_t *from)
{
	char text[INET6_ADDRSTRLEN];
	uint16_t half;
	uint32_t word;
	uint64_t both;

	switch (field->look) {
	case U8:
		return json_integer(*from);
	case BE16:
		memcpy(&half, from, sizeof(half));
		return json_integer(be16toh(half));
	case BE32:
		memcpy(&word, from, sizeof(word));
		return json_integer(be32toh(word));
	case HEX64:
		memcpy(&both, from, sizeof(both));
		return json_sprintf("0x%016llx", (unsigned long long)be64toh(both));
	case MAC:
		return json_sprintf("%02x:%02x:%02x:%02x:%02x:%02x", from[0], from[1], from[2],
				    from[3], from[4], from[5]);
	case IP4:
		inet_ntop(AF_INET, from, text, sizeof(text));
		break;
	case IP6:
		inet_ntop(AF_INET6, from, text, sizeof(text));
		/* lines have no dotted quad at the end of an address */
		if (strchr(text, '.'))
			sprintf(strrchr(text, ':') + 1, "%x:%x", from[12] << 8 | from[13],
				from[14] << 8 | from[15]);
	}
	return json_string(text);
}

/* Fields that are zero are left out. */
static void show_fields(const struct field *field, const void *from, json_t *to)
{
	static const uint8_t zero[16];

	for (; field->name; field++)
		if (memcmp((const uint8_t *)from + field->at, zero, size_of[field->look]))
			json_object_set_new(to, field->name,
					    show_field(field, (const uint8_t *)from + field->at));
}

static json_t *show_rule(const struct ethtool_rx_flow_spec *fs)
{
	json_t *value = json_object(), *mask = json_object(), *set = json_array();
	uint32_t type = fs->flow_type & ~(FLOW_EXT | FLOW_MAC_EXT | FLOW_RSS);
	const struct flow *flow = flows;

	while (flow->name && flow->type != type)
		flow++;
	for (size_t k = 0; k < FLAGS; k++)
		if (fs->flow_type & flags[k].bit)
			json_array_append_new(set, json_string(flags[k].name));
	show_fields(flow->fields, &fs->h_u, value);
	show_fields(ext, &fs->h_ext, value);
	show_fields(flow->fields, &fs->m_u, mask);
	show_fields(ext, &fs->m_ext, mask);
	return json_pack("{sI so so so so so}", "loc", (json_int_t)fs->location, "flow",
			 flow->name ? json_string(flow->name) : json_integer(type), "flags", set,
			 "value", value, "mask", mask, "cookie",
			 json_sprintf("0x%llx", (unsigned long long)fs->ring_cookie));
}

/* ---- the driver ---- */

static int ask(struct ethtool_rxnfc *nfc)
{
	struct ifreq ifr = {.ifr_data = (void *)nfc};

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", netdev);
	return ioctl(sock, SIOCETHTOOL, &ifr) < 0 ? -errno : 0;
}

static json_t *perform(json_t *op)
{
	const char *kind = json_string_value(json_object_get(op, "op")) ?: "";
	struct ethtool_rxnfc nfc = {};

	if (!strcmp(kind, "add")) {
		nfc.cmd = ETHTOOL_SRXCLSRLINS;
		read_add(op, &nfc.fs);
	} else if (!strcmp(kind, "del")) {
		nfc.cmd = ETHTOOL_SRXCLSRLDEL;
		nfc.fs.location = json_integer_value(json_object_get(op, "loc"));
	} else {
		die("no operation for a live device:", kind);
	}
	return json_pack("{si}", "errno", ask(&nfc));
}

/* All occupied locations, and the size of the table in ->data. */
static struct ethtool_rxnfc *locations(void)
{
	struct ethtool_rxnfc *all = calloc(1, sizeof(*all) + 65536 * sizeof(all->rule_locs[0]));

	if (!all)
		die("no memory for", "the table");
	all->cmd = ETHTOOL_GRXCLSRLALL;
	all->rule_cnt = 65536;
	if (ask(all))
		die("cannot read the table of", netdev);
	return all;
}

static void clear_table(void)
{
	struct ethtool_rxnfc *all = locations();

	for (uint32_t i = 0; i < all->rule_cnt; i++)
		ask(&(struct ethtool_rxnfc){.cmd = ETHTOOL_SRXCLSRLDEL,
					    .fs.location = all->rule_locs[i]});
	free(all);
}

static json_t *read_table(void)
{
	struct ethtool_rxnfc *all = locations();
	json_t *rules = json_array(), *table;

	for (uint32_t i = 0; i < all->rule_cnt; i++) {
		struct ethtool_rxnfc one = {.cmd = ETHTOOL_GRXCLSRULE,
					    .fs.location = all->rule_locs[i]};
		json_t *rule = ask(&one)
				       ? json_pack("{sI sb}", "loc", (json_int_t)all->rule_locs[i],
						   "readback_failed", 1)
				       : show_rule(&one.fs);

		json_array_append_new(rules, rule);
	}
	table = json_pack("{sI so}", "table_size", (json_int_t)all->data, "rules", rules);
	free(all);
	return table;
}

int main(int argc, char **argv)
{
	char *line = NULL;
	size_t room = 0;

	if (argc != 2)
		die("usage: replay-live NETDEV < LINES, not", argv[0]);
	netdev = argv[1];
	sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	while (getline(&line, &room, stdin) > 0) {
		json_t *root = json_loads(line, 0, NULL), *results = json_array(), *op, *answer;
		size_t i;

		if (!root)
			die("no JSON:", line);
		clear_table();
		json_array_foreach(json_object_get(root, "ops"), i, op)
			json_array_append_new(results, perform(op));
		answer = json_pack("{sO so so}", "id", json_object_get(root, "id"), "results",
				   results, "final", read_table());
		json_dumpf(answer, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(answer);
		json_decref(root);
	}
	free(line);
	return 0;
}
