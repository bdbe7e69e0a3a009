#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A host file over two PFs killed at every point, by kill -9 and by a signal that it may catch: both PFs end in the old
# state or both in the new one, after the next change of either of them, after `journal undo` or `resume` of either
# part, or by the same command again; the points of kill -9 are taken in turn for each of these ways.
# shellcheck source=tests/harness.sh disable=SC2016,SC2119,SC2034
. "$(dirname "$0")/../harness.sh"
with gcc
tool=$release
# shellcheck source=tests/faults/points.sh
. "$repo/tests/faults/points.sh"

# a VF that is made again is of another IOMMU group
steady() { sed -E 's/"lease [0-9]+ \(/"lease (/; /"(carrier|speed_mbps|iommu_group)"/d; /"vf": \[\]/d'; }
# also what is recorded: intents, pools, networks; entries are recorded with or without a mark that says nothing
records() {
	[ -e "$host.state/state.db" ] || return 0
	query "SELECT address, replace(intent, ',\"ext\":true', '') FROM pf WHERE intent IS NOT NULL ORDER BY address; SELECT * FROM pool ORDER BY pf, first; SELECT * FROM physnet_pf ORDER BY pf; SELECT * FROM physnet ORDER BY name"
}
now() { host_now && records; }
# two parts may be open; they are of one generation
readable() {
	"$tool" host show --json >"$work/seen" || fail "$1: the host cannot be read"
	[ -e "$host.state/state.db" ] || return 0
	is "$1: the database" ok "$(query 'PRAGMA integrity_check')"
	at_most "$1: open generations" 1 "$(query "SELECT count(DISTINCT generation) FROM journal WHERE status = 'open'" 2>/dev/null || echo 0)"
}
over() {
	settled "$1"
	is "$1: generations that are open" "" "$(query "SELECT id FROM generation WHERE status NOT IN ('committed', 'undone')")"
}
parts() { query "SELECT id FROM journal WHERE status = 'open' ORDER BY id" 2>/dev/null || true; }

at_points() { # NAME STEP: every STEP-th point
	local name=$1 step=$2 n calls at ids open=0
	keep
	old=$(now)
	calls=$(calls_of)
	new=$(now)
	[ "$old" != "$new" ] || fail "$name: it changes nothing"
	for ((n = 1; n <= calls; n += step)); do
		at="$name, killed at call $n of $calls"
		back
		killed KILLAT "$n"
		is "$at" 137 "$status"
		readable "$at"
		ids=$(parts)
		# the next change is of the one PF or the other
		if ((n / step % 2)); then expect 0 flow delete ens1f0 no-such-rule; else expect 0 flow delete ens2f0 no-such-rule; fi
		either "$at, then another command"
		over "$at, then another command"

		if [ -z "$ids" ] || ((n / step % 3 == 0)); then
			back
			killed KILLAT "$n"
			expect 0 "${change[@]}"
			same "$at, then again" "$new" "$(now)"
			over "$at, then again"
			continue
		fi
		open=$((open + 1))
		back
		killed KILLAT "$n"
		if ((n / step % 3 == 1)); then
			expect 0 journal undo "$(tail -n 1 <<<"$ids")"
			same "$at, then undone" "$old" "$(now)"
		else
			expect 0 journal resume "$(head -n 1 <<<"$ids")"
			same "$at, then resumed" "$new" "$(now)"
		fi
		over "$at, then undone or resumed"
	done
	echo "$name: $calls points, every $step taken; at $open of them its parts are open, undone or resumed"
	for ((n = 1; n <= calls; n += step)); do
		at="$name, SIGTERM at call $n of $calls"
		back
		killed KILLAT_SIGNAL "$n"
		either "$at"
		case $status:$state in
		0:new | 1:old | 4:old) passed ;;
		*) fail "$at: status $status in the $state state" ;;
		esac
		over "$at"
	done
	echo "$name: $calls points of a signal, every $step taken"
	back
}

new_host
"$tool" vf create ens1f0 --count 1 --vlan 5 --driver none >/dev/null
"$tool" flow add ens1f0 --name dns udp4 dst-port 53 drop >/dev/null
let_land
cat >"$work/host.yaml" <<'END'
version: 1
pfs:
  - match: ens1f0
    vfs: 2
    vlan: 6
    driver: none
    pool: nova
    rules: |
      name web udp4 dst-port 80 drop
  - match: ens2f0
    vfs: 1
    trust: on
    driver: vfio-pci
    max-rate: 500
physnets: {red: {pfs: [ens1f0, ens2f0]}}
END
change=(apply -f "$work/host.yaml")
at_points "apply" 1
"$tool" "${change[@]}" >/dev/null
let_land
change=(rollback 1)
at_points "rollback" 4

# with a bridge: its parts are of the PF beside it; an uplink that is a VF which comes with it
new_host '.ovs = {"version": "3.1.0", "dpdk_version": "DPDK 22.11.11", "dpdk": true, "dpdk_init": true, "dpdk_initialized": true,
	"pmd_cpu_mask": "", "bridges": []}'
# bridges that go and come again are in another order; the netdev of a VF that is bound comes late
now() {
	host_now | sed -E '/"(driver_override|netdev)"/d'
	records
	jq -cS '.ovs.bridges | map({name, flows, ports: [.ports[].name]}) | sort_by(.name)[]' "$host"
}
"$tool" vf create ens1f0 --count 1 --driver none >/dev/null
let_land
cat >"$work/host.yaml" <<'END'
version: 1
pfs: [{match: ens2f0, vfs: 1, mac: auto}]
physnets:
  red:
    pfs: [ens2f0]
    vswitch: {bridge: br-red, uplink: 'vf:0'}
  blue:
    pfs: [ens1f0]
    vswitch: {bridge: br-blue, uplink: af_packet}
END
change=(apply -f "$work/host.yaml")
at_points "apply with bridges" 1
"$tool" "${change[@]}" >/dev/null
let_land
change=(rollback 1)
at_points "rollback with bridges" 3

# between an unconfirmed generation and its end
new_host
cat >"$work/host.yaml" <<'END'
version: 1
pfs: [{match: ens2f0, vfs: 1, driver: none}]
END
"$tool" host show >/dev/null
keep
old=$(host_now)
change=(apply -f "$work/host.yaml" --confirm 2)
calls=$(calls_of)
"$tool" confirm >/dev/null
new=$(host_now)
for ((n = 1; n <= calls; n += 7)); do
	at="apply --confirm, killed at call $n of $calls"
	back
	killed KILLAT "$n"
	is "$at" 137 "$status"
	# nobody but the watcher does anything
	for ((i = 0; i < 100; i++)); do
		[ -e "$host.state/state.db" ] || break
		[ -n "$(query "SELECT id FROM generation WHERE status IN ('open', 'unconfirmed')" 2>/dev/null)" ] || break
		sleep 0.1
	done
	let_land
	same "$at: it is as before" "$old" "$(host_now)"
done
echo "apply --confirm: $calls points, a seventh of them taken"
