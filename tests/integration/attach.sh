#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Guests by whole commands against the simulated libvirt: attach and detach in definition and running guest, leases
# that cannot be lost, pools, networks, policies, adoption, and what is refused with nothing left behind.
# shellcheck source=tests/harness.sh disable=SC2016,SC2119
. "$(dirname "$0")/../harness.sh"

lease() { query "SELECT path, kind, pf, vf, state FROM lease WHERE guest = '$1'"; }
leases() { query "SELECT count(*) FROM lease"; }
two_pfs() {
	new_host
	expect 0 vf create ens1f0 --count 2 --mac auto
	expect 0 vf create ens2f0 --count 2 --mac auto --vlan 100
	let_land
}

# ---- a stopped guest: its definition ----
two_pfs
defined web1 1 1
before=$(cat "$host")
expect 0 guest attach web1 --dry-run
showed "attach VF 0 of ens2f0 to web1, in its definition" "node 1: free VF 0 of 2 on 0000:81:00.0 (ens2f0)"
same "a dry run changes nothing" "$before" "$(cat "$host")"
is "leases" 0 "$(leases)"
change guest attach web1 --trust on
is "lease" "vf|interface|0000:81:00.0|0|reserved" "$(lease web1)"
has "the definition" "$(xml web1 config)" '<address type="pci" domain="0x0000" bus="0x81" slot="0x10" function="0x0"/>'
has "its VLAN" "$(xml web1 config)" '<tag id="100"/>'
is "trust" true "$(pf_of ens2f0 '.vf[0].attrs.trust')"
again guest attach web1 --trust on
expect 1 guest attach web1 --vlan 200
said "has the device already, with MAC" "VLAN 100" "guest detach" "VLAN 200"
expect 1 guest attach web1 --raw-hostdev
said "as interface already" "not as raw"
is "the lease is as it was" 100 "$(query 'SELECT vlan FROM lease')"
expect 0 guest attach web1 --json
is "path, node" "vf 1" "$(jq -r '"\(.path) \(.node)"' "$work/out")"
has "reason" "$(jq -r .reason "$work/out")" "held by lease 1"
expect 0 guest show web1
showed "web1 holds VF 0 of 0000:81:00.0" "reserved" "vlan     100"
change guest detach web1
is "leases" 0 "$(leases)"
same "the definition is as it was" "$(domain web1 1 1)" "$(xml web1 config)"
is "trust is as found" false "$(pf_of ens2f0 '.vf[0].attrs.trust')"
expect 0 guest detach web1
showed "nothing to do"

# ---- a running guest: at once, and from its next start on ----
running web2 2
expect 0 guest attach web2 --pf ens1f0 --vlan 7
showed "in its definition" "while it runs"
is "lease" "vf|interface|0000:3b:00.0|0|active" "$(lease web2)"
has "definition" "$(xml web2 config)" 'bus="0x3b"'
has "running" "$(xml web2 live)" 'bus="0x3b"'
is "libvirt set the VLAN" 7 "$(pf_of ens1f0 '.vf[0].attrs.vlan')"
is "driver" '"vfio-pci"' "$(pf_of ens1f0 '.vf[0].driver')"
again guest attach web2 --pf ens1f0 --vlan 7
again guest attach web2 --pf ens1f0
is "its VLAN is still the lease's" 7 "$(query "SELECT vlan FROM lease WHERE guest = 'web2'")"
# what would hurt it is refused
for hurt in "vf delete ens1f0" "vf set ens1f0 0 --trust on" "vf bind ens1f0 0 --driver default" "pool set ens1f0 0 nova"; do
	# shellcheck disable=SC2086
	expect 3 $hurt
	said "web2"
