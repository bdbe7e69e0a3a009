/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small reader of XML: one pass over the text, elements called by their path, nothing allocated, nothing loaded.
 * Its positions point into the text. Libvirt's own output and what is like it; no document types.
 */
#ifndef SRIOV_GUEST_XMLSCAN_H
#define SRIOV_GUEST_XMLSCAN_H

#include "lib/core/core.h"

#define XMLSCAN_DEPTH 64
#define XMLSCAN_ATTRS 32 /* of one element; what comes behind so many is not seen */
#define XMLSCAN_PATH 2048

/* Where in the text something stands; .at is NULL if it does not. */
struct xmlspan {
	const char *at;
	size_t len;
};

struct xmltag {
	struct xmlspan name;
	struct xmlspan key[XMLSCAN_ATTRS], value[XMLSCAN_ATTRS];
	size_t n;
	struct xmlspan text; /* what stands between it and the next "<" */
};

struct xmlscan {
	const char *object; /* in errors */
	/* Elements whose namespace begins with that URL have @prefix in their path, whatever the text calls it. */
	const char *namespace, *prefix;
	/* Called at each element, with its path: "/domain/devices/interface". Fails by xmlscan_fail(). */
	void (*element)(struct xmlscan *scan, const char *path, const struct xmltag *tag);
	/* Called at its end. */
	void (*end)(struct xmlscan *scan, const char *path);
	void *data;
	struct sriov_error *err;

	const char *text, *stop, *at; /* at: where it is */
	struct xmlspan open[XMLSCAN_DEPTH];
	size_t path_end[XMLSCAN_DEPTH];
	size_t depth;
	char path[XMLSCAN_PATH];
	size_t inside; /* depth of the element that declares the namespace, 0 = not in it */
	struct xmlspan declared; /* the text's prefix of it */
	int code;
};

/* -EINVAL: not well-formed, a document type, deeper than XMLSCAN_DEPTH; or what the callbacks failed with. */
int xmlscan_run(struct xmlscan *scan, const char *text, size_t size);
/* Ends the scan with an error that names the line. */
int xmlscan_fail(struct xmlscan *scan, int code, const char *what);

bool xmlspan_is(struct xmlspan span, const char *word);
/* The value of an attribute. */
struct xmlspan xmltag_attr(const struct xmltag *tag, const char *name);
/* What a span says, without blanks around it, in fresh memory. NULL, and the scan has failed: no memory, or an entity. */
char *xmlscan_decode(struct xmlscan *scan, struct xmlspan span);
/* The same into a buffer; false, and it is empty, if it does not fit or is not there. */
bool xmlscan_copy(struct xmlscan *scan, struct xmlspan span, char *out, size_t size);

#endif
