/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flow rules: what a user writes (a rule) and what it becomes in the NIC's table (entries).
 */
#ifndef SRIOV_FLOW_H
#define SRIOV_FLOW_H

#include <sriov/error.h>
#include <sriov/nic.h>

#ifdef __cplusplus
extern "C" {
#endif

struct sriov_pf;

enum sriov_flow_type {
	SRIOV_FLOW_NONE,
	SRIOV_FLOW_TCP4,
	SRIOV_FLOW_UDP4,
	SRIOV_FLOW_SCTP4,
	SRIOV_FLOW_IP4, /* rule: any L4 and fragments; entry: the kernel's IP_USER */
	SRIOV_FLOW_TCP6,
	SRIOV_FLOW_UDP6,
	SRIOV_FLOW_SCTP6,
	SRIOV_FLOW_IP6,
	SRIOV_FLOW_ETHER,
	SRIOV_FLOW_TYPES,
};

/* Header fields, host byte order; IPv4 addresses stand in the first four bytes. */
struct sriov_match {
	uint8_t src_ip[16], dst_ip[16];
	uint16_t src_port, dst_port;
	uint8_t tos;
	uint8_t proto;     /* of ip4/ip6 */
	uint32_t l4_bytes; /* of ip4/ip6 */
	uint8_t src_mac[6], dst_mac[6];
	uint16_t ethertype;
	uint16_t vlan_tci, vlan_etype;
	uint64_t user_def;
};

enum sriov_action_kind { SRIOV_ACTION_DROP, SRIOV_ACTION_QUEUE, SRIOV_ACTION_VF };

struct sriov_action {
	enum sriov_action_kind kind;
	unsigned vf;    /* VF index, for SRIOV_ACTION_VF */
	unsigned queue; /* of the PF or of that VF */
};

/* A rule as the user wrote it. In masks a 1 bit must match (the kernel's polarity). */
struct sriov_rule {
	char name[SRIOV_NAME_LEN];  /* "" until named; a port's rules have distinct names */
	char owner[SRIOV_NAME_LEN]; /* who asked for it */
	enum sriov_flow_type type;
	struct sriov_match value, mask;
	struct sriov_action action;
	long loc; /* location asked for, -1 = ours to choose */
};

/* An entry of a port's ntuple table. Values are zero where the mask is zero. */
struct sriov_entry {
	uint32_t loc;
	enum sriov_flow_type type;
	struct sriov_match value, mask;
	uint64_t cookie; /* the kernel's ring_cookie: queue, VF + 1 << 32, all ones = drop */
	bool ext;        /* FLOW_EXT: vlan and user-def fields count */
};

#define SRIOV_COOKIE_DROP UINT64_MAX

/*
 * Reads one rule in ethtool(8)'s words and our own:
 *     [name N] flow-type udp4 [src-ip A [m M]] [dst-ip A[/LEN] [m M]] [src-port P [m M]] [dst-port P [m M]]
 *     [vlan TCI [m M]] … (action N | drop | queue N | vf N [queue M]) [loc N]
 * `m` masks are ethtool's: 1 = don't care. Errors carry @file (NULL for a command line), line, column,
 * the line with a caret, and the nearest legal word.
 */
int sriov_rule_parse(const char *text, const char *file, unsigned line, struct sriov_rule *out,
		     struct sriov_error *err);

/* The rule in the words of sriov_rule_parse(); parsing it again gives the same rule. */
int sriov_rule_format(const struct sriov_rule *rule, char *buf, size_t size);

/* An entry in words: "udp4 dst-ip 10.0.0.7 dst-port 4789 -> vf 3 queue 1". */
int sriov_entry_format(const struct sriov_entry *entry, char *buf, size_t size);

/* True if both match the same packets and act the same, whatever the location. */
bool sriov_entry_same(const struct sriov_entry *a, const struct sriov_entry *b);

#define SRIOV_RULE_ENTRIES_MAX 4 /* ip4 on i40e takes four entries */

/*
 * What @rule becomes on @port (read with VFS, PORT and RULES), with locations chosen where the rule
 * leaves them open, or the reason why it cannot be there exactly: fields or masks that the driver
 * refuses or ignores, a target that lands elsewhere, a table that is full, a mask that other entries
 * of the port have fixed. Writes at most SRIOV_RULE_ENTRIES_MAX entries.
 */
int sriov_rule_compile(const struct sriov_rule *rule, const struct sriov_pf *port,
		       struct sriov_entry *out, size_t *n, struct sriov_error *err);

#ifdef __cplusplus
}
#endif
#endif
