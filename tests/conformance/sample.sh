#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The replay models against what the real drivers answered: each errno, what was programmed, and the table
# at the end, for every recorded line. Prints how many by driver, operation and reason.
# shellcheck source=tests/harness.sh disable=SC2016,SC2119
. "$(dirname "$0")/../harness.sh"
with jq xz

xz -dc "$repo/tests/conformance/sample.jsonl.xz" >"$work/recorded"
expect 0 nic replay "$work/recorded"
cp "$work/out" "$work/replayed"
is "lines answered" "$(wc -l <"$work/recorded")" "$(wc -l <"$work/replayed")"

# One row for each operation and each final table: driver, operation, reason, line, whether it is equal.
jq -rn --slurpfile replayed "$work/replayed" '
	[inputs] | to_entries[] | .key as $i | .value as $r | $replayed[$i] as $a |
	(if $r.id == $a.id then empty else [$r.driver, "id", "-", $i, false] end),
	(range([$r.ops, $r.results, $a.results] | map(length) | max) as $k |
		[$r.driver, $r.ops[$k].op // "?", $r.results[$k].why // "-", $i, $r.results[$k] == $a.results[$k]]),
	[$r.driver, "final", "-", $i, $r.final == $a.final] | @tsv' "$work/recorded" >"$work/rows"

awk -F '\t' '
	{ key = $1 "\t" $2 "\t" $3; n[key]++; if ($5 == "true") equal[key]++; if (!((key, $4) in seen)) lines[key]++; seen[key, $4] }
	END { for (key in n) printf "%s\t%d\t%d\t%d\t%d\n", key, lines[key], n[key], equal[key], n[key] - equal[key] }
' "$work/rows" | sort | {
	printf '%-6s %-6s %-26s %6s %6s %6s %9s\n' driver op reason lines ops equal different
	awk -F '\t' '{printf "%-6s %-6s %-26s %6d %6d %6d %9d\n", $1, $2, $3, $4, $5, $6, $7}'
} | tee "$work/table"
for driver in ixgbe i40e igb; do
	between "rows of $driver" 5 1000 "$(grep -c "^$driver " "$work/table")"
done
is "operations and tables that differ" "" "$(awk -F '\t' '$5 != "true"' "$work/rows" | head -n 20)"
is "lines are written as they were recorded" "" \
	"$(jq -c '{id, results, final}' "$work/recorded" | diff - "$work/replayed" | head -n 4)"
echo "figure: replay models: $(awk '$2 != "final"' "$work/rows" | wc -l) recorded operations and" \
	"$(wc -l <"$work/recorded") tables are as the drivers had them"
