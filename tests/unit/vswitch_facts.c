/* SPDX-License-Identifier: Apache-2.0 */
/* Pure parts of lib/vswitch: what OVS's answers mean, health, refusals, masks, and differences of policies. */
#include "lib/vswitch/live.h"

#include <errno.h>
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

/* ---- the database's rows ---- */

/* As ovsdb-server of OVS 3.1 gives them; the parts that are not read are left out. */
static const char results_text[] =
	"[{\"rows\":[{\"ovs_version\":\"3.1.0\",\"dpdk_version\":\"DPDK 22.11.11\",\"dpdk_initialized\":"
	"true,\"iface_types\":[\"set\",[\"dpdk\",\"dpdkvhostuserclient\"]],\"other_config\":[\"map\","
	"[[\"dpdk-init\",\"true\"],[\"pmd-cpu-mask\",\"0x2\"],[\"per-port-memory\",\"true\"]]],"
	"\"external_ids\":[\"map\",[[\"ovn-remote\",\"unix:/x\"],[\"ovn-bridge-mappings\","
	"\"net1:br-ex,net2:br-two\"]]]}]},"
	"{\"rows\":[{\"name\":\"br-data\",\"datapath_type\":\"netdev\",\"fail_mode\":\"secure\","
	"\"external_ids\":[\"map\",[[\"sriovctl\",\"1\"]]],\"controller\":[\"set\",[]],"
	"\"ports\":[\"set\",[[\"uuid\",\"p1\"],[\"uuid\",\"p2\"],[\"uuid\",\"gone\"]]]},"
	"{\"name\":\"br-ctl\",\"datapath_type\":\"netdev\",\"fail_mode\":[\"set\",[]],"
	"\"external_ids\":[\"map\",[]],\"controller\":[\"uuid\",\"c1\"],\"ports\":[\"set\",[]]},"
	"{\"name\":\"br-int\",\"datapath_type\":\"netdev\",\"external_ids\":[\"map\",[]],"
	"\"controller\":[\"set\",[]],\"ports\":[\"set\",[]]},"
	"{\"name\":\"br-two\",\"datapath_type\":\"netdev\",\"external_ids\":[\"map\",[]],"
	"\"controller\":[\"set\",[]],\"ports\":[\"set\",[]]},"
	"{\"name\":\"br-tw\",\"datapath_type\":\"system\",\"external_ids\":[\"map\",[]],"
	"\"controller\":[\"set\",[]],\"ports\":[\"set\",[]]}]},"
	"{\"rows\":[{\"_uuid\":[\"uuid\",\"p1\"],\"interfaces\":[\"uuid\",\"i1\"]},"
	"{\"_uuid\":[\"uuid\",\"p2\"],\"interfaces\":[\"set\",[[\"uuid\",\"i2\"]]]}]},"
	"{\"rows\":[{\"_uuid\":[\"uuid\",\"i1\"],\"name\":\"vhu-web1\",\"type\":\"dpdkvhostuserclient\","
	"\"options\":[\"map\",[[\"vhost-server-path\",\"/run/x.sock\"]]],\"ofport\":5,\"error\":"
	"[\"set\",[]],\"status\":[\"map\",[[\"mode\",\"client\"],[\"num_of_vrings\",\"4\"],[\"numa\","
	"\"1\"],[\"status\",\"connected\"]]],\"link_state\":\"up\",\"mtu\":1500,\"mtu_request\":"
	"[\"set\",[]],\"external_ids\":[\"map\",[[\"attached-mac\",\"52:54:00:00:00:01\"],"
	"[\"sriovctl-guest\",\"web1\"]]],\"other_config\":[\"map\",[[\"pmd-rxq-affinity\",\"0:1\"]]]},"
	"{\"_uuid\":[\"uuid\",\"i2\"],\"name\":\"up\",\"type\":\"dpdk\",\"options\":[\"map\","
	"[[\"dpdk-devargs\",\"0000:81:10.0\"]]],\"ofport\":-1,\"error\":\"cannot attach\",\"status\":"
	"[\"map\",[[\"numa_id\",\"0\"]]],\"link_state\":\"down\",\"mtu\":[\"set\",[]],\"mtu_request\":9000,"
	"\"external_ids\":[\"map\",[[\"attached-mac\",\"nonsense\"]]],\"other_config\":[\"map\",[]]}]},"
	"{\"rows\":[{\"_uuid\":[\"uuid\",\"c1\"],\"target\":\"tcp:127.0.0.1:6633\"}]}]";

static struct sriov_vswitch *read_text(const char *text)
{
	struct sriov_vswitch *vswitch = calloc(1, sizeof(*vswitch));
	_json_ json_t *results = json_loads(text, 0, NULL);
	struct sriov_error err;

