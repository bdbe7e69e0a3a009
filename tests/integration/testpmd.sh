#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every rule that is written for testpmd is understood by testpmd's own parser, of Debian's DPDK, and what it understands
# is that rule: a library that is loaded before it writes down the bytes of each rule that it would create, and those
# read back as the words that it began with.
# shellcheck source=tests/harness.sh disable=SC2119
. "$(dirname "$0")/../harness.sh"
tool=$release
with gcc dpdk-testpmd
pkg-config --exists libdpdk || skip "libdpdk-dev is not installed"
[ -e "$repo/build/libsriov.a" ] || skip "build/libsriov.a is not there"
N=${TESTPMD_RULES:-500}

read -ra dpdk <<<"$(pkg-config --cflags libdpdk)"
read -ra libraries <<<"$(pkg-config --libs libnl-3.0 libmnl sqlite3 jansson) -ldl"
gcc -std=gnu17 -O1 -shared -fPIC -Wall -Wextra -Wno-unused-parameter "${dpdk[@]}" -o "$work/echo.so" \
	"$repo/tests/integration/testpmd_echo.c"
gcc -std=gnu17 -O1 -D_GNU_SOURCE -Wall -Wextra -Wno-unused-parameter -Wno-missing-field-initializers \
	-I"$repo/include" -I"$repo" -o "$work/rules" \
	"$repo/tests/integration/testpmd_rules.c" "$repo/build/libsriov.a" "${libraries[@]}"

# through WHAT: the rules in $work/in come back from testpmd as they are
through() {
	local count
	expect 0 flow export "$work/in" --to testpmd
	grep -v '^#' "$work/out" >"$work/commands"
	count=$(wc -l <"$work/commands")
	rm -f "$work/echo"
	ECHO=$work/echo LD_PRELOAD=$work/echo.so dpdk-testpmd --no-huge -m 256 --no-pci --no-telemetry --no-shconf \
		--vdev net_null0 -- --total-num-mbufs=2048 --cmdline-file="$work/commands" \
		</dev/null >"$work/testpmd" 2>&1 || fail "$1: testpmd ends $?"
	is "$1: rules that testpmd took" "$count" "$(grep -c '^Flow rule #[0-9]* created' "$work/testpmd")"
	expect 0 flow import "$work/echo" --from testpmd
	same "$1: the rules that it understood" "$("$tool" flow import "$work/commands" --from testpmd)" "$(out)"
	cp "$work/out" "$work/understood"
	"$tool" flow export "$work/in" --to json >"$work/json"
	same "$1: in the words that they began with" \
		"$("$tool" flow import "$work/json" --from json | sed 's/^name [^ ]* //')" "$(cat "$work/understood")"
}

cat >"$work/in" <<'END'
flow-type udp4 dst-ip 10.0.0.7 dst-port 4789 queue 1
name a flow-type tcp4 src-ip 10.0.0.0/8 dst-port 80-90 drop
flow-type tcp4 src-ip 0.0.0.1 m 255.255.255.0 src-port 16 m 0xff0f queue 3
flow-type sctp4 src-port 1 dst-port 2 tos 0x8 queue 0
flow-type tcp6 dst-ip 2001:db8::/33 dst-port 9 tclass 0x20 vf 3 queue 1
flow-type udp6 src-ip ::1 src-port 53 vf 0
flow-type ip4 tos 0x8 m 0xf0 l4proto 47 vid 5 drop
flow-type ip4 drop
flow-type ip6 dst-ip 2001:db8::1 l4proto 58 drop
flow-type ether src 02:00:00:00:00:01 proto 0x88f7 vlan 5 queue 2
flow-type ether dst 02:00:00:00:00:01 m 00:00:00:ff:ff:ff drop
flow-type ether prio 3 vlan-etype 0x8100 drop
flow-type tcp4 dst-ip 10.0.0.7 syn queue 1
flow-type tcp6 tcp-flags 0x12 queue 1
flow-type ether e-tag 4660 vf 2
flow-type udp4 dst-port 4789 vni 42 inner-dst 52:54:00:00:00:01 vf 3
flow-type udp6 dst-port 8472 inner-dst 52:54:00:00:00:01 inner-vlan 4097 queue 1
flow-type udp4 dst-port 53 vid 7 prio 1 queue 1
flow-type udp6 src-ip 2220:5803:c112:6010:2c0:1874:4041:204f m d4d9:873c:1ecd:9bef:ac0f:e58b:beae:57b0 dst-ip 8801:c024:86e0:420a:fa5:50:240:8c38 m 7568:295b:6817:b4e5:e040:61ad:782e:31c3 src-port 62446-63818 dst-port 45607-57390 inner-dst f1:7e:78:8c:8c:00 inner-vlan 37429 m 0x4d4a tclass 0x58 vlan-etype 0x17c4 vid 875 vf 100 queue 1000
END
# The last is as long as testpmd's line can be; one character more would be passed over without a word.
through "rules of every kind"
is "the longest line" 512 "$(wc -L <"$work/commands")"
sed -i '$s/1000$/10000/' "$work/in"
expect 1 flow export "$work/in" --to testpmd
said "its command has 513 characters, and testpmd reads lines of at most 512"
"$work/rules" "$N" >"$work/random"
sed 1d "$work/random" >"$work/in"
head -n 1 "$work/random"
through "random rules"
echo "figure: testpmd's own parser: $N random rules came back as they were"

finish
