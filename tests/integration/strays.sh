#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Bridges of ours that no network names any more: a generation that was not confirmed before the host was started again
# leaves them in OVS. `restore` takes them away, whoever kills it when, but for what somebody uses; a generation that says
# nothing of bridges leaves them alone.
# shellcheck source=tests/harness.sh disable=SC2016,SC2119
. "$(dirname "$0")/../harness.sh"
with gcc

ovs='{"version": "3.1.0", "dpdk_version": "DPDK 22.11.11", "dpdk": true, "dpdk_init": true, "dpdk_initialized": true,
	"pmd_cpu_mask": "", "bridges": []}'
bridges() { jq -r '[.ovs.bridges[].name] | join(" ")' "$host"; }
nets() { query 'SELECT name FROM physnet ORDER BY name' | paste -sd' '; }
file=$work/host.yaml
# the host is started again: VFs, rules and what a PF takes frames for are gone, OVS has kept its database but no flows
again_started() {
	edit_host '.boot_id = "11111111-2222-3333-4444-555555555555" | .pfs |= map(.vfs.now = 0 | .vf = [] | .rules = [] | del(.nic))
		| .sim.fdb = [] | .ovs.bridges |= map(.flows = [] | .meters = [])'
}
# two networks, of which the file brings the second; it is not confirmed
red=ens2f0 blue=ens1f0
unconfirmed() {
	new_host ".ovs = $ovs"
	expect 0 vf create ens2f0 --count 2 --mac auto
	let_land
	expect 0 physnet add red $red --bridge br-red --uplink af_packet
	cat >"$file" <<-END
		version: 1
		physnets:
		  red: {pfs: [$red], vswitch: {bridge: br-red, uplink: af_packet}}
		  blue: {pfs: [$blue], vswitch: {bridge: br-blue, uplink: af_packet}}
	END
	expect 0 apply -f "$file" --confirm 600
	is "both are there" "br-blue br-red" "$(bridges | tr ' ' '\n' | sort | paste -sd' ')"
}

# ---- what nobody confirmed is gone after a start, its bridge too ----
unconfirmed
again_started
expect 0 restore --dry-run
is "a dry run leaves it" 2 "$(bridges | wc -w)"
keep=$work/kept.json
rm -rf "$work/kept" && cp -a "$host" "$keep" && cp -a "$host.state" "$work/kept"
expect 0 restore
showed "delete bridge br-blue of OVS"
let_land
is "the network" red "$(nets)"
is "its bridge" br-red "$(bridges)"
again restore
over
restored=$(jq -S 'del(.sim)' "$host")

# ---- killed at each of its calls, it is done by the next one ----
gcc -D_GNU_SOURCE -O1 -shared -fPIC -o "$work/killat.so" "$repo/tests/faults/killat.c" -ldl
tool=$release
back() { rm -rf "$host" "$host.state" "$host.tmp" && cp -a "$keep" "$host" && cp -a "$work/kept" "$host.state"; }
back
KILLAT_COUNT=$work/calls LD_PRELOAD=$work/killat.so "$tool" restore >/dev/null
calls=$(cat "$work/calls")
for ((n = 1; n <= calls; n += 3)); do
	back
	{ KILLAT=$n LD_PRELOAD=$work/killat.so "$tool" restore >/dev/null 2>&1 </dev/null; } 2>/dev/null && fail "call $n was not reached"
	expect 0 restore
	let_land
	same "killed at call $n of $calls, then again" "$restored" "$(jq -S 'del(.sim)' "$host")"
	# of a change that had done its work nothing is left to do but to say so
	expect 0 flow delete ens1f0 no-such-rule
	is "open changes, killed at call $n" "" "$(query "SELECT id FROM journal WHERE status NOT IN ('committed', 'undone')")"
done
tool=$repo/build-dev/sriovctl

