/* SPDX-License-Identifier: Apache-2.0 */
/* Extended ACKs, link and route answers, pure; then the same against this kernel in a namespace of our own. */
#include "lib/kernel/kernel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
/* after what it needs */
#include <cmocka.h>

struct buffer {
	_Alignas(struct nlmsghdr) char bytes[1024];
};

/* NLMSG_ERROR for a request of 36 bytes, whose payload is copied unless @capped. */
static struct nlmsghdr *error_message(struct buffer *buf, int code, bool capped)
{
	struct nlmsghdr *msg = mnl_nlmsg_put_header(buf->bytes);
	struct nlmsgerr *e = mnl_nlmsg_put_extra_header(msg, sizeof(*e));

	msg->nlmsg_type = NLMSG_ERROR;
	msg->nlmsg_flags = capped ? NLM_F_CAPPED : 0;
	e->error = code;
	e->msg.nlmsg_len = 36;
	if (!capped)
		memset(mnl_nlmsg_put_extra_header(msg, 20), 0xee, 20);
	return msg;
}

static void test_error(void **state)
{
	for (int capped = 0; capped <= 1; capped++) {
		struct buffer buf;
		struct nlmsghdr *msg = error_message(&buf, -EINVAL, capped);
		struct netlink_error error = {.offset = 99};
		char words[256];

		assert_int_equal(netlink_error_parse(msg, msg->nlmsg_len, &error), 0);
		assert_int_equal(error.code, -EINVAL);
		netlink_error_words(&error, words, sizeof(words));
		assert_string_equal(words, "Invalid argument");

		msg->nlmsg_flags |= NLM_F_ACK_TLVS;
		mnl_attr_put_strz(msg, NLMSGERR_ATTR_MSG, "VLAN ID out of range");
		mnl_attr_put_u32(msg, NLMSGERR_ATTR_OFFS, 52);
		mnl_attr_put_u32(msg, 77, 1); /* of a later kernel */
		assert_int_equal(netlink_error_parse(msg, msg->nlmsg_len, &error), 0);
		assert_string_equal(error.text, "VLAN ID out of range");
		assert_int_equal(error.offset, 52);
		netlink_error_words(&error, words, sizeof(words));
		assert_string_equal(words,
				    "VLAN ID out of range (Invalid argument), at byte 52 of the "
				    "request");
		netlink_error_words(&error, words, 9);
		assert_string_equal(words, "VLAN ID ");
	}
}

/* A text without its NUL, and one longer than we keep. */
static void test_error_text(void **state)
{
	char text[400];
	struct buffer buf;
	struct nlmsghdr *msg = error_message(&buf, -EPERM, true);
	struct netlink_error error;

	memset(text, 'x', sizeof(text));
	msg->nlmsg_flags |= NLM_F_ACK_TLVS;
	mnl_attr_put(msg, NLMSGERR_ATTR_MSG, sizeof(text), text);
	assert_int_equal(netlink_error_parse(msg, msg->nlmsg_len, &error), 0);
	assert_int_equal(strlen(error.text), sizeof(error.text) - 1);
}

static void test_error_malformed(void **state)
{
	struct buffer buf;
	struct nlmsghdr *msg = error_message(&buf, -EINVAL, false);
	struct netlink_error error = {.code = 5}, before = error;
	struct nlmsgerr *e = NLMSG_DATA(msg);

	assert_int_equal(netlink_error_parse(msg, msg->nlmsg_len - 1, &error), -EBADMSG);
	assert_int_equal(netlink_error_parse(msg, 10, &error), -EBADMSG);
	msg->nlmsg_flags |= NLM_F_ACK_TLVS;
	e->msg.nlmsg_len = 4000; /* the copy that it promises is not there */
	assert_int_equal(netlink_error_parse(msg, msg->nlmsg_len, &error), -EBADMSG);
	e->msg.nlmsg_len = 3;
	assert_int_equal(netlink_error_parse(msg, msg->nlmsg_len, &error), -EBADMSG);
	e->error = 22;
	assert_int_equal(netlink_error_parse(msg, msg->nlmsg_len, &error), -EBADMSG);
	msg->nlmsg_type = RTM_NEWLINK;
	assert_int_equal(netlink_error_parse(msg, msg->nlmsg_len, &error), -EBADMSG);
	assert_memory_equal(&error, &before, sizeof(error));
}

