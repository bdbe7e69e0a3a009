# shellcheck shell=bash
# local.sh yes|no: are frames that the 82599 switches between its own functions (VF to VF, VF to PF, PF to VF) classified
# by Flow Director? Those from the wire are, always.
. /lab/lib.sh
classified=$1
[ "$(pf_driver)" = ixgbe ] || skip_all "this script is for the emulated 82599"
echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6

t "the peer is up" peer_setup
t "the PF is up and has a link" pf_up
dev=$(pf)
ethtool -K "$dev" ntuple on
t "2 VFs" vfs_create 2
for i in 0 1; do
	ip link set "$dev" vf $i mac 02:00:00:00:00:0$i
	vf_rebind $i >/dev/null
	ip link set "$(vf_netdev $i)" up
	t "VF $i has a link" wait_until "[ \"\$(cat /sys/class/net/$(vf_netdev $i)/carrier 2>/dev/null)\" = 1 ]" 10
done
ethtool -X "$dev" equal 1
ethtool -N "$dev" flow-type udp4 dst-port 5001 action 2 loc 1
ethtool -N "$dev" flow-type udp4 dst-port 5003 action -1 loc 3
is "$(rules)" 2 "two rules are listed"

# from NETDEV COUNT KEY=VALUE…: frames that this netdev sends
from() { echo "${*:2}" | python3 -ISE /lab/frames.py "$1"; }
# got NETDEV: packets received on all its queues
got() { ethtool -S "$1" | awk '/^ *rx_queue_[0-9]+_packets:/ {n += $2} END {print n}'; }

# dropped WHO FROM-NETDEV TO-NETDEV: of 10 frames to port 5003 and 5 to port 5004 arrive 5 if the drop rule sees them, else 15
dropped() {
	local before want=15
	before=$(got "$3")
	[ "$classified" = no ] || want=5
	from "$2" 10 dmac="$(cat "/sys/class/net/$3/address")" dport=5003
	from "$2" 5 dmac="$(cat "/sys/class/net/$3/address")" dport=5004
	wait_until "[ \$(got $3) -ge $((before + want)) ]" 5
	is "$(($(got "$3") - before))" $want "$1: $want of 10 + 5 arrive"
}
dropped "VF 0 to VF 1" "$(vf_netdev 0)" "$(vf_netdev 1)"
dropped "PF to VF 1" "$dev" "$(vf_netdev 1)"
dropped "VF 0 to the PF" "$(vf_netdev 0)" "$dev"

before=$(rx_queue_packets 2) all=$(got "$dev")
from "$(vf_netdev 0)" 10 dmac="$(pf_mac)" dport=5001
t "10 frames of VF 0 arrive at the PF" wait_until "[ \$(got $dev) = $((all + 10)) ]" 5
[ "$classified" = yes ] && want=10 || want=0
is "$(($(rx_queue_packets 2) - before))" $want "$want of them on the rule's queue"

before=$(got "$(vf_netdev 1)")
peer_send_udp 10 02:00:00:00:00:01 10.1.0.1 5003
peer_send_udp 5 02:00:00:00:00:01 10.1.0.1 5004
wait_until "[ \$(got $(vf_netdev 1)) = $((before + 5)) ]" 5
is "$(($(got "$(vf_netdev 1)") - before))" 5 "from the wire to VF 1: 5 of 10 + 5 arrive, in both settings"
