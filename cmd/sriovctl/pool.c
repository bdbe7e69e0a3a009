/* SPDX-License-Identifier: Apache-2.0 */
/* sriovctl pool: for whom VFs are. */
#include "cmd/sriovctl/args.h"
#include "cmd/sriovctl/out.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

const char *pool_of(const struct sriov_vf *vf)
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
