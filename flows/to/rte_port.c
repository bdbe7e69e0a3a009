/* SPDX-License-Identifier: Apache-2.0 */
/* A port of this process and the rules on it: see rte.h. */
#include "flows/to/rte.h"
#include "lib/core/core.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct sriov_rte {
	struct rte_at at;
	struct sriov_rte_row *row;
	struct rte_flow *(*flow)[RTE_PARTS_MAX]; /* of each row */
	size_t n;
	uint16_t vxlan; /* the UDP port that the NIC was told, 0 = none */
	struct sriov_rte_told told;
	struct sriov_rte_row *told_row; /* those that steps are about and that are not there */
};

static int no_memory(struct sriov_error *err)
{
	return sriov_error_set(err, -ENOMEM, "rte", "not enough memory");
}

int rte_port_new(const struct rte_calls *calls, uint16_t id, const struct sriov_pf *pf,
		 struct sriov_rte **out, struct sriov_error *err)
{
	struct sriov_rte *port = calloc(1, sizeof(*port));

	if (!port)
		return no_memory(err);
	port->at.calls = calls;
	port->at.id = id;
	port->at.pf = *pf;
	*out = port;
	return 0;
}

static void told_clear(struct sriov_rte_told *told)
{
	while (told->nnotes)
		free(told->note[--told->nnotes]);
	free(told->note);
	free(told->step);
	*told = (struct sriov_rte_told){0};
}

static void forget_told(struct sriov_rte *port)
{
	told_clear(&port->told);
	free(core_steal(port->told_row));
}

SRIOV_EXPORT void sriov_rte_close(struct sriov_rte *port)
{
	if (!port)
		return;
	forget_told(port);
	free(port->row);
	free(port->flow);
	free(port);
}

SRIOV_EXPORT const struct sriov_pf *sriov_rte_port(const struct sriov_rte *port)
{
	return &port->at.pf;
}

SRIOV_EXPORT const struct sriov_rte_row *sriov_rte_rows(const struct sriov_rte *port, size_t *n)
{
	*n = port->n;
	return port->row;
}

SRIOV_EXPORT const struct sriov_rte_told *sriov_rte_told(const struct sriov_rte *port)
{
	return &port->told;
}

/* ---- a table ---- */

/* From the rows that are to those that shall be. */
struct change {
	struct sriov_rte_row *row;
	struct rte_flow *(*flow)[RTE_PARTS_MAX];
	size_t n;
	uint16_t was_vxlan, vxlan; /* the UDP port of the old rows' tunnels, and of the new ones' */
	size_t *kept;              /* of each new row the old one + 1, 0 = it is new */
	bool *gone;                /* of each old one: no new row is it */
	struct sriov_rte_told told;
};

static void change_clear(struct change *change)
{
	free(change->row);
	free(change->flow);
	free(change->kept);
	free(change->gone);
	told_clear(&change->told);
}

static struct sriov_entry *entries_of(const struct sriov_rte *port)
{
	struct sriov_entry *entry = calloc(port->n + 1, sizeof(*entry));

	for (size_t i = 0; entry && i < port->n; i++)
		entry[i] = port->row[i].entry;
	return entry;
}

static void fill_rows(const struct sriov_rules *rules, const struct sriov_compiled *compiled,
		      struct change *change)
{
	for (size_t i = 0; i < compiled->nentries; i++) {
		change->row[i].entry = compiled->entry[i];
		change->row[i].filter = compiled->filter[i];
		change->vxlan = change->vxlan ?: rte_vxlan_port(&compiled->entry[i]);
	}
	for (size_t r = 0; r < compiled->nrules; r++)
		for (size_t i = 0; i < compiled->verdict[r].n; i++) {
			struct sriov_rte_row *row = &change->row[compiled->verdict[r].first + i];

			snprintf(row->rule, sizeof(row->rule), "%s", rules->at[r].name);
		}
}

/* Entries keep their numbers as long as they stay the same. */
static int match_rows(const struct sriov_rte *port, struct change *change)
{
	uint32_t most = 0;
	_free_ size_t *at = NULL; /* the old row of a number + 1 */

	for (size_t i = 0; i < port->n; i++) {
		change->gone[i] = true;
		most = port->row[i].entry.loc > most ? port->row[i].entry.loc : most;
	}
	at = calloc(most + 1, sizeof(*at));
	if (!at)
		return -ENOMEM;
	for (size_t i = 0; i < port->n; i++)
		at[port->row[i].entry.loc] = i + 1;
	for (size_t k = 0; k < change->n; k++) {
		const struct sriov_rte_row *row = &change->row[k];
		size_t old = row->entry.loc <= most ? at[row->entry.loc] : 0;

		if (!old || port->row[old - 1].filter != row->filter ||
		    !sriov_entry_same(&port->row[old - 1].entry, &row->entry))
			continue;
		change->kept[k] = old;
		change->gone[old - 1] = false;
	}
	return 0;
}

