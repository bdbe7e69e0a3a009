/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Traces: the way of a packet through a NIC, from its switch to a queue, and why.
 *
 * What a trace says is what the driver's code, the vendor's documents and emulated NICs say, not silicon.
 * What cannot be known of a port is called unknown.
 */
#ifndef SRIOV_TRACE_H
#define SRIOV_TRACE_H

#include <sriov/host.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- packets ---- */

/* Parts of a packet that need not be given. */
enum sriov_packet_has {
	SRIOV_PACKET_DST_MAC = 1 << 0,
	SRIOV_PACKET_SRC_MAC = 1 << 1,
	SRIOV_PACKET_PORTS = 1 << 2,
};

struct sriov_vlan_tag {
	uint16_t tpid; /* 0x8100 or 0x88a8 */
	uint16_t tci;
};

#define SRIOV_PACKET_TAGS 2     /* what stands behind a second VLAN tag is not looked at */
#define SRIOV_PACKET_PAYLOAD 64 /* as far as flexible bytes of a rule reach */

/* A packet by its headers, in host byte order; IPv4 addresses stand in the first four bytes. */
struct sriov_packet {
	unsigned has; /* enum sriov_packet_has */
	uint8_t dst_mac[6], src_mac[6];
	struct sriov_vlan_tag tag[SRIOV_PACKET_TAGS]; /* the outer one first */
	uint8_t ntags;
	uint8_t proto;               /* of IP; of IPv6 the one behind its extension headers */
	uint16_t ethertype;          /* behind the tags */
	bool fragment;               /* of IP, also the first one */
	bool extension;              /* IPv6 with extension headers, a fragment's not counted */
	uint16_t payload_size;       /* bytes of @payload that are known */
	uint16_t src_port, dst_port; /* of TCP, UDP and SCTP */
	uint8_t src_ip[16], dst_ip[16];
	/* behind the ports of unfragmented TCP, UDP and SCTP (behind that header), else behind IP */
	uint8_t payload[SRIOV_PACKET_PAYLOAD];
};

/*
 * Reads a packet in words:
 *     (tcp|udp|sctp) ADDRESS:PORT > ADDRESS:PORT [WORDS]       [2001:db8::1]:53 in IPv6
 *     (ip|icmp) ADDRESS > ADDRESS [proto N] [WORDS]            proto is needed with `ip`
 *     ether TYPE [WORDS]
 * WORDS: vid N, prio N, dei, tpid N; inner-vid N, inner-prio N, inner-dei, inner-tpid N; dmac MAC, smac MAC;
 * frag (then ports may be left out); ext-headers (IPv6); payload HEX. -EINVAL names the word.
 */
int sriov_packet_parse(const char *text, struct sriov_packet *out, struct sriov_error *err);

/* The packet in these words; parsing them gives the same packet. -ENOSPC if @size is too small. */
int sriov_packet_format(const struct sriov_packet *packet, char *buf, size_t size);
#define SRIOV_PACKET_TEXT 512 /* room for any packet's words */

/*
 * The packet in an Ethernet frame of which the first @size bytes are there (without FCS). -ENODATA: it ends
 * before all that a NIC looks at; -EBADMSG: its IP header contradicts itself. @out is written only on success.
 */
int sriov_packet_decode(const uint8_t *frame, size_t size, struct sriov_packet *out);

/* ---- one packet's way ---- */

/* Where a packet comes into the NIC. */
enum sriov_ingress_kind { SRIOV_FROM_WIRE, SRIOV_FROM_PF, SRIOV_FROM_VF };
struct sriov_ingress {
	enum sriov_ingress_kind kind;
	unsigned vf; /* index, for SRIOV_FROM_VF */
};
/* Reads "wire", "pf", "vf N" or "vfN". */
int sriov_ingress_parse(const char *text, struct sriov_ingress *out, struct sriov_error *err);

/* An entry of the table, and the name of its rule: "" = it has none. */
struct sriov_trace_entry {
	struct sriov_entry entry;
	char rule[SRIOV_NAME_LEN];
};

/*
 * A port and its table made ready for many packets: it keeps copies of what it needs. @port as read with VFS,
 * ATTRS, PORT, RSS and PATH, or of sriov_nic_port(); port->rules are not looked at. -EOPNOTSUPP: the driver is
 * not modelled. The caller frees it with sriov_tracer_free() (NULL is fine). Threads can share one.
 */
struct sriov_tracer;
int sriov_tracer_new(const struct sriov_pf *port, const struct sriov_trace_entry *entries, size_t n,
		     struct sriov_tracer **out, struct sriov_error *err);
void sriov_tracer_free(struct sriov_tracer *tracer);

