/* SPDX-License-Identifier: Apache-2.0 */
/* What a domain must bring along for a device, told before libvirt or the guest finds it lacking. */
#include "lib/guest/domxml.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The units of libvirt's virScaleInteger(). */
bool domain_kib(struct xml_doc *xml, xmlNodePtr node, const char *attribute, uint64_t *out)
{
	static const struct {
		const char *unit;
		uint64_t bytes;
	} units[] = {
		{"b", 1},          {"bytes", 1},        {"KB", 1000},
		{"k", 1ull << 10}, {"KiB", 1ull << 10}, {"MB", 1000000},
		{"M", 1ull << 20}, {"MiB", 1ull << 20}, {"GB", 1000000000},
		{"G", 1ull << 30}, {"GiB", 1ull << 30}, {"TB", 1000000000000},
		{"T", 1ull << 40}, {"TiB", 1ull << 40},
	};
	_free_ char *text = !node       ? NULL
			    : attribute ? xml_attr(xml, node, attribute)
					: xml_text(xml, node);
	_free_ char *unit = node ? xml_attr(xml, node, "unit") : NULL;
	uint64_t number;

	if (!text || core_number(text, 0, UINT64_MAX, &number) < 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		unsigned __int128 bytes = (unsigned __int128)number * units[i].bytes;

		if (strcasecmp(unit ? unit : "KiB", units[i].unit) != 0)
			continue;
		*out = bytes >> 74 ? UINT64_MAX : (uint64_t)((bytes + 1023) >> 10);
		return true;
	}
	return false;
}

/* Adds what a PCI device of the guest occupies: the bus that its <address> names. */
static int used_buses(struct domain *dom, bool used[256], struct sriov_error *err)
{
	_free_ xmlNodePtr *nodes = NULL;
	size_t n = 0;
	int r = xml_select(&dom->xml, "/domain/devices/*/address[@type='pci']", &nodes, &n, err);

	for (size_t i = 0; i < n; i++) {
		char address[SRIOV_PCI_LEN];
		unsigned bus = 0;

		if (domain_pci_address(&dom->xml, nodes[i], address) < 0)
			continue;
		sscanf(address, "%*x:%x", &bus);
		used[bus & 0xff] = true;
	}
	return r;
}

int domain_ports(struct domain *dom, struct domain_ports *out, struct sriov_error *err)
{
	xmlNodePtr devices = xml_child(dom->xml.root, "devices"), node;
	struct domain_ports ports = {.spare = -1};
	bool used[256] = {false};
	int r = used_buses(dom, used, err);

	if (r < 0)
		return r;
	for (node = xml_child(devices, "controller"); node; node = xml_next(node, "controller")) {
		_free_ char *index = xml_attr(&dom->xml, node, "index");
		xmlNodePtr target = xml_child(node, "target");
		uint64_t bus;

		if (!xml_attr_is(&dom->xml, node, "type", "pci"))
			continue;
		ports.express |= xml_attr_is(&dom->xml, node, "model", "pcie-root");
		if ((!xml_attr_is(&dom->xml, node, "model", "pcie-root-port") &&
		     !xml_attr_is(&dom->xml, node, "model", "pcie-switch-downstream-port")) ||
		    (target && xml_attr_is(&dom->xml, target, "hotplug", "off")))
			continue;
		ports.n++;
		if (ports.spare < 0 && index && !core_number(index, 1, 255, &bus) && !used[bus])
			ports.spare = bus;
	}
	*out = ports;
	return 0;
}

/*
 * Machines whose root is PCI Express take hotplugged devices only in ports that were there at the start, one
 * each; libvirt adds none to a running domain ("No more available PCI slots").
 */
