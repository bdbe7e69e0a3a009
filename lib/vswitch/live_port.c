/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ports and bridges of the live OVS. Each change is one transaction that also counts next_cfg up; ovs-vswitchd sets
 * cur_cfg to it when it has done what it could, and a monitor tells when.
 */
#include "lib/vswitch/live.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* How long taking away a port that could not be made may take beyond the time that was given. */
#define ROLLBACK_MS 2000

static json_t *next_cfg(void)
{
	return ovsdb_mutate("Open_vSwitch", ovsdb_all(), "next_cfg", "+=", json_integer(1));
}

static json_t *select_cfg(void)
{
	static const char *const columns[] = {"next_cfg", NULL};

	return ovsdb_select("Open_vSwitch", ovsdb_all(), columns);
}

static int64_t cfg(const json_t *results, size_t i)
{
	return ovsdb_int(json_array_get(ovsdb_rows(results, i), 0), "next_cfg", 0);
}

/* Notifications say that something changed; what, is read then: they give maps as differences. */
static int watch(struct ovsdb *db, const char *port, int64_t deadline, struct sriov_error *err)
{
	_json_ json_t *now = NULL;

	return ovsdb_monitor(db,
			     json_pack("{s[{s[s] s{sb}}] s[{s[ssssss] so s{sb}}]}", "Open_vSwitch",
				       "columns", "cur_cfg", "select", "initial", 0, "Interface",
				       "columns", "ofport", "error", "status", "link_state", "mtu",
				       "name", "where", ovsdb_is("name", port), "select", "initial",
				       0),
			     deadline, &now, err);
}

/* The port as it is. -ENODEV: there is no such port. */
static int look(struct ovsdb *db, const char *name, int64_t deadline,
		struct sriov_vswitch_port *out, struct sriov_error *err)
{
	_json_ json_t *results = NULL;
	const json_t *row;
	int r = ovsdb_transact(db,
			       json_pack("[o]", ovsdb_select("Interface", ovsdb_is("name", name),
							     ovs_interface_columns)),
			       deadline, &results, err);

	if (r < 0)
		return r;
	row = json_array_get(ovsdb_rows(results, 0), 0);
	if (row)
		ovs_port(row, out);
	return row ? 0 : -ENODEV;
}

static int silent(const char *object, struct sriov_error *err)
{
	sriov_error_set(err, -ETIMEDOUT, object,
			"ovs-vswitchd did not take note of the change in time");
	return sriov_error_hint(err, "see whether it runs: systemctl status ovs-vswitchd");
}

/* cur_cfg in changes, or -1: it is the same as before. */
static int64_t changed_cfg(const json_t *changes)
{
	const char *uuid;
	json_t *row;

	json_object_foreach(json_object_get(changes, "Open_vSwitch"), uuid, row)
		return ovsdb_int(json_object_get(row, "modify"), "cur_cfg", -1);
	return -1;
}

/* Waits until OVS has done change number @number. -ENODEV sets no error: the port is not there. */
static int done(struct ovsdb *db, const char *name, int64_t number, int64_t deadline,
		struct sriov_vswitch_port *out, struct sriov_error *err)
{
	int64_t began = ovs_now_us(), cur_cfg = -1;

	while (cur_cfg < number) {
		_json_ json_t *changes = NULL;
		int r = ovsdb_changes(db, deadline, &changes, err);

		if (r < 0)
			return r == -ETIMEDOUT ? silent("OVS", err) : r;
		cur_cfg = changed_cfg(changes);
	}
	core_log("ovs", "%s: OVS took %" PRId64 " us for the change", name, ovs_now_us() - began);
	return look(db, name, deadline, out, err);
}

/* ---- ports ---- */

static json_t *interface_row(const struct vswitch_port_request *want)
{
	static const char *const types[] = {
		[VSWITCH_VHOSTUSER] = "dpdkvhostuserclient", [VSWITCH_DPDK] = "dpdk"};
	json_t *options = ovsdb_map(), *ids = ovsdb_map(), *config = ovsdb_map(), *row;
	char mac[SRIOV_MAC_LEN], queues[16];
	int r = options && ids && config ? 0 : -ENOMEM;

	snprintf(queues, sizeof(queues), "%u", want->queues);
	if (want->type == VSWITCH_VHOSTUSER) {
		r = r ?: ovsdb_map_add(options, "vhost-server-path", want->socket);
	} else {
		r = r ?: ovsdb_map_add(options, "dpdk-devargs", want->devargs);
		r = r ?: ovsdb_map_add(options, "n_rxq", want->queues ? queues : NULL);
	}
	if (want->guest) {
		r = r ?: ovsdb_map_add(ids, "attached-mac", sriov_mac_format(want->mac, mac));
		r = r ?: ovsdb_map_add(ids, "iface-id", want->iface_id);
		r = r ?: ovsdb_map_add(ids, "iface-status", "active");
		r = r ?: ovsdb_map_add(ids, "sriovctl-guest", want->guest);
		r = r ?: ovsdb_map_add(ids, "vm-uuid", want->uuid);
	}
	r = r ?: ovsdb_map_add(config, "pmd-rxq-affinity", want->affinity);
	row = json_pack("{ss ss so so so}", "name", want->name, "type", types[want->type],
			"options", options, "external_ids", ids, "other_config", config);
	if (row && !r && want->mtu)
		r = json_object_set_new(row, "mtu_request", json_integer(want->mtu));
	if (r)
		json_decref(core_steal(row));
	return row;
}

