/* SPDX-License-Identifier: Apache-2.0 */
/* PCI and MAC addresses, and the facts of the PF drivers that plans depend on. */
#include "lib/core/core.h"

#include <ctype.h>
#include <errno.h>
#include <sriov/nic.h>
#include <stdio.h>
#include <string.h>

/* Reads @min to @max hexadecimal digits and moves *@text behind them. */
static int hex(const char **text, unsigned min, unsigned max, unsigned *out)
{
	unsigned value = 0, n = 0;

	for (; n < max && isxdigit((unsigned char)**text); n++, (*text)++) {
		char c = tolower((unsigned char)**text);

		value = value * 16 + (c <= '9' ? c - '0' : c - 'a' + 10);
	}
	if (n < min)
		return -EINVAL;
	*out = value;
	return 0;
}

SRIOV_EXPORT int sriov_pci_parse(const char *text, char out[SRIOV_PCI_LEN])
{
	unsigned domain = 0, bus, device, function;
	const char *p = text;

	if (!text)
		return -EINVAL;
	/* Without a domain the text has one colon. Domains of VMD start at 0x10000. */
	if (strchr(text, ':') != strrchr(text, ':') && (hex(&p, 4, 7, &domain) < 0 || *p++ != ':'))
		return -EINVAL;
	if (hex(&p, 2, 2, &bus) < 0 || *p++ != ':' || hex(&p, 2, 2, &device) < 0 || *p++ != '.' ||
	    hex(&p, 1, 1, &function) < 0 || *p)
		return -EINVAL;
	if (device > 0x1f || function > 7)
		return -EINVAL;
	snprintf(out, SRIOV_PCI_LEN, "%04x:%02x:%02x.%x", domain, bus & 0xff, device & 0x1f,
		 function & 7);
	return 0;
}

SRIOV_EXPORT int sriov_mac_parse(const char *text, uint8_t out[6])
{
	const char *p = text;
	unsigned octet;
	uint8_t mac[6];

	if (!text)
		return -EINVAL;
	for (unsigned i = 0; i < 6; i++) {
		if ((i && *p++ != ':') || hex(&p, 2, 2, &octet) < 0)
			return -EINVAL;
		mac[i] = octet;
	}
	if (*p)
		return -EINVAL;
	memcpy(out, mac, 6);
	return 0;
}

SRIOV_EXPORT const char *sriov_mac_format(const uint8_t mac[6], char buf[SRIOV_MAC_LEN])
{
	snprintf(buf, SRIOV_MAC_LEN, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		 mac[3], mac[4], mac[5]);
	return buf;
}

SRIOV_EXPORT bool sriov_mac_is_zero(const uint8_t mac[6])
{
	return !(mac[0] | mac[1] | mac[2] | mac[3] | mac[4] | mac[5]);
}

SRIOV_EXPORT void sriov_mac_auto(const uint8_t pf[6], unsigned index, unsigned salt, uint8_t out[6])
{
	/* Byte by byte: a host of the other endianness gives the same MAC. */
	const uint8_t key[14] = {pf[0], pf[1],     pf[2],      pf[3],       pf[4],
				 pf[5], index,     index >> 8, index >> 16, index >> 24,
				 salt,  salt >> 8, salt >> 16, salt >> 24};
	uint64_t hash = core_hash(CORE_HASH_SEED, key, sizeof(key));

	/* FNV mixes upwards: fold the high bits into the low ones. */
	hash ^= hash >> 32;
	for (unsigned i = 0; i < 6; i++)
		out[i] = hash >> (8 * i);
	/*
	 * x2 is the "administratively assigned" quadrant of locally administered unicast addresses
	 * (IEEE 802c); it also keeps clear of fe:…, with which libvirt marks taps.
	 */
	out[0] = (out[0] & 0xf0) | 0x02;
}

#define ALL_LINK_STATES (1u << SRIOV_LINK_AUTO | 1u << SRIOV_LINK_ENABLE | 1u << SRIOV_LINK_DISABLE)

/*
 * From the source of Linux 6.1.192 and 6.12.95, which agree in all of this unless a trait says otherwise.
 */
