/* SPDX-License-Identifier: Apache-2.0 */
/* What a host file wants of a PF: the intents of `vf create`, `vf set`, `vf bind`, `pool set` and `flow apply` in one. */
#include "lib/guest/place.h"
#include "lib/plan/hostfile_plan.h"
#include "lib/plan/rule.h"
#include "lib/plan/vf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct wish {
	const struct hostfile *file;
	const struct hostfile_pf *entry;
	struct batch *batch;
	struct change *change;
	unsigned count; /* of VFs that there will be */
	bool remade;    /* they are made anew */
};

static int at_line(const struct wish *wish, unsigned line, int code, struct sriov_error *err,
		   const char *fmt, ...) __attribute__((format(printf, 5, 6)));

static int at_line(const struct wish *wish, unsigned line, int code, struct sriov_error *err,
		   const char *fmt, ...)
{
	char message[300];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	return core_yaml_error(err, code, wish->file->name, line, hostfile_column(wish->file, line),
			       "%s: %s", pf_label(wish->change->pf), message);
}

const struct hostfile_vfs *hostfile_range_of(const struct hostfile_pf *entry, unsigned vf)
{
	for (size_t i = 0; i < entry->nranges; i++)
		if (sriov_vfset_has(&entry->range[i].vfs, vf))
			return &entry->range[i];
	return NULL;
}

/* ---- VFs ---- */

static int check_there(const struct wish *wish, struct sriov_error *err)
{
	const struct hostfile_pf *entry = wish->entry;

	for (size_t k = 0; k < entry->nranges; k++)
		for (unsigned i = wish->count; i < SRIOV_VF_MAX; i++) {
			if (!sriov_vfset_has(&entry->range[k].vfs, i))
				continue;
			at_line(wish, entry->range[k].line, -ERANGE, err,
				"there is no VF %u: it has %u VFs", i, wish->count);
			return sriov_error_hint(err, "say how many there shall be: vfs: %u", i + 1);
		}
	return 0;
}

/* What was recorded of a VF that is made anew, and what the file says goes over it. */
static void want_vf(const struct wish *wish, struct vf_state *vf)
{
	const struct vf_state *recorded = state_find_vf(&wish->change->intent, vf->index);
	const struct hostfile_vfs *range = hostfile_range_of(wish->entry, vf->index);
	const struct sriov_pf *pf = wish->change->pf;
	enum sriov_bind bind = range && range->bind ? range->bind : wish->entry->all.bind;

	if (wish->remade && recorded) {
		vf->attrs = recorded->attrs;
		vf->has_driver = recorded->has_driver;
		core_copy(vf->driver, sizeof(vf->driver), recorded->driver);
	}
	for (unsigned i = 0; i < 2; i++) {
		struct sriov_vf_attrs attrs = {0};

		if (i == 0)
			attrs = wish->entry->all.attrs;
		else if (range)
			attrs = range->attrs;
		attrs.has &= ~SRIOV_VF_MAC;
		sriov_vf_attrs_merge(&vf->attrs, &attrs);
	}
	/* new VFs get their driver after their attributes, so it is always said which */
	if (bind == SRIOV_BIND_KEEP && wish->remade && !vf->has_driver)
		bind = pf->autoprobe ? SRIOV_BIND_DEFAULT : SRIOV_BIND_NONE;
	vf_want_driver(vf, bind);
	/* an adopted VF's driver is recorded by its name, which says the same */
	if (bind == SRIOV_BIND_DEFAULT && recorded && recorded->has_driver &&
	    state_bound_as(recorded->driver, BIND_ANY_DEFAULT))
		core_copy(vf->driver, sizeof(vf->driver), recorded->driver);
}

static int want_macs(const struct wish *wish, struct sriov_error *err)
{
	const struct hostfile_pf *entry = wish->entry;
	int r = 0;

	if (entry->all.mac_auto || (entry->all.attrs.has & SRIOV_VF_MAC))
		r = vf_want_macs(wish->change, NULL, entry->all.mac_auto, entry->all.attrs.mac,
				 err);
	for (size_t k = 0; !r && k < entry->nranges; k++) {
		const struct hostfile_vfs *range = &entry->range[k];

		if (range->mac_auto || (range->attrs.has & SRIOV_VF_MAC))
			r = vf_want_macs(wish->change, &range->vfs, range->mac_auto,
					 range->attrs.mac, err);
	}
	return r;
}

static bool says_of_all(const struct hostfile_pf *entry)
{
	return entry->all.attrs.has || entry->all.mac_auto || entry->all.bind != SRIOV_BIND_KEEP;
}

static int want_vfs(const struct wish *wish, struct sriov_error *err)
{
	const struct hostfile_pf *entry = wish->entry;
	struct pf_state *want = &wish->change->want;

	if (entry->has_count) {
		want->has |= STATE_COUNT | STATE_UP;
		want->count = wish->count;
		want->up = true;
	}
	/* making VFs switches it off meanwhile, so it is part of what they are made with */
	if (entry->has_count && (wish->remade || entry->all.bind != SRIOV_BIND_KEEP)) {
		want->has |= STATE_AUTOPROBE;
		want->autoprobe = entry->all.bind == SRIOV_BIND_KEEP
					  ? wish->change->pf->autoprobe
					  : entry->all.bind == SRIOV_BIND_DEFAULT;
	}
	for (unsigned i = 0; i < wish->count; i++) {
		struct vf_state *vf;

		if (!entry->has_count && !says_of_all(entry) && !hostfile_range_of(entry, i))
			continue;
		vf = state_vf(want, i);
		if (!vf)
			return core_oom(err);
		want_vf(wish, vf);
	}
	return want_macs(wish, err);
}

