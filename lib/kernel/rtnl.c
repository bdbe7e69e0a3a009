/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rtnetlink: link facts and VF attributes of one link, VF changes, link up and down, route look-ups.
 *
 * A link is always asked for by its index and VFs only when wanted: with RTEXT_FILTER_VF the kernel asks
 * the driver about every VF while it holds the lock of all networking, for tenths of a second on hosts
 * with many; and never with their statistics, which cost most of it.
 */
#include "lib/kernel/kernel.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define OPER_UP 6 /* IF_OPER_UP of linux/if.h, which does not go with net/if.h */

struct rtnetlink {
	struct nl_sock *sock;
	int fd;
};

int rtnetlink_open(struct rtnetlink **out, struct sriov_error *err)
{
	struct rtnetlink *rtnl = calloc(1, sizeof(*rtnl));
	int r;

	if (!rtnl)
		return core_oom(err);
	rtnl->sock = nl_socket_alloc();
	if (!rtnl->sock) {
		free(rtnl);
		return core_oom(err);
	}
	errno = 0;
	if (nl_connect(rtnl->sock, NETLINK_ROUTE) < 0) {
		r = errno ? -errno : -EIO;
		rtnetlink_close(rtnl);
		return core_errno(err, r, "rtnetlink", "cannot open a netlink socket");
	}
	rtnl->fd = nl_socket_get_fd(rtnl->sock);
	netlink_setup(rtnl->fd);
	*out = rtnl;
	return 0;
}

int rtnetlink_fd(const struct rtnetlink *rtnl)
{
	return rtnl->fd;
}

void rtnetlink_close(struct rtnetlink *rtnl)
{
	if (!rtnl)
		return;
	nl_socket_free(rtnl->sock);
	free(rtnl);
}

int link_facts_parse(const struct nlmsghdr *msg, struct link_facts *out)
{
	struct link_facts facts = {0};
	const struct ifinfomsg *header;
	const struct nlattr *attr;

	/* libmnl takes the message to end where its length is rounded up to */
	if (msg->nlmsg_type != RTM_NEWLINK || msg->nlmsg_len < NLMSG_LENGTH(sizeof(*header)) ||
	    msg->nlmsg_len % NLMSG_ALIGNTO)
		return -EBADMSG;
	header = NLMSG_DATA(msg);
	facts.ifindex = header->ifi_index;
	facts.up = header->ifi_flags & IFF_UP;
	mnl_attr_for_each(attr, msg, sizeof(*header)) {
		const char *data = mnl_attr_get_payload(attr);
		size_t size = mnl_attr_get_payload_len(attr);

		switch (mnl_attr_get_type(attr)) {
		case IFLA_IFNAME:
			snprintf(facts.name, sizeof(facts.name), "%.*s", (int)strnlen(data, size),
				 data);
			break;
		case IFLA_MTU:
			if (size < sizeof(uint32_t))
				return -EBADMSG;
			facts.mtu = mnl_attr_get_u32(attr);
			break;
		case IFLA_MASTER:
			if (size < sizeof(uint32_t))
				return -EBADMSG;
			facts.master = mnl_attr_get_u32(attr);
			break;
		case IFLA_OPERSTATE:
			if (size < 1)
				return -EBADMSG;
			facts.carrier |= mnl_attr_get_u8(attr) == OPER_UP;
			break;
		case IFLA_CARRIER:
			if (size < 1)
				return -EBADMSG;
			facts.carrier |= mnl_attr_get_u8(attr);
			break;
		case IFLA_ADDRESS:
			if (size == sizeof(facts.mac))
				memcpy(facts.mac, data, size);
			break;
		case IFLA_PERM_ADDRESS:
			if (size == sizeof(facts.perm_mac))
				memcpy(facts.perm_mac, data, size);
			break;
		}
	}
	/* an interface that is down keeps its last carrier in some drivers */
	facts.carrier &= facts.up;
	*out = facts;
	return 0;
}

/* What is wanted from the answer to RTM_GETLINK. */
struct link_answer {
	struct link_facts facts;
	struct sriov_vf_attrs *attrs;
	size_t n;
	bool heard;
};

static int hear_link(const struct nlmsghdr *msg, void *data)
{
	struct link_answer *answer = data;
	int r = link_facts_parse(msg, &answer->facts);

	if (r < 0)
		return r;
	answer->heard = true;
	return answer->attrs ? vfinfo_parse(msg, answer->attrs, answer->n) : 0;
}

