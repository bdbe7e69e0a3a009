/* SPDX-License-Identifier: Apache-2.0 */
/* The values of host files, and what is wrong with them. */
#include "lib/plan/hostfile_read.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define LINK_TIMEOUT_MAX 3600

int hostfile_wrong(struct hostfile_reader *reader, const struct core_yaml *at, const char *what,
		   const char *expects)
{
	if (at->kind == CORE_YAML_TEXT)
		core_yaml_error(reader->err, -EINVAL, reader->name, at->line, at->column,
				"'%.60s' is not %s", at->text, what);
	else
		core_yaml_error(reader->err, -EINVAL, reader->name, at->line, at->column,
				"a %s stands here, not %s",
				at->kind == CORE_YAML_LIST ? "list" : "mapping", what);
	return sriov_error_hint(reader->err, "%s", expects);
}

int hostfile_kind(struct hostfile_reader *reader, const struct core_yaml *value,
		  enum core_yaml_kind kind, const char *what)
{
	static const char *const hints[] = {
		[CORE_YAML_TEXT] = "write KEY: VALUE",
		[CORE_YAML_LIST] = "write each on a line of its own behind '- ', or [a, b]",
		[CORE_YAML_MAP] = "write KEY: VALUE lines, indented",
	};

	return value->kind == kind ? 0 : hostfile_wrong(reader, value, what, hints[kind]);
}

/* ---- values ---- */

int hostfile_on_off(struct hostfile_reader *reader, const struct core_yaml *value,
		    const struct hostfile_key *key, void *into)
{
	static const char *const words[] = {"off", "false", "on", "true"};

	for (size_t i = 0; value->kind == CORE_YAML_TEXT && i < ARRAY_SIZE(words); i++) {
		if (strcmp(value->text, words[i]) != 0)
			continue;
		*(bool *)into = i >= 2;
		return 0;
	}
	return hostfile_wrong(reader, value, "on or off", "on or off (true, false)");
}

static int read_number(struct hostfile_reader *reader, const struct core_yaml *value, uint64_t max,
		       unsigned *out)
{
	char expects[64];
	uint64_t number;

	snprintf(expects, sizeof(expects), "a number from 0 to %llu", (unsigned long long)max);
	if (value->kind != CORE_YAML_TEXT || core_number(value->text, 0, max, &number) < 0)
		return hostfile_wrong(reader, value, "a number that fits", expects);
	*out = number;
	return 0;
}

int hostfile_rate(struct hostfile_reader *reader, const struct core_yaml *value,
		  const struct hostfile_key *key, void *into)
{
	unsigned rate = 0;
	int r = read_number(reader, value, 1000000, &rate);

	if (!r)
		*(uint32_t *)into = rate;
	return r;
}

int hostfile_count(struct hostfile_reader *reader, const struct core_yaml *value,
		   const struct hostfile_key *key, void *into)
{
	struct hostfile_pf *pf = into;

	pf->has_count = true;
	pf->count_line = value->key_line;
	return read_number(reader, value, SRIOV_VF_MAX, &pf->count);
}

int hostfile_timeout(struct hostfile_reader *reader, const struct core_yaml *value,
		     const struct hostfile_key *key, void *into)
{
	return read_number(reader, value, LINK_TIMEOUT_MAX, &reader->out->link_timeout);
}

int hostfile_version(struct hostfile_reader *reader, const struct core_yaml *value,
		     const struct hostfile_key *key, void *into)
{
	if (value->kind == CORE_YAML_TEXT && !strcmp(value->text, "1"))
		return 0;
	return hostfile_wrong(reader, value, "a version that this sriovctl knows", "version: 1");
}

/* One of @words (NULL-terminated), by its index. */
static int read_word(struct hostfile_reader *reader, const struct core_yaml *value,
		     const char *const *words, unsigned *out)
{
	char expects[128] = "one of";
	const char *near;

	for (unsigned i = 0; words[i]; i++) {
		size_t used = strlen(expects);

		if (value->kind == CORE_YAML_TEXT && !strcmp(value->text, words[i])) {
			*out = i;
			return 0;
		}
		snprintf(expects + used, sizeof(expects) - used, "%s %s", i ? "," : "", words[i]);
	}
	near = value->kind == CORE_YAML_TEXT ? core_nearest(value->text, words) : NULL;
	if (!near)
		return hostfile_wrong(reader, value, "a word that is known here", expects);
	hostfile_wrong(reader, value, "a word that is known here", expects);
	return sriov_error_hint(reader->err, "did you mean %s?", near);
}

