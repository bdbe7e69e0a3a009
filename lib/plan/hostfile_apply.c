/* SPDX-License-Identifier: Apache-2.0 */
/* `apply -f` and `plan -f`: which PFs each entry is of, the networks, and the change of all of it. */
#include "lib/guest/physnet.h"
#include "lib/plan/hostfile_plan.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

SRIOV_EXPORT void sriov_host_change_clear(struct sriov_host_change *change)
{
	sriov_plan_free(change->plan);
	for (size_t i = 0; i < change->nrecords; i++)
		free(change->record[i]);
	free(change->record);
	*change = (struct sriov_host_change){0};
}

/* ---- which PFs ---- */

static bool fits(const char *glob, const char *text)
{
	return !*glob || (*text && !fnmatch(glob, text, 0));
}

bool hostfile_names(const char *glob, const struct sriov_pf *pf)
{
	return fits(glob, pf->address) || fits(glob, pf->netdev);
}

static bool matches(const struct hostfile_pf *entry, const struct sriov_pf *pf)
{
	return (!entry->any[0] || hostfile_names(entry->any, pf)) &&
	       fits(entry->address, pf->address) && fits(entry->netdev, pf->netdev) &&
	       fits(entry->driver, pf->driver);
}

/* A PF of the host and the entry that is about it. */
struct target {
	char address[SRIOV_PCI_LEN];
	const struct hostfile_pf *entry; /* NULL: only the bridge beside it is changed */
	unsigned line;                   /* of the file, that errors are about; 0 = none */
};

static int by_address(const void *a, const void *b)
{
	return strcmp(((const struct target *)a)->address, ((const struct target *)b)->address);
}

int hostfile_none_matches(const struct hostfile *file, unsigned line, const char *what,
			  const struct sriov_inventory *inv, struct sriov_error *err)
{
	char list[300] = "";

	for (size_t i = 0; i < inv->npfs; i++) {
		size_t used = strlen(list);

		snprintf(list + used, sizeof(list) - used, "%s%s %s (%s)", i ? ", " : "",
			 inv->pf[i].address, inv->pf[i].netdev, inv->pf[i].driver);
	}
	core_yaml_error(err, -ENODEV, file->name, line, hostfile_column(file, line),
			"no PF of this host is %s", what);
	return sriov_error_hint(err, "its PFs are %s", *list ? list : "none");
}

/* "0000:81:00.0", or the globs of the entry. */
static const char *entry_words(const struct hostfile_pf *entry, char buf[240])
{
	const char *const part[] = {entry->any, entry->address, entry->netdev, entry->driver};
	static const char *const word[] = {"", "address ", "netdev ", "driver "};

	buf[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(part); i++) {
		size_t used = strlen(buf);

		if (part[i][0])
			snprintf(buf + used, 240 - used, "%s%s%s", used ? ", " : "", word[i],
				 part[i]);
	}
	return buf;
}

struct targets {
	struct target *at;
	size_t n;
};

static void targets_clear(struct targets *targets)
{
	free(targets->at);
}

static int add_target(struct targets *targets, const char *address, const struct hostfile_pf *entry,
		      unsigned line, struct sriov_error *err)
{
	struct target *target = core_grow(&targets->at, &targets->n, sizeof(*target));

	if (!target)
		return core_oom(err);
	core_copy(target->address, sizeof(target->address), address);
	target->entry = entry;
	target->line = line;
	return 0;
}

/* The PF beside a bridge that the file is about; its own entry, if it has one, tells where. */
static int add_beside(struct targets *targets, const char *address, unsigned line,
		      struct sriov_error *err)
{
	for (size_t i = 0; i < targets->n; i++)
		if (!strcmp(targets->at[i].address, address))
			return 0;
	return add_target(targets, address, NULL, line, err);
}

/* Bridges that the file says, and those of networks that it forgets. */
static int find_bridges(struct sriov_host *host, const struct hostfile *file,
			const struct sriov_inventory *inv, struct targets *targets,
			struct sriov_error *err)
{
	struct sriov_physnet *now = NULL, *then = NULL;
	size_t nnow = 0, nthen = 0;
	int r = sriov_physnet_list(host, &now, &nnow, err);

