/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ground floor: cleanup helpers, text, small files, logging, JSON access. Nothing here knows of NICs.
 */
#ifndef SRIOV_CORE_H
#define SRIOV_CORE_H

#include <jansson.h>
#include <sriov/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

#define SRIOV_EXPORT __attribute__((visibility("default")))
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Cleanup: _cleanup_(fn) runs fn(&var) when the variable leaves its scope. */
#define _cleanup_(fn) __attribute__((cleanup(fn)))
static inline void core_freep(void *p)
{
	free(*(void **)p);
}
static inline void core_closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
static inline void core_json_decref(json_t **json)
{
	json_decref(*json);
}
#define _free_ _cleanup_(core_freep)
#define _close_ _cleanup_(core_closep)
#define _json_ _cleanup_(core_json_decref)

/* Hands a pointer (or an fd) over to the caller and disarms its cleanup. */
#define core_steal(p)                                                                              \
	({                                                                                         \
		__typeof__(p) taken_ = (p);                                                        \
		(p) = NULL;                                                                        \
		taken_;                                                                            \
	})
static inline int core_steal_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

/* Debug lines for the caller's callback; nothing is formatted while there is none. */
void core_log(const char *subsystem, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* "not enough memory" as an error. */
int core_oom(struct sriov_error *err);
/* Sets the error with errno's text as the kernel's words. */
int core_errno(struct sriov_error *err, int code, const char *object, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* A function of a library, and where its pointer goes in the caller's struct. */
struct core_symbol {
	const char *name;
	size_t offset;
};
struct core_library {
	const char *name, *soname;
	const char *without;           /* what cannot be done: "captures cannot be read" */
	const char *package, *version; /* Debian's, and the oldest that has all of it */
	const struct core_symbol *symbol;
	size_t nsymbols;
	void *functions;                        /* filled when it is loaded */
	int (*set_up)(struct sriov_error *err); /* then; or NULL */
	bool loaded;
};
/* Loads it unless it is; it stays loaded. Threads wait for each other. -ENOENT: not installed; -ENOSYS: too old. */
int core_library_load(struct core_library *library, struct sriov_error *err);

/* Copies and truncates; @dst is always terminated. */
void core_copy(char *dst, size_t size, const char *src);
/* Grows an array of @size-byte elements by one zeroed element and returns it, or NULL (array untouched). */
void *core_grow(void *array_ptr, size_t *n, size_t size);
/* By @more of them, of which the first is returned; of none what it returns is no element. */
void *core_grow_by(void *array_ptr, size_t *n, size_t size, size_t more);
/* A decimal or 0x number in [min, max], nothing else around it. Returns 0, -EINVAL or -ERANGE. */
int core_number(const char *text, uint64_t min, uint64_t max, uint64_t *out);
/* The word of @words (NULL-terminated) nearest to @word, or NULL if none is near: for "did you mean". */
const char *core_nearest(const char *word, const char *const *words);
/* A printf'ed string in fresh memory, or NULL. */
char *core_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* FNV-1a, for digests of plans and derived MACs; not for security. */
uint64_t core_hash(uint64_t seed, const void *data, size_t size);
#define CORE_HASH_SEED 0xcbf29ce484222325ull
/* UTC now, "2026-11-20T20:13:48Z". */
void core_now(char buf[32]);
/* CLOCK_MONOTONIC in milliseconds. */
int64_t core_monotonic_ms(void);

/*
 * Small files. Names are relative to the directory descriptor @dir (AT_FDCWD for absolute paths).
 * core_read_line: the first line without its newline (and "" for an empty file); returns 0 or -errno.
 * core_read_file: the whole file, at most @max bytes (-EFBIG), fresh and terminated; core_read_fd: of an open one.
 * core_write_file: one write(2) of the text into an existing file (sysfs); returns 0 or -errno.
 * core_replace_file: new content under the old name, atomically, by the file "<name>.tmp" beside it; the
 *   caller sees to it that nobody else replaces the same name at the same time.
 * core_read_link_base: the last component of a symlink's target.
 */
int core_read_line(int dir, const char *name, char *buf, size_t size);
int core_read_number(int dir, const char *name, int64_t *out);
int core_read_file(int dir, const char *name, size_t max, char **out, size_t *size);
int core_read_fd(int fd, size_t max, char **out, size_t *size);
int core_write_file(int dir, const char *name, const char *text);
int core_replace_file(int dir, const char *name, const char *text, size_t size, mode_t mode);
int core_read_link_base(int dir, const char *name, char *buf, size_t size);
/* mkdir -p of an absolute or relative path, each new directory with @mode. */
int core_make_dirs(const char *path, mode_t mode);

/*
 * JSON members with a default: absent gives the default, of another type gives the default too and is
 * reported through @bad (may be NULL) so that a reader can say which member is wrong.
 */
const char *core_json_text(const json_t *obj, const char *key, const char *fallback,
			   const char **bad);
int64_t core_json_int(const json_t *obj, const char *key, int64_t fallback, const char **bad);
bool core_json_bool(const json_t *obj, const char *key, bool fallback, const char **bad);

/*
 * JSON text written as it comes, for states with thousands of rules: jansson would build a tree first and look
 * for circles in it, at ten times the instructions. Begin with {0}; @key is NULL in arrays and at the top, and
 * else a word of ours, in which nothing has to be escaped.
 */
struct core_doc {
	char *text;
	size_t used, room;
	bool failed; /* no memory, or a text that is not UTF-8: nothing can be written any more */
};
void core_doc_open(struct core_doc *doc, const char *key, char bracket); /* '{' or '[' */
void core_doc_close(struct core_doc *doc, char bracket);                 /* '}' or ']' */
void core_doc_text(struct core_doc *doc, const char *key, const char *value);
void core_doc_int(struct core_doc *doc, const char *key, int64_t value);
void core_doc_bool(struct core_doc *doc, const char *key, bool value);
void core_doc_json(struct core_doc *doc, const char *key, const json_t *value); /* NULL: it fails */
/* Members as another document has them, with the comma before them. */
void core_doc_copy(struct core_doc *doc, const char *members, size_t size);
/* The text, in fresh memory, and an empty document again; NULL if it failed. */
char *core_doc_take(struct core_doc *doc);
/* What is written, read back as jansson's tree: for one encoder of both. NULL if it failed. */
json_t *core_doc_parse(struct core_doc *doc);

#endif
