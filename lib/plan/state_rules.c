/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of PF states as JSON: the entries, and the list as the user wrote it. See state_json.h. */
#include "flows/flows.h"
#include "lib/plan/state_json.h"

#include <errno.h>
#include <string.h>

/* The owner in full, or true: whose the item before is, since a guest has many rules and a long name. */
static void write_owner(struct core_doc *doc, const char *owner, const char *before)
{
	if (owner[0] && !strcmp(owner, before))
		core_doc_bool(doc, "owner", true);
	else if (owner[0])
		core_doc_text(doc, "owner", owner);
}

static void read_owner(const json_t *item, const char *before, char owner[SRIOV_NAME_LEN])
{
	bool same = json_is_true(json_object_get(item, "owner"));

	core_copy(owner, SRIOV_NAME_LEN, same ? before : core_json_text(item, "owner", "", NULL));
}

static void write_rule(struct core_doc *doc, const struct rule_state *rule, const char *before)
{
	core_doc_open(doc, NULL, '{');
	core_doc_int(doc, "loc", rule->entry.loc);
	if (rule->present) {
		entry_write(doc, "entry", &rule->entry);
		core_doc_text(doc, "name", rule->name);
		write_owner(doc, rule->owner, before);
		if (rule->kept)
			core_doc_bool(doc, "kept", true);
		if (rule->others)
			core_doc_bool(doc, "others", true);
	}
	core_doc_close(doc, '}');
}

static void write_entries(struct core_doc *doc, const struct pf_state *state)
{
	const char *before = "";

	core_doc_open(doc, "rules", '[');
	for (size_t i = 0; i < state->nrules; i++) {
		write_rule(doc, &state->rule[i], before);
		before = state->rule[i].present ? state->rule[i].owner : "";
	}
	core_doc_close(doc, ']');
}

/* {"rule": in the language, with its name; "owner": …} */
static int write_listed(struct core_doc *doc, const struct sriov_rule *rule, const char *before,
			struct sriov_error *err)
{
	char words[RULE_WORDS];

	if (sriov_rule_format(rule, words, sizeof(words)) < 0)
		return sriov_error_set(err, -EINVAL, rule->name,
				       "the language of rules has no words for this rule: it "
				       "cannot be recorded");
	core_doc_open(doc, NULL, '{');
	core_doc_text(doc, "rule", words);
	write_owner(doc, rule->owner, before);
	core_doc_close(doc, '}');
	return 0;
}

static int write_list(struct core_doc *doc, const struct pf_state *state, struct sriov_error *err)
{
	const char *before = "";
	int r = 0;

	core_doc_open(doc, "list", '[');
	for (size_t i = 0; !r && i < state->list.n; i++) {
		r = write_listed(doc, &state->list.at[i], before, err);
		before = state->list.at[i].owner;
	}
	core_doc_close(doc, ']');
	return r;
}

int state_write_rules(struct core_doc *doc, const struct pf_state *state,
		      const struct pf_state *like, const struct state_text *known,
		      struct state_text *out, struct sriov_error *err)
{
	bool listed = known && (like->has & STATE_LIST) && state_same_list(state, like);
	int r = 0;

	out->rules = doc->used;
	if (known && state_same_rules(state, like))
		core_doc_copy(doc, known->text + known->rules, known->list - known->rules);
	else
		write_entries(doc, state);
	out->list = out->end = doc->used;
	if (!(state->has & STATE_LIST))
		return 0;
	if (listed)
		core_doc_copy(doc, known->text + known->list, known->end - known->list);
	else
		r = write_list(doc, state, err);
	out->end = doc->used;
	if (state->allow)
		core_doc_int(doc, "allow", state->allow);
	if (state->partial)
		core_doc_bool(doc, "partial", true);
	return r;
}

/* @owner: of the item before, then of this one. */
static int decode_rule(const json_t *json, struct pf_state *state, char owner[SRIOV_NAME_LEN],
		       struct sriov_error *err)
{
	int64_t loc = core_json_int(json, "loc", -1, NULL);
	const json_t *entry = json_object_get(json, "entry");
	struct rule_state *rule;

	if (loc < 0 || loc > UINT32_MAX)
		return -EINVAL;
	rule = state_rule(state, loc);
	if (!rule)
		return core_oom(err);
	rule->present = entry;
	rule->kept = core_json_bool(json, "kept", false, NULL);
	rule->others = core_json_bool(json, "others", false, NULL);
	core_copy(rule->name, sizeof(rule->name), core_json_text(json, "name", "", NULL));
	read_owner(json, owner, rule->owner);
	memcpy(owner, rule->owner, sizeof(rule->owner));
	return entry ? entry_decode(entry, &rule->entry, err) : 0;
}

static int decode_list(const json_t *json, struct pf_state *state, struct sriov_error *err)
{
	const json_t *list = json_object_get(json, "list"), *item;
	size_t i;

	if (!list)
		return 0;
	if (!json_is_array(list))
		return -EINVAL;
	state->has |= STATE_LIST;
	state->allow = core_json_int(json, "allow", 0, NULL);
	state->partial = core_json_bool(json, "partial", false, NULL);
	state->list.at = calloc(json_array_size(list) + 1, sizeof(*state->list.at));
	if (!state->list.at)
		return core_oom(err);
	json_array_foreach(list, i, item) {
		struct sriov_rule *rule = &state->list.at[state->list.n++];
		int r = sriov_rule_parse(core_json_text(item, "rule", "", NULL), NULL, 1, rule,
					 err);

		if (r < 0)
			return r;
		read_owner(item, i ? rule[-1].owner : "", rule->owner);
	}
	return 0;
}

int state_decode_rules(const json_t *json, struct pf_state *state, struct sriov_error *err)
{
	char owner[SRIOV_NAME_LEN] = "";
	const json_t *item;
	size_t i;

	json_array_foreach(json_object_get(json, "rules"), i, item) {
		int r = decode_rule(item, state, owner, err);

		if (r < 0)
			return r;
	}
	return decode_list(json, state, err);
}
