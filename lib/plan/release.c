/* SPDX-License-Identifier: Apache-2.0 */
/* Ending a guest's lease, which rules may name: their target would go to the next guest of that VF. */
#include "lib/guest/guest.h"
#include "lib/plan/state.h"
#include "lib/store/store.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool names(const struct sriov_rule *rule, const struct sriov_lease *lease)
{
	const char *target = rule->action.kind == SRIOV_ACTION_GUEST ? rule->action.guest : "";
	const char *scope = rule->scope.kind == SRIOV_SCOPE_GUEST ? rule->scope.guest : "";

	return !strcmp(target, lease->guest) || !strcmp(scope, lease->guest) ||
	       (lease->uuid[0] &&
		(!strcasecmp(target, lease->uuid) || !strcasecmp(scope, lease->uuid)));
}

static int refuse(const struct sriov_lease *lease, const struct sriov_rules *list,
		  struct sriov_error *err)
{
	const char *first = NULL;
	size_t n = 0;

	for (size_t i = 0; i < list->n; i++)
		if (names(&list->at[i], lease) && !n++)
			first = list->at[i].name;
	if (!n)
		return 0;
	if (n == 1)
		sriov_error_set(err, -EBUSY, lease->guest, "rule %s of %s is about this guest",
				first, lease->pf);
	else
		sriov_error_set(err, -EBUSY, lease->guest,
				"rule %s of %s and %zu more are about this guest", first, lease->pf,
				n - 1);
	sriov_error_hint(
		err,
		"delete them first (sriovctl flow delete %s %s), or pass --force: they then "
		"go on sending to VF %u, whoever gets it",
		lease->pf, first, lease->vf);
	return sriov_error_status(err, SRIOV_REFUSED);
}

/* Refuses while rules of ours name the guest. */
static int check_rules(struct sriov_host *host, const char *guest, struct sriov_error *err)
{
	struct store_pf known = {0};
	struct pf_state intent = {0};
	struct store *store = NULL;
	struct sriov_lease lease;
	int r = store_get(host, false, &store, err);

	/* a guest without a lease, and a PF that we know nothing of, are others' to tell */
	if (r < 0 || !store || store_lease_find(store, guest, &lease, err) < 0)
		return r;
	r = store_pf_get(store, lease.pf, &known, err);
	if (!r && known.intent)
		r = state_decode(known.intent, &intent, err);
	if (!r)
		r = refuse(&lease, &intent.list, err);
	state_clear(&intent);
	store_pf_clear(&known);
	return r == -ENOENT ? 0 : r;
}

SRIOV_EXPORT int sriov_guest_release(struct sriov_host *host, const char *guest, bool force,
				     bool dry_run, struct sriov_lease *released,
				     struct sriov_error *err)
{
	int r = force ? 0 : check_rules(host, guest, err);

	return r < 0 ? r : guest_release(host, guest, force, dry_run, released, err);
}
