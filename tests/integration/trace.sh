#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# flow trace: one packet through a port or a NIC by its name, and the packets of a capture counted and compared.
# shellcheck source=tests/harness.sh disable=SC2016,SC2119
. "$(dirname "$0")/../harness.sh"

rules=$work/rules
list() { printf '%s\n' "$@" >"${to:-$rules}"; }

# end OF-THE-LAST: destination and rule of a trace as JSON
end() { out | jq -r '.end | "\(.destination) \(.rule // "-") \(.decided_by)"'; }

# ---- a port: what it has ----
new_host '.pfs |= map(if .netdev == "ens2f0" then .rss_key = "6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b477cb2da38030f20c6a42b73bbeac01fa" | .bridge = "veb" else . end)'
expect 0 vf create ens2f0 --count 4 --mac auto
expect 0 vf set ens2f0 2 --vlan 100
list 'name web udp4 dst-ip 10.0.0.7 dst-port 4789 vf 3 queue 1' 'name block udp4 dst-ip 10.0.0.8 dst-port 53 drop'
expect 0 flow apply "$rules" --pf ens2f0
before=$(cat "$host")
expect 0 flow trace ens2f0 'udp 198.51.100.7:1024 > 10.0.0.7:4789 vid 100 prio 3'
showed "from the wire into 0000:81:00.0 ens2f0" "switch   to the PF: no dmac is given" \
	"rules    rule web (location 1): udp4 dst-ip 10.0.0.7 dst-port 4789 -> vf 3 queue 1" "=> vf 3 queue 1, by web" \
	"evidence: ixgbe of Linux 6.1 to 6.12"
# as many words, too
expect 0 flow trace ens2f0 udp 198.51.100.7:1024 '>' 10.0.0.8:53 --json
is "dropped" "drop block rules" "$(end)"
is "in words" "udp 198.51.100.7:1024 > 10.0.0.8:53" "$(out | jq -r .packet)"
is "stages" "switch filters rules" "$(out | jq -r '[.stages[].stage] | unique_by(.) | sort_by(. != "switch") | join(" ")')"
# Microsoft's vector: its hash is 0x51ccc178, entry 120 of 128, and with VFs there are 4 queues
expect 0 flow trace ens2f0 'tcp 66.9.149.187:2794 > 161.142.100.80:1766'
showed "Toeplitz hash 0x51ccc178 of addresses and ports, entry 120 of 128: queue 0" "=> pf queue 0"
expect 0 flow trace ens2f0 'udp 66.9.149.187:2794 > 161.142.100.80:1766' --json
is "UDP is hashed by its addresses" "pf queue 2 - rss" "$(end)"
edit_host '.pfs |= map(if .netdev == "ens2f0" then .rss_fields = {"udp4": "sdfn"} else . end)'
expect 0 flow trace ens2f0 'udp 66.9.149.187:2794 > 161.142.100.80:1766' --json
is "or by its ports, as the port is set" "pf queue 0 - rss" "$(end)"
edit_host 'del(.pfs[].rss_fields)'
same "nothing is changed" "$(echo "$before" | jq -S .)" "$(jq -S . "$host")"

# ---- from a VF, to a VF ----
mac() { "$tool" vf show ens2f0 "$1" --json | jq -r '.vf.attrs.mac // .vfs[0].attrs.mac // .attrs.mac'; }
expect 0 flow trace ens2f0 "udp 1.2.3.4:5 > 10.0.0.8:53 dmac $(mac 1)" --in 'vf 0' --json
is "what is switched inside is not classified" "vf 1 queue unknown - rss" "$(end)"
expect 0 flow trace ens2f0 "udp 1.2.3.4:5 > 10.0.0.8:53 dmac $(mac 2)" --json
is "the port VLAN" "drop - switch" "$(end)"
expect 0 flow trace ens2f0 "udp 1.2.3.4:5 > 10.0.0.8:53 vid 100 dmac $(mac 2)" --json
is "a rule takes precedence over the switch" "drop block rules" "$(end)"
expect 0 flow trace ens2f0 "udp 1.2.3.4:5 > 10.0.0.8:99 dmac 02:99:99:99:99:99" --in pf --json
is "outside" "wire - switch" "$(end)"
expect 0 flow trace ens2f0 "udp 1.2.3.4:5 > 10.0.0.8:99 dmac 02:99:99:99:99:99" --json
is "for an address that nobody is known to have" "unknown - switch" "$(end)"

