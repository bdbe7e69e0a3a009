# shellcheck shell=bash
# Each NIC: its PF on the NUMA node asked for (argument), VFs, one IOMMU group each, traffic with the peer.
. /lab/lib.sh
want_node=${1:-1} driver=${2:-ixgbe}

is "$(pf_driver)" "$driver" "the PF is driven by $driver"
is "$(cat "$(pf_dir)/numa_node")" "$want_node" "the PF is on NUMA node $want_node"
t "the peer is up" peer_setup
t "the PF is up and has a link" pf_up
t "ping to the peer" ping -c 2 -i 0.2 -W 5 -q 10.1.0.2
t "4 VFs" vfs_create 4

groups=$(for i in 0 1 2 3; do basename "$(readlink "$(pf_dir)/virtfn$i/iommu_group")"; done; basename "$(readlink "$(pf_dir)/iommu_group")")
is "$(sort -u <<<"$groups" | wc -l)" 5 "the PF and each VF are in IOMMU groups of their own"
is "$(cat "$(pf_dir)"/virtfn*/numa_node | sort -u)" "$want_node" "the VFs are on node $want_node"
for i in 0 1 2 3; do
	t "VF $i has a netdev" vf_netdev "$i"
done

t "VF 1 gets MAC and VLAN" ip link set "$(pf)" vf 1 mac 02:00:00:00:00:11 vlan 42
like "$(ip link show "$(pf)")" "vf 1 .*02:00:00:00:00:11.*vlan 42" "the PF shows them"

ip link set "$(pf)" vf 0 mac 02:00:00:00:00:10
dev=$(vf_rebind 0)
ip netns add guest
ip link set "$dev" netns guest
ip -n guest addr add 10.1.0.10/24 dev "$dev"
ip -n guest link set "$dev" up
t "VF 0 reaches the peer" wait_until 'ip netns exec guest ping -c 1 -W 1 -q 10.1.0.2 >/dev/null' 20
ip netns del guest
t "the VF's netdev comes back" vf_netdev 0
t "no VFs again" vfs_create 0
is "$(dmesg | grep -cE 'BUG|WARNING:|Oops|hung task')" 0 "no kernel complaint"
