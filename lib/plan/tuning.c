/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a guest and the host for tuning and checking: see tuning.h. */
#include "lib/plan/tuning.h"

#include "lib/guest/place.h"
#include "lib/host/cores.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void guest_view_clear(struct guest_view *view)
{
	virt_domain_clear(&view->domain);
	tune_domain_clear(&view->now);
	sriov_inventory_free(view->inv);
	topology_clear(&view->topology);
	*view = (struct guest_view){0};
}

bool guest_view_vf(const struct sriov_inventory *inv, const char *address,
		   const struct sriov_pf **pf, const struct sriov_vf **vf)
{
	for (size_t i = 0; i < inv->npfs; i++) {
		for (unsigned v = 0; inv->pf[i].vf && v < inv->pf[i].vfs; v++) {
			if (strcmp(inv->pf[i].vf[v].address, address) != 0)
				continue;
			*pf = &inv->pf[i];
			*vf = &inv->pf[i].vf[v];
			return true;
		}
	}
	return false;
}

/* ---- the domain ---- */

static int choose_where(struct guest_view *view, const struct sriov_tune_request *request,
			struct sriov_error *err)
{
	const struct virt_domain *domain = &view->domain;
	bool both = !request->live && !request->config;

	if (request->live && !domain->live) {
		sriov_error_set(err, -ENOTCONN, domain->name, "the guest does not run");
		return sriov_error_hint(err, "leave --live out: its definition is tuned, and "
					     "counts from the next start");
	}
	if (request->config && !domain->config) {
		sriov_error_set(err, -EINVAL, domain->name,
				"the guest is transient: it has no definition");
		return sriov_error_hint(err, "leave --config out: the running guest is tuned");
	}
	view->live = domain->live && (both || request->live);
	view->config = domain->config && (both || request->config);
	view->xml = view->live ? domain->live : domain->config;
	return tune_domain_read(view->xml, &view->now, err);
}

static int read_lists(struct guest_view *view, const struct sriov_tune_request *request,
		      struct sriov_error *err)
{
	static const char *const modes[] = {"strict", "preferred", "interleave", "restrictive",
					    NULL};
	struct cpuset all;
	size_t i = 0;

	if (request->exclude && cpuset_parse(request->exclude, &view->facts.excluded) < 0)
		return sriov_error_set(err, -EINVAL, request->exclude,
				       "not a list of CPUs like 0-3,8");
	topology_cpus(&view->topology, &all);
	if (!cpuset_within(&view->facts.excluded, &all))
		return sriov_error_set(err, -ERANGE, request->exclude,
				       "names CPUs that this host does not have");
	view->facts.mode = request->numatune;
	while (request->numatune && modes[i] && strcmp(modes[i], request->numatune) != 0)
		i++;
	if (!modes[i])
		return sriov_error_set(err, -EINVAL, request->numatune,
				       "not one of strict, preferred, interleave, restrictive");
	return 0;
}

/* ---- the NIC ---- */

static bool join_interrupts(struct guest_view *view, const struct sriov_pf *pf)
{
	struct cpuset cpus;

	if (!pf->irq_cpus || cpuset_parse(pf->irq_cpus, &cpus) < 0)
		return false;
	cpuset_join(&view->facts.interrupts, &cpus);
	return true;
}

/* The PF below an interface of the guest, and what to call what the guest has of it. */
static const struct sriov_pf *find_pf(const struct sriov_inventory *inv,
				      const struct tune_interface *itf, char nic[96])
{
	const struct sriov_pf *pf;
	const struct sriov_vf *vf;

	if (*itf->address && guest_view_vf(inv, itf->address, &pf, &vf)) {
		snprintf(nic, 96, "VF %s", itf->address);
		return pf;
	}
	if (!*itf->source)
		return NULL;
	for (size_t i = 0; i < inv->npfs; i++) {
		bool on_vf = false;

		for (unsigned v = 0; inv->pf[i].vf && v < inv->pf[i].vfs; v++)
			on_vf |= !strcmp(inv->pf[i].vf[v].netdev, itf->source);
		if (!on_vf && strcmp(inv->pf[i].netdev, itf->source) != 0)
			continue;
		snprintf(nic, 96, "%.63s, below its macvtap,", itf->source);
		return &inv->pf[i];
	}
	return NULL;
}

/* A macvtap on a VLAN netdev is on the port below that. */
static int follow_vlans(struct sriov_host *host, struct guest_view *view, struct sriov_error *err)
{
	_links_ struct host_links links = {0};

	for (size_t i = 0; i < view->now.ninterfaces; i++) {
		struct tune_interface *itf = &view->now.interface[i];
		const struct host_link *link;
		int r = 0;

		if (!*itf->source || inventory_find(view->inv, itf->source))
			continue;
		if (!links.n)
			r = host->ops->links(host, &links, err);
		if (r < 0)
			return r;
		link = links_find(&links, itf->source);
		if (link && !strcmp(link->kind, "vlan") && *link->lower)
			core_copy(itf->source, sizeof(itf->source), link->lower);
	}
	return 0;
}

/* Its first VF decides, else the port below its first macvtap; the interrupts of all of them count. */
static int look_at_interfaces(struct sriov_host *host, struct guest_view *view,
			      struct sriov_error *err)
{
	const struct sriov_pf *first = NULL;
	bool known = false;
	int r = follow_vlans(host, view, err);

