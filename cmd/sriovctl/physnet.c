/* SPDX-License-Identifier: Apache-2.0 */
/* sriovctl physnet: which PFs are on which network, and the bridge of guests that have no VF there. */
#include "cmd/sriovctl/args.h"
#include "cmd/sriovctl/out.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int cmd_physnet_add(const struct args *args, struct sriov_host *host, struct out *out,
		    struct sriov_error *err)
{
	const struct sriov_physnet_request req = {.name = args->pos[0],
						  .pf = args->pos + 1,
						  .npfs = args->npos - 1,
						  .bridge = args->guest.bridge,
						  .uplink = args->uplink,
						  .sockets = args->sockets,
						  .policy = args->guest.policy};
	bool dry_run = args->run.dry_run;
	struct sriov_plan *plan = NULL;
	int r = sriov_physnet_add(host, &req, &args->run, &plan, err);

	if (!r && !out->doc) {
		printf("physnet %s:", args->pos[0]);
		for (int i = 1; i < args->npos; i++)
			printf(" %s", args->pos[i]);
		puts(dry_run ? " (dry run: nothing was changed)" : "");
		if (!plan)
			return 0;
	}
	return out_plans(out, plan, dry_run, r, err);
}

int cmd_physnet_delete(const struct args *args, struct sriov_host *host, struct out *out,
		       struct sriov_error *err)
{
	bool dry_run = args->run.dry_run;
	struct sriov_plan *plan = NULL;
	int r = sriov_physnet_delete(host, args->pos[0], &args->run, &plan, err);

	/* deleting is ensuring: without one it is done, unless the name is a slip */
	if (r == -ENOENT && !plan && !strcmp(err->object, args->pos[0])) {
		if (out->doc)
			return out_plans(out, NULL, dry_run, 0, err);
		printf("%s: nothing to do: %s\n", args->pos[0], err->message);
		if (err->hint[0])
			printf("  hint: %s\n", err->hint);
		return 0;
	}
	if (!r && !out->doc) {
		printf("physnet %s %s\n", args->pos[0],
		       dry_run ? "would be forgotten (dry run)" : "is forgotten");
		if (!plan)
			return 0;
	}
	return out_plans(out, plan, dry_run, r, err);
}

/*
 * Ends 2 if a bridge lacks something, or a port passes nothing: the steps that are shown are what `restore` would do,
 * notes are what it cannot.
 */
int cmd_physnet_check(const struct args *args, struct sriov_host *host, struct out *out,
		      struct sriov_error *err)
{
	struct sriov_plan *plan = NULL;
	size_t steps = 0, findings = 0;
	int r = sriov_physnet_check(host, args->npos ? args->pos[0] : NULL, &plan, err);

	for (const struct sriov_plan *at = plan; at; at = at->next) {
		steps += at->nsteps;
		findings += at->status == SRIOV_DIFFERENCE;
	}
	if (!r && !plan && !out->doc) {
		puts("no physnet has a bridge");
		return 0;
	}
	r = out_plans(out, plan, true, r, err);
	if (!r && steps && !out->doc)
		puts("`sriovctl restore` does that");
	return r ? r : steps || findings ? SRIOV_DIFFERENCE : 0;
}

static const struct column net_columns[] = {
	{"PHYSNET"},
	{"PF"},
	{"NETDEV"},
	{"NODE", .right = true},
	{"VFS", .right = true},
	{"FREE", .right = true},
	{"BRIDGE", .optional = true},
	{"UPLINK", .optional = true},
	{"GUESTS", .optional = true},
	{"FALLBACKS", .right = true, .optional = true},
};

/* "vf,vhostuser; numa required": what is said of guests that do not say it. */
static void policy_cell(const struct sriov_policy *policy, struct table *table)
{
	char text[80] = "";

	for (size_t i = 0; i < policy->npaths; i++) {
		size_t used = strlen(text);

		snprintf(text + used, sizeof(text) - used, "%s%s", i ? "," : "",
			 sriov_path_word(policy->path[i]));
	}
	table_cell(table, "%s%s%s%s", text, *text && policy->has_numa ? "; " : "",
		   policy->has_numa ? "numa " : "",
		   policy->has_numa ? sriov_numa_word(policy->numa) : "");
}

static json_t *encode_policy(const struct sriov_policy *policy)
{
	json_t *paths = json_array();

	for (size_t i = 0; i < policy->npaths; i++)
		json_array_append_new(paths, json_string(sriov_path_word(policy->path[i])));
	return json_pack("{so ss?}", "paths", paths, "numa",
			 policy->has_numa ? sriov_numa_word(policy->numa) : NULL);
}

