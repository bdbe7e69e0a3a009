/* SPDX-License-Identifier: Apache-2.0 */
/* Domain XML as libvirt's hook gets it: what is read of it, what is refused, and what rewriting leaves alone. */
#include "lib/guest/hookxml.h"

#include "lib/core/core.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define HEAD "<domain><name>web1</name><uuid>6f1c2b5e-0000-4000-8000-000000000011</uuid>"

static int read_text(const char *text, struct hook_domain *out, struct sriov_error *err)
{
	return hook_domain_read(text, strlen(text), out, err);
}

static void test_captured(void **state)
{
	_hook_domain_ struct hook_domain domain = {0};
	_free_ char *text = NULL;
	struct sriov_error err;
	size_t size;

	assert_int_equal(core_read_file(AT_FDCWD,
					TEST_SOURCE_DIR
					"/tests/fuzz/corpus/domxml/hook-prepare.xml",
					HOOK_XML_MAX, &text, &size),
			 0);
	assert_int_equal(hook_domain_read(text, size, &domain, &err), 0);
	assert_string_equal(domain.name, "instance-00000011");
	assert_string_equal(domain.uuid, "6f1c2b5e-0000-4000-8000-000000000011");
	assert_int_equal(domain.ndevices, 1);
	assert_string_equal(domain.device[0].address, "0000:3b:02.3");
	assert_true(domain.device[0].interface);
	assert_int_equal(domain.device[0].vlan, 101);
	assert_int_equal(domain.device[0].mac[5], 0xaa);
	assert_string_equal(domain.flavor, "m1.dpdk");
	assert_string_equal(domain.project, "bbbbbbbb-1111-4111-8111-bbbbbbbbbbbb");
	assert_int_equal(domain.nports, 1);
	assert_string_equal(domain.port[0], "dc065497-3c8d-4f44-8fb4-e1d33c16a536");
	assert_null(domain.flows);
}

static void test_said(void **state)
{
	static const char text[] =
		"<?xml version='1.0'?>\n<!-- <domain> -->" HEAD "<vcpu cpuset='0-3,^2'>2</vcpu>"
		"<cputune><vcpupin vcpu='0' cpuset='8'/></cputune>"
		"<numatune><memory mode='strict' nodeset='1'/>"
		"<memnode cellid='0' mode='strict' nodeset='0'/></numatune>"
		"<metadata><n:instance xmlns:n='http://openstack.org/xmlns/libvirt/nova/1.1'>"
		"<n:flavor name='a &amp; &#x62;'><n:extraSpecs>"
		"<n:extraSpec name='sriovctl:flows'>\n udp4 dst-port 53 guest self \n"
		"</n:extraSpec></n:extraSpecs></n:flavor></n:instance>"
		"<nova:instance xmlns:nova='http://example.org/other'><nova:owner>"
		"<nova:project uuid='not-ours'/></nova:owner></nova:instance></metadata>"
		"<devices><hostdev mode='subsystem' type='pci' managed='yes'><source>"
		"<address domain='0' bus='129' slot='0x10' function='0x6'/></source>"
		"<address type='pci' domain='0' bus='7' slot='0' function='0'/></hostdev>"
		"<hostdev mode='subsystem' type='usb'><source><address bus='1' device='2'/>"
		"</source></hostdev>"
		"<interface type='network'><mac address='52:54:00:00:00:01'/></interface>"
		"<interface type='vhostuser'><source type='unix' path='/run/a' mode='server'/>"
		"</interface></devices></domain>\n";
	_hook_domain_ struct hook_domain domain = {0};
	struct sriov_error err;

	assert_int_equal(read_text(text, &domain, &err), 0);
	assert_int_equal(domain.ndevices, 2);
	assert_string_equal(domain.device[0].address, "0000:81:10.6");
	assert_false(domain.device[0].interface);
	assert_true(domain.device[1].vhostuser);
	assert_string_equal(domain.device[1].socket, "/run/a");
	assert_int_equal(cpuset_only(&domain.memory), 1);
	assert_int_equal(cpuset_only(&domain.cells), 0);
	assert_int_equal(cpuset_count(&domain.pins), 4);
	assert_string_equal(domain.flavor, "a & b");
	assert_string_equal(domain.project, "");
	assert_string_equal(domain.flows, "udp4 dst-port 53 guest self");
}

static void test_long_name(void **state)
{
	char text[600];
	_hook_domain_ struct hook_domain domain = {0};
	struct sriov_error err;

	snprintf(text, sizeof(text),
		 "<domain><name>%0200d</name>"
		 "<uuid>6f1c2b5e-0000-4000-8000-000000000011</uuid></domain>",
		 1);
	assert_int_equal(read_text(text, &domain, &err), 0);
	assert_string_equal(domain.name, "6f1c2b5e-0000-4000-8000-000000000011");
}

