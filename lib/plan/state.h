/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of a PF as far as it is managed: what an intent asks for, what stood before a change, and what
 * the last committed intent was. All three are the same kind of value, with has-bits for what they speak
 * of; the planner turns the host's state into any of them, which is also how a change is undone.
 */
#ifndef SRIOV_PLAN_STATE_H
#define SRIOV_PLAN_STATE_H

#include "lib/host/host.h"

#include <sriov/guest.h>

enum state_has {
	STATE_UP = 1 << 0,
	STATE_COUNT = 1 << 1,
	STATE_AUTOPROBE = 1 << 2,
	STATE_NTUPLE = 1 << 3,
	STATE_LIST = 1 << 4,
	STATE_RSS = 1 << 5,
	STATE_DRIVER = 1 << 6,
};

#define BIND_ANY_DEFAULT "default"

#define RULE_WORDS 1024 /* room for a rule in words */

struct vf_state {
	unsigned index;
	struct sriov_vf_attrs attrs;
	bool has_driver;
	char driver[32]; /* "" = bound to none */
	bool has_up, up; /* its netdev; of probes alone, so never part of an intent */
	bool lent; /* as it is without its guest, which is to come back: no part of the intent */
};

/* VFs and the pool that they go to. */
struct pool_state {
	unsigned first, last;
	char name[32];
};

/* One location of the rule table: an entry, or nothing. */
struct rule_state {
	bool present;
	bool kept;                /* stood there before and stays: not what the change is about */
	bool others;              /* somebody else's stands there and stays: not ours any more */
	struct sriov_entry entry; /* only loc counts if not present */
	char name[SRIOV_NAME_LEN], owner[SRIOV_NAME_LEN];
};

/*
 * What a guest holds on this PF, or shall hold, and where its domain has the devices of that. Of the domain only
 * the definitions in @speaks are looked at.
 */
struct guest_state {
	struct sriov_lease lease;
	bool leased;
	bool speaks[2];    /* by enum virt_where */
	unsigned there[2]; /* bit per device of the lease */
	/* What its tap or macvtap was limited to, 0 = nothing: of a before-image, beside which the lease's counts not. */
	bool limited[2];
	uint64_t limit[2]; /* libvirt's 1000 bytes a second */
};

/* A network of which this PF has the uplink: its record, and what of its bridge is there. */
struct net_state {
	struct sriov_physnet net;    /* owns its list of PFs */
	bool recorded, made, linked; /* in the database; the bridge; its port to the network */
};

struct pf_state {
	char address[SRIOV_PCI_LEN];
	unsigned has; /* enum state_has */
	bool up, autoprobe, ntuple;
	unsigned count;
	/*
	 * STATE_DRIVER: who has the port, "" = nobody. While that is not the kernel's driver, the rest of an intent
	 * waits: it comes back with the driver.
	 */
	char driver[32];
	char pool[32]; /* of all VFs; "" = not said */
	bool passing;  /* a probe's: always undone, never committed */
	char self
		[SRIOV_NAME_LEN]; /* the guest that the change is for: no obstacle to it; "" = nobody */
	bool apart; /* its rules without the bridge beside it: that is another change's */
	bool links; /* the VLANs of macvtaps and taps, as all leases have them; never part of an intent */
	bool image; /* of what stood: what its bridge lacks besides is not made good */
	bool bridge; /* also the bridge beside it, as its leases and rules have it; never part of an intent */
	struct vf_state *vf;
	size_t nvf;
	struct rule_state *rule; /* by location; change it by state_rule() only */
	size_t nrules;
	/* STATE_LIST: the rules as the user wrote them, in order, and how they were compiled */
	struct sriov_rules list;
	unsigned allow;
	bool partial;
	/* STATE_RSS: RX queues of the port's RSS table, which repeats them to its end */
	uint32_t *rss;
	size_t nrss;
	struct guest_state *guest; /* NULL: it speaks of none; never part of an intent */
	/* What the guest has instead on the other side of a move: gone here, and the same lease. */
	struct guest_state *other;
	struct net_state *net;    /* NULL: it speaks of none; never part of an intent */
	struct pool_state *pools; /* all of the PF's, if has_pools; never part of an intent */
	size_t npools;
	bool has_pools;
	/* The intent that a commit records, instead of this laid over the one before: going back has one. */
	bool replaces;
	char *record; /* NULL: none */
};

