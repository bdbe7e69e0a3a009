/* SPDX-License-Identifier: Apache-2.0 */
/* A host's nodes and cores as sets of CPUs, for placing threads. Pure. */
#ifndef SRIOV_GUEST_TOPOLOGY_H
#define SRIOV_GUEST_TOPOLOGY_H

#include "lib/core/cpuset.h"
#include "lib/guest/guest.h"

struct topology_node {
	int id, socket; /* socket -1 = unknown */
	struct cpuset cpus;
};
struct topology_core {
	size_t node; /* index into topology.node */
	struct cpuset cpus;
};
struct topology {
	struct topology_node *node; /* by id */
	size_t nnodes;
	struct topology_core *core; /* by node, then by first CPU */
	size_t ncores;
};

/*
 * Of nodes read with SRIOV_READ_NODES and SRIOV_READ_CPUS. A CPU whose core is not known is one by itself. -ENODATA:
 * the host shows no NUMA node; -EINVAL: a list that is none. The caller clears it.
 */
int topology_build(const struct sriov_node *nodes, size_t n, struct topology *out,
		   struct sriov_error *err);
void topology_clear(struct topology *topology);
#define _topology_ _cleanup_(topology_clear)

/* NULL: the host has no such node. */
const struct topology_node *topology_find(const struct topology *topology, int node);
/* Adds to @set the hyper-threads that share a core with one of its CPUs. */
void topology_whole_cores(const struct topology *topology, struct cpuset *set);
/* The nodes in the order of nearness to @node: itself, those of its socket, the others; @order has nnodes. */
void topology_order(const struct topology *topology, int node, size_t *order);
/* All CPUs of the host. */
void topology_cpus(const struct topology *topology, struct cpuset *out);

#endif
