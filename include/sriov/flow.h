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
	SRIOV_FLOW_IP4, /* any L4 and fragments */
	SRIOV_FLOW_TCP6,
	SRIOV_FLOW_UDP6,
	SRIOV_FLOW_SCTP6,
	SRIOV_FLOW_IP6,
	SRIOV_FLOW_ETHER,
	/* what one ip4 or ip6 entry of i40e matches: no unfragmented TCP, UDP or SCTP */
	SRIOV_FLOW_IP4_OTHER,
	SRIOV_FLOW_IP6_OTHER,
	SRIOV_FLOW_TYPES,
};

/* "udp4"; NULL for NONE and what is no flow type. */
const char *sriov_flow_type_word(enum sriov_flow_type type);

/* Header fields, host byte order; IPv4 addresses stand in the first four bytes. */
struct sriov_match {
	uint8_t src_ip[16], dst_ip[16];
	uint16_t src_port, dst_port;
	uint8_t tos;
	uint8_t proto;     /* of ip4/ip6 */
	uint8_t tcp_flags; /* of tcp4/tcp6; only DPDK's drivers have filters by it */
	uint32_t l4_bytes; /* of ip4/ip6 */
	uint8_t src_mac[6], dst_mac[6];
	uint16_t ethertype;
	uint16_t vlan_tci, vlan_etype;
	/* of ether: GRP and E-CID base of an 802.1BR tag, 14 bits; only DPDK's net_ixgbe has it */
	uint16_t e_tag;
	/*
	 * of udp4/udp6 to the UDP port of VXLAN: its network (24 bits), and of the frame inside the destination and
	 * the TCI of the VLAN tag; only DPDK's net_i40e has filters by them
	 */
	uint32_t vni;
	uint8_t inner_dst[6];
	uint16_t inner_vlan;
	uint64_t user_def;
};

enum sriov_action_kind {
	SRIOV_ACTION_DROP,
	SRIOV_ACTION_QUEUE,
	SRIOV_ACTION_QUEUES, /* spread over queue to queue_last, a power of two of queues */
	SRIOV_ACTION_VF,
	SRIOV_ACTION_GUEST, /* the VF that the guest holds a lease of */
};

struct sriov_action {
	enum sriov_action_kind kind;
	unsigned vf;                /* VF index, for SRIOV_ACTION_VF */
	unsigned queue;             /* of the PF or of that VF */
	unsigned queue_last;        /* for SRIOV_ACTION_QUEUES */
	char guest[SRIOV_NAME_LEN]; /* for SRIOV_ACTION_GUEST: name or UUID */
};

/* `in pf`, `in vf N`, `in guest NAME`: only traffic that the switch in the NIC gives to that one. */
enum sriov_scope_kind { SRIOV_SCOPE_ALL, SRIOV_SCOPE_PF, SRIOV_SCOPE_VF, SRIOV_SCOPE_GUEST };

struct sriov_scope {
	enum sriov_scope_kind kind;
	unsigned vf;
	char guest[SRIOV_NAME_LEN];
};

/* A rule as the user wrote it. In masks a 1 bit must match (the kernel's polarity). */
struct sriov_rule {
	char name[SRIOV_NAME_LEN];  /* "" until named; a port's rules have distinct names */
	char owner[SRIOV_NAME_LEN]; /* who asked for it */
	enum sriov_flow_type type;
	struct sriov_match value, mask;
	/* The last port of a range that begins at value.src_port (dst_port), 0 = no range. */
	uint16_t src_port_last, dst_port_last;
	struct sriov_action action;
	struct sriov_scope scope;
	unsigned
		weight; /* what an optional rule is worth when not all fit; 1 unless said, 0 is 1 */
	bool optional;  /* may be left out with --partial */
	long loc;       /* location asked for, -1 = ours to choose */
	unsigned line;  /* where it stands in its file, 0 = nowhere */
};

/* What a reader or writer of rules has to tell besides its result: a word that means more than it says. */
struct sriov_note {
	unsigned line; /* of the text read, 0 = nowhere */
	bool left_out; /* something of the text is not in the result */
	char text[320];
};

struct sriov_notes {
	struct sriov_note *at;
	size_t n;
};
void sriov_notes_clear(struct sriov_notes *notes);

