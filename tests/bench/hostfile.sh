#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The processor time that `sriovctl plan` takes for a host file with 4 PFs, 252 VFs and 2,000 rules, as whole commands on the simulated
# host (native): for a host that has nothing of it yet, and for one that has all of it. The simulator reads and decodes its
# host file, which a live host's netlink and ioctls take the place of.
# shellcheck source=tests/harness.sh disable=SC2016,SC2119
. "$(dirname "$0")/../harness.sh"
tool=$release
rounds=${ROUNDS:-11}

new_host '(.pfs[] | select(.netdev == "ens2f0")) as $nic | .pfs = [range(4) | . as $i | $nic |
	.address = "0000:8\($i):00.0" | .netdev = "ens\($i)" | .ifindex = 10 + $i |
	.mac = "90:e2:ba:11:22:3\($i)" | .perm_mac = .mac]'
{
	printf 'version: 1\npfs:\n'
	for pf in 0 1 2 3; do
		printf '  - match: ens%s\n    vfs: 63\n    mac: auto\n    vlan: 100\n    trust: on\n    driver: vfio-pci\n' "$pf"
		printf '    vf:\n      0-30: {pool: nova, max-rate: 1000}\n    rules: |\n'
		for ((i = 1; i <= 500; i++)); do
			printf '      name r%s udp4 dst-ip 10.%s.%s.%s dst-port 4789 vf %s\n' "$i" "$pf" $((i / 250)) $((i % 250)) $((i % 63))
		done
	done
} >"$work/host.yaml"

# times NAME STATUS COMMAND…: processor time of each round in ms
TIMEFORMAT='%3U %3S'
times() {
	local i code name=$1 wanted=$2
	shift 2
	: >"$work/$name"
	for ((i = 0; i < rounds; i++)); do
		code=0
		{ time "$tool" "$@" >"$work/out" 2>"$work/err" || code=$?; } 2>"$work/time"
		is "$name: status" "$wanted" "$code"
		awk '{printf "%d\n", ($1 + $2) * 1000}' "$work/time" >>"$work/$name"
	done
}
median() { sort -n "$work/$1" | sed -n "$(((rounds + 1) / 2))p"; }
least() { sort -n "$work/$1" | head -n 1; }

plan_new() {
	times new 2 plan -f "$work/host.yaml"
	[ "$(least new)" -le 100 ]
}
# What the kernel takes the place of on a live host: the simulator reads 2,000 rules and 252 VFs from JSON, once for all.
plan_same() {
	times same 0 plan -f "$work/host.yaml"
	has "the output" "$(out)" "nothing to do"
	times read 0 vf list
	[ "$(least same)" -le 200 ] && [ $(($(least same) - $(least read))) -le 100 ]
}
at_best plan_new
steps=$(sed -nE 's/^([0-9]+) steps .*/\1/p' "$work/out")
between "steps of the plan" 2500 3500 "$steps"
expect 0 apply -f "$work/host.yaml"
let_land
at_best plan_same
# other work only ever makes a round slower: the least of them tells what the machine can
at_most "a plan of all of it, least of $rounds, ms" 100 "$(least new)"
at_most "a plan of nothing, least of $rounds, ms" 200 "$(least same)"
at_most "a plan of nothing beside a reading of the simulated host, least of $rounds, ms" 100 $(($(least same) - $(least read)))
echo "figure: plan of 4 PFs, 252 VFs, 2,000 rules (native, simulated host), processor time: $(median new) ms for $steps steps (least $(least new)), $(median same) ms where all is there (least $(least same)), in which one reading of the simulated host is $(median read) (least $(least read)); medians of $rounds"
