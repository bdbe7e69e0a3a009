/* SPDX-License-Identifier: Apache-2.0 */
/*
 * VF attributes on the wire, both ways and pure: IFLA_VFINFO_LIST of RTM_SETLINK and RTM_NEWLINK.
 *
 *     IFLA_VFINFO_LIST { IFLA_VF_INFO { IFLA_VF_MAC, IFLA_VF_VLAN, … each with its own VF index } … }
 *
 * The kernel (net/core/rtnetlink.c, do_setvfinfo()) applies the attributes of one IFLA_VF_INFO in a fixed
 * order whatever their order in the message, stops at the first that fails and takes nothing back. We
 * send them in that order, so that a reader of the message sees what happens.
 */
#include "lib/kernel/kernel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <string.h>

/* The kernel's "the driver does not say" in the settings that are yes or no. */
#define NOT_REPORTED UINT32_MAX

static int put_mac(struct nl_msg *msg, unsigned vf, const struct sriov_vf_attrs *attrs)
{
	struct ifla_vf_mac mac = {.vf = vf};

	memcpy(mac.mac, attrs->mac, sizeof(attrs->mac));
	return nla_put(msg, IFLA_VF_MAC, sizeof(mac), &mac);
}

/* IFLA_VF_VLAN means 802.1Q; any other protocol takes the list, which the kernel wants with one entry. */
static int put_vlan(struct nl_msg *msg, unsigned vf, const struct sriov_vf_attrs *attrs)
{
	struct ifla_vf_vlan vlan = {.vf = vf, .vlan = attrs->vlan, .qos = attrs->qos};
	struct ifla_vf_vlan_info info = {.vf = vf,
					 .vlan = attrs->vlan,
					 .qos = attrs->qos,
					 .vlan_proto = htons(attrs->vlan_proto)};
	struct nlattr *list;
	int r;

	if (!attrs->vlan_proto || attrs->vlan_proto == ETH_P_8021Q)
		return nla_put(msg, IFLA_VF_VLAN, sizeof(vlan), &vlan);
	list = nla_nest_start(msg, IFLA_VF_VLAN_LIST);
	if (!list)
		return -ENOMEM;
	r = nla_put(msg, IFLA_VF_VLAN_INFO, sizeof(info), &info);
	return r < 0 ? r : nla_nest_end(msg, list);
}

static int put_rate(struct nl_msg *msg, unsigned vf, const struct sriov_vf_attrs *attrs)
{
	struct ifla_vf_rate rate = {
		.vf = vf, .min_tx_rate = attrs->min_rate, .max_tx_rate = attrs->max_rate};

	return nla_put(msg, IFLA_VF_RATE, sizeof(rate), &rate);
}

static int put_spoofchk(struct nl_msg *msg, unsigned vf, const struct sriov_vf_attrs *attrs)
{
	struct ifla_vf_spoofchk spoofchk = {.vf = vf, .setting = attrs->spoofchk};

	return nla_put(msg, IFLA_VF_SPOOFCHK, sizeof(spoofchk), &spoofchk);
}

static int put_link(struct nl_msg *msg, unsigned vf, const struct sriov_vf_attrs *attrs)
{
	/* enum sriov_link_state has the kernel's values */
	struct ifla_vf_link_state state = {.vf = vf, .link_state = attrs->link};

	return nla_put(msg, IFLA_VF_LINK_STATE, sizeof(state), &state);
}

static int put_trust(struct nl_msg *msg, unsigned vf, const struct sriov_vf_attrs *attrs)
{
	struct ifla_vf_trust trust = {.vf = vf, .setting = attrs->trust};

	return nla_put(msg, IFLA_VF_TRUST, sizeof(trust), &trust);
}

