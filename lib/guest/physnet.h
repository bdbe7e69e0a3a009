/* SPDX-License-Identifier: Apache-2.0 */
/* The records of networks: what a request makes of one, and what stands against it. No effect on the host. */
#ifndef SRIOV_GUEST_PHYSNET_H
#define SRIOV_GUEST_PHYSNET_H

#include "lib/store/store.h"

#include <sriov/plan.h>

/* A word: letters, digits, '-', '_' and '.', so that it can stand in options, files and XML. */
int guest_check_word(const char *what, const char *name, size_t size, struct sriov_error *err);

/* Of the list the network of that name, or NULL. */
const struct sriov_physnet *physnet_named(const struct sriov_physnet *nets, size_t n,
					  const char *name);
/* -ENOENT, with the nearest name. */
int physnet_unknown(const struct sriov_physnet *nets, size_t n, const char *name,
		    struct sriov_error *err);
/*
 * The network as @req says, on what is recorded (@was, NULL: nothing). @inv is of the host. The caller frees
 * out->pf.
 */
int physnet_make(const struct sriov_physnet_request *req, const struct sriov_physnet *was,
		 const struct sriov_inventory *inv, struct sriov_physnet *out,
		 struct sriov_error *err);
/* -EEXIST: the bridge of @was (NULL: none) has another uplink than @net has. */
int physnet_check_same(const struct sriov_physnet *was, const struct sriov_physnet *net,
		       struct sriov_error *err);
/*
 * Whether @net can take the place of the record of its name. -EEXIST: a PF is on another network; -EBUSY: a lease is
 * of a PF, or on a bridge, that would go.
 */
int physnet_check(struct store *store, const struct sriov_physnet *nets, size_t n,
		  const struct sriov_physnet *net, struct sriov_error *err);

#endif
