/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Virtual functions: their attributes, and the commands on them.
 */
#ifndef SRIOV_VF_H
#define SRIOV_VF_H

#include <sriov/error.h>
#include <sriov/nic.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SRIOV_VF_MAX 256 /* VF indices are below this; the modelled NICs end at 128 */

/* Has-bits: "leave the VLAN" and "clear the VLAN" differ. */
enum sriov_vf_has {
	SRIOV_VF_MAC = 1 << 0,
	SRIOV_VF_VLAN = 1 << 1, /* id, qos and proto together */
	SRIOV_VF_SPOOFCHK = 1 << 2,
	SRIOV_VF_TRUST = 1 << 3,
	SRIOV_VF_RATE = 1 << 4, /* min and max together */
	SRIOV_VF_LINK = 1 << 5,
	SRIOV_VF_ALL = (1 << 6) - 1,
};

struct sriov_vf_attrs {
	unsigned has; /* enum sriov_vf_has */
	uint8_t mac[6];
	uint16_t vlan; /* 0 = none */
	uint8_t qos;
	uint16_t vlan_proto; /* 0x8100 or 0x88a8, host order; 0x8100 where there is no VLAN */
	bool spoofchk;
	bool trust;
	uint32_t min_rate; /* Mbit/s, 0 = none */
	uint32_t max_rate; /* Mbit/s, 0 = unlimited */
	uint8_t link;      /* enum sriov_link_state */
};

/* Reads "ID[:QOS[:PROTO]]", PROTO 802.1Q or 802.1ad; sets the VLAN fields and the has-bit. */
int sriov_vlan_parse(const char *text, struct sriov_vf_attrs *out, struct sriov_error *err);

/* The has-bits of @want whose value differs from @now's (a bit @now lacks counts as different). */
unsigned sriov_vf_attrs_differ(const struct sriov_vf_attrs *now, const struct sriov_vf_attrs *want);
/* What @from has goes over what @into has. */
void sriov_vf_attrs_merge(struct sriov_vf_attrs *into, const struct sriov_vf_attrs *from);

/* A set of VF indices. */
struct sriov_vfset {
	uint64_t bits[SRIOV_VF_MAX / 64];
};
/* Reads "0-3,7" or "all" (every index below SRIOV_VF_MAX). */
int sriov_vfset_parse(const char *text, struct sriov_vfset *out, struct sriov_error *err);
bool sriov_vfset_has(const struct sriov_vfset *set, unsigned index);
void sriov_vfset_add(struct sriov_vfset *set, unsigned index);

#ifdef __cplusplus
}
#endif
#endif
