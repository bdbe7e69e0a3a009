/* SPDX-License-Identifier: Apache-2.0 */
/* One network device as an element of libvirt's XML: checked, written, read. See device.h. */
#include "lib/guest/device.h"
#include "lib/guest/domxml.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define VLAN_ID_MAX 4094
#define QUEUES_MAX 256 /* QEMU's MAX_TAP_QUEUES */
#define RING_MIN 256   /* rx_queue_size and tx_queue_size: qemu_validate.c */
#define RING_MAX 1024
/* What may come at once, in KiB: what 100 ms bring, as on a bridge of OVS; a frame of QEMU's before it is cut, at least. */
#define BURST_MIN 64

const char *const guest_path_words[] = {[GUEST_VF] = "vf",
					[GUEST_VHOSTUSER] = "vhostuser",
					[GUEST_MACVTAP] = "macvtap",
					[GUEST_TAP] = "tap",
					NULL};
const char *const guest_macvtap_words[] = {[MACVTAP_VEPA] = "vepa",
					   [MACVTAP_BRIDGE] = "bridge",
					   [MACVTAP_PRIVATE] = "private",
					   [MACVTAP_PASSTHROUGH] = "passthrough",
					   NULL};

/* <interface type=…> of each path. */
static const char *const types[] = {[GUEST_VF] = "hostdev",
				    [GUEST_VHOSTUSER] = "vhostuser",
				    [GUEST_MACVTAP] = "direct",
				    [GUEST_TAP] = "bridge",
				    NULL};

static int find_word(const char *const *words, const char *word)
{
	for (int i = 0; word && words[i]; i++)
		if (!strcmp(words[i], word))
			return i;
	return -1;
}

const char *guest_device_label(const struct guest_device *device, char buf[GUEST_LABEL])
{
	char mac[SRIOV_MAC_LEN];

	if (device->path == GUEST_VF)
		snprintf(buf, GUEST_LABEL, "VF %s", device->address);
	else if (device->path == GUEST_VHOSTUSER)
		snprintf(buf, GUEST_LABEL, "vhost-user port %s", device->socket);
	else
		snprintf(buf, GUEST_LABEL, "%s %s on %s", guest_path_words[device->path],
			 sriov_mac_format(device->mac, mac), device->netdev);
	return buf;
}

static bool is_alias(const char *text)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_-";

	return !strncmp(text, "ua-", 3) && text[3] && !text[strspn(text, allowed)];
}

static bool is_printable(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return false;
	return true;
}

static bool is_netdev(const char *name)
{
	return *name && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
	       !strpbrk(name, "/: \t\n") && is_printable(name);
}

static int check_vf(const struct guest_device *device, struct sriov_error *err)
{
	char canonical[SRIOV_PCI_LEN];

	if (sriov_pci_parse(device->address, canonical) < 0)
		return sriov_error_set(err, -EINVAL, device->address, "is not a PCI address");
	if (device->vlan > VLAN_ID_MAX)
		return sriov_error_set(err, -ERANGE, device->address,
				       "VLAN %u is not in 0..%d (0 = none)", device->vlan,
				       VLAN_ID_MAX);
	if (!device->raw || !device->vlan)
		return 0;
	sriov_error_set(err, -EINVAL, device->address,
			"a <hostdev> has no VLAN: libvirt sets none");
	return sriov_error_hint(err, "set it on the VF itself (vf set), or let libvirt do it "
				     "(<interface type='hostdev'>)");
}

static int check_virtio(const struct guest_device *device, const char *label,
			struct sriov_error *err)
{
	bool ring_fits = device->ring >= RING_MIN && device->ring <= RING_MAX &&
			 !(device->ring & (device->ring - 1));

	if (device->vlan)
		return sriov_error_set(err, -EINVAL, label, "VLAN %u: only a VF has one here",
				       device->vlan);
	if (device->queues > QUEUES_MAX)
		return sriov_error_set(err, -ERANGE, label, "%u queues; QEMU has at most %d",
				       device->queues, QUEUES_MAX);
	if (device->path == GUEST_VHOSTUSER &&
	    (device->socket[0] != '/' || !is_printable(device->socket)))
		return sriov_error_set(err, -EINVAL, label,
				       "the socket '%s' is not an absolute path", device->socket);
	if (device->ring && (device->path != GUEST_VHOSTUSER || !ring_fits))
		return sriov_error_set(err, -ERANGE, label,
				       "a ring of %u: vhost-user has 256, 512 or 1024",
				       device->ring);
	if (device->path == GUEST_VHOSTUSER && device->has_rate)
		return sriov_error_set(err, -EINVAL, label,
				       "libvirt limits no vhost-user port: OVS does");
	if (device->path != GUEST_VHOSTUSER && !is_netdev(device->netdev))
		return sriov_error_set(err, -EINVAL, label, "'%s' is not the name of a netdev",
				       device->netdev);
	return 0;
}

