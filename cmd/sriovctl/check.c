/* SPDX-License-Identifier: Apache-2.0 */
/* sriovctl flow check and explain: the verdict on each rule of a list, and the story of one. */
#include "cmd/sriovctl/args.h"
#include "cmd/sriovctl/out.h"

#include <errno.h>
#include <sriov/probe.h>
#include <stdio.h>
#include <string.h>

static const struct column columns[] = {
	{"LINE", .right = true, .optional = true},
	{"RULE"},
	{"VERDICT"},
	{"ENTRIES", .right = true},
	{"LOC", .optional = true},
	{"FILTER", .optional = true},
	{"SHADOWED BY", .optional = true},
};

static const char *verdict_word(const struct sriov_verdict *v)
{
	return v->left_out ? "left out" : v->elsewhere ? "on bridge" : sriov_result_word(v->result);
}

static const char *rule_name(const struct sriov_rules *rules, size_t i, char buf[32])
{
	if (rules->at[i].name[0])
		return rules->at[i].name;
	snprintf(buf, 32, "%zu", i + 1);
	return buf;
}

/* "3", "3-6", "3,9" */
static void locations(const struct sriov_compiled *compiled, const struct sriov_verdict *v,
		      char *buf, size_t size)
{
	size_t used = 0;

	buf[0] = '\0';
	for (size_t i = v->first, last; i < v->first + v->n && used < size; i = last + 1) {
		const struct sriov_entry *e = compiled->entry;

		for (last = i; last + 1 < v->first + v->n && e[last + 1].loc == e[last].loc + 1;)
			last++;
		used += snprintf(buf + used, size - used, last > i ? "%s%u-%u" : "%s%u",
				 i > v->first ? "," : "", e[i].loc, e[last].loc);
	}
}

/* "5-tuple, fdir" */
static void filters_text(const struct sriov_compiled *compiled, const struct sriov_verdict *v,
			 char *buf, size_t size)
{
	unsigned told = 0;
	size_t used = 0;

	buf[0] = '\0';
	for (size_t i = v->first; compiled->filter && i < v->first + v->n && used < size; i++) {
		if (told & 1u << compiled->filter[i])
			continue;
		used += snprintf(buf + used, size - used, "%s%s", told ? ", " : "",
				 sriov_filter_word(compiled->filter[i]));
		told |= 1u << compiled->filter[i];
	}
}

static bool same_story(const struct sriov_verdict *a, const struct sriov_verdict *b)
{
	return !strcmp(verdict_word(a), verdict_word(b)) && !strcmp(a->why, b->why) &&
	       !strcmp(a->other, b->other) && !strcmp(a->hint, b->hint) &&
	       !strcmp(a->nearest, b->nearest);
}

/* "rule web: name web …"; of several in a row "rules web to 9 (lines 3 to 9)" */
static void print_head(const struct sriov_rules *rules, size_t first, size_t n)
{
	const struct sriov_rule *from = &rules->at[first], *to = &rules->at[first + n - 1];
	char words[1024], name[32];

	printf("\nrule%s %s", n > 1 ? "s" : "", rule_name(rules, first, name));
	if (n > 1) {
		printf(" to %s", rule_name(rules, first + n - 1, name));
		if (rules->file[0])
			printf(" (lines %u to %u)", from->line, to->line);
		printf(":\n");
		return;
	}
	printf(": %s\n", sriov_rule_format(from, words, sizeof(words)) ? "" : words);
}

#define ROW_MIN 5 /* so many rules in a row with one story are told as one */

/* What stands under the table of a rule that is not exact, and of those behind it with the same; how many that are. */
static size_t print_story(const struct sriov_rules *rules, const struct sriov_compiled *compiled,
			  size_t i)
{
	const struct sriov_verdict *v = &compiled->verdict[i];
	size_t n = 1;

	if (!v->why[0])
		return 1;
	while (i + n < compiled->nrules && same_story(v, &v[n]))
		n++;
	n = n < ROW_MIN ? 1 : n;
	print_head(rules, i, n);
	printf("  %s: %s\n", verdict_word(v), v->why);
	if (v->other[0])
		printf("  conflicts with %s\n", v->other);
	if (v->hint[0])
		printf("  hint: %s\n", v->hint);
	if (v->nearest[0])
		printf("  nearest: %s\n", v->nearest);
	return n;
}

