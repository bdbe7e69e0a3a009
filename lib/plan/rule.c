/* SPDX-License-Identifier: Apache-2.0 */
/* The intents of `flow add` and `flow delete`, and the list of a port's rules. */
#include "flows/flows.h"
#include "lib/plan/change.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define READ_PORT                                                                                  \
	(SRIOV_READ_VFS | SRIOV_READ_PORT | SRIOV_READ_RULES | SRIOV_READ_USES | SRIOV_READ_USERS)

static int finish(struct change *change, int r, struct sriov_plan **plan, struct sriov_error *err)
{
	if (!r)
		r = change_run(change, err);
	change_give_plan(change, plan);
	change_close(change);
	return r;
}

static const struct rule_state *named(const struct pf_state *intent, const char *name)
{
	for (size_t i = 0; i < intent->nrules; i++)
		if (!strcmp(intent->rule[i].name, name))
			return &intent->rule[i];
	return NULL;
}

/* "rule-1", "rule-2", …: the first that the port does not have. */
static void choose_name(const struct pf_state *intent, char name[SRIOV_NAME_LEN])
{
	unsigned n = 0;

	do
		snprintf(name, SRIOV_NAME_LEN, "rule-%u", ++n);
	while (named(intent, name));
}

static int refuse_name(const struct change *change, const char *name, const struct rule_state *has,
		       struct sriov_error *err)
{
	char words[256];

	sriov_entry_format(&has->entry, words, sizeof(words));
	sriov_error_set(err, -EEXIST, pf_label(change->pf),
			"rule %s exists already and says something else: %s (location %u)", name,
			words, has->entry.loc);
	return sriov_error_hint(
		err, "give another --name, or delete it first: sriovctl flow delete %s %s",
		change->pf->address, name);
}

/* The entries of ours that already are what the rule asks for keep their name. */
static const struct rule_state *ours_at(const struct pf_state *intent,
					const struct sriov_entry *entry)
{
	for (size_t i = 0; i < intent->nrules; i++)
		if (intent->rule[i].entry.loc == entry->loc &&
		    sriov_entry_same(&intent->rule[i].entry, entry))
			return &intent->rule[i];
	return NULL;
}

static bool has_ours(const struct pf_state *intent, const struct sriov_entry *entry,
		     const char *name)
{
	const struct rule_state *ours = ours_at(intent, entry);

	return ours && (!*name || !strcmp(ours->name, name));
}

static int want_entries(struct change *change, const struct sriov_rule *rule,
			const struct sriov_entry *entry, size_t n, struct sriov_error *err)
{
	char name[SRIOV_NAME_LEN];
	const struct rule_state *same = ours_at(&change->intent, &entry[0]);
	const struct rule_state *other;

	core_copy(name, sizeof(name), rule->name);
	if (!*name && same)
		core_copy(name, sizeof(name), same->name);
	else if (!*name)
		choose_name(&change->intent, name);
	other = named(&change->intent, name);
	for (size_t i = 0; other && i < n; i++)
		if (!has_ours(&change->intent, &entry[i], name))
			return refuse_name(change, name, other, err);
	for (size_t i = 0; i < n; i++) {
		struct rule_state *want = state_rule(&change->want, entry[i].loc);

		if (!want)
			return core_oom(err);
		want->present = true;
		want->entry = entry[i];
		core_copy(want->name, sizeof(want->name), name);
		core_copy(want->owner, sizeof(want->owner), rule->owner);
	}
	return 0;
}

static bool is_installed(const struct sriov_pf *pf, const struct sriov_entry *entry)
{
	for (size_t i = 0; i < pf->nrules; i++)
		if (pf->rules[i].loc == entry->loc && sriov_entry_same(&pf->rules[i], entry))
			return true;
	return false;
}

/* The table as it would be with the rules of ours that somebody took away: their places are theirs. */
static int with_missing(const struct change *change, struct sriov_entry **out, size_t *n,
			struct sriov_error *err)
{
	_free_ struct sriov_entry *rules = calloc(change->pf->nrules + change->intent.nrules + 1,
						  sizeof(*rules));

	if (!rules)
		return core_oom(err);
	*n = change->pf->nrules;
	if (*n)
		memcpy(rules, change->pf->rules, *n * sizeof(*rules));
	for (size_t i = 0; i < change->intent.nrules; i++)
		if (!is_installed(change->pf, &change->intent.rule[i].entry))
			rules[(*n)++] = change->intent.rule[i].entry;
	*out = core_steal(rules);
	return 0;
}

