/* SPDX-License-Identifier: Apache-2.0 */
/* sriovctl flow import and export: rules in the words of other tools. */
#include "cmd/sriovctl/args.h"
#include "cmd/sriovctl/out.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* What a command reads: a file, or the table of a port. */
struct source {
	const char *file; /* NULL = the port */
	char netdev[16], driver[32];
	struct sriov_rules rules;
};

/* "-" and what is there as a file is one; every other name is a port's. */
static bool is_file(const char *name)
{
	return !name || !strcmp(name, "-") || strchr(name, '/') || !access(name, F_OK);
}

static int read_port(struct sriov_host *host, const char *name, struct source *source,
		     struct sriov_error *err)
{
	_cleanup_(sriov_flow_listing_clear)
	struct sriov_flow_listing listing = {0};
	struct sriov_inventory *inv = NULL;
	int r = sriov_inventory_read(host, name, 0, &inv, err);

	if (r)
		return r;
	core_copy(source->netdev, sizeof(source->netdev), inv->pf[0].netdev);
	core_copy(source->driver, sizeof(source->driver), inv->pf[0].driver);
	r = sriov_flow_list(host, inv->pf[0].address, &listing, err);
	sriov_inventory_free(inv);
	return r ? r
		 : sriov_rules_of_rows(listing.row, listing.nrows, source->driver, &source->rules,
				       err);
}

static int missing(const char *command, const char *option, struct sriov_error *err)
{
	sriov_error_set(err, -EINVAL, command, "--%s is missing", option);
	return sriov_error_hint(err, "sriovctl %s --help tells the formats", command);
}

/* Exit status 2 where something of the text is not in what was printed. */
static int tell_left_out(const struct source *source, struct sriov_error *err)
{
	size_t n = 0;

	for (size_t i = 0; i < source->rules.notes.n; i++)
		n += source->rules.notes.at[i].left_out;
	if (!n)
		return 0;
	sriov_error_set(err, -ENOTSUP, source->rules.file, "%zu rule%s could not be carried over",
			n, n == 1 ? "" : "s");
	return sriov_error_status(err, SRIOV_DIFFERENCE);
}

/* ---- import ---- */

static void print_note(const struct sriov_note *note)
{
	printf("# %s", note->left_out ? "left out: " : "");
	if (note->line)
		printf("line %u: ", note->line);
	puts(note->text);
}

static int print_rules(const struct sriov_rules *rules, struct sriov_error *err)
{
	char text[1024];
	size_t note = 0;

	for (size_t i = 0; i < rules->n; i++) {
		const struct sriov_rule *rule = &rules->at[i];

		for (; note < rules->notes.n && rules->notes.at[note].line <= rule->line; note++)
			print_note(&rules->notes.at[note]);
		if (sriov_rule_format(rule, text, sizeof(text)))
			return sriov_error_set(err, -EINVAL, rule->name,
					       "this is not a rule that could be written");
		puts(text);
	}
	for (; note < rules->notes.n; note++)
		print_note(&rules->notes.at[note]);
	return 0;
}

static int add_rules(struct out *out, const struct sriov_rules *rules, struct sriov_error *err)
{
	_json_ json_t *array = json_array();
	char text[1024];

	for (size_t i = 0; i < rules->n; i++)
		if (!sriov_rule_format(&rules->at[i], text, sizeof(text)))
			json_array_append_new(array,
					      json_pack("{si so}", "line", (int)rules->at[i].line,
							"rule", out_text(text)));
	return out_add(out, "rules", core_steal(array), err);
}

int cmd_flow_import(const struct args *args, struct sriov_host *host, struct out *out,
		    struct sriov_error *err)
{
	struct source source = {.file = args->npos ? args->pos[0] : "-"};
	int r;

	if (!args_given(args, "from"))
		return missing("flow import", "from", err);
	if (args->from == SRIOV_RULES_ETHTOOL && !is_file(source.file))
		r = read_port(host, source.file, &source, err);
	else
		r = sriov_rules_import_file(args->from, source.file, args->port_driver,
					    &source.rules, err);
	if (r)
		return r;
	if (out->doc)
		r = add_rules(out, &source.rules, err);
	else
		r = print_rules(&source.rules, err);
	if (!r && out->doc)
		r = out_notes(out, &source.rules.notes, err);
	if (!r)
		r = tell_left_out(&source, err);
	sriov_rules_clear(&source.rules);
	return r;
}

/* ---- export ---- */

int cmd_flow_export(const struct args *args, struct sriov_host *host, struct out *out,
		    struct sriov_error *err)
{
	struct source source = {.file = args->npos ? args->pos[0] : "-"};
	const char *dev = args->dev;
	_free_ char *text = NULL;
	int r;

	if (!args_given(args, "to"))
		return missing("flow export", "to", err);
	if (is_file(source.file))
		r = sriov_rules_read(source.file, &source.rules, err);
	else
		r = read_port(host, source.file, &source, err);
	if (r)
		return r;
	if (!dev && args->to == SRIOV_RULES_ETHTOOL && *source.netdev)
		dev = source.netdev;
	r = sriov_rules_export(&source.rules, args->to, dev, &text, err);
	if (!r && out->doc)
		r = out_add(out, "text", out_text(text), err);
	else if (!r)
		fputs(text, stdout);
	if (!r)
		r = out_notes(out, &source.rules.notes, err);
	if (!r)
		r = tell_left_out(&source, err);
	sriov_rules_clear(&source.rules);
	return r;
}
