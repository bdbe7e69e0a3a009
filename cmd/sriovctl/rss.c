/* SPDX-License-Identifier: Apache-2.0 */
/* sriovctl rss: the port's own distribution over its RX queues; and nic wipes: what becomes of rules. */
#include "cmd/sriovctl/args.h"
#include "cmd/sriovctl/out.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* How often each queue stands in the table, in fresh memory; *@n is the highest one + 1. */
static size_t *count_queues(const struct sriov_pf *pf, size_t *n)
{
	size_t *share;

	*n = 0;
	for (size_t i = 0; i < pf->nrss; i++)
		*n = pf->rss[i] >= *n ? pf->rss[i] + 1 : *n;
	share = calloc(*n + 1, sizeof(*share));
	for (size_t i = 0; share && i < pf->nrss; i++)
		share[pf->rss[i]]++;
	return share;
}

static const struct column share_columns[] = {
	{"QUEUE", .right = true}, {"ENTRIES", .right = true}, {"SHARE", .right = true}};

static int print_table(const struct sriov_pf *pf, struct sriov_error *err)
{
	TABLE(table, share_columns);
	size_t n;
	_free_ size_t *share = count_queues(pf, &n);
	char text[64];

	if (!share)
		return core_oom(err);
	printf("%s: RSS table of %zu entries over %u queues, for all traffic that no rule catches\n",
	       show_pf(pf, text), pf->nrss, pf->queues);
	for (size_t queue = 0; queue < n; queue++) {
		if (!share[queue])
			continue;
		table_cell(&table, "%zu", queue);
		table_cell(&table, "%zu", share[queue]);
		table_cell(&table, "%.1f %%", 100.0 * share[queue] / pf->nrss);
	}
	return table_print(&table, 2, err);
}

static int encode_table(struct out *out, const struct sriov_pf *pf, struct sriov_error *err)
{
	json_t *array = json_array();
	int r = out_add(out, "pf", out_text(pf->address), err);

	for (size_t i = 0; i < pf->nrss; i++)
		json_array_append_new(array, json_integer(pf->rss[i]));
	if (!r)
		r = out_add(out, "queues", json_integer(pf->queues), err);
	if (r < 0) {
		json_decref(array);
		return r;
	}
	return out_add(out, "table", array, err);
}

int cmd_rss_show(const struct args *args, struct sriov_host *host, struct out *out,
		 struct sriov_error *err)
{
	struct sriov_inventory *inv = NULL;
	int r = sriov_inventory_read(host, args->pos[0], SRIOV_READ_PORT | SRIOV_READ_RSS, &inv,
				     err);

	if (!r && !inv->pf[0].nrss)
		r = sriov_error_set(err, -EOPNOTSUPP, args->pos[0],
				    "the driver has no RSS indirection table");
	else if (!r && out->doc)
		r = encode_table(out, &inv->pf[0], err);
	else if (!r)
		r = print_table(&inv->pf[0], err);
	sriov_inventory_free(inv);
	return r;
}

/* "2-5", or "3" alone. */
static int read_queues(const char *text, unsigned *first, unsigned *last, struct sriov_error *err)
{
	_free_ char *copy = strdup(text);
	char *dash = copy ? strchr(copy, '-') : NULL;
	uint64_t from, to;

	if (!copy)
		return core_oom(err);
	if (dash)
		*dash = '\0';
	if (core_number(copy, 0, UINT16_MAX, &from) < 0 ||
	    core_number(dash ? dash + 1 : copy, 0, UINT16_MAX, &to) < 0) {
		sriov_error_set(err, -EINVAL, text, "not a range of RX queues");
		return sriov_error_hint(err, "as in: rss set ens1f0 queues 2-5");
	}
	*first = from;
	*last = to;
	return 0;
}

int cmd_rss_set(const struct args *args, struct sriov_host *host, struct out *out,
		struct sriov_error *err)
{
	struct sriov_plan *plan = NULL;
	unsigned first = 0, last = 0;
	int r = 0;

	if (strcmp(args->pos[1], "queues") != 0) {
		sriov_error_set(err, -EINVAL, args->pos[1], "expected 'queues'");
		r = sriov_error_hint(err, "as in: rss set ens1f0 queues 2-5");
	}
	if (!r)
		r = read_queues(args->pos[2], &first, &last, err);
	if (r < 0)
		return r;
	r = sriov_rss_set(host, args->pos[0], first, last, &args->run, &plan, err);
	return out_plans(out, plan, args->run.dry_run, r, err);
}

static const struct column wipe_columns[] = {{"DRIVER"}, {"EVENT"}, {"RULES"}, {"WHY"}};

static json_t *encode_fate(const struct sriov_driver *driver, unsigned event)
{
	const struct sriov_rule_fate *fate = &driver->rules[event];

	return json_pack("{ss ss ss ss}", "driver", driver->name, "event", sriov_event_word(event),
			 "rules", sriov_fate_word(fate->fate), "why", fate->note);
}

int cmd_nic_wipes(const struct args *args, struct sriov_host *host, struct out *out,
		  struct sriov_error *err)
{
	TABLE(table, wipe_columns);
	_json_ json_t *array = json_array();
	const struct sriov_driver *driver;
	const char *only = args->pos[0];

	if (only && !sriov_driver_find(only)) {
		sriov_error_set(err, -ENOENT, only, "not a driver that is modelled");
		return sriov_error_hint(err, "modelled are ixgbe, i40e and igb");
	}
	for (size_t i = 0; (driver = sriov_driver_at(i)); i++)
		for (unsigned event = 0; event < SRIOV_EVENTS; event++) {
			if (only && strcmp(only, driver->name) != 0)
				continue;
			json_array_append_new(array, encode_fate(driver, event));
			if (out->doc)
				continue;
			table_cell(&table, "%s", driver->name);
			table_cell(&table, "%s", sriov_event_word(event));
			table_cell(&table, "%s", sriov_fate_word(driver->rules[event].fate));
			table_cell(&table, "%s", driver->rules[event].note);
		}
	return out->doc ? out_add(out, "events", core_steal(array), err)
			: table_print(&table, 0, err);
}