/* In the kernel's order. */
static const struct {
	unsigned has;
	int (*put)(struct nl_msg *msg, unsigned vf, const struct sriov_vf_attrs *attrs);
} putters[] = {
	{SRIOV_VF_MAC, put_mac},           {SRIOV_VF_VLAN, put_vlan}, {SRIOV_VF_RATE, put_rate},
	{SRIOV_VF_SPOOFCHK, put_spoofchk}, {SRIOV_VF_LINK, put_link}, {SRIOV_VF_TRUST, put_trust},
};

static int put_vf(struct nl_msg *msg, unsigned vf, const struct sriov_vf_attrs *attrs)
{
	struct nlattr *list = nla_nest_start(msg, IFLA_VFINFO_LIST);
	struct nlattr *info = list ? nla_nest_start(msg, IFLA_VF_INFO) : NULL;
	int r;

	if (!info)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_SIZE(putters); i++) {
		if (!(attrs->has & putters[i].has))
			continue;
		r = putters[i].put(msg, vf, attrs);
		if (r < 0)
			return r;
	}
	nla_nest_end(msg, info);
	nla_nest_end(msg, list);
	return 0;
}

struct nl_msg *vfinfo_build(int ifindex, unsigned vf, const struct sriov_vf_attrs *attrs)
{
	const struct ifinfomsg header = {.ifi_index = ifindex};
	struct nl_msg *msg;

