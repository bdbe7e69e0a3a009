/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of the Intel NICs that ixgbe, i40e and igb drive. Device ids from the drivers' own tables
 * (ixgbe_type.h, i40e_devids.h, e1000_hw.h), names from pci.ids, shortened.
 */
#include "lib/core/core.h"

#include <sriov/nic.h>

#define PCI_VENDOR_INTEL 0x8086

static const struct {
	uint16_t device;
	const char *name;
} devices[] = {
	/* ixgbe */
	{0x10b6, "Intel 82598 10-Gigabit"},
	{0x10c6, "Intel 82598EB 10-Gigabit AF Dual Port"},
	{0x10c7, "Intel 82598EB 10-Gigabit AF"},
	{0x10f7, "Intel 82599 10-Gigabit KX4"},
	{0x10f8, "Intel 82599 10-Gigabit Dual Port Backplane"},
	{0x10f9, "Intel 82599 10-Gigabit CX4"},
	{0x10fb, "Intel 82599ES 10-Gigabit SFI/SFP+"},
	{0x10fc, "Intel 82599 10-Gigabit XAUI/BX4"},
	{0x151c, "Intel 82599 10-Gigabit TN"},
	{0x1528, "Intel X540-AT2 10-Gigabit"},
	{0x154d, "Intel 82599 10-Gigabit SFP+ (X520)"},
	{0x1557, "Intel 82599EN 10-Gigabit SFI/SFP+"},
	{0x1558, "Intel 82599 40-Gigabit QSFP+ (X520-Q1)"},
	{0x1560, "Intel X540-AT1 10-Gigabit"},
	{0x1563, "Intel X550-T2 10-Gigabit"},
	{0x15ab, "Intel X552 10-Gigabit Backplane"},
	{0x15ac, "Intel X552 10-Gigabit SFP+"},
	{0x15ad, "Intel X552/X557-AT 10GBASE-T"},
	{0x15c4, "Intel X553 10-Gigabit SFP+"},
	{0x15c8, "Intel X553/X557-AT 10GBASE-T"},
	{0x15ce, "Intel X553 10-Gigabit SFP+"},
	{0x15e4, "Intel X553 1-Gigabit"},
	/* i40e */
	{0x1572, "Intel X710 10-Gigabit SFP+"},
	{0x1580, "Intel XL710 40-Gigabit Backplane"},
	{0x1581, "Intel X710 10-Gigabit Backplane"},
	{0x1583, "Intel XL710 40-Gigabit QSFP+"},
	{0x1584, "Intel XL710 40-Gigabit QSFP+ (Q1)"},
	{0x1585, "Intel X710 10-Gigabit QSFP+"},
	{0x1586, "Intel X710 10GBASE-T"},
	{0x1589, "Intel X710/X557-AT 10GBASE-T"},
	{0x158a, "Intel XXV710 25-Gigabit Backplane"},
	{0x158b, "Intel XXV710 25-Gigabit SFP28"},
	{0x15ff, "Intel X710 10GBASE-T (X710-TL)"},
	{0x37ce, "Intel X722 10-Gigabit Backplane"},
	{0x37d0, "Intel X722 10-Gigabit SFP+"},
	{0x37d1, "Intel X722 1GBASE-T"},
	{0x37d2, "Intel X722 10GBASE-T"},
	/* igb */
	{0x10c9, "Intel 82576 Gigabit"},
	{0x10e6, "Intel 82576 Gigabit Fiber"},
	{0x10e7, "Intel 82576 Gigabit SerDes"},
	{0x150e, "Intel 82580 Gigabit"},
	{0x1521, "Intel I350 Gigabit"},
	{0x1522, "Intel I350 Gigabit Fiber"},
	{0x1526, "Intel 82576 Gigabit Quad Port (ET2)"},
	{0x1533, "Intel I210 Gigabit"},
	{0x1539, "Intel I211 Gigabit"},
	{0x1f41, "Intel I354 Gigabit"},
};

SRIOV_EXPORT const char *sriov_device_name(uint16_t vendor, uint16_t device)
{
	for (size_t i = 0; vendor == PCI_VENDOR_INTEL && i < ARRAY_SIZE(devices); i++) {
		if (devices[i].device == device)
			return devices[i].name;
	}
	return NULL;
}

/* By range of the PFs' ids; where a range holds others too, they have no VFs. */
static const struct {
	uint16_t first, last, vf;
} vf_devices[] = {
	{0x10f7, 0x10fc, 0x10ed}, {0x151c, 0x151c, 0x10ed}, {0x154d, 0x154d, 0x10ed},
	{0x1557, 0x1558, 0x10ed}, {0x1528, 0x1528, 0x1515}, {0x1560, 0x1560, 0x1515},
	{0x1563, 0x1563, 0x1565}, {0x15ab, 0x15ad, 0x15a8}, {0x15c4, 0x15e4, 0x15c5},
	{0x1572, 0x158b, 0x154c}, {0x15ff, 0x15ff, 0x154c}, {0x37ce, 0x37d2, 0x37cd},
	{0x10c9, 0x10c9, 0x10ca}, {0x10e6, 0x10e7, 0x10ca}, {0x1526, 0x1526, 0x10ca},
	{0x1521, 0x1522, 0x1520},
};

SRIOV_EXPORT uint16_t sriov_vf_device(uint16_t vendor, uint16_t device)
{
	for (size_t i = 0; vendor == PCI_VENDOR_INTEL && i < ARRAY_SIZE(vf_devices); i++)
		if (device >= vf_devices[i].first && device <= vf_devices[i].last)
			return vf_devices[i].vf;
	return 0;
}
