/* SPDX-License-Identifier: Apache-2.0 */
/* `status`: the last generation against the kernel, and against what is recorded by now. */
#include "flows/flows.h"
#include "lib/plan/hostfile_plan.h"
#include "lib/plan/vlan.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Which commands changed the PF since, as far as the history tells. */
static int tell_commands(struct change *change, const struct sriov_generation *row, bool *told,
			 struct sriov_error *err)
{
	_free_ struct sriov_journal_row *journal = NULL;
	size_t n = 0;
	int r = store_journal_list(change->store, true, &journal, &n, err);

	for (size_t i = 0; !r && i < n; i++) {
		if (strcmp(journal[i].pf, change->pf->address) != 0 ||
		    strcmp(journal[i].status, "committed") != 0 ||
		    strcmp(journal[i].started, row->made) < 0 ||
		    !strcmp(journal[i].command, row->command))
			continue;
		*told = true;
		r = change_note(change, err, "changed since by `%s`", journal[i].command);
	}
	return r;
}

/* How what is recorded of a PF now stands to what a generation recorded of it. */
enum kept { KEPT, KEPT_WITH_MORE, NOT_KEPT };

/* Both are as they are read, with what drivers show otherwise; @now says all of @then if that changes nothing of it. */
static int compare(const struct pf_state *now, const struct pf_state *then, enum kept *kept,
		   struct sriov_error *err)
{
	_free_ char *was = NULL, *is = NULL, *both = NULL;
	struct pf_state merged = {0};
	int r = state_encode(then, &was, err);

	if (!r)
		r = state_encode(now, &is, err);
	if (!r)
		r = state_decode(is, &merged, err);
	if (!r)
		r = state_merge(&merged, then, err);
	if (!r)
		r = state_encode(&merged, &both, err);
	if (!r)
		*kept = !strcmp(was, is) ? KEPT : !strcmp(both, is) ? KEPT_WITH_MORE : NOT_KEPT;
	state_clear(&merged);
	return r;
}

/* The PF's intent as a generation recorded it. What its file left alone, commands may change. */
static int read_then(const json_t *json, struct pf_state *then, struct sriov_error *err)
{
	const char *intent = core_json_text(json, "intent", NULL, NULL);
	int r = intent ? state_decode(intent, then, err) : 0;

	if (!r && json_is_true(json_object_get(json, "leaves_rules"))) {
		then->has &= ~STATE_LIST;
		then->nrules = 0;
	}
	return r;
}

/* @json is the PF in a generation, @then its intent there. */
static int is_kept(const struct change *change, const json_t *json, struct pf_state *then,
		   enum kept *kept, struct sriov_error *err)
{
	const struct nic_profile *profile = nic_profile_find(change->pf->driver);
	const char *text = core_json_text(json, "intent", NULL, NULL);

	*kept = strcmp(text ?: "", change->known.intent ?: "") ? NOT_KEPT : KEPT;
	if (*kept == KEPT || !text || !change->known.intent)
		return 0;
	for (size_t i = 0; i < then->nrules; i++)
		nic_profile_readback(profile, &then->rule[i].entry);
	return compare(&change->intent, then, kept, err);
}

static int tell_kept(struct change *change, const struct sriov_generation *row, enum kept kept,
		     struct sriov_error *err)
{
	bool told = false;
	int r = kept == KEPT ? 0 : tell_commands(change, row, &told, err);

	if (r < 0 || kept != NOT_KEPT || told)
		return r;
	return change_note(change, err,
			   "what is recorded of it is not what the generation made of it");
}

static int check_pools(struct change *change, const json_t *pools, bool *differs,
		       struct sriov_error *err)
{
	_free_ struct store_pools *now = calloc(1, sizeof(*now)), *then = calloc(1, sizeof(*then));
	const json_t *row;
	size_t i;
	int r;

	if (!pools)
		return 0;
	if (!now || !then)
		return core_oom(err);
	r = store_pool_read(change->store, change->pf->address, now, err);
	json_array_foreach(pools, i, row)
		for (json_int_t v = json_integer_value(json_array_get(row, 0));
		     v >= 0 && v <= json_integer_value(json_array_get(row, 1)) && v < SRIOV_VF_MAX;
		     v++)
			core_copy(then->at[v], sizeof(then->at[v]),
				  json_string_value(json_array_get(row, 2)));
	for (unsigned v = 0; !r && v < SRIOV_VF_MAX; v++) {
		if (!strcmp(now->at[v], then->at[v]))
			continue;
		*differs = true;
		r = change_note(change, err, "VF %u is in pool %s, not in %s", v,
				now->at[v][0] ? now->at[v] : "sriovctl",
				then->at[v][0] ? then->at[v] : "sriovctl");
	}
	return r;
}

