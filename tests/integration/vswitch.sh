#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A real OVS with DPDK and guests by virtio-user: ports, their health, and the same fate for the same packets on a port of
# a bridge as `flow trace` tells of a VF. Then what goes wrong: no OVS, no DPDK, killed, restarted, deleted behind our
# back, packets polled on the wrong node.
#
# Each guest is a testpmd that joins its virtio device to a veth, where vswitch-frames.py sends and listens.
# shellcheck source=tests/harness.sh disable=SC2016,SC2119
. "$(dirname "$0")/../harness.sh"
# shellcheck source=tests/ovs.sh
. "$repo/tests/ovs.sh"
# shellcheck source=tests/fates.sh
. "$repo/tests/fates.sh"
with cc python3
compile_helper "$repo/build-dev/libsriov.a" -fsanitize=address,undefined -fno-sanitize-recover=undefined

# vsw OPERATION…: its output in $work/out, its error in $work/err
vsw() {
	command="(effects) $*"
	status=0
	"$work/vswitch" live "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
}
# ok OPERATION…, no CODE OPERATION…
ok() {
	vsw "$@"
	is "status" 0 "$status"
}
no() {
	local code=$1
	shift
	vsw "$@"
	is "status" 1 "$status"
	has "the code" "$(cat "$work/err")" "code: $code"
}
port() { jq -r ".$1" "$work/out"; }

# ---- no OVS, half an OVS ----
no ENOENT check br0
said "db.sock" "there is no such socket" "install and start Open vSwitch"
new_host
expect 1 --host "$host,ovs=live" vswitch show
said "there is no such socket"
database_up
vsctl --no-wait init
no EOPNOTSUPP check br0
TIMEOUT_MS=3000 no ETIMEDOUT bridge-add br-late
said "ovs-vswitchd did not take note of the change in time"
vsctl --no-wait --if-exists del-br br-late
if [ -x /usr/lib/openvswitch-switch/ovs-vswitchd ]; then
	vswitchd=/usr/lib/openvswitch-switch/ovs-vswitchd vswitchd_up
	no EOPNOTSUPP check br0
	said "built without DPDK" "openvswitch-switch-dpdk"
	ended ovs-vswitchd
fi
vswitchd_up
no EOPNOTSUPP check br0
said "DPDK is not enabled in it (dpdk-init)"
ended ovs-vswitchd
ended ovsdb-server
no ENOENT check br0
rm -f "$OVS_RUNDIR"/{conf.db,db.sock,*.pid,*.ctl}

# ---- ports ----
ovs_up nohuge
fates_devices
ok bridge-add br0
no EEXIST bridge-add br0
ok check br0
no ENODEV check br1
said "did you mean br0?"
vsctl add-br br-kernel
no EOPNOTSUPP check br-kernel
vsctl add-br br-other -- set bridge br-other datapath_type=netdev -- set-controller br-other tcp:127.0.0.1:1
no EPERM check br-other
said "it has an OpenFlow controller, tcp:127.0.0.1:1"
vsctl del-br br-other -- del-br br-kernel
ok uplink-add br0 up net_af_packet0,iface=wirex
is "the uplink" "1 true" "$(port 'ofport | tostring') $(port link)"
for i in 1 2; do
	ok port-add br0 "vhu-web$i" "$OVS_RUNDIR/web$i.sock"
	is "waits for its guest" "$((i + 1)) disconnected web1" "$(port ofport) $(port status) $(port guest)"
done
no EEXIST port-add br0 vhu-web1 "$OVS_RUNDIR/x.sock"
no ENODEV port-add br9 vhu-web9 "$OVS_RUNDIR/x.sock"
TIMEOUT_MS=3000 no ETIMEDOUT port-wait vhu-web1 connected
said "no guest's driver is connected to it"
# what OVS cannot make does not stay, and OVS does not try again for ever
no EIO uplink-add br0 bad 0000:01:02.3
said "OVS could not make it" "Error attaching device '0000:01:02.3' to DPDK"
is "taken away" 1 "$(vsctl get Interface bad name >/dev/null 2>&1; echo $?)"
no ENODEV port-del br0 bad
no EACCES check-socket "$OVS_RUNDIR/web1.sock" nobody
said "QEMU runs as nobody here" "install -d -o nobody"

# ---- guests ----
guests_up() {
	local i
	forwarder_up "$OVS_RUNDIR"/web{1,2}.sock
	for i in 1 2; do
		TIMEOUT_MS=120000 ok port-wait "vhu-web$i" connected
	done
}
guests_end() {
	forwarder_end
	rm -f "$OVS_RUNDIR"/web?.sock
}
# A virtio-user device that lost its OVS listens for the next one; not always in time, then it is started anew.
guests_again() {
	if "$work/vswitch" live port-wait vhu-web1 connected >/dev/null 2>&1 &&
		"$work/vswitch" live port-wait vhu-web2 connected >/dev/null 2>&1; then
		return
	fi
	echo "the guests did not come back by themselves"
	guests_end
	guests_up
}
guests_up
is "healthy" "connected true 1500 0 1" "$(port status) $(port link) $(port mtu) $(port node) $(port queues)"

