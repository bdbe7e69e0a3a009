/* SPDX-License-Identifier: Apache-2.0 */
/* sriovctl vf: create, list, show, set, bind, delete. */
#include "cmd/sriovctl/args.h"
#include "cmd/sriovctl/out.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Every driver takes both rates in one message: one alone would silently clear the other. */
static int check_rates(const struct args *args, struct sriov_error *err)
{
	if (!args_given(args, "min-rate") || args_given(args, "max-rate"))
		return 0;
	sriov_error_set(err, -EINVAL, "--min-rate", "also needs --max-rate");
	return sriov_error_hint(err, "the kernel takes both together; --max-rate 0 is unlimited");
}

int cmd_vf_create(const struct args *args, struct sriov_host *host, struct out *out,
		  struct sriov_error *err)
{
	struct sriov_vf_create want = {
		.count = args->count,
		.attrs = args->attrs,
		.mac_auto = args->mac_auto,
		.bind = args->driver,
		.pool = args->pool,
	};
	struct sriov_plan *plan = NULL;
	int r = check_rates(args, err);

	if (r < 0)
		return r;
	if (!args->count) {
		sriov_error_set(err, -EINVAL, "vf create", "--count is missing");
		return sriov_error_hint(err, "usage: sriovctl vf create PF --count N (see --help)");
	}
	memcpy(want.mac_first, args->attrs.mac, sizeof(want.mac_first));
	r = sriov_vf_create(host, args->pos[0], &want, &args->run, &plan, err);
	return out_plans(out, plan, args->run.dry_run, r, err);
}

int cmd_vf_set(const struct args *args, struct sriov_host *host, struct out *out,
	       struct sriov_error *err)
{
	struct sriov_plan *plan = NULL;
	struct sriov_vfset vfs;
	int r = check_rates(args, err);

	if (!r)
		r = sriov_vfset_parse(args->pos[1], &vfs, err);
	if (r < 0)
		return r;
	if (!args->attrs.has && !args->mac_auto) {
		sriov_error_set(err, -EINVAL, "vf set", "no attribute was given");
		return sriov_error_hint(err, "for example --vlan 100 or --trust on (see --help)");
	}
	r = sriov_vf_set(host, args->pos[0], &vfs, &args->attrs, args->mac_auto, &args->run, &plan,
			 err);
	return out_plans(out, plan, args->run.dry_run, r, err);
}

int cmd_vf_bind(const struct args *args, struct sriov_host *host, struct out *out,
		struct sriov_error *err)
{
	struct sriov_plan *plan = NULL;
	struct sriov_vfset vfs;
	int r = sriov_vfset_parse(args->pos[1], &vfs, err);

	if (r < 0)
		return r;
	if (!args_given(args, "driver")) {
		sriov_error_set(err, -EINVAL, "vf bind", "--driver is missing");
		return sriov_error_hint(err,
					"--driver vfio-pci, default (the kernel's own) or none");
	}
	r = sriov_vf_bind(host, args->pos[0], &vfs, args->driver, &args->run, &plan, err);
	return out_plans(out, plan, args->run.dry_run, r, err);
}

int cmd_vf_delete(const struct args *args, struct sriov_host *host, struct out *out,
		  struct sriov_error *err)
{
	struct sriov_plan *plan = NULL;
	int r = sriov_vf_delete(host, args->pos[0], &args->run, &plan, err);

	return out_plans(out, plan, args->run.dry_run, r, err);
}

#define READ_VFS (SRIOV_READ_VFS | SRIOV_READ_ATTRS | SRIOV_READ_USERS)

int cmd_vf_list(const struct args *args, struct sriov_host *host, struct out *out,
		struct sriov_error *err)
{
	struct sriov_inventory *inv = NULL;
	int r = sriov_inventory_read(host, args->pos[0], READ_VFS, &inv, err);

	if (r < 0)
		return r;
	if (out->doc)
		r = out_vfs(out, inv, err);
	else if (!inv->npfs)
		puts(NO_PF);
	for (size_t i = 0; !out->doc && !r && i < inv->npfs; i++) {
		const struct sriov_pf *pf = &inv->pf[i];
		char name[64];

		if (i && (pf->vfs || pf[-1].vfs))
			putchar('\n');
		printf("%s: %u of %u VFs\n", show_pf(pf, name), pf->vfs, pf->vfs_total);
		r = show_vfs(pf, SHOW_LIST, 2, err);
	}
	sriov_inventory_free(inv);
	return r;
}

static int find_vf(const struct sriov_pf *pf, const char *text, unsigned *out,
		   struct sriov_error *err)
{
	char object[96];
	uint64_t index;

	if (core_number(text, 0, SRIOV_VF_MAX - 1, &index) < 0) {
		sriov_error_set(err, -EINVAL, text, "not a VF index");
		return sriov_error_hint(err, "`sriovctl vf list %s` shows them", pf->address);
	}
	if (pf->vf && index < pf->vfs) {
		*out = index;
		return 0;
	}
	snprintf(object, sizeof(object), "vf %" PRIu64 " of %s", index, pf->address);
	if (!pf->vfs) {
		sriov_error_set(err, -ENOENT, object, "the PF has no VFs");
		return sriov_error_hint(err, "`sriovctl vf create %s --count N` makes some",
					pf->address);
	}
	return sriov_error_set(err, -ENOENT, object, "no such VF: the PF has VFs 0 to %u",
			       pf->vfs - 1);
}

int cmd_vf_show(const struct args *args, struct sriov_host *host, struct out *out,
		struct sriov_error *err)
{
	struct sriov_inventory *inv = NULL;
	unsigned index = 0;
	int r = sriov_inventory_read(host, args->pos[0], READ_VFS, &inv, err);

	if (r < 0)
		return r;
	r = find_vf(&inv->pf[0], args->pos[1], &index, err);
	if (!r && out->doc) {
		r = out_vf(out, inv, index, err);
	} else if (!r) {
		char name[64];

		printf("VF %u of %s\n", index, show_pf(&inv->pf[0], name));
		r = show_vf(&inv->pf[0].vf[index], err);
	}
	sriov_inventory_free(inv);
	return r;
}
