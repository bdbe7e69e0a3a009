/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Domain XML: identity, the <interface> of a VF, and merging it into a domain. Element names and values
 * follow libvirt's schema (schemas/domaincommon.rng); its elements may stand in any order, ours go where
 * libvirt itself writes them.
 */
#include "lib/guest/domxml.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define VLAN_ID_MAX 4094

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
static int parse_uuid(const char *text, char out[40])
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
	if (uuid_text && *uuid_text && parse_uuid(uuid_text, parsed) < 0)
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

/* Writes mac, driver, source and vlan as the first children of an <interface>. */
static void fill_interface(struct xml_doc *xml, xmlNodePtr interface,
			   const struct guest_interface *itf)
{
	unsigned domain = 0, bus = 0, slot = 0, function = 0;
	xmlNodePtr mac, driver, source, address;
	char text[SRIOV_MAC_LEN];

	sscanf(itf->address, "%x:%x:%x.%x", &domain, &bus, &slot, &function);
	xml_set(xml, interface, "type", "hostdev");
	xml_set(xml, interface, "managed", "yes");
	mac = xml_insert(xml, interface, NULL, "mac");
	xml_set(xml, mac, "address", "%s", sriov_mac_format(itf->mac, text));
	driver = xml_insert(xml, interface, mac, "driver");
	xml_set(xml, driver, "name", "vfio");
	source = xml_insert(xml, interface, driver, "source");
	address = xml_insert(xml, source, NULL, "address");
	xml_set(xml, address, "type", "pci");
	xml_set(xml, address, "domain", "0x%04x", domain);
	xml_set(xml, address, "bus", "0x%02x", bus);
	xml_set(xml, address, "slot", "0x%02x", slot);
	xml_set(xml, address, "function", "0x%x", function);
	if (itf->vlan) {
		xmlNodePtr vlan = xml_insert(xml, interface, source, "vlan");

		xml_set(xml, xml_insert(xml, vlan, NULL, "tag"), "id", "%u", itf->vlan);
	}
}

/* What libvirt would refuse is refused here, where the reason can be said. */
static int check_interface(const struct guest_interface *itf, struct sriov_error *err)
{
	char canonical[SRIOV_PCI_LEN];

	if (sriov_pci_parse(itf->address, canonical) < 0)
		return sriov_error_set(err, -EINVAL, itf->address, "is not a PCI address");
	if (sriov_mac_is_zero(itf->mac) || itf->mac[0] & 1)
		return sriov_error_set(err, -EINVAL, itf->address,
				       "the MAC of an interface must be a unicast address");
	if (itf->vlan > VLAN_ID_MAX)
		return sriov_error_set(err, -ERANGE, itf->address,
				       "VLAN %u is not in 0..%d (0 = none)", itf->vlan,
				       VLAN_ID_MAX);
	return 0;
}

int guest_xml_interface(const struct guest_interface *itf, char **out, struct sriov_error *err)
{
	_xml_ struct xml_doc xml = {0};
	int r = check_interface(itf, err);

	if (!r)
		r = xml_create("interface", &xml, err);
	if (r < 0)
		return r;
	fill_interface(&xml, xml.root, itf);
	return xml_print(&xml, out, err);
}

static bool has_mac(struct xml_doc *xml, xmlNodePtr interface, const uint8_t mac[6])
{
	xmlNodePtr node = xml_child(interface, "mac");
	_free_ char *text = node ? xml_attr(xml, node, "address") : NULL;
	uint8_t is[6];

	return text && !sriov_mac_parse(text, is) && !memcmp(is, mac, sizeof(is));
}

static bool has_source(struct xml_doc *xml, xmlNodePtr device, const char *address)
{
	xmlNodePtr node = xml_child(xml_child(device, "source"), "address");
	char is[SRIOV_PCI_LEN];

	return node && !domain_pci_address(xml, node, is) && !strcmp(is, address);
}

static bool has_vlan(struct xml_doc *xml, xmlNodePtr interface, unsigned id)
{
	xmlNodePtr vlan = xml_child(interface, "vlan");
	xmlNodePtr tag = xml_child(vlan, "tag");
	_free_ char *text = tag ? xml_attr(xml, tag, "id") : NULL;
	uint64_t is;

	if (!id || !vlan)
		return !id && !vlan;
	return text && !core_number(text, 0, UINT16_MAX, &is) && is == id &&
	       !xml_next(tag, "tag") && !xml_attr_is(xml, vlan, "trunk", "yes");
}

