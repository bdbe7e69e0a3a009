/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON objects as tables of members: one table reads and writes a structure, so that both directions
 * cannot drift apart. Reading is for text from strangers: every type, range and length is checked, members
 * that the table does not have are refused, and the error names the path ("pfs[1].vf[3].attrs.mac: …").
 */
#ifndef SRIOV_FIELDS_H
#define SRIOV_FIELDS_H

#include "lib/core/core.h"

enum field_kind {
	FIELD_TEXT,  /* char[size], without control characters */
	FIELD_NAME,  /* char[size], as the kernel names devices and drivers: no blank, '/' or ':' */
	FIELD_PCI,   /* char[SRIOV_PCI_LEN], canonical */
	FIELD_MAC,   /* uint8_t[6] */
	FIELD_HEX16, /* uint16_t, as four hexadecimal digits: PCI vendor and device */
	FIELD_INT,   /* an integer type of @size bytes, signed if min < 0 */
	FIELD_BOOL,
	FIELD_WORD,  /* an integer type of @size bytes: index into @words */
	FIELD_TRI,   /* enum sriov_tristate: true, false, null */
	FIELD_CHILD, /* known here, read and written by the caller */
};

struct field {
	const char *key;
	enum field_kind kind;
	bool required;
	unsigned has;             /* has-bits of an optional member, 0 = always written */
	size_t offset, size;      /* in the structure */
	int64_t min, max;         /* of FIELD_INT */
	const char *const *words; /* NULL-terminated */
};

/* FIELD(struct sriov_pf, netdev, FIELD_NAME, …): member and key have the same name. */
#define FIELD_AS(type, name, key_, kind_, ...)                                                     \
	{                                                                                          \
		.key = key_, .kind = kind_, .offset = offsetof(type, name),                        \
		.size = sizeof(((type *)0)->name), __VA_ARGS__                                     \
	}
#define FIELD(type, name, kind_, ...) FIELD_AS(type, name, #name, kind_, __VA_ARGS__)
#define FIELD_END                                                                                  \
	{                                                                                          \
		.key = NULL                                                                        \
	}

/* One decoding: its first error stays and is what the whole decoding returns. */
struct reader {
	const char *subject; /* object of its errors: "snapshot" */
	struct sriov_error *err;
	int code;
};

#define READER_PATH 160

/* Sets the reader's error, unless it has one, as "<path><.key>: <text>". @key may be NULL. Returns the code. */
int reader_fail(struct reader *r, int code, const char *path, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/*
 * Reads the members of @json that @fields (ended by FIELD_END) has into @base; absent members leave what is
 * there. Has-bits of present members are added to *@has (may be NULL). Returns r->code.
 */
int fields_decode(struct reader *r, const json_t *json, const char *path,
		  const struct field *fields, void *base, unsigned *has);

/* A new object with the members that have no has-bit or one in @has, in table order; NULL: no memory. */
json_t *fields_encode(const struct field *fields, const void *base, unsigned has);

/*
 * The array member @key of @json, checked to be one and to have at most @max elements, or NULL (an absent
 * one, or an error). Elements are then read with a path made by reader_path().
 */
const json_t *reader_array(struct reader *r, const json_t *json, const char *path, const char *key,
			   size_t max);
/* Writes "<path>.<key>[<index>]" without a leading dot. */
const char *reader_path(char buf[READER_PATH], const char *path, const char *key, size_t index);

/* json_object_set_new() and json_array_append_new() that report a NULL value or no memory as false. */
static inline bool json_put(json_t *object, const char *key, json_t *value)
{
	return !json_object_set_new(object, key, value);
}
static inline bool json_add(json_t *array, json_t *value)
{
	return !json_array_append_new(array, value);
}

#endif
