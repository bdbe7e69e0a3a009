#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# When VFs run out: networks with a bridge, guests on vhost-user by whole commands against the simulated OVS, moves there
# and home, rules that go along, and what is refused with nothing left behind.
# shellcheck source=tests/harness.sh disable=SC2016,SC2119
. "$(dirname "$0")/../harness.sh"

ovs='{"version": "3.1.0", "dpdk_version": "DPDK 22.11.11", "dpdk": true, "dpdk_init": true, "dpdk_initialized": true,
	"pmd_cpu_mask": "", "bridges": []}'
lease() { query "SELECT path, kind, pf, vf, state FROM lease WHERE guest = '$1'"; }
ports() { jq -r '[.ovs.bridges[]?.ports[]? | select(.type != "internal") | .name] | join(" ")' "$host"; }
flows() { jq -r '.ovs.bridges[]? | select(.name == "'"$1"'") | .flows[]?' "$host"; }
fdb() { jq -r '[.sim.fdb[]?.mac] | join(" ")' "$host"; }
# a host with two VFs on ens2f0 and a physnet with a bridge
red() {
	new_host ".ovs = $ovs"
	expect 0 vf create ens2f0 --count 2 --mac auto
	let_land
	change physnet add red ens2f0 --bridge br-red --uplink af_packet
}

# ---- the network ----
red
is "bridge and uplink" "up-red" "$(ports)"
is "its own flows" yes "$(flows br-red | grep -q 'in_port=' && echo yes)"
again physnet add red ens2f0 --bridge br-red --uplink af_packet
again physnet add red ens2f0
expect 0 physnet show
showed "br-red" "up-red (af_packet)"
expect 0 physnet check
expect 1 physnet add red ens2f0 --bridge br-other
said "it has bridge br-red already" "physnet delete red first"
expect 1 physnet add red ens2f0 --uplink af_xdp
said "has the uplink up-red (af_packet of 0000:81:00.0) already"
expect 1 physnet add blue ens1f0 --bridge br-red --uplink af_packet
said "is the bridge of physnet red already"
expect 1 physnet add blue ens1f0 --bridge br-blue
said "no uplink" "--uplink af_packet"
expect 1 physnet add blue ens1f0 --uplink af_packet
said "a bridge's, and there is none"
expect 1 physnet add blue ens1f0 --bridge br-blue --uplink eth9
said "the port eth9" "is not there"
is "nothing is left of those" up-red "$(ports)"

# ---- until no VF is left ----
for i in 1 2 3; do defined web$i "$i" "" shared; done
change guest attach web1 --net red
change guest attach web2 --net red
before=$(cat "$host")
expect 0 guest attach web3 --net red --dry-run
showed "make vhost-user port vhu" "of web3 on bridge br-red" "install the flows of physnet red" "attach vhost-user port" "as no VF that would do is free"
same "a dry run changes nothing" "$before" "$(cat "$host")"
change guest attach web3 --net red --max-rate 100 --vlan 7
is "lease" "vhostuser|interface|0000:81:00.0||reserved" "$(lease web3)"
is "two ports" 2 "$(ports | wc -w)"
has "the definition" "$(xml web3 config)" 'type="vhostuser"'
has "QEMU listens" "$(xml web3 config)" 'mode="server"'
mac=$(query "SELECT mac FROM lease WHERE guest = 'web3'")
is "the PF takes its frames" "$mac" "$(fdb)"
has "MAC filter" "$(flows br-red)" "dl_dst=$mac"
has "a meter limits it" "$(flows br-red)" "meter:"
is "MTU end to end" 1500 "$(jq '[.ovs.bridges[].ports[] | select(.guest == "web3") | .mtu_request] | .[0]' "$host")"
again guest attach web3 --net red
expect 0 guest show web3
showed "web3 holds vhostuser on br-red" "why      " "as no VF that would do is free" "socket   /var/lib/vhost_sockets/vhu"
is "counted" 1 "$(query "SELECT fallbacks FROM physnet")"
expect 0 physnet check red
# it needs memory that OVS can read
defined plain 9
expect 1 guest attach plain --net red
said "memory"
is "nothing is left of it" 3 "$(query 'SELECT count(*) FROM lease')"
is "nor a port" 2 "$(ports | wc -w)"
expect 3 physnet delete red
said "guest web1 holds a lease"

