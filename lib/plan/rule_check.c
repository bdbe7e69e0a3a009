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

/* Opens @pf, or the only one, to look at; change_close() follows in any case. */
static int look_at(struct change *change, struct sriov_host *host, const char *pf, unsigned what,
		   const struct sriov_options *opts, struct sriov_error *err)
{
	struct sriov_options look = *opts;
	char only[SRIOV_PCI_LEN];
	int r = pf ? 0 : only_pf(host, only, err);

	*change = (struct change){0};
	look.dry_run = look.looks = true;
	return r < 0 ? r : change_open(change, host, pf ?: only, what, &look, err);
}

SRIOV_EXPORT int sriov_flow_recorded(struct sriov_host *host, const char *pf,
				     struct sriov_rules *out, struct sriov_error *err)
{
	const struct sriov_options opts = {0};
	struct pf_state copy = {0};
	struct change change;
	int r = look_at(&change, host, pf, 0, &opts, err);

	if (!r && state_set_list(&copy, &change.intent.list) < 0)
		r = core_oom(err);
	if (!r)
		*out = copy.list;
	change_close(&change);
	return r;
}

SRIOV_EXPORT int sriov_flow_check(struct sriov_host *host, const char *pf,
				  const struct sriov_rules *rules, const struct sriov_options *opts,
				  struct sriov_compiled *out, struct sriov_error *err)
{
	const struct rule_how how = {
		.allow = opts->allow, .partial = opts->partial, .rte = opts->rte};
	struct change change;
	struct sriov_pf port;
	int r = look_at(&change, host, pf, READ_TABLE, opts, err);

	if (!r) {
		port = *change.pf;
		r = opts->rte ? sriov_nic_rte(&port, err) : 0;
	}
	if (!r)
		r = rule_compile(rules, &port, &change.intent, change.store, &how, out, err);
	change_close(&change);
	return r;
}
