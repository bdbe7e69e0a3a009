/* SPDX-License-Identifier: Apache-2.0 */
/* The rule language: what is read, and where and how the rest is refused. */
#include <errno.h>
#include <setjmp.h>
#include <sriov/flow.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *text;
	const char *same; /* as sriov_rule_format() says it */
} good[] = {
	/* flow types, with and without the word in front */
	{"flow-type tcp4 drop", "flow-type tcp4 drop"},
	{"tcp4 drop", "flow-type tcp4 drop"},
	{"udp4 drop", "flow-type udp4 drop"},
	{"sctp4 drop", "flow-type sctp4 drop"},
	{"ip4 drop", "flow-type ip4 drop"},
	{"tcp6 drop", "flow-type tcp6 drop"},
	{"udp6 drop", "flow-type udp6 drop"},
	{"sctp6 drop", "flow-type sctp6 drop"},
	{"ip6 drop", "flow-type ip6 drop"},
	{"ether drop", "flow-type ether drop"},
	{"\tudp4   drop \r\n", "flow-type udp4 drop"},
	{"udp4 drop # why", "flow-type udp4 drop"},
	{"udp4 drop #why # and more drop", "flow-type udp4 drop"},
	{"udp4 drop # ünïcode\n", "flow-type udp4 drop"},
	/* actions */
	{"udp4 queue 3", "flow-type udp4 queue 3"},
	{"udp4 queue 0xff", "flow-type udp4 queue 255"},
	{"udp4 vf 3", "flow-type udp4 vf 3"},
	{"udp4 vf 3 queue 1", "flow-type udp4 vf 3 queue 1"},
	{"udp4 queue 1 vf 3", "flow-type udp4 vf 3 queue 1"},
	{"udp4 vf 254 queue 4294967295", "flow-type udp4 vf 254 queue 4294967295"},
	{"udp4 vf 0 queue 0", "flow-type udp4 vf 0"},
	{"udp4 action 5", "flow-type udp4 queue 5"},
	{"udp4 action -1", "flow-type udp4 drop"},
	{"udp4 action 0xffffffffffffffff", "flow-type udp4 drop"},
	{"udp4 action 18446744073709551615", "flow-type udp4 drop"},
	{"udp4 action 0x100000000", "flow-type udp4 vf 0"},
	{"udp4 action 0x400000001", "flow-type udp4 vf 3 queue 1"},
	{"udp4 action 17179869185", "flow-type udp4 vf 3 queue 1"},
	{"udp4 action 0xff00000002", "flow-type udp4 vf 254 queue 2"},
	{"udp4 queues 0-3", "flow-type udp4 queues 0-3"},
	{"udp4 queues 3-4", "flow-type udp4 queues 3-4"},
	{"udp4 queues 5-5", "flow-type udp4 queue 5"},
	{"udp4 queues 7", "flow-type udp4 queue 7"},
	{"udp4 queues 0x10-0x1f", "flow-type udp4 queues 16-31"},
	{"udp4 guest web1", "flow-type udp4 guest web1"},
	{"udp4 guest web1 queue 2", "flow-type udp4 guest web1 queue 2"},
	{"udp4 queue 2 guest web1", "flow-type udp4 guest web1 queue 2"},
	{"udp4 guest c0ffee00-1111-4222-8333-444455556666 queue 0",
	 "flow-type udp4 guest c0ffee00-1111-4222-8333-444455556666"},
	{"udp4 guest w€b#1", "flow-type udp4 guest w€b#1"},
	{"udp4 guest drop", "flow-type udp4 guest drop"},
	/* scope */
	{"udp4 in pf drop", "flow-type udp4 in pf drop"},
	{"udp4 in vf 3 queue 1", "flow-type udp4 in vf 3 queue 1"},
	{"udp4 queue 1 in vf 3", "flow-type udp4 in vf 3 queue 1"},
	{"udp4 in vf 3 vf 4 queue 1", "flow-type udp4 in vf 3 vf 4 queue 1"},
	{"udp4 in guest web1 queues 0-1", "flow-type udp4 in guest web1 queues 0-1"},
	{"udp4 in guest a guest b", "flow-type udp4 in guest a guest b"},
	{"udp4 in vf 254 drop", "flow-type udp4 in vf 254 drop"},
	/* worth */
	{"udp4 drop weight 7 optional", "flow-type udp4 drop weight 7 optional"},
	{"udp4 optional drop", "flow-type udp4 drop optional"},
	{"udp4 drop weight 1", "flow-type udp4 drop"},
	{"udp4 drop weight 1000000 loc 3", "flow-type udp4 drop weight 1000000 loc 3"},
	/* flow types of one i40e entry */
	{"ip4-other src-ip 10.0.0.7 drop", "flow-type ip4-other src-ip 10.0.0.7 drop"},
	{"ip6-other drop", "flow-type ip6-other drop"},
	/* location and name */
	{"udp4 drop loc 0", "flow-type udp4 drop loc 0"},
	{"udp4 loc 2045 drop", "flow-type udp4 drop loc 2045"},
	{"udp4 drop loc 2147483647", "flow-type udp4 drop loc 2147483647"},
	{"name web udp4 drop", "name web flow-type udp4 drop"},
	{"udp4 drop name web", "name web flow-type udp4 drop"},
	{"name drop udp4 drop", "name drop flow-type udp4 drop"},
	{"name _a.b:c/d-9 udp4 drop", "name _a.b:c/d-9 flow-type udp4 drop"},
	/* addresses */
	{"udp4 src-ip 10.0.0.7 drop", "flow-type udp4 src-ip 10.0.0.7 drop"},
	{"udp4 dst-ip 10.0.0.7 src-ip 10.1.0.1 drop",
	 "flow-type udp4 src-ip 10.1.0.1 dst-ip 10.0.0.7 drop"},
	{"udp4 dst-ip 10.0.0.7/8 drop", "flow-type udp4 dst-ip 10.0.0.0/8 drop"},
	{"udp4 dst-ip 10.0.0.7/32 drop", "flow-type udp4 dst-ip 10.0.0.7 drop"},
	{"udp4 dst-ip 10.0.0.7/0 drop", "flow-type udp4 drop"},
	{"udp4 dst-ip 10.0.0.7/25 drop", "flow-type udp4 dst-ip 10.0.0.0/25 drop"},
	{"udp4 dst-ip 10.0.0.7 m 0.0.0.255 drop", "flow-type udp4 dst-ip 10.0.0.0/24 drop"},
	{"udp4 dst-ip 10.0.0.7 dst-ip-mask 0.0.0.255 drop",
	 "flow-type udp4 dst-ip 10.0.0.0/24 drop"},
	{"udp4 dst-ip 10.0.0.7 m 255.255.255.0 drop",
	 "flow-type udp4 dst-ip 0.0.0.7 m 255.255.255.0 drop"},
	{"udp4 dst-ip 10.0.0.7 m 255.255.255.255 drop", "flow-type udp4 drop"},
	{"tcp6 src-ip 2001:db8::7 drop", "flow-type tcp6 src-ip 2001:db8::7 drop"},
	{"tcp6 src-ip 2001:DB8:0:0::7/33 drop", "flow-type tcp6 src-ip 2001:db8::/33 drop"},
	{"tcp6 dst-ip ::1/128 drop", "flow-type tcp6 dst-ip ::1 drop"},
	{"tcp6 dst-ip ::ffff:10.0.0.1 drop", "flow-type tcp6 dst-ip ::ffff:10.0.0.1 drop"},
	{"tcp6 dst-ip 2001:db8::7 m ::ffff drop", "flow-type tcp6 dst-ip 2001:db8::/112 drop"},
	{"tcp6 dst-ip 2001:db8::7 m ffff:: drop", "flow-type tcp6 dst-ip 0:db8::7 m ffff:: drop"},
	/* numbers */
	{"udp4 dst-port 4789 drop", "flow-type udp4 dst-port 4789 drop"},
	{"udp4 dst-port 0x12b5 drop", "flow-type udp4 dst-port 4789 drop"},
	{"udp4 dst-port 0 drop", "flow-type udp4 dst-port 0 drop"},
	{"udp4 dst-port 65535 src-port 1 drop", "flow-type udp4 src-port 1 dst-port 65535 drop"},
	{"udp4 dst-port 81 m 1 drop", "flow-type udp4 dst-port 80 m 0x1 drop"},
	{"udp4 dst-port 81 m 0xffff drop", "flow-type udp4 drop"},
	{"udp4 dst-port 81 m 0 drop", "flow-type udp4 dst-port 81 drop"},
	{"udp4 dst-port 1000-2000 drop", "flow-type udp4 dst-port 1000-2000 drop"},
	{"udp4 src-port 0-1 dst-port 0x10-0x1f drop",
	 "flow-type udp4 src-port 0-1 dst-port 16-31 drop"},
	{"udp4 dst-port 5-5 drop", "flow-type udp4 dst-port 5 drop"},
	{"udp4 dst-port 0-0 drop", "flow-type udp4 dst-port 0 drop"},
	{"udp4 dst-port 1-65535 drop", "flow-type udp4 dst-port 1-65535 drop"},
	{"tcp6 dst-port 0-65535 drop", "flow-type tcp6 drop"},
	{"tcp4 tos 0x10 drop", "flow-type tcp4 tos 0x10 drop"},
	{"tcp4 tos 255 m 0x0f drop", "flow-type tcp4 tos 0xf0 m 0xf drop"},
	{"tcp6 tclass 16 drop", "flow-type tcp6 tclass 0x10 drop"},
	{"ip4 l4proto 47 drop", "flow-type ip4 l4proto 47 drop"},
	{"ip6 l4proto 58 l4data 0x80000000 m 0xffffff drop",
	 "flow-type ip6 l4proto 58 l4data 0x80000000 m 0xffffff drop"},
	/* VLAN, user-def */
	{"udp4 vlan 100 drop", "flow-type udp4 vlan 100 drop"},
	{"udp4 vlan 100 m 0xf000 drop", "flow-type udp4 vid 100 drop"},
	{"udp4 vlan 0x6064 m 0x1000 drop", "flow-type udp4 vid 100 prio 3 drop"},
	{"udp4 vlan 0x2000 vlan-mask 0x1fff drop", "flow-type udp4 prio 1 drop"},
	{"udp4 vlan 100 m 0xff00 drop", "flow-type udp4 vlan 100 m 0xff00 drop"},
	{"udp4 vid 100 drop", "flow-type udp4 vid 100 drop"},
	{"udp4 vid 0 drop", "flow-type udp4 vid 0 drop"},
	{"udp4 prio 7 vid 4095 drop", "flow-type udp4 vid 4095 prio 7 drop"},
	{"udp4 prio 0 drop", "flow-type udp4 prio 0 drop"},
	{"udp4 vlan-etype 0x8100 vlan 5 drop", "flow-type udp4 vlan-etype 0x8100 vlan 5 drop"},
	{"udp4 user-def 0x3 drop", "flow-type udp4 user-def 0x3 drop"},
	{"udp4 user-def 3 m 0xffffffffffffff80 drop",
	 "flow-type udp4 user-def 0x3 m 0xffffffffffffff80 drop"},
	/* Ethernet */
	{"ether dst 52:54:00:00:00:01 drop", "flow-type ether dst 52:54:00:00:00:01 drop"},
	{"ether src 52:54:00:AA:bb:01 m 00:00:00:ff:ff:ff drop",
	 "flow-type ether src 52:54:00:00:00:00 m 00:00:00:ff:ff:ff drop"},
	{"ether proto 0x88f7 queue 1", "flow-type ether proto 0x88f7 queue 1"},
	{"ether proto 2048 m 0xff prio 3 queue 1",
	 "flow-type ether proto 0x800 m 0xff prio 3 queue 1"},
	/* as people have them */
	{"flow-type udp4 dst-ip 10.0.0.7 dst-port 4789 vf 3 queue 1",
	 "flow-type udp4 dst-ip 10.0.0.7 dst-port 4789 vf 3 queue 1"},
	{"ethtool -N eth0 flow-type udp4 dst-port 53 action 2 loc 4",
	 "flow-type udp4 dst-port 53 queue 2 loc 4"},
	{"sudo /usr/sbin/ethtool --config-ntuple eth0 flow-type udp4 action -1",
	 "flow-type udp4 drop"},
	{"flow-type tcp4 src-ip 192.168.0.1 dst-ip 192.168.0.2 src-port 2000 dst-port 2001 action 2 loc 1",
	 "flow-type tcp4 src-ip 192.168.0.1 dst-ip 192.168.0.2 src-port 2000 dst-port 2001 queue 2 loc 1"},
};

