/* SPDX-License-Identifier: Apache-2.0 */
/* Host files: their words in tables, and from YAML to data. See hostfile.h. */
#include "lib/plan/hostfile_read.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

/* ---- mappings ---- */

static int read_members(struct hostfile_reader *reader, const struct core_yaml *map,
			const struct hostfile_key *keys, const char *const *names, void *into)
{
	for (size_t i = 0; i < map->n; i++) {
		const struct core_yaml *value = &map->child[i];
		const struct hostfile_key *key = keys;
		char list[200] = "";
		const char *near;
		int r;

		while (key->name && strcmp(key->name, value->key) != 0)
			key++;
		if (key->name) {
			r = key->read(reader, value, key, (char *)into + key->offset);
			if (r < 0)
				return r;
			if (key->has)
				((struct hostfile_vfs *)into)->attrs.has |= key->has;
			continue;
		}
		near = core_nearest(value->key, names);
		core_yaml_error(reader->err, -EINVAL, reader->name, value->key_line,
				value->key_column, "'%.60s' is no key here", value->key);
		if (near)
			return sriov_error_hint(reader->err, "did you mean %s?", near);
		for (size_t k = 0; names[k]; k++) {
			size_t used = strlen(list);

			snprintf(list + used, sizeof(list) - used, "%s%s", k ? ", " : "", names[k]);
		}
		return sriov_error_hint(reader->err, "keys here are %s", list);
	}
	return 0;
}

#define VFS_AT(member) offsetof(struct hostfile_vfs, member)
#define VFS_KEYS                                                                                   \
	{"pool", hostfile_pool, VFS_AT(pool)}, {"driver", hostfile_driver, VFS_AT(bind)},          \
		{"mac", hostfile_mac, 0}, {"vlan", hostfile_vlan, 0},                              \
		{"spoofchk", hostfile_on_off, VFS_AT(attrs.spoofchk), SRIOV_VF_SPOOFCHK},          \
		{"trust", hostfile_on_off, VFS_AT(attrs.trust), SRIOV_VF_TRUST},                   \
		{"max-rate", hostfile_rate, VFS_AT(attrs.max_rate), SRIOV_VF_RATE},                \
		{"min-rate", hostfile_rate, VFS_AT(attrs.min_rate), SRIOV_VF_RATE},                \
	{                                                                                          \
		"link-state", hostfile_link, VFS_AT(attrs.link), SRIOV_VF_LINK                     \
	}
#define VFS_NAMES                                                                                  \
	"pool", "driver", "mac", "vlan", "spoofchk", "trust", "max-rate", "min-rate", "link-state"

static const struct hostfile_key vfs_keys[] = {VFS_KEYS, {NULL}};
static const char *const vfs_names[] = {VFS_NAMES, NULL};
_Static_assert(ARRAY_SIZE(vfs_names) == HOSTFILE_VFS_KEYS + 1, "enum hostfile_vfs_key is of these");

static void note_places(const struct core_yaml *map, struct hostfile_vfs *vfs)
{
	for (unsigned i = 0; i < HOSTFILE_VFS_KEYS; i++) {
		const struct core_yaml *value = core_yaml_find(map, vfs_names[i]);

		if (value)
			vfs->at[i] = (struct hostfile_at){value->line, value->column};
	}
}

/* Every driver takes both rates in one message: one alone would silently clear the other. */
static int check_rates(struct hostfile_reader *reader, const struct core_yaml *map)
{
	const struct core_yaml *min = core_yaml_find(map, "min-rate");

	if (!min || core_yaml_find(map, "max-rate"))
		return 0;
	core_yaml_error(reader->err, -EINVAL, reader->name, min->key_line, min->key_column,
			"min-rate also needs max-rate");
	return sriov_error_hint(reader->err,
				"the kernel takes both together; max-rate: 0 is unlimited");
}

static int read_range(struct hostfile_reader *reader, const struct core_yaml *value,
		      struct hostfile_pf *pf)
{
	struct hostfile_vfs *range = core_grow(&pf->range, &pf->nranges, sizeof(*range));
	struct sriov_error why;
	int r;

