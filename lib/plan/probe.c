/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `flow probe`: makes the steps of all questions, has them done as one change that is always undone, and
 * records the answers.
 */
#include "lib/plan/probe.h"
#include "lib/guest/guest.h"
#include "lib/plan/change.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ---- the steps ---- */

static const char *netdev_of(const struct probe *probe, enum probe_end end)
{
	return end == END_WIRE ? probe->want->wire
	       : end == END_PF ? probe->change.pf->netdev
			       : probe->vf->netdev;
}

static void fill_exchange(const struct probe *probe, const struct question *question,
			  struct exchange *out)
{
	*out = (struct exchange){.src_port = PROBE_SRC_PORT,
				 .dst_port = PROBE_DST_PORT,
				 .count = PROBE_FRAMES,
				 .hits = sriov_driver_find(probe->change.pf->driver)->rule_hits};
	core_copy(out->from, sizeof(out->from), netdev_of(probe, question->from));
	core_copy(out->to, sizeof(out->to), netdev_of(probe, question->to));
	core_copy(out->place[END_PF], sizeof(out->place[0]), netdev_of(probe, END_PF));
	core_copy(out->place[END_VF], sizeof(out->place[0]), netdev_of(probe, END_VF));
	memcpy(out->src_ip, probe_src_ip, sizeof(out->src_ip));
	memcpy(out->dst_ip, probe_dst_ip, sizeof(out->dst_ip));
	/* a VF sends its own address, because its port drops others (spoofchk) */
	memcpy(out->src_mac, question->from == END_WIRE ? probe_src_mac : probe->vf->attrs.mac, 6);
	if (question->to == END_VF)
		memcpy(out->dst_mac, probe->vf->attrs.mac, 6);
}

static struct step *add_step(struct probe *probe, enum step_kind kind)
{
	struct step *step = core_grow(&probe->steps.at, &probe->steps.n, sizeof(*step));

	if (step)
		step->kind = kind;
	return step;
}

static int add_frames(struct probe *probe, struct exchange *what, const struct sriov_entry *entry)
{
	struct step *step = add_step(probe, STEP_FRAMES);

	if (!step)
		return -ENOMEM;
	step->exchange = what;
	step->has_entry = entry;
	if (entry)
		step->entry = *entry;
	return 0;
}

static int add_rule(struct probe *probe, enum step_kind kind, const struct asked *asked)
{
	struct step *step = add_step(probe, kind);

	if (!step)
		return -ENOMEM;
	step->entry = asked->entry;
	core_copy(step->name, sizeof(step->name), asked->question->name);
	return 0;
}

/* Links rise, VFs come out of resets, switches learn: before its first question each way is tried. */
static int add_knock(struct probe *probe, const struct asked *asked)
{
	struct exchange *knock = &probe->knock[probe->nknocks];

	for (size_t i = 0; i < probe->nasked; i++)
		if (probe->asked[i].question->from == asked->question->from &&
		    probe->asked[i].question->to == asked->question->to)
			return 0;
	fill_exchange(probe, asked->question, knock);
	knock->count = PROBE_KNOCKS;
	knock->until_one = true;
	probe->nknocks++;
	return add_frames(probe, knock, NULL);
}

static int ask(struct probe *probe, const struct question *question)
{
	struct asked *asked = &probe->asked[probe->nasked];
	struct rule_state *rule;
	int r;

	asked->question = question;
	/* locations from 1 on, one for each question: location 0 is trouble with some drivers */
	probe_entry(question, probe->change.pf->driver, probe->vf->index, probe->nasked + 1,
		    &asked->entry);
	for (size_t i = 0; i < PROBE_ROUNDS; i++)
		fill_exchange(probe, question, &asked->round[i]);
	rule = state_rule(&probe->change.want, asked->entry.loc);
	r = rule ? add_knock(probe, asked) : -ENOMEM;
	if (r < 0)
		return r;
	probe->nasked++;
	rule->present = true;
	rule->entry = asked->entry;
	core_copy(rule->name, sizeof(rule->name), question->name);
	r = add_frames(probe, &asked->round[ROUND_BEFORE], NULL);
	if (!r)
		r = add_rule(probe, STEP_RULE_INSERT, asked);
	if (!r)
		r = add_frames(probe, &asked->round[ROUND_WITH], &asked->entry);
	if (!r)
		r = add_rule(probe, STEP_RULE_DELETE, asked);
	return r ? r : add_frames(probe, &asked->round[ROUND_AFTER], NULL);
}