# ---- a list instead ----
list 'udp4 dst-ip 10.0.0.7 dst-port 4789 queue 2' 'name all udp4 dst-ip 10.0.0.9 dst-port 4789 drop'
expect 0 flow trace ens2f0 'udp 198.51.100.7:1024 > 10.0.0.7:4789' --rules "$rules" --json
is "a rule without name is called by its line" "pf queue 2 line 1 rules" "$(end)"
is "a list from standard input" "pf queue 2" \
	"$("$tool" flow trace ens2f0 'udp 198.51.100.7:1024 > 10.0.0.7:4789' --rules - --json <"$rules" | jq -r .end.destination)"
expect 0 flow trace --nic X710,vfs=2 --rules "$rules" 'udp 198.51.100.7:1024 > 10.0.0.9:4789' --json
is "a NIC by its name" "drop all rules" "$(end)"
# a port whose rules are somebody else's, and whose ntuple is off until `flow apply` switches it on
new_host
expect 0 flow trace ens2f0 'udp 198.51.100.7:1024 > 10.0.0.9:4789' --rules "$rules" --json
is "as flow apply would have it" "drop all rules" "$(end)"
edit_host '.pfs |= map(if .netdev == "ens2f0" then .ntuple = "on" | .rules = [{"loc": 5, "flow": "udp4", "value": {"ip4dst": "10.0.0.1", "pdst": 9}, "mask": {"ip4dst": "255.255.255.255", "pdst": 65535}, "cookie": "0x3"}] else . end)'
expect 0 flow trace ens2f0 'udp 1.2.3.4:5 > 10.0.0.1:9' --json
is "others' entries have no names" "pf queue 3 location 5 rules" "$(end)"
expect 0 flow trace ens2f0 'udp 1.2.3.4:5 > 10.0.0.1:9' --rules "$rules" --json
is "and stay beside a list" "pf queue 3 location 5 rules" "$(end)"

# ---- captures: 3 packets to 10.0.0.7, 2 to 10.0.0.9, one ARP, one cut off, one that contradicts itself ----
capture=$work/capture
python3 - "$capture" <<'PYTHON'
import struct, sys

def udp(dst, port):
    data = struct.pack("!HHHH", 1024, port, 8, 0)
    return struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(data), 0, 0, 64, 17, 0, bytes([1, 2, 3, 4]), bytes(dst)) + data

ether = bytes([0x52, 0x54, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2])
frames = [ether + b"\x08\x00" + udp([10, 0, 0, 7], 4789)] * 3 + [ether + b"\x08\x00" + udp([10, 0, 0, 9], 4789)] * 2
frames += [b"\xff" * 6 + ether[6:] + b"\x08\x06" + bytes(28), frames[0][:30], ether + b"\x08\x00" + b"\x60" + bytes(30)]
with open(sys.argv[1], "wb") as out:
    out.write(struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
    for frame in frames:
        out.write(struct.pack("<IIII", 0, 0, len(frame), 64) + frame)
with open(sys.argv[1] + ".broken", "wb") as out:
    out.write(open(sys.argv[1], "rb").read()[:-5])
with open(sys.argv[1] + ".cooked", "wb") as out:
    out.write(struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 113))
