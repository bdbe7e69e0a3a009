/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OVS of a simulated host, from and to the member "ovs" of its file; without it the host has no OVS.
 *
 *   "ovs": {"version": "3.1.0", "dpdk_version": "DPDK 22.11.11",
 *           "dpdk": true, "dpdk_init": true, "dpdk_initialized": true,    (a build with DPDK; enabled; started)
 *           "pmd_cpu_mask": "0x2", "socket_mem": "1024", "per_port_memory": false,
 *           "stopped": false,                     ovs-vswitchd does not run: changes are not taken note of
 *           "cannot_make": {"vhu-web1": "words"}  ports that OVS cannot make, and what it says
 *           "bridges": [{"name": "br-data", "datapath": "netdev", "fail_mode": "secure", "ours": true,
 *                        "owner": "",             of another: how that is known
 *                        "ports": [{"name": "vhu-web1", "type": "dpdkvhostuserclient", "socket": "/run/…",
 *                                   "ofport": 2, "error": "", "status": "disconnected", "link_up": false,
 *                                   "mtu": 0, "mtu_request": 0, "queues": 0, "node": -1, …}],
 *                        "flows": ["add cookie=…"], "meters": [{"id": 65540, "kbps": 100000, "burst": 10000}]}]}
 *
 * A vhost-user port is connected while a running domain's XML has its socket, on the node that the domain is bound to;
 * each queue is polled by a core of pmd_cpu_mask, of that node if there is one.
 */
#include "lib/host/fields.h"
#include "lib/vswitch/sim.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#define LIST_MAX 4096
#define FLOWS_MAX (1 << 20)

static const struct field ovs_fields[] = {
	FIELD_AS(struct sim_ovs, is.version, "version", FIELD_TEXT),
	FIELD_AS(struct sim_ovs, is.dpdk_version, "dpdk_version", FIELD_TEXT),
	FIELD_AS(struct sim_ovs, is.dpdk, "dpdk", FIELD_BOOL),
	FIELD_AS(struct sim_ovs, is.dpdk_init, "dpdk_init", FIELD_BOOL),
	FIELD_AS(struct sim_ovs, is.dpdk_initialized, "dpdk_initialized", FIELD_BOOL),
	FIELD_AS(struct sim_ovs, is.pmd_cpu_mask, "pmd_cpu_mask", FIELD_TEXT),
	FIELD_AS(struct sim_ovs, is.socket_mem, "socket_mem", FIELD_TEXT),
	FIELD_AS(struct sim_ovs, is.per_port_memory, "per_port_memory", FIELD_BOOL),
	FIELD_AS(struct sim_ovs, stopped, "stopped", FIELD_BOOL),
	{.key = "cannot_make", .kind = FIELD_CHILD},
	{.key = "bridges", .kind = FIELD_CHILD},
	FIELD_END,
};

static const struct field bridge_fields[] = {
	FIELD(struct sriov_vswitch_bridge, name, FIELD_NAME, .required = true),
	FIELD(struct sriov_vswitch_bridge, datapath, FIELD_TEXT),
	FIELD(struct sriov_vswitch_bridge, fail_mode, FIELD_TEXT),
	FIELD(struct sriov_vswitch_bridge, ours, FIELD_BOOL),
	FIELD(struct sriov_vswitch_bridge, owner, FIELD_TEXT),
	{.key = "ports", .kind = FIELD_CHILD},
	{.key = "flows", .kind = FIELD_CHILD},
	{.key = "meters", .kind = FIELD_CHILD},
	FIELD_END,
};

static const struct field port_fields[] = {
	FIELD(struct sriov_vswitch_port, name, FIELD_TEXT, .required = true),
	FIELD(struct sriov_vswitch_port, type, FIELD_TEXT),
	FIELD(struct sriov_vswitch_port, socket, FIELD_TEXT),
	FIELD(struct sriov_vswitch_port, devargs, FIELD_TEXT),
	FIELD(struct sriov_vswitch_port, ofport, FIELD_INT, .min = -1, .max = UINT16_MAX),
	FIELD(struct sriov_vswitch_port, error, FIELD_TEXT),
	FIELD(struct sriov_vswitch_port, status, FIELD_TEXT),
	FIELD(struct sriov_vswitch_port, link_up, FIELD_BOOL),
	FIELD(struct sriov_vswitch_port, mtu, FIELD_INT, .max = UINT16_MAX),
	FIELD(struct sriov_vswitch_port, mtu_request, FIELD_INT, .max = UINT16_MAX),
	FIELD(struct sriov_vswitch_port, queues, FIELD_INT, .max = 1024),
	FIELD(struct sriov_vswitch_port, node, FIELD_INT, .min = -1, .max = INT16_MAX),
	FIELD(struct sriov_vswitch_port, affinity, FIELD_TEXT),
	FIELD(struct sriov_vswitch_port, guest, FIELD_TEXT),
	FIELD(struct sriov_vswitch_port, uuid, FIELD_TEXT),
	FIELD(struct sriov_vswitch_port, iface_id, FIELD_TEXT),
	FIELD(struct sriov_vswitch_port, mac, FIELD_MAC),
	FIELD(struct sriov_vswitch_port, ours, FIELD_BOOL),
	FIELD_END,
};

static const struct field meter_fields[] = {
	FIELD(struct openflow_meter, id, FIELD_INT, .required = true, .max = UINT32_MAX),
	FIELD(struct openflow_meter, kbps, FIELD_INT, .max = UINT32_MAX),
	FIELD(struct openflow_meter, burst, FIELD_INT, .max = UINT32_MAX),
	FIELD_END,
};

void sim_ovs_policy_clear(struct sim_ovs_policy *policy)
{
	for (size_t i = 0; i < policy->nflows; i++)
		free(policy->flow[i]);
	free(policy->flow);
	free(policy->meter);
	*policy = (struct sim_ovs_policy){0};
}

