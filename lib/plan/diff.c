/* SPDX-License-Identifier: Apache-2.0 */
/* The planner: steps from what a PF is to what it shall be. Pure functions on data. */
#include "lib/plan/planner.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void steps_clear(struct steps *steps)
{
	for (size_t i = 0; i < steps->nnotes; i++)
		free(steps->note[i]);
	free(steps->note);
	free(steps->at);
	*steps = (struct steps){0};
}

int steps_note(struct steps *steps, const char *fmt, ...)
{
	char **slot = core_grow(&steps->note, &steps->nnotes, sizeof(*slot));
	va_list ap;
	int r;

	if (!slot)
		return -ENOMEM;
	va_start(ap, fmt);
	r = vasprintf(slot, fmt, ap);
	va_end(ap);
	if (r >= 0)
		return 0;
	steps->nnotes--;
	return -ENOMEM;
}

struct step *planner_add(struct planner *p, enum step_kind kind)
{
	struct step *step = core_grow(&p->out->at, &p->out->n, sizeof(*step));

	if (!step) {
		p->failed = true;
		step = &p->nowhere;
	}
	step->kind = kind;
	return step;
}

/* Up before everything that needs the port, down after everything that does. */
static void plan_port(struct planner *p, bool up)
{
	struct step *step;

	if (!(p->want->has & STATE_UP) || p->want->up == p->now->up || p->want->up != up)
		return;
	step = planner_add(p, STEP_PF_UP);
	step->on = up;
	step->hits_port = !up;
}

static bool wants_drivers(const struct pf_state *want)
{
	for (size_t i = 0; i < want->nvf; i++)
		if (want->vf[i].has_driver)
			return true;
	return false;
}

static void set_autoprobe(struct planner *p, bool on)
{
	if (p->autoprobe == on)
		return;
	planner_add(p, STEP_AUTOPROBE)->on = on;
	p->autoprobe = on;
}

static void add_numvfs(struct planner *p, unsigned count)
{
	struct step *step = planner_add(p, STEP_NUMVFS);

	step->number = count;
	step->hits_port = p->traits & SRIOV_NUMVFS_RESETS_PORT;
	step->hits_vf = !count;
}

static void plan_vfs(struct planner *p)
{
	const struct pf_state *want = p->want;

	if (p->remade && p->now->vfs)
		add_numvfs(p, 0);
	/* Drivers get to see the VFs when their MACs are set, and vfio-pci's VFs never see another. */
	if (p->remade && want->count && wants_drivers(want))
		set_autoprobe(p, false);
	if (p->remade && want->count)
		add_numvfs(p, want->count);
}

/* A VF as the kernel makes it, where that is the same for all drivers. */
static const struct sriov_vf fresh_vf = {
	.attrs = {.has = SRIOV_VF_MAC | SRIOV_VF_VLAN | SRIOV_VF_TRUST | SRIOV_VF_RATE |
			 SRIOV_VF_LINK,
		  .vlan_proto = 0x8100,
		  .link = SRIOV_LINK_AUTO},
};

static const struct sriov_vf *vf_now(const struct planner *p, unsigned index)
{
	return p->remade ? &fresh_vf : pf_vf(p->now, index);
}

static unsigned attrs_missing(const struct planner *p, const struct vf_state *want)
{
	return sriov_vf_attrs_differ(&vf_now(p, want->index)->attrs, &want->attrs);
}

static void plan_attrs(struct planner *p)
{
	for (size_t i = 0; i < p->want->nvf; i++) {
		const struct vf_state *want = &p->want->vf[i];
		unsigned missing = attrs_missing(p, want) & ~SRIOV_VF_RATE;
		struct step *step;

		if (!missing)
			continue;
		step = planner_add(p, STEP_VF_SET);
		step->number = want->index;
		step->attrs = want->attrs;
		step->attrs.has = missing;
		step->hits_vf = !p->remade;
	}
}

static void plan_binding(struct planner *p)
{
	if (p->want->has & STATE_AUTOPROBE)
		set_autoprobe(p, p->want->autoprobe);
	else if (p->remade)
		set_autoprobe(p, p->now->autoprobe);
	for (size_t i = 0; i < p->want->nvf; i++) {
		const struct vf_state *want = &p->want->vf[i];
		struct step *step;

		if (!want->has_driver ||
		    state_bound_as(vf_now(p, want->index)->driver, want->driver))
			continue;
		step = planner_add(p, STEP_BIND);
		step->number = want->index;
		core_copy(step->driver, sizeof(step->driver), want->driver);
		step->fresh = p->remade;
		step->hits_vf = !p->remade;
	}
}

static void plan_ntuple(struct planner *p)
{
	struct step *step;

	if (!(p->want->has & STATE_NTUPLE) || p->want->ntuple == p->ntuple)
		return;
	step = planner_add(p, STEP_NTUPLE);
	step->on = p->want->ntuple;
	step->hits_port = p->traits & SRIOV_NTUPLE_RESETS_PORT;
	p->ntuple = p->want->ntuple;
}

/* Up when the port has settled, down before anything resets it. */
static void plan_netdevs(struct planner *p, bool up)
{
	for (size_t i = 0; i < p->want->nvf; i++) {
		const struct vf_state *want = &p->want->vf[i];
		struct step *step;

		if (!want->has_up || want->up != up || vf_now(p, want->index)->netdev_up == up)
			continue;
		step = planner_add(p, STEP_VF_UP);
		step->number = want->index;
		step->on = up;
	}
}

