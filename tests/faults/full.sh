#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A disk that is full from any point on: before the first effect nothing happens, after it the change is undone
# or can be recovered, and the error names the database and says that it is about space.
# shellcheck source=tests/harness.sh disable=SC2016,SC2119
. "$(dirname "$0")/../harness.sh"
with gcc
tool=$release
gcc -D_GNU_SOURCE -O1 -shared -fPIC -o "$work/killat.so" "$repo/tests/faults/killat.c" -ldl

pf_now() { "$tool" host show ens2f0 --json | sed -E '/"(carrier|speed_mbps)"/d; /"vf": \[\]/d'; }

# full_at N ARGUMENTS…: the disk takes nothing from the N-th call on
full_at() {
	local n=$1
	shift
	command="$* (KILLAT_FULL=$n)"
	status=0
	KILLAT_FULL=$n KILLAT_COUNT=$work/calls LD_PRELOAD=$work/killat.so "$tool" "$@" \
		>"$work/out" 2>"$work/err" </dev/null || status=$?
}

# at_every_point NAME ARGUMENTS…: from the present state
at_every_point() {
	local name=$1 n calls at old new found before seen=''
	shift
	rm -rf "$work/kept"
	mkdir "$work/kept"
	cp -a "$host" "$work/kept"
	[ ! -e "$host.state" ] || cp -a "$host.state" "$work/kept"
	old=$(pf_now)
	before=$(effects)
	full_at 1000000 "$@"
	calls=$(cat "$work/calls")
	new=$(pf_now)
	for ((n = 1; n <= calls; n++)); do
		at="$name, full from call $n of $calls on"
		rm -rf "$host" "$host.state"
		cp -a "$work/kept/." "$work"
		full_at "$n" "$@"
		found=$(pf_now)
		case $status in
		0) same "$at: done" "$new" "$found" ;;
		1)
			same "$at: nothing changed" "$old" "$found"
			is "$at: no effect" "$before" "$(effects)"
			;;
		4) same "$at: rolled back" "$old" "$found" ;;
		*) fail "$at: status $status" ;;
		esac
		[ "$status" = 0 ] || said "state.db" "space"
		seen="$seen $status"
		expect 0 "$@"
		same "$at: then done" "$new" "$(pf_now)"
		is "$at: changes that are open" "" "$(query "SELECT id FROM journal WHERE ended IS NULL")"
		is "$at: the database" ok "$(query 'PRAGMA integrity_check')"
	done
	echo "$name: status $(tr ' ' '\n' <<<"$seen" | sort | uniq -c | awk 'NF == 2 {printf "%s %d times  ", $2, $1}')"
	case $seen in *1*4*) ;; *) fail "$name: not both before and after the first effect:$seen" ;; esac
}

create=(vf create ens2f0 --count 2 --mac auto --vlan 100 --max-rate 500 --driver vfio-pci)
new_host
at_every_point "vf create, without a database" "${create[@]}"
new_host
"$tool" flow add ens2f0 flow-type udp4 dst-port 1 drop >/dev/null
at_every_point "vf create" "${create[@]}"

# a lease is one transaction: it is there or not
"$tool" "${create[@]}" >/dev/null
rm -rf "$work/kept" && cp -a "$host.state" "$work/kept"
for ((n = 1; ; n++)); do
	rm -rf "$host.state" && cp -a "$work/kept" "$host.state"
	full_at "$n" guest xml web1
	is "leases" "$((status == 0))" "$(query 'SELECT count(*) FROM lease')"
	[ "$status" != 0 ] || break
	is "status" 1 "$status"
	is "no XML" '' "$(out)"
	said "state.db" "space"
done
[ "$n" -gt 5 ] || fail "only $n points"
