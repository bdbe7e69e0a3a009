/* SPDX-License-Identifier: Apache-2.0 */
/* libvirt's hook: which operation does what. See hook.h. */
#include "lib/plan/hook.h"
#include "lib/guest/choose.h"
#include "lib/plan/ruleset.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ---- where the guest is bound to ---- */

int hook_node(const struct hook_domain *domain, const struct sriov_inventory *inv)
{
	bool cells = !cpuset_is_empty(&domain->cells);
	int node = cpuset_only(cells ? &domain->cells : &domain->memory);
	struct cpuset cpus;

	if (cells || !cpuset_is_empty(&domain->memory) || cpuset_is_empty(&domain->pins))
		return node;
	for (size_t i = 0; i < inv->nnodes; i++)
		if (!cpuset_parse(inv->node[i].cpus, &cpus) && cpuset_within(&domain->pins, &cpus))
			return inv->node[i].id;
	return -1;
}

static int check_node(struct hook_change *at, struct sriov_error *err)
{
	const struct hook *hook = at->hook;
	struct change *change = &at->change;
	int node = hook_node(&hook->domain, change->inv);
	int nic = guest_pf_node(change->inv, change->pf);

	if (node < 0 || nic < 0 || node == nic)
		return 0;
	if (!hook->as->numa_enforce)
		return change_note(
			change, err, "%s is bound to node %d, and its VF %u of %s is on node %d",
			hook->domain.name, node, at->vf[0].index, pf_label(change->pf), nic);
	sriov_error_set(err, -EXDEV, hook->domain.name,
			"it is bound to node %d, and its VF %u of %s is on node %d", node,
			at->vf[0].index, pf_label(change->pf), nic);
	sriov_error_hint(err,
			 "give it a VF of node %d, bind it to node %d, or let the hook only "
			 "warn (--numa-policy warn)",
			 node, nic);
	return sriov_error_status(err, SRIOV_REFUSED);
}

/* ---- a change of one PF ---- */

static void hook_change_clear(struct hook_change *at)
{
	change_close(&at->change);
	free(at->vf);
	free(at->lease);
}
#define _hook_change_ _cleanup_(hook_change_clear)

/*
 * 1: the PF is busy, and the host's policy is to go on without. @rules: what their coming or going looks at is read in
 * the same reading; only what recovery changes is found later.
 */
static int open_pf(struct hook_change *at, const char *pf, unsigned what, bool rules,
		   struct sriov_error *err)
{
	const struct hook *hook = at->hook;
	struct change *change = &at->change;
	struct sriov_error why = {0};
	int r;

	if (!cpuset_is_empty(&hook->domain.pins))
		what |= SRIOV_READ_NODES;
	r = change_open_unrecovered(change, hook->host, pf, SRIOV_READ_VFS | what, hook->opts,
				    &why);
	if (r == -EBUSY && hook->as->busy_allow) {
		r = change_note(change, err, "%s goes on without what is ours on %s: %s",
				hook->domain.name, pf, why.message);
		return r ? r : 1;
	}
	if (r < 0 && err)
		*err = why;
	if (!r && rules) {
		hook_attrs_read(at);
		hook_rules_find(at, NULL);
	}
	if (!r)
		r = change_begin(change, err);
	if (r < 0)
		return r;
	core_copy(change->want.address, sizeof(change->want.address), change->pf->address);
	core_copy(change->want.self, sizeof(change->want.self), hook->domain.name);
	change->brief = !hook->opts->dry_run && !hook->opts->expect;
	return hook_leases_read(at, err);
}

static bool hits_port(const struct steps *steps)
{
	for (size_t i = 0; i < steps->n; i++)
		if (steps->at[i].hits_port)
			return true;
	return false;
}

/* What resets a VF at the drivers that say SRIOV_ATTR_RESETS_VF. */
#define RESETS (SRIOV_VF_MAC | SRIOV_VF_VLAN | SRIOV_VF_TRUST | SRIOV_VF_LINK)

