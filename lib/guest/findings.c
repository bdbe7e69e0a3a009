/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is wrong with a guest: see findings.h. Each look below is about one thing; what `guest tune` could not make
 * better (a node all of whose cores take interrupts) is not held against it.
 */
#include "lib/guest/findings.h"

#include "lib/guest/place.h"

#include <stdio.h>
#include <string.h>

/* So much of the memory may be elsewhere: QEMU's own heap, tens of MiB, is where its threads were first. */
#define ELSEWHERE_PERCENT 5
#define ELSEWHERE_KIB (64 << 10)

void check_add(struct check *check, enum sriov_severity severity, const char *id, char *object,
	       char *evidence, char *fix)
{
	struct sriov_finding *finding = object && evidence && fix
						? core_grow(&check->out->at, &check->out->n,
							    sizeof(*finding))
						: NULL;

	if (finding) {
		/* the worst first, else as they come */
		for (; finding > check->out->at && finding[-1].severity < severity; finding--)
			finding[0] = finding[-1];
		*finding = (struct sriov_finding){severity, id, object, evidence, fix};
		return;
	}
	free(object);
	free(evidence);
	free(fix);
	check->oom = true;
}

char *check_fix_tune(const struct check *check)
{
	return core_printf("sriovctl guest tune %s --apply", check->facts->guest);
}

static char *fix_restart(const struct check *check)
{
	return core_printf("sriovctl guest tune %s --apply, and restart the guest: the memory of a "
			   "running one stays where it is",
			   check->facts->guest);
}

const struct tune_item *check_item(const struct check *check, enum tune_kind kind, unsigned number)
{
	const struct tune_target *target = check->facts->target;

	for (size_t i = 0; target && i < target->nitems; i++)
		if (target->item[i].kind == kind && target->item[i].number == number)
			return &target->item[i];
	return NULL;
}

/* ---- queues ---- */

static void look_at_queues(struct check *check)
{
	const struct process *process = check->facts->process;
	unsigned queues = tune_vhost_queues(check->domain), workers = 0, worked = 0, number;
	uint64_t busiest = 0;

	if (!process || !queues)
		return;
	for (size_t i = 0; i < process->nthreads; i++) {
		if (process_role(&process->thread[i], &number) != PROCESS_VHOST)
			continue;
		workers++;
		if (process->thread[i].run_ms > busiest)
			busiest = process->thread[i].run_ms;
	}
	if (workers < queues) {
		check_add(
			check, SRIOV_WARNING, "queues-without-workers", strdup("queues"),
			core_printf("vhost-net runs %u of the %u workers that are configured: the "
				    "other queues go through QEMU itself",
				    workers, queues),
			strdup("modprobe vhost_net, and restart the guest"));
		return;
	}
	for (size_t i = 0; i < process->nthreads; i++)
		worked += process_role(&process->thread[i], &number) == PROCESS_VHOST &&
			  process->thread[i].run_ms * 100 >= busiest;
	if (busiest < CHECK_BUSY_MS || worked == workers)
		return;
	check_add(
		check, SRIOV_NOTE, "queues-unused", strdup("queues"),
		core_printf("%u of %u workers do all the work: the guest has not enabled the other "
			    "queues, or has one flow only; no worker starves",
			    worked, workers),
		core_printf("in the guest: ethtool -L DEV combined N"));
}

/* ---- memory ---- */

static void look_at_pages(struct check *check)
{
	const struct tune_item *item = check_item(check, TUNE_MEMORY, 0);
	const struct process *process = check->facts->process;
	_free_ char *seen = NULL, *nodes = NULL;
	uint64_t all = 0, elsewhere = 0;

	if (!process || !item)
		return;
	for (size_t i = 0; i < process->nmemory; i++) {
		const struct process_memory *memory = &process->memory[i];
		uint64_t kib = memory->kib + memory->huge_kib;
		char *longer = core_printf(
			"%s%snode %d: %llu MiB%s", seen ? seen : "", seen ? ", " : "", memory->node,
			(unsigned long long)kib >> 10, memory->huge_kib ? " with hugepages" : "");

		free(seen);
		seen = longer;
		all += kib;
		if (!cpuset_has(&item->to, memory->node))
			elsewhere += kib;
	}
	if (elsewhere < ELSEWHERE_KIB || elsewhere * 100 < all * ELSEWHERE_PERCENT)
		return;
	nodes = cpuset_text(&item->to);
	check_add(check, SRIOV_PROBLEM, "memory-elsewhere", strdup("memory"),
		  seen && nodes ? core_printf("%llu %% of it is not on node %s, where %s is (%s)",
					      (unsigned long long)(elsewhere * 100 / all), nodes,
					      check->facts->tune->nic, seen)
				: NULL,
		  fix_restart(check));
}

