#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# libvirt's hook killed at every call that changes something, and what libvirt then does: a start that was killed is
# refused, so stopped and release follow; after them, or after the next command of anybody, all is as it was. And many
# guests that start and stop at once.
# shellcheck source=tests/harness.sh disable=SC2016,SC2119
. "$(dirname "$0")/../harness.sh"
with gcc python3
tool=$release
# shellcheck source=tests/faults/points.sh
. "$repo/tests/faults/points.sh"
mkdir -m 755 "$work/guests.d"

# input NUMBER VF: the domain of guest NUMBER with VF of ens2f0
input() {
	local slot=$((0x10 + $2 * 2 / 8)) function=$(($2 * 2 % 8))
	sed -e "s/domain='0x0000' bus='0x3b' slot='0x02' function='0x3'/domain='0x0000' bus='0x81' slot='0x$(printf %x $slot)' function='0x$function'/" \
		-e "s/instance-00000011/guest$1/; s/6f1c2b5e-0000-4000-8000-000000000011/$(uuid "$1")/" \
		-e "s|<nova:extraSpec name=\"hw:mem_page_size\">|<nova:extraSpec name=\"sriovctl:flows\">udp4 dst-port $((4000 + $1)) guest self</nova:extraSpec>&|" \
		"$repo/tests/fuzz/corpus/domxml/hook-prepare.xml"
}
# hook NUMBER OPERATION
hook() { "$tool" hook libvirt --rules-dir "$work/guests.d" -- "guest$1" "$2" begin - <"$work/domain$1.xml"; }
must() { hook "$@" 2>"$work/err" || fail "$*: $(cat "$work/err")"; }

new_host
expect 0 vf create ens2f0 --count 8 --mac auto
let_land
expect 0 vf set ens2f0 3 --trust on --max-rate 500
expect 0 flow add ens2f0 --name keep udp4 dst-port 53 vf 1
expect 0 flow add ens2f0 --name other udp4 dst-port 54 vf 2
let_land
edit_host '(.pfs[] | select(.netdev == "ens2f0") | .vf[3].attrs) += {trust: false, max_rate: 0}'
input 3 3 >"$work/domain3.xml"

looks=(hooked)
now() { points look guest3; }
clean=$(now)

# killed OPERATION AFTER THEN…: it is killed, from the present state; THEN the state is AFTER. At last it is done.
killed() {
	change=(hook libvirt --rules-dir "$work/guests.d" -- guest3 "$1" begin -)
	stdin=$work/domain3.xml
	points hook "$@"
	must 3 "$1"
}
killed prepare "$clean" stopped release
killed start "$clean" stopped release
running=$(now)
[ "$running" != "$clean" ] || fail "start changes nothing"
killed stopped "$clean" release
killed release "$clean" release
same "the whole life" "$clean" "$(now)"

# a start after a start that was killed
must 3 prepare
first=3 stride=6
killed start "$running" stopped release prepare start
for op in stopped release; do must 3 $op; done
same "and stopped" "$clean" "$(now)"

# ---- many at once, each with a VF of its own ----

rounds=${ROUNDS:-10}
for i in 0 1 4 5 6 7; do input "$i" "$i" >"$work/domain$i.xml"; done
one_guest() {
	local round op
	for ((round = 0; round < rounds; round++)); do
		for op in prepare start started stopped release; do
			hook "$1" $op >>"$work/told$1" 2>&1 || echo "guest$1 $op: $?: $(tail -n 2 "$work/told$1")" >>"$work/wrong"
		done
	done
}
: >"$work/wrong"
for i in 0 1 4 5 6 7; do one_guest "$i" & done
wait
is "what should not be" "" "$(head -n 5 "$work/wrong")"
points state "many at once" "$clean"
