/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshots: reading and writing are each other's inverse, and nothing malformed gets in. */
#include "flows/flows.h"
#include "lib/host/host.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* JSON for C strings: ' stands for ". */
static json_t *json(const char *text)
{
	_free_ char *copy = strdup(text);
	json_error_t where;
	json_t *value;

	for (char *p = copy; *p; p++) {
		if (*p == '\'')
			*p = '"';
	}
	value = json_loads(copy, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &where);
	if (!value)
		fail_msg("%s: %s", text, where.text);
	return value;
}

#define HOST(rest) "{'format':'sriovctl-host','version':1" rest "}"
#define NODE(rest) HOST(",'nodes':[{'id':0" rest "}]")
#define PF(rest) HOST(",'pfs':[{'address':'0000:81:00.0','driver':'ixgbe'" rest "}]")
#define VF(rest) PF(",'vfs':{'now':1,'total':63},'vf':[{'address':'0000:81:10.0'" rest "}]")
#define ATTRS(rest) VF(",'attrs':{" rest "}")
#define LONG "0123456789012345678901234567890123456789012345678901234567890123456789"

static void refused(void **state)
{
	static const struct {
		const char *text;
		int r;
		const char *message; /* its beginning */
	} rows[] = {
		{"[]", -EINVAL, "not a snapshot of a host"},
		{"null", -EINVAL, "not a snapshot of a host"},
		{"7", -EINVAL, "not a snapshot of a host"},
		{"{}", -EINVAL, "not a snapshot of a host"},
		{"{'format':'other','version':1}", -EINVAL, "not a snapshot of a host"},
		{"{'format':1,'version':1}", -EINVAL, "not a snapshot of a host"},
		{"{'format':'sriovctl-host'}", -EINVAL, "version: must be a whole number"},
		{"{'format':'sriovctl-host','version':'1'}", -EINVAL, "version: must be"},
		{"{'format':'sriovctl-host','version':0}", -EINVAL, "version: must be"},
		{"{'format':'sriovctl-host','version':2,'new':1}", -EPROTONOSUPPORT,
		 "version: 2 is newer than this sriovctl"},
		{HOST(",'kernle':'6.12'"), -EINVAL,
		 "kernle: is not known here, did you mean 'kernel'?"},
		{HOST(",'zzzzzzzzzzzz':1"), -EINVAL, "zzzzzzzzzzzz: is not known here"},
		{HOST(",'kernel':6"), -EINVAL, "kernel: must be text"},
		{HOST(",'kernel':'" LONG "'"), -ERANGE, "kernel: is 70 bytes long, at most 64"},
		{HOST(",'hostname':'a\\u001bb'"), -EINVAL,
		 "hostname: has the control character 0x1b"},
		{HOST(",'iommu':1"), -EINVAL, "iommu: must be true or false"},
		{HOST(",'nodes':{}"), -EINVAL, "nodes: must be an array"},
		{HOST(",'nodes':[7]"), -EINVAL, "nodes[0]: must be an object"},
		{HOST(",'nodes':[{}]"), -EINVAL, "nodes[0].id: is missing"},
		{HOST(",'nodes':[{'id':-1}]"), -ERANGE,
		 "nodes[0].id: -1 is out of range (0 to 1023)"},
		{HOST(",'nodes':[{'id':1.5}]"), -EINVAL, "nodes[0].id: must be a whole number"},
		{HOST(",'nodes':[{'id':0},{'id':1},{'id':0}]"), -EEXIST,
		 "nodes[2].id: 0 is also the id of nodes[0]"},
		{NODE(",'cpus':'0-7;reboot'"), -EINVAL,
		 "nodes[0].cpus: '0-7;reboot' is not a list"},
		{NODE(",'cpus':'0-3','cores':'0'"), -EINVAL, "nodes[0].cores: must be an array"},
		{NODE(",'cpus':'0-3','cores':[0]"), -EINVAL,
		 "nodes[0].cores[0]: is not a list of a core's CPUs"},
		{NODE(",'cpus':'0-3','cores':['']"), -EINVAL,
		 "nodes[0].cores[0]: is not a list of a core's CPUs"},
		{NODE(",'cpus':'0-3','cores':['0','0-1']"), -EINVAL,
		 "nodes[0].cores[1]: '0-1' has CPUs that are in another core, or not in the "
		 "node's '0-3'"},
		{NODE(",'cpus':'0-3','cores':['4']"), -EINVAL,
		 "nodes[0].cores[0]: '4' has CPUs that are in another core, or not in"},
		{NODE(",'cpus':'3-0','cores':[]"), -EINVAL,
		 "nodes[0].cpus: '3-0' is not a list of CPUs"},
		{NODE(",'socket':2000"), -ERANGE, "nodes[0].socket: 2000 is out of range"},
		{PF(",'irq_cpus':4"), -EINVAL, "pfs[0].irq_cpus: is not a list of CPUs"},
		{PF(",'irq_cpus':'4-'"), -EINVAL, "pfs[0].irq_cpus: is not a list of CPUs"},
		{NODE(",'memory_mib':-1"), -ERANGE, "nodes[0].memory_mib: -1 is out of range"},
		{NODE(",'hugepages':[{'total':1}]"), -EINVAL,
		 "nodes[0].hugepages[0].size_kib: is missing"},
		{NODE(",'hugepages':[{'size_kib':4,'total':1,'free':2}]"), -EINVAL,
		 "nodes[0].hugepages[0].free: is more than the total of 1"},
		{NODE(",'hugepages':[1,2,3,4,5]"), -E2BIG,
		 "nodes[0].hugepages: has 5 elements, at most 4"},
		{HOST(",'pfs':[{}]"), -EINVAL, "pfs[0].address: is missing"},
		{HOST(",'pfs':[{'address':'81:00'}]"), -EINVAL,
		 "pfs[0].address: '81:00' is not a PCI address"},
		{HOST(",'pfs':[{'address':'81:00.0'},{'address':'0000:81:00.0'}]"), -EEXIST,
		 "pfs[1].address: 0000:81:00.0 is also that of pfs[0]"},
		{HOST(",'pfs':[{'address':'81:00.0','netdev':'e'},{'address':'82:00.0','netdev':'e'}]"),
		 -EEXIST, "pfs[1].netdev: e is also that of pfs[0]"},
		{PF(",'netdev':'../../etc'"), -EINVAL, "pfs[0].netdev: '../../etc' is not a name"},
		{PF(",'netdev':'a b'"), -EINVAL, "pfs[0].netdev: 'a b' is not a name"},
		{PF(",'netdev':'0123456789abcdef'"), -ERANGE, "pfs[0].netdev: is 16 bytes long"},
		{PF(",'mac':'1:2'"), -EINVAL, "pfs[0].mac: '1:2' is not a MAC address"},
		{PF(",'vendor':'80867'"), -EINVAL, "pfs[0].vendor: '80867' is not a PCI id"},
		{PF(",'device':'10fg'"), -EINVAL, "pfs[0].device: '10fg' is not a PCI id"},
		{PF(",'device':4347"), -EINVAL, "pfs[0].device: must be a PCI id as text"},
		{PF(",'in_tree':'yes'"), -EINVAL, "pfs[0].in_tree: must be true, false or null"},
		{PF(",'node':4294967296"), -ERANGE, "pfs[0].node: 4294967296 is out of range"},
		{PF(",'node':-2"), -ERANGE, "pfs[0].node: -2 is out of range"},
		{PF(",'ntuple':'On'"), -EINVAL,
		 "pfs[0].ntuple: 'On' is unknown, did you mean 'on'?"},
		{PF(",'carrier':true"), -EINVAL, "pfs[0].carrier: is true on a port that is down"},
		{PF(",'uses':[{}]"), -EINVAL, "pfs[0].uses[0].who: is missing"},
		{PF(",'uses':'me'"), -EINVAL, "pfs[0].uses: must be an array"},
		{PF(",'vfs':4"), -EINVAL, "pfs[0].vfs: must be an object"},
		{PF(",'vfs':{'now':2,'total':1}"), -EINVAL,
		 "pfs[0].vfs.now: is 2, more than the total of 1"},
		{PF(",'vfs':{'now':1000,'total':2000}"), -ERANGE,
		 "pfs[0].vfs.now: 1000 is out of range"},
		{PF(",'vfs':{'now':2,'total':4},'vf':[]"), -EINVAL,
		 "pfs[0].vf: lists 0 VFs, but vfs.now is 2"},
		{PF(",'vf':[{'address':'0000:81:10.0'}]"), -EINVAL, "pfs[0].vf: lists 1 VFs"},
		{VF(",'index':1"), -EINVAL,
		 "pfs[0].vf[0].index: is 1, but VFs are listed in order"},
		{VF(",'up':true"), -EINVAL, "pfs[0].vf[0].up: is true without a netdev"},
		{PF(",'vfs':{'now':1,'total':1},'vf':[{'address':'0000:81:00.0'}]"), -EEXIST,
		 "pfs[0].vf[0].address: 0000:81:00.0 is also that of pfs[0]"},
		{ATTRS("'mac':'zz'"), -EINVAL, "pfs[0].vf[0].attrs.mac: 'zz' is not a MAC address"},
		{ATTRS("'mac':'02:00:00:00:00:01\\u0000'"), -EINVAL,
		 "pfs[0].vf[0].attrs.mac: has the control character 0x00"},
		{ATTRS("'vlan':4096"), -ERANGE,
		 "pfs[0].vf[0].attrs.vlan: 4096 is out of range (0 to 4095)"},
		{ATTRS("'vlan':1,'qos':8"), -ERANGE, "pfs[0].vf[0].attrs.qos: 8 is out of range"},
		{ATTRS("'qos':3"), -EINVAL, "pfs[0].vf[0].attrs.qos: has no vlan beside it"},
		{ATTRS("'proto':'802.1Q'"), -EINVAL,
		 "pfs[0].vf[0].attrs.proto: has no vlan beside it"},
		{ATTRS("'vlan':1,'proto':'x'"), -EINVAL, "pfs[0].vf[0].attrs.proto: must be"},
		{ATTRS("'vlan':1,'proto':33024"), -EINVAL, "pfs[0].vf[0].attrs.proto: must be"},
		{ATTRS("'max_rate':4294967296"), -ERANGE,
		 "pfs[0].vf[0].attrs.max_rate: 4294967296"},
		{ATTRS("'min_rate':9,'max_rate':8"), -EINVAL,
		 "pfs[0].vf[0].attrs.max_rate: is smaller than min_rate"},
		{ATTRS("'link':'up'"), -EINVAL, "pfs[0].vf[0].attrs.link: 'up' is unknown"},
		{ATTRS("'trust':0"), -EINVAL, "pfs[0].vf[0].attrs.trust: must be true or false"},
		{PF(",'bridge':'vebb'"), -EINVAL, "pfs[0].bridge: 'vebb' is unknown, did you mean"},
		{PF(",'rss_key':7"), -EINVAL, "pfs[0].rss_key: must be bytes in hexadecimal"},
		{PF(",'rss_key':'6d5'"), -EINVAL, "pfs[0].rss_key: must be bytes in hexadecimal"},
		{PF(",'rss_key':'6x'"), -EINVAL, "pfs[0].rss_key: must be bytes in hexadecimal"},
		{PF(",'rss_key':'" LONG LONG "'"), -ERANGE,
		 "pfs[0].rss_key: has 70 bytes, at most 64 are allowed"},
		{PF(",'rss_fields':[]"), -EINVAL, "pfs[0].rss_fields: must be an object"},
		{PF(",'rss_fields':{'udp5':'sd'}"), -EINVAL,
		 "pfs[0].rss_fields: 'udp5' is not a flow type"},
		{PF(",'rss_fields':{'udp4':'sx'}"), -EINVAL,
		 "pfs[0].rss_fields: 'udp4' must be letters of s, d, f and n"},
		{PF(",'rss_fields':{'udp4':''}"), -EINVAL, "pfs[0].rss_fields: 'udp4' must be"},
		{PF(",'rss_fields':{'udp4':3}"), -EINVAL, "pfs[0].rss_fields: 'udp4' must be"},
		{PF(",'rules':[7]"), -EINVAL, "pfs[0].rules[0]: "},
		{PF(",'rules':[{'loc':5,'flow':'udp4','cookie':'0x1'},{'loc':5,'flow':'udp4','cookie':'0x1'}]"),
		 -EEXIST, "pfs[0].rules[1].loc: is 5 after 5"},
		{PF(",'rules':[{'loc':5,'flow':'udp4','cookie':'0x1'},{'loc':4,'flow':'udp4','cookie':'0x1'}]"),
		 -EINVAL, "pfs[0].rules[1].loc: is 4 after 5"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sriov_inventory *untouched = (void *)&rows, *inv = untouched;
		_json_ json_t *value = json(rows[i].text);
		struct sriov_error err = {0};
		int r = inventory_decode(value, &inv, &err);

		if (r != rows[i].r ||
		    strncmp(err.message, rows[i].message, strlen(rows[i].message)))
			fail_msg("%s: %d '%s', not %d '%s'", rows[i].text, r, err.message,
				 rows[i].r, rows[i].message);
		assert_ptr_equal(inv, untouched);
		assert_int_equal(err.code, r);
		assert_int_equal(inventory_decode(value, &inv, NULL), r);
	}
}

static struct sriov_inventory *decode(const char *text)
{
	_json_ json_t *value = json(text);
	struct sriov_inventory *inv = NULL;
	struct sriov_error err = {0};

	if (inventory_decode(value, &inv, &err) < 0)
		fail_msg("%s: %s", text, err.message);
	return inv;
}

static void defaults(void **state)
{
	struct sriov_inventory *inv = decode(HOST(""));

	assert_int_equal(inv->npfs, 0);
	sriov_inventory_free(inv);
	inv = decode(PF(",'netdev':'e0','mac':'02:00:00:00:00:01','vendor':'8086','device':'10FB',"
			"'vfs':{'now':0,'total':63}"));
	assert_int_equal(inv->pf[0].node, -1);
	assert_int_equal(inv->pf[0].iommu_group, -1);
	assert_int_equal(inv->pf[0].ifindex, 2);
	assert_int_equal(inv->pf[0].mtu, 1500);
	assert_int_equal(inv->pf[0].in_tree, SRIOV_UNKNOWN);
	assert_true(inv->pf[0].autoprobe);
	assert_int_equal(inv->pf[0].device, 0x10fb);
	assert_memory_equal(inv->pf[0].perm_mac, inv->pf[0].mac, 6);
	assert_string_equal(inv->pf[0].name, "Intel 82599ES 10-Gigabit SFI/SFP+");
	sriov_inventory_free(inv);
	/* VFs that were not read are counted, and not there */
	inv = decode(PF(",'vfs':{'now':4,'total':63},'vendor':'1234','device':'00ff'"));
	assert_int_equal(inv->pf[0].vfs, 4);
	assert_null(inv->pf[0].vf);
	assert_string_equal(inv->pf[0].name, "1234:00ff");
	sriov_inventory_free(inv);
}

/* Every value that one can write is the value that is read. */
static void round_trip(void **state)
{
	static const char *const texts[] = {
		HOST(""),
		PF(",'vfs':{'now':4,'total':63}"),
		NODE(",'socket':1,'cpus':'0-1,16-17','memory_mib':65536,'cores':['0,16','1,17'],'hugepages':[{'size_kib':2048,'total':9,'free':3}]"),
		VF(",'netdev':'v0','up':true,'master':'br0','in_netns':false,'driver':'iavf',"
		   "'driver_override':'vfio-pci','iommu_group':7,'pool':'nova',"
		   "'uses':[{'who':'netns','how':'x','running':true,'unreadable':true}],"
		   "'attrs':{'mac':'02:00:00:00:00:01','vlan':4095,'qos':7,'proto':'802.1ad','spoofchk':false,"
		   "'trust':true,'min_rate':5,'max_rate':4294967295,'link':'disable'}"),
		VF(",'attrs':{'vlan':0}"),
		PF(",'in_tree':false,'ntuple':'off [fixed]','speed_mbps':1000,'queues':8,'rules_max':16,'irq_cpus':'0-1',"
		   "'rules':[{'loc':1,'flow':'udp4','value':{'pdst':53},'mask':{'pdst':65535},'cookie':'0x3'}]"),
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct sriov_inventory *inv = decode(texts[i]), *again = NULL;
		_json_ json_t *first = inventory_encode(inv), *second = NULL;

		assert_non_null(first);
		assert_int_equal(inventory_decode(first, &again, NULL), 0);
		second = inventory_encode(again);
		assert_true(json_equal(first, second));
		sriov_inventory_free(inv);
		sriov_inventory_free(again);
	}
}

static void keeps_everything(void **state)
{
	static const char *const members =
		"{'mac':'02:00:00:00:00:01','vlan':9,'qos':7,'proto':'802.1ad','spoofchk':false,"
		"'trust':true,'min_rate':5,'max_rate':10,'link':'disable'}";
	_json_ json_t *full = json(members), *back = NULL;
	struct sriov_vf_attrs attrs;

	assert_int_equal(vf_attrs_decode(full, &attrs, NULL), 0);
	assert_int_equal(attrs.has, SRIOV_VF_ALL);
	assert_int_equal(attrs.vlan_proto, 0x88a8);
	assert_int_equal(attrs.link, SRIOV_LINK_DISABLE);
	back = vf_attrs_encode(&attrs);
	assert_true(json_equal(full, back));
}

/* What a trace needs is in the snapshot if it was read. */
static void keeps_hash(void **state)
{
	static const char with[] = PF(
		",'rss':[3,1],'rss_key':'6d5aff','rss_fields':{'tcp4':'sdfn','udp6':'sd'},"
		"'bridge':'vepa'");
	static const char *const keys[] = {"rss_key", "rss_fields", "bridge"};
	_json_ json_t *given = json(with), *back = NULL, *none = NULL;
	struct sriov_inventory *inv = decode(with), *bare = decode(PF(""));
	const json_t *was = json_array_get(json_object_get(given, "pfs"), 0), *is, *without;

	back = inventory_encode(inv);
	none = inventory_encode(bare);
	is = json_array_get(json_object_get(back, "pfs"), 0);
	without = json_array_get(json_object_get(none, "pfs"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		assert_true(
			json_equal(json_object_get(was, keys[i]), json_object_get(is, keys[i])));
		assert_null(json_object_get(without, keys[i]));
	}
	assert_int_equal(inv->pf[0].nrss_key, 3);
	assert_int_equal(inv->pf[0].rss_key[1], 0x5a);
	assert_int_equal(inv->pf[0].bridge, SRIOV_BRIDGE_VEPA);
	sriov_inventory_free(inv);
	sriov_inventory_free(bare);
}

static void has_bits(void **state)
{
	static const struct {
		const char *text;
		unsigned has;
	} rows[] = {
		{"{}", 0},
		{"{'mac':'00:00:00:00:00:00'}", SRIOV_VF_MAC},
		{"{'vlan':0,'qos':0,'proto':'802.1Q'}", SRIOV_VF_VLAN},
		{"{'spoofchk':false}", SRIOV_VF_SPOOFCHK},
		{"{'trust':false}", SRIOV_VF_TRUST},
		{"{'min_rate':0,'max_rate':0}", SRIOV_VF_RATE},
		{"{'link':'auto'}", SRIOV_VF_LINK},
	};
	struct sriov_vf_attrs attrs, before;
	_json_ json_t *bad = json("{'vlan':-1}");

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_json_ json_t *text = json(rows[i].text), *back = NULL;

		assert_int_equal(vf_attrs_decode(text, &attrs, NULL), 0);
		assert_int_equal(attrs.has, rows[i].has);
		back = vf_attrs_encode(&attrs);
		assert_true(json_equal(text, back));
	}
	before = attrs;
	assert_int_equal(vf_attrs_decode(bad, &attrs, NULL), -ERANGE);
	assert_memory_equal(&attrs, &before, sizeof(attrs));
}

/* Text that hardware gave us, in no encoding, still makes a snapshot that can be read. */
static void strange_text(void **state)
{
	struct sriov_pf pf = {.address = "0000:81:00.0", .firmware = "1.2\xff\x80\n3", .node = -1};
	struct sriov_inventory inv = {.pf = &pf, .npfs = 1, .hostname = "gr\xc3\xbc\xc3\x9f"},
			       *back;
	_free_ char *text = NULL;
	_json_ json_t *value = NULL;

	assert_int_equal(sriov_inventory_json(&inv, &text, NULL), 0);
	value = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	assert_int_equal(inventory_decode(value, &back, NULL), 0);
	assert_string_equal(back->pf[0].firmware, "1.2???3");
	assert_string_equal(back->hostname, inv.hostname);
	sriov_inventory_free(back);
}

static void finding(void **state)
{
	struct sriov_inventory *inv = decode(HOST(
		",'pfs':[{'address':'0000:81:00.0','netdev':'e0'},{'address':'0000:82:00.0'}]"));

	assert_ptr_equal(inventory_find(inv, "e0"), &inv->pf[0]);
	assert_ptr_equal(inventory_find(inv, "81:00.0"), &inv->pf[0]);
	assert_ptr_equal(inventory_find(inv, "0000:82:00.0"), &inv->pf[1]);
	assert_null(inventory_find(inv, ""));
	assert_null(inventory_find(inv, "e1"));
	assert_null(inventory_find(inv, "0000:83:00.0"));
	sriov_inventory_free(inv);
	sriov_inventory_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused),    cmocka_unit_test(defaults),
		cmocka_unit_test(round_trip), cmocka_unit_test(keeps_everything),
		cmocka_unit_test(has_bits),   cmocka_unit_test(strange_text),
		cmocka_unit_test(finding),    cmocka_unit_test(keeps_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
