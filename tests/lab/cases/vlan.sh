# shellcheck shell=bash
# vlan: a guest's macvtap and tap in a VLAN of a real ixgbe port (emulated NIC): by a VLAN netdev over the PF, and for a tap by
# a bridge on it. Frames of QEMU's own descriptor are tagged on the wire, and what comes from it arrives if it is tagged so.
. /share/cases/lib.sh
echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
t "the peer is up" peer_setup
t "the PF is up and has a link" pf_up
modprobe -a tun macvtap bridge
t "libvirtd answers" start_libvirtd

# tagged NAME OPTION…: in VLAN 100, both ways. What listens there must not be what makes the NIC take the frames (-p).
tagged() {
	local name=$1 mac helper
	shift
	roomy_domain "$name"
	exits 0 "$name is attached in VLAN 100" s guest attach "$name" --vlan 100 "$@"
	t "$name starts" virsh -q start "$name"
	mac=$(virsh -q domiflist "$name" | awk '{print $5; exit}')
	peer_capture /tmp/wire -c 1 vlan 100
	/share/tapsend "$(pgrep -f -- "-name guest=$name,")" "$(interface "$name")" &
	helper=$!
	wait_until "grep -q 0x0000 /tmp/wire" 10
	kill "$helper"
	wait "$helper" 2>/dev/null
	like "$(head -n 1 /tmp/wire)" "$(cat "/sys/class/net/$(interface "$name")/address") > ff:.*ethertype 802.1Q .*vlan 100," "what $name sends is tagged on the wire"
	tcpdump -p -i "$(interface "$name")" -nlett udp port 4242 >/tmp/guest 2>/tmp/guest.err &
	helper=$!
	wait_until "grep -qs 'listening on' /tmp/guest.err" 10
	peer_send_udp 3 "$mac" 10.1.0.99 4242 40000
	peer_send_udp 5 "$mac" 10.1.0.99 4242 40000 200
	peer_send_udp 7 "$mac" 10.1.0.99 4242 40000 100
	wait_until "[ \$(grep -c 4242 /tmp/guest) = 7 ]" 5
	kill "$helper"
	wait "$helper" 2>/dev/null
	is "$(grep -c 4242 /tmp/guest)" 7 "of what the wire brings it gets what is tagged 100, and nothing else"
	is "$(grep -c vlan /tmp/guest)" 0 "without the tag"
	virsh -q destroy "$name"
	exits 0 "$name gives its NIC back" s guest detach "$name"
	is "$(ip -d link show | grep -c 'alias sriovctl')" 0 "no netdev of ours is left"
}
tagged vtap1 --paths macvtap
ip link add br1 type bridge
ip link set br1 up
ip link set "$(pf)" master br1
tagged tap1 --paths tap --bridge br1
ip link set "$(pf)" nomaster
is "$(s guest list --json | jq '.leases | length')" 0 "no lease is left"
