#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# flow probe by whole commands: what it refuses, what it shows without consent, what it answers, and that nothing
# of it stays, also if it fails or is killed half-way.
# shellcheck source=tests/harness.sh disable=SC2016,SC2119
. "$(dirname "$0")/../harness.sh"

# A host whose ens2f0 (82599) and ens1f0 (X710) have VFs, with MACs where those are needed; made once.
probe_host() {
	if [ ! -d "$work/ready" ]; then
		new_host
		expect 0 vf create ens2f0 --count 2
		expect 0 vf create ens1f0 --count 2
		let_land
		expect 0 vf set ens1f0 all --mac auto
		let_land
		mkdir "$work/ready"
		cp -a "$host" "$host.state" "$work/ready"
	fi
	rm -rf "$host.state"
	cp -a "$work/ready/." "$work"
}
answers() { jq -r '.evidence[] | "\(.question)=\(.answer)"' "$work/out" | paste -sd' '; }
probe=(flow probe ens2f0 --wire ens1f0)

# untouched WHAT: refused or planned, the host and the history are as they were
untouched() {
	is "$1: the host" "$before" "$(as_it_is)"
	is "$1: the history" "$rows" "$(query 'SELECT count(*) FROM journal')"
}
# the clock runs, and may be waited for
as_it_is() { jq 'del(.sim.clock_ms, .sim.ops.wait)' "$host"; }
remember() {
	before=$(as_it_is)
	rows=$(query 'SELECT count(*) FROM journal')
}

# ---- the plan, and consent ----
probe_host
remember
expect 0 "${probe[@]}"
showed "switch ntuple filters on" "wait for the link of ens2f0" "vf 0: set its netdev up" \
	"install rule redirect at location 1" "-> vf 0 queue 0" "while the rule stands" "delete rule drop-vfs" \
	"at most 156 test frames in at most 43 s" "--consent" "dry run: nothing was changed"
untouched "without consent"
expect 0 "${probe[@]}" --consent --dry-run --json
digest=$(jq -r '.plans[0].digest' "$work/out")
is "evidence of a dry run" null "$(jq -c .evidence "$work/out")"
untouched "a dry run"
expect 0 flow probe --show
showed "no NIC was probed so far"
expect 3 "${probe[@]}" --consent --expect 0123456789abcdef
said "the plan is not the one expected"
untouched "another plan"

# ---- the answers: an 82599 ----
found=$(shown ens2f0) elsewhere=$(others ens2f0)
expect 0 "${probe[@]}" --consent --expect "$digest" --json
is "answers" "redirect=yes switched=no drop-ports=yes drop-vfs=yes" "$(answers)"
is "they are simulated" '["simulated"]' "$(jq -c '[.evidence[].nature] | unique' "$work/out")"
is "counts" "without the rule 8 sent: PF 8, VF 0, fdir_match +0; with it 8 sent: PF 0, VF 8, fdir_match +8; without it again 8 sent: PF 8, VF 0, fdir_match +0" \
	"$(jq -r '.evidence[0].counts' "$work/out")"
let_land
same "the port is as found" "$found" "$(shown ens2f0)"
same "the others too" "$elsewhere" "$(others ens2f0)"
is "it ends as undone" "undone|26" "$(query 'SELECT status, steps FROM journal ORDER BY id DESC LIMIT 1')"
is "no intent of it" "" "$(query "SELECT intent FROM pf WHERE address = '0000:81:00.0' AND intent LIKE '%redirect%'")"
expect 0 flow list ens2f0 --json
is "no rule" '[]' "$(jq -c '.ports[0].rules' "$work/out")"
expect 0 flow probe ens2f0 --show
showed "redirect: does \`vf N\` redirect" "yes: a rule for a VF takes frames" "simulated: the host is simulated" "8086:10fb"
echo 'udp4 dst-port 9 queue 1' >"$work/rules"
expect 0 flow check "$work/rules" --pf ens2f0
showed "probed: does \`vf N\` redirect" "yes (simulated, "

# our RSS table, which the resets of the port refill
expect 0 rss set ens2f0 queues 0-1
found=$(shown ens2f0)
expect 0 "${probe[@]}" --consent
showed "spread what no rule catches over RX queues 0-1"
let_land
same "the port is as found, RSS too" "$found" "$(shown ens2f0)"
is "the table" "[0,1]" "$(pf_of ens2f0 '.rss | unique')"

# a VF of one's choice; without a cable only what needs none, and the other answers stay
expect 0 flow probe ens2f0 --vf 1 --consent --json
is "answers" "redirect=unknown: needs --wire switched=no drop-ports=unknown: needs --wire drop-vfs=unknown: needs --wire" \
	"$(answers)"