done
# out of the running guest only: the definition keeps it, and so does the lease
expect 0 guest detach web2 --live
is "lease" "vf|interface|0000:3b:00.0|0|reserved" "$(lease web2)"
has "definition" "$(xml web2 config)" 'bus="0x3b"'
expect 0 guest attach web2 --pf ens1f0 --live
is "lease" "vf|interface|0000:3b:00.0|0|active" "$(lease web2)"
expect 0 guest detach web2 --config
has "still running" "$(xml web2 live)" 'bus="0x3b"'
is "lease" 1 "$(leases)"
change guest detach web2
is "leases" 0 "$(leases)"
is "back to the kernel's driver" '"iavf"' "$(pf_of ens1f0 '.vf[0].driver')"

# ---- a guest that does not let go ----
expect 0 guest attach web2 --pf ens1f0
edit_host '(.domains[] | select(.name == "web2")).answers = false'
expect 1 guest detach web2 --guest-timeout 2
said "web2" "the guest does not let go of VF"
is "lease" "vf|interface|0000:3b:00.0|0|active" "$(lease web2)"
has "the definition has it still" "$(xml web2 config)" 'bus="0x3b"'
edit_host '(.domains[] | select(.name == "web2")).answers = true'
# out of the running guest, but not out of its definition: made up for, and said so
edit_host '.sim.deviate = [{op: "virt_detach", errno: "EIO", skip: 1, times: 1}]'
expect 4 guest detach web2
showed "compensated: web2 lost the device for a moment and has it again"
has "running" "$(xml web2 live)" 'bus="0x3b"'
is "lease" "vf|interface|0000:3b:00.0|0|active" "$(lease web2)"
expect 0 guest detach web2
over

# ---- two networks: one VF on each ----
two_pfs
defined web1 1
expect 0 physnet add red ens1f0
expect 0 physnet add blue ens2f0 eno1
expect 0 physnet add blue ens2f0 eno1
expect 1 physnet add green ens1f0
said "is on physnet red already"
expect 1 physnet add 'a b' ens1f0
said "is no name for one"
expect 0 physnet show
showed "red" "blue" "eno1"
expect 0 guest attach web1 --net red
expect 0 guest attach web1 --net blue
is "leases" "red|0000:3b:00.0 blue|0000:81:00.0" "$(query 'SELECT net, pf FROM lease ORDER BY id' | paste -sd' ')"
expect 1 guest detach web1
said "holds 2 leases" "--net"
expect 1 guest attach web1 --net gren
said "there is no physnet of that name" "did you mean"
expect 3 physnet delete red
said "guest web1 holds a lease"
expect 0 guest detach web1 --net red
expect 0 guest detach web1
expect 0 physnet delete red
expect 0 physnet delete red
over

# ---- pools: Nova's VFs are Nova's ----
two_pfs
defined web1 1
expect 0 pool set ens2f0 0-1 nova
expect 0 pool set ens1f0 0 libvirt-net
expect 0 pool show
showed "nova" "libvirt-net" "sriovctl"
expect 0 guest attach web1
is "the only one of ours" "vf|interface|0000:3b:00.0|1|reserved" "$(lease web1)"
defined web2 2
expect 1 guest attach web2
said "no free VF" "in pool nova" "in pool libvirt-net"
expect 1 guest attach web2 --pool nova
said "are for others to give"
expect 0 pool set ens2f0 1 fast
expect 0 guest attach web2 --pool fast
is "lease" "vf|interface|0000:81:00.0|1|reserved" "$(lease web2)"
expect 1 pool set ens2f0 7 nova
said "there is no VF 7"
# a restore brings no pool back that was set otherwise since
new_host
expect 0 vf create ens2f0 --count 2 --mac auto --pool fast
let_land
expect 0 pool set ens2f0 0 nova
edit_host '(.pfs[] | select(.netdev == "ens2f0")).vf[1].attrs.trust = true'
expect 0 vf set ens2f0 1 --trust off
edit_host '(.pfs[] | select(.netdev == "ens2f0")).vf[1].attrs.trust = true'
expect 0 restore ens2f0
showed "trust off"
is "pools" "nova fast" "$("$tool" pool show ens2f0 --json | jq -r '[.pools[].pool] | join(" ")')"
over

