/* SPDX-License-Identifier: Apache-2.0 */
/* Small files, by directory descriptor: see core.h. */
#include "lib/core/core.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static ssize_t read_some(int fd, char *buf, size_t size)
{
	ssize_t got;

	do
		got = read(fd, buf, size);
	while (got < 0 && errno == EINTR);
	return got < 0 ? -errno : got;
}

static int write_all(int fd, const char *data, size_t size)
{
	while (size) {
		ssize_t put = write(fd, data, size);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		data += put;
		size -= put;
	}
	return 0;
}

int core_read_line(int dir, const char *name, char *buf, size_t size)
{
	_close_ int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t got;

	if (fd < 0)
		return -errno;
	got = read_some(fd, buf, size - 1);
	if (got < 0) {
		buf[0] = '\0';
		return got;
	}
	buf[got] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	return 0;
}

int core_read_number(int dir, const char *name, int64_t *out)
{
	char line[64], *end;
	int64_t value;
	int r = core_read_line(dir, name, line, sizeof(line));

	if (r < 0)
		return r;
	errno = 0;
	value = strtoll(line, &end, 0);
	if (end == line || *end || errno)
		return -EINVAL;
	*out = value;
	return 0;
}

int core_read_file(int dir, const char *name, size_t max, char **out, size_t *size)
{
	_close_ int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : core_read_fd(fd, max, out, size);
}

int core_read_fd(int fd, size_t max, char **out, size_t *size)
{
	_free_ char *text = NULL;
	size_t have = 0, room = 0;

	for (;;) {
		ssize_t got;

		if (have + 1 >= room) {
			char *grown;

			room = room ? room * 2 : 16384;
			grown = realloc(text, room);
			if (!grown)
				return -ENOMEM;
			text = grown;
		}
		got = read_some(fd, text + have, room - have - 1);
		if (got < 0)
			return got;
		if (!got)
			break;
		have += got;
		if (have > max)
			return -EFBIG;
	}
	text[have] = '\0';
	*out = core_steal(text);
	if (size)
		*size = have;
	return 0;
}

int core_write_file(int dir, const char *name, const char *text)
{
	_close_ int fd = openat(dir, name, O_WRONLY | O_CLOEXEC);
	size_t size = strlen(text);
	ssize_t put;

	if (fd < 0)
		return -errno;
	/* one write: sysfs takes a whole value at a time */
	do
		put = write(fd, text, size);
	while (put < 0 && errno == EINTR);
	if (put < 0)
		return -errno;
	return (size_t)put == size ? 0 : -EIO;
}

int core_replace_file(int dir, const char *name, const char *text, size_t size, mode_t mode)
{
	_free_ char *temporary = core_printf("%s.tmp", name);
	_close_ int fd = -1;
	int r;

	if (!temporary)
		return -ENOMEM;
	fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return -errno;
	r = write_all(fd, text, size);
	if (!r && renameat(dir, temporary, dir, name) < 0)
		r = -errno;
	if (r < 0)
		unlinkat(dir, temporary, 0);
	return r;
}

int core_read_link_base(int dir, const char *name, char *buf, size_t size)
{
	char target[PATH_MAX];
	ssize_t len = readlinkat(dir, name, target, sizeof(target) - 1);

	if (len < 0)
		return -errno;
	target[len] = '\0';
	core_copy(buf, size, basename(target));
	return 0;
}

int core_make_dirs(const char *path, mode_t mode)
{
	_free_ char *copy = strdup(path);

	if (!copy)
		return -ENOMEM;
	for (char *slash = copy + 1;; slash++) {
		slash += strcspn(slash, "/");
		char end = *slash;

		*slash = '\0';
		if (mkdir(copy, mode) < 0 && errno != EEXIST)
			return -errno;
		if (!end)
			return 0;
		*slash = end;
	}
}
