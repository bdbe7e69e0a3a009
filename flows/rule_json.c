/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of rules as JSON and back: the shape is in include/sriov/flow.h. Reading checks every member. */
#include "flows/convert.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define RULES_VERSION 1

static const char *const action_words[] = {
	[SRIOV_ACTION_DROP] = "drop",     [SRIOV_ACTION_QUEUE] = "queue",
	[SRIOV_ACTION_QUEUES] = "queues", [SRIOV_ACTION_VF] = "vf",
	[SRIOV_ACTION_GUEST] = "guest",
};
static const char *const scope_words[] = {[SRIOV_SCOPE_ALL] = NULL,
					  [SRIOV_SCOPE_PF] = "pf",
					  [SRIOV_SCOPE_VF] = "vf",
					  [SRIOV_SCOPE_GUEST] = "guest"};

/* ---- writing ---- */

static json_t *encode_scope(const struct sriov_scope *scope)
{
	const char *word = scope_words[scope->kind];

	switch (scope->kind) {
	case SRIOV_SCOPE_VF:
		return json_pack("{ss si}", "to", word, "vf", (int)scope->vf);
	case SRIOV_SCOPE_GUEST:
		return json_pack("{ss ss}", "to", word, "guest", scope->guest);
	default:
		return json_pack("{ss}", "to", word);
	}
}

static json_t *encode_action(const struct sriov_action *action)
{
	const char *word = action_words[action->kind];
	json_int_t queue = action->queue;

	switch (action->kind) {
	case SRIOV_ACTION_QUEUE:
		return json_pack("{ss sI}", "do", word, "queue", queue);
	case SRIOV_ACTION_QUEUES:
		return json_pack("{ss sI sI}", "do", word, "queue", queue, "queue_last",
				 (json_int_t)action->queue_last);
	case SRIOV_ACTION_VF:
		return json_pack("{ss si sI}", "do", word, "vf", (int)action->vf, "queue", queue);
	case SRIOV_ACTION_GUEST:
		return json_pack("{ss ss sI}", "do", word, "guest", action->guest, "queue", queue);
	case SRIOV_ACTION_DROP:
	default:
		return json_pack("{ss}", "do", word);
	}
}

/* Adds @value where it says something. */
static int add(json_t *json, bool says, const char *key, json_t *value)
{
	if (says)
		return json_object_set_new(json, key, value) ? -ENOMEM : 0;
	json_decref(value);
	return 0;
}

static json_t *encode_rule(const struct sriov_rule *rule)
{
	_json_ json_t *json = json_object();

	if (add(json, rule->name[0], "name", json_string(rule->name)) ||
	    add(json, rule->owner[0], "owner", json_string(rule->owner)) ||
	    add(json, true, "flow", json_string(sriov_flow_type_word(rule->type))) ||
	    match_encode(json, "value", rule->type, &rule->value) ||
	    match_encode(json, "mask", rule->type, &rule->mask) ||
	    add(json, rule->src_port_last, "src_port_last", json_integer(rule->src_port_last)) ||
	    add(json, rule->dst_port_last, "dst_port_last", json_integer(rule->dst_port_last)) ||
	    (rule->scope.kind && add(json, true, "in", encode_scope(&rule->scope))) ||
	    add(json, true, "action", encode_action(&rule->action)) ||
	    add(json, rule->weight > 1, "weight", json_integer(rule->weight)) ||
	    add(json, rule->optional, "optional", json_true()) ||
	    add(json, rule->loc >= 0, "loc", json_integer(rule->loc)))
		return NULL;
	return core_steal(json);
}

char *export_json(const struct sriov_rules *rules)
{
	_json_ json_t *array = json_array(), *doc = NULL;
	_free_ char *text = NULL;

	for (size_t i = 0; i < rules->n; i++)
		if (json_array_append_new(array, encode_rule(&rules->at[i])))
			return NULL;
	doc = json_pack("{si sO}", "version", RULES_VERSION, "rules", array);
	text = doc ? json_dumps(doc, JSON_INDENT(2)) : NULL;
	return text ? core_printf("%s\n", text) : NULL;
}