	if (!r)
		r = hostfile_nets(file, now, nnow, inv, &then, &nthen, err);
	for (size_t i = 0; !r && i < file->nnets; i++)
		if (file->net[i].vswitch)
			r = add_beside(targets,
				       physnet_named(then, nthen, file->net[i].name)->uplink_pf,
				       file->net[i].vswitch, err);
	for (size_t i = 0; !r && i < nnow; i++)
		if (now[i].bridge[0] && !physnet_named(then, nthen, now[i].name))
			r = add_beside(targets, now[i].uplink_pf, 0, err);
	sriov_physnets_free(now, nnow);
	sriov_physnets_free(then, nthen);
	return r;
}

static int find_targets(const struct hostfile *file, const struct sriov_inventory *inv,
			struct targets *targets, struct sriov_error *err)
{
	_free_ bool *found = calloc(file->npfs + 1, sizeof(*found));
	char words[240];
	int r;

	if (!found)
		return core_oom(err);
	for (size_t p = 0; p < inv->npfs; p++) {
		const struct hostfile_pf *first = NULL;

		for (size_t i = 0; i < file->npfs; i++) {
			if (!matches(&file->pf[i], &inv->pf[p]))
				continue;
			found[i] = true;
			if (first) {
				core_yaml_error(err, -EEXIST, file->name, file->pf[i].line,
						hostfile_column(file, file->pf[i].line),
						"%s is matched by the entry of line %u already",
						pf_label(&inv->pf[p]), first->line);
				return sriov_error_hint(err, "a PF has one entry: make one of the "
							     "patterns narrower");
			}
			first = &file->pf[i];
		}
		if (!first)
			continue;
		r = add_target(targets, inv->pf[p].address, first, first->line, err);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < file->npfs; i++)
		if (!found[i])
			return hostfile_none_matches(file, file->pf[i].line,
						     entry_words(&file->pf[i], words), inv, err);
	return 0;
}

/* ---- the change ---- */

int generation_pending(struct sriov_host *host, struct store_generation *out,
		       struct sriov_error *err)
{
	struct store_generation last = {0};
	struct store *store = NULL;
	int r = store_get(host, false, &store, err);

	if (!r)
		r = store ? store_generation_get(store, 0, &last, err) : -ENOENT;
	if (r < 0)
		return r;
	if (!strcmp(last.row.status, "unconfirmed")) {
		*out = last;
		return 0;
	}
	store_generation_clear(&last);
	return -ENOENT;
}

static int refuse_pending(struct sriov_host *host, struct sriov_error *err)
{
	struct store_generation pending = {0};
	int r = generation_pending(host, &pending, err);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	sriov_error_set(err, -EINPROGRESS, "host file",
			"generation %ld waits to be confirmed by %s", pending.row.id,
			pending.row.confirm_by);
	store_generation_clear(&pending);
	sriov_error_hint(err, "`sriovctl confirm` keeps it, `sriovctl rollback` takes it back");
	return sriov_error_status(err, SRIOV_REFUSED);
}

static void place_target(const struct hostfile *file, const struct target *target,
			 struct sriov_error *err)
{
	if (target->entry)
		hostfile_place_entry(file, target->entry, err);
	else
		hostfile_place(file, target->line, err);
}

static int plan_file(struct batch *batch, const struct hostfile *file, const struct target *target,
		     struct sriov_error *err)
{
	int r = 0;

	for (size_t i = 0; !r && i < batch->n; i++) {
		if (target[i].entry)
			r = hostfile_want(file, target[i].entry, batch, &batch->part[i], err);
		if (r < 0)
			place_target(file, &target[i], err);
	}
	if (r < 0)
		return r;
	r = batch_plan(batch, err);
	if (r < 0 && batch->failed < batch->n)
		place_target(file, &target[batch->failed], err);
	for (size_t i = 0; r < 0 && i < file->nnets; i++)
		if (!strcmp(file->net[i].name, batch->failed_net))
			hostfile_place(file, file->net[i].vswitch ?: file->net[i].line, err);
	return r;
}

