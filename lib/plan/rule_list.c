/* SPDX-License-Identifier: Apache-2.0 */
/* The list of a port's rules, and the difference between what is intended and what the NIC holds. */
#include "lib/plan/rule.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define READ_TABLE (SRIOV_READ_VFS | SRIOV_READ_PORT | SRIOV_READ_RULES)

static bool is_installed(const struct sriov_pf *pf, const struct sriov_entry *entry)
{
	const struct sriov_entry *now = pf_rule(pf, entry->loc);

	return now && sriov_entry_same(now, entry);
}

/* ---- list ---- */

static void add_row(struct sriov_flow_listing *out, const struct sriov_entry *entry,
		    const struct rule_state *ours, bool installed)
{
	struct sriov_flow_row *row = &out->row[out->nrows++];

	row->entry = *entry;
	row->installed = installed;
	row->ours = ours;
	if (ours) {
		core_copy(row->name, sizeof(row->name), ours->name);
		core_copy(row->owner, sizeof(row->owner), ours->owner);
	}
}

static int by_location(const void *a, const void *b)
{
	const struct sriov_flow_row *x = a, *y = b;

	if (x->entry.loc != y->entry.loc)
		return x->entry.loc < y->entry.loc ? -1 : 1;
	return x->installed - y->installed;
}

/* What the table holds, and what is missing from it. */
static int add_rows(const struct change *change, struct sriov_flow_listing *out)
{
	const struct sriov_pf *pf = change->pf;
	const struct pf_state *intent = &change->intent;

	out->row = calloc(pf->nrules + intent->nrules + 1, sizeof(*out->row));
	if (!out->row)
		return -ENOMEM;
	for (size_t i = 0; i < pf->nrules; i++) {
		const struct rule_state *ours = state_find_rule(intent, pf->rules[i].loc);

		if (ours && !sriov_entry_same(&ours->entry, &pf->rules[i]))
			ours = NULL;
		add_row(out, &pf->rules[i], ours, true);
	}
	for (size_t i = 0; i < intent->nrules; i++)
		if (!is_installed(pf, &intent->rule[i].entry))
			add_row(out, &intent->rule[i].entry, &intent->rule[i], false);
	qsort(out->row, out->nrows, sizeof(*out->row), by_location);
	return 0;
}

/* The driver's counters of the port, where it has them: no driver counts per rule. */
static void count(struct change *change, struct sriov_flow_listing *out)
{
	const struct sriov_driver *driver = sriov_driver_find(change->pf->driver);
	const char *names[] = {driver ? driver->rule_hits : NULL,
			       driver ? driver->rule_misses : NULL};
	const struct host_ops *ops = change->host->ops;
	uint64_t value[ARRAY_SIZE(names)];
	struct sriov_error ignored;
	size_t n = 0;

	while (n < ARRAY_SIZE(names) && names[n])
		n++;
	if (!n || !ops->counters ||
	    ops->counters(change->host, change->pf, names, value, n, &ignored) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		core_copy(out->counter[i].name, sizeof(out->counter[i].name), names[i]);
		out->counter[i].value = value[i];
	}
}

SRIOV_EXPORT void sriov_flow_listing_clear(struct sriov_flow_listing *listing)
{
	sriov_rules_clear(&listing->rules);
	free(listing->row);
	*listing = (struct sriov_flow_listing){0};
}

SRIOV_EXPORT int sriov_flow_list(struct sriov_host *host, const char *pf,
				 struct sriov_flow_listing *out, struct sriov_error *err)
{
	const struct sriov_options opts = {.dry_run = true, .looks = true};
	struct sriov_flow_listing listing = {0};
	struct change change;
	int r = change_open(&change, host, pf, READ_TABLE, &opts, err);

	if (!r && add_rows(&change, &listing) < 0)
		r = core_oom(err);
	if (!r) {
		count(&change, &listing);
		listing.rules = change.intent.list;
		change.intent.list = (struct sriov_rules){0};
	}
	change_close(&change);
	if (r < 0) {
		sriov_flow_listing_clear(&listing);
		return r;
	}
	*out = listing;
	return 0;
}

/* ---- what a list would be ---- */

/* What @rules would be in the table, laid over what is recorded. */
static int want_rules(struct change *change, const struct sriov_rules *rules,
		      const struct sriov_options *opts, struct pf_state *wanted,
		      struct sriov_error *err)
{
	const struct rule_how how = {
		.allow = opts->allow, .partial = opts->partial, .adopt = opts->adopt};
	struct sriov_compiled compiled = {0};
	struct pf_state copy = {0};
	int r = state_set_list(&copy, rules) < 0 ||
				ruleset_name(&copy.list, &change->intent.list) < 0
			? core_oom(err)
			: 0;

	if (!r)
		r = rule_compile(&copy.list, change->pf, &change->intent, change->store, &how,
				 &compiled, err);
	if (!r)
		r = rule_want(change, &copy.list, &compiled, &how, err);
	if (!r)
		r = state_merge(wanted, &change->intent, err);
	if (!r)
		r = state_merge(wanted, &change->want, err);
	sriov_compiled_clear(&compiled);
	state_clear(&copy);
	return r;
}

/* ---- the PF that a list can only be for ---- */

/* PFs that can have the list, and why the last of the others cannot. */
struct search {
	const struct sriov_rules *rules;
	const struct sriov_options *opts;
	char found[SRIOV_PCI_LEN];
	char names[300];
	size_t n;
	struct sriov_error why;
};