# ---- the same packets, the same fate ----
fates_on_vfs
guest_ports=("web1,2,52:54:00:00:00:01" "web2,3,52:54:00:00:00:02,vlan=7")
ok policy br0 "$work/rules" 1 "mac=$pf_mac" "${guest_ports[@]}"
has "notes" "$(out)" "note: rule pf: queue 1 is lost: here its packets go where their MAC address says"
ok policy br0 "$work/rules" 1 "mac=$pf_mac" "${guest_ports[@]}"
has "the second time nothing is to do" "$(out)" "before 0 flows 0 after 0"

is "the first packet gets through" "to-1 guest1=3" "$(first_fate)"
same_fates br0
echo "figure: $(wc -l <"$work/packets") kinds of packets have the same fate on OVS-DPDK $(ovs-vswitchd --version 2>/dev/null | sed -n '1s/.* //p') as flow trace tells of VFs (simulated 82599)"

# frames to groups reach each guest of the VLAN once; a rule that sends them on does so once
cat >"$work/groups" <<END
all-7 wire udp 198.51.100.7:1024 > 10.0.0.7:7 dmac ff:ff:ff:ff:ff:ff $from vid 7
all wire udp 198.51.100.7:1024 > 10.0.0.7:7 dmac ff:ff:ff:ff:ff:ff $from
all-dns wire udp 198.51.100.7:1024 > 10.0.0.7:53 dmac ff:ff:ff:ff:ff:ff $from vid 7
all-early wire udp 198.51.100.7:1024 > 10.0.0.7:5004 dmac 01:00:5e:00:00:01 $from vid 7
from-1 guest1 udp 10.0.0.1:1024 > 10.0.0.7:7 dmac ff:ff:ff:ff:ff:ff $from1
from-2 guest2 udp 10.0.0.2:1024 > 10.0.0.7:7 dmac ff:ff:ff:ff:ff:ff $from2
END
same "frames to groups" "all-7 guest1=3/7 guest2=3
all guest1=3
all-dns -
all-early guest2=3
from-1 wire=3
from-2 guest1=3/7 wire=3/7" "$(fates <"$work/groups")"

# a drop for one guest drops its copy only; what stands before it in the list is not dropped
printf '%s\n' 'udp4 dst-port 7 in guest web2 queue 1' 'udp4 dst-port 7 drop' 'udp4 dst-port 9 in guest web2 drop' >"$work/scoped"
ok policy br0 "$work/scoped" 1 "mac=$pf_mac" "${guest_ports[@]}"
cat >"$work/groups" <<END
before-drop wire udp 198.51.100.7:1024 > 10.0.0.7:7 dmac ff:ff:ff:ff:ff:ff $from vid 7
one-copy wire udp 198.51.100.7:1024 > 10.0.0.7:9 dmac ff:ff:ff:ff:ff:ff $from vid 7
its-own wire udp 198.51.100.7:1024 > 10.0.0.7:9 $two $from vid 7
END
same "scoped rules" "before-drop guest2=3
one-copy guest1=3/9
its-own -" "$(fates <"$work/groups" | sed 's#guest1=3/7#guest1=3/9#')"

# ---- rates ----
ok policy br0 "$work/rules" 1 web1,2,52:54:00:00:00:01,rate=10
has "a meter" "$(out)" "meters 1 before 1 flows 1 after 0"
limited_to 10
ok policy br0 "$work/rules" 1 web1,2,52:54:00:00:00:01,rate=20
has "the new meter first, the old one last" "$(out)" "before 1 flows 1 after 1"
ok flows br0
is "only the new one" 1 "$(grep -c '^meter .* 20000 ' "$work/out")"
ok policy br0 "$work/rules" 1 "mac=$pf_mac" "${guest_ports[@]}"
ok flows br0
is "no meter is left" 0 "$(grep -c '^meter' "$work/out")"
sum() { ofctl dump-flows br0 --no-stats | sort | md5sum; }