json_t *ovs_port_operations(const struct vswitch_port_request *want)
{
	return json_pack(
		"[ooooooo]",
		ovsdb_assert("Bridge", ovsdb_is("name", want->bridge), "datapath_type", true,
			     json_pack("[{ss}]", "datapath_type", "netdev")),
		ovsdb_assert("Port", ovsdb_is("name", want->name), "name", true, json_array()),
		ovsdb_insert("Interface", "interface", interface_row(want)),
		ovsdb_insert("Port", "port",
			     json_pack("{ss so}", "name", want->name, "interfaces",
				       ovsdb_named("interface"))),
		ovsdb_mutate("Bridge", ovsdb_is("name", want->bridge), "ports", "insert",
			     ovsdb_set(ovsdb_named("port"))),
		next_cfg(), select_cfg());
}

/* Which of the two assertions it was that did not hold. */
static int not_possible(struct ovsdb *db, const struct vswitch_port_request *want, int64_t deadline,
			struct sriov_error *err)
{
	struct sriov_vswitch_port there;
	char object[96];
	int r = look(db, want->name, deadline, &there, err);

	if (r < 0 && r != -ENODEV)
		return r;
	snprintf(object, sizeof(object), "port %s", want->name);
	if (!r) {
		sriov_error_set(err, -EEXIST, object, "OVS has a port of that name%s%s",
				there.guest[0] ? ", for guest " : "", there.guest);
		return sriov_error_hint(err, "ovs-vsctl del-port %s takes it away", want->name);
	}
	sriov_error_set(err, -ENODEV, object, "there is no bridge %s with datapath_type netdev",
			want->bridge);
	return sriov_error_hint(err, "`sriovctl vswitch show` shows what there is");
}

/* Takes the port out of the bridge; its rows go with it. @number: of the change, 0 = there was none. */
static int take_away(struct ovsdb *db, const char *bridge, const char *name, int64_t deadline,
		     int64_t *number, struct sriov_error *err)
{
	static const char *const uuid[] = {"_uuid", NULL};
	_json_ json_t *found = NULL, *results = NULL;
	const char *port;
	int r = ovsdb_transact(db,
			       json_pack("[o]", ovsdb_select("Port", ovsdb_is("name", name), uuid)),
			       deadline, &found, err);

	if (r < 0)
		return r;
	*number = 0;
	port = ovsdb_member(json_array_get(ovsdb_rows(found, 0), 0), "_uuid", 0);
	if (!port)
		return 0;
	r = ovsdb_transact(db,
			   json_pack("[ooo]",
				     ovsdb_mutate("Bridge", ovsdb_is("name", bridge), "ports",
						  "delete", ovsdb_set(ovsdb_uuid(port))),
				     next_cfg(), select_cfg()),
			   deadline, &results, err);
	if (!r)
		*number = cfg(results, 2);
	return r;
}

/* OVS tries to make a port that it cannot make again and again, 60 times a second: it goes at once. */
static int roll_back(struct ovsdb *db, const struct vswitch_port_request *want, int code,
		     struct sriov_error *err)
{
	int64_t number, deadline = core_monotonic_ms() + ROLLBACK_MS;
	struct sriov_error why = {0};

	if (take_away(db, want->bridge, want->name, deadline, &number, &why) < 0)
		sriov_error_hint(
			err, "the port could not be taken away again (%s): ovs-vsctl del-port %s",
			why.message, want->name);
	return code;
}