# ---- rules ----
cat >"$work/rules" <<R
name drop-dns flow-type udp4 dst-ip 10.0.0.9 dst-port 53 drop
name to-web3 flow-type udp4 dst-ip 10.0.0.3 dst-port 4789 guest web3
name to-web1 flow-type udp4 dst-ip 10.0.0.1 dst-port 4789 guest web1
R
change flow apply "$work/rules" --pf ens2f0
has "drop is on the bridge too" "$(flows br-red)" "tp_dst=53"
is "in the NIC: all but web3's" 2 "$(pf_of ens2f0 '.rules | length')"
expect 0 flow check "$work/rules" --pf ens2f0
showed "on bridge" "carried out on the bridge that its guest is on"
expect 0 physnet check red

# ---- home ----
expect 1 guest move web3 --to vf
said "no VF of ens2f0 is free"
expect 0 guest rebalance
showed "web3 stays on vhostuser"
expect 3 guest detach web1
said "rule to-web1"
change guest detach web2
expect 0 guest rebalance --dry-run
showed "attach VF 1 of ens2f0 to web3" "delete vhost-user port"
change guest rebalance
is "lease" "vf|interface|0000:81:00.0|1|reserved" "$(lease web3)"
is "its port is gone" up-red "$(ports)"
is "the PF takes no frames for it" "" "$(fdb)"
is "its MAC is the same" "$mac" "$(query "SELECT mac FROM lease WHERE guest = 'web3'")"
has "its VF in the definition" "$(xml web3 config)" 'slot="0x10" function="0x2"'
is "its rule is in the NIC" 3 "$(pf_of ens2f0 '.rules | length')"
is "its rate went along" 100 "$(pf_of ens2f0 '.vf[1].attrs.max_rate')"
again guest rebalance
again guest move web3 --to vf
# and away again
change guest move web3 --to vhostuser
is "lease" "vhostuser|interface|0000:81:00.0||reserved" "$(lease web3)"
is "its rule is on the bridge" 2 "$(pf_of ens2f0 '.rules | length')"
is "the VF is as found" 0 "$(pf_of ens2f0 '.vf[1].attrs.max_rate')"
change guest detach web3 --force
is "ports" up-red "$(ports)"
is "fdb" "" "$(fdb)"

# ---- what is lost is made good ----
red
for i in 1 2 3; do defined web$i "$i" "" shared; done
for i in 1 2 3; do expect 0 guest attach web$i --net red --max-rate 50; done
port=$(ports | tr ' ' '\n' | grep vhu)
edit_host '.ovs.bridges[0].ports |= map(select(.name | startswith("vhu") | not)) | .ovs.bridges[0].flows = [] | .ovs.bridges[0].meters = [] | .sim.fdb = []'
expect 2 physnet check
showed "make vhost-user port $port of web3" "install the flows" "take frames" "sriovctl restore"
expect 2 physnet check red --json
expect 0 restore
showed "make vhost-user port $port" "done: 3 steps"
again restore
expect 0 physnet check
is "port" "$port" "$(ports | tr ' ' '\n' | grep vhu)"
is "meters" 1 "$(jq '.ovs.bridges[0].meters | length' "$host")"
# an OVS that is not there keeps nothing else from being restored
echo 'name web flow-type udp4 dst-ip 10.0.0.1 dst-port 4789 queue 1' >"$work/rules"
expect 0 flow apply "$work/rules" --pf ens2f0
kept=$(jq .ovs "$host")
edit_host 'del(.ovs) | .pfs |= map(if .netdev == "ens2f0" then .rules = [] else . end)'
expect 5 restore
is "its rules are back" 1 "$(pf_of ens2f0 '.rules | length')"
said "restore\` again when OVS runs"
expect 1 physnet check
said "there is no such socket"
edit_host --argjson kept "$kept" '.ovs = $kept'
expect 0 restore
over

# ---- what cannot be made leaves nothing behind ----
defined web4 4 "" shared
recorded() { query 'SELECT guest FROM lease ORDER BY 1' | tr '\n' ' '; }
nothing() {
	is "leases" "web1 web2 web3 " "$(recorded)"
	is "ports" 2 "$(ports | wc -w)"
	is "its definition" "$(domain web4 4 "" shared)" "$(xml web4 config)"
	over
}
for op in ovs_port_add ovs_flows ovs_meter_set fdb_set virt_attach; do
	deviate "[{\"op\": \"$op\", \"errno\": \"EIO\", \"times\": 1}]"
	sriovctl guest attach web4 --net red --max-rate 10
	case $status in 1 | 4) passed ;; *) fail "$op: status $status" ;; esac
	nothing
