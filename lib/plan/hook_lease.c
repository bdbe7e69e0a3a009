/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leases in libvirt's hook: adopted at the start, ended at the end. They need no durable commit: after a power loss
 * no guest runs.
 */
#include "lib/guest/choose.h"
#include "lib/plan/hook.h"

#include <errno.h>
#include <string.h>

bool hook_is_mine(const struct hook_domain *domain, const struct sriov_lease *lease)
{
	if (lease->uuid[0])
		return !strcasecmp(lease->uuid, domain->uuid);
	return !strcmp(lease->guest, domain->name);
}

int hook_leases_read(struct hook_change *at, struct sriov_error *err)
{
	struct change *change = &at->change;
	_free_ struct sriov_lease *list = NULL;
	size_t n = 0, kept = 0;
	int r = change->store ? store_lease_list(change->store, change->pf->address, &list, &n, err)
			      : 0;

	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++)
		if (list[i].vf >= 0 && hook_is_mine(&at->hook->domain, &list[i]))
			list[kept++] = list[i];
	free(at->lease);
	at->lease = core_steal(list);
	at->nleases = kept;
	return 0;
}

struct sriov_lease *hook_lease_of(const struct hook_change *at, unsigned vf)
{
	for (size_t i = 0; i < at->nleases; i++)
		if (at->lease[i].vf == (int)vf)
			return &at->lease[i];
	return NULL;
}

/* ---- taking ---- */

/* Who holds the VF, if it is somebody else; -ENOENT (no error set): nobody. */
static int find_other(const struct hook_change *at, unsigned vf, struct sriov_lease *out,
		      struct sriov_error *err)
{
	_free_ struct sriov_lease *list = NULL;
	size_t n = 0;
	int r = store_lease_list(at->change.store, at->change.pf->address, &list, &n, err);

	for (size_t i = 0; !r && i < n; i++) {
		if (list[i].vf != (int)vf || hook_is_mine(&at->hook->domain, &list[i]))
			continue;
		*out = list[i];
		return 0;
	}
	return r ? r : -ENOENT;
}

/* A lease that nobody holds any more gives way; whether it is one is looked up only here, for it takes time. */
static int oust(struct hook_change *at, const struct sriov_lease *other, struct sriov_error *err)
{
	struct change *change = &at->change;
	struct sriov_lease_state state = {.lease = *other};
	unsigned what = change->what;
	int r;

	change->what |= SRIOV_READ_USERS;
	r = change_read(change, err);
	change->what = what;
	if (r < 0)
		return r;
	guest_lease_judge(change->inv, change->store, &state);
	if (state.stale) {
		r = store_lease_delete(change->store, other->id, other->generation, err);
		return r == -ENOENT ? 0 : r;
	}
	sriov_error_set(err, -EBUSY, at->hook->domain.name,
			"VF %d of %s is leased to %s (lease %ld: %s)", other->vf,
			pf_label(change->pf), other->guest, other->id, state.why);
	sriov_error_hint(
		err, "give this guest another VF, or end that lease: sriovctl guest detach '%s'",
		other->guest);
	return sriov_error_status(err, SRIOV_REFUSED);
}

static int adopt(struct hook_change *at, const struct hook_vf *vf, struct sriov_error *err)
{
	const struct hook_domain *domain = &at->hook->domain;
	struct change *change = &at->change;
	const struct sriov_vf *now = pf_vf(change->pf, vf->index);
	struct sriov_lease *slot, lease;

	if (!now)
		return sriov_error_set(err, -ENODEV, domain->name, "VF %u of %s has gone",
				       vf->index, pf_label(change->pf));
	lease = guest_adopted(change, now, domain->name);
	core_copy(lease.uuid, sizeof(lease.uuid), domain->uuid);
	core_copy(lease.kind, sizeof(lease.kind), vf->device->interface ? "interface" : "raw");
	if (vf->device->interface) {
		memcpy(lease.mac, vf->device->mac, 6);
		lease.vlan = vf->device->vlan;
	}
	slot = core_grow(&at->lease, &at->nleases, sizeof(*slot));
	if (!slot)
		return core_oom(err);
	*slot = lease;
	return store_lease_insert(change->store, slot, err);
}

