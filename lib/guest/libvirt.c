/* SPDX-License-Identifier: Apache-2.0 */
/* libvirt at run time: loading, connecting, and what its errors mean to us. */
#include "lib/guest/libvirt.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* A daemon that says nothing for this long while it is asked is gone. */
#define KEEPALIVE_SECONDS 5
#define KEEPALIVE_COUNT 5

/* By default libvirt writes every error to standard error. */
static void say_nothing(void *data, virErrorPtr error)
{
}

static struct libvirt lib;

static int set_up(struct sriov_error *err)
{
	if (lib.virInitialize() < 0)
		return sriov_error_set(err, -EIO, "libvirt", "the library cannot be set up");
	lib.virSetErrorFunc(NULL, say_nothing);
	/* before any connection is opened, or its events go nowhere */
	if (lib.virEventRegisterDefaultImpl() < 0)
		return sriov_error_set(err, -EIO, "libvirt", "its event loop cannot be set up");
	return 0;
}

int libvirt_load(const struct libvirt **out, struct sriov_error *err)
{
	static const struct core_symbol symbols[] = {
#define X(symbol) {#symbol, offsetof(struct libvirt, symbol)},
		LIBVIRT_SYMBOLS(X)
#undef X
	};
	static struct core_library libvirt = {
		"libvirt",           "libvirt.so.0", "guests cannot be changed",
		"libvirt0",          "9.0",          symbols,
		ARRAY_SIZE(symbols), &lib,           set_up};
	int r = core_library_load(&libvirt, err);

	if (!r)
		*out = &lib;
	return r;
}

#define LATER                                                                                      \
	"it may have been done or not: look at the guest, then run the command again; it goes on " \
	"from what it finds"

/*
 * What an error means to us, the first row that fits: libvirt has few codes and says the rest in words, which are
 * those of src/ in 9.0 to 11.3. A daemon that speaks another language falls through to its code.
 */
