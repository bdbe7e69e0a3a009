/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the trace: a port made ready, and the stages of a packet's way through it. */
#ifndef SRIOV_FLOWS_TRACE_H
#define SRIOV_FLOWS_TRACE_H

#include "flows/nic/profile.h"
#include "flows/packet.h"

/* ---- trace_rss.c: Toeplitz ---- */

#define RSS_INPUT_MAX 36 /* two IPv6 addresses and two ports */

/* What each byte adds to the hash, by its place and value. */
struct trace_rss {
	uint32_t part[RSS_INPUT_MAX][256];
};
/* The key has at least RSS_INPUT_MAX + 4 bytes. */
#define RSS_KEY_MIN (RSS_INPUT_MAX + 4)
void trace_rss_init(struct trace_rss *rss, const uint8_t *key);
uint32_t trace_rss_hash(const struct trace_rss *rss, const uint8_t *data, size_t size);
/* What of the packet is hashed, in its order: addresses, and ports if @ports. Returns its length. */
size_t trace_rss_input(const struct sriov_packet *packet, bool ports, uint8_t out[RSS_INPUT_MAX]);

/* ---- trace_match.c: the entries ---- */

/* Filters that compare the same bits. */
struct trace_group {
	unsigned classes; /* FLOW_BIT() */
	struct nic_key mask;
	unsigned word_at;
	size_t n;
	struct trace_filter {
		struct nic_key value; /* under the mask */
		size_t entry;
	} * filter;
	struct table_index index;
};

struct trace_table {
	struct trace_group *group;
	size_t ngroups;
	/* the groups of each class, ended by NULL; into one array */
	const struct trace_group *const *of_class[SRIOV_FLOW_TYPES];
	const struct trace_group **lists;
	bool by_pool, by_word; /* some filter compares the pool, or bytes of the payload */
};
int trace_table_init(struct trace_table *table, const struct sriov_pf *port,
		     const struct nic_walk *walk, const struct sriov_trace_entry *entries,
		     size_t n);
void trace_table_clear(struct trace_table *table);

/* The table says nothing certain of the packet; @why of trace_match() says what is missing. */
#define TRACE_UNSURE (SRIOV_NO_ENTRY - 1)
#define TRACE_NO_POOL -1
/*
 * The entry that acts on @packet, given what the switch chose: @pool, or TRACE_NO_POOL for filters that do not
 * compare it. Of several the one at the lowest location: SRIOV_NO_ENTRY if none.
 */
struct sriov_tracer;
size_t trace_match(const struct sriov_tracer *tracer, const struct sriov_packet *packet, int pool,
		   const char **why);

/* ---- the tracer ---- */

struct trace_vf {
	uint8_t mac[6];
	bool has_mac, spoofchk, disabled;
	uint16_t vlan; /* of the port VLAN: VID and priority; VID 0 = none */
};

struct sriov_tracer {
	struct sriov_pf port; /* its pointers are NULL */
	const struct nic_profile *profile;
	const struct nic_walk *walk;
	struct trace_vf *vf;
	uint32_t *rss;
	size_t nrss;
	struct trace_rss *hash; /* NULL: the key is not known */
	struct sriov_trace_entry *entry;
	struct nic_target *target; /* of each entry */
	size_t n;
	unsigned types; /* FLOW_BIT() of the entries */
	struct trace_table table;
};

/* A packet on its way. */
struct trace_walk {
	const struct sriov_tracer *tracer;
	struct sriov_packet packet; /* as the stage sees it: the switch may put a tag on it */
	struct sriov_ingress from;
	struct sriov_trace *out;
	struct sriov_story *story; /* NULL: no words */
	bool switched;             /* sent by a function of the port to another one */
};

void trace_tell(struct trace_walk *walk, enum sriov_stage stage, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Words cost more than the way itself. */
#define TELL(walk, ...)                                                                            \
	do {                                                                                       \
		if ((walk)->story)                                                                 \
			trace_tell(walk, __VA_ARGS__);                                             \
	} while (0)

/* trace_switch.c: sets out->to and vf; false if the way ends here. */
bool trace_switch(struct trace_walk *walk);
/* trace.c: asks the entries, of a packet that the switch gave to out->to; true if the way ends here. */
bool trace_rules(struct trace_walk *walk);
/* trace_rss.c: sets out->queue of what no entry caught. */
void trace_rss_queue(struct trace_walk *walk);

#endif
