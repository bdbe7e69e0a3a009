/* SPDX-License-Identifier: Apache-2.0 */
/* `restore` brings the last committed intent back; `journal` is the operator's way out. */
#include "lib/plan/batch.h"
#include "lib/plan/bridge.h"
#include "lib/plan/vlan.h"

#include <errno.h>
#include <string.h>

static int restore_pf(struct sriov_host *host, const char *pf, const struct sriov_options *opts,
		      struct sriov_plan **plan, struct sriov_error *err)
{
	struct change change;
	bool tagged = false;
	int r = change_open(&change, host, pf, CHANGE_READ_ALL, opts, err);

	/* with macvtaps and taps alone there are only their VLANs to bring back */
	if (!r && !change.known.intent && change.store)
		r = vlan_has_leases(change.store, change.pf->address, &tagged, err);
	if (!r && !change.known.intent && !tagged) {
		r = sriov_error_set(err, -ENOENT, change.pf->address,
				    "nothing was ever committed for this PF");
		sriov_error_hint(err, "`sriovctl vf create` and `flow add` record what restore "
				      "brings back");
	}
	if (!r)
		r = state_merge(&change.want, &change.intent, err);
	if (!r) {
		change_leave_libvirts(&change);
		/* pools are the database's, which has lost none: they may have been set since, VF by VF */
		change.want.pool[0] = '\0';
		/* at boot OVS comes after the network: its bridges are restored when it is there */
		change.want.apart = true;
		change.keep_on_no_link = true;
		r = change_run(&change, err);
	}
	change_give_plan(&change, plan);
	change_close(&change);
	return r;
}

/* A generation that nobody confirmed in time is not what shall be brought back. */
static int expire_overdue(struct sriov_host *host, const struct sriov_options *opts,
			  struct sriov_error *err)
{
	unsigned seconds;
	long id;
	int r = sriov_generation_due(host, &id, &seconds, err);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	return seconds ? 0 : sriov_generation_expire(host, id, opts, err);
}

/* OVS keeps ports over its restarts, and loses flows; it may be started later than this host's PFs are restored. */
static int restore_bridge(struct sriov_host *host, const char *pf, const struct sriov_options *opts,
			  struct sriov_plan **plan, struct sriov_error *err)
{
	struct change change;
	int r = change_open(&change, host, pf, CHANGE_READ_ALL, opts, err);

	if (!r) {
		core_copy(change.want.address, sizeof(change.want.address), change.pf->address);
		change.want.bridge = true;
		r = change_run(&change, err);
	}
	if ((r == -ENOENT || r == -ECONNREFUSED) && err->status == SRIOV_FAILED) {
		sriov_error_hint(err, "the PF is restored; run `sriovctl restore` again when OVS "
				      "runs");
		sriov_error_status(err, SRIOV_INCOMPLETE);
	}
	change_give_plan(&change, plan);
	change_close(&change);
	return r;
}

/* Bridges come after all PFs: their leases may be of any. */
static int restore_bridges(struct sriov_host *host, const char *pf,
			   const struct sriov_options *opts, struct change_chain *chain,
			   struct sriov_error *err)
{
	struct sriov_physnet *nets = NULL;
	size_t n = 0;
	int r = sriov_physnet_list(host, &nets, &n, err);

	for (size_t i = 0; !r && i < n; i++) {
		struct sriov_error mine = {0};
		int restored;

		if (!nets[i].bridge[0] || (pf && strcmp(nets[i].uplink_pf, pf) != 0))
			continue;
		restored = restore_bridge(host, nets[i].uplink_pf, opts, chain->tail, &mine);
		change_chain_add(chain, restored, &mine);
	}
	sriov_physnets_free(nets, n);
	return r;
}

SRIOV_EXPORT int sriov_restore(struct sriov_host *host, const char *pf,
			       const struct sriov_options *opts, struct sriov_plan **plan,
			       struct sriov_error *err)
{
	char(*address)[SRIOV_PCI_LEN] = NULL;
	struct change_chain chain = {.tail = plan};
	struct store *store = NULL;
	size_t n = 0;
	int r;

