/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The intents of `flow apply`, `flow add` and `flow delete`. All of them make one list of the port's rules,
 * which is compiled as a whole: a file replaces the recorded list, adding and deleting change it.
 */
#include "lib/plan/rule.h"
#include "lib/plan/guest.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int finish(struct change *change, int r, struct sriov_plan **plan, struct sriov_error *err)
{
	if (!r)
		r = change_run(change, err);
	change_give_plan(change, plan);
	change_close(change);
	return r;
}

/* ---- what a user should know of what was compiled ---- */

/* The rule of that name: most stand where they stood. */
static const struct sriov_rule *recorded(const struct sriov_rules *list, size_t i, const char *name)
{
	if (i < list->n && !strcmp(list->at[i].name, name))
		return &list->at[i];
	return ruleset_named(list, name);
}

struct telling {
	struct change *change;
	const struct sriov_rules *list;
	struct sriov_error *err;
};

static bool stood_before(void *data, size_t i)
{
	const struct telling *telling = data;
	const struct sriov_rule *rule = &telling->list->at[i];
	const struct sriov_rule *old = recorded(&telling->change->intent.list, i, rule->name);

	return old && ruleset_same(old, rule);
}

static int note(void *data, const char *text)
{
	const struct telling *telling = data;

	return change_note(telling->change, telling->err, "%s", text);
}

static int note_verdicts(struct change *change, const struct sriov_rules *list,
			 const struct sriov_compiled *compiled, struct sriov_error *err)
{
	struct telling telling = {change, list, err};
	const struct sriov_teller teller = {stood_before, note, &telling};
	int r = sriov_compiled_tell(list, compiled, &teller);

	return r == -ENOMEM ? core_oom(err) : r;
}

/* ---- the list of a change ---- */

static int copy_list(const struct sriov_rules *from, struct sriov_rules *to,
		     struct sriov_error *err)
{
	struct pf_state copy = {0};

	if (state_set_list(&copy, from) < 0)
		return core_oom(err);
	*to = copy.list;
	return 0;
}

static bool same_action(const struct sriov_action *a, const struct sriov_action *b)
{
	return a->kind == b->kind && a->vf == b->vf && a->queue == b->queue &&
	       a->queue_last == b->queue_last && !strcmp(a->guest, b->guest);
}

/* Whoever adds a rule wants it to do something: in a file the order is in view, here it is not. */
static int check_added(const struct change *change, const struct sriov_rules *list,
		       const struct sriov_compiled *compiled, struct sriov_error *err)
{
	const struct sriov_verdict *v = &compiled->verdict[list->n - 1];
	const struct sriov_rule *before = v->shadowed ? &list->at[v->shadow] : NULL;
	char rule[RULE_WORDS] = "";

	if (!before || same_action(&before->action, &list->at[list->n - 1].action))
		return 0;
	sriov_rule_format(before, rule, sizeof(rule));
	sriov_error_set(
		err, -EEXIST, pf_label(change->pf),
		"no packet would come to this rule: the rules that are there take them all, "
		"first %s, which does something else",
		rule);
	return sriov_error_hint(err, "delete that rule first, or write the list in the order that "
				     "is meant and give it to `sriovctl flow apply`");
}

/* Compiles @list for @port, which is the PF as it is or as it will be, and wants it. */
static int want_list(struct change *change, struct sriov_rules *list, const struct sriov_pf *port,
		     const struct rule_how *how, struct sriov_error *err)
{
	struct sriov_compiled compiled = {0};
	int r = rule_compile(list, port, &change->intent, change->store, how, &compiled, err);

	if (!r && how->added)
		r = check_added(change, list, &compiled, err);
	if (!r)
		r = note_verdicts(change, list, &compiled, err);
	if (!r)
		r = guest_tell_uncarried(change, list, err);
	if (!r)
		r = rule_want(change, list, &compiled, how, err);
	sriov_compiled_clear(&compiled);
	return r;
}

