/* SPDX-License-Identifier: Apache-2.0 */
/* The intent of `rss set`: the port's own distribution over its RX queues. */
#include "lib/plan/change.h"

#include <errno.h>

static int check_queues(const struct sriov_pf *pf, unsigned first, unsigned last,
			struct sriov_error *err)
{
	if (!pf->nrss || !pf->queues) {
		sriov_error_set(err, -EOPNOTSUPP, pf_label(pf),
				"the driver has no RSS indirection table that could be read");
		return sriov_error_hint(err, "`ethtool -x %s` shows what the kernel says of it",
					pf_label(pf));
	}
	if (first > last)
		return sriov_error_set(err, -EINVAL, pf_label(pf),
				       "queues %u-%u: the first is above the last", first, last);
	if (last >= pf->queues) {
		sriov_error_set(
			err, -ERANGE, pf_label(pf),
			"there is no RX queue %u that RSS can use: the port has %u, the last "
			"is %u",
			last, pf->queues, pf->queues - 1);
		return sriov_error_hint(err,
					"give queues of 0-%u; with VFs a PF keeps only some of "
					"its queues",
					pf->queues - 1);
	}
	if (last - first >= pf->nrss)
		return sriov_error_set(err, -ERANGE, pf_label(pf),
				       "%u queues are more than the %zu entries of its RSS table",
				       last - first + 1, pf->nrss);
	return 0;
}

/* What a user should know before the packets move. */
static int note_scope(struct change *change, struct sriov_error *err)
{
	const struct sriov_pf *pf = change->pf;
	int r = change_note(
		change, err,
		"RSS is for the whole port: it distributes what no rule catches, whoever "
		"it is for");

	/* ixgbe_store_reta() and ixgbe_store_vfreta(): only from the X550 on each pool has a table of its own */
	if (!r && pf->vfs && sriov_driver_find(pf->driver) &&
	    (sriov_driver_find(pf->driver)->traits & SRIOV_RESET_LOSES_RSS))
		r = change_note(
			change, err,
			"an 82599 or X540 has one table for the PF and its VFs: VFs that use "
			"RSS are distributed by it too");
	return r;
}

static int want_spread(struct change *change, unsigned first, unsigned last,
		       struct sriov_error *err)
{
	size_t n = last - first + 1;
	_free_ uint32_t *queue = calloc(n, sizeof(*queue));

	for (size_t i = 0; queue && i < n; i++)
		queue[i] = first + i;
	core_copy(change->want.address, sizeof(change->want.address), change->pf->address);
	return queue && !state_set_rss(&change->want, queue, n) ? 0 : core_oom(err);
}

SRIOV_EXPORT int sriov_rss_set(struct sriov_host *host, const char *pf, unsigned first,
			       unsigned last, const struct sriov_options *opts,
			       struct sriov_plan **plan, struct sriov_error *err)
{
	struct change change;
	int r = change_open(&change, host, pf,
			    SRIOV_READ_PORT | SRIOV_READ_RSS | SRIOV_READ_VFS | SRIOV_READ_USES,
			    opts, err);

	if (!r)
		r = check_queues(change.pf, first, last, err);
	if (!r)
		r = want_spread(&change, first, last, err);
	if (!r)
		r = note_scope(&change, err);
	if (!r)
		r = change_run(&change, err);
	change_give_plan(&change, plan);
	change_close(&change);
	return r;
}
