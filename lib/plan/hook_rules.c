/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of a guest that libvirt's hook installs and removes: those of its flavor (Nova's extra spec
 * sriovctl:flows), those of files that are called like it, and those of the PF's list that name it. In the first two
 * "guest self" is the guest.
 */
#include "lib/plan/hook.h"
#include "lib/plan/rule.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_MAX (1 << 20)
#define SELF "self"

/* Who owns them on the PF: they are told from the list's own, and found again, by this. */
#define OWNER "guest "

static void owner_of(const struct hook_domain *domain, char owner[SRIOV_NAME_LEN])
{
	snprintf(owner, SRIOV_NAME_LEN, OWNER "%s", domain->uuid);
}

/* ---- where they come from ---- */

/* "self" becomes the guest. 1: the rule is about the guest, and about nobody else. */
static bool own(struct sriov_rule *rule, const struct hook_domain *domain)
{
	bool target = rule->action.kind == SRIOV_ACTION_GUEST && !strcmp(rule->action.guest, SELF);
	bool scope = rule->scope.kind == SRIOV_SCOPE_GUEST && !strcmp(rule->scope.guest, SELF);
	bool others = (rule->action.kind == SRIOV_ACTION_GUEST && !target) ||
		      rule->action.kind == SRIOV_ACTION_VF;

	if (target)
		core_copy(rule->action.guest, sizeof(rule->action.guest), domain->uuid);
	if (scope)
		core_copy(rule->scope.guest, sizeof(rule->scope.guest), domain->uuid);
	return target || (scope && !others);
}

/*
 * The port's rules have distinct names, of fewer letters and less room than guests'. What gets lost of one is told by a
 * digest of the whole at its end.
 */
static void name_of(const struct hook_domain *domain, const char *rule, char name[SRIOV_NAME_LEN])
{
	char whole[2 * SRIOV_NAME_LEN], digest[16];
	bool lost = !isalpha((unsigned char)domain->name[0]);
	int len = snprintf(whole, sizeof(whole), "%s%s/%s", lost ? "_" : "", domain->name, rule);
	uint64_t hash = core_hash(CORE_HASH_SEED, whole, len);

	for (char *at = whole; *at; at++)
		if (!isalnum((unsigned char)*at) && !strchr("_.:/-", *at)) {
			*at = '_';
			lost = true;
		}
	lost |= len >= SRIOV_NAME_LEN;
	core_copy(name, SRIOV_NAME_LEN, whole);
	if (!lost)
		return;
	snprintf(digest, sizeof(digest), "-%08x", (unsigned)hash);
	len = SRIOV_NAME_LEN - 1 - strlen(digest);
	core_copy(name + strnlen(name, len), sizeof(digest), digest);
}

/* Adds @text's rules, owned by the guest; of @only_own none may be about anybody else. */
static int add_text(struct hook *hook, const char *text, const char *file, bool only_own,
		    struct sriov_error *err)
{
	const struct hook_domain *domain = &hook->domain;
	struct sriov_rules rules = {0};
	int r = sriov_rules_parse(text, file, &rules, err);

	for (size_t i = 0; !r && i < rules.n; i++) {
		struct sriov_rule rule = rules.at[i];
		char name[SRIOV_NAME_LEN] = "";

		if (!own(&rule, domain) && only_own) {
			r = sriov_error_set(err, -EPERM, file,
					    "rule %zu is not about this guest alone", i + 1);
			sriov_error_hint(err, "in a flavor a rule sends to `guest self`, or is `in "
					      "guest self`; rules about others belong into "
					      "`sriovctl flow apply`");
			break;
		}
		if (rule.name[0])
			name_of(domain, rule.name, name);
		core_copy(rule.name, sizeof(rule.name), name);
		owner_of(domain, rule.owner);
		rule.line = 0;
		if (ruleset_add(&hook->guests, &rule) < 0)
			r = core_oom(err);
	}
	sriov_rules_clear(&rules);
	return r;
}