/* ---- reading ---- */

/* What is read, for errors. */
struct reader {
	char object[96];
	struct sriov_error *err;
};

static int wrong(const struct reader *r, const char *member, const char *expected)
{
	return sriov_error_set(r->err, -EINVAL, r->object, "'%.40s' is not %s", member, expected);
}

static int check_members(const struct reader *r, const json_t *json, const char *what,
			 const char *const *members)
{
	json_t *value;
	const char *key;

	if (!json_is_object(json))
		return wrong(r, what, "an object");
	json_object_foreach((json_t *)json, key, value) {
		size_t i = 0;

		while (members[i] && strcmp(members[i], key))
			i++;
		if (!members[i])
			return sriov_error_set(r->err, -EINVAL, r->object,
					       "unknown member '%.40s' of '%s'", key, what);
	}
	return 0;
}

/* A number of at most @max, which is @out as it stands if it is not there. */
static int decode_number(const struct reader *r, const json_t *json, const char *key, int64_t max,
			 int64_t *out)
{
	const char *bad = NULL;
	int64_t number = core_json_int(json, key, *out, &bad);
	char expected[64];

	if (!bad && (!json_object_get(json, key) || (number >= 0 && number <= max))) {
		*out = number;
		return 0;
	}
	snprintf(expected, sizeof(expected), "a number from 0 to %lld", (long long)max);
	return wrong(r, key, expected);
}

static int decode_text(const struct reader *r, const json_t *json, const char *key,
		       char out[SRIOV_NAME_LEN])
{
	const char *bad = NULL, *text = core_json_text(json, key, "", &bad);

	if (bad || strlen(text) >= SRIOV_NAME_LEN)
		return wrong(r, key, "a text of at most 63 characters");
	core_copy(out, SRIOV_NAME_LEN, text);
	return 0;
}

static int decode_word(const struct reader *r, const json_t *json, const char *key,
		       const char *const *words, size_t n, unsigned *out)
{
	const char *word = json_string_value(json_object_get(json, key));

	for (unsigned i = 0; word && i < n; i++) {
		if (!words[i] || strcmp(words[i], word))
			continue;
		*out = i;
		return 0;
	}
	return wrong(r, key, "one of its words");
}

/* What scopes and actions are made of; members that are not there are 0. */
struct target {
	unsigned kind;
	int64_t vf, queue, queue_last;
	char guest[SRIOV_NAME_LEN];
};

/* The object @json, called @what, whose member @key is one of @words. */
static int decode_target(const struct reader *r, const json_t *json, const char *what,
			 const char *key, const char *const *words, size_t n, struct target *out)
{
	const char *const members[] = {key, "vf", "guest", "queue", "queue_last", NULL};
	int e = check_members(r, json, what, members);

	if (!e)
		e = decode_word(r, json, key, words, n, &out->kind);
	if (!e)
		e = decode_number(r, json, "vf", RULE_VF_MAX, &out->vf);
	if (!e)
		e = decode_number(r, json, "queue", UINT32_MAX, &out->queue);
	if (!e)
		e = decode_number(r, json, "queue_last", UINT32_MAX, &out->queue_last);
	return e ? e : decode_text(r, json, "guest", out->guest);
}

static int decode_scope(const struct reader *r, const json_t *json, struct sriov_scope *out)
{
	struct target target = {0};
	int n;

	if (!json)
		return 0;
	n = decode_target(r, json, "in", "to", scope_words, ARRAY_SIZE(scope_words), &target);
	if (n)
		return n;
	if (target.queue || target.queue_last)
		return wrong(r, "queue", "a member of 'in'");
	*out = (struct sriov_scope){.kind = target.kind, .vf = target.vf};
	core_copy(out->guest, sizeof(out->guest), target.guest);
	return 0;
}

