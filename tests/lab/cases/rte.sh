# shellcheck shell=bash
# shellcheck disable=SC2154 # variables of cases/lib.sh and rte.lib.sh
# rte: a PF that DPDK owns, by net_ixgbe of Debian's DPDK on the emulated 82599: given to vfio-pci, owned by sriov-rte,
# rules through `flow apply --backend rte`, packets from the wire counted on its queues; the owner killed and started
# again; the cost of a rule beside a bare loop. Then net_tap, whose filters the kernel carries out and counts.
. /share/cases/lib.sh
. /share/cases/rte.lib.sh
echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6
address=$(pf_addr) mac=$(pf_mac)
t "the peer is up" peer_setup
modprobe -a vfio-pci vfio_iommu_type1

# the port is the kernel's
exits 1 "a port of the kernel is refused" /tmp/sriov-rte --pci "$address" --socket "$socket"
like "$out" "driver ixgbe of the kernel has it" "and its driver named"
exits 0 "it has VFs" s vf create "$address" --count 2 --vlan 7 --driver vfio-pci
exits 0 "and a rule" s flow add "$address" --name old flow-type udp4 dst-port 9 queue 0
kept=$(port)
exits 0 "what giving it away ends is told" s pf bind "$address" --driver vfio-pci --dry-run
like "$out" "delete all 2 VFs.*give $address to vfio-pci.*netdev $(pf) goes" "in its order"
like "$out" "no hugepage is free" "and what DPDK lacks"
exits 0 "the port is given to vfio-pci" s pf bind "$address" --driver vfio-pci
_comment "$out"
is "$(pf_driver)" vfio-pci "which has it"
exits 0 "again: nothing to do" s pf bind "$address" --driver vfio-pci
like "$out" "nothing to do" "it says so"
exits 1 "VFs want the kernel's driver" s vf set "$address" all --trust on
# VFs that somebody makes of it there
echo Y >/sys/module/vfio_pci/parameters/enable_sriov
echo 2 >"/sys/bus/pci/devices/$address/sriov_numvfs"
is "$(basename "$(readlink "/sys/bus/pci/devices/$address/virtfn1/driver")")" vfio-pci "the kernel gives its VFs to vfio-pci too"
exits 0 "they are seen" s vf list "$address"
like "$out" "vfio-pci" "and whose they are"
exits 1 "we make none" s vf create "$address" --count 2
like "$out" "VF token" "it is said why"
echo 0 >"/sys/bus/pci/devices/$address/sriov_numvfs"
echo N >/sys/module/vfio_pci/parameters/enable_sriov
exits 1 "without hugepages there is no start" /tmp/sriov-rte --pci "$address" --socket "$socket"
like "$out" "hugepages: none is free" "it says so"
echo 256 >/proc/sys/vm/nr_hugepages

