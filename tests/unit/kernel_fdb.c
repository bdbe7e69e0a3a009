/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses that a port takes beside its own, in the kernel's words and of this kernel's own links. */
#include "lib/kernel/kernel.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

static const uint8_t mac[6] = {2, 0, 0, 0, 0, 7}, other[6] = {2, 0, 0, 0, 0, 8};

static struct nlmsghdr *answer(uint8_t *buf, int ifindex, unsigned flags, const uint8_t *address,
			       size_t size)
{
	struct nlmsghdr *msg = mnl_nlmsg_put_header(buf);
	struct ndmsg *header = mnl_nlmsg_put_extra_header(msg, sizeof(*header));

	msg->nlmsg_type = RTM_NEWNEIGH;
	header->ndm_family = AF_BRIDGE;
	header->ndm_ifindex = ifindex;
	header->ndm_flags = flags;
	if (size)
		mnl_attr_put(msg, NDA_LLADDR, size, address);
	return msg;
}

static void entries(void **state)
{
	static const struct {
		int ifindex;
		unsigned flags;
		const uint8_t *address;
		size_t size;
		bool is;
	} rows[] = {
		{7, NTF_SELF, mac, 6, true},    {7, NTF_SELF | NTF_EXT_LEARNED, mac, 6, true},
		{7, NTF_SELF, other, 6, false}, {8, NTF_SELF, mac, 6, false},
		{7, NTF_MASTER, mac, 6, false}, {7, NTF_SELF, mac, 4, false},
		{7, NTF_SELF, NULL, 0, false},
	};
	_Alignas(struct nlmsghdr) uint8_t buf[256];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct nlmsghdr *msg = answer(buf, rows[i].ifindex, rows[i].flags, rows[i].address,
					      rows[i].size);
		bool is = !rows[i].is;

		assert_int_equal(fdb_parse(msg, 7, mac, &is), 0);
		assert_int_equal(is, rows[i].is);
	}
}

static void malformed(void **state)
{
	_Alignas(struct nlmsghdr) uint8_t buf[256];
	struct nlmsghdr *msg = mnl_nlmsg_put_header(buf);
	bool is = true;

	msg->nlmsg_type = RTM_NEWNEIGH;
	assert_int_equal(fdb_parse(msg, 7, mac, &is), -EBADMSG);
	msg = answer(buf, 7, NTF_SELF, mac, 6);
	msg->nlmsg_type = RTM_DELNEIGH;
	assert_int_equal(fdb_parse(msg, 7, mac, &is), -EBADMSG);
	assert_true(is);
}

/* The kernel takes the questions; the loopback takes no addresses. */
static void of_this_kernel(void **state)
{
	struct rtnetlink *rtnl;
	struct sriov_error err = {0};
	bool has = true;

	if (rtnetlink_open(&rtnl, NULL) < 0)
		skip();
	if (rtnetlink_fdb_has(rtnl, "lo", 1, mac, &has, &err))
		fail_msg("%s: %s", err.message, err.kernel);
	assert_false(has);
	assert_true(rtnetlink_fdb_set(rtnl, "lo", 1, mac, true, &err) < 0);
	assert_string_equal(err.object, "lo");
	assert_non_null(strstr(err.message, "take frames for another address"));
	assert_true(err.kernel[0]);
	rtnetlink_close(rtnl);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries),
		cmocka_unit_test(malformed),
		cmocka_unit_test(of_this_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