static const struct {
	const char *text;
	unsigned column;
	int code;
	const char *message, *hint; /* parts of them */
} bad[] = {
	/* nothing, or half of a rule */
	{"", 1, -ENODATA, "there is no rule here", ""},
	{"   ", 1, -ENODATA, "there is no rule here", ""},
	{"# only a comment", 1, -ENODATA, "there is no rule here", ""},
	{"flow-type", 10, -EINVAL, "expected a flow type", "tcp4, udp4"},
	{"name web", 9, -EINVAL, "expected a flow type", "tcp4, udp4"},
	{"udp4", 5, -EINVAL, "does not say what to do", "`queue 0`"},
	{"udp4 dst-port 80   # web", 17, -EINVAL, "does not say what to do", "`queue 0`"},
	{"udp4 drop\nudp4 drop", 10, -EINVAL, "a rule is one line", ""},
	{"\nudp4 drop", 1, -EINVAL, "a rule is one line", ""},
	/* flow types */
	{"udp5 drop", 1, -EINVAL, "expected a flow type, not 'udp5'", "did you mean 'udp4'?"},
	{"flow-type upd4 drop", 11, -EINVAL, "not 'upd4'", "did you mean"},
	{"flow-type zzzzzzzz drop", 11, -EINVAL, "not 'zzzzzzzz'", "flow types: tcp4"},
	{"flow-type drop", 11, -EINVAL, "the flow type comes before 'drop'", "flow types"},
	{"dst-port 80 udp4 drop", 1, -EINVAL, "the flow type comes before 'dst-port'",
	 "flow types"},
	{"drop udp4", 1, -EINVAL, "the flow type comes before 'drop'", ""},
	{"m 3 udp4 drop", 1, -EINVAL, "the flow type comes before 'm'", ""},
	{"esp4 drop", 1, -EINVAL, "'esp4' is a word of ethtool(8)", "ESP"},
	{"flow-type ah6 drop", 11, -EINVAL, "'ah6' is a word of ethtool(8)", "AH"},
	{"udp4 tcp4 drop", 6, -EINVAL, "said already: udp4", ""},
	{"udp4 flow-type udp4 drop", 6, -EINVAL, "said already: udp4", ""},
	/* words */
	{"udp4 dst-prot 80 drop", 6, -EINVAL, "unknown word 'dst-prot'",
	 "did you mean 'dst-port'?"},
	{"udp4 dorp", 6, -EINVAL, "unknown word 'dorp'", "did you mean 'drop'?"},
	{"udp4 sip 1.2.3.4 drop", 6, -EINVAL, "unknown word 'sip'", "src-ip"},
	{"udp4 DROP", 6, -EINVAL, "unknown word 'DROP'", ""},
	{"udp4 drop xyzzyxyzzy", 11, -EINVAL, "unknown word 'xyzzyxyzzy'",
	 "udp4 can be matched by"},
	{"udp4 dst-mac 52:54:00:00:00:01 drop", 6, -EINVAL, "'dst-mac' is a word of ethtool(8)",
	 "ether"},
	{"udp4 context 1 drop", 6, -EINVAL, "'context' is a word of ethtool(8)", "RSS"},
	{"udp4 spi 1 drop", 6, -EINVAL, "'spi' is a word of ethtool(8)", "ESP"},
	{"udp4 delete 3", 6, -EINVAL, "'delete' is a word of ethtool(8)", "command"},
	{"ip4 dst-port 80 drop", 5, -EINVAL, "flow type ip4 has no 'dst-port'",
	 "ip4 has src-ip, dst-ip, tos, l4proto, l4data"},
	{"ip4 src-port 80 drop", 5, -EINVAL, "flow type ip4 has no 'src-port'",
	 "'src-port' is for tcp4, udp4, sctp4, tcp6, udp6, sctp6"},
	{"ip6 dst-port 80 drop", 5, -EINVAL, "flow type ip6 has no 'dst-port'", "tclass"},
	{"udp4 l4proto 17 drop", 6, -EINVAL, "flow type udp4 has no 'l4proto'", "is for ip4, ip6"},
	{"udp4 l4data 1 drop", 6, -EINVAL, "flow type udp4 has no 'l4data'", ""},
	{"tcp6 tos 1 drop", 6, -EINVAL, "flow type tcp6 has no 'tos'", "tclass"},
	{"tcp4 tclass 1 drop", 6, -EINVAL, "flow type tcp4 has no 'tclass'", "tos"},
	{"udp4 proto 0x800 drop", 6, -EINVAL, "flow type udp4 has no 'proto'", "is for ether"},
	{"udp4 src 52:54:00:00:00:01 drop", 6, -EINVAL, "flow type udp4 has no 'src'", "ether"},
	{"ether dst-ip 1.2.3.4 drop", 7, -EINVAL, "flow type ether has no 'dst-ip'",
	 "src, dst, proto"},
	/* said twice, or beside what excludes it */
	{"udp4 dst-port 1 dst-port 1 drop", 17, -EINVAL, "'dst-port' is said twice", ""},
	{"udp4 drop drop", 11, -EINVAL, "'drop' is said twice", ""},
	{"udp4 queue 1 queue 2", 14, -EINVAL, "'queue' is said twice", ""},
	{"udp4 vf 1 vf 2", 11, -EINVAL, "'vf' is said twice", ""},
	{"udp4 loc 1 loc 1 drop", 12, -EINVAL, "'loc' is said twice", ""},
	{"name a name b udp4 drop", 8, -EINVAL, "'name' is said twice", ""},
	{"name a udp4 drop name b", 18, -EINVAL, "'name' is said twice", ""},
	{"udp4 vid 1 vid 2 drop", 12, -EINVAL, "'vid' is said twice", ""},
	{"udp4 drop queue 1", 11, -EINVAL, "'queue' cannot stand beside 'drop'", ""},
	{"udp4 drop vf 1", 11, -EINVAL, "'vf' cannot stand beside 'drop'", ""},
	{"udp4 action 1 queue 1", 15, -EINVAL, "'queue' cannot stand beside 'action'", ""},
	{"udp4 vf 1 action 1", 11, -EINVAL, "'action' cannot stand beside 'vf'", ""},
	{"udp4 action -1 drop", 16, -EINVAL, "'drop' cannot stand beside 'action'", ""},
	{"udp4 vlan 1 vid 1 drop", 13, -EINVAL, "'vid' cannot stand beside 'vlan'", ""},
	{"udp4 vlan 1 prio 1 drop", 13, -EINVAL, "'prio' cannot stand beside 'vlan'", ""},
	{"udp4 prio 1 vlan 1 drop", 13, -EINVAL, "'vlan' cannot stand beside 'prio'", ""},
	/* values */
	{"udp4 dst-ip", 12, -EINVAL, "dst-ip needs an IPv4 address", ""},
	{"udp4 dst-ip drop", 13, -EINVAL, "dst-ip needs an IPv4 address", ""},
	{"udp4 dst-ip 10.0.0.300 drop", 13, -EINVAL, "dst-ip needs an IPv4 address", ""},
	{"udp4 dst-ip 10.0.0 drop", 13, -EINVAL, "dst-ip needs an IPv4 address", ""},
	{"udp4 dst-ip 2001:db8::1 drop", 13, -EINVAL, "dst-ip needs an IPv4 address", ""},
	{"tcp6 dst-ip 10.0.0.1 drop", 13, -EINVAL, "dst-ip needs an IPv6 address", ""},
	{"udp4 dst-ip 10.0.0.1/33 drop", 13, -EINVAL, "a prefix length is a number from 0 to 32",
	 ""},
	{"udp4 dst-ip 10.0.0.1/ drop", 13, -EINVAL, "a prefix length is a number from 0 to 32", ""},
	{"udp4 dst-ip 10.0.0.1/-1 drop", 13, -EINVAL, "a prefix length is a number", ""},
	{"udp4 dst-ip 10.0.0.1/08 drop", 13, -EINVAL, "a prefix length is a number", ""},
	{"udp4 dst-ip 10.0.0.1/8/8 drop", 13, -EINVAL, "a prefix length is a number", ""},
	{"tcp6 dst-ip ::1/129 drop", 13, -EINVAL, "a prefix length is a number from 0 to 128", ""},
	{"udp4 dst-port 65536 drop", 15, -EINVAL, "dst-port needs a number from 0 to 65535", ""},
	{"udp4 dst-port -1 drop", 15, -EINVAL, "dst-port needs a number from 0 to 65535", ""},
	{"udp4 dst-port +1 drop", 15, -EINVAL, "dst-port needs a number", ""},
	{"udp4 dst-port 080 drop", 15, -EINVAL, "decimal without leading zeros", ""},
	{"udp4 dst-port 0x drop", 15, -EINVAL, "dst-port needs a number", ""},
	{"udp4 dst-port 90-80 drop", 15, -EINVAL,
	 "a range begins with its lower end: dst-port 80-90", ""},
	{"udp4 dst-port 80- drop", 15, -EINVAL, "dst-port needs a port from 0 to 65535, or two",
	 ""},
	{"udp4 dst-port 80-90 m 1 drop", 21, -EINVAL, "a range has no mask", ""},
	{"udp4 queues 2-7", 13, -EINVAL, "these are 6 queues",
	 "nearest: `queues 2-5` or `queues 2-9`"},
	{"udp4 in vm drop", 9, -EINVAL, "in needs `pf`, `vf N` or `guest NAME`", "switch"},
	{"udp4 guest", 11, -EINVAL, "guest needs the name of a guest", ""},
	{"udp4 dst-port http drop", 15, -EINVAL, "dst-port needs a number", ""},
	{"udp4 tos 256 drop", 10, -EINVAL, "tos needs a number from 0 to 255", ""},
	{"ip4 l4proto tcp drop", 13, -EINVAL, "l4proto needs a number from 0 to 255", ""},
	{"ip4 l4data 0x100000000 drop", 12, -EINVAL, "l4data needs a number of 32 bits", ""},
	{"udp4 user-def 0x10000000000000000 drop", 15, -EINVAL,
	 "user-def needs a number of 64 bits", ""},
	{"udp4 vlan 65536 drop", 11, -EINVAL, "vlan needs a number from 0 to 65535", ""},
	{"udp4 vid 4096 drop", 10, -EINVAL, "vid needs a number from 0 to 4095", ""},
	{"udp4 prio 8 drop", 11, -EINVAL, "prio needs a number from 0 to 7", "decimal"},
	{"ether dst 52:54:00:00:00 drop", 11, -EINVAL, "dst needs a MAC address", ""},
	{"ether dst 52:54:00:00:00:01:02 drop", 11, -EINVAL, "dst needs a MAC address", ""},
	{"ether proto 0x10000 drop", 13, -EINVAL, "proto needs a number from 0 to 65535", ""},
	/* masks */
	{"udp4 dst-ip 10.0.0.1 m drop", 24, -EINVAL,
	 "the mask of dst-ip is written as an IPv4 address",
	 "1 bit of a mask means: does not matter"},
	{"udp4 dst-ip 10.0.0.1 m", 23, -EINVAL, "the mask of dst-ip", ""},
	{"udp4 dst-ip 10.0.0.1 m 8 drop", 24, -EINVAL, "the mask of dst-ip", ""},
	{"udp4 dst-ip 10.0.0.1/32 m 0.0.0.1 drop", 25, -EINVAL,
	 "the prefix length is the mask already", ""},
	{"udp4 dst-ip 10.0.0.0/8 m 0.0.0.1 drop", 24, -EINVAL,
	 "the prefix length is the mask already", ""},
	{"udp4 dst-port 80 m 0x10000 drop", 20, -EINVAL,
	 "the mask of dst-port is a number from 0 to 65535", ""},
	{"udp4 m 3 drop", 6, -EINVAL, "a mask stands right behind the value", ""},
	{"udp4 dst-port 80 m 1 m 2 drop", 22, -EINVAL, "a mask stands right behind the value", ""},
	{"udp4 vid 5 m 1 drop", 12, -EINVAL, "a mask stands right behind the value", ""},
	{"udp4 dst-port 80 src-port-mask 1 drop", 18, -EINVAL, "unknown word 'src-port-mask'", ""},
	{"ether dst 52:54:00:00:00:01 m 255 drop", 31, -EINVAL, "written as a MAC address", ""},
	/* actions, locations, names */
	{"udp4 queue", 11, -EINVAL, "queue needs a number from 0 to 4294967295", ""},
	{"udp4 queue -1", 12, -EINVAL, "queue needs a number", ""},
	{"udp4 queue 4294967296", 12, -EINVAL, "queue needs a number", ""},
	{"udp4 vf 255", 9, -EINVAL, "vf needs a number from 0 to 254", ""},
	{"udp4 vf 1 queue x", 17, -EINVAL, "queue needs a number", ""},
	{"udp4 action", 12, -EINVAL, "action needs a queue number, or -1", "`drop`"},
	{"udp4 action -3", 13, -EINVAL, "action needs a queue number", ""},
	{"udp4 action drop", 13, -EINVAL, "action needs a queue number", ""},
	{"udp4 action -2", 13, -EINVAL, "wakes the host", ""},
	{"udp4 action 0xfffffffffffffffe", 13, -EINVAL, "wakes the host", ""},
	{"udp4 action 0x10000000000", 13, -EINVAL, "bits 40 to 63", "`vf N queue M`"},
	{"udp4 action 0xdeadbeef00000001", 13, -EINVAL, "bits 40 to 63", ""},
	{"udp4 action 0x10000000000000000", 13, -EINVAL, "action needs a queue number", ""},
	{"udp4 drop loc", 14, -EINVAL, "loc needs a number from 0 to 2147483647", ""},
	{"udp4 drop loc 2147483648", 15, -EINVAL, "loc needs a number", ""},
	{"udp4 drop loc -1", 15, -EINVAL, "loc needs a number", ""},
	{"name", 5, -EINVAL, "name needs a name", "starts with a letter"},
	{"name 17 udp4 drop", 6, -EINVAL, "name needs a name", "starts with a letter"},
	{"name a=b udp4 drop", 6, -EINVAL, "name needs a name", ""},
	{"name aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa udp4 drop", 6,
	 -EINVAL, "name needs a name", "at most 63"},
	{"udp4 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	 6, -EINVAL, "too long", ""},
	/* places: characters are counted, not bytes; a tab is one */
	{"udp4 drop\tül", 11, -EINVAL, "unknown word", ""},
	{"udp4 d\033[1mrop", 6, -EINVAL, "a control character", ""},
	{"udp4 ü drop", 6, -EINVAL, "unknown word", ""},
};

static void reads_good_rules(void **state)
{
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		struct sriov_rule rule, again;
		struct sriov_error err = {0};
		char text[512];

		if (sriov_rule_parse(good[i].text, NULL, 1, &rule, &err))
			fail_msg("'%s': %s: %s", good[i].text, err.object, err.message);
		assert_int_equal(sriov_rule_format(&rule, text, sizeof(text)), 0);
		assert_string_equal(text, good[i].same);
		assert_int_equal(sriov_rule_parse(text, NULL, 1, &again, &err), 0);
		assert_memory_equal(&again, &rule, sizeof(rule));
	}
}

