/* SPDX-License-Identifier: Apache-2.0 */
/* Replay models from JSON, with ' for ". */
#ifndef REPLAY_FIXTURE_H
#define REPLAY_FIXTURE_H

#include "flows/nic/replay_json.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static inline json_t *json_of(const char *text)
{
	char buf[4096];
	json_error_t where;
	json_t *json;

	assert_true(strlen(text) < sizeof(buf));
	strcpy(buf, text);
	for (char *p = buf; *p; p++)
		if (*p == '\'')
			*p = '"';
	json = json_loads(buf, JSON_DECODE_ANY, &where);
	if (!json)
		fail_msg("%s: %s", buf, where.text);
	return json;
}

/* A line's members driver and device. */
static inline struct nic_device device_of(const char *text)
{
	struct sriov_error err = {0};
	struct nic_device device;
	json_t *line = json_of(text);

	if (nic_device_read(line, &device, &err))
		fail_msg("%s", err.message);
	json_decref(line);
	return device;
}

static inline struct nic_model *model_of(const char *text)
{
	struct nic_device device = device_of(text);
	struct nic_model *model;

	assert_int_equal(nic_model_new(&device, &model, NULL), 0);
	return model;
}

/* Runs an operation; its errno, and its reason or what was programmed in @out (may be NULL). */
static inline int run(struct nic_model *model, const char *text, struct nic_outcome *out)
{
	struct sriov_error err = {0};
	struct nic_outcome outcome;
	struct nic_op op;
	json_t *json = json_of(text);

	if (nic_op_read(json, &op, &err))
		fail_msg("%s: %s", text, err.message);
	json_decref(json);
	assert_int_equal(nic_model_run(model, &op, &outcome), 0);
	if (out)
		*out = outcome;
	return outcome.err;
}

/* What a list of operations is answered: the reason, or "ok"; the list ends with NULL. */
struct step {
	const char *op, *answer;
};

static inline void run_steps(struct nic_model *model, const struct step *steps)
{
	for (; steps->op; steps++) {
		struct nic_outcome out;

		run(model, steps->op, &out);
		if (strcmp(out.why ?: "ok", steps->answer))
			fail_msg("%s: %s, not %s", steps->op, out.why ?: "ok", steps->answer);
	}
}

#endif
