#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The last committed intent comes back: after the PF's driver was loaded again, after a reboot, with a change
# open when the host went down, and without a link.
# shellcheck source=tests/harness.sh disable=SC2016,SC2119
. "$(dirname "$0")/../harness.sh"

# What `modprobe -r; modprobe` leaves of a PF, and what a reboot leaves of all of them.
reload='.vfs.now = 0 | .vf = [] | .rules = [] | del(.nic) | .autoprobe = true
	| .ntuple = if .driver == "ixgbe" then "off" else .ntuple end'
driver_reload() { edit_host "(.pfs[] | select(.netdev == \"ens2f0\")) |= ($reload)"; }
reboot() {
	edit_host --arg boot "$1" ".boot_id = \$boot | .pfs |= map($reload)
		| .sim |= (.pending = [] | .stuck = [] | .clock_ms = 0)"
}
boot=11111111-2222-3333-4444-55555555555

# The intent: VFs with everything, rules of which one is a VF's, a VF of another driver.
intended() {
	new_host
	expect 0 vf create ens2f0 --count 3 --mac auto --vlan 100 --trust on --max-rate 700 --driver vfio-pci
	expect 0 vf set ens2f0 1 --vlan 101 --spoofchk off
	expect 0 flow add ens2f0 --name tovf --owner me flow-type udp4 dst-port 4789 vf 2
	expect 0 flow add ens2f0 --name cut flow-type tcp4 dst-port 23 drop loc 50
	let_land
	want=$(shown ens2f0)
	names=$("$tool" flow list ens2f0)
}

# ---- driver reload ----
intended
driver_reload
change restore ens2f0
let_land
same "the PF" "$want" "$(shown ens2f0)"
same "the names of the rules" "$names" "$("$tool" flow list ens2f0)"
is "epoch of the new VFs" 2 "$(query 'SELECT epoch FROM pf')"
# what is restored can still be deleted to what was found at first
expect 0 vf delete ens2f0
expect 0 flow delete ens2f0 --all
over

# ---- reboot, all PFs, by one command; one that fails keeps none of the others from coming back ----
intended
expect 0 vf create ens1f0 --count 2 --vlan 7
let_land
other=$(shown ens1f0)
reboot "${boot}1"
expect 0 restore
let_land
same "ens2f0" "$want" "$(shown ens2f0)"
same "ens1f0" "$other" "$(shown ens1f0)"
again restore
reboot "${boot}2"
deviate '[{"op": "numvfs", "pf": "0000:3b:00.0", "errno": "ENOMEM"}]'
sriovctl restore
[ "$status" = 1 ] || [ "$status" = 4 ] || fail "status $status"
said "0000:3b:00.0"
deviate '[]'
let_land
same "ens2f0 all the same" "$want" "$(shown ens2f0)"
expect 0 restore
let_land
same "ens1f0" "$other" "$(shown ens1f0)"
over

# ---- leases survive; a VF that is no more makes a lease stale ----
intended
expect 0 guest xml web1 --node 1
lease=$(query 'SELECT guest, pf, vf, address, state FROM lease')
reboot "${boot}3"
expect 0 restore
is "the lease" "$lease" "$(query 'SELECT guest, pf, vf, address, state FROM lease')"
expect 0 guest xml web1 --node 1
is "the same VF" 1 "$(query 'SELECT count(*) FROM lease')"

# ---- a change was open when the host went down: it is closed without effects, the committed intent is back ----
with gcc
gcc -D_GNU_SOURCE -O1 -shared -fPIC -o "$work/killat.so" "$repo/tests/faults/killat.c" -ldl
intended
tool=$release
{ KILLAT=20 LD_PRELOAD=$work/killat.so "$tool" vf set ens2f0 0-2 --vlan 300 --trust off >/dev/null; } 2>/dev/null || true
tool=$dev
is "a change is open" 1 "$(query "SELECT count(*) FROM journal WHERE status = 'open'")"

# the driver is reloaded before anybody recovers: the VFs that the change was about are gone, and it with them
cp "$host" "$work/open.json"
cp -r "$host.state" "$work/open.state"
driver_reload
expect 0 restore
showed "first recovered journal"
let_land
same "the committed intent, though a change was left open" "$want" "$(shown ens2f0)"
over
cp "$work/open.json" "$host"
rm -rf "$host.state"
cp -r "$work/open.state" "$host.state"
reboot "${boot}4"
before=$(effects)
expect 0 vf list
expect 0 flow delete ens2f0 no-such-rule
is "nothing was done about it" "$before" "$(effects)"
is "the journal" boot "$(query 'SELECT status FROM journal ORDER BY id DESC LIMIT 1')"
expect 0 restore
let_land
same "the committed intent, not the one that was open" "$want" "$(shown ens2f0)"

# ---- no link, and the kernel lies about the rest: nothing of it is kept ----
intended
reboot "${boot}6"
edit_host '.sim.deviate = [{"op": "link", "never": true}, {"op": "vf_set", "lie": true, "times": 1}]'
expect 4 restore ens2f0 --link-timeout 3
said "reading back shows that this is missing"
is "VFs, rules" '[0,0]' "$(pf_of ens2f0 '[(.vf // [] | length), (.rules // [] | length)]')"
over

# ---- no link: everything but the rates, which are named and come with the next restore ----
intended
reboot "${boot}5"
edit_host '.sim.deviate = [{"op": "link", "never": true}]'
expect 5 restore ens2f0 --link-timeout 3
said "no link" "rates of 3 VFs are pending" "restore"
is "VLANs, trust" '[[100,0,true],[101,0,true],[100,0,true]]' \
	"$(pf_of ens2f0 '[.vf[].attrs | [.vlan, .qos, .trust]]')"
is "no rates yet" '[0,0,0]' "$(pf_of ens2f0 '[.vf[].attrs.max_rate]')"
is "rules" '[1,50]' "$(pf_of ens2f0 '[.rules[].loc]')"
over
expect 5 restore ens2f0 --link-timeout 1
said "rates of 3 VFs are pending"
deviate '[]'
edit_host '(.pfs[] | select(.netdev == "ens2f0")).carrier = true'
change restore ens2f0
let_land
same "now with rates" "$want" "$(shown ens2f0)"

# ---- with other commands no link is a failure: everything as before ----
new_host
edit_host '.sim.deviate = [{"op": "link", "never": true}]'
found=$(shown ens2f0)
expect 4 vf create ens2f0 --count 2 --mac auto --max-rate 100 --link-timeout 2
said "ens2f0: no link within 2 s" "--link-timeout"
deviate '[]'
is "as before but for the link" "$(jq -c '.carrier = false | .speed_mbps = 0' <<<"$found")" "$(shown ens2f0)"
over undone
# without a rate nobody waits for a link
expect 0 vf create ens2f0 --count 2 --mac auto

# ---- nothing to restore ----
new_host
expect 0 restore
showed "nothing to do"
expect 1 restore ens2f0
said "nothing was ever committed for this PF"
