/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ethtool over generic netlink: the feature bit that switches the ntuple table on
 * (Documentation/networking/ethtool-netlink.rst, FEATURES_GET and FEATURES_SET).
 */
#include "lib/kernel/kernel.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/ethtool_netlink.h>
#include <linux/genetlink.h>
#include <string.h>

#define NTUPLE_BIT "rx-ntuple-filter"

struct ethnl {
	struct mnl_socket *sock;
	int fd;
	uint16_t family;
};

/* A request's buffer: no request of ours has more than a header, a device and one bit. */
struct ethnl_buffer {
	_Alignas(struct nlmsghdr) char bytes[256];
};

static struct nlmsghdr *begin(struct ethnl_buffer *buf, uint16_t family, uint8_t command)
{
	struct nlmsghdr *req = mnl_nlmsg_put_header(buf->bytes);
	struct genlmsghdr *genl = mnl_nlmsg_put_extra_header(req, sizeof(*genl));

	req->nlmsg_type = family;
	genl->cmd = command;
	genl->version = 1;
	return req;
}

static int hear_family(const struct nlmsghdr *msg, void *data)
{
	const struct nlattr *attr;

	mnl_attr_for_each(attr, msg, sizeof(struct genlmsghdr))
		if (mnl_attr_get_type(attr) == CTRL_ATTR_FAMILY_ID &&
		    mnl_attr_get_payload_len(attr) >= sizeof(uint16_t))
			*(uint16_t *)data = mnl_attr_get_u16(attr);
	return 0;
}

static int find_family(struct ethnl *eth, struct sriov_error *err)
{
	struct ethnl_buffer buf;
	struct nlmsghdr *req = begin(&buf, GENL_ID_CTRL, CTRL_CMD_GETFAMILY);
	struct netlink_error words;
	int r;

	mnl_attr_put_strz(req, CTRL_ATTR_FAMILY_NAME, ETHTOOL_GENL_NAME);
	r = netlink_request(eth->fd, req, hear_family, &eth->family, &words);
	if (r == -ENOENT || (!r && !eth->family)) {
		core_errno(err, -EOPNOTSUPP, "ethtool",
			   "this kernel has no ethtool netlink interface");
		sriov_error_hint(err, "it came with Linux 5.6 and needs CONFIG_ETHTOOL_NETLINK=y");
		return -EOPNOTSUPP;
	}
	return r < 0 ? core_errno(err, r, "ethtool", "cannot find the ethtool netlink interface")
		     : 0;
}

int ethnl_open(struct ethnl **out, struct sriov_error *err)
{
	struct ethnl *eth = calloc(1, sizeof(*eth));
	int r;

	if (!eth)
		return core_oom(err);
	eth->sock = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC);
	if (!eth->sock || mnl_socket_bind(eth->sock, 0, MNL_SOCKET_AUTOPID) < 0) {
		r = -errno;
		ethnl_close(eth);
		return core_errno(err, r, "ethtool", "cannot open a generic netlink socket");
	}
	eth->fd = mnl_socket_get_fd(eth->sock);
	netlink_setup(eth->fd);
	r = find_family(eth, err);
	if (r < 0) {
		ethnl_close(eth);
		return r;
	}
	*out = eth;
	return 0;
}

void ethnl_close(struct ethnl *eth)
{
	if (!eth)
		return;
	if (eth->sock)
		mnl_socket_close(eth->sock);
	free(eth);
}

static void put_device(struct nlmsghdr *req, uint16_t type, int ifindex, uint32_t flags)
{
	struct nlattr *nest = mnl_attr_nest_start(req, type);

	mnl_attr_put_u32(req, ETHTOOL_A_HEADER_DEV_INDEX, ifindex);
	if (flags)
		mnl_attr_put_u32(req, ETHTOOL_A_HEADER_FLAGS, flags);
	mnl_attr_nest_end(req, nest);
}

static bool names_ntuple(const struct nlattr *name)
{
	size_t size = mnl_attr_get_payload_len(name);
	const char *text = mnl_attr_get_payload(name);

	return strnlen(text, size) == strlen(NTUPLE_BIT) &&
	       !memcmp(text, NTUPLE_BIT, strlen(NTUPLE_BIT));
}

/*
 * Whether a bit set in its verbose form has the ntuple bit. Without a mask the set lists the bits that
 * are on; with one it lists the bits of the mask, and those that are on carry a flag.
 */
static bool has_ntuple(const struct nlattr *bitset)
{
	const struct nlattr *attr, *bit, *part;
	bool nomask = false, found = false;

	mnl_attr_for_each_nested(attr, bitset)
		nomask |= mnl_attr_get_type(attr) == ETHTOOL_A_BITSET_NOMASK;
	mnl_attr_for_each_nested(attr, bitset) {
		if (mnl_attr_get_type(attr) != ETHTOOL_A_BITSET_BITS)
			continue;
		mnl_attr_for_each_nested(bit, attr) {
			bool ours = false, on = nomask;

			mnl_attr_for_each_nested(part, bit) {
				if (mnl_attr_get_type(part) == ETHTOOL_A_BITSET_BIT_NAME)
					ours = names_ntuple(part);
				else if (mnl_attr_get_type(part) == ETHTOOL_A_BITSET_BIT_VALUE)
					on = true;
			}
			found |= ours && on;
		}
	}
	return found;
}