# ---- net_ixgbe
cat >/tmp/rules <<'X'
name web flow-type tcp4 dst-ip 10.7.0.1 dst-port 80 queue 1
name five flow-type udp4 src-ip 192.0.2.2 dst-ip 10.7.0.1 src-port 40000 dst-port 53 queue 2
name ptp flow-type ether proto 0x88f7 queue 3
name bad flow-type ip4 dst-ip 10.66.0.0/16 drop
name net flow-type ip4 dst-ip 10.67.0.0/16 queue 2
X
send() { peer_send_batch; }
own --pci "$address" --queues 4
_comment "$(cat /tmp/owner.log)"
exits 0 "the list is applied" s flow apply /tmp/rules --backend rte --socket "$socket"
like "$out" "net_ixgbe.: 5 rte_flow rules created" "five rules are created"
exits 0 "applied again" s flow apply /tmp/rules --backend rte --socket "$socket"
like "$out" "0 rte_flow rules created, 0 destroyed, 5 kept" "nothing is done twice"
lands() {
	counts "[10,0,0,0]" "$1: no rule: queue 0" "10 proto=udp dmac=$mac dst=10.1.2.3"
	counts "[0,11,0,0]" "$1: a 5-tuple filter with ports" "11 proto=tcp dmac=$mac dst=10.7.0.1 dport=80"
	counts "[12,0,0,0]" "$1: another port" "12 proto=tcp dmac=$mac dst=10.7.0.1 dport=81"
	counts "[0,0,13,0]" "$1: a whole 5-tuple" "13 proto=udp dmac=$mac dst=10.7.0.1 dport=53"
	counts "[14,0,0,0]" "$1: its source port is another" "14 proto=udp dmac=$mac dst=10.7.0.1 dport=53 sport=40001"
	counts "[0,0,0,15]" "$1: an EtherType" "15 dmac=$mac ethertype=0x88f7"
	counts "[1,0,0,0]" "$1: dropped by Flow Director, but for the packet that matches no more" \
		"16 proto=udp dmac=$mac dst=10.66.1.1" "1 proto=udp dmac=$mac dst=10.65.255.255"
	counts "[0,0,17,0]" "$1: a queue by Flow Director" "17 proto=udp dmac=$mac dst=10.67.1.1"
}
lands "at first"
gone KILL
own --pci "$address" --queues 4
like "$(s flow list --backend rte --socket "$socket")" "4 queues: 5 entries" "killed and started: the rules are back"
lands "after kill -9"
exits 3 "a port that a process has open is not taken back" s pf bind "$address" --driver default
like "$out" "process $pid .sriov-rte. has the port open" "that process is named"
_comment "$(tail -1 /tmp/owner.log)"
grep -v '^name bad' /tmp/rules >/tmp/less
exits 0 "a rule less" s flow apply /tmp/less --backend rte --socket "$socket"
like "$out" "0 rte_flow rules created, 1 destroyed, 4 kept" "only that one goes"
counts "[16,0,0,0]" "what was dropped arrives" "16 proto=udp dmac=$mac dst=10.66.1.1"
echo "flow-type udp4 dst-port 7 drop" >/tmp/no
exits 1 "82599 cannot drop by ports" s flow apply /tmp/no --backend rte --socket "$socket"
like "$out" "82599 cannot drop by ports" "it says so"
is "$(s flow list --backend rte --socket "$socket" --json | jq '.rte.ports[0].rules | length')" 4 "the others stand"
printf '%s\n' "name new flow-type tcp4 syn queue 3" "name dns flow-type udp4 dst-port 53 queue 1" >/tmp/syn
exits 1 "SYN of IPv4 alone cannot be had" s flow apply /tmp/syn --backend rte --socket "$socket"
like "$out" "does not tell IPv4 from IPv6" "it says so"
exits 0 "SYN of both can" s flow apply /tmp/syn --allow broader --backend rte --socket "$socket"
counts "[6,2,0,9]" "the SYN filter, beside another" "4 proto=tcp dmac=$mac dst=10.7.0.1 dport=80 flags=0x02" \
	"6 proto=tcp dmac=$mac dst=10.7.0.1 dport=80 flags=0x10" "5 proto=tcp dmac=$mac dst=2001:db8::7 flags=0x12" \
	"2 proto=udp dmac=$mac dst=10.7.0.1 dport=53"

# ---- the cost of a rule: whole commands beside DPDK alone
n=1000
for ((i = 0; i < n; i++)); do
	echo "flow-type ip4 dst-ip 10.0.$((i >> 8)).$((i & 255)) queue $((i % 4))"
done >/tmp/many
against_bare $n 3
_comment "figure: rte, $n rules on an emulated 82599: ours $(median /tmp/ours) ms (whole command), bare $(median /tmp/bare) ms"
at_most "$(times_ratio /tmp/ours /tmp/bare)" 40 "ours to the bare loop"
gone TERM

# ---- net_tap: the kernel's filters
modprobe -a tun cls_flower sch_multiq sch_ingress act_gact act_skbedit
send() { python3 -ISE /lab/frames.py rtap0; }
own --vdev net_tap0,iface=rtap0 --queues 2 -- --no-huge -m 128
printf '%s\n' "name bad flow-type udp4 dst-port 5001 drop" "name one flow-type udp4 dst-port 5002 queue 1" >/tmp/rules
exits 0 "the list is applied" s flow apply /tmp/rules --backend rte --socket "$socket"
counts "[0,10]" "net_tap: ten of twenty dropped, ten on queue 1" \
	"10 proto=udp dst=10.9.0.1 dport=5001" "10 proto=udp dst=10.9.0.1 dport=5002"
filters=$(tc -s filter show dev rtap0 parent 1:)
like "$filters" "dst_port 5001.*gact action drop.*10 pkt .dropped 10," "the kernel's drop has counted them"
like "$filters" "dst_port 5002.*queue_mapping 1.*10 pkt .dropped 0," "and its queue filter"
gone TERM

# ---- and back
exits 0 "the port is the kernel's again" s pf bind "$address" --driver default
_comment "$out"
is "$(pf_driver)" ixgbe "by its driver"
is "$(port)" "$kept" "with its VFs and its rule as before"
exits 0 "everything goes" s vf delete "$address"