int device_check(const struct guest_device *device, struct sriov_error *err)
{
	bool vf = device->path == GUEST_VF, nameless = vf && device->raw;
	char label[GUEST_LABEL];
	int r;

	guest_device_label(device, label);
	r = vf ? check_vf(device, err) : check_virtio(device, label, err);
	if (r < 0)
		return r;
	if (device->mac[0] & 1 || (!nameless && sriov_mac_is_zero(device->mac)))
		return sriov_error_set(err, -EINVAL, vf ? device->address : label,
				       "the MAC of an interface must be a unicast address");
	if (device->team && !is_alias(device->alias))
		return sriov_error_set(err, -EINVAL, label,
				       "the alias '%s' does not begin with ua-, or has other "
				       "characters than letters, digits, _ and -",
				       device->alias);
	if (device->team && (device->team == TEAM_TRANSIENT) != vf)
		return sriov_error_set(err, -EINVAL, label,
				       "in a <teaming> pair the VF is the transient half and a "
				       "virtio device the persistent one");
	return 0;
}

/* A new child after those that were put before it. */
static xmlNodePtr put(struct xml_doc *xml, xmlNodePtr parent, xmlNodePtr *last, const char *name)
{
	xmlNodePtr node = xml_insert(xml, parent, *last, name);

	if (node)
		*last = node;
	return node;
}

static void put_pci_source(struct xml_doc *xml, xmlNodePtr element, xmlNodePtr *last,
			   const struct guest_device *device)
{
	unsigned domain = 0, bus = 0, slot = 0, function = 0;
	xmlNodePtr address = xml_insert(xml, put(xml, element, last, "source"), NULL, "address");

	sscanf(device->address, "%x:%x:%x.%x", &domain, &bus, &slot, &function);
	/* <hostdev> says the type itself, and its schema has none here */
	if (!device->raw)
		xml_set(xml, address, "type", "pci");
	xml_set(xml, address, "domain", "0x%04x", domain);
	xml_set(xml, address, "bus", "0x%02x", bus);
	xml_set(xml, address, "slot", "0x%02x", slot);
	xml_set(xml, address, "function", "0x%x", function);
}

static void fill_vf(struct xml_doc *xml, xmlNodePtr element, xmlNodePtr *last,
		    const struct guest_device *device)
{
	xml_set(xml, element, "managed", "yes");
	xml_set(xml, put(xml, element, last, "driver"), "name", "vfio");
	put_pci_source(xml, element, last, device);
	if (device->vlan)
		xml_set(xml, xml_insert(xml, put(xml, element, last, "vlan"), NULL, "tag"), "id",
			"%u", device->vlan);
}

static void fill_virtio(struct xml_doc *xml, xmlNodePtr element, xmlNodePtr *last,
			const struct guest_device *device)
{
	xmlNodePtr source = put(xml, element, last, "source"), driver = NULL;

	if (device->path == GUEST_VHOSTUSER) {
		/* QEMU listens: the port outlives a restart of the switch, which connects again */
		xml_set(xml, source, "type", "unix");
		xml_set(xml, source, "path", "%s", device->socket);
		xml_set(xml, source, "mode", "server");
	} else if (device->path == GUEST_MACVTAP) {
		xml_set(xml, source, "dev", "%s", device->netdev);
		xml_set(xml, source, "mode", "%s", guest_macvtap_words[device->mode]);
	} else {
		xml_set(xml, source, "bridge", "%s", device->netdev);
	}
	xml_set(xml, put(xml, element, last, "model"), "type", "virtio");
	if (device->queues > 1 || device->ring)
		driver = put(xml, element, last, "driver");
	if (driver && device->path != GUEST_VHOSTUSER)
		xml_set(xml, driver, "name", "vhost");
	if (device->queues > 1)
		xml_set(xml, driver, "queues", "%u", device->queues);
	if (device->ring) {
		xml_set(xml, driver, "rx_queue_size", "%u", device->ring);
		xml_set(xml, driver, "tx_queue_size", "%u", device->ring);
	}
}

