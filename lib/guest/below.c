/* SPDX-License-Identifier: Apache-2.0 */
/* What carries the VLAN of a macvtap or tap: see below.h. */
#include "lib/guest/below.h"
#include "lib/guest/place.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <stdio.h>
#include <string.h>

#define VLAN_ID_MAX 4094

/* By its PCI address: domain 0 is left out, so that most have the shorter name. */
static void name_by_address(const struct sriov_pf *pf, char letter, uint16_t vlan, char out[16])
{
	unsigned domain = 0, bus = 0, slot = 0, function = 0;
	char where[16] = "";

	sscanf(pf->address, "%x:%x:%x.%x", &domain, &bus, &slot, &function);
	if (domain)
		snprintf(where, sizeof(where), "%04x", domain & 0xffff);
	snprintf(out, 16, "%c%.4s%02x%02x%x.%u", letter, where, bus & 0xff, slot & 0xff,
		 function & 7, vlan & 0xfffu);
}

void guest_vlan_names(const struct sriov_pf *pf, uint16_t vlan, struct vlan_names *out)
{
	if (snprintf(out->netdev, 16, "%s.%u", pf->netdev, vlan) >= 16)
		name_by_address(pf, 's', vlan, out->netdev);
	if (snprintf(out->bridge, 16, "br-%s.%u", pf->netdev, vlan) >= 16)
		name_by_address(pf, 'b', vlan, out->bridge);
}

bool guest_lease_is_tap(const struct sriov_lease *lease)
{
	return strcmp(lease->path, sriov_path_word(SRIOV_PATH_MACVTAP)) != 0;
}

bool guest_lease_is_tagged(const struct sriov_lease *lease)
{
	bool virtio = !strcmp(lease->path, sriov_path_word(SRIOV_PATH_MACVTAP)) ||
		      !strcmp(lease->path, sriov_path_word(SRIOV_PATH_TAP)) ||
		      !strcmp(lease->kind, "standby");

	return virtio && lease->vlan && !lease->socket[0];
}

bool guest_lease_is_on_ours(const struct sriov_lease *lease, const struct sriov_pf *pf)
{
	struct vlan_names names;

	guest_vlan_names(pf, lease->vlan, &names);
	return !strcmp(lease->below, guest_lease_is_tap(lease) ? names.bridge : names.netdev);
}

/* ---- what is on a netdev ---- */

static bool is_same_guest(const uint8_t mac[6], const uint8_t *except)
{
	/* libvirt gives a tap the guest's address with another first byte */
	return except && !memcmp(mac + 1, except + 1, 5);
}

bool guest_link_held(const struct host_links *links, const struct host_link *link,
		     const uint8_t *except_mac, char *why, size_t size)
{
	for (size_t i = 0; i < links->n; i++) {
		const struct host_link *other = &links->at[i];
		bool on = !strcmp(other->lower, link->name);
		bool port = !strcmp(other->master, link->name);

		/* a bridge of ours has one port of ours */
		if ((!on && !port) || (port && other->ours && other->vlan) ||
		    is_same_guest(other->mac, except_mac))
			continue;
		snprintf(why, size, "%s is %s", other->name, on ? "on it" : "its port");
		return true;
	}
	if (link->addressed)
		snprintf(why, size, "the host has an address on it");
	return link->addressed;
}

/* ---- told before ---- */

static int no_netdev(const struct sriov_pf *pf, uint16_t vlan, const char *guest,
		     struct sriov_error *err)
{
	sriov_error_set(err, -ENODEV, guest,
			"VLAN %u of %s has no netdev to be made over: the PF has none (driver %s)",
			vlan, pf->address, pf->driver[0] ? pf->driver : "none");
	return sriov_error_hint(err,
				"give the PF back to the kernel: sriovctl pf bind %s --driver "
				"default; or take another one with --pf",
				pf->address);
}

static int taken(const struct host_link *link, const char *guest, struct sriov_error *err)
{
	char what[64];

	if (!strcmp(link->kind, "vlan"))
		snprintf(what, sizeof(what), "VLAN %u of %s", link->vlan, link->lower);
	else
		snprintf(what, sizeof(what), "a %s", *link->kind ? link->kind : "device");
	sriov_error_set(err, -EEXIST, guest, "the name %s is taken: it is %s%s", link->name, what,
			strcmp(link->kind, "bridge") == 0 ? " that is not ours" : "");
	return sriov_error_hint(err,
				"rename it (ip link set dev %s down, then name NEW), or delete it",
				link->name);
}

