/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated OVS: it answers as OVS 3.1 with DPDK does, and refuses in the same words. */
#include "lib/vswitch/sim.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* An effect as called; which members count depends on its sim_op. */
struct sim_ovs_call {
	const char *bridge, *port;
	const struct vswitch_port_request *want;
	const struct vswitch_port_change *change;
	const struct openflow *flows;
	const struct openflow_meter *meter;
	uint32_t id;
	unsigned timeout_ms; /* what an OVS that does not run takes of the simulated time */
};

static void ovs_freep(struct sim_ovs **ovs)
{
	sim_ovs_free(*ovs);
}
#define _sim_ovs_ _cleanup_(ovs_freep)

static int silent(struct sriov_error *err)
{
	sriov_error_set(err, -ETIMEDOUT, "OVS",
			"ovs-vswitchd did not take note of the change in time");
	return sriov_error_hint(err, "see whether it runs: systemctl status ovs-vswitchd");
}

static int no_port(const char *name, struct sriov_error *err)
{
	return sriov_error_set(err, -ENODEV, name, "OVS has no such port");
}

static int next_ofport(const struct sriov_vswitch_bridge *bridge)
{
	int number = 1;

	for (size_t i = 0; i < bridge->nports; i++) {
		if (bridge->port[i].ofport == number) {
			number++;
			i = SIZE_MAX;
		}
	}
	return number;
}

static int port_add(struct sim_ovs *ovs, const struct sim_ovs_call *call, struct sriov_error *err)
{
	const struct vswitch_port_request *want = call->want;
	struct sriov_vswitch_bridge *bridge = vswitch_bridge(&ovs->is, want->bridge);
	const char *words = json_string_value(json_object_get(ovs->cannot_make, want->name));
	bool guest = want->type == VSWITCH_VHOSTUSER;
	struct sriov_vswitch_port *port;

	if (vswitch_port(&ovs->is, NULL, want->name))
		return sriov_error_set(err, -EEXIST, want->name, "OVS has a port of that name");
	if (!bridge || strcmp(bridge->datapath, "netdev") != 0)
		return sriov_error_set(err, -ENODEV, want->name,
				       "there is no bridge %s with datapath_type netdev",
				       want->bridge);
	if (words) {
		struct sriov_vswitch_port failed = {.ofport = -1};

		core_copy(failed.name, sizeof(failed.name), want->name);
		core_copy(failed.error, sizeof(failed.error), words);
		return vswitch_port_error(&failed, -EIO, vswitch_unready(&failed, VSWITCH_MADE),
					  err);
	}
	port = core_grow(&bridge->port, &bridge->nports, sizeof(*port));
	if (!port)
		return core_oom(err);
	core_copy(port->name, sizeof(port->name), want->name);
	core_copy(port->type, sizeof(port->type), guest ? "dpdkvhostuserclient" : "dpdk");
	core_copy(port->affinity, sizeof(port->affinity), want->affinity);
	port->mtu_request = want->mtu;
	port->node = -1;
	port->ofport = next_ofport(bridge);
	if (guest) {
		core_copy(port->socket, sizeof(port->socket), want->socket);
		core_copy(port->status, sizeof(port->status), "disconnected");
	} else {
		core_copy(port->devargs, sizeof(port->devargs), want->devargs);
		port->queues = want->queues ? want->queues : 1;
		port->mtu = want->mtu ? want->mtu : SIM_OVS_MTU;
		port->link_up = true;
		port->node = 0;
	}
	if (want->guest) {
		core_copy(port->guest, sizeof(port->guest), want->guest);
		core_copy(port->uuid, sizeof(port->uuid), want->uuid);
		core_copy(port->iface_id, sizeof(port->iface_id), want->iface_id);
		memcpy(port->mac, want->mac, sizeof(port->mac));
		port->ours = true;
	}
	return 0;
}

static int port_del(struct sim_ovs *ovs, const struct sim_ovs_call *call, struct sriov_error *err)
{
	struct sriov_vswitch_port *port = vswitch_port(&ovs->is, call->bridge, call->port);
	struct sriov_vswitch_bridge *bridge = vswitch_bridge(&ovs->is, call->bridge);

	if (!port)
		return no_port(call->port, err);
	bridge->nports--;
	memmove(port, port + 1, (bridge->port + bridge->nports - port) * sizeof(*port));
	return 0;
}

static int port_set(struct sim_ovs *ovs, const struct sim_ovs_call *call, struct sriov_error *err)
{
	struct sriov_vswitch_port *port = vswitch_port(&ovs->is, NULL, call->port);

	if (!port)
		return no_port(call->port, err);
	if (call->change->has_mtu)
		port->mtu_request = call->change->mtu;
	if (call->change->has_mtu && port->mtu)
		port->mtu = call->change->mtu;
	if (call->change->has_affinity)
		core_copy(port->affinity, sizeof(port->affinity), call->change->affinity);
	return 0;
}

