/* SPDX-License-Identifier: Apache-2.0 */
/* VEB or VEPA of a port, in the kernel's words and of this kernel's own links. */
#include "lib/kernel/kernel.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_bridge.h>
#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

/* An answer of the kernel: without mode if @mode is below 0. */
static struct nlmsghdr *answer(uint8_t *buf, int ifindex, int mode, bool cut)
{
	struct nlmsghdr *msg = mnl_nlmsg_put_header(buf);
	struct ifinfomsg *header = mnl_nlmsg_put_extra_header(msg, sizeof(*header));
	struct nlattr *nest;

	msg->nlmsg_type = RTM_NEWLINK;
	header->ifi_family = AF_BRIDGE;
	header->ifi_index = ifindex;
	mnl_attr_put_strz(msg, IFLA_IFNAME, "eth2");
	nest = mnl_attr_nest_start(msg, IFLA_AF_SPEC);
	mnl_attr_put_u16(msg, IFLA_BRIDGE_FLAGS, BRIDGE_FLAGS_SELF);
	if (cut)
		mnl_attr_put_u8(msg, IFLA_BRIDGE_MODE, mode);
	else if (mode >= 0)
		mnl_attr_put_u16(msg, IFLA_BRIDGE_MODE, mode);
	mnl_attr_nest_end(msg, nest);
	return msg;
}

static void modes(void **state)
{
	static const struct {
		int mode;
		bool cut;
		int r;
		enum sriov_bridge bridge;
	} rows[] = {
		{BRIDGE_MODE_VEB, false, 0, SRIOV_BRIDGE_VEB},
		{BRIDGE_MODE_VEPA, false, 0, SRIOV_BRIDGE_VEPA},
		{-1, false, 0, SRIOV_BRIDGE_UNKNOWN},
		{7, false, 0, SRIOV_BRIDGE_UNKNOWN},
		{BRIDGE_MODE_VEB, true, -EBADMSG, SRIOV_BRIDGE_VEPA},
	};
	_Alignas(struct nlmsghdr) uint8_t buf[512];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		enum sriov_bridge bridge = SRIOV_BRIDGE_VEPA;
		struct nlmsghdr *msg = answer(buf, 7, rows[i].mode, rows[i].cut);
		int ifindex = 0;

		assert_int_equal(bridge_mode_parse(msg, &ifindex, &bridge), rows[i].r);
		assert_int_equal(bridge, rows[i].bridge);
		assert_int_equal(ifindex, rows[i].r ? 0 : 7);
	}
}

static void malformed(void **state)
{
	_Alignas(struct nlmsghdr) uint8_t buf[512];
	struct nlmsghdr *msg = mnl_nlmsg_put_header(buf);
	enum sriov_bridge bridge;
	int ifindex;

	msg->nlmsg_type = RTM_NEWLINK;
	assert_int_equal(bridge_mode_parse(msg, &ifindex, &bridge), -EBADMSG);
	msg = answer(buf, 7, BRIDGE_MODE_VEB, false);
	msg->nlmsg_type = RTM_DELLINK;
	assert_int_equal(bridge_mode_parse(msg, &ifindex, &bridge), -EBADMSG);
}

/* The kernel takes the question; the loopback has no switch. */
static void of_this_kernel(void **state)
{
	enum sriov_bridge bridge = SRIOV_BRIDGE_VEPA;
	struct rtnetlink *rtnl;
	struct sriov_error err = {0};

	if (rtnetlink_open(&rtnl, NULL) < 0)
		skip();
	if (rtnetlink_bridge(rtnl, "lo", 1, &bridge, &err))
		fail_msg("%s: %s", err.message, err.kernel);
	assert_int_equal(bridge, SRIOV_BRIDGE_UNKNOWN);
	rtnetlink_close(rtnl);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(modes),
		cmocka_unit_test(malformed),
		cmocka_unit_test(of_this_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
