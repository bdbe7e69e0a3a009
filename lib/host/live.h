/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the live host: its state, and what the host itself does with a PF. */
#ifndef SRIOV_LIVE_H
#define SRIOV_LIVE_H

#include "lib/host/host.h"
#include "lib/kernel/kernel.h"

/* A PF whose device lock hangs in the kernel, and the child that waits there. */
struct live_stuck {
	char address[SRIOV_PCI_LEN];
	struct supervisor *supervisor;
};

/* Descriptors are open from the start; connections to the kernel are made at first use. */
struct live {
	int sys, proc;
	char boot_id[40]; /* "" = not yet read; as the IOMMU, it stays until the next boot */
	bool iommu;
	struct rtnetlink *rtnl;
	struct ethnl *ethnl;
	struct ethioctl ioctl;
	struct events *events;
	struct supervisor *supervisor;
	struct live_stuck stuck[8];
	size_t nstuck;
};

/* The connections, made if need be. */
int live_rtnl(struct live *live, struct rtnetlink **out, struct sriov_error *err);
int live_ethnl(struct live *live, struct ethnl **out, struct sriov_error *err);
int live_ioctl(struct live *live, const struct ethioctl **out, struct sriov_error *err);

/* What errors about a PF name it by. */
static inline const char *live_object(const struct sriov_pf *pf)
{
	return pf->netdev[0] ? pf->netdev : pf->address;
}

/* lib/host/live_read.c */
int live_read(struct sriov_host *host, const char *name, unsigned what, struct sriov_inventory *inv,
	      struct sriov_error *err);

/* lib/host/live_sysfs.c: members of host_ops, and the driver_override of a VF of @pf ("" = none). */
int live_numvfs(struct sriov_host *host, const struct sriov_pf *pf, unsigned n, int64_t deadline_ms,
		struct sriov_error *err);
int live_autoprobe(struct sriov_host *host, const struct sriov_pf *pf, bool on,
		   struct sriov_error *err);
int live_override(struct sriov_host *host, const struct sriov_pf *pf, const char *address,
		  const char *driver, int64_t deadline_ms, struct sriov_error *err);
int live_unbind(struct sriov_host *host, const struct sriov_pf *pf, const char *address,
		int64_t deadline_ms, struct sriov_error *err);
int live_probe(struct sriov_host *host, const struct sriov_pf *pf, const char *address,
	       int64_t deadline_ms, struct sriov_error *err);
int live_read_override(struct sriov_host *host, const struct sriov_pf *pf, const char *address,
		       char out[32], struct sriov_error *err);

/* lib/host/live_find.c: members of host_ops. */
int live_mac_user(struct sriov_host *host, const uint8_t mac[6], char *name, size_t size,
		  struct sriov_error *err);
int live_pci_place(struct sriov_host *host, const char *address, struct pci_place *out,
		   struct sriov_error *err);

int live_fdb_has(struct sriov_host *host, const struct sriov_pf *pf, const uint8_t mac[6],
		 bool *out, struct sriov_error *err);
int live_fdb_set(struct sriov_host *host, const struct sriov_pf *pf, const uint8_t mac[6], bool on,
		 struct sriov_error *err);
int live_vf_driven(struct sriov_host *host, const char *address, bool *out,
		   struct sriov_error *err);

/* lib/host/live_links.c: members of host_ops. */
int live_links(struct sriov_host *host, struct host_links *out, struct sriov_error *err);
int live_link_make(struct sriov_host *host, const struct sriov_pf *pf, const struct host_link *want,
		   bool there, struct sriov_error *err);
int live_link_delete(struct sriov_host *host, const struct sriov_pf *pf, const char *name,
		     struct sriov_error *err);

/* lib/host/live_probe.c: members of host_ops. */
int live_netdev(struct sriov_host *host, const char *name, struct netdev_facts *out,
		struct sriov_error *err);
int live_vf_up(struct sriov_host *host, const struct sriov_pf *pf, unsigned vf, bool up,
	       struct sriov_error *err);
int live_exchange(struct sriov_host *host, const struct sriov_pf *pf, struct exchange *what,
		  int64_t deadline_ms, struct sriov_error *err);
enum host_nature live_nature(struct sriov_host *host, const struct sriov_pf *pf, char *why,
			     size_t size);

/* host_live_open() with other directories for /sys and /proc. */
int live_open_at(struct sriov_host *host, const char *sys, const char *proc,
		 struct sriov_error *err);

/*
 * lib/host/uses.c: adds to pf->uses what the host itself does with each PF of @inv: default route, bond,
 * bridge, OVS, storage. @route answers as rtnetlink_route() does. An address alone is not a use.
 */
typedef int (*live_route)(void *data, int family, const void *addr, bool match,
			  struct route_facts *out);
int uses_of_host(int sys, int proc, live_route route, void *data, struct sriov_inventory *inv,
		 struct sriov_error *err);
/* Adds to the VFs' uses what their netdevs say: up, in a bridge or bond, in another namespace. */
int uses_of_netdevs(struct sriov_inventory *inv, struct sriov_error *err);
/* lib/host/storage.c: calls @fn for each remote storage address that the host uses. */
struct storage {
	char who[64], how[160]; /* "NFS mount", "/srv from 10.0.0.5:/srv" */
	int family;
	uint8_t addr[16];
};
typedef int (*storage_fn)(const struct storage *storage, void *data);
int storage_each(int sys, int proc, storage_fn fn, void *data);
/* Pure: "10.0.0.5", "[fe80::1%eth0]:3260", "10.0.0.5:6789"; -EINVAL if it is no address. */
int storage_address(const char *text, int *family, uint8_t addr[16]);

#endif
