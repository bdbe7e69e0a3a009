/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walking and editing a document in its author's layout: a new element takes the indentation of its
 * siblings, and a document on one line stays on one line. See xml2.h.
 */
#include "lib/guest/xml2.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define INDENT "  "

bool xml_is(xmlNodePtr node, const char *name)
{
	return node->type == XML_ELEMENT_NODE && !node->ns &&
	       (!name || !strcmp((const char *)node->name, name));
}

xmlNodePtr xml_next(xmlNodePtr node, const char *name)
{
	for (node = node->next; node && !xml_is(node, name); node = node->next)
		;
	return node;
}

xmlNodePtr xml_child(xmlNodePtr parent, const char *name)
{
	xmlNodePtr first = parent ? parent->children : NULL;

	return !first || xml_is(first, name) ? first : xml_next(first, name);
}

/* libxml2's memory is freed by libxml2's function, ours by free(): copy between the two. */
static char *take(struct xml_doc *doc, xmlChar *value)
{
	char *copy = strdup((const char *)value);

	(*doc->lib->xmlFree)(value);
	doc->oom |= !copy;
	return copy;
}

char *xml_attr(struct xml_doc *doc, xmlNodePtr node, const char *name)
{
	xmlChar *value = doc->lib->xmlGetNoNsProp(node, BAD_CAST name);

	return value ? take(doc, value) : NULL;
}

bool xml_attr_is(struct xml_doc *doc, xmlNodePtr node, const char *name, const char *value)
{
	_free_ char *is = xml_attr(doc, node, name);

	return is && !strcmp(is, value);
}

char *xml_text(struct xml_doc *doc, xmlNodePtr node)
{
	xmlChar *content = doc->lib->xmlNodeGetContent(node);
	char *text = content ? take(doc, content) : NULL;
	size_t lead, len;

	if (!text)
		return NULL;
	lead = strspn(text, " \t\r\n");
	len = strlen(text + lead);
	while (len && isspace((unsigned char)text[lead + len - 1]))
		len--;
	memmove(text, text + lead, len);
	text[len] = '\0';
	return text;
}

static bool is_blank(xmlNodePtr node)
{
	const char *text = node && node->type == XML_TEXT_NODE ? (const char *)node->content : NULL;

	return text && !text[strspn(text, " \t\r\n")];
}

/* The newline and indentation before a node, "" if it stands on its neighbour's line. */
static const char *lead_of(xmlNodePtr node)
{
	const char *text;

	if (!node->parent || node->parent->type == XML_DOCUMENT_NODE)
		return "\n";
	if (!is_blank(node->prev))
		return "";
	text = strrchr((const char *)node->prev->content, '\n');
	return text ? text : "";
}

/* Puts @text before @node, or at the end of @parent. Consumes nothing on failure but sets oom. */
static void add_text(struct xml_doc *doc, xmlNodePtr parent, xmlNodePtr before, const char *text)
{
	xmlNodePtr node;

	if (!*text)
		return;
	node = doc->lib->xmlNewDocText(doc->doc, BAD_CAST text);
	if (!node)
		doc->oom = true;
	else if (before)
		doc->lib->xmlAddPrevSibling(before, node);
	else
		doc->lib->xmlAddChild(parent, node);
}

xmlNodePtr xml_insert(struct xml_doc *doc, xmlNodePtr parent, xmlNodePtr after, const char *name)
{
	_free_ char *lead = NULL;
	xmlNodePtr first, node;
	const char *outer;

	if (!parent || doc->oom)
		return NULL;
	node = doc->lib->xmlNewDocNode(doc->doc, NULL, BAD_CAST name, NULL);
	if (!node) {
		doc->oom = true;
		return NULL;
	}
	first = xml_child(parent, NULL);
	if (after) {
		lead = strdup(lead_of(after));
		doc->lib->xmlAddNextSibling(after, node);
	} else if (first) {
		lead = strdup(lead_of(first));
		/* before the indentation of what was first, which stays there */
		doc->lib->xmlAddPrevSibling(is_blank(first->prev) ? first->prev : first, node);
	} else {
		outer = lead_of(parent);
		lead = *outer ? core_printf("%s" INDENT, outer) : strdup("");
		while (is_blank(parent->children)) {
			xmlNodePtr blank = parent->children;

			doc->lib->xmlUnlinkNode(blank);
			doc->lib->xmlFreeNode(blank);
		}
		doc->lib->xmlAddChild(parent, node);
		add_text(doc, parent, NULL, outer);
	}
	if (lead)
		add_text(doc, parent, node, lead);
	else
		doc->oom = true;
	return node;
}

void xml_set(struct xml_doc *doc, xmlNodePtr node, const char *name, const char *fmt, ...)
{
	_free_ char *value = NULL;
	va_list ap;

	if (!node || doc->oom)
		return;
	va_start(ap, fmt);
	if (vasprintf(&value, fmt, ap) < 0)
		value = NULL;
	va_end(ap);
	if (!value || !doc->lib->xmlSetProp(node, BAD_CAST name, BAD_CAST value))
		doc->oom = true;
}

void xml_set_text(struct xml_doc *doc, xmlNodePtr node, const char *fmt, ...)
{
	_free_ char *value = NULL;
	va_list ap;

	if (!node || doc->oom)
		return;
	va_start(ap, fmt);
	if (vasprintf(&value, fmt, ap) < 0)
		value = NULL;
	va_end(ap);
	if (!value) {
		doc->oom = true;
		return;
	}
	while (node->children) {
		xmlNodePtr child = node->children;

		doc->lib->xmlUnlinkNode(child);
		doc->lib->xmlFreeNode(child);
	}
	add_text(doc, node, NULL, value);
}

void xml_remove(struct xml_doc *doc, xmlNodePtr node)
{
	xmlNodePtr lead = node->prev;

	if (is_blank(lead)) {
		doc->lib->xmlUnlinkNode(lead);
		doc->lib->xmlFreeNode(lead);
	}
	doc->lib->xmlUnlinkNode(node);
	doc->lib->xmlFreeNode(node);
}
