/* SPDX-License-Identifier: Apache-2.0 */
/* What the simulated OVS shows. */
#include "lib/guest/guest.h"
#include "lib/vswitch/sim.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void sim_freep(struct sim **sim)
{
	sim_free(*sim);
}

static void ovs_freep(struct sim_ovs **ovs)
{
	sim_ovs_free(*ovs);
}
#define _sim_ _cleanup_(sim_freep)
#define _sim_ovs_ _cleanup_(ovs_freep)

/* The OVS of the host's file, or what the live one says where there is none. */
int sim_ovs_load(const struct sim *sim, struct sim_ovs **out, struct sriov_error *err)
{
	if (sim->ovs)
		return sim_ovs_decode(sim->ovs, out, err);
	core_errno(err, -ENOENT, "OVSDB /run/openvswitch/db.sock", "there is no such socket");
	return sriov_error_hint(err,
				"the simulated host has no Open vSwitch: its file has no \"ovs\"");
}

/* The running domain that has the socket, and the node it is bound to. */
static bool peer(const struct sim *sim, const char *path, int *node)
{
	_free_ char *single = core_printf("'%s'", path);
	_free_ char *twice = core_printf("\"%s\"", path);

	for (size_t i = 0; single && twice && *path && i < sim->ndomains; i++) {
		const struct sim_domain *domain = &sim->domain[i];
		struct sriov_error ignored;

		if (domain->state != SIM_RUNNING || !domain->live ||
		    (!strstr(domain->live, single) && !strstr(domain->live, twice)))
			continue;
		if (guest_xml_node(domain->live, sim->inv->node, sim->inv->nnodes, node, &ignored) <
			    0 ||
		    *node < 0)
			*node = 0;
		return true;
	}
	return false;
}

static void show_ports(const struct sim *sim, struct sim_ovs *ovs)
{
	for (size_t b = 0; b < ovs->is.nbridges; b++) {
		struct sriov_vswitch_bridge *bridge = &ovs->is.bridge[b];

		for (size_t i = 0; i < bridge->nports; i++) {
			struct sriov_vswitch_port *port = &bridge->port[i];

			if (!port->socket[0] || vswitch_failed(port) ||
			    !peer(sim, port->socket, &port->node))
				continue;
			core_copy(port->status, sizeof(port->status), "connected");
			port->link_up = true;
			port->mtu = port->mtu_request ? port->mtu_request : SIM_OVS_MTU;
			port->queues = port->queues ? port->queues : 1;
		}
	}
}

/* A core of the mask on @node, or (@node -1, or none there) any; -1 = the mask is empty. */
static int core_for(const struct sriov_vswitch *is, const struct sriov_inventory *inv, int node,
		    int *its_node)
{
	int any = -1;

	struct cpuset mask;

	if (vswitch_mask_parse(is->pmd_cpu_mask, &mask) < 0)
		return -1;
	for (size_t n = 0; n < inv->nnodes; n++) {
		struct cpuset cpus = {0};

		if (cpuset_parse(inv->node[n].cpus, &cpus) < 0)
			continue;
		for (int cpu = cpuset_next(&cpus, 0); cpu >= 0; cpu = cpuset_next(&cpus, cpu + 1)) {
			if (!cpuset_has(&mask, cpu))
				continue;
			if (inv->node[n].id == node || any < 0) {
				any = cpu;
				*its_node = inv->node[n].id;
			}
			if (inv->node[n].id == node)
				return cpu;
		}
	}
	return any;
}

static int show_queues(const struct sim *sim, struct sim_ovs *ovs)
{
	for (size_t b = 0; b < ovs->is.nbridges; b++) {
		const struct sriov_vswitch_bridge *bridge = &ovs->is.bridge[b];

		for (size_t i = 0; i < bridge->nports; i++) {
			const struct sriov_vswitch_port *port = &bridge->port[i];

			if (port->ofport <= 0 || strncmp(port->type, "dpdk", 4) != 0)
				continue;
			for (unsigned q = 0; q < (port->queues ? port->queues : 1); q++) {
				struct sriov_vswitch_rxq *rxq =
					core_grow(&ovs->is.rxq, &ovs->is.nrxqs, sizeof(*rxq));

				if (!rxq)
					return -ENOMEM;
				core_copy(rxq->port, sizeof(rxq->port), port->name);
				rxq->queue = q;
				rxq->enabled = true;
				rxq->node = -1;
				rxq->core = core_for(&ovs->is, sim->inv, port->node, &rxq->node);
			}
		}
	}
	return 0;
}

int sim_ovs_read(struct sriov_host *host, bool rxqs, struct sriov_vswitch **out,
		 struct sriov_error *err)
{
	struct sriov_vswitch *vswitch;
	_sim_ovs_ struct sim_ovs *ovs = NULL;
	_sim_ struct sim *sim = NULL;
	int r = sim_load(host, &sim, err);

	if (!r)
		r = sim_ovs_load(sim, &ovs, err);
	if (r < 0)
		return r;
	show_ports(sim, ovs);
	core_copy(ovs->is.rundir, sizeof(ovs->is.rundir), "/run/openvswitch");
	if (rxqs && ovs->stopped)
		core_copy(ovs->is.rxq_why, sizeof(ovs->is.rxq_why),
			  "ovs-vswitchd: it has no control socket in /run/openvswitch");
	else if (rxqs && show_queues(sim, ovs) < 0)
		return core_oom(err);
	vswitch = malloc(sizeof(*vswitch));
	if (!vswitch)
		return core_oom(err);
	/* bridges and ports change hands */
	for (size_t i = 0; i < ovs->is.nbridges; i++)
		sim_ovs_policy_clear(&ovs->policy[i]);
	*vswitch = ovs->is;
	ovs->is = (struct sriov_vswitch){0};
	*out = vswitch;
	return 0;
}

int sim_ovs_policy(struct sriov_host *host, const char *bridge, struct vswitch_policy *out,
		   struct sriov_error *err)
{
	_vswitch_policy_ struct vswitch_policy found = {0};
	_sim_ovs_ struct sim_ovs *ovs = NULL;
	const struct sim_ovs_policy *policy;
	_sim_ struct sim *sim = NULL;
	struct sriov_vswitch_bridge *its;
	int r = sim_load(host, &sim, err);

	if (!r)
		r = sim_ovs_load(sim, &ovs, err);
	if (r < 0)
		return r;
	its = vswitch_bridge(&ovs->is, bridge);
	if (!its)
		return vswitch_no_answer(bridge, err);
	policy = &ovs->policy[its - ovs->is.bridge];
	for (size_t i = 0; i < policy->nflows; i++) {
		struct vswitch_flow *flow = core_grow(&found.flow, &found.nflows, sizeof(*flow));

		if (!flow)
			return core_oom(err);
		sscanf(policy->flow[i], "add cookie=%" SCNx64 ",table=%u", &flow->cookie,
		       &flow->table);
	}
	for (size_t i = 0; i < policy->nmeters; i++) {
		struct openflow_meter *meter = core_grow(&found.meter, &found.nmeters,
							 sizeof(*meter));

		if (!meter)
			return core_oom(err);
		*meter = policy->meter[i];
	}
	*out = found;
	found = (struct vswitch_policy){0};
	return 0;
}
