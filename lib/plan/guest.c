/* SPDX-License-Identifier: Apache-2.0 */
/* The intent of `guest attach`: a lease, the VF's attributes, and the devices in the guest's domain. */
#include "lib/plan/guest.h"
#include "lib/guest/choose.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Another command may take the VF between the choice and the PF's lock: so often it is chosen anew. */
#define TRIES 16

#define _ask_ _cleanup_(guest_ask_clear)

/* ---- the domain ---- */

/* What is to be attached to; zero if the request is for no domain, or brings its XML along. */
static int find_domain(struct sriov_host *host, const struct sriov_guest_request *as,
		       struct virt_domain *out, struct sriov_error *err)
{
	if (as->hands_off || as->domain_xml)
		return 0;
	return host->virt->find(host, as->guest, out, err);
}

/* Which of the domain's definitions are meant. */
static int choose_definitions(const struct sriov_guest_request *as,
			      const struct virt_domain *domain, bool speaks[2],
			      struct sriov_error *err)
{
	bool either = !as->live && !as->config;

	if (!domain->name[0])
		return 0;
	if (as->live && !domain->running) {
		sriov_error_set(err, -ENOTCONN, domain->name,
				"does not run: there is nothing live");
		return sriov_error_hint(err, "start it first, or leave --live out");
	}
	if (as->config && !domain->persistent) {
		sriov_error_set(err, -ENOENT, domain->name,
				"is transient: it has no definition that survives its end");
		return sriov_error_hint(err, "leave --config out");
	}
	speaks[VIRT_CONFIG] = domain->persistent && (as->config || either);
	speaks[VIRT_LIVE] = domain->running && (as->live || either);
	return 0;
}

/* What a domain says of a device, in words: of a VF the VLAN, of a virtio NIC the queues. */
static const char *device_words(const struct guest_device *device, char buf[64])
{
	char mac[SRIOV_MAC_LEN];

	sriov_mac_format(device->mac, mac);
	if (device->path == GUEST_VF)
		snprintf(buf, 64, "MAC %s and VLAN %u", mac, device->vlan);
	else
		snprintf(buf, 64, "MAC %s and %u queue%s", mac, device->queues ?: 1,
			 device->queues > 1 ? "s" : "");
	return buf;
}

/* A device that is there otherwise than it would be now: changing it is taking it away and giving another. */
static int refuse_other(const struct guest_device *now, const struct guest_device *wanted,
			const struct virt_domain *domain, struct sriov_error *err)
{
	char has[64], wants[64];

	sriov_error_set(err, -EEXIST, domain->name, "has the device already, with %s",
			device_words(now, has));
	sriov_error_hint(err, "sriovctl guest detach '%s' first, then attach it with %s",
			 domain->name, device_words(wanted, wants));
	return -EEXIST;
}

/* A macvtap or tap that is on another netdev has not the VLAN of this one, or another PF's network. */
static int refuse_elsewhere(const struct guest_device *now, const struct guest_device *wanted,
			    const struct virt_domain *domain, struct sriov_error *err)
{
	char mac[SRIOV_MAC_LEN];

	sriov_error_set(err, -EEXIST, domain->name, "has MAC %s on %s already, not on %s",
			sriov_mac_format(now->mac, mac), now->netdev, wanted->netdev);
	return sriov_error_hint(err, "take that device out of the domain first (virsh "
				     "detach-interface), then attach it");
}

static int check_device(const struct virt_domain *domain, const struct guest_device *device,
			bool live, struct sriov_error *err)
{
	const char *xml = live ? domain->live : domain->config;
	struct guest_device now = *device;
	bool there = false;
	int r = xml ? guest_device_find(xml, device, &there, &now, err) : 0;

	if (r < 0 || !xml)
		return r;
	if (!there)
		return guest_device_check(xml, device, live, err);
	if (strcmp(now.netdev, device->netdev) != 0)
		return refuse_elsewhere(&now, device, domain, err);
	if ((!device->raw && memcmp(now.mac, device->mac, 6) != 0) || now.vlan != device->vlan ||
	    (now.queues ?: 1) != (device->queues ?: 1))
		return refuse_other(&now, device, domain, err);
	return 0;
}

