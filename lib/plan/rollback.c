/* SPDX-License-Identifier: Apache-2.0 */
/* Going back to what stood before a generation. See rollback.h. */
#include "lib/plan/rollback.h"
#include "lib/guest/physnet.h"
#include "lib/plan/rule.h"
#include "lib/plan/vf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void past_clear(struct past *past)
{
	for (size_t i = 0; i < past->nsides; i++)
		json_decref(past->side[i]);
	free(past->side);
	free(past->pf);
	*past = (struct past){0};
}

static int by_address(const void *a, const void *b)
{
	return strcmp(((const struct past_pf *)a)->address, ((const struct past_pf *)b)->address);
}

/* The PF's row, made if it is not there yet; NULL without memory. */
static struct past_pf *add_pf(struct past *past, const char *address)
{
	struct past_pf *pf;

	for (size_t i = 0; i < past->npfs; i++)
		if (!strcmp(past->pf[i].address, address))
			return &past->pf[i];
	pf = core_grow(&past->pf, &past->npfs, sizeof(*pf));
	if (pf)
		core_copy(pf->address, sizeof(pf->address), address);
	return pf;
}

/* The oldest word on each PF counts. */
static int add_pfs(struct past *past, const json_t *side, struct sriov_error *err)
{
	const json_t *json;
	size_t i;

	json_array_foreach(json_object_get(side, "pfs"), i, json) {
		struct past_pf *pf = add_pf(past, core_json_text(json, "pf", "", NULL));

		if (!pf)
			return core_oom(err);
		if (!pf->json)
			pf->json = json;
	}
	if (!past->nets && json_object_get(side, "physnets"))
		past->nets = side;
	return 0;
}

int past_load(struct store *store, long id, struct past *past, struct sriov_error *err)
{
	struct store_generation *all = NULL;
	size_t n = 0;
	int r = store_generation_since(store, id, &all, &n, err);

	for (size_t i = 0; !r && i < n; i++) {
		json_t **side = core_grow(&past->side, &past->nsides, sizeof(*side));

		r = side ? generation_parse(all[i].before, side, err) : core_oom(err);
		if (!r)
			r = add_pfs(past, *side, err);
		past->last = all[i].row.id;
		if (!strcmp(all[i].row.status, "unconfirmed"))
			past->pending = past->last;
	}
	for (size_t i = 0; i < n; i++)
		store_generation_clear(&all[i]);
	free(all);
	if (past->npfs)
		qsort(past->pf, past->npfs, sizeof(*past->pf), by_address);
	return r;
}

/* ---- a PF as it was ---- */

static int want_image(struct change *change, struct pf_state *image, struct sriov_error *err)
{
	struct pf_state *want = &change->want;

	/* the rules are not simply those that stood: what others made since stays */
	want->has = image->has & (STATE_UP | STATE_COUNT | STATE_AUTOPROBE | STATE_NTUPLE);
	want->up = image->up;
	want->count = image->count;
	want->autoprobe = image->autoprobe;
	want->ntuple = image->ntuple;
	want->vf = core_steal(image->vf);
	want->nvf = image->nvf;
	image->nvf = 0;
	if ((image->has & STATE_RSS) && state_set_rss(want, image->rss, image->nrss) < 0)
		return core_oom(err);
	if (vf_rules_left(change)) {
		/* switching ntuple off, or the port, would take them along */
		if (!want->ntuple)
			want->has &= ~STATE_NTUPLE;
		if (!want->up)
			want->has &= ~STATE_UP;
	}
	return 0;
}

int past_want_pools(struct change *change, const json_t *json, struct batch *batch,
		    struct sriov_error *err)
{
	_free_ struct store_pools *now = calloc(1, sizeof(*now)), *then = calloc(1, sizeof(*then));
	struct pf_state *want = &change->want;
	const json_t *row;
	size_t i;
	int r = now && then ? store_pool_read(change->store, change->pf->address, now, err)
			    : core_oom(err);

	json_array_foreach(json_object_get(json, "pools"), i, row) {
		struct pool_state *pool = core_grow(&want->pools, &want->npools, sizeof(*pool));
		json_int_t first = json_integer_value(json_array_get(row, 0));
		json_int_t last = json_integer_value(json_array_get(row, 1));

		if (!pool)
			return core_oom(err);
		*pool = (struct pool_state){.first = first, .last = last};
		core_copy(pool->name, sizeof(pool->name),
			  json_string_value(json_array_get(row, 2)));
		for (json_int_t v = first; !r && v <= last && v < SRIOV_VF_MAX; v++)
			core_copy(then->at[v], sizeof(then->at[v]), pool->name);
	}
	if (r < 0 || !memcmp(now, then, sizeof(*now)))
		return r;
	want->has_pools = true;
	return change_notes_add(&batch->record, err, "%s: the pools of its VFs are as before",
				change->pf->address);
}

