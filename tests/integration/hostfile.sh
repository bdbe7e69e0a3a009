#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# One file for a host by whole commands: planned, applied, applied again, taken back, confirmed or not; drift; several
# PFs of which one fails; guests that hold what would have to change; a file for a host that runs.
# shellcheck source=tests/harness.sh disable=SC2016,SC2119
. "$(dirname "$0")/../harness.sh"

file=$work/host.yaml
file_is() { cat >"$file"; }
# what a user sees of the whole host, and what is recorded of it; without what changes by itself
everything() {
	"$tool" host show --json | jq -S '.pfs | map(.vf //= [] | .rules //= [] | del(.vf[].iommu_group, .carrier, .speed_mbps))'
	records
}
records() {
	[ -e "$host.state/state.db" ] || return 0
	query "SELECT address, replace(intent, ',\"ext\":true', '') FROM pf WHERE intent IS NOT NULL ORDER BY address; SELECT pf, first, last, name FROM pool ORDER BY pf, first; SELECT * FROM physnet_pf ORDER BY pf; SELECT * FROM physnet ORDER BY name"
}
generations() { "$tool" generations --json | jq -r '[.generations[].status] | join(" ")'; }
# applied: the file is applied, and then there is nothing more to do
applied() {
	expect 2 plan -f "$file"
	expect 0 apply -f "$file"
	let_land
	settled
}
settled() {
	local before
	before=$(cat "$host")
	expect 0 plan -f "$file"
	showed "nothing to do"
	expect 0 apply -f "$file"
	showed "nothing to do"
	is "applied twice, no kernel write" "$before" "$(cat "$host")"
	expect 0 status
	showed "the host is as it was made"
}

# ---- the whole of it, on two PFs ----
new_host
expect 0 status
showed "no host file was applied here"
expect 1 rollback
said "no host file was applied here"
expect 1 confirm
said "no generation waits"
file_is <<'END'
version: 1
pfs:
  - match: 0000:81:00.0
    vfs: 4
    mac: auto
    driver: vfio-pci
    vlan: 100
    owner: ops
    vf:
      0-1: {pool: nova, trust: on}
      3:
        vlan: 7:2
        max-rate: 1000
    rules: |
      # who gets what
      name dns udp4 dst-port 53 drop
      name web udp4 dst-port 80 vf 1
  - match: {driver: i40e}
    vfs: 2
physnets:
  red: {pfs: [ens2f0]}
  blue:
    pfs: ['ens1*', '0000:3b:*']
END
before=$(everything)
expect 2 plan -f "$file"
showed "0000:3b:00.0" "  vf 3" "    ~ vf 3: max-rate 1000 Mbit/s" "  rule dns" "    + install rule dns at location 1" \
	"VFs 0-1 go to pool nova" "physnet red: 0000:81:00.0" "nothing was changed"
expect 2 plan -f "$file" --json
is "objects" '["port","vf 0","vf 1","vf 2","vf 3","rule dns","rule web"]' \
	"$(jq -c '[.plans[1].steps[].object] | unique | sort_by(. != "port", .[0:1] != "v", .)' "$work/out")"
digest=$(jq -r .digest "$work/out")
expect 0 apply -f "$file" --dry-run
same "planning changes nothing" "$before" "$(everything)"
expect 3 apply -f "$file" --expect 0123456789abcdef
said "its digest is $digest"
same "nor does a refusal" "$before" "$(everything)"
expect 0 apply -f "$file" --expect "$digest"
showed "done: 20 steps, generation 1"
let_land
settled
is "VLANs" "100 100 100 7" "$(pf_of ens2f0 '[.vf[].attrs.vlan] | join(" ")' | tr -d '"')"
is "the rules' owner" "ops ops" "$("$tool" flow list ens2f0 --json | jq -r '[.ports[0].list[].owner] | join(" ")')"
expect 0 pool show --json
is "pools" '["0-1 nova","2-3 sriovctl"]' "$(jq -c '[.pools[] | select(.pf == "0000:81:00.0") | "\(.vfs) \(.pool)"]' "$work/out")"
expect 0 physnet show --json
is "networks" '["blue 0000:3b:00.0","red 0000:81:00.0"]' "$(jq -c '[.physnets[] | "\(.name) \(.pfs[0].pf)"]' "$work/out")"
over committed committed

