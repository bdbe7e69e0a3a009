/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recovery of a generation that did not come to its end: of all its PFs, in one direction. Forward only if every part is
 * still open and reads back as done (or the operator says so); once one part was taken back, the others must be too.
 */
#include "lib/plan/batch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct member {
	struct change change;
	struct recovery recovery;
	bool open;
};

struct members {
	struct member *at;
	size_t n, nopen;
	size_t total; /* that the generation had */
	struct store *store;
	struct store_generation generation;
};

static void members_close(struct members *members)
{
	for (size_t i = 0; i < members->n; i++) {
		change_close(&members->at[i].change);
		recovery_clear(&members->at[i].recovery);
	}
	free(members->at);
	store_generation_clear(&members->generation);
}

static int open_member(struct members *members, struct sriov_host *host, const char *pf,
		       const struct sriov_options *opts, struct sriov_error *err)
{
	struct member *member = &members->at[members->n++];
	int r = change_open_unrecovered(&member->change, host, pf, CHANGE_READ_ALL, opts, err);

	if (!r)
		r = recovery_load(&member->change, &member->recovery, err);
	/* another process was quicker */
	member->open = !r && member->recovery.journal.generation == members->generation.row.id;
	members->nopen += member->open;
	return r == -ENOENT ? 0 : r;
}

static int members_open(struct members *members, struct sriov_host *host, long id,
			const struct sriov_options *opts, struct sriov_error *err)
{
	_free_ char(*open)[SRIOV_PCI_LEN] = NULL, (*all)[SRIOV_PCI_LEN] = NULL;
	size_t n = 0;
	int r = store_get(host, !opts->dry_run, &members->store, err);

	if (!r)
		r = store_generation_get(members->store, id, &members->generation, err);
	if (r == -ENOENT) {
		sriov_error_set(err, r, "database", "generation %ld is not recorded any more", id);
		return sriov_error_hint(err, "`sriovctl journal abandon` closes its journals");
	}
	if (!r)
		r = store_journal_parts(members->store, id, true, &open, &n, err);
	if (!r)
		r = store_journal_parts(members->store, id, false, &all, &members->total, err);
	members->at = r ? NULL : calloc(n + 1, sizeof(*members->at));
	if (!r && !members->at)
		r = core_oom(err);
	for (size_t i = 0; !r && i < n; i++)
		r = open_member(members, host, open[i], opts, err);
	return r;
}

/* All open ones are closed with @status, in one transaction. */
static int close_all(struct members *members, const char *status, const char *why,
		     struct sriov_error *err)
{
	int r = store_begin(members->store, STORE_DURABLE, err);

	for (size_t i = 0; !r && i < members->n; i++)
		if (members->at[i].open)
			r = store_journal_status(members->store,
						 members->at[i].recovery.journal.row.id, status,
						 why, err);
	if (!r)
		r = store_generation_status(members->store, members->generation.row.id, status, why,
					    err);
	if (!r)
		r = store_commit(members->store, err);
	store_rollback(members->store);
	return r;
}

static bool is_of_other_boot(const struct members *members)
{
	for (size_t i = 0; i < members->n; i++)
		if (members->at[i].open &&
		    strcmp(members->generation.boot_id, members->at[i].change.inv->boot_id) != 0)
			return true;
	return false;
}

/* One direction for all; whose own readback said forward is turned where another one's did not. */
static int choose(struct members *members, enum recover_how how, bool *forward,
		  struct sriov_error *err)
{
	int r = 0;

	*forward = how != RECOVER_UNDO && members->nopen == members->total;
	if (how == RECOVER_RESUME && !*forward) {
		sriov_error_set(err, -ESTALE, "journal",
				"generation %ld cannot be finished: a part of it was taken back",
				members->generation.row.id);
		return sriov_error_hint(err, "`sriovctl journal undo` takes the rest back");
	}
	for (size_t i = 0; !r && i < members->n; i++) {
		struct member *member = &members->at[i];

		if (!member->open)
			continue;
		r = recovery_choose(&member->change, &member->recovery, how, err);
		*forward &= member->recovery.forward;
	}
	for (size_t i = 0; !r && !*forward && i < members->n; i++)
		if (members->at[i].open && members->at[i].recovery.forward)
			r = recovery_turn(&members->at[i].change, &members->at[i].recovery, err);
	return r;
}

