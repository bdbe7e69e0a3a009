/* SPDX-License-Identifier: Apache-2.0 */
/* The intent of `guest detach`: out of the domain, attributes as found, lease ended; and of `guest gc`. */
#include "lib/guest/choose.h"
#include "lib/plan/guest.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ---- rules ---- */

/* A rule's target would go to the next guest of that VF. */
static int check_rules(struct change *change, const struct sriov_lease *lease,
		       struct sriov_error *err)
{
	const struct sriov_rules *list = &change->intent.list;
	const char *first = NULL;
	size_t n = 0;

	for (size_t i = 0; i < list->n; i++)
		if (guest_rule_names(&list->at[i], lease) && !n++)
			first = list->at[i].name;
	if (!n)
		return 0;
	if (n == 1)
		sriov_error_set(err, -EBUSY, lease->guest, "rule %s of %s is about this guest",
				first, lease->pf);
	else
		sriov_error_set(err, -EBUSY, lease->guest,
				"rule %s of %s and %zu more are about this guest", first, lease->pf,
				n - 1);
	sriov_error_hint(
		err,
		"delete them first (sriovctl flow delete %s %s), or pass --force: they then "
		"go on sending to VF %d, whoever gets it",
		lease->pf, first, lease->vf);
	return sriov_error_status(err, SRIOV_REFUSED);
}

/* ---- who holds nothing ---- */

static int unknown_guest(struct store *store, const char *guest, struct sriov_error *err)
{
	_free_ struct sriov_lease *leases = NULL;
	_free_ const char **names_of = NULL;
	const char *near;
	size_t n = 0;
	int r = store ? store_lease_list(store, NULL, &leases, &n, err) : 0;

	if (r < 0)
		return r;
	names_of = calloc(n + 1, sizeof(*names_of));
	if (!names_of)
		return core_oom(err);
	for (size_t i = 0; i < n; i++)
		names_of[i] = leases[i].guest;
	near = core_nearest(guest, names_of);
	sriov_error_set(err, -ENOENT, guest, "no guest of that name holds a lease");
	if (near && strcmp(near, guest) != 0)
		return sriov_error_hint(
			err, "did you mean '%s'? `sriovctl guest list` shows all %zu", near, n);
	if (!n)
		return sriov_error_hint(err, "there are no leases");
	return sriov_error_hint(err, "`sriovctl guest list` shows the %zu leases", n);
}

/* -ENOENT (no error set): it holds nothing at all. */
static int not_there(struct store *store, const struct sriov_guest_request *as,
		     struct sriov_error *err)
{
	_free_ struct sriov_lease *lease = NULL;
	size_t n = 0;
	int r = store ? store_lease_of(store, as->guest, &lease, &n, err) : 0;

	if (r < 0 || !n)
		return r ? r : -ENOENT;
	sriov_error_set(err, -ESRCH, as->guest, "holds no lease on %s%s%s%s",
			as->net ? "physnet " : "", as->net ?: "", as->net && as->pf ? " and " : "",
			as->pf ?: "");
	return sriov_error_hint(err, "`sriovctl guest show '%s'` tells where it holds one",
				lease[0].guest);
}

/* ---- the domain ---- */

/* Evidence that the guest has the VF now, and that it would be taken from it or left with it. */
static const struct sriov_use *running_use(const struct change *change,
					   const struct sriov_lease *lease)
{
	const struct sriov_vf *vf = lease->vf < 0 ? NULL : pf_vf(change->pf, lease->vf);

	for (size_t i = 0; vf && i < vf->uses.n; i++)
		if (vf->uses.at[i].running || vf->uses.at[i].unreadable)
			return &vf->uses.at[i];
	return NULL;
}

/* Evidence that a domain names the VF, running or not: libvirt's own files say so, or cannot be read. */
static bool is_named(const struct change *change, const struct sriov_lease *lease)
{
	const struct sriov_vf *vf = lease->vf < 0 ? NULL : pf_vf(change->pf, lease->vf);

	for (size_t i = 0; vf && i < vf->uses.n; i++) {
		const struct sriov_use *use = &vf->uses.at[i];

		if (use->unreadable || (!use->lease && !strncmp(use->who, "guest ", 6)))
			return true;
	}
	return false;
}

