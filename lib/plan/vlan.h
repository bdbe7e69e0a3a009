/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What carries the VLANs of macvtaps and taps over a PF, as a change sees it: VLAN netdevs, and bridges on them. Which
 * of these are wanted is a function of the PF's leases. A change of one guest makes what its own lease needs, before the
 * device, and takes away, after the device, what no lease needs any more, if it is ours and nobody has something on it;
 * `restore` does that for all leases.
 */
#ifndef SRIOV_PLAN_VLAN_H
#define SRIOV_PLAN_VLAN_H

#include "lib/plan/change.h"

struct vlans {
	struct host_links links;   /* as last read */
	struct sriov_lease *lease; /* of the PF, with a VLAN on a macvtap or tap */
	size_t nleases;
	/* of want->links: leases whose VLAN cannot be made good, and why the first one's cannot */
	size_t nfaults;
	struct sriov_error fault;
};
void vlan_free(struct vlans *vlans);

/* If @want concerns them: loads what is known of them into change->vlans. */
int vlan_open(struct change *change, const struct pf_state *want, struct sriov_error *err);
/* Reads leases and netdevs again. */
int vlan_read(struct change *change, struct sriov_error *err);
/* The steps to @want: what goes (@on false), and what comes. */
int vlan_steps(struct change *change, const struct pf_state *want, bool on, struct steps *steps,
	       struct sriov_error *err);
/*
 * Adds the steps that make what @lease, which has a VLAN on a macvtap or tap of @pf, needs and has not. Pure. The errors
 * are those of guest_vlan_check() and guest_vlan_check_others().
 */
int vlan_make(const struct host_links *links, const struct sriov_pf *pf,
	      const struct sriov_lease *lease, struct steps *steps, struct sriov_error *err);
void vlan_describe(const struct sriov_pf *pf, const struct step *step, char *buf, size_t size);
int vlan_run(struct step_context *ctx, const struct step *step, struct sriov_error *err);

/* Whether a lease of the PF has a VLAN on a macvtap or tap. */
int vlan_has_leases(struct store *store, const char *pf, bool *out, struct sriov_error *err);
/* Of `restore`: those of all PFs, or of @pf. */
int restore_vlans(struct sriov_host *host, const char *pf, const struct sriov_options *opts,
		  struct change_chain *chain, struct sriov_error *err);

#endif
