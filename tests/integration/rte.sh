#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Rules for ports that DPDK owns, as far as no DPDK is needed: which filter takes them, and what a port of the kernel
# would make of them then.
# shellcheck source=tests/harness.sh
. "$(dirname "$0")/../harness.sh"

rules=$work/rules
# list LINE…: the file of rules.
list() { printf '%s\n' "$@" >"$rules"; }

new_host
list 'name dns udp4 dst-ip 10.0.0.7 dst-port 53 queue 1' 'name web tcp4 src-ip 10.0.0.9 src-port 80 queue 2' \
	'name ptp ether proto 0x88f7 queue 3'
expect 0 flow check "$rules" --nic 82599 --backend rte
showed "1  dns   exact          1  fdir" "2  web   exact          1  5-tuple" "3  ptp   exact          1  ethertype"
showed "filter 5-tuple: 1 of 128 used" "filter fdir (MAC): 0 of 2046 used" "mask of udp4: dst-ip, dst-port (1 entries)"
showed "condition: fdir: validating a first rule pins the port's mode" "evidence: net_ixgbe of DPDK 22.11"
expect 2 flow check "$rules" --nic 82599
showed "ixgbe has no rules of flow type ether"
expect 2 flow check "$rules" --nic 82599 --backend kernel
expect 0 flow check "$rules" --nic X710 --backend rte --json
is "filters as JSON" 'fdir fdir ethertype' "$(out | jq -r '[.rules[].entries[].filter] | join(" ")')"
is "their room as JSON" 'ethertype 1 768,fdir 2 8192,cloud 0 400' \
	"$(out | jq -r '[.filters[] | "\(.filter) \(.used) \(.room)"] | join(",")')"
expect 2 flow check "$rules" --nic X710 --json
is "the kernel's ports have none" null "$(out | jq -c .filters)"

list 'name block udp4 dst-port 53 drop'
expect 2 flow check "$rules" --nic 82599 --backend rte
showed "5-tuple: it cannot drop; fdir: 82599 cannot drop by ports" "hint: change the rule so that one of these takes it"
expect 0 flow explain block "$rules" --nic X540 --backend rte
showed "fdir filter: udp4 dst-port 53 -> drop" "So the NIC does exactly what it says."
list 'name net udp4 dst-ip 10.0.0.0/16 drop'
expect 2 flow check "$rules" --nic X710 --backend rte
showed "broader: net_i40e accepts a masked 'dst-ip' and then does not look at it"
expect 0 flow check "$rules" --nic X710 --backend rte --allow broader
list 'name a tcp4 dst-ip 10.0.0.0/9 queue 1'
expect 2 flow check "$rules" --nic tap --backend rte
showed "broader: flower, by which the kernel carries out rules of net_tap, takes fragments"
list 'name a tcp4 dst-ip 10.0.0.0/9 dst-port 80 queue 1'
expect 0 flow check "$rules" --nic tap --backend rte
showed "flower"

# a port of a host, as if DPDK had it: what the kernel has in its table is gone then
change flow add ens2f0 --name ours udp4 dst-port 99 drop
change vf create ens2f0 --count 4
list 'name web tcp4 dst-port 80 queue 1'
expect 2 flow check "$rules" --pf ens2f0 --backend rte
showed "that is a queue of a VF"
list 'name host ip4 dst-ip 10.0.0.7 drop'
expect 0 flow check "$rules" --pf ens2f0 --backend rte
showed "host  exact          1  fdir"
list 'name guest udp4 dst-port 53 guest web1'
expect 2 flow check "$rules" --pf ens2f0 --backend rte
showed "refused: web1: no guest holds a VF of a port that DPDK owns" "hint: say which VF it is: \`vf N\` instead of \`guest web1\`"
list 'name scope udp4 dst-port 53 in guest web1 queue 0'
expect 2 flow check "$rules" --pf ens2f0 --backend rte
showed "refused: web1: no guest holds a VF of a port that DPDK owns"
expect 1 flow apply "$rules" --backend rte --socket "$work/none.sock"
said "web1: no guest holds a VF of a port that DPDK owns"
expect 1 flow check "$rules" --pf ens2f0 --backend dpdk
said "not one of kernel|rte"

# a port that vfio-pci has already: its PCI device tells the driver, and nobody how many queues it will have
new_host
change pf bind 0000:81:00.0 --driver vfio-pci
list 'name host ip4 dst-ip 10.0.0.7 drop'
expect 2 flow check "$rules" --pf 0000:81:00.0
showed "hint: rules of a port that DPDK owns: --backend rte"
expect 0 flow check "$rules" --pf 0000:81:00.0 --backend rte
showed "host  exact          1  fdir" "evidence: net_ixgbe of DPDK 22.11"
list 'name web tcp4 dst-port 80 queue 1'
expect 2 flow check "$rules" --pf 0000:81:00.0 --backend rte
showed "unknown: the number of RX rings" "sriov-rte --queues N): --nic NIC,queues=N"
expect 0 flow check "$rules" --nic 82599,queues=2 --backend rte

finish
