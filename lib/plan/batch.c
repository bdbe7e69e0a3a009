/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of several PFs as one. See batch.h. */
#include "lib/plan/batch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ---- opening ---- */

/* What was left open of the PF, before any lock is held for long. */
static int recover_one(struct batch *batch, const char *address, struct change_notes *notes,
		       struct sriov_error *err)
{
	struct change change;
	int r = change_open_unrecovered(&change, batch->host, address, 0, batch->opts, err);

	if (!r)
		r = recover_open(&change, notes, err);
	for (size_t i = 0; !r && i < change.plan->nnotes; i++)
		r = change_notes_add(notes, err, "%s", change.plan->note[i]);
	change_close(&change);
	return r;
}

/* Between the recovery and this lock another command may have been killed. */
static int check_closed(struct change *change, struct sriov_error *err)
{
	struct store_journal journal = {0};
	int r;

	if (change->opts->dry_run)
		return change->opts->looks ? 0 : change_foretell(change, err);
	if (!change->store)
		return 0;
	r = store_journal_open_of(change->store, change->pf->address, &journal, err);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	sriov_error_set(err, -EAGAIN, pf_label(change->pf),
			"a change of it was left open meanwhile: journal %ld (`%s`)",
			journal.row.id, journal.row.command);
	store_journal_clear(&journal);
	sriov_error_hint(err, "run the command again");
	return sriov_error_status(err, SRIOV_REFUSED);
}

static int open_part(struct batch *batch, const char *address, struct sriov_error *err)
{
	struct batch_part *part = &batch->part[batch->n];
	struct change *change = &part->change;
	int r;

	batch->n++;
	r = change_open_unrecovered(change, batch->host, address, CHANGE_READ_ALL, batch->opts,
				    err);
	if (!r)
		r = check_closed(change, err);
	if (r < 0)
		return r;
	core_copy(change->want.address, sizeof(change->want.address), change->pf->address);
	return change_read(change, err);
}

int batch_open(struct batch *batch, struct sriov_host *host, const char (*address)[SRIOV_PCI_LEN],
	       size_t n, const struct sriov_options *opts, struct sriov_error *err)
{
	struct change_notes notes = {0};
	int r = 0;

	*batch = (struct batch){.host = host, .opts = opts};
	if (n > BATCH_PFS_MAX) {
		sriov_error_set(err, -E2BIG, "host file",
				"%zu PFs are more than one change can have", n);
		return sriov_error_hint(err, "at most %d: make two files of it", BATCH_PFS_MAX);
	}
	batch->part = calloc(n + 1, sizeof(*batch->part));
	if (!batch->part)
		return core_oom(err);
	for (size_t i = 0; !r && !opts->dry_run && i < n; i++)
		r = recover_one(batch, address[i], &notes, err);
	for (size_t i = 0; !r && i < n; i++)
		r = open_part(batch, address[i], err);
	for (size_t i = 0; !r && i < notes.n; i++)
		r = change_note(&batch->part[0].change, err, "%s", notes.at[i]);
	batch->recovered = notes.n;
	change_notes_clear(&notes);
	if (!r)
		r = store_get(host, !opts->dry_run, &batch->store, err);
	return r;
}

void batch_close(struct batch *batch)
{
	for (size_t i = 0; i < batch->n; i++) {
		struct batch_part *part = &batch->part[i];

		change_close(&part->change);
		steps_clear(&part->steps);
		state_clear(&part->before);
		free(part->intent);
	}
	free(batch->part);
	sriov_physnets_free(batch->net, batch->nnets);
	change_notes_clear(&batch->record);
	*batch = (struct batch){0};
}

/* ---- planning ---- */

/* Whether @text says what is recorded: as it was written, or as it is read, which repairs what drivers show otherwise. */
static int is_recorded(const struct change *change, const char *text, bool *same,
		       struct sriov_error *err)
{
	_free_ char *read = NULL;
	int r;

	*same = !strcmp(text ?: "", change->known.intent ?: "");
	if (*same || !text || !change->known.intent)
		return 0;
	r = state_encode(&change->intent, &read, err);
	if (!r)
		*same = !strcmp(text, read);
	return r;
}