	if (r < 0)
		return r;

	for (int macvtap = 0; macvtap < 2; macvtap++) {
		for (size_t i = 0; i < view->now.ninterfaces; i++) {
			const struct tune_interface *itf = &view->now.interface[i];
			const struct sriov_pf *pf;
			char nic[96];

			if (macvtap == (*itf->address != 0))
				continue;
			pf = find_pf(view->inv, itf, nic);
			if (!pf)
				continue;
			known |= join_interrupts(view, pf);
			if (first || guest_pf_node(view->inv, pf) < 0)
				continue;
			first = pf;
			memcpy(view->nic, nic, sizeof(nic));
			view->facts.nic_node = guest_pf_node(view->inv, pf);
		}
	}
	/* a bridge does not say which port it leads to: any may be it */
	for (size_t i = 0; i < view->inv->npfs && !known; i++)
		join_interrupts(view, &view->inv->pf[i]);
	return 0;
}

static int choose_node(struct sriov_host *host, struct guest_view *view,
		       const struct sriov_tune_request *request, bool any_node,
		       struct sriov_error *err)
{
	int said = -1, r;

	view->facts.nic_node = -1;
	r = look_at_interfaces(host, view, err);
	if (r < 0)
		return r;
	if (request->node >= 0) {
		view->facts.nic_node = request->node;
		snprintf(view->nic, sizeof(view->nic), "--node %d", request->node);
		snprintf(view->reason, sizeof(view->reason), "node %d: as asked for",
			 request->node);
		return 0;
	}
	if (view->facts.nic_node >= 0) {
		snprintf(view->reason, sizeof(view->reason), "node %d: %s is there",
			 view->facts.nic_node, view->nic);
		return 0;
	}
	r = guest_xml_node(view->xml, view->inv->node, view->inv->nnodes, &said, err);
	if (r < 0)
		return r;
	view->facts.nic_node = said;
	snprintf(view->nic, sizeof(view->nic), "the guest");
	snprintf(view->reason, sizeof(view->reason), "node %d: the domain says so", said);
	if (said >= 0 || any_node)
		return 0;
	sriov_error_set(err, -ENODEV, view->now.object,
			"none of its interfaces is on a NIC whose node is known, and it is not "
			"bound to a node itself");
	return sriov_error_hint(err, "name the node: --node N (`sriovctl host show` lists them)");
}

/* ---- the other guests ---- */

/* A pin to a whole node, or to more, is no claim to a CPU. */
static void claim(const struct topology *topology, const struct cpuset *pin, struct cpuset *claims)
{
	for (size_t i = 0; i < topology->nnodes; i++)
		if (cpuset_within(&topology->node[i].cpus, pin) &&
		    !cpuset_is_empty(&topology->node[i].cpus))
			return;
	cpuset_join(claims, pin);
}

static int look_at_others(struct sriov_host *host, struct guest_view *view, struct sriov_error *err)
{
	_virt_domains_ struct virt_domains all = {0};
	int r = host->virt->list(host, true, &all, err);

	for (size_t i = 0; !r && i < all.n; i++) {
		_tune_domain_ struct tune_domain other = {0};
		const struct virt_domain *domain = &all.at[i];
		const char *xml = domain->live ? domain->live : domain->config;

		if (!strcmp(domain->uuid, view->domain.uuid))
			continue;
		/* another's broken XML must not keep this guest from being tuned */
		if (!xml || tune_domain_read(xml, &other, NULL) < 0) {
			view->unread++;
			continue;
		}
		for (unsigned v = 0; v < other.vcpus; v++)
			claim(&view->topology, &other.pin[v], &view->facts.vcpus);
		claim(&view->topology, &other.emulator, &view->facts.emulators);
	}
	return r;
}

static int read_host(struct sriov_host *host, struct guest_view *view, struct sriov_error *err)
{
	int r = host_read(host, NULL,
			  SRIOV_READ_NODES | SRIOV_READ_VFS | SRIOV_READ_ATTRS | SRIOV_READ_CPUS,
			  &view->inv, err);

	if (r < 0)
		return r;
	/* a snapshot without cores is one of CPUs; a host whose cores cannot be read is not placed on */
	if (host->ops == &host_live_ops && view->inv->nnodes && !view->inv->node[0].ncores) {
		r = cores_available(err);
		if (r < 0)
			return r;
	}
	return topology_build(view->inv->node, view->inv->nnodes, &view->topology, err);
}

int guest_view_read(struct sriov_host *host, const struct sriov_tune_request *request,
		    bool any_node, struct guest_view *out, struct sriov_error *err)
{
	int r = host->virt->find(host, request->guest, &out->domain, err);

	if (!r)
		r = choose_where(out, request, err);
	if (!r)
		r = read_host(host, out, err);
	if (!r)
		r = read_lists(out, request, err);
	if (!r)
		r = choose_node(host, out, request, any_node, err);
	if (!r)
		r = look_at_others(host, out, err);
	out->facts.topology = &out->topology;
	out->facts.node = out->inv ? out->inv->node : NULL;
	out->facts.nnodes = out->inv ? out->inv->nnodes : 0;
	out->facts.domain = &out->now;
	out->facts.nic = out->nic;
	out->facts.running = out->domain.live;
	return r;
}
