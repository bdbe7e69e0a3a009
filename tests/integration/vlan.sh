#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The VLAN of a macvtap or tap: a VLAN netdev over the PF, and for taps a bridge on it, by whole commands on the simulated
# host: made before the device, taken away after it when no lease needs them, taken back by a change that fails, and made
# again by `restore`.
# shellcheck source=tests/harness.sh disable=SC2016,SC2119
. "$(dirname "$0")/../harness.sh"

# links: what was made, one a line: name, kind, over, port of, VLAN
links() { jq -r '.sim.netdevs // [] | .[] | select(.ours) | "\(.name) \(.kind) \(.lower)>\(.master) \(.vlan) \(.up)"' "$host"; }
lease() { query "SELECT path, below, vlan, pf, state FROM lease WHERE guest = '$1'"; }
source_of() { xml "$1" "$2" | grep -o '<source \(dev\|bridge\)=[^>]*>' || echo -; }
bridges='.sim.netdevs = [{name: "br0", kind: "bridge", up: true}, {name: "ens2f0", master: "br0"}]'
macvtap100='ens2f0.100 vlan ens2f0> 100 true'
tap100=$'br-ens2f0.100 bridge > 0 true\nens2f0.100 vlan ens2f0>br-ens2f0.100 100 true'

# ---- a macvtap ----
new_host
expect 0 vf create ens2f0 --count 1 --mac auto
let_land
defined web1 1 1
running web2 2 1
expect 0 guest attach web1 --paths macvtap --vlan 100 --dry-run
showed "1  make VLAN netdev ens2f0.100 (VLAN 100 of ens2f0)" "2  attach a macvtap on ens2f0.100 to web1, in its definition"
change guest attach web1 --paths macvtap --vlan 100
is "made" "$macvtap100" "$(links)"
is "its lease" "macvtap|ens2f0.100|100|0000:81:00.0|reserved" "$(lease web1)"
is "its device" '<source dev="ens2f0.100" mode="bridge"/>' "$(source_of web1 config)"
expect 0 guest show web1
showed "bridge on ens2f0.100"
again guest attach web1
# another guest is on the same one
change guest attach web2 --paths macvtap --vlan 100 --max-rate 20
is "still one" "$macvtap100" "$(links)"
is "its device" '<source dev="ens2f0.100" mode="bridge"/>' "$(source_of web2 live)"
expect 0 guest detach web1 --dry-run
is "the netdev stays" 0 "$(out | grep -c "VLAN netdev")"
change guest detach web1
is "of the other" "$macvtap100" "$(links)"
expect 0 guest detach web2 --dry-run
showed "1  detach a macvtap" "3  delete VLAN netdev ens2f0.100, which no lease needs"
change guest detach web2
is "gone" "" "$(links)"
# ---- one that was there already is used, and stays ----
edit_host '.sim.netdevs = [{name: "vlan100", kind: "vlan", lower: "ens2f0", vlan: 100, up: true}]'
change guest attach web1 --paths macvtap --vlan 100
is "nothing is made" "" "$(links)"
is "its lease" "macvtap|vlan100|100|0000:81:00.0|reserved" "$(lease web1)"
change guest detach web1
is "it is there still" vlan100 "$(jq -r '.sim.netdevs[].name' "$host")"
edit_host '.sim.netdevs = []'

# ---- a tap: the bridge is of the VLAN, over the PF of the one that was named ----
edit_host "$bridges"
expect 0 guest attach web1 --paths tap --bridge br0 --vlan 100 --dry-run
showed "1  make bridge br-ens2f0.100 for taps in VLAN 100 of ens2f0" \
	"2  make VLAN netdev ens2f0.100 (VLAN 100 of ens2f0), as the port of br-ens2f0.100" \
	"3  attach a tap on br-ens2f0.100 to web1, in its definition"
