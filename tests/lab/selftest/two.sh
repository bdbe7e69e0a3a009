# shellcheck shell=bash
# Two ports on two nodes, each with a wire and a peer of its own: --nic 82599@1 --nic xl710@0
. /lab/lib.sh
is "$(pf_driver 1) $(cat "$(pf_dir 1)/numa_node")" "ixgbe 1" "port 1: ixgbe on node 1"
is "$(pf_driver 2) $(cat "$(pf_dir 2)/numa_node")" "i40e 0" "port 2: i40e on node 0"
t "peer 1" peer_setup 1
t "peer 2" peer_setup 2
t "port 1 has a link" pf_up 1
t "port 2 has a link" pf_up 2
t "ping over wire 1" ping -c 1 -W 5 -q 10.1.0.2
t "ping over wire 2" ping -c 1 -W 5 -q 10.2.0.2
t "VFs on port 1" vfs_create 2 1
t "VFs on port 2" vfs_create 2 2
