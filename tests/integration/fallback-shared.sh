#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What guests on a bridge have in common with the NIC and with each other: rules of several PFs, addresses, names of ports,
# pools, the NIC's switch, MTU; and a bridge that cannot be asked.
# shellcheck source=tests/harness.sh disable=SC2016,SC2119
. "$(dirname "$0")/../harness.sh"

ovs='{"version": "3.1.0", "dpdk_version": "DPDK 22.11.11", "dpdk": true, "dpdk_init": true, "dpdk_initialized": true,
	"pmd_cpu_mask": "", "bridges": []}'
lease() { query "SELECT path, pf, vf FROM lease WHERE guest = '$1'"; }
mac_of() { query "SELECT mac FROM lease WHERE guest = '$1'"; }
vf_mac() { pf_of "$1" ".vf[$2].attrs.mac" | tr -d '"'; }
ports() { jq -r '[.ovs.bridges[]?.ports[]? | select(.type != "internal") | .name] | join(" ")' "$host"; }
flows() { jq -r '.ovs.bridges[]? | .flows[]?' "$host"; }
fdb() { jq -r '[.sim.fdb[]?.mac] | join(" ")' "$host"; }
guests() { for i in 1 2 3; do defined web$i "$i" "" shared; done; }
# red COUNT: a host with so many VFs on ens2f0, and a network with a bridge
red() {
	new_host ".ovs = $ovs"
	"$tool" vf create ens2f0 --count "$1" --mac auto >/dev/null
	let_land
	"$tool" physnet add red ens2f0 --bridge br-red --uplink af_packet >/dev/null
	guests
}

# ---- rules of a PF that is not beside the uplink ----
new_host ".ovs = $ovs"
expect 0 vf create ens1f0 --count 1 --mac auto
let_land
expect 0 physnet add red ens2f0 ens1f0 --bridge br-red --uplink af_packet
guests
secure='udp4 src-ip 10.6.6.6 src-port 1 dst-ip 10.0.0.1 dst-port 53 drop'
# shellcheck disable=SC2086
expect 0 flow add ens1f0 --name secure $secure
expect 3 guest attach web1 --pf ens1f0 --paths vhostuser
said "rule secure of ens1f0 drops packets that may be for it" "bridge br-red has the rules of ens2f0 only" "give ens2f0 the same rule"
is "nothing is left of it" "0 up-red" "$(query 'SELECT count(*) FROM lease') $(ports)"
# the other path that carries none does not lead there
expect 3 guest attach web1 --pf ens1f0 --paths macvtap
said "a macvtap carries no rules" "take --paths vf, or"
expect 0 guest attach web1 --pf ens1f0
expect 3 guest move web1 --to vhostuser
said "rule secure of ens1f0 drops packets"
is "it stays" "vf|0000:3b:00.0|0" "$(lease web1)"
# the same rule is no use behind one that takes its packets away
printf '%s\n' 'name before udp4 src-ip 10.6.6.6 src-port 1 dst-ip 10.0.0.1 dst-port 53 queue 1' "name again $secure" >"$work/rules"
expect 0 flow apply "$work/rules" --pf ens2f0
expect 3 guest move web1 --to vhostuser
# others may stand before it
sed -i 's/10.6.6.6/10.7.7.7/; n; s/10.7.7.7/10.6.6.6/' "$work/rules"
expect 0 flow apply "$work/rules" --pf ens2f0
change guest move web1 --to vhostuser
has "the drop is on the bridge" "$(flows)" "tp_dst=53"
expect 0 guest move web1 --to vf
expect 0 flow delete ens2f0 --all
expect 0 guest move web1 --to vhostuser --force
showed "rule secure has no effect on it: bridge br-red has the rules of ens2f0 only"
# nor do drops that come later
expect 0 flow add ens1f0 --name late udp4 src-ip 10.6.6.6 src-port 1 dst-ip 10.0.0.1 dst-port 54 drop
showed "drop late does not hold for guest web1: bridge br-red has the rules of ens2f0 only"
expect 0 flow add ens1f0 --name later udp4 src-ip 10.6.6.6 src-port 1 dst-ip 10.0.0.1 dst-port 55 queue 1
is "notes" "" "$(grep 'does not hold' "$work/out" || true)"
over

