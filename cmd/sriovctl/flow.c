/* SPDX-License-Identifier: Apache-2.0 */
/* sriovctl flow: add, list, delete. */
#include "cmd/sriovctl/args.h"
#include "cmd/sriovctl/out.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The words of a rule as one text: they may have been given as one argument or as many. */
static char *join(const char **words, int n)
{
	char *text = strdup("");

	for (int i = 0; i < n && text; i++) {
		char *longer = core_printf("%s%s%s", text, i ? " " : "", words[i]);

		free(text);
		text = longer;
	}
	return text;
}

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
	_free_ char *text = join(args->pos + 1, args->npos - 1);
	struct sriov_plan *plan = NULL;
	struct sriov_notes notes = {0};
	struct sriov_rule rule;
	int r;

	if (!text)
		return core_oom(err);
	r = sriov_rule_read(text, NULL, 1, &rule, &notes, err);
	if (!r && notes.n)
		r = out_notes(out, &notes, err);
	sriov_notes_clear(&notes);
	if (!r)
		r = set_name(rule.name, "--name", args->name, err);
	if (!r)
		r = set_name(rule.owner, "--owner", args->owner, err);
	if (r < 0)
		return r;
	r = sriov_flow_add(host, args->pos[0], &rule, &args->run, &plan, err);
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

static const struct column list_columns[] = {
	{"LOC", .right = true},      {"NAME"}, {"OWNER", .optional = true},
	{"STATE", .optional = true}, {"RULE"},
};

static void entry_text(const struct sriov_entry *entry, char *buf, size_t size)
{
	if (sriov_entry_format(entry, buf, size) < 0)
		snprintf(buf, size, "a rule of a kind that is not known here");
}

static int print_rules(const struct sriov_pf *pf, const struct sriov_flow_row *rows, size_t n,
		       struct sriov_error *err)
{
	TABLE(table, list_columns);
	char text[512];

	printf("%s: %zu rule%s\n", show_pf(pf, text), n, n == 1 ? "" : "s");
	for (const struct sriov_flow_row *row = rows; row < rows + n; row++) {
		entry_text(&row->entry, text, sizeof(text));
		table_cell(&table, "%u", row->entry.loc);
		table_cell(&table, "%s", row->name);
		table_cell(&table, "%s", row->owner);
		table_cell(&table, "%s", row->installed ? "" : "not installed");
		table_cell(&table, "%s", text);
	}
	return table_print(&table, 2, err);
}

static json_t *encode_rules(const struct sriov_pf *pf, const struct sriov_flow_row *rows, size_t n)
{
	json_t *array = json_array();

	for (const struct sriov_flow_row *row = rows; row < rows + n; row++) {
		char text[512];

		entry_text(&row->entry, text, sizeof(text));
		json_array_append_new(
			array, json_pack("{sI so so sb so}", "loc", (json_int_t)row->entry.loc,
					 "name", out_text(row->name), "owner", out_text(row->owner),
					 "installed", row->installed, "rule", out_text(text)));
	}
	return json_pack("{ss so so}", "pf", pf->address, "netdev", out_text(pf->netdev), "rules",
			 array);
}

int cmd_flow_list(const struct args *args, struct sriov_host *host, struct out *out,
		  struct sriov_error *err)
{
	struct sriov_inventory *inv = NULL;
	_json_ json_t *ports = json_array();
	int r = sriov_inventory_read(host, args->pos[0], 0, &inv, err);

	for (size_t i = 0; !r && i < inv->npfs; i++) {
		_free_ struct sriov_flow_row *rows = NULL;
		const struct sriov_pf *pf = &inv->pf[i];
		size_t n = 0;

		r = sriov_flow_list(host, pf->address, &rows, &n, err);
		if (r < 0)
			break;
		if (out->doc)
			json_array_append_new(ports, encode_rules(pf, rows, n));
		else
			r = print_rules(pf, rows, n, err);
	}
	if (!r && !out->doc && !inv->npfs)
		puts(NO_PF);
	sriov_inventory_free(inv);
	return !r && out->doc ? out_add(out, "ports", core_steal(ports), err) : r;
}
