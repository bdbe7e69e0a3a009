#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# No surprise: what carries the host's traffic or belongs to somebody is refused as a whole, naming whom it
# would hit, until it is forced; and what the kernel itself does not let go of is stuck, told in time, and
# leaves the rest of the host alone.
# shellcheck source=tests/harness.sh disable=SC2016,SC2119
. "$(dirname "$0")/../harness.sh"

# refused FRAGMENT ARGUMENTS…: for safety, with nothing done
refused() {
	local fragment=$1 before
	shift
	before=$(effects; pf_of ens2f0; pf_of eno1)
	expect 3 "$@"
	said "$fragment" "hint:"
	expect 3 "$@" --dry-run
	is "nothing was done" "$before" "$(effects; pf_of ens2f0; pf_of eno1)"
}

# ---- the host's own traffic ----
new_host
refused "eno1: the port carries the host's own traffic: default route (default via 192.0.2.1 dev eno1)" \
	vf create eno1 --count 2
said "--disrupt-pf"
# --force is for guests only
expect 3 vf create eno1 --count 2 --force
expect 0 vf create eno1 --count 2 --disrupt-pf
# what does not reset the port needs no word
expect 0 vf set eno1 0 --vlan 5
let_land
refused "eno1: the port carries" vf delete eno1
expect 0 vf delete eno1 --disrupt-pf
let_land
refused "eno1: the port carries" flow add eno1 flow-type ether proto 0x0806 queue 0

# ---- VFs in use ----
new_host
expect 0 vf create ens2f0 --count 4 --mac auto
let_land
expect 0 vf bind ens2f0 0,2 --driver vfio-pci
expect 0 guest xml web1 --pf ens2f0
is "lease" 0 "$(query "SELECT vf FROM lease WHERE guest = 'web1'")"
edit_host '.domains = [{"name": "db1", "state": "running", "vfs": ["0000:81:10.4"]},
		{"name": "old1", "state": "defined", "vfs": ["0000:81:10.6"]}]
	| (.pfs[] | select(.netdev == "ens2f0") | .vf[1].up) = true'
while IFS=: read -r index holder; do
	refused "vf $index of ens2f0: in use by $holder" vf set ens2f0 "$index" --vlan 7
	refused "vf $index of ens2f0: in use by $holder" vf bind ens2f0 "$index" --driver none
done <<'TABLE'
0:guest web1 (lease 1 (reserved))
1:host (netdev ens2f0v1 is up)
2:guest db1 (running) (domain db1 names 0000:81:10.4)
3:guest old1 (defined) (domain old1 names 0000:81:10.6)
TABLE
refused "in use" vf set ens2f0 all --vlan 7
refused "in use" vf bind ens2f0 all --driver none
refused "in use" vf delete ens2f0
# a VF that has the value already refuses nothing
expect 0 vf set ens2f0 all --spoofchk on
showed "nothing to do"
expect 0 vf create ens2f0 --count 4 --mac auto
showed "nothing to do"
# MAC, VLAN and driver of a VF that a running guest holds are libvirt's: vf create does not compare them
edit_host '(.pfs[] | select(.netdev == "ens2f0") | .vf[2] | .attrs.vlan) = 55'
expect 0 vf create ens2f0 --count 4 --mac auto --vlan 0 --dry-run
refused "vf 2" vf set ens2f0 2 --vlan 0
edit_host '(.pfs[] | select(.netdev == "ens2f0") | .vf[2] | .attrs.vlan) = 0'
# a reset of the port hits the running guests, not those that are merely defined
refused "in use" flow add ens2f0 flow-type udp4 dst-port 4789 drop

expect 0 vf set ens2f0 0,1,3 --vlan 7 --force
is "VLANs" '[7,7,0,7]' "$(pf_of ens2f0 '[.vf[].attrs.vlan]')"
expect 0 vf bind ens2f0 0,1 --driver none --force
is "drivers" '["","","vfio-pci","ixgbevf"]' "$(pf_of ens2f0 '[.vf[].driver]')"
# a lease alone is no running guest
expect 0 guest detach web1
expect 0 guest xml web1 --pf ens2f0
edit_host --arg vf "$(query "SELECT address FROM lease WHERE guest = 'web1'")" \
	'.domains = [{"name": "web1", "state": "running", "vfs": [$vf]}]'
expect 3 guest detach web1
said "of 0000:81:00.0 is in use by guest web1 (running)"
is "the lease is kept" 1 "$(query 'SELECT count(*) FROM lease')"
expect 0 guest detach web1 --force
is "the lease is gone" 0 "$(query 'SELECT count(*) FROM lease')"

# ---- what the kernel does not come back from ----
# stuck FORCED-COMMAND…: against a running guest that holds VF 0 by vfio-pci
stuck() {
	local old before after
	new_host
	sriovctl vf create ens2f0 --count 2 --mac auto --driver vfio-pci
	sriovctl guest xml web1 --pf ens2f0
	let_land
	old=$(shown ens2f0)
	edit_host '.domains = [{"name": "web1", "state": "running", "vfs": ["0000:81:10.0"]}]'
	before=$(jq .sim.clock_ms "$host")
	expect 3 "$@"
	expect 6 "$@" --force --kernel-timeout 5
	said "does not come back" "web1 holds"
	after=$(jq .sim.clock_ms "$host")
	between "waited, in ms of simulated time" 5000 6000 $((after - before))
	expect 0 journal show --json
	is "the journal" '["stuck","0000:81:00.0",true]' \
		"$(jq -c '.journals[] | [.status, .pf, .open]' "$work/out")"
	is "the call is pending" 1 "$(jq '.sim.stuck | length' "$host")"

	# the PF is quarantined, with its VFs; reading and the rest of the host go on
	before=$(effects)
	expect 6 vf set ens2f0 1 --vlan 5
	said "quarantined" "web1"
	expect 6 vf create ens2f0 --count 2
	expect 6 journal undo 2
	expect 6 journal resume 2
	is "nothing was tried" "$before" "$(effects)"
	expect 3 guest xml web2 --node 1
	is "journal" stuck "$(query 'SELECT status FROM journal WHERE id = 2')"
	expect 0 vf list ens2f0
	expect 0 host show
	expect 0 vf create ens1f0 --count 1
	expect 0 guest xml web3 --node 0

	# the guest stops, the call returns, and the next change recovers
	edit_host 'del(.domains)'
	expect 0 flow delete ens2f0 no-such-rule
	let_land
	let_land # the port's reset begins when the call returns
	is "the call is over" 0 "$(jq '.sim.stuck | length' "$host")"
	case $(query 'SELECT status FROM journal WHERE id = 2') in
	undone) same "the old state" "$old" "$(shown ens2f0)" ;;
	committed) is "leases of VFs that are gone" 0 "$(query 'SELECT count(*) FROM lease WHERE vf > 1')" ;;
	*) fail "the journal is still open" ;;
	esac
	over
	expect 0 flow delete ens1f0 --all
}
stuck vf delete ens2f0
stuck vf bind ens2f0 0 --driver none
