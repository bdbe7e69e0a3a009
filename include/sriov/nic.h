/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known of Intel NICs and their PF drivers, as data.
 */
#ifndef SRIOV_NIC_H
#define SRIOV_NIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SRIOV_PCI_LEN 16 /* "dddd:bb:dd.f" and room for a longer domain (VMD) */
#define SRIOV_MAC_LEN 18 /* "aa:bb:cc:dd:ee:ff" */
#define SRIOV_NAME_LEN 64

/*
 * Reads "dddd:bb:dd.f" or "bb:dd.f" (hexadecimal, any case) and writes the canonical lower-case text
 * with its domain. Returns 0, or -EINVAL with @out untouched.
 */
int sriov_pci_parse(const char *text, char out[SRIOV_PCI_LEN]);

/* Reads "aa:bb:cc:dd:ee:ff". Returns 0, or -EINVAL with @out untouched. */
int sriov_mac_parse(const char *text, uint8_t out[6]);
const char *sriov_mac_format(const uint8_t mac[6], char buf[SRIOV_MAC_LEN]);
bool sriov_mac_is_zero(const uint8_t mac[6]);

/*
 * The automatic MAC of VF @index of the PF with permanent address @pf: unicast, locally administered,
 * the same at every boot. @salt > 0 gives the next candidates after a collision.
 */
void sriov_mac_auto(const uint8_t pf[6], unsigned index, unsigned salt, uint8_t out[6]);

/* Facts of a PF driver that plans depend on. Sources stand beside the table in lib/host/nic.c. */
enum sriov_driver_trait {
	SRIOV_NUMVFS_RESETS_PORT = 1 << 0, /* a change of the VF count takes the link down */
	SRIOV_RESET_LOSES_RSS = 1 << 1,    /* a reset of the port refills the RSS table */
	SRIOV_NTUPLE_RESETS_PORT = 1 << 2, /* switching ntuple on resets the port */
	SRIOV_RULES_LOST_LATE = 1 << 3,    /* that the table is full shows only after the insert */
	SRIOV_RATE_NEEDS_LINK =
		1 << 4, /* a VF rate is refused until the link is up (see rate_link_mbps) */
	SRIOV_ATTR_RESETS_VF = 1 << 5, /* MAC, VLAN, trust, link state each reset the VF */
	SRIOV_VF_EAGAIN =
		1 << 6, /* attributes answer EAGAIN while the VF resets; no event tells the end */
	SRIOV_VF_REPORTS_NO_LINK_STATE =
		1 << 7, /* the dump always says "auto" on kernels before 6.12 */
	/* switching ntuple off empties all that the driver remembers of rules, not only their list */
	SRIOV_NTUPLE_OFF_FORGETS = 1 << 8,
};

enum sriov_link_state { SRIOV_LINK_AUTO = 0, SRIOV_LINK_ENABLE = 1, SRIOV_LINK_DISABLE = 2 };

/* What can happen to a port, and what becomes of its ntuple rules then. */
enum sriov_event {
	SRIOV_EVENT_IFDOWN,     /* ip link set … down, and up again */
	SRIOV_EVENT_NUMVFS,     /* the number of VFs changes */
	SRIOV_EVENT_CHANNELS,   /* ethtool -L */
	SRIOV_EVENT_NTUPLE_OFF, /* ethtool -K … ntuple off, and on again */
	SRIOV_EVENT_RESET,      /* the driver's own reset: TX hang, MTU, suspend and resume */
	SRIOV_EVENT_FLR,        /* function level reset of the PF (sysfs reset) */
	SRIOV_EVENT_RELOAD,     /* the driver is unbound or loaded again */
	SRIOV_EVENTS,
};

enum sriov_fate {
	SRIOV_RULES_KEPT,
	SRIOV_RULES_INACTIVE, /* listed, but not in the NIC until the driver programs it again */
	SRIOV_RULES_STALE,    /* kept, but those that send to a VF may send elsewhere */
	SRIOV_RULES_WIPED,
};

struct sriov_rule_fate {
	enum sriov_fate fate;
	const char *note; /* when, and where that is known from */
};

/* "ifdown", "numvfs", "channels", "ntuple-off", "reset", "flr", "reload". */
const char *sriov_event_word(enum sriov_event event);
/* "kept", "inactive", "stale", "wiped". */
const char *sriov_fate_word(enum sriov_fate fate);

struct sriov_driver {
	const char *name;        /* of the PF driver: "ixgbe" */
	const char *vf_driver;   /* "ixgbevf" */
	unsigned traits;         /* enum sriov_driver_trait */
	unsigned vfs_max;        /* the driver's own limit, 0 = only the device's totalvfs */
	unsigned rate_min_mbps;  /* smallest max rate accepted as it stands */
	unsigned rate_max_mbps;  /* largest, 0 = link speed */
	unsigned rate_link_mbps; /* the link must have exactly this speed, 0 = any */
	unsigned rate_step_mbps; /* the hardware rounds down to a multiple, 0 = exact */
	bool rate;               /* has max rate, on some device: see sriov_driver_has_rate() */
	bool min_rate;           /* has min rate */
	bool vlan_8021ad;        /* has VLAN protocol 802.1ad for VFs */
	unsigned link_states;    /* bit per enum sriov_link_state that has an effect */
	const char *source;      /* where these facts come from */
	struct sriov_rule_fate rules[SRIOV_EVENTS];
	/* Counters of the port, as ethtool -S has them: packets that met a rule, or none; or NULL. */
	const char *rule_hits, *rule_misses;
};

/* NULL for a driver that is not modelled. */
const struct sriov_driver *sriov_driver_find(const char *name);
/* The @i'th modelled driver, NULL behind the last. */
const struct sriov_driver *sriov_driver_at(size_t i);

/* Whether the driver has VF rates on this device: igb has them on the 82576 alone. */
bool sriov_driver_has_rate(const struct sriov_driver *driver, uint16_t device);

/*
 * RX queues that a PF has with @vfs VFs, of @queues without any: with VFs a PF keeps one pool of queues
 * (ixgbe 4, or 2 in the mode of 64 pools; igb 2, on the I350 1).
 */
unsigned sriov_driver_queues(const struct sriov_driver *driver, uint16_t device, unsigned vfs,
			     unsigned queues);

/* Marketing name of an Intel NIC of the modelled drivers, or NULL. */
const char *sriov_device_name(uint16_t vendor, uint16_t device);
/* The device id of its VFs, 0 = not known; ids from the VF drivers' own tables (ixgbevf, iavf, igbvf). */
uint16_t sriov_vf_device(uint16_t vendor, uint16_t device);

#ifdef __cplusplus
}
#endif
#endif
