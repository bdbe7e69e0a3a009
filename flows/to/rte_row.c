/* SPDX-License-Identifier: Apache-2.0 */
/* One entry on a port: its rte_flow rules, and what the NIC must be told beside them. See rte.h. */
#include "flows/to/rte.h"
#include "lib/core/core.h"

#include <errno.h>
#include <rte_errno.h>

unsigned rte_row_parts(const struct sriov_rte_row *row)
{
	return sriov_filter_rules(row->filter, row->entry.type);
}

static int fail(const struct rte_at *at, const struct sriov_rte_row *row, const char *what,
		int number, const struct rte_flow_error *error, struct sriov_error *err)
{
	const struct rte_failure failure = {.pf = &at->pf,
					    .what = what,
					    .rule = row->rule,
					    .entry = &row->entry,
					    .filter = row->filter,
					    .number = number};

	return rte_failed(&failure, error, err);
}

int rte_row_destroy(const struct rte_at *at, const struct sriov_rte_row *row,
		    struct rte_flow *flow[RTE_PARTS_MAX], struct sriov_error *err)
{
	for (unsigned part = 0; part < RTE_PARTS_MAX; part++) {
		struct rte_flow_error error = {0};
		int r = flow[part] ? at->calls->destroy(at->id, flow[part], &error) : 0;

		if (r)
			return fail(at, row, "destroy", -r, &error, err);
		flow[part] = NULL;
	}
	return 0;
}

int rte_row_create(const struct rte_at *at, const struct sriov_rte_row *row,
		   struct rte_flow *flow[RTE_PARTS_MAX], struct sriov_error *err)
{
	for (unsigned part = 0; part < rte_row_parts(row); part++) {
		struct rte_flow_error error = {0};
		struct rte_code code;
		int number;

		rte_encode(&row->entry, row->filter, part, &code);
		rte_errno = 0;
		flow[part] = at->calls->create(at->id, &code.attr, code.item, code.action, &error);
		if (flow[part])
			continue;
		number = rte_errno;
		/* the part before it goes with it; what cannot be destroyed is told by the caller's undoing */
		rte_row_destroy(at, row, flow, NULL);
		return fail(at, row, "create", number, &error, err);
	}
	return 0;
}

int rte_row_validate(const struct rte_at *at, const struct sriov_rte_row *row,
		     struct sriov_error *err)
{
	for (unsigned part = 0; part < rte_row_parts(row); part++) {
		struct rte_flow_error error = {0};
		struct rte_code code;
		int r;

		rte_encode(&row->entry, row->filter, part, &code);
		r = at->calls->validate(at->id, &code.attr, code.item, code.action, &error);
		if (r)
			return fail(at, row, "validate", -r, &error, err);
	}
	return 0;
}

int rte_tell_vxlan(const struct rte_at *at, uint16_t *vxlan, uint16_t wanted,
		   struct sriov_error *err)
{
	while (*vxlan != wanted) {
		bool add = !*vxlan;
		uint16_t udp = add ? wanted : *vxlan;
		int r = at->calls->tunnel(at->id, add, udp);

		if (!r) {
			*vxlan = add ? wanted : 0;
			continue;
		}
		r = r == -1 ? -EIO : r;
		sriov_error_set(err, r, at->pf.netdev, "%s refused to %s UDP port %u as VXLAN's",
				at->pf.driver, add ? "take" : "forget", udp);
		sriov_error_kernel(err, "%s: %s", at->pf.driver, rte_strerror(-r));
		return sriov_error_hint(err,
					"rules for tunnels need it, and tell it by themselves: "
					"an application that does so too is refused");
	}
	return 0;
}
