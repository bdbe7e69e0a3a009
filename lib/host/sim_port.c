/* SPDX-License-Identifier: Apache-2.0 */
/* The port of a simulated PF: link, resets, ntuple. */
#include "lib/host/sim.h"

#include <errno.h>
#include <string.h>

/*
 * Time until the link is back after a reset. Some seconds on copper and fibre alike, as operators see it
 * (igb: 3 to 4 s in emulation); i40e keeps the physical link over a PF reset. Not measured on silicon.
 */
static int64_t link_ms(const struct sriov_pf *pf)
{
	return strcmp(pf->driver, "i40e") != 0 ? 2500 : 900;
}

static int link_rises(struct sim *sim, struct sriov_pf *pf)
{
	struct sim_event event = {.at_ms = sim->clock_ms + link_ms(pf), .event = SIM_EVENT_LINK};
	struct sim_deviation never;

	sim_cancel(sim, pf, SIM_EVENT_LINK, -1);
	if (sim_deviate(sim, SIM_LINK, pf->address, -1, SIM_DEVIATE_NEVER, &never))
		return 0;
	core_copy(event.pf, sizeof(event.pf), pf->address);
	return sim_schedule(sim, event);
}

int sim_port_reset(struct sim *sim, struct sriov_pf *pf)
{
	/* without a link before the reset there is no cable, and none after it */
	bool cable = pf->carrier || sim_pending(sim, pf, SIM_EVENT_LINK, -1);

	pf->carrier = false;
	sim_rss_lost(pf);
	return pf->up && cable ? link_rises(sim, pf) : 0;
}

int sim_link_set(struct sim *sim, struct sriov_pf *pf, const struct sim_call *call,
		 struct sriov_error *err)
{
	if (pf->up == call->on)
		return 0;
	pf->up = call->on;
	pf->carrier = false;
	sim_rss_lost(pf);
	if (pf->up)
		return link_rises(sim, pf) < 0 ? core_oom(err) : 0;
	sim_cancel(sim, pf, SIM_EVENT_LINK, -1);
	return sim_rules_event(sim, pf, NIC_EVENT_DOWN, err);
}

int sim_ntuple(struct sim *sim, struct sriov_pf *pf, const struct sim_call *call,
	       struct sriov_error *err)
{
	const struct sriov_driver *driver = sriov_driver_find(pf->driver);
	enum sriov_ntuple want = call->on ? SRIOV_NTUPLE_ON : SRIOV_NTUPLE_OFF;
	int r;

	if (pf->ntuple != SRIOV_NTUPLE_ON && pf->ntuple != SRIOV_NTUPLE_OFF)
		return core_errno(err, -EOPNOTSUPP, pf->address,
				  "ntuple filters are off [fixed] with this NIC and driver");
	if (pf->ntuple == want)
		return 0;
	r = sim_rules_event(sim, pf, call->on ? NIC_EVENT_NTUPLE_ON : NIC_EVENT_NTUPLE_OFF, err);
	if (r)
		return r;
	pf->ntuple = want;
	if (driver->traits & SRIOV_NTUPLE_RESETS_PORT && sim_port_reset(sim, pf) < 0)
		return core_oom(err);
	return 0;
}