change guest attach web1 --paths tap --bridge br0 --vlan 100
is "made" "$tap100" "$(links)"
is "its lease" "tap|br-ens2f0.100|100|0000:81:00.0|reserved" "$(lease web1)"
is "its device" '<source bridge="br-ens2f0.100"/>' "$(source_of web1 config)"
again guest attach web1 --paths tap --bridge br0 --vlan 100
# the bridge of ours may be named itself: it carries that VLAN
change guest attach web2 --paths tap --bridge br-ens2f0.100 --vlan 100
is "as it was" "$tap100" "$(links)"
change guest detach web2
is "of the other" "$tap100" "$(links)"
change guest detach web1
is "gone" "" "$(links)"
# a bridge that has such a port carries that VLAN already
edit_host '.sim.netdevs += [{name: "br100", kind: "bridge", up: true},
	{name: "bond0.100", kind: "vlan", lower: "bond0", vlan: 100, master: "br100", up: true}]'
change guest attach web1 --paths tap --bridge br100 --vlan 100
is "nothing is made" "" "$(links)"
is "its device" '<source bridge="br100"/>' "$(source_of web1 config)"
expect 0 guest detach web1

# ---- a pair: the half that stays is in the VLAN of the VF ----
change guest attach web2 --standby --bridge br0 --vlan 100
is "made" "$tap100" "$(links)"
is "its half" '<source bridge="br-ens2f0.100"/>' "$(source_of web2 live | tail -n 1)"
is "its VF" 100 "$(pf_of ens2f0 '.vf[0].attrs.vlan')"
change guest detach web2
is "gone" "" "$(links)"
# also of the VLAN that the VF has by itself
expect 0 vf set ens2f0 0 --vlan 7
expect 0 guest attach web1 --standby --bridge br0
is "its lease" "vf|br-ens2f0.7|7|0000:81:00.0|reserved" "$(lease web1)"
expect 0 guest detach web1
expect 0 vf set ens2f0 0 --vlan 0
is "gone" "" "$(links)"

# ---- a VLAN is of macvtaps, or of taps, also while nobody of them runs ----
expect 0 guest attach web1 --paths macvtap --vlan 100
expect 1 guest attach web2 --paths tap --bridge br0 --vlan 100
said "web2: VLAN 100 of ens2f0 is web1's already, with a macvtap (lease" "take --paths macvtap"
expect 0 guest detach web1
expect 0 guest attach web1 --paths tap --bridge br0 --vlan 100
edit_host '.sim.netdevs |= map(select(.ours | not))'
expect 1 guest attach web2 --paths macvtap --vlan 100
said "web2: VLAN 100 of ens2f0 is web1's already, with a tap (lease" "take --paths tap --bridge br-ens2f0.100"
is "nothing is made" "" "$(links)"
expect 0 guest detach web1

# ---- what stays ----
edit_host '.sim.netdevs = []'
expect 0 guest attach web1 --paths macvtap --vlan 100
edit_host '.sim.netdevs += [{name: "mv0", kind: "macvlan", lower: "ens2f0.100"}]'
expect 0 guest detach web1
is "for what is on it" "$macvtap100" "$(links)"
showed "ens2f0.100 stays, though no lease needs it: mv0 is on it"
expect 0 restore
is "for what is on it" "$macvtap100" "$(links)"
edit_host '.sim.netdevs |= map(select(.name != "mv0")) | .sim.netdevs[0].addressed = true'
expect 0 restore
showed "ens2f0.100 stays, though no lease needs it: the host has an address on it"
edit_host '.sim.netdevs[0].addressed = false'
expect 0 restore
again restore
is "gone" "" "$(links)"
# what was there when its guest came, and what somebody has put into a bridge of ours
edit_host "$bridges"
expect 0 guest attach web1 --paths tap --bridge br0 --vlan 100
edit_host '.sim.netdevs += [{name: "tap9", kind: "tun", master: "br-ens2f0.100"}]'
expect 0 guest detach web1
is "for its port" "$tap100" "$(links)"
showed "br-ens2f0.100 stays, though no lease needs it: tap9 is its port"
edit_host '.sim.netdevs |= map(select(.name != "tap9"))'
expect 0 restore
is "gone" "" "$(links)"
# a guest that runs on, and of which only the definition loses the device
expect 0 guest attach web2 --paths tap --bridge br0 --vlan 100
expect 0 guest detach web2 --config
is "it runs on it" "$tap100" "$(links)"
expect 0 guest detach web2
is "gone" "" "$(links)"

