/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sysfs accesses that can hang in the kernel, done by a child under a deadline.
 *
 * Writing sriov_numvfs, unbind, drivers_probe or reset waits for drivers and for whoever has the device
 * open: with a VF in a guest the write sleeps uninterruptibly until the guest lets go, and every access
 * that takes the same device lock sleeps behind it (driver_override too, both ways). No signal ends that,
 * so it must not be us who sleeps.
 *
 * The child has nothing open but its end of a SOCK_SEQPACKET pair. A request brings the directory and the
 * PF locks along as descriptors (SCM_RIGHTS): they are the child's own for as long as the kernel takes,
 * so the PF stays locked while it hangs, even if the parent is killed; and they are closed before the
 * answer, so an idle child never keeps a lock. At end-of-file, that is when the parent is gone, it exits.
 */
#include "lib/kernel/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define CHILD_NAME "sriovctl-kernel" /* as ps shows it */
#define FDS_MAX 17                   /* the directory and host->lock_fd */

struct supervisor {
	int fd; /* our end; -1 = no child */
	pid_t pid;
	uint32_t sequence;
	char stuck[384]; /* what the child did not come back from; "" while it is well */
};

enum operation { READ, WRITE };

struct request {
	uint32_t sequence;
	uint32_t operation;
	char path[256];
	char text[64];
};

union control {
	char space[CMSG_SPACE(FDS_MAX * sizeof(int))];
	struct cmsghdr align;
};

/*
 * The child. It may have been forked from a program with threads, so until it ends it calls nothing but
 * async-signal-safe functions.
 */
static ssize_t receive(int fd, struct request *request, int *fds, size_t *nfds)
{
	union control control;
	struct iovec iov = {request, sizeof(*request)};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control.space,
			     .msg_controllen = sizeof(control.space)};
	struct cmsghdr *cmsg;
	ssize_t got;

	do
		got = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	cmsg = got < 0 ? NULL : CMSG_FIRSTHDR(&msg);
	*nfds = 0;
	if (cmsg && cmsg->cmsg_level == SOL_SOCKET && cmsg->cmsg_type == SCM_RIGHTS) {
		*nfds = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(fds, CMSG_DATA(cmsg), *nfds * sizeof(int));
	}
	return got;
}

static void perform(const struct request *request, int dir, struct supervise_reply *reply)
{
	bool write_it = request->operation == WRITE;
	int fd = openat(dir, request->path,
			(write_it ? O_WRONLY : O_RDONLY) | O_CLOEXEC | O_NOCTTY);
	ssize_t done;

	reply->opened = fd >= 0;
	if (fd < 0) {
		reply->result = -errno;
		return;
	}
	/* one write: sysfs takes a whole value at a time */
	do
		done = write_it ? write(fd, request->text, strlen(request->text))
				: read(fd, reply->text, sizeof(reply->text) - 1);
	while (done < 0 && errno == EINTR);
	reply->result = done < 0 ? -errno : 0;
	close(fd);
}

static void __attribute__((noreturn)) child(int sock)
{
	static const int ignored[] = {SIGINT, SIGQUIT, SIGHUP, SIGTERM, SIGPIPE};
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	sigset_t none;

	/*
	 * A signal for the whole group ends the parent, and with it this loop; it must not end a write
	 * in the middle. The caller's handlers and mask are not for us.
	 */
	for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
		sigaction(ignored[i], &ignore, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_NAME, CHILD_NAME);
	/* stdout too: whoever reads our parent's output must not wait for a child that hangs */
	if (dup2(sock, 0) < 0 || close_range(1, ~0U, 0) < 0)
		_exit(1);
	for (;;) {
		struct supervise_reply reply = {0};
		struct request request;
		int fds[FDS_MAX];
		size_t nfds;
		ssize_t got = receive(0, &request, fds, &nfds);

		if (got <= 0)
			_exit(0);
		reply.sequence = request.sequence;
		reply.result = -EPROTO;
		if (got == sizeof(request) && nfds)
			perform(&request, fds[0], &reply);
		for (size_t i = 0; i < nfds; i++)
			close(fds[i]);
		if (send(0, &reply, sizeof(reply), MSG_NOSIGNAL) < 0)
			_exit(0);
	}
}