int guest_check_devices(const struct virt_domain *domain, const struct guest_state *guest,
			struct sriov_error *err)
{
	struct guest_device device[GUEST_DEVICES];
	size_t n = guest_lease_devices(&guest->lease, device);
	int r = 0;

	for (unsigned where = 0; where < ARRAY_SIZE(guest->speaks); where++)
		for (size_t i = 0; !r && guest->speaks[where] && i < n; i++)
			r = check_device(domain, &device[i], where == VIRT_LIVE, err);
	return r;
}

/* ---- the VF ---- */

/* VFIO takes a group as a whole: all of it must be for guests. */
static int check_group(const struct guest_choice *choice, const struct sriov_inventory *inv,
		       struct sriov_error *err)
{
	char object[64];

	snprintf(object, sizeof(object), "vf %u of %s", choice->vf->index, pf_label(choice->pf));
	if (!inv->iommu || choice->vf->iommu_group < 0) {
		sriov_error_set(err, -ENODEV, object,
				"the kernel has no active IOMMU, and a guest's VF needs one");
		return sriov_error_hint(err, "boot with intel_iommu=on (or amd_iommu=on) and VT-d "
					     "enabled in the firmware");
	}
	for (size_t p = 0; p < inv->npfs; p++) {
		const struct sriov_pf *pf = &inv->pf[p];
		const char *other = pf->iommu_group == choice->vf->iommu_group ? pf->address : NULL;

		for (unsigned v = 0; !other && pf->vf && v < pf->vfs; v++)
			if (pf->vf[v].iommu_group == choice->vf->iommu_group &&
			    &pf->vf[v] != choice->vf && pf->vf[v].driver[0] &&
			    strcmp(pf->vf[v].driver, "vfio-pci") != 0)
				other = pf->vf[v].address;
		if (!other)
			continue;
		sriov_error_set(
			err, -ENOTSUP, object,
			"IOMMU group %d is not viable: %s is in it too and has a driver of the "
			"host",
			choice->vf->iommu_group, other);
		return sriov_error_hint(err,
					"use a slot whose bridges have ACS, or bind that device "
					"to vfio-pci as well");
	}
	return 0;
}

/* What of the attributes is ours to set: libvirt writes MAC and VLAN of an <interface>. */
static struct sriov_vf_attrs attrs_for(const struct sriov_guest_request *as,
				       const struct sriov_lease *lease)
{
	bool ours = !strcmp(lease->kind, "raw") || !strcmp(lease->kind, "hands-off");
	struct sriov_vf_attrs attrs = as->attrs;

	attrs.has &= ~(SRIOV_VF_MAC | SRIOV_VF_VLAN);
	if (!ours)
		return attrs;
	attrs.has |= SRIOV_VF_MAC | (as->attrs.has & SRIOV_VF_VLAN);
	memcpy(attrs.mac, lease->mac, 6);
	return attrs;
}

void guest_remember(const struct sriov_vf *vf, const struct sriov_vf_attrs *attrs,
		    struct sriov_lease *lease)
{
	struct sriov_vf_attrs found = vf->attrs;

	found.has &= attrs->has & ~lease->found.has;
	sriov_vf_attrs_merge(&lease->found, &found);
}

static int want_vf(struct change *change, const struct sriov_guest_request *as,
		   struct sriov_lease *lease, struct sriov_error *err)
{
	const struct sriov_vf_attrs attrs = attrs_for(as, lease);
	const struct sriov_vf *now = pf_vf(change->pf, lease->vf);
	struct vf_state *vf;

	if (!attrs.has || !now)
		return 0;
	vf = state_vf(&change->want, lease->vf);
	if (!vf)
		return core_oom(err);
	vf->attrs = attrs;
	guest_remember(now, &attrs, lease);
	return 0;
}

/* A limit on what the guest sends is libvirt's to set; for less than that it has no words. */
static int check_limit(const struct sriov_guest_request *as, const char *path,
		       struct sriov_error *err)
{
	if (!(as->attrs.has & SRIOV_VF_RATE) || !as->attrs.min_rate)
		return 0;
	sriov_error_set(err, -EOPNOTSUPP, as->guest,
			"libvirt guarantees no rate to what a guest sends by a %s, so min-rate %u "
			"cannot be kept",
			path, as->attrs.min_rate);
	return sriov_error_hint(err, "leave it out (--max-rate is kept), or give --paths vf");
}

