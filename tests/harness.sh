# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034
# Sourced by the host-side tests (integration, faults, bench, fuzz): a simulated host in a folder of its own,
# commands with the exit status that is expected of them, checks, and the verdict at the end.
#
# A check that fails is told with its line and the last command, and the script goes on; the script fails at
# its end. A script that made no check fails too.
set -euo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

release=${SRIOVCTL:-$repo/build/sriovctl}
dev=${SRIOVCTL_DEV:-$repo/build-dev/sriovctl}
# Whole commands are tested with the sanitizers on; what counts or kills asks for tool=$release.
tool=$dev
unset SRIOVCTL_HOST

# in memory if possible: thousands of small commands should not wait for a disk
work=$(mktemp -d -p "$([ -w /dev/shm ] && echo /dev/shm || echo "${TMPDIR:-/tmp}")")
host=$work/host.json
# A status that no command has: what a sanitizer finds is never taken for an expected failure; nor is it lost in a
# pipe or behind another process: finish looks for what was written.
# What was freed is used again after 1 MiB, not 256: a command frees less at once, and fresh pages are most of its time.
export ASAN_OPTIONS=exitcode=99:log_path=$work/sanitizer:quarantine_size_mb=1:thread_local_quarantine_size_kb=64
export UBSAN_OPTIONS=exitcode=99:print_stacktrace=1:log_path=$work/sanitizer
checks=0 failures=0 status=0 command=''

finish() {
	local code=$? report
	for report in "$work"/sanitizer.*; do
		[ ! -e "$report" ] || fail "a sanitizer: $(cat "$report")"
	done
	rm -rf "$work"
	[ "$code" = 0 ] || exit "$code"
	[ "$checks" -gt 0 ] || {
		echo "no check was made"
		exit 1
	}
	echo "$((checks - failures)) of $checks checks passed"
	[ "$failures" = 0 ] || exit 1
}
trap finish EXIT

skip() {
	echo "$*"
	exit 77
}

# Needs PROGRAM…, or skips.
with() {
	local program
	for program; do
		command -v "$program" >/dev/null || skip "$program is not installed"
	done
}

# bench_program NAME [OBJECT|FLAG…]: $work/NAME from tests/bench/NAME.c and the library just built, with what it does not
# export; or skips.
bench_program() {
	local name=$1 cflags libraries
	shift
	with gcc pkg-config
	[ -e "$repo/build/libsriov.a" ] || skip "build/libsriov.a is not there"
	read -ra cflags <<<"$(pkg-config --cflags jansson)"
	read -ra libraries <<<"$(pkg-config --libs libnl-3.0 libmnl sqlite3 jansson) -ldl"
	gcc -std=gnu17 -O2 -D_GNU_SOURCE -Wall -Wextra -Wno-unused-parameter -Wno-missing-field-initializers "${cflags[@]}" \
		-I"$repo/include" -I"$repo" -o "$work/$name" "$repo/tests/bench/$name.c" "$@" "$repo/build/libsriov.a" "${libraries[@]}"
}