void device_limit(struct xml_doc *xml, xmlNodePtr element, const struct guest_device *device)
{
	xmlNodePtr bandwidth = xml_child(element, "bandwidth"), outbound;
	uint64_t burst = device->rate / 10;

	if (!device->has_rate)
		return;
	while ((outbound = xml_child(bandwidth, "outbound")))
		xml_remove(xml, outbound);
	if (!device->rate) {
		if (bandwidth && !xml_child(bandwidth, NULL))
			xml_remove(xml, bandwidth);
		return;
	}
	if (!bandwidth)
		bandwidth = xml_insert(xml, element, xml_child(element, "model"), "bandwidth");
	outbound = xml_insert(xml, bandwidth, xml_child(bandwidth, "inbound"), "outbound");
	xml_set(xml, outbound, "average", "%" PRIu64, device->rate);
	xml_set(xml, outbound, "burst", "%" PRIu64, burst > BURST_MIN ? burst : BURST_MIN);
}

void device_fill(struct xml_doc *xml, xmlNodePtr element, const struct guest_device *device)
{
	bool vf = device->path == GUEST_VF;
	xmlNodePtr last = NULL, teaming;
	char mac[SRIOV_MAC_LEN];

	if (vf && device->raw) {
		xml_set(xml, element, "mode", "subsystem");
		xml_set(xml, element, "type", "pci");
	} else {
		xml_set(xml, element, "type", "%s", types[device->path]);
	}
	if (!(vf && device->raw))
		xml_set(xml, put(xml, element, &last, "mac"), "address", "%s",
			sriov_mac_format(device->mac, mac));
	(vf ? fill_vf : fill_virtio)(xml, element, &last, device);
	device_limit(xml, element, device);
	if (!device->team)
		return;
	teaming = put(xml, element, &last, "teaming");
	xml_set(xml, teaming, "type", vf ? "transient" : "persistent");
	if (vf)
		xml_set(xml, teaming, "persistent", "%s", device->alias);
	else
		xml_set(xml, put(xml, element, &last, "alias"), "name", "%s", device->alias);
}

const char *device_element(const struct guest_device *device)
{
	return device->path == GUEST_VF && device->raw ? "hostdev" : "interface";
}

int guest_device_xml(const struct guest_device *device, char **out, struct sriov_error *err)
{
	_xml_ struct xml_doc xml = {0};
	int r = device_check(device, err);

	if (!r)
		r = xml_create(device_element(device), &xml, err);
	if (r < 0)
		return r;
	device_fill(&xml, xml.root, device);
	return xml_print(&xml, out, err);
}

/* ---- reading: whatever a domain may say ---- */

/* Copies an attribute of a child; false if it is not there or too long. */
static bool copy_attr(struct xml_doc *xml, xmlNodePtr node, const char *name, char *out,
		      size_t size)
{
	_free_ char *text = node ? xml_attr(xml, node, name) : NULL;

	if (!text || strlen(text) >= size)
		return false;
	core_copy(out, size, text);
	return true;
}

static uint64_t big_attr(struct xml_doc *xml, xmlNodePtr node, const char *name, uint64_t max)
{
	char text[24];
	uint64_t number;

	return copy_attr(xml, node, name, text, sizeof(text)) && !core_number(text, 0, max, &number)
		       ? number
		       : 0;
}

static unsigned number_attr(struct xml_doc *xml, xmlNodePtr node, const char *name)
{
	return big_attr(xml, node, name, UINT16_MAX);
}

/* One untagged, or tagged by exactly one VLAN: what struct guest_device can say. */
static bool read_vlan(struct xml_doc *xml, xmlNodePtr element, uint16_t *out)
{
	xmlNodePtr vlan = xml_child(element, "vlan"), tag = xml_child(vlan, "tag");

	if (!vlan)
		return true;
	*out = number_attr(xml, tag, "id");
	return *out && !xml_next(tag, "tag") && !xml_attr_is(xml, vlan, "trunk", "yes") &&
	       !xml_child(tag, NULL) && !xml_attr_is(xml, tag, "nativeMode", "tagged");
}

