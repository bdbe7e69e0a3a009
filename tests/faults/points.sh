# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034
# Sourced by tests that kill a command at each of its calls: the state that it starts from, and what must hold after.

# tests/faults/killat.c counts the calls that change something, and kills at one of them.
gcc -D_GNU_SOURCE -O1 -shared -fPIC -o "$work/killat.so" "$repo/tests/faults/killat.c" -ldl

# A link rises when it rises: at the end of a change it may be on its way. No VFs can be said in two ways.
steady() { sed -E 's/"lease [0-9]+ \(/"lease (/; /"(carrier|speed_mbps)"/d; /"vf": \[\]/d'; }
host_now() {
	"$tool" host show --json | steady | sed "${bridge:+/\"(driver_override|netdev)\"/d}" -E
	[ ${#also[@]} = 0 ] || "$tool" "${also[@]}"
	[ -z "$bridge" ] || jq -cS '[.ovs, .sim.fdb // []]' "$host"
	[ -z "$domains" ] || jq -cS '[.domains[] | .name, .xml, .live], (.sim.netdevs // [] | map(select(.ours or .half)) | sort_by(.name))' "$host"
}
# whether OVS and what the PF takes frames for are looked at too; the netdev of a VF that is bound comes late, and an
# override that agrees with nothing binds nothing
bridge=''
# whether the domains' own words are, and netdevs of ours
domains=''
# what else is looked at: a command
also=()
leases_now() { "$tool" guest list --json | sed -E '/"(id|created)"/d'; }
now() { host_now && leases_now; }

# What must hold whoever was killed when: the host can be read, the database is whole, one change a PF is open.
readable() {
	local rows
	"$tool" host show --json >"$work/seen" || fail "$1: the host cannot be read"
	[ -e "$host.state/state.db" ] || return 0
	rows=$("$tool" journal show --json) || fail "$1: the journal cannot be read"
	case $rows in *'"id"'*'"id"'*) fail "$1: two changes are open: $rows" ;; esac
	is "$1: the database" ok "$(query 'PRAGMA integrity_check')"
}

# settled WHERE: no change is open, and the history says of every change how it ended. The table of journals
# stands in for `journal show` and `history`, which read it: one process instead of four.
settled() {
	is "$1: changes neither committed nor undone" "" \
		"$(query "SELECT id, status FROM journal WHERE status NOT IN ('committed', 'undone') OR ended IS NULL")"
}

# The state that a kill starts from, saved by keep and brought back by back.
keep() {
	rm -rf "$work/kept"
	mkdir "$work/kept"
	cp -a "$host" "$work/kept"
	[ ! -e "$host.state" ] || cp -a "$host.state" "$work/kept"
}
back() { rm -rf "$host" "$host.state" "$host.tmp" && cp -a "$work/kept/." "$work"; }

# killed VARIABLE N: runs the command in "${change[@]}" to its N-th call
killed() {
	command="${change[*]} ($1=$2)"
	status=0
	# the braces keep bash's own word on who was killed out of the log
	{ env "$1=$2" LD_PRELOAD="$work/killat.so" "$tool" "${change[@]}" >"$work/out" 2>"$work/err" \
		</dev/null; } 2>/dev/null || status=$?
}

calls_of() {
	KILLAT_COUNT=$work/calls LD_PRELOAD=$work/killat.so "$tool" "${change[@]}" >/dev/null 2>&1
	cat "$work/calls"
}

# either WHERE: the host is in the old state or the new one; says which
either() {
	local found
	found=$(now)
	state=neither
	[ "$found" != "$old" ] || state=old
	[ "$found" != "$new" ] || state=new
	if [ "$state" = neither ]; then
		fail "$1: neither the old state nor the new one"
		{ diff -u <(echo "$old") <(echo "$found") || diff -u <(echo "$new") <(echo "$found"); } | sed 's/^/  | /' || true
	else
		passed
	fi
}

open_journal() { query "SELECT id FROM journal WHERE status = 'open'" 2>/dev/null || true; }

# at_every_point NAME PF: the command in "${change[@]}", from the present state; at every $stride'th point
stride=1
at_every_point() {
	local name=$1 pf=$2 n id calls at resumed=0 undone=0
	keep
	old=$(now)
	calls=$(calls_of)
	new=$(now)
	[ "$old" != "$new" ] || fail "$name: it changes nothing"
	for ((n = 1; n <= calls; n += stride)); do
		at="$name, killed at call $n of $calls"
		# the next changing command is another one, which recovers before it finds that it has nothing to do
		back
		killed KILLAT "$n"
		is "$at" 137 "$status"
		readable "$at"
		expect 0 flow delete "$pf" no-such-rule
		either "$at, then another command"
		settled "$at, then another command"

		# the next changing command is the same
		back
		killed KILLAT "$n"
		expect 0 "${change[@]}"
		same "$at, then again" "$new" "$(now)"
		settled "$at, then again"

		# the operator's way out, where a change is open
		back
		killed KILLAT "$n"
		id=$(open_journal)
		[ -n "$id" ] || continue
		cp -a "$host" "$work/open.json" && rm -rf "$work/open" && cp -a "$host.state" "$work/open"
		expect 0 journal undo "$id"
		same "$at, then undone" "$old" "$(now)"
		settled "$at, then undone"
		undone=$((undone + 1))
		cp -a "$work/open.json" "$host" && rm -rf "$host.state" && cp -a "$work/open" "$host.state"
		expect 0 journal resume "$id"
		same "$at, then resumed" "$new" "$(now)"
		settled "$at, then resumed"
		resumed=$((resumed + 1))
	done
	echo "$name: $calls points; at $undone of them a change is open, undone and resumed"

	# a signal: the change is undone by the command itself, or it was over before or after it
	for ((n = 1; n <= calls; n += stride)); do
		at="$name, SIGTERM at call $n of $calls"
		back
		killed KILLAT_SIGNAL "$n"
		either "$at"
		case $status:$state in
		0:new | 1:old | 4:old) passed ;;
		*) fail "$at: status $status in the $state state" ;;
		esac
		settled "$at"
	done
	echo "$name: $calls points of a signal"
	back
}