/* Those of commands, where the file left rules alone. */
static int want_recorded_rules(struct change *change, struct sriov_error *err)
{
	struct pf_state now = {0};
	int r = change->known.intent ? state_decode(change->known.intent, &now, err) : 0;

	now.has &= STATE_LIST | STATE_NTUPLE;
	now.nvf = 0;
	now.pool[0] = '\0';
	if (!r && now.address[0])
		r = state_merge(&change->want, &now, err);
	state_clear(&now);
	return r;
}

/* @bridge: with the bridge beside it, which is of a network of the generation. */
static int check_pf(struct sriov_host *host, const json_t *json, const struct sriov_generation *row,
		    bool bridge, struct sriov_plan **plan, bool *differs, struct sriov_error *err)
{
	const struct sriov_options opts = {.dry_run = true, .looks = true};
	struct pf_state then = {0};
	enum kept kept = KEPT;
	struct change change;
	int r = change_open(&change, host, core_json_text(json, "pf", "", NULL), CHANGE_READ_ALL,
			    &opts, err);

	if (!r)
		core_copy(change.want.address, sizeof(change.want.address), change.pf->address);
	if (!r)
		r = read_then(json, &then, err);
	if (!r && then.address[0])
		r = state_merge(&change.want, &then, err);
	if (!r && json_is_true(json_object_get(json, "leaves_rules")))
		r = want_recorded_rules(&change, err);
	if (!r) {
		change.want.pool[0] = '\0';
		change.want.bridge = bridge;
		change.want.links = true;
		change_leave_libvirts(&change);
		r = change_show(&change, err);
	}
	if (!r)
		r = is_kept(&change, json, &then, &kept, err);
	*differs |= kept == NOT_KEPT;
	if (!r)
		r = tell_kept(&change, row, kept, err);
	if (!r)
		r = check_pools(&change, json_object_get(json, "pools"), differs, err);
	if (!r && (change.plan->nsteps || change.vlans->nfaults)) {
		*differs = true;
		change.plan->status = SRIOV_DIFFERENCE;
	}
	state_clear(&then);
	change_give_plan(&change, plan);
	change_close(&change);
	return r;
}

/* ---- networks ---- */

struct nets {
	struct sriov_physnet *at;
	size_t n;
	bool has;
};

static void nets_clear(struct nets *nets)
{
	sriov_physnets_free(nets->at, nets->n);
}
#define _nets_ _cleanup_(nets_clear)

static bool has_bridge(const struct nets *nets, const char *address)
{
	for (size_t i = 0; i < nets->n; i++)
		if (nets->at[i].bridge[0] && !strcmp(nets->at[i].uplink_pf, address))
			return true;
	return false;
}

static int check_nets(struct store *store, const struct nets *then, struct change_notes *record,
		      struct sriov_error *err)
{
	_nets_ struct nets now = {0};
	size_t i = 0;
	int r;

	if (!then->has)
		return 0;
	r = store_physnet_list(store, &now.at, &now.n, err);
	while (!r && i < now.n && i < then->n && !strcmp(now.at[i].name, then->at[i].name) &&
	       batch_same_net(&now.at[i], &then->at[i]))
		i++;
	if (r || (i >= now.n && i >= then->n))
		return r;
	return change_notes_add(record, err, "physnet %s is not as the generation made it",
				i < then->n ? then->at[i].name : now.at[i].name);
}

/* A bridge beside a PF that the generation says nothing else of. */
static int check_bridge(struct sriov_host *host, const char *name, struct sriov_plan **tail,
			bool *differs, struct sriov_error *err)
{
	int r = sriov_physnet_check(host, name, tail, err);

	/* that it is not recorded any more is told with the records */
	if (r == -ENOENT && !*tail)
		return 0;
	if (*tail && (*tail)->nsteps) {
		*differs = true;
		(*tail)->status = SRIOV_DIFFERENCE;
	}
	return r;
}

static int check_bridges(struct sriov_host *host, const struct sriov_inventory *inv,
			 const json_t *pfs, const struct nets *nets, struct change_notes *record,
			 struct sriov_plan **tail, bool *differs, struct sriov_error *err)
{
	const json_t *json;
	size_t k;
	int r = 0;

