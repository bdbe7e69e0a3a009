/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a domain for tuning: see tunedom.h. Names and defaults follow libvirt's formatdomain. */
#include "lib/guest/tunedom.h"

#include "lib/guest/domxml.h"

#include <errno.h>
#include <string.h>

#define IOTHREADS_MAX 1024
#define CELLS_MAX 128
#define QUEUES_MAX 256 /* of a tap device, MAX_TAP_QUEUES in drivers/net/tun.c */

void tune_domain_clear(struct tune_domain *domain)
{
	free(domain->pin);
	free(domain->iothread);
	free(domain->cell);
	free(domain->page);
	free(domain->interface);
	*domain = (struct tune_domain){0};
}

static int bad_number(struct domain *dom, xmlNodePtr node, const char *name, const char *text,
		      struct sriov_error *err)
{
	return sriov_error_set(err, -EINVAL, dom->object,
			       "<%s>: %s '%.40s' is not a number in range",
			       (const char *)node->name, name, text ? text : "");
}

/* An attribute as a number; @fallback where there is none. */
static int read_number(struct domain *dom, xmlNodePtr node, const char *name, uint64_t max,
		       uint64_t fallback, uint64_t *out, struct sriov_error *err)
{
	_free_ char *text = node ? xml_attr(&dom->xml, node, name) : NULL;

	*out = fallback;
	return text && core_number(text, 0, max, out) < 0 ? bad_number(dom, node, name, text, err)
							  : 0;
}

static void read_text(struct domain *dom, xmlNodePtr node, const char *name, char *out, size_t size)
{
	_free_ char *text = node ? xml_attr(&dom->xml, node, name) : NULL;

	core_copy(out, size, text ? text : "");
}

static int read_kib(struct domain *dom, xmlNodePtr node, const char *attribute, uint64_t *kib,
		    struct sriov_error *err)
{
	return domain_kib(&dom->xml, node, attribute, kib)
		       ? 0
		       : sriov_error_set(err, -EINVAL, dom->object,
					 "<%s>: %s is not an amount of memory",
					 (const char *)node->name, attribute ? attribute : "it");
}

static int read_memory(struct domain *dom, struct tune_domain *out, struct sriov_error *err)
{
	xmlNodePtr node = xml_child(dom->xml.root, "memory");

	return node ? read_kib(dom, node, NULL, &out->memory_kib, err) : 0;
}

