/* SPDX-License-Identifier: Apache-2.0 */
/* Ports by the name of their NIC, for checking rules without one. */
#include "flows/nic/replay.h"
#include "flows/words.h"

#include <errno.h>
#include <string.h>

static const struct nic {
	const char *name, *driver;
	uint16_t device;
	unsigned vfs, queues; /* at most */
	unsigned rules_max;   /* where the driver's table has no fixed size */
} nics[] = {
	/* 64 pools less the PF's, 64 RSS queues at most; i40e_virtchnl_pf.c; igb.h */
	{"82599", "ixgbe", 0x10fb, 63, 63},
	{"X540", "ixgbe", 0x1528, 63, 63},
	{"X550", "ixgbe", 0x1563, 63, 63},
	{"X550EM_x", "ixgbe", 0x15ac, 63, 63},
	{"X550EM_a", "ixgbe", 0x15ce, 63, 63},
	{"X710", "i40e", 0x1572, 128, 128, 8192},
	{"XL710", "i40e", 0x1583, 128, 128, 8192},
	{"XXV710", "i40e", 0x158b, 128, 128, 8192},
	{"X722", "i40e", 0x37d0, 128, 128, 8192},
	{"82576", "igb", 0x10c9, 7, 8},
	{"82580", "igb", 0x150e, 0, 8},
	{"I350", "igb", 0x1521, 7, 8},
	{"I354", "igb", 0x1f41, 7, 8},
	{"I210", "igb", 0x1533, 0, 4},
	{"I211", "igb", 0x1539, 0, 2},
	{"tap", "net_tap", 0, 0, 16},
};

#define QUEUES 8 /* of a port that nothing is said of */

static int refuse_name(const char *spec, struct sriov_error *err)
{
	char names[256];
	struct text text = {.at = names, .size = sizeof(names)};

	for (size_t i = 0; i < ARRAY_SIZE(nics); i++)
		text_list(&text, "%s", nics[i].name);
	sriov_error_set(err, -EINVAL, spec, "no NIC of that name is modelled");
	return sriov_error_hint(err, "NICs are %s", names);
}

/* "vfs=8" or "queues=4". */
static int read_option(const struct nic *nic, const char *spec, const char *option, unsigned *vfs,
		       unsigned *queues, struct sriov_error *err)
{
	static const char *const words[] = {"vfs=", "queues="};
	uint64_t value;

	for (unsigned i = 0; i < ARRAY_SIZE(words); i++) {
		size_t len = strlen(words[i]);
		unsigned max = i ? nic->queues : nic->vfs;

		if (strncmp(option, words[i], len) != 0)
			continue;
		if (core_number(option + len, i, max, &value))
			return sriov_error_set(err, -EINVAL, spec,
					       "'%s': %.*s of an %s is a number from %u to %u",
					       option, (int)len - 1, words[i], nic->name, i, max);
		*(i ? queues : vfs) = value;
		return 0;
	}
	sriov_error_set(err, -EINVAL, spec, "'%s' is not understood", option);
	return sriov_error_hint(err, "%s,vfs=N,queues=N", nic->name);
}

static const struct nic *find_nic(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(nics); i++)
		if (!strcasecmp(nics[i].name, name))
			return &nics[i];
	return NULL;
}

SRIOV_EXPORT int sriov_nic_port(const char *spec, struct sriov_pf *out, struct sriov_error *err)
{
	_free_ char *copy = strdup(spec);
	const struct nic *nic;
	struct sriov_pf port;
	unsigned vfs = 0, queues;
	char *next = copy, *word;
	int r;

	if (!copy)
		return core_oom(err);
	nic = find_nic(strsep(&next, ","));
	if (!nic)
		return refuse_name(spec, err);
	queues = nic->queues < QUEUES ? nic->queues : QUEUES;
	while ((word = strsep(&next, ","))) {
		r = read_option(nic, spec, word, &vfs, &queues, err);
		if (r)
			return r;
	}
	port = (struct sriov_pf){
		.vendor = nic->device ? 0x8086 : 0,
		.device = nic->device,
		.in_tree = SRIOV_YES,
		.node = -1,
		.iommu_group = -1,
		.up = true,
		.vfs = vfs,
		.vfs_total = nic->vfs,
		.queues = sriov_driver_queues(sriov_driver_find(nic->driver), nic->device, vfs,
					      queues),
		.ntuple = SRIOV_NTUPLE_ON,
		.rules_max = nic->rules_max,
		.watched = true,
	};
	core_copy(port.netdev, sizeof(port.netdev), nic->name);
	core_copy(port.name, sizeof(port.name), sriov_device_name(port.vendor, port.device));
	core_copy(port.driver, sizeof(port.driver), nic->driver);
	*out = port;
	return 0;
}