/*
 * The one <interface> to replace: of that VF or of that MAC. A virtio interface that is the standby of a
 * <teaming> pair has the VF's MAC on purpose and stays.
 */
static int find_interface(struct domain *dom, xmlNodePtr devices, const struct guest_interface *itf,
			  xmlNodePtr *out, struct sriov_error *err)
{
	struct xml_doc *xml = &dom->xml;
	xmlNodePtr found = NULL, node;
	char mac[SRIOV_MAC_LEN];

	for (node = xml_child(devices, "hostdev"); node; node = xml_next(node, "hostdev")) {
		if (!xml_attr_is(xml, node, "type", "pci") || !has_source(xml, node, itf->address))
			continue;
		sriov_error_set(err, -EEXIST, dom->object, "a <hostdev> gives it VF %s already",
				itf->address);
		return sriov_error_hint(err, "remove that <hostdev>; <interface type='hostdev'> "
					     "sets the VF's MAC and VLAN as well");
	}
	for (node = xml_child(devices, "interface"); node; node = xml_next(node, "interface")) {
		xmlNodePtr teaming = xml_child(node, "teaming");
		bool standby = teaming && xml_attr_is(xml, teaming, "type", "persistent");

		if (!(xml_attr_is(xml, node, "type", "hostdev") &&
		      has_source(xml, node, itf->address)) &&
		    (standby || !has_mac(xml, node, itf->mac)))
			continue;
		if (found) {
			sriov_error_set(err, -EEXIST, dom->object,
					"two of its interfaces claim VF %s, by that address or by "
					"the VF's MAC %s",
					itf->address, sriov_mac_format(itf->mac, mac));
			return sriov_error_hint(err, "remove one of them");
		}
		found = node;
	}
	*out = found;
	return 0;
}

static xmlNodePtr last_child(xmlNodePtr parent, const char *name)
{
	xmlNodePtr last = NULL;

	for (xmlNodePtr node = xml_child(parent, name); node; node = xml_next(node, name))
		last = node;
	return last;
}

static int merge_interface(struct domain *dom, const struct guest_interface *itf,
			   struct sriov_error *err)
{
	static const char *const ours[] = {"mac", "driver", "source", "vlan"};
	struct xml_doc *xml = &dom->xml;
	xmlNodePtr devices = xml_child(xml->root, "devices"), node = NULL, after;
	int r;

	if (!devices)
		devices = xml_insert(xml, xml->root, last_child(xml->root, NULL), "devices");
	if (!devices)
		return core_oom(err);
	r = find_interface(dom, devices, itf, &node, err);
	if (r < 0)
		return r;

	if (node && xml_attr_is(xml, node, "type", "hostdev")) {
		if (xml_attr_is(xml, node, "managed", "yes") && has_mac(xml, node, itf->mac) &&
		    has_source(xml, node, itf->address) && has_vlan(xml, node, itf->vlan))
			return 0;
		/* the rest stays: the guest's own PCI address, alias, boot order, teaming */
		for (size_t i = 0; i < ARRAY_SIZE(ours); i++) {
			xmlNodePtr old;

			while ((old = xml_child(node, ours[i])))
				xml_remove(xml, old);
		}
	} else {
		after = node ? node : last_child(devices, "interface");
		if (!after)
			after = last_child(devices, NULL);
		after = xml_insert(xml, devices, after, "interface");
		if (node)
			xml_remove(xml, node);
		node = after;
	}
	if (node)
		fill_interface(xml, node, itf);
	return 0;
}

int guest_xml_merge(const char *domain, const struct guest_interface *itf,
		    const struct sriov_node *node, char **out, struct sriov_error *err)
{
	_domain_ struct domain dom = {0};
	int r = check_interface(itf, err);

	if (!r)
		r = domain_parse(domain, &dom, err);
	if (!r && node)
		r = domain_bind(&dom, node, err);
	if (!r)
		r = merge_interface(&dom, itf, err);
	return r < 0 ? r : xml_print(&dom.xml, out, err);
}