# ---- drift: what others change is seen, and brought back ----
edit_host '(.pfs[] | select(.netdev == "ens2f0") | .vf[2].attrs.vlan) = 5 | (.pfs[] | select(.netdev == "ens2f0") | .rules) |= .[1:]'
expect 2 status
showed "vf 2: vlan 100" "install rule dns"
expect 2 status --json
is "steps of the drift" 2 "$(jq '[.plans[].steps[]] | length' "$work/out")"
expect 0 apply -f "$file"
settled
expect 0 vf set ens2f0 2 --spoofchk off
expect 0 pool set ens2f0 0 reserved
expect 0 physnet add red ens2f0 eno1
expect 2 status
showed "changed since by \`sriovctl vf set ens2f0 2 --spoofchk off\`" "VF 0 is in pool reserved, not in nova" \
	"physnet red is not as the generation made it"

# ---- going back: the host and the records as before, and forth again ----
expect 0 rollback 1 --dry-run
showed "delete all 4 VFs" "physnet blue is forgotten"
expect 0 rollback 1 --dry-run --json
digest=$(jq -r .digest "$work/out")
stood=$(everything)
expect 3 rollback 1 --expect 0123456789abcdef
said "its digest is $digest" "not 0123456789abcdef"
same "nothing goes back" "$stood" "$(everything)"
expect 0 rollback 1 --expect "$digest"
let_land
same "as before" "$before" "$(everything)"
expect 0 status
expect 1 rollback 9
said "there is no generation 9"
expect 1 rollback x
said "not the number of a generation"
expect 0 rollback 3 --dry-run
# of the first generation, and of the one that put back what others had changed
expect 0 generations
showed "as before generation 1"
over

# ---- a record that says the same in other words is no drift ----
new_host
file_is <<'END'
version: 1
pfs:
  - match: ens1f0
    rules: |
      name dns udp4 dst-port 53 drop
END
applied
expect 0 restore
expect 0 flow delete ens1f0 no-such-rule
settled

# ---- resizing, keeping what is not said ----
new_host
file_is <<'END'
version: 1
pfs:
  - match: ens2f0
    vfs: 4
    vlan: 100
END
applied
expect 0 vf set ens2f0 1 --trust on
expect 0 flow add ens2f0 --name dns udp4 dst-port 53 vf 1
four=$(everything)
sed -i 's/vfs: 4/vfs: 2/' "$file"
applied
is "what was said of VF 1 stays" "true 100" "$(pf_of ens2f0 '.vf[1] | "\(.attrs.trust) \(.attrs.vlan)"' | tr -d '"')"
is "its rule too" "1" "$(pf_of ens2f0 '.rules | length')"
expect 0 rollback
let_land
same "four again" "$four" "$(everything)"
sed -i '/vlan/d; s/vfs: 2/vfs: 0/' "$file"
applied
is "no VFs" 0 "$(pf_of ens2f0 .vfs.now)"
is "no rule into them" 0 "$(pf_of ens2f0 '.rules | length')"
expect 0 rollback
let_land
same "four again" "$four" "$(everything)"

# ---- a guest holds what would have to change ----
new_host
file_is <<'END'
version: 1
pfs:
  - {match: ens1f0, vfs: 2}
  - {match: ens2f0, vfs: 4, mac: auto}