#define NAMES_TOLD 6
/* "condition: not between VFs … (web, dns and 7 more)" */
static void print_condition(const struct sriov_rules *rules, const struct sriov_compiled *compiled,
			    const char *text)
{
	size_t n = 0;
	char name[32];

	printf("condition: %s (", text);
	for (size_t i = 0; i < compiled->nrules; i++)
		for (size_t k = 0; k < compiled->verdict[i].nconditions; k++)
			if (!strcmp(compiled->verdict[i].condition[k], text) && n++ < NAMES_TOLD)
				printf("%s%s", n > 1 ? ", " : "", rule_name(rules, i, name));
	if (n > NAMES_TOLD)
		printf(" and %zu more", n - NAMES_TOLD);
	printf(")\n");
}

static bool is_told(const char *const *told, size_t n, const char *text)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(told[i], text))
			return true;
	return false;
}

/* Most rules of a list share theirs; of those that name a rule only some are told. */
#define CONDITIONS_TOLD 20
static void print_conditions(const struct sriov_rules *rules, const struct sriov_compiled *compiled)
{
	const char *told[CONDITIONS_TOLD];
	size_t n = 0;

	for (size_t i = 0; i < compiled->nrules; i++)
		for (size_t k = 0; k < compiled->verdict[i].nconditions; k++) {
			const char *text = compiled->verdict[i].condition[k];

			if (n == CONDITIONS_TOLD || is_told(told, n, text))
				continue;
			printf("%s", n ? "" : "\n");
			print_condition(rules, compiled, text);
			told[n++] = text;
		}
}

/* "tcp4, udp4: dst-ip, dst-port" */
static void mask_words(const struct sriov_table_mask *mask, char *buf, size_t size)
{
	size_t used = 0;

	for (unsigned type = 0; type < SRIOV_FLOW_TYPES && used < size; type++)
		if (mask->types & 1u << type)
			used += snprintf(buf + used, size - used, "%s%s", used ? ", " : "",
					 sriov_flow_type_word(type));
	if (used + 2 >= size)
		return;
	used += snprintf(buf + used, size - used, ": ");
	sriov_mask_format(mask->type, &mask->mask, buf + used, size - used);
}

/* What is true of the list as a whole. */
static void print_table(const struct sriov_compiled *compiled)
{
	size_t left_out = 0;
	char words[256];

	for (size_t i = 0; i < compiled->nrules; i++)
		left_out += compiled->verdict[i].left_out;
	putchar('\n');
	if (!compiled->filter)
		printf("table: %zu of %u free locations used\n", compiled->nentries,
		       compiled->room);
	for (size_t i = 0; i < compiled->nuses; i++)
		printf("filter %s: %u of %u used\n", sriov_filter_word(compiled->use[i].filter),
		       compiled->use[i].used, compiled->use[i].room);
	for (size_t i = 0; i < compiled->nmasks; i++) {
		if (!compiled->mask[i].nentries)
			continue;
		mask_words(&compiled->mask[i], words, sizeof(words));
		printf("mask of %s (%zu entries)\n", words, compiled->mask[i].nentries);
	}
	if (left_out)
		printf("left out: %zu rule%s, %s\n", left_out, left_out == 1 ? "" : "s",
		       compiled->best ? "and no other choice is worth more (proved)"
				      : "a good choice, not proved to be the best");
	printf("evidence: %s\n", compiled->verdict[0].evidence);
}

static int print_verdicts(const struct sriov_rules *rules, const struct sriov_compiled *compiled,
			  struct sriov_error *err)
{
	TABLE(table, columns);
	char text[256], name[32];
	int r;

	for (size_t i = 0; i < compiled->nrules; i++) {
		const struct sriov_verdict *v = &compiled->verdict[i];

		text[0] = '\0';
		if (!compiled->filter)
			locations(compiled, v, text, sizeof(text));
		table_cell(&table, rules->file[0] ? "%u" : "", rules->at[i].line);
		table_cell(&table, "%s", rule_name(rules, i, name));
		table_cell(&table, "%s", verdict_word(v));
		table_cell(&table, "%zu", v->n);
		table_cell(&table, "%s", text);
		filters_text(compiled, v, text, sizeof(text));
		table_cell(&table, "%s", text);
		table_cell(&table,
			   v->shadow < 0 ? ""
			   : v->shadowed ? "%s"
					 : "%s (in part)",
			   v->shadow < 0 ? "" : rule_name(rules, v->shadow, name));
	}
	r = table_print(&table, 0, err);
	for (size_t i = 0; !r && i < compiled->nrules;)
		i += print_story(rules, compiled, i);
	if (!r)
		print_conditions(rules, compiled);
	if (!r && compiled->nrules)
		print_table(compiled);
	return r;
}