	if (!range)
		return core_oom(reader->err);
	range->line = value->key_line;
	range->column = value->key_column;
	if (!strcmp(value->key, "all") || sriov_vfset_parse(value->key, &range->vfs, &why) < 0) {
		core_yaml_error(reader->err, -EINVAL, reader->name, value->key_line,
				value->key_column, "'%.60s' names no VFs", value->key);
		return sriov_error_hint(reader->err,
					"VF indices, as 3, 0-3 or 0-3,7; what holds for all of "
					"them stands in the PF's entry itself");
	}
	for (const struct hostfile_vfs *other = pf->range; other < range; other++)
		for (unsigned i = 0; i < SRIOV_VF_MAX; i++) {
			if (!sriov_vfset_has(&range->vfs, i) || !sriov_vfset_has(&other->vfs, i))
				continue;
			core_yaml_error(reader->err, -EEXIST, reader->name, value->key_line,
					value->key_column, "VF %u stands in line %u already", i,
					other->line);
			return sriov_error_hint(reader->err, "a VF stands in one range");
		}
	r = hostfile_kind(reader, value, CORE_YAML_MAP, "what these VFs get");
	if (!r)
		r = read_members(reader, value, vfs_keys, vfs_names, range);
	if (!r)
		note_places(value, range);
	return r ? r : check_rates(reader, value);
}

static int read_ranges(struct hostfile_reader *reader, const struct core_yaml *value,
		       const struct hostfile_key *key, void *into)
{
	int r = hostfile_kind(reader, value, CORE_YAML_MAP, "VFs and what they get");

	for (size_t i = 0; !r && i < value->n; i++)
		r = read_range(reader, &value->child[i], into);
	return r;
}

static const struct hostfile_key match_keys[] = {
	{"address", hostfile_glob, offsetof(struct hostfile_pf, address)},
	{"netdev", hostfile_glob, offsetof(struct hostfile_pf, netdev)},
	{"driver", hostfile_glob, offsetof(struct hostfile_pf, driver)},
	{NULL},
};
static const char *const match_names[] = {"address", "netdev", "driver", NULL};

static int read_match(struct hostfile_reader *reader, const struct core_yaml *value,
		      const struct hostfile_key *key, void *into)
{
	struct hostfile_pf *pf = into;

	if (value->kind == CORE_YAML_TEXT)
		return hostfile_glob(reader, value, key, pf->any);
	if (value->kind != CORE_YAML_MAP || !value->n)
		return hostfile_wrong(
			reader, value, "which PFs",
			"a PCI address or netdev, or a mapping of address, netdev, driver");
	return read_members(reader, value, match_keys, match_names, pf);
}

/* ---- entries ---- */

#define PF_AT(member) offsetof(struct hostfile_pf, member)
static const struct hostfile_key pf_keys[] = {
	{"match", read_match, 0},
	{"vfs", hostfile_count, 0},
	{"vf", read_ranges, 0},
	{"rules", hostfile_rules, 0},
	{"rules-file", hostfile_rules_file, 0},
	{"owner", hostfile_owner, PF_AT(owner)},
	{"allow", hostfile_allow, PF_AT(allow)},
	{"partial", hostfile_on_off, PF_AT(partial)},
	{NULL},
};
static const char *const pf_names[] = {"match", "vfs",   "vf",      "rules",   "rules-file",
				       "owner", "allow", "partial", VFS_NAMES, NULL};

/* The members of a PF's entry are of two kinds: its own, and those of all its VFs. */
static int split_members(struct hostfile_reader *reader, const struct core_yaml *value,
			 struct hostfile_pf *pf)
{
	_free_ struct core_yaml *own = calloc(value->n + 1, sizeof(*own));
	_free_ struct core_yaml *all = calloc(value->n + 1, sizeof(*all));
	struct core_yaml own_map = *value, all_map = *value;
	int r;

