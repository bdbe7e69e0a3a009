# shellcheck shell=bash
# The VF part on any driver: attributes, binding, running twice, the host as found.
. /share/cases/lib.sh
modprobe vfio-pci
# no unasked packets of IPv6, where exact counts matter
echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6
t "the PF is up and has a link" pf_up
dev=$(pf)
driver=$(pf_driver)
before=$(port)
rate=200
attributes=(--mac auto --vlan 100:2 --spoofchk on --trust on --max-rate "$rate")

rmmod vfio_pci
exits 1 "vfio-pci is not loaded: told before done" s vf create "$dev" --count 4 --driver vfio-pci
like "$out" "modprobe vfio-pci" "with the way out"
modprobe vfio-pci
exits 0 "4 VFs on $driver" env KILLAT_LOG=/tmp/log LD_PRELOAD=/share/killat.so \
	/share/sriovctl vf create "$dev" --count 4 "${attributes[@]}" --driver vfio-pci
# i40e may answer EAGAIN while a VF resets: its repeats are reported, not gated
echo "figure: $driver: $(grep -c 'netlink type 19' /tmp/log) attribute messages for 4 VFs with rates," \
	"$(grep -c 'with VFs' /tmp/log) dumps, $(grep -c '^sleep' /tmp/log || true) pauses"
is "$(grep -c 'write .*sriov_numvfs' /tmp/log)" 1 "1 write of sriov_numvfs"
for i in 0 1 2 3; do
	like "$(vf_line $i)" "vlan 100, qos 2.*max_tx_rate ${rate}Mbps, spoof checking on, .*trust on" "vf $i has them all"
	is "$(vf_driver $i)" vfio-pci "vf $i is on vfio-pci"
done
exits 0 "again: nothing to do" s vf create "$dev" --count 4 "${attributes[@]}" --driver vfio-pci
like "$out" "nothing to do" "it says so"
exits 0 "the VLAN is cleared on two" s vf set "$dev" 0-1 --vlan 0
t_not "vf 0 has none" grep -q vlan <<<"$(vf_line 0)"
like "$(vf_line 2)" "vlan 100" "vf 2 keeps its own"
exits 3 "another count is refused" s vf create "$dev" --count 5
exits 1 "a VF that is not there" s vf set "$dev" 4 --trust off
exits 1 "more than the device has" s vf create "$dev" --count 200
exits 0 "two go back to the kernel's driver" s vf bind "$dev" 2-3 --driver default

if [ "$driver" = i40e ]; then
	# the masks that i40e reads back are wrong; what it filters is not
	t "the peer is up" peer_setup
	pf_up
	exits 0 "a queue rule" s flow add "$dev" --name web udp4 src-ip 192.0.2.2 dst-ip 10.1.0.1 dst-port 5001 queue 2
	exits 0 "a drop rule of the same input set" s flow add "$dev" --name block \
		udp4 src-ip 192.0.2.2 dst-ip 10.1.0.1 dst-port 5003 drop
	exits 0 "again: nothing to do" s flow add "$dev" --name web udp4 src-ip 192.0.2.2 dst-ip 10.1.0.1 dst-port 5001 queue 2
	like "$out" "nothing to do" "it says so"
	exits 1 "another input set is refused" s flow add "$dev" udp4 dst-port 5004 queue 1
	exits 1 "a VF target is refused: i40e does not redirect" s flow add "$dev" udp4 dst-port 5004 vf 1
	q2=$(rx_queue_packets 2) mac=$(pf_mac) all=$(nic_stat port.fdir_sb_match)
	peer_send_batch <<-S
		40 dmac=$mac src=192.0.2.2 dst=10.1.0.1 dport=5001
		25 dmac=$mac src=192.0.2.2 dst=10.1.0.1 dport=5003
	S
	wait_until "[ \$(rx_queue_packets 2) = $((q2 + 40)) ]" 8
	is "$(($(rx_queue_packets 2) - q2))" 40 "40 packets on queue 2"
	echo "# fdir_sb_match: $all before, $(nic_stat port.fdir_sb_match) after"
	exits 0 "the rules go" s flow delete "$dev" --all
	is "$(rules)" 0 "none is left"
fi
if [ "$driver" = igb ]; then
	exits 1 "Debian's igb has no ntuple on this NIC" s flow add "$dev" ether proto 0x88f7 queue 1
	like "$out" "ntuple" "it says so"
fi
exits 0 "all VFs go" s vf delete "$dev"
t "the link is back" pf_up
is "$(port)" "$before" "the port is as found"
