/* SPDX-License-Identifier: Apache-2.0 */
/* Domain XML: golden texts, contradictions, what is refused, and libvirt's own schema as a judge. */
#include "lib/core/cpuset.h"
#include "lib/guest/guest.h"
#include "tests/unit/schema.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define UNTOUCHED ((char *)0x1)

static const struct guest_interface vf = {"0000:81:10.6", {0x52, 0x54, 0, 0x12, 0x34, 0x56}, 101};
static const struct sriov_node nodes[] = {{.id = 0, .cpus = "0-7"}, {.id = 1, .cpus = "8-15"}};

/* The interface of vf with @lead before each line but the first. */
#define VF_XML(lead)                                                                               \
	"<interface type=\"hostdev\" managed=\"yes\">\n" lead                                      \
	"  <mac address=\"52:54:00:12:34:56\"/>\n" lead "  <driver name=\"vfio\"/>\n" lead         \
	"  <source>\n" lead                                                                        \
	"    <address type=\"pci\" domain=\"0x0000\" bus=\"0x81\" slot=\"0x10\" "                  \
	"function=\"0x6\"/>\n" lead "  </source>\n" lead "  <vlan>\n" lead                         \
	"    <tag id=\"101\"/>\n" lead "  </vlan>\n" lead "</interface>"
#define HEAD "<domain type=\"kvm\">\n  <name>web1</name>\n  <memory>1024</memory>\n"
#define OS "  <os>\n    <type>hvm</type>\n  </os>\n"
#define VCPU(n) "  <vcpu>" #n "</vcpu>\n"
#define TUNED                                                                                      \
	"  <cputune>\n    <vcpupin vcpu=\"0\" cpuset=\"8-15\"/>\n    <vcpupin vcpu=\"1\" "         \
	"cpuset=\"8-15\"/>\n  </cputune>\n  <numatune>\n    <memory mode=\"strict\" "              \
	"nodeset=\"1\"/>\n  </numatune>\n"
#define DEVICES "  <devices>\n    " VF_XML("    ") "\n  </devices>\n"
#define TAIL "</domain>\n"

static void test_interface(void **state)
{
	struct guest_interface untagged = vf;
	struct sriov_error err;
	char *text;

	assert_int_equal(guest_xml_interface(&vf, &text, &err), 0);
	assert_string_equal(text, VF_XML("") "\n");
	free(text);
	untagged.vlan = 0;
	assert_int_equal(guest_xml_interface(&untagged, &text, &err), 0);
	assert_null(strstr(text, "vlan"));
	free(text);
}

