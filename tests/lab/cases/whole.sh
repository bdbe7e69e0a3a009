# shellcheck shell=bash
# The main job on the real ixgbe driver: VFs, binding, rules with packets, a guest, and the host as found.
. /share/cases/lib.sh
modprobe vfio-pci
# no unasked packets of IPv6, where exact counts matter
echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6
t "the peer is up" peer_setup
t "the PF is up and has a link" pf_up
dev=$(pf) mac=$(pf_mac)
before=$(port)

exits 0 "4 VFs with MAC, VLAN, trust, spoofchk and rate" \
	s vf create "$dev" --count 4 --mac auto --trust on --spoofchk on --max-rate 1000 --driver default
exits 0 "VLAN 100 with qos 3 for two of them" s vf set "$dev" 2-3 --vlan 100:3
for i in 0 1 2 3; do
	like "$(vf_line $i)" "max_tx_rate 1000Mbps, spoof checking on, .*trust on" "vf $i: rate, spoofchk, trust"
	is "$(cat "/sys/class/net/$(vf_netdev $i)/address")" "$(s vf show "$dev" $i --json | jq -r '.. | .mac? // empty' | head -n 1)" \
		"vf $i: its driver saw its MAC when it probed"
done
like "$(vf_line 3)" "vlan 100, qos 3" "vf 3: VLAN and qos"
exits 0 "again: nothing to do" s vf create "$dev" --count 4 --mac auto --trust on --spoofchk on --max-rate 1000 --driver default
like "$out" "nothing to do" "it says so"

exits 0 "the host as a file" s host snapshot /tmp/host.json
exits 0 "the same change of that file: nothing to do" s --host /tmp/host.json vf create "$dev" --count 4 --trust on --max-rate 1000
like "$out" "nothing to do" "it says so"
exits 0 "another change of the file" s --host /tmp/host.json vf delete "$dev"
is "$(ls -d "$(pf_dir)"/virtfn* | wc -l)" 4 "the host itself has its VFs"

exits 0 "two go to vfio-pci" s vf bind "$dev" 0,3 --driver vfio-pci
is "$(vf_driver 0) $(vf_driver 1) $(vf_driver 3)" "vfio-pci ixgbevf vfio-pci" "and only these two"
exits 0 "and back" s vf bind "$dev" 0,3 --driver default
is "$(vf_driver 0) $(vf_driver 3)" "ixgbevf ixgbevf" "they are with their driver again"

# ---- rules, with packets of the peer
exits 0 "a queue rule" s flow add "$dev" --name web udp4 dst-ip 10.1.0.1 dst-port 5001 queue 2
t "the link is back after ntuple was switched on" pf_up
exits 0 "a drop rule" s flow add "$dev" --name block udp4 dst-ip 10.1.0.1 dst-port 5003 drop
exits 0 "a VF rule" s flow add "$dev" --name steer udp4 dst-ip 10.1.0.1 dst-port 5002 vf 1 queue 0
exits 0 "the same rule again: nothing to do" s flow add "$dev" --name steer udp4 dst-ip 10.1.0.1 dst-port 5002 vf 1 queue 0
like "$out" "nothing to do" "it says so"
exits 1 "another mask is refused with the rule that fixed it" s flow add "$dev" tcp4 src-ip 10.0.0.1 queue 1
like "$out" "mask" "it says why"
is "$(rules)" 3 "three entries are in the table"
vf1=$(vf_netdev 1)
ip link set "$vf1" up
wait_until "[ \$(cat /sys/class/net/$vf1/carrier) = 1 ]" 10
total() { # packets on all queues of the PF
	local q sum=0
	for q in 0 1 2 3; do sum=$((sum + $(rx_queue_packets $q))); done
	echo $sum
}
all=$(total) q2=$(rx_queue_packets 2) v1=$(rx_queue_packets 0 "$vf1") match=$(nic_stat fdir_match)
peer_send_batch <<-S
	50 dmac=$mac dst=10.1.0.1 dport=5001
	20 dmac=$mac dst=10.1.0.1 dport=5003
	30 dmac=$mac dst=10.1.0.1 dport=5002
S
wait_until "[ \$(nic_stat fdir_match) = $((match + 100)) ]" 8
is "$(($(nic_stat fdir_match) - match))" 100 "the NIC matched all 100 packets"
wait_until "[ \$(rx_queue_packets 2) = $((q2 + 50)) ]" 5
wait_until "[ \$(rx_queue_packets 0 $vf1) = $((v1 + 30)) ]" 5
is "$(($(rx_queue_packets 2) - q2))" 50 "50 packets on queue 2 of the PF"
is "$(($(total) - all))" 50 "and no others on the PF: the 20 are dropped"
is "$(($(rx_queue_packets 0 "$vf1") - v1))" 30 "30 packets on queue 0 of VF 1"
exits 3 "VFs are not deleted under a netdev that is up" s vf delete "$dev"
like "$out" "vf 1.*$vf1" "it names the VF and its netdev"
ip link set "$vf1" down

# ---- a guest on the NIC's node
small_domain vm1 >/tmp/vm.xml
s guest xml vm1 --node 1 --domain /tmp/vm.xml >/tmp/out.xml 2>/tmp/why
like "$(cat /tmp/why)" "node 1" "the reason names the node"
t "virt-xml-validate takes the domain" virt-xml-validate /tmp/out.xml domain
like "$(cat /tmp/out.xml)" "nodeset=.1." "memory is bound to node 1"
like "$(cat /tmp/out.xml)" "cpuset=.2-3." "the vCPU is pinned to node 1"
t "libvirtd answers" start_libvirtd
t "define" virsh -q define /tmp/out.xml
t "start --paused" virsh -q start vm1 --paused
index=$(s guest list --json | jq -r '.. | .vf? // empty' | head -n 1)
is "$(vf_driver "$index")" vfio-pci "libvirt has put the VF on vfio-pci"
like "$(s vf list "$dev")" "vm1 \(running\)" "the list says who holds it"
exits 0 "what libvirt has set meanwhile (driver, MAC, VLAN) is not compared" \
	s vf create "$dev" --count 4 --mac auto --vlan 0 --driver default --dry-run
t_not "and that VF is in no plan" grep -q "vf $index:" <<<"$out"
exits 3 "its attributes are refused while the guest runs" s vf set "$dev" "$index" --trust off
like "$out" "vm1" "naming the guest"
t "destroy" virsh -q destroy vm1
t "undefine" virsh -q undefine vm1
exits 0 "release" s guest detach vm1

# ---- the host as found
exits 0 "all rules go" s flow delete "$dev" --all
exits 0 "all VFs go" s vf delete "$dev"
is "$(ls -d "$(pf_dir)"/virtfn* 2>/dev/null | wc -l)" 0 "no VF is left"
t "the link is back" pf_up
is "$(port)" "$before" "the port is as found"
is "$(s journal show --json | jq '[.. | objects | select(.open? == true)] | length')" 0 "no journal is open"
