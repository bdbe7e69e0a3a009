/* SPDX-License-Identifier: Apache-2.0 */
/* A file tree in a temporary directory that stands for /sys or /proc, and the answers of a test's skip. */
#ifndef KERNEL_TREE_H
#define KERNEL_TREE_H

#include "lib/core/core.h"

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
/* after what it needs */
#include <cmocka.h>

struct tree {
	char path[64];
	int dir;
};

static inline void tree_make(struct tree *tree)
{
	strcpy(tree->path, "/tmp/sriov-tree-XXXXXX");
	assert_non_null(mkdtemp(tree->path));
	tree->dir = open(tree->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(tree->dir >= 0);
}

static inline int tree_unlink(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	return remove(path);
}

static inline void tree_remove(struct tree *tree)
{
	close(tree->dir);
	nftw(tree->path, tree_unlink, 16, FTW_DEPTH | FTW_PHYS);
}

static inline void tree_path(const struct tree *tree, char *full, size_t size, const char *path)
{
	char *slash;

	assert_true(snprintf(full, size, "%s/%s", tree->path, path) < (int)size);
	slash = strrchr(full, '/');
	*slash = '\0';
	assert_int_equal(core_make_dirs(full, 0755), 0);
	*slash = '/';
}

static inline void tree_file(const struct tree *tree, const char *path, const char *text)
{
	char full[PATH_MAX];
	FILE *file;

	tree_path(tree, full, sizeof(full), path);
	file = fopen(full, "we");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static inline void tree_folder(const struct tree *tree, const char *path)
{
	char full[PATH_MAX];

	tree_path(tree, full, sizeof(full), path);
	assert_int_equal(core_make_dirs(full, 0755), 0);
}

/* The target is relative to the link, or dangling: what a link is called by is its last component. */
static inline void tree_link(const struct tree *tree, const char *path, const char *target)
{
	char full[PATH_MAX];

	tree_path(tree, full, sizeof(full), path);
	assert_int_equal(symlink(target, full), 0);
}

/* A network PF with its driver's module, and its netdev unless that is NULL. */
static inline void tree_pf(const struct tree *tree, const char *address, const char *netdev,
			   const char *driver)
{
	static const struct {
		const char *name, *text;
	} files[] = {
		{"class", "0x020000\n"},
		{"vendor", "0x8086\n"},
		{"device", "0x10fb\n"},
		{"numa_node", "1\n"},
		{"sriov_totalvfs", "63\n"},
		{"sriov_drivers_autoprobe", "0\n"},
		{"sriov_numvfs", "must not be read"},
	};
	char path[256], target[256];

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), "bus/pci/devices/%s/%s", address, files[i].name);
		tree_file(tree, path, files[i].text);
	}
	snprintf(path, sizeof(path), "bus/pci/devices/%s/driver", address);
	snprintf(target, sizeof(target), "../../../../bus/pci/drivers/%s", driver);
	tree_link(tree, path, target);
	snprintf(path, sizeof(path), "bus/pci/devices/%s/iommu_group", address);
	tree_link(tree, path, "../../../../kernel/iommu_groups/40");
	if (!netdev)
		return;
	snprintf(path, sizeof(path), "bus/pci/devices/%s/net/%s/speed", address, netdev);
	tree_file(tree, path, "10000\n");
	snprintf(path, sizeof(path), "class/net/%s/device", netdev);
	snprintf(target, sizeof(target), "../../../bus/pci/devices/%s", address);
	tree_link(tree, path, target);
}

static inline void tree_vf(const struct tree *tree, const char *pf, unsigned index,
			   const char *address, const char *driver, const char *netdev)
{
	char path[256], target[256];

	snprintf(path, sizeof(path), "bus/pci/devices/%s/virtfn%u", pf, index);
	snprintf(target, sizeof(target), "../%s", address);
	tree_link(tree, path, target);
	snprintf(path, sizeof(path), "bus/pci/devices/%s/physfn", address);
	snprintf(target, sizeof(target), "../%s", pf);
	tree_link(tree, path, target);
	snprintf(path, sizeof(path), "bus/pci/devices/%s/class", address);
	tree_file(tree, path, "0x020000\n");
	snprintf(path, sizeof(path), "bus/pci/devices/%s/driver_override", address);
	tree_file(tree, path, "(null)\n");
	snprintf(path, sizeof(path), "bus/pci/devices/%s/iommu_group", address);
	snprintf(target, sizeof(target), "../../../../kernel/iommu_groups/%u", 50 + index);
	tree_link(tree, path, target);
	if (driver) {
		snprintf(path, sizeof(path), "bus/pci/devices/%s/driver", address);
		snprintf(target, sizeof(target), "../../../../bus/pci/drivers/%s", driver);
		tree_link(tree, path, target);
	}
	if (netdev) {
		snprintf(path, sizeof(path), "bus/pci/devices/%s/net/%s", address, netdev);
		tree_folder(tree, path);
		snprintf(path, sizeof(path), "class/net/%s/flags", netdev);
		tree_file(tree, path, "0x1002\n");
	}
}

#endif