static const struct {
	int code, domain;  /* 0 = any */
	const char *words; /* NULL = any */
	int becomes;
	const char *hint;
} meanings[] = {
	/* reaching it */
	{0, VIR_FROM_RPC, "Permission denied", -EACCES,
	 "run as root, or as a member of the group libvirt"},
	{0, VIR_FROM_RPC, "Failed to connect socket", -ECONNREFUSED,
	 "start the daemon (systemctl start libvirtd, or virtqemud), or name another with --uri"},
	{VIR_ERR_NO_CONNECT, 0, NULL, -ECONNREFUSED,
	 "--uri takes what virsh -c takes: qemu:///system"},
	{0, 0, "no connection driver available", -ECONNREFUSED,
	 "--uri takes what virsh -c takes: qemu:///system"},
	{VIR_ERR_AUTH_FAILED, 0, NULL, -EACCES, "run as root, or as a member of the group libvirt"},
	{VIR_ERR_AUTH_CANCELLED, 0, NULL, -EACCES, "run as root"},
	{VIR_ERR_AUTH_UNAVAILABLE, 0, NULL, -EACCES, "run as root: no polkit agent is there"},
	{VIR_ERR_ACCESS_DENIED, 0, NULL, -EACCES, "run as root"},
	{VIR_ERR_OPERATION_DENIED, 0, NULL, -EACCES, "the connection is read-only"},
	{VIR_ERR_RPC, 0, NULL, -ECONNRESET, LATER},
	{0, VIR_FROM_RPC, NULL, -ECONNRESET, LATER},
	{VIR_ERR_INVALID_CONN, 0, NULL, -ECONNRESET, LATER},
	/* the domain */
	{VIR_ERR_NO_DOMAIN, 0, NULL, -ENOENT, "`virsh list --all` shows the domains"},
	{0, 0, "domain is not running", -ENOTCONN,
	 "start it, or change only its definition (--config)"},
	{0, 0, "transient domain", -ENOTCONN,
	 "it has no definition that lasts: change only the running one (--live)"},
	{VIR_ERR_OPERATION_TIMEOUT, 0, NULL, -ETIMEDOUT,
	 "another operation holds the domain: wait for it, or look into `virsh domjobinfo`"},
	/* a device */
	{0, 0, "is in use by driver", -EBUSY,
	 "detach it from that domain first; `sriovctl vf list` shows who uses which VF"},
	{0, 0, "already in the domain configuration", -EEXIST, NULL},
	{0, 0, "already exists in the domain", -EEXIST, NULL},
	{0, 0, "already exists with uuid", -EEXIST, "names and UUIDs of domains are unique"},
	{0, 0, "already defined with uuid", -EEXIST, "names and UUIDs of domains are unique"},
	{0, 0, "No more available PCI", -ENOSPC,
	 "attach it to the definition only (--config), or add <controller type='pci' "
	 "model='pcie-root-port'/> there; either counts from the next start"},
	{0, 0, "PF is not online", -ENETDOWN, "bring the PF up: ip link set … up"},
	{0, 0, "PF is not up", -ENETDOWN, "bring the PF up: ip link set … up"},
	{0, 0, "host doesn't support VFIO", -EOPNOTSUPP,
	 "load vfio-pci, and boot with the IOMMU on (intel_iommu=on or amd_iommu=on)"},
	{0, 0, "host doesn't support passthrough", -EOPNOTSUPP,
	 "load vfio-pci, and boot with the IOMMU on (intel_iommu=on or amd_iommu=on)"},
	{0, 0, "is not viable", -EBUSY,
	 "all devices of the VF's IOMMU group must be on vfio-pci: without ACS a group has several"},
	{0, 0, "must be manually detached", -EBUSY,
	 "bind the VF to vfio-pci (`sriovctl vf bind … --driver vfio-pci`), or let libvirt do it: "
	 "managed='yes'"},
	{0, 0, "Virtual Functions only", -ENODEV,
	 "there is no VF of that address: `sriovctl vf list` shows them"},
	{0, 0, "Could not get Virtual functions", -EBUSY,
	 "a VF's netdev is in another network namespace"},
	{0, 0, "cannot limit locked memory", -ENOBUFS,
	 "the guest's memory cannot be locked: raise RLIMIT_MEMLOCK of libvirtd, or "
	 "<memtune><hard_limit>"},
	{0, 0, "VFIO_MAP_DMA", -ENOBUFS,
	 "the guest's memory cannot be locked: raise <memtune><hard_limit>"},
	{0, 0, "rejected by the guest", -EPERM, "unload what uses the device inside the guest"},
	{0, 0, "Child process (tc ", -EOPNOTSUPP,
	 "libvirt limits with tc, for which the kernel needs sch_htb, sch_sfq, sch_ingress, cls_fw, "
	 "cls_u32 and act_police; or leave the limit out"},
	{VIR_ERR_DEVICE_MISSING, 0, NULL, -ENODEV, NULL},
	{0, 0, "multiple devices matching", -EEXIST, "remove one of them with virsh"},
	/* whatever else a code says */
	{VIR_ERR_RESOURCE_BUSY, 0, NULL, -EBUSY, NULL},
	{VIR_ERR_NO_SUPPORT, 0, NULL, -EOPNOTSUPP, NULL},
	{VIR_ERR_CONFIG_UNSUPPORTED, 0, NULL, -EOPNOTSUPP, NULL},
	{VIR_ERR_OPERATION_UNSUPPORTED, 0, NULL, -EOPNOTSUPP, NULL},
	{VIR_ERR_ARGUMENT_UNSUPPORTED, 0, NULL, -EOPNOTSUPP, NULL},
	{0, 0, "cgroup", -EOPNOTSUPP,
	 "libvirt does this by cgroups, which this host does not give it"},
	{0, 0, "numatune mode", -EOPNOTSUPP,
	 "change the definition only; it counts from the next start"},
	{0, 0, "numa mode", -EOPNOTSUPP,
	 "change the definition only; it counts from the next start"},
	{0, 0, "cannot set CPU affinity", -EINVAL,
	 "the host has no such CPU, or libvirtd may not use it"},
	{VIR_ERR_XML_ERROR, 0, NULL, -EINVAL, NULL},
	{VIR_ERR_XML_DETAIL, 0, NULL, -EINVAL, NULL},
	{VIR_ERR_XML_INVALID_SCHEMA, 0, NULL, -EINVAL, NULL},
	{VIR_ERR_INVALID_ARG, 0, NULL, -EINVAL, NULL},
	{VIR_ERR_NO_MEMORY, 0, NULL, -ENOMEM, NULL},
	{0, 0, NULL, -EIO, NULL},
};

