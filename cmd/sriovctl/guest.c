/* SPDX-License-Identifier: Apache-2.0 */
/* sriovctl guest: attach, detach, xml, list, show, check, gc. */
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
	_free_ char *text = NULL;

	return sriov_lease_json(lease, &text, NULL) < 0 ? NULL : json_loads(text, 0, NULL);
}

/* "VF 3 of 0000:81:00.0 (0000:81:10.3)", "vhostuser on br-red" or "macvtap on 0000:81:00.0". */
static const char *say_held(const struct sriov_lease *lease, char buf[96])
{
	if (lease->vf < 0)
		snprintf(buf, 96, "%s on %s", lease->path,
			 lease->socket[0] ? lease->below : lease->pf);
	else
		snprintf(buf, 96, "VF %d of %s (%s)", lease->vf, lease->pf, lease->address);
	return buf;
}

/* ---- what is asked for ---- */

static struct sriov_guest_request request(const struct args *args)
{
	struct sriov_guest_request req = args->guest;

	req.guest = args->pos[0];
	req.pf = args->pf;
	req.pool = args->pool;
	req.node = args->node;
	req.attrs = args->attrs;
	req.mac_auto = args->mac_auto;
	return req;
}

static int check_places(const struct args *args, struct sriov_error *err)
{
	char name[64];

	if (!args->pf || args->node < 0)
		return 0;
	sriov_error_set(err, -EINVAL, verb_name(args->verb, name),
			"--pf and --node are both given");
	return sriov_error_hint(err, "a PF is on one node already: give one of them");
}

static int read_domain(const struct args *args, char **out, struct sriov_error *err)
{
	bool in = args->domain && !strcmp(args->domain, "-");
	int r;

	if (!args->domain)
		return 0;
	r = core_read_file(AT_FDCWD, in ? "/dev/stdin" : args->domain, DOMAIN_MAX, out, NULL);
	return r < 0 ? core_errno(err, r, in ? "standard input" : args->domain,
				  "the domain XML cannot be read")
		     : 0;
}

/* ---- xml ---- */

int cmd_guest_xml(const struct args *args, struct sriov_host *host, struct out *out,
		  struct sriov_error *err)
{
	struct sriov_guest_request req = request(args);
	_free_ char *domain = NULL, *xml = NULL, *reason = NULL;
	struct sriov_lease lease;
	int r = check_places(args, err);

	if (!r)
		r = read_domain(args, &domain, err);
	req.domain_xml = domain;
	if (!r)
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

/* ---- attach and detach ---- */

/* The lease first, then the file: asked again, the same lease gives the same file. */
static int attach_in_file(const struct args *args, struct sriov_host *host,
			  struct sriov_guest_request *req, struct out *out, struct sriov_error *err)
{
	_free_ char *domain = NULL, *xml = NULL, *reason = NULL;
	struct sriov_lease lease;
	unsigned worded;
	char held[96];
	int r = 0;

