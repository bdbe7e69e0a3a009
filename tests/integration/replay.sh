#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# `sriovctl nic replay` as a command: where lines come from, what is wrong with them, and that nothing else is
# touched. What the models answer is tests/conformance.
# shellcheck source=tests/harness.sh disable=SC2016,SC2119
. "$(dirname "$0")/../harness.sh"

line='{"id":"a","driver":"ixgbe","device":{"mac":"X550"},"ops":[{"op":"del","loc":7}],"tags":["any"]}'
answer='{"id":"a","results":[{"errno":-22,"err":"EINVAL","why":"no_such_rule"}],"final":{"table_size":2046,"rules":[]}}'
printf '%s\n\n%s\n' "$line" "$line" >"$work/lines"

expect 0 nic replay "$work/lines"
same "two lines" "$answer"$'\n'"$answer" "$(out)"
expect 0 nic replay "$work/lines" --json
same "as one document" "$(jq -c '[., .]' <<<"$answer")" "$(jq -c .lines "$work/out")"

# from standard input: replay [-] TEXT
replay() {
	command="nic replay"
	status=0
	printf '%s' "$1" | "$tool" nic replay "${@:2}" >"$work/out" 2>"$work/err" || status=$?
}
replay "$line"
is "the last line needs no end" "$answer" "$(out)"
replay "$line" -
is "- is standard input" "$answer" "$(out)"
replay ''
is "no lines" "0 " "$status $(out)"

# wrong LINE FRAGMENT…: the second of two lines
wrong() {
	local fragment
	replay "$line"$'\n'"$1"$'\n'
	is "status" 1 "$status"
	is "the line before was answered" "$answer" "$(out)"
	for fragment in "standard input: line 2: " "${@:2}"; do has "the error" "$(err)" "$fragment"; done
}
wrong 'no JSON' "column"
wrong '[]' "is not an object" "tests/conformance/README.md"
wrong '{"id":"b","id":"c"}' "duplicate"
wrong '{"id":"b","driver":"ixgbe","device":{"mac":"82598"},"ops":[]}' "device: 'mac' is no MAC type of ixgbe"
wrong '{"id":"b","driver":"igb","device":{"mac":"I350"},"ops":[{"op":"del","loc":1},{"op":"add"}]}' "ops[1]: 'loc'"
printf '%s\n{"id":"b\0"}\n' "$line" >"$work/zero"
expect 1 nic replay "$work/zero"
said "$work/zero: line 2: has a zero byte"
expect 1 nic replay "$work/nowhere"
said "$work/nowhere: cannot be opened" "No such file"
expect 1 nic replay "$work"
said "cannot be read" "Is a directory"
expect 1 nic replay a b
said "one argument too many"
expect 1 nic reply
said "nic replay"
