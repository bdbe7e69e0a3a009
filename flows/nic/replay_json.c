/* SPDX-License-Identifier: Apache-2.0 */
/* Recorded lines: see replay_json.h. Lines come from strangers: names, types and ranges are checked. */
#include "flows/nic/replay_json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define OPS_MAX 65536

static const char *const env_words[NIC_ENVS] = {
	[NIC_ENV_NTUPLE] = "ntuple",
	[NIC_ENV_NTUPLE_CYCLE] = "ntuple_cycle",
	[NIC_ENV_RESET_RECOVERY_PENDING] = "reset_recovery_pending",
	[NIC_ENV_RESET_INTR_RECEIVED] = "reset_intr_received",
	[NIC_ENV_FD_FLUSH_REQUESTED] = "fd_flush_requested",
	[NIC_ENV_FD_SB_AUTO_DISABLED] = "fd_sb_auto_disabled",
	[NIC_ENV_HW_FD_COUNT] = "hw_fd_count",
	[NIC_ENV_FD_ADD_ERR] = "fd_add_err",
	[NIC_ENV_FD_INV] = "fd_inv",
	[NIC_ENV_SERVICE_TASK] = "service_task",
	[NIC_ENV_MFP] = "mfp",
	[NIC_ENV_HW_FAIL] = "hw_fail",
};

#define IXGBE (1u << NIC_IXGBE)
#define I40E (1u << NIC_I40E)
#define IGB (1u << NIC_IGB)
#define AT(field) offsetof(struct nic_device, field)

/* What a device is made of; members that are absent are as nic_device_default() has them. */
static const struct parameter {
	const char *name;
	unsigned families;
	size_t offset;
	bool flag;
	unsigned min, max;
} parameters[] = {
	{"ntuple", IXGBE | I40E, AT(ntuple), .flag = true},
	{"num_vfs", IXGBE | I40E | IGB, AT(num_vfs), .max = NIC_VFS_MAX},
	{"channels", IXGBE, AT(channels), .min = 1, .max = 128},
	{"tcs", IXGBE, AT(tcs), .max = 8},
	{"pballoc", IXGBE, AT(pballoc), .min = 1, .max = 3},
	{"pf_pools", IXGBE, AT(pf_pools), .min = 1, .max = 64},
	{"mfp", I40E, AT(mfp), .flag = true},
	{"guaranteed", I40E, AT(guaranteed), .max = 32768},
	{"best_effort", I40E, AT(best_effort), .max = 32768},
	{"pf_queues", I40E, AT(pf_queues), .max = 2048},
	{"hw_fd_count", I40E, AT(hw_fd_count), .max = UINT32_MAX},
	{"num_rx_queues", IGB, AT(num_rx_queues), .max = 16},
	{"capable", IGB, AT(capable), .flag = true},
};

/* The position of @word, or -1; a list may end before @n. */
static int find_word(const char *const *words, size_t n, const char *word)
{
	for (size_t i = 0; word && i < n && words[i]; i++)
		if (!strcmp(words[i], word))
			return i;
	return -1;
}

static int read_parameter(const struct parameter *p, const json_t *json, struct nic_device *device,
			  struct sriov_error *err)
{
	void *at = (char *)device + p->offset;
	json_int_t number = json_integer_value(json);

	if (p->flag && !json_is_boolean(json))
		return sriov_error_set(err, -EINVAL, "device", "'%s' is not true or false",
				       p->name);
	if (p->flag) {
		*(bool *)at = json_is_true(json);
		return 0;
	}
	if (!json_is_integer(json) || number < p->min || number > p->max)
		return sriov_error_set(err, -EINVAL, "device", "'%s' is not a number from %u to %u",
				       p->name, p->min, p->max);
	*(unsigned *)at = number;
	return 0;
}

static int read_mac(const json_t *json, struct nic_device *device, struct sriov_error *err)
{
	const char *word = json_string_value(json);
	enum nic_mac mac = word ? nic_mac_find(word) : NIC_MACS;

	if (mac == NIC_MACS || nic_mac_family(mac) != device->family)
		return sriov_error_set(err, -EINVAL, "device", "'mac' is no MAC type of %s",
				       nic_family_word(device->family));
	device->mac = mac;
	return 0;
}

