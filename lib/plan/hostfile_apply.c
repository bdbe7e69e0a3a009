/* SPDX-License-Identifier: Apache-2.0 */
/* `apply -f` and `plan -f`: which PFs each entry is of, the networks, and the change of all of it. */
#include "lib/plan/hostfile_plan.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

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

static bool names(const char *glob, const struct sriov_pf *pf)
{
	return fits(glob, pf->address) || fits(glob, pf->netdev);
}

static bool matches(const struct hostfile_pf *entry, const struct sriov_pf *pf)
{
	return (!entry->any[0] || names(entry->any, pf)) && fits(entry->address, pf->address) &&
	       fits(entry->netdev, pf->netdev) && fits(entry->driver, pf->driver);
}

/* A PF of the host and the entry that is about it. */
struct target {
	char address[SRIOV_PCI_LEN];
	const struct hostfile_pf *entry;
};

static int by_address(const void *a, const void *b)
{
	return strcmp(((const struct target *)a)->address, ((const struct target *)b)->address);
}

static int none_matches(const struct hostfile *file, unsigned line, const char *what,
			const struct sriov_inventory *inv, struct sriov_error *err)
{
	char list[300] = "";

	for (size_t i = 0; i < inv->npfs; i++) {
		size_t used = strlen(list);

		snprintf(list + used, sizeof(list) - used, "%s%s %s (%s)", i ? ", " : "",
			 inv->pf[i].address, inv->pf[i].netdev, inv->pf[i].driver);
	}
	core_yaml_error(err, -ENODEV, file->name, line, 1, "no PF of this host is %s", what);
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

static int find_targets(const struct hostfile *file, const struct sriov_inventory *inv,
			struct target **out, size_t *n, struct sriov_error *err)
{
	_free_ struct target *target = calloc(inv->npfs + 1, sizeof(*target));
	_free_ bool *found = calloc(file->npfs + 1, sizeof(*found));
	char words[240];
	size_t count = 0;

	if (!target || !found)
		return core_oom(err);
	for (size_t p = 0; p < inv->npfs; p++) {
		const struct hostfile_pf *first = NULL;

		for (size_t i = 0; i < file->npfs; i++) {
			if (!matches(&file->pf[i], &inv->pf[p]))
				continue;
			found[i] = true;
			if (first) {
				core_yaml_error(err, -EEXIST, file->name, file->pf[i].line, 1,
						"%s is matched by the entry of line %u already",
						pf_label(&inv->pf[p]), first->line);
				return sriov_error_hint(err, "a PF has one entry: make one of the "
							     "patterns narrower");
			}
			first = &file->pf[i];
		}
		if (!first)
			continue;
		core_copy(target[count].address, SRIOV_PCI_LEN, inv->pf[p].address);
		target[count++].entry = first;
	}
	for (size_t i = 0; i < file->npfs; i++)
		if (!found[i])
			return none_matches(file, file->pf[i].line,
					    entry_words(&file->pf[i], words), inv, err);
	qsort(target, count, sizeof(*target), by_address);
	*out = core_steal(target);
	*n = count;
	return 0;
}

/* ---- networks ---- */

static int refuse_shared(const struct hostfile *file, const struct hostfile_net *net,
			 const char *address, const char *other, struct sriov_error *err)
{
	core_yaml_error(err, -EEXIST, file->name, net->line, 1, "%s is on physnet %s already",
			address, other);
	return sriov_error_hint(err, "a PF is on one network, as one cable is");
}

static int find_net_pfs(const struct hostfile *file, const struct hostfile_net *net,
			const struct sriov_inventory *inv, struct sriov_physnet *out,
			struct sriov_error *err)
{
	for (size_t k = 0; k < net->npfs; k++) {
		bool found = false;

		for (size_t p = 0; p < inv->npfs; p++) {
			char(*pf)[SRIOV_PCI_LEN];
			bool twin = false;

			if (!names(net->pf[k], &inv->pf[p]))
				continue;
			found = true;
			for (size_t i = 0; i < out->npfs; i++)
				twin |= !strcmp(out->pf[i], inv->pf[p].address);
			if (twin)
				continue;
			pf = core_grow(&out->pf, &out->npfs, sizeof(*pf));
			if (!pf)
				return core_oom(err);
			core_copy(*pf, sizeof(*pf), inv->pf[p].address);
		}
		if (!found)
			return none_matches(file, net->line, net->pf[k], inv, err);
	}
	qsort(out->pf, out->npfs, sizeof(*out->pf), (int (*)(const void *, const void *))strcmp);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct sriov_physnet *)a)->name,
		      ((const struct sriov_physnet *)b)->name);
}

