/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PF locks. A lock belongs to the open file, not to the process: a supervised child that the kernel does
 * not return from inherits it and keeps the PF locked until its call ends, whatever becomes of us.
 */
#include "lib/plan/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>

/* Seconds that a call which hung may take to return, once what held it is gone. */
#define STUCK_GRACE 3

/*
 * flock(2) with a deadline: a child waits on the same open file, so that the lock it gets is ours; its
 * exit closes the pipe that we wait on.
 */
static int flock_within(int fd, unsigned timeout)
{
	_close_ int from_child = -1;
	int ends[2], status = 0, ready;
	bool interrupted;
	struct pollfd wait;
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	from_child = ends[0];
	child = fork();
	if (child < 0) {
		close(ends[1]);
		return -errno;
	}
	if (!child) {
		/* the caller's handlers are not for this one */
		signal(SIGINT, SIG_DFL);
		signal(SIGTERM, SIG_DFL);
		signal(SIGHUP, SIG_DFL);
		_exit(flock(fd, LOCK_EX) < 0);
	}
	close(ends[1]);
	wait = (struct pollfd){.fd = from_child, .events = POLLIN};
	ready = poll(&wait, 1, timeout * 1000);
	interrupted = ready < 0 && errno == EINTR;
	if (ready <= 0)
		kill(child, SIGKILL);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return 0;
	return interrupted ? -EINTR : -EWOULDBLOCK;
}

static void write_holder(int fd, const char *command)
{
	char text[320];
	int len = snprintf(text, sizeof(text), "%d %s\n", getpid(), command);

	if (len >= (int)sizeof(text))
		len = sizeof(text) - 1;
	/* only for people to read: nothing depends on it */
	if (ftruncate(fd, 0) < 0 || pwrite(fd, text, len, 0) < 0)
		core_log("lock", "cannot write the holder: %s", strerror(errno));
}

static void read_holder(int fd, char *buf, size_t size)
{
	ssize_t got = pread(fd, buf, size - 1, 0);

	buf[got > 0 ? got : 0] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
}

/* @object is what the lock is for, in errors; @what is what another holder changes; @of is the PF's address. */
static int lock_file(struct sriov_host *host, const char *name, const char *object, const char *of,
		     const char *what, const char *command, unsigned timeout, lock_stuck stuck,
		     struct sriov_error *err)
{
	char path[320], holder[320];
	_close_ int fd = -1;
	int r, hangs = 0;

	if (host->nlocks == ARRAY_SIZE(host->lock_fd))
		return sriov_error_set(err, -EMFILE, object, "too many locks in one change");
	r = core_make_dirs(host->lock_dir, 0700);
	if (r < 0)
		return core_errno(err, r, host->lock_dir, "the folder for locks cannot be made");
	snprintf(path, sizeof(path), "%s/%s.lock", host->lock_dir, name);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return core_errno(err, -errno, path, "the lock cannot be opened");
	r = flock(fd, LOCK_EX | LOCK_NB) < 0 ? -errno : 0;
	if (r == -EWOULDBLOCK) {
		read_holder(fd, holder, sizeof(holder));
		core_log("lock", "%s is held by process %s; waiting", object, holder);
		hangs = stuck ? stuck(host, object, err) : 0;
		if (hangs < 0 && timeout > STUCK_GRACE)
			timeout = STUCK_GRACE;
		r = flock_within(fd, timeout);
		if (r == -EWOULDBLOCK && hangs < 0)
			return hangs;
	}
	if (r == -EWOULDBLOCK) {
		sriov_error_set(err, -EBUSY, object, "another change of %s runs: process %s", what,
				holder[0] ? holder : "(it has not said which)");
		sriov_error_hint(err, "wait for it; its lock is %s", path);
		return sriov_error_status(err, SRIOV_REFUSED);
	}
	if (r == -EINTR)
		return sriov_error_set(err, r, object,
				       "stopped by a signal while waiting for process %s", holder);
	if (r < 0)
		return core_errno(err, r, path, "it cannot be locked");
	write_holder(fd, command);
	core_copy(host->lock_of[host->nlocks], SRIOV_PCI_LEN, of);
	host->lock_fd[host->nlocks++] = core_steal_fd(&fd);
	return 0;
}

int lock_pf(struct sriov_host *host, const char *address, const char *command, unsigned timeout,
	    lock_stuck stuck, struct sriov_error *err)
{
	char name[64];

	snprintf(name, sizeof(name), "pf-%s", address);
	return lock_file(host, name, address, address, "this PF", command, timeout, stuck, err);
}

int lock_bridge(struct sriov_host *host, const char *bridge, const char *command, unsigned timeout,
		struct sriov_error *err)
{
	char name[64];

	snprintf(name, sizeof(name), "bridge-%s", bridge);
	return lock_file(host, name, bridge, "", "this bridge", command, timeout, NULL, err);
}

int lock_cpus(struct sriov_host *host, const char *command, unsigned timeout,
	      struct sriov_error *err)
{
	return lock_file(host, "cpus", "CPUs of guests", "", "where guests run", command, timeout,
			 NULL, err);
}

void unlock_pfs(struct sriov_host *host)
{
	while (host->nlocks)
		close(host->lock_fd[--host->nlocks]);
}
