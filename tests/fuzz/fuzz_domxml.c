/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any text as a domain, and as a device. Beyond not crashing: what is merged or added is a domain again, doing it
 * once more changes nothing, what was added is found, and once removed it is not; a device that is read can be
 * written, and is read as the same.
 * Corpus: tests/fuzz/corpus/domxml.
 */
#include "lib/guest/device.h"

#include <errno.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct guest_interface vf = {"0000:81:10.6", {0x52, 0x54, 0, 0x12, 0x34, 0x56}, 101};
static const struct sriov_node nodes[] = {{.id = 0, .cpus = "0-7"}, {.id = 1, .cpus = "8-15"}};

static void check(bool good)
{
	if (!good)
		abort();
}

/* clang-format off */
#define MAC .mac = {0x52, 0x54, 0, 0x12, 0x34, 0x56}
/* clang-format on */
static const struct guest_device devices[] = {
	{.path = GUEST_VF, MAC, .address = "0000:81:10.6", .team = TEAM_TRANSIENT, .alias = "ua-a"},
	{.path = GUEST_VF, .address = "0000:81:10.6", .raw = true},
	{.path = GUEST_VHOSTUSER, MAC, .socket = "/run/vhu", .queues = 2},
	{.path = GUEST_MACVTAP, MAC, .netdev = "ens2f0", .mode = MACVTAP_BRIDGE},
	{.path = GUEST_TAP, MAC, .netdev = "br0", .team = TEAM_PERSISTENT, .alias = "ua-a"},
};

static void try_device(const char *text, const struct guest_device *device)
{
	_free_ char *with = NULL, *again = NULL, *own = NULL, *without = NULL;
	struct sriov_error err = {0};
	struct guest_device is;
	bool found = false;
	int r = guest_device_add(text, device, &with, &err);

	guest_device_check(text, device, true, &err);
	if (r < 0) {
		check(!with && err.code && err.message[0]);
		return;
	}
	r = guest_device_find(with, device, &found, &is, &err);
	check(r == -EFBIG || (!r && found && is.path == device->path));
	if (r == -EFBIG)
		return;
	r = guest_device_add(with, device, &again, &err);
	check(r == -EFBIG || (!r && !strcmp(with, again)));
	check(!guest_device_text(with, device, &own, &err));
	check(!guest_device_remove(with, device, &without, &err));
	r = guest_device_find(without, device, &found, NULL, &err);
	check(r == -EFBIG || (!r && !found));
}

static void try_as_device(const char *text)
{
	_free_ char *written = NULL;
	struct guest_device device, again;
	struct sriov_error err = {0};

	if (guest_device_parse(text, &device, &err) < 0) {
		check(err.code && err.message[0]);
		return;
	}
	check(!guest_device_xml(&device, &written, &err));
	check(!guest_device_parse(written, &again, &err));
	/* one queue, and none said, are the same */
	if (device.queues <= 1)
		device.queues = again.queues = 0;
	check(!memcmp(&device, &again, sizeof(device)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_free_ char *text = strndup((const char *)data, size);
	_free_ char *merged = NULL, *again = NULL;
	char name[SRIOV_NAME_LEN], uuid[40];
	struct sriov_error err = {0};
	int node = -2, r;

	check(text);
	try_as_device(text);
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++)
		try_device(text, &devices[i]);
	r = guest_xml_identity(text, name, uuid, &err);
	check(!r || (err.code == r && err.message[0]));
	r = guest_xml_node(text, nodes, ARRAY_SIZE(nodes), &node, &err);
	check(r ? node == -2 : node >= -1);
	r = guest_xml_merge(text, &vf, &nodes[node > 0], &merged, &err);
	if (r < 0) {
		check(!merged && err.code == r && err.message[0]);
		return 0;
	}
	/* libxml2 may write a text that is near the size limit longer than it read it */
	r = guest_xml_merge(merged, &vf, &nodes[node > 0], &again, &err);
	check(r == -EFBIG || (!r && !strcmp(merged, again)));
	return 0;
}
