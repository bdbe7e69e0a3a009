#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# libvirt's hook on the simulated host: the captured input of libvirt 9.0.0, in every order in which libvirt calls, and
# what must not be: hostile XML, a busy PF, a deadline, two guests at once.
# shellcheck source=tests/harness.sh disable=SC2016,SC2119,SC2154
. "$(dirname "$0")/../harness.sh"
corpus=$repo/tests/fuzz/corpus/domxml
rules=$work/guests.d
mkdir -m 755 "$rules"
uuid=6f1c2b5e-0000-4000-8000-000000000011
guest=instance-00000011

# input FILE VF [SED-SCRIPT]: that domain with VF N of ens2f0
input() {
	local slot function
	slot=$((0x10 + $2 * 2 / 8)) function=$(($2 * 2 % 8))
	sed -e "s/domain='0x0000' bus='0x3b' slot='0x02' function='0x3'/domain='0x0000' bus='0x81' slot='0x$(printf %x $slot)' function='0x$function'/" \
		-e "${3-}" "$corpus/$1.xml"
}

# hook STATUS OPERATION [OPTION…]: as libvirt calls it, with $work/domain.xml
hook() {
	local wanted=$1 op=$2 sub=begin
	shift 2
	case $op in stopped | release) sub=end ;; esac
	command="hook libvirt $* -- $guest $op $sub -" status=0
	"$tool" hook libvirt --rules-dir "$rules" "$@" -- "$guest" "$op" "$sub" - \
		<"$work/domain.xml" >"$work/out" 2>"$work/err" || status=$?
	is "status of $op" "$wanted" "$status"
	case $op in
	migrate | restore) ;;
	*) is "standard output of $op" '' "$(out)" ;;
	esac
}
lease() { query "SELECT guest, uuid, state, pf, vf, mac, vlan FROM lease WHERE vf = 3"; }
attr() { pf_of ens2f0 ".vf[${2-3}].attrs.$1"; }
table() { pf_of ens2f0 '[.rules[]? | .loc] | length'; }
# what libvirt does between its hooks: MAC and VLAN of the domain, and back
libvirt_sets() { edit_host '(.pfs[] | select(.netdev == "ens2f0") | .vf[3].attrs) += {mac: "22:52:25:62:e2:aa", vlan: 101}'; }
libvirt_restores() { edit_host --argjson was "$1" '(.pfs[] | select(.netdev == "ens2f0") | .vf[3].attrs) += {mac: $was.mac, vlan: $was.vlan}'; }

ready() {
	new_host
	expect 0 vf create ens2f0 --count 8 --mac auto
	let_land
	input hook-prepare 3 >"$work/domain.xml"
}

# ---- a guest without anything of ours: not a file is touched ----

new_host
sed "/<interface/,/<\/interface>/d" "$corpus/hook-prepare.xml" >"$work/domain.xml"
before=$(world)
for op in prepare start started reconnect stopped release migrate restore attach; do hook 0 $op; done
is "the world" "$before" "$(world)"
# nor one with a device that is no VF of this host
cp "$corpus/hook-prepare.xml" "$work/domain.xml"
for op in prepare start started reconnect stopped release; do hook 0 $op; done
is "the world" "$before" "$(world)"

# ---- a whole life: adopted, attributes, rules, and all of it given back ----

ready
expect 0 vf set ens2f0 3 --trust on --max-rate 500 --spoofchk off
expect 0 vf set ens2f0 3 --trust off --max-rate 0 --spoofchk on
expect 0 guest list
showed "no guest"
hook 0 prepare
is "the lease" "$guest|$uuid|adopted|0000:81:00.0|3|22:52:25:62:e2:aa|101" "$(lease)"
hook 0 prepare
is "leases" 1 "$(query 'SELECT count(*) FROM lease')"
hook 0 stopped
is "the lease after a start that another hook refused" ending "$(query 'SELECT state FROM lease')"
hook 0 release
is "leases" 0 "$(query 'SELECT count(*) FROM lease')"
over

