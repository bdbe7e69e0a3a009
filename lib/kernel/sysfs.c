/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PFs and VFs as sysfs shows them. A PF is a network device with a sriov_totalvfs file; its VFs are its
 * virtfnN links. Nothing here takes a device lock (drivers/pci/pci-sysfs.c and iov.c: sriov_numvfs and
 * driver_override do), so nothing here hangs while a device is stuck.
 */
#include "lib/kernel/kernel.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define DEVICES "bus/pci/devices"
#define CLASS_NETWORK 0x02

int sysfs_each(int dir, const char *path, sysfs_entry fn, void *data)
{
	int fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *entry;
	DIR *stream;
	int r = 0;

	if (fd < 0)
		return -errno;
	stream = fdopendir(fd);
	if (!stream) {
		r = -errno;
		close(fd);
		return r;
	}
	while (!r && (errno = 0, entry = readdir(stream)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			r = fn(fd, entry->d_name, data);
	if (!r && errno)
		r = -errno;
	closedir(stream);
	return r;
}

static int open_device(int sys, const char *address)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), DEVICES "/%s", address);
	fd = openat(sys, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static bool is_network(int device)
{
	int64_t class;

	return !core_read_number(device, "class", &class) && class >> 16 == CLASS_NETWORK;
}

static bool has_sriov(int device)
{
	return !faccessat(device, "sriov_totalvfs", F_OK, 0);
}

/* The list of PFs while it is made. */
struct addresses {
	char (*at)[SRIOV_PCI_LEN];
	size_t n;
};

static int add_pf(int dir, const char *name, void *data)
{
	_close_ int device = openat(dir, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct addresses *list = data;
	char *added;

	if (device < 0 || strlen(name) >= SRIOV_PCI_LEN || !has_sriov(device) ||
	    !is_network(device))
		return 0;
	added = core_grow(&list->at, &list->n, sizeof(*list->at));
	if (!added)
		return -ENOMEM;
	core_copy(added, sizeof(*list->at), name);
	return 0;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

int sysfs_list(int sys, char (**out)[SRIOV_PCI_LEN], size_t *n, struct sriov_error *err)
{
	struct addresses list = {0};
	int r = sysfs_each(sys, DEVICES, add_pf, &list);

	/* a machine without PCI has no PF */
	if (r < 0 && r != -ENOENT) {
		free(list.at);
		return core_errno(err, r, "sysfs", "cannot list the PCI devices in " DEVICES);
	}
	if (list.n)
		qsort(list.at, list.n, sizeof(*list.at), by_text);
	*out = list.at;
	*n = list.n;
	return 0;
}

static int first_name(int dir, const char *name, void *data)
{
	core_copy(data, sizeof(((struct sriov_pf *)0)->netdev), name);
	return 1;
}

/*
 * The netdev of a device: 1 and its name; 0 if it is in another network namespace: the device has its
 * net folder, but entries of other namespaces are not shown; -ENOENT if it has no netdev at all.
 */
static int read_netdev(int device, const char *path, char name[16])
{
	return sysfs_each(device, path, first_name, name);
}

/* "eth2 (0000:81:00.0), …": what the user could have meant. */
static void hint_pfs(int sys, struct sriov_error *err)
{
	_free_ char(*list)[SRIOV_PCI_LEN] = NULL;
	char text[400] = "";
	size_t n = 0, at = 0;

	if (!err || sysfs_list(sys, &list, &n, NULL) < 0)
		return;
	for (size_t i = 0; i < n && at < sizeof(text); i++) {
		_close_ int device = open_device(sys, list[i]);
		char netdev[16] = "";

		if (device >= 0)
			read_netdev(device, "net", netdev);
		at += snprintf(text + at, sizeof(text) - at, "%s%s%s%s%s", i ? ", " : "", netdev,
			       netdev[0] ? " (" : "", list[i], netdev[0] ? ")" : "");
	}
	if (n)
		sriov_error_hint(err, "PFs of this host: %s", text);
	else
		sriov_error_hint(err,
				 "this host has no network device with SR-IOV: is SR-IOV on in the "
				 "firmware setup, and the NIC's driver loaded?");
}

static int no_pf(int sys, struct sriov_error *err, int code)
{
	hint_pfs(sys, err);
	return code;
}

/* The PCI address behind a netdev's name. */
static int resolve_netdev(int sys, const char *name, char out[SRIOV_PCI_LEN],
			  struct sriov_error *err)
{
	char path[64], device[64], address[SRIOV_PCI_LEN];

	if (!name[0] || strlen(name) >= 16 || strchr(name, '/') || name[0] == '.')
		goto none;
	snprintf(path, sizeof(path), "class/net/%s", name);
	if (faccessat(sys, path, F_OK, 0) < 0)
		goto none;
	snprintf(path, sizeof(path), "class/net/%s/device", name);
	if (core_read_link_base(sys, path, device, sizeof(device)) < 0 ||
	    sriov_pci_parse(device, address) < 0) {
		sriov_error_set(err, -ENOTSUP, name,
				"it is not a PCI network device, so it has no VFs");
		return no_pf(sys, err, -ENOTSUP);
	}
	memcpy(out, address, sizeof(address));
	return 0;
none:
	sriov_error_set(err, -ENODEV, name, "no such network device or PCI address");
	return no_pf(sys, err, -ENODEV);
}

/* Says what @address is, if it is no PF. */
static int check_pf(int sys, int device, const char *name, const char *address,
		    struct sriov_error *err)
{
	char physfn[SRIOV_PCI_LEN], netdev[16] = "";

	if (!core_read_link_base(device, "physfn", physfn, sizeof(physfn))) {
		_close_ int pf = open_device(sys, physfn);

		if (pf >= 0)
			read_netdev(pf, "net", netdev);
		sriov_error_set(err, -ENOTSUP, name, "%s is a VF of PF %s%s%s%s", address, physfn,
				netdev[0] ? " (" : "", netdev, netdev[0] ? ")" : "");
		sriov_error_hint(err, "name the PF: %s", netdev[0] ? netdev : physfn);
		return -ENOTSUP;
	}
	if (!is_network(device))
		sriov_error_set(err, -ENOTSUP, name, "PCI device %s is not a network device",
				address);
	else if (!has_sriov(device))
		sriov_error_set(err, -ENOTSUP, name, "PCI device %s has no SR-IOV", address);
	else
		return 0;
	return no_pf(sys, err, -ENOTSUP);
}

int sysfs_find(int sys, const char *name, char out[SRIOV_PCI_LEN], struct sriov_error *err)
{
	_close_ int device = -1;
	char address[SRIOV_PCI_LEN];
	int r;

	if (sriov_pci_parse(name, address) < 0) {
		r = resolve_netdev(sys, name, address, err);
		if (r < 0)
			return r;
	}
	device = open_device(sys, address);
	if (device < 0) {
		sriov_error_set(err, -ENODEV, name, "no PCI device has the address %s", address);
		return no_pf(sys, err, -ENODEV);
	}
	r = check_pf(sys, device, name, address, err);
	if (r < 0)
		return r;
	memcpy(out, address, sizeof(address));
	return 0;
}

/* The kernel marks a module that was not built with it by an 'O' (kernel/module: TAINT_OOT_MODULE). */
static enum sriov_tristate read_in_tree(int sys, const char *driver)
{
	char path[64], taint[32];

	snprintf(path, sizeof(path), "module/%s/taint", driver);
	if (!driver[0] || core_read_line(sys, path, taint, sizeof(taint)) < 0)
		return SRIOV_UNKNOWN;
	return strchr(taint, 'O') ? SRIOV_NO : SRIOV_YES;
}

static int64_t read_or(int dir, const char *name, int64_t fallback)
{
	int64_t value;

	return core_read_number(dir, name, &value) < 0 ? fallback : value;
}

static int read_group(int dir, const char *path)
{
	uint64_t group;
	char base[16];

	if (core_read_link_base(dir, path, base, sizeof(base)) < 0 ||
	    core_number(base, 0, INT32_MAX, &group) < 0)
		return -1;
	return group;
}

/* Digits alone: the index of a virtfnN, or -1. */
static int virtfn_index(const char *name)
{
	uint64_t index;

	if (strncmp(name, "virtfn", 6) || core_number(name + 6, 0, SRIOV_VF_MAX - 1, &index) < 0)
		return -1;
	return index;
}

static int count_vf(int dir, const char *name, void *data)
{
	*(unsigned *)data += virtfn_index(name) >= 0;
	return 0;
}

int sysfs_count_vfs(int sys, const char *address, unsigned *out)
{
	_close_ int device = open_device(sys, address);
	unsigned count = 0;
	int r = device < 0 ? device : sysfs_each(device, ".", count_vf, &count);

	if (r < 0)
		return r == -ENOENT ? -ENODEV : r;
	*out = count;
	return 0;
}

int sysfs_pf(int sys, const char *address, struct sriov_pf *pf, struct sriov_error *err)
{
	_close_ int device = open_device(sys, address);
	const char *name;
	char path[64];
	int64_t speed;
	int r;

	if (device < 0)
		return core_errno(err, device == -ENOENT ? -ENODEV : device, address,
				  "the PCI device cannot be read");
	core_copy(pf->address, sizeof(pf->address), address);
	r = sysfs_count_vfs(sys, address, &pf->vfs);
	if (r < 0)
		return core_errno(err, r, address, "its VFs cannot be counted");
	pf->vendor = read_or(device, "vendor", 0);
	pf->device = read_or(device, "device", 0);
	name = sriov_device_name(pf->vendor, pf->device);
	if (name)
		core_copy(pf->name, sizeof(pf->name), name);
	else
		snprintf(pf->name, sizeof(pf->name), "%04x:%04x", pf->vendor, pf->device);
	core_read_link_base(device, "driver", pf->driver, sizeof(pf->driver));
	pf->in_tree = read_in_tree(sys, pf->driver);
	pf->node = read_or(device, "numa_node", -1);
	pf->iommu_group = read_group(device, "iommu_group");
	pf->vfs_total = read_or(device, "sriov_totalvfs", 0);
	pf->autoprobe = read_or(device, "sriov_drivers_autoprobe", 1);
	if (read_netdev(device, "net", pf->netdev) <= 0)
		return 0;
	snprintf(path, sizeof(path), "net/%s/ifindex", pf->netdev);
	pf->ifindex = read_or(device, path, 0);
	/* an error while the link is down, -1 where the driver does not know */
	snprintf(path, sizeof(path), "net/%s/speed", pf->netdev);
	speed = read_or(device, path, 0);
	pf->speed_mbps = speed > 0 ? speed : 0;
	return 0;
}

/* Drivers that give a function to user space: no netdev is to be expected. */
static bool is_userspace_driver(const char *driver)
{
	static const char *const names[] = {"vfio-pci", "uio_pci_generic", "igb_uio", "pci-stub",
					    "xen-pciback"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(driver, names[i]))
			return true;
	return false;
}

static void read_vf(int sys, int device, const char *link, struct sriov_vf *vf)
{
	char path[64];
	int r;

	snprintf(path, sizeof(path), "%s/driver", link);
	core_read_link_base(device, path, vf->driver, sizeof(vf->driver));
	snprintf(path, sizeof(path), "%s/iommu_group", link);
	vf->iommu_group = read_group(device, path);
	snprintf(path, sizeof(path), "%s/net", link);
	r = read_netdev(device, path, vf->netdev);
	vf->in_netns = r == 0 && vf->driver[0] && !is_userspace_driver(vf->driver);
	if (r <= 0)
		return;
	snprintf(path, sizeof(path), "class/net/%s/master", vf->netdev);
	core_read_link_base(sys, path, vf->master, sizeof(vf->master));
	snprintf(path, sizeof(path), "class/net/%s/flags", vf->netdev);
	/* IFF_UP; a flags file that has just gone with its netdev counts as up, that is as used */
	vf->netdev_up = read_or(sys, path, 1) & 1;
}

struct vf_list {
	struct sriov_vf *at;
	size_t n;
};

static int add_vf(int dir, const char *name, void *data)
{
	struct vf_list *list = data;
	int index = virtfn_index(name);
	char address[SRIOV_PCI_LEN];
	struct sriov_vf *vf;

	/* a VF that goes away while we look is not there */
	if (index < 0 || core_read_link_base(dir, name, address, sizeof(address)) < 0)
		return 0;
	vf = core_grow(&list->at, &list->n, sizeof(*vf));
	if (!vf)
		return -ENOMEM;
	vf->index = index;
	core_copy(vf->address, sizeof(vf->address), address);
	return 0;
}

static int by_index(const void *a, const void *b)
{
	const struct sriov_vf *x = a, *y = b;

	return (x->index > y->index) - (x->index < y->index);
}

int sysfs_vfs(int sys, struct sriov_pf *pf, struct sriov_error *err)
{
	_close_ int device = open_device(sys, pf->address);
	struct vf_list list = {0};
	int r = device < 0 ? device : sysfs_each(device, ".", add_vf, &list);

	if (r < 0) {
		free(list.at);
		return core_errno(err, r == -ENOENT ? -ENODEV : r, pf->address,
				  "its VFs cannot be listed");
	}
	if (list.n)
		qsort(list.at, list.n, sizeof(*list.at), by_index);
	for (size_t i = 0; i < list.n; i++) {
		char link[24];

		snprintf(link, sizeof(link), "virtfn%u", list.at[i].index);
		read_vf(sys, device, link, &list.at[i]);
	}
	pf->vf = list.at;
	pf->vfs = list.n;
	return 0;
}
