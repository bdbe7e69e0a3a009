/* SPDX-License-Identifier: Apache-2.0 */
/* The port of a simulated PF: link, resets, ntuple and the rule table. */
#include "flows/flows.h"
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

static void wipe_rules(struct sriov_pf *pf)
{
	free(pf->rules);
	pf->rules = NULL;
	pf->nrules = 0;
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
	if (sriov_driver_find(pf->driver)->rules[SRIOV_EVENT_IFDOWN].fate == SRIOV_RULES_WIPED)
		wipe_rules(pf);
	return 0;
}

int sim_ntuple(struct sim *sim, struct sriov_pf *pf, const struct sim_call *call,
	       struct sriov_error *err)
{
	const struct sriov_driver *driver = sriov_driver_find(pf->driver);
	enum sriov_ntuple want = call->on ? SRIOV_NTUPLE_ON : SRIOV_NTUPLE_OFF;

	if (pf->ntuple != SRIOV_NTUPLE_ON && pf->ntuple != SRIOV_NTUPLE_OFF)
		return core_errno(err, -EOPNOTSUPP, pf->address,
				  "ntuple filters are off [fixed] with this NIC and driver");
	if (pf->ntuple == want)
		return 0;
	pf->ntuple = want;
	if (!call->on && driver->rules[SRIOV_EVENT_NTUPLE_OFF].fate == SRIOV_RULES_WIPED)
		wipe_rules(pf);
	if (driver->traits & SRIOV_NTUPLE_RESETS_PORT && sim_port_reset(sim, pf) < 0)
		return core_oom(err);
	return 0;
}

/* The position of @loc in the table, or where it would stand. */
static size_t rule_at(const struct sriov_pf *pf, uint32_t loc)
{
	size_t i = 0;

	while (i < pf->nrules && pf->rules[i].loc < loc)
		i++;
	return i;
}

int sim_rule_insert(struct sim *sim, struct sriov_pf *pf, const struct sim_call *call,
		    struct sriov_error *err)
{
	const struct nic_profile *profile = nic_profile_find(pf->driver);
	struct sriov_pf shown = *pf;
	size_t i = rule_at(pf, call->entry->loc);
	const char *why = "";
	int r;

	sim_show_port(&shown);
	r = profile ? nic_profile_admit(profile, &shown, call->entry, &why) : -EOPNOTSUPP;
	if (r < 0)
		return core_errno(err, r, pf->address,
				  "the driver refuses the rule at location %u%s%s",
				  call->entry->loc, why && *why ? ": " : "", why ? why : "");
	/* all three drivers replace what stands at an occupied location */
	if (i == pf->nrules || pf->rules[i].loc != call->entry->loc) {
		if (!core_grow(&pf->rules, &pf->nrules, sizeof(*pf->rules)))
			return core_oom(err);
		memmove(&pf->rules[i + 1], &pf->rules[i],
			(pf->nrules - 1 - i) * sizeof(*pf->rules));
	}
	pf->rules[i] = *call->entry;
	return 0;
}

int sim_rule_delete(struct sim *sim, struct sriov_pf *pf, const struct sim_call *call,
		    struct sriov_error *err)
{
	size_t i = rule_at(pf, call->loc);

	if (i == pf->nrules || pf->rules[i].loc != call->loc)
		return core_errno(err, -EINVAL, pf->address, "there is no rule at location %u",
				  call->loc);
	pf->nrules--;
	memmove(&pf->rules[i], &pf->rules[i + 1], (pf->nrules - i) * sizeof(*pf->rules));
	return 0;
}
