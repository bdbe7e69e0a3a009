#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# flow check: a verdict on each rule, of a NIC by its name and of a port of a host; nothing is changed.
# shellcheck source=tests/harness.sh
. "$(dirname "$0")/../harness.sh"

rules=$(mktemp)
trap 'rm -f "$rules"' EXIT

# list LINE…: the file of rules.
list() { printf '%s\n' "$@" >"$rules"; }

# ---- a NIC by its name ----
new_host
list 'name web udp4 dst-ip 10.0.0.7 dst-port 4789 vf 1 queue 1' 'name block udp4 dst-ip 10.0.0.8 dst-port 53 drop'
expect 0 flow check "$rules" --nic 82599,vfs=8
showed "web    exact          1  1"
showed "condition: not between VFs"
showed "evidence: ixgbe of Linux 6.1 to 6.12"
expect 2 flow check "$rules" --nic X710,vfs=8
showed "none: a rule of i40e does not send packets to a VF"
showed "nearest: name web flow-type udp4 dst-ip 10.0.0.7 dst-port 4789 in vf 1 queue 1"
expect 0 flow check "$rules" --nic X710,vfs=8 --allow none
expect 2 flow check "$rules" --nic X710,vfs=8 --allow broader
list 'name a udp4 dst-port 80 drop' 'name b udp4 dst-port 80 queue 1'
expect 0 flow check "$rules" --nic X550
showed "condition: no packet comes to it: the rules before it take them all, first rule a (line 1)"
expect 0 flow check "$rules" --nic X550 --json
is "shadows as JSON" 'false -1,true 0' "$(out | jq -r '[.rules[] | "\(.shadowed) \(.shadow)"] | join(",")')"
is "entries as JSON" '1' "$(out | jq -r '.rules[0].entries[0].loc')"
list 'name a ip4 dst-ip 10.0.0.7 drop' 'name b udp4 dst-port 80 queue 1'
expect 2 flow check "$rules" --nic X550
showed "conflicts with rule a (line 1): name a flow-type ip4 dst-ip 10.0.0.7 drop"
expect 2 flow check "$rules" --nic X550 --json
is "as JSON" 'exact,refused' "$(out | jq -r '[.rules[].result] | join(",")')"
is "the other rule as JSON" '0' "$(out | jq -r '.rules[1].other_rule')"

# ---- ordered lists: the first match decides ----
list 'name one udp4 dst-ip 10.0.0.1 queue 1' 'name net udp4 dst-ip 10.0.0.0/30 drop' 'name in-net udp4 dst-ip 10.0.0.2 queue 2'
expect 0 flow check "$rules" --nic 82599
showed "1  one     exact          1  1"
showed "2  net     exact          3  2-4  one (in part)"
showed "3  in-net  exact          0  -    net"
showed "table: 4 of 2046 free locations used"
showed "mask of udp4: dst-ip (4 entries)"
expect 0 flow check "$rules" --nic X710 --json
is "the same on i40e" 4 "$(out | jq '[.rules[].entries | length] | add')"
is "the table as JSON" 'udp4: dst-ip 8191 true' "$(out | jq -r '"\(.masks[0].mask) \(.room) \(.best)"')"
list 'udp4 dst-port 53 queues 0-3' 'udp4 dst-port 4789 drop'
expect 0 flow check "$rules" --nic X550
showed "mask of udp4: src-port m 0xfffc, dst-port (8 entries)"
expect 2 flow check "$rules" --nic X710
showed "or \`sriovctl rss set\`, which is for all traffic of the port"
list 'udp4 dst-ip 10.0.0.0/16 drop' 'name one tcp4 dst-ip 10.1.0.1 dst-port 80 queue 1'
expect 2 flow check "$rules" --nic 82599
showed "there is room for 2046"
list 'name a udp4 dst-port 1-1500 drop optional weight 2' 'name b udp4 dst-port 2001-3000 drop optional' 'name c udp4 dst-port 5001-5500 queue 1'
expect 0 flow check "$rules" --nic 82599 --partial
showed "b     left out"
showed "left out: 1 rule, and no other choice is worth more (proved)"
list 'udp4 dst-port 1000-1007 drop' 'udp4 tos 4 dst-port 1-2 drop optional weight 3'
expect 2 flow check "$rules" --nic X540
showed "does not look at it"
expect 0 flow check "$rules" --nic X540 --partial
showed "left out"
echo 'udp4 dst-port 80 queue 99' >"$rules"
expect 2 flow check "$rules" --nic 82599
showed "hint: --nic 82599,queues=N says how many it has" "nearest: flow-type udp4 dst-port 80 queue 7"
expect 2 flow check "$rules" --nic 82599 --backend rte
showed "hint: \`sriov-rte --queues N\` says how many it has"
# many in a row with one story are told as one, in JSON each
seq 1 2060 | sed 's/.*/udp4 dst-port & drop/' >"$rules"
sed -i '2060s/^/name last /' "$rules"
expect 2 flow check "$rules" --nic 82599
showed "rule 2047: flow-type udp4 dst-port 2047 drop" "rules 2048 to last (lines 2048 to 2060):" "full: the rules before it"
is "stories" 2 "$(out | grep -c 'full: ')"
expect 2 flow check "$rules" --nic 82599 --json
is "each as JSON" 14 "$(out | jq '[.rules[] | select(.result == "full" and (.why | length > 0))] | length')"
list 'udp4 dst-port 80 guest web1'
expect 2 flow check "$rules" --nic X540
showed "unknown: which VF guest web1 has is not known"

