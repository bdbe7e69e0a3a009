# shellcheck shell=bash
# limit: what a guest may send by a macvtap on a real ixgbe port (emulated NIC), and by a tap on a bridge: libvirt's tc on the
# kernel that has it, and the rate that arrives of frames written by QEMU's own descriptor, as a guest's are.
. /share/cases/lib.sh
echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
t "the peer is up" peer_setup
t "the PF is up and has a link" pf_up
modprobe -a tun macvtap bridge
ip link add br0 type bridge
ip link set br0 up
t "libvirtd answers" start_libvirtd

cp /share/tapsend /tmp/

# counter COMMAND: before when, how many bytes have arrived by a counter that COMMAND lets us read, and after when it was read.
# A command starts slowly here, and may stand still between two looks.
counter() {
	local netdev=br0
	[ -z "$1" ] || netdev=wire
	$1 bash -c 'a=$EPOCHREALTIME; read -r bytes <"/sys/class/net/$0/statistics/rx_bytes" && echo "$a $bytes $EPOCHREALTIME"' $netdev
}
# arrives NAME COMMAND: Mbit/s of what it sends as fast as it can. The burst goes in the first two seconds.
arrives() {
	local sender from to pid netdev stats sent
	pid=$(pgrep -f -- "-name guest=$1,") netdev=$(interface "$1")
	stats=/sys/class/net/$netdev/statistics
	sent=$(($(<"$stats/rx_packets") + $(<"$stats/tx_packets")))
	/tmp/tapsend "$pid" "$netdev" $big &
	sender=$!
	wait_until "[ \$((\$(<$stats/rx_packets) + \$(<$stats/tx_packets))) -gt $sent ]" 15
	sleep 2
	from=$(counter "$2")
	sleep 5
	to=$(counter "$2")
	kill "$sender"
	wait "$sender" 2>/dev/null
	awk -v a="$from" -v b="$to" 'BEGIN {split(a, f); split(b, t); printf "%.1f", (t[2] - f[2]) * 8 / 1e6 / (t[3] - f[1])}'
}
# near GOT WANTED WHAT: never more than a tenth above. How far below depends on how busy the lab's host is, so it is only told.
near() { t "$3: $1 Mbit/s" awk -v a="$1" -v b="$2" 'BEGIN {exit a <= 0 || a > b * 1.1}'; }

# guest NAME COMMAND OPTION…: starts, and sends: without a limit, and with two that lie below what it sent
guest() {
	local name=$1 where=$2 free high low
	shift 2
	roomy_domain "$name"
	exits 0 "$name is attached" s guest attach "$name" "$@"
	t "$name starts" virsh -q start "$name"
	# other work on the host only ever makes it slower: one quiet look of three is enough
	for _ in 1 2 3; do
		free=$(arrives "$name" "$where")
		! awk -v a="$free" 'BEGIN {exit a < 25}' || break
	done
	high=$(awk -v a="$free" 'BEGIN {print a < 25 ? int(a / 2) : 20}')
	low=$((high / 4))
	t "without a limit it sends $free Mbit/s; to be limited to $high and $low" test "$low" -ge 1
	exits 0 "a limit while it runs" s guest attach "$name" --max-rate "$high"
	like "$out" "limit what $name sends by .* to $high Mbit/s, while it runs" "it is told"
	near "$(arrives "$name" "$where")" "$high" "$name, limited while it runs"
	exits 0 "another" s guest attach "$name" --max-rate "$low"
	near "$(arrives "$name" "$where")" "$low" "$name, with another limit"
	like "$("shown_$name")" "rate ${low}Mbit" "the kernel has it"
	virsh -q destroy "$name"
	t "$name starts again" virsh -q start "$name"
	near "$(arrives "$name" "$where")" "$low" "$name, limited from its start"
	exits 0 "it is so already" s guest attach "$name" --max-rate "$low"
	like "$out" "nothing to do" "nothing is to be done"
	like "$("shown_$name")" "rate ${low}Mbit" "the kernel has it again"
}
# what the kernel says that it does: polices what comes from a tap, shapes what a macvtap sends
shown_tap1() { tc filter show dev "$(interface tap1)" parent ffff: | grep "police .*burst 64Kb"; }
shown_vtap1() { tc class show dev "$(interface vtap1)" | grep "class htb"; }
big=''
guest tap1 "" --paths tap --bridge br0
virsh -q destroy tap1
# libvirt shapes a macvtap frame by frame, and the timers of the lab are slow
big=big
guest vtap1 in_peer --paths macvtap
_comment "$(tc -s class show dev "$(interface vtap1)")"
exits 0 "no limit any more" s guest attach vtap1 --max-rate 0
is "$(tc class show dev "$(interface vtap1)")" "" "nothing shapes it"
virsh -q destroy vtap1
for name in tap1 vtap1; do exits 0 "$name gives its NIC back" s guest detach "$name"; done
is "$(s guest list --json | jq '.leases | length')" 0 "no lease is left"

# ---- a kernel that lacks a part of it
rmmod act_police
echo 'install act_police /bin/false' >/etc/modprobe.d/none.conf
t "tap1 starts" virsh -q start tap1
exits 4 "a limit that the kernel cannot keep" s guest attach tap1 --paths tap --bridge br0 --max-rate 20
like "$out" "libvirt: .*tc .*act_police" "libvirt's words, and what the kernel lacks"
is "$(virsh dumpxml tap1 | grep -c '<interface')$(virsh dumpxml --inactive tap1 | grep -c '<interface')" 00 "nothing is left"