static int read_vf_queues(const json_t *array, struct nic_device *device, struct sriov_error *err)
{
	const json_t *element;
	size_t i;

	if (!json_is_array(array) || json_array_size(array) > NIC_VFS_MAX)
		return sriov_error_set(err, -EINVAL, "device",
				       "'vf_queues' is not an array of at most %d numbers",
				       NIC_VFS_MAX);
	json_array_foreach(array, i, element) {
		json_int_t number = json_integer_value(element);

		if (!json_is_integer(element) || number < 0 || number > UINT16_MAX)
			return sriov_error_set(err, -EINVAL, "device",
					       "'vf_queues[%zu]' is not a number up to 65535", i);
		device->vf_queues[i] = number;
	}
	return 0;
}

static int read_member(const char *name, const json_t *json, struct nic_device *device,
		       struct sriov_error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(parameters); i++)
		if (!strcmp(parameters[i].name, name) &&
		    parameters[i].families & 1u << device->family)
			return read_parameter(&parameters[i], json, device, err);
	if (!strcmp(name, "mac") && device->family != NIC_I40E)
		return read_mac(json, device, err);
	if (!strcmp(name, "vf_queues") && device->family == NIC_I40E)
		return read_vf_queues(json, device, err);
	return sriov_error_set(err, -EINVAL, "device", "'%.40s' is no parameter of %s", name,
			       nic_family_word(device->family));
}

int nic_device_read(const json_t *line, struct nic_device *out, struct sriov_error *err)
{
	const char *driver = json_string_value(json_object_get(line, "driver")), *name;
	json_t *json = json_object_get(line, "device"), *member;
	enum nic_family family = 0;
	struct nic_device device;

	while (family < NIC_FAMILIES && (!driver || strcmp(nic_family_word(family), driver)))
		family++;
	if (family == NIC_FAMILIES)
		return sriov_error_set(err, -EINVAL, "line",
				       "'driver' is none of ixgbe, i40e, igb");
	if (!json_is_object(json))
		return sriov_error_set(err, -EINVAL, "line",
				       "'device' is missing or not an object");
	device = nic_device_default(family);
	if (family != NIC_I40E && !json_object_get(json, "mac"))
		return sriov_error_set(err, -EINVAL, "device", "'mac' is missing");
	json_object_foreach(json, name, member) {
		int r = read_member(name, member, &device, err);

		if (r)
			return r;
	}
	*out = device;
	return 0;
}

static int read_env(const json_t *op, struct nic_op *out, struct sriov_error *err)
{
	const json_t *v = json_object_get(op, "v");
	int what = find_word(env_words, NIC_ENVS, json_string_value(json_object_get(op, "what")));

	if (what < 0)
		return sriov_error_set(err, -EINVAL, "op",
				       "'what' is no state that can be changed");
	if (!json_is_integer(v) || json_integer_value(v) < 0 || json_integer_value(v) > UINT32_MAX)
		return sriov_error_set(err, -EINVAL, "op", "'v' is not a number of 32 bits");
	out->env = what;
	out->v = json_integer_value(v);
	return 0;
}

int nic_op_read(const json_t *op, struct nic_op *out, struct sriov_error *err)
{
	static const struct {
		const char *word;
		enum nic_op_kind kind;
		const char *members[8];
	} kinds[] = {
		{"add",
		 NIC_OP_ADD,
		 {"op", "loc", "flow", "flags", "value", "mask", "cookie", "action"}},
		{"del", NIC_OP_DEL, {"op", "loc"}},
		{"env", NIC_OP_ENV, {"op", "what", "v"}},
	};
	const char *word = json_string_value(json_object_get(op, "op")), *name;
	json_t *member;
	size_t k = 0;

	while (k < ARRAY_SIZE(kinds) && (!word || strcmp(kinds[k].word, word)))
		k++;
	if (k == ARRAY_SIZE(kinds))
		return sriov_error_set(err, -EINVAL, "op", "'op' is none of add, del, env");
	json_object_foreach((json_t *)op, name, member) {
		if (find_word(kinds[k].members, ARRAY_SIZE(kinds[k].members), name) < 0)
			return sriov_error_set(err, -EINVAL, "op", "'%.40s' is no member of '%s'",
					       name, word);
	}
	*out = (struct nic_op){.kind = kinds[k].kind};
	switch (out->kind) {
	case NIC_OP_ADD:
		return spec_read(op, &out->spec, err);
	case NIC_OP_DEL:
		return spec_read_loc(op, &out->spec.location, err);
	case NIC_OP_ENV:
	default:
		return read_env(op, out, err);
	}
}

