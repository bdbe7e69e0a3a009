/* SPDX-License-Identifier: Apache-2.0 */
/* VLANs and bridges in the kernel's words: golden bytes of what makes them, answers that are read, and a real kernel. */
#include "lib/kernel/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- what is sent ---- */

#define NO_INDEX 0, 0, 0, 0, 0, 0, 0, 0
#define HALF 8, 0, IFLA_GROUP, 0, 0x76, 0x69, 0x72, 0x73

static const uint8_t new_vlan[] = {
	/* RTM_NEWLINK, NLM_F_REQUEST is added when it is sent; CREATE | EXCL */
	108, 0, 0, 0, RTM_NEWLINK, 0, 0x00, 0x06, 0, 0, 0, 0, 0, 0, 0, 0,
	/* struct ifinfomsg */
	NO_INDEX, NO_INDEX,
	/* name */
	15, 0, IFLA_IFNAME, 0, 'e', 'n', 's', '2', 'f', '0', '.', '1', '0', '0', 0, 0,
	/* the mark of what is half made, the port, the MTU */
	HALF, 8, 0, IFLA_LINK, 0, 7, 0, 0, 0, 8, 0, IFLA_MTU, 0, 0x28, 0x23, 0, 0,
	/* "vlan" with id 100 and protocol 0x8100 in network order */
	36, 0, IFLA_LINKINFO, 0x80, 9, 0, IFLA_INFO_KIND, 0, 'v', 'l', 'a', 'n', 0, 0, 0, 0, 20, 0,
	IFLA_INFO_DATA, 0x80, 6, 0, IFLA_VLAN_ID, 0, 100, 0, 0, 0, 6, 0, IFLA_VLAN_PROTOCOL, 0,
	0x81, 0x00, 0, 0};

static const uint8_t new_bridge[] = {
	92, 0, 0, 0, RTM_NEWLINK, 0, 0x00, 0x06, 0, 0, 0, 0, 0, 0, 0, 0, NO_INDEX, NO_INDEX,
	/* name */
	16, 0, IFLA_IFNAME, 0, 'b', 'r', '-', 'e', 'n', 's', '2', 'f', '0', '.', '9', 0, HALF,
	/* "bridge" without forward delay and STP */
	36, 0, IFLA_LINKINFO, 0x80, 11, 0, IFLA_INFO_KIND, 0, 'b', 'r', 'i', 'd', 'g', 'e', 0, 0,
	20, 0, IFLA_INFO_DATA, 0x80, 8, 0, IFLA_BR_FORWARD_DELAY, 0, 0, 0, 0, 0, 8, 0,
	IFLA_BR_STP_STATE, 0, 0, 0, 0, 0};

static const uint8_t ready[] = {
	/* RTM_SETLINK: up, and only that of the flags */
	76, 0, 0, 0, RTM_SETLINK, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, NO_INDEX, 1, 0, 0, 0, 1, 0, 0, 0,
	/* name */
	15, 0, IFLA_IFNAME, 0, 'e', 'n', 's', '2', 'f', '0', '.', '1', '0', '0', 0, 0,
	/* the mark that stays, no group any more, and the bridge */
	12, 0, IFLA_IFALIAS, 0, 's', 'r', 'i', 'o', 'v', 'c', 't', 'l', 8, 0, IFLA_GROUP, 0, 0, 0,
	0, 0, 8, 0, IFLA_MASTER, 0, 9, 0, 0, 0};

static const uint8_t quiet[] = {
	/* RTM_SETLINK, no flags */
	64, 0, 0, 0, RTM_SETLINK, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, NO_INDEX, NO_INDEX,
	/* name */
	15, 0, IFLA_IFNAME, 0, 'e', 'n', 's', '2', 'f', '0', '.', '1', '0', '0', 0, 0,
	/* of IPv6: no address is made up */
	16, 0, IFLA_AF_SPEC, 0x80, 12, 0, AF_INET6, 0x80, 5, 0, IFLA_INET6_ADDR_GEN_MODE, 0, 1, 0,
	0, 0};

static void is_bytes(const char *buf, const uint8_t *bytes, size_t size)
{
	const struct nlmsghdr *msg = (const void *)buf;

	assert_int_equal(msg->nlmsg_len, size);
	assert_memory_equal(buf, bytes, size);
}

static void golden_bytes(void **state)
{
	_Alignas(struct nlmsghdr) char buf[LINK_MESSAGE];

	link_new_build(&(struct link_new){"ens2f0.100", 100, 7, 9000}, buf);
	is_bytes(buf, new_vlan, sizeof(new_vlan));
	link_new_build(&(struct link_new){.name = "br-ens2f0.9"}, buf);
	is_bytes(buf, new_bridge, sizeof(new_bridge));
	link_quiet_build("ens2f0.100", buf);
	is_bytes(buf, quiet, sizeof(quiet));
	link_ready_build("ens2f0.100", 9, buf);
	is_bytes(buf, ready, sizeof(ready));
	/* without a bridge that part is not said: 0 would take it out of one */
	link_ready_build("ens2f0.100", 0, buf);
	assert_int_equal(((struct nlmsghdr *)buf)->nlmsg_len, sizeof(ready) - 8);
}

