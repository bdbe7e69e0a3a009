/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes the readers of netlink messages about links: VF attributes, link facts, VEB or VEPA, extended ACKs. */
#include "lib/kernel/kernel.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sriov_vf_attrs attrs[8] = {{0}};
	struct netlink_error error;
	struct link_facts facts;
	enum sriov_bridge bridge;
	int ifindex;
	struct nlmsghdr *msg;

	if (size < sizeof(*msg))
		return 0;
	/* a fresh copy of exactly this size, so that reading beyond it is seen */
	msg = malloc(size);
	if (!msg)
		return 0;
	memcpy(msg, data, size);
	msg->nlmsg_len = size;
	vfinfo_parse(msg, attrs, ARRAY_SIZE(attrs));
	netlink_error_parse(msg, size, &error);
	link_facts_parse(msg, &facts);
	bridge_mode_parse(msg, &ifindex, &bridge);
	free(msg);
	return 0;
}