int hostfile_link(struct hostfile_reader *reader, const struct core_yaml *value,
		  const struct hostfile_key *key, void *into)
{
	static const char *const words[] = {[SRIOV_LINK_AUTO] = "auto",
					    [SRIOV_LINK_ENABLE] = "enable",
					    [SRIOV_LINK_DISABLE] = "disable",
					    NULL};
	unsigned link;
	int r = read_word(reader, value, words, &link);

	if (!r)
		*(uint8_t *)into = link;
	return r;
}

int hostfile_driver(struct hostfile_reader *reader, const struct core_yaml *value,
		    const struct hostfile_key *key, void *into)
{
	static const char *const words[] = {"none", "default", "vfio-pci", NULL};
	unsigned word;
	int r = read_word(reader, value, words, &word);

	if (!r)
		*(enum sriov_bind *)into = SRIOV_BIND_NONE + word;
	return r;
}

int hostfile_mac(struct hostfile_reader *reader, const struct core_yaml *value,
		 const struct hostfile_key *key, void *into)
{
	struct hostfile_vfs *vfs = into;

	if (value->kind == CORE_YAML_TEXT && !strcmp(value->text, "auto")) {
		vfs->mac_auto = true;
		return 0;
	}
	if (value->kind != CORE_YAML_TEXT || sriov_mac_parse(value->text, vfs->attrs.mac) < 0)
		return hostfile_wrong(reader, value, "a MAC address",
				      "auto, or the address of the first VF: 02:00:5e:10:00:01");
	vfs->attrs.has |= SRIOV_VF_MAC;
	return 0;
}

int hostfile_vlan(struct hostfile_reader *reader, const struct core_yaml *value,
		  const struct hostfile_key *key, void *into)
{
	struct hostfile_vfs *vfs = into;
	struct sriov_error why;
	int r;

	if (value->kind != CORE_YAML_TEXT)
		return hostfile_wrong(reader, value, "a VLAN",
				      "ID, ID:QOS or ID:QOS:802.1ad; 0 = none");
	r = sriov_vlan_parse(value->text, &vfs->attrs, &why);
	if (r < 0)
		return hostfile_wrong(reader, value, "a VLAN",
				      why.hint[0] ? why.hint
						  : "ID, ID:QOS or ID:QOS:802.1ad; 0 = none");
	return 0;
}

int hostfile_name(struct hostfile_reader *reader, const struct core_yaml *value, char *out,
		  size_t size)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
	char expects[80];
	const char *text = value->kind == CORE_YAML_TEXT ? value->text : "";
	size_t len = strlen(text);

	snprintf(expects, sizeof(expects),
		 "1 to %zu letters, digits, '-', '_' or '.', not '-' first", size - 1);
	if (!len || len >= size || text[0] == '-' || strspn(text, letters) != len)
		return hostfile_wrong(reader, value, "a name", expects);
	core_copy(out, size, text);
	return 0;
}

int hostfile_pool(struct hostfile_reader *reader, const struct core_yaml *value,
		  const struct hostfile_key *key, void *into)
{
	return hostfile_name(reader, value, into, sizeof(((struct hostfile_vfs *)0)->pool));
}

int hostfile_bridge(struct hostfile_reader *reader, const struct core_yaml *value,
		    const struct hostfile_key *key, void *into)
{
	return hostfile_name(reader, value, into, sizeof(((struct hostfile_net *)0)->bridge));
}

