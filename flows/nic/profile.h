/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Profiles: what a driver is known to accept, as data and small checks. They describe
 * conservatively and stay out of what a driver accepts and then does otherwise. One driver a file
 * beside this one.
 */
#ifndef SRIOV_FLOWS_NIC_PROFILE_H
#define SRIOV_FLOWS_NIC_PROFILE_H

#include "flows/words.h"

/* What a driver does with the mask of a field. */
enum nic_mask {
	NIC_MASK_REFUSED, /* any bit is refused */
	NIC_MASK_IGNORED, /* accepted and without effect: refused by us */
	NIC_MASK_FULL,    /* all bits or none; others are refused */
	NIC_MASK_WHOLE,   /* all bits or none; others accepted without effect: refused by us */
	NIC_MASK_ANY,     /* any bits */
	NIC_MASK_OWN,     /* by the driver's own checks, in its file */
};

struct nic_field {
	enum nic_mask mask;
	int err; /* the driver's answer to a mask that it refuses */
};

/* Why an entry is not admitted. */
struct nic_verdict {
	int err;
	const char *why;                 /* one phrase */
	const struct sriov_entry *other; /* the entry of the port that is in the way, or NULL */
	char detail[512];                /* the same with names and numbers */
	char hint[384];                  /* what to do, "" if there is nothing sensible to say */
};

struct nic_profile;

/* 0, or fills the verdict by nic_refuse() and returns its code. */
typedef int nic_check(const struct nic_profile *profile, const struct sriov_pf *port,
		      const struct sriov_entry *entry, struct nic_verdict *verdict);

struct nic_profile {
	const char *driver;
	const char *source; /* where these facts come from */
	unsigned types;     /* FLOW_BIT() of each flow type that it has */
	int type_err;       /* its answer to the others */
	struct nic_field field[FIELDS];
	bool drop, vf_target;
	uint32_t table_size; /* 0 = as the driver says (rules_max) */
	/*
	 * What the driver checks, in its order; and what it accepts though it does something else.
	 */
	nic_check *const *checks, *const *hazards;
	/* Entries for a rule; NULL: one of the rule's own flow type. */
	size_t (*expand)(const struct sriov_entry *rule, struct sriov_entry *out);
	/* Repairs what its GET is known to say wrong; NULL: nothing. */
	void (*readback)(struct sriov_entry *entry);
	/* What a user should know of an entry that is accepted, into @out; NULL: nothing. */
	size_t (*notes)(const struct sriov_pf *port, const struct sriov_entry *entry,
			const char *out[NIC_NOTES_MAX]);
};

extern const struct nic_profile nic_ixgbe, nic_i40e, nic_igb;

/* Fill a verdict; both return its code, so that a failing path is one statement. */
int nic_refuse(struct nic_verdict *verdict, int err, const char *why, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
int nic_hint(struct nic_verdict *verdict, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Size of the port's table, 0 = not known. */
uint32_t nic_table_size(const struct nic_profile *profile, const struct sriov_pf *port);
/* What to call the port in an error: its netdev, or its address. */
const char *nic_port_name(const struct sriov_pf *port);

/* Runs the list; stops at the first refusal. */
int nic_run(nic_check *const *checks, const struct nic_profile *profile,
	    const struct sriov_pf *port, const struct sriov_entry *entry,
	    struct nic_verdict *verdict);

/* Checks that several drivers share. */
nic_check nic_check_ntuple_on;  /* NETIF_F_NTUPLE is on: EOPNOTSUPP */
nic_check nic_check_location;   /* inside the table: EINVAL */
nic_check nic_check_type;       /* profile->types */
nic_check nic_check_masks;      /* NIC_MASK_REFUSED and partial NIC_MASK_FULL */
nic_check nic_check_queue;      /* the queue of a PF target is below port->queues: EINVAL */
nic_check nic_hazard_masks;     /* NIC_MASK_IGNORED and partial NIC_MASK_WHOLE */
nic_check nic_hazard_vf_target; /* VF targets where profile->vf_target is not set */

#endif
