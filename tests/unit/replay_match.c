/* SPDX-License-Identifier: Apache-2.0 */
/* What packets meet in the tables of the replay models, where the driver's surprises show. */
#include "tests/unit/replay_fixture.h"

/* a packet is the usual one with some fields otherwise */
#pragma GCC diagnostic ignored "-Woverride-init"

#define IP4(...)                                                                                   \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}
#define TCP 6
#define UDP 17
#define SCTP 132
#define ICMP 1

/* From 10.0.0.1:1000 to 10.0.0.2:2000, and 2001:db8::1 to ::2. */
#define PACKET4(...)                                                                               \
	{                                                                                          \
		.ethertype = 0x0800, .src_ip = {10, 0, 0, 1}, .dst_ip = {10, 0, 0, 2},             \
		.proto = UDP, .src_port = 1000, .dst_port = 2000, .vf = -1, __VA_ARGS__            \
	}
#define PACKET6(...)                                                                               \
	{                                                                                          \
		.ethertype = 0x86dd, .src_ip = {0x20, 0x01, 0x0d, 0xb8, [15] = 1},                 \
		.dst_ip = {0x20, 0x01, 0x0d, 0xb8, [15] = 2}, .proto = UDP, .src_port = 1000,      \
		.dst_port = 2000, .vf = -1, __VA_ARGS__                                            \
	}

struct meeting {
	struct nic_packet packet;
	long loc; /* -1: meets nothing; -2: what the driver left behind */
	bool drop;
	int vf;
	unsigned queue;
};
#define NOTHING -1, false, 0, 0
#define LEFT_BEHIND -2
#define DROP true, -1, 0

static void meet(struct nic_model *model, const struct meeting *meetings, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct meeting *m = &meetings[i];
		struct nic_hit hit = {.loc = 77};
		bool met = nic_model_match(model, &m->packet, &hit);

		if (met != (m->loc != -1))
			fail_msg("packet %zu %s", i, met ? "meets an entry" : "meets none");
		if (!met) {
			assert_int_equal(hit.loc, 77);
			continue;
		}
		if (hit.loc != (m->loc == LEFT_BEHIND ? NIC_NO_RULE : (uint32_t)m->loc) ||
		    hit.drop != m->drop || hit.vf != m->vf || hit.queue != m->queue)
			fail_msg("packet %zu meets loc %u%s, vf %d queue %u", i, hit.loc,
				 hit.drop ? " (drop)" : "", hit.vf, hit.queue);
	}
}

static void check(const char *device, const struct step *steps, const struct meeting *meetings,
		  size_t n)
{
	struct nic_model *model = model_of(device);

	run_steps(model, steps);
	meet(model, meetings, n);
	nic_model_free(model);
}
#define CHECK(device, ...)                                                                         \
	do {                                                                                       \
		static const struct meeting meetings[] = {__VA_ARGS__};                            \
		check(device, steps, meetings, ARRAY_SIZE(meetings));                              \
	} while (0)

static void ixgbe_fields(void **state)
{
	static const struct step steps[] = {
		{"{'op':'add','loc':5,'flow':'udp4','cookie':'0x3','value':{'ip4src':'10.0.0.0',"
		 "'pdst':2000},'mask':{'ip4src':'255.255.255.0','pdst':65520}}",
		 "ok"},
		{"{'op':'add','loc':2,'flow':'tcp4','cookie':'0xffffffffffffffff','value':"
		 "{'ip4src':'10.0.0.0','pdst':2000},'mask':{'ip4src':'255.255.255.0','pdst':65520}}",
		 "ok"},
		{"{'op':'add','loc':9,'flow':'sctp4','cookie':'0x4','value':"
		 "{'ip4src':'10.0.0.0','pdst':2000},'mask':{'ip4src':'255.255.255.0','pdst':65520}}",
		 "ok"},
		{NULL},
	};

	CHECK("{'driver':'ixgbe','device':{'mac':'82599'}}", {PACKET4(), 5, false, -1, 3},
	      {PACKET4(.dst_port = 2015), 5, false, -1, 3}, {PACKET4(.dst_port = 2016), NOTHING},
	      {PACKET4(.src_ip = IP4(10, 0, 1, 1)), NOTHING}, {PACKET4(.proto = TCP), 2, DROP},
	      {PACKET4(.fragment = true), NOTHING}, {PACKET4(.proto = ICMP), NOTHING},
	      {PACKET6(), NOTHING}, {PACKET4(.ethertype = 0x0806), NOTHING},
	      /* sent by another function of the port: not classified before the X550 */
	      {PACKET4(.switched = true), NOTHING},
	      /* no mask for ports of SCTP before the X550: all of them */
	      {PACKET4(.proto = SCTP, .dst_port = 1), 9, false, -1, 4});
	CHECK("{'driver':'ixgbe','device':{'mac':'X550'}}",
	      {PACKET4(.switched = true), 5, false, -1, 3},
	      {PACKET4(.proto = SCTP, .dst_port = 1), NOTHING},
	      {PACKET4(.proto = SCTP), 9, false, -1, 4});
}

