/* SPDX-License-Identifier: Apache-2.0 */
/* The guest's side of a change: what its domain has of what it holds, and the steps to have it otherwise. */
#include "lib/guest/choose.h"
#include "lib/plan/change.h"

#include <errno.h>
#include <string.h>

/* A guest's own use of a VF is no obstacle to a change that is for the guest. */
static void drop_uses_by(struct sriov_vf *vf, const char *guest)
{
	size_t kept = 0;

	for (size_t i = 0; i < vf->uses.n; i++)
		if (!guest_is_use(&vf->uses.at[i], guest))
			vf->uses.at[kept++] = vf->uses.at[i];
	vf->uses.n = kept;
}

static void drop_own_uses(struct change *change, const struct sriov_lease *lease)
{
	struct sriov_vf *vf = lease->vf < 0 ? NULL : pf_vf(change->pf, lease->vf);

	if (vf)
		drop_uses_by(vf, lease->guest);
}

void change_drop_self(struct change *change)
{
	for (unsigned v = 0; change->pf->vf && v < change->pf->vfs; v++)
		drop_uses_by(&change->pf->vf[v], change->want.self);
}

int change_read_guest(struct change *change, const struct guest_state *guest,
		      struct sriov_error *err)
{
	struct sriov_error none = {0};
	int r;

	drop_own_uses(change, &guest->lease);
	if (change->want.other)
		drop_own_uses(change, &change->want.other->lease);
	virt_domain_clear(&change->domain);
	if (!guest->speaks[VIRT_CONFIG] && !guest->speaks[VIRT_LIVE])
		return 0;
	r = virt_use(change->host, guest->lease.uri, err);
	if (!r)
		r = change->host->virt->find(change->host, guest->lease.uuid, &change->domain,
					     &none);
	if (r == -ENOENT)
		return 0;
	if (r < 0 && err)
		*err = none;
	return r;
}

static const char *xml_of(const struct virt_domain *domain, unsigned where)
{
	return where == VIRT_LIVE ? domain->live : domain->config;
}

int change_guest_there(const struct change *change, struct guest_state *guest,
		       struct sriov_error *err)
{
	struct guest_device device[GUEST_DEVICES], is = {0};
	size_t n = guest_lease_devices(&guest->lease, device);

	for (unsigned where = 0; where < ARRAY_SIZE(guest->there); where++) {
		const char *xml = xml_of(&change->domain, where);

		guest->there[where] = 0;
		guest->limited[where] = false;
		for (size_t i = 0; guest->speaks[where] && xml && i < n; i++) {
			bool found;
			int r = guest_device_find(xml, &device[i], &found, &is, err);

			if (r < 0)
				return r;
			guest->there[where] |= (unsigned)found << i;
			if (!found || (is.path != GUEST_MACVTAP && is.path != GUEST_TAP))
				continue;
			guest->limited[where] = true;
			guest->limit[where] = is.rate;
		}
	}
	return 0;
}

bool change_is_pair(const struct pf_state *want)
{
	return want->guest && want->other && want->guest->leased &&
	       !strcmp(want->guest->lease.kind, "standby");
}

/* What the guest may send by the device, if @part says: as it was, else as the lease has it. */
static bool limit_of(const struct guest_state *part, const struct guest_device *device,
		     unsigned where, uint64_t *limit)
{
	bool limitable = device->path == GUEST_MACVTAP || device->path == GUEST_TAP;

	*limit = part->limited[where] ? part->limit[where] : device->rate;
	return limitable && (part->limited[where] || device->has_rate);
}

static int add_step(struct steps *steps, enum step_kind kind, const struct pf_state *all,
		    const struct guest_state *want, const struct guest_device *device,
		    unsigned where, size_t i, bool on, struct sriov_error *err)
{
	struct step *step = core_grow(&steps->at, &steps->n, sizeof(*step));

	if (!step)
		return core_oom(err);
	step->kind = kind;
	step->on = on;
	step->number = i;
	step->live = where == VIRT_LIVE;
	step->lease = &want->lease;
	step->limited = limit_of(want, device, where, &step->limit);
	if (kind != STEP_DEVICE)
		return 0;
	/* a pair's VF, in a move */
	step->awaited = on && step->live && change_is_pair(all) && device->path == GUEST_VF;
	return 0;
}

/* A device that the other side of a move has as well stays where it is. */
static bool is_shared(const struct pf_state *want, const struct guest_state *part,
		      const struct guest_device *device)
{
	struct guest_device other[GUEST_DEVICES];
	size_t n = want->guest ? guest_lease_devices(&want->guest->lease, other) : 0;

	for (size_t i = 0; part == want->other && i < n; i++)
		if (other[i].path == device->path && !strcmp(other[i].address, device->address) &&
		    !strcmp(other[i].socket, device->socket) &&
		    !strcmp(other[i].netdev, device->netdev))
			return true;
	return false;
}

/*
 * In the definition first: that can be taken back without the guest noticing. What comes off goes the other way
 * round, and the half of a pair that depends on the other goes first.
 */
static int part_steps(const struct change *change, const struct pf_state *want,
		      const struct guest_state *part, bool on, struct steps *steps,
		      struct sriov_error *err)
{
	struct guest_state now = *part;
	struct guest_device device[GUEST_DEVICES];
	size_t n = guest_lease_devices(&part->lease, device);
	int r = change_guest_there(change, &now, err);

	for (unsigned k = 0; !r && k < ARRAY_SIZE(part->there); k++) {
		unsigned where = on ? k : !k;

		/* a guest that has stopped meanwhile has nothing to be attached to */
		if (!part->speaks[where] || !xml_of(&change->domain, where))
			continue;
		for (size_t d = 0; !r && d < n; d++) {
			size_t i = on ? d : n - 1 - d;
			bool wanted = part->there[where] >> i & 1;
			bool there = now.there[where] >> i & 1;
			uint64_t limit;

			if (wanted == on && there != wanted && !is_shared(want, part, &device[i]))
				r = add_step(steps, STEP_DEVICE, want, part, &device[i], where, i,
					     on, err);
			else if (wanted && on && there &&
				 limit_of(part, &device[i], where, &limit) &&
				 limit != now.limit[where])
				r = add_step(steps, STEP_LIMIT, want, part, &device[i], where, i,
					     on, err);
		}
	}
	return r;
}

int change_guest_steps(const struct change *change, const struct pf_state *want, bool on,
		       struct steps *steps, struct sriov_error *err)
{
	int r = want->other ? part_steps(change, want, want->other, on, steps, err) : 0;

	return r || !want->guest ? r : part_steps(change, want, want->guest, on, steps, err);
}
