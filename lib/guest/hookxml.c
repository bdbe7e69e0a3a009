/* SPDX-License-Identifier: Apache-2.0 */
/* Domain XML as libvirt gives it to hooks: see hookxml.h. */
#include "lib/guest/hookxml.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define NOVA_NAMESPACE "http://openstack.org/xmlns/libvirt/nova/"

static const char object[] = "domain XML";

struct reader {
	struct hook_domain *domain;
	bool device; /* the last of the domain's devices is being read */
};

static struct reader *reader_of(struct xmlscan *scan)
{
	return scan->data;
}

/* ---- what counts ---- */

static struct hook_device *current(struct xmlscan *scan)
{
	return reader_of(scan)->device
		       ? &reader_of(scan)->domain->device[reader_of(scan)->domain->ndevices - 1]
		       : NULL;
}

static void on_name(struct xmlscan *scan, const struct xmltag *tag)
{
	/* leases have no room for a longer one, and libvirt lets it be: the UUID then names the guest */
	xmlscan_copy(scan, tag->text, reader_of(scan)->domain->name,
		     sizeof(reader_of(scan)->domain->name));
}

static void on_uuid(struct xmlscan *scan, const struct xmltag *tag)
{
	char text[64];

	if (xmlscan_copy(scan, tag->text, text, sizeof(text)) &&
	    guest_uuid_parse(text, reader_of(scan)->domain->uuid) < 0)
		xmlscan_fail(scan, -EINVAL, "<uuid> is not a UUID");
}

/* A list of nodes or CPUs that cannot be read says nothing: libvirt has checked it, and refuses it itself. */
static void add_list(struct xmlscan *scan, struct xmlspan value, struct cpuset *set)
{
	_free_ char *text = value.at ? xmlscan_decode(scan, value) : NULL;
	struct cpuset more = {0};

	if (text && !cpuset_parse(text, &more))
		cpuset_join(set, &more);
}

static void on_vcpu(struct xmlscan *scan, const struct xmltag *tag)
{
	add_list(scan, xmltag_attr(tag, "cpuset"), &reader_of(scan)->domain->pins);
}

static void on_memory(struct xmlscan *scan, const struct xmltag *tag)
{
	add_list(scan, xmltag_attr(tag, "nodeset"), &reader_of(scan)->domain->memory);
}

static void on_cell(struct xmlscan *scan, const struct xmltag *tag)
{
	add_list(scan, xmltag_attr(tag, "nodeset"), &reader_of(scan)->domain->cells);
}

static struct hook_device *add_device(struct xmlscan *scan)
{
	struct hook_domain *domain = reader_of(scan)->domain;
	struct hook_device *device;

	if (domain->ndevices == HOOK_DEVICES_MAX) {
		xmlscan_fail(scan, -EFBIG,
			     "more PCI devices and vhost-user ports than are read (256)");
		return NULL;
	}
	device = core_grow(&domain->device, &domain->ndevices, sizeof(*device));
	if (!device)
		scan->code = core_oom(scan->err);
	reader_of(scan)->device = true;
	return device;
}

static void on_interface(struct xmlscan *scan, const struct xmltag *tag)
{
	struct xmlspan type = xmltag_attr(tag, "type");
	bool vhostuser = xmlspan_is(type, "vhostuser");
	struct hook_device *device;

	if (!vhostuser && !xmlspan_is(type, "hostdev"))
		return;
	device = add_device(scan);
	if (!device)
		return;
	device->interface = !vhostuser;
	device->vhostuser = vhostuser;
}

static void on_hostdev(struct xmlscan *scan, const struct xmltag *tag)
{
	if (xmlspan_is(xmltag_attr(tag, "type"), "pci"))
		add_device(scan);
}

static void on_mac(struct xmlscan *scan, const struct xmltag *tag)
{
	struct hook_device *device = current(scan);
	char text[32];

	if (device && xmlscan_copy(scan, xmltag_attr(tag, "address"), text, sizeof(text)))
		sriov_mac_parse(text, device->mac);
}

static void on_tag(struct xmlscan *scan, const struct xmltag *tag)
{
	struct hook_device *device = current(scan);
	uint64_t vlan;
	char text[16];

	if (device && xmlscan_copy(scan, xmltag_attr(tag, "id"), text, sizeof(text)) &&
	    !core_number(text, 0, 4095, &vlan))
		device->vlan = vlan;
}

