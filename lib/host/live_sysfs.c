/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The live host's effects by sysfs: VF count, driver binding. Whatever takes a device lock (PF or VF) can
 * hang, also a mere read of driver_override (drivers/pci/pci-sysfs.c), and goes through the supervised
 * child. What the kernel's answer does not prove is read back.
 */
#include "lib/host/live.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* For accesses that are quick unless the device is stuck already. */
#define QUICK_MS 5000

/* What an errno of a sysfs file means; drivers/pci/iov.c, drivers/base/dd.c and the Intel drivers. */
struct meaning {
	int code;
	const char *means;
};

static int explain(struct sriov_error *err, int code, const struct meaning *meanings)
{
	/* the supervisor says more where the kernel did not answer */
	if (!code || code == -ETIMEDOUT || code == -EACCES)
		return code;
	for (; meanings->code; meanings++)
		if (meanings->code == code)
			sriov_error_hint(err, "%s", meanings->means);
	return code;
}

static const struct meaning numvfs_meanings[] = {
	{-EBUSY, "there are VFs already: the kernel changes their number only through 0"},
	{-ERANGE, "that is more than sriov_totalvfs"},
	{-EPERM,
	 "the driver's own limit (ixgbe: fewer VFs with DCB traffic classes or macvlan offload), "
	 "or VFs are held by a guest; the kernel log says which: dmesg | tail"},
	{-ENOENT, "no driver with SR-IOV is bound to the PF: load the NIC's driver"},
	{-ENOMEM,
	 "the firmware gave the slot too little MMIO space or too few bus numbers for the VFs: "
	 "enable SR-IOV and 'above 4G decoding' in the firmware setup, or boot with "
	 "pci=realloc"},
	{-ENOSPC,
	 "the NIC has not enough resources (queues, interrupts) for so many VFs: create fewer"},
	{-EINVAL,
	 "the driver refuses VFs now (an XDP program is loaded, or a reset runs); the kernel log "
	 "says why: dmesg | tail"},
	{-EAGAIN, "the driver is in reset: try again"},
	{0},
};

static const struct meaning bind_meanings[] = {
	{-ENODEV, "the device is not bound to that driver, or has gone: look again"},
	{-EINVAL,
	 "the driver refuses the device: vfio-pci wants an IOMMU and every device of its IOMMU "
	 "group away from host drivers; the kernel log says why: dmesg | tail"},
	{-ENOENT, "the driver's module is not loaded: modprobe it"},
	{0},
};

/*
 * The child that accesses sysfs for @pf. A PF whose device lock hangs keeps its own, which refuses
 * everything; the others go on with a fresh one.
 */
static struct supervisor **supervisor_of(struct live *live, const struct sriov_pf *pf)
{
	for (size_t i = 0; i < live->nstuck; i++)
		if (!strcmp(live->stuck[i].address, pf->address))
			return &live->stuck[i].supervisor;
	return &live->supervisor;
}

static int after_access(struct live *live, const struct sriov_pf *pf, int r)
{
	struct live_stuck *stuck = &live->stuck[live->nstuck];

	/* with no room to remember another one, the stuck child stays, and refuses everybody */
	if (r != -ETIMEDOUT || supervisor_of(live, pf) != &live->supervisor ||
	    live->nstuck == ARRAY_SIZE(live->stuck))
		return r;
	core_copy(stuck->address, sizeof(stuck->address), pf->address);
	stuck->supervisor = core_steal(live->supervisor);
	live->nstuck++;
	return r;
}

static struct supervised access_to(const struct sriov_host *host, const struct sriov_pf *pf,
				   const char *path, int64_t deadline_ms)
{
	const struct live *live = host->priv;
	size_t lock = 0;

	/* of other PFs that are locked too, none shall wait for this one */
	while (lock < host->nlocks && strcmp(host->lock_of[lock], pf->address) != 0)
		lock++;
	return (struct supervised){
		.dir = live->sys,
		.path = path,
		.object = live_object(pf),
		.deadline_ms = deadline_ms,
		.lock_fd = &host->lock_fd[lock],
		.nlocks = lock < host->nlocks,
	};
}

static int write_slow(struct sriov_host *host, const struct sriov_pf *pf, const char *path,
		      const char *text, int64_t deadline_ms, struct sriov_error *err)
{
	struct supervised what = access_to(host, pf, path, deadline_ms);
	struct live *live = host->priv;

	if (deadline_ms == HOST_AT_ONCE) {
		int r = core_write_file(live->sys, path, text);

		return r ? core_errno(err, r, live_object(pf), "cannot write '%.32s' to %s", text,
				      path)
			 : 0;
	}
	return after_access(live, pf, supervise_write(supervisor_of(live, pf), &what, text, err));
}