int ethnl_ntuple_parse(const struct nlmsghdr *msg, enum sriov_ntuple *out)
{
	bool changeable = false, active = false, fixed = false, heard = false;
	const struct nlattr *attr;

	if (msg->nlmsg_len < NLMSG_LENGTH(sizeof(struct genlmsghdr)))
		return -EBADMSG;
	mnl_attr_for_each(attr, msg, sizeof(struct genlmsghdr)) {
		switch (mnl_attr_get_type(attr)) {
		case ETHTOOL_A_FEATURES_HW:
			changeable = has_ntuple(attr);
			break;
		case ETHTOOL_A_FEATURES_ACTIVE:
			active = has_ntuple(attr);
			heard = true;
			break;
		case ETHTOOL_A_FEATURES_NOCHANGE:
			fixed = has_ntuple(attr);
			break;
		}
	}
	if (!heard)
		return -EBADMSG;
	if (active)
		*out = SRIOV_NTUPLE_ON;
	else
		*out = changeable && !fixed ? SRIOV_NTUPLE_OFF : SRIOV_NTUPLE_OFF_FIXED;
	return 0;
}

static int hear_ntuple(const struct nlmsghdr *msg, void *data)
{
	return ethnl_ntuple_parse(msg, data);
}

static int refused(struct sriov_error *err, const struct netlink_error *words, const char *object,
		   const char *what)
{
	char text[256];

	sriov_error_set(err, words->code, object, "cannot %s", what);
	netlink_error_words(words, text, sizeof(text));
	sriov_error_kernel(err, "%s", text);
	if (words->code == -EPERM)
		sriov_error_hint(err, "run it as root (CAP_NET_ADMIN in the host's namespace)");
	return words->code;
}

int ethnl_ntuple_get(struct ethnl *eth, const char *object, int ifindex, enum sriov_ntuple *out,
		     struct sriov_error *err)
{
	enum sriov_ntuple state = SRIOV_NTUPLE_UNKNOWN;
	struct netlink_error words;
	struct ethnl_buffer buf;
	struct nlmsghdr *req = begin(&buf, eth->family, ETHTOOL_MSG_FEATURES_GET);
	int r;

	/* no ETHTOOL_FLAG_COMPACT_BITSETS: bit numbers differ between kernels, names do not */
	put_device(req, ETHTOOL_A_FEATURES_HEADER, ifindex, 0);
	r = netlink_request(eth->fd, req, hear_ntuple, &state, &words);
	if (r < 0)
		return refused(err, &words, object, "read whether ntuple rules are switched on");
	*out = state;
	return 0;
}

int ethnl_ntuple_set(struct ethnl *eth, const char *object, int ifindex, bool on,
		     struct sriov_error *err)
{
	enum sriov_ntuple now;
	struct netlink_error words;
	struct ethnl_buffer buf;
	struct nlmsghdr *req = begin(&buf, eth->family, ETHTOOL_MSG_FEATURES_SET);
	struct nlattr *wanted, *bits, *bit;
	int r;

	put_device(req, ETHTOOL_A_FEATURES_HEADER, ifindex, ETHTOOL_FLAG_OMIT_REPLY);
	wanted = mnl_attr_nest_start(req, ETHTOOL_A_FEATURES_WANTED);
	bits = mnl_attr_nest_start(req, ETHTOOL_A_BITSET_BITS);
	bit = mnl_attr_nest_start(req, ETHTOOL_A_BITSET_BITS_BIT);
	mnl_attr_put_strz(req, ETHTOOL_A_BITSET_BIT_NAME, NTUPLE_BIT);
	if (on)
		mnl_attr_put(req, ETHTOOL_A_BITSET_BIT_VALUE, 0, NULL);
	mnl_attr_nest_end(req, bit);
	mnl_attr_nest_end(req, bits);
	mnl_attr_nest_end(req, wanted);
	r = netlink_request(eth->fd, req, NULL, NULL, &words);
	if (r < 0)
		return refused(err, &words, object,
			       on ? "switch ntuple rules on" : "switch ntuple rules off");

	/* the kernel acknowledges a request for a fixed bit and changes nothing */
	r = ethnl_ntuple_get(eth, object, ifindex, &now, err);
	if (r < 0 || (now == SRIOV_NTUPLE_ON) == on)
		return r;
	sriov_error_set(err, -EOPNOTSUPP, object,
			"the kernel accepted ntuple %s, but it is still %s%s", on ? "on" : "off",
			on ? "off" : "on", now == SRIOV_NTUPLE_OFF_FIXED ? " [fixed]" : "");
	sriov_error_hint(err,
			 on ? "this NIC or its driver has no ntuple rules in this configuration"
			    : "something else keeps it on: see ethtool -k");
	return -EOPNOTSUPP;
}