static const struct sriov_driver drivers[] = {
	{
		.name = "ixgbe",
		.vf_driver = "ixgbevf",
		/*
		 * sriov_numvfs ends in ixgbe_setup_tc(): close and open of a running interface. Switching
		 * ntuple either way resets (ixgbe_set_features()), and each reset refills the RSS table
		 * (ixgbe_setup_reta()). ixgbe_ndo_get_vf_config() reports the link state since 6.12.
		 */
		.traits = SRIOV_NUMVFS_RESETS_PORT | SRIOV_RESET_LOSES_RSS |
			  SRIOV_NTUPLE_RESETS_PORT | SRIOV_RATE_NEEDS_LINK |
			  SRIOV_VF_REPORTS_NO_LINK_STATE,
		/* IXGBE_MAX_VFS_DRV_LIMIT: 64 pools less one for the PF; fewer with traffic classes */
		.vfs_max = 63,
		/* ixgbe_ndo_set_vf_bw(): link at exactly 10G, min 0, max 0 or 11 to 10000 */
		.rate_min_mbps = 11,
		.rate_max_mbps = 10000,
		.rate_link_mbps = 10000,
		.rate = true,
		/* ixgbe_ndo_set_vf_link_state(): "enable" is logged as not supported and returns 0 */
		.link_states = 1u << SRIOV_LINK_AUTO | 1u << SRIOV_LINK_DISABLE,
		.source = "ixgbe_sriov.c, ixgbe_main.c of Linux 6.1 and 6.12",
		.rule_hits = "fdir_match",
		.rule_misses = "fdir_miss",
		.rules =
			{
				[SRIOV_EVENT_IFDOWN] = {SRIOV_RULES_WIPED,
							"ixgbe_close() empties the list"},
				[SRIOV_EVENT_NUMVFS] =
					{SRIOV_RULES_WIPED,
					 "ixgbe_setup_tc() closes and opens a port that is up; on "
					 "one that is down they stay"},
				[SRIOV_EVENT_CHANNELS] = {SRIOV_RULES_WIPED,
							  "ixgbe_setup_tc(), as for numvfs"},
				[SRIOV_EVENT_NTUPLE_OFF] =
					{SRIOV_RULES_INACTIVE,
					 "ixgbe_set_features() resets and keeps the list, which "
					 "comes back with ntuple on"},
				[SRIOV_EVENT_RESET] =
					{SRIOV_RULES_KEPT,
					 "ixgbe_fdir_filter_restore(); targets that are gone are "
					 "skipped, but listed"},
				[SRIOV_EVENT_FLR] =
					{SRIOV_RULES_INACTIVE,
					 "the driver is not told (no reset_prepare in "
					 "ixgbe_err_handler) and still lists them; inferred"},
				[SRIOV_EVENT_RELOAD] = {SRIOV_RULES_WIPED,
							"the list is the driver's"},
			},
	},
	{
		.name = "i40e",
		.vf_driver = "iavf",
		/*
		 * i40e_pci_sriov_configure() resets the PF at 0 <-> n to switch the VEB. i40e_set_ntuple()
		 * resets it too. MAC, VLAN, trust and link state end in i40e_vc_reset_vf(); until
		 * VF_STATE_INIT is back the attribute calls answer EAGAIN (i40e_virtchnl_pf.c). That a rule
		 * found no room comes as a programming status (i40e_fd_handle_status()); the service task
		 * or the next DEL drops it from the list (i40e_fdir_check_and_reenable()).
		 */
		.traits = SRIOV_NUMVFS_RESETS_PORT | SRIOV_NTUPLE_RESETS_PORT |
			  SRIOV_RULES_LOST_LATE | SRIOV_NTUPLE_OFF_FORGETS | SRIOV_ATTR_RESETS_VF |
			  SRIOV_VF_EAGAIN,
		/* i40e_ndo_set_vf_bw(): min 0; below 50 becomes 50; credits of 50 Mb/s round down */
		.rate_min_mbps = 50,
		.rate_step_mbps = 50,
		.rate = true,
		.link_states = ALL_LINK_STATES,
		.source = "i40e_virtchnl_pf.c, i40e_main.c of Linux 6.1 and 6.12",
		.rule_hits = "port.fdir_sb_match",
		.rules =
			{
				[SRIOV_EVENT_IFDOWN] = {SRIOV_RULES_KEPT,
							"i40e_fdir_filter_restore() at up"},
				[SRIOV_EVENT_NUMVFS] =
					{SRIOV_RULES_STALE,
					 "the PF is rebuilt and replays them with the VSI of the "
					 "VF as it was (i40e_fdir_filter_restore())"},
				[SRIOV_EVENT_CHANNELS] =
					{SRIOV_RULES_KEPT,
					 "i40e_set_channels() refuses fewer queues than a rule "
					 "uses"},
				[SRIOV_EVENT_NTUPLE_OFF] = {SRIOV_RULES_WIPED,
							    "i40e_fdir_filter_exit()"},
				[SRIOV_EVENT_RESET] =
					{SRIOV_RULES_STALE,
					 "replayed; the VFs are reset too, and a new VSI of one "
					 "is not looked up"},
				[SRIOV_EVENT_FLR] =
					{SRIOV_RULES_STALE,
					 "i40e_pci_error_reset_done() rebuilds the PF, as for a "
					 "reset"},
				[SRIOV_EVENT_RELOAD] = {SRIOV_RULES_WIPED,
							"the list is the driver's"},
			},
	},
	{
		.name = "igb",
		.vf_driver = "igbvf",
		/*
		 * igb_sriov_reinit() closes and opens. igb_set_features() reinitialises the port when ntuple
		 * is switched. igb_ndo_set_vf_bw() is for the 82576 alone (EOPNOTSUPP elsewhere) and
		 * refuses a rate without link. There is no ndo_set_vf_link_state.
		 */
		.traits = SRIOV_NUMVFS_RESETS_PORT | SRIOV_NTUPLE_RESETS_PORT |
			  SRIOV_RATE_NEEDS_LINK,
		.vfs_max = 7,
		.rate_min_mbps = 1,
		.rate = true,
		.source = "igb_main.c of Linux 6.1 and 6.12; the 82576 also measured in emulation",
		.rules =
			{
				[SRIOV_EVENT_IFDOWN] =
					{SRIOV_RULES_KEPT,
					 "igb_down() erases them in hardware, igb_configure() "
					 "restores them"},
				[SRIOV_EVENT_NUMVFS] = {SRIOV_RULES_KEPT, "as ifdown and up"},
				[SRIOV_EVENT_CHANNELS] = {SRIOV_RULES_KEPT,
							  "igb_reinit_queues(), as ifdown and up"},
				[SRIOV_EVENT_NTUPLE_OFF] = {SRIOV_RULES_WIPED,
							    "igb_set_features()"},
				[SRIOV_EVENT_RESET] = {SRIOV_RULES_KEPT, "igb_configure()"},
				[SRIOV_EVENT_FLR] =
					{SRIOV_RULES_INACTIVE,
					 "the driver is not told (no reset_prepare in "
					 "igb_err_handler) and still lists them; inferred"},
				[SRIOV_EVENT_RELOAD] = {SRIOV_RULES_WIPED,
							"the list is the driver's"},
			},
	},
};

