/* SPDX-License-Identifier: Apache-2.0 */
/* Writing a tuning into a domain: see tunedom.h. What is not tuned is left as it stands. */
#include "lib/guest/domxml.h"
#include "lib/guest/tunedom.h"

#include <stdio.h>
#include <string.h>

/* The child @name of @parent whose attribute @key is @number, or one made for it behind its like. */
static xmlNodePtr numbered(struct xml_doc *xml, xmlNodePtr parent, const char *name,
			   const char *key, unsigned number)
{
	xmlNodePtr last = NULL, node;

	for (node = xml_child(parent, name); node; node = xml_next(node, name)) {
		_free_ char *text = xml_attr(xml, node, key);
		uint64_t is;

		if (text && !core_number(text, 0, UINT32_MAX, &is) && is == number)
			return node;
		last = node;
	}
	if (!last)
		for (node = xml_child(parent, NULL); node; node = xml_next(node, NULL))
			last = node;
	node = xml_insert(xml, parent, last, name);
	xml_set(xml, node, key, "%u", number);
	return node;
}

/* The only child @name of @parent, made behind @after if need be. */
static xmlNodePtr only(struct xml_doc *xml, xmlNodePtr parent, xmlNodePtr after, const char *name)
{
	xmlNodePtr node = xml_child(parent, name);

	return node || !parent ? node : xml_insert(xml, parent, after, name);
}

static xmlNodePtr last_of(xmlNodePtr parent)
{
	xmlNodePtr last = NULL;

	for (xmlNodePtr node = xml_child(parent, NULL); node; node = xml_next(node, NULL))
		last = node;
	return last;
}

static void edit_cputune(struct xml_doc *xml, const struct tune_edit *edit)
{
	xmlNodePtr vcpu = xml_child(xml->root, "vcpu");
	xmlNodePtr cputune = only(xml, xml->root, domain_before_cputune(xml->root), "cputune");
	xmlNodePtr node;

	/* numad would choose the CPUs that the pins are there to choose */
	if (vcpu && xml_attr_is(xml, vcpu, "placement", "auto"))
		xml_set(xml, vcpu, "placement", "static");
	for (unsigned i = 0; i < edit->vcpus; i++) {
		if (!edit->vcpu[i])
			continue;
		node = numbered(xml, cputune, "vcpupin", "vcpu", i);
		xml_set(xml, node, "cpuset", "%s", edit->vcpu[i]);
	}
	if (edit->emulator) {
		node = only(xml, cputune, last_of(cputune), "emulatorpin");
		xml_set(xml, node, "cpuset", "%s", edit->emulator);
	}
	for (size_t i = 0; i < edit->niothreads; i++) {
		node = numbered(xml, cputune, "iothreadpin", "iothread", edit->iothread[i].id);
		xml_set(xml, node, "cpuset", "%s", edit->iothread[i].cpus);
	}
}

static void edit_numatune(struct xml_doc *xml, const struct tune_edit *edit)
{
	xmlNodePtr numatune = xml_child(xml->root, "numatune"), node;

	if (!numatune) {
		xmlNodePtr after = xml_child(xml->root, "cputune");

		numatune = xml_insert(xml, xml->root,
				      after ? after : domain_before_cputune(xml->root), "numatune");
	}
	if (edit->nodes) {
		node = only(xml, numatune, NULL, "memory");
		xml_set(xml, node, "mode", "%s", edit->mode);
		if (node && xml_attr_is(xml, node, "placement", "auto"))
			xml_set(xml, node, "placement", "static");
		xml_set(xml, node, "nodeset", "%s", edit->nodes);
	}
	for (size_t i = 0; i < edit->ncells; i++) {
		node = numbered(xml, numatune, "memnode", "cellid", edit->cell[i].id);
		xml_set(xml, node, "mode", "%s", edit->cell[i].mode);
		xml_set(xml, node, "nodeset", "%s", edit->cell[i].nodes);
	}
}

/* Hugepages are files and can be shared as they are; other memory must become a file first. */
static void edit_shared(struct domain *dom)
{
	struct xml_doc *xml = &dom->xml;
	xmlNodePtr after = xml_child(xml->root, "currentMemory");
	xmlNodePtr backing, cell;

	after = after ? after : xml_child(xml->root, "memory");
	backing = only(xml, xml->root, after, "memoryBacking");
	if (!domain_is_backed(dom))
		xml_set(xml, only(xml, backing, last_of(backing), "source"), "type", "memfd");
	xml_set(xml, only(xml, backing, last_of(backing), "access"), "mode", "shared");
	cell = xml_child(xml_child(xml_child(xml->root, "cpu"), "numa"), "cell");
	for (; cell; cell = xml_next(cell, "cell"))
		if (xml_attr_is(xml, cell, "memAccess", "private"))
			xml_set(xml, cell, "memAccess", "shared");
}

int tune_domain_edit(const char *text, const struct tune_edit *edit, char **out,
		     struct sriov_error *err)
{
	_domain_ struct domain dom = {0};
	int r = domain_parse(text, &dom, err);
	bool pins = edit->emulator || edit->niothreads;

	if (r < 0)
		return r;
	for (unsigned i = 0; i < edit->vcpus; i++)
		pins |= !!edit->vcpu[i];
	if (pins)
		edit_cputune(&dom.xml, edit);
	if (edit->nodes || edit->ncells)
		edit_numatune(&dom.xml, edit);
	if (edit->shared)
		edit_shared(&dom);
	return xml_print(&dom.xml, out, err);
}
