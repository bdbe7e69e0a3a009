/* SPDX-License-Identifier: Apache-2.0 */
/* See virt_simxml.h. */
#include "lib/guest/virt_simxml.h"
#include "lib/guest/domxml.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The element of that name, made after its elder siblings if it is not there. */
static xmlNodePtr need(struct xml_doc *xml, xmlNodePtr parent, const char *name,
		       const char *const *elder)
{
	xmlNodePtr node = xml_child(parent, name), after = NULL;

	for (size_t i = 0; !node && elder[i]; i++)
		for (xmlNodePtr at = xml_child(parent, elder[i]); at; at = xml_next(at, elder[i]))
			after = at;
	return node ? node : xml_insert(xml, parent, after, name);
}

static xmlNodePtr append(struct xml_doc *xml, xmlNodePtr parent, xmlNodePtr *last, const char *name)
{
	xmlNodePtr node = xml_insert(xml, parent, *last, name);

	if (node)
		*last = node;
	return node;
}

static void put_controllers(struct xml_doc *xml, xmlNodePtr devices, unsigned ports)
{
	xmlNodePtr last = NULL;

	for (unsigned i = 0; i <= ports; i++) {
		xmlNodePtr controller = append(xml, devices, &last, "controller");

		xml_set(xml, controller, "type", "pci");
		xml_set(xml, controller, "index", "%u", i);
		xml_set(xml, controller, "model", i ? "pcie-root-port" : "pcie-root");
	}
}

/* Adds the device, in a port of its own where the machine has ports. */
static int plug(struct domain *dom, const struct guest_device *device, struct sriov_error *err)
{
	struct domain_ports ports;
	xmlNodePtr node, address;
	int r = domain_ports(dom, &ports, err);

	if (r < 0)
		return r;
	if (ports.express && ports.spare < 0)
		return -ENOSPC;
	node = domain_put_device(dom, device);
	if (!node)
		return core_oom(err);
	if (!ports.express)
		return 0;
	address = xml_insert(&dom->xml, node, xml_child(node, "source"), "address");
	xml_set(&dom->xml, address, "type", "pci");
	xml_set(&dom->xml, address, "domain", "0x0000");
	xml_set(&dom->xml, address, "bus", "0x%02x", (unsigned)ports.spare);
	xml_set(&dom->xml, address, "slot", "0x00");
	xml_set(&dom->xml, address, "function", "0x0");
	return 0;
}

int simxml_domain(const char *name, const char *uuid, const struct guest_device *devices, size_t n,
		  char **out, struct sriov_error *err)
{
	_domain_ struct domain dom = {.object = "domain XML"};
	struct xml_doc *xml = &dom.xml;
	xmlNodePtr last = NULL, node;
	int r = xml_create("domain", xml, err);

	if (r < 0)
		return r;
	xml_set(xml, xml->root, "type", "kvm");
	xml_set_text(xml, append(xml, xml->root, &last, "name"), "%s", name);
	xml_set_text(xml, append(xml, xml->root, &last, "uuid"), "%s", uuid);
	node = append(xml, xml->root, &last, "memory");
	xml_set(xml, node, "unit", "GiB");
	xml_set_text(xml, node, "4");
	xml_set_text(xml, append(xml, xml->root, &last, "vcpu"), "2");
	node = xml_insert(xml, append(xml, xml->root, &last, "os"), NULL, "type");
	xml_set(xml, node, "arch", "x86_64");
	xml_set(xml, node, "machine", "q35");
	xml_set_text(xml, node, "hvm");
	put_controllers(xml, append(xml, xml->root, &last, "devices"), n + SIMXML_SPARE_PORTS);
	for (size_t i = 0; i < n && !r; i++)
		r = plug(&dom, &devices[i], err);
	return r < 0 ? r : xml_print(xml, out, err);
}

int simxml_plug(const char *text, const struct guest_device *device, char **out,
		struct sriov_error *err)
{
	_domain_ struct domain dom = {0};
	int r = domain_parse(text, &dom, err);