static int read_vcpu_pins(struct domain *dom, xmlNodePtr cputune, struct tune_domain *out,
			  struct sriov_error *err)
{
	for (xmlNodePtr pin = xml_child(cputune, "vcpupin"); pin; pin = xml_next(pin, "vcpupin")) {
		uint64_t vcpu;
		int r = read_number(dom, pin, "vcpu", UINT32_MAX, UINT32_MAX, &vcpu, err);

		if (r < 0)
			return r;
		/* a pin of a vCPU that the domain has not is nobody's */
		r = vcpu < out->vcpus ? domain_list(dom, pin, "cpuset", &out->pin[vcpu], err) : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_cpus(struct domain *dom, struct tune_domain *out, struct sriov_error *err)
{
	xmlNodePtr vcpu = xml_child(dom->xml.root, "vcpu");
	xmlNodePtr cputune = xml_child(dom->xml.root, "cputune");
	xmlNodePtr emulator = xml_child(cputune, "emulatorpin");
	int r = domain_vcpus(dom, vcpu, &out->vcpus, err);

	if (r < 0)
		return r;
	out->vcpu_auto = vcpu && xml_attr_is(&dom->xml, vcpu, "placement", "auto");
	out->pin = calloc(out->vcpus, sizeof(*out->pin));
	if (!out->pin)
		return core_oom(err);
	if (vcpu)
		r = domain_list(dom, vcpu, "cpuset", &out->floating, err);
	if (r >= 0 && emulator)
		r = domain_list(dom, emulator, "cpuset", &out->emulator, err);
	return r < 0 ? r : read_vcpu_pins(dom, cputune, out, err);
}

static struct tune_iothread *find_iothread(struct tune_domain *out, unsigned id)
{
	for (size_t i = 0; i < out->niothreads; i++)
		if (out->iothread[i].id == id)
			return &out->iothread[i];
	return NULL;
}

static int add_iothread(struct tune_domain *out, unsigned id, struct sriov_error *err)
{
	struct tune_iothread *thread = find_iothread(out, id);

	if (!thread)
		thread = core_grow(&out->iothread, &out->niothreads, sizeof(*thread));
	if (!thread)
		return core_oom(err);
	thread->id = id;
	return 0;
}

/* The ids of <iothreadids>, and as many of the lowest free ones as <iothreads> counts more. */
static int read_iothreads(struct domain *dom, struct tune_domain *out, struct sriov_error *err)
{
	xmlNodePtr ids = xml_child(dom->xml.root, "iothreadids");
	xmlNodePtr number = xml_child(dom->xml.root, "iothreads"), node;
	_free_ char *text = number ? xml_text(&dom->xml, number) : NULL;
	uint64_t count = 0, id;
	int r = 0;

	if (number && core_number(text, 0, IOTHREADS_MAX, &count) < 0)
		return bad_number(dom, number, "the count", text, err);
	for (node = xml_child(ids, "iothread"); !r && node; node = xml_next(node, "iothread")) {
		r = read_number(dom, node, "id", UINT32_MAX, 0, &id, err);
		if (!r)
			r = add_iothread(out, id, err);
	}
	for (unsigned next = 1; !r && out->niothreads < count; next++)
		r = add_iothread(out, next, err);
	node = xml_child(xml_child(dom->xml.root, "cputune"), "iothreadpin");
	for (; r >= 0 && node; node = xml_next(node, "iothreadpin")) {
		struct tune_iothread *thread;

		r = read_number(dom, node, "iothread", UINT32_MAX, 0, &id, err);
		thread = r < 0 ? NULL : find_iothread(out, id);
		if (thread)
			r = domain_list(dom, node, "cpuset", &thread->pin, err);
	}
	return r < 0 ? r : 0;
}

static int by_id(const void *a, const void *b)
{
	const struct tune_cell *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static int read_cell(struct domain *dom, xmlNodePtr node, struct tune_domain *out,
		     struct sriov_error *err)
{
	struct tune_cell *cell = NULL;
	uint64_t id;
	int r = read_number(dom, node, "id", CELLS_MAX - 1, out->ncells, &id, err);

	if (r < 0)
		return r;
	if (out->ncells < CELLS_MAX)
		cell = core_grow(&out->cell, &out->ncells, sizeof(*cell));
	if (!cell)
		return out->ncells < CELLS_MAX
			       ? core_oom(err)
			       : sriov_error_set(err, -E2BIG, dom->object,
						 "it has more than %d guest cells", CELLS_MAX);
	cell->id = id;
	r = domain_list(dom, node, "cpus", &cell->vcpus, err);
	if (r >= 0)
		r = read_kib(dom, node, "memory", &cell->memory_kib, err);
	return r < 0 ? r : 0;
}

/* <cpu><numa><cell> and what <numatune> says of each. */
static int read_cells(struct domain *dom, struct tune_domain *out, struct sriov_error *err)
{
	xmlNodePtr numa = xml_child(xml_child(dom->xml.root, "cpu"), "numa");
	xmlNodePtr numatune = xml_child(dom->xml.root, "numatune");
	xmlNodePtr memory = xml_child(numatune, "memory"), node;
	int r = 0;

	for (node = xml_child(numa, "cell"); !r && node; node = xml_next(node, "cell"))
		r = read_cell(dom, node, out, err);
	if (r < 0)
		return r;
	if (out->ncells)
		qsort(out->cell, out->ncells, sizeof(*out->cell), by_id);
	for (node = xml_child(numatune, "memnode"); node; node = xml_next(node, "memnode")) {
		uint64_t id;

		r = read_number(dom, node, "cellid", UINT32_MAX, UINT32_MAX, &id, err);
		for (size_t i = 0; r >= 0 && i < out->ncells; i++) {
			struct tune_cell *cell = &out->cell[i];

			if (cell->id != id)
				continue;
			cell->said = true;
			read_text(dom, node, "mode", cell->mode, sizeof(cell->mode));
			r = domain_list(dom, node, "nodeset", &cell->nodes, err);
		}
		if (r < 0)
			return r;
	}
	if (!memory)
		return 0;
	read_text(dom, memory, "mode", out->mode, sizeof(out->mode));
	if (!*out->mode)
		core_copy(out->mode, sizeof(out->mode), "strict"); /* libvirt's default */
	out->memory_auto = xml_attr_is(&dom->xml, memory, "placement", "auto");
	r = domain_list(dom, memory, "nodeset", &out->nodes, err);
	return r < 0 ? r : 0;
}

static int read_backing(struct domain *dom, struct tune_domain *out, struct sriov_error *err)
{
	xmlNodePtr backing = xml_child(dom->xml.root, "memoryBacking");
	xmlNodePtr hugepages = xml_child(backing, "hugepages");

	out->shared = domain_is_shared(dom) && domain_is_backed(dom);
	out->hugepages = hugepages;
	for (xmlNodePtr node = xml_child(hugepages, "page"); node; node = xml_next(node, "page")) {
		struct tune_page *page = core_grow(&out->page, &out->npages, sizeof(*page));
		uint64_t kib;
		int r;

		if (!page)
			return core_oom(err);
		r = read_kib(dom, node, "size", &kib, err);
		if (r >= 0)
			r = domain_list(dom, node, "nodeset", &page->cells, err);
		if (r < 0)
			return r;
		page->size_kib = kib;
	}
	return 0;
}

/*
 * Which of its types an <interface> is. A virtio one without vhost-net has its queues in QEMU itself: libvirt gives
 * vhost-net to guests of KVM only (qemuInterfaceOpenVhostNet()).
 */
static enum tune_interface_kind kind_of(struct domain *dom, xmlNodePtr node)
{
	static const char *const tap[] = {"bridge", "network", "direct", "ethernet"};
	xmlNodePtr model = xml_child(node, "model"), driver = xml_child(node, "driver");
	struct xml_doc *xml = &dom->xml;

	if (xml_attr_is(xml, node, "type", "hostdev"))
		return TUNE_IF_VF;
	if (xml_attr_is(xml, node, "type", "vhostuser"))
		return TUNE_IF_VHOSTUSER;
	if (!xml_attr_is(xml, xml->root, "type", "kvm") || !model ||
	    !xml_attr_is(xml, model, "type", "virtio") ||
	    (driver && xml_attr_is(xml, driver, "name", "qemu")))
		return TUNE_IF_OTHER;
	for (size_t i = 0; i < ARRAY_SIZE(tap); i++)
		if (xml_attr_is(xml, node, "type", tap[i]))
			return TUNE_IF_VHOST;
	return TUNE_IF_OTHER;
}

static int read_interface(struct domain *dom, xmlNodePtr node, struct tune_domain *out,
			  struct sriov_error *err)
{
	struct tune_interface *itf = core_grow(&out->interface, &out->ninterfaces, sizeof(*itf));
	xmlNodePtr source = xml_child(node, "source"), address = xml_child(source, "address");
	xmlNodePtr tag = xml_child(xml_child(node, "vlan"), "tag"), mac = xml_child(node, "mac");
	_free_ char *text = mac ? xml_attr(&dom->xml, mac, "address") : NULL;
	uint64_t vlan, queues;
	int r;

	if (!itf)
		return core_oom(err);
	itf->kind = xml_is(node, "hostdev") ? TUNE_IF_RAW : kind_of(dom, node);
	if (address && domain_pci_address(&dom->xml, address, itf->address) < 0)
		return sriov_error_set(err, -EINVAL, dom->object,
				       "the PCI address of a <%s> is malformed",
				       (const char *)node->name);
	if (text)
		sriov_mac_parse(text, itf->mac);
	read_text(dom, source, "dev", itf->source, sizeof(itf->source));
	r = read_number(dom, tag, "id", 4095, 0, &vlan, err);
	if (!r)
		r = read_number(dom, xml_child(node, "driver"), "queues", QUEUES_MAX, 1, &queues,
				err);
	if (r < 0)
		return r;
	itf->vlan = vlan;
	itf->queues = queues ? queues : 1;
	return 0;
}

static int read_devices(struct domain *dom, struct tune_domain *out, struct sriov_error *err)
{
	static const char *const paths[] = {"/domain/devices/interface",
					    "/domain/devices/hostdev[@type='pci']"};
	_free_ xmlNodePtr *polls = NULL;
	size_t n = 0;
	int r = 0;

	for (size_t p = 0; p < ARRAY_SIZE(paths); p++) {
		_free_ xmlNodePtr *nodes = NULL;

		r = xml_select(&dom->xml, paths[p], &nodes, &n, err);
		for (size_t i = 0; !r && i < n; i++)
			r = read_interface(dom, nodes[i], out, err);
		if (r < 0)
			return r;
	}
	r = xml_select(&dom->xml,
		       "/domain/*[local-name()='commandline']/*[contains(@value, 'poll-us')]",
		       &polls, &n, err);
	out->poll_us = !r && n;
	return r;
}

int tune_domain_read(const char *xml, struct tune_domain *out, struct sriov_error *err)
{
	static int (*const readers[])(struct domain *, struct tune_domain *,
				      struct sriov_error *) = {
		read_memory, read_cpus, read_iothreads, read_cells, read_backing, read_devices};
	_tune_domain_ struct tune_domain domain = {0};
	_domain_ struct domain dom = {0};
	int r = domain_parse(xml, &dom, err);

	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(readers); i++)
		r = readers[i](&dom, &domain, err);
	if (r < 0)
		return r;
	if (dom.xml.oom)
		return core_oom(err);
	core_copy(domain.object, sizeof(domain.object), dom.object);
	*out = domain;
	domain = (struct tune_domain){0};
	return 0;
}

unsigned tune_vhost_queues(const struct tune_domain *domain)
{
	unsigned queues = 0;

	for (size_t i = 0; i < domain->ninterfaces; i++)
		if (domain->interface[i].kind == TUNE_IF_VHOST)
			queues += domain->interface[i].queues;
	return queues;
}

bool tune_has(const struct tune_domain *domain, enum tune_interface_kind kind)
{
	for (size_t i = 0; i < domain->ninterfaces; i++)
		if (domain->interface[i].kind == kind)
			return true;
	return false;
}