/* On a bridge of OVS all but trust is kept, which is said. */
static int refuse_attrs(struct change *change, const struct sriov_guest_request *as,
			const struct guest_choice *choice, struct sriov_error *err)
{
	unsigned lost = as->attrs.has & ~(SRIOV_VF_MAC | SRIOV_VF_VLAN);

	if (choice->path == SRIOV_PATH_VHOSTUSER && (lost & SRIOV_VF_TRUST) && as->attrs.trust)
		return change_note(change, err,
				   "trust counts once it is on a VF: a bridge has no such thing");
	if (choice->vf || choice->path == SRIOV_PATH_VHOSTUSER)
		return 0;
	lost &= ~SRIOV_VF_RATE;
	if (!lost)
		return check_limit(as, sriov_path_word(choice->path), err);
	sriov_error_set(err, -EOPNOTSUPP, as->guest,
			"trust, spoofchk and link state are a VF's, and the path would be %s",
			sriov_path_word(choice->path));
	return sriov_error_hint(err, "leave them out, or give --paths vf");
}

/* ---- the way home ---- */

/* What a VF of this port would refuse must not be promised on a bridge: it would bar the way home. */
static int check_home(struct change *change, const struct sriov_lease *lease,
		      struct sriov_error *err)
{
	struct pf_state home = {0};
	struct vf_state *vf;
	int r;

	if (lease->vf >= 0 || !lease->socket[0] || !lease->attrs.has || !change->pf->vfs)
		return 0;
	vf = state_vf(&home, change->pf->vf[0].index);
	if (!vf)
		return core_oom(err);
	vf->attrs = lease->attrs;
	r = steps_check(change->inv, change->pf, &home, err);
	state_clear(&home);
	return r;
}

/* ---- the whole ---- */

struct attach {
	struct change change;
	struct guest_choice choice; /* points into @inv */
	struct sriov_inventory *inv;
	struct virt_domain *domain;
};

/* All of the change: lease, attributes, devices. */
static int want_attached(struct attach *attach, const struct sriov_guest_request *as,
			 struct guest_ask *ask, struct sriov_lease *lease, struct sriov_error *err)
{
	struct change *change = &attach->change;
	struct guest_state *guest = state_guest(&change->want);
	struct guest_device device[GUEST_DEVICES];
	struct sriov_vf_attrs wanted;
	int r;

	if (!guest)
		return core_oom(err);
	core_copy(change->want.address, sizeof(change->want.address), change->pf->address);
	r = refuse_attrs(change, as, &attach->choice, err);
	if (!r && attach->choice.vf && !as->hands_off)
		r = check_group(&attach->choice, attach->inv, err);
	if (!r)
		r = guest_settle_mac(ask, &attach->choice, lease, err);
	if (!r)
		r = choose_definitions(as, attach->domain, guest->speaks, err);
	if (!r)
		r = guest_check_carried(change, lease, err);
	if (!r && lease->vf >= 0)
		r = want_vf(change, as, lease, err);
	if (r < 0)
		return r;
	wanted = as->attrs;
	wanted.has &= ~(SRIOV_VF_MAC | SRIOV_VF_VLAN);
	sriov_vf_attrs_merge(&lease->attrs, &wanted);
	r = check_home(change, lease, err);
	if (r < 0)
		return r;
	guest->leased = true;
	guest->lease = *lease;
	for (unsigned where = 0; where < ARRAY_SIZE(guest->there); where++)
		guest->there[where] = guest->speaks[where]
					      ? (1u << guest_lease_devices(lease, device)) - 1
					      : 0;
	return guest_check_devices(attach->domain, guest, err);
}

/* Chooses on what the host and the database show now. */
static int choose(struct attach *attach, struct sriov_host *host,
		  const struct sriov_guest_request *as, bool write, struct guest_ask *ask,
		  struct sriov_lease *lease, struct sriov_error *err)
{
	struct store *store = NULL;
	const struct virt_domain *domain = attach->domain;
	const char *xml = as->domain_xml ?: domain->config ?: domain->live;
	int r = host_read(host, NULL,
			  SRIOV_READ_VFS | SRIOV_READ_ATTRS | SRIOV_READ_USERS | SRIOV_READ_NODES,
			  &attach->inv, err);