static void test_link_facts(void **state)
{
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1}, perm[6] = {0xa0, 1, 2, 3, 4, 5};
	struct buffer buf;
	struct nlmsghdr *msg = mnl_nlmsg_put_header(buf.bytes);
	struct ifinfomsg *header = mnl_nlmsg_put_extra_header(msg, sizeof(*header));
	struct link_facts facts;

	msg->nlmsg_type = RTM_NEWLINK;
	header->ifi_index = 7;
	header->ifi_flags = IFF_UP | IFF_BROADCAST;
	mnl_attr_put_strz(msg, IFLA_IFNAME, "eth2");
	mnl_attr_put_u32(msg, IFLA_MTU, 9000);
	mnl_attr_put_u32(msg, IFLA_MASTER, 12);
	mnl_attr_put_u8(msg, IFLA_CARRIER, 1);
	mnl_attr_put(msg, IFLA_ADDRESS, 6, mac);
	mnl_attr_put(msg, IFLA_PERM_ADDRESS, 6, perm);
	assert_int_equal(link_facts_parse(msg, &facts), 0);
	assert_int_equal(facts.ifindex, 7);
	assert_int_equal(facts.master, 12);
	assert_string_equal(facts.name, "eth2");
	assert_true(facts.up && facts.carrier);
	assert_int_equal(facts.mtu, 9000);
	assert_memory_equal(facts.mac, mac, 6);
	assert_memory_equal(facts.perm_mac, perm, 6);

	/* an address of another length (InfiniBand) is none that we have a place for */
	mnl_attr_put(msg, IFLA_PERM_ADDRESS, 20, "01234567890123456789");
	header->ifi_flags = 0;
	assert_int_equal(link_facts_parse(msg, &facts), 0);
	assert_memory_equal(facts.perm_mac, perm, 6);
	assert_false(facts.up || facts.carrier);
}

static void test_link_facts_malformed(void **state)
{
	struct buffer buf;
	struct nlmsghdr *msg = mnl_nlmsg_put_header(buf.bytes);
	struct link_facts facts = {.mtu = 42}, before = facts;

	msg->nlmsg_type = RTM_NEWLINK;
	assert_int_equal(link_facts_parse(msg, &facts), -EBADMSG);
	mnl_nlmsg_put_extra_header(msg, sizeof(struct ifinfomsg));
	mnl_attr_put_u8(msg, IFLA_MTU, 1);
	assert_int_equal(link_facts_parse(msg, &facts), -EBADMSG);
	assert_memory_equal(&facts, &before, sizeof(facts));
}

static struct nlmsghdr *route_message(struct buffer *buf, unsigned dst_len, unsigned type)
{
	struct nlmsghdr *msg = mnl_nlmsg_put_header(buf->bytes);
	struct rtmsg *header = mnl_nlmsg_put_extra_header(msg, sizeof(*header));

	msg->nlmsg_type = RTM_NEWROUTE;
	header->rtm_dst_len = dst_len;
	header->rtm_type = type;
	return msg;
}

static void test_route_facts(void **state)
{
	struct rtnexthop hops[2] = {{.rtnh_len = sizeof(*hops), .rtnh_ifindex = 4},
				    {.rtnh_len = sizeof(*hops), .rtnh_ifindex = 5}};
	struct route_facts facts, before;
	struct buffer buf;
	struct nlmsghdr *msg = route_message(&buf, 24, RTN_UNICAST);

	mnl_attr_put_u32(msg, RTA_OIF, 3);
	assert_int_equal(route_facts_parse(msg, &facts), 0);
	assert_int_equal(facts.dst_len, 24);
	assert_int_equal(facts.n, 1);
	assert_int_equal(facts.ifindex[0], 3);
	assert_false(facts.local);

	msg = route_message(&buf, 0, RTN_LOCAL);
	mnl_attr_put(msg, RTA_MULTIPATH, sizeof(hops), hops);
	assert_int_equal(route_facts_parse(msg, &facts), 0);
	assert_true(facts.local);
	assert_int_equal(facts.n, 2);
	assert_int_equal(facts.ifindex[1], 5);

	hops[1].rtnh_len = 200; /* more than there is */
	before = facts;
	msg = route_message(&buf, 0, RTN_UNICAST);
	mnl_attr_put(msg, RTA_MULTIPATH, sizeof(hops), hops);
	assert_int_equal(route_facts_parse(msg, &facts), -EBADMSG);
	assert_memory_equal(&facts, &before, sizeof(facts));
}

/* From here on: this kernel. */
static bool have_namespace;
static int veth;