/* An ordered list of rules: the first that matches a packet decides. */
struct sriov_rules {
	struct sriov_rule *at;
	size_t n;
	char file[256]; /* for errors; "" = a command line */
	struct sriov_notes notes;
};
void sriov_rules_clear(struct sriov_rules *rules);

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
 *     [name N] [flow-type] udp4 [src-ip A[/LEN]] [dst-ip A [m M]] [src-port P [m M] | P-Q] …
 *     [tcp-flags N [m M] | syn] [e-tag N] [vni N] [inner-dst MAC] [inner-vlan TCI]
 *     [vlan TCI [m M] | vid N | prio P] [in pf | in vf N | in guest NAME]
 *     (action N | drop | queue N | queues A-B | vf N [queue M] | guest NAME [queue M])
 *     [weight N] [optional] [loc N]
 * The words stand in any order behind the flow type, and `ethtool -N DEV` may stand before it all. `m`
 * masks are ethtool's: 1 = don't care. `action` takes ethtool's 64-bit values, where 2^32 and above is a VF.
 * What matches everything is no field: a /0 prefix, a port range 0-65535. Errors carry @file (NULL for a command line), line, column,
 * the line with a caret, what was expected, and the nearest legal word.
 */
int sriov_rule_parse(const char *text, const char *file, unsigned line, struct sriov_rule *out,
		     struct sriov_error *err);

/*
 * sriov_rule_parse() that also tells what the words of ethtool(8) mean ("action 0x200000001 is vf 1
 * queue 1"): such notes are added to @notes, which may be NULL and is the caller's to clear.
 */
int sriov_rule_read(const char *text, const char *file, unsigned line, struct sriov_rule *out,
		    struct sriov_notes *notes, struct sriov_error *err);

/*
 * Reads a list of rules, one a line; empty lines and # comments are skipped, lines may end with CR LF.
 * Names are distinct (-EEXIST names both lines). The caller frees @out with sriov_rules_clear().
 */
int sriov_rules_parse(const char *text, const char *file, struct sriov_rules *out,
		      struct sriov_error *err);

/* sriov_rules_parse() of the file at @path ("-" = standard input), of at most 64 MiB (-EFBIG). */
#define SRIOV_RULES_FILE_MAX (64 << 20)
int sriov_rules_read(const char *path, struct sriov_rules *out, struct sriov_error *err);

/* The rule in the words of sriov_rule_parse(); parsing it again gives the same rule. */
int sriov_rule_format(const struct sriov_rule *rule, char *buf, size_t size);

/*
 * Rules in other tongues. ETHTOOL is what `ethtool -n` prints (reading; also `ethtool -N` lines) or
 * takes (writing); TESTPMD is `flow create …` lines; OPENFLOW is ovs-ofctl(8)'s add-flows (only
 * written); JSON is {"version": 1, "rules": [{"name", "owner", "flow", "value": {…}, "mask": {…},
 * "src_port_last", "dst_port_last", "in": {…}, "action": {…}, "weight", "optional", "loc"}]}, where what
 * does not matter is left out, masks have 1 = must match, and members of value and mask are named as in
 * the entries of a snapshot.
 */
enum sriov_rules_format {
	SRIOV_RULES_ETHTOOL,
	SRIOV_RULES_TESTPMD,
	SRIOV_RULES_OPENFLOW,
	SRIOV_RULES_JSON,
};

/*
 * Reads @text. What has no words here is left out with a note that says why. @driver (NULL = not known)
 * is that of the port whose table the text shows: some print their rules wrong. -EINVAL for a text that
 * is not of that format, with its place. The caller frees @out with sriov_rules_clear().
 */
int sriov_rules_import(enum sriov_rules_format format, const char *text, const char *file,
		       const char *driver, struct sriov_rules *out, struct sriov_error *err);
/* sriov_rules_import() of the file at @path ("-" = standard input), of at most SRIOV_RULES_FILE_MAX bytes. */
int sriov_rules_import_file(enum sriov_rules_format format, const char *path, const char *driver,
			    struct sriov_rules *out, struct sriov_error *err);

/*
 * The rules as text of @format for the device @dev: a netdev for ETHTOOL (NULL = "DEV"), a port number
 * for TESTPMD (NULL = 0), else not used. -ENOTSUP names the first rule that @format cannot say. The
 * caller frees *@text.
 */
int sriov_rules_export(const struct sriov_rules *rules, enum sriov_rules_format format,
		       const char *dev, char **text, struct sriov_error *err);

/*
 * An installed entry of a port with @driver (NULL = not known) as a rule. -ENOTSUP: it has no words, and
 * @err says why.
 */
int sriov_rule_of_entry(const struct sriov_entry *entry, const char *driver, struct sriov_rule *out,
			struct sriov_error *err);

