/* SPDX-License-Identifier: Apache-2.0 */
/* The intents of `vf create`, `set`, `bind` and `delete`. */
#include "lib/plan/vf.h"
#include "lib/plan/rule.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SALTS 256
#define READ_VFS (SRIOV_READ_VFS | SRIOV_READ_ATTRS | SRIOV_READ_USERS | SRIOV_READ_USES)

/* ---- MAC addresses ---- */

/* Who else has addresses on this host. */
struct others {
	struct sriov_inventory *host; /* its PFs, or none */
	struct sriov_lease *lease;
	size_t nleases;
};

static void others_clear(struct others *others)
{
	sriov_inventory_free(others->host);
	free(others->lease);
}
#define _others_ _cleanup_(others_clear)

static bool is_guests(const struct change *change, const struct sriov_lease *lease,
		      const uint8_t mac[6], unsigned index)
{
	bool on_it = lease->vf == (int)index && !strcmp(lease->pf, change->pf->address);

	return !on_it && !memcmp(lease->mac, mac, 6);
}

/* Whether a guest that is not on that VF has @mac, or will have it. */
static bool mac_leased(const struct change *change, const struct others *others,
		       const uint8_t mac[6], unsigned index)
{
	const struct guest_state *own = change->want.guest;

	if (own && own->leased && is_guests(change, &own->lease, mac, index))
		return true;
	for (size_t i = 0; i < others->nleases; i++)
		if (!(own && own->lease.id == others->lease[i].id) &&
		    is_guests(change, &others->lease[i], mac, index))
			return true;
	return false;
}

/* Whether @mac is that of a PF of the host, of a VF of this PF other than @index, or of a guest elsewhere. */
static bool mac_taken(const struct change *change, const struct others *others,
		      const uint8_t mac[6], unsigned index)
{
	const struct sriov_inventory *host = others->host;

	for (size_t i = 0; host && i < host->npfs; i++)
		if (!memcmp(host->pf[i].mac, mac, 6) || !memcmp(host->pf[i].perm_mac, mac, 6))
			return true;
	for (unsigned i = 0; i < change->pf->vfs; i++)
		if (change->pf->vf[i].index != index &&
		    !memcmp(change->pf->vf[i].attrs.mac, mac, 6))
			return true;
	for (size_t i = 0; i < change->want.nvf; i++)
		if (change->want.vf[i].index != index &&
		    (change->want.vf[i].attrs.has & SRIOV_VF_MAC) &&
		    !memcmp(change->want.vf[i].attrs.mac, mac, 6))
			return true;
	return mac_leased(change, others, mac, index);
}

/* Whether that derived MAC is on record for the VF, and no guest has taken it along. */
static bool is_recorded(const struct change *change, const struct others *others, unsigned index,
			const uint8_t mac[6])
{
	const struct vf_state *recorded = state_find_vf(&change->intent, index);

	return recorded && (recorded->attrs.has & SRIOV_VF_MAC) &&
	       !memcmp(recorded->attrs.mac, mac, 6) && !mac_leased(change, others, mac, index);
}

/* The VF's automatic MAC: the one recorded for it, else the first derived one that nobody has. */
static void choose_mac(const struct change *change, const struct others *others, unsigned index,
		       uint8_t out[6])
{
	for (unsigned salt = 0; salt < SALTS; salt++) {
		sriov_mac_auto(change->pf->perm_mac, index, salt, out);
		if (is_recorded(change, others, index, out))
			return;
	}
	for (unsigned salt = 0; salt < SALTS; salt++) {
		sriov_mac_auto(change->pf->perm_mac, index, salt, out);
		if (!mac_taken(change, others, out, index))
			return;
	}
}

static int refuse_taken(const struct change *change, unsigned index, const uint8_t mac[6],
			struct sriov_error *err)
{
	char object[64], text[SRIOV_MAC_LEN];