/* What of the records changes without a step that would show it. */
static int plan_record(struct batch *batch, struct batch_part *part, struct sriov_error *err)
{
	const struct change *change = &part->change;
	bool same;
	int r = apply_intent_text(change, &part->intent, err);

	if (!r)
		r = is_recorded(change, part->intent, &same, err);
	if (r < 0)
		return r;
	part->works = part->steps.n || !same || change->want.has_pools || part->sets_net;
	if (!part->works) {
		/* it stays as it was written */
		free(part->intent);
		part->intent = change->known.intent ? strdup(change->known.intent) : NULL;
		return change->known.intent && !part->intent ? core_oom(err) : 0;
	}
	if (same || part->steps.n)
		return 0;
	if (!part->intent)
		return change_notes_add(&batch->record, err, "%s: nothing of it stays ours",
					change->pf->address);
	return change_notes_add(&batch->record, err, "%s: %s", change->pf->address,
				change->known.intent
					? "recorded anew, the NIC has it so already"
					: "becomes ours as it is, the NIC has it so already");
}

int batch_plan(struct batch *batch, struct sriov_error *err)
{
	int r = 0;

	batch->failed = batch->n;
	if (batch->says_nets)
		r = batch_plan_nets(batch, err);
	for (size_t i = 0; !r && i < batch->n; i++) {
		struct batch_part *part = &batch->part[i];

		batch->failed = i;
		r = change_plan(&part->change, &part->steps, err);
		if (r < 0)
			part->change.plan->status = err ? err->status : SRIOV_FAILED;
		if (!r)
			r = plan_record(batch, part, err);
		batch->differs |= part->works;
	}
	if (!r)
		batch->failed = batch->n;
	batch->differs |= batch->has_nets;
	return r;
}

static void digest(const struct batch *batch, char out[20])
{
	uint64_t hash = CORE_HASH_SEED;

	for (size_t i = 0; i < batch->n; i++)
		if (batch->part[i].change.plan)
			hash = core_hash(hash, batch->part[i].change.plan->digest, 16);
	for (size_t i = 0; i < batch->record.n; i++)
		hash = core_hash(hash, batch->record.at[i], strlen(batch->record.at[i]) + 1);
	snprintf(out, 20, "%016llx", (unsigned long long)hash);
}

int batch_check_expected(const struct batch *batch, const char *object, struct sriov_error *err)
{
	const struct sriov_options *opts = batch->opts;
	char is[20];

	if (opts->dry_run || !opts->expect)
		return 0;
	digest(batch, is);
	if (!strcmp(opts->expect, is))
		return 0;
	sriov_error_set(err, -ESTALE, object,
			"the plan is not the one expected: its digest is %s, not %s", is,
			opts->expect);
	sriov_error_hint(err, "the host has changed since; look at the plan again");
	return sriov_error_status(err, SRIOV_REFUSED);
}

void batch_give(struct batch *batch, struct sriov_host_change *out)
{
	struct sriov_plan **tail = &out->plan;

	digest(batch, out->digest);
	out->differs = batch->differs;
	for (size_t i = 0; i < batch->n; i++) {
		change_give_plan(&batch->part[i].change, tail);
		if (*tail)
			tail = &(*tail)->next;
	}
	out->record = core_steal(batch->record.at);
	out->nrecords = batch->record.n;
	batch->record.n = 0;
}

/* ---- doing ---- */

static int open_journals(struct batch *batch, struct store_generation *generation,
			 struct sriov_error *err)
{
	int r = store_begin(batch->store, STORE_DURABLE, err);

	if (!r)
		r = store_generation_insert(batch->store, generation, err);
	for (size_t i = 0; !r && i < batch->n; i++) {
		struct batch_part *part = &batch->part[i];

		if (!part->works)
			continue;
		r = change_check_leases(&part->change, err);
		if (!r)
			r = change_record(&part->change, &part->before, part->steps.n,
					  generation->row.id, err);
	}
	if (!r)
		r = store_commit(batch->store, err);
	store_rollback(batch->store);
	for (size_t i = 0; r < 0 && i < batch->n; i++)
		batch->part[i].change.plan->journal = 0;
	return r;
}

static int do_part(struct batch_part *part, struct sriov_error *err)
{
	struct change *change = &part->change;
	int r = apply_steps(change, &part->steps, change->plan->journal, &part->result, err);

	return r || !part->steps.n ? r : apply_verify(change, &change->want, err);
}