/* Rules are root's to give: nobody else may have written them. */
static int check_owner(int fd, bool folder, const char *name, struct sriov_error *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return core_errno(err, -errno, name, "it cannot be looked at");
	if (!folder && !S_ISREG(st.st_mode))
		return sriov_error_set(err, -EINVAL, name, "it is not a plain file");
	if ((!st.st_uid || st.st_uid == geteuid()) && !(st.st_mode & (S_IWGRP | S_IWOTH)))
		return 0;
	sriov_error_set(err, -EPERM, name, "others than root may write it");
	return sriov_error_hint(err, "chown root %s; chmod go-w %s", name, name);
}

/* Names come from the domain, which others write: nothing but a plain name in the folder is opened. */
static bool is_plain(const char *name)
{
	return *name && *name != '.' && !strchr(name, '/');
}

static int add_file(struct hook *hook, int dir, const char *folder, const char *name,
		    struct sriov_error *err)
{
	_free_ char *file = core_printf("%s.flows", name);
	_free_ char *path = core_printf("%s/%s.flows", folder, name);
	_free_ char *text = NULL;
	_close_ int fd = -1;
	int r;

	if (!file || !path)
		return core_oom(err);
	if (!is_plain(name) || strlen(file) > NAME_MAX)
		return 0;
	fd = openat(dir, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : core_errno(err, -errno, path, "it cannot be opened");
	r = check_owner(fd, false, path, err);
	if (r < 0)
		return r;
	r = core_read_fd(fd, FILE_MAX, &text, NULL);
	if (r < 0)
		return core_errno(err, r, path, "it cannot be read");
	return add_text(hook, text, path, false, err);
}

/* The most particular ones first, for the first that matches a packet decides. */
static int add_files(struct hook *hook, struct sriov_error *err)
{
	const struct hook_domain *domain = &hook->domain;
	const char *folder = hook->as->rules_dir ?: SRIOV_HOOK_RULES;
	const char *names[HOOK_PORTS_MAX + 4];
	_close_ int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	size_t n = 0;
	int r;

	if (dir < 0)
		return errno == ENOENT ? 0 : core_errno(err, -errno, folder, "it cannot be opened");
	r = check_owner(dir, true, folder, err);
	for (size_t i = 0; i < domain->nports; i++)
		names[n++] = domain->port[i];
	names[n++] = domain->uuid;
	names[n++] = domain->name;
	names[n++] = domain->flavor;
	names[n++] = domain->project;
	for (size_t i = 0; !r && i < n; i++) {
		size_t first = 0;

		while (strcmp(names[first], names[i]) != 0)
			first++;
		if (first == i)
			r = add_file(hook, dir, folder, names[i], err);
	}
	return r;
}

void hook_rules_collect(struct hook *hook)
{
	char *flows = hook->domain.flows;
	int r = 0;

	for (char *at = flows; at && *at; at++)
		if (*at == ';')
			*at = '\n'; /* what is typed as one line */
	if (flows)
		r = add_text(hook, flows, "flavor extra spec sriovctl:flows", true,
			     &hook->guests_error);
	hook->guests_code = r ? r : add_files(hook, &hook->guests_error);
}

/* ---- what the PF shall have of them ---- */

static bool is_ours(const struct hook_change *at, const struct sriov_rule *rule)
{
	char owner[SRIOV_NAME_LEN];

	owner_of(&at->hook->domain, owner);
	return !strcmp(rule->owner, owner);
}

static bool is_about(const struct hook_change *at, const struct sriov_rule *rule)
{
	bool about = is_ours(at, rule);

	for (size_t k = 0; !about && k < at->nleases; k++)
		about = guest_rule_names(rule, &at->lease[k]);
	return about;
}

/* Whether a rule of the recorded list is about the guest. */
static bool is_named(const struct hook_change *at)
{
	const struct sriov_rules *list = &at->change.intent.list;

	for (size_t i = 0; i < list->n; i++)
		if (is_about(at, &list->at[i]))
			return true;
	return false;
}

/* The recorded list with those of the guest at its end: the operator's own come first. */
static int make_list(struct hook_change *at, const struct sriov_rules *guests,
		     struct sriov_rules *out, struct sriov_error *err)
{
	const struct sriov_rules *recorded = &at->change.intent.list;
	int r = 0;