END
applied
expect 0 guest xml web1 --pf ens2f0
held=$(everything)
sed -i 's/vfs: 2/vfs: 3/; s/vfs: 4/vfs: 5/' "$file"
expect 3 apply -f "$file"
said "ens2f0" "guest web1" "$file:4"
same "nothing was done, on no PF" "$held" "$(everything)"
expect 3 plan -f "$file"
expect 3 rollback
said "guest web1"
sed -i 's/vfs: 3/vfs: 2/; s/vfs: 5, mac: auto/vf: {0-3: {pool: nova}}/' "$file"
expect 3 apply -f "$file"
said "guest web1 holds it"
same "nor a pool" "$held" "$(everything)"
expect 0 guest detach web1
expect 0 rollback
let_land

# ---- the second PF fails: the first is as before, and so are the records ----
new_host
expect 0 vf create ens1f0 --count 2 --vlan 5
expect 0 flow add ens1f0 --name dns udp4 dst-port 53 drop
let_land
file_is <<'END'
version: 1
pfs:
  - match: ens1f0
    vfs: 3
    vlan: 6
    rules: |
      udp4 dst-port 54 drop
  - match: ens2f0
    vfs: 4
    pool: nova
physnets: {red: {pfs: [ens1f0, ens2f0]}}
END
before=$(everything)
for how in '{"op": "numvfs", "pf": "0000:81:00.0", "errno": "ENOMEM"}' '{"op": "numvfs", "pf": "0000:81:00.0", "lie": true}'; do
	deviate "[$how]"
	expect 4 apply -f "$file"
	said "numvfs"
	showed "rolled back"
	deviate '[]'
	let_land
	same "both as before" "$before" "$(everything)"
	is "its journals" "" "$(query "SELECT id FROM journal WHERE generation AND status != 'undone'")"
done
is "generations" "undone undone" "$(generations)"
expect 0 status
showed "no host file was applied here"
# the first fails to go back: it stays open, and the next command on the other one does it
deviate '[{"op": "numvfs", "pf": "0000:81:00.0", "errno": "ENOMEM"}, {"op": "numvfs", "pf": "0000:3b:00.0", "skip": 2, "times": 2, "errno": "EIO"}]'
expect 5 apply -f "$file"
is "generations" "open undone undone" "$(generations)"
expect 0 journal show
showed "incomplete"
deviate '[]'
expect 0 flow delete ens2f0 no-such-rule
let_land
expect 0 flow delete ens1f0 no-such-rule
let_land
same "both as before" "$before" "$(everything)"
is "generations" "undone undone undone" "$(generations)"
applied

# ---- a bridge: part of the change of the PF beside its uplink ----
ovs='{"version": "3.1.0", "dpdk_version": "DPDK 22.11.11", "dpdk": true, "dpdk_init": true, "dpdk_initialized": true,
	"pmd_cpu_mask": "", "bridges": []}'
bridges() { jq -cS '[.ovs.bridges[] | {name, ports: [.ports[].name], flows}]' "$host"; }
pool_of_vf() { query "SELECT name FROM pool WHERE pf = '0000:81:00.0' AND $1 BETWEEN first AND last"; }
whole() { everything && bridges; }
new_host ".ovs = $ovs"
expect 0 vf create ens1f0 --count 1
let_land
file_is <<'END'
version: 1
pfs:
  - match: ens2f0
    vfs: 3
    mac: auto
    spoofchk: on
    pool: nova
    rules: |
      name dns udp4 dst-port 53 drop
physnets:
  red:
    pfs: [ens2f0]
    paths: [vf]
    numa: required
    vswitch: {bridge: br-red, uplink: 'vf:2'}
  blue:
    pfs: [ens1f0, eno1]
    vswitch:
      bridge: br-blue
      uplink: af_packet
      sockets: /run/blue
END
before=$(whole)
expect 2 plan -f "$file"
showed "make VF 2 of ens2f0 the uplink up-red of bridge br-red" "make ens1f0 (af_packet) the uplink up-blue" \
	"VFs 2-2 go to pool uplink" "physnet blue:" "bridge br-blue by up-blue (af_packet)"