has "the VF" "$(jq -r '.plans[0].steps[].what' "$work/out")" "vf 1: set its netdev up"
expect 0 flow probe --show --json
is "recorded" "redirect=yes drop-ports=yes drop-vfs=yes switched=no" "$(answers)"

# ---- i40e ----
expect 0 flow probe ens1f0 --wire ens2f0 --consent --json
is "answers" "redirect=no switched=yes reach=no drop-vfs=yes" "$(answers)"
expect 0 flow probe ens1f0 --show --json
is "one PF" '["0000:3b:00.0"]' "$(jq -c '[.evidence[].pf] | unique' "$work/out")"

# a port that was down, with ntuple on: both are put back
probe_host
edit_host '(.pfs[] | select(.netdev == "ens2f0")) |= (.up = false | .carrier = false | .ntuple = "on")'
expect 0 "${probe[@]}" --consent --json
has "the first step" "$(jq -r '.plans[0].steps[0].what' "$work/out")" "set ens2f0 up"
is "answers" "redirect=yes switched=no drop-ports=yes drop-vfs=yes" "$(answers)"
is "down again" 'false "on"' "$(pf_of ens2f0 .up) $(pf_of ens2f0 .ntuple)"
deviate '[{"op": "link", "never": true}]'
expect 4 "${probe[@]}" --consent --link-timeout 5
said "no link within 5 s"
is "down again" 'false "on"' "$(pf_of ens2f0 .up) $(pf_of ens2f0 .ntuple)"
over undone undone committed committed committed

# ---- VFs made just now, whose netdevs are still to come ----
new_host
expect 0 vf create ens2f0 --count 2
is "no netdev yet" '["",""]' "$(pf_of ens2f0 '[.vf[].netdev]')"
expect 0 "${probe[@]}" --consent --json
is "answers" "redirect=yes switched=no drop-ports=yes drop-vfs=yes" "$(answers)"
# a signal ends the wait: the first call that writes is the simulated host's, of the wait
with gcc
gcc -D_GNU_SOURCE -O1 -shared -fPIC -o "$work/killat.so" "$repo/tests/faults/killat.c" -ldl
new_host
expect 0 vf create ens2f0 --count 2
KILLAT_SIGNAL=1 LD_PRELOAD=$work/killat.so expect 1 "${probe[@]}" --consent
said "ens2f0: stopped by a signal"
is "nothing was begun" 1 "$(query 'SELECT count(*) FROM journal')"

