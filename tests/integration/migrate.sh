#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A guest on vhost-user goes to another host and comes back while it runs: two real libvirtd, real QEMU (TCG), real OVS with
# DPDK. The two hosts share this kernel and one OVS, but nothing of libvirt's: the peer's daemon has its own name, folders,
# hook and state. On each, vhost-user sockets have a folder of another name, so that a guest whose domain nobody rewrites
# finds no port there.
# shellcheck source=tests/harness.sh disable=SC2016,SC2119
. "$(dirname "$0")/../harness.sh"
# shellcheck source=tests/ovs.sh
. "$repo/tests/ovs.sh"
# shellcheck source=tests/libvirtd.sh
. "$repo/tests/libvirtd.sh"
tool=$release

ovs_up nohuge 512
vsctl add-br br0 -- set bridge br0 datapath_type=netdev
# port HOST SOCKET
port() { vsctl add-port br0 "vhu-$1" -- set Interface "vhu-$1" type=dpdkvhostuserclient options:vhost-server-path="$2"; }
new_host
cp "$host" "$work/home.json"
cp "$host" "$work/peer.json"
for name in home peer; do
	mkdir "$work/$name"
	port "$name" "$work/$name/vhu-1"
	# what libvirt says and what it is answered is kept
	cat >"$work/hook.$name" <<END
#!/bin/sh
echo "\$2" >>"$work/called.$name"
cat >"$work/said.$name.\$2"
SRIOVCTL_HOST="$work/$name.json" "$tool" hook libvirt --sockets "$work/$name" -- "\$@" \
	<"$work/said.$name.\$2" >"$work/answer.$name.\$2" || exit
cat "$work/answer.$name.\$2"
END
	chmod +x "$work/hook.$name"
	: >"$work/called.$name"
done
mkdir -p /etc/libvirt/hooks/qemu.d
cp "$work/hook.home" /etc/libvirt/hooks/qemu.d/50-sriovctl
start_daemon

# ---- the other host ----

other=$work/other
mkdir "$other"
sed "s|$lib|$other|g" "$lib/libvirtd.conf" >"$other/libvirtd.conf"
echo "host_uuid = \"$(uuid 77)\"" >>"$other/libvirtd.conf"
cat >"$other/run" <<END
set -e
hostname peer
cp /etc/libvirt/qemu.conf "$other/"
for folder in /etc/libvirt /var/lib/libvirt /run/libvirt /var/cache/libvirt /var/log/libvirt; do
	mount -t tmpfs none "\$folder"
done
mkdir -p /etc/libvirt/hooks/qemu.d
cp "$other/qemu.conf" /etc/libvirt/
cp "$work/hook.peer" /etc/libvirt/hooks/qemu.d/50-sriovctl
exec libvirtd --config "$other/libvirtd.conf" --pid-file "$other/pid" --timeout 0
END
unshare --mount --uts --propagation private bash "$other/run" >"$other/out" 2>&1 7<&- 8>&- &
peer_uri="qemu:///system?socket=$other/libvirt-sock"
home() { virsh "$@"; }
peer() { command virsh -q -c "$peer_uri" "$@" </dev/null; }
until_true 60 peer list || fail "the peer's libvirtd does not start: $(cat "$other/out" "$other/log")"

# ---- there and back ----

# The guest's driver is the firmware's, which looks for a server to boot from and gives up after a while: then it starts over.
cat >"$work/web1.xml" <<END
<domain type="qemu"><name>web1</name><uuid>$(uuid 1)</uuid><memory unit="MiB">64</memory><vcpu>1</vcpu>
<memoryBacking><source type="memfd"/><access mode="shared"/></memoryBacking>
<os><type arch="x86_64" machine="q35">hvm</type><bios rebootTimeout="0"/></os><features><acpi/></features>
<devices><emulator>$(command -v qemu-system-x86_64)</emulator>
<interface type="vhostuser"><mac address="52:54:00:00:00:01"/><source type="unix" path="$work/home/vhu-1" mode="server"/><model type="virtio"/></interface>
</devices></domain>
END
called() {
	is "what $1's libvirt called" "${*:2}" "$(tr '\n' ' ' <"$work/called.$1" | sed 's/ $//')"
	: >"$work/called.$1"
}
connected() { [ "$(vsctl get Interface "vhu-$1" status:status)" = connected ]; }
# goes FROM TO: and is there, on a port of that host
goes() {
	"$1" migrate --live web1 "$([ "$2" = peer ] && echo "$peer_uri" || echo "$uri")" --persistent --undefinesource \
		--migrateuri "unix://$work/migration" >"$work/out" 2>&1 || fail "migrate to $2: $(cat "$work/out")"
	is "the guest on $2" running "$("$2" domstate web1)"
	is "guests left on $1" '' "$("$1" list --all --name)"
	called "$2" migrate prepare start started
	called "$1" stopped release
	is "its socket" "$work/$2/vhu-1" "$("$2" dumpxml web1 | sed -n "s/.*<source type='unix' path='\([^']*\)'.*/\1/p")"
	is "lines that the hook changed" 1 "$(diff "$work/said.$2.migrate" "$work/answer.$2.migrate" | grep -c '^>')"
	until_true 60 connected "$2" || fail "OVS has no guest on $2's port"
	until_true 60 eval "! connected $1" || fail "$1's port is still connected"
}
home define "$work/web1.xml" >"$work/out"
home start web1 >"$work/out" 2>&1 || fail "start: $(cat "$work/out")"
called home prepare start started
until_true 60 connected home || fail "OVS has no guest on home's port"
goes home peer
goes peer home

# ---- refused there: it goes on here ----

sed -i "s|--sockets \"$work/peer\"|--sockets \"$work/a'b\"|" "$work/hook.peer"
nsenter -t "$(cat "$other/pid")" -m cp "$work/hook.peer" /etc/libvirt/hooks/qemu.d/50-sriovctl
! home migrate --live web1 "$peer_uri" --migrateuri "unix://$work/migration" >"$work/out" 2>&1 || fail "it was not refused"
has "what virsh says" "$(cat "$work/out")" "not the path of a folder"
is "the guest" running "$(home domstate web1)"
is "guests on peer" '' "$(peer list --all --name)"
until_true 60 connected home || fail "home's port lost its guest"

# ---- saved here, restored: as it was, and where the sockets have moved meanwhile ----

: >"$work/called.home"
home save web1 "$work/web1.save" >"$work/out" 2>&1 || fail "save: $(cat "$work/out")"
called home stopped release
mkdir "$work/moved"
vsctl del-port vhu-home
port home "$work/moved/vhu-1"
sed -i "s|--sockets \"$work/home\"|--sockets \"$work/moved\"|" /etc/libvirt/hooks/qemu.d/50-sriovctl
home restore "$work/web1.save" >"$work/out" 2>&1 || fail "restore: $(cat "$work/out")"
called home restore prepare start started
is "the guest" running "$(home domstate web1)"
has "its socket" "$(home dumpxml web1)" "path='$work/moved/vhu-1'"
until_true 60 connected home || fail "OVS has no guest on the port that moved"
home destroy web1 >"$work/out" 2>&1
kill "$(cat "$other/pid")"
over