static int is_down(const struct sriov_pf *pf, uint16_t vlan, const char *guest,
		   struct sriov_error *err)
{
	core_errno(err, -ENETDOWN, guest,
		   "%s is down, and the kernel takes VLAN %u of it up only with it", pf->netdev,
		   vlan);
	return sriov_error_hint(err, "ip link set dev %s up", pf->netdev);
}

/* A netdev has one receiver: what is a bridge's port cannot be below macvtaps, nor the other way round. */
static int refuse_port(const struct host_link *link, const char *guest, struct sriov_error *err)
{
	core_errno(err, -EBUSY, guest,
		   "%s, VLAN %u of %s, is a port of bridge %s, on which there can be no macvtap",
		   link->name, link->vlan, link->lower, link->master);
	return sriov_error_hint(err, "give it a tap there: --paths tap --bridge %s", link->master);
}

static int refuse_macvtaps(const struct host_link *link, const char *holder, const char *guest,
			   struct sriov_error *err)
{
	core_errno(err, -EBUSY, guest,
		   "%s, VLAN %u of %s, cannot be a bridge's port for its tap: %s", link->name,
		   link->vlan, link->lower, holder);
	return sriov_error_hint(err, "take --paths macvtap in this VLAN, or end what is on %s",
				link->name);
}

static int refuse_others(const struct host_link *link, const char *guest, struct sriov_error *err)
{
	sriov_error_set(err, -EEXIST, guest, "VLAN %u of %s is %s already, which is not ours%s%s",
			link->vlan, link->lower, link->name,
			*link->master ? ", and a port of bridge " : "", link->master);
	if (*link->master)
		return sriov_error_hint(err, "name that bridge: --bridge %s", link->master);
	return sriov_error_hint(err,
				"put it into a bridge (ip link set dev %s master BRIDGE) and name "
				"that: --bridge BRIDGE; or delete it, and one of ours is made",
				link->name);
}

static int check_tap(const struct host_links *links, const struct host_link *there,
		     const struct vlan_names *names, const char *guest, struct sriov_error *err)
{
	const struct host_link *bridge = links_find(links, names->bridge);
	char holder[64];

	if (bridge && (strcmp(bridge->kind, "bridge") != 0 || !bridge->ours))
		return taken(bridge, guest, err);
	if (!there || !strcmp(there->master, names->bridge))
		return 0;
	if (!there->ours || *there->master)
		return refuse_others(there, guest, err);
	return guest_link_held(links, there, NULL, holder, sizeof(holder))
		       ? refuse_macvtaps(there, holder, guest, err)
		       : 0;
}

int guest_vlan_check(const struct host_links *links, const struct sriov_pf *pf, uint16_t vlan,
		     bool tap, const char *guest, struct sriov_error *err)
{
	const struct host_link *there = links_vlan(links, pf->netdev, vlan), *other;
	struct vlan_names names;
	int r = 0;

	if (!vlan || vlan > VLAN_ID_MAX) {
		sriov_error_set(err, -ERANGE, guest, "VLAN %u is not in 1..%d", vlan, VLAN_ID_MAX);
		return sriov_error_hint(err, "0 is no VLAN, and 4095 is reserved");
	}
	if (!pf->netdev[0])
		return no_netdev(pf, vlan, guest, err);
	guest_vlan_names(pf, vlan, &names);
	if (tap)
		r = check_tap(links, there, &names, guest, err);
	else if (there && *there->master)
		r = refuse_port(there, guest, err);
	other = there ? NULL : links_find(links, names.netdev);
	if (!r && other)
		r = taken(other, guest, err);
	return !r && !pf->up ? is_down(pf, vlan, guest, err) : r;
}

static bool carries(const struct host_links *links, const char *bridge, uint16_t vlan)
{
	for (size_t i = 0; i < links->n; i++) {
		const struct host_link *port = &links->at[i];

		if (!strcmp(port->master, bridge) && !strcmp(port->kind, "vlan") &&
		    port->vlan == vlan && port->vlan_proto == ETH_P_8021Q)
			return true;
	}
	return false;
}

int guest_vlan_check_others(const struct host_links *links, const struct sriov_lease *lease,
			    struct sriov_error *err)
{
	const struct host_link *below = links_find(links, lease->below);
	bool tap = guest_lease_is_tap(lease);

