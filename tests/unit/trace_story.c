/* SPDX-License-Identifier: Apache-2.0 */
/* What a trace says at each stage, and where packets end, on ports with VFs. */
#include "flows/trace.h"

#include "tests/unit/flow_fixture.h"

#define PF_MAC "90:e2:ba:11:22:33"
#define VF_MAC(n) "02:00:00:00:00:0" #n

/* The example host's 82599 or another NIC, with 4 VFs: VF 1 has port VLAN 100, VF 2's link is disabled. */
struct fixture {
	struct sriov_pf port;
	struct sriov_vf vf[4];
	uint32_t rss[4];
	struct sriov_trace_entry entry[8];
	size_t n;
};

static void fixture_of(const char *driver, uint16_t device, struct fixture *f)
{
	*f = (struct fixture){.rss = {2, 2, 2, 2}};
	f->port = (struct sriov_pf){.address = "0000:81:00.0",
				    .device = device,
				    .up = true,
				    .vfs = ARRAY_SIZE(f->vf),
				    .vf = f->vf,
				    .queues = 4,
				    .ntuple = SRIOV_NTUPLE_ON,
				    .bridge = SRIOV_BRIDGE_VEB,
				    .rss = f->rss,
				    .nrss = ARRAY_SIZE(f->rss)};
	core_copy(f->port.driver, sizeof(f->port.driver), driver);
	sriov_mac_parse(PF_MAC, f->port.mac);
	for (unsigned i = 0; i < ARRAY_SIZE(f->vf); i++) {
		struct sriov_vf_attrs *a = &f->vf[i].attrs;

		f->vf[i].index = i;
		*a = (struct sriov_vf_attrs){.has = SRIOV_VF_ALL, .mac = {2, [5] = i}};
		a->spoofchk = i == 0;
		a->vlan = i == 1 ? 100 : 0;
		a->qos = i == 1 ? 3 : 0;
		a->link = i == 2 ? SRIOV_LINK_DISABLE : SRIOV_LINK_AUTO;
	}
}

static void with_rule(struct fixture *f, const char *words)
{
	struct sriov_trace_entry *to = &f->entry[f->n++];
	struct sriov_rule rule;

	rule_of(words, &rule);
	to->entry = entry_of(words);
	core_copy(to->rule, sizeof(to->rule), rule.name);
}

static void told(const struct fixture *f, const char *packet, const char *in, const char *wanted)
{
	struct sriov_tracer *tracer = NULL;
	struct sriov_ingress from;
	struct sriov_packet p;
	struct sriov_story story;
	struct sriov_trace trace, fast;
	char buf[4096];
	struct text text = {.at = buf, .size = sizeof(buf)};
	char end[64], rule[SRIOV_NAME_LEN];

	assert_int_equal(sriov_tracer_new(&f->port, f->entry, f->n, &tracer, NULL), 0);
	assert_int_equal(sriov_packet_parse(packet, &p, NULL), 0);
	assert_int_equal(sriov_ingress_parse(in, &from, NULL), 0);
	sriov_trace_explain(tracer, &p, from, &trace, &story);
	sriov_trace(tracer, &p, from, &fast);
	assert_memory_equal(&trace, &fast, sizeof(trace));
	for (size_t i = 0; i < story.n; i++)
		text_add(&text, "%s: %s\n", sriov_stage_word(story.line[i].stage),
			 story.line[i].text);
	sriov_trace_format(&trace, end, sizeof(end));
	sriov_trace_rule(tracer, &trace, rule, sizeof(rule));
	text_add(&text, "= %s by %s%s%s", end, sriov_stage_word(trace.stage), *rule ? " " : "",
		 rule);
	if (strcmp(buf, wanted) != 0)
		fail_msg("%s from %s:\n%s\nnot\n%s", packet, in, buf, wanted);
	sriov_tracer_free(tracer);
}

#define UDP "udp 198.51.100.7:1024 > 10.0.0.7:4789"
#define NO_FILTERS                                                                                 \
	"filters: the kernel's driver has none for such packets; whether another program (DPDK) "  \
	"has set some is not readable\n"