done
for op in ovs_port_add ovs_flows fdb_set virt_attach; do
	deviate "[{\"op\": \"$op\", \"lie\": true, \"times\": 1}]"
	expect 4 guest attach web4 --net red
	said "is missing"
	nothing
done
deviate '[]'
edit_host '.ovs.cannot_make = {"up-blue": "no such device"}'
expect 0 vf create ens1f0 --count 1
expect 4 physnet add blue ens1f0 --bridge br-blue --uplink af_packet
said "OVS could not make it" "no such device"
is "no bridge is left" br-red "$(jq -r '[.ovs.bridges[].name] | join(" ")' "$host")"
edit_host '.ovs.dpdk_initialized = false'
expect 1 guest attach web4 --net red
said "DPDK is enabled in it and could not be started"
edit_host '.ovs.dpdk_initialized = true | .ovs.bridges[0].owner = "it has an OpenFlow controller, tcp:1"'
expect 3 guest attach web4 --net red
said "belongs to another"
edit_host '.ovs.bridges[0].owner = ""'
nothing
expect 1 guest attach web4 --net red --vlan 5:0:802.1ad
said "802.1ad"
expect 1 guest attach web4 --net red --vlan 5:3 --raw-hostdev
said "web4: a port of OVS has no words for VLAN 5 with a priority"
expect 1 guest attach web4 --net red --max-rate 5
said "rate" "11"
nothing
expect 1 guest attach web4 --net red --paths vhostuser --pf ens1f0
said "a PF and a physnet are both asked for"
expect 1 guest attach web4 --pf ens1f0 --paths vhostuser
said "needs a bridge of OVS"
expect 1 guest xml web4 --paths vhostuser --net red
said "would stop the guest" "guest attach"

