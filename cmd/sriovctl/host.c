/* SPDX-License-Identifier: Apache-2.0 */
/* sriovctl host: show, snapshot. */
#include "cmd/sriovctl/args.h"
#include "cmd/sriovctl/out.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void print_node(const struct sriov_node *node)
{
	bool any = false;

	printf("node %d: CPUs %s, %.1f GiB", node->id, *node->cpus ? node->cpus : "none",
	       node->memory_mib / 1024.0);
	for (size_t i = 0; i < node->nhuge; i++) {
		const struct sriov_hugepages *huge = &node->huge[i];
		bool gib = huge->size_kib >= 1 << 20;

		if (!huge->total)
			continue;
		any = true;
		printf(", %lu hugepages of %u %s (%lu free)", huge->total,
		       huge->size_kib >> (gib ? 20 : 10), gib ? "GiB" : "MiB", huge->free);
	}
	if (!any)
		printf(", no hugepages");
	putchar('\n');
}

static void print_line(const char *title, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void print_line(const char *title, const char *fmt, ...)
{
	va_list ap;

	printf("  %-9s ", title);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

static void print_driver(const struct sriov_pf *pf)
{
	static const char *const origin[] = {
		[SRIOV_UNKNOWN] = "origin unknown",
		[SRIOV_NO] = "not in-tree",
		[SRIOV_YES] = "in-tree",
	};

	print_line("driver", "%s%s%s (%s), firmware %s%s", *pf->driver ? pf->driver : "none",
		   *pf->driver_version ? " " : "", pf->driver_version, origin[pf->in_tree],
		   *pf->firmware ? pf->firmware : "unknown",
		   !*pf->driver || sriov_driver_find(pf->driver)
			   ? ""
			   : "; not a driver that sriovctl knows");
}

static void print_link(const struct sriov_pf *pf)
{
	char speed[32] = "speed unknown";

	if (pf->speed_mbps)
		snprintf(speed, sizeof(speed), "%u Mbit/s", pf->speed_mbps);
	if (!*pf->netdev)
		print_line("link", "no netdev");
	else if (!pf->up)
		print_line("link", "down (switched off), MTU %u", pf->mtu);
	else if (!pf->carrier)
		print_line("link", "up, but no carrier, MTU %u", pf->mtu);
	else
		print_line("link", "up, %s, MTU %u", speed, pf->mtu);
}

static void print_queues(const struct sriov_pf *pf)
{
	static const char *const ntuple[] = {
		[SRIOV_NTUPLE_UNKNOWN] = "unknown",
		[SRIOV_NTUPLE_OFF] = "off",
		[SRIOV_NTUPLE_ON] = "on",
		[SRIOV_NTUPLE_OFF_FIXED] = "off, and the driver cannot switch it on",
	};
	char table[48] = "";

	if (pf->rules_max)
		snprintf(table, sizeof(table), " of %u", pf->rules_max);
	if (pf->queues)
		print_line("queues", "%u", pf->queues);
	else
		print_line("queues", "unknown");
	print_line("ntuple", "%s, %zu%s rules", ntuple[pf->ntuple], pf->nrules, table);
}

static int print_pf(const struct sriov_pf *pf, bool iommu, struct sriov_error *err)
{
	_free_ char *uses = show_uses(&pf->uses, true);
	char name[64], mac[SRIOV_MAC_LEN], perm[SRIOV_MAC_LEN];

	printf("\n%s: %s\n", show_pf(pf, name), pf->name);
	print_driver(pf);
	print_line("MAC", "%s, permanent %s",
		   sriov_mac_is_zero(pf->mac) ? "unknown" : sriov_mac_format(pf->mac, mac),
		   sriov_mac_is_zero(pf->perm_mac) ? "unknown"
						   : sriov_mac_format(pf->perm_mac, perm));
	if (pf->node >= 0)
		print_line("node", "%d", pf->node);
	else
		print_line("node", "unknown: the firmware does not say");
	if (pf->iommu_group >= 0)
		print_line("IOMMU", "group %d", pf->iommu_group);
	else
		print_line("IOMMU", "no group%s", iommu ? "" : ": the IOMMU is off");
	print_link(pf);
	print_queues(pf);
	print_line("host use", "%s", !uses ? "?" : *uses ? uses : "none");
	print_line("VFs", "%u of %u, %s", pf->vfs, pf->vfs_total,
		   pf->autoprobe ? "a driver binds to new ones by itself"
				 : "no driver binds to new ones by itself");
	return show_vfs(pf, SHOW_HOST, 4, err);
}

int cmd_host_show(const struct args *args, struct sriov_host *host, struct out *out,
		  struct sriov_error *err)
{
	struct sriov_inventory *inv = NULL;
	int r = sriov_inventory_read(host, args->pos[0], SRIOV_READ_ALL, &inv, err);

	if (r < 0)
		return r;
	if (out->doc) {
		r = out_inventory(out, inv, err);
	} else {
		printf("%s: kernel %s, IOMMU %s\n", *inv->hostname ? inv->hostname : "host",
		       *inv->kernel ? inv->kernel : "unknown", inv->iommu ? "on" : "off");
		for (size_t i = 0; i < inv->nnodes; i++)
			print_node(&inv->node[i]);
		if (!inv->npfs)
			puts(NO_PF);
	}
	for (size_t i = 0; !out->doc && !r && i < inv->npfs; i++)
		r = print_pf(&inv->pf[i], inv->iommu, err);
	sriov_inventory_free(inv);
	return r;
}

/*
 * A new file is claimed by its empty self first, so that nothing that appears meanwhile is overwritten;
 * then, as with --force, the whole text takes its place at once.
 */
static int write_snapshot(const char *file, const char *text, bool force, struct sriov_error *err)
{
	bool claimed = false;
	int r;

	if (!force) {
		_close_ int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

		if (fd < 0 && errno == EEXIST) {
			sriov_error_set(err, -EEXIST, file, "exists already");
			return sriov_error_hint(err, "another name, or --force to replace it");
		}
		if (fd < 0)
			return core_errno(err, -errno, file, "cannot be written");
		claimed = true;
	}
	r = core_replace_file(AT_FDCWD, file, text, strlen(text), 0644);
	if (r < 0 && claimed)
		unlink(file);
	return r < 0 ? core_errno(err, r, file, "cannot be written") : 0;
}

int cmd_host_snapshot(const struct args *args, struct sriov_host *host, struct out *out,
		      struct sriov_error *err)
{
	const char *file = args->npos ? args->pos[0] : "-";
	struct sriov_inventory *inv = NULL;
	_free_ char *text = NULL;
	/* with what `flow trace` wants to know, so that a snapshot can be traced */
	int r = sriov_inventory_read(
		host, NULL, SRIOV_READ_ALL | SRIOV_READ_RSS | SRIOV_READ_PATH | SRIOV_READ_CPUS,
		&inv, err);

	if (r < 0)
		return r;
	r = sriov_inventory_json(inv, &text, err);
	sriov_inventory_free(inv);
	if (r < 0)
		return r;
	if (strcmp(file, "-")) {
		r = write_snapshot(file, text, args->run.force, err);
		if (r < 0)
			return r;
		if (out->doc)
			return out_add(out, "file", out_text(file), err);
		printf("%s: snapshot written; try: sriovctl --host %s vf list\n", file, file);
		return 0;
	}
	puts(text);
	return 0;
}