static bool read_vf(struct xml_doc *xml, xmlNodePtr element, struct guest_device *out, bool *plain)
{
	xmlNodePtr source = xml_child(element, "source"), address = xml_child(source, "address");

	if (!address || domain_pci_address(xml, address, out->address) < 0)
		return false;
	*plain = xml_attr_is(xml, element, "managed", "yes");
	if (!out->raw)
		*plain &= read_vlan(xml, element, &out->vlan);
	return true;
}

static bool read_virtio(struct xml_doc *xml, xmlNodePtr element, struct guest_device *out,
			bool *plain)
{
	xmlNodePtr source = xml_child(element, "source"), driver = xml_child(element, "driver");
	xmlNodePtr model = xml_child(element, "model");
	char mode[16] = "";

	*plain = model && xml_attr_is(xml, model, "type", "virtio");
	out->queues = number_attr(xml, driver, "queues");
	out->ring = number_attr(xml, driver, "rx_queue_size");
	*plain &= out->ring == number_attr(xml, driver, "tx_queue_size");
	copy_attr(xml, source, "mode", mode, sizeof(mode));
	if (out->path == GUEST_VHOSTUSER) {
		*plain &= !strcmp(mode, "server");
		return copy_attr(xml, source, "path", out->socket, sizeof(out->socket));
	}
	out->rate = big_attr(xml, xml_child(xml_child(element, "bandwidth"), "outbound"), "average",
			     UINT64_MAX);
	out->has_rate = out->rate;
	if (out->path == GUEST_TAP)
		return copy_attr(xml, source, "bridge", out->netdev, sizeof(out->netdev));
	/* libvirt's default */
	out->mode = *mode ? find_word(guest_macvtap_words, mode) : MACVTAP_VEPA;
	return (int)out->mode >= 0 &&
	       copy_attr(xml, source, "dev", out->netdev, sizeof(out->netdev));
}

/* A pair that libvirt would refuse is read as half of one without a name: its author's, until another is wanted. */
static void read_team(struct xml_doc *xml, xmlNodePtr element, struct guest_device *out)
{
	xmlNodePtr teaming = xml_child(element, "teaming"), alias = xml_child(element, "alias");

	if (!teaming)
		return;
	if (xml_attr_is(xml, teaming, "type", "persistent")) {
		out->team = TEAM_PERSISTENT;
		copy_attr(xml, alias, "name", out->alias, sizeof(out->alias));
		return;
	}
	out->team = TEAM_TRANSIENT;
	copy_attr(xml, teaming, "persistent", out->alias, sizeof(out->alias));
}

bool device_read(struct xml_doc *xml, xmlNodePtr element, struct guest_device *out, bool *plain)
{
	struct guest_device device = {.raw = xml_is(element, "hostdev")};
	_free_ char *type = xml_attr(xml, element, "type");
	char mac[SRIOV_MAC_LEN];
	int path = device.raw ? type && !strcmp(type, "pci") ? GUEST_VF : -1
			      : find_word(types, type);
	bool as_ours = true;

	if (path < 0 || !(device.raw || xml_is(element, "interface")))
		return false;
	device.path = path;
	if (!(path == GUEST_VF ? read_vf : read_virtio)(xml, element, &device, &as_ours))
		return false;
	if (copy_attr(xml, xml_child(element, "mac"), "address", mac, sizeof(mac)) &&
	    sriov_mac_parse(mac, device.mac) < 0)
		as_ours = false;
	read_team(xml, element, &device);
	*out = device;
	if (plain)
		*plain = as_ours;
	return true;
}

int guest_device_parse(const char *text, struct guest_device *out, struct sriov_error *err)
{
	_xml_ struct xml_doc xml = {0};
	struct guest_device device;
	int r = xml_parse(text, strlen(text), "device XML", &xml, err);

	if (r < 0)
		return r;
	if (!device_read(&xml, xml.root, &device, NULL)) {
		if (xml.oom)
			return core_oom(err);
		sriov_error_set(err, -EOPNOTSUPP, "device XML",
				"<%.40s> is not a network device of a kind that is known here",
				(const char *)xml.root->name);
		return sriov_error_hint(err,
					"known are <interface> of the types hostdev, vhostuser, "
					"direct and bridge, and <hostdev type='pci'>");
	}
	r = device_check(&device, err);
	if (r < 0)
		return r;
	*out = device;
	return 0;
}