#define I40E_FILTERS                                                                               \
	"filters: the driver's own are for flow control and LLDP; whether another program (DPDK) " \
	"has set some is not readable\n"
#define TO_PF "switch: to the PF: its MAC address\n"
#define TUNNEL "if the host has a tunnel on that UDP port, the packet inside is "
#define COMPARED "rules: " TUNNEL "compared: that was not read\n"
#define VF_QUEUE "rss: queue unknown: how many queues a VF uses is its driver's matter\n"

static void ixgbe_from_wire(void **state)
{
	struct fixture f;

	fixture_of("ixgbe", X520, &f);
	told(&f, UDP, "wire",
	     "switch: to the PF: no dmac is given, so it is taken as addressed to the PF\n" NO_FILTERS
	     "rules: the table is empty\nrss: the whole table says queue 2\n= pf queue 2 by rss");
	with_rule(&f, "name web udp4 dst-ip 10.0.0.7 dst-port 4789 vf 3 queue 1 loc 7");
	with_rule(&f, "udp4 dst-ip 10.0.0.8 dst-port 4789 drop loc 8");
	told(&f, UDP " dmac " PF_MAC " vid 5", "wire",
	     TO_PF "switch: taken that the host has VLAN 5 on it: that was not read\n" NO_FILTERS
		   "rules: rule web (location 7): udp4 dst-ip 10.0.0.7 dst-port 4789 -> vf 3 queue "
		   "1\n= vf 3 queue 1 by rules web");
	told(&f, "udp 1.2.3.4:5 > 10.0.0.8:4789 dmac " PF_MAC, "wire",
	     TO_PF NO_FILTERS "rules: an entry that is no rule of ours (location 8): udp4 dst-ip "
			      "10.0.0.8 dst-port 4789 -> drop\n= drop by rules location 8");
	told(&f, "udp 1.2.3.4:5 > 10.0.0.9:4789 dmac " PF_MAC, "wire",
	     TO_PF NO_FILTERS "rules: Flow Director: none of its 2 entries acts on it\n"
			      "rss: the whole table says queue 2\n= pf queue 2 by rss");
	told(&f, "icmp 2001:db8::1 > 2001:db8::2 dmac " PF_MAC, "wire",
	     TO_PF NO_FILTERS "rules: not looked at: it is IPv6\n"
			      "rss: the whole table says queue 2\n= pf queue 2 by rss");
	told(&f, "ether 0x88f7 dmac " PF_MAC, "wire",
	     TO_PF NO_FILTERS "rules: not looked at: it is not IP\n"
			      "rss: the whole table says queue 2\n= pf queue 2 by rss");
	told(&f, UDP " vid 1 inner-vid 2 dmac " PF_MAC, "wire",
	     TO_PF "switch: taken that the host has VLAN 1 on it: that was not read\n" NO_FILTERS
		   "rules: unknown: it has two VLAN tags, and whether the NIC looks behind the "
		   "second is not known\n= unknown by rules");
	told(&f, UDP " vid 1 tpid 0x88a8 dmac " PF_MAC, "wire",
	     TO_PF "switch: taken that the host has VLAN 1 on it: that was not read\n" NO_FILTERS
		   "rules: unknown: its VLAN tag is not of type 0x8100, and whether the NIC looks "
		   "behind it is not known\n= unknown by rules");
	f.port.ntuple = SRIOV_NTUPLE_OFF;
	f.port.up = false;
	told(&f, UDP " dmac " PF_MAC, "wire",
	     "switch: the port is down: this is the way that it would go if it were up\n" TO_PF
		     NO_FILTERS "rules: not looked at: ntuple is off, and the entries do nothing\n"
	     "rss: the whole table says queue 2\n= pf queue 2 by rss");
}

#define NOBODY_KNOWN                                                                               \
	"switch: unknown: no function of the port is known to have this MAC address; one that "    \
	"has it all the same, or is promiscuous, gets the frame, else nobody: that is not "        \
	"readable\n= unknown by switch"