	if (below && (tap ? carries(links, lease->below, lease->vlan)
			  : !strcmp(below->kind, "vlan") && below->vlan == lease->vlan))
		return 0;
	sriov_error_set(err, -ENODEV, lease->guest, "is on %s, which %s%u", lease->below,
			!below ? "is not there: it was somebody's for VLAN "
			: tap  ? "has no port any more for VLAN "
			       : "is not any more VLAN ",
			lease->vlan);
	return sriov_error_hint(err,
				"make it again as it was, or detach the guest and attach it anew: "
				"it then gets one of ours");
}

/* ---- what the guest's NIC will be on ---- */

int guest_vlan_macvtap(const struct host_links *links, const struct sriov_pf *pf, uint16_t vlan,
		       const char *guest, char below[16], struct sriov_error *err)
{
	const struct host_link *there = links_vlan(links, pf->netdev, vlan);
	struct vlan_names names;
	int r = guest_vlan_check(links, pf, vlan, false, guest, err);

	if (r < 0)
		return r;
	if (there && !there->ours && !there->up) {
		core_errno(err, -ENETDOWN, guest, "%s, VLAN %u of %s, is down, and not ours",
			   there->name, vlan, pf->netdev);
		return sriov_error_hint(err, "ip link set dev %s up", there->name);
	}
	guest_vlan_names(pf, vlan, &names);
	core_copy(below, 16, there ? there->name : names.netdev);
	return 0;
}

static int check_bridge(const struct host_links *links, const char *bridge, const char *guest,
			struct sriov_error *err)
{
	const struct host_link *link = links_find(links, bridge);

	if (!link) {
		sriov_error_set(err, -ENODEV, guest, "there is no bridge %s", bridge);
		return sriov_error_hint(err, "`ip -d link show type bridge` lists them");
	}
	if (!strcmp(link->kind, "bridge"))
		return 0;
	sriov_error_set(err, -ENOTSUP, guest, "%s is no bridge of the kernel, but a %s", bridge,
			*link->kind ? link->kind : "device");
	return sriov_error_hint(err, "name the bridge that its PF is a port of; on a bridge of OVS "
				     "guests are by --paths vhostuser");
}

/* The one PF that is a port of the bridge. */
static int find_port(const struct host_links *links, const struct sriov_inventory *inv,
		     const char *bridge, uint16_t vlan, const char *guest,
		     const struct sriov_pf **out, struct sriov_error *err)
{
	const struct sriov_pf *found = NULL;
	size_t n = 0;

	for (size_t i = 0; i < inv->npfs; i++) {
		const struct host_link *link = links_find(links, inv->pf[i].netdev);

		if (!link || strcmp(link->master, bridge) != 0)
			continue;
		found = &inv->pf[i];
		n++;
	}
	if (n == 1) {
		*out = found;
		return 0;
	}
	if (n)
		sriov_error_set(err, -ENOTUNIQ, guest,
				"%zu PFs are ports of bridge %s, and its VLAN %u can be of one", n,
				bridge, vlan);
	else
		sriov_error_set(err, -ENODEV, guest,
				"no port of bridge %s is a PF, whose VLAN %u its tap could be in",
				bridge, vlan);
	return sriov_error_hint(err,
				"name a bridge that has one PF as its port, or one whose port is "
				"VLAN %u itself: ip link add link PORT name PORT.%u type vlan id "
				"%u, then ip link set dev PORT.%u master BRIDGE",
				vlan, vlan, vlan, vlan);
}

int guest_vlan_tap(const struct host_links *links, const struct sriov_inventory *inv,
		   const char *bridge, uint16_t vlan, const char *guest, const struct sriov_pf **pf,
		   char below[16], struct sriov_error *err)
{
	const struct sriov_pf *port = NULL;
	struct vlan_names names;
	int r = check_bridge(links, bridge, guest, err);

	if (r < 0)
		return r;
	if (carries(links, bridge, vlan)) {
		*pf = NULL;
		core_copy(below, 16, bridge);
		return 0;
	}
	r = find_port(links, inv, bridge, vlan, guest, &port, err);
	if (!r)
		r = guest_vlan_check(links, port, vlan, true, guest, err);
	if (r < 0)
		return r;
	guest_vlan_names(port, vlan, &names);
	core_copy(below, 16, names.bridge);
	*pf = port;
	return 0;
}