/* The port up with its filters on, then the VF's netdev. */
static int add_setup(struct probe *probe, struct sriov_error *err)
{
	struct change *change = &probe->change;
	struct vf_state *vf = state_vf(&change->want, probe->vf->index);
	int r;

	if (!vf)
		return core_oom(err);
	core_copy(change->want.address, sizeof(change->want.address), change->pf->address);
	change->want.has = STATE_UP | STATE_NTUPLE;
	change->want.up = change->want.ntuple = true;
	/* an RSS table of ours, which a reset of the port may refill, is put back */
	if ((change->intent.has & STATE_RSS) &&
	    state_set_rss(&change->want, change->intent.rss, change->intent.nrss) < 0)
		return core_oom(err);
	r = steps_diff(change->pf, &change->want, &probe->steps, err);
	/* at the first up of its netdev a VF without a MAC takes one and the PF keeps it: put back too */
	vf->attrs = probe->vf->attrs;
	vf->attrs.has &= SRIOV_VF_MAC;
	/* a VF of a port that is in reset cannot be set up */
	if (!r && !add_step(probe, STEP_LINK))
		r = core_oom(err);
	vf->has_up = vf->up = true;
	if (!r && !probe->vf->netdev_up) {
		struct step *step = add_step(probe, STEP_VF_UP);

		if (!step)
			return core_oom(err);
		step->number = probe->vf->index;
		step->on = true;
	}
	return r;
}

static int make_steps(struct probe *probe, struct sriov_error *err)
{
	const struct sriov_pf *pf = probe->change.pf;
	int r = add_setup(probe, err);

	for (size_t i = 0; !r && i < PROBE_QUESTIONS; i++) {
		const struct question *question = &probe_questions[i];

		if (probe_applies(question, pf) &&
		    (question->from != END_WIRE || probe->want->wire) && ask(probe, question) < 0)
			r = core_oom(err);
	}
	return r;
}

static int note(struct probe *probe, struct sriov_error *err)
{
	struct change *change = &probe->change;
	unsigned rounds = probe->nasked * PROBE_ROUNDS;
	unsigned most = rounds * PROBE_FRAMES + probe->nknocks * PROBE_KNOCKS;
	unsigned seconds =
		(rounds * EXCHANGE_MS + probe->nknocks * PROBE_KNOCKS * EXCHANGE_ONE_MS) / 1000;
	char src[INET_ADDRSTRLEN], dst[INET_ADDRSTRLEN];
	int r;

	inet_ntop(AF_INET, probe_src_ip, src, sizeof(src));
	inet_ntop(AF_INET, probe_dst_ip, dst, sizeof(dst));
	r = change_note(change, err,
			"at most %u test frames in at most %u s, besides waiting for links: udp4 "
			"%s -> %s (RFC 5737), TTL 1, sent by %s%s%s only",
			most, seconds + 1, src, dst, probe->vf->netdev,
			probe->want->wire ? " and " : "",
			probe->want->wire ? probe->want->wire : "");
	if (!r)
		r = change_note(
			change, err,
			"all of it is undone at the end, after a failure, and after a kill by "
			"the next command on the PF");
	if (!r && !probe->want->wire)
		r = change_note(change, err, "without --wire only what needs no cable is asked");
	if (!r && !probe->want->consent)
		r = change_note(
			change, err,
			"nothing is done without the consent of the port's owner: --consent");
	return r;
}

/* ---- the answers ---- */

