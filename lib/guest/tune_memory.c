/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The planner, second half: the nodes of the guest's memory. When it matters: QEMU's main thread preallocates
 * hugepages on whatever node it runs, and VFIO pins (and so touches) all memory at once; else the vCPU that
 * touches a page first places it.
 */
#include "lib/guest/tune.h"

#include <string.h>

static bool has_vfio(const struct tune_domain *domain)
{
	return tune_has(domain, TUNE_IF_VF) || tune_has(domain, TUNE_IF_RAW);
}

/* Why binding matters here, and when the memory is fixed. */
static const char *why_bound(const struct tune_domain *domain)
{
	if (domain->hugepages)
		return "matters: hugepages are allocated when it starts, by QEMU's main thread on "
		       "whatever node that runs";
	if (has_vfio(domain))
		return "matters: VFIO touches and pins all memory at once, when it starts or a "
		       "first VF is attached";
	return "matters little: pages are placed when a vCPU first touches them, and the vCPUs are "
	       "pinned";
}

static uint64_t memory_of(const struct tune_domain *domain, size_t cell)
{
	return domain->ncells ? domain->cell[cell].memory_kib : domain->memory_kib;
}

/* The page size of a cell's memory; 0 = normal pages, or hugepages of the default size. */
static unsigned page_of(const struct tune_domain *domain, size_t cell)
{
	unsigned id = domain->ncells ? domain->cell[cell].id : 0;

	for (size_t i = 0; i < domain->npages; i++)
		if (cpuset_is_empty(&domain->page[i].cells) ||
		    cpuset_has(&domain->page[i].cells, id))
			return domain->page[i].size_kib;
	return 0;
}

static const struct sriov_hugepages *find_huge(const struct sriov_node *node, unsigned size_kib)
{
	for (size_t i = 0; i < node->nhuge; i++)
		if (node->huge[i].size_kib == size_kib)
			return &node->huge[i];
	return NULL;
}

/* Whether the node has what the cells on it need; a running guest has it already. */
static int check_room(const struct tune_facts *facts, const struct sriov_node *node,
		      const int *cell_node, struct tune_target *target, struct sriov_error *err)
{
	const struct tune_domain *domain = facts->domain;
	size_t ncells = domain->ncells ? domain->ncells : 1;
	uint64_t kib = 0;

	for (size_t i = 0; i < ncells; i++)
		if (cell_node[i] == node->id)
			kib += memory_of(domain, i);
	if (kib > (uint64_t)node->memory_mib * 1024 && node->memory_mib &&
	    !tune_note(target,
		       core_printf("node %d has %lu MiB of memory, %llu MiB of the guest "
				   "are to be on it",
				   node->id, node->memory_mib, (unsigned long long)kib / 1024)))
		return core_oom(err);
	if (facts->running || !domain->hugepages)
		return 0;
	for (size_t h = 0; h < node->nhuge; h++) {
		unsigned size = node->huge[h].size_kib;
		uint64_t pages = 0;

		for (size_t i = 0; i < ncells; i++)
			if (cell_node[i] == node->id && page_of(domain, i) == size)
				pages += (memory_of(domain, i) + size - 1) / size;
		if (pages <= node->huge[h].free)
			continue;
		if (!tune_note(target,
			       core_printf("node %d has %lu free hugepages of %u KiB, the guest "
					   "needs %llu: it will not start before there are "
					   "(/sys/devices/system/node/node%d/hugepages/"
					   "hugepages-%ukB/nr_hugepages)",
					   node->id, node->huge[h].free, size,
					   (unsigned long long)pages, node->id, size)))
			return core_oom(err);
	}
	for (size_t i = 0; i < ncells; i++) {
		unsigned size = page_of(domain, i);

		if (cell_node[i] == node->id && size && !find_huge(node, size) &&
		    !tune_note(target,
			       core_printf("node %d has no hugepages of %u KiB, which the guest "
					   "asks for",
					   node->id, size)))
			return core_oom(err);
	}
	return 0;
}

