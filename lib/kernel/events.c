/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events of links (rtnetlink's link group) and of devices (the kernel's uevents: a VF appears, a driver
 * binds). They only say "look again": whoever waits reads the state itself, so nothing is parsed, and an
 * overrun of the socket (ENOBUFS) means no more than an event does.
 */
#include "lib/kernel/kernel.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <poll.h>
#include <sys/socket.h>

#define UEVENT_KERNEL_GROUP 1 /* lib/kobject_uevent.c; udev's own messages are in group 2 */

struct events {
	struct nl_sock *sock[2];
};

static const struct {
	int protocol, group;
	const char *name;
} sources[] = {
	{NETLINK_ROUTE, RTNLGRP_LINK, "link events"},
	{NETLINK_KOBJECT_UEVENT, UEVENT_KERNEL_GROUP, "device events"},
};

int events_open(struct events **out, struct sriov_error *err)
{
	struct events *events = calloc(1, sizeof(*events));

	if (!events)
		return core_oom(err);
	for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
		struct nl_sock *sock = events->sock[i] = nl_socket_alloc();

		errno = 0;
		if (!sock || nl_connect(sock, sources[i].protocol) < 0 ||
		    nl_socket_add_memberships(sock, sources[i].group, 0) < 0 ||
		    nl_socket_set_nonblocking(sock) < 0) {
			int r = errno ? -errno : -EIO;

			events_close(events);
			return core_errno(err, r, sources[i].name, "cannot listen to the kernel");
		}
	}
	*out = events;
	return 0;
}

void events_close(struct events *events)
{
	if (!events)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(events->sock); i++)
		nl_socket_free(events->sock[i]);
	free(events);
}

int events_drain(int fd)
{
	char sink[1];
	int heard = 0;

	for (;;) {
		/* a datagram is gone once its first byte was received */
		if (recv(fd, sink, sizeof(sink), MSG_DONTWAIT) >= 0) {
			heard = 1;
			continue;
		}
		switch (errno) {
		case ENOBUFS:
			heard = 1;
			continue;
		case EINTR:
			continue;
		case EAGAIN:
			return heard;
		default:
			return -errno;
		}
	}
}

/* Whether something was heard on any of the sockets. */
static int drain_all(struct events *events, struct sriov_error *err)
{
	int heard = 0;

	for (size_t i = 0; i < ARRAY_SIZE(events->sock); i++) {
		int r = events_drain(nl_socket_get_fd(events->sock[i]));

		if (r < 0)
			return core_errno(err, r, sources[i].name, "cannot hear the kernel");
		heard |= r;
	}
	return heard;
}

int events_forget(struct events *events, struct sriov_error *err)
{
	int r = drain_all(events, err);

	return r < 0 ? r : 0;
}

int events_wait(struct events *events, int64_t deadline_ms, struct sriov_error *err)
{
	struct pollfd pfd[ARRAY_SIZE(events->sock)];

	for (size_t i = 0; i < ARRAY_SIZE(pfd); i++)
		pfd[i] = (struct pollfd){.fd = nl_socket_get_fd(events->sock[i]), .events = POLLIN};
	for (;;) {
		int64_t left = deadline_ms - core_monotonic_ms();
		int r = poll(pfd, ARRAY_SIZE(pfd),
			     left < 0           ? 0
			     : left > INT32_MAX ? INT32_MAX
						: (int)left);

		/* a signal: whoever waits may have been asked to stop, and looks again */
		if (r < 0 && errno == EINTR)
			return 0;
		if (r < 0)
			return core_errno(err, -errno, "events", "cannot wait for the kernel");
		if (r > 0) {
			r = drain_all(events, err);
			if (r)
				return r < 0 ? r : 0;
		}
		if (core_monotonic_ms() >= deadline_ms)
			return sriov_error_set(err, -ETIMEDOUT, "events",
					       "nothing happened on links or devices in time");
	}
}
