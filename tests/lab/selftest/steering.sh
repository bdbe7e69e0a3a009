# shellcheck shell=bash
# The emulated 82599 steers: exact counts of frames from the peer land in the queue that an ntuple rule names, or nowhere.
. /lab/lib.sh
[ "$(pf_driver)" = ixgbe ] || skip_all "steering is checked on the emulated 82599"

t "the peer is up" peer_setup
dev=$(pf) mac=$(pf_mac)
t "the PF is up and has a link" pf_up
ethtool -K "$dev" ntuple on
t "the link is back after ntuple on" pf_up
ethtool -N "$dev" flow-type udp4 dst-ip 10.1.0.1 dst-port 5001 action 2 loc 1
ethtool -N "$dev" flow-type udp4 dst-ip 10.1.0.1 dst-port 5003 action -1 loc 3
is "$(rules)" 2 "two rules are listed"

counts() { for q in 0 1 2 3; do rx_queue_packets "$q"; done | paste -sd' '; }
total() { local s=0 n; for n in $(counts); do s=$((s + n)); done; echo $s; }

before=$(rx_queue_packets 2) all=$(total)
peer_send_udp 50 "$mac" 10.1.0.1 5001
wait_until "[ \$(total) = $((all + 50)) ]" 5
is "$(($(rx_queue_packets 2) - before))" 50 "all 50 frames to port 5001 are on queue 2"

all=$(total) match=$(nic_stat fdir_match)
peer_send_udp 20 "$mac" 10.1.0.1 5003
peer_send_udp 5 "$mac" 10.1.0.1 5004
wait_until "[ \$(total) = $((all + 5)) ]" 5
is "$(($(total) - all))" 5 "20 frames to port 5003 are dropped, 5 to another port are not"
wait_until "[ \$(nic_stat fdir_match) = $((match + 20)) ]" 5
is "$(($(nic_stat fdir_match) - match))" 20 "the NIC counted the 20 as matched"

all=$(total)
peer_send 5 dmac="$mac" dport=5003 more=1
t "5 first fragments to port 5003 arrive: the NIC reads no port of a fragment" wait_until "[ \$(total) = $((all + 5)) ]" 5

all=$(total)
ethtool -N "$dev" delete 3
peer_send_batch <<-S
	10 dmac=$mac dport=5003
	10 dmac=$mac dport=5003 vlan=7
	10 dmac=$mac proto=tcp dport=5001
	10 dmac=$mac proto=sctp dport=5001
S
is "$(rules)" 1 "one rule is left"
# ixgbe filters VLANs that no netdev asked for, so the tagged ones must not arrive
t "30 frames without a rule of theirs arrive, 10 of an unknown VLAN do not" wait_until "[ \$(total) = $((all + 30)) ]" 5
if [ -n "$(nic_trace . || true)" ]; then
	like "$(nic_trace FDIR)" "add id=3 .* queue=127" "the trace shows the drop rule, on the drop queue 127"
fi
