/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All netdevs with what they are on, and the making of two kinds: a VLAN of another netdev, and a bridge.
 *
 * The kernel takes an alias only of a netdev that is there (rtnl_create_link() has no IFLA_IFALIAS, do_setlink() has),
 * so the making is two messages. That what stands between them is ours is told by its group, which the first one gives
 * and the second one takes away with the alias.
 */
#include "lib/kernel/kernel.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

/* ---- reading ---- */

static void copy_text(const struct nlattr *attr, char *out, size_t size)
{
	size_t len = strnlen(mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr));

	if (len >= size)
		len = size - 1;
	memcpy(out, mnl_attr_get_payload(attr), len);
	out[len] = '\0';
}

static int parse_number(const struct nlattr *attr, uint32_t *out)
{
	if (mnl_attr_get_payload_len(attr) < sizeof(uint32_t))
		return -EBADMSG;
	*out = mnl_attr_get_u32(attr);
	return 0;
}

static int parse_vlan(const struct nlattr *data, struct link_seen *out)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, data) {
		unsigned type = mnl_attr_get_type(attr);

		if (type != IFLA_VLAN_ID && type != IFLA_VLAN_PROTOCOL)
			continue;
		if (mnl_attr_get_payload_len(attr) < sizeof(uint16_t))
			return -EBADMSG;
		if (type == IFLA_VLAN_ID)
			out->vlan = mnl_attr_get_u16(attr);
		else
			out->vlan_proto = be16toh(mnl_attr_get_u16(attr));
	}
	return 0;
}

static int parse_info(const struct nlattr *info, struct link_seen *out)
{
	const struct nlattr *attr, *data = NULL;

	mnl_attr_for_each_nested(attr, info) {
		if (mnl_attr_get_type(attr) == IFLA_INFO_KIND)
			copy_text(attr, out->kind, sizeof(out->kind));
		else if (mnl_attr_get_type(attr) == IFLA_INFO_DATA)
			data = attr;
	}
	return data && !strcmp(out->kind, "vlan") ? parse_vlan(data, out) : 0;
}

int link_seen_parse(const struct nlmsghdr *msg, struct link_seen *out)
{
	struct link_seen seen = {0};
	const struct ifinfomsg *header;
	const struct nlattr *attr;
	uint32_t number;

	/* libmnl takes the message to end where its length is rounded up to */
	if (msg->nlmsg_type != RTM_NEWLINK || msg->nlmsg_len < NLMSG_LENGTH(sizeof(*header)) ||
	    msg->nlmsg_len % NLMSG_ALIGNTO)
		return -EBADMSG;
	header = NLMSG_DATA(msg);
	seen.ifindex = header->ifi_index;
	seen.up = header->ifi_flags & IFF_UP;
	mnl_attr_for_each(attr, msg, sizeof(*header)) {
		unsigned type = mnl_attr_get_type(attr);
		int r = 0;

		number = 0;
		if (type == IFLA_LINK || type == IFLA_MASTER || type == IFLA_GROUP)
			r = parse_number(attr, &number);
		if (!r && type == IFLA_LINKINFO)
			r = parse_info(attr, &seen);
		if (r < 0)
			return r;
		if (type == IFLA_IFNAME)
			copy_text(attr, seen.name, sizeof(seen.name));
		else if (type == IFLA_IFALIAS)
			copy_text(attr, seen.alias, sizeof(seen.alias));
		else if (type == IFLA_LINK)
			seen.lower = number;
		else if (type == IFLA_MASTER)
			seen.master = number;
		else if (type == IFLA_GROUP)
			seen.group = number;
		else if (type == IFLA_LINK_NETNSID)
			seen.abroad = true;
		else if (type == IFLA_ADDRESS && mnl_attr_get_payload_len(attr) == sizeof(seen.mac))
			memcpy(seen.mac, mnl_attr_get_payload(attr), sizeof(seen.mac));
	}
	*out = seen;
	return 0;
}

