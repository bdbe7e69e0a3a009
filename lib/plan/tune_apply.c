/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tuning a guest: doing it. What was before is recorded first, durably. Pins of the running guest come then, each
 * undone by the pin of before; the one new definition comes last; then all of it is read back.
 *
 * A tuning that was killed is settled by the next one, of whichever guest, and by readback: a definition that says
 * what was wanted was the last effect, so what is left of the pins is done; otherwise they go back. The definition
 * itself is never written then: somebody else may have changed it since.
 */
#include "lib/plan/tuning.h"
#include "lib/store/store.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* ---- the effects ---- */

/* One change of the running guest. */
struct live_effect {
	enum tune_kind kind;
	unsigned number;
	const char *what;
	char *to, *before;
};
/* What the new definition says where the old one says otherwise. */
struct defined {
	enum tune_kind kind;
	unsigned number;
	const char *then;
};
struct effects {
	struct live_effect *at;
	size_t n;
	struct defined *defined;
	size_t ndefined;
	char *definition, *old_definition; /* NULL: it stays */
};

static void effects_clear(struct effects *effects)
{
	for (size_t i = 0; i < effects->n; i++) {
		free(effects->at[i].to);
		free(effects->at[i].before);
	}
	free(effects->at);
	free(effects->defined);
	free(effects->definition);
	free(effects->old_definition);
}

/* Where a thread runs that has no pin of its own. */
static char *unpinned(const struct guest_view *view)
{
	struct cpuset all;

	topology_cpus(&view->topology, &all);
	return cpuset_text(cpuset_is_empty(&view->now.floating) ? &all : &view->now.floating);
}

static int plan_live(const struct guest_view *view, const struct tune_target *target,
		     const struct sriov_tune *tune, struct effects *out, struct sriov_error *err)
{
	for (size_t i = 0; i < target->nitems; i++) {
		const struct tune_item *item = &target->item[i];
		struct live_effect *effect;

		if (!view->live || !tune_can_live(view, item) ||
		    !strcmp(tune->item[i].now, tune->item[i].then))
			continue;
		effect = core_grow(&out->at, &out->n, sizeof(*effect));
		if (!effect)
			return core_oom(err);
		effect->kind = item->kind;
		effect->number = item->number;
		effect->what = tune->item[i].what;
		effect->to = cpuset_text(&item->to);
		effect->before = item->kind == TUNE_MEMORY ? cpuset_text(&view->now.nodes)
				 : *tune->item[i].now      ? strdup(tune->item[i].now)
							   : unpinned(view);
		if (!effect->to || !effect->before)
			return core_oom(err);
	}
	return 0;
}

/* The lists of the edit are borrowed from @tune's texts; nodes of memory stand behind the mode there. */
static int plan_definition(const struct guest_view *view, const struct tune_target *target,
			   const struct sriov_tune *tune, struct effects *out,
			   struct sriov_error *err)
{
	_free_ char **vcpu = calloc(view->now.vcpus, sizeof(*vcpu));
	_free_ struct tune_edit_thread *thread = calloc(target->nitems + 1, sizeof(*thread));
	_free_ struct tune_edit_cell *cell = calloc(target->nitems + 1, sizeof(*cell));
	struct tune_edit edit = {
		.vcpu = vcpu, .vcpus = view->now.vcpus, .iothread = thread, .cell = cell};
	struct defined *defined;

	if (!vcpu || !thread || !cell)
		return core_oom(err);
	for (size_t i = 0; i < target->nitems; i++) {
		const struct tune_item *item = &target->item[i];
		char *then = tune->item[i].then;
		const char *nodes = strchr(then, ' ');

		if (!tune->item[i].config || !strcmp(tune->item[i].config, then))
			continue;
		defined = core_grow(&out->defined, &out->ndefined, sizeof(*defined));
		if (!defined)
			return core_oom(err);
		*defined = (struct defined){item->kind, item->number, then};
		nodes = nodes ? nodes + 1 : "";
		switch (item->kind) {
		case TUNE_VCPU:
			vcpu[item->number] = then;
			break;
		case TUNE_EMULATOR:
			edit.emulator = then;
			break;
		case TUNE_IOTHREAD:
			thread[edit.niothreads++] = (struct tune_edit_thread){item->number, then};
			break;
		case TUNE_MEMORY:
			edit.mode = item->mode;
			edit.nodes = nodes;
			break;
		case TUNE_MEMNODE:
			cell[edit.ncells++] = (struct tune_edit_cell){item->number, item->mode,
								      nodes};
			break;
		case TUNE_ACCESS:
			edit.shared = true;
			break;
		}
	}
	if (!out->ndefined)
		return 0;
	out->old_definition = strdup(view->domain.config);
	if (!out->old_definition)
		return core_oom(err);
	return tune_domain_edit(view->domain.config, &edit, &out->definition, err);
}

