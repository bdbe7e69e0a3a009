/* SPDX-License-Identifier: Apache-2.0 */
/* What the importers (flows/from/) and exporters (flows/to/) of rules share. */
#ifndef SRIOV_FLOWS_CONVERT_H
#define SRIOV_FLOWS_CONVERT_H

#include "flows/rule.h"
#include "flows/words.h"

#include <stdio.h>

/* ---- importers ---- */

/*
 * Each reads a whole text into @out, which is empty; what cannot be carried over becomes a note with
 * left_out. @driver of the port that the text tells of, NULL = not known. On failure the caller clears
 * @out.
 */
typedef int import_fn(const char *text, const char *driver, struct sriov_rules *out,
		      struct sriov_error *err);
import_fn import_ethtool, import_testpmd, import_json;

/* An entry as a rule, or why it is none: a phrase. NULL: it is in @out. */
const char *rule_of_entry(const struct sriov_entry *entry, const char *driver,
			  struct sriov_rule *out);

/* ---- exporters ---- */

struct export
{
	const struct sriov_rules *rules;
	const char *dev; /* NULL = not said */
	FILE *out;
	struct sriov_error *err;
	char object[128]; /* the rule that is written, for errors */
};

/*
 * Each row writes one rule, which is number @i of the list, or refuses it with export_refuse().
 */
struct exporter {
	int (*begin)(const struct export *e); /* NULL: nothing stands before the rules */
	int (*rule)(const struct export *e, const struct sriov_rule *rule, size_t i);
};
extern const struct exporter export_ethtool, export_testpmd, export_openflow;

/* What errors and notes call rule @i of a list: by its name, its line, or its number. */
void rule_label(const struct sriov_rule *rule, size_t i, char *buf, size_t size);
/* "rule web has no testpmd form: …"; returns -ENOTSUP. */
int export_refuse(const struct export *e, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* The value of a field in @match as people write it; ethtool and testpmd agree on that. */
void export_value(FILE *out, const struct flow_field *f, const struct sriov_match *match);
/* A target that neither ethtool nor testpmd has words for: NULL, or a phrase. */
const char *export_lacks(const struct sriov_rule *rule);
/* The whole list; NULL = out of memory. */
char *export_json(const struct sriov_rules *rules);

#endif
