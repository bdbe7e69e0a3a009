# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
# Sourced: the serial ports of small Linux guests (tests/lab/small.sh), pipes $work/NAME.in and .out.
declare -A console=() # their ends for reading
# console_made NAME
console_made() {
	local fd
	rm -f "$work/$1".{in,out}
	mkfifo "$work/$1".{in,out}
	exec {fd}<>"$work/$1.out"
	console[$1]=$fd
}
# answered NAME: what comes until the status of the last line, which is returned
answered() {
	local line
	while IFS= read -r -t "${answer_s:-600}" line <&"${console[$1]}"; do
		case $line in
		=ready) return 0 ;;
		=[0-9]*) return "${line#=}" ;;
		*) echo "$line" ;;
		esac
	done
	echo "$1 does not answer"
	return 1
}
# inside NAME COMMAND…
inside() {
	local name=$1
	shift
	echo "$*" >"$work/$name.in"
	answered "$name"
}
# inside_until NAME COMMAND: asks for 120 seconds
inside_until() {
	inside "$1" "i=0; until $2; do i=\$((i + 1)); [ \$i -lt 600 ] || break; usleep 200000; done >/dev/null 2>&1; $2"
}
