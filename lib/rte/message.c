/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to the owner of DPDK's ports, and its answers, as lines of JSON: see sriov/rte.h. */
#include "lib/rte/message.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *const do_words[SRIOV_RTE_DOS] = {
	[SRIOV_RTE_QUERY] = "query",
	[SRIOV_RTE_VALIDATE] = "validate",
	[SRIOV_RTE_APPLY] = "apply",
	[SRIOV_RTE_ISOLATE] = "isolate",
};

#define DO_BIT(what) (1u << (what))
#define DO_RULES (DO_BIT(SRIOV_RTE_VALIDATE) | DO_BIT(SRIOV_RTE_APPLY))
#define DO_ALL (DO_BIT(SRIOV_RTE_DOS) - 1)

/* The members of a request, and of which requests they are. */
static const struct member {
	const char *word;
	json_type type;
	unsigned of;
	bool needed;
} members[] = {
	{"version", JSON_INTEGER, DO_ALL, true}, {"do", JSON_STRING, DO_ALL, true},
	{"port", JSON_STRING, DO_ALL, false},    {"rules", JSON_STRING, DO_RULES, true},
	{"allow", JSON_ARRAY, DO_RULES, false},  {"partial", JSON_TRUE, DO_RULES, false},
	{"force", JSON_TRUE, DO_RULES, false},   {"on", JSON_TRUE, DO_BIT(SRIOV_RTE_ISOLATE), true},
};

SRIOV_EXPORT void sriov_rte_request_clear(struct sriov_rte_request *request)
{
	sriov_rules_clear(&request->rules);
	*request = (struct sriov_rte_request){0};
}

/* ---- writing ---- */

/* `pf bind` ends the leases of a port, and no VFs are made or leased while the kernel's driver has not got it. */
int rte_refuse_guest(const char *guest, struct sriov_error *err)
{
	sriov_error_set(err, -EOPNOTSUPP, guest,
			"no guest holds a VF of a port that DPDK owns: leases are of VFs of the "
			"kernel's drivers, and end when the port is given away");
	return sriov_error_hint(err, "say which VF it is: `vf N` instead of `guest %s`", guest);
}

/* Written or read. */
static int check_guests(const struct sriov_rules *rules, struct sriov_error *err)
{
	for (size_t i = 0; i < rules->n; i++) {
		const struct sriov_rule *rule = &rules->at[i];

		if (rule->action.kind == SRIOV_ACTION_GUEST)
			return rte_refuse_guest(rule->action.guest, err);
		if (rule->scope.kind == SRIOV_SCOPE_GUEST)
			return rte_refuse_guest(rule->scope.guest, err);
	}
	return 0;
}

/* One rule a line, as sriov_rules_parse() reads them. */
static int rules_text(const struct sriov_rules *rules, char **out, struct sriov_error *err)
{
	_free_ char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);
	int r = file ? check_guests(rules, err) : core_oom(err);

	for (size_t i = 0; !r && i < rules->n; i++) {
		char words[1024], object[32];

		snprintf(object, sizeof(object), "rule %zu", i + 1);
		if (sriov_rule_format(&rules->at[i], words, sizeof(words)))
			r = sriov_error_set(err, -EINVAL, object,
					    "this is not a rule that could be written");
		else
			fprintf(file, "%s\n", words);
	}
	if (file && fclose(file) && !r)
		r = core_oom(err);
	if (!r)
		*out = core_steal(text);
	return r;
}

static void write_allow(struct core_doc *doc, unsigned allow)
{
	core_doc_open(doc, "allow", '[');
	for (unsigned i = 0; i < SRIOV_RESULTS; i++)
		if (allow & 1u << i)
			core_doc_text(doc, NULL, sriov_result_word(i));
	core_doc_close(doc, ']');
}

SRIOV_EXPORT int sriov_rte_request_format(const struct sriov_rte_request *request, char **line,
					  struct sriov_error *err)
{
	bool has_rules = DO_BIT(request->what) & DO_RULES;
	_free_ char *rules = NULL;
	struct core_doc doc = {0};
	int r = has_rules ? rules_text(&request->rules, &rules, err) : 0;

