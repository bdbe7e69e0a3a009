# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034
# Sourced by tests that kill a command at each of its calls: the command, what is looked at, and how many points are
# taken. What must hold after a kill is in points.py: nothing but the tool is started for a point.

# tests/faults/killat.c counts the calls that change something, and kills at one of them.
gcc -D_GNU_SOURCE -O1 -shared -fPIC -o "$work/killat.so" "$repo/tests/faults/killat.c" -ldl

# the command that is killed, and a file that it reads
change=() stdin=/dev/null
# what is looked at before and after: names that looks.py knows, or commands of the tool
looks=(host leases)
# fields of the host that may differ: a link rises when it rises, at the end of a change it may be on its way
unsteady=(carrier speed_mbps)
# one point in so many is taken, from the first on
stride=1 first=1

# points KIND NAME [ARGUMENT…]: a kind that points.py knows, of the command in "${change[@]}", from the present state
points() {
	local made failed
	python3 -B "$repo/tests/faults/points.py" --work "$work" --tool "$tool" --script "${0##*/} line ${BASH_LINENO[-2]}" \
		"${looks[@]/#/--look=}" "${unsteady[@]/#/--unsteady=}" --stride "$stride" --first "$first" --stdin "$stdin" \
		"$@" -- "${change[@]}"
	read -r made failed <"$work/tally"
	checks=$((checks + made)) failures=$((failures + failed))
}

# at_every_point NAME PF: after a kill comes another command for the PF, the same, or the operator's undo or resume
at_every_point() { points every_point "$@"; }