/* A running guest keeps what it would be reset for: that is told, and not done. */
static int spare_running(struct hook_change *at, const struct steps *steps, struct sriov_error *err)
{
	struct change *change = &at->change;
	const struct sriov_driver *driver = sriov_driver_find(change->pf->driver);
	int r = 0;

	if (!driver || !(driver->traits & SRIOV_ATTR_RESETS_VF))
		return 0;
	for (size_t i = 0; !r && i < steps->n; i++) {
		const struct step *step = &steps->at[i];
		struct sriov_step_text text;
		struct vf_state *vf;

		if (step->kind != STEP_VF_SET || !(step->attrs.has & RESETS))
			continue;
		step_describe(change->pf, step, &text);
		r = change_note(change, err,
				"drifted, and left, as it would reset the VF of running %s: %s",
				at->hook->domain.name, text.what);
		vf = state_vf(&change->want, step->number);
		if (vf)
			vf->attrs.has &= ~RESETS;
	}
	return r;
}

/* Nothing else that the hook wants can reset a port: the first rules switch ntuple on. */
static bool switches_ntuple(const struct change *change)
{
	return (change->want.has & STATE_NTUPLE) &&
	       change->want.ntuple != (change->pf->ntuple == SRIOV_NTUPLE_ON);
}

/*
 * Who uses the VFs is read only if a step would reset the port: it takes longer than all the rest.
 */
static int run(struct hook_change *at, bool running, struct sriov_error *err)
{
	struct change *change = &at->change;
	struct steps steps = {0};
	int r = 0;

	if (!change->want.nvf && !(change->want.has & STATE_LIST))
		return 0;
	if (running || switches_ntuple(change))
		r = change_diff(change, &change->want, &steps, err);
	if (!r && running)
		r = spare_running(at, &steps, err);
	if (!r && hits_port(&steps)) {
		change->what |= SRIOV_READ_USERS | SRIOV_READ_USES;
		r = change_read(change, err);
	}
	steps_clear(&steps);
	return r ? r : change_run(change, err);
}

/* What the guest has for as long as it runs, in one reading of the PF. */
static int want_all(struct hook_change *at, struct sriov_error *err)
{
	struct change *change = &at->change;
	unsigned what = change->what;
	int r = hook_rules_find(at, err);

	hook_attrs_read(at);
	if (!r && change->what != what)
		r = change_read(change, err);
	if (!r)
		r = hook_attrs_want(at, err);
	return r ? r : hook_rules_want(at, true, err);
}

/* None of it, as of a guest that has stopped. */
static int want_none(struct hook_change *at, bool all, struct sriov_error *err)
{
	struct change *change = &at->change;
	unsigned what = change->what;
	int r = at->nleases ? hook_leases_wait(at, err) : 0;

	if (!r && at->nleases)
		r = hook_rules_find(at, err);
	if (!r && change->what != what)
		r = change_read(change, err);
	if (!r && at->nleases)
		r = hook_attrs_found(at, all, err);
	return r ? r : hook_rules_want(at, false, err);
}

/* ---- the operations ---- */

/* At the start nothing of the kernel changes: libvirt has not bound the VF yet. */
static int prepare(struct hook_change *at, struct sriov_error *err)
{
	int r = check_node(at, err);

	/* libvirt itself would fail a moment later, with fewer words */
	for (size_t i = 0; !r && i < at->nvfs; i++)
		if (at->vf[i].device->interface)
			r = guest_pf_ready(at->change.pf, err);
	return r ? r : hook_leases_take(at, false, err);
}

/* libvirt has set MAC and VLAN: the rest, and the rules, before the guest runs. */
static int start(struct hook_change *at, struct sriov_error *err)
{
	int r = hook_leases_take(at, true, err);

	at->change.keep_on_no_link = true;
	if (!r)
		r = want_all(at, err);
	return r ? r : run(at, false, err);
}