/* An entry in words: "udp4 dst-ip 10.0.0.7 dst-port 4789 -> vf 3 queue 1". */
int sriov_entry_format(const struct sriov_entry *entry, char *buf, size_t size);

/* True if both match the same packets and act the same, whatever the location. */
bool sriov_entry_same(const struct sriov_entry *a, const struct sriov_entry *b);

/* What a NIC makes of a rule. */
enum sriov_result {
	SRIOV_EXACT,
	SRIOV_NARROWER, /* it would catch fewer packets than it says */
	SRIOV_BROADER,  /* it would catch more */
	SRIOV_NONE,     /* accepted by the driver, without effect */
	SRIOV_REJECTED, /* "refused": the driver or the compiler cannot have it */
	SRIOV_FULL,     /* the table has no room */
	SRIOV_UNSURE,   /* "unknown": the verdict says what would settle it */
	SRIOV_RESULTS,
};
/* "exact", "narrower", "broader", "none", "refused", "full", "unknown". */
const char *sriov_result_word(enum sriov_result result);

#define SRIOV_CONDITIONS_MAX 4
/* Texts are of the struct sriov_compiled that the verdict is in, and never NULL. */
struct sriov_verdict {
	enum sriov_result result;
	int err;             /* the driver's errno where it refuses, else 0 */
	const char *why;     /* what is wrong, with names and numbers; "" if exact */
	const char *hint;    /* what to do; "" if there is nothing sensible to say */
	const char *nearest; /* the nearest rule that would work, in words; "" if none is known */
	const char *condition[SRIOV_CONDITIONS_MAX]; /* "not between VFs: …" */
	size_t nconditions;
	const char *evidence; /* where the knowledge comes from */
	long other_rule;      /* index of the rule it conflicts with, -1 = none */
	long other_loc;       /* location of the port's entry it conflicts with, -1 = none */
	const char *other;    /* that rule or entry in words, "" if there is none */
	bool left_out;        /* optional, and not in hardware (partial) */
	bool elsewhere;       /* carried out where its guest is, on a bridge behind the port */
	bool shadowed;        /* rules before it take all of its packets: it needs no entry */
	long shadow; /* index of the first rule that takes packets of it before, -1 = none */
	/* entries that it takes, or would take, beside the list's other rules; if far too many: at least */
	double cost;
	size_t first, n; /* its entries in struct sriov_compiled */
};

/* What the entries of some flow types match: a NIC has one mask for all of them. */
struct sriov_table_mask {
	unsigned types;            /* 1 << enum sriov_flow_type */
	enum sriov_flow_type type; /* one of them */
	struct sriov_match mask;   /* 1 = must match */
	size_t nentries;           /* of the list */
};

/*
 * The filters by which DPDK's poll mode drivers carry out rte_flow rules. Which one takes a rule is not said in it:
 * the first in the driver's own order that accepts its pattern has it.
 */
enum sriov_filter {
	SRIOV_FILTER_NONE,
	SRIOV_FILTER_TUPLE5,    /* addresses, ports and protocol, each whole or not at all */
	SRIOV_FILTER_TUPLE2,    /* protocol and destination port */
	SRIOV_FILTER_ETHERTYPE, /* the frame's type */
	SRIOV_FILTER_FDIR,      /* Flow Director of net_i40e: an input set for each packet type */
	SRIOV_FILTER_FDIR_MARK, /* Flow Director of net_ixgbe: one mask for all; its rules carry a MARK */
	SRIOV_FILTER_FDIR_MAC,  /* Flow Director of X550 in the mode that matches MAC and VLAN */
	SRIOV_FILTER_CLOUD,     /* a port number, to a VF; or the frame in a VXLAN tunnel */
	SRIOV_FILTER_SYN,       /* TCP with SYN set */
	SRIOV_FILTER_L2_TUNNEL, /* an E-tag, to a VF */
	SRIOV_FILTER_FLOWER,    /* the kernel's cls_flower, under net_tap */
	SRIOV_FILTERS,
};
/* "5-tuple", "fdir", …; NULL for NONE and what is no filter. */
const char *sriov_filter_word(enum sriov_filter filter);

/* The number of rte_flow rules that an entry of that type becomes in a filter. */
unsigned sriov_filter_rules(enum sriov_filter filter, enum sriov_flow_type type);

/* What a list takes of one of the port's filters. */
struct sriov_filter_use {
	enum sriov_filter filter;
	unsigned used, room; /* rte_flow rules */
};