with open(sys.argv[1] + ".empty", "wb") as out:
    out.write(struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
PYTHON
expect 0 flow trace --nic 82599,vfs=4 --rules "$rules" --pcap "$capture"
showed "8 packets, 512 bytes, from the wire into 82599,vfs=4" "3    192  pf queue 2" "2    128  drop" \
	"1     64  several" "1 not traced: captured too short" "1 not traced: their headers contradict themselves"
expect 0 flow trace --nic 82599,vfs=4 --rules "$rules" --pcap "$capture" --json
is "counts" "3 pf queue 2 line 1;2 drop all;1 several -" \
	"$(out | jq -r '[.counts[] | "\(.packets) \(.end.destination) \(.end.rule // "-")"] | join(";")')"
is "what is not traced" "8 512 1 1" "$(out | jq -r '"\(.packets) \(.bytes) \(.cut) \(.malformed)"')"
is "a capture from standard input" 8 \
	"$("$tool" flow trace --nic 82599,vfs=4 --rules "$rules" --pcap - --json <"$capture" | jq .packets)"
expect 0 flow trace --nic 82599,vfs=4 --rules "$rules" --pcap "$capture.empty" --json
is "nothing" "0 0" "$(out | jq -r '"\(.packets) \(.counts | length)"')"
# the other list sends one elsewhere, drops the other as before by another rule
to=$work/other list 'name new udp4 dst-ip 10.0.0.0/30 dst-port 4789 drop' 'name x udp4 dst-ip 10.0.0.8/30 dst-port 4789 drop' \
	'name y udp4 dst-ip 10.0.0.4/30 dst-port 4789 vf 1'
expect 2 flow trace --nic 82599,vfs=4 --rules "$rules" --pcap "$capture" --against "$work/other"
showed "with $work/other: 3 packets end elsewhere" "3  pf queue 2  line 1  vf 1 queue 0  y     udp 1.2.3.4:1024 > 10.0.0.7:4789"
expect 2 flow trace --nic 82599,vfs=4 --rules "$rules" --pcap "$capture" --against "$work/other" --json
is "changes" "3 pf queue 2>vf 1 queue 0" "$(out | jq -r '.changes[] | "\(.packets) \(.was.destination)>\(.is.destination)"')"
expect 0 flow trace --nic 82599,vfs=4 --rules "$rules" --pcap "$capture" --against "$rules"
showed "0 packets end elsewhere"

# of a port: who gets frames for 52:54:00:00:00:01 is not known, whatever the list
new_host
expect 0 vf create ens2f0 --count 2
expect 2 flow trace ens2f0 --rules "$rules" --pcap "$capture" --against "$work/other"
showed "0 packets end elsewhere" "of 5 it is not known where they end, with either"
expect 2 flow trace ens2f0 --rules "$rules" --pcap "$capture" --against "$work/other" --json
is "as JSON" "0 5" "$(out | jq -r '"\(.changes | length) \(.unknown)"')"
new_host

# an example has its payload only where that decides
to=$work/other list 'name flex udp4 dst-port 4789 user-def 0x00000000 m 0xffffffff00000000 drop'
expect 2 flow trace --nic X710 --rules "$work/rules" --pcap "$capture" --against "$work/other" --json
is "without a payload: unknown" "pf queue 2>unknown" "$(out | jq -r '.changes[0] | "\(.was.destination)>\(.is.destination)"')"
is "the example" "udp 1.2.3.4:1024 > 10.0.0.7:4789 dmac 52:54:00:00:00:01 smac 02:00:00:00:00:02" "$(out | jq -r '.changes[0].example')"

# ---- other commands do not load libpcap ----
is "not linked" 0 "$(ldd "$tool" | grep -c libpcap || true)"

# ---- what is asked wrongly ----
packet='udp 1.2.3.4:5 > 10.0.0.7:4789'
expect 1 flow trace
said "say through what"
expect 1 flow trace ens2f0
said "say which packet"
expect 1 flow trace ens9 "$packet"
said "no such device"
expect 1 flow trace ens2f0 "$packet" --pcap "$capture"
said "a packet and --pcap are given"
expect 1 flow trace --nic X540 "$packet"
said "a NIC by its name has no rules"
expect 1 flow trace --nic ice --rules "$rules" "$packet"
said "no NIC of that name"
expect 1 flow trace ens2f0 "$packet" --against "$rules"
said "--against compares two tables on the packets of a capture"
expect 1 flow trace ens2f0 "$packet" --in lan
said "not a place where packets come into the NIC" "wire, pf, or 'vf N'"
expect 1 flow trace ens2f0 "$packet" --in 'vf 4'
said "there is no such VF: the port has 0"
expect 1 flow trace ens2f0 'udp 1.2.3.4 > 10.0.0.7:4789'
said "column 15: expected an address without port" "both addresses have a port, or none"
expect 1 flow trace ens2f0 "$packet vid 4096"
said "a number from 0 to 4095 behind 'vid'"
expect 1 flow trace ens2f0 "$packet pri 5"
said "did you mean 'prio'?"
expect 1 flow trace ens2f0 --pcap "$work/none"
said "cannot be read" "No such file"
expect 1 flow trace ens2f0 --pcap "$rules"
said "not a capture"
expect 1 flow trace ens2f0 --pcap "$capture.broken"
said "it breaks off"
expect 1 flow trace ens2f0 --pcap "$capture.cooked"
said "not of Ethernet frames" "tcpdump -i NETDEV"
expect 1 flow trace ens2f0 "$packet" --rules "$work/none"
list 'tcp6 dst-port 80 drop'
expect 1 flow trace --nic 82599 --rules "$rules" "$packet"
said "tcp6"