	assert_non_null(results);
	assert_int_equal(ovs_answers(results, vswitch, &err), 0);
	return vswitch;
}

static void rows_as_facts(void **state)
{
	struct sriov_vswitch *vswitch = read_text(results_text);
	const struct sriov_vswitch_port *port;

	assert_string_equal(vswitch->version, "3.1.0");
	assert_true(vswitch->dpdk && vswitch->dpdk_init && vswitch->dpdk_initialized);
	assert_true(vswitch->per_port_memory);
	assert_string_equal(vswitch->pmd_cpu_mask, "0x2");
	assert_int_equal(vswitch->nbridges, 5);
	assert_true(vswitch->bridge[0].ours);
	assert_string_equal(vswitch->bridge[0].owner, "");
	assert_string_equal(vswitch->bridge[1].owner,
			    "it has an OpenFlow controller, tcp:127.0.0.1:6633");
	assert_string_equal(vswitch->bridge[2].owner, "it is OVN's (ovn-remote is unix:/x)");
	assert_string_equal(vswitch->bridge[3].owner,
			    "it is OVN's (ovn-bridge-mappings has it: net1:br-ex,net2:br-two)");
	assert_string_equal(vswitch->bridge[4].owner, "");
	assert_int_equal(vswitch->bridge[0].nports, 2);
	port = vswitch_port(vswitch, "br-data", "vhu-web1");
	assert_non_null(port);
	assert_int_equal(port->ofport, 5);
	assert_int_equal(port->queues, 2);
	assert_int_equal(port->node, 1);
	assert_int_equal(port->mtu, 1500);
	assert_int_equal(port->mac[5], 1);
	assert_true(port->link_up && port->ours);
	assert_string_equal(port->affinity, "0:1");
	assert_null(vswitch_unready(port, VSWITCH_CONNECTED));
	port = vswitch_port(vswitch, NULL, "up");
	assert_int_equal(port->ofport, -1);
	assert_int_equal(port->node, 0);
	assert_string_equal(port->error, "cannot attach");
	assert_false(port->ours);
	assert_true(sriov_mac_is_zero(port->mac));
	assert_true(vswitch_failed(port));
	sriov_vswitch_free(vswitch);
}

static void rows_of_strangers(void **state)
{
	static const char *const texts[] = {
		"[]", "{}", "[{\"rows\":3}]",
		"[{\"rows\":[3]},{\"rows\":[[],{}]},{\"rows\":[{\"_uuid\":1}]}]",
		"[{},{\"rows\":[{\"ports\":[\"set\",[[\"uuid\",\"x\"]]],\"name\":7}]},{\"rows\":"
		"[{\"_uuid\":[\"uuid\",\"x\"],\"interfaces\":[\"uuid\",\"y\"]}]}]"};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		sriov_vswitch_free(read_text(texts[i]));
}