# ---- others' flows, and a bundle that OVS does not take ----
ofctl add-flow br0 'cookie=0x7,priority=1,in_port=77,actions=drop'
before=$(sum)
printf '%s\n' 'udp4 dst-port 54 drop' >"$work/one"
ok policy br0 "$work/one" 1 "${guest_ports[@]}"
is "others' flows stay" 1 "$(ofctl dump-flows br0 cookie=0x7/-1 | grep -c cookie=0x7)"
ok policy br0 "$work/rules" 1 "mac=$pf_mac" "${guest_ports[@]}"
is "and back" "$before" "$(sum)"
"$work/vswitch" live flows-bad br0 >/dev/null 2>"$work/err" && fail "a bundle with a bad line is taken"
said "OVS does not take one of the flows, and so none" "add cookie=0x1,table=300"
is "nothing of it is there" "$before" "$(sum)"

# ---- what goes wrong ----
ended ovs-vswitchd KILL
no ENODEV port-del br0 nothing
TIMEOUT_MS=300 no ETIMEDOUT port-set vhu-web1 1500
no ECONNREFUSED policy br0 "$work/rules" 1 "${guest_ports[@]}"
said "nobody answers at the bridge's OpenFlow socket" "ovs-vswitchd runs"
expect 0 --host "$host,ovs=live" vswitch show
showed "who polls which queue is not known" "ovs-vswitchd"
vswitchd_up
guests_again
ok policy-diff br0 "$work/rules" 1 "mac=$pf_mac" "${guest_ports[@]}"
has "a restarted OVS has no flows, and that is seen" "$(out)" "flows 1"
ok policy br0 "$work/rules" 1 "mac=$pf_mac" "${guest_ports[@]}"
is "repaired" "to-1 guest1=3" "$(first_fate)"
vsctl del-port vhu-web1
no ENODEV port-wait vhu-web1 connected
ok port-add br0 vhu-web1 "$OVS_RUNDIR/web1.sock"
ok port-wait vhu-web1 connected
guest_ports[0]="web1,$(port ofport),52:54:00:00:00:01"
ok policy br0 "$work/rules" 1 "mac=$pf_mac" "${guest_ports[@]}"
has "it has a new number, and so other flows" "$(out)" "flows 1"
is "repaired too" "to-1 guest1=3" "$(first_fate)"
ended ovsdb-server KILL
no ECONNREFUSED port-wait vhu-web1 connected
said "nobody listens"
database_up
ok port-wait vhu-web1 connected
guests_end
until_true 20 eval '[ "$(vsctl get Interface vhu-web1 status:status)" = disconnected ]'
TIMEOUT_MS=3000 no ETIMEDOUT port-wait vhu-web1 connected
guests_up
is "the same guest again" connected "$(port status)"

# ---- the wrong node, and large pages ----
# CPU 0 is said to be node 0's, CPU 1 node 1's; the guest's memory is on node 0, and CPU 1 polls it.
ended ovs-vswitchd
mode=nohuge
! ovs_huge 512 || mode=huge
vswitchd_up --dummy-numa=0,1
guests_again
echo "figure: vhost-user ports are healthy with virtio-user guests on OVS-DPDK without hugepages$([ "$mode" = nohuge ] || echo " and with (2 MiB)")"
new_host '.nodes = [{"id": 0, "cpus": "0", "memory_mib": 4096}, {"id": 1, "cpus": "1", "memory_mib": 4096}] | .pfs = []'
expect 2 --host "$host,ovs=live" vswitch check
showed "[no-local-pmd] node 0" "pmd-cpu-mask 0x2 is CPUs 1; node 0 has CPUs 0" "other_config:pmd-cpu-mask=0x3"
expect 2 --host "$host,ovs=live" vswitch plan
before=$(cat "$work/out")
line=$(grep '^ovs-vsctl' "$work/out")
is "one command" "ovs-vsctl set Open_vSwitch . other_config:pmd-cpu-mask=0x3" "$line"
read -ra words <<<"${line#ovs-vsctl }"
vsctl "${words[@]}"
local_now() { "$dev" --host "$host,ovs=live" vswitch check; }
until_true 20 local_now || { local_now || true; }
expect 0 --host "$host,ovs=live" vswitch plan
showed "nothing to do"
expect 0 --host "$host,ovs=live" vswitch show --json
is "polled at home" "0 0" "$(out | jq -r '[.vswitch.queues[] | select(.port | startswith("vhu-")) | .node] | join(" ")')"
vsctl set Interface vhu-web1 'other_config:pmd-rxq-affinity="0:1"'
until_true 20 eval '! local_now'
expect 2 --host "$host,ovs=live" vswitch check
showed "[remote-queue] port vhu-web1" "CPU 1 polls its queue" "pmd-rxq-affinity=\"0:0\""

# ---- and away ----
for i in 1 2; do
	ok port-del br0 "vhu-web$i"
	no ENODEV port-del br0 "vhu-web$i"
done
ok policy-none br0
ok flows br0
is "none of ours is left" "" "$(out)"
ok bridge-del br0
no ENODEV bridge-del br0
forwarder_end