	snprintf(object, sizeof(object), "vf %u of %s", index, change->pf->address);
	sriov_error_set(err, -EADDRINUSE, object, "MAC %s is taken on this host",
			sriov_mac_format(mac, text));
	return sriov_error_hint(err, "give another one, or let `--mac auto` choose");
}

static void count_up(uint8_t mac[6], unsigned by)
{
	for (int i = 5; i >= 0 && by; i--) {
		by += mac[i];
		mac[i] = by;
		by >>= 8;
	}
}

/* The VF has its first derived MAC on record: who else is on the host does not matter. */
static bool has_first_mac(const struct change *change, const struct others *others, unsigned index)
{
	uint8_t mac[6];

	sriov_mac_auto(change->pf->perm_mac, index, 0, mac);
	return is_recorded(change, others, index, mac);
}

/* The guests, and the host's PFs if a MAC of the VFs is to be compared with theirs. */
static int read_others(const struct change *change, bool automatic, struct others *out,
		       struct sriov_error *err)
{
	int r = change->store
			? store_lease_list(change->store, NULL, &out->lease, &out->nleases, err)
			: 0;

	for (size_t i = 0; !r && i < change->want.nvf; i++)
		if (!automatic || !has_first_mac(change, out, change->want.vf[i].index))
			return host_read(change->host, NULL, 0, &out->host, err);
	return r;
}

int vf_want_macs(struct change *change, const struct sriov_vfset *vfs, bool automatic,
		 const uint8_t *first, struct sriov_error *err)
{
	_others_ struct others others = {0};
	int r = read_others(change, automatic, &others, err);
	unsigned nth = 0;

	for (size_t i = 0; !r && i < change->want.nvf; i++) {
		struct vf_state *vf = &change->want.vf[i];
		uint8_t mac[6];

		if (vfs && !sriov_vfset_has(vfs, vf->index))
			continue;
		if (automatic) {
			choose_mac(change, &others, vf->index, mac);
		} else {
			memcpy(mac, first, 6);
			count_up(mac, nth++);
			if (!sriov_mac_is_zero(mac) && mac_taken(change, &others, mac, vf->index))
				r = refuse_taken(change, vf->index, mac, err);
		}
		memcpy(vf->attrs.mac, mac, 6);
		vf->attrs.has |= SRIOV_VF_MAC;
	}
	return r;
}

/* ---- binding ---- */

static const char *const bind_drivers[] = {
	[SRIOV_BIND_NONE] = "",
	[SRIOV_BIND_DEFAULT] = BIND_ANY_DEFAULT,
	[SRIOV_BIND_VFIO] = "vfio-pci",
};

void vf_want_driver(struct vf_state *vf, enum sriov_bind bind)
{
	if (bind == SRIOV_BIND_KEEP)
		return;
	vf->has_driver = true;
	core_copy(vf->driver, sizeof(vf->driver), bind_drivers[bind]);
}

/* ---- the commands ---- */

static int finish(struct change *change, int r, struct sriov_plan **plan, struct sriov_error *err)
{
	if (!r)
		r = change_run(change, err);
	change_give_plan(change, plan);
	change_close(change);
	return r;
}

/* Another count is another command; the plan says what it would do. */
static int refuse_resize(struct change *change, struct sriov_error *err)
{
	const struct sriov_pf *pf = change->pf;
	unsigned used = 0, count = change->want.count;
	int r = change_show(change, err);

	if (r < 0)
		return r;
	for (unsigned i = 0; i < pf->vfs; i++)
		used += pf->vf[i].uses.n > 0;
	sriov_error_set(
		err, -EBUSY, pf_label(pf),
		"has %u VFs already (%u in use); the kernel changes a count only by deleting "
		"all of them first",
		pf->vfs, used);
	sriov_error_hint(err,
			 "`sriovctl vf delete %s` and then `vf create %s --count %u`; "
			 "--dry-run shows whom each hits",
			 pf->address, pf->address, count);
	return sriov_error_status(err, SRIOV_REFUSED);
}

