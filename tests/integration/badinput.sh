#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What must not work: each row is an exit status, a fragment of what is told, and a command line. No row
# changes a byte of the host, of what was recorded, or the set of files.
# shellcheck source=tests/harness.sh disable=SC2016,SC2119
. "$(dirname "$0")/../harness.sh"

rows=0
# bad STATUS FRAGMENT ARGUMENTS…
bad() {
	local wanted=$1 fragment=$2 before
	shift 2
	rows=$((rows + 1))
	before=$(world)
	expect "$wanted" "$@"
	said "sriovctl: " "$fragment"
	is "nothing on standard output but a plan" "" \
		"$(grep -vE '^(plan for|refused:|  note:| +[0-9!])' "$work/out" || true)"
	same "the host, the database and the files" "$before" "$(world)"
}

# ---- the command line, on a host that has no state yet ----
new_host
bad 1 "no command was given"
bad 1 "did you mean \`sriovctl vf\`?" vv
bad 1 "no such command" frobnicate
bad 1 "say what to do with it" vf
bad 1 "did you mean \`sriovctl vf create\`?" vf craete ens2f0
bad 1 "PF is missing" vf create --count 1
bad 1 "--count is missing" vf create ens2f0
bad 1 "VFS is missing" vf set ens2f0 --vlan 1
bad 1 "no attribute was given" vf set ens2f0 0
bad 1 "'extra' is one argument too many" vf delete ens2f0 extra
bad 1 "PF is empty" vf delete ""
bad 1 "no such option" vf create ens2f0 --count 1 --frobnicate
bad 1 "did you mean --vlan?" vf create ens2f0 --count 1 --vlna 5
bad 1 "does not take --pool" vf delete ens2f0 --pool x
bad 1 "does not stand before the command" --count 1 vf create ens2f0
bad 1 "its value is missing" vf create ens2f0 --count
bad 1 "takes no value" vf delete ens2f0 --force=yes
bad 1 "no such option" vf list -x
for count in 0 -1 257 1.5 four '' 99999999999999999999; do
	bad 1 "number of VFs (1 to 256)" vf create ens2f0 --count "$count"
done
for mac in 02:00:00:00:00 02:00:00:00:00:00:00 02-00-00-00-00-01 gg:00:00:00:00:00 '' autos; do
	bad 1 "not a MAC address like" vf create ens2f0 --count 1 --mac "$mac"
done
for vlan in 4096 -1 x 1:8 1:x 1:2:802.1x 1:2:3:4 :1 '1 '; do
	bad 1 "--vlan $vlan" vf create ens2f0 --count 1 --vlan "$vlan"
done
for rate in -1 1G 1.5 1000001 ''; do
	bad 1 "a number of Mbit/s" vf create ens2f0 --count 1 --max-rate "$rate"
done
bad 1 "also needs --max-rate" vf create ens2f0 --count 1 --min-rate 10
bad 1 "--trust yes: not one of on|off" vf create ens2f0 --count 1 --trust yes
bad 1 "--link-state up: not one of auto|enable|disable" vf create ens2f0 --count 1 --link-state up
bad 1 "--driver igb_uio: not one of" vf create ens2f0 --count 1 --driver igb_uio
bad 1 "--pool '': not to be left empty" vf create ens2f0 --count 1 --pool ""
bad 1 "a number of seconds" vf create ens2f0 --count 1 --link-timeout 0
bad 1 "a NUMA node" guest xml web1 --node -1
bad 1 "VFS is empty" vf set ens2f0 '' --vlan 1
for list in ',' '0,' '0-' -1 '0,x' 0..3 256 'all,0'; do
	bad 1 "is not a VF index or range" vf set ens2f0 "$list" --vlan 1
done
bad 1 "range '3-1' runs backwards" vf set ens2f0 3-1 --vlan 1
bad 1 "not the id of a journal" journal undo x
bad 1 "not the id of a journal" journal undo 0
bad 1 "there is no journal 7" journal resume 7

# ---- what there is not ----
bad 1 "eth9: no such device" vf create eth9 --count 1
bad 1 "0000:99:00.0: no such device" vf delete 0000:99:00.0
bad 1 "eth9: no such device" host show eth9
bad 1 "eth9: no such device" flow add eth9 flow-type udp4 dst-port 1 drop
bad 1 "eth9: is not an SR-IOV PF" guest xml web1 --pf eth9
bad 1 "did you mean ens2f0?" guest xml web1 --pf ens2f1
bad 1 "" restore eth9
bad 1 "guest name" guest xml 'a/b'
bad 1 "cannot be read" guest xml web1 --domain "$work/none.xml"

