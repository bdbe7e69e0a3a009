/* SPDX-License-Identifier: Apache-2.0 */
/* Rules that are none, and where and how each is refused: place, words, what to do. */
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
	/* ranges of ports */
	{"udp4 dst-port 80-0x drop", 15, -EINVAL, "or two as in 1000-2000", ""},
	{"udp4 dst-port 80-65536 drop", 15, -EINVAL, "needs a port from 0 to 65535", ""},
	{"udp4 dst-port 70000-70001 drop", 15, -EINVAL, "needs a port from 0 to 65535", ""},
	{"udp4 dst-port 1-2-3 drop", 15, -EINVAL, "or two as in 1000-2000", ""},
	{"udp4 dst-port 1--2 drop", 15, -EINVAL, "or two as in 1000-2000", ""},
	{"udp4 dst-port 01-2 drop", 15, -EINVAL, "or two as in 1000-2000", ""},
	{"udp4 dst-port -2 drop", 15, -EINVAL, "dst-port needs a number from 0 to 65535", ""},
	{"udp4 dst-port 1 - 2 drop", 17, -EINVAL, "unknown word '-'", ""},
	{"udp4 dst-port 1..2 drop", 15, -EINVAL, "dst-port needs a number", ""},
	{"udp4 dst-port 1,2 drop", 15, -EINVAL, "dst-port needs a number", ""},
	{"udp4 src-port 2-1 drop", 15, -EINVAL, "begins with its lower end: src-port 1-2", ""},
	{"udp4 src-port 1-2 src-port-mask 1 drop", 19, -EINVAL, "a range has no mask", ""},
	{"udp4 vlan 1-2 drop", 11, -EINVAL, "vlan needs a number", ""},
	{"udp4 vid 1-2 drop", 10, -EINVAL, "vid needs a number from 0 to 4095", ""},
	{"udp4 dst-ip 10.0.0.1-10.0.0.9 drop", 13, -EINVAL, "dst-ip needs an IPv4 address", ""},
	{"ip4 dst-port 1-2 drop", 5, -EINVAL, "flow type ip4 has no 'dst-port'", ""},
	/* spreads over queues */
	{"udp4 queues", 12, -EINVAL, "queues needs a range of queues such as 0-3", "`queue N`"},
	{"udp4 queues drop", 13, -EINVAL, "queues needs a range of queues", ""},
	{"udp4 queues 0-x", 13, -EINVAL, "queues needs a range of queues", ""},
	{"udp4 queues 3-0", 13, -EINVAL, "a range begins with its lower end: queues 0-3", ""},
	{"udp4 queues 0-2", 13, -EINVAL, "these are 3 queues",
	 "nearest: `queues 0-1` or `queues 0-3`"},
	{"udp4 queues 0-4", 13, -EINVAL, "over a power of two of them",
	 "nearest: `queues 0-3` or `queues 0-7`"},
	{"udp4 queues 4294967293-4294967295", 13, -EINVAL, "these are 3 queues",
	 "nearest: `queues 4294967293-4294967294`"},
	{"udp4 queues 0-4294967296", 13, -EINVAL, "queues needs a range", ""},
	{"udp4 queues 0-3 queue 1", 17, -EINVAL, "'queue' cannot stand beside 'queues'", ""},
	{"udp4 queue 1 queues 0-3", 14, -EINVAL, "'queues' cannot stand beside 'queue'", ""},
	{"udp4 vf 1 queues 0-3", 11, -EINVAL, "'queues' cannot stand beside 'vf'", ""},
	{"udp4 queues 0-3 guest a", 17, -EINVAL, "'guest' cannot stand beside 'queues'", ""},
	{"udp4 queues 0-3 drop", 17, -EINVAL, "'drop' cannot stand beside 'queues'", ""},
	{"udp4 action 1 queues 0-3", 15, -EINVAL, "'queues' cannot stand beside 'action'", ""},
	{"udp4 queues 0-1 queues 0-1", 17, -EINVAL, "'queues' is said twice", ""},
	/* guests */
	{"udp4 guest # web1", 11, -EINVAL, "guest needs the name of a guest", "UUID"},
	{"udp4 guest aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 12, -EINVAL,
	 "guest needs the name of a guest (at most 63 characters)", ""},
	{"udp4 guest \xff", 12, -EINVAL, "guest needs the name of a guest", ""},
	{"udp4 guest web 1", 16, -EINVAL, "unknown word '1'", ""},
	{"udp4 guest a guest b", 14, -EINVAL, "'guest' is said twice", ""},
	{"udp4 guest a vf 1", 14, -EINVAL, "'vf' cannot stand beside 'guest'", ""},
	{"udp4 vf 1 guest a", 11, -EINVAL, "'guest' cannot stand beside 'vf'", ""},
	{"udp4 guest a drop", 14, -EINVAL, "'drop' cannot stand beside 'guest'", ""},
	{"udp4 guest a action 1", 14, -EINVAL, "'action' cannot stand beside 'guest'", ""},
	{"udp4 guest a queue x", 20, -EINVAL, "queue needs a number", ""},
	/* scopes */
	{"udp4 in", 8, -EINVAL, "in needs `pf`, `vf N` or `guest NAME`", "all traffic"},
	{"udp4 in drop", 9, -EINVAL, "in needs `pf`", ""},
	{"udp4 in 3 drop", 9, -EINVAL, "in needs `pf`", ""},
	{"udp4 in vf drop", 12, -EINVAL, "in vf needs a number from 0 to 254", ""},
	{"udp4 in vf 255 drop", 12, -EINVAL, "in vf needs a number from 0 to 254", ""},
	{"udp4 in vf", 11, -EINVAL, "in vf needs a number", ""},
	{"udp4 in guest", 14, -EINVAL, "in guest needs the name of a guest", ""},
	{"udp4 in pf in vf 1 drop", 12, -EINVAL, "'in' is said twice", ""},
	{"udp4 in vf 1", 13, -EINVAL, "does not say what to do", ""},
	{"in pf udp4 drop", 1, -EINVAL, "the flow type comes before 'in'", ""},
	/* worth */
	{"udp4 drop weight", 17, -EINVAL, "weight needs a number from 1 to 1000000", ""},
	{"udp4 drop weight 0", 18, -EINVAL, "weight needs a number from 1 to 1000000", ""},
	{"udp4 drop weight 1000001", 18, -EINVAL, "weight needs a number", ""},
	{"udp4 drop weight -1", 18, -EINVAL, "weight needs a number", ""},
	{"udp4 drop weight 1 weight 1", 20, -EINVAL, "'weight' is said twice", ""},
	{"udp4 drop optional optional", 20, -EINVAL, "'optional' is said twice", ""},
	{"udp4 drop optinal", 11, -EINVAL, "unknown word 'optinal'", "did you mean 'optional'?"},
	{"udp4 quees 0-3", 6, -EINVAL, "unknown word 'quees'", "did you mean 'queue"},
	/* ethtool(8)'s commands */
	{"sudo udp4 drop", 1, -EINVAL, "expected a flow type, not 'sudo'", ""},
	{"ethtool", 8, -EINVAL, "only `ethtool -N DEV`", "flow import"},
	{"ethtool -n eth0", 9, -EINVAL, "only `ethtool -N DEV` or `-U DEV`", "flow import"},
	{"ethtool -K eth0 ntuple on", 9, -EINVAL, "only `ethtool -N DEV`", ""},
	{"ethtool -N", 11, -EINVAL, "expected the name of a network device", ""},
	{"ethtool -N eth0", 16, -EINVAL, "expected a flow type", "flow types"},
	{"ethtool -N eth0 rx-flow-hash udp4 sdfn", 17, -EINVAL, "'rx-flow-hash' is a word",
	 "no rule"},
	{"ethtool -N eth0 delete 3", 17, -EINVAL, "'delete' is a word of ethtool(8)",
	 "sriovctl flow delete"},
	{"ethtool -N eth0 flow-type esp4 spi 3", 27, -EINVAL, "'esp4' is a word", "ESP"},
	{"ethtool -N eth0 flow-type udp4 dst-prot 3", 32, -EINVAL, "unknown word 'dst-prot'", ""},
	/* flow types of one i40e entry */
	{"ip4-other dst-port 80 drop", 11, -EINVAL, "flow type ip4-other has no 'dst-port'", ""},
	{"ip4-others drop", 1, -EINVAL, "expected a flow type", "did you mean 'ip4-other'?"},
};