static int check_ports(struct domain *dom, struct sriov_error *err)
{
	struct domain_ports ports;
	int r = domain_ports(dom, &ports, err);

	if (r < 0 || !ports.express || ports.spare >= 0)
		return r;
	sriov_error_set(err, -ENOSPC, dom->object,
			"has no spare PCI slot for a running guest: all its %u pcie-root-ports are "
			"taken",
			ports.n);
	return sriov_error_hint(err,
				"attach it to the definition only (--config), or add <controller "
				"type='pci' model='pcie-root-port'/> there for each device to "
				"come; either counts from the next start");
}

/*
 * With a VFIO device the guest's memory is locked, and 1 GiB more for MMIO (qemuDomainGetMemLockLimitBytes());
 * a hard limit of the domain's own takes the place of that sum.
 */
static int check_memlock(struct domain *dom, struct sriov_error *err)
{
	const uint64_t mmio_kib = 1 << 20;
	xmlNodePtr memtune = xml_child(dom->xml.root, "memtune");
	xmlNodePtr hard_limit = xml_child(memtune, "hard_limit");
	xmlNodePtr memory = xml_child(dom->xml.root, "memory");
	uint64_t limit, has;

	if (!domain_kib(&dom->xml, hard_limit, NULL, &limit) ||
	    !domain_kib(&dom->xml, memory, NULL, &has) || limit >= has + mmio_kib)
		return 0;
	sriov_error_set(err, -ENOBUFS, dom->object,
			"<memtune><hard_limit> is %llu MiB, but with a VF all of its memory is "
			"locked: %llu MiB and 1024 MiB more",
			(unsigned long long)limit >> 10, (unsigned long long)has >> 10);
	return sriov_error_hint(err, "raise <hard_limit> to %llu MiB, or remove it",
				(unsigned long long)(has + mmio_kib) >> 10);
}

/* Every cell says for itself, or leaves it to <memoryBacking><access>. */
bool domain_is_shared(struct domain *dom)
{
	xmlNodePtr backing = xml_child(dom->xml.root, "memoryBacking");
	xmlNodePtr access = xml_child(backing, "access"), cell;
	bool shared = access && xml_attr_is(&dom->xml, access, "mode", "shared");

	cell = xml_child(xml_child(xml_child(dom->xml.root, "cpu"), "numa"), "cell");
	if (!cell)
		return shared;
	for (; cell; cell = xml_next(cell, "cell")) {
		_free_ char *own = xml_attr(&dom->xml, cell, "memAccess");

		if (own ? strcmp(own, "shared") != 0 : !shared)
			return false;
	}
	return true;
}

/* The switch maps the guest's memory by file descriptors, and anonymous memory has none. */
bool domain_is_backed(struct domain *dom)
{
	xmlNodePtr backing = xml_child(dom->xml.root, "memoryBacking");
	xmlNodePtr source = xml_child(backing, "source");

	return xml_child(backing, "hugepages") ||
	       (source && (xml_attr_is(&dom->xml, source, "type", "memfd") ||
			   xml_attr_is(&dom->xml, source, "type", "file")));
}

static int check_shared(struct domain *dom, struct sriov_error *err)
{
	bool shared = domain_is_shared(dom);

	if (shared && domain_is_backed(dom))
		return 0;
	sriov_error_set(err, -EOPNOTSUPP, dom->object,
			"its memory is %s, so a vhost-user switch cannot reach it",
			shared ? "anonymous (neither memfd, file nor hugepages)" : "not shared");
	return sriov_error_hint(err,
				"put <memoryBacking><hugepages/><source type='memfd'/><access "
				"mode='shared'/></memoryBacking> into the definition; it counts "
				"from the next start");
}

int guest_device_check(const char *domain, const struct guest_device *device, bool live,
		       struct sriov_error *err)
{
	_domain_ struct domain dom = {0};
	int r = domain_parse(domain, &dom, err);

	if (!r && live)
		r = check_ports(&dom, err);
	if (!r && device->path == GUEST_VF)
		r = check_memlock(&dom, err);
	if (!r && device->path == GUEST_VHOSTUSER)
		r = check_shared(&dom, err);
	if (dom.xml.oom && !r)
		r = core_oom(err);
	return r;
}
