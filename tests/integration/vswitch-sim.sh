#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The simulated OVS: each effect, its count and its deviations, what it shows, and the same for the commands on it.
# shellcheck source=tests/harness.sh disable=SC2016,SC2119
. "$(dirname "$0")/../harness.sh"
with cc
read -ra libraries <<<"$(pkg-config --libs libnl-3.0 libmnl sqlite3 jansson)"
read -ra cflags <<<"$(pkg-config --cflags libnl-3.0 jansson)"
cc -std=gnu17 -D_GNU_SOURCE -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -I"$repo/include" -I"$repo" \
	"${cflags[@]}" -o "$work/vswitch" "$repo/tests/integration/vswitch.c" "$repo/build-dev/libsriov.a" \
	"${libraries[@]}" -ldl

vsw() {
	command="(effects) $*"
	status=0
	"$work/vswitch" "$host" "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
}
ok() {
	vsw "$@"
	is "status" 0 "$status"
}
no() {
	local code=$1
	shift
	vsw "$@"
	is "status" 1 "$status"
	has "the code" "$(err)" "code: $code"
}

# ---- ovs-ofctl ----
# One that never ends is killed after 30 seconds: that is looked at when the rest is done.
mkdir "$work/slow" "$work/none"
printf '#!/bin/sh\nexec sleep 1000\n' >"$work/slow/ovs-ofctl"
chmod +x "$work/slow/ovs-ofctl"
PATH="$work/slow:$PATH" "$work/vswitch" live policy-none br0 >/dev/null 2>"$work/slow.err" &
slow=$!
PATH=$work/none "$work/vswitch" live policy-none br0 >/dev/null 2>"$work/err" && fail "it went without ovs-ofctl"
said "the program cannot be started" "install the package openvswitch-common" "code: ENOENT"
printf '#!/bin/sh\necho "2026-11-26T18:36:31Z|00001|vconn|WARN|noise" >&2\necho "ovs-ofctl: no such luck" >&2\nexit 1\n' >"$work/none/ovs-ofctl"
chmod +x "$work/none/ovs-ofctl"
PATH="$work/none:$PATH" "$work/vswitch" live flows br0 >/dev/null 2>"$work/err" && fail "its failure is not seen"
said "br0: the bridge does not take it" "kernel: ovs-ofctl: no such luck" "code: EREMOTEIO"

# ---- a database that takes connections and says nothing: whatever is asked of it has no answer, not even a good one ----
mkdir "$work/mute"
coproc mute { exec python3 -c '
import signal, socket, sys
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
s.listen(9)
print("ready", flush=True)
signal.alarm(600)
signal.pause()' "$work/mute/db.sock"; }
read -r -u "${mute[0]}" _
for call in "port-wait vhu-web1 made" "port-wait vhu-web1 connected" "port-del br0 vhu-web1" "bridge-add br0"; do
	# shellcheck disable=SC2086
	TIMEOUT_MS=300 OVS_RUNDIR=$work/mute "$work/vswitch" live $call >/dev/null 2>"$work/err" && fail "$call: it has an answer"
	said "no answer in time" "code: ETIMEDOUT"
done
kill "$mute_PID"
wait "$mute_PID" || true

ovs='{"version": "3.1.0", "dpdk_version": "DPDK 22.11.11", "dpdk": true, "dpdk_init": true, "dpdk_initialized": true,
	"pmd_cpu_mask": "0x2", "bridges": []}'

# ---- there is none ----
new_host
no ENOENT check br0
said "there is no such socket" 'its file has no "ovs"'
expect 1 vswitch show
said "there is no such socket"
expect 1 vswitch check --json
is "as JSON" "No such file or directory" "$(out | jq -r .error.kernel)"

# ---- effects ----
new_host ".ovs = $ovs"
ok bridge-add br0
no EEXIST bridge-add br0
ok uplink-add br0 up 0000:81:10.6 2
ok port-add br0 vhu-web1 /run/web1.sock 9000
is "the port" "2 disconnected web1" "$(out | jq -r '"\(.ofport) \(.status) \(.guest)"')"
no EEXIST port-add br0 vhu-web1 /run/web1.sock
no ENODEV port-add br9 vhu-web2 /run/web2.sock
no ETIMEDOUT port-wait vhu-web1 connected
said "no guest's driver is connected to it"
ok port-wait vhu-web1 made
ok port-set vhu-web1 1500 0:1
no ENODEV port-set vhu-web9 1500
is "in the file" '1500 0:1' "$(jq -r '.ovs.bridges[0].ports[2] | "\(.mtu_request) \(.affinity)"' "$host")"
printf '%s\n' 'udp4 dst-port 53 drop' >"$work/rules"
ok policy br0 "$work/rules" 1 web1,2,52:54:00:00:00:01,rate=10
ok policy br0 "$work/rules" 1 web1,2,52:54:00:00:00:01,rate=10
has "nothing to do the second time" "$(out)" "before 0 flows 0 after 0"
ok policy br0 "$work/rules" 1 web1,2,52:54:00:00:00:01
ok flows br0
is "no meter is left" 0 "$(grep -c '^meter' "$work/out")"
is "flows" "$(grep -c . "$work/out")" "$(jq '.ovs.bridges[0].flows | length' "$host")"
is "counted" '{"ovs_bridge_add":2,"ovs_flows":2,"ovs_meter_del":1,"ovs_meter_set":1,"ovs_port_add":4,"ovs_port_set":2}' \
	"$(effects | jq -cS .)"
