/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The replay models' reader: what it refuses, and the parts of the drivers' state machines that the recorded
 * sample does not reach.
 */
#include "tests/unit/replay_fixture.h"

#define DEVICE "'driver':'ixgbe','device':{'mac':'82599'}"
#define LINE(ops) "{'id':'x'," DEVICE ",'ops':[" ops "]}"
#define I40E(device) "{'id':'x','driver':'i40e','device':" device ",'ops':[]}"
#define ADD(rest) "{'op':'add','loc':1,'flow':'udp4','cookie':'0x0'" rest "}"

static void refused_lines(void **state)
{
	static const struct {
		const char *line, *object, *message;
	} rows[] = {
		{"[]", "line", "is not an object"},
		{"{}", "line", "'id' is missing or not a string"},
		{"{'id':7}", "line", "'id' is missing"},
		{"{'id':'x'}", "line", "'driver' is none of ixgbe, i40e, igb"},
		{"{'id':'x','driver':'ice'}", "line", "'driver' is none of"},
		{"{'id':'x','driver':'ixgbe'}", "line", "'device' is missing or not an object"},
		{"{'id':'x','driver':'ixgbe','device':{}}", "device", "'mac' is missing"},
		{"{'id':'x','driver':'ixgbe','device':{'mac':'82598'}}", "device",
		 "'mac' is no MAC type of ixgbe"},
		{"{'id':'x','driver':'ixgbe','device':{'mac':'I350'}}", "device",
		 "'mac' is no MAC type of ixgbe"},
		{"{'id':'x','driver':'igb','device':{'mac':7}}", "device",
		 "'mac' is no MAC type of igb"},
		{"{'id':'x','driver':'igb','device':{'mac':'I350','channels':1}}", "device",
		 "'channels' is no parameter of igb"},
		{I40E("{'mac':'X710'}"), "device", "'mac' is no parameter of i40e"},
		{I40E("{'ntuple':1}"), "device", "'ntuple' is not true or false"},
		{I40E("{'num_vfs':257}"), "device", "'num_vfs' is not a number from 0 to 256"},
		{I40E("{'num_vfs':-1}"), "device", "'num_vfs' is not a number from"},
		{I40E("{'num_vfs':'1'}"), "device", "'num_vfs' is not a number from"},
		{I40E("{'best_effort':32769}"), "device", "'best_effort' is not a number from"},
		{I40E("{'vf_queues':4}"), "device", "'vf_queues' is not an array of at most 256"},
		{I40E("{'vf_queues':[4,-1]}"), "device", "'vf_queues[1]' is not a number up to"},
		{I40E("{'vf_queues':[65536]}"), "device", "'vf_queues[0]' is not a number up to"},
		{"{'id':'x'," DEVICE "}", "line", "'ops' is missing or not an array"},
		{"{'id':'x'," DEVICE ",'ops':7}", "line", "'ops' is missing or not an array"},
		{LINE("7"), "ops[0]", "'op' is none of add, del, env"},
		{LINE("{'op':'del','loc':1},{'op':'get'}"), "ops[1]", "'op' is none of"},
		{LINE("{'op':'del'}"), "ops[0]", "'loc' is not a number of 32 bits"},
		{LINE("{'op':'del','loc':4294967296}"), "ops[0]", "'loc' is not a number of 32"},
		{LINE("{'op':'del','loc':1,'flow':'udp4'}"), "ops[0]",
		 "'flow' is no member of 'del'"},
		{LINE("{'op':'env','what':'link','v':1}"), "ops[0]", "'what' is no state"},
		{LINE("{'op':'env','v':1}"), "ops[0]", "'what' is no state"},
		{LINE("{'op':'env','what':'mfp'}"), "ops[0]", "'v' is not a number of 32 bits"},
		{LINE("{'op':'env','what':'mfp','v':true}"), "ops[0]", "'v' is not a number"},
		{LINE("{'op':'add','loc':1}"), "ops[0]", "'flow' is neither a flow type's name"},
		{LINE("{'op':'add','loc':1,'flow':'udp5'}"), "ops[0]", "'flow' is neither"},
		{LINE("{'op':'add','loc':1,'flow':-1}"), "ops[0]", "'flow' is neither"},
		{LINE("{'op':'add','loc':1,'flow':536870914}"), "ops[0]", "'flow' is neither"},
		{LINE("{'op':'add','loc':-1,'flow':2}"), "ops[0]", "'loc' is not a number"},
		{LINE("{'op':'add','loc':1,'flow':2}"), "ops[0]", "'cookie' is not a number of 64"},
		{LINE("{'op':'add','loc':1,'flow':2,'cookie':1}"), "ops[0]", "'cookie' is not"},
		{LINE("{'op':'add','loc':1,'flow':2,'cookie':'0x10000000000000000'}"), "ops[0]",
		 "'cookie' is not a number of 64"},
		{LINE(ADD(",'flag':[]")), "ops[0]", "'flag' is no member of 'add'"},
		{LINE(ADD(",'flags':'ext'")), "ops[0]", "'flags' is not an array"},
		{LINE(ADD(",'flags':['ext','vlan']")), "ops[0]", "'flags' has something other"},
		{LINE(ADD(",'flags':[7]")), "ops[0]", "'flags' has something other"},
		{LINE(ADD(",'value':[]")), "ops[0]", "'value' is not an object"},
		{LINE(ADD(",'mask':7")), "ops[0]", "'mask' is not an object"},
		{LINE(ADD(",'value':{'dport':1}")), "ops[0]", "'value.dport': no such field"},
		{LINE(ADD(",'mask':{'pdst':65536}")), "ops[0]",
		 "'mask.pdst' is not a number up to 65535"},
		{LINE(ADD(",'mask':{'tos':256}")), "ops[0]",
		 "'mask.tos' is not a number up to 255"},
		{LINE(ADD(",'value':{'l4_4_bytes':-1}")), "ops[0]",
		 "'value.l4_4_bytes' is not a number of 32 bits"},
		{LINE(ADD(",'value':{'user_def':5}")), "ops[0]",
		 "'value.user_def' is not a number of 64 bits in a string"},
		{LINE(ADD(",'value':{'ip4src':'10.0.0'}")), "ops[0]",
		 "'value.ip4src' is not an IPv4 address"},
		{LINE(ADD(",'value':{'ip6src':7}")), "ops[0]",
		 "'value.ip6src' is not an IPv6 address"},
		{LINE(ADD(",'mask':{'h_dest':'ff:ff'}")), "ops[0]",
		 "'mask.h_dest' is not a MAC address"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sriov_error err = {0};
		json_t *line = json_of(rows[i].line), *out = (json_t *)&err;

		assert_int_equal(nic_replay_line(line, &out, &err), -EINVAL);
		if (strcmp(err.object, rows[i].object) || !strstr(err.message, rows[i].message))
			fail_msg("%s: %s: %s", rows[i].line, err.object, err.message);
		assert_ptr_equal(out, &err);
		assert_int_equal(nic_replay_line(line, &out, NULL), -EINVAL);
		json_decref(line);
	}
}

static void lines_as_text(void **state)
{
	struct sriov_error err = {0};
	char *text = NULL;

	assert_int_equal(sriov_nic_replay("{\"id\":", &text, &err), -EINVAL);
	assert_non_null(strstr(err.message, "column "));
	assert_int_equal(sriov_nic_replay("{\"id\":1,\"id\":2}", &text, &err), -EINVAL);
	assert_int_equal(sriov_nic_replay("{}", &text, &err), -EINVAL);
	assert_null(text);
	assert_int_equal(
		sriov_nic_replay("{\"id\":\"a\",\"driver\":\"igb\",\"device\":{\"mac\":\"I350\"},"
				 "\"ops\":[{\"op\":\"del\",\"loc\":1}],\"more\":1}",
				 &text, &err),
		0);
	assert_string_equal(text, "{\"id\":\"a\",\"results\":[{\"errno\":-22,\"err\":\"EINVAL\","
				  "\"why\":\"no_such_rule\"}],\"final\":{\"table_size\":16,"
				  "\"rules\":[]}}");
	free(text);
}

static void steps_of(const char *device, const struct step *steps)
{
	struct nic_model *model = model_of(device);

	run_steps(model, steps);
	nic_model_free(model);
}

#define OP(loc, flow, rest) "{'op':'add','loc':" #loc ",'flow':'" flow "','cookie':'0x0'" rest "}"
#define PORT(field, n) ",'value':{'" field "':" #n "},'mask':{'" field "':65535}"
#define DEL(loc) "{'op':'del','loc':" #loc "}"
#define ENV(what, v) "{'op':'env','what':'" what "','v':" #v "}"

/* sctp6 lost to the hardware is counted against udp6, which goes below 0. */
static void i40e_counters(void **state)
{
	static const struct step steps[] = {
		{OP(5, "sctp6", PORT("psrc", 1)), "ok"},
		{ENV("fd_inv", 5), "ok"},
		{ENV("service_task", 1), "ok"},
		{DEL(5), "no_such_rule"},
		{OP(6, "udp6", PORT("psrc", 1)), "input_set_conflict"},
		{OP(6, "sctp6", PORT("pdst", 1)), "input_set_conflict"},
		{OP(6, "sctp6", PORT("psrc", 1)), "ok"},
		{ENV("ntuple_cycle", 1), "ok"},
		{OP(6, "udp6", PORT("psrc", 1)), "ok"},
		/* also what the bare flag has left */
		{ENV("ntuple", 0), "ok"},
		{ENV("ntuple_cycle", 1), "ok"},
		{OP(7, "udp6", PORT("pdst", 1)), "ok"},
		{DEL(6), "no_such_rule"},
		/* the location that was reported stays in mind until there is a rule */
		{ENV("fd_inv", 9), "ok"},
		{ENV("service_task", 1), "ok"},
		{OP(9, "ip6", ",'value':{'l4_proto':132}"), "ok"},
		{DEL(9), "ok"},
		{OP(9, "ip6", ",'value':{'l4_proto':132}"), "ok"},
		{DEL(9), "ok"},
		{NULL},
	};

	steps_of("{'driver':'i40e','device':{}}", steps);
}

/* What a failed command leaves behind. */
static void i40e_failures(void **state)
{
	static const struct step steps[] = {
		{OP(1, "udp4", PORT("pdst", 1)), "ok"},
		{OP(2, "udp4", PORT("pdst", 2)), "ok"},
		{ENV("hw_fail", 1), "ok"},
		/* old and new are gone, and the old one is counted for ever */
		{OP(1, "udp4", PORT("pdst", 3)), "send_failed"},
		{OP(1, "ip4", ",'value':{'proto':1}"), "ip4_proto_value"},
		{DEL(1), "no_such_rule"},
		{DEL(2), "send_failed"},
		{DEL(2), "no_such_rule"},
		{ENV("hw_fail", 0), "ok"},
		{OP(3, "udp4", PORT("psrc", 3)), "input_set_conflict"},
		{OP(3, "udp4", PORT("pdst", 3)), "ok"},
		{NULL},
	};

	steps_of("{'driver':'i40e','device':{}}", steps);
}

/* Room, as the driver reckons it: unsigned, and by two counts of 13 bits. */
static void i40e_room(void **state)
{
	static const struct step full[] = {
		{ENV("hw_fd_count", 481), "ok"},
		{ENV("fd_add_err", 1), "ok"},
		{ENV("fd_sb_auto_disabled", 1), "ok"},
		{DEL(1), "no_such_rule"},
		{OP(1, "udp4", ""), "table_full"},
		{ENV("hw_fd_count", 8192), "ok"},
		{DEL(1), "no_such_rule"},
		{OP(1, "udp4", ""), "ok"},
		{NULL},
	};
	static const struct step never[] = {
		{ENV("hw_fd_count", 8191), "ok"},
		{ENV("fd_add_err", 1), "ok"},
		{ENV("fd_sb_auto_disabled", 1), "ok"},
		{ENV("fd_flush_requested", 1), "ok"},
		{ENV("service_task", 1), "ok"},
		{OP(1, "udp4", ""), "table_full"},
		{ENV("fd_flush_requested", 0), "ok"},
		{ENV("service_task", 1), "ok"},
		{OP(1, "udp4", ""), "ok"},
		{NULL},
	};
	/* the last TCP rule gone, tcp4's input set is ATR's again */
	static const struct step atr[] = {
		{OP(1, "tcp4", PORT("pdst", 1)), "ok"},
		{ENV("mfp", 1), "ok"},
		{OP(2, "tcp4", PORT("pdst", 2)), "ok"},
		{DEL(1), "ok"},
		{OP(3, "tcp4", PORT("pdst", 3)), "ok"},
		{DEL(2), "ok"},
		{DEL(3), "ok"},
		{OP(3, "tcp4", PORT("pdst", 3)), "mfp_input_set"},
		{NULL},
	};

	steps_of("{'driver':'i40e','device':{'guaranteed':512}}", full);
	steps_of("{'driver':'i40e','device':{'guaranteed':0}}", never);
	steps_of("{'driver':'i40e','device':{}}", atr);
}

/* A tag that was matched goes on to be matched by a rule that does not speak of tags. */
static void i40e_sticky_vlan(void **state)
{
	static const struct step steps[] = {
		{OP(1, "udp4", ",'flags':['ext'],'value':{'vlan_tci':5},'mask':{'vlan_tci':65535}"),
		 "ok"},
		{OP(2, "udp4", ""), "ok"},
		{OP(3, "udp4", ",'flags':['ext'],'value':{'vlan_tci':6}"), "input_set_conflict"},
		{NULL},
	};

	steps_of("{'driver':'i40e','device':{}}", steps);
}

static void igb_leftovers(void **state)
{
#define MACS(loc, dst, src)                                                                        \
	"{'op':'add','loc':" #loc ",'flow':'ether','cookie':'0x1','value':{'h_dest':"              \
	"'02:00:00:00:00:" dst "','h_source':'02:00:00:00:01:" src "'},'mask':"                    \
	"{'h_dest':'ff:ff:ff:ff:ff:ff','h_source':'ff:ff:ff:ff:ff:ff'}}"
#define PRIO(loc, tci, queue)                                                                      \
	"{'op':'add','loc':" #loc ",'flow':'ether','flags':['ext'],'cookie':'" queue               \
	"','value':{'vlan_tci':" #tci "},'mask':{'vlan_tci':57344}}"
	static const struct step macs[] = {
		{MACS(1, "01", "01"), "ok"},
		{MACS(2, "02", "02"), "ok"},
		{MACS(3, "03", "03"), "ok"},
		{MACS(4, "04", "04"), "ok"},
		{MACS(5, "05", "05"), "ok"},
		{MACS(6, "06", "06"), "ok"},
		{MACS(7, "07", "07"), "ok"},
		/* one slot is left: it is taken by the destination, and not given back */
		{MACS(8, "08", "08"), "mac_table_full"},
		{MACS(8, "09", "01"), "mac_table_full"},
		{MACS(8, "08", "01"), "ok"},
		{DEL(7), "ok"},
		{MACS(8, "09", "09"), "ok"},
		{NULL},
	};
	static const struct step prios[] = {
		{PRIO(1, 8192, "0x1"), "ok"},
		{PRIO(2, 8193, "0x2"), "vlan_prio_conflict"},
		{PRIO(2, 8193, "0x1"), "ok"},
		{PRIO(2, 8193, "0x1"), "duplicate"},
		/* given back by one of two that share it; a queue of three bits is not itself again */
		{DEL(1), "ok"},
		{PRIO(1, 8192, "0x5"), "ok"},
		{PRIO(3, 8194, "0x5"), "vlan_prio_conflict"},
		{NULL},
	};

	steps_of("{'driver':'igb','device':{'mac':'I210'}}", macs);
	steps_of("{'driver':'igb','device':{'mac':'I350'}}", prios);
}

/* A model loaded from rules and what it kept answers as the one that was saved. */
static void kept(void **state)
{
	struct nic_device device = device_of("{'driver':'i40e','device':{}}");
	struct sriov_entry rules[2] = {
		{.loc = 1, .type = SRIOV_FLOW_UDP4, .mask = {.dst_port = 0xffff}},
		{.loc = 2, .type = SRIOV_FLOW_NONE}};
	static const struct step spoil[] = {
		{OP(9000, "tcp4", ""), "location_range"},
		{OP(9000, "ip4",
		    ",'flags':['ext'],'value':{'user_def':'0x40001'},"
		    "'mask':{'user_def':'0xffffffff'}"),
		 "location_range"},
		{ENV("reset_recovery_pending", 1), "ok"},
		{ENV("fd_inv", 7), "ok"},
		{NULL},
	};
	struct nic_model *model, *again;
	json_t *hidden, *twice;

	assert_int_equal(nic_model_load(&device, rules, 2, NULL, &model, NULL), 0);
	assert_int_equal(nic_model_count(model), 1);
	assert_int_equal(nic_model_save(model, rules, 2, &hidden), 0);
	assert_null(hidden);
	run_steps(model, spoil);
	assert_int_equal(nic_model_save(model, rules, 2, &hidden), 0);
	assert_non_null(hidden);
	assert_int_equal(nic_model_load(&device, rules, 2, hidden, &again, NULL), 0);
	assert_int_equal(nic_model_save(again, rules, 2, &twice), 0);
	assert_true(json_equal(hidden, twice));
	assert_int_equal(run(again, DEL(1), NULL), -EBUSY);
	json_decref(hidden);
	json_decref(twice);
	nic_model_free(again);
	nic_model_free(model);
}

static void devices(void **state)
{
	static const struct {
		struct sriov_pf port;
		int r;
		enum nic_mac mac;
		uint32_t size;
	} rows[] = {
		{{.driver = "ixgbe", .device = 0x10fb}, 0, NIC_82599, 2046},
		{{.driver = "ixgbe", .device = 0x1563, .rules_max = 8190}, 0, NIC_X550, 8190},
		{{.driver = "ixgbe", .device = 0x1533}, -EOPNOTSUPP, 0, 0},
		{{.driver = "i40e", .device = 0x37d0}, 0, NIC_X710, 8192},
		{{.driver = "i40e", .device = 0x1572, .rules_max = 100}, 0, NIC_X710, 100},
		{{.driver = "i40e", .device = 0x1572, .rules_max = 1024}, 0, NIC_X710, 1024},
		{{.driver = "igb", .device = 0x1539, .queues = 2}, 0, NIC_I211, 16},
		{{.driver = "ice", .device = 0x1592}, -EOPNOTSUPP, 0, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct nic_device device = {.mac = 77};
		struct sriov_error err = {0};
		struct nic_model *model;

		assert_int_equal(nic_device_of(&rows[i].port, &device, &err), rows[i].r);
		assert_int_equal(device.mac, rows[i].r ? 77 : (int)rows[i].mac);
		if (rows[i].r)
			continue;
		assert_int_equal(nic_model_new(&device, &model, NULL), 0);
		assert_int_equal(nic_model_table_size(model), rows[i].size);
		nic_model_free(model);
	}
	for (enum nic_mac mac = 0; mac < NIC_MACS; mac++)
		assert_int_equal(nic_mac_find(nic_mac_word(mac)), mac);
	assert_null(nic_mac_word(NIC_MACS));
	assert_null(nic_family_word(NIC_FAMILIES));
	assert_string_equal(nic_why_text("ntuple_off"), "ntuple is off");
	assert_string_equal(nic_why_text("of_another_time"), "of_another_time");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused_lines), cmocka_unit_test(lines_as_text),
		cmocka_unit_test(i40e_counters), cmocka_unit_test(i40e_failures),
		cmocka_unit_test(i40e_room),     cmocka_unit_test(i40e_sticky_vlan),
		cmocka_unit_test(igb_leftovers), cmocka_unit_test(kept),
		cmocka_unit_test(devices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