# ---- a host with VFs, rules, leases, and users of VFs ----
new_host
sriovctl vf create ens2f0 --count 4 --mac auto --driver vfio-pci
sriovctl vf create ens1f0 --count 2
sriovctl flow add ens2f0 --name vxlan flow-type udp4 dst-port 4789 vf 3
sriovctl guest xml web1 --pf ens2f0
let_land
edit_host '.domains = [{"name": "db1", "state": "running", "vfs": ["0000:81:10.2"]}]
	| (.pfs[] | select(.netdev == "ens1f0") | .vf[1].up) = true'
bad 1 "it is not a PF, but VF 1 of 0000:81:00.0" vf delete 0000:81:10.2
bad 1 "it is not a PF, but VF 0 of 0000:3b:00.0" vf create ens1f0v0 --count 1
bad 1 "8 VFs are more than the 7 that this port can have; the limit is the device's" vf create eno1 --count 8 --disrupt-pf
edit_host '(.pfs[] | select(.netdev == "eno1") | .vfs.total) = 9'
bad 1 "8 VFs are more than the 7 that this port can have; the limit is the driver's" vf create eno1 --count 8 --disrupt-pf
bad 1 "there is no VF 4" vf set ens2f0 4 --vlan 1
bad 1 "there is no VF 4" vf bind ens2f0 2-4 --driver none
bad 1 "it has no VFs" vf set eno1 all --vlan 1
bad 1 "no such VF: the PF has VFs 0 to 3" vf show ens2f0 4
bad 1 "x" vf show ens2f0 x
bad 3 "has 4 VFs already" vf create ens2f0 --count 8

# whose VF it is, and how that is known
bad 3 "vf 0 of ens2f0: in use by guest web1 (lease 1" vf set ens2f0 0 --vlan 5
bad 3 "vf 1 of ens2f0: in use by guest db1 (running)" vf set ens2f0 1-3 --trust on
bad 3 "vf 1 of ens2f0: in use by guest db1 (running)" vf bind ens2f0 1,2 --driver none
bad 3 "ens2f0: 2 of its VFs are in use: vf 0 by guest web1 (lease 1 (reserved)); vf 1 by guest db1 (running)" vf delete ens2f0
bad 3 "vf 1 of ens1f0: in use by host (netdev ens1f0v1 is up" vf delete ens1f0
bad 3 "not 0000000000000000" flow delete ens2f0 vxlan --expect 0000000000000000
bad 1 "(eno1): no VFs (it can have 9)" guest xml web2 --pf eno1
bad 1 "no free VF on node 5" guest xml web2 --node 5

# what the driver does not have, or takes without effect
bad 1 "MAC 01:00:5e:00:00:01 is a multicast address" vf set ens2f0 2 --mac 01:00:5e:00:00:01
bad 1 "is taken on this host" vf set ens2f0 2 --mac 90:e2:ba:11:22:33
bad 1 "802.1Q" vf set ens2f0 2 --vlan 5:0:802.1ad
bad 1 "takes it without effect" vf set ens2f0 2 --link-state enable
bad 1 "ixgbe takes 11..10000" vf set ens2f0 2 --max-rate 5
bad 1 "no guaranteed (minimum) VF rate" vf set ens2f0 2 --max-rate 100 --min-rate 50
bad 1 "rounds down to a multiple of 50" vf set ens1f0 0 --max-rate 120
bad 1 "has no VF rate on this device" vf create eno1 --count 1 --max-rate 100 --disrupt-pf

# rules
bad 1 "RULE" flow add ens2f0
bad 1 "the flow type comes before 'dst-port'" flow add ens2f0 dst-port 1 drop
bad 1 "udp5" flow add ens2f0 flow-type udp5 dst-port 1 drop
bad 1 "10.0.0" flow add ens2f0 flow-type udp4 dst-ip 10.0.0 drop
bad 1 "70000" flow add ens2f0 flow-type udp4 dst-port 70000 drop
bad 1 "dst-prot" flow add ens2f0 flow-type udp4 dst-prot 1 drop
bad 1 "" flow add ens2f0 flow-type udp4 dst-port 1
bad 1 "VF 9 does not exist: ens2f0 has 4" flow add ens2f0 flow-type udp4 dst-port 1 vf 9
bad 1 "no RX queue 400" flow add ens1f0 flow-type udp4 dst-port 1 queue 400
bad 1 "does not send packets to a VF" flow add ens1f0 flow-type udp4 dst-port 1 vf 0
bad 1 "mask" flow add ens2f0 flow-type udp4 src-port 1 drop
bad 1 "location 9999 is outside the table" flow add ens2f0 flow-type udp4 dst-port 2 drop loc 9999
bad 1 "rule vxlan exists already and says something else" flow add ens2f0 --name vxlan flow-type udp4 dst-port 2 drop
bad 1 "no packet would come to this rule" flow add ens2f0 flow-type udp4 dst-port 4789 drop
bad 1 "" flow delete ens2f0
edit_host '(.pfs[] | select(.netdev == "eno1")).ntuple = "off [fixed]"'
bad 1 "ntuple" flow add eno1 flow-type ether proto 0x0806 queue 0 --disrupt-pf

