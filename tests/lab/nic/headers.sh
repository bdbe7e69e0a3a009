#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# headers.sh OUTDIR REASONFILE: the headers of the installed QEMU, from its source in Debian's archive, and the
# generated ones. When they cannot be had, one sentence goes into REASONFILE and the exit status is 1.
# Struct layouts come from these headers, so they must be of the binary's own stable series.
set -euo pipefail
. "$(dirname "$0")/../common.sh"

out=$1 reason=$2
because() { printf '%s\n' "$*" >"$reason"; exit 1; }

work=$(mktemp -d "$lab_dir/headers.XXXXXX")
trap 'rm -rf "$work"' EXIT

source_version=$(dpkg-query -W -f '${source:Version}' qemu-system-x86)
upstream=$(qemu-system-x86_64 --version | sed -n '1s/.*version \([0-9.]*\).*/\1/p')
series=${upstream%.*}

# orig_sha256 VERSION: the checksum that Debian's signed source index gives for that version's upstream tarball.
orig_sha256() {
	apt-cache showsrc qemu 2>/dev/null | awk -v v="$1" '
		/^Version:/ {on = $2 == v}
		/^Checksums-Sha256:/ {sums = 1; next}
		/^[^ ]/ {sums = 0}
		on && sums && $3 ~ /\.orig\.tar\.[a-z0-9]+$/ {print $1; exit}'
}

# fetch_orig VERSION: true if the upstream tarball of that source version arrived whole.
# The mirror may lack the .dsc of a backport; apt then fails, but has left the tarball, which is all that is needed.
fetch_orig() {
	local sum tarball
	sum=$(orig_sha256 "$1")
	[ -n "$sum" ] || return 1
	rm -f "$work"/*.orig.tar.*
	(cd "$work" && apt-get -qq source --download-only "qemu=$1" >"$work/log" 2>&1) || true
	tarball=$(find "$work" -maxdepth 1 -name 'qemu_*.orig.tar.*' | head -n 1)
	[ -n "$tarball" ] && echo "$sum  $tarball" | sha256sum --check --status
}

# other_versions: the archive's other source versions of the same stable series, as a second best.
other_versions() {
	apt-cache showsrc qemu 2>/dev/null |
		awk -v s="1:$series." '/^Version:/ && index($2, s) == 1 {print $2}' | sort -uV
}

fetch() {
	local v
	fetch_orig "$source_version" && return 0
	for v in $(other_versions); do
		[ "$v" != "$source_version" ] || continue
		if fetch_orig "$v"; then
			say "QEMU's own source $source_version cannot be had, using $v of the same series"
			return 0
		fi
	done
	because "the source of QEMU $upstream ($source_version) cannot be had from this machine's Debian mirror, and the emulated NICs need its headers"
}

unpack() {
	mkdir "$work/qemu"
	# Only what is included or needed to generate: 20 MB instead of 410.
	tar -x -C "$work/qemu" --strip-components=1 --wildcards --no-wildcards-match-slash -f "$work"/qemu_*.orig.tar.* \
		'qemu-*/VERSION' 'qemu-*/include' 'qemu-*/host/include' 'qemu-*/qapi' 'qemu-*/scripts' ||
		because "unpacking QEMU's source failed"
	headers_version=$(cat "$work/qemu/VERSION")
	[ "${headers_version%.*}" = "$series" ] ||
		because "QEMU is $upstream, but the source that could be had is $headers_version"
}

generate() {
	mkdir -p "$work/qemu/gen/qapi"
	(cd "$work/qemu" && python3 scripts/qapi-gen.py -b -o gen/qapi qapi/qapi-schema.json) ||
		because "generating QEMU's qapi headers failed"
	: >"$work/qemu/gen/config-poison.h"
	local major minor micro
	IFS=. read -r major minor micro <<<"$headers_version"
	# Stands in for what QEMU's configure would write; only the macros that the headers below include/ look at.
	{
		echo '#pragma once'
		printf '#define %s 1\n' CONFIG_LINUX CONFIG_POSIX HOST_X86_64 CONFIG_IOVEC CONFIG_SOFTMMU CONFIG_SYSTEM_ONLY \
			CONFIG_MADVISE CONFIG_POSIX_MADVISE CONFIG_INT128 CONFIG_INT128_TYPE CONFIG_ATOMIC64 \
			HAVE_STRUCT_STAT_ST_ATIM HAVE_STRCHRNUL HAVE_SYSTEM_FUNCTION
		printf '#define QEMU_VERSION "%s"\n' "$headers_version"
		printf '#define QEMU_VERSION_MAJOR %d\n#define QEMU_VERSION_MINOR %d\n#define QEMU_VERSION_MICRO %d\n' \
			"$major" "$minor" "${micro:-0}"
	} >"$work/qemu/gen/config-host.h"
}

fetch
unpack
generate
rm -rf "$out"
mkdir -p "$(dirname "$out")"
mv "$work/qemu" "$out"
