#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# When VFs run out, with a real OVS with DPDK, a real libvirt, and QEMU (TCG); only the NIC is simulated. Guests on
# vhost-user by the product's own commands: healthy, reached by each other and from the wire, with the fate of packets that
# VFs would give them; moves; and what goes wrong with OVS and QEMU, told and repaired.
#
# The NIC's netdev is one end of a veth, whose other end is the wire.
# shellcheck source=tests/harness.sh disable=SC2016,SC2119
. "$(dirname "$0")/../harness.sh"
if [ -z "${FALLBACK_KERNEL-}" ]; then
	[ "$(id -u)" = 0 ] || skip "needs root: namespaces, network devices"
	# before there are namespaces, which have no network
	FALLBACK_KERNEL=$("$repo/tests/lab/lab" kernel 2>"$work/lab") || skip "no kernel for guests: $(tail -n 1 "$work/lab")"
	export FALLBACK_KERNEL
fi
kernel=$FALLBACK_KERNEL
# shellcheck source=tests/ovs.sh
. "$repo/tests/ovs.sh"
# shellcheck source=tests/libvirtd.sh
. "$repo/tests/libvirtd.sh"
# shellcheck source=tests/guest.sh
. "$repo/tests/guest.sh"
# shellcheck source=tests/fates.sh
. "$repo/tests/fates.sh"
fates_on_vfs
# sanitizers know nothing of XDR, which libvirt speaks
tool=$release

sockets=$work/sockets
mkdir "$sockets"
fates_devices
ip link set wirex down
ip link set wirex name "$pf"
ip link set "$pf" up
# what comes from a wire has its checksums
ethtool -K wire tx off >/dev/null
ip addr add 10.0.0.254/24 dev wire
ovs_up nohuge 512
start_daemon
ln -s "$lib/libvirt-sock" /run/libvirt/libvirt-sock
new_host '.domains = [] | .pfs |= map(if .netdev == "ens2f0" then .bridge = "veb" else . end)'
export SRIOVCTL_HOST=$host,ovs=live,libvirt=live

socket_of() { query "SELECT socket FROM lease WHERE guest = '$1'"; }
port_of() { basename "$(socket_of "$1")"; }
lease() { query "SELECT path, kind, vf, state FROM lease WHERE guest = '$1'"; }
fdb() { jq -r '[.sim.fdb[]?.mac] | join(" ")' "$host"; }
ports() { vsctl list-ports br-red | tr '\n' ' '; }
flows() { ofctl dump-flows br-red --no-stats; }
leases() { query 'SELECT count(*) FROM lease'; }
definition() { virsh dumpxml --inactive "$1"; }
# health GUEST: whether its port has a number and no error, its link, MTU, and status
health() {
	vsctl --columns=ofport,error,link_state,mtu,status --format=json list Interface "$(port_of "$1")" |
		jq -r '.data[0] | "\(.[0] > 0) \(.[1] == ["set", []]) \(.[2]) \(.[3]) \(.[4][1] | (map({(.[0]): .[1]}) | add).status)"'
}
ofport() { vsctl get Interface "$1" ofport; }
healthy() { [ "$(health "$1")" = "true true up 1500 connected" ]; }
is_healthy() {
	until_true 30 healthy "$1" || true
	is "health of $1" "true true up 1500 connected" "$(health "$1")"
}

# up GUEST ADDRESS: it boots, and its NIC has that address
up() {
	small_start "$1"
	answered "$1" || fail "$1 does not boot"
	addressed "$@"
}
addressed() {
	inside_until "$1" "[ -e /sys/class/net/eth0 ]" || fail "$1 has no NIC"
	inside "$1" "ip addr add $2/24 dev eth0; ip link set eth0 up" || fail "$1 has no address"
	is_healthy "$1"
}
# again_up GUEST ADDRESS: after OVS was started anew. QEMU does not always take the new connection (it accepts it, and
# never says a word); then the guest is started anew.
again_up() {
	until_true 15 healthy "$1" && return
	echo "$1 did not come back by itself"
	virsh destroy "$1"
	up "$@"
}

# ---- the network, and eight VFs for eight guests ----
expect 0 vf create "$pf" --count 8 --mac auto
jq '.sim.clock_ms = (.sim.clock_ms // 0) + 60000' "$host" >"$work/edited" && mv "$work/edited" "$host"
expect 0 physnet add red "$pf" --bridge br-red --uplink af_packet --sockets "$sockets"
is "the uplink" "up-red " "$(ports)"
expect 0 physnet check red
for ((i = 1; i <= 8; i++)); do
	small_defined "vm$i" "$((100 + i))"
	expect 0 guest attach "vm$i" --net red
done
is "eight on VFs" 8 "$(query "SELECT count(DISTINCT vf) FROM lease WHERE path = 'vf'")"
has "a VF in the definition" "$(definition vm8)" "<interface type='hostdev'"