	if (!strcmp(args->domain, "-")) {
		sriov_error_set(err, -EINVAL, "guest attach", "standard input cannot be changed");
		return sriov_error_hint(err, "`sriovctl guest xml %s --domain -` prints the result",
					args->pos[0]);
	}
	/* a raw <hostdev> has no words for MAC and VLAN either, and a hands-off lease none at all */
	worded = req->raw || req->hands_off ? 0 : SRIOV_VF_MAC | SRIOV_VF_VLAN;
	if (args->uri || req->live || req->config || req->hands_off || (req->attrs.has & ~worded)) {
		sriov_error_set(err, -EINVAL, "guest attach",
				"a domain in a file takes only what its XML has words for");
		return sriov_error_hint(
			err,
			"leave out --uri, --live, --config, --hands-off, --trust, --spoofchk, rates, "
			"--link-state and with --raw-hostdev --mac and --vlan, or leave out --domain");
	}
	r = read_domain(args, &domain, err);
	req->domain_xml = domain;
	if (!r)
		r = sriov_guest_xml(host, req, args->run.dry_run, &xml, &lease, &reason, err);
	if (!r && !args->run.dry_run && strcmp(domain, xml) != 0) {
		r = core_replace_file(AT_FDCWD, args->domain, xml, strlen(xml), 0600);
		if (r < 0)
			core_errno(err, r, args->domain, "leased, but the file cannot be written");
	}
	if (r < 0)
		return r;
	if (out->doc) {
		r = out_add(out, "dry_run", json_boolean(args->run.dry_run), err);
		if (!r)
			r = out_add(out, "reason", out_text(reason), err);
		return r ? r : out_add(out, "lease", encode_lease(&lease), err);
	}
	printf("%s: %s\n  %s\n%s\n", lease.guest, say_held(&lease, held), reason,
	       args->run.dry_run ? "dry run: nothing was changed" : args->domain);
	return 0;
}

static int tell_attached(const struct sriov_attached *done, struct out *out,
			 struct sriov_error *err)
{
	int r = out_add(out, "path", out_text(done->lease.path), err);

	if (!r)
		r = out_add(out, "node", done->node < 0 ? json_null() : json_integer(done->node),
			    err);
	if (!r)
		r = out_add(out, "reason", out_text(done->reason), err);
	return r ? r : out_add(out, "lease", encode_lease(&done->lease), err);
}

int cmd_guest_attach(const struct args *args, struct sriov_host *host, struct out *out,
		     struct sriov_error *err)
{
	struct sriov_guest_request req = request(args);
	struct sriov_attached done = {0};
	struct sriov_plan *plan = NULL;
	char held[96];
	int r = check_places(args, err);

	if (!r && args->domain)
		return attach_in_file(args, host, &req, out, err);
	if (!r)
		r = sriov_guest_attach(host, &req, &args->run, &plan, &done, err);
	if (!r && !out->doc)
		printf("%s: %s\n", done.lease.guest, say_held(&done.lease, held));
	if (!r && out->doc)
		r = tell_attached(&done, out, err);
	free(done.reason);
	return out_plans(out, plan, args->run.dry_run, r, err);
}

/* Detaching is ensuring: a guest without a lease is what was asked for, unless the name is a slip. */
static int nothing_to_detach(const char *guest, bool dry_run, struct out *out,
			     struct sriov_error *err)
{
	if (out->doc)
		return out_plans(out, NULL, dry_run, out_add(out, "detached", json_null(), err),
				 err);
	printf("%s: nothing to do: %s\n", guest, err->message);
	if (err->hint[0])
		printf("  hint: %s\n", err->hint);
	return 0;
}

int cmd_guest_detach(const struct args *args, struct sriov_host *host, struct out *out,
		     struct sriov_error *err)
{
	struct sriov_guest_request req = request(args);
	bool dry_run = args->run.dry_run;
	struct sriov_plan *plan = NULL;
	struct sriov_lease lease;
	char held[96];
	int r = sriov_guest_detach(host, &req, &args->run, &plan, &lease, err);

	if (r == -ENOENT && !plan)
		return nothing_to_detach(args->pos[0], dry_run, out, err);
	if (!r && out->doc)
		r = out_add(out, "detached", encode_lease(&lease), err);
	else if (!r)
		printf("%s: %s %s\n", lease.guest, say_held(&lease, held),
		       dry_run ? "would be given back" : "given back");
	return out_plans(out, plan, dry_run, r, err);
}

/* ---- move ---- */

int cmd_guest_move(const struct args *args, struct sriov_host *host, struct out *out,
		   struct sriov_error *err)
{
	struct sriov_guest_request req = request(args);
	struct sriov_attached done = {0};
	struct sriov_plan *plan = NULL;
	char held[96];
	int r;

