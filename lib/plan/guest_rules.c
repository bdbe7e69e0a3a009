/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about a guest: which name it, and which would be lost where it goes. See guest.h. */
#include "lib/guest/physnet.h"
#include "lib/plan/bridge.h"
#include "lib/plan/guest.h"
#include "lib/plan/ruleset.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

bool guest_rule_names(const struct sriov_rule *rule, const struct sriov_lease *lease)
{
	const char *target = rule->action.kind == SRIOV_ACTION_GUEST ? rule->action.guest : "";
	const char *scope = rule->scope.kind == SRIOV_SCOPE_GUEST ? rule->scope.guest : "";

	return !strcmp(target, lease->guest) || !strcmp(scope, lease->guest) ||
	       (lease->uuid[0] &&
		(!strcasecmp(target, lease->uuid) || !strcasecmp(scope, lease->uuid)));
}

/* Whether the rule drops packets of the guest, or may: its addresses are not known here, its MAC is. */
static bool drops(const struct sriov_rule *rule, const struct sriov_lease *lease)
{
	uint8_t bits = 0xff;

	if (rule->action.kind != SRIOV_ACTION_DROP)
		return false;
	for (size_t i = 0; i < sizeof(lease->mac); i++)
		bits &= rule->mask.dst_mac[i];
	if (bits == 0xff && memcmp(rule->value.dst_mac, lease->mac, sizeof(lease->mac)) != 0)
		return false;
	return rule->scope.kind == SRIOV_SCOPE_ALL || guest_rule_names(rule, lease);
}

static const struct sriov_rule *find_same(const struct sriov_rules *list, size_t n,
					  const struct sriov_rule *rule)
{
	for (size_t i = 0; i < n; i++)
		if (ruleset_same(&list->at[i], rule))
			return &list->at[i];
	return NULL;
}

/* False only if no packet is of both: what they name of one field differs. */
static bool may_meet(const struct sriov_rule *a, const struct sriov_rule *b)
{
	struct sriov_match named = a->mask;
	const uint8_t *x = (const uint8_t *)&a->value, *y = (const uint8_t *)&b->value;
	const uint8_t *mask = (const uint8_t *)&named, *other = (const uint8_t *)&b->mask;

	/* words of other packet types are not compared, nor are ranges */
	if (a->type != b->type)
		return true;
	if (a->src_port_last || b->src_port_last)
		named.src_port = 0;
	if (a->dst_port_last || b->dst_port_last)
		named.dst_port = 0;
	for (size_t i = 0; i < sizeof(named); i++)
		if ((x[i] ^ y[i]) & mask[i] & other[i])
			return false;
	return true;
}

/*
 * Whether @there drops what rule @i of @list drops. A rule before it that does something else may take packets away,
 * unless it does that in @list too.
 */
static bool is_carried(const struct sriov_rules *list, size_t i, const struct sriov_rules *there)
{
	const struct sriov_rule *same = find_same(there, there->n, &list->at[i]);

	for (const struct sriov_rule *before = there->at; same && before < same; before++)
		if (before->action.kind != SRIOV_ACTION_DROP && may_meet(before, same) &&
		    !find_same(list, i, before))
			return false;
	return same;
}

/* Where a guest goes, and what holds there of the rules. */
struct place {
	struct sriov_rules list;
	char rules[96]; /* "a macvtap carries no rules" */
	char way[96];   /* what keeps the rules */
};

/* A bridge has the rules of the PF beside its uplink, by whose wire its frames come. */
static int find_bridge(struct change *change, const struct sriov_lease *lease,
		       const struct sriov_physnet *net, struct place *out, struct sriov_error *err)
{
	struct sriov_inventory *inv = NULL;
	const char *label = net->uplink_pf;
	int r = bridge_load_rules(change->store, net->uplink_pf, &out->list, err);

	if (!r && !host_read(change->host, net->uplink_pf, 0, &inv, NULL))
		label = pf_label(&inv->pf[0]);
	snprintf(out->rules, sizeof(out->rules), "bridge %s has the rules of %s only", lease->below,
		 label);
	snprintf(out->way, sizeof(out->way), "give %s the same rule, keep it on a VF (--paths vf)",
		 label);
	sriov_inventory_free(inv);
	return r;
}