# ---- what is refused ----
refused() { # STATUS JQ-EDIT FRAGMENT… [-- ARGUMENTS…]
	local wanted=$1 edit=$2 fragments=()
	shift 2
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		fragments+=("$1")
		shift
	done
	[ $# = 0 ] || shift
	[ $# -gt 0 ] || set -- "${probe[@]:2}"
	cp -a "$work/ready/host.json" "$host"
	edit_host "$edit"
	remember
	expect "$wanted" flow probe "$@" --consent
	said "${fragments[@]}"
	untouched "$edit"
}
probe_host
port='(.pfs[] | select(.netdev == "ens2f0"))'
refused 3 "$port.uses = [{\"who\": \"default route\", \"how\": \"IPv4, through ens2f0\", \"running\": true}]" \
	"ens2f0: not idle: default route (IPv4, through ens2f0)" "another port"
# the plan alone is refused too
expect 3 "${probe[@]}"
said "not idle: default route"
refused 3 "$port.vf[1].up = true" "vf 1 of ens2f0: not idle: host" "ens2f0v1 is up"
refused 3 '.domains = [{"name": "web1", "uuid": "6a4f3f5e-0000-4000-8000-000000000001", "state": "defined", "vfs": ["0000:81:10.2"]}]' \
	"vf 1 of ens2f0: not idle: guest web1 (defined)"
refused 3 "$port.ntuple = \"on\" | $port.rules = [{\"loc\": 9, \"flow\": \"udp4\", \"value\": {\"pdst\": 53}, \"mask\": {\"pdst\": 65535}, \"cookie\": \"0x1\"}]" \
	"rules that somebody else made (udp4 dst-port 53 -> queue 1)" "ethtool -N"
refused 1 "$port.ntuple = \"off [fixed]\"" "no ntuple filters"
refused 1 "$port.vf[].netdev = \"\" | $port.vf[].driver = \"\"" "no VF can be probed with" "no netdev" "vf bind PF N --driver default"
is "waited for one" 1 "$(jq .sim.ops.wait "$host")"
# a port that is used is refused at once
refused 3 "$port.vf[].netdev = \"\" | $port.uses = [{\"who\": \"default route\", \"how\": \"x\", \"running\": true}]" "not idle: default route"
is "not waited for" null "$(jq .sim.ops.wait "$host")"
refused 1 "$port.vf[].netdev = \"\"" "no VF can be probed with" "no netdev" "a container" "dmesg"
is "waited for one" 1 "$(jq .sim.ops.wait "$host")"
refused 1 "$port.vf[].netdev = \"\" | $port.vf[].driver = \"vfio-pci\"" "no netdev" "vf bind PF N --driver default"
is "none is to come" null "$(jq .sim.ops.wait "$host")"
refused 1 "$port.vf[].netdev = \"\" | $port.vf[].driver = \"\" | $port.autoprobe = false" "no netdev"
is "none is to come" null "$(jq .sim.ops.wait "$host")"
refused 1 '.' "there is no VF 7: the PF has 2 VFs" -- ens2f0 --vf 7
refused 1 '(.pfs[] | select(.netdev == "ens1f0")).vf[].attrs.mac = "00:00:00:00:00:00"' \
	"VF 1 cannot be probed with: it has no MAC" "vf set PF N --mac auto" -- ens1f0 --vf 1 --wire ens2f0
refused 1 '.' "no such network device" -- ens2f0 --wire nosuch0
refused 1 '.' "the port itself" "cabled to ens2f0" -- ens2f0 --wire ens2f0
refused 1 '.' "the port itself" -- ens2f0 --wire ens2f0v1
refused 1 '(.pfs[] | select(.netdev == "ens1f0")) |= (.up = false | .carrier = false)' "the other end of the cable is down" "ip link set ens1f0 up"
refused 1 '(.pfs[] | select(.netdev == "eno1")) |= (.uses = [] | .driver = "igb")' "no question is open for driver 'igb'" -- eno1
expect 1 flow probe
said "PF is missing"
expect 1 flow probe nosuch0 --consent
expect 1 flow probe nosuch0 --show
said "nosuch0"
new_host
expect 1 "${probe[@]}" --consent
said "a VF is needed, and there is none" "vf create PF --count 1"
is "no database for that" "" "$(query 'SELECT count(*) FROM journal' | grep -v '^0$')"
# rules of ours, also when they are not in the table
probe_host
expect 0 flow add ens2f0 flow-type udp4 dst-port 4789 queue 1
edit_host "$port.rules = []"
expect 3 "${probe[@]}" --consent
said "it has rules of ours"

# ---- it fails half-way: the port is as it was, and nothing is recorded ----
fails() { # STATUS DEVIATION FRAGMENT…
	local wanted=$1 found
	probe_host
	found=$(shown ens2f0)
	deviate "[$2]"
	shift 2
	expect "$wanted" "${probe[@]}" --consent
	said "$@"
	let_land
	deviate '[]'
	same "$*: the port is as it was" "$found" "$(shown ens2f0)"
	expect 0 flow probe --show
	showed "no NIC was probed so far"
}
fails 4 '{"op": "rule_insert", "skip": 1, "errno": "ENOSPC"}' "rule_insert" "No space left"
over undone committed committed committed
fails 4 '{"op": "frames", "skip": 6, "errno": "EIO"}' "frames fails"
fails 4 '{"op": "vf_up", "times": 1, "errno": "EIO"}' "vf 0" "vf_up fails"
fails 4 '{"op": "vf_up", "errno": "EBUSY"}' "vf 0" "vf_up fails" "resource busy" "refused that for 30 s"
# a VF in reset comes out of it
probe_host
deviate '[{"op": "vf_up", "times": 3, "errno": "EBUSY"}]'
expect 0 "${probe[@]}" --consent --json
is "asked again" "redirect=yes switched=no drop-ports=yes drop-vfs=yes" "$(answers)"
# a rule that the driver accepts and loses says nothing
fails 4 '{"op": "rule_insert", "lie": true}' "the rule at location 1, but it is not in the table"
fails 1 '{"op": "ntuple", "errno": "EIO"}' "ntuple fails"
# frames that are lost for another reason are no answer
probe_host
deviate '[{"op": "frames", "skip": 3, "times": 1, "lie": true}]'
expect 0 "${probe[@]}" --consent --json
is "a round without frames" "redirect=unclear switched=no drop-ports=yes drop-vfs=yes" "$(answers)"
# what cannot be undone is told, and stays open
probe_host
found=$(shown ens2f0)
deviate '[{"op": "vf_up", "skip": 1, "errno": "EIO"}]'
expect 5 "${probe[@]}" --consent
said "probed, but the port is not as it was" "undoing failed" "journal undo"
expect 0 flow probe --show
showed "no NIC was probed so far"
deviate '[]'
id=$(query "SELECT id FROM journal WHERE status = 'incomplete'")
# a probe has nothing to go on to: also resuming takes it back
expect 0 journal resume "$id"
let_land
same "taken back" "$found" "$(shown ens2f0)"
over undone committed committed committed