/* ---- what is told of it ---- */

struct telling {
	const struct sriov_compiled *compiled;
	struct change *change;
};

static bool all_kept(void *data, size_t i)
{
	const struct telling *telling = data;
	const struct sriov_verdict *verdict = &telling->compiled->verdict[i];
	size_t kept = 0;

	while (kept < verdict->n && telling->change->kept[verdict->first + kept])
		kept++;
	return kept == verdict->n;
}

static int add_note(void *data, const char *text)
{
	struct sriov_rte_told *told = &((struct telling *)data)->change->told;
	char **more = realloc(told->note, (told->nnotes + 1) * sizeof(*more));

	if (!more)
		return -ENOMEM;
	told->note = more;
	more[told->nnotes] = strdup(text);
	return more[told->nnotes] ? (told->nnotes++, 0) : -ENOMEM;
}

static int prepare_told(const struct sriov_rte *port, const struct sriov_rules *rules,
			const struct sriov_compiled *compiled, struct change *change)
{
	struct telling telling = {compiled, change};
	const struct sriov_teller teller = {all_kept, add_note, &telling};

	change->told.step = calloc(port->n + change->n + 1, sizeof(*change->told.step));
	if (!change->told.step)
		return -ENOMEM;
	return sriov_compiled_tell(rules, compiled, &teller);
}

/* From the rows @was, of which there were @n, to the rows @now; @other is one of the two, and the caller's no more. */
static void give_told(struct sriov_rte *port, struct change *change,
		      const struct sriov_rte_row *was, size_t n, const struct sriov_rte_row *now,
		      struct sriov_rte_row *other)
{
	struct sriov_rte_told *told = &port->told;

	*told = change->told;
	change->told = (struct sriov_rte_told){0};
	for (size_t i = 0; i < n; i++)
		if (change->gone[i])
			told->step[told->nsteps++] = (struct sriov_rte_step){false, &was[i]};
	for (size_t k = 0; k < change->n; k++)
		if (!change->kept[k])
			told->step[told->nsteps++] = (struct sriov_rte_step){true, &now[k]};
	port->told_row = other;
}

static int plan(const struct sriov_rte *port, const struct sriov_rules *rules,
		const struct sriov_compile *opts, struct change *change, struct sriov_error *err)
{
	struct sriov_compile with = opts ? *opts : (struct sriov_compile){0};
	_free_ struct sriov_entry *ours = entries_of(port);
	struct sriov_compiled compiled = {0};
	int r;

	if (!ours)
		return no_memory(err);
	with.ours = ours;
	with.nours = port->n;
	r = sriov_rules_compile(rules, &port->at.pf, &with, &compiled, err);
	if (r < 0) {
		sriov_compiled_clear(&compiled);
		return r;
	}
	*change = (struct change){
		.n = compiled.nentries,
		.was_vxlan = port->vxlan,
		.row = calloc(compiled.nentries + 1, sizeof(*change->row)),
		.flow = calloc(compiled.nentries + 1, sizeof(*change->flow)),
		.kept = calloc(compiled.nentries + 1, sizeof(*change->kept)),
		.gone = calloc(port->n + 1, sizeof(*change->gone)),
	};
	if (change->row && change->flow && change->kept && change->gone) {
		fill_rows(rules, &compiled, change);
		r = match_rows(port, change);
		if (!r)
			r = prepare_told(port, rules, &compiled, change);
	} else {
		r = -ENOMEM;
	}
	sriov_compiled_clear(&compiled);
	return r < 0 ? no_memory(err) : 0;
}

static struct sriov_rte_count count_of(const struct sriov_rte *port, const struct change *change)
{
	struct sriov_rte_count count = {0};

	for (size_t k = 0; k < change->n; k++)
		*(change->kept[k] ? &count.kept : &count.created) += rte_row_parts(&change->row[k]);
	for (size_t i = 0; i < port->n; i++)
		count.destroyed += change->gone[i] ? rte_row_parts(&port->row[i]) : 0;
	return count;
}

/* New rows that came before the failure go, and old ones that went come back; the first that fails is told. */
static int undo(struct sriov_rte *port, const struct change *change, struct sriov_error *err)
{
	int r = 0;

	for (size_t k = 0; !r && k < change->n; k++)
		if (!change->kept[k])
			r = rte_row_destroy(&port->at, &change->row[k], change->flow[k], err);
	if (!r)
		r = rte_tell_vxlan(&port->at, &port->vxlan, change->was_vxlan, err);
	for (size_t i = 0; !r && i < port->n; i++)
		if (!port->flow[i][0])
			r = rte_row_create(&port->at, &port->row[i], port->flow[i], err);
	return r;
}

static size_t keep_present(struct sriov_rte *port, size_t at, const struct sriov_rte_row *row,
			   struct rte_flow *(*flow)[RTE_PARTS_MAX], size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!flow[i][0] && !flow[i][1])
			continue;
		port->row[at] = row[i];
		memcpy(port->flow[at++], flow[i], sizeof(*flow));
	}
	return at;
}

