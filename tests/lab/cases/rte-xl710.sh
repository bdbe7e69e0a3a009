# shellcheck shell=bash
# shellcheck disable=SC2154 # variables of cases/lib.sh and rte.lib.sh
# rte-xl710: a PF that DPDK owns, by net_i40e of Debian's DPDK on the emulated XL710: rules by its EtherType filters and
# by Flow Director, whose filters it programs by packets on a queue of their own; packets from the wire counted on every
# queue; the owner killed and started again; the cost of a rule beside a bare loop.
. /share/cases/lib.sh
. /share/cases/rte.lib.sh
echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6
address=$(pf_addr) mac=$(pf_mac)
kept=$(port)
t "the peer is up" peer_setup
modprobe -a vfio-pci vfio_iommu_type1
echo 256 >/proc/sys/vm/nr_hugepages
exits 0 "the port is given to vfio-pci" s pf bind "$address" --driver vfio-pci
send() { peer_send_batch; }

cat >/tmp/rules <<'R'
name web flow-type tcp4 dst-ip 10.7.0.1 dst-port 80 queue 1
name dns flow-type udp4 src-ip 192.0.2.2 dst-ip 10.7.0.1 src-port 40000 dst-port 53 queue 2
name bad flow-type udp4 src-ip 192.0.2.2 dst-ip 10.7.0.1 src-port 40000 dst-port 54 drop
name ping flow-type ip4-other dst-ip 10.66.0.1 l4proto 1 drop
name gre flow-type ip4-other dst-ip 10.66.0.1 l4proto 47 queue 2
name six flow-type udp6 dst-ip 2001:db8::7 dst-port 53 queue 2
name class flow-type tcp6 dst-ip 2001:db8::7 tclass 8 queue 3
name ptp flow-type ether proto 0x88f7 queue 3
name evil flow-type ether proto 0x88b5 drop
name tag flow-type ether proto 0x88b6 vlan 5 queue 1
R
own --pci "$address" --queues 4
_comment "$(grep ready /tmp/owner.log)"
exits 0 "what would be is told" s flow apply /tmp/rules --backend rte --socket "$socket" --dry-run
exits 0 "the list is applied" s flow apply /tmp/rules --backend rte --socket "$socket"
like "$out" "net_i40e.: 12 rte_flow rules created" "rules for fragments are two"
exits 0 "applied again" s flow apply /tmp/rules --backend rte --socket "$socket"
like "$out" "0 rte_flow rules created, 0 destroyed, 12 kept" "nothing is done twice"
# WHAT  WANT  FRAMES (frames.py's words)
lands=(
	"no rule: queue 0" "[10,0,0,0]" "10 proto=udp dmac=$mac dst=10.1.2.3"
	"an address and a port" "[12,11,0,0]" "11 proto=tcp dmac=$mac dst=10.7.0.1 dport=80
12 proto=tcp dmac=$mac dst=10.7.0.1 dport=81"
	"a whole 5-tuple, and its neighbour dropped" "[1,0,13,0]" "13 proto=udp dmac=$mac dst=10.7.0.1 dport=53
14 proto=udp dmac=$mac dst=10.7.0.1 dport=54
1 proto=udp dmac=$mac dst=10.7.0.1 dport=54 sport=40001"
	"protocols: one dropped, one to a queue" "[1,0,7,0]" "8 proto=1 dmac=$mac dst=10.66.0.1
7 proto=47 dmac=$mac dst=10.66.0.1
1 proto=50 dmac=$mac dst=10.66.0.1"
	"IPv6, by port and by class" "[2,0,6,5]" "6 proto=udp dmac=$mac dst=2001:db8::7 dport=53
1 proto=udp dmac=$mac dst=2001:db8::8 dport=53
5 proto=tcp dmac=$mac dst=2001:db8::7 tos=8
1 proto=tcp dmac=$mac dst=2001:db8::7 tos=9"
	"EtherTypes: one to a queue, one dropped" "[1,0,0,15]" "15 dmac=$mac ethertype=0x88f7
16 dmac=$mac ethertype=0x88b5
1 dmac=$mac ethertype=0x88b7"
	"an EtherType behind a tag" "[1,9,0,0]" "9 dmac=$mac vlan=5 ethertype=0x88b6
1 dmac=$mac vlan=6 ethertype=0x88b6"
)
for ((i = 0; i < ${#lands[@]}; i += 3)); do
	counts "${lands[i + 1]}" "${lands[i]}" "${lands[i + 2]}"
	all+=("${lands[i + 2]}")
done
like "$(s flow list --backend rte --socket "$socket")" "received 94, missed 0" "the port has counted what was not dropped"
gone KILL
own --pci "$address" --queues 4
_comment "$(grep ready /tmp/owner.log)"
like "$(s flow list --backend rte --socket "$socket")" "4 queues: 10 entries" "killed and started: the rules are back"
counts "[28,20,26,20]" "and all those frames land as before" "${all[@]}"
grep -v '^name \(bad\|evil\)' /tmp/rules >/tmp/less
exits 0 "two rules less" s flow apply /tmp/less --backend rte --socket "$socket"
like "$out" "0 rte_flow rules created, 2 destroyed, 10 kept" "only those go"
counts "[30,0,0,0]" "what was dropped arrives" "14 proto=udp dmac=$mac dst=10.7.0.1 dport=54" \
	"16 dmac=$mac ethertype=0x88b5"
{ cat /tmp/less && echo "flow-type tcp4 dst-ip 10.7.0.2 queue 1"; } >/tmp/no
exits 1 "TCP rules compare one set of fields" s flow apply /tmp/no --backend rte --socket "$socket"
echo "flow-type ether proto 0x88f7 src 02:00:00:00:00:01 drop" >/tmp/no
exits 1 "frames' MACs are not compared" s flow apply /tmp/no --backend rte --socket "$socket"
like "$out" "no MACs" "it says so"
is "$(s flow list --backend rte --socket "$socket" --json | jq '.rte.ports[0].rules | length')" 8 "the others stand"

# ---- the cost of a rule: whole commands beside DPDK alone
n=500
for ((i = 0; i < n; i++)); do
	echo "flow-type udp4 dst-ip 10.0.$((i >> 8)).$((i & 255)) queue $((i % 4))"
done >/tmp/many
against_bare $n 3
_comment "figure: rte, $n rules on an emulated XL710: ours $(median /tmp/ours) ms (whole command), bare $(median /tmp/bare) ms"
at_most "$(times_ratio /tmp/ours /tmp/bare)" 40 "ours to the bare loop"
gone TERM
exits 0 "the port is the kernel's again" s pf bind "$address" --driver default
is "$(pf_driver)" i40e "by its driver"
is "$(port)" "$kept" "as before"