static int want_created(struct change *change, const struct sriov_vf_create *create,
			struct sriov_error *err)
{
	const struct sriov_pf *pf = change->pf;
	struct pf_state *want = &change->want;
	enum sriov_bind bind = create->bind;

	if (!create->count) {
		sriov_error_set(err, -EINVAL, pf_label(pf), "a count of 0 creates nothing");
		return sriov_error_hint(err, "`sriovctl vf delete` deletes VFs");
	}
	core_copy(want->address, sizeof(want->address), pf->address);
	want->has = STATE_COUNT | STATE_UP;
	want->count = create->count;
	want->up = true;
	core_copy(want->pool, sizeof(want->pool), create->pool);
	/* new VFs get their driver after their attributes, so it is always said which */
	if (pf->vfs != create->count && bind == SRIOV_BIND_KEEP)
		bind = pf->autoprobe ? SRIOV_BIND_DEFAULT : SRIOV_BIND_NONE;
	if (bind != SRIOV_BIND_KEEP) {
		want->has |= STATE_AUTOPROBE;
		want->autoprobe = bind == SRIOV_BIND_DEFAULT;
	}
	for (unsigned i = 0; i < create->count; i++) {
		struct vf_state *vf = state_vf(want, i);

		if (!vf)
			return core_oom(err);
		vf->attrs = create->attrs;
		vf->attrs.has &= ~SRIOV_VF_MAC;
		vf_want_driver(vf, bind);
	}
	return 0;
}

static int check_pool(const struct sriov_vf_create *create, struct sriov_error *err)
{
	size_t len = create->pool ? strlen(create->pool) : 0;

	if (len < sizeof(((struct pf_state *)0)->pool))
		return 0;
	sriov_error_set(err, -ENAMETOOLONG, "pool", "its name has %zu characters", len);
	return sriov_error_hint(err, "at most %zu", sizeof(((struct pf_state *)0)->pool) - 1);
}

SRIOV_EXPORT int sriov_vf_create(struct sriov_host *host, const char *pf,
				 const struct sriov_vf_create *create,
				 const struct sriov_options *opts, struct sriov_plan **plan,
				 struct sriov_error *err)
{
	struct change change;
	int r = change_open(&change, host, pf, CHANGE_READ_ALL, opts, err);

	if (!r)
		r = check_pool(create, err);
	if (!r)
		r = want_created(&change, create, err);
	if (!r && (create->mac_auto || (create->attrs.has & SRIOV_VF_MAC)))
		r = vf_want_macs(&change, NULL, create->mac_auto, create->mac_first, err);
	if (!r && change.pf->vfs && change.pf->vfs != create->count)
		r = refuse_resize(&change, err);
	if (!r && change.pf->vfs != create->count)
		r = rule_want_vfs(&change, create->count, err);
	if (!r)
		change_leave_libvirts(&change);
	return finish(&change, r, plan, err);
}

/* The VFs of @vfs that exist; "all" names every index, another index that is not there is an error. */
static int want_vfs(struct change *change, const struct sriov_vfset *vfs, struct sriov_error *err)
{
	bool all = sriov_vfset_has(vfs, SRIOV_VF_MAX - 1);
	unsigned count = change->pf->vfs;

	core_copy(change->want.address, sizeof(change->want.address), change->pf->address);
	for (unsigned i = 0; i < SRIOV_VF_MAX; i++) {
		if (!sriov_vfset_has(vfs, i) || (all && i >= count))
			continue;
		if (i >= count) {
			sriov_error_set(err, -ERANGE, pf_label(change->pf), "there is no VF %u", i);
			return count ? sriov_error_hint(err, "its VFs are 0..%u", count - 1)
				     : sriov_error_hint(err, "it has no VFs: `sriovctl vf create`");
		}
		if (!state_vf(&change->want, i))
			return core_oom(err);
	}
	if (change->want.nvf)
		return 0;
	sriov_error_set(err, -ENODEV, pf_label(change->pf), "it has no VFs");
	return sriov_error_hint(err, "create some: sriovctl vf create %s --count N",
				change->pf->address);
}

