/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Profiles: what a driver is known to accept, as data and small checks. They describe
 * conservatively and stay out of what a driver accepts and then does otherwise. One driver a file
 * beside this one.
 */
#ifndef SRIOV_FLOWS_NIC_PROFILE_H
#define SRIOV_FLOWS_NIC_PROFILE_H

#include "flows/nic/table.h"
#include "flows/nic/walk.h"

/* What a driver does with the mask of a field. */
enum nic_mask {
	NIC_MASK_REFUSED, /* any bit is refused */
	NIC_MASK_IGNORED, /* accepted and without effect */
	NIC_MASK_FULL,    /* all bits or none; others are refused */
	NIC_MASK_WHOLE,   /* all bits or none; others accepted without effect */
	NIC_MASK_ANY,     /* any bits */
	NIC_MASK_OWN,     /* by the driver's own checks, in its file */
};

struct nic_field {
	enum nic_mask mask;
	int err; /* the driver's answer to a mask that it refuses */
};

/* How a NIC tells traffic of a VF from that of others, which `in pf` and `in vf N` need. */
enum nic_scope {
	NIC_SCOPE_NONE, /* not at all */
	NIC_SCOPE_POOL, /* by a match on the pool that the switch has chosen */
	NIC_SCOPE_VSI,  /* a target acts only on what the switch gives to that VF or PF anyway */
};

/* Why an entry is not admitted, or not quite what the rule says. */
struct nic_verdict {
	enum sriov_result result;
	int err;          /* the driver's errno where it refuses, else 0 */
	const char *why;  /* one phrase */
	size_t other;     /* the entry of the table that is in the way, or TABLE_NONE */
	size_t rule;      /* or the rule of the list, numbered from 1; 0 = none */
	char detail[512]; /* the phrase with names and numbers */
	char hint[384];   /* what to do, "" if there is nothing sensible to say */
};

struct nic_profile;

/* An entry on its way into a table. */
struct nic_case {
	const struct nic_profile *profile;
	const struct sriov_pf *port;
	const struct nic_table *table;
	const struct sriov_entry *entry;
};

/* True, or fills the verdict by nic_refuse(). */
typedef bool nic_check(const struct nic_case *c, struct nic_verdict *v);

#define NIC_EXPANSION_MAX 4
/* What the entries of a port have in common. */
enum nic_masks {
	NIC_MASKS_RULE, /* nothing: each has a mask of its own */
	NIC_MASKS_PORT, /* one mask for all */
	NIC_MASKS_TYPE, /* one mask for each flow type */
};

struct rte_filter;
struct nic_profile {
	const char *driver;
	/* Of a poll mode driver of DPDK: the kernel's driver of the same NICs (NULL: none), and its filters. */
	const char *kernel;
	const struct rte_filter *filters;
	size_t nfilters;
	const char *source; /* where these facts come from */
	unsigned types;     /* FLOW_BIT() of each flow type that it has */
	int type_err;       /* its answer to the others */
	struct nic_field field[FIELDS];
	enum nic_masks masks;
	/* The smallest mask with the bits of @mask that entries can have: false, none. NULL: any. */
	bool (*widen)(enum sriov_flow_type type, struct sriov_match *mask);
	struct sriov_match splittable; /* bits by which entries can tell packets apart */
	bool ext_always;               /* entries carry FLOW_EXT whatever they match */
	enum nic_scope scope;
	bool vf_target;        /* a rule can send packets to a VF that the switch did not choose */
	uint32_t table_size;   /* 0 = as the driver says (rules_max) */
	uint32_t first_loc;    /* lower ones are left alone */
	const char *condition; /* of every entry; NULL: none */
	/* what the driver checks, in its order; and what it accepts though it does something else */
	nic_check *const *checks, *const *hazards;
	/*
	 * The entries that do what the NIC would make of c->entry, a rule as one entry; their number.
	 * What they do otherwise than the rule says is told by nic_deviate().
	 */
	size_t (*lower)(const struct nic_case *c, struct sriov_entry out[NIC_EXPANSION_MAX],
			struct nic_verdict *v);
	/* True, with the verdict filled, if what the driver has seen before matters; NULL: never. */
	nic_check *hidden;
	/* What the driver takes for a duplicate, with a hash that is equal then; NULL: nothing. */
	bool (*duplicate)(const struct sriov_entry *a, const struct sriov_entry *b);
	uint64_t (*duplicate_hash)(const struct sriov_entry *entry);
	/* True if some packet meets both; NULL: entry_overlaps(). */
	bool (*overlaps)(const struct sriov_entry *a, const struct sriov_entry *b);
	/* Marks what must be deleted and put in again: see nic_profile_rewrite(). */
	void (*rewrite)(const struct sriov_entry *installed, size_t n, bool *gone,
			const struct sriov_entry *inserts, size_t ninserts);
	/* Repairs what its GET is known to say wrong; NULL: nothing. */
	void (*readback)(struct sriov_entry *entry);
	/* What a user should know of an entry that is accepted, into @out; NULL: nothing. */
	size_t (*notes)(const struct sriov_pf *port, const struct sriov_entry *entry,
			const char *out[NIC_NOTES_MAX]);
	const struct nic_walk *walk; /* what it does with packets */
};

extern const struct nic_profile nic_ixgbe, nic_i40e, nic_igb;

/*
 * Fill a verdict, and return false so that a failing path is one statement. @err is the driver's, 0 where
 * it would accept and we do not.
 */
bool nic_refuse(struct nic_verdict *v, int err, const char *why, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
bool nic_hint(struct nic_verdict *v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The entry is not quite what the rule says. Two that differ in how are a refusal. */
void nic_deviate(struct nic_verdict *v, enum sriov_result result, const char *why, const char *fmt,
		 ...) __attribute__((format(printf, 4, 5)));

/* The driver's MAC type of the port is known, or it has none. */
bool nic_known_device(const struct nic_profile *profile, const struct sriov_pf *port);
/* Size of the port's table, 0 = not known. */
uint32_t nic_table_size(const struct nic_profile *profile, const struct sriov_pf *port);
/* What to call the port in an error: its netdev, or its address. */
const char *nic_port_name(const struct sriov_pf *port);

/* Runs the list; stops at the first refusal. */
bool nic_run(nic_check *const *checks, const struct nic_case *c, struct nic_verdict *v);

/* Checks that several drivers share. */
nic_check nic_check_ntuple_on; /* NETIF_F_NTUPLE is on: EOPNOTSUPP */
nic_check nic_check_location;  /* inside the table: EINVAL */
nic_check nic_check_type;      /* profile->types */
nic_check nic_check_masks;     /* NIC_MASK_REFUSED and partial NIC_MASK_FULL */
nic_check nic_check_queue;     /* the queue of a PF target is below port->queues: EINVAL */

/* Clears the masks that the driver ignores: NIC_MASK_IGNORED and partial NIC_MASK_WHOLE. */
void nic_clear_ignored(const struct nic_profile *profile, struct sriov_entry *entry,
		       struct nic_verdict *v);

#endif