static int request(struct nlmsghdr *msg, int type, int flags)
{
	struct mnl_socket *sock = mnl_socket_open(NETLINK_ROUTE);
	struct netlink_error error;
	int r;

	msg->nlmsg_type = type;
	msg->nlmsg_flags = flags;
	mnl_socket_bind(sock, 0, MNL_SOCKET_AUTOPID);
	r = netlink_request(mnl_socket_get_fd(sock), msg, NULL, NULL, &error);
	mnl_socket_close(sock);
	return r;
}

/* ip link add va type veth peer name vb */
static int add_veth(void)
{
	struct buffer buf;
	struct nlmsghdr *msg = mnl_nlmsg_put_header(buf.bytes);
	struct nlattr *info, *data, *peer;

	mnl_nlmsg_put_extra_header(msg, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(msg, IFLA_IFNAME, "va");
	info = mnl_attr_nest_start(msg, IFLA_LINKINFO);
	mnl_attr_put_strz(msg, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(msg, IFLA_INFO_DATA);
	peer = mnl_attr_nest_start(msg, VETH_INFO_PEER);
	mnl_nlmsg_put_extra_header(msg, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(msg, IFLA_IFNAME, "vb");
	mnl_attr_nest_end(msg, peer);
	mnl_attr_nest_end(msg, data);
	mnl_attr_nest_end(msg, info);
	return request(msg, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
}

static int setup(void **state)
{
	if (unshare(CLONE_NEWNET) < 0)
		return 0;
	if (add_veth() < 0)
		return 0;
	veth = if_nametoindex("va");
	have_namespace = veth > 0;
	return 0;
}

static void need_namespace(void)
{
	if (have_namespace)
		return;
	print_message("no network namespace with a veth pair here (root? CONFIG_VETH?)\n");
	skip();
}

static void test_live_link(void **state)
{
	struct sriov_vf_attrs attrs[4] = {0};
	struct rtnetlink *rtnl;
	struct link_facts facts;
	struct sriov_error err;

	need_namespace();
	assert_int_equal(rtnetlink_open(&rtnl, &err), 0);
	assert_int_equal(rtnetlink_link(rtnl, "va", veth, &facts, NULL, 0, &err), 0);
	assert_int_equal(facts.ifindex, veth);
	assert_string_equal(facts.name, "va");
	assert_false(facts.up);
	assert_int_equal(facts.mtu, 1500);
	assert_false(sriov_mac_is_zero(facts.mac));
	assert_int_equal(rtnetlink_up(rtnl, "va", veth, true, &err), 0);
	assert_int_equal(rtnetlink_up(rtnl, "vb", if_nametoindex("vb"), true, &err), 0);
	assert_int_equal(rtnetlink_link(rtnl, "va", veth, &facts, attrs, 4, &err), 0);
	assert_true(facts.up);
	assert_int_equal(attrs[0].has, 0);
	assert_int_equal(rtnetlink_up(rtnl, "va", veth, false, &err), 0);
	assert_int_equal(rtnetlink_link(rtnl, "va", veth, &facts, NULL, 0, &err), 0);
	assert_false(facts.up);
	rtnetlink_close(rtnl);
}

static void test_live_refusals(void **state)
{
	const struct sriov_vf_attrs attrs = {.has = SRIOV_VF_MAC | SRIOV_VF_TRUST, .mac = {2}};
	const struct sriov_vf_attrs none = {0};
	struct link_facts facts = {.mtu = 42};
	struct rtnetlink *rtnl;
	struct sriov_error err;

	need_namespace();
	assert_int_equal(rtnetlink_open(&rtnl, &err), 0);
	assert_int_equal(rtnetlink_link(rtnl, "eth9", 4242, &facts, NULL, 0, &err), -ENODEV);
	assert_int_equal(facts.mtu, 42);
	assert_int_equal(err.code, -ENODEV);
	assert_string_equal(err.object, "eth9");
	assert_string_not_equal(err.hint, "");
	assert_int_equal(rtnetlink_up(rtnl, "eth9", 4242, true, &err), -ENODEV);
	/* veth has no VFs: the kernel's own errno, not one that a library made of it */
	assert_int_equal(rtnetlink_vf(rtnl, "vf 0 of va", veth, 0, &attrs, &err), -EOPNOTSUPP);
	assert_non_null(strstr(err.message, "MAC 02:00:00:00:00:00 and trust off"));
	assert_non_null(strstr(err.kernel, strerror(EOPNOTSUPP)));
	assert_int_equal(rtnetlink_vf(rtnl, "vf 0 of va", veth, 0, &none, &err), 0);
	/* and the socket is still good */
	assert_int_equal(rtnetlink_link(rtnl, "va", veth, &facts, NULL, 0, &err), 0);
	rtnetlink_close(rtnl);
}

/* The kernel's text comes through: an MTU that no veth can have. */
static void test_live_words(void **state)
{
	struct mnl_socket *sock;
	struct netlink_error error;
	struct buffer buf;
	struct nlmsghdr *msg = mnl_nlmsg_put_header(buf.bytes);
	struct ifinfomsg *header = mnl_nlmsg_put_extra_header(msg, sizeof(*header));

	need_namespace();
	msg->nlmsg_type = RTM_SETLINK;
	header->ifi_index = veth;
	mnl_attr_put_u32(msg, IFLA_MTU, 1);
	sock = mnl_socket_open(NETLINK_ROUTE);
	mnl_socket_bind(sock, 0, MNL_SOCKET_AUTOPID);
	netlink_setup(mnl_socket_get_fd(sock));
	assert_int_equal(netlink_request(mnl_socket_get_fd(sock), msg, NULL, NULL, &error),
			 -EINVAL);
	assert_string_equal(error.text, "mtu less than device minimum");
	mnl_socket_close(sock);
}

static int add_default_route(void)
{
	static const uint8_t addr[4] = {10, 9, 8, 7};
	struct buffer buf;
	struct nlmsghdr *msg = mnl_nlmsg_put_header(buf.bytes);
	struct ifaddrmsg *address = mnl_nlmsg_put_extra_header(msg, sizeof(*address));
	struct rtmsg *route;

	address->ifa_family = AF_INET;
	address->ifa_prefixlen = 24;
	address->ifa_index = veth;
	mnl_attr_put(msg, IFA_LOCAL, 4, addr);
	if (request(msg, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL) < 0)
		return -1;
	msg = mnl_nlmsg_put_header(buf.bytes);
	route = mnl_nlmsg_put_extra_header(msg, sizeof(*route));
	route->rtm_family = AF_INET;
	route->rtm_table = RT_TABLE_MAIN;
	route->rtm_protocol = RTPROT_STATIC;
	route->rtm_type = RTN_UNICAST;
	route->rtm_scope = RT_SCOPE_LINK;
	mnl_attr_put_u32(msg, RTA_OIF, veth);
	return request(msg, RTM_NEWROUTE, NLM_F_CREATE);
}

static void test_live_route(void **state)
{
	static const uint8_t far[4] = {192, 0, 2, 1}, near[4] = {10, 9, 8, 1},
			     own[4] = {10, 9, 8, 7};
	struct route_facts facts = {.n = 42};
	struct rtnetlink *rtnl;
	struct sriov_error err;

	need_namespace();
	assert_int_equal(rtnetlink_open(&rtnl, &err), 0);
	assert_int_equal(rtnetlink_route(rtnl, AF_INET, far, true, &facts), -ENETUNREACH);
	assert_int_equal(facts.n, 42);
	assert_int_equal(rtnetlink_up(rtnl, "va", veth, true, &err), 0);
	assert_int_equal(add_default_route(), 0);
	assert_int_equal(rtnetlink_route(rtnl, AF_INET, far, true, &facts), 0);
	assert_int_equal(facts.dst_len, 0);
	assert_int_equal(facts.n, 1);
	assert_int_equal(facts.ifindex[0], veth);
	assert_int_equal(rtnetlink_route(rtnl, AF_INET, near, true, &facts), 0);
	assert_int_equal(facts.dst_len, 24);
	assert_int_equal(rtnetlink_route(rtnl, AF_INET, own, false, &facts), 0);
	assert_true(facts.local);
	rtnetlink_close(rtnl);
}

static void test_live_ntuple(void **state)
{
	enum sriov_ntuple now = SRIOV_NTUPLE_UNKNOWN;
	struct sriov_error err;
	struct ethnl *eth;
	int r;

	need_namespace();
	r = ethnl_open(&eth, &err);
	if (r == -EOPNOTSUPP) {
		assert_non_null(strstr(err.hint, "CONFIG_ETHTOOL_NETLINK"));
		print_message("%s\n", err.message);
		skip();
	}
	assert_int_equal(r, 0);
	assert_int_equal(ethnl_ntuple_get(eth, "va", veth, &now, &err), 0);
	assert_int_equal(now, SRIOV_NTUPLE_OFF_FIXED);
	/* the kernel acknowledges, and nothing changes: that is an error */
	assert_int_equal(ethnl_ntuple_set(eth, "va", veth, true, &err), -EOPNOTSUPP);
	assert_int_equal(ethnl_ntuple_set(eth, "va", veth, false, &err), 0);
	assert_int_equal(ethnl_ntuple_get(eth, "eth9", 4242, &now, &err), -ENODEV);
	assert_int_equal(now, SRIOV_NTUPLE_OFF_FIXED);
	ethnl_close(eth);
}

static void test_live_ioctl(void **state)
{
	struct ethtool_facts facts;
	struct sriov_entry *rules = NULL;
	struct ethioctl eth;
	struct sriov_error err;
	unsigned max = 42, rings;
	size_t n = 42;

	need_namespace();
	assert_int_equal(ethioctl_open(&eth, &err), 0);
	assert_int_equal(ethioctl_driver(&eth, "va", &facts, &err), 0);
	assert_string_equal(facts.driver, "veth");
	assert_int_equal(ethioctl_rings(&eth, "va", &rings, &err), -EOPNOTSUPP);
	assert_int_equal(ethioctl_rules(&eth, "va", &rules, &n, &max, &err), -EOPNOTSUPP);
	assert_int_equal(n, 42);
	assert_int_equal(ethioctl_driver(&eth, "eth9", &facts, &err), -ENODEV);
	assert_string_equal(err.object, "eth9");
	ethioctl_close(&eth);
}

/* Waits in vain, once the links (which settle by themselves) and the rest of this machine are quiet. */
static bool falls_quiet(struct events *events)
{
	for (int i = 0; i < 100; i++) {
		int64_t before = core_monotonic_ms();
		struct sriov_error err;

		if (events_wait(events, before + 50, &err) == -ETIMEDOUT)
			return core_monotonic_ms() >= before + 50;
	}
	return false;
}

static void test_live_events(void **state)
{
	struct events *events;
	struct rtnetlink *rtnl;
	struct sriov_error err;

	need_namespace();
	assert_int_equal(rtnetlink_open(&rtnl, &err), 0);
	assert_int_equal(events_open(&events, &err), 0);
	assert_true(falls_quiet(events));
	/* what happened before the wait is not missed, even if the deadline has passed */
	assert_int_equal(rtnetlink_up(rtnl, "va", veth, false, &err), 0);
	assert_int_equal(rtnetlink_up(rtnl, "va", veth, true, &err), 0);
	assert_int_equal(events_wait(events, 0, &err), 0);
	assert_int_equal(rtnetlink_up(rtnl, "va", veth, false, &err), 0);
	assert_int_equal(events_forget(events, &err), 0);
	assert_true(falls_quiet(events));
	events_close(events);
	rtnetlink_close(rtnl);
}

/* More events than the socket holds: an event like any other, and the socket goes on. */
static void test_live_overrun(void **state)
{
	const struct sockaddr_nl local = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};
	int size = 1, fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	struct rtnetlink *rtnl;
	struct sriov_error err;
	char byte;

	need_namespace();
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)), 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&local, sizeof(local)), 0);
	assert_int_equal(rtnetlink_open(&rtnl, &err), 0);
	for (int i = 0; i < 40; i++)
		assert_int_equal(rtnetlink_up(rtnl, "va", veth, i & 1, &err), 0);
	assert_true(recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) < 0 && errno == ENOBUFS);
	for (int i = 0; i < 40; i++)
		assert_int_equal(rtnetlink_up(rtnl, "va", veth, i & 1, &err), 0);
	assert_int_equal(events_drain(fd), 1);
	close(fd);
	assert_int_equal(events_drain(fd), -EBADF);
	rtnetlink_close(rtnl);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_error),
		cmocka_unit_test(test_error_text),
		cmocka_unit_test(test_error_malformed),
		cmocka_unit_test(test_link_facts),
		cmocka_unit_test(test_link_facts_malformed),
		cmocka_unit_test(test_route_facts),
		cmocka_unit_test(test_live_link),
		cmocka_unit_test(test_live_refusals),
		cmocka_unit_test(test_live_words),
		cmocka_unit_test(test_live_route),
		cmocka_unit_test(test_live_ntuple),
		cmocka_unit_test(test_live_ioctl),
		cmocka_unit_test(test_live_events),
		cmocka_unit_test(test_live_overrun),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