	if (r < 0)
		return r;
	core_doc_open(&doc, NULL, '{');
	core_doc_int(&doc, "version", SRIOV_RTE_VERSION);
	core_doc_text(&doc, "do", do_words[request->what]);
	if (request->port[0])
		core_doc_text(&doc, "port", request->port);
	if (has_rules)
		core_doc_text(&doc, "rules", rules);
	if (has_rules && request->allow)
		write_allow(&doc, request->allow);
	if (has_rules && request->partial)
		core_doc_bool(&doc, "partial", true);
	if (has_rules && request->force)
		core_doc_bool(&doc, "force", true);
	if (request->what == SRIOV_RTE_ISOLATE)
		core_doc_bool(&doc, "on", request->on);
	core_doc_close(&doc, '}');
	*line = core_doc_take(&doc);
	return *line ? 0 : core_oom(err);
}

/* ---- reading ---- */

static const struct member *find_member(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		if (!strcmp(members[i].word, word))
			return &members[i];
	return NULL;
}

static bool has_type(const struct member *member, const json_t *value)
{
	return member->type == JSON_TRUE ? json_is_boolean(value)
					 : json_typeof(value) == member->type;
}

static int check_members(const json_t *doc, enum sriov_rte_do what, struct sriov_error *err)
{
	json_t *value;
	const char *key;

	json_object_foreach((json_t *)doc, key, value) {
		const struct member *member = find_member(key);

		if (!member || !(member->of & DO_BIT(what)))
			return sriov_error_set(err, -EINVAL, "request",
					       "'%.40s' is no member of '%s'", key, do_words[what]);
		if (!has_type(member, value))
			return sriov_error_set(err, -EINVAL, "request", "'%s' is of another type",
					       key);
	}
	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		if (members[i].needed && members[i].of & DO_BIT(what) &&
		    !json_object_get(doc, members[i].word))
			return sriov_error_set(err, -EINVAL, "request", "'%s' needs '%s'",
					       do_words[what], members[i].word);
	return 0;
}

static int read_do(const json_t *doc, enum sriov_rte_do *out, struct sriov_error *err)
{
	const json_t *version = json_object_get(doc, "version");
	const char *word = json_string_value(json_object_get(doc, "do"));

	if (!json_is_object(doc))
		return sriov_error_set(err, -EINVAL, "request", "a request is an object");
	if (!json_is_integer(version))
		return sriov_error_set(err, -EINVAL, "request", "'version' is not a number");
	if (json_integer_value(version) != SRIOV_RTE_VERSION) {
		sriov_error_set(err, -EPROTO, "request",
				"version %lld is not known: this is version %d",
				(long long)json_integer_value(version), SRIOV_RTE_VERSION);
		return sriov_error_hint(err, "sriovctl and sriov-rte must be of one release");
	}
	for (unsigned i = 0; word && i < SRIOV_RTE_DOS; i++)
		if (!strcmp(do_words[i], word)) {
			*out = i;
			return 0;
		}
	sriov_error_set(err, -EINVAL, "request", "'do' is no request that is known");
	return sriov_error_hint(err, "query, validate, apply or isolate");
}

static int read_allow(const json_t *array, unsigned *out, struct sriov_error *err)
{
	const json_t *value;
	size_t i;

	json_array_foreach(array, i, value) {
		unsigned result = 0;

		while (result < SRIOV_RESULTS &&
		       strcmp(sriov_result_word(result), json_string_value(value) ?: ""))
			result++;
		if (result == SRIOV_RESULTS)
			return sriov_error_set(err, -EINVAL, "request",
					       "'allow' has something that is no result");
		*out |= 1u << result;
	}
	return 0;
}

