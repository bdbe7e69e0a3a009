/* SPDX-License-Identifier: Apache-2.0 */
/* Reading host files: what each word becomes, each error with its place, and the schema's words against the reader's. */
#include "lib/plan/hostfile.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void test_words(void **state)
{
	static const char text[] =
		"version: 1\n"
		"pfs:\n"
		"  - match: {address: '0000:81:*', driver: ixgbe}\n"
		"    vfs: 8\n"
		"    mac: auto\n"
		"    driver: vfio-pci\n"
		"    vlan: 100\n"
		"    owner: ops\n"
		"    vf:\n"
		"      0-2,5: {trust: on, pool: nova, vlan: 7:3, mac: 02:00:5e:10:00:01}\n"
		"      7: {max-rate: 1000, min-rate: 10, link-state: enable}\n"
		"    rules: |\n"
		"      # first\n"
		"      name a udp4 dst-port 53 drop\n"
		"\n"
		"      name b udp4 dst-port 54 queue 1\n"
		"  - match: ens1f0\n"
		"    partial: true\n"
		"    rules: \"\"\n"
		"physnets:\n"
		"  red: {pfs: [ens1f0, 'ens2*']}\n"
		"  blue:\n"
		"    pfs: [eno1]\n"
		"    paths: [vhostuser, vf]\n"
		"    numa: required\n"
		"    vswitch: {bridge: br-blue, uplink: 'vf:7', sockets: /run/blue}\n"
		"policies:\n"
		"  allow: [narrower, unknown]\n"
		"  link-timeout: 90\n";
	struct sriov_error err = {0};
	struct hostfile file;

	if (hostfile_parse(text, "f", AT_FDCWD, &file, &err))
		fail_msg("%s: %s", err.object, err.message);
	assert_int_equal(file.npfs, 2);
	assert_int_equal(file.pf[0].line, 3);
	assert_string_equal(file.pf[0].address, "0000:81:*");
	assert_string_equal(file.pf[0].driver, "ixgbe");
	assert_string_equal(file.pf[0].netdev, "");
	assert_true(file.pf[0].has_count && !file.pf[1].has_count);
	assert_int_equal(file.pf[0].count, 8);
	assert_true(file.pf[0].all.mac_auto);
	assert_int_equal(file.pf[0].all.bind, SRIOV_BIND_VFIO);
	assert_int_equal(file.pf[0].all.attrs.has, SRIOV_VF_VLAN);
	assert_int_equal(file.pf[0].nranges, 2);
	assert_true(sriov_vfset_has(&file.pf[0].range[0].vfs, 5));
	assert_false(sriov_vfset_has(&file.pf[0].range[0].vfs, 3));
	assert_int_equal(file.pf[0].range[0].attrs.has,
			 SRIOV_VF_TRUST | SRIOV_VF_VLAN | SRIOV_VF_MAC);
	assert_int_equal(file.pf[0].range[0].attrs.vlan, 7);
	assert_int_equal(file.pf[0].range[0].attrs.qos, 3);
	assert_string_equal(file.pf[0].range[0].pool, "nova");
	assert_int_equal(file.pf[0].range[1].attrs.min_rate, 10);
	assert_int_equal(file.pf[0].range[1].attrs.link, SRIOV_LINK_ENABLE);
	assert_int_equal(file.pf[0].rules.n, 2);
	assert_string_equal(file.pf[0].rules.at[1].name, "b");
	assert_string_equal(file.pf[0].rules.at[1].owner, "ops");
	/* policies are for the entries before them too */
	assert_int_equal(file.pf[0].allow, 1u << SRIOV_NARROWER | 1u << SRIOV_UNSURE);
	assert_true(file.pf[1].partial && file.pf[1].has_rules && !file.pf[1].rules.n);
	assert_int_equal(file.link_timeout, 90);
	assert_true(file.has_nets);
	assert_string_equal(file.net[0].pf[1], "ens2*");
	assert_int_equal(file.net[0].vswitch, 0);
	assert_true(file.net[1].vswitch > 0);
	assert_int_equal(file.net[1].policy.npaths, 2);
	assert_int_equal(file.net[1].policy.path[0], SRIOV_PATH_VHOSTUSER);
	assert_true(file.net[1].policy.has_numa && !file.net[0].policy.has_numa);
	assert_int_equal(file.net[1].policy.numa, SRIOV_NUMA_REQUIRED);
	assert_string_equal(file.net[1].bridge, "br-blue");
	assert_string_equal(file.net[1].uplink, "vf:7");
	assert_string_equal(file.net[1].sockets, "/run/blue");
	hostfile_clear(&file);
}