# ---- a bridge that was there ----
new_host ".ovs = $ovs | .ovs.bridges = [{name: \"br-lan\", datapath: \"netdev\", ports: [
	{name: \"br-lan\", type: \"internal\", ofport: 65534}, {name: \"eth7\", type: \"dpdk\", ofport: 1, mtu: 1500, link_up: true},
	{name: \"vm1\", type: \"dpdkvhostuserclient\", ofport: 2}]}]"
expect 0 vf create ens2f0 --count 1
expect 3 physnet add lan ens2f0 --bridge br-lan --uplink eth7
said "has port vm1, which is not ours"
edit_host '.ovs.bridges[0].ports |= map(select(.name != "vm1"))'
change physnet add lan ens2f0 --bridge br-lan --uplink eth7 --sockets /srv/vhost
is "sockets" /srv/vhost "$(query 'SELECT sockets FROM physnet')"
change physnet delete lan
is "it stays, without our flows" "br-lan 0" "$(jq -r '.ovs.bridges[] | "\(.name) \(.flows | length)"' "$host")"

# ---- an uplink that is a VF ----
new_host ".ovs = $ovs"
expect 0 vf create ens2f0 --count 2
let_land
expect 1 physnet add red ens2f0 --bridge br-red --uplink vf:7
said "there is no such VF"
change physnet add red ens2f0 --bridge br-red --uplink vf:1
is "trusted, not checked, for DPDK" '[true,false,"vfio-pci"]' "$(pf_of ens2f0 '.vf[1] | [.attrs.trust, .attrs.spoofchk, .driver]')"
is "its device" 0000:81:10.2 "$(jq -r '.ovs.bridges[0].ports[] | select(.name == "up-red") | .devargs' "$host")"
expect 0 pool show ens2f0 --json
is "its pool" "uplink" "$(jq -r '.pools[] | select(.vfs == "1") | .pool' "$work/out")"
for hurt in "vf delete ens2f0" "vf set ens2f0 1 --trust off" "vf bind ens2f0 1 --driver default"; do
	# shellcheck disable=SC2086
	expect 3 $hurt
	said "physnet red"
done
again physnet add red ens2f0 --bridge br-red --uplink vf:1
defined web1 1 "" shared
defined web2 2 "" shared
expect 0 guest attach web1 --net red
expect 0 guest attach web2 --net red
is "the uplink is nobody's VF" "vhostuser|interface|0000:81:00.0||reserved" "$(lease web2)"
is "the PF takes no frames for it" "" "$(fdb)"
expect 0 guest detach web1
expect 0 guest detach web2
change physnet delete red
is "as it was" '[false,true]' "$(pf_of ens2f0 '.vf[1] | [.attrs.trust, .attrs.spoofchk]')"

# ---- while it runs, and a pair that needs no outage ----
red
running web1 1 "" shared
running web2 2 "" shared
running web3 3 "" shared
expect 0 guest attach web1 --net red
expect 0 guest attach web2 --net red
change guest attach web3 --net red
expect 0 guest detach web1
expect 3 guest move web3 --to vf
said "it runs, and would lose its NIC for a moment" "--live"
expect 0 guest rebalance
showed "web3 stays on vhostuser" "it runs"
change guest move web3 --to vf --live
has "running" "$(xml web3 live)" 'bus="0x81"'
change guest move web3 --to vhostuser --live
has "running" "$(xml web3 live)" 'type="vhostuser"'
expect 0 guest detach web3
is "ports" up-red "$(ports)"
# a port that passes nothing while its guest runs: told, for only the guest can mend it
running web4 4 "" shared
expect 0 guest attach web4 --net red --paths vhostuser
port=$(query "SELECT socket FROM lease WHERE guest = 'web4'")
expect 0 physnet check red
edit_host --arg port "$port" '.domains |= map(if .name == "web4" then .live |= sub($port; "/elsewhere") else . end)'
expect 2 physnet check red
showed "port ${port##*/} of web4 passes no frames: no guest's driver is connected to it" "start the guest anew"
expect 2 physnet check red --json
is "a finding" differs "$(jq -r '.plans[0].status' "$work/out")"
edit_host --arg port "$port" '.domains |= map(if .name == "web4" then .live |= sub("/elsewhere"; $port) else . end)'
expect 0 guest detach web4
# a port of ours that no lease names: only who is connected to it keeps it
lost='{"name": "vhu-lost", "type": "dpdkvhostuserclient", "socket": "/var/lib/vhost_sockets/vhu-lost", "ofport": 77, "ours": true, "guest": "lost"}'
edit_host --argjson lost "$lost" '.ovs.bridges[0].ports += [$lost]'
expect 2 physnet check red
showed "delete port vhu-lost of bridge br-red, which is ours and of no lease" "sriovctl restore"
running lost 9 "" shared
edit_host '.domains |= map(if .name == "lost" then .live |= sub("</devices>"; "<interface type=\"vhostuser\"><mac address=\"52:54:00:00:00:99\"/><source type=\"unix\" path=\"/var/lib/vhost_sockets/vhu-lost\" mode=\"server\"/><model type=\"virtio\"/></interface></devices>") else . end)'
expect 0 physnet check red
edit_host '.domains |= map(select(.name != "lost"))'
expect 0 restore
is "ports" up-red "$(ports)"
expect 0 physnet check red
over
# a pair: the vhost-user half stays, the VF comes and goes
change guest attach web3 --net red --standby
is "lease" "vf|standby|0000:81:00.0|0|active" "$(lease web3)"
is "its port" 2 "$(ports | wc -w)"
has "the half that stays" "$(xml web3 live)" '<teaming type="persistent"/>'
mac=$(query "SELECT mac FROM lease WHERE guest = 'web3'")
case $(flows br-red) in *"dl_dst=$mac"*) fail "its frames go to the VF, not to the port" ;; *) passed ;; esac
expect 0 guest move web3 --to vhostuser --live --dry-run
out | grep -q 'detach vhost-user' && fail "the half that stays goes"
# before the old side goes the new one carries its frames
order() { out | sed -n 's/^ *[0-9]*  \(install\|take\|no longer\|attach\|detach\).*/\1/p' | tr '\n' ' '; }
is "order" "install take detach detach " "$(order)"
change guest move web3 --to vhostuser --live
has "the half that stays" "$(xml web3 live)" '<teaming type="persistent"/>'
case $(xml web3 live) in *transient*) fail "the VF is still there" ;; *) passed ;; esac
has "its frames go to the port" "$(flows br-red)" "dl_dst=$mac"
is "the PF takes its frames" "$mac" "$(fdb)"
expect 0 guest move web3 --to vf --live --dry-run
showed "attach VF 0 of ens2f0 to web3, while it runs, and wait until it uses it"
is "order" "attach attach no longer install " "$(order)"
# a guest that does nothing with its VF keeps its port
deviate '[{"op": "virt_attach", "never": true}]'
expect 4 guest move web3 --to vf --live
said "web3: does not use VF 0" "0000:81:10.0" "--guest-timeout"
deviate '[]'
has "its frames go to the port" "$(flows br-red)" "dl_dst=$mac"
is "the PF takes its frames" "$mac" "$(fdb)"
case $(xml web3 live) in *transient*) fail "the VF is still there" ;; *) passed ;; esac
over
change guest move web3 --to vf --live
has "the VF is back" "$(xml web3 live)" '<teaming type="transient"'
is "the PF takes no frames for it" "" "$(fdb)"
change guest detach web3
is "ports" up-red "$(ports)"