static void health(void **state)
{
	static const struct {
		struct sriov_vswitch_port port;
		const char *made, *connected;
	} rows[] = {
		{{.ofport = 3,
		  .type = "dpdkvhostuserclient",
		  .status = "connected",
		  .link_up = true,
		  .mtu = 1500},
		 NULL,
		 NULL},
		{{.ofport = 3, .type = "dpdk", .link_up = true, .mtu = 1500}, NULL, NULL},
		{{.ofport = 0}, "OVS has not made it yet", "OVS has not made it yet"},
		{{.ofport = -1}, "OVS could not make it", "OVS could not make it"},
		{{.ofport = 3, .error = "x", .mtu = 1500},
		 "OVS could not make it",
		 "OVS could not make it"},
		{{.ofport = 3, .type = "dpdkvhostuserclient", .status = "disconnected"},
		 NULL,
		 "no guest's driver is connected to it"},
		/* the database of a port without memory says that all is well */
		{{.ofport = 3, .type = "dpdkvhostuserclient", .status = "connected"},
		 NULL,
		 "it has no MTU: OVS found no memory for its packets"},
		{{.ofport = 3, .type = "dpdkvhostuserclient", .status = "connected", .mtu = 1500},
		 NULL,
		 "its link is down"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *made = vswitch_unready(&rows[i].port, VSWITCH_MADE);
		const char *connected = vswitch_unready(&rows[i].port, VSWITCH_CONNECTED);

		assert_string_equal(made ? made : "", rows[i].made ? rows[i].made : "");
		assert_string_equal(connected ? connected : "",
				    rows[i].connected ? rows[i].connected : "");
	}
}

static void refusals(void **state)
{
	struct sriov_vswitch_bridge bridges[] = {
		{.name = "br-data", .datapath = "netdev"},
		{.name = "br-kernel"},
		{.name = "br-int", .datapath = "netdev", .owner = "it has a controller"},
	};
	struct sriov_vswitch good = {.dpdk = true,
				     .dpdk_init = true,
				     .dpdk_initialized = true,
				     .bridge = bridges,
				     .nbridges = 3},
			     is;
	struct sriov_error err;

	assert_int_equal(vswitch_check(&good, "br-data", &err), 0);
	is = good;
	is.dpdk = false;
	assert_int_equal(vswitch_check(&is, "br-data", &err), -EOPNOTSUPP);
	assert_non_null(strstr(err.message, "built without DPDK"));
	is = good;
	is.dpdk_init = false;
	assert_int_equal(vswitch_check(&is, "br-data", &err), -EOPNOTSUPP);
	assert_non_null(strstr(err.message, "not enabled"));
	is = good;
	is.dpdk_initialized = false;
	assert_int_equal(vswitch_check(&is, "br-data", &err), -EOPNOTSUPP);
	assert_non_null(strstr(err.message, "could not be started"));
	assert_int_equal(vswitch_check(&good, "br-dat", &err), -ENODEV);
	assert_string_equal(err.hint, "did you mean br-data?");
	assert_int_equal(vswitch_check(&good, "somethingelse", &err), -ENODEV);
	assert_int_equal(vswitch_check(&good, "br-kernel", &err), -EOPNOTSUPP);
	assert_non_null(strstr(err.message, "datapath_type system"));
	assert_int_equal(vswitch_check(&good, "br-int", &err), -EPERM);
	assert_int_equal(err.status, SRIOV_REFUSED);
	assert_non_null(strstr(err.message, "it has a controller"));
}

static void sockets(void **state)
{
	char dir[] = "/tmp/vhost-XXXXXX", path[64], longer[200];
	struct passwd *nobody = getpwnam("nobody");
	struct sriov_error err;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/web1.sock", dir);
	assert_int_equal(vswitch_check_socket(path, "root", &err), 0);
	assert_int_equal(vswitch_check_socket("/nowhere/x.sock", "root", &err), -ENOENT);
	assert_int_equal(vswitch_check_socket("x.sock", "root", &err), -EINVAL);
	memset(longer, 'x', 150);
	longer[0] = '/';
	longer[150] = '\0';
	assert_int_equal(vswitch_check_socket(longer, "root", &err), -ENAMETOOLONG);
	assert_non_null(strstr(err.message, "150 bytes"));
	assert_int_equal(vswitch_check_socket(path, "no-such-user", &err), -EINVAL);
	if (nobody && nobody->pw_uid != geteuid()) {
		assert_int_equal(vswitch_check_socket(path, "nobody", &err), -EACCES);
		assert_non_null(strstr(err.hint, "install -d -o nobody"));
		chmod(dir, 0777);
		assert_int_equal(vswitch_check_socket(path, "nobody", &err), 0);
	}
	rmdir(dir);
}

static void queues(void **state)
{
	static const char text[] =
		"Displaying last 60 seconds pmd usage %\n"
		"pmd thread numa_id 0 core_id 1:\n"
		"  isolated : false\n"
		"  port: vhu-web1          queue-id:  0 (enabled)   pmd usage:  0 %\n"
		"  port: vhu-web2          queue-id:  1 (disabled)  pmd usage: NOT AVAIL\n"
		"  overhead:  0 %\n"
		"pmd thread numa_id 1 core_id 17:\n"
		"  isolated : true\n"
		"  port: up                queue-id: 10 (enabled)   pmd usage: 12 %\n";
	struct sriov_vswitch is = {0};

	assert_int_equal(pmd_parse_rxqs(text, &is), 0);
	assert_int_equal(is.nrxqs, 3);
	assert_string_equal(is.rxq[0].port, "vhu-web1");
	assert_int_equal(is.rxq[0].core, 1);
	assert_int_equal(is.rxq[0].node, 0);
	assert_true(is.rxq[0].enabled);
	assert_int_equal(is.rxq[1].queue, 1);
	assert_false(is.rxq[1].enabled);
	assert_string_equal(is.rxq[2].port, "up");
	assert_int_equal(is.rxq[2].queue, 10);
	assert_int_equal(is.rxq[2].core, 17);
	assert_int_equal(is.rxq[2].node, 1);
	free(is.rxq);
	is = (struct sriov_vswitch){0};
	assert_int_equal(pmd_parse_rxqs("", &is), 0);
	assert_int_equal(pmd_parse_rxqs("  port: x\npmd thread numa_id", &is), 0);
	assert_int_equal(is.nrxqs, 0);
}

static void flows_and_meters(void **state)
{
	_vswitch_policy_ struct vswitch_policy policy = {0};

	assert_int_equal(
		ovs_parse_flows(
			"OFPST_FLOW reply (OF1.4) (xid=0x6):\n"
			" cookie=0x5c10f285676837de, duration=8.5s, table=0, n_packets=17, n_bytes=0, "
			"priority=60000,in_port=1 actions=goto_table:200\n"
			" cookie=0x7, duration=8.5s, table=3, n_packets=0, n_bytes=0, actions=drop\n"
			" cookie=0x5c100000000000ff, duration=1s, table=204, n_packets=0, n_bytes=0, "
			"reset_counts priority=4,reg0=0x1 actions=output:1\n",
			&policy),
		0);
	assert_int_equal(policy.nflows, 2);
	assert_true(policy.flow[0].cookie == 0x5c10f285676837deull);
	assert_int_equal(policy.flow[0].packets, 17);
	assert_int_equal(policy.flow[1].table, 204);
	assert_int_equal(ovs_parse_meters("OFPST_METER_CONFIG reply (OF1.4) (xid=0x2):\n"
					  "meter=65538 kbps burst bands=\n"
					  "type=drop rate=100000 burst_size=10000\n\n"
					  "meter=7 kbps bands=\ntype=drop rate=5\n",
					  &policy),
			 0);
	assert_int_equal(policy.nmeters, 1);
	assert_int_equal(policy.meter[0].id, 65538);
	assert_int_equal(policy.meter[0].kbps, 100000);
	assert_int_equal(policy.meter[0].burst, 10000);
	assert_int_equal(ovs_error_line("-:12: 99999: value too large for 2-byte field tcp_dst"),
			 12);
	assert_int_equal(ovs_error_line("br0 is not a bridge or a socket"), 0);
}

static void differences(void **state)
{
	struct openflow_line lines[] = {{.cookie = 1}, {.cookie = 2}};
	struct vswitch_flow same[] = {{.cookie = 2}, {.cookie = 1}};
	struct vswitch_flow other[] = {{.cookie = 2}, {.cookie = 2}};
	struct openflow_meter old[] = {{10, 5, 1}, {11, 6, 1}}, new[] = {{11, 7, 1}, {12, 8, 1}};
	struct openflow want = {.line = lines, .nlines = 2, .meter = new, .nmeters = 2};
	struct vswitch_policy now = {.flow = same, .nflows = 2, .meter = new, .nmeters = 2};
	struct vswitch_diff diff;

	assert_int_equal(vswitch_diff(&now, &want, &diff), 0);
	assert_false(diff.flows || diff.nbefore || diff.nafter);
	vswitch_diff_clear(&diff);
	now.flow = other;
	now.meter = old;
	assert_int_equal(vswitch_diff(&now, &want, &diff), 0);
	assert_true(diff.flows);
	assert_int_equal(diff.nbefore, 2);
	assert_int_equal(diff.before[0].id, 11);
	assert_int_equal(diff.before[1].id, 12);
	assert_int_equal(diff.nafter, 1);
	assert_int_equal(diff.after[0].id, 10);
	vswitch_diff_clear(&diff);
	now.flow = same;
	now.nflows = 1;
	assert_int_equal(vswitch_diff(&now, &want, &diff), 0);
	assert_true(diff.flows);
	vswitch_diff_clear(&diff);
}

static void masks(void **state)
{
	static const struct {
		const char *mask, *cpus, *again;
	} rows[] = {
		{"", "", "0x0"},
		{"0x2", "1", "0x2"},
		{"10001", "0,16", "0x10001"},
		{"0xF0", "4-7", "0xf0"},
		{"0x1000000000000000000000000", "96", "0x1000000000000000000000000"},
	};
	struct cpuset cpus;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_free_ char *text = NULL, *mask = NULL;

		assert_int_equal(vswitch_mask_parse(rows[i].mask, &cpus), 0);
		text = cpuset_text(&cpus);
		mask = vswitch_mask_text(&cpus);
		assert_string_equal(text, rows[i].cpus);
		assert_string_equal(mask, rows[i].again);
	}
	assert_int_equal(vswitch_mask_parse("0xg", &cpus), -EINVAL);
	assert_int_equal(vswitch_mask_parse("all", &cpus), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_as_facts),
		cmocka_unit_test(rows_of_strangers),
		cmocka_unit_test(health),
		cmocka_unit_test(refusals),
		cmocka_unit_test(sockets),
		cmocka_unit_test(queues),
		cmocka_unit_test(flows_and_meters),
		cmocka_unit_test(differences),
		cmocka_unit_test(masks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