# The script's line that a check stands on, and those that led to it.
where() {
	local i lines=()
	for ((i = 1; i < ${#BASH_SOURCE[@]}; i++)); do
		[ "${BASH_SOURCE[i]##*/}" = harness.sh ] || lines+=("${BASH_LINENO[i - 1]}")
	done
	printf '%s line %s' "${0##*/}" "${lines[*]}"
}

passed() { checks=$((checks + 1)); }

fail() {
	checks=$((checks + 1)) failures=$((failures + 1))
	printf 'FAILED %s: %s\n' "$(where)" "$*"
	[ -z "$command" ] || {
		printf '  last command: sriovctl %s (status %s)\n' "$command" "$status"
		sed 's/^/  out| /' "$work/out" | head -n 40
		sed 's/^/  err| /' "$work/err" | head -n 40
	}
}

# is WHAT EXPECTED FOUND
is() {
	if [ "$2" = "$3" ]; then passed; else fail "$1: expected '$2', found '$3'"; fi
}

# between WHAT LEAST MOST FOUND
between() {
	if [ "$4" -ge "$2" ] && [ "$4" -le "$3" ]; then passed; else fail "$1: $4 is not $2 to $3"; fi
}
at_most() { between "$1" 0 "$2" "$3"; }

# same WHAT EXPECTED FOUND: for long texts, of which the difference is told
same() {
	if [ "$2" = "$3" ]; then
		passed
	else
		fail "$1"
		diff -U 3 --label expected --label found <(echo "$2") <(echo "$3") | sed -n '1,40s/^/  | /p' || true
	fi
}

# has WHAT TEXT FRAGMENT
has() {
	case $2 in
	*"$3"*) passed ;;
	*) fail "$1: '$3' is not in it: $2" ;;
	esac
}

# ---- hosts ----

# A fresh host (of the file $example, edited by a jq filter), which commands use from now on.
example=$repo/examples/hosts/two-node.json
new_host() {
	rm -rf "$host" "$host.state" "$host.tmp"
	jq "${1-.}" "$example" >"$host"
	export SRIOVCTL_HOST=$host
}

# edit_host JQ-ARGUMENTS…: what happens behind the tool's back.
edit_host() {
	jq "$@" "$host" >"$work/edited"
	mv "$work/edited" "$host"
}

# ---- guests of the simulated libvirt ----

uuid() { printf '6f1c2b5e-0000-4000-8000-%012x' "$1"; }
# domain NAME NUMBER [NODE] [shared]: XML of a q35 guest with two spare root ports, bound to a node if one is given, its
# memory shared as vhost-user wants it
domain() {
	local bound='' backed=''
	[ -z "${4-}" ] || backed="
  <memoryBacking><source type=\"memfd\"/><access mode=\"shared\"/></memoryBacking>"
	[ -z "${3-}" ] || bound="
  <numatune><memory mode=\"strict\" nodeset=\"$3\"/></numatune>"
	cat <<XML
<domain type="kvm">
  <name>$1</name>
  <uuid>$(uuid "$2")</uuid>
  <memory unit="MiB">1024</memory>$backed
  <vcpu>2</vcpu>$bound
  <os><type arch="x86_64" machine="q35">hvm</type></os>
  <features><acpi/></features>
  <devices>
    <controller type="pci" index="0" model="pcie-root"/>
    <controller type="pci" index="1" model="pcie-root-port"/>
    <controller type="pci" index="2" model="pcie-root-port"/>
    <controller type="pci" index="3" model="pcie-root-port"/>
  </devices>
</domain>
XML
}
# defined NAME NUMBER [NODE] [shared], running …: the guest is there from now on
defined() {
	edit_host --arg n "$1" --arg u "$(uuid "$2")" --arg x "$(domain "$@")"$'\n' \
		'.domains += [{name: $n, uuid: $u, state: "defined", xml: $x}]'
}
running() {
	edit_host --arg n "$1" --arg u "$(uuid "$2")" --arg x "$(domain "$@")"$'\n' \
		'.domains += [{name: $n, uuid: $u, state: "running", xml: $x, live: $x}]'
}
# xml GUEST config|live: what its domain says
xml() { jq -r --arg n "$1" '.domains[] | select(.name == $n) | if "'"$2"'" == "live" then .live else .xml end // ""' "$host"; }

# ---- time ----

# Simulated time passes, and what was pending lands; a read that is counted writes it into the file.
let_land() {
	edit_host '.sim.clock_ms = (.sim.clock_ms // 0) + 60000 | .sim.count_reads = true'
	"$tool" vf list >/dev/null
	edit_host '.sim.count_reads = false | del(.sim.ops.read, .sim.ops.read_attrs)'
}

# until_true SECONDS COMMAND…: asks ten times a second
until_true() {
	local left=$(($1 * 10))
	shift
	until "$@" >/dev/null 2>&1; do
		left=$((left - 1))
		[ "$left" -gt 0 ] || return 1
		sleep 0.1
	done
}

# at_best MEASURE…: a slow minute of a machine that others share is waited out: measured again until MEASURE says that its
# bounds are kept, or has had 20 tries; the last one is judged
at_best() {
	local tries
	for ((tries = 1; tries < 20; tries++)); do
		! "$@" || return 0
		sleep 15
	done
	"$@" || true
}

deviate() { edit_host --argjson d "$1" '.sim.deviate = $d'; }

# pf_of NETDEV [FILTER]: of the host file
pf_of() { jq -c --arg pf "$1" ".pfs[] | select(.netdev == \$pf) | ${2-.}" "$host"; }

# How often each effect was called so far; what waits and reads is left out.
effects() { jq -c '.sim.ops // {} | del(.wait, .pause, .read, .read_attrs, .read_rules)' "$host"; }

# A PF as the tool shows it, all its VFs, rules and users included; IOMMU groups are
# numbered as VFs come.
shown() { "$tool" host show "$1" --json | jq -cS '.pfs[0] | .vf //= [] | .rules //= [] | del(.vf[].iommu_group)'; }
# All PFs but that one.
others() { "$tool" host show --json | jq -c --arg pf "$1" '[.pfs[] | select(.netdev != $pf)]'; }

# sqlite DATABASE SQL, by the program or by Python's module
sqlite() {
	if command -v sqlite3 >/dev/null; then
		sqlite3 "$1" "$2"
	else
		python3 -c '
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None, uri=True)
for statement in sys.argv[2].split(";"):
    for row in database.execute(statement):
        print(*row, sep="|")' "$1" "$2"
	fi
}

