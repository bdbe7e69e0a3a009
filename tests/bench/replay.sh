#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# How many recorded operations a second the replay models answer: from memory (the goal is a million, the gate
# loose), and by the whole command with its JSON.
# shellcheck source=tests/harness.sh disable=SC2016,SC2119
. "$(dirname "$0")/../harness.sh"
with xz

xz -dc "$repo/tests/conformance/sample.jsonl.xz" >"$work/sample"
bench_program replay
"$work/replay" "$work/sample" >"$work/result"
cat "$work/result"
rate=$(awk '$1 == "rate" {print $2}' "$work/result")

# the whole command on the sample twenty times over: processor time of the command alone
for ((i = 0; i < 20; i++)); do cat "$work/sample"; done >"$work/many"
ops=$((20 * $(grep -o '"op":' "$work/sample" | wc -l)))
TIMEFORMAT='%U %S'
{ time "$release" nic replay "$work/many" >/dev/null; } 2>"$work/time"
whole=$(awk -v ops="$ops" '{printf "%.0f", ops / ($1 + $2 + 0.001)}' "$work/time")
echo "figure: replay models: $rate operations a second from memory, $whole by the whole command with its JSON"
is "at least 200000 a second from memory" yes "$([ "$rate" -ge 200000 ] && echo yes || echo "no: $rate")"
is "at least 5000 a second as a command" yes "$([ "$whole" -ge 5000 ] && echo yes || echo "no: $whole")"