static int refuse_running(const struct sriov_lease *lease, const struct sriov_use *use,
			  struct sriov_error *err)
{
	sriov_error_set(err, -EBUSY, lease->guest, "its VF %d of %s %s in use by %s: %s", lease->vf,
			lease->pf, use->unreadable ? "may be" : "is", use->who, use->how);
	sriov_error_hint(
		err, use->unreadable ? "make that readable (run as root), or use --force"
				     : "stop the guest or detach the VF first, or use --force: the "
				       "guest keeps the VF until it stops");
	return sriov_error_status(err, SRIOV_REFUSED);
}

/*
 * Which of the domain's definitions are spoken of. Without a domain of that name there are none; a libvirt that
 * cannot be asked is an error as long as there is evidence that a domain has the VF.
 */
static int choose_definitions(struct change *change, const struct sriov_guest_request *as,
			      struct guest_state *guest, bool named, struct sriov_error *err)
{
	bool either = !as->live && !as->config;
	struct sriov_error why = {0};
	int r = 0;

	guest->speaks[VIRT_CONFIG] = guest->speaks[VIRT_LIVE] = true;
	if (guest->lease.uuid[0] && strcmp(guest->lease.kind, "hands-off") != 0)
		r = change_read_guest(change, guest, &why);
	if (r < 0 && named && !change->opts->force) {
		if (err)
			*err = why;
		return sriov_error_hint(err,
					"or pass --force: the lease ends, and the domain keeps "
					"naming the VF");
	}
	guest->speaks[VIRT_CONFIG] = change->domain.config && (as->config || either);
	guest->speaks[VIRT_LIVE] = change->domain.live && (as->live || either);
	return 0;
}

/* Whether the definition that is not spoken of has the device still. */
static int stays(struct change *change, const struct guest_state *guest, bool *out,
		 struct sriov_error *err)
{
	struct guest_state other = *guest;
	int r;

	other.speaks[VIRT_CONFIG] = !guest->speaks[VIRT_CONFIG];
	other.speaks[VIRT_LIVE] = !guest->speaks[VIRT_LIVE];
	r = change_guest_there(change, &other, err);
	*out = !r && (other.there[VIRT_CONFIG] || other.there[VIRT_LIVE]);
	return r;
}

/* ---- the whole ---- */

static int want_detached(struct change *change, const struct sriov_guest_request *as,
			 const struct sriov_lease *lease, struct sriov_error *err)
{
	const struct sriov_use *use = running_use(change, lease);
	const struct sriov_use copy = use ? *use : (struct sriov_use){0};
	bool named = is_named(change, lease);
	struct guest_state *guest = state_guest(&change->want);
	struct guest_choice place;
	char why[160];
	struct vf_state *vf;
	int r;

	if (!guest)
		return core_oom(err);
	core_copy(change->want.address, sizeof(change->want.address), change->pf->address);
	guest->lease = *lease;
	r = choose_definitions(change, as, guest, named, err);
	if (!r)
		r = stays(change, guest, &guest->leased, err);
	if (r < 0)
		return r;
	if (!guest->leased && use && !guest->speaks[VIRT_LIVE] && !change->opts->force)
		return refuse_running(lease, &copy, err);
	if (guest->leased || !lease->found.has ||
	    !guest_lease_place(change->inv, change->store, lease, &place, why, sizeof(why)))
		return 0;
	vf = state_vf(&change->want, lease->vf);
	if (!vf)
		return core_oom(err);
	vf->attrs = lease->found;
	return 0;
}

/* Nothing is left of it but the record. */
static int forget(struct sriov_host *host, const struct sriov_lease *lease, bool dry_run,
		  struct sriov_error *err)
{
	struct store *store;
	int r = dry_run ? 0 : store_get(host, true, &store, err);

	if (r < 0 || dry_run)
		return r;
	r = store_begin(store, STORE_DURABLE, err);
	if (!r)
		r = store_lease_delete(store, lease->id, lease->generation, err);
	if (r == -ENOENT)
		sriov_error_set(err, r, lease->guest,
				"its lease %ld was ended by another command meanwhile", lease->id);
	if (!r)
		r = store_commit(store, err);
	store_rollback(store);
	return r;
}

/*
 * Under the lock: 0 if the lease is nobody's any more. 1: since gc looked at it an attach that was under way has
 * ended, or somebody ended the lease.
 */