	if (req.config) {
		sriov_error_set(err, -EINVAL, "guest move", "a move is of the whole guest");
		return sriov_error_hint(err, "leave --config out");
	}
	if (req.policy.npaths != 1 || req.policy.path[0] > SRIOV_PATH_VHOSTUSER) {
		if (req.policy.npaths)
			sriov_error_set(err, -EINVAL, "guest move",
					"a guest is moved to one of vf and "
					"vhostuser only");
		else
			sriov_error_set(err, -EINVAL, "guest move", "it is not said where to");
		return sriov_error_hint(err, "--to vf, or --to vhostuser");
	}
	r = sriov_guest_move(host, &req, req.policy.path[0], &args->run, &plan, &done, err);
	if (!r && !out->doc)
		printf("%s: %s\n", done.lease.guest, say_held(&done.lease, held));
	if (!r && out->doc)
		r = tell_attached(&done, out, err);
	free(done.reason);
	return out_plans(out, plan, args->run.dry_run, r, err);
}

int cmd_guest_rebalance(const struct args *args, struct sriov_host *host, struct out *out,
			struct sriov_error *err)
{
	struct sriov_plan *plan = NULL;
	int r = sriov_guest_rebalance(host, args->guest.live, &args->run, &plan, err);

	return out_plans(out, plan, args->run.dry_run, r, err);
}

/* ---- leases ---- */

static const struct column lease_columns[] = {
	{"GUEST"},
	{"STATE"},
	{"PATH"},
	{"PF"},
	{"VF", .right = true},
	{"ADDRESS", .optional = true},
	{"NODE", .right = true},
	{"MAC", .optional = true},
	{"VLAN", .right = true, .optional = true},
	{"PHYSNET", .optional = true},
	{"SINCE"},
	{"UUID", .optional = true},
};

static void lease_row(struct table *table, const struct sriov_lease *lease)
{
	char mac[SRIOV_MAC_LEN];

	table_cell(table, "%s", lease->guest);
	table_cell(table, "%s", lease->state);
	table_cell(table, "%s", lease->path);
	table_cell(table, "%s", lease->pf);
	if (lease->vf < 0)
		table_cell(table, "-");
	else
		table_cell(table, "%d", lease->vf);
	table_cell(table, "%s", lease->address);
	if (lease->node < 0)
		table_cell(table, "-");
	else
		table_cell(table, "%d", lease->node);
	table_cell(table, "%s",
		   sriov_mac_is_zero(lease->mac) ? "" : sriov_mac_format(lease->mac, mac));
	if (lease->vlan)
		table_cell(table, "%u", lease->vlan);
	else
		table_cell(table, "-");
	table_cell(table, "%s", lease->net);
	table_cell(table, "%s", lease->created);
	table_cell(table, "%s", lease->uuid);
}

static int encode_states(const struct sriov_lease_state *list, size_t n, struct out *out,
			 struct sriov_error *err)
{
	json_t *array = json_array();

	for (size_t i = 0; i < n; i++) {
		json_t *json = encode_lease(&list[i].lease);

		json_object_set_new(json, "stale", json_boolean(list[i].stale));
		json_object_set_new(json, "why", out_text(list[i].why));
		json_array_append_new(array, json);
	}
	return out_add(out, "leases", array, err);
}

int cmd_guest_list(const struct args *args, struct sriov_host *host, struct out *out,
		   struct sriov_error *err)
{
	_free_ struct sriov_lease_state *list = NULL;
	TABLE(table, lease_columns);
	size_t n = 0;
	int r = sriov_lease_judge(host, &list, &n, err);

	if (r < 0 || out->doc)
		return r ? r : encode_states(list, n, out, err);
	for (size_t i = 0; i < n; i++)
		lease_row(&table, &list[i].lease);
	if (!n)
		puts("no guest holds a VF");
	return table_print(&table, 0, err);
}

static int show_lease(const struct sriov_lease_state *state, const struct sriov_inventory *inv,
		      struct sriov_error *err)
{
	const struct sriov_lease *lease = &state->lease;
	char held[96], mac[SRIOV_MAC_LEN];

