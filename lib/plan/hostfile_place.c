/* SPDX-License-Identifier: Apache-2.0 */
/* Where in a host file an error has its cause that was found behind the reader. */
#include "lib/plan/hostfile_plan.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

unsigned hostfile_column(const struct hostfile *file, unsigned line)
{
	const char *at = file->text;

	for (unsigned i = 1; at && i < line; i++) {
		at = strchr(at, '\n');
		at += !!at;
	}
	return at ? 1 + strspn(at, " -") : 1;
}

static void place(const char *file, unsigned line, unsigned column, struct sriov_error *err)
{
	struct sriov_error was = *err;
	size_t len = strlen(file);

	/* of a long path the end tells more */
	snprintf(err->object, sizeof(err->object), "%s:%u:%u", len > 72 ? file + len - 72 : file,
		 line, column);
	snprintf(err->message, sizeof(err->message), "%.*s: %s", (int)sizeof(was.object) - 1,
		 was.object, was.message);
}

static bool is_placed(const char *file, const struct sriov_error *err)
{
	size_t len = strlen(file);
	const char *end = len > 72 ? file + len - 72 : file;

	return !strncmp(err->object, end, strlen(end)) && err->object[strlen(end)] == ':';
}

void hostfile_place(const struct hostfile *file, unsigned line, struct sriov_error *err)
{
	if (err && line && !is_placed(file->name, err))
		place(file->name, line, hostfile_column(file, line), err);
}

/* By which words an error of a VF speaks of which key; those that others are part of come first. */
static const struct {
	const char *words;
	enum hostfile_vfs_key key;
} culprits[] = {
	{"MAC", HOSTFILE_MAC},
	{"VLAN", HOSTFILE_VLAN},
	{"minimum", HOSTFILE_MIN_RATE},
	{"rate", HOSTFILE_MAX_RATE},
	{"link state", HOSTFILE_LINK_STATE},
	{"spoofchk", HOSTFILE_SPOOFCHK},
	{"trust", HOSTFILE_TRUST},
	{"pool", HOSTFILE_POOL},
	{"driver", HOSTFILE_DRIVER},
};

static bool place_vf(const struct hostfile *file, const struct hostfile_pf *entry, unsigned vf,
		     struct sriov_error *err)
{
	const struct hostfile_vfs *range = hostfile_range_of(entry, vf);
	size_t i = 0;

	while (i < ARRAY_SIZE(culprits) && !strstr(err->message, culprits[i].words))
		i++;
	for (unsigned k = 0; i < ARRAY_SIZE(culprits) && k < 2; k++) {
		const struct hostfile_vfs *vfs = k ? &entry->all : range;
		const struct hostfile_at *at = vfs ? &vfs->at[culprits[i].key] : NULL;

		if (!at || !at->line)
			continue;
		place(file->name, at->line, at->column, err);
		return true;
	}
	if (range)
		hostfile_place(file, range->line, err);
	return range;
}

static bool place_rule(const struct hostfile *file, const struct hostfile_pf *entry,
		       struct sriov_error *err)
{
	const char *name = entry->rules.file;
	bool same = !strcmp(name, file->name);

	for (size_t i = 0; i < entry->rules.n; i++) {
		unsigned line = entry->rules.at[i].line;
		char words[32];

		snprintf(words, sizeof(words), " (line %u)", line);
		/* the only one of its list is not told by its line */
		if (entry->rules.n > 1 && !strstr(err->object, words))
			continue;
		place(name, line, same ? hostfile_column(file, line) : 1, err);
		return true;
	}
	return false;
}

void hostfile_place_entry(const struct hostfile *file, const struct hostfile_pf *entry,
			  struct sriov_error *err)
{
	unsigned vf;

	if (!err || is_placed(file->name, err))
		return;
	if (!strncmp(err->object, "rule ", 5) && place_rule(file, entry, err))
		return;
	if (sscanf(err->object, "vf %u of ", &vf) == 1 && place_vf(file, entry, vf, err))
		return;
	hostfile_place(file,
		       err->code == -ERANGE && entry->has_count ? entry->count_line : entry->line,
		       err);
}