/* "up-red (af_packet)" beside the PF that it is on. */
static void bridge_cells(const struct sriov_physnet *net, const char *address, struct table *table)
{
	bool here = net->bridge[0] && !strcmp(net->uplink_pf, address);

	table_cell(table, "%s", here ? net->bridge : "");
	if (here)
		table_cell(table, "%s (%s)", net->port, sriov_uplink_word(net->uplink));
	else
		table_cell(table, "%s", "");
	policy_cell(&net->policy, table);
	if (here)
		table_cell(table, "%u", net->fallbacks);
	else
		table_cell(table, "%s", "");
}

static const struct sriov_pf *find_pf(const struct sriov_inventory *inv, const char *address)
{
	for (size_t i = 0; i < inv->npfs; i++)
		if (!strcmp(inv->pf[i].address, address))
			return &inv->pf[i];
	return NULL;
}

static void net_row(const struct sriov_physnet *net, const char *address, const struct sriov_pf *pf,
		    struct table *table, json_t *array)
{
	unsigned unused = 0;

	for (unsigned v = 0; pf && pf->vf && v < pf->vfs; v++)
		unused += !pf->vf[v].uses.n && !strcmp(pool_of(&pf->vf[v]), "sriovctl");
	table_cell(table, "%s", net->name);
	table_cell(table, "%s", address);
	table_cell(table, "%s", pf ? pf->netdev : "not there");
	if (pf && pf->node >= 0)
		table_cell(table, "%d", pf->node);
	else
		table_cell(table, "-");
	table_cell(table, "%u", pf ? pf->vfs : 0);
	table_cell(table, "%u", unused);
	bridge_cells(net, address, table);
	if (array)
		json_array_append_new(array,
				      json_pack("{ss sb si si}", "pf", address, "there", !!pf,
						"vfs", pf ? (int)pf->vfs : 0, "free", (int)unused));
}

static json_t *encode_net(const struct sriov_physnet *net, json_t *pfs)
{
	json_t *bridge = net->bridge[0]
				 ? json_pack("{so ss so ss so si}", "name", out_text(net->bridge),
					     "uplink", sriov_uplink_word(net->uplink), "port",
					     out_text(net->port), "pf", net->uplink_pf, "sockets",
					     out_text(net->sockets), "fallbacks",
					     (int)net->fallbacks)
				 : json_null();

	return json_pack("{so so so so}", "name", out_text(net->name), "pfs", pfs, "bridge", bridge,
			 "guests", encode_policy(&net->policy));
}

static int show_nets(const struct sriov_physnet *nets, size_t n, const struct sriov_inventory *inv,
		     const char *only, struct out *out, struct sriov_error *err)
{
	_json_ json_t *all = out->doc ? json_array() : NULL;
	TABLE(table, net_columns);
	bool found = !only;

	for (size_t i = 0; i < n; i++) {
		json_t *pfs = all ? json_array() : NULL;

		if (only && strcmp(nets[i].name, only) != 0)
			continue;
		found = true;
		for (size_t k = 0; k < nets[i].npfs; k++)
			net_row(&nets[i], nets[i].pf[k], find_pf(inv, nets[i].pf[k]), &table, pfs);
		if (all)
			json_array_append_new(all, encode_net(&nets[i], pfs));
	}
	if (!found) {
		sriov_error_set(err, -ENOENT, only, "there is no physnet of that name");
		return sriov_error_hint(err, "`sriovctl physnet show` lists them");
	}
	if (!table.ncells && !out->doc)
		puts("no physnet: sriovctl physnet add NAME PF...");
	if (!out->doc)
		return table_print(&table, 0, err);
	table_clear(&table);
	return out_add(out, "physnets", core_steal(all), err);
}

int cmd_physnet_show(const struct args *args, struct sriov_host *host, struct out *out,
		     struct sriov_error *err)
{
	struct sriov_inventory *inv = NULL;
	struct sriov_physnet *nets = NULL;
	size_t n = 0;
	int r = sriov_physnet_list(host, &nets, &n, err);

	if (!r)
		r = sriov_inventory_read(host, NULL, SRIOV_READ_VFS | SRIOV_READ_USERS, &inv, err);
	if (!r)
		r = show_nets(nets, n, inv, args->npos ? args->pos[0] : NULL, out, err);
	sriov_physnets_free(nets, n);
	sriov_inventory_free(inv);
	return r;
}
