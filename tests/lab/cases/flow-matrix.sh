# shellcheck shell=bash
# flow-matrix: flow types x fields x {queue, VF, in-VF queue, drop} on the real driver, with packets: 10 that match and 10
# that miss by one bit a rule (flow-matrix.py has the table). One rule list for each combination of fields.
. /share/cases/lib.sh
# nobody answers, nobody asks: counts are exact
echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6
driver=$(pf_driver) dev=$(pf)
matrix() { python3 -SE /share/cases/flow-matrix.py "$@"; }
t "the peer is up" peer_setup
t "the PF is up and has a link" pf_up 1 -
exits 0 "2 VFs" s vf create "$dev" --count 2 --mac auto --spoofchk off --trust on --driver default
ethtool -K "$dev" ntuple on
t "the link is back" pf_up 1 -
ip link set "$dev" promisc on # VLANs are not filtered
netdevs=("pf=$dev")
for i in 0 1; do
	netdevs+=("vf$i=$(vf_netdev $i)")
	# iavf refuses while it is in reset
	t "VF $i is up" wait_until "ip link set $(vf_netdev $i) up 2>/dev/null" 10
	t "VF $i has a link" wait_until "[ \"\$(cat /sys/class/net/$(vf_netdev $i)/carrier 2>/dev/null)\" = 1 ]" 10
done
ethtool -X "$dev" equal 1 # what no rule takes goes to queue 0

t "the lists" matrix rules "$driver" /tmp/lists
coproc PACKETS { matrix run "$driver" "${netdevs[@]}"; }
began=$SECONDS checked=0
for list in $(printf '%s\n' /tmp/lists/*.rules | sort -V); do
	n=$(basename "$list" .rules)
	exits 0 "list $n, $(wc -l <"$list") rules: applied" s flow apply "$list" --pf "$dev"
	echo "$n" >&"${PACKETS[1]}"
	while read -r verdict text && [ "$verdict" != "done" ]; do
		"$verdict" "list $n: $text"
		checked=$((checked + 1))
	done <&"${PACKETS[0]}"
done
is "$checked" "$(cat /tmp/lists/*.rules | wc -l)" "every rule was tried"
echo "figure: $driver (emulated): $checked rules, 10 packets that match and 10 near misses each, in $((SECONDS - began)) s"