int tune_place_memory(const struct tune_facts *facts, const int *cell_node,
		      struct tune_target *target, struct sriov_error *err)
{
	const struct tune_domain *domain = facts->domain;
	const char *mode = facts->mode ? facts->mode : *domain->mode ? domain->mode : "strict";
	size_t ncells = domain->ncells ? domain->ncells : 1;
	struct cpuset nodes = {0};

	for (size_t i = 0; i < ncells; i++)
		cpuset_add(&nodes, cell_node[i]);
	if (!tune_add(target, TUNE_MEMORY, 0, &nodes, mode, core_printf("%s", why_bound(domain))))
		return core_oom(err);
	for (size_t i = 0; i < domain->ncells; i++) {
		const struct tune_cell *cell = &domain->cell[i];
		struct cpuset node = {0};
		char *why;

		/* one cell has the guest's memory; saying it twice would be kept in step by nobody */
		if (domain->ncells < 2 && !cell->said)
			continue;
		cpuset_add(&node, cell_node[i]);
		why = cell_node[i] == facts->nic_node
			      ? core_printf("guest cell %u is on node %d, where %s is", cell->id,
					    cell_node[i], facts->nic)
			      : core_printf("guest cell %u is on node %d with its vCPUs", cell->id,
					    cell_node[i]);
		if (!tune_add(target, TUNE_MEMNODE, cell->id, &node, mode, why))
			return core_oom(err);
	}
	if (tune_has(domain, TUNE_IF_VHOSTUSER) &&
	    !tune_add(target, TUNE_ACCESS, 0, &(struct cpuset){0}, "shared",
		      core_printf("vhost-user: another process reads and writes its memory")))
		return core_oom(err);
	for (size_t i = 0; i < facts->nnodes; i++) {
		int r = check_room(facts, &facts->node[i], cell_node, target, err);

		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- in words ---- */

void tune_what(enum tune_kind kind, unsigned number, char buf[24])
{
	static const struct {
		const char *word;
		bool numbered;
	} words[] = {
		[TUNE_VCPU] = {"vcpupin", true},         [TUNE_EMULATOR] = {"emulatorpin"},
		[TUNE_IOTHREAD] = {"iothreadpin", true}, [TUNE_MEMORY] = {"memory"},
		[TUNE_MEMNODE] = {"memnode", true},      [TUNE_ACCESS] = {"access"},
	};
	_free_ char *text = words[kind].numbered ? core_printf("%s %u", words[kind].word, number)
						 : strdup(words[kind].word);

	core_copy(buf, 24, text ? text : words[kind].word);
}

static char *mode_text(const char *mode, const struct cpuset *nodes)
{
	_free_ char *list = cpuset_text(nodes);

	return list ? core_printf("%s%s%s", mode, *list ? " " : "", list) : NULL;
}

char *tune_said(const struct tune_domain *domain, enum tune_kind kind, unsigned number)
{
	switch (kind) {
	case TUNE_VCPU:
		return number < domain->vcpus ? cpuset_text(&domain->pin[number]) : strdup("");
	case TUNE_EMULATOR:
		return cpuset_text(&domain->emulator);
	case TUNE_IOTHREAD:
		for (size_t i = 0; i < domain->niothreads; i++)
			if (domain->iothread[i].id == number)
				return cpuset_text(&domain->iothread[i].pin);
		break;
	case TUNE_MEMORY:
		return domain->memory_auto ? core_printf("%s auto", domain->mode)
					   : mode_text(domain->mode, &domain->nodes);
	case TUNE_MEMNODE:
		for (size_t i = 0; i < domain->ncells; i++)
			if (domain->cell[i].id == number && domain->cell[i].said)
				return mode_text(domain->cell[i].mode, &domain->cell[i].nodes);
		break;
	case TUNE_ACCESS:
		return strdup(domain->shared ? "shared" : "");
	}
	return strdup("");
}

char *tune_wanted(const struct tune_item *item)
{
	if (item->kind == TUNE_ACCESS)
		return strdup(item->mode);
	return item->kind >= TUNE_MEMORY ? mode_text(item->mode, &item->to)
					 : cpuset_text(&item->to);
}