int live_numvfs(struct sriov_host *host, const struct sriov_pf *pf, unsigned n, int64_t deadline_ms,
		struct sriov_error *err)
{
	char path[96], text[16];

	snprintf(path, sizeof(path), "bus/pci/devices/%s/sriov_numvfs", pf->address);
	snprintf(text, sizeof(text), "%u", n);
	return explain(err, write_slow(host, pf, path, text, deadline_ms, err), numvfs_meanings);
}

int live_autoprobe(struct sriov_host *host, const struct sriov_pf *pf, bool on,
		   struct sriov_error *err)
{
	char path[96];
	int r;

	/* takes no device lock (drivers/pci/iov.c), so it cannot hang */
	snprintf(path, sizeof(path), "bus/pci/devices/%s/sriov_drivers_autoprobe", pf->address);
	r = core_write_file(((struct live *)host->priv)->sys, path, on ? "1" : "0");
	if (r < 0) {
		core_errno(err, r, live_object(pf), "cannot switch the probing of new VFs %s",
			   on ? "on" : "off");
		if (r == -EACCES)
			sriov_error_hint(err, "run it as root");
	}
	return r;
}

int live_read_override(struct sriov_host *host, const struct sriov_pf *pf, const char *address,
		       char out[32], struct sriov_error *err)
{
	struct live *live = host->priv;
	struct supervised what;
	char path[96];
	int r;

	snprintf(path, sizeof(path), "bus/pci/devices/%s/driver_override", address);
	what = access_to(host, pf, path, core_monotonic_ms() + QUICK_MS);
	r = supervise_read(supervisor_of(live, pf), &what, out, 32, err);
	/* that is what the kernel prints when it is not set */
	if (!r && !strcmp(out, "(null)"))
		out[0] = '\0';
	return after_access(live, pf, r);
}

int live_override(struct sriov_host *host, const struct sriov_pf *pf, const char *address,
		  const char *driver, int64_t deadline_ms, struct sriov_error *err)
{
	char path[96], text[48];

	snprintf(path, sizeof(path), "bus/pci/devices/%s/driver_override", address);
	/* an empty line clears it; an empty write would not reach the kernel's handler */
	snprintf(text, sizeof(text), "%s\n", driver);
	return explain(err, write_slow(host, pf, path, text, deadline_ms, err), bind_meanings);
}

/* The driver that a device is bound to, "" if none. */
static void read_driver(struct sriov_host *host, const char *address, char out[32])
{
	char path[96];

	snprintf(path, sizeof(path), "bus/pci/devices/%s/driver", address);
	if (core_read_link_base(((struct live *)host->priv)->sys, path, out, 32) < 0)
		out[0] = '\0';
}

int live_unbind(struct sriov_host *host, const struct sriov_pf *pf, const char *address,
		int64_t deadline_ms, struct sriov_error *err)
{
	char path[96], driver[32];
	int r;

	read_driver(host, address, driver);
	if (!driver[0])
		return 0;
	snprintf(path, sizeof(path), "bus/pci/devices/%s/driver/unbind", address);
	r = write_slow(host, pf, path, address, deadline_ms, err);
	if (r < 0)
		return explain(err, r, bind_meanings);
	read_driver(host, address, driver);
	if (driver[0])
		return sriov_error_set(err, -EIO, address, "it was unbound, but %s still has it",
				       driver);
	return 0;
}

int live_probe(struct sriov_host *host, const struct sriov_pf *pf, const char *address,
	       int64_t deadline_ms, struct sriov_error *err)
{
	char driver[32];
	int r = write_slow(host, pf, "bus/pci/drivers_probe", address, deadline_ms, err);

	if (r < 0)
		return explain(err, r, bind_meanings);
	/* drivers_probe answers ok when no driver takes the device */
	read_driver(host, address, driver);
	if (driver[0])
		return 0;
	sriov_error_set(err, -ENODEV, address, "no driver took the device");
	sriov_error_hint(err,
			 "the driver's module is not loaded, or it refused the device (dmesg | "
			 "tail), or sriov_drivers_autoprobe of %s is 0 and no driver_override "
			 "is set",
			 pf->address);
	return -ENODEV;
}