/* Whether the steps so far leave the port with an RSS table that the driver has filled anew. */
static bool loses_rss(const struct planner *p)
{
	for (size_t i = 0; (p->traits & SRIOV_RESET_LOSES_RSS) && i < p->out->n; i++)
		if (p->out->at[i].hits_port || p->out->at[i].kind == STEP_PF_UP)
			return true;
	return false;
}

static void plan_rss(struct planner *p)
{
	const struct pf_state *want = p->want;
	struct step *step;

	if (!(want->has & STATE_RSS) ||
	    (!loses_rss(p) && state_rss_is(want, p->now->rss, p->now->nrss)))
		return;
	step = planner_add(p, STEP_RSS);
	step->rss = want->rss;
	step->nrss = want->nrss;
}

static void plan_rates(struct planner *p)
{
	bool waited = false;

	for (size_t i = 0; i < p->want->nvf; i++) {
		const struct vf_state *want = &p->want->vf[i];
		struct step *step;

		if (!(attrs_missing(p, want) & SRIOV_VF_RATE))
			continue;
		if (!waited && (p->traits & SRIOV_RATE_NEEDS_LINK))
			planner_add(p, STEP_LINK)->number = p->driver ? p->driver->rate_link_mbps
								      : 0;
		waited = true;
		step = planner_add(p, STEP_RATE);
		step->number = want->index;
		step->attrs = want->attrs;
		step->attrs.has = SRIOV_VF_RATE;
		step->hits_vf = !p->remade;
	}
}

static void plan_notes(struct planner *p)
{
	plan_rules_notes(p);
	if (!p->driver)
		steps_note(
			p->out,
			"driver %s is not modelled: what it resets, refuses or ignores is unknown",
			p->now->driver);
}

static void plan_driver(struct planner *p)
{
	struct step *step = planner_add(p, STEP_PF_BIND);

	core_copy(step->driver, sizeof(step->driver), p->want->driver);
	step->hits_port = true;
}

/* A port that leaves the kernel's driver. Its VFs go one step before, while there is somebody to tell their users. */
static int diff_away(const struct sriov_pf *now, const struct pf_state *want, struct steps *out,
		     struct sriov_error *err)
{
	struct steps steps = {0};
	struct planner p = {.now = now, .want = want, .out = &steps};

	if (now->vfs)
		add_numvfs(&p, 0);
	plan_driver(&p);
	if (p.failed) {
		steps_clear(&steps);
		return core_oom(err);
	}
	*out = steps;
	return 0;
}

/* A port as its driver makes it anew. */
static void as_probed(const struct sriov_pf *now, struct sriov_pf *out)
{
	const char *driver = sriov_device_driver(now->vendor, now->device);

	*out = *now;
	core_copy(out->driver, sizeof(out->driver), driver ?: "");
	out->up = false;
	out->vfs = 0;
	out->vf = NULL;
	out->nrules = out->nrss = 0;
}

static int diff_port(const struct sriov_pf *now, const struct pf_state *want, bool rebound,
		     struct steps *out, struct sriov_error *err)
{
	struct steps steps = {0};
	struct planner p = {
		.now = now,
		.want = want,
		.driver = sriov_driver_find(now->driver),
		.out = &steps,
		.remade = (want->has & STATE_COUNT) && want->count != now->vfs,
		.autoprobe = now->autoprobe,
		/* drivers differ in what they begin with: it is always said */
		.ntuple = rebound ? !want->ntuple : now->ntuple == SRIOV_NTUPLE_ON,
	};

	/* Of a driver that is not modelled the worst is assumed. */
	p.traits = p.driver ? p.driver->traits
			    : SRIOV_NUMVFS_RESETS_PORT | SRIOV_NTUPLE_RESETS_PORT;
	for (size_t i = 0; i < want->nvf; i++) {
		unsigned count = p.remade ? want->count : now->vfs;
		unsigned index = want->vf[i].index;

		if (p.remade ? index >= count : !pf_vf(now, index))
			return sriov_error_set(err, -ERANGE, pf_label(now),
					       "there is no VF %u: the PF has %u VFs",
					       want->vf[i].index, count);
	}
	if (rebound)
		plan_driver(&p);
	plan_rules(&p);
	plan_port(&p, true);
	plan_rules_out(&p);
	plan_netdevs(&p, false);
	plan_vfs(&p);
	plan_attrs(&p);
	plan_binding(&p);
	plan_ntuple(&p);
	plan_netdevs(&p, true);
	plan_rss(&p);
	plan_rules_in(&p);
	plan_rates(&p);
	plan_port(&p, false);
	if (steps.n)
		plan_notes(&p);
	free(p.gone);
	if (p.failed) {
		steps_clear(&steps);
		return core_oom(err);
	}
	*out = steps;
	return 0;
}

int steps_diff(const struct sriov_pf *now, const struct pf_state *want, struct steps *out,
	       struct sriov_error *err)
{
	bool rebound = state_rebinds(now, want);
	struct sriov_pf probed;

	if (state_waits(want)) {
		*out = (struct steps){0};
		return rebound ? diff_away(now, want, out, err) : 0;
	}
	if (rebound)
		as_probed(now, &probed);
	return diff_port(rebound ? &probed : now, want, rebound, out, err);
}