static json_t *encode_verdict(const struct sriov_rules *rules,
			      const struct sriov_compiled *compiled, size_t i)
{
	const struct sriov_verdict *v = &compiled->verdict[i];
	json_t *conditions = json_array(), *entries = json_array();
	char text[1024];

	for (size_t k = 0; k < v->nconditions; k++)
		json_array_append_new(conditions, out_text(v->condition[k]));
	for (size_t k = v->first; k < v->first + v->n; k++) {
		sriov_entry_format(&compiled->entry[k], text, sizeof(text));
		json_array_append_new(
			entries, json_pack("{sI so ss*}", "loc", (json_int_t)compiled->entry[k].loc,
					   "entry", out_text(text), "filter",
					   compiled->filter ? sriov_filter_word(compiled->filter[k])
							    : NULL));
	}
	if (sriov_rule_format(&rules->at[i], text, sizeof(text)))
		text[0] = '\0';
	return json_pack("{si so so ss sb ss* so so so so so sI sI sb sI sf so}", "line",
			 (int)rules->at[i].line, "name", out_text(rules->at[i].name), "rule",
			 out_text(text), "result", sriov_result_word(v->result), "left_out",
			 v->left_out, "errno", v->err ? strerrorname_np(-v->err) : NULL, "why",
			 out_text(v->why), "hint", out_text(v->hint), "nearest",
			 out_text(v->nearest), "conflict", out_text(v->other), "conditions",
			 conditions, "other_rule", (json_int_t)v->other_rule, "other_loc",
			 (json_int_t)v->other_loc, "shadowed", v->shadowed, "shadow",
			 (json_int_t)v->shadow, "cost", v->cost, "entries", entries);
}

static json_t *encode_masks(const struct sriov_compiled *compiled)
{
	json_t *array = json_array();
	char words[256];

	for (size_t i = 0; i < compiled->nmasks; i++) {
		mask_words(&compiled->mask[i], words, sizeof(words));
		json_array_append_new(array,
				      json_pack("{so sI}", "mask", out_text(words), "entries",
						(json_int_t)compiled->mask[i].nentries));
	}
	return array;
}

static json_t *encode_filters(const struct sriov_compiled *compiled)
{
	json_t *array = json_array();

	for (size_t i = 0; i < compiled->nuses; i++)
		json_array_append_new(array, json_pack("{ss si si}", "filter",
						       sriov_filter_word(compiled->use[i].filter),
						       "used", (int)compiled->use[i].used, "room",
						       (int)compiled->use[i].room));
	return array;
}

static int add_verdicts(struct out *out, const struct sriov_rules *rules,
			const struct sriov_compiled *compiled, struct sriov_error *err)
{
	json_t *array = json_array();
	int r;

	for (size_t i = 0; i < compiled->nrules; i++)
		json_array_append_new(array, encode_verdict(rules, compiled, i));
	r = out_add(out, "rules", array, err);
	if (!r)
		r = out_add(out, "masks", encode_masks(compiled), err);
	if (!r && compiled->filter)
		r = out_add(out, "filters", encode_filters(compiled), err);
	if (!r)
		r = out_add(out, "table_size", json_integer(compiled->table_size), err);
	if (!r)
		r = out_add(out, "room", json_integer(compiled->room), err);
	if (!r)
		r = out_add(out, "best", json_boolean(compiled->best), err);
	if (!r && compiled->nrules)
		r = out_add(out, "evidence", out_text(compiled->verdict[0].evidence), err);
	return r;
}

static int check(const struct args *args, struct sriov_host *host, const struct sriov_rules *rules,
		 struct sriov_compiled *compiled, struct sriov_error *err)
{
	const struct sriov_compile opts = {.allow = args->run.allow, .partial = args->run.partial};
	struct sriov_pf port;
	int r;

	if (!args->nic)
		return sriov_flow_check(host, args->pf, rules, &args->run, compiled, err);
	if (args->pf) {
		sriov_error_set(err, -EINVAL, "flow check", "--nic and --pf are given");
		return sriov_error_hint(err, "a NIC by its name, or a port of this host");
	}
	r = sriov_nic_port(args->nic, &port, err);
	if (!r && args->run.rte)
		r = sriov_nic_rte(&port, err);
	return r < 0 ? r : sriov_rules_compile(rules, &port, &opts, compiled, err);
}

