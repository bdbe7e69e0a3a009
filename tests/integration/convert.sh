#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Rules of other tools by whole commands: import and export of files, standard input and ports.
# shellcheck source=tests/harness.sh disable=SC2016,SC2119
. "$(dirname "$0")/../harness.sh"

# ---- what is missing, wrong, or not there ----
new_host
expect 1 flow import
said "--from is missing"
expect 1 flow export
said "--to is missing"
expect 1 flow import --from pcap
said "not one of ethtool|testpmd|json"
expect 1 flow import --from openflow
said "this format is only written"
expect 1 flow import ./nothing --from ethtool
said "./nothing: cannot be read" "kernel: No such file or directory"
expect 1 flow import ens9 --from ethtool
said "ens9"
expect 1 flow export ./nothing --to json
said "./nothing: cannot be read"
expect 1 flow export ens9 --to json
said "ens9"

# ---- files ----
cat >"$work/a.rules" <<'END'
# two rules
name web flow-type tcp4 dst-port 80 action 0x200000001 loc 4
flow-type udp4 dst-ip 10.0.0.0/8 drop
END
expect 0 flow export "$work/a.rules" --to ethtool --dev eth7
same "ethtool" "ethtool -N eth7 flow-type tcp4 dst-port 80 vf 1 queue 1 loc 4 # web
ethtool -N eth7 flow-type udp4 dst-ip 10.0.0.0 m 0.255.255.255 action -1" "$(out)"
said "note: line 2: action 0x200000001 is vf 1 queue 1"
expect 0 flow export "$work/a.rules" --to testpmd --dev 1
showed "flow create 1 ingress pattern eth / ipv4 / tcp dst is 80 / end actions vf id 1 / queue index 1 / end"
expect 0 flow export "$work/a.rules" --to openflow
showed "priority=1,udp,ip_frag=no,nw_dst=10.0.0.0/8,actions=drop"
expect 0 flow export "$work/a.rules" --to json
cp "$work/out" "$work/a.json"
is "JSON" '["tcp4","udp4"]' "$(jq -c '[.rules[].flow]' "$work/a.json")"
expect 0 flow import "$work/a.json" --from json
same "and back" "name web flow-type tcp4 dst-port 80 vf 1 queue 1 loc 4
flow-type udp4 dst-ip 10.0.0.0/8 drop" "$(out)"
expect 0 flow export "$work/a.rules" --to ethtool --json
is "text in a document" 2 "$(jq -r .text "$work/out" | grep -c '^ethtool -N DEV')"
is "notes in a document" '[{"line":2,"left_out":false}]' "$(jq -c '[.notes[] | del(.text)]' "$work/out")"
echo "udp4 guest web1" >"$work/guest.rules"
expect 1 flow export "$work/guest.rules" --to ethtool
said "the rule of line 1: \`guest\` is no place that this format knows"

cat >"$work/cmds" <<'END'
flow create 0 ingress pattern eth / ipv4 src is 10.0.0.1 / udp dst is 53 / end actions queue index 3 / end
flow create 0 egress pattern eth / end actions drop / end
flow create 0 ingress pattern eth / ipv6 / end actions drop / end
END
expect 2 flow import "$work/cmds" --from testpmd
same "testpmd" "flow-type udp4 src-ip 10.0.0.1 dst-port 53 queue 3
# left out: line 2: column 15: rules here are for packets that come in, not for 'egress'
flow-type ip6 drop" "$(out)"
said "1 rule could not be carried over"
expect 2 flow import "$work/cmds" --from testpmd --json
is "as a document" '{"rules":[1,3],"left_out":[true],"errno":"EOPNOTSUPP"}' \
	"$(jq -c '{rules: [.rules[].line], left_out: [.notes[].left_out], errno: .error.errno}' "$work/out")"
"$tool" flow import --from testpmd <"$work/cmds" >"$work/stdin" 2>/dev/null || true
same "standard input" "$("$tool" flow import "$work/cmds" --from testpmd 2>/dev/null || true)" "$(cat "$work/stdin")"
expect 1 flow import "$work/a.rules" --from testpmd
said "there is no command"
expect 1 flow import "$work/a.json" --from ethtool
said "a.json:1:1" "is nothing that ethtool(8) says of a rule"

# ---- ports ----
foreign='{"loc": 9, "flow": "udp4", "value": {"pdst": 53}, "mask": {"pdst": 65535}, "cookie": "0x1"}'
odd='{"loc": 10, "flow": "unknown", "cookie": "0x1"}'
expect 0 flow add ens2f0 --name web flow-type udp4 dst-port 4789 queue 3
edit_host --argjson rule "$foreign" '(.pfs[] | select(.netdev == "ens2f0") | .rules) += [$rule]'
expect 0 flow import ens2f0 --from ethtool
same "a port's rules" "name web flow-type udp4 dst-port 4789 queue 3 loc 1
flow-type udp4 dst-port 53 queue 1 loc 9" "$(out)"
expect 0 flow export ens2f0 --to ethtool
same "for its netdev" "ethtool -N ens2f0 flow-type udp4 dst-port 4789 action 3 loc 1 # web
ethtool -N ens2f0 flow-type udp4 dst-port 53 action 1 loc 9" "$(out)"
edit_host --argjson rule "$odd" '(.pfs[] | select(.netdev == "ens2f0") | .rules) += [$rule]'
expect 2 flow export ens2f0 --to ethtool
said "location 10: its flow type has no word here" "1 rule could not be carried over"
is "the others are written" 2 "$(out | wc -l)"
# one ip4 rule of i40e is four entries
expect 0 flow add ens1f0 --name block flow-type ip4 src-ip 10.0.0.66 drop
expect 0 flow import ens1f0 --from ethtool
is "i40e's ip4 is the rest of IPv4" 1 "$(out | grep -c 'flow-type ip4-other src-ip 10.0.0.66 drop')"
is "four rules with names" 4 "$(out | grep -c '^name block')"
expect 0 flow export ens1f0 --to ethtool
is "and ethtool's ip4" 1 "$(out | grep -c 'flow-type ip4 src-ip 10.0.0.66')"

# a rule pasted from ethtool is understood, and what it means is said
expect 0 flow add ens1f0 'ethtool -N eth0 flow-type udp4 src-ip 10.0.0.9 action 2' --dry-run
said "note: eth0 is not part of the rule"
