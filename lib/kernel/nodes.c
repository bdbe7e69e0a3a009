/* SPDX-License-Identifier: Apache-2.0 */
/* NUMA nodes and the IOMMU, as sysfs shows them. */
#include "lib/kernel/kernel.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define NODES "devices/system/node"

/* A folder hugepages-<size>kB of a node. */
static int add_hugepages(int dir, const char *name, void *data)
{
	struct sriov_node *node = data;
	struct sriov_hugepages *huge = &node->huge[node->nhuge];
	int64_t total, unused;
	unsigned size;
	char path[80];

	if (node->nhuge == ARRAY_SIZE(node->huge) || sscanf(name, "hugepages-%ukB", &size) != 1)
		return 0;
	snprintf(path, sizeof(path), "%.40s/nr_hugepages", name);
	if (core_read_number(dir, path, &total) < 0)
		return 0;
	snprintf(path, sizeof(path), "%.40s/free_hugepages", name);
	if (core_read_number(dir, path, &unused) < 0)
		return 0;
	*huge = (struct sriov_hugepages){.size_kib = size, .total = total, .free = unused};
	node->nhuge++;
	return 0;
}

static int by_size(const void *a, const void *b)
{
	const struct sriov_hugepages *x = a, *y = b;

	return (x->size_kib > y->size_kib) - (x->size_kib < y->size_kib);
}

/* "Node 1 MemTotal:       65536 kB" */
static unsigned long read_memory_mib(int dir, const char *path)
{
	_free_ char *text = NULL;
	unsigned long kib;
	const char *line;

	if (core_read_file(dir, path, 65536, &text, NULL) < 0)
		return 0;
	line = strstr(text, "MemTotal:");
	return line && sscanf(line, "MemTotal: %lu", &kib) == 1 ? kib / 1024 : 0;
}

struct node_list {
	struct sriov_node *at;
	size_t n;
};

/* The package of the node's first CPU: a node lies within one. */
static int read_socket(int dir, const struct sriov_node *node)
{
	int64_t package;
	char path[80];

	if (!node->cpus[0])
		return -1;
	snprintf(path, sizeof(path), "../cpu/cpu%d/topology/physical_package_id", atoi(node->cpus));
	return core_read_number(dir, path, &package) < 0 ? -1 : (int)package;
}

static int add_node(int dir, const char *name, void *data)
{
	struct node_list *list = data;
	struct sriov_node *node;
	char path[64];
	uint64_t id;
	int r;

	if (strncmp(name, "node", 4) || core_number(name + 4, 0, 65535, &id) < 0)
		return 0;
	node = core_grow(&list->at, &list->n, sizeof(*node));
	if (!node)
		return -ENOMEM;
	node->id = id;
	snprintf(path, sizeof(path), "%.16s/cpulist", name);
	core_read_line(dir, path, node->cpus, sizeof(node->cpus));
	node->socket = read_socket(dir, node);
	snprintf(path, sizeof(path), "%.16s/meminfo", name);
	node->memory_mib = read_memory_mib(dir, path);
	snprintf(path, sizeof(path), "%.16s/hugepages", name);
	r = sysfs_each(dir, path, add_hugepages, node);
	qsort(node->huge, node->nhuge, sizeof(node->huge[0]), by_size);
	return r == -ENOENT ? 0 : r; /* a kernel without hugetlbfs */
}

static int by_id(const void *a, const void *b)
{
	const struct sriov_node *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

int sysfs_nodes(int sys, struct sriov_node **out, size_t *n, struct sriov_error *err)
{
	struct node_list list = {0};
	int r = sysfs_each(sys, NODES, add_node, &list);

	/* a kernel without NUMA has no nodes to show */
	if (r < 0 && r != -ENOENT) {
		free(list.at);
		return core_errno(err, r, "sysfs", "cannot read the NUMA nodes in " NODES);
	}
	if (list.n)
		qsort(list.at, list.n, sizeof(*list.at), by_id);
	*out = list.at;
	*n = list.n;
	return 0;
}

static int found(int dir, const char *name, void *data)
{
	return 1;
}

bool sysfs_iommu(int sys)
{
	return sysfs_each(sys, "class/iommu", found, NULL) == 1;
}

bool sysfs_has_driver(int sys, const char *driver)
{
	char path[96];

	snprintf(path, sizeof(path), "bus/pci/drivers/%s", driver);
	return !faccessat(sys, path, F_OK, 0);
}