static int set_live(struct sriov_host *host, const char *uuid, const struct live_effect *effect,
		    const char *to, struct sriov_error *err)
{
	static const enum virt_thread threads[] = {[TUNE_VCPU] = VIRT_VCPU,
						   [TUNE_IOTHREAD] = VIRT_IOTHREAD,
						   [TUNE_EMULATOR] = VIRT_EMULATOR};

	if (effect->kind == TUNE_MEMORY)
		return host->virt->memory(host, uuid, NULL, to, VIRT_LIVE, err);
	return host->virt->pin(host, uuid, threads[effect->kind], effect->number, to, VIRT_LIVE,
			       err);
}

/* libvirt may take a call and do otherwise, or another may have been quicker. */
static int verify(struct sriov_host *host, const struct guest_view *view,
		  const struct tune_target *target, const struct sriov_tune *tune,
		  struct sriov_error *err)
{
	_tune_domain_ struct tune_domain live = {0}, config = {0};
	_virt_domain_ struct virt_domain domain = {0};
	int r = host->virt->find(host, view->domain.uuid, &domain, err);

	if (!r && view->live && domain.live)
		r = tune_domain_read(domain.live, &live, err);
	if (!r && view->config && domain.config)
		r = tune_domain_read(domain.config, &config, err);
	for (size_t i = 0; !r && i < target->nitems; i++) {
		const struct tune_item *item = &target->item[i];
		const struct tune_domain *const is[] = {
			view->live && tune_can_live(view, item) ? &live : NULL,
			view->config ? &config : NULL};

		for (size_t k = 0; !r && k < ARRAY_SIZE(is); k++) {
			_free_ char *said = is[k] ? tune_said(is[k], item->kind, item->number)
						  : NULL;

			if (is[k] && !said)
				r = core_oom(err);
			else if (is[k] && strcmp(said, tune->item[i].then) != 0)
				r = sriov_error_set(err, -EIO, view->now.object,
						    "libvirt took %s '%s', and reads back '%s'",
						    tune->item[i].what, tune->item[i].then, said);
		}
	}
	return r;
}

/*
 * The first @n effects back, last one first, and the definition if it may have been changed. What cannot be
 * undone is added to the error.
 */
static int undo(struct sriov_host *host, const struct guest_view *view,
		const struct effects *effects, size_t n, bool defined, struct sriov_error *err)
{
	struct sriov_error why = {0};
	char left[96] = "";
	int code = err ? err->code : 0;

	if (defined && host->virt->define(host, effects->old_definition, &why) < 0)
		snprintf(left, sizeof(left), "its definition");
	while (n--) {
		const struct live_effect *effect = &effects->at[n];

		if (set_live(host, view->domain.uuid, effect, effect->before, &why) < 0)
			snprintf(left, sizeof(left), "%s", effect->what);
	}
	if (!err)
		return code;
	if (!*left)
		return sriov_error_status(err, SRIOV_ROLLED_BACK);
	sriov_error_hint(err,
			 "%s could not be set back (%.200s): look with `virsh dumpxml %s`, and run "
			 "`sriovctl guest tune %s --apply` again",
			 left, why.message, view->domain.name, view->domain.name);
	return sriov_error_status(err, SRIOV_INCOMPLETE);
}

/* ---- the record of what was before ---- */