/* Files: the line counts, too. */
static const struct {
	const char *text, *place;
	int code;
	const char *message;
} bad_files[] = {
	{"udp4 drop\nudp4\n", "f.rules:2:5", -EINVAL, "does not say what to do"},
	{"\n\n\nudp4 dorp", "f.rules:4:6", -EINVAL, "unknown word 'dorp'"},
	{"# one\r\nudp4 drop\r\nudp4 dorp\r\n", "f.rules:3:6", -EINVAL, "unknown word 'dorp'"},
	{"udp4 drop tcp4 drop\n", "f.rules:1:11", -EINVAL, "the flow type is said already: udp4"},
	{"udp4 drop \\\nloc 3\n", "f.rules:1:11", -EINVAL, "unknown word '\\'"},
	{"udp4 drop;\n", "f.rules:1:6", -EINVAL, "unknown word 'drop;'"},
	{"name a udp4 drop\nname a udp4 queue 1\n", "f.rules:2:6", -EEXIST,
	 "line 1 has a rule of this name already"},
	{"name a udp4 drop\n\n# x\ntcp4 drop loc 3 name a\n", "f.rules:4:22", -EEXIST,
	 "line 1 has a rule of this name already"},
	{"ethtool -N eth0 udp4 drop name a\nsudo ethtool -U eth1 tcp4 drop name a", "f.rules:2:37",
	 -EEXIST, "line 1 has"},
	{"\xef\xbb\xbfudp4 dorp\n", "f.rules:1:6", -EINVAL, "unknown word 'dorp'"},
	{"udp4 drop\n\001\n", "f.rules:2:1", -EINVAL, "a control character"},
	{"{\"rules\": []}\n", "f.rules:1:1", -EINVAL, "expected a flow type, not '{\"rules\":'"},
};

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

static void refuses_bad_files(void **state)
{
	for (size_t i = 0; i < sizeof(bad_files) / sizeof(*bad_files); i++) {
		struct sriov_error err = {0};
		struct sriov_rules rules;
		int r = sriov_rules_parse(bad_files[i].text, "f.rules", &rules, &err);

		if (r != bad_files[i].code || strcmp(err.object, bad_files[i].place) ||
		    !strstr(err.message, bad_files[i].message))
			fail_msg("'%s' gave %d at %s: %s", bad_files[i].text, r, err.object,
				 err.message);
	}
}

static void there_are_many(void **state)
{
	assert_true(sizeof(bad) / sizeof(*bad) + sizeof(bad_files) / sizeof(*bad_files) >= 150);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_bad_rules),
		cmocka_unit_test(refuses_bad_files),
		cmocka_unit_test(there_are_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
