/* SPDX-License-Identifier: Apache-2.0 */
/* Steps: one kernel effect (or a wait) each, as data; and the planner that makes them. */
#ifndef SRIOV_PLAN_STEP_H
#define SRIOV_PLAN_STEP_H

#include "lib/plan/state.h"

#include <sriov/plan.h>

enum step_kind {
	STEP_PF_BIND,
	STEP_PF_UP,
	STEP_RULE_DELETE,
	STEP_NTUPLE,
	STEP_AUTOPROBE,
	STEP_NUMVFS,
	STEP_VF_SET,
	STEP_BIND,
	STEP_VF_UP,
	STEP_RSS,
	STEP_RULE_INSERT,
	STEP_FRAMES,
	STEP_LINK,
	STEP_RATE,
	STEP_DEVICE,
	STEP_LIMIT,
	STEP_BRIDGE,
	STEP_PORT,
	STEP_POLICY,
	STEP_FDB,
	STEP_MTU,
	STEP_NETDEV,
};

struct step {
	enum step_kind kind;
	bool on; /* PF_UP, NTUPLE, AUTOPROBE, VF_UP; DEVICE: attach, else detach; BRIDGE, PORT, FDB, NETDEV: make */
	/* NUMVFS: count; VF_SET, BIND, VF_UP, RATE: VF index; LINK: Mbit/s; DEVICE, LIMIT: of the lease; NETDEV: VLAN */
	unsigned number;
	struct sriov_vf_attrs attrs; /* VF_SET, RATE */
	/* PF_BIND, BIND: "" = none, "default" = the kernel's choice; NETDEV: the bridge that it is a port of */
	char driver[32];
	struct sriov_entry entry;  /* RULE_*; FRAMES: the one that stands meanwhile */
	bool has_entry;            /* FRAMES */
	struct exchange *exchange; /* FRAMES: what is sent, and what came of it; not owned */
	char name[SRIOV_NAME_LEN]; /* RULE_*: of the rule; NETDEV */
	bool is_bridge;            /* NETDEV */
	const uint32_t *rss;       /* RSS: of the wanted state, which the steps do not outlive */
	size_t nrss;
	bool limited; /* DEVICE, LIMIT: it shall have @limit, not what its lease says */
	uint64_t limit;
	bool live;    /* DEVICE, LIMIT: in the running domain, else in its definition */
	bool awaited; /* DEVICE: what comes after it takes away what the guest had before */
	/* DEVICE, LIMIT; PORT (NULL: the uplink), FDB: of the wanted state, as rss, or of the bridge */
	const struct sriov_lease *lease;
	struct bridge *bridge;       /* BRIDGE, PORT, POLICY, FDB; not owned */
	const struct pf_state *want; /* POLICY: the wanted state, as rss */
	bool fresh; /* BIND: the VF was made by an earlier step; NETDEV: it is not there yet */
	bool hits_port, hits_vf; /* whom it disrupts; hits_vf: VF number, NUMVFS: all of them */
	enum sriov_step_state state;
};

/* bridge_run.c: the steps that are of OVS and of a network. */
struct step_context;
void bridge_describe(const struct sriov_pf *pf, const struct step *step, char *buf, size_t size);
int bridge_run(struct step_context *ctx, const struct step *step, struct sriov_error *err);

struct steps {
	struct step *at;
	size_t n;
	char **note;
	size_t nnotes;
};

void steps_clear(struct steps *steps);
int steps_note(struct steps *steps, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * The steps from @now to @want, in the order that every plan keeps: PF up, rules out, VFs, attributes,
 * binding, ntuple, RSS, rules in, rates after link-up. Rules that a step wipes are installed again. Pure.
 */
int steps_diff(const struct sriov_pf *now, const struct pf_state *want, struct steps *out,
	       struct sriov_error *err);

/*
 * Refuses (status SRIOV_REFUSED, naming whom it hits) what would disrupt the host's own traffic without
 * @disrupt_pf, or guests without @force.
 */
int steps_guard(const struct sriov_pf *now, const struct steps *steps, bool force, bool disrupt_pf,
		struct sriov_error *err);

/* What is wrong with @want on this PF before anything is tried: limits and drivers' surprises. */
int steps_check(const struct sriov_inventory *inv, const struct sriov_pf *now,
		const struct pf_state *want, struct sriov_error *err);

/*
 * Refuses (status SRIOV_REFUSED) to put another entry where somebody else's stands, that is one which
 * @intent does not have.
 */
int steps_guard_rules(const struct sriov_pf *now, const struct pf_state *intent,
		      const struct pf_state *want, const struct steps *steps,
		      struct sriov_error *err);

/* The RSS queues of @want must be there when VFs have come or gone. */
int steps_check_rss(const struct sriov_pf *now, const struct pf_state *want,
		    struct sriov_error *err);

/* Rules that a plan wipes must be such that the driver takes them again afterwards. */
int steps_check_rules(const struct sriov_pf *now, const struct pf_state *want,
		      const struct steps *steps, struct sriov_error *err);

/* In words: what it does, and what it disrupts. */
void step_describe(const struct sriov_pf *pf, const struct step *step, struct sriov_step_text *out);

/* The effect. Reads @host again where an earlier step has changed what this one needs. */
struct step_context {
	struct sriov_host *host;
	struct sriov_inventory **inv; /* of the one PF; replaced when VFs came or went */
	int64_t kernel_ms;            /* bound of one system call */
	int64_t link_ms;              /* bound of a wait for the link */
	int64_t guest_ms;             /* bound of a wait for a guest's answer */
	const volatile sig_atomic_t *interrupted;
};
int step_run(struct step_context *ctx, struct step *step, struct sriov_error *err);

#endif
