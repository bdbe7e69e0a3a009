/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The socket: root's only, by its mode and by who connects; lines of at most SRIOV_RTE_MESSAGE_MAX bytes, each
 * answered by one. Nothing waits for a client: of each one request is taken at a time, and the next when it has taken
 * the answer. Who says half a line and no more, or does not take an answer, is dropped; who is silent makes room.
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
#include <sys/un.h>

#define CLIENTS_MAX 16
#define PATIENCE_MS 10000 /* for the rest of a line, and for an answer to be taken */
#define SILENT_MS 1000    /* after which a client makes room for another */
#define GROW 65536

struct client {
	int fd;
	char *text; /* that it has said */
	size_t used, room;
	size_t line;       /* of it, with its end: a request that waits to be answered; 0: none */
	char *answer;      /* that it has not taken whole, with its end; NULL: none */
	size_t size, sent; /* of the answer */
	int64_t since_ms; /* since when it is as it is: silent, amid a line, waiting, taking an answer */
};

struct server {
	struct owner *owner;
	int lock, socket;
	struct stat bound; /* the socket's file */
	struct client client[CLIENTS_MAX];
	size_t nclients;
};

/* ---- the socket ---- */

/* What is there and is no socket is somebody's, and is not replaced. */
static int check_path(const char *path, struct sriov_error *err)
{
	struct stat there;

	if (strlen(path) >= sizeof(((struct sockaddr_un *)0)->sun_path))
		return sriov_error_set(err, -ENAMETOOLONG, path,
				       "longer than the path of a socket can be");
	if (lstat(path, &there) < 0)
		return errno == ENOENT || errno == ENOTDIR
			       ? 0
			       : core_errno(err, -errno, path, "it cannot be looked at");
	if (S_ISSOCK(there.st_mode))
		return 0;
	sriov_error_set(err, -EEXIST, path, "something is there that is no socket");
	return sriov_error_hint(err, "give it another --socket");
}

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
	if (read(fd, pid, sizeof(pid) - 1) < 0)
		pid[0] = '\0';
	if (pid[strspn(pid, "0123456789\n")]) {
		sriov_error_set(err, -EEXIST, name,
				"something is there that is no lock of sriov-rte");
		return sriov_error_hint(err, "give it another --socket");
	}
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		sriov_error_set(err, -EADDRINUSE, path, "another sriov-rte has it (process %.*s)",
				(int)strcspn(pid, "\n"), pid);
		return sriov_error_hint(err, "stop that one, or give this another --socket");
	}
	snprintf(pid, sizeof(pid), "%d\n", getpid());
	if (ftruncate(fd, 0) < 0 || pwrite(fd, pid, strlen(pid), 0) < 0)
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

static int new_socket(const char *path, struct sockaddr_un *address, int *out,
		      struct sriov_error *err)
{
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	core_copy(address->sun_path, sizeof(address->sun_path), path);
	*out = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return *out < 0 ? core_errno(err, -errno, path, "no socket") : 0;
}

/* A socket that nobody listens at is left of an owner that was killed: the lock says that there is none. */
static int take_away(const char *path, struct sriov_error *err)
{
	struct sockaddr_un address;
	_close_ int fd = -1;
	int r = check_path(path, err) ?: new_socket(path, &address, &fd, err);

	if (r < 0)
		return r;
	if (!connect(fd, (struct sockaddr *)&address, sizeof(address)) ||
	    (errno != ECONNREFUSED && errno != ENOENT)) {
		sriov_error_set(err, -EADDRINUSE, path, "another program listens there");
		return sriov_error_hint(err, "give it another --socket");
	}
	if (unlink(path) < 0 && errno != ENOENT)
		return core_errno(err, -errno, path, "the old socket cannot be taken away");
	return 0;
}

