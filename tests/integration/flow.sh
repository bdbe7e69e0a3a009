#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Flow Director rules by whole commands: what is asked for stands in the table under its name and location,
# rules of others stay, and rules that another command wipes come back with its own plan.
# shellcheck source=tests/harness.sh disable=SC2016,SC2119
. "$(dirname "$0")/../harness.sh"

# rules PF: LOC NAME OWNER INSTALLED RULE, a line each
rules() {
	"$tool" flow list "$1" --json |
		jq -r '.ports[0].rules[] | [.loc, .name, .owner, .installed, .rule] | join("|")'
}
# table PF: what stands in the NIC
table() { pf_of "$1" '.rules'; }

foreign='{"loc": 9, "flow": "udp4", "value": {"pdst": 53}, "mask": {"pdst": 65535}, "cookie": "0x1"}'

# ---- ixgbe: queue, drop, VF, queue of a VF ----
new_host
expect 0 flow add ens2f0 flow-type udp4 dst-port 4789 queue 3 --dry-run
showed "switch ntuple filters on" "! resets the port: its link goes down"
is "the dry run" 'off' "$(pf_of ens2f0 .ntuple | tr -d '"')"
change flow add ens2f0 flow-type udp4 dst-port 4789 queue 3
is "ntuple" '"on"' "$(pf_of ens2f0 .ntuple)"
edit_host --argjson rule "$foreign" '(.pfs[] | select(.netdev == "ens2f0") | .rules) += [$rule]'
change flow add ens2f0 --name dns --owner nova flow-type udp4 dst-port 5353 drop
change flow add ens2f0 --name far flow-type tcp4 dst-port 80 action -1 loc 100
change flow add ens2f0 flow-type udp4 dst-port 4790 action 2
same "names, owners, locations" "\
1|rule-1||true|udp4 dst-port 4789 -> queue 3
2|dns|nova|true|udp4 dst-port 5353 -> drop
3|rule-2||true|udp4 dst-port 4790 -> queue 2
9|||true|udp4 dst-port 53 -> queue 1
100|far||true|tcp4 dst-port 80 -> drop" "$(rules ens2f0)"
# the same name with other words, and the same words under another name
expect 1 flow add ens2f0 --name dns flow-type udp4 dst-port 5354 drop
said "rule dns exists already and says something else: flow-type udp4 dst-port 5353 drop (location 2)"

# creating VFs wipes the table on ixgbe; the plan says that it puts all of it back
before=$(table ens2f0)
expect 0 vf create ens2f0 --count 4 --driver vfio-pci --dry-run
showed "udp4 dst-port 4789 -> queue 3" "udp4 dst-port 53 -> queue 1" "tcp4 dst-port 80 -> drop"
change vf create ens2f0 --count 4 --driver vfio-pci
same "the table" "$before" "$(table ens2f0)"
change flow add ens2f0 --name tovf flow-type udp4 dst-port 100 vf 1
change flow add ens2f0 --name tovfq flow-type udp4 dst-port 101 vf 3 queue 1
is "cookie of VF 1" '"0x200000000"' "$(table ens2f0 | jq -c '.[] | select(.loc == 4).cookie')"
is "cookie of VF 3 queue 1" '"0x400000001"' "$(table ens2f0 | jq -c '.[] | select(.loc == 5).cookie')"
# the driver takes these and sends the packets elsewhere
before=$(table ens2f0)
expect 1 flow add ens2f0 flow-type udp4 dst-port 102 vf 0 queue 7
said "queue 7 of VF 0 cannot be reached"
expect 1 flow add ens2f0 flow-type udp4 dst-port 102 queue 5
said "ens2f0 has no RX queue 5: it has 4"
expect 1 flow add ens2f0 flow-type udp4 dst-port 102 vf 4
said "VF 4 does not exist"
# a mask that the port's rules do not have
expect 1 flow add ens2f0 flow-type udp4 src-ip 10.0.0.0/24 dst-port 102 drop
said "mask" "loc "
same "the table" "$before" "$(table ens2f0)"

# deleting by name and by location, never what is not ours
expect 3 flow delete ens2f0 9
said "location 9 holds a rule that somebody else made"
expect 0 flow delete ens2f0 dns
expect 0 flow delete ens2f0 dns
showed "nothing to do" "no rule of ours is named or located dns"
expect 0 flow delete ens2f0 100
same "what is left" "\
1|rule-1||true|udp4 dst-port 4789 -> queue 3
3|rule-2||true|udp4 dst-port 4790 -> queue 2
4|tovf||true|udp4 dst-port 100 -> vf 1 queue 0
5|tovfq||true|udp4 dst-port 101 -> vf 3 queue 1
9|||true|udp4 dst-port 53 -> queue 1" "$(rules ens2f0)"

