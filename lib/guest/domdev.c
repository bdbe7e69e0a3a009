/* SPDX-License-Identifier: Apache-2.0 */
/* Network devices in a domain: found, put in, taken out, in its author's layout. See device.h. */
#include "lib/guest/domxml.h"

#include <errno.h>
#include <string.h>

static xmlNodePtr last_child(xmlNodePtr parent, const char *name)
{
	xmlNodePtr last = NULL;

	for (xmlNodePtr node = xml_child(parent, name); node; node = xml_next(node, name))
		last = node;
	return last;
}

static bool is_same(const struct guest_device *a, const struct guest_device *b)
{
	if (a->path != b->path)
		return false;
	if (a->path == GUEST_VF)
		return !strcmp(a->address, b->address);
	if (a->path == GUEST_VHOSTUSER)
		return !strcmp(a->socket, b->socket);
	return !memcmp(a->mac, b->mac, sizeof(a->mac));
}

/* The first element that is the device, in either of a VF's two forms. */
static xmlNodePtr find_same(struct xml_doc *xml, xmlNodePtr devices,
			    const struct guest_device *device, struct guest_device *out)
{
	for (xmlNodePtr node = xml_child(devices, NULL); node; node = xml_next(node, NULL))
		if (device_read(xml, node, out, NULL) && is_same(out, device))
			return node;
	return NULL;
}

static int no_device(const struct domain *dom, const struct guest_device *device,
		     struct sriov_error *err)
{
	char label[GUEST_LABEL];

	return sriov_error_set(err, -ENODEV, dom->object, "does not have %s",
			       guest_device_label(device, label));
}

static bool has_mac(struct xml_doc *xml, xmlNodePtr interface, const uint8_t mac[6])
{
	xmlNodePtr node = xml_child(interface, "mac");
	_free_ char *text = node ? xml_attr(xml, node, "address") : NULL;
	uint8_t is[6];

	return text && !sriov_mac_parse(text, is) && !memcmp(is, mac, sizeof(is));
}

/* The other half of a <teaming> pair has the same MAC on purpose. */
static bool is_partner(struct xml_doc *xml, xmlNodePtr interface, const struct guest_device *device)
{
	xmlNodePtr teaming = xml_child(interface, "teaming");

	return teaming && xml_attr_is(xml, teaming, "type",
				      device->path == GUEST_VF ? "persistent" : "transient");
}

/* A VF that the domain names in the other one of the two forms is its author's to decide. */
static int refuse_other_form(struct domain *dom, const struct guest_device *device,
			     struct sriov_error *err)
{
	sriov_error_set(err, -EEXIST, dom->object, "%s gives it VF %s already",
			device->raw ? "an <interface type='hostdev'>" : "a <hostdev>",
			device->address);
	if (device->raw)
		return sriov_error_hint(err, "remove that <interface>, or keep it: libvirt then "
					     "sets the VF's MAC and VLAN");
	return sriov_error_hint(err, "remove that <hostdev>; <interface type='hostdev'> "
				     "sets the VF's MAC and VLAN as well");
}

/* The one element to replace: of that identity, or an interface of that MAC. */
static int find_place(struct domain *dom, xmlNodePtr devices, const struct guest_device *device,
		      xmlNodePtr *out, struct sriov_error *err)
{
	bool by_mac = !sriov_mac_is_zero(device->mac);
	struct xml_doc *xml = &dom->xml;
	char label[GUEST_LABEL], mac[SRIOV_MAC_LEN];
	xmlNodePtr found = NULL, node;

	for (node = xml_child(devices, NULL); node; node = xml_next(node, NULL)) {
		struct guest_device is;
		bool same = device_read(xml, node, &is, NULL) && is_same(&is, device);

		if (same && is.raw != device->raw)
			return refuse_other_form(dom, device, err);
		if (!same && !(by_mac && xml_is(node, "interface") &&
			       has_mac(xml, node, device->mac) && !is_partner(xml, node, device)))
			continue;
		if (found) {
			sriov_error_set(
				err, -EEXIST, dom->object,
				"two of its interfaces claim %s, by that %s or by the MAC %s",
				guest_device_label(device, label),
				device->path == GUEST_VF ? "address" : "name",
				sriov_mac_format(device->mac, mac));
			return sriov_error_hint(err, "remove one of them");
		}
		found = node;
	}
	*out = found;
	return 0;
}

static unsigned queues_of(const struct guest_device *device)
{
	return device->queues ? device->queues : 1;
}

/* What the element says is what is wanted; the team only where one is wanted. */
static bool says(struct xml_doc *xml, xmlNodePtr node, const struct guest_device *want)
{
	struct guest_device is;
	bool plain;

	return device_read(xml, node, &is, &plain) && plain && is.path == want->path &&
	       is.raw == want->raw && (is.raw || !memcmp(is.mac, want->mac, sizeof(is.mac))) &&
	       !strcmp(is.address, want->address) && is.vlan == want->vlan &&
	       queues_of(&is) == queues_of(want) && is.ring == want->ring &&
	       !strcmp(is.socket, want->socket) && is.mode == want->mode &&
	       !strcmp(is.netdev, want->netdev) && (!want->has_rate || is.rate == want->rate) &&
	       (!want->team || (is.team == want->team && !strcmp(is.alias, want->alias)));
}