static void test_interface_refused(void **state)
{
	static const struct {
		struct guest_interface itf;
		int code;
		const char *words;
	} rows[] = {
		{{"here", {2}, 0}, -EINVAL, "not a PCI address"},
		{{"0000:81:10.6", {0}, 0}, -EINVAL, "unicast"},
		{{"0000:81:10.6", {3}, 0}, -EINVAL, "unicast"},
		{{"0000:81:10.6", {2}, 4095}, -ERANGE, "4095"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sriov_error err = {0};
		char *text = UNTOUCHED;

		assert_int_equal(guest_xml_interface(&rows[i].itf, &text, &err), rows[i].code);
		assert_ptr_equal(text, UNTOUCHED);
		assert_non_null(strstr(err.message, rows[i].words));
	}
}

/* Bound to node 1. Without @out what comes out is what went in. */
static const struct {
	const char *name, *in, *out;
} merges[] = {
	{"all is new", HEAD VCPU(2) OS TAIL, HEAD VCPU(2) TUNED OS DEVICES TAIL},
	{"own layout kept",
	 "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- mine -->\n<domain type=\"kvm\">"
	 "<name>a&amp;b</name><vcpu current=\"1\">2</vcpu><devices/></domain>\n",
	 "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- mine -->\n<domain type=\"kvm\">"
	 "<name>a&amp;b</name><vcpu current=\"1\">2</vcpu><cputune><vcpupin vcpu=\"0\" "
	 "cpuset=\"8-15\"/><vcpupin vcpu=\"1\" cpuset=\"8-15\"/></cputune><numatune><memory "
	 "mode=\"strict\" nodeset=\"1\"/></numatune><devices><interface type=\"hostdev\" "
	 "managed=\"yes\"><mac address=\"52:54:00:12:34:56\"/><driver name=\"vfio\"/><source>"
	 "<address type=\"pci\" domain=\"0x0000\" bus=\"0x81\" slot=\"0x10\" function=\"0x6\"/>"
	 "</source><vlan><tag id=\"101\"/></vlan></interface></devices></domain>\n"},
	{"agreement is kept", HEAD VCPU(2) TUNED OS DEVICES TAIL, NULL},
	{"preferred on the node is kept",
	 HEAD VCPU(1) "  <cputune><vcpupin vcpu=\"0\" cpuset=\"9,^9,10\"/></cputune>\n"
		      "  <numatune><memory mode=\"preferred\" nodeset=\"1\"/></numatune>\n" OS
			      DEVICES TAIL,
	 NULL},
	{"vcpu cpuset is the narrower choice",
	 HEAD
	 "  <vcpu cpuset=\"9\">1</vcpu>\n"
	 "  <numatune>\n    <memory mode=\"strict\" nodeset=\"1\"/>\n  </numatune>\n" OS DEVICES
		 TAIL,
	 HEAD
	 "  <vcpu cpuset=\"9\">1</vcpu>\n"
	 "  <cputune>\n    <vcpupin vcpu=\"0\" cpuset=\"9\"/>\n  </cputune>\n"
	 "  <numatune>\n    <memory mode=\"strict\" nodeset=\"1\"/>\n  </numatune>\n" OS DEVICES
		 TAIL},
	{"a pin is missing",
	 HEAD VCPU(
		 2) "  <cputune>\n    <shares>9</shares>\n    <vcpupin vcpu=\"1\" "
		    "cpuset=\"8\"/>\n    <emulatorpin cpuset=\"0\"/>\n  </cputune>\n"
		    "  <numatune>\n    <memory mode=\"strict\" nodeset=\"1\"/>\n  </numatune>\n" OS
			    DEVICES TAIL,
	 HEAD VCPU(
		 2) "  <cputune>\n    <shares>9</shares>\n    <vcpupin vcpu=\"1\" "
		    "cpuset=\"8\"/>\n    <vcpupin vcpu=\"0\" cpuset=\"8-15\"/>\n"
		    "    <emulatorpin cpuset=\"0\"/>\n  </cputune>\n"
		    "  <numatune>\n    <memory mode=\"strict\" nodeset=\"1\"/>\n  </numatune>\n" OS
			    DEVICES TAIL},
	{"restrictive cells want restrictive memory",
	 HEAD VCPU(
		 2) "  <cputune>\n    <vcpupin vcpu=\"0\" cpuset=\"8\"/>\n    <vcpupin vcpu=\"1\" "
		    "cpuset=\"8\"/>\n  </cputune>\n  <numatune>\n    <memnode cellid=\"0\" "
		    "mode=\"restrictive\" nodeset=\"1\"/>\n  </numatune>\n" OS DEVICES TAIL,
	 HEAD VCPU(
		 2) "  <cputune>\n    <vcpupin vcpu=\"0\" cpuset=\"8\"/>\n    <vcpupin vcpu=\"1\" "
		    "cpuset=\"8\"/>\n  </cputune>\n  <numatune>\n"
		    "    <memory mode=\"restrictive\" nodeset=\"1\"/>\n    <memnode cellid=\"0\" "
		    "mode=\"restrictive\" nodeset=\"1\"/>\n  </numatune>\n" OS DEVICES TAIL},
	{"cells on several nodes are left alone",
	 HEAD VCPU(
		 2) "  <numatune>\n    <memnode cellid=\"0\" mode=\"strict\" nodeset=\"0\"/>\n"
		    "    <memnode cellid=\"1\" mode=\"strict\" nodeset=\"1\"/>\n  </numatune>\n" OS
			    DEVICES TAIL,
	 NULL},
	{"after the other interfaces",
	 HEAD VCPU(2) TUNED OS "  <devices>\n    <interface type=\"user\"/>\n    <video/>\n  "
			       "</devices>\n" TAIL,
	 HEAD VCPU(2) TUNED OS "  <devices>\n    <interface type=\"user\"/>\n    " VF_XML(
		 "    ") "\n    <video/>\n  </devices>\n" TAIL},
	{"same MAC, other kind: replaced",
	 HEAD VCPU(2) TUNED OS "  <devices>\n    <interface type=\"user\">\n      <mac "
			       "address=\"52:54:00:12:34:56\"/>\n      <model type=\"virtio\"/>\n"
			       "    </interface>\n    <video/>\n  </devices>\n" TAIL,
	 HEAD VCPU(2) TUNED OS
	 "  <devices>\n    " VF_XML("    ") "\n    <video/>\n  </devices>\n" TAIL},
	{"same VF: rewritten, the guest's side of it kept",
	 HEAD VCPU(2) TUNED OS
	 "  <devices>\n    <interface type=\"hostdev\">\n      <source>\n        <address "
	 "type=\"pci\" domain=\"0\" bus=\"129\" slot=\"0x10\" function=\"6\"/>\n      </source>\n"
	 "      <alias name=\"ua-net\"/>\n    </interface>\n  </devices>\n" TAIL,
	 HEAD VCPU(2) TUNED OS
	 "  <devices>\n    <interface type=\"hostdev\" managed=\"yes\">\n      <mac "
	 "address=\"52:54:00:12:34:56\"/>\n      <driver name=\"vfio\"/>\n      <source>\n        "
	 "<address type=\"pci\" domain=\"0x0000\" bus=\"0x81\" slot=\"0x10\" function=\"0x6\"/>\n"
	 "      </source>\n      <vlan>\n        <tag id=\"101\"/>\n      </vlan>\n"
	 "      <alias name=\"ua-net\"/>\n    </interface>\n  </devices>\n" TAIL},
	{"libvirt is to bind the driver",
	 "<domain><devices><interface type=\"hostdev\" managed=\"no\"><mac "
	 "address=\"52:54:00:12:34:56\"/><source><address bus=\"0x81\" slot=\"0x10\" "
	 "function=\"6\"/></source><vlan><tag id=\"101\"/></vlan></interface></devices>"
	 "<cputune><vcpupin vcpu=\"0\" cpuset=\"8\"/></cputune><numatune><memory "
	 "nodeset=\"1\"/></numatune></domain>\n",
	 "<domain><devices><interface type=\"hostdev\" managed=\"yes\"><mac "
	 "address=\"52:54:00:12:34:56\"/><driver name=\"vfio\"/><source><address type=\"pci\" "
	 "domain=\"0x0000\" bus=\"0x81\" slot=\"0x10\" function=\"0x6\"/></source><vlan><tag "
	 "id=\"101\"/></vlan></interface></devices>"
	 "<cputune><vcpupin vcpu=\"0\" cpuset=\"8\"/></cputune><numatune><memory "
	 "nodeset=\"1\"/></numatune></domain>\n"},
	{"the standby of a teaming pair has the same MAC",
	 HEAD VCPU(2) TUNED OS
	 "  <devices>\n    <interface type=\"user\">\n      <mac address=\"52:54:00:12:34:56\"/>\n"
	 "      <teaming type=\"persistent\"/>\n    </interface>\n  </devices>\n" TAIL,
	 HEAD VCPU(2) TUNED OS
	 "  <devices>\n    <interface type=\"user\">\n      <mac address=\"52:54:00:12:34:56\"/>\n"
	 "      <teaming type=\"persistent\"/>\n    </interface>\n    " VF_XML(
		 "    ") "\n  </devices>\n" TAIL},
};

static void test_merge(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(merges); i++) {
		const char *want = merges[i].out ? merges[i].out : merges[i].in;
		struct sriov_error err = {0};
		char *text, *again;

		if (guest_xml_merge(merges[i].in, &vf, &nodes[1], &text, &err) < 0)
			fail_msg("%s: %s", merges[i].name, err.message);
		if (strcmp(text, want))
			fail_msg("%s:\n%s\nwanted:\n%s", merges[i].name, text, want);
		assert_int_equal(guest_xml_merge(text, &vf, &nodes[1], &again, &err), 0);
		assert_string_equal(again, text);
		free(text);
		free(again);
	}
}