static int bridge_add(struct sim_ovs *ovs, const struct sim_ovs_call *call, struct sriov_error *err)
{
	struct sriov_vswitch_bridge *bridge;
	struct sim_ovs_policy *policies;
	struct sriov_vswitch_port *own;

	if (vswitch_bridge(&ovs->is, call->bridge) || vswitch_port(&ovs->is, NULL, call->bridge))
		return sriov_error_set(err, -EEXIST, call->bridge,
				       "OVS has a bridge or port of that name");
	policies = reallocarray(ovs->policy, ovs->is.nbridges + 1, sizeof(*policies));
	if (!policies)
		return core_oom(err);
	ovs->policy = policies;
	policies[ovs->is.nbridges] = (struct sim_ovs_policy){0};
	bridge = core_grow(&ovs->is.bridge, &ovs->is.nbridges, sizeof(*bridge));
	if (!bridge)
		return core_oom(err);
	core_copy(bridge->name, sizeof(bridge->name), call->bridge);
	core_copy(bridge->datapath, sizeof(bridge->datapath), "netdev");
	core_copy(bridge->fail_mode, sizeof(bridge->fail_mode), "secure");
	bridge->ours = true;
	own = core_grow(&bridge->port, &bridge->nports, sizeof(*own));
	if (!own)
		return core_oom(err);
	core_copy(own->name, sizeof(own->name), call->bridge);
	core_copy(own->type, sizeof(own->type), "internal");
	own->ofport = OPENFLOW_LOCAL;
	own->mtu = SIM_OVS_MTU;
	own->node = -1;
	return 0;
}

static int bridge_del(struct sim_ovs *ovs, const struct sim_ovs_call *call, struct sriov_error *err)
{
	struct sriov_vswitch_bridge *bridge = vswitch_bridge(&ovs->is, call->bridge);
	size_t i, after;

	if (!bridge)
		return sriov_error_set(err, -ENODEV, call->bridge, "OVS has no such bridge");
	i = bridge - ovs->is.bridge;
	free(bridge->port);
	sim_ovs_policy_clear(&ovs->policy[i]);
	after = --ovs->is.nbridges - i;
	memmove(bridge, bridge + 1, after * sizeof(*bridge));
	memmove(&ovs->policy[i], &ovs->policy[i + 1], after * sizeof(*ovs->policy));
	return 0;
}

static int flows_set(struct sim_ovs_policy *policy, const struct sim_ovs_call *call,
		     struct sriov_error *err)
{
	const char *line = call->flows->text;

	for (size_t i = 0; i < policy->nflows; i++)
		free(policy->flow[i]);
	policy->nflows = 0;
	/* behind the line that deletes ours */
	for (line += strcspn(line, "\n") + 1; *line; line += strcspn(line, "\n") + 1) {
		char **flow = core_grow(&policy->flow, &policy->nflows, sizeof(*flow));

		if (flow)
			*flow = strndup(line, strcspn(line, "\n"));
		if (!flow || !*flow)
			return core_oom(err);
	}
	return 0;
}

static struct openflow_meter *find_meter(const struct sim_ovs_policy *policy, uint32_t id)
{
	for (size_t i = 0; i < policy->nmeters; i++) {
		if (policy->meter[i].id == id)
			return &policy->meter[i];
	}
	return NULL;
}

static int meter_set(struct sim_ovs_policy *policy, const struct sim_ovs_call *call,
		     struct sriov_error *err)
{
	struct openflow_meter *meter = find_meter(policy, call->meter->id);

	if (!meter)
		meter = core_grow(&policy->meter, &policy->nmeters, sizeof(*meter));
	if (!meter)
		return core_oom(err);
	*meter = *call->meter;
	return 0;
}

/* As with OVS, no meter of that id is nothing to do. */
static void meter_del(struct sim_ovs_policy *policy, uint32_t id)
{
	struct openflow_meter *meter = find_meter(policy, id);

	if (meter)
		*meter = policy->meter[--policy->nmeters];
}

static int change_policy(struct sim_ovs *ovs, enum sim_op op, const struct sim_ovs_call *call,
			 struct sriov_error *err)
{
	struct sriov_vswitch_bridge *bridge = vswitch_bridge(&ovs->is, call->bridge);
	struct sim_ovs_policy *policy;

	if (!bridge)
		return vswitch_no_answer(call->bridge, err);
	policy = &ovs->policy[bridge - ovs->is.bridge];
	if (op == SIM_OVS_FLOWS)
		return flows_set(policy, call, err);
	if (op == SIM_OVS_METER_SET)
		return meter_set(policy, call, err);
	meter_del(policy, call->id);
	return 0;
}

int sim_ovs_effect(struct sim *sim, struct sriov_pf *pf, const struct sim_call *call,
		   struct sriov_error *err)
{
	static int (*const effects[SIM_EFFECTS])(struct sim_ovs *, const struct sim_ovs_call *,
						 struct sriov_error *) = {
		[SIM_OVS_PORT_ADD] = port_add,     [SIM_OVS_PORT_DEL] = port_del,
		[SIM_OVS_PORT_SET] = port_set,     [SIM_OVS_BRIDGE_ADD] = bridge_add,
		[SIM_OVS_BRIDGE_DEL] = bridge_del,
	};
	_sim_ovs_ struct sim_ovs *ovs = NULL;
	int r = sim_ovs_load(sim, &ovs, err);
	json_t *json;