	*plan = NULL;
	r = opts->dry_run ? 0 : expire_overdue(host, opts, err);
	if (r < 0)
		return r;
	if (pf) {
		r = restore_pf(host, pf, opts, plan, err);
		if (!r)
			change_chain_add(&chain, r, err);
		if (!r)
			r = restore_vlans(host, pf, opts, &chain, err);
		if (!r)
			r = restore_bridges(host, (*plan)->pf, opts, &chain, err);
		return r ? r : change_chain_end(&chain, err);
	}
	r = store_get(host, false, &store, err);
	if (!r && store)
		r = store_pf_list(store, &address, &n, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		struct sriov_error mine = {0};

		r = restore_pf(host, address[i], opts, chain.tail, &mine);
		change_chain_add(&chain, r, &mine);
	}
	free(address);
	r = store ? restore_vlans(host, NULL, opts, &chain, err) : 0;
	if (!r)
		r = restore_bridges(host, NULL, opts, &chain, err);
	if (!r && store)
		r = restore_strays(host, opts, &chain, err);
	return r ? r : change_chain_end(&chain, err);
}

SRIOV_EXPORT int sriov_journal_list(struct sriov_host *host, bool closed,
				    struct sriov_journal_row **out, size_t *n,
				    struct sriov_error *err)
{
	struct store *store = NULL;
	int r = store_get(host, false, &store, err);

	if (r < 0)
		return r;
	if (!store) {
		*out = NULL;
		*n = 0;
		return 0;
	}
	return store_journal_list(store, closed, out, n, err);
}

/* The open journal of that number: its PF, and the generation that it is a part of (0 = of none). */
static int find_open(struct sriov_host *host, long id, char pf[SRIOV_PCI_LEN], long *generation,
		     struct sriov_error *err)
{
	struct store_journal journal = {0};
	struct store *store = NULL;
	int r = store_get(host, false, &store, err);

	if (!r)
		r = store ? store_journal_get(store, id, &journal, err) : -ENOENT;
	if (r == -ENOENT) {
		sriov_error_set(err, r, "journal", "there is no journal %ld", id);
		return sriov_error_hint(err,
					"`sriovctl journal show` lists the open ones, `sriovctl "
					"history` the closed ones");
	}
	if (!r && !journal.row.open) {
		sriov_error_set(err, -EALREADY, "journal", "journal %ld is closed already: %s", id,
				journal.row.status);
		r = sriov_error_hint(err, "nothing needs to be done");
	}
	if (!r)
		core_copy(pf, SRIOV_PCI_LEN, journal.row.pf);
	*generation = journal.generation;
	store_journal_clear(&journal);
	return r;
}

static int end_journal(struct sriov_host *host, long id, enum recover_how how,
		       const struct sriov_options *opts, struct sriov_plan **plan,
		       struct sriov_error *err)
{
	char pf[SRIOV_PCI_LEN];
	struct change_notes notes = {0};
	struct change change;
	long generation;
	int r;

	*plan = NULL;
	r = find_open(host, id, pf, &generation, err);
	if (r < 0)
		return r;
	if (generation)
		return batch_recover(host, generation, how, opts, &notes, plan, err);
	r = change_open_unrecovered(&change, host, pf, CHANGE_READ_ALL, opts, err);
	if (!r)
		r = recover_pf(&change, how, err);
	change_give_plan(&change, plan);
	change_close(&change);
	return r;
}

SRIOV_EXPORT int sriov_journal_resume(struct sriov_host *host, long id,
				      const struct sriov_options *opts, struct sriov_plan **plan,
				      struct sriov_error *err)
{
	return end_journal(host, id, RECOVER_RESUME, opts, plan, err);
}

SRIOV_EXPORT int sriov_journal_undo(struct sriov_host *host, long id,
				    const struct sriov_options *opts, struct sriov_plan **plan,
				    struct sriov_error *err)
{
	return end_journal(host, id, RECOVER_UNDO, opts, plan, err);
}

SRIOV_EXPORT int sriov_journal_abandon(struct sriov_host *host, long id, struct sriov_error *err)
{
	const struct sriov_options opts = {.command = "journal abandon"};
	char pf[SRIOV_PCI_LEN];
	struct change change;
	long generation;
	int r = find_open(host, id, pf, &generation, err);

	if (r < 0)
		return r;
	if (generation)
		return batch_abandon(host, generation, &opts, err);
	r = change_open_unrecovered(&change, host, pf, 0, &opts, err);
	if (!r)
		r = apply_journal_status(&change, id, "abandoned", NULL, err);
	change_close(&change);
	return r;
}