	for (size_t i = 0; !r && i < nets->n; i++) {
		const struct sriov_physnet *net = &nets->at[i];
		bool told = !net->bridge[0];

		json_array_foreach(pfs, k, json)
			told |= !strcmp(core_json_text(json, "pf", "", NULL), net->uplink_pf);
		if (!told && !inventory_find(inv, net->uplink_pf))
			r = change_notes_add(record, err,
					     "physnet %s: %s, its uplink, is not on this host any "
					     "more",
					     net->name, net->uplink_pf);
		else if (!told)
			r = check_bridge(host, net->name, tail, differs, err);
		while (*tail)
			tail = &(*tail)->next;
	}
	return r;
}

static int check(struct sriov_host *host, struct store *store,
		 const struct store_generation *generation, struct sriov_host_change *out,
		 struct sriov_error *err)
{
	struct change_notes record = {0};
	struct sriov_plan **tail = &out->plan;
	_json_ json_t *after = NULL;
	_nets_ struct nets nets = {0};
	struct sriov_inventory *inv = NULL;
	const json_t *pfs, *json;
	size_t i;
	int r = generation_parse(generation->after, &after, err);

	if (!r)
		r = generation_nets(store, after, &nets.at, &nets.n, &nets.has, err);
	pfs = json_object_get(after, "pfs");
	if (!r)
		r = host_read(host, NULL, 0, &inv, err);
	json_array_foreach(pfs, i, json) {
		const char *address = core_json_text(json, "pf", "", NULL);

		if (r < 0)
			break;
		/* the others are told all the same */
		if (!inventory_find(inv, address)) {
			r = change_notes_add(&record, err,
					     "%s: not on this host any more, with all that the "
					     "generation made of it",
					     address);
			continue;
		}
		r = check_pf(host, json, &generation->row, has_bridge(&nets, address), tail,
			     &out->differs, err);
		if (*tail)
			tail = &(*tail)->next;
	}
	if (!r)
		r = check_bridges(host, inv, pfs, &nets, &record, tail, &out->differs, err);
	if (!r)
		r = check_nets(store, &nets, &record, err);
	out->differs |= record.n;
	out->record = record.at;
	out->nrecords = record.n;
	sriov_inventory_free(inv);
	return r;
}

SRIOV_EXPORT int sriov_generation_status(struct sriov_host *host,
					 struct sriov_generation *generation,
					 struct sriov_host_change *out, struct sriov_error *err)
{
	struct store_generation last = {0};
	struct store *store = NULL;
	int r = store_get(host, false, &store, err);

	*out = (struct sriov_host_change){0};
	*generation = (struct sriov_generation){0};
	if (!r)
		r = store ? store_generation_get(store, 0, &last, err) : -ENOENT;
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	*generation = last.row;
	out->generation = last.row.id;
	r = check(host, store, &last, out, err);
	store_generation_clear(&last);
	return r;
}

/* ---- what commands have changed since, and a file leaves as it is ---- */

static const json_t *row_of(const json_t *after, const char *address)
{
	const json_t *json;
	size_t i;

	json_array_foreach(json_object_get(after, "pfs"), i, json)
		if (!strcmp(core_json_text(json, "pf", "", NULL), address))
			return json;
	return NULL;
}

static int take_over(struct batch *batch, const struct change *change, const json_t *json, long id,
		     struct sriov_error *err)
{
	struct pf_state then = {0};
	enum kept kept = KEPT;
	int r = read_then(json, &then, err);

	if (!r)
		r = is_kept(change, json, &then, &kept, err);
	state_clear(&then);
	if (r < 0 || kept != NOT_KEPT)
		return r;
	batch->differs = true;
	return change_notes_add(&batch->record, err,
				"%s: as commands have made it since generation %ld, which the file "
				"leaves as it is",
				change->pf->address, id);
}

int drift_take_over(struct batch *batch, struct sriov_error *err)
{
	struct store_generation last = {0};
	_json_ json_t *after = NULL;
	int r = batch->store ? store_generation_get(batch->store, 0, &last, err) : -ENOENT;

	if (!r)
		r = generation_parse(last.after, &after, err);
	for (size_t i = 0; !r && i < batch->n; i++) {
		const struct change *change = &batch->part[i].change;
		const json_t *json = row_of(after, change->pf->address);

		if (json)
			r = take_over(batch, change, json, last.row.id, err);
	}
	store_generation_clear(&last);
	return r == -ENOENT ? 0 : r;
}
