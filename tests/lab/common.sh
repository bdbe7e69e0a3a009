# shellcheck shell=bash
# common.sh: what the lab's host-side scripts share. Sourced, never run.

lab_src=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# Everything generated lives below one folder, so that removing it undoes the whole lab.
lab_dir=${SRIOV_LAB_DIR:-$(cd "$lab_src/../.." && pwd)/build/lab}

say() { printf 'lab: %s\n' "$*" >&2; }
die() { printf 'lab: error: %s\n' "$*" >&2; exit 1; }

# skip WHY: the exit status and first word that test drivers understand as "not run".
skip() { printf 'SKIP: %s\n' "$*"; exit 77; }

# key_of WORD|FILE...: one short hash over words and file contents, to tell whether a built thing is still current.
key_of() {
	local x
	for x in "$@"; do
		printf '%s\n' "${x##*/}"
		if [ -f "$x" ]; then cat "$x"; fi
	done | sha256sum | cut -c1-16
}

# is_current NAME KEY: was NAME built from exactly these inputs?
is_current() { [ "$(cat "$lab_dir/stamps/$1" 2>/dev/null)" = "$2" ]; }

# step NAME KEY COMMAND...: run COMMAND unless NAME is current. The stamp is written last and renamed into
# place, so an interrupted step is simply done again.
step() {
	local name=$1 key=$2 t0=$SECONDS
	shift 2
	is_current "$name" "$key" && return 0
	say "$name ..."
	"$@" || die "$name failed (see above); 'lab setup' may be run again at any time"
	mkdir -p "$lab_dir/stamps"
	printf '%s\n' "$key" >"$lab_dir/stamps/$name.new"
	mv "$lab_dir/stamps/$name.new" "$lab_dir/stamps/$name"
	say "$name done in $((SECONDS - t0)) s"
}

# debian_mirror SUITE: the URI this machine is configured to fetch SUITE from. Third-party archives reuse suite
# names, so one that says it is Debian's goes first (the origin is only known after an 'apt-get update').
debian_mirror() {
	env -u APT_CONFIG apt-get indextargets --format '$(RELEASE)|$(COMPONENT)|$(REPO_URI)|$(ORIGIN)' \
		'Created-By: Packages' |
		awk -F'|' -v want="$1" '$1 == want && $2 == "main" && !any {any = $3}
			$1 == want && $2 == "main" && $4 == "Debian" && !deb {deb = $3}
			END {print deb ? deb : any}'
}

# lab_apt: write the private apt configuration and point APT_CONFIG at it. /etc/apt stays as it is; its apt.conf.d
# (proxies and the like) still counts, because apt reads that too.
lab_apt() {
	local main security
	[ -z "${APT_CONFIG:-}" ] || [ "$APT_CONFIG" != "$lab_dir/apt/apt.conf" ] || return 0
	main=$(debian_mirror bookworm)
	security=$(debian_mirror bookworm-security)
	[ -n "$main" ] || die "apt on this machine has no 'bookworm main' source; the lab needs Debian 12"
	[ -n "$security" ] || die "apt on this machine has no 'bookworm-security main' source; the 6.12 kernel comes from there"
	mkdir -p "$lab_dir/apt/sources.list.d" "$lab_dir/apt/lists/partial" "$lab_dir/apt/cache/archives/partial"
	local signed="Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg"
	# Sources of backports and trixie are for QEMU's headers only: deb-src never changes what gets installed.
	cat >"$lab_dir/apt/sources.list.d/lab.sources" <<-S
		Types: deb
		URIs: $main
		Suites: bookworm bookworm-updates bookworm-backports
		Components: main
		$signed

		Types: deb
		URIs: $security
		Suites: bookworm-security
		Components: main
		$signed

		Types: deb-src
		URIs: $main
		Suites: bookworm-backports trixie
		Components: main
		$signed
	S
	cat >"$lab_dir/apt/apt.conf" <<-S
		Dir::Etc::SourceList "/dev/null";
		Dir::Etc::SourceParts "$lab_dir/apt/sources.list.d";
		Dir::State::Lists "$lab_dir/apt/lists";
		Dir::Cache "$lab_dir/apt/cache";
		DPkg::Lock::Timeout "600";
		Acquire::Languages "none";
		Acquire::Retries "2";
		APT::Sandbox::User "root";
	S
	export APT_CONFIG=$lab_dir/apt/apt.conf DEBIAN_FRONTEND=noninteractive
}

# lab_apt_update: fetch the private package lists, at most once per run and not again within the hour.
lab_apt_update() {
	lab_apt
	if [ -n "$(find "$lab_dir/apt/updated" -mmin -60 2>/dev/null)" ] &&
		[ "$lab_dir/apt/updated" -nt "$lab_src/common.sh" ]; then
		return 0
	fi
	say "apt-get update (private lists)"
	apt-get -qq update || die "apt-get update failed: is the Debian mirror reachable?"
	touch "$lab_dir/apt/updated"
}
