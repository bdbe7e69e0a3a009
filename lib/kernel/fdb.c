/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses that a port takes beside its own. The switch of a NIC gives frames of its VFs to the PF only for these, and
 * the wire's too unless the port is promiscuous: what lies behind the PF, on a bridge, must be named here.
 */
#include "lib/kernel/kernel.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#define OWN_STATES NUD_PERMANENT /* the drivers take no other: ndo_dflt_fdb_add() */

int fdb_parse(const struct nlmsghdr *msg, int ifindex, const uint8_t mac[6], bool *is)
{
	const struct ndmsg *header;
	const struct nlattr *attr;
	bool same = false;

	if (msg->nlmsg_type != RTM_NEWNEIGH || msg->nlmsg_len < NLMSG_LENGTH(sizeof(*header)) ||
	    msg->nlmsg_len % NLMSG_ALIGNTO)
		return -EBADMSG;
	header = NLMSG_DATA(msg);
	mnl_attr_for_each(attr, msg, sizeof(*header))
		if (mnl_attr_get_type(attr) == NDA_LLADDR && mnl_attr_get_payload_len(attr) == 6)
			same = !memcmp(mnl_attr_get_payload(attr), mac, 6);
	*is = same && header->ndm_ifindex == ifindex && (header->ndm_flags & NTF_SELF);
	return 0;
}

struct fdb_answer {
	int ifindex;
	const uint8_t *mac;
	bool found;
};

static int hear(const struct nlmsghdr *msg, void *data)
{
	struct fdb_answer *answer = data;
	bool is;
	int r = fdb_parse(msg, answer->ifindex, answer->mac, &is);

	if (!r)
		answer->found |= is;
	return r;
}

static struct ndmsg *begin(struct nlmsghdr *req, unsigned type, int ifindex)
{
	struct ndmsg *header;

	req->nlmsg_type = type;
	header = mnl_nlmsg_put_extra_header(req, sizeof(*header));
	header->ndm_family = AF_BRIDGE;
	header->ndm_ifindex = ifindex;
	return header;
}

int rtnetlink_fdb_has(struct rtnetlink *rtnl, const char *object, int ifindex, const uint8_t mac[6],
		      bool *out, struct sriov_error *err)
{
	_Alignas(struct nlmsghdr) char buf[MNL_NLMSG_HDRLEN + 128];
	struct nlmsghdr *req = mnl_nlmsg_put_header(buf);
	struct fdb_answer answer = {.ifindex = ifindex, .mac = mac};
	struct netlink_error words;

	begin(req, RTM_GETNEIGH, ifindex);
	req->nlmsg_flags = NLM_F_DUMP;
	if (netlink_request(rtnetlink_fd(rtnl), req, hear, &answer, &words) < 0)
		return rtnetlink_refused(err, &words, object, "read its forwarding database");
	*out = answer.found;
	return 0;
}

int rtnetlink_fdb_set(struct rtnetlink *rtnl, const char *object, int ifindex, const uint8_t mac[6],
		      bool on, struct sriov_error *err)
{
	_Alignas(struct nlmsghdr) char buf[MNL_NLMSG_HDRLEN + 128];
	struct nlmsghdr *req = mnl_nlmsg_put_header(buf);
	struct netlink_error words;
	struct ndmsg *header;

	header = begin(req, on ? RTM_NEWNEIGH : RTM_DELNEIGH, ifindex);
	header->ndm_flags = NTF_SELF;
	header->ndm_state = OWN_STATES;
	if (on)
		req->nlmsg_flags |= NLM_F_CREATE;
	mnl_attr_put(req, NDA_LLADDR, 6, mac);
	if (netlink_request(rtnetlink_fd(rtnl), req, NULL, NULL, &words) >= 0)
		return 0;
	rtnetlink_refused(err, &words, object,
			  on ? "take frames for another address (bridge fdb add … self)"
			     : "stop taking frames for another address (bridge fdb del … self)");
	if (words.code == -EOPNOTSUPP)
		sriov_error_hint(err, "the driver has this only while the PF has VFs");
	return words.code;
}