# ---- the VF that a guest has left ----
red 1
expect 0 guest attach web1 --net red
was=$(vf_mac ens2f0 0)
is "the guest has the VF's MAC" "$was" "$(mac_of web1)"
change guest move web1 --to vhostuser
is "it took its MAC along" "$was" "$(mac_of web1)"
now=$(vf_mac ens2f0 0)
[ "$now" != "$was" ] && passed || fail "the VF has it still"
# what the VF has now is what it is to have: no command gives it the guest's again
again vf create ens2f0 --count 1 --mac auto
again restore
expect 1 vf set ens2f0 0 --mac "$was"
said "MAC $was is taken on this host"
change guest attach web2 --net red
is "the next guest has its own" "$now" "$(mac_of web2)"
expect 0 guest detach web2
change guest move web1 --to vf
is "home" "vf|0000:81:00.0|0" "$(lease web1)"
is "with its MAC" "$was" "$(mac_of web1)"
again restore
expect 0 guest move web1 --to vhostuser
# VFs that are made anew leave it its MAC too
expect 0 vf delete ens2f0
expect 0 vf create ens2f0 --count 1 --mac auto
[ "$(vf_mac ens2f0 0)" != "$was" ] && passed || fail "the new VF has a guest's MAC"
# a VF that has it all the same (set by another, or before there was this): the guest that comes gets one of its own
edit_host --arg mac "$was" '(.pfs[] | select(.netdev == "ens2f0")).vf[0].attrs.mac = $mac'
for how in "" --hands-off "--mac auto"; do
	# shellcheck disable=SC2086
	expect 0 guest attach web3 --net red $how
	[ "$(mac_of web3)" != "$was" ] && passed || fail "two guests have one MAC"
	expect 0 guest detach web3
done
# one that was attached with a MAC of its own leaves the VF with the VF's; while it runs too, and a pair
for kind in "" --standby --raw-hostdev; do
	red 1
	edit_host '.domains = []'
	running web1 1 "" shared
	was=$(vf_mac ens2f0 0)
	# shellcheck disable=SC2086
	expect 0 guest attach web1 --net red $kind --mac 02:00:00:00:00:21
	change guest move web1 --to vhostuser --live
	is "$kind: the VF has its own MAC again" "$was" "$(vf_mac ens2f0 0)"
	change guest move web1 --to vf --live
	expect 0 guest detach web1
	is "$kind: and in the end" "$was" "$(vf_mac ens2f0 0)"
	# shellcheck disable=SC2086
	expect 0 guest attach web1 --net red $kind
	change guest move web1 --to vhostuser --live
	[ "$(vf_mac ens2f0 0)" != "$was" ] && passed || fail "$kind: the VF has it still"
	# a move that fails gives it back
	expect 0 guest move web1 --to vf --live
	mac=$(vf_mac ens2f0 0)
	deviate '[{"op": "fdb_set", "errno": "EIO", "times": 1}]'
	expect 4 guest move web1 --to vhostuser --live
	deviate '[]'
	is "$kind: undone" "$mac" "$(vf_mac ens2f0 0)"
	over
done