static char *encode(const struct effects *effects)
{
	_json_ json_t *live = json_array(), *defined = json_array(), *json = NULL;

	for (size_t i = 0; i < effects->n; i++)
		json_array_append_new(live,
				      json_pack("{si si ss ss}", "kind", (int)effects->at[i].kind,
						"number", (int)effects->at[i].number, "before",
						effects->at[i].before, "to", effects->at[i].to));
	for (size_t i = 0; i < effects->ndefined; i++)
		json_array_append_new(defined,
				      json_pack("{si si ss}", "kind", (int)effects->defined[i].kind,
						"number", (int)effects->defined[i].number, "then",
						effects->defined[i].then));
	json = json_pack("{sO sO}", "live", live, "defined", defined);
	return json ? json_dumps(json, JSON_COMPACT) : NULL;
}

static bool read_kind(const json_t *json, enum tune_kind *kind, unsigned *number)
{
	int64_t k = core_json_int(json, "kind", -1, NULL),
		n = core_json_int(json, "number", -1, NULL);

	*kind = k;
	*number = n;
	return k >= 0 && k <= TUNE_ACCESS && n >= 0 && n <= INT_MAX;
}

/* The words are borrowed from @json, but for what is to be freed. -EBADMSG (no error set): it is none of ours. */
static int decode(const json_t *json, struct effects *out, struct sriov_error *err)
{
	const json_t *item;
	size_t i;

	json_array_foreach(json_object_get(json, "live"), i, item) {
		struct live_effect *effect = core_grow(&out->at, &out->n, sizeof(*effect));

		if (!effect)
			return core_oom(err);
		if (!read_kind(item, &effect->kind, &effect->number) || effect->kind > TUNE_MEMORY)
			return -EBADMSG;
		effect->before = strdup(core_json_text(item, "before", "", NULL));
		effect->to = strdup(core_json_text(item, "to", "", NULL));
		if (!effect->before || !effect->to)
			return core_oom(err);
	}
	json_array_foreach(json_object_get(json, "defined"), i, item) {
		struct defined *defined = core_grow(&out->defined, &out->ndefined,
						    sizeof(*defined));

		if (!defined)
			return core_oom(err);
		defined->then = core_json_text(item, "then", "", NULL);
		if (!read_kind(item, &defined->kind, &defined->number))
			return -EBADMSG;
	}
	return 0;
}

static int record(struct sriov_host *host, const struct guest_view *view,
		  const struct effects *effects, struct sriov_error *err)
{
	_free_ char *before = encode(effects);
	struct store_tuning row = {.before = before};
	struct store *store = NULL;
	int r = before ? store_get(host, true, &store, err) : core_oom(err);

	core_copy(row.guest, sizeof(row.guest), view->domain.name);
	core_copy(row.uuid, sizeof(row.uuid), view->domain.uuid);
	core_copy(row.uri, sizeof(row.uri), host->uri ?: "");
	core_copy(row.boot_id, sizeof(row.boot_id), view->inv->boot_id);
	return r ? r : store_tuning_put(store, &row, err);
}

static int forget(struct sriov_host *host, const char *uuid, struct sriov_error *err)
{
	struct store *store = NULL;
	int r = store_get(host, true, &store, err);

	return r ? r : store_tuning_delete(store, uuid, err);
}

/* Whether the definition says all that was wanted of it. */
static int is_defined(const struct virt_domain *domain, const struct effects *effects, bool *out,
		      struct sriov_error *err)
{
	_tune_domain_ struct tune_domain config = {0};
	int r = domain->config ? tune_domain_read(domain->config, &config, err) : 0;

	*out = !r && domain->config && effects->ndefined;
	for (size_t i = 0; *out && i < effects->ndefined; i++) {
		const struct defined *defined = &effects->defined[i];
		_free_ char *said = tune_said(&config, defined->kind, defined->number);

		if (!said)
			return core_oom(err);
		*out = !strcmp(said, defined->then);
	}
	return r;
}

static int settle(struct sriov_host *host, const struct store_tuning *row,
		  const struct effects *effects, const struct virt_domain *domain,
		  struct sriov_error *err)
{
	bool onward;
	int r = is_defined(domain, effects, &onward, err);