# ---- without a domain, and as a raw device: there and home ----
red
for i in 1 2; do defined web$i "$i" "" shared; done
for i in 1 2; do expect 0 guest attach web$i --net red; done
for kind in hands-off raw-hostdev; do
	defined box 9 "" shared
	change guest attach box --net red --$kind --vlan 9
	is "lease" "vhostuser|${kind%-hostdev}|0000:81:00.0||reserved" "$(lease box)"
	expect 0 guest detach web2
	change guest move box --to vf
	is "lease" "vf|${kind%-hostdev}|0000:81:00.0|1|reserved" "$(lease box)"
	is "its VLAN is ours" 9 "$(pf_of ens2f0 '.vf[1].attrs.vlan')"
	change guest move box --to vhostuser
	is "the VF is as found" 0 "$(pf_of ens2f0 '.vf[1].attrs.vlan')"
	expect 0 guest detach box
	expect 0 guest attach web2 --net red
	edit_host '.domains |= map(select(.name != "box"))'
done

# ---- what cannot go along ----
red
for i in 1 2 4; do defined web$i "$i" "" shared; done
expect 0 guest attach web4 --net red
echo 'name odd flow-type udp4 dst-ip 10.0.0.4 vlan-etype 0x8100 drop' >"$work/rules"
expect 0 flow apply "$work/rules" --pf ens2f0
expect 1 guest move web4 --to vhostuser
said "rule odd" "vlan-etype"
is "lease" "vf|interface|0000:81:00.0|0|reserved" "$(lease web4)"
expect 0 guest attach web1 --net red
expect 1 guest attach web2 --net red
said "rule odd" "vlan-etype"
is "nothing is left of it" "web1 web4 " "$(recorded)"
# a macvtap or tap has no rules: a drop that is about the guest keeps it away, others are listed
expect 3 guest attach web2 --net red --paths macvtap
said "rule odd of ens2f0 drops packets" "a macvtap carries no rules" "--paths vf,vhostuser"
is "nothing is left of it" "web1 web4 " "$(recorded)"
cat >"$work/rules" <<R
name to-web4 flow-type udp4 dst-ip 10.0.0.4 dst-port 9 guest web4
name pf-only flow-type udp4 dst-ip 10.0.0.5 dst-port 9 in pf queue 1
R
sed -i 's/ in pf / /' "$work/rules"
expect 0 flow apply "$work/rules" --pf ens2f0
expect 0 guest attach web2 --net red --paths macvtap --vlan 7
is "lease" "macvtap|bridge|0000:81:00.0||reserved" "$(lease web2)"
expect 1 guest move web2 --to vf
said "holds a macvtap" "attach it anew"
over

# ---- two PFs of one network ----
new_host ".ovs = $ovs"
expect 0 vf create ens2f0 --count 1 --mac auto
expect 0 vf create ens1f0 --count 1 --mac auto
let_land
expect 0 physnet add red ens2f0 ens1f0 --bridge br-red --uplink af_packet
for i in 1 2 3; do defined web$i "$i" "" shared; done
expect 0 guest attach web1 --pf ens2f0
expect 0 guest attach web2 --pf ens2f0 --paths vhostuser
# a VF of the other PF is free, and a move stays on its own
expect 1 guest move web2 --to vf
said "no VF of ens2f0 is free" "ens1f0 of physnet red has a free one" "guest detach 'web2', then guest attach 'web2' --net red"
expect 0 guest rebalance
is "it stays" "vhostuser|interface|0000:81:00.0||reserved" "$(lease web2)"
expect 0 guest attach web3 --pf ens1f0
# that one on the bridge, which is the network's, and home to its own PF
change guest move web3 --to vhostuser
is "lease" "vhostuser|interface|0000:3b:00.0||reserved" "$(lease web3)"
has "its MAC" "$(fdb)" "$(query "SELECT mac FROM lease WHERE guest = 'web3'")"
expect 0 guest detach web2
expect 0 guest attach web2 --pf ens1f0 --mac 02:00:00:00:00:22
is "lease" "vf|interface|0000:3b:00.0|0|reserved" "$(lease web2)"
expect 1 guest move web3 --to vf
said "no VF of ens1f0 is free" "guest rebalance"
expect 0 guest detach web2
change guest move web3 --to vf
is "lease" "vf|interface|0000:3b:00.0|0|reserved" "$(lease web3)"
is "the PF takes nobody's frames" "" "$(fdb)"
over
