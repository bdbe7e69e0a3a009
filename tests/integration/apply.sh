#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A list of rules by whole commands: applied, changed, taken over, compared with the NIC; and what becomes of it
# when others change the table, when a driver must see rules again, and when VFs come and go.
# shellcheck source=tests/harness.sh disable=SC2016,SC2119
. "$(dirname "$0")/../harness.sh"

# file NAME <<…: a file of rules
rules=$work/rules
rules_are() { cat >"$rules"; }
# list PF: our rules as they are listed, a line each
list() {
	"$tool" flow list "$1" --json |
		jq -r '.ports[0].list[] | [.name, .owner, .state, (.locations | map(tostring) | join(",")), .rule] | join("|")'
}
table() { "$tool" flow list "$1" --json | jq -r '.ports[0].rules[] | select(.installed) | "\(.loc)|\(.name)|\(.rule)"'; }
others_rule() { # PF LOC PORT QUEUE
	edit_host --arg pf "$1" --argjson loc "$2" --argjson port "$3" --arg cookie "$4" \
		'(.pfs[] | select(.netdev == $pf) | .rules) |= (. + [{loc: $loc, flow: "udp4", value: {pdst: $port},
			mask: {pdst: 65535}, cookie: $cookie}] | sort_by(.loc))'
}

# ---- a file is the list: the first time, again, and changed ----
new_host
rules_are <<'END'
# who gets what
name dns  udp4 dst-port 53 drop
          udp4 dst-port 4789 queue 3
name far  tcp4 dst-port 80 queue 1 loc 100
END
change flow apply "$rules" --pf ens2f0 --owner ops
same "the list" "\
dns|ops|installed|1|flow-type udp4 dst-port 53 drop
rule-1|ops|installed|2|flow-type udp4 dst-port 4789 queue 3
far|ops|installed|100|flow-type tcp4 dst-port 80 queue 1 loc 100" "$(list ens2f0)"
expect 0 flow diff ens2f0
showed "no difference"
expect 0 flow diff ens2f0 "$rules"
before=$(effects)
# another order and other comments: the same rules at the same places, without a kernel write
rules_are <<'END'
          udp4 dst-port 4789 queue 3   # keeps its name
name far  tcp4 dst-port 80 queue 1 loc 100
name dns  udp4 dst-port 53 drop
END
expect 0 flow apply "$rules" --pf ens2f0
is "effects" "$before" "$(effects)"
showed "nothing to do" "only the record changes"
is "names in the new order" "rule-1 far dns" "$(list ens2f0 | cut -d'|' -f1 | paste -sd' ')"
again flow apply "$rules" --pf ens2f0

# a rule that makes room for another goes by its own name
rules_are <<'END'
name solo udp4 dst-ip 10.0.0.1 queue 1
END
expect 0 flow apply "$rules" --pf ens2f0 --dry-run
showed "delete rule dns at location 1" "install rule solo at location 1"

# the smallest change: one goes, one comes, one acts otherwise, the rest is not touched
rules_are <<'END'
          udp4 dst-port 4789 queue 3
name dns  udp4 dst-port 53 queue 2
name new  udp4 dst-port 5353 drop
END
expect 2 flow diff ens2f0 "$rules"
showed "changed" "missing" "extra"
expect 0 flow apply "$rules" --pf ens2f0 --dry-run
showed "delete rule dns at location 1" "delete rule far at location 100" "install rule dns at location 1" \
	"install rule new at location 3"
is "steps" 4 "$(grep -c 'rule .* at location' "$work/out")"
change flow apply "$rules" --pf ens2f0
same "the table" "\
1|dns|udp4 dst-port 53 -> queue 2
2|rule-1|udp4 dst-port 4789 -> queue 3
3|new|udp4 dst-port 5353 -> drop" "$(table ens2f0)"
# adding and deleting work on the same list
change flow add ens2f0 --name late udp4 dst-port 9 drop
change flow delete ens2f0 rule-1
is "the list" "dns new late" "$(list ens2f0 | cut -d'|' -f1 | paste -sd' ')"
: >"$rules"
expect 3 flow apply "$rules" --pf ens2f0
said "the list has no rules, and 3 rules of ours would go" "--force"
change flow apply "$rules" --pf ens2f0 --force
again flow apply "$rules" --pf ens2f0
is "nothing is left" "" "$(table ens2f0)$(list ens2f0)"
over

# ---- errors of a file have their place; nothing is done ----
rules_are <<'END'
name a udp4 dst-port 53 drop
name b udp4 dst-prt 54 drop
END
before=$(cat "$host")
expect 1 flow apply "$rules" --pf ens2f0
said "$rules:2:13" "dst-port"
expect 1 flow apply "$work/no-such-file" --pf ens2f0
said "no-such-file"
rules_are <<'END'
name a udp4 dst-port 53 drop
name b udp4 src-ip 10.0.0.1 dst-port 54 drop
END
expect 1 flow apply "$rules" --pf ens2f0
said "mask"
is "nothing was tried" "$before" "$(cat "$host")"

