/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to sriov-rte and its answers as lines. */
#include "tests/unit/flow_fixture.h"

#include "lib/rte/message.h"

static const struct {
	const char *line;
	enum sriov_rte_do what;
	const char *port;
	size_t rules;
	unsigned allow;
	bool partial, on, force;
} requests[] = {
	{"{\"version\":1,\"do\":\"query\"}", SRIOV_RTE_QUERY, ""},
	{"{\"version\":1,\"do\":\"query\",\"port\":\"0000:03:00.0\"}", SRIOV_RTE_QUERY,
	 "0000:03:00.0"},
	{"{\"version\":1,\"do\":\"apply\",\"rules\":\"flow-type tcp4 dst-port 80 queue 1\\n\"}",
	 SRIOV_RTE_APPLY, "", 1},
	{"{\"version\":1,\"do\":\"validate\",\"port\":\"net_tap0\",\"rules\":\"\",\"allow\":["
	 "\"narrower\",\"broader\"],\"partial\":true}",
	 SRIOV_RTE_VALIDATE, "net_tap0", 0, 1u << SRIOV_NARROWER | 1u << SRIOV_BROADER, true},
	{"{\"version\":1,\"do\":\"apply\",\"rules\":\"\",\"force\":true}", SRIOV_RTE_APPLY, "", 0,
	 0, false, false, true},
	{"{\"version\":1,\"do\":\"isolate\",\"on\":false}", SRIOV_RTE_ISOLATE, ""},
	{"{\"version\":1,\"do\":\"isolate\",\"on\":true}", SRIOV_RTE_ISOLATE, "", 0, 0, false,
	 true},
};

static void requests_are_lines(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
		struct sriov_rte_request read = {0};
		struct sriov_error err = {0};
		char *line = NULL;

		if (sriov_rte_request_parse(requests[i].line, strlen(requests[i].line), &read,
					    &err))
			fail_msg("%s: %s", requests[i].line, err.message);
		assert_int_equal(read.what, requests[i].what);
		assert_string_equal(read.port, requests[i].port);
		assert_int_equal(read.rules.n, requests[i].rules);
		assert_int_equal(read.allow, requests[i].allow);
		assert_int_equal(read.partial, requests[i].partial);
		assert_int_equal(read.on, requests[i].on);
		assert_int_equal(read.force, requests[i].force);
		assert_int_equal(sriov_rte_request_format(&read, &line, &err), 0);
		assert_string_equal(line, requests[i].line);
		free(line);
		sriov_rte_request_clear(&read);
	}
}

/* What is refused leaves the request as it was. */
static void strangers_are_refused(void **state)
{
	static const struct {
		const char *line;
		int code;
		const char *message;
	} cases[] = {
		{"", -EINVAL, "no JSON"},
		{"{}", -EINVAL, "'version' is not a number"},
		{"{\"version\":3,\"do\":\"query\"}", -EPROTO, "version 3 is not known"},
		{"{\"version\":1,\"do\":7}", -EINVAL, "'do' is no request"},
		{"{\"version\":1,\"do\":\"apply\"}", -EINVAL, "'apply' needs 'rules'"},
		{"{\"version\":1,\"do\":\"isolate\"}", -EINVAL, "'isolate' needs 'on'"},
		{"{\"version\":1,\"do\":\"query\",\"on\":true}", -EINVAL, "no member of 'query'"},
		{"{\"version\":1,\"do\":\"query\",\"force\":true}", -EINVAL,
		 "no member of 'query'"},
		{"{\"version\":1,\"do\":\"query\",\"port\":1}", -EINVAL, "of another type"},
		{"{\"version\":1,\"do\":\"query\",\"port\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		 "aaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}",
		 -EINVAL, "longer than a name"},
		{"{\"version\":1,\"do\":\"apply\",\"rules\":\"flow-type\"}", -EINVAL, "flow-type"},
		{"{\"version\":1,\"do\":\"apply\",\"rules\":\"name a ip4 drop\\nname a ip4 drop\"}",
		 -EEXIST, "a"},
		{"{\"version\":1,\"do\":\"apply\",\"rules\":\"\",\"allow\":[1]}", -EINVAL,
		 "no result"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sriov_rte_request read = {.on = true};
		struct sriov_error err = {0};

		if (sriov_rte_request_parse(cases[i].line, strlen(cases[i].line), &read, &err) !=
			    cases[i].code ||
		    !strstr(err.message, cases[i].message) || !read.on || read.rules.n)
			fail_msg("%s: %d %s", cases[i].line, err.code, err.message);
	}
}