static int listen_at(struct server *server, struct sriov_error *err)
{
	const char *path = server->owner->socket;
	struct sockaddr_un address;
	_close_ int fd = -1;
	mode_t before;
	int r = take_away(path, err) ?: new_socket(path, &address, &fd, err);

	if (r < 0)
		return r;
	before = umask(0177);
	r = bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
	umask(before);
	if (r < 0)
		return core_errno(err, r, path, "the socket cannot be made");
	if (lstat(path, &server->bound) < 0 || listen(fd, CLIENTS_MAX) < 0)
		r = core_errno(err, -errno, path, "the socket cannot be made");
	server->socket = core_steal_fd(&fd);
	return r;
}

int server_open(struct owner *owner, struct server **out, struct sriov_error *err)
{
	struct server *server;
	int r = check_path(owner->socket, err);

	if (r < 0)
		return r;
	server = calloc(1, sizeof(*server));
	if (!server)
		return core_oom(err);
	server->owner = owner;
	server->lock = server->socket = -1;
	r = make_folder(owner->socket, err);
	if (!r)
		r = take_lock(owner->socket, &server->lock, err);
	if (!r)
		r = listen_at(server, err);
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
	free(server->client[i].answer);
	server->client[i] = server->client[--server->nclients];
}

/* Only the file that was bound: another may have taken its place. */
static void close_socket(struct server *server)
{
	const char *path = server->owner->socket;
	struct stat there;

	if (!lstat(path, &there) && there.st_dev == server->bound.st_dev &&
	    there.st_ino == server->bound.st_ino)
		unlink(path);
	close(server->socket);
}

