/* SPDX-License-Identifier: Apache-2.0 */
/* libvirt's own schema of domains as a judge. */
#ifndef SCHEMA_H
#define SCHEMA_H

#include <dlfcn.h>
#include <libxml/relaxng.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#define SCHEMA_FILE "/usr/share/libvirt/schemas/domain.rng"

/* What of libxml2 only tests use. It prints what it finds; the verdict is enough here. */
#define RNG_SYMBOLS(X)                                                                             \
	X(xmlRelaxNGNewParserCtxt)                                                                 \
	X(xmlRelaxNGParse)                                                                         \
	X(xmlRelaxNGFreeParserCtxt)                                                                \
	X(xmlRelaxNGSetValidErrors)                                                                \
	X(xmlRelaxNGNewValidCtxt)                                                                  \
	X(xmlRelaxNGValidateDoc)                                                                   \
	X(xmlRelaxNGFreeValidCtxt)                                                                 \
	X(xmlRelaxNGFree)                                                                          \
	X(xmlReadMemory)                                                                           \
	X(xmlFreeDoc)
static struct {
#define X(symbol) __typeof__(symbol) *symbol;
	RNG_SYMBOLS(X)
#undef X
} rng;

static inline void schema_silent(void *data, const char *fmt, ...)
{
}

/* 0: valid */
static inline int schema_judge(xmlRelaxNGPtr schema, const char *text)
{
	xmlDocPtr doc = rng.xmlReadMemory(text, strlen(text), NULL, NULL, XML_PARSE_NONET);
	xmlRelaxNGValidCtxtPtr context = rng.xmlRelaxNGNewValidCtxt(schema);
	int r;

	rng.xmlRelaxNGSetValidErrors(context, schema_silent, schema_silent, NULL);
	r = rng.xmlRelaxNGValidateDoc(context, doc);
	rng.xmlRelaxNGFreeValidCtxt(context);
	rng.xmlFreeDoc(doc);
	return r;
}

/* NULL: libvirt's schemas, or libxml2, are not installed. */
static inline xmlRelaxNGPtr schema_load(void **library)
{
	xmlRelaxNGParserCtxtPtr parser;
	xmlRelaxNGPtr schema;

	*library = dlopen("libxml2.so.2", RTLD_NOW);
	if (!*library || access(SCHEMA_FILE, R_OK) < 0)
		return NULL;
#define X(symbol)                                                                                  \
	rng.symbol = (__typeof__(symbol) *)dlsym(*library, #symbol);                               \
	if (!rng.symbol)                                                                           \
		return NULL;
	RNG_SYMBOLS(X)
#undef X
	parser = rng.xmlRelaxNGNewParserCtxt(SCHEMA_FILE);
	schema = rng.xmlRelaxNGParse(parser);
	rng.xmlRelaxNGFreeParserCtxt(parser);
	return schema;
}

static inline void schema_free(xmlRelaxNGPtr schema, void *library)
{
	rng.xmlRelaxNGFree(schema);
	dlclose(library);
}

#endif
