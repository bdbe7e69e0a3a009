/* SPDX-License-Identifier: Apache-2.0 */
/* What a simulated host shows of itself: exactly what was asked for, as a live one would. */
#include "lib/host/sim.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void sim_show_port(struct sriov_pf *pf)
{
	if (!pf->carrier)
		pf->speed_mbps = 0;
	pf->queues = sriov_driver_queues(sriov_driver_find(pf->driver), pf->device, pf->vfs,
					 pf->queues);
}

/* The use of that name, added if the file does not have it yet. */
static struct sriov_use *add_use(struct sriov_vf *vf, bool running, const char *who,
				 const char *how)
{
	for (size_t i = 0; i < vf->uses.n; i++)
		if (!strcmp(vf->uses.at[i].who, who))
			return &vf->uses.at[i];
	return uses_add(&vf->uses, running, who, "%s", how);
}

/* Who uses the VF, by what the state of its netdev and the domains say; in the words of the live host. */
static int add_users(const struct sim *sim, struct sriov_vf *vf)
{
	char who[SRIOV_NAME_LEN * 2], how[192];
	struct sriov_use *use;

	if (vf->in_netns && !add_use(vf, true, "netns", "its netdev is in another namespace"))
		return -ENOMEM;
	snprintf(how, sizeof(how), "netdev %s is %s%s%s", vf->netdev, vf->netdev_up ? "up" : "",
		 vf->netdev_up && *vf->master ? " and in "
		 : *vf->master                ? "in "
					      : "",
		 vf->master);
	if ((vf->netdev_up || *vf->master) && !add_use(vf, vf->netdev_up, "host", how))
		return -ENOMEM;
	for (size_t i = 0; i < sim->ndomains; i++) {
		const struct sim_domain *domain = &sim->domain[i];

		snprintf(how, sizeof(how), "domain %s names %s", domain->name, vf->address);
		for (size_t k = 0; k < domain->nvfs; k++) {
			const struct sim_domain_vf *named = &domain->vf[k];

			if (strcmp(named->address, vf->address) != 0)
				continue;
			snprintf(who, sizeof(who), "guest %s (%s)", domain->name,
				 sim_domain_words[named->running ? domain->state : SIM_DEFINED]);
			use = add_use(vf, named->running, who, how);
			if (!use)
				return -ENOMEM;
			use->libvirt_net = named->running && named->net;
		}
	}
	return 0;
}

static void drop_uses(struct sriov_uses *uses)
{
	free(uses->at);
	*uses = (struct sriov_uses){0};
}

static int show_vfs(const struct sim *sim, struct sriov_pf *pf, unsigned what)
{
	for (unsigned v = 0; v < pf->vfs; v++) {
		struct sriov_vf *vf = &pf->vf[v];

		if (!(what & SRIOV_READ_OVERRIDES))
			vf->driver_override[0] = '\0';
		if (!(what & SRIOV_READ_ATTRS))
			memset(&vf->attrs, 0, sizeof(vf->attrs));
		if (!(what & SRIOV_READ_USERS))
			drop_uses(&vf->uses);
		else if (add_users(sim, vf) < 0)
			return -ENOMEM;
	}
	if (what & (SRIOV_READ_VFS | SRIOV_READ_ATTRS | SRIOV_READ_USERS))
		return 0;
	for (unsigned v = 0; v < pf->vfs; v++)
		drop_uses(&pf->vf[v].uses);
	free(pf->vf);
	pf->vf = NULL;
	return 0;
}

static int show_pf(const struct sim *sim, struct sriov_pf *pf, unsigned what)
{
	/* first: the model is of the port as the file has it */
	if (what & SRIOV_READ_RULES && sim_show_rules(sim, pf) < 0)
		return -ENOMEM;
	sim_show_port(pf);
	if (what & SRIOV_READ_RSS && sim_rss_show(pf) < 0)
		return -ENOMEM;
	if (!(what & SRIOV_READ_RSS)) {
		free(pf->rss);
		pf->rss = NULL;
		pf->nrss = pf->nrss_key = 0;
	}
	if (!(what & SRIOV_READ_PATH)) {
		memset(pf->rss_fields, 0, sizeof(pf->rss_fields));
		pf->bridge = SRIOV_BRIDGE_UNKNOWN;
	}
	if (!(what & SRIOV_READ_CPUS)) {
		free(pf->irq_cpus);
		pf->irq_cpus = NULL;
	}
	if (!(what & SRIOV_READ_PORT)) {
		pf->firmware[0] = pf->driver_version[0] = '\0';
		pf->queues = 0;
		pf->ntuple = SRIOV_NTUPLE_UNKNOWN;
	}
	if (!(what & SRIOV_READ_USES))
		drop_uses(&pf->uses);
	if (!(what & SRIOV_READ_RULES)) {
		free(pf->rules);
		pf->rules = NULL;
		pf->nrules = pf->rules_max = 0;
	}
	if (!(what & SRIOV_READ_OVERRIDES))
		pf->driver_override[0] = '\0';
	sim_pf_hide(pf);
	return show_vfs(sim, pf, what);
}

