#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# All or nothing when the kernel does not play along: refusals in the middle, lies, VFs in reset, an undo
# that fails too; and the operator's way out, `journal show|resume|undo|abandon`.
# shellcheck source=tests/harness.sh disable=SC2016,SC2119
. "$(dirname "$0")/../harness.sh"

create=(vf create ens2f0 --count 3 --mac auto --vlan 100 --trust on --max-rate 500 --driver vfio-pci)

# ---- an effect of the change fails, once, at each of its calls ----
new_host
sriovctl "${create[@]}"
ops=$(effects)
# no effect is left out: what the change uses is what is made to fail below
is "effects of the change" '["autoprobe","numvfs","override","probe","vf_set"]' "$(jq -c keys <<<"$ops")"
for op in $(jq -r 'keys[]' <<<"$ops"); do
	for ((skip = 0; skip < $(jq ".$op" <<<"$ops"); skip++)); do
		new_host
		found=$(shown ens2f0)
		deviate "[{\"op\": \"$op\", \"skip\": $skip, \"times\": 1, \"errno\": \"EIO\"}]"
		sriovctl "${create[@]}"
		# the first effect of all fails without anything to undo
		if [ "$op" = autoprobe ]; then is "status" 1 "$status"; else is "status" 4 "$status"; fi
		said "sriovctl: " "kernel: Input/output error"
		let_land
		same "$op fails at call $((skip + 1)): the old state" "$found" "$(shown ens2f0)"
		over undone
		expect 0 "${create[@]}"
	done
done

# ---- the kernel says yes and does nothing: found by reading back, and undone ----
while read -r op skip fragment; do
	new_host
	found=$(shown ens2f0)
	deviate "[{\"op\": \"$op\", \"skip\": $skip, \"lie\": true, \"times\": 1}]"
	sriovctl "${create[@]}"
	[ "$status" = 4 ] || fail "$op lies: status $status"
	said "$fragment"
	let_land
	same "$op lies: the old state" "$found" "$(shown ens2f0)"
	over undone
done <<'TABLE'
numvfs 0 there are 0 VFs
vf_set 1 reading back shows that this is missing: vf 1: mac
vf_set 5 reading back shows that this is missing: vf 2: max-rate 500
probe 2 reading back shows that this is missing: vf 2: bind to vfio-pci
override 0 reading back shows that this is missing: vf 0: bind to vfio-pci
TABLE
new_host
deviate '[{"op": "rule_insert", "lie": true, "times": 1}]'
expect 4 flow add ens2f0 flow-type udp4 dst-port 1 drop
said "the driver accepted rule rule-1, but it is not in the table: location 1"
is "no rule, ntuple off" '["off",[]]' "$(pf_of ens2f0 '[.ntuple, .rules]')"
over undone
# of a rule of somebody else that creating VFs wipes, too
new_host '(.pfs[] | select(.netdev == "ens2f0")) |= (.ntuple = "on" | .rules = [
	{"loc": 7, "flow": "udp4", "value": {"pdst": 53}, "mask": {"pdst": 65535}, "cookie": "0x1"}])'
deviate '[{"op": "rule_insert", "lie": true, "times": 1}]'
expect 4 vf create ens2f0 --count 2 --driver none
is "the rule of somebody else" '[7]' "$(pf_of ens2f0 '[.rules[].loc]')"

# ---- i40e: a VF in reset answers EAGAIN; after its time the change goes on, and if it never ends it is undone ----
new_host
expect 0 vf create ens1f0 --count 2 --mac auto --vlan 5 --trust on --max-rate 500
is "attributes" '[[5,true,500],[5,true,500]]' "$(pf_of ens1f0 '[.vf[].attrs | [.vlan, .trust, .max_rate]]')"
between "pauses for VFs in reset" 1 1000 "$(jq .sim.ops.pause "$host")"
before=$(pf_of ens1f0 '[.vf[].attrs]')
deviate '[{"op": "vf_set", "vf": 1, "errno": "EAGAIN"}]'
start=$(jq .sim.clock_ms "$host")
sriovctl vf set ens1f0 all --vlan 6 --kernel-timeout 3
deviate '[]'
said "kernel: Resource temporarily unavailable" "did not come out of its reset in 3 s"
between "waited, in ms" 3000 4000 $(($(jq .sim.clock_ms "$host") - start))
is "status" 4 "$status"
is "both VFs as before" "$before" "$(pf_of ens1f0 '[.vf[].attrs]')"
over undone committed

