/* SPDX-License-Identifier: Apache-2.0 */
/* Ports of bridges that no lease names, and whether a domain does: then they are a guest's all the same. See bridge.h. */
#include "lib/plan/bridge.h"

#include <errno.h>
#include <string.h>

static bool names(const char *xml, const char *socket)
{
	size_t len = strlen(socket);

	for (const char *at = xml; at && len && (at = strstr(at, socket)); at += len)
		if (at[len] == '"' || at[len] == '\'')
			return true;
	return false;
}

int bridge_port_user(struct sriov_host *host, const struct sriov_vswitch_port *port,
		     char name[SRIOV_NAME_LEN], struct sriov_error *err)
{
	_virt_domains_ struct virt_domains all = {0};
	int r = virt_use(host, host->uri ?: "", err);

	if (!r)
		r = host->virt->list(host, true, &all, err);
	for (size_t i = 0; !r && i < all.n; i++) {
		if (!names(all.at[i].config, port->socket) && !names(all.at[i].live, port->socket))
			continue;
		core_copy(name, SRIOV_NAME_LEN, all.at[i].name);
		return 1;
	}
	return r;
}

/* ---- adopt ---- */

/* Networks were in the database that is lost: what they are called and what else is on them only their maker knows. */
static int note_guests(struct change *change, const struct sriov_vswitch_bridge *bridge,
		       const char *uplink, struct sriov_error *err)
{
	char mac[SRIOV_MAC_LEN], name[SRIOV_NAME_LEN];
	int r = 0;

	for (size_t i = 0; r >= 0 && i < bridge->nports; i++) {
		const struct sriov_vswitch_port *port = &bridge->port[i];
		struct sriov_error unknown = {0};

		if (!port->ours || !port->socket[0])
			continue;
		if (bridge_port_user(change->host, port, name, &unknown) <= 0)
			core_copy(name, sizeof(name), port->guest);
		r = change_note(change, err,
				"guest %s is not taken over: it is on port %s of bridge %s, whose "
				"physnet is not recorded: sriovctl physnet add NET %s --bridge %s "
				"--uplink %s, then guest attach '%s' --net NET --paths vhostuser "
				"--mac %s, with its VLAN and limits if it had any",
				name, port->name, bridge->name, pf_label(change->pf), bridge->name,
				uplink, name, sriov_mac_format(port->mac, mac));
	}
	return r;
}

static bool is_recorded(const struct sriov_physnet *nets, size_t n, const char *bridge)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(nets[i].bridge, bridge))
			return true;
	return false;
}

int bridge_note_unrecorded(struct change *change, struct sriov_error *err)
{
	struct sriov_physnet *nets = NULL;
	struct sriov_vswitch *is = NULL;
	struct sriov_error silent;
	size_t n = 0;
	int r = sriov_physnet_list(change->host, &nets, &n, err);

	/* most hosts have no OVS */
	if (!r && change->host->vswitch->read(change->host, false, &is, &silent) < 0)
		is = NULL;
	for (size_t i = 0; !r && is && i < is->nbridges; i++) {
		char uplink[SRIOV_NAME_LEN];

		if (!is_recorded(nets, n, is->bridge[i].name) &&
		    bridge_uplink_of(change->pf, &is->bridge[i], uplink))
			r = note_guests(change, &is->bridge[i], uplink, err);
	}
	sriov_vswitch_free(is);
	sriov_physnets_free(nets, n);
	return r;
}
