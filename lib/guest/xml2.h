/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libxml2, loaded when the first document is read (linking it would cost every command its start-up),
 * and the few operations that domain XML needs: parse safely, walk, select, edit in the user's own
 * layout, print.
 */
#ifndef SRIOV_GUEST_XML2_H
#define SRIOV_GUEST_XML2_H

#include "lib/core/core.h"

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <libxml/xmlsave.h>
#include <libxml/xpath.h>

#define XML_SIZE_MAX (1024 * 1024)
#define XML_DEPTH_MAX 64

/*
 * What is used of libxml2. Each becomes a member of struct xml2 that points at the symbol of that name,
 * typed by libxml2's own header. xmlFree is a variable there, hence a pointer to a function pointer here.
 */
#define XML2_SYMBOLS(X)                                                                            \
	X(xmlInitParser)                                                                           \
	X(xmlNewParserCtxt)                                                                        \
	X(xmlFreeParserCtxt)                                                                       \
	X(xmlCtxtReadMemory)                                                                       \
	X(xmlStopParser)                                                                           \
	X(xmlNewDoc)                                                                               \
	X(xmlFreeDoc)                                                                              \
	X(xmlDocGetRootElement)                                                                    \
	X(xmlDocSetRootElement)                                                                    \
	X(xmlNewDocNode)                                                                           \
	X(xmlNewDocText)                                                                           \
	X(xmlAddChild)                                                                             \
	X(xmlAddNextSibling)                                                                       \
	X(xmlAddPrevSibling)                                                                       \
	X(xmlUnlinkNode)                                                                           \
	X(xmlFreeNode)                                                                             \
	X(xmlSetProp)                                                                              \
	X(xmlGetNoNsProp)                                                                          \
	X(xmlNodeGetContent)                                                                       \
	X(xmlFree)                                                                                 \
	X(xmlXPathNewContext)                                                                      \
	X(xmlXPathEval)                                                                            \
	X(xmlXPathFreeObject)                                                                      \
	X(xmlXPathFreeContext)                                                                     \
	X(xmlBufferCreate)                                                                         \
	X(xmlBufferContent)                                                                        \
	X(xmlBufferFree)                                                                           \
	X(xmlSaveToBuffer)                                                                         \
	X(xmlSaveTree)                                                                             \
	X(xmlSaveClose)

struct xml2 {
#define X(symbol) __typeof__(symbol) *symbol;
	XML2_SYMBOLS(X)
#undef X
};

/* The loaded library; it stays loaded. -ENOENT: not installed, and the error names the package. */
int xml2_load(const struct xml2 **out, struct sriov_error *err);

/*
 * A document. The editing functions below return NULL without effect once memory ran out and remember
 * it in @oom, so that a sequence of edits is checked once, at its end: xml_print() does.
 */
struct xml_doc {
	const struct xml2 *lib;
	xmlDocPtr doc;
	xmlNodePtr root;
	bool declared; /* the text began with <?xml …?> */
	bool oom;
};
void xml_close(struct xml_doc *doc);
#define _xml_ _cleanup_(xml_close)

/*
 * Reads @size bytes of text. Refused: more than XML_SIZE_MAX, deeper than XML_DEPTH_MAX, any document
 * type declaration (entities could only come from there), anything not well-formed: the error quotes
 * libxml2 with line and column. @object is what the error is about.
 */
int xml_parse(const char *text, size_t size, const char *object, struct xml_doc *out,
	      struct sriov_error *err);
/* An empty document with that root element. */
int xml_create(const char *root, struct xml_doc *out, struct sriov_error *err);
/* The document as UTF-8 text, laid out as its text nodes say. */
int xml_print(struct xml_doc *doc, char **out, struct sriov_error *err);
/* One element of it. */
int xml_print_node(struct xml_doc *doc, xmlNodePtr node, char **out, struct sriov_error *err);

/* First child element, or next sibling element, of that name (NULL: of any), in no namespace. */
xmlNodePtr xml_child(xmlNodePtr parent, const char *name);
xmlNodePtr xml_next(xmlNodePtr node, const char *name);
bool xml_is(xmlNodePtr node, const char *name);
/* An attribute's value, or an element's text without blanks around it; fresh, NULL if there is none. */
char *xml_attr(struct xml_doc *doc, xmlNodePtr node, const char *name);
char *xml_text(struct xml_doc *doc, xmlNodePtr node);
bool xml_attr_is(struct xml_doc *doc, xmlNodePtr node, const char *name, const char *value);
/* The nodes that the XPath expression selects; the caller frees the array. */
int xml_select(struct xml_doc *doc, const char *xpath, xmlNodePtr **out, size_t *n,
	       struct sriov_error *err);

/*
 * A new element in @parent, after its child @after or before all others (NULL), on a line of its own
 * with its siblings' indentation, or on the same line where the siblings are.
 */
xmlNodePtr xml_insert(struct xml_doc *doc, xmlNodePtr parent, xmlNodePtr after, const char *name);
void xml_set(struct xml_doc *doc, xmlNodePtr node, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* Replaces what is in an element by text. */
void xml_set_text(struct xml_doc *doc, xmlNodePtr node, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Removes an element and the indentation before it. */
void xml_remove(struct xml_doc *doc, xmlNodePtr node);

#endif