	if (!own || !all)
		return core_oom(reader->err);
	own_map.child = own;
	all_map.child = all;
	own_map.n = all_map.n = 0;
	for (size_t i = 0; i < value->n; i++) {
		const char *const *name = vfs_names;

		while (*name && strcmp(*name, value->child[i].key) != 0)
			name++;
		if (*name)
			all[all_map.n++] = value->child[i];
		else
			own[own_map.n++] = value->child[i];
	}
	r = read_members(reader, &own_map, pf_keys, pf_names, pf);
	if (!r)
		r = read_members(reader, &all_map, vfs_keys, vfs_names, &pf->all);
	note_places(&all_map, &pf->all);
	return r ? r : check_rates(reader, &all_map);
}

static int check_ranges(struct hostfile_reader *reader, const struct hostfile_pf *pf)
{
	for (size_t k = 0; pf->has_count && k < pf->nranges; k++)
		for (unsigned i = pf->count; i < SRIOV_VF_MAX; i++) {
			if (!sriov_vfset_has(&pf->range[k].vfs, i))
				continue;
			core_yaml_error(reader->err, -ERANGE, reader->name, pf->range[k].line,
					pf->range[k].column, "there will be no VF %u: vfs is %u", i,
					pf->count);
			return pf->count ? sriov_error_hint(reader->err, "VFs are 0-%u",
							    pf->count - 1)
					 : sriov_error_hint(reader->err, "leave it out");
		}
	return 0;
}

static int read_pf(struct hostfile_reader *reader, const struct core_yaml *value)
{
	struct hostfile_pf *pf = core_grow(&reader->out->pf, &reader->out->npfs, sizeof(*pf));
	int r;

	if (!pf)
		return core_oom(reader->err);
	pf->line = pf->all.line = value->line;
	pf->allow = reader->allow;
	pf->partial = reader->partial;
	sriov_vfset_parse("all", &pf->all.vfs, NULL);
	r = hostfile_kind(reader, value, CORE_YAML_MAP, "an entry of PFs");
	if (!r)
		r = split_members(reader, value, pf);
	if (!r)
		r = check_ranges(reader, pf);
	for (size_t i = 0; !r && pf->owner[0] && i < pf->rules.n; i++)
		if (!pf->rules.at[i].owner[0])
			core_copy(pf->rules.at[i].owner, SRIOV_NAME_LEN, pf->owner);
	if (r < 0 || core_yaml_find(value, "match"))
		return r;
	core_yaml_error(reader->err, -EINVAL, reader->name, value->line, value->column,
			"this entry does not say of which PFs it is");
	return sriov_error_hint(reader->err, "match: 0000:81:00.0, match: 'ens2f*', or match: "
					     "{driver: ixgbe}");
}

static int read_pfs(struct hostfile_reader *reader, const struct core_yaml *value,
		    const struct hostfile_key *key, void *into)
{
	int r = hostfile_kind(reader, value, CORE_YAML_LIST, "a list of PFs");

	for (size_t i = 0; !r && i < value->n; i++)
		r = read_pf(reader, &value->child[i]);
	return r;
}

static int read_net_pfs(struct hostfile_reader *reader, const struct core_yaml *value,
			const struct hostfile_key *key, void *into)
{
	struct hostfile_net *net = into;
	int r = hostfile_kind(reader, value, CORE_YAML_LIST, "the PFs of a network");

	for (size_t i = 0; !r && i < value->n; i++) {
		char(*pf)[64] = core_grow(&net->pf, &net->npfs, sizeof(*pf));

		if (!pf)
			return core_oom(reader->err);
		r = hostfile_glob(reader, &value->child[i], key, pf);
	}
	return r;
}

#define NET_AT(member) offsetof(struct hostfile_net, member)
static const struct hostfile_key vswitch_keys[] = {
	{"bridge", hostfile_bridge, NET_AT(bridge)},
	{"uplink", hostfile_uplink, NET_AT(uplink)},
	{"sockets", hostfile_sockets, NET_AT(sockets)},
	{NULL},
};
static const char *const vswitch_names[] = {"bridge", "uplink", "sockets", NULL};