/* Base 0 and missing ones 0, as in libvirt's virPCIDeviceAddressParseXML(). */
static void on_address(struct xmlscan *scan, const struct xmltag *tag)
{
	static const struct {
		const char *name;
		unsigned long max;
	} parts[] = {{"domain", 0xfffffff}, {"bus", 0xff}, {"slot", 0x1f}, {"function", 7}};
	struct hook_device *device = current(scan);
	unsigned long number[ARRAY_SIZE(parts)] = {0};
	struct xmlspan type = xmltag_attr(tag, "type");

	if (!device || device->vhostuser || device->element.at ||
	    (type.at && !xmlspan_is(type, "pci")))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		struct xmlspan value = xmltag_attr(tag, parts[i].name);
		char text[24], *end;

		device->value[i] = value;
		if (!value.at)
			continue;
		if (!xmlscan_copy(scan, value, text, sizeof(text)) ||
		    !isdigit((unsigned char)*text) ||
		    (number[i] = strtoul(text, &end, 0), *end || number[i] > parts[i].max)) {
			xmlscan_fail(scan, -EINVAL, "the PCI address of a device is malformed");
			return;
		}
	}
	device->element = tag->name;
	snprintf(device->address, sizeof(device->address), "%04lx:%02lx:%02lx.%lx", number[0],
		 number[1], number[2], number[3]);
}

static void on_source(struct xmlscan *scan, const struct xmltag *tag)
{
	struct hook_device *device = current(scan);

	if (!device || !device->vhostuser)
		return;
	device->element = tag->name;
	device->value[0] = xmltag_attr(tag, "path");
	xmlscan_copy(scan, device->value[0], device->socket, sizeof(device->socket));
}

static void on_flavor(struct xmlscan *scan, const struct xmltag *tag)
{
	xmlscan_copy(scan, xmltag_attr(tag, "name"), reader_of(scan)->domain->flavor,
		     sizeof(reader_of(scan)->domain->flavor));
}

static void on_project(struct xmlscan *scan, const struct xmltag *tag)
{
	xmlscan_copy(scan, xmltag_attr(tag, "uuid"), reader_of(scan)->domain->project,
		     sizeof(reader_of(scan)->domain->project));
}

static void on_port(struct xmlscan *scan, const struct xmltag *tag)
{
	struct hook_domain *domain = reader_of(scan)->domain;
	char text[64], uuid[40];

	if (!xmlscan_copy(scan, xmltag_attr(tag, "uuid"), text, sizeof(text)) ||
	    guest_uuid_parse(text, uuid) < 0)
		return;
	if (domain->nports == HOOK_PORTS_MAX)
		xmlscan_fail(scan, -EFBIG, "more Neutron ports than are read (64)");
	else
		memcpy(domain->port[domain->nports++], uuid, sizeof(uuid));
}

static void on_extra_spec(struct xmlscan *scan, const struct xmltag *tag)
{
	if (!xmlspan_is(xmltag_attr(tag, "name"), "sriovctl:flows") ||
	    reader_of(scan)->domain->flows)
		return;
	reader_of(scan)->domain->flows = xmlscan_decode(scan, tag->text);
}

#define INSTANCE "/domain/metadata/nova:instance"
static const struct {
	const char *path;
	void (*fn)(struct xmlscan *scan, const struct xmltag *tag);
} places[] = {
	{"/domain/name", on_name},
	{"/domain/uuid", on_uuid},
	{"/domain/vcpu", on_vcpu},
	{"/domain/cputune/vcpupin", on_vcpu},
	{"/domain/numatune/memory", on_memory},
	{"/domain/numatune/memnode", on_cell},
	{"/domain/devices/interface", on_interface},
	{"/domain/devices/interface/mac", on_mac},
	{"/domain/devices/interface/vlan/tag", on_tag},
	{"/domain/devices/interface/source", on_source},
	{"/domain/devices/interface/source/address", on_address},
	{"/domain/devices/hostdev", on_hostdev},
	{"/domain/devices/hostdev/source/address", on_address},
	{INSTANCE "/nova:flavor", on_flavor},
	{INSTANCE "/nova:flavor/nova:extraSpecs/nova:extraSpec", on_extra_spec},
	{INSTANCE "/nova:owner/nova:project", on_project},
	{INSTANCE "/nova:ports/nova:port", on_port},
};

static void on_element(struct xmlscan *scan, const char *path, const struct xmltag *tag)
{
	for (size_t i = 0; i < ARRAY_SIZE(places) && !scan->code; i++)
		if (!strcmp(path, places[i].path))
			places[i].fn(scan, tag);
}