static int want_past(struct batch *batch, struct change *change, const json_t *json,
		     struct sriov_error *err)
{
	const char *intent = core_json_text(json, "intent", NULL, NULL);
	struct pf_state recorded = {0}, image = {0};
	int r = state_decode(core_json_text(json, "image", "", NULL), &image, err);

	if (!r && intent)
		r = state_decode(intent, &recorded, err);
	if (!r)
		r = rule_want_recorded(change, &recorded, &image, err);
	if (!r)
		r = want_image(change, &image, err);
	if (!r)
		r = past_want_pools(change, json, batch, err);
	state_clear(&recorded);
	state_clear(&image);
	if (r < 0)
		return r;
	change->want.replaces = true;
	change->want.record = intent ? strdup(intent) : NULL;
	if (intent && !change->want.record)
		return core_oom(err);
	change_leave_libvirts(change);
	return 0;
}

/* ---- going back ---- */

static int run_back(struct batch *batch, const struct past *past, long id, const char *boot_id,
		    struct sriov_host_change *out, struct sriov_error *err)
{
	struct store_generation generation = {.source = strdup("")};
	int r = generation.source ? 0 : core_oom(err);

	core_copy(generation.row.command, sizeof(generation.row.command),
		  batch->opts->command ?: "libsriov");
	snprintf(generation.row.why, sizeof(generation.row.why), "as before generation %ld", id);
	core_copy(generation.boot_id, sizeof(generation.boot_id), boot_id);
	if (!r)
		r = batch_run(batch, &generation, past->pending, err);
	out->generation = r ? 0 : generation.row.id;
	store_generation_clear(&generation);
	return r;
}

/* The PFs beside bridges that change are part of it, whether anything else of them does or not. */
static int add_bridges(struct past *past, const struct sriov_physnet *a, size_t na,
		       const struct sriov_physnet *b, size_t nb, struct sriov_error *err)
{
	for (size_t i = 0; i < na; i++) {
		const struct sriov_physnet *other = physnet_named(b, nb, a[i].name);

		if (a[i].bridge[0] && (!other || !batch_same_net(&a[i], other)) &&
		    !add_pf(past, a[i].uplink_pf))
			return core_oom(err);
	}
	return 0;
}

static int find_bridges(struct store *store, struct past *past, struct sriov_error *err)
{
	struct sriov_physnet *now = NULL, *then = NULL;
	size_t nnow = 0, nthen = 0;
	bool has;
	int r = past->nets ? generation_nets(store, past->nets, &then, &nthen, &has, err) : 0;

	if (!r && past->nets)
		r = store_physnet_list(store, &now, &nnow, err);
	if (!r)
		r = add_bridges(past, now, nnow, then, nthen, err);
	if (!r)
		r = add_bridges(past, then, nthen, now, nnow, err);
	if (past->npfs)
		qsort(past->pf, past->npfs, sizeof(*past->pf), by_address);
	sriov_physnets_free(now, nnow);
	sriov_physnets_free(then, nthen);
	return r;
}

/*
 * -ESTALE if by now another generation is the last one (but what the command itself has @recovered may have ended as one), or
 * the unconfirmed one was confirmed or taken back, so that @past is not what a way back leads to.
 */
static int past_check(struct store *store, const struct past *past, bool recovered,
		      struct sriov_error *err)
{
	struct store_generation last = {0};
	int r = store_generation_get(store, 0, &last, err);
	long pending = strcmp(last.row.status, "unconfirmed") ? 0 : last.row.id;
	bool same = (recovered || last.row.id == past->last) && pending == past->pending;

	store_generation_clear(&last);
	if ((r < 0 && r != -ENOENT) || same)
		return r;
	sriov_error_set(err, -ESTALE, "generations",
			"another was made, confirmed or taken back at the same time");
	sriov_error_hint(err, "look at `sriovctl generations`, and run the command again");
	return sriov_error_status(err, SRIOV_REFUSED);
}

/* Without PFs that the host has not any more: noted if that @may be, else refused. */
static int past_leave_gone(struct past *past, const struct sriov_inventory *inv, bool may,
			   struct change_notes *gone, struct sriov_error *err)
{
	size_t kept = 0;
	int r = 0;

