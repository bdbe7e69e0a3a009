/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tuning a guest: the plan as shown, and doing it. Pins of the running guest come first, each undone by the pin of
 * before; the one new definition comes last; then all of it is read back.
 */
#include "lib/plan/lock.h"
#include "lib/plan/tuning.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LOCK_TIMEOUT 30 /* seconds */

SRIOV_EXPORT void sriov_tune_free(struct sriov_tune *tune)
{
	if (!tune)
		return;
	for (size_t i = 0; i < tune->nitems; i++) {
		free(tune->item[i].now);
		free(tune->item[i].config);
		free(tune->item[i].then);
		free(tune->item[i].why);
	}
	for (size_t i = 0; i < tune->nnotes; i++)
		free(tune->note[i]);
	free(tune->item);
	free(tune->note);
	free(tune->reason);
	free(tune);
}

static void tune_freep(struct sriov_tune **tune)
{
	sriov_tune_free(*tune);
}

/* ---- the plan ---- */

/* What can be changed under a running guest: pins always, memory only where the cgroup alone binds it. */
static bool can_live(const struct guest_view *view, const struct tune_item *item)
{
	return item->kind <= TUNE_EMULATOR ||
	       (item->kind == TUNE_MEMORY && !strcmp(view->now.mode, "restrictive") &&
		!strcmp(item->mode, "restrictive"));
}

static int compare(const struct guest_view *view, const struct tune_domain *config,
		   const struct tune_item *item, struct sriov_tune_item *out,
		   struct sriov_error *err)
{
	bool as_now;

	tune_what(item->kind, item->number, out->what);
	out->now = tune_said(&view->now, item->kind, item->number);
	out->config = view->config ? tune_said(config, item->kind, item->number) : NULL;
	out->then = tune_wanted(item);
	out->why = strdup(item->why);
	if (!out->now || !out->then || !out->why || (view->config && !out->config))
		return core_oom(err);
	as_now = !strcmp(out->now, out->then);
	out->differs = (view->live && can_live(view, item) && !as_now) ||
		       (out->config && strcmp(out->config, out->then) != 0);
	out->next_start = view->live && !can_live(view, item) && !as_now;
	return 0;
}

static int add_note(struct sriov_tune *tune, struct sriov_error *err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static int add_note(struct sriov_tune *tune, struct sriov_error *err, const char *fmt, ...)
{
	char **note = core_grow(&tune->note, &tune->nnotes, sizeof(*note));
	va_list ap;
	int r = -1;

	va_start(ap, fmt);
	if (note)
		r = vasprintf(note, fmt, ap);
	va_end(ap);
	if (r >= 0)
		return 0;
	if (note)
		tune->nnotes--;
	return core_oom(err);
}

static int add_notes(const struct guest_view *view, const struct tune_target *target,
		     struct sriov_tune *tune, struct sriov_error *err)
{
	bool next_start = false;
	int r = 0;

	for (size_t i = 0; !r && i < target->nnotes; i++)
		r = add_note(tune, err, "%s", target->note[i]);
	for (size_t i = 0; i < tune->nitems; i++)
		next_start |= tune->item[i].next_start;
	if (!r && next_start)
		r = view->config
			    ? add_note(tune, err,
				       "the memory of a running guest stays where it is: that part "
				       "counts from its next start")
			    : add_note(tune, err,
				       "the memory of a running guest stays where it is, and its "
				       "definition is not tuned here: leave --live out");
	if (!r && view->unread)
		r = add_note(tune, err,
			     "the XML of %u other guest%s could not be read: CPUs may be taken by "
			     "%s",
			     view->unread, view->unread > 1 ? "s" : "",
			     view->unread > 1 ? "them" : "it");
	return r;
}

static int compose(const struct guest_view *view, const struct tune_target *target,
		   struct sriov_tune **out, struct sriov_error *err)
{
	_cleanup_(tune_freep)
	struct sriov_tune *tune = calloc(1, sizeof(*tune));
	_tune_domain_ struct tune_domain config = {0};
	int r = 0;

	if (!tune)
		return core_oom(err);
	if (view->config)
		r = tune_domain_read(view->domain.config, &config, err);
	core_copy(tune->guest, sizeof(tune->guest), view->domain.name);
	core_copy(tune->uuid, sizeof(tune->uuid), view->domain.uuid);
	tune->running = view->domain.running;
	tune->node = view->facts.nic_node;
	tune->reason = strdup(view->reason);
	if (!r && !tune->reason)
		r = core_oom(err);
	for (size_t i = 0; !r && i < target->nitems; i++) {
		struct sriov_tune_item *item = core_grow(&tune->item, &tune->nitems, sizeof(*item));

		r = item ? compare(view, &config, &target->item[i], item, err) : core_oom(err);
		tune->differs |= !r && item->differs;
	}
	if (!r)
		r = add_notes(view, target, tune, err);
	if (!r)
		*out = core_steal(tune);
	return r;
}

/* ---- doing it ---- */

/* One change of the running guest. */
struct live_effect {
	enum tune_kind kind;
	unsigned number;
	const char *what;
	char *to, *before;
};
struct effects {
	struct live_effect *at;
	size_t n;
	char *definition, *old_definition; /* NULL: it stays */
};

static void effects_clear(struct effects *effects)
{
	for (size_t i = 0; i < effects->n; i++) {
		free(effects->at[i].to);
		free(effects->at[i].before);
	}
	free(effects->at);
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

		if (!view->live || !can_live(view, item) ||
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
	bool any = false;

	if (!vcpu || !thread || !cell)
		return core_oom(err);
	for (size_t i = 0; i < target->nitems; i++) {
		const struct tune_item *item = &target->item[i];
		char *then = tune->item[i].then;
		const char *nodes = strchr(then, ' ');

		if (!tune->item[i].config || !strcmp(tune->item[i].config, then))
			continue;
		any = true;
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
	if (!any)
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
		const struct tune_domain *const is[] = {view->live && can_live(view, item) ? &live
											   : NULL,
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

static int apply(struct sriov_host *host, const struct guest_view *view,
		 const struct tune_target *target, struct sriov_tune *tune, struct sriov_error *err)
{
	_cleanup_(effects_clear)
	struct effects effects = {0};
	struct sriov_error own;
	size_t done = 0;
	bool defined = false;
	int r;

	err = err ? err : &own;
	r = plan_live(view, target, tune, &effects, err);
	if (!r)
		r = plan_definition(view, target, tune, &effects, err);
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
	if (r < 0)
		return done || defined ? undo(host, view, &effects, done, defined, err) : r;
	tune->applied = effects.n || effects.definition;
	return 0;
}

SRIOV_EXPORT int sriov_guest_tune(struct sriov_host *host, const struct sriov_tune_request *request,
				  bool do_it, struct sriov_tune **out, struct sriov_error *err)
{
	_cleanup_(tune_freep)
	struct sriov_tune *tune = NULL;
	_tune_target_ struct tune_target target = {0};
	_guest_view_ struct guest_view view = {0};
	int r = 0;

	if (do_it)
		r = lock_cpus(host, request->command ? request->command : "guest tune",
			      request->lock_timeout ? request->lock_timeout : LOCK_TIMEOUT, err);
	if (!r)
		r = guest_view_read(host, request, false, &view, err);
	if (!r)
		r = tune_place(&view.facts, &target, err);
	if (!r)
		r = compose(&view, &target, &tune, err);
	if (!r && do_it && tune->differs)
		r = apply(host, &view, &target, tune, err);
	if (do_it)
		unlock_pfs(host);
	if (r < 0)
		return r;
	*out = core_steal(tune);
	return 0;
}
