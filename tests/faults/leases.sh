#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# 32 processes attach and detach 100 times each, 32 guests on 24 VFs of two PFs: no VF is held twice, no lease is lost
# and none is left over. Who is right is not asked of the tool: a reader of its own looks into the database and into
# what the simulated libvirt was told.
# shellcheck source=tests/harness.sh disable=SC2016,SC2119
. "$(dirname "$0")/../harness.sh"
with python3
tool=$release
guests=32 rounds=${ROUNDS:-100}

new_host
sriovctl vf create ens1f0 --count 12 --mac auto --driver none
sriovctl vf create ens2f0 --count 12 --mac auto --driver none
let_land
for ((i = 1; i <= guests; i++)); do defined "guest$i" "$i"; done

# The reader: leases against each other, and against the domains' XML. Called when nobody else is there.
cat >"$work/reader.py" <<'PY'
import json, re, sqlite3, sys
db = sqlite3.connect("file:%s?mode=ro" % sys.argv[1], uri=True)
host = json.load(open(sys.argv[2]))
held = {}
for guest, pf, vf, address, state in db.execute("SELECT guest, pf, vf, address, state FROM lease"):
    if (pf, vf) in held: print("held twice:", pf, vf, guest, held[pf, vf][0])
    held[pf, vf] = guest, address
address = {f["address"]: (pf["address"], f["index"]) for pf in host["pfs"] for f in pf.get("vf", [])}
named = {}
for domain in host["domains"]:
    for d, b, s, f in re.findall(r'<source>\s*<address type="pci" domain="0x(\w+)" bus="0x(\w+)" slot="0x(\w+)" function="0x(\w+)"/>', domain.get("xml", "")):
        at = address["%s:%s:%s.%s" % (d, b, s, f)]
        if at in named: print("named twice:", at, domain["name"], named[at])
        named[at] = domain["name"]
        if held.get(at, ("nobody",))[0] != domain["name"]: print("named but not leased:", at, domain["name"])
for at, (guest, _) in held.items():
    if named.get(at) != guest: print("leased but not named:", at, guest)
for (n,) in db.execute("SELECT count(*) FROM journal WHERE ended IS NULL"):
    if n: print("open journals:", n)
print("leases", len(held))
PY
reader() { python3 "$work/reader.py" "$host.state/state.db" "$host"; }

# What came of each command; a VF that cannot be had is no failure, anything else is.
one_guest() {
	local i code done=0 none=0
	for ((i = 0; i < rounds; i++)); do
		code=0
		"$tool" guest attach "guest$1" --lock-timeout 600 >"$work/out.$1" 2>&1 || code=$?
		case $code in
		0)
			done=$((done + 1))
			# every third guest keeps its last one
			[ $i = $((rounds - 1)) ] && (($1 % 3 == 0)) && continue
			"$tool" guest detach "guest$1" --lock-timeout 600 >"$work/out.$1" 2>&1 || {
				echo "guest$1 detach: $(cat "$work/out.$1")" >>"$work/wrong"
			}
			;;
		1)
			none=$((none + 1))
			grep -q 'no free VF' "$work/out.$1" || echo "guest$1: $(cat "$work/out.$1")" >>"$work/wrong"
			;;
		*) echo "guest$1: $code: $(cat "$work/out.$1")" >>"$work/wrong" ;;
		esac
	done
	echo "$done $none" >"$work/count.$1"
}

: >"$work/wrong"
for ((i = 1; i <= guests; i++)); do one_guest "$i" & done
wait
is "what should not be" "" "$(head -n 5 "$work/wrong")"
counts=$(cat "$work"/count.* | awk '{d += $1; n += $2} END {print d, n}')
is "commands" "$((guests * rounds))" "$((${counts% *} + ${counts#* }))"
echo "${counts% *} times attached and detached, ${counts#* } times no VF was free"
kept=$(awk '$1 > 0' "$work"/count.{3,6,9,12,15,18,21,24,27,30} | wc -l)
at_most "leases that were kept" "$kept" "$(query 'SELECT count(*) FROM lease')"
has "the reader" "$(reader)" "leases"
is "the reader" "leases $(query 'SELECT count(*) FROM lease')" "$(reader)"
is "the database" ok "$(query 'PRAGMA integrity_check')"
for ((i = 1; i <= guests; i++)); do sriovctl guest detach "guest$i"; done
is "the reader" "leases 0" "$(reader)"
