/* SPDX-License-Identifier: Apache-2.0 */
/* libxml2 at run time: loading, parsing safely, printing. See xml2.h; editing is in xmledit.c. */
#include "lib/guest/xml2.h"

#include <errno.h>
#include <string.h>

/* The ABI of the headers that this was built with; 2.14 has another soname. */
#if LIBXML_VERSION >= 21400
#define XML2_SONAME "libxml2.so.16"
#else
#define XML2_SONAME "libxml2.so.2"
#endif

/* 2.12 made the error that a handler is given const. */
#if LIBXML_VERSION >= 21200
typedef const xmlError *xml_error_ptr;
#else
typedef xmlError *xml_error_ptr;
#endif

static struct xml2 xml2;

static int set_up(struct sriov_error *err)
{
	xml2.xmlInitParser();
	return 0;
}

int xml2_load(const struct xml2 **out, struct sriov_error *err)
{
	static const struct core_symbol symbols[] = {
#define X(symbol) {#symbol, offsetof(struct xml2, symbol)},
		XML2_SYMBOLS(X)
#undef X
	};
	static struct core_library libxml2 = {
		"libxml2",           XML2_SONAME, "domain XML cannot be read",
		"libxml2",           "2.9",       symbols,
		ARRAY_SIZE(symbols), &xml2,       set_up};
	int r = core_library_load(&libxml2, err);

	if (!r)
		*out = &xml2;
	return r;
}

void xml_close(struct xml_doc *doc)
{
	if (doc->doc)
		doc->lib->xmlFreeDoc(doc->doc);
	*doc = (struct xml_doc){0};
}

/* What is learned while libxml2 parses: hung on the parser context's _private. */
struct watch {
	const struct xml2 *lib;
	bool doctype;
	int line, column;
	char message[256]; /* of the first error, without its newline */
};

/* The context's own handler, as the process-wide one belongs to whoever uses libxml2 beside us. */
static void on_error(void *data, xml_error_ptr error)
{
	struct watch *watch = ((xmlParserCtxtPtr)data)->_private;

	if (error->level < XML_ERR_ERROR || watch->message[0] || !error->message)
		return;
	core_copy(watch->message, sizeof(watch->message), error->message);
	watch->message[strcspn(watch->message, "\n")] = '\0';
	watch->line = error->line;
	watch->column = error->int2; /* int2 is the column, see libxml/xmlerror.h */
}

/* Called at "<!DOCTYPE", before any declaration in it is read. */
static void on_doctype(void *data, const xmlChar *name, const xmlChar *external,
		       const xmlChar *system)
{
	xmlParserCtxtPtr context = data;
	struct watch *watch = context->_private;

	watch->doctype = true;
	watch->lib->xmlStopParser(context);
}

static unsigned depth_of(xmlNodePtr root)
{
	unsigned depth = 1, deepest = 1;
	xmlNodePtr node = root;

	for (;;) {
		if (node->type == XML_ELEMENT_NODE && node->children) {
			node = node->children;
			if (++depth > deepest)
				deepest = depth;
			continue;
		}
		while (node != root && !node->next) {
			node = node->parent;
			depth--;
		}
		if (node == root)
			return deepest;
		node = node->next;
	}
}

int xml_parse(const char *text, size_t size, const char *object, struct xml_doc *out,
	      struct sriov_error *err)
{
	_xml_ struct xml_doc doc = {.declared = size > 5 && !memcmp(text, "<?xml", 5)};
	struct watch watch = {0};
	xmlParserCtxtPtr context;
	int r;

	if (size > XML_SIZE_MAX)
		return sriov_error_set(err, -EFBIG, object, "%zu bytes of XML; at most %d are read",
				       size, XML_SIZE_MAX);
	r = xml2_load(&doc.lib, err);
	if (r < 0)
		return r;
	context = doc.lib->xmlNewParserCtxt();
	if (!context)
		return core_oom(err);
	watch.lib = doc.lib;
	context->_private = &watch;
	context->sax->serror = on_error;
	context->sax->internalSubset = on_doctype;
	doc.doc = doc.lib->xmlCtxtReadMemory(context, text, size, NULL, NULL, XML_PARSE_NONET);
	doc.lib->xmlFreeParserCtxt(context);

