/* SPDX-License-Identifier: Apache-2.0 */
/* VLANs of macvtaps and taps: what of them is there, what is wanted, and the steps between. See vlan.h. */
#include "lib/plan/vlan.h"
#include "lib/guest/below.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define VLAN_ID_MAX 4094

void vlan_free(struct vlans *vlans)
{
	if (!vlans)
		return;
	links_clear(&vlans->links);
	free(vlans->lease);
	free(vlans);
}

/* ---- as it is ---- */

static bool is_tagged(const struct guest_state *part)
{
	return part && guest_lease_is_tagged(&part->lease);
}

static int load_leases(struct change *change, struct vlans *vlans, struct sriov_error *err)
{
	size_t kept = 0;
	int r;

	free(core_steal(vlans->lease));
	vlans->nleases = 0;
	if (!change->store)
		return 0;
	r = store_lease_list(change->store, change->pf->address, &vlans->lease, &vlans->nleases,
			     err);
	for (size_t i = 0; !r && i < vlans->nleases; i++)
		if (guest_lease_is_tagged(&vlans->lease[i]))
			vlans->lease[kept++] = vlans->lease[i];
	vlans->nleases = kept;
	return r;
}

int vlan_read(struct change *change, struct sriov_error *err)
{
	struct vlans *vlans = change->vlans;
	int r = load_leases(change, vlans, err);

	links_clear(&vlans->links);
	return r ? r : change->host->ops->links(change->host, &vlans->links, err);
}

int vlan_open(struct change *change, const struct pf_state *want, struct sriov_error *err)
{
	if (change->vlans || (!want->links && !is_tagged(want->guest) && !is_tagged(want->other)))
		return 0;
	change->vlans = calloc(1, sizeof(*change->vlans));
	return change->vlans ? vlan_read(change, err) : core_oom(err);
}

/* ---- what is wanted ---- */

/* The @i'th lease that shall have its VLAN: the PF's, this change's own as @want says; NULL behind the last. */
static const struct sriov_lease *wanted_lease(const struct vlans *vlans,
					      const struct pf_state *want, size_t i)
{
	const struct guest_state *own = want->guest;

	for (size_t k = 0; k < vlans->nleases; k++) {
		if (own && own->lease.id == vlans->lease[k].id)
			continue;
		if (!i--)
			return &vlans->lease[k];
	}
	return !i && is_tagged(own) && own->leased ? &own->lease : NULL;
}

/* Whether a lease needs the VLAN on netdevs of ours: 0 = none, 1 = macvtaps, 2 = taps, which need a bridge too. */
static int needed(const struct change *change, const struct pf_state *want, uint16_t vlan)
{
	const struct sriov_lease *lease;

	for (size_t i = 0; (lease = wanted_lease(change->vlans, want, i)); i++)
		if (lease->vlan == vlan && guest_lease_is_on_ours(lease, change->pf))
			return guest_lease_is_tap(lease) ? 2 : 1;
	return 0;
}

/* ---- steps ---- */

static int add(struct steps *steps, bool on, const char *name, uint16_t vlan, const char *master,
	       bool bridge, bool there, struct sriov_error *err)
{
	struct step *step;

	for (size_t i = 0; i < steps->n; i++)
		if (steps->at[i].kind == STEP_NETDEV && !strcmp(steps->at[i].name, name))
			return 0;
	step = core_grow(&steps->at, &steps->n, sizeof(*step));
	if (!step)
		return core_oom(err);
	step->kind = STEP_NETDEV;
	step->on = on;
	step->number = vlan;
	step->is_bridge = bridge;
	step->fresh = !there;
	core_copy(step->name, sizeof(step->name), name);
	core_copy(step->driver, sizeof(step->driver), master);
	return 0;
}

static bool is_whole(const struct host_link *link)
{
	return link && !link->half && (link->up || !link->ours);
}

int vlan_make(const struct host_links *links, const struct sriov_pf *pf,
	      const struct sriov_lease *lease, struct steps *steps, struct sriov_error *err)
{
	bool tap = guest_lease_is_tap(lease);
	const struct host_link *netdev, *bridge;
	struct vlan_names names;
	const char *master;
	int r = 0;

	if (!pf->netdev[0])
		return guest_vlan_check(links, pf, lease->vlan, tap, lease->guest, err);
	if (!guest_lease_is_on_ours(lease, pf))
		return guest_vlan_check_others(links, lease, err);
	guest_vlan_names(pf, lease->vlan, &names);
	netdev = links_vlan(links, pf->netdev, lease->vlan);
	bridge = tap ? links_find(links, names.bridge) : NULL;
	master = tap ? names.bridge : "";
	if (is_whole(netdev) && !strcmp(netdev->master, master) &&
	    (!tap || (is_whole(bridge) && bridge->ours)))
		return 0;
	r = guest_vlan_check(links, pf, lease->vlan, tap, lease->guest, err);
	if (!r && tap && !is_whole(bridge))
		r = add(steps, true, names.bridge, lease->vlan, "", true, bridge, err);
	if (!r && (!is_whole(netdev) || strcmp(netdev->master, master) != 0))
		r = add(steps, true, names.netdev, lease->vlan, master, false, netdev, err);
	return r;
}

