/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices of every path: golden texts (tests/unit/devices), which are read back, put into a domain and taken out, and
 * judged by libvirt's schema; and what a domain lacks for them. SRIOV_GOLDEN=1 writes the golden texts anew.
 */
#include "lib/guest/device.h"
#include "tests/unit/schema.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define UNTOUCHED ((char *)0x1)
/* clang-format off */
#define MAC .mac = {0x52, 0x54, 0, 0x12, 0x34, 0x56}
#define VF .path = GUEST_VF, .address = "0000:81:10.6"
#define VHOST .path = GUEST_VHOSTUSER, .socket = "/run/openvswitch/vhu-web1-0"
#define TAP .path = GUEST_TAP, .netdev = "br0"
#define MACVTAP(mode_) .path = GUEST_MACVTAP, .netdev = "ens2f0", .mode = mode_
#define RATE(kbyte) .has_rate = true, .rate = kbyte
#define TEAM(half) .team = half, .alias = "ua-web1"
/* clang-format on */

static const struct {
	const char *name; /* of the golden file */
	struct guest_device device;
} shapes[] = {
	{"vf", {VF, MAC, .vlan = 101}},
	{"vf-untagged", {VF, MAC}},
	{"vf-transient", {VF, MAC, .vlan = 4094, TEAM(TEAM_TRANSIENT)}},
	{"hostdev", {VF, .raw = true}},
	{"hostdev-transient", {VF, .raw = true, TEAM(TEAM_TRANSIENT)}},
	{"vhostuser", {VHOST, MAC, .queues = 4, .ring = 1024}},
	{"vhostuser-plain", {VHOST, MAC}},
	{"vhostuser-persistent", {VHOST, MAC, .queues = 2, TEAM(TEAM_PERSISTENT)}},
	{"macvtap-vepa", {MACVTAP(MACVTAP_VEPA), MAC}},
	{"macvtap-bridge", {MACVTAP(MACVTAP_BRIDGE), MAC, .queues = 8}},
	{"macvtap-private", {MACVTAP(MACVTAP_PRIVATE), MAC}},
	{"macvtap-passthrough", {MACVTAP(MACVTAP_PASSTHROUGH), MAC}},
	{"tap", {TAP, MAC}},
	{"tap-queues", {TAP, MAC, .queues = 256}},
	{"tap-limited", {TAP, MAC, RATE(2500)}},
	{"macvtap-limited", {MACVTAP(MACVTAP_BRIDGE), MAC, .queues = 2, RATE(125)}},
	{"tap-persistent", {TAP, MAC, TEAM(TEAM_PERSISTENT)}},
};

#define HEAD                                                                                       \
	"<domain type=\"kvm\">\n  <name>web1</name>\n  <memory>1024</memory>\n  <os>\n"            \
	"    <type>hvm</type>\n  </os>\n"
#define BARE HEAD "  <devices>\n    <video/>\n  </devices>\n</domain>\n"

static const char *golden_file(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), TEST_SOURCE_DIR "/tests/unit/devices/%s.xml", name);
	return path;
}

static void check_golden(const char *name, const char *text)
{
	_free_ char *golden = NULL;

	if (getenv("SRIOV_GOLDEN")) {
		int fd = open(golden_file(name), O_WRONLY | O_CREAT | O_TRUNC, 0644);

		assert_int_equal(write(fd, text, strlen(text)), strlen(text));
		close(fd);
	}
	assert_int_equal(core_read_file(AT_FDCWD, golden_file(name), 4096, &golden, NULL), 0);
	if (strcmp(golden, text))
		fail_msg("%s:\n%s\nwanted:\n%s", name, text, golden);
}

static void test_golden(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
		struct guest_device back = {0};
		struct sriov_error err = {0};
		_free_ char *text = NULL, *again = NULL;

		if (guest_device_xml(&shapes[i].device, &text, &err) < 0)
			fail_msg("%s: %s", shapes[i].name, err.message);
		check_golden(shapes[i].name, text);
		if (guest_device_parse(text, &back, &err) < 0)
			fail_msg("%s: %s", shapes[i].name, err.message);
		assert_memory_equal(&back, &shapes[i].device, sizeof(back));
		assert_int_equal(guest_device_xml(&back, &again, &err), 0);
		assert_string_equal(again, text);
	}
}