static int check_stale(struct change *change, const struct sriov_lease *lease,
		       struct sriov_error *err)
{
	_free_ struct sriov_lease *list = NULL;
	size_t n = 0;
	int r = store_lease_list(change->store, lease->pf, &list, &n, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		struct sriov_lease_state now = {.lease = list[i]};

		if (list[i].id != lease->id)
			continue;
		guest_lease_judge(change->inv, change->store, &now);
		if (now.stale)
			return 0;
		r = change_note(change, err, "lease %ld of %s is held again: %s", lease->id,
				lease->guest, now.why);
		return r ? r : 1;
	}
	r = change_note(change, err, "lease %ld of %s has ended already", lease->id, lease->guest);
	return r ? r : 1;
}

/* 1: @only_stale, and it is not stale any more. */
static int detach(struct sriov_host *host, const struct sriov_guest_request *as,
		  const struct sriov_lease *lease, bool only_stale,
		  const struct sriov_options *opts, struct sriov_plan **plan,
		  struct sriov_error *err)
{
	struct sriov_error gone = {0};
	struct change change;
	int r = change_open(&change, host, lease->pf, GUEST_CHANGE_READ, opts, &gone);

	if (r == -ENODEV || r == -ENOTSUP || r == -ESTALE) {
		/* the PF is gone, or another card is in its slot */
		change_close(&change);
		return forget(host, lease, opts->dry_run, err);
	}
	if (r < 0 && err)
		*err = gone;
	if (!r && only_stale)
		r = check_stale(&change, lease, err);
	if (!r && !opts->force)
		r = check_rules(&change, lease, err);
	if (!r)
		r = want_detached(&change, as, lease, err);
	if (!r)
		r = change_read_guest(&change, change.want.guest, err);
	if (!r)
		r = change_run(&change, err);
	change_give_plan(&change, plan);
	change_close(&change);
	return r;
}

int guest_find(struct sriov_host *host, const struct sriov_guest_request *as,
	       struct sriov_lease *out, struct sriov_error *err)
{
	struct sriov_inventory *inv = NULL;
	struct store *store = NULL;
	int r = host_read(host, NULL, 0, &inv, err);

	if (!r)
		r = store_get(host, false, &store, err);
	if (!r)
		r = guest_lease_find(store, inv, as->guest, as->net, as->pf, out, err);
	sriov_inventory_free(inv);
	if (r == -ENOENT && (as->net || as->pf))
		r = not_there(store, as, err);
	if (r == -ENOENT)
		return unknown_guest(store, as->guest, err);
	/* the libvirt that was named, not the one of then: its socket may have moved */
	if (!r && host->uri)
		core_copy(out->uri, sizeof(out->uri), host->uri);
	return r;
}

SRIOV_EXPORT int sriov_guest_detach(struct sriov_host *host, const struct sriov_guest_request *as,
				    const struct sriov_options *opts, struct sriov_plan **plan,
				    struct sriov_lease *out, struct sriov_error *err)
{
	struct sriov_lease lease;
	int r = guest_find(host, as, &lease, err);

	*plan = NULL;
	if (!r)
		r = detach(host, as, &lease, false, opts, plan, err);
	if (!r)
		*out = lease;
	return r;
}

/* ---- gc ---- */

static int note_stale(struct sriov_plan **plan, const struct sriov_lease_state *found,
		      struct sriov_error *err)
{
	char **slot;

	if (!*plan)
		*plan = calloc(1, sizeof(**plan));
	if (!*plan)
		return core_oom(err);
	core_copy((*plan)->pf, sizeof((*plan)->pf), found->lease.pf);
	slot = core_grow(&(*plan)->note, &(*plan)->nnotes, sizeof(*slot));
	if (slot)
		*slot = core_printf("lease %ld of %s is stale: %s", found->lease.id,
				    found->lease.guest, found->why);
	return slot && *slot ? 0 : core_oom(err);
}

SRIOV_EXPORT int sriov_guest_gc(struct sriov_host *host, const struct sriov_options *opts,
				struct sriov_plan **plan, struct sriov_error *err)
{
	_free_ struct sriov_lease_state *found = NULL;
	struct change_chain chain = {.tail = plan};
	size_t n = 0;
	int r = sriov_lease_judge(host, &found, &n, err);

	*plan = NULL;
	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		const struct sriov_guest_request none = {.guest = found[i].lease.guest, .node = -1};
		struct sriov_error mine = {0};

		if (!found[i].stale)
			continue;
		r = detach(host, &none, &found[i].lease, true, opts, chain.tail, &mine);
		if (r <= 0 && note_stale(chain.tail, &found[i], err) < 0)
			return -ENOMEM;
		change_chain_add(&chain, r, &mine);
	}
	return change_chain_end(&chain, err);
}