static json_t *write_outcome(const struct nic_outcome *outcome, enum nic_family family)
{
	_json_ json_t *json = json_pack("{s:i}", "errno", outcome->err);
	json_t *hw;

	if (outcome->err &&
	    (json_object_set_new(json, "err", json_string(strerrorname_np(-outcome->err))) ||
	     json_object_set_new(json, "why", json_string(outcome->why))))
		return NULL;
	if (!outcome->has_hw)
		return core_steal(json);
	hw = json_pack("{s:i, s:b}", "queue", (int)outcome->queue, "drop", outcome->drop);
	if (json_object_set_new(json, "hw", hw) ||
	    (family == NIC_I40E && json_object_set_new(hw, "vsi", json_integer(outcome->vsi))))
		return NULL;
	return core_steal(json);
}

static json_t *write_rule(const struct nic_model *model, uint32_t loc)
{
	struct ethtool_rx_flow_spec spec;

	if (nic_model_get(model, loc, &spec))
		return json_pack("{s:I, s:b}", "loc", (json_int_t)loc, "readback_failed", 1);
	return spec_write(&spec);
}

static json_t *write_final(const struct nic_model *model)
{
	_json_ json_t *rules = json_array();

	for (size_t i = 0; i < nic_model_count(model); i++)
		if (json_array_append_new(rules, write_rule(model, nic_model_loc(model, i))))
			return NULL;
	return json_pack("{s:I, s:O}", "table_size", (json_int_t)nic_model_table_size(model),
			 "rules", rules);
}

static void model_freep(struct nic_model **model)
{
	nic_model_free(*model);
}

static int replay(const json_t *ops, const struct nic_device *device, json_t *out,
		  struct sriov_error *err)
{
	_cleanup_(model_freep)
	struct nic_model *model = NULL;
	_json_ json_t *results = json_array();
	const json_t *element;
	size_t i;
	int r = nic_model_new(device, &model, err);

	if (r)
		return r;
	json_array_foreach(ops, i, element) {
		struct nic_outcome outcome;
		struct nic_op op;

		r = nic_op_read(element, &op, err);
		if (r) {
			if (err)
				snprintf(err->object, sizeof(err->object), "ops[%zu]", i);
			return r;
		}
		if (nic_model_run(model, &op, &outcome) ||
		    json_array_append_new(results, write_outcome(&outcome, device->family)))
			return core_oom(err);
	}
	if (json_object_set(out, "results", results) ||
	    json_object_set_new(out, "final", write_final(model)))
		return core_oom(err);
	return 0;
}

int nic_replay_line(const json_t *line, json_t **out, struct sriov_error *err)
{
	const json_t *ops = json_object_get(line, "ops"), *id = json_object_get(line, "id");
	_json_ json_t *answer = NULL;
	struct nic_device device;
	int r;

	if (!json_is_object(line))
		return sriov_error_set(err, -EINVAL, "line", "is not an object");
	if (!json_is_string(id))
		return sriov_error_set(err, -EINVAL, "line", "'id' is missing or not a string");
	r = nic_device_read(line, &device, err);
	if (r)
		return r;
	if (!json_is_array(ops) || json_array_size(ops) > OPS_MAX)
		return sriov_error_set(err, -EINVAL, "line",
				       "'ops' is missing or not an array of at most %d", OPS_MAX);
	answer = json_pack("{s:O}", "id", id);
	if (!answer)
		return core_oom(err);
	r = replay(ops, &device, answer, err);
	if (!r)
		*out = core_steal(answer);
	return r;
}

SRIOV_EXPORT int sriov_nic_replay(const char *line, char **out, struct sriov_error *err)
{
	_json_ json_t *json = NULL, *answer = NULL;
	json_error_t where;
	char *text;
	int r;

	json = json_loads(line, JSON_REJECT_DUPLICATES, &where);
	if (!json)
		return sriov_error_set(err, -EINVAL, "line", "column %d: %s", where.column,
				       where.text);
	r = nic_replay_line(json, &answer, err);
	if (r)
		return r;
	text = json_dumps(answer, JSON_COMPACT);
	if (!text)
		return core_oom(err);
	*out = text;
	return 0;
}