# ---- undoing fails too: it is told, and the operator finishes, undoes or lets be ----
# broken: a change that fails at its last step, with the deletion of the VFs failing as well
broken() {
	new_host
	found=$(shown ens2f0)
	deviate '[{"op": "vf_set", "vf": 2, "errno": "EIO"},
		{"op": "numvfs", "pf": "0000:81:00.0", "skip": 1, "errno": "EBUSY"}]'
	expect 5 "${create[@]}"
	said "vf 2 of 0000:81:00.0" "and undoing failed" "journal undo" "journal resume"
	expect 0 journal show --json
	is "journal" '[1,"incomplete","0000:81:00.0",true]' \
		"$(jq -c '.journals[0] | [.id, .status, .pf, .open]' "$work/out")"
	expect 0 journal show
	showed "incomplete" "vf create ens2f0"
	# while it is so, another change of the PF tries again, fails again, and does nothing else
	expect 5 vf set ens2f0 0 --vlan 7
	said "journal 1"
	is "VLAN" 100 "$(pf_of ens2f0 '.vf[0].attrs.vlan')"
	# a dry run cannot tell what comes after a recovery; who only looks is not kept from it
	expect 3 vf set ens2f0 0 --vlan 7 --dry-run
	said "it would first recover journal 1 (\`sriovctl vf create ens2f0" "journal undo 1"
	echo '{version: 1, pfs: [{match: ens2f0, vfs: 1}]}' >"$work/host.yaml"
	expect 3 plan -f "$work/host.yaml"
	said "it would first recover journal 1"
	expect 0 flow list ens2f0
	# other PFs go on
	expect 0 vf create ens1f0 --count 1
	expect 0 vf delete ens1f0
}
broken
deviate '[]'
expect 0 journal undo 1
let_land
same "undone" "$found" "$(shown ens2f0)"
is "status of 1" undone "$(query 'SELECT status FROM journal WHERE id = 1')"
over
expect 1 journal undo 1
said "journal 1 is closed already: undone"

broken
deviate '[]'
expect 0 journal resume 1
let_land
is "resumed" '[[100,500],[100,500],[100,500]]' "$(pf_of ens2f0 '[.vf[].attrs | [.vlan, .max_rate]]')"
is "status of 1" committed "$(query 'SELECT status FROM journal WHERE id = 1')"
again "${create[@]}"
over

broken
before=$(pf_of ens2f0)
expect 0 journal abandon 1
is "the host is left as it is" "$before" "$(pf_of ens2f0)"
is "status of 1" abandoned "$(query 'SELECT status FROM journal WHERE id = 1')"
deviate '[]'
over
expect 0 "${create[@]}"

broken
deviate '[]'
# without the operator: the next change recovers
expect 0 vf create ens2f0 --count 1 --driver none
is "recovered and done" '[""]' "$(pf_of ens2f0 '[.vf[].driver]')"
over

# ---- a plan that is not the one that was seen ----
new_host
expect 0 vf create ens2f0 --count 2 --vlan 5 --dry-run --json
digest=$(jq -r '.plans[0].digest' "$work/out")
before=$(cat "$host")
expect 3 vf create ens2f0 --count 3 --vlan 5 --expect "$digest"
said "not $digest" "--dry-run"
same "the host" "$before" "$(cat "$host")"
expect 0 vf create ens2f0 --count 2 --vlan 5 --expect "$digest"
