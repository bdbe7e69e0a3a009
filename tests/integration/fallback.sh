#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# When VFs run out: networks with a bridge, guests on vhost-user by whole commands against the simulated OVS, moves there
# and home, rules that go along, and what is refused with nothing left behind.
# shellcheck source=tests/harness.sh disable=SC2016,SC2119
. "$(dirname "$0")/../harness.sh"

ovs='{"version": "3.1.0", "dpdk_version": "DPDK 22.11.11", "dpdk": true, "dpdk_init": true, "dpdk_initialized": true,
	"pmd_cpu_mask": "", "bridges": []}'
lease() { query "SELECT path, kind, pf, vf, state FROM lease WHERE guest = '$1'"; }
ports() { jq -r '[.ovs.bridges[]?.ports[]? | select(.type != "internal") | .name] | join(" ")' "$host"; }
flows() { jq -r '.ovs.bridges[]? | select(.name == "'"$1"'") | .flows[]?' "$host"; }
fdb() { jq -r '[.sim.fdb[]?.mac] | join(" ")' "$host"; }
# shared NAME NUMBER [STATE]: a guest whose memory is shared, as vhost-user wants it
shared() {
	local x
	x=$(domain "$1" "$2" | sed 's|  <vcpu>|  <memoryBacking><source type="memfd"/><access mode="shared"/></memoryBacking>\n  <vcpu>|')
	edit_host --arg n "$1" --arg u "$(uuid "$2")" --arg s "${3-defined}" --arg x "$x"$'\n' \
		'.domains += [{name: $n, uuid: $u, state: $s, xml: $x} + if $s == "running" then {live: $x} else {} end]'
}
# a host with two VFs on ens2f0 and a physnet with a bridge
red() {
	new_host ".ovs = $ovs"
	expect 0 vf create ens2f0 --count 2 --mac auto
	let_land
	change physnet add red ens2f0 --bridge br-red --uplink af_packet
}

# ---- the network ----
red
is "bridge and uplink" "up-red" "$(ports)"
is "its own flows" yes "$(flows br-red | grep -q 'in_port=' && echo yes)"
again physnet add red ens2f0 --bridge br-red --uplink af_packet
again physnet add red ens2f0
expect 0 physnet show
showed "br-red" "up-red (af_packet)"
expect 0 physnet check
expect 1 physnet add red ens2f0 --bridge br-other
said "it has bridge br-red already" "physnet delete red first"
expect 1 physnet add red ens2f0 --uplink af_xdp
said "has the uplink up-red (af_packet of 0000:81:00.0) already"
expect 1 physnet add blue ens1f0 --bridge br-red --uplink af_packet
said "is the bridge of physnet red already"
expect 1 physnet add blue ens1f0 --bridge br-blue
said "no uplink" "--uplink af_packet"
expect 1 physnet add blue ens1f0 --uplink af_packet
said "a bridge's, and there is none"
expect 1 physnet add blue ens1f0 --bridge br-blue --uplink eth9
said "the port eth9" "is not there"
is "nothing is left of those" up-red "$(ports)"

# ---- until no VF is left ----
for i in 1 2 3; do shared web$i "$i"; done
change guest attach web1 --net red
change guest attach web2 --net red
before=$(cat "$host")
expect 0 guest attach web3 --net red --dry-run
showed "make vhost-user port vhu-" "of web3 on bridge br-red" "install the flows of physnet red" "attach vhost-user port" "as no VF that would do is free"
same "a dry run changes nothing" "$before" "$(cat "$host")"
change guest attach web3 --net red --max-rate 100 --vlan 7
is "lease" "vhostuser||0000:81:00.0||reserved" "$(lease web3)"
is "two ports" 2 "$(ports | wc -w)"
has "the definition" "$(xml web3 config)" 'type="vhostuser"'
has "QEMU listens" "$(xml web3 config)" 'mode="server"'
mac=$(query "SELECT mac FROM lease WHERE guest = 'web3'")
is "the PF takes its frames" "$mac" "$(fdb)"
has "MAC filter" "$(flows br-red)" "dl_dst=$mac"
has "a meter limits it" "$(flows br-red)" "meter:"
is "MTU end to end" 1500 "$(jq '[.ovs.bridges[].ports[] | select(.guest == "web3") | .mtu_request] | .[0]' "$host")"
again guest attach web3 --net red
expect 0 guest show web3
showed "web3 holds vhostuser on br-red" "why      " "as no VF that would do is free" "socket   /var/lib/vhost_sockets/vhu-"
is "counted" 1 "$(query "SELECT fallbacks FROM physnet")"
expect 0 physnet check red
# it needs memory that OVS can read
defined plain 9
expect 1 guest attach plain --net red
said "memory"
is "nothing is left of it" 3 "$(query 'SELECT count(*) FROM lease')"
is "nor a port" 2 "$(ports | wc -w)"
expect 3 physnet delete red
said "guest web1 holds a lease"

# ---- rules ----
cat >"$work/rules" <<R
name drop-dns flow-type udp4 dst-ip 10.0.0.9 dst-port 53 drop
name to-web3 flow-type udp4 dst-ip 10.0.0.3 dst-port 4789 guest web3
name to-web1 flow-type udp4 dst-ip 10.0.0.1 dst-port 4789 guest web1
R
change flow apply "$work/rules" --pf ens2f0
has "drop is on the bridge too" "$(flows br-red)" "tp_dst=53"
is "in the NIC: all but web3's" 2 "$(pf_of ens2f0 '.rules | length')"
expect 0 flow check "$work/rules" --pf ens2f0
showed "on bridge" "carried out on the bridge that its guest is on"
expect 0 physnet check red

# ---- home ----
expect 1 guest move web3 --to vf
said "no VF of ens2f0 is free"
expect 0 guest rebalance
showed "web3 stays on vhostuser"
expect 3 guest detach web1
said "rule to-web1"
change guest detach web2
expect 0 guest rebalance --dry-run
showed "attach VF 1 of ens2f0 to web3" "delete vhost-user port"
change guest rebalance
is "lease" "vf|interface|0000:81:00.0|1|reserved" "$(lease web3)"
is "its port is gone" up-red "$(ports)"
is "the PF takes no frames for it" "" "$(fdb)"
is "its MAC is the same" "$mac" "$(query "SELECT mac FROM lease WHERE guest = 'web3'")"
has "its VF in the definition" "$(xml web3 config)" 'slot="0x10" function="0x2"'
is "its rule is in the NIC" 3 "$(pf_of ens2f0 '.rules | length')"
is "its rate went along" 100 "$(pf_of ens2f0 '.vf[1].attrs.max_rate')"
again guest rebalance
again guest move web3 --to vf
# and away again
change guest move web3 --to vhostuser
is "lease" "vhostuser||0000:81:00.0||reserved" "$(lease web3)"
is "its rule is on the bridge" 2 "$(pf_of ens2f0 '.rules | length')"
is "the VF is as found" 0 "$(pf_of ens2f0 '.vf[1].attrs.max_rate')"
change guest detach web3 --force
is "ports" up-red "$(ports)"
is "fdb" "" "$(fdb)"