/* The error for a request about @object that the kernel refused. */
int rtnetlink_refused(struct sriov_error *err, const struct netlink_error *words,
		      const char *object, const char *what)
{
	char text[256];

	sriov_error_set(err, words->code, object, "cannot %s", what);
	netlink_error_words(words, text, sizeof(text));
	sriov_error_kernel(err, "%s", text);
	switch (words->code) {
	case -EPERM:
		sriov_error_hint(err, "run it as root (CAP_NET_ADMIN in the host's namespace)");
		break;
	case -ENODEV:
		sriov_error_hint(err, "the network device is gone or was renamed: look again with "
				      "'sriovctl host show'");
		break;
	}
	return words->code;
}

int rtnetlink_link(struct rtnetlink *rtnl, const char *object, int ifindex, struct link_facts *out,
		   struct sriov_vf_attrs *attrs, size_t n, struct sriov_error *err)
{
	_Alignas(struct nlmsghdr) char buf[MNL_NLMSG_HDRLEN + 128];
	struct nlmsghdr *req = mnl_nlmsg_put_header(buf);
	struct link_answer answer = {.attrs = attrs, .n = n};
	struct netlink_error words;
	struct ifinfomsg *header;
	int r;

	req->nlmsg_type = RTM_GETLINK;
	header = mnl_nlmsg_put_extra_header(req, sizeof(*header));
	header->ifi_index = ifindex;
	if (attrs)
		mnl_attr_put_u32(req, IFLA_EXT_MASK, RTEXT_FILTER_VF | RTEXT_FILTER_SKIP_STATS);
	r = netlink_request(rtnl->fd, req, hear_link, &answer, &words);
	if (!r && !answer.heard)
		r = words.code = -EBADMSG;
	if (r < 0)
		return rtnetlink_refused(err, &words, object,
					 attrs ? "read the link and its VFs" : "read the link");
	*out = answer.facts;
	return 0;
}

struct mac_answer {
	const uint8_t *mac;
	struct link_facts facts;
	bool found;
};

static int hear_mac(const struct nlmsghdr *msg, void *data)
{
	struct mac_answer *answer = data;
	struct link_facts facts;
	int r = link_facts_parse(msg, &facts);

	if (!r && !answer->found && !memcmp(facts.mac, answer->mac, sizeof(facts.mac))) {
		answer->found = true;
		answer->facts = facts;
	}
	return r;
}

int rtnetlink_by_mac(struct rtnetlink *rtnl, const uint8_t mac[6], struct link_facts *out,
		     struct sriov_error *err)
{
	_Alignas(struct nlmsghdr) char buf[MNL_NLMSG_HDRLEN + 128];
	struct nlmsghdr *req = mnl_nlmsg_put_header(buf);
	struct mac_answer answer = {.mac = mac};
	struct netlink_error words;

	req->nlmsg_type = RTM_GETLINK;
	req->nlmsg_flags = NLM_F_DUMP;
	mnl_nlmsg_put_extra_header(req, sizeof(struct ifinfomsg));
	if (netlink_request(rtnl->fd, req, hear_mac, &answer, &words) < 0)
		return rtnetlink_refused(err, &words, "host", "list the network devices");
	if (!answer.found)
		return -ENODEV;
	*out = answer.facts;
	return 0;
}

int bridge_mode_parse(const struct nlmsghdr *msg, int *ifindex, enum sriov_bridge *out)
{
	enum sriov_bridge mode = SRIOV_BRIDGE_UNKNOWN;
	const struct ifinfomsg *header;
	const struct nlattr *attr, *inner;

	/* libmnl takes the message to end where its length is rounded up to */
	if (msg->nlmsg_type != RTM_NEWLINK || msg->nlmsg_len < NLMSG_LENGTH(sizeof(*header)) ||
	    msg->nlmsg_len % NLMSG_ALIGNTO)
		return -EBADMSG;
	header = NLMSG_DATA(msg);
	mnl_attr_for_each(attr, msg, sizeof(*header)) {
		if (mnl_attr_get_type(attr) != IFLA_AF_SPEC)
			continue;
		mnl_attr_for_each_nested(inner, attr) {
			if (mnl_attr_get_type(inner) != IFLA_BRIDGE_MODE)
				continue;
			if (mnl_attr_get_payload_len(inner) < sizeof(uint16_t))
				return -EBADMSG;
			if (mnl_attr_get_u16(inner) == BRIDGE_MODE_VEB)
				mode = SRIOV_BRIDGE_VEB;
			else if (mnl_attr_get_u16(inner) == BRIDGE_MODE_VEPA)
				mode = SRIOV_BRIDGE_VEPA;
		}
	}
	*ifindex = header->ifi_index;
	*out = mode;
	return 0;
}