# ---- the live host: no SR-IOV, no root ----
unset SRIOVCTL_HOST
bad 1 "no-such-if: no such" vf create no-such-if --count 1
bad 1 "lo: " vf create lo --count 1
if command -v setpriv >/dev/null; then
	live() { setpriv --reuid=nobody --regid=nogroup --clear-groups "$release" "$@"; }
	chmod 755 "$work"
	tool=live
	bad 1 "vf create: needs root on this host" vf create lo --count 1
	said "sudo" "--host FILE"
	bad 1 "restore: needs root" restore
	tool=$dev
fi

# ---- files ----
export SRIOVCTL_HOST=$host
damaged() { # STATUS FRAGMENT TEXT: the host file says TEXT
	printf '%s' "$3" >"$host"
	bad "$1" "$2" vf list
	bad "$1" "$2" vf create ens2f0 --count 1
}
good=$(cat "$host")
damaged 1 "$host" ''
damaged 1 "line 1, column" '{"format": "sriovctl-host", "version": 1,'
damaged 1 "$host" '[]'
damaged 1 "format" '{"format": "something", "version": 1}'
damaged 1 "newer" "$(jq '.version = 2' <<<"$good")"
damaged 1 "address" "$(jq '.pfs[0].address = "04:00"' <<<"$good")"
damaged 1 "pfs[2].vf[0].attrs" "$(jq '.pfs[2].vf[0].attrs.vlan = 5000' <<<"$good")"
damaged 1 "sim" "$(jq '.sim.deviate = [{"op": "vf_sett", "errno": "EIO"}]' <<<"$good")"
head -c 65536 /dev/urandom | tr '\0' 'x' >"$host"
bad 1 "$host" host show
SRIOVCTL_HOST=$work/none.json bad 1 "no such snapshot" vf list
bad 1 "no such snapshot" --host "$work/none.json" vf create ens2f0 --count 1
bad 1 "$work" --host "$work" vf list
printf '%s' "$good" >"$host"
bad 1 "exists already" host snapshot "$host"

# the database: damaged, of another program, of a newer version
database=$host.state/state.db
world() { cat "$host" && cksum "$database" && find "$work" -path "$host*" ! -name '*.lock' ! -name 'state.db-*' | sort; }
sqlite "$database" 'PRAGMA wal_checkpoint(TRUNCATE)' >/dev/null
rm "$database-wal" "$database-shm" 2>/dev/null || true
cp "$database" "$work/whole.db"
for ((page = 1; page < $(stat -c %s "$database") / 4096; page++)); do
	head -c 4096 /dev/zero | tr '\0' 'x' | dd of="$database" bs=4096 seek="$page" conv=notrunc status=none
done
bad 1 "the database is damaged" vf create ens1f0 --count 2
said "$database" "move it away"
bad 1 "the database is damaged" guest list
head -c 8192 /dev/zero | tr '\0' 'x' >"$database"
bad 1 "not a database of sriovctl" vf delete ens1f0 --force
said "$database" "move the file away"
bad 1 "not a database of sriovctl" guest list
cp "$work/whole.db" "$database"
sqlite "$database" 'PRAGMA user_version = 99'
rm "$database-wal" "$database-shm" 2>/dev/null || true
bad 1 "made by a newer sriovctl (schema 99, this one knows up to" vf delete ens1f0 --force
bad 1 "made by a newer sriovctl" journal show

# ---- with --json an error is JSON, with the same status ----
new_host
for row in "1 -ENODEV vf create eth9 --count 1" "3 EBUSY vf create eno1 --count 1" "1 EINVAL vf frobnicate"; do
	read -r wanted errno arguments <<<"$row"
	# shellcheck disable=SC2086
	expect "$wanted" $arguments --json
	is "nothing on standard error" "" "$(err)"
	is "error of '$arguments'" "[\"${errno#-}\",$wanted,true,true,true]" "$(jq -c '.error |
		[.errno, .status, (.object | length > 0), (.message | length > 0), (.hint | length > 0)]' "$work/out")"
done

[ "$rows" -ge 60 ] || fail "only $rows rows"
echo "$rows rows"
