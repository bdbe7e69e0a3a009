#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# build.sh OUTDIR REASONFILE: the emulated NICs as OUTDIR/{82599,xl710}.so, objects to preload into Debian's stock QEMU.
# When that is impossible, one sentence goes into REASONFILE and the exit status is 1.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../common.sh"

out=$1 reason=$2
because() { printf '%s\n' "$*" >"$reason"; exit 1; }

version=$(qemu-system-x86_64 --version | sed -n '1s/.*version \([0-9.]*\).*/\1/p')
headers=$out/headers-$version

[ -e "$headers/gen/config-host.h" ] || bash "$here/headers.sh" "$headers" "$reason"

# compile SOURCE OBJECT
compile() {
	local glib
	read -ra glib < <(pkg-config --cflags glib-2.0)
	gcc -O2 -g -fPIC -shared -std=gnu11 -Wall -Werror=implicit-function-declaration -Werror=incompatible-pointer-types \
		-I"$headers/gen" -I"$headers/gen/qapi" -I"$headers/include" -I"$headers" \
		-I"$headers/host/include/x86_64" -I"$headers/host/include/generic" "${glib[@]}" \
		"$1" -o "$2.new" || because "compiling ${1##*/} against QEMU $version's headers failed"
}

# probe OBJECT DEVICE: does this binary have every symbol the object wants, and does it then know the device?
probe() {
	env LD_BIND_NOW=1 LD_PRELOAD="$1" qemu-system-x86_64 -M none -device "$2,help" >/dev/null ||
		because "QEMU $version does not load the emulated ${2}; its interfaces have changed"
}

compile "$here/ix82599.c" "$out/82599.so"
compile "$here/xl710.c" "$out/xl710.so"
probe "$out/82599.so.new" ix82599
probe "$out/xl710.so.new" xl710
for o in 82599 xl710; do mv "$out/$o.so.new" "$out/$o.so"; done
