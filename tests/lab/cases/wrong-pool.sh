# shellcheck shell=bash
# Two CPUs: ixgbe computes VF queues with 2 per pool where the hardware has 4, and a rule for VF 1 would hit nobody.
. /share/cases/lib.sh
t "the PF is up and has a link" pf_up
dev=$(pf)
exits 0 "4 VFs" s vf create "$dev" --count 4
exits 1 "a rule for VF 1 is refused" s flow add "$dev" udp4 dst-port 6001 vf 1
like "$out" "pool" "with its reason"
_comment "$out"
is "$(rules)" 0 "nothing is in the table"
exits 0 "a queue of the PF still works" s flow add "$dev" udp4 dst-port 6001 queue 1
exits 0 "and VF 0, whose pool starts at queue 0" s flow add "$dev" udp4 dst-port 6002 vf 0
is "$(rules)" 2 "both are in the table"
exits 0 "all goes" s flow delete "$dev" --all
exits 0 "all VFs go" s vf delete "$dev"