# ---- in use, it stays and is named ----
back
edit_host '(.ovs.bridges[] | select(.name == "br-blue")).ports += [{name: "eth7", type: "system", ofport: 9}]'
expect 0 restore
showed "bridge br-blue is ours and of no physnet, and stays for its port eth7"
is "both are there" 2 "$(bridges | wc -w)"
edit_host '(.ovs.bridges[] | select(.name == "br-blue")).ports |= map(select(.name != "eth7"))'
expect 0 restore
is "its bridge" br-red "$(bridges)"
# with a guest's port, connected
back
edit_host '(.ovs.bridges[] | select(.name == "br-blue")).ports += [{name: "vhu-lost", type: "dpdkvhostuserclient", ofport: 9,
	status: "connected", guest: "web7", ours: true}]'
expect 0 restore
showed "stays for its port vhu-lost of web7"
# one whose guest is gone goes along
edit_host '(.ovs.bridges[] | select(.name == "br-blue")).ports[-1].status = "disconnected"'
expect 0 restore
is "its bridge" br-red "$(bridges)"
# somebody else's bridge is not ours to take, nor is anything without OVS
back
edit_host '(.ovs.bridges[] | select(.name == "br-blue")).ours = false'
expect 0 restore
is "both are there" 2 "$(bridges | wc -w)"
# one that fails is told, and done by the next restore
back
edit_host '.sim.deviate = [{op: "ovs_bridge_del", errno: "EIO", times: 1}]'
expect 4 restore
said "ovs_bridge_del fails"
expect 0 restore
is "its bridge" br-red "$(bridges)"

# a guest's, whose lease the start has not ended
red=ens1f0 blue=ens2f0
unconfirmed
defined web1 1 "" shared
expect 0 guest attach web1 --net blue --paths vhostuser
again_started
expect 0 restore
showed "stays for its port vhu" "of web1"
expect 0 guest detach web1
expect 0 restore
is "its bridge" br-red "$(bridges)"

red=ens2f0 blue=ens1f0

# ---- its uplink was a VF, which is gone ----
unconfirmed
edit_host '(.ovs.bridges[] | select(.name == "br-blue")).ports |= map(if .type == "dpdk" then .devargs = "0000:3b:00.7" else . end)'
again_started
expect 0 restore
is "its bridge" br-red "$(bridges)"
over

# ---- a generation from before host files had bridges ----
# old N: as it would have been recorded then
old() {
	local text
	text=$(query "SELECT before FROM generation WHERE id = $1" | jq -c 'del(.bridges) | .physnets |= map({name, pfs})')
	sqlite "file:$host.state/state.db" "UPDATE generation SET before = '$text' WHERE id = $1"
}
new_host ".ovs = $ovs"
expect 0 physnet add blue ens1f0
echo '{version: 1, physnets: {red: {pfs: [ens2f0]}}}' >"$file"
expect 0 apply -f "$file"
is "networks" red "$(nets)"
old 1
expect 0 physnet add red ens2f0 --bridge br-red --uplink af_packet --paths vhostuser,vf
echo '{version: 1, physnets: {red: {pfs: [ens2f0]}, green: {pfs: [eno1]}}}' >"$file"
expect 0 apply -f "$file"
old 2
before=$(jq -S .ovs "$host")
expect 0 rollback 2
is "networks" red "$(nets)"
same "the bridge is left alone" "$before" "$(jq -S .ovs "$host")"
expect 0 physnet show
showed "br-red" "up-red (af_packet)"
expect 0 rollback 1
is "networks" "blue red" "$(nets)"
same "the bridge is left alone" "$before" "$(jq -S .ovs "$host")"
# one of now says that there was none
expect 0 physnet delete red
echo '{version: 1, physnets: {blue: {pfs: [ens1f0]}, red: {pfs: [ens2f0], vswitch: {bridge: br-red, uplink: af_packet}}}}' >"$file"
expect 0 apply -f "$file"
is "its bridge" br-red "$(bridges)"
expect 0 rollback
is "no bridge" "" "$(bridges)"
over
