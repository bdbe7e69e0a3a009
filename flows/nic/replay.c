/* SPDX-License-Identifier: Apache-2.0 */
/* Replay models: which driver, and the list of rules that every driver keeps. See replay.h. */
#include "flows/nic/model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct nic_driver *const drivers[NIC_FAMILIES] = {
	[NIC_IXGBE] = &nic_replay_ixgbe,
	[NIC_I40E] = &nic_replay_i40e,
	[NIC_IGB] = &nic_replay_igb,
};

int nic_refused(struct nic_outcome *out, int err, const char *why)
{
	*out = (struct nic_outcome){.err = err, .why = why};
	return err;
}

size_t nic_rules_find(const struct nic_model *model, uint32_t loc)
{
	size_t first = 0, end = model->n;

	while (first < end) {
		size_t middle = (first + end) / 2;
		const struct nic_rule *rule = nic_rules_at(model, middle);

		if (rule->loc < loc)
			first = middle + 1;
		else
			end = middle;
	}
	return first;
}

void *nic_rules_get(const struct nic_model *model, uint32_t loc)
{
	size_t i = nic_rules_find(model, loc);
	struct nic_rule *rule = i < model->n ? nic_rules_at(model, i) : NULL;

	return rule && rule->loc == loc ? rule : NULL;
}

void nic_rules_remove(struct nic_model *model, size_t i)
{
	size_t size = model->driver->rule_size;
	char *at = model->rules + i * size;

	model->n--;
	memmove(at, at + size, (model->n - i) * size);
}

void nic_rules_put(struct nic_model *model, const void *rule)
{
	size_t size = model->driver->rule_size;
	uint32_t loc = ((const struct nic_rule *)rule)->loc;
	size_t i = nic_rules_find(model, loc);
	char *at = model->rules + i * size;

	if (i == model->n || ((const struct nic_rule *)at)->loc != loc) {
		memmove(at + size, at, (model->n - i) * size);
		model->n++;
	}
	memcpy(at, rule, size);
}

int nic_rules_reserve(struct nic_model *model)
{
	size_t room = model->room ? 2 * model->room : 16;
	char *rules;

	if (model->n < model->room)
		return 0;
	rules = realloc(model->rules, room * model->driver->rule_size);
	if (!rules)
		return -ENOMEM;
	model->rules = rules;
	model->room = room;
	return 0;
}

int nic_model_new(const struct nic_device *device, struct nic_model **out, struct sriov_error *err)
{
	const struct nic_driver *driver = drivers[device->family];
	struct nic_model *model = calloc(1, driver->model_size);

	if (!model)
		return core_oom(err);
	model->driver = driver;
	model->device = *device;
	if (driver->start)
		driver->start(model);
	*out = model;
	return 0;
}

void nic_model_free(struct nic_model *model)
{
	if (!model)
		return;
	free(model->rules);
	free(model);
}

int nic_model_run(struct nic_model *model, const struct nic_op *op, struct nic_outcome *out)
{
	*out = (struct nic_outcome){0};
	switch (op->kind) {
	case NIC_OP_ADD:
		if (nic_rules_reserve(model))
			return -ENOMEM;
		model->driver->add(model, &op->spec, out);
		break;
	case NIC_OP_DEL:
		/* all three hand the location on as u16 sw_idx: DEL 65536+n deletes n */
		model->driver->del(model, op->spec.location, out);
		break;
	case NIC_OP_ENV:
		if (op->env == NIC_ENV_HW_FAIL)
			model->hw_fail = op->v;
		else if (model->driver->envs & 1u << op->env)
			model->driver->env(model, op->env, op->v);
		break;
	}
	return 0;
}

uint32_t nic_model_table_size(const struct nic_model *model)
{
	return model->driver->table_size(model);
}

size_t nic_model_count(const struct nic_model *model)
{
	return model->n;
}

uint32_t nic_model_loc(const struct nic_model *model, size_t i)
{
	return ((const struct nic_rule *)nic_rules_at(model, i))->loc;
}

int nic_model_get(const struct nic_model *model, uint32_t loc, struct ethtool_rx_flow_spec *out)
{
	const struct nic_rule *rule = nic_rules_get(model, loc);

	if (!rule)
		return -EINVAL;
	*out = (struct ethtool_rx_flow_spec){.location = loc};
	model->driver->get(model, rule, out);
	return 0;
}

void nic_model_event(struct nic_model *model, enum nic_event event, bool running)
{
	model->driver->event(model, event, running);
}

bool nic_model_match(const struct nic_model *model, const struct nic_packet *packet,
		     struct nic_hit *out)
{
	return model->driver->match(model, packet, out);
}