static void on_end(struct xmlscan *scan, const char *path)
{
	if (!strcmp(path, "/domain/devices/interface") || !strcmp(path, "/domain/devices/hostdev"))
		reader_of(scan)->device = false;
}

void hook_domain_clear(struct hook_domain *domain)
{
	free(domain->device);
	free(domain->flows);
	*domain = (struct hook_domain){0};
}

/* Interfaces of libvirt networks have no address until one is chosen: they are no device yet. */
static void drop_unplaced(struct hook_domain *domain)
{
	size_t kept = 0;

	for (size_t i = 0; i < domain->ndevices; i++)
		if (domain->device[i].address[0] || domain->device[i].socket[0])
			domain->device[kept++] = domain->device[i];
	domain->ndevices = kept;
}

int hook_domain_read(const char *text, size_t size, struct hook_domain *out,
		     struct sriov_error *err)
{
	_hook_domain_ struct hook_domain domain = {0};
	struct reader reader = {.domain = &domain};
	struct xmlscan scan = {.object = object,
			       .namespace = NOVA_NAMESPACE,
			       .prefix = "nova:",
			       .element = on_element,
			       .end = on_end,
			       .data = &reader,
			       .err = err};
	int r;

	if (size > HOOK_XML_MAX)
		return sriov_error_set(err, -EFBIG, object, "more than %d bytes", HOOK_XML_MAX);
	r = xmlscan_run(&scan, text, size);
	if (r < 0)
		return r;
	if (!domain.uuid[0]) {
		sriov_error_set(err, -EINVAL, object, "no <domain> with a <uuid>");
		return sriov_error_hint(err, "libvirt gives the whole domain on standard input; by "
					     "hand: virsh dumpxml GUEST | sriovctl hook …");
	}
	if (!domain.name[0])
		core_copy(domain.name, sizeof(domain.name), domain.uuid);
	drop_unplaced(&domain);
	*out = domain;
	domain = (struct hook_domain){0};
	return 0;
}

/* ---- rewriting ---- */

struct edit {
	const char *at; /* in the text */
	size_t len;     /* of what is replaced there */
	char with[128];
};

static int by_place(const void *a, const void *b)
{
	const struct edit *x = a, *y = b;

	return (x->at > y->at) - (x->at < y->at);
}

/* The edit of one attribute: its value, or the whole of it behind the element's name if it is not there. */
static void edit_value(struct edit *edit, const struct hook_device *device, size_t i,
		       const char *name, const char *value)
{
	if (device->value[i].at) {
		*edit = (struct edit){.at = device->value[i].at, .len = device->value[i].len};
		core_copy(edit->with, sizeof(edit->with), value);
		return;
	}
	*edit = (struct edit){.at = device->element.at + device->element.len};
	snprintf(edit->with, sizeof(edit->with), " %s='%s'", name, value);
}

static size_t edits_of(const struct hook_rename *rename, struct edit out[4])
{
	static const char *const names[] = {"domain", "bus", "slot", "function"};
	static const int digits[] = {4, 2, 2, 1};
	unsigned part[4] = {0};

	if (rename->device->vhostuser) {
		edit_value(&out[0], rename->device, 0, "path", rename->to);
		return 1;
	}
	sscanf(rename->to, "%x:%x:%x.%x", &part[0], &part[1], &part[2], &part[3]);
	for (size_t i = 0; i < ARRAY_SIZE(part); i++) {
		char value[16];

		snprintf(value, sizeof(value), "0x%0*x", digits[i], part[i]);
		edit_value(&out[i], rename->device, i, names[i], value);
	}
	return ARRAY_SIZE(part);
}

int hook_rewrite(const char *text, size_t size, const struct hook_rename *renames, size_t n,
		 char **out, struct sriov_error *err)
{
	_free_ struct edit *edit = calloc(n * 4 + 1, sizeof(*edit));
	const char *at = text;
	size_t count = 0, room = size + 1;
	char *result, *to;

	if (!edit)
		return core_oom(err);
	for (size_t i = 0; i < n; i++)
		count += edits_of(&renames[i], &edit[count]);
	for (size_t i = 0; i < count; i++)
		room += strlen(edit[i].with);
	qsort(edit, count, sizeof(*edit), by_place);
	result = to = malloc(room);
	if (!result)
		return core_oom(err);
	for (size_t i = 0; i < count; i++) {
		to = mempcpy(to, at, edit[i].at - at);
		to = mempcpy(to, edit[i].with, strlen(edit[i].with));
		at = edit[i].at + edit[i].len;
	}
	to = mempcpy(to, at, text + size - at);
	*to = '\0';
	*out = result;
	return 0;
}