static void refuses_bad_rules(void **state)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct sriov_rule rule, untouched;
		struct sriov_error err = {0};
		char place[32];
		int r;

		memset(&rule, 0x5a, sizeof(rule));
		untouched = rule;
		r = sriov_rule_parse(bad[i].text, "f.rules", 7, &rule, &err);
		if (r != bad[i].code || err.code != r)
			fail_msg("'%s' gave %d: %s", bad[i].text, r, err.message);
		snprintf(place, sizeof(place), "f.rules:7:%u", bad[i].column);
		if (strcmp(err.object, place) || !strstr(err.message, bad[i].message) ||
		    !strstr(err.hint, bad[i].hint))
			fail_msg("'%s' gave %s: %s (%s)", bad[i].text, err.object, err.message,
				 err.hint);
		assert_memory_equal(&rule, &untouched, sizeof(rule));
		assert_int_equal(sriov_rule_parse(bad[i].text, "f.rules", 7, &rule, NULL), r);
	}
}

/* The caret stands under the word, as wide as it, also in long lines and behind other alphabets. */
static void points_at_words(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{"udp4 dst-ip 10.0.0.300 drop",
		 "dst-ip needs an IPv4 address such as 10.0.0.7 or 10.0.0.0/8\n"
		 "  udp4 dst-ip 10.0.0.300 drop\n"
		 "              ^~~~~~~~~~"},
		{"\tudp4\tqueue x", "queue needs a number from 0 to 4294967295\n"
				    "   udp4 queue x\n"
				    "              ^"},
		{"udp4 drop ün", "unknown word 'ün'\n"
				 "  udp4 drop ?n\n"
				 "            ^~"},
		{"udp4 src-ip 10.0.0.1 dst-ip 10.0.0.2 src-port 1000 dst-port 2000 vlan 5 drop prio 3 loc 1",
		 "'prio' cannot stand beside 'vlan', which is the whole TCI\n"
		 "  port 1000 dst-port 2000 vlan 5 drop prio 3 loc 1\n"
		 "                                      ^~~~"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct sriov_rule rule;
		struct sriov_error err = {0};

		assert_int_equal(sriov_rule_parse(cases[i].text, NULL, 0, &rule, &err), -EINVAL);
		assert_string_equal(err.message, cases[i].message);
	}
}