static void to_vfs(void **state)
{
	struct fixture f;

	fixture_of("ixgbe", X520, &f);
	told(&f, UDP " dmac " VF_MAC(0), "wire",
	     "switch: to VF 0: its MAC address\n" NO_FILTERS "rules: the table is empty\n" VF_QUEUE
	     "= vf 0 queue unknown by rss");
	told(&f, UDP " vid 7 dmac " VF_MAC(0), "wire",
	     "switch: to VF 0: its MAC address\n"
	     "switch: taken that its guest asked for VLAN 7: that is not readable\n" NO_FILTERS
	     "rules: the table is empty\n" VF_QUEUE "= vf 0 queue unknown by rss");
	told(&f, UDP " vid 100 dmac " VF_MAC(1), "wire",
	     "switch: to VF 1: its MAC address and port VLAN 100\n" NO_FILTERS
	     "rules: the table is empty\n" VF_QUEUE "= vf 1 queue unknown by rss");
	told(&f, UDP " vid 101 dmac " VF_MAC(1), "wire",
	     "switch: dropped: it is for VF 1, which takes VLAN 100 only (its port VLAN), and not "
	     "VLAN 101\n= drop by switch");
	told(&f, UDP " dmac " VF_MAC(1), "wire",
	     "switch: dropped: it is for VF 1, which takes VLAN 100 only (its port VLAN), and has no "
	     "tag\n= drop by switch");
	told(&f, UDP " dmac " VF_MAC(2), "wire",
	     "switch: it is for VF 2, whose link is disabled: dropped\n= drop by switch");
	told(&f, UDP " dmac 02:00:00:00:00:99", "wire", NOBODY_KNOWN);
	/* two VFs with one address, in different VLANs */
	f.vf[3].attrs.vlan = 200;
	f.vf[3].attrs.mac[5] = 1;
	told(&f, UDP " vid 200 dmac " VF_MAC(1), "wire",
	     "switch: to VF 3: its MAC address and port VLAN 200\n" NO_FILTERS
	     "rules: the table is empty\n" VF_QUEUE "= vf 3 queue unknown by rss");
	/* a VF whose address the PF does not know */
	f.vf[0].attrs.mac[0] = 0;
	told(&f, UDP " dmac " VF_MAC(0), "wire", NOBODY_KNOWN);
	/* attributes that were not read */
	f.port.vf = NULL;
	told(&f, UDP " dmac " PF_MAC, "wire",
	     TO_PF NO_FILTERS "rules: the table is empty\nrss: the whole table says queue 2\n"
			      "= pf queue 2 by rss");
}