	if (!r)
		r = guest_ask_open(ask, host, as, attach->inv, xml, err);
	if (!r && domain->uuid[0])
		core_copy(ask->uuid, sizeof(ask->uuid), domain->uuid);
	if (!r)
		r = store_get(host, write, &store, err);
	if (!r && store)
		r = store_join(store, attach->inv, err);
	if (!r)
		r = guest_ask_store(ask, store, err);
	return r ? r : guest_choose(ask, &attach->choice, lease, err);
}

static void attach_clear(struct attach *attach)
{
	change_close(&attach->change);
	sriov_inventory_free(core_steal(attach->inv));
}

/* -EAGAIN: the place that was chosen is not there any more. */
static int attach_once(struct attach *attach, struct sriov_host *host,
		       const struct sriov_guest_request *as, const struct sriov_options *opts,
		       struct sriov_lease *lease, struct sriov_error *err)
{
	_ask_ struct guest_ask ask = {0}, again = {0};
	struct sriov_lease chosen;
	char pf[SRIOV_PCI_LEN];
	int r = choose(attach, host, as, !opts->dry_run, &ask, &chosen, err);

	if (r < 0)
		return r;
	core_copy(pf, sizeof(pf), attach->choice.pf->address);
	r = change_open(&attach->change, host, pf, GUEST_CHANGE_READ, opts, err);
	if (r < 0)
		return r;
	/* under the lock, where nobody else of us can take it */
	sriov_inventory_free(core_steal(attach->inv));
	r = choose(attach, host, as, !opts->dry_run, &again, lease, err);
	if (r < 0)
		return r;
	if (strcmp(attach->choice.pf->address, pf) != 0)
		return -EAGAIN;
	r = want_attached(attach, as, &again, lease, err);
	if (!r)
		r = change_read_guest(&attach->change, attach->change.want.guest, err);
	if (!r && attach->domain->name[0] && !attach->change.domain.name[0])
		r = sriov_error_set(err, -ENOENT, attach->domain->name,
				    "its domain has gone while it was looked at");
	if (!r)
		r = change_note(&attach->change, err, "%s", attach->choice.reason);
	if (!r && as->queues && lease->vf >= 0 && !as->standby)
		r = change_note(&attach->change, err,
				"%u queues are asked for, and a VF has as many as its driver makes",
				as->queues);
	if (!r)
		r = change_run(&attach->change, err);
	if (!r)
		*lease = attach->change.want.guest->lease;
	return r;
}

static int explain(const struct attach *attach, const struct sriov_lease *lease,
		   struct sriov_attached *out, struct sriov_error *err)
{
	out->lease = *lease;
	out->node = attach->choice.node;
	out->reason = strdup(attach->choice.reason);
	return out->reason ? 0 : core_oom(err);
}

SRIOV_EXPORT int sriov_guest_attach(struct sriov_host *host, const struct sriov_guest_request *as,
				    const struct sriov_options *opts, struct sriov_plan **plan,
				    struct sriov_attached *out, struct sriov_error *err)
{
	_virt_domain_ struct virt_domain domain = {0};
	struct sriov_guest_request req = *as;
	struct attach attach = {.domain = &domain};
	struct sriov_error why = {0};
	struct sriov_lease lease;
	int r = find_domain(host, as, &domain, err);

	*plan = NULL;
	if (r < 0)
		return r;
	if (domain.name[0])
		req.guest = domain.name;
	for (unsigned i = 0; i < TRIES; i++) {
		why = (struct sriov_error){0};
		r = attach_once(&attach, host, &req, opts, &lease, &why);
		if (r != -EAGAIN)
			break;
		attach_clear(&attach);
	}
	if (r < 0 && err)
		*err = why;
	if (!r)
		r = explain(&attach, &lease, out, err);
	if (attach.change.host)
		change_give_plan(&attach.change, plan);
	attach_clear(&attach);
	return r;
}