# ---- changes that fail ----
failing() { # STATUS WORDS DEVIATION COMMAND…
	local status=$1 words=$2 before
	edit_host --argjson d "$3" '.sim.deviate = [$d]'
	shift 3
	before=$(links)
	expect "$status" "$@"
	said "$words"
	edit_host '.sim.deviate = []'
	is "as before" "$(sort <<<"$before")" "$(links | sort)"
}
attach=(guest attach web2 --paths tap --bridge br0 --vlan 100)
failing 1 "link_make fails" '{"op": "link_make", "errno": "EIO", "times": 1}' "${attach[@]}"
failing 4 "link_make fails" '{"op": "link_make", "errno": "EIO", "skip": 1, "times": 1}' "${attach[@]}"
failing 4 "reading back" '{"op": "link_make", "lie": true, "skip": 1, "times": 1}' "${attach[@]}"
failing 4 "virt_attach fails" '{"op": "virt_attach", "errno": "EIO", "times": 1}' "${attach[@]}"
failing 4 "virt_attach fails" '{"op": "virt_attach", "errno": "EIO", "skip": 1, "times": 1}' "${attach[@]}"
is "leases" 0 "$(query 'SELECT count(*) FROM lease')"
expect 0 "${attach[@]}"
failing 4 "link_delete fails" '{"op": "link_delete", "errno": "EBUSY", "skip": 1, "times": 1}' guest detach web2
failing 4 "link_delete fails" '{"op": "link_delete", "errno": "EBUSY", "times": 1}' guest detach web2
failing 4 "reading back" '{"op": "link_delete", "lie": true, "times": 1}' guest detach web2
failing 4 "by now" '{"op": "virt_detach", "lie": true, "times": 1}' guest detach web2
said "br-ens2f0.100: cannot be deleted" "is its port by now"
failing 1 "does not let go" '{"op": "virt_detach", "never": true, "times": 1}' guest detach web2
is "its lease" "tap|br-ens2f0.100|100|0000:81:00.0|active" "$(lease web2)"
expect 0 guest detach web2
# made half: what a kill in the middle of it leaves is finished
edit_host '.sim.netdevs += [{name: "ens2f0.100", kind: "vlan", lower: "ens2f0", vlan: 100, half: true}]'
expect 0 guest attach web1 --paths macvtap --vlan 100 --dry-run
showed "1  set up VLAN netdev ens2f0.100"
change guest attach web1 --paths macvtap --vlan 100
is "made" "$macvtap100" "$(links)"
expect 0 guest detach web1
edit_host '.sim.netdevs += [{name: "ens2f0.100", kind: "vlan", lower: "ens2f0", vlan: 100, half: true}]'
expect 0 restore
again restore
is "gone" 0 "$(jq '[.sim.netdevs[] | select(.half)] | length' "$host")"

