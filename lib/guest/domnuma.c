/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a domain runs: reading the NUMA node from its XML, and binding it to one. What the domain says is
 * kept if it agrees; nothing of it is ever changed to agree.
 */
#include "lib/guest/domxml.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define VCPUS_MAX 4096 /* KVM_MAX_VCPUS of x86 at most (arch/x86/kvm/Kconfig, KVM_MAX_NR_VCPUS) */

int domain_list(struct domain *dom, xmlNodePtr node, const char *attribute, struct cpuset *out,
		struct sriov_error *err)
{
	_free_ char *text = xml_attr(&dom->xml, node, attribute);

	if (!text)
		return dom->xml.oom ? core_oom(err) : 0;
	if (cpuset_parse(text, out) < 0 || cpuset_is_empty(out))
		return sriov_error_set(err, -EINVAL, dom->object,
				       "<%s %s='%.80s'> is not a list like 0-3,8",
				       (const char *)node->name, attribute, text);
	return 1;
}

/* The host nodes that <memnode> elements bind guest cells to. */
static int read_memnodes(struct domain *dom, xmlNodePtr numatune, struct cpuset *out,
			 struct sriov_error *err)
{
	struct cpuset all = {0};

	for (xmlNodePtr cell = xml_child(numatune, "memnode"); cell;
	     cell = xml_next(cell, "memnode")) {
		struct cpuset nodes = {0};
		int r = domain_list(dom, cell, "nodeset", &nodes, err);

		if (r < 0)
			return r;
		cpuset_join(&all, &nodes);
	}
	*out = all;
	return 0;
}

/* The CPUs that vCPUs are pinned to: <vcpupin> elements, else <vcpu cpuset=…>. */
static int read_pins(struct domain *dom, struct cpuset *out, struct sriov_error *err)
{
	xmlNodePtr vcpu = xml_child(dom->xml.root, "vcpu");
	xmlNodePtr pin = xml_child(xml_child(dom->xml.root, "cputune"), "vcpupin");
	struct cpuset all = {0};

	if (!pin && vcpu) {
		int r = domain_list(dom, vcpu, "cpuset", &all, err);

		if (r < 0)
			return r;
	}
	for (; pin; pin = xml_next(pin, "vcpupin")) {
		struct cpuset cpus = {0};
		int r = domain_list(dom, pin, "cpuset", &cpus, err);

		if (r < 0)
			return r;
		cpuset_join(&all, &cpus);
	}
	*out = all;
	return 0;
}

int guest_xml_node(const char *domain, const struct sriov_node *nodes, size_t nnodes, int *node,
		   struct sriov_error *err)
{
	_domain_ struct domain dom = {0};
	struct cpuset memory = {0}, cells = {0}, pins = {0}, cpus;
	xmlNodePtr numatune, element;
	int said, r = domain_parse(domain, &dom, err);

	if (r < 0)
		return r;
	numatune = xml_child(dom.xml.root, "numatune");
	element = xml_child(numatune, "memory");
	if (element)
		r = domain_list(&dom, element, "nodeset", &memory, err);
	if (r >= 0)
		r = read_memnodes(&dom, numatune, &cells, err);
	if (r >= 0)
		r = read_pins(&dom, &pins, err);
	if (r < 0)
		return r;
	said = cpuset_is_empty(&cells) ? cpuset_only(&memory) : cpuset_only(&cells);
	for (size_t i = 0; said < 0 && !cpuset_is_empty(&pins) && i < nnodes; i++)
		if (!cpuset_parse(nodes[i].cpus, &cpus) && cpuset_within(&pins, &cpus))
			said = nodes[i].id;
	*node = said;
	return 0;
}

/* The way out of every contradiction. */
static int other_node(struct sriov_error *err, const struct sriov_node *node)
{
	return sriov_error_hint(
		err,
		"choose a VF of the domain's own node (--node), or remove the element "
		"and let it be written for node %d",
		node->id);
}

