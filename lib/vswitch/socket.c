/* SPDX-License-Identifier: Apache-2.0 */
/* Whether QEMU can make the socket of a vhost-user port, seen before it tries. */
#include "lib/vswitch/vswitch.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define QEMU_CONF "/etc/libvirt/qemu.conf"
#define QEMU_CONF_MAX (1 << 20)

/* Whom libvirt runs QEMU as unless its configuration says otherwise; by distribution. */
static const char *const users[] = {"libvirt-qemu", "qemu", NULL};

/* The user that a line of qemu.conf names, by name or as "+UID"; NULL for other lines. */
static const struct passwd *configured(const char *line)
{
	char name[64];

	if (sscanf(line, " user = \"%63[^\"]\"", name) != 1)
		return NULL;
	return name[0] == '+' ? getpwuid((uid_t)strtoul(name + 1, NULL, 10)) : getpwnam(name);
}

static const struct passwd *find_user(const char *user)
{
	const struct passwd *found = NULL;
	_free_ char *conf = NULL;
	char *rest, *line;

	if (user)
		return getpwnam(user);
	/* who may not read it knows only the distribution's */
	if (core_read_file(AT_FDCWD, QEMU_CONF, QEMU_CONF_MAX, &conf, NULL) == 0) {
		for (rest = conf; !found && (line = strsep(&rest, "\n"));)
			found = configured(line);
	}
	for (size_t i = 0; !found && users[i]; i++)
		found = getpwnam(users[i]);
	return found;
}

static bool in_group(const struct passwd *user, gid_t gid)
{
	gid_t groups[64];
	int n = ARRAY_SIZE(groups);

	if (getgrouplist(user->pw_name, user->pw_gid, groups, &n) < 0)
		n = ARRAY_SIZE(groups);
	for (int i = 0; i < n; i++) {
		if (groups[i] == gid)
			return true;
	}
	return false;
}

/* Making a name takes write and search permission. */
static bool can_make(const struct stat *st, const struct passwd *user)
{
	unsigned want = S_IWOTH | S_IXOTH, mode = st->st_mode;

	if (!user->pw_uid)
		return true;
	if (st->st_uid == user->pw_uid)
		mode >>= 6;
	else if (in_group(user, st->st_gid))
		mode >>= 3;
	return (mode & want) == want;
}

int vswitch_check_socket(const char *path, const char *user, struct sriov_error *err)
{
	const struct passwd *who;
	_free_ char *copy = NULL;
	const char *dir;
	_close_ int fd = -1;
	struct stat st;

	if (strlen(path) >= SRIOV_SOCKET_LEN) {
		sriov_error_set(err, -ENAMETOOLONG, "socket",
				"its path has %zu bytes, and a unix socket's has at most %d: %s",
				strlen(path), SRIOV_SOCKET_LEN - 1, path);
		return sriov_error_hint(err, "use a shorter directory or guest name");
	}
	if (path[0] != '/')
		return sriov_error_set(err, -EINVAL, path, "the path of a socket begins with /");
	copy = strdup(path);
	if (!copy)
		return core_oom(err);
	dir = dirname(copy);
	fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0) {
		core_errno(err, -errno, dir, "QEMU cannot make a socket in this directory");
		return sriov_error_hint(err, "make it, for the user that QEMU runs as");
	}
	who = find_user(user);
	if (!who && user)
		return sriov_error_set(err, -EINVAL, user, "there is no such user");
	if (who && !can_make(&st, who)) {
		sriov_error_set(
			err, -EACCES, dir,
			"QEMU runs as %s here, which cannot make a socket in this directory",
			who->pw_name);
		return sriov_error_hint(err, "install -d -o %s -m 0755 %s", who->pw_name, dir);
	}
	return 0;
}

int vswitch_make_sockets(const char *directory, const char *user, struct sriov_error *err)
{
	const struct passwd *who = find_user(user);
	int r;

	if (!access(directory, F_OK))
		return 0;
	r = core_make_dirs(directory, 0755);
	if (!r && who && lchown(directory, who->pw_uid, who->pw_gid) < 0)
		r = -errno;
	return r ? core_errno(err, r, directory, "the directory for QEMU's sockets cannot be made")
		 : 0;
}
