/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libvirt as the second group of a host's effects (the first is struct host_ops): one table, live (libvirt's C
 * library, loaded at the first call) and simulated (domains of the simulated host), reached as
 * host->virt->find(host, …). Nothing is connected before the first call. Not for hooks of libvirt: a call from
 * there would wait for itself.
 *
 * What every call may give besides its own codes; errors carry libvirt's words as the kernel's ("libvirt: …"):
 *   -ENOENT        no such domain (find), or libvirt's library is not installed
 *   -ECONNREFUSED  no libvirt daemon answers at the URI; nothing was done
 *   -ECONNRESET    the daemon went away or fell silent during the call: it may have been done or not, read
 *                  back; the next call connects anew
 *   -EACCES        libvirt refuses us
 *   -ENOTCONN      VIRT_LIVE of a domain that does not run
 *   -ETIMEDOUT     another operation on the domain holds libvirt up
 *   -EOPNOTSUPP    this libvirt, QEMU or host cannot do that (no IOMMU, no VFIO)
 *   -EINVAL        libvirt does not take the XML or a value in it
 *   -EIO           any other failure, told in libvirt's words
 */
#ifndef SRIOV_GUEST_VIRT_H
#define SRIOV_GUEST_VIRT_H

#include "lib/guest/guest.h"
#include "lib/kernel/process.h"

#define VIRT_URI "qemu:///system" /* where host->uri is NULL */

enum virt_where {
	VIRT_CONFIG, /* the persistent definition: from the next start on */
	VIRT_LIVE,   /* the running domain: until it stops */
};

enum virt_thread { VIRT_VCPU, VIRT_EMULATOR, VIRT_IOTHREAD };

struct virt_domain {
	char name[SRIOV_NAME_LEN];
	char uuid[40];
	bool running; /* it has a QEMU; also while paused */
	bool paused;
	bool persistent;
	char *config; /* XML of its next start; NULL if it is transient */
	char *live;   /* XML of the running one; NULL if it does not run */
};
/* Frees what it holds; as _cleanup_, and on a zeroed one too. */
void virt_domain_clear(struct virt_domain *domain);
#define _virt_domain_ _cleanup_(virt_domain_clear)

struct virt_domains {
	struct virt_domain *at;
	size_t n;
};
void virt_domains_clear(struct virt_domains *domains);
#define _virt_domains_ _cleanup_(virt_domains_clear)

struct virt_ops {
	const char *name; /* "live", "simulated" */
	void (*close)(struct sriov_host *host);

	/* By name, UUID where @name is one. -ENOENT with "did you mean". The caller clears @out. */
	int (*find)(struct sriov_host *host, const char *name, struct virt_domain *out,
		    struct sriov_error *err);
	/* All domains, by name; their XML only @with_xml. The caller clears @out. */
	int (*list)(struct sriov_host *host, bool with_xml, struct virt_domains *out,
		    struct sriov_error *err);
	/* QEMU's process on this host. -ESRCH: the domain does not run, or not here. */
	int (*pid)(struct sriov_host *host, const char *uuid, long *out, struct sriov_error *err);
	/* That process, looked at. The caller clears @out. */
	int (*process)(struct sriov_host *host, const char *uuid, struct process *out,
		       struct sriov_error *err);

	/*
	 * Effects, each one call of libvirt. Of a device: -EBUSY: another domain or the host uses it; -EEXIST: the
	 * domain has it; -ENODEV: there is no such device on the host, or (detach) the domain has it not;
	 * -ENOSPC: no spare PCI slot in the running guest; -ENETDOWN: the PF is down.
	 */
	int (*attach)(struct sriov_host *host, const char *uuid, const char *device,
		      enum virt_where where, struct sriov_error *err);
	/*
	 * @device says which one, by what device.h calls its identity. A live detach asks the guest and waits
	 * for its answer until @deadline_ms (host->ops->now_ms): -ETIMEDOUT: it did not come, the device is still
	 * there, and the guest may let go of it at any time later; -EPERM: the guest said no.
	 */
	int (*detach)(struct sriov_host *host, const char *uuid, const char *device,
		      enum virt_where where, int64_t deadline_ms, struct sriov_error *err);
	/*
	 * What the guest may send by a tap or macvtap of its, as @device says; libvirt does it with tc, so
	 * -EOPNOTSUPP too if the kernel lacks what that needs.
	 */
	int (*limit)(struct sriov_host *host, const char *uuid, const char *device,
		     enum virt_where where, struct sriov_error *err);
	/* @domain is the whole XML; replaces the persistent definition of the domain with its UUID and name. */
	int (*define)(struct sriov_host *host, const char *domain, struct sriov_error *err);
	/* @number: the vCPU or IOThread, 0 for the emulator. @cpus: "0-3,8" */
	int (*pin)(struct sriov_host *host, const char *uuid, enum virt_thread thread,
		   unsigned number, const char *cpus, enum virt_where where,
		   struct sriov_error *err);
	/*
	 * The domain's <numatune><memory>. @mode: "strict", "preferred", "interleave", "restrictive", or NULL = as it
	 * is; a running domain's mode cannot change, and its nodes only in some modes (-EOPNOTSUPP).
	 */
	int (*memory)(struct sriov_host *host, const char *uuid, const char *mode,
		      const char *nodeset, enum virt_where where, struct sriov_error *err);
};

/* virt.c: what both have in common. */
void virt_domains_sort(struct virt_domains *domains);
/* -ENOENT, with the name that may have been meant. */
int virt_unknown(const struct virt_domains *domains, const char *name, struct sriov_error *err);
/* -ENOTCONN */
int virt_not_running(const char *object, struct sriov_error *err);
struct guest_device;
/* -EEXIST */
int virt_has_already(const char *object, const struct guest_device *device,
		     struct sriov_error *err);
/* -ETIMEDOUT: the guest did not answer a live detach; -EPERM: it said no. */
int virt_not_detached(const char *object, const struct guest_device *device, bool rejected,
		      struct sriov_error *err);
/* libvirt's number of a mode, or -EINVAL. */
int virt_numa_mode(const char *mode, struct sriov_error *err);
extern const char *const virt_pinning[]; /* by enum virt_thread: what failed, in errors */
struct cpuset;
int virt_cpus(const char *text, struct cpuset *out, struct sriov_error *err);

extern const struct virt_ops virt_live_ops;
extern const struct virt_ops virt_sim_ops; /* only beside a simulated host_ops */

/* From now on the libvirt at @uri ("" = the system's own): that of a record, whatever was asked for before. */
int virt_use(struct sriov_host *host, const char *uri, struct sriov_error *err);

#endif