SRIOV_EXPORT int sriov_vf_set(struct sriov_host *host, const char *pf,
			      const struct sriov_vfset *vfs, const struct sriov_vf_attrs *attrs,
			      bool mac_auto, const struct sriov_options *opts,
			      struct sriov_plan **plan, struct sriov_error *err)
{
	struct change change;
	int r = change_open(&change, host, pf, READ_VFS, opts, err);

	if (!r)
		r = want_vfs(&change, vfs, err);
	for (size_t i = 0; !r && i < change.want.nvf; i++) {
		change.want.vf[i].attrs = *attrs;
		change.want.vf[i].attrs.has &= ~SRIOV_VF_MAC;
	}
	if (!r && (mac_auto || (attrs->has & SRIOV_VF_MAC)))
		r = vf_want_macs(&change, NULL, mac_auto, attrs->mac, err);
	return finish(&change, r, plan, err);
}

SRIOV_EXPORT int sriov_vf_bind(struct sriov_host *host, const char *pf,
			       const struct sriov_vfset *vfs, enum sriov_bind bind,
			       const struct sriov_options *opts, struct sriov_plan **plan,
			       struct sriov_error *err)
{
	struct change change;
	int r = change_open(&change, host, pf, READ_VFS & ~SRIOV_READ_ATTRS, opts, err);

	if (!r)
		r = want_vfs(&change, vfs, err);
	for (size_t i = 0; !r && i < change.want.nvf; i++)
		vf_want_driver(&change.want.vf[i], bind);
	return finish(&change, r, plan, err);
}

bool vf_rules_left(const struct change *change)
{
	for (size_t i = 0; i < change->pf->nrules; i++) {
		const struct sriov_entry *entry = &change->pf->rules[i];
		const struct rule_state *ours = state_find_rule(&change->intent, entry->loc);

		if (!ours || !sriov_entry_same(&ours->entry, entry))
			return true;
	}
	return change->want.list.n;
}

/* What our first change found is put back, as far as nothing else of ours needs it. */
static int want_as_found(struct change *change, struct sriov_error *err)
{
	struct pf_state *want = &change->want, found = {0};
	bool rules_left = vf_rules_left(change);
	int r = change->known.found ? state_decode(change->known.found, &found, err) : 0;

	if (r < 0)
		return r;
	if (found.has & STATE_AUTOPROBE) {
		want->has |= STATE_AUTOPROBE;
		want->autoprobe = found.autoprobe;
	}
	/* deleting VFs resets the port anyway, so switching ntuple back costs nothing more */
	if ((found.has & STATE_NTUPLE) && !found.ntuple && (change->intent.has & STATE_NTUPLE) &&
	    !rules_left) {
		want->has |= STATE_NTUPLE;
		want->ntuple = false;
	}
	/* taking the port down would take rules with it */
	if ((found.has & STATE_UP) && !found.up && (change->intent.has & STATE_UP) && !rules_left) {
		want->has |= STATE_UP;
		want->up = false;
	}
	state_clear(&found);
	return 0;
}

int vf_want_none(struct change *change, struct sriov_error *err)
{
	int r;

	core_copy(change->want.address, sizeof(change->want.address), change->pf->address);
	change->want.has |= STATE_COUNT;
	change->want.count = 0;
	r = (change->want.has & STATE_LIST) ? 0 : rule_want_vfs(change, 0, err);
	return r ? r : want_as_found(change, err);
}

SRIOV_EXPORT int sriov_vf_delete(struct sriov_host *host, const char *pf,
				 const struct sriov_options *opts, struct sriov_plan **plan,
				 struct sriov_error *err)
{
	struct change change;
	int r = change_open(&change, host, pf, CHANGE_READ_ALL, opts, err);

	if (!r)
		r = vf_want_none(&change, err);
	return finish(&change, r, plan, err);
}
