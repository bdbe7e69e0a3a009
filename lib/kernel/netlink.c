/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The transport of every netlink conversation: one request, its answers, and the kernel's own words from
 * the extended ACK (Documentation/userspace-api/netlink/intro.rst, "Extended ACK"; NLMSGERR_ATTR_* in
 * linux/netlink.h).
 */
#include "lib/kernel/kernel.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

int netlink_setup(int fd)
{
	int on = 1;

	/* both exist since 4.12; without them only errno's text is lost */
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	return 0;
}

int netlink_error_parse(const struct nlmsghdr *msg, size_t len, struct netlink_error *out)
{
	struct netlink_error error = {0};
	const struct nlmsgerr *e;
	const struct nlattr *attr;
	size_t skip;

	if (len < NLMSG_HDRLEN + sizeof(*e) || msg->nlmsg_type != NLMSG_ERROR ||
	    msg->nlmsg_len < NLMSG_HDRLEN + sizeof(*e) || msg->nlmsg_len > len)
		return -EBADMSG;
	e = NLMSG_DATA(msg);
	if (e->error > 0)
		return -EBADMSG;
	error.code = e->error;
	if (!(msg->nlmsg_flags & NLM_F_ACK_TLVS)) {
		*out = error;
		return 0;
	}
	/* a failed request is copied in full behind its header, unless the socket asked for capped ACKs */
	skip = sizeof(*e);
	if (!(msg->nlmsg_flags & NLM_F_CAPPED)) {
		if (e->msg.nlmsg_len < NLMSG_HDRLEN)
			return -EBADMSG;
		skip += e->msg.nlmsg_len - NLMSG_HDRLEN;
	}
	if (skip > msg->nlmsg_len - NLMSG_HDRLEN)
		return -EBADMSG;
	mnl_attr_for_each(attr, msg, skip) {
		const char *data = mnl_attr_get_payload(attr);
		size_t size = mnl_attr_get_payload_len(attr);

		/* libmnl takes the message to end where its length is rounded up to */
		if (size > (size_t)((const char *)msg + msg->nlmsg_len - data))
			return -EBADMSG;
		switch (mnl_attr_get_type(attr)) {
		case NLMSGERR_ATTR_MSG:
			snprintf(error.text, sizeof(error.text), "%.*s", (int)strnlen(data, size),
				 data);
			break;
		case NLMSGERR_ATTR_OFFS:
			if (size == sizeof(error.offset))
				memcpy(&error.offset, data, size);
			break;
		}
	}
	*out = error;
	return 0;
}

void netlink_error_words(const struct netlink_error *error, char *buf, size_t size)
{
	int n = snprintf(buf, size, "%s", error->text[0] ? error->text : strerror(-error->code));

	if (error->text[0] && error->code && n >= 0 && (size_t)n < size)
		n += snprintf(buf + n, size - n, " (%s)", strerror(-error->code));
	if (error->offset && n >= 0 && (size_t)n < size)
		snprintf(buf + n, size - n, ", at byte %u of the request", error->offset);
}

ssize_t netlink_receive(int fd, int flags, void **out)
{
	_free_ void *buf = NULL;
	ssize_t size, got;

	/*
	 * The answer for a PF with 63 VFs does not fit into a page, and 256 VFs not into 32 KiB: ask for
	 * the size first (MSG_TRUNC gives the real length) instead of guessing a buffer.
	 */
	do
		size = recv(fd, NULL, 0, MSG_PEEK | MSG_TRUNC | flags);
	while (size < 0 && errno == EINTR);
	if (size < 0)
		return -errno;
	buf = malloc(size ? size : 1);
	if (!buf)
		return -ENOMEM;
	do
		got = recv(fd, buf, size, flags);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	*out = core_steal(buf);
	return got;
}

/* Returns 1 when the conversation is over. */
static int hear(const struct nlmsghdr *msg, uint32_t sequence, netlink_answer answer, void *data,
		struct netlink_error *error)
{
	int r;

	/* what an earlier, broken-off conversation left in the socket */
	if (msg->nlmsg_seq != sequence)
		return 0;
	switch (msg->nlmsg_type) {
	case NLMSG_ERROR:
		r = netlink_error_parse(msg, msg->nlmsg_len, error);
		return r < 0 ? r : 1;
	case NLMSG_NOOP:
		return 0;
	case NLMSG_DONE:
		return 1;
	}
	return answer ? answer(msg, data) : 0;
}

int netlink_request(int fd, struct nlmsghdr *req, netlink_answer answer, void *data,
		    struct netlink_error *error)
{
	static uint32_t next;
	const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	ssize_t sent;
	int r;

	*error = (struct netlink_error){0};
	req->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	req->nlmsg_seq = __atomic_add_fetch(&next, 1, __ATOMIC_RELAXED);
	do
		sent = sendto(fd, req, req->nlmsg_len, 0, (const struct sockaddr *)&kernel,
			      sizeof(kernel));
	while (sent < 0 && errno == EINTR);
	if (sent < 0)
		return error->code = -errno;
	for (;;) {
		_free_ void *buf = NULL;
		ssize_t got = netlink_receive(fd, 0, &buf);
		const struct nlmsghdr *msg = buf;
		int left = got;

		if (got < 0)
			return error->code = got;
		for (; mnl_nlmsg_ok(msg, left); msg = mnl_nlmsg_next(msg, &left)) {
			r = hear(msg, req->nlmsg_seq, answer, data, error);
			if (r < 0)
				return error->code = r;
			if (r)
				return error->code;
		}
	}
}
