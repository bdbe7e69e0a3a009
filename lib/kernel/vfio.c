/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who has a VF (or a PF) open through vfio: the process with an open descriptor of /dev/vfio/<group>, or
 * of the device's own /dev/vfio/devices/vfioN (Linux 6.6). One look at every process's descriptors
 * answers for all devices, and nobody looks if no device is bound to vfio-pci.
 */
#include "lib/host/host.h"
#include "lib/kernel/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

/* A device that user space may hold. */
struct target {
	char name[2][24]; /* ends of paths: "/vfio/12", "/devices/vfio3"; "" if it has none */
	struct sriov_uses *uses;
};

struct scan {
	struct target *target;
	size_t ntargets;
	const char *pid;
	unsigned unreadable;
};

static int first_cdev(int dir, const char *name, void *data)
{
	if (strncmp(name, "vfio", 4))
		return 0;
	snprintf(data, sizeof(((struct target *)0)->name[0]), "/devices/%.14s", name);
	return 1;
}

static int add_target(struct scan *scan, int sys, const char *address, const char *driver,
		      int group, struct sriov_uses *uses)
{
	struct target *target;
	char path[80];

	if (strcmp(driver, "vfio-pci"))
		return 0;
	target = core_grow(&scan->target, &scan->ntargets, sizeof(*target));
	if (!target)
		return -ENOMEM;
	target->uses = uses;
	if (group >= 0)
		snprintf(target->name[0], sizeof(target->name[0]), "/vfio/%d", group);
	snprintf(path, sizeof(path), "bus/pci/devices/%s/vfio-dev", address);
	sysfs_each(sys, path, first_cdev, target->name[1]);
	return 0;
}

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), tail = strlen(end);

	return tail && length >= tail && !strcmp(text + length - tail, end);
}

/*
 * QEMU's -name is "NAME", "NAME,debug-threads=on" or "guest=NAME,…", with a comma in the name doubled
 * (qemu-options, "-name"; libvirt always writes guest=).
 */
static int copy_name(const char *value, char *out, size_t size)
{
	size_t n = 0;

	if (!strncmp(value, "guest=", 6))
		value += 6;
	for (; *value && n + 1 < size; value++) {
		if (*value == ',' && *++value != ',')
			break;
		out[n++] = *value;
	}
	out[n] = '\0';
	return n ? 0 : -ENOENT;
}

int vfio_guest_name(const char *cmdline, size_t len, char *out, size_t size)
{
	const char *end = cmdline + len;
	char name[SRIOV_NAME_LEN], value[2 * SRIOV_NAME_LEN + 8];
	bool next = false;

	for (const char *arg = cmdline; arg < end; arg += strnlen(arg, end - arg) + 1) {
		size_t n = strnlen(arg, end - arg);

		if (next) {
			snprintf(value, sizeof(value), "%.*s", (int)n, arg);
			if (copy_name(value, name, sizeof(name)) < 0)
				return -ENOENT;
			core_copy(out, size, name);
			return 0;
		}
		next = (n == 5 && !memcmp(arg, "-name", 5)) ||
		       (n == 6 && !memcmp(arg, "--name", 6));
	}
	return -ENOENT;
}

/* "guest web1 (running)", or the process if it is not a guest's. */
static void name_process(int proc, const char *pid, char *who, size_t size)
{
	char path[48], comm[24] = "?", guest[SRIOV_NAME_LEN];
	_free_ char *cmdline = NULL;
	size_t len;

	snprintf(path, sizeof(path), "%.10s/cmdline", pid);
	if (!core_read_file(proc, path, 1 << 20, &cmdline, &len) &&
	    !vfio_guest_name(cmdline, len, guest, sizeof(guest))) {
		snprintf(who, size, "guest %s (running)", guest);
		return;
	}
	snprintf(path, sizeof(path), "%.10s/comm", pid);
	core_read_line(proc, path, comm, sizeof(comm));
	snprintf(who, size, "process %s (%s)", pid, comm);
}

/* One process may have both a group and a device open: that is one use. */
static bool known(const struct sriov_uses *uses, const char *who)
{
	for (size_t i = 0; i < uses->n; i++)
		if (!strcmp(uses->at[i].who, who))
			return true;
	return false;
}

struct process {
	struct scan *scan;
	int proc;
	char who[SRIOV_NAME_LEN * 2]; /* "" until a descriptor matched */
};

static int look_at_fd(int dir, const char *name, void *data)
{
	struct process *process = data;
	struct scan *scan = process->scan;
	char path[64];
	ssize_t len = readlinkat(dir, name, path, sizeof(path) - 1);

	if (len < 0) {
		scan->unreadable += errno == EACCES || errno == EPERM; /* else closed meanwhile */
		return 0;
	}
	path[len] = '\0';
	if (strncmp(path, "/dev/vfio/", 10))
		return 0;
	for (size_t i = 0; i < scan->ntargets; i++) {
		struct target *target = &scan->target[i];

		if (!ends_with(path, target->name[0]) && !ends_with(path, target->name[1]))
			continue;
		if (!process->who[0])
			name_process(process->proc, scan->pid, process->who, sizeof(process->who));
		if (known(target->uses, process->who))
			continue;
		if (!uses_add(target->uses, true, process->who, "%s is open in process %s", path,
			      scan->pid))
			return -ENOMEM;
	}
	return 0;
}

static int look_at_process(int dir, const char *name, void *data)
{
	struct scan *scan = data;
	struct process process = {.scan = scan, .proc = dir};
	char path[32];
	uint64_t pid;
	int r;

	if (core_number(name, 1, INT32_MAX, &pid) < 0)
		return 0;
	scan->pid = name;
	snprintf(path, sizeof(path), "%.10s/fd", name);
	r = sysfs_each(dir, path, look_at_fd, &process);
	if (r == -EACCES || r == -EPERM)
		scan->unreadable++;
	/* everything else means that the process has gone */
	return r == -ENOMEM ? r : 0;
}

/* With hidepid, processes of others are not even listed; init is always there to try. */
static bool hides_processes(int proc)
{
	return faccessat(proc, "1/fd", R_OK | X_OK, 0) < 0;
}

static int scan_all(struct scan *scan, int proc)
{
	int r = sysfs_each(proc, ".", look_at_process, scan);

	if (r < 0 || (!scan->unreadable && !hides_processes(proc)))
		return r;
	for (size_t i = 0; i < scan->ntargets; i++) {
		struct sriov_use *use = uses_add(
			scan->target[i].uses, false, "unknown process",
			"bound to vfio-pci, and who has it open cannot be read without root");

		if (!use)
			return -ENOMEM;
		use->unreadable = true;
	}
	return 0;
}

int vfio_users(int sys, int proc, struct sriov_inventory *inv, struct sriov_error *err)
{
	struct scan scan = {0};
	int r = 0;

	for (size_t i = 0; i < inv->npfs && !r; i++) {
		struct sriov_pf *pf = &inv->pf[i];

		r = add_target(&scan, sys, pf->address, pf->driver, pf->iommu_group, &pf->uses);
		for (size_t k = 0; k < (pf->vf ? pf->vfs : 0) && !r; k++)
			r = add_target(&scan, sys, pf->vf[k].address, pf->vf[k].driver,
				       pf->vf[k].iommu_group, &pf->vf[k].uses);
	}
	if (!r && scan.ntargets)
		r = scan_all(&scan, proc);
	free(scan.target);
	if (r == -ENOMEM)
		return core_oom(err);
	return r < 0 ? core_errno(err, r, "/proc", "cannot list the processes") : 0;
}