# the second of the two bridges fails: neither is left, nor is a VF
deviate '[{"op": "ovs_port_add", "skip": 1, "errno": "EIO"}]'
expect 4 apply -f "$file"
deviate '[]'
let_land
same "both as before" "$before" "$(whole)"
applied
is "its VF" "vfio-pci false true uplink" "$(pf_of ens2f0 '.vf[2] | "\(.driver) \(.attrs.spoofchk) \(.attrs.trust)"' | tr -d '"') $(pool_of_vf 2)"
is "bridges" '["br-blue","br-red"]' "$(jq -cS '[.ovs.bridges[].name] | sort' "$host")"
expect 0 physnet check
over
# as it runs, for another host
expect 0 adopt --print
cp "$work/out" "$work/printed.yaml"
expect 0 apply -f "$work/printed.yaml"
is "steps to what was printed" "" "$(grep '^ *[+-] ' "$work/out" || true)"
expect 0 plan -f "$work/printed.yaml"
showed "nothing to do"
expect 0 apply -f "$file"
# what the file says of guests holds for those that do not say
expect 0 physnet show red
showed "vf; numa required"
expect 1 physnet add red ens2f0 --paths vf,tap
said "tap is no path of all guests of a network"
defined web2 2 "" shared
expect 1 guest attach web2 --net red
said "no free VF on physnet red"
expect 0 guest attach web2 --net red --paths vf,vhostuser --dry-run
showed "make vhost-user port"
expect 0 pool set ens2f0 0 sriovctl
defined web3 3 0 shared
expect 1 guest attach web3 --net red
expect 1 guest attach web3 --net red --trust on
expect 0 guest attach web3 --net red --numa any --dry-run
expect 0 physnet add red ens2f0 --paths vhostuser --numa any
expect 0 guest attach web2 --net red --dry-run
showed "make vhost-user port"
expect 2 status
showed "physnet red is not as the generation made it"
expect 2 plan -f "$file"
showed "physnet red: 0000:81:00.0, bridge br-red by up-red (vf), paths vf, numa required"
expect 0 apply -f "$file"
settled
# drift, and what makes it good
edit_host '.ovs.bridges |= map(if .name == "br-blue" then .ports |= map(select(.name != "up-blue")) else .flows = [] end)'
expect 2 status
showed "make ens1f0 (af_packet) the uplink up-blue" "install the flows of physnet red"
expect 0 apply -f "$file"
let_land
settled
# nobody's guests lose their ports
defined web1 1 "" shared
expect 0 guest attach web1 --net blue --paths vhostuser
let_land
settled
held=$(whole)
cp "$file" "$work/all.yaml"
sed -i '/^  blue:/,$d' "$file"
expect 3 apply -f "$file"
said "blue: guest web1 holds a lease" "its bridge"
sed -e 's#/run/blue#/run/other#' "$work/all.yaml" >"$file"
expect 3 apply -f "$file"
said "guest web1 holds a lease" "$file:18"
sed -e 's/af_packet/af_xdp/' "$work/all.yaml" >"$file"
expect 1 apply -f "$file"
said "has the uplink up-blue (af_packet of" "physnet delete blue first" "$file:18"
expect 3 rollback 2
said "guest web1"
same "nothing was done" "$held" "$(whole)"
expect 0 guest detach web1
# the file forgets them; and back
with=$(whole)
sed '/^physnets/,$d' "$work/all.yaml" >"$file"
echo 'physnets: {}' >>"$file"
applied
is "no bridge" "[]" "$(bridges)"
is "its VF" "false nova" "$(pf_of ens2f0 '.vf[2].attrs.trust') $(pool_of_vf 2)"
expect 0 rollback
let_land
same "with both bridges" "$with" "$(whole)"
# bridges change places: one after the other
sed -e 's/^  blue:/  green:/; s/br-blue/br-green/' "$work/all.yaml" >"$file"
expect 3 apply -f "$file"
said "bridges of two networks" "physnet delete blue first" "$file:18"
sed -e 's/br-red/br/; s/br-blue/br-red/; s/br$/br-blue/' "$work/all.yaml" >"$file"
expect 1 apply -f "$file"
said "it has bridge br-" "physnet delete"
# a file that does not speak of bridges leaves them, and takes PFs away and adds them
sed -e '/vswitch/d; /bridge:/d; /uplink:/d; /sockets:/d; s/, eno1//' "$work/all.yaml" >"$file"
applied
is "one PF" "0000:3b:00.0" "$(query "SELECT pf FROM physnet_pf WHERE physnet = 'blue'")"
sed -i 's/\[ens1f0\]/[eno1]/' "$file"
expect 1 apply -f "$file"
said "has the uplink up-blue"
expect 0 rollback 2
let_land
same "as before all of it" "$before" "$(whole)"
over

