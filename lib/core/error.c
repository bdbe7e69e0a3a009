/* SPDX-License-Identifier: Apache-2.0 */
/* The error object and the debug log: see include/sriov/error.h. */
#include "lib/core/core.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static struct {
	sriov_log_fn fn;
	void *data;
} logger;

/* What a setter returns that adds to an error whose caller did not want one. */
static _Thread_local int last_code;

SRIOV_EXPORT int sriov_error_set(struct sriov_error *err, int code, const char *object,
				 const char *fmt, ...)
{
	va_list ap;

	last_code = code;
	if (!err)
		return code;
	*err = (struct sriov_error){.code = code, .status = SRIOV_FAILED};
	core_copy(err->object, sizeof(err->object), object);
	va_start(ap, fmt);
	vsnprintf(err->message, sizeof(err->message), fmt, ap);
	va_end(ap);
	return code;
}

SRIOV_EXPORT int sriov_error_hint(struct sriov_error *err, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return last_code;
	va_start(ap, fmt);
	vsnprintf(err->hint, sizeof(err->hint), fmt, ap);
	va_end(ap);
	return err->code;
}

SRIOV_EXPORT int sriov_error_kernel(struct sriov_error *err, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return last_code;
	va_start(ap, fmt);
	vsnprintf(err->kernel, sizeof(err->kernel), fmt, ap);
	va_end(ap);
	return err->code;
}

SRIOV_EXPORT int sriov_error_status(struct sriov_error *err, enum sriov_status status)
{
	if (!err)
		return last_code;
	err->status = status;
	return err->code;
}

int core_errno(struct sriov_error *err, int code, const char *object, const char *fmt, ...)
{
	char message[sizeof(err->message)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	sriov_error_set(err, code, object, "%s", message);
	sriov_error_kernel(err, "%s", strerror(-code));
	return code;
}

int core_oom(struct sriov_error *err)
{
	return sriov_error_set(err, -ENOMEM, "sriovctl", "not enough memory");
}

SRIOV_EXPORT void sriov_set_log(sriov_log_fn fn, void *data)
{
	logger.fn = fn;
	logger.data = data;
}

void core_log(const char *subsystem, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	if (!logger.fn)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	logger.fn(logger.data, subsystem, text);
}