static void fill_evidence(struct probe *probe, const struct question *question,
			  const struct asked *asked, struct sriov_evidence *out)
{
	struct sriov_host *host = probe->change.host;
	const struct sriov_pf *pf = probe->change.pf;
	enum host_nature nature = host->ops->nature(host, pf, out->nature_why,
						    sizeof(out->nature_why));

	core_copy(out->pf, sizeof(out->pf), pf->address);
	core_copy(out->question, sizeof(out->question), question->name);
	core_copy(out->answer, sizeof(out->answer),
		  asked ? probe_judge(question, asked->round) : "unknown: needs --wire");
	if (asked)
		probe_counts(asked->round, out->counts, sizeof(out->counts));
	core_copy(out->nature, sizeof(out->nature), nature_word(nature));
	core_copy(out->kernel, sizeof(out->kernel), probe->change.inv->kernel);
	core_copy(out->driver, sizeof(out->driver), pf->driver);
	core_copy(out->driver_version, sizeof(out->driver_version), pf->driver_version);
	core_copy(out->firmware, sizeof(out->firmware), pf->firmware);
	out->vendor = pf->vendor;
	out->device = pf->device;
	core_now(out->taken);
}

static int record(struct store *store, const struct sriov_evidence *evidence, size_t n,
		  struct sriov_error *err)
{
	int r = store_begin(store, STORE_DURABLE, err);

	for (size_t i = 0; !r && i < n; i++)
		if (evidence[i].counts[0])
			r = store_evidence_put(store, &evidence[i], err);
	if (!r)
		r = store_commit(store, err);
	store_rollback(store);
	return r;
}

static int answer(struct probe *probe, struct sriov_evidence **out, size_t *n,
		  struct sriov_error *err)
{
	_free_ struct sriov_evidence *evidence = calloc(PROBE_QUESTIONS, sizeof(*evidence));
	size_t found = 0, next = 0;
	int r;

	if (!evidence)
		return core_oom(err);
	for (size_t i = 0; i < PROBE_QUESTIONS; i++) {
		const struct question *question = &probe_questions[i];
		const struct asked *asked = NULL;

		if (!probe_applies(question, probe->change.pf))
			continue;
		if (next < probe->nasked && probe->asked[next].question == question)
			asked = &probe->asked[next++];
		fill_evidence(probe, question, asked, &evidence[found++]);
	}
	r = record(probe->change.store, evidence, found, err);
	if (r < 0)
		return r;
	*out = core_steal(evidence);
	*n = found;
	return 0;
}

static int run(struct probe *probe, struct sriov_evidence **out, size_t *n, struct sriov_error *err)
{
	struct change *change = &probe->change;
	int r = probe_check(probe, err);

	if (!r)
		r = make_steps(probe, err);
	if (!r)
		r = note(probe, err);
	if (!r)
		r = change_run_undone(change, &probe->steps, err);
	return r || change->opts->dry_run ? r : answer(probe, out, n, err);
}

SRIOV_EXPORT int sriov_flow_probe(struct sriov_host *host, const char *pf,
				  const struct sriov_probe *want,
				  const struct sriov_options *options, struct sriov_plan **plan,
				  struct sriov_evidence **out, size_t *n, struct sriov_error *err)
{
	struct probe probe = {.want = want};
	struct sriov_options opts = *options;
	int r;

	opts.dry_run = opts.dry_run || !want->consent;
	*out = NULL;
	*n = 0;
	r = change_open(&probe.change, host, pf, CHANGE_READ_ALL, &opts, err);
	if (!r)
		r = run(&probe, out, n, err);
	steps_clear(&probe.steps);
	change_give_plan(&probe.change, plan);
	change_close(&probe.change);
	return r;
}

SRIOV_EXPORT int sriov_evidence_list(struct sriov_host *host, const char *pf,
				     struct sriov_evidence **out, size_t *n,
				     struct sriov_error *err)
{
	struct sriov_inventory *inv = NULL;
	struct store *store = NULL;
	int r = pf ? host_read(host, pf, 0, &inv, err) : 0;

	if (!r)
		r = store_get(host, false, &store, err);
	if (!r && store) {
		r = store_evidence_list(store, pf ? inv->pf[0].address : NULL, out, n, err);
	} else if (!r) {
		*out = NULL;
		*n = 0;
	}
	sriov_inventory_free(inv);
	return r;
}