static void between_functions(void **state)
{
	struct fixture f;

	fixture_of("ixgbe", X520, &f);
	with_rule(&f, "name block udp4 dst-port 4789 drop loc 7");
	told(&f, UDP " dmac " VF_MAC(0), "pf",
	     "switch: to VF 0: its MAC address\n" NO_FILTERS
	     "rules: not looked at: 82599 and X540 do not classify what they switch inside the "
	     "port\n" VF_QUEUE "= vf 0 queue unknown by rss");
	told(&f, UDP " dmac " PF_MAC " smac " VF_MAC(0), "vf 0",
	     "switch: to the PF: its MAC address, switched inside the port (VEB)\n" NO_FILTERS
	     "rules: not looked at: 82599 and X540 do not classify what they switch inside the "
	     "port\nrss: the whole table says queue 2\n= pf queue 2 by rss");
	told(&f, UDP " dmac " PF_MAC " smac " VF_MAC(3), "vf 0",
	     "switch: dropped: VF 0 sends with a MAC address that is not its own (spoofchk)\n"
	     "= drop by switch");
	told(&f, UDP " dmac " VF_MAC(0), "vf 2",
	     "switch: dropped: the link of VF 2 is disabled\n= drop by switch");
	told(&f, UDP, "vf 3",
	     "switch: to the wire: no dmac is given, so it is taken as addressed to the outside\n"
	     "= wire by switch");
	told(&f, UDP " dmac 02:00:00:00:00:99", "vf 3",
	     "switch: to the wire: no function of the port is known to have this MAC address "
	     "(further ones are not readable)\n"
	     "= wire by switch");
	told(&f, UDP " dmac " VF_MAC(3), "vf 3",
	     "switch: it is addressed to its sender, and what the NIC makes of that is not known\n"
	     "= unknown by switch");
	told(&f, UDP " dmac " PF_MAC, "pf",
	     "switch: it is addressed to its sender, and what the NIC makes of that is not known\n"
	     "= unknown by switch");
	/* the port VLAN of the sender: another VF in it, one outside it */
	told(&f, UDP " dmac " VF_MAC(3), "vf 1",
	     "switch: VF 1 has port VLAN 100: the frame gets that tag\n"
	     "switch: to VF 3: its MAC address\n"
	     "switch: taken that its guest asked for VLAN 100: that is not readable\n" NO_FILTERS
	     "rules: not looked at: 82599 and X540 do not classify what they switch inside the "
	     "port\n" VF_QUEUE "= vf 3 queue unknown by rss");
	told(&f, UDP " dmac " VF_MAC(1), "vf 3",
	     "switch: dropped: it is for VF 1, which takes VLAN 100 only (its port VLAN), and has no "
	     "tag\n= drop by switch");
	told(&f, UDP " vid 5 dmac " VF_MAC(3), "vf 1",
	     "switch: VF 1 has a port VLAN and tags the frame itself: what the NIC makes of that is "
	     "not known\n= unknown by switch");
	told(&f, UDP, "vf 9", "switch: there is no VF 9: the port has 4\n= unknown by switch");
	f.port.bridge = SRIOV_BRIDGE_UNKNOWN;
	told(&f, UDP " dmac 02:00:00:00:00:99", "pf",
	     "switch: VEB or VEPA was not read: taken as VEB, which drivers choose with VFs\n"
	     "switch: to the wire: no function of the port is known to have this MAC address "
	     "(further ones are not readable)\n"
	     "= wire by switch");
	f.port.bridge = SRIOV_BRIDGE_VEPA;
	told(&f, UDP " dmac " VF_MAC(0), "pf",
	     "switch: to the wire: the port is in VEPA mode and switches nothing itself\n"
	     "= wire by switch");
	/* what X550 switches it classifies */
	fixture_of("ixgbe", X550, &f);
	with_rule(&f, "name block udp4 dst-port 4789 drop loc 7");
	told(&f, UDP " dmac " VF_MAC(0), "pf",
	     "switch: to VF 0: its MAC address\n" NO_FILTERS
	     "rules: rule block (location 7): udp4 dst-port 4789 -> drop\n= drop by rules block");
}