static void test_merge_unknown_node(void **state)
{
	struct sriov_error err;
	char *text;

	assert_int_equal(guest_xml_merge(HEAD OS TAIL, &vf, NULL, &text, &err), 0);
	assert_string_equal(text, HEAD OS DEVICES TAIL);
	free(text);
}

#define D(inner) "<domain><name>web1</name>" inner "</domain>"
static const struct {
	const char *in;
	int code;
	const char *words; /* the element and its value */
} contradictions[] = {
	{D("<numatune><memory nodeset='0'/></numatune>"), -EINVAL, "<memory nodeset='0'>"},
	{D("<numatune><memory nodeset='0-1'/></numatune>"), -EINVAL, "<memory nodeset='0-1'>"},
	{D("<numatune><memory nodeset='x'/></numatune>"), -EINVAL, "not a list"},
	{D("<numatune><memory placement='auto'/></numatune>"), -EINVAL, "placement='auto'"},
	{D("<numatune><memnode cellid='0' nodeset='0'/></numatune>"), -EINVAL, "<memnode>"},
	{D("<vcpu placement='auto'>1</vcpu>"), -EINVAL, "<vcpu placement='auto'>"},
	{D("<vcpu cpuset='7-8'>1</vcpu>"), -EINVAL, "<vcpu cpuset='7-8'>"},
	{D("<vcpu>0</vcpu>"), -EINVAL, "<vcpu>0</vcpu>"},
	{D("<vcpu>65536</vcpu>"), -EINVAL, "<vcpu>65536</vcpu>"},
	{D("<cputune><vcpupin vcpu='0' cpuset='3'/></cputune>"), -EINVAL,
	 "<vcpupin vcpu='0' cpuset='3'>"},
	{D("<cputune><vcpupin cpuset='8'/></cputune>"), -EINVAL, "number of a vCPU"},
	{D("<cputune><vcpupin vcpu='0'/></cputune>"), -EINVAL, "list of CPUs"},
	{D("<devices><hostdev type='pci'><source><address bus='0x81' slot='0x10' function='6'/>"
	   "</source></hostdev></devices>"),
	 -EEXIST, "<hostdev> gives it VF 0000:81:10.6 already"},
	{D("<devices><interface type='hostdev'><source><address type='pci' bus='0x81' slot='16' "
	   "function='6'/></source></interface><interface type='user'><mac "
	   "address='52:54:00:12:34:56'/></interface></devices>"),
	 -EEXIST, "two of its interfaces"},
	{D("<devices><interface><mac address='52:54:00:12:34:56'/></interface><interface><mac "
	   "address='52:54:00:12:34:56'/></interface></devices>"),
	 -EEXIST, "two of its interfaces"},
	{"<network/>", -EINVAL, "<network>"},
	{"<domain><name>", -EINVAL, "line 1:"},
	{"", -EINVAL, "not well-formed"},
	{"<!DOCTYPE domain [<!ENTITY a 'b'>]><domain><name>&a;</name></domain>", -EINVAL,
	 "document type"},
	{"<!DOCTYPE domain SYSTEM 'file:///etc/passwd'><domain/>", -EINVAL, "document type"},
};

