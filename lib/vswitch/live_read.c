/* SPDX-License-Identifier: Apache-2.0 */
/* The live OVS as facts: rows of its database. */
#include "lib/vswitch/live.h"

#include <stdio.h>
#include <string.h>

enum question { OVS, BRIDGES, PORTS, INTERFACES, CONTROLLERS, QUESTIONS };

const char *const ovs_interface_columns[] = {
	"_uuid",      "name", "type",        "options",      "ofport",       "error", "status",
	"link_state", "mtu",  "mtu_request", "external_ids", "other_config", NULL};

json_t *ovs_questions(void)
{
	static const char *const ovs[] = {"ovs_version",  "dpdk_version", "dpdk_initialized",
					  "other_config", "external_ids", NULL};
	static const char *const bridge[] = {
		"name", "datapath_type", "fail_mode", "external_ids", "controller", "ports", NULL};
	static const char *const port[] = {"_uuid", "interfaces", NULL};
	static const char *const controller[] = {"_uuid", "target", NULL};

	return json_pack("[ooooo]", ovsdb_select("Open_vSwitch", ovsdb_all(), ovs),
			 ovsdb_select("Bridge", ovsdb_all(), bridge),
			 ovsdb_select("Port", ovsdb_all(), port),
			 ovsdb_select("Interface", ovsdb_all(), ovs_interface_columns),
			 ovsdb_select("Controller", ovsdb_all(), controller));
}

static unsigned number_of(const char *text)
{
	uint64_t value;

	return text && !core_number(text, 0, UINT16_MAX, &value) ? value : 0;
}

static int node_of(const json_t *interface)
{
	/* of vhost-user, and of devices of DPDK's */
	const char *text = ovsdb_value(interface, "status", "numa");
	uint64_t node;

	if (!text)
		text = ovsdb_value(interface, "status", "numa_id");
	return text && !core_number(text, 0, INT16_MAX, &node) ? (int)node : -1;
}

void ovs_port(const json_t *interface, struct sriov_vswitch_port *out)
{
	const struct {
		char *at;
		size_t size;
		const char *map, *key;
	} values[] = {
		{out->socket, sizeof(out->socket), "options", "vhost-server-path"},
		{out->devargs, sizeof(out->devargs), "options", "dpdk-devargs"},
		{out->status, sizeof(out->status), "status", "status"},
		{out->affinity, sizeof(out->affinity), "other_config", "pmd-rxq-affinity"},
		{out->guest, sizeof(out->guest), "external_ids", "sriovctl-guest"},
		{out->uuid, sizeof(out->uuid), "external_ids", "vm-uuid"},
		{out->iface_id, sizeof(out->iface_id), "external_ids", "iface-id"},
	};
	const char *mac = ovsdb_value(interface, "external_ids", "attached-mac");

	*out = (struct sriov_vswitch_port){.node = node_of(interface)};
	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		core_copy(values[i].at, values[i].size,
			  ovsdb_value(interface, values[i].map, values[i].key));
	core_copy(out->name, sizeof(out->name), ovsdb_text(interface, "name"));
	core_copy(out->type, sizeof(out->type), ovsdb_text(interface, "type"));
	core_copy(out->error, sizeof(out->error), ovsdb_text(interface, "error"));
	out->ofport = ovsdb_int(interface, "ofport", 0);
	out->link_up = !strcmp(ovsdb_text(interface, "link_state"), "up");
	out->mtu = ovsdb_int(interface, "mtu", 0);
	out->mtu_request = ovsdb_int(interface, "mtu_request", 0);
	/* a queue pair has two vrings */
	out->queues = number_of(ovsdb_value(interface, "status", "num_of_vrings")) / 2;
	out->ours = ovsdb_value(interface, "external_ids", "sriovctl-guest");
	if (!mac || sriov_mac_parse(mac, out->mac) < 0)
		memset(out->mac, 0, sizeof(out->mac));
}

/* Rows by their UUID, as {UUID: row}; NULL: no memory. */
static json_t *index_rows(const json_t *rows)
{
	json_t *by = json_object();
	const json_t *row;
	size_t i;

	json_array_foreach(rows, i, row) {
		const char *uuid = ovsdb_member(row, "_uuid", 0);

		if (uuid && by && json_object_set(by, uuid, (json_t *)row))
			json_decref(core_steal(by));
	}
	return by;
}

static const json_t *row_of(const json_t *by, const char *uuid)
{
	return uuid ? json_object_get(by, uuid) : NULL;
}

/* Whether comma-separated "NET:BRIDGE" @mappings name @bridge. */
static bool maps(const char *mappings, const char *bridge)
{
	size_t len = strlen(bridge);

	for (const char *at = mappings; at; at = strchr(at, ',')) {
		at += *at == ',';
		at += strcspn(at, ":,");
		if (*at == ':' && !strncmp(at + 1, bridge, len) &&
		    (at[1 + len] == ',' || !at[1 + len]))
			return true;
	}
	return false;
}

/*
 * Whose flows the bridge has, if not ours or its administrator's: a controller's (Neutron's agent of OVS makes itself
 * one), or OVN's, which speaks to the bridge's own socket (ovn-controller(8): ovn-remote, ovn-bridge,
 * ovn-bridge-mappings).
 */
static void find_owner(const json_t *ovs, const json_t *row, const json_t *controllers,
		       struct sriov_vswitch_bridge *out)
{
	const char *uuid = ovsdb_member(row, "controller", 0);
	const json_t *controller = row_of(controllers, uuid);
	const char *ovn = ovsdb_value(ovs, "external_ids", "ovn-remote");
	const char *integration = ovsdb_value(ovs, "external_ids", "ovn-bridge");
	const char *mappings = ovsdb_value(ovs, "external_ids", "ovn-bridge-mappings");

