/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OpenStack Nova on this host: what it must be told of the VFs that are for it (pool "nova"), and which kind of port
 * would get one. Nova itself chooses VFs; nothing here changes anything.
 */
#ifndef SRIOV_NOVA_H
#define SRIOV_NOVA_H

#include <sriov/guest.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SRIOV_NOVA_RELEASE 26 /* Zed, which Debian 12 has */

/* "zed", "2023.1", "26" or "26.2.2": the number of a Nova release, of 18 (Rocky) to 33 (2026.1). -EINVAL names them. */
int sriov_nova_release(const char *text, unsigned *out, struct sriov_error *err);
/*
 * A fragment of nova.conf for that release, from pools, physnets and the host's NUMA nodes: [pci], [neutron] and
 * [neutron_physnet_*]. -ENOENT: no VF is in pool nova. The caller frees *@text.
 */
int sriov_nova_conf(struct sriov_host *host, unsigned release, char **text,
		    struct sriov_error *err);

struct sriov_nova_answer {
	bool direct;      /* vnic_type direct: there is a VF; else normal */
	char reason[768]; /* which one, or why there is none */
};
/* Which vnic_type to ask Neutron for, for a guest on @node (-1 = any) and a port on physnet @net. */
int sriov_nova_plan(struct sriov_host *host, const char *net, int node, enum sriov_numa numa,
		    struct sriov_nova_answer *out, struct sriov_error *err);

#ifdef __cplusplus
}
#endif
#endif