# ---- confirming ----
new_host
file_is <<'END'
version: 1
pfs: [{match: ens2f0, vfs: 2}]
physnets: {red: {pfs: [ens2f0]}}
END
before=$(everything)
expect 0 apply -f "$file" --confirm 60
showed "sriovctl confirm"
expect 0 status
showed "it waits to be confirmed"
sed -i 's/vfs: 2/vfs: 3/' "$file"
expect 3 apply -f "$file"
said "generation 1 waits to be confirmed"
expect 0 confirm
showed "generation 1 stays"
is "generations" committed "$(generations)"
applied
expect 0 rollback 1
let_land
same "as before" "$before" "$(everything)"
# taken back by itself, though nobody is there any more: the session is gone, its processes were told to go
sed -i 's/vfs: 3/vfs: 4/' "$file"
setsid bash -c '"$0" apply -f "$1" --confirm 8 >/dev/null; kill -HUP 0' "$tool" "$file" || true
is "it stands" 4 "$(pf_of ens2f0 .vfs.now)"
for ((i = 0; i < 600; i++)); do
	[ "$("$tool" generations --json | jq -r '.generations[0].why')" != "" ] && break
	sleep 0.1
done
let_land
same "as before" "$before" "$(everything)"
expect 0 generations
showed "not confirmed in time" "undone"
# each has its own watcher: that of one that was confirmed leaves the next alone, and two that are late take it back once
sed -i 's/vfs: 4/vfs: 2/' "$file"
expect 0 apply -f "$file" --confirm 8
expect 0 confirm
let_land
made=$(jq length <<<"$("$tool" generations --json | jq .generations)")
sed -i 's/vfs: 2/vfs: 3/' "$file"
expect 0 apply -f "$file" --confirm 12
with flock
(
	flock 9
	sleep 14
) 9>>"$host.state/pf-0000:81:00.0.lock"
for ((i = 0; i < 600; i++)); do
	[ "$(generations | cut -d' ' -f2)" != undone ] || break
	sleep 0.1
done
sleep 1
is "taken back once" "$((made + 2)) committed undone" "$("$tool" generations --json | jq -r '"\(.generations | length) \(.generations[0].status) \(.generations[1].status)"')"
let_land
is "as it was confirmed" 2 "$(pf_of ens2f0 .vfs.now)"
# its time begins when it stands, however long that took
with strace
sed -i 's/vfs: 3/vfs: 4/' "$file"
strace -qq -o "$work/calls" -e trace=fdatasync -e inject=fdatasync:delay_exit=3000000 "$release" apply -f "$file" --confirm 6 >/dev/null
between "syncs, of 3 seconds each" 3 99 "$(grep -c fdatasync "$work/calls")"
expect 0 confirm
let_land
sed -i 's/vfs: 4/vfs: 3/' "$file"
# one that is confirmed while its watcher waits for the PF stays
expect 0 apply -f "$file" --confirm 8
exec 9>>"$host.state/pf-0000:81:00.0.lock"
flock 9
sleep 10
expect 0 confirm
exec 9>&-
sleep 2
is "it stays" committed "$(generations | cut -d' ' -f1)"
is "with its VFs" 3 "$(pf_of ens2f0 .vfs.now)"
let_land
expect 0 rollback 1 --force
let_land
sed -i 's/vfs: 3/vfs: 4/' "$file"
same "as before" "$before" "$(everything)"
# a host that is started again meanwhile: restore does not bring back what nobody confirmed
expect 0 vf create ens1f0 --count 1
let_land
before=$(everything)
expect 0 apply -f "$file" --confirm 600
edit_host '.boot_id = "11111111-2222-3333-4444-555555555555" | .pfs |= map(.vfs.now = 0 | .vf = [] | .rules = [] | del(.nic))'
expect 0 restore
let_land
same "as before" "$(sed 's/"autoprobe":[a-z]*//g' <<<"$before")" "$(everything | sed 's/"autoprobe":[a-z]*//g')"
is "it is over" undone "$(generations | cut -d' ' -f1)"