int hostfile_uplink(struct hostfile_reader *reader, const struct core_yaml *value,
		    const struct hostfile_key *key, void *into)
{
	const char *text = value->kind == CORE_YAML_TEXT ? value->text : "";
	uint64_t vf;

	if (!strncmp(text, "vf:", 3) && !core_number(text + 3, 0, SRIOV_VF_MAX - 1, &vf)) {
		core_copy(into, SRIOV_NAME_LEN, text);
		return 0;
	}
	if (!hostfile_name(reader, value, into, SRIOV_NAME_LEN))
		return 0;
	return hostfile_wrong(reader, value, "an uplink",
			      "af_packet or af_xdp (the first PF itself), vf:N (a VF of it), or a "
			      "port that the bridge has");
}

int hostfile_sockets(struct hostfile_reader *reader, const struct core_yaml *value,
		     const struct hostfile_key *key, void *into)
{
	size_t size = sizeof(((struct hostfile_net *)0)->sockets);
	char expects[64];

	snprintf(expects, sizeof(expects), "an absolute path of at most %zu bytes", size - 1);
	if (value->kind != CORE_YAML_TEXT || value->text[0] != '/' || strlen(value->text) >= size)
		return hostfile_wrong(reader, value, "a directory of sockets", expects);
	core_copy(into, size, value->text);
	return 0;
}

/* Each path once. */
int hostfile_paths(struct hostfile_reader *reader, const struct core_yaml *value,
		   const struct hostfile_key *key, void *into)
{
	static const char *const words[] = {
		[SRIOV_PATH_VF] = "vf", [SRIOV_PATH_VHOSTUSER] = "vhostuser", NULL};
	struct sriov_policy *policy = into;
	int r = hostfile_kind(reader, value, CORE_YAML_LIST, "a list of paths");

	if (!r && !value->n)
		return hostfile_wrong(reader, value, "a list of paths", "[vf, vhostuser]");
	policy->npaths = 0;
	for (size_t i = 0; !r && i < value->n; i++) {
		unsigned path = 0;

		r = read_word(reader, &value->child[i], words, &path);
		for (size_t k = 0; !r && k < policy->npaths; k++)
			if (policy->path[k] == path)
				return hostfile_wrong(reader, &value->child[i], "another path",
						      "each stands once");
		if (!r)
			policy->path[policy->npaths++] = path;
	}
	return r;
}

int hostfile_numa(struct hostfile_reader *reader, const struct core_yaml *value,
		  const struct hostfile_key *key, void *into)
{
	const char *words[SRIOV_NUMA_ANY + 2] = {NULL};
	struct sriov_policy *policy = into;
	unsigned numa = 0;
	int r;

	for (unsigned i = 0; i <= SRIOV_NUMA_ANY; i++)
		words[i] = sriov_numa_word(i);
	r = read_word(reader, value, words, &numa);
	policy->has_numa = !r;
	policy->numa = numa;
	return r;
}

int hostfile_owner(struct hostfile_reader *reader, const struct core_yaml *value,
		   const struct hostfile_key *key, void *into)
{
	return hostfile_name(reader, value, into, SRIOV_NAME_LEN);
}

int hostfile_glob(struct hostfile_reader *reader, const struct core_yaml *value,
		  const struct hostfile_key *key, void *into)
{
	if (value->kind != CORE_YAML_TEXT || !value->text[0] || strlen(value->text) > 63)
		return hostfile_wrong(
			reader, value, "a pattern of PFs",
			"a PCI address, a name, or either with * ? [a-z], of at most 63 "
			"characters");
	core_copy(into, 64, value->text);
	return 0;
}

int hostfile_allow(struct hostfile_reader *reader, const struct core_yaml *value,
		   const struct hostfile_key *key, void *into)
{
	static const enum sriov_result allowed[] = {SRIOV_NARROWER, SRIOV_BROADER, SRIOV_NONE,
						    SRIOV_UNSURE};
	const char *words[ARRAY_SIZE(allowed) + 1] = {NULL};
	int r = hostfile_kind(reader, value, CORE_YAML_LIST, "a list of what is allowed");

	for (size_t i = 0; i < ARRAY_SIZE(allowed); i++)
		words[i] = sriov_result_word(allowed[i]);
	*(unsigned *)into = 0;
	for (size_t i = 0; !r && i < value->n; i++) {
		unsigned word = 0;

		r = read_word(reader, &value->child[i], words, &word);
		if (!r)
			*(unsigned *)into |= 1u << allowed[word];
	}
	return r;
}
