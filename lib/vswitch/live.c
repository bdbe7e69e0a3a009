/* SPDX-License-Identifier: Apache-2.0 */
/* The live OVS: where it is, and its table of functions. */
#include "lib/vswitch/live.h"

#include <stdio.h>
#include <time.h>

const char *ovs_rundir(void)
{
	const char *dir = getenv("OVS_RUNDIR");

	return dir && *dir ? dir : "/run/openvswitch";
}

int64_t ovs_now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int ovs_open(struct ovsdb *db, int64_t deadline, struct sriov_error *err)
{
	_free_ char *path = core_printf("%s/db.sock", ovs_rundir());

	return path ? ovsdb_open(db, path, deadline, err) : core_oom(err);
}

const struct vswitch_ops vswitch_live_ops = {
	.name = "live",
	.read = ovs_read,
	.port_add = ovs_port_add,
	.port_del = ovs_port_del,
	.port_set = ovs_port_set,
	.port_wait = ovs_port_wait,
	.bridge_add = ovs_bridge_add,
	.bridge_del = ovs_bridge_del,
	.policy = ovs_policy,
	.flows = ovs_flows,
	.meter_set = ovs_meter_set,
	.meter_del = ovs_meter_del,
};
