#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# How long it takes to say anything: `sriovctl vf list` on the simulated host against `ip -V`, which does
# nothing but start. Medians of interleaved pairs; the goal is 3 times, the gate is loose.
# shellcheck source=tests/harness.sh disable=SC2016,SC2119
. "$(dirname "$0")/../harness.sh"
with gcc ip
new_host
"$release" vf create ens2f0 --count 4 --mac auto >/dev/null

# fork, exec and wait as a shell does, but without the shell's own time
gcc -O2 -D_GNU_SOURCE -Wall -Wextra -o "$work/pairs" "$repo/tests/bench/pairs.c"
"$work/pairs" 21 "$release" vf list -- ip -V >"$work/result"
cat "$work/result"
ratio=$(awk '$1 == "ratio" {print $2}' "$work/result")
echo "figure: sriovctl vf list takes $ratio times as long as ip -V"
is "at most 5 times as long" yes \
	"$(awk -v ratio="$ratio" 'BEGIN {print (ratio > 0 && ratio <= 5 ? "yes" : "no: " ratio)}')"
