/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a VF is free: the only place that decides it. */
#include "lib/guest/guest.h"

#include <stdio.h>
#include <string.h>

static const char *pool_name(const char *pool)
{
	return pool && *pool ? pool : GUEST_POOL;
}

const char *guest_vf_taken(const struct sriov_pf *pf, const struct sriov_vf *vf, const char *pool,
			   char *buf, size_t size)
{
	if (strcmp(pool_name(vf->pool), pool_name(pool))) {
		snprintf(buf, size, "in pool %s", pool_name(vf->pool));
		return buf;
	}
	/* a lease, a domain or an open vfio descriptor; evidence that cannot be read is evidence */
	if (vf->uses.n) {
		const struct sriov_use *use = &vf->uses.at[0];

		snprintf(buf, size, "%s%s: %s", use->who, use->unreadable ? ", perhaps" : "",
			 use->how);
		return buf;
	}
	if (vf->in_netns) {
		snprintf(buf, size, "its netdev is in another network namespace");
		return buf;
	}
	if (vf->netdev[0] && vf->master[0]) {
		snprintf(buf, size, "%s is in %s", vf->netdev, vf->master);
		return buf;
	}
	if (vf->netdev[0] && vf->netdev_up) {
		snprintf(buf, size, "%s is up", vf->netdev);
		return buf;
	}
	return NULL;
}
