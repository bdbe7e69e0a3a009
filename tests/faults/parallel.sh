#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Many at once: changes of one PF go one after the other and say whom they wait for, no VF is leased twice,
# and what is there at the end is what one of the orders would have left.
# shellcheck source=tests/harness.sh disable=SC2016,SC2119
. "$(dirname "$0")/../harness.sh"
with flock
tool=$release

# at_once N COMMAND…: N processes of a shell function, called with 1 to N; their statuses in $work/status.I
at_once() {
	local n=$1 i
	shift
	rm -f "$work"/status.*
	for ((i = 1; i <= n; i++)); do
		(
			code=0
			"$@" "$i" >"$work/out.$i" 2>"$work/err.$i" || code=$?
			echo "$code" >"$work/status.$i"
		) &
	done
	wait
}
# statuses N: how often each was the end, as in "1x0 7x3"
statuses() { cat "$work"/status.* | sort -n | uniq -c | awk '{printf "%s%dx%d", sep, $1, $2; sep = " "}'; }

# ---- the same change, 8 times: one does it, the others find it done ----
new_host
create() { "$tool" vf create ens2f0 --count 4 --mac auto --vlan 100 --driver vfio-pci; }
at_once 8 create
is "ends" 8x0 "$(statuses)"
is "those that found it done" 7 "$(cat "$work"/out.* | grep -c 'nothing to do')"
is "effects" '{"autoprobe":1,"numvfs":1,"vf_set":4,"override":4,"probe":4}' "$(effects)"
is "changes" 1 "$(query 'SELECT count(*) FROM journal')"

# ---- different changes: each is wholly there or was refused ----
new_host
differ() { "$tool" vf create ens2f0 --count "$1" --vlan "$((100 + $1))"; }
at_once 8 differ
is "ends" "1x0 7x3" "$(statuses)"
is "one of them as a whole" true "$(pf_of ens2f0 '.vfs.now as $n | [.vf[].attrs.vlan] | all(. == 100 + $n)')"
over committed

new_host
sriovctl vf create ens2f0 --count 8
each() { "$tool" vf set ens2f0 "$(($1 - 1))" --vlan "$((200 + $1))" --trust on; }
at_once 8 each
is "ends" 8x0 "$(statuses)"
is "all of them" '[201,202,203,204,205,206,207,208]' "$(pf_of ens2f0 '[.vf[].attrs.vlan]')"
is "intent" '[201,202,203,204,205,206,207,208]' \
	"$(query 'SELECT intent FROM pf' | jq -c '[.vf[].attrs.vlan // .vf[].attrs.vlan[0]]')"

# ---- guests: 32 processes, 12 guests, 8 VFs ----
new_host
sriovctl vf create ens2f0 --count 8 --mac auto
lease() { "$tool" guest xml "guest$(($1 % 12))"; }
at_once 32 lease
is "leases" 8 "$(query 'SELECT count(*) FROM lease')"
is "no VF twice" 8 "$(query 'SELECT count(DISTINCT pf || vf) FROM lease')"
is "no guest twice" 8 "$(query 'SELECT count(DISTINCT guest) FROM lease')"
for ((i = 1; i <= 32; i++)); do
	guest=guest$((i % 12))
	vf=$(query "SELECT vf FROM lease WHERE guest = '$guest'")
	if [ "$(cat "$work/status.$i")" = 0 ]; then
		has "XML of $guest" "$(cat "$work/out.$i")" "$(pf_of ens2f0 ".vf[$vf].attrs.mac")"
	else
		is "$guest has no lease" "" "$vf"
		has "why" "$(cat "$work/err.$i")" "no free VF"
	fi
done
is "database" ok "$(query 'PRAGMA integrity_check')"

# ---- create, set, delete, rules, leases and readers, all at once ----
new_host
mixed() {
	case $(($1 % 6)) in
	0) "$tool" vf create ens2f0 --count 2 --mac auto ;;
	1) "$tool" vf set ens2f0 all --vlan 7 ;;
	2) "$tool" vf delete ens2f0 --force ;;
	3) "$tool" flow add ens2f0 --name one flow-type udp4 dst-port 1 drop ;;
	4) "$tool" guest xml "guest$1" ;;
	5) "$tool" host show --json && "$tool" flow list && "$tool" guest list && "$tool" history ;;
	esac
}
at_once 24 mixed
for ((i = 1; i <= 24; i++)); do
	case $((i % 6)):$(cat "$work/status.$i") in
	0:0 | 1:[01] | 2:0 | 3:0 | 4:[01] | 5:0 | [01234]:3) passed ;;
	*) fail "process $i ended with $(cat "$work/status.$i"): $(cat "$work/err.$i")" ;;
	esac
done
over
is "leases of VFs that are gone" 0 \
	"$(query "SELECT count(*) FROM lease WHERE vf >= $(pf_of ens2f0 .vfs.now)")"
expect 0 vf delete ens2f0 --force
expect 0 flow delete ens2f0 --all

# ---- who waits says for whom ----
new_host
sriovctl vf create ens2f0 --count 1
exec 9<>"$host.state/pf-0000:81:00.0.lock"
flock 9
printf '4711 sriovctl vf set ens2f0 0 --trust on\n' >&9
expect 3 vf set ens2f0 0 --vlan 5 --lock-timeout 1
said "0000:81:00.0: another change of this PF runs: process 4711 sriovctl vf set ens2f0 0 --trust on"
said "sriovctl: 0000:81:00.0 is held by process 4711 sriovctl vf set ens2f0 0 --trust on; waiting"
is "VLAN" 0 "$(pf_of ens2f0 '.vf[0].attrs.vlan')"
expect 3 vf set ens2f0 0 --vlan 5 --lock-timeout 1 --debug=lock
said "debug: lock: 0000:81:00.0 is held by process 4711"
# other PFs and readers do not wait
expect 0 vf create ens1f0 --count 1 --lock-timeout 1
expect 0 vf list
expect 0 vf set ens2f0 0 --vlan 5 --dry-run
flock -u 9
expect 0 vf set ens2f0 0 --vlan 5