# ---- names of ports ----
red 1
expect 0 guest attach web3 --net red
expect 0 guest attach web1 --net red --mac 02:00:00:00:00:22 --vlan 5
expect 0 guest attach web2 --net red --mac 06:00:00:00:00:22 --vlan 6
is "each has its own" "up-red vhu020000000022 vhu060000000022" "$(ports)"
expect 0 guest detach web2
edit_host '.ovs.bridges[0].ports += [{name: "vhu060000000022", type: "dpdkvhostuserclient", ofport: 9}]'
expect 1 guest attach web2 --net red --mac 06:00:00:00:00:22
said "br-red has a port vhu060000000022 already, which is not ours" "del-port br-red vhu060000000022"
# of a lease of before, whose port is another's
query_write() { sqlite "$host.state/state.db" "$1"; }
query_write "UPDATE lease SET socket = '/var/lib/vhost_sockets/vhu060000000022' WHERE guest = 'web1'"
edit_host '.ovs.bridges[0].ports |= map(if .name == "vhu060000000022" then .ours = true | .guest = "web2" | .mac = "06:00:00:00:00:22" else . end)'
expect 1 guest attach web1 --net red
said "which is of guest web2" "guest detach 'web1' --net red"
# of networks, whose uplinks are ports too
new_host ".ovs = $ovs"
expect 0 physnet add datacenter-red ens2f0 --bridge br-red --uplink af_packet --dry-run
showed "make bridge br-red of OVS"
change physnet add datacenter-red ens2f0 --bridge br-red --uplink af_packet
change physnet add datacenter-blue ens1f0 --bridge br-blue --uplink af_packet
is "two ports" 2 "$(ports | tr ' ' '\n' | sort -u | grep -c '^up-datac-')"
query_write "UPDATE physnet SET port = 'up-datacenter-' WHERE name = 'datacenter-red'"
edit_host '(.ovs.bridges[] | select(.name == "br-red")).ports |= map(if .type == "dpdk" then .name = "up-datacenter-" else . end)'
expect 0 physnet add datacenter-red ens2f0 --bridge br-red --uplink af_packet
has "one that was made keeps its name" "$(ports)" "up-datacenter-"
# said before anything was ever recorded
new_host ".ovs = $ovs"
printf 'version: 1\nphysnets:\n  red: {pfs: [ens2f0], vswitch: {bridge: br-red, uplink: af_packet}}\n' >"$work/f.yaml"
expect 2 plan -f "$work/f.yaml"
showed "make bridge br-red of OVS" "3 steps"

# ---- home is in its pool ----
red 2
expect 0 pool set ens2f0 1 web
expect 0 guest attach web1 --net red --pool web
expect 0 guest move web1 --to vhostuser
change guest move web1 --to vf
is "its own VF" "vf|0000:81:00.0|1" "$(lease web1)"
expect 0 guest attach web2 --net red --pool web
is "no VF of its pool" "vhostuser|0000:81:00.0|" "$(lease web2)"
expect 0 guest rebalance
showed "web2 stays on vhostuser: no VF of ens2f0 is free (VF 0: in pool sriovctl)"
expect 0 guest detach web1
change guest rebalance
is "home, and not to VF 0" "vf|0000:81:00.0|1" "$(lease web2)"

# ---- a PF without VFs has no switch to be told of guests ----
new_host ".ovs = $ovs"
guests
expect 0 physnet add blue ens1f0 --bridge br-blue --uplink af_packet
change guest attach web1 --net blue
is "nothing to be told" "" "$(fdb)"
expect 0 physnet check
expect 0 vf create ens1f0 --count 1 --mac auto
showed "take frames for $(mac_of web1) of web1 on ens1f0"
let_land
is "now there is" "$(mac_of web1)" "$(fdb)"
expect 0 vf delete ens1f0
edit_host '.sim.fdb = []'
expect 0 restore
over
# without OVS VFs come all the same
kept=$(jq .ovs "$host")
edit_host 'del(.ovs)'
expect 0 vf create ens1f0 --count 1 --mac auto
showed "bridge br-blue is left as it is"
is "also their switch is told" "$(mac_of web1)" "$(fdb)"
edit_host --argjson kept "$kept" '.ovs = $kept'
change guest detach web1
is "nothing is left" "" "$(fdb)"
# what restore cannot make good stands in nobody's way
red 1
for i in 1 2; do expect 0 guest attach web$i --net red; done
edit_host '.sim.fdb = []'
deviate '[{"op": "fdb_set", "errno": "EIO"}]'
sriovctl restore
is "restore" 1 "$status"
over
expect 0 guest detach web1
deviate '[]'
expect 0 restore
is "made good" "$(mac_of web2)" "$(fdb)"

# ---- MTU ----
edit_host '(.pfs[] | select(.netdev == "ens2f0")).mtu = 9000'
expect 2 physnet check
showed "port up-red of bridge br-red: mtu 9000, as ens2f0 has it" "port vhu"
expect 0 restore
is "end to end" "9000 9000" "$(jq -r '[.ovs.bridges[].ports[] | select(.type != "internal") | .mtu_request] | join(" ")' "$host")"
again restore

