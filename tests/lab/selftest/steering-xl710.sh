# shellcheck shell=bash
# The emulated XL710 steers: frames from the peer land in the queue that an ntuple rule names, or nowhere.
. /lab/lib.sh
[ "$(pf_driver)" = i40e ] || skip_all "this script is for the emulated XL710"

t "the peer is up" peer_setup
t "the PF is up and has a link" pf_up
dev=$(pf) mac=$(pf_mac)
ethtool -N "$dev" flow-type udp4 dst-ip 10.1.0.1 dst-port 5001 action 2 loc 1
ethtool -N "$dev" flow-type udp4 dst-ip 10.1.0.1 dst-port 5003 action -1 loc 3
is "$(rules)" 2 "two rules are listed"

total() { local s=0 q; for q in 0 1 2 3; do s=$((s + $(rx_queue_packets "$q"))); done; echo $s; }

before=$(rx_queue_packets 2) all=$(total)
peer_send_udp 50 "$mac" 10.1.0.1 5001
t "50 frames to port 5001 arrive" wait_until "[ \$(total) = $((all + 50)) ]" 5
is "$(($(rx_queue_packets 2) - before))" 50 "all of them on queue 2"

all=$(total)
peer_send_udp 20 "$mac" 10.1.0.1 5003
peer_send_udp 5 "$mac" 10.1.0.1 5004
t "20 frames to port 5003 are dropped, 5 to another port are not" wait_until "[ \$(total) = $((all + 5)) ]" 5
