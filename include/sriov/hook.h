/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libvirt's hook for QEMU domains: what libvirt has no words for (trust, spoofchk, rates, link state, VLAN priority,
 * rules) is the guest's while it runs. Nothing here calls libvirt, which waits for the hook.
 */
#ifndef SRIOV_HOOK_H
#define SRIOV_HOOK_H

#include <sriov/plan.h>

#ifdef __cplusplus
extern "C" {
#endif

struct sriov_hook {
	/* libvirt's arguments; other operations than these are nothing to do */
	const char *guest;
	const char *op; /* prepare, start, started, stopped, release, migrate, restore, reconnect */
	const char *xml; /* the domain, as libvirt gives it on standard input */
	size_t size;
	/* policies of the host */
	bool numa_enforce; /* a VF on another node than its guest: refused, not only said */
	bool busy_allow; /* a PF whose lock is not had in time: the guest starts without, not refused */
	const char
		*net; /* physnet whose VFs a guest that comes from another host may get, or NULL */
	const char *
		sockets; /* folder of vhost-user sockets on this host; NULL = that of the physnet */
	const char
		*rules_dir; /* rules by guest, project, flavor and port; NULL = SRIOV_HOOK_RULES */
};
#define SRIOV_HOOK_RULES "/etc/sriovctl/guests.d"

/* Whether libvirt refuses or stops something if the hook fails at that operation, and rightly so. */
bool sriov_hook_refuses(const char *op);
/*
 * Does what is to be done at @hook->op, as changes under the PFs' locks with @opts. *@xml is set, to the whole domain,
 * if it is to be another one (migrate, restore); the caller frees it. *@plans as of sriov_restore(), also after a
 * failure: notes are what an operator should know. Libvirt waits meanwhile: of many steps only the first are told.
 */
int sriov_hook_libvirt(struct sriov_host *host, const struct sriov_hook *hook,
		       const struct sriov_options *opts, char **xml, struct sriov_plan **plans,
		       struct sriov_error *err);

#ifdef __cplusplus
}
#endif
#endif