static int read_request(const json_t *doc, struct sriov_rte_request *out, struct sriov_error *err)
{
	const char *port = json_string_value(json_object_get(doc, "port")) ?: "";
	const char *rules = json_string_value(json_object_get(doc, "rules"));
	int r = read_do(doc, &out->what, err) ?: check_members(doc, out->what, err);

	if (r < 0)
		return r;
	if (strlen(port) >= sizeof(out->port))
		return sriov_error_set(err, -EINVAL, "request", "'port' is longer than a name");
	core_copy(out->port, sizeof(out->port), port);
	out->partial = json_is_true(json_object_get(doc, "partial"));
	out->force = json_is_true(json_object_get(doc, "force"));
	out->on = json_is_true(json_object_get(doc, "on"));
	r = read_allow(json_object_get(doc, "allow"), &out->allow, err);
	if (r < 0 || !rules)
		return r;
	return sriov_rules_parse(rules, NULL, &out->rules, err) ?: check_guests(&out->rules, err);
}

SRIOV_EXPORT int sriov_rte_request_parse(const char *line, size_t size,
					 struct sriov_rte_request *out, struct sriov_error *err)
{
	struct sriov_rte_request request = {0};
	json_error_t where;
	_json_ json_t *doc = json_loadb(line, size, JSON_REJECT_DUPLICATES, &where);
	int r;

	if (!doc)
		return sriov_error_set(err, -EINVAL, "request", "no JSON: %s at byte %d",
				       where.text, where.position);
	r = read_request(doc, &request, err);
	if (r < 0)
		sriov_rte_request_clear(&request);
	else
		*out = request;
	return r;
}

/* ---- answers ---- */

static void write_error(struct core_doc *doc, const struct sriov_error *err)
{
	core_doc_open(doc, "error", '{');
	core_doc_int(doc, "code", err->code);
	core_doc_int(doc, "status", err->status);
	core_doc_text(doc, "object", err->object);
	core_doc_text(doc, "message", err->message);
	core_doc_text(doc, "kernel", err->kernel);
	core_doc_text(doc, "hint", err->hint);
	core_doc_close(doc, '}');
}

SRIOV_EXPORT int sriov_rte_answer_format(const char *result, const struct sriov_error *err,
					 char **line)
{
	_json_ json_t *tree = result ? json_loads(result, 0, NULL) : json_object();
	struct core_doc doc = {0};

	core_doc_open(&doc, NULL, '{');
	core_doc_int(&doc, "version", SRIOV_RTE_VERSION);
	core_doc_bool(&doc, "ok", !err);
	if (err)
		write_error(&doc, err);
	else
		core_doc_json(&doc, "result", tree);
	core_doc_close(&doc, '}');
	*line = core_doc_take(&doc);
	return *line ? 0 : -ENOMEM;
}

static int take_error(const json_t *error, struct sriov_error *err)
{
	const char *bad = NULL;
	int64_t code = core_json_int(error, "code", -EPROTO, &bad);
	int64_t status = core_json_int(error, "status", SRIOV_FAILED, &bad);

	if (code >= 0 || code < -4095)
		code = -EPROTO;
	sriov_error_set(err, code, core_json_text(error, "object", "sriov-rte", &bad), "%s",
			core_json_text(error, "message", "no reason", &bad));
	sriov_error_kernel(err, "%s", core_json_text(error, "kernel", "", &bad));
	sriov_error_hint(err, "%s", core_json_text(error, "hint", "", &bad));
	if (status == SRIOV_REFUSED || status == SRIOV_ROLLED_BACK || status == SRIOV_INCOMPLETE)
		sriov_error_status(err, status);
	return code;
}

int message_answer(const char *line, size_t size, char **result, struct sriov_error *err)
{
	_json_ json_t *doc = json_loadb(line, size, JSON_REJECT_DUPLICATES, NULL);
	const json_t *answer = json_object_get(doc, "result");

	if (json_is_false(json_object_get(doc, "ok")))
		return take_error(json_object_get(doc, "error"), err);
	if (!json_is_true(json_object_get(doc, "ok")) || !json_is_object(answer))
		return sriov_error_set(err, -EPROTO, "sriov-rte", "its answer is not understood");
	*result = json_dumps(answer, JSON_COMPACT);
	return *result ? 0 : core_oom(err);
}