# ---- without --pf: only one PF can have it, or several, or none ----
new_host
rules_are <<'END'
name six tcp6 dst-port 80 drop
END
expect 0 flow apply "$rules"
is "i40e has IPv6 rules, the others not" "1|six|tcp6 dst-port 80 -> drop" "$(table ens1f0)"
rules_are <<'END'
udp4 dst-port 80 drop
END
expect 1 flow apply "$rules"
said "several PFs can have these rules: ens1f0, ens2f0" "--pf"
rules_are <<'END'
tcp4 dst-port 80 tos 4 drop
END
expect 1 flow apply "$rules"
said "no PF of this host can have these rules"

# ---- optional rules that do not fit, and what is allowed besides exact ----
new_host
rules_are <<'END'
name a  udp4 dst-port 53 drop
name b  tcp4 src-ip 10.0.0.1 drop optional
END
expect 1 flow apply "$rules" --pf ens2f0
expect 0 flow apply "$rules" --pf ens2f0 --partial
showed "note: rule b is left out"
is "left out" "b||left out||flow-type tcp4 src-ip 10.0.0.1 drop optional" "$(list ens2f0 | tail -n 1)"
# it stays so for what comes later
change flow add ens2f0 --name c udp4 dst-port 54 drop
expect 1 flow apply "$rules" --pf ens2f0 --allow sometimes
said "--allow sometimes: not a list of narrower, broader, none, unknown"

# ---- others' rules ----
new_host '(.pfs[] | select(.netdev == "ens2f0")).ntuple = "on"'
others_rule ens2f0 9 53 0x1
rules_are <<'END'
name dns udp4 dst-port 53 queue 1
name web udp4 dst-port 80 queue 2
END
# identical to a wanted one: ours only if that is said, and then without touching it
expect 3 flow apply "$rules" --pf ens2f0
said "rule dns is there already, made by somebody else: location 9" "--adopt"
expect 0 flow apply "$rules" --pf ens2f0 --adopt --dry-run
is "steps" 1 "$(grep -c 'rule .* at location' "$work/out")"
expect 0 flow apply "$rules" --pf ens2f0 --adopt
is "inserts" 1 "$(effects | jq .rule_insert)"
is "deletes" null "$(effects | jq .rule_delete)"
is "it is ours" "dns||installed|9|flow-type udp4 dst-port 53 queue 1" "$(list ens2f0 | head -n 1)"
again flow apply "$rules" --pf ens2f0
# in the way: refused, naming it
others_rule ens2f0 50 443 0x3
expect 1 flow add ens2f0 --name tls udp4 dst-port 443 drop
said "loc 50" "udp4 dst-port 443 -> queue 3"
# and never touched by replacing or deleting ours
: >"$rules"
expect 0 flow apply "$rules" --pf ens2f0 --force
is "what is left" "50||udp4 dst-port 443 -> queue 3" "$(table ens2f0)"
expect 2 flow diff ens2f0
showed "not ours"
over

# taken over, it would bind the list's mask no more, and the next apply would move it: refused
new_host '(.pfs[] | select(.netdev == "ens2f0")).ntuple = "on"'
edit_host '(.pfs[] | select(.netdev == "ens2f0") | .rules) |= [{loc: 7, flow: "tcp4", value: {ip4dst: "10.0.0.2"},
	mask: {ip4dst: "255.255.255.255"}, cookie: "0x0"}]'
echo 'tcp4 dst-ip 10.0.0.0/30 queue 0' >"$rules"
expect 3 flow apply "$rules" --pf ens2f0 --adopt
said "cannot take over location 7 of somebody else as it stands" "ethtool -N ens2f0 delete 7"
is "nothing was done" null "$(effects | jq .rule_insert)"
over

# ---- our place taken by somebody else: told, kept by deleting, refused by restore ----
new_host
expect 0 flow add ens2f0 --name dns udp4 dst-port 53 queue 1
expect 0 flow add ens2f0 --name web udp4 dst-port 80 queue 1
edit_host '(.pfs[] | select(.netdev == "ens2f0") | .rules[0]) |= (.value.pdst = 99)'
expect 2 flow diff ens2f0
showed "changed" "the NIC has: udp4 dst-port 99 -> queue 1"
expect 2 flow diff ens2f0 --json
is "differences" '[[1,"changed","dns"]]' "$(jq -c '[.differences[] | [.loc, .what, .name]]' "$work/out")"
expect 3 restore ens2f0
said "location 1, which is rule dns's, holds something that somebody else put there: udp4 dst-port 99 -> queue 1"
cp "$host" "$work/taken.json"
cp -r "$host.state" "$work/taken.state"
# the next change finds the rule another place
change flow add ens2f0 --name late udp4 dst-port 7 drop
is "dns has moved" "1||udp4 dst-port 99 -> queue 1" "$(table ens2f0 | head -n 1)"
is "dns is there" "dns||installed" "$(list ens2f0 | head -n 1 | cut -d'|' -f1-3)"
expect 0 flow delete ens2f0 --all
is "theirs is left" "1||udp4 dst-port 99 -> queue 1" "$(table ens2f0)"
rm -rf "$host.state"
cp "$work/taken.json" "$host"
cp -r "$work/taken.state" "$host.state"
expect 0 restore ens2f0 --force
is "by force" "1|dns|udp4 dst-port 53 -> queue 1" "$(table ens2f0 | head -n 1)"
over