/* Empties an element of what device_fill() writes; the guest's own PCI address, boot order, … stay. */
static void strip(struct xml_doc *xml, xmlNodePtr node, const struct guest_device *device)
{
	static const char *const always[] = {"mac", "driver", "source", "vlan"};
	const char *also[] = {device->path == GUEST_VF ? NULL : "model",
			      device->team ? "teaming" : NULL,
			      device->team == TEAM_PERSISTENT ? "alias" : NULL};
	xmlNodePtr old;

	for (size_t i = 0; i < ARRAY_SIZE(always); i++)
		while ((old = xml_child(node, always[i])))
			xml_remove(xml, old);
	for (size_t i = 0; i < ARRAY_SIZE(also); i++)
		while (also[i] && (old = xml_child(node, also[i])))
			xml_remove(xml, old);
}

xmlNodePtr domain_put_device(struct domain *dom, const struct guest_device *device)
{
	const char *element = device_element(device);
	struct xml_doc *xml = &dom->xml;
	xmlNodePtr devices = xml_child(xml->root, "devices"), after, node;

	if (!devices)
		devices = xml_insert(xml, xml->root, last_child(xml->root, NULL), "devices");
	after = last_child(devices, element);
	if (!after)
		after = last_child(devices, NULL);
	node = xml_insert(xml, devices, after, element);
	if (node)
		device_fill(xml, node, device);
	return node;
}

int domain_add_device(struct domain *dom, const struct guest_device *device,
		      struct sriov_error *err)
{
	const char *element = device_element(device);
	struct xml_doc *xml = &dom->xml;
	xmlNodePtr devices = xml_child(xml->root, "devices"), old = NULL, node;
	struct guest_device is;
	int r = find_place(dom, devices, device, &old, err);

	if (r < 0 || (old && says(xml, old, device)))
		return r;
	if (!old)
		return domain_put_device(dom, device) ? 1 : core_oom(err);
	node = old;
	if (xml_is(old, element) && device_read(xml, old, &is, NULL) && is.path == device->path) {
		strip(xml, node, device);
	} else {
		node = xml_insert(xml, devices, old, element);
		xml_remove(xml, old);
	}
	if (!node)
		return core_oom(err);
	device_fill(xml, node, device);
	return 1;
}

/* The edited domain, or the author's own text where nothing was edited. */
static int print(struct domain *dom, const char *text, int changed, char **out,
		 struct sriov_error *err)
{
	char *same;

	if (changed)
		return xml_print(&dom->xml, out, err);
	same = dom->xml.oom ? NULL : strdup(text);
	if (!same)
		return core_oom(err);
	*out = same;
	return 0;
}

int guest_device_add(const char *text, const struct guest_device *device, char **out,
		     struct sriov_error *err)
{
	_domain_ struct domain dom = {0};
	int r = device_check(device, err);

	if (!r)
		r = domain_parse(text, &dom, err);
	if (!r)
		r = domain_add_device(&dom, device, err);
	return r < 0 ? r : print(&dom, text, r, out, err);
}

int guest_device_remove(const char *text, const struct guest_device *device, char **out,
			struct sriov_error *err)
{
	_domain_ struct domain dom = {0};
	struct guest_device is;
	xmlNodePtr devices, node;
	int r = domain_parse(text, &dom, err), changed = 0;

	if (r < 0)
		return r;
	devices = xml_child(dom.xml.root, "devices");
	while ((node = find_same(&dom.xml, devices, device, &is))) {
		xml_remove(&dom.xml, node);
		changed = 1;
	}
	return print(&dom, text, changed, out, err);
}

/* The domain of @text, and its device, as it is: NULL if it has none. */
static int look_up(const char *text, const struct guest_device *device, struct domain *dom,
		   xmlNodePtr *node, struct guest_device *is, struct sriov_error *err)
{
	int r = domain_parse(text, dom, err);

	if (r < 0)
		return r;
	*node = find_same(&dom->xml, xml_child(dom->xml.root, "devices"), device, is);
	return dom->xml.oom ? core_oom(err) : 0;
}

int guest_device_limit(const char *text, const struct guest_device *device, char **out,
		       struct sriov_error *err)
{
	struct guest_device limited = *device, is;
	_domain_ struct domain dom = {0};
	xmlNodePtr node;
	int r = look_up(text, device, &dom, &node, &is, err);

	if (r < 0)
		return r;
	if (!node)
		return no_device(&dom, device, err);
	/* XML without a limit is one that says nothing of it, or that there is none: here it is the latter */
	limited.has_rate = true;
	device_limit(&dom.xml, node, &limited);
	return print(&dom, text, 1, out, err);
}

int guest_device_find(const char *text, const struct guest_device *device, bool *found,
		      struct guest_device *out, struct sriov_error *err)
{
	_domain_ struct domain dom = {0};
	struct guest_device is;
	xmlNodePtr node;
	int r = look_up(text, device, &dom, &node, &is, err);

	if (r < 0)
		return r;
	if (node && out)
		*out = is;
	*found = node;
	return 0;
}

int guest_device_text(const char *text, const struct guest_device *device, char **out,
		      struct sriov_error *err)
{
	_domain_ struct domain dom = {0};
	struct guest_device is;
	xmlNodePtr node;
	int r = look_up(text, device, &dom, &node, &is, err);

	if (r < 0)
		return r;
	return node ? xml_print_node(&dom.xml, node, out, err) : no_device(&dom, device, err);
}
