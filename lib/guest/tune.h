/* SPDX-License-Identifier: Apache-2.0 */
/* Inside tuning: the pure planner between what was read and what is changed. */
#ifndef SRIOV_GUEST_TUNE_H
#define SRIOV_GUEST_TUNE_H

#include "lib/guest/topology.h"
#include "lib/guest/tunedom.h"

#include <sriov/tune.h>

/* All that the planner looks at. */
struct tune_facts {
	const struct topology *topology;
	const struct sriov_node *node; /* of the host, with free hugepages */
	size_t nnodes;
	const struct tune_domain *domain;
	int nic_node;
	const char *nic; /* "VF 0000:81:10.0", "ens2f0", "--node 1": what is on that node */
	struct cpuset excluded, interrupts;
	struct cpuset vcpus,
		emulators; /* those that other guests' vCPUs and emulators are pinned to */
	const char *mode;  /* numatune's, as asked for; NULL = the domain's own, else strict */
	bool running;
};

enum tune_kind {
	TUNE_VCPU,
	TUNE_IOTHREAD,
	TUNE_EMULATOR,
	TUNE_MEMORY,
	TUNE_MEMNODE,
	TUNE_ACCESS,
};

struct tune_item {
	enum tune_kind kind;
	unsigned number;  /* of vCPU, IOThread, guest cell */
	struct cpuset to; /* CPUs, or nodes of the host */
	char mode[16];    /* of memory and memnode */
	char *why;
};

/* Where everything should be, item by item, whether it is there already or not. */
struct tune_target {
	struct tune_item *item;
	size_t nitems;
	char **note;
	size_t nnotes;
};
/*
 * What the domain says already is kept where it is as good; ties go to the lower number (vCPUs) or to the
 * higher one (emulators, so that guests which come later find whole cores). -ENOSPC: no CPU is left; -ENODEV: the
 * host has no such node.
 */
int tune_place(const struct tune_facts *facts, struct tune_target *out, struct sriov_error *err);
void tune_target_clear(struct tune_target *target);
#define _tune_target_ _cleanup_(tune_target_clear)

/* tune_memory.c: the second half of tune_place(). @cell_node: of each guest cell, or of the whole guest. */
int tune_place_memory(const struct tune_facts *facts, const int *cell_node,
		      struct tune_target *target, struct sriov_error *err);

/* Adds an item or a note; false: no memory. @why is taken over. */
bool tune_add(struct tune_target *target, enum tune_kind kind, unsigned number,
	      const struct cpuset *to, const char *mode, char *why);
bool tune_note(struct tune_target *target, char *text);

/* "vcpupin 3" */
void tune_what(enum tune_kind kind, unsigned number, char buf[24]);
/* What @domain says of that item, in the words of the target's: "", "8", "strict 1". Fresh memory, NULL: none. */
char *tune_said(const struct tune_domain *domain, enum tune_kind kind, unsigned number);
char *tune_wanted(const struct tune_item *item);

#endif