/* A list of rules as entries of a port's table. */
struct sriov_compiled {
	struct sriov_entry *entry; /* with locations, in rule order */
	size_t nentries;
	struct sriov_verdict *verdict; /* one a rule */
	size_t nrules;
	uint32_t table_size;
	uint32_t room; /* locations that others leave to the list */
	double wanted; /* entries that the whole list would take, as far as that was worked out */
	/*
	 * No other choice among the optional rules is worth more, each matched by the bits that it
	 * names itself: proved. False: a good choice, found by a heuristic.
	 */
	bool best;
	struct sriov_table_mask *mask;
	size_t nmasks;
	/*
	 * Of a port that DPDK owns: the filter of each entry, whose location is no place in a table but a number
	 * that stays its own. NULL for ports of the kernel.
	 */
	enum sriov_filter *filter;
	struct sriov_filter_use *use; /* all filters that the port has */
	size_t nuses;
	struct sriov_texts *texts;
};
void sriov_compiled_clear(struct sriov_compiled *compiled);

struct sriov_compile {
	/* Entries of ours in the port's table: they are no constraint, and same ones keep their places. */
	const struct sriov_entry *ours;
	size_t nours;
	unsigned allow; /* bit per enum sriov_result that is taken besides SRIOV_EXACT */
	bool partial;   /* optional rules that do not fit are left out */
	/*
	 * The VF index that the guest holds on the port; 1: it is behind the port's default way, where the rule is
	 * carried out, so that its packets meet no entry. NULL: guests are not resolved.
	 */
	int (*guest)(void *data, const char *name, unsigned *vf, struct sriov_error *err);
	void *data;
};

/* What the masks of a table select: "dst-ip, dst-port m 0xff0"; "nothing" if empty. */
int sriov_mask_format(enum sriov_flow_type type, const struct sriov_match *mask, char *buf,
		      size_t size);

/*
 * What @rules become on @port (read with VFS, PORT and RULES). The first rule that matches a packet
 * decides, also if it is not in hardware: such packets meet no entry. port->rules that are not among
 * opts->ours are constraints. Returns 0 if every rule is in hardware or rightly left out; -ENOTSUP with
 * the first rule's story if not. @out is filled in both cases (the exception to the house rule: a table
 * of verdicts is the answer of `flow check`). -ENOMEM and other errors leave @out empty. The caller
 * frees it with sriov_compiled_clear().
 */
int sriov_rules_compile(const struct sriov_rules *rules, const struct sriov_pf *port,
			const struct sriov_compile *opts, struct sriov_compiled *out,
			struct sriov_error *err);

/*
 * The story of rule @i of a compiled list in sentences: what it is about, what rules before it take, which
 * entries it becomes and why so many, or what is against it. The caller frees *@out. -ENOENT: no such rule.
 */
int sriov_rule_explain(const struct sriov_rules *rules, const struct sriov_compiled *compiled,
		       size_t i, char **out, struct sriov_error *err);

/*
 * What a user should know of a compiled list besides its entries, as sentences: the conditions of rules, and which are
 * left out. What is the same of several rules is told once, and of each kind no more than 16. @known: rule @i stands
 * as it stood, so that its conditions are no news. Ends with what tell() gives back if that is not 0, or -ENOMEM.
 */
struct sriov_teller {
	bool (*known)(void *data, size_t i);
	int (*tell)(void *data, const char *text);
	void *data;
};
int sriov_compiled_tell(const struct sriov_rules *rules, const struct sriov_compiled *compiled,
			const struct sriov_teller *teller);

/*
 * A port as @spec says, for checking without one: "82599", "X710", "I350", … with optional
 * ",vfs=N" and ",queues=N". -EINVAL lists the names.
 */
int sriov_nic_port(const char *spec, struct sriov_pf *out, struct sriov_error *err);

/*
 * Makes of a port of the kernel (@port as read, or from sriov_nic_port()) what it is once DPDK's poll mode driver
 * owns it: driver "net_ixgbe", …, no rules of others. Rules that are compiled for it become rte_flow rules.
 * -ENOTSUP: no poll mode driver that is modelled takes it.
 */
int sriov_nic_rte(struct sriov_pf *port, struct sriov_error *err);

/*
 * Replays recorded rule operations on a fresh device as its driver would answer them. @line is one JSON
 * object {"id":…,"driver":…,"device":{…},"ops":[…]} (tests/conformance/README.md; other members are
 * ignored), *@out one {"id":…,"results":[…],"final":{…}} without line breaks, which the caller frees.
 * -EINVAL says what of the line is wrong.
 */
int sriov_nic_replay(const char *line, char **out, struct sriov_error *err);

#ifdef __cplusplus
}
#endif
#endif