static void ixgbe_any_and_tags(void **state)
{
	static const struct step any[] = {
		{"{'op':'add','loc':1,'flow':'ip4','flags':['ext'],'cookie':'0x1','value':"
		 "{'ip4dst':'10.0.0.2','vlan_tci':24581},'mask':{'ip4dst':'255.255.255.255',"
		 "'vlan_tci':8191}}",
		 "ok"},
		{"{'op':'add','loc':0,'flow':'ip4','flags':['ext'],'cookie':'0x2','value':"
		 "{'ip4dst':'10.0.0.2','proto':1},'mask':{'ip4dst':'255.255.255.255',"
		 "'vlan_tci':8191}}",
		 "flow_type"},
		{NULL},
	};
	const struct step *steps = any;
	static const struct step etype[] = {
		{"{'op':'add','loc':1,'flow':'udp4','flags':['ext'],'cookie':'0x1','value':"
		 "{'vlan_etype':33024},'mask':{'vlan_etype':65535}}",
		 "ok"},
		{NULL},
	};

	/* VID 5 in the tag of any priority; the DEI bit of the mask is left out */
	CHECK("{'driver':'ixgbe','device':{'mac':'82599'}}",
	      {PACKET4(.tagged = true, .tci = 5), 1, false, -1, 1},
	      {PACKET4(.tagged = true, .tci = 0x7005), 1, false, -1, 1},
	      {PACKET4(.tagged = true, .tci = 5, .fragment = true), 1, false, -1, 1},
	      {PACKET4(.tagged = true, .tci = 5, .proto = ICMP), 1, false, -1, 1},
	      {PACKET4(.tagged = true, .tci = 6), NOTHING}, {PACKET4(), NOTHING});
	steps = etype;
	CHECK("{'driver':'ixgbe','device':{'mac':'82599'}}",
	      {PACKET4(.tagged = true, .tci = 5), 1, false, -1, 1}, {PACKET4(), NOTHING});
}

static void ixgbe_targets(void **state)
{
	static const struct step steps[] = {
		{"{'op':'add','loc':1,'flow':'udp4','cookie':'0x300000001','value':{'pdst':2000},"
		 "'mask':{'pdst':65535}}",
		 "ok"},
		{"{'op':'add','loc':2,'flow':'udp4','cookie':'0x0','value':{'pdst':2001},"
		 "'mask':{'pdst':65535}}",
		 "ok"},
		{NULL},
	};
	static const struct step ring3[] = {
		{"{'op':'add','loc':1,'flow':'udp4','cookie':'0x3'}", "ok"}, {NULL}};
	struct nic_model *model;

	/* vf 2 queue 1 is queue 9 */
	CHECK("{'driver':'ixgbe','device':{'mac':'82599','num_vfs':4}}",
	      {PACKET4(), 1, false, 2, 1}, {PACKET4(.dst_port = 2001), 2, false, -1, 0},
	      {PACKET4(.vf = 3, .dst_port = 2001), 2, false, -1, 0});
	/* with two channels the driver counts two queues a VF, and the hardware four: another VF gets it */
	CHECK("{'driver':'ixgbe','device':{'mac':'82599','num_vfs':4,'channels':2}}",
	      {PACKET4(), 1, false, 1, 1}, {PACKET4(.dst_port = 2001), 2, false, -1, 0});
	/* the PF's ring 3 with 31 VFs is the drop queue */
	model = model_of("{'driver':'ixgbe','device':{'mac':'82599','num_vfs':31}}");
	run_steps(model, ring3);
	meet(model, (struct meeting[]){{PACKET4(), 1, DROP}}, 1);
	/* off: the list stays, and nothing is matched */
	run(model, "{'op':'env','what':'ntuple','v':0}", NULL);
	meet(model, (struct meeting[]){{PACKET4(), NOTHING}}, 1);
	nic_model_free(model);
}

static void ixgbe_pools(void **state)
{
	static const struct step steps[] = {
		{"{'op':'add','loc':1,'flow':'udp4','flags':['ext'],'cookie':'0x200000003','value':"
		 "{'user_def':'0x1'},'mask':{'user_def':'0x7f'}}",
		 "ok"},
		{"{'op':'add','loc':2,'flow':'udp4','flags':['ext'],'cookie':'0x1','value':"
		 "{'user_def':'0x4'},'mask':{'user_def':'0x7f'}}",
		 "ok"},
		{NULL},
	};

	/* the PF's pool is the one behind the VFs' */
	CHECK("{'driver':'ixgbe','device':{'mac':'82599','num_vfs':4}}",
	      {PACKET4(.vf = 1), 1, false, 1, 3}, {PACKET4(), 2, false, -1, 1},
	      {PACKET4(.vf = 0), NOTHING});
}

