/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The socket: root's only, by its mode and by who connects; lines of at most SRIOV_RTE_MESSAGE_MAX bytes, each
 * answered by one. Clients that say half a line and no more are dropped.
 */
#include "cmd/sriov-rte/owner.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>

#define CLIENTS_MAX 16
#define PATIENCE_MS 10000 /* for the rest of a line */
#define GROW 65536

struct client {
	int fd;
	char *text;
	size_t used, room;
	int64_t since_ms; /* of the line that is begun */
};

struct server {
	struct owner *owner;
	int lock, socket;
	struct client client[CLIENTS_MAX];
	size_t nclients;
};

/* ---- the socket ---- */

/* Held as long as the process lives, so that a socket file without one is nobody's. */
static int take_lock(const char *path, int *out, struct sriov_error *err)
{
	_free_ char *name = core_printf("%s.lock", path);
	_close_ int fd = -1;
	char pid[16] = "";

	if (!name)
		return core_oom(err);
	fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return core_errno(err, -errno, name, "it cannot be made");
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (read(fd, pid, sizeof(pid) - 1) < 0)
			pid[0] = '\0';
		sriov_error_set(err, -EADDRINUSE, path, "another sriov-rte has it (process %.*s)",
				(int)strcspn(pid, "\n"), pid);
		return sriov_error_hint(err, "stop that one, or give this another --socket");
	}
	snprintf(pid, sizeof(pid), "%d\n", getpid());
	if (ftruncate(fd, 0) < 0 || write(fd, pid, strlen(pid)) < 0)
		return core_errno(err, -errno, name, "it cannot be written");
	*out = core_steal_fd(&fd);
	return 0;
}

static int make_folder(const char *path, struct sriov_error *err)
{
	_free_ char *folder = strdup(path);
	char *slash = folder ? strrchr(folder, '/') : NULL;
	int r;

	if (!folder)
		return core_oom(err);
	if (!slash || slash == folder)
		return 0;
	*slash = '\0';
	r = core_make_dirs(folder, 0700);
	return r < 0 ? core_errno(err, r, folder, "the folder for the socket cannot be made") : 0;
}

static int listen_at(const char *path, int *out, struct sriov_error *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mode_t before;
	int r;

	if (fd < 0)
		return core_errno(err, -errno, path, "no socket");
	core_copy(address.sun_path, sizeof(address.sun_path), path);
	unlink(path);
	before = umask(0177);
	r = bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
	umask(before);
	if (!r && listen(fd, CLIENTS_MAX) < 0)
		r = -errno;
	if (r < 0)
		return core_errno(err, r, path, "the socket cannot be made");
	*out = core_steal_fd(&fd);
	return 0;
}

int server_open(struct owner *owner, struct server **out, struct sriov_error *err)
{
	struct server *server;
	int r;

	if (strlen(owner->socket) >= sizeof(((struct sockaddr_un *)0)->sun_path))
		return sriov_error_set(err, -ENAMETOOLONG, owner->socket,
				       "longer than the path of a socket can be");
	server = calloc(1, sizeof(*server));
	if (!server)
		return core_oom(err);
	server->owner = owner;
	server->lock = server->socket = -1;
	r = make_folder(owner->socket, err);
	if (!r)
		r = take_lock(owner->socket, &server->lock, err);
	if (!r)
		r = listen_at(owner->socket, &server->socket, err);
	if (r < 0)
		server_close(server);
	else
		*out = server;
	return r;
}

/* ---- clients ---- */

static void drop(struct server *server, size_t i)
{
	close(server->client[i].fd);
	free(server->client[i].text);
	server->client[i] = server->client[--server->nclients];
}

void server_close(struct server *server)
{
	if (!server)
		return;
	while (server->nclients)
		drop(server, 0);
	if (server->socket >= 0) {
		unlink(server->owner->socket);
		close(server->socket);
	}
	if (server->lock >= 0)
		close(server->lock);
	free(server);
}

static bool is_root(int fd)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) && peer.uid == 0;
}