	if (!r)
		r = plug(&dom, device, err);
	return r < 0 ? r : xml_print(&dom.xml, out, err);
}

static unsigned count_of(struct domain *dom, const char *element)
{
	xmlNodePtr node = xml_child(dom->xml.root, element);
	_free_ char *text = node ? xml_text(&dom->xml, node) : NULL;
	uint64_t number;

	return text && !core_number(text, 0, UINT16_MAX, &number) ? number : 0;
}

int simxml_append(const char *text, const struct guest_device *device, char **out,
		  struct sriov_error *err)
{
	_domain_ struct domain dom = {0};
	int r = domain_parse(text, &dom, err);

	if (r < 0)
		return r;
	if (!domain_put_device(&dom, device))
		return core_oom(err);
	return xml_print(&dom.xml, out, err);
}

int simxml_pin(const char *text, enum virt_thread thread, unsigned number, const char *cpus,
	       unsigned *count, char **out, struct sriov_error *err)
{
	static const struct {
		const char *element, *number, *counted;
		unsigned first;
	} pins[] = {
		[VIRT_VCPU] = {"vcpupin", "vcpu", "vcpu", 0},
		[VIRT_EMULATOR] = {"emulatorpin", NULL, NULL, 0},
		[VIRT_IOTHREAD] = {"iothreadpin", "iothread", "iothreads", 1},
	};
	static const char *const elder[] = {"memory", "memoryBacking", "vcpu", "iothreads", NULL};
	static const char *const before[] = {"vcpupin", "emulatorpin", NULL};
	const char *element = pins[thread].element;
	_domain_ struct domain dom = {0};
	xmlNodePtr cputune, node;
	char wanted[16];
	int r = domain_parse(text, &dom, err);

	if (r < 0)
		return r;
	if (pins[thread].number) {
		unsigned has = count_of(&dom, pins[thread].counted);

		*count = has;
		if (number < pins[thread].first || number >= has + pins[thread].first)
			return -ERANGE;
	}
	snprintf(wanted, sizeof(wanted), "%u", number);
	cputune = need(&dom.xml, dom.xml.root, "cputune", elder);
	for (node = xml_child(cputune, element); node; node = xml_next(node, element))
		if (!pins[thread].number ||
		    xml_attr_is(&dom.xml, node, pins[thread].number, wanted))
			break;
	if (!node) {
		xmlNodePtr after = NULL;

		for (size_t i = 0; before[i]; i++)
			for (xmlNodePtr at = xml_child(cputune, before[i]); at;
			     at = xml_next(at, before[i]))
				after = at;
		node = xml_insert(&dom.xml, cputune, after, element);
	}
	if (pins[thread].number)
		xml_set(&dom.xml, node, pins[thread].number, "%s", wanted);
	xml_set(&dom.xml, node, "cpuset", "%s", cpus);
	return xml_print(&dom.xml, out, err);
}

int simxml_memory(const char *text, const char *mode, const char *nodeset, char **out, char was[16],
		  struct sriov_error *err)
{
	static const char *const elder[] = {"memory",    "memoryBacking", "vcpu",
					    "iothreads", "cputune",       NULL};
	static const char *const none[] = {NULL};
	_domain_ struct domain dom = {0};
	_free_ char *before = NULL;
	xmlNodePtr memory;
	int r = domain_parse(text, &dom, err);

	if (r < 0)
		return r;
	memory = need(&dom.xml, need(&dom.xml, dom.xml.root, "numatune", elder), "memory", none);
	before = memory ? xml_attr(&dom.xml, memory, "mode") : NULL;
	if (was)
		core_copy(was, 16, before ? before : "strict");
	if (mode || !before)
		xml_set(&dom.xml, memory, "mode", "%s", mode ? mode : "strict");
	xml_set(&dom.xml, memory, "nodeset", "%s", nodeset);
	return xml_print(&dom.xml, out, err);
}