int libvirt_error(struct sriov_error *err, const char *object, const char *doing, int code,
		  int domain, const char *words)
{
	size_t row = 0;

	while ((meanings[row].code && meanings[row].code != code) ||
	       (meanings[row].domain && meanings[row].domain != domain) ||
	       (meanings[row].words && !strstr(words, meanings[row].words)))
		row++;
	sriov_error_set(err, meanings[row].becomes, object, "%s failed", doing);
	sriov_error_kernel(err, "libvirt: %.*s", (int)strcspn(words, "\n"), words);
	if (meanings[row].hint)
		sriov_error_hint(err, "%s", meanings[row].hint);
	return meanings[row].becomes;
}

int libvirt_failed(struct virt_live *live, const char *object, const char *doing,
		   struct sriov_error *err)
{
	virErrorPtr last = live->lib->virGetLastError();
	int r;

	r = libvirt_error(err, object, doing, last ? last->code : VIR_ERR_OK,
			  last ? last->domain : VIR_FROM_NONE,
			  last && last->message ? last->message : "no reason given");
	if (r == -ECONNRESET) {
		pthread_mutex_lock(&live->mutex);
		live->lost = true;
		pthread_mutex_unlock(&live->mutex);
	}
	return r;
}

static void on_close(virConnectPtr conn, int reason, void *data)
{
	struct virt_live *live = data;

	pthread_mutex_lock(&live->mutex);
	live->lost = true;
	pthread_cond_signal(&live->told);
	pthread_mutex_unlock(&live->mutex);
}

static void disconnect(struct virt_live *live)
{
	if (!live->conn)
		return;
	live->lib->virConnectUnregisterCloseCallback(live->conn, on_close);
	live->lib->virConnectClose(live->conn);
	live->conn = NULL;
}

static bool is_lost(struct virt_live *live)
{
	bool lost;

	pthread_mutex_lock(&live->mutex);
	lost = live->lost;
	live->lost = false;
	pthread_mutex_unlock(&live->mutex);
	return lost || live->lib->virConnectIsAlive(live->conn) != 1;
}

static int open_connection(struct sriov_host *host, struct virt_live *live, struct sriov_error *err)
{
	const char *uri = host->uri ? host->uri : VIRT_URI;
	int r;

	live->conn = live->lib->virConnectOpen(uri);
	if (live->conn) {
		/* both are for drivers behind a daemon: an embedded one cannot be lost */
		live->lib->virConnectSetKeepAlive(live->conn, KEEPALIVE_SECONDS, KEEPALIVE_COUNT);
		live->lib->virConnectRegisterCloseCallback(live->conn, on_close, live, NULL);
		return 0;
	}
	r = libvirt_failed(live, uri, "connecting to libvirt", err);
	if (r != -ECONNRESET)
		return r;
	/* nothing was asked of it yet */
	sriov_error_hint(err, "look at the daemon: systemctl status libvirtd");
	if (err)
		err->code = -ECONNREFUSED;
	return -ECONNREFUSED;
}

static struct virt_live *new_live(void)
{
	struct virt_live *live = calloc(1, sizeof(*live));
	pthread_condattr_t attr;

	if (!live)
		return NULL;
	live->timer = -1;
	pthread_mutex_init(&live->mutex, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC); /* of core_monotonic_ms() */
	pthread_cond_init(&live->told, &attr);
	pthread_condattr_destroy(&attr);
	return live;
}

int libvirt_connect(struct sriov_host *host, struct virt_live **out, struct sriov_error *err)
{
	struct virt_live *live = host->virt_priv;
	int r = 0;

	if (!live)
		live = host->virt_priv = new_live();
	if (!live)
		return core_oom(err);
	if (!live->lib)
		r = libvirt_load(&live->lib, err);
	if (!r && live->timer < 0)
		r = libvirt_loop_start(live, err);
	/* a daemon that went away while nothing was asked of it has done no harm */
	if (!r && live->conn && is_lost(live))
		disconnect(live);
	if (!r && !live->conn)
		r = open_connection(host, live, err);
	if (r < 0)
		return r;
	*out = live;
	return 0;
}

void libvirt_close(struct virt_live *live)
{
	disconnect(live);
	libvirt_loop_stop(live);
	pthread_cond_destroy(&live->told);
	pthread_mutex_destroy(&live->mutex);
	free(live);
}