# trust and rate as intended while it runs; what a driver reload or somebody else made of them comes right
ready
expect 0 vf set ens2f0 3 --trust on --max-rate 500 --vlan 101:3
as_meant=$(pf_of ens2f0 '.vf[3].attrs')
edit_host '(.pfs[] | select(.netdev == "ens2f0") | .vf[3].attrs) += {trust: false, max_rate: 0, qos: 0}'
hook 0 prepare
libvirt_sets
hook 0 start
is "trust" true "$(attr trust)"
is "rate" 500 "$(attr max_rate)"
is "the VLAN's priority, on libvirt's VLAN" "101 3" "$(attr vlan) $(attr qos)"
is "MAC" '"22:52:25:62:e2:aa"' "$(attr mac)"
hook 0 started
is "nothing to say" '' "$(err)"
edit_host '(.pfs[] | select(.netdev == "ens2f0") | .vf[3].attrs.trust) = false'
hook 0 started
said "lacks what its start has set" "trust on"
is "started changes nothing" false "$(attr trust)"
hook 0 reconnect
is "reconnect repairs" true "$(attr trust)"
input hook-release 3 >"$work/domain.xml"
hook 0 stopped
is "trust is as it was found" false "$(attr trust)"
is "rate" 0 "$(attr max_rate)"
is "MAC is still libvirt's" '"22:52:25:62:e2:aa"' "$(attr mac)"
edit_host '(.pfs[] | select(.netdev == "ens2f0") | .vf[3].attrs) += {mac: "00:00:00:00:00:00", vlan: 0, qos: 0}'
hook 0 release
is "MAC as intended" "$(jq .mac <<<"$as_meant")" "$(attr mac)"
is "VLAN as intended" "101 3" "$(attr vlan) $(attr qos)"
is "leases" 0 "$(query 'SELECT count(*) FROM lease')"
# the intent has not forgotten what a guest shall have
hook 0 prepare
hook 0 start
is "trust" true "$(attr trust)"
hook 0 stopped
hook 0 release
over

# ---- rules: of the flavor, of files, of the list ----

ready
spec() {
	input "${2-hook-prepare}" 3 "s|<nova:extraSpec name=\"hw:mem_page_size\">|<nova:extraSpec name=\"sriovctl:flows\">$1</nova:extraSpec>&|" >"$work/domain.xml"
}
spec 'udp4 dst-port 4789 guest self ; name second udp4 dst-port 4790 guest self queue 1'
expect 0 flow add ens2f0 --name keep udp4 dst-port 53 vf 1
hook 0 prepare
is "rules before the start" 1 "$(table)"
hook 0 start
is "rules" 3 "$(table)"
is "where they send" '["0x200000000","0x400000000","0x400000001"]' "$(pf_of ens2f0 '[.rules[].cookie] | sort')"
expect 0 flow list ens2f0
showed "$guest/second" "guest $uuid"
hook 0 start
is "rules" 3 "$(table)"
hook 0 stopped
is "rules" 1 "$(table)"
hook 0 release
expect 0 flow list ens2f0 --json
is "what is recorded" keep "$(jq -r '[.. | .name? // empty] | unique | join(" ")' "$work/out")"

# of files: by port, UUID, name, flavor, project; "self" is the guest
input hook-prepare 3 >"$work/domain.xml"
n=1000
for of in dc065497-3c8d-4f44-8fb4-e1d33c16a536 $uuid $guest m1.dpdk bbbbbbbb-1111-4111-8111-bbbbbbbbbbbb; do
	n=$((n + 1))
	echo "udp4 dst-port $n guest self" >"$rules/$of.flows"