struct bridge_answer {
	int ifindex;
	enum sriov_bridge mode;
};

static int hear_bridge(const struct nlmsghdr *msg, void *data)
{
	struct bridge_answer *answer = data;
	enum sriov_bridge mode;
	int ifindex, r = bridge_mode_parse(msg, &ifindex, &mode);

	if (!r && ifindex == answer->ifindex && mode)
		answer->mode = mode;
	return r;
}

int rtnetlink_bridge(struct rtnetlink *rtnl, const char *object, int ifindex,
		     enum sriov_bridge *out, struct sriov_error *err)
{
	_Alignas(struct nlmsghdr) char buf[MNL_NLMSG_HDRLEN + 128];
	struct nlmsghdr *req = mnl_nlmsg_put_header(buf);
	struct bridge_answer answer = {.ifindex = ifindex};
	struct netlink_error words;
	struct ifinfomsg *header;

	req->nlmsg_type = RTM_GETLINK;
	/* the kernel has no form of this for one link */
	req->nlmsg_flags = NLM_F_DUMP;
	header = mnl_nlmsg_put_extra_header(req, sizeof(*header));
	header->ifi_family = AF_BRIDGE;
	if (netlink_request(rtnl->fd, req, hear_bridge, &answer, &words) < 0)
		return rtnetlink_refused(err, &words, object,
					 "read whether the port is in VEB or VEPA mode");
	*out = answer.mode;
	return 0;
}

int rtnetlink_up(struct rtnetlink *rtnl, const char *object, int ifindex, bool up,
		 struct sriov_error *err)
{
	_Alignas(struct nlmsghdr) char buf[MNL_NLMSG_HDRLEN + 128];
	struct nlmsghdr *req = mnl_nlmsg_put_header(buf);
	struct netlink_error words;
	struct ifinfomsg *header;

	req->nlmsg_type = RTM_SETLINK;
	header = mnl_nlmsg_put_extra_header(req, sizeof(*header));
	header->ifi_index = ifindex;
	header->ifi_flags = up ? IFF_UP : 0;
	header->ifi_change = IFF_UP;
	if (netlink_request(rtnl->fd, req, NULL, NULL, &words) < 0)
		return rtnetlink_refused(err, &words, object,
					 up ? "set the link up" : "set the link down");
	return 0;
}

/* What the drivers mean by an errno in answer to a VF attribute. */
static const struct {
	int code;
	const char *means;
} vf_meanings[] = {
	{-EAGAIN, "the VF is in reset: the same request can succeed in a moment"},
	{-EBUSY, "the VF or its PF is in reset: the same request can succeed in a moment"},
	{-EINVAL,
	 "the driver refuses a value, or has no VF of that index; a rate is also refused while "
	 "the PF's link is down. The kernel log often has the driver's reason: dmesg | tail"},
	{-EOPNOTSUPP, "the PF's driver does not have one of these attributes"},
	{-EPROTONOSUPPORT, "the PF's driver has no such VLAN protocol for VFs: use 802.1Q"},
	{-ENOMEM, "the NIC has no room left for another address or VLAN filter"},
	{-ERANGE, "a value is outside what the driver accepts"},
};

/* "MAC 02:…, VLAN 100 and trust on", for the error. */
static void describe(const struct sriov_vf_attrs *attrs, char *buf, size_t size)
{
	static const char *const states[] = {"auto", "enable", "disable"};
	char mac[SRIOV_MAC_LEN], text[6][64] = {""};
	size_t n = 0, at = 0;

	if (attrs->has & SRIOV_VF_MAC)
		snprintf(text[n++], sizeof(text[0]), "MAC %s", sriov_mac_format(attrs->mac, mac));
	if (attrs->has & SRIOV_VF_VLAN)
		snprintf(text[n++], sizeof(text[0]), "VLAN %u qos %u proto %s", attrs->vlan,
			 attrs->qos, attrs->vlan_proto == 0x88a8 ? "802.1ad" : "802.1Q");
	if (attrs->has & SRIOV_VF_RATE)
		snprintf(text[n++], sizeof(text[0]), "rate %u-%u Mbit/s", attrs->min_rate,
			 attrs->max_rate);
	if (attrs->has & SRIOV_VF_SPOOFCHK)
		snprintf(text[n++], sizeof(text[0]), "spoofchk %s", attrs->spoofchk ? "on" : "off");
	if (attrs->has & SRIOV_VF_LINK)
		snprintf(text[n++], sizeof(text[0]), "link state %s",
			 attrs->link < ARRAY_SIZE(states) ? states[attrs->link] : "?");
	if (attrs->has & SRIOV_VF_TRUST)
		snprintf(text[n++], sizeof(text[0]), "trust %s", attrs->trust ? "on" : "off");
	for (size_t i = 0; i < n && at < size; i++)
		at += snprintf(buf + at, size - at, "%s%s", text[i],
			       i + 1 == n   ? ""
			       : i + 2 == n ? " and "
					    : ", ");
}