static void ixgbe_layouts(void **state)
{
	static const struct step steps[] = {
		{"{'op':'add','loc':1,'flow':'udp4','cookie':'0x5'}", "ok"}, {NULL}};

	/* two classes of traffic, four queues each: ring 5 is the second of class 1 */
	CHECK("{'driver':'ixgbe','device':{'mac':'82599','channels':4,'tcs':2}}",
	      {PACKET4(), 1, false, -1, 5});
	/* pools of macvlans, without VFs */
	CHECK("{'driver':'ixgbe','device':{'mac':'82599','channels':2,'pf_pools':4}}",
	      {PACKET4(), 1, false, -1, 5});
	CHECK("{'driver':'ixgbe','device':{'mac':'82599','num_vfs':4,'tcs':8}}",
	      {PACKET4(), 1, false, -1, 5});
}

static void i40e_types(void **state)
{
	static const struct step steps[] = {
		{"{'op':'add','loc':1,'flow':'ip4','cookie':'0x1','value':{'ip4src':'10.0.0.1'},"
		 "'mask':{'ip4src':'255.255.255.255'}}",
		 "ok"},
		{"{'op':'add','loc':2,'flow':'udp4','cookie':'0x2','value':{'pdst':2000},'mask':"
		 "{'pdst':65535}}",
		 "ok"},
		{"{'op':'add','loc':3,'flow':'tcp6','cookie':'0xffffffffffffffff','value':"
		 "{'ip6dst':'2001:db8::2'},'mask':{'ip6dst':'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'}}",
		 "ok"},
		{"{'op':'add','loc':4,'flow':'udp6','cookie':'0x100000002','value':{'psrc':1000},"
		 "'mask':{'psrc':65535}}",
		 "ok"},
		/* checked as ip4, programmed and counted as sctp4, with sctp4's input set */
		{"{'op':'add','loc':5,'flow':'ip4','cookie':'0x3','value':{'ip4src':'10.0.0.1',"
		 "'proto':132},'mask':{'ip4src':'255.255.255.255'}}",
		 "ok"},
		{NULL},
	};

	CHECK("{'driver':'i40e','device':{'num_vfs':2}}", {PACKET4(.proto = ICMP), 1, false, -1, 1},
	      {PACKET4(.proto = TCP, .fragment = true), 1, false, -1, 1},
	      {PACKET4(.proto = ICMP, .src_ip = IP4(10, 0, 0, 2)), NOTHING},
	      {PACKET4(.proto = TCP), NOTHING}, {PACKET4(), 2, false, -1, 2},
	      {PACKET4(.dst_port = 2001), NOTHING},
	      /* an entry of the PF's queue is for the PF's packets, one of a VF's for the VF's */
	      {PACKET4(.vf = 0), NOTHING}, {PACKET6(), NOTHING}, {PACKET6(.vf = 0), 4, false, 0, 2},
	      {PACKET6(.vf = 1), NOTHING},
	      /* a drop is for all of them */
	      {PACKET6(.vf = 1, .proto = TCP), 3, DROP},
	      {PACKET6(.vf = 1, .proto = TCP, .dst_ip = {0x20, 0x01}), NOTHING},
	      /* sctp4's default input set: addresses and ports, which are 0 in the rule */
	      {PACKET4(.proto = SCTP, .dst_ip = {0}, .src_port = 0, .dst_port = 0), 5, false, -1,
	       3},
	      {PACKET4(.proto = SCTP), NOTHING}, {PACKET4(.ethertype = 0x0806), NOTHING});
}