# ---- policies and paths ----
two_pfs
for i in 1 2 3 4; do defined "g$i" "$i" 1; done
expect 0 guest attach g1
expect 0 guest attach g2
expect 1 guest attach g3 --numa required
said "no free VF on node 1"
expect 0 guest attach g3 --queues 4 --dry-run
showed "4 queues are asked for, and a VF has as many as its driver makes"
expect 0 guest attach g3
showed "as nothing is free on the guest's node 1"
is "lease" "vf|interface|0000:3b:00.0|0|reserved" "$(lease g3)"
expect 1 guest attach g4 --paths vhostuser
said "path vhostuser needs a bridge of OVS" "physnet add NAME PF"
expect 0 guest attach g4 --numa required --paths vf,macvtap --queues 4
is "lease" "macvtap|bridge|0000:81:00.0||reserved" "$(lease g4)"
has "definition" "$(xml g4 config)" '<source dev="ens2f0" mode="bridge"/>'
has "queues" "$(xml g4 config)" 'queues="4"'
again guest attach g4 --numa required --paths vf,macvtap --queues 4
expect 1 guest attach g4 --mode vepa
said "not as vepa"
expect 0 guest detach g4
same "the definition is as it was" "$(domain g4 4 1)" "$(xml g4 config)"
expect 1 guest attach g4 --paths tap
said "needs a bridge"
expect 0 guest attach g4 --paths tap --bridge br0
has "definition" "$(xml g4 config)" '<source bridge="br0"/>'
expect 1 guest attach g4 --paths macvtap --trust on
expect 0 guest detach g4
expect 1 guest attach g4 --paths macvtap --trust on
said "trust, spoofchk and link state are a VF's"
expect 0 guest detach g3
expect 0 guest attach g4 --pick near=0000:3b:00.0
is "lease" "vf|interface|0000:3b:00.0|0|reserved" "$(lease g4)"
expect 1 guest attach g3 --pick near=0000:ff:00.0
said "there is no PCI device of that address"
over

# ---- other shapes ----
two_pfs
defined raw1 1
change guest attach raw1 --pf ens2f0 --raw-hostdev --vlan 200:3
has "definition" "$(xml raw1 config)" '<hostdev mode="subsystem" type="pci" managed="yes">'
is "the VLAN is ours" "200 3" "$(pf_of ens2f0 '.vf[0].attrs | "\(.vlan) \(.qos)"' | tr -d '"')"
change guest detach raw1
is "and as found" "100 0" "$(pf_of ens2f0 '.vf[0].attrs | "\(.vlan) \(.qos)"' | tr -d '"')"
expect 1 guest attach raw1 --vlan 200:3
said "no words for a VLAN with a priority" "--raw-hostdev"
defined pair1 2
expect 1 guest attach pair1 --standby
said "needs a bridge"
change guest attach pair1 --standby --bridge br0
has "the half that stays" "$(xml pair1 config)" '<teaming type="persistent"/>'
has "the VF" "$(xml pair1 config)" '<teaming type="transient" persistent="ua-'
change guest detach pair1
same "the definition is as it was" "$(domain pair1 2)" "$(xml pair1 config)"
change guest attach box1 --hands-off --pf ens2f0
is "lease" "vf|hands-off|0000:81:00.0|0|reserved" "$(lease box1)"
expect 0 guest check
change guest detach box1
# a domain in a file
domain file1 9 1 >"$work/file1.xml"
expect 0 guest attach file1 --domain "$work/file1.xml"
has "the file" "$(cat "$work/file1.xml")" 'bus="0x81"'
saved=$(cat "$work/file1.xml")
expect 0 guest attach file1 --domain "$work/file1.xml"
same "the same file" "$saved" "$(cat "$work/file1.xml")"
expect 1 guest attach file1 --domain "$work/file1.xml" --raw-hostdev --vlan 7
said "takes only what its XML has words for"
expect 1 guest attach file1 --domain - <"$work/file1.xml"
said "standard input cannot be changed"
over