static void test_refused(void **state)
{
	static const struct {
		struct guest_device device;
		int code;
		const char *words;
	} rows[] = {
		{{.path = GUEST_VF, .address = "81:10", MAC}, -EINVAL, "not a PCI address"},
		{{VF}, -EINVAL, "unicast"},
		{{VF, .mac = {3}}, -EINVAL, "unicast"},
		{{VF, .raw = true, .mac = {3}}, -EINVAL, "unicast"},
		{{VF, MAC, .vlan = 4095}, -ERANGE, "4095"},
		{{VF, MAC, .raw = true, .vlan = 7}, -EINVAL, "no VLAN"},
		{{VF, MAC, TEAM(TEAM_PERSISTENT)}, -EINVAL, "transient half"},
		{{VF, MAC, .team = TEAM_TRANSIENT, .alias = "web1"}, -EINVAL, "ua-"},
		{{VF, MAC, .team = TEAM_TRANSIENT, .alias = "ua-"}, -EINVAL, "ua-"},
		{{VF, MAC, .team = TEAM_TRANSIENT, .alias = "ua-a b"}, -EINVAL, "ua-"},
		{{TAP, MAC, TEAM(TEAM_TRANSIENT)}, -EINVAL, "transient half"},
		{{TAP}, -EINVAL, "unicast"},
		{{TAP, MAC, .vlan = 1}, -EINVAL, "VLAN 1"},
		{{TAP, MAC, .queues = 257}, -ERANGE, "257 queues"},
		{{TAP, MAC, .ring = 256}, -ERANGE, "ring"},
		{{.path = GUEST_TAP, .netdev = "", MAC}, -EINVAL, "not the name of a netdev"},
		{{.path = GUEST_TAP, .netdev = "a/b", MAC}, -EINVAL, "not the name of a netdev"},
		{{.path = GUEST_MACVTAP, .netdev = "..", MAC}, -EINVAL, "name of a netdev"},
		{{VHOST, MAC, RATE(125)}, -EINVAL, "OVS does"},
		{{VHOST, MAC, .ring = 300}, -ERANGE, "ring of 300"},
		{{VHOST, MAC, .ring = 2048}, -ERANGE, "ring of 2048"},
		{{.path = GUEST_VHOSTUSER, .socket = "vhu", MAC}, -EINVAL, "absolute path"},
		{{.path = GUEST_VHOSTUSER, .socket = "/a\nb", MAC}, -EINVAL, "absolute path"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sriov_error err = {0};
		char *text = UNTOUCHED;

		if (guest_device_xml(&rows[i].device, &text, &err) != rows[i].code ||
		    !strstr(err.message, rows[i].words))
			fail_msg("row %zu: %d %s: %s", i, err.code, err.object, err.message);
		assert_ptr_equal(text, UNTOUCHED);
		assert_int_equal(guest_device_add(BARE, &rows[i].device, &text, &err),
				 rows[i].code);
	}
}

/* Others' devices, and what is not XML of one. */
static void test_parse_refused(void **state)
{
	static const struct {
		const char *text;
		int code;
		const char *words;
	} rows[] = {
		{"<interface type='user'/>", -EOPNOTSUPP, "not a network device"},
		{"<interface type='network'><source network='default'/></interface>", -EOPNOTSUPP,
		 "not a network device"},
		{"<interface/>", -EOPNOTSUPP, "not a network device"},
		{"<interface type='hostdev'/>", -EOPNOTSUPP, "not a network device"},
		{"<interface type='direct'><source dev='eth0' mode='loose'/></interface>",
		 -EOPNOTSUPP, "not a network device"},
		{"<interface type='bridge'><source bridge='a-name-that-is-too-long'/></interface>",
		 -EOPNOTSUPP, "not a network device"},
		{"<hostdev type='usb'/>", -EOPNOTSUPP, "not a network device"},
		{"<hostdev/>", -EOPNOTSUPP, "not a network device"},
		{"<disk/>", -EOPNOTSUPP, "<disk>"},
		{"<x:interface xmlns:x='u' type='bridge'><source bridge='br0'/></x:interface>",
		 -EOPNOTSUPP, "not a network device"},
		{"<interface xmlns='u' type='bridge'><source bridge='br0'/></interface>",
		 -EOPNOTSUPP, "not a network device"},
		{"<interface type='bridge'><x:source xmlns:x='u' bridge='br0'/></interface>",
		 -EOPNOTSUPP, "not a network device"},
		{"<interface type='bridge'><source bridge='br0'/></interface>", -EINVAL, "unicast"},
		{"<interface type='bridge'><mac address='x'/><source bridge='br0'/></interface>",
		 -EINVAL, "unicast"},
		{"<interface type='hostdev'><mac address='52:54:00:12:34:56'/><source><address "
		 "bus='0x1ff'/></source></interface>",
		 -EOPNOTSUPP, "not a network device"},
		{"<!DOCTYPE interface [<!ENTITY a 'b'>]><interface type='&a;'/>", -EINVAL,
		 "document type"},
		{"<interface", -EINVAL, "not well-formed"},
		{"", -EINVAL, "not well-formed"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct guest_device out = {.vlan = 42};
		struct sriov_error err = {0};

		if (guest_device_parse(rows[i].text, &out, &err) != rows[i].code ||
		    !strstr(err.message, rows[i].words))
			fail_msg("%s: %d %s", rows[i].text, err.code, err.message);
		assert_int_equal(out.vlan, 42);
	}
}

/* Every shape, in every domain here: added, found, told, added again, removed. */
static void test_round(void **state)
{
	static const char *const domains[] = {
		BARE,
		HEAD "</domain>\n",
		HEAD "  <devices/>\n</domain>\n",
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- mine -->\n<domain><devices><interface "
		"type=\"user\"/><hostdev type=\"usb\"/><video/></devices></domain>\n",
	};

	for (size_t d = 0; d < ARRAY_SIZE(domains); d++) {
		for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
			const struct guest_device *device = &shapes[i].device;
			_free_ char *with = NULL, *again = NULL, *without = NULL, *own = NULL;
			struct guest_device is;
			struct sriov_error err = {0};
			bool found = true;

			assert_int_equal(guest_device_find(domains[d], device, &found, NULL, &err),
					 0);
			assert_false(found);
			assert_int_equal(guest_device_text(domains[d], device, &own, &err),
					 -ENODEV);
			assert_null(own);
			assert_int_equal(guest_device_add(domains[d], device, &with, &err), 0);
			assert_int_equal(guest_device_find(with, device, &found, &is, &err), 0);
			assert_true(found);
			assert_memory_equal(&is, device, sizeof(is));
			assert_int_equal(guest_device_text(with, device, &own, &err), 0);
			assert_int_equal(guest_device_parse(own, &is, &err), 0);
			assert_memory_equal(&is, device, sizeof(is));
			assert_int_equal(guest_device_add(with, device, &again, &err), 0);
			assert_string_equal(again, with);
			assert_int_equal(guest_device_remove(with, device, &without, &err), 0);
			/* the <devices> that had to be made stays */
			if (d != 1 && d != 2)
				assert_string_equal(without, domains[d]);
		}
	}
}

/* What goes in where something is already. Without @out nothing changes. */
static void test_replaced(void **state)
{
#define D(inner) "<domain><name>web1</name><devices>" inner "</devices></domain>\n"
#define M "<mac address=\"52:54:00:12:34:56\"/>"
#define BR "<source bridge=\"br0\"/><model type=\"virtio\"/>"
#define PCI                                                                                        \
	"<source><address type=\"pci\" domain=\"0x0000\" bus=\"0x81\" slot=\"0x10\" "              \
	"function=\"0x6\"/></source>"
#define ITF "<interface type=\"hostdev\" managed=\"yes\">"
#define RAW                                                                                        \
	"<hostdev mode=\"subsystem\" type=\"pci\" managed=\"yes\"><driver name=\"vfio\"/><source>" \
	"<address domain=\"0x0000\" bus=\"0x81\" slot=\"0x10\" function=\"0x6\"/></source>"        \
	"</hostdev>"
	static const struct {
		const char *name, *in;
		struct guest_device device;
		const char *out;
		int code;
	} rows[] = {
		{"other bridge, the guest's side kept",
		 D("<interface type=\"bridge\">" M "<source bridge=\"old\"/><model "
		   "type=\"virtio\"/><address type=\"pci\" bus=\"0x01\"/></interface>"),
		 {TAP, MAC},
		 D("<interface type=\"bridge\">" M BR
		   "<address type=\"pci\" bus=\"0x01\"/></interface>")},
		{"another model",
		 D("<interface type=\"bridge\">" M "<source bridge=\"br0\"/><model "
		   "type=\"e1000\"/></interface>"),
		 {TAP, MAC},
		 D("<interface type=\"bridge\">" M BR "</interface>")},
		{"one queue is no queues said",
		 D("<interface type=\"bridge\">" M BR "</interface>"),
		 {TAP, MAC, .queues = 1},
		 NULL},
		{"from the VF to the bridge",
		 D(ITF M "<driver name=\"vfio\"/>" PCI "</interface><video/>"),
		 {TAP, MAC},
		 D("<interface type=\"bridge\">" M BR "</interface><video/>")},
		{"the standby becomes one of a pair",
		 D("<interface type=\"bridge\">" M BR "<alias name=\"net0\"/></interface>"),
		 {TAP, MAC, TEAM(TEAM_PERSISTENT)},
		 D("<interface type=\"bridge\">" M BR "<teaming type=\"persistent\"/><alias "
		   "name=\"ua-web1\"/></interface>")},
		{"its other half is not it",
		 D(ITF M "<driver name=\"vfio\"/>" PCI "<teaming type=\"transient\" "
			 "persistent=\"ua-web1\"/></interface>"),
		 {TAP, MAC, TEAM(TEAM_PERSISTENT)},
		 D(ITF M "<driver name=\"vfio\"/>" PCI "<teaming type=\"transient\" "
			 "persistent=\"ua-web1\"/></interface><interface type=\"bridge\">" M BR
			 "<teaming type=\"persistent\"/><alias name=\"ua-web1\"/></interface>")},
		{"a team that nobody asked about stays",
		 D(ITF M "<driver name=\"vfio\"/>" PCI "<teaming type=\"transient\" "
			 "persistent=\"ua-web1\"/></interface>"),
		 {VF, MAC},
		 NULL},
		{"nor is one of no known kind touched",
		 D("<interface type=\"bridge\">" M BR "<teaming type=\"none\"/></interface>"),
		 {TAP, MAC},
		 NULL},
		{"but where another is wanted it goes",
		 D("<interface type=\"bridge\">" M BR "<teaming type=\"none\"/></interface>"),
		 {TAP, MAC, TEAM(TEAM_PERSISTENT)},
		 D("<interface type=\"bridge\">" M BR "<teaming type=\"persistent\"/><alias "
		   "name=\"ua-web1\"/></interface>")},
		{"several VLANs become one",
		 D(ITF M "<driver name=\"vfio\"/>" PCI
			 "<vlan trunk=\"yes\"><tag id=\"5\"/><tag id=\"6\"/></vlan></interface>"),
		 {VF, MAC, .vlan = 5},
		 D(ITF M "<driver name=\"vfio\"/>" PCI "<vlan><tag id=\"5\"/></vlan></interface>")},
		{"raw is there", D(RAW), {VF, .raw = true}, NULL},
		{"raw, but an interface has it",
		 D(ITF M PCI "</interface>"),
		 {VF, .raw = true},
		 NULL,
		 -EEXIST},
		{"an interface, but raw has it", D(RAW), {VF, MAC}, NULL, -EEXIST},
		{"two of that MAC",
		 D("<interface type=\"bridge\">" M BR "</interface><interface type=\"user\">" M
		   "</interface>"),
		 {TAP, MAC},
		 NULL,
		 -EEXIST},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *want = rows[i].out ? rows[i].out : rows[i].in;
		struct sriov_error err = {0};
		char *text = UNTOUCHED;
		int r = guest_device_add(rows[i].in, &rows[i].device, &text, &err);

		if (r != rows[i].code)
			fail_msg("%s: %d %s", rows[i].name, r, err.message);
		if (r < 0) {
			assert_ptr_equal(text, UNTOUCHED);
			assert_true(err.hint[0]);
			continue;
		}
		if (strcmp(text, want))
			fail_msg("%s:\n%s\nwanted:\n%s", rows[i].name, text, want);
		free(text);
	}
}

/* Attached twice, or in both forms: all of it goes. */
static void test_remove_all(void **state)
{
	const struct guest_device vf = {VF, MAC};
	struct sriov_error err = {0};
	_free_ char *text = NULL;

	assert_int_equal(guest_device_remove(
				 D(ITF M PCI "</interface>" RAW "<video/>" ITF PCI "</interface>"),
				 &vf, &text, &err),
			 0);
	assert_string_equal(text, D("<video/>"));
}

#define PORT(index, more)                                                                          \
	"<controller type='pci' index='" #index "' model='pcie-root-port'>" more "</controller>"
#define ROOT "<controller type='pci' index='0' model='pcie-root'/>"
#define AT(bus) "<video><address type='pci' domain='0' bus='" #bus "' slot='0'/></video>"
#define MEM(inner) "<domain><name>web1</name>" inner "</domain>"
#define BACKED "<source type='memfd'/>"

static void test_needs(void **state)
{
	static const struct {
		const char *in;
		enum guest_path path;
		bool live;
		int code;
		const char *words;
	} rows[] = {
		{D(ROOT PORT(1, "")), GUEST_TAP, true, 0, ""},
		{D(ROOT), GUEST_TAP, true, -ENOSPC, "all its 0 pcie-root-ports"},
		{D(ROOT), GUEST_TAP, false, 0, ""},
		{D(ROOT PORT(1, "") AT(0x01)), GUEST_TAP, true, -ENOSPC, "all its 1 pcie"},
		{D(ROOT PORT(1, "") PORT(2, "") AT(0x01)), GUEST_TAP, true, 0, ""},
		{D(ROOT PORT(10, "") AT(10)), GUEST_TAP, true, -ENOSPC, "pcie-root-ports"},
		{D(ROOT PORT(1, "<target hotplug='off'/>")), GUEST_TAP, true, -ENOSPC, "0 pcie"},
		/* a host's address is not the guest's */
		{D(ROOT PORT(1, "") "<hostdev type='pci'><source><address type='pci' bus='1'/>"
				    "</source></hostdev>"),
		 GUEST_TAP, true, 0, ""},
		/* i440fx has slots on its root bus */
		{D("<controller type='pci' index='0' model='pci-root'/>"), GUEST_VF, true, 0, ""},
		{MEM(""), GUEST_VF, true, 0, ""},
		{MEM("<memory>4194304</memory><memtune><hard_limit unit='GiB'>5</hard_limit>"
		     "</memtune>"),
		 GUEST_VF, false, 0, ""},
		{MEM("<memory unit='GiB'>4</memory><memtune><hard_limit unit='M'>5119</hard_limit>"
		     "</memtune>"),
		 GUEST_VF, false, -ENOBUFS, "5119 MiB"},
		{MEM("<memory unit='GiB'>4</memory><memtune><hard_limit>4194304</hard_limit>"
		     "</memtune>"),
		 GUEST_VF, false, -ENOBUFS, "4096 MiB and 1024 MiB more"},
		{MEM("<memory unit='GiB'>4</memory><memtune><hard_limit>1</hard_limit></memtune>"),
		 GUEST_TAP, false, 0, ""},
		{MEM("<memory unit='GiB'>4</memory><memtune><soft_limit>1</soft_limit></memtune>"),
		 GUEST_VF, false, 0, ""},
		{MEM("<memory unit='TB'>17</memory><memtune><hard_limit unit='b'>1</hard_limit>"
		     "</memtune>"),
		 GUEST_VF, false, -ENOBUFS, "is 0 MiB"},
		{MEM(""), GUEST_VHOSTUSER, false, -EOPNOTSUPP, "not shared"},
		{MEM("<memoryBacking><access mode='shared'/></memoryBacking>"), GUEST_VHOSTUSER,
		 false, -EOPNOTSUPP, "anonymous"},
		{MEM("<memoryBacking>" BACKED "</memoryBacking>"), GUEST_VHOSTUSER, false,
		 -EOPNOTSUPP, "not shared"},
		{MEM("<memoryBacking>" BACKED "<access mode='shared'/></memoryBacking>"),
		 GUEST_VHOSTUSER, false, 0, ""},
		{MEM("<memoryBacking><hugepages/></memoryBacking><cpu><numa><cell "
		     "memAccess='shared'/></numa></cpu>"),
		 GUEST_VHOSTUSER, false, 0, ""},
		{MEM("<memoryBacking><hugepages/><access mode='shared'/></memoryBacking><cpu><numa>"
		     "<cell/><cell memAccess='private'/></numa></cpu>"),
		 GUEST_VHOSTUSER, false, -EOPNOTSUPP, "not shared"},
		{MEM("<memoryBacking><hugepages/></memoryBacking><cpu><numa><cell "
		     "memAccess='shared'/><cell/></numa></cpu>"),
		 GUEST_VHOSTUSER, false, -EOPNOTSUPP, "not shared"},
		{"<network/>", GUEST_TAP, true, -EINVAL, "<network>"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct guest_device device = {.path = rows[i].path};
		struct sriov_error err = {0};
		int r = guest_device_check(rows[i].in, &device, rows[i].live, &err);

		if (r != rows[i].code || !strstr(err.message, rows[i].words))
			fail_msg("%s: %d %s", rows[i].in, r, err.message);
		assert_true(r != -ENOSPC || strstr(err.hint, "pcie-root-port"));
	}
}

/* Every function that reads XML refuses what is hostile, with nothing written. */
static void test_hostile(void **state)
{
	const struct guest_device vf = {VF, MAC};
	size_t size = 100 << 20;
	char *huge = malloc(size + 1), *deep = calloc(1, 3 * 70 + 4 * 70 + 64), *p = deep;
	const char *texts[] = {
		huge,
		deep,
		"<!DOCTYPE d [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]><domain>&b;</domain>",
		"<!DOCTYPE d SYSTEM 'http://127.0.0.1/d.dtd'><domain/>",
		"<domain xmlns='http://example.com/'/>",
		"<domain xmlns:x='u' x:y='&undefined;'/>",
		"\xff\xfe<\0d",
	};

	memset(huge, ' ', size);
	memcpy(huge, "<domain>", 8);
	memcpy(huge + size - 9, "</domain>", 10);
	for (int i = 0; i < 70; i++)
		p = stpcpy(p, i ? "<a>" : "<domain>");
	for (int i = 69; i >= 0; i--)
		p = stpcpy(p, i ? "</a>" : "</domain>");
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct sriov_error err = {0};
		struct guest_device out = {.vlan = 42};
		char *text = UNTOUCHED;
		bool found = true;

		assert_true(guest_device_parse(texts[i], &out, &err) < 0);
		assert_true(guest_device_find(texts[i], &vf, &found, &out, &err) < 0);
		assert_true(guest_device_add(texts[i], &vf, &text, &err) < 0);
		assert_true(guest_device_remove(texts[i], &vf, &text, &err) < 0);
		assert_true(guest_device_text(texts[i], &vf, &text, &err) < 0);
		assert_true(guest_device_check(texts[i], &vf, true, &err) < 0);
		assert_true(err.code < 0 && err.message[0]);
		assert_ptr_equal(text, UNTOUCHED);
		assert_true(found);
		assert_int_equal(out.vlan, 42);
	}
	free(huge);
	free(deep);
}

static void test_schema(void **state)
{
	void *library;
	xmlRelaxNGPtr schema = schema_load(&library);

	if (!schema)
		skip();
	assert_int_not_equal(schema_judge(schema, "<domain type='kvm'/>"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
		struct sriov_error err = {0};
		_free_ char *text = NULL;

		assert_int_equal(
			guest_device_add(HEAD "</domain>\n", &shapes[i].device, &text, &err), 0);
		if (schema_judge(schema, text))
			fail_msg("the schema refuses:\n%s", text);
	}
	schema_free(schema, library);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),        cmocka_unit_test(test_refused),
		cmocka_unit_test(test_parse_refused), cmocka_unit_test(test_round),
		cmocka_unit_test(test_replaced),      cmocka_unit_test(test_remove_all),
		cmocka_unit_test(test_needs),         cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_schema),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
