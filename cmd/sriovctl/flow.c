/* SPDX-License-Identifier: Apache-2.0 */
/* sriovctl flow: apply, add, delete, list, diff. */
#include "cmd/sriovctl/args.h"
#include "cmd/sriovctl/out.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static int set_name(char to[SRIOV_NAME_LEN], const char *option, const char *value,
		    struct sriov_error *err)
{
	if (!value)
		return 0;
	if (strlen(value) >= SRIOV_NAME_LEN)
		return sriov_error_set(err, -EINVAL, option, "longer than %d characters",
				       SRIOV_NAME_LEN - 1);
	if (*to && strcmp(to, value))
		return sriov_error_set(err, -EINVAL, option,
				       "'%s', but the rule's own words say '%s'", value, to);
	core_copy(to, SRIOV_NAME_LEN, value);
	return 0;
}

int cmd_flow_add(const struct args *args, struct sriov_host *host, struct out *out,
		 struct sriov_error *err)
{
	_free_ char *text = args_join(args, 1);
	_cleanup_(sriov_notes_clear)
	struct sriov_notes notes = {0};
	struct sriov_plan *plan = NULL;
	struct sriov_rule rule;
	int r;

	if (!text)
		return core_oom(err);
	r = sriov_rule_read(text, NULL, 1, &rule, &notes, err);
	if (!r)
		r = set_name(rule.name, "--name", args->name, err);
	if (!r)
		r = set_name(rule.owner, "--owner", args->owner, err);
	if (!r)
		r = out_notes(out, &notes, err);
	if (r < 0)
		return r;
	r = sriov_flow_add(host, args->pos[0], &rule, &args->run, &plan, err);
	return out_plans(out, plan, args->run.dry_run, r, err);
}

/* Through sriov-rte? 1, 0, or -EINVAL for its socket without it. */
static int is_rte(const struct args *args, struct sriov_error *err)
{
	if (args->run.rte || !args->socket)
		return args->run.rte;
	sriov_error_set(err, -EINVAL, "--socket", "it is where sriov-rte is asked");
	return sriov_error_hint(err, "--backend rte goes with it");
}

int cmd_flow_apply(const struct args *args, struct sriov_host *host, struct out *out,
		   struct sriov_error *err)
{
	_cleanup_(sriov_rules_clear)
	struct sriov_rules rules = {0};
	struct sriov_plan *plan = NULL;
	char found[SRIOV_PCI_LEN];
	const char *pf = args->pf;
	int r = is_rte(args, err);

	if (r)
		return r < 0 ? r : flow_apply_rte(args, out, err);
	r = sriov_rules_read(args->pos[0], &rules, err);

	for (size_t i = 0; !r && i < rules.n; i++)
		r = set_name(rules.at[i].owner, "--owner", args->owner, err);
	if (!r)
		r = out_notes(out, &rules.notes, err);
	if (!r && !pf) {
		r = sriov_flow_find_pf(host, &rules, &args->run, found, err);
		pf = found;
	}
	if (r < 0)
		return r;
	r = sriov_flow_apply(host, pf, &rules, &args->run, &plan, err);
	return out_plans(out, plan, args->run.dry_run, r, err);
}

int cmd_flow_delete(const struct args *args, struct sriov_host *host, struct out *out,
		    struct sriov_error *err)
{
	struct sriov_plan *plan = NULL;
	int r;

	if (args->all == (args->npos == 2)) {
		sriov_error_set(err, -EINVAL, "flow delete",
				args->all ? "--all and the name of a rule are given"
					  : "say which rule");
		return sriov_error_hint(err,
					"give a rule's name or location, or --all for all of ours");
	}
	r = sriov_flow_delete(host, args->pos[0], args->pos[1], &args->run, &plan, err);
	return out_plans(out, plan, args->run.dry_run, r, err);
}

/* ---- list ---- */

/* Rows of a listing by the name of their rule, for those of one rule. */
struct by_rule {
	const struct sriov_flow_row **at;
	size_t n;
};

