/* SPDX-License-Identifier: Apache-2.0 */
/* MAC types of the modelled drivers, and devices: see replay.h. */
#include "flows/nic/replay.h"

#include <string.h>

static const char *const family_words[NIC_FAMILIES] = {
	[NIC_IXGBE] = "ixgbe", [NIC_I40E] = "i40e", [NIC_IGB] = "igb"};

const char *nic_family_word(enum nic_family family)
{
	return family < NIC_FAMILIES ? family_words[family] : NULL;
}

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

/*
 * PCI device IDs of Intel: ixgbe_type.h, i40e_devids.h, e1000_hw.h and igb's device table of Linux 6.1. X722 is
 * another MAC of i40e's, of which the rule code takes no notice. 82598 and 82575 have no ntuple rules.
 */
static const struct id {
	enum nic_mac mac;
	uint16_t device;
} ids[] = {
	{NIC_82599, 0x10f7},    {NIC_82599, 0x10f8},    {NIC_82599, 0x10f9},
	{NIC_82599, 0x10fb},    {NIC_82599, 0x10fc},    {NIC_82599, 0x1507},
	{NIC_82599, 0x1514},    {NIC_82599, 0x1517},    {NIC_82599, 0x151c},
	{NIC_82599, 0x1529},    {NIC_82599, 0x152a},    {NIC_82599, 0x154a},
	{NIC_82599, 0x154d},    {NIC_82599, 0x154f},    {NIC_82599, 0x1557},
	{NIC_82599, 0x1558},    {NIC_X540, 0x1528},     {NIC_X540, 0x1560},
	{NIC_X550, 0x1563},     {NIC_X550, 0x15d1},     {NIC_X550EM_X, 0x15aa},
	{NIC_X550EM_X, 0x15ab}, {NIC_X550EM_X, 0x15ac}, {NIC_X550EM_X, 0x15ad},
	{NIC_X550EM_X, 0x15ae}, {NIC_X550EM_X, 0x15b0}, {NIC_X550EM_A, 0x15c2},
	{NIC_X550EM_A, 0x15c3}, {NIC_X550EM_A, 0x15c4}, {NIC_X550EM_A, 0x15c6},
	{NIC_X550EM_A, 0x15c7}, {NIC_X550EM_A, 0x15c8}, {NIC_X550EM_A, 0x15ce},
	{NIC_X550EM_A, 0x15e4}, {NIC_X550EM_A, 0x15e5}, {NIC_X710, 0x0cf8},
	{NIC_X710, 0x0d58},     {NIC_X710, 0x0dd2},     {NIC_X710, 0x0dda},
	{NIC_X710, 0x101f},     {NIC_X710, 0x104e},     {NIC_X710, 0x104f},
	{NIC_X710, 0x1572},     {NIC_X710, 0x1574},     {NIC_X710, 0x1580},
	{NIC_X710, 0x1581},     {NIC_X710, 0x1583},     {NIC_X710, 0x1584},
	{NIC_X710, 0x1585},     {NIC_X710, 0x1586},     {NIC_X710, 0x1587},
	{NIC_X710, 0x1588},     {NIC_X710, 0x1589},     {NIC_X710, 0x158a},
	{NIC_X710, 0x158b},     {NIC_X710, 0x15ff},     {NIC_X710, 0x37ce},
	{NIC_X710, 0x37cf},     {NIC_X710, 0x37d0},     {NIC_X710, 0x37d1},
	{NIC_X710, 0x37d2},     {NIC_X710, 0x37d3},     {NIC_82576, 0x10c9},
	{NIC_82576, 0x10e6},    {NIC_82576, 0x10e7},    {NIC_82576, 0x10e8},
	{NIC_82576, 0x150a},    {NIC_82576, 0x150d},    {NIC_82576, 0x1518},
	{NIC_82576, 0x1526},    {NIC_82580, 0x0438},    {NIC_82580, 0x043a},
	{NIC_82580, 0x043c},    {NIC_82580, 0x0440},    {NIC_82580, 0x150e},
	{NIC_82580, 0x150f},    {NIC_82580, 0x1510},    {NIC_82580, 0x1511},
	{NIC_82580, 0x1516},    {NIC_82580, 0x1527},    {NIC_I350, 0x1521},
	{NIC_I350, 0x1522},     {NIC_I350, 0x1523},     {NIC_I350, 0x1524},
	{NIC_I354, 0x1f40},     {NIC_I354, 0x1f41},     {NIC_I354, 0x1f45},
	{NIC_I210, 0x1533},     {NIC_I210, 0x1536},     {NIC_I210, 0x1537},
	{NIC_I210, 0x1538},     {NIC_I210, 0x157b},     {NIC_I210, 0x157c},
	{NIC_I211, 0x1539},
};

enum nic_mac nic_mac_of(const char *driver, uint16_t device)
{
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		if (ids[i].device == device &&
		    !strcmp(family_words[macs[ids[i].mac].family], driver))
			return ids[i].mac;
	return NIC_MACS;
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