	for (size_t i = 0; !r && i < past->npfs; i++) {
		const char *address = past->pf[i].address;

		if (inventory_find(inv, address)) {
			past->pf[kept++] = past->pf[i];
		} else if (may) {
			r = change_notes_add(gone, err,
					     "%s: not on this host, and left as it is recorded",
					     address);
		} else {
			sriov_error_set(err, -ENODEV, address,
					"it is not on this host any more, and cannot go back with "
					"the others");
			sriov_error_hint(err, "bring the card or its driver back, or leave it out: "
					      "--force");
			r = sriov_error_status(err, SRIOV_REFUSED);
		}
	}
	if (!r)
		past->npfs = kept;
	return r;
}

int past_open(struct past *past, struct sriov_host *host, bool leave_gone,
	      const struct sriov_options *opts, struct batch *batch, struct sriov_inventory **inv,
	      struct sriov_error *err)
{
	_free_ char(*address)[SRIOV_PCI_LEN] = calloc(past->npfs + 1, sizeof(*address));
	struct change_notes gone = {0};
	int r = address ? host_read(host, NULL, 0, inv, err) : core_oom(err);

	if (!r)
		r = past_leave_gone(past, *inv, leave_gone, &gone, err);
	for (size_t i = 0; !r && i < past->npfs; i++)
		core_copy(address[i], sizeof(*address), past->pf[i].address);
	if (!r)
		r = batch_open(batch, host, (const char(*)[SRIOV_PCI_LEN])address, past->npfs, opts,
			       err);
	batch->record = gone;
	return r ? r : past_check(batch->store, past, batch->recovered, err);
}

static int go_back(struct sriov_host *host, struct past *past, long id, bool leave_gone,
		   const struct sriov_options *opts, struct sriov_host_change *out,
		   struct sriov_error *err)
{
	struct sriov_inventory *inv = NULL;
	struct batch batch = {0};
	int r = past_open(past, host, leave_gone, opts, &batch, &inv, err);

	for (size_t i = 0; !r && i < batch.n; i++)
		if (past->pf[i].json)
			r = want_past(&batch, &batch.part[i].change, past->pf[i].json, err);
	if (!r && past->nets)
		r = generation_nets(batch.store, past->nets, &batch.net, &batch.nnets,
				    &batch.says_nets, err);
	if (!r)
		r = batch_plan(&batch, err);
	if (!r)
		r = batch_check_expected(&batch, "rollback", err);
	/* the end of an unconfirmed one is recorded, also if the host is as before already */
	if (!r && !opts->dry_run && (batch.differs || past->pending))
		r = run_back(&batch, past, id, inv->boot_id, out, err);
	batch_give(&batch, out);
	batch_close(&batch);
	sriov_inventory_free(inv);
	return r;
}

static int unknown_generation(long id, struct sriov_error *err)
{
	if (id)
		sriov_error_set(err, -ENOENT, "rollback",
				"there is no generation %ld to go back to", id);
	else
		sriov_error_set(err, -ENOENT, "rollback", "no host file was applied here");
	return sriov_error_hint(err, "`sriovctl generations` lists them");
}

int generation_take_back(struct sriov_host *host, long id, bool expires,
			 const struct sriov_options *opts, struct sriov_host_change *out,
			 struct sriov_error *err)
{
	struct store_generation generation = {0};
	struct past past = {0};
	struct store *store = NULL;
	bool stands = false;
	int r = store_get(host, false, &store, err);

	*out = (struct sriov_host_change){0};
	if (!r)
		r = store ? store_generation_get(store, id, &generation, err) : -ENOENT;
	if (!r) {
		id = generation.row.id;
		stands = !strcmp(generation.row.status, "committed") ||
			 !strcmp(generation.row.status, "unconfirmed");
	}
	store_generation_clear(&generation);
	if (r == -ENOENT || (!r && !stands))
		return expires ? 0 : unknown_generation(id, err);
	if (!r)
		r = past_load(store, id, &past, err);
	if (!r && (!expires || past.pending == id)) {
		r = find_bridges(store, &past, err);
		if (!r)
			r = go_back(host, &past, id, expires || opts->force, opts, out, err);
	}
	past_clear(&past);
	return r;
}

SRIOV_EXPORT int sriov_generation_rollback(struct sriov_host *host, long id,
					   const struct sriov_options *opts,
					   struct sriov_host_change *out, struct sriov_error *err)
{
	return generation_take_back(host, id, false, opts, out, err);
}

SRIOV_EXPORT int sriov_generation_list(struct sriov_host *host, struct sriov_generation **out,
				       size_t *n, struct sriov_error *err)
{
	struct store *store = NULL;
	int r = store_get(host, false, &store, err);

	*out = NULL;
	*n = 0;
	return r || !store ? r : store_generation_list(store, out, n, err);
}
