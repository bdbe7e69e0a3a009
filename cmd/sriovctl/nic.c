/* SPDX-License-Identifier: Apache-2.0 */
/* sriovctl nic: what is known of NICs' drivers. */
#include "cmd/sriovctl/args.h"
#include "cmd/sriovctl/out.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The line that could not be replayed, before what is wrong with it. */
static int at_line(const char *file, unsigned line, struct sriov_error *err)
{
	struct sriov_error inner = *err;

	if (err->code != -EINVAL)
		return err->code;
	sriov_error_set(err, inner.code, file, "line %u: %s%s%s", line,
			strcmp(inner.object, "line") ? inner.object : "",
			strcmp(inner.object, "line") ? ": " : "", inner.message);
	return sriov_error_hint(err,
				"a line is {\"id\":…,\"driver\":…,\"device\":{…},\"ops\":[…]}; "
				"tests/conformance/README.md describes it");
}

static int replay(FILE *in, const char *file, json_t *lines, struct sriov_error *err)
{
	_free_ char *line = NULL;
	size_t size = 0;
	ssize_t len;

	for (unsigned n = 1; (len = getline(&line, &size, in)) > 0; n++) {
		_free_ char *answer = NULL;

		if (strspn(line, " \t\r\n") == (size_t)len)
			continue;
		if (strlen(line) != (size_t)len) {
			sriov_error_set(err, -EINVAL, "line", "has a zero byte");
			return at_line(file, n, err);
		}
		if (sriov_nic_replay(line, &answer, err) < 0)
			return at_line(file, n, err);
		if (!lines)
			puts(answer);
		else if (json_array_append_new(lines, json_loads(answer, 0, NULL)))
			return core_oom(err);
	}
	return ferror(in) ? core_errno(err, -errno, file, "cannot be read") : 0;
}

int cmd_nic_replay(const struct args *args, struct sriov_host *host, struct out *out,
		   struct sriov_error *err)
{
	const char *file = args->npos && strcmp(args->pos[0], "-") ? args->pos[0] : NULL;
	_json_ json_t *lines = out->doc ? json_array() : NULL;
	FILE *in = file ? fopen(file, "re") : stdin;
	int r;

	if (!in)
		return core_errno(err, -errno, file, "cannot be opened");
	if (out->doc && !lines)
		r = core_oom(err);
	else
		r = replay(in, file ?: "standard input", lines, err);
	if (file)
		fclose(in);
	if (r < 0 || !out->doc)
		return r;
	return out_add(out, "lines", core_steal(lines), err);
}
