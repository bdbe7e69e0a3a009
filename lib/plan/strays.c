/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bridges of OVS that are ours and of no network: OVS keeps them over a start of the host, which a network that was not
 * confirmed before it does not outlive. `restore` takes them away; each is a change of the PF beside its uplink.
 */
#include "lib/guest/choose.h"
#include "lib/guest/physnet.h"
#include "lib/plan/batch.h"
#include "lib/plan/bridge.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Whether it is the PF's by DPDK's name of the device: "net_af_packet_up-red,iface=ens2f0", or a VF's address. */
static bool is_device_of(const struct sriov_pf *pf, const char *devargs, char words[SRIOV_NAME_LEN])
{
	const char *netdev = strstr(devargs, "iface=");

	if (netdev && !strcmp(netdev + strlen("iface="), pf->netdev)) {
		snprintf(words, SRIOV_NAME_LEN, "%s",
			 strstr(devargs, "af_xdp") ? "af_xdp" : "af_packet");
		return true;
	}
	for (unsigned v = 0; pf->vf && v < pf->vfs; v++) {
		if (strcmp(devargs, pf->vf[v].address) != 0)
			continue;
		snprintf(words, SRIOV_NAME_LEN, "vf:%u", pf->vf[v].index);
		return true;
	}
	return false;
}

/* As the networks' own uplinks are called. */
static bool is_uplink(const struct sriov_vswitch_port *port)
{
	return !strcmp(port->type, "dpdk") && !strncmp(port->name, "up-", 3);
}

bool bridge_uplink_of(const struct sriov_pf *pf, const struct sriov_vswitch_bridge *bridge,
		      char words[SRIOV_NAME_LEN])
{
	for (size_t i = 0; i < bridge->nports; i++)
		if (is_uplink(&bridge->port[i]) && is_device_of(pf, bridge->port[i].devargs, words))
			return true;
	return false;
}

/* Of a VF that went with the host's start, or of a PF that is gone, any will do: it only has the journal. */
static const struct sriov_pf *pf_beside(const struct sriov_inventory *inv,
					const struct sriov_vswitch_bridge *bridge)
{
	char words[SRIOV_NAME_LEN];

	for (size_t i = 0; i < inv->npfs; i++)
		if (bridge_uplink_of(&inv->pf[i], bridge, words))
			return &inv->pf[i];
	return inv->npfs ? &inv->pf[0] : NULL;
}

static bool is_stray(const struct sriov_vswitch_bridge *bridge, const struct sriov_physnet *nets,
		     size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(nets[i].bridge, bridge->name))
			return false;
	return bridge->ours;
}

static bool is_leased(const struct sriov_lease *lease, size_t n, const char *port)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(guest_lease_port(&lease[i]), port))
			return true;
	return false;
}

/* A libvirt that cannot tell is no evidence that nobody has it. */
static bool is_unnamed(struct sriov_host *host, const struct sriov_vswitch_port *port)
{
	struct sriov_error unknown;
	char name[SRIOV_NAME_LEN];

	return !bridge_port_user(host, port, name, &unknown);
}

/* Who would lose what by its end: a guest, or somebody who has put a port there. */
static int find_holder(struct change *change, const struct sriov_vswitch_bridge *bridge,
		       const struct sriov_vswitch_port **holder, struct sriov_error *err)
{
	_free_ struct sriov_lease *lease = NULL;
	size_t n = 0;
	int r = change->store ? store_lease_list(change->store, NULL, &lease, &n, err) : 0;

	*holder = NULL;
	for (size_t i = 0; !r && !*holder && i < bridge->nports; i++) {
		const struct sriov_vswitch_port *port = &bridge->port[i];
		bool idle = port->ours && strcmp(port->status, "connected") != 0 &&
			    !is_leased(lease, n, port->name) && is_unnamed(change->host, port);

		if (!idle && !is_uplink(port) && strcmp(port->name, bridge->name) != 0)
			*holder = port;
	}
	return r;
}

/* The bridge, if it is still of no network: under its lock, because a network that comes has that before its record. */
static int want_gone(struct change *change, const char *name, struct sriov_error *err)
{
	const struct sriov_vswitch_port *holder = NULL;
	struct sriov_vswitch_bridge *bridge;
	struct sriov_physnet *nets = NULL, gone = {.uplink = SRIOV_UPLINK_PORT};
	struct sriov_vswitch *is = NULL;
	size_t n = 0;
	int r = bridge_lock(change, name, err);

	core_copy(change->want.address, sizeof(change->want.address), change->pf->address);
	if (!r)
		r = sriov_physnet_list(change->host, &nets, &n, err);
	if (!r)
		r = change->host->vswitch->read(change->host, false, &is, err);
	bridge = r ? NULL : vswitch_bridge(is, name);
	if (bridge && is_stray(bridge, nets, n)) {
		r = find_holder(change, bridge, &holder, err);
		core_copy(gone.bridge, sizeof(gone.bridge), name);
		core_copy(gone.uplink_pf, sizeof(gone.uplink_pf), change->pf->address);
		if (!r && holder)
			r = change_note(
				change, err,
				"bridge %s is ours and of no physnet, and stays for its port "
				"%s%s%s; without that: sriovctl restore",
				name, holder->name, holder->guest[0] ? " of " : "", holder->guest);
		else if (!r)
			r = bridge_want_net(change, &gone, false, false, err);
	}
	sriov_vswitch_free(is);
	sriov_physnets_free(nets, n);
	return r;
}

static int remove_stray(struct sriov_host *host, const char *pf, const char *bridge,
			const struct sriov_options *opts, struct sriov_plan **plan,
			struct sriov_error *err)
{
	struct change change;
	int r = change_open(&change, host, pf, CHANGE_READ_ALL, opts, err);

	if (!r)
		r = want_gone(&change, bridge, err);
	if (!r)
		r = change_run(&change, err);
	change_give_plan(&change, plan);
	change_close(&change);
	return r;
}

int restore_strays(struct sriov_host *host, const struct sriov_options *opts,
		   struct change_chain *chain, struct sriov_error *err)
{
	struct sriov_error silent = {0};
	struct sriov_inventory *inv = NULL;
	struct sriov_physnet *nets = NULL;
	struct sriov_vswitch *is = NULL;
	size_t n = 0;
	int r = sriov_physnet_list(host, &nets, &n, err);

	/* most hosts have no OVS, and where one is only not up yet the next restore finds them */
	if (!r && host->vswitch->read(host, false, &is, &silent) < 0)
		is = NULL;
	if (!r && is && is->nbridges)
		r = host_read(host, NULL, SRIOV_READ_VFS, &inv, err);
	for (size_t i = 0; inv && i < is->nbridges; i++) {
		const struct sriov_vswitch_bridge *bridge = &is->bridge[i];
		const struct sriov_pf *pf = pf_beside(inv, bridge);
		struct sriov_error mine = {0};

		if (pf && is_stray(bridge, nets, n))
			change_chain_add(chain,
					 remove_stray(host, pf->address, bridge->name, opts,
						      chain->tail, &mine),
					 &mine);
	}
	sriov_inventory_free(inv);
	sriov_vswitch_free(is);
	sriov_physnets_free(nets, n);
	return r;
}
