/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The planner, first half: which CPUs. vCPUs get whole cores of the NIC's node (of their guest cell's node), away
 * from excluded cores always, and from the NIC's interrupts and other guests where there is room. The emulator,
 * and with it the workers of vhost-net, goes off the interrupts' cores first and to the same node second: where the
 * softirqs fill a core, a worker on it starves.
 */
#include "lib/guest/tune.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void tune_target_clear(struct tune_target *target)
{
	for (size_t i = 0; i < target->nitems; i++)
		free(target->item[i].why);
	for (size_t i = 0; i < target->nnotes; i++)
		free(target->note[i]);
	free(target->item);
	free(target->note);
	*target = (struct tune_target){0};
}

bool tune_add(struct tune_target *target, enum tune_kind kind, unsigned number,
	      const struct cpuset *to, const char *mode, char *why)
{
	struct tune_item *item = why ? core_grow(&target->item, &target->nitems, sizeof(*item))
				     : NULL;

	if (!item) {
		free(why);
		return false;
	}
	item->kind = kind;
	item->number = number;
	item->to = *to;
	item->why = why;
	core_copy(item->mode, sizeof(item->mode), mode);
	return true;
}

bool tune_note(struct tune_target *target, char *text)
{
	char **note = text ? core_grow(&target->note, &target->nnotes, sizeof(*note)) : NULL;

	if (!note) {
		free(text);
		return false;
	}
	*note = text;
	return true;
}

/* What placing keeps in mind. */
struct placing {
	const struct tune_facts *facts;
	struct cpuset all;  /* CPUs that a thread of the guest may have */
	struct cpuset busy; /* cores that take the NIC's interrupts */
	struct cpuset used; /* by the guest's vCPUs, so far */
	struct tune_target out;
};

/* ---- guest cells to nodes ---- */

/* The node whose CPUs have all pins of the cell's vCPUs, or -1. */
static int pinned_node(const struct tune_facts *facts, const struct tune_cell *cell)
{
	struct cpuset pins = {0};

	for (unsigned i = 0; i < facts->domain->vcpus; i++)
		if (cpuset_has(&cell->vcpus, i))
			cpuset_join(&pins, &facts->domain->pin[i]);
	for (size_t i = 0; i < facts->topology->nnodes && !cpuset_is_empty(&pins); i++)
		if (cpuset_within(&pins, &facts->topology->node[i].cpus))
			return facts->topology->node[i].id;
	return -1;
}

static int said_node(const struct tune_facts *facts, const struct tune_cell *cell)
{
	int node = cell->said ? cpuset_only(&cell->nodes) : pinned_node(facts, cell);

	return topology_find(facts->topology, node) ? node : -1;
}

/*
 * A guest of several cells is spread over nodes on purpose: what it says of them is kept if one of them is the
 * NIC's, the others go one by one to the nodes with the fewest, near ones first.
 */
static int place_cells(const struct tune_facts *facts, int *cell_node, struct sriov_error *err)
{
	const struct topology *topology = facts->topology;
	const struct tune_domain *domain = facts->domain;
	_free_ size_t *order = calloc(topology->nnodes + 1, sizeof(*order));
	_free_ unsigned *cells = calloc(topology->nnodes + 1, sizeof(*cells));
	bool on_nic = false;

	if (!order || !cells)
		return core_oom(err);
	cell_node[0] = facts->nic_node;
	if (domain->ncells < 2)
		return 0;
	for (size_t i = 0; i < domain->ncells; i++) {
		cell_node[i] = said_node(facts, &domain->cell[i]);
		on_nic |= cell_node[i] == facts->nic_node;
	}
	topology_order(topology, facts->nic_node, order);
	for (size_t i = 0; i < domain->ncells; i++) {
		if (!on_nic)
			cell_node[i] = -1;
		for (size_t n = 0; n < topology->nnodes; n++)
			cells[n] += topology->node[order[n]].id == cell_node[i];
	}
	for (size_t i = 0; i < domain->ncells; i++) {
		size_t least = 0;

		if (cell_node[i] >= 0)
			continue;
		for (size_t n = 1; n < topology->nnodes; n++)
			if (cells[n] < cells[least])
				least = n;
		cells[least]++;
		cell_node[i] = topology->node[order[least]].id;
	}
	return 0;
}

