/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors of libsriov.
 *
 * Every function that can fail returns 0 or a negative errno value and fills a struct sriov_error that
 * the caller owns. An error names the object it is about, says what was wrong, quotes the kernel's own
 * words where the kernel spoke, and says what to do. Nothing in the library prints, logs above debug,
 * or exits. Out-parameters are written only on success.
 */
#ifndef SRIOV_ERROR_H
#define SRIOV_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

/* What a command ended as; the values are sriovctl's exit statuses. */
enum sriov_status {
	SRIOV_DONE = 0,        /* done, or nothing to do */
	SRIOV_FAILED = 1,      /* an error; nothing was changed */
	SRIOV_DIFFERENCE = 2,  /* a difference or a finding (plan, diff, check) */
	SRIOV_REFUSED = 3,     /* refused for safety; nothing was changed */
	SRIOV_ROLLED_BACK = 4, /* failed half-way; the old state is back */
	SRIOV_INCOMPLETE = 5,  /* left incomplete; the journal has it */
	SRIOV_STUCK = 6,       /* the kernel does not return from a call */
};

struct sriov_error {
	int code;                 /* negative errno */
	enum sriov_status status; /* SRIOV_FAILED unless a setter said otherwise */
	char object[96];          /* "vf 3 of 0000:81:00.0" */
	char message[768];        /* what was wrong */
	char kernel
		[256];  /* the kernel's words: errno text or extended ACK; "" if it did not speak */
	char hint[512]; /* what to do; "" if there is nothing sensible to say */
};

/*
 * Fills @err (may be NULL) and returns @code, so that a failing path is one statement:
 *     return sriov_error_set(err, -ENODEV, pf, "no such network device");
 * Resets kernel words, hint and status.
 */
int sriov_error_set(struct sriov_error *err, int code, const char *object, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Each adds one part to an error already set, and returns its code. */
int sriov_error_hint(struct sriov_error *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
int sriov_error_kernel(struct sriov_error *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
int sriov_error_status(struct sriov_error *err, enum sriov_status status);

/* Called with subsystem ("netlink", "sysfs", …) and text for every debug line; NULL turns it off. */
typedef void (*sriov_log_fn)(void *data, const char *subsystem, const char *text);
void sriov_set_log(sriov_log_fn fn, void *data);

#ifdef __cplusplus
}
#endif
#endif
