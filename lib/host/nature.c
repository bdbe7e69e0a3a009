/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a NIC is silicon or emulated. Emulators mark their devices where a vendor would put its own name;
 * a NIC without such a mark in a virtual machine may be either, because it may be passed through.
 */
#include "lib/host/host.h"

#include <stdio.h>
#include <string.h>

/* PCI subsystem vendors of emulators. */
static const struct {
	uint16_t vendor;
	const char *name;
} emulators[] = {
	{0x1af4, "QEMU (Red Hat)"},
	{0x1b36, "QEMU (Red Hat)"},
	{0x15ad, "VMware"},
	{0x80ee, "VirtualBox"},
};

/* QEMU's default for NICs, which libvirt keeps. */
static const uint8_t qemu_oui[3] = {0x52, 0x54, 0x00};

const char *nature_word(enum host_nature nature)
{
	static const char *const words[] = {
		[NATURE_UNKNOWN] = "unknown whether silicon",
		[NATURE_SILICON] = "silicon",
		[NATURE_EMULATED] = "emulated",
		[NATURE_SIMULATED] = "simulated",
	};

	return words[nature];
}

enum host_nature nature_judge(const struct nature_facts *facts, char *why, size_t size)
{
	char mac[SRIOV_MAC_LEN];

	for (size_t i = 0; i < ARRAY_SIZE(emulators); i++) {
		if (emulators[i].vendor != facts->subsystem_vendor)
			continue;
		snprintf(why, size, "its PCI subsystem vendor is %04x, %s", emulators[i].vendor,
			 emulators[i].name);
		return NATURE_EMULATED;
	}
	if (!memcmp(facts->perm_mac, qemu_oui, sizeof(qemu_oui))) {
		snprintf(why, size, "its permanent MAC %s is of the range that QEMU gives out",
			 sriov_mac_format(facts->perm_mac, mac));
		return NATURE_EMULATED;
	}
	if (!facts->subsystem_vendor) {
		snprintf(why, size, "its PCI subsystem vendor cannot be read");
		return NATURE_UNKNOWN;
	}
	if (facts->virtual_machine == SRIOV_NO) {
		snprintf(why, size, "no mark of an emulator, and this host is no virtual machine");
		return NATURE_SILICON;
	}
	snprintf(
		why, size,
		facts->virtual_machine == SRIOV_YES
			? "this host is a virtual machine: the NIC may be passed through or emulated"
			: "whether this host is a virtual machine is not known");
	return NATURE_UNKNOWN;
}
