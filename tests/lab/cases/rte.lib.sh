# shellcheck shell=bash
# shellcheck disable=SC2154 # out is of cases/lib.sh
# Sourced by the cases of sriov-rte, in the guest, after cases/lib.sh: the owner of a port, and what it counts. A case
# says by send() where frames come from.
cp /share/sriov-rte /share/bare-rte /tmp/
socket=/run/rte.sock

answers() { s flow list --backend rte --socket "$socket" >/dev/null 2>&1; }
# own ARGUMENT…: an owner that answers; $pid
own() {
	/tmp/sriov-rte --socket "$socket" --sink "$@" >/tmp/owner.log 2>&1 &
	pid=$!
	t "the owner answers" wait_until answers 30
}
gone() {
	kill "-$1" "$pid"
	wait "$pid" 2>/dev/null
}
# counted: what the owner took from its queues so far
counted() { s flow list --backend rte --socket "$socket" --json | jq -c '.rte.ports[0].taken'; }
# counts WANT WHAT LINE: frames (frames.py's words), and what the queues got
counts() {
	local want=$1 what=$2 before now
	shift 2
	before=$(counted)
	_arrived() {
		now=$(jq -nc --argjson a "$before" --argjson b "$(counted)" '[range($a | length) | $b[.] - $a[.]]')
		[ "$now" = "$want" ]
	}
	printf '%s\n' "$@" | send
	wait_until _arrived 5
	is "$now" "$want" "$what"
}
# against_bare N ROUNDS: whole commands that apply /tmp/many, N rules, beside DPDK alone; $address has an owner, and has
# one at the end. The times are in /tmp/ours and /tmp/bare.
against_bare() {
	local begun round
	: >/tmp/none
	for ((round = 0; round < $2; round++)); do
		t "no rules" s flow apply /tmp/none --force --backend rte --socket "$socket"
		begun=${EPOCHREALTIME/./}
		t "$1 rules" s flow apply /tmp/many --backend rte --socket "$socket"
		echo $(((${EPOCHREALTIME/./} - begun) / 1000)) >>/tmp/ours
		gone TERM
		/tmp/bare-rte "$address" "$1" >>/tmp/bare || fail "the bare loop, round $round"
		own --pci "$address" --queues 4
	done
}