/* What is in hardware, old or new, is what the next apply begins with: it brings what is missing. */
static void take_stock(struct sriov_rte *port, const struct change *change)
{
	size_t n = port->n;

	n = keep_present(port, 0, port->row, port->flow, n);
	port->n = keep_present(port, n, change->row, change->flow, change->n);
}

/* Room for the old rows and the new ones, so that taking stock cannot fail. */
static int make_room(struct sriov_rte *port, size_t more)
{
	void *row = realloc(port->row, (port->n + more + 1) * sizeof(*port->row)), *flow = NULL;

	if (row) {
		port->row = row;
		flow = realloc(port->flow, (port->n + more + 1) * sizeof(*port->flow));
	}
	if (flow)
		port->flow = flow;
	return flow ? 0 : -ENOMEM;
}

static int roll_back(struct sriov_rte *port, const struct change *change, int code,
		     struct sriov_error *err)
{
	struct sriov_error first = err ? *err : (struct sriov_error){0}, again = {0};

	if (!undo(port, change, &again)) {
		sriov_error_status(err, SRIOV_ROLLED_BACK);
		return code;
	}
	take_stock(port, change);
	sriov_error_set(err, code, first.object,
			"%s; and the rules before it are not all back: %s: %s", first.message,
			again.object, again.message);
	sriov_error_kernel(err, "%s", first.kernel);
	sriov_error_hint(err, "apply a list again: what is missing comes with it");
	return sriov_error_status(err, SRIOV_INCOMPLETE);
}

static int carry_out(struct sriov_rte *port, struct change *change, struct sriov_error *err)
{
	int r = 0;

	for (size_t i = 0; !r && i < port->n; i++)
		if (change->gone[i])
			r = rte_row_destroy(&port->at, &port->row[i], port->flow[i], err);
	if (!r)
		r = rte_tell_vxlan(&port->at, &port->vxlan, change->vxlan, err);
	for (size_t k = 0; !r && k < change->n; k++)
		if (!change->kept[k])
			r = rte_row_create(&port->at, &change->row[k], change->flow[k], err);
	return r ? roll_back(port, change, r, err) : 0;
}

static void settle(struct sriov_rte *port, struct change *change)
{
	struct sriov_rte_row *was = port->row;
	size_t n = port->n;

	for (size_t k = 0; k < change->n; k++)
		if (change->kept[k])
			memcpy(change->flow[k], port->flow[change->kept[k] - 1],
			       sizeof(*change->flow));
	free(port->flow);
	port->row = core_steal(change->row);
	port->flow = core_steal(change->flow);
	port->n = change->n;
	give_told(port, change, was, n, port->row, was);
}

SRIOV_EXPORT int sriov_rte_apply(struct sriov_rte *port, const struct sriov_rules *rules,
				 const struct sriov_compile *opts, struct sriov_rte_count *count,
				 struct sriov_error *err)
{
	_cleanup_(change_clear)
	struct change change = {0};
	struct sriov_rte_count done;
	int r;

	forget_told(port);
	r = plan(port, rules, opts, &change, err);

	if (r < 0)
		return r;
	done = count_of(port, &change);
	r = make_room(port, change.n) ? no_memory(err) : carry_out(port, &change, err);
	if (r < 0)
		return r;
	settle(port, &change);
	if (count)
		*count = done;
	return 0;
}

SRIOV_EXPORT int sriov_rte_validate(struct sriov_rte *port, const struct sriov_rules *rules,
				    const struct sriov_compile *opts, struct sriov_rte_count *count,
				    struct sriov_error *err)
{
	_cleanup_(change_clear)
	struct change change = {0};
	int r;

	forget_told(port);
	r = plan(port, rules, opts, &change, err);
	for (size_t k = 0; !r && k < change.n; k++)
		r = rte_row_validate(&port->at, &change.row[k], err);
	if (r < 0)
		return r;
	if (count)
		*count = count_of(port, &change);
	give_told(port, &change, port->row, port->n, change.row, change.row);
	change.row = NULL;
	return 0;
}

SRIOV_EXPORT int sriov_rte_isolate(struct sriov_rte *port, bool on, struct sriov_error *err)
{
	struct rte_flow_error error = {0};
	int r = port->at.calls->isolate(port->at.id, on, &error);
	const struct rte_failure failure = {
		.pf = &port->at.pf, .what = on ? "isolate" : "open up", .rule = "", .number = -r};

	if (!r)
		return 0;
	if (r != -ENOSYS && r != -ENOTSUP)
		return rte_failed(&failure, &error, err);
	sriov_error_set(err, -EOPNOTSUPP, port->at.pf.netdev, "%s cannot isolate a port",
			port->at.pf.driver);
	return sriov_error_kernel(err, "%s: %s", port->at.pf.driver, error.message ?: "no reason");
}
