/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the simulated OVS: its state while it is loaded. See sim_state.c for the file. */
#ifndef SRIOV_VSWITCH_SIM_H
#define SRIOV_VSWITCH_SIM_H

#include "lib/host/sim.h"
#include "lib/vswitch/vswitch.h"

/* Our flows (lines of struct openflow) and meters of a bridge. */
struct sim_ovs_policy {
	char **flow;
	size_t nflows;
	struct openflow_meter *meter;
	size_t nmeters;
};

struct sim_ovs {
	struct sriov_vswitch is;
	struct sim_ovs_policy *policy; /* of each bridge */
	bool stopped;        /* ovs-vswitchd does not run: changes are not taken note of */
	json_t *cannot_make; /* {PORT: OVS's words} */
};

int sim_ovs_decode(const json_t *json, struct sim_ovs **out, struct sriov_error *err);
json_t *sim_ovs_encode(const struct sim_ovs *ovs);
void sim_ovs_free(struct sim_ovs *ovs);
void sim_ovs_policy_clear(struct sim_ovs_policy *policy);
#define SIM_OVS_MTU 1500 /* of a port that asks for none */

/* sim_show.c: the OVS of a host, or what the live one says where there is none; and members of vswitch_ops. */
int sim_ovs_load(const struct sim *sim, struct sim_ovs **out, struct sriov_error *err);
int sim_ovs_read(struct sriov_host *host, bool rxqs, struct sriov_vswitch **out,
		 struct sriov_error *err);
int sim_ovs_policy(struct sriov_host *host, const char *bridge, struct vswitch_policy *out,
		   struct sriov_error *err);

#endif