static int bind_memory(struct domain *dom, const struct sriov_node *node, struct sriov_error *err)
{
	struct xml_doc *xml = &dom->xml;
	xmlNodePtr numatune = xml_child(xml->root, "numatune");
	xmlNodePtr memory = xml_child(numatune, "memory"), cell = xml_child(numatune, "memnode");
	struct cpuset nodes = {0};
	int r;

	if (memory && xml_attr_is(xml, memory, "placement", "auto")) {
		sriov_error_set(err, -EINVAL, dom->object,
				"<numatune><memory placement='auto'> leaves the node to numad, but "
				"the VF is on node %d",
				node->id);
		return other_node(err, node);
	}
	r = memory ? domain_list(dom, memory, "nodeset", &nodes, err) : 0;
	if (r < 0)
		return r;
	if (r && cpuset_only(&nodes) != node->id) {
		_free_ char *text = xml_attr(xml, memory, "nodeset");

		sriov_error_set(
			err, -EINVAL, dom->object,
			"<numatune><memory nodeset='%.80s'> binds its memory elsewhere than "
			"to node %d of the VF",
			text, node->id);
		return other_node(err, node);
	}
	if (r)
		return 0;
	if (!numatune) {
		xmlNodePtr after = xml_child(xml->root, "cputune");

		numatune = xml_insert(xml, xml->root, after, "numatune");
	}
	if (!memory) {
		/* libvirt wants 'restrictive' on both or on none (enforced since 9.4.0) */
		bool restrictive = cell && xml_attr_is(xml, cell, "mode", "restrictive");

		memory = xml_insert(xml, numatune, NULL, "memory");
		xml_set(xml, memory, "mode", restrictive ? "restrictive" : "strict");
	}
	xml_set(xml, memory, "nodeset", "%d", node->id);
	return 0;
}

xmlNodePtr domain_before_cputune(xmlNodePtr root)
{
	static const char *const earlier[] = {
		"name",        "genid",          "uuid",   "title",         "description",
		"metadata",    "maxMemory",      "memory", "currentMemory", "blkiotune",
		"memtune",     "memoryBacking",  "vcpu",   "vcpus",         "iothreads",
		"iothreadids", "defaultiothread"};
	xmlNodePtr last = NULL;

	for (xmlNodePtr node = xml_child(root, NULL); node; node = xml_next(node, NULL))
		for (size_t i = 0; i < ARRAY_SIZE(earlier); i++)
			if (xml_is(node, earlier[i]))
				last = node;
	return last;
}

/* Checks the pins that are there against the node's CPUs and marks whose they are in @pinned. */
static int check_pins(struct domain *dom, xmlNodePtr cputune, const struct sriov_node *node,
		      const struct cpuset *cpus, struct cpuset *pinned, struct sriov_error *err)
{
	for (xmlNodePtr pin = xml_child(cputune, "vcpupin"); pin; pin = xml_next(pin, "vcpupin")) {
		_free_ char *vcpu = xml_attr(&dom->xml, pin, "vcpu");
		_free_ char *text = xml_attr(&dom->xml, pin, "cpuset");
		struct cpuset is = {0};
		uint64_t number;
		int r = domain_list(dom, pin, "cpuset", &is, err);

		if (r < 0)
			return r;
		if (!r || core_number(vcpu, 0, CPUSET_MAX - 1, &number) < 0)
			return sriov_error_set(
				err, -EINVAL, dom->object,
				"<vcpupin vcpu='%.20s' cpuset='%.80s'> needs the number "
				"of a vCPU and a list of CPUs",
				vcpu ? vcpu : "", text ? text : "");
		if (!cpuset_within(&is, cpus)) {
			sriov_error_set(
				err, -EINVAL, dom->object,
				"<vcpupin vcpu='%.20s' cpuset='%.80s'> pins it elsewhere than "
				"to node %d of the VF (CPUs %s)",
				vcpu, text, node->id, node->cpus);
			return other_node(err, node);
		}
		cpuset_add(pinned, number);
	}
	return 0;
}