struct links_answer {
	struct link_seen *at;
	size_t n;
};

static int hear_link(const struct nlmsghdr *msg, void *data)
{
	struct links_answer *answer = data;
	struct link_seen *slot = core_grow(&answer->at, &answer->n, sizeof(*slot));

	return slot ? link_seen_parse(msg, slot) : -ENOMEM;
}

int address_parse(const struct nlmsghdr *msg, int *ifindex)
{
	const struct ifaddrmsg *header;

	if (msg->nlmsg_type != RTM_NEWADDR || msg->nlmsg_len < NLMSG_LENGTH(sizeof(*header)))
		return -EBADMSG;
	header = NLMSG_DATA(msg);
	*ifindex = header->ifa_scope == RT_SCOPE_LINK ? 0 : header->ifa_index;
	return 0;
}

static int hear_address(const struct nlmsghdr *msg, void *data)
{
	struct links_answer *answer = data;
	int ifindex, r = address_parse(msg, &ifindex);

	for (size_t i = 0; !r && i < answer->n; i++)
		answer->at[i].addressed |= answer->at[i].ifindex == ifindex;
	return r;
}

int rtnetlink_links(struct rtnetlink *rtnl, struct link_seen **out, size_t *n,
		    struct sriov_error *err)
{
	_Alignas(struct nlmsghdr) char buf[MNL_NLMSG_HDRLEN + 128];
	struct nlmsghdr *req = mnl_nlmsg_put_header(buf);
	struct links_answer answer = {0};
	struct netlink_error words;
	int r;

	req->nlmsg_type = RTM_GETLINK;
	req->nlmsg_flags = NLM_F_DUMP;
	mnl_nlmsg_put_extra_header(req, sizeof(struct ifinfomsg));
	r = netlink_request(rtnetlink_fd(rtnl), req, hear_link, &answer, &words);
	if (r >= 0) {
		req = mnl_nlmsg_put_header(buf);
		req->nlmsg_type = RTM_GETADDR;
		req->nlmsg_flags = NLM_F_DUMP;
		mnl_nlmsg_put_extra_header(req, sizeof(struct ifaddrmsg));
		r = netlink_request(rtnetlink_fd(rtnl), req, hear_address, &answer, &words);
	}
	if (r < 0) {
		free(answer.at);
		return rtnetlink_refused(err, &words, "host", "list the network devices");
	}
	*out = answer.at;
	*n = answer.n;
	return 0;
}

/* ---- making ---- */

/* The padding behind texts goes to the kernel too. */
static struct nlmsghdr *begin(char buf[LINK_MESSAGE])
{
	memset(buf, 0, LINK_MESSAGE);
	return mnl_nlmsg_put_header(buf);
}