	if (!(attrs->has & SRIOV_VF_ALL))
		return NULL;
	msg = nlmsg_alloc_simple(RTM_SETLINK, 0);
	if (!msg)
		return NULL;
	if (nlmsg_append(msg, (void *)&header, sizeof(header), NLMSG_ALIGNTO) < 0 ||
	    put_vf(msg, vf, attrs) < 0) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

/*
 * The readers: one a kind of attribute, with the size that its structure must at least have. Every
 * structure begins with the VF index.
 */
static void get_mac(const void *data, struct sriov_vf_attrs *attrs)
{
	const struct ifla_vf_mac *mac = data;

	memcpy(attrs->mac, mac->mac, sizeof(attrs->mac));
	attrs->has |= SRIOV_VF_MAC;
}

static void get_vlan(const void *data, struct sriov_vf_attrs *attrs)
{
	const struct ifla_vf_vlan *vlan = data;

	attrs->vlan = vlan->vlan;
	attrs->qos = vlan->qos;
	/* the list, which has the protocol, comes later in the message if at all */
	attrs->vlan_proto = ETH_P_8021Q;
	attrs->has |= SRIOV_VF_VLAN;
}

static void get_vlan_info(const void *data, struct sriov_vf_attrs *attrs)
{
	const struct ifla_vf_vlan_info *info = data;

	attrs->vlan = info->vlan;
	attrs->qos = info->qos;
	attrs->vlan_proto = info->vlan ? ntohs(info->vlan_proto) : ETH_P_8021Q;
	attrs->has |= SRIOV_VF_VLAN;
}

static void get_rate(const void *data, struct sriov_vf_attrs *attrs)
{
	const struct ifla_vf_rate *rate = data;

	attrs->min_rate = rate->min_tx_rate;
	attrs->max_rate = rate->max_tx_rate;
	attrs->has |= SRIOV_VF_RATE;
}

static void get_spoofchk(const void *data, struct sriov_vf_attrs *attrs)
{
	const struct ifla_vf_spoofchk *spoofchk = data;

	if (spoofchk->setting == NOT_REPORTED)
		return;
	attrs->spoofchk = spoofchk->setting;
	attrs->has |= SRIOV_VF_SPOOFCHK;
}

static void get_link(const void *data, struct sriov_vf_attrs *attrs)
{
	const struct ifla_vf_link_state *state = data;

	if (state->link_state > SRIOV_LINK_DISABLE)
		return;
	attrs->link = state->link_state;
	attrs->has |= SRIOV_VF_LINK;
}

static void get_trust(const void *data, struct sriov_vf_attrs *attrs)
{
	const struct ifla_vf_trust *trust = data;

	if (trust->setting == NOT_REPORTED)
		return;
	attrs->trust = trust->setting;
	attrs->has |= SRIOV_VF_TRUST;
}

static const struct {
	size_t size;
	void (*get)(const void *data, struct sriov_vf_attrs *attrs);
} getters[] = {
	[IFLA_VF_MAC] = {sizeof(struct ifla_vf_mac), get_mac},
	[IFLA_VF_VLAN] = {sizeof(struct ifla_vf_vlan), get_vlan},
	[IFLA_VF_RATE] = {sizeof(struct ifla_vf_rate), get_rate},
	[IFLA_VF_SPOOFCHK] = {sizeof(struct ifla_vf_spoofchk), get_spoofchk},
	[IFLA_VF_LINK_STATE] = {sizeof(struct ifla_vf_link_state), get_link},
	[IFLA_VF_TRUST] = {sizeof(struct ifla_vf_trust), get_trust},
};

/* What is left behind the last attribute of a well-formed nest or message is padding at most. */
static bool ends_well(int rest)
{
	return rest > -NLA_ALIGNTO && rest < NLA_ALIGNTO;
}

static int parse_vlan_list(const struct nlattr *list, struct sriov_vf_attrs *attrs)
{
	struct nlattr *attr;
	int rest;

	nla_for_each_nested(attr, list, rest) {
		if (nla_type(attr) != IFLA_VF_VLAN_INFO)
			continue;
		if ((size_t)nla_len(attr) < sizeof(struct ifla_vf_vlan_info))
			return -EBADMSG;
		get_vlan_info(nla_data(attr), attrs);
		break; /* the outer tag; the kernel has one */
	}
	return 0;
}

static int parse_vf(const struct nlattr *info, unsigned *vf, struct sriov_vf_attrs *attrs)
{
	const struct nlattr *list = NULL;
	struct nlattr *attr;
	int rest;

	*vf = NOT_REPORTED;
	nla_for_each_nested(attr, info, rest) {
		size_t type = nla_type(attr);
		uint32_t index;

		if (type == IFLA_VF_VLAN_LIST)
			list = attr;
		if (type >= ARRAY_SIZE(getters) || !getters[type].get)
			continue;
		if ((size_t)nla_len(attr) < getters[type].size)
			return -EBADMSG;
		memcpy(&index, nla_data(attr), sizeof(index));
		if (*vf != NOT_REPORTED && *vf != index)
			return -EBADMSG;
		*vf = index;
		getters[type].get(nla_data(attr), attrs);
	}
	if (!ends_well(rest) || *vf == NOT_REPORTED)
		return -EBADMSG;
	return list ? parse_vlan_list(list, attrs) : 0;
}

int vfinfo_parse(const struct nlmsghdr *msg, struct sriov_vf_attrs *attrs, size_t n)
{
	_free_ struct sriov_vf_attrs *found = NULL;
	const struct nlattr *list = NULL;
	struct nlattr *attr, *info;
	int rest, r;

	if (!nlmsg_valid_hdr(msg, sizeof(struct ifinfomsg)))
		return -EBADMSG;
	nlmsg_for_each_attr(attr, (struct nlmsghdr *)msg, sizeof(struct ifinfomsg), rest)
		if (nla_type(attr) == IFLA_VFINFO_LIST)
			list = attr;
	if (!ends_well(rest))
		return -EBADMSG;
	if (!list)
		return 0;
	found = calloc(n ? n : 1, sizeof(*found));
	if (!found)
		return -ENOMEM;
	if (n)
		memcpy(found, attrs, n * sizeof(*found));
	nla_for_each_nested(info, list, rest) {
		struct sriov_vf_attrs one = {0};
		unsigned vf;

		if (nla_type(info) != IFLA_VF_INFO)
			continue;
		r = parse_vf(info, &vf, &one);
		if (r < 0)
			return r;
		if (vf < n)
			found[vf] = one;
	}
	if (!ends_well(rest))
		return -EBADMSG;
	if (n)
		memcpy(attrs, found, n * sizeof(*found));
	return 0;
}