static int try_pf(struct sriov_host *host, const char *address, struct search *search,
		  struct sriov_error *err)
{
	struct sriov_options look = *search->opts;
	struct pf_state wanted = {0};
	struct change change;
	size_t used = strlen(search->names);
	int r;

	look.dry_run = look.looks = true;
	r = change_open(&change, host, address, READ_TABLE, &look, err);
	if (r < 0) {
		change_close(&change);
		return r;
	}
	if (!want_rules(&change, search->rules, search->opts, &wanted, &search->why)) {
		core_copy(search->found, sizeof(search->found), address);
		snprintf(search->names + used, sizeof(search->names) - used, "%s%s",
			 search->n++ ? ", " : "", pf_label(change.pf));
	}
	state_clear(&wanted);
	change_close(&change);
	return 0;
}

SRIOV_EXPORT int sriov_flow_find_pf(struct sriov_host *host, const struct sriov_rules *rules,
				    const struct sriov_options *opts, char pf[SRIOV_PCI_LEN],
				    struct sriov_error *err)
{
	struct search search = {.rules = rules, .opts = opts};
	struct sriov_inventory *inv = NULL;
	int r = host_read(host, NULL, 0, &inv, err);

	for (size_t i = 0; !r && i < inv->npfs; i++)
		r = try_pf(host, inv->pf[i].address, &search, err);
	if (!r && search.n == 1) {
		core_copy(pf, SRIOV_PCI_LEN, search.found);
	} else if (!r && search.n) {
		sriov_error_set(err, -ENXIO, "flow apply", "several PFs can have these rules: %s",
				search.names);
		r = sriov_error_hint(err, "say which: --pf PF");
	} else if (!r && inv->npfs == 1) {
		/* of one PF, the reason is the answer */
		if (err)
			*err = search.why;
		r = search.why.code;
	} else if (!r) {
		sriov_error_set(
			err, -ENXIO, "flow apply", "no PF of this host can have these rules%s%s",
			search.why.message[0] ? "; the last one: " : "", search.why.message);
		r = sriov_error_hint(err, "`sriovctl flow check FILE --pf PF` tells of each rule");
	}
	sriov_inventory_free(inv);
	return r;
}

/* ---- diff ---- */

struct diffs {
	struct sriov_flow_diff *at;
	size_t n;
};

static int add_diff(struct diffs *diffs, enum sriov_flow_difference kind, const char *name,
		    const struct sriov_entry *wanted, const struct sriov_entry *found)
{
	struct sriov_flow_diff *diff = core_grow(&diffs->at, &diffs->n, sizeof(*diff));

	if (!diff)
		return -ENOMEM;
	diff->kind = kind;
	core_copy(diff->name, sizeof(diff->name), name);
	diff->loc = wanted ? wanted->loc : found->loc;
	if (wanted)
		diff->wanted = *wanted;
	if (found)
		diff->found = *found;
	return 0;
}

/* @wanted against the table; both are by location. */
static int compare(const struct change *change, const struct pf_state *wanted, struct diffs *diffs)
{
	const struct sriov_pf *pf = change->pf;
	size_t i = 0, k = 0;
	int r = 0;

	while (!r && (i < wanted->nrules || k < pf->nrules)) {
		const struct rule_state *want = i < wanted->nrules ? &wanted->rule[i] : NULL;
		const struct sriov_entry *now = k < pf->nrules ? &pf->rules[k] : NULL;
		const struct rule_state *ours;

		if (want && now && want->entry.loc != now->loc) {
			if (want->entry.loc < now->loc)
				now = NULL;
			else
				want = NULL;
		}
		i += !!want;
		k += !!now;
		ours = now ? state_find_rule(&change->intent, now->loc) : NULL;
		if (want && !now)
			r = add_diff(diffs, SRIOV_FLOW_MISSING, want->name, &want->entry, NULL);
		else if (want && !sriov_entry_same(&want->entry, now))
			r = add_diff(diffs, SRIOV_FLOW_CHANGED, want->name, &want->entry, now);
		else if (!want && ours && sriov_entry_same(&ours->entry, now))
			r = add_diff(diffs, SRIOV_FLOW_EXTRA, ours->name, NULL, now);
		else if (!want)
			r = add_diff(diffs, SRIOV_FLOW_FOREIGN, "", NULL, now);
	}
	return r;
}

SRIOV_EXPORT int sriov_flow_diff(struct sriov_host *host, const char *pf,
				 const struct sriov_rules *rules, const struct sriov_options *opts,
				 struct sriov_flow_diff **out, size_t *n, struct sriov_error *err)
{
	struct sriov_options look = *opts;
	struct pf_state wanted = {0};
	struct diffs diffs = {0};
	struct change change;
	int r;

	look.dry_run = look.looks = true;
	r = change_open(&change, host, pf, READ_TABLE, &look, err);
	if (!r && rules)
		r = want_rules(&change, rules, opts, &wanted, err);
	else if (!r)
		r = state_merge(&wanted, &change.intent, err);
	if (!r && compare(&change, &wanted, &diffs) < 0)
		r = core_oom(err);
	state_clear(&wanted);
	change_close(&change);
	if (r < 0) {
		free(diffs.at);
		return r;
	}
	*out = diffs.at;
	*n = diffs.n;
	return 0;
}