# ---- after a reboot they are made anew ----
reboot() { edit_host '.boot_id = "b" + .boot_id | .sim.netdevs |= map(select((.ours or .half) | not))'; }
expect 0 guest attach web1 --paths macvtap --vlan 300
expect 0 "${attach[@]}"
before=$(links)
reboot
expect 0 restore --dry-run
showed "make bridge br-ens2f0.100" "make VLAN netdev ens2f0.100" "make VLAN netdev ens2f0.300"
expect 0 restore
is "made anew" "$(sort <<<"$before")" "$(links | sort)"
again restore
edit_host '.sim.netdevs |= map(select(.ours | not))'
expect 0 restore ens2f0
is "made anew, of one PF" "$(sort <<<"$before")" "$(links | sort)"
# one that nothing can be done for does not keep the others; and what of it is wrong is told
edit_host '.sim.netdevs |= (map(select(.ours | not)) + [{name: "ens2f0.300", kind: "vlan", lower: "ens2f0", vlan: 200}])'
expect 5 restore
said "web1: the name ens2f0.300 is taken: it is VLAN 200 of ens2f0" "rename it"
is "the other" "$tap100" "$(links)"
expect 1 guest attach web1
said "the name ens2f0.300 is taken"
edit_host '.sim.netdevs |= map(select(.name != "ens2f0.300"))'
expect 0 restore
again restore
# a PF that was down is up before
edit_host '.sim.netdevs |= map(select(.ours | not)) | (.pfs[] | select(.netdev == "ens2f0")) |= (.up = false | .carrier = false)'
expect 0 restore
is "made anew" "$(sort <<<"$before")" "$(links | sort)"
# of a PF of which nothing else is recorded, and which is down
defined web3 3
expect 0 guest attach web3 --paths macvtap --vlan 5 --pf ens1f0
is "made" "ens1f0.5 vlan ens1f0> 5 true" "$(links | grep ens1f0)"
edit_host '.sim.netdevs |= map(select(.lower != "ens1f0")) | (.pfs[] | select(.netdev == "ens1f0")) |= (.up = false | .carrier = false)'
expect 5 restore
said "ens1f0 is down" "takes VLAN 5 of it up only with it" "Network is down" "ip link set dev ens1f0 up"
edit_host '(.pfs[] | select(.netdev == "ens1f0")).up = true'
expect 0 restore ens1f0
is "made" "ens1f0.5 vlan ens1f0> 5 true" "$(links | grep ens1f0)"
# a PF that its driver leaves takes all with it
expect 0 pf bind ens1f0 --driver vfio-pci
is "gone" "" "$(links | grep ens1f0)"
expect 5 restore
said "VLAN 5 of 0000:3b:00.0 has no netdev to be made over" "sriovctl pf bind 0000:3b:00.0 --driver default"
expect 0 pf bind 0000:3b:00.0 --driver default
let_land
edit_host '(.pfs[] | select(.netdev == "ens1f0")).up = true'
expect 0 restore
is "made" "ens1f0.5 vlan ens1f0> 5 true" "$(links | grep ens1f0)"
expect 0 guest detach web3
# down, or out of its bridge: as it was meant
edit_host '(.sim.netdevs[] | select(.name == "ens2f0.100")) |= (.master = "")'
expect 0 restore --dry-run
showed "1  set up VLAN netdev ens2f0.100 (VLAN 100 of ens2f0), as the port of br-ens2f0.100"
expect 0 restore
edit_host '(.sim.netdevs[] | select(.ours)).up = false'
expect 0 restore
is "up" "$(sort <<<"$before")" "$(links | sort)"
expect 0 guest detach web1
expect 0 guest detach web2
is "gone" "" "$(links)"
# somebody else's is his to make again
edit_host '.sim.netdevs = [{name: "vlan9", kind: "vlan", lower: "ens2f0", vlan: 9, up: true}]'
expect 0 guest attach web1 --paths macvtap --vlan 9
edit_host '.sim.netdevs[0].vlan = 8'
expect 5 restore
said "web1: is on vlan9, which is not any more VLAN 9" "make it again as it was"
edit_host '.sim.netdevs = []'
expect 5 restore
said "web1: is on vlan9, which is not there: it was somebody's for VLAN 9"
expect 0 guest detach web1

# the lease of a guest without a VF, and its VLAN, outlive the VFs
expect 0 guest attach web1 --paths macvtap --vlan 100
expect 0 vf delete ens2f0
let_land
is "its lease" "macvtap|ens2f0.100|100|0000:81:00.0|reserved" "$(lease web1)"
expect 0 restore
is "its VLAN" "$macvtap100" "$(links)"
expect 0 guest detach web1
expect 0 vf create ens2f0 --count 1 --mac auto
let_land