/* What there is of a lease of the guest's own. */
static int keep(struct hook_change *at, struct sriov_lease *lease, bool running,
		struct sriov_error *err)
{
	struct store *store = at->change.store;
	const char *state = !strcmp(lease->state, "ending")                ? "adopted"
			    : !strcmp(lease->state, "adopted") || !running ? lease->state
									   : "active";
	int r = 0;

	if (!lease->uuid[0]) {
		core_copy(lease->uuid, sizeof(lease->uuid), at->hook->domain.uuid);
		r = store_lease_bind(store, lease->id, lease->uuid, err);
	}
	if (r < 0 || !strcmp(state, lease->state))
		return r;
	core_copy(lease->state, sizeof(lease->state), state);
	return store_lease_put(store, lease, err);
}

static bool is_kept(const struct hook_change *at, bool running)
{
	for (size_t i = 0; i < at->nvfs; i++) {
		const struct sriov_lease *lease = hook_lease_of(at, at->vf[i].index);

		if (!lease || !lease->uuid[0] || !strcmp(lease->state, "ending") ||
		    (running && !strcmp(lease->state, "reserved")))
			return false;
	}
	return true;
}

int hook_leases_take(struct hook_change *at, bool running, struct sriov_error *err)
{
	struct store *store = at->change.store;
	struct sriov_lease other;
	int r = 0;

	if (at->hook->opts->dry_run || is_kept(at, running))
		return 0;
	r = store_begin(store, STORE_MARK, err);
	for (size_t i = 0; !r && i < at->nvfs; i++) {
		struct sriov_lease *mine = hook_lease_of(at, at->vf[i].index);

		if (mine) {
			r = keep(at, mine, running, err);
			continue;
		}
		r = find_other(at, at->vf[i].index, &other, err);
		r = r == -ENOENT ? 0 : r < 0 ? r : oust(at, &other, err);
		if (!r)
			r = adopt(at, &at->vf[i], err);
	}
	if (!r)
		r = store_commit(store, err);
	store_rollback(store);
	return r;
}

int hook_lease_found(struct hook_change *at, struct sriov_lease *lease, struct sriov_error *err)
{
	struct store *store = at->change.store;
	int r = store_begin(store, STORE_MARK, err);

	if (!r)
		r = store_lease_put(store, lease, err);
	if (!r)
		r = store_commit(store, err);
	store_rollback(store);
	return r == -ENOENT ? sriov_error_set(err, r, lease->guest, "its lease %ld has just ended",
					      lease->id)
			    : r;
}

/* ---- giving back ---- */

int hook_leases_wait(struct hook_change *at, struct sriov_error *err)
{
	struct store *store = at->change.store;
	int r = store_begin(store, STORE_MARK, err);

	for (size_t i = 0; !r && i < at->nleases; i++) {
		struct sriov_lease *lease = &at->lease[i];
		bool adopted = !strcmp(lease->state, "adopted");

		if (guest_lease_waits(lease))
			continue;
		core_copy(lease->state, sizeof(lease->state), adopted ? "ending" : "reserved");
		r = store_lease_turn(store, lease, err);
	}
	if (!r)
		r = store_commit(store, err);
	store_rollback(store);
	return r == -ENOENT ? 0 : r;
}

int hook_leases_end(struct hook_change *at, struct sriov_error *err)
{
	struct store *store = at->change.store;
	int r = store_begin(store, STORE_MARK, err);

	for (size_t i = 0; !r && i < at->nleases; i++) {
		const struct sriov_lease *lease = &at->lease[i];

		if (strcmp(lease->state, "ending") != 0)
			continue;
		r = store_lease_delete(store, lease->id, lease->generation, err);
		r = r == -ENOENT ? 0 : r;
	}
	if (!r)
		r = store_commit(store, err);
	store_rollback(store);
	return r;
}