static int decode_action(const struct reader *r, const json_t *json, struct sriov_action *out)
{
	struct target target = {0};
	int n = decode_target(r, json, "action", "do", action_words, ARRAY_SIZE(action_words),
			      &target);

	if (n)
		return n;
	*out = (struct sriov_action){.kind = target.kind,
				     .vf = target.vf,
				     .queue = target.queue,
				     .queue_last = target.queue_last};
	core_copy(out->guest, sizeof(out->guest), target.guest);
	return 0;
}

static int decode_rule(const struct reader *r, const json_t *json, struct sriov_rule *out)
{
	static const char *const members[] = {"name",   "owner",         "flow",          "value",
					      "mask",   "src_port_last", "dst_port_last", "in",
					      "action", "weight",        "optional",      "loc",
					      NULL};
	int64_t src = 0, dst = 0, weight = 1, loc = -1;
	struct sriov_entry clean;
	const char *bad = NULL;
	char words[1024];
	int n = check_members(r, json, "rules", members);

	if (n)
		return n;
	out->type = flow_type_find(core_json_text(json, "flow", "", &bad));
	if (!out->type)
		return wrong(r, "flow", "a flow type");
	if (!n)
		n = decode_text(r, json, "name", out->name);
	if (!n)
		n = decode_text(r, json, "owner", out->owner);
	if (!n)
		n = match_decode(json, "value", out->type, r->object, &out->value, r->err);
	if (!n)
		n = match_decode(json, "mask", out->type, r->object, &out->mask, r->err);
	if (!n)
		n = decode_number(r, json, "src_port_last", UINT16_MAX, &src);
	if (!n)
		n = decode_number(r, json, "dst_port_last", UINT16_MAX, &dst);
	if (!n)
		n = decode_scope(r, json_object_get(json, "in"), &out->scope);
	if (!n)
		n = decode_action(r, json_object_get(json, "action"), &out->action);
	if (!n)
		n = decode_number(r, json, "weight", RULE_WEIGHT_MAX, &weight);
	if (!n)
		n = decode_number(r, json, "loc", RULE_LOC_MAX, &loc);
	out->optional = core_json_bool(json, "optional", false, &bad);
	if (!n && bad)
		n = wrong(r, bad, "true or false");
	if (n)
		return n;
	out->src_port_last = src;
	out->dst_port_last = dst;
	out->weight = weight;
	out->loc = loc;
	clean = (struct sriov_entry){
		.type = out->type, .value = out->value, .mask = out->mask, .ext = true};
	entry_canonical(&clean);
	out->value = clean.value;
	if (sriov_rule_format(out, words, sizeof(words)))
		return sriov_error_set(r->err, -EINVAL, r->object,
				       "its members together are no rule that could be written");
	return 0;
}

int import_json(const char *text, const char *driver, struct sriov_rules *out,
		struct sriov_error *err)
{
	static const char *const members[] = {"version", "rules", NULL};
	struct reader r = {.err = err};
	json_error_t where;
	_json_ json_t *doc = json_loads(text, JSON_REJECT_DUPLICATES, &where);
	const char *file = out->file[0] ? out->file : "JSON";
	const json_t *array = json_object_get(doc, "rules");
	int n;

	snprintf(r.object, sizeof(r.object), "%.60s", file);
	if (!doc) {
		snprintf(r.object, sizeof(r.object), "%.60s:%d:%d", file, where.line, where.column);
		return sriov_error_set(err, -EINVAL, r.object, "not JSON: %s", where.text);
	}
	n = check_members(&r, doc, "the document", members);
	if (n)
		return n;
	if (json_integer_value(json_object_get(doc, "version")) != RULES_VERSION)
		return wrong(&r, "version", "1, which is the one that is known");
	if (!json_is_array(array))
		return wrong(&r, "rules", "a list");
	for (size_t i = 0; !n && i < json_array_size(array); i++) {
		struct sriov_rule rule = {0};

		snprintf(r.object, sizeof(r.object), "%.60s: rule %zu", file, i + 1);
		n = decode_rule(&r, json_array_get(array, i), &rule);
		if (!n && rules_add(out, &rule))
			n = core_oom(err);
	}
	return n ? n : rules_check_names(out, err);
}