done
hook 0 prepare
hook 0 start
is "rules" 6 "$(table)"
hook 0 stopped
hook 0 release
is "rules" 1 "$(table)"
rm "$rules"/*.flows

# names from the XML are other people's text
echo "udp4 dst-port 1001 guest self" >"$work/evil.flows"
for name in '../evil' '..' '.hidden' '/etc/passwd' 'a/../../evil' ''; do
	input hook-prepare 3 "s|flavor name=\"m1.dpdk\"|flavor name=\"$name\"|" >"$work/domain.xml"
	hook 0 start
	is "rules with flavor '$name'" 1 "$(table)"
	hook 0 stopped
	hook 0 release
done
input hook-prepare 3 >"$work/domain.xml"
ln -s "$work/evil.flows" "$rules/m1.dpdk.flows"
hook 1 start
said "m1.dpdk.flows"
rm "$rules/m1.dpdk.flows"
cp "$work/evil.flows" "$rules/m1.dpdk.flows"
chmod o+w "$rules/m1.dpdk.flows"
hook 1 start
said "others than root may write it"
chmod o-w "$rules/m1.dpdk.flows"
chmod g+w "$rules"
hook 1 start
said "guests.d" "others than root may write it"
chmod g-w "$rules"
echo "udp4 dst-port 99999 guest self" >"$rules/m1.dpdk.flows"
hook 1 start
said "m1.dpdk.flows:1"
rm "$rules/m1.dpdk.flows"
hook 0 stopped
hook 0 release

# a flavor's rules are about its guest, and nobody else
for words in 'udp4 dst-port 1 vf 0' 'udp4 dst-port 1 drop' 'udp4 dst-port 1 guest other' 'udp4 dst-port 1 queue 0'; do
	spec "$words"
	hook 1 start
	said "not about this guest"
done
hook 0 stopped
hook 0 release
is "rules" 1 "$(table)"

# many rules: in words the journal keeps the first steps, the others in its states
input hook-prepare 3 >"$work/domain.xml"
for ((i = 0; i < 60; i++)); do echo "udp4 dst-port $((2000 + i)) guest self"; done >"$rules/m1.dpdk.flows"
for turn in 1 2; do
	hook 0 prepare
	hook 0 start
	is "rules, turn $turn" 61 "$(table)"
	is "the journal" '60|21|and 40 more' "$(query "SELECT steps, json_array_length(plan), json_extract(plan, '\$[20]') FROM journal JOIN journal_text USING (id) ORDER BY id DESC LIMIT 1")"
	is "whose they are" '60|1' "$(jq -r '[.list[] | select(.rule | contains("guest"))] | "\(length)|\(map(.owner | strings) | length)"' <<<"$(query 'SELECT intent FROM pf')")"
	hook 0 started
	is "nothing is missing" "" "$(cat "$work/err")"
	expect 0 flow diff ens2f0
	hook 0 stopped
	is "rules" 1 "$(table)"
	hook 0 release
done
rm "$rules/m1.dpdk.flows"

# two guests whose rules match the same packets: the first may not have what is the second's; told where it may be so
two() { # FILE-OF-GUEST-1 FILE-OF-GUEST-2 RULE [RULE]: both start, as far as they can
	rm -f "$rules"/*.flows
	echo "$3" >"$rules/$1.flows"
	echo "${4-$3}" >"$rules/$2.flows"
	hook 0 prepare
	hook 0 start
	is "the first has nothing to say" '' "$(err)"
}
second() { # DEVICE-OF-GUEST-2 STATUS
	cp "$work/domain.xml" "$work/first.xml"
	sed "s/$guest/other/; s/$uuid/6f1c2b5e-0000-4000-8000-000000000099/; s/e2:aa/e2:bb/; s#\(<address type='pci' domain='0x0000'\) bus='0x\(81\|3b\)' slot='0x[01][02]' function='0x[36]'#\1 $1#" "$work/first.xml" >"$work/domain.xml"
	ours=$guest guest=other
	hook 0 prepare
	hook "$2" start
}
both_end() {
	hook 0 stopped
	hook 0 release
	guest=$ours
	cp "$work/first.xml" "$work/domain.xml"
	hook 0 stopped
	hook 0 release
	is "rules" 0 "$(table)"
}
other_vf="bus='0x81' slot='0x11' function='0x0'"
ready
two m1.dpdk m1.dpdk 'udp4 dst-port 4789 guest self queue 1'
second "$other_vf" 1
said "no packet would come to its rule" "of guest $uuid takes them before" "in guest self"
hook 0 started
said "no packet would come to its rule"
is "rules" 1 "$(table)"
both_end
two m1.dpdk m1.dpdk 'udp4 dst-port 4789 guest self queue 1 optional'
second "$other_vf" 0
said "no packet comes to rule" "of other"
hook 0 started
said "no packet comes to rule" "of other"
both_end
# the guest's own, more particular rules come before its flavor's, and that is no news
two $guest m1.dpdk 'udp4 dst-port 4789 guest self queue 1' 'udp4 dst-port 4789 guest self'
hook 0 started
is "nothing to say" '' "$(err)"
hook 0 stopped
hook 0 release
# those of the operator's list come before all of them
expect 0 flow add ens2f0 --name tunnels udp4 dst-port 4789 queue 0
rm "$rules"/*.flows
echo 'udp4 dst-port 4789 guest self' >"$rules/$guest.flows"
hook 0 prepare
hook 0 start
said "no packet comes to rule" "rule tunnels takes them before"
hook 0 started
said "rule tunnels takes them before"
hook 0 stopped
hook 0 release
expect 0 flow delete ens2f0 tunnels
# what is left out because it fits into no entry is told too
echo 'name kept udp4 dst-port 53 drop' >"$work/list.rules"
expect 0 flow apply --pf ens2f0 "$work/list.rules" --partial
echo 'udp4 dst-ip 10.0.0.7 dst-port 4789 guest self optional' >"$rules/$guest.flows"
hook 0 prepare
hook 0 start
said "is left out: an 82599-family port has one mask"
hook 0 started
said "is left out: an 82599-family port has one mask"
hook 0 stopped
hook 0 release
expect 0 flow delete ens2f0 --all
rm "$rules"/*.flows

# names of guests and rules that do not fit into one, or not into its letters
ready
long=tunnel-endpoint-of-a-customer-with-a-very-long-name-000
printf 'name tunnel-endpoint-customer-000%s udp4 dst-port 400%s guest self\n' 1 1 2 2 >"$rules/$uuid.flows"
printf "name $long%s udp4 dst-port 500%s guest self\n" 1 1 2 2 >>"$rules/$uuid.flows"
plain=$guest
for guest in "$plain" "a-guest-with-a-name-of-forty-letters-01" '7 Gäste & co'; do
	input hook-prepare 3 "s/$plain/${guest//&/\\&amp;}/" >"$work/domain.xml"
	hook 0 prepare
	hook 0 start
	hook 0 started
	is "nothing is missing" '' "$(err)"
	is "rules of $guest" 4 "$(table)"
	expect 0 flow diff ens2f0
	is "their names" 4 "$(jq -r '.list[].rule' <<<"$(query 'SELECT intent FROM pf')" | grep -oE '^name [A-Za-z0-9_./:-]{1,63} ' | sort -u | wc -l)"
	hook 0 stopped
	hook 0 release
	is "rules" 0 "$(table)"
done
guest=$plain
rm "$rules"/*.flows

# the examples for Nova, with two guests of a flavor: by scope on an 82599, by address on any
ready
install -m 644 "$repo/examples/nova/guests.d/m1.dpdk.flows" "$rules"
input hook-prepare 3 >"$work/domain.xml"
hook 0 prepare
hook 0 start
second "$other_vf" 0
is "nothing to say" '' "$(err)"
is "rules" 2 "$(table)"
both_end
rm "$rules"/*.flows
expect 0 vf create ens1f0 --count 8 --mac auto
let_land
by_port=$(sed -n 's/^    \(flow-type .*\)/\1/p' "$repo/examples/nova/README.md")
for pf in ens2f0 ens1f0; do
	[ $pf = ens2f0 ] || other_vf="bus='0x3b' slot='0x02' function='0x4'"
	[ $pf = ens2f0 ] || cp "$corpus/hook-prepare.xml" "$work/domain.xml"
	expect 0 flow add $pf --name other udp4 dst-ip 10.9.9.9 dst-port 53 drop
	two dc065497-3c8d-4f44-8fb4-e1d33c16a536 other "$by_port" "${by_port/10.0.0.7/10.0.0.8}"
	sed -i "s/dc065497-3c8d/dc065497-ffff/" "$work/domain.xml"
	second "$other_vf" 0
	is "nothing to say" '' "$(err)"
	is "rules of guests on $pf" 2 "$(pf_of $pf '[.rules[].cookie | select(startswith("0x") and . != "0xffffffffffffffff")] | length')"
	expect 0 flow diff $pf
	hook 0 stopped
	hook 0 release
	guest=$ours
	cp "$work/first.xml" "$work/domain.xml"
	hook 0 stopped
	hook 0 release
done
rm "$rules"/*.flows

# rules of the list that name the guest come and go with it, and stay in the list
ready
expect 1 flow add ens2f0 --name web udp4 dst-port 80 guest "$guest"
hook 0 prepare
expect 0 flow add ens2f0 --name web udp4 dst-port 80 guest "$guest"
expect 0 flow add ens2f0 --name dns udp4 dst-port 53 vf 1
is "rules" 2 "$(table)"
hook 0 start
is "rules" 2 "$(table)"
hook 0 stopped
is "rules" 1 "$(table)"
expect 0 flow add ens2f0 --name ntp udp4 dst-port 123 vf 1
is "others come while it waits" 2 "$(table)"
hook 0 release
expect 0 flow delete ens2f0 ntp
is "and go" 1 "$(table)"
hook 0 prepare
hook 0 start
is "it is back" 2 "$(table)"
expect 0 flow diff ens2f0
hook 0 stopped
hook 0 release
is "and out" 1 "$(table)"
over

# ---- a lease of ours: back to reserved, its rules out, its attributes as found ----

ready
defined "$guest" 17
expect 0 guest attach "$guest" --pf ens2f0 --trust on
index=$(query 'SELECT vf FROM lease')
expect 0 flow add ens2f0 --name web udp4 dst-port 80 guest "$guest"
input hook-prepare "$index" >"$work/domain.xml"
for turn in 1 2; do
	hook 0 prepare
	is "the state before the start, turn $turn" reserved "$(query 'SELECT state FROM lease')"
	hook 0 start
	is "the state" active "$(query 'SELECT state FROM lease')"
	is "trust" true "$(attr trust "$index")"
	is "rules" 1 "$(table)"
	hook 0 stopped
	is "trust" false "$(attr trust "$index")"
	is "rules" 0 "$(table)"
	hook 0 release
	is "the state" "reserved" "$(query 'SELECT state FROM lease')"
	is "the generation" $((turn + 1)) "$(query 'SELECT generation FROM lease')"
done

# ---- a VF of somebody else's ----

input hook-prepare "$index" "s/$guest/another/; s/$uuid/6f1c2b5e-0000-4000-8000-000000000099/" >"$work/domain.xml"
ours=$guest guest=another
before=$(world)
hook 3 prepare
said "is leased to $ours" "guest detach"
# libvirt calls these after a refusal too: nothing of the other's is undone
hook 0 stopped
hook 0 release
is "the world" "$before" "$(world)"
hook 3 start
hook 0 reconnect
said "is leased to $ours"
guest=$ours
# a lease that nobody holds any more gives way
edit_host '.domains = []'
guest=another
hook 0 prepare
is "the lease" another "$(query 'SELECT guest FROM lease')"
guest=$ours

# ---- policies ----

ready
for said_node in 's|<memory unit|<numatune><memory mode="strict" nodeset="0"/></numatune>&|' \
	's|<memory unit|<numatune><memory mode="strict" nodeset="0-1"/><memnode cellid="0" mode="strict" nodeset="0"/></numatune>&|' \
	's|<memory unit|<cputune><vcpupin vcpu="0" cpuset="0-1"/></cputune>&|'; do
	input hook-prepare 3 "$said_node" >"$work/domain.xml"
	hook 0 prepare
	said "is bound to node 0, and its VF 3 of ens2f0 is on node 1"
	hook 0 release
	hook 3 prepare --numa-policy enforce
	said "is bound to node 0" "give it a VF of node 0"
	is "leases" 0 "$(query 'SELECT count(*) FROM lease')"
done
input hook-prepare 3 >"$work/domain.xml"
hook 0 prepare --numa-policy enforce
hook 0 release

# a PF that another command holds: two seconds, then as the host says
with flock
exec 9>"$host.state/pf-0000:81:00.0.lock"
flock 9
began=$EPOCHREALTIME
hook 3 prepare 9>&-
between "milliseconds" 1900 4500 $(((${EPOCHREALTIME/./} - ${began/./}) / 1000))
said "another change of this PF runs"
hook 0 prepare --busy allow 9>&-
said "goes on without what is ours"
hook 3 start 9>&-
hook 0 stopped 9>&-
hook 0 reconnect 9>&-
said "another change of this PF runs"
exec 9>&-
hook 0 start
hook 0 stopped
hook 0 release

# the deadline: whatever it hangs on, here an input that does not end
mkfifo "$work/endless"
exec 8<>"$work/endless"
for op in prepare:1 stopped:0 reconnect:0; do
	began=$EPOCHREALTIME status=0
	"$tool" hook libvirt -- "$guest" "${op%:*}" begin - <"$work/endless" >"$work/out" 2>"$work/err" 8>&- || status=$?
	is "the status of ${op%:*}" "${op#*:}" "$status"
	between "milliseconds" 4500 7000 $(((${EPOCHREALTIME/./} - ${began/./}) / 1000))
	said "not done within 5 seconds"
done
exec 8>&-

# ---- hostile XML: refused where that stops a start, and never elsewhere ----

hostile() {
	local before
	before=$(world)
	hook 1 prepare
	said "domain XML"
	hook 0 stopped
	hook 0 reconnect
	is "the world" "$before" "$(world)"
}
: >"$work/domain.xml" && hostile
head -c 1000 "$corpus/hook-prepare.xml" >"$work/domain.xml" && hostile
cp "$corpus/doctype.xml" "$work/domain.xml" && hostile
printf '<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;">]><domain><name>&b;</name></domain>' >"$work/domain.xml" && hostile
{ printf '<domain>' && printf '<a>%.0s' $(seq 100000); } >"$work/domain.xml" && hostile
{ input hook-prepare 3 '/<\/devices>/,$d' && for ((i = 0; i < 300; i++)); do
	echo "<hostdev type='pci'><source><address bus='0x81' slot='0x10' function='0x6'/></source></hostdev>"
done && echo '</devices></domain>'; } >"$work/domain.xml" && hostile
head -c 2000000 /dev/zero | tr '\0' ' ' >"$work/domain.xml"
hook 1 prepare
said "cannot be read"
hook 0 reconnect
# the domain of another guest
input hook-prepare 3 "s/<name>$guest/<name>other/" >"$work/domain.xml"
hook 1 prepare
said "the domain on standard input is other"

# a hook that cannot even begin never ends a running guest
input hook-prepare 3 >"$work/domain.xml"
SRIOVCTL_HOST=/nonexistent/host.json hook 0 reconnect
SRIOVCTL_HOST=/nonexistent/host.json hook 0 started
SRIOVCTL_HOST=/nonexistent/host.json hook 1 prepare

# libvirt gives four words: with fewer a person has called, who is told; whatever a script has wrong, reconnect ends 0
expect 1 hook libvirt
expect 1 hook libvirt -- "$guest" prepare
said "usage"
expect 1 hook libvirt "$guest" stopped end
expect 1 hook libvirt --nosuch -- "$guest" start begin -
expect 0 hook libvirt --nosuch -- "$guest" reconnect begin -
expect 0 hook libvirt --numa-policy maybe "$guest" stopped end -
said "maybe"

# ---- a guest from another host ----

ready
input hook-prepare 3 >"$work/domain.xml"
hook 0 restore
is "a VF that is free here stays" '' "$(out)"
is "its lease" "adopted" "$(query 'SELECT state FROM lease WHERE vf = 3')"
hook 0 restore
is "asked again" '' "$(out)"
hook 0 release
# taken: another one of the same PF, and not one other byte
defined other 5
expect 0 guest attach other --pf ens2f0
taken=$(query 'SELECT vf FROM lease')
input hook-prepare "$taken" >"$work/domain.xml"
hook 0 migrate
is "lines that differ" 1 "$(diff "$work/domain.xml" "$work/out" | grep -c '^>')"
index=$(query "SELECT vf FROM lease WHERE guest = '$guest'")
same "the domain" "$(input hook-prepare "$index")" "$(out)"
cp "$work/out" "$work/domain.xml"
hook 0 prepare
hook 0 start
hook 0 stopped
hook 0 release
is "leases" other "$(query 'SELECT guest FROM lease')"
# the address is no VF of this host: the only PF that has any, or as the host says
sed "s/bus='0x3b'/bus='0xaf'/" "$corpus/hook-prepare.xml" >"$work/domain.xml"
hook 0 migrate
has "the domain" "$(out)" "bus='0x81'"
hook 0 release
# half of a pair, which QEMU plugs again where the guest arrives: another VF, the same pair
sed -i "s|</interface>|<teaming type='transient' persistent='ua-net0'/>&|" "$work/domain.xml"
hook 0 migrate
is "lines that differ" 1 "$(diff "$work/domain.xml" "$work/out" | grep -c '^>')"
has "the domain" "$(out)" "bus='0x81'"
has "the domain" "$(out)" "<teaming type='transient' persistent='ua-net0'/>"
hook 0 release
expect 0 vf create ens1f0 --count 4 --mac auto
let_land
hook 1 migrate
said "which of them is on its network is not known" "--net"
hook 1 migrate --net storage
said "no physnet of that name"
expect 0 physnet add storage ens1f0
hook 0 migrate --net storage
is "it is on" 0000:3b:00.0 "$(query "SELECT pf FROM lease WHERE guest = '$guest'")"
hook 0 release
# an address that there is here too, and free, but on another network
input hook-prepare 7 >"$work/domain.xml"
for op in migrate restore; do
	hook 0 $op --net storage
	has "the domain" "$(out)" "bus='0x3b'"
	is "it is on" 0000:3b:00.0 "$(query "SELECT pf FROM lease WHERE guest = '$guest'")"
	hook 0 release
done
sed "s/bus='0x3b'/bus='0xaf'/" "$corpus/hook-prepare.xml" >"$work/domain.xml"
# none is left
expect 0 pool set ens1f0 all reserved
hook 1 migrate --net storage
said "no free VF"
# sockets of vhost-user
input hook-prepare 3 "/<interface/,/<\/interface>/d; s|<input type='mouse'|<interface type='vhostuser'><source type='unix' path='/var/run/old/vhu1' mode='server'/></interface>&|" >"$work/domain.xml"
hook 0 migrate
is "as it is" '' "$(out)"
hook 0 migrate --sockets /run/openvswitch
same "the domain" "$(sed 's|/var/run/old/vhu1|/run/openvswitch/vhu1|' "$work/domain.xml")" "$(out)"
hook 1 migrate --sockets "/run/a'b"
said "not the path of a folder"
# without a word of the script: as the physnets of this host have it
edit_host '.ovs = {version: "3.1.0", dpdk_version: "DPDK 22.11.11", dpdk: true, dpdk_init: true, dpdk_initialized: true, pmd_cpu_mask: "", bridges: []}'
expect 0 physnet add red ens2f0 --bridge br-red --uplink af_packet --sockets "$work/red"
hook 0 migrate
same "the domain" "$(sed "s|/var/run/old/vhu1|$work/red/vhu1|" "$work/domain.xml")" "$(out)"
expect 0 physnet delete storage
expect 0 physnet add storage ens1f0 --bridge br-storage --uplink af_packet --sockets "$work/storage"
hook 1 migrate
said "/var/run/old/vhu1" "several folders" "--net PHYSNET"
hook 0 migrate --net storage
same "the domain" "$(sed "s|/var/run/old/vhu1|$work/storage/vhu1|" "$work/domain.xml")" "$(out)"
sed -i "s|/var/run/old/|$work/red/|" "$work/domain.xml"
hook 0 migrate
is "a path of this host stays" '' "$(out)"

# ---- nothing is loaded for it, and libvirt is not asked ----

if command -v strace >/dev/null; then
	ready
	tool=$release
	strace -f -e trace=openat,connect -o "$work/trace" "$tool" hook libvirt --rules-dir "$rules" -- "$guest" prepare begin - <"$work/domain.xml"
	strace -f -e trace=openat,connect -o "$work/trace2" "$tool" hook libvirt --rules-dir "$rules" -- "$guest" start begin - <"$work/domain.xml"
	is "libraries and sockets" '' "$(grep -E 'libxml2|libvirt|connect\(' "$work/trace" "$work/trace2" | grep -v hook-prepare || true)"
fi