void link_new_build(const struct link_new *link, char buf[LINK_MESSAGE])
{
	struct nlmsghdr *req = begin(buf);
	struct nlattr *info, *data;

	req->nlmsg_type = RTM_NEWLINK;
	req->nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL;
	mnl_nlmsg_put_extra_header(req, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(req, IFLA_IFNAME, link->name);
	mnl_attr_put_u32(req, IFLA_GROUP, LINK_HALF_GROUP);
	if (link->vlan) {
		mnl_attr_put_u32(req, IFLA_LINK, link->lower);
		mnl_attr_put_u32(req, IFLA_MTU, link->mtu);
	}
	info = mnl_attr_nest_start(req, IFLA_LINKINFO);
	mnl_attr_put_strz(req, IFLA_INFO_KIND, link->vlan ? "vlan" : "bridge");
	data = mnl_attr_nest_start(req, IFLA_INFO_DATA);
	if (link->vlan) {
		mnl_attr_put_u16(req, IFLA_VLAN_ID, link->vlan);
		mnl_attr_put_u16(req, IFLA_VLAN_PROTOCOL, htobe16(ETH_P_8021Q));
	} else {
		/* one way in and out: no loop to be found, and nothing to wait for */
		mnl_attr_put_u32(req, IFLA_BR_FORWARD_DELAY, 0);
		mnl_attr_put_u32(req, IFLA_BR_STP_STATE, 0);
	}
	mnl_attr_nest_end(req, data);
	mnl_attr_nest_end(req, info);
}

void link_ready_build(const char *name, int master, char buf[LINK_MESSAGE])
{
	struct nlmsghdr *req = begin(buf);
	struct ifinfomsg *header;

	req->nlmsg_type = RTM_SETLINK;
	header = mnl_nlmsg_put_extra_header(req, sizeof(*header));
	header->ifi_flags = IFF_UP;
	header->ifi_change = IFF_UP;
	mnl_attr_put_strz(req, IFLA_IFNAME, name);
	mnl_attr_put_str(req, IFLA_IFALIAS, LINK_ALIAS);
	mnl_attr_put_u32(req, IFLA_GROUP, 0);
	if (master)
		mnl_attr_put_u32(req, IFLA_MASTER, master);
}

void link_quiet_build(const char *name, char buf[LINK_MESSAGE])
{
	struct nlmsghdr *req = begin(buf);
	struct nlattr *spec, *family;

	req->nlmsg_type = RTM_SETLINK;
	mnl_nlmsg_put_extra_header(req, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(req, IFLA_IFNAME, name);
	spec = mnl_attr_nest_start(req, IFLA_AF_SPEC);
	family = mnl_attr_nest_start(req, AF_INET6);
	mnl_attr_put_u8(req, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
	mnl_attr_nest_end(req, family);
	mnl_attr_nest_end(req, spec);
}

static int ask(struct rtnetlink *rtnl, char *buf, const char *name, const char *what,
	       struct sriov_error *err)
{
	struct netlink_error words;

	if (netlink_request(rtnetlink_fd(rtnl), (struct nlmsghdr *)buf, NULL, NULL, &words) < 0)
		return rtnetlink_refused(err, &words, name, what);
	return 0;
}

int rtnetlink_link_new(struct rtnetlink *rtnl, const struct link_new *link, struct sriov_error *err)
{
	_Alignas(struct nlmsghdr) char buf[LINK_MESSAGE];
	int r;

	link_new_build(link, buf);
	r = ask(rtnl, buf, link->name, link->vlan ? "make the VLAN netdev" : "make the bridge",
		err);
	if (r == -EOPNOTSUPP)
		sriov_error_hint(err, "the kernel has no such netdevs: modprobe %s",
				 link->vlan ? "8021q" : "bridge");
	return r;
}

int rtnetlink_link_ready(struct rtnetlink *rtnl, const char *name, int master,
			 struct sriov_error *err)
{
	_Alignas(struct nlmsghdr) char buf[LINK_MESSAGE];
	int r;

	link_quiet_build(name, buf);
	r = ask(rtnl, buf, name, "keep the host's own address off the netdev", err);
	/* without IPv6 there is none */
	if (r < 0 && r != -EAFNOSUPPORT && r != -EOPNOTSUPP)
		return r;
	link_ready_build(name, master, buf);
	r = ask(rtnl, buf, name, "set the netdev up and mark it as ours", err);
	if (r == -ENETDOWN)
		sriov_error_hint(err, "the port below it is down: `ip link set dev PORT up` first");
	return r;
}

int rtnetlink_link_del(struct rtnetlink *rtnl, const char *name, struct sriov_error *err)
{
	_Alignas(struct nlmsghdr) char buf[LINK_MESSAGE];
	struct nlmsghdr *req = mnl_nlmsg_put_header(buf);

	req->nlmsg_type = RTM_DELLINK;
	mnl_nlmsg_put_extra_header(req, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(req, IFLA_IFNAME, name);
	return ask(rtnl, buf, name, "delete the netdev", err);
}