enum sriov_destination {
	SRIOV_TO_UNKNOWN,
	SRIOV_TO_PF,
	SRIOV_TO_VF,
	SRIOV_TO_DROP,    /* nobody gets it */
	SRIOV_TO_SEVERAL, /* broadcast and multicast: to whoever asked for it */
	SRIOV_TO_WIRE,    /* it leaves the port */
	SRIOV_DESTINATIONS,
};

enum sriov_stage {
	SRIOV_STAGE_SWITCH,  /* by MAC address and VLAN */
	SRIOV_STAGE_FILTERS, /* ethertype, SYN and 5-tuple filters */
	SRIOV_STAGE_RULES,   /* Flow Director; of igb its filters */
	SRIOV_STAGE_RSS,
	SRIOV_STAGES,
};
/* "switch", "filters", "rules", "rss". */
const char *sriov_stage_word(enum sriov_stage stage);

#define SRIOV_NO_ENTRY SIZE_MAX
struct sriov_trace {
	enum sriov_destination to;
	unsigned vf;            /* index, for SRIOV_TO_VF, else 0 */
	int queue;              /* of that PF or VF; -1 = unknown, or there is none */
	enum sriov_stage stage; /* that decided */
	size_t entry;           /* that decided, or SRIOV_NO_ENTRY */
};

/* The fast way, without words. @from.vf beyond the port's VFs gives SRIOV_TO_UNKNOWN. */
void sriov_trace(const struct sriov_tracer *tracer, const struct sriov_packet *packet,
		 struct sriov_ingress from, struct sriov_trace *out);

/* Where the knowledge comes from. */
const char *sriov_tracer_evidence(const struct sriov_tracer *tracer);

/* What each stage says, in order. */
#define SRIOV_STORY_LINES 10
struct sriov_story {
	struct sriov_story_line {
		enum sriov_stage stage;
		char text[400];
	} line[SRIOV_STORY_LINES];
	size_t n;
};
/* sriov_trace() with its reasons. */
void sriov_trace_explain(const struct sriov_tracer *tracer, const struct sriov_packet *packet,
			 struct sriov_ingress from, struct sriov_trace *out,
			 struct sriov_story *story);

/* "vf 3 queue 1", "pf queue unknown", "drop", "several", "wire", "unknown". */
void sriov_trace_format(const struct sriov_trace *trace, char *buf, size_t size);
/* The rule that decided, "location 7" if it has no name, or "" if none did. */
void sriov_trace_rule(const struct sriov_tracer *tracer, const struct sriov_trace *trace, char *buf,
		      size_t size);

/* ---- captures ---- */

/*
 * Opens a capture file of Ethernet frames ("-" = standard input) with libpcap, which is loaded for it.
 * -ENOENT: libpcap is not installed; -EINVAL: it is no such capture. The caller closes it (NULL is fine).
 */
struct sriov_capture;
int sriov_capture_open(const char *path, struct sriov_capture **out, struct sriov_error *err);
void sriov_capture_close(struct sriov_capture *capture);

/* Packets of a capture that met the same rule and ended at the same place. */
struct sriov_trace_count {
	char rule[SRIOV_NAME_LEN]; /* as of sriov_trace_rule(), "" = none */
	struct sriov_trace trace;  /* of the first one */
	uint64_t packets, bytes;   /* bytes as on the wire, without FCS */
};

/* Packets whose way differs between two tables: was -> is. */
struct sriov_trace_change {
	char was_rule[SRIOV_NAME_LEN], is_rule[SRIOV_NAME_LEN];
	struct sriov_trace was, is;
	uint64_t packets, bytes;
	char example[SRIOV_PACKET_TEXT]; /* one of them */
};

struct sriov_trace_report {
	uint64_t packets, bytes;
	uint64_t cut, malformed; /* frames that could not be traced: sriov_packet_decode() */
	struct sriov_trace_count *count; /* by packets, the most first */
	size_t ncounts;
	struct sriov_trace_change *change; /* likewise; only of a comparison */
	size_t nchanges;
	uint64_t
		unknown; /* of a comparison: packets that could end anywhere through either table */
};
void sriov_trace_report_clear(struct sriov_trace_report *report);

/*
 * Traces every frame of @capture through @tracer, and with @against (NULL: none) through that too and
 * compares where they end. -EINVAL if the capture breaks off in the middle. The caller clears @out.
 */
int sriov_trace_capture(struct sriov_capture *capture, const struct sriov_tracer *tracer,
			const struct sriov_tracer *against, struct sriov_ingress from,
			struct sriov_trace_report *out, struct sriov_error *err);

#ifdef __cplusplus
}
#endif
#endif
