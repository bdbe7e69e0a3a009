#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# How many packets of a capture a second are traced on one core, through tables as full as they get: an 82599 with
# its 2,046 entries and an X710 with 8,000. The goal is 2 million; the gate is loose.
# shellcheck source=tests/harness.sh disable=SC2016,SC2119
. "$(dirname "$0")/../harness.sh"
bench_program trace

# traced NIC
traced() {
	"$work/trace" "$1" "$work/rules" "$work/capture" 1000000 >"$work/result"
	rate=$(awk '$1 == "rate" {print $2}' "$work/result")
	[ "$rate" -ge 1000000 ]
}

# measure NIC RULES: one rule for each of the first addresses
measure() {
	local i
	for ((i = 0; i < $2; i++)); do
		echo "udp4 dst-ip 10.0.$((i / 256)).$((i % 256)) dst-port 4789 queue $((i % 4))"
	done >"$work/rules"
	at_best traced "$1"
	is "entries of $1" "$2" "$(awk '$1 == "entries" {print $2}' "$work/result")"
	between "packets of $1 that met one" 850000 950000 "$(awk '$1 == "hits" {print $2}' "$work/result")"
	echo "figure: trace over a capture of 1000000 packets, $1 with $2 entries: $rate packets a second on one core"
	is "at least a million a second" yes "$([ "$rate" -ge 1000000 ] && echo yes || echo "no: $rate")"
}
measure 82599 2046
measure X710 8000
