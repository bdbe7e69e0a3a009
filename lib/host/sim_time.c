/* SPDX-License-Identifier: Apache-2.0 */
/* What makes a simulated host more than a table: things that land late, calls that hang, deviations. */
#include "lib/host/sim.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

const char *sim_object(char buf[96], const char *pf, int vf)
{
	if (vf >= 0)
		snprintf(buf, 96, "vf %d of %s", vf, pf);
	else
		snprintf(buf, 96, "%s", pf);
	return buf;
}

int sim_schedule(struct sim *sim, struct sim_event event)
{
	size_t i;

	if (!core_grow(&sim->event, &sim->nevents, sizeof(event)))
		return -ENOMEM;
	for (i = sim->nevents - 1; i && sim->event[i - 1].at_ms > event.at_ms; i--)
		sim->event[i] = sim->event[i - 1];
	sim->event[i] = event;
	return 0;
}

static bool is_event(const struct sim_event *event, const struct sriov_pf *pf,
		     enum sim_what_event what, int vf)
{
	return event->event == what && !strcmp(event->pf, pf->address) &&
	       (vf < 0 || event->vf == (unsigned)vf);
}

void sim_cancel(struct sim *sim, const struct sriov_pf *pf, enum sim_what_event event, int vf)
{
	size_t kept = 0;

	for (size_t i = 0; i < sim->nevents; i++) {
		if (!is_event(&sim->event[i], pf, event, vf))
			sim->event[kept++] = sim->event[i];
	}
	sim->nevents = kept;
}

bool sim_pending(const struct sim *sim, const struct sriov_pf *pf, enum sim_what_event event,
		 int vf)
{
	for (size_t i = 0; i < sim->nevents; i++) {
		if (is_event(&sim->event[i], pf, event, vf))
			return true;
	}
	return false;
}

static void land(struct sim *sim, const struct sim_event *event)
{
	struct sriov_pf *pf = inventory_find(sim->inv, event->pf);

	sim->landed++;
	if (!pf || !sriov_driver_find(pf->driver))
		return;
	if (event->event == SIM_EVENT_LINK)
		pf->carrier = pf->up;
	else if (event->event == SIM_EVENT_NETDEV && event->vf < pf->vfs)
		sim_vf_netdev(sim, pf, &pf->vf[event->vf]);
	/* the end of a VF's reset changes nothing but that it is no longer pending */
}

static bool matches(const struct sim_deviation *d, enum sim_op op, const char *pf, int vf)
{
	return d->op == op && (!(d->has & SIM_DEVIATE_PF) || !strcmp(d->pf, pf)) &&
	       (!(d->has & SIM_DEVIATE_VF) || d->vf == (unsigned)vf);
}

const struct sim_deviation *sim_deviate(struct sim *sim, enum sim_op op, const char *pf, int vf,
					unsigned kinds, struct sim_deviation *out)
{
	for (size_t i = 0; i < sim->ndeviations; i++) {
		struct sim_deviation *d = &sim->deviation[i];

		if (!(d->has & kinds) || !matches(d, op, pf, vf))
			continue;
		if (d->skip) {
			d->skip--;
			continue;
		}
		*out = *d;
		if (d->has & SIM_DEVIATE_TIMES && !--d->times) {
			sim->ndeviations--;
			memmove(d, d + 1, (sim->ndeviations - i) * sizeof(*d));
		}
		return out;
	}
	return NULL;
}

const char *sim_holder(const struct sim *sim, const struct sriov_vf *vf)
{
	/* A netdev goes away whoever uses it; vfio waits for its user (vfio_unregister_group_dev()). */
	if (strcmp(vf->driver, "vfio-pci") != 0)
		return NULL;
	for (size_t i = 0; i < sim->ndomains; i++) {
		const struct sim_domain *domain = &sim->domain[i];

		for (size_t k = 0; k < domain->nvfs; k++) {
			if (domain->vf[k].running && !strcmp(domain->vf[k].address, vf->address))
				return domain->name;
		}
	}
	for (size_t i = 0; i < vf->uses.n; i++) {
		if (vf->uses.at[i].running)
			return vf->uses.at[i].who;
	}
	return NULL;
}

