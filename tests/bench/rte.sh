#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What a rule costs on its way through sriov-rte, without the driver: written, sent, read, compiled, encoded. At most
# 20 us of processor time where the machine is not emulated; told, and gated at twice that.
# shellcheck source=tests/harness.sh disable=SC2119
. "$(dirname "$0")/../harness.sh"
pkg-config --exists libdpdk || skip "libdpdk-dev is not installed"
[ -e "$repo/build/libsriov-rte.a" ] || skip "build/libsriov-rte.a is not there"

read -ra dpdk <<<"$(pkg-config --cflags --libs libdpdk)"
bench_program rte "$repo/build/libsriov-rte.a" "${dpdk[@]}"

# measure NIC
measure() {
	own=none
	"$work/rte" "$1" 2000 >"$work/result" 2>"$work/err" || return 0
	own=$(awk '$1 == "own" {print $2}' "$work/result")
	[ "${own%.*}" -le 40 ]
}
nics=(82599 X710)
[ ! -w /dev/net/tun ] || nics+=(tap)
for nic in "${nics[@]}"; do
	at_best measure "$nic"
	[ "$own" != none ] || { fail "$nic: $(cat "$work/err")"; continue; }
	driver=$(awk '$1 == "driver" {print $2}' "$work/result")
	at_most "$nic: us a rule, of our own" 40 "${own%.*}"
	line="$nic: $own us a rule of 2,000 rules, processor time of client and owner"
	[ "$nic" != tap ] || line+=" (net_tap's own rte_flow_validate: $driver us, not in it)"
	echo "figure: rte, $line"
done