# ---- MACs: nobody else's ----
two_pfs
edit_host '.sim.netdevs = [{"name": "macvtap0", "mac": "02:00:00:00:00:77"}]'
defined web1 1
defined web2 2
expect 0 guest attach web1 --mac 02:00:00:00:00:01
expect 1 guest attach web2 --mac 02:00:00:00:00:01
said "taken by" "web1"
expect 1 guest attach web2 --mac 02:00:00:00:00:77
said "taken by macvtap0"
expect 1 guest attach web2 --mac "$(pf_of ens2f0 .mac | tr -d '"')"
said "taken by ens2f0"
expect 1 guest attach web2 --mac 01:00:00:00:00:01
said "multicast"
expect 1 guest attach web2 --vlan 4095
is "leases" 1 "$(leases)"
over

# ---- leases that nobody holds any more ----
two_pfs
defined web1 1
defined web2 2
expect 0 guest attach web1
expect 0 guest attach web2
expect 0 guest check
edit_host 'del(.domains[] | select(.name == "web1"))'
expect 2 guest check
showed "web1: lease 1 is stale: no domain of this guest names VF"
expect 0 guest gc --dry-run
is "leases" 2 "$(leases)"
expect 0 guest gc
showed "lease 1 of web1 is stale"
is "the other stays" "web2" "$(query 'SELECT guest FROM lease')"
expect 0 guest gc
showed "nothing to do"
# an attach that was under way when gc looked has ended when gc has the PF: the lease is held, and stays
kept=$(xml web2 config) pf=$(query "SELECT pf FROM lease WHERE guest = 'web2'")
edit_host --arg x "$(domain web2 2)" '(.domains[] | select(.name == "web2")).xml = $x'
exec 9<>"$host.state/pf-$pf.lock"
flock 9
"$tool" guest gc >"$work/gc.out" 2>"$work/gc.err" 9>&- &
for _ in $(seq 100); do
	! grep -q waiting "$work/gc.err" || break
	sleep 0.1
done
has "gc waits" "$(cat "$work/gc.err")" "waiting"
edit_host --arg x "$kept" '(.domains[] | select(.name == "web2")).xml = $x'
flock -u 9
wait $!
has "gc sees that" "$(cat "$work/gc.out")" "lease 2 of web2 is held again"
is "the lease" 1 "$(leases)"
same "the definition" "$kept" "$(xml web2 config)"
# a libvirt that cannot be asked keeps a lease which a domain names, also of a guest that does not run
tool=$release expect 1 --host "$host,libvirt=live" guest detach web2 --uri "qemu:///system?socket=$work/none"
said "libvirt" "--force: the lease ends, and the domain keeps naming the VF"
is "the lease" 1 "$(leases)"
# nor is a change recovered without it: that names its journal
edit_host '(.domains[] | select(.name == "web2")) |= (.state = "running" | .live = .xml)
	| .sim.deviate = [{op: "virt_detach", errno: "EIO", skip: 1}, {op: "virt_attach", errno: "EIO"}]'
expect 5 guest detach web2
edit_host '.sim.deviate = []'
tool=$release expect 1 --host "$host,libvirt=live" vf set "$pf" 0 --trust on
said "was asked to recover journal" "journal abandon"
expect 0 vf set "$pf" 0 --trust on
expect 0 guest detach web2
over