/* The netdev has one receiver, also for a guest that does not run now. */
static int check_alone(const struct change *change, const struct pf_state *want,
		       const struct sriov_lease *own, struct sriov_error *err)
{
	bool tap = guest_lease_is_tap(own);
	const struct sriov_lease *lease;
	struct vlan_names names;

	guest_vlan_names(change->pf, own->vlan, &names);
	for (size_t i = 0; (lease = wanted_lease(change->vlans, want, i)); i++) {
		if (lease->vlan != own->vlan || guest_lease_is_tap(lease) == tap ||
		    !guest_lease_is_on_ours(lease, change->pf))
			continue;
		sriov_error_set(err, -EBUSY, own->guest,
				"VLAN %u of %s is %s's already, with a %s (lease %ld): a netdev "
				"below macvtaps cannot be the port of a bridge of taps",
				own->vlan, pf_label(change->pf), lease->guest,
				tap ? "macvtap" : "tap", lease->id);
		if (tap)
			return sriov_error_hint(err, "take --paths macvtap in this VLAN");
		return sriov_error_hint(err, "take --paths tap --bridge %s", names.bridge);
	}
	return 0;
}

static int make_own(const struct change *change, const struct pf_state *want,
		    const struct sriov_lease *own, struct steps *steps, struct sriov_error *err)
{
	bool ours = guest_lease_is_on_ours(own, change->pf);
	int r = ours ? check_alone(change, want, own, err) : 0;

	return r ? r : vlan_make(&change->vlans->links, change->pf, own, steps, err);
}

/* One guest's trouble must not keep the others of a restore, or of a look at all of them. */
static int make_all(struct change *change, const struct pf_state *want, struct steps *steps,
		    struct sriov_error *err)
{
	struct vlans *vlans = change->vlans;
	const struct sriov_lease *lease;

	vlans->nfaults = 0;
	for (size_t i = 0; (lease = wanted_lease(vlans, want, i)); i++) {
		struct sriov_error why = {0};
		int r = vlan_make(&vlans->links, change->pf, lease, steps, &why);

		if (!r)
			continue;
		if (r == -ENOMEM)
			return core_oom(err);
		if (!vlans->nfaults++)
			vlans->fault = why;
		if (steps_note(steps, "%s: %s; %s", why.object, why.message, why.hint) < 0)
			return core_oom(err);
	}
	return 0;
}

/* The guest's own macvtap or tap, as far as the same plan takes it away before. */
static const uint8_t *leaving(const struct pf_state *want, uint16_t vlan)
{
	const struct guest_state *parts[] = {want->guest, want->other};

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (is_tagged(parts[i]) && parts[i]->lease.vlan == vlan &&
		    parts[i]->speaks[VIRT_LIVE])
			return parts[i]->lease.mac;
	return NULL;
}

/* Takes away what is ours of that VLAN and nobody needs; what somebody has something on stays, and is told. */
static int drop(const struct change *change, const struct pf_state *want, uint16_t vlan,
		struct steps *steps, struct sriov_error *err)
{
	const struct host_links *links = &change->vlans->links;
	const struct host_link *netdev = links_vlan(links, change->pf->netdev, vlan), *bridge;
	int need = needed(change, want, vlan), r = 0;
	const uint8_t *own = leaving(want, vlan);
	struct vlan_names names;
	char why[64];

	guest_vlan_names(change->pf, vlan, &names);
	bridge = links_find(links, names.bridge);
	if (need || !netdev || !netdev->ours)
		netdev = NULL;
	if (need == 2 || !bridge || !bridge->ours || strcmp(bridge->kind, "bridge") != 0)
		bridge = NULL;
	if ((bridge && guest_link_held(links, bridge, own, why, sizeof(why))) ||
	    (netdev && guest_link_held(links, netdev, own, why, sizeof(why))))
		return steps_note(steps, "%s stays, though no lease needs it: %s",
				  bridge ? bridge->name : netdev->name, why) < 0
			       ? core_oom(err)
			       : 0;
	/* in somebody else's bridge */
	if (netdev && *netdev->master && strcmp(netdev->master, names.bridge) != 0)
		return steps_note(steps,
				  "%s stays, though no lease needs it: it is a port of "
				  "bridge %s",
				  netdev->name, netdev->master) < 0
			       ? core_oom(err)
			       : 0;
	if (bridge)
		r = add(steps, false, bridge->name, vlan, "", true, true, err);
	if (!r && netdev)
		r = add(steps, false, netdev->name, vlan, "", false, true, err);
	return r;
}

/* Netdevs of ours over this PF that no lease may need: those of VLANs, and bridges by their names. */
static int drop_all(const struct change *change, const struct pf_state *want, struct steps *steps,
		    struct sriov_error *err)
{
	const struct host_links *links = &change->vlans->links;
	int r = 0;

	for (size_t i = 0; !r && i < links->n; i++) {
		const struct host_link *link = &links->at[i];
		const char *dot = strrchr(link->name, '.');
		struct vlan_names names;
		uint64_t vlan = link->vlan;

		if (!link->ours || (!vlan && (!dot || core_number(dot + 1, 1, VLAN_ID_MAX, &vlan))))
			continue;
		guest_vlan_names(change->pf, vlan, &names);
		if (link->vlan ? !strcmp(link->lower, change->pf->netdev)
			       : !strcmp(link->name, names.bridge))
			r = drop(change, want, vlan, steps, err);
	}
	return r;
}

int vlan_steps(struct change *change, const struct pf_state *want, bool on, struct steps *steps,
	       struct sriov_error *err)
{
	const struct guest_state *parts[] = {want->guest, want->other};
	int r = 0;

	/* with the PF's netdev all that was over it has gone */
	if (!change->vlans || (!on && !change->pf->netdev[0]))
		return 0;
	if (want->links)
		return on ? make_all(change, want, steps, err) : drop_all(change, want, steps, err);
	if (on && is_tagged(want->guest) && want->guest->leased)
		return make_own(change, want, &want->guest->lease, steps, err);
	for (size_t i = 0; !on && !r && i < ARRAY_SIZE(parts); i++)
		if (is_tagged(parts[i]) && guest_lease_is_on_ours(&parts[i]->lease, change->pf))
			r = drop(change, want, parts[i]->lease.vlan, steps, err);
	return r;
}