int rtnetlink_vf(struct rtnetlink *rtnl, const char *object, int ifindex, unsigned vf,
		 const struct sriov_vf_attrs *attrs, struct sriov_error *err)
{
	struct nl_msg *msg;
	struct netlink_error words;
	char what[320] = "set ";
	int r;

	if (!(attrs->has & SRIOV_VF_ALL))
		return 0;
	msg = vfinfo_build(ifindex, vf, attrs);
	if (!msg)
		return core_oom(err);
	r = netlink_request(rtnl->fd, nlmsg_hdr(msg), NULL, NULL, &words);
	nlmsg_free(msg);
	if (r >= 0)
		return 0;
	describe(attrs, what + strlen(what), sizeof(what) - strlen(what));
	rtnetlink_refused(err, &words, object, what);
	for (size_t i = 0; i < ARRAY_SIZE(vf_meanings); i++)
		if (vf_meanings[i].code == r)
			sriov_error_hint(err, "%s", vf_meanings[i].means);
	return r;
}

/* The output interfaces of a multipath route. */
static int parse_hops(const struct nlattr *attr, struct route_facts *facts)
{
	const struct rtnexthop *hop = mnl_attr_get_payload(attr);
	int left = mnl_attr_get_payload_len(attr);

	for (; RTNH_OK(hop, left); left -= RTNH_ALIGN(hop->rtnh_len), hop = RTNH_NEXT(hop))
		if (facts->n < ARRAY_SIZE(facts->ifindex))
			facts->ifindex[facts->n++] = hop->rtnh_ifindex;
	return left > 0 ? -EBADMSG : 0;
}

int route_facts_parse(const struct nlmsghdr *msg, struct route_facts *out)
{
	struct route_facts facts = {0};
	const struct rtmsg *header;
	const struct nlattr *attr;
	int r;

	if (msg->nlmsg_type != RTM_NEWROUTE || msg->nlmsg_len < NLMSG_LENGTH(sizeof(*header)))
		return -EBADMSG;
	header = NLMSG_DATA(msg);
	facts.dst_len = header->rtm_dst_len;
	facts.local = header->rtm_type == RTN_LOCAL;
	mnl_attr_for_each(attr, msg, sizeof(*header)) {
		switch (mnl_attr_get_type(attr)) {
		case RTA_OIF:
			if (mnl_attr_get_payload_len(attr) < sizeof(uint32_t))
				return -EBADMSG;
			if (facts.n < ARRAY_SIZE(facts.ifindex))
				facts.ifindex[facts.n++] = mnl_attr_get_u32(attr);
			break;
		case RTA_MULTIPATH:
			r = parse_hops(attr, &facts);
			if (r < 0)
				return r;
			break;
		}
	}
	*out = facts;
	return 0;
}

static int hear_route(const struct nlmsghdr *msg, void *data)
{
	return route_facts_parse(msg, data);
}

int rtnetlink_route(struct rtnetlink *rtnl, int family, const void *addr, bool match,
		    struct route_facts *out)
{
	size_t size = family == AF_INET6 ? 16 : 4;
	_Alignas(struct nlmsghdr) char buf[MNL_NLMSG_HDRLEN + 128];
	struct nlmsghdr *req = mnl_nlmsg_put_header(buf);
	struct route_facts facts = {0};
	struct netlink_error words;
	struct rtmsg *header;
	int r;

	req->nlmsg_type = RTM_GETROUTE;
	header = mnl_nlmsg_put_extra_header(req, sizeof(*header));
	header->rtm_family = family;
	header->rtm_dst_len = size * 8;
	header->rtm_flags = match ? RTM_F_FIB_MATCH : 0;
	mnl_attr_put(req, RTA_DST, size, addr);
	r = netlink_request(rtnl->fd, req, hear_route, &facts, &words);
	if (r < 0)
		return r;
	*out = facts;
	return 0;
}