void sim_ovs_free(struct sim_ovs *ovs)
{
	if (!ovs)
		return;
	for (size_t i = 0; i < ovs->is.nbridges; i++) {
		sim_ovs_policy_clear(&ovs->policy[i]);
		free(ovs->is.bridge[i].port);
	}
	free(ovs->is.bridge);
	free(ovs->policy);
	json_decref(ovs->cannot_make);
	free(ovs);
}

static int ports_decode(struct reader *r, const json_t *json, const char *parent,
			struct sriov_vswitch_bridge *bridge)
{
	const json_t *array = reader_array(r, json, parent, "ports", LIST_MAX), *element;
	char path[READER_PATH];
	size_t i;

	json_array_foreach(array, i, element) {
		struct sriov_vswitch_port *port = core_grow(&bridge->port, &bridge->nports,
							    sizeof(*port));

		if (!port)
			return r->code = core_oom(r->err);
		port->node = -1;
		fields_decode(r, element, reader_path(path, parent, "ports", i), port_fields, port,
			      NULL);
	}
	return r->code;
}

static int policy_decode(struct reader *r, const json_t *json, const char *parent,
			 struct sim_ovs_policy *policy)
{
	const json_t *flows = reader_array(r, json, parent, "flows", FLOWS_MAX), *element;
	const json_t *meters = reader_array(r, json, parent, "meters", LIST_MAX);
	char path[READER_PATH];
	size_t i;

	json_array_foreach(flows, i, element) {
		const char *text = json_string_value(element);
		char **flow;

		if (!text)
			return reader_fail(r, -EINVAL, reader_path(path, parent, "flows", i), NULL,
					   "is not a text");
		flow = core_grow(&policy->flow, &policy->nflows, sizeof(*flow));
		if (flow)
			*flow = strdup(text);
		if (!flow || !*flow)
			return r->code = core_oom(r->err);
	}
	json_array_foreach(meters, i, element) {
		struct openflow_meter *meter = core_grow(&policy->meter, &policy->nmeters,
							 sizeof(*meter));

		if (!meter)
			return r->code = core_oom(r->err);
		fields_decode(r, element, reader_path(path, parent, "meters", i), meter_fields,
			      meter, NULL);
	}
	return r->code;
}

static int bridges_decode(struct reader *r, const json_t *json, struct sim_ovs *ovs)
{
	const json_t *array = reader_array(r, json, "ovs", "bridges", LIST_MAX), *element;
	char path[READER_PATH];
	size_t i;

	ovs->policy = calloc(json_array_size(array) + 1, sizeof(*ovs->policy));
	if (!ovs->policy)
		return r->code = core_oom(r->err);
	json_array_foreach(array, i, element) {
		struct sriov_vswitch_bridge *bridge = core_grow(&ovs->is.bridge, &ovs->is.nbridges,
								sizeof(*bridge));

		if (!bridge)
			return r->code = core_oom(r->err);
		reader_path(path, "ovs", "bridges", i);
		if (fields_decode(r, element, path, bridge_fields, bridge, NULL) < 0 ||
		    ports_decode(r, element, path, bridge) < 0 ||
		    policy_decode(r, element, path, &ovs->policy[i]) < 0)
			return r->code;
	}
	return r->code;
}

static void ovs_freep(struct sim_ovs **ovs)
{
	sim_ovs_free(*ovs);
}

int sim_ovs_decode(const json_t *json, struct sim_ovs **out, struct sriov_error *err)
{
	_cleanup_(ovs_freep)
	struct sim_ovs *ovs = calloc(1, sizeof(*ovs));
	struct reader r = {.subject = "snapshot", .err = err};

	if (!ovs)
		return core_oom(err);
	if (fields_decode(&r, json, "ovs", ovs_fields, ovs, NULL) < 0 ||
	    bridges_decode(&r, json, ovs) < 0)
		return r.code;
	ovs->cannot_make = json_incref(json_object_get(json, "cannot_make"));
	*out = core_steal(ovs);
	return 0;
}

static json_t *bridge_encode(const struct sriov_vswitch_bridge *bridge,
			     const struct sim_ovs_policy *policy)
{
	_json_ json_t *json = fields_encode(bridge_fields, bridge, 0);
	json_t *ports = json_array(), *flows = json_array(), *meters = json_array();
	bool ok = json_put(json, "ports", ports);

	/* every json_put() runs: it takes the array over, also when it fails */
	ok = json_put(json, "flows", flows) && ok;
	ok = json_put(json, "meters", meters) && ok;
	for (size_t i = 0; ok && i < bridge->nports; i++)
		ok = json_add(ports, fields_encode(port_fields, &bridge->port[i], 0));
	for (size_t i = 0; ok && i < policy->nflows; i++)
		ok = json_add(flows, json_string(policy->flow[i]));
	for (size_t i = 0; ok && i < policy->nmeters; i++)
		ok = json_add(meters, fields_encode(meter_fields, &policy->meter[i], 0));
	return ok ? core_steal(json) : NULL;
}

json_t *sim_ovs_encode(const struct sim_ovs *ovs)
{
	_json_ json_t *json = fields_encode(ovs_fields, ovs, 0);
	json_t *bridges = json_array();

	if (!json_put(json, "bridges", bridges))
		return NULL;
	if (ovs->cannot_make && json_object_set(json, "cannot_make", ovs->cannot_make))
		return NULL;
	for (size_t i = 0; i < ovs->is.nbridges; i++) {
		if (!json_add(bridges, bridge_encode(&ovs->is.bridge[i], &ovs->policy[i])))
			return NULL;
	}
	return core_steal(json);
}