/* 1: all rules of the change's PF hold for the lease. */
static int find_place(struct change *change, const struct sriov_lease *lease, struct place *out,
		      struct sriov_error *err)
{
	struct sriov_physnet *nets = NULL;
	const struct sriov_physnet *net = NULL, *own = NULL;
	size_t n = 0;
	int r = change->store ? store_physnet_list(change->store, &nets, &n, err) : 0;

	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		bool beside = !strcmp(nets[i].uplink_pf, change->pf->address);

		own = nets[i].bridge[0] && beside ? &nets[i] : own;
	}
	net = lease->socket[0] ? physnet_named(nets, n, lease->net) : NULL;
	if (net) {
		r = net == own ? 1 : find_bridge(change, lease, net, out, err);
	} else {
		snprintf(out->rules, sizeof(out->rules), "a %s carries no rules", lease->path);
		snprintf(out->way, sizeof(out->way), "take --paths %s",
			 own ? "vf,vhostuser" : "vf");
	}
	sriov_physnets_free(nets, n);
	return r;
}

static int refuse(struct change *change, const struct sriov_lease *lease,
		  const struct sriov_rule *rule, const struct place *place, struct sriov_error *err)
{
	sriov_error_set(err, -EBUSY, lease->guest,
			"rule %s of %s drops packets that may be for it, and %s", rule->name,
			pf_label(change->pf), place->rules);
	sriov_error_hint(err,
			 "%s, or say `in pf` in the rule if it is not about guests; --force does "
			 "it all the same",
			 place->way);
	return sriov_error_status(err, SRIOV_REFUSED);
}

int guest_check_carried(struct change *change, const struct sriov_lease *lease,
			struct sriov_error *err)
{
	const struct sriov_rules *list = &change->intent.list;
	struct place place = {0};
	int r;

	if (lease->vf >= 0 || !list->n)
		return 0;
	r = find_place(change, lease, &place, err);
	for (size_t i = 0; !r && i < list->n; i++) {
		const struct sriov_rule *rule = &list->at[i];
		bool lost = drops(rule, lease) && !is_carried(list, i, &place.list);

		if (lost && !change->opts->force)
			r = refuse(change, lease, rule, &place, err);
		else if (lost || guest_rule_names(rule, lease))
			r = change_note(change, err, "rule %s has no effect on it: %s", rule->name,
					place.rules);
	}
	sriov_rules_clear(&place.list);
	return r > 0 ? 0 : r;
}

/* Of one guest: told once, however many of the rules it is. */
static int tell_uncarried(struct change *change, const struct sriov_rules *list,
			  const struct sriov_lease *lease, struct sriov_error *err)
{
	const struct sriov_rules *before = &change->intent.list;
	const struct sriov_rule *first = NULL;
	struct place place = {0};
	char more[32] = "";
	size_t lost = 0;
	int r = find_place(change, lease, &place, err);

	for (size_t i = 0; !r && i < list->n; i++) {
		const struct sriov_rule *rule = &list->at[i];

		if (!drops(rule, lease) || find_same(before, before->n, rule) ||
		    is_carried(list, i, &place.list))
			continue;
		first = first ?: rule;
		lost++;
	}
	if (lost > 1)
		snprintf(more, sizeof(more), " and %zu more", lost - 1);
	if (lost)
		r = change_note(change, err, "drop %s%s does not hold for guest %s: %s",
				first->name, more, lease->guest, place.rules);
	sriov_rules_clear(&place.list);
	return r > 0 ? 0 : r;
}

int guest_tell_uncarried(struct change *change, const struct sriov_rules *list,
			 struct sriov_error *err)
{
	_free_ struct sriov_lease *lease = NULL;
	size_t n = 0;
	int r = change->store
			? store_lease_list(change->store, change->pf->address, &lease, &n, err)
			: 0;

	for (size_t i = 0; !r && i < n; i++)
		if (lease[i].vf < 0)
			r = tell_uncarried(change, list, &lease[i], err);
	return r;
}