void state_clear(struct pf_state *state);
/* The VF's part, made if it is not there yet; NULL without memory. */
struct vf_state *state_vf(struct pf_state *state, unsigned index);
const struct vf_state *state_find_vf(const struct pf_state *state, unsigned index);
/* The location's part, or NULL. */
const struct rule_state *state_find_rule(const struct pf_state *state, uint32_t loc);
/* The location's part, made if it is not there yet; NULL without memory. Quick in ascending order. */
struct rule_state *state_rule(struct pf_state *state, uint32_t loc);
/* Makes the rules a copy of @list. 0 or -ENOMEM. */
int state_set_list(struct pf_state *state, const struct sriov_rules *list);
/* Makes the RSS part a copy of @queue. 0 or -ENOMEM. */
int state_set_rss(struct pf_state *state, const uint32_t *queue, size_t n);
/* Whether @table is what the RSS part says. */
bool state_rss_is(const struct pf_state *state, const uint32_t *table, size_t n);
/* The part, made if it is not there yet; NULL without memory. */
struct guest_state *state_guest(struct pf_state *state);
struct guest_state *state_other(struct pf_state *state);
struct net_state *state_net(struct pf_state *state);
/* Makes @out a copy. 0 or -ENOMEM. */
int net_copy(const struct sriov_physnet *net, struct sriov_physnet *out);
/* Whether a device bound to @driver ("" = none) is bound as @wanted says. */
bool state_bound_as(const char *driver, const char *wanted);
/* Whether what else is wanted waits until the kernel's driver has the port again. */
bool state_waits(const struct pf_state *want);
/* Whether the port itself gets another driver. */
bool state_rebinds(const struct sriov_pf *pf, const struct pf_state *want);
/* Adds what stands on @pf at the places that @want speaks of (all of it, if VFs or its driver come or go). */
int state_capture(const struct sriov_pf *pf, const struct pf_state *want, struct pf_state *out,
		  struct sriov_error *err);
/* Lays @change over @intent: what a committed change makes of the intent. */
int state_merge(struct pf_state *intent, const struct pf_state *change, struct sriov_error *err);

/* Whether both say the same, as far as intents go. False does not prove that they differ: their texts do. */
bool state_same(const struct pf_state *a, const struct pf_state *b);

/* Whether both have the same rules, and the same list. */
bool state_same_rules(const struct pf_state *a, const struct pf_state *b);
bool state_same_list(const struct pf_state *a, const struct pf_state *b);

/* As JSON text, the journal's and the database's form. */
int state_encode(const struct pf_state *state, char **out, struct sriov_error *err);
/* A state's text, and where in it its rules begin, its list, and what comes after. */
struct state_text {
	char *text;
	size_t rules, list, end;
};
/*
 * state_encode() into @out, which is freed by its text. @known (NULL: none) is the text of @like: rules and list that
 * are the same there are copied from it, since to write thousands of them takes long.
 */
int state_write(const struct pf_state *state, const struct pf_state *like,
		const struct state_text *known, struct state_text *out, struct sriov_error *err);
/* A network alone, of which NULL is out of memory. */
json_t *state_encode_net(const struct sriov_physnet *net);
/* Into @out, whose list of PFs the caller frees also after an error. */
int state_decode_net(const json_t *json, struct sriov_physnet *out, struct sriov_error *err);
int state_decode(const char *text, struct pf_state *out, struct sriov_error *err);

#endif
