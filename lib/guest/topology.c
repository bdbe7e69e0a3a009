/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes and cores as sets: see topology.h. */
#include "lib/guest/topology.h"

#include <errno.h>

void topology_clear(struct topology *topology)
{
	free(topology->node);
	free(topology->core);
	*topology = (struct topology){0};
}

static int bad_list(const struct sriov_node *node, const char *text, struct sriov_error *err)
{
	return sriov_error_set(err, -EINVAL, "host", "node %d: '%.80s' is not a list of CPUs",
			       node->id, text);
}

static int by_id(const void *a, const void *b)
{
	return ((const struct topology_node *)a)->id - ((const struct topology_node *)b)->id;
}

static int by_first_cpu(const void *a, const void *b)
{
	const struct topology_core *x = a, *y = b;

	if (x->node != y->node)
		return x->node < y->node ? -1 : 1;
	return cpuset_next(&x->cpus, 0) - cpuset_next(&y->cpus, 0);
}

static struct topology_core *add_core(struct topology *topology, size_t node)
{
	struct topology_core *core = core_grow(&topology->core, &topology->ncores, sizeof(*core));

	if (core)
		core->node = node;
	return core;
}

static int add_cores(struct topology *topology, size_t node, const struct sriov_node *from,
		     struct sriov_error *err)
{
	struct cpuset left = topology->node[node].cpus;
	struct topology_core *core;

	for (size_t i = 0; i < from->ncores; i++) {
		core = add_core(topology, node);
		if (!core)
			return core_oom(err);
		if (cpuset_parse(from->core[i].cpus, &core->cpus) < 0 ||
		    cpuset_is_empty(&core->cpus))
			return bad_list(from, from->core[i].cpus, err);
		cpuset_drop(&left, &core->cpus);
	}
	for (int cpu = cpuset_next(&left, 0); cpu >= 0; cpu = cpuset_next(&left, cpu + 1)) {
		core = add_core(topology, node);
		if (!core)
			return core_oom(err);
		cpuset_add(&core->cpus, cpu);
	}
	return 0;
}

int topology_build(const struct sriov_node *nodes, size_t n, struct topology *out,
		   struct sriov_error *err)
{
	_topology_ struct topology topology = {.node = calloc(n + 1, sizeof(*topology.node))};

	if (!topology.node)
		return core_oom(err);
	if (!n) {
		sriov_error_set(err, -ENODATA, "host", "it shows no NUMA node to place guests on");
		return sriov_error_hint(err, "the kernel needs CONFIG_NUMA, as Debian's has; a "
					     "simulated host needs \"nodes\"");
	}
	for (size_t i = 0; i < n; i++) {
		struct topology_node *node = &topology.node[topology.nnodes++];

		node->id = nodes[i].id;
		node->socket = nodes[i].ncores ? nodes[i].socket : -1;
		if (cpuset_parse(nodes[i].cpus, &node->cpus) < 0)
			return bad_list(&nodes[i], nodes[i].cpus, err);
	}
	qsort(topology.node, n, sizeof(*topology.node), by_id);
	for (size_t i = 0; i < n; i++) {
		size_t at = topology_find(&topology, nodes[i].id) - topology.node;
		int r = add_cores(&topology, at, &nodes[i], err);

		if (r < 0)
			return r;
	}
	if (topology.ncores)
		qsort(topology.core, topology.ncores, sizeof(*topology.core), by_first_cpu);
	*out = topology;
	topology = (struct topology){0};
	return 0;
}

const struct topology_node *topology_find(const struct topology *topology, int node)
{
	for (size_t i = 0; i < topology->nnodes; i++)
		if (topology->node[i].id == node)
			return &topology->node[i];
	return NULL;
}

void topology_whole_cores(const struct topology *topology, struct cpuset *set)
{
	for (size_t i = 0; i < topology->ncores; i++)
		if (cpuset_meets(&topology->core[i].cpus, set))
			cpuset_join(set, &topology->core[i].cpus);
}

void topology_order(const struct topology *topology, int node, size_t *order)
{
	const struct topology_node *first = topology_find(topology, node);
	size_t n = 0;

	/* distance 0: itself, 1: its socket, 2: the rest; each by id */
	for (int distance = 0; distance < 3; distance++) {
		for (size_t i = 0; i < topology->nnodes; i++) {
			const struct topology_node *at = &topology->node[i];
			bool socket = first && first->socket >= 0 && at->socket == first->socket;

			if (distance == (at == first ? 0 : socket ? 1 : 2))
				order[n++] = i;
		}
	}
}

void topology_cpus(const struct topology *topology, struct cpuset *out)
{
	*out = (struct cpuset){0};
	for (size_t i = 0; i < topology->nnodes; i++)
		cpuset_join(out, &topology->node[i].cpus);
}
