/* SPDX-License-Identifier: Apache-2.0 */
/* Models that are kept: made of a port and its rules, and their hidden state as JSON. See replay.h. */
#include "flows/nic/model.h"

#include <errno.h>
#include <string.h>

#define OBJECT "nic"

json_t *nic_numbers_write(const uint64_t *numbers, size_t n)
{
	_json_ json_t *array = json_array();

	for (size_t i = 0; i < n; i++)
		if (json_array_append_new(array, json_integer(numbers[i])))
			return NULL;
	return core_steal(array);
}

int nic_numbers_read(const json_t *hidden, const char *key, uint64_t max, uint64_t *out, size_t n,
		     struct sriov_error *err)
{
	const json_t *array = json_object_get(hidden, key);

	if (!json_is_array(array) || json_array_size(array) != n)
		return sriov_error_set(err, -EINVAL, OBJECT, "'%s' is not an array of %zu numbers",
				       key, n);
	for (size_t i = 0; i < n; i++) {
		const json_t *element = json_array_get(array, i);
		json_int_t number = json_integer_value(element);

		if (!json_is_integer(element) || number < 0 || (uint64_t)number > max)
			return sriov_error_set(err, -EINVAL, OBJECT,
					       "'%s[%zu]' is not a number up to %llu", key, i,
					       (unsigned long long)max);
		out[i] = number;
	}
	return 0;
}

int nic_members_check(const json_t *hidden, const char *const *keys, struct sriov_error *err)
{
	json_t *member;
	const char *key;

	if (!json_is_object(hidden))
		return sriov_error_set(err, -EINVAL, OBJECT, "is not an object");
	json_object_foreach((json_t *)hidden, key, member) {
		size_t i = 0;

		while (keys[i] && strcmp(keys[i], key))
			i++;
		if (!keys[i])
			return sriov_error_set(err, -EINVAL, OBJECT, "unknown member '%.40s'", key);
	}
	return 0;
}

static void model_freep(struct nic_model **model)
{
	nic_model_free(*model);
}

static int restore(struct nic_model *model, const json_t *hidden, struct sriov_error *err)
{
	if (!model->driver->restore)
		return sriov_error_set(err, -EINVAL, OBJECT,
				       "this driver keeps nothing but its rules");
	return model->driver->restore(model, hidden, err);
}

int nic_model_load(const struct nic_device *device, const struct sriov_entry *rules, size_t n,
		   const json_t *hidden, struct nic_model **out, struct sriov_error *err)
{
	_cleanup_(model_freep)
	struct nic_model *model = NULL;
	int r = nic_model_new(device, &model, err);

	for (size_t i = 0; !r && i < n; i++) {
		struct ethtool_rx_flow_spec spec;

		if (nic_rules_reserve(model))
			return core_oom(err);
		/* an entry without a flow type of ours is one of nobody's */
		if (!ntuple_encode(&rules[i], &spec))
			model->driver->adopt(model, &spec);
	}
	if (!r && hidden)
		r = restore(model, hidden, err);
	if (!r)
		*out = core_steal(model);
	return r;
}

int nic_model_save(const struct nic_model *model, const struct sriov_entry *rules, size_t n,
		   json_t **out)
{
	_cleanup_(model_freep)
	struct nic_model *fresh = NULL;
	_json_ json_t *now = NULL, *then = NULL;

	if (!model->driver->save) {
		*out = NULL;
		return 0;
	}
	if (nic_model_load(&model->device, rules, n, NULL, &fresh, NULL))
		return -ENOMEM;
	now = model->driver->save(model);
	then = model->driver->save(fresh);
	if (!now || !then)
		return -ENOMEM;
	*out = json_equal(now, then) ? NULL : core_steal(now);
	return 0;
}

int nic_device_of(const struct sriov_pf *port, struct nic_device *out, struct sriov_error *err)
{
	enum nic_mac mac = nic_mac_of(port->driver, port->device);
	struct nic_device device;

	if (mac == NIC_MACS)
		return sriov_error_set(err, -EOPNOTSUPP, port->address,
				       "there is no model of %s with device %04x", port->driver,
				       port->device);
	device = nic_device_default(nic_mac_family(mac));
	device.mac = mac;
	device.ntuple = port->ntuple == SRIOV_NTUPLE_ON || port->ntuple == SRIOV_NTUPLE_UNKNOWN;
	device.capable = port->ntuple != SRIOV_NTUPLE_OFF_FIXED;
	device.num_vfs = port->vfs < NIC_VFS_MAX ? port->vfs : NIC_VFS_MAX;
	if (port->queues) {
		/* GRXRINGS without VFs; how many are left with VFs is the model's */
		device.channels = port->queues < 128 ? port->queues : 128;
		device.pf_queues = port->queues;
		device.num_rx_queues = sriov_driver_queues(sriov_driver_find(port->driver),
							   port->device, port->vfs, port->queues);
	}
	/* how firmware divides i40e's table is not to be seen from outside */
	if (port->rules_max > device.guaranteed)
		device.best_effort = port->rules_max - device.guaranteed;
	else if (port->rules_max) {
		device.guaranteed = port->rules_max;
		device.best_effort = 0;
	}
	for (unsigned pballoc = 1; pballoc <= 3; pballoc++)
		if (port->rules_max == (1024u << pballoc) - 2)
			device.pballoc = pballoc;
	*out = device;
	return 0;
}