# ---- what is asked wrongly ----
expect 1 flow check "$rules" --nic ice
said "no NIC of that name is modelled"
said "82599, X540"
expect 1 flow check "$rules" --nic 82599,vfs=64
said "vfs of an 82599 is a number from 0 to 63"
expect 1 flow check "$rules" --nic 82599,rings=4
said "'rings=4' is not understood"
expect 1 flow check "$rules" --nic X540 --pf ens2f0
said "--nic and --pf are given"
expect 1 flow check "$rules"
said "say which: --pf PF"
expect 1 flow check "$rules" --pf ens9
list 'udp4 dst-prot 80 drop'
expect 1 flow check "$rules" --nic X540
said "dst-port"

# ---- a port of a host: ours are no constraint, and nothing is changed ----
new_host
change flow add ens2f0 --name block udp4 dst-port 53 drop
list 'udp4 src-port 80 drop'
before=$(cat "$host")
expect 0 flow check "$rules" --pf ens2f0
same "nothing is changed" "$before" "$(cat "$host")"
is "standard input" 'broader' "$(echo 'udp4 tos 1 drop' | "$tool" flow check - --pf ens2f0 --json | jq -r '.rules[0].result')"


# ---- one rule's story ----
list 'name one udp4 dst-ip 10.0.0.1 queue 1' 'name net udp4 dst-ip 10.0.0.0/28 drop' 'name late udp4 dst-ip 10.0.0.2 queue 2' \
	'name dns udp4 dst-port 53 queues 0-3 optional'
expect 0 flow explain net "$rules" --nic 82599 --partial
showed "rule net (line 2): name net flow-type udp4 dst-ip 10.0.0.0/28 drop"
showed "It is about unfragmented UDP over IPv4 with dst-ip 10.0.0.0/28."
showed "rule one (line 1) comes before it and takes some of its packets"
showed "It takes 15 entries, one for each value of those bits that it leaves open"
showed "… and 7 more"
expect 0 flow explain 3 "$rules" --nic X710 --partial
showed "so none comes to it and it needs no entry"
expect 0 flow explain dns "$rules" --nic 82599 --partial --json
is "left out, with its story" "true true" "$(out | jq -r '"\(.rule.left_out) \(.story | contains("no rule behind it gets them"))"')"
expect 2 flow explain dns "$rules" --nic 82599
showed "with one mask for all it would be"
expect 0 flow explain 'udp4 dst-port 53 queues 0-3' --nic X550
showed "chosen by the 2 lowest bits of its source port"
expect 2 flow explain 'udp4 dst-ip 10.0.0.0/8 drop in pf' --nic X710,vfs=2
showed "refused: "
expect 1 flow explain nothing "$rules" --nic 82599
said "no rule of that name or number is in the list of 4"
expect 1 flow explain one --nic 82599
said "a NIC by its name has no rules"
new_host
change flow add ens2f0 --name block udp4 dst-port 53 drop
expect 0 flow explain block --pf ens2f0
showed "location 1: udp4 dst-port 53 -> drop"
expect 1 flow explain other --pf ens2f0
said "in the list of 1"
expect 1 flow explain block
said "say which: --pf PF"

# ---- the worked examples are in the docs as they come out ----
while read -r rule_file options; do
	# shellcheck disable=SC2086
	expect 0 flow check "$repo/examples/rules/$rule_file" $options
	while IFS= read -r line; do
		has "examples/rules/README.md" "$(cat "$repo/examples/rules/README.md")" "$line"
	done < <(out)
done <<'LIST'
edge-82599.rules --nic 82599 --partial
vxlan-82599.rules --nic 82599,vfs=4
dns-82599.rules --nic 82599
LIST

finish