	if (watch.doctype) {
		sriov_error_set(err, -EINVAL, object,
				"has a document type declaration (<!DOCTYPE …>)");
		return sriov_error_hint(
			err,
			"remove it: libvirt's XML needs none, and its entities are not expanded");
	}
	if (doc.doc)
		doc.root = doc.lib->xmlDocGetRootElement(doc.doc);
	if (!doc.root)
		return sriov_error_set(err, -EINVAL, object, "line %d:%d: not well-formed XML: %s",
				       watch.line, watch.column,
				       watch.message[0] ? watch.message : "no element");
	if (depth_of(doc.root) > XML_DEPTH_MAX)
		return sriov_error_set(err, -EINVAL, object,
				       "elements are nested more than %d deep", XML_DEPTH_MAX);
	*out = doc;
	doc = (struct xml_doc){0};
	return 0;
}

int xml_create(const char *root, struct xml_doc *out, struct sriov_error *err)
{
	_xml_ struct xml_doc doc = {0};
	int r = xml2_load(&doc.lib, err);

	if (r < 0)
		return r;
	doc.doc = doc.lib->xmlNewDoc(BAD_CAST "1.0");
	if (!doc.doc)
		return core_oom(err);
	doc.root = doc.lib->xmlNewDocNode(doc.doc, NULL, BAD_CAST root, NULL);
	if (!doc.root)
		return core_oom(err);
	doc.lib->xmlDocSetRootElement(doc.doc, doc.root);
	*out = doc;
	doc = (struct xml_doc){0};
	return 0;
}

int xml_print(struct xml_doc *doc, char **out, struct sriov_error *err)
{
	return xml_print_node(doc, (xmlNodePtr)doc->doc, out, err);
}

int xml_print_node(struct xml_doc *doc, xmlNodePtr node, char **out, struct sriov_error *err)
{
	const struct xml2 *lib = doc->lib;
	xmlBufferPtr buffer = doc->oom ? NULL : lib->xmlBufferCreate();
	xmlSaveCtxtPtr save;
	char *text = NULL;

	if (!buffer)
		return core_oom(err);
	save = lib->xmlSaveToBuffer(buffer, "UTF-8", doc->declared ? 0 : XML_SAVE_NO_DECL);
	if (save) {
		long written = lib->xmlSaveTree(save, node);

		if (lib->xmlSaveClose(save) >= 0 && written >= 0)
			text = strdup((const char *)lib->xmlBufferContent(buffer));
	}
	lib->xmlBufferFree(buffer);
	if (!text)
		return core_oom(err);
	*out = text;
	return 0;
}

/* XPath errors are bugs or lack of memory: the result says so, nothing may be printed. */
static void on_xpath_error(void *data, xml_error_ptr error)
{
}

int xml_select(struct xml_doc *doc, const char *xpath, xmlNodePtr **out, size_t *n,
	       struct sriov_error *err)
{
	const struct xml2 *lib = doc->lib;
	xmlXPathContextPtr context = lib->xmlXPathNewContext(doc->doc);
	xmlXPathObjectPtr result;
	xmlNodePtr *nodes = NULL;
	size_t count = 0;
	int r = 0;

	if (!context)
		return core_oom(err);
	context->error = on_xpath_error;
	result = lib->xmlXPathEval(BAD_CAST xpath, context);
	if (!result)
		r = core_oom(err);
	else if (result->nodesetval && result->nodesetval->nodeNr) {
		count = result->nodesetval->nodeNr;
		nodes = calloc(count, sizeof(*nodes));
		if (nodes)
			memcpy(nodes, result->nodesetval->nodeTab, count * sizeof(*nodes));
		else
			r = core_oom(err);
	}
	if (result)
		lib->xmlXPathFreeObject(result);
	lib->xmlXPathFreeContext(context);
	if (r < 0)
		return r;
	*out = nodes;
	*n = count;
	return 0;
}