static void test_refused(void **state)
{
	static const struct {
		const char *text;
		const char *says;
	} cases[] = {
		{"", "no <domain>"},
		{"hello", "outside"},
		{"<domain/>", "no <domain>"},
		{"<domain><name>x</name></domain>", "no <domain>"},
		{"<network><uuid>6f1c2b5e-0000-4000-8000-000000000011</uuid></network>",
		 "no <domain>"},
		{"<!DOCTYPE domain [<!ENTITY a 'b'>]>" HEAD "</domain>", "document type"},
		{"<domain><name>&a;</name></domain>", "entity"},
		{"<domain><name>&#0;</name></domain>", "entity"},
		{"<domain><uuid>x</uuid></domain>", "not a UUID"},
		{HEAD, "middle"},
		{HEAD "</name>", "end tag"},
		{HEAD "</domain><domain/>", "second"},
		{HEAD "<a b=c/></domain>", "attribute"},
		{HEAD "<a b='<'/></domain>", "attribute"},
		{HEAD "<a b/></domain>", "attribute"},
		{HEAD "<!-- ", "no end"},
		{HEAD "< /></domain>", "name"},
		{HEAD "<devices><hostdev type='pci'><source><address bus='256'/></source></hostdev>"
		      "</devices></domain>",
		 "PCI address"},
		{HEAD "<devices><hostdev type='pci'><source><address bus='-1'/></source></hostdev>"
		      "</devices></domain>",
		 "PCI address"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct hook_domain domain = {.ndevices = 77};
		struct sriov_error err = {0};

		assert_int_equal(read_text(cases[i].text, &domain, &err), -EINVAL);
		assert_non_null(strstr(err.message, cases[i].says));
		assert_int_equal(domain.ndevices, 77);
	}
	assert_int_equal(hook_domain_read(HEAD "\0</domain>", sizeof(HEAD "\0</domain>") - 1,
					  &(struct hook_domain){0}, &(struct sriov_error){0}),
			 -EINVAL);
}

/* many TIMES the text, in the middle of a domain's devices */
static char *many(const char *text, size_t times)
{
	char *out = malloc(strlen(HEAD) + times * strlen(text) + 64), *to = out;

	to = stpcpy(to, HEAD "<devices>");
	while (times--)
		to = stpcpy(to, text);
	stpcpy(to, "</devices></domain>");
	return out;
}

static void test_bounds(void **state)
{
	static const struct {
		const char *text;
		size_t times;
		int code;
	} cases[] = {
		{"<hostdev type='pci'><source><address bus='1'/></source></hostdev>", 256, 0},
		{"<hostdev type='pci'><source><address bus='1'/></source></hostdev>", 257, -EFBIG},
		{"<interface type='bridge'/>", 2000, 0},
		{"<a>", 62, -EINVAL}, /* the end tags do not match */
		{"<a>", 63, -EINVAL}, /* too deep */
		{"<a/>", HOOK_XML_MAX / 4, -EFBIG},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_hook_domain_ struct hook_domain domain = {0};
		_free_ char *text = many(cases[i].text, cases[i].times);
		struct sriov_error err = {0};

		assert_int_equal(read_text(text, &domain, &err), cases[i].code);
	}
}

static void test_rewrite(void **state)
{
	static const char text[] = HEAD
		"<devices><interface type='hostdev'><source>\n"
		"  <address type='pci' domain='0x0000' bus=\"0x3b\" slot='0x02'/>\n"
		"</source></interface><interface type='vhostuser'><source type='unix' path='/a/b' mode='server'/>"
		"</interface></devices> <x/> </domain>\n";
	static const char wanted[] = HEAD
		"<devices><interface type='hostdev'><source>\n"
		"  <address function='0x6' type='pci' domain='0x0000' bus=\"0x81\" slot='0x10'/>\n"
		"</source></interface><interface type='vhostuser'><source type='unix' path='/run/ovs/b' mode='server'/>"
		"</interface></devices> <x/> </domain>\n";
	_hook_domain_ struct hook_domain domain = {0};
	struct hook_rename renames[2];
	_free_ char *out = NULL, *same = NULL;
	struct sriov_error err;

	assert_int_equal(read_text(text, &domain, &err), 0);
	renames[0] = (struct hook_rename){&domain.device[1], "/run/ovs/b"};
	renames[1] = (struct hook_rename){&domain.device[0], "0000:81:10.6"};
	assert_int_equal(hook_rewrite(text, strlen(text), renames, 2, &out, &err), 0);
	assert_string_equal(out, wanted);
	assert_int_equal(hook_rewrite(text, strlen(text), NULL, 0, &same, &err), 0);
	assert_string_equal(same, text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_captured),  cmocka_unit_test(test_said),
		cmocka_unit_test(test_long_name), cmocka_unit_test(test_refused),
		cmocka_unit_test(test_bounds),    cmocka_unit_test(test_rewrite),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