	for (size_t i = 0; !r && i < recorded->n; i++)
		if (!is_ours(at, &recorded->at[i]))
			r = ruleset_add(out, &recorded->at[i]);
	for (size_t i = 0; !r && i < guests->n; i++) {
		if (guests->at[i].name[0] && ruleset_named(out, guests->at[i].name))
			return sriov_error_set(err, -EEXIST, guests->at[i].name,
					       "two rules of %s would have this name",
					       pf_label(at->change.pf));
		r = ruleset_add(out, &guests->at[i]);
	}
	if (!r)
		r = ruleset_name(out, recorded);
	return r < 0 ? core_oom(err) : 0;
}

/*
 * All packets of the guest's rule meet another one before. The guest's own, more particular one: as it is meant; the
 * operator's: told. Another guest's: it would have what is this guest's, and which of the two was started first is
 * nobody's decision.
 */
static int tell_taken(struct hook_change *at, const struct sriov_rule *rule,
		      const struct sriov_rule *before, struct sriov_error *err)
{
	struct change *change = &at->change;

	if (!strcmp(rule->owner, before->owner))
		return 0;
	if (!strncmp(before->owner, OWNER, strlen(OWNER)) && !rule->optional) {
		sriov_error_set(err, -EEXIST, at->hook->domain.name,
				"no packet would come to its rule %s on %s: rule %s of %s takes "
				"them before",
				rule->name, pf_label(change->pf), before->name, before->owner);
		return sriov_error_hint(err, "give it a match or scope of its own, as `dst-ip` its "
					     "address or `in guest self`, or mark it `optional`");
	}
	return change_note(change, err,
			   "no packet comes to rule %s of %s: rule %s takes them before",
			   rule->name, at->hook->domain.name, before->name);
}

/* What the guest lacks of its rules, for the operator to see. */
static int tell_missing(struct hook_change *at, const struct sriov_rules *list,
			const struct sriov_compiled *compiled, struct sriov_error *err)
{
	int r = 0;

	for (size_t i = 0; !r && i < compiled->nrules; i++) {
		const struct sriov_verdict *v = &compiled->verdict[i];
		const struct sriov_rule *rule = &list->at[i];

		if ((!v->left_out && !v->shadowed) || !is_about(at, rule))
			continue;
		r = v->shadowed ? tell_taken(at, rule, &list->at[v->shadow], err)
				: change_note(&at->change, err, "rule %s of %s is left out: %s",
					      rule->name, at->hook->domain.name, v->why);
	}
	return r;
}

static int want_list(struct hook_change *at, struct sriov_rules *list, bool on,
		     struct sriov_error *err)
{
	struct change *change = &at->change;
	const struct rule_how how = {.allow = change->intent.allow,
				     .partial = change->intent.partial};
	struct sriov_compiled compiled = {0};
	struct sriov_error why = {0};
	int r = rule_compile(list, change->pf, &change->intent, change->store, &how, &compiled,
			     &why);

	if (!r) {
		r = on ? tell_missing(at, list, &compiled, err) : 0;
		if (!r)
			r = rule_want(change, list, &compiled, &how, err);
	} else if (on) {
		if (err)
			*err = why;
	} else {
		/* what was the guest's goes, whatever is the matter with the others */
		r = rule_want(change, list, NULL, &how, err);
	}
	sriov_compiled_clear(&compiled);
	return r;
}

int hook_rules_find(struct hook_change *at, struct sriov_error *err)
{
	const struct hook *hook = at->hook;

	if (hook->guests_code) {
		if (err)
			*err = hook->guests_error;
		return hook->guests_code;
	}
	at->rules = hook->guests.n || is_named(at);
	if (at->rules)
		at->change.what |= SRIOV_READ_PORT | SRIOV_READ_RULES;
	return 0;
}

int hook_rules_want(struct hook_change *at, bool on, struct sriov_error *err)
{
	struct sriov_rules list = {0};
	int r = at->rules ? make_list(at, &at->hook->guests, &list, err) : 0;

	if (!r && at->rules)
		r = want_list(at, &list, on, err);
	sriov_rules_clear(&list);
	return r;
}