# ---- guests: by their lease; which is not ended while rules name them ----
new_host
expect 0 vf create ens2f0 --count 4
expect 1 flow add ens2f0 udp4 dst-port 53 guest web1
said "web1" "holds no VF"
expect 0 guest xml web1 --node 1
vf=$(query "SELECT vf FROM lease WHERE guest = 'web1'")
change flow add ens2f0 --name toweb udp4 dst-port 53 guest web1
has "the target" "$(table ens2f0)" "-> vf $vf queue 0"
expect 3 guest detach web1
said "rule toweb of 0000:81:00.0 is about this guest" "flow delete"
expect 0 flow delete ens2f0 toweb
expect 0 guest detach web1
over

# ---- ixgbe: one mask a port: the last rule of the old mask goes before the first of the new one comes ----
new_host
expect 0 flow add ens2f0 --name a udp4 dst-port 53 drop
rules_are <<'END'
name b udp4 src-ip 10.0.0.0/24 dst-port 53 drop
END
change flow apply "$rules" --pf ens2f0
is "another mask" "1|b|udp4 src-ip 10.0.0.0/24 dst-port 53 -> drop" "$(table ens2f0)"
# ---- i40e: the fields that a flow type matches, likewise; what was of another type stays ----
expect 0 flow add ens1f0 --name t tcp4 dst-port 80 drop
expect 0 flow add ens1f0 --name u udp4 dst-port 80 drop
rules_are <<'END'
name t tcp4 dst-port 80 drop
name u udp4 dst-ip 10.0.0.1 dst-port 80 drop
END
change flow apply "$rules" --pf ens1f0
same "another input set" "\
1|t|tcp4 dst-port 80 -> drop
2|u|udp4 dst-ip 10.0.0.1 dst-port 80 -> drop" "$(table ens1f0)"
over

# ---- VFs: rules of i40e that send into a VF are put in again for the new one ----
new_host
expect 0 vf create ens1f0 --count 2
expect 0 flow add ens1f0 --name invf udp4 dst-port 53 in vf 1 queue 2
expect 0 flow add ens1f0 --name plain udp4 dst-port 54 drop
let_land
expect 0 vf delete ens1f0 --dry-run
showed "delete rule invf" "rule invf goes with its VF"
change vf delete ens1f0
is "what is left" "2|plain|udp4 dst-port 54 -> drop" "$(table ens1f0)"
is "the list too" "plain" "$(list ens1f0 | cut -d'|' -f1)"
over

# ---- losses: the driver lies, or the table fills behind our back ----
new_host
expect 0 flow add ens2f0 --name old udp4 dst-port 1 drop
rules_are <<'END'
name a udp4 dst-port 53 drop
name b udp4 dst-port 54 drop
END
before=$(table ens2f0)
deviate '[{"op": "rule_insert", "skip": 1, "times": 1, "lie": true}]'
expect 4 flow apply "$rules" --pf ens2f0
said "the driver accepted rule b, but it is not in the table: location 2"
same "undone" "$before" "$(table ens2f0)"
deviate '[{"op": "rule_insert", "pf": "0000:3b:00.0", "times": 1, "lie": true}]'
expect 4 flow apply "$rules" --pf ens1f0
said "the NIC had no room (i40e reports that asynchronously)"
is "undone" "" "$(table ens1f0)"
deviate '[{"op": "rule_insert", "skip": 1, "times": 1, "errno": "ENOSPC"}]'
expect 4 flow apply "$rules" --pf ens2f0
said "kernel: No space left on device"
deviate '[{"op": "rule_delete", "errno": "EBUSY"}]'
expect 1 flow apply "$rules" --pf ens2f0
same "undone" "$before" "$(table ens2f0)"
deviate '[]'
change flow apply "$rules" --pf ens2f0
over

# ---- what wipes rules ----
expect 0 nic wipes
showed "ixgbe" "ntuple-off" "stale"
expect 0 nic wipes i40e --json
is "events" 7 "$(jq '.events | length' "$work/out")"
expect 1 nic wipes mlx5_core
said "not a driver that is modelled"