# ---- drift is told ----
check() { # STATUS OBJECT EVIDENCE FIX: what `guest check web1` finds of its VLAN
	expect "$1" guest check web1 --json
	is "the finding" "$2|$3|$4" \
		"$(jq -r '[.findings[] | select(.id == "vlan") | "\(.object)|\(.evidence)|\(.fix)"] | join(";")' "$work/out")"
}
cat >"$work/host.yaml" <<'YAML'
version: 1
pfs:
  - match: {netdev: ens2f0}
    vfs: 1
    vf: {0: {trust: on}}
YAML
edit_host "$bridges"
expect 0 apply -f "$work/host.yaml"
let_land
expect 0 guest attach web1 --paths macvtap --vlan 100
expect 2 guest tune web1 --plan
showed "node 1: ens2f0, below its macvtap, is there"
expect 0 status
expect 0 guest check web1 --json
is "nothing of it" 0 "$(jq '[.findings[] | select(.id == "vlan")] | length' "$work/out")"
edit_host '.sim.netdevs |= map(select(.ours | not))'
check 2 "VLAN 100 on ens2f0.100" "its frames are not carried; missing: make VLAN netdev ens2f0.100 (VLAN 100 of ens2f0)" \
	"sriovctl restore ens2f0"
expect 2 status
showed "make VLAN netdev ens2f0.100 (VLAN 100 of ens2f0)"
edit_host '.sim.netdevs += [{name: "ens2f0.100", kind: "vlan", lower: "ens1f0", vlan: 100, up: true}]'
check 2 "VLAN 100 on ens2f0.100" "the name ens2f0.100 is taken: it is VLAN 100 of ens1f0" \
	"rename it (ip link set dev ens2f0.100 down, then name NEW), or delete it"
expect 2 status
showed "web1: the name ens2f0.100 is taken: it is VLAN 100 of ens1f0"
edit_host '.sim.netdevs |= map(select(.vlan == 0))'
expect 0 restore
expect 0 status
expect 0 guest detach web1

# ---- a kill in the middle: the next change, or the operator, takes it back or finishes it ----
edit_host "$bridges"
edit_host '.sim.deviate = [{op: "virt_attach", errno: "EIO", skip: 0}, {op: "link_delete", errno: "EIO", times: 1}]'
expect 5 "${attach[@]}"
is "left behind" "$tap100" "$(links)"
edit_host '.sim.deviate = []'
expect 0 journal undo "$(query "SELECT max(id) FROM journal")"
is "gone" "" "$(links)"
over

# ---- what is otherwise already ----
expect 0 guest attach web1 --paths macvtap --vlan 100
expect 1 guest attach web1 --vlan 200
said "is on ens2f0.100 with VLAN 100 already" "guest detach 'web1' first, then attach it with VLAN 200"
expect 1 guest attach web1 --vlan 0
said "is on ens2f0.100 with VLAN 100 already"
mac=$(query "SELECT mac FROM lease WHERE guest = 'web1'")
expect 0 guest detach web1
expect 0 guest attach web1 --paths macvtap --mac "$mac"
expect 1 guest attach web1 --vlan 100
said "is on ens2f0 with VLAN 0 already"
# the author's own device of that address, on the PF itself
device=$(xml web1 config | sed -n '/<interface/,/<.interface>/p')
expect 0 guest detach web1
edit_host --arg d "$device" '(.domains[] | select(.name == "web1")).xml |= sub("  </devices>"; $d + "  </devices>")'
expect 1 guest attach web1 --paths macvtap --vlan 100 --mac "$mac"
said "has MAC $mac on ens2f0 already, not on ens2f0.100" "virsh detach-interface"
is "nothing is made" "" "$(links)"
edit_host --arg x "$(domain web1 1 1)" '(.domains[] | select(.name == "web1")).xml = $x'
# the halves of a pair are of one PF, also where only the VF says the VLAN
expect 0 vf create ens1f0 --count 1 --vlan 7 --mac auto
let_land
defined web4 4
expect 1 guest attach web4 --standby --bridge br0 --pf ens1f0
said "its VLAN 7 would be of ens2f0 on bridge br0, and of ens1f0 on its VF"
expect 0 vf delete ens1f0
let_land

