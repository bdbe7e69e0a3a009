#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What a rule costs on its way through sriov-rte, without the driver: written, sent, read, compiled, encoded. At most
# 20 us of processor time where the machine is not emulated; told, and gated at twice that.
# shellcheck source=tests/harness.sh disable=SC2119
. "$(dirname "$0")/../harness.sh"
with gcc
pkg-config --exists libdpdk || skip "libdpdk-dev is not installed"
[ -e "$repo/build/libsriov-rte.a" ] || skip "build/libsriov-rte.a is not there"

read -ra dpdk <<<"$(pkg-config --cflags --libs libdpdk)"
read -ra libraries <<<"$(pkg-config --libs libnl-3.0 libmnl sqlite3 jansson) -ldl"
gcc -std=gnu17 -O2 -D_GNU_SOURCE -Wall -Wextra -Wno-unused-parameter -Wno-missing-field-initializers \
	-I"$repo/include" -I"$repo" -o "$work/rte" "$repo/tests/bench/rte.c" \
	"$repo/build/libsriov-rte.a" "$repo/build/libsriov.a" "${dpdk[@]}" "${libraries[@]}"

nics=(82599 X710)
[ ! -w /dev/net/tun ] || nics+=(tap)
for nic in "${nics[@]}"; do
	"$work/rte" "$nic" 2000 >"$work/result" 2>"$work/err" || fail "$nic: $(cat "$work/err")"
	own=$(awk '$1 == "own" {print $2}' "$work/result")
	driver=$(awk '$1 == "driver" {print $2}' "$work/result")
	at_most "$nic: us a rule, of our own" 40 "${own%.*}"
	line="$nic: $own us a rule of 2,000 rules, processor time of client and owner"
	[ "$nic" != tap ] || line+=" (net_tap's own rte_flow_validate: $driver us, not in it)"
	echo "figure: rte, $line"
done