static int want_rule(struct change *change, const struct sriov_rule *rule, struct sriov_error *err)
{
	struct sriov_entry entry[SRIOV_RULE_ENTRIES_MAX];
	_free_ struct sriov_entry *rules = NULL;
	struct sriov_pf port = *change->pf;
	const char *note[NIC_NOTES_MAX];
	size_t n = 0, nnotes;
	int r;

	/* the plan switches ntuple on where that is all that is missing */
	if (port.ntuple == SRIOV_NTUPLE_OFF)
		port.ntuple = SRIOV_NTUPLE_ON;
	r = with_missing(change, &rules, &port.nrules, err);
	port.rules = rules;
	if (!r)
		r = sriov_rule_compile(rule, &port, entry, &n, err);
	if (r < 0)
		return r;
	core_copy(change->want.address, sizeof(change->want.address), change->pf->address);
	change->want.has = STATE_NTUPLE;
	change->want.ntuple = true;
	r = want_entries(change, rule, entry, n, err);
	nnotes = nic_profile_notes(nic_profile_find(port.driver), &port, &entry[0], note);
	for (size_t i = 0; !r && i < nnotes; i++)
		r = change_note(change, err, "%s", note[i]);
	return r;
}

SRIOV_EXPORT int sriov_flow_add(struct sriov_host *host, const char *pf,
				const struct sriov_rule *rule, const struct sriov_options *opts,
				struct sriov_plan **plan, struct sriov_error *err)
{
	struct change change;
	int r = change_open(&change, host, pf, READ_PORT, opts, err);

	if (!r)
		r = want_rule(&change, rule, err);
	return finish(&change, r, plan, err);
}

static bool selected(const struct rule_state *rule, const char *which)
{
	uint64_t loc;

	if (!which || !strcmp(rule->name, which))
		return true;
	return !core_number(which, 0, UINT32_MAX, &loc) && loc == rule->entry.loc;
}

/* What is not there needs no deleting; what somebody else has put there is not ours to delete. */
static int not_ours(struct change *change, const char *which, struct sriov_error *err)
{
	uint64_t loc;

	for (size_t i = 0; i < change->pf->nrules; i++) {
		if (core_number(which, 0, UINT32_MAX, &loc) < 0 || change->pf->rules[i].loc != loc)
			continue;
		sriov_error_set(err, -EPERM, pf_label(change->pf),
				"location %s holds a rule that somebody else made", which);
		sriov_error_hint(err, "who made it deletes it: ethtool -N %s delete %s",
				 pf_label(change->pf), which);
		return sriov_error_status(err, SRIOV_REFUSED);
	}
	return change_note(change, err, "no rule of ours is named or located %s", which);
}

static int want_deleted(struct change *change, const char *which, struct sriov_error *err)
{
	core_copy(change->want.address, sizeof(change->want.address), change->pf->address);
	for (size_t i = 0; i < change->intent.nrules; i++) {
		const struct rule_state *ours = &change->intent.rule[i];
		struct rule_state *rule;

		if (!selected(ours, which))
			continue;
		rule = state_rule(&change->want, ours->entry.loc);
		if (!rule)
			return core_oom(err);
		core_copy(rule->name, sizeof(rule->name), ours->name);
	}
	return which && !change->want.nrules ? not_ours(change, which, err) : 0;
}

SRIOV_EXPORT int sriov_flow_delete(struct sriov_host *host, const char *pf, const char *which,
				   const struct sriov_options *opts, struct sriov_plan **plan,
				   struct sriov_error *err)
{
	struct change change;
	int r = change_open(&change, host, pf, READ_PORT, opts, err);

	if (!r)
		r = want_deleted(&change, which, err);
	return finish(&change, r, plan, err);
}

/* ---- list ---- */

struct rows {
	struct sriov_flow_row *at;
	size_t n;
};

static int add_row(struct rows *rows, const struct sriov_entry *entry,
		   const struct rule_state *ours, bool installed, struct sriov_error *err)
{
	struct sriov_flow_row *row = core_grow(&rows->at, &rows->n, sizeof(*row));

	if (!row)
		return core_oom(err);
	row->entry = *entry;
	row->installed = installed;
	if (ours) {
		core_copy(row->name, sizeof(row->name), ours->name);
		core_copy(row->owner, sizeof(row->owner), ours->owner);
	}
	return 0;
}

SRIOV_EXPORT int sriov_flow_list(struct sriov_host *host, const char *pf,
				 struct sriov_flow_row **out, size_t *n, struct sriov_error *err)
{
	const struct sriov_options opts = {.dry_run = true};
	struct change change;
	struct rows rows = {0};
	int r = change_open(&change, host, pf, SRIOV_READ_PORT | SRIOV_READ_RULES, &opts, err);

	for (size_t i = 0; !r && i < change.pf->nrules; i++)
		r = add_row(&rows, &change.pf->rules[i],
			    ours_at(&change.intent, &change.pf->rules[i]), true, err);
	for (size_t i = 0; !r && i < change.intent.nrules; i++)
		if (!is_installed(change.pf, &change.intent.rule[i].entry))
			r = add_row(&rows, &change.intent.rule[i].entry, &change.intent.rule[i],
				    false, err);
	change_close(&change);
	if (r < 0) {
		free(rows.at);
		return r;
	}
	*out = rows.at;
	*n = rows.n;
	return 0;
}
