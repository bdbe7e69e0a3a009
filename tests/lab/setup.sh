# shellcheck shell=bash
# setup.sh: brings the machine and the work folder to where a lab can start. Sourced by 'lab'.
# shellcheck disable=SC2154 # lab_src and lab_dir come from common.sh
# Every part is a step() with a key over what it is made from: done once, redone when that changes, instant otherwise.

# What a plain Debian 12 lacks. QEMU comes from backports: bookworm's 7.2 has no igb, and the NIC models are for 10.
lab_packages=(mmdebstrap busybox-static cpio kmod xz-utils zstd e2fsprogs python3 gcc libc6-dev libglib2.0-dev pkg-config
	util-linux make bc libelf1)

qemu_package_version() { dpkg-query -W -f '${Version}' qemu-system-x86 2>/dev/null || true; }

host_packages_missing() {
	local p
	for p in "${lab_packages[@]}"; do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || echo "$p"
	done
}

qemu_is_10() { dpkg --compare-versions "$(qemu_package_version)" ge 1:10; }

host_packages() {
	local missing
	mapfile -t missing < <(host_packages_missing)
	if [ ${#missing[@]} -eq 0 ] && qemu_is_10; then return 0; fi
	[ "$(id -u)" = 0 ] || die "run 'lab setup' as root: it installs Debian packages (${missing[*]} qemu-system-x86 10)"
	lab_apt_update
	if [ ${#missing[@]} -gt 0 ]; then
		say "installing ${missing[*]}"
		apt-get -qqy install --no-install-recommends "${missing[@]}" >&2 ||
			die "could not install: ${missing[*]}"
	fi
	if ! qemu_is_10; then
		say "installing qemu-system-x86 from bookworm-backports"
		apt-get -qqy install --no-install-recommends -t bookworm-backports qemu-system-x86 >&2 ||
			die "could not install qemu-system-x86 from bookworm-backports"
	fi
}

build_image() { lab_apt && bash "$lab_src/image.sh" "$lab_dir/root.img"; }
build_kernel() { lab_apt_update && bash "$lab_src/kernel.sh" "$1" "$lab_dir/kernel-$1"; }

# The NIC models may be impossible to build (QEMU's source not in the archive). That is remembered as a reason, not
# an error: 'lab run' turns it into SKIP, 'lab setup' tries again.
build_nics() {
	local why=$lab_dir/nic/unavailable
	lab_apt_update
	mkdir -p "$lab_dir/nic"
	rm -f "$why"
	if ! bash "$lab_src/nic/build.sh" "$lab_dir/nic" "$why.new"; then
		[ -s "$why.new" ] || echo "building the emulated NICs failed; 'lab setup' shows how" >"$why.new"
		say "the emulated 82599 and XL710 cannot be had: $(cat "$why.new")"
	fi
	if [ -e "$why.new" ]; then mv "$why.new" "$why"; fi
}

build_igb() { lab_apt_update && bash "$lab_src/igb-module.sh" "$lab_dir/kernel-6.12" "$lab_dir/igb-ntuple.ko"; }

nic_key() {
	key_of "$lab_src/nic/headers.sh" "$lab_src/nic/build.sh" "$lab_src"/nic/*.[ch] "$(qemu_package_version)"
}

# locked: two setups at once would build the same files, so one waits. The lock is held until 9 is closed.
locked() {
	mkdir -p "$lab_dir"
	exec 9>"$lab_dir/lock"
	flock -w 2 9 || { say "another 'lab setup' is at work, waiting for it"; flock 9; }
}

kernel_steps() {
	local k
	host_packages
	for k in "$@"; do
		step "kernel-$k" "$(key_of "$lab_src/kernel.sh" "$lab_src/modules.list" "$lab_src/guest/initramfs")" build_kernel "$k"
	done
}

# ensure_kernel KERNEL: for who boots it without a lab.
ensure_kernel() {
	locked
	kernel_steps "$1"
	exec 9>&-
}

# ensure_setup KERNEL...: all that a lab with these kernels needs.
ensure_setup() {
	locked
	kernel_steps "$@"
	step image "$(key_of "$lab_src/image.sh")" build_image
	step nics "$(nic_key)" build_nics
	exec 9>&-
}

# ensure_igb: igb-ntuple.ko, which only some tests want: others do not wait for it.
ensure_igb() {
	ensure_setup 6.12
	exec 9>"$lab_dir/lock-igb"
	flock 9
	step igb-ntuple "$(key_of "$lab_src/igb-module.sh" "$lab_dir/kernel-6.12/release")" build_igb
	exec 9>&-
}

# forget_failures: what failed for outside reasons is tried again by an explicit 'lab setup'.
forget_failures() {
	if [ -e "$lab_dir/nic/unavailable" ]; then rm -f "$lab_dir/stamps/nics"; fi
}