# ---- the ninth, stopped; the tenth with a VLAN; the eleventh while it runs ----
for i in 1 2 3; do small_defined "web$i" "$i"; done
small_start web3
expect 0 guest attach web1 --net red --mac "$mac1" --max-rate 20
is "lease" "vhostuser|interface||reserved" "$(lease web1)"
expect 0 guest show web1
showed "as no VF that would do is free"
small_start web1
answered web3 || fail "web3 does not boot"
answered web1 || fail "web1 does not boot"
expect 0 guest attach web2 --net red --mac "$mac2" --vlan 7
expect 0 guest attach web3 --net red
for i in 1 3; do addressed "web$i" "10.0.0.$i"; done
is "not there yet" "disconnected" "$(health web2 | sed 's/.* //')"
is "the PF takes their frames" 3 "$(fdb | wc -w)"
expect 0 physnet check red
expect 0 vswitch check

# ---- reached by each other and from the wire ----
# pings GUEST ADDRESS
pings() { inside "$1" "ping -c 3 -i 0.2 -W 2 $2" >"$work/ping"; }
reaches() {
	inside_until "$1" "ping -c 1 -W 1 $2" >"$work/ping" || true
	if pings "$@"; then passed; else fail "$1 does not reach $2: $(tail -n 3 "$work/ping")"; fi
}
reaches web1 10.0.0.3
reaches web3 10.0.0.1
reaches web1 10.0.0.254
reaches web3 10.0.0.254
# what nobody listens for is counted
unheard() { inside "$1" "awk '/^Udp: [0-9]/ {print \$3}' /proc/net/snmp"; }
before=$(unheard web1)
inside web3 "traceroute -n -q 3 -m 1 -w 2 10.0.0.1" >"$work/udp" || true
until_true 20 eval '[ "$(($(unheard web1) - before))" = 3 ]' || true
is "UDP between guests" 3 "$(($(unheard web1) - before))"
for _ in 1 2 3; do echo hello >/dev/udp/10.0.0.1/5000 || true; done
until_true 20 eval '[ "$(($(unheard web1) - before))" = 6 ]' || true
is "UDP from the wire" 6 "$(($(unheard web1) - before))"

# ---- the same rules, the same fate of the same packets ----
expect 0 flow apply "$work/rules" --pf "$pf"
showed "queue 1 is lost"
expect 0 flow apply "$work/rules" --pf "$pf"
showed "nothing to do"
before=$(unheard web1)
for _ in 1 2 3; do echo hello >/dev/udp/10.0.0.1/5000 || true; done
echo hello >/dev/udp/10.0.0.1/4999 || true
until_true 20 eval '[ "$(($(unheard web1) - before))" -ge 1 ]' || true
is "a running guest no longer gets what a rule drops" 1 "$(($(unheard web1) - before))"
virsh destroy web1
forwarder_up "$(socket_of web1)" "$(socket_of web2)"
is_healthy web1
is_healthy web2
number=([wire]=$(ofport up-red) [guest1]=$(ofport "$(port_of web1)") [guest2]=$(ofport "$(port_of web2)"))
is "the first packet gets through" "to-1 guest1=3" "$(first_fate)"
same_fates br-red
limited_to 20
forwarder_end
rm -f "$(socket_of web1)" "$(socket_of web2)"

# ---- home and back: stopped, and as far as libvirt lets without an IOMMU while it runs ----
expect 1 guest move web1 --to vf
said "is free"
expect 0 guest detach vm1
expect 0 guest rebalance --dry-run
showed "web3 stays on vhostuser"
port=$(port_of web1) before=$(pf_of "$pf" '.rules | length')
expect 0 guest move web1 --to vf
is "lease" "vf|interface|0|reserved" "$(lease web1)"
case $(ports) in *"$port"*) fail "its port is still there" ;; *) passed ;; esac
has "its VF in the definition" "$(definition web1)" "<interface type='hostdev'"
case $(fdb) in *"$mac1"*) fail "the PF still takes its frames" ;; *) passed ;; esac
is "its rate went along" 20 "$(pf_of "$pf" '.vf[0].attrs.max_rate')"
case $(flows) in *"dl_dst=$mac1"*) fail "the bridge still has its flows" ;; *) passed ;; esac
is "its rule is in the NIC" $((before + 1)) "$(pf_of "$pf" '.rules | length')"
expect 0 guest move web1 --to vhostuser
is "lease" "vhostuser|interface||reserved" "$(lease web1)"
up web1 10.0.0.1
reaches web1 10.0.0.3
before=$(lease web3)
expect 4 guest move web3 --to vf --live
said "passthrough"
is "it has its port as before" "$before" "$(lease web3)"
addressed web3 10.0.0.3
reaches web3 10.0.0.1

# ---- what goes wrong with OVS and QEMU ----
made_good() { # STEPS…: what `physnet check` names, `restore` mends
	expect 2 physnet check red
	showed "$@" "sriovctl restore"
	expect 0 restore
	until_true 60 healthy web3 || true
	expect 0 physnet check red
}
vsctl del-port "$(port_of web3)"
made_good "make vhost-user port $(port_of web3) of web3" "install the flows"
reaches web3 10.0.0.1
ofctl del-flows br-red
made_good "install the flows"
reaches web3 10.0.0.254

