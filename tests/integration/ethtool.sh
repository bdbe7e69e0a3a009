#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Exported rules are given to the real ethtool(8) and ovs-ofctl(8), and what ethtool prints is imported: the rules
# that come back are the ones that went out. The NIC's table is nictable.c's.
# shellcheck source=tests/harness.sh disable=SC2016,SC2119
. "$(dirname "$0")/../harness.sh"
with ethtool cc
unset SRIOVCTL_HOST
cc -shared -fPIC -o "$work/nictable.so" "$repo/tests/integration/nictable.c"
export NICTABLE=$work/table
ethtool() { LD_PRELOAD=$work/nictable.so command ethtool "$@"; }

# Every field of every flow type, whole and masked, with every action, at locations counted up.
rules() {
	local loc=0 types type field action actions=('queue 3' drop 'vf 0' 'vf 3 queue 1' 'vf 254 queue 2')
	while IFS='|' read -r types field; do
		for type in $types; do
			action=${actions[loc % ${#actions[@]}]}
			loc=$((loc + 1))
			echo "flow-type $type $field $action loc $loc"
		done
	done <<-END
		tcp4 udp4 sctp4 ip4 tcp6 udp6 sctp6 ip6 ether|
		tcp4 udp4 sctp4 ip4|src-ip 10.0.0.7
		tcp4 udp4 sctp4 ip4|dst-ip 10.0.0.0/8
		tcp4 udp4 sctp4 ip4|src-ip 10.0.0.7 m 0.255.0.0 dst-ip 10.0.0.8
		tcp4 udp4 sctp4 ip4|tos 0x10
		tcp4 udp4 sctp4 ip4|tos 0x10 m 0xf
		tcp6 udp6 sctp6 ip6|src-ip 2001:db8::7
		tcp6 udp6 sctp6 ip6|dst-ip 2001:db8::/32
		tcp6 udp6 sctp6 ip6|src-ip 0:db8::7 m ffff:: dst-ip ::1
		tcp6 udp6 sctp6 ip6|tclass 0x10
		tcp4 udp4 sctp4 tcp6 udp6 sctp6|src-port 7 dst-port 65535
		tcp4 udp4 sctp4 tcp6 udp6 sctp6|dst-port 256 m 0xff
		ip4 ip6|l4proto 47
		ip4 ip6|l4proto 47 l4data 0x12000000 m 0xffffff
		ether|src 52:54:00:00:00:01
		ether|dst 52:54:00:00:00:00 m 00:00:00:00:00:ff
		ether|proto 0x88f7
		ether|proto 0x8800 m 0xff
		tcp4 ip4 udp6 ip6 ether|vid 100
		tcp4 ip4 udp6 ip6 ether|prio 3
		tcp4 ip4 udp6 ip6 ether|vid 100 prio 3
		tcp4 ip4 udp6 ip6 ether|vlan 4196
		tcp4 ip4 udp6 ip6 ether|vlan-etype 0x88a8 vlan 100 m 0xff00
		tcp4 ip4 udp6 ip6 ether|user-def 0x1234567890abcdef
		tcp4 ip4 udp6 ip6 ether|user-def 0x1234 m 0xffffffff00000000
	END
}
rules | sed 's/  */ /g' >"$work/rules"
between "rules" 90 200 "$(wc -l <"$work/rules")"

expect 0 flow export "$work/rules" --to ethtool --dev lo
cp "$work/out" "$work/lines"
is "lines" "$(wc -l <"$work/rules")" "$(wc -l <"$work/lines")"
while read -r line; do
	# shellcheck disable=SC2086
	$line >"$work/said" 2>&1 || fail "ethtool refuses: $line: $(cat "$work/said")"
done <"$work/lines"
ethtool -n lo >"$work/printed"
is "rules in the table" "Total $(wc -l <"$work/rules") rules" "$(sed -n 2p "$work/printed")"
expect 0 flow import "$work/printed" --from ethtool
same "what came back" "$(cat "$work/rules")" "$(out)"
# the lines themselves are words of ours, too
expect 0 flow import "$work/lines" --from ethtool
same "the lines" "$(cat "$work/rules")" "$(out | grep -v '^#')"

# what ethtool can have and the language has no words for is left out, with exit status 2
rm "$NICTABLE"
while read -r line; do
	# shellcheck disable=SC2086
	ethtool -N lo $line >/dev/null
done <<-END
	flow-type udp4 dst-port 1 action 1 loc 1
	flow-type udp4 dst-mac 02:00:00:00:00:01 action 1 loc 2
	flow-type udp4 context 3 loc 3
	flow-type esp4 spi 3 action 1 loc 4
	flow-type udp4 dst-port 2 action -2 loc 5
	flow-type udp4 dst-port 3 action 0x200000001 loc 6
END
ethtool -n lo >"$work/printed"
expect 2 flow import "$work/printed" --from ethtool
same "what is left" "flow-type udp4 dst-port 1 queue 1 loc 1
flow-type udp4 dst-port 3 vf 1 queue 1 loc 6" "$(out | grep -v '^#')"
is "notes" 4 "$(out | grep -c '^# left out: line [0-9]*: filter [2-5]: ')"
said "4 rules could not be carried over"

# ---- ovs-ofctl ----
if command -v ovs-ofctl >/dev/null; then
	grep -v 'user-def\|l4data\|vlan-etype\|m 0xf \|proto 0x8800\|vlan 4196' "$work/rules" >"$work/plain"
	{
		cat "$work/plain"
		echo "udp4 src-port 1-1000 dst-port 5-6 drop"
	} >"$work/ranges"
	expect 0 flow export "$work/ranges" --to openflow
	cp "$work/out" "$work/flows"
	is "ovs-ofctl reads every line" "$(grep -cv '^#' "$work/flows")" \
		"$(ovs-ofctl parse-flows "$work/flows" | grep -c FLOW_MOD)"
	between "priorities" "$(wc -l <"$work/ranges")" "$(wc -l <"$work/ranges")" \
		"$(grep -v '^#' "$work/flows" | cut -d, -f1 | sort -u | wc -l)"
fi