static int no_such_pf(const struct sim *sim, const char *name, struct sriov_error *err)
{
	char address[SRIOV_PCI_LEN] = "";

	sriov_pci_parse(name, address);
	for (size_t i = 0; i < sim->inv->npfs; i++) {
		const struct sriov_pf *pf = &sim->inv->pf[i];

		for (unsigned v = 0; v < pf->vfs; v++) {
			if (strcmp(pf->vf[v].address, address) != 0 &&
			    (!*name || strcmp(pf->vf[v].netdev, name) != 0))
				continue;
			sriov_error_set(err, -ENOTSUP, name, "it is not a PF, but VF %u of %s", v,
					pf->address);
			sriov_error_hint(err, "name the PF %s and the VF index", pf->address);
			return -ENOTSUP;
		}
	}
	sriov_error_set(err, -ENODEV, name, "no such device");
	sriov_error_hint(err, "`sriovctl host show` lists the PFs");
	return -ENODEV;
}

int sim_read(struct sim *sim, const char *name, unsigned what, struct sriov_inventory *inv,
	     struct sriov_error *err)
{
	struct sriov_inventory *all = sim->inv, out = *all;
	struct sriov_pf *only = name ? inventory_find(all, name) : NULL;

	if (name && (!only || (sim_pf_away(only) && !strcmp(name, only->netdev))))
		return no_such_pf(sim, name, err);
	for (size_t i = 0; i < all->npfs; i++) {
		if ((!only || &all->pf[i] == only) && show_pf(sim, &all->pf[i], what) < 0)
			return core_oom(err);
	}
	if (only) {
		out.pf = malloc(sizeof(*out.pf));
		if (!out.pf)
			return core_oom(err);
		*out.pf = *only;
		*only = (struct sriov_pf){0};
		out.npfs = 1;
	} else {
		all->pf = NULL;
		all->npfs = 0;
	}
	for (size_t i = 0; i < all->nnodes && !(what & SRIOV_READ_CPUS); i++) {
		free(all->node[i].core);
		all->node[i].core = NULL;
		all->node[i].ncores = 0;
	}
	if (what & SRIOV_READ_NODES) {
		all->node = NULL;
		all->nnodes = 0;
	} else {
		out.node = NULL;
		out.nnodes = 0;
	}
	*inv = out;
	return 0;
}

/* One read is counted, and fails if that was asked for. */
static int count(struct sim *sim, enum sim_op op, const char *pf, struct sriov_error *err)
{
	struct sim_deviation d;

	sim->ops[op]++;
	if (!sim_deviate(sim, op, pf, -1, SIM_DEVIATE_ERRNO, &d))
		return 0;
	return core_errno(err, -sim_errno(d.errno_name), *pf ? pf : "host",
			  "%s fails, as the simulated host was told", sim_op_words[op]);
}

int sim_read_count(struct sim *sim, const char *name, unsigned what, struct sriov_error *err)
{
	const struct sriov_pf *only = name ? inventory_find(sim->inv, name) : NULL;
	int r = count(sim, SIM_READ, only ? only->address : "", err);

	for (size_t i = 0; !r && i < sim->inv->npfs; i++) {
		const struct sriov_pf *pf = &sim->inv->pf[i];

		if (name && pf != only)
			continue;
		if (what & SRIOV_READ_ATTRS)
			r = count(sim, SIM_READ_ATTRS, pf->address, err);
		if (!r && what & SRIOV_READ_RULES)
			r = count(sim, SIM_READ_RULES, pf->address, err);
	}
	return r;
}

bool sim_read_counts(const struct sim *sim)
{
	for (size_t i = 0; i < sim->ndeviations; i++) {
		unsigned op = sim->deviation[i].op;

		if (op == SIM_READ || op == SIM_READ_ATTRS || op == SIM_READ_RULES)
			return true;
	}
	return sim->count_reads;
}