/* Read again, now that nobody else changes the PFs beside the bridges. */
static int want_nets(struct batch *batch, const struct hostfile *file,
		     const struct sriov_inventory *inv, struct sriov_error *err)
{
	struct sriov_physnet *now = NULL;
	size_t n = 0;
	int r = sriov_physnet_list(batch->host, &now, &n, err);

	if (!r)
		r = hostfile_nets(file, now, n, inv, &batch->net, &batch->nnets, err);
	batch->says_nets = file->has_nets;
	sriov_physnets_free(now, n);
	return r;
}

static int run_file(struct batch *batch, const struct hostfile *file, const char *boot_id,
		    unsigned confirm, struct sriov_host_change *out, struct sriov_error *err)
{
	struct store_generation generation = {.source = strdup(file->text), .confirm = confirm};
	int r = generation.source ? 0 : core_oom(err);

	core_copy(generation.row.command, sizeof(generation.row.command),
		  batch->opts->command ?: "libsriov");
	core_copy(generation.row.file, sizeof(generation.row.file), file->name);
	core_copy(generation.boot_id, sizeof(generation.boot_id), boot_id);
	if (confirm)
		generation_deadline(confirm, generation.row.confirm_by);
	if (!r)
		r = batch_run(batch, &generation, 0, err);
	out->generation = r ? 0 : generation.row.id;
	store_generation_clear(&generation);
	return r;
}

static int apply_file(struct sriov_host *host, const struct hostfile *file, unsigned confirm,
		      const struct sriov_options *opts, struct sriov_host_change *out,
		      struct sriov_error *err)
{
	_free_ char(*address)[SRIOV_PCI_LEN] = NULL;
	_cleanup_(targets_clear)
	struct targets targets = {0};
	struct sriov_inventory *inv = NULL;
	struct batch batch = {0};
	int r = host_read(host, NULL, 0, &inv, err);

	if (!r)
		r = find_targets(file, inv, &targets, err);
	if (!r && file->has_nets)
		r = find_bridges(host, file, inv, &targets, err);
	if (!r && !(address = calloc(targets.n + 1, sizeof(*address))))
		r = core_oom(err);
	if (!r && targets.n)
		qsort(targets.at, targets.n, sizeof(*targets.at), by_address);
	for (size_t i = 0; !r && i < targets.n; i++)
		core_copy(address[i], sizeof(*address), targets.at[i].address);
	if (!r)
		r = batch_open(&batch, host, (const char(*)[SRIOV_PCI_LEN])address, targets.n, opts,
			       err);
	if (!r && !opts->dry_run)
		r = refuse_pending(host, err);
	if (!r)
		r = want_nets(&batch, file, inv, err);
	if (!r)
		r = plan_file(&batch, file, targets.at, err);
	if (!r && !batch.differs)
		r = drift_take_over(&batch, err);
	if (!r)
		r = batch_check_expected(&batch, "host file", err);
	if (!r && !opts->dry_run && batch.differs)
		r = run_file(&batch, file, inv->boot_id, confirm, out, err);
	batch_give(&batch, out);
	batch_close(&batch);
	sriov_inventory_free(inv);
	return r;
}

SRIOV_EXPORT int sriov_hostfile_apply(struct sriov_host *host, const char *path, unsigned confirm,
				      const struct sriov_options *opts,
				      struct sriov_host_change *out, struct sriov_error *err)
{
	struct sriov_options mine = *opts;
	struct hostfile file = {0};
	int r;

	*out = (struct sriov_host_change){0};
	r = hostfile_read(path, &file, err);
	if (r < 0)
		return r;
	if (!mine.link_timeout)
		mine.link_timeout = file.link_timeout;
	r = apply_file(host, &file, confirm, &mine, out, err);
	hostfile_clear(&file);
	return r;
}
