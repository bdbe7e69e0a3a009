/* SPDX-License-Identifier: Apache-2.0 */
/* sriovctl guest: xml, list, release. */
#include "cmd/sriovctl/args.h"
#include "cmd/sriovctl/out.h"

#include <sriov/guest.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define DOMAIN_MAX (1 << 20) /* what the library reads of a domain, see sriov_guest_xml() */

static json_t *encode_lease(const struct sriov_lease *lease)
{
	return json_pack("{sI so so ss si ss si si ss si ss}", "id", (json_int_t)lease->id, "guest",
			 out_text(lease->guest), "uuid", out_text(lease->uuid), "state",
			 lease->state, "generation", (int)lease->generation, "pf", lease->pf, "vf",
			 (int)lease->vf, "epoch", (int)lease->epoch, "address", lease->address,
			 "node", lease->node, "created", lease->created);
}

int cmd_guest_xml(const struct args *args, struct sriov_host *host, struct out *out,
		  struct sriov_error *err)
{
	struct sriov_guest_request req = {
		.guest = args->pos[0], .pf = args->pf, .node = args->node};
	_free_ char *domain = NULL, *xml = NULL, *reason = NULL;
	struct sriov_lease lease;
	int r = 0;

	if (args->pf && args->node >= 0) {
		sriov_error_set(err, -EINVAL, "guest xml", "--pf and --node are both given");
		return sriov_error_hint(err, "a PF is on one node already: give one of them");
	}
	if (args->domain) {
		bool in = !strcmp(args->domain, "-");

		r = core_read_file(AT_FDCWD, in ? "/dev/stdin" : args->domain, DOMAIN_MAX, &domain,
				   NULL);
		if (r < 0)
			return core_errno(err, r, in ? "standard input" : args->domain,
					  "the domain XML cannot be read");
		req.domain_xml = domain;
	}
	r = sriov_guest_xml(host, &req, args->run.dry_run, &xml, &lease, &reason, err);
	if (r < 0)
		return r;
	if (out->doc) {
		r = out_add(out, "xml", out_text(xml), err);
		if (!r)
			r = out_add(out, "reason", out_text(reason), err);
		if (!r)
			r = out_add(out, "dry_run", json_boolean(args->run.dry_run), err);
		return r ? r : out_add(out, "lease", encode_lease(&lease), err);
	}
	/* standard output is for virsh: only the XML */
	printf("%s%s", xml, *xml && xml[strlen(xml) - 1] == '\n' ? "" : "\n");
	fprintf(stderr, "%s%s\n", reason,
		args->run.dry_run ? " (dry run: nothing was leased)" : "");
	return 0;
}

static const struct column lease_columns[] = {
	{"GUEST"},   {"STATE"},
	{"PF"},      {"VF", .right = true},
	{"ADDRESS"}, {"NODE", .right = true},
	{"CREATED"}, {"UUID", .optional = true},
};

static int print_leases(const struct sriov_lease *leases, size_t n, struct sriov_error *err)
{
	TABLE(table, lease_columns);

	for (const struct sriov_lease *lease = leases; lease < leases + n; lease++) {
		table_cell(&table, "%s", lease->guest);
		table_cell(&table, "%s", lease->state);
		table_cell(&table, "%s", lease->pf);
		table_cell(&table, "%u", lease->vf);
		table_cell(&table, "%s", lease->address);
		if (lease->node < 0)
			table_cell(&table, "-");
		else
			table_cell(&table, "%d", lease->node);
		table_cell(&table, "%s", lease->created);
		table_cell(&table, "%s", lease->uuid);
	}
	if (!n)
		puts("no guest holds a VF");
	return table_print(&table, 0, err);
}

int cmd_guest_list(const struct args *args, struct sriov_host *host, struct out *out,
		   struct sriov_error *err)
{
	_free_ struct sriov_lease *leases = NULL;
	size_t n = 0;
	int r = sriov_guest_list(host, &leases, &n, err);
	json_t *array;

	if (r < 0)
		return r;
	if (!out->doc)
		return print_leases(leases, n, err);
	array = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(array, encode_lease(&leases[i]));
	return out_add(out, "leases", array, err);
}

/* Releasing is ensuring: a guest without a lease is what was asked for, unless the name is a slip. */
static int nothing_to_release(const char *guest, struct out *out, struct sriov_error *err)
{
	if (out->doc)
		return out_add(out, "released", json_null(), err);
	printf("%s: nothing to do: %s\n", guest, err->message);
	if (err->hint[0])
		printf("  hint: %s\n", err->hint);
	return 0;
}

int cmd_guest_release(const struct args *args, struct sriov_host *host, struct out *out,
		      struct sriov_error *err)
{
	bool dry_run = args->run.dry_run;
	struct sriov_lease lease;
	int r = sriov_guest_release(host, args->pos[0], args->run.force, dry_run, &lease, err);

	if (r == -ENOENT)
		return nothing_to_release(args->pos[0], out, err);
	if (r < 0)
		return r;
	if (out->doc) {
		r = out_add(out, "dry_run", json_boolean(dry_run), err);
		return r ? r : out_add(out, "released", encode_lease(&lease), err);
	}
	printf("%s: VF %u of %s (%s) %s\n", lease.guest, lease.vf, lease.pf, lease.address,
	       dry_run ? "would be released (dry run: nothing was changed)" : "released");
	return 0;
}