static void i40e_tags_and_words(void **state)
{
	static const struct step steps[] = {
		{"{'op':'add','loc':1,'flow':'udp4','flags':['ext'],'cookie':'0x1','value':"
		 "{'vlan_tci':5},'mask':{'vlan_tci':65535}}",
		 "ok"},
		/* a partial mask of a tag compares nothing */
		{"{'op':'add','loc':2,'flow':'tcp4','flags':['ext'],'cookie':'0x2','value':"
		 "{'vlan_tci':5},'mask':{'vlan_tci':4095}}",
		 "ok"},
		{"{'op':'add','loc':3,'flow':'sctp4','flags':['ext'],'cookie':'0x3','value':"
		 "{'user_def':'0x40102'},'mask':{'user_def':'0xffffffff'}}",
		 "ok"},
		{"{'op':'add','loc':4,'flow':'ip4','flags':['ext'],'cookie':'0x4','value':"
		 "{'user_def':'0x60304'},'mask':{'user_def':'0xffffffff'}}",
		 "ok"},
		{NULL},
	};
	static const struct step reprogram[] = {
		/* DEL forgets the offsets that rules use; the next new one is written instead of them */
		{"{'op':'del','loc':9}", "no_such_rule"},
		{"{'op':'add','loc':9,'flow':'udp6','flags':['ext'],'cookie':'0x5','value':"
		 "{'user_def':'0x80304'},'mask':{'user_def':'0xffffffff'}}",
		 "ok"},
		{NULL},
	};
	struct nic_model *model = model_of("{'driver':'i40e','device':{}}");
	static const struct meeting before[] = {
		{PACKET4(.tagged = true, .tci = 5), 1, false, -1, 1},
		{PACKET4(.tagged = true, .tci = 0x2005), NOTHING},
		{PACKET4(), NOTHING},
		{PACKET4(.proto = TCP), 2, false, -1, 2},
		{PACKET4(.proto = SCTP, .l4_payload = {[4] = 1, 2}), 3, false, -1, 3},
		{PACKET4(.proto = SCTP, .l4_payload = {[4] = 1, 3}), NOTHING},
		{PACKET4(.proto = ICMP, .l3_payload = {[6] = 3, 4}), 4, false, -1, 4},
		{PACKET4(.proto = ICMP, .l4_payload = {[6] = 3, 4}), NOTHING},
	};
	static const struct meeting after[] = {
		/* the first word's index is now that of offset 8 */
		{PACKET4(.proto = SCTP, .l4_payload = {[4] = 1, 2, [8] = 9}), NOTHING},
		{PACKET4(.proto = SCTP, .l4_payload = {[4] = 7, 7}), 3, false, -1, 3},
	};

	run_steps(model, steps);
	meet(model, before, ARRAY_SIZE(before));
	run_steps(model, reprogram);
	meet(model, after, ARRAY_SIZE(after));
	/* reported by the hardware as not added */
	run(model, "{'op':'env','what':'fd_inv','v':1}", NULL);
	meet(model, (struct meeting[]){{PACKET4(.tagged = true, .tci = 5), NOTHING}}, 1);
	nic_model_free(model);
}

static void igb_filters(void **state)
{
	static const struct step steps[] = {
		/* each field catches on its own */
		{"{'op':'add','loc':1,'flow':'ether','flags':['ext'],'cookie':'0x1','value':"
		 "{'h_proto':34525,'vlan_tci':24576},'mask':{'h_proto':65535,'vlan_tci':57344}}",
		 "ok"},
		{"{'op':'add','loc':2,'flow':'ether','cookie':'0x2','value':"
		 "{'h_dest':'02:00:00:00:00:05','h_source':'02:00:00:00:00:06'},'mask':"
		 "{'h_dest':'ff:ff:ff:ff:ff:ff','h_source':'ff:ff:ff:ff:ff:ff'}}",
		 "ok"},
		/* the same destination: its filter is now this rule's, queue and all */
		{"{'op':'add','loc':3,'flow':'ether','cookie':'0x3','value':"
		 "{'h_dest':'02:00:00:00:00:05'},'mask':{'h_dest':'ff:ff:ff:ff:ff:ff'}}",
		 "ok"},
		/* what a rule that is replaced had in hardware stays there */
		{"{'op':'add','loc':4,'flow':'ether','cookie':'0x1','value':{'h_proto':2054},'mask':"
		 "{'h_proto':65535}}",
		 "ok"},
		{"{'op':'add','loc':4,'flow':'ether','cookie':'0x0','value':{'h_proto':2055},'mask':"
		 "{'h_proto':65535}}",
		 "ok"},
		{NULL},
	};

	CHECK("{'driver':'igb','device':{'mac':'I210','num_rx_queues':4}}",
	      {PACKET6(), 1, false, -1, 1},
	      {PACKET4(.tagged = true, .tci = 0x6007), 1, false, -1, 1},
	      {PACKET4(.tagged = true, .tci = 0x8007), NOTHING},
	      {PACKET4(.dst_mac = {2, [5] = 5}), 2, false, -1, 3},
	      {PACKET4(.src_mac = {2, [5] = 6}), 2, false, -1, 2},
	      {PACKET4(.src_mac = {2, [5] = 5}), NOTHING},
	      {PACKET4(.ethertype = 0x0807), 4, false, -1, 0},
	      {PACKET4(.ethertype = 0x0806), LEFT_BEHIND, false, -1, 1}, {PACKET4(), NOTHING},
	      {PACKET6(.vf = 0), NOTHING});
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ixgbe_fields),        cmocka_unit_test(ixgbe_any_and_tags),
		cmocka_unit_test(ixgbe_targets),       cmocka_unit_test(ixgbe_pools),
		cmocka_unit_test(ixgbe_layouts),       cmocka_unit_test(i40e_types),
		cmocka_unit_test(i40e_tags_and_words), cmocka_unit_test(igb_filters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