int domain_vcpus(struct domain *dom, xmlNodePtr vcpu, unsigned *out, struct sriov_error *err)
{
	_free_ char *text = vcpu ? xml_text(&dom->xml, vcpu) : NULL;
	uint64_t count = 1; /* libvirt's default */

	if (vcpu && core_number(text, 1, VCPUS_MAX, &count) < 0)
		return sriov_error_set(err, -EINVAL, dom->object,
				       "<vcpu>%.40s</vcpu> is not a number from 1 to %d",
				       text ? text : "", VCPUS_MAX);
	*out = count;
	return 0;
}

static int bind_vcpus(struct domain *dom, const struct sriov_node *node, struct sriov_error *err)
{
	struct xml_doc *xml = &dom->xml;
	xmlNodePtr vcpu = xml_child(xml->root, "vcpu"), cputune = xml_child(xml->root, "cputune");
	_free_ char *placement = vcpu ? xml_attr(xml, vcpu, "cpuset") : NULL;
	struct cpuset cpus, pinned = {0}, allowed = {0};
	xmlNodePtr last = NULL;
	unsigned count = 0, missing = 0;
	int r;

	if (cpuset_parse(node->cpus, &cpus) < 0 || cpuset_is_empty(&cpus))
		return sriov_error_set(err, -EINVAL, dom->object,
				       "node %d of the VF has no CPUs to pin vCPUs to", node->id);
	if (vcpu && xml_attr_is(xml, vcpu, "placement", "auto")) {
		sriov_error_set(
			err, -EINVAL, dom->object,
			"<vcpu placement='auto'> leaves the CPUs to numad, but the VF is on "
			"node %d",
			node->id);
		return other_node(err, node);
	}
	r = domain_vcpus(dom, vcpu, &count, err);
	if (!r)
		r = check_pins(dom, cputune, node, &cpus, &pinned, err);
	if (r < 0)
		return r;
	for (unsigned i = 0; i < count; i++)
		missing += !cpuset_has(&pinned, i);
	if (!missing)
		return 0;

	/* <vcpu cpuset=…> is what a vCPU without a pin runs on: a narrower choice than the node is kept */
	r = vcpu ? domain_list(dom, vcpu, "cpuset", &allowed, err) : 0;
	if (r < 0)
		return r;
	if (!cpuset_within(&allowed, &cpus)) {
		sriov_error_set(
			err, -EINVAL, dom->object,
			"<vcpu cpuset='%.80s'> lets it run elsewhere than on node %d of the VF "
			"(CPUs %s)",
			placement, node->id, node->cpus);
		return other_node(err, node);
	}
	if (!cputune)
		cputune = xml_insert(xml, xml->root, domain_before_cputune(xml->root), "cputune");
	for (xmlNodePtr pin = xml_child(cputune, "vcpupin"); pin; pin = xml_next(pin, "vcpupin"))
		last = pin;
	for (unsigned i = 0; i < count; i++) {
		if (cpuset_has(&pinned, i))
			continue;
		last = xml_insert(xml, cputune, last, "vcpupin");
		xml_set(xml, last, "vcpu", "%u", i);
		xml_set(xml, last, "cpuset", "%s", placement ? placement : node->cpus);
	}
	return 0;
}

int domain_bind(struct domain *dom, const struct sriov_node *node, struct sriov_error *err)
{
	xmlNodePtr numatune = xml_child(dom->xml.root, "numatune");
	struct cpuset cells;
	int r = read_memnodes(dom, numatune, &cells, err);

	if (r < 0)
		return r;
	if (!cpuset_is_empty(&cells) && !cpuset_has(&cells, node->id)) {
		sriov_error_set(
			err, -EINVAL, dom->object,
			"none of its <numatune><memnode> elements binds a cell to node %d of "
			"the VF",
			node->id);
		return other_node(err, node);
	}
	/* a guest spread over nodes on purpose has its own cells there: binding it to one would undo that */
	if (!cpuset_is_empty(&cells) && cpuset_only(&cells) < 0)
		return 0;
	r = bind_vcpus(dom, node, err);
	return r < 0 ? r : bind_memory(dom, node, err);
}