/* ---- what is heard ---- */

static struct nlmsghdr *answer(void *buf)
{
	struct nlmsghdr *msg = mnl_nlmsg_put_header(buf);
	struct ifinfomsg *header = mnl_nlmsg_put_extra_header(msg, sizeof(*header));

	msg->nlmsg_type = RTM_NEWLINK;
	header->ifi_index = 12;
	header->ifi_flags = IFF_UP;
	return msg;
}

static void heard(void **state)
{
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 7};
	_Alignas(struct nlmsghdr) char buf[512];
	struct nlmsghdr *msg = answer(buf);
	struct nlattr *info, *data;
	struct link_seen seen;

	mnl_attr_put_strz(msg, IFLA_IFNAME, "ens2f0.100");
	mnl_attr_put(msg, IFLA_ADDRESS, sizeof(mac), mac);
	mnl_attr_put_u32(msg, IFLA_LINK, 7);
	mnl_attr_put_u32(msg, IFLA_MASTER, 9);
	mnl_attr_put_u32(msg, IFLA_GROUP, LINK_HALF_GROUP);
	mnl_attr_put_strz(msg, IFLA_IFALIAS,
			  "sriovctl, and what is too long for what is kept of it");
	/* of a kind and of attributes that are not known nothing is wanted */
	mnl_attr_put_u32(msg, 0x3fff, 1);
	info = mnl_attr_nest_start(msg, IFLA_LINKINFO);
	data = mnl_attr_nest_start(msg, IFLA_INFO_DATA);
	mnl_attr_put_u16(msg, IFLA_VLAN_PROTOCOL, 0x0081);
	mnl_attr_put_u16(msg, IFLA_VLAN_ID, 100);
	mnl_attr_nest_end(msg, data);
	mnl_attr_put_strz(msg, IFLA_INFO_KIND, "vlan");
	mnl_attr_nest_end(msg, info);
	assert_int_equal(link_seen_parse(msg, &seen), 0);
	assert_int_equal(seen.ifindex, 12);
	assert_string_equal(seen.name, "ens2f0.100");
	assert_string_equal(seen.kind, "vlan");
	assert_string_equal(seen.alias, "sriovctl, and what is too long ");
	assert_int_equal(seen.lower, 7);
	assert_int_equal(seen.master, 9);
	assert_int_equal(seen.vlan, 100);
	assert_int_equal(seen.vlan_proto, 0x8100);
	assert_true(seen.group == LINK_HALF_GROUP && seen.up && !seen.abroad);
	assert_memory_equal(seen.mac, mac, sizeof(mac));

	msg = answer(buf);
	mnl_attr_put_u32(msg, IFLA_LINK_NETNSID, 0);
	assert_int_equal(link_seen_parse(msg, &seen), 0);
	assert_true(seen.abroad);
}

static void malformed(void **state)
{
	static const uint16_t numbers[] = {IFLA_LINK, IFLA_MASTER, IFLA_GROUP};
	_Alignas(struct nlmsghdr) char buf[512];
	struct link_seen seen = {.ifindex = 1};
	struct nlattr *info, *data;
	struct nlmsghdr *msg;
	int ifindex = 3;

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		msg = answer(buf);
		mnl_attr_put_u16(msg, numbers[i], 1);
		assert_int_equal(link_seen_parse(msg, &seen), -EBADMSG);
	}
	msg = answer(buf);
	info = mnl_attr_nest_start(msg, IFLA_LINKINFO);
	mnl_attr_put_strz(msg, IFLA_INFO_KIND, "vlan");
	data = mnl_attr_nest_start(msg, IFLA_INFO_DATA);
	mnl_attr_put_u8(msg, IFLA_VLAN_ID, 1);
	mnl_attr_nest_end(msg, data);
	mnl_attr_nest_end(msg, info);
	assert_int_equal(link_seen_parse(msg, &seen), -EBADMSG);
	msg = answer(buf);
	msg->nlmsg_type = RTM_DELLINK;
	assert_int_equal(link_seen_parse(msg, &seen), -EBADMSG);
	assert_int_equal(address_parse(msg, &ifindex), -EBADMSG);
	msg = mnl_nlmsg_put_header(buf);
	msg->nlmsg_type = RTM_NEWADDR;
	assert_int_equal(address_parse(msg, &ifindex), -EBADMSG);
	assert_int_equal(seen.ifindex, 1);
	assert_int_equal(ifindex, 3);
}

static void addresses(void **state)
{
	_Alignas(struct nlmsghdr) char buf[128];
	struct nlmsghdr *msg = mnl_nlmsg_put_header(buf);
	struct ifaddrmsg *header = mnl_nlmsg_put_extra_header(msg, sizeof(*header));
	int ifindex;

	msg->nlmsg_type = RTM_NEWADDR;
	header->ifa_index = 12;
	assert_int_equal(address_parse(msg, &ifindex), 0);
	assert_int_equal(ifindex, 12);
	/* the kernel gives each link one of its own */
	header->ifa_scope = RT_SCOPE_LINK;
	assert_int_equal(address_parse(msg, &ifindex), 0);
	assert_int_equal(ifindex, 0);
}

