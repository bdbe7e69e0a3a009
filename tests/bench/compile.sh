#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the compiler of rule lists takes: 2,000, 8,000 and 100,000 rules, and lists that are made to hurt it, which
# ten times as long may take twelve times the time (gated at twice that; times themselves are only told).
# shellcheck source=tests/harness.sh disable=SC2119
. "$(dirname "$0")/../harness.sh"
bench_program compile
bench() { "$work/compile" "$@" >"$work/result"; }
value() { awk -v key="$1" '$1 == key {print $2}' "$work/result"; }

for nic in 82599 X710; do
	line=''
	for n in 2000 8000; do
		for kind in hosts edge; do
			bench time "$kind" "$nic" "$n"
			line+=" $n $kind $(value ms) ms,"
		done
	done
	echo "figure: compiler, $nic, processor time:${line%,}"
done

# what people wait for at worst, of all kinds
for nic in 82599 X710; do
	for n in 2000 8000; do
		worst=$(for kind in $("$work/compile" kinds); do
			bench time "$kind" "$nic" "$n"
			echo "$(value ms) ms $kind"
		done | sort -rn | head -3 | paste -sd, | sed 's/,/, /g')
		echo "figure: compiler, $nic, processor time, $n rules of the three worst kinds: $worst"
	done
done

for nic in 82599 X710; do
	for kind in hosts exceptions; do
		bench one "$kind" "$nic" 100000
		echo "figure: compiler, $nic, 100000 $kind: $(value ms) ms, $(value peak_mib) MiB at most" \
			"($(value rules_mib) of them the rules), $(value full) full, $(value entries) entries"
		is "100,000 $kind on $nic do not all fit" yes \
			"$([ "$(value full)" -gt 0 ] && echo yes || echo "no: $(tr '\n' ' ' <"$work/result")")"
		at_most "MiB of 100,000 $kind on $nic" 200 "$(value peak_mib)"
	done
	bench one optional "$nic" 10000
	echo "figure: compiler, $nic, 10000 optional rules of all kinds: $(value ms) ms, $(value peak_mib) MiB at most"
	at_most "MiB of 10,000 optional rules on $nic" 200 "$(value peak_mib)"
done

for nic in 82599 X710; do
	worst='' most=0
	for kind in $("$work/compile" kinds); do
		bench growth "$kind" "$nic" 1000
		ratio=$(value ratio)
		printf '%s %s: 1000 rules %s ms, 10000 %s ms, %s times\n' "$nic" "$kind" "$(value ms)" \
			"$(value tenfold_ms)" "$ratio"
		[ "${ratio%.*}" -lt "$most" ] || most=${ratio%.*} worst="$kind ($(value ms) ms, $(value tenfold_ms) ms)"
		at_most "tenfold $kind on $nic takes as many times as long" 24 "${ratio%.*}"
	done
	echo "figure: compiler, $nic: 1000 and 10000 rules of the worst of $("$work/compile" kinds | wc -l) kinds: $most times, $worst"
done
