/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about guests: which VF a name means, and which rules wait for their guest. See rule.h. */
#include "lib/guest/choose.h"
#include "lib/guest/physnet.h"
#include "lib/plan/rule.h"
#include "lib/rte/message.h"

#include <errno.h>
#include <string.h>

/* ---- the VF of a guest ---- */

/* Of the guest's leases the VF of this port, if it has one here; else any, for the error. */
static int read_lease(const struct rule_guests *guests, const char *name, struct sriov_lease *out,
		      struct sriov_error *err)
{
	_free_ struct sriov_lease *lease = NULL;
	size_t n = 0, best = 0;
	int r = guests->store ? store_lease_of(guests->store, name, &lease, &n, err) : 0;

	if (r < 0 || !n)
		return r < 0 ? r : -ENOENT;
	for (size_t i = 0; guests->moved && i < n; i++)
		if (lease[i].id == guests->moved->id)
			lease[i] = *guests->moved;
	for (size_t i = 0; i < n; i++)
		if (!strcmp(lease[i].pf, guests->port->address) &&
		    (lease[i].vf >= 0 || lease[i].socket[0]))
			best = i;
	*out = lease[best];
	return 0;
}

/* Rules about one guest mostly stand together: the database is asked once for all of them. */
static int find_lease(struct rule_guests *guests, const char *name, struct sriov_lease *out,
		      struct sriov_error *err)
{
	if (!guests->asked || strcmp(guests->name, name) != 0) {
		guests->asked = false;
		guests->found = read_lease(guests, name, &guests->lease, err);
		if (guests->found < 0 && guests->found != -ENOENT)
			return guests->found;
		core_copy(guests->name, sizeof(guests->name), name);
		guests->asked = true;
	}
	if (!guests->found)
		*out = guests->lease;
	return guests->found;
}

/* A guest on a bridge whose uplink this port is: the rule is among the bridge's flows, and not in the table. */
static int is_behind(const struct rule_guests *guests, const struct sriov_lease *lease,
		     struct sriov_error *err)
{
	struct sriov_physnet *nets = NULL;
	const struct sriov_physnet *net;
	size_t n = 0;
	int r = store_physnet_list(guests->store, &nets, &n, err);

	if (r < 0)
		return r;
	net = physnet_named(nets, n, lease->net);
	if (net && !strcmp(net->uplink_pf, guests->port->address)) {
		r = 1;
	} else {
		sriov_error_set(err, -EXDEV, lease->guest,
				"the guest is on bridge %s, whose rules are those of %s",
				lease->below, net ? net->uplink_pf : "no PF");
		r = sriov_error_hint(err, "put the rule there");
	}
	sriov_physnets_free(nets, n);
	return r;
}

int rule_guest_vf(void *data, const char *name, unsigned *vf, struct sriov_error *err)
{
	struct rule_guests *guests = data;
	struct sriov_lease lease;
	int r;

	if (guests->rte)
		return rte_refuse_guest(name, err);
	r = find_lease(guests, name, &lease, err);
	if (r == -ENOENT) {
		sriov_error_set(err, r, name, "the guest holds no VF");
		return sriov_error_hint(err,
					"give it one first: sriovctl guest attach '%s' --pf %s",
					name, pf_label(guests->port));
	}
	if (r < 0)
		return r;
	if (lease.vf < 0 && lease.socket[0])
		return is_behind(guests, &lease, err);
	if (lease.vf < 0) {
		sriov_error_set(err, -EOPNOTSUPP, name,
				"the guest is on a %s, which carries no rules of the NIC",
				lease.path);
		return sriov_error_hint(err, "give it a VF: sriovctl guest attach '%s' --paths vf",
					name);
	}
	if (strcmp(lease.pf, guests->port->address) != 0) {
		sriov_error_set(err, -EXDEV, name, "the guest's VF %d is of %s, not of %s",
				lease.vf, lease.pf, pf_label(guests->port));
		return sriov_error_hint(err, "put the rule on %s", lease.pf);
	}
	if (!strcmp(lease.state, "stale")) {
		sriov_error_set(err, -ESTALE, name,
				"the guest's lease %ld is of a VF that is no more", lease.id);
		return sriov_error_hint(err,
					"sriovctl guest detach '%s', then guest attach gives it "
					"another VF",
					name);
	}
	*vf = lease.vf;
	return 0;
}

/* ---- rules that wait for their guest ---- */

static const char *guest_of(const struct sriov_rule *rule)
{
	if (rule->action.kind == SRIOV_ACTION_GUEST)
		return rule->action.guest;
	return rule->scope.kind == SRIOV_SCOPE_GUEST ? rule->scope.guest : NULL;
}

/*
 * A rule waits while its guest is stopped, as far as libvirt's hook tells; and one that is recorded also while its
 * guest has no VF at all, for Nova's guests get one at each start. 1: it waits.
 */
static int waits(struct rule_guests *guests, const struct pf_state *intent,
		 const struct sriov_rule *rule, struct sriov_error *err)
{
	const char *guest = guest_of(rule);
	const struct sriov_rule *recorded;
	struct sriov_lease lease;
	int r;

	if (!guest || guests->rte)
		return 0;
	r = find_lease(guests, guest, &lease, err);
	if (!r && strcmp(lease.state, "stale") != 0)
		return lease.vf >= 0 && guest_lease_waits(&lease);
	if (r < 0 && r != -ENOENT)
		return r;
	recorded = ruleset_named(&intent->list, rule->name);
	return recorded && ruleset_same(recorded, rule);
}

int rule_find_waiting(const struct sriov_rules *list, struct rule_guests *guests,
		      const struct pf_state *intent, bool **out, size_t *n, struct sriov_error *err)
{
	_free_ bool *waiting = calloc(list->n + 1, sizeof(*waiting));

	*n = 0;
	if (!waiting)
		return core_oom(err);
	for (size_t i = 0; i < list->n; i++) {
		int r = waits(guests, intent, &list->at[i], err);

		if (r < 0)
			return r;
		waiting[i] = r;
		*n += r;
	}
	*out = core_steal(waiting);
	return 0;
}

int rule_spread_verdicts(const bool *waiting, size_t n, struct sriov_compiled *compiled)
{
	struct sriov_verdict *verdict = calloc(n + 1, sizeof(*verdict));
	_free_ size_t *place = calloc(n + 1, sizeof(*place));
	size_t from = 0;

	if (!verdict || !place) {
		free(verdict);
		return -ENOMEM;
	}
	for (size_t i = 0; i < n; i++) {
		verdict[i] = (struct sriov_verdict){.why = "it waits for its guest to start",
						    .hint = "",
						    .nearest = "",
						    .evidence = "",
						    .other_rule = -1,
						    .other_loc = -1,
						    .other = "",
						    .left_out = true,
						    .shadow = -1};
		if (waiting[i] || from >= compiled->nrules)
			continue;
		place[from] = i;
		verdict[i] = compiled->verdict[from++];
	}
	for (size_t i = 0; i < from; i++) {
		struct sriov_verdict *v = &verdict[place[i]];

		v->other_rule = v->other_rule < 0 ? -1 : (long)place[v->other_rule];
		v->shadow = v->shadow < 0 ? -1 : (long)place[v->shadow];
	}
	free(compiled->verdict);
	compiled->verdict = verdict;
	compiled->nrules = n;
	return 0;
}