static int commit(struct batch *batch, const struct store_generation *generation,
		  struct sriov_error *err)
{
	int r = store_begin(batch->store, STORE_DURABLE, err);

	for (size_t i = 0; !r && i < batch->n; i++) {
		struct batch_part *part = &batch->part[i];

		if (part->works)
			r = apply_commit_part(&part->change, part->steps.n ? &part->before : NULL,
					      part->change.plan->journal, err);
	}
	if (!r)
		r = generation_commit(batch->store, generation, err);
	if (!r)
		r = store_commit(batch->store, err);
	store_rollback(batch->store);
	return r;
}

/* How bad it is for whoever reads the exit status. */
static enum sriov_status worse(enum sriov_status a, enum sriov_status b)
{
	static const int rank[] = {[SRIOV_FAILED] = 1,
				   [SRIOV_ROLLED_BACK] = 2,
				   [SRIOV_INCOMPLETE] = 3,
				   [SRIOV_STUCK] = 4,
				   [SRIOV_DONE] = 0};

	return rank[a] >= rank[b] ? a : b;
}

/* All parts go back, the last one first; of several things that go wrong the error tells the first and the worst. */
static int fail(struct batch *batch, long generation, size_t failed, int code,
		struct sriov_error *err)
{
	enum sriov_status status = SRIOV_FAILED;
	struct sriov_error ignored;
	int r;

	for (size_t i = batch->n; i-- > 0;) {
		struct batch_part *part = &batch->part[i];
		struct sriov_error mine = *err;

		if (!part->works)
			continue;
		/* a call that hangs is one PF's; the others can go back */
		if (i != failed)
			mine.status = SRIOV_FAILED;
		change_fail(&part->change, &part->steps, &part->before, part->result.touched, code,
			    &mine);
		change_tell_states(&part->change, &part->steps);
		status = worse(status, mine.status);
		if (mine.status > SRIOV_ROLLED_BACK && strcmp(mine.hint, err->hint) != 0)
			core_copy(err->hint, sizeof(err->hint), mine.hint);
	}
	err->status = status;
	r = store_begin(batch->store, STORE_DURABLE, &ignored);
	if (!r)
		r = generation_end(batch->store, generation, "undone", err->message, &ignored);
	if (!r)
		store_commit(batch->store, &ignored);
	store_rollback(batch->store);
	return code;
}

/* Networks alone need no journal: one transaction is all there is to do. */
static int record_only(struct batch *batch, struct store_generation *generation,
		       struct sriov_error *err)
{
	int r = store_begin(batch->store, STORE_DURABLE, err);

	if (!r)
		r = store_generation_insert(batch->store, generation, err);
	if (!r)
		r = generation_commit(batch->store, generation, err);
	if (!r)
		r = store_commit(batch->store, err);
	store_rollback(batch->store);
	return r;
}

static int do_parts(struct batch *batch, struct store_generation *generation,
		    struct sriov_error *err)
{
	size_t i = 0;
	int r = open_journals(batch, generation, err);

	if (r < 0)
		return r;
	for (; !r && i < batch->n; i++)
		if (batch->part[i].works)
			r = do_part(&batch->part[i], err);
	if (!r)
		r = commit(batch, generation, err);
	if (r < 0)
		return fail(batch, generation->row.id, i - 1, r, err);
	for (i = 0; i < batch->n; i++)
		change_tell_states(&batch->part[i].change, &batch->part[i].steps);
	return 0;
}

int batch_run(struct batch *batch, struct store_generation *generation, long closes,
	      struct sriov_error *err)
{
	struct sriov_error unused;
	bool works = false;
	int r = 0;

	if (!err)
		err = &unused;
	for (size_t i = 0; !r && i < batch->n; i++) {
		struct batch_part *part = &batch->part[i];

		works |= part->works;
		r = part->works ? change_capture(&part->change, &part->before, err) : 0;
	}
	core_copy(generation->row.status, sizeof(generation->row.status), "open");
	core_now(generation->row.made);
	if (!r)
		r = generation_record(batch, closes, generation, err);
	if (r < 0)
		return r;
	return works ? do_parts(batch, generation, err) : record_only(batch, generation, err);
}
