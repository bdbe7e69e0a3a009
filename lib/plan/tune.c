/* SPDX-License-Identifier: Apache-2.0 */
/* Tuning a guest: the plan as shown. Doing it is in tune_apply.c. */
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
bool tune_can_live(const struct guest_view *view, const struct tune_item *item)
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
	out->differs = (view->live && tune_can_live(view, item) && !as_now) ||
		       (out->config && strcmp(out->config, out->then) != 0);
	out->next_start = view->live && !tune_can_live(view, item) && !as_now;
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

SRIOV_EXPORT int sriov_guest_tune(struct sriov_host *host, const struct sriov_tune_request *request,
				  bool do_it, struct sriov_tune **out, struct sriov_error *err)
{
	_cleanup_(tune_freep)
	struct sriov_tune *tune = NULL;
	_tune_target_ struct tune_target target = {0};
	_guest_view_ struct guest_view view = {0};
	char recovered[SRIOV_NAME_LEN] = "";
	int r = 0;

	if (do_it)
		r = lock_cpus(host, request->command ? request->command : "guest tune",
			      request->lock_timeout ? request->lock_timeout : LOCK_TIMEOUT, err);
	if (!r && do_it)
		r = tune_recover(host, recovered, err);
	if (!r)
		r = guest_view_read(host, request, false, &view, err);
	if (!r)
		r = tune_place(&view.facts, &target, err);
	if (!r)
		r = compose(&view, &target, &tune, err);
	if (!r && *recovered)
		r = add_note(tune, err, "first settled a tuning of %s that was left half done",
			     recovered);
	if (!r && do_it && tune->differs)
		r = tune_apply(host, &view, &target, tune, err);
	if (do_it)
		unlock_pfs(host);
	if (r < 0)
		return r;
	*out = core_steal(tune);
	return 0;
}