static int start(struct supervisor **out, struct sriov_error *err)
{
	struct supervisor *sup = calloc(1, sizeof(*sup));
	int pair[2], r;

	if (!sup)
		return core_oom(err);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		r = -errno;
		free(sup);
		return core_errno(err, r, "supervisor", "cannot make a socket pair");
	}
	sup->pid = fork();
	if (sup->pid == 0)
		child(pair[1]);
	r = -errno;
	close(pair[1]);
	if (sup->pid < 0) {
		close(pair[0]);
		free(sup);
		return core_errno(err, r, "supervisor",
				  "cannot start the child for kernel accesses");
	}
	sup->fd = pair[0];
	*out = sup;
	return 0;
}

void supervise_close(struct supervisor *sup)
{
	if (!sup)
		return;
	if (sup->fd >= 0)
		close(sup->fd);
	/* A stuck child ends when the kernel lets it; nobody can be made to wait for that. */
	while (waitpid(sup->pid, NULL, sup->stuck[0] ? WNOHANG : 0) < 0 && errno == EINTR)
		;
	free(sup);
}

int supervise_await(int fd, uint32_t sequence, int64_t deadline_ms, struct supervise_reply *out)
{
	for (;;) {
		int64_t left = deadline_ms - core_monotonic_ms();
		struct pollfd pfd = {.fd = fd, .events = POLLIN};
		struct supervise_reply reply;
		ssize_t got;
		int r = poll(&pfd, 1, left < 0 ? 0 : left > INT32_MAX ? INT32_MAX : (int)left);

		if (r < 0 && errno != EINTR)
			return -errno;
		if (r == 0)
			return -ETIMEDOUT;
		if (r < 0)
			continue;
		/* MSG_TRUNC: an answer of another length is none, however long */
		got = recv(fd, &reply, sizeof(reply), MSG_DONTWAIT | MSG_TRUNC);
		if (got < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (got < 0 && errno != ECONNRESET)
			return -errno;
		if (got <= 0)
			return -ECHILD;
		if (got != sizeof(reply) || reply.sequence != sequence || reply.result > 0)
			return -EPROTO;
		reply.text[sizeof(reply.text) - 1] = '\0';
		*out = reply;
		return 0;
	}
}

static int post(int fd, const struct request *request, const struct supervised *what)
{
	union control control = {{0}};
	struct iovec iov = {(void *)request, sizeof(*request)};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.space};
	size_t size = (1 + what->nlocks) * sizeof(int);
	struct cmsghdr *cmsg;
	ssize_t sent;

	msg.msg_controllen = CMSG_SPACE(size);
	cmsg = CMSG_FIRSTHDR(&msg);
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(cmsg), &what->dir, sizeof(int));
	if (what->nlocks)
		memcpy(CMSG_DATA(cmsg) + sizeof(int), what->lock_fd, what->nlocks * sizeof(int));
	do
		sent = sendmsg(fd, &msg, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	/* it has ended already: to the caller the same as if it had while it was at it */
	if (sent < 0 && errno == EPIPE)
		return -ECHILD;
	return sent < 0 ? -errno : 0;
}

/* Where in the kernel the child sleeps: the function's name, if the kernel tells. */
static void where_it_waits(pid_t pid, char *buf, size_t size)
{
	char path[40], function[128];

	snprintf(path, sizeof(path), "/proc/%d/wchan", (int)pid);
	if (core_read_line(AT_FDCWD, path, function, sizeof(function)) < 0 || !function[0] ||
	    !strcmp(function, "0"))
		core_copy(buf, size, "no answer");
	else
		snprintf(buf, size, "waiting in %s()", function);
}

