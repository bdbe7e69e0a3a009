/* SPDX-License-Identifier: Apache-2.0 */
/* `physnet check`: what a bridge lacks, which `restore` makes good, and what of its ports only the guest can mend. */
#include "lib/guest/choose.h"
#include "lib/guest/physnet.h"
#include "lib/guest/virt.h"
#include "lib/plan/bridge.h"

#include <errno.h>
#include <string.h>

/* A port that comes up has its link, its MTU and its status one after the other. */
#define SETTLE_MS 1000

/* Whether the guest of @lease runs, as far as libvirt is there to tell. */
static bool runs(struct sriov_host *host, const struct sriov_lease *lease)
{
	_virt_domain_ struct virt_domain domain = {0};
	struct sriov_error unknown;

	return strcmp(lease->kind, "hands-off") != 0 && virt_use(host, lease->uri, &unknown) >= 0 &&
	       host->virt->find(host, lease->uuid, &domain, &unknown) >= 0 && domain.live;
}

/* What is wrong with the port of @lease now: a phrase, or NULL. That of a guest that may be off need not be connected. */
static const char *ill(struct sriov_host *host, const struct bridge *bridge,
		       const struct sriov_lease *lease)
{
	const struct sriov_vswitch_port *port = bridge_port(bridge, guest_lease_port(lease));
	const char *why = port ? vswitch_unready(port, VSWITCH_CONNECTED) : NULL;

	if (!why || vswitch_unready(port, VSWITCH_MADE) || !strcmp(port->status, "connected") ||
	    runs(host, lease))
		return why;
	return NULL;
}

static bool all_well(struct sriov_host *host, const struct bridge *bridge)
{
	for (size_t i = 0; i < bridge->nleases; i++)
		if (ill(host, bridge, &bridge->lease[i]))
			return false;
	return true;
}

/* No alarm from one reading only. */
static int look_at_ports(struct change *change, struct sriov_error *err)
{
	struct sriov_host *host = change->host;
	struct bridge *bridge = change->bridge;
	int r;

	if (!bridge || all_well(host, bridge))
		return 0;
	host->ops->pause(host, SETTLE_MS);
	r = bridge_read(change, err);
	for (size_t i = 0; !r && i < bridge->nleases; i++) {
		const struct sriov_lease *lease = &bridge->lease[i];
		const char *why = ill(host, bridge, lease);

		if (!why)
			continue;
		change->plan->status = SRIOV_DIFFERENCE;
		r = change_note(
			change, err,
			"port %s of %s passes no frames: %s; if OVS was restarted and QEMU has "
			"not taken its new connection, start the guest anew",
			guest_lease_port(lease), lease->guest, why);
	}
	return r;
}

SRIOV_EXPORT int sriov_physnet_check(struct sriov_host *host, const char *name,
				     struct sriov_plan **plan, struct sriov_error *err)
{
	const struct sriov_options opts = {
		.dry_run = true, .looks = true, .command = "physnet check"};
	struct change_chain chain = {.tail = plan};
	struct sriov_physnet *nets = NULL;
	size_t n = 0;
	int r = sriov_physnet_list(host, &nets, &n, err);

	*plan = NULL;
	if (!r && name && !physnet_named(nets, n, name))
		r = physnet_unknown(nets, n, name, err);
	for (size_t i = 0; !r && i < n; i++) {
		const struct sriov_physnet *net = &nets[i];
		struct sriov_error mine = {0};
		struct change change;
		int checked;

		if (!net->bridge[0] || (name && strcmp(net->name, name) != 0))
			continue;
		checked = change_open(&change, host, net->uplink_pf, CHANGE_READ_ALL, &opts, &mine);
		change.want.bridge = true;
		if (!checked)
			checked = change_show(&change, &mine);
		if (!checked)
			checked = look_at_ports(&change, &mine);
		change_give_plan(&change, chain.tail);
		change_close(&change);
		change_chain_add(&chain, checked, &mine);
	}
	sriov_physnets_free(nets, n);
	return r ? r : change_chain_end(&chain, err);
}