/* The cell of a vCPU; what no cell has belongs to the first, as libvirt does it. */
static size_t cell_of(const struct tune_domain *domain, unsigned vcpu)
{
	for (size_t i = 0; i < domain->ncells; i++)
		if (cpuset_has(&domain->cell[i].vcpus, vcpu))
			return i;
	return 0;
}

/* ---- vCPUs ---- */

/* What is given up, in this order, when a node has too few CPUs. */
static const struct level {
	bool off_interrupts, off_emulators, off_vcpus;
	const char *also; /* what is then used as well */
} levels[] = {
	{true, true, true, NULL},
	{true, false, true, "CPUs that other guests' emulators are pinned to"},
	{false, false, true, "cores that take the NIC's interrupts"},
	{false, false, false, "CPUs that other guests' vCPUs are pinned to"},
};

static struct cpuset level_cpus(const struct placing *placing, const struct topology_node *node,
				const struct level *level)
{
	struct cpuset cpus = node->cpus, outside = node->cpus;

	cpuset_drop(&outside, &placing->all);
	cpuset_drop(&cpus, &outside);
	if (level->off_interrupts)
		cpuset_drop(&cpus, &placing->busy);
	if (level->off_emulators)
		cpuset_drop(&cpus, &placing->facts->emulators);
	if (level->off_vcpus)
		cpuset_drop(&cpus, &placing->facts->vcpus);
	return cpus;
}

/*
 * A pin that the domain has is as good as ours if it is within what we would choose from, narrower than all of
 * it, and has a CPU that no vCPU before it was counted for.
 */
static bool keeps(const struct cpuset *pin, const struct cpuset *allowed, struct cpuset *claimed)
{
	if (cpuset_is_empty(pin) || !cpuset_within(pin, allowed) ||
	    (cpuset_within(allowed, pin) && cpuset_count(pin) > 1))
		return false;
	for (int cpu = cpuset_next(pin, 0); cpu >= 0; cpu = cpuset_next(pin, cpu + 1)) {
		if (cpuset_has(claimed, cpu))
			continue;
		cpuset_add(claimed, cpu);
		return true;
	}
	return false;
}

/* The node's CPUs out of @from, whole cores before broken ones, hyper-threads of a core side by side. */
static size_t in_order(const struct topology *topology, size_t node, const struct cpuset *from,
		       int *out)
{
	size_t n = 0;

	for (int broken = 0; broken < 2; broken++) {
		for (size_t i = 0; i < topology->ncores; i++) {
			const struct topology_core *core = &topology->core[i];
			int cpu = -1;

			if (core->node != node || cpuset_within(&core->cpus, from) == broken)
				continue;
			while ((cpu = cpuset_next(&core->cpus, cpu + 1)) >= 0)
				if (cpuset_has(from, cpu))
					out[n++] = cpu;
		}
	}
	return n;
}

/* "core 8,24 of node 1, where VF 0000:81:10.0 is" */
static char *why_vcpu(const struct placing *placing, const struct topology_node *node, int cpu,
		      size_t cell)
{
	const struct tune_facts *facts = placing->facts;
	const struct topology_core *at = facts->topology->core;
	_free_ char *core = NULL;

	while (!cpuset_has(&at->cpus, cpu))
		at++;
	core = cpuset_text(&at->cpus);
	if (!core)
		return NULL;
	if (node->id == facts->nic_node)
		return core_printf("core %s of node %d, where %s is", core, node->id, facts->nic);
	return core_printf("core %s of node %d, of guest cell %u", core, node->id,
			   facts->domain->cell[cell].id);
}

static bool on_node(const struct placing *placing, const int *cell_node, unsigned vcpu, int node)
{
	return cell_node[cell_of(placing->facts->domain, vcpu)] == node;
}

/* The first level with room for @n vCPUs, or the last; tells what it gives up. */
static int choose_level(struct placing *placing, const struct topology_node *node, unsigned n,
			struct cpuset *out, struct sriov_error *err)
{
	struct cpuset best = level_cpus(placing, node, &levels[0]);
	unsigned had = cpuset_count(&best), have = had;
	size_t at = 0;