# ---- what commands add is no drift; what they change that the file leaves as it is, the next apply takes over ----
new_host
expect 0 vf create ens2f0 --count 2 --spoofchk off
let_land
file_is <<'END'
version: 1
pfs: [{match: ens2f0, vfs: 2, vlan: 5}]
END
applied
expect 0 vf set ens2f0 0 --trust on
expect 0 flow add ens2f0 --name dns udp4 dst-port 53 drop
settled
expect 0 flow delete ens2f0 dns
settled
sed -i 's/vlan: 5/vlan: 5, trust: on/' "$file"
applied
sed -i 's/, trust: on//' "$file"
settled
expect 0 vf set ens2f0 0 --spoofchk on
expect 2 status
showed "vf 0: spoofchk off" "the steps above would bring it back"
expect 2 plan -f "$file"
showed "as commands have made it since generation 2, which the file leaves as it is" "0 steps"
expect 0 apply -f "$file"
settled
# what only records say is not called a step
expect 0 physnet add red ens2f0
printf 'physnets: {red: {pfs: [ens2f0]}}\n' >>"$file"
expect 0 apply -f "$file" --dry-run
expect 0 vf set ens2f0 0 --vlan 6
edit_host '(.pfs[] | select(.netdev == "ens2f0") | .vf[0].attrs.vlan) = 5'
expect 2 status
showed "changed since by" "the host is not as it was made" "sriovctl rollback"
expect 0 vf set ens2f0 0 --vlan 5
settled

# ---- a PF that has gone: said, and no reason to say nothing of the others ----
new_host
file_is <<'END'
version: 1
pfs: [{match: ens2f0, vfs: 1, vlan: 5}, {match: ens1f0, vfs: 1}]
END
before=$(everything)
applied
there=$(cat "$host")
edit_host '.pfs |= map(select(.netdev != "ens1f0"))'
expect 2 status
showed "0000:3b:00.0: not on this host any more" "the host is not as it was made"
edit_host '(.pfs[] | select(.netdev == "ens2f0") | .vf[0].attrs.vlan) = 7'
expect 2 status
showed "0000:3b:00.0: not on this host any more" "vf 0: vlan 5"
held=$(everything)
expect 3 rollback
said "0000:3b:00.0" "not on this host any more" "--force"
same "nothing was done" "$held" "$(everything)"
expect 0 rollback --force --dry-run
showed "0000:3b:00.0: not on this host, and left as it is recorded" "delete all 1 VFs"
expect 0 rollback --force
is "VFs of the other" 0 "$(pf_of ens2f0 .vfs.now)"
is "its record" 1 "$(query "SELECT count(*) FROM pf WHERE address = '0000:3b:00.0' AND intent LIKE '%\"count\":1%'")"
# with the card back all of it goes back
echo "$there" | jq '(.pfs[] | select(.netdev == "ens2f0")) |= (.vfs.now = 0 | .vf = [])' >"$host"
expect 0 rollback 1
let_land
same "as before" "$before" "$(everything)"
# nobody is asked when a deadline is over: the others go back
applied
sed -i 's/vlan: 5/vlan: 6/; s/ens1f0, vfs: 1/ens1f0, vfs: 2/' "$file"
expect 0 apply -f "$file" --confirm 8
edit_host '.pfs |= map(select(.netdev != "ens1f0"))'
for ((i = 0; i < 600; i++)); do
	[ "$(generations | cut -d' ' -f2)" != undone ] || break
	sleep 0.1