static int read_vswitch(struct hostfile_reader *reader, const struct core_yaml *value,
			const struct hostfile_key *key, void *into)
{
	struct hostfile_net *net = into;
	int r = hostfile_kind(reader, value, CORE_YAML_MAP, "the bridge of a network");

	net->vswitch = value->key_line;
	if (!r)
		r = read_members(reader, value, vswitch_keys, vswitch_names, net);
	if (r < 0 || (net->bridge[0] && net->uplink[0]))
		return r;
	core_yaml_error(reader->err, -EINVAL, reader->name, value->key_line, value->key_column,
			"a bridge is not without a name and an uplink: %s is missing",
			net->bridge[0] ? "uplink" : "bridge");
	return sriov_error_hint(reader->err, "vswitch: {bridge: br-red, uplink: af_xdp}");
}

static const struct hostfile_key net_keys[] = {
	{"pfs", read_net_pfs, 0},
	{"vswitch", read_vswitch, 0},
	{"paths", hostfile_paths, NET_AT(policy)},
	{"numa", hostfile_numa, NET_AT(policy)},
	{NULL},
};
static const char *const net_names[] = {"pfs", "vswitch", "paths", "numa", NULL};

static int read_nets(struct hostfile_reader *reader, const struct core_yaml *value,
		     const struct hostfile_key *key, void *into)
{
	int r = hostfile_kind(reader, value, CORE_YAML_MAP, "networks by name");

	reader->out->has_nets = true;
	for (size_t i = 0; !r && i < value->n; i++) {
		const struct core_yaml *child = &value->child[i];
		const struct core_yaml name = {
			.text = child->key, .line = child->key_line, .column = child->key_column};
		struct hostfile_net *net = core_grow(&reader->out->net, &reader->out->nnets,
						     sizeof(*net));

		if (!net)
			return core_oom(reader->err);
		net->line = child->key_line;
		r = hostfile_name(reader, &name, net->name, sizeof(net->name));
		if (!r)
			r = hostfile_kind(reader, child, CORE_YAML_MAP, "what a network is");
		if (!r)
			r = read_members(reader, child, net_keys, net_names, net);
		if (!r && !net->npfs) {
			core_yaml_error(reader->err, -EINVAL, reader->name, child->key_line,
					child->key_column, "network %s has no PFs", net->name);
			r = sriov_error_hint(reader->err, "pfs: [0000:81:00.0]; to forget a "
							  "network, leave it out");
		}
	}
	return r;
}

static int read_policy_allow(struct hostfile_reader *reader, const struct core_yaml *value,
			     const struct hostfile_key *key, void *into)
{
	return hostfile_allow(reader, value, key, &reader->allow);
}

static int read_policy_partial(struct hostfile_reader *reader, const struct core_yaml *value,
			       const struct hostfile_key *key, void *into)
{
	return hostfile_on_off(reader, value, key, &reader->partial);
}

static const struct hostfile_key policy_keys[] = {
	{"allow", read_policy_allow, 0},
	{"partial", read_policy_partial, 0},
	{"link-timeout", hostfile_timeout, 0},
	{NULL},
};
static const char *const policy_names[] = {"allow", "partial", "link-timeout", NULL};

static int read_policies(struct hostfile_reader *reader, const struct core_yaml *value,
			 const struct hostfile_key *key, void *into)
{
	int r = hostfile_kind(reader, value, CORE_YAML_MAP, "policies");

	return r ? r : read_members(reader, value, policy_keys, policy_names, reader);
}

/* policies first, because entries look at them */
static const struct hostfile_key top_keys[] = {
	{"version", hostfile_version, 0},
	{"policies", read_policies, 0},
	{"pfs", read_pfs, 0},
	{"physnets", read_nets, 0},
	{NULL},
};
static const char *const top_names[] = {"version", "policies", "pfs", "physnets", NULL};

