/* SPDX-License-Identifier: Apache-2.0 */
/* VF attributes as words and as differences, and sets of VF indices. */
#include "lib/core/core.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <sriov/vf.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static int vlan_proto(const char *word, uint16_t *out)
{
	static const struct {
		const char *word;
		uint16_t proto;
	} protos[] = {{"802.1Q", ETH_P_8021Q}, {"802.1ad", ETH_P_8021AD}};

	for (size_t i = 0; i < ARRAY_SIZE(protos); i++) {
		if (!strcasecmp(word, protos[i].word)) {
			*out = protos[i].proto;
			return 0;
		}
	}
	return -EINVAL;
}

SRIOV_EXPORT int sriov_vlan_parse(const char *text, struct sriov_vf_attrs *out,
				  struct sriov_error *err)
{
	char copy[32], *rest = copy, *id, *qos, *proto;
	uint64_t vlan = 0, prio = 0;
	uint16_t ethertype = ETH_P_8021Q;

	core_copy(copy, sizeof(copy), text);
	id = strsep(&rest, ":");
	qos = strsep(&rest, ":");
	proto = strsep(&rest, ":");
	if (!text || strlen(text) >= sizeof(copy) || rest) {
		sriov_error_set(err, -EINVAL, "vlan", "'%s' is not a VLAN", text ? text : "");
		return sriov_error_hint(err,
					"write ID, ID:QOS or ID:QOS:PROTO, as in 100:3:802.1Q");
	}
	if (core_number(id, 0, 4095, &vlan) < 0)
		return sriov_error_set(err, -EINVAL, "vlan",
				       "VLAN ID '%s' is not a number from 0 to 4095", id);
	if (qos && core_number(qos, 0, 7, &prio) < 0)
		return sriov_error_set(err, -EINVAL, "vlan",
				       "VLAN priority '%s' is not a number from 0 to 7", qos);
	if (proto && vlan_proto(proto, &ethertype) < 0)
		return sriov_error_set(err, -EINVAL, "vlan",
				       "VLAN protocol '%s' is neither 802.1Q nor 802.1ad", proto);
	if (vlan == 4095) {
		sriov_error_set(err, -EINVAL, "vlan",
				"VLAN ID 4095 is reserved by IEEE 802.1Q and never on the wire, "
				"although drivers accept it");
		return sriov_error_hint(err, "use 1 to 4094, or 0 for no VLAN");
	}
	if (!vlan && (prio || ethertype != ETH_P_8021Q)) {
		sriov_error_set(err, -EINVAL, "vlan",
				"VLAN 0 means no VLAN, so there is no tag for a %s",
				prio ? "priority" : "protocol");
		return sriov_error_hint(err, "give an ID from 1 to 4094, or write just 0");
	}
	out->has |= SRIOV_VF_VLAN;
	out->vlan = vlan;
	out->qos = prio;
	out->vlan_proto = ethertype;
	return 0;
}

SRIOV_EXPORT unsigned sriov_vf_attrs_differ(const struct sriov_vf_attrs *now,
					    const struct sriov_vf_attrs *want)
{
	const struct {
		unsigned bit;
		bool same;
	} checks[] = {
		{SRIOV_VF_MAC, !memcmp(now->mac, want->mac, sizeof(now->mac))},
		{SRIOV_VF_VLAN, now->vlan == want->vlan && now->qos == want->qos &&
					now->vlan_proto == want->vlan_proto},
		{SRIOV_VF_SPOOFCHK, now->spoofchk == want->spoofchk},
		{SRIOV_VF_TRUST, now->trust == want->trust},
		{SRIOV_VF_RATE, now->min_rate == want->min_rate && now->max_rate == want->max_rate},
		{SRIOV_VF_LINK, now->link == want->link},
	};
	unsigned differ = 0;

	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		if (!checks[i].same || !(now->has & checks[i].bit))
			differ |= checks[i].bit;
	}
	return differ & want->has;
}

SRIOV_EXPORT bool sriov_vfset_has(const struct sriov_vfset *set, unsigned index)
{
	return index < SRIOV_VF_MAX && set->bits[index / 64] >> (index % 64) & 1;
}

SRIOV_EXPORT void sriov_vfset_add(struct sriov_vfset *set, unsigned index)
{
	if (index < SRIOV_VF_MAX)
		set->bits[index / 64] |= 1ull << (index % 64);
}

/* "7" or "0-3" */
static int add_range(const char *text, struct sriov_vfset *set, struct sriov_error *err)
{
	uint64_t first, last;
	char copy[16], *to;

	core_copy(copy, sizeof(copy), text);
	to = strchr(copy, '-');
	if (to)
		*to++ = '\0';
	if (strlen(text) >= sizeof(copy) || core_number(copy, 0, SRIOV_VF_MAX - 1, &first) < 0 ||
	    core_number(to ? to : copy, 0, SRIOV_VF_MAX - 1, &last) < 0) {
		sriov_error_set(err, -EINVAL, "vf", "'%s' is not a VF index or range", text);
		return sriov_error_hint(err, "write indices from 0 to %d as in 0-3,7, or all",
					SRIOV_VF_MAX - 1);
	}
	if (first > last)
		return sriov_error_set(err, -EINVAL, "vf", "range '%s' runs backwards", text);
	for (; first <= last; first++)
		sriov_vfset_add(set, first);
	return 0;
}

SRIOV_EXPORT int sriov_vfset_parse(const char *text, struct sriov_vfset *out,
				   struct sriov_error *err)
{
	struct sriov_vfset set = {0};
	_free_ char *copy = NULL;
	char *rest, *part;

	if (!text || !*text)
		return sriov_error_set(err, -EINVAL, "vf", "no VF index given");
	if (!strcmp(text, "all")) {
		memset(&set, 0xff, sizeof(set));
		*out = set;
		return 0;
	}
	copy = rest = strdup(text);
	if (!copy)
		return core_oom(err);
	while ((part = strsep(&rest, ","))) {
		int r = add_range(part, &set, err);

		if (r < 0)
			return r;
	}
	*out = set;
	return 0;
}

SRIOV_EXPORT void sriov_vf_attrs_merge(struct sriov_vf_attrs *into,
				       const struct sriov_vf_attrs *from)
{
	unsigned has = into->has | from->has;

	if (from->has & SRIOV_VF_MAC)
		memcpy(into->mac, from->mac, sizeof(into->mac));
	if (from->has & SRIOV_VF_VLAN) {
		into->vlan = from->vlan;
		into->qos = from->qos;
		into->vlan_proto = from->vlan_proto;
	}
	if (from->has & SRIOV_VF_SPOOFCHK)
		into->spoofchk = from->spoofchk;
	if (from->has & SRIOV_VF_TRUST)
		into->trust = from->trust;
	if (from->has & SRIOV_VF_RATE) {
		into->min_rate = from->min_rate;
		into->max_rate = from->max_rate;
	}
	if (from->has & SRIOV_VF_LINK)
		into->link = from->link;
	into->has = has;
}
