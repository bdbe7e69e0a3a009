/* SPDX-License-Identifier: Apache-2.0 */
/* The MAC and VLAN of a lease, and what carries the VLAN. See choose.h. */
#include "lib/guest/below.h"
#include "lib/guest/choose.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ---- MAC ---- */

static int refuse_mac(const struct guest_ask *ask, const uint8_t mac[6], const char *who,
		      struct sriov_error *err)
{
	char text[SRIOV_MAC_LEN];

	sriov_error_set(err, -EADDRINUSE, ask->name, "MAC %s is taken by %s",
			sriov_mac_format(mac, text), who);
	return sriov_error_hint(err,
				"give another one, or leave --mac out: the VF has a stable one");
}

/* By a port, another VF, another lease, or another netdev of the host, macvlans for one. */
static int check_mac_free(const struct guest_ask *ask, const struct guest_choice *choice,
			  const struct sriov_lease *lease, const uint8_t mac[6],
			  struct sriov_error *err)
{
	const struct sriov_inventory *inv = ask->inv;
	struct sriov_lease other;
	char who[96], name[16];
	int r;

	for (size_t i = 0; i < inv->npfs; i++) {
		const struct sriov_pf *pf = &inv->pf[i];

		if (!memcmp(pf->mac, mac, 6) || !memcmp(pf->perm_mac, mac, 6))
			return refuse_mac(ask, mac, pf_label(pf), err);
		for (unsigned v = 0; pf->vf && v < pf->vfs; v++) {
			if (&pf->vf[v] == choice->vf || memcmp(pf->vf[v].attrs.mac, mac, 6) != 0)
				continue;
			snprintf(who, sizeof(who), "VF %u of %s", pf->vf[v].index, pf_label(pf));
			return refuse_mac(ask, mac, who, err);
		}
	}
	r = ask->store ? store_lease_mac(ask->store, mac, &other, err) : -ENOENT;
	if (!r && other.id != lease->id) {
		snprintf(who, sizeof(who), "guest %s (lease %ld)", other.guest, other.id);
		return refuse_mac(ask, mac, who, err);
	}
	if (r < 0 && r != -ENOENT)
		return r;
	/* once the guest runs, its own VF or macvtap has it */
	if (!r)
		return 0;
	r = ask->host->ops->mac_user(ask->host, mac, name, sizeof(name), err);
	if (r <= 0 || (choice->vf && !strcmp(choice->vf->netdev, name)))
		return r < 0 ? r : 0;
	return refuse_mac(ask, mac, name, err);
}

static int check_mac(const struct guest_ask *ask, const uint8_t mac[6], struct sriov_error *err)
{
	char text[SRIOV_MAC_LEN];

	if (!(mac[0] & 1) && !sriov_mac_is_zero(mac))
		return 0;
	return sriov_error_set(err, -EINVAL, ask->name, "MAC %s is no address of a NIC: %s",
			       sriov_mac_format(mac, text),
			       sriov_mac_is_zero(mac) ? "it is zero" : "it is a multicast address");
}

/* 1: a guest has that MAC already. */
static int is_leased(const struct guest_ask *ask, const uint8_t mac[6], struct sriov_error *err)
{
	struct sriov_lease other;
	int r = ask->store ? store_lease_mac(ask->store, mac, &other, err) : -ENOENT;

	return r < 0 ? (r == -ENOENT ? 0 : r) : 1;
}

/* The automatic MAC of a VF that nobody has: a guest that was on the VF may have taken its MAC along. */
static int auto_mac(const struct guest_ask *ask, const struct guest_choice *choice, unsigned vf,
		    uint8_t out[6], struct sriov_error *err)
{
	unsigned salt = 0;
	int r;

	do {
		r = guest_auto_mac(ask->inv, choice->pf, vf, &salt, out, err);
		if (!r)
			r = is_leased(ask, out, err);
	} while (r > 0);
	return r;
}

/* A NIC that is no VF: derived from the PF's address and the guest's name, behind all VFs. */
static int port_mac(const struct guest_ask *ask, const struct guest_choice *choice, uint8_t out[6],
		    struct sriov_error *err)
{
	uint64_t hash = core_hash(CORE_HASH_SEED, ask->name, strlen(ask->name));

	return auto_mac(ask, choice, SRIOV_VF_MAX + (hash & 0xffff), out, err);
}

/* What the VF or the port has without being asked for. */
static int present_mac(const struct guest_ask *ask, const struct guest_choice *choice,
		       const struct sriov_lease *lease, struct guest_interface *out,
		       struct sriov_error *err)
{
	int r;

	/* while the guest is stopped only the lease knows: libvirt has put the VF back as it was */
	if (!sriov_mac_is_zero(lease->mac)) {
		memcpy(out->mac, lease->mac, 6);
		return 0;
	}
	if (!choice->vf)
		return port_mac(ask, choice, out->mac, err);
	if (ask->as->raw || ask->as->hands_off)
		r = guest_mac_of(ask->inv, choice->pf, choice->vf, out->mac, err);
	else
		r = guest_interface_of(ask->inv, choice->pf, choice->vf, out, err);
	if (!r)
		r = is_leased(ask, out->mac, err);
	return r > 0 ? auto_mac(ask, choice, choice->vf->index, out->mac, err) : r;
}

/* ---- VLAN ---- */