	printf("%s holds %s\n", lease->guest, say_held(lease, held));
	printf("  state    %s (%s)\n", lease->state, state->why);
	printf("  lease    %ld, generation %u, since %s\n", lease->id, lease->generation,
	       lease->created);
	if (lease->uuid[0])
		printf("  uuid     %s\n", lease->uuid);
	if (lease->net[0])
		printf("  physnet  %s\n", lease->net);
	if (lease->node >= 0)
		printf("  node     %d\n", lease->node);
	if (!sriov_mac_is_zero(lease->mac))
		printf("  mac      %s\n", sriov_mac_format(lease->mac, mac));
	if (lease->vlan)
		printf("  vlan     %u\n", lease->vlan);
	if (lease->socket[0])
		printf("  socket   %s\n", lease->socket);
	if (lease->reason[0])
		printf("  why      %s\n", lease->reason);
	if (lease->kind[0])
		printf("  as       %s%s%s\n", lease->kind, lease->below[0] ? " on " : "",
		       lease->below);
	for (size_t i = 0; i < inv->npfs; i++)
		for (unsigned v = 0; inv->pf[i].vf && v < inv->pf[i].vfs; v++)
			if (!state->stale && lease->vf >= 0 &&
			    !strcmp(inv->pf[i].vf[v].address, lease->address))
				return show_vf(&inv->pf[i].vf[v], err);
	return 0;
}

/* Those of @guest, by name or UUID, in front; how many. */
static size_t keep_guest(struct sriov_lease_state *list, size_t n, const char *guest)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (!strcmp(list[i].lease.guest, guest) || !strcasecmp(list[i].lease.uuid, guest))
			list[kept++] = list[i];
	return kept;
}

int cmd_guest_show(const struct args *args, struct sriov_host *host, struct out *out,
		   struct sriov_error *err)
{
	_free_ struct sriov_lease_state *list = NULL;
	struct sriov_inventory *inv = NULL;
	size_t n = 0;
	int r = sriov_lease_judge(host, &list, &n, err);

	if (r < 0)
		return r;
	n = keep_guest(list, n, args->pos[0]);
	if (!n) {
		sriov_error_set(err, -ENOENT, args->pos[0], "no guest of that name holds a lease");
		return sriov_error_hint(err, "`sriovctl guest list` shows the leases");
	}
	if (out->doc)
		return encode_states(list, n, out, err);
	r = sriov_inventory_read(host, NULL, SRIOV_READ_VFS | SRIOV_READ_ATTRS | SRIOV_READ_USERS,
				 &inv, err);
	for (size_t i = 0; !r && i < n; i++)
		r = show_lease(&list[i], inv, err);
	sriov_inventory_free(inv);
	return r;
}

int cmd_guest_check_leases(const struct args *args, struct sriov_host *host, struct out *out,
			   struct sriov_error *err)
{
	_free_ struct sriov_lease_state *list = NULL;
	size_t n = 0, stale = 0;
	int r = sriov_lease_judge(host, &list, &n, err);

	for (size_t i = 0; !r && i < n; i++)
		if (list[i].stale)
			list[stale++] = list[i];
	if (!r && out->doc)
		r = encode_states(list, stale, out, err);
	if (r < 0)
		return r;
	for (size_t i = 0; !out->doc && i < stale; i++)
		printf("%s: lease %ld is stale: %s\n  sriovctl guest gc ends it\n",
		       list[i].lease.guest, list[i].lease.id, list[i].why);
	if (!out->doc && !stale)
		printf("%zu leases, all of them held\n", n);
	return stale ? SRIOV_DIFFERENCE : 0;
}

int cmd_guest_gc(const struct args *args, struct sriov_host *host, struct out *out,
		 struct sriov_error *err)
{
	struct sriov_plan *plan = NULL;
	int r = sriov_guest_gc(host, &args->run, &plan, err);

	return out_plans(out, plan, args->run.dry_run, r, err);
}
