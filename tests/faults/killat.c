/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded into an unchanged program, counts its calls that change something outside of it (database and
 * host file writes, syncs, renames, sysfs writes, netlink messages, ethtool ioctls) and makes one of them
 * the last:
 *
 *     KILLAT=N         SIGKILL before the N-th such call (1 = the first)
 *     KILLAT_FULL=N    from the N-th call on, every write to a file in a "*.state" folder says ENOSPC
 *     KILLAT_SIGNAL=N  SIGTERM to itself before the N-th call
 *     KILLAT_COUNT=F   at exit writes the number of calls into the file F
 *     KILLAT_LOG=F     writes a line for each call (and for each sleep) into the file F
 *
 * Children (the supervised sysfs writes) are logged but not counted: only the process itself dies.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static unsigned long calls, kill_at, full_at, signal_at;
static const char *log_path;
static pid_t self;

static unsigned long number(const char *name)
{
	const char *text = getenv(name);

	return text ? strtoul(text, NULL, 10) : 0;
}

__attribute__((constructor)) static void start(void)
{
	self = getpid();
	kill_at = number("KILLAT");
	full_at = number("KILLAT_FULL");
	signal_at = number("KILLAT_SIGNAL");
	log_path = getenv("KILLAT_LOG");
}

__attribute__((destructor)) static void end(void)
{
	const char *name = getenv("KILLAT_COUNT");
	FILE *file = name && getpid() == self ? fopen(name, "w") : NULL;

	if (!file)
		return;
	fprintf(file, "%lu\n", calls);
	fclose(file);
}

static void log_call(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void log_call(const char *fmt, ...)
{
	va_list ap;
	int fd;

	/* opened each time: a supervised child closes every descriptor that it does not know */
	fd = log_path ? open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
	if (fd < 0)
		return;
	va_start(ap, fmt);
	vdprintf(fd, fmt, ap);
	va_end(ap);
	close(fd);
}

/* The file behind a descriptor. */
static const char *path_of(int fd)
{
	static char path[PATH_MAX];
	char link[64];
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof(path) - 1);
	path[len > 0 ? len : 0] = '\0';
	return path;
}

static void log_file(const char *name, int fd)
{
	if (log_path)
		log_call("%s %s\n", name, path_of(fd));
}

/* A netlink message: its type, and whether it asks for the VFs of a link (IFLA_EXT_MASK). */
static void log_netlink(const void *data, size_t size)
{
	const struct nlmsghdr *header = data;
	const char *end = (const char *)data + size;
	const struct nlattr *a =
		(const void *)((const char *)data + NLMSG_SPACE(sizeof(struct ifinfomsg)));
	int vfs = 0;

	if (!log_path || size < sizeof(*header))
		return;
	while (header->nlmsg_type == RTM_GETLINK && (const char *)(a + 1) <= end &&
	       a->nla_len >= sizeof(*a)) {
		vfs |= (a->nla_type & NLA_TYPE_MASK) == IFLA_EXT_MASK;
		a = (const void *)((const char *)a + NLA_ALIGN(a->nla_len));
	}
	log_call("netlink type %d%s\n", header->nlmsg_type, vfs ? " with VFs" : "");
}

static void count(void)
{
	if (getpid() != self)
		return;
	calls++;
	if (calls == kill_at)
		kill(self, SIGKILL);
	if (calls == signal_at)
		kill(self, SIGTERM);
}

/* Standard output and pipes change nothing: a kill there would only test the same point again. */
static int counts(int fd)
{
	struct stat st;

	return fd > 2 && !fstat(fd, &st) && S_ISREG(st.st_mode);
}

static int is_full(int fd)
{
	return full_at && calls >= full_at && strstr(path_of(fd), ".state/") != NULL;
}

static int refuse(void)
{
	errno = ENOSPC;
	return -1;
}

ssize_t write(int fd, const void *data, size_t size)
{
	if (counts(fd)) {
		count();
		log_file("write", fd);
		if (is_full(fd))
			return refuse();
	}
	return REAL(write)(fd, data, size);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
	count();
	return is_full(fd) ? refuse() : REAL(pwrite)(fd, data, size, offset);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset)
{
	count();
	return is_full(fd) ? refuse() : REAL(pwrite64)(fd, data, size, offset);
}

int ftruncate(int fd, off_t size)
{
	count();
	return REAL(ftruncate)(fd, size);
}

int ftruncate64(int fd, off64_t size)
{
	count();
	return is_full(fd) ? refuse() : REAL(ftruncate64)(fd, size);
}

int fdatasync(int fd)
{
	count();
	log_file("sync", fd);
	return REAL(fdatasync)(fd);
}

int fsync(int fd)
{
	count();
	log_file("sync", fd);
	return REAL(fsync)(fd);
}

int rename(const char *from, const char *to)
{
	count();
	return REAL(rename)(from, to);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	count();
	return REAL(renameat)(from_dir, from, to_dir, to);
}

int unlink(const char *path)
{
	count();
	return REAL(unlink)(path);
}

ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
	count();
	log_netlink(msg->msg_iov->iov_base, msg->msg_iov->iov_len);
	return REAL(sendmsg)(fd, msg, flags);
}

ssize_t sendto(int fd, const void *data, size_t size, int flags, const struct sockaddr *to,
	       socklen_t len)
{
	count();
	log_netlink(data, size);
	return REAL(sendto)(fd, data, size, flags, to, len);
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list ap;
	void *argument;

	va_start(ap, request);
	argument = va_arg(ap, void *);
	va_end(ap);
	count();
	log_call("ioctl %#lx\n", request);
	return REAL(ioctl)(fd, request, argument);
}

int nanosleep(const struct timespec *wanted, struct timespec *left)
{
	log_call("sleep\n");
	return REAL(nanosleep)(wanted, left);
}

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *wanted,
		    struct timespec *left)
{
	log_call("sleep\n");
	return REAL(clock_nanosleep)(clock, flags, wanted, left);
}

int usleep(useconds_t us)
{
	log_call("sleep\n");
	return REAL(usleep)(us);
}