static void test_contradictions(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(contradictions); i++) {
		struct sriov_error err = {0};
		char *text = UNTOUCHED;
		int r = guest_xml_merge(contradictions[i].in, &vf, &nodes[1], &text, &err);

		if (r != contradictions[i].code || !strstr(err.message, contradictions[i].words))
			fail_msg("%s: %d %s", contradictions[i].in, r, err.message);
		assert_ptr_equal(text, UNTOUCHED);
	}
}

static void test_node(void **state)
{
	static const struct {
		const char *in;
		int code, node;
	} rows[] = {
		{D(""), 0, -1},
		{D("<numatune><memory nodeset='1'/></numatune>"), 0, 1},
		{D("<numatune><memory nodeset='0-1,^0'/></numatune>"), 0, 1},
		{D("<numatune><memory nodeset='0-1'/></numatune>"), 0, -1},
		{D("<numatune><memory nodeset='7'/></numatune>"), 0, 7},
		{D("<numatune><memory nodeset='0-1'/><memnode nodeset='1'/></numatune>"), 0, 1},
		{D("<numatune><memnode nodeset='0'/><memnode nodeset='1'/></numatune>"), 0, -1},
		{D("<cputune><vcpupin cpuset='8'/><vcpupin cpuset='9-11'/></cputune>"), 0, 1},
		{D("<cputune><vcpupin cpuset='0'/><vcpupin cpuset='9'/></cputune>"), 0, -1},
		{D("<vcpu cpuset='0-3'>2</vcpu>"), 0, 0},
		{D("<vcpu cpuset='0-3'>2</vcpu><cputune><vcpupin cpuset='8'/></cputune>"), 0, 1},
		{D("<vcpu cpuset='0-99'>2</vcpu>"), 0, -1},
		{D("<vcpu cpuset='3-0'>2</vcpu>"), -EINVAL, 99},
		{D("<numatune><memnode nodeset=''/></numatune>"), -EINVAL, 99},
		{"<a/>", -EINVAL, 99},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sriov_error err = {0};
		int node = 99;
		int r = guest_xml_node(rows[i].in, nodes, 2, &node, &err);

		if (r != rows[i].code || node != rows[i].node)
			fail_msg("%s: %d, node %d: %s", rows[i].in, r, node, err.message);
	}
}

