#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What commands cost, in numbers that do not depend on the machine: effects and dumps on the simulated host,
# durable commits and sleeps by strace.
# shellcheck source=tests/harness.sh disable=SC2016,SC2119
. "$(dirname "$0")/../harness.sh"
tool=$release

# counted ARGUMENTS…: runs a command that must succeed; $ops is how often it called what
counted() {
	edit_host '.sim.ops = {} | .sim.count_reads = true'
	sriovctl "$@"
	is "status" 0 "$status"
	ops=$(jq -c .sim.ops "$host")
}
op() { jq ".$1 // 0" <<<"$ops"; }

printf '%-28s %7s %7s %7s %7s %7s %7s\n' command numvfs vf_set dumps reads pauses waits
row() {
	printf '%-28s %7d %7d %7d %7d %7d %7d\n' "$1" "$(op numvfs)" "$(op vf_set)" "$(op read_attrs)" \
		"$(op read)" "$(op pause)" "$(op wait)"
}

for n in 4 63; do
	# ixgbe: one message for the attributes of a VF, one for its rate
	new_host
	counted vf create ens2f0 --count "$n" --mac auto --vlan 100 --trust on
	row "ixgbe, $n VFs"
	is "numvfs" 1 "$(op numvfs)"
	is "vf_set" "$n" "$(op vf_set)"
	at_most "dumps" 2 "$(op read_attrs)"
	is "pauses" 0 "$(op pause)"
	is "waits" 0 "$(op wait)"
	new_host
	counted vf create ens2f0 --count "$n" --mac auto --vlan 100 --trust on --max-rate 500
	row "ixgbe, $n VFs with rates"
	is "numvfs" 1 "$(op numvfs)"
	is "vf_set" $((2 * n)) "$(op vf_set)"
	at_most "dumps" 2 "$(op read_attrs)"
	is "pauses" 0 "$(op pause)"
	# for the link; each netdev that appears meanwhile wakes it too
	at_most "waits" $((n + 1)) "$(op wait)"
	# the second time: look, and nothing else
	counted vf create ens2f0 --count "$n" --mac auto --vlan 100 --trust on --max-rate 500
	row "ixgbe, the same again"
	is "effects" '{}' "$(jq -c 'del(.read, .read_attrs, .read_rules)' <<<"$ops")"
	at_most "dumps" 1 "$(op read_attrs)"
	counted vf list ens2f0
	row "vf list, one PF"
	is "dumps" 1 "$(op read_attrs)"
	is "reads" 1 "$(op read)"

	# i40e: the VF resets after each attribute; no event tells the end, so calls are repeated
	new_host
	counted vf create ens1f0 --count "$n" --mac auto --vlan 100 --trust on
	row "i40e, $n VFs"
	is "numvfs" 1 "$(op numvfs)"
	is "calls without their repetitions" "$n" $(($(op vf_set) - $(op pause)))
	at_most "dumps" $((n + 2)) "$(op read_attrs)"
	echo "figure: i40e (simulated), $n VFs: $(op vf_set) attribute messages, $(op read_attrs) dumps"
done
new_host
counted vf list
row "vf list, three PFs"
is "one dump a PF" 3 "$(op read_attrs)"

# ---- rules: one call each, one reading of the table before and one after, whatever their number ----
for n in 10 300; do
	new_host '(.pfs[] | select(.netdev == "ens2f0")).ntuple = "on"'
	for ((i = 1; i <= n; i++)); do echo "name r$i udp4 dst-port $i queue $((i % 4))"; done >"$work/rules"
	counted flow apply "$work/rules" --pf ens2f0
	row "flow apply, $n rules"
	is "inserts" "$n" "$(op rule_insert)"
	is "deletes" 0 "$(op rule_delete)"
	is "readings of the table" 2 "$(op read_rules)"
	is "pauses" 0 "$(op pause)"
	# the second time: look, and nothing else
	counted flow apply "$work/rules" --pf ens2f0
	is "effects" '{}' "$(jq -c 'del(.read, .read_attrs, .read_rules)' <<<"$ops")"
	is "readings of the table" 1 "$(op read_rules)"
	# one rule otherwise: one out, one in
	sed -i 's/^name r5 .*/name r5 udp4 dst-port 5 drop/' "$work/rules"
	counted flow apply "$work/rules" --pf ens2f0
	is "inserts" 1 "$(op rule_insert)"
	is "deletes" 1 "$(op rule_delete)"
	is "readings of the table" 2 "$(op read_rules)"
done

# ---- system calls ----
with strace
new_host
sriovctl vf create ens2f0 --count 4 # the database is there: what follows is a command's everyday cost
let_land

# durable COMMITS ARGUMENTS…: a command that must succeed, and how often it waits for the disk. SQLite also syncs
# the folder, once a process, when it first syncs a log that it has opened.
durable() {
	local commits=$1
	shift
	status=0
	command=$*
	strace -f -qq -y -o "$work/trace" \
		-e trace=fsync,fdatasync,sync_file_range,msync,nanosleep,clock_nanosleep \
		"$tool" "$@" >"$work/out" 2>"$work/err" || status=$?
	is "status" 0 "$status"
	printf '%-62s %d commits, %d syncs of the folder\n' "${command:0:60}" \
		"$(calls 'sync\(.*-wal>')" "$(calls 'sync\(.*\.state>')"
	is "durable commits" "$commits" "$(calls 'sync\(.*-wal>')"
	at_most "syncs of the folder" 1 "$(calls 'sync\(.*\.state>')"
	is "syncs of anything else" 0 "$(calls 'sync\(' '-wal>|\.state>')"
	is "sleeps" 0 "$(calls 'nanosleep\(')"
}
# calls PATTERN [NOT]: in the trace
calls() { grep -E -e "$1" "$work/trace" | grep -vcE -e "${2:-^$}" || true; }

durable 2 vf set ens2f0 0 --vlan 7
durable 0 vf set ens2f0 0 --vlan 7
durable 2 vf delete ens2f0
durable 2 vf create ens2f0 --count 4 --mac auto --vlan 100 --max-rate 500
durable 2 flow add ens2f0 flow-type udp4 dst-port 4789 vf 1
for ((i = 1; i <= 100; i++)); do echo "name r$i udp4 dst-port $i queue $((i % 4))"; done >"$work/rules"
durable 2 flow apply "$work/rules" --pf ens2f0
durable 0 flow apply "$work/rules" --pf ens2f0
durable 2 rss set ens2f0 queues 1-2
durable 1 guest xml web1
durable 0 guest xml web1
durable 1 guest detach web1
durable 0 vf list
durable 0 vf create ens2f0 --count 4 --dry-run