# a rule that somebody takes away is listed as missing; its place is kept, and the next change brings it back
edit_host '(.pfs[] | select(.netdev == "ens2f0") | .rules) |= map(select(.loc != 1 and .loc != 4))'
is "taken away" "4|tovf||false|udp4 dst-port 100 -> vf 1 queue 0" "$(rules ens2f0 | grep 'tovf|')"
change flow add ens2f0 --name third flow-type udp4 dst-port 103 drop
is "back, at its place" "1|rule-1||true|udp4 dst-port 4789 -> queue 3" "$(rules ens2f0 | grep '|rule-1|')"
is "back, at its place" "4|tovf||true|udp4 dst-port 100 -> vf 1 queue 0" "$(rules ens2f0 | grep 'tovf|')"
expect 0 flow delete ens2f0 third
edit_host '(.pfs[] | select(.netdev == "ens2f0") | .rules) |= map(select(.loc != 1))'
expect 0 restore ens2f0
is "restored" "1|rule-1||true|udp4 dst-port 4789 -> queue 3" "$(rules ens2f0 | grep '|rule-1|')"

# rules that send to VFs go with the VFs; the others stay, ours and those of others
change vf delete ens2f0
same "after vf delete" "\
1|rule-1||true|udp4 dst-port 4789 -> queue 3
3|rule-2||true|udp4 dst-port 4790 -> queue 2
9|||true|udp4 dst-port 53 -> queue 1" "$(rules ens2f0)"
change flow delete ens2f0 --all
same "after --all" "9|||true|udp4 dst-port 53 -> queue 1" "$(rules ens2f0)"
over

# rules of ours that come with ntuple: deleting VFs switches it off again where it was off
new_host
found=$(shown ens2f0)
expect 0 vf create ens2f0 --count 2
expect 0 flow add ens2f0 flow-type udp4 dst-port 100 vf 1
change vf delete ens2f0
let_land
same "as found, ntuple too" "$found" "$(shown ens2f0)"

# a rule that cannot be put back once there are VFs is told before, not found half-way: VFs leave the PF 4 queues
new_host '(.pfs[] | select(.netdev == "ens2f0")).ntuple = "on"'
expect 0 flow add ens2f0 flow-type udp4 dst-port 100 queue 9
before=$(cat "$host")
expect 1 vf create ens2f0 --count 4 --dry-run
said "queue 9"
expect 1 vf create ens2f0 --count 4
same "nothing was tried" "$before" "$(cat "$host")"

# ---- i40e: one input set for each flow type; ip4 is four entries; no VF as target ----
new_host
change flow add ens1f0 --name block flow-type ip4 src-ip 10.0.0.66 drop
is "entries" '["ip4-other","sctp4","tcp4","udp4"]' "$(table ens1f0 | jq -c '[.[].flow] | sort')"
is "one name" 'block block block block' "$(rules ens1f0 | cut -d'|' -f2 | paste -sd' ')"
expect 1 flow add ens1f0 flow-type tcp4 dst-port 80 drop
said "all tcp4 rules of an i40e port match the same fields"
expect 0 vf create ens1f0 --count 2
expect 1 flow add ens1f0 flow-type sctp4 src-ip 10.0.0.67 vf 1
said "does not send packets to a VF"
is "i40e keeps its rules when VFs come" 4 "$(table ens1f0 | jq length)"
is "… without being told again" 4 "$(effects | jq .rule_insert)"
expect 0 flow delete ens1f0 block
is "entries" '[]' "$(table ens1f0)"

# ---- ntuple that is not there ----
for state in '"off [fixed]"' 'null'; do
	new_host "(.pfs[] | select(.netdev == \"ens2f0\")).ntuple = $state"
	"$tool" host show ens2f0 >/dev/null 2>&1 || continue
	before=$(cat "$host")
	expect 1 flow add ens2f0 flow-type udp4 dst-port 1 drop
	said "ntuple"
	same "the host" "$before" "$(cat "$host")"
done

# ---- the driver refuses what the plan thought it takes: nothing is left, ntuple as it was ----
new_host
deviate '[{"op": "rule_insert", "errno": "ENOSPC"}]'
expect 4 flow add ens2f0 flow-type udp4 dst-port 1 drop
said "rule_insert" "kernel: No space left on device"
is "ntuple is off again" '"off"' "$(pf_of ens2f0 .ntuple)"
is "no rule is listed" '' "$(rules ens2f0)"
over undone
