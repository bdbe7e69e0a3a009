/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the hook: what its files share. */
#ifndef SRIOV_PLAN_HOOK_H
#define SRIOV_PLAN_HOOK_H

#include "lib/guest/hookxml.h"
#include "lib/plan/guest.h"

#include <sriov/hook.h>

/* A VF of the domain on one PF. */
struct hook_vf {
	const struct hook_device *device;
	unsigned index;
};

struct hook {
	struct sriov_host *host;
	const struct sriov_hook *as;
	const struct sriov_options *opts;
	struct hook_domain domain;
	struct change_chain chain;
	struct sriov_rules guests; /* that come with the guest; owned */
	int guests_code;           /* why they are not known, 0 = they are */
	struct sriov_error guests_error;
};

/* The change of one PF for the guest. */
struct hook_change {
	struct hook *hook;
	struct change change;
	struct hook_vf *vf; /* of the domain, on this PF */
	size_t nvfs;
	struct sriov_lease *lease; /* the guest's own on this PF; owned */
	size_t nleases;
	bool rules; /* the PF has rules that come or go with it */
};

/* hook_lease.c: reads the guest's leases on the PF. */
int hook_leases_read(struct hook_change *at, struct sriov_error *err);
/* Each VF of the domain gets its lease; -EBUSY: another guest has it. @running: its own lease is active. */
int hook_leases_take(struct hook_change *at, bool running, struct sriov_error *err);
/* The guest is no more: leases of it wait, or (@released) end where nothing else keeps them. */
int hook_leases_wait(struct hook_change *at, struct sriov_error *err);
int hook_leases_end(struct hook_change *at, struct sriov_error *err);
/* What was found of a VF is written into its lease. */
int hook_lease_found(struct hook_change *at, struct sriov_lease *lease, struct sriov_error *err);
struct sriov_lease *hook_lease_of(const struct hook_change *at, unsigned vf);

/* hook_attrs.c: whether the attributes of the PF's VFs must be read for the guest's. */
void hook_attrs_read(struct hook_change *at);
/* Wants what the intent says of them, as far as libvirt does not say it. */
int hook_attrs_want(struct hook_change *at, struct sriov_error *err);
/* Wants them as they were without the guest; @all: also what libvirt has put back meanwhile. */
int hook_attrs_found(struct hook_change *at, bool all, struct sriov_error *err);

/* hook_rules.c: collects the rules that come with the guest, wherever its VFs are. What is wrong with them is kept. */
void hook_rules_collect(struct hook *hook);
/* Whether rules of the PF come with the guest or go, so that they must be read for it. */
int hook_rules_find(struct hook_change *at, struct sriov_error *err);
/* Then, with the PF's rules read, what the change wants of them: those of the guest (@on), or none of it. */
int hook_rules_want(struct hook_change *at, bool on, struct sriov_error *err);

/* hook_move.c: the domain with the VFs and sockets of this host. */
int hook_move(struct hook *hook, char **xml, struct sriov_error *err);

/* hook.c: the node that the guest is bound to, -1 = none. @inv has NODES read if its CPUs are pinned. */
int hook_node(const struct hook_domain *domain, const struct sriov_inventory *inv);
bool hook_is_mine(const struct hook_domain *domain, const struct sriov_lease *lease);

#endif