/* What `flow probe` has learned of the port itself; a database that only root can read tells others nothing. */
static int tell_probed(const struct args *args, struct sriov_host *host, struct out *out,
		       struct sriov_error *err)
{
	_free_ struct sriov_evidence *rows = NULL;
	json_t *array;
	size_t n = 0;
	int r = args->nic ? 0 : sriov_evidence_list(host, args->pf, &rows, &n, err);

	if (r == -EACCES || (!r && !n))
		return 0;
	if (r < 0)
		return r;
	array = out->doc ? json_array() : NULL;
	for (const struct sriov_evidence *row = rows; row < rows + n; row++) {
		if (out->doc)
			json_array_append_new(array,
					      json_pack("{ss ss ss ss}", "question", row->question,
							"answer", row->answer, "nature",
							row->nature, "taken", row->taken));
		else
			printf("probed: %s %s (%s, %s)\n", sriov_probe_question(row->question),
			       row->answer, row->nature, row->taken);
	}
	return out->doc ? out_add(out, "probed", array, err) : 0;
}

int cmd_flow_check(const struct args *args, struct sriov_host *host, struct out *out,
		   struct sriov_error *err)
{
	_cleanup_(sriov_rules_clear)
	struct sriov_rules rules = {0};
	_cleanup_(sriov_compiled_clear)
	struct sriov_compiled compiled = {0};
	int r = sriov_rules_read(args->pos[0], &rules, err), verdict;

	if (!r)
		r = out_notes(out, &rules.notes, err);
	if (r < 0)
		return r;
	verdict = check(args, host, &rules, &compiled, err);
	if (verdict < 0 && !compiled.verdict)
		return verdict;
	r = out->doc ? add_verdicts(out, &rules, &compiled, err)
		     : print_verdicts(&rules, &compiled, err);
	if (!r)
		r = tell_probed(args, host, out, err);
	if (r < 0)
		return r;
	return verdict ? SRIOV_DIFFERENCE : 0;
}

/* ---- explain ---- */

/* A rule by its name, or by its number in the list. */
static int find_rule(const struct sriov_rules *rules, const char *which, size_t *out,
		     struct sriov_error *err)
{
	char *end;
	unsigned long number = strtoul(which, &end, 10);

	for (size_t i = 0; i < rules->n; i++) {
		if (strcmp(rules->at[i].name, which) != 0 && (*end || number != i + 1))
			continue;
		*out = i;
		return 0;
	}
	sriov_error_set(err, -ENOENT, which, "no rule of that name or number is in the list of %zu",
			rules->n);
	return sriov_error_hint(err,
				"`sriovctl flow check FILE` and `sriovctl flow list` name them");
}

/* The list that the rule is in: a file, one rule in words, or what is recorded for a port. */
static int read_list(const struct args *args, struct sriov_host *host, struct sriov_rules *rules,
		     struct sriov_error *err)
{
	if (args->npos > 1)
		return sriov_rules_read(args->pos[1], rules, err);
	if (strchr(args->pos[0], ' '))
		return sriov_rules_parse(args->pos[0], NULL, rules, err);
	if (!args->nic)
		return sriov_flow_recorded(host, args->pf, rules, err);
	sriov_error_set(err, -EINVAL, "flow explain", "a NIC by its name has no rules");
	return sriov_error_hint(err, "say in which FILE, or give the rule in words, in quotes");
}

int cmd_flow_explain(const struct args *args, struct sriov_host *host, struct out *out,
		     struct sriov_error *err)
{
	_cleanup_(sriov_rules_clear)
	struct sriov_rules rules = {0};
	_cleanup_(sriov_compiled_clear)
	struct sriov_compiled compiled = {0};
	_free_ char *text = NULL;
	size_t i = 0;
	int r = read_list(args, host, &rules, err), verdict;

	if (!r && (args->npos > 1 || !strchr(args->pos[0], ' ')))
		r = find_rule(&rules, args->pos[0], &i, err);
	if (r < 0)
		return r;
	verdict = check(args, host, &rules, &compiled, err);
	if (verdict < 0 && !compiled.verdict)
		return verdict;
	r = sriov_rule_explain(&rules, &compiled, i, &text, err);
	if (r < 0)
		return r;
	if (!out->doc)
		fputs(text, stdout);
	else
		r = out_add(out, "story", out_text(text), err)
			    ?: out_add(out, "rule", encode_verdict(&rules, &compiled, i), err);
	if (r < 0)
		return r;
	return compiled.verdict[i].result == SRIOV_EXACT || compiled.verdict[i].left_out
		       ? 0
		       : SRIOV_DIFFERENCE;
}
