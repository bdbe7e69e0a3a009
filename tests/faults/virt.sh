#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Effects on the simulated libvirt killed at every point: each is one write of the host file, so what is left is the
# host before or after, never anything between.
# shellcheck source=tests/harness.sh disable=SC2016,SC2119
. "$(dirname "$0")/../harness.sh"
with gcc
gcc -D_GNU_SOURCE -O1 -shared -fPIC -o "$work/killat.so" "$repo/tests/faults/killat.c" -ldl
read -ra libraries <<<"$(pkg-config --libs libnl-3.0 libmnl sqlite3 jansson)"
read -ra cflags <<<"$(pkg-config --cflags libnl-3.0 jansson)"
gcc -std=gnu17 -D_GNU_SOURCE -O1 -I"$repo/include" -I"$repo" "${cflags[@]}" -o "$work/virtcall" \
	"$repo/tests/integration/virtcall.c" "$repo/build/libsriov.a" "${libraries[@]}" -ldl

new_host '.domains = [{name: "web1", state: "running", vfs: []}]'
expect 0 vf create ens2f0 --count 2 --mac auto
let_land
cat >"$work/vf.xml" <<'END'
<interface type="hostdev" managed="yes"><mac address="52:54:00:00:00:0a"/><source>
<address type="pci" bus="0x81" slot="0x10" function="0"/></source><vlan><tag id="7"/></vlan></interface>
END
echo '<domain><name>new</name></domain>' >"$work/new.xml"

# what the file says but the clock and the counters
now() { jq -S 'del(.sim)' "$host"; }
call() { "$work/virtcall" "$host" <<<"$*"; }

# at_every_point CALL…: from the present state, which becomes the one after it
at_every_point() {
	local old new n calls found
	cp "$host" "$work/before.json"
	old=$(now)
	KILLAT_COUNT=$work/calls LD_PRELOAD=$work/killat.so call "$@" >"$work/answer"
	is "$*" ok "$(cat "$work/answer")"
	calls=$(cat "$work/calls")
	new=$(now)
	[ "$old" != "$new" ] || fail "$*: it changes nothing"
	between "points of $*" 2 100 "$calls"
	for ((n = 1; n <= calls; n++)); do
		cp "$work/before.json" "$host"
		{ KILLAT=$n LD_PRELOAD=$work/killat.so call "$@" >/dev/null 2>&1; } 2>/dev/null && fail "$*: call $n was not reached"
		found=$(now)
		[ "$found" = "$old" ] || same "$*, killed at call $n of $calls" "$new" "$found"
		passed
	done
	rm -f "$host.tmp"
	cp "$work/before.json" "$host"
	call "$@" >/dev/null
	same "$*, again" "$new" "$(now)"
	echo "$*: $calls points"
}
at_every_point attach web1 "$work/vf.xml" config
at_every_point attach web1 "$work/vf.xml" live
is "the VF is in the guest" '["vfio-pci","52:54:00:00:00:0a",7]' "$(pf_of ens2f0 '.vf[0] | [.driver, .attrs.mac, .attrs.vlan]')"
at_every_point pin web1 vcpu 0 3 live
at_every_point memory web1 strict 1 config
at_every_point define "$work/new.xml"
at_every_point detach web1 "$work/vf.xml" live 1000
at_every_point detach web1 "$work/vf.xml" config

# two at once wait for each other: each change is there
for i in $(seq 10); do
	printf '<interface type="bridge"><mac address="52:54:00:00:01:%02x"/><source bridge="br0"/></interface>' "$i" >"$work/tap$i.xml"
done
for i in $(seq 10); do call attach web1 "$work/tap$i.xml" config >"$work/answer$i" & done
wait
is "all of them" 10 "$(cat "$work"/answer[0-9]* | grep -c '^ok$')"
is "all are there" 10 "$(jq -r '.domains[0].xml' "$host" | grep -c 'type="bridge"')"
