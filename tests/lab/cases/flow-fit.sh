# shellcheck shell=bash
# shellcheck disable=SC2154 # out is of cases/lib.sh
# flow-fit DRIVER SEED [LISTS]: random ordered lists that overlap (prefixes, ranges, exceptions, scopes, `queues A-B`, optional
# rules) on the real driver. Of each list that is taken, the packets from the wire, the PF and a VF must land where the first
# rule that matches them says, or, if that one is left out, where they land without rules; and where `flow trace` says, which
# does not know every queue. A refused list changes nothing.
. /share/cases/lib.sh
driver=$1 seed=$2 lists=${3:-200}
echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6
dev=$(pf)
t "the peer is up" peer_setup
t "the PF is up and has a link" pf_up 1 -
exits 0 "2 VFs" s vf create "$dev" --count 2 --spoofchk off --trust on --driver none
netdevs=("$dev")
for i in 0 1; do
	exits 0 "VF $i gets its MAC" s vf set "$dev" $i --mac 02:00:00:00:fe:0$i
	exits 0 "VF $i gets its driver" s vf bind "$dev" $i --driver default
	netdevs+=("$(vf_netdev $i)")
done
ethtool -K "$dev" ntuple on
t "the link is back" pf_up 1 -
ip link set "$dev" promisc on # VLANs are not filtered
for vf in "${netdevs[@]:1}"; do
	# iavf refuses while it is in reset
	t "$vf is up" wait_until "ip link set $vf up 2>/dev/null" 10
	t "$vf has a link" wait_until "[ \"\$(cat /sys/class/net/$vf/carrier 2>/dev/null)\" = 1 ]" 10
done
ethtool -X "$dev" equal 1 # what no rule takes goes to queue 0

# ask N|table: flow-fit.py; what it says of packets is told, the number of entries in the table goes to $entries
ask() {
	local verdict text
	echo "$1" >&"${PACKETS[1]}" || bail "flow-fit.py has ended"
	while read -r verdict text; do
		case "$verdict $text" in
		done*) entries=$text && return ;;
		ok*) known=$((known + text)) ;;
		fail*packets\ from*)
			bad=$((bad + 1))
			fail "list $n: $text"
			_comment "$(cat "$list")"
			;;
		fail*) _comment "$text" ;;
		esac
	done <&"${PACKETS[0]}"
	bail "flow-fit.py has ended"
}

# told: what `flow check` and `flow trace` say of list $n and of its packets, for flow-fit.py (without jq: its start is dear)
told() {
	local place
	# shellcheck disable=SC2086 # none or one word
	s flow check "$list" --pf "$dev" $options --json >/tmp/told/check || return
	for place in wire pf "vf 0"; do
		[ ! -e "/share/lists/$n.${place/ /}.pcap" ] ||
			s flow trace "$dev" --pcap "/share/lists/$n.${place/ /}.pcap" --in "$place" --json >"/tmp/told/${place/ /}" || return
	done
}
mkdir /tmp/told
coproc PACKETS { python3 -SE /share/cases/flow-fit.py run "${netdevs[@]}" /share/lists /tmp/told; }
taken=0 refused=0 partial=0 bad=0 known=0 table=0
: >/tmp/reasons
SECONDS=0
for ((n = 1; n <= lists; n++)); do
	list=/share/lists/$n.rules options="" rc=0
	read -r _ options <"$list"
	# shellcheck disable=SC2086 # none or one word
	out=$(s flow apply "$list" --pf "$dev" $options 2>&1) || rc=$?
	case $rc in
	0)
		taken=$((taken + 1))
		told || bail "list $n: flow check or flow trace ended $?"
		! grep -q '"left_out": true' /tmp/told/check || partial=$((partial + 1))
		ask "$n"
		table=$entries
		;;
	1)
		refused=$((refused + 1))
		sed -n 's/^sriovctl: //p' <<<"$out" >>/tmp/reasons
		ask table
		[ "$entries" = "$table" ] || fail "list $n: refused, and the table has $entries entries, not $table"
		;;
	*)
		bad=$((bad + 1))
		fail "list $n: flow apply ended $rc"
		_comment "$(head -c 2000 <<<"$out")"
		;;
	esac
	((n % 50)) || echo "# $n lists: $SECONDS s"
done
is "$bad" 0 "every packet of $taken lists lands where the first match says, and where flow trace says"
t "flow trace knows of most of them the queue too: $known of $((taken * 24))" test $((known * 2)) -ge $((taken * 24))
t "most lists are taken: $taken of $lists" test $((taken * 2)) -ge "$lists"
echo "figure: flow-fit $driver (emulated) seed $seed: $taken lists in hardware ($partial of them in part), $refused refused," \
	"$((taken * 24)) packets counted, $SECONDS s"
_comment "$(sed -E 's/[0-9]+(\.[0-9]+)*/N/g' /tmp/reasons | sort | uniq -c | sort -rn | head -n 12)"
exits 0 "all rules go" s flow delete "$dev" --all
is "$(rules)" 0 "none is left"