/* A rule of several entries may have them anywhere: the lowest is told. */
static uint32_t location_of(const struct change *change, const char *name)
{
	for (size_t i = 0; i < change->intent.nrules; i++)
		if (!strcmp(change->intent.rule[i].name, name))
			return change->intent.rule[i].entry.loc;
	return 0;
}

static int refuse_name(const struct change *change, const struct sriov_rule *has,
		       struct sriov_error *err)
{
	struct sriov_rule bare = *has;
	char words[RULE_WORDS] = "";

	bare.name[0] = '\0';
	sriov_rule_format(&bare, words, sizeof(words));
	sriov_error_set(err, -EEXIST, pf_label(change->pf),
			"rule %s exists already and says something else: %s (location %u)",
			has->name, words, location_of(change, has->name));
	return sriov_error_hint(
		err, "give another --name, or delete it first: sriovctl flow delete %s %s",
		change->pf->address, has->name);
}

/* The rule of @list that @rule is, by its name or (without one) by what it says; NULL: it is new. */
static struct sriov_rule *find_same(const struct sriov_rules *list, const struct sriov_rule *rule)
{
	if (rule->name[0])
		return ruleset_named(list, rule->name);
	for (size_t i = 0; i < list->n; i++)
		if (ruleset_same(&list->at[i], rule))
			return &list->at[i];
	return NULL;
}

/* The recorded list with @rule: at its end, or where it stands already. */
static int with_rule(struct change *change, const struct sriov_rule *rule, struct sriov_rules *list,
		     struct sriov_error *err)
{
	struct sriov_rule *same;
	int r = copy_list(&change->intent.list, list, err);

	if (r < 0)
		return r;
	same = find_same(list, rule);
	if (same && !ruleset_same(same, rule))
		return refuse_name(change, same, err);
	if (same && rule->owner[0])
		core_copy(same->owner, sizeof(same->owner), rule->owner);
	if (!same && (ruleset_add(list, rule) < 0 || ruleset_name(list, &change->intent.list) < 0))
		return core_oom(err);
	return 0;
}

SRIOV_EXPORT int sriov_flow_add(struct sriov_host *host, const char *pf,
				const struct sriov_rule *rule, const struct sriov_options *opts,
				struct sriov_plan **plan, struct sriov_error *err)
{
	struct change change;
	struct sriov_rules list = {0};
	struct rule_how how = {.adopt = opts->adopt};
	int r = change_open(&change, host, pf, RULE_READ, opts, err);

	if (!r)
		r = with_rule(&change, rule, &list, err);
	/* what was allowed for the rules that are there goes on being allowed */
	how.allow = opts->allow | change.intent.allow;
	how.partial = opts->partial || change.intent.partial;
	how.added = !r && list.n > change.intent.list.n;
	if (!r)
		r = want_list(&change, &list, change.pf, &how, err);
	sriov_rules_clear(&list);
	return finish(&change, r, plan, err);
}

int rule_refuse_empty(const struct change *change, const struct sriov_rules *rules,
		      struct sriov_error *err)
{
	size_t n = change->intent.list.n;

	if (rules->n || !n || change->opts->force)
		return 0;
	sriov_error_set(err, -EINVAL, pf_label(change->pf),
			"the list has no rules, and %zu rule%s of ours would go", n,
			n == 1 ? "" : "s");
	sriov_error_hint(err, "if that is meant: --force, or `sriovctl flow delete %s --all`",
			 pf_label(change->pf));
	return sriov_error_status(err, SRIOV_REFUSED);
}

int rule_want_list(struct change *change, const struct sriov_rules *rules, unsigned count,
		   const struct rule_how *how, struct sriov_error *err)
{
	const struct sriov_pf then = count == change->pf->vfs ? *change->pf
							      : rule_port_with(change->pf, count);
	struct sriov_rules list = {0};
	int r = copy_list(rules, &list, err);

	if (!r && ruleset_name(&list, &change->intent.list) < 0)
		r = core_oom(err);
	if (!r)
		r = want_list(change, &list, &then, how, err);
	sriov_rules_clear(&list);
	return r;
}

