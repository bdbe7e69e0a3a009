# shellcheck shell=bash
# The peer sends what it is told: frames of each kind, seen by tcpdump on the PF, checksums right; and capture on the wire.
. /lab/lib.sh
t "the peer is up" peer_setup
t "the PF is up and has a link" pf_up
dev=$(pf) mac=$(pf_mac)

# tcpdump also makes the PF promiscuous, so that frames with unknown tags or addresses are seen.
tcpdump -i "$dev" -s 0 -nevvt --immediate-mode -l not arp >/tmp/seen 2>/tmp/tcpdump.err &
wait_until 'grep -q "listening on" /tmp/tcpdump.err' 10
peer_send_udp 3 "$mac" 10.1.0.1 5001
peer_send_udp 2 02:00:00:00:00:99 10.1.0.9 5002 1234 7
peer_send_tcp 2 "$mac" 10.1.0.1 80
peer_send_sctp 2 "$mac" 10.1.0.1 2905
peer_send_ip 2 "$mac" 10.1.0.1 47
peer_send_raw 1 "ffffffffffff02000000000188b5$(printf '%092d' 0)"
peer_send_batch <<-S
	4 dmac=$mac dport=6000 sport=7000 sport+=1
	1 dmac=$mac frag=64 more=1 len=64
	2 dmac=$mac dst=fd00::1 dport=6001
	1 dmac=$mac dst=fd00::1 proto=tcp dport=6002
	1 ethertype=0x88f7 payload=0102 vlan=5 prio=3
S
t "the last frame arrives" wait_until 'grep -q 0x88f7 /tmp/seen' 10
seen() { grep -cE "$1" /tmp/seen; }
is "$(seen '192.0.2.2.40000 > 10.1.0.1.5001: \[udp sum ok\]')" 3 "UDP"
is "$(seen '192.0.2.2.1234 > 10.1.0.9.5002: \[udp sum ok\]')" 2 "UDP to another MAC"
is "$(seen '> 02:00:00:00:00:99.* vlan 7')" 2 "with a VLAN tag"
is "$(seen '10.1.0.1.80: Flags \[S\], cksum 0x[0-9a-f]+ \(correct\)')" 2 "TCP"
is "$(seen '10.1.0.1.2905: sctp')" 2 "SCTP"
is "$(seen 'proto GRE \(47\)')" 2 "another IP protocol"
is "$(seen '88b5')" 1 "a raw frame"
is "$(seen '192.0.2.2.700[0-3] > 10.1.0.1.6000')" 4 "four source ports"
is "$(seen 'offset 64, flags \[\+\]')" 1 "a fragment"
is "$(seen '2001:db8::2.40000 > fd00::1.6001: \[udp sum ok\]')" 2 "UDP over IPv6"
is "$(seen 'fd00::1.6002: Flags \[S\], cksum 0x[0-9a-f]+ \(correct\)')" 1 "TCP over IPv6"
is "$(seen 'vlan 5, p 3.*0x88f7')" 1 "a tagged frame that is not IP"
is "$(seen 'bad cksum|incorrect|bad udp')" 0 "no wrong checksum"

peer_capture /tmp/wire icmp
ping -c 1 -W 5 -q 10.1.0.2 >/dev/null
t "the peer's capture sees the ping" wait_until 'grep -q "echo reply" /tmp/wire' 5
peer_capture_end