/* ---- a real kernel, in a network namespace of its own ---- */

static bool find(struct rtnetlink *rtnl, const char *name, struct link_seen *out)
{
	struct link_seen *all = NULL;
	struct sriov_error err = {0};
	bool found = false;
	size_t n = 0;

	if (rtnetlink_links(rtnl, &all, &n, &err) < 0)
		fail_msg("%s: %s", err.message, err.kernel);
	for (size_t i = 0; i < n; i++) {
		if (strcmp(all[i].name, name) != 0)
			continue;
		*out = all[i];
		found = true;
	}
	free(all);
	return found;
}

/* Whether the kernel, if it has IPv6, gives the netdev no address of its own. */
static bool is_quiet(const char *name)
{
	char path[96], text[8];

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/addr_gen_mode", name);
	return access(path, F_OK) < 0 ||
	       (core_read_line(AT_FDCWD, path, text, sizeof(text)) >= 0 && !strcmp(text, "1"));
}

static void make(struct rtnetlink *rtnl, const struct link_new *link, int master)
{
	struct sriov_error err = {0};
	struct link_seen seen;

	assert_false(find(rtnl, link->name, &seen));
	if (rtnetlink_link_new(rtnl, link, &err) < 0)
		fail_msg("%s: %s", err.message, err.kernel);
	assert_true(find(rtnl, link->name, &seen));
	assert_true(seen.group == LINK_HALF_GROUP && !seen.up && !*seen.alias);
	assert_int_equal(rtnetlink_link_new(rtnl, link, &err), -EEXIST);
	assert_string_equal(err.object, link->name);
	if (rtnetlink_link_ready(rtnl, link->name, master, &err) < 0)
		fail_msg("%s: %s", err.message, err.kernel);
	assert_true(find(rtnl, link->name, &seen));
	assert_true(!seen.group && seen.up && !seen.addressed);
	assert_string_equal(seen.alias, LINK_ALIAS);
	assert_true(is_quiet(link->name));
	assert_string_equal(seen.kind, link->vlan ? "vlan" : "bridge");
	assert_int_equal(seen.vlan, link->vlan);
	assert_int_equal(seen.lower, link->lower);
	assert_int_equal(seen.master, master);
}

static void of_this_kernel(void **state)
{
	const struct link_new bridge = {.name = "br-base.100"};
	struct link_new vlan = {.name = "base.100", .vlan = 100, .mtu = 1400};
	struct sriov_error err = {0};
	struct rtnetlink *rtnl;
	struct link_seen seen;
	int r;

	if (unshare(CLONE_NEWNET) < 0 || rtnetlink_open(&rtnl, NULL) < 0)
		skip();
	/* a bridge stands in for the port: there is one in every kernel that this is run on */
	r = rtnetlink_link_new(rtnl, &(struct link_new){.name = "base"}, &err);
	if (r == -EOPNOTSUPP) {
		assert_non_null(strstr(err.hint, "modprobe bridge"));
		rtnetlink_close(rtnl);
		skip();
	}
	assert_int_equal(r, 0);
	vlan.lower = if_nametoindex("base");
	make(rtnl, &bridge, 0);
	r = rtnetlink_link_new(rtnl, &vlan, &err);
	if (r == -EOPNOTSUPP) {
		/* a kernel without VLANs says so, and so do we */
		assert_non_null(strstr(err.message, "make the VLAN netdev"));
		assert_non_null(strstr(err.hint, "modprobe 8021q"));
	} else {
		assert_int_equal(r, 0);
		/* its port is down */
		assert_int_equal(rtnetlink_link_ready(rtnl, vlan.name, 0, &err), -ENETDOWN);
		assert_non_null(strstr(err.hint, "ip link set dev PORT up"));
		assert_int_equal(rtnetlink_link_del(rtnl, vlan.name, &err), 0);
		assert_int_equal(rtnetlink_up(rtnl, "base", vlan.lower, true, &err), 0);
		make(rtnl, &vlan, if_nametoindex(bridge.name));
		assert_int_equal(rtnetlink_link_del(rtnl, vlan.name, &err), 0);
		assert_false(find(rtnl, vlan.name, &seen));
	}
	assert_int_equal(rtnetlink_link_del(rtnl, bridge.name, &err), 0);
	assert_false(find(rtnl, bridge.name, &seen));
	assert_int_equal(rtnetlink_link_del(rtnl, bridge.name, &err), -ENODEV);
	assert_non_null(strstr(err.message, "delete the netdev"));
	rtnetlink_close(rtnl);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden_bytes),   cmocka_unit_test(heard),
		cmocka_unit_test(malformed),      cmocka_unit_test(addresses),
		cmocka_unit_test(of_this_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