const struct sim_stuck *sim_stuck_on(const struct sim *sim, const struct sriov_pf *pf)
{
	for (size_t i = 0; i < sim->nstuck; i++) {
		if (!strcmp(sim->stuck[i].pf, pf->address))
			return &sim->stuck[i];
	}
	return NULL;
}

int sim_stick(struct sim *sim, const struct sriov_pf *pf, const struct sim_call *call, int vf,
	      const char *why, struct sriov_error *err)
{
	char object[96];

	if (!sim_stuck_on(sim, pf)) {
		struct sim_stuck *stuck = core_grow(&sim->stuck, &sim->nstuck, sizeof(*stuck));

		if (!stuck)
			return core_oom(err);
		core_copy(stuck->pf, sizeof(stuck->pf), pf->address);
		stuck->op = call->op;
		stuck->vfs = vf >= 0 ? (unsigned)vf : call->vf;
	}
	if (sim->clock_ms < call->deadline_ms)
		sim->clock_ms = call->deadline_ms;
	sriov_error_set(err, -ETIMEDOUT, sim_object(object, pf->address, vf),
			"the kernel does not come back from %s: %s",
			call->op == SIM_NUMVFS   ? "writing sriov_numvfs"
			: call->op == SIM_UNBIND ? "unbinding the driver"
						 : "probing a driver",
			why);
	sriov_error_hint(err, "stop the guest that holds a VF of this PF, then look again");
	sriov_error_status(err, SRIOV_STUCK);
	return -ETIMEDOUT;
}

static bool still_stuck(const struct sim *sim, const struct sim_stuck *stuck,
			const struct sriov_pf *pf)
{
	int vf = stuck->op == SIM_NUMVFS ? -1 : (int)stuck->vfs;

	for (size_t i = 0; i < sim->ndeviations; i++) {
		const struct sim_deviation *d = &sim->deviation[i];

		if (d->has & SIM_DEVIATE_HANG && matches(d, stuck->op, pf->address, vf))
			return true;
	}
	for (unsigned v = 0; v < pf->vfs; v++) {
		bool goes = stuck->op == SIM_NUMVFS ? !stuck->vfs
						    : stuck->op == SIM_UNBIND && v == stuck->vfs;

		if (goes && sim_holder(sim, &pf->vf[v]))
			return true;
	}
	return false;
}

/* The kernel finishes what it was told, although nobody waits for it any more. */
static void come_back(struct sim *sim, const struct sim_stuck *stuck, struct sriov_pf *pf)
{
	sim->landed++;
	/* as numvfs() checked before, but the file may have been edited since */
	if (stuck->op == SIM_NUMVFS && stuck->vfs && !pf->vfs && stuck->vfs <= pf->vfs_total)
		sim_vfs_created(sim, pf, stuck->vfs, NULL);
	else if (stuck->op == SIM_NUMVFS && !stuck->vfs)
		sim_vfs_removed(sim, pf);
	else if (stuck->vfs < pf->vfs && stuck->op == SIM_UNBIND)
		sim_vf_unbound(sim, pf, &pf->vf[stuck->vfs]);
	else if (stuck->vfs < pf->vfs && stuck->op == SIM_PROBE)
		sim_vf_probed(sim, pf, &pf->vf[stuck->vfs]);
}

void sim_settle(struct sim *sim)
{
	sim_virt_settle(sim);
	for (size_t i = 0; i < sim->nstuck;) {
		struct sim_stuck stuck = sim->stuck[i];
		struct sriov_pf *pf = inventory_find(sim->inv, stuck.pf);

		if (pf && still_stuck(sim, &stuck, pf)) {
			i++;
			continue;
		}
		sim->nstuck--;
		memmove(&sim->stuck[i], &sim->stuck[i + 1],
			(sim->nstuck - i) * sizeof(sim->stuck[i]));
		if (pf && sriov_driver_find(pf->driver))
			come_back(sim, &stuck, pf);
	}
	while (sim->nevents && sim->event[0].at_ms <= sim->clock_ms) {
		struct sim_event event = sim->event[0];

		sim->nevents--;
		memmove(&sim->event[0], &sim->event[1], sim->nevents * sizeof(event));
		land(sim, &event);
	}
}
