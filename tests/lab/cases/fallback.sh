# shellcheck shell=bash
# fallback: eight guests on the VFs of a real ixgbe port (emulated NIC), a ninth on vhost-user through an OVS with DPDK whose
# uplink is that port. What the PF takes frames for decides whether a guest on a VF reaches the ninth.
#
# The guests are network namespaces: a VF's netdev, and a testpmd (virtio-user) before a veth. Case fallback-guests has Linux guests.
. /share/cases/lib.sh
. /share/cases/ovs.sh
exits 0 "8 VFs" s vf create "$dev" --count 8 --mac auto --driver default
network red
for i in 1 2 3 4 5 6 7 8; do
	s guest attach "vm$i" --net red --hands-off >/tmp/out 2>&1 || t "attach vm$i: $(cat /tmp/out)" false
done
exits 0 "the ninth" s guest attach vm9 --net red --hands-off --kernel-timeout 300
like "$out" "as no VF that would do is free" "it is told why"
is "$(lease vm9 .path)" vhostuser "on vhost-user"
mac=$(lease vm9 .mac)
socket=/var/lib/vhost_sockets/$(ovs-vsctl list-ports br-red | grep '^vhu')

# guest NAME NETDEV ADDRESS
guest() {
	ip netns add "$1"
	ip link set "$2" netns "$1"
	ip -n "$1" addr add "$3/24" dev "$2"
	ip -n "$1" link set "$2" up
}
for i in 1 2; do guest "vm$i" "$(vf_netdev "$(lease "vm$i" .vf)")" "10.1.0.1$i"; done
ip link add nine type veth peer name ninex
ip link set nine address "$mac"
ip link set ninex up
guest vm9 nine 10.1.0.19
mkfifo /tmp/stdin
exec 9<>/tmp/stdin
dpdk-testpmd --lcores '0@3,1@3' --no-huge -m 128 --no-pci --file-prefix=nine --no-telemetry \
	--vdev="net_virtio_user0,path=$socket,server=1,queues=1" --vdev=net_af_packet0,iface=ninex \
	-- --total-num-mbufs=4096 --nb-cores=1 --forward-mode=io >/tmp/testpmd 2>&1 <&9 &
t "its port is connected" wait_until \
	'[ "$(ovs-vsctl get Interface ${socket##*/} status:status 2>/dev/null)" = connected ]' 120

# loss FROM ADDRESS: per cent of five pings
loss() { ip netns exec "$1" sh -c "$(lost "$2" 10)"; }
reaches() {
	wait_until "ip netns exec $1 ping -q -c 1 -W 2 $2 >/dev/null 2>&1" 30
	is "$(loss "$1" "$2")" 0 "$1 reaches $3"
}
reaches vm9 10.1.0.2 "the wire's other end"
reaches vm1 10.1.0.2 "the wire's other end"
reaches vm1 10.1.0.12 "vm2 on another VF"
reaches vm1 10.1.0.19 "the ninth"
reaches vm9 10.1.0.12 "vm2 on a VF"
reaches peer 10.1.0.19 "the ninth"
_comment "$(bridge fdb show dev "$dev" | grep "$mac")"

# ---- without the entry that the NIC switches by
bridge fdb del "$mac" dev "$dev"
is "$(loss vm1 10.1.0.19)" 100 "without the PF's entry a guest on a VF does not reach the ninth"
exits 2 "that is found" s physnet check red
like "$out" "take frames for $mac" "by its MAC"
exits 0 "and made good" s restore
reaches vm1 10.1.0.19 "the ninth again"