	if (uuid)
		snprintf(out->owner, sizeof(out->owner), "it has an OpenFlow controller, %s",
			 controller ? ovsdb_text(controller, "target") : uuid);
	else if (ovn && !strcmp(out->name, integration ? integration : "br-int"))
		snprintf(out->owner, sizeof(out->owner), "it is OVN's (ovn-remote is %.100s)", ovn);
	else if (ovn && maps(mappings, out->name))
		snprintf(out->owner, sizeof(out->owner),
			 "it is OVN's (ovn-bridge-mappings has it: %.100s)", mappings);
}

static int read_bridge(const json_t *ovs, const json_t *row, const json_t *ports,
		       const json_t *interfaces, const json_t *controllers,
		       struct sriov_vswitch_bridge *out)
{
	const char *uuid;

	core_copy(out->name, sizeof(out->name), ovsdb_text(row, "name"));
	core_copy(out->datapath, sizeof(out->datapath), ovsdb_text(row, "datapath_type"));
	core_copy(out->fail_mode, sizeof(out->fail_mode), ovsdb_text(row, "fail_mode"));
	out->ours = ovsdb_value(row, "external_ids", "sriovctl");
	find_owner(ovs, row, controllers, out);
	for (size_t i = 0; (uuid = ovsdb_member(row, "ports", i)); i++) {
		const json_t *port = row_of(ports, uuid), *interface;

		for (size_t k = 0; (uuid = ovsdb_member(port, "interfaces", k)); k++) {
			struct sriov_vswitch_port *its = core_grow(&out->port, &out->nports,
								   sizeof(*its));

			if (!its)
				return -1;
			interface = row_of(interfaces, uuid);
			ovs_port(interface, its);
		}
	}
	return 0;
}

int ovs_answers(const json_t *results, struct sriov_vswitch *out, struct sriov_error *err)
{
	_json_ json_t *ports = index_rows(ovsdb_rows(results, PORTS));
	_json_ json_t *interfaces = index_rows(ovsdb_rows(results, INTERFACES));
	_json_ json_t *controllers = index_rows(ovsdb_rows(results, CONTROLLERS));
	const json_t *ovs = json_array_get(ovsdb_rows(results, OVS), 0), *row;
	const char *value;
	size_t i;

	if (!ports || !interfaces || !controllers)
		return core_oom(err);
	core_copy(out->version, sizeof(out->version), ovsdb_text(ovs, "ovs_version"));
	core_copy(out->dpdk_version, sizeof(out->dpdk_version), ovsdb_text(ovs, "dpdk_version"));
	core_copy(out->pmd_cpu_mask, sizeof(out->pmd_cpu_mask),
		  ovsdb_value(ovs, "other_config", "pmd-cpu-mask"));
	core_copy(out->socket_mem, sizeof(out->socket_mem),
		  ovsdb_value(ovs, "other_config", "dpdk-socket-mem"));
	/* a build without DPDK says "none", and one with it has its types of ports only when it is started */
	out->dpdk = out->dpdk_version[0] && strcmp(out->dpdk_version, "none") != 0;
	/* "try" starts without DPDK if it has to */
	value = ovsdb_value(ovs, "other_config", "dpdk-init");
	out->dpdk_init = value && (!strcasecmp(value, "true") || !strcasecmp(value, "try"));
	value = ovsdb_value(ovs, "other_config", "per-port-memory");
	out->per_port_memory = value && !strcasecmp(value, "true");
	out->dpdk_initialized = ovsdb_bool(ovs, "dpdk_initialized");
	json_array_foreach(ovsdb_rows(results, BRIDGES), i, row) {
		struct sriov_vswitch_bridge *bridge = core_grow(&out->bridge, &out->nbridges,
								sizeof(*bridge));

		if (!bridge || read_bridge(ovs, row, ports, interfaces, controllers, bridge) < 0)
			return core_oom(err);
	}
	return 0;
}

static void free_vswitch(struct sriov_vswitch **vswitch)
{
	sriov_vswitch_free(*vswitch);
}

int ovs_read(struct sriov_host *host, bool rxqs, struct sriov_vswitch **out,
	     struct sriov_error *err)
{
	int64_t deadline = core_monotonic_ms() + VSWITCH_TIMEOUT_MS;
	_cleanup_(free_vswitch)
	struct sriov_vswitch *vswitch = calloc(1, sizeof(*vswitch));
	_ovsdb_ struct ovsdb db = OVSDB_CLOSED;
	_json_ json_t *results = NULL;
	struct sriov_error why;
	int r;

	if (!vswitch)
		return core_oom(err);
	core_copy(vswitch->rundir, sizeof(vswitch->rundir), ovs_rundir());
	r = ovs_open(&db, deadline, err);
	if (!r)
		r = ovsdb_transact(&db, ovs_questions(), deadline, &results, err);
	if (!r)
		r = ovs_answers(results, vswitch, err);
	if (r < 0)
		return r;
	/* a daemon that does not answer is told with what the database knows */
	if (rxqs && pmd_read_rxqs(vswitch->rundir, deadline, vswitch, &why) < 0)
		snprintf(vswitch->rxq_why, sizeof(vswitch->rxq_why), "%.80s: %.100s", why.object,
			 why.message);
	*out = core_steal(vswitch);
	return 0;
}
