/* SPDX-License-Identifier: Apache-2.0 */
/* Generations after they were made: going back, drift, confirming. */
#include "lib/guest/physnet.h"
#include "lib/plan/hostfile_plan.h"
#include "lib/plan/rule.h"
#include "lib/plan/vf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* What of the host stood before the oldest of some generations: of each PF, and of the networks. */
struct past {
	struct past_pf {
		char address[SRIOV_PCI_LEN];
		const json_t *json; /* NULL: only the bridge beside it is as it was */
	} * pf;
	size_t npfs;
	const json_t *nets; /* the side that says them; NULL = none does */
	json_t **side;      /* what the others point into; owned */
	size_t nsides;
	long pending; /* the unconfirmed one among them, 0 = none */
};

static void past_clear(struct past *past)
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

static int load_past(struct store *store, long id, struct past *past, struct sriov_error *err)
{
	struct store_generation *all = NULL;
	size_t n = 0;
	int r = store_generation_since(store, id, &all, &n, err);

	for (size_t i = 0; !r && i < n; i++) {
		json_t **side = core_grow(&past->side, &past->nsides, sizeof(*side));

		r = side ? generation_parse(all[i].before, side, err) : core_oom(err);
		if (!r)
			r = add_pfs(past, *side, err);
		if (!strcmp(all[i].row.status, "unconfirmed"))
			past->pending = all[i].row.id;
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

static int want_old_pools(struct change *change, const json_t *json, struct batch *batch,
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
		r = want_old_pools(change, json, batch, err);
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

static int go_back(struct sriov_host *host, const struct past *past, long id,
		   const struct sriov_options *opts, struct sriov_host_change *out,
		   struct sriov_error *err)
{
	_free_ char(*address)[SRIOV_PCI_LEN] = calloc(past->npfs + 1, sizeof(*address));
	struct sriov_inventory *inv = NULL;
	struct batch batch = {0};
	int r = address ? host_read(host, NULL, 0, &inv, err) : core_oom(err);

	for (size_t i = 0; !r && i < past->npfs; i++)
		core_copy(address[i], sizeof(*address), past->pf[i].address);
	if (!r)
		r = batch_open(&batch, host, (const char(*)[SRIOV_PCI_LEN])address, past->npfs,
			       opts, err);
	for (size_t i = 0; !r && i < batch.n; i++)
		if (past->pf[i].json)
			r = want_past(&batch, &batch.part[i].change, past->pf[i].json, err);
	if (!r && past->nets)
		r = generation_nets(batch.store, past->nets, &batch.net, &batch.nnets,
				    &batch.says_nets, err);
	if (!r)
		r = batch_plan(&batch, err);
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

SRIOV_EXPORT int sriov_generation_rollback(struct sriov_host *host, long id,
					   const struct sriov_options *opts,
					   struct sriov_host_change *out, struct sriov_error *err)
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
		return unknown_generation(id, err);
	if (!r)
		r = load_past(store, id, &past, err);
	if (!r)
		r = find_bridges(store, &past, err);
	if (!r)
		r = go_back(host, &past, id, opts, out, err);
	past_clear(&past);
	return r;
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

/* ---- confirming ---- */

static int set_status(struct store *store, long id, const char *status, const char *why,
		      struct sriov_error *err)
{
	int r = store_begin(store, STORE_DURABLE, err);

	if (!r)
		r = store_generation_status(store, id, status, why, err);
	if (!r)
		r = store_commit(store, err);
	store_rollback(store);
	return r;
}

SRIOV_EXPORT int sriov_generation_confirm(struct sriov_host *host, long *id,
					  struct sriov_error *err)
{
	struct store_generation pending = {0};
	struct store *store = NULL;
	int r = generation_pending(host, &pending, err);

	if (r == -ENOENT) {
		sriov_error_set(err, r, "confirm", "no generation waits to be confirmed");
		return sriov_error_hint(err, "`sriovctl generations` tells what became of each");
	}
	if (!r)
		r = store_get(host, true, &store, err);
	if (!r)
		r = set_status(store, pending.row.id, "committed", NULL, err);
	if (!r)
		*id = pending.row.id;
	store_generation_clear(&pending);
	return r;
}

static unsigned seconds_until(const char *when)
{
	struct tm tm = {0};
	time_t then, now = time(NULL);

	if (!strptime(when, "%Y-%m-%dT%H:%M:%SZ", &tm))
		return 0;
	then = timegm(&tm);
	return then > now ? then - now : 0;
}

/* The boot that runs, and whether the generation was made in it. */
static int is_of_this_boot(struct sriov_host *host, const struct store_generation *generation,
			   bool *same, struct sriov_error *err)
{
	struct sriov_inventory *inv = NULL;
	int r = host_read(host, NULL, 0, &inv, err);

	if (!r)
		*same = !strcmp(inv->boot_id, generation->boot_id);
	sriov_inventory_free(inv);
	return r;
}

/* The one with a deadline, or -ENOENT (no error set). */
static int find_due(struct sriov_host *host, struct store_generation *out, struct sriov_error *err)
{
	struct store *store = NULL;
	int r = store_get(host, false, &store, err);

	if (r < 0)
		return r;
	return store ? store_generation_get(store, -1, out, err) : -ENOENT;
}

SRIOV_EXPORT int sriov_generation_due(struct sriov_host *host, long *id, unsigned *seconds,
				      struct sriov_error *err)
{
	struct store_generation due = {0};
	bool same;
	int r = find_due(host, &due, err);

	if (!r)
		r = is_of_this_boot(host, &due, &same, err);
	if (!r) {
		*id = due.row.id;
		*seconds = same ? seconds_until(due.row.confirm_by) : 0;
	}
	store_generation_clear(&due);
	return r;
}

/* Pools of the past into the want of a change that only records. */
static int forget_parts(struct batch *batch, const struct past *past, struct sriov_error *err)
{
	int r = 0;

	for (size_t i = 0; !r && i < batch->n; i++) {
		struct change *change = &batch->part[i].change;
		const char *intent = core_json_text(past->pf[i].json, "intent", NULL, NULL);

		change->want.replaces = true;
		change->want.record = intent ? strdup(intent) : NULL;
		if (intent && !change->want.record)
			return core_oom(err);
		r = want_old_pools(change, past->pf[i].json, batch, err);
		if (!r)
			r = apply_commit_part(change, NULL, 0, err);
	}
	return r;
}

static int forget_nets(struct store *store, const struct past *past, struct sriov_error *err)
{
	struct sriov_physnet *nets = NULL;
	size_t n = 0;
	bool has;
	int r = past->nets ? generation_nets(store, past->nets, &nets, &n, &has, err) : 0;

	if (!r && past->nets)
		r = store_physnet_replace(store, nets, n, err);
	sriov_physnets_free(nets, n);
	return r;
}

/*
 * After a reboot nothing that it did to the kernel has survived: what was recorded before is recorded again, and
 * `restore` brings that back.
 */
static int forget(struct sriov_host *host, struct store *store, const struct past *past, long id,
		  const struct sriov_options *opts, struct sriov_error *err)
{
	_free_ char(*address)[SRIOV_PCI_LEN] = calloc(past->npfs + 1, sizeof(*address));
	struct batch batch = {0};
	int r = address ? 0 : core_oom(err);

	for (size_t i = 0; !r && i < past->npfs; i++)
		core_copy(address[i], sizeof(*address), past->pf[i].address);
	if (!r)
		r = batch_open(&batch, host, (const char(*)[SRIOV_PCI_LEN])address, past->npfs,
			       opts, err);
	if (!r)
		r = store_begin(store, STORE_DURABLE, err);
	if (!r)
		r = forget_parts(&batch, past, err);
	if (!r)
		r = forget_nets(store, past, err);
	if (!r)
		r = store_generation_status(store, id, "undone",
					    "the host was started again before it was confirmed",
					    err);
	if (!r)
		r = store_commit(store, err);
	store_rollback(store);
	batch_close(&batch);
	return r;
}

/* Of one that was left half done by a kill the recovery decides whether there is anything to confirm. */
static int end_open(struct sriov_host *host, long id, const struct sriov_options *opts,
		    struct sriov_error *err)
{
	struct store_generation due = {0};
	struct change_notes notes = {0};
	int r = find_due(host, &due, err);

	if (!r && due.row.id == id && !strcmp(due.row.status, "open"))
		r = batch_recover(host, id, RECOVER_AUTO, opts, &notes, NULL, err);
	change_notes_clear(&notes);
	store_generation_clear(&due);
	return r == -ENOENT ? 0 : r;
}

SRIOV_EXPORT int sriov_generation_expire(struct sriov_host *host, long id,
					 const struct sriov_options *opts, struct sriov_error *err)
{
	struct store_generation pending = {0};
	struct sriov_host_change change = {0};
	struct store *store = NULL;
	struct past past = {0};
	bool same = false, over;
	int r = end_open(host, id, opts, err);

	if (!r)
		r = generation_pending(host, &pending, err);
	over = r == -ENOENT || pending.row.id != id;
	if (!r && !over)
		r = is_of_this_boot(host, &pending, &same, err);
	store_generation_clear(&pending);
	if (over || r < 0)
		return r == -ENOENT ? 0 : r;
	if (same) {
		r = sriov_generation_rollback(host, id, opts, &change, err);
		sriov_host_change_clear(&change);
		return r;
	}
	r = store_get(host, true, &store, err);
	if (!r)
		r = load_past(store, id, &past, err);
	if (!r)
		r = forget(host, store, &past, id, opts, err);
	past_clear(&past);
	return r;
}