static int got_stuck(struct supervisor *sup, const struct request *request,
		     const struct supervised *what, struct sriov_error *err)
{
	char words[160];

	if (request->operation == WRITE)
		snprintf(sup->stuck, sizeof(sup->stuck), "writing '%.*s' to %s",
			 (int)strcspn(request->text, "\n"), request->text, what->path);
	else
		snprintf(sup->stuck, sizeof(sup->stuck), "reading %s", what->path);
	where_it_waits(sup->pid, words, sizeof(words));
	sriov_error_set(err, -ETIMEDOUT, what->object,
			"%s does not return from the kernel; process %d (" CHILD_NAME
			") waits for it and keeps the PF locked",
			sup->stuck, (int)sup->pid);
	sriov_error_kernel(err, "%s", words);
	sriov_error_hint(
		err, "the kernel goes on by itself when the device is let go, mostly by a guest "
		     "that has a VF open: dmesg names it. Then look with 'sriovctl journal show'");
	sriov_error_status(err, SRIOV_STUCK);
	return -ETIMEDOUT;
}

/* The child gave no usable answer: what it did is not known, and the next access starts another one. */
static int lost(struct supervisor **sup, int code, const struct supervised *what,
		struct sriov_error *err)
{
	supervise_close(*sup);
	*sup = NULL;
	core_errno(err, code, what->object, "the child that accesses %s ended without an answer",
		   what->path);
	sriov_error_hint(err, "whether the access happened is not known: look again");
	return code;
}

static int supervise(struct supervisor **sup, enum operation operation, const char *text,
		     const struct supervised *what, struct supervise_reply *reply,
		     struct sriov_error *err)
{
	struct request request = {.operation = operation};
	int r;

	if (strlen(what->path) >= sizeof(request.path) || strlen(text) >= sizeof(request.text) ||
	    what->nlocks >= FDS_MAX)
		return sriov_error_set(err, -EINVAL, what->object, "cannot access %s: too long",
				       what->path);
	if (*sup && (*sup)->stuck[0]) {
		sriov_error_set(err, -ETIMEDOUT, what->object,
				"not accessing %s: process %d (" CHILD_NAME
				") has not come back from %s",
				what->path, (int)(*sup)->pid, (*sup)->stuck);
		sriov_error_status(err, SRIOV_STUCK);
		return -ETIMEDOUT;
	}
	if (!*sup) {
		r = start(sup, err);
		if (r < 0)
			return r;
	}
	request.sequence = ++(*sup)->sequence;
	core_copy(request.path, sizeof(request.path), what->path);
	core_copy(request.text, sizeof(request.text), text);
	r = post((*sup)->fd, &request, what);
	if (!r)
		r = supervise_await((*sup)->fd, request.sequence, what->deadline_ms, reply);
	if (r == -ETIMEDOUT)
		return got_stuck(*sup, &request, what, err);
	if (r < 0)
		return lost(sup, r, what, err);
	if (reply->result == 0)
		return 0;
	core_errno(err, reply->result, what->object, "cannot %s %s",
		   !reply->opened      ? "open"
		   : operation == READ ? "read"
				       : "write to",
		   what->path);
	if (!reply->opened && (reply->result == -EACCES || reply->result == -EPERM))
		sriov_error_hint(err, "run it as root");
	return reply->result;
}

int supervise_write(struct supervisor **sup, const struct supervised *what, const char *text,
		    struct sriov_error *err)
{
	struct supervise_reply reply;

	return supervise(sup, WRITE, text, what, &reply, err);
}

int supervise_read(struct supervisor **sup, const struct supervised *what, char *buf, size_t size,
		   struct sriov_error *err)
{
	struct supervise_reply reply;
	int r = supervise(sup, READ, "", what, &reply, err);

	if (r < 0)
		return r;
	reply.text[strcspn(reply.text, "\n")] = '\0';
	core_copy(buf, size, reply.text);
	return 0;
}