done
is "generations" "committed undone" "$(generations | cut -d' ' -f1,2)"
is "VLAN" 5 "$(pf_of ens2f0 '.vf[0].attrs.vlan')"

# ---- a file for a running host ----
for host_file in "$repo/examples/hosts/two-node.json" "$repo/examples/hosts/one-node-x710.json"; do
	example=$host_file new_host
	if [ "$host_file" = "$repo/examples/hosts/two-node.json" ]; then
		expect 0 vf create ens2f0 --count 4 --mac auto --vlan 100 --max-rate 700 --driver vfio-pci
		expect 0 vf set ens2f0 2 --mac 02:00:5e:10:00:01 --vlan 5:3
		expect 0 flow add ens2f0 --name dns udp4 dst-port 53 drop
		expect 0 pool set ens2f0 1-2 nova
		expect 0 physnet add red ens2f0
		let_land
	fi
	before=$(everything)
	expect 0 adopt --print
	cp "$work/out" "$file"
	same "printing changes nothing" "$before" "$(everything)"
	expect 0 adopt
	expect 0 adopt --print
	cp "$work/out" "$file"
	expect 0 plan -f "$file"
	showed "nothing to do"
done

# ---- random edits: applied, nothing is left to do; taken back, it is as before ----
new_host
RANDOM=${SEED:-1}
pick() { local i=$((RANDOM % $#)); shift $i; printf '%s' "$1"; }
chance() { ((RANDOM % 100 < $1)); }
random_pf() { # MATCH MAX-VFS TARGETS
	local vfs=$((RANDOM % $2)) i
	echo "  - match: $1"
	echo "    vfs: $vfs"
	chance 50 && echo "    vlan: $(pick 0 5 100 7:2)"
	chance 40 && echo "    trust: $(pick on off)"
	chance 40 && echo "    mac: auto"
	chance 40 && echo "    driver: $(pick vfio-pci default none)"
	chance 30 && echo "    pool: $(pick nova reserved sriovctl)"
	if ((vfs > 1)) && chance 60; then
		echo "    vf:"
		echo "      0-$((vfs / 2)): {vlan: $(pick 8 9), spoofchk: $(pick on off), pool: $(pick uplink nova)}"
	fi
	chance 30 && return
	echo "    rules: |"
	for ((i = 0; i < RANDOM % 6; i++)); do
		echo "      name r$i udp4 dst-port $((1000 + RANDOM % 50 * 10 + i)) $(pick drop "queue $((RANDOM % 2))")"
	done
	((vfs == 0)) || echo "      name v udp4 dst-port 9 $3"
	echo "      # end"
}
history=0
for ((round = 1; round <= ${ROUNDS:-12}; round++)); do
	before=$(everything)
	{
		echo "version: 1"
		echo "pfs:"
		random_pf ens2f0 6 "vf 0"
		chance 70 && random_pf "'ens1*'" 5 drop
		chance 60 && echo "physnets: {$(pick red green): {pfs: [$(pick ens2f0 ens1f0)]}}"
		true
	} >"$file"
	expect 0 apply -f "$file"
	[ "$status" = 0 ] || cat "$file"
	let_land
	made=$(jq -r '.generations[0].id // 0' <<<"$("$tool" generations --json)")
	settled
	[ "$made" != "$history" ] || continue
	after=$(everything)
	expect 0 rollback
	let_land
	same "round $round: as before" "$before" "$(everything)"
	if chance 70; then
		expect 0 rollback
		let_land
		same "round $round: as after" "$after" "$(everything)"
	fi
	history=$(jq -r '.generations[0].id // 0' <<<"$("$tool" generations --json)")
done
over
