/* SPDX-License-Identifier: Apache-2.0 */
/* sriovctl pool and physnet: for whom VFs are, and which PFs are on which network. */
#include "cmd/sriovctl/args.h"
#include "cmd/sriovctl/out.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *pool_of(const struct sriov_vf *vf)
{
	return vf->pool[0] ? vf->pool : "sriovctl";
}

int cmd_pool_set(const struct args *args, struct sriov_host *host, struct out *out,
		 struct sriov_error *err)
{
	bool dry_run = args->run.dry_run;
	struct sriov_vfset vfs;
	int r = sriov_vfset_parse(args->pos[1], &vfs, err);

	if (!r)
		r = sriov_pool_set(host, args->pos[0], &vfs, args->pos[2], args->run.force, dry_run,
				   err);
	if (r < 0)
		return r;
	if (out->doc)
		return out_add(out, "dry_run", json_boolean(dry_run), err);
	printf("%s: VFs %s %s pool %s%s\n", args->pos[0], args->pos[1],
	       dry_run ? "would be in" : "are in", args->pos[2],
	       dry_run ? " (dry run: nothing was changed)" : "");
	return 0;
}

static const struct column pool_columns[] = {{"PF"}, {"VFS"}, {"POOL"}, {"FREE", .right = true}};

/* "0-7" */
static const char *range(unsigned first, unsigned last, char buf[24])
{
	snprintf(buf, 24, first == last ? "%u" : "%u-%u", first, last);
	return buf;
}

/* Runs of VFs of one pool. */
static void pool_rows(const struct sriov_pf *pf, struct table *table, json_t *array)
{
	char vfs[24];

	for (unsigned i = 0, last; pf->vf && i < pf->vfs; i = last + 1) {
		unsigned unused = 0;

		last = i;
		while (last + 1 < pf->vfs &&
		       !strcmp(pool_of(&pf->vf[last + 1]), pool_of(&pf->vf[i])))
			last++;
		for (unsigned v = i; v <= last; v++)
			unused += !pf->vf[v].uses.n;
		range(pf->vf[i].index, pf->vf[last].index, vfs);
		table_cell(table, "%s", pf->netdev[0] ? pf->netdev : pf->address);
		table_cell(table, "%s", vfs);
		table_cell(table, "%s", pool_of(&pf->vf[i]));
		table_cell(table, "%u", unused);
		if (array)
			json_array_append_new(array,
					      json_pack("{ss ss so si}", "pf", pf->address, "vfs",
							vfs, "pool", out_text(pool_of(&pf->vf[i])),
							"free", (int)unused));
	}
}

int cmd_pool_show(const struct args *args, struct sriov_host *host, struct out *out,
		  struct sriov_error *err)
{
	_json_ json_t *array = out->doc ? json_array() : NULL;
	struct sriov_inventory *inv = NULL;
	TABLE(table, pool_columns);
	int r = sriov_inventory_read(host, args->npos ? args->pos[0] : NULL,
				     SRIOV_READ_VFS | SRIOV_READ_USERS, &inv, err);

	for (size_t i = 0; !r && i < inv->npfs; i++)
		pool_rows(&inv->pf[i], &table, array);
	sriov_inventory_free(inv);
	if (r < 0)
		return r;
	if (!table.ncells && !out->doc)
		puts("no PF has VFs");
	if (!out->doc)
		return table_print(&table, 0, err);
	table_clear(&table);
	return out_add(out, "pools", core_steal(array), err);
}

/* ---- networks ---- */

int cmd_physnet_add(const struct args *args, struct sriov_host *host, struct out *out,
		    struct sriov_error *err)
{
	bool dry_run = args->run.dry_run;
	int r = sriov_physnet_add(host, args->pos[0], args->pos + 1, args->npos - 1, dry_run, err);

	if (r < 0)
		return r;
	if (out->doc)
		return out_add(out, "dry_run", json_boolean(dry_run), err);
	printf("physnet %s:", args->pos[0]);
	for (int i = 1; i < args->npos; i++)
		printf(" %s", args->pos[i]);
	puts(dry_run ? " (dry run: nothing was changed)" : "");
	return 0;
}

int cmd_physnet_delete(const struct args *args, struct sriov_host *host, struct out *out,
		       struct sriov_error *err)
{
	bool dry_run = args->run.dry_run;
	int r = sriov_physnet_delete(host, args->pos[0], dry_run, err);

	if (r < 0)
		return r;
	if (out->doc)
		return out_add(out, "dry_run", json_boolean(dry_run), err);
	printf("physnet %s %s\n", args->pos[0],
	       dry_run ? "would be forgotten (dry run)" : "is forgotten");
	return 0;
}

static const struct column net_columns[] = {{"PHYSNET"},
					    {"PF"},
					    {"NETDEV"},
					    {"NODE", .right = true},
					    {"VFS", .right = true},
					    {"FREE", .right = true}};

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
	if (array)
		json_array_append_new(array,
				      json_pack("{ss sb si si}", "pf", address, "there", !!pf,
						"vfs", pf ? (int)pf->vfs : 0, "free", (int)unused));
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
			json_array_append_new(all, json_pack("{so so}", "name",
							     out_text(nets[i].name), "pfs", pfs));
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