static void names_the_column_of_a_command_line(void **state)
{
	struct sriov_rule rule;
	struct sriov_error err = {0};

	assert_int_equal(sriov_rule_parse("udp4 dorp", NULL, 0, &rule, &err), -EINVAL);
	assert_string_equal(err.object, "column 6");
	assert_int_equal(err.status, SRIOV_FAILED);
	assert_string_equal(err.kernel, "");
}

static void zeroes_values_under_masks(void **state)
{
	struct sriov_rule rule;

	assert_int_equal(sriov_rule_parse("udp4 dst-ip 10.1.2.3/8 dst-port 81 m 1 vid 5 drop", NULL,
					  0, &rule, NULL),
			 0);
	assert_int_equal(rule.value.dst_ip[1], 0);
	assert_int_equal(rule.value.dst_port, 80);
	assert_int_equal(rule.mask.dst_port, 0xfffe);
	assert_int_equal(rule.value.vlan_tci, 5);
	assert_int_equal(rule.mask.vlan_tci, 0x0fff);
	assert_int_equal(rule.loc, -1);
	assert_string_equal(rule.owner, "");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_good_rules),
		cmocka_unit_test(refuses_bad_rules),
		cmocka_unit_test(points_at_words),
		cmocka_unit_test(names_the_column_of_a_command_line),
		cmocka_unit_test(zeroes_values_under_masks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