/* False: the client is gone, or too slow to be waited for. */
static bool say(int fd, const char *line)
{
	size_t left = strlen(line) + 1;

	while (left) {
		/* the end of the line takes the place of the text's */
		ssize_t n = left > 1 ? send(fd, line, left - 1, MSG_NOSIGNAL)
				     : send(fd, "\n", 1, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		line += n;
		left -= n;
	}
	return true;
}

static void refuse(int fd, int code, const char *message)
{
	struct sriov_error err = {0};
	_free_ char *line = NULL;

	sriov_error_set(&err, code, "sriov-rte", "%s", message);
	if (!sriov_rte_answer_format(NULL, &err, &line))
		say(fd, line);
}

static void admit(struct server *server)
{
	/* answers wait at most so long for a reader */
	static const struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};
	_close_ int fd = accept4(server->socket, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (!is_root(fd)) {
		refuse(fd, -EPERM, "requests of root only are taken");
		return;
	}
	if (server->nclients == CLIENTS_MAX) {
		refuse(fd, -EBUSY, "too many clients at a time");
		return;
	}
	server->client[server->nclients++] = (struct client){.fd = core_steal_fd(&fd)};
}

/* All whole lines that are there; false: the client goes. */
static bool answer_lines(struct server *server, struct client *client)
{
	char *start = client->text, *end;
	bool stays = true;

	while (stays && (end = memchr(start, '\n', client->text + client->used - start))) {
		_free_ char *line = handle_request(server->owner, start, end - start);

		stays = line && say(client->fd, line);
		start = end + 1;
	}
	client->used -= start - client->text;
	memmove(client->text, start, client->used);
	if (start != client->text)
		client->since_ms = core_monotonic_ms();
	return stays;
}

static bool hear(struct server *server, struct client *client)
{
	ssize_t n;

	if (client->room - client->used < GROW) {
		char *more = realloc(client->text, client->room + GROW);

		if (!more)
			return false;
		client->text = more;
		client->room += GROW;
	}
	n = recv(client->fd, client->text + client->used, client->room - client->used,
		 MSG_DONTWAIT);
	if (n < 0)
		return errno == EINTR || errno == EAGAIN;
	if (!n)
		return false;
	if (!client->used)
		client->since_ms = core_monotonic_ms();
	client->used += n;
	if (memchr(client->text + client->used - n, '\n', n) && !answer_lines(server, client))
		return false;
	if (client->used <= SRIOV_RTE_MESSAGE_MAX)
		return true;
	refuse(client->fd, -EMSGSIZE, "the message is longer than 16 MiB");
	return false;
}

/* ---- the loop ---- */

static void drop_slow(struct server *server)
{
	int64_t now = core_monotonic_ms();

	for (size_t i = server->nclients; i-- > 0;)
		if (server->client[i].used && now - server->client[i].since_ms > PATIENCE_MS)
			drop(server, i);
}

static bool has_half_lines(const struct server *server)
{
	for (size_t i = 0; i < server->nclients; i++)
		if (server->client[i].used)
			return true;
	return false;
}

static void serve(struct server *server, const struct pollfd *fds, size_t n)
{
	for (size_t i = n; i-- > 0;)
		if (fds[i + 1].revents && !hear(server, &server->client[i]))
			drop(server, i);
	if (fds[0].revents)
		admit(server);
}

/* Packets have no descriptor: with --sink they are looked for every millisecond. NULL: until something comes. */
static const struct timespec *wait_for(const struct server *server, bool busy, struct timespec *out)
{
	*out = (struct timespec){0};
	if (busy)
		return out;
	if (server->owner->sink)
		out->tv_nsec = 1000000;
	else if (has_half_lines(server))
		out->tv_sec = 1;
	else
		return NULL;
	return out;
}

void server_run(struct server *server)
{
	struct owner *owner = server->owner;
	bool busy = false;
	sigset_t all;

	/* signals that stop it are let in while it waits only: none can come just before */
	sigemptyset(&all);
	while (!owner->stopped) {
		struct pollfd fds[CLIENTS_MAX + 1] = {{server->socket, POLLIN, 0}};
		size_t n = server->nclients;
		struct timespec wait;

		for (size_t i = 0; i < n; i++)
			fds[i + 1] = (struct pollfd){server->client[i].fd, POLLIN, 0};
		if (ppoll(fds, n + 1, wait_for(server, busy, &wait), &all) > 0)
			serve(server, fds, n);
		drop_slow(server);
		busy = owner->sink && dpdk_sink(owner);
	}
}