SRIOV_EXPORT int sriov_flow_apply(struct sriov_host *host, const char *pf,
				  const struct sriov_rules *rules, const struct sriov_options *opts,
				  struct sriov_plan **plan, struct sriov_error *err)
{
	const struct rule_how how = {
		.allow = opts->allow, .partial = opts->partial, .adopt = opts->adopt};
	struct change change;
	int r = change_open(&change, host, pf, RULE_READ, opts, err);

	if (!r)
		r = rule_refuse_empty(&change, rules, err);
	if (!r)
		r = rule_want_list(&change, rules, change.pf->vfs, &how, err);
	return finish(&change, r, plan, err);
}

/* ---- deleting ---- */

/* Whether @which is the name of the rule, or the location of an entry of it. */
static bool is_selected(const struct change *change, const struct sriov_rule *rule,
			const char *which)
{
	const struct rule_state *at;
	uint64_t loc;

	if (!which || !strcmp(rule->name, which))
		return true;
	if (core_number(which, 0, UINT32_MAX, &loc) < 0)
		return false;
	at = state_find_rule(&change->intent, loc);
	return at && !strcmp(at->name, rule->name);
}

/* What is not there needs no deleting; what somebody else has put there is not ours to delete. */
static int not_ours(struct change *change, const char *which, struct sriov_error *err)
{
	uint64_t loc;

	if (core_number(which, 0, UINT32_MAX, &loc) < 0 || !pf_rule(change->pf, loc))
		return change_note(change, err, "no rule of ours is named or located %s", which);
	sriov_error_set(err, -EPERM, pf_label(change->pf),
			"location %s holds a rule that somebody else made", which);
	sriov_error_hint(err, "who made it deletes it: ethtool -N %s delete %s",
			 pf_label(change->pf), which);
	return sriov_error_status(err, SRIOV_REFUSED);
}

/*
 * Without the deleted ones the others may become other entries (those that were left out come in). Deleting
 * is always possible: where the rest cannot be compiled any more, its entries stay as they are recorded.
 */
static int want_rest(struct change *change, struct sriov_rules *list, struct sriov_error *err)
{
	const struct rule_how how = {.allow = change->intent.allow,
				     .partial = change->intent.partial};
	struct sriov_compiled compiled = {0};
	struct sriov_error why = {0};
	int r = list->n ? rule_compile(list, change->pf, &change->intent, change->store, &how,
				       &compiled, &why)
			: 0;
	bool known = !r;

	if (known)
		r = rule_want(change, list, &compiled, &how, err);
	else
		r = rule_want(change, list, NULL, &how, err);
	if (!r && !known)
		r = change_note(change, err, "the other rules stay as they are, but: %s: %s",
				why.object, why.message);
	sriov_compiled_clear(&compiled);
	return r;
}

static int want_deleted(struct change *change, const char *which, struct sriov_error *err)
{
	struct sriov_rules list = {0};
	size_t kept = 0;
	int r = copy_list(&change->intent.list, &list, err);

	for (size_t i = 0; !r && i < list.n; i++)
		if (!is_selected(change, &list.at[i], which))
			list.at[kept++] = list.at[i];
	if (!r && kept < list.n) {
		list.n = kept;
		r = want_rest(change, &list, err);
	} else if (!r && which) {
		r = not_ours(change, which, err);
	}
	sriov_rules_clear(&list);
	core_copy(change->want.address, sizeof(change->want.address), change->pf->address);
	return r;
}

SRIOV_EXPORT int sriov_flow_delete(struct sriov_host *host, const char *pf, const char *which,
				   const struct sriov_options *opts, struct sriov_plan **plan,
				   struct sriov_error *err)
{
	struct change change;
	int r = change_open(&change, host, pf, RULE_READ, opts, err);

	if (!r)
		r = want_deleted(&change, which, err);
	return finish(&change, r, plan, err);
}