static void test_identity(void **state)
{
	static const struct {
		const char *in;
		int code;
		const char *name, *uuid;
	} rows[] = {
		{"<domain/>", 0, "", ""},
		{"<domain><name> web1\n</name><uuid/></domain>", 0, "web1", ""},
		{"<domain><name>a&amp;<![CDATA[<b>]]></name></domain>", 0, "a&<b>", ""},
		{"<domain><uuid>6F1C2B5E-0000-4000-8000-000000000001</uuid></domain>", 0, "",
		 "6f1c2b5e-0000-4000-8000-000000000001"},
		{"<domain><uuid>6f1c2b5e000040008000000000000001</uuid></domain>", 0, "",
		 "6f1c2b5e-0000-4000-8000-000000000001"},
		{"<domain><uuid>6f1c2b5e-0000-4000-8000-00000000000</uuid></domain>", -EINVAL, 0,
		 0},
		{"<domain><uuid>6f1c2b5e-0000-4000-8000-0000000000011</uuid></domain>", -EINVAL, 0,
		 0},
		{"<domain><uuid>web1</uuid></domain>", -EINVAL, 0, 0},
		{"<domain><metadata><x:name xmlns:x='u'>no</x:name></metadata></domain>", 0, "",
		 ""},
		{"<domain><x:name xmlns:x='u'>no</x:name></domain>", 0, "", ""},
		{"<domain><name>"
		 "0123456789012345678901234567890123456789012345678901234567890123</name></domain>",
		 -ENAMETOOLONG, 0, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char name[SRIOV_NAME_LEN] = "untouched", uuid[40] = "untouched";
		struct sriov_error err = {0};
		int r = guest_xml_identity(rows[i].in, name, uuid, &err);

		if (r != rows[i].code)
			fail_msg("%s: %d %s", rows[i].in, r, err.message);
		assert_string_equal(name, r ? "untouched" : rows[i].name);
		assert_string_equal(uuid, r ? "untouched" : rows[i].uuid);
	}
}

/* <domain> with @depth - 1 levels in it, or padded to @size bytes. */
static char *big_domain(unsigned depth, size_t size)
{
	char *text = calloc(1, size + 16 * depth + 32), *p = text;

	p = stpcpy(p, "<domain>");
	for (unsigned i = 1; i < depth; i++)
		p = stpcpy(p, "<a>");
	for (unsigned i = 1; i < depth; i++)
		p = stpcpy(p, "</a>");
	if (size)
		memset(p, ' ', size - (p - text) - strlen("</domain>"));
	p += strlen(p);
	strcpy(p, "</domain>");
	return text;
}

static void test_limits(void **state)
{
	static const struct {
		unsigned depth;
		size_t size;
		int code;
	} rows[] = {
		{64, 0, 0},      {65, 0, -EINVAL},           {5000, 0, -EINVAL},
		{1, 1 << 20, 0}, {1, (1 << 20) + 1, -EFBIG},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *text = big_domain(rows[i].depth, rows[i].size);
		char name[SRIOV_NAME_LEN], uuid[40];
		struct sriov_error err = {0};

		assert_int_equal(guest_xml_identity(text, name, uuid, &err), rows[i].code);
		free(text);
	}
}

static void test_cpuset(void **state)
{
	static const struct {
		const char *text;
		int code, only;
	} rows[] = {
		{"", 0, -1},
		{"5", 0, 5},
		{" 0-3 , ^0,^1,^2 ", 0, 3},
		{"8191", 0, 8191},
		{"0,64", 0, -1},
		{"8192", -ERANGE, 0},
		{"99999999999", -ERANGE, 0},
		{"1-", -EINVAL, 0},
		{"-1", -EINVAL, 0},
		{"1,,2", -EINVAL, 0},
		{"1,", -EINVAL, 0},
		{"^", -EINVAL, 0},
		{"^1-2", -EINVAL, 0},
		{"3-1", -EINVAL, 0},
		{"a", -EINVAL, 0},
		{"1 2", -EINVAL, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct cpuset set = {.bits = {1ull << 42}};

		if (cpuset_parse(rows[i].text, &set) != rows[i].code)
			fail_msg("'%s'", rows[i].text);
		assert_int_equal(cpuset_only(&set), rows[i].code ? 42 : rows[i].only);
	}
}

static void test_schema(void **state)
{
	static const char *const domains[] = {
		HEAD VCPU(2) OS TAIL,
		HEAD OS "  <devices>\n    <interface type=\"user\"/>\n  </devices>\n" TAIL,
		HEAD "  <vcpu current=\"1\" cpuset=\"8-9\">4</vcpu>\n" OS TAIL,
		HEAD VCPU(2) "  <numatune>\n    <memnode cellid=\"0\" mode=\"restrictive\" "
			     "nodeset=\"1\"/>\n  </numatune>\n" OS TAIL,
	};
	void *library;
	xmlRelaxNGPtr schema = schema_load(&library);

	if (!schema)
		skip();
	/* it can say no */
	assert_int_not_equal(schema_judge(schema, D("<vcpu>many</vcpu>")), 0);
	for (size_t i = 0; i < ARRAY_SIZE(domains); i++) {
		struct guest_interface itf = vf;

		for (unsigned vlan = 0; vlan <= 4094; vlan += 4094) {
			struct sriov_error err = {0};
			char *text;

			itf.vlan = vlan;
			assert_int_equal(guest_xml_merge(domains[i], &itf, &nodes[1], &text, &err),
					 0);
			if (schema_judge(schema, text))
				fail_msg("the schema refuses:\n%s", text);
			free(text);
		}
	}
	schema_free(schema, library);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_interface),      cmocka_unit_test(test_interface_refused),
		cmocka_unit_test(test_merge),          cmocka_unit_test(test_merge_unknown_node),
		cmocka_unit_test(test_contradictions), cmocka_unit_test(test_node),
		cmocka_unit_test(test_identity),       cmocka_unit_test(test_limits),
		cmocka_unit_test(test_cpuset),         cmocka_unit_test(test_schema),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