static void answers_carry_errors(void **state)
{
	struct sriov_error err = {0}, back = {0};
	char *line = NULL, *result = NULL;

	sriov_error_set(&err, -EBUSY, "rule web", "it is refused");
	sriov_error_kernel(&err, "net_ixgbe: no");
	sriov_error_hint(&err, "wait");
	sriov_error_status(&err, SRIOV_ROLLED_BACK);
	assert_int_equal(sriov_rte_answer_format(NULL, &err, &line), 0);
	assert_int_equal(message_answer(line, strlen(line), &result, &back), -EBUSY);
	assert_memory_equal(&err, &back, sizeof(err));
	free(line);
	sriov_error_status(&err, SRIOV_REFUSED);
	assert_int_equal(sriov_rte_answer_format(NULL, &err, &line), 0);
	assert_int_equal(message_answer(line, strlen(line), &result, &back), -EBUSY);
	assert_int_equal(back.status, SRIOV_REFUSED);
	free(line);
	assert_int_equal(sriov_rte_answer_format("{\"a\":1}", NULL, &line), 0);
	assert_string_equal(line, "{\"version\":1,\"ok\":true,\"result\":{\"a\":1}}");
	assert_int_equal(message_answer(line, strlen(line), &result, &back), 0);
	assert_string_equal(result, "{\"a\":1}");
	free(line);
	free(result);
}

/* No answer of an owner is taken for what it is not. */
static void odd_answers_are_errors(void **state)
{
	static const struct {
		const char *line;
		int code;
	} cases[] = {
		{"", -EPROTO},
		{"[]", -EPROTO},
		{"{\"ok\":true}", -EPROTO},
		{"{\"ok\":true,\"result\":1}", -EPROTO},
		{"{\"ok\":false}", -EPROTO},
		{"{\"ok\":false,\"error\":{\"code\":0}}", -EPROTO},
		{"{\"ok\":false,\"error\":{\"code\":5}}", -EPROTO},
		{"{\"ok\":false,\"error\":{\"code\":-99999}}", -EPROTO},
		{"{\"ok\":false,\"error\":{\"code\":-2,\"status\":77}}", -ENOENT},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sriov_error err = {0};
		char *result = NULL;

		assert_int_equal(
			message_answer(cases[i].line, strlen(cases[i].line), &result, &err),
			cases[i].code);
		assert_null(result);
		assert_int_equal(err.status, SRIOV_FAILED);
		assert_true(strlen(err.message) > 0);
	}
}

static void nobody_answers(void **state)
{
	const struct sriov_rte_request request = {.what = SRIOV_RTE_QUERY};
	struct sriov_error err = {0};
	char *result = NULL, longer[200];

	assert_int_equal(sriov_rte_call("/nonexistent/rte.sock", &request, &result, &err), -ENOENT);
	assert_non_null(strstr(err.hint, "sriov-rte --pci"));
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(sriov_rte_call(longer, &request, &result, &err), -ENAMETOOLONG);
	assert_null(result);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_are_lines),   cmocka_unit_test(strangers_are_refused),
		cmocka_unit_test(answers_carry_errors), cmocka_unit_test(odd_answers_are_errors),
		cmocka_unit_test(nobody_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