static int commit(struct members *members, struct sriov_error *err)
{
	int r = store_begin(members->store, STORE_DURABLE, err);

	for (size_t i = 0; !r && i < members->n; i++) {
		struct member *member = &members->at[i];

		r = apply_commit_part(&member->change, &member->recovery.before,
				      member->recovery.journal.row.id, err);
	}
	if (!r)
		r = generation_commit(members->store, &members->generation, err);
	if (!r)
		r = store_commit(members->store, err);
	store_rollback(members->store);
	return r;
}

static int end_undone(struct members *members, struct sriov_error *err)
{
	int r = store_begin(members->store, STORE_DURABLE, err);

	if (!r)
		r = generation_end(members->store, members->generation.row.id, "undone",
				   "it was left half done, and taken back", err);
	if (!r)
		r = store_commit(members->store, err);
	store_rollback(members->store);
	return r;
}

static int run(struct members *members, bool forward, struct sriov_error *err)
{
	int r = 0;

	for (size_t i = 0; !r && i < members->n; i++) {
		/* back the way that they came */
		struct member *member = &members->at[forward ? i : members->n - 1 - i];
		struct recovery *recovery = &member->recovery;

		if (!member->open)
			continue;
		r = recovery_run(&member->change, recovery, err);
		if (!r && !forward)
			r = apply_undone_status(&member->change, &recovery->before,
						recovery->journal.row.id, NULL, err);
		if (r < 0)
			recovery_leave_open(&member->change, &recovery->journal, err);
	}
	if (r < 0)
		return r;
	return forward ? commit(members, err) : end_undone(members, err);
}

static int plan(struct members *members, struct sriov_error *err)
{
	int r = 0;

	for (size_t i = 0; !r && i < members->n; i++) {
		struct member *member = &members->at[i];

		if (!member->open)
			continue;
		member->change.plan->journal = member->recovery.journal.row.id;
		r = change_tell(&member->change, &member->recovery.steps, err);
		if (!r)
			r = recovery_guard(&member->change, &member->recovery, err);
	}
	return r;
}

static int recover(struct members *members, enum recover_how how, const struct sriov_options *opts,
		   struct change_notes *notes, struct sriov_error *err)
{
	const struct sriov_generation *row = &members->generation.row;
	bool forward;
	int r;

	if (!members->nopen)
		return opts->dry_run ? 0 : end_undone(members, err);
	if (is_of_other_boot(members) && !opts->dry_run)
		return close_all(members, "boot",
				 "the host was started again; `sriovctl restore` brings the last "
				 "committed intent back",
				 err);
	r = choose(members, how, &forward, err);
	if (!r)
		r = plan(members, err);
	if (r < 0)
		return sriov_error_hint(err,
					"that was asked to recover generation %ld (`%s`), which "
					"was left open; `sriovctl journal abandon` gives it up as "
					"it is",
					row->id, row->command);
	if (opts->dry_run)
		return 0;
	r = run(members, forward, err);
	if (!r && how == RECOVER_AUTO)
		r = change_notes_add(notes, err, "first recovered generation %ld (`%s`): %s",
				     row->id, row->command, forward ? "it was done" : "undone");
	return r;
}

int batch_recover(struct sriov_host *host, long id, enum recover_how how,
		  const struct sriov_options *opts, struct change_notes *notes,
		  struct sriov_plan **out, struct sriov_error *err)
{
	struct members members = {0};
	int r = members_open(&members, host, id, opts, err);

	if (!r)
		r = recover(&members, how, opts, notes, err);
	for (size_t i = 0; out && i < members.n; i++) {
		change_give_plan(&members.at[i].change, out);
		if (*out)
			out = &(*out)->next;
	}
	members_close(&members);
	return r;
}

int batch_abandon(struct sriov_host *host, long id, const struct sriov_options *opts,
		  struct sriov_error *err)
{
	struct members members = {0};
	int r = members_open(&members, host, id, opts, err);

	if (!r)
		r = close_all(&members, "abandoned", NULL, err);
	members_close(&members);
	return r;
}