int guest_check_port_vlan(const char *guest, const struct sriov_vf_attrs *attrs,
			  struct sriov_error *err)
{
	if (!attrs->qos && attrs->vlan_proto != 0x88a8)
		return 0;
	sriov_error_set(err, -EOPNOTSUPP, guest, "a port of OVS has no words for VLAN %u with %s",
			attrs->vlan, attrs->qos ? "a priority (qos)" : "protocol 802.1ad");
	return sriov_error_hint(err, "give it a plain VLAN, or keep it on a VF: --paths vf");
}

/* A VF has its VLAN in the NIC, a port of OVS in its flows. */
static int check_vlan(const struct guest_ask *ask, const struct guest_choice *choice,
		      struct sriov_error *err)
{
	const struct sriov_vf_attrs *attrs = &ask->as->attrs;

	if (choice->vf || !(attrs->has & SRIOV_VF_VLAN) || !attrs->vlan)
		return 0;
	if (choice->path == SRIOV_PATH_VHOSTUSER)
		return guest_check_port_vlan(ask->name, attrs, err);
	if (!attrs->qos && attrs->vlan_proto != 0x88a8)
		return 0;
	sriov_error_set(err, -EOPNOTSUPP, ask->name, "a %s carries no VLAN %u with %s",
			sriov_path_word(choice->path), attrs->vlan,
			attrs->qos ? "a priority (qos)" : "protocol 802.1ad");
	return sriov_error_hint(err, "give it a plain VLAN, or keep it on a VF: --paths vf");
}

/* What only `guest attach` would make. */
static int check_made(const struct guest_ask *ask, const struct host_links *links,
		      const struct sriov_lease *lease, struct sriov_error *err)
{
	if (!ask->no_ports || links_find(links, lease->below))
		return 0;
	sriov_error_set(err, -ENODEV, ask->name, "%s, which would carry its VLAN %u, is not there",
			lease->below, lease->vlan);
	return sriov_error_hint(err, "`sriovctl guest attach` makes it");
}

/* What its macvtap or tap is on instead of the PF or the bridge, so that its frames are in its VLAN. */
static int find_tagged(const struct guest_ask *ask, const struct guest_choice *choice,
		       struct sriov_lease *lease, struct sriov_error *err)
{
	_links_ struct host_links links = {0};
	const struct sriov_pf *pf = choice->pf;
	int r;

	if (lease->id || !guest_lease_is_tagged(lease))
		return 0;
	r = ask->host->ops->links(ask->host, &links, err);
	if (!r && guest_lease_is_tap(lease))
		r = guest_vlan_tap(&links, ask->inv, ask->as->bridge, lease->vlan, ask->name, &pf,
				   lease->below, err);
	else if (!r)
		r = guest_vlan_macvtap(&links, pf, lease->vlan, ask->name, lease->below, err);
	if (!r && pf && pf != choice->pf)
		return sriov_error_set(err, -EINVAL, ask->name,
				       "its VLAN %u would be of %s on bridge %s, and of %s on its "
				       "VF: name a bridge over %s",
				       lease->vlan, pf_label(pf), ask->as->bridge,
				       pf_label(choice->pf), pf_label(choice->pf));
	return r ? r : check_made(ask, &links, lease, err);
}

/* Another VLAN is another netdev under the guest's: it is taken away and given anew. */
static int check_same_vlan(const struct guest_ask *ask, const struct sriov_lease *lease,
			   unsigned vlan, struct sriov_error *err)
{
	struct sriov_lease asked = *lease;

	asked.vlan = vlan;
	if (!lease->id || lease->vlan == vlan ||
	    !(guest_lease_is_tagged(lease) || guest_lease_is_tagged(&asked)))
		return 0;
	sriov_error_set(err, -EEXIST, ask->name, "is on %s with VLAN %u already (lease %ld)",
			lease->below, lease->vlan, lease->id);
	return sriov_error_hint(err,
				"sriovctl guest detach '%s' first, then attach it with VLAN %u",
				lease->guest, vlan);
}

int guest_settle_mac(const struct guest_ask *ask, const struct guest_choice *choice,
		     struct sriov_lease *lease, struct sriov_error *err)
{
	const struct sriov_vf_attrs *attrs = &ask->as->attrs;
	struct guest_interface itf = {.vlan = lease->vlan};
	char directory[SRIOV_SOCKET_LEN];
	int r = present_mac(ask, choice, lease, &itf, err);

	if (!r && choice->vf && ask->as->mac_auto)
		r = auto_mac(ask, choice, choice->vf->index, itf.mac, err);
	if (attrs->has & SRIOV_VF_MAC)
		memcpy(itf.mac, attrs->mac, 6);
	if (attrs->has & SRIOV_VF_VLAN)
		itf.vlan = attrs->vlan;
	if (!r)
		r = check_vlan(ask, choice, err);
	if (!r)
		r = check_same_vlan(ask, lease, itf.vlan, err);
	if (!r)
		r = check_mac(ask, itf.mac, err);
	if (!r)
		r = check_mac_free(ask, choice, lease, itf.mac, err);
	if (r < 0)
		return r;
	memcpy(lease->mac, itf.mac, 6);
	lease->vlan = itf.vlan;
	r = find_tagged(ask, choice, lease, err);
	if (r < 0)
		return r;
	if (lease->socket[0] && !lease->id) {
		core_copy(directory, sizeof(directory), lease->socket);
		guest_lease_socket(lease, directory);
	}
	return 0;
}
