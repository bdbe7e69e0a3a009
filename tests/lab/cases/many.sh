# shellcheck shell=bash
# 63 VFs once, and what it costs in calls: 1 count written, 63 attribute messages, at most 2 dumps, no sleep, 2 syncs.
. /share/cases/lib.sh
modprobe vfio-pci
t "the PF is up and has a link" pf_up
dev=$(pf)
exits 0 "a database is there already" s vf create "$dev" --count 1
exits 0 "and one VF goes" s vf delete "$dev"
t "the link is back" pf_up

# counted KIND: lines of that kind in the log of the calls that killat.so saw
counted() { grep -cE "$1" /tmp/log || true; }
KILLAT_LOG=/tmp/log LD_PRELOAD=/share/killat.so /share/sriovctl vf create "$dev" --count 63 --mac auto --vlan 7 \
	--spoofchk on --trust on --max-rate 100 --driver vfio-pci >/tmp/out 2>&1
is "$?" 0 "63 VFs with MAC, VLAN, spoofchk, trust and rate, on vfio-pci"
is "$(ls -d "$(pf_dir)"/virtfn* | wc -l)" 63 "they are there"
is "$(counted 'write .*sriov_numvfs')" 1 "1 write of sriov_numvfs"
is "$(counted 'netlink type 19')" 126 "63 attribute messages and 63 rates (RTM_SETLINK)"
dumps=$(counted 'netlink type 18 with VFs')
t "at most 2 VF dumps ($dumps)" test "$dumps" -le 2
is "$(counted '^sleep')" 0 "no sleep"
is "$(counted 'sync .*state.db-wal')" 2 "2 durable commits"
is "$(ip link show "$dev" | grep -c 'vlan 7.*max_tx_rate 100Mbps, spoof checking on, .*trust on')" 63 "iproute2 sees them all"

rm /tmp/log
KILLAT_LOG=/tmp/log LD_PRELOAD=/share/killat.so /share/sriovctl vf list "$dev" >/tmp/list
is "$(counted 'netlink type 18 with VFs')" 1 "vf list: 1 dump"
is "$(grep -c vfio-pci /tmp/list)" 63 "vf list: 63 VFs"
exits 1 "64 are refused" s vf create "$dev" --count 64
like "$out" "63" "with the limit"
exits 0 "all go" s vf delete "$dev"
is "$(ls -d "$(pf_dir)"/virtfn* 2>/dev/null | wc -l)" 0 "none is left"
