/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The simulated host for probes: its netdevs, and frames between them. Every port is taken as cabled to the
 * one whose netdev sends; what a frame meets there is the replay model's to say.
 */
#include "lib/host/sim.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int sim_vf_up(struct sim *sim, struct sriov_pf *pf, const struct sim_call *call,
	      struct sriov_error *err)
{
	struct sriov_vf *vf = pf_vf(pf, call->vf);
	char object[96];

	if (!vf || !vf->netdev[0])
		return core_errno(err, -ENODEV, sim_object(object, pf->address, call->vf),
				  "the VF has no network device");
	vf->netdev_up = call->on;
	return 0;
}

static int no_such_netdev(const char *name, struct sriov_error *err)
{
	sriov_error_set(err, -ENODEV, name, "no such network device");
	return sriov_error_hint(err, "a simulated host has the netdevs of its PFs and VFs");
}

int sim_netdev(const struct sim *sim, const char *name, struct netdev_facts *out,
	       struct sriov_error *err)
{
	for (size_t i = 0; *name && i < sim->inv->npfs; i++) {
		const struct sriov_pf *pf = &sim->inv->pf[i];

		if (!strcmp(pf->netdev, name)) {
			*out = (struct netdev_facts){
				.ifindex = pf->ifindex, .up = pf->up, .carrier = pf->carrier};
			memcpy(out->mac, pf->mac, sizeof(out->mac));
			return 0;
		}
		for (unsigned v = 0; v < pf->vfs; v++) {
			const struct sriov_vf *vf = &pf->vf[v];

			if (strcmp(vf->netdev, name) != 0)
				continue;
			*out = (struct netdev_facts){.up = vf->netdev_up,
						     .carrier = vf->netdev_up && pf->carrier};
			memcpy(out->mac, vf->attrs.mac, sizeof(out->mac));
			return 0;
		}
	}
	return no_such_netdev(name, err);
}

/* The VF of that netdev; -1 if it is the PF's, or another port's. */
static int vf_of(const struct sriov_pf *pf, const char *netdev)
{
	for (unsigned v = 0; v < pf->vfs; v++)
		if (!strcmp(pf->vf[v].netdev, netdev))
			return pf->vf[v].index;
	return -1;
}

static struct nic_packet packet_of(const struct sriov_pf *pf, const struct exchange *what)
{
	struct nic_packet packet = {
		.ethertype = 0x0800,
		.proto = 17,
		.src_port = what->src_port,
		.dst_port = what->dst_port,
		.vf = vf_of(pf, what->to),
		.switched = vf_of(pf, what->from) >= 0,
	};

	memcpy(packet.src_mac, what->src_mac, sizeof(packet.src_mac));
	memcpy(packet.dst_mac, what->dst_mac, sizeof(packet.dst_mac));
	memcpy(packet.src_ip, what->src_ip, sizeof(what->src_ip));
	memcpy(packet.dst_ip, what->dst_ip, sizeof(what->dst_ip));
	return packet;
}

/* Where the frames come in, or NULL if they are dropped. */
static int classify(const struct sim *sim, const struct sriov_pf *pf, const struct exchange *what,
		    const char **netdev, bool *hit, struct sriov_error *err)
{
	struct nic_packet packet = packet_of(pf, what);
	struct nic_hit met = {.vf = packet.vf};
	const struct sriov_vf *vf;
	int r = sim_rules_match(sim, pf, &packet, &met, hit, err);

	if (r < 0)
		return r;
	vf = met.vf >= 0 ? pf_vf(pf, met.vf) : NULL;
	*netdev = met.drop ? NULL : vf ? vf->netdev : pf->netdev;
	return 0;
}

static int check_links(const struct sim *sim, const struct exchange *what, struct sriov_error *err)
{
	const char *names[] = {what->from, what->place[0], what->place[1]};
	struct netdev_facts facts;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		int r = *names[i] ? sim_netdev(sim, names[i], &facts, err) : 0;

		if (r < 0)
			return r;
		if (*names[i] && !facts.carrier)
			return sriov_error_set(err, -ENOLINK, names[i], "no link");
	}
	return 0;
}

int sim_frames(struct sim *sim, struct sriov_pf *pf, const struct sim_call *call,
	       struct sriov_error *err)
{
	struct exchange *what = call->exchange;
	const char *netdev = NULL;
	bool hit = false;
	int r = check_links(sim, what, err);

	if (!r)
		r = classify(sim, pf, what, &netdev, &hit, err);
	if (r < 0)
		return r;
	what->sent = what->until_one && netdev ? 1 : what->count;
	for (size_t i = 0; i < EXCHANGE_PLACES; i++)
		what->arrived[i] = netdev && !strcmp(netdev, what->place[i]) ? what->sent : 0;
	what->hit = !what->hits ? -1 : hit ? (int64_t)what->sent : 0;
	return 0;
}