	while (have < n && at + 1 < ARRAY_SIZE(levels)) {
		struct cpuset cpus = level_cpus(placing, node, &levels[++at]);
		unsigned count = cpuset_count(&cpus);

		if (count > have && levels[at].also &&
		    !tune_note(&placing->out,
			       core_printf("node %d has %u free CPUs off the interrupts for %u "
					   "vCPUs: %s are used as well",
					   node->id, had, n, levels[at].also)))
			return core_oom(err);
		best = cpus;
		have = count;
	}
	if (!have) {
		sriov_error_set(err, -ENOSPC, placing->facts->domain->object,
				"node %d has no CPU that its vCPUs may have", node->id);
		return sriov_error_hint(err, "leave CPUs of that node out of --exclude-cpus, or "
					     "choose another node with --node");
	}
	if (have < n && !tune_note(&placing->out,
				   core_printf("node %d has %u CPUs for %u vCPUs: %u of them share "
					       "a CPU with another",
					       node->id, have, n, n - have)))
		return core_oom(err);
	*out = best;
	return 0;
}

static int place_vcpus_of(struct placing *placing, size_t at, const int *cell_node,
			  struct cpuset *pin, struct sriov_error *err)
{
	const struct tune_facts *facts = placing->facts;
	const struct topology_node *node = &facts->topology->node[at];
	const struct tune_domain *domain = facts->domain;
	struct cpuset allowed, left, claimed = {0};
	_free_ int *cpus = NULL;
	unsigned n = 0;
	size_t next = 0, ncpus;
	int r;

	for (unsigned i = 0; i < domain->vcpus; i++)
		n += on_node(placing, cell_node, i, node->id);
	if (!n)
		return 0;
	r = choose_level(placing, node, n, &allowed, err);
	if (r < 0)
		return r;
	left = allowed;
	for (unsigned i = 0; i < domain->vcpus; i++) {
		if (!on_node(placing, cell_node, i, node->id) ||
		    !keeps(&domain->pin[i], &allowed, &claimed))
			continue;
		pin[i] = domain->pin[i];
		cpuset_drop(&left, &pin[i]);
	}
	cpus = calloc(cpuset_count(&allowed) * 2 + 1, sizeof(*cpus));
	if (!cpus)
		return core_oom(err);
	ncpus = in_order(facts->topology, at, &left, cpus);
	/* once all have one, they are shared from the first on */
	ncpus += in_order(facts->topology, at, &allowed, cpus + ncpus);
	for (unsigned i = 0; i < domain->vcpus; i++) {
		if (on_node(placing, cell_node, i, node->id) && cpuset_is_empty(&pin[i])) {
			cpuset_add(&pin[i], cpus[next % ncpus]);
			next++;
		}
	}
	return 0;
}

static int place_vcpus(struct placing *placing, const int *cell_node, struct sriov_error *err)
{
	const struct tune_facts *facts = placing->facts;
	const struct tune_domain *domain = facts->domain;
	_free_ struct cpuset *pin = calloc(domain->vcpus, sizeof(*pin));

	if (!pin)
		return core_oom(err);
	for (size_t i = 0; i < facts->topology->nnodes; i++) {
		int r = place_vcpus_of(placing, i, cell_node, pin, err);

		if (r < 0)
			return r;
	}
	for (unsigned i = 0; i < domain->vcpus; i++) {
		size_t cell = cell_of(domain, i);
		char *why = why_vcpu(placing, topology_find(facts->topology, cell_node[cell]),
				     cpuset_next(&pin[i], 0), cell);

		if (!tune_add(&placing->out, TUNE_VCPU, i, &pin[i], "", why))
			return core_oom(err);
		cpuset_join(&placing->used, &pin[i]);
	}
	return 0;
}

/* ---- emulator and IOThreads ---- */

/* In this order, and within a row the nodes by nearness: the first that has CPUs. */
static const struct house {
	bool off_interrupts, off_own, off_others;
	const char *where;
} houses[] = {
	{true, true, true, "off the NIC's interrupts and the vCPUs"},
	{true, true, false, "off the NIC's interrupts, shared with other guests' vCPUs"},
	{true, false, false, "off the NIC's interrupts, shared with the vCPUs"},
	{false, true, true, "on cores that take the NIC's interrupts, as all do"},
	{false, false, false, "on whatever CPUs there are"},
};