#define TOP "version: 1\n"
#define PF TOP "pfs:\n  - match: a\n"

static void test_errors(void **state)
{
	static const struct {
		const char *text, *object, *message, *hint;
	} rows[] = {
		{"", "f:1:1", "version is missing", "version: 1"},
		{"- a\n", "f:1:1", "list", "KEY: VALUE"},
		{"version: 2\n", "f:1:10", "'2' is not", "version: 1"},
		{TOP "pf: []\n", "f:2:1", "'pf' is no key", "did you mean pfs?"},
		{TOP "zzzzzzzz: []\n", "f:2:1", "'zzzzzzzz' is no key", "version, policies, pfs"},
		{TOP "pfs: {}\n", "f:2:6", "mapping", "- "},
		{TOP "pfs:\n  - vfs: 1\n", "f:3:5", "which PFs", "match: 0000:81:00.0"},
		{TOP "pfs:\n  - match: []\n", "f:3:12", "list", "PCI address"},
		{TOP "pfs:\n  - match: {adress: a}\n", "f:3:13", "'adress'",
		 "did you mean address?"},
		{PF "    vfs: many\n", "f:4:10", "'many'", "from 0 to 256"},
		{PF "    vfs: 257\n", "f:4:10", "'257'", "from 0 to 256"},
		{PF "    vfs: -1\n", "f:4:10", "'-1'", "from 0 to 256"},
		{PF "    vlan: 5000\n", "f:4:11", "'5000' is not a VLAN", ""},
		{PF "    mac: 1:2:3\n", "f:4:10", "'1:2:3' is not a MAC", "auto"},
		{PF "    trust: maybe\n", "f:4:12", "'maybe' is not on or off", "on or off"},
		{PF "    driver: vfio-cpi\n", "f:4:13", "'vfio-cpi'", "did you mean vfio-pci?"},
		{PF "    link-state: x\n", "f:4:17", "'x'", "auto, enable, disable"},
		{PF "    min-rate: 5\n", "f:4:5", "min-rate also needs max-rate", "both"},
		{PF "    pool: -x\n", "f:4:11", "'-x' is not a name", "letters"},
		{PF "    allow: [wider]\n", "f:4:13", "'wider'", "narrower, broader"},
		{PF "    trust: on\n    trust: off\n", "f:5:5", "'trust' stands here twice",
		 "keep one"},
		{PF "    vf: {a-b: {}}\n", "f:4:10", "'a-b' names no VFs", "0-3"},
		{PF "    vf: {all: {}}\n", "f:4:10", "'all' names no VFs", "entry itself"},
		{PF "    vf: {0-3: {}, 2: {}}\n", "f:4:19", "VF 2 stands in line 4 already", ""},
		{PF "    vf: {0: {vlna: 3}}\n", "f:4:14", "'vlna'", "did you mean vlan?"},
		{PF "    vf: {0: {min-rate: 3}}\n", "f:4:14", "min-rate also", ""},
		{PF "    vfs: 2\n    vf:\n      0-2: {}\n", "f:6:7", "there will be no VF 2",
		 "VFs are 0-1"},
		{PF "    rules: |\n      udp4 dst-port 53 drop\n\n      udp4 dst-prt 54 drop\n",
		 "f:7:12", "dst-prt", "dst-port"},
		{PF
		 "    rules: |\n      name a udp4 dst-port 1 drop\n      name a udp4 dst-port 2 drop\n",
		 "f:6", "a", ""},
		{PF "    rules: udp4 dst-port 53 drop\n", "f:4:12", "block of rules", "rules: |"},
		{PF "    rules: ''\n    rules-file: x\n", "f:5:17", "cannot be read", ""},
		{PF "    rules-file: no/such\n", "f:4:17", "no/such cannot be read", ""},
		{TOP "physnets: {a b: {pfs: [x]}}\n", "f:2:12", "'a b' is not a name", ""},
		{TOP "physnets: {a: {}}\n", "f:2:12", "has no PFs", "pfs:"},
		{TOP "physnets: {a: {pfs: x}}\n", "f:2:21", "'x' is not the PFs", "- "},
		{TOP "physnets: {a: {pfs: [x], vswitch: br}}\n", "f:2:35", "'br' is not the bridge",
		 ""},
		{TOP "physnets: {a: {pfs: [x], vswitch: {bridge: br}}}\n", "f:2:26",
		 "uplink is missing", "vswitch: {bridge"},
		{TOP "physnets: {a: {pfs: [x], vswitch: {uplink: af_xdp}}}\n", "f:2:26",
		 "bridge is missing", ""},
		{TOP "physnets: {a: {pfs: [x], vswitch: {brigde: br}}}\n", "f:2:36",
		 "'brigde' is no key", "did you mean bridge?"},
		{TOP "physnets: {a: {pfs: [x], vswitch: {bridge: br-0123456789012}}}\n", "f:2:44",
		 "is not a name", "1 to 15"},
		{TOP "physnets: {a: {pfs: [x], vswitch: {uplink: 'vf:256'}}}\n", "f:2:44",
		 "'vf:256' is not an uplink", "vf:N"},
		{TOP "physnets: {a: {pfs: [x], vswitch: {uplink: [vf]}}}\n", "f:2:44",
		 "a list stands here", "af_packet or af_xdp"},
		{TOP "physnets: {a: {pfs: [x], vswitch: {sockets: run}}}\n", "f:2:45",
		 "'run' is not a directory", "absolute"},
		{TOP "physnets: {a: {pfs: [x], paths: vf}}\n", "f:2:33", "'vf' is not a list", ""},
		{TOP "physnets: {a: {pfs: [x], paths: []}}\n", "f:2:33", "a list stands here",
		 "vhostuser"},
		{TOP "physnets: {a: {pfs: [x], paths: [vf, tap]}}\n", "f:2:38", "'tap'",
		 "vf, vhostuser"},
		{TOP "physnets: {a: {pfs: [x], paths: [vf, vf]}}\n", "f:2:38",
		 "'vf' is not another path", "once"},
		{TOP "physnets: {a: {pfs: [x], numa: near}}\n", "f:2:32", "'near'",
		 "preferred, required, socket, any"},
		{TOP "policies: {partial: 7}\n", "f:2:21", "'7' is not on or off", ""},
		{TOP "policies: {link-timeout: 9999}\n", "f:2:26", "'9999'", "3600"},
		/* what is no YAML, or YAML that is not taken */
		{TOP "\tpfs: []\n", "f:2:1", "not YAML", "not tabs"},
		{TOP "pfs: [\n", "f:3:1", "not YAML", ""},
		{TOP "a: &x 1\n", "f:2:4", "anchors and aliases", "write it out"},
		{TOP "pfs: *x\n", "f:2:6", "anchors and aliases", "write it out"},
		{TOP "pfs: !!seq []\n", "f:2:6", "tags", ""},
		{TOP "? [a]\n: b\n", "f:2:3", "a key is a word", ""},
		{TOP "---\nversion: 1\n", "f:2:1", "second document", "one document"},
		{TOP "pfs: [[[[[[[[[[[[[]]]]]]]]]]]]]\n", "f:2:17", "deeper", "12 levels"},
		{TOP "pfs: \"\\0\"\n", "f:2:6", "NUL", ""},
		{TOP "pfs: \"\001\"\n", "f:", "not YAML", "UTF-8"},
		{TOP "pfs: \"\xff\"\n", "f:", "not YAML", "UTF-8"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sriov_error err = {0};
		struct hostfile file = {.npfs = 77};
		int r = hostfile_parse(rows[i].text, "f", AT_FDCWD, &file, &err);

		if (r >= 0 || r != err.code || file.npfs != 77 ||
		    strncmp(err.object, rows[i].object, strlen(rows[i].object)) != 0 ||
		    (!strstr(err.message, rows[i].message)) || !strstr(err.hint, rows[i].hint))
			fail_msg("row %zu: %d\n%s%s: %s\n  %s", i, r, rows[i].text, err.object,
				 err.message, err.hint);
	}
}

/* Texts that grow when they are read: refused by count, depth or size, and at once. */
static void test_bombs(void **state)
{
	static const char laughs[] = "a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n";
	struct sriov_error err = {0};
	struct hostfile file;
	char *text = malloc(CORE_YAML_SIZE_MAX + 2);

	assert_int_equal(hostfile_parse(laughs, "f", AT_FDCWD, &file, &err), -EINVAL);
	memset(text, '#', CORE_YAML_SIZE_MAX + 1);
	text[CORE_YAML_SIZE_MAX + 1] = '\0';
	assert_int_equal(hostfile_parse(text, "f", AT_FDCWD, &file, &err), -EFBIG);
	memset(text, '[', CORE_YAML_SIZE_MAX);
	text[CORE_YAML_SIZE_MAX] = '\0';
	assert_int_equal(hostfile_parse(text, "f", AT_FDCWD, &file, &err), -EINVAL);
	strcpy(text, "version: 1\npfs: [");
	for (size_t i = 0; i < CORE_YAML_CHILDREN_MAX + 1; i++)
		strcat(text, "a,");
	strcat(text, "]\n");
	assert_int_equal(hostfile_parse(text, "f", AT_FDCWD, &file, &err), -EINVAL);
	assert_non_null(strstr(err.message, "more members"));
	free(text);
}

static void same_keys(const json_t *object, enum hostfile_map map, const char *name)
{
	const json_t *properties = json_object_get(object, "properties");
	const char *const *keys = hostfile_keys(map);
	size_t n = 0;

	for (; keys[n]; n++)
		if (!json_object_get(properties, keys[n]))
			fail_msg("the schema's %s lacks %s", name, keys[n]);
	assert_int_equal(json_object_size(properties), n);
}

static void test_schema(void **state)
{
	json_t *schema = json_load_file(TEST_SOURCE_DIR "/examples/hostfiles/host.schema.json", 0,
					NULL);
	const json_t *defs = json_object_get(schema, "$defs");

	assert_non_null(schema);
	same_keys(schema, HOSTFILE_TOP, "file");
	same_keys(json_object_get(json_object_get(schema, "properties"), "policies"),
		  HOSTFILE_POLICIES, "policies");
	same_keys(json_object_get(defs, "pf"), HOSTFILE_PF, "pf");
	same_keys(json_object_get(defs, "match"), HOSTFILE_MATCH, "match");
	same_keys(json_object_get(defs, "vfs"), HOSTFILE_VFS, "vfs");
	same_keys(json_object_get(defs, "physnet"), HOSTFILE_NET, "physnet");
	same_keys(json_object_get(defs, "vswitch"), HOSTFILE_VSWITCH, "vswitch");
	json_decref(schema);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_bombs),
		cmocka_unit_test(test_schema),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