	if (r < 0)
		return r;
	if (ovs->stopped) {
		sim->clock_ms += call->ovs->timeout_ms;
		return silent(err);
	}
	r = effects[call->op] ? effects[call->op](ovs, call->ovs, err)
			      : change_policy(ovs, call->op, call->ovs, err);
	if (r < 0)
		return r;
	json = sim_ovs_encode(ovs);
	if (!json)
		return core_oom(err);
	json_decref(sim->ovs);
	sim->ovs = json;
	return 0;
}

static int effect(struct sriov_host *host, enum sim_op op, struct sim_ovs_call call,
		  struct sriov_error *err)
{
	return sim_run(host, &(struct sim_call){.op = op, .ovs = &call}, err);
}

/* The port as it is shown. */
static int look(struct sriov_host *host, const char *name, struct sriov_vswitch_port *out,
		struct sriov_error *err)
{
	struct sriov_vswitch *vswitch;
	struct sriov_vswitch_port *port;
	int r = sim_ovs_read(host, false, &vswitch, err);

	if (r < 0)
		return r;
	port = vswitch_port(vswitch, NULL, name);
	if (port)
		*out = *port;
	sriov_vswitch_free(vswitch);
	return port ? 0 : no_port(name, err);
}

static int do_port_add(struct sriov_host *host, const struct vswitch_port_request *want,
		       unsigned timeout_ms, struct sriov_vswitch_port *out, struct sriov_error *err)
{
	struct sriov_vswitch_port made;
	int r = effect(host, SIM_OVS_PORT_ADD,
		       (struct sim_ovs_call){.want = want, .timeout_ms = timeout_ms}, err);

	if (r < 0 || !out)
		return r;
	r = look(host, want->name, &made, err);
	if (!r)
		*out = made;
	return r;
}

static int do_port_del(struct sriov_host *host, const char *bridge, const char *port,
		       unsigned timeout_ms, struct sriov_error *err)
{
	return effect(
		host, SIM_OVS_PORT_DEL,
		(struct sim_ovs_call){.bridge = bridge, .port = port, .timeout_ms = timeout_ms},
		err);
}

static int do_port_set(struct sriov_host *host, const char *port,
		       const struct vswitch_port_change *change, unsigned timeout_ms,
		       struct sriov_error *err)
{
	return effect(
		host, SIM_OVS_PORT_SET,
		(struct sim_ovs_call){.port = port, .change = change, .timeout_ms = timeout_ms},
		err);
}

/* Guests of the simulator are there at once or never. */
static int do_port_wait(struct sriov_host *host, const char *name, enum vswitch_ready ready,
			unsigned timeout_ms, struct sriov_vswitch_port *out,
			struct sriov_error *err)
{
	struct sriov_vswitch_port port;
	int r = look(host, name, &port, err);
	const char *why = r ? NULL : vswitch_unready(&port, ready);

	if (r < 0)
		return r;
	if (out)
		*out = port;
	if (!why)
		return 0;
	return vswitch_port_error(&port, vswitch_failed(&port) ? -EIO : -ETIMEDOUT, why, err);
}

static int do_bridge_add(struct sriov_host *host, const char *bridge, unsigned timeout_ms,
			 struct sriov_error *err)
{
	return effect(host, SIM_OVS_BRIDGE_ADD,
		      (struct sim_ovs_call){.bridge = bridge, .timeout_ms = timeout_ms}, err);
}

static int do_bridge_del(struct sriov_host *host, const char *bridge, unsigned timeout_ms,
			 struct sriov_error *err)
{
	return effect(host, SIM_OVS_BRIDGE_DEL,
		      (struct sim_ovs_call){.bridge = bridge, .timeout_ms = timeout_ms}, err);
}

static int do_flows(struct sriov_host *host, const char *bridge, const struct openflow *flows,
		    struct sriov_error *err)
{
	return effect(host, SIM_OVS_FLOWS, (struct sim_ovs_call){.bridge = bridge, .flows = flows},
		      err);
}

static int do_meter_set(struct sriov_host *host, const char *bridge,
			const struct openflow_meter *meter, struct sriov_error *err)
{
	return effect(host, SIM_OVS_METER_SET,
		      (struct sim_ovs_call){.bridge = bridge, .meter = meter}, err);
}

static int do_meter_del(struct sriov_host *host, const char *bridge, uint32_t id,
			struct sriov_error *err)
{
	return effect(host, SIM_OVS_METER_DEL, (struct sim_ovs_call){.bridge = bridge, .id = id},
		      err);
}

const struct vswitch_ops vswitch_sim_ops = {
	.name = "simulated",
	.read = sim_ovs_read,
	.port_add = do_port_add,
	.port_del = do_port_del,
	.port_set = do_port_set,
	.port_wait = do_port_wait,
	.bridge_add = do_bridge_add,
	.bridge_del = do_bridge_del,
	.policy = sim_ovs_policy,
	.flows = do_flows,
	.meter_set = do_meter_set,
	.meter_del = do_meter_del,
};
