/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of a simulated port: its driver's replay model. The file keeps the rules as they were inserted
 * and, if it is not what a freshly loaded driver would have with them, what else the driver keeps ("nic" of the
 * PF). What the host reads is the model's GET, as on a live host.
 */
#include "flows/nic/replay.h"
#include "lib/host/sim.h"

#include <errno.h>
#include <string.h>

static void model_freep(struct nic_model **model)
{
	nic_model_free(*model);
}

static size_t index_of(const struct sim *sim, const struct sriov_pf *pf)
{
	return pf - sim->inv->pf;
}

static int load(const struct sim *sim, const struct sriov_pf *pf, struct nic_model **out,
		struct sriov_error *err)
{
	struct nic_device device;
	int r = nic_device_of(pf, &device, err);

	return r ? r
		 : nic_model_load(&device, pf->rules, pf->nrules, sim->nic[index_of(sim, pf)], out,
				  err);
}

/* After pf->rules are as the model has them. */
static int keep(struct sim *sim, struct sriov_pf *pf, const struct nic_model *model,
		struct sriov_error *err)
{
	json_t **nic = &sim->nic[index_of(sim, pf)], *now;

	if (nic_model_save(model, pf->rules, pf->nrules, &now))
		return core_oom(err);
	json_decref(*nic);
	*nic = now;
	return 0;
}

int sim_rules_check(const struct sim *sim, const struct sriov_pf *pf, struct sriov_error *err)
{
	_cleanup_(model_freep)
	struct nic_model *model = NULL;

	return sim->nic[index_of(sim, pf)] ? load(sim, pf, &model, err) : 0;
}

int sim_rules_match(const struct sim *sim, const struct sriov_pf *pf,
		    const struct nic_packet *packet, struct nic_hit *out, bool *hit,
		    struct sriov_error *err)
{
	_cleanup_(model_freep)
	struct nic_model *model = NULL;
	int r = load(sim, pf, &model, err);

	if (!r)
		*hit = nic_model_match(model, packet, out);
	return r;
}

/* A port without a model has no rules of ours, and nothing to wipe. */
int sim_rules_event(struct sim *sim, struct sriov_pf *pf, enum nic_event event,
		    struct sriov_error *err)
{
	_cleanup_(model_freep)
	struct nic_model *model = NULL;
	int r = load(sim, pf, &model, NULL);
	size_t before;

	if (r)
		return r == -ENOMEM ? core_oom(err) : 0;
	before = nic_model_count(model);
	nic_model_event(model, event, pf->up);
	/* a driver forgets all of them or none */
	if (before && !nic_model_count(model)) {
		free(pf->rules);
		pf->rules = NULL;
		pf->nrules = 0;
	}
	return keep(sim, pf, model, err);
}

void sim_rules_forget(struct sim *sim, struct sriov_pf *pf)
{
	json_t **nic = &sim->nic[index_of(sim, pf)];

	free(pf->rules);
	pf->rules = NULL;
	pf->nrules = 0;
	json_decref(*nic);
	*nic = NULL;
}

/* The position of @loc in the table, or where it would stand. */
static size_t rule_at(const struct sriov_pf *pf, uint32_t loc)
{
	size_t i = 0;

	while (i < pf->nrules && pf->rules[i].loc < loc)
		i++;
	return i;
}

static bool has_rule(const struct sriov_pf *pf, uint32_t loc)
{
	size_t i = rule_at(pf, loc);

	return i < pf->nrules && pf->rules[i].loc == loc;
}

static void remove_rule(struct sriov_pf *pf, uint32_t loc)
{
	size_t i = rule_at(pf, loc);

	pf->nrules--;
	memmove(&pf->rules[i], &pf->rules[i + 1], (pf->nrules - i) * sizeof(*pf->rules));
}

static int put_rule(struct sriov_pf *pf, const struct sriov_entry *entry)
{
	size_t i = rule_at(pf, entry->loc);

	if (!has_rule(pf, entry->loc)) {
		if (!core_grow(&pf->rules, &pf->nrules, sizeof(*pf->rules)))
			return -ENOMEM;
		memmove(&pf->rules[i + 1], &pf->rules[i],
			(pf->nrules - 1 - i) * sizeof(*pf->rules));
	}
	pf->rules[i] = *entry;
	return 0;
}

/*
 * One operation, and what it left behind: a refused one may have changed input sets, taken slots, or lost
 * the rule that it was to replace.
 */
static int operate(struct sim *sim, struct sriov_pf *pf, const struct nic_op *op,
		   const struct sriov_entry *entry, struct nic_outcome *out,
		   struct sriov_error *err)
{
	_cleanup_(model_freep)
	struct nic_model *model = NULL;
	/* drivers take DEL's location as 16 bits */
	uint32_t loc = op->kind == NIC_OP_DEL ? (uint16_t)op->spec.location : op->spec.location;
	struct ethtool_rx_flow_spec spec;
	int r = load(sim, pf, &model, err);

	if (r)
		return r;
	if (nic_model_run(model, op, out) || (entry && !out->err && put_rule(pf, entry)))
		return core_oom(err);
	if (nic_model_get(model, loc, &spec) && has_rule(pf, loc))
		remove_rule(pf, loc);
	return keep(sim, pf, model, err);
}

int sim_rule_insert(struct sim *sim, struct sriov_pf *pf, const struct sim_call *call,
		    struct sriov_error *err)
{
	struct nic_op op = {.kind = NIC_OP_ADD};
	struct nic_outcome out;
	int r = ntuple_encode(call->entry, &op.spec);

	if (r)
		return core_errno(err, r, pf->address, "the rule at location %u has no flow type",
				  call->entry->loc);
	r = operate(sim, pf, &op, call->entry, &out, err);
	if (!r && out.err)
		r = core_errno(err, out.err, pf->address,
			       "the driver refuses the rule at location %u: %s", call->entry->loc,
			       nic_why_text(out.why));
	return r;
}

int sim_rule_delete(struct sim *sim, struct sriov_pf *pf, const struct sim_call *call,
		    struct sriov_error *err)
{
	const struct nic_op op = {.kind = NIC_OP_DEL, .spec.location = call->loc};
	struct nic_outcome out;
	int r = operate(sim, pf, &op, NULL, &out, err);

	if (!r && out.err)
		r = core_errno(err, out.err, pf->address,
			       "the driver cannot delete the rule at location %u: %s", call->loc,
			       nic_why_text(out.why));
	return r;
}

/* A rule that the model cannot have, and those of a driver without a model, are shown as the file has them. */
int sim_show_rules(const struct sim *sim, struct sriov_pf *pf)
{
	_cleanup_(model_freep)
	struct nic_model *model = NULL;
	const struct nic_profile *profile = nic_profile_find(pf->driver);
	int r = pf->nrules ? load(sim, pf, &model, NULL) : 0;

	for (size_t i = 0; model && i < pf->nrules; i++) {
		struct ethtool_rx_flow_spec spec;

		if (nic_model_get(model, pf->rules[i].loc, &spec))
			continue;
		if (!ntuple_decode(&spec, &pf->rules[i]))
			nic_profile_readback(profile, &pf->rules[i]);
	}
	return r == -ENOMEM ? r : 0;
}