static void to_many(void **state)
{
	struct fixture f;

	fixture_of("ixgbe", X520, &f);
	told(&f, UDP " dmac ff:ff:ff:ff:ff:ff", "wire",
	     "switch: broadcast: copies for the PF and VFs\n" NO_FILTERS
	     "rules: the table is empty\n"
	     "rss: each copy takes the queue that its function's RSS says\n= several by rss");
	told(&f, UDP " dmac 01:00:5e:00:00:01", "vf 0",
	     "switch: multicast: copies for the PF and VFs but the sender, and for the wire, as far "
	     "as they asked for it (not readable)\n" NO_FILTERS "rules: the table is empty\n"
	     "rss: each copy takes the queue that its function's RSS says\n= several by rss");
	with_rule(&f, "name web udp4 dst-port 4789 vf 3 loc 7");
	told(&f, UDP " dmac ff:ff:ff:ff:ff:ff", "wire",
	     "switch: broadcast: copies for the PF and VFs\n" NO_FILTERS
	     "rules: rule web (location 7): udp4 dst-port 4789 -> vf 3 queue 0\n"
	     "rules: that it replaces all the copies was seen on an emulated NIC, not on silicon\n"
	     "= vf 3 queue 0 by rules web");
	f.n = 0;
	with_rule(&f, "name mine udp4 dst-port 4789 user-def 3 m 0xffffffffffffff80 queue 1 loc 7");
	told(&f, UDP " dmac ff:ff:ff:ff:ff:ff", "wire",
	     "switch: broadcast: copies for the PF and VFs\n" NO_FILTERS
	     "rules: unknown: an entry looks at the function that the switch chose, and there are "
	     "several\n= unknown by rules");
	told(&f, "udp 1.2.3.4:5 > 6.7.8.9:10 dmac ff:ff:ff:ff:ff:ff", "wire",
	     "switch: broadcast: copies for the PF and VFs\n" NO_FILTERS
	     "rules: Flow Director: none of its 1 entries acts on it\n"
	     "rss: each copy takes the queue that its function's RSS says\n= several by rss");
	fixture_of("i40e", 0x1583, &f);
	with_rule(&f, "name q udp4 dst-port 4789 queue 1 loc 7");
	told(&f, UDP " dmac ff:ff:ff:ff:ff:ff", "wire",
	     "switch: broadcast: copies for the PF and VFs\n" I40E_FILTERS
	     "rules: location 7 acts on the copy of its function only, the others take their own "
	     "way\n= several by rules");
	f.n = 0;
	with_rule(&f, "name d udp4 dst-port 4789 drop loc 7");
	told(&f, UDP " dmac ff:ff:ff:ff:ff:ff", "wire",
	     "switch: broadcast: copies for the PF and VFs\n" I40E_FILTERS
	     "rules: rule d (location 7): udp4 dst-port 4789 -> drop\n" COMPARED
	     "= drop by rules d");
}

static void i40e_ways(void **state)
{
	struct fixture f;

	fixture_of("i40e", 0x1583, &f);
	with_rule(&f, "name inside udp4 dst-port 4789 vf 3 queue 1 loc 7");
	with_rule(&f, "name mine udp4 dst-port 4789 queue 2 loc 9");
	told(&f, UDP " dmac " VF_MAC(3), "wire",
	     "switch: to VF 3: its MAC address\n" I40E_FILTERS
	     "rules: rule inside (location 7): udp4 dst-port 4789 -> vf 3 queue 1\n" COMPARED
	     "= vf 3 queue 1 by rules inside");
	told(&f, UDP " dmac " PF_MAC, "wire",
	     TO_PF I40E_FILTERS
	     "rules: rule mine (location 9): udp4 dst-port 4789 -> queue 2\n" COMPARED
	     "= pf queue 2 by rules mine");
	told(&f, UDP " dmac " VF_MAC(0), "wire",
	     "switch: to VF 0: its MAC address\n" I40E_FILTERS
	     "rules: Flow Director: none of its 2 entries acts on it\n" VF_QUEUE
	     "= vf 0 queue unknown by rss");
	with_rule(&f, "name six ip6-other dst-ip 2001:db8::2 drop loc 10");
	told(&f, "udp 2001:db8::1 > 2001:db8::2 frag dmac " PF_MAC, "wire",
	     TO_PF I40E_FILTERS
	     "rules: unknown: it is a fragment of IPv6, and what the NIC compares "
	     "of those the driver never sets\n= unknown by rules");
	/* bytes of the payload, which words need not say */
	f.n = 0;
	with_rule(&f, "name flex udp4 dst-port 4789 user-def 0x0004beef m 0xffffffff00000000 drop "
		      "loc 7");
	told(&f, UDP " dmac " PF_MAC, "wire",
	     TO_PF I40E_FILTERS
	     "rules: unknown: bytes of its payload decide, which are not known\n= unknown by rules");
	told(&f, "udp 1.2.3.4:5 > 6.7.8.9:10 dmac " PF_MAC, "wire",
	     TO_PF I40E_FILTERS "rules: Flow Director: none of its 1 entries acts on it\n"
				"rss: the whole table says queue 2\n= pf queue 2 by rss");
	told(&f, UDP " payload 00000000beef dmac " PF_MAC, "wire",
	     TO_PF I40E_FILTERS
	     "rules: rule flex (location 7): udp4 dst-port 4789 user-def 0x4beef m "
	     "0xffffffff00000000 -> drop\n" COMPARED "= drop by rules flex");
	told(&f, UDP " payload 00000000beee dmac " PF_MAC, "wire",
	     TO_PF I40E_FILTERS "rules: Flow Director: none of its 1 entries acts on it\n"
				"rss: the whole table says queue 2\n= pf queue 2 by rss");
}

