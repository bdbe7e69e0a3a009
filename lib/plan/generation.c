/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a generation records, as JSON: {"pfs": [{"pf", "intent": text or null, "image": the whole PF as it stood,
 * "pools": [[first, last, name], …]}], "physnets": [as a change's "net"], "bridges": that it speaks of those, "closes",
 * "sets_physnets"}. "after" has no images, but of a PF "leaves_rules" if they were not said, and pools and networks only if they were said; "before" has networks only if
 * they change.
 */
#include "lib/guest/physnet.h"
#include "lib/plan/batch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* All of a PF: as if its VFs were to be made anew, because then nothing is left out. */
static int image_of(const struct change *change, struct pf_state *out, struct sriov_error *err)
{
	struct pf_state all = {
		.has = STATE_UP | STATE_COUNT | STATE_AUTOPROBE | STATE_NTUPLE |
		       (change->intent.has & STATE_RSS),
		.count = change->pf->vfs + 1,
	};

	return state_capture(change->pf, &all, out, err);
}

static json_t *encode_pools(const struct store_pools *pools)
{
	json_t *array = json_array();

	for (unsigned i = 0, last; i < SRIOV_VF_MAX; i = last + 1) {
		last = i;
		while (last + 1 < SRIOV_VF_MAX && !strcmp(pools->at[last + 1], pools->at[i]))
			last++;
		if (pools->at[i][0])
			json_array_append_new(array,
					      json_pack("[iis]", (int)i, (int)last, pools->at[i]));
	}
	return array;
}

static void put_nets(json_t *side, const struct sriov_physnet *nets, size_t n)
{
	json_t *array = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(array, state_encode_net(&nets[i]));
	json_object_set_new(side, "physnets", array);
	json_object_set_new(side, "bridges", json_true());
}

/* The texts of PF states are long: they go in as text, not as a tree. */
static int before_pf(const struct batch *batch, const struct batch_part *part, json_t *pfs,
		     struct sriov_error *err)
{
	const struct change *change = &part->change;
	_free_ struct store_pools *pools = calloc(1, sizeof(*pools));
	_free_ char *text = NULL;
	struct pf_state image = {0};
	int r = pools ? store_pool_read(batch->store, change->pf->address, pools, err)
		      : core_oom(err);

	if (!r)
		r = image_of(change, &image, err);
	if (!r)
		r = state_encode(&image, &text, err);
	state_clear(&image);
	if (r < 0)
		return r;
	return json_array_append_new(pfs, json_pack("{ss ss? ss so}", "pf", change->pf->address,
						    "intent", change->known.intent, "image", text,
						    "pools", encode_pools(pools)))
		       ? core_oom(err)
		       : 0;
}

static int dump(json_t *json, char **out, struct sriov_error *err)
{
	*out = json ? json_dumps(json, JSON_COMPACT) : NULL;
	json_decref(json);
	return *out ? 0 : core_oom(err);
}

static int record_before(const struct batch *batch, struct store_generation *generation,
			 struct sriov_error *err)
{
	json_t *pfs = json_array(), *side = json_pack("{so}", "pfs", pfs);
	struct sriov_physnet *nets = NULL;
	size_t n = 0;
	int r = 0;

	for (size_t i = 0; !r && i < batch->n; i++)
		if (batch->part[i].works)
			r = before_pf(batch, &batch->part[i], pfs, err);
	if (!r && batch->has_nets)
		r = store_physnet_list(batch->store, &nets, &n, err);
	if (!r && batch->has_nets)
		put_nets(side, nets, n);
	sriov_physnets_free(nets, n);
	if (r < 0) {
		json_decref(side);
		return r;
	}
	return dump(side, &generation->before, err);
}

/* Pools as they will be. */
static int after_pools(const struct batch *batch, const struct batch_part *part, json_t *pf,
		       struct sriov_error *err)
{
	const struct pf_state *want = &part->change.want;
	_free_ struct store_pools *pools = calloc(1, sizeof(*pools));
	int r;

	if (!part->says_pools)
		return 0;
	if (!pools)
		return core_oom(err);
	r = want->has_pools ? 0
			    : store_pool_read(batch->store, part->change.pf->address, pools, err);
	for (size_t k = 0; k < want->npools; k++)
		for (unsigned i = want->pools[k].first; i <= want->pools[k].last; i++)
			core_copy(pools->at[i], sizeof(pools->at[i]), want->pools[k].name);
	return r ? r : json_object_set_new(pf, "pools", encode_pools(pools)) ? core_oom(err) : 0;
}

static int record_after(const struct batch *batch, long closes, struct store_generation *generation,
			struct sriov_error *err)
{
	json_t *pfs = json_array(), *side = json_pack("{so}", "pfs", pfs);
	int r = 0;

	for (size_t i = 0; !r && i < batch->n; i++) {
		const struct batch_part *part = &batch->part[i];
		json_t *pf = json_pack("{ss ss?}", "pf", part->change.pf->address, "intent",
				       part->intent);

		if (part->leaves_rules)
			json_object_set_new(pf, "leaves_rules", json_true());
		r = after_pools(batch, part, pf, err);
		json_array_append_new(pfs, pf);
	}
	if (batch->says_nets)
		put_nets(side, batch->net, batch->nnets);
	if (batch->has_nets)
		json_object_set_new(side, "sets_physnets", json_true());
	if (closes)
		json_object_set_new(side, "closes", json_integer(closes));
	if (r < 0) {
		json_decref(side);
		return r;
	}
	return dump(side, &generation->after, err);
}

int generation_record(const struct batch *batch, long closes, struct store_generation *generation,
		      struct sriov_error *err)
{
	int r = record_before(batch, generation, err);

	return r ? r : record_after(batch, closes, generation, err);
}

int generation_parse(const char *text, json_t **out, struct sriov_error *err)
{
	*out = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	if (*out)
		return 0;
	sriov_error_set(err, -EBADMSG, "database", "a recorded generation cannot be read");
	return sriov_error_hint(err, "an older one may be whole: `sriovctl generations`");
}

/* One that was recorded before there was a word for bridges, and for how guests are placed, leaves both alone. */
static bool says_bridges(const json_t *side)
{
	const json_t *item;
	size_t i;

	json_array_foreach(json_object_get(side, "physnets"), i, item)
		if (json_object_get(item, "bridge"))
			return true;
	return json_is_true(json_object_get(side, "bridges"));
}

/* The networks that have a bridge now have it, with its uplink, and guests are placed as now. */
static int keep_bridges(const struct sriov_physnet *now, size_t nnow, struct sriov_physnet **nets,
			size_t *n, struct sriov_error *err)
{
	for (size_t i = 0; i < nnow; i++) {
		const struct sriov_physnet *then = physnet_named(*nets, *n, now[i].name);
		struct sriov_physnet *net, kept = now[i];

		if (!then && !now[i].bridge[0])
			continue;
		net = then ? *nets + (then - *nets) : core_grow(nets, n, sizeof(*net));
		if (!net)
			return core_oom(err);
		if (then) {
			kept.pf = net->pf;
			kept.npfs = net->npfs;
			*net = kept;
		} else if (net_copy(&now[i], net) < 0) {
			return core_oom(err);
		}
	}
	return 0;
}

static int decode_nets(const json_t *side, struct sriov_physnet **out, size_t *n,
		       struct sriov_error *err)
{
	const json_t *item;
	size_t i;
	int r = 0;

	json_array_foreach(json_object_get(side, "physnets"), i, item) {
		struct sriov_physnet *net = core_grow(out, n, sizeof(*net));

		r = net ? state_decode_net(item, net, err) : core_oom(err);
		if (r < 0)
			break;
	}
	return r;
}

int generation_nets(struct store *store, const json_t *side, struct sriov_physnet **out, size_t *n,
		    bool *has, struct sriov_error *err)
{
	struct sriov_physnet *nets = NULL, *now = NULL;
	bool said = json_object_get(side, "physnets");
	size_t count = 0, nnow = 0;
	int r = decode_nets(side, &nets, &count, err);

	if (!r && said && !says_bridges(side)) {
		r = store_physnet_list(store, &now, &nnow, err);
		if (!r)
			r = keep_bridges(now, nnow, &nets, &count, err);
		sriov_physnets_free(now, nnow);
	}
	if (r < 0) {
		sriov_physnets_free(nets, count);
		return r;
	}
	*out = nets;
	*n = count;
	*has = said;
	return 0;
}

static int commit_nets(struct store *store, const json_t *after, struct sriov_error *err)
{
	struct sriov_physnet *nets = NULL;
	size_t n = 0;
	bool has;
	int r;

	if (!json_is_true(json_object_get(after, "sets_physnets")))
		return 0;
	r = generation_nets(store, after, &nets, &n, &has, err);
	if (!r)
		r = store_physnet_replace(store, nets, n, err);
	sriov_physnets_free(nets, n);
	return r;
}

void generation_deadline(unsigned seconds, char out[32])
{
	struct timespec now;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &now);
	now.tv_sec += seconds + !!now.tv_nsec;
	gmtime_r(&now.tv_sec, &tm);
	strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

/* Whoever is to confirm it sees it only now: what it took is not of his time. */
static int renew_deadline(struct store *store, const struct store_generation *generation,
			  struct sriov_error *err)
{
	char confirm_by[32];

	if (!generation->confirm)
		return 0;
	generation_deadline(generation->confirm, confirm_by);
	return store_generation_deadline(store, generation->row.id, confirm_by, err);
}

int generation_commit(struct store *store, const struct store_generation *generation,
		      struct sriov_error *err)
{
	_json_ json_t *after = NULL;
	long id = generation->row.id, closes;
	int r = generation_parse(generation->after, &after, err);

	if (!r)
		r = commit_nets(store, after, err);
	if (!r)
		r = store_generation_status(
			store, id, generation->row.confirm_by[0] ? "unconfirmed" : "committed",
			NULL, err);
	if (!r)
		r = renew_deadline(store, generation, err);
	closes = r ? 0 : core_json_int(after, "closes", 0, NULL);
	if (closes) {
		char why[64];

		snprintf(why, sizeof(why), "taken back by generation %ld", id);
		r = store_generation_status(store, closes, "undone", why, err);
	}
	return r;
}

int generation_end(struct store *store, long id, const char *status, const char *why,
		   struct sriov_error *err)
{
	_free_ char(*pf)[SRIOV_PCI_LEN] = NULL;
	size_t n = 0;
	int r = store_journal_parts(store, id, true, &pf, &n, err);

	return r || n ? r : store_generation_status(store, id, status, why, err);
}