static void look_at_numatune(struct check *check)
{
	const struct tune_domain *domain = check->domain;
	bool vfio = tune_has(domain, TUNE_IF_VF) || tune_has(domain, TUNE_IF_RAW), said = false;

	for (size_t i = 0; i < domain->ncells; i++)
		said |= domain->cell[i].said;
	if (check->facts->tune->topology->nnodes < 2 || *domain->mode || said ||
	    (!domain->hugepages && !vfio))
		return;
	check_add(check, SRIOV_WARNING, "numatune-missing", strdup("memory"),
		  core_printf("%s, and no <numatune> says on which node",
			      domain->hugepages
				      ? "its hugepages are allocated at start by QEMU's main "
					"thread"
				      : "VFIO touches and pins all of it at once"),
		  fix_restart(check));
}

static void look_at_sharing(struct check *check)
{
	if (!tune_has(check->domain, TUNE_IF_VHOSTUSER) || check->domain->shared)
		return;
	check_add(check, SRIOV_PROBLEM, "memory-not-shared", strdup("memory"),
		  core_printf("it has a vhost-user interface, and its memory is %s",
			      check->domain->hugepages ? "in hugepages of its own"
						       : "not shared with other processes"),
		  fix_restart(check));
}

/* ---- VFs ---- */

/* The nodes that the domain binds its memory to; empty: none. */
static struct cpuset bound_to(const struct tune_domain *domain)
{
	struct cpuset nodes = domain->nodes;

	for (size_t i = 0; i < domain->ncells; i++)
		cpuset_join(&nodes, &domain->cell[i].nodes);
	return nodes;
}

static void look_at_vf_place(struct check *check, const struct tune_interface *itf,
			     const struct sriov_pf *pf)
{
	struct cpuset nodes = bound_to(check->domain);
	int node = guest_pf_node(check->facts->inv, pf);
	_free_ char *list = NULL;

	if (node < 0 || cpuset_is_empty(&nodes) || cpuset_has(&nodes, node))
		return;
	list = cpuset_text(&nodes);
	check_add(check, SRIOV_PROBLEM, "vf-elsewhere", core_printf("VF %s", itf->address),
		  list ? core_printf("it is on node %d, and the domain binds its memory to node %s",
				     node, list)
		       : NULL,
		  fix_restart(check));
}

/* While a domain with <interface type='hostdev'> runs, libvirt has set both from its XML, VLAN 0 without one. */
static void look_at_vf_attrs(struct check *check, const struct tune_interface *itf,
			     const struct sriov_pf *pf, const struct sriov_vf *vf)
{
	char is[SRIOV_MAC_LEN], said[SRIOV_MAC_LEN];

	if (itf->kind != TUNE_IF_VF || !check->facts->process)
		return;
	if (vf->attrs.has & SRIOV_VF_MAC && !sriov_mac_is_zero(itf->mac) &&
	    memcmp(vf->attrs.mac, itf->mac, sizeof(itf->mac)) != 0) {
		sriov_mac_format(itf->mac, said);
		check_add(check, SRIOV_PROBLEM, "vf-mac", core_printf("VF %s", itf->address),
			  core_printf("the domain says MAC %s, the port has %s", said,
				      sriov_mac_format(vf->attrs.mac, is)),
			  core_printf("sriovctl vf set %s %u --mac %s --force", pf_label(pf),
				      vf->index, said));
	}
	if (vf->attrs.has & SRIOV_VF_VLAN && vf->attrs.vlan != itf->vlan)
		check_add(check, SRIOV_PROBLEM, "vf-vlan", core_printf("VF %s", itf->address),
			  core_printf("the domain says VLAN %u, the port has %u (0 = none)",
				      itf->vlan, vf->attrs.vlan),
			  core_printf("sriovctl vf set %s %u --vlan %u --force", pf_label(pf),
				      vf->index, itf->vlan));
}