static int started(struct hook_change *at, struct sriov_error *err)
{
	struct change *change = &at->change;
	int r = want_all(at, err);

	if (!r)
		r = change_show(change, err);
	if (!r && change->plan->nsteps)
		r = change_note(change, err, "%s runs, and lacks what its start has set: %s%s",
				at->hook->domain.name, change->plan->step[0].what,
				change->plan->nsteps > 1 ? ", and more" : "");
	return r;
}

static int reconnect(struct hook_change *at, struct sriov_error *err)
{
	int r = hook_leases_take(at, true, err);

	at->change.keep_on_no_link = true;
	if (!r)
		r = want_all(at, err);
	return r ? r : run(at, true, err);
}

/* Between this and release libvirt puts MAC and VLAN back: they are not touched here. */
static int stopped(struct hook_change *at, struct sriov_error *err)
{
	int r = want_none(at, false, err);

	return r ? r : run(at, false, err);
}

static int release(struct hook_change *at, struct sriov_error *err)
{
	int r = want_none(at, true, err);

	if (!r)
		r = run(at, false, err);
	return r || !at->nleases ? r : hook_leases_end(at, err);
}

/* Whom of the guest's PFs an operation finds: by the domain's VFs, or by what is recorded of it. */
enum hook_by { BY_DOMAIN, BY_RECORD, BY_MOVE };

static const struct operation {
	const char *name;
	int (*fn)(struct hook_change *at, struct sriov_error *err);
	enum hook_by by;
	unsigned what;
	bool rules;   /* and attributes: the guest's come or go */
	bool refuses; /* what libvirt does is rightly stopped by an error */
	bool looks;   /* changes nothing */
} operations[] = {
	{"prepare", prepare, BY_DOMAIN, .refuses = true},
	{"start", start, BY_DOMAIN, .rules = true, .refuses = true},
	{"started", started, BY_DOMAIN, .rules = true, .looks = true},
	{"stopped", stopped, BY_RECORD, SRIOV_READ_ATTRS, .rules = true},
	{"release", release, BY_RECORD, SRIOV_READ_ATTRS, .rules = true},
	{"migrate", NULL, BY_MOVE, .refuses = true},
	{"restore", NULL, BY_MOVE, .refuses = true},
	{"reconnect", reconnect, BY_DOMAIN, .rules = true},
};

static const struct operation *find_operation(const char *op)
{
	for (size_t i = 0; i < ARRAY_SIZE(operations); i++)
		if (!strcmp(operations[i].name, op))
			return &operations[i];
	return NULL;
}

SRIOV_EXPORT bool sriov_hook_refuses(const char *op)
{
	const struct operation *operation = find_operation(op);

	return operation && operation->refuses;
}

/* ---- all PFs of the guest ---- */

static int do_pf(struct hook *hook, const struct operation *op, const char *pf,
		 const struct hook_vf *vf, size_t nvfs, struct sriov_error *err)
{
	_hook_change_ struct hook_change at = {.hook = hook};
	int r;

	at.vf = calloc(nvfs + 1, sizeof(*at.vf));
	if (!at.vf)
		return core_oom(err);
	if (nvfs)
		memcpy(at.vf, vf, nvfs * sizeof(*vf));
	at.nvfs = nvfs;
	r = open_pf(&at, pf, op->what, op->rules, err);
	if (!r)
		r = op->fn(&at, err);
	change_give_plan(&at.change, hook->chain.tail);
	return r < 0 ? r : 0;
}

static void add_result(struct hook *hook, int r, const struct sriov_error *why)
{
	change_chain_add(&hook->chain, r, why);
}