static int want_nets(const struct hostfile *file, const struct sriov_inventory *inv,
		     struct batch *batch, struct sriov_error *err)
{
	int r = 0;

	batch->says_nets = file->has_nets;
	for (size_t i = 0; !r && i < file->nnets; i++) {
		struct sriov_physnet *net = core_grow(&batch->net, &batch->nnets, sizeof(*net));

		if (!net)
			return core_oom(err);
		core_copy(net->name, sizeof(net->name), file->net[i].name);
		r = find_net_pfs(file, &file->net[i], inv, net, err);
		for (size_t k = 0; !r && k < i; k++)
			for (size_t p = 0; !r && p < net->npfs; p++)
				for (size_t q = 0; !r && q < batch->net[k].npfs; q++)
					if (!strcmp(net->pf[p], batch->net[k].pf[q]))
						r = refuse_shared(file, &file->net[i], net->pf[p],
								  batch->net[k].name, err);
	}
	if (!r && batch->nnets)
		qsort(batch->net, batch->nnets, sizeof(*batch->net), by_name);
	return r;
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

static void deadline(unsigned seconds, char out[32])
{
	time_t then = time(NULL) + seconds;
	struct tm tm;

	gmtime_r(&then, &tm);
	strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

/* The entry that an error is about, where the error is a PF's own and does not say. */
static void add_place(const struct hostfile *file, const struct hostfile_pf *entry,
		      struct sriov_error *err)
{
	size_t used = err ? strlen(err->message) : 0;

	if (err && strncmp(err->object, file->name, strlen(file->name)) != 0)
		snprintf(err->message + used, sizeof(err->message) - used, " (%s:%u)", file->name,
			 entry->line);
}

static int plan_file(struct batch *batch, const struct hostfile *file, const struct target *target,
		     struct sriov_error *err)
{
	int r = 0;

	for (size_t i = 0; !r && i < batch->n; i++) {
		r = hostfile_want(file, target[i].entry, batch, &batch->part[i], err);
		if (r < 0)
			add_place(file, target[i].entry, err);
	}
	if (r < 0)
		return r;
	r = batch_plan(batch, err);
	if (r < 0 && batch->failed < batch->n)
		add_place(file, target[batch->failed].entry, err);
	return r;
}

static int refuse_other(const struct sriov_options *opts, const struct sriov_host_change *out,
			struct sriov_error *err)
{
	sriov_error_set(err, -ESTALE, "host file",
			"the plan is not the one expected: its digest is %s, not %s", out->digest,
			opts->expect);
	sriov_error_hint(err, "the host has changed since; look at `sriovctl plan` again");
	return sriov_error_status(err, SRIOV_REFUSED);
}

static int run_file(struct batch *batch, const struct hostfile *file, const char *boot_id,
		    unsigned confirm, struct sriov_host_change *out, struct sriov_error *err)
{
	struct store_generation generation = {.source = strdup(file->text)};
	int r = generation.source ? 0 : core_oom(err);

	core_copy(generation.row.command, sizeof(generation.row.command),
		  batch->opts->command ?: "libsriov");
	core_copy(generation.row.file, sizeof(generation.row.file), file->name);
	core_copy(generation.boot_id, sizeof(generation.boot_id), boot_id);
	if (confirm)
		deadline(confirm, generation.row.confirm_by);
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
	_free_ struct target *target = NULL;
	struct sriov_inventory *inv = NULL;
	struct batch batch = {0};
	size_t n = 0;
	int r = host_read(host, NULL, 0, &inv, err);

	if (!r)
		r = find_targets(file, inv, &target, &n, err);
	if (!r && !(address = calloc(n + 1, sizeof(*address))))
		r = core_oom(err);
	for (size_t i = 0; !r && i < n; i++)
		core_copy(address[i], sizeof(*address), target[i].address);
	if (!r)
		r = batch_open(&batch, host, (const char(*)[SRIOV_PCI_LEN])address, n, opts, err);
	if (!r && !opts->dry_run)
		r = refuse_pending(host, err);
	if (!r)
		r = want_nets(file, inv, &batch, err);
	if (!r)
		r = plan_file(&batch, file, target, err);
	if (!r && !opts->dry_run && opts->expect) {
		batch_digest(&batch, out->digest);
		if (strcmp(opts->expect, out->digest) != 0)
			r = refuse_other(opts, out, err);
	}
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
