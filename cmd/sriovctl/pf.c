/* SPDX-License-Identifier: Apache-2.0 */
/* sriovctl pf: whose a port is. */
#include "cmd/sriovctl/args.h"
#include "cmd/sriovctl/out.h"

#include <errno.h>

int cmd_pf_bind(const struct args *args, struct sriov_host *host, struct out *out,
		struct sriov_error *err)
{
	struct sriov_plan *plan = NULL;
	int r;

	if (!args_given(args, "driver")) {
		sriov_error_set(err, -EINVAL, "pf bind", "--driver is missing");
		return sriov_error_hint(err, "--driver vfio-pci, or default (the kernel's own)");
	}
	r = sriov_pf_bind(host, args->pos[0], args->driver, &args->run, &plan, err);
	return out_plans(out, plan, args->run.dry_run, r, err);
}
