# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced by tests/run, examples/quickstart and the host-side tests: what this machine needs, and the builds.

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '== %s\n' "$*"; }

# Re-runs the calling script through sudo unless it is root already: packages, namespaces and the lab need it.
as_root() {
	[ "$(id -u)" = 0 ] && return
	command -v sudo >/dev/null || {
		echo "run this as root, or install sudo" >&2
		exit 1
	}
	say "this needs root (packages, test hosts): continuing through sudo"
	exec sudo -- "$@"
}

# lacking PACKAGE…: prints those that are not installed.
lacking() {
	local p
	for p in "$@"; do
		dpkg-query -W -f '${Status}\n' "$p" 2>/dev/null | grep -q '^install ok' || printf '%s\n' "$p"
	done
}

# need PACKAGE…: installs those that are not there. Says so first; does nothing when all are there.
need() {
	local missing
	mapfile -t missing < <(lacking "$@")
	[ ${#missing[@]} -gt 0 ] || return 0
	say "installing from Debian: ${missing[*]}"
	export DEBIAN_FRONTEND=noninteractive
	# several tests may want something at once, and apt waits for the lock of packages, not for that of lists
	flock -o "$repo/tests/lib.sh" apt-get -q -o DPkg::Lock::Timeout=600 update >/dev/null
	flock -o "$repo/tests/lib.sh" apt-get -qy -o DPkg::Lock::Timeout=600 install --no-install-recommends "${missing[@]}" >/dev/null
}

# shellcheck disable=SC2034  # for the scripts that source this
build_packages=(gcc libc6-dev cmake ninja-build pkg-config libnl-3-dev libmnl-dev libsqlite3-dev
	libjansson-dev libxml2-dev libpcap-dev libhwloc-dev libvirt-dev libyaml-dev jq)

# build TYPE DIR [cmake options]: configures once, then builds.
build() {
	local type=$1 dir=$2
	shift 2
	cmake -S "$repo" -B "$dir" -G Ninja -DCMAKE_BUILD_TYPE="$type" "$@" >/dev/null
	ninja -C "$dir" --quiet
}