no ECONNREFUSED policy-none br9
said "nobody answers at the bridge's OpenFlow socket"
ok policy-none br0
ok flows br0
is "no flow is left" "" "$(out)"

# ---- a guest ----
edit_host --arg xml "<domain type='kvm'><name>web1</name><numatune><memory mode='strict' nodeset='1'/></numatune><devices><interface type='vhostuser'><mac address='52:54:00:00:00:01'/><source type='unix' path='/run/web1.sock' mode='server'/><model type='virtio'/></interface></devices></domain>" \
	'.domains = [{"name": "web1", "state": "running", "xml": $xml}]'
ok port-wait vhu-web1 connected
is "its node, and the MTU asked for" "1 1500 true" "$(out | jq -r '"\(.node) \(.mtu) \(.link)"')"
expect 2 vswitch check
showed "[no-local-pmd] node 1" "fix: ovs-vsctl set Open_vSwitch . other_config:pmd-cpu-mask=0x"
expect 2 vswitch plan
mask=$(out | sed -n 's/.*pmd-cpu-mask=//p')
edit_host --arg mask "$mask" '.ovs.pmd_cpu_mask = $mask'
expect 0 vswitch check
showed "nothing found"
expect 0 vswitch plan
showed "nothing to do"
expect 0 vswitch show
showed "Open vSwitch 3.1.0, DPDK 22.11.11" "vhu-web1" "connected" "node 1" "br0: datapath netdev, ours"
expect 0 vswitch show --json
is "as JSON" "1 connected" "$(out | jq -r '.vswitch.bridges[0].ports[] | select(.name == "vhu-web1") | "\(.node) \(.status)"')"
edit_host '.domains[0].state = "defined"'
no ETIMEDOUT port-wait vhu-web1 connected

# ---- deviations ----
deviate '[{"op": "ovs_port_add", "times": 1, "errno": "ETIMEDOUT"}, {"op": "ovs_port_del", "times": 1, "lie": true},
	{"op": "ovs_flows", "times": 1, "errno": "EREMOTEIO"}, {"op": "ovs_meter_set", "times": 1, "errno": "EREMOTEIO"}]'
no ETIMEDOUT port-add br0 vhu-web2 /run/web2.sock
ok port-add br0 vhu-web2 /run/web2.sock
ok port-del br0 vhu-web2
ok port-wait vhu-web2 made
ok port-del br0 vhu-web2
no ENODEV port-wait vhu-web2 made
no EREMOTEIO policy br0 "$work/rules" 1 web1,2,52:54:00:00:00:01
no EREMOTEIO policy br0 "$work/rules" 1 web1,2,52:54:00:00:00:01,rate=5
edit_host '.ovs.cannot_make = {"vhu-web3": "Error attaching device"}'
before=$(jq -c .ovs "$host")
no EIO port-add br0 vhu-web3 /run/web3.sock
said "OVS could not make it" "OVS: Error attaching device"
is "nothing is left of it" "$before" "$(jq -c .ovs "$host")"
edit_host '.ovs.stopped = true'
no ETIMEDOUT bridge-add br2
said "ovs-vswitchd did not take note of the change in time"
expect 0 vswitch show
showed "who polls which queue is not known"
# whoever waits for it waits as long as is asked for, and nothing is left
clock=$(jq .sim.clock_ms "$host")
expect 1 physnet add red ens2f0 --bridge br-red --uplink af_packet --kernel-timeout 7
said "ovs-vswitchd did not take note of the change in time"
between "milliseconds, of the simulated clock" 7000 29999 $(($(jq .sim.clock_ms "$host") - clock))
is "no network" "" "$(query 'SELECT * FROM physnet')"
edit_host '.ovs.stopped = false'
ok bridge-del br0
no ENODEV bridge-del br0

# ---- refusals, and files that are not right ----
for row in '{"dpdk": false}|built without DPDK' '{"dpdk_init": false}|DPDK is not enabled' \
	'{"dpdk_initialized": false}|could not be started' \
	'{"bridges": [{"name": "br0", "datapath": "netdev", "owner": "it has a controller"}]}|belongs to another: it has a controller' \
	'{"bridges": [{"name": "br0"}]}|datapath_type system' '{}|there is no such bridge'; do
	new_host ".ovs = $ovs + ${row%%|*}"
	vsw check br0
	is "status" 1 "$status"
	said "${row#*|}"
done
for row in '3|ovs' '{"bridges": 3}|ovs.bridges' '{"bridges": [{}]}|ovs.bridges[0].name' '{"surplus": 1}|surplus' \
	'{"bridges": [{"name": "br0", "ports": [{"name": "x", "ofport": 99999}]}]}|ovs.bridges[0].ports[0].ofport' \
	'{"bridges": [{"name": "br0", "flows": [7]}]}|ovs.bridges[0].flows[0]' \
	'{"bridges": [{"name": "br0", "meters": [{}]}]}|ovs.bridges[0].meters[0].id'; do
	new_host ".ovs = ${row%%|*}"
	expect 1 vswitch show
	said "${row#*|}"
done
new_host ".ovs = $ovs"
expect 1 --host "$host,ovs=maybe" vswitch show
said "is not part of a simulated host"
expect 1 --host "$host,ovs=live,ovs=live" vswitch show
said "that was said before"
OVS_RUNDIR=$work/nowhere expect 1 --host "$host,ovs=live" vswitch show
said "$work/nowhere/db.sock" "there is no such socket"
wait "$slow" && fail "a program that does not end is not seen"
has "one that does not end" "$(cat "$work/slow.err")" "ovs-ofctl: it did not end in 30 s"
is "it is gone" "" "$(jobs -r)"
