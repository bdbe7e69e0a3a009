/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Domain XML: identity, and a VF with its node merged into a domain. Element names and values follow libvirt's
 * schema (schemas/domaincommon.rng); its elements may stand in any order, ours go where libvirt itself writes
 * them.
 */
#include "lib/guest/domxml.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

void domain_close(struct domain *domain)
{
	xml_close(&domain->xml);
}

int domain_parse(const char *text, struct domain *out, struct sriov_error *err)
{
	_domain_ struct domain domain = {.object = "domain XML"};
	_free_ char *name = NULL;
	xmlNodePtr node;
	int r = xml_parse(text, strlen(text), domain.object, &domain.xml, err);

	if (r < 0)
		return r;
	if (!xml_is(domain.xml.root, "domain")) {
		sriov_error_set(err, -EINVAL, domain.object, "the outermost element is <%.40s>",
				(const char *)domain.xml.root->name);
		return sriov_error_hint(err, "give a <domain>, as `virsh dumpxml` prints it");
	}
	node = xml_child(domain.xml.root, "name");
	name = node ? xml_text(&domain.xml, node) : NULL;
	if (name && *name)
		snprintf(domain.object, sizeof(domain.object), "domain %s", name);
	*out = domain;
	domain.xml = (struct xml_doc){0};
	return 0;
}

/* As libvirt's virUUIDParse(): 32 hexadecimal digits, dashes anywhere. */
int guest_uuid_parse(const char *text, char out[40])
{
	char uuid[40];
	size_t n = 0, digits = 0;

	for (; *text; text++) {
		if (*text == '-')
			continue;
		if (!isxdigit((unsigned char)*text) || digits == 32)
			return -EINVAL;
		if (digits == 8 || digits == 12 || digits == 16 || digits == 20)
			uuid[n++] = '-';
		uuid[n++] = tolower((unsigned char)*text);
		digits++;
	}
	if (digits != 32)
		return -EINVAL;
	uuid[n] = '\0';
	memcpy(out, uuid, n + 1);
	return 0;
}

int guest_xml_identity(const char *domain, char name[SRIOV_NAME_LEN], char uuid[40],
		       struct sriov_error *err)
{
	_domain_ struct domain dom = {0};
	_free_ char *name_text = NULL, *uuid_text = NULL;
	char parsed[40] = "";
	xmlNodePtr node;
	int r = domain_parse(domain, &dom, err);

	if (r < 0)
		return r;
	node = xml_child(dom.xml.root, "name");
	if (node)
		name_text = xml_text(&dom.xml, node);
	node = xml_child(dom.xml.root, "uuid");
	if (node)
		uuid_text = xml_text(&dom.xml, node);
	if (dom.xml.oom)
		return core_oom(err);
	if (name_text && strlen(name_text) >= SRIOV_NAME_LEN)
		return sriov_error_set(err, -ENAMETOOLONG, dom.object,
				       "<name> has %zu bytes; guest names have at most %d",
				       strlen(name_text), SRIOV_NAME_LEN - 1);
	if (uuid_text && *uuid_text && guest_uuid_parse(uuid_text, parsed) < 0)
		return sriov_error_set(err, -EINVAL, dom.object, "<uuid> '%.60s' is not a UUID",
				       uuid_text);
	core_copy(name, SRIOV_NAME_LEN, name_text);
	memcpy(uuid, parsed, sizeof(parsed));
	return 0;
}

int domain_pci_address(struct xml_doc *xml, xmlNodePtr address, char out[SRIOV_PCI_LEN])
{
	static const struct {
		const char *name;
		unsigned long max;
	} parts[] = {
		{"domain", 0xfffffff}, /* what fits into SRIOV_PCI_LEN */
		{"bus", 0xff},
		{"slot", 0x1f},
		{"function", 7},
	};
	unsigned long value[ARRAY_SIZE(parts)] = {0};

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		_free_ char *text = xml_attr(xml, address, parts[i].name);
		char *end;

		if (!text)
			continue;
		if (!isdigit((unsigned char)*text))
			return -EINVAL;
		/* base 0 as in libvirt's virPCIDeviceAddressParseXML() */
		value[i] = strtoul(text, &end, 0);
		if (*end || value[i] > parts[i].max)
			return -EINVAL;
	}
	snprintf(out, SRIOV_PCI_LEN, "%04lx:%02lx:%02lx.%lx", value[0], value[1], value[2],
		 value[3]);
	return 0;
}

static struct guest_device device_of(const struct guest_interface *itf)
{
	struct guest_device device = {.path = GUEST_VF, .vlan = itf->vlan};

	memcpy(device.mac, itf->mac, sizeof(device.mac));
	core_copy(device.address, sizeof(device.address), itf->address);
	return device;
}

int guest_xml_interface(const struct guest_interface *itf, char **out, struct sriov_error *err)
{
	struct guest_device device = device_of(itf);

	return guest_device_xml(&device, out, err);
}

int guest_xml_merge(const char *domain, const struct guest_interface *itf,
		    const struct sriov_node *node, char **out, struct sriov_error *err)
{
	const struct guest_device device = device_of(itf);
	_domain_ struct domain dom = {0};
	int r = device_check(&device, err);

	if (!r)
		r = domain_parse(domain, &dom, err);
	if (!r && node)
		r = domain_bind(&dom, node, err);
	if (!r)
		r = domain_add_device(&dom, &device, err);
	return r < 0 ? r : xml_print(&dom.xml, out, err);
}