const char *const *hostfile_keys(enum hostfile_map map)
{
	static const char *const *const names[HOSTFILE_MAPS] = {
		[HOSTFILE_TOP] = top_names,         [HOSTFILE_PF] = pf_names,
		[HOSTFILE_MATCH] = match_names,     [HOSTFILE_VFS] = vfs_names,
		[HOSTFILE_NET] = net_names,         [HOSTFILE_VSWITCH] = vswitch_names,
		[HOSTFILE_POLICIES] = policy_names,
	};

	return names[map];
}

/* ---- the whole ---- */

void hostfile_clear(struct hostfile *file)
{
	for (size_t i = 0; i < file->npfs; i++) {
		free(file->pf[i].range);
		sriov_rules_clear(&file->pf[i].rules);
	}
	for (size_t i = 0; i < file->nnets; i++)
		free(file->net[i].pf);
	free(file->pf);
	free(file->net);
	free(file->text);
	*file = (struct hostfile){0};
}

static int read_top(struct hostfile_reader *reader, const struct core_yaml *tree)
{
	struct core_yaml first = *tree, rest = *tree;
	_free_ struct core_yaml *sorted = calloc(tree->n + 1, sizeof(*sorted));
	size_t n = 0;
	int r = hostfile_kind(reader, tree, CORE_YAML_MAP, "a host file");

	if (r < 0)
		return r;
	if (!sorted)
		return core_oom(reader->err);
	if (!core_yaml_find(tree, "version")) {
		core_yaml_error(reader->err, -EINVAL, reader->name, 1, 1, "the version is missing");
		return sriov_error_hint(reader->err, "version: 1");
	}
	for (size_t i = 0; i < tree->n; i++)
		if (!strcmp(tree->child[i].key, "policies"))
			sorted[n++] = tree->child[i];
	first.child = sorted;
	first.n = n;
	for (size_t i = 0; i < tree->n; i++)
		if (strcmp(tree->child[i].key, "policies") != 0)
			sorted[n++] = tree->child[i];
	rest.child = sorted + first.n;
	rest.n = n - first.n;
	r = read_members(reader, &first, top_keys, top_names, reader);
	return r ? r : read_members(reader, &rest, top_keys, top_names, reader);
}

int hostfile_parse(const char *text, const char *name, int dir, struct hostfile *out,
		   struct sriov_error *err)
{
	struct sriov_error unused;
	struct hostfile file = {0};
	struct hostfile_reader reader = {
		.name = name, .text = text, .dir = dir, .out = &file, .err = err ?: &unused};
	struct core_yaml *tree = NULL;
	int r = core_yaml_parse(text, name, &tree, reader.err);

	core_copy(file.name, sizeof(file.name), name);
	if (!r)
		r = read_top(&reader, tree);
	core_yaml_free(tree);
	if (!r && !(file.text = strdup(text)))
		r = core_oom(err);
	if (r < 0) {
		hostfile_clear(&file);
		return r;
	}
	*out = file;
	return 0;
}

int hostfile_read(const char *path, struct hostfile *out, struct sriov_error *err)
{
	bool is_stdin = !strcmp(path, "-");
	const char *name = is_stdin ? "/dev/stdin" : path, *slash = strrchr(name, '/');
	_free_ char *folder = NULL, *text = NULL;
	_close_ int dir = -1;
	size_t size;
	int r;

	folder = is_stdin || !slash ? strdup(".") : strndup(name, slash - name + 1);
	if (!folder)
		return core_oom(err);
	dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	r = dir < 0 ? -errno
		    : core_read_file(is_stdin ? AT_FDCWD : dir,
				     is_stdin || !slash ? name : slash + 1, CORE_YAML_SIZE_MAX,
				     &text, &size);
	if (r < 0) {
		core_errno(err, r, path, "the host file cannot be read");
		if (r == -ENOENT)
			sriov_error_hint(err, "say where it is: -f FILE; `sriovctl adopt --print` "
					      "writes one for a running host");
		return r;
	}
	if (strlen(text) != size)
		return sriov_error_set(err, -EINVAL, path, "it has a NUL byte: this is no text");
	return hostfile_parse(text, path, dir, out, err);
}