int ovs_port_add(struct sriov_host *host, const struct vswitch_port_request *want,
		 unsigned timeout_ms, struct sriov_vswitch_port *out, struct sriov_error *err)
{
	int64_t deadline = core_monotonic_ms() + timeout_ms;
	_ovsdb_ struct ovsdb db = OVSDB_CLOSED;
	struct sriov_vswitch_port made = {0};
	_json_ json_t *results = NULL;
	int r = ovs_open(&db, deadline, err);

	if (!r)
		r = watch(&db, want->name, deadline, err);
	if (!r)
		r = ovsdb_transact(&db, ovs_port_operations(want), deadline, &results, err);
	if (r == -EAGAIN)
		return not_possible(&db, want, deadline, err);
	if (r < 0)
		return r;
	r = done(&db, want->name, cfg(results, 6), deadline, &made, err);
	if (r == -ENODEV)
		return sriov_error_set(err, -ECONNRESET, want->name,
				       "somebody took the port away while OVS made it");
	if (!r && vswitch_unready(&made, VSWITCH_MADE)) {
		r = vswitch_port_error(&made, -EIO, vswitch_unready(&made, VSWITCH_MADE), err);
		sriov_error_hint(err,
				 "ovs-vswitchd.log has its reasons; the port was taken away again");
	}
	if (r < 0)
		return roll_back(&db, want, r, err);
	if (out)
		*out = made;
	return 0;
}

int ovs_port_del(struct sriov_host *host, const char *bridge, const char *port, unsigned timeout_ms,
		 struct sriov_error *err)
{
	int64_t deadline = core_monotonic_ms() + timeout_ms, number;
	_ovsdb_ struct ovsdb db = OVSDB_CLOSED;
	struct sriov_vswitch_port there;
	int r = ovs_open(&db, deadline, err);

	if (!r)
		r = watch(&db, port, deadline, err);
	if (!r)
		r = take_away(&db, bridge, port, deadline, &number, err);
	if (r < 0)
		return r;
	if (!number)
		return sriov_error_set(err, -ENODEV, port, "OVS has no such port");
	r = done(&db, port, number, deadline, &there, err);
	if (!r)
		return sriov_error_set(err, -ENODEV, port, "the port is not on bridge %s", bridge);
	return r == -ENODEV ? 0 : r;
}

int ovs_port_set(struct sriov_host *host, const char *port,
		 const struct vswitch_port_change *change, unsigned timeout_ms,
		 struct sriov_error *err)
{
	int64_t deadline = core_monotonic_ms() + timeout_ms;
	json_t *operations = json_array(), *config = ovsdb_map();
	_ovsdb_ struct ovsdb db = OVSDB_CLOSED;
	_json_ json_t *results = NULL;
	struct sriov_vswitch_port made;
	bool ok = operations && config;
	size_t n;
	int r;

	/* a pair of a map that is there is not replaced: it goes first */
	if (ok && change->has_affinity)
		ok = !json_array_append_new(
			     operations,
			     ovsdb_mutate("Interface", ovsdb_is("name", port), "other_config",
					  "delete",
					  json_pack("[s[s]]", "set", "pmd-rxq-affinity"))) &&
		     !ovsdb_map_add(config, "pmd-rxq-affinity", change->affinity) &&
		     !json_array_append_new(operations,
					    ovsdb_mutate("Interface", ovsdb_is("name", port),
							 "other_config", "insert",
							 json_incref(config)));
	if (ok && change->has_mtu)
		ok = !json_array_append_new(
			operations,
			ovsdb_update("Interface", ovsdb_is("name", port),
				     json_pack("{si}", "mtu_request", (int)change->mtu)));
	json_decref(config);
	n = json_array_size(operations);
	ok = ok && !json_array_append_new(operations, next_cfg()) &&
	     !json_array_append_new(operations, select_cfg());
	if (!ok) {
		json_decref(operations);
		return core_oom(err);
	}
	r = ovs_open(&db, deadline, err);
	if (!r)
		r = watch(&db, port, deadline, err);
	if (r < 0) {
		json_decref(operations);
		return r;
	}
	r = ovsdb_transact(&db, operations, deadline, &results, err);
	if (r < 0)
		return r;
	r = n && !ovsdb_count(results, 0)
		    ? -ENODEV
		    : done(&db, port, cfg(results, n + 1), deadline, &made, err);
	if (r == -ENODEV)
		return sriov_error_set(err, -ENODEV, port, "OVS has no such port");
	return r;
}