# ---- what cannot be ----
refused() { # STATUS FRAGMENT HOST-FILTER ARGUMENTS…
	local status=$1 fragment=$2 filter=$3 before
	shift 3
	edit_host "$filter"
	before=$(cat "$host")
	expect "$status" guest attach web1 "$@"
	said "$fragment"
	is "nothing changed" "$before" "$(cat "$host")"
	is "no lease" 0 "$(query 'SELECT count(*) FROM lease')"
}
port() { echo "$bridges | .sim.netdevs += [$1]"; }
one() { echo ".sim.netdevs = [$1]"; }
vlan100='{name: "ens2f0.100", kind: "vlan", lower: "ens2f0", vlan: 100, up: true}'
macvtap=(--paths macvtap --vlan 100) tap=(--paths tap --bridge br0 --vlan 100)
refused 1 "4095" . --paths macvtap --vlan 4095
refused 1 "no words for a VLAN with a priority" . --paths macvtap --vlan 100:3
refused 1 "no words for a VLAN with protocol 802.1ad" . "${tap[@]/100/100:0:802.1ad}"
refused 1 "a macvtap carries no VLAN 100 with a priority (qos)" '.pfs[] |= (.vfs.now = 0 | .vf = [])' \
	--paths vf,macvtap --raw-hostdev --vlan 100:3
refused 1 "is a port of bridge br1, on which there can be no macvtap" "$(one "$vlan100 + {master: \"br1\"}")" "${macvtap[@]}"
said "Device or resource busy" "--paths tap --bridge br1"
refused 1 "the name ens2f0.100 is taken: it is a dummy" "$(one '{name: "ens2f0.100", kind: "dummy"}')" "${macvtap[@]}"
refused 1 "the name ens2f0.100 is taken: it is VLAN 100 of ens1f0" "$(one "$vlan100 + {lower: \"ens1f0\"}")" "${macvtap[@]}"
refused 1 "ens2f0.100, VLAN 100 of ens2f0, is down, and not ours" "$(one "$vlan100 + {up: false}")" "${macvtap[@]}"
refused 1 "there is no bridge br0" "$(one '')" "${tap[@]}"
refused 1 "br0 is no bridge of the kernel, but a openvswitch" "$(one '{name: "br0", kind: "openvswitch"}')" "${tap[@]}"
refused 1 "no port of bridge br0 is a PF" "$(one '{name: "br0", kind: "bridge"}')" "${tap[@]}"
said "name a bridge that has one PF as its port" "type vlan id 100"
refused 1 "2 PFs are ports of bridge br0" "$(port '{name: "ens1f0", master: "br0"}')" "${tap[@]}"
refused 1 "bridge br0 is over ens2f0, which is not where the guest is wanted" "$bridges" "${tap[@]}" --pf ens1f0
refused 1 "VLAN 100 of ens2f0 is ens2f0.100 already, which is not ours" "$(port "$vlan100")" "${tap[@]}"
said "name that: --bridge BRIDGE"
refused 1 "and a port of bridge br7" "$(port "$vlan100 + {master: \"br7\"}")" "${tap[@]}"
said "--bridge br7"
refused 1 "the name br-ens2f0.100 is taken: it is a bridge that is not ours" "$(port '{name: "br-ens2f0.100", kind: "bridge"}')" "${tap[@]}"
refused 1 "cannot be a bridge's port for its tap: mv0 is on it" \
	"$(port "$vlan100 + {ours: true}, {name: \"mv0\", kind: \"macvtap\", lower: \"ens2f0.100\"}")" "${tap[@]}"
said "Device or resource busy" "take --paths macvtap"
refused 1 "is down" "$bridges | (.pfs[] | select(.netdev == \"ens2f0\")) |= (.up = false | .carrier = false)" "${tap[@]}"
edit_host '(.pfs[] | select(.netdev == "ens2f0")).up = true'
over
