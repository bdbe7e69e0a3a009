/* SPDX-License-Identifier: Apache-2.0 */
/* hwloc at run time: which CPUs are hyper-threads of one core, and the sockets of nodes. See cores.h. */
#include "lib/host/cores.h"

#include "lib/core/cpuset.h"

#include <errno.h>
#include <hwloc.h>
#include <string.h>

#define HWLOC_SYMBOLS(X)                                                                           \
	X(hwloc_topology_init)                                                                     \
	X(hwloc_topology_set_flags)                                                                \
	X(hwloc_topology_load)                                                                     \
	X(hwloc_topology_destroy)                                                                  \
	X(hwloc_get_type_depth)                                                                    \
	X(hwloc_get_obj_by_depth)                                                                  \
	X(hwloc_bitmap_next)

struct hwloc {
#define X(symbol) __typeof__(symbol) *symbol;
	HWLOC_SYMBOLS(X)
#undef X
};

static struct hwloc lib;

int cores_available(struct sriov_error *err)
{
	static const struct core_symbol symbols[] = {
#define X(symbol) {#symbol, offsetof(struct hwloc, symbol)},
		HWLOC_SYMBOLS(X)
#undef X
	};
	static struct core_library hwloc = {"hwloc",
					    "libhwloc.so.15",
					    "cores and hyper-threads are not known",
					    "libhwloc15",
					    "2.0",
					    symbols,
					    ARRAY_SIZE(symbols),
					    &lib};

	return core_library_load(&hwloc, err);
}

static int socket_of(hwloc_obj_t object)
{
	while (object && object->type != HWLOC_OBJ_PACKAGE)
		object = object->parent;
	return object ? (int)object->os_index : -1;
}

/* Adds the core to the node whose CPUs it has. */
static int add_core(hwloc_obj_t object, struct sriov_node *nodes, size_t n, struct sriov_error *err)
{
	struct cpuset cpus = {0}, of_node;

	for (int cpu = -1; (cpu = lib.hwloc_bitmap_next(object->cpuset, cpu)) >= 0;)
		if (cpu < CPUSET_MAX)
			cpuset_add(&cpus, cpu);
	for (size_t i = 0; i < n; i++) {
		_free_ char *text = NULL;
		struct sriov_core *core;

		if (cpuset_parse(nodes[i].cpus, &of_node) < 0 || cpuset_is_empty(&cpus) ||
		    !cpuset_within(&cpus, &of_node))
			continue;
		text = cpuset_text(&cpus);
		core = text ? core_grow(&nodes[i].core, &nodes[i].ncores, sizeof(*core)) : NULL;
		if (!core)
			return core_oom(err);
		core_copy(core->cpus, sizeof(core->cpus), text);
		nodes[i].socket = socket_of(object);
	}
	return 0;
}

static int by_first_cpu(const void *a, const void *b)
{
	return atoi(((const struct sriov_core *)a)->cpus) -
	       atoi(((const struct sriov_core *)b)->cpus);
}

static int read_topology(hwloc_topology_t topology, struct sriov_node *nodes, size_t n,
			 struct sriov_error *err)
{
	hwloc_obj_t object;
	int depth, r = 0;

	/* this process may be confined to some CPUs; the guests are not */
	if (lib.hwloc_topology_set_flags(topology, HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED) < 0 ||
	    lib.hwloc_topology_load(topology) < 0)
		return core_errno(err, -EIO, "hwloc", "cannot read the cores of this host");
	depth = lib.hwloc_get_type_depth(topology, HWLOC_OBJ_CORE);
	/* a machine that does not tell its cores: each CPU is one */
	if (depth < 0)
		depth = lib.hwloc_get_type_depth(topology, HWLOC_OBJ_PU);
	for (unsigned i = 0; !r && (object = lib.hwloc_get_obj_by_depth(topology, depth, i)); i++)
		r = add_core(object, nodes, n, err);
	for (size_t i = 0; i < n; i++)
		if (nodes[i].ncores)
			qsort(nodes[i].core, nodes[i].ncores, sizeof(*nodes[i].core), by_first_cpu);
	return r;
}

int cores_read(struct sriov_node *nodes, size_t n, struct sriov_error *err)
{
	hwloc_topology_t topology;
	int r = cores_available(err);

	if (r < 0)
		return r;
	if (lib.hwloc_topology_init(&topology) < 0)
		return core_oom(err);
	r = read_topology(topology, nodes, n, err);
	lib.hwloc_topology_destroy(topology);
	return r;
}
