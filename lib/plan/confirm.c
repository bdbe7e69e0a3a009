/* SPDX-License-Identifier: Apache-2.0 */
/* Generations with a deadline: confirmed, or taken back when it is over. */
#include "lib/plan/rollback.h"

#include <errno.h>
#include <string.h>
#include <time.h>

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
		r = past_want_pools(change, past->pf[i].json, batch, err);
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
static int forget(struct sriov_host *host, struct store *store, struct past *past, long id,
		  const struct sriov_options *opts, struct sriov_error *err)
{
	struct sriov_inventory *inv = NULL;
	struct batch batch = {0};
	int r = past_open(past, host, true, opts, &batch, &inv, err);

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
	sriov_inventory_free(inv);
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

static bool is_pending(struct sriov_host *host, long id)
{
	struct store_generation pending = {0};
	bool is = !generation_pending(host, &pending, NULL) && pending.row.id == id;

	store_generation_clear(&pending);
	return is;
}

/* Of the boot that runs what it did is taken back; of another one only what it recorded. */
static int take_back(struct sriov_host *host, long id, const struct sriov_options *opts,
		     struct sriov_error *err)
{
	struct store_generation generation = {0};
	struct sriov_host_change change = {0};
	struct store *store = NULL;
	struct past past = {0};
	bool same = false;
	int r = store_get(host, true, &store, err);

	if (!r)
		r = store_generation_get(store, id, &generation, err);
	if (!r)
		r = is_of_this_boot(host, &generation, &same, err);
	store_generation_clear(&generation);
	if (!r && same) {
		r = generation_take_back(host, id, true, opts, &change, err);
		sriov_host_change_clear(&change);
		return r;
	}
	if (!r)
		r = past_load(store, id, &past, err);
	if (!r && past.pending == id)
		r = forget(host, store, &past, id, opts, err);
	past_clear(&past);
	return r;
}

SRIOV_EXPORT int sriov_generation_expire(struct sriov_host *host, long id,
					 const struct sriov_options *opts, struct sriov_error *err)
{
	int r = end_open(host, id, opts, err);

	if (r < 0 || !is_pending(host, id))
		return r;
	r = take_back(host, id, opts, err);
	/* somebody else was faster */
	return r < 0 && !is_pending(host, id) ? 0 : r;
}