/* ---- pools ---- */

static const char *pool_named(const char *pool)
{
	return pool[0] ? pool : GUEST_POOL;
}

static int tell_pools(const struct wish *wish, const struct store_pools *now,
		      const struct store_pools *then, struct sriov_error *err)
{
	const struct sriov_pf *pf = wish->change->pf;
	int r = 0;

	for (unsigned i = 0, last; !r && i < wish->count; i = last + 1) {
		struct sriov_vfset vfs = {0};

		last = i;
		if (!strcmp(pool_named(now->at[i]), pool_named(then->at[i])))
			continue;
		sriov_vfset_add(&vfs, i);
		while (last + 1 < wish->count && !strcmp(then->at[last + 1], then->at[i]) &&
		       strcmp(pool_named(now->at[last + 1]), pool_named(then->at[i])) != 0)
			sriov_vfset_add(&vfs, ++last);
		if (wish->change->store && !wish->change->opts->force)
			r = guest_pool_unleased(wish->change->store, pf, &vfs,
						pool_named(then->at[i]), err);
		if (!r)
			r = change_notes_add(&wish->batch->record, err,
					     "%s: VFs %u-%u go to pool %s", pf->address, i, last,
					     pool_named(then->at[i]));
	}
	return r;
}

static int set_pools(struct pf_state *want, const struct store_pools *then, struct sriov_error *err)
{
	want->has_pools = true;
	for (unsigned i = 0, last; i < SRIOV_VF_MAX; i = last + 1) {
		struct pool_state *pool;

		last = i;
		while (last + 1 < SRIOV_VF_MAX && !strcmp(then->at[last + 1], then->at[i]))
			last++;
		if (!then->at[i][0])
			continue;
		pool = core_grow(&want->pools, &want->npools, sizeof(*pool));
		if (!pool)
			return core_oom(err);
		pool->first = i;
		pool->last = last;
		core_copy(pool->name, sizeof(pool->name), then->at[i]);
	}
	return 0;
}

/* Whether the VF is the uplink of a network that the file has. */
static bool is_uplink(const struct wish *wish, unsigned vf)
{
	const struct batch *batch = wish->batch;

	for (size_t i = 0; i < batch->nnets; i++)
		if (batch->net[i].bridge[0] && batch->net[i].uplink == SRIOV_UPLINK_VF &&
		    batch->net[i].uplink_vf == vf &&
		    !strcmp(batch->net[i].uplink_pf, wish->change->pf->address))
			return true;
	return false;
}

static int want_pools(const struct wish *wish, bool *says, struct sriov_error *err)
{
	_free_ struct store_pools *now = calloc(1, sizeof(*now)), *then = calloc(1, sizeof(*then));
	const struct hostfile_pf *entry = wish->entry;
	bool differ = false;
	int r = 0;

	if (!now || !then)
		return core_oom(err);
	if (wish->change->store)
		r = store_pool_read(wish->change->store, wish->change->pf->address, now, err);
	if (r < 0)
		return r;
	*then = *now;
	for (unsigned i = 0; i < wish->count; i++) {
		const struct hostfile_vfs *range = hostfile_range_of(entry, i);
		const char *pool = range && range->pool[0] ? range->pool : entry->all.pool;

		if (pool[0] && is_uplink(wish, i))
			pool = "uplink";
		*says |= pool[0] != '\0';
		if (pool[0])
			core_copy(then->at[i], sizeof(then->at[i]), pool);
		differ |= strcmp(pool_named(now->at[i]), pool_named(then->at[i])) != 0;
	}
	if (!differ)
		return 0;
	r = tell_pools(wish, now, then, err);
	return r ? r : set_pools(&wish->change->want, then, err);
}

/* ---- rules, and the whole ---- */

static int want_rules(const struct wish *wish, struct sriov_error *err)
{
	const struct hostfile_pf *entry = wish->entry;
	const struct rule_how how = {.allow = entry->allow,
				     .partial = entry->partial,
				     .adopt = wish->change->opts->adopt};
	int r = 0;

	if (!entry->has_rules)
		return wish->remade && wish->count ? rule_want_vfs(wish->change, wish->count, err)
						   : 0;
	if (entry->from_file)
		r = rule_refuse_empty(wish->change, &entry->rules, err);
	return r ? r : rule_want_list(wish->change, &entry->rules, wish->count, &how, err);
}

/* Whether anything of this PF is, or is recorded to be, for `vfs: 0` to take away. */
static bool has_vfs(const struct change *change)
{
	return change->pf->vfs || ((change->intent.has & STATE_COUNT) && change->intent.count);
}

static int want(const struct wish *wish, bool *says_pools, struct sriov_error *err)
{
	struct change *change = wish->change;
	int r = check_there(wish, err);

	if (!r)
		r = want_rules(wish, err);
	if (!r && wish->count)
		r = want_vfs(wish, err);
	else if (!r && wish->entry->has_count && has_vfs(change))
		r = vf_want_none(change, err);
	if (!r)
		r = want_pools(wish, says_pools, err);
	if (!r)
		change_leave_libvirts(change);
	return r;
}

int hostfile_want(const struct hostfile *file, const struct hostfile_pf *entry, struct batch *batch,
		  struct batch_part *part, struct sriov_error *err)
{
	struct change *change = &part->change;
	const struct wish wish = {
		.file = file,
		.entry = entry,
		.batch = batch,
		.change = change,
		.count = entry->has_count ? entry->count : change->pf->vfs,
		.remade = entry->has_count && entry->count != change->pf->vfs,
	};

	part->leaves_rules = !entry->has_rules;
	return want(&wish, &part->says_pools, err);
}
