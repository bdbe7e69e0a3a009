/* SPDX-License-Identifier: Apache-2.0 */
/* MAC types of the modelled drivers, and devices: see replay.h. */
#include "flows/nic/replay.h"

#include <string.h>

static const struct mac {
	const char *word;
	enum nic_family family;
} macs[NIC_MACS] = {
	[NIC_82599] = {"82599", NIC_IXGBE},       [NIC_X540] = {"X540", NIC_IXGBE},
	[NIC_X550] = {"X550", NIC_IXGBE},         [NIC_X550EM_X] = {"X550EM_x", NIC_IXGBE},
	[NIC_X550EM_A] = {"X550EM_a", NIC_IXGBE}, [NIC_X710] = {"X710", NIC_I40E},
	[NIC_82576] = {"82576", NIC_IGB},         [NIC_82580] = {"82580", NIC_IGB},
	[NIC_I350] = {"I350", NIC_IGB},           [NIC_I354] = {"I354", NIC_IGB},
	[NIC_I210] = {"I210", NIC_IGB},           [NIC_I211] = {"I211", NIC_IGB},
};

const char *nic_mac_word(enum nic_mac mac)
{
	return mac < NIC_MACS ? macs[mac].word : NULL;
}

enum nic_mac nic_mac_find(const char *word)
{
	enum nic_mac mac = 0;

	while (mac < NIC_MACS && strcmp(macs[mac].word, word))
		mac++;
	return mac;
}

enum nic_family nic_mac_family(enum nic_mac mac)
{
	return macs[mac].family;
}

struct nic_device nic_device_default(enum nic_family family)
{
	static const enum nic_mac first[NIC_FAMILIES] = {
		[NIC_IXGBE] = NIC_82599, [NIC_I40E] = NIC_X710, [NIC_IGB] = NIC_82576};
	struct nic_device device = {
		.family = family,
		.mac = first[family],
		.ntuple = true,
		.channels = 16,
		.pballoc = 1, /* fixed in the drivers of the kernel */
		.pf_pools = 1,
		.guaranteed = 512,
		.best_effort = 7680,
		.pf_queues = 8,
		.num_rx_queues = 8,
		.capable = true,
	};

	/* I40E_DEFAULT_QUEUES_PER_VF */
	for (size_t i = 0; i < NIC_VFS_MAX; i++)
		device.vf_queues[i] = 4;
	return device;
}