# ---- taking over what is there, also after the database is lost ----
two_pfs
running web1 1
defined web2 2
expect 0 guest attach web1 --trust on
expect 0 guest attach web2
expect 0 flow add ens2f0 --name dns udp4 dst-port 53 drop
attached=$(query 'SELECT guest, uuid, path, kind, pf, vf, address, mac, vlan FROM lease ORDER BY guest')
rm -r "$host.state"
kernel=$(jq -S 'del(.sim)' "$host") ops=$(effects)
expect 0 adopt --dry-run
expect 0 adopt
showed "took over 2 VFs" "1 rules"
same "no kernel write" "$kernel" "$(jq -S 'del(.sim)' "$host")"
is "no effect" "$ops" "$(effects)"
same "the same leases" "$attached" "$(query 'SELECT guest, uuid, path, kind, pf, vf, address, mac, vlan FROM lease ORDER BY guest')"
again adopt
again restore
is "the rule is ours" "adopted-1" "$("$tool" flow list ens2f0 --json | jq -r '.ports[0].list[0].name')"
# a list that is ours already stays as it was written: its entries could not say a prefix
printf 'name few flow-type udp4 dst-ip 10.1.0.0/30 dst-port 9 drop\n' >"$work/list"
expect 0 flow apply "$work/list" --pf ens2f0 --force
again adopt
is "the list" "few" "$("$tool" flow list ens2f0 --json | jq -r '[.ports[0].list[].name] | join(" ")')"
expect 0 guest detach web2
over

# ---- bad input: clear, and nothing left behind ----
two_pfs
defined web1 1
# refused STATUS WORDS… -- ARGUMENTS…
refused() {
	local status=$1 words=()
	shift
	while [ "$1" != -- ]; do words+=("$1") && shift; done
	shift
	before=$(jq -S 'del(.sim)' "$host")
	expect "$status" "$@"
	said "${words[@]}"
	let_land
	same "nothing is left behind" "$before" "$(jq -S 'del(.sim)' "$host")"
	is "no lease" 0 "$(leases)"
	is "no open journal" 0 "$(query "SELECT count(*) FROM journal WHERE status IN ('open', 'incomplete')")"
}
refused 1 "wep1" "did you mean" -- guest attach wep1
refused 1 "is not an SR-IOV PF" -- guest attach web1 --pf ens9
refused 1 "--vlan" -- guest attach web1 --vlan 5000
refused 1 "--numa" "one of preferred|required|socket|any" -- guest attach web1 --numa near
refused 1 "--paths" -- guest attach web1 --paths vf,vf
refused 1 "--pick" -- guest attach web1 --pick first
refused 1 "exclude each other" -- guest attach web1 --raw-hostdev --standby
refused 1 "does not run" -- guest attach web1 --live
edit_host '.iommu = false'
refused 1 "no active IOMMU" "intel_iommu=on" -- guest attach web1
edit_host '.iommu = true | (.pfs[].vf // [])[].iommu_group = 9'
refused 1 "IOMMU group 9 is not viable" -- guest attach web1
edit_host '.pfs |= map(.vf |= (if . then to_entries | map(.value.iommu_group = 20 + .key) | map(.value) else . end))
	| (.pfs[] | select(.netdev == "ens2f0") | .vf) |= (to_entries | map(.value.iommu_group = 40 + .key) | map(.value))'
edit_host '.pfs[] |= (.up = false | .carrier = false | .speed_mbps = 0)'
refused 1 "is down" "ip link set" -- guest attach web1
edit_host '.pfs[].up = true'
edit_host '.sim.deviate = [{op: "virt_attach", errno: "EIO", times: 1}]'
refused 1 "virt_attach fails" -- guest attach web1
# the second of two effects fails: the first is taken back
edit_host '(.domains[] | select(.name == "web1")) |= (.state = "running" | .live = .xml)
	| .sim.deviate = [{op: "virt_attach", errno: "EIO", skip: 1, times: 1}]'
refused 4 "virt_attach fails" -- guest attach web1
edit_host '.sim.deviate = [{op: "virt_attach", lie: true, times: 1}]'
refused 4 "reading back shows that this is missing" -- guest attach web1
expect 0 guest attach web1
over