static const struct house *choose_house(const struct placing *placing, const size_t *order,
					size_t *node, struct cpuset *out)
{
	const struct tune_facts *facts = placing->facts;

	for (size_t h = 0; h < ARRAY_SIZE(houses); h++) {
		for (size_t i = 0; i < facts->topology->nnodes; i++) {
			struct cpuset cpus = facts->topology->node[order[i]].cpus, not = cpus;

			cpuset_drop(&not, &placing->all);
			cpuset_drop(&cpus, &not );
			if (houses[h].off_interrupts)
				cpuset_drop(&cpus, &placing->busy);
			if (houses[h].off_own)
				cpuset_drop(&cpus, &placing->used);
			if (houses[h].off_others)
				cpuset_drop(&cpus, &facts->vcpus);
			if (cpuset_is_empty(&cpus))
				continue;
			*node = order[i];
			*out = cpus;
			return &houses[h];
		}
	}
	return NULL;
}

/* At least @want of the CPUs, from the last core on, so that the first ones stay whole for other guests. */
static struct cpuset last_cores(const struct topology *topology, size_t node,
				const struct cpuset *from, unsigned want)
{
	struct cpuset out = {0};

	for (size_t i = topology->ncores; i-- && cpuset_count(&out) < want;) {
		const struct topology_core *core = &topology->core[i];
		int cpu = -1;

		while (core->node == node && (cpu = cpuset_next(&core->cpus, cpu + 1)) >= 0)
			if (cpuset_has(from, cpu))
				cpuset_add(&out, cpu);
	}
	return out;
}

static int place_house(struct placing *placing, struct sriov_error *err)
{
	const struct tune_facts *facts = placing->facts;
	const struct tune_domain *domain = facts->domain;
	_free_ size_t *order = calloc(facts->topology->nnodes + 1, sizeof(*order));
	unsigned queues = tune_vhost_queues(domain);
	const struct house *house;
	struct cpuset from = {0}, to;
	size_t at = 0;
	char *why;
	int node;

	if (!order)
		return core_oom(err);
	topology_order(facts->topology, facts->nic_node, order);
	/* never NULL: the vCPUs found a CPU before, and the last house asks for no more */
	house = choose_house(placing, order, &at, &from);
	node = facts->topology->node[at].id;
	to = last_cores(facts->topology, at, &from, 1 + queues + domain->niothreads);
	if (!cpuset_is_empty(&domain->emulator) && cpuset_within(&domain->emulator, &from))
		to = domain->emulator;
	why = queues ? core_printf("%s, node %d; %u vhost worker%s run%s here too", house->where,
				   node, queues, queues > 1 ? "s" : "", queues > 1 ? "" : "s")
		     : core_printf("%s, node %d", house->where, node);
	if (!tune_add(&placing->out, TUNE_EMULATOR, 0, &to, "", why))
		return core_oom(err);
	for (size_t i = 0; i < domain->niothreads; i++) {
		const struct tune_iothread *thread = &domain->iothread[i];
		bool kept = !cpuset_is_empty(&thread->pin) && cpuset_within(&thread->pin, &from);

		if (!tune_add(&placing->out, TUNE_IOTHREAD, thread->id, kept ? &thread->pin : &to,
			      "", core_printf("%s, node %d", house->where, node)))
			return core_oom(err);
	}
	return 0;
}

int tune_place(const struct tune_facts *facts, struct tune_target *out, struct sriov_error *err)
{
	struct placing placing = {.facts = facts, .busy = facts->interrupts};
	struct cpuset excluded = facts->excluded;
	_free_ int *cell_node = calloc(facts->domain->ncells + 1, sizeof(*cell_node));
	int r;

	if (!cell_node)
		return core_oom(err);
	if (!topology_find(facts->topology, facts->nic_node)) {
		sriov_error_set(err, -ENODEV, facts->domain->object,
				"%s is on node %d, which this host does not have", facts->nic,
				facts->nic_node);
		return sriov_error_hint(err, "`sriovctl host show` lists the nodes");
	}
	/* hyper-threads of one core are never split between a PMD, or an interrupt, and a vCPU */
	topology_whole_cores(facts->topology, &excluded);
	topology_whole_cores(facts->topology, &placing.busy);
	topology_cpus(facts->topology, &placing.all);
	cpuset_drop(&placing.all, &excluded);
	r = place_cells(facts, cell_node, err);
	if (!r)
		r = place_vcpus(&placing, cell_node, err);
	if (!r)
		r = place_house(&placing, err);
	if (!r)
		r = tune_place_memory(facts, cell_node, &placing.out, err);
	if (r < 0) {
		tune_target_clear(&placing.out);
		return r;
	}
	*out = placing.out;
	return 0;
}