	for (size_t i = 0; !r && i < effects->n; i++) {
		const struct live_effect *effect = &effects->at[i];

		r = set_live(host, row->uuid, effect, onward ? effect->to : effect->before, err);
	}
	if (!r)
		return 0;
	sriov_error_hint(err,
			 "a tuning of %s was left half done and must be settled first: look with "
			 "`virsh dumpxml %s`, and run this again",
			 row->guest, row->guest);
	return sriov_error_status(err, SRIOV_INCOMPLETE);
}

/* Pins of another boot, or of a guest that has stopped, are gone with it. */
static int settle_row(struct sriov_host *host, const struct store_tuning *row, bool this_boot,
		      struct sriov_error *err)
{
	_json_ json_t *json = json_loads(row->before, 0, NULL);
	_cleanup_(effects_clear)
	struct effects effects = {0};
	_virt_domain_ struct virt_domain domain = {0};
	struct sriov_error own = {0};
	int r = json ? decode(json, &effects, err) : -EBADMSG;

	if (r == -EBADMSG) {
		sriov_error_set(err, r, row->guest,
				"what its tuning was before cannot be read from the database");
		return sriov_error_hint(err, "move %s/state.db away, and tune the guest again",
					host->state_dir);
	}
	if (!r)
		r = virt_use(host, row->uri, err);
	if (r < 0)
		return r;
	r = host->virt->find(host, row->uuid, &domain, &own);
	if (r == -ENOENT)
		return 0;
	if (r < 0 && err)
		*err = own;
	return r < 0 || !this_boot || !domain.live ? r : settle(host, row, &effects, &domain, err);
}

int tune_recover(struct sriov_host *host, char guest[SRIOV_NAME_LEN], struct sriov_error *err)
{
	_free_ char *uri = strdup(host->uri ?: "");
	struct sriov_inventory *inv = NULL;
	struct store_tuning *row = NULL;
	struct store *store = NULL;
	size_t n = 0;
	int r = uri ? store_get(host, false, &store, err) : core_oom(err);

	if (!r && store)
		r = store_tuning_list(store, &row, &n, err);
	if (!r && n)
		r = host_read(host, NULL, 0, &inv, err);
	for (size_t i = 0; !r && i < n; i++) {
		r = settle_row(host, &row[i], !strcmp(row[i].boot_id, inv->boot_id), err);
		if (!r)
			r = forget(host, row[i].uuid, err);
		if (!r)
			core_copy(guest, SRIOV_NAME_LEN, row[i].guest);
	}
	store_tunings_free(row, n);
	sriov_inventory_free(inv);
	return r ? r : virt_use(host, uri, err);
}

/* ---- the whole ---- */

int tune_apply(struct sriov_host *host, const struct guest_view *view,
	       const struct tune_target *target, struct sriov_tune *tune, struct sriov_error *err)
{
	_cleanup_(effects_clear)
	struct effects effects = {0};
	struct sriov_error own, ignored;
	size_t done = 0;
	bool defined = false;
	int r;

	err = err ? err : &own;
	r = plan_live(view, target, tune, &effects, err);
	if (!r)
		r = plan_definition(view, target, tune, &effects, err);
	if (!r && (effects.n || effects.definition))
		r = record(host, view, &effects, err);
	if (r < 0)
		return r;
	while (!r && done < effects.n) {
		r = set_live(host, view->domain.uuid, &effects.at[done], effects.at[done].to, err);
		/* one that a lost connection left open may have been done */
		done += !r || r == -ECONNRESET;
	}
	if (!r && effects.definition) {
		r = host->virt->define(host, effects.definition, err);
		defined = !r || r == -ECONNRESET;
	}
	if (!r)
		r = verify(host, view, target, tune, err);
	if (r < 0 && (done || defined))
		r = undo(host, view, &effects, done, defined, err);
	/* what could not be undone stays recorded, for the next one to try */
	if (r < 0 && err->status == SRIOV_INCOMPLETE)
		return r;
	tune->applied = !r && (effects.n || effects.definition);
	if (effects.n || effects.definition)
		forget(host, view->domain.uuid, r < 0 ? &ignored : err);
	return r;
}