# ---- a bridge that cannot be asked ----
red 1
for i in 1 2; do expect 0 guest attach web$i --net red; done
port=$(ports | tr ' ' '\n' | grep vhu)
kept=$(jq .ovs "$host")
edit_host 'del(.ovs)'
expect 1 guest detach web2
said "there is no such socket" "start OVS, or pass --force: bridge br-red is left as it is"
expect 1 flow add ens2f0 --name dns udp4 dst-port 53 drop
said "pass --force"
expect 0 flow add ens2f0 --name dns udp4 dst-port 53 drop --force
showed "bridge br-red is left as it is, for OVS cannot be asked"
is "the NIC has it" 1 "$(pf_of ens2f0 '.rules | length')"
expect 1 guest attach web3 --net red --force
expect 0 guest detach web2 --force
is "its lease has ended" "" "$(lease web2)"
is "and the PF takes no frames for it" "" "$(fdb)"
expect 0 guest detach web1
expect 1 physnet delete red
cp "$host" "$work/with" && cp -a "$host.state" "$work/with.state"
expect 0 physnet delete red --force
edit_host --argjson kept "$kept" '.ovs = $kept'
expect 0 restore
showed "delete bridge br-red of OVS"
over
rm -rf "$host.state" && cp "$work/with" "$host" && cp -a "$work/with.state" "$host.state"
edit_host --argjson kept "$kept" '.ovs = $kept'
expect 2 physnet check
showed "delete port $port of bridge br-red, which is ours and of no lease" "install the flows"
expect 0 restore
expect 0 physnet check
has "the bridge has the rule too" "$(flows)" "tp_dst=53"
over

# ---- what is asked for must be what there is ----
red 1
for i in 1 2; do expect 0 guest attach web$i --net red --vlan 6; done
expect 1 guest attach web2 --net red --vlan 6 --queues 4
said "holds its vhostuser with 1 queue already" "not 4" "guest detach 'web2' first"
expect 1 guest attach web2 --net red --pool web
said "holds its vhostuser with pool sriovctl already" "not web"
expect 1 guest attach web2 --net red --mac 02:00:00:00:00:77
said "has the device already, with MAC $(mac_of web2) and 1 queue" "attach it with MAC 02:00:00:00:00:77 and 1 queue"
expect 1 guest attach web1 --net red --mac 02:00:00:00:00:77
said "and VLAN 6"
expect 1 guest move web2 --to tap
said "a guest is moved to one of vf and vhostuser only"
expect 1 guest move web2
said "it is not said where to"
expect 1 guest move web2 --to vf --net nosuch
said "web2: holds no lease on physnet nosuch" "guest show 'web2'"
expect 1 guest move web9 --to vf --net red
said "no guest of that name holds a lease"

# ---- DPDK that is not there ----
for gone in dpdk_initialized dpdk_init dpdk; do
	edit_host ".ovs.$gone = false"
	expect 2 vswitch check
	showed "[no-dpdk] bridge br-red" "guests on it pass no frames"
	edit_host ".ovs.$gone = true"
done
expect 0 vswitch check

# ---- a database that is lost ----
red 2
for i in 1 2 3; do expect 0 guest attach web$i --net red; done
port=$(ports | tr ' ' '\n' | grep vhu)
mac=$(mac_of web3)
rm -rf "$host.state"
expect 0 adopt
showed "guest web3 is not taken over: it is on port $port of bridge br-red" "physnet add NET ens2f0 --bridge br-red --uplink af_packet" \
	"guest attach 'web3' --net NET --paths vhostuser --mac $mac"
expect 0 restore
showed "bridge br-red is ours and of no physnet, and stays for its port $port of web3"
expect 0 physnet add red ens2f0 --bridge br-red --uplink af_packet
expect 0 physnet check red
showed "port $port of bridge br-red is of no lease, and stays: domain web3 names it"
again restore
expect 0 guest attach web3 --net red --paths vhostuser --mac "$mac"
is "its port is as it was" "up-red $port" "$(ports)"
has "with flows again" "$(flows)" "dl_dst=$mac"
expect 0 physnet check red
# of nobody at all
expect 0 guest detach web3
edit_host --arg p vhu-lost '.ovs.bridges[0].ports += [{name: $p, type: "dpdkvhostuserclient", socket: "/var/lib/vhost_sockets/vhu-lost", ofport: 77, ours: true, guest: "lost"}]'
expect 2 physnet check red
showed "delete port vhu-lost of bridge br-red, which is ours and of no lease"
over