int ovs_port_wait(struct sriov_host *host, const char *port, enum vswitch_ready ready,
		  unsigned timeout_ms, struct sriov_vswitch_port *out, struct sriov_error *err)
{
	int64_t deadline = core_monotonic_ms() + timeout_ms;
	_ovsdb_ struct ovsdb db = OVSDB_CLOSED;
	struct sriov_vswitch_port now = {0};
	const char *why = NULL;
	int r = ovs_open(&db, deadline, err);

	if (!r)
		r = watch(&db, port, deadline, err);
	while (!r) {
		_json_ json_t *changes = NULL;

		r = look(&db, port, core_monotonic_ms() + ROLLBACK_MS, &now, err);
		if (r == -ENODEV)
			return sriov_error_set(err, r, port, "OVS has no such port");
		why = r ? NULL : vswitch_unready(&now, ready);
		if (r || !why || vswitch_failed(&now))
			break;
		r = ovsdb_changes(&db, deadline, &changes, err);
	}
	if (r < 0 && r != -ETIMEDOUT)
		return r;
	if (out)
		*out = now;
	/* not an answer of the database's in time: the error says so */
	if (!why)
		return r;
	return vswitch_port_error(&now, vswitch_failed(&now) ? -EIO : -ETIMEDOUT, why, err);
}

/* ---- bridges ---- */

int ovs_bridge_add(struct sriov_host *host, const char *bridge, unsigned timeout_ms,
		   struct sriov_error *err)
{
	int64_t deadline = core_monotonic_ms() + timeout_ms;
	_ovsdb_ struct ovsdb db = OVSDB_CLOSED;
	struct sriov_vswitch_port made;
	_json_ json_t *results = NULL;
	struct sriov_error ignored;
	int r = ovs_open(&db, deadline, err);

	if (!r)
		r = watch(&db, bridge, deadline, err);
	if (!r)
		r = ovsdb_transact(
			&db,
			json_pack("[ooooooo]",
				  ovsdb_assert("Bridge", ovsdb_is("name", bridge), "name", true,
					       json_array()),
				  /* the bridge's own port, which every bridge has */
				  ovsdb_insert(
					  "Interface", "interface",
					  json_pack("{ss ss}", "name", bridge, "type", "internal")),
				  ovsdb_insert("Port", "port",
					       json_pack("{ss so}", "name", bridge, "interfaces",
							 ovsdb_named("interface"))),
				  ovsdb_insert("Bridge", "bridge",
					       json_pack("{ss ss ss so s[s[[ss]]]}", "name", bridge,
							 "datapath_type", "netdev", "fail_mode",
							 "secure", "ports", ovsdb_named("port"),
							 "external_ids", "map", "sriovctl", "1")),
				  ovsdb_mutate("Open_vSwitch", ovsdb_all(), "bridges", "insert",
					       ovsdb_set(ovsdb_named("bridge"))),
				  next_cfg(), select_cfg()),
			deadline, &results, err);
	if (r == -EAGAIN || r == -EEXIST)
		return sriov_error_set(err, -EEXIST, bridge,
				       "OVS has a bridge or port of that name");
	if (!r)
		r = done(&db, bridge, cfg(results, 6), deadline, &made, err);
	/* without its own port (no /dev/net/tun) the bridge is there in the database only */
	if (!r && vswitch_failed(&made)) {
		ovs_bridge_del(host, bridge, ROLLBACK_MS, &ignored);
		return vswitch_port_error(&made, -EIO, vswitch_unready(&made, VSWITCH_MADE), err);
	}
	return r == -ENODEV ? sriov_error_set(err, -ECONNRESET, bridge,
					      "somebody took the bridge away while OVS made it")
			    : r;
}

int ovs_bridge_del(struct sriov_host *host, const char *bridge, unsigned timeout_ms,
		   struct sriov_error *err)
{
	static const char *const uuid[] = {"_uuid", NULL};
	int64_t deadline = core_monotonic_ms() + timeout_ms;
	_json_ json_t *found = NULL, *results = NULL;
	_ovsdb_ struct ovsdb db = OVSDB_CLOSED;
	struct sriov_vswitch_port there;
	const char *row;
	int r = ovs_open(&db, deadline, err);

	if (!r)
		r = watch(&db, bridge, deadline, err);
	if (!r)
		r = ovsdb_transact(
			&db,
			json_pack("[o]", ovsdb_select("Bridge", ovsdb_is("name", bridge), uuid)),
			deadline, &found, err);
	if (r < 0)
		return r;
	row = ovsdb_member(json_array_get(ovsdb_rows(found, 0), 0), "_uuid", 0);
	if (!row)
		return sriov_error_set(err, -ENODEV, bridge, "OVS has no such bridge");
	r = ovsdb_transact(&db,
			   json_pack("[ooo]",
				     ovsdb_mutate("Open_vSwitch", ovsdb_all(), "bridges", "delete",
						  ovsdb_set(ovsdb_uuid(row))),
				     next_cfg(), select_cfg()),
			   deadline, &results, err);
	if (!r)
		r = done(&db, bridge, cfg(results, 2), deadline, &there, err);
	return r == -ENODEV ? 0 : r;
}