vsctl del-port up-red
made_good "make $pf (af_packet) the uplink up-red" "install the flows"
reaches web3 10.0.0.254
# what a host that lost its power in the middle of a change has kept
vsctl add-port br-red vhu-lost -- set Interface vhu-lost type=dpdkvhostuserclient \
	options:vhost-server-path="$sockets/vhu-lost" external_ids:sriovctl-guest=lost
made_good "delete port vhu-lost of bridge br-red, which is ours and of no lease"

ended ovs-vswitchd KILL
expect 1 physnet check red
said "ovs-vswitchd"
# OVS comes back, and who listens for it is not the guest's QEMU: the connection is taken, and never a word is said
mv "$(socket_of web3)" "$work/web3.sock"
python3 -c 'import signal, socket, sys
mute = socket.socket(socket.AF_UNIX)
mute.bind(sys.argv[1])
mute.listen()
signal.alarm(600)
signal.pause()' "$(socket_of web3)" &
mute=$!
vswitchd_up
again_up web1 10.0.0.1
expect 2 physnet check red
showed "port $(port_of web3) of web3 passes no frames: no guest's driver is connected to it" "start the guest anew"
kill $mute
wait $mute || true
mv "$work/web3.sock" "$(socket_of web3)"
again_up web3 10.0.0.3
again_up web1 10.0.0.1
made_good "install the flows"
reaches web3 10.0.0.1

kill -9 "$(cat /run/libvirt/qemu/web3.pid)"
until_true 30 eval '[ "$(virsh domstate web3)" = "shut off" ]'
until_true 60 eval '[ "$(health web3 | sed "s/.* //")" = disconnected ]' || true
is "seen by OVS" disconnected "$(health web3 | sed 's/.* //')"
up web3 10.0.0.3
reaches web3 10.0.0.1

# nothing of an attach that fails is left
small_defined web4 4
nothing() {
	is "leases" "$1" "$(query 'SELECT * FROM lease ORDER BY id')"
	is "ports" "$2" "$(ports)"
	same "flows" "$3" "$(flows | sort)"
	is "frames that the PF takes" "$4" "$(fdb)"
	case $(definition web4) in *interface*) fail "web4 has an interface" ;; *) passed ;; esac
	over
}
as_before=("$(query 'SELECT * FROM lease ORDER BY id')" "$(ports)" "$(flows | sort)" "$(fdb)")
mv "$sockets" "$sockets.away"
touch "$sockets"
expect 1 guest attach web4 --net red --paths vhostuser
said "Not a directory"
rm "$sockets"
mv "$sockets.away" "$sockets"
nothing "${as_before[@]}"
cp /etc/libvirt/qemu.conf "$work/qemu.conf"
echo 'user = "+65534"' >/etc/libvirt/qemu.conf
expect 1 guest attach web4 --net red --paths vhostuser
said "QEMU runs as nobody here"
cp "$work/qemu.conf" /etc/libvirt/qemu.conf
nothing "${as_before[@]}"
pid=$(cat "$OVS_RUNDIR/ovs-vswitchd.pid")
kill -STOP "$pid"
expect 1 guest attach web4 --net red --paths vhostuser
kill -CONT "$pid"
nothing "${as_before[@]}"
# it stops when the port is there and the flows are not
mkdir "$work/bin"
cat >"$work/bin/ovs-ofctl" <<END
#!/bin/sh
case "\$*" in *--bundle*) kill -STOP $pid ;; esac
exec $(command -v ovs-ofctl) "\$@"
END
chmod +x "$work/bin/ovs-ofctl"
PATH=$work/bin:$PATH expect 5 guest attach web4 --net red --paths vhostuser
said "ovs-ofctl" "journal"
kill -CONT "$pid"
expect 0 journal undo "$(query 'SELECT max(id) FROM journal')"
nothing "${as_before[@]}"
# a bridge whose device cannot be made is taken away at once
mount -t tmpfs none /dev/net
expect 1 physnet add blue ens1f0 --bridge br-blue --uplink af_packet
said "br-blue: OVS could not make it" "No such file"
umount /dev/net
is "bridges" br-red "$(vsctl list-br)"
ended ovsdb-server KILL
expect 1 guest attach web4 --net red --paths vhostuser
said "nobody listens"
expect 1 physnet check red
database_up
is_healthy web3
expect 0 physnet check red
nothing "${as_before[@]}"

# ---- with large pages ----
ended ovs-vswitchd
if ovs_huge 512; then
	vswitchd_up
	again_up web1 10.0.0.1
	again_up web3 10.0.0.3
	made_good "install the flows"
	reaches web3 10.0.0.1
fi

# ---- and away ----
virsh destroy web1
virsh destroy web3
expect 0 flow delete "$pf" --all
for guest in web1 web2 web3 vm2 vm3 vm4 vm5 vm6 vm7 vm8; do expect 0 guest detach "$guest"; done
is "no lease" 0 "$(leases)"
expect 0 physnet delete red
is "no bridge" "" "$(vsctl list-br)"
is "no frames" "" "$(fdb)"
over
