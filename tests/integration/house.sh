#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The rules of the house that a machine can see: who knows whom, what libraries must not do, formatting, licences.
set -eu
cd "$(dirname "$0")/../.."
breaches=$(mktemp)
trap 'rm -f "$breaches"' EXIT

# wrong WHAT: lines on stdin, if any, are breaches of it. It stands at the end of pipes, so it counts in a file.
wrong() {
	local lines
	lines=$(cat)
	[ -n "$lines" ] || return 0
	printf '%s:\n%s\n' "$1" "$lines" | tee -a "$breaches"
}
files() { git ls-files -- "$@"; }

files 'flows/*.[ch]' | xargs grep -nE '#include "(lib/(host|kernel|store|guest|vswitch|plan)|cmd)/' | wrong "flows/ knows only include/ and lib/core"
files 'lib/host/*.[ch]' 'lib/kernel/*.[ch]' | xargs grep -nE '#include "(lib/plan|cmd)/' | wrong "lib/host and lib/kernel do not know lib/plan"
files 'lib/core/*.[ch]' | xargs grep -nE '#include "(lib/(host|kernel|store|guest|vswitch|plan)|flows|cmd)/' | wrong "lib/core is the ground floor"
files 'lib/*.[ch]' 'flows/*.[ch]' | xargs grep -nE '#include "cmd/' | wrong "the library does not know the tool"
files 'cmd/*.[ch]' | xargs grep -nE '#include "(lib/(host|kernel|store|guest|vswitch|plan)|flows)/' | wrong "the tool uses the public API"
files 'lib/*.c' 'flows/*.c' | xargs grep -nE '(^|[^a-z_])(printf|puts|putchar|perror|exit|system|popen)\(' | wrong "libraries neither print nor exit, and start no shell"
files '*.c' '*.h' '*.sh' | xargs grep -L 'SPDX-License-Identifier' | grep -vE '^tests/lab/(guest|selftest|cases)/|^tests/lab/[a-z]+\.sh$' | wrong "no licence line"
files 'lib/*.[ch]' 'flows/*.[ch]' 'cmd/*.[ch]' 'include/*.h' 'tests/unit/*.[ch]' 'tests/fuzz/*.c' 'tests/bench/*.c' 'tests/faults/*.c' |
	xargs clang-format --dry-run 2>&1 | grep -E '^[^ ].*: (warning|error)' | head -n 20 | wrong "not as clang-format has it"
{
	files '*.sh'
	files tests/run examples/quickstart .ci/run tests/lab/test tests/lab/lab
} | xargs shellcheck -x -S warning -e SC2154 2>&1 | head -n 40 | wrong "shellcheck"
mapfile -t hosts < <(apt-get indextargets --format '$(REPO_URI)' | sed -nE 's#^[a-z]+://([^/]+).*#\1#p' | sort -u)
for host in "${hosts[@]}"; do
	git grep -nF -e "$host" | wrong "the name of a registry host"
done
[ ! -s "$breaches" ]
