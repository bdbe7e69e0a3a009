#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A change killed at every point, by kill -9 and by a signal that it may catch: what is left can be read, and
# the next change of the PF (or `journal undo`, `journal resume`) ends in the old state or the new one, with a
# history that says which.
# shellcheck source=tests/harness.sh disable=SC2016,SC2119
. "$(dirname "$0")/../harness.sh"
with gcc
tool=$release

# shellcheck source=tests/faults/points.sh
. "$repo/tests/faults/points.sh"

# again_at_every_point NAME [either]: what no other command has to recover is done when the command is given again.
again_at_every_point() {
	local n calls at
	keep
	old=$(now)
	calls=$(calls_of)
	new=$(now)
	for ((n = 1; n <= calls; n++)); do
		at="$1, killed at call $n of $calls"
		back
		killed KILLAT "$n"
		is "$at" 137 "$status"
		readable "$at"
		[ -z "${2-}" ] || either "$at"
		expect 0 "${change[@]}"
		same "$at, then again" "$new" "$(now)"
	done
	echo "$1: $calls points"
	back
}

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
also=(flow list ens2f0 --json)
at_every_point "flow apply" ens2f0
change=(rss set ens2f0 queues 1-2)
also=(rss show ens2f0 --json)
at_every_point "rss set" ens2f0
also=()

# leases are one transaction, without a journal
change=(guest xml web1 --node 1)
again_at_every_point "guest xml" either

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
domains=yes stride=5
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
change=(restore ens2f0)
again_at_every_point "restore (VLAN)"
stride=1 domains=''

# The same without a VF that is free: a port of OVS, and there and home again.
ovs='{"version": "3.1.0", "dpdk_version": "DPDK 22.11.11", "dpdk": true, "dpdk_init": true, "dpdk_initialized": true,
	"pmd_cpu_mask": "", "socket_mem": "", "per_port_memory": false, "stopped": false, "bridges": []}'
bridge=yes stride=5
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
bridge='' stride=1

# Tuning a running guest: what was left half done is undone by the next tuning, of whichever guest. Every third point.
tune_at_points() {
	local n calls at
	keep
	old=$(domains_now)
	calls=$(calls_of)
	new=$(domains_now)
	[ "$old" != "$new" ] || fail "guest tune: it changes nothing"
	for ((n = 1; n <= calls; n += 3)); do
		at="guest tune, killed at call $n of $calls"
		back
		killed KILLAT "$n"
		is "$at" 137 "$status"
		readable "$at"
		expect 0 guest tune other1 --node 0 --apply
		case $(domains_now) in
		"$old" | "$new") passed ;;
		*) fail "$at, then another's tuning: neither the old state nor the new one" ;;
		esac
		is "$at: records" 0 "$(query 'SELECT count(*) FROM tuning')"
		back
		killed KILLAT "$n"
		expect 0 guest tune web1 --node 1 --apply
		same "$at, then again" "$new" "$(domains_now)"
	done
	echo "guest tune: $calls points, a third of them taken"
	back
}
# a thread that was not pinned is pinned to all CPUs again: the same to it
domains_now() {
	{ "$tool" guest tune web1 --node 1 --plan --json || true; } |
		jq -c '.items[] | [.item, .now, .config]' | sed 's/"0-31"/""/g'
}
new_host
running web1 1
defined other1 2
change=(guest tune web1 --node 1 --apply)
tune_at_points

# A probe is undone wherever it is killed, also where all that it put there stands; resuming is undoing too.
# Every third point: what it does is the same few calls again and again.
probe_at_points() {
	local n id calls at open=0
	keep
	old=$(now)
	calls=$(calls_of)
	same "flow probe changes nothing" "$old" "$(now)"
	for ((n = 1; n <= calls; n += 3)); do
		at="flow probe, killed at call $n of $calls"
		back
		killed KILLAT "$n"
		is "$at" 137 "$status"
		readable "$at"
		id=$(open_journal)
		if [ -n "$id" ] && ((n % 2)); then
			open=$((open + 1))
			expect 0 journal resume "$id"
		else
			expect 0 flow delete "$pf" no-such-rule
		fi
		same "$at: the old state" "$old" "$(now)"
		is "$at: nothing was committed" "" "$(query "SELECT id FROM journal WHERE status != 'undone' AND command LIKE '%probe%'")"
	done
	echo "flow probe: $calls points, a third of them taken; at $open of them resumed"
	for ((n = 1; n <= calls; n += 9)); do
		at="flow probe, SIGTERM at call $n of $calls"
		back
		killed KILLAT_SIGNAL "$n"
		same "$at: the old state" "$old" "$(now)"
		case $status in
		0 | 1 | 4) passed ;;
		*) fail "$at: status $status" ;;
		esac
	done
	back
}
new_host
"$tool" vf create ens2f0 --count 2 >/dev/null
let_land
pf=ens2f0
change=(flow probe ens2f0 --wire ens1f0 --consent)
probe_at_points