void server_close(struct server *server)
{
	if (!server)
		return;
	while (server->nclients)
		drop(server, 0);
	if (server->socket >= 0)
		close_socket(server);
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

/* The end of the line takes the place of the text's; the size with it. */
static size_t end_line(char *line)
{
	size_t size = strlen(line) + 1;

	line[size - 1] = '\n';
	return size;
}

/* Told if there is room for it: who is refused is not waited for. */
static void refuse(int fd, int code, const char *message, const char *hint)
{
	struct sriov_error err = {0};
	_free_ char *line = NULL;

	sriov_error_set(&err, code, "sriov-rte", "%s", message);
	sriov_error_hint(&err, "%s", hint);
	if (sriov_rte_answer_format(NULL, &err, &line) < 0)
		return;
	send(fd, line, end_line(line), MSG_NOSIGNAL);
}

static bool is_silent(const struct client *client)
{
	return !client->used && !client->answer;
}

/* The one that is silent longest goes. */
static bool make_place(struct server *server)
{
	size_t longest = CLIENTS_MAX;

	if (server->nclients < CLIENTS_MAX)
		return true;
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (is_silent(&server->client[i]) &&
		    (longest == CLIENTS_MAX ||
		     server->client[i].since_ms < server->client[longest].since_ms))
			longest = i;
	if (longest == CLIENTS_MAX ||
	    core_monotonic_ms() - server->client[longest].since_ms < SILENT_MS)
		return false;
	drop(server, longest);
	return true;
}

static void admit(struct server *server)
{
	_close_ int fd = accept4(server->socket, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	if (!is_root(fd))
		refuse(fd, -EPERM, "requests of root only are taken", "run as root");
	else if (!make_place(server))
		refuse(fd, -EBUSY, "too many clients at a time",
		       "try again in a moment: who is silent or does not take an answer makes room");
	else
		server->client[server->nclients++] =
			(struct client){.fd = core_steal_fd(&fd), .since_ms = core_monotonic_ms()};
}

/* ---- one client ---- */

/* What is there of a line, or all of it; it has changed. */
static void look_for_line(struct client *client, size_t from)
{
	char *end = memchr(client->text + from, '\n', client->used - from);

	client->line = end ? end + 1 - client->text : 0;
	client->since_ms = core_monotonic_ms();
}

/* As much as it takes now; false: the client goes. */
static bool say(struct client *client)
{
	ssize_t n = send(client->fd, client->answer + client->sent, client->size - client->sent,
			 MSG_NOSIGNAL);

	if (n < 0)
		return errno == EINTR || errno == EAGAIN;
	client->sent += n;
	if (client->sent < client->size)
		return true;
	free(core_steal(client->answer));
	look_for_line(client, 0);
	return true;
}

/* Its request is carried out; false: the client goes. */
static bool answer(struct server *server, struct client *client)
{
	client->answer = handle_request(server->owner, client->text, client->line - 1);
	if (!client->answer)
		return false;
	client->size = end_line(client->answer);
	client->sent = 0;
	client->used -= client->line;
	memmove(client->text, client->text + client->line, client->used);
	client->line = 0;
	client->since_ms = core_monotonic_ms();
	return say(client);
}

static bool hear(struct client *client)
{
	bool goes_on = client->used;
	ssize_t n;

	if (client->room - client->used < GROW) {
		char *more = realloc(client->text, client->room + GROW);

		if (!more)
			return false;
		client->text = more;
		client->room += GROW;
	}
	n = recv(client->fd, client->text + client->used, GROW, 0);
	if (n < 0)
		return errno == EINTR || errno == EAGAIN;
	if (!n)
		return false;
	client->used += n;
	if (memchr(client->text + client->used - n, '\n', n) || !goes_on)
		look_for_line(client, client->used - n);
	if (client->line || client->used <= SRIOV_RTE_MESSAGE_MAX)
		return true;
	refuse(client->fd, -EMSGSIZE, "the message is longer than 16 MiB", "");
	return false;
}

/* ---- the loop ---- */

static void drop_slow(struct server *server)
{
	int64_t now = core_monotonic_ms();

	for (size_t i = server->nclients; i-- > 0;) {
		const struct client *client = &server->client[i];

		if (!is_silent(client) && !client->line && now - client->since_ms > PATIENCE_MS)
			drop(server, i);
	}
}

/* The request that waits longest; packets and other clients have their turn before the next. */
static void answer_one(struct server *server)
{
	int64_t before = core_monotonic_ms();
	size_t next = CLIENTS_MAX;

	for (size_t i = 0; i < server->nclients; i++)
		if (server->client[i].line &&
		    (next == CLIENTS_MAX ||
		     server->client[i].since_ms < server->client[next].since_ms))
			next = i;
	if (next == CLIENTS_MAX)
		return;
	if (!answer(server, &server->client[next]))
		drop(server, next);
	/* nobody is slow for not having been heard meanwhile */
	for (size_t i = 0; i < server->nclients; i++)
		server->client[i].since_ms += core_monotonic_ms() - before;
}

static short events_of(const struct client *client)
{
	return client->answer ? POLLOUT : client->line ? 0 : POLLIN;
}

static void serve(struct server *server, const struct pollfd *fds, size_t n)
{
	for (size_t i = n; i-- > 0;) {
		struct client *client = &server->client[i];

		/* one that waits for its answer is heard of when it has it */
		if (fds[i + 1].revents && fds[i + 1].events &&
		    !(client->answer ? say(client) : hear(client)))
			drop(server, i);
	}
	if (fds[0].revents)
		admit(server);
}

/* Packets have no descriptor: with --sink they are looked for every millisecond. NULL: until something comes. */
static const struct timespec *wait_for(const struct server *server, bool busy, struct timespec *out)
{
	bool watched = false;

	*out = (struct timespec){0};
	for (size_t i = 0; i < server->nclients; i++) {
		busy |= server->client[i].line != 0;
		watched |= !is_silent(&server->client[i]);
	}
	if (busy)
		return out;
	if (server->owner->sink)
		out->tv_nsec = 1000000;
	else if (watched)
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
			fds[i + 1] = (struct pollfd){server->client[i].fd,
						     events_of(&server->client[i]), 0};
		if (ppoll(fds, n + 1, wait_for(server, busy, &wait), &all) > 0) {
			serve(server, fds, n);
			/* it lets none in as long as there is always something */
			ppoll(NULL, 0, &(struct timespec){0}, &all);
		}
		drop_slow(server);
		answer_one(server);
		busy = owner->sink && dpdk_sink(owner);
	}
}