static int by_name(const void *a, const void *b)
{
	const struct sriov_flow_row *const *x = a, *const *y = b;
	int order = strcmp((*x)->name, (*y)->name);

	return order ? order : (*x > *y) - (*x < *y);
}

static int sort_rows(const struct sriov_flow_listing *listing, struct by_rule *out)
{
	out->at = calloc(listing->nrows + 1, sizeof(*out->at));
	out->n = 0;
	if (!out->at)
		return -ENOMEM;
	for (size_t i = 0; i < listing->nrows; i++)
		if (listing->row[i].ours)
			out->at[out->n++] = &listing->row[i];
	qsort(out->at, out->n, sizeof(*out->at), by_name);
	return 0;
}

/* The rule's rows: the first and how many. */
static const struct sriov_flow_row **rows_of(const struct by_rule *rows, const char *name,
					     size_t *n)
{
	size_t low = 0, high = rows->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(rows->at[middle]->name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (*n = 0; low + *n < rows->n && !strcmp(rows->at[low + *n]->name, name); ++*n)
		;
	return rows->at + low;
}

/* "3", "1-4", "1-4,9" */
static void locations_text(const struct sriov_flow_row *const *rows, size_t n, char *buf,
			   size_t size)
{
	size_t used = 0;

	buf[0] = '\0';
	for (size_t i = 0, last; i < n && used < size; i = last + 1) {
		for (last = i;
		     last + 1 < n && rows[last + 1]->entry.loc == rows[last]->entry.loc + 1;)
			last++;
		used += snprintf(buf + used, size - used, "%s%u", i ? "," : "", rows[i]->entry.loc);
		if (last > i && used < size)
			used += snprintf(buf + used, size - used, "-%u", rows[last]->entry.loc);
	}
}

static const char *state_word(const struct sriov_flow_row *const *rows, size_t n)
{
	size_t installed = 0;

	for (size_t i = 0; i < n; i++)
		installed += rows[i]->installed;
	if (!n)
		return "left out";
	return installed == n ? "installed" : installed ? "partly missing" : "missing";
}

static void entry_text(const struct sriov_entry *entry, char *buf, size_t size)
{
	if (sriov_entry_format(entry, buf, size) < 0)
		snprintf(buf, size, "a rule of a kind that is not known here");
}

/* The rule in its own words, of which the name has a place of its own. */
static void rule_text(const struct sriov_rule *rule, char *buf, size_t size)
{
	struct sriov_rule bare = *rule;

	bare.name[0] = '\0';
	if (sriov_rule_format(&bare, buf, size) < 0)
		buf[0] = '\0';
}

static const struct column list_columns[] = {
	{"LOC"}, {"NAME"}, {"OWNER", .optional = true}, {"STATE", .optional = true}, {"RULE"},
};

/* A line for each rule of ours, and one for each of its entries where it has several; then those of others. */
static void list_rows(struct table *table, const struct sriov_flow_listing *listing,
		      const struct by_rule *sorted)
{
	char text[1024];

	for (size_t i = 0; i < listing->rules.n; i++) {
		const struct sriov_rule *rule = &listing->rules.at[i];
		size_t n;
		const struct sriov_flow_row **rows = rows_of(sorted, rule->name, &n);
		const char *state = state_word(rows, n);

		locations_text(rows, n, text, 64);
		table_cell(table, "%s", text);
		table_cell(table, "%s", rule->name);
		table_cell(table, "%s", rule->owner);
		table_cell(table, "%s", strcmp(state, "installed") ? state : "");
		rule_text(rule, text, sizeof(text));
		table_cell(table, "%s", text);
		for (size_t k = 0; k < n && n > 1; k++) {
			table_cell(table, "  %u", rows[k]->entry.loc);
			table_cell(table, " ");
			table_cell(table, " ");
			table_cell(table, "%s", rows[k]->installed ? "" : "missing");
			entry_text(&rows[k]->entry, text, sizeof(text));
			table_cell(table, "  %s", text);
		}
	}
	for (size_t i = 0; i < listing->nrows; i++) {
		const struct sriov_flow_row *row = &listing->row[i];

		if (row->ours)
			continue;
		table_cell(table, "%u", row->entry.loc);
		table_cell(table, "%s", "");
		table_cell(table, "%s", "");
		table_cell(table, "not ours");
		entry_text(&row->entry, text, sizeof(text));
		table_cell(table, "%s", text);
	}
}

static void print_counters(const struct sriov_flow_listing *listing)
{
	const struct sriov_flow_counter *counter = listing->counter;

	if (!listing->nrows)
		return;
	printf("  hits of a rule: not available");
	if (counter[0].name[0])
		printf("; of the port: %s %" PRIu64, counter[0].name, counter[0].value);
	if (counter[1].name[0])
		printf(", %s %" PRIu64, counter[1].name, counter[1].value);
	putchar('\n');
}

static int print_rules(const struct sriov_pf *pf, const struct sriov_flow_listing *listing,
		       struct sriov_error *err)
{
	TABLE(table, list_columns);
	_free_ const struct sriov_flow_row **sorted = NULL;
	struct by_rule rows;
	size_t others = 0;
	char text[64];
	int r = sort_rows(listing, &rows);

	sorted = rows.at;
	if (r < 0)
		return core_oom(err);
	for (size_t i = 0; i < listing->nrows; i++)
		others += !listing->row[i].ours;
	printf("%s: %zu rule%s", show_pf(pf, text), listing->rules.n,
	       listing->rules.n == 1 ? "" : "s");
	if (others)
		printf(", and %zu of others", others);
	putchar('\n');
	list_rows(&table, listing, &rows);
	r = table_print(&table, 2, err);
	if (!r)
		print_counters(listing);
	return r;
}

static json_t *encode_entries(const struct sriov_flow_listing *listing)
{
	json_t *array = json_array();

	for (size_t i = 0; i < listing->nrows; i++) {
		const struct sriov_flow_row *row = &listing->row[i];
		char text[512];

		entry_text(&row->entry, text, sizeof(text));
		json_array_append_new(
			array,
			json_pack("{sI so so sb sb so}", "loc", (json_int_t)row->entry.loc, "name",
				  out_text(row->name), "owner", out_text(row->owner), "ours",
				  row->ours, "installed", row->installed, "rule", out_text(text)));
	}
	return array;
}

static json_t *encode_list(const struct sriov_flow_listing *listing, const struct by_rule *sorted)
{
	json_t *array = json_array();

	for (size_t i = 0; i < listing->rules.n; i++) {
		const struct sriov_rule *rule = &listing->rules.at[i];
		json_t *locations = json_array();
		char text[1024];
		size_t n;
		const struct sriov_flow_row **rows = rows_of(sorted, rule->name, &n);

		for (size_t k = 0; k < n; k++)
			json_array_append_new(locations, json_integer(rows[k]->entry.loc));
		rule_text(rule, text, sizeof(text));
		json_array_append_new(array,
				      json_pack("{so so so ss so sn}", "name", out_text(rule->name),
						"owner", out_text(rule->owner), "rule",
						out_text(text), "state", state_word(rows, n),
						"locations", locations, "hits"));
	}
	return array;
}

static json_t *encode_counters(const struct sriov_flow_listing *listing)
{
	json_t *object = json_object();

	for (size_t i = 0; i < ARRAY_SIZE(listing->counter); i++)
		if (listing->counter[i].name[0])
			json_object_set_new(object, listing->counter[i].name,
					    json_integer(listing->counter[i].value));
	return object;
}

static json_t *encode_rules(const struct sriov_pf *pf, const struct sriov_flow_listing *listing)
{
	_free_ const struct sriov_flow_row **sorted = NULL;
	struct by_rule rows;

	if (sort_rows(listing, &rows) < 0)
		return NULL;
	sorted = rows.at;
	return json_pack("{ss so so so so}", "pf", pf->address, "netdev", out_text(pf->netdev),
			 "rules", encode_entries(listing), "list", encode_list(listing, &rows),
			 "counters", encode_counters(listing));
}

int cmd_flow_list(const struct args *args, struct sriov_host *host, struct out *out,
		  struct sriov_error *err)
{
	struct sriov_inventory *inv = NULL;
	_json_ json_t *ports = NULL;
	int r = is_rte(args, err);

	if (r)
		return r < 0 ? r : flow_list_rte(args, out, err);
	ports = json_array();
	r = sriov_inventory_read(host, args->pos[0], 0, &inv, err);

	for (size_t i = 0; !r && i < inv->npfs; i++) {
		_cleanup_(sriov_flow_listing_clear)
		struct sriov_flow_listing listing = {0};
		const struct sriov_pf *pf = &inv->pf[i];

		r = sriov_flow_list(host, pf->address, &listing, err);
		if (r < 0)
			break;
		if (out->doc)
			json_array_append_new(ports, encode_rules(pf, &listing));
		else
			r = print_rules(pf, &listing, err);
	}
	if (!r && !out->doc && !inv->npfs)
		puts(NO_PF);
	sriov_inventory_free(inv);
	return !r && out->doc ? out_add(out, "ports", core_steal(ports), err) : r;
}

/* ---- diff ---- */

static const char *const difference_words[] = {
	[SRIOV_FLOW_MISSING] = "missing",
	[SRIOV_FLOW_CHANGED] = "changed",
	[SRIOV_FLOW_EXTRA] = "extra",
	[SRIOV_FLOW_FOREIGN] = "not ours",
};

static const struct column diff_columns[] = {{"LOC", .right = true}, {"WHAT"}, {"NAME"}, {"RULE"}};

static int print_diffs(const struct sriov_flow_diff *diffs, size_t n, struct sriov_error *err)
{
	TABLE(table, diff_columns);
	char wanted[512], found[512];

	for (const struct sriov_flow_diff *diff = diffs; diff < diffs + n; diff++) {
		entry_text(&diff->wanted, wanted, sizeof(wanted));
		entry_text(&diff->found, found, sizeof(found));
		table_cell(&table, "%u", diff->loc);
		table_cell(&table, "%s", difference_words[diff->kind]);
		table_cell(&table, "%s", diff->name);
		if (diff->kind == SRIOV_FLOW_CHANGED)
			table_cell(&table, "%s; the NIC has: %s", wanted, found);
		else
			table_cell(&table, "%s", diff->kind == SRIOV_FLOW_MISSING ? wanted : found);
	}
	if (!n)
		puts("no difference");
	return table_print(&table, 0, err);
}

static json_t *encode_diffs(const struct sriov_flow_diff *diffs, size_t n)
{
	json_t *array = json_array();

	for (const struct sriov_flow_diff *diff = diffs; diff < diffs + n; diff++) {
		bool has_found = diff->kind != SRIOV_FLOW_MISSING;
		bool has_wanted = !has_found || diff->kind == SRIOV_FLOW_CHANGED;
		char wanted[512], found[512];

		entry_text(&diff->wanted, wanted, sizeof(wanted));
		entry_text(&diff->found, found, sizeof(found));
		json_array_append_new(
			array, json_pack("{sI ss so so so}", "loc", (json_int_t)diff->loc, "what",
					 difference_words[diff->kind], "name", out_text(diff->name),
					 "wanted", has_wanted ? out_text(wanted) : json_null(),
					 "found", has_found ? out_text(found) : json_null()));
	}
	return array;
}

int cmd_flow_diff(const struct args *args, struct sriov_host *host, struct out *out,
		  struct sriov_error *err)
{
	_cleanup_(sriov_rules_clear)
	struct sriov_rules rules = {0};
	_free_ struct sriov_flow_diff *diffs = NULL;
	const char *file = args->pos[1];
	size_t n = 0;
	int r = file ? sriov_rules_read(file, &rules, err) : 0;

	if (!r)
		r = sriov_flow_diff(host, args->pos[0], file ? &rules : NULL, &args->run, &diffs,
				    &n, err);
	if (!r && out->doc)
		r = out_add(out, "differences", encode_diffs(diffs, n), err);
	else if (!r)
		r = print_diffs(diffs, n, err);
	return !r && n ? SRIOV_DIFFERENCE : r;
}
