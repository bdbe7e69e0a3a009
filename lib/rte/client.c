/* SPDX-License-Identifier: Apache-2.0 */
/* One request to the owner of DPDK's ports over its socket, and its answer. */
#include "lib/rte/message.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

static int fail_to_connect(const char *path, int code, struct sriov_error *err)
{
	core_errno(err, code, path, "no sriov-rte answers there");
	if (code == -EACCES)
		return sriov_error_hint(err, "it takes requests of root only: run as root");
	return sriov_error_hint(err, "start it with the port: sriov-rte --pci ADDRESS; or name its "
				     "socket: --socket PATH");
}

static int connect_to(const char *path, int *out, struct sriov_error *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	_close_ int fd = -1;

	if (strlen(path) >= sizeof(address.sun_path))
		return sriov_error_set(err, -ENAMETOOLONG, path,
				       "longer than the path of a socket can be");
	core_copy(address.sun_path, sizeof(address.sun_path), path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return core_errno(err, -errno, path, "no socket");
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return fail_to_connect(path, -errno, err);
	*out = core_steal_fd(&fd);
	return 0;
}

static int send_all(int fd, const char *text, size_t size)
{
	while (size) {
		ssize_t n = send(fd, text, size, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			return -errno;
		text += n > 0 ? n : 0;
		size -= n > 0 ? n : 0;
	}
	return 0;
}

/* Up to the end of the line, in fresh memory. */
static int receive_line(int fd, char **out, size_t *size)
{
	_free_ char *text = NULL;
	size_t used = 0, room = 0;

	for (;;) {
		ssize_t n;

		if (used == room) {
			char *more = realloc(text, room + 65536);

			if (!more)
				return -ENOMEM;
			text = more;
			room += 65536;
		}
		n = recv(fd, text + used, room - used, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -ECONNRESET;
		used += n;
		if (memchr(text + used - n, '\n', n))
			break;
		if (used > SRIOV_RTE_MESSAGE_MAX)
			return -EMSGSIZE;
	}
	*size = (char *)memchr(text, '\n', used) - text;
	*out = core_steal(text);
	return 0;
}

SRIOV_EXPORT int sriov_rte_call(const char *socket_path, const struct sriov_rte_request *request,
				char **result, struct sriov_error *err)
{
	const char *path = socket_path ?: SRIOV_RTE_SOCKET;
	_free_ char *line = NULL, *answer = NULL;
	_close_ int fd = -1;
	size_t size;
	int r = sriov_rte_request_format(request, &line, err), sent;

	if (r < 0)
		return r;
	size = strlen(line);
	if (size > SRIOV_RTE_MESSAGE_MAX)
		return sriov_error_set(err, -EMSGSIZE, path,
				       "the list is %zu bytes long, and a message at most %d", size,
				       SRIOV_RTE_MESSAGE_MAX);
	line[size++] = '\n';
	r = connect_to(path, &fd, err);
	if (r < 0)
		return r;
	/* it may refuse, and say why, before it has read everything */
	sent = send_all(fd, line, size);
	r = receive_line(fd, &answer, &size);
	if (r < 0)
		return core_errno(err, sent ? sent : r, path, "sriov-rte gave no answer");
	return message_answer(answer, size, result, err);
}
