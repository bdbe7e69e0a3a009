#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A change killed at every point, by kill -9 and by a signal that it may catch: what is left can be read, and
# the next change of the PF (or `journal undo`, `journal resume`) ends in the old state or the new one, with a
# history that says which.
# shellcheck source=tests/harness.sh disable=SC2016,SC2119
. "$(dirname "$0")/../harness.sh"
with gcc python3
tool=$release

# shellcheck source=tests/faults/points.sh
. "$repo/tests/faults/points.sh"

# with a rule of somebody else in the table: creating VFs wipes it on ixgbe, and putting it back is the last step
new_host '(.pfs[] | select(.netdev == "ens2f0")) |= (.ntuple = "on" | .rules = [
	{"loc": 7, "flow": "udp4", "value": {"pdst": 53}, "mask": {"pdst": 65535}, "cookie": "0x1"}])'
change=(vf create ens2f0 --count 1 --driver none)
at_every_point "vf create, plain" ens2f0
change=(vf create ens2f0 --count 2 --mac auto --vlan 100 --trust on --max-rate 500 --driver vfio-pci)
at_every_point "vf create" ens2f0

"$tool" "${change[@]}" >/dev/null
let_land
change=(flow add ens2f0 --name vxlan flow-type udp4 dst-port 4789 vf 1)
at_every_point "flow add" ens2f0

"$tool" "${change[@]}" >/dev/null
# a list that takes one rule away, leaves one, changes one and brings two; and at last RSS
cat >"$work/rules" <<'END'
name vxlan udp4 dst-port 4789 vf 1
name far   udp4 dst-port 54 queue 2
END
"$tool" flow add ens2f0 --name dns udp4 dst-port 55 drop >/dev/null
cat >>"$work/rules" <<'END'
name web   udp4 dst-port 80 queue 1
END
change=(flow apply "$work/rules" --pf ens2f0)
looks=(host leases "flow list ens2f0 --json")
at_every_point "flow apply" ens2f0
change=(rss set ens2f0 queues 1-2)
looks=(host leases "rss show ens2f0 --json")
at_every_point "rss set" ens2f0
looks=(host leases)

# leases are one transaction, without a journal
change=(guest xml web1 --node 1)
points again_at_every_point "guest xml" either

change=(vf delete ens2f0)
at_every_point "vf delete" ens2f0

# a port that leaves the kernel's driver with its VFs and rules, and comes back with them
pf=0000:81:00.0
new_host
"$tool" vf create $pf --count 2 --mac auto --vlan 100 --driver none >/dev/null
"$tool" flow add $pf --name vxlan udp4 dst-port 4789 vf 1 >/dev/null
let_land
change=(pf bind "$pf" --driver vfio-pci)
at_every_point "pf bind" $pf
"$tool" "${change[@]}" >/dev/null
change=(pf bind "$pf" --driver default)
at_every_point "pf bind, back" $pf

# A running guest: its definition and itself, and what it takes from the VF.
new_host
"$tool" vf create ens2f0 --count 2 --mac auto --driver none >/dev/null
let_land
running web1 1
change=(guest attach web1 --pf ens2f0 --trust on --vlan 7)
at_every_point "guest attach" ens2f0
"$tool" "${change[@]}" >/dev/null
change=(guest detach web1)
at_every_point "guest detach" ens2f0

# What a guest may send by a macvtap, with it and changed while it runs.
new_host
running web1 1 1
looks=(host domains leases) stride=5
change=(guest attach web1 --paths macvtap --max-rate 20)
at_every_point "guest attach (macvtap)" ens2f0
stride=1
"$tool" "${change[@]}" >/dev/null
change=(guest attach web1 --max-rate 5)
at_every_point "guest attach, another limit" ens2f0

# Its VLAN: a bridge and a VLAN netdev before the tap, which go after it; and all of them made anew.
new_host '.sim.netdevs = [{name: "br0", kind: "bridge", up: true}, {name: "ens2f0", master: "br0"}]'
running web1 1 1
stride=5
change=(guest attach web1 --paths tap --bridge br0 --vlan 100)
at_every_point "guest attach (tap, VLAN)" ens2f0
"$tool" "${change[@]}" >/dev/null
change=(guest detach web1)
at_every_point "guest detach (tap, VLAN)" ens2f0
edit_host '.sim.netdevs |= map(select(.ours | not))'
# what leases need is wanted before and after: a restore that was killed is only ever finished
change=(restore ens2f0) stride=1
points again_at_every_point "restore (VLAN)"
looks=(host leases)

# The same without a VF that is free: a port of OVS, and there and home again.
ovs='{"version": "3.1.0", "dpdk_version": "DPDK 22.11.11", "dpdk": true, "dpdk_init": true, "dpdk_initialized": true,
	"pmd_cpu_mask": "", "socket_mem": "", "per_port_memory": false, "stopped": false, "bridges": []}'
# the netdev of a VF that is bound comes late, and an override that agrees with nothing binds nothing
looks=(host vswitch leases) unsteady+=(driver_override netdev) stride=5
new_host ".ovs = $ovs"
"$tool" vf create ens2f0 --count 2 --mac auto >/dev/null
let_land
change=(physnet add red ens2f0 --bridge br-red --uplink vf:1)
at_every_point "physnet add" ens2f0
"$tool" "${change[@]}" >/dev/null
let_land
change=(physnet delete red)
at_every_point "physnet delete" ens2f0
"$tool" "${change[@]}" >/dev/null
let_land
"$tool" physnet add red ens2f0 --bridge br-red --uplink af_packet >/dev/null
defined web1 1
running web2 2 "" shared
"$tool" guest attach web1 --net red >/dev/null
"$tool" pool set ens2f0 1 reserved >/dev/null
change=(guest attach web2 --net red --max-rate 100)
at_every_point "guest attach (vhostuser)" ens2f0
"$tool" "${change[@]}" >/dev/null
echo "name to-web2 flow-type udp4 dst-ip 10.0.0.2 dst-port 9 guest web2" >"$work/rules"
change=(flow apply "$work/rules" --pf ens2f0)
at_every_point "flow apply (bridge)" ens2f0
"$tool" "${change[@]}" >/dev/null
"$tool" guest detach web1 >/dev/null
change=(guest move web2 --to vf --live)
at_every_point "guest move (vf)" ens2f0
"$tool" "${change[@]}" >/dev/null
change=(guest move web2 --to vhostuser --live)
at_every_point "guest move (vhostuser)" ens2f0
# a pair, whose sides overlap
"$tool" flow delete ens2f0 --all >/dev/null
"$tool" guest detach web2 >/dev/null
"$tool" guest attach web2 --net red --standby >/dev/null
change=(guest move web2 --to vhostuser --live)
at_every_point "guest move of a pair (vhostuser)" ens2f0
"$tool" "${change[@]}" >/dev/null
change=(guest move web2 --to vf --live)
at_every_point "guest move of a pair (vf)" ens2f0

# Tuning a running guest, and what the tuning finds of it. Every third point.
looks=(tuning) stride=3
new_host
running web1 1
defined other1 2
change=(guest tune web1 --node 1 --apply)
points tune "guest tune"

# A probe does the same few calls again and again: every third point.
looks=(host leases) unsteady=(carrier speed_mbps)
new_host
"$tool" vf create ens2f0 --count 2 >/dev/null
let_land
change=(flow probe ens2f0 --wire ens1f0 --consent)
points probe "flow probe" ens2f0