# query SQL: of the host's database, which it leaves as it is (a writer would tidy up after a kill)
query() { sqlite "file:$host.state/state.db?mode=ro" "$1"; }

# ---- commands ----

# sriovctl ARGUMENTS…: runs it; $status, $work/out and $work/err tell the rest.
sriovctl() {
	command=$*
	status=0
	"$tool" "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
}

# expect STATUS ARGUMENTS…
expect() {
	local wanted=$1
	shift
	sriovctl "$@"
	is "status" "$wanted" "$status"
}

out() { cat "$work/out"; }
err() { cat "$work/err"; }
# said FRAGMENT…: of the last command's error
said() {
	local fragment
	for fragment; do has "the error" "$(err)" "$fragment"; done
}
# showed FRAGMENT…: of the last command's standard output
showed() {
	local fragment
	for fragment; do has "the output" "$(out)" "$fragment"; done
}

# Everything that a command could leave behind: the host, the files (but locks), what was recorded.
world() {
	local table
	cat "$host"
	find "$work" -path "$host*" ! -name '*.lock' | sort
	[ -e "$host.state/state.db" ] || return 0
	for table in pf pool lease journal; do query "SELECT * FROM $table"; done
}

# The command as a whole: what the dry run shows is what is done, and done twice it is nothing.
#     change ARGUMENTS…
change() {
	local digest before after
	before=$(cat "$host")
	expect 0 "$@" --dry-run --json
	is "the dry run leaves the host alone" "$before" "$(cat "$host")"
	digest=$(jq -r '.plans[0].digest' "$work/out")
	expect 0 "$@" --expect "$digest"
	after=$(cat "$host")
	again "$@"
	is "done twice, no kernel write" "$after" "$(cat "$host")"
}

# again ARGUMENTS…: a command whose work is done has an empty plan.
again() {
	expect 0 "$@" --json
	is "steps of the second plan" 0 "$(jq '[.plans[].steps[]] | length' "$work/out")"
}

# Nothing is open, and the history has these statuses, newest first: over committed undone
over() {
	expect 0 journal show --json
	is "open journals" '[]' "$(jq -c '.journals' "$work/out")"
	expect 0 history --json
	[ $# = 0 ] || is "history" "$*" "$(jq -r '[.journals[].status] | join(" ")' "$work/out")"
}
