/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tool prints. With --json exactly one document is printed, when everything else is over: verbs
 * add members to it, and so does the error. Without, text goes to standard output as it comes.
 */
#ifndef SRIOVCTL_OUT_H
#define SRIOVCTL_OUT_H

#include "lib/core/core.h"

#include <sriov/host.h>
#include <sriov/plan.h>

struct out {
	json_t *doc; /* NULL without --json */
};

/* Adds @value (taken over; NULL = out of memory) to the document. */
int out_add(struct out *out, const char *key, json_t *value, struct sriov_error *err);
/* A JSON string of any bytes: what is not UTF-8 becomes '?'. */
json_t *out_text(const char *text);

/* The error, on standard error or into the document: the only place where errors are printed. */
void out_error(struct out *out, const struct sriov_error *err);
/* Prints the document, if there is one, and flushes. Returns 0 or -errno of the output. */
int out_finish(struct out *out);

/* pool.c: the pool of a VF that is in none is our own. */
const char *pool_of(const struct sriov_vf *vf);

/*
 * plan.c: the plans (NULL: none could be made) and what became of them; takes them over. @r is what the
 * call that made them returned, and is returned again.
 */
int out_plans(struct out *out, struct sriov_plan *plans, bool dry_run, int r,
	      struct sriov_error *err);

/* A plan as JSON. */
json_t *out_plan(const struct sriov_plan *plan);

/* What the words of rules mean besides what they say: on standard error, or into the document. */
int out_notes(struct out *out, const struct sriov_notes *notes, struct sriov_error *err);

/* A table: cells row by row; columns as wide as their content. */
struct column {
	const char *title;
	bool right;    /* aligned to the right: numbers */
	bool optional; /* left out while every cell is "-" */
};

struct table {
	const struct column *columns;
	size_t ncolumns;
	char **cell;
	size_t ncells;
	bool oom;
};

#define TABLE(name, cols) struct table name = {.columns = cols, .ncolumns = ARRAY_SIZE(cols)}
/* The next cell; an empty text becomes "-". take: of fresh memory, which it takes over. */
void table_take(struct table *table, char *text);
void table_cell(struct table *table, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void table_clear(struct table *table);
/* Prints and frees the table, @indent blanks before each line; a table without rows prints nothing. */
int table_print(struct table *table, int indent, struct sriov_error *err);

/* show.c: VFs as shown, and the inventory as JSON. */
enum show_view { SHOW_LIST = 1 << 0, SHOW_HOST = 1 << 1, SHOW_ONE = 1 << 2 };
/* A table of the PF's VFs. */
int show_vfs(const struct sriov_pf *pf, enum show_view view, int indent, struct sriov_error *err);
/* One VF, a line for each fact. */
int show_vf(const struct sriov_vf *vf, struct sriov_error *err);
/* Who uses it, with the evidence if @how; fresh memory, "" if nobody, NULL = out of memory. */
char *show_uses(const struct sriov_uses *uses, bool how);
#define NO_PF "no PF: no NIC of this host can make VFs"
/* "0000:81:00.0 eth2" */
const char *show_pf(const struct sriov_pf *pf, char buf[64]);

/* Into the document: all of the inventory, the VFs of its PFs, or VF @index of its first PF. */
int out_inventory(struct out *out, const struct sriov_inventory *inv, struct sriov_error *err);
int out_vfs(struct out *out, const struct sriov_inventory *inv, struct sriov_error *err);
int out_vf(struct out *out, const struct sriov_inventory *inv, unsigned index,
	   struct sriov_error *err);

#endif