/* The VFs of the domain that are this PF's; the caller frees *@out. */
static int vfs_of(const struct hook *hook, const struct sriov_pf *pf, struct hook_vf **out,
		  size_t *n, struct sriov_error *err)
{
	_free_ struct hook_vf *list = NULL;
	size_t count = 0;

	for (size_t i = 0; i < hook->domain.ndevices; i++) {
		const struct hook_device *device = &hook->domain.device[i];

		for (unsigned v = 0; pf->vf && !device->vhostuser && v < pf->vfs; v++) {
			struct hook_vf *vf;

			if (strcmp(pf->vf[v].address, device->address) != 0)
				continue;
			vf = core_grow(&list, &count, sizeof(*vf));
			if (!vf)
				return core_oom(err);
			*vf = (struct hook_vf){device, pf->vf[v].index};
		}
	}
	*out = core_steal(list);
	*n = count;
	return 0;
}

static bool has_pci(const struct hook_domain *domain)
{
	for (size_t i = 0; i < domain->ndevices; i++)
		if (!domain->device[i].vhostuser)
			return true;
	return false;
}

static int by_domain(struct hook *hook, const struct operation *op, struct sriov_error *err)
{
	struct sriov_inventory *inv = NULL;
	int r;

	if (!has_pci(&hook->domain))
		return 0;
	if (op->rules)
		hook_rules_collect(hook);
	r = host_read(hook->host, NULL, SRIOV_READ_VFS, &inv, err);
	for (size_t i = 0; !r && i < inv->npfs; i++) {
		_free_ struct hook_vf *vf = NULL;
		struct sriov_error mine = {0};
		size_t n = 0;

		r = vfs_of(hook, &inv->pf[i], &vf, &n, err);
		if (!r && n)
			add_result(hook, do_pf(hook, op, inv->pf[i].address, vf, n, &mine), &mine);
	}
	sriov_inventory_free(inv);
	return r ? r : change_chain_end(&hook->chain, err);
}

/* Undo is for what is recorded of this guest; a refused start may have left nothing, or all of it. */
static int by_record(struct hook *hook, const struct operation *op, struct sriov_error *err)
{
	_free_ struct sriov_lease *list = NULL;
	struct store *store = NULL;
	size_t n = 0;
	int r = store_get(hook->host, false, &store, err);

	if (!r && store)
		r = store_lease_of(store, hook->domain.uuid, &list, &n, err);
	for (size_t i = 0; !r && i < n; i++) {
		struct sriov_error mine = {0};
		size_t first = 0;

		while (strcmp(list[first].pf, list[i].pf) != 0)
			first++;
		if (first == i && list[i].vf >= 0)
			add_result(hook, do_pf(hook, op, list[i].pf, NULL, 0, &mine), &mine);
	}
	return r ? r : change_chain_end(&hook->chain, err);
}

static int check_guest(const struct hook *hook, struct sriov_error *err)
{
	const struct hook_domain *domain = &hook->domain;

	if (!strcmp(hook->as->guest, domain->name) || !strcmp(domain->name, domain->uuid))
		return 0;
	sriov_error_set(err, -EINVAL, hook->as->guest, "the domain on standard input is %s",
			domain->name);
	return sriov_error_hint(err, "libvirt gives both; by hand: virsh dumpxml '%s'",
				hook->as->guest);
}

SRIOV_EXPORT int sriov_hook_libvirt(struct sriov_host *host, const struct sriov_hook *as,
				    const struct sriov_options *opts, char **xml,
				    struct sriov_plan **plans, struct sriov_error *err)
{
	const struct operation *op = find_operation(as->op);
	struct sriov_options mine = *opts;
	struct hook hook = {.host = host, .as = as, .opts = &mine, .chain.tail = plans};
	int r;

	*plans = NULL;
	*xml = NULL;
	if (!op)
		return 0;
	mine.dry_run |= op->looks;
	mine.looks = op->looks;
	r = hook_domain_read(as->xml, as->size, &hook.domain, err);
	if (!r)
		r = check_guest(&hook, err);
	if (!r)
		r = op->by == BY_MOVE     ? hook_move(&hook, xml, err)
		    : op->by == BY_DOMAIN ? by_domain(&hook, op, err)
					  : by_record(&hook, op, err);
	hook_domain_clear(&hook.domain);
	sriov_rules_clear(&hook.guests);
	return r;
}
