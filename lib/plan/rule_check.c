/* SPDX-License-Identifier: Apache-2.0 */
/* What a list of rules would become on a PF, without wanting it. */
#include "lib/plan/rule.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define READ_TABLE (SRIOV_READ_VFS | SRIOV_READ_PORT | SRIOV_READ_RULES)

/* The only PF there is, if none was named. */
static int only_pf(struct sriov_host *host, char pf[SRIOV_PCI_LEN], struct sriov_error *err)
{
	struct sriov_inventory *inv = NULL;
	int r = sriov_inventory_read(host, NULL, 0, &inv, err);

	if (!r && inv->npfs == 1) {
		core_copy(pf, SRIOV_PCI_LEN, inv->pf[0].address);
	} else if (!r) {
		sriov_error_set(err, -ENXIO, "flow check", "this host has %zu PFs", inv->npfs);
		r = sriov_error_hint(err, "say which: --pf PF; or a NIC without one: --nic 82599");
	}
	sriov_inventory_free(inv);
	return r;
}

SRIOV_EXPORT int sriov_flow_check(struct sriov_host *host, const char *pf,
				  const struct sriov_rules *rules, const struct sriov_options *opts,
				  struct sriov_compiled *out, struct sriov_error *err)
{
	const struct rule_how how = {.allow = opts->allow, .partial = opts->partial};
	struct sriov_options look = *opts;
	char only[SRIOV_PCI_LEN];
	struct change change;
	int r = pf ? 0 : only_pf(host, only, err);

	if (r < 0)
		return r;
	look.dry_run = true;
	r = change_open(&change, host, pf ?: only, READ_TABLE, &look, err);
	if (!r)
		r = rule_compile(rules, change.pf, &change.intent, change.store, &how, out, err);
	change_close(&change);
	return r;
}