/* Where a target is not what its words say. */
static void targets(void **state)
{
	struct fixture f;

	fixture_of("ixgbe", X520, &f);
	f.port.queues = 2;
	with_rule(&f, "name web udp4 dst-port 4789 vf 3 queue 1 loc 7");
	told(&f, UDP " dmac " PF_MAC, "wire",
	     TO_PF NO_FILTERS
	     "rules: rule web (location 7): udp4 dst-port 4789 -> vf 3 queue 1\n"
	     "rules: but the PF has fewer rings than the hardware has queues for a VF, so the driver "
	     "computes a queue of another VF\n= vf 1 queue 3 by rules web");
	f.port.queues = 8;
	told(&f, UDP " dmac " PF_MAC, "wire",
	     TO_PF NO_FILTERS "rules: rule web (location 7): udp4 dst-port 4789 -> vf 3 queue 1\n"
			      "rules: but DCB or macvlan offload divides the queues, and which VF "
			      "has this one is not known\n= unknown by rules web");
	f.port.vfs = 31;
	f.port.vf = NULL;
	f.port.queues = 4;
	f.n = 0;
	with_rule(&f, "name last udp4 dst-port 4789 queue 3 loc 7");
	told(&f, UDP " dmac " PF_MAC, "wire",
	     TO_PF NO_FILTERS "rules: rule last (location 7): udp4 dst-port 4789 -> queue 3\n"
			      "rules: but that queue of the PF is queue 127 of the hardware, which "
			      "drops\n= drop by rules last");
	/* a target that has gone is in the driver's list only */
	f.port.vfs = 2;
	f.n = 0;
	with_rule(&f, "name gone udp4 dst-port 4789 vf 3 loc 7");
	told(&f, UDP " dmac " PF_MAC, "wire",
	     TO_PF NO_FILTERS "rules: Flow Director: none of its 1 entries acts on it\n"
			      "rss: the whole table says queue 2\n= pf queue 2 by rss");
	fixture_of("igb", I350, &f);
	with_rule(&f, "name ptp ether proto 0x88f7 queue 1 loc 1");
	told(&f, "ether 0x88f7 dmac " PF_MAC, "wire",
	     TO_PF "rules: rule ptp (location 1): ether proto 0x88f7 -> queue 1\n"
		   "rules: but with VFs igb's rules reach queues of VFs, and whose this one is is "
		   "not known\n= unknown by rules ptp");
	f.port.vfs = 0;
	told(&f, "ether 0x88f7 dmac " PF_MAC, "wire",
	     TO_PF "rules: rule ptp (location 1): ether proto 0x88f7 -> queue 1\n"
		   "= pf queue 1 by rules ptp");
}

static void not_modelled(void **state)
{
	struct sriov_tracer *tracer = (void *)&tracer;
	struct sriov_error err = {0};
	struct fixture f;

	fixture_of("ice", 0x1592, &f);
	assert_int_equal(sriov_tracer_new(&f.port, NULL, 0, &tracer, &err), -EOPNOTSUPP);
	assert_non_null(strstr(err.message, "'ice'"));
	assert_ptr_equal(tracer, &tracer);
	sriov_tracer_free(NULL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(ixgbe_from_wire),   cmocka_unit_test(to_vfs),
		cmocka_unit_test(between_functions), cmocka_unit_test(to_many),
		cmocka_unit_test(i40e_ways),         cmocka_unit_test(targets),
		cmocka_unit_test(not_modelled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