static void look_at_vfs(struct check *check)
{
	const struct sriov_inventory *inv = check->facts->inv;

	for (size_t i = 0; i < check->domain->ninterfaces; i++) {
		const struct tune_interface *itf = &check->domain->interface[i];

		for (size_t p = 0; p < inv->npfs && *itf->address; p++) {
			const struct sriov_pf *pf = &inv->pf[p];

			for (unsigned v = 0; pf->vf && v < pf->vfs; v++) {
				if (strcmp(pf->vf[v].address, itf->address) != 0)
					continue;
				look_at_vf_place(check, itf, pf);
				look_at_vf_attrs(check, itf, pf, &pf->vf[v]);
			}
		}
	}
}

/* ---- the host, and what cannot be had ---- */

static void look_at_irqbalance(struct check *check)
{
	const struct process *process = check->facts->process;
	struct cpuset pins = {0}, banned = {0}, now;
	_free_ char *list = NULL, *hit = NULL;

	if (!process || !process->irqbalance)
		return;
	for (unsigned i = 0; i < check->domain->vcpus; i++)
		cpuset_join(&pins, &check->domain->pin[i]);
	cpuset_parse(process->irqbalance_banned, &banned);
	if (cpuset_is_empty(&pins) || cpuset_within(&pins, &banned))
		return;
	now = pins;
	cpuset_drop(&now, &check->busy);
	list = cpuset_text(&pins);
	cpuset_drop(&pins, &now);
	hit = cpuset_text(&pins);
	check_add(check, SRIOV_WARNING, "irqbalance", strdup("irqbalance"),
		  list && hit
			  ? core_printf("process %ld moves interrupts as it likes, and CPUs %s are "
					"for the vCPUs alone%s%s%s",
					process->irqbalance, list, *hit ? ": now they are on " : "",
					hit, *hit ? " too" : "")
			  : NULL,
		  core_printf(
			  "IRQBALANCE_BANNED_CPULIST=%s in /etc/default/irqbalance, and systemctl "
			  "restart irqbalance",
			  list ? list : ""));
}

static void look_at_vlans(struct check *check)
{
	for (size_t i = 0; i < check->facts->nvlans; i++) {
		const struct check_vlan *vlan = &check->facts->vlan[i];

		check_add(check, SRIOV_PROBLEM, "vlan",
			  core_printf("VLAN %u on %s", vlan->vlan, vlan->below), strdup(vlan->why),
			  strdup(vlan->fix));
	}
}

static void look_at_polling(struct check *check)
{
	if (!check->domain->poll_us)
		return;
	check_add(
		check, SRIOV_NOTE, "poll-us", strdup("vhost-net"),
		strdup("<qemu:commandline> asks for busy polling (poll-us), which libvirt has no words "
		       "for and cannot look after"),
		strdup("take it out; in the guest: sysctl net.core.busy_poll=50"));
}

SRIOV_EXPORT const char *sriov_severity_word(enum sriov_severity severity)
{
	static const char *const words[] = {
		[SRIOV_NOTE] = "note", [SRIOV_WARNING] = "warning", [SRIOV_PROBLEM] = "problem"};

	return words[severity];
}

int check_findings(const struct check_facts *facts, struct sriov_findings *out,
		   struct sriov_error *err)
{
	static void (*const looks[])(struct check *) = {
		look_at_vfs,     look_at_vlans,      look_at_pages,
		look_at_sharing, check_threads,      look_at_numatune,
		look_at_queues,  look_at_irqbalance, look_at_polling};
	struct check check = {.facts = facts,
			      .domain = facts->tune->domain,
			      .out = out,
			      .busy = facts->tune->interrupts,
			      .excluded = facts->tune->excluded};

	topology_whole_cores(facts->tune->topology, &check.busy);
	topology_whole_cores(facts->tune->topology, &check.excluded);
	for (size_t i = 0; i < ARRAY_SIZE(looks); i++)
		looks[i](&check);
	return check.oom ? core_oom(err) : 0;
}