SRIOV_EXPORT const struct sriov_driver *sriov_driver_find(const char *name)
{
	for (size_t i = 0; name && i < ARRAY_SIZE(drivers); i++) {
		if (!strcmp(drivers[i].name, name))
			return &drivers[i];
	}
	return NULL;
}

SRIOV_EXPORT const struct sriov_driver *sriov_driver_at(size_t i)
{
	return i < ARRAY_SIZE(drivers) ? &drivers[i] : NULL;
}

SRIOV_EXPORT const char *sriov_event_word(enum sriov_event event)
{
	static const char *const words[SRIOV_EVENTS] = {
		[SRIOV_EVENT_IFDOWN] = "ifdown",     [SRIOV_EVENT_NUMVFS] = "numvfs",
		[SRIOV_EVENT_CHANNELS] = "channels", [SRIOV_EVENT_NTUPLE_OFF] = "ntuple-off",
		[SRIOV_EVENT_RESET] = "reset",       [SRIOV_EVENT_FLR] = "flr",
		[SRIOV_EVENT_RELOAD] = "reload",
	};

	return words[event];
}

SRIOV_EXPORT const char *sriov_fate_word(enum sriov_fate fate)
{
	static const char *const words[] = {
		[SRIOV_RULES_KEPT] = "kept",
		[SRIOV_RULES_INACTIVE] = "inactive",
		[SRIOV_RULES_STALE] = "stale",
		[SRIOV_RULES_WIPED] = "wiped",
	};

	return words[fate];
}

SRIOV_EXPORT bool sriov_driver_has_rate(const struct sriov_driver *driver, uint16_t device)
{
	/* E1000_DEV_ID_82576*: of the NICs of igb the only one that igb_ndo_set_vf_bw() serves */
	static const uint16_t igb_with_rate[] = {0x10c9, 0x10e6, 0x10e7, 0x10e8,
						 0x150a, 0x150d, 0x1518, 0x1526};

	if (strcmp(driver->name, "igb") != 0)
		return driver->rate;
	for (size_t i = 0; i < ARRAY_SIZE(igb_with_rate); i++)
		if (igb_with_rate[i] == device)
			return true;
	return false;
}

SRIOV_EXPORT unsigned sriov_driver_queues(const struct sriov_driver *driver, uint16_t device,
					  unsigned vfs, unsigned queues)
{
	unsigned most = queues;

	/* ixgbe_set_sriov_queues(); igb_set_sriov_capability(), igb_init_queue_configuration() */
	if (vfs && driver && !strcmp(driver->name, "ixgbe"))
		most = vfs < 32 ? 4 : 2;
	else if (vfs && driver && !strcmp(driver->name, "igb"))
		most = device == 0x1521 || device == 0x1522 ? 1 : 2;
	/* a pool of ixgbe has 4, 2 or 1 */
	if (most == 4 && queues == 3)
		return 2;
	return queues < most ? queues : most;
}
